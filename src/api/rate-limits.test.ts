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
  const usd = (dollars: number): bigint => BigInt(dollars) * 1_000_000n;
  assert.deepEqual(budgets.take('a', 10, 0n, false), { used: 10, allowed: 10, reserved: 0 });
  // Once in ten seconds, whatever was used.
  assert.notEqual(budgets.take('a', 1, 0n, false), undefined);
  assert.equal(budgets.take('a', 1, 0n, false), undefined);
  now += 10_000;
  assert.notEqual(budgets.take('a', 1, 0n, false), undefined);
  // Cancels go twice as far.
  assert.notEqual(budgets.take('a', 5, 0n, true), undefined);
  assert.equal(budgets.take('a', 5, 0n, true), undefined);
  assert.notEqual(budgets.take('a', 100, usd(500), false), undefined);
  budgets.reserve('b', 5);
  assert.deepEqual(budgets.take('b', 15, 0n, false), { used: 15, allowed: 10, reserved: 5 });
});

test('limits that are off count and refuse nothing', () => {
  const budgets = new AddressBudgets({ ...limitDefaults, addressRequests: 1 }, () => 0);
  assert.equal(budgets.take('a', 100, 0n, false)?.used, 100);
  assert.equal(budgets.take('a', 100, 0n, false)?.used, 200);
});
