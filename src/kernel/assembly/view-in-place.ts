/**
 * Views that change records where they lie: for the serial executor, and for transactions of which it is known that no other
 * transaction touches the same records at the same time.
 *
 *   SerialView    nothing but the access itself: the baseline
 *   TraceView     the same, and leaves the access list
 *   JournalView   the same, and saves the pre-image of a record before its first write in the block (traces when the block is recorded)
 *   ListedView    accesses are compared with the transaction's list before they happen; bits and sums are changed atomically because
 *                 other bits of the word, and other deltas, may change at the same time. Keeps a log to undo by, as JournalView does.
 */
import {
  BITS_WORD,
  BLK_EPOCH,
  BLK_LIST_EXACT,
  BLK_RECORD,
  RECORD_META,
  RECORD_PAYLOAD,
  RECORD_PRESENT,
  STOP_OUTSIDE_SET,
  STOP_POOL_FULL,
  TRACE_ADD,
  TRACE_BITS_CLEAR,
  TRACE_BITS_READ,
  TRACE_BITS_SET,
  TRACE_READ,
  TRACE_WRITE,
  TX_UNDO_BYTES_MAX,
  UNDO_BYTES,
  WRK_CURRENT,
  WRK_CURSOR,
  WRK_CURSOR_END,
  WRK_FAULT,
  WRK_SCRATCH,
  WRK_UNDO_END,
  WRK_UNDO_TOP,
} from '../layout';
import { addressOf, assertKernel, requestStop } from './memory';
import { emitEvent, noteEmpty, noteReclaim, trace, traceBits } from './pools';
import { work } from './record';

/** The lowest set bit, -1 if there is none. */
@inline
export function lowest(word: u64): i32 {
  return word == 0 ? -1 : <i32>ctz<u64>(word);
}

@inline
export function highest(word: u64): i32 {
  return word == 0 ? -1 : 63 - <i32>clz<u64>(word);
}

/** The part of `mask` that finding the lowest bit `found` has looked at. */
@inline
export function lookedAtUp(mask: u64, found: i32): u64 {
  return found < 0 ? mask : mask & (((<u64>2) << found) - 1);
}

@inline
export function lookedAtDown(mask: u64, found: i32): u64 {
  return found < 0 ? mask : mask & ((<u64>-1) << found);
}

/** What all views in place share. */
@unmanaged
class InPlaceView {
  @inline
  emit(type: u32, bytes: u32): usize {
    return emitEvent(changetype<usize>(this), type, bytes);
  }

  @inline
  work(): void {
    work(changetype<usize>(this));
  }

  @inline
  note(location: u32): void {
    noteReclaim(location);
  }
}

@unmanaged
@final
export class SerialView extends InPlaceView {
  @inline
  read<T>(location: u32): T {
    return changetype<T>(addressOf(location));
  }

  @inline
  write<T>(location: u32): T {
    return changetype<T>(addressOf(location));
  }

  @inline
  firstBit(location: u32, mask: u64): i32 {
    return lowest(load<u64>(addressOf(location), BITS_WORD) & mask);
  }

  @inline
  lastBit(location: u32, mask: u64): i32 {
    return highest(load<u64>(addressOf(location), BITS_WORD) & mask);
  }

  @inline
  setBit(location: u32, bit: u32): bool {
    const p = addressOf(location);
    const word = load<u64>(p, BITS_WORD);
    const mask = (<u64>1) << bit;
    if ((word & mask) != 0) return true;
    store<u64>(p, word | mask, BITS_WORD);
    return false;
  }

  @inline
  clearBit(location: u32, bit: u32): void {
    const p = addressOf(location);
    const word = load<u64>(p, BITS_WORD) & ~((<u64>1) << bit);
    store<u64>(p, word, BITS_WORD);
    if (word == 0) noteEmpty(location);
  }

  @inline
  add(location: u32, field: u32, delta: i64): void {
    const p = addressOf(location) + (field << 3);
    store<i64>(p, load<i64>(p, RECORD_PAYLOAD) + delta, RECORD_PAYLOAD);
  }

  @inline
  inconsistent(): void {
    assertKernel(false);
  }
}

@unmanaged
@final
export class TraceView extends InPlaceView {
  @inline
  read<T>(location: u32): T {
    trace(changetype<usize>(this), location, TRACE_READ);
    return changetype<T>(addressOf(location));
  }

  @inline
  write<T>(location: u32): T {
    trace(changetype<usize>(this), location, TRACE_WRITE);
    return changetype<T>(addressOf(location));
  }

  @inline
  firstBit(location: u32, mask: u64): i32 {
    const found = lowest(load<u64>(addressOf(location), BITS_WORD) & mask);
    traceBits(changetype<usize>(this), location, TRACE_BITS_READ, lookedAtUp(mask, found));
    return found;
  }

  @inline
  lastBit(location: u32, mask: u64): i32 {
    const found = highest(load<u64>(addressOf(location), BITS_WORD) & mask);
    traceBits(changetype<usize>(this), location, TRACE_BITS_READ, lookedAtDown(mask, found));
    return found;
  }

  @inline
  setBit(location: u32, bit: u32): bool {
    const p = addressOf(location);
    const word = load<u64>(p, BITS_WORD);
    const mask = (<u64>1) << bit;
    const already = (word & mask) != 0;
    traceBits(changetype<usize>(this), location, already ? TRACE_BITS_READ : TRACE_BITS_SET, mask);
    if (!already) store<u64>(p, word | mask, BITS_WORD);
    return already;
  }

  @inline
  clearBit(location: u32, bit: u32): void {
    traceBits(changetype<usize>(this), location, TRACE_BITS_CLEAR, (<u64>1) << bit);
    const p = addressOf(location);
    const word = load<u64>(p, BITS_WORD) & ~((<u64>1) << bit);
    store<u64>(p, word, BITS_WORD);
    if (word == 0) noteEmpty(location);
  }

  @inline
  add(location: u32, field: u32, delta: i64): void {
    trace(changetype<usize>(this), location, TRACE_ADD);
    const p = addressOf(location) + (field << 3);
    store<i64>(p, load<i64>(p, RECORD_PAYLOAD) + delta, RECORD_PAYLOAD);
  }

  @inline
  inconsistent(): void {
    assertKernel(false);
  }
}

/** Room for what one transaction may have to undo. False: the block stops, and is undone. */
export function roomToUndo(worker: usize): bool {
  if (load<u32>(worker, WRK_UNDO_TOP) + TX_UNDO_BYTES_MAX <= load<u32>(worker, WRK_UNDO_END)) return true;
  requestStop(STOP_POOL_FULL);
  return false;
}

/**
 *   undo entry, 80 bytes, in the log of the worker that made the change
 *    0  u32  transaction + 1
 *    4  u32  location
 *    8  u32  kind      TRACE_WRITE, TRACE_ADD, TRACE_BITS_SET, TRACE_BITS_CLEAR
 *   12  u32  bytes of the record, or field of the sum
 *   16  the record as it was before its first write in the block; or u64 the delta; or u64 the bits that changed
 */
@inline
function undoEntry(worker: usize, location: u32, kind: u32, detail: u32): usize {
  const at = load<u32>(worker, WRK_UNDO_TOP);
  store<u32>(worker, at + UNDO_BYTES, WRK_UNDO_TOP);
  store<u32>(at, load<u32>(worker, WRK_CURRENT));
  store<u32>(at, location, 4);
  store<u32>(at, kind, 8);
  store<u32>(at, detail, 12);
  return at;
}

/** Keeps what a record holds before its first write in the block. Whoever writes it is alone with it. */
@inline
function savePreImage(worker: usize, location: u32, bytes: u32): void {
  const p = addressOf(location);
  const meta = load<u32>(p, RECORD_META);
  const now = load<u32>(0, BLK_EPOCH) << 1;
  if ((meta & ~RECORD_PRESENT) == now) return;
  const at = undoEntry(worker, location, TRACE_WRITE, bytes);
  v128.store(at, v128.load(p), 16);
  v128.store(at, v128.load(p, 16), 32);
  if (bytes == 64) {
    v128.store(at, v128.load(p, 32), 48);
    v128.store(at, v128.load(p, 48), 64);
  }
  store<u32>(p, now | (meta & RECORD_PRESENT), RECORD_META);
}

@unmanaged
@final
export class JournalView extends InPlaceView {
  @inline
  recording(): bool {
    return load<u32>(0, BLK_RECORD) != 0;
  }

  @inline
  read<T>(location: u32): T {
    if (this.recording()) trace(changetype<usize>(this), location, TRACE_READ);
    return changetype<T>(addressOf(location));
  }

  @inline
  write<T>(location: u32): T {
    if (this.recording()) trace(changetype<usize>(this), location, TRACE_WRITE);
    savePreImage(changetype<usize>(this), location, offsetof<T>());
    return changetype<T>(addressOf(location));
  }

  @inline
  firstBit(location: u32, mask: u64): i32 {
    const found = lowest(load<u64>(addressOf(location), BITS_WORD) & mask);
    if (this.recording()) traceBits(changetype<usize>(this), location, TRACE_BITS_READ, lookedAtUp(mask, found));
    return found;
  }

  @inline
  lastBit(location: u32, mask: u64): i32 {
    const found = highest(load<u64>(addressOf(location), BITS_WORD) & mask);
    if (this.recording()) traceBits(changetype<usize>(this), location, TRACE_BITS_READ, lookedAtDown(mask, found));
    return found;
  }

  setBit(location: u32, bit: u32): bool {
    const p = addressOf(location);
    const word = load<u64>(p, BITS_WORD);
    const mask = (<u64>1) << bit;
    const already = (word & mask) != 0;
    if (this.recording()) traceBits(changetype<usize>(this), location, already ? TRACE_BITS_READ : TRACE_BITS_SET, mask);
    if (already) return true;
    store<u64>(undoEntry(changetype<usize>(this), location, TRACE_BITS_SET, 0), mask, 16);
    store<u64>(p, word | mask, BITS_WORD);
    return false;
  }

  clearBit(location: u32, bit: u32): void {
    if (this.recording()) traceBits(changetype<usize>(this), location, TRACE_BITS_CLEAR, (<u64>1) << bit);
    const p = addressOf(location);
    const before = load<u64>(p, BITS_WORD);
    const word = before & ~((<u64>1) << bit);
    if (word != before) store<u64>(undoEntry(changetype<usize>(this), location, TRACE_BITS_CLEAR, 0), (<u64>1) << bit, 16);
    store<u64>(p, word, BITS_WORD);
    if (word == 0) noteEmpty(location);
  }

  add(location: u32, field: u32, delta: i64): void {
    if (this.recording()) trace(changetype<usize>(this), location, TRACE_ADD);
    store<i64>(undoEntry(changetype<usize>(this), location, TRACE_ADD, field), delta, 16);
    const p = addressOf(location) + (field << 3);
    store<i64>(p, load<i64>(p, RECORD_PAYLOAD) + delta, RECORD_PAYLOAD);
  }

  @inline
  inconsistent(): void {
    assertKernel(false);
  }
}

@unmanaged
@final
export class ListedView extends InPlaceView {
  /**
   * True if the access is the next one of an exact list, or is in a declared set. Otherwise the block stops, and the access goes to the
   * worker's own scratch bytes: nothing outside the list is touched.
   */
  @inline
  allowed(location: u32, kind: u32): bool {
    const self = changetype<usize>(this);
    const at = load<u32>(self, WRK_CURSOR);
    if (load<u32>(0, BLK_LIST_EXACT) != 0) {
      if (at < load<u32>(self, WRK_CURSOR_END) && load<u32>(at) == ((location << 3) | kind)) {
        store<u32>(self, at + 4, WRK_CURSOR);
        return true;
      }
      return outside(self);
    }
    return declared(self, at, location, kind);
  }

  @inline
  allowedBits(location: u32, kind: u32, mask: u64): bool {
    const self = changetype<usize>(this);
    const at = load<u32>(self, WRK_CURSOR);
    if (load<u32>(0, BLK_LIST_EXACT) == 0) return declaredBits(self, at, location, kind, mask);
    if (
      at < load<u32>(self, WRK_CURSOR_END) &&
      load<u32>(at) == ((location << 3) | kind) &&
      load<u32>(at, 4) == <u32>mask &&
      load<u32>(at, 8) == <u32>(mask >> 32)
    ) {
      store<u32>(self, at + 12, WRK_CURSOR);
      return true;
    }
    return outside(self);
  }

  @inline
  read<T>(location: u32): T {
    if (!this.allowed(location, TRACE_READ)) return changetype<T>(scratch(changetype<usize>(this)));
    return changetype<T>(addressOf(location));
  }

  @inline
  write<T>(location: u32): T {
    if (!this.allowed(location, TRACE_WRITE)) return changetype<T>(scratch(changetype<usize>(this)));
    savePreImage(changetype<usize>(this), location, offsetof<T>());
    return changetype<T>(addressOf(location));
  }

  @inline
  firstBit(location: u32, mask: u64): i32 {
    const found = lowest(atomic.load<u64>(addressOf(location), BITS_WORD) & mask);
    return this.allowedBits(location, TRACE_BITS_READ, lookedAtUp(mask, found)) ? found : -1;
  }

  @inline
  lastBit(location: u32, mask: u64): i32 {
    const found = highest(atomic.load<u64>(addressOf(location), BITS_WORD) & mask);
    return this.allowedBits(location, TRACE_BITS_READ, lookedAtDown(mask, found)) ? found : -1;
  }

  @inline
  setBit(location: u32, bit: u32): bool {
    const mask = (<u64>1) << bit;
    const already = (atomic.load<u64>(addressOf(location), BITS_WORD) & mask) != 0;
    if (!this.allowedBits(location, already ? TRACE_BITS_READ : TRACE_BITS_SET, mask)) return true;
    if (!already) {
      store<u64>(undoEntry(changetype<usize>(this), location, TRACE_BITS_SET, 0), mask, 16);
      atomic.or<u64>(addressOf(location), mask, BITS_WORD);
    }
    return already;
  }

  @inline
  clearBit(location: u32, bit: u32): void {
    const mask = (<u64>1) << bit;
    if (!this.allowedBits(location, TRACE_BITS_CLEAR, mask)) return;
    const before = atomic.and<u64>(addressOf(location), ~mask, BITS_WORD);
    if ((before & mask) != 0) store<u64>(undoEntry(changetype<usize>(this), location, TRACE_BITS_CLEAR, 0), mask, 16);
    if ((before & ~mask) == 0) noteEmpty(location);
  }

  @inline
  add(location: u32, field: u32, delta: i64): void {
    if (!this.allowed(location, TRACE_ADD)) return;
    store<i64>(undoEntry(changetype<usize>(this), location, TRACE_ADD, field), delta, 16);
    atomic.add<i64>(addressOf(location) + (field << 3), delta, RECORD_PAYLOAD);
  }

  /** After an access outside the list a transaction may see anything; otherwise records always fit together. */
  @inline
  inconsistent(): void {
    assertKernel(load<u32>(changetype<usize>(this), WRK_FAULT) != 0);
  }
}

function outside(worker: usize): bool {
  store<u32>(worker, 1, WRK_FAULT);
  requestStop(STOP_OUTSIDE_SET);
  return false;
}

/** Bytes for accesses that are not allowed; zero each time, so the record is absent. */
function scratch(worker: usize): usize {
  const at = worker + WRK_SCRATCH;
  memory.fill(at, 0, 64);
  return at;
}

/** Declared sets are short: a walk over the entries. Writing covers reading, and a whole record covers its bits and sums. */
function declared(worker: usize, from: u32, location: u32, kind: u32): bool {
  if (load<u32>(0, BLK_RECORD) != 0) trace(worker, location, kind);
  const end = load<u32>(worker, WRK_CURSOR_END);
  for (let at = from; at < end; ) {
    const entry = load<u32>(at);
    if (entry >> 3 == location) {
      const has = entry & 7;
      if (has == kind || has == TRACE_WRITE) return true;
    }
    at += (entry & 7) >= TRACE_BITS_READ ? 12 : 4;
  }
  return outside(worker);
}

function declaredBits(worker: usize, from: u32, location: u32, kind: u32, mask: u64): bool {
  if (load<u32>(0, BLK_RECORD) != 0) traceBits(worker, location, kind, mask);
  const end = load<u32>(worker, WRK_CURSOR_END);
  for (let at = from; at < end; ) {
    const entry = load<u32>(at);
    if ((entry & 7) >= TRACE_BITS_READ) {
      if (entry >> 3 == location && (entry & 7) == kind) {
        const has = <u64>load<u32>(at, 4) | ((<u64>load<u32>(at, 8)) << 32);
        if ((mask & ~has) == 0) return true;
      }
      at += 12;
    } else at += 4;
  }
  return outside(worker);
}
