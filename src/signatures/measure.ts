/** How fast a pool recovers signatures, all threads together: what a node says at its start and what a benchmark reports. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { assert } from '../base/assert.ts';
import type { SignaturePool } from './signature-pool.ts';

/** Different signatures; more would measure how fast they are made. */
const DISTINCT = 16;

export interface RecoveryRate {
  readonly signaturesPerSecond: number;
  readonly usPerSignaturePerThread: number;
}

/** Recovers `count` signatures, which must fit into the pool's queue. */
export async function measureRecovery(pool: SignaturePool, count: number): Promise<RecoveryRate> {
  assert(Number.isInteger(count) && count >= 1, `count ${count}`);
  const samples = Array.from({ length: DISTINCT }, (_, i) => {
    const digest = new Uint8Array(32).fill(i + 1);
    const signed = secp256k1.sign(digest, new Uint8Array(32).fill(i + 1), { prehash: false, format: 'recovered' });
    return { digest, signature: signed.slice(1), recovery: signed[0] as 0 | 1 };
  });
  const startedMs = performance.now();
  const addresses = await Promise.all(
    Array.from({ length: count }, (_, i) => {
      const { digest, signature, recovery } = samples[i % DISTINCT] as (typeof samples)[number];
      return pool.recover(digest, signature, recovery);
    }),
  );
  const elapsedMs = performance.now() - startedMs;
  assert(
    addresses.every((address) => address !== undefined),
    'a signature of ours was not recovered',
  );
  return { signaturesPerSecond: (count * 1000) / elapsedMs, usPerSignaturePerThread: (elapsedMs * 1000 * pool.threadCount) / count };
}
