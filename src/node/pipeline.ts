/**
 * From a transaction to its settlement: order, journal, execute, confirm, commit the roots, settle, as stages that overlap.
 *
 *   submit ─▶ waiting ─▶ order ─▶ journal ─▶ execute ─▶ confirmed              block N + 3 is ordered and written, N + 2 executes, the
 *                                               └─▶ roots ─▶ store ─▶ settled  roots of N + 1 are computed, N is written to the store
 *
 * Each stage may be ahead of the next by so much and no more: what waits is bounded by `waitingMax` (beyond, `submit` refuses), what is ordered and not
 * executed by AHEAD_MAX, what is executed and not settled by `behindMax` and BEHIND_ROOM; the stage before waits.
 *
 * Invariant: what was confirmed is in the journal, flushed, before it is confirmed; blocks are executed in the order of the journal, each once;
 * headers form one chain. After an error nothing more is confirmed, and a node that opens the same journal is where this one was.
 * Not here: who may submit what (signatures), and what the journal's folder is (a port).
 */
import { HeddleError } from '../base/errors.ts';
import { PackedChanges } from '../base/packed-changes.ts';
import { type BlockHeader, decodeHeader, encodeHeader, headerHash } from '../commitment/header.ts';
import { committedValue } from '../commitment/state-tree.ts';
import type { Genesis } from '../exchange/genesis.ts';
import type { BlockResult, BlockRoots, ModelChoice } from '../execution/api.ts';
import { Engine, type EngineOptions, type PackedReceipts } from '../execution/index.ts';
import { packBlock, packedTransactions, unpackBlock } from '../ledger/packed-block.ts';
import { decodeTransaction, encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Block, Transaction } from '../ledger/transactions.ts';
import { type Disk, Journal, type Store } from '../storage/index.ts';
import { headerOf } from './block-header.ts';
import { genesisHash } from './genesis-hash.ts';
import { Lane, Load } from './lane.ts';
import { type MemoryClaim, MemoryGuard } from './memory-guard.ts';
import { Outcome } from './outcome.ts';
import { Pruning } from './pruning.ts';
import { StoredColdRecords } from './stored-cold-records.ts';

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
  /** Blocks that may be executed and not settled; beyond, execution waits. Default 512; fewer if they are large. */
  readonly behindMax?: number;
  /** What a block is to be found by in the store, as keys of its index; without it by its height only. */
  readonly termsOf?: (block: ConfirmedBlock) => Uint8Array;
  /** Bodies and receipts of blocks that are older than this go; their headers stay. Without it nothing goes. Needs a store. */
  readonly keepMs?: number;
  /** The journal begins a new file when one has reached this, and removes whole ones; default 64 MiB. */
  readonly journalSegmentBytes?: number;
  /**
   * How many transactions are on their way to `submit`, as far as the caller knows. While they are many, blocks begin GATHER_MS apart, since a block of
   * few costs as much as one of many; without it, and while they are few, a block begins when there is something for it.
   */
  readonly expected?: () => number;
  /** In place of GATHER_MS. */
  readonly gatherMs?: number;
  /** Called for every block that was executed, before its tickets are told; at a start also for those that are executed again. Must not throw. */
  readonly onConfirmed?: (block: ConfirmedBlock) => void;
  /** Called with what the execution of a block has taken, for whoever measures it. Must not throw. */
  readonly onExecuted?: (work: BlockWork) => void;
  /** Called when a block's header is final, before its tickets are told. Must not throw. */
  readonly onSettled?: (settlement: Settlement) => void;
}

/** What the execution of a block has taken. */
export type BlockWork = Pick<
  BlockResult,
  'model' | 'transactions' | 'systemTransactions' | 'seconds' | 'executions' | 'validations' | 'conflictsByClass' | 'fallback'
>;

/** A block that was executed and is in the journal. Everything in it is the receiver's to keep. */
export interface ConfirmedBlock {
  readonly number: number;
  readonly timeMs: number;
  /** Of the block's first item; the others follow (docs/rules.md, 1). */
  readonly firstOrdinal: bigint;
  readonly transactions: readonly Transaction[];
  /** What they are known by: BLAKE3 of each as `encodeTransaction` writes it, 32 bytes. */
  readonly hashes: readonly Uint8Array[];
  /** u32 code, then the events; the block's own by the index of their transaction, then the system's. */
  readonly receipts: readonly Uint8Array[];
  /** The records that the block has changed, each once, as the state tree commits to them. */
  readonly changes: PackedChanges;
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

/** Who submits a transaction and waits for nothing but its block: told once, by one of the two, without a promise. Neither may throw. */
export interface Submitter {
  confirmed(confirmation: Confirmation): void;
  /** The pipeline has broken. */
  failed(error: HeddleError): void;
}

export interface Ticket {
  readonly confirmed: Promise<Confirmation>;
  readonly settled: Promise<Settlement>;
}

/** How far the stages are. */
export interface PipelineCounts {
  /** Transactions that wait for a block. */
  readonly waiting: number;
  /** Blocks that are ordered and not executed. */
  readonly ordered: number;
  /** Blocks that are executed and not settled. */
  readonly unsettled: number;
  /** Number of the last block that was executed. */
  readonly executedHeight: number;
  /** Memory of the ledger that new orders can still take, in bytes; 0: they are refused. */
  readonly memoryLeftBytes: number;
}

/** Blocks that are ordered and not yet executed: one is written while another executes. */
const AHEAD_MAX = 2;
const BLOCK_TRANSACTIONS = 10_000;
/** Who waits behind so many others waits longer for them than for this. */
const GATHER_MS = 20;
/** Transactions on their way that make a block wait. */
const GATHER_LEAST = 128;
/**
 * What the transactions of a block may take together: their bytes, and ITEM_ROOM an item. Small transactions come to far less; of large batches a block has
 * fewer, because one that is in the journal and does not fit into the engine's memory could never be executed. What is scarce are keys: an item can name
 * two client ids, which take places in the key table until the block has ended, so that all items together take less than half of the smallest table.
 */
const BLOCK_ROOM = 4 * 2 ** 20;
/** Bytes of an item in the engine's form: more than on its way there, where a cancel can be 3 bytes. */
const ITEM_ROOM = 64;
/** What waits may take together, counted in the same way: large batches are some kilobytes each, and their objects several times that. */
const WAITING_ROOM = 32 * BLOCK_ROOM;
const WAITING_MAX = 100_000;
/**
 * Blocks that may be executed and not settled. Small ones come fast, and the store joins those of half a second and more: it has to have room
 * for what comes while it writes the ones before.
 */
const BEHIND_MAX = 512;
/** And how large they are together, as 32 full ones: that is in memory, and executed again after a crash. */
const BEHIND_ROOM = 32 * BLOCK_ROOM;
const NO_CHANGES = new PackedChanges([]);

class Waiting implements Ticket {
  readonly transaction: Transaction;
  readonly encoded: Uint8Array;
  /** Of BLOCK_ROOM. */
  readonly room: number;
  /** Of the engine's memory. */
  readonly claim: MemoryClaim;
  private submitter: Submitter | undefined;
  private readonly confirmation = new Outcome<Confirmation>();
  /** Of its block, once that was executed. */
  private settlement: Outcome<Settlement> | undefined;

  constructor(transaction: Transaction, encoded: Uint8Array, room: number, claim: MemoryClaim, submitter: Submitter | undefined) {
    this.transaction = transaction;
    this.encoded = encoded;
    this.room = room;
    this.claim = claim;
    this.submitter = submitter;
  }

  get confirmed(): Promise<Confirmation> {
    return this.confirmation.promise;
  }

  get settled(): Promise<Settlement> {
    const settled = this.confirmed.then(() => (this.settlement as Outcome<Settlement>).promise);
    // Who does not care is not made to.
    settled.catch(() => {});
    return settled;
  }

  confirm(confirmation: Confirmation, settlement: Outcome<Settlement>): void {
    this.settlement = settlement;
    this.confirmation.resolve(confirmation);
    this.submitter?.confirmed(confirmation);
    this.submitter = undefined;
  }

  reject(error: HeddleError): void {
    this.confirmation.reject(error);
    this.submitter?.failed(error);
    this.submitter = undefined;
  }
}

function itemsOf(transaction: Transaction): number {
  return transaction.kind === 'orders' ? transaction.items.length : transaction.kind === 'oracle' ? transaction.prices.length : 0;
}

/** What a block takes of BEHIND_ROOM: a full one takes BLOCK_ROOM, whether it is full of bytes or of transactions. */
function roomOf({ transactions }: Block, body: Uint8Array, transactionsMost: number): number {
  let bytes = body.length;
  for (const transaction of transactions) bytes += ITEM_ROOM * itemsOf(transaction);
  return Math.max(bytes, Math.ceil((transactions.length / transactionsMost) * BLOCK_ROOM));
}

/** Reads the receipt when it is asked. */
class BlockConfirmation implements Confirmation {
  readonly block: number;
  readonly index: number;
  private readonly receipts: PackedReceipts;

  constructor(block: number, index: number, receipts: PackedReceipts) {
    this.block = block;
    this.index = index;
    this.receipts = receipts;
  }

  get code(): number {
    return this.receipts.code(this.index);
  }

  get events(): Uint8Array {
    return this.receipts.events(this.index);
  }
}

/** A transaction that waits for its confirmation, or a block for its settlement. */
interface Rejectable {
  reject(error: HeddleError): void;
}

interface Ordered {
  readonly block: Block;
  /** As it is in the journal. */
  readonly body: Uint8Array;
  readonly tickets: readonly Waiting[];
  readonly flushed: Promise<void>;
}

/** What waits to be settled holds none of its transactions: they are many, and it takes long. */
interface Executed {
  readonly block: Pick<Block, 'number' | 'timeMs'>;
  /** As it is in the journal. */
  readonly body: Uint8Array;
  readonly outcome: Outcome<Settlement>;
  /** Of BEHIND_ROOM. */
  readonly room: number;
  readonly roots: Promise<BlockRoots>;
  readonly nextOrdinal: bigint;
  readonly receipts: PackedReceipts;
  readonly changes: PackedChanges;
  readonly terms: Uint8Array | undefined;
}

/** A header that is made, and on its way to the store. */
interface Stored {
  readonly settlement: Settlement;
  readonly outcome: Outcome<Settlement>;
  /** Of BEHIND_ROOM. */
  readonly room: number;
  readonly kept: Promise<void> | undefined;
}

export class Pipeline {
  private readonly options: PipelineOptions;
  private readonly engine: Engine;
  private readonly journal: Journal;
  private readonly pruning: Pruning | undefined;
  private readonly waiting = new Lane<Waiting>();
  private readonly ordered = new Lane<Ordered>();
  private readonly executed = new Lane<Executed>();
  private readonly stored = new Lane<Stored>();
  private readonly ahead = new Load(AHEAD_MAX);
  private readonly behind: Load;
  /** The most of one block. */
  private readonly blockTransactions: number;
  private waitingRoom = 0;
  /** By `performance.now()`. */
  private blockBegan = Number.NEGATIVE_INFINITY;
  private endGathering: (() => void) | undefined;
  private lastTimeMs = 0;
  private nextNumber = 1;
  private executedHeight = 0;
  private parent: Uint8Array;
  private head: Settlement | undefined;
  private failure: HeddleError | undefined;
  /** Somebody waits for all that was executed to be settled, and nothing comes to join it. */
  private settlesAll = false;
  private stages: Promise<unknown> = Promise.resolve();

  private readonly guard: MemoryGuard;

  private constructor(options: PipelineOptions, engine: Engine, journal: Journal, parent: Uint8Array) {
    this.options = options;
    this.blockTransactions = options.blockTransactions ?? BLOCK_TRANSACTIONS;
    this.engine = engine;
    this.guard = new MemoryGuard(engine.memory);
    this.journal = journal;
    this.parent = parent;
    this.behind = new Load(options.behindMax ?? BEHIND_MAX, BEHIND_ROOM);
    const { store, keepMs } = options;
    this.pruning = store === undefined || keepMs === undefined ? undefined : new Pruning(store, journal, keepMs);
  }

  /** Opens the journal, executes what is in it, and starts. Throws what opening a journal and creating an engine throw, and JOURNAL_PRUNED. */
  static async open(options: PipelineOptions): Promise<Pipeline> {
    const chainId = genesisHash(options.genesis);
    const height = options.store?.height;
    const { journalSegmentBytes: segmentBytes } = options;
    const journal = await Journal.open(options.disk, {
      chainId,
      ...(height === undefined ? {} : { confirmed: height }),
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
    });
    let engine: Engine | undefined;
    try {
      const cold = options.store === undefined ? {} : { coldRecords: new StoredColdRecords(options.store) };
      engine = await Engine.create({
        ...cold,
        ...options.engine,
        genesis: options.genesis,
        workers: options.workers ?? 1,
        commitment: true,
      });
      const pipeline = new Pipeline(options, engine, journal, chainId);
      pipeline.guard.checkSize();
      await pipeline.load();
      await pipeline.start();
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

  get counts(): PipelineCounts {
    const { waiting, ahead, behind, executedHeight, guard } = this;
    const { leftBytes } = guard;
    return { waiting: waiting.length, ordered: ahead.count, unsettled: behind.count, executedHeight, memoryLeftBytes: leftBytes };
  }

  /**
   * Throws BUSY when too many wait, or may need all memory that is left, MEMORY_SHORT when it might not fit into the ledger's memory even so, NOT_ENCODABLE
   * for what is no transaction or larger than a block, and what has broken the pipeline. The transaction is kept and executed as it is, so it must stay as
   * it is; fields that transactions do not have mean nothing.
   */
  submit(transaction: Transaction, submitter?: Submitter): Ticket {
    return this.enter(transaction, encodeTransaction(transaction), submitter);
  }

  /**
   * The same for a transaction as `encodeTransaction` writes it; the bytes must stay as they are. For what is no transaction it throws MALFORMED
   * or UNKNOWN_VERSION.
   */
  submitEncoded(encoded: Uint8Array): Ticket {
    return this.enter(decodeTransaction(encoded), encoded, undefined);
  }

  private enter(transaction: Transaction, encoded: Uint8Array, submitter: Submitter | undefined): Ticket {
    if (this.failure !== undefined) throw this.failure;
    if (this.waiting.ended) throw new HeddleError('CLOSED', 'the pipeline is closing and takes no more transactions');
    if (this.waiting.length >= (this.options.waitingMax ?? WAITING_MAX) || this.waitingRoom >= WAITING_ROOM) {
      throw new HeddleError('BUSY', `${this.waiting.length} transactions wait already: try again when some are confirmed`);
    }
    const room = encoded.length + ITEM_ROOM * itemsOf(transaction);
    if (room > BLOCK_ROOM) {
      throw new HeddleError('NOT_ENCODABLE', `a transaction of ${encoded.length} bytes does not fit into a block: send it in parts`);
    }
    const waiting = new Waiting(transaction, encoded, room, this.guard.take(transaction), submitter);
    this.waiting.push(waiting);
    this.waitingRoom += room;
    if (this.isBlockFull()) this.endGathering?.();
    return waiting;
  }

  /** Takes nothing more, finishes what waits, and closes the journal and the engine. Throws what has broken the pipeline. */
  async close(): Promise<void> {
    this.waiting.end();
    this.endGathering?.();
    this.settleAll();
    await this.stages;
    await this.pruning?.done();
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
      if (this.journal.first > 1) {
        throw new HeddleError(
          'JOURNAL_PRUNED',
          `the store is gone, and the journal begins with block ${this.journal.first}: restore this node from a snapshot of another one`,
        );
      }
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
    this.executedHeight = header.height;
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

  /** Executes what the journal has beyond the store; then all stages run. */
  private async start(): Promise<void> {
    const settling = Promise.all([this.commit(), this.settle()]);
    try {
      await this.recover();
      this.settleAll();
      await this.behind.empty();
      this.settlesAll = false;
      this.guard.look();
      if (this.failure !== undefined) throw this.failure;
    } catch (error) {
      this.fail(error);
      this.executed.end();
      await settling;
      throw this.failure?.cause ?? error;
    }
    this.stages = Promise.all([this.order(), this.execute(), settling]);
  }

  private settleAll(): void {
    this.settlesAll = true;
    this.options.store?.hasten();
  }

  /** Nobody waits for room while what would make it waits for others to join. */
  private async roomBehind(): Promise<void> {
    if (this.behind.full) this.options.store?.hasten();
    await this.behind.room();
  }

  private async recover(): Promise<void> {
    for await (const { number, body } of this.journal.read(this.nextNumber)) {
      const block = unpackBlock(body);
      if (block.number !== number) throw new HeddleError('JOURNAL_DAMAGED', `entry ${number} of the journal holds block ${block.number}`);
      await this.roomBehind();
      try {
        this.pass(this.executed, await this.run({ block, body, tickets: [] }));
      } catch (error) {
        throw this.outOfMemoryAt(number, block.transactions, error);
      }
      this.lastTimeMs = block.timeMs;
      this.nextNumber = number + 1;
    }
  }

  /** Of a block in the journal that does not fit, which an earlier version may have let in: says what is needed, as far as that can be known. */
  private outOfMemoryAt(number: number, transactions: readonly Transaction[], error: unknown): unknown {
    if (!(error instanceof HeddleError) || error.code !== 'OUT_OF_MEMORY') return error;
    const { mib, isPossible } = this.guard.sizeFor(transactions);
    const advice = isPossible
      ? `start with at least --memory-mib ${mib}; blocks behind it may need more`
      : `no more than --memory-mib ${mib} is possible: take a version or a genesis that needs less`;
    return new HeddleError('OUT_OF_MEMORY', `block ${number} of the journal does not fit into the ledger's memory: ${advice}`, {
      cause: error,
    });
  }

  /** Makes blocks of what waits, and has them written. */
  private order(): Promise<void> {
    return this.stage(this.ordered, async () => {
      while (true) {
        await this.waiting.some();
        await this.gather();
        const tickets = this.waiting.take(this.nextTransactions());
        if (tickets.length === 0) return;
        for (const { room } of tickets) this.waitingRoom -= room;
        this.lastTimeMs = Math.max(this.lastTimeMs, this.options.clock());
        const block = { number: this.nextNumber++, timeMs: this.lastTimeMs, transactions: tickets.map(({ transaction }) => transaction) };
        const encoded = tickets.map((ticket) => ticket.encoded);
        const body = packBlock(block.number, block.timeMs, encoded);
        const flushed = this.journal.append([{ number: block.number, body }]);
        flushed.catch(() => {});
        this.ahead.add();
        this.ordered.push({ block, body, tickets, flushed });
        await this.ahead.room();
      }
    });
  }

  /** Resolves when the next block is to begin: it is time, it is full, or nothing more comes. */
  private async gather(): Promise<void> {
    const { expected, gatherMs = GATHER_MS } = this.options;
    const leftMs = this.blockBegan + gatherMs - performance.now();
    if (leftMs > 0 && !this.waiting.ended && !this.isBlockFull() && expected !== undefined && expected() >= GATHER_LEAST) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.endGathering = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.endGathering = undefined;
    }
    this.blockBegan = performance.now();
  }

  private isBlockFull(): boolean {
    return this.waiting.length >= this.blockTransactions || this.waitingRoom >= BLOCK_ROOM;
  }

  /** How many of those that wait make a block. */
  private nextTransactions(): number {
    const most = this.blockTransactions;
    let count = 0;
    let room = 0;
    let keys = 0;
    for (; count < most; count++) {
      const waiting = this.waiting.at(count);
      if (waiting === undefined) break;
      room += waiting.room;
      keys += waiting.claim.keys;
      if (room > BLOCK_ROOM || (keys > this.engine.memory.blockKeys && count > 0)) break;
    }
    return count;
  }

  /** Executes what is written, and confirms. */
  private execute(): Promise<void> {
    return this.stage(this.executed, async () => {
      while (true) {
        await this.ordered.some();
        const [next] = this.ordered.take(1);
        if (next === undefined) return;
        this.ahead.remove();
        await this.orReject(next.tickets, next.flushed);
        await this.roomBehind();
        this.pass(this.executed, await this.orReject(next.tickets, this.run(next)));
      }
    });
  }

  /** Makes headers, in their order, and gives them to the store, which joins the blocks that come while it writes. */
  private commit(): Promise<void> {
    return this.stage(this.stored, async () => {
      while (true) {
        await this.executed.some();
        const [next] = this.executed.take(1);
        if (next === undefined) return;
        this.pass(this.stored, await this.orReject([next.outcome], this.makeHeader(next)));
        if (this.executed.length === 0 && (this.settlesAll || this.behind.full)) this.options.store?.hasten();
      }
    });
  }

  private settle(): Promise<void> {
    return this.stage(undefined, async () => {
      while (true) {
        await this.stored.some();
        const [next] = this.stored.take(1);
        if (next === undefined) return;
        const { settlement, outcome, room, kept } = next;
        if (kept !== undefined) await this.orReject([outcome], kept);
        this.head = settlement;
        this.options.onSettled?.(settlement);
        outcome.resolve(settlement);
        this.behind.remove(room);
        this.pruning?.after(settlement.header, (error) => this.fail(error));
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
    this.endGathering?.();
    this.ahead.lift();
    this.behind.lift();
    this.reject(this.waiting.take(Number.MAX_SAFE_INTEGER));
    for (const { tickets } of this.ordered.take(Number.MAX_SAFE_INTEGER)) this.reject(tickets);
    for (const lane of [this.executed, this.stored]) this.reject(lane.take(Number.MAX_SAFE_INTEGER).map(({ outcome }) => outcome));
  }

  private reject(waiting: readonly Rejectable[]): void {
    for (const one of waiting) one.reject(this.failure as HeddleError);
  }

  /** Gives the next stage what this one has made. After an error that one may have ended: nobody would tell those who wait any more. */
  private pass<T extends { readonly outcome: Rejectable }>(lane: Lane<T>, made: T): void {
    if (this.failure === undefined) lane.push(made);
    else this.reject([made.outcome]);
  }

  /** What a stage does for those who wait: if it fails, the pipeline has, and they are told. */
  private async orReject<T>(waiting: readonly Rejectable[], doing: Promise<T>): Promise<T> {
    try {
      return await doing;
    } catch (error) {
      this.fail(error);
      this.reject(waiting);
      throw error;
    }
  }

  /** Executes a block and confirms its transactions, unless the pipeline has failed meanwhile. */
  private async run({ block, body, tickets }: Omit<Ordered, 'flushed'>): Promise<Executed> {
    if (this.failure !== undefined) throw this.failure;
    const { model = 'auto', store, onConfirmed, onExecuted, termsOf } = this.options;
    const { firstOrdinal } = this.engine;
    const packed = packedTransactions(body);
    const isTold = onConfirmed !== undefined || termsOf !== undefined;
    const options = { model, packed, keepReceipts: true, hashes: isTold, changes: store !== undefined || onConfirmed !== undefined };
    this.guard.begins();
    const result = await this.engine.executeBlock(block, options);
    this.guard.ran(tickets.map(({ claim }) => claim));
    if (this.failure !== undefined) throw this.failure;
    const { kept, roots, changes = NO_CHANGES, hashes = [] } = result;
    onExecuted?.(result);
    const receipts = kept as PackedReceipts;
    const room = roomOf(block, body, Math.max(BLOCK_TRANSACTIONS, this.blockTransactions));
    this.behind.add(room);
    this.executedHeight = block.number;
    let terms: Uint8Array | undefined;
    if (isTold) {
      const { number, timeMs, transactions } = block;
      const confirmed = { number, timeMs, firstOrdinal, transactions, hashes, receipts: receipts.items(), changes };
      onConfirmed?.(confirmed);
      // Whoever is told of the block knows the accounts that it has made.
      terms = termsOf?.(confirmed);
    }
    const { number, timeMs } = block;
    const outcome = new Outcome<Settlement>();
    tickets.forEach((ticket, index) => {
      ticket.confirm(new BlockConfirmation(number, index, receipts), outcome);
    });
    const { firstOrdinal: nextOrdinal } = this.engine;
    return { block: { number, timeMs }, body, outcome, room, roots: roots as Promise<BlockRoots>, nextOrdinal, receipts, changes, terms };
  }

  private async makeHeader({ block, body, outcome, room, roots, nextOrdinal, receipts, changes, terms }: Executed): Promise<Stored> {
    const made = await roots;
    this.guard.isInTree();
    const header = headerOf(block, { parentHash: this.parent, nextOrdinal, roots: made });
    this.parent = headerHash(header);
    const kept = this.options.store?.commit(
      {
        height: block.number,
        timeMs: block.timeMs,
        header: encodeHeader(header),
        body: { journaled: body },
        receipts: receipts.bytes,
        changed: changes,
        ...(terms === undefined ? {} : { keys: terms }),
      },
      this.journal.last,
    );
    kept?.catch(() => {});
    return { settlement: { header, hash: this.parent }, outcome, room, kept };
  }
}
