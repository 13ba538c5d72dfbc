/**
 * What accounts were worth over time, for their portfolios: a point when an account was touched and its last point is old enough.
 *
 * Values between the points, and those from before the node started, are not kept anywhere: marks move accounts that nobody touches. The
 * last point of an answer is the value now. Profit is the value less what came in from outside and plus what went out.
 */
import type { MoneyFact } from './block-facts.ts';
import { collateralFlow } from './money-flow.ts';

export interface ValuePoint {
  readonly timeMs: number;
  readonly value: bigint;
  readonly pnl: bigint;
}

interface Series {
  /** Oldest first. */
  readonly points: ValuePoint[];
  /** What came in less what went out, in quote units. */
  deposited: bigint;
}

const SPACING_MS = 60_000;
/** Then every second point of the older half goes. */
const POINTS_MAX = 256;

export class AccountValues {
  private readonly byAccount = new Map<number, Series>();

  /** `deposited`: what an account holds at the start counts as having come in. */
  open(account: number, deposited: bigint): Series {
    const known = this.byAccount.get(account);
    if (known !== undefined) return known;
    const series: Series = { points: [], deposited };
    this.byAccount.set(account, series);
    return series;
  }

  has(account: number): boolean {
    return this.byAccount.has(account);
  }

  moved(fact: MoneyFact): void {
    const series = this.byAccount.get(fact.account);
    if (series !== undefined) series.deposited += collateralFlow(fact);
  }

  /** What came in less what went out; of an account that nothing has happened to, what it is worth. */
  depositedOf(account: number, value: () => bigint): bigint {
    return this.byAccount.get(account)?.deposited ?? value();
  }

  /** Is it time for another point? */
  isDue(account: number, timeMs: number): boolean {
    const last = this.byAccount.get(account)?.points.at(-1);
    return last === undefined || timeMs - last.timeMs >= SPACING_MS;
  }

  note(account: number, timeMs: number, value: bigint): void {
    const { points, deposited } = this.open(account, value);
    points.push({ timeMs, value, pnl: value - deposited });
    if (points.length <= POINTS_MAX) return;
    const half = points.length >> 1;
    points.splice(0, half, ...points.slice(0, half).filter((_, i) => i % 2 === 0));
  }

  /** Points since a time, with the value now behind them. */
  since(account: number, fromMs: number, nowMs: number, value: bigint): ValuePoint[] {
    const series = this.byAccount.get(account);
    const points = (series?.points ?? []).filter(({ timeMs }) => timeMs >= fromMs && timeMs < nowMs);
    return [...points, { timeMs: nowMs, value, pnl: value - (series?.deposited ?? value) }];
  }
}
