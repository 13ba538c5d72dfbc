/**
 * Blocks of the store as those who read their facts want them: transactions, receipts, and the ordinal of the first item.
 * A height whose body was pruned is not there.
 */
import { decodeHeader } from '../commitment/header.ts';
import { decodeBlock } from '../ledger/transaction-codec.ts';
import type { Store } from '../storage/index.ts';
import type { ReadableBlock } from './block-facts.ts';

export class StoredBlocks {
  private readonly store: Store;

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
    const { number, timeMs, transactions } = decodeBlock(body);
    // What follows on a snapshot has no header before it: its ordinals count from the block's own.
    const firstOrdinal = before === undefined ? this.countBack(height, transactions) : decodeHeader(before).nextOrdinal;
    return { number, timeMs, firstOrdinal, transactions, receipts: unpacked(receipts) };
  }

  /** The height of the block that has given out an ordinal; undefined: before what is stored. */
  heightOfOrdinal(ordinal: bigint): number | undefined {
    let [low, high] = [this.store.first, this.height];
    const next = (height: number): bigint | undefined => {
      const header = this.store.header(height);
      return header && decodeHeader(header).nextOrdinal;
    };
    const first = next(low);
    if (first === undefined || ordinal < first) return undefined;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((next(middle) ?? 0n) <= ordinal) low = middle + 1;
      else high = middle;
    }
    return (next(low) ?? 0n) > ordinal ? low : undefined;
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
