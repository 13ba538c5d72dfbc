/** The writer against admission: the same transactions, typed and written, are the same bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ITEM_BYTES, ORDERS_ITEMS, TIF_ALO, TIF_GTC, TIF_IOC } from '../exchange/layout.ts';
import type { Transaction } from '../ledger/transactions.ts';
import { GeneratedFlow } from '../market/generated-flow.ts';
import { Engine } from './index.ts';
import { PreparedBlockWriter } from './prepared-block.ts';

const { genesis } = new GeneratedFlow({ markets: 3, accounts: 10, restingOrders: 10 });
const address = (number: number): string => genesis.accounts[number]?.address as string;

test('the writer writes what admission writes', async () => {
  const big = 2 ** 50 + 12345;
  const writer = new PreparedBlockWriter();
  const fill = (): void => {
    writer.place(3, { market: 2, sell: true, reduceOnly: true, tif: TIF_IOC, priceTicks: 777, sizeLots: big });
    writer.oracle(10, [
      { market: 0, spotTicks: 5 },
      { market: 2, spotTicks: 6, perpTicks: 7 },
    ]);
    writer.cancel(1, 0, big);
    writer.reduce(2, 1, big, 3);
    writer.beginOrders(4);
    writer.placeItem({ market: 1, sell: false, tif: TIF_GTC, priceTicks: 10, sizeLots: 4 });
    writer.cancelItem(1, 9);
    writer.reduceItem(1, 8, 7);
    writer.endOrders();
    writer.modify(5, big, { market: 0, sell: false, tif: TIF_ALO, priceTicks: 11, sizeLots: 5 });
  };
  const transactions: Transaction[] = [
    {
      kind: 'orders',
      sender: address(3),
      items: [{ op: 'place', market: 2, side: 'sell', tif: 'ioc', priceTicks: 777, sizeLots: BigInt(big), reduceOnly: true }],
    },
    {
      kind: 'oracle',
      sender: address(10),
      prices: [
        { market: 0, spot: [5] },
        { market: 2, spot: [6], perp: [7] },
      ],
    },
    { kind: 'orders', sender: address(1), items: [{ op: 'cancel', market: 0, oid: BigInt(big) }] },
    { kind: 'orders', sender: address(2), items: [{ op: 'reduce', market: 1, oid: BigInt(big), sizeLots: 3n }] },
    {
      kind: 'orders',
      sender: address(4),
      items: [
        { op: 'place', market: 1, side: 'buy', tif: 'gtc', priceTicks: 10, sizeLots: 4n },
        { op: 'cancel', market: 1, oid: 9n },
        { op: 'reduce', market: 1, oid: 8n, sizeLots: 7n },
      ],
    },
    {
      kind: 'orders',
      sender: address(5),
      items: [{ op: 'modify', market: 0, target: BigInt(big), side: 'buy', tif: 'alo', priceTicks: 11, sizeLots: 5n }],
    },
  ];
  const engine = await Engine.create({ genesis, workers: 1 });
  const expected = engine.prepare({ number: 1, timeMs: 7, transactions });
  await engine.close();
  // Twice: what a writer held before its reset does not show.
  for (let round = 0; round < 2; round++) {
    fill();
    const written = writer.finish(1, 7);
    assert.deepEqual(written.offsets, expected.offsets);
    assert.equal(written.items, expected.items);
    assert.equal(written.count, expected.count);
    assert.deepEqual(Buffer.from(written.bytes), Buffer.from(expected.bytes));
    writer.reset();
  }
});

test('the writer grows', () => {
  const writer = new PreparedBlockWriter();
  for (let i = 0; i < 100_000; i++) writer.cancel(i, 0, i * 1024);
  const { bytes, count, items, offsets } = writer.finish(1, 0);
  assert.equal(count, 100_000);
  assert.equal(items, 100_000);
  assert.equal(bytes.length, 100_000 * (ORDERS_ITEMS + ITEM_BYTES));
  assert.equal(offsets[100_000], bytes.length);
  assert.equal(new DataView(bytes.buffer).getUint32((offsets[99_999] as number) + 16, true), 99_999);
});

test('a batch has 1 to 64 items', () => {
  const writer = new PreparedBlockWriter();
  writer.beginOrders(1);
  assert.throws(() => writer.endOrders(), /1 to 64 items/);
  for (let i = 0; i < 65; i++) writer.cancelItem(0, 1);
  assert.throws(() => writer.endOrders(), /1 to 64 items/);
});
