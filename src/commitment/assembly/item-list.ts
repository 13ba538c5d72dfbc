/**
 * Roots of ordered lists (`src/commitment/item-list.ts` has the definition): of a block's transactions, receipts and accesses. Leaves are hashed four at
 * a time by whoever has the items; the tree above is one thread's. In the same way, without a key: the hashes that transactions are known by.
 *
 * Invariant: the same roots as those of `listRoot` in TypeScript, whatever the lengths of the items and the order in which leaves are made.
 */
import {
  COM_KEYS,
  COM_LEAF_COUNTS,
  COM_LEAVES,
  COM_ROOTS,
  KEYS_ITEM,
  KEYS_LIST,
  KEYS_PAIR,
  KEYS_PLAIN,
  KEYS_WIDE_ITEM,
  KEYS_WIDE_PAIR,
  KEYS_WIDE_PLAIN,
} from '../layout';
import { CHUNK_INPUT_BYTES, hashBlock, hashBlocks, hashChunks, hashPair, KEYED, PLAIN, WIDE_BYTES } from './blake3';
import { addToInput, beginInput, endInput, LongInput, LONG_INPUT_BYTES } from './long-input';

/** Room of a lane: a chunk, and zeros behind it. */
const LANE_BYTES: u32 = CHUNK_INPUT_BYTES + 64;

/** Items that are being hashed by one thread; in ITEMS_BYTES of its own. */
@unmanaged
@final
export class Items {
  length0: u32;
  length1: u32;
  length2: u32;
  length3: u32;
  leaf0: u32;
  leaf1: u32;
  leaf2: u32;
  leaf3: u32;
  /** Lanes that hold an item. */
  lanes: u32;
  /** Bytes of the item that is being filled in the next lane. */
  filled: u32;
  /** 1: it has outgrown its lane and goes on as a long input. */
  isLong: u32;
  /** How items are hashed: KEYED or PLAIN, and the offset of the key and of its wide form. */
  mode: u32;
  key: u32;
  wideKey: u32;
}

const LENGTHS: u32 = 0;
const LEAF_ADDRESSES: u32 = 16;
const LANES: u32 = 64;
const WORK: u32 = LANES + 4 * LANE_BYTES;
const HASHES: u32 = WORK + 2 * WIDE_BYTES;
const LONG: u32 = HASHES + 128;
export const ITEMS_BYTES: u32 = LONG + LONG_INPUT_BYTES;

@inline
function keyAt(offset: u32): usize {
  return <usize>load<u32>(0, COM_KEYS) + offset;
}

@inline
function at(items: Items, offset: u32): usize {
  return changetype<usize>(items) + offset;
}

@inline
function longOf(items: Items): LongInput {
  return changetype<LongInput>(at(items, LONG));
}

/** Where the leaf of an item of a list (LIST_...) goes. */
@inline
export function leafAt(list: u32, index: u32): u32 {
  return load<u32>(COM_LEAVES + (list << 2)) + (index << 5);
}

/** What follows are leaves. */
export function beginItems(items: Items): void {
  begin(items, KEYED, KEYS_ITEM, KEYS_WIDE_ITEM);
}

function begin(items: Items, mode: u32, key: u32, wideKey: u32): void {
  items.mode = mode;
  items.key = key;
  items.wideKey = wideKey;
  items.lanes = 0;
  items.filled = 0;
  items.isLong = 0;
}

/** More bytes of the present item. */
export function addToItem(items: Items, from: usize, bytes: u32): void {
  if (items.isLong == 0) {
    const lane = at(items, LANES + items.lanes * LANE_BYTES);
    if (items.filled + bytes <= CHUNK_INPUT_BYTES) {
      memory.copy(lane + items.filled, from, bytes);
      items.filled += bytes;
      return;
    }
    items.isLong = 1;
    beginInput(longOf(items), items.mode, keyAt(items.key), keyAt(items.wideKey));
    addToInput(longOf(items), lane, items.filled);
  }
  addToInput(longOf(items), from, bytes);
}

/** The item is complete; its leaf or hash will be at `leaf` when `endItems` has returned. */
export function endItem(items: Items, leaf: u32): void {
  if (items.isLong != 0) {
    endInput(longOf(items), leaf);
    items.isLong = 0;
    items.filled = 0;
    return;
  }
  const padding = (64 - (items.filled & 63)) & 63;
  memory.fill(at(items, LANES + items.lanes * LANE_BYTES + items.filled), 0, items.filled == 0 ? 64 : padding);
  store<u32>(at(items, LENGTHS + (items.lanes << 2)), items.filled);
  store<u32>(at(items, LEAF_ADDRESSES + (items.lanes << 2)), leaf);
  items.filled = 0;
  items.lanes++;
  if (items.lanes == 4) hashLanes(items);
}

export function endItems(items: Items): void {
  if (items.lanes == 0) return;
  for (let lane = items.lanes; lane < 4; lane++) store<u32>(at(items, LENGTHS + (lane << 2)), 0);
  hashLanes(items);
}

function hashLanes(items: Items): void {
  const hashes = at(items, HASHES);
  hashChunks(keyAt(items.wideKey), items.mode, at(items, LANES), LANE_BYTES, at(items, LENGTHS), at(items, WORK), hashes);
  for (let lane: u32 = 0; lane < items.lanes; lane++) {
    const leaf = <usize>load<u32>(at(items, LEAF_ADDRESSES + (lane << 2)));
    v128.store(leaf, v128.load(hashes + (lane << 5)));
    v128.store(leaf, v128.load(hashes + (lane << 5), 16), 16);
  }
  items.lanes = 0;
}

/** Leaves `first` to `first + count` of a list whose items lie one behind the other at `packed`, each behind its length as a u32. */
export function hashPacked(list: u32, packed: usize, first: u32, count: u32, scratch: usize): void {
  beginItems(changetype<Items>(scratch));
  hashEach(changetype<Items>(scratch), packed, count, leafAt(list, first));
}

/** The hash of each of the items without a key, to `out`, 32 bytes each. */
export function namePacked(packed: usize, count: u32, out: u32, scratch: usize): void {
  begin(changetype<Items>(scratch), PLAIN, KEYS_PLAIN, KEYS_WIDE_PLAIN);
  hashEach(changetype<Items>(scratch), packed, count, out);
}

function hashEach(items: Items, packed: usize, count: u32, out: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const bytes = load<u32>(packed);
    addToItem(items, packed + 4, bytes);
    endItem(items, out + (i << 5));
    packed += 4 + bytes;
  }
  endItems(items);
}

/** The root of a list whose leaves are made, to its place in COM_ROOTS; the leaves are used up. `scratch`: 256 bytes. */
export function rootOfLeaves(list: u32, scratch: usize): void {
  const count = load<u32>(COM_LEAF_COUNTS + (list << 2));
  const leaves = <usize>leafAt(list, 0);
  for (let nodes = count; nodes > 1; nodes = (nodes + 1) >> 1) pairUp(leaves, nodes, scratch);
  // u64 number of items, then the tree.
  memory.fill(scratch, 0, 64);
  store<u64>(scratch, count);
  if (count != 0) memory.copy(scratch + 8, leaves, 32);
  hashBlock(keyAt(KEYS_LIST), scratch, scratch + 32, 40, COM_ROOTS + (list << 5));
}

/** Halves a row of nodes in its place; one that is left over moves up as it is. */
function pairUp(row: usize, nodes: u32, scratch: usize): void {
  const pairs = nodes >> 1;
  const wide = keyAt(KEYS_WIDE_PAIR);
  let i: u32 = 0;
  for (; i + 4 <= pairs; i += 4) {
    const from = row + ((<usize>i) << 6);
    const to = row + ((<usize>i) << 5);
    hashBlocks(wide, from, from + 64, from + 128, from + 192, scratch, to, to + 32, to + 64, to + 96);
  }
  for (; i < pairs; i++) {
    const from = row + ((<usize>i) << 6);
    hashPair(keyAt(KEYS_PAIR), from, from + 32, row + ((<usize>i) << 5));
  }
  if ((nodes & 1) != 0) memory.copy(row + ((<usize>pairs) << 5), row + ((<usize>(nodes - 1)) << 5), 32);
}
