/**
 * The store's environment of LMDB and the tables in it, as one thread has them. Several threads of a process may open the same folder: they share the
 * environment, and each has a read transaction of its own.
 *
 * Invariant: a write is there in whole or not at all, and on disk when it has resolved.
 * Not here: what is written when (store-writer.ts), and who may open the folder (store.ts).
 */
import { type Database, open, type RootDatabase } from 'lmdb';
import { readU48 } from './index-keys.ts';

export type Table = Database<Uint8Array, Uint8Array>;

export interface Write {
  readonly table: Table;
  readonly key: Uint8Array;
  /** Undefined: the key is removed. */
  readonly value: Uint8Array | undefined;
}

const WRITING = {
  /** What has resolved is on disk. */
  overlappingSync: false,
  /** Transactions are made of what is given to `write`, not of what a turn of the event loop writes. */
  eventTurnBatching: false,
  /**
   * Writes are started when they are all there. LMDB's thread would start with the first of them, and wait for the rest for ever, and the end of this
   * thread for it, if this thread were ended in between. The package does not document it; the test of threads that are killed holds it.
   */
  batchStartThreshold: Number.MAX_SAFE_INTEGER,
} as const;
/** With those of older versions. */
const TABLES_MAX = 16;
const BYTES = { encoding: 'binary', keyEncoding: 'binary' } as const;
export const IDENTITY = Buffer.from('identity');
export const HEIGHT = Buffer.from('height');
/** The first height whose body is there. */
export const FIRST = Buffer.from('first');
/** There while the index of an older version is being converted. */
export const CONVERTING = Buffer.from('converting');

export class StoreTables {
  readonly folder: string;
  readonly meta: Table;
  readonly headers: Table;
  readonly bodies: Table;
  readonly receiptsOf: Table;
  readonly state: Table;
  /** The index: run-record.ts and run-chunks.ts say what is in these two. */
  readonly runs: Table;
  readonly chunks: Table;
  readonly addresses: Table;
  readonly numbers: Table;
  private readonly root: RootDatabase<Uint8Array, Uint8Array>;

  /** Throws what LMDB throws. */
  constructor(folder: string) {
    this.folder = folder;
    this.root = open({ path: folder, noSubdir: false, maxDbs: TABLES_MAX, ...WRITING, ...BYTES });
    this.meta = this.table('meta');
    this.headers = this.table('headers');
    this.bodies = this.table('bodies');
    this.receiptsOf = this.table('receipts');
    this.state = this.table('state');
    this.runs = this.table('runs');
    this.chunks = this.table('chunks');
    this.addresses = this.table('addresses');
    this.numbers = this.table('numbers');
  }

  /** Made if it is not there. */
  table(name: string): Table {
    return this.root.openDB<Uint8Array, Uint8Array>({ name, ...BYTES });
  }

  get height(): number | undefined {
    return this.number(HEIGHT);
  }

  get first(): number | undefined {
    return this.number(FIRST);
  }

  /** In one transaction, in their order: of a key that is there twice the later value counts. */
  async write(writes: Iterable<Write>): Promise<void> {
    await this.root.batch(() => {
      for (const { table, key, value } of writes) {
        if (value === undefined) table.remove(key);
        else table.put(key, value);
      }
    });
  }

  /** Reads see what other threads have written until now. */
  renew(): void {
    this.root.resetReadTxn();
  }

  close(): Promise<void> {
    return this.root.close();
  }

  private number(key: Uint8Array): number | undefined {
    const bytes = this.meta.getBinary(key);
    return bytes && readU48(bytes);
  }
}
