/**
 * The optimistic executor: workers run transactions ahead of their turn against what is committed so far (view-speculative.ts);
 * validation and commit happen strictly in order, by whichever worker finds the next transaction finished.
 *
 * After Block-STM (Gelashvili et al., PPoPP 2023), without its version lists: with commits in order, the records themselves are the
 * only version, and what was read too early is run again at its turn, where it cannot fail. Decision record 0003 has the measurements.
 *
 * Invariants
 * - A transaction is claimed by one worker (atomic add on `claimed`), at most `window` ahead of the commit point.
 * - Slot i holds epoch << 32 | log once transaction i has run; its log is not changed afterwards, and its bytes are not reused before i commits.
 * - Only the holder of `commitLock` changes records, and it commits transaction `committed` and no other: a growing prefix.
 * - A transaction that runs at its turn, under the lock, reads only committed state: it is valid without validation.
 */
import {
  BLK_EPOCH,
  BLK_MUTATION,
  BLK_RECORD,
  BLK_SLICE,
  BLK_SLOTS,
  BLK_TIMELINE,
  BLK_WINDOW,
  BLK_WORKERS,
  CTL_APPLYING,
  CTL_CLAIMED,
  CTL_COMMITTED,
  CTL_COMMIT_LOCK,
  MUTATION_EARLY_VALIDATION,
  RETURN_ENDED,
  RETURN_REPORT,
  RETURN_STALLED,
  STALL_ROUNDS,
  TX_LOG_BYTES_MAX,
  WRK_CONFLICTS,
  WRK_CURRENT,
  WRK_EVENT_START,
  WRK_EVENT_TOP,
  WRK_EXECUTIONS,
  WRK_FAULT,
  WRK_ID,
  WRK_LOG_BASE,
  WRK_LOG_END,
  WRK_LOG_START,
  WRK_LOG_TOP,
  WRK_QUEUE,
  WRK_QUEUE_HEAD,
  WRK_QUEUE_TAIL,
  WRK_RANDOM,
  WRK_REDO_BASE,
  WRK_TRACE_START,
  WRK_TRACE_TOP,
  WRK_VALIDATIONS,
  WRK_WORK_SINK,
} from '../layout';
import { nextRandom } from './adversary';
import { pause, stopped } from './memory';
import { beginOutput } from './pools';
import { blockCount, plantedFault, startMicros, transactionAt, workerBlock, writeReceipt, writeTimeline, writeTrace } from './schedule';
import {
  apply,
  beginLog,
  LOG_CODE,
  LOG_END,
  LOG_EVENT_BYTES,
  LOG_EVENTS,
  LOG_EXECUTIONS,
  LOG_FAULTED,
  LOG_TRACE,
  LOG_TRACE_BYTES,
  SpeculativeView,
  validate,
} from './view-speculative';

const QUEUE_MASK: u32 = 255;

/** Runs until the block has ended or stopped (thread 0: or has something to report, or nothing moves): RETURN_*. */
export function optimistic<P>(program: P, id: u32): u32 {
  const worker = workerBlock(id);
  const count = blockCount();
  const window = load<u32>(0, BLK_WINDOW);
  const slice = id == 0 ? load<u32>(0, BLK_SLICE) : 0;
  const reportAt = slice == 0 ? 0xffffffff : atomic.load<u32>(0, CTL_COMMITTED) + slice;
  let rounds: u32 = 0;
  while (!stopped()) {
    let committed = commitReady<P>(program, worker, count, false);
    if (committed >= count) return RETURN_ENDED;
    if (committed >= reportAt) return RETURN_REPORT;
    const next = atomic.load<u32>(0, CTL_CLAIMED);
    if (next >= count || next >= committed + window || !roomForLog(worker, committed)) {
      // Nothing else to do: commit what others have finished, too.
      committed = commitReady<P>(program, worker, count, true);
      pause(worker, ++rounds);
      if (id == 0 && rounds == STALL_ROUNDS) return RETURN_STALLED;
      continue;
    }
    rounds = 0;
    const index = atomic.add<u32>(CTL_CLAIMED, 1);
    if (index < count && !speculate<P>(program, worker, index)) return RETURN_ENDED;
  }
  return RETURN_ENDED;
}

/** Finds place for the longest log in the worker's arena; logs of committed transactions are free. */
function roomForLog(worker: usize, committed: u32): bool {
  let head = load<u32>(worker, WRK_QUEUE_HEAD);
  const tail = load<u32>(worker, WRK_QUEUE_TAIL);
  const queue = worker + WRK_QUEUE;
  while (head != tail && load<u32>(queue + ((<usize>(head & QUEUE_MASK)) << 3)) < committed) head++;
  store<u32>(worker, head, WRK_QUEUE_HEAD);
  const base = load<u32>(worker, WRK_LOG_BASE);
  if (head == tail) {
    // Nothing outstanding: start at the bottom again, where the bytes are in the cache.
    store<u32>(worker, base, WRK_LOG_START);
    return true;
  }
  if (tail - head > QUEUE_MASK) return false;
  const oldest = load<u32>(queue + ((<usize>(head & QUEUE_MASK)) << 3), 4);
  const top = (load<u32>(worker, WRK_LOG_TOP) + 63) & ~63;
  if (top > oldest) {
    if (top + TX_LOG_BYTES_MAX <= load<u32>(worker, WRK_LOG_END)) {
      store<u32>(worker, top, WRK_LOG_START);
      return true;
    }
    store<u32>(worker, base, WRK_LOG_TOP);
    if (base + TX_LOG_BYTES_MAX > oldest) return false;
    store<u32>(worker, base, WRK_LOG_START);
    return true;
  }
  if (top + TX_LOG_BYTES_MAX > oldest) return false;
  store<u32>(worker, top, WRK_LOG_START);
  return true;
}

/** Runs a transaction into a log. False: the block stops. */
function execute<P>(program: P, worker: usize, index: u32, at: u32, incarnation: u32): bool {
  if (!beginOutput(worker)) return false;
  const started = startMicros();
  beginLog(worker, at);
  const code = program.execute<SpeculativeView>(changetype<SpeculativeView>(worker), transactionAt(index));
  const events = load<u32>(worker, WRK_EVENT_START);
  if (code != 0) store<u32>(worker, events, WRK_EVENT_TOP);
  store<u32>(at, load<u32>(worker, WRK_LOG_TOP), LOG_END);
  store<u32>(at, code, LOG_CODE);
  store<u32>(at, events, LOG_EVENTS);
  store<u32>(at, load<u32>(worker, WRK_EVENT_TOP) - events, LOG_EVENT_BYTES);
  store<u32>(at, incarnation, LOG_EXECUTIONS);
  store<u32>(at, load<u32>(worker, WRK_FAULT), LOG_FAULTED);
  if (load<u32>(0, BLK_RECORD) != 0) {
    const trace = load<u32>(worker, WRK_TRACE_START);
    store<u32>(at, trace, LOG_TRACE);
    store<u32>(at, load<u32>(worker, WRK_TRACE_TOP) - trace, LOG_TRACE_BYTES);
  }
  store<u32>(worker, load<u32>(worker, WRK_EXECUTIONS) + 1, WRK_EXECUTIONS);
  if (load<u32>(0, BLK_TIMELINE) != 0) writeTimeline(index, worker, started, incarnation);
  return true;
}

function speculate<P>(program: P, worker: usize, index: u32): bool {
  const at = load<u32>(worker, WRK_LOG_START);
  store<u32>(worker, index + 1, WRK_CURRENT);
  plantedFault(worker, index);
  const ahead = index + load<u32>(0, BLK_WORKERS);
  if (ahead < blockCount()) store<u32>(worker, program.lookAhead(transactionAt(ahead)), WRK_WORK_SINK);
  if (!execute<P>(program, worker, index, at, 1)) return false;
  if ((load<u32>(0, BLK_MUTATION) & MUTATION_EARLY_VALIDATION) != 0) store<u32>(at, validate(worker, at) ? 1 : 0, LOG_EXECUTIONS);
  const tail = load<u32>(worker, WRK_QUEUE_TAIL);
  const entry = worker + WRK_QUEUE + ((<usize>(tail & QUEUE_MASK)) << 3);
  store<u32>(entry, index);
  store<u32>(entry, at, 4);
  store<u32>(worker, tail + 1, WRK_QUEUE_TAIL);
  store<u32>(worker, 0, WRK_CURRENT);
  atomic.store<u64>(slotOf(index), ((<u64>load<u32>(0, BLK_EPOCH)) << 32) | at);
  return true;
}

@inline
function slotOf(index: u32): usize {
  return load<u32>(0, BLK_SLOTS) + (index << 3);
}

@inline
function hasRun(index: u32): bool {
  return <u32>(atomic.load<u64>(slotOf(index)) >> 32) == load<u32>(0, BLK_EPOCH);
}

/**
 * Commits finished transactions as long as it is their turn and nobody else does. Returns how many are committed.
 *
 * Not the others', unless there is nothing else to do: their logs are in another core's cache. Measured at 2 micros a transaction and two
 * workers: 1.59 times serial instead of 1.44.
 */
function commitReady<P>(program: P, worker: usize, count: u32, others: bool): u32 {
  while (true) {
    let turn = atomic.load<u32>(0, CTL_COMMITTED);
    if (turn >= count || !hasRun(turn) || !(others || isOwn(worker, turn))) return turn;
    if (atomic.cmpxchg<u32>(CTL_COMMIT_LOCK, 0, load<u32>(worker, WRK_ID) + 1) != 0) return turn;
    turn = atomic.load<u32>(0, CTL_COMMITTED);
    while (turn < count && hasRun(turn) && (others || isOwn(worker, turn))) {
      if (!commitOne<P>(program, worker, turn)) return turn;
      turn++;
    }
    atomic.store<u32>(0, 0, CTL_COMMIT_LOCK);
    // A transaction may have finished between the last look and the release; whoever finished it saw the lock taken.
  }
}

/** Is the finished transaction's log in this worker's arena? */
@inline
function isOwn(worker: usize, index: u32): bool {
  const log = <u32>load<u64>(slotOf(index));
  return log >= load<u32>(worker, WRK_LOG_BASE) && log < load<u32>(worker, WRK_LOG_END);
}

/** Commits transaction `turn`, whose log is finished: validates it, or runs it again here, where nothing can have changed. */
function commitOne<P>(program: P, worker: usize, turn: u32): bool {
  let log = <usize>(<u32>atomic.load<u64>(slotOf(turn)));
  store<u32>(worker, load<u32>(worker, WRK_VALIDATIONS) + 1, WRK_VALIDATIONS);
  const early = (load<u32>(0, BLK_MUTATION) & MUTATION_EARLY_VALIDATION) != 0;
  const valid = early ? load<u32>(log, LOG_EXECUTIONS) == 1 : validate(worker, log);
  if (!valid) {
    const redo = load<u32>(worker, WRK_REDO_BASE);
    const start = load<u32>(worker, WRK_LOG_START);
    const top = load<u32>(worker, WRK_LOG_TOP);
    const random = load<u32>(worker, WRK_RANDOM);
    store<u32>(worker, 0, WRK_RANDOM);
    if (!execute<P>(program, worker, turn, redo, 2)) return false;
    store<u32>(worker, random, WRK_RANDOM);
    store<u32>(worker, start, WRK_LOG_START);
    store<u32>(worker, top, WRK_LOG_TOP);
    log = redo;
    store<u32>(worker, 0x80000000 + turn, WRK_CURRENT);
    store<u32>(worker, load<u32>(worker, WRK_CONFLICTS) + 1, WRK_CONFLICTS);
  } else store<u32>(worker, 0, WRK_CURRENT);
  commitLog(worker, turn, log);
  return true;
}

/** Puts a log in place, writes receipt and trace, moves the commit point. Holder of the lock only. */
export function commitLog(worker: usize, turn: u32, log: usize): void {
  store<u32>(0, turn + 1, CTL_APPLYING);
  apply(worker, log);
  writeReceipt(
    turn,
    load<u32>(log, LOG_CODE),
    load<u32>(log, LOG_EVENTS),
    load<u32>(log, LOG_EVENT_BYTES),
    (load<u32>(log, LOG_EXECUTIONS) << 8) | load<u32>(worker, WRK_ID),
  );
  if (load<u32>(0, BLK_RECORD) != 0) writeTrace(turn, load<u32>(log, LOG_TRACE), load<u32>(log, LOG_TRACE_BYTES));
  atomic.store<u32>(0, turn + 1, CTL_COMMITTED);
}

/**
 * After a worker died, on thread 0, when all others have left: finishes the transaction that was being put in place, if any.
 * Returns the number of committed transactions; the rest of the block can run serially from there.
 */
export function recoverCommit(): u32 {
  const committed = atomic.load<u32>(0, CTL_COMMITTED);
  const holder = atomic.load<u32>(0, CTL_COMMIT_LOCK);
  if (holder != 0 && load<u32>(0, CTL_APPLYING) == committed + 1) {
    const worker = workerBlock(holder - 1);
    // The log is the slot's, or the holder's re-execution: whichever it began to apply last.
    let log = <usize>(<u32>atomic.load<u64>(slotOf(committed)));
    const redo = <usize>load<u32>(worker, WRK_REDO_BASE);
    if (load<u32>(worker, WRK_CURRENT) == 0x80000000 + committed) log = redo;
    commitLog(workerBlock(0), committed, log);
  }
  atomic.store<u32>(0, 0, CTL_COMMIT_LOCK);
  return atomic.load<u32>(0, CTL_COMMITTED);
}

/**
 * The scheduler's interleavings forced in one thread, chosen by a seed: transactions run up to `ahead` before their turn, in any
 * order, on any of the virtual workers, and finished ones commit in the middle of others (adversary.ts). Returns 1 when the block is complete.
 */
export function adversarial<P>(program: P, seed: u32, workers: u32, ahead: u32): u32 {
  const count = blockCount();
  const zero = workerBlock(0);
  for (let id: u32 = 0; id < workers; id++) store<u32>(workerBlock(id), (seed * 2654435761 + id * 40503) | 1, WRK_RANDOM);
  while (atomic.load<u32>(0, CTL_COMMITTED) < count) {
    const choice = nextRandom(zero);
    const worker = workerBlock((choice >> 8) % workers);
    const committed = atomic.load<u32>(0, CTL_COMMITTED);
    const next = load<u32>(0, CTL_CLAIMED);
    const far = next >= count || next > committed + ahead;
    if (!far && ((choice & 7) != 0 || !hasRun(committed)) && roomForLog(worker, committed)) {
      store<u32>(0, next + 1, CTL_CLAIMED);
      if (!speculate<P>(program, worker, next)) return 0;
    } else if (hasRun(committed)) {
      if (!commitOne<P>(program, worker, committed)) return 0;
    } else if (next >= count) return 0;
  }
  for (let id: u32 = 0; id < workers; id++) store<u32>(workerBlock(id), 0, WRK_RANDOM);
  return 1;
}
