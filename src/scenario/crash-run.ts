/**
 * One run of the day under one model: executes all blocks, counts what was forced, measures how long breaches wait, and audits the state.
 *
 * `seconds` is the engine's time for the blocks of the day alone: the set-up, making the blocks, audits and counting are not in it.
 */
import { HeddleError } from '../base/errors.ts';
import { type AuditResult, violations } from '../exchange/invariants.ts';
import type { Model, ModelChoice } from '../execution/api.ts';
import { Engine } from '../execution/index.ts';
import type { Block } from '../ledger/transactions.ts';
import { BreachWatch } from './breach-watch.ts';
import type { CrashDay } from './crash-day.ts';
import { visitEvents } from './event-reader.ts';
import { addCounts, type ForcedCounts, ForcedTally, forcedEventsOf, noCounts } from './forced-tally.ts';

export interface CrashRunOptions {
  readonly model: ModelChoice;
  readonly workers: number;
  /** False: only execute, for a comparison of models; the last block is audited all the same. */
  readonly observe?: boolean;
  /** Blocks from audit to audit; default: 1 up to 20,000 accounts, 10 above. */
  readonly auditEvery?: number;
  readonly onProgress?: (done: number, steps: number) => void;
}

export interface BlockSample extends ForcedCounts {
  readonly block: number;
  readonly timeMs: number;
  /** Index of the wave that is on or was last, -1 before the first. */
  readonly wave: number;
  readonly transactions: number;
  readonly systemTransactions: number;
  readonly seconds: number;
  /** Accounts below maintenance at the end of the block. */
  readonly breaches: number;
}

export interface AuditSample {
  readonly block: number;
  readonly timeMs: number;
  readonly audit: AuditResult;
}

export interface CrashRun {
  readonly model: ModelChoice;
  readonly workers: number;
  readonly setUp: { transactions: number; blocks: number; seconds: number };
  blocks: number;
  transactions: number;
  systemTransactions: number;
  seconds: number;
  executions: number;
  validations: number;
  readonly conflicts: Map<string, number>;
  readonly modelsUsed: Map<Model, number>;
  readonly fallbacks: Map<string, number>;
  /** Empty when the run did not observe. */
  readonly samples: BlockSample[];
  readonly totals: ForcedCounts;
  /** As `forced-tally.ts` defines them. */
  forcedEvents: number;
  readonly audits: AuditSample[];
  /** Breaches by blocks from breach to action. */
  waits: readonly number[];
  /** The longest of them, those that still wait at the end included. */
  worstBlocksToAction: number;
  /** Traders by the wave of the first forced action on them. */
  firstActions: readonly number[];
  negativeAccounts: number;
  equityDrift: bigint;
  openInterestImbalance: bigint;
  stateRoot: string;
}

/** Shared memory without accounts, and for each of them. Measured: 1.0 GiB, and 4.2 KiB with positions, orders and tables of a block. */
const MEMORY_MIB = 1100;
const ACCOUNT_KIB = 4.5;
const OFTEN_UP_TO = 20_000;
const SELDOM = 10;

/** Throws INVARIANT_BROKEN, BREACHES_DIFFER and what the engine throws. */
export async function runCrash(day: CrashDay, options: CrashRunOptions): Promise<CrashRun> {
  const run = new CrashRunner(day, options);
  try {
    return await run.whole();
  } finally {
    await run.close();
  }
}

class CrashRunner {
  private readonly day: CrashDay;
  private readonly options: CrashRunOptions;
  private readonly result: CrashRun;
  private readonly auditEvery: number;
  private readonly tally: ForcedTally;
  private readonly watch: BreachWatch | undefined;
  private readonly equity: bigint;
  private engine: Engine | undefined;
  /** Executes each block first and leaves its access list, for the models that need one. */
  private producer: Engine | undefined;

  constructor(day: CrashDay, options: CrashRunOptions) {
    const { population, calibration } = day;
    this.day = day;
    this.options = options;
    this.result = emptyRun(options);
    this.auditEvery = options.auditEvery ?? (population.traders <= OFTEN_UP_TO ? 1 : SELDOM);
    this.tally = new ForcedTally(day.markets.map(({ parameters }) => parameters.unit));
    if (options.observe !== false) this.watch = new BreachWatch(population, calibration.waves.length);
    this.equity = [population.collateral, population.reserve].reduce(
      (sum, amounts) => amounts.reduce((total, amount) => total + BigInt(amount), sum),
      0n,
    );
  }

  async whole(): Promise<CrashRun> {
    const { day, result } = this;
    this.engine = await this.create();
    if (this.options.model === 'deterministic' || this.options.model === 'sharded') this.producer = await this.create();
    await this.setUp();
    let index = 0;
    for (const block of day.blocks()) {
      await this.oneBlock(block, index++);
      this.options.onProgress?.(index, day.path.clock.blocks);
    }
    if (this.watch !== undefined) {
      result.waits = this.watch.waits;
      result.worstBlocksToAction = Math.max(0, this.watch.waits.length - 1, ...this.watch.waiting());
      result.firstActions = [...this.watch.firstActions];
    }
    result.forcedEvents = forcedEventsOf(result.totals);
    result.stateRoot = this.engine.stateRoot();
    return result;
  }

  async close(): Promise<void> {
    await this.engine?.close();
    await this.producer?.close();
  }

  private create(): Promise<Engine> {
    const { day, result } = this;
    const { accounts, markets } = day.population;
    return Engine.create({
      genesis: day.genesis,
      workers: result.workers,
      memoryMiB: Math.min(4096, MEMORY_MIB + markets.length + result.workers * 32 + Math.ceil((accounts * ACCOUNT_KIB) / 1024)),
      keyCapacity: 2 ** Math.ceil(Math.log2(accounts * 2 + markets.length * 128 + 65_536)),
    });
  }

  /** Always serial: all orders of a market meet at one price. */
  private async setUp(): Promise<void> {
    const { engine, producer, watch, result } = this;
    for (const block of this.day.opening()) {
      await producer?.executeBlock(block, { model: 'serial' });
      const executed = await (engine as Engine).executeBlock(block, { model: 'serial' });
      if (watch !== undefined) visitEvents(executed.receipts, [watch]);
      result.setUp.blocks++;
      result.setUp.transactions += executed.transactions;
      result.setUp.seconds += executed.seconds;
    }
  }

  private async oneBlock(block: Block, index: number): Promise<void> {
    const { result, watch } = this;
    const engine = this.engine as Engine;
    const produced = await this.producer?.executeBlock(block, { model: 'serial', record: true });
    const executed = await engine.executeBlock(block, {
      model: this.options.model,
      workers: result.workers,
      ...(produced?.accessList === undefined ? {} : { accessList: produced.accessList }),
    });
    result.blocks++;
    result.transactions += executed.transactions;
    result.systemTransactions += executed.systemTransactions;
    result.seconds += executed.seconds;
    result.executions += executed.executions;
    result.validations += executed.validations;
    for (const [recordClass, count] of executed.conflictsByClass) add(result.conflicts, recordClass, count);
    add(result.modelsUsed, executed.model, 1);
    if (executed.fallback !== undefined) add(result.fallbacks, executed.fallback, 1);
    if (watch !== undefined) {
      const wave = this.day.path.waveAt(index);
      this.tally.counts = noCounts();
      watch.begin(index, wave);
      visitEvents(executed.receipts, [this.tally, watch]);
      watch.end(engine.marks());
      addCounts(result.totals, this.tally.counts);
      const { transactions, systemTransactions, seconds } = executed;
      const { timeMs } = block;
      const breaches = watch.inBreach;
      result.samples.push({ block: index, timeMs, wave, transactions, systemTransactions, seconds, breaches, ...this.tally.counts });
    }
    const last = index === this.day.path.clock.blocks - 1;
    if (last || (watch !== undefined && index % this.auditEvery === 0)) await this.audit(block, index);
  }

  private async audit({ number, timeMs }: Block, index: number): Promise<void> {
    const { result, watch } = this;
    const audit = await (this.engine as Engine).audit();
    result.audits.push({ block: index, timeMs, audit });
    result.negativeAccounts = Math.max(result.negativeAccounts, audit.negativeAccounts);
    result.equityDrift = audit.totalEquity - this.equity;
    result.openInterestImbalance = audit.openInterestImbalance;
    const found = violations(audit, this.equity);
    if (found.length > 0) throw new HeddleError('INVARIANT_BROKEN', `after block ${number}: ${found.join('; ')}`);
    if (watch !== undefined && watch.inBreach !== audit.breaches) {
      throw new HeddleError(
        'BREACHES_DIFFER',
        `after block ${number} the engine has ${audit.breaches} accounts below maintenance, the events of its receipts say ${watch.inBreach}`,
      );
    }
  }
}

function emptyRun({ model, workers }: CrashRunOptions): CrashRun {
  return {
    model,
    workers: model === 'serial' ? 1 : workers,
    setUp: { transactions: 0, blocks: 0, seconds: 0 },
    blocks: 0,
    transactions: 0,
    systemTransactions: 0,
    seconds: 0,
    executions: 0,
    validations: 0,
    conflicts: new Map(),
    modelsUsed: new Map(),
    fallbacks: new Map(),
    samples: [],
    totals: noCounts(),
    forcedEvents: 0,
    audits: [],
    waits: [],
    worstBlocksToAction: 0,
    firstActions: [],
    negativeAccounts: 0,
    equityDrift: 0n,
    openInterestImbalance: 0n,
    stateRoot: '',
  };
}

function add<K>(counts: Map<K, number>, key: K, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
