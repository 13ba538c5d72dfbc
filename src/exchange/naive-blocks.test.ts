/**
 * Hand-worked examples of docs/rules.md for whole blocks of the naive twin: trigger orders and groups, TWAPs, scheduled cancels, liquidation,
 * the backstop vault, deleveraging, funding and delisting, from the transaction that starts them to the receipts of the system.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CAUSE_BACKSTOP,
  CAUSE_DELEVERAGE,
  CAUSE_LIQUIDATION,
  CAUSE_TRIGGER,
  CAUSE_TWAP,
  CAUSE_UNWIND,
  CODE_INVALID_GROUP,
  CODE_INVALID_TRIGGER,
  CODE_IOC_NO_MATCH,
  CODE_MARKET_HALTED,
  CODE_MIN_VALUE,
  CODE_NO_DEPOSIT,
  CODE_NOT_AUTHORISED,
  CODE_OK,
  CODE_ORDER_NOT_FOUND,
  CODE_PARENT_REJECTED,
  CODE_POST_ONLY,
  CODE_REDUCE_ONLY,
  CODE_SCHEDULE_LIMIT,
  CODE_SCHEDULE_TOO_SOON,
  CODE_SCHEDULE_VOLUME,
  CODE_TOO_MANY_OPEN_ORDERS,
  CODE_TWAP_DURATION,
  CODE_TWAP_LIMIT,
  CODE_TWAP_NOT_FOUND,
  CODE_TWAP_TOO_SMALL,
  CODE_UNKNOWN_MARKET,
  CODE_WAITING_FOR_FILL,
  CODE_WAITING_FOR_TRIGGER,
  CODE_ZERO_SIZE,
  REASON_DELISTED,
  REASON_LIQUIDATED,
  REASON_PARENT,
  REASON_POSITION_CLOSED,
  REASON_SCHEDULED,
  REASON_SIBLING,
} from '../base/codes.ts';
import type { OrdersTransaction, PlaceItem, Transaction } from '../ledger/transactions.ts';
import {
  A,
  address,
  B,
  Bench,
  buy,
  C,
  cancels,
  DAY,
  type Event,
  fills,
  moneyOf,
  NOBODY,
  ORACLE,
  ofType,
  oidOf,
  orders,
  report,
  sell,
  TIME,
  types,
  word,
} from './naive-bench.ts';

const VAULT = address(5);

type Trigger = NonNullable<PlaceItem['trigger']>;

/** A sell that takes profit at or above the price, with a market order. */
function takeProfit(sizeLots: number, priceTicks: number, more: Partial<PlaceItem> = {}): PlaceItem {
  return sell(sizeLots, 0, { reduceOnly: true, trigger: { kind: 'takeProfit', priceTicks, market: true }, ...more });
}

/** A sell that stops losses at or below the price, with a limit order. */
function stopLoss(sizeLots: number, priceTicks: number, limit: number, more: Partial<PlaceItem> = {}): PlaceItem {
  return sell(sizeLots, limit, { reduceOnly: true, trigger: { kind: 'stopLoss', priceTicks, market: false }, ...more });
}

function group(grouping: 'normal' | 'position', ...items: PlaceItem[]): OrdersTransaction {
  return { ...orders(A, ...items), grouping };
}

/** Code, oid and resting lots of the items. */
function results(events: readonly Event[]): [number, bigint, bigint][] {
  return ofType(events, 'item').map(({ code, oid, resting }) => [code, oid, resting]);
}

function isOrderClosed(bench: Bench, account: number): boolean {
  return bench.ledger.openOrders(account).length === 0;
}

// Trigger orders and groups

test('trigger orders: wait for the mark, beside the book', () => {
  const bench = new Bench({ markets: [{ minNotional: 1000n }] });
  const at = (priceTicks: number, more: Partial<Trigger> = {}): Partial<PlaceItem> => ({
    trigger: { kind: 'takeProfit', priceTicks, market: false, ...more },
  });
  const code = (item: PlaceItem): number => bench.item(A, item).code;
  // Above: a take-profit sell, a stop-loss buy. Below: the others. True already: refused.
  assert.equal(code(sell(10, 100, at(100))), CODE_INVALID_TRIGGER);
  assert.equal(code(buy(10, 100, at(100, { kind: 'stopLoss' }))), CODE_INVALID_TRIGGER);
  assert.equal(code(buy(10, 100, at(100))), CODE_INVALID_TRIGGER);
  assert.equal(code(sell(10, 100, at(100, { kind: 'stopLoss' }))), CODE_INVALID_TRIGGER);
  assert.equal(code(buy(5, 100, at(99))), CODE_MIN_VALUE, '990 at the trigger price');
  const waiting = bench.item(A, buy(6, 95, at(99)));
  assert.deepEqual([waiting.code, waiting.oid, waiting.resting], [CODE_WAITING_FOR_TRIGGER, oidOf(6), 6n]);
  assert.equal(code(sell(10, 102, at(101))), CODE_WAITING_FOR_TRIGGER);
  assert.equal(code(sell(10, 102, at(120))), CODE_WAITING_FOR_TRIGGER);
  assert.deepEqual([bench.level(95), bench.margin(0).orderMargin, bench.margin(0).openOrders], [undefined, 0n, 3]);
  assert.deepEqual([bench.position(0).triggers, bench.position(0).above, bench.position(0).below], [3, 101, 99]);
  assert.deepEqual([bench.margin(0).positions, bench.record('portfolio', word(0))?.getBigUint64(0, true)], [1, 1n]);

  // At 99 the buy becomes a limit order in its old slot; it is behind what rested before.
  bench.item(B, buy(10, 95));
  bench.mark(99);
  assert.deepEqual(bench.systemEvents(), [
    { type: 'active', code: CODE_OK, market: 0, oid: oidOf(6), filled: 0n, resting: 6n, account: 0, what: 1 },
  ]);
  assert.deepEqual(bench.level(95), [16n, 2, 1, 2, 0]);
  assert.deepEqual([bench.position(0).triggers, bench.position(0).above, bench.position(0).below], [2, 101, 0]);
  // Cancelling one leaves the bound, cancelling both does not.
  bench.item(A, { op: 'cancel', market: 0, oid: oidOf(7, 1) });
  assert.deepEqual([bench.position(0).triggers, bench.position(0).above], [1, 101]);
  assert.equal(bench.item(A, { op: 'reduce', market: 0, oid: oidOf(8, 2), sizeLots: 1n }).code, CODE_ORDER_NOT_FOUND);
  bench.item(A, { op: 'cancel', market: 0, oid: oidOf(8, 2) });
  assert.deepEqual([bench.position(0).triggers, bench.position(0).above, bench.margin(0).positions], [0, 0, 0]);
});

test('trigger orders: above the open orders that everybody has they are refused', () => {
  const exchange = { openOrdersBase: 1, openOrdersVolume: 1000n, openOrdersMax: 3 };
  const bench = new Bench({ exchange });
  bench.trade(A, B, 5, 100);
  assert.equal(bench.item(A, buy(1, 50)).code, CODE_OK);
  assert.equal(bench.item(A, takeProfit(1, 120)).code, CODE_TOO_MANY_OPEN_ORDERS);
  assert.equal(bench.item(A, sell(1, 120, { reduceOnly: true })).code, CODE_TOO_MANY_OPEN_ORDERS);
  assert.equal(bench.item(A, buy(1, 50)).code, CODE_OK, 'one more for a volume of 1000');
  assert.equal(bench.item(A, buy(1, 50)).code, CODE_TOO_MANY_OPEN_ORDERS);
});

test('groups: children of a parent that is filled at once wait for the mark, and one cancels the other', () => {
  const bench = new Bench();
  bench.item(B, sell(10, 100));
  const events = bench.done(group('normal', buy(10, 100), takeProfit(10, 120), stopLoss(10, 90, 85)));
  assert.deepEqual(results(events), [
    [CODE_OK, oidOf(2), 0n],
    [CODE_WAITING_FOR_TRIGGER, oidOf(3), 10n],
    [CODE_WAITING_FOR_TRIGGER, oidOf(4, 1), 10n],
  ]);
  const order = bench.record('order', word(0) + word(0));
  // oid, size, original, margin; price, no neighbours; market, flags (sell, reduce-only, extra, trigger), gtc
  assert.deepEqual(
    [0, 8, 16, 24].map((offset) => order?.getBigInt64(offset, true)),
    [oidOf(3), 10n, 10n, 0n],
  );
  assert.deepEqual([order?.getUint32(32, true), order?.getUint32(36, true), order?.getUint32(40, true)], [0, 0, 0]);
  assert.deepEqual([order?.getUint8(46), order?.getUint8(47)], [27, 1]);
  const extra = [0, 1].map((slot) => bench.record('order extra', word(0) + word(slot)));
  // trigger price, kind, market, whole; parent, sibling
  assert.deepEqual(
    extra.map((view) => [view?.getUint32(24, true), view?.getUint8(28), view?.getUint8(29), view?.getUint8(30)]),
    [
      [120, 1, 1, 0],
      [90, 2, 0, 0],
    ],
  );
  assert.deepEqual(
    extra.map((view) => [view?.getUint16(32, true), view?.getUint16(34, true)]),
    [
      [0, 2],
      [0, 1],
    ],
  );
  assert.deepEqual([bench.position(0).triggers, bench.position(0).above, bench.position(0).below], [2, 120, 90]);

  // At 120: a market order down to 108 (120 less 10 %), which meets 4 lots; the rest is dropped. The stop goes first.
  bench.send(C, buy(4, 108), buy(4, 107));
  bench.mark(120);
  assert.equal(bench.system.length, 1);
  const [cancelled, fill, active] = bench.systemEvents();
  assert.deepEqual(cancelled, { type: 'cancel', reason: REASON_SIBLING, market: 0, oid: oidOf(4, 1), lots: 10n, account: 0 });
  assert.ok(fill?.type === 'fill');
  assert.deepEqual([fill.oids, fill.lots, fill.price, fill.cause, fill.takerSells], [[oidOf(3), oidOf(5)], 4n, 108, CAUSE_TRIGGER, true]);
  assert.deepEqual(active, { type: 'active', code: CODE_OK, market: 0, oid: oidOf(3), filled: 4n, resting: 0n, account: 0, what: 1 });
  assert.ok(isOrderClosed(bench, 0));
  assert.deepEqual([bench.position(0).triggers, bench.position(0).above, bench.position(0).below], [0, 0, 0]);
});

test('groups: children of a resting parent wait for it to be filled', () => {
  const bench = new Bench();
  const place = (): [number, bigint, bigint][] =>
    results(bench.done(group('normal', buy(10, 90), takeProfit(10, 120), stopLoss(10, 80, 75))));
  assert.deepEqual(place(), [
    [CODE_OK, oidOf(1), 10n],
    [CODE_WAITING_FOR_FILL, oidOf(2, 1), 10n],
    [CODE_WAITING_FOR_FILL, oidOf(3, 2), 10n],
  ]);
  const extra = (slot: number): number[] => {
    const view = bench.record('order extra', word(0) + word(slot));
    return [32, 34, 36, 38].map((offset) => view?.getUint16(offset, true) ?? -1);
  };
  // parent, sibling, child1, child2: slots + 1
  assert.deepEqual(
    [extra(0), extra(1), extra(2)],
    [
      [0, 0, 2, 3],
      [1, 3, 0, 0],
      [1, 2, 0, 0],
    ],
  );
  assert.equal(bench.record('order', word(0) + word(1))?.getUint8(46), 43, 'sell, reduce-only, extra, child');
  assert.deepEqual([bench.margin(0).openOrders, bench.margin(0).positions], [3, 0]);

  // In part: they go on waiting. Whole: they become trigger orders.
  assert.deepEqual(types(bench.send(B, sell(4, 90))), ['fill', 'item']);
  const events = bench.send(B, sell(6, 90));
  assert.deepEqual(types(events), ['fill', 'active', 'active', 'item']);
  assert.deepEqual(events[1], { type: 'active', code: 0, market: 0, oid: oidOf(2, 1), filled: 0n, resting: 10n, account: 0, what: 2 });
  assert.deepEqual([bench.position(0).triggers, bench.position(0).above, bench.position(0).below], [2, 120, 80]);
  assert.deepEqual(
    [extra(1), extra(2)],
    [
      [0, 3, 0, 0],
      [0, 2, 0, 0],
    ],
  );
  assert.equal(bench.record('order', word(0) + word(1))?.getUint8(46), 27);

  // A parent that is cancelled takes them with it.
  const [parent] = place();
  const gone = bench.send(A, { op: 'cancel', market: 0, oid: parent?.[1] ?? 0n });
  assert.deepEqual(cancels(gone), [
    [REASON_PARENT, 10n, 0],
    [REASON_PARENT, 10n, 0],
  ]);
  assert.deepEqual(types(gone), ['cancel', 'cancel', 'item']);
});

test('groups: what is none, and what becomes of children whose parent was not placed', () => {
  const bench = new Bench();
  bench.item(B, buy(5, 99));
  bench.item(B, sell(5, 101));
  const code = (grouping: 'normal' | 'position', ...items: PlaceItem[]): number | undefined => bench.codes(group(grouping, ...items))[0];
  const child = takeProfit(1, 120);
  const whole = takeProfit(0, 120);
  assert.deepEqual(
    [
      code('normal', buy(1, 50)),
      code('normal', child, child),
      code('normal', buy(1, 50), child, child, child),
      code('normal', sell(1, 150), child),
      code('normal', buy(1, 50), { ...child, reduceOnly: false }),
      code('normal', buy(1, 50), sell(1, 120, { reduceOnly: true })),
      code('position', child),
      code('position', whole, { ...whole, side: 'buy' }),
      code('position', whole, whole, whole),
    ],
    Array.from({ length: 9 }, () => CODE_INVALID_GROUP),
  );
  assert.deepEqual(results(bench.done(group('normal', buy(1, 101, { tif: 'alo' }), child))), [
    [CODE_POST_ONLY, 0n, 0n],
    [CODE_PARENT_REJECTED, 0n, 0n],
  ]);
  const partly = bench.done(group('normal', buy(6, 101, { tif: 'ioc' }), child));
  assert.deepEqual(
    results(partly).map(([result]) => result),
    [CODE_OK, CODE_PARENT_REJECTED],
  );
  assert.deepEqual(
    results(bench.done(group('position', takeProfit(0, 120, { side: 'buy' })))).map(([result]) => result),
    [CODE_INVALID_TRIGGER],
  );
});

test('groups: orders of a position are as large as it is, and go when it is closed', () => {
  const bench = new Bench();
  bench.trade(A, B, 10, 100);
  const place = (): [number, bigint, bigint][] => results(bench.done(group('position', takeProfit(0, 120), stopLoss(0, 90, 85))));
  assert.deepEqual(place(), [
    [CODE_WAITING_FOR_TRIGGER, oidOf(3), 0n],
    [CODE_WAITING_FOR_TRIGGER, oidOf(4, 1), 0n],
  ]);
  assert.deepEqual([bench.position(0).triggers, bench.position(0).attached], [2, 2]);
  assert.equal(bench.item(A, takeProfit(0, 120)).code, CODE_ZERO_SIZE);
  assert.deepEqual(results(bench.done({ ...group('position', takeProfit(0, 120)), sender: C }))[0]?.[0], CODE_REDUCE_ONLY);

  // 4 of 10 are sold; at 90 the rest of 6 is offered at 85.
  bench.trade(C, A, 4, 100);
  bench.mark(90);
  assert.deepEqual(bench.systemEvents().at(-1), {
    type: 'active',
    code: CODE_OK,
    market: 0,
    oid: oidOf(4, 1),
    filled: 0n,
    resting: 6n,
    account: 0,
    what: 1,
  });
  assert.deepEqual(cancels(bench.systemEvents()), [[REASON_SIBLING, 0n, 0]]);
  bench.mark(100);
  bench.item(A, { op: 'cancel', market: 0, oid: oidOf(4, 1) });

  place();
  bench.item(C, buy(6, 100));
  bench.block(orders(A, sell(6, 100)));
  assert.deepEqual(cancels(bench.systemEvents()), [
    [REASON_POSITION_CLOSED, 0n, 0],
    [REASON_POSITION_CLOSED, 0n, 0],
  ]);
  assert.deepEqual([bench.position(0).triggers, bench.position(0).attached, bench.margin(0).positions], [0, 0, 0]);
});

// TWAPs

const NO_MINIMUM = { twapMinNotional: 0n };

function twap(more: Partial<Extract<Transaction, { kind: 'twap' }>> = {}): Transaction {
  return { kind: 'twap', sender: A, market: 0, side: 'buy', sizeLots: 20n, minutes: 5, ...more };
}

test('TWAP: a slice every 30 s, catching up by three at most', () => {
  const bench = new Bench({ exchange: NO_MINIMUM, markets: [{ takerFeePpm: 450 }] });
  bench.item(B, sell(100, 102));
  const slice = (filled: bigint, resting: bigint, code = CODE_OK): Event => ({
    type: 'active',
    code,
    market: 0,
    oid: 1n,
    filled,
    resting,
    account: 0,
    what: 3,
  });
  // 20 lots in 10 slices: 2 each.
  assert.deepEqual(bench.done(twap()), [slice(0n, 20n)]);
  const [fill, first] = bench.systemEvents();
  assert.ok(fill?.type === 'fill');
  assert.deepEqual([fill.lots, fill.price, fill.cause, fill.oids[0], fill.fees[0]], [2n, 102, CAUSE_TWAP, 0n, 1n]);
  assert.deepEqual(first, slice(2n, 18n));
  const record = bench.record('TWAP', word(0) + word(0));
  // total, filled, start; slices, sliced, id
  assert.deepEqual(
    [0, 8, 16].map((offset) => record?.getBigInt64(offset, true)),
    [20n, 2n, BigInt(TIME)],
  );
  assert.deepEqual(
    [24, 28, 32].map((offset) => record?.getUint32(offset, true)),
    [10, 1, 1],
  );
  assert.deepEqual(
    [bench.record('settings', word(0))?.getUint32(36, true), bench.record('settings', word(0))?.getUint32(40, true)],
    [1, 1],
  );

  bench.timeMs = TIME + 29_999;
  bench.block();
  assert.deepEqual(bench.system, []);
  bench.timeMs = TIME + 30_000;
  bench.item(B, { op: 'cancel', market: 0, oid: oidOf(1) });
  assert.deepEqual(bench.systemEvents(), [slice(0n, 18n, CODE_IOC_NO_MATCH)]);
  // 103 is 3 % above the mark. Of 6 by now 2 are filled.
  bench.item(B, sell(100, 104));
  bench.item(B, sell(100, 103));
  bench.timeMs = TIME + 60_000;
  bench.block();
  assert.deepEqual(bench.systemEvents().at(-1), slice(4n, 14n));
  // The last slice: 14 are missing, 6 are what it takes at most; then it ends.
  bench.timeMs = TIME + 285_000;
  bench.block();
  assert.deepEqual(bench.systemEvents().slice(1), [slice(6n, 8n), { ...slice(12n, 8n), what: 4 }]);
  assert.equal(bench.record('TWAP', word(0) + word(0)), undefined);
  assert.equal(bench.record('settings', word(0))?.getBigUint64(8, true), 2n ** 64n - 1n);
  assert.equal(bench.position(0).size, 12n);
});

test('TWAP: start and stop prices, reduce-only, cancelling', () => {
  const bench = new Bench({ exchange: NO_MINIMUM });
  bench.item(B, sell(100, 100));
  bench.done(twap({ start: { priceTicks: 120, above: true }, stopTicks: 121 }));
  assert.deepEqual(bench.systemEvents(), [], 'waits');
  bench.timeMs++;
  bench.mark(120);
  assert.deepEqual(
    fills(bench.systemEvents()).map(({ lots }) => lots),
    [2n],
  );
  bench.timeMs += 30_000;
  bench.mark(121);
  assert.equal(fills(bench.systemEvents()).length, 1, '121 is not beyond 121');
  bench.timeMs += 30_000;
  bench.mark(122);
  const ended = bench.systemEvents().at(-1);
  assert.deepEqual(
    [fills(bench.systemEvents()).length, ended?.type === 'active' && ended.what, ended?.type === 'active' && ended.filled],
    [0, 4, 4n],
  );

  assert.deepEqual(bench.codes(twap({ side: 'buy', reduceOnly: true })), [CODE_REDUCE_ONLY]);
  bench.done(twap());
  const cancel = (id: number, market = 0): Transaction => ({ kind: 'twapCancel', sender: A, market, id });
  const [, , cancelled, again] = bench.block(cancel(1), cancel(2, 1), cancel(2), cancel(2));
  assert.deepEqual(cancelled?.events, [
    { type: 'active', code: CODE_OK, market: 0, oid: 2n, filled: 2n, resting: 18n, account: 0, what: 4 },
  ]);
  assert.equal(again?.code, CODE_TWAP_NOT_FOUND);
  assert.deepEqual(bench.codes(cancel(1), cancel(2, 1)), [CODE_TWAP_NOT_FOUND, CODE_TWAP_NOT_FOUND]);
});

test('TWAP: what is refused', () => {
  const bench = new Bench({ exchange: { twapMinNotional: 4001n }, collateral: { [C]: 0n } });
  assert.deepEqual(
    bench.codes(
      twap({ market: 1 }),
      twap({ minutes: 4 }),
      twap({ minutes: 10_081 }),
      twap({ sizeLots: 0n }),
      twap({ stopTicks: 1000 }),
      twap({ sender: C }),
      twap(),
      ...Array.from({ length: 9 }, () => twap({ sizeLots: 21n })),
    ),
    [
      CODE_UNKNOWN_MARKET,
      CODE_TWAP_DURATION,
      CODE_TWAP_DURATION,
      CODE_ZERO_SIZE,
      CODE_INVALID_TRIGGER,
      CODE_NO_DEPOSIT,
      CODE_TWAP_TOO_SMALL,
      ...Array.from({ length: 8 }, () => CODE_OK),
      CODE_TWAP_LIMIT,
    ],
  );
});

// Scheduled cancels

test('scheduled cancel: takes everything off when its time has come', () => {
  const bench = new Bench({ exchange: { scheduleDaily: 1, scheduleVolume: 2000n }, collateral: { [ORACLE]: 0n } });
  const schedule = (timeMs?: number, sender = A): Transaction => ({
    kind: 'scheduleCancel',
    sender,
    ...(timeMs === undefined ? {} : { timeMs }),
  });
  assert.deepEqual(bench.codes(schedule(TIME + 5000), schedule(TIME + 4999), schedule(TIME + 5000, ORACLE), schedule()), [
    CODE_SCHEDULE_VOLUME,
    CODE_SCHEDULE_TOO_SOON,
    CODE_NO_DEPOSIT,
    CODE_OK,
  ]);
  assert.equal(bench.record('settings', word(0)), undefined);
  bench.trade(A, B, 10, 100);
  bench.send(A, sell(1, 150), buy(1, 50, { displayLots: 1n }), takeProfit(1, 120));
  bench.done(schedule(TIME + 5000));
  bench.timeMs = TIME + 4999;
  bench.block();
  assert.deepEqual(bench.system, []);
  bench.timeMs = TIME + 5000;
  bench.block();
  assert.deepEqual(cancels(bench.systemEvents()), [
    [REASON_SCHEDULED, 1n, 0],
    [REASON_SCHEDULED, 1n, 0],
    [REASON_SCHEDULED, 1n, 0],
  ]);
  const settings = bench.record('settings', word(0));
  // scheduled, next due; day, count
  assert.deepEqual([settings?.getBigUint64(0, true), settings?.getBigUint64(8, true)], [0n, 2n ** 64n - 1n]);
  assert.deepEqual([settings?.getUint32(24, true), settings?.getUint32(28, true)], [20_370, 1]);
  assert.deepEqual(bench.codes(schedule(TIME + 10_000), schedule(0)), [CODE_SCHEDULE_LIMIT, CODE_OK]);
  bench.timeMs = TIME + DAY;
  assert.deepEqual(bench.codes(schedule(bench.timeMs + 5000), schedule()), [CODE_OK, CODE_OK]);
  bench.timeMs += 5000;
  bench.item(A, buy(1, 50));
  assert.deepEqual(cancels(bench.systemEvents()), [], 'it was removed');
});

// Forced orders

/** What a FORCED event is not about a market or another account. */
const ALONE = { type: 'forced', scope: 0, counterparty: NOBODY, market: NOBODY, lots: 0n, amount: 0n } as const;

test('liquidation: a part first, within the cooldown the rest, and no fee for the account', () => {
  const bench = new Bench({
    markets: [{ takerFeePpm: 450, makerFeePpm: 150 }],
    collateral: { [A]: 201n },
    exchange: { partialNotional: 1000n, partialPpm: 200_000, cooldownMs: 30_000 },
  });
  const before = moneyOf(bench.ledger);
  // A fee of 1 leaves 200. At 94: worth 80, maintenance margin 94, notional 1880.
  bench.trade(A, B, 10, 100);
  bench.item(A, sell(1, 150));
  bench.item(C, buy(10, 94));
  bench.mark(94);
  const [cancelled, forced, fill, ...others] = bench.systemEvents();
  assert.deepEqual([others, cancelled && cancels([cancelled])], [[], [[REASON_LIQUIDATED, 1n, 0]]]);
  assert.deepEqual(forced, { ...ALONE, method: CAUSE_LIQUIDATION, account: 0, notional: 1880n, value: 80n, maintenance: 94n });
  assert.ok(fill?.type === 'fill');
  assert.deepEqual([fill.lots, fill.price, fill.cause, fill.takerSells, fill.oids[0]], [2n, 94, CAUSE_LIQUIDATION, true, 0n]);
  assert.deepEqual(
    [fill.accounts, fill.fees],
    [
      [0, 2],
      [0n, 1n],
    ],
  );
  assert.equal(bench.position(0).size, 8n);
  assert.equal(bench.record('settings', word(0))?.getBigUint64(16, true), BigInt(TIME + 30_000));

  // Marks as they are: 80 against 76 is enough. At 93: 64 against 75.
  bench.mark(94);
  assert.deepEqual(bench.systemEvents(), []);
  bench.mark(93);
  assert.deepEqual(types(bench.systemEvents()), ['forced', 'fill']);
  assert.deepEqual(bench.systemEvents()[0], {
    ...ALONE,
    method: CAUSE_LIQUIDATION,
    account: 0,
    notional: 1488n,
    value: 64n,
    maintenance: 75n,
  });
  assert.equal(fills(bench.systemEvents())[0]?.lots, 8n);
  // 200 - 6 * 20 for all 10 lots, sold at 94.
  assert.deepEqual([bench.margin(0).collateral, bench.holding(0)], [80n, [0n, 0n, -120n]]);
  assert.equal(moneyOf(bench.ledger), before);
});

test('liquidation: an isolated position alone', () => {
  const bench = new Bench({ markets: [{ mode: 'noCross' }, {}], collateral: { [A]: 1000n } });
  // 200 of 1000 go into the position: worth 80 at 94, maintenance margin 94.
  bench.trade(A, B, 10, 100);
  bench.trade(A, B, 1, 100, 1);
  bench.item(A, buy(1, 50, { market: 1 }));
  bench.item(C, buy(10, 94));
  bench.mark(94);
  assert.deepEqual(types(bench.systemEvents()), ['cancel', 'forced', 'fill']);
  assert.deepEqual(bench.systemEvents()[1], {
    ...ALONE,
    method: CAUSE_LIQUIDATION,
    account: 0,
    scope: 1,
    notional: 1880n,
    value: 80n,
    maintenance: 94n,
    market: 0,
  });
  assert.deepEqual([bench.position(0).size, bench.position(0, 1).size], [0n, 1n]);
  // 800 + 80, less the 200 that the cross position cost.
  assert.deepEqual([bench.margin(0).collateral, bench.margin(0).isolated], [680n, 0]);
});

test('backstop: takes over what orders have not saved, and offers it in small parts', () => {
  const bench = new Bench({ others: [VAULT], backstop: VAULT, collateral: { [A]: 200n, [VAULT]: 100_000n } });
  const before = moneyOf(bench.ledger);
  bench.trade(A, B, 10, 100);
  bench.mark(93);
  // Worth 60 against 93: first an order that finds nobody, then the takeover at 93, as 3 * 60 < 2 * 93.
  assert.deepEqual(bench.systemEvents(), [
    { ...ALONE, method: CAUSE_LIQUIDATION, account: 0, notional: 1860n, value: 60n, maintenance: 93n },
    { ...ALONE, method: CAUSE_BACKSTOP, account: 0, notional: 1860n, value: 60n, maintenance: 93n, market: 0, lots: -10n, amount: 1860n },
  ]);
  assert.deepEqual([bench.margin(0).collateral, bench.holding(0)], [0n, [0n, 0n, -140n]]);
  // The vault has 10 lots and all in all 60 more: 100060 - 1860.
  assert.deepEqual([bench.margin(4).collateral, bench.holding(4)], [98_200n, [10n, 1860n, 0n]]);
  assert.deepEqual(bench.totals(), [2000n, 10n, 0n], 'a takeover is no trade');

  // A twentieth of 10 lots, rounded up, at 1 % from the mark or better: 92.07 rounded up is 93.
  bench.item(C, buy(5, 92));
  bench.mark(93);
  assert.deepEqual(bench.systemEvents(), []);
  bench.item(C, buy(5, 93));
  bench.mark(93);
  const [fill, ...others] = bench.systemEvents();
  assert.ok(fill?.type === 'fill' && others.length === 0);
  assert.deepEqual([fill.accounts, fill.lots, fill.price, fill.cause], [[4, 2], 1n, 93, CAUSE_UNWIND]);
  assert.equal(moneyOf(bench.ledger), before);
});

test('backstop: takes over no more than its equity carries', () => {
  // 100 + 60 are less than a tenth of 1860; 126 + 60 are not.
  for (const [collateral, takes] of [
    [125n, false],
    [126n, true],
  ] as const) {
    const bench = new Bench({
      others: [VAULT],
      backstop: VAULT,
      collateral: { [A]: 200n, [VAULT]: collateral },
      exchange: { backstopMarginPpm: 100_000 },
    });
    bench.trade(A, B, 10, 100);
    bench.mark(93);
    assert.equal(bench.position(0).size, takes ? 0n : 10n);
  }
});

test('deleveraging: the best-paid winners close at the price before, and nothing is lost', () => {
  const bench = new Bench({ collateral: { [A]: 200n, [B]: 2000n, [C]: 20_000n } });
  const before = moneyOf(bench.ledger);
  bench.trade(A, B, 6, 100);
  bench.trade(A, C, 4, 100);
  bench.mark(80);
  // A is worth -200 at 80 and 200 at 100. B has more profit for its equity than C, so it goes first; A pays nothing beyond the price.
  const [first, forced, second, forcedAgain, ...others] = bench.systemEvents();
  assert.equal(others.length, 0);
  assert.ok(first?.type === 'fill' && second?.type === 'fill');
  assert.deepEqual(
    [first, second].map(({ accounts, lots, price, cause, takerSells, oids }) => [accounts, lots, price, cause, takerSells, oids]),
    [
      [[0, 1], 6n, 100, CAUSE_DELEVERAGE, true, [0n, 0n]],
      [[0, 2], 4n, 100, CAUSE_DELEVERAGE, true, [0n, 0n]],
    ],
  );
  const about = { type: 'forced', method: CAUSE_DELEVERAGE, account: 0, scope: 0, market: 0, amount: 0n };
  assert.deepEqual(forced, { ...about, notional: 960n, value: -200n, maintenance: 80n, counterparty: 1, lots: -6n });
  assert.deepEqual(forcedAgain, { ...about, notional: 640n, value: 40n, maintenance: 32n, counterparty: 2, lots: -4n });
  assert.deepEqual(
    [0, 1, 2].map((account) => bench.margin(account).collateral),
    [200n, 2000n, 20_000n],
  );
  assert.deepEqual([bench.totals(), moneyOf(bench.ledger)], [[2000n, 0n, 0n], before]);
  assert.equal(bench.record('price', word(0))?.getUint32(16, true), 100, 'no trade on the book');
});

// Funding and delisting

test('funding: the mean premium of an hour, from one side to the other', () => {
  const bench = new Bench({ markets: [{ impactNotional: 200n, fundingInterest: 0n, fundingClamp: 0n }] });
  const before = moneyOf(bench.ledger);
  bench.trade(A, B, 10, 100);
  // Impact prices 104 and 108: a premium of 4 % of the index over 8 hours, so 0.5 % of 2000 an hour. One sample in 5 s.
  bench.timeMs += 5000;
  bench.send(C, buy(10, 104), sell(10, 108));
  assert.equal(bench.record('funding', word(0))?.getBigInt64(0, true), 400_000_000n);
  bench.timeMs += 3_600_000;
  bench.block();
  const [event, ...others] = ofType(bench.systemEvents(), 'funding');
  assert.deepEqual(
    [event?.rate, event?.premium, event?.index, event?.paid, event?.residue, others],
    [50_000_000n, 400_000_000n, 100, 10n, 0n, []],
  );
  assert.deepEqual([bench.position(0).funding, bench.position(1).funding], [10n, -10n]);
  assert.deepEqual([bench.margin(0).collateral, bench.margin(1).collateral], [1_000_000n - 2000n - 10n, 1_000_000n + 2000n + 10n]);
  assert.equal(moneyOf(bench.ledger), before);
});

test('delisting: votes of enough stake settle all positions at the mean of the last minutes', () => {
  const bench = new Bench({
    collateral: { [A]: 200n },
    reporters: [
      { address: ORACLE, stake: 2n },
      { address: C, stake: 1n },
    ],
  });
  const before = moneyOf(bench.ledger);
  bench.mark(100);
  bench.trade(A, B, 10, 100);
  bench.timeMs += 60_000;
  bench.mark(110);
  bench.item(A, sell(5, 120));
  const vote = (sender: string, market = 0): Transaction => ({ kind: 'delist', sender, market });
  // 2 of 3 are 666666.67 millionths.
  assert.deepEqual(bench.codes(vote(A), vote(ORACLE, 1), vote(ORACLE)), [CODE_NOT_AUTHORISED, CODE_UNKNOWN_MARKET, CODE_OK]);
  assert.equal(bench.position(0).size, 10n);
  bench.done(vote(C));
  assert.deepEqual(bench.systemEvents(), [{ type: 'cancel', reason: REASON_DELISTED, market: 0, oid: oidOf(3), lots: 5n, account: 0 }]);
  // 105, the mean of 100 and 110.
  const votes = bench.record('delisting votes', word(0));
  assert.deepEqual(
    [votes?.getBigUint64(0, true), votes?.getBigUint64(8, true), votes?.getUint32(16, true)],
    [3n, BigInt(TIME + 60_000), 105],
  );
  assert.deepEqual(
    [bench.holding(0), bench.holding(1)],
    [
      [0n, 0n, 100n],
      [0n, 0n, -100n],
    ],
  );
  assert.deepEqual([bench.margin(0).collateral, bench.margin(1).collateral], [300n, 999_900n]);
  assert.deepEqual([bench.record('price', word(0))?.getUint32(4, true), bench.totals()], [105, [2000n, 0n, 0n]]);
  assert.equal(moneyOf(bench.ledger), before);

  assert.equal(bench.item(A, buy(1, 50)).code, CODE_MARKET_HALTED);
  assert.equal(bench.item(A, { op: 'cancel', market: 0, oid: oidOf(3) }).code, CODE_ORDER_NOT_FOUND);
  assert.deepEqual(
    bench.codes(
      { kind: 'updateLeverage', sender: A, market: 0, leverage: 1, isolated: false },
      { kind: 'isolatedMargin', sender: A, market: 0, amount: 1n },
      twap(),
      vote(A),
    ),
    Array.from({ length: 4 }, () => CODE_MARKET_HALTED),
  );
  bench.codes(report(ORACLE, [0, 120]));
  assert.equal(bench.record('price', word(0))?.getUint32(4, true), 105);
});
