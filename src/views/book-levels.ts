/**
 * One market's book as clients see it: levels of both sides by price, best first, each with its visible size and number of orders.
 *
 * Levels lie in columns in the order of their prices and become objects when they are read.
 * Invariant: `levels` are the present level records of the state. A change costs a binary search and the move of the levels behind it.
 */
import type { Market } from './market-table.ts';

export interface BookLevel {
  readonly priceTicks: number;
  readonly lots: bigint;
  readonly orders: number;
}

/** As in requests: digits to aggregate by, and the step of the last digit. */
export interface Aggregation {
  readonly digits: number;
  readonly step: number;
}

const LEVELS_AT_FIRST = 16;
/** u32 lower and upper word of the lots, u32 orders. */
const WORDS = 3;

export class BookLevels {
  private readonly bids = new SideLevels();
  private readonly asks = new SideLevels();

  /** The size is two words, signed together. A price has orders of one side only. */
  set(priceTicks: number, sell: boolean, lotsLow: number, lotsHigh: number, orders: number): void {
    (sell ? this.bids : this.asks).remove(priceTicks);
    (sell ? this.asks : this.bids).set(priceTicks, lotsLow, lotsHigh, orders);
  }

  /** There is no level at this price any more. */
  remove(priceTicks: number): void {
    this.bids.remove(priceTicks);
    this.asks.remove(priceTicks);
  }

  get bestBid(): BookLevel | undefined {
    return this.bids.level(this.bids.length - 1);
  }

  get bestAsk(): BookLevel | undefined {
    return this.asks.level(0);
  }

  /** Levels of a side, best first. */
  *levels(sell: boolean): Generator<BookLevel, void, undefined> {
    const side = sell ? this.asks : this.bids;
    for (let i = 0; i < side.length; i++) yield side.level(sell ? i : side.length - 1 - i) as BookLevel;
  }

  /** At most `most` levels of a side, prices rounded to what `aggregation` leaves of them: bids down, asks up. */
  top(sell: boolean, most: number, aggregation?: Aggregation): BookLevel[] {
    const found: BookLevel[] = [];
    for (const level of this.levels(sell)) {
      const priceTicks = aggregation === undefined ? level.priceTicks : rounded(level.priceTicks, aggregation, sell);
      const last = found.at(-1);
      if (last?.priceTicks === priceTicks) {
        found[found.length - 1] = { priceTicks, lots: last.lots + level.lots, orders: last.orders + level.orders };
      } else if (found.length === most) break;
      else found.push({ ...level, priceTicks });
    }
    return found;
  }

  /** Text of the average price at which `notional` quote units are taken from a side; undefined: its first `levelsMax` levels hold less. */
  impactPrice(market: Market, sell: boolean, notional: bigint, levelsMax: number): string | undefined {
    let left = notional;
    let weighted = 0n;
    let looked = 0;
    for (const { priceTicks, lots } of this.levels(sell)) {
      if (looked++ === levelsMax) return undefined;
      let taken = market.notional(priceTicks, lots);
      if (left < taken) taken = left;
      weighted += BigInt(priceTicks) * taken;
      left -= taken;
      if (left === 0n) return market.averageText(weighted * market.unit, notional);
    }
    return undefined;
  }
}

/** Levels of one side, by price, ascending. */
class SideLevels {
  length = 0;
  private prices = new Uint32Array(LEVELS_AT_FIRST);
  private words = new Uint32Array(LEVELS_AT_FIRST * WORDS);

  level(index: number): BookLevel | undefined {
    if (index < 0 || index >= this.length) return undefined;
    const at = index * WORDS;
    const lots = (BigInt((this.words[at + 1] as number) | 0) << 32n) | BigInt(this.words[at] as number);
    return { priceTicks: this.prices[index] as number, lots, orders: this.words[at + 2] as number };
  }

  set(priceTicks: number, lotsLow: number, lotsHigh: number, orders: number): void {
    const index = this.indexOf(priceTicks);
    if (index === this.length || this.prices[index] !== priceTicks) this.insert(index, priceTicks);
    const at = index * WORDS;
    this.words[at] = lotsLow;
    this.words[at + 1] = lotsHigh;
    this.words[at + 2] = orders;
  }

  remove(priceTicks: number): void {
    const index = this.indexOf(priceTicks);
    if (index === this.length || this.prices[index] !== priceTicks) return;
    this.prices.copyWithin(index, index + 1, this.length);
    this.words.copyWithin(index * WORDS, (index + 1) * WORDS, this.length * WORDS);
    this.length--;
  }

  private insert(index: number, priceTicks: number): void {
    if (this.length === this.prices.length) {
      this.prices = doubled(this.prices);
      this.words = doubled(this.words);
    }
    this.prices.copyWithin(index + 1, index, this.length);
    this.words.copyWithin((index + 1) * WORDS, index * WORDS, this.length * WORDS);
    this.prices[index] = priceTicks;
    this.length++;
  }

  /** Where a price is, or would have to be. */
  private indexOf(priceTicks: number): number {
    const { prices } = this;
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((prices[middle] as number) < priceTicks) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function doubled(column: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * column.length);
  larger.set(column);
  return larger;
}

function rounded(price: number, { digits, step }: Aggregation, up: boolean): number {
  const excess = String(price).length - digits;
  if (excess < 0) return price;
  const grain = 10 ** excess * step;
  return (up ? Math.ceil(price / grain) : Math.floor(price / grain)) * grain;
}
