/**
 * Records of one class by two numbers (an account, and a market or a slot), as bytes: what changes with every block is kept without an object
 * of its own, and becomes one when it is read.
 *
 *   record   u32 first, u32 second, where the layout pages have the record's header; then the payload, with zeros behind a short value
 *   index    the place of a record + 1, by a hash of the two numbers
 *   chains   the records of each first number, in a ring, in the order in which they came; free places in a list
 *
 * Invariant: what was put in last is what is read, whatever was put in and taken out before (packed-records.test.ts, against maps of maps).
 * Not here: what the payload means (records.ts).
 */
import { assert } from '../base/assert.ts';
import { HashIndex, NONE } from '../base/hash-index.ts';
import { putValue, RECORD_HEADER, RecordReader } from './records.ts';

const PLACES_AT_FIRST = 16;
/** The index has no such record. */
const NO_RECORD = 0;

export class PackedRecords<T> {
  private readonly recordBytes: number;
  private readonly read: (reader: RecordReader) => T;
  private readonly reader = new RecordReader();
  private view: DataView;
  /** By place: neighbours in the ring of the first number. Of free places `after` is the next free one. */
  private after = new Int32Array(PLACES_AT_FIRST);
  private before = new Int32Array(PLACES_AT_FIRST);
  private readonly index = new HashIndex();
  /** The place of the oldest record by first number. */
  private readonly oldest = new Map<number, number>();
  private firstFree = NONE;
  /** Places that have been used so far. */
  private used = 0;

  /** `recordBytes`: with the header. */
  constructor(recordBytes: 32 | 64, read: (reader: RecordReader) => T) {
    this.recordBytes = recordBytes;
    this.read = read;
    this.view = new DataView(new ArrayBuffer(PLACES_AT_FIRST * recordBytes));
  }

  has(first: number, second: number): boolean {
    return this.find(first, second, hashOf(first, second)) !== NO_RECORD;
  }

  get(first: number, second: number): T | undefined {
    const reader = this.at(first, second);
    return reader && this.read(reader);
  }

  /** To read single fields; holds until the next call of anything here. */
  at(first: number, second: number): RecordReader | undefined {
    const entry = this.find(first, second, hashOf(first, second));
    return entry === NO_RECORD ? undefined : this.reader.over(this.view, (entry - 1) * this.recordBytes);
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
    const hash = hashOf(first, second);
    const entry = this.find(first, second, hash);
    if (entry === NO_RECORD) return;
    this.unlink(first, entry - 1);
    this.after[entry - 1] = this.firstFree;
    this.firstFree = entry - 1;
    this.index.remove(hash, entry);
  }

  clear(): void {
    this.index.clear();
    this.oldest.clear();
    this.firstFree = NONE;
    this.used = 0;
  }

  /** The place of a record + 1, or NO_RECORD. */
  private find(first: number, second: number, hash: number): number {
    const { index, view, recordBytes } = this;
    for (let slot = index.first(hash); slot !== NONE; slot = index.next(slot, hash)) {
      const entry = index.number(slot);
      const at = (entry - 1) * recordBytes;
      if (view.getUint32(at, true) === first && view.getUint32(at + 4, true) === second) return entry;
    }
    return NO_RECORD;
  }

  private placeFor(first: number, second: number): number {
    const hash = hashOf(first, second);
    const entry = this.find(first, second, hash);
    if (entry !== NO_RECORD) return entry - 1;
    const place = this.freePlace();
    this.index.add(hash, place + 1);
    this.view.setUint32(place * this.recordBytes, first, true);
    this.view.setUint32(place * this.recordBytes + 4, second, true);
    this.link(first, place);
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

/** Nobody chooses these numbers: the ledger counts accounts and slots. Measured: a lookup takes a fifth less than with a hash for keys that are chosen. */
function hashOf(first: number, second: number): number {
  const mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca77);
  const again = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return again ^ (again >>> 13);
}
