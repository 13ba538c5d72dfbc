/**
 * What accounts were worth over time, for their portfolios: a point when an account was touched and its last point is old enough.
 *
 * Values between the points are not kept anywhere: marks move accounts that nobody touches. The last point of an answer is the value now.
 * Profit is the value less what came in from outside and plus what went out. What is kept from one start to the next: kept-values.ts.
 */
import { assert } from '../base/assert.ts';
import type { MoneyFact } from './facts.ts';
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
  /** The last block that is in it already. */
  readonly knownTo: number;
}

const SPACING_MS = 60_000;
/** Of an account; then every second point of the older half goes. */
const POINTS_MAX = 256;
/** Of all accounts; then every second point of everybody goes. */
const ALL_POINTS_MAX = 500_000;
const ACCOUNTS_MAX = 100_000;

export class AccountValues {
  private readonly byAccount = new Map<number, Series>();
  private count = 0;
  private height = 0;

  /** What follows is of this block. */
  atBlock(height: number): void {
    this.height = height;
  }

  /** `deposited`: what an account holds at the start counts as having come in. */
  open(account: number, deposited: bigint): Series {
    const known = this.byAccount.get(account);
    if (known !== undefined) return known;
    const series: Series = { points: [], deposited, knownTo: 0 };
    this.byAccount.set(account, series);
    if (this.byAccount.size > ACCOUNTS_MAX) this.forgetOldest();
    return series;
  }

  has(account: number): boolean {
    return this.byAccount.has(account);
  }

  moved(fact: MoneyFact): void {
    const series = this.byAccount.get(fact.account);
    if (series !== undefined && series.knownTo < this.height) series.deposited += collateralFlow(fact);
  }

  /** Puts in what an earlier run has noted, with the blocks up to `knownTo`. */
  restore(account: number, noted: { readonly deposited: bigint; readonly points: readonly ValuePoint[] }, knownTo: number): void {
    assert(!this.byAccount.has(account), 'an account is restored before anything happens to it');
    this.byAccount.set(account, { deposited: noted.deposited, points: [...noted.points], knownTo });
    this.count += noted.points.length;
  }

  /** Everything that was noted. */
  *all(): Generator<{ readonly account: number; readonly deposited: bigint; readonly points: readonly ValuePoint[] }, void, undefined> {
    for (const [account, { deposited, points }] of this.byAccount) yield { account, deposited, points };
  }

  /** What came in less what went out; of an account that nothing has happened to, what it is worth. */
  depositedOf(account: number, value: () => bigint): bigint {
    return this.byAccount.get(account)?.deposited ?? value();
  }

  /** Is it time for another point? */
  isDue(account: number, timeMs: number): boolean {
    const series = this.byAccount.get(account);
    if (series !== undefined && series.knownTo >= this.height) return false;
    const last = series?.points.at(-1);
    return last === undefined || timeMs - last.timeMs >= SPACING_MS;
  }

  note(account: number, timeMs: number, value: bigint): void {
    const { points, deposited } = this.open(account, value);
    points.push({ timeMs, value, pnl: value - deposited });
    this.count++;
    if (points.length > POINTS_MAX) this.thin(points, points.length >> 1);
    if (this.count <= ALL_POINTS_MAX) return;
    for (const series of this.byAccount.values()) this.thin(series.points, series.points.length);
  }

  /** Who was noted first is noted anew when something happens to it. */
  private forgetOldest(): void {
    const [oldest] = this.byAccount.entries();
    if (oldest === undefined) return;
    this.byAccount.delete(oldest[0]);
    this.count -= oldest[1].points.length;
  }

  /** Every second of the first `many` points goes. */
  private thin(points: ValuePoint[], many: number): void {
    const kept = points.slice(0, many).filter((_, i) => i % 2 === 0);
    this.count -= many - kept.length;
    points.splice(0, many, ...kept);
  }

  /** Points since a time, with the value now behind them. */
  since(account: number, fromMs: number, nowMs: number, value: bigint): ValuePoint[] {
    const series = this.byAccount.get(account);
    const points = (series?.points ?? []).filter(({ timeMs }) => timeMs >= fromMs && timeMs < nowMs);
    return [...points, { timeMs: nowMs, value, pnl: value - (series?.deposited ?? value) }];
  }
}
