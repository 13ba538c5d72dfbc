/**
 * Numbers of requests in the ledger's terms: market numbers, ticks, lots.
 *
 * Invariant: what cannot be said becomes a value that the rules refuse, never another one that they take.
 */
import type { Market } from '../views/index.ts';

const U32_MAX = 2 ** 32 - 1;
/** Prices start at 1. */
export const PRICE_REFUSED = 0;
/** More than any market takes. */
export const SIZE_REFUSED = 2n ** 62n;

/** Numbers beyond 32 bits are none of a market; so is the greatest of 32 bits. */
export function marketNumber(value: number): number {
  return Math.min(value, U32_MAX);
}

export function ticksOf(text: string, market: Market | undefined): number {
  const ticks = market?.priceTicks(text);
  if (ticks === undefined || ticks < 0n) return PRICE_REFUSED;
  return ticks > BigInt(U32_MAX) ? U32_MAX : Number(ticks);
}

export function sizeOf(text: string, market: Market | undefined): bigint {
  const lots = market?.sizeLots(text);
  return lots === undefined || lots < 0n || lots > SIZE_REFUSED ? SIZE_REFUSED : lots;
}
