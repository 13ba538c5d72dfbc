/** An index has the numbers of a plain map of sets, whatever hashes collide. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HashIndex, NONE } from './hash-index.ts';

const ascending = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);

function numbersOf(index: HashIndex, hash: number): number[] {
  const numbers: number[] = [];
  for (let at = index.first(hash); at !== NONE; at = index.next(at, hash)) numbers.push(index.number(at));
  return ascending(numbers);
}

// Few hashes, of which many point to the same or to neighbouring places, the last ones among them.
const HASHES = [0, 1, 2, 16, 17, 14, 15, 31, 1023, -1, -2, 0x7fffffff, -0x80000000];

test('adding, replacing, removing and clearing leave what a plain map has', () => {
  const step = fc.record({
    hash: fc.constantFrom(...HASHES),
    number: fc.integer({ min: 1, max: 40 }),
    by: fc.integer({ min: 41, max: 80 }),
    clears: fc.nat(150).map((at) => at === 0),
  });
  fc.assert(
    fc.property(fc.nat(200), fc.array(step, { maxLength: 300, size: 'max' }), (room, steps) => {
      const index = new HashIndex(room);
      const plain = new Map<number, Set<number>>(HASHES.map((hash) => [hash, new Set()]));
      for (const { hash, number, by, clears } of steps) {
        const numbers = plain.get(hash) as Set<number>;
        if (clears) {
          index.clear();
          for (const each of plain.values()) each.clear();
        } else if (!numbers.has(number)) {
          index.add(hash, number);
          numbers.add(number);
        } else if (by % 3 === 0 && !numbers.has(by)) {
          let at = index.first(hash);
          while (index.number(at) !== number) at = index.next(at, hash);
          index.replace(at, by);
          numbers.delete(number);
          numbers.add(by);
        } else {
          index.remove(hash, number);
          numbers.delete(number);
        }
      }
      for (const [hash, numbers] of plain) assert.deepEqual(numbersOf(index, hash), ascending(numbers));
    }),
    { numRuns: 300 },
  );
});

test('a large table that was emptied is filled again, with few and with many', () => {
  const index = new HashIndex();
  for (const count of [5000, 3, 40, 5000, 5000, 0, 1]) {
    for (let i = 1; i <= count; i++) index.add(i * 64, i);
    for (let i = 1; i <= 5000; i++) assert.deepEqual(numbersOf(index, i * 64), i <= count ? [i] : []);
    index.clear();
  }
});

test('what is not there cannot be removed, and 0 cannot be added', () => {
  const index = new HashIndex();
  index.add(7, 1);
  assert.throws(() => index.remove(7, 2), /in it/);
  assert.throws(() => index.remove(8, 1), /in it/);
  assert.throws(() => index.add(7, 0), /no 0/);
});
