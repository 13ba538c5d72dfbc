/** Columns of numbers: every number comes back in every form, and no bytes are read beyond their end or read twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteCursor } from './byte-cursor.ts';
import { HeddleError } from './errors.ts';
import { NumberColumn, NumberColumnReader } from './number-column.ts';

const wide = fc.oneof(
  fc.bigInt(0n, 300n),
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc.bigInt(-300n, 300n).map((value) => BigInt.asUintN(64, value)),
  fc.constantFrom(0n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n),
);
/** Near to one another, with a far one among them, and anything. */
const numbers = fc.oneof(
  fc.array(wide, { maxLength: 40 }),
  fc.tuple(wide, fc.array(fc.bigInt(-1000n, 1000n), { maxLength: 40 })).map(([base, steps]) => {
    let at = base;
    return steps.map((step) => {
      at = BigInt.asUintN(64, at + step);
      return at;
    });
  }),
  fc
    .tuple(wide, fc.array(fc.bigInt(0n, 300n), { maxLength: 40 }))
    .map(([base, above]) => above.map((value) => BigInt.asUintN(64, base + value))),
);

function packed(values: readonly bigint[], keys: readonly number[] | undefined): Uint8Array {
  const column = new NumberColumn(keys !== undefined);
  values.forEach((value, i) => {
    column.push(Number(value & 0xffffffffn), Number(value >> 32n), keys?.[i]);
  });
  return column.bytes();
}

function unpacked(bytes: Uint8Array, keys: readonly number[] | undefined): bigint[] {
  const cursor = new ByteCursor(bytes);
  const reader = new NumberColumnReader(cursor, keys !== undefined);
  const values: bigint[] = [];
  for (let i = 0; i < reader.length; i++) {
    reader.next(keys?.[i]);
    values.push((BigInt(reader.high) << 32n) | BigInt(reader.low));
  }
  reader.end();
  cursor.end();
  return values;
}

test('there and back, with keys and without', () => {
  fc.assert(
    fc.property(numbers, fc.infiniteStream(fc.nat(3)), fc.boolean(), (values, stream, isKeyed) => {
      const keys = isKeyed ? values.map(() => stream.next().value) : undefined;
      assert.deepEqual(unpacked(packed(values, keys), keys), values);
    }),
    { numRuns: 3000 },
  );
});

test('each form is chosen where it is the shortest', () => {
  const formOf = (values: readonly bigint[], keys?: readonly number[]): number => (packed(values, keys)[1] as number) & 3;
  const count = 100;
  const make = (of: (i: number) => bigint): bigint[] => Array.from({ length: count }, (_, i) => BigInt.asUintN(64, of(i)));
  assert.equal(formOf(make((i) => 10n ** 12n + BigInt((i * 37) % 64))), 0);
  assert.equal(formOf(make((i) => BigInt(((i * 37) % 11) - 5))), 1);
  assert.equal(formOf(make((i) => 10n ** 12n + BigInt(i) * 1000n)), 2);
  const keys = Array.from({ length: count }, (_, i) => i % 3);
  assert.equal(
    formOf(
      make((i) => 10n ** BigInt(3 + 4 * (i % 3)) + BigInt(i)),
      keys,
    ),
    3,
  );
  // What is always the same takes no bytes.
  assert.equal(packed(new Array(100_000).fill(7n), undefined).length, 6);
});

test('bytes that are no column', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, isKeyed) => {
      const cursor = new ByteCursor(bytes);
      try {
        const reader = new NumberColumnReader(cursor, isKeyed);
        for (let i = 0; i < 50; i++) reader.next(i % 3);
      } catch (error) {
        assert.ok(error instanceof HeddleError && error.code === 'MALFORMED', `${error}`);
      }
    }),
    { numRuns: 5000 },
  );
  const refused = (...bytes: number[]): void => {
    assert.throws(() => new NumberColumnReader(new ByteCursor(Uint8Array.from(bytes))), { code: 'MALFORMED' });
  };
  refused();
  refused(1);
  refused(1, 3, 0); // Keys where there are none.
  refused(1, 9 << 2, 0); // Nine bytes wide.
  refused(1, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  refused(0xff, 0xff, 0xff, 0xff, 0x0f, 1 << 2, 0, 1, 2, 3); // Four billion numbers in three bytes.
});
