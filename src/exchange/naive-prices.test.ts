/** The naive twin's prices (docs/rules.md, 5): its arithmetic against other ways to say the same, its selection of marks case by case. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CODE_INVALID_PRICE,
  CODE_MARKET_HALTED,
  CODE_NOT_AUTHORISED,
  CODE_OK,
  CODE_PRICE_FAR_OFF,
  CODE_UNKNOWN_MARKET,
} from '../base/codes.ts';
import type { OracleTransaction } from '../ledger/transactions.ts';
import type { ExchangeOptions, Genesis, MarketParameters } from './genesis.ts';
import {
  averaged,
  averageValue,
  bookPrice,
  decay,
  delistStaticCode,
  executeDelist,
  executeReport,
  impactPrice,
  type MarkInputs,
  markPrice,
  median,
  type PriceUpdate,
  premiumOf,
  reporterOf,
  reportStaticCode,
  rollDay,
  updatePrices,
  weightedMedian,
} from './naive-prices.ts';
import { type NaiveMarket, NaiveState } from './naive-state.ts';

const address = (n: number): string => `0x${String(n).padStart(40, '0')}`;
const MINUTE = 60_000n;
const START = 1_000_000n * MINUTE;
const DAY = 86_400_000n;

const marketParameters: MarketParameters = {
  name: 'BTC',
  tickCount: 100_000,
  unit: 1000,
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
  markTicks: 1000,
};

/** Three reporters (accounts 0 to 2, stakes 2, 3, 4) and three traders (3 to 5). */
function newState(market: Partial<MarketParameters> = {}, exchange: Partial<ExchangeOptions> = {}): NaiveState {
  const genesis: Genesis = {
    maxAccounts: 16,
    orderPages: 1,
    tokens: [{ name: 'USDC', decimals: 6 }],
    markets: [{ ...marketParameters, ...market }],
    reporters: [2n, 3n, 4n].map((stake, i) => ({ address: address(i), stake })),
    exchange: { spotWeights: [3, 2, 2], perpWeights: [3, 2, 2], ...exchange },
    accounts: [0, 1, 2, 3, 4, 5].map((n) => ({ address: address(n), collateral: n < 3 ? 0n : 10n ** 12n })),
  };
  return new NaiveState(genesis);
}

function marketOf(state: NaiveState): NaiveMarket {
  return state.market(0);
}

/** A block at this time in which these reporters name a spot and a perpetual price. */
function block(
  state: NaiveState,
  timeMs: bigint,
  reports: readonly (readonly [reporter: number, spot: number, perp?: number])[],
): PriceUpdate {
  state.timeMs = timeMs;
  state.blockNumber++;
  for (const [reporter, spot, perp] of reports) {
    assert.equal(executeReport(state, report(reporter, [spot], [perp ?? 0]), reporter), CODE_OK);
  }
  return updatePrices(state);
}

function report(reporter: number, spot: readonly number[], perp: readonly number[] = [], market = 0): OracleTransaction {
  return { kind: 'oracle', sender: address(reporter), prices: [{ market, spot, perp }] };
}

function rest(state: NaiveState, account: number, sell: boolean, priceTicks: bigint, sizeLots: bigint): void {
  state.orders.push({
    oid: BigInt(state.orders.length),
    account,
    slot: state.orders.length,
    market: 0,
    sell,
    tif: 'gtc',
    reduceOnly: false,
    clientId: undefined,
    state: 'resting',
    priceTicks,
    originalLots: sizeLots,
    sizeLots,
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
  });
}

// --- Arithmetic -------------------------------------------------------------------------------------------------------------------

test('the weighted median is the lower median of prices written out as often as they weigh', () => {
  const entry = fc.record({ price: fc.bigInt({ min: 1n, max: 50n }), weight: fc.bigInt({ min: 0n, max: 6n }) });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
      const written = entries.flatMap(({ price, weight }) => new Array<bigint>(Number(weight)).fill(price)).sort((a, b) => Number(a - b));
      assert.equal(weightedMedian(entries), written[Math.ceil(written.length / 2) - 1] ?? 0n);
    }),
  );
  assert.equal(weightedMedian([]), 0n);
  assert.equal(weightedMedian([{ price: 7n, weight: 0n }]), 0n);
});

test('decay is the exponential function', () => {
  const one = 2 ** 32;
  for (const tau of [30_000n, 150_000n, 28_800_000n]) {
    for (let dt = 0n; dt <= 3_600_000n; dt += 997n) {
      const exact = one * Math.exp(-Number(dt) / Number(tau));
      const ours = Number(decay(dt, tau));
      if (dt < 22n * tau) assert.ok(Math.abs(ours - exact) < 16, `${dt} / ${tau}: ${ours} instead of ${exact}`);
      else assert.equal(ours, 0);
    }
  }
  assert.equal(decay(0n, 30_000n), 2n ** 32n);
});

test('an average holds a constant, follows a real one, and rounds down', () => {
  assert.equal(averageValue({ sum: 0n, weight: 0n }), undefined);
  assert.equal(averageValue({ sum: -3n, weight: 2n }), -2n);
  assert.equal(averaged({ sum: -1n, weight: 1n }, 0n, 1000n, 30_000n).sum, -1n);
  const step = fc.record({ x: fc.bigInt({ min: -50_000n, max: 50_000n }), dt: fc.bigInt({ min: 3000n, max: 100_000n }) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      let average = { sum: 0n, weight: 0n };
      let [sum, weight] = [0, 0];
      for (const { x, dt } of steps) {
        average = averaged(average, x, dt, 150_000n);
        const kept = Math.exp(-Number(dt) / 150_000);
        sum = sum * kept + Number(x * dt);
        weight = weight * kept + Number(dt);
      }
      assert.ok(Math.abs(Number(averageValue(average)) - sum / weight) < 1.1);
    }),
  );
  let constant = { sum: 0n, weight: 0n };
  for (let i = 0; i < 1000; i++) {
    constant = averaged(constant, 777n, 3000n, 30_000n);
    assert.equal(averageValue(constant), 777n);
  }
});

test('medians of one, two and three', () => {
  assert.equal(median([]), undefined);
  assert.equal(median([5n]), 5n);
  assert.equal(median([8n, 5n]), 6n);
  assert.equal(median([8n, 2n, 5n]), 5n);
  assert.equal(bookPrice({ bid: undefined, ask: undefined, last: undefined }), undefined);
  assert.equal(bookPrice({ bid: 10n, ask: 13n, last: undefined }), 11n);
  // A last trade outside the spread does not move the book's price beyond it.
  assert.equal(bookPrice({ bid: 10n, ask: 13n, last: 99n }), 13n);
});

test('the mark is the median of what there is', () => {
  const none = { basis: undefined, bookAverage: undefined, book: undefined, perp: undefined };
  const mark = (inputs: Partial<MarkInputs>): bigint | undefined =>
    markPrice({ ...none, indexTicks: 1000n, tickCount: 100_000n, ...inputs });
  assert.equal(mark({}), 1000n);
  // A hyperp without a mark has no index: what else there is counts, or nothing does.
  assert.equal(mark({ indexTicks: 0n, basis: 7n, perp: 9n }), 9n);
  assert.equal(mark({ indexTicks: 0n }), undefined);
  // The basis is in half ticks and rounded down.
  assert.equal(mark({ basis: 7n }), 1003n);
  assert.equal(mark({ basis: -7n }), 996n);
  assert.equal(mark({ basis: -5000n }), 1n);
  // Two without the book's average: their mean; with it: the median of three.
  assert.equal(mark({ book: 1011n }), 1005n);
  assert.equal(mark({ book: 1011n, bookAverage: 1002n }), 1002n);
  assert.equal(mark({ perp: 990n, bookAverage: 2000n }), 1000n);
  // The book's average is a stand-in: it does not count alone, nor as a fourth.
  assert.equal(mark({ bookAverage: 5000n }), 1000n);
  assert.equal(mark({ book: 1011n, perp: 1020n, bookAverage: 1n }), 1011n);
  assert.equal(mark({ indexTicks: 200_000n }), 99_999n);
});

test('impact prices take the last level in part, and premiums are rounded towards zero', () => {
  const levels = [
    { priceTicks: 100n, lots: 1n },
    { priceTicks: 90n, lots: 10n },
  ];
  // Of 190: 100 at 100 and 90 at 90.
  assert.equal(impactPrice(levels, 1n, 190n), ((100n * 100n + 90n * 90n) * 65_536n) / 190n);
  assert.equal(impactPrice(levels, 1n, 50n), 100n * 65_536n);
  assert.equal(impactPrice(levels, 1n, 1000n), ((100n * 100n + 90n * 900n) * 65_536n) / 1000n);
  assert.equal(impactPrice(levels, 1n, 1001n), undefined);
  // A thousand levels hold 4500500, and no more are looked at.
  const deep = Array.from({ length: 1001 }, (_, i) => ({ priceTicks: 5000n - BigInt(i), lots: 1n }));
  assert.notEqual(impactPrice(deep, 1n, 4_500_500n), undefined);
  assert.equal(impactPrice(deep, 1n, 4_500_501n), undefined);

  const tick = 65_536n;
  assert.equal(premiumOf(10_100n * tick, 10_200n * tick, 10_000n), 100_000_000n);
  assert.equal(premiumOf(9_800n * tick, 9_900n * tick, 10_000n), -100_000_000n);
  assert.equal(premiumOf(9_900n * tick, 10_100n * tick, 10_000n), 0n);
  assert.equal(premiumOf(0n, 3n * tick - 1n, 3n), -50_862n);
});

// --- Reports ----------------------------------------------------------------------------------------------------------------------

test('what a report must be', () => {
  const state = newState();
  assert.equal(reporterOf(state, 1), 1);
  assert.equal(reporterOf(state, 3), undefined);
  assert.equal(reportStaticCode(state, report(3, [1]), 3), CODE_NOT_AUTHORISED);
  assert.equal(reportStaticCode(state, report(0, [1], [], 1), 0), CODE_UNKNOWN_MARKET);
  assert.equal(reportStaticCode(state, report(0, [99_999, 100_000]), 0), CODE_INVALID_PRICE);
  assert.equal(reportStaticCode(state, report(0, [1], [100_000]), 0), CODE_INVALID_PRICE);
  assert.equal(reportStaticCode(state, report(0, [99_999, 0]), 0), CODE_OK);
});

test('a report keeps the medians of its sources, and what is far off is not taken', () => {
  const state = newState();
  state.timeMs = START;
  // Weights 3, 2, 2: without the missing first source the lower of the other two.
  assert.equal(executeReport(state, report(0, [1100, 900, 1000], [0, 980, 970]), 0), CODE_OK);
  assert.deepEqual(marketOf(state).reports.get(0), { indexTicks: 1000n, perpTicks: 970n, timeMs: START });
  // Farther than half of the index.
  assert.equal(executeReport(state, report(0, [1501]), 0), CODE_PRICE_FAR_OFF);
  assert.equal(executeReport(state, report(0, [0], [1000]), 0), CODE_PRICE_FAR_OFF);
  assert.deepEqual(marketOf(state).reports.get(0), { indexTicks: 1000n, perpTicks: 970n, timeMs: START });
  assert.equal(executeReport(state, report(0, [1500], [499]), 0), CODE_OK);
  assert.deepEqual(marketOf(state).reports.get(0), { indexTicks: 1500n, perpTicks: 0n, timeMs: START });
});

test('the index moves with a quorum of fresh reports only', () => {
  const state = newState();
  assert.equal(block(state, START, [[1, 1010]]).revalued, true);
  assert.equal(marketOf(state).indexTicks, 1000n);
  // 3 + 4 of 9.
  block(state, START + 1000n, [[2, 1020]]);
  assert.equal(marketOf(state).indexTicks, 1020n);
  assert.equal(marketOf(state).indexTimeMs, START + 1000n);
  assert.equal(marketOf(state).markTicks, 1020n);
  assert.equal(marketOf(state).previousMarkTicks, 1000n);
  // No report, and the interval is not over.
  assert.equal(block(state, START + 3999n, []).revalued, false);
  assert.equal(block(state, START + 4000n, []).revalued, true);
  // Both are still fresh; then they are not.
  block(state, START + 30_000n, []);
  assert.equal(marketOf(state).indexTimeMs, START + 30_000n);
  assert.equal(block(state, START + 33_000n, []).revalued, true);
  assert.equal(marketOf(state).indexTimeMs, START + 30_000n);
});

test('a quorum that is met exactly is met', () => {
  const state = newState({}, { quorumPpm: 1_000_000 });
  const reports = [0, 1, 2].map((reporter) => [reporter, 1010] as const);
  block(state, START, reports.slice(1));
  assert.equal(marketOf(state).indexTicks, 1000n);
  block(state, START, reports);
  assert.equal(marketOf(state).indexTicks, 1010n);
});

test('the mark of a market with a book', () => {
  const state = newState();
  rest(state, 3, false, 1004n, 5n);
  rest(state, 4, true, 1010n, 5n);
  // At the first update there is no average yet: index 1000, book 1007, perpetual 1001.
  block(state, START, [
    [1, 1000, 1001],
    [2, 1000, 1001],
  ]);
  assert.equal(marketOf(state).basisWeight, 0n);
  assert.equal(marketOf(state).markTicks, 1001n);
  // Then the basis is 7 ticks: 1007, 1007, 1001.
  block(state, START + 3000n, [
    [1, 1000, 1001],
    [2, 1000, 1001],
  ]);
  assert.equal(marketOf(state).basisSum, 14n * 3000n * 256n);
  assert.equal(marketOf(state).bookSum, 1007n * 3000n * 256n);
  assert.equal(marketOf(state).markTicks, 1007n);
  // Without a bid there is no mid: the basis stays, the book's price is the ask.
  state.orders.shift();
  const { basisSum, basisWeight } = marketOf(state);
  block(state, START + 6000n, []);
  assert.deepEqual([marketOf(state).basisSum, marketOf(state).basisWeight], [basisSum, basisWeight]);
  assert.equal(marketOf(state).bookWeight, (3000n * 256n * decay(3000n, 30_000n)) / 2n ** 32n + 3000n * 256n);
});

test('a hyperp follows the average of its own marks, and at most so far', () => {
  const state = newState({ hyperp: true }, { farOffPpm: 10_000_000 });
  const market = marketOf(state);
  // Spot prices are not looked at. The first mark becomes the average.
  block(state, START, [[0, 1, 1000]]);
  assert.deepEqual(market.reports.get(0), { indexTicks: 0n, perpTicks: 1000n, timeMs: START });
  assert.equal(market.hyperWeight, 60_000n * 256n);
  assert.equal(averageValue({ sum: market.hyperSum, weight: market.hyperWeight }), 1000n);
  // Perpetual prices elsewhere and the book far above: the cap is four times the average.
  rest(state, 3, false, 9000n, 5n);
  block(state, START + 3000n, [[0, 1, 9000]]);
  assert.equal(market.indexTicks, 1000n);
  assert.equal(market.markTicks, 4000n);
  // Within the minute the average stays; in the next one the mark joins it.
  assert.equal(averageValue({ sum: market.hyperSum, weight: market.hyperWeight }), 1000n);
  block(state, START + 2n * MINUTE, []);
  const expected = averaged({ sum: 1000n * 60_000n * 256n, weight: 60_000n * 256n }, 4000n, 120_000n, 28_800_000n);
  assert.deepEqual([market.hyperSum, market.hyperWeight], [expected.sum, expected.weight]);
});

// --- Funding ----------------------------------------------------------------------------------------------------------------------

test('samples every five seconds, a rate every hour', () => {
  const state = newState({ impactNotional: 1_000_000n });
  const market = marketOf(state);
  rest(state, 3, false, 1010n, 1000n);
  rest(state, 4, true, 1020n, 1000n);
  const both = [
    [1, 1000],
    [2, 1000],
  ] as const;
  const hour = 3_600_000n;
  const first = (START / hour) * hour;
  assert.equal(block(state, first, both).premiums.size, 0);
  assert.equal(market.samples, 1n);
  block(state, first + 4999n, both);
  assert.equal(market.samples, 1n);
  block(state, first + 5000n, both);
  assert.equal(market.samples, 2n);
  assert.equal(market.sampleSum, 2n * 100_000_000n);
  // The sample of the block that ends the hour still counts for it.
  const { premiums } = block(state, first + hour, both);
  assert.deepEqual([...premiums], [[0, 100_000_000n]]);
  assert.equal(market.rate, 11_875_000n);
  assert.deepEqual([market.samples, market.sampleSum, market.paid], [0n, 0n, true]);
  // Nothing sampled, nothing paid.
  state.orders = [];
  assert.equal(block(state, first + 2n * hour, both).premiums.size, 0);
  assert.deepEqual([market.rate, market.paid], [11_875_000n, false]);
});

// --- Minutes and delisting --------------------------------------------------------------------------------------------------------

/** An update in each of these minutes, at an index that is the minute's number. */
function updatesInMinutes(state: NaiveState, minutes: readonly number[]): void {
  for (const minute of minutes) {
    const price = 1000 + minute;
    block(state, START + BigInt(minute) * MINUTE, [
      [1, price],
      [2, price],
    ]);
    block(state, START + BigInt(minute) * MINUTE + 1000n, [
      [1, price + 5],
      [2, price + 5],
    ]);
  }
}

test('minutes keep the first index of each of the last 70, and zeros where there was none', () => {
  const state = newState();
  updatesInMinutes(state, [0, 1, 4, 69, 72]);
  const base = Number((START / MINUTE) % 70n);
  const field = (minute: number): bigint | undefined => marketOf(state).minutes[(base + minute) % 70];
  assert.deepEqual([1, 2, 3, 4, 5, 68, 69, 70, 71, 72].map(field), [0n, 1072n, 0n, 1004n, 0n, 0n, 1069n, 0n, 0n, 1072n]);
  updatesInMinutes(state, [400]);
  assert.deepEqual(
    marketOf(state).minutes.filter((price) => price !== 0n),
    [1400n],
  );
});

test('a delisted market settles at the mean of its last hour', () => {
  const state = newState();
  updatesInMinutes(state, [0, 1, 5, 30, 60]);
  const delist = (reporter: number, sender = reporter): number => {
    const transaction = { kind: 'delist', sender: address(sender), market: 0 } as const;
    const code = delistStaticCode(state, transaction, sender);
    return code === CODE_OK ? executeDelist(state, transaction, reporter) : code;
  };
  assert.equal(delist(0, 3), CODE_NOT_AUTHORISED);
  assert.equal(delistStaticCode(state, { kind: 'delist', sender: address(0), market: 1 }, 0), CODE_UNKNOWN_MARKET);
  // 3 and 2 of 9 are too few.
  for (const reporter of [1, 1, 0]) assert.equal(delist(reporter), CODE_OK);
  assert.deepEqual(block(state, START + 60n * MINUTE + 2000n, []).settled, []);
  assert.equal(delist(2), CODE_OK);
  // Minute 61: minutes 2 to 60 count.
  const before = marketOf(state).markTicks;
  const time = START + 61n * MINUTE;
  assert.deepEqual(block(state, time, []).settled, [0]);
  const price = (1005n + 1030n + 1060n) / 3n;
  assert.deepEqual(marketOf(state).delisting, { voted: new Set([1, 0, 2]), delistedMs: time, settledTicks: price });
  assert.deepEqual([marketOf(state).markTicks, marketOf(state).previousMarkTicks], [price, before]);
  assert.equal(marketOf(state).settleTicks, price);
  assert.equal(delist(0), CODE_MARKET_HALTED);
  assert.equal(executeReport(state, report(0, [1000]), 0), CODE_PRICE_FAR_OFF);
  assert.deepEqual(block(state, time + 5000n, []).settled, []);
  assert.deepEqual([marketOf(state).markTicks, marketOf(state).settleTicks], [price, 0n]);
});

test('without minutes a delisted market settles at its mark', () => {
  const state = newState();
  state.timeMs = START;
  for (const reporter of [1, 2]) executeDelist(state, { kind: 'delist', sender: address(reporter), market: 0 }, reporter);
  assert.deepEqual(updatePrices(state).settled, [0]);
  assert.equal(marketOf(state).settleTicks, 1000n);
  assert.equal(marketOf(state).previousMarkTicks, 0n);
});

// --- Open interest ----------------------------------------------------------------------------------------------------------------

test('open interest is capped by its notional, and fast by its growth in the minute', () => {
  const state = newState({ openInterestCap: 100_000_000n, openInterestStep: 50_000_000n });
  const market = marketOf(state);
  const setOpenInterest = (lots: bigint): void => {
    state.openPosition(3, 0).sizeLots = lots;
    state.openPosition(4, 0).sizeLots = -lots;
  };
  const flags = (lots: bigint, timeMs: bigint): [capped: boolean, fast: boolean] => {
    setOpenInterest(lots);
    block(state, timeMs, []);
    return [market.capped, market.fast];
  };
  // A lot is a million. What was there at the first block is no growth.
  assert.deepEqual(flags(60n, START), [false, false]);
  assert.deepEqual(flags(99n, START + 1n), [false, false]);
  assert.deepEqual(flags(110n, START + 2n), [true, true]);
  assert.deepEqual(flags(100n, START + 3n), [true, false]);
  assert.deepEqual(flags(110n, START + MINUTE), [true, false]);
  assert.deepEqual(flags(50n, START + MINUTE + 1n), [false, false]);
});

// --- The roll of the day ----------------------------------------------------------------------------------------------------------

test('the day rolls into a history of 14, from which tiers follow', () => {
  const million = 1_000_000n;
  const state = newState(
    {},
    { feeTiers: [{ volume: 100n * million, takerPpm: 400, makerPpm: 100 }], makerRebates: [{ sharePpm: 500_000, makerPpm: -10 }] },
  );
  const roll = (day: bigint): void => {
    state.timeMs = day * DAY + 5n;
    rollDay(state);
  };
  state.accounts.setRole(5, 'subAccount', 4);
  roll(20_000n);
  state.addVolume(3, 'taker', 60n * million);
  state.addVolume(5, 'maker', 40n * million);
  state.addVolume(4, 'taker', 60n * million);
  roll(20_000n);
  assert.equal(state.volume(3).history, undefined);
  roll(20_001n);
  const tiers = (account: number): number[] => [state.margin(account).feeTier, state.margin(account).makerTier];
  // The master has its sub-account's volume, and the sub-account has its master's tiers.
  assert.deepEqual([3, 4, 5].map(tiers), [
    [0, 0],
    [1, 1],
    [1, 1],
  ]);
  const { taker, maker, all, history, historyParts } = state.volume(5);
  assert.deepEqual([taker, maker, all], [0n, 0n, 40n * million]);
  assert.equal(history?.maker[20_000 % 14], 40n * million);
  // Days 8 to 13 lie in the second record of the makers; nothing was taken.
  assert.deepEqual([...historyParts], [2 + Math.floor((20_000 % 14) / 7)]);
  // After two weeks it is gone.
  roll(20_013n);
  assert.deepEqual(tiers(4), [1, 1]);
  roll(20_015n);
  assert.deepEqual(tiers(4), [0, 0]);
  assert.deepEqual(state.volume(5).history?.maker, new Array<bigint>(14).fill(0n));
});
