/**
 * The deterministic executor: every transaction comes with the list of what it touches, so the order that matters is known before it
 * runs. Nothing is copied, validated or run twice.
 *
 * Workers claim `stride` transactions at a time, in order, under a token. The holder of the token reads their lists: it works out for
 * each transaction the latest earlier one that it depends on, and saves the pre-images of what they write. Then it passes the token on and
 * runs its transactions in place, each as soon as everything up to the one that it depends on is done.
 *
 * One number per transaction is enough because workers finish in order what they claim in order: "all up to p are done" is the least
 * progress of all workers. Only what other chunks do counts: inside a chunk the order is kept anyway.
 *
 * Lists are a producer's (exact: every access is compared with the next entry before it happens) or declared by the transaction (a set).
 * A transaction without a list runs alone. One that leaves its list stops the block before it has touched anything outside; the host
 * then undoes the block and runs it serially: one rule, the same on every node.
 */
import {
  BLK_LIST,
  BLK_PREDECESSORS,
  BLK_SLICE,
  BLK_STRIDE,
  CTL_CLAIMED,
  CTL_TOKEN,
  CTL_UNDO_TOP,
  RECORD_META,
  RECORD_PAYLOAD,
  REG_DEPENDENCIES,
  REG_DEPENDENCY_BASE,
  REG_DEPENDENCY_MASK,
  REG_UNDO_POOL,
  RETURN_ENDED,
  RETURN_REPORT,
  RETURN_STALLED,
  STALL_ROUNDS,
  TRACE_ADD,
  TRACE_BITS_READ,
  TRACE_READ,
  TRACE_WRITE,
  WRK_CHUNK_END,
  WRK_CHUNK_NEXT,
  WRK_CURRENT,
  WRK_CURSOR,
  WRK_CURSOR_END,
  WRK_FAULT,
  WRK_ID,
  WRK_PROGRESS,
  WRK_SEEN_WATERMARK,
  WRK_WORK_SINK,
} from '../layout';
import { addressOf, pause, recordBytesOf, stopped } from './memory';
import { blockCount, IDLE, plantedFault, publishCommitted, runInPlace, watermark, workerBlock } from './schedule';
import { JournalView, ListedView, savePreImage } from './view-in-place';

/**
 *   dependency entry, 16 bytes, by hash of the location (records that share an entry wait for each other without need)
 *    0  u32  stamp of the last transaction that writes it (or clears bits); a stamp is base + index + 1
 *    4  u32  that reads it
 *    8  u32  that adds to it (or sets bits)
 *   12  u32  the last reader or adder before the chunk that is being claimed, once that chunk has read or added
 *
 * A chunk is run by one worker in order, so only what other chunks do is waited for.
 */
// @ts-ignore: decorator
@inline
function dependencyEntry(key: u32, quarters: u32, mask: u32): usize {
  const index = ((key * 0x9e3779b1) >> 12) & (mask >> 2);
  return <usize>load<u32>(0, REG_DEPENDENCIES) + ((<usize>(index + quarters * ((mask >> 2) + 1))) << 4);
}

/** Records have two quarters of the table, words of bits and their groups one each: their fields mean different things. */
// @ts-ignore: decorator
@inline
function recordEntry(location: u32, mask: u32): usize {
  return dependencyEntry(location, location & 1, mask);
}

// @ts-ignore: decorator
@inline
function wordEntry(location: u32, mask: u32): usize {
  return dependencyEntry(location, 2, mask);
}

// @ts-ignore: decorator
@inline
function groupEntry(location: u32, group: u32, mask: u32): usize {
  return dependencyEntry(location * 8 + group, 3, mask);
}

// @ts-ignore: decorator
@inline
function later(a: u32, b: u32): u32 {
  return a > b ? a : b;
}

/** The stamp if it is of an earlier chunk, else 0: the chunk's own order is kept anyway. */
// @ts-ignore: decorator
@inline
function outsideChunk(stamp: u32, chunk: u32): u32 {
  return stamp < chunk ? stamp : 0;
}

// @ts-ignore: decorator
@inline
function readOrAdd(entry: usize, field: u32, otherField: u32, self: u32, chunk: u32): u32 {
  const same = load<u32>(entry + field);
  const other = load<u32>(entry + otherField);
  if (same < chunk && other < chunk) store<u32>(entry, later(same, other), 12);
  store<u32>(entry + field, self);
  return later(outsideChunk(load<u32>(entry), chunk), other < chunk ? other : load<u32>(entry, 12));
}

// @ts-ignore: decorator
@inline
function overwrite(entry: usize, self: u32, chunk: u32): u32 {
  const read = load<u32>(entry, 4);
  const added = load<u32>(entry, 8);
  let latest = outsideChunk(load<u32>(entry), chunk);
  latest = later(latest, later(outsideChunk(read, chunk), outsideChunk(added, chunk)));
  if (read >= chunk || added >= chunk) latest = later(latest, load<u32>(entry, 12));
  store<u32>(entry, self);
  return latest;
}

/** The groups of eight bits that a mask touches, as the bits of a byte. */
// @ts-ignore: decorator
@inline
function groupsOf(mask: u64): u32 {
  // Bit 7 of each byte is set if the byte is not zero; then gathered.
  const full = ((mask & 0x7f7f7f7f7f7f7f7f) + 0x7f7f7f7f7f7f7f7f) | mask;
  return <u32>((((full >> 7) & 0x0101010101010101) * 0x0102040810204080) >> 56);
}

/**
 * Bits. The word's own entry knows its last reader and its last change; groups of eight bits know their last change. A reader waits for
 * changes in the groups that it looked at, and looks at them only if the word's last change may not be done yet. A change waits for
 * every reader of the word, and for the last change in its group.
 */
function bitDependencies(location: u32, kind: u32, bits: u64, self: u32, chunk: u32, done: u32, mask: u32): u32 {
  const word = wordEntry(location, mask);
  let latest: u32 = 0;
  if (kind == TRACE_BITS_READ) {
    const changed = load<u32>(word);
    if (changed > done) {
      for (let groups = groupsOf(bits); groups != 0; groups &= groups - 1) {
        const group = groupEntry(location, ctz<u32>(groups), mask);
        const last = load<u32>(group);
        latest = later(latest, last < chunk ? last : load<u32>(group, 12));
      }
    }
    const read = load<u32>(word, 4);
    if (read < chunk) store<u32>(word, read, 12);
    store<u32>(word, self, 4);
    return latest;
  }
  const read = load<u32>(word, 4);
  latest = read < chunk ? read : load<u32>(word, 12);
  store<u32>(word, self);
  for (let groups = groupsOf(bits); groups != 0; groups &= groups - 1) {
    const group = groupEntry(location, ctz<u32>(groups), mask);
    const changed = load<u32>(group);
    if (changed < chunk) store<u32>(group, changed, 12);
    latest = later(latest, changed < chunk ? changed : load<u32>(group, 12));
    store<u32>(group, self);
  }
  return latest;
}

/**
 * Touches the records of a list, so that their cache misses overlap. Measured with 100 books: without it every miss is waited for in turn,
 * by a branch on what was loaded, and reading a list takes 330 ns a transaction.
 */
function touchRecords(list: u32, bytes: u32): u32 {
  let touched: u32 = 0;
  const end = list + bytes;
  for (let at = list; at < end; ) {
    const word = load<u32>(at);
    touched ^= load<u32>(addressOf(word >> 3), RECORD_META);
    at += (word & 7) <= TRACE_ADD ? 4 : 12;
  }
  return touched;
}

/**
 * Reads the list of transaction `index`, which is in the chunk that starts at `start`: saves pre-images and returns 1 + the latest
 * transaction of another chunk that it has to wait for (0: none). Called for every transaction in order, by one thread at a time.
 * Everything below `seen` is known to be done.
 */
function dependencies(index: u32, start: u32, seen: u32, list: u32, bytes: u32): u32 {
  const base = load<u32>(0, REG_DEPENDENCY_BASE);
  const mask = load<u32>(0, REG_DEPENDENCY_MASK);
  const self = base + index + 1;
  const chunk = base + start + 1;
  const done = base + seen;
  let latest: u32 = 0;
  const end = list + bytes;
  for (let at = list; at < end; ) {
    const word = load<u32>(at);
    const kind = word & 7;
    const location = word >> 3;
    if (kind <= TRACE_ADD) {
      const entry = recordEntry(location, mask);
      if (kind == TRACE_READ) latest = later(latest, readOrAdd(entry, 4, 8, self, chunk));
      else if (kind == TRACE_WRITE) {
        latest = later(latest, overwrite(entry, self, chunk));
        savePreImage(location, recordBytesOf(location));
      } else {
        latest = later(latest, readOrAdd(entry, 8, 4, self, chunk));
        savePreImage(location, 32);
      }
      at += 4;
    } else {
      latest = later(latest, bitDependencies(location, kind, load<u64>(at, 4), self, chunk, done, mask));
      if (kind != TRACE_BITS_READ) savePreImage(location, 32);
      at += 12;
    }
  }
  return latest > base ? latest - base : 0;
}

// @ts-ignore: decorator
@inline
function listOf(index: u32): usize {
  return load<u32>(0, BLK_LIST) + (index << 3);
}

/** Waits until transactions 0..before-1 are done. False: the block stops, or (thread 0) nothing moves. */
// @ts-ignore: decorator
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

/** Runs one transaction under its list. False: the block stops. */
// @ts-ignore: decorator
@inline
export function runListed<P>(program: P, worker: usize, index: u32): bool {
  const list = listOf(index);
  const from = load<u32>(list);
  const end = from + load<u32>(list, 4);
  store<u32>(worker, from, WRK_CURSOR);
  store<u32>(worker, end, WRK_CURSOR_END);
  plantedFault(worker, index);
  if (!runInPlace<P, ListedView>(program, changetype<ListedView>(worker), index)) return false;
  return load<u32>(worker, WRK_FAULT) == 0;
}

/** Runs until the block has ended or stopped (thread 0: or has something to report, or nothing moves): RETURN_*. */
export function deterministic<P>(program: P, id: u32): u32 {
  const worker = workerBlock(id);
  const count = blockCount();
  const slice = id == 0 ? load<u32>(0, BLK_SLICE) : 0;
  const reportAt = slice == 0 ? 0xffffffff : watermark() + slice;
  let rounds: u32 = 0;
  while (!stopped()) {
    let index = load<u32>(worker, WRK_CHUNK_NEXT);
    const end = load<u32>(worker, WRK_CHUNK_END);
    for (; index < end; index++) {
      store<u32>(worker, index + 1, WRK_CURRENT);
      const before = load<u32>(<usize>load<u32>(0, BLK_PREDECESSORS) + (index << 2));
      if (before > load<u32>(worker, WRK_SEEN_WATERMARK)) atomic.store<u32>(worker, index, WRK_PROGRESS);
      if (!awaitDone(worker, before)) {
        store<u32>(worker, index, WRK_CHUNK_NEXT);
        return stopped() ? RETURN_ENDED : RETURN_STALLED;
      }
      if (!runListed<P>(program, worker, index)) return RETURN_ENDED;
      // Measured: an atomic store is 7 ns; others rarely wait for the last three.
      if ((index & 3) == 3) atomic.store<u32>(worker, index + 1, WRK_PROGRESS);
    }
    store<u32>(worker, index, WRK_CHUNK_NEXT);
    store<u32>(worker, 0, WRK_CURRENT);
    atomic.store<u32>(worker, IDLE, WRK_PROGRESS);
    if (slice != 0) {
      const done = watermark();
      if (done >= reportAt && done < count) {
        publishCommitted(done);
        return RETURN_REPORT;
      }
    }
    if (!claim<P>(program, worker, count)) {
      // All is claimed; thread 0 stays to report what others finish.
      if (id != 0 && atomic.load<u32>(0, CTL_CLAIMED) >= count) return RETURN_ENDED;
      const done = watermark();
      if (id == 0) publishCommitted(done);
      if (done >= count) return RETURN_ENDED;
      if (done >= reportAt) return RETURN_REPORT;
      pause(worker, ++rounds);
      if (id == 0 && rounds == STALL_ROUNDS) return RETURN_STALLED;
    } else rounds = 0;
  }
  return RETURN_ENDED;
}

/** Takes the next transactions and reads their lists. False: another worker is at it, there are none left, or the block stops. */
function claim<P>(program: P, worker: usize, count: u32): bool {
  if (atomic.load<u32>(0, CTL_CLAIMED) >= count) return false;
  // Not waited for here: thread 0 must be able to tell that its holder has died.
  if (atomic.cmpxchg<u32>(CTL_TOKEN, 0, load<u32>(worker, WRK_ID) + 1) != 0) return false;
  const start = load<u32>(0, CTL_CLAIMED);
  let claimed = false;
  if (start < count) {
    const stride = load<u32>(0, BLK_STRIDE);
    const limit = count - start < stride ? count : start + stride;
    atomic.store<u32>(worker, start, WRK_PROGRESS);
    const predecessors = load<u32>(0, BLK_PREDECESSORS);
    const seen = watermark();
    let touched: u32 = 0;
    for (let index = start; index < limit; index++) touched ^= touchRecords(load<u32>(listOf(index)), load<u32>(listOf(index), 4));
    store<u32>(worker, touched, WRK_WORK_SINK);
    let end = start;
    while (end < limit) {
      const list = load<u32>(listOf(end));
      if (list == 0) break;
      store<u32>(predecessors + (end << 2), dependencies(end, start, seen, list, load<u32>(listOf(end), 4)));
      end++;
    }
    if (end == start) {
      // No list: it runs alone, with the token held, when everything before it is done.
      atomic.store<u32>(0, start + 1, CTL_CLAIMED);
      claimed = awaitBarrier(worker, start) && runInPlace<P, JournalView>(program, changetype<JournalView>(worker), start);
      end = start + 1;
      store<u32>(worker, end, WRK_CHUNK_NEXT);
      atomic.store<u32>(worker, IDLE, WRK_PROGRESS);
    } else {
      store<u32>(worker, start, WRK_CHUNK_NEXT);
      claimed = true;
      atomic.store<u32>(0, end, CTL_CLAIMED);
    }
    store<u32>(worker, end, WRK_CHUNK_END);
    // A full pool of pre-images: what was claimed must not run.
    if (stopped()) claimed = false;
  }
  atomic.store<u32>(0, 0, CTL_TOKEN);
  return claimed;
}

/** As awaitDone, without an end of patience: the token is held, and a worker that died meanwhile is noticed by another. */
function awaitBarrier(worker: usize, before: u32): bool {
  while (!stopped()) {
    if (awaitDone(worker, before)) return true;
  }
  return false;
}

/** Undoes everything that the block wrote: puts all pre-images back. Thread 0, when all others have left. */
export function undo(): void {
  let at = load<u32>(0, REG_UNDO_POOL);
  const end = load<u32>(0, CTL_UNDO_TOP);
  while (at < end) {
    const bytes = load<u32>(at, 4);
    const to = addressOf(load<u32>(at));
    store<u32>(to, load<u32>(at, 16 + RECORD_META), RECORD_META);
    memory.copy(to + RECORD_PAYLOAD, at + 16 + RECORD_PAYLOAD, bytes - RECORD_PAYLOAD);
    at += 16 + bytes;
  }
  store<u32>(0, load<u32>(0, REG_UNDO_POOL), CTL_UNDO_TOP);
}
