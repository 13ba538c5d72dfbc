/** Spans of candles, and the window of a day. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Candles, INTERVALS } from './candles.ts';
import type { TradeFact } from './facts.ts';
import { SYSTEM_NAME } from './transaction-name.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 1, 27, 23, 58);

function trade(timeMs: number, priceTicks: number, lots: bigint): TradeFact {
  return { market: 0, takerSells: false, lots, priceTicks, timeMs, tid: 1, buyer: 1, seller: 2, transaction: SYSTEM_NAME };
}

test('months are those of the calendar, other spans are counted from 1970, and each ends where the next begins', () => {
  const candles = new Candles();
  candles.add(trade(Date.UTC(2026, 1, 28, 23, 59, 59, 999), 10, 1n));
  candles.add(trade(Date.UTC(2026, 2, 1), 12, 2n));
  assert.deepEqual(
    candles.between('1M', 0, Number.MAX_SAFE_INTEGER).map(({ startMs, endMs, closeTicks }) => [startMs, endMs, closeTicks]),
    [
      [Date.UTC(2026, 1, 1), Date.UTC(2026, 2, 1) - 1, 10],
      [Date.UTC(2026, 2, 1), Date.UTC(2026, 3, 1) - 1, 12],
    ],
  );
  for (const interval of INTERVALS) {
    const last = candles.last(interval);
    assert.ok(last !== undefined && last.startMs <= Date.UTC(2026, 2, 1) && last.endMs >= Date.UTC(2026, 2, 1));
    if (interval !== '1M') assert.equal(last.startMs % (last.endMs + 1 - last.startMs), 0, interval);
  }
});

test('a candle is the first, last, highest and lowest of its trades; all intervals have the same volume', () => {
  const trades = fc.array(
    fc.tuple(
      fc.integer({ min: 0, max: 5 * 3_600_000 }),
      fc.integer({ min: 1, max: 500 }),
      fc.bigInt({ min: 1n, max: 99n }),
      fc.option(fc.constantFrom(...INTERVALS), { nil: undefined }),
    ),
    {
      minLength: 1,
      maxLength: 200,
      size: 'max',
    },
  );
  fc.assert(
    fc.property(trades, (found) => {
      const candles = new Candles();
      const sorted = found.map(([offset, ...rest]) => [START_MS + offset, ...rest] as const).sort(([a], [b]) => a - b);
      for (const [timeMs, priceTicks, lots, read] of sorted) {
        candles.add(trade(timeMs, priceTicks, lots));
        // It is there as soon as it is read.
        if (read !== undefined) assert.equal(candles.last(read)?.closeTicks, priceTicks);
      }
      const whole = sorted.reduce((sum, [, , lots]) => sum + lots, 0n);
      for (const interval of INTERVALS) {
        const made = candles.between(interval, 0, Number.MAX_SAFE_INTEGER);
        assert.equal(
          made.reduce((sum, { lots }) => sum + lots, 0n),
          whole,
        );
        for (const { startMs, endMs, openTicks, closeTicks, highTicks, lowTicks, trades: count } of made) {
          const prices = sorted.filter(([timeMs]) => timeMs >= startMs && timeMs <= endMs).map(([, price]) => price);
          assert.deepEqual(
            [openTicks, closeTicks, highTicks, lowTicks, count],
            [prices[0], prices.at(-1), Math.max(...prices), Math.min(...prices), prices.length],
          );
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('the last day is the sum of its minutes, also after thousands of them', () => {
  const candles = new Candles();
  const all: [number, bigint][] = [];
  for (let minute = 0; minute < 9000; minute += minute % 3 === 0 ? 1 : 2) {
    const timeMs = START_MS + minute * MINUTE_MS;
    const lots = BigInt(1 + (minute % 7));
    candles.add(trade(timeMs, 100 + (minute % 11), lots));
    all.push([timeMs, lots]);
    if (minute % 97 !== 0) continue;
    const nowMs = timeMs + 30_000;
    const expected = all.filter(([at]) => at - (at % MINUTE_MS) > nowMs - DAY_MS).reduce((sum, [, count]) => sum + count, 0n);
    assert.equal(candles.lastDay(nowMs).lots, expected);
  }
  const after = START_MS + 9000 * MINUTE_MS + 2 * DAY_MS;
  assert.equal(candles.lastDay(after).lots, 0n);
  assert.equal(candles.priceADayAgo(after), candles.last('1m')?.closeTicks);
  assert.ok(candles.between('1m', 0, after).length <= 5000);
});
