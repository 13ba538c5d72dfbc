/** MessagePack: limits of each form, and random values read back by a decoder that was written from the specification. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { encodeMessagePack, type Packable } from './message-pack.ts';

const packed = (value: Packable): string => bytesToHex(encodeMessagePack(value));

test('integers take their shortest form', () => {
  const expected: readonly (readonly [number | bigint, string])[] = [
    [0, '00'],
    [127, '7f'],
    [128, 'cc80'],
    [255, 'ccff'],
    [256, 'cd0100'],
    [65535, 'cdffff'],
    [65536, 'ce00010000'],
    [4294967295, 'ceffffffff'],
    [4294967296, 'cf0000000100000000'],
    [Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
    [2n ** 64n - 1n, 'cfffffffffffffffff'],
    [-1, 'ff'],
    [-32, 'e0'],
    [-33, 'd0df'],
    [-128, 'd080'],
    [-129, 'd1ff7f'],
    [-32768, 'd18000'],
    [-32769, 'd2ffff7fff'],
    [-2147483648, 'd280000000'],
    [-2147483649, 'd3ffffffff7fffffff'],
    [-(2n ** 63n), 'd38000000000000000'],
  ];
  for (const [value, hex] of expected) assert.equal(packed(value), hex);
});

test('lengths take their shortest form', () => {
  for (const [length, head] of [
    [31, 'bf'],
    [32, 'd920'],
    [255, 'd9ff'],
    [256, 'da0100'],
    [65535, 'daffff'],
    [65536, 'db00010000'],
  ] as const) {
    assert.equal(packed('x'.repeat(length)), head + '78'.repeat(length));
  }
  // Two bytes a letter: 16 of them are 32 bytes, which no longer fit into the short form.
  assert.equal(packed('é'.repeat(15)), `be${'c3a9'.repeat(15)}`);
  assert.equal(packed('é'.repeat(16)), `d920${'c3a9'.repeat(16)}`);
  for (const [length, head] of [
    [15, '9f'],
    [16, 'dc0010'],
    [65536, 'dd00010000'],
  ] as const) {
    assert.equal(packed(new Array(length).fill(null)), head + 'c0'.repeat(length));
  }
  const map = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i.toString(16)}`, true]));
  assert.ok(packed(map).startsWith('de0010a26b30c3'));
});

test('keys keep their order, and those without a value are left out', () => {
  assert.equal(packed({ b: 1, a: undefined, c: null }), '82a16201a163c0');
});

test('what has no encoding is refused', () => {
  let deep: Packable = null;
  for (let i = 0; i < 40; i++) deep = [deep];
  for (const value of [0.5, Number.NaN, 2 ** 53, 2n ** 64n, -(2n ** 63n) - 1n, deep, (() => 1) as unknown as Packable]) {
    assert.throws(() => encodeMessagePack(value), { code: 'NOT_ENCODABLE' });
  }
});

function decode(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const take = (length: number): number => {
    at += length;
    return at - length;
  };
  const text = (length: number): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(take(length), at));
  const array = (length: number): unknown[] => Array.from({ length }, () => value());
  const map = (length: number): unknown => Object.fromEntries(Array.from({ length }, () => [value() as string, value()]));
  function value(): unknown {
    const tag = view.getUint8(take(1));
    if (tag < 0x80) return BigInt(tag);
    if (tag < 0x90) return map(tag & 15);
    if (tag < 0xa0) return array(tag & 15);
    if (tag < 0xc0) return text(tag & 31);
    if (tag >= 0xe0) return BigInt(tag - 256);
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xcc:
        return BigInt(view.getUint8(take(1)));
      case 0xcd:
        return BigInt(view.getUint16(take(2)));
      case 0xce:
        return BigInt(view.getUint32(take(4)));
      case 0xcf:
        return view.getBigUint64(take(8));
      case 0xd0:
        return BigInt(view.getInt8(take(1)));
      case 0xd1:
        return BigInt(view.getInt16(take(2)));
      case 0xd2:
        return BigInt(view.getInt32(take(4)));
      case 0xd3:
        return view.getBigInt64(take(8));
      case 0xd9:
        return text(view.getUint8(take(1)));
      case 0xda:
        return text(view.getUint16(take(2)));
      case 0xdc:
        return array(view.getUint16(take(2)));
      case 0xde:
        return map(view.getUint16(take(2)));
      default:
        assert.fail(`tag ${tag.toString(16)}`);
    }
  }
  const result = value();
  assert.equal(at, bytes.length);
  return result;
}

test('random values come back', () => {
  const { tree } = fc.letrec<{ tree: Packable }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
      fc.string({ maxLength: 300, unit: 'binary' }),
      fc.array(tie('tree'), { maxLength: 20 }),
      fc.dictionary(
        fc.string({ maxLength: 40 }).filter((name) => name !== '__proto__'),
        tie('tree'),
        { maxKeys: 20, noNullPrototype: true },
      ),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const bytes = encodeMessagePack(value);
      assert.deepEqual(decode(bytes), value);
      assert.deepEqual(encodeMessagePack(decode(bytes) as Packable), bytes);
    }),
    { numRuns: 300 },
  );
});
