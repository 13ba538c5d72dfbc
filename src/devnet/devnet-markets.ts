/**
 * The markets of the development chain: names that clients know, with the decimals and leverage that they expect.
 *
 * A tick is 10^-(6 - szDecimals) and a lot 10^-szDecimals, as in the protocol's own integers (section 4), so the unit is 1 everywhere.
 * Not here: what prices do after the start.
 */
import type { MarginTier, MarketParameters } from '../exchange/genesis.ts';

const USD = 1_000_000n;
const MILLION = 1_000_000n * USD;
const PRICE_DECIMALS = 6;
/** The most that a market can have: a bitmap of ticks that is made as it is used. */
const TICK_COUNT = 2 ** 24;
/** Bounds of the genesis: notional of an order below 2^49, of a position below 2^53. */
const MAX_ORDER_LOTS = 2n ** 25n;
const MAX_POSITION_LOTS = 2n ** 29n;
const LEVERAGE_AT_FIRST = 20;

export interface DevnetMarket {
  readonly name: string;
  readonly szDecimals: number;
  /** In quote units. */
  readonly startPrice: bigint;
  /** First tier; the second, if there is one, is half of it from so many dollars on. */
  readonly maxLeverage: number;
  readonly halfLeverageFrom: bigint;
  /** Typical move in a second, in millionths. */
  readonly volatilityPpm: number;
}

const market = (
  name: string,
  szDecimals: number,
  startPrice: number,
  maxLeverage: number,
  halfMillions: bigint,
  volatilityPpm: number,
): DevnetMarket => ({
  name,
  szDecimals,
  startPrice: BigInt(Math.round(startPrice * 1_000_000)),
  maxLeverage,
  halfLeverageFrom: halfMillions * MILLION,
  volatilityPpm,
});

export const DEVNET_MARKETS: readonly DevnetMarket[] = [
  market('BTC', 5, 65_000, 40, 150n, 60),
  market('ETH', 4, 3_200, 25, 100n, 80),
  market('SOL', 2, 150, 20, 70n, 110),
  market('HYPE', 2, 25, 10, 20n, 150),
  market('XRP', 0, 0.6, 20, 40n, 100),
  market('DOGE', 0, 0.12, 10, 20n, 140),
  market('BNB', 3, 580, 10, 20n, 70),
  market('AVAX', 2, 28, 10, 20n, 130),
  market('LINK', 1, 14, 10, 20n, 120),
  market('LTC', 2, 72, 10, 20n, 90),
  market('ARB', 1, 0.75, 10, 3n, 140),
  market('SUI', 1, 1.9, 10, 3n, 160),
];

export function ticksPerInteger({ szDecimals }: Pick<DevnetMarket, 'szDecimals'>): number {
  return 10 ** (PRICE_DECIMALS - szDecimals);
}

/** A price in quote units as ticks, to five significant digits: a price that orders may have. */
export function orderTicks(price: bigint, { szDecimals }: Pick<DevnetMarket, 'szDecimals'>): number {
  const ticks = price / 10n ** BigInt(szDecimals);
  const digits = ticks.toString().length;
  const step = digits > SIGNIFICANT_DIGITS ? 10n ** BigInt(digits - SIGNIFICANT_DIGITS) : 1n;
  return Number(((ticks + step / 2n) / step) * step);
}

const SIGNIFICANT_DIGITS = 5;

export function marketParameters(from: DevnetMarket): MarketParameters {
  const tiers: MarginTier[] = [
    { lowerNotional: 0n, maxLeverage: from.maxLeverage },
    { lowerNotional: from.halfLeverageFrom, maxLeverage: Math.floor(from.maxLeverage / 2) },
  ];
  return {
    name: from.name,
    tickCount: TICK_COUNT,
    unit: 1,
    tickStep: 1,
    lotStep: 1,
    ticksPerInteger: ticksPerInteger(from),
    significantDigits: SIGNIFICANT_DIGITS,
    leverage: Math.min(LEVERAGE_AT_FIRST, from.maxLeverage),
    takerFeePpm: 450,
    makerFeePpm: 150,
    minNotional: 10n * USD,
    maxOrderLots: MAX_ORDER_LOTS,
    maxPositionLots: MAX_POSITION_LOTS,
    markTicks: orderTicks(from.startPrice, from),
    tiers,
    impactNotional: 6_000n * USD,
  };
}
