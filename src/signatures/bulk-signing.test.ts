import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { loadBulkSigner, signWithNoble } from './bulk-signing.ts';
import { SignaturePool } from './signature-pool.ts';

test('both ways make the same signatures, and they are recovered', async () => {
  const random = new Random(11);
  const bytes = (): Uint8Array => Uint8Array.from({ length: 32 }, () => random.below(256));
  const sign = await loadBulkSigner();
  const pool = await SignaturePool.create({ threads: 1 });
  try {
    const key = bytes();
    const addresses = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const digest = bytes();
      const signature = sign(digest, key);
      assert.deepEqual({ ...signature, bytes: Uint8Array.from(signature.bytes) }, signWithNoble(digest, key));
      const address = await pool.recover(digest, signature.bytes, signature.recovery);
      assert.ok(address !== undefined);
      addresses.add(Buffer.from(address).toString('hex'));
    }
    assert.equal(addresses.size, 1);
  } finally {
    await pool.close();
  }
});
