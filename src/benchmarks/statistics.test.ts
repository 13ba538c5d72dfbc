import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { median, percentiles, quantile } from './statistics.ts';

test('medians and quartiles', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(quantile([1, 2, 3, 4, 5], 0.25), 2);
  assert.equal(quantile([7], 0.75), 7);
  assert.throws(() => median([]), /nothing/);
});

test('percentiles by nearest rank', () => {
  const found = percentiles(Float64Array.from({ length: 1000 }, (_, i) => 1000 - i));
  assert.deepEqual(found, { p50: 500, p90: 900, p99: 990, 'p99.9': 999, 'p99.99': 1000, max: 1000 });
  assert.deepEqual(percentiles(Float64Array.of(5)), { p50: 5, p90: 5, p99: 5, 'p99.9': 5, 'p99.99': 5, max: 5 });
});

test('a percentile is the least value that enough others do not exceed', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 300 }), (values) => {
      const found = percentiles(Float64Array.from(values));
      for (const share of [50, 90, 99, 99.9]) {
        const value = found[`p${share}`] as number;
        const atMost = (bound: number) => values.filter((other) => other <= bound).length;
        assert.ok(atMost(value) * 100 >= share * values.length - 1e-6);
        assert.ok(atMost(value - 1) * 100 < share * values.length + 1e-6);
      }
    }),
  );
});
