/**
 * A step of making one run out of several: some keys of theirs, in their order.
 *
 * A tree of losers says whose key is the next: along the path of who won last, each node has who lost there. Of each key the kind and six bytes are in one
 * number; what is equal so far is compared byte by byte. No object is made per key.
 *
 * Invariant: a step takes the keys that follow `position`, at most so many bytes of them and one key more, and what is left begins behind the last one.
 * Not here: which runs are merged (index-runs.ts).
 */
import { heightAt } from './index-keys.ts';
import { damagedText } from './lmdb-error.ts';
import { type ChunkWriter, chunkKey, compareAt, keyBytesOf, placeOf } from './run-chunks.ts';
import { StorageError } from './storage-error.ts';
import type { StoreTables } from './store-tables.ts';

export interface MergeStep {
  readonly runs: readonly number[];
  /** The last key that was taken. */
  readonly position: Uint8Array | undefined;
  readonly takenBytesMax: number;
  /** Keys of heights below are left out. */
  readonly first: number;
}

export interface MergeProgress {
  readonly takenBytes: number;
  readonly position: Uint8Array | undefined;
  readonly isDone: boolean;
}

const TWO_16 = 2 ** 16;
const TWO_32 = 2 ** 32;
const TWO_48 = 2 ** 48;
/** Bytes of a key that its rank stands for. */
const RANKED_BYTES = 7;
/** Of a run that has no more keys. */
const NONE = Number.POSITIVE_INFINITY;
const NOBODY = -1;
const NOTHING = new Uint8Array();

/** What is taken goes to `into`. */
export function mergeRuns(tables: StoreTables, { runs, position, takenBytesMax, first }: MergeStep, into: ChunkWriter): MergeProgress {
  const cursors: RunCursor[] = [];
  try {
    for (const run of runs) cursors.push(new RunCursor(tables, run, position));
    const tree = new LoserTree(cursors);
    let takenBytes = 0;
    let last: { readonly bytes: Uint8Array; readonly at: number; readonly keyBytes: number } | undefined;
    let cursor = cursors[tree.winner] as RunCursor;
    for (; cursor.rank !== NONE && takenBytes < takenBytesMax; cursor = cursors[tree.winner] as RunCursor) {
      const { bytes, view, at, keyBytes } = cursor;
      if (first === 0 || cursor.height >= first) into.add(view, at, keyBytes);
      takenBytes += keyBytes;
      cursor.next();
      if (takenBytes >= takenBytesMax || cursor.rank === NONE) last = { bytes, at, keyBytes };
      tree.replay();
    }
    into.end();
    const taken = last === undefined ? position : last.bytes.slice(last.at, last.at + last.keyBytes);
    return { takenBytes, position: taken, isDone: cursor.rank === NONE };
  } finally {
    for (const cursor of cursors) cursor.close();
  }
}

class RunCursor {
  bytes: Uint8Array = NOTHING;
  at = 0;
  keyBytes = 0;
  /** In the order of keys, as far as it says: kind and six bytes. */
  rank = 0;
  view: DataView = new DataView(NOTHING.buffer);
  private heightAt = 0;
  private readonly folder: string;
  private readonly chunks: Iterator<{ readonly value: Uint8Array }>;

  constructor(tables: StoreTables, run: number, position: Uint8Array | undefined) {
    this.folder = tables.folder;
    this.chunks = tables.chunks.getRange({ start: chunkKey(run, position), end: chunkKey(run + 1) })[Symbol.iterator]();
    this.open();
    if (position === undefined || this.rank === NONE) return;
    this.at = placeOf(this.bytes, this.keyBytes, position, true);
    if (this.at === this.bytes.length) this.open();
    else this.rank = this.rankAt();
  }

  get height(): number {
    const at = this.at + this.heightAt;
    return this.view.getUint16(at) * TWO_32 + this.view.getUint32(at + 2);
  }

  next(): void {
    const { bytes, at, keyBytes, rank } = this;
    this.at += keyBytes;
    if (this.at === bytes.length) this.open();
    else this.rank = this.rankAt();
    if (this.rank > rank || (this.rank === rank && compareAt(bytes, at, this.bytes, this.at, keyBytes) < 0)) return;
    throw new StorageError('STORE_DAMAGED', damagedText(this.folder, 'keys of its index are out of order'));
  }

  close(): void {
    this.chunks.return?.();
  }

  /** The next chunk. */
  private open(): void {
    const { done, value: entry } = this.chunks.next();
    if (done === true) {
      this.rank = NONE;
      return;
    }
    const { value } = entry;
    this.keyBytes = keyBytesOf(value, this.folder);
    this.bytes = value;
    this.view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    this.heightAt = heightAt(value[0] as number);
    this.at = 0;
    this.rank = this.rankAt();
  }

  private rankAt(): number {
    const { view, bytes, at } = this;
    return (bytes[at] as number) * TWO_48 + view.getUint32(at + 1) * TWO_16 + view.getUint16(at + 5);
  }
}

/** Who has the least key. A leaf for each cursor; a node has who lost in it. */
class LoserTree {
  winner = 0;
  private readonly cursors: readonly RunCursor[];
  private readonly losers: Int32Array;

  constructor(cursors: readonly RunCursor[]) {
    this.cursors = cursors;
    this.losers = new Int32Array(cursors.length).fill(NOBODY);
    // Whoever comes first to a node waits there for the other one.
    for (let leaf = 0; leaf < cursors.length; leaf++) this.play(leaf);
  }

  /** The winner has another key. */
  replay(): void {
    this.play(this.winner);
  }

  private play(leaf: number): void {
    const { losers } = this;
    let winner = leaf;
    for (let node = (leaf + losers.length) >> 1; node > 0; node >>= 1) {
      const other = losers[node] as number;
      if (other === NOBODY) {
        losers[node] = winner;
        return;
      }
      if (this.isLess(other, winner)) {
        losers[node] = winner;
        winner = other;
      }
    }
    this.winner = winner;
  }

  private isLess(one: number, other: number): boolean {
    const a = this.cursors[one] as RunCursor;
    const b = this.cursors[other] as RunCursor;
    if (a.rank !== b.rank) return a.rank < b.rank;
    if (a.rank === NONE) return false;
    return compareAt(a.bytes, a.at + RANKED_BYTES, b.bytes, b.at + RANKED_BYTES, a.keyBytes - RANKED_BYTES) < 0;
  }
}
