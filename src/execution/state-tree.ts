/**
 * The state tree of an engine (docs/decisions/0010): lays it out, has the records that a block has written collected, and has the side threads
 * work them in while the next block executes.
 *
 * Invariant: `root` of a height is T of all records as they were when the block of that height had ended.
 */
import { availableParallelism } from 'node:os';
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import { PackedChanges, type RecordChange } from '../base/packed-changes.ts';
import { blake3, START_VALUE } from '../commitment/blake3.ts';
import * as C from '../commitment/layout.ts';
import { leafOf, pathOf } from '../commitment/state-tree.ts';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import type { BlockRoots } from './api.ts';
import { bitsOf } from './genesis-check.ts';
import { HeaderLists } from './header-lists.ts';

const MIB = 1 << 20;
/** What is hashed under what, in the order of the keys in memory. */
const LABELS = ['heddle path 1', 'heddle leaf 1', 'heddle node 1', 'heddle item 1', 'heddle pair 1', 'heddle list 1'];
const BITS_MIN = 8;
const BITS_MAX = 22;
/** Records that an account has in the mean. */
const RECORDS_PER_ACCOUNT = 8;
/** Where accounts become dormant there are more of them than numbers: laid out for so many records at least. */
const RECORDS_DORMANT = 1 << 18;
/** Measured: a change costs a sixth less than with 4 in a bucket, and half of what it costs with 8; the memory is the same as with 4. */
const RECORDS_PER_BUCKET = 2;
/** Runs of entries have room to spare, and shorter ones are left behind as buckets grow. More is taken when it is used up. */
const POOL_FACTOR = 1.4;
const STEPPED_MAX = C.RUN_STEP * C.RUN_STEPS;
/** Runs that double take at most so many times what they come to hold, those included that they leave behind. */
const LONG_FACTOR = 4;
/** A bucket that grows by steps from nothing to the longest of them takes fewer entries than this for each that it comes to hold. */
const STEPPED_MEAN_MAX = 18;
/** How many standard deviations luck may be away from the mean. */
const LUCK = 8;
/** What is left of a slab behind the longest run that fits into it is not used: 1 of 8 at most. */
const SLAB_FACTOR = 8 / 7;
/**
 * Pools are taken in this part of what is free, and when less than the second of it is left in one: what is left in a pool is of no use to pages, nor to
 * changes that need more. A block whose changes need more is worked in in pieces.
 */
const ROOM_PART = 1 / 8;
const ROOM_KEPT_PART = 1 / 32;
const ROOM_LEAST = 8 * MIB;
/** And never more than this part, where little is free. */
const ROOM_MOST_PART = 1 / 4;
const CHANGES_MAX = 1 << 17;
const DIRTY_MAX = 1 << 18;
/** Fewer changes than this are copied by thread 0 alone: waking others takes longer. */
const SHARED_LEAST = 16384;

export interface StateTreeOptions {
  /**
   * Records that the tree is laid out for; it holds more, at some cost. Default: eight an account, and a quarter of a million where accounts
   * become dormant.
   */
  readonly expectedRecords?: number;
  /** Threads that work blocks into the tree while others execute; 1 to 16. Default: a quarter of the cores, at least one. */
  readonly threads?: number;
}

export class StateTree {
  readonly threads: number;
  /** The lists that a header commits to beside the state. */
  readonly lists: HeaderLists;
  private readonly kernel: Kernel;
  private pending: Promise<BlockRoots> | undefined;
  /** The roots of the last block, read when the threads were first seen to be done: what comes next overwrites them. */
  private lastRoots: (() => BlockRoots) | undefined;

  /** Throws BAD_WORKERS, OUT_OF_MEMORY. */
  constructor(kernel: Kernel, options: StateTreeOptions) {
    this.kernel = kernel;
    this.threads = options.threads ?? Math.min(L.ASIDE_THREADS_MAX, Math.max(1, Math.floor(availableParallelism() / 4)));
    if (!Number.isInteger(this.threads) || this.threads < 1 || this.threads > L.ASIDE_THREADS_MAX) {
      throw new HeddleError('BAD_WORKERS', `commitment.threads must be an integer from 1 to ${L.ASIDE_THREADS_MAX}, not ${this.threads}`);
    }
    const least = kernel.get(X.CFG_DORMANT_DAYS) === 0 ? 0 : RECORDS_DORMANT;
    const records = options.expectedRecords ?? Math.max(least, kernel.get(X.EXC_MAX_ACCOUNTS) * RECORDS_PER_ACCOUNT);
    const bits = Math.min(BITS_MAX, Math.max(BITS_MIN, bitsOf(Math.ceil(records / RECORDS_PER_BUCKET))));
    const nodes = 2 << bits;
    const memory = kernel.u8.byteLength;
    kernel.set(C.COM_BITS, bits);
    kernel.set(C.COM_TOP, kernel.region(nodes * 32));
    kernel.set(C.COM_COUNTS, kernel.region(nodes));
    kernel.set(C.COM_MARKS, kernel.region(nodes));
    kernel.set(C.COM_BUCKETS, kernel.region((nodes / 2) * 8));
    kernel.set(C.COM_PARTS, kernel.region(C.PARTS * C.PART_BYTES));
    kernel.set(C.COM_LISTS, kernel.scratch(nodes * 4));
    const keyBase = kernel.region(C.KEYS_BYTES);
    kernel.set(C.COM_KEYS, keyBase);
    LABELS.forEach((label, i) => {
      kernel.u8.set(blake3(new TextEncoder().encode(label)), keyBase + i * 32);
    });
    START_VALUE.forEach((word, i) => {
      kernel.set(keyBase + C.KEYS_PLAIN + i * 4, word);
    });
    kernel.exports.spreadKeys();
    kernel.set(C.COM_CHANGES, kernel.scratch(CHANGES_MAX * C.CHANGE_BYTES));
    kernel.set(C.COM_CHANGE_MAX, CHANGES_MAX);
    kernel.set(C.COM_ORDER, kernel.scratch((CHANGES_MAX / C.CLAIM_CHANGES) * C.ORDER_BYTES));
    kernel.set(C.COM_SCRATCH, kernel.scratch(this.threads * C.COM_SCRATCH_BYTES));
    kernel.set(L.REG_DIRTY_LIST, kernel.scratch(DIRTY_MAX * 4));
    kernel.set(L.REG_DIRTY_MAX, DIRTY_MAX);
    kernel.set(L.REG_PAGE_OWNERS, kernel.region((memory / 256) * 8));
    kernel.set(L.REG_DIRTY, kernel.region(memory / 256));
    this.lists = new HeaderLists(kernel);
    this.addRoom(Math.ceil(records * C.ENTRY_BYTES * POOL_FACTOR) + C.PARTS * C.SLAB_BYTES);
  }

  /**
   * Everything that is present when the genesis has been written, and records whose values lie in no memory. Blocks until it is done. Throws
   * OUT_OF_MEMORY, ENGINE_BROKEN.
   */
  takeAll(cold: Iterable<RecordChange> = []): void {
    const { kernel } = this;
    kernel.exports.markRecords(kernel.get(C.COM_SCRATCH));
    for (let whole = false; !whole; ) {
      this.limitPiece();
      whole = kernel.exports.listChanges(0);
      kernel.waitAside(this.ask(L.ASIDE_FILL));
    }
    kernel.waitAside(this.ask(L.ASIDE_ROOT));
    // Filling copies records from the memory, where these are not: they are committed.
    kernel.set(C.COM_CHANGE_COUNT, 0);
    for (const change of cold) this.add(change);
    if (kernel.get(C.COM_CHANGE_COUNT) > 0) kernel.waitAside(this.ask(L.ASIDE_COMMIT));
    this.pending = undefined;
  }

  /** The same for a state that has replaced the one of genesis; the memory of the entries before is used again. */
  takeAgain(cold: Iterable<RecordChange> = []): void {
    const { kernel } = this;
    const nodes = 2 << kernel.get(C.COM_BITS);
    const clear = (word: number, bytes: number) => kernel.u8.fill(0, kernel.get(word), kernel.get(word) + bytes);
    clear(C.COM_TOP, nodes * 32);
    clear(C.COM_COUNTS, nodes);
    clear(C.COM_BUCKETS, (nodes / 2) * 8);
    clear(C.COM_PARTS, C.PARTS * C.PART_BYTES);
    let last: number = C.COM_POOLS;
    while (kernel.get(last) !== 0) last = kernel.get(last);
    kernel.set(last, kernel.get(C.COM_POOLS_SPARE));
    kernel.set(C.COM_POOLS_SPARE, kernel.get(C.COM_POOLS));
    kernel.set(C.COM_POOLS, 0);
    kernel.set(C.COM_POOL_NEXT, 0);
    kernel.set(C.COM_POOL_END, 0);
    this.takeAll(cold);
  }

  /** A pool of at least so many bytes to take slabs from: a spare one, more behind the present one, or a new one. Throws OUT_OF_MEMORY. */
  private addRoom(bytes: number): void {
    const { kernel } = this;
    const room = Math.max(MIB, bytes + C.POOL_HEAD_BYTES);
    for (let word: number = C.COM_POOLS_SPARE; kernel.get(word) !== 0; word = kernel.get(word)) {
      const pool = kernel.get(word);
      if (kernel.get(pool + 4) - pool < room) continue;
      kernel.set(word, kernel.get(pool));
      this.usePool(pool);
      return;
    }
    const { freeBytes } = kernel;
    const wanted = Math.min(freeBytes * ROOM_MOST_PART, Math.max(ROOM_LEAST, freeBytes * ROOM_PART));
    const pool = kernel.region(Math.max(room, wanted));
    const end = kernel.get(L.REG_CHUNK_NEXT) * L.CHUNK_BYTES;
    if (pool === kernel.get(C.COM_POOL_END)) {
      kernel.set(C.COM_POOL_END, end);
      kernel.set(kernel.get(C.COM_POOLS) + 4, end);
      return;
    }
    kernel.set(pool + 4, end);
    this.usePool(pool);
  }

  /** Slabs come from this pool now. What is left of the one before becomes a pool of its own, for when less is needed. */
  private usePool(pool: number): void {
    const { kernel } = this;
    const [next, end] = [kernel.get(C.COM_POOL_NEXT), kernel.get(C.COM_POOL_END)];
    if (end - next >= MIB) {
      kernel.set(kernel.get(C.COM_POOLS) + 4, next);
      kernel.set(next, kernel.get(C.COM_POOLS_SPARE));
      kernel.set(next + 4, end);
      kernel.set(C.COM_POOLS_SPARE, next);
    }
    kernel.set(pool, kernel.get(C.COM_POOLS));
    kernel.set(C.COM_POOLS, pool);
    kernel.set(C.COM_POOL_NEXT, pool + C.POOL_HEAD_BYTES);
    kernel.set(C.COM_POOL_END, kernel.get(pool + 4));
  }

  /** Memory that partitions have taken for entries, in bytes; what they have given back is used again. */
  get entryBytes(): number {
    const { kernel } = this;
    let bytes = 0;
    for (let pool = kernel.get(C.COM_POOLS), end = kernel.get(C.COM_POOL_NEXT); pool !== 0; ) {
      bytes += end - pool - C.POOL_HEAD_BYTES;
      pool = kernel.get(pool);
      end = kernel.get(pool + 4);
    }
    return bytes;
  }

  /**
   * The most entries that a new record takes of the pool, in a tree whose paths somebody has chosen: a bucket that is full gets a run of the next size,
   * and the one that it had is left to others. Of one bucket's many new records each takes fewer.
   */
  get entriesOfNew(): number {
    const { kernel } = this;
    const parts = kernel.get(C.COM_PARTS);
    let longest = 0;
    for (let part = parts; part < parts + C.PARTS * C.PART_BYTES; part += C.PART_BYTES) {
      longest = Math.max(longest, kernel.get(part + C.PART_LONGEST));
    }
    const next = roomOf(Math.min(longest, C.RUN_STEPS) + 1);
    return Math.ceil(Math.max(STEPPED_MEAN_MAX, next) * SLAB_FACTOR);
  }

  /** Records, and entries of runs that double, as far as the threads are. */
  get counts(): { readonly records: number; readonly long: number; readonly buckets: number } {
    const { kernel } = this;
    const parts = kernel.get(C.COM_PARTS);
    let [records, long] = [0, 0];
    for (let part = parts; part < parts + C.PARTS * C.PART_BYTES; part += C.PART_BYTES) {
      records += kernel.get(part + C.PART_RECORDS);
      long += kernel.get(part + C.PART_LONG);
    }
    return { records, long, buckets: 2 ** kernel.get(C.COM_BITS) };
  }

  /**
   * Entries that so many new records take of the pool when nobody chooses where they lie: every run that a bucket goes through as they come, for the buckets
   * as they are. What is left behind is counted as if nobody used it again.
   */
  entriesFor(records: number): number {
    if (records === 0) return 0;
    const { buckets } = this.counts;
    const states = this.bucketStates();
    const chances = poisson(records / buckets);
    let entries = 0;
    for (let size = 0; size < C.RUN_SIZES - 1; size++) {
      for (let count = 0; count <= STEPPED_MAX; count++) {
        const found = states[size * (STEPPED_MAX + 1) + count] as number;
        if (found === 0) continue;
        const held = size > C.RUN_STEPS ? roomOf(size) : count;
        chances.forEach((chance, more) => {
          for (let next = size + 1; next < C.RUN_SIZES && roomOf(next - 1) < held + more; next++) entries += found * chance * roomOf(next);
        });
      }
    }
    // Luck, of as many as the last of them would take.
    return Math.ceil(entries * SLAB_FACTOR + LUCK * this.entriesOfNew * Math.sqrt(records));
  }

  /** How many buckets there are by size of their run and entries; those of runs that double are taken for full. */
  private bucketStates(): Uint32Array {
    const { kernel } = this;
    const states = new Uint32Array(C.RUN_SIZES * (STEPPED_MAX + 1));
    const from = kernel.get(C.COM_BUCKETS) >>> 2;
    const words = kernel.u32.subarray(from, from + 2 * 2 ** kernel.get(C.COM_BITS));
    // The threads may be at work: of each bucket one word is read.
    for (let at = 1; at < words.length; at += 2) {
      const word = words[at] as number;
      const size = word >>> 24;
      const index = size * (STEPPED_MAX + 1) + (size > C.RUN_STEPS ? 0 : word & 0xffffff);
      states[index] = (states[index] as number) + 1;
    }
    return states;
  }

  /** What a pool must have, in bytes, for so many changes, whatever they are. */
  private roomFor(changes: number): number {
    const entries = changes * this.entriesOfNew + this.counts.long * LONG_FACTOR;
    return entries * C.ENTRY_BYTES + C.PARTS * C.SLAB_BYTES;
  }

  /** What the least piece of a block's changes needs; and what is taken for it at most when no pool has it. */
  get pieceBytes(): number {
    return this.roomFor(C.CLAIM_CHANGES);
  }

  get takenBytes(): number {
    return Math.max(ROOM_LEAST, this.pieceBytes + C.POOL_HEAD_BYTES);
  }

  /** What is left of the pool that slabs are taken from. */
  get poolBytes(): number {
    return Math.max(0, this.kernel.get(C.COM_POOL_END) - this.kernel.get(C.COM_POOL_NEXT));
  }

  /**
   * Sees to it that the changes which are listed next have room, and that they take no memory which pages of the blocks behind may need: where it is short
   * there are fewer of them at a time. The tree must be at rest.
   */
  private limitPiece(): void {
    const { kernel } = this;
    const { freeBytes } = kernel;
    const pool = this.poolBytes;
    const room = pool >= freeBytes * ROOM_KEPT_PART ? pool : Math.max(pool, freeBytes * ROOM_PART);
    const changes =
      Math.floor((room - this.roomFor(0) - C.POOL_HEAD_BYTES) / (this.entriesOfNew * C.ENTRY_BYTES * C.CLAIM_CHANGES)) * C.CLAIM_CHANGES;
    kernel.set(C.COM_CHANGE_MAX, Math.max(C.CLAIM_CHANGES, Math.min(CHANGES_MAX, changes)));
  }

  /** Asks for a job on the tree; the one before must be done. Takes the memory for it before: side threads cannot. */
  private ask(job: number): number {
    const { kernel } = this;
    const needed = this.roomFor(kernel.get(C.COM_CHANGE_COUNT));
    if (this.poolBytes < needed) this.addRoom(needed);
    for (const word of [C.COM_HASH_NEXT, C.COM_HASHED, C.COM_PART_NEXT, C.COM_PARTS_DONE]) kernel.set(word, 0);
    return kernel.askAside(job, 0);
  }

  /**
   * Collects what the block's transactions, `count` with the system's, and the ledger itself have written, on `workers` workers, and what became
   * of records whose values lie in no memory. With `kept`, pieces of packed changes (src/base/packed-changes.ts) are put into it as well. Throws
   * OUT_OF_MEMORY, ENGINE_BROKEN: the ledger has to be restored then.
   */
  async collect(count: number, workers: number, cold: readonly RecordChange[], kept?: Uint8Array[]): Promise<void> {
    const { kernel } = this;
    for (let whole = false, first = true; !whole; first = false) {
      if (!first) kernel.waitAside(this.ask(L.ASIDE_COMMIT));
      this.limitPiece();
      whole = kernel.exports.listChanges(first ? count : 0);
      const shared = workers > 1 && kernel.get(C.COM_CHANGE_COUNT) >= SHARED_LEAST;
      if (!shared) kernel.exports.collectPart();
      else if (!(await kernel.runShared('collect', workers))) {
        throw new HeddleError('ENGINE_BROKEN', 'a worker died while changes were collected; the ledger has to be restored');
      }
      if (kept !== undefined) this.packChanges(kept);
    }
    for (const change of cold) this.add(change);
    kept?.push(...PackedChanges.of(cold).pieces);
  }

  /** Adds a change of a record whose value lies in no memory: its leaf is hashed here. */
  private add({ key, value }: RecordChange): void {
    const { kernel } = this;
    if (kernel.get(C.COM_CHANGE_COUNT) >= kernel.get(C.COM_CHANGE_MAX)) {
      kernel.waitAside(this.ask(L.ASIDE_COMMIT));
      kernel.set(C.COM_CHANGE_COUNT, 0);
    }
    const count = kernel.get(C.COM_CHANGE_COUNT);
    const at = kernel.get(C.COM_CHANGES) + count * C.CHANGE_BYTES;
    assert(C.CHANGE_DATA + key.length <= C.CHANGE_GIVEN_LEAF, 'the leaf stands behind the key');
    kernel.u8.fill(0, at, at + C.CHANGE_BYTES);
    kernel.set(at + C.CHANGE_KEY_BYTES, key.length);
    kernel.u8.set(key, at + C.CHANGE_DATA);
    if (value !== undefined) {
      kernel.set(at + C.CHANGE_BYTES_USED, key.length + C.CHANGE_GIVEN);
      kernel.u8.set(leafOf(key, value), at + C.CHANGE_GIVEN_LEAF);
    }
    kernel.set(C.COM_CHANGE_COUNT, count + 1);
  }

  /** The leaf of a key in the tree as it is settled; undefined if there is no record of it. */
  leafOf(key: Uint8Array): Uint8Array | undefined {
    const { kernel } = this;
    const path = pathOf(key);
    const view = new DataView(path.buffer, path.byteOffset);
    const [high, low] = [view.getBigUint64(0), view.getBigUint64(8)];
    const bucket = kernel.get(C.COM_BUCKETS) + Number(high >> BigInt(64 - kernel.get(C.COM_BITS))) * 8;
    const entries = kernel.get(bucket);
    const end = entries + (kernel.get(bucket + 4) & 0xffffff) * C.ENTRY_BYTES;
    for (let at = entries; at < end; at += C.ENTRY_BYTES) {
      if (kernel.u64[at / 8] === high && kernel.u64[at / 8 + 1] === low) {
        return kernel.u8.slice(at + C.ENTRY_LEAF, at + C.ENTRY_LEAF + 32);
      }
    }
    return undefined;
  }

  /** Before the changes are hashed. Lists of accesses are not read any more when a block has ended, so their memory is free to pack them in. */
  private packChanges(kept: Uint8Array[]): void {
    const { kernel } = this;
    const count = kernel.get(C.COM_CHANGE_COUNT);
    for (let from = 0; from < count; ) {
      const next = kernel.exports.packChanges(from, kernel.listBase, kernel.listBytes);
      assert(next > from, 'a change fits');
      kept.push(kernel.u8.slice(kernel.listBase, kernel.listBase + kernel.get(C.COM_PACKED_BYTES)));
      from = next;
    }
  }

  /**
   * Has the side threads work the collected changes in, and make the roots of the lists whose leaves are there. `settle` or `settled` before the next
   * are collected.
   */
  commitAside(): Promise<BlockRoots> {
    this.ask(L.ASIDE_COMMIT);
    const job = this.kernel.askAside(L.ASIDE_LISTS, this.threads);
    let roots: BlockRoots | undefined;
    const read = (): BlockRoots => {
      roots ??= { state: this.rootHash(), ...this.lists.roots() };
      return roots;
    };
    this.lastRoots = read;
    // In the step in which the threads are seen to be done, before anybody who waits for that can go on.
    this.pending = this.kernel.awaitAside(job).then(read);
    // Whoever asked for the roots hears of a failure; that nobody did is no reason to end the process.
    this.pending.catch(() => {});
    return this.pending;
  }

  /** Blocks until the last block is in. */
  settle(): void {
    this.kernel.waitAside();
    this.lastRoots?.();
  }

  async settled(): Promise<void> {
    await this.pending;
  }

  /** Hexadecimal; of the last block, once it is settled. */
  root(): string {
    return Buffer.from(this.rootHash()).toString('hex');
  }

  private rootHash(): Uint8Array {
    const at = this.kernel.get(C.COM_TOP) + 32;
    return this.kernel.u8.slice(at, at + 32);
  }
}

/** Entries that a run of this size has room for (`src/commitment/assembly/bucket.ts`). */
function roomOf(size: number): number {
  return size <= C.RUN_STEPS ? size * C.RUN_STEP : STEPPED_MAX * 2 ** (size - C.RUN_STEPS);
}

/** How likely it is that a bucket gets so many, by their number, when it gets `mean` of them in the mean. */
function poisson(mean: number): number[] {
  const chances: number[] = [];
  const most = Math.ceil(mean + LUCK * Math.sqrt(mean) + LUCK);
  let logarithm = -mean;
  for (let count = 0; count <= most; count++) {
    if (count > 0) logarithm += Math.log(mean / count);
    chances.push(Math.exp(logarithm));
  }
  return chances;
}
