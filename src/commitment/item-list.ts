/**
 * The root of an ordered list, and proofs that an item is at a position of it: of a block's transactions, receipts, access list.
 *
 *   item(x)    = H("heddle item 1", x)
 *   pair(l, r) = H("heddle pair 1", l || r)
 *   tree       = item(x) of one item, otherwise pair(tree of the first items, tree of the rest), where the first are the largest power of
 *                two that leaves something for the rest (the shape of RFC 6962); 32 zero bytes of none
 *   root       = H("heddle list 1", u64 number of items, little endian || tree)
 *
 *   proof of an item, version 1. Numbers are little endian.
 *     0  u8   version
 *     1  u32  index
 *     5  u32  number of items
 *     9  u8[32] hashes of the other sides, from the item up
 *
 * Invariant: the root binds every item, its position and the number of items; an item at a position has one proof only.
 */
import { assert } from '../base/assert.ts';
import { HASH_BYTES, labelled } from './blake3.ts';
import { ProofError } from './proof-error.ts';

const ITEM_PROOF_VERSION = 1;
const HEAD_BYTES = 9;
const COUNT_END = 2 ** 32;

const hashItem = labelled('heddle item 1');
const hashPair = labelled('heddle pair 1');
const hashList = labelled('heddle list 1');

export interface ProvenItem {
  readonly index: number;
  /** Number of items of the whole list. */
  readonly count: number;
}

export function listRoot(items: readonly Uint8Array[]): Uint8Array {
  assert(items.length < COUNT_END, 'a list has less than 2^32 items');
  return rootOfTree(items.length, items.length === 0 ? new Uint8Array(HASH_BYTES) : treeOf(items.map(hashItem)));
}

/** `index`: that of an item of the list. */
export function proveItem(items: readonly Uint8Array[], index: number): Uint8Array {
  assert(Number.isInteger(index) && index >= 0 && index < items.length && items.length < COUNT_END, `item ${index} of ${items.length}`);
  const others: Uint8Array[] = [];
  let around = items.map(hashItem);
  let at = index;
  while (around.length > 1) {
    const middle = firstItems(around.length);
    const isFirst = at < middle;
    others.unshift(treeOf(isFirst ? around.slice(middle) : around.slice(0, middle)));
    around = isFirst ? around.slice(0, middle) : around.slice(middle);
    if (!isFirst) at -= middle;
  }
  const proof = new Uint8Array(HEAD_BYTES + others.length * HASH_BYTES);
  const view = new DataView(proof.buffer);
  view.setUint8(0, ITEM_PROOF_VERSION);
  view.setUint32(1, index, true);
  view.setUint32(5, items.length, true);
  others.forEach((hash, i) => {
    proof.set(hash, HEAD_BYTES + i * HASH_BYTES);
  });
  return proof;
}

/** Where the item is in the list of this root. Throws ProofError. */
export function verifyItem(root: Uint8Array, item: Uint8Array, proof: Uint8Array): ProvenItem {
  if (proof.length < HEAD_BYTES) throw new ProofError('TRUNCATED_PROOF', `the proof ends at byte ${proof.length}`);
  const view = new DataView(proof.buffer, proof.byteOffset, proof.length);
  const version = view.getUint8(0);
  if (version !== ITEM_PROOF_VERSION) throw new ProofError('UNKNOWN_PROOF_VERSION', `version ${version} of proofs is not known here`);
  const index = view.getUint32(1, true);
  const count = view.getUint32(5, true);
  if (index >= count) throw new ProofError('MALFORMED_PROOF', `a list of ${count} items has no item ${index}`);
  const sides = sidesOf(index, count);
  const length = HEAD_BYTES + sides.length * HASH_BYTES;
  if (proof.length < length) throw new ProofError('TRUNCATED_PROOF', `the proof ends at byte ${proof.length} of ${length}`);
  if (proof.length > length) throw new ProofError('TRAILING_BYTES', `${proof.length - length} bytes are left behind the proof`);
  let hash = hashItem(item);
  sides.forEach((isFirst, i) => {
    const other = proof.subarray(HEAD_BYTES + i * HASH_BYTES, HEAD_BYTES + (i + 1) * HASH_BYTES);
    hash = isFirst ? pairOf(hash, other) : pairOf(other, hash);
  });
  const found = rootOfTree(count, hash);
  if (root.length !== HASH_BYTES || found.some((byte, i) => byte !== root[i])) {
    throw new ProofError('WRONG_ROOT', 'the proof is about another item or list than those given');
  }
  return { index, count };
}

/** From the item up: whether it is among the first items of the tree around it. */
function sidesOf(index: number, count: number): boolean[] {
  if (count === 1) return [];
  const middle = firstItems(count);
  return index < middle ? [...sidesOf(index, middle), true] : [...sidesOf(index - middle, count - middle), false];
}

/** The largest power of two below `count`, which is at least 2. */
function firstItems(count: number): number {
  let first = 1;
  while (first * 2 < count) first *= 2;
  return first;
}

function treeOf(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 1) return hashes[0] as Uint8Array;
  const middle = firstItems(hashes.length);
  return pairOf(treeOf(hashes.slice(0, middle)), treeOf(hashes.slice(middle)));
}

function pairOf(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(2 * HASH_BYTES);
  both.set(left);
  both.set(right, HASH_BYTES);
  return hashPair(both);
}

function rootOfTree(count: number, tree: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + HASH_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(count), true);
  bytes.set(tree, 8);
  return hashList(bytes);
}
