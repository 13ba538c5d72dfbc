/** Packed changes: what is packed comes back, whatever the lengths, and bytes that are none are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PackedChanges, type RecordChange } from './packed-changes.ts';

const large = fc.integer({ min: 60_000, max: 65_534 }).map((length) => new Uint8Array(length).fill(length));
const value = fc.oneof(fc.uint8Array({ maxLength: 80 }), large, fc.constant(undefined));
const change = fc.record({ key: fc.uint8Array({ minLength: 1, maxLength: 255 }), value }, { noNullPrototype: true });

/** What a cursor comes across. */
function foundBy(packed: PackedChanges): RecordChange[] {
  const found: RecordChange[] = [];
  const change = packed.cursor();
  while (change.next()) {
    const { view, keyAt, keyBytes, valueAt, valueBytes } = change;
    const bytes = (at: number, length: number): Uint8Array => new Uint8Array(view.buffer, view.byteOffset + at, length);
    assert.deepEqual(change.keyFrom(1), bytes(keyAt + 1, keyBytes - 1));
    found.push({ key: bytes(keyAt, keyBytes), value: valueBytes < 0 ? undefined : bytes(valueAt, valueBytes) });
  }
  return found;
}

test('what is packed comes back, in its order, over any number of pieces', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const packed = PackedChanges.of(changes);
      assert.deepEqual([...packed], changes);
      assert.deepEqual(foundBy(packed), changes);
      assert.deepEqual([...PackedChanges.inPieces(changes)].flatMap(foundBy), changes);
      // Pieces may be put together from anywhere.
      assert.deepEqual([...new PackedChanges([...packed.pieces, ...PackedChanges.of(changes).pieces])], [...changes, ...changes]);
    }),
    { numRuns: 60 },
  );
});

test('a cursor reads the numbers of keys, highest byte first', () => {
  const change = PackedChanges.of([{ key: Uint8Array.of(7, 0, 0, 1, 2, 0xff, 0, 0, 3), value: Uint8Array.of(1) }]).cursor();
  assert.ok(change.next());
  assert.deepEqual([change.field(0), change.field(1)], [258, 0xff000003]);
  assert.equal(change.next(), false);
  assert.equal(change.next(), false);
});

test('the format', () => {
  const changes: RecordChange[] = [
    { key: Uint8Array.of(7, 8), value: Uint8Array.of(1, 2, 3) },
    { key: Uint8Array.of(9), value: undefined },
    { key: Uint8Array.of(9), value: new Uint8Array() },
  ];
  const [piece, ...others] = PackedChanges.of(changes).pieces;
  assert.deepEqual(others, []);
  assert.deepEqual([...(piece ?? [])], [2, 3, 0, 7, 8, 1, 2, 3, 1, 0xff, 0xff, 9, 1, 0, 0, 9]);
  assert.deepEqual(PackedChanges.of([]).pieces, []);
  const largest = { key: new Uint8Array(255).fill(1), value: new Uint8Array(65_534).fill(2) };
  assert.deepEqual([...PackedChanges.of([largest])], [largest]);
});

test('lengths that do not fit, and bytes that are no changes, are refused', () => {
  assert.throws(() => PackedChanges.of([{ key: new Uint8Array(), value: undefined }]), /a key of 0 bytes/);
  assert.throws(() => PackedChanges.of([{ key: new Uint8Array(256), value: undefined }]), /a key of 256 bytes/);
  assert.throws(() => PackedChanges.of([{ key: Uint8Array.of(1), value: new Uint8Array(65_535) }]), /a value of 65535 bytes/);
  for (const piece of [
    [1, 0],
    [1, 0, 0],
    [0, 0, 0, 1],
    [1, 2, 0, 5, 1],
    [1, 0xfe, 0xff, 5],
  ]) {
    assert.throws(() => new PackedChanges([Uint8Array.from(piece)]), /assertion failed/, `${piece}`);
  }
});
