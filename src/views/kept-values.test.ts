/** The bytes of what accounts were worth: everything comes back, and no byte of them can be another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeValues, encodeValues } from './kept-values.ts';

const CHAIN = new Uint8Array(32).fill(7);

/** As the decoder makes them. */
const plain = { noNullPrototype: true };
const amount = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const time = fc.nat(Number.MAX_SAFE_INTEGER);
const points = fc.array(fc.record({ timeMs: time, value: amount, pnl: amount }, plain), { maxLength: 5 });
const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);
const series = fc.array(fc.record({ user: address, deposited: amount, points }, plain), { maxLength: 5 });
const kept = fc.record({ height: time, series }, plain);

test('what was encoded comes back', () => {
  fc.assert(
    fc.property(kept, (values) => {
      assert.deepEqual(decodeValues(encodeValues(values, CHAIN), CHAIN), values);
    }),
  );
});

test('damaged bytes, fewer and more, and those of another chain are refused', () => {
  const user = `0x${'a'.repeat(40)}`;
  const bytes = encodeValues({ height: 3, series: [{ user, deposited: 1n, points: [{ timeMs: 1, value: 2n, pnl: 3n }] }] }, CHAIN);
  const refused = (wrong: Uint8Array, chain = CHAIN): void => {
    assert.throws(() => decodeValues(wrong, chain), { code: 'VALUES_REFUSED' });
  };
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) refused(new Uint8Array(bytes).with(at, (bytes[at] as number) ^ (1 << bit)));
    refused(bytes.subarray(0, at));
  }
  refused(Buffer.concat([bytes, Buffer.of(0)]));
  refused(bytes, new Uint8Array(32).fill(8));
});
