/**
 * The state tree of an engine (docs/decisions/0010): lays it out, has the records that a block has written collected, and works them in on a
 * thread of its own while the next block executes.
 *
 * Invariant: `root` of a height is T of all records as they were when the block of that height had ended.
 */
import { availableParallelism } from 'node:os';
import { HeddleError } from '../base/errors.ts';
import { blake3 } from '../commitment/blake3.ts';
import * as C from '../commitment/layout.ts';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import type { RecordChange } from './api.ts';
import { bitsOf } from './genesis-check.ts';

const MIB = 1 << 20;
/** What paths, leaves and nodes are hashed under, in the order of their keys in memory. */
const LABELS = ['heddle path 1', 'heddle leaf 1', 'heddle node 1'];
const BITS_MIN = 8;
const BITS_MAX = 21;
/** Records that an account has in the mean. */
const RECORDS_PER_ACCOUNT = 8;
/** Measured: with 4 in a bucket a change costs half of what it costs with 8; with fewer the memory for runs grows. */
const RECORDS_PER_BUCKET = 4;
/** Runs of entries have room to spare, and shorter ones are left behind as buckets grow. More is taken when it is used up. */
const POOL_FACTOR = 1.9;
/** The most that one change takes of the pool in the mean: a longer run for its bucket. */
const ENTRIES_PER_CHANGE = 12;
const CHANGES_MAX = 1 << 17;
const DIRTY_MAX = 1 << 18;
/** For the recursion into a bucket: 64 bytes a bit of the path, and what hashing four inputs needs. */
const SCRATCH_BYTES = 16384;

export interface StateTreeOptions {
  /** Records that the tree is laid out for; it holds more, at some cost. Default: eight an account. */
  readonly expectedRecords?: number;
  /** Threads that work blocks into the tree while others execute; 1 to 16. Default: a quarter of the cores, at least one. */
  readonly threads?: number;
}

export class StateTree {
  readonly threads: number;
  private readonly kernel: Kernel;
  private readonly scratch: number;
  private pending: Promise<string> | undefined;

  /** Throws BAD_WORKERS, OUT_OF_MEMORY. */
  constructor(kernel: Kernel, options: StateTreeOptions) {
    this.kernel = kernel;
    this.threads = options.threads ?? Math.min(L.ASIDE_THREADS_MAX, Math.max(1, Math.floor(availableParallelism() / 4)));
    if (!Number.isInteger(this.threads) || this.threads < 1 || this.threads > L.ASIDE_THREADS_MAX) {
      throw new HeddleError('BAD_WORKERS', `commitment.threads must be an integer from 1 to ${L.ASIDE_THREADS_MAX}, not ${this.threads}`);
    }
    const records = options.expectedRecords ?? kernel.get(X.EXC_MAX_ACCOUNTS) * RECORDS_PER_ACCOUNT;
    const bits = Math.min(BITS_MAX, Math.max(BITS_MIN, bitsOf(Math.ceil(records / RECORDS_PER_BUCKET))));
    const nodes = 2 << bits;
    const memory = kernel.u8.byteLength;
    kernel.set(C.COM_BITS, bits);
    kernel.set(C.COM_TOP, kernel.region(nodes * 32));
    kernel.set(C.COM_COUNTS, kernel.region(nodes));
    kernel.set(C.COM_MARKS, kernel.region(nodes));
    kernel.set(C.COM_BUCKETS, kernel.region((nodes / 2) * 8));
    kernel.set(C.COM_LISTS, kernel.scratch(nodes * 4));
    this.addRoom(Math.ceil(records * C.ENTRY_BYTES * POOL_FACTOR));
    const keyBase = kernel.region(C.KEYS_BYTES);
    kernel.set(C.COM_KEYS, keyBase);
    LABELS.forEach((label, i) => {
      kernel.u8.set(blake3(new TextEncoder().encode(label)), keyBase + i * 32);
    });
    kernel.exports.spreadKeys();
    kernel.set(C.COM_CHANGES, kernel.scratch(CHANGES_MAX * C.CHANGE_BYTES));
    kernel.set(C.COM_CHANGE_MAX, CHANGES_MAX);
    this.scratch = kernel.scratch(SCRATCH_BYTES);
    kernel.set(L.REG_DIRTY_LIST, kernel.scratch(DIRTY_MAX * 4));
    kernel.set(L.REG_DIRTY_MAX, DIRTY_MAX);
    kernel.set(L.REG_PAGE_OWNERS, kernel.region((memory / 256) * 8));
    kernel.set(L.REG_DIRTY, kernel.region(memory / 256));
  }

  /** Everything that is present when the genesis has been written. */
  takeAll(locations: Iterable<number>): void {
    const { kernel } = this;
    const map = kernel.get(L.REG_DIRTY) >>> 2;
    for (const location of locations) {
      const word = map + (location >>> 5);
      kernel.u32[word] = (kernel.u32[word] as number) | (1 << (location & 31));
    }
    kernel.set(L.REG_DIRTY_SCAN, 1);
    this.collect(0);
    this.commit();
    this.pending = undefined;
  }

  /** The same for a state that has replaced the one of genesis. */
  takeAgain(locations: Iterable<number>): void {
    const { kernel } = this;
    const nodes = 2 << kernel.get(C.COM_BITS);
    const clear = (word: number, bytes: number) => kernel.u8.fill(0, kernel.get(word), kernel.get(word) + bytes);
    clear(C.COM_TOP, nodes * 32);
    clear(C.COM_COUNTS, nodes);
    clear(C.COM_BUCKETS, (nodes / 2) * 8);
    kernel.u64[C.COM_RECORDS / 8] = 0n;
    this.takeAll(locations);
  }

  /** More memory for entries. Throws OUT_OF_MEMORY. */
  private addRoom(bytes: number): void {
    const room = Math.max(MIB, bytes);
    const pool = this.kernel.region(room);
    this.kernel.set(C.COM_POOL_NEXT, pool);
    this.kernel.set(C.COM_POOL_END, pool + room);
  }

  /** The tree takes memory for what it has to work in before it starts: the side thread cannot. */
  private prepare(): void {
    const { kernel } = this;
    const needed = kernel.get(C.COM_CHANGE_COUNT) * ENTRIES_PER_CHANGE * C.ENTRY_BYTES;
    if (kernel.get(C.COM_POOL_END) - kernel.get(C.COM_POOL_NEXT) < needed) this.addRoom(needed);
  }

  /**
   * Collects what the block's transactions, `count` with the system's, and the ledger itself have written. With `kept`, the changes are put
   * into it as well.
   */
  collect(count: number, kept?: RecordChange[]): void {
    const { exports } = this.kernel;
    for (let first = true; !exports.collectChanges(first ? count : 0); first = false) {
      if (kept !== undefined) this.copyChanges(kept);
      this.commit();
    }
    if (kept !== undefined) this.copyChanges(kept);
  }

  private copyChanges(kept: RecordChange[]): void {
    const { kernel } = this;
    const count = kernel.get(C.COM_CHANGE_COUNT);
    const bytes = kernel.u8.slice(kernel.get(C.COM_CHANGES), kernel.get(C.COM_CHANGES) + count * C.CHANGE_BYTES);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += C.CHANGE_BYTES) {
      const keyEnd = at + C.CHANGE_DATA + view.getUint32(at + C.CHANGE_KEY_BYTES, true);
      const used = view.getUint32(at + C.CHANGE_BYTES_USED, true);
      const value = used === 0 ? undefined : bytes.subarray(keyEnd, at + C.CHANGE_DATA + used);
      kept.push({ key: bytes.subarray(at + C.CHANGE_DATA, keyEnd), value });
    }
  }

  /** Works the collected changes in, here and now. */
  commit(): void {
    this.prepare();
    this.kernel.waitAside(this.kernel.askAside(L.ASIDE_COMMIT, this.scratch));
  }

  /** Has the side thread work the collected changes in; the root that comes of it. `settle` or `settled` before the next are collected. */
  commitAside(): Promise<string> {
    this.prepare();
    const job = this.kernel.askAside(L.ASIDE_COMMIT, this.scratch);
    // The root is read in the step in which the threads are seen to be done, before anybody who waits for that can go on.
    this.pending = this.kernel.awaitAside(job).then(() => this.root());
    // Whoever asked for the root hears of a failure; that nobody did is no reason to end the process.
    this.pending.catch(() => {});
    return this.pending;
  }

  /** Blocks until the last block is in. */
  settle(): void {
    this.kernel.waitAside();
  }

  settled(): Promise<string> {
    return this.pending ?? Promise.resolve(this.root());
  }

  /** Hexadecimal; of the last block, once it is settled. */
  root(): string {
    const at = this.kernel.get(C.COM_TOP) + 32;
    return Buffer.from(this.kernel.u8.subarray(at, at + 32)).toString('hex');
  }
}
