/**
 * What was executed, by height: headers, bodies, receipts, the state's records as of the last height, and an index over all of it.
 *
 * Invariant: a commit is there in whole or not at all, with its height, and records are those of exactly that height. It never gets ahead
 * of the journal: who commits says how far the journal is flushed. What it lags behind is executed again from the journal.
 *
 * LMDB keeps it: pages are copied and not changed, and a transaction is in force when its root is written, after everything else was
 * flushed. Writes happen on LMDB's thread; commits that come while one is written form the next transaction, with one flush for all.
 * After a failed write the store takes nothing more.
 *
 * Not here: checksums of records (the state root is one: compute it after reading them), and what bodies, receipts and headers mean.
 */
import { type Database, open, type RootDatabase } from 'lmdb';
import { assert } from '../base/assert.ts';
import type { Address, Block, ClientId } from '../ledger/transactions.ts';
import { packBody, packReceipts, unpackBody, unpackReceipts } from './block-packing.ts';
import { pack, unpack } from './compression.ts';
import {
  accountTerm,
  type BlockTerms,
  boundKey,
  clientIdTerm,
  heightKey,
  keysOf,
  marketKey,
  orderTerm,
  readU48,
  splitKeys,
  transactionTerm,
  U48_MAX,
} from './index-keys.ts';
import { FileSizeNote, FREE_BYTES_MIN, freeBytes, wrongWithFile } from './lmdb-file.ts';
import { RealDisk } from './real-disk.ts';
import { diskError, StorageError } from './storage-error.ts';
import { StoredAddresses } from './stored-addresses.ts';

export interface RecordChange {
  /** 1 to 255 bytes. */
  readonly key: Uint8Array;
  /** Undefined: the record is gone. */
  readonly value: Uint8Array | undefined;
}

/** Bytes must stay as they are until the commit has resolved, and must not be views of shared memory. */
export interface BlockCommit {
  readonly height: number;
  readonly timeMs: number;
  readonly header: Uint8Array;
  /** The block, which is kept in columns; or bytes. `Store.body` gives the block's encoding back, or the bytes. */
  readonly body: Block | Uint8Array;
  readonly receipts: Uint8Array;
  /** Each key at most once. */
  readonly changed: readonly RecordChange[];
  /** Without it the block is found by its height only. */
  readonly terms?: BlockTerms;
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

type Bytes = Database<Uint8Array, Uint8Array>;

interface Write {
  readonly database: Bytes;
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

interface Waiting {
  readonly writes: readonly Write[];
  /** The height that is in force with it; the same as before for prunings. */
  readonly height: number | undefined;
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

const BYTES = { encoding: 'binary', keyEncoding: 'binary' } as const;
const VERSION = 2;
/** Its bodies and receipts are in forms that this version reads too: such a store is gone on with, and is of this version from then on. */
const VERSION_BEFORE = 1;
const KEY_BYTES_MAX = 255;
const LIMIT = 1000;
/** Blocks of one transaction of a pruning, so that commits get their turn. */
const PRUNED_AT_ONCE = 64;

const IDENTITY = Buffer.from('identity');
const HEIGHT = Buffer.from('height');
/** The first height whose body is there. */
const FIRST = Buffer.from('first');

export class Store {
  private readonly folder: string;
  private readonly disk: RealDisk;
  private readonly root: RootDatabase<Uint8Array, Uint8Array>;
  private readonly meta: Bytes;
  private readonly headers: Bytes;
  private readonly bodies: Bytes;
  private readonly receiptsOf: Bytes;
  private readonly state: Bytes;
  private readonly index: Bytes;
  /** The index keys of each block, to find them again for pruning. */
  private readonly terms: Bytes;
  private readonly addresses: Bytes;
  private readonly numbers: Bytes;
  private readonly book: StoredAddresses;
  private readonly size: FileSizeNote;
  private committed: number | undefined;
  /** With those that wait. */
  private accepted: number | undefined;
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;
  private stopped: StorageError | undefined;
  private closed = false;

  private constructor(folder: string, disk: RealDisk, root: RootDatabase<Uint8Array, Uint8Array>) {
    this.folder = folder;
    this.disk = disk;
    this.root = root;
    this.size = new FileSizeNote(folder);
    const database = (name: string): Bytes => root.openDB<Uint8Array, Uint8Array>({ name, ...BYTES });
    this.meta = database('meta');
    this.headers = database('headers');
    this.bodies = database('bodies');
    this.receiptsOf = database('receipts');
    this.state = database('state');
    this.index = database('index');
    this.terms = database('terms');
    this.addresses = database('addresses');
    this.numbers = database('numbers');
    this.book = new StoredAddresses(this.addresses, this.numbers);
  }

  /** Makes the folder, which is the store's own, if it is not there. Throws FOLDER_LOCKED, WRONG_CHAIN, WRONG_VERSION, STORE_DAMAGED, the errors of disks. */
  static async open(folder: string, options: { readonly chainId: Uint8Array }): Promise<Store> {
    assert(options.chainId.length === 32, `a chain id of ${options.chainId.length} bytes`);
    const disk = await RealDisk.open(folder);
    await disk.lock();
    let root: RootDatabase<Uint8Array, Uint8Array> | undefined;
    try {
      const wrong = await wrongWithFile(folder);
      if (wrong !== undefined) throw new StorageError('STORE_DAMAGED', damagedText(folder, wrong));
      // Without overlapping flushes a commit that has resolved is on disk. Batches are made here, not of what a turn of the event loop writes.
      root = open({ path: folder, noSubdir: false, overlappingSync: false, eventTurnBatching: false, ...BYTES });
      const store = new Store(folder, disk, root);
      await store.identify(options.chainId);
      return store;
    } catch (cause) {
      await root?.close();
      await disk.unlock();
      throw await storeError(cause, folder, 'opening');
    }
  }

  /** The last height that is on disk; undefined before the first commit, which is that of the genesis, or of a snapshot. */
  get height(): number | undefined {
    return this.committed;
  }

  /** The first height that has a body; it and what follows can be looked up. */
  get first(): number {
    const first = this.read(this.meta, FIRST);
    return first === undefined ? 0 : readU48(first);
  }

  /**
   * Resolves when it is on disk. The first commit may be of any height, the others follow one on the other; none is above `journalLast`,
   * the last block that the journal has on disk. Rejects with an error of the disk, or STORE_STOPPED after one.
   */
  commit(block: BlockCommit, journalLast: number): Promise<void> {
    const { height, timeMs, changed } = block;
    assert(height <= journalLast, `height ${height} committed, the journal has ${journalLast}`);
    assert(this.accepted === undefined || height === this.accepted + 1, `height ${height} committed after ${this.accepted}`);
    assert(
      Number.isInteger(height) && height >= 0 && height < U48_MAX && timeMs >= 0 && timeMs <= U48_MAX,
      `height ${height} at ${timeMs}`,
    );
    const at = heightKey(height);
    if (this.stopped !== undefined) return Promise.reject(stoppedBy(this.stopped));
    const keys = block.terms === undefined ? [] : keysOf(block.terms, height, timeMs);
    const body = packBody(block.body, this.book);
    const writes: Write[] = [
      { database: this.headers, key: at, value: pack(block.header) },
      { database: this.bodies, key: at, value: body.packed },
      { database: this.receiptsOf, key: at, value: packReceipts(block.receipts) },
    ];
    if (keys.length > 0) writes.push({ database: this.terms, key: at, value: pack(Buffer.concat(keys)) });
    for (const key of keys) writes.push({ database: this.index, key, value: NOTHING });
    for (const { key, value } of changed) {
      // What LMDB refused in the middle of a batch would leave the batch in parts.
      assert(key.length > 0 && key.length <= KEY_BYTES_MAX, `a key of ${key.length} bytes`);
      assert(value === undefined || !(value.buffer instanceof SharedArrayBuffer), 'a value in shared memory');
      writes.push({ database: this.state, key, value });
    }
    for (const { address, number } of this.book.add(body.newAddresses)) {
      writes.push({ database: this.addresses, key: number, value: address }, { database: this.numbers, key: address, value: number });
    }
    if (this.accepted === undefined) writes.push({ database: this.meta, key: FIRST, value: at });
    writes.push({ database: this.meta, key: HEIGHT, value: at });
    this.accepted = height;
    return this.write(writes, height).then(() => this.book.written(body.newAddresses));
  }

  header(height: number): Uint8Array | undefined {
    return this.packed(this.headers, height);
  }

  /** The block as `encodeBlock` writes it. Undefined if there is no such height, or it has been pruned. */
  body(height: number): Uint8Array | undefined {
    return this.packed(this.bodies, height, (packed) => unpackBody(packed, this.book));
  }

  receipts(height: number): Uint8Array | undefined {
    return this.packed(this.receiptsOf, height, unpackReceipts);
  }

  /** As of `height`. */
  record(key: Uint8Array): Uint8Array | undefined {
    return this.read(this.state, key);
  }

  /** `from`: the first key, or what it begins with; default: all. */
  records(from?: Uint8Array): StateRecords {
    const transaction = this.state.useReadTransaction();
    const height = this.meta.get(HEIGHT, { transaction });
    let open = true;
    const close = (): void => {
      if (open) transaction.done();
      open = false;
    };
    const { state } = this;
    return {
      height: height && readU48(height),
      close,
      *[Symbol.iterator]() {
        for (const { key, value } of state.getRange({ transaction, ...(from === undefined ? {} : { start: from }) })) yield { key, value };
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
    return this.between(least, greatest, range, (key) => ({ height: readU48(key, 11), timeMs: readU48(key, 5) }));
  }

  /** Removes bodies, receipts and index entries of the heights below; headers stay, and so does the last block. */
  async prune(below: number): Promise<void> {
    while (this.committed !== undefined && this.first < Math.min(below, this.committed)) {
      const { first } = this;
      const end = Math.min(below, this.committed, first + PRUNED_AT_ONCE);
      const writes: Write[] = [];
      for (let height = first; height < end; height++) {
        const key = heightKey(height);
        const terms = this.packed(this.terms, height);
        for (const term of terms === undefined ? [] : splitKeys(terms)) writes.push({ database: this.index, key: term, value: undefined });
        for (const database of [this.bodies, this.receiptsOf, this.terms]) writes.push({ database, key, value: undefined });
      }
      writes.push({ database: this.meta, key: FIRST, value: heightKey(end) });
      await this.write(writes, undefined);
    }
  }

  /** Waits for what was committed, and gives the folder back. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.writing;
    this.stopped ??= new StorageError('STORE_STOPPED', 'the store was closed: open it again');
    await this.root.close();
    await this.size.update(true);
    await this.disk.unlock();
  }

  private async identify(chainId: Uint8Array): Promise<void> {
    const identity = this.meta.getBinary(IDENTITY);
    if (identity === undefined) {
      if (this.headers.getKeysCount() > 0)
        throw new StorageError('STORE_DAMAGED', damagedText(this.folder, 'it does not say to which chain it belongs'));
      await this.writeIdentity(chainId);
      await this.disk.syncFolder();
      return;
    }
    const version = identity.readUInt32BE();
    if (version !== VERSION && version !== VERSION_BEFORE) {
      throw new StorageError(
        'WRONG_VERSION',
        `the store in ${this.folder} is of version ${version}: open it with the release that wrote it`,
      );
    }
    if (!identity.subarray(4).equals(chainId)) {
      const chain = identity.subarray(4).toString('hex');
      throw new StorageError(
        'WRONG_CHAIN',
        `the store in ${this.folder} belongs to the chain ${chain}: choose its genesis, or another folder`,
      );
    }
    const height = this.meta.getBinary(HEIGHT);
    this.committed = height === undefined ? undefined : readU48(height);
    this.accepted = this.committed;
    if (version === VERSION_BEFORE) await this.writeIdentity(chainId);
  }

  private writeIdentity(chainId: Uint8Array): Promise<void> {
    const identity = Buffer.alloc(4 + 32);
    identity.writeUInt32BE(VERSION);
    identity.set(chainId, 4);
    return this.write([{ database: this.meta, key: IDENTITY, value: identity }], undefined);
  }

  private write(writes: readonly Write[], height: number | undefined): Promise<void> {
    if (this.stopped !== undefined) return Promise.reject(stoppedBy(this.stopped));
    const done = new Promise<void>((resolve, reject) => this.waiting.push({ writes, height, resolve, reject }));
    this.writing ??= this.writeGroups();
    return done;
  }

  private async writeGroups(): Promise<void> {
    while (this.waiting.length > 0 && this.stopped === undefined) {
      const group = this.waiting;
      this.waiting = [];
      try {
        await this.root.batch(() => {
          for (const { database, key, value } of lastOfEach(group)) {
            if (value === undefined) database.remove(key);
            else database.put(key, value);
          }
        });
        this.committed = group.findLast(({ height }) => height !== undefined)?.height ?? this.committed;
        for (const { resolve } of group) resolve();
        await this.size.update(false);
      } catch (cause) {
        this.stopped = await storeError(cause, this.folder, 'writing');
        for (const { reject } of [...group, ...this.waiting]) reject(this.stopped);
        this.waiting = [];
      }
    }
    this.writing = undefined;
  }

  private read(database: Bytes, key: Uint8Array): Uint8Array | undefined {
    const value = database.getBinary(key);
    return value && new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }

  private packed(database: Bytes, height: number, from: (packed: Uint8Array) => Uint8Array = unpack): Uint8Array | undefined {
    const value = database.getBinary(heightKey(height));
    if (value === undefined) return undefined;
    try {
      return from(value);
    } catch (cause) {
      throw new StorageError('STORE_DAMAGED', damagedText(this.folder, `what belongs to height ${height}: ${(cause as Error).message}`), {
        cause,
      });
    }
  }

  private lookup<T>(term: Uint8Array, range: LookupRange, answer: (key: Uint8Array, termBytes: number) => T): T[] {
    const least = boundKey(term, range.from ?? 0, false);
    const greatest = boundKey(term, Math.min(range.to ?? U48_MAX, U48_MAX), true);
    return this.between(least, greatest, range, (key) => answer(key, term.length));
  }

  private between<T>(
    least: Uint8Array,
    greatest: Uint8Array,
    { limit = LIMIT, newestFirst = false }: { readonly limit?: number; readonly newestFirst?: boolean },
    answer: (key: Uint8Array) => T,
  ): T[] {
    const [start, end] = newestFirst ? [greatest, least] : [least, greatest];
    const keys = this.index.getKeys({ start, end, inclusiveEnd: true, reverse: newestFirst, limit });
    return Array.from(keys, answer);
  }
}

const NOTHING = new Uint8Array();

/** The writes of a group in their order; where a later one overwrites an earlier one, only the later. */
function lastOfEach(group: readonly Waiting[]): Iterable<Write> {
  if (group.length === 1) return (group[0] as Waiting).writes;
  const writes = new Map<Bytes, Map<string, Write>>();
  for (const write of group.flatMap((waiting) => waiting.writes)) {
    const { database, key } = write;
    const ofDatabase = writes.get(database) ?? new Map<string, Write>();
    writes.set(database, ofDatabase);
    ofDatabase.set(Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1'), write);
  }
  return [...writes.values()].flatMap((ofDatabase) => [...ofDatabase.values()]);
}

function readPlace(key: Uint8Array, termBytes: number): Place {
  return { height: readU48(key, termBytes), index: Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUInt32BE(termBytes + 6) };
}

// --- Errors -----------------------------------------------------------------------------------------------------------------------

const ERRNO: Readonly<Record<number, string>> = {
  1: 'EPERM',
  5: 'EIO',
  13: 'EACCES',
  27: 'EFBIG',
  28: 'ENOSPC',
  30: 'EROFS',
  122: 'EDQUOT',
};

/** LMDB gives numbers: its own below zero, the system's above. */
async function storeError(error: unknown, folder: string, doing: string): Promise<StorageError> {
  if (error instanceof StorageError) return error;
  // Of a commit it throws a promise of the reason.
  const { commitError } = error as { commitError?: Promise<unknown> };
  const cause = commitError === undefined ? error : await commitError.catch((reason: unknown) => reason);
  const { code } = cause as { code?: number };
  if (typeof code === 'number' && code < 0) {
    return new StorageError('STORE_DAMAGED', damagedText(folder, (cause as Error).message), { cause });
  }
  let name = ERRNO[code ?? 0] ?? (cause as NodeJS.ErrnoException).code;
  // LMDB takes a short write for a disk that fails.
  if (name === 'EIO' && (await freeBytes(folder).catch(() => FREE_BYTES_MIN)) < FREE_BYTES_MIN) name = 'ENOSPC';
  return diskError(Object.assign(new Error((cause as Error).message, { cause }), { code: name }), `${doing} the store in ${folder}`);
}

function damagedText(folder: string, what: string): string {
  return `the store in ${folder} is damaged (${what}): remove it and execute the journal again, or take the state from another node`;
}

function stoppedBy(cause: StorageError): StorageError {
  if (cause.code === 'STORE_STOPPED') return cause;
  return new StorageError('STORE_STOPPED', `the store has stopped after an error (${cause.message})`, { cause });
}
