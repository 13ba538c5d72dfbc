/**
 * The set-up: blocks in which the positions of the population are opened by orders that meet on the books, and then the stop-loss and
 * take-profit orders that part of the traders place on them.
 *
 * In each market longs and shorts, makers included, come so that the side that is behind in size is next: hardly more than one order rests
 * at a time, and the last one empties the book. All orders are at the first price.
 */
import { Random } from '../base/random.ts';
import type { OrdersTransaction, PlaceItem, Transaction } from '../ledger/transactions.ts';
import { addressOf } from './crash-genesis.ts';
import type { CrashMarket } from './crash-markets.ts';
import { MAKERS_A_MARKET, NO_MARKET, type Population, TRADER_SLOTS } from './population.ts';

/** Traders that protect a position. */
const PROTECTED_SHARE = 0.08;
const ROUNDS = 2000;

/** Transactions of the set-up, in blocks of at most `blockSize`. */
export function* openingBlocks(population: Population, blockSize: number, seed: number): Generator<Transaction[]> {
  let block: Transaction[] = [];
  for (const transaction of openingTransactions(population, seed)) {
    block.push(transaction);
    if (block.length < blockSize) continue;
    yield block;
    block = [];
  }
  if (block.length > 0) yield block;
}

function* openingTransactions(population: Population, seed: number): Generator<Transaction> {
  yield* makersLeverage(population);
  const queues = openingQueues(population);
  // All markets at once, each as fast as its number of orders says: neighbours in a block are of different markets.
  for (let round = 1; round <= ROUNDS; round++) {
    for (const queue of queues) {
      const end = Math.floor((queue.count * round) / ROUNDS);
      while (queue.taken < end) yield queue.next();
    }
  }
  const random = new Random(seed);
  for (let trader = 0; trader < population.traders; trader++) {
    if (!random.chance(PROTECTED_SHARE)) continue;
    const protection = protectionOf(population, trader, random);
    if (protection !== undefined) yield protection;
  }
}

/** Makers hold more than the first tier allows: they take the leverage of the last. */
function* makersLeverage(population: Population): Generator<Transaction> {
  for (const [market, { tiers }] of population.markets.entries()) {
    const leverage = tiers.at(-1)?.maxLeverage ?? 1;
    for (let j = 0; j < MAKERS_A_MARKET; j++) {
      yield { kind: 'updateLeverage', sender: addressOf(population.makerOf(market, j)), market, leverage, isolated: false };
    }
  }
}

/** The orders of each market, of all accounts. */
function openingQueues(population: Population): OpeningQueue[] {
  const queues = population.markets.map(({ parameters }, market) => new OpeningQueue(market, parameters));
  population.slotMarket.forEach((market, at) => {
    if (market !== NO_MARKET) queues[market]?.add(Math.floor(at / TRADER_SLOTS), population.slotLots[at] as number);
  });
  for (let account = population.traders; account < population.traders + population.wide; account++) {
    for (const [market, queue] of queues.entries())
      queue.add(account, population.wideLots[population.widePlace(account, market)] as number);
  }
  return queues;
}

interface OpeningSide {
  readonly accounts: number[];
  readonly lots: number[];
  next: number;
  /** Lots sent so far. */
  sent: number;
}

class OpeningQueue {
  taken = 0;
  private readonly market: number;
  private readonly parameters: CrashMarket['parameters'];
  private readonly longs: OpeningSide = { accounts: [], lots: [], next: 0, sent: 0 };
  private readonly shorts: OpeningSide = { accounts: [], lots: [], next: 0, sent: 0 };

  constructor(market: number, parameters: CrashMarket['parameters']) {
    this.market = market;
    this.parameters = parameters;
  }

  get count(): number {
    return this.longs.lots.length + this.shorts.lots.length;
  }

  /** What an account is to hold; negative: short. */
  add(account: number, lots: number): void {
    const most = Number(this.parameters.maxOrderLots);
    const side = lots > 0 ? this.longs : this.shorts;
    for (let left = Math.abs(lots); left > 0; left -= most) {
      side.accounts.push(account);
      side.lots.push(Math.min(left, most));
    }
  }

  next(): Transaction {
    const { longs, shorts } = this;
    const buys = shorts.next === shorts.lots.length || (longs.next < longs.lots.length && longs.sent <= shorts.sent);
    const side = buys ? longs : shorts;
    const lots = side.lots[side.next] as number;
    const account = side.accounts[side.next] as number;
    side.next++;
    side.sent += lots;
    this.taken++;
    const item: PlaceItem = {
      op: 'place',
      market: this.market,
      side: buys ? 'buy' : 'sell',
      tif: 'gtc',
      priceTicks: this.parameters.markTicks,
      sizeLots: BigInt(lots),
    };
    return { kind: 'orders', sender: addressOf(account), items: [item] };
  }
}

/** A stop-loss, or that and a take-profit, which follow the trader's first position. */
function protectionOf(population: Population, trader: number, random: Random): OrdersTransaction | undefined {
  const market = population.slotMarket[trader * TRADER_SLOTS] as number;
  if (market === NO_MARKET) return undefined;
  const long = (population.slotLots[trader * TRADER_SLOTS] as number) > 0;
  const { markTicks, tickCount, leverage } = (population.markets[market] as CrashMarket).parameters;
  const at = (change: number) => Math.max(1, Math.min(tickCount - 1, Math.round(markTicks * (1 + change))));
  const loss = (long ? -1 : 1) * ((0.2 + random.below(1000) / 900) / leverage);
  const gain = (long ? 1 : -1) * ((0.5 + random.below(1000) / 300) / leverage);
  const order = (kind: 'stopLoss' | 'takeProfit', change: number): PlaceItem => ({
    op: 'place',
    market,
    side: long ? 'sell' : 'buy',
    tif: 'gtc',
    priceTicks: at(change),
    sizeLots: 0n,
    reduceOnly: true,
    trigger: { kind, priceTicks: at(change), market: kind === 'stopLoss' },
  });
  const items = [order('stopLoss', loss)];
  if (random.chance(0.4)) items.push(order('takeProfit', gain));
  return { kind: 'orders', sender: addressOf(trader), grouping: 'position', items };
}
