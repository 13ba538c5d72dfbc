/** A log of packed rows has what a log of objects has, and says of every row once that it goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BoundedLog } from './bounded-log.ts';
import { PackedLog, type RowCodec } from './packed-log.ts';

interface Entry {
  readonly timeMs: number;
  readonly number: number;
}

const OWNERS = [0, 1, 2, 3, 2 ** 24 + 1, 2 ** 32 - 1];

function codec(gone: number[] = []): RowCodec<Entry> {
  return {
    bytes: 4,
    write: (view, at, { number }) => view.setUint32(at, number, true),
    read: (view, at, timeMs) => ({ timeMs, number: view.getUint32(at, true) }),
    gone: (view, at) => gone.push(view.getUint32(at, true)),
  };
}

test('every question has the answer of the log of objects', () => {
  const step = fc.record({ owner: fc.constantFrom(...OWNERS), later: fc.nat(3) });
  const question = fc.record({ owner: fc.constantFrom(...OWNERS, 99), from: fc.nat(900), length: fc.nat(400), most: fc.nat(60) });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 700, size: 'max' }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 90 }),
      fc.array(question, { minLength: 20, maxLength: 20 }),
      (steps, each, mostAll, questions) => {
        const gone: number[] = [];
        const packed = new PackedLog<Entry>(codec(gone), { each, all: mostAll });
        const plain = new BoundedLog<number, Entry>({ each, all: mostAll });
        let timeMs = 0;
        steps.forEach(({ owner, later }, number) => {
          timeMs += later;
          packed.push(owner, { timeMs, number });
          plain.push(owner, { timeMs, number });
        });
        const left: number[] = [];
        for (const owner of OWNERS) {
          assert.deepEqual(packed.newest(owner, each), plain.newest(owner, each));
          assert.deepEqual(packed.between(owner, 0, timeMs, Number.POSITIVE_INFINITY), packed.newest(owner, each).reverse());
          for (const { number } of packed.newest(owner, each)) left.push(number);
        }
        for (const { owner, from, length, most } of questions) {
          assert.deepEqual(packed.newest(owner, most), plain.newest(owner, most));
          assert.deepEqual(packed.between(owner, from, from + length, most), plain.between(owner, from, from + length, most));
          const all = plain.between(owner, from, from + length, Number.POSITIVE_INFINITY);
          assert.deepEqual(packed.newestBetween(owner, from, from + length, most), all.reverse().slice(0, most));
        }
        const sorted = [...gone, ...left].sort((a, b) => a - b);
        assert.deepEqual(
          sorted,
          steps.map((_, number) => number),
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('an owner has 32 bits', () => {
  const log = new PackedLog<Entry>(codec(), { each: 1, all: 1 });
  assert.throws(() => log.push(2 ** 32, { timeMs: 0, number: 0 }), /32 bits/);
});
