/** An engine that was filled from another's records goes on as if it had executed the blocks before: receipts and roots, block by block. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { committedValue } from '../commitment/state-tree.ts';
import { Engine } from '../execution/index.ts';
import type { Block, Transaction } from '../ledger/transactions.ts';
import { sampleGenesis } from '../node/sample-folder.ts';
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

test('an order that rests is filled after the state was brought in, the first position of its account', async () => {
  const genesis = sampleGenesis(4);
  const order = (trader: number, side: 'buy' | 'sell'): Transaction => {
    const sender = genesis.accounts[trader]?.address as string;
    return { kind: 'orders', sender, items: [{ op: 'place', market: 0, side, tif: 'gtc', priceTicks: 1000, sizeLots: 9n }] };
  };
  const first = await Engine.create({ genesis, ...ENGINE, keySeed: 7n });
  const second = await Engine.create({ genesis, ...ENGINE, keySeed: 99n });
  try {
    const block = (number: number, ...transactions: Transaction[]): Block => ({ number, timeMs: 1_760_000_000_000 + number, transactions });
    await first.executeBlock(block(1, order(0, 'sell'), order(1, 'sell')), { model: 'serial' });
    assert.equal([...first.records()].filter(({ recordClass }) => recordClass === 'order').length, 2);
    second.importState([...first.records()], 1, first.firstOrdinal);
    for (const next of [block(2, order(2, 'buy'), order(3, 'buy')), block(3, order(0, 'buy'), order(2, 'sell'))]) {
      assert.deepEqual(await receiptsOf(second, next), await receiptsOf(first, next));
      assert.equal(second.committedRoot(), first.committedRoot());
    }
    assert.ok([...first.records()].filter(({ recordClass }) => recordClass === 'position').length >= 4);
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
});

test('records that cannot be of this ledger are refused by name', async () => {
  const genesis = randomGenesis(1);
  const cases: [Uint8Array, RegExp][] = [
    [Uint8Array.of(16, 0xff, 0, 0, 0), /record 10ff000000 does not fit this ledger: there is no such account/],
    [Uint8Array.of(18, 0, 0, 0, 0, 0, 0, 0xff, 0), /no such market/],
    [Uint8Array.of(99, 0, 0, 0, 0), /no class 99/],
    [Uint8Array.of(3, 0, 0), /wrong length/],
    [Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0), /wrong length/],
    [Uint8Array.of(22, 0xff, 0, 0, 0), /no such market/],
    [Uint8Array.of(200, 0, 0, 0, 0), /no class 200/],
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
