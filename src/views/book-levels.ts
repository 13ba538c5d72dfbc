/**
 * One market's book as clients see it: levels of both sides by price, best first, each with its visible size and number of orders.
 *
 * Invariant: `levels` are the present level records of the state. A change costs a binary search and the move of the prices behind it.
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

export class BookLevels {
  private readonly byPrice = [new Map<number, BookLevel>(), new Map<number, BookLevel>()] as const;
  /** Prices, ascending. */
  private readonly prices: readonly [number[], number[]] = [[], []];

  /** Without a level: there is none at this price any more. A price has orders of one side only. */
  set(priceTicks: number, level: { readonly lots: bigint; readonly orders: number; readonly sell: boolean } | undefined): void {
    for (const side of [0, 1] as const) {
      if (level !== undefined && level.sell === (side === 1)) continue;
      if (this.byPrice[side].delete(priceTicks)) this.prices[side].splice(indexOf(this.prices[side], priceTicks), 1);
    }
    if (level === undefined) return;
    const side = level.sell ? 1 : 0;
    if (!this.byPrice[side].has(priceTicks)) this.prices[side].splice(indexOf(this.prices[side], priceTicks), 0, priceTicks);
    this.byPrice[side].set(priceTicks, { priceTicks, lots: level.lots, orders: level.orders });
  }

  get bestBid(): BookLevel | undefined {
    const price = this.prices[0].at(-1);
    return price === undefined ? undefined : this.byPrice[0].get(price);
  }

  get bestAsk(): BookLevel | undefined {
    const price = this.prices[1][0];
    return price === undefined ? undefined : this.byPrice[1].get(price);
  }

  /** Levels of a side, best first. */
  *levels(sell: boolean): Generator<BookLevel, void, undefined> {
    const prices = this.prices[sell ? 1 : 0];
    const byPrice = this.byPrice[sell ? 1 : 0];
    for (let i = 0; i < prices.length; i++) {
      const level = byPrice.get(prices[sell ? i : prices.length - 1 - i] as number);
      if (level !== undefined) yield level;
    }
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

/** Where a price is, or would have to be. */
function indexOf(prices: readonly number[], price: number): number {
  let [low, high] = [0, prices.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((prices[middle] as number) < price) low = middle + 1;
    else high = middle;
  }
  return low;
}

function rounded(price: number, { digits, step }: Aggregation, up: boolean): number {
  const excess = String(price).length - digits;
  if (excess < 0) return price;
  const grain = 10 ** excess * step;
  return (up ? Math.ceil(price / grain) : Math.floor(price / grain)) * grain;
}
