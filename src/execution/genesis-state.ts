/**
 * Lays the state out in shared memory and writes the genesis into it: which regions there are, where they lie, what they start with.
 *
 * Dense numbers address everything that the ledger and the exchange own, so a region's size is fixed by the genesis; pages of levels
 * and client ids are taken later, at admission. A genesis whose parameters contradict each other is refused with the reason.
 */
import { HeddleError } from '../base/errors.ts';
import type { Genesis, MarketParameters } from '../exchange/genesis.ts';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import * as G from '../ledger/layout.ts';
import * as B from '../synthetic/layout.ts';
import { parseAddress } from './admission.ts';

const PAGE = 65536;

function refuse(reason: string): never {
  throw new HeddleError('BAD_GENESIS', `genesis refused: ${reason}`);
}

function checkMarket(market: MarketParameters): void {
  const name = `market ${market.name}`;
  const integer = (value: number, least: number, most: number, field: string) => {
    if (!Number.isInteger(value) || value < least || value > most)
      refuse(`${name}: ${field} must be an integer from ${least} to ${most}, not ${value}`);
  };
  integer(market.tickCount, 2, X.TICKS_MAX, 'tickCount');
  integer(market.unit, 1, 2 ** 40, 'unit');
  integer(market.tickStep, 1, market.tickCount, 'tickStep');
  integer(market.lotStep, 1, 2 ** 31, 'lotStep');
  integer(market.ticksPerInteger, 1, 2 ** 31, 'ticksPerInteger');
  integer(market.significantDigits, 0, 9, 'significantDigits');
  integer(market.leverage, 1, 1000, 'leverage');
  integer(market.takerFeePpm, 0, X.FEE_PPM_MAX, 'takerFeePpm');
  integer(market.makerFeePpm, -X.FEE_PPM_MAX, X.FEE_PPM_MAX, 'makerFeePpm');
  integer(market.markTicks, 0, market.tickCount - 1, 'markTicks');
  if (market.takerFeePpm + market.makerFeePpm < 0) refuse(`${name}: the maker's rebate is larger than the taker's fee`);
  const tickNotional = BigInt(market.tickCount) * BigInt(market.unit);
  if (market.maxOrderLots < 1n || tickNotional * market.maxOrderLots > 1n << BigInt(X.ORDER_NOTIONAL_BITS)) {
    refuse(`${name}: tickCount * unit * maxOrderLots must be at most 2^${X.ORDER_NOTIONAL_BITS}`);
  }
  if (market.maxPositionLots < 1n || tickNotional * market.maxPositionLots > 1n << BigInt(X.POSITION_NOTIONAL_BITS)) {
    refuse(`${name}: tickCount * unit * maxPositionLots must be at most 2^${X.POSITION_NOTIONAL_BITS}`);
  }
  if (market.minNotional < 0n || market.minNotional >= 1n << BigInt(X.ORDER_NOTIONAL_BITS)) refuse(`${name}: minNotional is out of range`);
}

export function checkGenesis(genesis: Genesis): void {
  if (!Number.isInteger(genesis.maxAccounts) || genesis.maxAccounts < 1 || genesis.maxAccounts > 2 ** 24) {
    refuse(`maxAccounts must be an integer from 1 to ${2 ** 24}, not ${genesis.maxAccounts}`);
  }
  if (!Number.isInteger(genesis.orderPages) || genesis.orderPages < 1 || genesis.orderPages > X.ORDER_PAGES_MAX) {
    refuse(`orderPages must be an integer from 1 to ${X.ORDER_PAGES_MAX}, not ${genesis.orderPages}`);
  }
  if (genesis.maxAccounts * genesis.orderPages * 64 >= 2 ** 31) refuse('maxAccounts * orderPages * 64 must be below 2^31');
  if (genesis.tokens.length < 1 || genesis.tokens[G.TOKEN_QUOTE]?.decimals !== 6) refuse('token 0 is the quote token and has 6 decimals');
  if (genesis.markets.length > X.MARKETS_MAX) refuse(`at most ${X.MARKETS_MAX} markets, not ${genesis.markets.length}`);
  if (genesis.accounts.length > genesis.maxAccounts)
    refuse(`${genesis.accounts.length} accounts, but maxAccounts is ${genesis.maxAccounts}`);
  for (const market of genesis.markets) checkMarket(market);
  const seen = new Set<string>();
  for (const account of genesis.accounts) {
    if (parseAddress(account.address) === undefined)
      refuse(`${account.address} is not an address of 0x and 40 lower-case hexadecimal digits`);
    if (seen.has(account.address)) refuse(`account ${account.address} is listed twice`);
    seen.add(account.address);
    if ((account.collateral ?? 0n) < 0n || (account.collateral ?? 0n) > 1n << BigInt(X.DEPOSIT_BITS))
      refuse(`collateral of ${account.address} is out of range`);
    for (const { token, amount } of account.balances ?? []) {
      if (!(token >= 0 && token < genesis.tokens.length))
        refuse(`account ${account.address} has a balance of token ${token}, which does not exist`);
      if (amount < 0n || amount >= 1n << 63n) refuse(`balance of ${account.address} is out of range`);
    }
  }
}

/** Regions and parameters; account records are the caller's work. */
export function layOutState(kernel: Kernel, genesis: Genesis, benchCells: number, benchCounters: number): void {
  const accounts = genesis.maxAccounts;
  const tokens = genesis.tokens.length;
  const markets = genesis.markets.length;
  const slots = genesis.orderPages * 64;
  const place = (word: number, count: number, recordClass: number, bytes: number) => {
    kernel.set(word, kernel.region(count * bytes, recordClass, bytes));
  };
  place(G.LEDGER_ACCOUNTS, accounts, G.CLASS_ACCOUNT, G.ACCOUNT_SIZE);
  place(G.LEDGER_NONCES, accounts * G.NONCES_CHUNKS, G.CLASS_NONCES, G.NONCES_SIZE);
  place(G.LEDGER_BALANCES, accounts * tokens, G.CLASS_BALANCE, G.BALANCE_SIZE);
  place(G.LEDGER_ADDRESSES, accounts, 0, 32);
  kernel.set(G.LEDGER_TOKENS, tokens);
  kernel.set(G.LEDGER_MAX_ACCOUNTS, accounts);
  kernel.set(X.EXC_MARKET_COUNT, markets);
  kernel.set(X.EXC_ORDER_SLOTS, slots);
  kernel.set(X.EXC_MAX_ACCOUNTS, accounts);
  kernel.set(X.EXC_ORACLE_ACCOUNT, L.NO_ACCOUNT);
  place(X.EXC_ACCOUNTS, accounts, X.CLASS_MARGIN_ACCOUNT, 64);
  if (markets > 0) {
    place(X.EXC_PORTFOLIOS, accounts, X.CLASS_PORTFOLIO, 64);
    place(X.EXC_POSITIONS, accounts * markets, X.CLASS_POSITION, 32);
    place(X.EXC_ORDERS, accounts * slots, X.CLASS_ORDER, 64);
    if (genesis.orderPages > 1) place(X.EXC_ORDER_PAGES, accounts * (genesis.orderPages - 1), X.CLASS_ORDER_PAGE, 32);
    kernel.set(X.EXC_MARKETS, kernel.region(markets * X.MARKET_BYTES));
    const totals = kernel.region(markets * 32, X.CLASS_TOTALS, 32);
    const oracles = kernel.region(markets * 32, X.CLASS_ORACLE, 32);
    genesis.markets.forEach((market, index) => {
      layOutMarket(kernel, market, index, totals + index * 32, oracles + index * 32);
    });
  }
  if (benchCells > 0) place(B.BENCH_CELLS, benchCells, B.CLASS_CELL, 32);
  if (benchCounters > 0) place(B.BENCH_COUNTERS, benchCounters, B.CLASS_COUNTER, 32);
  kernel.set(B.BENCH_CELL_COUNT, benchCells);
  kernel.set(B.BENCH_COUNTER_COUNT, benchCounters);
  kernel.set(L.BLK_PRICE_EPOCH, 1);
  // The benchmark's records exist from the start.
  for (let i = 0; i < benchCells; i++) kernel.set(kernel.get(B.BENCH_CELLS) + i * 32 + L.RECORD_META, L.RECORD_PRESENT);
  for (let i = 0; i < benchCounters; i++) kernel.set(kernel.get(B.BENCH_COUNTERS) + i * 32 + L.RECORD_META, L.RECORD_PRESENT);
}

function layOutMarket(kernel: Kernel, market: MarketParameters, index: number, totals: number, oracle: number): void {
  const at = kernel.get(X.EXC_MARKETS) + index * X.MARKET_BYTES;
  const wide = (offset: number, value: bigint) => kernel.view.setBigInt64(at + offset, value, true);
  kernel.set(at + X.MKT_TICK_COUNT, market.tickCount);
  kernel.set(at + X.MKT_MARK, market.markTicks);
  wide(X.MKT_UNIT, BigInt(market.unit));
  wide(X.MKT_MIN_NOTIONAL, market.minNotional);
  wide(X.MKT_MAX_ORDER, market.maxOrderLots);
  wide(X.MKT_MAX_POSITION, market.maxPositionLots);
  kernel.set(at + X.MKT_TICK_STEP, market.tickStep);
  kernel.set(at + X.MKT_LOT_STEP, market.lotStep);
  kernel.set(at + X.MKT_TICKS_PER_INTEGER, market.ticksPerInteger);
  kernel.set(at + X.MKT_DIGITS_LIMIT, market.significantDigits === 0 ? 0 : 10 ** market.significantDigits);
  kernel.set(at + X.MKT_LEVERAGE, market.leverage);
  kernel.view.setInt32(at + X.MKT_TAKER_PPM, market.takerFeePpm, true);
  kernel.view.setInt32(at + X.MKT_MAKER_PPM, market.makerFeePpm, true);
  const pages = Math.ceil(market.tickCount / 64);
  let top = 0;
  for (let words = pages; words > 1; words = Math.ceil(words / 64)) top++;
  kernel.set(at + X.MKT_TOP, top);
  // Directory and summary words of a market share chunks of its own, so that they belong to its partition.
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
  kernel.set(at + X.MKT_TOTALS, totals / 32);
  kernel.set(at + X.MKT_ORACLE, oracle / 32);
  kernel.set(totals + L.RECORD_META, L.RECORD_PRESENT);
}
