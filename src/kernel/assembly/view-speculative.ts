/**
 * The view of a transaction that runs before its turn, while earlier transactions commit: it copies every record it touches into its
 * own log, changes the copies, and the committer later checks that what was read still stands (`validate`) and puts the changes in
 * place (`apply`). See docs/decisions/0003-optimistic-executor.md.
 *
 *   log of one execution, in the worker's arena
 *    0  u32  end       address behind the last entry
 *    4  u32  code      result of the program
 *    8  u32  events    address, 12 u32 their length
 *   16  u32  trace     address, 20 u32 its length in bytes (0 when not recorded)
 *   24  u32  executions
 *   28  u32  faulted   records did not fit together
 *   32  entries, each 32 bytes and its data:
 *    0  u32  location
 *    4  u8   kind      ENTRY_*
 *    5  u8   bytes     of the data: 32 or 64
 *    6  u16  chain     next entry of the same bucket: (address - log) / 32, 0 = last
 *    8  u32  version   of the record when it was copied
 *   12  u32  note      1: take the key back if the record is absent after the commit
 *   16  u64  readMask  bits: what was looked at
 *   24  u64  seen      bits: the word when it was first looked at
 *   32  data: the copy of the record, header included;
 *             bits: u64 word with own changes, u64 set, u64 cleared;  sums: u64 zero, i64[3] deltas
 *
 * Invariant: a copy is of one version. The reader loads the version, copies, and loads the version again; the committer makes it odd
 * before it changes the record (seqlock). Versions are compared, never hashes; bits are compared by value under the mask.
 * All log entries of one location are one entry, so that a transaction sees its own writes.
 */
import {
  BITS_WORD,
  BLK_MUTATION,
  BLK_RECORD,
  CTL_STOP,
  MUTATION_LOST_DELTA,
  MUTATION_NO_MASK,
  MUTATION_NO_TOMBSTONE,
  MUTATION_NO_VALIDATION,
  RECORD_META,
  RECORD_PAYLOAD,
  RECORD_PRESENT,
  TRACE_ADD,
  TRACE_BITS_CLEAR,
  TRACE_BITS_READ,
  TRACE_BITS_SET,
  TRACE_READ,
  TRACE_WRITE,
  TX_LOG_BYTES_MAX,
  WRK_CONFLICT_CLASSES,
  WRK_FAULT,
  WRK_FENCE,
  WRK_GENERATION,
  WRK_LOG_START,
  WRK_LOG_TOP,
  WRK_TABLE,
} from '../layout';
import { interleave } from './adversary';
import { addressOf, assertKernel, classOf } from './memory';
import { emitEvent, noteEmpty, noteReclaim, trace, traceBits } from './pools';
import { work } from './record';
import { highest, lookedAtDown, lookedAtUp, lowest } from './view-in-place';

export const LOG_HEADER = 32;
export const LOG_END = 0;
export const LOG_CODE = 4;
export const LOG_EVENTS = 8;
export const LOG_EVENT_BYTES = 12;
export const LOG_TRACE = 16;
export const LOG_TRACE_BYTES = 20;
export const LOG_EXECUTIONS = 24;
export const LOG_FAULTED = 28;

const ENTRY_DATA: usize = 32;
const ENTRY_READ: u32 = 1;
const ENTRY_WRITE: u32 = 2;
const ENTRY_ADD: u32 = 3;
const ENTRY_BITS: u32 = 4;
const TABLE_MASK: u32 = 255;

/** Begins an empty log at the top of the worker's arena. */
@inline
export function beginLog(worker: usize, at: u32): void {
  store<u32>(worker, at, WRK_LOG_START);
  store<u32>(worker, at + LOG_HEADER, WRK_LOG_TOP);
  store<u32>(worker, 0, WRK_FAULT);
  const generation = load<u32>(worker, WRK_GENERATION) + 1;
  if (generation == 0x10000) {
    memory.fill(worker + WRK_TABLE, 0, (TABLE_MASK + 1) * 4);
    store<u32>(worker, 1, WRK_GENERATION);
  } else store<u32>(worker, generation, WRK_GENERATION);
}

@inline
function bucketOf(worker: usize, location: u32): usize {
  return worker + WRK_TABLE + ((<usize>((location ^ (location >> 8)) & TABLE_MASK)) << 2);
}

/** The transaction's own entry for a location, 0 if it has none. */
@inline
function find(worker: usize, location: u32): usize {
  const bucket = load<u32>(bucketOf(worker, location));
  if (bucket >> 16 != load<u32>(worker, WRK_GENERATION)) return 0;
  const log = load<u32>(worker, WRK_LOG_START);
  let entry = log + ((bucket & 0xffff) << 5);
  while (load<u32>(entry) != location) {
    const next = <u32>load<u16>(entry, 6);
    if (next == 0) return 0;
    entry = log + (next << 5);
  }
  return entry;
}

/** A new entry at the head of its bucket's chain. */
@inline
function append(worker: usize, location: u32, kind: u32, bytes: u32): usize {
  const at = load<u32>(worker, WRK_LOG_TOP);
  const used = at - load<u32>(worker, WRK_LOG_START);
  // Programs bound what they touch; should one not, the worker traps and the block is completed serially.
  assertKernel(used < TX_LOG_BYTES_MAX);
  const bucket = bucketOf(worker, location);
  const generation = load<u32>(worker, WRK_GENERATION);
  const head = load<u32>(bucket);
  const chain = head >> 16 == generation ? head & 0xffff : 0;
  store<u32>(bucket, (generation << 16) | (used >> 5));
  store<u32>(at, location);
  store<u32>(at, kind | (bytes << 8) | (chain << 16), 4);
  store<u64>(at, 0, 8);
  store<u32>(worker, at + <u32>ENTRY_DATA + bytes, WRK_LOG_TOP);
  return at;
}

/** Copies a record of which no write is under way; notes its version. */
@inline
function copyStable(entry: usize, location: u32, bytes: u32): void {
  const from = addressOf(location);
  const to = entry + ENTRY_DATA;
  while (true) {
    const before = atomic.load<u32>(from);
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    if (bytes == 64) {
      v128.store(to, v128.load(from, 32), 32);
      v128.store(to, v128.load(from, 48), 48);
    }
    if ((before & 1) == 0 && atomic.load<u32>(from) == before) {
      store<u32>(entry, before, 8);
      return;
    }
    // A write is under way. Its writer may have died: then the block is stopping, and this log will not count.
    if (atomic.load<u32>(0, CTL_STOP) != 0) {
      store<u32>(entry, before, 8);
      return;
    }
  }
}

@unmanaged
@final
export class SpeculativeView {
  read<T>(location: u32): T {
    const worker = changetype<usize>(this);
    if (load<u32>(0, BLK_RECORD) != 0) trace(worker, location, TRACE_READ);
    let entry = find(worker, location);
    if (entry == 0) {
      interleave(worker);
      entry = append(worker, location, ENTRY_READ, offsetof<T>());
      copyStable(entry, location, offsetof<T>());
    } else if (load<u8>(entry, 4) == ENTRY_ADD) sumsToRecord(entry, location);
    return changetype<T>(entry + ENTRY_DATA);
  }

  write<T>(location: u32): T {
    const worker = changetype<usize>(this);
    if (load<u32>(0, BLK_RECORD) != 0) trace(worker, location, TRACE_WRITE);
    let entry = find(worker, location);
    if (entry == 0) {
      interleave(worker);
      entry = append(worker, location, ENTRY_WRITE, offsetof<T>());
      copyStable(entry, location, offsetof<T>());
    } else {
      if (load<u8>(entry, 4) == ENTRY_ADD) sumsToRecord(entry, location);
      store<u8>(entry, ENTRY_WRITE, 4);
    }
    return changetype<T>(entry + ENTRY_DATA);
  }

  firstBit(location: u32, mask: u64): i32 {
    const worker = changetype<usize>(this);
    const entry = bits(worker, location);
    const found = lowest(load<u64>(entry, ENTRY_DATA) & mask);
    const seen = lookedAtUp(mask, found);
    store<u64>(entry, load<u64>(entry, 16) | seen, 16);
    if (load<u32>(0, BLK_RECORD) != 0) traceBits(worker, location, TRACE_BITS_READ, seen);
    return found;
  }

  lastBit(location: u32, mask: u64): i32 {
    const worker = changetype<usize>(this);
    const entry = bits(worker, location);
    const found = highest(load<u64>(entry, ENTRY_DATA) & mask);
    const seen = lookedAtDown(mask, found);
    store<u64>(entry, load<u64>(entry, 16) | seen, 16);
    if (load<u32>(0, BLK_RECORD) != 0) traceBits(worker, location, TRACE_BITS_READ, seen);
    return found;
  }

  setBit(location: u32, bit: u32): bool {
    const worker = changetype<usize>(this);
    const entry = bits(worker, location);
    const mask = (<u64>1) << bit;
    const already = (load<u64>(entry, ENTRY_DATA) & mask) != 0;
    // Whether it was set decides what the access is, so it is validated.
    store<u64>(entry, load<u64>(entry, 16) | mask, 16);
    if (load<u32>(0, BLK_RECORD) != 0) traceBits(worker, location, already ? TRACE_BITS_READ : TRACE_BITS_SET, mask);
    if (already) return true;
    store<u64>(entry, load<u64>(entry, ENTRY_DATA) | mask, ENTRY_DATA);
    store<u64>(entry, load<u64>(entry, ENTRY_DATA + 8) | mask, ENTRY_DATA + 8);
    store<u64>(entry, load<u64>(entry, ENTRY_DATA + 16) & ~mask, ENTRY_DATA + 16);
    return false;
  }

  clearBit(location: u32, bit: u32): void {
    const worker = changetype<usize>(this);
    const entry = bits(worker, location);
    const mask = (<u64>1) << bit;
    store<u64>(entry, load<u64>(entry, ENTRY_DATA) & ~mask, ENTRY_DATA);
    store<u64>(entry, load<u64>(entry, ENTRY_DATA + 8) & ~mask, ENTRY_DATA + 8);
    store<u64>(entry, load<u64>(entry, ENTRY_DATA + 16) | mask, ENTRY_DATA + 16);
    if (load<u32>(0, BLK_RECORD) != 0) traceBits(worker, location, TRACE_BITS_CLEAR, mask);
  }

  add(location: u32, field: u32, delta: i64): void {
    const worker = changetype<usize>(this);
    if (load<u32>(0, BLK_RECORD) != 0) trace(worker, location, TRACE_ADD);
    let entry = find(worker, location);
    if (entry == 0) {
      interleave(worker);
      entry = append(worker, location, ENTRY_ADD, 32);
      v128.store(entry, i64x2.splat(0), ENTRY_DATA);
      v128.store(entry, i64x2.splat(0), ENTRY_DATA + 16);
      if ((load<u32>(0, BLK_MUTATION) & MUTATION_LOST_DELTA) != 0) {
        copyStable(entry, location, 32);
        store<u8>(entry, ENTRY_WRITE, 4);
        store<u32>(entry, 2, 12);
      }
    } else if (load<u8>(entry, 4) != ENTRY_ADD) store<u8>(entry, ENTRY_WRITE, 4);
    const at = entry + ENTRY_DATA + (field << 3);
    store<i64>(at, load<i64>(at, RECORD_PAYLOAD) + delta, RECORD_PAYLOAD);
  }

  @inline
  emit(type: u32, bytes: u32): usize {
    return emitEvent(changetype<usize>(this), type, bytes);
  }

  @inline
  work(): void {
    work(changetype<usize>(this));
  }

  note(location: u32): void {
    const entry = find(changetype<usize>(this), location);
    assertKernel(entry != 0);
    store<u32>(entry, 1, 12);
  }

  inconsistent(): void {
    store<u32>(changetype<usize>(this), 1, WRK_FAULT);
  }
}

/** The transaction's entry for a bit record. The word is read with one atomic load, so it needs no version. */
@inline
function bits(worker: usize, location: u32): usize {
  let entry = find(worker, location);
  if (entry == 0) {
    interleave(worker);
    entry = append(worker, location, ENTRY_BITS, 32);
    const word = atomic.load<u64>(addressOf(location), BITS_WORD);
    store<u64>(entry, 0, 16);
    store<u64>(entry, word, 24);
    store<u64>(entry, word, ENTRY_DATA);
    store<u64>(entry, 0, ENTRY_DATA + 8);
    store<u64>(entry, 0, ENTRY_DATA + 16);
  }
  return entry;
}

/** Deltas become a copy of the record with the deltas added: the transaction now depends on the sums. */
function sumsToRecord(entry: usize, location: u32): void {
  const a = load<i64>(entry, ENTRY_DATA + 8);
  const b = load<i64>(entry, ENTRY_DATA + 16);
  const c = load<i64>(entry, ENTRY_DATA + 24);
  copyStable(entry, location, 32);
  store<i64>(entry, load<i64>(entry, ENTRY_DATA + 8) + a, ENTRY_DATA + 8);
  store<i64>(entry, load<i64>(entry, ENTRY_DATA + 16) + b, ENTRY_DATA + 16);
  store<i64>(entry, load<i64>(entry, ENTRY_DATA + 24) + c, ENTRY_DATA + 24);
  store<u8>(entry, ENTRY_WRITE, 4);
}

/**
 * True if everything that the execution read still stands. The caller holds the commit lock (or knows that nothing commits), so
 * records do not change meanwhile. A failure is counted for its record class in the block of `worker`.
 */
export function validate(worker: usize, log: usize): bool {
  const mutation = load<u32>(0, BLK_MUTATION);
  if ((mutation & MUTATION_NO_VALIDATION) != 0) return true;
  const end = load<u32>(log, LOG_END);
  let entry = log + LOG_HEADER;
  while (entry < end) {
    const kind = load<u8>(entry, 4);
    const location = load<u32>(entry);
    if (kind <= ENTRY_WRITE) {
      if (load<u32>(addressOf(location)) != load<u32>(entry, 8) && (load<u32>(entry, 12) & 2) == 0) return conflict(worker, location);
    } else if (kind == ENTRY_BITS) {
      const word = load<u64>(addressOf(location), BITS_WORD);
      if (((word ^ load<u64>(entry, 24)) & load<u64>(entry, 16)) != 0 && (mutation & MUTATION_NO_MASK) == 0) {
        return conflict(worker, location);
      }
    }
    entry += ENTRY_DATA + load<u8>(entry, 5);
  }
  assertKernel(load<u32>(log, LOG_FAULTED) == 0 || mutation != 0);
  return true;
}

function conflict(worker: usize, location: u32): bool {
  const at = worker + WRK_CONFLICT_CLASSES + ((<usize>classOf(location)) << 2);
  store<u32>(at, load<u32>(at) + 1);
  return false;
}

/**
 * Puts the changes of a valid log in place. Holder of the commit lock only.
 *
 * Danger: readers copy records at the same time. Three phases, divided by one atomic exchange each, which keeps the plain stores of
 * a phase before those of the next: versions odd; bytes; versions even. Measured: two exchanges a transaction instead of two
 * atomic stores a record.
 * Invariant: applying a log twice is the same as applying it once (sums are made absolute in the first phase), so that a log whose
 * committer died half way can be applied again.
 */
export function apply(worker: usize, log: usize): void {
  const end = load<u32>(log, LOG_END);
  const first = log + LOG_HEADER;
  const mutation = load<u32>(0, BLK_MUTATION);
  for (let entry = first; entry < end; entry += ENTRY_DATA + load<u8>(entry, 5)) {
    const kind = load<u8>(entry, 4);
    if (kind == ENTRY_READ || kind == ENTRY_BITS) continue;
    const to = addressOf(load<u32>(entry));
    if (kind == ENTRY_ADD) {
      const data = entry + ENTRY_DATA;
      store<i64>(data, load<i64>(data, 8) + load<i64>(to, 8), 8);
      store<i64>(data, load<i64>(data, 16) + load<i64>(to, 16), 16);
      store<i64>(data, load<i64>(data, 24) + load<i64>(to, 24), 24);
      store<u32>(data, load<u32>(to, RECORD_META), RECORD_META);
      store<u8>(entry, ENTRY_WRITE, 4);
    }
    store<u32>(entry, (load<u32>(to) | 1) + 1, 8);
    store<u32>(to, load<u32>(to) | 1);
  }
  atomic.xchg<u32>(worker, 1, WRK_FENCE);
  for (let entry = first; entry < end; entry += ENTRY_DATA + load<u8>(entry, 5)) {
    const kind = load<u8>(entry, 4);
    if (kind == ENTRY_READ) continue;
    const location = load<u32>(entry);
    const to = addressOf(location);
    const data = entry + ENTRY_DATA;
    if (kind == ENTRY_BITS) {
      const set = load<u64>(data, 8);
      const cleared = load<u64>(data, 16);
      if ((set | cleared) != 0) {
        const word = (load<u64>(to, BITS_WORD) & ~cleared) | set;
        store<u64>(to, word, BITS_WORD);
        if (word == 0) noteEmpty(location);
      }
      continue;
    }
    store<u32>(to, load<u32>(data, RECORD_META), RECORD_META);
    store<u64>(to, load<u64>(data, 8), 8);
    v128.store(to, v128.load(data, 16), 16);
    if (load<u8>(entry, 5) == 64) {
      v128.store(to, v128.load(data, 32), 32);
      v128.store(to, v128.load(data, 48), 48);
    }
  }
  atomic.xchg<u32>(worker, 2, WRK_FENCE);
  for (let entry = first; entry < end; entry += ENTRY_DATA + load<u8>(entry, 5)) {
    if (load<u8>(entry, 4) != ENTRY_WRITE) continue;
    const location = load<u32>(entry);
    const to = addressOf(location);
    let version = load<u32>(entry, 8);
    const absent = (load<u32>(to, RECORD_META) & RECORD_PRESENT) == 0;
    if (absent) {
      if ((load<u32>(entry, 12) & 1) != 0) noteReclaim(location);
      // Planted: a deleted record forgets that it ever was, so what was read before it was created looks valid again.
      if ((mutation & MUTATION_NO_TOMBSTONE) != 0) version = 0;
    }
    store<u32>(to, version);
  }
}
