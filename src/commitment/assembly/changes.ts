/**
 * Hashes the changes of a block: path and leaf of each, four at a time, and in which partition of the tree it belongs.
 *
 * Invariant: the changes of a claim are ordered by partition, those of one partition in the order in which they were collected.
 */
import {
  CHANGE_BYTES,
  CHANGE_BYTES_USED,
  CHANGE_DATA,
  CHANGE_GIVEN,
  CHANGE_GIVEN_LEAF,
  CHANGE_KEY_BYTES,
  CHANGE_LEAF,
  CLAIM_CHANGES,
  COM_CHANGE_COUNT,
  COM_CHANGES,
  COM_ORDER,
  ORDER_BYTES,
  ORDER_STARTS,
  PART_DEPTH,
  PARTS,
} from '../layout';
import { hashInputs } from './blake3';
import { copyHash, wideKey, WIDE_LEAF, WIDE_PATH } from './nodes';

/** Places in the thread's scratch. */
const INPUTS: u32 = 0; // 4 x 128 bytes, and 16 that zeros may run over into
const LENGTHS: u32 = 528; // u32[4]
const WORK: u32 = 544; // 256 bytes
const PATHS: u32 = 800; // 4 x 32 bytes
const LEAVES: u32 = 928;
const VALID: u32 = 1056; // u8[256] and 3 more: the changes of records of the state
const COUNTS: u32 = 1328; // u16[65]

export function claimsOf(changes: u32): u32 {
  return (changes + CLAIM_CHANGES - 1) / CLAIM_CHANGES;
}

@inline
export function changeAt(index: u32): usize {
  return <usize>load<u32>(0, COM_CHANGES) + index * CHANGE_BYTES;
}

@inline
export function orderAt(claim: u32): usize {
  return <usize>load<u32>(0, COM_ORDER) + claim * ORDER_BYTES;
}

/** Hashes the changes of a claim. */
export function hashClaim(claim: u32, scratch: usize): void {
  const first = claim * CLAIM_CHANGES;
  const count = min<u32>(CLAIM_CHANGES, load<u32>(0, COM_CHANGE_COUNT) - first);
  let valid: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (load<u32>(changeAt(first + i), CHANGE_KEY_BYTES) == 0) continue;
    store<u8>(scratch + VALID + valid, <u8>i);
    valid++;
  }
  // The last hashes may have nothing of their own to do: they take the last change again.
  if (valid != 0) for (let i: u32 = 0; i < 3; i++) store<u8>(scratch + VALID + valid + i, load<u8>(scratch + VALID + valid - 1));
  for (let i: u32 = 0; i < valid; i += 4) hashFour(first, scratch + VALID + i, scratch);
  orderByPartition(first, valid, claim, scratch);
}

function hashFour(first: u32, which: usize, scratch: usize): void {
  for (let lane: u32 = 0; lane < 4; lane++) {
    const change = changeAt(first + load<u8>(which + lane));
    const bytes = load<u32>(change, CHANGE_KEY_BYTES);
    const input = scratch + INPUTS + (lane << 7);
    for (let i: u32 = 0; i < 64; i += 16) v128.store(input + i, v128.load(change + CHANGE_DATA + i));
    for (let i = bytes; i < 64; i += 16) v128.store(input + i, i64x2.splat(0));
    store<u32>(scratch + LENGTHS + (lane << 2), bytes);
  }
  hashInputs(wideKey(WIDE_PATH), scratch + INPUTS, scratch + LENGTHS, scratch + WORK, scratch + PATHS);
  for (let lane: u32 = 0; lane < 4; lane++) {
    const change = changeAt(first + load<u8>(which + lane));
    const bytes = load<u32>(change, CHANGE_BYTES_USED) & ~CHANGE_GIVEN;
    const input = scratch + INPUTS + (lane << 7);
    for (let i: u32 = 0; i < 80; i += 16) v128.store(input + i, v128.load(change + CHANGE_DATA + i));
    for (let i = bytes; i < 128; i += 16) v128.store(input + i, i64x2.splat(0));
    // The key's length behind it shows where the key ends.
    store<u8>(input + bytes, load<u32>(change, CHANGE_KEY_BYTES));
    store<u32>(scratch + LENGTHS + (lane << 2), bytes + 1);
  }
  hashInputs(wideKey(WIDE_LEAF), scratch + INPUTS, scratch + LENGTHS, scratch + WORK, scratch + LEAVES);
  for (let lane: u32 = 0; lane < 4; lane++) {
    const change = changeAt(first + load<u8>(which + lane));
    v128.store(change + CHANGE_DATA, v128.load(scratch + PATHS + (lane << 5)));
    const given = (load<u32>(change, CHANGE_BYTES_USED) & CHANGE_GIVEN) != 0;
    copyHash(given ? change + CHANGE_GIVEN_LEAF : scratch + LEAVES + (lane << 5), change + CHANGE_LEAF);
  }
}

@inline
function partitionOf(change: usize): u32 {
  return <u32>load<u8>(change, CHANGE_DATA) >> (8 - PART_DEPTH);
}

function orderByPartition(first: u32, valid: u32, claim: u32, scratch: usize): void {
  const order = orderAt(claim);
  const counts = scratch + COUNTS;
  for (let part: u32 = 0; part <= PARTS; part++) store<u16>(counts + (part << 1), 0);
  for (let i: u32 = 0; i < valid; i++) {
    const at = counts + (partitionOf(changeAt(first + load<u8>(scratch + VALID + i))) << 1);
    store<u16>(at, load<u16>(at) + 1);
  }
  let start: u32 = 0;
  for (let part: u32 = 0; part <= PARTS; part++) {
    const own = <u32>load<u16>(counts + (part << 1));
    store<u16>(order + (part << 1), <u16>start, ORDER_STARTS);
    store<u16>(counts + (part << 1), <u16>start);
    start += own;
  }
  for (let i: u32 = 0; i < valid; i++) {
    const which = load<u8>(scratch + VALID + i);
    const at = counts + (partitionOf(changeAt(first + which)) << 1);
    const place = <u32>load<u16>(at);
    store<u8>(order + place, which);
    store<u16>(at, <u16>(place + 1));
  }
}
