/**
 * Makes the system's own transactions from the state and from what the sweep has found (docs/rules.md, 6). Thread 0, between the runs of a
 * block. Every function takes the number of transactions so far and returns it with its own; u32 maximum: there is no room for them.
 */
import { touch } from '../../kernel/assembly/dirty';
import { addressOf, assertKernel } from '../../kernel/assembly/memory';
import { workerBlock } from '../../kernel/assembly/schedule';
import { SerialView } from '../../kernel/assembly/view-in-place';
import { BITS_WORD, BLK_NUMBER, BLK_TIME_MS, BLK_TX_TABLE, NO_ACCOUNT, TX_KIND, TX_SENDER } from '../../kernel/layout';
import {
  CFG_BACKSTOP_MARGIN_PPM,
  DIR_LIQUIDATED,
  EXC_BACKSTOP,
  EXC_MARKET_COUNT,
  EXC_MAX_ACCOUNTS,
  EXC_PLAN_END,
  EXC_PLAN_NEXT,
  EXC_PLAN_ROOM,
  EXC_TIMED,
  FIELD_0,
  FIELD_4,
  FOUND_BREACH,
  FOUND_NEGATIVE,
  FOUND_TRIGGERS,
  KIND_BACKSTOP,
  KIND_CLEAR,
  KIND_FUNDING,
  KIND_LIQUIDATE,
  KIND_TIMED,
  KIND_TRIGGERS,
  KIND_UNWIND,
  SYSTEM_BYTES,
} from '../layout';
import {
  crossNotional,
  FIELD_B,
  fill,
  magnitude,
  maintenanceOf,
  multiplyDivideUp,
  notionalOf,
  openPosition,
  portfolioWords,
} from './margin';
import { ensurePosition } from './pages';
import { UPDATE_MARKS, UPDATE_PAID, UPDATE_SETTLED } from './prices';
import {
  committed,
  directoryAt,
  inboxAt,
  MarginAccount,
  marginAccountAt,
  marketAt,
  Order,
  orderInSlot,
  Portfolio,
  portfolioAt,
  Position,
  positionAt,
  Settings,
  settingsAt,
  Sums,
} from './records';
import { nextSlot, NO_SLOT } from './resting';
import { foundAccount, foundBits, foundCount } from './sweep';

/** There was no room for all transactions of the round. */
export const NO_ROOM: u32 = 0xffffffff;

@inline
export function serialView(): SerialView {
  return changetype<SerialView>(workerBlock(0));
}

/** Appends a transaction as number `at`; its address, 0 when there is no room. */
export function append(at: u32, kind: u32, sender: u32): usize {
  const tx = load<u32>(0, EXC_PLAN_NEXT);
  if (at >= load<u32>(0, EXC_PLAN_ROOM) || tx + SYSTEM_BYTES > load<u32>(0, EXC_PLAN_END)) return 0;
  store<u32>(0, tx + SYSTEM_BYTES, EXC_PLAN_NEXT);
  for (let i: u32 = 0; i < SYSTEM_BYTES; i += 8) store<u64>(tx + i, 0);
  store<u8>(tx, <u8>kind, TX_KIND);
  store<u32>(tx, sender, TX_SENDER);
  store<u32>(<usize>load<u32>(0, BLK_TX_TABLE) + ((<usize>at) << 2), tx);
  return tx;
}

/** The first round; `update`: UPDATE_* of the block. */
export function planFirst(at: u32, update: u32): u32 {
  let next = at;
  if ((update & UPDATE_PAID) != 0) next = planMarkets(next, KIND_FUNDING, NO_ACCOUNT);
  next = planTimed(next);
  if ((update & UPDATE_SETTLED) != 0) next = planClear(next);
  if (update == 0) return next;
  if ((update & UPDATE_MARKS) != 0) next = planTriggers(next);
  next = planLiquidations(next);
  const vault = load<u32>(0, EXC_BACKSTOP);
  if ((update & UPDATE_MARKS) == 0 || vault == NO_ACCOUNT) return next;
  return committed<MarginAccount>(marginAccountAt(vault)).positions == 0 ? next : planMarkets(next, KIND_UNWIND, vault);
}

/** One transaction for all markets. */
function planMarkets(at: u32, kind: u32, sender: u32): u32 {
  if (at == NO_ROOM) return at;
  const tx = append(at, kind, sender);
  if (tx == 0) return NO_ROOM;
  store<u32>(tx, load<u32>(0, EXC_MARKET_COUNT), FIELD_4);
  return at + 1;
}

function planTriggers(at: u32): u32 {
  const count = foundCount();
  for (let i: u32 = 0; i < count && at != NO_ROOM; i++) {
    if ((foundBits(i) & FOUND_TRIGGERS) != 0) at = append(at, KIND_TRIGGERS, foundAccount(i)) == 0 ? NO_ROOM : at + 1;
  }
  return at;
}

/**
 * Forced orders for accounts in breach that are not negative, one for each in a block: for those that the change of prices has put there,
 * and, in further rounds, for those that others' trigger and forced orders have.
 */
export function planLiquidations(at: u32): u32 {
  const count = foundCount();
  const block = load<u64>(0, BLK_NUMBER);
  for (let i: u32 = 0; i < count && at != NO_ROOM; i++) {
    if ((foundBits(i) & (FOUND_BREACH | FOUND_NEGATIVE)) != FOUND_BREACH) continue;
    const number = foundAccount(i);
    const directory = directoryAt(number);
    if (load<u64>(directory, DIR_LIQUIDATED) == block) continue;
    store<u64>(directory, block, DIR_LIQUIDATED);
    at = append(at, KIND_LIQUIDATE, number) == 0 ? NO_ROOM : at + 1;
  }
  return at;
}

/** Accounts with something due; those with nothing ahead leave the set. */
function planTimed(at: u32): u32 {
  const now = load<u64>(0, BLK_TIME_MS);
  const words = (load<u32>(0, EXC_MAX_ACCOUNTS) + 63) >> 6;
  const first = load<u32>(0, EXC_TIMED);
  for (let word: u32 = 0; word < words && at != NO_ROOM; word++) {
    const place = addressOf(first + word);
    for (let bits = load<u64>(place, BITS_WORD); bits != 0 && at != NO_ROOM; bits &= bits - 1) {
      const bit = ctz<u64>(bits);
      const number = (word << 6) | <u32>bit;
      const due = committed<Settings>(settingsAt(number)).nextDueMs;
      if (due == u64.MAX_VALUE) store<u64>(place, load<u64>(place, BITS_WORD) & ~((<u64>1) << bit), BITS_WORD);
      else if (due <= now) at = append(at, KIND_TIMED, number) == 0 ? NO_ROOM : at + 1;
    }
  }
  return at;
}

/** Open orders in markets that were settled. Every account is looked at: it happens once in a market's life. */
function planClear(at: u32): u32 {
  const accounts = load<u32>(0, EXC_MAX_ACCOUNTS);
  const markets = load<u32>(0, EXC_MARKET_COUNT);
  for (let number: u32 = 0; number < accounts; number++) {
    const account = committed<MarginAccount>(marginAccountAt(number));
    if (account.openOrders == 0) continue;
    for (let index: u32 = 0; index < markets && at != NO_ROOM; index++) {
      if (marketAt(index).settle == 0 || !hasOrders(account, number, index)) continue;
      const tx = append(at, KIND_CLEAR, number);
      if (tx == 0) return NO_ROOM;
      store<u32>(tx, index + 1, FIELD_0);
      at++;
    }
  }
  return at;
}

function hasOrders(account: MarginAccount, number: u32, index: u32): bool {
  const view = serialView();
  for (
    let slot = nextSlot<SerialView>(view, account, number, 0);
    slot != NO_SLOT;
    slot = nextSlot<SerialView>(view, account, number, slot + 1)
  ) {
    if (committed<Order>(orderInSlot(number, slot)).market == <u16>index) return true;
  }
  return false;
}

// --- The backstop vault ------------------------------------------------------------------------------------------------------------

// What the vault has, with what it was given in this round.
let vaultEquity: i64 = 0; // register
let vaultNotional: i64 = 0; // register

/** Grants takeovers to the backstop vault while it keeps its own margin. */
export function planBackstop(at: u32): u32 {
  const vault = load<u32>(0, EXC_BACKSTOP);
  if (vault == NO_ACCOUNT) return at;
  const own = committed<MarginAccount>(marginAccountAt(vault));
  vaultEquity = own.collateral + own.positionValue;
  vaultNotional = crossNotional<SerialView>(serialView(), vault);
  const count = foundCount();
  for (let i: u32 = 0; i < count && at != NO_ROOM; i++) {
    const number = foundAccount(i);
    if ((foundBits(i) & FOUND_BREACH) == 0 || number == vault) continue;
    const account = committed<MarginAccount>(marginAccountAt(number));
    const value = account.collateral + account.positionValue;
    if (value >= 0 && value * 3 < account.maintenance * 2) {
      at = grant(at, vault, number, 0, value, crossNotional<SerialView>(serialView(), number));
    }
    if (account.isolated != 0) at = grantIsolated(at, vault, number);
  }
  return at;
}

function grantIsolated(at: u32, vault: u32, number: u32): u32 {
  const portfolio = changetype<usize>(committed<Portfolio>(portfolioAt(number)));
  const words = portfolioWords();
  for (let i: u32 = 0; i < words; i++) {
    for (let bits = load<u64>(portfolio + ((<usize>i) << 3), 8); bits != 0 && at != NO_ROOM; bits &= bits - 1) {
      const index = (i << 6) | <u32>ctz<u64>(bits);
      const market = marketAt(index);
      const position = committed<Position>(positionAt(number, index));
      if (position.isolated == 0 || position.sizeLots == 0) continue;
      const notional = notionalOf(market, market.mark, magnitude(position.sizeLots));
      const equity = position.rawUsd + position.sizeLots * <i64>market.mark * market.unit;
      if (equity < 0 || equity * 3 >= maintenanceOf(market, notional) * 2) continue;
      at = grant(at, vault, number, index + 1, equity, notional);
    }
  }
  return at;
}

/** One takeover, if the vault can have it: then the vault's positions get their pages. */
function grant(at: u32, vault: u32, number: u32, scope: u32, equity: i64, notional: i64): u32 {
  if (at == NO_ROOM || vaultEquity + equity < 0) return at;
  const needed = multiplyDivideUp(<u64>(vaultNotional + notional), load<u32>(0, CFG_BACKSTOP_MARGIN_PPM), 1000000);
  if (<u64>(vaultEquity + equity) < needed) return at;
  vaultEquity += equity;
  vaultNotional += notional;
  if (scope != 0) assertKernel(ensurePosition(vault, scope - 1));
  else {
    const portfolio = changetype<usize>(committed<Portfolio>(portfolioAt(number)));
    const words = portfolioWords();
    for (let i: u32 = 0; i < words; i++) {
      for (let bits = load<u64>(portfolio + ((<usize>i) << 3), 8); bits != 0; bits &= bits - 1) {
        assertKernel(ensurePosition(vault, (i << 6) | <u32>ctz<u64>(bits)));
      }
    }
  }
  const tx = append(at, KIND_BACKSTOP, number);
  if (tx == 0) return NO_ROOM;
  store<u32>(tx, scope, FIELD_0);
  return at + 1;
}

/** Books on the vault what the round's takeovers have left in the inboxes. */
export function foldInbox(): void {
  const vault = load<u32>(0, EXC_BACKSTOP);
  if (vault == NO_ACCOUNT) return;
  const view = serialView();
  const account = committed<MarginAccount>(marginAccountAt(vault));
  const markets = load<u32>(0, EXC_MARKET_COUNT);
  for (let index: u32 = 0; index < markets; index++) {
    const inbox = committed<Sums>(inboxAt(index));
    if (inbox.c == 0) continue;
    if (inbox.a != 0) {
      const market = marketAt(index);
      const position = openPosition<SerialView>(view, vault, index);
      const interest = fill<SerialView>(view, market, index, account, vault, position, inbox.a, market.mark, 0);
      view.add(market.totals, FIELD_B, interest);
      touch(positionAt(vault, index));
      touch(market.totals);
      touch(portfolioAt(vault));
      touch(settingsAt(vault));
    }
    inbox.a = 0;
    inbox.c = 0;
  }
  const money = committed<Sums>(inboxAt(markets));
  account.collateral += money.b;
  money.b = 0;
  touch(marginAccountAt(vault));
}
