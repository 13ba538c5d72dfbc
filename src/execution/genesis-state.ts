/**
 * Lays the state out in shared memory and writes the genesis into it: which regions there are, where they lie, what they start with.
 *
 * Dense numbers address what every account has, so those regions' size is fixed by the genesis; positions, orders, levels and keyed records
 * lie in pages that are taken later, at admission.
 */
import {
  type ExchangeOptions,
  exchangeOptions,
  type Genesis,
  type MarginTier,
  type MarketOptions,
  type MarketParameters,
  marketOptions,
  reportersOf,
} from '../exchange/genesis.ts';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import * as G from '../ledger/layout.ts';
import * as B from '../synthetic/layout.ts';
import { type Admission, parseAddress } from './admission.ts';
import { bitsOf } from './genesis-check.ts';

const PAGE = 65536;
const MODES = { normal: X.MODE_NORMAL, noCross: X.MODE_NO_CROSS, strictIsolated: X.MODE_STRICT_ISOLATED } as const;
const FEE_TIER_BYTES = 16;
const REBATE_BYTES = 8;
const REPORTER_BYTES = 16;

/** Regions and parameters; account records are the caller's work (`writeAccounts`). */
export function layOutState(kernel: Kernel, genesis: Genesis, benchCells: number, benchCounters: number): void {
  layOutLedger(kernel, genesis);
  layOutAccounts(kernel, genesis);
  layOutExchange(kernel, genesis);
  genesis.markets.forEach((market, index) => {
    layOutMarket(kernel, marketOptions(market), index);
  });
  writeTotals(kernel, genesis.markets.length);
  writeOptions(kernel, exchangeOptions(genesis));
  kernel.set(X.CFG_DORMANT_DAYS, genesis.dormantDays ?? 0);
  if (benchCells > 0) place(kernel, B.BENCH_CELLS, benchCells, B.CLASS_CELL, 32);
  if (benchCounters > 0) place(kernel, B.BENCH_COUNTERS, benchCounters, B.CLASS_COUNTER, 32);
  kernel.set(B.BENCH_CELL_COUNT, benchCells);
  kernel.set(B.BENCH_COUNTER_COUNT, benchCounters);
  // The benchmark's records exist from the start.
  markPresent(kernel, kernel.get(B.BENCH_CELLS), benchCells, 32);
  markPresent(kernel, kernel.get(B.BENCH_COUNTERS), benchCounters, 32);
}

/** A region of `count` records whose address goes to `word`. */
function place(kernel: Kernel, word: number, count: number, recordClass: number, bytes: number): number {
  const at = kernel.region(count * bytes, recordClass, bytes);
  kernel.set(word, at);
  return at;
}

function markPresent(kernel: Kernel, at: number, count: number, bytes: number): void {
  for (let i = 0; i < count; i++) kernel.set(at + i * bytes + L.RECORD_META, L.RECORD_PRESENT);
}

function layOutLedger(kernel: Kernel, genesis: Genesis): void {
  const accounts = genesis.maxAccounts;
  place(kernel, G.LEDGER_ACCOUNTS, accounts, G.CLASS_ACCOUNT, G.ACCOUNT_SIZE);
  place(kernel, G.LEDGER_NONCES, accounts * G.NONCES_CHUNKS, G.CLASS_NONCES, G.NONCES_SIZE);
  place(kernel, G.LEDGER_BALANCES, accounts * genesis.tokens.length, G.CLASS_BALANCE, G.BALANCE_SIZE);
  place(kernel, G.LEDGER_ADDRESSES, accounts, 0, 32);
  place(kernel, G.LEDGER_NAMES, accounts, G.CLASS_NAME, G.NAME_SIZE);
  kernel.set(G.LEDGER_TOKENS, genesis.tokens.length);
  kernel.set(G.LEDGER_MAX_ACCOUNTS, accounts);
}

/** What every account has a place for. */
function layOutAccounts(kernel: Kernel, genesis: Genesis): void {
  const accounts = genesis.maxAccounts;
  const pages = Math.ceil(genesis.markets.length / 4);
  const words = Math.ceil(accounts / 64);
  kernel.set(X.EXC_MAX_ACCOUNTS, accounts);
  kernel.set(X.EXC_ACCOUNT_BITS, bitsOf(accounts - 1));
  kernel.set(X.EXC_ORDER_SLOTS, genesis.orderPages * 64);
  kernel.set(X.EXC_POSITION_PAGES, pages);
  place(kernel, X.EXC_ACCOUNTS, accounts, X.CLASS_MARGIN_ACCOUNT, 64);
  place(kernel, X.EXC_PORTFOLIOS, accounts, X.CLASS_PORTFOLIO, 64);
  place(kernel, X.EXC_SETTINGS, accounts, X.CLASS_SETTINGS, 64);
  place(kernel, X.EXC_VOLUMES, accounts, X.CLASS_VOLUME, 32);
  place(kernel, X.EXC_HISTORY, accounts * 4, X.CLASS_HISTORY, 64);
  place(kernel, X.EXC_REWARDS, accounts, X.CLASS_REWARDS, 32);
  if (genesis.orderPages > 1) place(kernel, X.EXC_ORDER_PAGES, accounts * (genesis.orderPages - 1), X.CLASS_ORDER_PAGE, 32);
  kernel.set(X.EXC_POSITIONS, kernel.region(accounts * pages * 4));
  kernel.set(X.EXC_DIRECTORIES, kernel.region(accounts * X.DIR_BYTES));
  kernel.set(X.EXC_ACTIVE, kernel.region(words * 32, X.CLASS_BITS, 32) / 32);
  kernel.set(X.EXC_TIMED, kernel.region(words * 32, X.CLASS_BITS, 32) / 32);
  kernel.set(X.EXC_NULL, kernel.region(64, X.CLASS_POSITION, 64));
  kernel.set(X.EXC_SWEEP_LISTS, kernel.scratch(X.LISTS_FIRST + words * 64 * 8));
  kernel.set(X.EXC_SWEEP_RESIDUES, kernel.scratch(Math.max(1, kernel.workers * genesis.markets.length * 16)));
  const scratch = accounts * X.SCRATCH_ACCOUNT_BYTES + X.SCRATCH_BYTES;
  const at = kernel.scratch(scratch);
  kernel.set(X.EXC_SCRATCH, at);
  kernel.set(X.EXC_SCRATCH_END, at + scratch);
}

/** What the exchange has once, and what each market has. */
function layOutExchange(kernel: Kernel, genesis: Genesis): void {
  const markets = genesis.markets.length;
  const reporters = reportersOf(genesis);
  const options = exchangeOptions(genesis);
  const one = (word: number, recordClass: number) => {
    const at = kernel.region(32, recordClass, 32);
    markPresent(kernel, at, 1, 32);
    kernel.set(word, at / 32);
    return at;
  };
  kernel.set(X.EXC_MARKET_COUNT, markets);
  kernel.set(X.EXC_MARKETS, kernel.region(markets * X.MARKET_BYTES));
  markPresent(kernel, place(kernel, X.EXC_PRICES, markets, X.CLASS_PRICE, 64), markets, 64);
  markPresent(kernel, place(kernel, X.EXC_FUNDINGS, markets, X.CLASS_FUNDING, 64), markets, 64);
  markPresent(kernel, place(kernel, X.EXC_MINUTES, markets * 5, X.CLASS_MINUTES, 64), markets * 5, 64);
  place(kernel, X.EXC_DELISTINGS, markets, X.CLASS_DELISTING, 32);
  markPresent(kernel, place(kernel, X.EXC_MARKET_STATES, markets, X.CLASS_MARKET_STATE, 32), markets, 32);
  kernel.set(X.EXC_INBOX, kernel.region((markets + 1) * 32, X.CLASS_INBOX, 32) / 32);
  one(X.EXC_TREASURY, X.CLASS_TREASURY);
  kernel.view.setBigUint64(one(X.EXC_SEED, X.CLASS_SEED) + L.RECORD_PAYLOAD, 1n, true);
  one(X.EXC_VAULT_COUNT, X.CLASS_VAULT_COUNT);
  one(X.EXC_CLOCK, X.CLASS_CLOCK);
  place(kernel, X.EXC_VAULTS, options.vaultsMax, X.CLASS_VAULT, 64);
  kernel.set(X.EXC_VAULTS_MAX, options.vaultsMax);
  kernel.set(X.EXC_BACKSTOP, L.NO_ACCOUNT);
  kernel.set(X.EXC_REPORTERS, reporters.length);
  place(kernel, X.EXC_REPORTS, markets * reporters.length, X.CLASS_REPORT, 32);
  const table = kernel.region(reporters.length * REPORTER_BYTES);
  kernel.set(X.EXC_REPORTER_TABLE, table);
  reporters.forEach(({ stake }, i) => {
    kernel.view.setBigUint64(table + i * REPORTER_BYTES, stake, true);
    kernel.set(table + i * REPORTER_BYTES + 8, L.NO_ACCOUNT);
  });
}

function layOutMarket(kernel: Kernel, market: MarketParameters & MarketOptions, index: number): void {
  const at = kernel.get(X.EXC_MARKETS) + index * X.MARKET_BYTES;
  const wide = (offset: number, value: bigint) => kernel.view.setBigInt64(at + offset, value, true);
  const word = (offset: number, value: number) => kernel.set(at + offset, value);
  word(X.MKT_TICK_COUNT, market.tickCount);
  word(X.MKT_MARK, market.markTicks);
  word(X.MKT_INDEX, market.markTicks);
  wide(X.MKT_UNIT, BigInt(market.unit));
  wide(X.MKT_MIN_NOTIONAL, market.minNotional);
  wide(X.MKT_MAX_ORDER, market.maxOrderLots);
  wide(X.MKT_MAX_POSITION, market.maxPositionLots);
  word(X.MKT_TICK_STEP, market.tickStep);
  word(X.MKT_LOT_STEP, market.lotStep);
  word(X.MKT_TICKS_PER_INTEGER, market.ticksPerInteger);
  word(X.MKT_DIGITS_LIMIT, market.significantDigits === 0 ? 0 : 10 ** market.significantDigits);
  word(X.MKT_LEVERAGE, market.leverage);
  kernel.view.setInt32(at + X.MKT_TAKER_PPM, market.takerFeePpm, true);
  kernel.view.setInt32(at + X.MKT_MAKER_PPM, market.makerFeePpm, true);
  word(X.MKT_MODE, MODES[market.mode]);
  word(X.MKT_PRICE_BAND_BPS, market.priceBandBps);
  word(X.MKT_ORACLE_BAND_BPS, market.oracleBandBps);
  word(X.MKT_HYPERP, market.hyperp ? 1 : 0);
  wide(X.MKT_IMPACT, market.impactNotional);
  wide(X.MKT_FUNDING_CLAMP, market.fundingClamp);
  wide(X.MKT_FUNDING_INTEREST, market.fundingInterest);
  wide(X.MKT_FUNDING_CAP, market.fundingCap);
  wide(X.MKT_INTEREST_CAP, market.openInterestCap);
  wide(X.MKT_INTEREST_STEP, market.openInterestStep);
  const tiers = kernel.region(market.tiers.length * X.TIER_BYTES);
  word(X.MKT_TIERS, tiers);
  word(X.MKT_TIER_COUNT, market.tiers.length);
  writeTiers(kernel, tiers, market.tiers);
  const price = kernel.get(X.EXC_PRICES) + index * 64;
  kernel.set(price + 8, market.markTicks);
  kernel.set(price + 12, market.markTicks);
  word(X.MKT_PRICE, price / 32);
  layOutBook(kernel, market, index, at);
}

/** A tier's deduction makes maintenance margin continuous at its lower bound (docs/rules.md, 4.4). */
function writeTiers(kernel: Kernel, at: number, tiers: readonly MarginTier[]): void {
  let deduction = 0n;
  tiers.forEach(({ lowerNotional, maxLeverage }, i) => {
    const before = tiers[i - 1];
    if (before !== undefined) {
      deduction += (lowerNotional * BigInt(before.maxLeverage - maxLeverage)) / BigInt(2 * maxLeverage * before.maxLeverage);
    }
    const tier = at + i * X.TIER_BYTES;
    kernel.view.setBigInt64(tier + X.TIER_LOWER, lowerNotional, true);
    kernel.view.setBigInt64(tier + X.TIER_DEDUCTION, deduction, true);
    kernel.set(tier + X.TIER_LEVERAGE, maxLeverage);
  });
}

/** Directory and summary words of a market share chunks of its own, so that they belong to its partition. */
function layOutBook(kernel: Kernel, market: MarketParameters, index: number, at: number): void {
  const pages = Math.ceil(market.tickCount / 64);
  let top = 0;
  for (let words = pages; words > 1; words = Math.ceil(words / 64)) top++;
  kernel.set(at + X.MKT_TOP, top);
  let words = pages;
  let summaryBytes = 0;
  const offsets: number[] = [];
  for (let height = 1; height <= top; height++) {
    words = Math.ceil(words / 64);
    offsets.push(summaryBytes);
    summaryBytes += words * 64;
  }
  const base = kernel.region(summaryBytes + pages * 4 + PAGE, X.CLASS_BITS, 32, index + 1);
  offsets.forEach((offset, i) => {
    kernel.set(at + X.MKT_SUMMARY + (i + 1) * 4, (base + offset) / 32);
  });
  kernel.set(at + X.MKT_DIRECTORY, base + summaryBytes);
}

/** Totals of all markets, in one region. */
function writeTotals(kernel: Kernel, markets: number): void {
  const totals = kernel.region(markets * 32, X.CLASS_TOTALS, 32);
  markPresent(kernel, totals, markets, 32);
  for (let index = 0; index < markets; index++) {
    kernel.set(kernel.get(X.EXC_MARKETS) + index * X.MARKET_BYTES + X.MKT_TOTALS, totals / 32 + index);
  }
}

function writeOptions(kernel: Kernel, options: ExchangeOptions): void {
  const wide = (address: number, value: number | bigint) => kernel.view.setBigInt64(address, BigInt(value), true);
  const word = (address: number, value: number) => kernel.set(address, value);
  wide(X.CFG_STALE_MS, options.staleMs);
  word(X.CFG_QUORUM_PPM, options.quorumPpm);
  word(X.CFG_FAR_OFF_PPM, options.farOffPpm);
  wide(X.CFG_MARK_INTERVAL_MS, options.markIntervalMs);
  wide(X.CFG_PARTIAL_NOTIONAL, options.partialNotional);
  word(X.CFG_PARTIAL_PPM, options.partialPpm);
  word(X.CFG_BACKSTOP_MARGIN_PPM, options.backstopMarginPpm);
  wide(X.CFG_COOLDOWN_MS, options.cooldownMs);
  word(X.CFG_LIQUIDATION_BPS, options.liquidationBps);
  word(X.CFG_UNWIND_PPM, options.unwindPpm);
  word(X.CFG_UNWIND_BPS, options.unwindBps);
  word(X.CFG_REFERRAL_DISCOUNT_PPM, options.referralDiscountPpm);
  word(X.CFG_REFERRAL_REWARD_PPM, options.referralRewardPpm);
  word(X.CFG_BUILDER_FEE_MAX, options.builderFeeMax);
  wide(X.CFG_REFERRAL_VOLUME, options.referralVolume);
  wide(X.CFG_WITHDRAW_FEE, options.withdrawFee);
  wide(X.CFG_SCHEDULE_VOLUME, options.scheduleVolume);
  wide(X.CFG_TWAP_MIN_NOTIONAL, options.twapMinNotional);
  word(X.CFG_ORDERS_BASE, options.openOrdersBase);
  word(X.CFG_ORDERS_MAX, options.openOrdersMax);
  wide(X.CFG_ORDERS_VOLUME, options.openOrdersVolume);
  word(X.CFG_SUBS_BASE, options.subAccountsBase);
  word(X.CFG_SUBS_MAX, options.subAccountsMax);
  wide(X.CFG_SUBS_FIRST_VOLUME, options.subAccountsFirstVolume);
  wide(X.CFG_SUBS_VOLUME, options.subAccountsVolume);
  wide(X.CFG_VAULT_LOCK_MS, options.vaultLockMs);
  word(X.CFG_VAULT_COMMISSION_PPM, options.vaultCommissionPpm);
  word(X.CFG_VAULT_LEADER_PPM, options.vaultLeaderPpm);
  wide(X.CFG_VAULT_MINIMUM, options.vaultMinimum);
  options.spotWeights.forEach((weight, i) => {
    word(X.CFG_SPOT_WEIGHTS + i * 4, weight);
  });
  options.perpWeights.forEach((weight, i) => {
    word(X.CFG_PERP_WEIGHTS + i * 4, weight);
  });
  word(X.CFG_HYPERP_CAP_PPM, options.hyperpCapPpm);
  word(X.CFG_AGENTS_BASE, options.agentsBase);
  word(X.CFG_AGENTS_PER_SUB, options.agentsPerSubAccount);
  word(X.CFG_SCHEDULE_DAILY, options.scheduleDaily);
  word(X.CFG_DELIST_PPM, options.delistPpm);
  writeFees(kernel, options);
}

/** Fee tier 0 takes nothing off a market's own fees; rebate 0 is none. */
function writeFees(kernel: Kernel, { feeTiers, makerRebates }: ExchangeOptions): void {
  const tiers = kernel.region((feeTiers.length + 1) * FEE_TIER_BYTES);
  kernel.set(X.EXC_FEE_TIERS, tiers);
  kernel.set(X.EXC_FEE_TIER_COUNT, feeTiers.length + 1);
  [{ takerPpm: X.FEE_PPM_MAX, makerPpm: X.FEE_PPM_MAX, volume: 0n }, ...feeTiers].forEach((tier, i) => {
    kernel.view.setInt32(tiers + i * FEE_TIER_BYTES, tier.takerPpm, true);
    kernel.view.setInt32(tiers + i * FEE_TIER_BYTES + 4, tier.makerPpm, true);
    kernel.view.setBigInt64(tiers + i * FEE_TIER_BYTES + 8, tier.volume, true);
  });
  const rebates = kernel.region((makerRebates.length + 1) * REBATE_BYTES);
  kernel.set(X.EXC_REBATES, rebates);
  kernel.set(X.EXC_REBATE_COUNT, makerRebates.length + 1);
  makerRebates.forEach((rebate, i) => {
    kernel.view.setInt32(rebates + (i + 1) * REBATE_BYTES, rebate.makerPpm, true);
    kernel.set(rebates + (i + 1) * REBATE_BYTES + 4, rebate.sharePpm);
  });
}

/** Accounts, their balances and collateral, and the backstop vault. */
export function writeAccounts(kernel: Kernel, admission: Admission, genesis: Genesis): void {
  const present = (address: number) => kernel.set(address + L.RECORD_META, L.RECORD_PRESENT);
  for (const { address, balances = [], collateral = 0n } of genesis.accounts) {
    const bytes = parseAddress(address) as Uint8Array;
    const number = admission.giveNumber(bytes) as number;
    const account = kernel.get(G.LEDGER_ACCOUNTS) + number * G.ACCOUNT_SIZE;
    present(account);
    kernel.u8.set(bytes, account + G.ACCOUNT_ADDRESS);
    for (const { token, amount } of balances) {
      if (amount === 0n) continue;
      const balance = kernel.get(G.LEDGER_BALANCES) + (number * genesis.tokens.length + token) * G.BALANCE_SIZE;
      present(balance);
      kernel.view.setBigUint64(balance + G.BALANCE_AMOUNT, amount, true);
    }
    const backstop = address === genesis.backstop;
    if (collateral > 0n || backstop) {
      const margin = kernel.get(X.EXC_ACCOUNTS) + number * 64;
      present(margin);
      kernel.view.setBigInt64(margin + L.RECORD_PAYLOAD, collateral, true);
      present(kernel.get(X.EXC_VOLUMES) + number * 32);
      present(kernel.get(X.EXC_REWARDS) + number * 32);
      if (backstop) writeBackstop(kernel, exchangeOptions(genesis), number, account, margin, collateral);
    }
  }
  admission.reclaim();
}

const ACCOUNT_FLAGS = 62;

/** The backstop vault is vault 0; its first collateral belongs to shares that nobody holds. */
function writeBackstop(
  kernel: Kernel,
  options: ExchangeOptions,
  number: number,
  account: number,
  margin: number,
  collateral: bigint,
): void {
  kernel.set(X.EXC_BACKSTOP, number);
  kernel.u8[account + G.ACCOUNT_ROLE] = G.ROLE_VAULT;
  kernel.set(account + G.ACCOUNT_OWNER, L.NO_ACCOUNT);
  kernel.u8[margin + ACCOUNT_FLAGS] = X.ACC_BACKSTOP;
  kernel.set(kernel.get(X.EXC_VAULT_COUNT) * 32 + L.RECORD_PAYLOAD, 1);
  const vault = kernel.get(X.EXC_VAULTS);
  kernel.set(vault + L.RECORD_META, L.RECORD_PRESENT);
  kernel.set(vault + 8, number);
  kernel.set(vault + 12, L.NO_ACCOUNT);
  kernel.view.setBigInt64(vault + 16, collateral, true);
  kernel.view.setBigUint64(vault + 32, BigInt(options.backstopLockMs), true);
  kernel.set(vault + 44, X.VAULT_DEPOSITS | X.VAULT_BACKSTOP);
}
