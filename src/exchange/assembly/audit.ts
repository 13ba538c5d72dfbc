/**
 * Takes everything anew from the records and compares (docs/rules.md, 9): sums of accounts, sizes of markets, all money. Every worker goes
 * through its part of the accounts while no transaction runs; nothing is changed.
 *
 *   a worker's results, in the scratch memory: i64 money, negative accounts, wrong sums, orders without margin, breaches; then for each market
 *   i64 sum of sizes, i64 sum of long sizes
 */
import { isPresent } from '../../kernel/assembly/record';
import { workerBlock } from '../../kernel/assembly/schedule';
import { SerialView } from '../../kernel/assembly/view-in-place';
import { NO_ACCOUNT } from '../../kernel/layout';
import { Balance, balanceAt } from '../../ledger/assembly/ledger';
import { TOKEN_QUOTE } from '../../ledger/layout';
import {
  ACC_BACKSTOP,
  AUDIT_BACKSTOP,
  AUDIT_BARE_ORDERS,
  AUDIT_BREACHES,
  AUDIT_COVERED,
  AUDIT_CROSSED,
  AUDIT_EQUITY,
  AUDIT_INTEREST,
  AUDIT_NEGATIVE,
  AUDIT_TREASURY,
  AUDIT_WRONG_SUMS,
  CLOCK_DORMANT_EQUITY,
  EXC_BACKSTOP,
  EXC_CLOCK,
  EXC_MARKET_COUNT,
  EXC_MAX_ACCOUNTS,
  EXC_SCRATCH,
  EXC_SWEEP_WORKERS,
  EXC_TREASURY,
  ORDER_CHILD,
  ORDER_TRIGGER,
} from '../layout';
import { levelAt } from './book';
import { accountValue, divideUp, leverageOf, magnitude, maintenanceOf, portfolioWords } from './margin';
import { bestAsk, bestBid } from './prices';
import {
  committed,
  Level,
  MarginAccount,
  marginAccountAt,
  marketAt,
  Order,
  orderAt,
  orderInSlot,
  Portfolio,
  portfolioAt,
  Position,
  positionAt,
  positionEntry,
  rewardsAt,
  Sums,
  Totals,
} from './records';
import { nextSlot, NO_SLOT, slotOf } from './resting';

const MONEY: usize = 0;
const NEGATIVE: usize = 8;
const WRONG: usize = 16;
const BARE: usize = 24;
const BREACHES: usize = 32;
const MARKETS: usize = 64;

@inline
function resultsOf(id: u32): usize {
  return <usize>load<u32>(0, EXC_SCRATCH) + <usize>id * (MARKETS + <usize>load<u32>(0, EXC_MARKET_COUNT) * 16);
}

@inline
function tally(results: usize, field: usize, amount: i64): void {
  store<i64>(results + field, load<i64>(results + field) + amount);
}

export function beginAudit(workers: u32): void {
  store<u32>(0, workers, EXC_SWEEP_WORKERS);
  memory.fill(resultsOf(0), 0, resultsOf(workers) - resultsOf(0));
}

/** One worker's accounts. */
export function runAudit(id: u32): void {
  const accounts = load<u32>(0, EXC_MAX_ACCOUNTS);
  const part = (accounts + load<u32>(0, EXC_SWEEP_WORKERS) - 1) / load<u32>(0, EXC_SWEEP_WORKERS);
  const results = resultsOf(id);
  const end = min((id + 1) * part, accounts);
  for (let number = id * part; number < end; number++) {
    const balance = committed<Balance>(balanceAt(number, TOKEN_QUOTE));
    if (isPresent<Balance>(balance)) tally(results, MONEY, <i64>balance.amount);
    const account = committed<MarginAccount>(marginAccountAt(number));
    if (!isPresent<MarginAccount>(account)) continue;
    const rewards = committed<Sums>(rewardsAt(number));
    tally(results, MONEY, account.collateral + rewards.a + rewards.b);
    const right = auditPositions(results, number, account);
    if (!auditOrders(results, number, account) || !right) tally(results, WRONG, 1);
  }
}

/** Positions, their sums, and what they say about the account. False: the account's sums are not theirs. */
function auditPositions(results: usize, number: u32, account: MarginAccount): bool {
  const markets = load<u32>(0, EXC_MARKET_COUNT);
  const portfolio = changetype<usize>(committed<Portfolio>(portfolioAt(number)));
  let value: i64 = 0;
  let margin: i64 = 0;
  let maintenance: i64 = 0;
  let positions: u32 = 0;
  let isolated: u32 = 0;
  let right = true;
  let negative = false;
  let breach = false;
  for (let index: u32 = 0; index < markets; index++) {
    if (load<u32>(positionEntry(number, index)) == 0) continue;
    const position = committed<Position>(positionAt(number, index));
    const size = position.sizeLots;
    const bit = ((load<u64>(portfolio + ((<usize>(index >> 6)) << 3), 8) >> (index & 63)) & 1) != 0;
    if (bit != (size != 0 || position.triggers != 0)) right = false;
    if (bit) positions++;
    if (size == 0) {
      if (position.rawUsd != 0) right = false;
      continue;
    }
    const market = marketAt(index);
    tally(results, MARKETS + ((<usize>index) << 4), size);
    if (size > 0) tally(results, MARKETS + ((<usize>index) << 4) + 8, size);
    const worth = size * <i64>market.mark * market.unit;
    const needed = maintenanceOf(market, magnitude(worth));
    if (position.isolated == 0) {
      value += worth;
      margin += divideUp(magnitude(worth), leverageOf(market, position));
      maintenance += needed;
      if (position.rawUsd != 0) right = false;
      continue;
    }
    isolated++;
    tally(results, MONEY, position.rawUsd);
    if (position.rawUsd + worth < 0) negative = true;
    if (position.rawUsd + worth < needed) breach = true;
  }
  if (account.collateral + value < 0) negative = true;
  if (account.collateral + value < maintenance) breach = true;
  if (negative) tally(results, NEGATIVE, 1);
  if (breach && (account.flags & ACC_BACKSTOP) == 0) tally(results, BREACHES, 1);
  if (account.positionValue != value || account.positionMargin != margin || account.maintenance != maintenance) return false;
  return right && account.positions == <u16>positions && account.isolated == <u8>isolated;
}

/** Open orders: what they reserve, and that they stand where they say. */
function auditOrders(results: usize, number: u32, account: MarginAccount): bool {
  const view = changetype<SerialView>(workerBlock(0));
  let margin: i64 = 0;
  let count: u32 = 0;
  let right = true;
  for (
    let slot = nextSlot<SerialView>(view, account, number, 0);
    slot != NO_SLOT;
    slot = nextSlot<SerialView>(view, account, number, slot + 1)
  ) {
    const order = committed<Order>(orderInSlot(number, slot));
    count++;
    if (!isPresent<Order>(order) || order.account != number || slotOf(order.oid) != slot || order.margin < 0) {
      tally(results, BARE, 1);
      continue;
    }
    margin += order.margin;
    if ((<u32>order.flags & (ORDER_TRIGGER | ORDER_CHILD)) != 0) {
      if (order.margin != 0) right = false;
      continue;
    }
    const market = marketAt(order.market);
    const level = committed<Level>(levelAt(market, order.priceTicks));
    if (!isPresent<Level>(level) || order.sizeLots <= 0) right = false;
    if (order.next != 0 && committed<Order>(orderAt(committed<Order>(orderAt(order.next)).previous)) != order) right = false;
    if (order.next == 0 && committed<Order>(orderAt(level.tail)) != order) right = false;
    if (order.previous == 0 && committed<Order>(orderAt(level.head)) != order) right = false;
  }
  return right && account.orderMargin == margin && account.openOrders == <u16>count;
}

/** Thread 0: adds up what the workers found, and looks at the markets. */
export function endAudit(): void {
  const workers = load<u32>(0, EXC_SWEEP_WORKERS);
  const markets = load<u32>(0, EXC_MARKET_COUNT);
  const sums = resultsOf(0);
  for (let id: u32 = 1; id < workers; id++) {
    const results = resultsOf(id);
    for (let at: usize = 0; at < MARKETS + <usize>markets * 16; at += 8) tally(sums, at, load<i64>(results + at));
  }
  let imbalance: i64 = 0;
  let crossed: i64 = 0;
  let money = load<i64>(sums + MONEY);
  for (let index: u32 = 0; index < markets; index++) {
    const market = marketAt(index);
    const totals = committed<Totals>(market.totals);
    const at = sums + MARKETS + ((<usize>index) << 4);
    imbalance += magnitude(load<i64>(at)) + magnitude(load<i64>(at + 8) - totals.openInterestLots);
    money += totals.fees;
    const bid = bestBid(market);
    const ask = bestAsk(market);
    if (bid != 0 && ask != 0 && bid >= ask) crossed++;
  }
  const treasury = committed<Sums>(load<u32>(0, EXC_TREASURY));
  const vault = load<u32>(0, EXC_BACKSTOP);
  let backstop: i64 = 0;
  if (vault != NO_ACCOUNT) {
    const account = committed<MarginAccount>(marginAccountAt(vault));
    backstop = accountValue<SerialView>(changetype<SerialView>(workerBlock(0)), account, vault);
  }
  // What dormant accounts hold is in the sum that is kept as they come and go.
  const dormant = load<i64>((<usize>load<u32>(0, EXC_CLOCK)) << 5, CLOCK_DORMANT_EQUITY);
  store<i64>(0, money + treasury.a + treasury.b + dormant, AUDIT_EQUITY);
  store<i64>(0, imbalance, AUDIT_INTEREST);
  store<i64>(0, load<i64>(sums + NEGATIVE), AUDIT_NEGATIVE);
  store<i64>(0, load<i64>(sums + WRONG), AUDIT_WRONG_SUMS);
  store<i64>(0, crossed, AUDIT_CROSSED);
  store<i64>(0, load<i64>(sums + BARE), AUDIT_BARE_ORDERS);
  store<i64>(0, load<i64>(sums + BREACHES), AUDIT_BREACHES);
  store<i64>(0, backstop, AUDIT_BACKSTOP);
  store<i64>(0, treasury.a, AUDIT_TREASURY);
  store<i64>(0, treasury.c, AUDIT_COVERED);
}
