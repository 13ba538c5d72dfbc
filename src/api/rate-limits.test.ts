import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressBudgets, actionWeight, answerWeight, infoWeight, limitDefaults, MinuteWeights } from './rate-limits.ts';

test('weights are those of the protocol', () => {
  assert.deepEqual([1, 39, 40, 79, 80].map(actionWeight), [1, 1, 2, 2, 3]);
  assert.deepEqual(['l2Book', 'userRole', 'userFills', ''].map(infoWeight), [2, 60, 20, 20]);
  assert.equal(answerWeight('userFills', new Array(2000)), 100);
  assert.equal(answerWeight('candleSnapshot', new Array(5000)), 83);
  assert.equal(answerWeight('meta', {}), 0);
});

test('a minute has so much weight for each sender, and what is refused is not counted', () => {
  let now = 120_000;
  const weights = new MinuteWeights(10, () => now);
  assert.equal(weights.take('a', 7), true);
  assert.equal(weights.take('a', 4), false);
  assert.equal(weights.take('a', 3), true);
  assert.equal(weights.take('a', 1), false);
  assert.equal(weights.take('b', 10), true);
  weights.add('b', 5);
  assert.equal(weights.take('b', 1), false);
  now += 60_000;
  assert.equal(weights.take('a', 10), true);
});

test('an address has requests, and more as it trades', () => {
  let now = 1_000_000;
  const budgets = new AddressBudgets({ ...limitDefaults, enforced: true, addressRequests: 10 }, () => now);
  const usd = (dollars: number) => (): bigint => BigInt(dollars) * 1_000_000n;
  assert.equal(budgets.take('a', 10, usd(0), false), true);
  assert.deepEqual(budgets.budgetOf('a', 0n), { used: 10, allowed: 10, reserved: 0 });
  // Once in ten seconds, whatever was used.
  assert.equal(budgets.take('a', 1, usd(0), false), true);
  assert.equal(budgets.take('a', 1, usd(0), false), false);
  now += 10_000;
  assert.equal(budgets.take('a', 1, usd(0), false), true);
  // Cancels go twice as far.
  assert.equal(budgets.take('a', 5, usd(0), true), true);
  assert.equal(budgets.take('a', 5, usd(0), true), false);
  assert.equal(budgets.take('a', 100, usd(500), false), true);
  budgets.reserve('b', 5);
  assert.equal(budgets.take('b', 15, usd(0), false), true);
  assert.deepEqual(budgets.budgetOf('b', 0n), { used: 15, allowed: 10, reserved: 5 });
});

test('what was traded is asked for where it matters only', () => {
  const budgets = new AddressBudgets({ ...limitDefaults, enforced: true, addressRequests: 10 }, () => 1_000_000);
  let asked = 0;
  const volumeOf = (): bigint => {
    asked++;
    return 0n;
  };
  budgets.take('a', 10, volumeOf, false);
  assert.equal(asked, 0);
  budgets.take('a', 1, volumeOf, false);
  assert.equal(asked, 1);
});

test('limits that are off count and refuse nothing', () => {
  const budgets = new AddressBudgets({ ...limitDefaults, addressRequests: 1 }, () => 0);
  assert.equal(
    budgets.take('a', 100, () => 0n, false),
    true,
  );
  assert.equal(
    budgets.take('a', 100, () => 0n, false),
    true,
  );
  assert.equal(budgets.budgetOf('a', 0n).used, 200);
});
