/** Whatever two keys differ in, their hashes do; hashes of keys in a row are spread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashOfBytes, hashOfFive, hashOfNeighbour, hashOfPair } from './key-hash.ts';

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

test('every bit of bytes counts, as good as always', () => {
  for (const length of [1, 2, 3, 4, 5, 30, 254, 255]) {
    const key = Uint8Array.from({ length }, (_, i) => 37 * i);
    const hash = hashOfBytes(key, 0, length);
    let same = 0;
    for (let bit = 0; bit < 8 * length; bit++) {
      const changed = key.with(bit >> 3, (key[bit >> 3] as number) ^ (1 << (bit & 7)));
      if (hashOfBytes(changed, 0, length) === hash) same++;
    }
    // One of 2^17 at the most for the highest bit of a digit, and fewer for others.
    assert.ok(same < 4, `${same} keys of ${length} bytes`);
  }
});

test('bytes have a hash wherever they are, and another one with a 0 behind them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 254 }), fc.nat(3), (key, from) => {
      const hash = hashOfBytes(key, 0, key.length);
      const placed = Uint8Array.of(...new Uint8Array(from).fill(7), ...key, 0);
      assert.equal(hashOfBytes(placed, from, key.length), hash);
      assert.notEqual(hashOfBytes(placed, from, key.length + 1), hash);
    }),
  );
});
