/**
 * Addresses, atomics and the allocator of the shared memory.
 *
 * Only thread 0 allocates, between blocks or at admission; nothing is allocated while a block runs, but for the pools of events and
 * traces, which workers take chunks from with an atomic add.
 */
import { CHUNK_BYTES, CHUNK_TABLE, CTL_STOP, REG_CHUNK_END, REG_CHUNK_NEXT, STOP_NONE, WRK_SLEEP } from '../layout';

/** Our own mistake: traps, also in a release build. */
@inline
export function assertKernel(condition: bool): void {
  if (!condition) unreachable();
}

@inline
export function locationOf(address: usize): u32 {
  return <u32>(address >> 5);
}

@inline
export function addressOf(location: u32): usize {
  return (<usize>location) << 5;
}

@inline
export function stopped(): bool {
  return atomic.load<u32>(0, CTL_STOP) != STOP_NONE;
}

export function requestStop(reason: u32): void {
  atomic.cmpxchg<u32>(CTL_STOP, STOP_NONE, reason);
}

/** Takes `count` adjacent chunks for a class; 0 when the memory is used up. Thread 0 only. */
export function takeChunks(count: u32, recordClass: u32, recordBytes: u32, home: u32): usize {
  const next = load<u32>(0, REG_CHUNK_NEXT);
  if (count > load<u32>(0, REG_CHUNK_END) - next) return 0;
  store<u32>(0, next + count, REG_CHUNK_NEXT);
  const tag = recordClass | ((recordBytes >> 5) << 8) | (home << 16);
  for (let i: u32 = 0; i < count; i++) store<u32>(<usize>CHUNK_TABLE + ((<usize>(next + i)) << 2), tag);
  return <usize>next * CHUNK_BYTES;
}

/** Class, record size / 32 and home of the chunk that holds a location. */
@inline
export function chunkTag(location: u32): u32 {
  return load<u32>(<usize>CHUNK_TABLE + ((<usize>(location >> 11)) << 2));
}

@inline
export function classOf(location: u32): u32 {
  return chunkTag(location) & 0xff;
}

/** Some 60 micros of spinning: longer than most transactions, far shorter than a time slice. */
const SPIN_ROUNDS: u32 = 16384;
const SLEEP_NANOS: i64 = 50000;

/**
 * One round of waiting: some loads, and after a while a short sleep, so that a thread that waits gives its core to the one it waits for
 * when there are more threads than cores. `rounds` is the number of rounds waited so far.
 */
@inline
export function pause(worker: usize, rounds: u32): void {
  for (let i = 0; i < 8; i++) atomic.load<u32>(0, CTL_STOP);
  if (rounds > SPIN_ROUNDS && (rounds & 31) == 0) atomic.wait<i32>(worker + WRK_SLEEP, 0, SLEEP_NANOS);
}
