/**
 * The nodes of buckets from their entries, four buckets at a time: each of four lanes goes through its own bucket, and all hash together.
 *
 * A lane keeps a stack of subtrees that lie next to each other, each with the depth at which it begins; what separates two neighbours is how
 * many bits their paths have in common, and that grows towards the top of the stack. The subtree at the top is raised (hashed with
 * nothing) until it meets its nearer neighbour, on the stack or next in the bucket. Where a bucket has run out, its lane takes the next one.
 *
 * Measured: half of the time of one bucket after the other with one hash at a time (docs/measurements.md).
 */
import { assertKernel } from '../../kernel/assembly/memory';
import { COM_SCRATCH_BYTES, ENTRY_BYTES, ENTRY_LEAF } from '../layout';
import { hashBlocks, hashPair } from './blake3';
import { bucketAt, countOf, entriesOf } from './bucket';
import { copyHash, countAt, markAt, nodeAt, nodeKey, wideKey, WIDE_NODE, zeroHash } from './nodes';

/** Places in the thread's scratch. */
const WORK: u32 = 0; // 128 bytes
const IDLE: u32 = 128; // 64 bytes that a lane without work hashes, and 32 for what comes of it
const LANES: u32 = 256; // 4 x LANE_BYTES
const LANE_BYTES: u32 = 5120;

/** A lane: what it is at, then by place on its stack u8 depth, u8 bits in common with the subtree before, then the hashes. */
const NODE: u32 = 0; // u32 index of the bucket's node; 0: idle
const NEXT: u32 = 4; // u32 address of the next entry
const END: u32 = 8; // u32 end of the entries
const HEIGHT: u32 = 12; // u32 subtrees on the stack
const INPUT: u32 = 16; // u32 address of the 64 bytes to hash
const OUTPUT: u32 = 20; // u32 where the hash goes
const AHEAD: u32 = 24; // u32 bits that the last entry of the stack and the next have in common; END_BITS: there is none
const DEPTHS: u32 = 64; // u8[STACK_MAX]
const SEPARATORS: u32 = 192;
const HASHES: u32 = 320;
/** Bits in common grow from the depth of the top to 127: at most 120 subtrees, and one place for nothing. */
const STACK_MAX: u32 = 128;
/** A leaf stands for its record at every depth. */
const ANY_DEPTH: u32 = 255;

/** Computes `count` listed bucket nodes; `bits` is their depth. Clears their marks. */
export function rootBuckets(list: usize, count: u32, bits: u32, scratch: usize): void {
  assertKernel(LANES + 4 * LANE_BYTES <= COM_SCRATCH_BYTES && HASHES + STACK_MAX * 32 <= LANE_BYTES);
  const a = scratch + LANES;
  const b = a + LANE_BYTES;
  const c = b + LANE_BYTES;
  const d = c + LANE_BYTES;
  for (let lane = a; lane <= d; lane += LANE_BYTES) store<u32>(lane, 0);
  let next: u32 = 0;
  while (true) {
    let busy: u32 = 0;
    let last: usize = 0;
    for (let lane = a; lane <= d; lane += LANE_BYTES) {
      while (load<u32>(lane) == 0 || !advance(lane, bits)) {
        if (next == count) {
          store<u32>(lane, <u32>(scratch + IDLE), INPUT);
          store<u32>(lane, <u32>(scratch + IDLE + 64), OUTPUT);
          break;
        }
        begin(lane, load<u32>(list + ((<usize>next) << 2)), bits);
        next++;
      }
      if (load<u32>(lane) == 0) continue;
      busy++;
      last = lane;
    }
    if (busy == 0) return;
    if (busy == 1) {
      const input = <usize>load<u32>(last, INPUT);
      hashPair(nodeKey(), input, input + 32, load<u32>(last, OUTPUT));
      continue;
    }
    hashBlocks(
      wideKey(WIDE_NODE),
      load<u32>(a, INPUT),
      load<u32>(b, INPUT),
      load<u32>(c, INPUT),
      load<u32>(d, INPUT),
      scratch + WORK,
      load<u32>(a, OUTPUT),
      load<u32>(b, OUTPUT),
      load<u32>(c, OUTPUT),
      load<u32>(d, OUTPUT),
    );
  }
}

/** Gives a lane the bucket of node `index`; an empty one is done at once, and the lane stays idle. */
function begin(lane: usize, index: u32, bits: u32): void {
  const place = bucketAt(index - (1 << bits));
  const count = countOf(place);
  store<u8>(markAt(index), 0);
  store<u8>(countAt(index), <u8>min<u32>(count, 2));
  if (count == 0) {
    zeroHash(nodeAt(index));
    return;
  }
  const entries = entriesOf(place);
  store<u32>(lane, index);
  store<u32>(lane, <u32>entries, NEXT);
  store<u32>(lane, <u32>(entries + count * ENTRY_BYTES), END);
  store<u32>(lane, 0, HEIGHT);
  push(lane, bits - 1, bits);
}

/** Puts the next entry on the stack; `separator`: bits that it has in common with the one before, one less than the bucket's depth for the first. */
function push(lane: usize, separator: u32, bits: u32): void {
  const height = load<u32>(lane, HEIGHT);
  const entry = <usize>load<u32>(lane, NEXT);
  const next = entry + ENTRY_BYTES;
  assertKernel(height + 1 < STACK_MAX);
  store<u8>(lane + height, <u8>ANY_DEPTH, DEPTHS);
  store<u8>(lane + height, <u8>separator, SEPARATORS);
  copyHash(entry + ENTRY_LEAF, lane + HASHES + (height << 5));
  store<u32>(lane, height + 1, HEIGHT);
  store<u32>(lane, <u32>next, NEXT);
  store<u32>(lane, next == <usize>load<u32>(lane, END) ? bits - 1 : commonBits(entry, next), AHEAD);
}

function commonBits(a: usize, b: usize): u32 {
  const high = load<u64>(a) ^ load<u64>(b);
  if (high != 0) return <u32>clz<u64>(high);
  const low = load<u64>(a, 8) ^ load<u64>(b, 8);
  assertKernel(low != 0);
  return 64 + <u32>clz<u64>(low);
}

@inline
function bitOf(entry: usize, depth: u32): u32 {
  return depth < 64 ? <u32>(load<u64>(entry) >> (63 - depth)) & 1 : <u32>(load<u64>(entry, 8) >> (127 - depth)) & 1;
}

/** Goes on to the lane's next hash: input and output are set then. False: its bucket is done, and it is idle. */
function advance(lane: usize, bits: u32): bool {
  while (true) {
    const top = load<u32>(lane, HEIGHT) - 1;
    const slot = lane + HASHES + (top << 5);
    const before = <u32>load<u8>(lane + top, SEPARATORS);
    const ahead = load<u32>(lane, AHEAD);
    const meets = max(before, ahead) + 1;
    const depth = <u32>load<u8>(lane + top, DEPTHS);
    if (depth != ANY_DEPTH && depth > meets) {
      // Nothing is on the other side of this bit: one level up.
      if (bitOf(load<u32>(lane, NEXT) - ENTRY_BYTES, depth - 1) == 0) zeroHash(slot + 32);
      else {
        copyHash(slot, slot + 32);
        zeroHash(slot);
      }
      store<u8>(lane + top, <u8>(depth - 1), DEPTHS);
      store<u32>(lane, <u32>slot, INPUT);
      store<u32>(lane, <u32>slot, OUTPUT);
      return true;
    }
    if (ahead > before) {
      push(lane, ahead, bits);
      continue;
    }
    if (top == 0) {
      copyHash(slot, nodeAt(load<u32>(lane)));
      store<u32>(lane, 0);
      return false;
    }
    store<u8>(lane + top - 1, <u8>before, DEPTHS);
    store<u32>(lane, top, HEIGHT);
    store<u32>(lane, <u32>(slot - 32), INPUT);
    store<u32>(lane, <u32>(slot - 32), OUTPUT);
    return true;
  }
}
