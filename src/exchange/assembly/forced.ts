/**
 * What the system does to accounts that do not hold their margin: forced orders, takeover by the backstop vault, deleveraging, cover
 * (docs/rules.md, 6.4 to 6.6); and funding's receipt, the unwinding of the vault, the clearing of a delisted market.
 *
 * Transactions of one round touch different accounts, or only add: takeovers go to inboxes that are folded between rounds.
 */
import {
  CAUSE_BACKSTOP,
  CAUSE_DELEVERAGE,
  CAUSE_LIQUIDATION,
  CAUSE_UNWIND,
  CODE_OK,
  REASON_DELISTED,
  REASON_LIQUIDATED,
} from '../../base/codes';
import { BLK_TIME_MS, NO_ACCOUNT, TX_SENDER } from '../../kernel/layout';
import {
  ACC_BACKSTOP,
  CANCELS_MAX,
  CFG_COOLDOWN_MS,
  CFG_LIQUIDATION_BPS,
  CFG_PARTIAL_NOTIONAL,
  CFG_PARTIAL_PPM,
  CFG_UNWIND_BPS,
  CFG_UNWIND_PPM,
  EVENT_FILL,
  EVENT_FILL_BYTES,
  EVENT_FORCED,
  EVENT_FORCED_BYTES,
  EVENT_FUNDING,
  EVENT_FUNDING_BYTES,
  EXC_MARKET_COUNT,
  EXC_TREASURY,
  FIELD_0,
  FIELD_12,
  FIELD_16,
  FIELD_24,
  FIELD_4,
  FIELD_8,
  KIND_BACKSTOP,
  KIND_CLEAR,
  KIND_COVER,
  KIND_DELEVERAGE,
  KIND_FUNDING,
  KIND_LIQUIDATE,
} from '../layout';
import {
  closedPnl,
  crossNotional,
  FIELD_A,
  FIELD_B,
  FIELD_C,
  fill,
  magnitude,
  maintenanceOf,
  multiplyDivideUp,
  notionalOf,
  openSettings,
  portfolioWords,
  startLots,
} from './margin';
import { beginTransaction, boundedPrice, reduceByOrder } from './matching';
import {
  inboxAt,
  MarginAccount,
  marginAccountAt,
  Market,
  marketAt,
  Portfolio,
  portfolioAt,
  Position,
  positionAt,
  Settings,
  settingsAt,
} from './records';
import { cancelOrders } from './resting';

const PPM: u64 = 1000000;

export function executeForced<V>(view: V, tx: usize, kind: u32): u32 {
  if (kind == KIND_LIQUIDATE) return liquidate<V>(view, tx);
  if (kind == KIND_BACKSTOP) return takeOver<V>(view, tx);
  if (kind == KIND_DELEVERAGE) return deleverage<V>(view, tx);
  if (kind == KIND_COVER) return cover<V>(view, tx);
  if (kind == KIND_FUNDING) return funding<V>(view, tx);
  if (kind == KIND_CLEAR) return clear<V>(view, tx);
  return unwind<V>(view, tx);
}

function emitForced<V>(
  view: V,
  cause: u32,
  account: u32,
  scope: u32,
  notional: i64,
  equity: i64,
  maintenance: i64,
  counterparty: u32,
  market: u32,
  lots: i64,
  amount: i64,
): void {
  const event = view.emit(EVENT_FORCED, EVENT_FORCED_BYTES);
  store<u32>(event, cause, 4);
  store<u32>(event, account, 8);
  store<u32>(event, scope, 12);
  store<i64>(event, notional, 16);
  store<i64>(event, equity, 24);
  store<i64>(event, maintenance, 32);
  store<u32>(event, counterparty, 40);
  store<u32>(event, market, 44);
  store<i64>(event, lots, 48);
  store<i64>(event, amount, 56);
}

/** A part of a position, rounded up to the lot step, and at most all of it. */
function partOf(market: Market, size: i64, ppm: u64): i64 {
  const part = <i64>multiplyDivideUp(<u64>magnitude(size), ppm, PPM);
  const step = <i64>market.lotStep;
  return min(((part + step - 1) / step) * step, magnitude(size));
}

/** The markets of a word of the portfolio: a copy, since positions that close leave it. */
@inline
function portfolioWord<V>(view: V, number: u32, index: u32): u64 {
  return load<u64>(changetype<usize>(view.read<Portfolio>(portfolioAt(number))) + ((<usize>index) << 3), 8);
}

@inline
function equityOf(market: Market, position: Position): i64 {
  return position.rawUsd + position.sizeLots * <i64>market.mark * market.unit;
}

@inline
function maintenanceAt(market: Market, position: Position): i64 {
  return maintenanceOf(market, notionalOf(market, market.mark, magnitude(position.sizeLots)));
}

/** Is an isolated position of the account below its maintenance margin? */
function isolatedInBreach<V>(view: V, number: u32): bool {
  const words = portfolioWords();
  for (let i: u32 = 0; i < words; i++) {
    for (let bits = portfolioWord<V>(view, number, i); bits != 0; bits &= bits - 1) {
      const index = (i << 6) | <u32>ctz<u64>(bits);
      const position = view.read<Position>(positionAt(number, index));
      if (position.isolated == 0 || position.sizeLots == 0) continue;
      const market = marketAt(index);
      if (equityOf(market, position) < maintenanceAt(market, position)) return true;
    }
  }
  return false;
}

/** Kind 43: market orders for what is below its maintenance margin. */
function liquidate<V>(view: V, tx: usize): u32 {
  const number = load<u32>(tx, TX_SENDER);
  const account = view.write<MarginAccount>(marginAccountAt(number));
  if ((account.flags & ACC_BACKSTOP) != 0) return CODE_OK;
  const cross = account.collateral + account.positionValue < account.maintenance;
  const isolated = account.isolated != 0 && isolatedInBreach<V>(view, number);
  if (!cross && !isolated) return CODE_OK;
  const now = load<u64>(0, BLK_TIME_MS);
  const partial = now >= view.read<Settings>(settingsAt(number)).cooldownMs;
  beginTransaction();
  cancelOrders<V>(view, account, number, 0, REASON_LIQUIDATED, CANCELS_MAX);
  let cooled = false;
  if (cross) {
    const value = account.collateral + account.positionValue;
    emitForced<V>(
      view,
      CAUSE_LIQUIDATION,
      number,
      0,
      crossNotional<V>(view, number),
      value,
      account.maintenance,
      NO_ACCOUNT,
      NO_ACCOUNT,
      0,
      0,
    );
    cooled = liquidateScope<V>(view, account, number, false, partial);
  }
  if (isolated && liquidateScope<V>(view, account, number, true, partial)) cooled = true;
  if (cooled) openSettings<V>(view, number).cooldownMs = now + load<u64>(0, CFG_COOLDOWN_MS);
  return CODE_OK;
}

/** Sells the cross positions, or the isolated ones that are in breach. True: of one, only a part. */
function liquidateScope<V>(view: V, account: MarginAccount, number: u32, isolated: bool, partial: bool): bool {
  let cooled = false;
  const words = portfolioWords();
  for (let i: u32 = 0; i < words; i++) {
    for (let bits = portfolioWord<V>(view, number, i); bits != 0; bits &= bits - 1) {
      const index = (i << 6) | <u32>ctz<u64>(bits);
      const market = marketAt(index);
      const position = view.read<Position>(positionAt(number, index));
      const size = position.sizeLots;
      if (size == 0 || (position.isolated != 0) != isolated) continue;
      const notional = notionalOf(market, market.mark, magnitude(size));
      if (isolated) {
        const equity = equityOf(market, position);
        const maintenance = maintenanceAt(market, position);
        if (equity >= maintenance) continue;
        emitForced<V>(view, CAUSE_LIQUIDATION, number, index + 1, notional, equity, maintenance, NO_ACCOUNT, index, 0, 0);
      }
      let lots = magnitude(size);
      if (partial && notional > load<i64>(0, CFG_PARTIAL_NOTIONAL)) {
        lots = partOf(market, size, load<u32>(0, CFG_PARTIAL_PPM));
        cooled = true;
      }
      const limit = boundedPrice(market, size > 0, load<u32>(0, CFG_LIQUIDATION_BPS));
      reduceByOrder<V>(view, account, number, index, lots, limit, CAUSE_LIQUIDATION, false);
    }
  }
  return cooled;
}

/** Kind 44: the backstop vault takes over a scope, at the marks: the positions, and what closing them at the marks leaves. */
function takeOver<V>(view: V, tx: usize): u32 {
  const number = load<u32>(tx, TX_SENDER);
  const scope = load<u32>(tx, FIELD_0);
  const account = view.write<MarginAccount>(marginAccountAt(number));
  cancelOrders<V>(view, account, number, scope, REASON_LIQUIDATED, CANCELS_MAX);
  const collateral = account.collateral;
  let given: i64;
  if (scope == 0) {
    const value = collateral + account.positionValue;
    const maintenance = account.maintenance;
    const words = portfolioWords();
    for (let i: u32 = 0; i < words; i++) {
      for (let bits = portfolioWord<V>(view, number, i); bits != 0; bits &= bits - 1) {
        const index = (i << 6) | <u32>ctz<u64>(bits);
        const position = view.read<Position>(positionAt(number, index));
        if (position.sizeLots == 0 || position.isolated != 0) continue;
        handOver<V>(view, account, number, index, scope, value, maintenance);
      }
    }
    given = account.collateral;
    account.collateral = 0;
  } else {
    const market = marketAt(scope - 1);
    const position = view.read<Position>(positionAt(number, scope - 1));
    handOver<V>(view, account, number, scope - 1, scope, equityOf(market, position), maintenanceAt(market, position));
    given = account.collateral - collateral;
    account.collateral = collateral;
  }
  view.add(inboxAt(load<u32>(0, EXC_MARKET_COUNT)), FIELD_B, given);
  return CODE_OK;
}

/** One position of a takeover. */
function handOver<V>(view: V, account: MarginAccount, number: u32, index: u32, scope: u32, equity: i64, maintenance: i64): void {
  const market = marketAt(index);
  const position = view.write<Position>(positionAt(number, index));
  const size = position.sizeLots;
  const value = size * <i64>market.mark * market.unit;
  emitForced<V>(view, CAUSE_BACKSTOP, number, scope, magnitude(value), equity, maintenance, NO_ACCOUNT, index, -size, value);
  view.add(inboxAt(index), FIELD_A, size);
  view.add(inboxAt(index), FIELD_C, 1);
  const interest = fill<V>(view, market, index, account, number, position, -size, market.mark, 0);
  if (interest != 0) view.add(market.totals, FIELD_B, interest);
}

/** Kind 45: a loser's position, or part of it, is closed against a winner's at the mark before the change. */
function deleverage<V>(view: V, tx: usize): u32 {
  const loser = load<u32>(tx, TX_SENDER);
  const scope = load<u32>(tx, FIELD_0);
  const winner = load<u32>(tx, FIELD_4);
  const index = load<u32>(tx, FIELD_8);
  const ticks = load<u32>(tx, FIELD_12);
  const lots = load<i64>(tx, FIELD_16);
  const adjustment = load<i64>(tx, FIELD_24);
  const market = marketAt(index);
  const account = view.write<MarginAccount>(marginAccountAt(loser));
  const other = view.write<MarginAccount>(marginAccountAt(winner));
  const position = view.write<Position>(positionAt(loser, index));
  const held = view.write<Position>(positionAt(winner, index));
  const sells = position.sizeLots > 0;
  const change = sells ? -lots : lots;
  const equity = scope == 0 ? account.collateral + account.positionValue : equityOf(market, position);
  const maintenance = scope == 0 ? account.maintenance : maintenanceAt(market, position);
  const event = view.emit(EVENT_FILL, EVENT_FILL_BYTES);
  store<u32>(event, index, 4);
  store<u64>(event, 0, 8);
  store<u64>(event, 0, 16);
  store<u32>(event, loser, 24);
  store<u32>(event, winner, 28);
  store<u32>(event, ticks, 32);
  store<u32>(event, (sells ? 1 : 0) | (CAUSE_DELEVERAGE << 1), 36);
  store<i64>(event, lots, 40);
  store<i64>(event, 0, 48);
  store<i64>(event, 0, 56);
  let interest = fill<V>(view, market, index, account, loser, position, change, ticks, 0);
  store<i64>(event, closedPnl, 64);
  store<i64>(event, startLots, 80);
  interest += fill<V>(view, market, index, other, winner, held, -change, ticks, 0);
  store<i64>(event, closedPnl, 72);
  store<i64>(event, startLots, 88);
  store<i64>(event, 0, 96);
  store<i64>(event, 0, 104);
  if (interest != 0) view.add(market.totals, FIELD_B, interest);
  pay(other, held, -adjustment);
  pay(account, position, adjustment);
  const notional = notionalOf(market, market.mark, lots);
  emitForced<V>(view, CAUSE_DELEVERAGE, loser, scope, notional, equity, maintenance, winner, index, change, adjustment);
  return CODE_OK;
}

/** Money of a scope: an isolated position that is still open has its own. */
@inline
function pay(account: MarginAccount, position: Position, amount: i64): void {
  if (position.isolated != 0 && position.sizeLots != 0) position.rawUsd += amount;
  else account.collateral += amount;
}

/** Kind 46: a deficit without positions is paid by the backstop vault and the treasury. */
function cover<V>(view: V, tx: usize): u32 {
  const number = load<u32>(tx, TX_SENDER);
  const fromVault = load<i64>(tx, FIELD_8);
  const fromTreasury = load<i64>(tx, FIELD_16);
  const account = view.write<MarginAccount>(marginAccountAt(number));
  const value = account.collateral + account.positionValue;
  if (fromVault != 0) view.add(inboxAt(load<u32>(0, EXC_MARKET_COUNT)), FIELD_B, -fromVault);
  if (fromTreasury != 0) {
    view.add(load<u32>(0, EXC_TREASURY), FIELD_A, -fromTreasury);
    view.add(load<u32>(0, EXC_TREASURY), FIELD_C, fromTreasury);
  }
  account.collateral += fromVault + fromTreasury;
  const deficit = fromVault + fromTreasury;
  emitForced<V>(view, CAUSE_BACKSTOP, number, 0, 0, value, account.maintenance, NO_ACCOUNT, NO_ACCOUNT, 0, deficit);
  return CODE_OK;
}

/** Kind 40: what was paid in each market; the sweep has paid it. */
function funding<V>(view: V, tx: usize): u32 {
  const end = load<u32>(tx, FIELD_4);
  for (let index = load<u32>(tx, FIELD_0); index < end; index++) {
    const market = marketAt(index);
    if (market.rate == 0) continue;
    const event = view.emit(EVENT_FUNDING, EVENT_FUNDING_BYTES);
    store<u32>(event, index, 4);
    store<i64>(event, market.paid, 8);
    store<i64>(event, market.premium, 16);
    store<u32>(event, market.index, 24);
    store<u32>(event, 0, 28);
    store<i64>(event, market.payers, 32);
    store<i64>(event, market.payers - market.receivers, 40);
  }
  return CODE_OK;
}

/** Kind 47: the backstop vault reduces what it has taken over. */
function unwind<V>(view: V, tx: usize): u32 {
  const number = load<u32>(tx, TX_SENDER);
  const first = load<u32>(tx, FIELD_0);
  const end = load<u32>(tx, FIELD_4);
  const account = view.write<MarginAccount>(marginAccountAt(number));
  beginTransaction();
  const words = portfolioWords();
  for (let i: u32 = 0; i < words; i++) {
    for (let bits = portfolioWord<V>(view, number, i); bits != 0; bits &= bits - 1) {
      const index = (i << 6) | <u32>ctz<u64>(bits);
      if (index < first || index >= end) continue;
      const market = marketAt(index);
      const size = view.read<Position>(positionAt(number, index)).sizeLots;
      if (size == 0) continue;
      const limit = boundedPrice(market, size > 0, load<u32>(0, CFG_UNWIND_BPS));
      reduceByOrder<V>(view, account, number, index, partOf(market, size, load<u32>(0, CFG_UNWIND_PPM)), limit, CAUSE_UNWIND, false);
    }
  }
  return CODE_OK;
}

/** Kind 48: cancels the orders of an account in a delisted market. */
function clear<V>(view: V, tx: usize): u32 {
  const number = load<u32>(tx, TX_SENDER);
  const account = view.write<MarginAccount>(marginAccountAt(number));
  cancelOrders<V>(view, account, number, load<u32>(tx, FIELD_0), REASON_DELISTED, CANCELS_MAX);
  return CODE_OK;
}
