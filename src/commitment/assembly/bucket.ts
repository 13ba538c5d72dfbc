/**
 * Buckets: the entries of one prefix of the path, adjacent and sorted, in runs of memory that each partition manages for itself.
 *
 * Invariant: a run belongs to one bucket or to one free list of the partition that took it.
 */
import { assertKernel } from '../../kernel/assembly/memory';
import {
  CHANGE_BYTES_USED,
  CHANGE_DATA,
  CHANGE_LEAF,
  COM_BUCKETS,
  COM_PARTS,
  COM_POOL_END,
  COM_POOL_NEXT,
  ENTRY_BYTES,
  ENTRY_LEAF,
  ENTRY_LOCATION,
  PART_BYTES,
  PART_END,
  PART_FREE,
  PART_LONG,
  PART_LONGEST,
  PART_RECORDS,
  RUN_SIZES,
  RUN_STEP,
  RUN_STEPS,
  SLAB_BYTES,
} from '../layout';

/** Entries above which a bucket is searched by halves. */
const LINEAR_MAX: u32 = 16;

@inline
export function bucketAt(bucket: u32): usize {
  return <usize>load<u32>(0, COM_BUCKETS) + ((<usize>bucket) << 3);
}

@inline
export function entriesOf(place: usize): usize {
  return <usize>load<u32>(place);
}

@inline
export function countOf(place: usize): u32 {
  return load<u32>(place, 4) & 0xffffff;
}

@inline
function sizeOf(place: usize): u32 {
  return load<u32>(place, 4) >> 24;
}

@inline
export function partAt(part: u32): usize {
  return <usize>load<u32>(0, COM_PARTS) + part * PART_BYTES;
}

// --- Runs --------------------------------------------------------------------------------------------------------------------------

/** Entries that a run of this size has room for; sizes from 1. */
@inline
function roomOf(size: u32): u32 {
  return size <= RUN_STEPS ? size * RUN_STEP : (RUN_STEPS * RUN_STEP) << (size - RUN_STEPS);
}

function takeRun(part: usize, size: u32): usize {
  assertKernel(size < RUN_SIZES);
  if (size > load<u32>(part, PART_LONGEST)) store<u32>(part, size, PART_LONGEST);
  const list = part + PART_FREE + (size << 2);
  const free = <usize>load<u32>(list);
  if (size > RUN_STEPS) store<u32>(part, load<u32>(part, PART_LONG) + roomOf(size), PART_LONG);
  if (free != 0) {
    store<u32>(list, load<u32>(free));
    return free;
  }
  const bytes = roomOf(size) * ENTRY_BYTES;
  if (bytes > SLAB_BYTES) return takeSlab((bytes + SLAB_BYTES - 1) & ~(SLAB_BYTES - 1));
  let at = <usize>load<u32>(part);
  const left = load<u32>(part, PART_END) - <u32>at;
  if (bytes > left) {
    // What is left of the slab becomes a run.
    const rest = min<u32>(left / (RUN_STEP * ENTRY_BYTES), RUN_STEPS);
    if (rest != 0) giveRun(part, at, rest);
    at = takeSlab(SLAB_BYTES);
    store<u32>(part, <u32>at + SLAB_BYTES, PART_END);
  }
  store<u32>(part, <u32>at + bytes);
  return at;
}

/** The host has seen to it that the pool has room. */
function takeSlab(bytes: u32): usize {
  const at = atomic.add<u32>(COM_POOL_NEXT, bytes);
  assertKernel(at + bytes <= load<u32>(0, COM_POOL_END));
  return at;
}

function giveRun(part: usize, at: usize, size: u32): void {
  if (size > RUN_STEPS) store<u32>(part, load<u32>(part, PART_LONG) - roomOf(size), PART_LONG);
  const list = part + PART_FREE + (size << 2);
  store<u32>(at, load<u32>(list));
  store<u32>(list, <u32>at);
}

// --- Entries -----------------------------------------------------------------------------------------------------------------------

/** The first bits of a path, as a number, and those behind them. */
@inline
export function pathBits(at: usize): u64 {
  return bswap<u64>(load<u64>(at));
}

@inline
function isBelow(entry: usize, high: u64, low: u64): bool {
  const own = load<u64>(entry);
  return own < high || (own == high && load<u64>(entry, 8) < low);
}

/** How many entries come before this path. */
function indexOf(entries: usize, count: u32, high: u64, low: u64): u32 {
  let from: u32 = 0;
  let to = count;
  while (to - from > LINEAR_MAX) {
    const middle = (from + to) >> 1;
    if (isBelow(entries + middle * ENTRY_BYTES, high, low)) from = middle + 1;
    else to = middle;
  }
  while (from < to && isBelow(entries + from * ENTRY_BYTES, high, low)) from++;
  return from;
}

/** Enters a change in its bucket, at `place`. False: nothing is different. */
export function enter(part: usize, place: usize, change: usize): bool {
  const count = countOf(place);
  const entries = entriesOf(place);
  const high = pathBits(change + CHANGE_DATA);
  const low = pathBits(change + CHANGE_DATA + 8);
  const index = indexOf(entries, count, high, low);
  const entry = entries + index * ENTRY_BYTES;
  const found = index < count && load<u64>(entry) == high && load<u64>(entry, 8) == low;
  if (load<u32>(change, CHANGE_BYTES_USED) == 0) {
    if (found) leave(part, place, index, count);
    return found;
  }
  const a = v128.load(change + CHANGE_LEAF);
  const b = v128.load(change + CHANGE_LEAF + 16);
  if (found) {
    const same = v128.and(i8x16.eq(a, v128.load(entry + ENTRY_LEAF)), i8x16.eq(b, v128.load(entry + ENTRY_LEAF + 16)));
    store<u32>(entry, load<u32>(change), ENTRY_LOCATION);
    if (i8x16.all_true(same)) return false;
    v128.store(entry + ENTRY_LEAF, a);
    v128.store(entry + ENTRY_LEAF + 16, b);
    return true;
  }
  const fresh = insert(part, place, index, count);
  store<u64>(fresh, high);
  store<u64>(fresh, low, 8);
  store<u32>(fresh, load<u32>(change), ENTRY_LOCATION);
  store<u32>(fresh, 0, ENTRY_LOCATION + 4);
  v128.store(fresh + ENTRY_LEAF, a);
  v128.store(fresh + ENTRY_LEAF + 16, b);
  return true;
}

/** Makes place for an entry at `index`; its address. */
function insert(part: usize, place: usize, index: u32, count: u32): usize {
  let size = sizeOf(place);
  let entries = entriesOf(place);
  if (size == 0 || count == roomOf(size)) {
    const run = takeRun(part, size + 1);
    memory.copy(run, entries, count * ENTRY_BYTES);
    if (size != 0) giveRun(part, entries, size);
    size++;
    store<u32>(place, <u32>run);
    entries = run;
  }
  const at = entries + index * ENTRY_BYTES;
  if (index != count) memory.copy(at + ENTRY_BYTES, at, (count - index) * ENTRY_BYTES);
  store<u32>(place, (count + 1) | (size << 24), 4);
  store<u32>(part, load<u32>(part, PART_RECORDS) + 1, PART_RECORDS);
  return at;
}

function leave(part: usize, place: usize, index: u32, count: u32): void {
  const entries = entriesOf(place);
  const at = entries + index * ENTRY_BYTES;
  const size = sizeOf(place);
  store<u32>(part, load<u32>(part, PART_RECORDS) - 1, PART_RECORDS);
  if (count == 1) {
    giveRun(part, entries, size);
    store<u64>(place, 0);
    return;
  }
  memory.copy(at, at + ENTRY_BYTES, (count - index - 1) * ENTRY_BYTES);
  store<u32>(place, (count - 1) | (size << 24), 4);
}
