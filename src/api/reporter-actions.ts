/** Actions beyond the original, of those who report prices: the reporters of the genesis, which the original's validators are. */
import type { ActionOf } from '../sdk/wire-actions.ts';
import type { Market } from '../views/index.ts';
import { defaultAnswer } from './exchange-responses.ts';
import { marketNumber } from './ledger-numbers.ts';
import { type ActionContext, type Refusal, refusal, type Translation } from './translation.ts';

const U32_MAX = 2n ** 32n - 1n;

export function reportPricesAction({ prices }: ActionOf<'reportPrices'>, { markets }: ActionContext): Translation | Refusal {
  const reports: { market: number; spot: readonly number[]; perp?: readonly number[] }[] = [];
  for (const { a, s, p } of prices) {
    const market = markets[a];
    if (market === undefined) return refusal(`Unknown asset. asset=${a}`);
    const [spot, perp] = [ticksOf(s, market), p === undefined ? undefined : ticksOf(p, market)];
    if (spot === undefined || (p !== undefined && perp === undefined)) return refusal(`Price must be divisible by tick size. asset=${a}`);
    reports.push({ market: a, spot, ...(perp === undefined ? {} : { perp }) });
  }
  return { body: { kind: 'oracle', prices: reports }, answer: defaultAnswer({ kind: 'oracle' }) };
}

export function voteDelistAction({ a }: ActionOf<'voteDelist'>): Translation {
  return { body: { kind: 'delist', market: marketNumber(a) }, answer: defaultAnswer({ kind: 'delist', asset: a }) };
}

/** A price of 0 is a source that has none. Undefined: one of them is no whole number of ticks. */
function ticksOf(texts: readonly string[], market: Market): readonly number[] | undefined {
  const ticks = texts.map((text) => market.priceTicks(text));
  return ticks.every((tick) => tick !== undefined && tick >= 0n && tick <= U32_MAX) ? ticks.map(Number) : undefined;
}
