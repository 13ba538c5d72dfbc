/**
 * The risk engine end to end, on every model: the protocol's worked examples to the tick, forced orders in the block of the price that
 * causes them, and arithmetic at the extremes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CAUSE_BACKSTOP,
  CAUSE_DELEVERAGE,
  CAUSE_LIQUIDATION,
  CODE_INSUFFICIENT_MARGIN,
  CODE_OK,
  CODE_POSITION_LIMIT,
  CODE_SIZE_TOO_LARGE,
} from '../base/codes.ts';
import type { ExchangeOptions, Genesis, MarketParameters } from '../exchange/genesis.ts';
import { violations } from '../exchange/invariants.ts';
import { EVENT_FILL, EVENT_FORCED, EVENT_ITEM } from '../exchange/layout.ts';
import type { OrderItem, PlaceItem, Transaction } from '../ledger/transactions.ts';
import type { Model, Receipts } from './api.ts';
import { Engine } from './index.ts';

const USD = 1_000_000n;
const MODELS: readonly Model[] = ['serial', 'optimistic', 'deterministic', 'sharded'];
const ADDRESS = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
const ORACLE = ADDRESS(1000);
const BACKSTOP = ADDRESS(2000);

/** BTC as in section 7.2: ticks of 0.1, lots of 0.00001, 40 times up to 150M, then 20 times; a unit is 1. */
const BTC: MarketParameters = {
  name: 'BTC',
  tickCount: 4_000_000,
  unit: 1,
  tickStep: 1,
  lotStep: 1,
  ticksPerInteger: 10,
  significantDigits: 0,
  leverage: 20,
  tiers: [
    { lowerNotional: 0n, maxLeverage: 40 },
    { lowerNotional: 150_000_000n * USD, maxLeverage: 20 },
  ],
  takerFeePpm: 0,
  makerFeePpm: 0,
  minNotional: 10n * USD,
  maxOrderLots: 100_000_000n,
  maxPositionLots: 1_000_000_000n,
  markTicks: 1_000_000,
  priceBandBps: 0,
  oracleBandBps: 0,
};
const LOTS = 100_000n;

interface Setup {
  readonly collateral: readonly bigint[];
  readonly market?: Partial<MarketParameters>;
  readonly exchange?: Partial<ExchangeOptions>;
  readonly backstop?: bigint;
}

/** A venue with one market, accounts 1, 2, ... with the given collateral, and blocks one second apart. */
class Venue {
  readonly #engine: Engine;
  readonly #model: Model;
  readonly #total: bigint;
  #number = 1;
  timeMs = 1_760_000_000_000;

  private constructor(engine: Engine, model: Model, total: bigint) {
    this.#engine = engine;
    this.#model = model;
    this.#total = total;
  }

  static async run(model: Model, setup: Setup, use: (venue: Venue) => Promise<void>): Promise<string> {
    const genesis: Genesis = {
      maxAccounts: 32,
      orderPages: 1,
      tokens: [{ name: 'USDC', decimals: 6 }],
      markets: [{ ...BTC, ...setup.market }],
      oracle: ORACLE,
      exchange: { makerRebates: [], ...setup.exchange },
      ...(setup.backstop === undefined ? {} : { backstop: BACKSTOP }),
      accounts: [
        { address: ORACLE },
        { address: BACKSTOP, collateral: setup.backstop ?? 0n },
        ...setup.collateral.map((collateral, i) => ({ address: ADDRESS(i + 1), collateral })),
      ],
    };
    const engine = await Engine.create({ genesis, workers: model === 'serial' ? 1 : 2, memoryMiB: 1536, keyCapacity: 4096, keySeed: 1n });
    try {
      await use(
        new Venue(
          engine,
          model,
          setup.collateral.reduce((sum, amount) => sum + amount, setup.backstop ?? 0n),
        ),
      );
      return engine.stateRoot();
    } finally {
      await engine.close();
    }
  }

  /** Executes a block; its receipts, and no invariant broken. */
  async block(transactions: Transaction[]): Promise<Receipts> {
    this.timeMs += 1000;
    const result = await this.#engine.executeBlock({ number: this.#number++, timeMs: this.timeMs, transactions }, { model: this.#model });
    assert.equal(result.fallback, undefined);
    assert.deepEqual(violations(await this.#engine.audit(), this.#total), []);
    return result.receipts;
  }

  async breaches(): Promise<number> {
    return (await this.#engine.audit()).breaches;
  }

  get mark(): number {
    return this.#engine.marks()[0] as number;
  }

  value(recordClass: string, index: number): DataView {
    const record = [...this.#engine.records()].filter((entry) => entry.recordClass === recordClass)[index];
    assert.ok(record, `there is no ${recordClass} ${index}`);
    return new DataView(record.value.buffer, record.value.byteOffset, record.value.byteLength);
  }
}

const price = (ticks: number): Transaction => ({ kind: 'oracle', sender: ORACLE, prices: [{ market: 0, spot: [ticks], perp: [ticks] }] });
const orders = (account: number, ...items: OrderItem[]): Transaction => ({ kind: 'orders', sender: ADDRESS(account), items });
const place = (side: 'buy' | 'sell', sizeLots: bigint, fields: Partial<PlaceItem> = {}): PlaceItem => ({
  op: 'place',
  market: 0,
  side,
  tif: 'gtc',
  priceTicks: 1_000_000,
  sizeLots,
  ...fields,
});

interface Event {
  readonly type: number;
  readonly view: DataView;
}

function eventsOf(receipts: Receipts): Event[] {
  const found: Event[] = [];
  for (let i = 0; i < receipts.count; i++) {
    const bytes = receipts.events(i).slice();
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += view.getUint32(at, true) >>> 8) {
      found.push({ type: view.getUint8(at), view: new DataView(bytes.buffer, at, view.getUint32(at, true) >>> 8) });
    }
  }
  return found;
}

const forced = (receipts: Receipts, cause: number): Event[] =>
  eventsOf(receipts).filter(({ type, view }) => type === EVENT_FORCED && view.getUint32(4, true) === cause);
const fills = (receipts: Receipts, cause: number): Event[] =>
  eventsOf(receipts).filter(({ type, view }) => type === EVENT_FILL && view.getUint32(36, true) >>> 1 === cause);
const itemCodes = (receipts: Receipts): number[] =>
  eventsOf(receipts)
    .filter(({ type }) => type === EVENT_ITEM)
    .map(({ view }) => view.getUint16(6, true));

/** Runs on every model; all leave the same state. */
async function onEveryModel(setup: Setup, use: (venue: Venue) => Promise<void>): Promise<void> {
  const roots = new Set<string>();
  for (const model of MODELS) roots.add(await Venue.run(model, setup, use));
  assert.equal(roots.size, 1);
}

test('7.2 and 7.3: long 5 BTC at 100,000 with 30,000 is liquidated below 95,189.87, and in the block of the price', async () => {
  await onEveryModel({ collateral: [30_000n * USD, 10_000_000n * USD] }, async (venue) => {
    assert.deepEqual(
      itemCodes(await venue.block([price(1_000_000), orders(2, place('sell', 5n * LOTS)), orders(1, place('buy', 5n * LOTS))])),
      [CODE_OK, CODE_OK],
    );
    // Somebody who takes what is sold by force.
    await venue.block([orders(2, place('buy', 50n * LOTS, { priceTicks: 940_000 }))]);
    const above = await venue.block([price(951_899)]);
    assert.equal(venue.mark, 951_899);
    assert.equal(forced(above, CAUSE_LIQUIDATION).length, 0);
    assert.equal(await venue.breaches(), 0);
    const below = await venue.block([price(951_898)]);
    assert.equal(venue.mark, 951_898);
    const [event] = forced(below, CAUSE_LIQUIDATION);
    assert.ok(event);
    // N = 5 * 95,189.8 = 475,949; MM = N / 80 = 5,949.3625; AV = 30,000 - 24,051 = 5,949.
    assert.equal(event.view.getBigInt64(16, true), 475_949n * USD);
    assert.equal(event.view.getBigInt64(24, true), 5_949n * USD);
    assert.equal(event.view.getBigInt64(32, true), 5_949_362_500n);
    // More than 100,000: a fifth is sold at first.
    const [fill] = fills(below, CAUSE_LIQUIDATION);
    assert.ok(fill);
    assert.equal(fill.view.getBigInt64(40, true), 1n * LOTS);
    assert.equal(fill.view.getBigInt64(48, true), 0n);
  });
});

test('a part first, then within the cooldown the whole position', async () => {
  await onEveryModel({ collateral: [30_000n * USD, 10_000_000n * USD] }, async (venue) => {
    await venue.block([price(1_000_000), orders(2, place('sell', 5n * LOTS)), orders(1, place('buy', 5n * LOTS))]);
    await venue.block([orders(2, place('buy', 50n * LOTS, { priceTicks: 945_000 }))]);
    const first = await venue.block([price(951_000)]);
    assert.deepEqual(
      fills(first, CAUSE_LIQUIDATION).map(({ view }) => view.getBigInt64(40, true)),
      [1n * LOTS],
    );
    // Selling at 94,500 has cost more than it has freed: still in breach with the next price, and now all of it.
    const second = await venue.block([price(949_000)]);
    assert.deepEqual(
      fills(second, CAUSE_LIQUIDATION).map(({ view }) => view.getBigInt64(40, true)),
      [4n * LOTS],
    );
    assert.equal(await venue.breaches(), 0);
  });
});

test('without a book the backstop vault takes over below two thirds of the maintenance margin, at the mark', async () => {
  await onEveryModel({ collateral: [30_000n * USD, 10_000_000n * USD], backstop: 1_000_000n * USD }, async (venue) => {
    await venue.block([price(1_000_000), orders(2, place('sell', 5n * LOTS)), orders(1, place('buy', 5n * LOTS))]);
    // AV = 30,000 - 5 * 5,000 = 5,000 < 5,937.5, above two thirds of it.
    const breach = await venue.block([price(950_000)]);
    assert.equal(forced(breach, CAUSE_LIQUIDATION).length, 1);
    assert.equal(forced(breach, CAUSE_BACKSTOP).length, 0);
    // AV = 3,000.
    const taken = await venue.block([price(946_000)]);
    const [event] = forced(taken, CAUSE_BACKSTOP);
    assert.ok(event);
    assert.equal(event.view.getBigInt64(24, true), 3_000n * USD);
    assert.equal(event.view.getBigInt64(48, true), -5n * LOTS);
    assert.equal(await venue.breaches(), 0);
  });
});

test('a gap through zero is closed against the winner at the mark before it, and equity is conserved', async () => {
  await onEveryModel({ collateral: [30_000n * USD, 10_000_000n * USD] }, async (venue) => {
    await venue.block([price(1_000_000), orders(2, place('sell', 5n * LOTS)), orders(1, place('buy', 5n * LOTS))]);
    const gap = await venue.block([price(800_000)]);
    const [fill] = fills(gap, CAUSE_DELEVERAGE);
    assert.ok(fill);
    assert.equal(fill.view.getUint32(32, true), 1_000_000);
    assert.equal(fill.view.getBigInt64(40, true), 5n * LOTS);
    // At the mark before, the loser had all of its 30,000 and the winner has not gained yet.
    assert.equal(venue.value('margin account', 0).getBigInt64(0, true), 30_000n * USD);
    assert.equal(venue.value('margin account', 1).getBigInt64(0, true), 10_000_000n * USD);
  });
});

test('at the extremes: largest size, price and leverage, and one unit', async () => {
  const most = 2n ** 59n;
  // tickCount * unit * maxOrderLots = 2^24 * 2^25 = 2^49; a position of 2^29 lots has a notional just below 2^53.
  const market = {
    tickCount: 2 ** 24,
    leverage: 255,
    tiers: [{ lowerNotional: 0n, maxLeverage: 255 }],
    maxOrderLots: 2n ** 25n,
    maxPositionLots: 2n ** 29n,
    minNotional: 0n,
    markTicks: 2 ** 24 - 1,
    takerFeePpm: 8191,
    makerFeePpm: 8191,
  };
  await onEveryModel({ collateral: [most, most - 1n, 1n], market, exchange: { farOffPpm: 1_000_000_000 } }, async (venue) => {
    const top = 2 ** 24 - 1;
    for (let i = 0; i < 16; i++) {
      const codes = itemCodes(
        await venue.block([
          price(top),
          orders(2, place('sell', 2n ** 25n, { priceTicks: top })),
          orders(1, place('buy', 2n ** 25n, { priceTicks: top })),
        ]),
      );
      assert.deepEqual(codes, [CODE_OK, CODE_OK]);
    }
    // One lot more than the largest order and the largest position; one unit buys nothing, and one lot at one tick is a unit.
    const codes = itemCodes(
      await venue.block([
        orders(1, place('buy', 2n ** 25n + 1n, { priceTicks: top })),
        orders(1, place('buy', 1n, { priceTicks: top })),
        orders(3, place('buy', 1n, { priceTicks: top })),
        orders(3, place('buy', 255n, { priceTicks: 1 })),
        orders(3, place('buy', 1n, { priceTicks: 1 })),
      ]),
    );
    assert.deepEqual(codes, [CODE_SIZE_TOO_LARGE, CODE_POSITION_LIMIT, CODE_INSUFFICIENT_MARGIN, CODE_OK, CODE_INSUFFICIENT_MARGIN]);
    // From the highest price to the lowest, which is as far as anything can fall, and up again by a thousand times, the bound of reports.
    await venue.block([price(1)]);
    assert.equal(venue.mark, 1);
    await venue.block([price(1001)]);
    assert.equal(venue.mark, 1001);
  });
});

test('reports that are stale, missing or far off never move a mark', async () => {
  await onEveryModel({ collateral: [30_000n * USD, 1_000_000n * USD] }, async (venue) => {
    await venue.block([price(1_000_000)]);
    // Half the price and a bit: further off than the bound; from nobody; with no price in it.
    const receipts = await venue.block([
      price(499_999),
      { kind: 'oracle', sender: ADDRESS(1), prices: [{ market: 0, spot: [900_000] }] },
      { kind: 'oracle', sender: ORACLE, prices: [{ market: 0, spot: [0], perp: [900_000] }] },
    ]);
    assert.deepEqual([receipts.code(0) !== CODE_OK, receipts.code(1) !== CODE_OK, receipts.code(2) !== CODE_OK], [true, true, true]);
    assert.equal(venue.mark, 1_000_000);
    // A report grows stale after 30 s: the index and the mark stay where they are, whatever the book does.
    venue.timeMs += 60_000;
    await venue.block([
      orders(2, place('sell', 1n * LOTS, { priceTicks: 900_000 })),
      orders(1, place('buy', 1n * LOTS, { priceTicks: 900_000 })),
    ]);
    venue.timeMs += 60_000;
    await venue.block([]);
    assert.equal(venue.mark, 1_000_000);
  });
});
