/**
 * Blocks of the store as those who read their facts want them: transactions, receipts, and the ordinal of the first item.
 * A height whose body was pruned is not there.
 */
import { decodeHeader } from '../commitment/header.ts';
import { decodeBlock } from '../ledger/transaction-codec.ts';
import type { Block, Transaction } from '../ledger/transactions.ts';
import type { Store } from '../storage/index.ts';
import type { ReadableBlock } from './facts.ts';
import { transactionHash } from './transaction-name.ts';

const ORDINALS_KEPT = 200_000;

/** Hashes of transactions are taken when somebody asks for them. */
class StoredBlock implements ReadableBlock {
  readonly number: number;
  readonly timeMs: number;
  readonly firstOrdinal: bigint;
  readonly transactions: readonly Transaction[];
  readonly receipts: readonly Uint8Array[];
  private taken: readonly Uint8Array[] | undefined;

  constructor({ number, timeMs, transactions }: Block, firstOrdinal: bigint, receipts: readonly Uint8Array[]) {
    this.number = number;
    this.timeMs = timeMs;
    this.firstOrdinal = firstOrdinal;
    this.transactions = transactions;
    this.receipts = receipts;
  }

  get hashes(): readonly Uint8Array[] {
    this.taken ??= this.transactions.map(transactionHash);
    return this.taken;
  }

  hashOf(index: number): Uint8Array {
    return this.taken?.[index] ?? transactionHash(this.transactions[index] as Transaction);
  }
}

export class StoredBlocks {
  private readonly store: Store;
  private readonly ordinals = new Map<number, bigint>();
  private snapshotHeight: number | undefined;

  constructor(store: Store) {
    this.store = store;
  }

  get height(): number {
    return this.store.height ?? 0;
  }

  at(height: number): ReadableBlock | undefined {
    if (height < 1) return undefined;
    const body = this.store.body(height);
    const receipts = this.store.receipts(height);
    const before = this.store.header(height - 1);
    if (body === undefined || body.length === 0 || receipts === undefined) return undefined;
    const block = decodeBlock(body);
    // What follows on a snapshot has no header before it: its ordinals count from the block's own.
    const firstOrdinal = before === undefined ? this.countBack(height, block.transactions) : decodeHeader(before).nextOrdinal;
    return new StoredBlock(block, firstOrdinal, unpacked(receipts));
  }

  /**
   * The newest blocks that are there, oldest first: at most so many, no more once they have so many transactions, and none but those that
   * follow on a block of the time `sinceMs` or later.
   */
  newest(blocksMax: number, transactionsMax: number, sinceMs = 0): ReadableBlock[] {
    const blocks: ReadableBlock[] = [];
    let transactions = 0;
    for (let height = this.height; height > 0 && blocks.length < blocksMax && transactions < transactionsMax; height--) {
      if (sinceMs > 0 && this.timeMs(height - 1) < sinceMs) break;
      const block = this.at(height);
      if (block === undefined) break;
      blocks.push(block);
      transactions += block.transactions.length;
    }
    return blocks.reverse();
  }

  /** The height of the block that has given out an ordinal; undefined: before what is stored. Headers outlive the blocks. */
  heightOfOrdinal(ordinal: bigint): number | undefined {
    let [low, high] = [this.lowest, this.height];
    if (ordinal < this.nextOrdinal(low) || ordinal >= this.nextOrdinal(high)) return undefined;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.nextOrdinal(middle) <= ordinal) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The ordinal that the first item behind a block gets. */
  private nextOrdinal(height: number): bigint {
    const known = this.ordinals.get(height);
    if (known !== undefined) return known;
    const header = this.store.header(height);
    const ordinal = header === undefined ? 0n : decodeHeader(header).nextOrdinal;
    // Searches look at the same heights again and again.
    if (this.ordinals.size >= ORDINALS_KEPT) this.ordinals.clear();
    this.ordinals.set(height, ordinal);
    return ordinal;
  }

  /** The time of the genesis, or of the snapshot that everything stored follows on. */
  get firstMs(): number {
    return this.timeMs(this.lowest);
  }

  /** The first height that has a header: 0, or that of the snapshot. All above it have one, also where the body was pruned. */
  private get lowest(): number {
    if (this.store.header(0) !== undefined) return 0;
    this.snapshotHeight ??= this.firstHeader();
    return this.snapshotHeight;
  }

  private firstHeader(): number {
    let [low, high] = [0, this.store.first];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.store.header(middle) === undefined) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  timeMs(height: number): number {
    const header = this.store.header(height);
    return header === undefined ? 0 : decodeHeader(header).timeMs;
  }

  private countBack(height: number, transactions: ReadableBlock['transactions']): bigint {
    const header = this.store.header(height);
    const items = transactions.reduce((sum, transaction) => sum + (transaction.kind === 'orders' ? transaction.items.length : 0), 0);
    return header === undefined ? 1n : decodeHeader(header).nextOrdinal - BigInt(items);
  }
}

/** Receipts one behind the other, each with its length in front. */
function unpacked(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const receipts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at, true);
    receipts.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return receipts;
}
