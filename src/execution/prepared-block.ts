/**
 * Writes transactions in the kernel's form, for flows that know account numbers and oids already: replays, benchmarks, tests.
 *
 * Nothing is allocated per transaction. Sizes and oids are numbers below 2^53, written as two words. The layouts are the kernel's and
 * the programs' `layout.ts` pages.
 */
import { assert } from '../base/assert.ts';
import * as X from '../exchange/layout.ts';
import * as L from '../kernel/layout.ts';
import * as B from '../synthetic/layout.ts';
import type { PreparedBlock } from './api.ts';

/** Terms of a new order: as in the layout page, sizes in lots, prices in ticks. */
export interface OrderTerms {
  readonly market: number;
  readonly sell: boolean;
  readonly reduceOnly?: boolean;
  /** TIF_* */
  readonly tif: number;
  readonly priceTicks: number;
  readonly sizeLots: number;
}

const TWO_32 = 4294967296;
const WORDS = 4;
const PAYLOAD = L.TX_PAYLOAD / WORDS;

/** KIND_* of a transaction. */
export function kindOf({ bytes, offsets }: PreparedBlock, transaction: number): number {
  return bytes[(offsets[transaction] as number) + L.TX_KIND] as number;
}

/** Where the items of a transaction of kind *orders* start in the block's bytes. */
export function itemsAt({ offsets }: PreparedBlock, transaction: number): number {
  return (offsets[transaction] as number) + X.ORDERS_ITEMS;
}

export class PreparedBlockWriter {
  private words = new Uint32Array(1 << 16);
  private offsets = new Uint32Array(1 << 12);
  private at = 0;
  private start = 0;
  private transactions = 0;
  private itemsInAll = 0;
  private itemsInBatch = 0;

  get count(): number {
    return this.transactions;
  }

  /** Items written so far: the index, within the block, of the next one. */
  get items(): number {
    return this.itemsInAll;
  }

  private begin(kind: number, sender: number, items: number, payloadBytes: number): void {
    const payload = (payloadBytes + 7) >>> 3;
    const end = this.at + L.TX_PAYLOAD / WORDS + payload * 2;
    this.grow(end + (X.BATCH_ITEMS_MAX * X.ITEM_BYTES) / WORDS);
    if (this.transactions + 2 > this.offsets.length) {
      const larger = new Uint32Array(this.offsets.length * 2);
      larger.set(this.offsets);
      this.offsets = larger;
    }
    this.offsets[this.transactions++] = this.at * WORDS;
    const { words, at } = this;
    this.start = at;
    words[at] = kind | (items << 16);
    words[at + 1] = sender;
    words.fill(0, at + 2, end);
    words[at + L.TX_FIRST_ITEM / WORDS] = this.itemsInAll;
    this.at = end;
  }

  private grow(words: number): void {
    if (words <= this.words.length) return;
    const larger = new Uint32Array(Math.max(words, this.words.length * 2));
    larger.set(this.words);
    this.words = larger;
  }

  /** Begins a batch of orders; items follow, then `endOrders`. */
  beginOrders(sender: number): void {
    this.begin(X.KIND_ORDERS, sender, 0, X.ORDERS_ITEMS - L.TX_PAYLOAD);
    this.itemsInBatch = 0;
  }

  endOrders(): void {
    assert(this.itemsInBatch > 0 && this.itemsInBatch <= X.BATCH_ITEMS_MAX, 'a batch has 1 to 64 items');
    this.words[this.start] = X.KIND_ORDERS | (this.itemsInBatch << 16);
  }

  private item(op: number, market: number, lots: number, oid: number): number {
    const { words, at } = this;
    words[at] = op;
    words[at + 1] = market;
    words[at + 2] = lots >>> 0;
    words[at + 3] = Math.floor(lots / TWO_32);
    words[at + 4] = oid >>> 0;
    words[at + 5] = Math.floor(oid / TWO_32);
    words.fill(0, at + 6, at + X.ITEM_BYTES / WORDS);
    this.at = at + X.ITEM_BYTES / WORDS;
    this.itemsInBatch++;
    this.itemsInAll++;
    return at;
  }

  private terms(at: number, terms: OrderTerms): void {
    const flags = (terms.sell ? X.FLAG_SELL : 0) | (terms.reduceOnly ? X.FLAG_REDUCE_ONLY : 0);
    this.words[at] = (this.words[at] as number) | (flags << 8) | (terms.tif << 16);
    this.words[at + 6] = terms.priceTicks;
  }

  placeItem(terms: OrderTerms): void {
    this.terms(this.item(X.OP_PLACE, terms.market, terms.sizeLots, 0), terms);
  }

  cancelItem(market: number, oid: number): void {
    this.item(X.OP_CANCEL, market, 0, oid);
  }

  reduceItem(market: number, oid: number, lots: number): void {
    this.item(X.OP_REDUCE, market, lots, oid);
  }

  modifyItem(oid: number, terms: OrderTerms): void {
    this.terms(this.item(X.OP_MODIFY, terms.market, terms.sizeLots, oid), terms);
  }

  place(sender: number, terms: OrderTerms): void {
    this.beginOrders(sender);
    this.placeItem(terms);
    this.endOrders();
  }

  cancel(sender: number, market: number, oid: number): void {
    this.beginOrders(sender);
    this.cancelItem(market, oid);
    this.endOrders();
  }

  reduce(sender: number, market: number, oid: number, lots: number): void {
    this.beginOrders(sender);
    this.reduceItem(market, oid, lots);
    this.endOrders();
  }

  modify(sender: number, oid: number, terms: OrderTerms): void {
    this.beginOrders(sender);
    this.modifyItem(oid, terms);
    this.endOrders();
  }

  /** A reporter's prices, one spot source each; at most 64. */
  oracle(sender: number, prices: readonly { readonly market: number; readonly spotTicks: number; readonly perpTicks?: number }[]): void {
    assert(prices.length > 0 && prices.length <= X.BATCH_ITEMS_MAX, 'an oracle transaction has 1 to 64 prices');
    this.begin(X.KIND_ORACLE, sender, prices.length, prices.length * X.ORACLE_ITEM_BYTES);
    prices.forEach(({ market, spotTicks, perpTicks = 0 }, i) => {
      const item = this.start + (L.TX_PAYLOAD + i * X.ORACLE_ITEM_BYTES) / WORDS;
      this.words[item] = market;
      this.words[item + X.ORACLE_SPOT / WORDS] = spotTicks;
      this.words[item + X.ORACLE_PERP / WORDS] = perpTicks;
    });
  }

  /** Benchmark kinds 66 and 67. */
  benchAdd(kind: number, counter: number, delta: number): void {
    this.begin(kind, 0, 0, 16);
    this.words[this.start + PAYLOAD] = counter;
    this.words[this.start + PAYLOAD + 2] = delta;
  }

  /** Benchmark kind 65; the sender is part of the hash only. */
  benchAccess(kind: number, sender: number, reads: readonly number[], writes: readonly number[]): void {
    assert(reads.length <= B.BENCH_ACCESSES_MAX && writes.length <= B.BENCH_ACCESSES_MAX, 'at most 64 reads and 64 writes');
    this.begin(kind, sender, 0, 4 + (reads.length + writes.length) * 4);
    this.words[this.start + PAYLOAD] = reads.length | (writes.length << 16);
    this.words.set(reads, this.start + PAYLOAD + 1);
    this.words.set(writes, this.start + PAYLOAD + 1 + reads.length);
  }

  /** Benchmark kind 64. */
  benchTransfer(from: number, to: number, amount: number, wide: boolean): void {
    this.begin(B.KIND_BENCH_TRANSFER, 0, 0, 16);
    this.words[this.start + PAYLOAD] = from;
    this.words[this.start + PAYLOAD + 1] = to;
    this.words[this.start + PAYLOAD + 2] = amount;
    this.words[this.start + PAYLOAD + 3] = wide ? 1 : 0;
  }

  /** The block; the writer can go on after `reset`. */
  finish(number: number, timeMs: number): PreparedBlock {
    const offsets = this.offsets.slice(0, this.transactions + 1);
    offsets[this.transactions] = this.at * WORDS;
    const bytes = new Uint8Array(this.words.buffer.slice(0, this.at * WORDS));
    return { number, timeMs, count: this.transactions, bytes, offsets, items: this.itemsInAll };
  }

  reset(): void {
    this.at = 0;
    this.transactions = 0;
    this.itemsInAll = 0;
    this.itemsInBatch = 0;
  }
}
