/**
 * The deterministic executor: every transaction comes with the list of what it touches, so the order that matters is known before it
 * runs. Nothing is copied, validated or run twice.
 *
 * Each transaction has an owner: the worker of its home (a market's records then stay in one core's cache), or, where homes would leave a
 * worker idle, workers in turn by `stride`. A worker runs its own transactions in their order, in place. What it has to know is the latest
 * transaction of any other worker that each of its own depends on; it finds that by reading all lists, its own and the others', into a
 * dependency table of its own. No table, no queue and no counter is shared: workers see only how far the others are (`progress`).
 *
 * One number per transaction is enough because a worker finishes its transactions in order: "the others are past p" says all of them up to
 * p are done.
 *
 * Lists are a producer's (exact: every access is compared with the next entry before it happens) or declared by the transaction (a set).
 * A transaction without a list runs alone. One that leaves its list stops the block before it has touched anything outside; the host
 * then undoes the block and runs it serially: one rule, the same on every node.
 */
import {
  BITS_WORD,
  BLK_COUNT,
  BLK_HOMES,
  BLK_LIST,
  BLK_OWNERS,
  BLK_SLICE,
  BLK_STRIDE,
  BLK_WORKERS,
  CTL_COMMITTED,
  RECORD_META,
  RECORD_PAYLOAD,
  REG_DEPENDENCY_BASE,
  REG_DEPENDENCY_MASK,
  REG_HOME_COUNTS,
  RETURN_ENDED,
  RETURN_REPORT,
  RETURN_STALLED,
  STALL_ROUNDS,
  TRACE_ADD,
  TRACE_BITS_CLEAR,
  TRACE_BITS_READ,
  TRACE_BITS_SET,
  TRACE_READ,
  TRACE_WRITE,
  UNDO_BYTES,
  WRK_BARRIER,
  WRK_CHUNK_END,
  WRK_CHUNK_NEXT,
  WRK_CURRENT,
  WRK_CURSOR,
  WRK_CURSOR_END,
  WRK_DEPENDENCIES,
  WRK_FAULT,
  WRK_ID,
  WRK_PREDECESSORS,
  WRK_PROGRESS,
  WRK_SEEN_WATERMARK,
  WRK_UNDO_START,
  WRK_UNDO_TOP,
  WRK_WORK_SINK,
} from '../layout';
import { addressOf, chunkTag, pause, stopped } from './memory';
import { blockCount, IDLE, plantedFault, publishCommitted, reportOthers, runInPlace, watermark, workerBlock } from './schedule';
import { JournalView, ListedView, roomToUndo } from './view-in-place';

/** Transactions whose lists a worker reads before it runs its own among them. */
const BATCH: u32 = 64;
const HOMES_MAX: u32 = 1024;

// --- Owners -----------------------------------------------------------------------------------------------------------------------

@inline
function listOf(index: u32): usize {
  return <usize>load<u32>(0, BLK_LIST) + (index << 3);
}

@inline
function ownerOf(index: u32): u32 {
  return load<u8>(<usize>load<u32>(0, BLK_OWNERS) + index);
}

/** The home of the first record of a list that has one; 0 = none. */
function homeOf(index: u32): u32 {
  const list = load<u32>(listOf(index));
  const end = list + load<u32>(listOf(index), 4);
  for (let at = list; at < end; ) {
    const word = load<u32>(at);
    const home = chunkTag(word >> 3) >> 16;
    if (home != 0) return home < HOMES_MAX ? home : 0;
    at += (word & 7) <= TRACE_ADD ? 4 : 12;
  }
  return 0;
}

/**
 * Gives every transaction its owner. Thread 0, before the workers start. Homes go to workers by size, the largest first, each to the
 * worker that has the least; if that leaves one with much more than its share, transactions are dealt out by `stride` instead.
 */
export function planOwners(): void {
  const from = load<u32>(0, CTL_COMMITTED);
  const count = load<u32>(0, BLK_COUNT);
  const workers = load<u32>(0, BLK_WORKERS);
  const owners = <usize>load<u32>(0, BLK_OWNERS);
  const counts = <usize>load<u32>(0, REG_HOME_COUNTS);
  const homes = counts + HOMES_MAX * 4;
  const sums = homes + HOMES_MAX * 4;
  memory.fill(counts, 0, HOMES_MAX * 8 + 256);
  if (workers > 1) {
    for (let index = from; index < count; index++) {
      const home = homeOf(index);
      store<u32>(counts + (home << 2), load<u32>(counts + (home << 2)) + 1);
      store<u16>(<usize>load<u32>(0, BLK_HOMES) + (index << 1), <u16>home);
    }
  }
  const without = load<u32>(counts);
  let placed = without;
  while (placed < count - from && workers > 1) {
    let largest: u32 = 0;
    let size: u32 = 0;
    for (let home: u32 = 1; home < HOMES_MAX; home++) {
      const transactions = load<u32>(counts + (home << 2));
      if (transactions > size) {
        size = transactions;
        largest = home;
      }
    }
    let least: u32 = 0;
    for (let id: u32 = 1; id < workers; id++) if (load<u32>(sums + (id << 2)) < load<u32>(sums + (least << 2))) least = id;
    store<u32>(homes + (largest << 2), least);
    store<u32>(sums + (least << 2), load<u32>(sums + (least << 2)) + size);
    store<u32>(counts + (largest << 2), 0);
    placed += size;
  }
  let most: u32 = 0;
  for (let id: u32 = 0; id < workers; id++) most = max(most, load<u32>(sums + (id << 2)));
  const byHome = workers > 1 && (count - from - without) * 5 > most * workers * 4 && without * 4 < count - from;
  const stride = load<u32>(0, BLK_STRIDE);
  for (let index = from; index < count; index++) {
    const home = byHome ? <u32>load<u16>(<usize>load<u32>(0, BLK_HOMES) + (index << 1)) : 0;
    store<u8>(owners + index, <u8>(home != 0 ? load<u32>(homes + (home << 2)) : (index / stride) % workers));
  }
}

// --- What a transaction has to wait for -----------------------------------------------------------------------------------------------

/**
 *   dependency entry of one worker, 16 bytes, by hash of the location (records that share an entry wait for each other without need)
 *    0  u32  stamp of the last transaction of another worker that writes it (or clears bits); a stamp is base + index + 1
 *    4  u32  that reads it
 *    8  u32  that adds to it (or sets bits)
 */
@inline
function dependencyEntry(table: u32, key: u32, mask: u32): usize {
  return <usize>table + ((<usize>(((key * 0x9e3779b1) >> 12) & mask)) << 4);
}

@inline
function later(a: u32, b: u32): u32 {
  return a > b ? a : b;
}

/** The groups of eight bits that a mask touches, as the bits of a byte. */
@inline
function groupsOf(mask: u64): u32 {
  // Bit 7 of each byte is set if the byte is not zero; then gathered.
  const full = ((mask & 0x7f7f7f7f7f7f7f7f) + 0x7f7f7f7f7f7f7f7f) | mask;
  return <u32>((((full >> 7) & 0x0101010101010101) * 0x0102040810204080) >> 56);
}

/** A reader, a writer, an adder in the terms of a table entry; setting bits commutes with setting, as adding does with adding. */
@inline
function fieldOf(kind: u32): u32 {
  if (kind == TRACE_READ || kind == TRACE_BITS_READ) return 4;
  return kind == TRACE_ADD || kind == TRACE_BITS_SET ? 8 : 0;
}

/** Notes another worker's list in this worker's table. */
function noteOthers(table: u32, mask: u32, list: u32, bytes: u32, stamp: u32): void {
  const end = list + bytes;
  for (let at = list; at < end; ) {
    const word = load<u32>(at);
    const kind = word & 7;
    if (kind <= TRACE_ADD) {
      store<u32>(dependencyEntry(table, word >> 3, mask) + fieldOf(kind), stamp);
      at += 4;
    } else {
      for (let groups = groupsOf(load<u64>(at, 4)); groups != 0; groups &= groups - 1) {
        store<u32>(dependencyEntry(table, (word >> 3) * 8 + ctz<u32>(groups) + 0x40000000, mask) + fieldOf(kind), stamp);
      }
      at += 12;
    }
  }
}

@inline
function conflicting(entry: usize, kind: u32): u32 {
  const field = fieldOf(kind);
  let latest = load<u32>(entry);
  if (field != 4) latest = later(latest, load<u32>(entry, 4));
  if (field != 8) latest = later(latest, load<u32>(entry, 8));
  return latest;
}

/** The stamp of the latest transaction of another worker that an own list conflicts with. Touches the records, so that misses overlap. */
function latestOther(worker: usize, table: u32, mask: u32, list: u32, bytes: u32): u32 {
  const end = list + bytes;
  let latest: u32 = 0;
  let touched: u32 = 0;
  for (let at = list; at < end; ) {
    const word = load<u32>(at);
    const kind = word & 7;
    touched ^= load<u32>(addressOf(word >> 3), RECORD_META);
    if (kind <= TRACE_ADD) {
      latest = later(latest, conflicting(dependencyEntry(table, word >> 3, mask), kind));
      at += 4;
    } else {
      for (let groups = groupsOf(load<u64>(at, 4)); groups != 0; groups &= groups - 1) {
        latest = later(latest, conflicting(dependencyEntry(table, (word >> 3) * 8 + ctz<u32>(groups) + 0x40000000, mask), kind));
      }
      at += 12;
    }
  }
  store<u32>(worker, touched, WRK_WORK_SINK);
  return latest;
}

/** Reads the lists of a batch; leaves, for each own transaction, 1 + the index that it waits for (0: nothing). */
function readLists(worker: usize, id: u32, from: u32, to: u32): void {
  const base = load<u32>(0, REG_DEPENDENCY_BASE);
  const mask = load<u32>(0, REG_DEPENDENCY_MASK);
  const table = load<u32>(worker, WRK_DEPENDENCIES);
  let barrier = load<u32>(worker, WRK_BARRIER);
  for (let index = from; index < to; index++) {
    const list = load<u32>(listOf(index));
    const bytes = load<u32>(listOf(index), 4);
    if (ownerOf(index) != id) {
      if (list == 0) barrier = index + 1;
      else noteOthers(table, mask, list, bytes, base + index + 1);
      continue;
    }
    const latest = list == 0 ? base + index : latestOther(worker, table, mask, list, bytes);
    store<u32>(worker + WRK_PREDECESSORS + ((<usize>(index & (BATCH - 1))) << 2), later(barrier, latest > base ? latest - base : 0));
  }
  store<u32>(worker, barrier, WRK_BARRIER);
}

/** Waits until the other workers are past `before - 1`. False: the block stops, or (thread 0) nothing moves. */
@inline
function awaitDone(worker: usize, before: u32): bool {
  return before <= load<u32>(worker, WRK_SEEN_WATERMARK) || awaitWatermark(worker, before);
}

function awaitWatermark(worker: usize, before: u32): bool {
  const patience: u32 = load<u32>(worker, WRK_ID) == 0 ? STALL_ROUNDS : 0xffffffff;
  for (let rounds: u32 = 0; rounds < patience; rounds++) {
    const seen = watermark();
    store<u32>(worker, seen, WRK_SEEN_WATERMARK);
    if (before <= seen) return true;
    if (stopped()) return false;
    pause(worker, rounds);
  }
  return false;
}

// --- Running --------------------------------------------------------------------------------------------------------------------------

/** Runs one transaction under its list. False: the block stops. */
@inline
export function runListed<P>(program: P, worker: usize, index: u32): bool {
  const list = listOf(index);
  const from = load<u32>(list);
  store<u32>(worker, index + 1, WRK_CURRENT);
  if (!roomToUndo(worker)) return false;
  plantedFault(worker, index);
  if (from == 0) return runInPlace<P, JournalView>(program, changetype<JournalView>(worker), index);
  store<u32>(worker, from, WRK_CURSOR);
  store<u32>(worker, from + load<u32>(list, 4), WRK_CURSOR_END);
  if (!runInPlace<P, ListedView>(program, changetype<ListedView>(worker), index)) return false;
  return load<u32>(worker, WRK_FAULT) == 0;
}

/** Runs until the block has ended or stopped (thread 0: or has something to report, or nothing moves): RETURN_*. */
export function deterministic<P>(program: P, id: u32): u32 {
  const worker = workerBlock(id);
  const count = blockCount();
  const slice = id == 0 ? load<u32>(0, BLK_SLICE) : 0;
  const reportAt = slice == 0 ? 0xffffffff : watermark() + slice;
  let next = load<u32>(worker, WRK_CHUNK_NEXT);
  let end = load<u32>(worker, WRK_CHUNK_END);
  while (!stopped()) {
    for (; next < end; next++) {
      if (ownerOf(next) != id) continue;
      const before = load<u32>(worker + WRK_PREDECESSORS + ((<usize>(next & (BATCH - 1))) << 2));
      if (before > load<u32>(worker, WRK_SEEN_WATERMARK)) {
        // Transactions of others lie between the last one and this: before it waits, a worker says that it has passed them.
        atomic.store<u32>(worker, next, WRK_PROGRESS);
        if (!awaitDone(worker, before)) {
          store<u32>(worker, next, WRK_CHUNK_NEXT);
          return stopped() ? RETURN_ENDED : RETURN_STALLED;
        }
      }
      if (!runListed<P>(program, worker, next)) return RETURN_ENDED;
      atomic.store<u32>(worker, next + 1, WRK_PROGRESS);
    }
    store<u32>(worker, 0, WRK_CURRENT);
    store<u32>(worker, next, WRK_CHUNK_NEXT);
    if (end == count) break;
    atomic.store<u32>(worker, end, WRK_PROGRESS);
    const limit = (end & ~(BATCH - 1)) + BATCH;
    const from = end;
    end = limit < count ? limit : count;
    store<u32>(worker, end, WRK_CHUNK_END);
    readLists(worker, id, from, end);
    if (slice != 0 && watermark() >= reportAt) {
      publishCommitted(watermark());
      return RETURN_REPORT;
    }
  }
  if (!stopped()) atomic.store<u32>(worker, IDLE, WRK_PROGRESS);
  return id == 0 ? reportOthers(worker, count, reportAt) : RETURN_ENDED;
}

/**
 * Undoes everything that the block wrote. Thread 0, when all others have left. Every worker kept a log of inverses, in its own order;
 * merged from the latest transaction to the earliest they put back what was there.
 */
export function undo(): void {
  const workers = load<u32>(0, BLK_WORKERS);
  while (true) {
    let latest: usize = 0;
    let transaction: u32 = 0;
    for (let id: u32 = 0; id < workers; id++) {
      const block = workerBlock(id);
      const top = load<u32>(block, WRK_UNDO_TOP);
      if (top == load<u32>(block, WRK_UNDO_START)) continue;
      const writer = load<u32>(top - UNDO_BYTES);
      if (latest == 0 || writer > transaction) {
        transaction = writer;
        latest = block;
      }
    }
    if (latest == 0) return;
    const entry = <usize>(load<u32>(latest, WRK_UNDO_TOP) - UNDO_BYTES);
    store<u32>(latest, <u32>entry, WRK_UNDO_TOP);
    const to = addressOf(load<u32>(entry, 4));
    const kind = load<u32>(entry, 8);
    if (kind == TRACE_WRITE) {
      const bytes = load<u32>(entry, 12);
      store<u32>(to, load<u32>(entry, 16 + RECORD_META), RECORD_META);
      memory.copy(to + RECORD_PAYLOAD, entry + 16 + RECORD_PAYLOAD, bytes - RECORD_PAYLOAD);
    } else if (kind == TRACE_ADD) {
      const field = to + (load<u32>(entry, 12) << 3);
      store<i64>(field, load<i64>(field, RECORD_PAYLOAD) - load<i64>(entry, 16), RECORD_PAYLOAD);
    } else if (kind == TRACE_BITS_CLEAR) store<u64>(to, load<u64>(to, BITS_WORD) | load<u64>(entry, 16), BITS_WORD);
    else store<u64>(to, load<u64>(to, BITS_WORD) & ~load<u64>(entry, 16), BITS_WORD);
  }
}
