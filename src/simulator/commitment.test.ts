/** The state tree on random histories: after every block, under every model, the root that is kept is the one computed from all records,
 * whatever the number of threads; and the records that the tree is filled from are all there are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COM_SCRATCH } from '../commitment/layout.ts';
import { rootOf } from '../commitment/state-tree.ts';
import type { Model } from '../execution/api.ts';
import { Engine } from '../execution/index.ts';
import { recordLocations } from '../execution/state.ts';
import type { Kernel } from '../kernel/index.ts';
import { REG_DIRTY, REG_DIRTY_SCAN } from '../kernel/layout.ts';
import { randomBlocks, randomGenesis } from './random-blocks.ts';

const SEEDS = 12;
const MODELS: readonly Model[] = ['serial', 'optimistic', 'deterministic', 'sharded'];
const ENGINE = { memoryMiB: 2048, keyCapacity: 4096, keySeed: 7n, maxTransactions: 16384, commitment: true };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('the root that is kept is the root of all records, after every block', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const genesis = randomGenesis(seed);
    const engine = await Engine.create({ genesis, workers: 2, ...ENGINE, commitment: { threads: 1 + (seed % 3) } });
    try {
      assert.equal(engine.committedRoot(), hex(rootOf(engine.records())), `seed ${seed}, genesis`);
      for (const block of randomBlocks(seed, genesis)) {
        const model = MODELS[(seed + block.number) % MODELS.length] as Model;
        await engine.executeBlock(block, { model });
        assert.equal(engine.committedRoot(), hex(rootOf(engine.records())), `seed ${seed}, block ${block.number}, ${model}`);
        sameRecords(engine, `seed ${seed}, block ${block.number}`);
      }
    } finally {
      await engine.close();
    }
  }
});

/** The kernel finds the records that the host finds. */
function sameRecords(engine: Engine, which: string): void {
  const { kernel, admission } = engine as unknown as { kernel: Kernel; admission: { highestNumber: number } };
  const map = kernel.get(REG_DIRTY) >>> 2;
  const words = kernel.u32.subarray(map, map + kernel.u8.byteLength / 1024);
  kernel.exports.markRecords(kernel.get(COM_SCRATCH));
  const found: number[] = [];
  words.forEach((word, i) => {
    for (let bits = word; bits !== 0; bits &= bits - 1) found.push(i * 32 + 31 - Math.clz32(bits & -bits));
  });
  const walked = recordLocations(kernel, admission.highestNumber).sort((a, b) => a - b);
  assert.ok(walked.length > 10, which);
  assert.deepEqual(found, walked, which);
  words.fill(0);
  kernel.set(REG_DIRTY_SCAN, 0);
}
