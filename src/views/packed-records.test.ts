/** Packed records against maps of maps: whatever is put in and taken out, what is there is what was put in last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PackedRecords } from './packed-records.ts';
import type { RecordReader } from './records.ts';

const PAYLOAD_BYTES = { 32: 24, 64: 56 } as const;

/** Few numbers, so that they come again; some as large as they can be, and some that fall on the same places of a small index. */
const number = fc.oneof(
  fc.integer({ min: 0, max: 5 }),
  fc.integer({ min: 0, max: 40 }),
  fc.constantFrom(2 ** 24, 2 ** 24 + 1, 2 ** 32 - 1),
);

const stepsOf = (payloadBytes: number): fc.Arbitrary<{ first: number; second: number; clear: boolean; value: Uint8Array | undefined }[]> =>
  fc.array(
    fc.record({
      first: number,
      second: number,
      clear: fc.nat(40).map((n) => n === 0),
      value: fc.option(fc.uint8Array({ maxLength: payloadBytes }), { nil: undefined, freq: 2 }),
    }),
    { maxLength: 400, size: 'max' },
  );

function payloadOf(payloadBytes: number): (reader: RecordReader) => number[] {
  return (reader) => Array.from({ length: payloadBytes }, (_, i) => reader.u8(8 + i));
}

for (const recordBytes of [32, 64] as const) {
  test(`records of ${recordBytes} bytes are those that were put in last`, () => {
    const payloadBytes = PAYLOAD_BYTES[recordBytes];
    fc.assert(
      fc.property(stepsOf(payloadBytes), (steps) => {
        const packed = new PackedRecords(recordBytes, payloadOf(payloadBytes));
        const plain = new Map<number, Map<number, number[]>>();
        for (const { first, second, clear, value } of steps) {
          if (clear) {
            packed.clear();
            plain.clear();
          }
          const inner = plain.get(first) ?? new Map<number, number[]>();
          if (value === undefined) {
            packed.remove(first, second);
            inner.delete(second);
          } else {
            // The value lies anywhere.
            const shift = value.length % 5;
            const around = new Uint8Array(shift + value.length + 3).fill(0xee);
            around.set(value, shift);
            packed.put(first, second, new DataView(around.buffer), shift, value.length);
            inner.set(second, [...value, ...new Array<number>(payloadBytes - value.length).fill(0)]);
          }
          if (inner.size === 0) plain.delete(first);
          else plain.set(first, inner);
          assert.equal(packed.has(first, second), value !== undefined);
        }
        assert.deepEqual([...packed.firsts()].sort(), [...plain.keys()].sort());
        for (const first of new Set(steps.map((step) => step.first))) {
          const inner = plain.get(first) ?? new Map<number, number[]>();
          assert.deepEqual([...packed.of(first)], [...inner], 'in the order in which they came');
          assert.deepEqual(packed.secondsOf(first), [...inner.keys()]);
          for (const second of new Set(steps.map((step) => step.second))) {
            assert.deepEqual(packed.get(first, second), inner.get(second));
            assert.equal(packed.at(first, second)?.u8(8), inner.get(second)?.[0]);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
}

test('many records, and places that are used again', () => {
  const packed = new PackedRecords(32, (reader) => reader.u32(8));
  const value = new DataView(new ArrayBuffer(4));
  const put = (first: number, second: number): void => {
    value.setUint32(0, first * 1000 + second, true);
    packed.put(first, second, value, 0, 4);
  };
  for (let first = 0; first < 300; first++) for (let second = 0; second < 20; second++) put(first, second);
  for (let first = 0; first < 300; first += 2) for (let second = 0; second < 20; second++) packed.remove(first, second);
  for (let first = 300; first < 450; first++) for (let second = 0; second < 20; second++) put(first, second);
  for (let first = 0; first < 450; first++) {
    const there = first >= 300 || first % 2 === 1;
    for (let second = 0; second < 20; second++) assert.equal(packed.get(first, second), there ? first * 1000 + second : undefined);
  }
});

test('what was cleared is gone, whether there were few records or many, and what comes behind it is there', () => {
  const value = new DataView(new ArrayBuffer(4));
  fc.assert(
    fc.property(fc.array(fc.array(fc.tuple(number, number), { maxLength: 60 }), { minLength: 1, maxLength: 6 }), (rounds) => {
      const packed = new PackedRecords(32, (reader) => reader.u32(8));
      // So that the index is large for all that comes.
      for (let first = 0; first < 3_000; first++) packed.put(first, first % 7, value, 0, 4);
      let before: readonly [first: number, second: number][] = [[17, 3]];
      rounds.forEach((places, round) => {
        packed.clear();
        assert.deepEqual([...packed.firsts()], []);
        for (const [first, second] of before) assert.equal(packed.has(first, second), false);
        const expected = new Map<string, readonly [first: number, second: number, value: number]>();
        places.forEach(([first, second], i) => {
          value.setUint32(0, round * 1000 + i, true);
          packed.put(first, second, value, 0, 4);
          expected.set(`${first} ${second}`, [first, second, round * 1000 + i]);
        });
        for (const [first, second, is] of expected.values()) assert.equal(packed.get(first, second), is);
        before = places;
      });
    }),
    { numRuns: 60 },
  );
});

test('a value that is too long is refused', () => {
  const packed = new PackedRecords(32, () => 0);
  assert.throws(() => packed.put(1, 1, new DataView(new ArrayBuffer(25)), 0, 25), /a value of 25 bytes in a record of 32/);
});
