/** Markets that are like any other, for generated flows, measurements and tests: what matters to one of them, it says. */
import type { MarketParameters } from './genesis.ts';

export function sampleMarket(fields: Partial<MarketParameters> = {}): MarketParameters {
  return {
    name: 'M',
    tickCount: 4096,
    unit: 100,
    tickStep: 1,
    lotStep: 1,
    ticksPerInteger: 10,
    significantDigits: 0,
    leverage: 20,
    takerFeePpm: 450,
    makerFeePpm: 150,
    minNotional: 0n,
    maxOrderLots: 1_000_000n,
    maxPositionLots: 1_000_000_000n,
    markTicks: 1000,
    ...fields,
  };
}

const PRICE_DECIMALS = 6;

/**
 * A market as clients know them, in the protocol's own integers (section 4): a tick is 10^-(6 - szDecimals) and a lot 10^-szDecimals, so the unit
 * is 1. It has all the ticks, and the largest orders and positions, that the bounds of a genesis allow.
 */
export function protocolMarket(name: string, szDecimals: number, price: number): MarketParameters {
  const ticksPerInteger = 10 ** (PRICE_DECIMALS - szDecimals);
  return sampleMarket({
    name,
    tickCount: 2 ** 24,
    unit: 1,
    ticksPerInteger,
    significantDigits: 5,
    minNotional: 10_000_000n,
    maxOrderLots: 2n ** 25n,
    maxPositionLots: 2n ** 29n,
    markTicks: price * ticksPerInteger,
    tiers: [{ lowerNotional: 0n, maxLeverage: 20 }],
  });
}
