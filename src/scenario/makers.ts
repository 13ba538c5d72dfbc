/**
 * Market makers: ladders of bids and asks around the price that they know, thinner and wider the more prices move, gone in the worst
 * blocks. Who must sell then finds no book: that is what brings the backstop vault and deleveraging into play.
 *
 * A ladder's orders have fixed client ids, so a new quote is a modify that places the order whether or not the old one is left. The side
 * that retreats from the price moves first, in all ladders of a market; so makers do not trade with each other's old quotes.
 */
import type { ClientId, OrderItem, Transaction } from '../ledger/transactions.ts';
import { addressOf } from './crash-genesis.ts';
import type { CrashMarket } from './crash-markets.ts';
import { MAKERS_A_MARKET, type Population } from './population.ts';
import type { PricePath } from './price-path.ts';

/** Distance of the levels from the price, in basis points while it is quiet, and their parts of the size. */
const LEVEL_BPS = [4, 9, 18, 40, 90] as const;
const LEVEL_PARTS = [0.08, 0.14, 0.2, 0.26, 0.32] as const;
/** A quiet ladder shows this part of the market's open interest on each side, all makers together. */
const QUIET_DEPTH = 0.004;
/** The weight of the newest block in the realised volatility (a moving average of absolute moves). */
const NEWEST = 0.1;
/** Volatility a block at which half of the quiet depth is left, and at which makers are gone; of a market that falls by half on the day. */
const HALF_DEPTH = 0.0005;
const WITHDRAWN = 0.003;
/** Quotes move with a price that has moved so far. */
const REQUOTE = 0.0005;
const REQUOTE_BLOCKS = 6;

export class Makers {
  /** Ladders that are out, by market. */
  withdrawn = 0;
  private readonly population: Population;
  private readonly path: PricePath;
  private readonly volatility: Float64Array;
  private readonly quotedAt: Float64Array;
  private readonly quotedIn: Int32Array;
  private readonly clientIds: readonly ClientId[];

  constructor(population: Population, path: PricePath) {
    const markets = population.markets.length;
    this.population = population;
    this.path = path;
    this.volatility = new Float64Array(markets);
    this.quotedAt = new Float64Array(markets);
    this.quotedIn = new Int32Array(markets).fill(-REQUOTE_BLOCKS);
    // One id for each market, side and level; ids are an account's own.
    this.clientIds = Array.from({ length: markets * 2 * LEVEL_BPS.length }, (_, n) => `0x${(n + 1).toString(16).padStart(32, '0')}`);
  }

  /** Adds the makers' transactions of a block: `cancels` first, then those that place. */
  quote(block: number, cancels: Transaction[], orders: Transaction[]): void {
    const { population } = this;
    const advancing: Transaction[] = [];
    this.withdrawn = 0;
    for (let market = 0; market < this.volatility.length; market++) {
      const price = this.path.at(market, block);
      const before = block === 0 ? price : this.path.at(market, block - 1);
      const move = Math.abs(Math.log(price / before));
      const usual = (population.markets[market] as CrashMarket).depth * 2;
      const volatility = (this.volatility[market] as number) * (1 - NEWEST) + (move / usual) * NEWEST;
      this.volatility[market] = volatility;
      if (volatility >= WITHDRAWN) {
        this.withdrawn++;
        if (this.quotedAt[market] !== 0) this.cancelAll(market, cancels);
        this.quotedAt[market] = 0;
        continue;
      }
      const quoted = this.quotedAt[market] as number;
      const fresh = block - (this.quotedIn[market] as number) < REQUOTE_BLOCKS;
      if (quoted !== 0 && fresh && Math.abs(Math.log(price / quoted)) < REQUOTE) continue;
      const falling = price < quoted;
      this.ladders(market, price, volatility, falling, orders);
      this.ladders(market, price, volatility, !falling, advancing);
      this.quotedAt[market] = price;
      this.quotedIn[market] = block;
    }
    orders.push(...advancing);
  }

  /** New quotes of all makers of a market, on one side. */
  private ladders(market: number, price: number, volatility: number, bids: boolean, out: Transaction[]): void {
    const { population } = this;
    const thinning = HALF_DEPTH / (HALF_DEPTH + volatility);
    const depth = ((population.openInterest[market] as number) * QUIET_DEPTH * thinning) / MAKERS_A_MARKET;
    const { tickCount, unit, minNotional } = (population.markets[market] as CrashMarket).parameters;
    const leastLots = Math.ceil((Number(minNotional) * 1.05) / (price * unit)) + 1;
    for (let j = 0; j < MAKERS_A_MARKET; j++) {
      const items: OrderItem[] = LEVEL_BPS.map((bps, level) => {
        const distance = (price * (bps + j) * (1 + volatility / HALF_DEPTH)) / 10_000;
        const clientId = this.clientId(market, bids, level);
        const ticks = bids ? Math.floor(price - distance) : Math.ceil(price + distance);
        return {
          op: 'modify',
          target: clientId,
          always: true,
          clientId,
          market,
          side: bids ? 'buy' : 'sell',
          tif: 'gtc',
          priceTicks: Math.max(1, Math.min(tickCount - 1, ticks)),
          sizeLots: BigInt(Math.max(leastLots, Math.round(depth * (LEVEL_PARTS[level] as number)))),
        };
      });
      out.push({ kind: 'orders', sender: addressOf(population.makerOf(market, j)), items });
    }
  }

  private cancelAll(market: number, out: Transaction[]): void {
    for (let j = 0; j < MAKERS_A_MARKET; j++) {
      const items = [true, false].flatMap((bids) =>
        LEVEL_BPS.map((_, level): OrderItem => ({ op: 'cancelByClientId', market, target: this.clientId(market, bids, level) })),
      );
      out.push({ kind: 'orders', sender: addressOf(this.population.makerOf(market, j)), items });
    }
  }

  private clientId(market: number, bids: boolean, level: number): ClientId {
    return this.clientIds[(market * 2 + (bids ? 0 : 1)) * LEVEL_BPS.length + level] as ClientId;
  }
}
