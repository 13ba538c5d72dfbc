/** What accounts were worth, against lists of objects: every answer, everything that is kept, and what was kept earlier. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AccountValues, type NotedValues, type ValueLimits } from './account-values.ts';
import type { MoneyFact } from './facts.ts';
import type { ValuePoint } from './point-series.ts';

const ACCOUNTS = [0, 1, 2, 7, 2 ** 24 + 3];
const account = fc.constantFrom(...ACCOUNTS);
const amount = fc.bigInt({ min: -1000n, max: 1000n });

const steps = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('note' as const), account, later: fc.nat(70_000), value: amount }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), account, amount: fc.bigInt({ min: 1n, max: 500n }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('open' as const), account, value: amount }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('block' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('keep' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('ask' as const), account, from: fc.nat(200_000), value: amount }) },
  ),
  { maxLength: 300, size: 'max' },
);
const restored = fc.uniqueArray(
  fc.record({ account, deposited: amount, values: fc.array(amount, { maxLength: 4 }), knownTo: fc.nat(3) }, { noNullPrototype: true }),
  { maxLength: 2, selector: (one) => one.account },
);
const limits = fc.record({
  pointsOfOne: fc.integer({ min: 2, max: 23 }),
  points: fc.integer({ min: 8, max: 40 }),
  accounts: fc.integer({ min: 2, max: 5 }),
});

interface Series {
  readonly account: number;
  deposited: bigint;
  points: ValuePoint[];
  readonly knownTo: number;
}

class NaiveValues {
  height = 0;
  all: Series[] = [];
  private readonly limits: ValueLimits;
  private thinned: Series[] = [];

  constructor(limits: ValueLimits) {
    this.limits = limits;
  }

  of(account: number): Series | undefined {
    return this.all.find((one) => one.account === account);
  }

  open(account: number, deposited: bigint): Series {
    const known = this.of(account);
    if (known !== undefined) return known;
    const series = { account, deposited, points: [], knownTo: 0 };
    this.all.push(series);
    if (this.all.length > this.limits.accounts) this.all.shift();
    return series;
  }

  isDue(account: number, timeMs: number): boolean {
    const series = this.of(account);
    if (series === undefined) return true;
    const last = series.points.at(-1);
    return series.knownTo < this.height && (last === undefined || timeMs - last.timeMs >= 60_000);
  }

  note(account: number, timeMs: number, value: bigint): void {
    const series = this.open(account, value);
    series.points.push({ timeMs, value, pnl: value - series.deposited });
    const { length } = series.points;
    if (length > this.limits.pointsOfOne) series.points = series.points.filter((_, i) => i >= length >> 1 || i % 2 === 0);
    while (this.all.reduce((sum, { points }) => sum + points.length, 0) > this.limits.points) this.thinNext();
  }

  /** Each once before any is so again; who came meanwhile has its turn as well. */
  private thinNext(): void {
    let next = this.all.find((one) => !this.thinned.includes(one));
    if (next === undefined) {
      this.thinned = [];
      next = this.all[0] as Series;
    }
    this.thinned.push(next);
    next.points = next.points.filter((_, i) => i % 2 === 0);
  }
}

/** As `NaiveValues` has them. */
function plain({ reader, series, points }: NotedValues): Omit<Series, 'knownTo'>[] {
  const all = Array.from(series, (one) => ({
    account: reader.account(one),
    deposited: reader.deposited(one),
    points: reader.between(one, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
  }));
  assert.equal(
    all.reduce((sum, one) => sum + one.points.length, 0),
    points,
  );
  return all;
}

const withoutKnown = (all: readonly Series[]): Omit<Series, 'knownTo'>[] =>
  all.map(({ account, deposited, points }) => ({ account, deposited, points: [...points] }));

function deposit(account: number, amount: bigint): MoneyFact {
  return { account, event: { kind: 'money', from: -1, to: account, amount, fee: 0n, transaction: 0 } } as unknown as MoneyFact;
}

test('answers and what is kept are those of lists of objects, and what was kept stays as it was', () => {
  fc.assert(
    fc.property(limits, restored, steps, (limits, restored, steps) => {
      const values = new AccountValues(limits);
      const naive = new NaiveValues(limits);
      let timeMs = 100_000;
      for (const { account, deposited, values: worth, knownTo } of restored) {
        const points = worth.map((value, i) => ({ timeMs: i * 1000, value, pnl: value - deposited }));
        values.restore(account, { deposited, points }, knownTo);
        naive.all.push({ account, deposited, points, knownTo });
      }
      const kept: [NotedValues, unknown][] = [];
      for (const step of steps) {
        switch (step.kind) {
          case 'note':
            timeMs += step.later;
            assert.equal(values.isDue(step.account, timeMs), naive.isDue(step.account, timeMs));
            if (!naive.isDue(step.account, timeMs)) break;
            values.note(step.account, timeMs, step.value);
            naive.note(step.account, timeMs, step.value);
            break;
          case 'move': {
            values.moved(deposit(step.account, step.amount));
            const series = naive.of(step.account);
            if (series !== undefined && series.knownTo < naive.height) series.deposited += step.amount;
            break;
          }
          case 'open':
            assert.equal(values.has(step.account), naive.of(step.account) !== undefined);
            values.open(step.account, step.value);
            naive.open(step.account, step.value);
            break;
          case 'block':
            values.atBlock(++naive.height);
            break;
          case 'keep':
            kept.push([values.noted(), withoutKnown(naive.all)]);
            break;
          case 'ask': {
            const series = naive.of(step.account);
            const deposited = series?.deposited ?? step.value;
            assert.equal(
              values.depositedOf(step.account, () => step.value),
              deposited,
            );
            const points = (series?.points ?? []).filter((point) => point.timeMs >= step.from && point.timeMs < timeMs);
            const now = { timeMs, value: step.value, pnl: step.value - deposited };
            assert.deepEqual(values.since(step.account, step.from, timeMs, step.value), [...points, now]);
            break;
          }
        }
      }
      kept.push([values.noted(), withoutKnown(naive.all)]);
      for (const [noted, expected] of kept) assert.deepEqual(plain(noted), expected);
    }),
    { numRuns: 300 },
  );
});
