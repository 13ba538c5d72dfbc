/**
 * Hashes of keys for tables in memory: 32 bits with a sign, which make no objects in the JavaScript engine. Each process has factors of its own, since
 * clients choose keys: for whoever does not know them any two keys have the same hash with a small probability (multiply-shift over vectors of 16-bit digits;
 * Dietzfelbinger 1996, Thorup 2015).
 *
 * Not here: anything that is kept or sent. A hash means nothing outside of the process.
 */

const HIGH = 0xffff0000;
const NEIGHBOUR_BITS = 3;
const NEIGHBOUR_MASK = (1 << NEIGHBOUR_BITS) - 1;
const BYTES_MAX = 255;

/** For two sums over ten digits of words and what is added to each, or for one over the length and the digits of bytes. */
const FACTORS = crypto.getRandomValues(new Int32Array(2 + Math.ceil(BYTES_MAX / 2)));
/** The second sum's factors begin here. */
const SECOND = 11;
const factor = (i: number): number => FACTORS[i] as number;

/** Of a key of two words. The same hash for two keys: 2^-32. */
export function hashOfPair(a: number, b: number): number {
  return spread((sumOfPair(0, a, b) & HIGH) | (sumOfPair(SECOND, a, b) >>> 16));
}

/** Of five words, in the same way. */
export function hashOfFive(a: number, b: number, c: number, d: number, e: number): number {
  return spread((sumOfFive(0, a, b, c, d, e) & HIGH) | (sumOfFive(SECOND, a, b, c, d, e) >>> 16));
}

/** Of a pair, but eight neighbours that differ in the last bits of `a` alone come to lie beside each other: a line of the cache is as many places. */
export function hashOfNeighbour(a: number, b: number): number {
  return (hashOfPair(a >>> NEIGHBOUR_BITS, b) << NEIGHBOUR_BITS) | (a & NEIGHBOUR_MASK);
}

/** Of at most 255 bytes. One sum: the same hash for two keys with at most 2^-17, which is enough for the keys of some blocks. */
export function hashOfBytes(bytes: Uint8Array, from: number, length: number): number {
  const end = from + length;
  let sum = (factor(0) + Math.imul(factor(1), length)) | 0;
  let i = from;
  let next = 2;
  for (; i + 1 < end; i += 2) sum = (sum + Math.imul(factor(next++), ((bytes[i] as number) << 8) | (bytes[i + 1] as number))) | 0;
  if (i < end) sum = (sum + Math.imul(factor(next), bytes[i] as number)) | 0;
  return spread(sum);
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
