/**
 * Rows by the hash of their key: an open table of hashes and numbers of rows, without an object for any of them.
 *
 * The table does not know keys. Who looks for one goes through the rows of its hash and compares, in full, with what the row says:
 *
 *   for (let at = index.first(hash); at !== NONE; at = index.next(at, hash)) if (isKey(index.row(at))) return index.row(at);
 *
 * Invariant: between the place that a hash points to and each of its entries no place is empty (linear probing; removing closes gaps).
 */
import { randomFillSync } from 'node:crypto';
import { assert } from '../base/assert.ts';
import { NO_ROW } from './row-space.ts';

/** No place in the table. */
export const NONE = -1;

const PLACES_LEAST = 16;
const HIGH = 0xffff0000;
const NEIGHBOUR_BITS = 3;
const NEIGHBOUR_MASK = (1 << NEIGHBOUR_BITS) - 1;

export class RowIndex {
  /** Two words a place: hash, row; row NO_ROW: the place is empty. At most half of the places are taken. */
  private words = new Int32Array(2 * PLACES_LEAST);
  private mask = PLACES_LEAST - 1;
  private count = 0;

  /** `hash`: 32 bits with a sign, which make no objects in the JavaScript engine. */
  first(hash: number): number {
    return this.seek(hash & this.mask, hash);
  }

  next(at: number, hash: number): number {
    return this.seek((at + 1) & this.mask, hash);
  }

  row(at: number): number {
    return this.words[2 * at + 1] as number;
  }

  /** Another row of the same key. */
  replace(at: number, row: number): void {
    this.words[2 * at + 1] = row;
  }

  add(hash: number, row: number): void {
    assert(row !== NO_ROW, 'an index holds rows');
    if (2 * ++this.count > this.mask + 1) this.grow();
    this.put(hash, row);
  }

  /** An entry that is there. */
  remove(hash: number, row: number): void {
    const { words, mask } = this;
    let hole = this.first(hash);
    while (hole !== NONE && words[2 * hole + 1] !== row) hole = this.next(hole, hash);
    assert(hole !== NONE, 'what is removed from an index is in it');
    this.count--;
    for (let from = (hole + 1) & mask; words[2 * from + 1] !== NO_ROW; from = (from + 1) & mask) {
      // An entry may move back to the hole if that is not before the place that its hash points to.
      const wanted = (words[2 * from] as number) & mask;
      if (((from - wanted) & mask) < ((from - hole) & mask)) continue;
      words[2 * hole] = words[2 * from] as number;
      words[2 * hole + 1] = words[2 * from + 1] as number;
      hole = from;
    }
    words[2 * hole + 1] = NO_ROW;
  }

  private seek(from: number, hash: number): number {
    const { words, mask } = this;
    for (let at = from; words[2 * at + 1] !== NO_ROW; at = (at + 1) & mask) if (words[2 * at] === hash) return at;
    return NONE;
  }

  private put(hash: number, row: number): void {
    const { words, mask } = this;
    let at = hash & mask;
    while (words[2 * at + 1] !== NO_ROW) at = (at + 1) & mask;
    words[2 * at] = hash;
    words[2 * at + 1] = row;
  }

  private grow(): void {
    const before = this.words;
    this.words = new Int32Array(2 * before.length);
    this.mask = before.length - 1;
    for (let i = 0; i < before.length; i += 2) if (before[i + 1] !== NO_ROW) this.put(before[i] as number, before[i + 1] as number);
  }
}

/** For two sums over ten halves of words, and what is added to each. */
const FACTORS = randomFillSync(new Uint32Array(22));
/** The second sum's factors begin here. */
const SECOND = 11;
const factor = (i: number): number => FACTORS[i] as number;

/**
 * The hash of a key of two words: for whoever does not know this process's factors any two keys have the same one with a probability of 2^-32
 * (multiply-shift over vectors of 16-bit digits; Dietzfelbinger 1996, Thorup 2015).
 */
export function hashOfPair(a: number, b: number): number {
  return spread((sumOfPair(0, a, b) & HIGH) | (sumOfPair(SECOND, a, b) >>> 16));
}

/** Of five words, in the same way: clients choose client ids, so that is needed. */
export function hashOfFive(a: number, b: number, c: number, d: number, e: number): number {
  return spread((sumOfFive(0, a, b, c, d, e) & HIGH) | (sumOfFive(SECOND, a, b, c, d, e) >>> 16));
}

/** Of a pair, but eight neighbours that differ in the last bits of `a` alone come to lie beside each other: a line of the cache is as many places. */
export function hashOfNeighbour(a: number, b: number): number {
  return (hashOfPair(a >>> NEIGHBOUR_BITS, b) << NEIGHBOUR_BITS) | (a & NEIGHBOUR_MASK);
}

/** One to one (murmur3's finish): sums of keys in a row are in a row as well, with gaps that some factors make all too even. */
function spread(sum: number): number {
  let x = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

function sumOfPair(i: number, a: number, b: number): number {
  return (
    (factor(i) +
      Math.imul(factor(i + 1), a & 0xffff) +
      Math.imul(factor(i + 2), a >>> 16) +
      Math.imul(factor(i + 3), b & 0xffff) +
      Math.imul(factor(i + 4), b >>> 16)) |
    0
  );
}

function sumOfFive(i: number, a: number, b: number, c: number, d: number, e: number): number {
  return (
    (sumOfPair(i, a, b) +
      Math.imul(factor(i + 5), c & 0xffff) +
      Math.imul(factor(i + 6), c >>> 16) +
      Math.imul(factor(i + 7), d & 0xffff) +
      Math.imul(factor(i + 8), d >>> 16) +
      Math.imul(factor(i + 9), e & 0xffff) +
      Math.imul(factor(i + 10), e >>> 16)) |
    0
  );
}
