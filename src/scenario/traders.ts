/**
 * What ordinary traders do on the day, besides what happens to them: small orders that rest for a while or take, sales in fear while
 * prices fall, margin added from the ledger, new stop-loss orders, transfers. Each trades in the markets of its own positions.
 *
 * The flow knows prices, not results: an order may find the position gone, and fails then by the rules.
 */
import { Random } from '../base/random.ts';
import type { PlaceItem, Transaction } from '../ledger/transactions.ts';
import { addressOf } from './crash-genesis.ts';
import type { CrashMarket } from './crash-markets.ts';
import { NO_MARKET, type Population, TRADER_SLOTS } from './population.ts';
import type { PricePath } from './price-path.ts';

/** What a trader does, in a quiet block and in a wave. */
const QUIET = { rest: 45, take: 30, flee: 3, margin: 8, protect: 6, transfer: 8 } as const;
const WAVE = { rest: 20, take: 20, flee: 40, margin: 14, protect: 4, transfer: 2 } as const;
/** Waves bring this many times as many transactions. */
const WAVE_ACTIVITY = 2;
const UNITS = 1_000_000;

export class Traders {
  private readonly population: Population;
  private readonly path: PricePath;
  private readonly random: Random;
  private readonly aBlock: number;

  /** `aBlock`: transactions in a quiet block. */
  constructor(population: Population, path: PricePath, aBlock: number, seed: number) {
    this.population = population;
    this.path = path;
    this.aBlock = aBlock;
    this.random = new Random(seed);
  }

  /** Adds the traders' transactions of a block: `first` before all orders, then `orders`. */
  trade(block: number, timeMs: number, first: Transaction[], orders: Transaction[]): void {
    const wave = this.path.waveAt(block);
    const inWave = wave >= 0 && block <= (this.path.waveBlocks[wave]?.last ?? -1);
    const count = this.aBlock * (inWave ? WAVE_ACTIVITY : 1);
    for (let i = 0; i < count; i++) {
      const trader = this.random.below(this.population.traders);
      const slot = this.random.below(TRADER_SLOTS);
      const own = this.population.slotMarket[trader * TRADER_SLOTS + slot] as number;
      const at = trader * TRADER_SLOTS + (own === NO_MARKET ? 0 : slot);
      const market = this.population.slotMarket[at] as number;
      switch (this.random.weighted(inWave ? WAVE : QUIET)) {
        case 'rest':
          orders.push(this.orders(trader, this.resting(market, block, timeMs)));
          break;
        case 'take':
          orders.push(this.orders(trader, this.taking(market, block)));
          break;
        case 'flee':
          orders.push(this.orders(trader, this.fleeing(market, this.population.slotLots[at] as number)));
          break;
        case 'margin':
          this.addMargin(trader, first);
          break;
        case 'protect':
          orders.push(this.protecting(trader, market, block, this.population.slotLots[at] as number));
          break;
        case 'transfer':
          this.transfer(trader, first);
          break;
      }
    }
  }

  private orders(trader: number, item: PlaceItem): Transaction {
    return { kind: 'orders', sender: addressOf(trader), items: [item] };
  }

  /** A small order that stays for a minute or so. */
  private resting(market: number, block: number, timeMs: number): PlaceItem {
    const { random } = this;
    const buy = random.chance(0.5);
    const distance = 0.002 + (random.below(1000) / 1000) ** 2 * 0.04;
    return {
      op: 'place',
      market,
      side: buy ? 'buy' : 'sell',
      tif: 'gtc',
      priceTicks: this.ticks(market, this.path.at(market, block) * (buy ? 1 - distance : 1 + distance)),
      sizeLots: this.smallLots(market, block),
      expiresMs: timeMs + 20_000 + random.below(80_000),
    };
  }

  private taking(market: number, block: number): PlaceItem {
    const side = this.random.chance(0.5) ? 'buy' : 'sell';
    return { op: 'place', market, side, tif: 'market', priceTicks: 100, sizeLots: this.smallLots(market, block) };
  }

  /** Out of a part of the position, or all of it, at the market. */
  private fleeing(market: number, lots: number): PlaceItem {
    const part = this.random.chance(0.5) ? 1 : 0.5;
    const sizeLots = BigInt(Math.max(1, Math.round(Math.abs(lots) * part)));
    return { op: 'place', market, side: lots > 0 ? 'sell' : 'buy', tif: 'market', priceTicks: 300, sizeLots, reduceOnly: true };
  }

  private protecting(trader: number, market: number, block: number, lots: number): Transaction {
    const long = lots > 0;
    const distance = 0.01 + this.random.below(1000) / 8000;
    const priceTicks = this.ticks(market, this.path.at(market, block) * (long ? 1 - distance : 1 + distance));
    const item: PlaceItem = {
      op: 'place',
      market,
      side: long ? 'sell' : 'buy',
      tif: 'gtc',
      priceTicks,
      sizeLots: 0n,
      reduceOnly: true,
      trigger: { kind: 'stopLoss', priceTicks, market: true },
    };
    return { kind: 'orders', sender: addressOf(trader), grouping: 'position', items: [item] };
  }

  /** From the ledger balance; most have none there. */
  private addMargin(trader: number, out: Transaction[]): void {
    const reserve = this.population.reserve[trader] as number;
    if (reserve > 0) out.push({ kind: 'deposit', sender: addressOf(trader), amount: BigInt(Math.ceil(reserve / 2)) });
  }

  private transfer(trader: number, out: Transaction[]): void {
    const recipient = addressOf(this.random.below(this.population.traders));
    out.push({ kind: 'sendPerp', sender: addressOf(trader), recipient, amount: BigInt(1 + this.random.below(20)) * BigInt(UNITS) });
  }

  private smallLots(market: number, block: number): bigint {
    const { unit } = (this.population.markets[market] as CrashMarket).parameters;
    const usd = 15 * Math.exp((this.random.below(1000) / 1000) * 5);
    return BigInt(Math.ceil((usd * UNITS) / (this.path.at(market, block) * unit)));
  }

  private ticks(market: number, price: number): number {
    const { tickCount } = (this.population.markets[market] as CrashMarket).parameters;
    return Math.max(1, Math.min(tickCount - 1, Math.round(price)));
  }
}
