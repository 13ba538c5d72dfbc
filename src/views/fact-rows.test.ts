/** Facts come out of packed rows as they went in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FILL_ROWS, FUNDING_ROWS, moneyRows, orderRows, PAYMENT_ROWS, TRADE_ROWS } from './fact-rows.ts';
import { DIRECTIONS, type FillFact, type FundingFact, type MoneyFact, type PaymentFact, type TradeFact } from './facts.ts';
import { type NewOrder, OrderTable } from './order-table.ts';
import { PackedLog, type RowCodec } from './packed-log.ts';
import { nameOfHash } from './transaction-name.ts';

/** With the prototype of other objects, which comparisons look at. */
const record = <T>(fields: { readonly [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true });

const u32 = fc.nat(0xffffffff);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const market = fc.nat(511);
const timeMs = fc.constant(0);
const transaction = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(nameOfHash);
const clientId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => `0x${bytes.toHex()}`);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const fill: fc.Arbitrary<FillFact> = record({
  account: u32,
  market,
  sell: fc.boolean(),
  lots: i64,
  priceTicks: u32,
  timeMs,
  startLots: i64,
  direction: fc.constantFrom(...DIRECTIONS),
  closedPnl: i64,
  fee: i64,
  builderFee: i64,
  crossed: fc.boolean(),
  oid: u64,
  tid: fc.nat(2 ** 50 - 1),
  clientId: maybe(clientId),
  twapId: maybe(u32),
  liquidation: maybe(record({ account: u32, markTicks: u32, method: fc.constantFrom('market' as const, 'backstop' as const) })),
  transaction,
});
const trade: fc.Arbitrary<TradeFact> = record({
  market,
  takerSells: fc.boolean(),
  lots: i64,
  priceTicks: u32,
  timeMs,
  tid: fc.nat(2 ** 50 - 1),
  buyer: u32,
  seller: u32,
  transaction,
});
const funding: fc.Arbitrary<FundingFact> = record({ market, rate: i64, premium: i64, timeMs });
const payment: fc.Arbitrary<PaymentFact> = record({ account: u32, market, rate: i64, amount: i64, lots: i64, timeMs });
const event: fc.Arbitrary<MoneyFact['event']> = fc.oneof(
  record({ kind: fc.constant('money' as const), transaction: u32, from: u32, to: u32, amount: i64, fee: i64, shares: i64 }),
  record({ kind: fc.constant('transfer' as const), token: u32, sender: u32, recipient: u32, amount: u64 }),
  record({
    kind: fc.constant('forced' as const),
    method: u32,
    account: u32,
    scope: u32,
    notional: i64,
    accountValue: i64,
    counterparty: u32,
    market: u32,
    lots: i64,
    amount: i64,
    positions: fc.array(record({ market, lots: i64 })),
  }),
);
const money: fc.Arbitrary<MoneyFact> = record({ account: u32, timeMs, transaction, nonce: maybe(u64), event });

const KEPT = 10;

/** Facts one after the other, read when half of them are written and when all are, some after others have gone. */
function checkRows<T extends { readonly timeMs: number }>(codec: () => RowCodec<T>, fact: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(fc.array(fact, { minLength: 1, maxLength: 2 * KEPT }), (facts) => {
      const log = new PackedLog(codec(), { each: KEPT, all: KEPT });
      const half = facts.length >> 1;
      for (const each of facts.slice(0, half)) log.push(1, each);
      const read = log.between(1, 0, 0, KEPT);
      for (const each of facts.slice(half)) log.push(1, each);
      assert.deepEqual(log.between(1, 0, 0, KEPT), facts.slice(-KEPT));
      assert.deepEqual(read, facts.slice(0, half).slice(-KEPT), 'what was read stays when its row goes');
    }),
    { numRuns: 100 },
  );
}

test('fills', () => checkRows(() => FILL_ROWS, fill));
test('trades', () => checkRows(() => TRADE_ROWS, trade));
test('fundings', () => checkRows(() => FUNDING_ROWS, funding));
test('payments', () => checkRows(() => PAYMENT_ROWS, payment));
test('money', () => checkRows(moneyRows, money));

test('steps of orders, with the orders that they show', () => {
  const orders = new OrderTable();
  const log = new PackedLog(orderRows(orders), { each: 2, all: 2 });
  const [first, second] = [orders.add(order(1n << 13n)), orders.add(order(2n << 13n))];
  log.push(7, { order: first, status: 'open', leftLots: 5n, timeMs: 10, partial: false });
  log.push(7, { order: first, status: 'filled', leftLots: 0n, timeMs: 11, partial: false });
  assert.deepEqual(
    log.newest(7, 2).map(({ order: { oid }, status, leftLots, timeMs: at, partial }) => [oid, status, leftLots, at, partial]),
    [
      [1n << 13n, 'filled', 0n, 11, false],
      [1n << 13n, 'open', 5n, 10, false],
    ],
  );
  log.push(7, { order: second, status: 'canceled', leftLots: 5n, timeMs: 12, partial: false });
  assert.ok(orders.find(1n << 13n) !== undefined, 'a step still shows it');
  log.push(7, { order: second, status: 'canceled', leftLots: 5n, timeMs: 13, partial: false });
  assert.equal(orders.find(1n << 13n), undefined);
  assert.throws(() => log.push(7, { order: second, status: 'open', leftLots: 5n, timeMs: 14, partial: true }), /no step/);
});

function order(oid: bigint): NewOrder {
  return {
    oid,
    account: 7,
    market: 3,
    sell: false,
    tif: 'gtc',
    limitTicks: 100,
    originalLots: 5n,
    reduceOnly: false,
    clientId: undefined,
    trigger: undefined,
    timeMs: 10,
    leftLots: 5n,
    place: 'gone',
    children: [],
    status: 'open',
    statusMs: 10,
  };
}
