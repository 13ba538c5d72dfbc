/** Rows of words come back, wherever fields of 64 bits may lie and whatever is in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteCursor } from './byte-cursor.ts';
import { packWordColumns, WordRowReader } from './word-columns.ts';

const word = fc.oneof(fc.nat(10), fc.nat(0xffffffff), fc.constantFrom(0, 0xffffffff, 0x80000000));
const rows = fc.nat(7).chain((words) => fc.array(fc.array(word, { minLength: words, maxLength: words }), { minLength: 1, maxLength: 30 }));

function packed(list: readonly (readonly number[])[], place: number): Uint8Array {
  const words = list[0]?.length ?? 0;
  return packWordColumns(
    Array.from({ length: words }, (_, at) => Uint32Array.from(list, (row) => row[at] as number)),
    place,
  );
}

test('there and back', () => {
  fc.assert(
    fc.property(rows, fc.nat(3), (list, place) => {
      const words = list[0]?.length ?? 0;
      const cursor = new ByteCursor(packed(list, place));
      const reader = new WordRowReader(cursor, words, place);
      cursor.end();
      const found = list.map(() => {
        const row = new Uint32Array(words + 1);
        reader.next(row, 1);
        return [...row.subarray(1)];
      });
      reader.end();
      assert.deepEqual(found, list);
      if (words > 0) assert.throws(() => reader.next(new Uint32Array(words), 0), { code: 'MALFORMED' });
    }),
    { numRuns: 2000 },
  );
});

test('a field of 64 bits is found by its sign, where it can lie', () => {
  const list = Array.from({ length: 200 }, (_, i) => [...new Uint32Array(BigInt64Array.of(BigInt((i * 37) % 101) - 50n).buffer)]);
  assert.ok(packed(list, 0).length < 1.2 * list.length);
  assert.ok(packed(list, 1).length > 3 * list.length);
});
