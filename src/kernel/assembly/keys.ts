/**
 * The key table: external keys (addresses, client ids, later contract slots) to locations. Resolved once, at admission, by thread 0.
 *
 *   keyed unit, 96 bytes                       table entry, u64
 *    0  record, 32 bytes                        hash << 32 | location; 0 = free
 *   32  u32 length, u8 class, 3 zero bytes
 *   40  u8[52] key, 4 zero bytes
 *
 * Keys are compared in full: two keys never share a location. The hash is seeded per node, so nobody outside can choose collisions.
 * Open addressing with linear probing; a removal shifts the following entries back, so there are no tombstones to pile up.
 * Units are used again last in, first out; the host removes keys in ascending order of location, so locations are the same on every
 * node that has executed the same blocks.
 */
import {
  CHUNK_BYTES,
  REG_KEY_COUNT,
  REG_KEY_FREE,
  REG_KEY_MASK,
  REG_KEY_SEED,
  REG_KEY_UNIT_NEXT,
  REG_KEY_UNITS_LEFT,
  REG_KEYS,
  RECORD_PAYLOAD,
} from '../layout';
import { addressOf, assertKernel, locationOf, takeChunks } from './memory';

export const KEY_UNIT_BYTES = 96;
export const KEY_LENGTH = 32;
export const KEY_CLASS = 36;
export const KEY_BYTES = 40;
const UNITS_PER_GRAB: u32 = 2048; // three chunks

function hashKey(recordClass: u32, key: usize, length: u32): u32 {
  let h = load<u64>(0, REG_KEY_SEED) ^ ((<u64>recordClass) << 56) ^ length;
  for (let i: u32 = 0; i < length; i++) {
    h = (h ^ load<u8>(key + i)) * 0x9fb21c651e98df25;
    h ^= h >> 29;
  }
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93;
  return <u32>(h >> 32);
}

function sameKey(location: u32, recordClass: u32, key: usize, length: u32): bool {
  const unit = addressOf(location);
  if (load<u32>(unit, KEY_LENGTH) != length || load<u8>(unit, KEY_CLASS) != recordClass) return false;
  for (let i: u32 = 0; i < length; i++) {
    if (load<u8>(unit + i, KEY_BYTES) != load<u8>(key + i)) return false;
  }
  return true;
}

/** The location of a key, 0 if it has none. Read-only. */
export function findKey(recordClass: u32, key: usize, length: u32): u32 {
  const mask = load<u32>(0, REG_KEY_MASK);
  const hash = hashKey(recordClass, key, length);
  const table = load<u32>(0, REG_KEYS);
  for (let i = hash & mask; true; i = (i + 1) & mask) {
    const entry = load<u64>(table + (i << 3));
    if (entry == 0) return 0;
    if (<u32>(entry >> 32) == hash && sameKey(<u32>entry, recordClass, key, length)) return <u32>entry;
  }
  return 0;
}

/** The location of a key, made if it has none; 0 when the table or the memory is full. */
export function resolveKey(recordClass: u32, key: usize, length: u32): u32 {
  const found = findKey(recordClass, key, length);
  if (found != 0) return found;
  const mask = load<u32>(0, REG_KEY_MASK);
  const count = load<u32>(0, REG_KEY_COUNT);
  if (count >= mask - (mask >> 3)) return 0;
  const location = takeUnit();
  if (location == 0) return 0;
  const unit = addressOf(location);
  memory.fill(unit + RECORD_PAYLOAD, 0, KEY_UNIT_BYTES - RECORD_PAYLOAD);
  store<u32>(unit, length, KEY_LENGTH);
  store<u8>(unit, <u8>recordClass, KEY_CLASS);
  memory.copy(unit + KEY_BYTES, key, length);
  const hash = hashKey(recordClass, key, length);
  const table = load<u32>(0, REG_KEYS);
  let i = hash & mask;
  while (load<u64>(table + (i << 3)) != 0) i = (i + 1) & mask;
  store<u64>(table + (i << 3), ((<u64>hash) << 32) | location);
  store<u32>(0, count + 1, REG_KEY_COUNT);
  return location;
}

function takeUnit(): u32 {
  const free = load<u32>(0, REG_KEY_FREE);
  if (free != 0) {
    store<u32>(0, load<u32>(addressOf(free), RECORD_PAYLOAD), REG_KEY_FREE);
    return free;
  }
  let left = load<u32>(0, REG_KEY_UNITS_LEFT);
  if (left == 0) {
    // Chunks of keyed units carry class 0; the class of a keyed record is in its unit.
    const at = takeChunks((UNITS_PER_GRAB * KEY_UNIT_BYTES) / CHUNK_BYTES, 0, 32, 0);
    if (at == 0) return 0;
    store<u32>(0, <u32>at, REG_KEY_UNIT_NEXT);
    left = UNITS_PER_GRAB;
  }
  const unit = load<u32>(0, REG_KEY_UNIT_NEXT);
  store<u32>(0, unit + KEY_UNIT_BYTES, REG_KEY_UNIT_NEXT);
  store<u32>(0, left - 1, REG_KEY_UNITS_LEFT);
  return locationOf(unit);
}

/** Takes a key back; its record must be absent. */
export function removeKey(location: u32): void {
  const unit = addressOf(location);
  const length = load<u32>(unit, KEY_LENGTH);
  if (length == 0) return;
  const hash = hashKey(load<u8>(unit, KEY_CLASS), unit + KEY_BYTES, length);
  const mask = load<u32>(0, REG_KEY_MASK);
  const table = load<u32>(0, REG_KEYS);
  let hole = hash & mask;
  while (<u32>load<u64>(table + (hole << 3)) != location) {
    assertKernel(load<u64>(table + (hole << 3)) != 0);
    hole = (hole + 1) & mask;
  }
  for (let i = (hole + 1) & mask; ; i = (i + 1) & mask) {
    const entry = load<u64>(table + (i << 3));
    if (entry == 0) break;
    const wanted = <u32>(entry >> 32) & mask;
    // The entry may move into the hole only if its wanted place is not behind the hole.
    if (((i - wanted) & mask) >= ((i - hole) & mask)) {
      store<u64>(table + (hole << 3), entry);
      hole = i;
    }
  }
  store<u64>(table + (hole << 3), 0);
  store<u32>(unit, 0, KEY_LENGTH);
  store<u32>(unit, load<u32>(0, REG_KEY_FREE), RECORD_PAYLOAD);
  store<u32>(0, location, REG_KEY_FREE);
  store<u32>(0, load<u32>(0, REG_KEY_COUNT) - 1, REG_KEY_COUNT);
}
