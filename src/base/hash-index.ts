/**
 * Numbers by the hash of their key: an open table of hashes and numbers, without an object for any of them, and outside of the heap that garbage is
 * collected on.
 *
 * The table does not know keys. Who looks for one goes through the numbers of its hash and compares, in full, with what the number stands for:
 *
 *   for (let at = index.first(hash); at !== NONE; at = index.next(at, hash)) if (isKey(index.number(at))) return index.number(at);
 *
 * So nothing is called back, and what compares is compiled for each user. Where clients choose keys, hashes have to be such as they cannot foresee
 * (key-hash.ts). Measured against tables of their own for records, rows, changes and keys of blocks: as fast, or faster.
 * Invariant: between the place that a hash points to and each of its entries no place is empty (linear probing; removing closes gaps); at most half of the
 * places are taken.
 */
import { assert } from './assert.ts';

/** No place in the table. */
export const NONE = -1;

/** Not a number that an index holds. */
const EMPTY = 0;
const PLACES_LEAST = 16;
/** Beyond so many places, and so many more for each number that was there, a table is too large to be cleared again and again. */
const LARGE = 1024;
const LARGE_EACH = 64;

export class HashIndex {
  /** Two words a place: hash, number; EMPTY: nothing is there. */
  private words: Int32Array;
  private mask: number;
  private count = 0;

  /** `room`: numbers that it has places for, to begin with. */
  constructor(room = 0) {
    const places = Math.max(PLACES_LEAST, 2 ** Math.ceil(Math.log2(2 * room)));
    this.words = new Int32Array(2 * places);
    this.mask = places - 1;
  }

  /** `hash`: 32 bits with a sign, which make no objects in the JavaScript engine. */
  first(hash: number): number {
    return this.seek(hash & this.mask, hash);
  }

  next(at: number, hash: number): number {
    return this.seek((at + 1) & this.mask, hash);
  }

  number(at: number): number {
    return this.words[2 * at + 1] as number;
  }

  /** Another number of the same key. */
  replace(at: number, number: number): void {
    this.words[2 * at + 1] = number;
  }

  /** `number`: 31 bits, not 0. */
  add(hash: number, number: number): void {
    assert(number !== EMPTY, 'an index holds no 0');
    if (2 * ++this.count > this.mask + 1) this.grow();
    this.put(hash, number);
  }

  /** An entry that is there. */
  remove(hash: number, number: number): void {
    const { words, mask } = this;
    let hole = this.first(hash);
    while (hole !== NONE && words[2 * hole + 1] !== number) hole = this.next(hole, hash);
    assert(hole !== NONE, 'what is removed from an index is in it');
    this.count--;
    for (let from = (hole + 1) & mask; words[2 * from + 1] !== EMPTY; from = (from + 1) & mask) {
      // An entry may move back to the hole if that is not before the place that its hash points to.
      const wanted = (words[2 * from] as number) & mask;
      if (((from - wanted) & mask) < ((from - hole) & mask)) continue;
      words[2 * hole] = words[2 * from] as number;
      words[2 * hole + 1] = words[2 * from + 1] as number;
      hole = from;
    }
    words[2 * hole + 1] = EMPTY;
  }

  /** Removes everything. A table that is too large for what was there becomes smaller, so that many numbers once are not paid for ever after. */
  clear(): void {
    const places = this.mask + 1;
    if (places > LARGE + LARGE_EACH * this.count) this.resize(places >> 1);
    else this.words.fill(EMPTY);
    this.count = 0;
  }

  private seek(from: number, hash: number): number {
    const { words, mask } = this;
    for (let at = from; words[2 * at + 1] !== EMPTY; at = (at + 1) & mask) if (words[2 * at] === hash) return at;
    return NONE;
  }

  private put(hash: number, number: number): void {
    const { words, mask } = this;
    let at = hash & mask;
    while (words[2 * at + 1] !== EMPTY) at = (at + 1) & mask;
    words[2 * at] = hash;
    words[2 * at + 1] = number;
  }

  private grow(): void {
    const before = this.words;
    this.resize(before.length);
    for (let i = 0; i < before.length; i += 2) if (before[i + 1] !== EMPTY) this.put(before[i] as number, before[i + 1] as number);
  }

  private resize(places: number): void {
    this.words = new Int32Array(2 * places);
    this.mask = places - 1;
  }
}
