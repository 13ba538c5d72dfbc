/**
 * Prices of a recording instead of made-up ones: the first markets follow its reference prices at the pace at which they were recorded, over and
 * over.
 * Invariant: a price is one of the recording's, the newest that is not after the moment.
 */
import { HeddleError } from '../base/errors.ts';
import { loadRecording } from '../market/index.ts';
import type { PriceSource } from './price-walk.ts';

export interface PriceSeries {
  /** Ascending, the first at 0. */
  readonly atMs: readonly number[];
  /** In quote units. */
  readonly prices: readonly bigint[];
}

/** Recordings have prices in units of 10^-8. */
const RECORDED_PER_QUOTE = 100;
const MICROS = 1000;

/** Throws NO_PRICES and what reading a recording throws. */
export async function loadPrices(path: string): Promise<PriceSeries> {
  const { references, error } = await loadRecording(path);
  const [first] = references;
  if (first === undefined) {
    throw new HeddleError('NO_PRICES', `${path} has no prices${error === undefined ? '' : ` (${error.message})`}: choose a raw recording`);
  }
  return {
    atMs: references.map(({ timeMicros }) => (timeMicros - first.timeMicros) / MICROS),
    prices: references.map(({ price }) => BigInt(Math.round(price / RECORDED_PER_QUOTE))),
  };
}

export class RecordedPrices implements PriceSource {
  private readonly series: readonly PriceSeries[];
  private readonly others: PriceSource;
  private readonly startMs: number;

  /** `others`: for the markets behind the series. */
  constructor(series: readonly PriceSeries[], others: PriceSource, startMs: number) {
    this.series = series;
    this.others = others;
    this.startMs = startMs;
  }

  next(market: number, timeMs: number): bigint {
    const series = this.series[market];
    if (series === undefined) return this.others.next(market, timeMs);
    const { atMs, prices } = series;
    const length = (atMs.at(-1) as number) + MICROS;
    const at = Math.max(0, timeMs - this.startMs) % length;
    let [low, high] = [0, atMs.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((atMs[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return prices[low] as bigint;
  }
}
