/**
 * The engine: a ledger in shared memory and the executors that run blocks on it. Owns the choice of the model, fallbacks, the stream of
 * commits, and what happens between blocks; the executors themselves are the kernel's.
 *
 * Invariant: whatever the model, the number of workers and the faults on the way, a block ends in the state that running its
 * transactions one by one gives, with the same receipts.
 */
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import { PackedChanges, type RecordChange } from '../base/packed-changes.ts';
import type { Genesis } from '../exchange/genesis.ts';
import * as X from '../exchange/layout.ts';
import { Kernel, type KernelOptions, type RunOptions, type RunOutcome, wallMicros } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import type { Block } from '../ledger/transactions.ts';
import { RecordedAccessList } from './access-list.ts';
import { Admission } from './admission.ts';
import type {
  AccessList,
  AuditResult,
  BlockResult,
  ExecuteOptions,
  Model,
  PreparedBlock,
  Receipts,
  RecordEntry,
  TimelineEntry,
} from './api.ts';
import { ModelChooser } from './auto.ts';
import { type ColdRecords, MemoryColdRecords } from './cold-records.ts';
import { DormantAccounts } from './dormant-accounts.ts';
import { checkGenesis } from './genesis-check.ts';
import { layOutState, writeAccounts } from './genesis-state.ts';
import { importRecords } from './import-state.ts';
import { MemoryRoom } from './memory-room.ts';
import { refuseMalformed } from './prepared-check.ts';
import { CLASS_NAMES, type LevelEntry, LocationNames, levelsOf, recordEntries, stateRootOf } from './state.ts';
import { StateTree, type StateTreeOptions } from './state-tree.ts';

export interface EngineOptions extends Partial<KernelOptions> {
  readonly genesis?: Genesis;
  readonly workers: number;
  readonly benchCells?: number;
  readonly benchCounters?: number;
  /** Keep the state tree from block to block; `committedRoot` gives its root. */
  readonly commitment?: boolean | StateTreeOptions;
  /** Where dormant accounts are kept; default: in memory. Only looked at with a genesis that has `dormantDays`. */
  readonly coldRecords?: ColdRecords;
}

/** Switches that tests use; never set by anything that runs for its result. */
export interface TestSwitches {
  mutation?: number;
  /** Runs the optimistic scheduler in one thread, interleaved by this seed, up to `ahead` transactions before their turn. */
  adversary?: { seed: number; ahead: number };
  /** The first execution of this transaction (or a later one) on a worker thread traps; `silent`: the thread exits without a word. */
  faultAt?: number;
  faultSilent?: boolean;
  window?: number;
  stride?: number;
}

const EMPTY_GENESIS: Genesis = {
  maxAccounts: 1,
  orderPages: 1,
  tokens: [{ name: 'USDC', decimals: 6 }],
  markets: [],
  accounts: [],
};
const REPORT_EVERY = 256;
/** Rounds of deleveraging after which something is wrong. */
const DELEVERAGE_ROUNDS_MAX = 64;
/** `auto` runs fewer transactions of the system than this serially. */
const SYSTEM_PARALLEL_LEAST = 128;
/** Places in the key table: so many, and this many an account (its address, client ids, approvals). */
const KEYS_LEAST_BITS = 18;
const KEYS_PER_ACCOUNT = 8;
/** Room for the system's transactions: so many, and this many an account. */
const SYSTEM_TRANSACTIONS_LEAST = 65536;
const SYSTEM_TRANSACTIONS_PER_ACCOUNT = 2;

export interface Snapshot {
  readonly kernel: Uint8Array[];
  readonly admission: { used: Uint8Array; lowestFree: number };
  readonly dormant: ReturnType<DormantAccounts['snapshot']>;
  readonly nextBlock: number;
  readonly nextOrdinal: bigint;
}

export class Engine {
  readonly workers: number;
  /** How much memory is left, for whoever has to refuse what might not fit. */
  readonly memory: MemoryRoom;
  /** Units of `ExecuteOptions.workUnits` that take a microsecond on this machine; measured at creation. */
  readonly workUnitsPerMicrosecond: number;
  readonly test: TestSwitches = {};
  private readonly kernel: Kernel;
  private readonly admission: Admission;
  private readonly chooser: ModelChooser;
  private readonly tree: StateTree | undefined;
  private readonly dormant: DormantAccounts | undefined;
  /** The running block is the first of its day, and not the first of all. */
  private dayRolled = false;
  private nextBlock = 1;
  private nextOrdinal = 1n;
  private names: LocationNames | undefined;
  private broken: string | undefined;

  private constructor(kernel: Kernel, admission: Admission, tree: StateTree | undefined, dormant: DormantAccounts | undefined) {
    this.kernel = kernel;
    this.tree = tree;
    this.dormant = dormant;
    this.admission = admission;
    this.workers = kernel.workers;
    this.memory = new MemoryRoom(kernel, admission, tree, dormant);
    this.workUnitsPerMicrosecond = calibrate(kernel);
    this.chooser = new ModelChooser();
  }

  /** Throws BAD_GENESIS, BAD_WORKERS, OUT_OF_MEMORY. */
  static async create(options: EngineOptions): Promise<Engine> {
    const genesis = options.genesis ?? EMPTY_GENESIS;
    checkGenesis(genesis);
    const system = genesis.markets.length === 0 ? 0 : SYSTEM_TRANSACTIONS_LEAST + genesis.maxAccounts * SYSTEM_TRANSACTIONS_PER_ACCOUNT;
    const kernel = await Kernel.create({ systemTransactions: system, keyCapacity: keysOf(genesis), ...options });
    try {
      layOutState(kernel, genesis, options.benchCells ?? 0, options.benchCounters ?? 0);
      const tree = options.commitment ? new StateTree(kernel, options.commitment === true ? {} : options.commitment) : undefined;
      const dormant = genesis.dormantDays ? new DormantAccounts(kernel, options.coldRecords ?? new MemoryColdRecords(), tree) : undefined;
      const admission = new Admission(kernel, genesis, dormant);
      writeAccounts(kernel, admission, genesis);
      if (tree !== undefined) await kernel.startSideThreads(tree.threads);
      tree?.takeAll();
      return new Engine(kernel, admission, tree, dormant);
    } catch (error) {
      await kernel.close();
      throw error;
    }
  }

  /** Admits typed transactions; throws OUT_OF_MEMORY with nothing executed. The result must be executed before the next one is prepared. */
  prepare(block: Block): PreparedBlock {
    return this.admission.prepare(block.number, block.timeMs, block.transactions);
  }

  executeBlock(block: Block, options: ExecuteOptions): Promise<BlockResult> {
    return this.execute(this.prepare(block), options);
  }

  /** Executes a block. Throws BLOCK_TOO_LARGE, OUT_OF_MEMORY, OUT_OF_ORDER before it has started; the state is unchanged then. */
  async execute(block: PreparedBlock, options: ExecuteOptions): Promise<BlockResult> {
    const { kernel } = this;
    const workers = options.workers ?? this.workers;
    const list = options.accessList;
    const items = this.start(block, workers, list);
    this.dayRolled = false;
    // What a block has written is read off its access list.
    const record = (options.record ?? false) || (options.keepAccesses ?? false) || this.tree !== undefined;
    if (options.timeline) this.startTimeline(block.count);
    const run = new BlockRun(kernel, block.count, record, options, workers);
    kernel.resetOutput();
    kernel.set(L.BLK_FAULT_AT, this.test.faultAt === undefined ? 0 : this.test.faultAt + 1);
    kernel.set(L.BLK_FAULT_SILENT, this.test.faultSilent ? 1 : 0);
    const started = performance.now();
    if (options.model === 'auto') await this.runAuto(run, list !== undefined);
    else await this.runModel(run, options.model, 0, block.count, list !== undefined);
    const ran = run.model;
    await this.runSystemPhases(run, list);
    const seconds = (performance.now() - started) / 1000;
    const timeline = options.timeline ? this.readTimeline(run.count) : undefined;
    if (options.timeline) kernel.set(L.BLK_TIMELINE, 0);
    const accessList = options.record ? this.readList(run.count) : undefined;
    // Before keys are taken back.
    const accesses = options.keepAccesses ? (accessList ?? this.readList(run.count)).items() : undefined;
    const dormant = await this.endDormant(block);
    const commitment = this.tree === undefined ? undefined : await this.commit(this.tree, run, options, dormant);
    kernel.exports.endOfBlock();
    this.admission.reclaim();
    this.nextBlock = block.number + 1;
    this.nextOrdinal += BigInt(items);
    this.names = undefined;
    return {
      model: run.fallback === undefined ? ran : run.model,
      workers: ran === 'serial' ? 1 : workers,
      transactions: block.count,
      systemTransactions: run.count - block.count,
      seconds,
      ...this.counts(),
      receipts: run.receipts,
      ...(accessList === undefined ? {} : { accessList }),
      ...(accesses === undefined ? {} : { accesses }),
      ...commitment,
      ...(timeline === undefined ? {} : { timeline }),
      ...(run.fallback === undefined ? {} : { fallback: run.fallback }),
    };
  }

  /** Collects what the block's header commits to, and has the side threads start on it. */
  private async commit(
    tree: StateTree,
    run: BlockRun,
    options: ExecuteOptions,
    dormant: readonly RecordChange[],
  ): Promise<Pick<BlockResult, 'changes' | 'kept' | 'hashes' | 'roots'>> {
    const { packed, keepReceipts = false, hashes: named = false } = options;
    const workers = options.model === 'serial' ? 1 : run.workers;
    const changes: Uint8Array[] | undefined = options.changes ? [] : undefined;
    try {
      await tree.settled();
      await tree.collect(run.count, workers, dormant, changes);
      await tree.lists.digest(run.count, workers);
      if (packed === undefined) tree.lists.noTransactions();
      const hashes = packed && tree.lists.hashTransactions(packed, run.own, named);
      const kept = keepReceipts ? tree.lists.packReceipts(run.count) : undefined;
      const roots = tree.commitAside();
      return {
        roots,
        ...(changes === undefined ? {} : { changes: new PackedChanges(changes) }),
        ...(kept === undefined ? {} : { kept }),
        ...(hashes === undefined ? {} : { hashes }),
      };
    } catch (error) {
      this.broken = 'a block was executed that the state tree could not take in; the ledger has to be restored';
      throw error;
    }
  }

  /** All that can refuse a block; nothing has changed then. Returns the number of its items. */
  private start(block: PreparedBlock, workers: number, list: AccessList | undefined): number {
    try {
      if (this.broken !== undefined) throw new HeddleError('ENGINE_BROKEN', this.broken);
      if (!Number.isInteger(workers) || workers < 1 || workers > this.workers) {
        throw new HeddleError(
          'BAD_WORKERS',
          `workers must be an integer from 1 to ${this.workers} (what the engine was created with), not ${workers}`,
        );
      }
      const items = this.load(block);
      if (list !== undefined) this.loadList(list, block.count);
      return items;
    } catch (error) {
      this.admission.putBack();
      throw error;
    }
  }

  /** Dormant accounts at the end of a block: none that was taken for unknown, those that were revived, and those of a new day. */
  private async endDormant(block: PreparedBlock): Promise<readonly RecordChange[]> {
    if (this.dormant === undefined) return [];
    try {
      await this.tree?.settled();
      this.dormant.checkUnknown();
      return this.dormant.endBlock(block.number, block.count, this.dayRolled);
    } catch (error) {
      this.broken = `${(error as Error).message} The block has run and does not count: the ledger has to be restored`;
      throw error;
    }
  }

  /** Brings a block into shared memory; returns the number of its items. */
  private load(block: PreparedBlock): number {
    const { kernel } = this;
    if (block.number < this.nextBlock) {
      throw new HeddleError('OUT_OF_ORDER', `block ${block.number} comes after block ${this.nextBlock - 1}: blocks have ascending numbers`);
    }
    if (block.count > kernel.maxTransactions || block.bytes.byteLength > kernel.inputBytes) {
      throw new HeddleError(
        'BLOCK_TOO_LARGE',
        `a block has at most ${kernel.maxTransactions} transactions in ${kernel.inputBytes} bytes, this one ${block.count} in ${block.bytes.byteLength}: split it`,
      );
    }
    kernel.u8.set(block.bytes, kernel.inputBase);
    const table = kernel.get(L.BLK_TX_TABLE) >>> 2;
    for (let i = 0; i < block.count; i++) kernel.u32[table + i] = kernel.inputBase + (block.offsets[i] as number);
    kernel.u64[L.BLK_NUMBER / 8] = BigInt(block.number);
    kernel.u64[L.BLK_TIME_MS / 8] = BigInt(block.timeMs);
    kernel.u64[L.BLK_FIRST_ORDINAL / 8] = this.nextOrdinal;
    const items = refuseMalformed(kernel, block);
    if (kernel.exports.admit(block.count) !== block.count) {
      throw new HeddleError(
        'OUT_OF_MEMORY',
        'the shared memory is used up by price levels: give the engine more (memoryMiB); the block was not started',
      );
    }
    return items;
  }

  private loadList(list: AccessList, count: number): void {
    const { kernel } = this;
    if (!(list instanceof RecordedAccessList) || list.transactions < count) {
      throw new HeddleError('BAD_ACCESS_LIST', `the access list is of ${list.transactions} transactions, the block has ${count}`);
    }
    if (list.bytes > kernel.listBytes)
      throw new HeddleError(
        'BLOCK_TOO_LARGE',
        `an access list has at most ${kernel.listBytes} bytes, this one ${list.bytes}: split the block`,
      );
    kernel.u32.set(list.words, kernel.listBase >>> 2);
    this.listed(list, 0, count);
  }

  /** Enters the lists of transactions from..to into the table. What the producer gave no list for is unknown, and runs alone. */
  private listed(list: RecordedAccessList, from: number, to: number): void {
    const { kernel } = this;
    const table = kernel.get(L.BLK_LIST) >>> 2;
    for (let i = from; i < to; i++) {
      const start = i < list.transactions ? (list.starts[i] as number) : undefined;
      kernel.u32[table + i * 2] = start === undefined ? 0 : kernel.listBase + start * 4;
      kernel.u32[table + i * 2 + 1] = start === undefined ? 0 : ((list.starts[i + 1] as number) - start) * 4;
    }
  }

  private readList(count: number): RecordedAccessList {
    const { kernel } = this;
    const table = kernel.get(L.BLK_TRACES) >>> 2;
    const starts = new Uint32Array(count + 1);
    for (let i = 0; i < count; i++) starts[i + 1] = (starts[i] as number) + (kernel.u32[table + i * 2 + 1] as number) / 4;
    const words = new Uint32Array(starts[count] as number);
    for (let i = 0; i < count; i++) {
      const at = (kernel.u32[table + i * 2] as number) >>> 2;
      words.set(kernel.u32.subarray(at, at + (starts[i + 1] as number) - (starts[i] as number)), starts[i]);
    }
    return new RecordedAccessList(words, starts, () => (this.names ??= new LocationNames(kernel, this.admission.highestNumber)));
  }

  /** Runs a part of the block under a model, in as many runs as the pools need, and completes what the model could not. */
  private async runModel(run: BlockRun, model: Model, from: number, to: number, listed: boolean): Promise<void> {
    run.model = model;
    let at = from;
    while (at < to) {
      const end = at + this.fitting(model, at, to);
      const options = this.runOptions(run, at, end, listed);
      const outcome = await this.runOnce(model, options, listed);
      at = outcome.committed;
      if (outcome.stop !== L.STOP_NONE) {
        run.fallback = FALLBACK_TEXTS[outcome.stop] ?? 'the run was stopped';
        if (model === 'serial') {
          this.broken = 'a pool of the shared memory filled up in the middle of a block; the ledger has to be restored';
          throw new HeddleError('OUT_OF_MEMORY', this.broken);
        }
        run.model = 'serial';
        const rest = this.kernel.runSerial(this.runOptions(run, at, end, listed));
        assert(rest.committed === end, 'a serial run completes what another left');
        at = end;
      }
      run.report(at);
    }
  }

  private async runOnce(model: Model, options: RunOptions, listed: boolean): Promise<RunOutcome> {
    const { kernel, test } = this;
    if (model === 'serial') return kernel.runSerial(options);
    if (model === 'optimistic') {
      if (test.adversary !== undefined) return kernel.runAdversarial(options, test.adversary.seed, test.adversary.ahead);
      return kernel.runParallel('optimistic', options);
    }
    if (!listed) {
      const { from, to } = options;
      const end = kernel.exports.declareAll(from, to, kernel.listBase, kernel.listBase + kernel.listBytes) >>> 0;
      if (end === 0) throw new HeddleError('BLOCK_TOO_LARGE', 'the declared sets of the block do not fit: split it');
    }
    return kernel.runParallel(model, options);
  }

  private runOptions(run: BlockRun, from: number, to: number, listed: boolean): RunOptions {
    const { test } = this;
    return {
      from,
      to,
      workers: run.workers,
      record: run.record,
      timeline: run.options.timeline ?? false,
      workUnits: run.options.workUnits ?? 0,
      slice: run.options.onCommitted === undefined ? 0 : REPORT_EVERY,
      onProgress: (committed) => run.report(committed),
      listsExact: listed,
      ...(test.mutation === undefined ? {} : { mutation: test.mutation }),
      ...(test.window === undefined ? {} : { window: test.window }),
      ...(test.stride === undefined ? {} : { stride: test.stride }),
    };
  }

  /** How many transactions from `at` on can run before the pools could be full. Events are bounded by the programs, traces by experience. */
  private fitting(model: Model, at: number, to: number): number {
    const { kernel } = this;
    const executions = model === 'optimistic' ? 2 : 1;
    const spare = kernel.workers * L.EVENT_CHUNK_BYTES * 2;
    const bytes = Math.floor((kernel.eventBytesLeft() * 0.85 - spare) / executions);
    const fits = bytes <= 0 ? 0 : kernel.exports.fitting(at, to, BigInt(bytes)) >>> 0;
    if (fits === 0) {
      this.broken =
        'the events of one block fill the pool of the shared memory; use smaller blocks or more memory. The ledger has to be restored';
      throw new HeddleError('OUT_OF_MEMORY', this.broken);
    }
    return fits;
  }

  /**
   * What the ledger itself does behind a block's transactions (docs/rules.md, 1): prices and funding, the sweep over all accounts, and the
   * system's own transactions in rounds, which the executors run like any others.
   */
  private async runSystemPhases(run: BlockRun, list: AccessList | undefined): Promise<void> {
    const { kernel } = this;
    const { exports } = kernel;
    if (kernel.get(X.EXC_MARKET_COUNT) === 0) return;
    kernel.set(X.EXC_PLAN_NEXT, kernel.systemBase);
    kernel.set(X.EXC_PLAN_END, kernel.systemBase + kernel.systemTransactions * X.SYSTEM_BYTES);
    kernel.set(X.EXC_PLAN_ROOM, kernel.maxTransactions + kernel.systemTransactions);
    const started = run.count;
    exports.noteLastPrices(0, started);
    const update = exports.updatePrices();
    const rolled = kernel.u64[X.EXC_LAST_ROLL_DAY / 8];
    exports.rollDay();
    this.dayRolled = rolled !== 0n && rolled !== kernel.u64[X.EXC_LAST_ROLL_DAY / 8];
    if (update !== 0) await this.sweep(run, update);
    await this.runRound(run, exports.planFirst(run.count, update) >>> 0, list);
    if (update !== 0) {
      await this.sweep(run, 0);
      do {
        await this.runLiquidations(run, list);
        await this.runRound(run, exports.planBackstop(run.count) >>> 0, list);
        exports.foldInbox();
        await this.runDeleveraging(run, list);
      } while (await this.runLiquidations(run, list));
    }
    exports.noteLastPrices(started, run.count);
    exports.clearPaid();
    exports.noteMarketStates();
    exports.turnSeed();
  }

  /** Forced orders for accounts in breach that have had none in this block, in rounds; true: there were some. Expects a sweep's findings. */
  private async runLiquidations(run: BlockRun, list: AccessList | undefined): Promise<boolean> {
    const { exports } = this.kernel;
    for (let rounds = 0; ; rounds++) {
      const end = exports.planLiquidations(run.count) >>> 0;
      if (end === run.count) return rounds > 0;
      await this.runRound(run, end, list);
      await this.sweep(run, 0);
    }
  }

  /** Rounds of deleveraging until nobody is negative; leaves a sweep's findings. */
  private async runDeleveraging(run: BlockRun, list: AccessList | undefined): Promise<void> {
    const { exports } = this.kernel;
    for (let rounds = 0; ; rounds++) {
      assert(rounds < DELEVERAGE_ROUNDS_MAX, 'deleveraging comes to an end');
      await this.sweep(run, 0);
      const end = exports.planDeleverage(run.count) >>> 0;
      if (end === run.count) return;
      await this.runRound(run, end, list);
      exports.foldInbox();
    }
  }

  /** Every worker looks at its part of the accounts; one alone when the block runs serially. */
  private async sweep(run: BlockRun, flags: number): Promise<void> {
    const workers = run.options.model === 'serial' ? 1 : run.workers;
    this.kernel.exports.beginSweep(flags, workers);
    if (!(await this.kernel.runShared('sweep', workers))) {
      this.broken = 'a worker died while accounts were revalued; the ledger has to be restored';
      throw new HeddleError('ENGINE_BROKEN', this.broken);
    }
    this.kernel.exports.endSweep();
  }

  /** Runs the system's transactions up to `end`, which were planned behind those that have run. */
  private async runRound(run: BlockRun, end: number, list: AccessList | undefined): Promise<void> {
    const from = run.count;
    if (end === from) return;
    if (end > this.kernel.maxTransactions + this.kernel.systemTransactions) {
      this.broken =
        'there is no room for the transactions that the system adds to a block; restore the ledger with more (systemTransactions)';
      throw new HeddleError('OUT_OF_MEMORY', this.broken);
    }
    run.count = end;
    const { model } = run;
    const chosen = run.options.model;
    const listed = list instanceof RecordedAccessList;
    if (listed) this.listed(list, from, end);
    if (run.options.timeline) this.kernel.u8.fill(0, this.kernel.timelineBase + from * 16, this.kernel.timelineBase + end * 16);
    const few = end - from < SYSTEM_PARALLEL_LEAST || run.workers === 1;
    await this.runModel(run, chosen === 'auto' ? (few ? 'serial' : 'optimistic') : chosen, from, end, listed);
    if (run.fallback === undefined) run.model = model;
  }

  /** Runs the block in pieces, each under the model that has been the fastest; see auto.ts. */
  private async runAuto(run: BlockRun, listed: boolean): Promise<void> {
    let at = 0;
    while (at < run.count) {
      const choice = this.chooser.choose({
        left: run.count - at,
        workers: run.workers,
        listed,
        workUnits: run.options.workUnits ?? 0,
        record: run.record,
      });
      const end = Math.min(run.count, at + choice.transactions);
      const started = performance.now();
      await this.runModel(run, choice.model, at, end, listed);
      this.chooser.learn(choice, end - at, (performance.now() - started) * 1000);
      at = end;
    }
    run.model = this.chooser.lastMain;
  }

  private counts(): { executions: number; validations: number; conflictsByClass: ReadonlyMap<string, number> } {
    const { kernel } = this;
    let executions = 0;
    let validations = 0;
    const conflictsByClass = new Map<string, number>();
    for (let id = 0; id < this.workers; id++) {
      const block = kernel.workerBlock(id);
      executions += kernel.get(block + L.WRK_EXECUTIONS);
      validations += kernel.get(block + L.WRK_VALIDATIONS);
      for (let recordClass = 0; recordClass < 256; recordClass++) {
        const count = kernel.get(block + L.WRK_CONFLICT_CLASSES + recordClass * 4);
        if (count === 0) continue;
        const name = CLASS_NAMES.get(recordClass) ?? `class ${recordClass}`;
        conflictsByClass.set(name, (conflictsByClass.get(name) ?? 0) + count);
      }
    }
    return { executions, validations, conflictsByClass };
  }

  private startTimeline(count: number): void {
    const { kernel } = this;
    kernel.u8.fill(0, kernel.timelineBase, kernel.timelineBase + count * 16);
    kernel.set(L.BLK_TIMELINE, kernel.timelineBase);
    kernel.view.setFloat64(L.BLK_STARTED, wallMicros(), true);
  }

  private readTimeline(count: number): TimelineEntry[] {
    const { view } = this.kernel;
    return Array.from({ length: count }, (_, transaction) => {
      const at = this.kernel.timelineBase + transaction * 16;
      return {
        transaction,
        startMicros: view.getFloat32(at, true),
        endMicros: view.getFloat32(at + 4, true),
        worker: view.getUint32(at + 8, true),
        incarnation: view.getUint32(at + 12, true),
      };
    });
  }

  /**
   * The root of the state tree after the last block, hexadecimal; waits for the thread that works it in. Throws NO_COMMITMENT if the engine
   * keeps none.
   */
  committedRoot(): string {
    const tree = this.keptTree();
    tree.settle();
    return tree.root();
  }

  private keptTree(): StateTree {
    if (this.tree === undefined) {
      throw new HeddleError('NO_COMMITMENT', 'the engine was created without a state tree (option `commitment`)');
    }
    return this.tree;
  }

  /** SHA-256 over all records in key order, hexadecimal. */
  stateRoot(): string {
    return stateRootOf(this.kernel, this.admission.highestNumber, this.dormantRecords());
  }

  /** All records in the order of their keys, those of dormant accounts included: they are read from where they are kept. */
  records(): Generator<RecordEntry> {
    return recordEntries(this.kernel, this.admission.highestNumber, this.dormantRecords());
  }

  private dormantRecords(): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }> {
    return this.dormant?.records() ?? [];
  }

  /** Takes the sums of the whole state anew, on every worker (`src/exchange/invariants.ts` says what they must be). */
  async audit(): Promise<AuditResult> {
    const { kernel } = this;
    kernel.exports.beginAudit(this.workers);
    if (!(await kernel.runShared('audit', this.workers))) {
      this.broken = 'a worker died during an audit; the ledger has to be restored';
      throw new HeddleError('ENGINE_BROKEN', this.broken);
    }
    kernel.exports.endAudit();
    const wide = (address: number) => kernel.view.getBigInt64(address, true);
    return {
      totalEquity: wide(X.AUDIT_EQUITY),
      openInterestImbalance: wide(X.AUDIT_INTEREST),
      negativeAccounts: Number(wide(X.AUDIT_NEGATIVE)),
      accountsWithWrongSums: Number(wide(X.AUDIT_WRONG_SUMS)),
      crossedBooks: Number(wide(X.AUDIT_CROSSED)),
      ordersWithoutMargin: Number(wide(X.AUDIT_BARE_ORDERS)),
      breaches: Number(wide(X.AUDIT_BREACHES)),
      backstopEquity: wide(X.AUDIT_BACKSTOP),
      treasury: wide(X.AUDIT_TREASURY),
      covered: wide(X.AUDIT_COVERED),
    };
  }

  /** Mark prices of all markets in ticks, 0 = none yet, as the last block left them. */
  marks(): Uint32Array {
    const { kernel } = this;
    const markets = kernel.get(X.EXC_MARKETS);
    return Uint32Array.from({ length: kernel.get(X.EXC_MARKET_COUNT) }, (_, i) => kernel.get(markets + i * X.MARKET_BYTES + X.MKT_MARK));
  }

  levels(market: number): Iterable<LevelEntry> {
    if (!(market >= 0 && market < this.kernel.get(X.EXC_MARKET_COUNT)))
      throw new HeddleError('UNKNOWN_MARKET', `there is no market ${market}`);
    return levelsOf(this.kernel, market);
  }

  /**
   * Replaces the state of an engine that has executed nothing by records, as another engine of the same genesis has left them after block
   * `height`. Throws BAD_SNAPSHOT, OUT_OF_MEMORY; the engine is of no use then.
   */
  importState(records: Iterable<Pick<RecordEntry, 'key' | 'value'>>, height: number, nextOrdinal: bigint): void {
    assert(this.nextBlock === 1, 'a state is brought into an engine that has executed nothing');
    this.tree?.settle();
    importRecords(this.kernel, this.admission, records, height);
    this.nextBlock = height + 1;
    this.nextOrdinal = nextOrdinal;
    // Sums that are taken anew with every change of marks need not be in the records.
    this.kernel.exports.beginSweep(X.SWEEP_REVALUE, 1);
    this.kernel.exports.runSweep(0);
    this.kernel.exports.endSweep();
    this.tree?.takeAgain(this.dormantRecords());
  }

  /** Shared memory that is taken for the state, in bytes: it grows by pages that blocks need, and never shrinks. */
  get stateBytes(): number {
    return this.kernel.get(L.REG_CHUNK_NEXT) * L.CHUNK_BYTES;
  }

  /** Shared memory that nothing has taken yet, in bytes: when it is used up no block can be executed that needs more. */
  get freeBytes(): number {
    return this.kernel.freeBytes;
  }

  /** Of the state, what entries of the state tree take, in bytes: some 56 a record; 0 without a tree. */
  get treeBytes(): number {
    this.tree?.settle();
    return this.tree?.entryBytes ?? 0;
  }

  /** The ordinal that the next item gets: a part of the state that is in no record. */
  get firstOrdinal(): bigint {
    return this.nextOrdinal;
  }

  snapshot(): Snapshot {
    this.tree?.settle();
    return {
      kernel: this.kernel.snapshot(),
      admission: this.admission.snapshot(),
      dormant: this.dormant?.snapshot() ?? [],
      nextBlock: this.nextBlock,
      nextOrdinal: this.nextOrdinal,
    };
  }

  restore(snapshot: Snapshot): void {
    this.tree?.settle();
    this.kernel.restore(snapshot.kernel);
    this.admission.restore(snapshot.admission);
    this.dormant?.restore(snapshot.dormant, snapshot.nextBlock - 1);
    this.nextBlock = snapshot.nextBlock;
    this.nextOrdinal = snapshot.nextOrdinal;
    this.names = undefined;
    this.broken = undefined;
  }

  /** Waits for the tree: the thread that works in it must not be stopped in the middle, or who waits for its root waits for ever. */
  async close(): Promise<void> {
    await this.tree?.settled().catch(() => {});
    await this.kernel.close();
  }
}

function keysOf({ maxAccounts }: Genesis): number {
  return 2 ** Math.max(KEYS_LEAST_BITS, Math.ceil(Math.log2(maxAccounts * KEYS_PER_ACCOUNT)));
}

const FALLBACK_TEXTS: Record<number, string> = {
  [L.STOP_WORKER_DIED]: 'a worker died; the block was completed serially',
  [L.STOP_OUTSIDE_SET]: 'a transaction left its access set; the block was run again serially',
  [L.STOP_POOL_FULL]: 'a pool was full; the block was completed serially',
};

/** What one call of `execute` carries along. */
class BlockRun {
  /** Transactions so far: the block's own, then those that the system has added. */
  count: number;
  /** The block's own. */
  readonly own: number;
  readonly record: boolean;
  readonly options: ExecuteOptions;
  readonly workers: number;
  readonly receipts: Receipts;
  model: Model = 'serial';
  fallback: string | undefined;
  private reported = 0;

  constructor(kernel: Kernel, count: number, record: boolean, options: ExecuteOptions, workers: number) {
    this.count = count;
    this.own = count;
    this.record = record;
    this.options = options;
    this.workers = workers;
    this.receipts = receiptsOf(kernel, () => this.count);
  }

  /** Passes on what is committed and was not reported yet. */
  report(committed: number): void {
    if (committed <= this.reported) return;
    const from = this.reported;
    this.reported = committed;
    this.options.onCommitted?.(from, committed, this.receipts);
  }
}

function receiptsOf(kernel: Kernel, count: () => number): Receipts {
  const base = kernel.get(L.BLK_RECEIPTS) >>> 2;
  return {
    get count() {
      return count();
    },
    code: (index) => kernel.u32[base + index * 4] as number,
    events: (index) => {
      const at = kernel.u32[base + index * 4 + 1] as number;
      return kernel.u8.subarray(at, at + (kernel.u32[base + index * 4 + 2] as number));
    },
  };
}

/** Units of work in a microsecond: the median of a few measurements after a warm-up. */
function calibrate(kernel: Kernel): number {
  const units = 200000;
  kernel.exports.spinUnits(units);
  const rates = Array.from({ length: 5 }, () => {
    const started = performance.now();
    kernel.exports.spinUnits(units);
    return units / ((performance.now() - started) * 1000);
  }).sort((a, b) => a - b);
  return Math.max(1, Math.round(rates[2] as number));
}
