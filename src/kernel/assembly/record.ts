/**
 * Records, bit records and accumulators as the programs see them, and the small functions that every view offers through its methods.
 *
 * A program is generic over its view V, so each executor gets the program compiled for itself: no dispatch at run time. A view has
 *   read<T>(location): T        bytes that do not change under the reader
 *   write<T>(location): T       bytes to change; what they hold is what a read would give
 *   firstBit, lastBit, setBit, clearBit   of a bit record; reads are validated under the mask that they looked at. Setting a bit that is
 *                     set only reads it, and returns true
 *   add(location, field, delta) of an accumulator: commutes with other adds, conflicts with readers
 *   emit(type, bytes): usize    an event in the receipt; the returned bytes are to be filled in
 *   inconsistent()              a followed key led nowhere: records that do not fit together; never happens in a run that counts
 *   note(location)              a keyed record was deleted: its key can be taken back at the end of the block
 */
import { BLK_WORK_UNITS, RECORD_META, RECORD_PRESENT, RECORD_PAYLOAD, WRK_WORK_SINK } from '../layout';

@inline
export function isPresent<T>(record: T): bool {
  return (load<u32>(changetype<usize>(record), RECORD_META) & RECORD_PRESENT) != 0;
}

/** A record that was obtained by `write` becomes present. */
@inline
export function markPresent<T>(record: T): void {
  const p = changetype<usize>(record);
  store<u32>(p, load<u32>(p, RECORD_META) | RECORD_PRESENT, RECORD_META);
}

/** Writes a record that is absent or present, as present. */
@inline
export function create<V, T>(view: V, location: u32): T {
  const record = view.write<T>(location);
  markPresent<T>(record);
  return record;
}

/** Deletes a record that was obtained by `write`: payload zero, not present. */
@inline
export function remove<T>(record: T): void {
  const p = changetype<usize>(record);
  // Measured: memory.fill of so few bytes is a call out of the module, some 25 ns each.
  store<u64>(p, 0, RECORD_PAYLOAD);
  v128.store(p, i64x2.splat(0), 16);
  if (offsetof<T>() == 64) {
    v128.store(p, i64x2.splat(0), 32);
    v128.store(p, i64x2.splat(0), 48);
  }
  store<u32>(p, load<u32>(p, RECORD_META) & ~RECORD_PRESENT, RECORD_META);
}

/** The extra work that a benchmark asks for, in the middle of a transaction: after its first reads, before its writes. */
@inline
export function work(worker: usize): void {
  const units = load<u32>(0, BLK_WORK_UNITS);
  if (units != 0) spin(worker, units);
}

export function spin(worker: usize, units: u32): void {
  let x = load<u64>(worker, WRK_WORK_SINK);
  for (let i: u32 = 0; i < units; i++) x = x * 6364136223846793005 + 1442695040888963407;
  store<u64>(worker, x, WRK_WORK_SINK);
}
