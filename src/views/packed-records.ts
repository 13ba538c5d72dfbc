/**
 * Records of one class by two numbers (an account, and a market or a slot), as bytes: what changes with every block is kept without an object
 * of its own, and becomes one when it is read.
 *
 *   record   u32 first, u32 second, where the layout pages have the record's header; then the payload, with zeros behind a short value
 *   index    u32 place of a record + 1, by a hash of the two numbers; 0: free. Linear probing, at most half full
 *   chains   the records of each first number, in a ring, in the order in which they came; free places in a list
 *
 * Invariant: what was put in last is what is read, whatever was put in and taken out before (packed-records.test.ts, against maps of maps).
 * Not here: what the payload means (records.ts).
 */
import { assert } from '../base/assert.ts';
import { putValue, RECORD_HEADER, RecordReader } from './records.ts';

const PLACES_AT_FIRST = 16;
const NONE = -1;
/** Beyond so many entries, and so many more a record, an index is too large to be cleared again and again. */
const INDEX_LARGE = 1024;
const INDEX_LARGE_EACH = 64;

export class PackedRecords<T> {
  private readonly recordBytes: number;
  private readonly read: (reader: RecordReader) => T;
  private readonly reader = new RecordReader();
  private view: DataView;
  /** By place: neighbours in the ring of the first number. Of free places `after` is the next free one. */
  private after = new Int32Array(PLACES_AT_FIRST);
  private before = new Int32Array(PLACES_AT_FIRST);
  private index = new Uint32Array(2 * PLACES_AT_FIRST);
  /** The place of the oldest record by first number. */
  private readonly oldest = new Map<number, number>();
  private firstFree = NONE;
  /** Places that have been used so far. */
  private used = 0;
  private count = 0;

  /** `recordBytes`: with the header. */
  constructor(recordBytes: 32 | 64, read: (reader: RecordReader) => T) {
    this.recordBytes = recordBytes;
    this.read = read;
    this.view = new DataView(new ArrayBuffer(PLACES_AT_FIRST * recordBytes));
  }

  has(first: number, second: number): boolean {
    return this.index[this.find(first, second)] !== 0;
  }

  get(first: number, second: number): T | undefined {
    const reader = this.at(first, second);
    return reader && this.read(reader);
  }

  /** To read single fields; holds until the next call of anything here. */
  at(first: number, second: number): RecordReader | undefined {
    const entry = this.index[this.find(first, second)] as number;
    return entry === 0 ? undefined : this.reader.over(this.view, (entry - 1) * this.recordBytes);
  }

  /** By second number, in the order in which they came. */
  of(first: number): Map<number, T> {
    const records = new Map<number, T>();
    for (const place of this.placesOf(first)) {
      const at = place * this.recordBytes;
      records.set(this.view.getUint32(at + 4, true), this.read(this.reader.over(this.view, at)));
    }
    return records;
  }

  secondsOf(first: number): number[] {
    return this.placesOf(first).map((place) => this.view.getUint32(place * this.recordBytes + 4, true));
  }

  firsts(): IterableIterator<number> {
    return this.oldest.keys();
  }

  /** `at`, `bytes`: where the value is. What was there before is gone. */
  put(first: number, second: number, from: DataView, at: number, bytes: number): void {
    const { recordBytes } = this;
    assert(bytes <= recordBytes - RECORD_HEADER, `a value of ${bytes} bytes in a record of ${recordBytes}`);
    const place = this.placeFor(first, second);
    putValue(this.view, place * recordBytes, recordBytes, from, at, bytes);
  }

  remove(first: number, second: number): void {
    const slot = this.find(first, second);
    const entry = this.index[slot] as number;
    if (entry === 0) return;
    this.unlink(first, entry - 1);
    this.after[entry - 1] = this.firstFree;
    this.firstFree = entry - 1;
    this.count--;
    this.closeGap(slot);
  }

  /** An index that is too large for the records that were there becomes smaller, so that many records once are not paid for ever after. */
  clear(): void {
    if (this.index.length <= INDEX_LARGE + INDEX_LARGE_EACH * this.count) this.index.fill(0);
    else this.index = new Uint32Array(this.index.length >> 1);
    this.oldest.clear();
    this.firstFree = NONE;
    this.used = 0;
    this.count = 0;
  }

  /** The slot of the index where two numbers are, or where they would have to be. */
  private find(first: number, second: number): number {
    const { index, view, recordBytes } = this;
    const mask = index.length - 1;
    for (let slot = hashOf(first, second) & mask; ; slot = (slot + 1) & mask) {
      const entry = index[slot] as number;
      if (entry === 0) return slot;
      const at = (entry - 1) * recordBytes;
      if (view.getUint32(at, true) === first && view.getUint32(at + 4, true) === second) return slot;
    }
  }

  private placeFor(first: number, second: number): number {
    const slot = this.find(first, second);
    const entry = this.index[slot] as number;
    if (entry !== 0) return entry - 1;
    const place = this.freePlace();
    this.index[slot] = place + 1;
    this.view.setUint32(place * this.recordBytes, first, true);
    this.view.setUint32(place * this.recordBytes + 4, second, true);
    this.link(first, place);
    this.count++;
    if (2 * this.count > this.index.length) this.rebuildIndex();
    return place;
  }

  private freePlace(): number {
    const place = this.firstFree;
    if (place === NONE) {
      if (this.used === this.after.length) this.grow();
      return this.used++;
    }
    this.firstFree = this.after[place] as number;
    return place;
  }

  private link(first: number, place: number): void {
    const oldest = this.oldest.get(first);
    if (oldest === undefined) {
      this.oldest.set(first, place);
      this.before[place] = place;
      this.after[place] = place;
      return;
    }
    const newest = this.before[oldest] as number;
    this.before[place] = newest;
    this.after[place] = oldest;
    this.after[newest] = place;
    this.before[oldest] = place;
  }

  private unlink(first: number, place: number): void {
    const next = this.after[place] as number;
    const last = this.before[place] as number;
    if (next === place) {
      this.oldest.delete(first);
      return;
    }
    this.after[last] = next;
    this.before[next] = last;
    if (this.oldest.get(first) === place) this.oldest.set(first, next);
  }

  private placesOf(first: number): number[] {
    const oldest = this.oldest.get(first);
    if (oldest === undefined) return [];
    const places = [oldest];
    for (let place = this.after[oldest] as number; place !== oldest; place = this.after[place] as number) places.push(place);
    return places;
  }

  /** Entries behind a slot that has become free move up, where a search for them would end at the gap. */
  private closeGap(from: number): void {
    const { index, view, recordBytes } = this;
    const mask = index.length - 1;
    let gap = from;
    for (let slot = (gap + 1) & mask; index[slot] !== 0; slot = (slot + 1) & mask) {
      const at = ((index[slot] as number) - 1) * recordBytes;
      const home = hashOf(view.getUint32(at, true), view.getUint32(at + 4, true)) & mask;
      // It may stay if its home is behind the gap.
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      index[gap] = index[slot] as number;
      gap = slot;
    }
    index[gap] = 0;
  }

  private rebuildIndex(): void {
    const before = this.index;
    this.index = new Uint32Array(2 * before.length);
    for (const entry of before) {
      if (entry === 0) continue;
      const at = (entry - 1) * this.recordBytes;
      this.index[this.find(this.view.getUint32(at, true), this.view.getUint32(at + 4, true))] = entry;
    }
  }

  private grow(): void {
    const larger = new Uint8Array(2 * this.view.byteLength);
    larger.set(new Uint8Array(this.view.buffer));
    this.view = new DataView(larger.buffer);
    this.after = doubled(this.after);
    this.before = doubled(this.before);
  }
}

function doubled(places: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * places.length);
  larger.set(places);
  return larger;
}

function hashOf(first: number, second: number): number {
  const mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca77);
  const again = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return again ^ (again >>> 13);
}
