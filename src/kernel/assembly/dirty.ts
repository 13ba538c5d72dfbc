/**
 * Notes the records that a block writes, so that the state tree need not look at all of them.
 *
 * Invariant: every record that a block has changed has its bit set when the block ends. Transactions leave theirs in their traces; what
 * thread 0 and the sweep write besides is noted here. A bit that is set without a change costs a hash and nothing else.
 */
import { REG_DIRTY, REG_DIRTY_COUNT, REG_DIRTY_LIST, REG_DIRTY_MAX, REG_DIRTY_SCAN } from '../layout';

/** Thread 0, while no other works. */
export function touch(location: u32): void {
  const map = <usize>load<u32>(0, REG_DIRTY);
  if (map == 0) return;
  const word = map + ((<usize>(location >> 5)) << 2);
  const bits = load<u32>(word);
  const bit: u32 = 1 << (location & 31);
  if ((bits & bit) != 0) return;
  store<u32>(word, bits | bit);
  const count = load<u32>(0, REG_DIRTY_COUNT);
  if (count == load<u32>(0, REG_DIRTY_MAX)) {
    store<u32>(0, 1, REG_DIRTY_SCAN);
    return;
  }
  store<u32>(<usize>load<u32>(0, REG_DIRTY_LIST) + ((<usize>count) << 2), location);
  store<u32>(0, count + 1, REG_DIRTY_COUNT);
}

/** Any thread, in work on the whole state. */
export function touchShared(location: u32): void {
  const map = <usize>load<u32>(0, REG_DIRTY);
  if (map == 0) return;
  atomic.or<u32>(map + ((<usize>(location >> 5)) << 2), 1 << (location & 31));
  store<u32>(0, 1, REG_DIRTY_SCAN);
}
