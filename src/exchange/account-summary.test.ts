/** The protocol's worked examples, answers of the real venue, and prices of liquidation against the rule that they foretell. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AccountSummary, accountSummary, type ValuedMarket, type ValuedPosition } from './account-summary.ts';

const USD = 1_000_000n;
const SCALE = 100_000_000n;
const NO_FUNDING = { allTime: 0n, sinceOpen: 0n, sinceChange: 0n };

/** Protocol, 7.2: BTC, 40 times up to 150M, then 20 times. Ticks of 0.1, lots of 0.00001. */
const BTC: ValuedMarket = {
  unit: 1,
  ticksPerInteger: 10,
  markTicks: 1_000_000,
  tiers: [
    { lowerNotional: 0n, maxLeverage: 40 },
    { lowerNotional: 150_000_000n * USD, maxLeverage: 20 },
  ],
};
const BTC_LOTS = 100_000n;

const position = (fields: Partial<ValuedPosition> & Pick<ValuedPosition, 'sizeLots' | 'cost'>): ValuedPosition => ({
  market: 0,
  rawUsd: 0n,
  leverage: 20,
  isolated: false,
  funding: NO_FUNDING,
  ...fields,
});

/** An account that paid `deposit` in and has only these positions. */
function cross(deposit: bigint, positions: readonly ValuedPosition[], markets: readonly ValuedMarket[] = [BTC]): AccountSummary {
  const collateral = positions.reduce((left, { cost, isolated }) => (isolated ? left : left - cost), deposit);
  return accountSummary({ collateral, orderMargin: 0n, positions }, markets);
}

/** Decimal text in units of 10^-digits; it must fit. */
function units(text: string, digits: number): bigint {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? assert.fail(`not a decimal: ${text}`);
  const kept = fraction.replace(/0+$/, '');
  assert.ok(kept.length <= digits, `${text} has more than ${digits} decimals`);
  return BigInt(`${sign}${whole}${kept.padEnd(digits, '0')}`);
}

test('the worked example of 7.2 and 7.3', () => {
  const summary = cross(30_000n * USD, [position({ sizeLots: 5n * BTC_LOTS, cost: 500_000n * USD })]);
  const margins = {
    accountValue: 30_000n * USD,
    totalNtlPos: 500_000n * USD,
    totalRawUsd: -470_000n * USD,
    totalMarginUsed: 25_000n * USD,
  };
  assert.deepEqual(summary, {
    marginSummary: margins,
    crossMarginSummary: margins,
    crossMaintenanceMarginUsed: 6_250n * USD,
    withdrawable: 0n,
    positions: [
      {
        market: 0,
        szi: 500_000n,
        leverage: { type: 'cross', value: 20 },
        entryPx: 100_000n * SCALE,
        positionValue: 500_000n * USD,
        unrealizedPnl: 0n,
        returnOnEquity: 0n,
        liquidationPx: units('95189.87341772', 8),
        marginUsed: 25_000n * USD,
        maxLeverage: 40,
        cumFunding: NO_FUNDING,
      },
    ],
  });
});

test('a tenth of the notional, order margin and initial margins stay', () => {
  const long = position({ sizeLots: 5n * BTC_LOTS, cost: 500_000n * USD });
  assert.equal(cross(60_000n * USD, [long]).withdrawable, 10_000n * USD);
  assert.equal(cross(600_000n * USD, [{ ...long, leverage: 2 }]).withdrawable, 350_000n * USD);
  const account = { collateral: -440_000n * USD, orderMargin: 4_000n * USD, positions: [long] };
  assert.equal(accountSummary(account, [BTC]).withdrawable, 6_000n * USD);
  const flat = { collateral: 7n, orderMargin: 0n, positions: [position({ sizeLots: 0n, cost: 0n })] };
  assert.equal(accountSummary(flat, [BTC]).withdrawable, 7n);
  assert.deepEqual(accountSummary(flat, [BTC]).positions, []);
});

test('maintenance margin is continuous over the tiers, and prices of liquidation are found in the right one', () => {
  // 200M long: 200M / 40 - 150M * (1 / 40 - 1 / 80).
  const long = position({ sizeLots: 2_000n * BTC_LOTS, cost: 200_000_000n * USD });
  const near = cross(10_000_000n * USD, [long]);
  assert.equal(near.crossMaintenanceMarginUsed, 3_125_000n * USD);
  // In the second tier: 100000 - 6,875,000 / 2000 / (1 - 1/40).
  assert.equal(near.positions[0]?.liquidationPx, units('96474.35897436', 8));
  // 60M deposited: down to 140M + 2,000 p - 200M = 2,000 p / 80 in the first.
  assert.equal(cross(60_000_000n * USD, [long]).positions[0]?.liquidationPx, units('70886.07594937', 8));
  // The border of the tiers: 75,000. Value there is maintenance if 50M + 1.875M were deposited.
  assert.equal(cross(51_875_000n * USD, [long]).positions[0]?.liquidationPx, units('75000', 8));
});

test('shorts, profits, and positions that no price can liquidate', () => {
  const short = cross(30_000n * USD, [position({ sizeLots: -BTC_LOTS, cost: -101_000n * USD, leverage: 10 })]);
  const [shown] = short.positions;
  assert.equal(shown?.entryPx, 101_000n * SCALE);
  assert.equal(shown?.unrealizedPnl, 1_000n * USD);
  // 1,000 / (101,000 / 10).
  assert.equal(shown?.returnOnEquity, units('0.0990099', 8));
  assert.equal(short.crossMarginSummary.accountValue, 31_000n * USD);
  // (30,000 + 101,000) / (1 + 1/80).
  assert.equal(shown?.liquidationPx, units('129382.71604938', 8));
  const safe = cross(200_000n * USD, [position({ sizeLots: BTC_LOTS, cost: 100_000n * USD })]);
  assert.equal(safe.positions[0]?.liquidationPx, null);
});

test('where floored deductions let the maintenance margin jump, the first breach counts', () => {
  // One lot, 3 times below 11 quote units, then 2 times: the deduction 11/12 is floored to 0, so 11/6 becomes 11/4 at the border.
  const tiers = [
    { lowerNotional: 0n, maxLeverage: 3 },
    { lowerNotional: 11n, maxLeverage: 2 },
  ];
  const priceOf = (sizeLots: bigint, collateral: bigint): bigint | null | undefined => {
    const account = { collateral, orderMargin: 0n, positions: [position({ sizeLots, cost: 5n * sizeLots })] };
    return accountSummary(account, [{ unit: 1, ticksPerInteger: 1, markTicks: 5, tiers }]).positions[0]?.liquidationPx;
  };
  // Up from below: 13 - N is at least N / 6 up to the border, and less than N / 4 from it on.
  assert.equal(priceOf(-1n, 13n), 11n * SCALE);
  // Down from above: N - 9 falls below N / 4 at 12, although it is above N / 6 just below the border.
  assert.equal(priceOf(1n, -9n), 12n * SCALE);
});

test('the venue documents an isolated position', () => {
  // `clearinghouseState` in the venue's documentation of its info endpoint: ETH, ticks of 0.1, lots of 0.0001, 50 times.
  const market: ValuedMarket = { unit: 10, ticksPerInteger: 10, markTicks: 29_859, tiers: [{ lowerNotional: 0n, maxLeverage: 50 }] };
  const funding = { allTime: units('514.085417', 6), sinceOpen: 0n, sinceChange: 0n };
  const eth = position({ sizeLots: 335n, cost: units('100.04105', 6), rawUsd: units('-95.059824', 6), isolated: true, funding });
  const summary = cross(units('13104.514502', 6), [eth], [market]);
  assert.deepEqual(summary.marginSummary, {
    accountValue: units('13109.482328', 6),
    totalNtlPos: units('100.02765', 6),
    totalRawUsd: units('13009.454678', 6),
    totalMarginUsed: units('4.967826', 6),
  });
  assert.deepEqual(summary.crossMarginSummary, {
    accountValue: units('13104.514502', 6),
    totalNtlPos: 0n,
    totalRawUsd: units('13104.514502', 6),
    totalMarginUsed: 0n,
  });
  assert.equal(summary.crossMaintenanceMarginUsed, 0n);
  assert.equal(summary.withdrawable, units('13104.514502', 6));
  const [shown] = summary.positions;
  assert.ok(shown !== undefined && shown.liquidationPx !== null);
  const { liquidationPx, ...others } = shown;
  assert.deepEqual(others, {
    market: 0,
    szi: 335n,
    leverage: { type: 'isolated', value: 20, rawUsd: units('-95.059824', 6) },
    entryPx: units('2986.3', 8),
    positionValue: units('100.02765', 6),
    unrealizedPnl: units('-0.0134', 6),
    returnOnEquity: units('-0.0026789', 8),
    marginUsed: units('4.967826', 6),
    maxLeverage: 50,
    cumFunding: funding,
  });
  // The venue cuts the maintenance margin to 10^-6 before it divides by the size; ours is exact: less than 10^-6 / 0.0335 / 0.99 apart.
  const apart = liquidationPx - units('2866.26936529', 8);
  assert.ok(apart >= 0n && apart < units('0.00003016', 8), `${apart}`);
});

// --- A recorded answer ------------------------------------------------------------------------------------------------------------

interface RecordedPosition {
  readonly entryPx: string;
  readonly leverage: { readonly value: number };
  readonly liquidationPx: string | null;
  readonly marginUsed: string;
  readonly positionValue: string;
  readonly returnOnEquity: string;
  readonly szi: string;
  readonly unrealizedPnl: string;
}

interface RecordedState {
  readonly assetPositions: readonly { readonly position: RecordedPosition }[];
  readonly marginSummary: Readonly<Record<'accountValue' | 'totalMarginUsed' | 'totalNtlPos' | 'totalRawUsd', string>>;
  readonly withdrawable: string;
}

const DATA = resolve(process.env.HEDDLE_DATA ?? resolve(import.meta.dirname, '../../../shared/data'));
const RECORDING = resolve(DATA, 'hyperliquid/cassettes/test_get_user_state.yaml');
const missing = existsSync(RECORDING) ? false : `not checked: ${RECORDING} is not there (folder: HEDDLE_DATA)`;

function recordedState(): RecordedState {
  const [, body] = /^ +string: '(.*)'$/m.exec(readFileSync(RECORDING, 'utf8')) ?? [];
  assert.ok(body !== undefined, 'the recording has a response');
  const state: RecordedState = JSON.parse(body);
  return state;
}

/** Lots with as many decimals as the size has, and ticks so small that a lot at one tick is one quote unit. */
function replica({ szi, positionValue, entryPx, leverage }: RecordedPosition, market: number): [ValuedMarket, ValuedPosition] {
  const decimals = /\.(\d+)$/.exec(szi)?.[1]?.length ?? 0;
  const sizeLots = units(szi, decimals);
  const lots = sizeLots < 0n ? -sizeLots : sizeLots;
  const value = units(positionValue, 6);
  assert.equal(value % lots, 0n);
  const ticksPerInteger = 10 ** (6 - decimals);
  const cost = sizeLots * units(entryPx, 6 - decimals);
  // The greatest leverage is not in the recording; prices of liquidation show a maintenance margin of a hundredth (see below).
  const tiers = [{ lowerNotional: 0n, maxLeverage: 50 }];
  return [
    { unit: 1, ticksPerInteger, markTicks: Number(value / lots), tiers },
    position({ market, sizeLots, cost, leverage: leverage.value }),
  ];
}

test('a recorded account of twelve positions comes out the same', { skip: missing }, () => {
  const state = recordedState();
  const recorded = state.assetPositions.map((entry) => entry.position);
  const replicas = recorded.map(replica);
  const markets = replicas.map(([market]) => market);
  const collateral = units(state.marginSummary.totalRawUsd, 6);
  const summary = accountSummary({ collateral, orderMargin: 0n, positions: replicas.map(([, held]) => held) }, markets);

  const count = BigInt(recorded.length);
  assert.equal(count, 12n);
  const { accountValue, totalMarginUsed, totalNtlPos } = summary.marginSummary;
  assert.deepEqual(summary.crossMarginSummary, summary.marginSummary);
  assert.equal(accountValue, units(state.marginSummary.accountValue, 6));
  assert.equal(totalNtlPos, units(state.marginSummary.totalNtlPos, 6));
  // Margins: the venue cuts them to 10^-6, ours are rounded up.
  const cut = (ours: bigint, theirs: bigint, most: bigint): boolean => ours >= theirs && ours - theirs <= most;
  assert.ok(cut(totalMarginUsed, units(state.marginSummary.totalMarginUsed, 6), count));
  // In 2023 a tenth of the notional did not have to stay.
  assert.equal(units(state.withdrawable, 6), accountValue - units(state.marginSummary.totalMarginUsed, 6));
  assert.equal(summary.withdrawable, accountValue - (totalNtlPos + 9n) / 10n);

  for (const [index, theirs] of recorded.entries()) {
    const ours = summary.positions[index];
    assert.ok(ours !== undefined);
    assert.equal(ours.entryPx, units(theirs.entryPx, 8));
    assert.equal(ours.positionValue, units(theirs.positionValue, 6));
    assert.equal(ours.unrealizedPnl, units(theirs.unrealizedPnl, 6));
    assert.ok(cut(ours.marginUsed, units(theirs.marginUsed, 6), 1n));
    // In 2023 the return was taken of the margin at the mark; since then of that at the entry (the documented example above).
    const equity = (ours.unrealizedPnl * SCALE) / units(theirs.marginUsed, 6);
    assert.ok(Math.abs(Number(equity - units(theirs.returnOnEquity, 8))) <= 1);
    assert.equal(ours.liquidationPx === null, theirs.liquidationPx === null);
    if (theirs.liquidationPx === null || ours.liquidationPx === null) continue;
    // In 2023 the maintenance margin was taken as that at the mark: price = mark - side * (value - maintenance) / size. So it can be read
    // off every price, and is the sum of ours, each of them cut.
    const lots = ours.szi < 0n ? -ours.szi : ours.szi;
    const tick = SCALE / BigInt(markets[index]?.ticksPerInteger ?? 0);
    const room = (units(theirs.liquidationPx, 8) * lots) / tick - ours.positionValue;
    assert.ok(ours.szi < 0n && cut(summary.crossMaintenanceMarginUsed, accountValue - room, count + 1n));
  }
});

// --- Prices of liquidation against the rule ---------------------------------------------------------------------------------------

const market = fc
  .record({
    // A tick is worth far more than the jumps where tiers begin.
    unit: fc.integer({ min: 1000, max: 5000 }),
    ticksPerInteger: fc.constantFrom(1, 10, 1000),
    markTicks: fc.integer({ min: 50, max: 20_000 }),
    borders: fc.uniqueArray(fc.bigInt({ min: 1n, max: 2_000_000_000n }), { maxLength: 3 }),
    leverages: fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 4, maxLength: 4 }),
  })
  .map(({ borders, leverages, ...fields }): ValuedMarket => {
    const lower = [0n, ...borders.toSorted((a, b) => (a < b ? -1 : 1))];
    const descending = leverages.toSorted((a, b) => b - a);
    return { ...fields, tiers: lower.map((lowerNotional, index) => ({ lowerNotional, maxLeverage: descending[index] ?? 1 })) };
  });

const held = fc.record({
  sizeLots: fc.oneof(fc.bigInt({ min: -1000n, max: -1n }), fc.bigInt({ min: 1n, max: 1000n })),
  isolated: fc.boolean(),
  rawUsd: fc.bigInt({ min: -1_000_000_000n, max: 1_000_000_000n }),
});

/** Is the position's scope in breach (docs/rules.md, 6) when its market's mark is at `markTicks`? */
function inBreach(
  account: { readonly collateral: bigint; readonly positions: readonly ValuedPosition[] },
  markets: readonly ValuedMarket[],
  index: number,
  markTicks: number,
): boolean {
  const moved = markets.map((old, number) => (number === index ? { ...old, markTicks } : old));
  const only = account.positions[index];
  if (only?.isolated !== true) {
    const { crossMarginSummary, crossMaintenanceMarginUsed } = accountSummary({ ...account, orderMargin: 0n }, moved);
    return crossMarginSummary.accountValue < crossMaintenanceMarginUsed;
  }
  // Alone and cross, with its own collateral, it is the same scope.
  const alone = { collateral: only.rawUsd, orderMargin: 0n, positions: [{ ...only, isolated: false }] };
  const { crossMarginSummary, crossMaintenanceMarginUsed } = accountSummary(alone, moved);
  return crossMarginSummary.accountValue < crossMaintenanceMarginUsed;
}

test('a position is in breach beyond its price of liquidation, to the tick, and not before', () => {
  let priced = 0;
  fc.assert(
    fc.property(
      fc.array(market, { minLength: 2, maxLength: 2 }),
      fc.array(held, { minLength: 2, maxLength: 2 }),
      fc.bigInt({ min: -2_000_000_000n, max: 2_000_000_000n }),
      (markets, sizes, collateral) => {
        const positions = sizes.map((fields, number) => position({ ...fields, market: number, cost: fields.sizeLots * 1000n }));
        const account = { collateral, positions };
        for (const [index, shown] of accountSummary({ ...account, orderMargin: 0n }, markets).positions.entries()) {
          const perInteger = BigInt(markets[index]?.ticksPerInteger ?? 1);
          const long = shown.szi > 0n;
          // Without a price of liquidation the whole range lies above it. The price is rounded, by less than a unit of 10^-8.
          const price = shown.liquidationPx ?? 0n;
          const below = Number(((price - 1n) * perInteger) / SCALE);
          const above = Number(((price + 1n) * perInteger) / SCALE) + 1;
          if (above > Number.MAX_SAFE_INTEGER) continue;
          assert.equal(inBreach(account, markets, index, above), !long);
          if (below < 1) continue;
          assert.equal(inBreach(account, markets, index, below), long);
          priced++;
        }
      },
    ),
    { numRuns: 500 },
  );
  assert.ok(priced > 100);
});
