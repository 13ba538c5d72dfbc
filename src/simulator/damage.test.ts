/** A sample of `npm run damage`: what is damaged on disk is named, harmless or made again, and never another answer. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { damageAll } from './damage.ts';

test('damage is named, harmless or repaired', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'damage-'));
  try {
    const { wrong, cases, named, harmless, repaired } = await damageAll(folder, 1200, 8, new Random(4));
    assert.deepEqual(wrong, []);
    assert.equal(cases, 1208);
    assert.ok(named > 900 && harmless < 250, `${named} named, ${harmless} harmless, ${repaired} repaired`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
