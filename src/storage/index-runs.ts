/**
 * The index as sorted runs: every transaction of the store writes its keys, sorted, as one run; neighbours are merged into larger ones, a bounded part of
 * it with each transaction.
 *
 *   depth 0   the keys of one transaction
 *   depth n   `fanIn` neighbours of depth n - 1; a run of `settledBytes` or more is not merged further
 *
 * Merging writes nothing but whole chunks, one behind the other. A run that grows has its place and how far it has come in the table of runs, in the same
 * transaction as its chunks: whoever opens the store goes on there. Until it is whole, those it is made of count, and then they are dead in the same moment.
 * Of dead runs so many chunks are removed with each transaction.
 *
 * Invariants: runs that count cover heights that do not meet, so a key is in one of them. What a transaction reads was committed before it. It merges at most
 * `stepBytes` and `stepTimes` of the bytes that it adds, and removes at most `removedChunks` chunks and one for each chunk's bytes that it may merge.
 * With fewer times than there are depths merging would fall behind: from 16 KiB a transaction there are three, and below that the constant part is more.
 * Not here: looking up (run-lookup.ts), and what a transaction is (store-writer.ts).
 */
import { assert } from '../base/assert.ts';
import { CHUNK_BYTES, ChunkWriter, chunkKey } from './run-chunks.ts';
import { mergeRuns } from './run-merge.ts';
import { sortedKeys } from './run-order.ts';
import { DEAD, GROWING, type Run, readRuns, WHOLE, writeOfRun } from './run-record.ts';
import type { StoreTables, Write } from './store-tables.ts';

export interface RunLimits {
  readonly chunkBytes: number;
  readonly fanIn: number;
  readonly settledBytes: number;
  readonly stepBytes: number;
  readonly stepTimes: number;
  readonly removedChunks: number;
}

/** Keys of the index that a block adds, one behind the other. */
export interface KeysAdded {
  readonly height: number;
  readonly keys: Uint8Array;
}

const LIMITS: RunLimits = {
  chunkBytes: CHUNK_BYTES,
  fanIn: 16,
  settledBytes: 64 * 2 ** 20,
  stepBytes: 256 * 2 ** 10,
  stepTimes: 4,
  removedChunks: 256,
};

export class IndexRuns {
  private readonly tables: StoreTables;
  private readonly limits: RunLimits;
  /** In the order of their numbers. */
  private readonly runs = new Map<number, Run>();
  private next = 0;

  constructor(tables: StoreTables, limits: RunLimits = LIMITS) {
    this.tables = tables;
    this.limits = limits;
    for (const run of readRuns(tables)) this.keep(run);
  }

  /**
   * What the next transaction writes. It is to be written before this is called again, and if that fails nothing more may be written.
   * `blocks`: those of the transaction, ascending. Throws STORE_DAMAGED.
   */
  writes(blocks: readonly KeysAdded[]): Write[] {
    const { limits, tables } = this;
    tables.renew();
    const added = blocks.filter(({ keys }) => keys.length > 0);
    const addedBytes = added.reduce((sum, { keys }) => sum + keys.length, 0);
    const mergedBytesMax = limits.stepBytes + limits.stepTimes * addedBytes;
    const first = tables.first ?? 0;
    const step: Step = { writes: [], changed: new Set(), gone: new Set(), first };
    this.bury(step);
    this.removeDead(step, limits.removedChunks + Math.floor(mergedBytesMax / limits.chunkBytes));
    this.merge(step, mergedBytesMax);
    this.add(step, added);
    for (const run of step.changed) step.writes.push(writeOfRun(tables, run));
    for (const run of step.gone) step.writes.push({ ...writeOfRun(tables, run), value: undefined });
    return step.writes;
  }

  private keep(run: Run): Run {
    this.runs.set(run.number, run);
    this.next = Math.max(this.next, run.number + 1);
    return run;
  }

  /** Of runs that are wholly of heights that have been pruned nobody wants anything. */
  private bury({ first, changed }: Step): void {
    for (const run of this.runs.values()) {
      if (run.state === DEAD || run.to >= first) continue;
      run.state = DEAD;
      changed.add(run);
    }
  }

  private removeDead({ writes, changed, gone }: Step, chunksMax: number): void {
    const { chunks } = this.tables;
    let left = chunksMax;
    for (const run of this.runs.values()) {
      if (run.state !== DEAD) continue;
      const keys = [...chunks.getKeys({ start: chunkKey(run.number), end: chunkKey(run.number + 1), limit: left + 1 })];
      for (const key of keys.slice(0, left)) writes.push({ table: chunks, key, value: undefined });
      if (keys.length > left) return;
      left -= keys.length;
      this.runs.delete(run.number);
      changed.delete(run);
      gone.add(run);
    }
  }

  /** From the least depth up: few runs are left soonest. What becomes whole here is not on disk yet, and waits for the next time. */
  private merge(step: Step, bytesMax: number): void {
    const whole = [...this.runs.values()].filter(({ state }) => state === WHOLE).sort((a, b) => a.from - b.from);
    const depths = new Set(whole.map(({ depth }) => depth));
    let left = bytesMax;
    for (const depth of [...depths].sort((a, b) => a - b)) {
      if (left <= 0) return;
      const growing = this.growingOf(depth + 1) ?? this.begin(whole, depth);
      if (growing === undefined) continue;
      const inputs = whole.filter((run) => run.depth === depth && run.from >= growing.from && run.to <= growing.to);
      left -= this.advance(step, growing, inputs, left);
    }
  }

  private growingOf(depth: number): Run | undefined {
    return [...this.runs.values()].find((run) => run.state === GROWING && run.depth === depth);
  }

  /** A run to be made of the oldest neighbours that are enough. */
  private begin(whole: readonly Run[], depth: number): Run | undefined {
    const { fanIn, settledBytes } = this.limits;
    let neighbours: Run[] = [];
    for (const run of whole) {
      if (run.depth === depth && run.bytes < settledBytes) neighbours.push(run);
      else neighbours = [];
      if (neighbours.length < fanIn) continue;
      const [{ from }, { to }] = [neighbours[0] as Run, run];
      return this.keep({ number: this.next, depth: depth + 1, from, to, state: GROWING, bytes: 0, position: undefined });
    }
    return undefined;
  }

  /** Bytes of keys that were taken. */
  private advance({ writes, changed, gone, first }: Step, growing: Run, inputs: readonly Run[], takenBytesMax: number): number {
    const { tables, limits } = this;
    const into = new ChunkWriter(tables, growing.number, limits.chunkBytes, writes);
    const { position } = growing;
    const runs = inputs.map(({ number }) => number);
    const merged = mergeRuns(tables, { runs, position, takenBytesMax, first: growing.from < first ? first : 0 }, into);
    growing.bytes += into.bytes;
    growing.position = merged.position;
    changed.add(growing);
    if (!merged.isDone) return merged.takenBytes;
    for (const run of inputs) {
      run.state = DEAD;
      changed.add(run);
    }
    growing.state = WHOLE;
    growing.position = undefined;
    if (growing.bytes === 0) {
      this.runs.delete(growing.number);
      changed.delete(growing);
      gone.add(growing);
    }
    return merged.takenBytes;
  }

  private add({ writes, changed }: Step, added: readonly KeysAdded[]): void {
    if (added.length === 0) return;
    const { tables, limits } = this;
    const [from, to] = [(added[0] as KeysAdded).height, (added.at(-1) as KeysAdded).height];
    for (const run of this.runs.values()) assert(run.to < from, `keys from height ${from} where there are keys of ${run.to}`);
    const into = new ChunkWriter(tables, this.next, limits.chunkBytes, writes);
    for (const { bytes, keyBytes } of sortedKeys(added.map(({ keys }) => keys))) into.addAll(bytes, keyBytes);
    changed.add(this.keep({ number: this.next, depth: 0, from, to, state: WHOLE, bytes: into.bytes, position: undefined }));
  }
}

/** What one transaction does. */
interface Step {
  readonly writes: Write[];
  readonly changed: Set<Run>;
  /** Runs that are not in the table any more. */
  readonly gone: Set<Run>;
  /** Heights below have been pruned. */
  readonly first: number;
}
