/** Fees of the two sides of a fill (docs/rules.md, 4.3), and who gets them. */
import { ACC_REFERRED } from './layout.ts';
import { divideUp } from './naive-numbers.ts';
import type { NaiveMarket, NaiveOrder, NaiveState, NaiveTaker } from './naive-state.ts';

const MILLION = 1_000_000n;
const BUILDER_UNITS = 100_000n;

export interface NaiveFee {
  readonly base: bigint;
  /** The part of `base` that the referrer gets. */
  readonly reward: bigint;
  readonly builder: bigint;
  /** What the account pays: base and builder. */
  readonly whole: bigint;
}

/** Whether a taker that begins to match now has the referral discount. */
export function hasDiscount(state: NaiveState, account: number): boolean {
  return (state.margin(account).flags & ACC_REFERRED) !== 0 && state.volumeOf(account) < state.options.referralVolume;
}

export function takerFee(state: NaiveState, taker: NaiveTaker, notional: bigint, discounted: boolean): NaiveFee {
  if (!taker.pays) return { base: 0n, reward: 0n, builder: 0n, whole: 0n };
  const { referralDiscountPpm, referralRewardPpm } = state.options;
  let base = feeOf(notional, takerRate(state, taker));
  let reward = 0n;
  if (discounted && base > 0n) {
    base -= (base * BigInt(referralDiscountPpm)) / MILLION;
    reward = (base * BigInt(referralRewardPpm)) / MILLION;
  }
  const builder = builderFeeOf(notional, taker);
  return { base, reward, builder, whole: base + builder };
}

export function makerFee(state: NaiveState, maker: NaiveOrder, notional: bigint): NaiveFee {
  const base = feeOf(notional, makerRate(state, maker));
  const builder = builderFeeOf(notional, maker);
  return { base, reward: 0n, builder, whole: base + builder };
}

/** Fees and rewards of a fill to the market, the builder and the referrer. */
export function bookFee(state: NaiveState, market: NaiveMarket, payer: { account: number; builder: number }, fee: NaiveFee): void {
  market.fees += fee.base - fee.reward;
  if (payer.builder !== 0) state.reward(payer.builder - 1).builder += fee.builder;
  if (fee.reward > 0n) state.reward(state.openSettings(payer.account).referrer - 1).referral += fee.reward;
}

function takerRate(state: NaiveState, { account, market }: NaiveTaker): number {
  const own = state.market(market).parameters.takerFeePpm;
  const tier = state.options.feeTiers[state.margin(account).feeTier - 1];
  return tier === undefined ? own : Math.min(own, tier.takerPpm);
}

function makerRate(state: NaiveState, { account, market }: NaiveOrder): number {
  const { feeTier, makerTier } = state.margin(account);
  const own = state.market(market).parameters.makerFeePpm;
  const tier = state.options.feeTiers[feeTier - 1];
  const rebate = state.options.makerRebates[makerTier - 1];
  return Math.min(own, tier?.makerPpm ?? own, rebate?.makerPpm ?? own);
}

/** Fees round up, rebates towards zero. */
function feeOf(notional: bigint, ppm: number): bigint {
  return ppm >= 0 ? divideUp(notional * BigInt(ppm), MILLION) : -((notional * BigInt(-ppm)) / MILLION);
}

function builderFeeOf(notional: bigint, { builder, builderFee }: { builder: number; builderFee: number }): bigint {
  return builder === 0 ? 0n : divideUp(notional * BigInt(builderFee), BUILDER_UNITS);
}
