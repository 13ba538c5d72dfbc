/** Roots of lists and proofs of items: the shape, what is bound, and that nothing else verifies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { labelled } from './blake3.ts';
import { listRoot, proveItem, verifyItem } from './item-list.ts';
import { ProofError, type ProofErrorCode } from './proof-error.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const hashOf = (label: string, ...parts: Uint8Array[]): Uint8Array => labelled(label)(Uint8Array.from(parts.flatMap((part) => [...part])));
const item = (bytes: Uint8Array): Uint8Array => hashOf('heddle item 1', bytes);
const pair = (left: Uint8Array, right: Uint8Array): Uint8Array => hashOf('heddle pair 1', left, right);
const rootOf = (count: number, tree: Uint8Array): string => hex(hashOf('heddle list 1', Uint8Array.of(count, 0, 0, 0, 0, 0, 0, 0), tree));

const items = (minLength: number) => fc.array(fc.uint8Array({ maxLength: 6 }), { minLength, maxLength: 40 });
const refused = (code: ProofErrorCode, root: Uint8Array, bytes: Uint8Array, proof: Uint8Array): void =>
  assert.throws(() => verifyItem(root, bytes, proof), { name: 'ProofError', code });

test('the shape: powers of two to the left, what is left over goes up as it is', () => {
  const list = Array.from({ length: 7 }, (_, i) => Uint8Array.of(i, i));
  const [a, b, c, d, e, f, g] = list.map(item) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const trees = [
    new Uint8Array(32),
    a,
    pair(a, b),
    pair(pair(a, b), c),
    pair(pair(a, b), pair(c, d)),
    pair(pair(pair(a, b), pair(c, d)), e),
    pair(pair(pair(a, b), pair(c, d)), pair(e, f)),
    pair(pair(pair(a, b), pair(c, d)), pair(pair(e, f), g)),
  ];
  trees.forEach((tree, count) => {
    assert.equal(hex(listRoot(list.slice(0, count))), rootOf(count, tree));
  });
});

test('every item of a list is proven at its position', () => {
  fc.assert(
    fc.property(items(1), (list) => {
      const root = listRoot(list);
      list.forEach((bytes, index) => {
        assert.deepEqual(verifyItem(root, bytes, proveItem(list, index)), { index, count: list.length });
      });
    }),
    { numRuns: 50 },
  );
});

test('two lists have two roots', () => {
  fc.assert(
    fc.property(items(0), items(0), (one, other) => {
      assert.equal(hex(listRoot(one)) === hex(listRoot(other)), JSON.stringify(one.map(hex)) === JSON.stringify(other.map(hex)));
    }),
    { numRuns: 100 },
  );
  // What would be the same tree without the number of items: an item that is a pair of hashes, a list that lacks its end.
  const [a, b, c] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
  assert.notEqual(hex(listRoot([a, b])), hex(listRoot([Uint8Array.of(...item(a), ...item(b))])));
  assert.notEqual(hex(listRoot([a, b, c, c])), hex(listRoot([a, b, c])));
});

test('changed, cut or lengthened proofs: refused, or true', () => {
  const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(
      items(1),
      fc.nat(),
      fc.array(change, { minLength: 20, maxLength: 20 }),
      fc.uint8Array({ minLength: 1 }),
      (list, at, all, more) => {
        const root = listRoot(list);
        const bytes = list[at % list.length] as Uint8Array;
        const proof = proveItem(list, at % list.length);
        for (const [byte, mask] of all) {
          const changed = proof.slice();
          changed[byte % proof.length] = (changed[byte % proof.length] as number) ^ mask;
          try {
            const { index, count } = verifyItem(root, bytes, changed);
            assert.equal(count, list.length);
            assert.equal(hex(list[index] as Uint8Array), hex(bytes));
          } catch (error) {
            if (!(error instanceof ProofError)) throw error;
          }
        }
        for (let length = 0; length < proof.length; length++) refused('TRUNCATED_PROOF', root, bytes, proof.slice(0, length));
        refused('TRAILING_BYTES', root, bytes, Uint8Array.of(...proof, ...more));
        refused('WRONG_ROOT', root, Uint8Array.of(...bytes, 0), proof);
        refused('WRONG_ROOT', root.slice(1), bytes, proof);
      },
    ),
    { numRuns: 100 },
  );
});

test('the number of items is bound: the same hashes prove nothing about a longer or a shorter list', () => {
  const list = Array.from({ length: 6 }, (_, i) => Uint8Array.of(i));
  const root = listRoot(list);
  const proof = proveItem(list, 0);
  const claimed = (index: number, count: number): Uint8Array => {
    const changed = proof.slice();
    new DataView(changed.buffer).setUint32(1, index, true);
    new DataView(changed.buffer).setUint32(5, count, true);
    return changed;
  };
  assert.deepEqual(verifyItem(root, Uint8Array.of(0), claimed(0, 6)), { index: 0, count: 6 });
  // Item 0 of 5, 7 and 8 items has as many hashes beside it.
  for (const count of [5, 7, 8]) refused('WRONG_ROOT', root, Uint8Array.of(0), claimed(0, count));
  refused('WRONG_ROOT', root, Uint8Array.of(0), claimed(1, 6));
  refused('MALFORMED_PROOF', root, Uint8Array.of(0), claimed(6, 6));
  refused('MALFORMED_PROOF', root, Uint8Array.of(0), claimed(0, 0));
  refused('TRUNCATED_PROOF', root, Uint8Array.of(0), claimed(0, 0xffffffff));
  const other = proof.slice();
  other[0] = 2;
  refused('UNKNOWN_PROOF_VERSION', root, Uint8Array.of(0), other);
});

test('an item that the list does not have stops the process', () => {
  for (const index of [-1, 0.5, 2]) assert.throws(() => proveItem([Uint8Array.of(0), Uint8Array.of(1)], index), { name: 'AssertionError' });
});

test('any bytes: refused', () => {
  const list = Array.from({ length: 5 }, (_, i) => Uint8Array.of(i));
  const root = listRoot(list);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.throws(
        () => verifyItem(root, Uint8Array.of(0), Uint8Array.of(1, ...bytes)),
        (error) => error instanceof ProofError,
      );
    }),
    { numRuns: 500 },
  );
});
