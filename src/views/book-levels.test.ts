/** Books: levels in order whatever the order of changes, and what aggregation makes of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BookLevel, BookLevels } from './book-levels.ts';

const changes = fc.array(
  fc.record({
    price: fc.integer({ min: 1, max: 4000 }),
    sell: fc.boolean(),
    lots: fc.oneof(fc.bigInt({ min: 0n, max: 50n }), fc.bigInt({ min: 2n ** 31n - 2n, max: 2n ** 62n })),
  }),
  { maxLength: 300, size: 'max' },
);

function set(book: BookLevels, priceTicks: number, sell: boolean, lots: bigint, orders: number): void {
  book.set(priceTicks, sell, Number(BigInt.asUintN(32, lots)), Number(BigInt.asUintN(32, lots >> 32n)), orders);
}

/** A price has orders of one side; without lots there is no level. */
function bookOf(found: readonly { price: number; sell: boolean; lots: bigint }[]): {
  book: BookLevels;
  plain: Map<number, { sell: boolean; lots: bigint }>;
} {
  const book = new BookLevels();
  const plain = new Map<number, { sell: boolean; lots: bigint }>();
  for (const { price, sell, lots } of found) {
    if (lots === 0n) book.remove(price);
    else set(book, price, sell, lots, 1);
    if (lots === 0n) plain.delete(price);
    else plain.set(price, { sell, lots });
  }
  return { book, plain };
}

test('levels are those that were set last, best first', () => {
  fc.assert(
    fc.property(changes, (found) => {
      const { book, plain } = bookOf(found);
      for (const sell of [false, true]) {
        const expected = [...plain]
          .filter(([, level]) => level.sell === sell)
          .sort(([a], [b]) => (sell ? a - b : b - a))
          .map(([priceTicks, { lots }]) => ({ priceTicks, lots, orders: 1 }));
        assert.deepEqual([...book.levels(sell)], expected);
        assert.deepEqual(sell ? book.bestAsk : book.bestBid, expected[0]);
        assert.deepEqual(book.top(sell, 20), expected.slice(0, 20));
      }
    }),
    { numRuns: 60 },
  );
});

test('aggregation rounds bids down and asks up, and loses nothing', () => {
  const aggregation = fc.constantFrom(
    { digits: 2, step: 1 },
    { digits: 3, step: 1 },
    { digits: 4, step: 1 },
    { digits: 5, step: 2 },
    { digits: 5, step: 5 },
  );
  const sum = (levels: Iterable<BookLevel>): bigint => [...levels].reduce((total, { lots }) => total + lots, 0n);
  fc.assert(
    fc.property(changes, aggregation, (found, how) => {
      const { book } = bookOf(found);
      for (const sell of [false, true]) {
        const levels = book.top(sell, Number.POSITIVE_INFINITY, how);
        assert.equal(sum(levels), sum(book.levels(sell)));
        const prices = levels.map(({ priceTicks }) => priceTicks);
        assert.equal(new Set(prices).size, prices.length);
        assert.deepEqual(
          prices,
          [...prices].sort((a, b) => (sell ? a - b : b - a)),
        );
        const best = sell ? book.bestAsk : book.bestBid;
        if (best !== undefined) assert.ok(sell ? (prices[0] ?? 0) >= best.priceTicks : (prices[0] ?? 0) <= best.priceTicks);
      }
    }),
    { numRuns: 100 },
  );
  const book = new BookLevels();
  set(book, 123_456, false, 1n, 1);
  set(book, 123_461, true, 2n, 3);
  assert.deepEqual(book.top(false, 20, { digits: 5, step: 1 }), [{ priceTicks: 123_450, lots: 1n, orders: 1 }]);
  assert.deepEqual(book.top(true, 20, { digits: 5, step: 5 }), [{ priceTicks: 123_500, lots: 2n, orders: 3 }]);
  assert.deepEqual(book.top(true, 20, { digits: 2, step: 1 }), [{ priceTicks: 130_000, lots: 2n, orders: 3 }]);
});
