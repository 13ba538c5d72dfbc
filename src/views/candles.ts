/**
 * Candles of the fourteen intervals, from the trades on a market's book; the newest 5,000 of each interval are kept.
 *
 * An interval without trades has no candle. Weeks and three-day spans are counted from 1970, months are those of the calendar (UTC).
 * Every interval is made of whole minutes, so trades of one minute wait and go into all of them at once: with the next minute, or when one is read.
 * Invariant: a candle's high and low are those of the trades between `startMs` and `endMs`.
 */
import type { TradeFact } from './facts.ts';

export interface Candle {
  readonly startMs: number;
  /** Its last millisecond. */
  readonly endMs: number;
  readonly openTicks: number;
  closeTicks: number;
  highTicks: number;
  lowTicks: number;
  lots: bigint;
  /** Sum of ticks * lots. */
  tickLots: bigint;
  trades: number;
}

export const INTERVALS = ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '8h', '12h', '1d', '3d', '1w', '1M'] as const;
export type Interval = (typeof INTERVALS)[number];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const LENGTHS_MS: Readonly<Record<Exclude<Interval, '1M'>, number>> = {
  '1m': MINUTE_MS,
  '3m': 3 * MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '30m': 30 * MINUTE_MS,
  '1h': HOUR_MS,
  '2h': 2 * HOUR_MS,
  '4h': 4 * HOUR_MS,
  '8h': 8 * HOUR_MS,
  '12h': 12 * HOUR_MS,
  '1d': DAY_MS,
  '3d': 3 * DAY_MS,
  '1w': 7 * DAY_MS,
};
const CANDLES_MAX = 5000;
/** Gone ones are cut off so many at once. */
const SLACK = 500;

export class Candles {
  private readonly byInterval = new Map<Interval, Candle[]>(INTERVALS.map((interval) => [interval, []]));
  private readonly minutes = this.byInterval.get('1m') as Candle[];
  /** Trades since the last ones that went into the candles, all of one minute; `timeMs` is the first one's. */
  private readonly waiting = {
    timeMs: 0,
    endMs: 0,
    openTicks: 0,
    closeTicks: 0,
    highTicks: 0,
    lowTicks: 0,
    lots: 0n,
    tickLots: 0n,
    trades: 0,
  };
  /** Index of the first minute of the last day, and what was traded from it on. */
  private dayFrom = 0;
  private dayLots = 0n;
  private dayTickLots = 0n;

  /** Trades come in the order of their times. */
  add({ timeMs, priceTicks, lots }: TradeFact): void {
    const { waiting } = this;
    if (timeMs > waiting.endMs) this.fold();
    if (waiting.trades === 0) {
      waiting.timeMs = timeMs;
      waiting.endMs = timeMs - (timeMs % MINUTE_MS) + MINUTE_MS - 1;
      waiting.openTicks = priceTicks;
      waiting.highTicks = priceTicks;
      waiting.lowTicks = priceTicks;
    }
    waiting.closeTicks = priceTicks;
    if (priceTicks > waiting.highTicks) waiting.highTicks = priceTicks;
    if (priceTicks < waiting.lowTicks) waiting.lowTicks = priceTicks;
    waiting.lots += lots;
    waiting.tickLots += BigInt(priceTicks) * lots;
    waiting.trades++;
  }

  /** Puts the trades that wait into the candles. */
  private fold(): void {
    const { waiting } = this;
    const { timeMs, openTicks, closeTicks, highTicks, lowTicks, lots, tickLots, trades } = waiting;
    if (trades === 0) return;
    waiting.lots = 0n;
    waiting.tickLots = 0n;
    waiting.trades = 0;
    this.passDay(timeMs);
    this.dayLots += lots;
    this.dayTickLots += tickLots;
    for (const [interval, candles] of this.byInterval) {
      const last = candles.at(-1);
      if (last !== undefined && timeMs <= last.endMs) {
        last.closeTicks = closeTicks;
        if (highTicks > last.highTicks) last.highTicks = highTicks;
        if (lowTicks < last.lowTicks) last.lowTicks = lowTicks;
        last.lots += lots;
        last.tickLots += tickLots;
        last.trades += trades;
        continue;
      }
      candles.push({ ...spanOf(interval, timeMs), openTicks, closeTicks, highTicks, lowTicks, lots, tickLots, trades });
      if (candles.length <= CANDLES_MAX + SLACK) continue;
      candles.splice(0, SLACK);
      if (interval === '1m') this.dayFrom -= SLACK;
    }
  }

  last(interval: Interval): Candle | undefined {
    this.fold();
    return this.byInterval.get(interval)?.at(-1);
  }

  /** Those that start between two times, both included, oldest first; the newest 5,000 of all are looked at. */
  between(interval: Interval, fromMs: number, toMs: number): Candle[] {
    this.fold();
    const candles = this.byInterval.get(interval) ?? [];
    return candles.slice(-CANDLES_MAX).filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs);
  }

  /** Traded in the last 24 hours, in minutes that have begun since. Times never fall. */
  lastDay(nowMs: number): { readonly lots: bigint; readonly tickLots: bigint } {
    this.fold();
    this.passDay(nowMs);
    return { lots: this.dayLots, tickLots: this.dayTickLots };
  }

  /** The last price a day ago, or the first one since; 0: never traded. */
  priceADayAgo(nowMs: number): number {
    this.fold();
    this.passDay(nowMs);
    return this.minutes[this.dayFrom - 1]?.closeTicks ?? this.minutes[0]?.openTicks ?? 0;
  }

  /** Minutes that are a day old do not count any more. Of 5,000 minutes at most 1,440 do. */
  private passDay(nowMs: number): void {
    for (let oldest = this.minutes[this.dayFrom]; oldest !== undefined; oldest = this.minutes[this.dayFrom]) {
      if (oldest.startMs > nowMs - DAY_MS) return;
      this.dayLots -= oldest.lots;
      this.dayTickLots -= oldest.tickLots;
      this.dayFrom++;
    }
  }
}

/** The interval that a time is in. */
function spanOf(interval: Interval, timeMs: number): { readonly startMs: number; readonly endMs: number } {
  if (interval === '1M') {
    const date = new Date(timeMs);
    const month = (offset: number): number => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + offset, 1);
    return { startMs: month(0), endMs: month(1) - 1 };
  }
  const length = LENGTHS_MS[interval];
  const startMs = timeMs - (timeMs % length);
  return { startMs, endMs: startMs + length - 1 };
}
