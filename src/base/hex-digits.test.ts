/** Hex digits in place, against regular expressions and bigints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { putHex, putHexNumber } from './hex-digits.ts';

const LENGTHS = [1, 2, 20];

const digits = (unit: string, length: fc.StringConstraints): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...unit), ...length }).map((given) => `0x${given}`);
const odd = fc.string({ unit: fc.constantFrom(...'0x1fgG@`/:é'), maxLength: 12 });
const text = fc.oneof(
  digits('00123456789abcdefABCDEF', { maxLength: 42 }),
  // Where the length is right, only the digits can be wrong.
  fc.constantFrom(...LENGTHS).chain((length) => digits('0123456789abcdef', { minLength: 2 * length, maxLength: 2 * length })),
  fc.constantFrom(...LENGTHS).chain((length) => digits('09afAFgG@`/:é', { minLength: 2 * length, maxLength: 2 * length })),
  odd.map((given) => `0x${given}`),
  odd,
);

/** The number that a text stands for, or undefined. */
function naiveNumber(given: string, length: number): bigint | undefined {
  return /^0x[0-9a-fA-F]+$/.test(given) && given.length <= 2 + 2 * length ? BigInt(given) : undefined;
}

function naive(given: string, length: number): bigint | undefined {
  return /^0x[0-9a-f]+$/.test(given) && given.length === 2 + 2 * length ? BigInt(given) : undefined;
}

for (const [name, put, twin] of [
  ['in one way only', putHex, naive],
  ['as clients like', putHexNumber, naiveNumber],
] as const) {
  test(`digits become the bytes of their number, and anything else is told: ${name}`, () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...LENGTHS), fc.nat({ max: 3 }), (given, length, at) => {
        const bytes = new Uint8Array(length + 6).fill(0xee);
        const expected = twin(given, length);
        assert.equal(put(given, bytes, at, length), expected !== undefined);
        if (expected !== undefined) assert.equal(BigInt(`0x${bytes.slice(at, at + length).toHex()}`), expected);
        // What stands around is not touched.
        assert.ok(bytes.subarray(0, at).every((byte) => byte === 0xee) && bytes.subarray(at + length).every((byte) => byte === 0xee));
      }),
      { numRuns: 3000 },
    );
  });
}

test('what is no text is not hex', () => {
  for (const value of [undefined, null, 12, 12n, ['0x12'], { length: 4 }]) assert.equal(putHex(value, new Uint8Array(1), 0, 1), false);
});
