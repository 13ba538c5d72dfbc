/**
 * The kernel's host side: shared memory, the compiled module, worker threads, and running a range of prepared transactions under one of
 * the executors. Knows transactions, lists, receipts and pools; knows neither programs nor records.
 *
 * Invariant: between two calls of `run` no worker touches the shared memory.
 */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import * as L from './layout.ts';

/** Functions that the module exports; see `src/execution/assembly/index.ts`. */
export interface KernelExports {
  runSerial(from: number, to: number): number;
  runOptimistic(id: number): number;
  runDeterministic(id: number): number;
  runSharded(id: number): number;
  runAdversarial(seed: number, workers: number, ahead: number): number;
  planOwners(): void;
  planShards(): void;
  undo(): void;
  recoverCommit(): number;
  endOfBlock(): void;
  updatePrices(): number;
  noteLastPrices(from: number, to: number): void;
  rollDay(): void;
  noteActive(count: number): void;
  findDormant(): number;
  countLatent(accounts: number): void;
  clearPaid(): void;
  noteMarketStates(): void;
  turnSeed(): void;
  beginSweep(flags: number, workers: number): void;
  runSweep(id: number): void;
  endSweep(): void;
  planFirst(at: number, update: number): number;
  planLiquidations(at: number): number;
  planBackstop(at: number): number;
  planDeleverage(at: number): number;
  foldInbox(): void;
  beginAudit(workers: number): void;
  runAudit(id: number): void;
  endAudit(): void;
  admit(count: number): number;
  fitting(from: number, count: number, bytes: bigint): number;
  declareAll(from: number, to: number, at: number, limit: number): number;
  spinUnits(units: number): void;
  takeChunks(count: number, recordClass: number, recordBytes: number, home: number): number;
  findKey(recordClass: number, key: number, length: number): number;
  resolveKey(recordClass: number, key: number, length: number): number;
  removeKey(location: number): void;
  ensurePage(market: number, ticks: number): boolean;
  ensurePosition(account: number, market: number): boolean;
  ensureSlotPages(account: number, count: number): boolean;
  ensureTwaps(account: number): boolean;
  freePages(account: number): void;
  touch(location: number): void;
  spreadKeys(): void;
  markRecords(scratch: number): void;
  listChanges(count: number): boolean;
  collectPart(): void;
  digestPart(id: number): void;
  hashPacked(list: number, packed: number, first: number, count: number, scratch: number): void;
  namePacked(packed: number, count: number, to: number, scratch: number): void;
  packChanges(from: number, to: number, room: number): number;
  packReceipts(from: number, count: number, to: number, room: number): number;
  runAside(job: number, id: number, argument: number): void;
}

export interface KernelOptions {
  readonly workers: number;
  /** Size of the shared memory; the part that is never touched costs nothing. At most 4096. */
  readonly memoryMiB?: number;
  /** The most transactions of one block. */
  readonly maxTransactions?: number;
  /** Room for transactions that the ledger itself adds to a block; 64 bytes each. */
  readonly systemTransactions?: number;
  /** Entries of the key table, a power of two. */
  readonly keyCapacity?: number;
  /** Seed of the key table's hash; random by default, so that nobody outside can choose collisions. */
  readonly keySeed?: bigint;
}

/** Work on the whole state that every worker does its part of, while no transaction runs. */
export type SharedWork = 'sweep' | 'audit' | 'collect' | 'digest';
export type ParallelModel = 'optimistic' | 'deterministic' | 'sharded';

export interface RunOptions {
  readonly from: number;
  readonly to: number;
  readonly workers: number;
  readonly record: boolean;
  readonly timeline: boolean;
  readonly workUnits: number;
  /** Transactions after which `onProgress` is called; 0 = never. */
  readonly slice: number;
  readonly onProgress: (committed: number) => void;
  readonly window?: number;
  readonly stride?: number;
  /** The lists are a producer's: exact sequences instead of declared sets. */
  readonly listsExact?: boolean;
  readonly mutation?: number;
}

export interface RunOutcome {
  /** Transactions 0..committed-1 of the block are done. */
  readonly committed: number;
  readonly stop: number;
}

const PAGE = 65536;
const MIB = 1048576;
/** The state lies from here up, scratch from the top down: so locations do not depend on the number of workers. */
const STATE_START = L.WORKERS_BASE + L.WORKERS_MAX * L.WORKER_BYTES;
const LIST_MAX = 65536;
const DEPENDENCY_ENTRIES = 32768;
const SYSTEM_BYTES = 64;
const RUN_EXIT = 255;
const SHARED_RUNS: Readonly<Record<SharedWork, number>> = {
  sweep: L.RUN_SWEEP,
  audit: L.RUN_AUDIT,
  collect: L.RUN_COLLECT,
  digest: L.RUN_DIGEST,
};
/** How often somebody who waits for the side threads looks whether they still live. */
const ASIDE_LOOK_MS = 20;
const CONSTANTS_START = 0x1000;
const CONSTANTS_END = 0x2000;

export class Kernel {
  readonly memory: WebAssembly.Memory;
  readonly exports: KernelExports;
  readonly workers: number;
  readonly maxTransactions: number;
  readonly systemTransactions: number;
  /** Views of the whole memory; it never grows, so they stay valid. */
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly u64: BigUint64Array;
  readonly view: DataView;
  readonly inputBase: number;
  readonly inputBytes: number;
  /** Where the ledger's own transactions go. */
  readonly systemBase: number;
  readonly listBase: number;
  readonly listBytes: number;
  readonly staging: number;
  readonly timelineBase: number;
  private readonly module: WebAssembly.Module;
  private readonly threads: (Worker | undefined)[] = [];
  private readonly exited: boolean[] = [];
  private sideThreads: Worker[] = [];
  private epoch = 0;
  private closed = false;

  private constructor(module: WebAssembly.Module, instance: WebAssembly.Instance, memory: WebAssembly.Memory, options: KernelOptions) {
    this.module = module;
    this.memory = memory;
    this.exports = instance.exports as unknown as KernelExports;
    this.workers = options.workers;
    this.maxTransactions = options.maxTransactions ?? 65536;
    const buffer = memory.buffer;
    this.u8 = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u64 = new BigUint64Array(buffer);
    this.view = new DataView(buffer);
    this.set(L.REG_CHUNK_NEXT, STATE_START / PAGE);
    this.set(L.REG_CHUNK_END, Math.floor(buffer.byteLength / PAGE));
    this.systemTransactions = options.systemTransactions ?? 0;
    const max = this.maxTransactions + this.systemTransactions;
    this.set(L.BLK_TX_TABLE, this.scratch(max * 4));
    this.set(L.BLK_RECEIPTS, this.scratch(max * L.RECEIPT_BYTES));
    this.set(L.BLK_SLOTS, this.scratch(max * 8));
    this.set(L.BLK_TRACES, this.scratch(max * 8));
    this.set(L.BLK_OWNERS, this.scratch(max));
    this.set(L.BLK_HOMES, this.scratch(max * 2));
    this.set(L.REG_HOME_COUNTS, this.scratch(16384));
    this.set(L.BLK_LIST, this.scratch(max * 8));
    this.set(L.BLK_SHARD_MASKS, this.scratch(max * 8));
    this.set(L.BLK_SHARD_ARRIVALS, this.scratch(max * 8));
    this.set(L.BLK_SHARD_QUEUES, this.scratch(max * 4 * this.workers));
    this.set(L.BLK_SHARD_LENGTHS, this.scratch(256));
    this.pool(L.REG_EVENT_POOL, L.REG_EVENT_END, Math.max(384 * MIB, this.workers * 4 * MIB));
    this.pool(L.REG_TRACE_POOL, L.REG_TRACE_END, 192 * MIB);
    this.set(L.REG_RECLAIM, this.scratch(LIST_MAX * 4));
    this.set(L.REG_EMPTY, this.scratch(LIST_MAX * 4));
    this.set(L.REG_LIST_MAX, LIST_MAX);
    this.set(L.REG_DEPENDENCY_MASK, DEPENDENCY_ENTRIES - 1);
    this.staging = this.scratch(PAGE);
    this.timelineBase = this.scratch(max * 16);
    this.listBytes = 96 * MIB;
    this.listBase = this.scratch(this.listBytes);
    this.inputBytes = 64 * MIB;
    this.inputBase = this.scratch(this.inputBytes);
    this.systemBase = this.scratch(Math.max(1, this.systemTransactions * SYSTEM_BYTES));
    for (let id = 0; id < this.workers; id++) {
      const block = this.workerBlock(id);
      const logBytes = 8 * MIB;
      const log = this.scratch(logBytes);
      this.set(block + L.WRK_ID, id);
      this.set(block + L.WRK_LOG_BASE, log);
      this.set(block + L.WRK_LOG_END, log + logBytes);
      this.set(block + L.WRK_REDO_BASE, this.scratch(2 * MIB));
      this.set(block + L.WRK_TRIAL, this.scratch(PAGE));
      const undoBytes = Math.max(4 * MIB, Math.floor((128 * MIB) / this.workers));
      const undo = this.scratch(undoBytes);
      this.set(block + L.WRK_UNDO_START, undo);
      this.set(block + L.WRK_UNDO_END, undo + undoBytes);
      this.set(block + L.WRK_DEPENDENCIES, this.scratch(DEPENDENCY_ENTRIES * 16));
    }
    const keys = options.keyCapacity ?? 1 << 18;
    this.set(L.REG_KEYS, this.region(keys * 8));
    this.set(L.REG_KEY_MASK, keys - 1);
    this.u64[L.REG_KEY_SEED / 8] = options.keySeed ?? crypto.getRandomValues(new BigUint64Array(1))[0] ?? 1n;
  }

  static async create(options: KernelOptions): Promise<Kernel> {
    const { workers, memoryMiB = 2048 } = options;
    if (!Number.isInteger(workers) || workers < 1 || workers > L.WORKERS_MAX) {
      throw new HeddleError('BAD_WORKERS', `the number of workers must be an integer from 1 to ${L.WORKERS_MAX}, not ${workers}`);
    }
    const module = await compiledModule();
    const pages = memoryMiB * 16;
    let memory: WebAssembly.Memory;
    try {
      memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    } catch (cause) {
      throw new HeddleError('OUT_OF_MEMORY', `cannot reserve ${memoryMiB} MiB of shared memory; ask for less (memoryMiB)`, { cause });
    }
    const instance = await WebAssembly.instantiate(module, kernelImports(memory));
    const kernel = new Kernel(module, instance, memory, options);
    await Promise.all(Array.from({ length: workers - 1 }, (_, i) => kernel.startThread(i + 1)));
    return kernel;
  }

  get(address: number): number {
    return this.u32[address >>> 2] as number;
  }

  set(address: number, value: number): void {
    this.u32[address >>> 2] = value;
  }

  workerBlock(id: number): number {
    return L.WORKERS_BASE + id * L.WORKER_BYTES;
  }

  /** Adjacent zeroed memory, a multiple of 64 KiB. Throws OUT_OF_MEMORY; nothing has changed then. */
  region(bytes: number, recordClass = 0, recordBytes = 32, home = 0): number {
    const at = this.exports.takeChunks(Math.max(1, Math.ceil(bytes / PAGE)), recordClass, recordBytes, home) >>> 0;
    if (at === 0) throw outOfMemory(this.u8.byteLength, bytes);
    return at;
  }

  /** Memory that nothing has taken yet, in bytes. */
  get freeBytes(): number {
    return (this.get(L.REG_CHUNK_END) - this.get(L.REG_CHUNK_NEXT)) * PAGE;
  }

  /** Memory that no block depends on after it has ended: pools, logs, tables. */
  scratch(bytes: number): number {
    const chunks = Math.ceil(bytes / PAGE);
    const end = this.get(L.REG_CHUNK_END) - chunks;
    if (end <= this.get(L.REG_CHUNK_NEXT)) throw outOfMemory(this.u8.byteLength, bytes);
    this.set(L.REG_CHUNK_END, end);
    return end * PAGE;
  }

  private pool(start: number, end: number, bytes: number): void {
    const at = this.scratch(bytes);
    this.set(start, at);
    this.set(end, at + bytes);
  }

  private async startThread(id: number): Promise<void> {
    this.exited[id] = false;
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { module: this.module, memory: this.memory, id },
      stdout: false,
      stderr: false,
    });
    worker.unref();
    this.threads[id] = worker;
    worker.on('exit', () => {
      this.exited[id] = true;
    });
    worker.on('error', () => {
      this.exited[id] = true;
    });
    await readiness(worker);
  }

  /**
   * Wakes the threads below `workers`. The number is part of the command, so that a thread that does not take part decides so from the
   * same word that woke it, however late it looks; the others are waited for before anything they read changes.
   */
  private command(workers: number): void {
    const word = L.CTL_COMMAND >>> 2;
    const sequence = (Atomics.load(this.i32, word) >>> 8) + 1;
    Atomics.store(this.i32, word, (sequence << 8) | workers);
    Atomics.notify(this.i32, word);
  }

  /** Starts the side threads; once. */
  async startSideThreads(count: number): Promise<void> {
    assert(this.sideThreads.length === 0 && count >= 1 && count <= L.ASIDE_THREADS_MAX, 'side threads are started once');
    const started = Array.from({ length: count }, (_, id) => {
      const worker = new Worker(new URL('./side-thread.ts', import.meta.url), {
        workerData: { module: this.module, memory: this.memory, id },
        stdout: false,
        stderr: false,
      });
      worker.unref();
      this.sideThreads.push(worker);
      worker.on('error', () => this.failAside());
      worker.on('exit', () => this.failAside());
      return readiness(worker);
    });
    await Promise.all(started);
  }

  private failAside(): void {
    if (!this.closed) this.markAsideFailed();
  }

  private markAsideFailed(): void {
    Atomics.store(this.i32, L.CTL_ASIDE_DONE >>> 2, L.ASIDE_FAILED | 0);
    Atomics.notify(this.i32, L.CTL_ASIDE_DONE >>> 2);
  }

  /**
   * Asks all side threads for a job (`ASIDE_...`). They do jobs in the order asked, each thread its part of each; a thread may start on the next one
   * while others still work. Returns its number, to wait for.
   */
  askAside(job: number, argument: number): number {
    assert(!this.closed, 'the kernel is closed');
    const word = L.CTL_ASIDE >>> 2;
    const number = (Atomics.load(this.i32, word) + 1) & L.ASIDE_NUMBER_MASK;
    const waiting = (number - Atomics.load(this.i32, L.CTL_ASIDE_DONE >>> 2)) & L.ASIDE_NUMBER_MASK;
    assert(waiting <= L.ASIDE_JOBS, 'there is room for the job');
    const at = L.CTL_ASIDE_JOBS + (number % L.ASIDE_JOBS) * 16;
    this.set(at + L.ASIDE_WHAT, job);
    this.set(at + L.ASIDE_ARGUMENT, argument);
    this.set(at + L.ASIDE_LEFT, this.sideThreads.length);
    Atomics.store(this.i32, word, number);
    Atomics.notify(this.i32, word);
    return number;
  }

  /** Is the job of this number done? Without one: all that were asked. Throws ENGINE_BROKEN if a side thread has died. */
  asideIsDone(number = Atomics.load(this.i32, L.CTL_ASIDE >>> 2)): boolean {
    const done = Atomics.load(this.i32, L.CTL_ASIDE_DONE >>> 2);
    if (done >>> 0 === L.ASIDE_FAILED) {
      throw new HeddleError('ENGINE_BROKEN', 'a thread that keeps the state tree has died; the ledger has to be restored');
    }
    // Those that are not done yet are the ASIDE_JOBS behind it at most, around the end of the numbers too.
    const left = (number - done) & L.ASIDE_NUMBER_MASK;
    return left === 0 || left > L.ASIDE_JOBS;
  }

  /** Blocks this thread until the job is done. */
  waitAside(number?: number): void {
    const word = L.CTL_ASIDE_DONE >>> 2;
    while (true) {
      const done = Atomics.load(this.i32, word);
      if (this.asideIsDone(number)) return;
      Atomics.wait(this.i32, word, done, ASIDE_LOOK_MS);
    }
  }

  async awaitAside(number?: number): Promise<void> {
    const word = L.CTL_ASIDE_DONE >>> 2;
    while (true) {
      const done = Atomics.load(this.i32, word);
      if (this.asideIsDone(number)) return;
      const { value } = Atomics.waitAsync(this.i32, word, done);
      // The timer keeps the process alive while it waits, which waitAsync does not.
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, ASIDE_LOOK_MS);
      });
      await Promise.race([value, late]);
      clearTimeout(timer);
    }
  }

  /** Starts a run: a new epoch, empty pools unless the block goes on. */
  private begin(run: number, workers: number, options: RunOptions): void {
    assert(!this.closed, 'the kernel is closed');
    this.epoch = this.epoch >= 0x7ffffff0 ? 1 : this.epoch + 1;
    this.set(L.BLK_EPOCH, this.epoch);
    this.set(L.BLK_RUN, run);
    this.set(L.BLK_COUNT, options.to);
    this.set(L.BLK_WORKERS, workers);
    this.set(L.BLK_WORK_UNITS, options.workUnits);
    this.set(L.BLK_RECORD, options.record ? 1 : 0);
    this.set(L.BLK_WINDOW, options.window ?? workers * 2 + 1);
    this.set(L.BLK_STRIDE, options.stride ?? 2);
    this.set(L.BLK_LIST_EXACT, options.listsExact ? 1 : 0);
    this.set(L.BLK_MUTATION, options.mutation ?? 0);
    this.set(L.BLK_SLICE, options.slice);
    this.set(L.CTL_STOP, L.STOP_NONE);
    this.set(L.CTL_COMMIT_LOCK, 0);
    this.set(L.CTL_APPLYING, 0);
    this.set(L.CTL_COMMITTED, options.from);
    this.set(L.CTL_CLAIMED, run === L.RUN_OPTIMISTIC || run === 0 ? options.from : options.to);
    for (let id = 0; id < workers; id++) {
      const block = this.workerBlock(id);
      for (const word of [L.WRK_FAULT, L.WRK_QUEUE_HEAD, L.WRK_QUEUE_TAIL, L.WRK_CURRENT, L.WRK_RANDOM, L.WRK_BARRIER]) {
        this.set(block + word, 0);
      }
      const start = run === L.RUN_SHARDED ? 0 : options.from;
      this.set(block + L.WRK_CHUNK_NEXT, start);
      this.set(block + L.WRK_CHUNK_END, start);
      this.set(block + L.WRK_UNDO_TOP, this.get(block + L.WRK_UNDO_START));
      this.set(block + L.WRK_SEEN_WATERMARK, options.from);
      this.set(block + L.WRK_PROGRESS, options.from);
      this.set(block + L.WRK_LOG_TOP, this.get(block + L.WRK_LOG_BASE));
      this.set(block + L.WRK_LOG_START, this.get(block + L.WRK_LOG_BASE));
    }
  }

  /** Empties the pools of events and traces: before the first range of a block. */
  resetOutput(): void {
    this.set(L.CTL_EVENT_TOP, 0);
    this.set(L.CTL_TRACE_TOP, 0);
    for (let id = 0; id < this.workers; id++) {
      const block = this.workerBlock(id);
      for (const word of [
        L.WRK_EVENT_TOP,
        L.WRK_EVENT_END,
        L.WRK_TRACE_TOP,
        L.WRK_TRACE_END,
        L.WRK_EXECUTIONS,
        L.WRK_VALIDATIONS,
        L.WRK_CONFLICTS,
      ]) {
        this.set(block + word, 0);
      }
      this.u32.fill(0, (block + L.WRK_CONFLICT_CLASSES) >>> 2, (block + L.WRK_CONFLICT_CLASSES + 1024) >>> 2);
    }
  }

  eventBytesLeft(): number {
    return this.get(L.REG_EVENT_END) - this.get(L.REG_EVENT_POOL) - this.get(L.CTL_EVENT_TOP);
  }

  /** Runs transactions from..to one by one. */
  runSerial(options: RunOptions): RunOutcome {
    this.begin(0, 1, options);
    let at = options.from;
    while (at < options.to) {
      const to = options.slice === 0 ? options.to : Math.min(options.to, at + options.slice);
      const done = this.exports.runSerial(at, to);
      if (options.slice !== 0) options.onProgress(done);
      if (done < to) return { committed: done, stop: this.get(L.CTL_STOP) };
      at = done;
    }
    return { committed: at, stop: L.STOP_NONE };
  }

  /** The optimistic scheduler in one thread, interleaved by a seed; virtual workers, transactions up to `ahead` before their turn. */
  runAdversarial(options: RunOptions, seed: number, ahead: number): RunOutcome {
    this.begin(0, options.workers, options);
    this.exports.runAdversarial(seed, options.workers, ahead);
    return { committed: this.get(L.CTL_COMMITTED), stop: this.get(L.CTL_STOP) };
  }

  /**
   * Runs transactions from..to on several workers. Ends with stop != 0 when the run could not be completed: for `optimistic` the
   * committed prefix stands; for the other models everything has been undone.
   */
  async runParallel(model: ParallelModel, options: RunOptions): Promise<RunOutcome> {
    const { workers } = options;
    for (let id = 1; id < workers; id++) if (this.exited[id]) await this.startThread(id);
    const run = model === 'optimistic' ? L.RUN_OPTIMISTIC : model === 'deterministic' ? L.RUN_DETERMINISTIC : L.RUN_SHARDED;
    this.begin(run, workers, options);
    if (model === 'sharded') this.exports.planShards();
    else if (model === 'deterministic') this.exports.planOwners();
    this.set(L.CTL_FINISHED, 0);
    if (workers > 1) {
      this.command(workers);
    }
    const enter =
      model === 'optimistic'
        ? this.exports.runOptimistic
        : model === 'deterministic'
          ? this.exports.runDeterministic
          : this.exports.runSharded;
    while (true) {
      const result = this.enterWorkerZero(enter);
      if (result === L.RETURN_REPORT) options.onProgress(Atomics.load(this.i32, L.CTL_COMMITTED >>> 2));
      else if (result === L.RETURN_STALLED) await this.lookForDeadWorkers(workers);
      else break;
    }
    await this.awaitWorkers(workers);
    this.set(L.REG_DEPENDENCY_BASE, this.get(L.REG_DEPENDENCY_BASE) + options.to + 1);
    if (this.get(L.REG_DEPENDENCY_BASE) > 0xe0000000) this.resetDependencies();
    const stop = this.get(L.CTL_STOP);
    if (stop !== L.STOP_NONE) {
      if (model === 'optimistic') return { committed: this.exports.recoverCommit(), stop };
      this.exports.undo();
      return { committed: options.from, stop };
    }
    const committed = model === 'optimistic' ? this.get(L.CTL_COMMITTED) : options.to;
    assert(committed === options.to, `a run ended at ${committed} of ${options.to}`);
    if (options.slice !== 0) options.onProgress(committed);
    return { committed, stop };
  }

  /** Has `workers` workers do their parts of a work on the whole state. False: one of them died, and the state is not whole any more. */
  async runShared(work: SharedWork, workers: number): Promise<boolean> {
    assert(!this.closed, 'the kernel is closed');
    for (let id = 1; id < workers; id++) if (this.exited[id]) await this.startThread(id);
    this.set(L.BLK_RUN, SHARED_RUNS[work]);
    this.set(L.CTL_STOP, L.STOP_NONE);
    this.set(L.CTL_FINISHED, 0);
    if (workers > 1) this.command(workers);
    this.enterWorkerZero((id) => {
      if (work === 'sweep') this.exports.runSweep(id);
      else if (work === 'audit') this.exports.runAudit(id);
      else if (work === 'collect') this.exports.collectPart();
      else this.exports.digestPart(id);
      return L.RETURN_ENDED;
    });
    await this.awaitWorkers(workers);
    return this.get(L.CTL_STOP) === L.STOP_NONE;
  }

  /** A trap on thread 0 counts as the death of a worker: the block is completed by other means. */
  private enterWorkerZero(enter: (id: number) => number): number {
    try {
      return enter(0);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      Atomics.compareExchange(this.i32, L.CTL_STOP >>> 2, L.STOP_NONE, L.STOP_WORKER_DIED);
      return L.RETURN_ENDED;
    }
  }

  /** Lets events of the host arrive; a thread that has exited stops the block. */
  private async lookForDeadWorkers(workers: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (let id = 1; id < workers; id++) {
      if (this.exited[id]) Atomics.compareExchange(this.i32, L.CTL_STOP >>> 2, L.STOP_NONE, L.STOP_WORKER_DIED);
    }
  }

  private async awaitWorkers(workers: number): Promise<void> {
    for (let rounds = 0; ; rounds++) {
      const finished = Atomics.load(this.i32, L.CTL_FINISHED >>> 2);
      if (finished >= workers - 1) return;
      if (rounds > 20000) {
        await this.lookForDeadWorkers(workers);
        let gone = 0;
        for (let id = 1; id < workers; id++) if (this.exited[id]) gone++;
        if (Atomics.load(this.i32, L.CTL_FINISHED >>> 2) + gone >= workers - 1) return;
      }
    }
  }

  private resetDependencies(): void {
    for (let id = 0; id < this.workers; id++) {
      const at = this.get(this.workerBlock(id) + L.WRK_DEPENDENCIES) >>> 2;
      this.u32.fill(0, at, at + DEPENDENCY_ENTRIES * 4);
    }
    this.set(L.REG_DEPENDENCY_BASE, 0);
  }

  /** Copies the state and what belongs to it, without the scratch regions. */
  snapshot(): Uint8Array[] {
    const end = this.get(L.REG_CHUNK_NEXT) * PAGE;
    return [
      this.u8.slice(CONSTANTS_START, CONSTANTS_END),
      this.u8.slice(L.CHUNK_TABLE, L.CHUNK_TABLE + PAGE * 4),
      this.u8.slice(STATE_START, end),
    ];
  }

  restore(parts: readonly Uint8Array[]): void {
    const [control, chunks, state] = parts;
    assert(control && chunks && state, 'a snapshot has three parts');
    // The words of the scheduler below are not touched: idle threads look at the command.
    const dependencyBase = this.get(L.REG_DEPENDENCY_BASE);
    const before = this.get(L.REG_CHUNK_NEXT) * PAGE;
    this.u8.set(control, CONSTANTS_START);
    this.set(L.REG_DEPENDENCY_BASE, dependencyBase);
    this.u8.set(chunks, L.CHUNK_TABLE);
    this.u8.set(state, STATE_START);
    const end = STATE_START + state.byteLength;
    if (before > end) this.u8.fill(0, end, before);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.set(L.BLK_RUN, RUN_EXIT);
    this.command(this.workers);
    await Promise.all([...this.threads, ...this.sideThreads].map((thread) => thread?.terminate()));
    // What they were stopped in will not be done: who waits for it is told.
    const asked = Atomics.load(this.i32, L.CTL_ASIDE >>> 2);
    if (Atomics.load(this.i32, L.CTL_ASIDE_DONE >>> 2) !== asked) this.markAsideFailed();
  }
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** The module, compiled once per process. */
function compiledModule(): Promise<WebAssembly.Module> {
  compiled ??= WebAssembly.compile(readModule());
  return compiled;
}

function readModule(): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(new URL('../../build/heddle.wasm', import.meta.url)));
  } catch (cause) {
    throw new HeddleError('NO_KERNEL', 'build/heddle.wasm is missing: run `npm run build` first', { cause });
  }
}

function outOfMemory(bytes: number, wanted: number): HeddleError {
  return new HeddleError(
    'OUT_OF_MEMORY',
    `the shared memory of ${Math.round(bytes / MIB)} MiB is used up (${Math.ceil(wanted / MIB)} MiB more are needed): give the engine more (memoryMiB) or a smaller genesis`,
  );
}

/** Resolves when the thread says that it is ready. Rejects if it ends before: whoever closes the kernel meanwhile ends it. */
function readiness(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => reject(new HeddleError('ENGINE_BROKEN', 'a thread has ended before it was ready: start again')));
  });
}

/** What the module imports. */
export function kernelImports(memory: WebAssembly.Memory): WebAssembly.Imports {
  const started = new Float64Array(memory.buffer, L.BLK_STARTED, 1);
  return { env: { memory }, heddle: { nowMicros: () => wallMicros() - (started[0] as number) } };
}

/** Micros on a clock that all threads share. */
export function wallMicros(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}
