/**
 * Chunks: what runs of the index are stored in.
 *
 *   table `chunks`   u48 number of the run, the last key of the chunk: keys of one kind, ascending, one behind the other
 *
 * A chunk has at most so many bytes that LMDB, which gives values of more than 2 KB pages of their own, needs one page for it and its head of 16 bytes.
 * Measured with chunks of two pages, single orders: 1.3 KB an order are written in place of 0.9.
 *
 * Invariant: a chunk has one key at least; chunks of a run follow each other in the order of their keys, so the first chunk whose name is not less than a
 * key is the one that has the first key which is not less.
 * Not here: which runs there are (index-runs.ts).
 */
import { bytesOfKind, heightKey, isKind } from './index-keys.ts';
import { damagedText } from './lmdb-error.ts';
import { StorageError } from './storage-error.ts';
import type { StoreTables, Write } from './store-tables.ts';

export const CHUNK_BYTES = 4096 - 16;
const RUN_BYTES = 6;
const NOTHING = new Uint8Array();

/** Where a key is in the table of chunks; without one: what is not behind any chunk of the run. */
export function chunkKey(run: number, key: Uint8Array = NOTHING): Uint8Array {
  const bytes = new Uint8Array(RUN_BYTES + key.length);
  bytes.set(heightKey(run));
  bytes.set(key, RUN_BYTES);
  return bytes;
}

/** How long the keys of a stored chunk are. Throws STORE_DAMAGED if it is none. */
export function keyBytesOf(chunk: Uint8Array, folder: string): number {
  const keyBytes = bytesOfKind(chunk[0] as number);
  if (isKind(chunk[0] as number) && chunk.length % keyBytes === 0) return keyBytes;
  throw new StorageError('STORE_DAMAGED', damagedText(folder, `${chunk.length} bytes of its index are no keys`));
}

export function compareAt(one: Uint8Array, at: number, other: Uint8Array, otherAt: number, bytes: number): number {
  for (let i = 0; i < bytes; i++) {
    const difference = (one[at + i] as number) - (other[otherAt + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Measured on keys of 19 to 47 bytes: a third of the time that bytes take one by one. */
export function copyKey(from: DataView, at: number, to: DataView, toAt: number, bytes: number): void {
  let i = 0;
  for (; i + 4 <= bytes; i += 4) to.setUint32(toAt + i, from.getUint32(at + i));
  for (; i < bytes; i++) to.setUint8(toAt + i, from.getUint8(at + i));
}

/** Where the first key of the chunk begins that is not less than `key`, or is greater; the chunk's end if there is none. */
export function placeOf(chunk: Uint8Array, keyBytes: number, key: Uint8Array, greater: boolean): number {
  const compared = Math.min(keyBytes, key.length);
  let [low, high] = [0, chunk.length / keyBytes];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const difference = compareAt(chunk, middle * keyBytes, key, 0, compared);
    if (difference < 0 || (greater && difference === 0)) low = middle + 1;
    else high = middle;
  }
  return low * keyBytes;
}

/** Cuts keys that come in their order into the chunks of a run. */
export class ChunkWriter {
  /** Of the keys that have come. */
  bytes = 0;
  private readonly run: number;
  private readonly tables: StoreTables;
  private readonly chunkBytes: number;
  private readonly writes: Write[];
  private chunk = NOTHING;
  private view = new DataView(NOTHING.buffer);
  private keyBytes = 0;
  private length = 0;

  /** Chunks go behind `writes` as they are full, the last ones with `end`. */
  constructor(tables: StoreTables, run: number, chunkBytes: number, writes: Write[]) {
    this.tables = tables;
    this.run = run;
    this.chunkBytes = chunkBytes;
    this.writes = writes;
  }

  add(from: DataView, at: number, keyBytes: number): void {
    if (keyBytes !== this.keyBytes || this.length === this.chunk.length) this.begin(keyBytes);
    copyKey(from, at, this.view, this.length, keyBytes);
    this.length += keyBytes;
  }

  /** Many keys of one kind, which stay as they are. */
  addAll(keys: Uint8Array, keyBytes: number): void {
    this.end();
    const most = this.mostBytes(keyBytes);
    for (let at = 0; at < keys.length; at += most) this.write(keys.subarray(at, at + most), keyBytes);
  }

  end(): void {
    if (this.length > 0) this.write(this.chunk.subarray(0, this.length), this.keyBytes);
    this.chunk = NOTHING;
    this.keyBytes = 0;
    this.length = 0;
  }

  private begin(keyBytes: number): void {
    this.end();
    this.keyBytes = keyBytes;
    this.chunk = new Uint8Array(this.mostBytes(keyBytes));
    this.view = new DataView(this.chunk.buffer);
  }

  private mostBytes(keyBytes: number): number {
    return Math.max(1, Math.floor(this.chunkBytes / keyBytes)) * keyBytes;
  }

  private write(value: Uint8Array, keyBytes: number): void {
    this.writes.push({ table: this.tables.chunks, key: chunkKey(this.run, value.subarray(value.length - keyBytes)), value });
    this.bytes += value.length;
  }
}
