/** The generated flow: its mix and its books, and that its own model of the books is what the twin and the engine make of its blocks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE_IOC_NO_MATCH, CODE_OK } from '../base/codes.ts';
import {
  EVENT_ITEM,
  FLAG_SELL,
  ITEM_BYTES,
  ITEM_FLAGS,
  ITEM_MARKET,
  ITEM_OID,
  ITEM_OP,
  ITEM_PRICE,
  ITEM_SIZE,
  ITEM_TIF,
  OP_CANCEL,
  OP_MODIFY,
  ORDERS_ITEMS,
  TIF_IOC,
} from '../exchange/layout.ts';
import { NaiveLedger } from '../exchange/naive.ts';
import type { PreparedBlock, Receipts } from '../execution/api.ts';
import { Engine } from '../execution/index.ts';
import { TX_ITEMS, TX_SENDER } from '../kernel/layout.ts';
import type { Address, OrderItem, Transaction } from '../ledger/transactions.ts';
import { GeneratedFlow } from './generated-flow.ts';

/** Codes of all items of a block, counted. */
function countCodes(receipts: Receipts, counts: Map<number, number>): void {
  for (let i = 0; i < receipts.count; i++) {
    assert.equal(receipts.code(i), 0);
    const events = receipts.events(i);
    const view = new DataView(events.buffer, events.byteOffset, events.byteLength);
    for (let at = 0; at < events.byteLength; at += view.getUint32(at, true) >>> 8) {
      if (view.getUint8(at) !== EVENT_ITEM) continue;
      const code = view.getUint16(at + 6, true);
      counts.set(code, (counts.get(code) ?? 0) + 1);
    }
  }
}

function typed({ bytes, count, offsets }: PreparedBlock, addresses: readonly Address[]): Transaction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => {
    const at = offsets[i] as number;
    const items = Array.from({ length: view.getUint16(at + TX_ITEMS, true) }, (_, item) =>
      itemAt(view, at + ORDERS_ITEMS + item * ITEM_BYTES),
    );
    return { kind: 'orders', sender: addresses[view.getUint32(at + TX_SENDER, true)] as Address, items };
  });
}

function itemAt(view: DataView, at: number): OrderItem {
  const op = view.getUint8(at + ITEM_OP);
  const market = view.getUint32(at + ITEM_MARKET, true);
  const oid = view.getBigUint64(at + ITEM_OID, true);
  if (op === OP_CANCEL) return { op: 'cancel', market, oid };
  const terms = {
    market,
    side: (view.getUint8(at + ITEM_FLAGS) & FLAG_SELL) === 0 ? 'buy' : 'sell',
    tif: view.getUint8(at + ITEM_TIF) === TIF_IOC ? 'ioc' : 'gtc',
    priceTicks: view.getUint32(at + ITEM_PRICE, true),
    sizeLots: view.getBigInt64(at + ITEM_SIZE, true),
  } as const;
  return op === OP_MODIFY ? { op: 'modify', target: oid, ...terms } : { op: 'place', ...terms };
}

test('the mix, the number of orders and of levels are those of the published benchmark', () => {
  const flow = new GeneratedFlow({ seed: 5 });
  const setup = [...flow.setup()];
  assert.equal(
    setup.reduce((sum, { count }) => sum + count, 0),
    1000,
  );
  for (let round = 0; round < 5; round++) {
    const blocks = [...flow.blocks(60_000)];
    assert.equal(
      blocks.reduce((sum, { count }) => sum + count, 0),
      60_000,
    );
    assert.ok(Math.abs(flow.restingOrders - 1000) < 100, `${flow.restingOrders} orders`);
    assert.ok(Math.abs(flow.levels - 750) < 100, `${flow.levels} levels`);
  }
  const { gtc, ioc, cancel, move } = flow.mix;
  const all = gtc + ioc + cancel + move;
  assert.equal(all, 300_000);
  for (const [count, share] of [
    [gtc, 0.09],
    [ioc, 0.03],
    [cancel, 0.06],
    [move, 0.82],
  ] as const) {
    assert.ok(Math.abs(count / all - share) < 0.003, `${count / all} instead of ${share}`);
  }
});

test('the same seed gives the same blocks, another seed others', () => {
  const bytes = (seed: number): Buffer => {
    const flow = new GeneratedFlow({ seed, markets: 3, accounts: 500, blockSize: 1000 });
    return Buffer.concat([...flow.setup(), ...flow.blocks(5000)].map((block) => block.bytes));
  };
  assert.ok(bytes(1).equals(bytes(1)));
  assert.ok(!bytes(1).equals(bytes(2)));
});

for (const [markets, accounts] of [
  [1, 10_000],
  [20, 10_000],
  [4, 150],
] as const) {
  test(`the engine agrees with the flow's books: ${markets} markets, ${accounts} accounts`, async () => {
    const flow = new GeneratedFlow({ seed: 9, markets, accounts });
    const engine = await Engine.create({ genesis: flow.genesis, workers: 1 });
    const codes = new Map<number, number>();
    for (const blocks of [flow.setup(), flow.blocks(50_000)]) {
      for (const block of blocks) countCodes((await engine.execute(block, { model: 'serial' })).receipts, codes);
    }
    // Every cancel and move met its order; an immediate order that meets only orders of its own account cancels them and trades nothing.
    assert.ok((codes.get(CODE_IOC_NO_MATCH) ?? 0) < 50);
    codes.delete(CODE_IOC_NO_MATCH);
    assert.deepEqual([...codes.keys()], [CODE_OK]);
    for (let market = 0; market < markets; market++) assert.equal(flow.differingLevels(market, engine.levels(market)), 0);
    await engine.close();
  });
}

test('the twin agrees with the flow and with the engine', async () => {
  const flow = new GeneratedFlow({ seed: 4, markets: 2, accounts: 25, restingOrders: 60, blockSize: 200 });
  const twin = new NaiveLedger(flow.genesis);
  const engine = await Engine.create({ genesis: flow.genesis, workers: 1 });
  const addresses = flow.genesis.accounts.map(({ address }) => address);
  for (const blocks of [flow.setup(), flow.blocks(2000)]) {
    for (const block of blocks) {
      const expected = twin.executeBlock({ number: block.number, timeMs: block.timeMs, transactions: typed(block, addresses) });
      const { receipts } = await engine.execute(block, { model: 'serial' });
      expected.forEach(({ code, events }, i) => {
        assert.equal(receipts.code(i), code);
        assert.deepEqual(Buffer.from(receipts.events(i)), Buffer.from(events), `block ${block.number}, transaction ${i}`);
      });
    }
  }
  twin.state.markets.forEach((_, market) => {
    const orders = twin.state.orders.filter((order) => order.market === market);
    const sizes = new Map<string, { priceTicks: number; side: number; totalLots: bigint }>();
    for (const { sell, priceTicks, sizeLots } of orders) {
      const level = sizes.get(`${sell} ${priceTicks}`) ?? { priceTicks: Number(priceTicks), side: sell ? 1 : 0, totalLots: 0n };
      sizes.set(`${sell} ${priceTicks}`, { ...level, totalLots: level.totalLots + sizeLots });
    }
    assert.equal(flow.differingLevels(market, sizes.values()), 0);
  });
  await engine.close();
});
