/**
 * Copies the collected changes as src/base/packed-changes.ts has them, for the host to keep. Thread 0, when they are collected and before they are
 * hashed: hashing overwrites them.
 */
import { changeAt } from '../../commitment/assembly/changes';
import {
  CHANGE_BYTES,
  CHANGE_BYTES_USED,
  CHANGE_DATA,
  CHANGE_KEY_BYTES,
  COM_CHANGE_COUNT,
  COM_PACKED_BYTES,
} from '../../commitment/layout';

const HEAD_BYTES: usize = 3;
const GONE: u32 = 0xffff;

/**
 * Changes `from` and on, one behind the other to `to`, as far as `room` bytes go; returns the first that was not copied, and how many bytes were in
 * COM_PACKED_BYTES. What is no record of the state is left out.
 */
export function packChanges(from: u32, to: usize, room: u32): u32 {
  const start = to;
  const count = load<u32>(0, COM_CHANGE_COUNT);
  // A change is copied in words of eight bytes, and the next one overwrites what was too much.
  const last = to + room - CHANGE_BYTES;
  let index = from;
  for (; index < count && to <= last; index++) {
    const change = changeAt(index);
    const keyBytes = load<u32>(change, CHANGE_KEY_BYTES);
    if (keyBytes == 0) continue;
    const used = load<u32>(change, CHANGE_BYTES_USED);
    const bytes = used == 0 ? keyBytes : used;
    store<u8>(to, <u8>keyBytes);
    store<u16>(to, <u16>(used == 0 ? GONE : used - keyBytes), 1);
    for (let i: usize = 0; i < bytes; i += 8) store<u64>(to + HEAD_BYTES + i, load<u64>(change + CHANGE_DATA + i));
    to += HEAD_BYTES + bytes;
  }
  store<u32>(0, <u32>(to - start), COM_PACKED_BYTES);
  return index;
}
