/** Views against the naive twin and the engine's records, over random blocks: what clients are told is what is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executedBlocks } from '../simulator/executed-blocks.ts';
import { randomGenesis } from '../simulator/random-genesis.ts';
import { Views } from './views.ts';

const SEEDS = 10;

for (let seed = 0; seed < SEEDS; seed++) {
  test(`seed ${seed}`, async () => {
    const genesis = randomGenesis(seed);
    const views = Views.open({ genesis });
    for await (const { block, ledger, engine } of executedBlocks(seed, genesis)) {
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
