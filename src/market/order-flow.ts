/**
 * Turns a recording of a market into the accounts, orders and blocks that would have caused it.
 *
 * A recording shows level sizes and trades, not orders. The flow keeps a book of single orders: a level that grows gets another order of
 * one of many makers; a level that shrinks loses the orders at the end of its queue (the last one touched is reduced if it is larger than
 * what went); a trade is an immediate order of one of many takers, at the price and with the size of the trade. Within a depth update
 * what goes comes before what is new, so that the book never crosses.
 *
 * Trades are mostly recorded before the depth update that contains them, and do not say whose size they took. So an immediate order
 * takes what it meets in the flow's book, and the next depth update brings all levels that were touched back to what is recorded.
 * Invariant, at every check point: the flow's book has exactly the level sizes of the recording's own (`RecordedBook`).
 *
 * Copies: market m replays the recording from another place on, wrapping at its end, shifted in price, with makers of its own and with
 * takers partly shared by all. Events of all markets are merged by time.
 */
import { HeddleError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import type { Genesis, MarketParameters } from '../exchange/genesis.ts';
import {
  BATCH_ITEMS_MAX,
  MARKETS_MAX,
  ORDER_NOTIONAL_BITS,
  POSITION_NOTIONAL_BITS,
  TICKS_MAX,
  TIF_ALO,
  TIF_GTC,
  TIF_IOC,
} from '../exchange/layout.ts';
import type { PreparedBlock } from '../execution/api.ts';
import { type OrderTerms, PreparedBlockWriter } from '../execution/prepared-block.ts';
import { BookModel } from './book-model.ts';
import { flowAccounts, flowAddress } from './flow-accounts.ts';
import {
  EVENT_DEPTH,
  EVENT_TAKER_SELLS,
  isSellKey,
  levelKey,
  type MarketRecording,
  RecordedBook,
  type ReferencePrice,
  ticksOfKey,
} from './market-recording.ts';
import { ORDER_PAGE_SLOTS, oidOf } from './order-identity.ts';
import { OrderSlots } from './order-slots.ts';
import { RECORDING_DECIMALS } from './recording.ts';

export interface OrderFlowOptions {
  readonly recording: MarketRecording;
  /** Whose prices the oracle reports; default: the recording itself. */
  readonly reference?: MarketRecording;
  /** Default 1. */
  readonly markets?: number;
  /** The most transactions of a block; default 10,000. */
  readonly blockSize?: number;
  readonly seed?: number;
}

/** Where and how a market replays the recording. */
export interface MarketCopy {
  readonly market: number;
  /** The event it starts with; its book starts as recorded before that event. */
  readonly startEvent: number;
  /** Added to recorded prices. */
  readonly shiftTicks: number;
  /** The recording's own book before `startEvent`. */
  readonly startSizes: ReadonlyMap<number, number>;
}

/** What has to hold once a transaction has executed: the market's level sizes are the recorded ones after this event. */
export interface CheckPoint {
  readonly transaction: number;
  readonly market: number;
  /** A depth update, or one of the two below. */
  readonly event: number;
}

/** The market's book stands as it starts. */
export const CHECK_START = -1;
/** The market has begun the recording again: `RecordedBook.startAgain`. */
export const CHECK_START_AGAIN = -2;

export interface ReplayBlock {
  readonly block: PreparedBlock;
  /** In order of `transaction`. */
  readonly checks: readonly CheckPoint[];
}

/** Transactions by what caused them, for summaries. */
export interface FlowCounts {
  placed: number;
  cancelled: number;
  reduced: number;
  takerOrders: number;
  oracle: number;
}

const ORACLE_INTERVAL_MICROS = 1_000_000;
const SHARED_TAKERS = 64;
const OWN_TAKERS = 32;
const ORDER_PAGES = 1;
/** Slots for how many times the orders that single-order levels would need. */
const ORDERS_PER_LEVEL = 4;
const MAKERS_MIN = 16;
/** Orders of a transaction that loads a starting book. */
const LOADING_BATCH = 16;
/** Whole ticks between the prices of two markets. */
const SHIFT_TICKS = 997;
const LEVERAGE = 50;

const ORACLE_ACCOUNT = 0;
const FIRST_SHARED_TAKER = 1;
const FIRST_MARKET_ACCOUNT = FIRST_SHARED_TAKER + SHARED_TAKERS;

/** A market while it is replayed. */
interface Replayed extends MarketCopy {
  readonly model: BookModel;
  readonly recorded: RecordedBook;
  readonly firstMaker: number;
  readonly firstTaker: number;
  /** Keys of levels that may differ from the recorded ones. */
  readonly touched: Set<number>;
  /** The next event, and how many are left. */
  nextEvent: number;
  eventsLeft: number;
  /** Place in the list of reference prices. */
  nextReference: number;
  referenceTicks: number;
  reportedTicks: number;
}

export class OrderFlow {
  readonly genesis: Genesis;
  readonly copies: readonly MarketCopy[];
  /** Recorded events over all markets, and how many of them have been turned into transactions. */
  readonly events: number;
  eventsDone = 0;
  readonly counts: FlowCounts = { placed: 0, cancelled: 0, reduced: 0, takerOrders: 0, oracle: 0 };

  readonly #recording: MarketRecording;
  readonly #references: readonly ReferencePrice[];
  readonly #referenceUnit: number;
  readonly #blockSize: number;
  readonly #random: Random;
  readonly #slots: OrderSlots;
  readonly #makers: number;
  readonly #maxOrderLots: number;
  readonly #markets: readonly Replayed[];
  readonly #writer = new PreparedBlockWriter();
  readonly #terms = { market: 0, sell: false, tif: TIF_GTC as number, priceTicks: 0, sizeLots: 0 };
  #itemsBefore = 0;
  #blocks = 0;
  #timeMicros: number;
  #nextOracleMicros: number;
  #checks: CheckPoint[] = [];
  readonly #ready: ReplayBlock[] = [];

  /** Throws what is wrong with the recording if it has no book to start from, TOO_MANY_MARKETS, UNSUPPORTED_PRICES. */
  constructor(options: OrderFlowOptions) {
    const { recording, reference = recording, markets = 1, blockSize = 10_000, seed = 1 } = options;
    if (recording.snapshot.end === 0) {
      throw (
        recording.error ??
        new HeddleError('NO_SNAPSHOT', `${recording.path}: the depth snapshot is empty, so there is no book to start from`)
      );
    }
    if (markets > MARKETS_MAX) throw new HeddleError('TOO_MANY_MARKETS', `at most ${MARKETS_MAX} markets, not ${markets}`);
    this.#recording = recording;
    this.#references = reference.references;
    this.#referenceUnit = 10 ** (RECORDING_DECIMALS - recording.tickDecimals);
    this.#blockSize = blockSize;
    this.#random = new Random(seed);
    this.#timeMicros = recording.startMicros;
    this.#nextOracleMicros = recording.startMicros;
    this.events = recording.events * markets;

    const { starts, levelsMax } = startingBooks(recording, markets);
    this.#makers = Math.max(MAKERS_MIN, Math.ceil((levelsMax * ORDERS_PER_LEVEL) / (ORDER_PAGES * ORDER_PAGE_SLOTS)));
    const accounts = FIRST_MARKET_ACCOUNT + markets * (this.#makers + OWN_TAKERS);
    this.#slots = new OrderSlots(accounts, ORDER_PAGES);
    this.copies = starts.map(({ event, sizes }, market) => ({
      market,
      startEvent: event,
      shiftTicks: market * SHIFT_TICKS,
      startSizes: sizes,
    }));
    this.#markets = this.copies.map((copy) => this.#replayed(copy));

    const parameters = marketParameters(recording, markets);
    this.#maxOrderLots = Number(parameters.maxOrderLots);
    this.genesis = {
      maxAccounts: accounts,
      orderPages: ORDER_PAGES,
      tokens: [{ name: 'USDC', decimals: 6 }],
      markets: this.#markets.map(({ market, referenceTicks }) => ({ ...parameters, name: `M${market}`, markTicks: referenceTicks })),
      oracle: flowAddress(ORACLE_ACCOUNT),
      accounts: flowAccounts(accounts),
    };
  }

  #replayed(copy: MarketCopy): Replayed {
    const firstMaker = FIRST_MARKET_ACCOUNT + copy.market * (this.#makers + OWN_TAKERS);
    const replayed: Replayed = {
      ...copy,
      model: new BookModel(this.#slots),
      recorded: new RecordedBook(this.#recording, (key) => void replayed.touched.add(key), copy.startSizes),
      firstMaker,
      firstTaker: firstMaker + this.#makers,
      touched: new Set(),
      nextEvent: copy.startEvent,
      eventsLeft: this.#recording.events,
      nextReference: 0,
      referenceTicks: 0,
      reportedTicks: 0,
    };
    this.#takeReference(replayed, this.#timeOf(copy.startEvent));
    // A file that begins without a price: the middle of its book.
    if (replayed.referenceTicks === 0) replayed.referenceTicks = middleOf(copy.startSizes) + copy.shiftTicks;
    replayed.reportedTicks = replayed.referenceTicks;
    return replayed;
  }

  /** The whole replay; can be iterated once. */
  *blocks(): Generator<ReplayBlock> {
    for (const market of this.#markets) {
      this.#loadBook(market);
      yield* this.#ready.splice(0);
    }
    const queue = new TimeQueue(this.#markets.length);
    for (const market of this.#markets) if (market.eventsLeft > 0) queue.push(this.#dueMicros(market), market.market);
    while (queue.length > 0) {
      const due = queue.time;
      const market = this.#markets[queue.pop()] as Replayed;
      this.#timeMicros = due;
      if (due >= this.#nextOracleMicros) this.#oracle(due);
      this.#event(market);
      this.eventsDone++;
      if (market.eventsLeft > 0) queue.push(this.#dueMicros(market), market.market);
      if (this.#ready.length > 0) yield* this.#ready.splice(0);
    }
    if (this.#writer.count > 0) this.#finish();
    yield* this.#ready.splice(0);
  }

  // Time

  #timeOf(event: number): number {
    return this.#recording.timeMicros[event] ?? this.#recording.startMicros;
  }

  /** When a market's next event happens in the replay, whose time starts with the recording's. */
  #dueMicros(market: Replayed): number {
    const { startMicros, events } = this.#recording;
    const start = market.startEvent === 0 ? startMicros : this.#timeOf(market.startEvent);
    const time = this.#timeOf(market.nextEvent);
    if (market.nextEvent >= market.startEvent) return startMicros + time - start;
    return startMicros + (this.#timeOf(events - 1) - start) + (time - startMicros);
  }

  // Events

  #event(market: Replayed): void {
    const event = market.nextEvent;
    if (event === 0 && market.eventsLeft < this.#recording.events) this.#startAgain(market);
    if (this.#recording.kind[event] === EVENT_DEPTH) {
      market.recorded.apply(event);
      this.#reconcile(market);
      this.#check(market, event);
    } else this.#trade(market, event);
    market.eventsLeft--;
    market.nextEvent = event + 1 === this.#recording.events ? 0 : event + 1;
  }

  #startAgain(market: Replayed): void {
    market.nextReference = 0;
    market.recorded.startAgain();
    this.#reconcile(market);
    this.#check(market, CHECK_START_AGAIN);
  }

  #check(market: Replayed, event: number): void {
    this.#checks.push({ transaction: this.#writer.count - 1, market: market.market, event });
  }

  /** The market's first book, in batches. */
  #loadBook(market: Replayed): void {
    const { model, shiftTicks } = market;
    let batch: { account: number; left: number } | undefined;
    for (const [key, size] of market.startSizes) {
      for (let left = size; left > 0; ) {
        if (batch === undefined) {
          const account = this.#maker(market) ?? this.#noMaker();
          this.#room();
          this.#writer.beginOrders(account);
          batch = { account, left: LOADING_BATCH };
        }
        const lots = Math.min(left, this.#maxOrderLots);
        this.#writer.placeItem(this.#order(market, isSellKey(key), TIF_ALO, ticksOfKey(key) + shiftTicks, lots));
        model.rest(batch.account, this.#oidFor(batch.account), isSellKey(key), ticksOfKey(key) + shiftTicks, lots);
        this.counts.placed++;
        left -= lots;
        if (--batch.left === 0 || this.#slots.lowestFree(batch.account) < 0) {
          this.#writer.endOrders();
          batch = undefined;
        }
      }
    }
    if (batch !== undefined) this.#writer.endOrders();
    this.#check(market, CHECK_START);
  }

  /** Brings the touched levels to their recorded sizes: first what goes, then what comes. */
  #reconcile(market: Replayed): void {
    const { model, recorded, touched, shiftTicks } = market;
    for (const key of touched) {
      const ticks = ticksOfKey(key) + shiftTicks;
      const excess = model.levelLots(isSellKey(key), ticks) - (recorded.sizes.get(key) ?? 0);
      if (excess > 0) this.#shrink(market, isSellKey(key), ticks, excess);
    }
    for (const key of touched) {
      const ticks = ticksOfKey(key) + shiftTicks;
      const missing = (recorded.sizes.get(key) ?? 0) - model.levelLots(isSellKey(key), ticks);
      if (missing > 0) this.#grow(market, isSellKey(key), ticks, missing);
    }
    touched.clear();
  }

  #shrink(market: Replayed, sell: boolean, ticks: number, excess: number): void {
    const { model } = market;
    for (let left = excess; left > 0; ) {
      const order = model.lastOf(sell, ticks);
      const lots = model.lotsOf(order);
      if (lots <= left) this.#cancel(market, order);
      else {
        this.#room();
        this.#writer.reduce(model.accountOf(order), market.market, model.oidOf(order), left);
        model.reduce(order, left);
        this.counts.reduced++;
      }
      left -= lots;
    }
  }

  #cancel(market: Replayed, order: number): void {
    const { model } = market;
    this.#room();
    this.#writer.cancel(model.accountOf(order), market.market, model.oidOf(order));
    model.remove(order);
    this.counts.cancelled++;
  }

  #grow(market: Replayed, sell: boolean, ticks: number, missing: number): void {
    const { model } = market;
    for (let left = missing; left > 0; ) {
      let account = this.#maker(market);
      if (account === undefined) {
        // All slots are taken: the last order of the level makes room for a larger one.
        const last = model.lastOf(sell, ticks);
        if (last < 0) this.#noMaker();
        account = model.accountOf(last);
        left += model.lotsOf(last);
        this.#cancel(market, last);
      }
      const lots = Math.min(left, this.#maxOrderLots);
      const tif = this.#random.chance(0.5) ? TIF_GTC : TIF_ALO;
      this.#room();
      this.#writer.place(account, this.#order(market, sell, tif, ticks, lots));
      this.#placed(market, account, sell, ticks, lots, tif);
      this.counts.placed++;
      left -= lots;
    }
  }

  /** What became of the order that was written last. It crosses only in recordings whose own book does. */
  #placed(market: Replayed, account: number, sell: boolean, ticks: number, lots: number, tif: number): void {
    const { model } = market;
    const oid = this.#oidFor(account);
    if (!model.crosses(sell, ticks)) model.rest(account, oid, sell, ticks, lots);
    else if (tif === TIF_GTC) {
      const left = this.#match(market, account, sell, ticks, lots);
      if (left > 0 && !model.limitReached) model.rest(account, oid, sell, ticks, left);
    }
  }

  /** The taker's order; what it takes is put right by the next depth update. */
  #trade(market: Replayed, event: number): void {
    const recording = this.#recording;
    const row = recording.first[event] as number;
    const ticks = (recording.priceTicks[row] as number) + market.shiftTicks;
    const sell = recording.kind[event] === EVENT_TAKER_SELLS;
    const shared = this.#random.chance(0.5);
    const account = shared ? FIRST_SHARED_TAKER + this.#random.below(SHARED_TAKERS) : market.firstTaker + this.#random.below(OWN_TAKERS);
    for (let left = recording.sizeLots[row] as number; left > 0; left -= this.#maxOrderLots) {
      const lots = Math.min(left, this.#maxOrderLots);
      this.#room();
      this.#writer.place(account, this.#order(market, sell, TIF_IOC, ticks, lots));
      this.counts.takerOrders++;
      this.#match(market, account, sell, ticks, lots);
    }
  }

  #match(market: Replayed, account: number, sell: boolean, ticks: number, lots: number): number {
    const { model, touched, shiftTicks } = market;
    const from = model.best(!sell);
    const left = model.match(account, sell, ticks, lots);
    if (model.fills === 0) return left;
    // All prices from the first to the last fill; the few that had no level do no harm.
    const [low, high] = sell ? [model.lastFillTicks, from] : [from, model.lastFillTicks];
    if (high - low > 4096) {
      for (const key of market.recorded.sizes.keys()) {
        if (isSellKey(key) !== sell && ticksOfKey(key) + shiftTicks >= low && ticksOfKey(key) + shiftTicks <= high) touched.add(key);
      }
    } else for (let price = low; price <= high; price++) touched.add(levelKey(!sell, price - shiftTicks));
    return left;
  }

  // Oracle

  /** Every market's reference price, if it changed, at most once a second. */
  #oracle(due: number): void {
    this.#nextOracleMicros = due + ORACLE_INTERVAL_MICROS;
    let prices: { market: number; spotTicks: number }[] = [];
    const flush = (): void => {
      if (prices.length === 0) return;
      this.#room();
      this.#writer.oracle(ORACLE_ACCOUNT, prices);
      this.counts.oracle++;
      prices = [];
    };
    for (const market of this.#markets) {
      this.#takeReference(market, this.#timeOf(market.nextEvent));
      if (market.referenceTicks === market.reportedTicks) continue;
      market.reportedTicks = market.referenceTicks;
      prices.push({ market: market.market, spotTicks: market.referenceTicks });
      if (prices.length === BATCH_ITEMS_MAX) flush();
    }
    flush();
  }

  /** The last reference price up to a time of the recording. */
  #takeReference(market: { shiftTicks: number; nextReference: number; referenceTicks: number }, timeMicros: number): void {
    for (let next = this.#references[market.nextReference]; next !== undefined && next.timeMicros <= timeMicros; ) {
      market.referenceTicks = Math.max(1, Math.round(next.price / this.#referenceUnit)) + market.shiftTicks;
      next = this.#references[++market.nextReference];
    }
  }

  // Writing

  /** Starts another block if this one is full. */
  #room(): void {
    if (this.#writer.count >= this.#blockSize) this.#finish();
  }

  #finish(): void {
    const block = this.#writer.finish(++this.#blocks, Math.floor(this.#timeMicros / 1000));
    this.#ready.push({ block, checks: this.#checks });
    this.#checks = [];
    this.#itemsBefore += block.items;
    this.#writer.reset();
  }

  /** The oid of the item written last, if it rests. */
  #oidFor(account: number): number {
    return oidOf(this.#itemsBefore + this.#writer.items, this.#slots.lowestFree(account));
  }

  #order(market: Replayed, sell: boolean, tif: number, priceTicks: number, sizeLots: number): OrderTerms {
    const terms = this.#terms;
    terms.market = market.market;
    terms.sell = sell;
    terms.tif = tif;
    terms.priceTicks = priceTicks;
    terms.sizeLots = sizeLots;
    return terms;
  }

  /** One of the market's makers with a free slot. */
  #maker(market: Replayed): number | undefined {
    const first = this.#random.below(this.#makers);
    for (let i = 0; i < this.#makers; i++) {
      const account = market.firstMaker + ((first + i) % this.#makers);
      if (this.#slots.lowestFree(account) >= 0) return account;
    }
    return undefined;
  }

  #noMaker(): never {
    throw new HeddleError(
      'TOO_MANY_LEVELS',
      `${this.#recording.path}: the book has more levels than ${this.#makers} makers have order slots`,
    );
  }
}

/** The events that the markets start with, evenly spread, and the recorded books before them; the most levels that the book ever has. */
function startingBooks(
  recording: MarketRecording,
  markets: number,
): { starts: { event: number; sizes: Map<number, number> }[]; levelsMax: number } {
  const starts: { event: number; sizes: Map<number, number> }[] = [];
  const book = new RecordedBook(recording);
  book.start();
  let levelsMax = book.sizes.size;
  for (let event = 0; event <= recording.events; event++) {
    while (starts.length < markets && event === Math.floor((starts.length * recording.events) / markets)) {
      starts.push({ event, sizes: new Map(book.sizes) });
    }
    if (event < recording.events && recording.kind[event] === EVENT_DEPTH) book.apply(event);
    levelsMax = Math.max(levelsMax, book.sizes.size);
  }
  return { starts, levelsMax };
}

function middleOf(sizes: ReadonlyMap<number, number>): number {
  let bid = 0;
  let ask = Number.POSITIVE_INFINITY;
  for (const key of sizes.keys()) {
    if (isSellKey(key)) ask = Math.min(ask, ticksOfKey(key));
    else bid = Math.max(bid, ticksOfKey(key));
  }
  return Number.isFinite(ask) ? Math.max(1, Math.floor((bid + ask) / 2)) : bid;
}

function marketParameters(recording: MarketRecording, markets: number): MarketParameters {
  const { path, maxTicks, tickDecimals, lotDecimals } = recording;
  const tickCount = maxTicks + markets * SHIFT_TICKS + 1;
  const unit = 10 ** (6 - tickDecimals - lotDecimals);
  if (unit < 1 || tickCount > TICKS_MAX) {
    const what =
      unit < 1
        ? `ticks of 10^-${tickDecimals} and lots of 10^-${lotDecimals} are too fine`
        : `prices reach ${tickCount} ticks, more than ${TICKS_MAX}`;
    throw new HeddleError('UNSUPPORTED_PRICES', `${path}: ${what} for a market of the ledger`);
  }
  const most = (bits: number): bigint => (1n << BigInt(bits)) / (BigInt(tickCount) * BigInt(unit));
  return {
    name: '',
    tickCount,
    unit,
    tickStep: 1,
    lotStep: 1,
    ticksPerInteger: 10 ** tickDecimals,
    significantDigits: 0,
    leverage: LEVERAGE,
    takerFeePpm: 450,
    makerFeePpm: 150,
    minNotional: 0n,
    maxOrderLots: most(ORDER_NOTIONAL_BITS),
    maxPositionLots: most(POSITION_NOTIONAL_BITS),
    markTicks: 0,
    // A recorded order rested wherever its own venue let it.
    priceBandBps: 0,
    oracleBandBps: 0,
  };
}

/** The markets by the time of their next event, the lowest number first at the same time: a binary heap. */
class TimeQueue {
  readonly #times: Float64Array;
  readonly #markets: Int32Array;
  length = 0;

  constructor(capacity: number) {
    this.#times = new Float64Array(capacity + 1);
    this.#markets = new Int32Array(capacity + 1);
  }

  /** The earliest. */
  get time(): number {
    return this.#times[0] as number;
  }

  push(time: number, market: number): void {
    let at = this.length++;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#before(time, market, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#times[at] = time;
    this.#markets[at] = market;
  }

  pop(): number {
    const first = this.#markets[0] as number;
    const last = --this.length;
    const time = this.#times[last] as number;
    const market = this.#markets[last] as number;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#before(this.#times[child + 1] as number, this.#markets[child + 1] as number, child)) child++;
      if (this.#before(time, market, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#times[at] = time;
    this.#markets[at] = market;
    return first;
  }

  #before(time: number, market: number, place: number): boolean {
    const other = this.#times[place] as number;
    return time < other || (time === other && market < (this.#markets[place] as number));
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#markets[to] = this.#markets[from] as number;
  }
}
