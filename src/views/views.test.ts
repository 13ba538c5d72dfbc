/** Views against the naive twin and the engine's records, over random blocks: what clients are told is what is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Genesis } from '../exchange/genesis.ts';
import type { NaiveLedger } from '../exchange/naive.ts';
import { Engine } from '../execution/index.ts';
import { receiptBytes } from '../node/block-header.ts';
import type { ConfirmedBlock } from '../node/index.ts';
import { randomHistory } from '../simulator/random-blocks.ts';
import { randomGenesis } from '../simulator/random-genesis.ts';
import { Views } from './views.ts';

const SEEDS = 10;
const SIZE = { memoryMiB: 1536, keyCapacity: 1 << 13, keySeed: 5n, maxTransactions: 4096 };

async function* executed(seed: number, genesis: Genesis): AsyncGenerator<{ block: ConfirmedBlock; ledger: NaiveLedger; engine: Engine }> {
  const engine = await Engine.create({ ...SIZE, genesis, workers: 1, commitment: true });
  try {
    for (const { block, ledger } of randomHistory(seed, genesis)) {
      const { firstOrdinal } = engine;
      const { receipts, changes = [] } = await engine.executeBlock(block, { model: 'serial', changes: true });
      const { number, timeMs, transactions } = block;
      yield { block: { number, timeMs, firstOrdinal, transactions, receipts: receiptBytes(receipts), changes }, ledger, engine };
    }
  } finally {
    await engine.close();
  }
}

for (let seed = 0; seed < SEEDS; seed++) {
  test(`seed ${seed}`, async () => {
    const genesis = randomGenesis(seed);
    const views = Views.open({ genesis });
    for await (const { block, ledger, engine } of executed(seed, genesis)) {
      views.confirm(block);
      for (let market = 0; market < genesis.markets.length; market++) {
        const found = [false, true].flatMap((sell) => [...(views.mirror.books[market]?.levels(sell) ?? [])]);
        const expected = [...engine.levels(market)];
        assert.equal(found.length, expected.length);
        for (const { priceTicks, totalLots, count } of expected) {
          assert.ok(found.some((level) => level.priceTicks === priceTicks && level.lots === totalLots && level.orders === count));
        }
      }
      for (const account of ledger.accounts.accounts()) {
        const open = [...views.orders.openOf(account).values()].map(({ oid, leftLots }) => [oid, leftLots]);
        const expected = ledger.openOrders(account).map(({ oid, sizeLots, hiddenLots }) => [oid, sizeLots + hiddenLots]);
        const sorted = (rows: (bigint | undefined)[][]) => rows.sort((a, b) => ((a[0] as bigint) < (b[0] as bigint) ? -1 : 1));
        assert.deepEqual(sorted(open), sorted(expected));
      }
    }
  });
}
