/**
 * The state tree (docs/decisions/0010): leaves of changed records, entries in their buckets, and the nodes above, in batches.
 *
 * Invariant: after `commitChanges` the root is that of all records, as if it had been computed from nothing.
 * One thread works on the tree at a time; it may be another than those that execute the next block, since it reads nothing but the changes
 * that were collected.
 * Not here: which records a block has written, and their keys (collect.ts).
 */
import { assertKernel } from '../../kernel/assembly/memory';
import {
  CHANGE_BYTES,
  CHANGE_BYTES_USED,
  CHANGE_DATA,
  CHANGE_KEY_BYTES,
  CHANGE_LEAF,
  COM_BITS,
  COM_BUCKETS,
  COM_CHANGE_COUNT,
  COM_CHANGES,
  COM_COUNTS,
  COM_FREE,
  COM_KEYS,
  COM_LISTS,
  COM_MARKS,
  COM_POOL_END,
  COM_POOL_NEXT,
  COM_RECORDS,
  COM_TOP,
  ENTRIES_FIRST,
  ENTRIES_MAX,
  ENTRIES_STEP,
  ENTRY_BYTES,
  ENTRY_LEAF,
  ENTRY_LOCATION,
  KEYS_LEAF,
  KEYS_NODE,
  KEYS_PATH,
  KEYS_WIDE,
} from '../layout';
import { hashBlocks, hashInputs, hashPair, spread, WIDE_BYTES } from './blake3';

/** The first bits of a path, as a number, and those behind them. */
@inline
function pathBits(at: usize): u64 {
  return bswap<u64>(load<u64>(at));
}

@inline
function nodeAt(index: u32): usize {
  return <usize>load<u32>(0, COM_TOP) + ((<usize>index) << 5);
}

@inline
function countOf(index: u32): u32 {
  return load<u8>(<usize>load<u32>(0, COM_COUNTS) + index);
}

@inline
function wideKey(which: u32): usize {
  return <usize>load<u32>(0, COM_KEYS) + KEYS_WIDE + which * WIDE_BYTES;
}

/** Once, after the host has written the keys. */
export function spreadKeys(): void {
  const keys = <usize>load<u32>(0, COM_KEYS);
  spread(keys + KEYS_PATH, wideKey(0));
  spread(keys + KEYS_LEAF, wideKey(1));
  spread(keys + KEYS_NODE, wideKey(2));
}

/** Works the collected changes into the tree; `scratch`: 4 KiB of the calling thread's. The root is node 1. */
export function commitChanges(scratch: usize): void {
  const count = load<u32>(0, COM_CHANGE_COUNT);
  hashChanges(count, scratch);
  let listed: u32 = 0;
  const first = <usize>load<u32>(0, COM_LISTS);
  const marks = <usize>load<u32>(0, COM_MARKS);
  const bits = load<u32>(0, COM_BITS);
  const changes = <usize>load<u32>(0, COM_CHANGES);
  for (let i: u32 = 0; i < count; i++) {
    const change = changes + i * CHANGE_BYTES;
    const bucket = <u32>(pathBits(change + CHANGE_DATA) >> (64 - bits));
    if (!enter(bucket, change)) continue;
    const index = (1 << bits) + bucket;
    if (load<u8>(marks + index) != 0) continue;
    store<u8>(marks + index, 1);
    store<u32>(first + ((<usize>listed) << 2), index);
    listed++;
  }
  for (let i: u32 = 0; i < listed; i++) rootBucket(load<u32>(first + ((<usize>i) << 2)), bits, scratch);
  raise(listed, bits, scratch);
  store<u32>(0, 0, COM_CHANGE_COUNT);
}

/** Paths and leaves of all changes, in the place of keys and values. */
function hashChanges(count: u32, scratch: usize): void {
  const changes = <usize>load<u32>(0, COM_CHANGES);
  const inputs = scratch;
  const lengths = scratch + 512;
  const work = scratch + 528;
  const paths = scratch + 784;
  const leaves = scratch + 912;
  for (let from: u32 = 0; from < count; from += 4) {
    const lanes = min<u32>(4, count - from);
    for (let lane: u32 = 0; lane < 4; lane++) {
      const change = changes + (from + min(lane, lanes - 1)) * CHANGE_BYTES;
      const bytes = load<u32>(change, CHANGE_KEY_BYTES);
      const input = inputs + (lane << 7);
      memory.fill(input, 0, 64);
      memory.copy(input, change + CHANGE_DATA, bytes);
      store<u32>(lengths + (lane << 2), bytes);
    }
    hashInputs(wideKey(0), inputs, lengths, work, paths);
    for (let lane: u32 = 0; lane < 4; lane++) {
      const change = changes + (from + min(lane, lanes - 1)) * CHANGE_BYTES;
      const input = inputs + (lane << 7);
      const bytes = load<u32>(change, CHANGE_BYTES_USED);
      memory.copy(input, change + CHANGE_DATA, 128);
      // The key's length behind it shows where the key ends.
      store<u8>(input + bytes, load<u32>(change, CHANGE_KEY_BYTES));
      store<u32>(lengths + (lane << 2), bytes + 1);
    }
    hashInputs(wideKey(1), inputs, lengths, work, leaves);
    for (let lane: u32 = 0; lane < lanes; lane++) {
      const change = changes + (from + lane) * CHANGE_BYTES;
      v128.store(change + CHANGE_DATA, v128.load(paths + (lane << 5)));
      v128.store(change + CHANGE_LEAF, v128.load(leaves + (lane << 5)));
      v128.store(change + CHANGE_LEAF + 16, v128.load(leaves + (lane << 5), 16));
    }
  }
}

// --- Buckets -----------------------------------------------------------------------------------------------------------------------

@inline
function bucketAt(bucket: u32): usize {
  return <usize>load<u32>(0, COM_BUCKETS) + ((<usize>bucket) << 3);
}

/** Room for `room` entries, a multiple of ENTRIES_STEP. */
function takeRun(room: u32): u32 {
  const list = COM_FREE + (room / ENTRIES_STEP) * 4;
  const free = load<u32>(list);
  if (free != 0) {
    store<u32>(list, load<u32>(free));
    return free;
  }
  const at = load<u32>(0, COM_POOL_NEXT);
  const end = at + room * ENTRY_BYTES;
  assertKernel(end <= load<u32>(0, COM_POOL_END));
  store<u32>(0, end, COM_POOL_NEXT);
  return at;
}

function giveRun(at: u32, room: u32): void {
  const list = COM_FREE + (room / ENTRIES_STEP) * 4;
  store<u32>(at, load<u32>(list));
  store<u32>(list, at);
}

/** Enters a change in its bucket. False: nothing is different. */
function enter(bucket: u32, change: usize): bool {
  const place = bucketAt(bucket);
  const count = <u32>load<u16>(place, 4);
  const entries = <usize>load<u32>(place);
  const high = pathBits(change + CHANGE_DATA);
  const low = pathBits(change + CHANGE_DATA + 8);
  let index: u32 = 0;
  while (index < count) {
    const entry = entries + index * ENTRY_BYTES;
    const ownHigh = load<u64>(entry);
    if (ownHigh > high || (ownHigh == high && load<u64>(entry, 8) >= low)) break;
    index++;
  }
  const entry = entries + index * ENTRY_BYTES;
  const found = index < count && load<u64>(entry) == high && load<u64>(entry, 8) == low;
  if (load<u32>(change, CHANGE_BYTES_USED) == 0) {
    if (found) leave(place, index, count);
    return found;
  }
  if (found) {
    const a = v128.load(change + CHANGE_LEAF);
    const b = v128.load(change + CHANGE_LEAF + 16);
    const same = v128.and(i8x16.eq(a, v128.load(entry + ENTRY_LEAF)), i8x16.eq(b, v128.load(entry + ENTRY_LEAF + 16)));
    store<u32>(entry, load<u32>(change), ENTRY_LOCATION);
    if (i8x16.all_true(same)) return false;
    v128.store(entry + ENTRY_LEAF, a);
    v128.store(entry + ENTRY_LEAF + 16, b);
    return true;
  }
  const fresh = insert(place, index, count);
  store<u64>(fresh, high);
  store<u64>(fresh, low, 8);
  store<u32>(fresh, load<u32>(change), ENTRY_LOCATION);
  store<u32>(fresh, 0, ENTRY_LOCATION + 4);
  v128.store(fresh + ENTRY_LEAF, v128.load(change + CHANGE_LEAF));
  v128.store(fresh + ENTRY_LEAF + 16, v128.load(change + CHANGE_LEAF + 16));
  return true;
}

/** Makes place for an entry at `index`; its address. */
function insert(place: usize, index: u32, count: u32): usize {
  const room = <u32>load<u16>(place, 6);
  let entries = <usize>load<u32>(place);
  if (count == room) {
    const larger = room == 0 ? ENTRIES_FIRST : room + ENTRIES_STEP;
    assertKernel(larger <= ENTRIES_MAX);
    const run = <usize>takeRun(larger);
    memory.copy(run, entries, count * ENTRY_BYTES);
    if (room != 0) giveRun(<u32>entries, room);
    store<u32>(place, <u32>run);
    store<u16>(place, <u16>larger, 6);
    entries = run;
  }
  const at = entries + index * ENTRY_BYTES;
  memory.copy(at + ENTRY_BYTES, at, (count - index) * ENTRY_BYTES);
  store<u16>(place, <u16>(count + 1), 4);
  store<u64>(0, load<u64>(0, COM_RECORDS) + 1, COM_RECORDS);
  return at;
}

function leave(place: usize, index: u32, count: u32): void {
  const entries = <usize>load<u32>(place);
  const at = entries + index * ENTRY_BYTES;
  memory.copy(at, at + ENTRY_BYTES, (count - index - 1) * ENTRY_BYTES);
  store<u16>(place, <u16>(count - 1), 4);
  store<u64>(0, load<u64>(0, COM_RECORDS) - 1, COM_RECORDS);
  if (count != 1) return;
  giveRun(<u32>entries, load<u16>(place, 6));
  store<u64>(place, 0);
}

/** The node of a bucket, from its entries. */
function rootBucket(index: u32, bits: u32, scratch: usize): void {
  const place = bucketAt(index - (1 << bits));
  const count = <u32>load<u16>(place, 4);
  const node = nodeAt(index);
  store<u8>(<usize>load<u32>(0, COM_MARKS) + index, 0);
  store<u8>(<usize>load<u32>(0, COM_COUNTS) + index, <u8>min<u32>(count, 2));
  if (count == 0) {
    v128.store(node, i64x2.splat(0));
    v128.store(node, i64x2.splat(0), 16);
    return;
  }
  rootEntries(<usize>load<u32>(place), count, bits, scratch, node);
}

/** T of `count` adjacent entries that agree in their first `depth` bits; `scratch`: 64 bytes for every level that is left. */
function rootEntries(entries: usize, count: u32, depth: u32, scratch: usize, out: usize): void {
  if (count == 1) {
    v128.store(out, v128.load(entries + ENTRY_LEAF));
    v128.store(out, v128.load(entries + ENTRY_LEAF + 16), 16);
    return;
  }
  assertKernel(depth < 128);
  let left: u32 = 0;
  while (left < count && bitOf(entries + left * ENTRY_BYTES, depth) == 0) left++;
  // The halves lie next to each other in this level's scratch.
  if (left == 0) zero(scratch);
  else rootEntries(entries, left, depth + 1, scratch + 64, scratch);
  if (left == count) zero(scratch + 32);
  else rootEntries(entries + left * ENTRY_BYTES, count - left, depth + 1, scratch + 64, scratch + 32);
  hashPair(<usize>load<u32>(0, COM_KEYS) + KEYS_NODE, scratch, scratch + 32, out);
}

@inline
function zero(at: usize): void {
  v128.store(at, i64x2.splat(0));
  v128.store(at, i64x2.splat(0), 16);
}

@inline
function bitOf(entry: usize, depth: u32): u32 {
  return depth < 64 ? <u32>(load<u64>(entry) >> (63 - depth)) & 1 : <u32>(load<u64>(entry, 8) >> (127 - depth)) & 1;
}

// --- The top -----------------------------------------------------------------------------------------------------------------------

/** The nodes above `count` listed ones, level by level up to the root. */
function raise(count: u32, bits: u32, scratch: usize): void {
  let from = <usize>load<u32>(0, COM_LISTS);
  let to = from + ((<usize>1) << (bits + 2));
  const marks = <usize>load<u32>(0, COM_MARKS);
  let listed = count;
  for (let depth = bits; depth > 0; depth--) {
    let above: u32 = 0;
    for (let i: u32 = 0; i < listed; i++) {
      const parent = load<u32>(from + ((<usize>i) << 2)) >> 1;
      if (load<u8>(marks + parent) != 0) continue;
      store<u8>(marks + parent, 1);
      store<u32>(to + ((<usize>above) << 2), parent);
      above++;
    }
    computeNodes(to, above, scratch);
    const other = from;
    from = to;
    to = other;
    listed = above;
  }
}

/** Computes listed nodes from their children, four at a time as far as they need a hash. */
function computeNodes(list: usize, count: u32, scratch: usize): void {
  const counts = <usize>load<u32>(0, COM_COUNTS);
  const marks = <usize>load<u32>(0, COM_MARKS);
  const key = wideKey(2);
  let waiting: u32 = 0;
  let a: u32 = 0;
  let b: u32 = 0;
  let c: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(list + ((<usize>i) << 2));
    store<u8>(marks + index, 0);
    const below = countOf(index << 1) + countOf((index << 1) | 1);
    store<u8>(counts + index, <u8>min<u32>(below, 2));
    if (below < 2) {
      // One record or none: what is below, as it is.
      const child = nodeAt((index << 1) | (countOf(index << 1) != 0 ? 0 : 1));
      v128.store(nodeAt(index), v128.load(child));
      v128.store(nodeAt(index), v128.load(child, 16), 16);
      continue;
    }
    if (waiting == 3) {
      hashBlocks(
        key,
        nodeAt(a << 1),
        nodeAt(b << 1),
        nodeAt(c << 1),
        nodeAt(index << 1),
        scratch,
        nodeAt(a),
        nodeAt(b),
        nodeAt(c),
        nodeAt(index),
      );
      waiting = 0;
    } else {
      if (waiting == 0) a = index;
      else if (waiting == 1) b = index;
      else c = index;
      waiting++;
    }
  }
  const single = <usize>load<u32>(0, COM_KEYS) + KEYS_NODE;
  if (waiting > 0) hashPair(single, nodeAt(a << 1), nodeAt((a << 1) | 1), nodeAt(a));
  if (waiting > 1) hashPair(single, nodeAt(b << 1), nodeAt((b << 1) | 1), nodeAt(b));
  if (waiting > 2) hashPair(single, nodeAt(c << 1), nodeAt((c << 1) | 1), nodeAt(c));
}
