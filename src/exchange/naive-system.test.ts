/** The naive twin's system transactions (docs/rules.md, 6): each kind once, by hand, and what must hold after any change of prices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAUSE_BACKSTOP, CAUSE_DELEVERAGE, CAUSE_LIQUIDATION } from '../base/codes.ts';
import { Random } from '../base/random.ts';
import type { NaiveReceipt } from '../ledger/naive.ts';
import type { ExchangeOptions, Genesis, MarketParameters } from './genesis.ts';
import { EVENT_ACTIVE, EVENT_CANCEL, EVENT_FILL, EVENT_FORCED, EVENT_FUNDING } from './layout.ts';
import { executeDelist } from './naive-prices.ts';
import { type NaiveOrder, NaiveState } from './naive-state.ts';
import { runSystemPhases } from './naive-system.ts';

const address = (n: number): string => `0x${String(n).padStart(40, '0')}`;
const USD = 1_000_000n;
const START = 3_600_000n * 500_000n;
const REPORTER = 0;
const VAULT = 1;

/** A lot at a tick is a hundredth of a dollar. */
const marketParameters: MarketParameters = {
  name: 'BTC',
  tickCount: 1_000_000,
  unit: 10_000,
  tickStep: 1,
  lotStep: 1,
  ticksPerInteger: 1,
  significantDigits: 0,
  leverage: 10,
  takerFeePpm: 450,
  makerFeePpm: 150,
  minNotional: 0n,
  maxOrderLots: 1_000_000n,
  maxPositionLots: 1_000_000n,
  markTicks: 10_000,
  impactNotional: USD,
};

interface Setup {
  /** Collateral of the accounts 2, 3, ... in dollars. */
  readonly dollars: readonly number[];
  readonly vault?: number;
  readonly markets?: readonly Partial<MarketParameters>[];
  readonly exchange?: Partial<ExchangeOptions>;
}

function newState({ dollars, vault, markets = [{}], exchange = {} }: Setup): NaiveState {
  const genesis: Genesis = {
    maxAccounts: 16,
    orderPages: 1,
    tokens: [{ name: 'USDC', decimals: 6 }],
    markets: markets.map((market) => ({ ...marketParameters, ...market })),
    oracle: address(REPORTER),
    exchange: { farOffPpm: 10_000_000, ...exchange },
    ...(vault === undefined ? {} : { backstop: address(VAULT) }),
    accounts: [0, vault ?? 0, ...dollars].map((amount, n) => ({ address: address(n), collateral: BigInt(amount) * USD })),
  };
  const state = new NaiveState(genesis);
  state.timeMs = START;
  return state;
}

/** The buyer's and the seller's positions grow at the market's mark, or at this price. */
function trade(state: NaiveState, buyer: number, seller: number, lots: bigint, market = 0, price = state.market(market).markTicks): void {
  state.fill(buyer, market, lots, price, 0n);
  state.fill(seller, market, -lots, price, 0n);
}

/** An order at the end of its level's queue, in the account's lowest free slot. */
function rest(
  state: NaiveState,
  account: number,
  fields: Pick<NaiveOrder, 'sell' | 'priceTicks' | 'sizeLots'> & Partial<NaiveOrder>,
): void {
  const slot = state.lowestFreeSlot(account) ?? assert.fail('no slot');
  state.orders.push({
    oid: BigInt(state.orders.length + 1),
    account,
    slot,
    market: 0,
    tif: 'gtc',
    reduceOnly: false,
    clientId: undefined,
    state: 'resting',
    originalLots: fields.sizeLots,
    margin: 0n,
    extra: false,
    expiresMs: 0n,
    displayLots: 0n,
    hiddenLots: 0n,
    triggerTicks: 0n,
    triggerKind: 0,
    triggerMarket: false,
    whole: false,
    parent: 0,
    sibling: 0,
    child1: 0,
    child2: 0,
    builder: 0,
    builderFee: 0,
    ...fields,
  });
}

/** A block so much later in which the reporter names these prices, spot and perpetual, for the first markets. */
function block(state: NaiveState, laterMs: bigint, ...prices: readonly number[]): NaiveReceipt[] {
  state.timeMs += laterMs;
  state.blockNumber++;
  prices.forEach((price, market) => {
    state.market(market).reports.set(REPORTER, { indexTicks: BigInt(price), perpTicks: BigInt(price), timeMs: state.timeMs });
  });
  return runSystemPhases(state, []);
}

/** The events of a receipt: types, and views from where they begin. */
function eventsOf({ events }: NaiveReceipt): { readonly type: number; readonly view: DataView }[] {
  const whole = new DataView(events.buffer, events.byteOffset, events.byteLength);
  const found: { type: number; view: DataView }[] = [];
  for (let at = 0; at < events.length; at += whole.getUint32(at, true) >> 8) {
    found.push({ type: whole.getUint8(at), view: new DataView(events.buffer, events.byteOffset + at) });
  }
  return found;
}

function eventTypes(receipt: NaiveReceipt): number[] {
  return eventsOf(receipt).map(({ type }) => type);
}

/** All money, wherever it is. */
function money(state: NaiveState): bigint {
  let total = state.treasury.balance + state.treasury.withdrawn;
  for (const { collateral } of state.marginAccounts.values()) total += collateral;
  for (const ofAccount of state.positions.values()) for (const { rawUsd } of ofAccount.values()) total += rawUsd;
  for (const { fees } of state.markets) total += fees;
  return total;
}

function assertSound(state: NaiveState, before: bigint): void {
  assert.equal(money(state), before, 'money is neither made nor lost');
  for (const account of state.marginAccounts.keys()) {
    assert.ok(state.accountValue(account) >= 0n, `account ${account} is negative`);
    for (const market of state.isolatedMarkets(account)) assert.ok(state.isolatedEquity(account, market) >= 0n);
  }
  for (const { number } of state.markets) {
    const sizes = [...state.marginAccounts.keys()].map((account) => state.lots(account, number));
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0n),
      0n,
    );
  }
}

test('the documented funding payment, what rounding leaves, and its event', () => {
  const state = newState({ dollars: [100_000, 100_000, 100_000, 100_000] });
  trade(state, 2, 3, 1_000n);
  trade(state, 2, 4, 1n);
  rest(state, 5, { sell: false, priceTicks: 10_100n, sizeLots: 100n });
  rest(state, 5, { sell: true, priceTicks: 10_101n, sizeLots: 100n });
  const before = money(state);
  block(state, 0n, 10_000);
  const collateral = [2, 3, 4].map((account) => state.margin(account).collateral);
  const [funding, ...others] = block(state, 3_600_000n, 10_000);
  assert.ok(funding);
  assert.deepEqual(eventTypes(funding), [EVENT_FUNDING]);
  assert.deepEqual(others, []);
  // A thousand lots at an index of 10000 are 100000 dollars: they pay 118.75; a single lot 0.11875.
  const paid = [2, 3, 4].map((account, i) => (collateral[i] ?? 0n) - state.margin(account).collateral);
  assert.deepEqual(paid, [118_868_750n, -118_750_000n, -118_750n]);
  assert.equal(state.position(2, 0)?.funding, 118_868_750n);
  assert.equal(state.treasury.balance, 0n);
  assertSound(state, before);
});

test('payers of funding are rounded up, receivers down, and the treasury keeps the difference', () => {
  const state = newState({ dollars: [100_000, 100_000, 100_000] });
  trade(state, 2, 3, 7n);
  rest(state, 4, { sell: false, priceTicks: 9_990n, sizeLots: 100n });
  rest(state, 4, { sell: true, priceTicks: 9_991n, sizeLots: 100n });
  const before = money(state);
  block(state, 0n, 9_999);
  block(state, 3_600_000n, 9_999);
  const { rate } = state.market(0);
  const exact = 7n * 9_999n * 10_000n * -rate;
  assert.ok(rate < 0n && exact % 10n ** 10n !== 0n);
  assert.deepEqual(
    [2, 3].map((account) => state.position(account, 0)?.funding),
    [-(exact / 10n ** 10n), exact / 10n ** 10n + 1n],
  );
  assert.equal(state.treasury.balance, 1n);
  assertSound(state, before);
});

test('an account in breach is liquidated on the book, large positions in parts', () => {
  const exchange = { partialNotional: 1_000n * USD, partialPpm: 200_000 };
  const state = newState({ dollars: [1_000, 100_000, 100_000], exchange });
  trade(state, 2, 3, 100n);
  rest(state, 2, { sell: false, priceTicks: 5_000n, sizeLots: 1n });
  const before = money(state);
  block(state, 0n, 10_000);
  rest(state, 4, { sell: false, priceTicks: 9_300n, sizeLots: 1_000n });
  // Equity 1000 - 600, maintenance 470.
  const receipts = block(state, 1n, 9_400);
  assert.deepEqual(receipts.map(eventTypes), [[EVENT_CANCEL, EVENT_FORCED, EVENT_FILL]]);
  assert.equal(state.lots(2, 0), 80n);
  assert.equal(state.settings.get(2)?.cooldownMs, state.timeMs + 30_000n);
  assert.equal(state.market(0).lastTicks, 9_300n);
  // Until the cooldown is over, whole.
  const again = block(state, 1n, 9_300);
  assert.deepEqual(again.map(eventTypes), [[EVENT_FORCED, EVENT_FILL]]);
  assert.equal(state.lots(2, 0), 0n);
  assertSound(state, before);
});

test('the backstop vault takes over what the book does not, at the mark, and unwinds it', () => {
  const state = newState({ dollars: [1_000, 100_000, 100_000], vault: 10_000 });
  trade(state, 2, 3, 100n);
  const before = money(state);
  block(state, 0n, 10_000);
  // Nobody buys. Equity 400 and maintenance 470: not yet. Then equity 200 and maintenance 460.
  assert.deepEqual(block(state, 1n, 9_400).map(eventTypes), [[EVENT_FORCED]]);
  assert.equal(state.lots(2, 0), 100n);
  const receipts = block(state, 1n, 9_200);
  assert.deepEqual(receipts.map(eventTypes), [[EVENT_FORCED], [EVENT_FORCED]]);
  assert.deepEqual([state.lots(2, 0), state.margin(2).collateral], [0n, 0n]);
  assert.equal(state.lots(VAULT, 0), 100n);
  assert.equal(state.position(VAULT, 0)?.cost, 9_200n * USD);
  assert.equal(state.accountValue(VAULT), 10_200n * USD);
  assertSound(state, before);
  rest(state, 4, { sell: false, priceTicks: 9_200n, sizeLots: 1_000n });
  assert.deepEqual(block(state, 1n, 9_200).map(eventTypes), [[EVENT_FILL]]);
  assert.equal(state.lots(VAULT, 0), 95n);
  assertSound(state, before);
});

test('the vault takes over no more than its equity bears', () => {
  // Two accounts like the one above. With what they bring along the vault has 500: enough for the first notional of 9200, not for both.
  const state = newState({ dollars: [1_000, 1_000, 100_000], vault: 300, exchange: { backstopMarginPpm: 50_000 } });
  trade(state, 2, 4, 100n);
  trade(state, 3, 4, 100n);
  const before = money(state);
  block(state, 0n, 10_000);
  block(state, 1n, 9_200);
  assert.deepEqual(
    [2, 3, VAULT].map((account) => state.lots(account, 0)),
    [0n, 100n, 100n],
  );
  assertSound(state, before);
});

test('a takeover of an isolated position leaves the rest of its account alone', () => {
  const state = newState({ dollars: [5_000, 100_000], vault: 10_000 });
  state.openPosition(2, 0).isolated = true;
  trade(state, 2, 3, 100n);
  const before = money(state);
  assert.equal(state.isolatedEquity(2, 0), 1_000n * USD);
  block(state, 0n, 10_000);
  block(state, 1n, 9_200);
  assert.deepEqual([state.lots(2, 0), state.position(2, 0)?.rawUsd, state.margin(2).collateral], [0n, 0n, 4_000n * USD]);
  assert.equal(state.accountValue(VAULT), 10_200n * USD);
  assertSound(state, before);
});

test('without a vault winners give up a loser at the mark before the change', () => {
  const state = newState({ dollars: [1_000, 100_000, 1_000, 1_000, 100_000] });
  // 3 and 4 have won the same, but 4 with the higher leverage; 5 has won less, yet with so much more leverage than 3 that it comes before.
  trade(state, 2, 3, 50n);
  trade(state, 2, 4, 50n);
  trade(state, 6, 5, 50n, 0, 9_000n);
  const before = money(state);
  block(state, 0n, 10_000);
  // 1000 - 1500: at the previous mark the loser's equity is 1000.
  const receipts = block(state, 1n, 8_500);
  assert.deepEqual(receipts.map(eventTypes), [
    [EVENT_FILL, EVENT_FORCED],
    [EVENT_FILL, EVENT_FORCED],
  ]);
  assert.deepEqual([state.lots(2, 0), state.margin(2).collateral], [0n, 1_000n * USD]);
  assert.deepEqual(
    [3, 4, 5].map((account) => state.lots(account, 0)),
    [-50n, 0n, 0n],
  );
  assert.equal(state.market(0).volume, 0n);
  assertSound(state, before);
});

test('a winner gives what it bears, and more only when nobody else can', () => {
  for (const spare of [50n, 30n, 0n]) {
    const state = newState({ dollars: [1_000, 100_000, 1_000, 100_000, 100_000] });
    trade(state, 2, 3, 50n);
    trade(state, 2, 4, 50n);
    if (spare > 0n) trade(state, 6, 5, spare);
    block(state, 0n, 10_000);
    // Equity 300 at the new mark, with a loss of 15 for each lot that it gives: 20 of its 50.
    lose(state, 4, 1_450n * USD);
    const before = money(state);
    block(state, 1n, 8_500);
    assert.equal(state.lots(2, 0), 0n);
    assert.deepEqual(
      [4, 3, 5].map((account) => state.lots(account, 0)),
      spare === 0n ? [0n, 0n, 0n] : [-30n, 0n, 30n - spare],
    );
    // Alone with its rest, it is paid out of the treasury.
    assert.equal(state.treasury.covered, spare === 0n ? 450n * USD : 0n);
    assertSound(state, before);
  }
});

/** Takes money from an account as if it had lost it elsewhere. */
function lose(state: NaiveState, account: number, amount: bigint): void {
  state.margin(account).collateral -= amount;
  state.treasury.balance += amount;
}

/** Loser, winner and market of the pairs of a block. */
function pairsOf(receipts: readonly NaiveReceipt[]): number[][] {
  const fills = receipts.flatMap(eventsOf).filter(({ type }) => type === EVENT_FILL);
  return fills.map(({ view }) => [view.getUint32(24, true), view.getUint32(28, true), view.getUint32(4, true)]);
}

test('winners that are losers themselves come last', () => {
  const state = newState({ dollars: [1_000, 1_000, 1_000, 100_000, 100_000], markets: [{}, {}] });
  trade(state, 2, 4, 100n);
  trade(state, 3, 5, 100n);
  trade(state, 4, 6, 100n, 1);
  block(state, 0n, 10_000, 10_000);
  for (const account of [2, 3]) lose(state, account, 2_000n * USD);
  const before = money(state);
  // Nobody wins in market 0, and 4 loses in market 1: 5 gives first.
  const receipts = block(state, 1n, 10_000, 8_000);
  assert.deepEqual(pairsOf(receipts), [
    [2, 5, 0],
    [3, 4, 0],
    [4, 6, 1],
  ]);
  assertSound(state, before);
});

test('a size is given once, whether its account wins or loses', () => {
  const state = newState({ dollars: [1_000, 1_000, 1_000, 100_000] });
  trade(state, 2, 3, 50n);
  trade(state, 4, 5, 50n);
  block(state, 0n, 10_000);
  for (const account of [2, 3, 4]) lose(state, account, 1_500n * USD);
  const before = money(state);
  // 2 has nothing left that 3 could take, and then neither has 4.
  assert.deepEqual(pairsOf(block(state, 1n, 10_000)), [
    [2, 5, 0],
    [3, 4, 0],
  ]);
  assertSound(state, before);
});

test('what a loser owed before the change is paid by the winners, to the unit', () => {
  const state = newState({ dollars: [1_000, 100_000, 100_000, 100_000] });
  for (const [winner, lots] of [
    [3, 30n],
    [4, 30n],
    [5, 10n],
  ] as const)
    trade(state, 2, winner, lots);
  block(state, 0n, 10_000);
  // Equity -500.000001 before the change, with losses of 700 more after it.
  lose(state, 2, 1_500n * USD + 1n);
  const before = money(state);
  block(state, 1n, 9_000);
  assert.deepEqual(
    [2, 3, 4, 5].map((account) => state.lots(account, 0)),
    [0n, 0n, 0n, 0n],
  );
  const third = ((500n * USD + 1n) * 3n) / 7n;
  const full = 100_000n * USD;
  const collaterals = [2, 3, 4, 5].map((account) => state.margin(account).collateral);
  assert.deepEqual(collaterals, [0n, full - third, full - third, full - (500n * USD + 1n - 2n * third)]);
  assert.equal(state.treasury.covered, 0n);
  assertSound(state, before);
});

test('a deficit without positions is covered by the vault as far as it can, then by the treasury', () => {
  // Of the vault's 400 its ten lots need 100.
  const state = newState({ dollars: [0, 100_000], vault: 400 });
  state.openMarginAccount(2);
  trade(state, VAULT, 3, 10n);
  block(state, 0n, 10_000);
  lose(state, 2, 500n * USD);
  const before = money(state);
  const receipts = block(state, 1n, 10_000);
  // Nobody buys what the vault offers.
  assert.deepEqual(receipts.map(eventTypes), [[], [EVENT_FORCED]]);
  assert.deepEqual([state.accountValue(2), state.accountValue(VAULT)], [0n, 100n * USD]);
  assert.deepEqual(state.treasury, { balance: 300n * USD, withdrawn: 0n, covered: 200n * USD });
  assertSound(state, before);
});

test('a market that is delisted is settled and cleared', () => {
  const state = newState({ dollars: [10_000, 10_000, 10_000] });
  state.openPosition(3, 0).isolated = true;
  trade(state, 2, 3, 100n);
  rest(state, 4, { sell: false, priceTicks: 9_000n, sizeLots: 5n });
  rest(state, 4, { sell: true, priceTicks: 20_000n, sizeLots: 5n, state: 'child' });
  const before = money(state);
  block(state, 0n, 10_000);
  executeDelist(state, { kind: 'delist', sender: address(REPORTER), market: 0 }, REPORTER);
  const receipts = block(state, 1_000n);
  assert.deepEqual(receipts.map(eventTypes), [[EVENT_CANCEL, EVENT_CANCEL]]);
  assert.deepEqual(
    [2, 3].map((account) => state.lots(account, 0)),
    [0n, 0n],
  );
  assert.deepEqual(
    [2, 3].map((account) => state.margin(account).collateral),
    [10_000n * USD, 10_000n * USD],
  );
  assert.equal(state.market(0).volume, 0n);
  assertSound(state, before);
});

test('trigger orders whose price is reached fire in the block of the change', () => {
  const state = newState({ dollars: [10_000, 10_000, 10_000] });
  trade(state, 2, 3, 10n);
  block(state, 0n, 10_000);
  const trigger = { state: 'trigger', extra: true, triggerKind: 2, triggerMarket: true, reduceOnly: true } as const;
  rest(state, 2, { ...trigger, sell: true, priceTicks: 0n, sizeLots: 10n, triggerTicks: 9_900n });
  Object.assign(state.openPosition(2, 0), { triggers: 1, triggerBelow: 9_900n });
  rest(state, 4, { sell: false, priceTicks: 9_850n, sizeLots: 100n });
  assert.deepEqual(block(state, 1n, 9_950), []);
  assert.deepEqual(block(state, 1n, 9_890).map(eventTypes), [[EVENT_FILL, EVENT_ACTIVE]]);
  assert.deepEqual([state.lots(2, 0), state.lots(4, 0), state.position(2, 0)?.triggerBelow], [0n, 10n, 0n]);
});

test('who is out of breach when it is its turn is left alone', () => {
  const state = newState({ dollars: [1_000, 10_000, 100_000] });
  trade(state, 2, 3, 100n);
  block(state, 0n, 10_000);
  const trigger = { state: 'trigger', extra: true, triggerKind: 2, triggerMarket: true, reduceOnly: true } as const;
  rest(state, 2, { ...trigger, sell: true, priceTicks: 0n, sizeLots: 60n, triggerTicks: 9_500n });
  rest(state, 2, { sell: false, priceTicks: 5_000n, sizeLots: 1n });
  Object.assign(state.openPosition(2, 0), { triggers: 1, triggerBelow: 9_500n });
  rest(state, 4, { sell: false, priceTicks: 9_400n, sizeLots: 100n });
  // Equity 400, maintenance 470, after the trigger order 188.
  assert.deepEqual(block(state, 1n, 9_400).map(eventTypes), [[EVENT_FILL, EVENT_ACTIVE], []]);
  assert.deepEqual([state.lots(2, 0), state.openOrders(2).length], [40n, 1]);
});

test('the seed turns with every block', () => {
  const state = newState({ dollars: [] });
  const seeds = new Set([state.seed]);
  for (let i = 0; i < 100; i++) {
    block(state, 0n);
    assert.ok(state.seed >= 0n && state.seed < 2n ** 64n);
    seeds.add(state.seed);
  }
  assert.equal(seeds.size, 101);
});

test('whatever prices do, money and sizes stay whole and nobody is negative', () => {
  const methods = new Map<number, number>();
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed);
    const accounts = [2, 3, 4, 5, 6, 7];
    const state = newState({
      dollars: accounts.map(() => random.between(2_000, 20_000)),
      ...(random.chance(0.7) ? { vault: random.between(100, 50_000) } : {}),
      markets: [
        {},
        { mode: 'noCross' },
        {
          tiers: [
            { lowerNotional: 0n, maxLeverage: 20 },
            { lowerNotional: 10_000n * USD, maxLeverage: 10 },
          ],
        },
      ],
      exchange: { partialNotional: 5_000n * USD },
    });
    const before = money(state);
    block(state, 0n, 10_000, 10_000, 10_000);
    for (let i = 0; i < 40; i++) {
      const [buyer, seller, market] = [random.pick(accounts), random.pick(accounts), random.below(3)];
      const lots = BigInt(random.between(1, 100));
      const bears = [buyer, seller].every((account) => state.freeMargin(account) > 2_000n * USD);
      if (buyer !== seller && bears) trade(state, buyer, seller, lots, market);
      const [account, sell] = [random.pick(accounts), random.chance(0.5)];
      if (state.freeMargin(account) > 0n && state.openOrders(account).length < 60) {
        const priceTicks = (state.market(market).markTicks * BigInt(sell ? random.between(101, 110) : random.between(90, 99))) / 100n;
        rest(state, account, { sell, priceTicks, sizeLots: BigInt(random.between(1, 50)), market });
      }
      if (!random.chance(0.4)) continue;
      const jumps = state.markets.map(({ markTicks }) => Math.max(50, Math.floor((Number(markTicks) * random.between(80, 120)) / 100)));
      const receipts = block(state, BigInt(random.between(1, 2_000_000)), ...jumps);
      for (const { type, view } of receipts.flatMap(eventsOf)) {
        if (type === EVENT_FORCED) methods.set(view.getUint32(4, true), (methods.get(view.getUint32(4, true)) ?? 0) + 1);
      }
      assertSound(state, before);
    }
  }
  // None of it was idle.
  for (const method of [CAUSE_LIQUIDATION, CAUSE_BACKSTOP, CAUSE_DELEVERAGE])
    assert.ok((methods.get(method) ?? 0) > 20, `method ${method}`);
});
