/**
 * From a transaction to its settlement: order, journal, execute, confirm, commit the root, settle, as stages that overlap.
 *
 *   submit ─▶ waiting ─▶ order ─▶ journal ─▶ execute ─▶ confirmed      block N + 2 is ordered and written,
 *                                               └─▶ root ─▶ settled    N + 1 executes, the root of N is computed
 *
 * Invariant: what was confirmed is in the journal, flushed, before it is confirmed; blocks are executed in the order of the journal, each once;
 * headers form one chain. After an error nothing more is confirmed, and a node that opens the same journal is where this one was.
 * Not here: who may submit what (signatures), and what the journal's folder is (a port).
 */
import { HeddleError } from '../base/errors.ts';
import { type BlockHeader, decodeHeader, encodeHeader, headerHash } from '../commitment/header.ts';
import { committedValue } from '../commitment/state-tree.ts';
import type { Genesis } from '../exchange/genesis.ts';
import type { ModelChoice, RecordChange } from '../execution/api.ts';
import { Engine, type EngineOptions } from '../execution/index.ts';
import { decodeBlock, decodeTransaction, encodeBlock, encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Block, Transaction } from '../ledger/transactions.ts';
import { type Disk, Journal, type Store } from '../storage/index.ts';
import { headerOf, packedReceipts, receiptBytes } from './block-header.ts';
import { genesisHash } from './genesis-hash.ts';

export interface PipelineOptions {
  readonly genesis: Genesis;
  /** Where the journal is. */
  readonly disk: Disk;
  /** Keeps what is settled, so that a start need not execute the whole journal; without it headers are only told. */
  readonly store?: Store;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly engine?: Omit<EngineOptions, 'genesis' | 'commitment' | 'workers'>;
  readonly model?: ModelChoice;
  readonly workers?: number;
  /** The most transactions of one block; default 10,000. */
  readonly blockTransactions?: number;
  /** Transactions that may wait for a block; beyond, `submit` refuses. Default 100,000. */
  readonly waitingMax?: number;
  /** Called for every block that was executed, before its tickets are told; at a start also for those that are executed again. Must not throw. */
  readonly onConfirmed?: (block: ConfirmedBlock) => void;
  /** Called when a block's header is final, before its tickets are told. Must not throw. */
  readonly onSettled?: (settlement: Settlement) => void;
}

/** A block that was executed and is in the journal. Everything in it is the receiver's to keep. */
export interface ConfirmedBlock {
  readonly number: number;
  readonly timeMs: number;
  /** Of the block's first item; the others follow (docs/rules.md, 1). */
  readonly firstOrdinal: bigint;
  readonly transactions: readonly Transaction[];
  /** u32 code, then the events; the block's own by the index of their transaction, then the system's. */
  readonly receipts: readonly Uint8Array[];
  /** The records that the block has changed, each once, as the state tree commits to them. */
  readonly changes: readonly RecordChange[];
}

/** A transaction was executed; its block is in the journal. */
export interface Confirmation {
  readonly block: number;
  readonly index: number;
  readonly code: number;
  readonly events: Uint8Array;
}

/** Its block's header is final. */
export interface Settlement {
  readonly header: BlockHeader;
  readonly hash: Uint8Array;
}

export interface Ticket {
  readonly confirmed: Promise<Confirmation>;
  readonly settled: Promise<Settlement>;
}

/** Blocks that are ordered and not yet executed: one is written while another executes. */
const AHEAD_MAX = 2;
const BLOCK_TRANSACTIONS = 10_000;
const WAITING_MAX = 100_000;

interface Waiting {
  /** Our own copy: what the caller does with its object later changes nothing. */
  readonly transaction: Transaction;
  readonly encoded: Uint8Array;
  readonly confirmed: PromiseWithResolvers<Confirmation>;
  readonly settled: PromiseWithResolvers<Settlement>;
}

interface Ordered {
  readonly block: Block;
  /** As it is in the journal. */
  readonly body: Uint8Array;
  readonly tickets: readonly Waiting[];
  readonly flushed: Promise<void>;
}

interface Executed {
  readonly block: Block;
  readonly body: Uint8Array;
  readonly tickets: readonly Waiting[];
  readonly root: Promise<string>;
  readonly nextOrdinal: bigint;
  readonly receipts: readonly Uint8Array[];
  readonly changes: readonly RecordChange[];
}

/** A queue that one stage fills and the next empties. */
class Lane<T> {
  private readonly items: T[] = [];
  private wake: PromiseWithResolvers<void> = Promise.withResolvers();

  get length(): number {
    return this.items.length;
  }

  push(item: T): void {
    this.items.push(item);
    this.wake.resolve();
  }

  /** Resolves when there is something, or `signal` was called. */
  async some(): Promise<void> {
    while (this.items.length === 0 && !this.ended) {
      await this.wake.promise;
      this.wake = Promise.withResolvers();
    }
  }

  ended = false;

  end(): void {
    this.ended = true;
    this.wake.resolve();
  }

  take(most: number): T[] {
    return this.items.splice(0, most);
  }
}

export class Pipeline {
  private readonly options: PipelineOptions;
  private readonly engine: Engine;
  private readonly journal: Journal;
  private readonly waiting = new Lane<Waiting>();
  private readonly ordered = new Lane<Ordered>();
  private readonly executed = new Lane<Executed>();
  private room: PromiseWithResolvers<void> = Promise.withResolvers();
  private lastTimeMs = 0;
  private nextNumber = 1;
  private parent: Uint8Array;
  private head: Settlement | undefined;
  private failure: HeddleError | undefined;
  private stages: Promise<unknown> = Promise.resolve();

  private constructor(options: PipelineOptions, engine: Engine, journal: Journal, parent: Uint8Array) {
    this.options = options;
    this.engine = engine;
    this.journal = journal;
    this.parent = parent;
  }

  /** Opens the journal, executes what is in it, and starts. Throws what opening a journal and creating an engine throw. */
  static async open(options: PipelineOptions): Promise<Pipeline> {
    const chainId = genesisHash(options.genesis);
    const height = options.store?.height;
    const journal = await Journal.open(options.disk, { chainId, ...(height === undefined ? {} : { confirmed: height }) });
    let engine: Engine | undefined;
    try {
      engine = await Engine.create({ ...options.engine, genesis: options.genesis, workers: options.workers ?? 1, commitment: true });
      const pipeline = new Pipeline(options, engine, journal, chainId);
      await pipeline.load();
      await pipeline.recover();
      pipeline.stages = Promise.all([pipeline.order(), pipeline.execute(), pipeline.settle()]);
      return pipeline;
    } catch (error) {
      await Promise.allSettled([journal.close(), engine?.close()]);
      throw error;
    }
  }

  /** The last header that is final; none before the first block. */
  get settled(): Settlement | undefined {
    return this.head;
  }

  /** Transactions that wait for a block. */
  get waitingTransactions(): number {
    return this.waiting.length;
  }

  /** What has broken it, if something has: nothing more is confirmed. */
  get broken(): HeddleError | undefined {
    return this.failure;
  }

  /** What reads the state of the last executed block. */
  get state(): Engine {
    return this.engine;
  }

  /** What was settled, if it is kept: headers, bodies and receipts of heights up to its own. */
  get store(): Store | undefined {
    return this.options.store;
  }

  /** Throws BUSY when too many wait, UNENCODABLE and the like for what is no transaction, and what has broken the pipeline. */
  submit(transaction: Transaction): Ticket {
    if (this.failure !== undefined) throw this.failure;
    if (this.waiting.ended) throw new HeddleError('CLOSED', 'the pipeline is closing and takes no more transactions');
    if (this.waiting.length >= (this.options.waitingMax ?? WAITING_MAX)) {
      throw new HeddleError('BUSY', `${this.waiting.length} transactions wait already: try again when some are confirmed`);
    }
    const encoded = encodeTransaction(transaction);
    const waiting: Waiting = {
      transaction: decodeTransaction(encoded),
      encoded,
      confirmed: Promise.withResolvers(),
      settled: Promise.withResolvers(),
    };
    // Who does not care for one of the two is not made to.
    waiting.confirmed.promise.catch(() => {});
    waiting.settled.promise.catch(() => {});
    this.waiting.push(waiting);
    return { confirmed: waiting.confirmed.promise, settled: waiting.settled.promise };
  }

  /** Takes nothing more, finishes what waits, and closes the journal and the engine. Throws what has broken the pipeline. */
  async close(): Promise<void> {
    this.waiting.end();
    await this.stages;
    await this.engine.close();
    if (this.failure !== undefined) {
      await Promise.allSettled([this.journal.close(), this.options.store?.close()]);
      throw this.failure;
    }
    await this.journal.close();
    await this.options.store?.close();
  }

  /** Takes the state of the store's height, if its records are those of its header; otherwise the journal has to be enough. */
  private async load(): Promise<void> {
    const { store } = this.options;
    if (store === undefined) return;
    if (store.height === undefined) {
      await this.storeGenesis(store);
      return;
    }
    if (store.height === 0) return;
    const header = decodeHeader(store.header(store.height) as Uint8Array);
    const records = store.records();
    try {
      this.engine.importState(records, header.height, header.nextOrdinal);
    } finally {
      records.close();
    }
    const root = this.engine.committedRoot();
    const expected = Buffer.from(header.stateRoot).toString('hex');
    if (root !== expected) {
      throw new HeddleError(
        'STORE_DAMAGED',
        `the records of block ${header.height} in the store have the root ${root}, its header says ${expected}: remove the store's folder, the journal makes it again`,
      );
    }
    this.parent = headerHash(header);
    this.head = { header, hash: this.parent };
    this.lastTimeMs = header.timeMs;
    this.nextNumber = header.height + 1;
  }

  private async storeGenesis(store: Store): Promise<void> {
    const none = new Uint8Array(32);
    const header = encodeHeader({
      height: 0,
      timeMs: 0,
      nextOrdinal: this.engine.firstOrdinal,
      parentHash: none,
      transactionsRoot: none,
      receiptsRoot: none,
      accessListRoot: none,
      stateRoot: new Uint8Array(Buffer.from(this.engine.committedRoot(), 'hex')),
    });
    const changed = Array.from(this.engine.records(), ({ key, value }) => ({ key, value: committedValue(key, value) }));
    const nothing = new Uint8Array(0);
    await store.commit({ height: 0, timeMs: 0, header, body: nothing, receipts: nothing, changed }, 0);
  }

  private async recover(): Promise<void> {
    for await (const { number, body } of this.journal.read(this.nextNumber)) {
      const block = decodeBlock(body);
      if (block.number !== number) throw new HeddleError('JOURNAL_DAMAGED', `entry ${number} of the journal holds block ${block.number}`);
      const executed = await this.run({ block, body, tickets: [] });
      await this.finish(executed);
      this.lastTimeMs = block.timeMs;
      this.nextNumber = number + 1;
    }
  }

  /** Makes blocks of what waits, and has them written. */
  private order(): Promise<void> {
    return this.stage(this.ordered, async () => {
      while (true) {
        await this.waiting.some();
        const tickets = this.waiting.take(this.options.blockTransactions ?? BLOCK_TRANSACTIONS);
        if (tickets.length === 0) return;
        this.lastTimeMs = Math.max(this.lastTimeMs, this.options.clock());
        const block = { number: this.nextNumber++, timeMs: this.lastTimeMs, transactions: tickets.map(({ transaction }) => transaction) };
        const body = encodeBlock(block);
        const flushed = this.journal.append([{ number: block.number, body }]);
        flushed.catch(() => {});
        this.ordered.push({ block, body, tickets, flushed });
        while (this.ordered.length >= AHEAD_MAX && this.failure === undefined) {
          await this.room.promise;
          this.room = Promise.withResolvers();
        }
      }
    });
  }

  /** Executes what is written, and confirms. */
  private execute(): Promise<void> {
    return this.stage(this.executed, async () => {
      while (true) {
        await this.ordered.some();
        const [next] = this.ordered.take(1);
        if (next === undefined) return;
        this.room.resolve();
        await this.orReject(next.tickets, next.flushed);
        this.executed.push(await this.orReject(next.tickets, this.run(next)));
      }
    });
  }

  private async settle(): Promise<void> {
    await this.stage(undefined, async () => {
      while (true) {
        await this.executed.some();
        const [next] = this.executed.take(1);
        if (next === undefined) return;
        await this.orReject(next.tickets, this.finish(next));
      }
    });
  }

  /** Runs a stage to its end, which is the end of the next one's lane; its failure is the pipeline's. */
  private async stage(next: { end(): void } | undefined, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.fail(error);
    }
    next?.end();
  }

  private fail(cause: unknown): void {
    if (this.failure !== undefined) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.failure = new HeddleError('PIPELINE_BROKEN', `nothing more is confirmed: ${reason}. Start the node again`, { cause });
    this.waiting.end();
    this.room.resolve();
    this.reject(this.waiting.take(Number.MAX_SAFE_INTEGER));
    for (const lane of [this.ordered, this.executed]) {
      for (const { tickets } of lane.take(Number.MAX_SAFE_INTEGER)) this.reject(tickets);
    }
  }

  private reject(tickets: readonly Waiting[]): void {
    for (const { confirmed, settled } of tickets) {
      confirmed.reject(this.failure);
      settled.reject(this.failure);
    }
  }

  /** What a stage does for these tickets: if it fails, the pipeline has, and they are told. */
  private async orReject<T>(tickets: readonly Waiting[], doing: Promise<T>): Promise<T> {
    try {
      return await doing;
    } catch (error) {
      this.fail(error);
      this.reject(tickets);
      throw error;
    }
  }

  /** Executes a block and confirms its transactions. */
  private async run({ block, body, tickets }: Omit<Ordered, 'flushed'>): Promise<Executed> {
    const { model = 'auto', store, onConfirmed } = this.options;
    const { firstOrdinal } = this.engine;
    const {
      receipts,
      root,
      changes = [],
    } = await this.engine.executeBlock(block, { model, changes: store !== undefined || onConfirmed !== undefined });
    const bytes = receiptBytes(receipts);
    const { number, timeMs, transactions } = block;
    onConfirmed?.({ number, timeMs, firstOrdinal, transactions, receipts: bytes, changes });
    tickets.forEach(({ confirmed }, index) => {
      confirmed.resolve({ block: block.number, index, code: receipts.code(index), events: receipts.events(index).slice() });
    });
    return { block, body, tickets, root: root as Promise<string>, nextOrdinal: this.engine.firstOrdinal, receipts: bytes, changes };
  }

  /** Makes the header, and has the store keep what it stands for. */
  private async finish({ block, body, tickets, root, nextOrdinal, receipts, changes }: Executed): Promise<void> {
    const encoded = tickets.length === 0 ? block.transactions.map(encodeTransaction) : tickets.map((ticket) => ticket.encoded);
    const header = headerOf(block, encoded, { parentHash: this.parent, nextOrdinal, receipts, stateRoot: await root });
    this.parent = headerHash(header);
    const kept = { header: encodeHeader(header), body, receipts: packedReceipts(receipts), changed: changes };
    await this.options.store?.commit({ height: block.number, timeMs: block.timeMs, ...kept }, this.journal.last);
    this.head = { header, hash: this.parent };
    this.options.onSettled?.(this.head);
    for (const { settled } of tickets) settled.resolve(this.head);
  }
}
