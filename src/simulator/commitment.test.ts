/** The state tree on random histories: after every block, under every model, the root that is kept is the one computed from all records. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rootOf } from '../commitment/state-tree.ts';
import type { Model } from '../execution/api.ts';
import { Engine } from '../execution/index.ts';
import { randomBlocks, randomGenesis } from './random-blocks.ts';

const SEEDS = 12;
const MODELS: readonly Model[] = ['serial', 'optimistic', 'deterministic', 'sharded'];
const ENGINE = { memoryMiB: 2048, keyCapacity: 4096, keySeed: 7n, maxTransactions: 16384, commitment: true };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('the root that is kept is the root of all records, after every block', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const genesis = randomGenesis(seed);
    const engine = await Engine.create({ genesis, workers: 2, ...ENGINE });
    try {
      assert.equal(engine.committedRoot(), hex(rootOf(engine.records())), `seed ${seed}, genesis`);
      for (const block of randomBlocks(seed, genesis)) {
        const model = MODELS[(seed + block.number) % MODELS.length] as Model;
        await engine.executeBlock(block, { model });
        assert.equal(engine.committedRoot(), hex(rootOf(engine.records())), `seed ${seed}, block ${block.number}, ${model}`);
      }
    } finally {
      await engine.close();
    }
  }
});
