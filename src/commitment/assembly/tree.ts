/**
 * Works the changes of a block into the state tree (docs/decisions/0010), by any number of side threads: hashing in claims of changes, then
 * partition by partition, then the few nodes above. Who writes what when: src/commitment/layout.ts.
 *
 * Invariant: after `commitPart` the root, node 1, is that of all records, as if it had been computed from nothing, whatever the number of
 * threads. It may run while the next block executes, since it reads nothing but the changes that were collected.
 * Not here: which records a block has written, and their keys (collect.ts).
 */
import { assertKernel } from '../../kernel/assembly/memory';
import { ASIDE_FAILED, CTL_ASIDE_DONE } from '../../kernel/layout';
import {
  CHANGE_DATA,
  COM_BITS,
  COM_CHANGE_COUNT,
  COM_HASH_NEXT,
  COM_HASHED,
  COM_LISTS,
  COM_PART_NEXT,
  COM_PARTS_DONE,
  COM_SCRATCH,
  COM_SCRATCH_BYTES,
  CLAIM_CHANGES,
  ENTRY_BYTES,
  ORDER_STARTS,
  PART_CHANGED,
  PART_DEPTH,
  PARTS,
} from '../layout';
import { bucketAt, countOf, enter, entriesOf, partAt, pathBits } from './bucket';
import { rootBuckets } from './bucket-roots';
import { changeAt, claimsOf, hashClaim, orderAt } from './changes';
import { countAt, markAt, nodeAt, raise } from './nodes';

/** Changes whose buckets are brought into the cache together. */
const AHEAD: u32 = 32;
const GROUP: u32 = 0; // u32[AHEAD] in the thread's scratch: addresses of changes
const TOUCHED: u32 = 128;
const CACHE_LINE: u32 = 64;
const FEW_CHANGES: u32 = 256;
/** Loads while a thread waits before it sleeps; the longest sleep before it looks whether another has died. */
const SPIN_ROUNDS: u32 = 4096;
const SLEEP_NANOS: i64 = 10000000;

@inline
export function scratchOf(id: u32): usize {
  return <usize>load<u32>(0, COM_SCRATCH) + id * COM_SCRATCH_BYTES;
}

/** A thread's part of a commit. */
export function commitPart(id: u32): void {
  const scratch = scratchOf(id);
  hashPart(scratch);
  const span = spanOf(load<u32>(0, COM_CHANGE_COUNT));
  for (let first = claimParts(span); first < PARTS; first = claimParts(span)) {
    const list = listOf(first);
    let listed: u32 = 0;
    for (let part = first; part < first + span; part++) listed = enterPartition(part, list, listed, scratch);
    rootListed(list, listed, scratch);
    if (atomic.add<u32>(COM_PARTS_DONE, span) == PARTS - span) rootAbove(scratch);
  }
}

/** The same without any nodes: for filling the tree, which `rootPart` ends. */
export function fillPart(id: u32): void {
  const scratch = scratchOf(id);
  hashPart(scratch);
  for (let part = claimParts(1); part < PARTS; part = claimParts(1)) {
    enterPartition(part, listOf(part), 0, scratch);
    clearMarks(part);
  }
}

/** All nodes, from all buckets. */
export function rootPart(id: u32): void {
  const scratch = scratchOf(id);
  for (let part = claimParts(1); part < PARTS; part = claimParts(1)) {
    rootListed(listOf(part), listAll(part), scratch);
    store<u32>(partAt(part), 1, PART_CHANGED);
    if (atomic.add<u32>(COM_PARTS_DONE, 1) == PARTS - 1) rootAbove(scratch);
  }
}

/** Partitions that are worked together: of few changes, so many that four hashes at a time find enough to do. */
@inline
function spanOf(changes: u32): u32 {
  return changes <= FEW_CHANGES ? PARTS : changes <= 8 * FEW_CHANGES ? 8 : 1;
}

/** Claims the next partitions: the first of them; PARTS or more: there are none. */
@inline
function claimParts(span: u32): u32 {
  return atomic.add<u32>(COM_PART_NEXT, span);
}

/** Hashes changes until all are hashed, also by others. */
function hashPart(scratch: usize): void {
  const claims = claimsOf(load<u32>(0, COM_CHANGE_COUNT));
  for (let claim = atomic.add<u32>(COM_HASH_NEXT, 1); claim < claims; claim = atomic.add<u32>(COM_HASH_NEXT, 1)) {
    hashClaim(claim, scratch);
    countUp(COM_HASHED, claims);
  }
  awaitCount(COM_HASHED, claims);
}

/** Counts one more at `word`, and wakes who waits for `last`. */
export function countUp(word: u32, last: u32): void {
  if (atomic.add<u32>(word, 1) + 1 == last) atomic.notify(word);
}

/** Waits until `word` has come to `last`. Traps when another side thread has died: it would not. */
export function awaitCount(word: u32, last: u32): void {
  for (let rounds: u32 = 0; ; rounds++) {
    const count = atomic.load<u32>(word);
    if (count == last) return;
    // Somebody has counted what was not to be counted: better an end than a wait without one.
    assertKernel(count < last);
    if (rounds < SPIN_ROUNDS) continue;
    if (atomic.load<u32>(0, CTL_ASIDE_DONE) == ASIDE_FAILED) unreachable();
    atomic.wait<i32>(word, count, SLEEP_NANOS);
  }
}

// --- A partition -------------------------------------------------------------------------------------------------------------------

/** The partition's slice of the first list of nodes, followed by that of the next one; those of the other list come 4 << bits bytes behind. */
@inline
function listOf(part: u32): usize {
  return <usize>load<u32>(0, COM_LISTS) + ((<usize>part) << (load<u32>(0, COM_BITS) - PART_DEPTH + 2));
}

/** Enters the partition's changes; lists the nodes of buckets that are different, behind `before` others, and returns the number of all. */
function enterPartition(part: u32, list: usize, before: u32, scratch: usize): u32 {
  const claims = claimsOf(load<u32>(0, COM_CHANGE_COUNT));
  const group = scratch + GROUP;
  let listed = before;
  let grouped: u32 = 0;
  for (let claim: u32 = 0; claim < claims; claim++) {
    const order = orderAt(claim);
    const end = <u32>load<u16>(order + (part << 1), ORDER_STARTS + 2);
    for (let i = <u32>load<u16>(order + (part << 1), ORDER_STARTS); i < end; i++) {
      store<u32>(group + (grouped << 2), <u32>changeAt(claim * CLAIM_CHANGES + load<u8>(order + i)));
      grouped++;
      if (grouped < AHEAD) continue;
      listed = enterGroup(part, AHEAD, list, listed, scratch);
      grouped = 0;
    }
  }
  listed = enterGroup(part, grouped, list, listed, scratch);
  if (listed != before) store<u32>(partAt(part), 1, PART_CHANGED);
  return listed;
}

/** Enters the changes of a group: `listed` nodes are in the list before, as many as are returned after. */
function enterGroup(part: u32, grouped: u32, list: usize, listed: u32, scratch: usize): u32 {
  const bits = load<u32>(0, COM_BITS);
  const group = scratch + GROUP;
  // Loads that nothing waits for: the memory brings many at once. Measured: docs/measurements.md.
  let touched: u32 = 0;
  for (let i: u32 = 0; i < grouped; i++) {
    const bucket = <u32>(pathBits(<usize>load<u32>(group + (i << 2)) + CHANGE_DATA) >> (64 - bits));
    const index = (1 << bits) + bucket;
    touched ^= load<u32>(bucketAt(bucket)) ^ load<u32>(nodeAt(index)) ^ load<u8>(markAt(index)) ^ load<u8>(countAt(index));
  }
  for (let i: u32 = 0; i < grouped; i++) {
    const place = bucketAt(<u32>(pathBits(<usize>load<u32>(group + (i << 2)) + CHANGE_DATA) >> (64 - bits)));
    const entries = entriesOf(place);
    const bytes = min<u32>(countOf(place) * ENTRY_BYTES, 16 * CACHE_LINE);
    for (let at: u32 = 0; at < bytes; at += CACHE_LINE) touched ^= load<u32>(entries + at);
  }
  store<u32>(scratch, touched, TOUCHED);
  for (let i: u32 = 0; i < grouped; i++) {
    const change = <usize>load<u32>(group + (i << 2));
    const bucket = <u32>(pathBits(change + CHANGE_DATA) >> (64 - bits));
    if (!enter(partAt(part), bucketAt(bucket), change)) continue;
    const index = (1 << bits) + bucket;
    if (load<u8>(markAt(index)) != 0) continue;
    store<u8>(markAt(index), 1);
    store<u32>(list + ((<usize>listed) << 2), index);
    listed++;
  }
  return listed;
}

/** The nodes of listed buckets and those above them, up to the partitions' own. */
function rootListed(list: usize, listed: u32, scratch: usize): void {
  if (listed == 0) return;
  const bits = load<u32>(0, COM_BITS);
  rootBuckets(list, listed, bits, scratch);
  raise(list, list + ((<usize>4) << bits), listed, bits, PART_DEPTH, scratch);
}

@inline
function bucketsOfPart(bits: u32): u32 {
  return 1 << (bits - PART_DEPTH);
}

function clearMarks(part: u32): void {
  const bits = load<u32>(0, COM_BITS);
  const own = bucketsOfPart(bits);
  memory.fill(markAt((1 << bits) + part * own), 0, own);
}

function listAll(part: u32): u32 {
  const bits = load<u32>(0, COM_BITS);
  const own = bucketsOfPart(bits);
  const list = listOf(part);
  let listed: u32 = 0;
  for (let bucket = part * own; bucket < (part + 1) * own; bucket++) {
    if (countOf(bucketAt(bucket)) == 0) continue;
    store<u32>(list + ((<usize>listed) << 2), (1 << bits) + bucket);
    listed++;
  }
  return listed;
}

/** The nodes above the partitions that have changed, up to the root. */
function rootAbove(scratch: usize): void {
  const list = <usize>load<u32>(0, COM_LISTS);
  let listed: u32 = 0;
  for (let part: u32 = 0; part < PARTS; part++) {
    if (load<u32>(partAt(part), PART_CHANGED) == 0) continue;
    store<u32>(partAt(part), 0, PART_CHANGED);
    store<u32>(list + ((<usize>listed) << 2), PARTS + part);
    listed++;
  }
  raise(list, list + PARTS * 4, listed, PART_DEPTH, 0, scratch);
}
