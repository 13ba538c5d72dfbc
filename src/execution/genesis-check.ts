/**
 * Refuses a genesis whose parameters are out of range or contradict each other, with the reason, before anything is laid out.
 *
 * Invariant: with a genesis that passes, no sum or product of the rules leaves 64 bits (the bounds are those of `src/exchange/layout.ts`).
 */
import { HeddleError } from '../base/errors.ts';
import {
  type ExchangeOptions,
  exchangeOptions,
  type Genesis,
  type MarketOptions,
  type MarketParameters,
  marketOptions,
  reportersOf,
} from '../exchange/genesis.ts';
import * as X from '../exchange/layout.ts';
import * as G from '../ledger/layout.ts';
import { parseAddress } from './admission.ts';

const PPM = 1_000_000;
const BPS = 10_000;
const MONEY_MAX = 1n << BigInt(X.DEPOSIT_BITS);
const STAKE_MAX = 1n << 40n;
/** Stakes of all reporters together: a million times this is below 2^63. */
const STAKE_SUM_MAX = 1n << 43n;
const RATE_ONE = 10n ** BigInt(X.RATE_DIGITS);
/** Ten years: no interval is longer. */
const INTERVAL_MAX_MS = 315_360_000_000;
const VAULTS_MAX = 65_535;
/** A hundred years. */
const DORMANT_DAYS_MAX = 36_525;
/** With more, the records of a dormant account would not fit into the length that proofs and snapshots have for a value. */
const DORMANT_TOKENS_MAX = 1024;

function refuse(reason: string): never {
  throw new HeddleError('BAD_GENESIS', `genesis refused: ${reason}`);
}

function integer(value: number, least: number, most: number, field: string): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    refuse(`${field} must be an integer from ${least} to ${most}, not ${value}`);
  }
}

function wide(value: bigint, least: bigint, most: bigint, field: string): void {
  if (typeof value !== 'bigint' || value < least || value > most)
    refuse(`${field} must be a bigint from ${least} to ${most}, not ${value}`);
}

/** Throws BAD_GENESIS. */
export function checkGenesis(genesis: Genesis): void {
  integer(genesis.maxAccounts, 1, 2 ** 24, 'maxAccounts');
  integer(genesis.orderPages, 1, X.ORDER_PAGES_MAX, 'orderPages');
  const referenceBits = bitsOf(genesis.maxAccounts - 1) + bitsOf(genesis.orderPages * 64 - 1);
  if (referenceBits > 31)
    refuse('maxAccounts and orderPages: an order reference has 31 bits for account and slot, fewer accounts or pages');
  if (genesis.tokens.length < 1 || genesis.tokens[G.TOKEN_QUOTE]?.decimals !== 6) refuse('token 0 is the quote token and has 6 decimals');
  if (genesis.markets.length > X.MARKETS_MAX) refuse(`at most ${X.MARKETS_MAX} markets, not ${genesis.markets.length}`);
  if (genesis.accounts.length > genesis.maxAccounts) {
    refuse(`${genesis.accounts.length} accounts, but maxAccounts is ${genesis.maxAccounts}`);
  }
  checkDormancy(genesis);
  const exchange = exchangeOptions(genesis);
  checkExchange(exchange);
  for (const market of genesis.markets) checkMarket(marketOptions(market), exchange);
  const seen = new Set<string>();
  for (const account of genesis.accounts) {
    if (seen.has(account.address)) refuse(`account ${account.address} is listed twice`);
    seen.add(account.address);
    checkAccount(account, genesis.tokens.length);
  }
  checkReporters(genesis);
  if (genesis.backstop !== undefined) {
    if (!seen.has(genesis.backstop)) refuse(`the backstop vault ${genesis.backstop} is not one of the accounts`);
    if (exchange.vaultsMax < 1) refuse('there is a backstop vault, but vaultsMax is 0');
  }
}

function checkDormancy({ dormantDays = 0, markets, tokens }: Genesis): void {
  integer(dormantDays, 0, DORMANT_DAYS_MAX, 'dormantDays');
  if (dormantDays === 0) return;
  if (markets.length === 0)
    refuse('dormantDays is given, but there is no market: the day rolls with prices, so no account would ever be dormant');
  if (tokens.length > DORMANT_TOKENS_MAX) refuse(`dormantDays is given: at most ${DORMANT_TOKENS_MAX} tokens then, not ${tokens.length}`);
}

function checkAccount(account: Genesis['accounts'][number], tokens: number): void {
  if (parseAddress(account.address) === undefined) {
    refuse(`${account.address} is not an address of 0x and 40 lower-case hexadecimal digits`);
  }
  wide(account.collateral ?? 0n, 0n, MONEY_MAX, `collateral of ${account.address}`);
  for (const { token, amount } of account.balances ?? []) {
    if (!(token >= 0 && token < tokens)) refuse(`account ${account.address} has a balance of token ${token}, which does not exist`);
    if (amount < 0n || amount >= 1n << 63n) refuse(`balance of ${account.address} is out of range`);
  }
}

function checkReporters(genesis: Genesis): void {
  if (genesis.oracle !== undefined && genesis.reporters !== undefined)
    refuse('oracle and reporters are given: oracle is short for one reporter');
  const reporters = reportersOf(genesis);
  if (reporters.length > X.REPORTERS_MAX) refuse(`at most ${X.REPORTERS_MAX} reporters, not ${reporters.length}`);
  const seen = new Set<string>();
  let sum = 0n;
  for (const { address, stake } of reporters) {
    if (parseAddress(address) === undefined) refuse(`reporter ${address} is not an address of 0x and 40 lower-case hexadecimal digits`);
    if (seen.has(address)) refuse(`reporter ${address} is listed twice`);
    seen.add(address);
    wide(stake, 1n, STAKE_MAX, `stake of reporter ${address}`);
    sum += stake;
  }
  wide(sum, 0n, STAKE_SUM_MAX, 'the sum of the stakes');
}

function checkMarket(market: MarketParameters & MarketOptions, exchange: ExchangeOptions): void {
  const name = `market ${market.name}`;
  integer(market.tickCount, 2, X.TICKS_MAX, `${name}: tickCount`);
  integer(market.unit, 1, 2 ** 40, `${name}: unit`);
  integer(market.tickStep, 1, market.tickCount, `${name}: tickStep`);
  integer(market.lotStep, 1, 2 ** 31, `${name}: lotStep`);
  integer(market.ticksPerInteger, 1, 2 ** 31, `${name}: ticksPerInteger`);
  integer(market.significantDigits, 0, 9, `${name}: significantDigits`);
  integer(market.leverage, 1, X.LEVERAGE_MAX, `${name}: leverage`);
  integer(market.takerFeePpm, 0, X.FEE_PPM_MAX, `${name}: takerFeePpm`);
  integer(market.makerFeePpm, -X.FEE_PPM_MAX, X.FEE_PPM_MAX, `${name}: makerFeePpm`);
  integer(market.markTicks, 0, market.tickCount - 1, `${name}: markTicks`);
  const tickNotional = BigInt(market.tickCount) * BigInt(market.unit);
  if (market.maxOrderLots < 1n || tickNotional * market.maxOrderLots > 1n << BigInt(X.ORDER_NOTIONAL_BITS)) {
    refuse(`${name}: tickCount * unit * maxOrderLots must be at most 2^${X.ORDER_NOTIONAL_BITS}`);
  }
  if (market.maxPositionLots < 1n || tickNotional * market.maxPositionLots > 1n << BigInt(X.POSITION_NOTIONAL_BITS)) {
    refuse(`${name}: tickCount * unit * maxPositionLots must be at most 2^${X.POSITION_NOTIONAL_BITS}`);
  }
  const notionalMax = 1n << BigInt(X.ORDER_NOTIONAL_BITS);
  wide(market.minNotional, 0n, notionalMax - 1n, `${name}: minNotional`);
  // An impact price is a mean of prices weighted by notional: the sum has to fit.
  wide(market.impactNotional, 1n, (1n << 62n) / BigInt(market.tickCount), `${name}: impactNotional`);
  if (!['normal', 'noCross', 'strictIsolated'].includes(market.mode)) refuse(`${name}: mode ${market.mode} does not exist`);
  integer(market.priceBandBps, 0, 2 ** 31, `${name}: priceBandBps`);
  integer(market.oracleBandBps, 0, BPS, `${name}: oracleBandBps`);
  wide(market.fundingClamp, 0n, RATE_ONE, `${name}: fundingClamp`);
  wide(market.fundingInterest, -RATE_ONE, RATE_ONE, `${name}: fundingInterest`);
  wide(market.fundingCap, 0n, RATE_ONE, `${name}: fundingCap`);
  wide(market.openInterestCap, 0n, 1n << 62n, `${name}: openInterestCap`);
  wide(market.openInterestStep, 0n, 1n << 62n, `${name}: openInterestStep`);
  checkTiers(market, name);
  checkRebates(market, exchange, name);
}

function checkTiers(market: MarketParameters & MarketOptions, name: string): void {
  const { tiers } = market;
  if (tiers.length < 1 || tiers.length > X.TIERS_MAX) refuse(`${name}: 1 to ${X.TIERS_MAX} margin tiers, not ${tiers.length}`);
  tiers.forEach(({ lowerNotional, maxLeverage }, i) => {
    integer(maxLeverage, 1, X.LEVERAGE_MAX, `${name}: maxLeverage of tier ${i}`);
    wide(lowerNotional, 0n, 1n << BigInt(X.POSITION_NOTIONAL_BITS), `${name}: lowerNotional of tier ${i}`);
    const before = tiers[i - 1];
    if (before === undefined) {
      if (lowerNotional !== 0n) refuse(`${name}: the first margin tier starts at 0, not at ${lowerNotional}`);
    } else if (lowerNotional <= before.lowerNotional) refuse(`${name}: tier ${i} does not start above the tier before it`);
    else if (maxLeverage >= before.maxLeverage) refuse(`${name}: tier ${i} has not less leverage than the tier before it`);
  });
  const first = tiers[0]?.maxLeverage ?? 0;
  if (market.leverage > first) refuse(`${name}: leverage ${market.leverage} is above the first tier's ${first}`);
}

/** No combination of tiers may pay a maker more than its taker brings. */
function checkRebates(market: MarketParameters & MarketOptions, exchange: ExchangeOptions, name: string): void {
  const taker = Math.min(market.takerFeePpm, ...exchange.feeTiers.map((tier) => tier.takerPpm));
  const maker = Math.min(
    market.makerFeePpm,
    ...exchange.feeTiers.map((tier) => tier.makerPpm),
    ...exchange.makerRebates.map((rebate) => rebate.makerPpm),
  );
  const kept = (taker * (1 - exchange.referralDiscountPpm / PPM) * (PPM - exchange.referralRewardPpm)) / PPM;
  if (maker < 0 && kept + maker < 0) {
    refuse(
      `${name}: a maker's rebate of ${-maker} ppm is larger than what a taker pays after tiers and referral (${Math.floor(kept)} ppm)`,
    );
  }
}

function checkExchange(options: ExchangeOptions): void {
  const share = (field: keyof ExchangeOptions, least = 0) => integer(options[field] as number, least, PPM, field);
  const interval = (field: keyof ExchangeOptions, least = 0) => integer(options[field] as number, least, INTERVAL_MAX_MS, field);
  const money = (field: keyof ExchangeOptions, least = 0n) => wide(options[field] as bigint, least, 1n << 62n, field);
  interval('staleMs', 1);
  interval('markIntervalMs', 1);
  interval('cooldownMs');
  interval('vaultLockMs');
  interval('backstopLockMs');
  share('quorumPpm', 1);
  share('delistPpm', 1);
  share('partialPpm', 1);
  share('backstopMarginPpm');
  share('unwindPpm');
  share('referralDiscountPpm');
  share('referralRewardPpm');
  share('vaultCommissionPpm');
  share('vaultLeaderPpm');
  integer(options.farOffPpm, 1, 1000 * PPM, 'farOffPpm');
  integer(options.hyperpCapPpm, PPM, 1000 * PPM, 'hyperpCapPpm');
  integer(options.liquidationBps, 0, BPS - 1, 'liquidationBps');
  integer(options.unwindBps, 0, BPS - 1, 'unwindBps');
  integer(options.builderFeeMax, 0, BPS, 'builderFeeMax');
  integer(options.scheduleDaily, 0, 2 ** 31, 'scheduleDaily');
  for (const field of ['partialNotional', 'referralVolume', 'scheduleVolume', 'twapMinNotional', 'subAccountsFirstVolume'] as const)
    money(field);
  wide(options.withdrawFee, 0n, MONEY_MAX, 'withdrawFee');
  money('openOrdersVolume', 1n);
  money('subAccountsVolume', 1n);
  money('vaultMinimum', 1n);
  integer(options.openOrdersBase, 1, X.ORDER_PAGES_MAX * 64, 'openOrdersBase');
  integer(options.openOrdersMax, 1, X.ORDER_PAGES_MAX * 64, 'openOrdersMax');
  if (options.openOrdersMax < options.openOrdersBase) refuse('openOrdersMax is below openOrdersBase');
  integer(options.subAccountsMax, 0, 255, 'subAccountsMax');
  integer(options.subAccountsBase, 0, 255, 'subAccountsBase');
  if (options.subAccountsBase > options.subAccountsMax) refuse('subAccountsBase is above subAccountsMax');
  integer(options.agentsBase, 0, 255, 'agentsBase');
  integer(options.agentsPerSubAccount, 0, 255, 'agentsPerSubAccount');
  if (options.agentsBase + options.agentsPerSubAccount * options.subAccountsMax > 255) {
    refuse('agentsBase + agentsPerSubAccount * subAccountsMax must be at most 255');
  }
  integer(options.vaultsMax, 0, VAULTS_MAX, 'vaultsMax');
  checkWeights(options.spotWeights, 'spotWeights');
  checkWeights(options.perpWeights, 'perpWeights');
  checkFeeTiers(options);
}

function checkWeights(weights: readonly number[], field: string): void {
  if (weights.length < 1 || weights.length > X.SOURCES_MAX) refuse(`${field}: 1 to ${X.SOURCES_MAX} weights, not ${weights.length}`);
  for (const weight of weights) integer(weight, 0, 1000, field);
  if (weights.every((weight) => weight === 0)) refuse(`${field}: all weights are 0`);
}

function checkFeeTiers({ feeTiers, makerRebates }: ExchangeOptions): void {
  feeTiers.forEach((tier, i) => {
    integer(tier.takerPpm, 0, X.FEE_PPM_MAX, `takerPpm of fee tier ${i + 1}`);
    integer(tier.makerPpm, -X.FEE_PPM_MAX, X.FEE_PPM_MAX, `makerPpm of fee tier ${i + 1}`);
    wide(tier.volume, 1n, 1n << 62n, `volume of fee tier ${i + 1}`);
    const before = feeTiers[i - 1];
    if (before !== undefined && tier.volume <= before.volume) refuse(`fee tier ${i + 1} does not start above the tier before it`);
  });
  makerRebates.forEach((rebate, i) => {
    integer(rebate.makerPpm, -X.FEE_PPM_MAX, 0, `makerPpm of rebate ${i + 1}`);
    integer(rebate.sharePpm, 1, PPM, `sharePpm of rebate ${i + 1}`);
    const before = makerRebates[i - 1];
    if (before !== undefined && rebate.sharePpm <= before.sharePpm) refuse(`rebate ${i + 1} does not ask for more than the one before it`);
  });
  if (feeTiers.length > 200 || makerRebates.length > 200) refuse('at most 200 fee tiers and 200 rebates');
}

/** Bits that numbers up to `most` take, at least 1. */
export function bitsOf(most: number): number {
  return Math.max(1, 32 - Math.clz32(most));
}
