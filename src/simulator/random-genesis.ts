/**
 * Random ledgers: a few markets of every mode, a dozen to forty accounts from penniless to rich, and thresholds so low that a few blocks
 * reach every one of them. The same seed gives the same genesis.
 *
 * All markets of a ledger have orders of about the same value, so that collateral counts in all of them alike.
 * Not here: what happens afterwards (random-blocks.ts).
 */
import { Random } from '../base/random.ts';
import type { ExchangeOptions, Genesis, MarginTier, MarketParameters, Reporter } from '../exchange/genesis.ts';
import { ORDER_NOTIONAL_BITS } from '../exchange/layout.ts';
import type { Address } from '../ledger/transactions.ts';

/** What a seed's blocks are mostly about. */
export type Focus = 'mixed' | 'ledger' | 'nonces' | 'book' | 'crowded' | 'margin' | 'people' | 'vaults' | 'timed';

const FOCI: readonly Focus[] = ['mixed', 'margin', 'book', 'people', 'timed', 'vaults', 'crowded', 'margin', 'ledger', 'nonces'];

/** In one ledger of so many accounts become dormant; not a divisor of the number of foci. */
const DORMANT_SEEDS = 3;

/** Steps of size in a usual order, on average. */
export const USUAL_STEPS = 20;

export function focusOf(seed: number): Focus {
  return FOCI[seed % FOCI.length] as Focus;
}

export function randomGenesis(seed: number, focus: Focus = focusOf(seed)): Genesis {
  const random = new Random(seed * 2);
  // The value of a usual order. Products with the largest ones need more than 64 bits, which is among what must come out right.
  const scale = random.pick([10n ** 8n, 10n ** 9n, 10n ** 10n, 10n ** 10n, 2n ** 42n]);
  const feeless = random.chance(0.1);
  const exchange = randomExchange(random, focus, scale, feeless);
  const markets = Array.from({ length: random.between(2, 4) }, (_, i) => randomMarket(random, focus, scale, exchange, feeless, i));
  const count = focus === 'nonces' || focus === 'crowded' ? 12 : random.between(12, random.pick([16, 24, 40]));
  const tokens = ['USD', 'ETH', 'BTC'].slice(0, random.between(1, 3)).map((name) => ({ name, decimals: 6 }));
  const accounts = Array.from({ length: count }, (_, i) => ({
    address: randomAddress(random),
    balances: tokens.map((_, token) => ({ token, amount: token === 0 ? randomQuote(random, scale) : randomBalance(random) })),
    collateral: randomCollateral(random, focus, scale, i),
  }));
  const room = { few: random.between(0, 4), some: random.between(4, 12), many: 40 };
  const makesAccounts = focus === 'people' || focus === 'vaults';
  return {
    maxAccounts: count + room[random.weighted({ few: makesAccounts ? 1 : 3, some: 3, many: 3 })],
    orderPages: focus === 'crowded' ? random.pick([1, 2, 12, 12]) : random.pick([1, 1, 2, 3]),
    tokens,
    markets,
    ...randomReporters(random, accounts),
    exchange,
    ...(random.chance(0.8) ? { backstop: (accounts[1] as { address: Address }).address } : {}),
    ...(seed % DORMANT_SEEDS === 0 ? { dormantDays: 1 + ((seed / DORMANT_SEEDS) % 3) } : {}),
    accounts,
  };
}

export function randomAddress(random: Random): Address {
  return `0x${Array.from({ length: 5 }, () => random.next().toString(16).padStart(8, '0')).join('')}`;
}

// --- Markets ----------------------------------------------------------------------------------------------------------------------

function randomMarket(
  random: Random,
  focus: Focus,
  scale: bigint,
  exchange: RandomExchange,
  feeless: boolean,
  number: number,
): MarketParameters {
  const shapes = {
    tight: { tickCount: random.between(60, 400), tickStep: 1, lotStep: 1, ticksPerInteger: 1, significantDigits: 0 },
    deep: { tickCount: 300_000, tickStep: 1, lotStep: random.pick([1, 10]), ticksPerInteger: random.pick([1, 100]), significantDigits: 5 },
    digits: { tickCount: 2_000_000, tickStep: 1, lotStep: 1, ticksPerInteger: 10, significantDigits: random.pick([3, 5]) },
    steps: {
      tickCount: 20_000,
      tickStep: random.pick([2, 5, 25]),
      lotStep: random.pick([2, 10, 100]),
      ticksPerInteger: 1,
      significantDigits: 0,
    },
    vast: { tickCount: 2 ** 24, tickStep: random.pick([1, 100]), lotStep: 1, ticksPerInteger: 1000, significantDigits: 4 },
  };
  const shape = shapes[random.weighted({ tight: 2, deep: 4, digits: 2, steps: 3, vast: 1 })];
  const { tickCount, lotStep } = shape;
  const mark = Math.floor((tickCount * random.between(20, 50)) / 100);
  const wantedUnit = scale / BigInt(mark * lotStep * USUAL_STEPS);
  const unit = Number(wantedUnit < 1n ? 1n : wantedUnit > 2n ** 32n ? 2n ** 32n : wantedUnit);
  const value = BigInt(mark) * BigInt(unit) * BigInt(lotStep * USUAL_STEPS);

  const tickNotional = BigInt(tickCount) * BigInt(unit);
  const orderMost = 2n ** BigInt(ORDER_NOTIONAL_BITS) / tickNotional;
  const positionMost = 2n ** BigInt(random.pick([50, 53])) / tickNotional;
  const narrow = focus !== 'crowded' && random.chance(0.2);
  const maxPositionLots = narrow ? BigInt(lotStep * random.between(15, 80)) : positionMost;
  const wantedOrder = narrow || random.chance(0.3) ? BigInt(lotStep * USUAL_STEPS * random.between(3, 20)) : maxPositionLots;
  const hyperp = random.chance(0.15);
  // Where thousands of orders are to rest, nothing may stand in their way.
  const roomy = focus === 'crowded' && number === 0;
  const leverage = random.pick([1, 3, 5, 10, 10, 20, 25, 40, 50]);
  const takerFeePpm = feeless ? 0 : random.pick([200, 450, 450, 8191]);
  // No maker gets more than its taker pays after tiers and referral.
  const leastTaker = Math.min(takerFeePpm, ...exchange.feeTiers.map((tier) => tier.takerPpm));
  const rebateMost = Math.floor(
    (leastTaker * (10 ** 6 - exchange.referralDiscountPpm) * (10 ** 6 - exchange.referralRewardPpm)) / 10 ** 12,
  );
  return {
    name: `M${number}`,
    ...shape,
    unit,
    leverage,
    takerFeePpm,
    makerFeePpm: feeless ? 0 : Math.max(-rebateMost, random.pick([-200, -30, 0, 150, 150])),
    minNotional: roomy || random.chance(0.4) ? 0n : value / BigInt(random.between(10, 30)),
    maxOrderLots: smaller(wantedOrder, orderMost),
    maxPositionLots: smaller(maxPositionLots, positionMost),
    markTicks: roomy || random.chance(0.92) ? mark : 0,
    tiers: roomy ? [{ lowerNotional: 0n, maxLeverage: leverage }] : randomTiers(random, value, leverage),
    mode: number === 0 ? 'normal' : random.weighted({ normal: 60, noCross: 22, strictIsolated: 18 }),
    hyperp,
    priceBandBps: roomy ? 0 : random.pick([0, 400, 2000, 8000, 8000]),
    oracleBandBps: random.pick([0, 300, 2000, 9500, 9500]),
    impactNotional: smaller((value * BigInt(random.pick([1, 10, 50]))) / 10n, (1n << 62n) / BigInt(shape.tickCount)),
    fundingClamp: random.pick([5_000_000n, 0n]),
    fundingInterest: random.pick([1_000_000n, 1_000_000n, -1_000_000n, 0n]),
    fundingCap: random.pick([400_000_000n, 2_000_000n]),
    openInterestCap: !roomy && random.chance(0.35) ? value * BigInt(random.between(2, 40)) : 0n,
    openInterestStep: !roomy && random.chance(0.3) ? value * BigInt(random.between(1, 15)) : 0n,
  };
}

/** Sometimes one tier, sometimes up to four with less and less leverage. The first has at least the market's. */
function randomTiers(random: Random, value: bigint, leverage: number): MarginTier[] {
  const tiers = [{ lowerNotional: 0n, maxLeverage: Math.min(random.pick([leverage, leverage, leverage * 2]), 100) }];
  const count = random.pick([1, 1, 2, 3, 4]);
  let lower = value * BigInt(random.between(1, 12));
  for (let i = 1; i < count; i++) {
    const before = (tiers[i - 1] as MarginTier).maxLeverage;
    if (before === 1) break;
    tiers.push({ lowerNotional: lower, maxLeverage: Math.max(1, Math.floor(before / random.pick([2, 2, 4]))) });
    lower = lower * BigInt(random.between(2, 4)) + BigInt(random.below(3));
  }
  return tiers;
}

// --- Accounts ---------------------------------------------------------------------------------------------------------------------

/** Of token 0. All of it together stays below 2^63. */
function randomQuote(random: Random, scale: bigint): bigint {
  switch (random.below(5)) {
    case 0:
      return 0n;
    case 1:
      return BigInt(random.between(1, 20));
    default:
      return scale * BigInt(random.between(1, 20)) + BigInt(random.below(1000));
  }
}

function randomBalance(random: Random): bigint {
  switch (random.below(5)) {
    case 0:
      return 0n;
    case 1:
      return BigInt(random.between(1, 20));
    case 2:
      return 2n ** 63n - 1n - BigInt(random.below(20));
    default:
      return random.belowBig(2n ** 40n);
  }
}

/** Every fifth account is rich, so that others find somebody to trade with; account 1 is the backstop vault. */
function randomCollateral(random: Random, focus: Focus, scale: bigint, number: number): bigint {
  const rest = BigInt(random.below(100));
  if (focus === 'crowded') return scale * 5000n + rest;
  if (number % 5 === 0) return scale * BigInt(random.between(20, 300)) + rest;
  if (number === 1)
    return random.weighted({ poor: 2, usual: 3, rich: 2 }) === 'poor' ? rest : scale * BigInt(random.pick([1, 3, 10, 50])) + rest;
  const percent = random.weighted({ none: 15, thin: 35, usual: 35, vast: 1 });
  if (percent === 'none') return random.chance(0.8) ? 0n : rest;
  if (percent === 'vast') return random.pick([2n ** 58n, 2n ** 59n]);
  return (scale * BigInt(percent === 'thin' ? random.between(2, 60) : random.between(60, 600))) / 100n + rest;
}

function randomReporters(random: Random, accounts: readonly { address: Address }[]): Pick<Genesis, 'oracle' | 'reporters'> {
  const address = (): Address => (random.chance(0.95) ? random.pick(accounts).address : randomAddress(random));
  if (random.chance(0.15)) return { oracle: address() };
  const addresses = new Set(Array.from({ length: random.between(1, 3) }, address));
  const reporters: Reporter[] = [...addresses].map((reporter) => ({
    address: reporter,
    stake: random.pick([1n, 10n, 40n, 50n, 2n ** 40n]),
  }));
  return { reporters };
}

// --- The exchange -----------------------------------------------------------------------------------------------------------------

type RandomExchange = Partial<ExchangeOptions> & Pick<ExchangeOptions, 'feeTiers' | 'referralDiscountPpm' | 'referralRewardPpm'>;

function randomExchange(random: Random, focus: Focus, scale: bigint, feeless: boolean): RandomExchange {
  const of = (least: number, most: number): bigint => (scale * BigInt(random.between(least * 10, most * 10))) / 10n;
  const crowded = focus === 'crowded';
  const openOrdersBase = crowded ? random.pick([1000, 1000, 100]) : random.between(4, 16);
  return {
    staleMs: random.pick([5_000, 30_000, 120_000]),
    quorumPpm: random.pick([500_001, 500_001, 300_000]),
    farOffPpm: random.pick([300_000, 500_000, 1_000_000]),
    ...(random.chance(0.3) ? { spotWeights: [1, 1, 0, 2, 1, 0, 0, 0], perpWeights: [0, 1, 1, 1, 3, 0, 0, 1] } : {}),
    markIntervalMs: random.pick([500, 3000, 3000]),
    hyperpCapPpm: random.pick([1_050_000, 1_500_000, 4_000_000]),
    delistPpm: random.pick([666_667, 400_000]),
    partialNotional: of(1, 5),
    partialPpm: random.pick([200_000, 500_000]),
    cooldownMs: random.between(2, 30) * 1000,
    liquidationBps: random.pick([100, 1000]),
    backstopMarginPpm: random.pick([0, 5_000, 20_000]),
    unwindPpm: random.pick([50_000, 300_000, 1_000_000]),
    unwindBps: random.pick([20, 100, 500]),
    feeTiers: feeless
      ? []
      : [
          { volume: of(3, 10), takerPpm: 400, makerPpm: 120 },
          { volume: of(20, 60), takerPpm: 300, makerPpm: 40 },
          { volume: of(100, 300), takerPpm: 240, makerPpm: 0 },
        ].slice(0, random.between(0, 3)),
    makerRebates: feeless
      ? []
      : [
          { sharePpm: 50_000, makerPpm: -10 },
          { sharePpm: 200_000, makerPpm: -20 },
          { sharePpm: 500_000, makerPpm: -30 },
        ].slice(0, random.between(0, 3)),
    referralDiscountPpm: random.pick([40_000, 500_000]),
    referralRewardPpm: random.pick([100_000, 333_333]),
    referralVolume: of(5, 50),
    builderFeeMax: random.pick([100, 10]),
    withdrawFee: random.pick([0n, 1n, scale / 100n]),
    scheduleVolume: random.chance(0.5) ? 0n : of(1, 5),
    scheduleDaily: random.between(1, 2),
    twapMinNotional: of(1, 2) / 5n,
    openOrdersBase,
    openOrdersMax: openOrdersBase + random.pick([0, 3, 10]),
    openOrdersVolume: of(1, 6),
    subAccountsBase: random.between(1, 2),
    subAccountsMax: random.between(2, 4),
    subAccountsFirstVolume: random.chance(0.6) ? 0n : of(1, 3),
    subAccountsVolume: of(5, 30),
    agentsBase: random.between(1, 2),
    agentsPerSubAccount: random.between(0, 2),
    vaultsMax: random.between(2, 5),
    vaultLockMs: random.pick([0, 1000, 1000, 5000, 60_000, 86_400_000]),
    vaultCommissionPpm: random.pick([100_000, 333_333]),
    vaultLeaderPpm: random.pick([50_000, 200_000]),
    vaultMinimum: of(1, 2) / 5n,
    backstopLockMs: random.pick([1000, 60_000, 345_600_000]),
  };
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
