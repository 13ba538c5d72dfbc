/**
 * Checks a replay: are all level sizes of every market those of the recording's own book, at every check point?
 *
 * Reads what a market-data client would see, transactions and their receipts, and rebuilds the books from them; nothing of the flow's
 * model or of the engine's state goes in. Beside them stand the recording's own books. How many levels of a market differ is kept up to
 * date with every change, so that a check of thousands of levels is a comparison with zero.
 */
import { assert } from '../base/assert.ts';
import { CODE_OK } from '../base/codes.ts';
import {
  EVENT_CANCEL,
  EVENT_FILL,
  EVENT_ITEM,
  FLAG_SELL,
  ITEM_BYTES,
  ITEM_FLAGS,
  ITEM_MARKET,
  ITEM_OP,
  ITEM_PRICE,
  KIND_ORDERS,
  OP_CANCEL,
  OP_PLACE,
  OP_REDUCE,
} from '../exchange/layout.ts';
import type { PreparedBlock, Receipts } from '../execution/api.ts';
import { itemsAt, kindOf } from '../execution/prepared-block.ts';
import { isSellKey, levelKey, type MarketRecording, RecordedBook, ticksOfKey } from './market-recording.ts';
import { CHECK_START, CHECK_START_AGAIN, type CheckPoint, type MarketCopy, type ReplayBlock } from './order-flow.ts';

const TWO_32 = 2 ** 32;
const DESCRIBED_MAX = 5;

/** A level as the engine's own records have it. */
export interface StateLevel {
  readonly priceTicks: number;
  /** 0 bids, 1 asks. */
  readonly side: number;
  readonly totalLots: bigint;
}

interface CheckedMarket {
  readonly copy: MarketCopy;
  readonly recorded: RecordedBook;
  /** Level entries by `levelKey` of the market's (shifted) price. */
  readonly entries: Map<number, number>;
  differing: number;
}

export class BookChecker {
  bookChecks = 0;
  bookMismatches = 0;
  /** The first few mismatches, as sentences. */
  readonly described: string[] = [];
  readonly #markets: readonly CheckedMarket[];

  // Level entries: the two sizes, and the market that they belong to.
  #recordedLots = new Float64Array(1 << 12);
  #actualLots = new Float64Array(1 << 12);
  readonly #marketOf: number[] = [];

  /** Orders by oid: their level entry and what is left. */
  readonly #orders = new Map<number, { readonly entry: number; lots: number }>();

  #block: PreparedBlock | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #checks: readonly CheckPoint[] = [];
  #checksDone = 0;
  #transactionsDone = 0;

  constructor(recording: MarketRecording, copies: readonly MarketCopy[]) {
    this.#markets = copies.map((copy) => {
      const market: CheckedMarket = {
        copy,
        recorded: new RecordedBook(recording, (key, lots) => this.#setRecorded(market, key, lots), copy.startSizes),
        entries: new Map(),
        differing: 0,
      };
      return market;
    });
  }

  /** The block whose transactions come next. */
  begin({ block, checks }: ReplayBlock): void {
    assert(
      this.#checksDone === this.#checks.length && this.#transactionsDone === (this.#block?.count ?? 0),
      'the block before was checked to its end',
    );
    this.#block = block;
    this.#view = new DataView(block.bytes.buffer, block.bytes.byteOffset, block.bytes.byteLength);
    this.#checks = checks;
    this.#checksDone = 0;
    this.#transactionsDone = 0;
    this.#checkUpTo(-1);
  }

  /** Takes in the block's committed transactions up to `to` (excluded). */
  advance(to: number, receipts: Receipts): void {
    for (; this.#transactionsDone < to; this.#transactionsDone++) {
      this.#apply(this.#transactionsDone, receipts);
      this.#checkUpTo(this.#transactionsDone);
    }
  }

  #checkUpTo(transaction: number): void {
    for (let check = this.#checks[this.#checksDone]; check !== undefined && check.transaction <= transaction; ) {
      this.#check(check);
      check = this.#checks[++this.#checksDone];
    }
  }

  #check({ market: number, event, transaction }: CheckPoint): void {
    const market = this.#markets[number] as CheckedMarket;
    if (event === CHECK_START) for (const [key, lots] of market.copy.startSizes) this.#setRecorded(market, key, lots);
    else if (event === CHECK_START_AGAIN) market.recorded.startAgain();
    else market.recorded.apply(event);
    this.bookChecks++;
    if (market.differing === 0) return;
    this.bookMismatches++;
    if (this.described.length < DESCRIBED_MAX) this.described.push(this.#describe(market, event, transaction));
  }

  #describe(market: CheckedMarket, event: number, transaction: number): string {
    const [key, entry] = [...market.entries].find(([, at]) => this.#recordedLots[at] !== this.#actualLots[at]) as [number, number];
    const level = `${isSellKey(key) ? 'ask' : 'bid'} ${ticksOfKey(key)}`;
    const sizes = `${this.#recordedLots[entry]} lots recorded, ${this.#actualLots[entry]} in the book`;
    const where = `block ${this.#block?.number}, transaction ${transaction}, recorded event ${event}`;
    return `market ${market.copy.market}, ${where}: ${market.differing} levels differ, one of them is ${level} with ${sizes}`;
  }

  // The recording's side

  #setRecorded(market: CheckedMarket, key: number, lots: number): void {
    this.#set(this.#recordedLots, this.#entry(market, key + market.copy.shiftTicks * 2), lots);
  }

  // The receipts' side

  #apply(transaction: number, receipts: Receipts): void {
    if (receipts.code(transaction) !== CODE_OK) return;
    const block = this.#block as PreparedBlock;
    if (kindOf(block, transaction) !== KIND_ORDERS) return;
    const items = itemsAt(block, transaction);
    const events = receipts.events(transaction);
    const view = new DataView(events.buffer, events.byteOffset, events.byteLength);
    for (let at = 0; at < events.byteLength; ) {
      const header = view.getUint32(at, true);
      const type = header & 0xff;
      if (type === EVENT_ITEM) this.#item(items + view.getUint16(at + 4, true) * ITEM_BYTES, view, at);
      else if (type === EVENT_FILL) this.#shrink(wide(view, at + 16), wide(view, at + 40));
      else if (type === EVENT_CANCEL) this.#remove(wide(view, at + 8));
      at += header >>> 8;
    }
  }

  #item(item: number, view: DataView, at: number): void {
    if (view.getUint16(at + 6, true) !== CODE_OK) return;
    const oid = wide(view, at + 8);
    const restingLots = wide(view, at + 24);
    const op = this.#view.getUint8(item + ITEM_OP);
    if (op === OP_CANCEL) this.#remove(oid);
    else if (op === OP_REDUCE) {
      const order = this.#orders.get(oid);
      if (order !== undefined) this.#shrink(oid, order.lots - restingLots);
    } else {
      assert(op === OP_PLACE, 'flows of recordings place, cancel and reduce');
      if (restingLots > 0) this.#rest(item, oid, restingLots);
    }
  }

  #rest(item: number, oid: number, lots: number): void {
    const market = this.#markets[this.#view.getUint32(item + ITEM_MARKET, true)] as CheckedMarket;
    const sell = (this.#view.getUint8(item + ITEM_FLAGS) & FLAG_SELL) !== 0;
    const entry = this.#entry(market, levelKey(sell, this.#view.getUint32(item + ITEM_PRICE, true)));
    this.#orders.set(oid, { entry, lots });
    this.#set(this.#actualLots, entry, (this.#actualLots[entry] as number) + lots);
  }

  #shrink(oid: number, lots: number): void {
    const order = this.#orders.get(oid);
    if (order === undefined) return; // Shows as a level that differs.
    order.lots -= lots;
    this.#set(this.#actualLots, order.entry, (this.#actualLots[order.entry] as number) - lots);
    if (order.lots <= 0) this.#orders.delete(oid);
  }

  #remove(oid: number): void {
    this.#shrink(oid, this.#orders.get(oid)?.lots ?? 0);
  }

  // Levels

  #entry(market: CheckedMarket, key: number): number {
    const known = market.entries.get(key);
    if (known !== undefined) return known;
    const entry = this.#marketOf.length;
    if (entry === this.#recordedLots.length) {
      this.#recordedLots = doubled(this.#recordedLots);
      this.#actualLots = doubled(this.#actualLots);
    }
    this.#marketOf.push(market.copy.market);
    market.entries.set(key, entry);
    return entry;
  }

  #set(column: Float64Array, entry: number, lots: number): void {
    const market = this.#markets[this.#marketOf[entry] as number] as CheckedMarket;
    if (this.#recordedLots[entry] !== this.#actualLots[entry]) market.differing--;
    column[entry] = lots;
    if (this.#recordedLots[entry] !== this.#actualLots[entry]) market.differing++;
  }

  /** One more check: the levels in the engine's own records against those that the receipts told. Returns how many differ. */
  compareWithState(market: number, levels: Iterable<StateLevel>): number {
    const differing = this.#differingFromState(this.#markets[market] as CheckedMarket, levels);
    this.bookChecks++;
    if (differing > 0) {
      this.bookMismatches++;
      if (this.described.length < DESCRIBED_MAX)
        this.described.push(`market ${market}: ${differing} levels of the state are not what the receipts told`);
    }
    return differing;
  }

  #differingFromState({ entries }: CheckedMarket, levels: Iterable<StateLevel>): number {
    let differing = 0;
    let present = 0;
    for (const { priceTicks, side, totalLots } of levels) {
      present++;
      const entry = entries.get(levelKey(side === 1, priceTicks));
      if (entry === undefined || BigInt(this.#actualLots[entry] as number) !== totalLots) differing++;
    }
    let expected = 0;
    for (const entry of entries.values()) if (this.#actualLots[entry] !== 0) expected++;
    return differing + Math.max(0, expected - present);
  }
}

/** A size or an oid: below 2^53. */
function wide(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_32;
}

function doubled(column: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}
