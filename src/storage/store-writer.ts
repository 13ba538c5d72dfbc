/**
 * Writes blocks to the store: packs them, and joins those that come close together to one transaction, with one flush for all. A page that many of
 * them change is written once.
 *
 * A transaction begins when the last one began `joinMs` ago, which is at once for a lone block; without waiting when the store is closed or pruned,
 * when somebody asks for it, and when much waits.
 *
 * Invariant: a commit is there in whole or not at all, with its height. After a failed write nothing more is taken. What waits to be written is not
 * more than JOINED_BYTES_MAX and what comes while one transaction is written.
 * Not here: which heights may be committed when (store.ts), and on which thread this runs (store-thread.ts, or the caller's).
 */
import { PackedChanges } from '../base/packed-changes.ts';
import { unpackBlock } from '../ledger/packed-block.ts';
import { packBody, packReceipts } from './block-packing.ts';
import { pack } from './compression.ts';
import { checkKeys, heightKey } from './index-keys.ts';
import { IndexRuns } from './index-runs.ts';
import { lastChanges } from './last-changes.ts';
import { stoppedBy, storeClosed, storeError } from './lmdb-error.ts';
import { FileSizeNote } from './lmdb-file.ts';
import type { StorageError } from './storage-error.ts';
import { FIRST, HEIGHT, type StoreTables, type Write } from './store-tables.ts';
import { StoredAddresses } from './stored-addresses.ts';

/** A block as it comes to who writes it: bytes that stay as they are until it is committed. */
export interface CommitBytes {
  readonly height: number;
  readonly header: Uint8Array;
  readonly body: Uint8Array;
  /** The body is a block as the journal has it, to be kept in columns; otherwise bytes to be kept as they are. */
  readonly journaled: boolean;
  readonly receipts: Uint8Array;
  /** Pieces of packed changes, each key at most once. */
  readonly changed: readonly Uint8Array[];
  /** Of the index, one behind the other. */
  readonly keys: Uint8Array;
}

/** Who writes the store: the same thread, or another one. */
export interface BlockWriter {
  /** The last height that is on disk, as far as is known here. */
  readonly height: number | undefined;
  /** Resolves when it is on disk. Rejects with errors of the disk, or STORE_STOPPED after one. */
  commit(block: CommitBytes): Promise<void>;
  /** Removes bodies and receipts of the heights below, and what the index has of them bit by bit; headers stay, and so does the last block. */
  prune(below: number): Promise<void>;
  /** What was committed until now waits for nothing that could join it. */
  hasten(): void;
  /** Waits for what was committed, and takes nothing more. */
  close(): Promise<void>;
}

/** When transactions begin. */
export interface Joining {
  /** From the beginning of one transaction to that of the next. 0: each begins when the one before is written. */
  readonly joinMs: number;
  readonly clock: JoinClock;
}

/** Time, and being called later. */
export interface JoinClock {
  nowMs(): number;
  /** Returns what takes it back. */
  after(ms: number, call: () => void): () => void;
}

interface Waiting {
  readonly writes: readonly Write[];
  /** Of the index, one behind the other. */
  readonly keys: Uint8Array;
  /** Pieces of packed changes. */
  readonly changed: readonly Uint8Array[];
  /** The height that is in force with it; the same as before for prunings. */
  readonly height: number | undefined;
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

const NOTHING = new Uint8Array();
/** More than this is written at once: what waits is memory, and LMDB's thread would be idle meanwhile. It is about one block of 10,000 orders. */
export const JOINED_BYTES_MAX = 4 * 2 ** 20;
/** Blocks of one transaction of a pruning, so that commits get their turn. */
const PRUNED_AT_ONCE = 64;

const MACHINE_CLOCK: JoinClock = {
  nowMs: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

export class StoreWriter implements BlockWriter {
  height: number | undefined;
  private readonly tables: StoreTables;
  private readonly book: StoredAddresses;
  private readonly runs: IndexRuns;
  private readonly size: FileSizeNote;
  private empty: boolean;
  private readonly joining: Joining;
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private writing: Promise<void> | undefined;
  private begunMs = Number.NEGATIVE_INFINITY;
  /** What waits is not to wait. */
  private hastened = false;
  /** Ends the time in which others join. */
  private begin: () => void = () => {};
  private stopped: StorageError | undefined;

  constructor(tables: StoreTables, { joinMs = 0, clock = MACHINE_CLOCK }: Partial<Joining> = {}) {
    this.joining = { joinMs, clock };
    this.tables = tables;
    this.book = new StoredAddresses(tables.addresses, tables.numbers);
    this.runs = new IndexRuns(tables);
    this.size = new FileSizeNote(tables.folder);
    this.height = tables.height;
    this.empty = this.height === undefined;
  }

  commit({ height, header, body, journaled, receipts, changed, keys }: CommitBytes): Promise<void> {
    if (this.stopped !== undefined) return Promise.reject(stoppedBy(this.stopped));
    const { tables } = this;
    const at = heightKey(height);
    // Records and index keys are many: they are looked at when they are written, and nothing is kept of them. Nothing may be wrong with them by then:
    // a write that stops in the middle is a part of one.
    new PackedChanges(changed);
    checkKeys(keys, height);
    const { packed, newAddresses } = packBody(journaled ? unpackBlock(body) : body, this.book);
    const writes: Write[] = [
      { table: tables.headers, key: at, value: pack(header) },
      { table: tables.bodies, key: at, value: packed },
      { table: tables.receiptsOf, key: at, value: packReceipts(receipts) },
    ];
    for (const { address, number } of this.book.add(newAddresses)) {
      writes.push({ table: tables.addresses, key: number, value: address }, { table: tables.numbers, key: address, value: number });
    }
    if (this.empty) writes.push({ table: tables.meta, key: FIRST, value: at });
    this.empty = false;
    writes.push({ table: tables.meta, key: HEIGHT, value: at });
    const bytes = changed.reduce(
      (sum, piece) => sum + piece.length,
      writes.reduce((sum, { value }) => sum + (value?.length ?? 0), keys.length),
    );
    return this.write({ writes, keys, changed, height }, bytes).then(() => this.book.written(newAddresses));
  }

  async prune(below: number): Promise<void> {
    const { tables } = this;
    while (this.height !== undefined) {
      const first = tables.first as number;
      const end = Math.min(below, this.height, first + PRUNED_AT_ONCE);
      if (first >= end) return;
      const writes: Write[] = [];
      for (let height = first; height < end; height++) {
        const key = heightKey(height);
        for (const table of [tables.bodies, tables.receiptsOf]) writes.push({ table, key, value: undefined });
      }
      writes.push({ table: tables.meta, key: FIRST, value: heightKey(end) });
      const written = this.write({ writes, keys: NOTHING, changed: [], height: undefined }, 0);
      this.hasten();
      await written;
    }
  }

  hasten(): void {
    if (this.waiting.length === 0) return;
    this.hastened = true;
    this.begin();
  }

  async close(): Promise<void> {
    this.hasten();
    await this.writing;
    this.stopped ??= storeClosed();
  }

  private write(part: Omit<Waiting, 'resolve' | 'reject'>, bytes: number): Promise<void> {
    if (this.stopped !== undefined) return Promise.reject(stoppedBy(this.stopped));
    const done = new Promise<void>((resolve, reject) => this.waiting.push({ ...part, resolve, reject }));
    this.waitingBytes += bytes;
    if (this.waitingBytes > JOINED_BYTES_MAX) this.hasten();
    this.writing ??= this.writeGroups();
    return done;
  }

  private async writeGroups(): Promise<void> {
    while (this.waiting.length > 0 && this.stopped === undefined) {
      // What else has come by now goes with it.
      await new Promise((resolve) => setImmediate(resolve));
      await this.othersJoin();
      const group = this.waiting;
      this.waiting = [];
      this.waitingBytes = 0;
      this.hastened = false;
      try {
        // Before anything is written: a write that stops in the middle is a part of one.
        const index = this.runs.writes(group.flatMap(({ height, keys }) => (height === undefined ? [] : [{ height, keys }])));
        await this.tables.write(this.joined(group, index));
        this.height = group.findLast(({ height }) => height !== undefined)?.height ?? this.height;
        for (const { resolve } of group) resolve();
        await this.size.update(false);
      } catch (cause) {
        this.stopped = await storeError(cause, this.tables.folder, 'writing');
        for (const { reject } of [...group, ...this.waiting]) reject(this.stopped);
        this.waiting = [];
      }
    }
    this.writing = undefined;
  }

  /** In the order in which they came, but for records, of which the last change counts. */
  private *joined(group: readonly Waiting[], index: readonly Write[]): Generator<Write> {
    const { state } = this.tables;
    for (const { writes } of group) yield* writes;
    yield* index;
    for (const { key, value } of lastChanges(group.map(({ changed }) => changed))) yield { table: state, key, value };
  }

  /** Waits until the next transaction may begin. */
  private async othersJoin(): Promise<void> {
    const { joinMs, clock } = this.joining;
    const restMs = this.begunMs + joinMs - clock.nowMs();
    if (restMs > 0 && !this.hastened) {
      await new Promise<void>((resolve) => {
        const cancel = clock.after(restMs, resolve);
        this.begin = () => {
          cancel();
          resolve();
        };
      });
      this.begin = () => {};
    }
    this.begunMs = clock.nowMs();
  }
}
