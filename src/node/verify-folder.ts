/**
 * Verifies all that a node has on disk against what it follows from: the journal's checksums; a second execution of the journal from
 * genesis (or from the snapshot that the folder was restored from), whose headers, bodies and receipts must be those of the store, each
 * header chained to the one before; and the root of the store's records. Of a folder that was pruned what is left is compared with its headers, and what
 * the journal has beyond the store is executed.
 *
 * Invariant: what is reported is wrong, and damage is a sentence in the result, never an error. The node must not be running. Opening
 * the journal cuts off a torn tail, as a start does.
 * Not here: LMDB's pages. What they hold is compared; its index is not.
 */
import { access } from 'node:fs/promises';
import { HeddleError } from '../base/errors.ts';
import { type BlockHeader, decodeHeader, encodeHeader, headerHash } from '../commitment/header.ts';
import { listRoot } from '../commitment/item-list.ts';
import { compareBytes } from '../commitment/state-tree.ts';
import type { Genesis } from '../exchange/genesis.ts';
import type { BlockRoots, ModelChoice } from '../execution/api.ts';
import { Engine, type EngineOptions, PackedReceipts } from '../execution/index.ts';
import { packedTransactions, unpackBlock } from '../ledger/packed-block.ts';
import { decodeBlock, encodeBlock, encodeTransaction } from '../ledger/transaction-codec.ts';
import { Journal, RealDisk, Store } from '../storage/index.ts';
import { headerOf } from './block-header.ts';
import { pathsOf, readGenesis } from './folder.ts';
import { recordsOf } from './folder-store.ts';
import { genesisHash } from './genesis-hash.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { SortedTree } from './sorted-tree.ts';

export interface VerifyOptions {
  readonly model: ModelChoice;
  readonly workers: number;
  readonly engine?: Omit<EngineOptions, 'genesis' | 'commitment' | 'workers'>;
}

export interface Verification {
  /** Executed again. */
  readonly blocks: number;
  readonly transactions: number;
  /** The last of them; that of the snapshot or 0 if there are none. */
  readonly height: number;
  /** Of the state behind it, hexadecimal. */
  readonly stateRoot: string | undefined;
  /** Compared in the store. */
  readonly headers: number;
  readonly records: number;
  /** What is as it may be, and worth knowing. */
  readonly notes: readonly string[];
  /** A sentence each; none: all is well. */
  readonly wrong: readonly string[];
}

const SENTENCES_MAX = 50;
/** What the world does to stored data; other errors are the caller's. */
const DAMAGE = new Set([
  'BAD_GENESIS',
  'BAD_SNAPSHOT',
  'INVALID_HEADER',
  'JOURNAL_DAMAGED',
  'JOURNAL_GAP',
  'JOURNAL_PRUNED',
  'MALFORMED',
  'OUT_OF_ORDER',
  'STORE_DAMAGED',
  'WRONG_CHAIN',
]);

/** Throws NO_FOLDER, FOLDER_LOCKED, WRONG_VERSION, OUT_OF_MEMORY and the errors of disks. */
export async function verifyFolder(
  dir: string,
  options: VerifyOptions,
  onProgress: (done: number, blocks: number) => void = () => {},
): Promise<Verification> {
  const check = new FolderCheck(dir, options, onProgress);
  await check.run();
  return check.result();
}

/** Where the execution begins. */
interface Base {
  readonly header: BlockHeader | undefined;
  readonly height: number;
}

class FolderCheck {
  private readonly dir: string;
  private readonly options: VerifyOptions;
  private readonly onProgress: (done: number, blocks: number) => void;
  private readonly wrong: string[] = [];
  private readonly notes: string[] = [];
  private unnamed = 0;
  private blocks = 0;
  private transactions = 0;
  private height = 0;
  private stateRoot: string | undefined;
  private headers = 0;
  private records = 0;

  constructor(dir: string, options: VerifyOptions, onProgress: (done: number, blocks: number) => void) {
    this.dir = dir;
    this.options = options;
    this.onProgress = onProgress;
  }

  result(): Verification {
    const { blocks, transactions, height, stateRoot, headers, records, notes, unnamed } = this;
    const wrong = unnamed === 0 ? this.wrong : [...this.wrong, `and ${unnamed} things more`];
    return { blocks, transactions, height, stateRoot, headers, records, notes, wrong };
  }

  async run(): Promise<void> {
    const genesis = await this.orWrong(() => readGenesis(this.dir));
    if (genesis === undefined) return;
    const chainId = genesisHash(genesis);
    const store = await this.openStore(chainId);
    try {
      if (store !== undefined) {
        await this.orWrong(async () => this.checkChain(store, chainId));
        await this.orWrong(async () => this.checkRecords(store));
      }
      const disk = await RealDisk.open(pathsOf(this.dir).journal);
      const confirmed = store?.height === undefined ? {} : { confirmed: store.height };
      const journal = await this.orWrong(() => Journal.open(disk, { chainId, ...confirmed }));
      if (journal === undefined) return;
      try {
        const { cutTail } = journal;
        if (cutTail !== undefined) {
          this.notes.push(`the journal ended with ${cutTail.bytes} bytes that had not been flushed (${cutTail.reason}); they were cut off`);
        }
        await this.execute(genesis, journal, store);
      } finally {
        await journal.close();
      }
    } finally {
      await store?.close();
    }
  }

  private async openStore(chainId: Uint8Array): Promise<Store | undefined> {
    const path = pathsOf(this.dir).store;
    try {
      await access(path);
    } catch {
      this.notes.push('there is no store: the journal alone was executed');
      return undefined;
    }
    return this.orWrong(() => Store.open(path, { chainId }));
  }

  /** Headers one behind the other, up to the store's height. */
  private checkChain(store: Store, chainId: Uint8Array): void {
    const { height: last } = store;
    if (last === undefined) return;
    let height = last;
    // The first is that of the genesis or of a snapshot.
    while (height > 0 && store.header(height - 1) !== undefined) height--;
    let parent = height === 0 ? undefined : this.header(store, height);
    for (height++; height <= last; height++) {
      const header = this.header(store, height);
      const expected = height === 1 ? chainId : parent && headerHash(parent);
      if (header !== undefined && expected !== undefined && compareBytes(header.parentHash, expected) !== 0) {
        this.add(`block ${height}: its header's parentHash is ${hex(header.parentHash)}, the hash of the one before is ${hex(expected)}`);
      }
      if (header !== undefined) this.headers++;
      parent = header;
    }
  }

  private header(store: Store, height: number): BlockHeader | undefined {
    try {
      const bytes = store.header(height);
      const header = bytes && decodeHeader(bytes);
      if (header === undefined) this.add(`block ${height}: the store has no header of it`);
      else if (header.height !== height) this.add(`block ${height}: its header in the store says block ${header.height}`);
      return header;
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      this.add(`block ${height}: its header in the store cannot be read (${error.message})`);
      return undefined;
    }
  }

  private checkRecords(store: Store): void {
    const { height } = store;
    const bytes = height === undefined ? undefined : store.header(height);
    if (bytes === undefined) return;
    const tree = new SortedTree(recordsOf(store));
    this.records = tree.records.length;
    const { root } = tree;
    const expected = decodeHeader(bytes).stateRoot;
    if (compareBytes(root, expected) === 0) return;
    this.add(`block ${height}: the records in the store have the root ${hex(root)}, the stateRoot of its header is ${hex(expected)}`);
  }

  private async execute(genesis: Genesis, journal: Journal, store: Store | undefined): Promise<void> {
    const { model, workers } = this.options;
    const engine = await Engine.create({ ...this.options.engine, genesis, workers, commitment: true });
    try {
      const base = await this.orWrong(() => this.begin(engine, genesis, journal, store));
      if (base === undefined) return;
      this.height = base.height;
      let parentHash = base.header === undefined ? genesisHash(genesis) : headerHash(base.header);
      this.stateRoot = engine.committedRoot();
      this.compareBase(store, base, this.stateRoot);
      await this.orWrong(async () => {
        for await (const { number, body } of journal.read(base.height + 1)) {
          const block = unpackBlock(body);
          if (block.number !== number)
            throw new HeddleError('JOURNAL_DAMAGED', `entry ${number} of the journal holds block ${block.number}`);
          const executed = await engine.executeBlock(block, { model, packed: packedTransactions(body), keepReceipts: true });
          const roots = (await executed.roots) as BlockRoots;
          const header = headerOf(block, { parentHash, nextOrdinal: engine.firstOrdinal, roots });
          parentHash = headerHash(header);
          this.stateRoot = hex(roots.state);
          this.height = number;
          this.blocks++;
          this.transactions += block.transactions.length;
          if (store?.height !== undefined && number <= store.height) {
            this.compareBlock(store, header, encodeBlock(block), (executed.kept as PackedReceipts).bytes);
          }
          this.onProgress(number - base.height, journal.last - base.height);
        }
      });
      const stored = store?.height;
      if (stored !== undefined && stored < this.height) {
        this.notes.push(`the store ends with block ${stored}, the journal with ${this.height}: a start executes the rest`);
      }
    } finally {
      await engine.close();
    }
  }

  /** Brings the engine to where the journal begins. */
  private async begin(engine: Engine, genesis: Genesis, journal: Journal, store: Store | undefined): Promise<Base> {
    const snapshot = await SnapshotReader.openIfThere(pathsOf(this.dir).snapshot);
    if (snapshot !== undefined && journal.first > snapshot.manifest.header.height + 1) {
      await snapshot.close();
      return await this.beginPruned(engine, journal, store);
    }
    if (snapshot === undefined) {
      if (journal.first === 1) return { header: undefined, height: 0 };
      return await this.beginPruned(engine, journal, store);
    }
    try {
      const { header, chainId } = snapshot.manifest;
      if (compareBytes(chainId, genesisHash(genesis)) !== 0) throw new HeddleError('WRONG_CHAIN', 'the snapshot is that of another chain');
      const records = await Array.fromAsync(snapshot.records());
      engine.importState(
        records.sort((a, b) => compareBytes(a.key, b.key)).map(({ key, value }) => ({ key, value })),
        header.height,
        header.nextOrdinal,
      );
      return { header, height: header.height };
    } finally {
      await snapshot.close();
    }
  }

  /** The journal's first blocks are gone: what the store has stands for them. */
  private async beginPruned(engine: Engine, journal: Journal, store: Store | undefined): Promise<Base> {
    const height = store?.height;
    const header = store === undefined || height === undefined ? undefined : this.header(store, height);
    if (store === undefined || height === undefined || header === undefined || height + 1 < journal.first) {
      throw new HeddleError('JOURNAL_GAP', `the journal begins with block ${journal.first}, and there is no state of the one before`);
    }
    this.notes.push(
      `blocks before ${Math.max(store.first, journal.first)} have been pruned: those up to ${height} were compared with their headers, not executed again`,
    );
    for (let kept = Math.max(1, store.first); kept <= height; kept++) await this.compareKept(store, journal, kept);
    const records = store.records();
    try {
      engine.importState(records, height, header.nextOrdinal);
    } finally {
      records.close();
    }
    return { header, height };
  }

  /** Body and receipts of a block against its header, and the journal's body if it is there. */
  private async compareKept(store: Store, journal: Journal, height: number): Promise<void> {
    const header = this.header(store, height);
    if (header === undefined) return;
    await this.orWrong(async () => {
      const body = store.body(height);
      const receipts = store.receipts(height);
      // Of a block that a snapshot stands for there is a header only.
      if (body?.length === 0) return;
      if (body === undefined || receipts === undefined) {
        this.add(`block ${height}: its body or its receipts are not in the store`);
        return;
      }
      const block = decodeBlock(body);
      const roots = { transactionsRoot: listRoot(block.transactions.map(encodeTransaction)), receiptsRoot: listRoot(itemsOf(receipts)) };
      for (const name of ['transactionsRoot', 'receiptsRoot'] as const) {
        if (compareBytes(roots[name], header[name]) === 0) continue;
        this.add(`block ${height}: ${name} of what the store has is ${hex(roots[name])}, its header says ${hex(header[name])}`);
      }
      if (height < journal.first) return;
      for await (const entry of journal.read(height)) {
        if (compareBytes(encodeBlock(unpackBlock(entry.body)), body) !== 0)
          this.add(`block ${height}: the store has another body than the journal`);
        break;
      }
    });
  }

  private compareBase(store: Store | undefined, { header, height }: Base, root: string): void {
    if (header !== undefined && hex(header.stateRoot) !== root) {
      this.add(`block ${height}: the snapshot's state has the root ${root} in the engine, its header says ${hex(header.stateRoot)}`);
    }
    if (store?.height === undefined) return;
    const stored = this.header(store, height);
    if (stored === undefined) return;
    if (header !== undefined && compareBytes(encodeHeader(stored), encodeHeader(header)) !== 0) {
      this.add(`block ${height}: its header in the store is not the one of the snapshot`);
    } else if (hex(stored.stateRoot) !== root) {
      this.add(`block ${height}: stateRoot is ${hex(stored.stateRoot)} in the store, ${root} by the genesis`);
    }
  }

  /** `parentHash` is not compared: `checkChain` has, against the store's own headers. */
  private compareBlock(store: Store, expected: BlockHeader, body: Uint8Array, receipts: Uint8Array): void {
    const { height } = expected;
    const found = this.header(store, height);
    for (const name of ['timeMs', 'nextOrdinal', 'transactionsRoot', 'receiptsRoot', 'accessListRoot', 'stateRoot'] as const) {
      if (found === undefined || text(found[name]) === text(expected[name])) continue;
      this.add(`block ${height}: ${name} is ${text(found[name])} in the store, ${text(expected[name])} by executing the journal`);
    }
    if (height < store.first) return;
    for (const [name, value] of [['body', body] as const, ['receipts', receipts] as const]) {
      try {
        const stored = store[name](height);
        if (stored !== undefined && compareBytes(stored, value) === 0) continue;
        this.add(`block ${height}: the store has another value for its ${name} than executing the journal gives`);
      } catch (error) {
        if (!(error instanceof HeddleError)) throw error;
        this.add(`block ${height}: its ${name} in the store cannot be read (${error.message})`);
      }
    }
  }

  private add(sentence: string): void {
    if (this.wrong.length < SENTENCES_MAX) this.wrong.push(sentence);
    else this.unnamed++;
  }

  private async orWrong<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof HeddleError) || !DAMAGE.has(error.code)) throw error;
      this.add(error.message);
      return undefined;
    }
  }
}

/** Receipts as the store has them. */
function itemsOf(packed: Uint8Array): Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  let count = 0;
  for (let at = 0; at + 4 <= packed.length; at += 4 + view.getUint32(at, true)) count++;
  return new PackedReceipts(packed, count).items();
}

function text(value: Uint8Array | number | bigint): string {
  return value instanceof Uint8Array ? hex(value) : String(value);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
