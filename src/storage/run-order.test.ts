/** Sorting keys: against sets and the sort of the language, with keys that are chosen to be alike. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesOfKind, KINDS } from './index-keys.ts';
import { sortedKeys } from './run-order.ts';

/** The naive twin: by kind. */
function naive(keys: readonly Uint8Array[]): Buffer[] {
  const each = new Map(keys.map((key) => [Buffer.from(key).toString('hex'), Buffer.from(key)]));
  const sorted = [...each.values()].sort(Buffer.compare);
  return KINDS.map((kind) => Buffer.concat(sorted.filter((key) => key[0] === kind))).filter(({ length }) => length > 0);
}

function check(pieces: readonly (readonly Uint8Array[])[]): void {
  const found = sortedKeys(pieces.map((keys) => Buffer.concat(keys)));
  assert.deepEqual(
    found.map(({ bytes }) => Buffer.from(bytes)),
    naive(pieces.flat()),
  );
  for (const { keyBytes, bytes } of found) assert.equal(keyBytes, bytesOfKind(bytes[0] as number));
}

/** Most bytes are the same in most keys. */
const key = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    changes: fc.array(fc.tuple(fc.nat(46), fc.constantFrom(0, 1, 128, 255)), { maxLength: 3 }),
  })
  .map(({ kind, changes }) => {
    const bytes = new Uint8Array(bytesOfKind(kind)).fill(7);
    for (const [at, value] of changes) bytes[1 + (at % (bytes.length - 1))] = value;
    bytes[0] = kind;
    return bytes;
  });

test('keys come in their order, each once', () => {
  fc.assert(fc.property(fc.array(fc.array(key, { maxLength: 200, size: 'max' }), { maxLength: 4 }), check), { numRuns: 300 });
});

test('many keys that differ in one byte, wherever it is', () => {
  for (const kind of KINDS) {
    for (let at = 1; at < bytesOfKind(kind); at++) {
      const keys = Array.from({ length: 512 }, (_, i) => {
        const bytes = new Uint8Array(bytesOfKind(kind)).fill(255);
        bytes[0] = kind;
        bytes[at] = (i * 101) % 256;
        return bytes;
      });
      check([keys]);
    }
  }
});

test('numbers at the end of keys that are equal before: all of them are told apart', () => {
  for (const count of [2, 12, 13, 4096, 70_000]) {
    const keys = Array.from({ length: count }, (_, i) => {
      const bytes = Buffer.alloc(bytesOfKind(3));
      bytes[0] = 3;
      bytes.writeUInt32BE(Math.imul(i, 2_654_435_761) >>> 0, bytes.length - 4);
      return bytes;
    });
    check([keys]);
  }
});

test('no keys, no answer', () => {
  assert.deepEqual(sortedKeys([]), []);
  assert.deepEqual(sortedKeys([new Uint8Array()]), []);
});
