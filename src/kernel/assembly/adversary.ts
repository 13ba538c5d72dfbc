/**
 * Forced interleavings in one thread: while a transaction runs speculatively, finished ones commit between its reads, as chosen by a
 * seed. Off unless a test switches it on; then `interleave` costs one load per record copied.
 */
import { BLK_EPOCH, BLK_MUTATION, BLK_SLOTS, CTL_COMMITTED, MUTATION_EARLY_VALIDATION, WRK_RANDOM } from '../layout';
import { commitLog } from './executor-optimistic';
import { validate } from './view-speculative';

@inline
export function interleave(worker: usize): void {
  if (load<u32>(worker, WRK_RANDOM) != 0) commitNow(worker);
}

export function nextRandom(worker: usize): u32 {
  let x = load<u32>(worker, WRK_RANDOM);
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  store<u32>(worker, x, WRK_RANDOM);
  return x;
}

/** One time in four commits the transaction whose turn it is, if it has run and is valid. */
function commitNow(worker: usize): void {
  if ((nextRandom(worker) & 3) != 0) return;
  const turn = load<u32>(0, CTL_COMMITTED);
  const slot = load<u64>(load<u32>(0, BLK_SLOTS) + (turn << 3));
  if (<u32>(slot >> 32) != load<u32>(0, BLK_EPOCH)) return;
  const log = <usize>(<u32>slot);
  const random = load<u32>(worker, WRK_RANDOM);
  store<u32>(worker, 0, WRK_RANDOM);
  if ((load<u32>(0, BLK_MUTATION) & MUTATION_EARLY_VALIDATION) == 0 && validate(worker, log)) commitLog(worker, turn, log);
  store<u32>(worker, random, WRK_RANDOM);
}
