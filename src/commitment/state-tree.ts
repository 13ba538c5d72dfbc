/**
 * What the state root is (docs/decisions/0010), in TypeScript: the three hashes, what of a record's value is committed to, and the root of
 * any records by the definition itself. Slow and obviously right: the kernel's tree is tested against it, proofs are verified with it.
 *
 * Invariant: the root depends on the set of records alone, not on their order and not on how they came about.
 * Not here: a tree that is kept from block to block, and proofs (proof.ts, verify.ts).
 */
import { assert } from '../base/assert.ts';
import { HASH_BYTES, labelled } from './blake3.ts';
import { DERIVED_CLASS, DERIVED_FROM, DERIVED_TO } from './layout.ts';

export interface TreeRecord {
  /** u8 class, then the key's bytes. */
  readonly key: Uint8Array;
  /** The payload: the record without its header of 8 bytes. */
  readonly value: Uint8Array;
}

/** A record's place in the tree and its hash. */
export interface Leaf {
  readonly path: Uint8Array;
  readonly hash: Uint8Array;
}

export const PATH_BITS = 256;

/** T(nothing). */
export const NOTHING: Uint8Array = new Uint8Array(HASH_BYTES);

/** What values are committed to without, by class: bytes `from` to `to` of the payload. Those of no other class are left out. */
const LEFT_OUT: ReadonlyMap<number, readonly [from: number, to: number]> = new Map([
  // Margin account: positionValue, positionMargin, maintenance. They follow from positions and marks.
  [DERIVED_CLASS, [DERIVED_FROM, DERIVED_TO]],
  // Order: the location of its client id. It is the node's own business.
  [19, [52, 56]],
]);

const hashPath = labelled('heddle path 1');
const hashLeaf = labelled('heddle leaf 1');
const hashNode = labelled('heddle node 1');

export function pathOf(key: Uint8Array): Uint8Array {
  return hashPath(key);
}

/** `value`: as `committedValue` leaves it. The key's length shows where the key ends: else one hash would stand for several records. */
export function leafOf(key: Uint8Array, value: Uint8Array): Uint8Array {
  return hashLeaf(joined(key, value, Uint8Array.of(key.length)));
}

export function nodeOf(left: Uint8Array, right: Uint8Array): Uint8Array {
  return hashNode(joined(left, right));
}

/** The part of a record's payload that the root commits to, in memory of its own. Of such a part it is the part itself. */
export function committedValue(key: Uint8Array, value: Uint8Array): Uint8Array {
  const committed = new Uint8Array(value);
  const leftOut = LEFT_OUT.get(key[0] as number);
  if (leftOut !== undefined) committed.fill(0, ...leftOut);
  let length = committed.length;
  while (length > 0 && committed[length - 1] === 0) length--;
  return committed.subarray(0, length);
}

/** The root of records with different keys, in any order. */
export function rootOf(records: Iterable<TreeRecord>): Uint8Array {
  return treeHash(
    Array.from(records, ({ key, value }) => ({ path: pathOf(key), hash: leafOf(key, committedValue(key, value)) })),
    0,
  );
}

/** T of leaves whose paths have the first `depth` bits in common. */
export function treeHash(leaves: readonly Leaf[], depth: number): Uint8Array {
  const [first, second] = leaves;
  if (first === undefined) return NOTHING;
  if (second === undefined) return first.hash;
  assert(depth < PATH_BITS, 'two records with one key');
  const side = (bit: number): Leaf[] => leaves.filter(({ path }) => bitOf(path, depth) === bit);
  return nodeOf(treeHash(side(0), depth + 1), treeHash(side(1), depth + 1));
}

/** Bit `depth` of a path, most significant first. */
export function bitOf(path: Uint8Array, depth: number): number {
  return ((path[depth >> 3] as number) >> (7 - (depth & 7))) & 1;
}

/** Whether two paths have their first `depth` bits in common. */
export function sharesPrefix(a: Uint8Array, b: Uint8Array, depth: number): boolean {
  for (let i = 0; i < depth; i++) if (bitOf(a, i) !== bitOf(b, i)) return false;
  return true;
}

/** Negative, zero or positive: the order of paths is that of the tree from left to right. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  return a.length - b.length;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
