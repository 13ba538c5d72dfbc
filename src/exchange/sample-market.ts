/** A market that is like any other, for generated flows, measurements and tests: what matters to one of them, it says. */
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
