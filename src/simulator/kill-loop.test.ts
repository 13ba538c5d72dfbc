/** A few rounds of the kill loop; `npm run kill -- --kills N` for more. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { killLoop } from './kill-loop.ts';

const KILLS = 20;

test('killed at any moment: what was confirmed is there, none twice, and the chain is that of an undisturbed run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kill-'));
  try {
    const { confirmed, wrong } = await killLoop(folder, KILLS, new Random(11));
    assert.deepEqual(wrong, []);
    assert.ok(confirmed > KILLS, `only ${confirmed} transfers were confirmed`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
