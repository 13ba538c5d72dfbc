/** Client ids and halves of numbers come out of packed rows as they went in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CLIENT_ID_BYTES, highWord, lowWord, readClientId, writeClientId } from './packed-words.ts';

test('client ids', () => {
  const clientId = fc.uint8Array({ minLength: CLIENT_ID_BYTES, maxLength: CLIENT_ID_BYTES });
  fc.assert(
    fc.property(clientId, (bytes) => {
      const text = `0x${bytes.toHex()}`;
      const packed = new Uint8Array(CLIENT_ID_BYTES + 2);
      writeClientId(new DataView(packed.buffer), 1, text);
      assert.deepEqual(packed, new Uint8Array([0, ...bytes, 0]));
      assert.equal(readClientId(new DataView(packed.buffer), 1), text);
    }),
  );
});

test('halves', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      assert.equal((BigInt(highWord(value)) << 32n) | BigInt(lowWord(value)), value);
    }),
  );
});
