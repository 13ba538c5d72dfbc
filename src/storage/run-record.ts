/**
 * One run of the index, as the table of runs has it.
 *
 *   table `runs`   u48 number: u8 state, u8 depth, u48 first height, u48 last height, u48 bytes of its keys; of one that grows, behind them, the last key
 *                  that was taken for it
 *
 * Not here: what becomes of runs (index-runs.ts).
 */
import { heightKey, readU48 } from './index-keys.ts';
import type { StoreTables, Write } from './store-tables.ts';

/** It is being made out of others, which count as long as it grows. */
export const GROWING = 1;
/** It counts. */
export const WHOLE = 2;
/** It does not count, and its chunks are removed. */
export const DEAD = 3;

export interface Run {
  readonly number: number;
  readonly depth: number;
  /** Heights of which it has all keys, or had. */
  readonly from: number;
  readonly to: number;
  state: number;
  /** Of its keys. */
  bytes: number;
  /** The last key that was taken for it. */
  position: Uint8Array | undefined;
}

const POSITION_AT = 20;

export function writeOfRun(tables: StoreTables, { number, depth, from, to, state, bytes, position }: Run): Write {
  const value = Buffer.alloc(POSITION_AT + (position?.length ?? 0));
  value[0] = state;
  value[1] = depth;
  value.writeUIntBE(from, 2, 6);
  value.writeUIntBE(to, 8, 6);
  value.writeUIntBE(bytes, 14, 6);
  if (position !== undefined) value.set(position, POSITION_AT);
  return { table: tables.runs, key: heightKey(number), value };
}

/** In the order of their numbers. */
export function readRuns(tables: StoreTables): Run[] {
  return Array.from(tables.runs.getRange({}), ({ key, value }) => ({
    number: readU48(key),
    state: value[0] as number,
    depth: value[1] as number,
    from: readU48(value, 2),
    to: readU48(value, 8),
    bytes: readU48(value, 14),
    position: value.length > POSITION_AT ? value.subarray(POSITION_AT) : undefined,
  }));
}
