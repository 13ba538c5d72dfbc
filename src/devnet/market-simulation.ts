/**
 * What the actors of the development chain send: the oracle reports a price for every market, makers quote ladders around it, takers take a
 * little of them.
 *
 * A maker's orders have fixed client ids, so a new quote is a modification that places the order whether or not the old one is left.
 * Invariant: a step depends on seed, prices and time only. Not here: when steps are taken, and what becomes of what they send.
 */
import { Random } from '../base/random.ts';
import type { Address, OrderItem, Transaction } from '../ledger/transactions.ts';
import { MAKERS, ORACLE, TAKERS } from './devnet-genesis.ts';
import { type DevnetMarket, orderTicks } from './devnet-markets.ts';
import type { PriceSource } from './price-walk.ts';

/** Distance of the levels from the price, in millionths, and how many dollars each shows. */
const LEVELS: readonly { readonly ppm: number; readonly dollars: number }[] = [
  { ppm: 150, dollars: 10_000 },
  { ppm: 400, dollars: 20_000 },
  { ppm: 900, dollars: 40_000 },
  { ppm: 1_800, dollars: 60_000 },
  { ppm: 4_000, dollars: 100_000 },
  { ppm: 9_000, dollars: 200_000 },
];
const PPM = 1_000_000n;
/** Chance that a taker trades in a market in a step. */
const TAKER_CHANCE = 0.25;
const TAKER_DOLLARS_LEAST = 50;
const TAKER_DOLLARS_MOST = 4_000;
/** How far through the book a taker goes. */
const TAKER_PPM = 3_000n;

export class MarketSimulation {
  private readonly markets: readonly DevnetMarket[];
  private readonly prices: PriceSource;
  private readonly random: Random;

  constructor(markets: readonly DevnetMarket[], prices: PriceSource, seed: number) {
    this.markets = markets;
    this.prices = prices;
    this.random = new Random(seed);
  }

  /** The transactions of one moment. Moments follow each other by at least a millisecond: it is the nonce. */
  step(timeMs: number): Transaction[] {
    const prices = this.markets.map((_, market) => this.prices.next(market, timeMs));
    return [this.report(prices, timeMs), ...this.quotes(prices, timeMs), ...this.takes(prices, timeMs)];
  }

  private report(prices: readonly bigint[], timeMs: number): Transaction {
    const ticks = prices.map((price, market) => orderTicks(price, this.market(market)));
    return {
      kind: 'oracle',
      sender: ORACLE,
      nonce: BigInt(timeMs),
      prices: ticks.map((tick, market) => ({ market, spot: [tick], perp: [tick] })),
    };
  }

  /** Makers hold the same ladder, the second a little further out; one transaction a maker and market. */
  private quotes(prices: readonly bigint[], timeMs: number): Transaction[] {
    return MAKERS.flatMap((sender, maker) =>
      prices.map((price, market): Transaction => {
        // Nonces of one sender differ: a market each.
        const nonce = BigInt(timeMs) + BigInt(market);
        const items = LEVELS.flatMap((_, level) => [
          this.quote(price, market, maker, level, 'buy'),
          this.quote(price, market, maker, level, 'sell'),
        ]);
        return { kind: 'orders', sender, nonce, items };
      }),
    );
  }

  private quote(price: bigint, market: number, maker: number, level: number, side: 'buy' | 'sell'): OrderItem {
    const { ppm, dollars } = LEVELS[level] as (typeof LEVELS)[number];
    const distance = (price * BigInt(ppm + maker * SECOND_MAKER_PPM + this.random.below(ppm))) / PPM;
    const parameters = this.market(market);
    const priceTicks = orderTicks(side === 'buy' ? price - distance : price + distance, parameters);
    const number = (market * LEVELS.length + level) * 2 + (side === 'buy' ? 0 : 1);
    const clientId = `0x${(number + 1).toString(16).padStart(32, '0')}`;
    const sizeLots = this.lots(dollars * (0.75 + this.random.below(500) / 1000), price, parameters);
    return { op: 'modify', market, target: clientId, always: true, side, tif: 'gtc', priceTicks, sizeLots, clientId };
  }

  private takes(prices: readonly bigint[], timeMs: number): Transaction[] {
    const items = new Map<Address, OrderItem[]>();
    for (const [market, price] of prices.entries()) {
      if (!this.random.chance(TAKER_CHANCE)) continue;
      const side = this.random.chance(0.5) ? 'buy' : 'sell';
      const reach = (price * TAKER_PPM) / PPM;
      const parameters = this.market(market);
      const dollars = this.random.between(TAKER_DOLLARS_LEAST, TAKER_DOLLARS_MOST);
      const sender = this.random.pick(TAKERS);
      const item: OrderItem = {
        op: 'place',
        market,
        side,
        tif: 'ioc',
        priceTicks: orderTicks(side === 'buy' ? price + reach : price - reach, parameters),
        sizeLots: this.lots(dollars, price, parameters),
      };
      items.set(sender, [...(items.get(sender) ?? []), item]);
    }
    return [...items].map(([sender, list]) => ({ kind: 'orders', sender, nonce: BigInt(timeMs), items: list }));
  }

  /** So many dollars' worth, at least one lot. */
  private lots(dollars: number, price: bigint, { szDecimals }: DevnetMarket): bigint {
    const lots = (BigInt(Math.round(dollars)) * 1_000_000n * 10n ** BigInt(szDecimals)) / price;
    return lots > 0n ? lots : 1n;
  }

  private market(index: number): DevnetMarket {
    return this.markets[index] as DevnetMarket;
  }
}

const SECOND_MAKER_PPM = 60;
