/** The pool: both backends against noble, bad signatures, order of answers, limits, threads that die, the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { Random } from '../base/random.ts';
import { measureRecovery } from './measure.ts';
import { type BackendName, loadBackend } from './recovery-backend.ts';
import { SignaturePool, type SignaturePoolOptions } from './signature-pool.ts';

const FAULTY = new URL('./faulty-worker.ts', import.meta.url);
const backends: readonly BackendName[] = (await loadBackend()).name === 'native' ? ['native', 'javascript'] : ['javascript'];

async function withPool(options: SignaturePoolOptions, run: (pool: SignaturePool) => Promise<void>): Promise<void> {
  const pool = await SignaturePool.create(options);
  try {
    await run(pool);
  } finally {
    await pool.close();
  }
}

const randomBytes = (random: Random, length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256));
const ORDER = secp256k1.Point.Fn.ORDER;
const bytes32 = (value: bigint): Uint8Array => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));
const pair = (r: bigint, s: bigint): Uint8Array => Uint8Array.from([...bytes32(r), ...bytes32(s)]);

interface Signed {
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
  readonly recovery: 0 | 1;
  readonly address: Uint8Array;
}

function signed(random: Random, digest = randomBytes(random, 32)): Signed {
  const key = randomBytes(random, 32);
  const bytes = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' });
  const address = keccak_256(secp256k1.getPublicKey(key, false).subarray(1)).subarray(12);
  return { digest, signature: bytes.subarray(1), recovery: bytes[0] === 0 ? 0 : 1, address };
}

for (const backend of backends) {
  test(`${backend}: the address that signed, in the order of the calls`, async () => {
    const random = new Random(1);
    const all = Array.from({ length: 150 }, () => signed(random));
    await withPool({ threads: 2, backend }, async (pool) => {
      assert.equal(pool.backend, backend);
      const addresses = await Promise.all(all.map(({ digest, signature, recovery }) => pool.recover(digest, signature, recovery)));
      all.forEach(({ address }, i) => {
        assert.deepEqual(addresses[i], address);
      });
      assert.equal(pool.unanswered, 0);
    });
  });

  test(`${backend}: what is no signature is undefined, and both halves of s recover`, async () => {
    const random = new Random(2);
    const { digest, signature, recovery, address } = signed(random);
    const r = BigInt(`0x${Buffer.from(signature.subarray(0, 32)).toString('hex')}`);
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
    await withPool({ threads: 1, backend }, async (pool) => {
      // 5 is the x coordinate of no point.
      for (const bad of [
        pair(0n, s),
        pair(r, 0n),
        pair(ORDER, s),
        pair(r, ORDER),
        pair(2n ** 256n - 1n, s),
        pair(r, 2n ** 256n - 1n),
        pair(5n, s),
      ]) {
        assert.equal(await pool.recover(digest, bad, recovery), undefined);
      }
      assert.deepEqual(await pool.recover(digest, pair(r, ORDER - s), recovery === 0 ? 1 : 0), address);
      const other = await pool.recover(digest, signature, recovery === 0 ? 1 : 0);
      assert.ok(other?.length === 20);
      assert.notDeepEqual(other, address);
    });
  });
}

test('digests are made by the threads, of messages of any length', async () => {
  const random = new Random(4);
  await withPool({ threads: 2 }, async (pool) => {
    const cases = Array.from({ length: 60 }, (_, i) => {
      const message = randomBytes(random, i === 0 ? 0 : random.below(2000));
      const prefixes = Array.from({ length: random.below(4) }, () => randomBytes(random, random.below(256)));
      let digest = keccak_256(message);
      for (const prefix of prefixes) digest = keccak_256(Buffer.concat([prefix, digest]));
      return { message, prefixes, ...signed(random, digest) };
    });
    const answers = cases.flatMap(({ message, prefixes, digest, signature, recovery }) => [
      pool.recoverSigner({ message, prefixes }, signature, recovery),
      pool.recover(digest, signature, recovery),
    ]);
    const addresses = await Promise.all(answers);
    assert.deepEqual(
      addresses,
      cases.flatMap(({ address }) => [address, address]),
    );
  });
});

test('both backends return the same for any bytes', async (t) => {
  if (backends.length < 2) return t.diagnostic('the native binding does not load here: nothing to compare');
  const [native, javascript] = await Promise.all(backends.map((name) => loadBackend(name)));
  const random = new Random(3);
  for (let i = 0; i < 200; i++) {
    const digest = random.chance(0.1) ? new Uint8Array(32) : randomBytes(random, 32);
    const signature = randomBytes(random, 64);
    if (random.chance(0.2)) signature.fill(255, 0, random.below(64));
    if (random.chance(0.2)) signature.fill(0, 0, random.below(64));
    const recovery = random.below(2);
    assert.deepEqual(native?.recover(digest, signature, recovery), javascript?.recover(digest, signature, recovery));
  }
});

test('a pool that falls back says so, once', async () => {
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  await withPool({ threads: 2, worker: new URL('./slow-worker.ts', import.meta.url), warn }, async (pool) => {
    assert.equal(pool.backend, 'javascript');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] as string, /native binding of the package secp256k1 did not load/);
  });
  // Asked for, it is nothing to warn of; and the native one is none either.
  await withPool({ threads: 1, backend: 'javascript', warn }, async (pool) => assert.equal(pool.backend, 'javascript'));
  await withPool({ threads: 1, worker: FAULTY, warn }, async (pool) => assert.equal(pool.backend, 'native'));
  assert.equal(warnings.length, 1);
});

test('threads that may not have their nice value stay as they are, and the pool says so, once', async () => {
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const worker = new URL('./slow-worker.ts', import.meta.url);
  await withPool({ threads: 2, worker, backend: 'javascript', nice: -5, warn }, async () => {});
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] as string, /cannot have the nice value -5.*LimitNICE=-5/);
  // Nobody asked for one, or who asked has it.
  await withPool({ threads: 2, worker, backend: 'javascript', warn }, async () => {});
  if (process.platform === 'linux') await withPool({ threads: 1, backend: 'javascript', nice: 1, warn }, async () => {});
  assert.equal(warnings.length, 1);
});

const SIGNATURE = new Uint8Array(64);
const marked = (mark: number, rest = 7): Uint8Array => {
  const digest = new Uint8Array(32).fill(rest);
  digest[0] = mark;
  return digest;
};

test('more than the queue holds is refused, and what it holds is answered', async () => {
  await withPool({ threads: 1, worker: FAULTY, queueMax: 100 }, async (pool) => {
    const calls = Array.from({ length: 130 }, (_, i) => pool.recover(marked(0, i), SIGNATURE, 0));
    const results = await Promise.allSettled(calls);
    results.forEach((result, i) => {
      if (i < 100) assert.deepEqual((result as PromiseFulfilledResult<Uint8Array>).value, new Uint8Array(20).fill(i));
      else assert.equal((result as PromiseRejectedResult).reason.code, 'BUSY');
    });
    assert.deepEqual(await pool.recover(marked(0), SIGNATURE, 0), new Uint8Array(20).fill(7));
  });
});

test('who asks is told once, also of its end; of what is refused at once it is told nothing', async () => {
  const told: string[] = [];
  const three = Promise.withResolvers<void>();
  const tell = (text: string): void => {
    if (told.push(text) === 3) three.resolve();
  };
  const ask = (pool: SignaturePool, mark: number, i: number): void => {
    pool.ask({ message: marked(mark, i), prefixes: [] }, SIGNATURE, 0, {
      recovered: (found) => tell(`${i}: ${found?.length} bytes`),
      failed: ({ code }) => tell(`${i}: ${code}`),
    });
  };
  await withPool({ threads: 1, worker: FAULTY, queueMax: 3 }, async (pool) => {
    ask(pool, 0, 1);
    ask(pool, 0xd2, 2);
    ask(pool, 0, 3);
    assert.throws(() => ask(pool, 0, 4), { code: 'BUSY' });
    await three.promise;
    assert.deepEqual(told.splice(0).toSorted(), ['1: 20 bytes', '2: RECOVERY_FAILED', '3: 20 bytes']);
    ask(pool, 0xd3, 5);
  });
  assert.deepEqual(told, ['5: CLOSED']);
});

for (const [mark, how] of [
  [0xd1, 'throws'],
  [0xd2, 'exits'],
] as const) {
  test(`a thread that ${how} is replaced, and only the signature that it died of fails`, async () => {
    await withPool({ threads: 2, worker: FAULTY }, async (pool) => {
      const digests = Array.from({ length: 100 }, (_, i) => marked(i === 17 || i === 60 ? mark : 0, i));
      const results = await Promise.allSettled(digests.map((digest) => pool.recover(digest, SIGNATURE, 1)));
      results.forEach((result, i) => {
        if (i === 17 || i === 60) assert.equal((result as PromiseRejectedResult).reason.code, 'RECOVERY_FAILED');
        else assert.deepEqual((result as PromiseFulfilledResult<Uint8Array>).value, new Uint8Array(20).fill(i));
      });
      assert.equal(pool.unanswered, 0);
      assert.ok(await pool.recover(marked(0), SIGNATURE, 0));
    });
  });
}

test('closing rejects what is in flight and what waits, and everything after', async () => {
  const pool = await SignaturePool.create({ threads: 2, worker: FAULTY });
  const inFlight = [pool.recover(marked(0xd3), SIGNATURE, 0), pool.recover(marked(0xd3), SIGNATURE, 0)];
  await new Promise((resolve) => setImmediate(resolve));
  const waiting = [pool.recover(marked(0), SIGNATURE, 0)];
  const settled = Promise.allSettled([...inFlight, ...waiting]);
  await pool.close();
  for (const result of await settled) assert.equal((result as PromiseRejectedResult).reason.code, 'CLOSED');
  await assert.rejects(pool.recover(marked(0), SIGNATURE, 0), { code: 'CLOSED' });
  await pool.close();
});

test('closing while a thread is being replaced leaves none behind', async () => {
  const pool = await SignaturePool.create({ threads: 1, worker: FAULTY });
  const dying = pool.recover(marked(0xd2), SIGNATURE, 0);
  const other = pool.recover(marked(0), SIGNATURE, 0);
  const settled = Promise.allSettled([dying, other]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  await pool.close();
  const [ofDying, ofOther] = await settled;
  // In the meantime the second thread may have died of it too.
  assert.ok(ofDying.status === 'rejected' && ['CLOSED', 'RECOVERY_FAILED'].includes(ofDying.reason.code));
  assert.ok(ofOther.status === 'fulfilled' || ofOther.reason.code === 'CLOSED');
});

test('threads that do not start are an error', async () => {
  await assert.rejects(SignaturePool.create({ threads: 2, worker: FAULTY, backend: 'native' }), { code: 'NO_SIGNATURE_THREAD' });
});

test('what no caller of ours sends stops it', async () => {
  await withPool({ threads: 1, worker: FAULTY }, async (pool) => {
    await assert.rejects(pool.recover(new Uint8Array(31), SIGNATURE, 0), { name: 'AssertionError' });
    await assert.rejects(pool.recover(marked(0), new Uint8Array(65), 0), { name: 'AssertionError' });
    await assert.rejects(pool.recover(marked(0), SIGNATURE, 2 as 0), { name: 'AssertionError' });
    assert.equal(pool.unanswered, 0);
  });
});

test('the measurement recovers what it is asked to', async () => {
  await withPool({ threads: 1 }, async (pool) => {
    const { signaturesPerSecond, usPerSignaturePerThread } = await measureRecovery(pool, 100);
    assert.ok(signaturesPerSecond > 0 && usPerSignaturePerThread > 0);
  });
});
