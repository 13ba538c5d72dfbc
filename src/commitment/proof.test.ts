/**
 * Proofs about the state: what is proven is true, what is true can be proven, and nothing else verifies.
 *
 * Invariant of every test: a proof that verifies says what the records say, and is byte for byte the one that `prove` makes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { importsOf, withoutComments } from '../../tests/tidy-rules.ts';
import { NaiveTree } from './naive-tree.ts';
import { prove } from './proof.ts';
import { ProofError, type ProofErrorCode } from './proof-error.ts';
import { committedValue, compareBytes, leafOf, NOTHING, nodeOf, pathOf, rootOf, sharesPrefix, type TreeRecord } from './state-tree.ts';
import { STEP_LONE, STEP_NOTHING, STEP_RECORD, STEP_SEVERAL, verifyProof } from './verify.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Keys in the order of their paths: neighbours have some 11 to 20 bits in common, as deep as a tree of 300 records seldom gets. */
const POOL: readonly Uint8Array[] = Array.from({ length: 4096 }, (_, i) => {
  const key = Uint8Array.of(18, 0, 0, i >> 8, i & 255, 0, 0, 0, i % 7);
  return { key, path: pathOf(key) };
})
  .sort((a, b) => compareBytes(a.path, b.path))
  .map(({ key }) => key);

interface World {
  readonly records: readonly TreeRecord[];
  readonly asked: readonly Uint8Array[];
}

/** Records and asked keys from all of the pool and from one neighbourhood of it. */
const index = fc.integer({ min: 0, max: POOL.length - 1 });
const near = fc.tuple(index, fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 16 }));
const indices = (maxLength: number) =>
  fc
    .tuple(fc.array(index, { maxLength }), near)
    .map(([far, [first, offsets]]) => [...far, ...offsets.map((offset) => (first + offset) % POOL.length)]);

const world = (recordsMax: number): fc.Arbitrary<World> =>
  fc
    .tuple(indices(recordsMax), indices(20), fc.array(fc.nat(), { maxLength: 20 }), fc.uint8Array({ minLength: 1, maxLength: 56 }), index)
    .map(([present, mixed, ofRecords, bytes, fallback]) => {
      const records = [...new Set(present)].map((at, i) => ({ key: POOL[at] as Uint8Array, value: bytes.map((byte) => byte + i) }));
      const asked = mixed.map((at) => POOL[at] as Uint8Array);
      if (records.length > 0) asked.push(...ofRecords.map((at) => (records[at % records.length] as TreeRecord).key));
      return { records, asked: asked.length > 0 ? asked : [POOL[fallback] as Uint8Array] };
    });

const valuesOf = (records: readonly TreeRecord[]): Map<string, string> =>
  new Map(records.map(({ key, value }) => [hex(key), hex(committedValue(key, value))]));

/** The statements of a proof that verifies, after they were compared with the records and the proof with the one that is made for them. */
function statements(records: readonly TreeRecord[], root: Uint8Array, proof: Uint8Array): ReadonlyMap<string, string | undefined> {
  const values = valuesOf(records);
  const { entries } = verifyProof(root, proof);
  for (const { key, value } of entries) assert.equal(value && hex(value), values.get(hex(key)));
  const keys = entries.map(({ key }) => key);
  assert.equal(hex(proof), hex(prove(new NaiveTree(records), keys)));
  return new Map(entries.map(({ key, value }) => [hex(key), value && hex(value)]));
}

/** The proof is refused, or it is another proof of something true. Anything but a ProofError passes through and fails the test. */
function refusedOrTrue(records: readonly TreeRecord[], root: Uint8Array, proof: Uint8Array): void {
  try {
    statements(records, root, proof);
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
  }
}

const refused = (code: ProofErrorCode, root: Uint8Array, proof: Uint8Array): void =>
  assert.throws(() => verifyProof(root, proof), { name: 'ProofError', code });

const isProofError = (error: unknown): boolean => error instanceof ProofError;

test('a proof verifies and says of every asked key what the records say', () => {
  fc.assert(
    fc.property(world(300), ({ records, asked }) => {
      const tree = new NaiveTree(records);
      const said = statements(records, tree.root, prove(tree, asked));
      assert.equal(hex(tree.root), hex(rootOf(records)));
      assert.deepEqual(new Set(said.keys()), new Set(asked.map(hex)));
    }),
    { numRuns: 150 },
  );
});

test('a proof depends on the set of keys alone', () => {
  fc.assert(
    fc.property(world(40), fc.nat(), ({ records, asked }, turn) => {
      const cut = turn % asked.length;
      const other = [...asked.slice(cut), ...asked, ...asked.slice(0, cut)];
      assert.equal(hex(prove(new NaiveTree([...records].reverse()), other)), hex(prove(new NaiveTree(records), asked)));
    }),
    { numRuns: 50 },
  );
});

test('changed bits: refused, or true', () => {
  const change = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(world(60), fc.array(change, { minLength: 20, maxLength: 20 }), ({ records, asked }, changes) => {
      const tree = new NaiveTree(records);
      const proof = prove(tree, asked);
      for (const bytes of changes) {
        const changed = proof.slice();
        for (const [at, mask] of bytes) changed[at % proof.length] = (changed[at % proof.length] as number) ^ mask;
        refusedOrTrue(records, tree.root, changed);
      }
    }),
    { numRuns: 100 },
  );
});

test('every single bit of some proofs and of their roots', () => {
  const records = POOL.slice(100, 112).map((key, i) => ({ key, value: Uint8Array.of(i + 1, 0, i) }));
  const present = (records[4] as TreeRecord).key;
  const cases: readonly World[] = [
    { records, asked: [present] },
    { records, asked: [POOL[112], present, POOL[3000]] as Uint8Array[] },
    { records: records.slice(4, 5), asked: [present, POOL[104]] as Uint8Array[] },
    { records: [], asked: [present] },
  ];
  for (const { records, asked } of cases) {
    const tree = new NaiveTree(records);
    const { root } = tree;
    const proof = prove(tree, asked);
    for (let bit = 0; bit < proof.length * 8; bit++) {
      const changed = proof.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      refusedOrTrue(records, root, changed);
    }
    for (let bit = 0; bit < 256; bit++) {
      const changed = root.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      refused('WRONG_ROOT', changed, proof);
    }
  }
});

test('too short or too long: refused', () => {
  fc.assert(
    fc.property(world(30), fc.uint8Array({ minLength: 1, maxLength: 40 }), ({ records, asked }, more) => {
      const tree = new NaiveTree(records);
      const proof = prove(tree, asked);
      for (let length = 0; length < proof.length; length += 1 + (length >> 4)) {
        refused('TRUNCATED_PROOF', tree.root, proof.slice(0, length));
      }
      refused('TRAILING_BYTES', tree.root, Uint8Array.of(...proof, ...more));
    }),
    { numRuns: 50 },
  );
  refused('WRONG_ROOT', new Uint8Array(31), prove(new NaiveTree([]), [POOL[0] as Uint8Array]));
});

test('any bytes, also behind a good beginning: refused', () => {
  const records = POOL.slice(0, 40).map((key) => ({ key, value: Uint8Array.of(1) }));
  const tree = new NaiveTree(records);
  const { root } = tree;
  const proof = prove(tree, POOL.slice(20, 60));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat({ max: proof.length }), fc.boolean(), (bytes, kept, versioned) => {
      const noise = versioned ? Uint8Array.of(1, ...bytes) : bytes;
      assert.throws(() => verifyProof(root, noise), isProofError);
      refusedOrTrue(records, root, Uint8Array.of(...proof.slice(0, kept), ...bytes));
    }),
    { numRuns: 500 },
  );
});

test('a proof for one state is none for another', () => {
  fc.assert(
    fc.property(world(40), world(40), ({ records, asked }, other) => {
      const root = rootOf(other.records);
      fc.pre(hex(root) !== hex(rootOf(records)));
      refusedOrTrue(other.records, root, prove(new NaiveTree(records), asked));
    }),
    { numRuns: 50 },
  );
});

test('hashes that the proof itself gives away are left out', () => {
  const records = POOL.slice(0, 200).map((key) => ({ key, value: Uint8Array.of(1, 2, 3) }));
  const tree = new NaiveTree(records);
  const all = prove(tree, POOL.slice(0, 200));
  // Nothing but keys, steps and records: of n records n steps, of the nodes above them no more than some dozens of lone ones.
  assert.ok(all.length < 9 + 200 * (10 + 10 + 2 + 3) + 200, `${all.length} bytes`);
  const one = prove(tree, [POOL[77] as Uint8Array]).length;
  const two = prove(tree, [POOL[77], POOL[78]] as Uint8Array[]).length;
  assert.ok(two < one + 60, `${one} bytes for one record, ${two} for it and its neighbour`);
});

test('a copy of a proof in the middle of other memory, as any kind of byte array', () => {
  const records = POOL.slice(0, 9).map((key) => ({ key, value: Uint8Array.of(7) }));
  const tree = new NaiveTree(records);
  const proof = Buffer.concat([Buffer.alloc(3), prove(tree, POOL.slice(5, 12)), Buffer.alloc(3)]).subarray(3, -3);
  const { entries } = verifyProof(tree.root, proof);
  const before = entries.map(({ key, value }) => [hex(key), value?.length]);
  proof.fill(0);
  assert.deepEqual(
    entries.map(({ key, value }) => [hex(key), value?.length]),
    before,
  );
});

test('what cannot be asked', () => {
  const tree = new NaiveTree([]);
  assert.throws(() => prove(tree, []), { code: 'NO_KEYS' });
  assert.throws(() => prove(tree, [new Uint8Array(0)]), { code: 'INVALID_KEY' });
  assert.throws(() => prove(tree, [new Uint8Array(256)]), { code: 'INVALID_KEY' });
  assert.equal(verifyProof(tree.root, prove(tree, [new Uint8Array(255)])).entries[0]?.key.length, 255);
});

test('clients can carry verify.ts: all that it imports is here and in base, and none of it is of the platform', () => {
  const carried = new Set(['src/commitment/verify.ts']);
  for (const path of carried) {
    const text = readFileSync(resolve(import.meta.dirname, '../..', path), 'utf8');
    assert.doesNotMatch(withoutComments(text), /\b(?:Buffer|process|globalThis|window|require)\b/);
    for (const { specifier, target } of importsOf({ path, text })) {
      assert.match(target ?? specifier, /^src\/(?:base|commitment)\//);
      carried.add(target as string);
    }
  }
  assert.equal(carried.size, 7, [...carried].join(' '));
});

// --- Forged proofs: each would verify if one check were missing, because its root is made to fit ------------------------------------

interface Forged {
  readonly keys: readonly Uint8Array[];
  readonly steps: readonly number[];
  /** What the steps bring along. */
  readonly brought: readonly Uint8Array[];
}

function encoded({ keys, steps, brought }: Forged, version = 1): Uint8Array {
  const packed = new Uint8Array(Math.ceil(steps.length / 4));
  steps.forEach((step, i) => {
    packed[i >> 2] = (packed[i >> 2] as number) | (step << (2 * (i & 3)));
  });
  const counted = (count: number) => [count & 255, count >> 8, 0, 0];
  return Uint8Array.of(
    version,
    ...counted(keys.length),
    ...keys.flatMap((key) => [key.length, ...key]),
    ...counted(steps.length),
    ...packed,
    ...brought.flatMap((bytes) => [...bytes]),
  );
}

const entry = ({ key, value }: TreeRecord): Uint8Array => Uint8Array.of(key.length, ...key, value.length, 0, ...value);
const leaf = ({ key, value }: TreeRecord): Uint8Array => leafOf(key, value);

/** The first and the last keys of the pool go to different sides of the root. */
const left = { key: POOL[0] as Uint8Array, value: Uint8Array.of(1) };
const right = { key: POOL.at(-1) as Uint8Array, value: Uint8Array.of(2) };
const bothRoot = nodeOf(leaf(left), leaf(right));

test('forged: the honest form of what the other forgeries change', () => {
  const honest = { keys: [left.key], steps: [STEP_SEVERAL, STEP_RECORD], brought: [leaf(right), entry(left)] };
  assert.equal(verifyProof(bothRoot, encoded(honest)).entries.length, 1);
  assert.equal(hex(encoded(honest)), hex(prove(new NaiveTree([left, right]), [left.key])));
  refused('UNKNOWN_PROOF_VERSION', bothRoot, encoded(honest, 0));
  refused('UNKNOWN_PROOF_VERSION', bothRoot, encoded(honest, 2));
});

test('forged: no keys, an empty key, a key twice, keys in another order', () => {
  refused('MALFORMED_PROOF', NOTHING, encoded({ keys: [], steps: [], brought: [] }));
  refused('MALFORMED_PROOF', NOTHING, encoded({ keys: [new Uint8Array(0)], steps: [STEP_NOTHING], brought: [] }));
  refused('MALFORMED_PROOF', NOTHING, encoded({ keys: [left.key, left.key], steps: [STEP_NOTHING], brought: [] }));
  refused('MALFORMED_PROOF', NOTHING, encoded({ keys: [right.key, left.key], steps: [STEP_NOTHING], brought: [] }));
  assert.equal(verifyProof(NOTHING, encoded({ keys: [left.key, right.key], steps: [STEP_NOTHING], brought: [] })).entries.length, 2);
});

test('forged: a record is absent because another one is shown where it cannot lie', () => {
  refused(
    'IMPOSSIBLE_TREE',
    bothRoot,
    encoded({ keys: [left.key], steps: [STEP_SEVERAL, STEP_RECORD], brought: [leaf(left), entry(right)] }),
  );
  const swapped = nodeOf(leaf(right), leaf(left));
  refused(
    'IMPOSSIBLE_TREE',
    swapped,
    encoded({ keys: [left.key], steps: [STEP_SEVERAL, STEP_RECORD], brought: [leaf(left), entry(right)] }),
  );
});

test('forged: a record is absent because its leaf is shown as that of a longer or a shorter key', () => {
  for (let cut = 1; cut < 10; cut++) {
    const bytes = Uint8Array.of(...left.key, ...left.value);
    const other = { key: bytes.slice(0, cut), value: bytes.slice(cut) };
    // At the top every path fits; deeper down, values can be tried until one does.
    const proof = encoded({ keys: [left.key], steps: [STEP_RECORD], brought: [entry(other)] });
    if (cut === left.key.length) assert.ok(verifyProof(leaf(left), proof).entries[0]?.value);
    else refused('WRONG_ROOT', leaf(left), proof);
  }
});

test('forged: nodes of several records with fewer below', () => {
  const alone = encoded({ keys: [left.key], steps: [STEP_LONE, STEP_RECORD], brought: [entry(left)] });
  refused('IMPOSSIBLE_TREE', nodeOf(leaf(left), NOTHING), alone);
  const none = encoded({ keys: [left.key], steps: [STEP_LONE, STEP_NOTHING], brought: [] });
  refused('IMPOSSIBLE_TREE', nodeOf(NOTHING, NOTHING), none);
  const both = { keys: [left.key, right.key], steps: [STEP_SEVERAL, STEP_RECORD, STEP_NOTHING], brought: [entry(left)] };
  refused('IMPOSSIBLE_TREE', nodeOf(leaf(left), NOTHING), encoded(both));
});

test('forged: other ways to write the same tree', () => {
  const empty = { keys: [left.key], steps: [STEP_SEVERAL, STEP_RECORD], brought: [NOTHING, entry(left)] };
  refused('MALFORMED_PROOF', nodeOf(leaf(left), NOTHING), encoded(empty));
  const lone = { keys: [left.key, right.key], steps: [STEP_LONE, STEP_RECORD, STEP_RECORD], brought: [entry(left), entry(right)] };
  refused('MALFORMED_PROOF', bothRoot, encoded(lone));
  const unused = encoded({ keys: [left.key], steps: [STEP_NOTHING], brought: [] });
  unused[unused.length - 1] = 4;
  refused('MALFORMED_PROOF', NOTHING, unused);
  refused('TRAILING_BYTES', NOTHING, encoded({ keys: [left.key], steps: [STEP_NOTHING, STEP_NOTHING], brought: [] }));
  refused('TRUNCATED_PROOF', NOTHING, encoded({ keys: [left.key], steps: [], brought: [] }));
});

test('forged: a path that never ends', () => {
  const steps = Array.from({ length: 300 }, () => STEP_LONE);
  refused('IMPOSSIBLE_TREE', NOTHING, encoded({ keys: [left.key], steps, brought: [] }));
});

test('two records deep below one path', () => {
  // The closest neighbours of the pool.
  const deep = POOL.map((_, i) => i)
    .slice(1)
    .map((i) => [POOL[i - 1], POOL[i]] as [Uint8Array, Uint8Array])
    .filter(([a, b]) => sharesPrefix(pathOf(a), pathOf(b), 18));
  assert.ok(deep.length > 0);
  for (const [a, b] of deep) {
    const records = [a, b].map((key) => ({ key, value: Uint8Array.of(1) }));
    const root = rootOf(records);
    assert.equal(statements(records, root, prove(new NaiveTree(records), [a])).get(hex(b)), undefined);
    assert.equal(statements(records, root, prove(new NaiveTree(records), [b, a])).size, 2);
    assert.equal(
      statements(records.slice(1), rootOf(records.slice(1)), prove(new NaiveTree(records.slice(1)), [a])).get(hex(a)),
      undefined,
    );
  }
});
