/**
 * The sharded executor: locations are partitioned over the workers; each partition has a queue of the transactions that touch it, in
 * the block's order (planned queues as in QueCC). A transaction inside one partition runs without any synchronisation; one that spans
 * several runs, on the lowest of them, when all of them have reached it.
 *
 * The plan needs lists (declared or a producer's); a transaction without one counts as touching every partition. Sums that the block
 * only adds to belong to no partition: they are changed atomically. A transaction that leaves its list stops the block, as in the
 * deterministic executor.
 *
 * Invariant: queues ascend, and a worker does not pass a transaction of its queue before it has run; so none waits for itself.
 */
import {
  BLK_LIST,
  BLK_SHARD_ARRIVALS,
  BLK_SHARD_LENGTHS,
  BLK_SHARD_MASKS,
  BLK_SHARD_QUEUES,
  BLK_SLICE,
  BLK_WORKERS,
  CTL_COMMITTED,
  RETURN_ENDED,
  RETURN_REPORT,
  RETURN_STALLED,
  STALL_ROUNDS,
  REG_DEPENDENCY_BASE,
  REG_DEPENDENCY_MASK,
  TRACE_ADD,
  TRACE_BITS_READ,
  WRK_CHUNK_NEXT,
  WRK_CURRENT,
  WRK_DEPENDENCIES,
  WRK_PROGRESS,
} from '../layout';
import { chunkTag, pause, stopped } from './memory';
import { blockCount, IDLE, publishCommitted, reportOthers, watermark, workerBlock } from './schedule';
import { runListed } from './executor-deterministic';

/** The partition of a location: that of its home (a market, say), or its own by hash. */
function partitionOf(location: u32, workers: u32): u32 {
  const home = chunkTag(location) >> 16;
  if (home != 0) return (home - 1) % workers;
  return (((location >> 2) * 0x9e3779b1) >> 16) % workers;
}

@inline
function touchedEntry(location: u32): usize {
  const mask = load<u32>(0, REG_DEPENDENCY_MASK);
  return <usize>load<u32>(workerBlock(0), WRK_DEPENDENCIES) + ((<usize>(((location * 0x9e3779b1) >> 12) & mask)) << 4);
}

/** Plans the block: partitions of every transaction, queues. Thread 0, before the workers start. */
export function planShards(): void {
  const count = blockCount();
  const from = load<u32>(0, CTL_COMMITTED);
  const workers = load<u32>(0, BLK_WORKERS);
  const lists = <usize>load<u32>(0, BLK_LIST);
  const base = load<u32>(0, REG_DEPENDENCY_BASE) + 1;
  // Which sums are also read or written as records?
  for (let index = from; index < count; index++) {
    const list = load<u32>(lists + (index << 3));
    const end = list + load<u32>(lists + (index << 3), 4);
    for (let at = list; at < end; ) {
      const word = load<u32>(at);
      const kind = word & 7;
      if (kind < TRACE_ADD) store<u32>(touchedEntry(word >> 3), base);
      at += kind >= TRACE_BITS_READ ? 12 : 4;
    }
  }
  const masks = <usize>load<u32>(0, BLK_SHARD_MASKS);
  const lengths = <usize>load<u32>(0, BLK_SHARD_LENGTHS);
  const queues = <usize>load<u32>(0, BLK_SHARD_QUEUES);
  const arrivals = <usize>load<u32>(0, BLK_SHARD_ARRIVALS);
  memory.fill(lengths, 0, workers << 2);
  memory.fill(arrivals, 0, count << 3);
  const all: u64 = workers == 64 ? ~(<u64>0) : ((<u64>1) << workers) - 1;
  for (let index = from; index < count; index++) {
    const list = load<u32>(lists + (index << 3));
    const end = list + load<u32>(lists + (index << 3), 4);
    let mask: u64 = list == 0 ? all : 0;
    for (let at = list; at < end; ) {
      const word = load<u32>(at);
      const kind = word & 7;
      const location = word >> 3;
      if (kind != TRACE_ADD || load<u32>(touchedEntry(location)) == base) mask |= (<u64>1) << partitionOf(location, workers);
      at += kind >= TRACE_BITS_READ ? 12 : 4;
    }
    if (mask == 0) mask = (<u64>1) << (index % workers);
    store<u64>(masks + (index << 3), mask);
    for (let rest = mask; rest != 0; rest &= rest - 1) {
      const partition = <u32>ctz<u64>(rest);
      const length = load<u32>(lengths + (partition << 2));
      store<u32>(queues + ((<usize>partition * count + length) << 2), index);
      store<u32>(lengths + (partition << 2), length + 1);
    }
  }
}

/** Runs until the block has ended or stopped (thread 0: or has something to report, or nothing moves): RETURN_*. */
export function sharded<P>(program: P, id: u32): u32 {
  const worker = workerBlock(id);
  const count = blockCount();
  const slice = id == 0 ? load<u32>(0, BLK_SLICE) : 0;
  const reportAt = slice == 0 ? 0xffffffff : watermark() + slice;
  const queue = <usize>load<u32>(0, BLK_SHARD_QUEUES) + ((<usize>id * count) << 2);
  const length = load<u32>(<usize>load<u32>(0, BLK_SHARD_LENGTHS) + (id << 2));
  let next = load<u32>(worker, WRK_CHUNK_NEXT);
  for (; next < length; next++) {
    if (stopped()) return RETURN_ENDED;
    const index = load<u32>(queue + (next << 2));
    atomic.store<u32>(worker, index, WRK_PROGRESS);
    if (slice != 0 && watermark() >= reportAt) {
      store<u32>(worker, next, WRK_CHUNK_NEXT);
      publishCommitted(watermark());
      return RETURN_REPORT;
    }
    if (!visit<P>(program, worker, id, index, count)) {
      store<u32>(worker, next, WRK_CHUNK_NEXT);
      return stopped() ? RETURN_ENDED : RETURN_STALLED;
    }
  }
  store<u32>(worker, next, WRK_CHUNK_NEXT);
  store<u32>(worker, 0, WRK_CURRENT);
  atomic.store<u32>(worker, IDLE, WRK_PROGRESS);
  return id == 0 ? reportOthers(worker, count, reportAt) : RETURN_ENDED;
}

function visit<P>(program: P, worker: usize, id: u32, index: u32, count: u32): bool {
  const mask = load<u64>(<usize>load<u32>(0, BLK_SHARD_MASKS) + (index << 3));
  if (popcnt<u64>(mask) == 1) return runListed<P>(program, worker, index);
  const arrivals = <usize>load<u32>(0, BLK_SHARD_ARRIVALS) + (index << 2);
  const done = arrivals + ((<usize>count) << 2);
  if (<u32>ctz<u64>(mask) == id) {
    if (!awaitWord(id, arrivals, <u32>popcnt<u64>(mask) - 1)) return false;
    if (!runListed<P>(program, worker, index)) return false;
    atomic.store<u32>(done, 1);
    return true;
  }
  // Worker 0 is in every set that it visits as the lowest, so only the others arrive here, once each.
  atomic.add<u32>(arrivals, 1);
  return awaitWord(id, done, 1);
}

function awaitWord(id: u32, address: usize, value: u32): bool {
  const patience: u32 = id == 0 ? STALL_ROUNDS : 0xffffffff;
  for (let rounds: u32 = 0; rounds < patience; rounds++) {
    if (atomic.load<u32>(address) == value) return true;
    if (stopped()) return false;
    pause(workerBlock(id), rounds);
  }
  return false;
}
