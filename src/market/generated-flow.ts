/**
 * A generated flow of orders with the mix that exchange-core's published benchmarks use: 9 % new resting orders, 3 % immediate ones,
 * 6 % cancels, 82 % moves, on one book or on many whose activity follows a Pareto distribution.
 *
 * A flow first fills its books to their target (`setup`), then keeps them near it: how much immediate orders take depends on how many
 * orders rest. Prices lie around a centre that moves slowly; moves change a price a little.
 *
 * The flow follows its books order by order, so its cancels and moves name living orders. It is a function of its options alone: blocks
 * can be kept and executed again from the same state.
 */
import { assert } from '../base/assert.ts';
import { Random } from '../base/random.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { ORDER_PAGES_MAX, TIF_GTC, TIF_IOC } from '../exchange/layout.ts';
import { sampleMarket } from '../exchange/sample-market.ts';
import type { PreparedBlock } from '../execution/api.ts';
import { type OrderTerms, PreparedBlockWriter } from '../execution/prepared-block.ts';
import { BookModel } from './book-model.ts';
import { flowAccounts, flowAddress } from './flow-accounts.ts';
import { ORDER_PAGE_SLOTS, oidOf } from './order-identity.ts';
import { OrderSlots } from './order-slots.ts';

export interface GeneratedFlowOptions {
  readonly seed?: number;
  /** Books; default 1. */
  readonly markets?: number;
  /** Traders, over all books; default 10,000. */
  readonly accounts?: number;
  /** Orders that a book holds; default 1,000. */
  readonly restingOrders?: number;
  /** Transactions in a block; default 10,000. */
  readonly blockSize?: number;
}

const TICK_COUNT = 65536;
const CENTRE_TICKS = 30000;
/** The centre stays within this distance of where it began. */
const CENTRE_RANGE_TICKS = 15000;
/** Largest distance of a new order from the centre. */
const DEVIATION_TICKS = 1200;
const START_MS = 1_760_000_000_000;
const BLOCK_INTERVAL_MS = 100;

const SHARE_GTC = 0.09;
const SHARE_IOC = 0.03;
const SHARE_CANCEL = 0.06;
/** Of the moves, how many may trade. */
const SHARE_CROSSING_MOVES = 0.01;

interface Book {
  readonly market: number;
  readonly model: BookModel;
  centreTicks: number;
  /** 1 or -1: where the centre moves. */
  direction: number;
}

export class GeneratedFlow {
  readonly genesis: Genesis;
  /** Commands by kind since the setup. */
  readonly mix = { gtc: 0, ioc: 0, cancel: 0, move: 0 };
  readonly #random: Random;
  readonly #accounts: number;
  readonly #target: number;
  readonly #blockSize: number;
  readonly #slots: OrderSlots;
  readonly #books: readonly Book[];
  /** Sums of the weights of the books up to each of them; the last is 1. */
  readonly #weights: Float64Array;
  readonly #writer = new PreparedBlockWriter();
  readonly #terms = { market: 0, sell: false, tif: TIF_GTC as number, priceTicks: 0, sizeLots: 0 };
  #itemsBefore = 0;
  #blocks = 0;

  constructor(options: GeneratedFlowOptions = {}) {
    const { seed = 1, markets = 1, accounts = 10_000, restingOrders = 1000, blockSize = 10_000 } = options;
    const orderPages = Math.ceil((restingOrders * markets * 2) / (accounts * ORDER_PAGE_SLOTS));
    assert(orderPages <= ORDER_PAGES_MAX, `${accounts} accounts cannot hold ${restingOrders} orders in ${markets} markets`);
    this.#random = new Random(seed);
    this.#accounts = accounts;
    this.#target = restingOrders;
    this.#blockSize = blockSize;
    this.#slots = new OrderSlots(accounts, orderPages);
    this.#books = Array.from({ length: markets }, (_, market) => ({
      market,
      model: new BookModel(this.#slots),
      centreTicks: CENTRE_TICKS,
      direction: 1,
    }));
    this.#weights = paretoWeights(this.#random, markets);
    this.genesis = {
      maxAccounts: accounts + 1,
      orderPages,
      tokens: [{ name: 'USDC', decimals: 6 }],
      markets: Array.from({ length: markets }, (_, market) =>
        sampleMarket({ name: `M${market}`, tickCount: TICK_COUNT, markTicks: CENTRE_TICKS, priceBandBps: 0, oracleBandBps: 0 }),
      ),
      oracle: flowAddress(accounts),
      accounts: flowAccounts(accounts + 1),
    };
  }

  /** Orders in all books. */
  get restingOrders(): number {
    return this.#books.reduce((sum, { model }) => sum + model.count, 0);
  }

  /** Price levels in all books. */
  get levels(): number {
    return this.#books.reduce((sum, { model }) => sum + model.levelCount(false) + model.levelCount(true), 0);
  }

  /** Levels of an engine's records that are not those of the flow's book after the last block given out. */
  differingLevels(
    market: number,
    levels: Iterable<{ readonly priceTicks: number; readonly side: number; readonly totalLots: bigint }>,
  ): number {
    const { model } = this.#books[market] as Book;
    let differing = 0;
    let present = 0;
    for (const { priceTicks, side, totalLots } of levels) {
      present++;
      if (BigInt(model.levelLots(side === 1, priceTicks)) !== totalLots) differing++;
    }
    return differing + Math.max(0, model.levelCount(false) + model.levelCount(true) - present);
  }

  /** Fills the books; comes first, and its blocks are executed before those of `blocks`. */
  *setup(): Generator<PreparedBlock> {
    for (const book of this.#books) {
      while (book.model.count < this.#target) {
        this.#gtc(book);
        if (this.#writer.count === this.#blockSize) yield this.#finish();
      }
    }
    if (this.#writer.count > 0) yield this.#finish();
  }

  /** Blocks with so many commands, a transaction each. Can be called again for more. */
  *blocks(commands: number): Generator<PreparedBlock> {
    for (let i = 0; i < commands; i++) {
      this.#command(this.#pickBook());
      if (this.#writer.count === this.#blockSize) yield this.#finish();
    }
    if (this.#writer.count > 0) yield this.#finish();
  }

  #finish(): PreparedBlock {
    const number = ++this.#blocks;
    const block = this.#writer.finish(number, START_MS + number * BLOCK_INTERVAL_MS);
    this.#itemsBefore += block.items;
    this.#writer.reset();
    return block;
  }

  #pickBook(): Book {
    if (this.#books.length === 1) return this.#books[0] as Book;
    const at = this.#random.next() / 2 ** 32;
    let low = 0;
    let high = this.#books.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#weights[middle] as number) <= at) low = middle + 1;
      else high = middle;
    }
    return this.#books[low] as Book;
  }

  #command(book: Book): void {
    this.#moveCentre(book);
    const at = this.#random.next() / 2 ** 32;
    if (at < SHARE_GTC || book.model.count < this.#target / 2) {
      this.mix.gtc++;
      this.#gtc(book);
    } else if (at < SHARE_GTC + SHARE_IOC) {
      this.mix.ioc++;
      this.#ioc(book);
    } else if (at < SHARE_GTC + SHARE_IOC + SHARE_CANCEL) {
      this.mix.cancel++;
      this.#cancel(book);
    } else {
      this.mix.move++;
      this.#move(book);
    }
  }

  /** A tick every 64 commands or so, in a direction that lasts. */
  #moveCentre(book: Book): void {
    const dice = this.#random.next();
    if ((dice & 63) !== 0) return;
    if (dice >>> 24 === 0) book.direction = -book.direction;
    if ((book.centreTicks - CENTRE_TICKS) * book.direction >= CENTRE_RANGE_TICKS) book.direction = -book.direction;
    book.centreTicks += book.direction;
  }

  /** 1 to 126 lots, mostly few. */
  #size(): number {
    return 1 + this.#random.below(6) * this.#random.below(6) * this.#random.below(6);
  }

  #gtc(book: Book): void {
    const account = this.#accountWithSlot();
    const sell = this.#random.chance(0.5);
    const distance = 1 + Math.floor(((this.#random.next() + this.#random.next()) / 2 ** 33) ** 2 * DEVIATION_TICKS);
    const priceTicks = sell ? book.centreTicks + distance : book.centreTicks - distance;
    const lots = this.#size();
    this.#writer.place(account, this.#order(book, sell, TIF_GTC, priceTicks, lots));
    this.#placed(book, account, sell, priceTicks, lots);
  }

  /** Takes more the more orders rest above the target, and a single lot below it. */
  #ioc(book: Book): void {
    const { model } = book;
    const account = this.#random.below(this.#accounts);
    const sell = this.#random.chance(0.5);
    const above = model.count - this.#target;
    const lots = above <= 0 ? 1 : this.#size() * (1 + Math.min(7, above >> 4));
    const opposite = model.best(!sell) || book.centreTicks;
    const priceTicks = sell ? opposite - 50 : opposite + 50;
    this.#writer.place(account, this.#order(book, sell, TIF_IOC, priceTicks, lots));
    model.match(account, sell, priceTicks, lots);
  }

  #cancel(book: Book): void {
    const { model } = book;
    const order = model.live[this.#random.below(model.count)] as number;
    this.#writer.cancel(model.accountOf(order), book.market, model.oidOf(order));
    model.remove(order);
  }

  #move(book: Book): void {
    const { model } = book;
    const order = model.live[this.#random.below(model.count)] as number;
    const account = model.accountOf(order);
    const sell = model.isSell(order);
    const lots = model.lotsOf(order);
    const before = model.priceOf(order);
    const step = 1 + this.#random.below(8);
    const inward = sell ? -step : step;
    let priceTicks = before + (this.#random.chance(0.5) ? inward : -inward);
    // Stays with the centre, and on its side of the book.
    if (Math.abs(before - book.centreTicks) > DEVIATION_TICKS) priceTicks = before + inward;
    const opposite = model.best(!sell);
    const mayCross = model.count >= this.#target && this.#random.chance(SHARE_CROSSING_MOVES);
    if (mayCross && opposite !== 0) priceTicks = opposite;
    else if (model.crosses(sell, priceTicks)) priceTicks = before + (sell ? step : -step);

    this.#writer.modify(account, model.oidOf(order), this.#order(book, sell, TIF_GTC, priceTicks, lots));
    model.remove(order);
    this.#placed(book, account, sell, priceTicks, lots);
  }

  /** What becomes of the gtc order that was written last. */
  #placed(book: Book, account: number, sell: boolean, priceTicks: number, lots: number): void {
    const oid = oidOf(this.#itemsBefore + this.#writer.items, this.#slots.lowestFree(account));
    const left = book.model.match(account, sell, priceTicks, lots);
    if (left > 0 && !book.model.limitReached) book.model.rest(account, oid, sell, priceTicks, left);
  }

  #order(book: Book, sell: boolean, tif: number, priceTicks: number, sizeLots: number): OrderTerms {
    const terms = this.#terms;
    terms.market = book.market;
    terms.sell = sell;
    terms.tif = tif;
    terms.priceTicks = priceTicks;
    terms.sizeLots = sizeLots;
    return terms;
  }

  /** At most half of the slots are meant to be in use, so a few tries find one. */
  #accountWithSlot(): number {
    for (;;) {
      const account = this.#random.below(this.#accounts);
      if (this.#slots.lowestFree(account) >= 0) return account;
    }
  }
}

/** Pareto(0.001, 1.5), as sums of shares. */
function paretoWeights(random: Random, count: number): Float64Array {
  const weights = Float64Array.from({ length: count }, () => 0.001 / (1 - random.next() / 2 ** 32) ** (1 / 1.5));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let upTo = 0;
  return weights.map((weight) => {
    upTo += weight / sum;
    return upTo;
  });
}
