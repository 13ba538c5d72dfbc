/** Hex digits in place, against the way over bigints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { putHexDigits } from './hex-digits.ts';

/** The number, or undefined. */
function naive(text: string, length: number): bigint | undefined {
  return /^0x[0-9a-fA-F]+$/.test(text) && text.length <= 2 + 2 * length ? BigInt(text) : undefined;
}

test('digits become the bytes of their number, and anything else is told', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'00123456789abcdefABCDEF'), maxLength: 42 });
  const odd = fc.string({ unit: fc.constantFrom(...'0x1fgG@`/:é'), maxLength: 12 });
  const text = fc.oneof(
    digits.map((given) => `0x${given}`),
    odd.map((given) => `0x${given}`),
    odd,
  );
  fc.assert(
    fc.property(text, fc.constantFrom(1, 2, 20), fc.nat({ max: 3 }), (given, length, at) => {
      const bytes = new Uint8Array(length + 6).fill(0xee);
      const expected = naive(given, length);
      assert.equal(putHexDigits(given, bytes, at, length), expected !== undefined);
      if (expected !== undefined) assert.equal(BigInt(`0x${bytes.slice(at, at + length).toHex()}`), expected);
      // What stands around is not touched.
      assert.ok(bytes.subarray(0, at).every((byte) => byte === 0xee) && bytes.subarray(at + length).every((byte) => byte === 0xee));
    }),
    { numRuns: 3000 },
  );
});
