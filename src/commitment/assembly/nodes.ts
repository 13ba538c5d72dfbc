/**
 * The nodes of the tree's top and the keys of hashes; computing nodes from their children, level by level, four at a time.
 *
 * Invariant: a node's count says whether none, one or several records are below it; a node with one below is that record's leaf.
 */
import {
  COM_COUNTS,
  COM_KEYS,
  COM_MARKS,
  COM_TOP,
  KEYS_ITEM,
  KEYS_LEAF,
  KEYS_NODE,
  KEYS_PAIR,
  KEYS_PATH,
  KEYS_PLAIN,
  KEYS_WIDE,
  KEYS_WIDE_ITEM,
  KEYS_WIDE_PAIR,
  KEYS_WIDE_PLAIN,
} from '../layout';
import { hashBlocks, hashPair, spread, WIDE_BYTES } from './blake3';

export const WIDE_PATH: u32 = 0;
export const WIDE_LEAF: u32 = 1;
export const WIDE_NODE: u32 = 2;

@inline
export function nodeAt(index: u32): usize {
  return <usize>load<u32>(0, COM_TOP) + ((<usize>index) << 5);
}

@inline
export function countAt(index: u32): usize {
  return <usize>load<u32>(0, COM_COUNTS) + index;
}

@inline
export function markAt(index: u32): usize {
  return <usize>load<u32>(0, COM_MARKS) + index;
}

/** The key of nodes, for one hash. */
@inline
export function nodeKey(): usize {
  return <usize>load<u32>(0, COM_KEYS) + KEYS_NODE;
}

@inline
export function wideKey(which: u32): usize {
  return <usize>load<u32>(0, COM_KEYS) + KEYS_WIDE + which * WIDE_BYTES;
}

/** Once, after the host has written the keys. */
export function spreadKeys(): void {
  const keys = <usize>load<u32>(0, COM_KEYS);
  spread(keys + KEYS_PATH, wideKey(WIDE_PATH));
  spread(keys + KEYS_LEAF, wideKey(WIDE_LEAF));
  spread(keys + KEYS_NODE, wideKey(WIDE_NODE));
  spread(keys + KEYS_ITEM, keys + KEYS_WIDE_ITEM);
  spread(keys + KEYS_PAIR, keys + KEYS_WIDE_PAIR);
  spread(keys + KEYS_PLAIN, keys + KEYS_WIDE_PLAIN);
}

@inline
export function copyHash(from: usize, to: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}

@inline
export function zeroHash(at: usize): void {
  v128.store(at, i64x2.splat(0));
  v128.store(at, i64x2.splat(0), 16);
}

/**
 * The nodes above `count` nodes of depth `from`, up to those of depth `to`. `list`: the nodes; `other`: room for as many; `scratch`: 192 bytes.
 * The marks of the listed nodes are cleared.
 */
export function raise(list: usize, other: usize, count: u32, from: u32, to: u32, scratch: usize): void {
  let listed = count;
  let touched: u32 = 0;
  for (let depth = from; depth > to; depth--) {
    let above: u32 = 0;
    for (let i: u32 = 0; i < listed; i++) {
      const parent = load<u32>(list + ((<usize>i) << 2)) >> 1;
      const mark = markAt(parent);
      if (load<u8>(mark) != 0) continue;
      store<u8>(mark, 1);
      // Loads that nothing waits for bring what comes next into the cache.
      touched ^= load<u32>(nodeAt(parent));
      store<u32>(other + ((<usize>above) << 2), parent);
      above++;
    }
    computeNodes(other, above, scratch);
    const swap = list;
    list = other;
    other = swap;
    listed = above;
  }
  store<u32>(scratch, touched, WIDE_BYTES);
}

/** Computes listed nodes from their children, four at a time as far as they need a hash. */
function computeNodes(list: usize, count: u32, scratch: usize): void {
  const key = wideKey(WIDE_NODE);
  let waiting: u32 = 0;
  let a: u32 = 0;
  let b: u32 = 0;
  let c: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(list + ((<usize>i) << 2));
    store<u8>(markAt(index), 0);
    const left = <u32>load<u8>(countAt(index << 1));
    const below = left + load<u8>(countAt(index << 1), 1);
    store<u8>(countAt(index), <u8>min<u32>(below, 2));
    if (below < 2) {
      // One record or none: what is below, as it is.
      copyHash(nodeAt((index << 1) | (left != 0 ? 0 : 1)), nodeAt(index));
      continue;
    }
    if (waiting == 3) {
      const w = nodeAt(a << 1);
      const x = nodeAt(b << 1);
      const y = nodeAt(c << 1);
      const z = nodeAt(index << 1);
      hashBlocks(key, w, x, y, z, scratch, nodeAt(a), nodeAt(b), nodeAt(c), nodeAt(index));
      waiting = 0;
    } else {
      if (waiting == 0) a = index;
      else if (waiting == 1) b = index;
      else c = index;
      waiting++;
    }
  }
  if (waiting > 0) hashPair(nodeKey(), nodeAt(a << 1), nodeAt((a << 1) | 1), nodeAt(a));
  if (waiting > 1) hashPair(nodeKey(), nodeAt(b << 1), nodeAt((b << 1) | 1), nodeAt(b));
  if (waiting > 2) hashPair(nodeKey(), nodeAt(c << 1), nodeAt((c << 1) | 1), nodeAt(c));
}
