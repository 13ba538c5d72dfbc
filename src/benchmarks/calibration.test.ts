import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibrate, calibrationRatio, parseProcessorList } from './calibration.ts';

test('the ratio compares the slower of both with the fastest alone', () => {
  assert.equal(calibrationRatio([50, 55, 50.5], [50, 75, 60]), 1.2);
});

test('lists of processors', () => {
  assert.deepEqual(parseProcessorList('0-2,5'), [0, 1, 2, 5]);
  assert.deepEqual(parseProcessorList('3'), [3]);
  assert.deepEqual(parseProcessorList(''), []);
});

test('two loops are timed', async () => {
  const { ratio } = await calibrate();
  assert.ok(ratio > 0.5 && Number.isFinite(ratio), `${ratio}`);
});
