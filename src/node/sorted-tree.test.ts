/** The tree over sorted records answers as the naive one does: the same root, and the same proofs of any keys. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { NaiveTree } from '../commitment/naive-tree.ts';
import { prove } from '../commitment/proof.ts';
import { rootOf } from '../commitment/state-tree.ts';
import { verifyProof } from '../commitment/verify.ts';
import { SortedTree } from './sorted-tree.ts';

test('roots and proofs of random records are those of the naive tree', () => {
  const random = new Random(11);
  const bytes = (length: number) => Uint8Array.from({ length }, () => random.below(4));
  for (const count of [0, 1, 2, 3, 17, 120]) {
    const records = new Map(
      Array.from({ length: count }, () => bytes(9)).map((key) => [`${key}`, { key, value: bytes(random.below(40)) }]),
    );
    const [sorted, naive] = [new SortedTree(records.values()), new NaiveTree(records.values())];
    assert.deepEqual(sorted.root, rootOf(records.values()));
    for (let round = 0; round < 10; round++) {
      const known = records.size === 0 ? [] : [random.pick([...records.values()]).key, random.pick([...records.values()]).key];
      const keys = [...known, bytes(1 + random.below(9))];
      const proof = prove(sorted, keys);
      assert.deepEqual(proof, prove(naive, keys));
      verifyProof(sorted.root, proof);
    }
  }
});

test('a hundred thousand records', () => {
  const records = Array.from({ length: 100_000 }, (_, i) => {
    const key = Uint8Array.of(1, i & 255, (i >> 8) & 255, i >> 16);
    return { key, value: key };
  });
  const tree = new SortedTree(records);
  const keys = records.filter((_, i) => i % 9999 === 0).map(({ key }) => key);
  const { entries } = verifyProof(tree.root, prove(tree, keys));
  assert.equal(entries.length, keys.length);
  for (const { key, value } of entries)
    assert.deepEqual(value, key.at(-1) === 0 ? key.subarray(0, key.findLastIndex((byte) => byte !== 0) + 1) : key);
});
