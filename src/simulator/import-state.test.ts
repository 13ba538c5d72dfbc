/** An engine that was filled from another's records goes on as if it had executed the blocks before: receipts and roots, block by block. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { committedValue } from '../commitment/state-tree.ts';
import { Engine } from '../execution/index.ts';
import type { Block } from '../ledger/transactions.ts';
import { randomBlocks, randomGenesis } from './random-blocks.ts';

const SEEDS = 12;
const ENGINE = { workers: 1, memoryMiB: 2048, keyCapacity: 4096, maxTransactions: 16384, commitment: true };

async function receiptsOf(engine: Engine, block: Block): Promise<string[]> {
  const { receipts } = await engine.executeBlock(block, { model: 'serial' });
  return Array.from({ length: receipts.count }, (_, i) => `${receipts.code(i)}:${Buffer.from(receipts.events(i)).toString('hex')}`);
}

test('a state that is brought in is all there is to know of the blocks before', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const genesis = randomGenesis(seed);
    const blocks = [...randomBlocks(seed, genesis)];
    const cut = Math.floor((blocks.length * (1 + (seed % 3))) / 4);
    const first = await Engine.create({ genesis, ...ENGINE, keySeed: 7n });
    // Locations of keys differ between the two.
    const second = await Engine.create({ genesis, ...ENGINE, keySeed: 99n });
    try {
      for (const block of blocks.slice(0, cut)) await first.executeBlock(block, { model: 'serial' });
      const records = [...first.records()].map(({ key, value }) => ({ key, value: committedValue(key, value) }));
      second.importState(records, cut, first.firstOrdinal);
      assert.equal(second.committedRoot(), first.committedRoot(), `seed ${seed}`);
      for (const block of blocks.slice(cut)) {
        assert.deepEqual(await receiptsOf(second, block), await receiptsOf(first, block), `seed ${seed}, block ${block.number}`);
        assert.equal(second.committedRoot(), first.committedRoot(), `seed ${seed}, block ${block.number}`);
      }
    } finally {
      await Promise.all([first.close(), second.close()]);
    }
  }
});

test('records that cannot be of this ledger are refused by name', async () => {
  const genesis = randomGenesis(1);
  const cases: [Uint8Array, RegExp][] = [
    [Uint8Array.of(16, 0xff, 0, 0, 0), /record 10ff000000 does not fit this ledger: there is no such account/],
    [Uint8Array.of(18, 0, 0, 0, 0, 0, 0, 0xff, 0), /no such market/],
    [Uint8Array.of(99, 0, 0, 0, 0), /no class 99/],
    [Uint8Array.of(3, 0, 0), /wrong length/],
    [new Uint8Array(0), /no record/],
  ];
  for (const [key, reason] of cases) {
    const engine = await Engine.create({ genesis, ...ENGINE, keySeed: 7n });
    assert.throws(
      () => engine.importState([{ key, value: new Uint8Array(24) }], 1, 1n),
      (error: Error & { code?: string }) => {
        assert.match(error.message, reason);
        return error.code === 'BAD_SNAPSHOT';
      },
    );
    await engine.close();
  }
});
