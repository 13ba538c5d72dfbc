/**
 * Marks every record of the state, as if a block had written all of them: what the state tree is filled from.
 *
 * Invariant: exactly the records that the host's walk gives (recordLocations in src/execution/state.ts) have their bits set.
 * Thread 0, while nothing else runs. Records lie in chunks that know their class, keyed ones are in the key table.
 */
import { addressOf, chunkTag } from '../../kernel/assembly/memory';
import {
  CHUNK_BYTES,
  RECORD_META,
  RECORD_PRESENT,
  REG_CHUNK_NEXT,
  REG_DIRTY,
  REG_DIRTY_SCAN,
  REG_KEY_MASK,
  REG_KEYS,
  WORKER_BYTES,
  WORKERS_BASE,
  WORKERS_MAX,
} from '../../kernel/layout';
import { keyAt } from './collect';

/** `scratch`: 64 bytes. */
export function markRecords(scratch: usize): void {
  const end = load<u32>(0, REG_CHUNK_NEXT) * (CHUNK_BYTES >> 5);
  // Chunks of class 0 hold keyed records, and all that is no record.
  for (let chunk = (WORKERS_BASE + WORKERS_MAX * WORKER_BYTES) >> 5; chunk < end; chunk += CHUNK_BYTES >> 5) {
    const tag = chunkTag(chunk);
    if ((tag & 0xff) != 0) markChunk(chunk, tag, scratch);
  }
  const table = <usize>load<u32>(0, REG_KEYS);
  const mask = load<u32>(0, REG_KEY_MASK);
  for (let i: u32 = 0; ; i++) {
    const location = <u32>load<u64>(table + ((<usize>i) << 3));
    if (location != 0) markRecord(location, 0, scratch);
    if (i == mask) break;
  }
  store<u32>(0, 1, REG_DIRTY_SCAN);
}

function markChunk(chunk: u32, tag: u32, scratch: usize): void {
  const step = max<u32>(1, (tag >> 8) & 0xff);
  for (let location = chunk; location < chunk + (CHUNK_BYTES >> 5); location += step) markRecord(location, tag, scratch);
}

/** Sets the bit of what is a record of the state, and present. */
@inline
function markRecord(location: u32, tag: u32, scratch: usize): void {
  if ((load<u32>(addressOf(location), RECORD_META) & RECORD_PRESENT) == 0 || keyAt(location, tag, scratch) == 0) return;
  const word = <usize>load<u32>(0, REG_DIRTY) + ((<usize>(location >> 5)) << 2);
  store<u32>(word, load<u32>(word) | (1 << (location & 31)));
}
