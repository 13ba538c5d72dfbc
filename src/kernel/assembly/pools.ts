/**
 * Where receipts' events and traces go: chunks of two pools that are emptied at the start of every block.
 *
 * Invariant: the events of one execution lie next to each other; so do the entries of its trace. `beginOutput` makes room for the
 * most that one transaction can produce, so nothing in between checks.
 */
import {
  CTL_EMPTY_COUNT,
  CTL_EVENT_TOP,
  CTL_RECLAIM_COUNT,
  CTL_TRACE_TOP,
  BLK_RECORD,
  EVENT_CHUNK_BYTES,
  REG_EMPTY,
  REG_EVENT_END,
  REG_EVENT_POOL,
  REG_LIST_MAX,
  REG_RECLAIM,
  REG_TRACE_END,
  REG_TRACE_POOL,
  STOP_POOL_FULL,
  TRACE_CHUNK_BYTES,
  TX_EVENT_BYTES_MAX,
  TX_TRACE_BYTES_MAX,
  WRK_EVENT_END,
  WRK_EVENT_START,
  WRK_EVENT_TOP,
  WRK_TRACE_END,
  WRK_TRACE_START,
  WRK_TRACE_TOP,
} from '../layout';
import { requestStop } from './memory';

/** Room for one transaction's events, and for its trace when the block is recorded. False: a pool is full, the block stops. */
@inline
export function beginOutput(worker: usize): bool {
  const top = load<u32>(worker, WRK_EVENT_TOP);
  if (top + TX_EVENT_BYTES_MAX > load<u32>(worker, WRK_EVENT_END)) {
    if (!eventChunk(worker)) return false;
  }
  store<u32>(worker, load<u32>(worker, WRK_EVENT_TOP), WRK_EVENT_START);
  if (load<u32>(0, BLK_RECORD) != 0) {
    if (load<u32>(worker, WRK_TRACE_TOP) + TX_TRACE_BYTES_MAX > load<u32>(worker, WRK_TRACE_END)) {
      if (!traceChunk(worker)) return false;
    }
    store<u32>(worker, load<u32>(worker, WRK_TRACE_TOP), WRK_TRACE_START);
  }
  return true;
}

function eventChunk(worker: usize): bool {
  const at = atomic.add<u32>(CTL_EVENT_TOP, EVENT_CHUNK_BYTES) + load<u32>(0, REG_EVENT_POOL);
  if (at + EVENT_CHUNK_BYTES > load<u32>(0, REG_EVENT_END)) {
    requestStop(STOP_POOL_FULL);
    return false;
  }
  store<u32>(worker, at, WRK_EVENT_TOP);
  store<u32>(worker, at + EVENT_CHUNK_BYTES, WRK_EVENT_END);
  return true;
}

function traceChunk(worker: usize): bool {
  const at = atomic.add<u32>(CTL_TRACE_TOP, TRACE_CHUNK_BYTES) + load<u32>(0, REG_TRACE_POOL);
  if (at + TRACE_CHUNK_BYTES > load<u32>(0, REG_TRACE_END)) {
    requestStop(STOP_POOL_FULL);
    return false;
  }
  store<u32>(worker, at, WRK_TRACE_TOP);
  store<u32>(worker, at + TRACE_CHUNK_BYTES, WRK_TRACE_END);
  return true;
}

/** An event's bytes; `bytes` is a multiple of 8. */
@inline
export function emitEvent(worker: usize, type: u32, bytes: u32): usize {
  const at = load<u32>(worker, WRK_EVENT_TOP);
  store<u32>(worker, at + bytes, WRK_EVENT_TOP);
  store<u32>(at, type | (bytes << 8));
  return at;
}

@inline
export function trace(worker: usize, location: u32, kind: u32): void {
  const at = load<u32>(worker, WRK_TRACE_TOP);
  store<u32>(at, (location << 3) | kind);
  store<u32>(worker, at + 4, WRK_TRACE_TOP);
}

@inline
export function traceBits(worker: usize, location: u32, kind: u32, mask: u64): void {
  const at = load<u32>(worker, WRK_TRACE_TOP);
  store<u32>(at, (location << 3) | kind);
  store<u32>(at, <u32>mask, 4);
  store<u32>(at, <u32>(mask >> 32), 8);
  store<u32>(worker, at + 12, WRK_TRACE_TOP);
}

/** A keyed record was deleted; called once it is certain (in place, or at commit). A full list means a sweep by the host. */
export function noteReclaim(location: u32): void {
  const at = atomic.add<u32>(CTL_RECLAIM_COUNT, 1);
  if (at < load<u32>(0, REG_LIST_MAX)) store<u32>(load<u32>(0, REG_RECLAIM) + (at << 2), location);
}

/** A bit word became zero; its summary is cleaned at the end of the block. */
export function noteEmpty(location: u32): void {
  const at = atomic.add<u32>(CTL_EMPTY_COUNT, 1);
  if (at < load<u32>(0, REG_LIST_MAX)) store<u32>(load<u32>(0, REG_EMPTY) + (at << 2), location);
}
