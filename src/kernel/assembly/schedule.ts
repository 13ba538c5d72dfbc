/**
 * What the executors share: the block's tables, receipts, running one transaction in place, waiting for earlier ones.
 *
 * Worker blocks, the claim counter and the commit word are laid out in `src/kernel/layout.ts`.
 */
import {
  BLK_COUNT,
  BLK_FAULT_AT,
  BLK_RECEIPTS,
  BLK_RECORD,
  BLK_TIMELINE,
  BLK_TRACES,
  BLK_TX_TABLE,
  BLK_WORKERS,
  CTL_CLAIMED,
  CTL_COMMITTED,
  RETURN_ENDED,
  RETURN_REPORT,
  RETURN_STALLED,
  STALL_ROUNDS,
  WORKER_BYTES,
  WORKERS_BASE,
  WRK_EVENT_START,
  WRK_EVENT_TOP,
  WRK_EXECUTIONS,
  WRK_ID,
  WRK_PROGRESS,
  WRK_TRACE_START,
  WRK_TRACE_TOP,
} from '../layout';
import { pause, stopped } from './memory';
import { beginOutput } from './pools';

@external('heddle', 'nowMicros')
declare function nowMicros(): f64;

/** Measured with 100 books and 10,000 accounts: touching what comes two ahead takes the time from 470 to 283 ns; one book stays at 80. */
export const LOOK_AHEAD: u32 = 2;

/** Progress of a worker that holds no transaction. */
export const IDLE: u32 = 0xffffffff;

@inline
export function workerBlock(id: u32): usize {
  return <usize>WORKERS_BASE + <usize>id * WORKER_BYTES;
}

@inline
export function blockCount(): u32 {
  return load<u32>(0, BLK_COUNT);
}

@inline
export function transactionAt(index: u32): usize {
  return load<u32>(load<u32>(0, BLK_TX_TABLE) + (index << 2));
}

@inline
export function writeReceipt(index: u32, code: u32, events: u32, eventBytes: u32, note: u32): void {
  const at = load<u32>(0, BLK_RECEIPTS) + (index << 4);
  store<u32>(at, code);
  store<u32>(at, events, 4);
  store<u32>(at, code == 0 ? eventBytes : 0, 8);
  store<u32>(at, note, 12);
}

@inline
export function writeTrace(index: u32, address: u32, bytes: u32): void {
  const at = load<u32>(0, BLK_TRACES) + (index << 3);
  store<u32>(at, address);
  store<u32>(at, bytes, 4);
}

/** Runs one transaction in place and writes its receipt. False: the block has to stop. */
@inline
export function runInPlace<P, V>(program: P, view: V, index: u32): bool {
  const worker = changetype<usize>(view);
  if (!beginOutput(worker)) return false;
  const started = load<u32>(0, BLK_TIMELINE) != 0 ? nowMicros() : 0;
  const code = program.execute<V>(view, transactionAt(index));
  const events = load<u32>(worker, WRK_EVENT_START);
  if (code != 0) store<u32>(worker, events, WRK_EVENT_TOP);
  writeReceipt(index, code, events, load<u32>(worker, WRK_EVENT_TOP) - events, (1 << 8) | load<u32>(worker, WRK_ID));
  if (load<u32>(0, BLK_RECORD) != 0) {
    const from = load<u32>(worker, WRK_TRACE_START);
    writeTrace(index, from, load<u32>(worker, WRK_TRACE_TOP) - from);
  }
  if (load<u32>(0, BLK_TIMELINE) != 0) writeTimeline(index, worker, started, 1);
  store<u32>(worker, load<u32>(worker, WRK_EXECUTIONS) + 1, WRK_EXECUTIONS);
  return true;
}

export function startMicros(): f64 {
  return load<u32>(0, BLK_TIMELINE) != 0 ? nowMicros() : 0;
}

/** 16 bytes a transaction: f32 start, f32 end (micros since the run began), u32 worker, u32 incarnation. The last execution wins. */
export function writeTimeline(index: u32, worker: usize, started: f64, incarnation: u32): void {
  const at = load<u32>(0, BLK_TIMELINE) + (index << 4);
  store<f32>(at, <f32>started);
  store<f32>(at, <f32>nowMicros(), 4);
  store<u32>(at, load<u32>(worker, WRK_ID), 8);
  store<u32>(at, incarnation, 12);
}

/** Everything below is done: the least progress of all workers. The claim counter is read first, so that no chunk is missed. */
export function watermark(): u32 {
  let least = atomic.load<u32>(0, CTL_CLAIMED);
  const count = blockCount();
  if (least > count) least = count;
  const workers = load<u32>(0, BLK_WORKERS);
  for (let id: u32 = 0; id < workers; id++) {
    const progress = atomic.load<u32>(workerBlock(id), WRK_PROGRESS);
    if (progress < least) least = progress;
  }
  return least;
}

/** Thread 0 has run its part and stays to report what the others finish. RETURN_*. */
export function reportOthers(worker: usize, count: u32, reportAt: u32): u32 {
  for (let rounds: u32 = 0; !stopped(); rounds++) {
    const done = watermark();
    publishCommitted(done);
    if (done >= count) return RETURN_ENDED;
    if (done >= reportAt) return RETURN_REPORT;
    if (rounds == STALL_ROUNDS) return RETURN_STALLED;
    pause(worker, rounds);
  }
  return RETURN_ENDED;
}

/** Planted for tests: the first execution of a chosen transaction on a thread other than 0 ends in a trap. */
@inline
export function plantedFault(worker: usize, index: u32): void {
  const at = load<u32>(0, BLK_FAULT_AT);
  if (at != 0 && index >= at - 1 && load<u32>(worker, WRK_ID) != 0) trapOnce();
}

function trapOnce(): void {
  store<u32>(0, 0, BLK_FAULT_AT);
  unreachable();
}

/** Transactions that are reported as committed grow with this word; thread 0 passes them on. */
@inline
export function publishCommitted(count: u32): void {
  atomic.store<u32>(0, count, CTL_COMMITTED);
}
