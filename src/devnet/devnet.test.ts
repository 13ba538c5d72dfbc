/** The development chain: its genesis is one that the ledger takes, its prices are reproducible, and what its actors send is accepted. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { violations } from '../exchange/invariants.ts';
import { Engine } from '../execution/index.ts';
import { sampleRecording } from '../market/sample-recording.ts';
import { decodeGenesis, encodeGenesis } from '../node/index.ts';
import { devnetGenesis, FUNDED_ACCOUNTS } from './devnet-genesis.ts';
import { devnetAccount } from './devnet-keys.ts';
import { DEVNET_MARKETS, orderTicks, ticksPerInteger } from './devnet-markets.ts';
import { MarketSimulation } from './market-simulation.ts';
import { PriceWalk } from './price-walk.ts';
import { loadPrices, RecordedPrices } from './recorded-prices.ts';

const START_MS = 1_800_000_000_000;

test('the genesis can be written and read, and its accounts are those of the keys', () => {
  const genesis = devnetGenesis();
  assert.deepEqual(encodeGenesis(decodeGenesis(encodeGenesis(genesis), 'the genesis')), encodeGenesis(genesis));
  for (let i = 0; i < FUNDED_ACCOUNTS; i++) assert.equal(genesis.accounts[i]?.address, devnetAccount(i).address);
});

test('prices of orders have at most five digits, and are near what was asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: DEVNET_MARKETS.length - 1 }), fc.double({ min: 0.3, max: 3.9, noNaN: true }), (index, factor) => {
      const market = DEVNET_MARKETS[index] as (typeof DEVNET_MARKETS)[number];
      const price = BigInt(Math.round(Number(market.startPrice) * factor));
      const ticks = orderTicks(price, market);
      assert.ok(String(ticks).replace(/0+$/, '').length <= 5);
      const found = (BigInt(ticks) * 1_000_000n) / BigInt(ticksPerInteger(market));
      const difference = found > price ? found - price : price - found;
      assert.ok(difference * 9_000n <= price, `${price} became ${found}`);
    }),
  );
});

test('a walk is reproducible, goes on from where it was, and stays in sight', () => {
  const markets = DEVNET_MARKETS;
  const prices = (walk: PriceWalk): bigint[] => Array.from({ length: 200 }, () => walk.next(0));
  assert.deepEqual(prices(new PriceWalk(markets, 5)), prices(new PriceWalk(markets, 5)));
  assert.notDeepEqual(prices(new PriceWalk(markets, 5)), prices(new PriceWalk(markets, 6)));
  const from = 70_000_000_000n;
  const [first = 0n] = prices(new PriceWalk(markets, 5, [from]));
  assert.ok(first > (from * 99n) / 100n && first < (from * 101n) / 100n);
  const start = 1_000_000n;
  const wild = new PriceWalk([{ startPrice: start, volatilityPpm: 200_000 }], 1);
  for (let i = 0; i < 5000; i++) {
    const price = wild.next(0);
    assert.ok(price >= start / 4n && price <= start * 4n);
  }
});

test('a recording gives its newest price, over and over, and leaves other markets alone', () => {
  const series = { atMs: [0, 1000, 5000], prices: [1n, 2n, 3n] };
  const prices = new RecordedPrices([series], { next: () => 9n }, START_MS);
  const at = (ms: number): bigint => prices.next(0, START_MS + ms);
  assert.deepEqual([0, 999, 1000, 4999, 5000, 5999, 6000, 7000].map(at), [1n, 1n, 2n, 2n, 3n, 3n, 1n, 2n]);
  assert.equal(prices.next(1, START_MS), 9n);
});

test('prices of a recording are read from its file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-devnet-'));
  try {
    const path = join(folder, 'recording.txt');
    writeFileSync(path, sampleRecording({ updates: 200 }).join('\n'));
    const { atMs, prices } = await loadPrices(path);
    assert.ok(prices.length >= 2);
    assert.equal(atMs[0], 0);
    assert.ok(atMs.every((at, i) => i === 0 || at > (atMs[i - 1] as number)));
    assert.ok(prices.every((price) => price > 0n));
    writeFileSync(path, 'nothing');
    await assert.rejects(loadPrices(path), { code: 'NO_PRICES' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what the actors send is accepted, and the ledger stays whole', async () => {
  const genesis = devnetGenesis();
  const engine = await Engine.create({ genesis, workers: 1 });
  try {
    const { totalEquity } = await engine.audit();
    const simulation = new MarketSimulation(DEVNET_MARKETS, new PriceWalk(DEVNET_MARKETS, 3), 4);
    let refused = 0;
    let transactions = 0;
    for (let number = 1; number <= 60; number++) {
      const timeMs = START_MS + number * 1000;
      const block = { number, timeMs, transactions: simulation.step(timeMs) };
      const { receipts } = await engine.executeBlock(block, { model: 'serial' });
      transactions += block.transactions.length;
      for (let i = 0; i < block.transactions.length; i++) if (receipts.code(i) !== 0) refused++;
    }
    assert.equal(refused, 0);
    assert.ok(transactions > 60 * 25);
    for (let market = 0; market < DEVNET_MARKETS.length; market++) {
      const levels = [...engine.levels(market)];
      assert.ok(levels.length >= 8, `market ${market} has ${levels.length} levels`);
    }
    assert.deepEqual(violations(await engine.audit(), totalEquity), []);
  } finally {
    await engine.close();
  }
});
