/**
 * Looking up in the index: from the runs whose heights are asked for, one after the other, the keys of a range.
 *
 * Keys of one term are in the order of heights, and runs are of heights that do not meet: what they have, one behind the other, is in order. Keys of
 * a market are in the order of times first, and are sorted.
 *
 * Invariant: all that is read is of one read transaction, since nothing waits in between. Heights that have been pruned are left out, whether or not their keys
 * are still there.
 * Not here: what a key says (index-keys.ts, store.ts).
 */
import { heightAt, MARKET, readU48 } from './index-keys.ts';
import { chunkKey, compareAt, keyBytesOf, placeOf } from './run-chunks.ts';
import { readRuns, WHOLE } from './run-record.ts';
import type { StoreTables } from './store-tables.ts';

/** Keys of one kind from the least to the greatest, both included. */
export interface KeyRange {
  readonly least: Uint8Array;
  readonly greatest: Uint8Array;
  /** Of the heights that are asked for: runs that have none of them are not looked into. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly newestFirst: boolean;
}

export function keysBetween(tables: StoreTables, range: KeyRange): Uint8Array[] {
  const { to, limit, newestFirst } = range;
  const from = Math.max(range.from, tables.first ?? 0);
  const runs = readRuns(tables).filter((run) => run.state === WHOLE && run.from <= to && run.to >= from);
  runs.sort((a, b) => (newestFirst ? b.from - a.from : a.from - b.from));
  const isInOrder = range.least[0] !== MARKET;
  const bounds = isInOrder ? { ...range, least: notBelow(range.least, from) } : range;
  const found: Uint8Array[] = [];
  for (const { number } of runs) {
    const most = isInOrder ? limit - found.length : limit;
    if (most <= 0) break;
    const keys = newestFirst ? keysDown(tables, number, bounds) : keysUp(tables, number, bounds);
    for (const key of some(keys, from, most)) found.push(key);
  }
  if (isInOrder) return found;
  const sign = newestFirst ? -1 : 1;
  return found.sort((a, b) => sign * compareAt(a, 0, b, 0, a.length)).slice(0, limit);
}

/** The same key, or the first one of its term at this height: what has been pruned is not gone through. */
function notBelow(key: Uint8Array, height: number): Uint8Array {
  const at = heightAt(key[0] as number);
  if (readU48(key, at) >= height) return key;
  const least = Buffer.alloc(key.length);
  least.set(key.subarray(0, at));
  least.writeUIntBE(height, at, 6);
  return least;
}

function some(keys: Iterable<Uint8Array>, from: number, most: number): Uint8Array[] {
  const taken: Uint8Array[] = [];
  for (const key of keys) {
    if (readU48(key, heightAt(key[0] as number)) < from) continue;
    taken.push(key);
    if (taken.length === most) break;
  }
  return taken;
}

function* keysUp({ chunks, folder }: StoreTables, run: number, { least, greatest }: KeyRange): Generator<Uint8Array, void, undefined> {
  for (const { value } of chunks.getRange({ start: chunkKey(run, least), end: chunkKey(run + 1) })) {
    const keyBytes = keyBytesOf(value, folder);
    for (let at = placeOf(value, keyBytes, least, false); at < value.length; at += keyBytes) {
      const key = value.subarray(at, at + keyBytes);
      if (isAfter(key, greatest)) return;
      yield key;
    }
  }
}

function* keysDown({ chunks, folder }: StoreTables, run: number, { least, greatest }: KeyRange): Generator<Uint8Array, void, undefined> {
  // The first chunk that ends with the greatest key or behind it is the last one that can have some.
  const [last] = chunks.getKeys({ start: chunkKey(run, greatest), end: chunkKey(run + 1), limit: 1 });
  for (const { value } of chunks.getRange({ start: last ?? chunkKey(run + 1), end: chunkKey(run), reverse: true })) {
    const keyBytes = keyBytesOf(value, folder);
    for (let at = placeOf(value, keyBytes, greatest, true) - keyBytes; at >= 0; at -= keyBytes) {
      const key = value.subarray(at, at + keyBytes);
      if (isAfter(least, key)) return;
      yield key;
    }
  }
}

function isAfter(one: Uint8Array, other: Uint8Array): boolean {
  return compareAt(one, 0, other, 0, Math.min(one.length, other.length)) > 0;
}
