/** Copies of every length stay what they were, whatever is copied after them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteSlab } from './byte-slab.ts';
import { Random } from './random.ts';

test('copies are what was copied, and stay so', () => {
  const random = new Random(3);
  const slab = new ByteSlab();
  const source = new Uint8Array(10_000);
  const copies = Array.from({ length: 500 }, (_, i) => {
    const length = i % 10 === 0 ? random.below(10_000) : random.below(300);
    source.fill(i);
    return slab.copy(source, length);
  });
  source.fill(255);
  copies.forEach((copy, i) => {
    assert.ok(copy.every((byte) => byte === i % 256));
  });
  assert.ok(copies.some(({ length }) => length === 0) && copies.some(({ length }) => length > 5000));
});
