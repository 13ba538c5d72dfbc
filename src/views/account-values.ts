/**
 * What accounts were worth over time, for their portfolios: a point when an account was touched and its last point is old enough.
 *
 * Values between the points are not kept anywhere: marks move accounts that nobody touches. The last point of an answer is the value now.
 * Profit is the value less what came in from outside and plus what went out. What is kept from one start to the next: kept-values.ts; where points lie:
 * point-series.ts.
 * Invariant: there are never more accounts and points than the limits say, and no block has to make room for more than its own points: where all accounts
 * together have too many, one after the other loses every second one.
 */
import { assert } from '../base/assert.ts';
import type { MoneyFact } from './facts.ts';
import { collateralFlow } from './money-flow.ts';
import { PointSeries, type SeriesReader, type ValuePoint } from './point-series.ts';

export interface ValueLimits {
  /** Of an account; then every second point of the older half goes. */
  readonly pointsOfOne: number;
  /** Of all accounts. */
  readonly points: number;
  /** At most as many as points. */
  readonly accounts: number;
}

/** Everything that was noted, at one moment: it stays so while more is noted. */
export interface NotedValues {
  readonly reader: SeriesReader;
  /** Who was noted first comes first. */
  readonly series: Uint32Array;
  /** Of all series. */
  readonly points: number;
}

const SPACING_MS = 60_000;
const LIMITS: ValueLimits = { pointsOfOne: 256, points: 500_000, accounts: 100_000 };

export class AccountValues {
  private readonly limits: ValueLimits;
  private readonly byAccount = new Map<number, number>();
  private readonly rows = new PointSeries();
  private count = 0;
  private height = 0;
  /** Whose points are thinned next. */
  private thinning = this.byAccount.values();

  constructor(limits = LIMITS) {
    assert(limits.accounts <= limits.points, 'an account keeps a point at least');
    this.limits = limits;
  }

  /** What follows is of this block. */
  atBlock(height: number): void {
    this.height = height;
  }

  /** `deposited`: what an account holds at the start counts as having come in. */
  open(account: number, deposited: bigint): void {
    if (!this.byAccount.has(account)) this.opened(account, deposited);
  }

  has(account: number): boolean {
    return this.byAccount.has(account);
  }

  moved(fact: MoneyFact): void {
    const series = this.byAccount.get(fact.account);
    if (series !== undefined && this.rows.knownTo(series) < this.height) this.rows.deposit(series, collateralFlow(fact));
  }

  /** Puts in what an earlier run has noted, with the blocks up to `knownTo`. */
  restore(account: number, noted: { readonly deposited: bigint; readonly points: readonly ValuePoint[] }, knownTo: number): void {
    assert(!this.byAccount.has(account), 'an account is restored before anything happens to it');
    const series = this.rows.open(account, noted.deposited, knownTo);
    this.byAccount.set(account, series);
    for (const point of noted.points) this.rows.push(series, point);
    this.count += noted.points.length;
  }

  noted(): NotedValues {
    const series = new Uint32Array(this.byAccount.size);
    let i = 0;
    // Measured: a tenth of what Uint32Array.from takes.
    for (const one of this.byAccount.values()) series[i++] = one;
    return { reader: this.rows.snapshot(), series, points: this.count };
  }

  /** What came in less what went out; of an account that nothing has happened to, what it is worth. */
  depositedOf(account: number, value: () => bigint): bigint {
    const series = this.byAccount.get(account);
    return series === undefined ? value() : this.rows.deposited(series);
  }

  /** Is it time for another point? */
  isDue(account: number, timeMs: number): boolean {
    const series = this.byAccount.get(account);
    if (series === undefined) return true;
    return this.rows.knownTo(series) < this.height && timeMs - this.rows.lastMs(series) >= SPACING_MS;
  }

  note(account: number, timeMs: number, value: bigint): void {
    const { rows, limits } = this;
    const series = this.byAccount.get(account) ?? this.opened(account, value);
    rows.push(series, { timeMs, value, pnl: value - rows.deposited(series) });
    this.count++;
    const length = rows.length(series);
    if (length > limits.pointsOfOne) this.count -= rows.thin(series, length >> 1);
    while (this.count > limits.points) this.thinNext();
  }

  /** Points since a time, with the value now behind them. */
  since(account: number, fromMs: number, nowMs: number, value: bigint): ValuePoint[] {
    const series = this.byAccount.get(account);
    if (series === undefined) return [{ timeMs: nowMs, value, pnl: 0n }];
    return [...this.rows.between(series, fromMs, nowMs), { timeMs: nowMs, value, pnl: value - this.rows.deposited(series) }];
  }

  private opened(account: number, deposited: bigint): number {
    const series = this.rows.open(account, deposited, 0);
    this.byAccount.set(account, series);
    if (this.byAccount.size > this.limits.accounts) this.forgetOldest();
    return series;
  }

  /** Who was noted first is noted anew when something happens to it. */
  private forgetOldest(): void {
    const [oldest] = this.byAccount.entries();
    if (oldest === undefined) return;
    const [account, series] = oldest;
    this.byAccount.delete(account);
    this.count -= this.rows.length(series);
    this.rows.close(series);
  }

  private thinNext(): void {
    let next = this.thinning.next();
    if (next.done) {
      this.thinning = this.byAccount.values();
      next = this.thinning.next();
    }
    const series = next.value as number;
    this.count -= this.rows.thin(series, this.rows.length(series));
  }
}
