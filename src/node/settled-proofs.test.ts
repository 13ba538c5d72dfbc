/** Proofs of a running node: true of the header that they come with, one tree for many who ask, and none where it would take too long. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { verifyProof } from '../commitment/verify.ts';
import { openFolder } from './folder.ts';
import { growFolder, SAMPLE_ENGINE, sampleFolder } from './sample-folder.ts';
import { SettledProofs } from './settled-proofs.ts';

const folder = mkdtempSync(join(tmpdir(), 'proofs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('records of a running node are proven, and their absence', async () => {
  const dir = join(folder, 'node');
  await sampleFolder(dir, 4);
  const pipeline = await openFolder(dir, { engine: SAMPLE_ENGINE });
  try {
    const { store } = pipeline;
    assert.ok(store !== undefined);
    const proofs = new SettledProofs(store, { recordsMax: 100_000, freshMs: 60_000 });
    const keys = [...store.records()].map(({ key }) => new Uint8Array(key));
    const absent = Uint8Array.of(250, 1, 2, 3);
    for (const key of [...keys.slice(0, 40), absent]) {
      const found = await proofs.prove([key]);
      assert.ok(found !== undefined);
      assert.equal(found.header.height, 4);
      const [entry] = verifyProof(found.header.stateRoot, found.proof).entries;
      assert.deepEqual(entry?.key, key);
      assert.equal(entry?.value === undefined, key === absent);
    }
    const together = await Promise.all(keys.map((key) => proofs.prove([key])));
    assert.ok(together.every((found) => found !== undefined));
    assert.equal(await new SettledProofs(store, { recordsMax: 3, freshMs: 0 }).prove([absent]), undefined);
    await assert.rejects(proofs.prove([]), { code: 'NO_KEYS' });
  } finally {
    await pipeline.close();
  }
  await growFolder(dir, 6);
  const longer = await openFolder(dir, { engine: SAMPLE_ENGINE });
  try {
    const proofs = new SettledProofs(longer.store as NonNullable<typeof longer.store>, { recordsMax: 100_000, freshMs: 0 });
    assert.equal((await proofs.prove([Uint8Array.of(1, 0, 0, 0, 0)]))?.header.height, 6);
  } finally {
    await longer.close();
  }
});
