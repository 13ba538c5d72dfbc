/** Headers: the layout byte by byte, back and forth, and that the hash binds every field. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { labelled } from './blake3.ts';
import { type BlockHeader, decodeHeader, encodeHeader, HEADER_BYTES, headerHash } from './header.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

const EXAMPLE: BlockHeader = {
  height: 0x0102030405,
  timeMs: 1_760_000_000_000,
  nextOrdinal: 2n ** 64n - 2n,
  parentHash: hash(0xa1),
  transactionsRoot: hash(0xa2),
  receiptsRoot: hash(0xa3),
  accessListRoot: hash(0xa4),
  stateRoot: hash(0xa5),
};

const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const anyHeader: fc.Arbitrary<BlockHeader> = fc.record(
  {
    height: fc.maxSafeNat(),
    timeMs: fc.maxSafeNat(),
    nextOrdinal: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    parentHash: anyHash,
    transactionsRoot: anyHash,
    receiptsRoot: anyHash,
    accessListRoot: anyHash,
    stateRoot: anyHash,
  },
  { noNullPrototype: true },
);

test('the layout and the hash of an example', () => {
  const numbers = '0504030201000000' + '00c02cc899010000' + 'feffffffffffffff';
  assert.equal(hex(encodeHeader(EXAMPLE)), numbers + ['a1', 'a2', 'a3', 'a4', 'a5'].map((byte) => byte.repeat(32)).join(''));
  assert.equal(hex(headerHash(EXAMPLE)), hex(labelled('heddle header 1')(encodeHeader(EXAMPLE))));
  assert.equal(hex(headerHash(EXAMPLE)), '5b4930434323770da5385c3b3d154fd9482418289e0d73f466d29eae5dfb5831');
});

test('headers come back as they were', () => {
  fc.assert(
    fc.property(anyHeader, fc.nat({ max: 20 }), (header, offset) => {
      const memory = new Uint8Array(offset + HEADER_BYTES);
      memory.set(encodeHeader(header), offset);
      assert.deepEqual(decodeHeader(memory.subarray(offset)), header);
    }),
  );
});

test('bytes are those of one header or are refused', () => {
  const high = fc.array(fc.constantFrom(0, 0, 0, 1, 0x1f, 0x20, 255), { minLength: HEADER_BYTES, maxLength: HEADER_BYTES });
  fc.assert(
    fc.property(high, (bytes) => {
      let header: BlockHeader;
      try {
        header = decodeHeader(Uint8Array.from(bytes));
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'INVALID_HEADER');
        return;
      }
      assert.equal(hex(encodeHeader(header)), hex(Uint8Array.from(bytes)));
    }),
  );
  const limits: readonly BlockHeader[] = [
    { ...EXAMPLE, height: 0, timeMs: 0, nextOrdinal: 0n },
    { ...EXAMPLE, height: Number.MAX_SAFE_INTEGER, timeMs: Number.MAX_SAFE_INTEGER },
  ];
  for (const header of limits) assert.deepEqual(decodeHeader(encodeHeader(header)), header);
  for (const length of [0, HEADER_BYTES - 1, HEADER_BYTES + 1]) {
    assert.throws(() => decodeHeader(new Uint8Array(length)), { code: 'INVALID_HEADER' });
  }
});

test('the hash binds every field', () => {
  const others: Partial<BlockHeader>[] = [
    { height: EXAMPLE.height + 1 },
    { timeMs: EXAMPLE.timeMs + 1 },
    { nextOrdinal: 0n },
    ...(['parentHash', 'transactionsRoot', 'receiptsRoot', 'accessListRoot', 'stateRoot'] as const).map((name) => ({ [name]: hash(0) })),
  ];
  const hashes = [EXAMPLE, ...others.map((other) => ({ ...EXAMPLE, ...other }))].map((header) => hex(headerHash(header)));
  assert.equal(new Set(hashes).size, 9);
});

test('what no header has stops the process', () => {
  for (const wrong of [
    { height: -1 },
    { height: 1.5 },
    { timeMs: 2 ** 53 },
    { nextOrdinal: 2n ** 64n },
    { stateRoot: new Uint8Array(31) },
  ]) {
    assert.throws(() => encodeHeader({ ...EXAMPLE, ...wrong }), { name: 'AssertionError' });
  }
});
