/**
 * The markets of the scenario. Market i stands for the coin of rank i by closed volume: its share of the trading, how hard each wave hits
 * it, its margin tiers (protocol, 7.2) and how deep it falls follow from the rank. Prices are made up.
 */
import { Random } from '../base/random.ts';
import type { MarginTier, MarketParameters } from '../exchange/genesis.ts';
import { ORDER_NOTIONAL_BITS, POSITION_NOTIONAL_BITS } from '../exchange/layout.ts';
import type { Calibration } from './calibration.ts';

export interface CrashMarket {
  readonly parameters: MarketParameters;
  readonly tiers: readonly MarginTier[];
  /** Of what is traded in all markets. */
  readonly share: number;
  /** For each wave how hard it hits the market, around 1; 0: not in it. */
  readonly hits: readonly number[];
  /** How far the price falls until the last wave, as a fraction. */
  readonly depth: number;
}

/** Leverage below and, from a notional in millions on, above; how deep the group falls. Groups by rank: the first four are one coin each. */
const GROUPS = [
  { upTo: 1, leverage: 40, fromMillions: 150, above: 20, depth: 0.15 },
  { upTo: 2, leverage: 25, fromMillions: 100, above: 15, depth: 0.21 },
  { upTo: 3, leverage: 20, fromMillions: 70, above: 10, depth: 0.26 },
  { upTo: 4, leverage: 20, fromMillions: 40, above: 10, depth: 0.38 },
  { upToShare: 0.18, leverage: 10, fromMillions: 20, above: 5, depth: 0.5 },
  { upToShare: 0.6, leverage: 10, fromMillions: 3, above: 5, depth: 0.56 },
  { upToShare: 0.85, leverage: 5, fromMillions: 1, above: 3, depth: 0.63 },
  { upToShare: 1, leverage: 3, fromMillions: 1, above: 2, depth: 0.7 },
] as const;

const TICK_COUNT = 65_536;
const FIRST_PRICE_TICKS_MAX = 50_000;
const HIGHEST_USD = 117_000;
const LOWEST_USD = 0.004;

export function crashMarkets(calibration: Calibration, count: number, seed: number): CrashMarket[] {
  const random = new Random(seed);
  const shares = Array.from({ length: count }, (_, rank) => coinOf(calibration, rank).share);
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share, rank) => {
    const group = GROUPS.find((entry) => ('upTo' in entry ? rank < entry.upTo : rank < entry.upToShare * count)) ?? GROUPS[7];
    const tiers = [
      { lowerNotional: 0n, maxLeverage: group.leverage },
      { lowerNotional: BigInt(group.fromMillions) * 1_000_000_000_000n, maxLeverage: group.above },
    ];
    // Prices fall with the rank, unevenly.
    const usd = HIGHEST_USD * (LOWEST_USD / HIGHEST_USD) ** ((rank + random.below(900) / 1000) / count);
    return {
      parameters: marketParameters(`COIN-${rank}`, usd, tiers),
      tiers,
      share: share / sum,
      hits: coinOf(calibration, rank).hits,
      depth: group.depth * (0.9 + random.below(200) / 1000),
    };
  });
}

/** There may be more markets than coins. */
function coinOf({ coins }: Calibration, rank: number): Calibration['coins'][number] {
  return coins[rank % coins.length] as Calibration['coins'][number];
}

/** Tick: the smallest of 1, 2, 5 by powers of ten with at most 50,000 ticks to the price; lot: the power of ten worth 1 to 10 USD. */
function marketParameters(name: string, usd: number, tiers: readonly MarginTier[]): MarketParameters {
  const least = usd / FIRST_PRICE_TICKS_MAX;
  const power = Math.floor(Math.log10(least));
  const digit = [1, 2, 5, 10].find((factor) => factor * 10 ** power >= least) ?? 10;
  const lotPower = -Math.floor(Math.log10(usd));
  const unit = Math.round(digit * 10 ** (6 + power + lotPower));
  const tick = digit * 10 ** power;
  const bound = (bits: number) => (1n << BigInt(bits)) / BigInt(TICK_COUNT * unit);
  return {
    name,
    tickCount: TICK_COUNT,
    unit,
    tickStep: 1,
    lotStep: 1,
    ticksPerInteger: Math.max(1, Math.round(1 / tick)),
    significantDigits: 5,
    leverage: tiers[0]?.maxLeverage ?? 1,
    takerFeePpm: 450,
    makerFeePpm: 150,
    minNotional: 10_000_000n,
    maxOrderLots: bound(ORDER_NOTIONAL_BITS),
    maxPositionLots: bound(POSITION_NOTIONAL_BITS),
    markTicks: Math.round(usd / tick),
    tiers,
  };
}
