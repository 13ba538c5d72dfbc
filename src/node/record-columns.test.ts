/** Records in columns: any records come back, whatever their keys and values, and damage is an error or other records, never more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeddleError } from '../base/errors.ts';
import type { TreeRecord } from '../commitment/state-tree.ts';
import { decodeRecords, encodeRecords } from './record-columns.ts';

const numbered = fc.tuple(fc.constantFrom(1, 16, 19), fc.nat(2000), fc.constantFrom(0, 4, 8)).map(([recordClass, number, bytes]) => {
  const key = Buffer.alloc(1 + bytes);
  key[0] = recordClass;
  if (bytes > 0) key.writeUInt32BE(number, 1);
  return new Uint8Array(key);
});
const key = fc.oneof(numbered, fc.uint8Array({ minLength: 1, maxLength: 40 }));
const value = fc
  .oneof(
    fc.uint8Array({ maxLength: 56 }),
    fc.bigInt(-1000n, 10n ** 12n).map((number) => new Uint8Array(BigInt64Array.of(number, number * 2n, 7n).buffer)),
  )
  .map((bytes) => bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1));
const records = fc.uniqueArray(fc.record({ key, value }, { noNullPrototype: true }), {
  maxLength: 60,
  selector: (record) => Buffer.from(record.key).toString('hex'),
});

const sorted = (list: readonly TreeRecord[]): string[] =>
  list.map((record) => `${Buffer.from(record.key).toString('hex')} ${Buffer.from(record.value).toString('hex')}`).sort();

test('there and back, the same bytes in every order', () => {
  fc.assert(
    fc.property(records, (list) => {
      const bytes = encodeRecords(list);
      assert.deepEqual(sorted(decodeRecords(bytes)), sorted(list));
      assert.deepEqual(encodeRecords(list.toReversed()), bytes);
    }),
    { numRuns: 2000 },
  );
});

test('bytes that are no records, and damaged ones', () => {
  const attempt = (bytes: Uint8Array): boolean => {
    try {
      const found = decodeRecords(bytes);
      assert.equal(new Set(sorted(found).map((text) => text.split(' ')[0])).size, found.length);
      return true;
    } catch (error) {
      assert.ok(error instanceof HeddleError && error.code === 'MALFORMED', `${error}`);
      return false;
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => void attempt(bytes)),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(records, fc.nat(), fc.nat(255), fc.boolean(), (list, at, byte, isCut) => {
      const bytes = encodeRecords(list);
      if (bytes.length === 0) return;
      attempt(isCut ? bytes.subarray(0, at % bytes.length) : bytes.with(at % bytes.length, byte));
    }),
    { numRuns: 3000 },
  );
  // Four billion records, and one twice.
  assert.ok(!attempt(Uint8Array.of(1, 4, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0)));
  assert.ok(attempt(Uint8Array.of(1, 4, 1, 0, 1, 0, 1, 9)));
  assert.ok(!attempt(Uint8Array.of(1, 4, 2, 0, 2, 0, 1, 9)));
  assert.ok(!attempt(Uint8Array.of(1, 4, 1, 0, 1, 0, 1, 9, 1, 4, 1, 0, 1, 0, 1, 9)));
});
