/**
 * How much of the shared memory is left for transactions that have not run (docs/decisions/0019): what is free, less what has to be kept for records that
 * come without their owners, for what a block takes while it runs, and for the pieces in which memory is taken.
 *
 * Invariant: if `left` is not negative for what waits, no block of it meets OUT_OF_MEMORY at its admission or in the state tree, in whatever
 * order they come. Not here: who is refused (`src/node/memory-guard.ts`), and pools that every block empties (events, accesses, logs).
 */
import { ENTRY_BYTES } from '../commitment/layout.ts';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import type { Transaction } from '../ledger/transactions.ts';
import type { Admission } from './admission.ts';
import type { DormantAccounts } from './dormant-accounts.ts';
import { addressesIn, KEY_UNIT_BYTES, type MemoryNeed, needOf, POSITION_PAGE_BYTES, tableBytes } from './memory-need.ts';
import type { StateTree } from './state-tree.ts';

/** Of what is free, the part that is given away. Pools of the tree are taken in larger pieces than they are used up. */
const USABLE_PART = 3 / 4;
/** Of a pool so much may stay unused when the next is taken. */
const TREE_FACTOR = 4 / 3;
/** Chunks that pools of pages may begin at once: positions, orders, extras, TWAPs, tables; and three for units of keys. */
const POOL_CHUNKS = 8;
/** Trees of fewer buckets change too fast for a mean to say anything. */
const BUCKETS_LEAST = 4096;
/** Entries that a new record takes beyond what the mean says: it grows meanwhile, and luck is not even. */
const ENTRIES_MORE = 4;
/** The part of the key table that the keys of one block may take, those included that go again with it. */
const BLOCK_KEYS_PART = 1 / 4;
/** Buckets of the tree that take as long as an account: 2 to 5 ns each, and an account up to 180. */
const ACCOUNT_BUCKETS = 32;
/** Keys of the table that can be used: it is never fuller (`src/kernel/assembly/keys.ts`). */
const KEYS_PART = 7 / 8;

export class MemoryRoom {
  /** Keys that the transactions of one block may have together. */
  readonly blockKeys: number;
  /** Bytes of the state tree for a new record, and for one whose key its sender chooses. */
  recordBytes = 0;
  chosenBytes = 0;
  /** How long a `look` takes, in accounts that it goes through. */
  lookAccounts = 0;
  /** As the tree says. */
  private pieceBytes = 0;
  private takenBytes = 0;
  private latentRecords = 0;
  private latentLevels = 0;
  /** Of the state tree for the records. */
  private latentBytes = 0;
  private readonly kernel: Kernel;
  private readonly admission: Admission;
  private readonly tree: StateTree | undefined;
  private readonly dormant: DormantAccounts | undefined;
  private readonly shape: { readonly markets: number; readonly orderSlots: number };
  /** Leaves of accounts that become dormant when the day rolls, at most. */
  private readonly folds: number;
  /** What is kept for pages, whatever the state is. */
  private readonly keptPages: number;

  constructor(kernel: Kernel, admission: Admission, tree: StateTree | undefined, dormant: DormantAccounts | undefined) {
    this.kernel = kernel;
    this.admission = admission;
    this.tree = tree;
    this.dormant = dormant;
    const markets = kernel.get(X.EXC_MARKET_COUNT);
    this.shape = { markets, orderSlots: kernel.get(X.EXC_ORDER_SLOTS) };
    this.folds = dormant === undefined ? 0 : Math.min(X.FOLDS_MAX, kernel.get(X.EXC_MAX_ACCOUNTS));
    this.blockKeys = Math.floor((kernel.get(L.REG_KEY_MASK) + 1) * BLOCK_KEYS_PART);
    this.keptPages =
      // A chunk is begun by the first level page of a market.
      (POOL_CHUNKS + markets) * L.CHUNK_BYTES +
      this.blockKeys * KEY_UNIT_BYTES +
      // Of the backstop vault, which takes positions over in any market.
      kernel.get(X.EXC_POSITION_PAGES) * POSITION_PAGE_BYTES +
      tableBytes(this.shape.orderSlots);
    this.look();
  }

  /** What a transaction can take, and what the dormant accounts take that it wakes. */
  needOf(transaction: Transaction): MemoryNeed {
    const need = needOf(transaction, this.shape);
    // Whoever has all records of nonces can cancel, and report prices, however little is left.
    if (transaction.nonce !== undefined && this.admission.hasAllNonces(transaction.sender)) need.records--;
    if (this.dormant?.isEmpty === false) {
      for (const address of addressesIn(transaction)) this.admission.addWaking(address, need);
    }
    return need;
  }

  /** What `need` takes of the state tree, in bytes, as the tree is now. */
  treeBytesOf({ records, chosen }: MemoryNeed): number {
    return records * this.recordBytes + chosen * this.chosenBytes;
  }

  /** Counts anew what has to be kept. Between blocks; it goes through all accounts and open orders. */
  look(): void {
    const { kernel } = this;
    const accounts = this.admission.highestNumber;
    this.lookAccounts = accounts + (this.tree?.counts.buckets ?? 0) / ACCOUNT_BUCKETS;
    kernel.exports.countLatent(accounts);
    this.latentRecords = kernel.get(X.EXC_LATENT_RECORDS);
    this.latentLevels = kernel.get(X.EXC_LATENT_LEVELS);
    this.latentBytes = ENTRY_BYTES * (this.tree?.entriesFor(this.latentRecords) ?? 0);
    this.refresh();
  }

  /** After a block: what a record takes now. */
  refresh(): void {
    const { tree } = this;
    if (tree === undefined) return;
    const { records, long, buckets } = tree.counts;
    const most = tree.entriesOfNew;
    const mean = (records + this.latentRecords) / buckets + 1;
    // Full buckets, whoever has filled them, are as many as they can be when all records lie in such; long runs double.
    const likely = Math.ceil(long === 0 ? mean : 2 * mean) + ENTRIES_MORE;
    this.recordBytes = ENTRY_BYTES * (buckets < BUCKETS_LEAST ? most : Math.min(most, likely));
    this.chosenBytes = ENTRY_BYTES * most;
    this.pieceBytes = tree.pieceBytes;
    this.takenBytes = tree.takenBytes;
  }

  /**
   * Bytes that are left when transactions that have not run take so many bytes of pages and of the state tree; negative: they may be too many. `kept` is the
   * part that is kept of what latent records take at most.
   */
  left(pages: number, treeBytes: number, kept = 1): number {
    const { kernel, tree } = this;
    let needed = pages + this.keptPages;
    if (tree !== undefined) {
      const latent = this.latentBytes + (this.latentLevels + this.folds) * this.chosenBytes;
      const inPool = Math.max(0, tree.poolBytes - this.pieceBytes);
      needed += Math.max(0, (treeBytes + latent * kept) * TREE_FACTOR + this.takenBytes - inPool);
    }
    return kernel.freeBytes * USABLE_PART - needed;
  }

  /** Keys that the table has room for besides those of a block that go again with it. */
  get keysLeft(): number {
    const { kernel } = this;
    return Math.floor((kernel.get(L.REG_KEY_MASK) + 1) * KEYS_PART) - 1 - kernel.get(L.REG_KEY_COUNT) - this.blockKeys;
  }

  get memoryBytes(): number {
    return this.kernel.u8.byteLength;
  }
}
