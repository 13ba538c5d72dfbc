/** The definition of the state root, case by case and frozen: a change of any value here is a change of every root. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as X from '../exchange/layout.ts';
import { keyedBlake3, labelled } from './blake3.ts';
import { committedValue, leafOf, NOTHING, nodeOf, pathOf, rootOf, type TreeRecord } from './state-tree.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const record = (key: string, value: string): TreeRecord => ({ key: bytes(key), value: bytes(value) });
const leaf = ({ key, value }: TreeRecord): Uint8Array => leafOf(key, committedValue(key, value));

test('paths, leaves and nodes are keyed hashes of their labels', () => {
  const key = bytes('0100000007');
  const value = bytes('aabb');
  assert.equal(hex(pathOf(key)), hex(labelled('heddle path 1')(key)));
  assert.equal(hex(leafOf(key, value)), hex(labelled('heddle leaf 1')(bytes('0100000007aabb05'))));
  assert.equal(hex(nodeOf(pathOf(key), NOTHING)), hex(labelled('heddle node 1')(bytes(hex(pathOf(key)) + '00'.repeat(32)))));
  assert.notEqual(hex(leafOf(key, value)), hex(keyedBlake3(NOTHING, bytes('0100000007aabb'))));
});

test('the root of nothing is zero, that of one record is its leaf', () => {
  assert.equal(hex(rootOf([])), '00'.repeat(32));
  const only = record('0100000007', 'aabb0000');
  assert.equal(hex(rootOf([only])), hex(leafOf(only.key, bytes('aabb'))));
});

test('several records lie by the bits of their paths, the most significant first', () => {
  const records = Array.from({ length: 40 }, (_, i) => record(`12${i.toString(16).padStart(8, '0')}`, `${(i + 16).toString(16)}`));
  const startsWith = (bits: string) =>
    records.filter(({ key }) =>
      BigInt(`0x1${hex(pathOf(key))}`)
        .toString(2)
        .slice(1)
        .startsWith(bits),
    );
  const first = startsWith('0')[0] as TreeRecord;
  const second = startsWith('1')[0] as TreeRecord;
  const expected = hex(nodeOf(leaf(first), leaf(second)));
  assert.equal(hex(rootOf([first, second])), expected);
  assert.equal(hex(rootOf([second, first])), expected);

  // A path of nodes with nothing at their other side leads to records that part late.
  const [a, b] = [startsWith('010')[0], startsWith('011')[0]] as [TreeRecord, TreeRecord];
  assert.equal(hex(rootOf([a, b])), hex(nodeOf(nodeOf(NOTHING, nodeOf(leaf(a), leaf(b))), NOTHING)));
});

test('frozen roots', () => {
  const records = [
    record(`${X.CLASS_MARGIN_ACCOUNT.toString(16)}00000001`, '01'.repeat(56)),
    record(`${X.CLASS_ORDER.toString(16)}0000000100000002`, '02'.repeat(56)),
    record(`${X.CLASS_PRICE.toString(16)}00000003`, `${'03'.repeat(9)}${'00'.repeat(47)}`),
    record(`${X.CLASS_SEED.toString(16)}`, '00'.repeat(24)),
  ];
  const roots = records.map((_, i) => hex(rootOf(records.slice(0, i + 1))));
  assert.deepEqual(roots, [
    '4608c61c8651a3a343a2f88870b8a2843786a24471fa4832751bf3f5845f1cb0',
    '0c0e176b712b8a2155dfcbb42c8d1488a23bab7dfe2e7f99d6cb670d33e35452',
    '81392efb1b4b99faedd9436fb3ba04396c5ac8dbd87fbbe2ddf8d2ff82bb2d78',
    '06d33299e8755ce999d49869dfb24a760d96f8d841ee92e4245b5d11bb5c2ab9',
  ]);
});

test('the root is that of the set: order and trailing zeros do not show, everything else does', () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 9 });
  const entry = fc.record({ key, value: fc.uint8Array({ maxLength: 56 }) });
  const entries = fc.uniqueArray(entry, { minLength: 1, maxLength: 30, selector: (one) => hex(one.key) });
  fc.assert(
    fc.property(entries, fc.nat(), fc.nat({ max: 55 }), (records, which, at) => {
      const root = hex(rootOf(records));
      assert.equal(hex(rootOf(records.map((one) => ({ ...one, value: committedValue(one.key, one.value) })).reverse())), root);
      const index = which % records.length;
      const changed = records.map(({ key, value }) => ({ key, value: Uint8Array.from({ length: 56 }, (_, i) => value[i] ?? 0) }));
      assert.equal(hex(rootOf(changed)), root);
      const { key, value } = changed[index] as TreeRecord;
      value[at] = (value[at] as number) ^ 1;
      const before = committedValue(key, (records[index] as TreeRecord).value);
      assert.equal(hex(rootOf(changed)) === root, hex(committedValue(key, value)) === hex(before));
      assert.notEqual(hex(rootOf(records.toSpliced(index, 1))), root);
    }),
    { numRuns: 200 },
  );
});

test('what follows from other records is left out of values', () => {
  // The layout's offsets (positionValue, positionMargin, maintenance; location of the client id) count from the record's header of 8 bytes.
  const payload = Uint8Array.from({ length: 56 }, (_, i) => i + 1);
  const shown = (recordClass: number): Uint8Array => committedValue(Uint8Array.of(recordClass, 0, 0, 0, 1), payload);
  const margin = payload.slice();
  for (const field of [16, 24, 32]) margin.fill(0, field - 8, field);
  assert.deepEqual(shown(X.CLASS_MARGIN_ACCOUNT), margin);
  assert.deepEqual(shown(X.CLASS_ORDER), payload.slice(0, 60 - 8));
  assert.deepEqual(shown(X.CLASS_POSITION), payload);
});

test('a committed value has memory of its own, no trailing zeros, and is itself once more', () => {
  const key = fc.constantFrom(X.CLASS_MARGIN_ACCOUNT, X.CLASS_ORDER, X.CLASS_POSITION).map((recordClass) => Uint8Array.of(recordClass));
  fc.assert(
    fc.property(key, fc.uint8Array({ maxLength: 56 }), (recordKey, payload) => {
      const memory = Buffer.from(payload);
      const value = committedValue(recordKey, memory);
      assert.notEqual(value.at(-1), 0);
      assert.deepEqual(committedValue(recordKey, value), value);
      value.fill(255);
      assert.deepEqual(new Uint8Array(memory), payload);
    }),
  );
});
