/**
 * What was executed, by height: headers, bodies, receipts, the state's records as of the last height, and an index over all of it.
 *
 * Invariant: a commit is there in whole or not at all, with its height, and records are those of exactly that height. It never gets ahead
 * of the journal: who commits says how far the journal is flushed. What it lags behind is executed again from the journal.
 *
 * LMDB keeps it: pages are copied and not changed, and a transaction is in force when its root is written, after everything else was
 * flushed. Blocks are packed and written by store-writer.ts, on this thread or on one of the store's own; reading is here.
 * After a failed write the store takes nothing more.
 *
 * Not here: checksums of records (the state root is one: compute it after reading them), and what bodies, receipts and headers mean.
 */
import { assert } from '../base/assert.ts';
import { PackedChanges, type RecordChange } from '../base/packed-changes.ts';
import { packBlock } from '../ledger/packed-block.ts';
import { encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Address, Block, ClientId } from '../ledger/transactions.ts';
import { unpackBody, unpackReceipts } from './block-packing.ts';
import { unpack } from './compression.ts';
import { convertIndex } from './index-conversion.ts';
import { accountTerm, boundKey, clientIdTerm, heightKey, marketKey, orderTerm, readU48, transactionTerm, U48_MAX } from './index-keys.ts';
import { damagedText, readError, storeError } from './lmdb-error.ts';
import { FileSizeNote, wrongWithFile } from './lmdb-file.ts';
import { RealDisk } from './real-disk.ts';
import { type KeyRange, keysBetween } from './run-lookup.ts';
import { StorageError } from './storage-error.ts';
import { CONVERTING, HEIGHT, IDENTITY, StoreTables, type Table, type Write } from './store-tables.ts';
import { StoreThread } from './store-thread.ts';
import { type BlockWriter, type CommitBytes, StoreWriter } from './store-writer.ts';
import { StoredAddresses } from './stored-addresses.ts';

export interface StoreOptions {
  readonly chainId: Uint8Array;
  /** Blocks are packed and written by a thread of the store's own. Default: by the one that commits, except for LMDB's part. */
  readonly thread?: boolean;
  /**
   * Milliseconds from the beginning of one transaction of LMDB to the next: commits that come meanwhile join. A commit with none shortly before it waits
   * for nothing. Default 0: a transaction begins when the one before is written.
   */
  readonly joinMs?: number;
}

/** A block as it is in the journal (src/ledger/packed-block.ts). */
export interface JournaledBlock {
  readonly journaled: Uint8Array;
}

/** Bytes must stay as they are until the commit has resolved, and must not be views of shared memory. */
export interface BlockCommit {
  readonly height: number;
  readonly timeMs: number;
  readonly header: Uint8Array;
  /** The block, which is kept in columns; or bytes. `Store.body` gives the block's encoding back, or the bytes. */
  readonly body: JournaledBlock | Block | Uint8Array;
  readonly receipts: Uint8Array;
  /** Each key at most once. What is not packed is packed here. */
  readonly changed: PackedChanges | Iterable<RecordChange>;
  /** Keys of the index, as `BlockKeys` makes them for this height and time. Without them the block is found by its height only. */
  readonly keys?: Uint8Array;
}

/** Heights of a lookup, both included, and how many answers at most (default 1000). */
export interface LookupRange {
  readonly from?: number;
  readonly to?: number;
  readonly limit?: number;
  readonly newestFirst?: boolean;
}

/** A transaction: its block, and its index in it. */
export interface Place {
  readonly height: number;
  readonly index: number;
}

/** All records as of one height, in the order of their keys, whatever is committed meanwhile. Close it: it keeps old pages from being used again. */
export interface StateRecords extends Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }> {
  readonly height: number | undefined;
  close(): void;
}

const VERSION = 3;
/**
 * Their bodies and receipts are in forms that this version reads too, and their index is converted: such a store is gone on with, and is of this version from
 * then on.
 */
const VERSIONS_BEFORE = [1, 2];
const LIMIT = 1000;
const NOTHING = new Uint8Array();

export class Store {
  private readonly disk: RealDisk;
  private readonly tables: StoreTables;
  private readonly writer: BlockWriter;
  /** For reading: who writes has its own, with the addresses that are on their way. */
  private readonly book: StoredAddresses;
  /** With those that wait. */
  private accepted: number | undefined;
  private closed = false;

  private constructor(disk: RealDisk, tables: StoreTables, writer: BlockWriter) {
    this.disk = disk;
    this.tables = tables;
    this.writer = writer;
    this.book = new StoredAddresses(tables.addresses, tables.numbers);
    this.accepted = writer.height;
  }

  /** Makes the folder, which is the store's own, if it is not there. Throws FOLDER_LOCKED, WRONG_CHAIN, WRONG_VERSION, STORE_DAMAGED, the errors of disks. */
  static async open(folder: string, { chainId, thread = false, joinMs = 0 }: StoreOptions): Promise<Store> {
    assert(chainId.length === 32, `a chain id of ${chainId.length} bytes`);
    const disk = await RealDisk.open(folder);
    await disk.lock();
    let tables: StoreTables | undefined;
    try {
      const wrong = await wrongWithFile(folder);
      if (wrong !== undefined) throw new StorageError('STORE_DAMAGED', damagedText(folder, wrong));
      const opened = new StoreTables(folder);
      tables = opened;
      if (await identify(opened, chainId)) await disk.syncFolder();
      await convertIndex(opened);
      const writer = thread ? await StoreThread.start(folder, joinMs, () => opened.renew()) : new StoreWriter(opened, { joinMs });
      return new Store(disk, opened, writer);
    } catch (cause) {
      await tables?.close();
      await disk.unlock();
      throw await storeError(cause, folder, 'opening');
    }
  }

  /** The last height that is on disk; undefined before the first commit, which is that of the genesis, or of a snapshot. */
  get height(): number | undefined {
    return this.writer.height;
  }

  /** The first height that has a body; it and what follows can be looked up. */
  get first(): number {
    return this.tables.first ?? 0;
  }

  /**
   * Resolves when it is on disk. The first commit may be of any height, the others follow one on the other; none is above `journalLast`,
   * the last block that the journal has on disk. Rejects with an error of the disk, or STORE_STOPPED after one, or when the store's thread has ended.
   */
  commit(block: BlockCommit, journalLast: number): Promise<void> {
    const { height, timeMs } = block;
    assert(height <= journalLast, `height ${height} committed, the journal has ${journalLast}`);
    assert(this.accepted === undefined || height === this.accepted + 1, `height ${height} committed after ${this.accepted}`);
    assert(
      Number.isInteger(height) && height >= 0 && height < U48_MAX && timeMs >= 0 && timeMs <= U48_MAX,
      `height ${height} at ${timeMs}`,
    );
    const done = this.writer.commit(bytesOf(block));
    this.accepted = height;
    return done;
  }

  header(height: number): Uint8Array | undefined {
    return this.packed(this.tables.headers, height);
  }

  /** The block as `encodeBlock` writes it. Undefined if there is no such height, or it has been pruned. */
  body(height: number): Uint8Array | undefined {
    return this.packed(this.tables.bodies, height, (packed) => {
      this.book.renew();
      return unpackBody(packed, this.book);
    });
  }

  receipts(height: number): Uint8Array | undefined {
    return this.packed(this.tables.receiptsOf, height, unpackReceipts);
  }

  /** As of `height`. */
  record(key: Uint8Array): Uint8Array | undefined {
    const value = this.readable(() => this.tables.state.getBinary(key));
    return value && new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }

  /** `from`: the first key, or what it begins with; default: all. */
  records(from?: Uint8Array): StateRecords {
    const { state, meta, folder } = this.tables;
    const transaction = state.useReadTransaction();
    const height = this.readable(() => meta.get(HEIGHT, { transaction }));
    let open = true;
    const close = (): void => {
      if (open) transaction.done();
      open = false;
    };
    return {
      height: height && readU48(height),
      close,
      *[Symbol.iterator]() {
        try {
          for (const { key, value } of state.getRange({ transaction, ...(from === undefined ? {} : { start: from }) }))
            yield { key, value };
        } catch (cause) {
          throw readError(cause, folder);
        }
      },
    };
  }

  /** Heights of blocks in which something happened to an account. */
  heightsOfAccount(account: Address, range: LookupRange = {}): number[] {
    return this.lookup(accountTerm(account), range, (key, term) => readU48(key, term));
  }

  /** Transactions that placed an order or did something to it. */
  placesOfOrder(oid: bigint, range: LookupRange = {}): Place[] {
    return this.lookup(orderTerm(oid), range, readPlace);
  }

  placesOfClientId(account: Address, clientId: ClientId, range: LookupRange = {}): Place[] {
    return this.lookup(clientIdTerm(account, clientId), range, readPlace);
  }

  /** One place, unless the same bytes have been sent more than once. */
  placesOfTransaction(hash: Uint8Array, range: LookupRange = {}): Place[] {
    return this.lookup(transactionTerm(hash), range, readPlace);
  }

  /** Blocks in which something happened in a market, by their times, both included. */
  blocksOfMarket(
    market: number,
    range: { readonly fromMs?: number; readonly toMs?: number; readonly limit?: number; readonly newestFirst?: boolean } = {},
  ): { readonly height: number; readonly timeMs: number }[] {
    const least = marketKey(market, range.fromMs ?? 0, 0);
    const greatest = marketKey(market, Math.min(range.toMs ?? U48_MAX, U48_MAX), U48_MAX);
    const { limit = LIMIT, newestFirst = false } = range;
    const keys = this.keysBetween({ least, greatest, from: 0, to: U48_MAX, limit, newestFirst });
    return keys.map((key) => ({ height: readU48(key, 11), timeMs: readU48(key, 5) }));
  }

  /** Removes bodies, receipts and the index of the heights below, of which nothing is found any more; headers stay, and so does the last block. */
  prune(below: number): Promise<void> {
    return this.writer.prune(below);
  }

  /** What was committed until now waits for nothing that could join it. */
  hasten(): void {
    this.writer.hasten();
  }

  /** Waits for what was committed, and gives the folder back. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.writer.close();
    await this.tables.close();
    await new FileSizeNote(this.tables.folder).update(true);
    await this.disk.unlock();
  }

  private packed(table: Table, height: number, from: (packed: Uint8Array) => Uint8Array = unpack): Uint8Array | undefined {
    const value = this.readable(() => table.getBinary(heightKey(height)));
    if (value === undefined) return undefined;
    try {
      return from(value);
    } catch (cause) {
      throw new StorageError(
        'STORE_DAMAGED',
        damagedText(this.tables.folder, `what belongs to height ${height}: ${(cause as Error).message}`),
        {
          cause,
        },
      );
    }
  }

  private lookup<T>(term: Uint8Array, range: LookupRange, answer: (key: Uint8Array, termBytes: number) => T): T[] {
    const { limit = LIMIT, newestFirst = false } = range;
    const [from, to] = [range.from ?? 0, Math.min(range.to ?? U48_MAX, U48_MAX)];
    const [least, greatest] = [boundKey(term, from, false), boundKey(term, to, true)];
    return this.keysBetween({ least, greatest, from, to, limit, newestFirst }).map((key) => answer(key, term.length));
  }

  private keysBetween(range: KeyRange): Uint8Array[] {
    return this.readable(() => keysBetween(this.tables, range));
  }

  /** What LMDB finds wrong while it reads is damage. */
  private readable<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw readError(cause, this.tables.folder);
    }
  }
}

function readPlace(key: Uint8Array, termBytes: number): Place {
  return { height: readU48(key, termBytes), index: Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUInt32BE(termBytes + 6) };
}

/** What goes to who writes. */
function bytesOf({ height, header, body, receipts, changed, keys = NOTHING }: BlockCommit): CommitBytes {
  const { pieces } = changed instanceof PackedChanges ? changed : PackedChanges.of(changed);
  assert(!pieces.some(({ buffer }) => buffer instanceof SharedArrayBuffer), 'changes in shared memory');
  const kept = body instanceof Uint8Array ? body : 'journaled' in body ? body.journaled : packedBlock(body);
  return { height, header, body: kept, journaled: !(body instanceof Uint8Array), receipts, changed: pieces, keys };
}

function packedBlock({ number, timeMs, transactions }: Block): Uint8Array {
  return packBlock(number, timeMs, transactions.map(encodeTransaction));
}

/** Checks whose store it is, and says so in a new one: true. */
async function identify(tables: StoreTables, chainId: Uint8Array): Promise<boolean> {
  const { folder, meta, headers } = tables;
  const identity = meta.getBinary(IDENTITY);
  if (identity === undefined) {
    if (headers.getKeysCount() > 0)
      throw new StorageError('STORE_DAMAGED', damagedText(folder, 'it does not say to which chain it belongs'));
    await writeIdentity(tables, chainId);
    return true;
  }
  const version = identity.readUInt32BE();
  if (version !== VERSION && !VERSIONS_BEFORE.includes(version)) {
    throw new StorageError('WRONG_VERSION', `the store in ${folder} is of version ${version}: open it with the release that wrote it`);
  }
  if (!identity.subarray(4).equals(chainId)) {
    const chain = identity.subarray(4).toString('hex');
    throw new StorageError('WRONG_CHAIN', `the store in ${folder} belongs to the chain ${chain}: choose its genesis, or another folder`);
  }
  if (version !== VERSION) await writeIdentity(tables, chainId, { table: meta, key: CONVERTING, value: NOTHING });
  return false;
}

function writeIdentity(tables: StoreTables, chainId: Uint8Array, ...more: Write[]): Promise<void> {
  const identity = Buffer.alloc(4 + 32);
  identity.writeUInt32BE(VERSION);
  identity.set(chainId, 4);
  return tables.write([{ table: tables.meta, key: IDENTITY, value: identity }, ...more]);
}
