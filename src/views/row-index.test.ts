/** An index has the rows of a plain map of sets, whatever hashes collide; hashes are spread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashOfFive, hashOfNeighbour, hashOfPair, NONE, RowIndex } from './row-index.ts';

function rowsOf(index: RowIndex, hash: number): number[] {
  const rows: number[] = [];
  for (let at = index.first(hash); at !== NONE; at = index.next(at, hash)) rows.push(index.row(at));
  return rows.sort((a, b) => a - b);
}

test('adding, replacing and removing leave what a plain map has', () => {
  // Few hashes, of which many point to the same or to neighbouring places, the last ones among them.
  const hashes = [0, 1, 2, 16, 17, 14, 15, 31, 1023, -1, -2, 0x7fffffff, -0x80000000];
  const step = fc.record({ hash: fc.constantFrom(...hashes), row: fc.integer({ min: 1, max: 40 }), by: fc.integer({ min: 41, max: 80 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const index = new RowIndex();
      const plain = new Map<number, Set<number>>(hashes.map((hash) => [hash, new Set()]));
      for (const { hash, row, by } of steps) {
        const rows = plain.get(hash) as Set<number>;
        if (!rows.has(row)) {
          index.add(hash, row);
          rows.add(row);
        } else if (by % 3 === 0 && !rows.has(by)) {
          let at = index.first(hash);
          while (index.row(at) !== row) at = index.next(at, hash);
          index.replace(at, by);
          rows.delete(row);
          rows.add(by);
        } else {
          index.remove(hash, row);
          rows.delete(row);
        }
      }
      for (const [hash, rows] of plain)
        assert.deepEqual(
          rowsOf(index, hash),
          [...rows].sort((a, b) => a - b),
        );
    }),
    { numRuns: 300 },
  );
});

test('what is not there cannot be removed', () => {
  const index = new RowIndex();
  index.add(7, 1);
  assert.throws(() => index.remove(7, 2), /in it/);
  assert.throws(() => index.remove(8, 1), /in it/);
});

test('every bit of a key counts', () => {
  type Five = [number, number, number, number, number];
  type Pair = [number, number];
  const words = fc.array(fc.nat(0xffffffff), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(words, fc.nat(4), fc.nat(31), (key, word, bit) => {
      const changed = (at: number): number[] => key.with(at, ((key[at] as number) ^ (1 << bit)) >>> 0);
      assert.equal(hashOfFive(...(key as Five)), hashOfFive(...([...key] as Five)));
      assert.notEqual(hashOfFive(...(key as Five)), hashOfFive(...(changed(word) as Five)));
      const [pair, other] = [key, changed(word % 2)].map((of) => of.slice(0, 2) as Pair) as [Pair, Pair];
      assert.notEqual(hashOfPair(...pair), hashOfPair(...other));
      assert.notEqual(hashOfNeighbour(...pair), hashOfNeighbour(...other));
    }),
  );
});

test('keys in a row are spread over all places, or by eights', () => {
  const places = (hashes: readonly number[], bits: number): number => new Set(hashes.map((hash) => (hash >>> bits) & 1023)).size;
  const keys = Array.from({ length: 4096 }, (_, i) => i);
  // Where 4,096 keys fall anywhere, all but one in 55 of 1,024 places are hit; that half of them are not is as good as impossible.
  assert.ok(
    places(
      keys.map((key) => hashOfPair(key << 13, 0)),
      0,
    ) > 512,
  );
  assert.ok(
    places(
      keys.map((key) => hashOfNeighbour(8 * key, 0)),
      3,
    ) > 512,
  );
  for (const key of keys.slice(0, 8)) assert.equal(hashOfNeighbour(80 + key, 7), hashOfNeighbour(80, 7) + key);
});
