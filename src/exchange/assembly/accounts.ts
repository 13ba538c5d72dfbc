/**
 * Money in and out of collateral, leverage, isolated margin, scheduled cancels, and who may act for whom (docs/rules.md, 7).
 *
 * Invariant: all checks of a transaction come before its first write, but for the nonce.
 */
import {
  CODE_AGENT_ADDRESS,
  CODE_AGENT_LIMIT,
  CODE_BALANCE_OVERFLOW,
  CODE_BUILDER_FEE,
  CODE_CROSS_NOT_ALLOWED,
  CODE_INSUFFICIENT_BALANCE,
  CODE_INSUFFICIENT_MARGIN,
  CODE_INSUFFICIENT_WITHDRAWABLE,
  CODE_INVALID_LEVERAGE,
  CODE_INVALID_NAME,
  CODE_INVALID_RECIPIENT,
  CODE_INVALID_THRESHOLD,
  CODE_MARGIN_NOT_REMOVABLE,
  CODE_MARKET_HALTED,
  CODE_MULTI_SIG_SIGNER,
  CODE_NO_DEPOSIT,
  CODE_NO_ISOLATED_POSITION,
  CODE_NO_REWARDS,
  CODE_NOT_AUTHORISED,
  CODE_NOT_OWNER,
  CODE_OK,
  CODE_REFERRAL_SET,
  CODE_REFERRAL_TAKEN,
  CODE_REFERRAL_UNKNOWN,
  CODE_SCHEDULE_LIMIT,
  CODE_SCHEDULE_TOO_SOON,
  CODE_SCHEDULE_VOLUME,
  CODE_SUB_ACCOUNT_LIMIT,
  CODE_UNKNOWN_MARKET,
  CODE_ZERO_AMOUNT,
} from '../../base/codes';
import { create, isPresent, markPresent, remove } from '../../kernel/assembly/record';
import { BLK_TIME_MS, NO_ACCOUNT } from '../../kernel/layout';
import {
  Account,
  accountAt,
  actingAccount,
  actingUser,
  AgentName,
  Balance,
  balanceAt,
  isBadName,
  makeAccount,
  openAccount,
  setName,
  Signer,
  takeBalance,
} from '../../ledger/assembly/ledger';
import { NAME_BYTES, ROLE_AGENT, ROLE_RETIRED, ROLE_SUB_ACCOUNT, ROLE_USER, TOKEN_QUOTE } from '../../ledger/layout';
import {
  ACC_REFERRED,
  CFG_AGENTS_BASE,
  CFG_AGENTS_PER_SUB,
  CFG_BUILDER_FEE_MAX,
  CFG_SCHEDULE_DAILY,
  CFG_SCHEDULE_VOLUME,
  CFG_SUBS_BASE,
  CFG_SUBS_FIRST_VOLUME,
  CFG_SUBS_MAX,
  CFG_SUBS_VOLUME,
  CFG_WITHDRAW_FEE,
  DEPOSIT_BITS,
  EVENT_CREATED,
  EVENT_CREATED_BYTES,
  EVENT_MONEY,
  EVENT_MONEY_BYTES,
  EXC_MARKET_COUNT,
  EXC_TREASURY,
  FIELD_0,
  FIELD_12,
  FIELD_16,
  FIELD_4,
  FIELD_8,
  KIND_APPROVE_AGENT,
  KIND_APPROVE_BUILDER,
  KIND_CLAIM_REWARDS,
  KIND_CREATE_SUB_ACCOUNT,
  KIND_DEPOSIT,
  KIND_ISOLATED_MARGIN,
  KIND_LEVERAGE,
  KIND_MULTI_SIG,
  KIND_REGISTER_REFERRER,
  KIND_SCHEDULE_CANCEL,
  KIND_SEND_PERP,
  KIND_SET_DISPLAY_NAME,
  KIND_SET_REFERRER,
  KIND_SUB_ACCOUNT_MODIFY,
  KIND_SUB_TRANSFER,
  KIND_TO_SPOT,
  KIND_WITHDRAW,
  MODE_NORMAL,
  MODE_STRICT_ISOLATED,
  STATUS_DELISTED,
  TIER_LEVERAGE,
} from '../layout';
import { begin } from './acting';
import {
  available,
  divideUp,
  FIELD_A,
  FIELD_B,
  isIsolated,
  leverageOf,
  magnitude,
  maintenanceOf,
  notionalOf,
  openPosition,
  openSettings,
  tierLeverage,
  timedSettings,
  transferable,
} from './margin';
import {
  Approval,
  MarginAccount,
  marginAccountAt,
  Market,
  marketAt,
  Position,
  positionAt,
  Referral,
  rewardsAt,
  Settings,
  settingsAt,
  Sums,
  volumeAt,
} from './records';

const AMOUNT_MAX: u64 = (<u64>1) << DEPOSIT_BITS;
const DAY_MS: u64 = 86400000;
const AGENT_DAYS_MAX: u64 = 180;
const SCHEDULE_AHEAD_MS: u64 = 5000;

export function executeAccounts<V>(view: V, tx: usize, kind: u32): u32 {
  const wrong = begin<V>(view, tx, kind, staticCheck(tx, kind));
  if (wrong != CODE_OK) return wrong;
  if (kind == KIND_DEPOSIT) return deposit<V>(view, tx);
  if (kind == KIND_TO_SPOT) return toSpot<V>(view, tx);
  if (kind == KIND_SEND_PERP) return sendPerp<V>(view, tx);
  if (kind == KIND_WITHDRAW) return withdraw<V>(view, tx);
  if (kind == KIND_LEVERAGE) return updateLeverage<V>(view, tx);
  if (kind == KIND_ISOLATED_MARGIN) return isolatedMargin<V>(view, tx);
  if (kind == KIND_SCHEDULE_CANCEL) return scheduleCancel<V>(view, tx);
  if (kind == KIND_CREATE_SUB_ACCOUNT) return createSubAccount<V>(view, tx);
  if (kind == KIND_SUB_TRANSFER) return subTransfer<V>(view, tx);
  if (kind == KIND_APPROVE_AGENT) return approveAgent<V>(view, tx);
  if (kind == KIND_MULTI_SIG) return multiSig<V>(view, tx);
  if (kind == KIND_APPROVE_BUILDER) return approveBuilder<V>(view, tx);
  if (kind == KIND_REGISTER_REFERRER) return registerReferrer<V>(view, tx);
  if (kind == KIND_SET_REFERRER) return setReferrer<V>(view, tx);
  if (kind == KIND_CLAIM_REWARDS) return claimRewards<V>(view);
  if (kind == KIND_SET_DISPLAY_NAME) return setDisplayName<V>(view, tx);
  if (kind == KIND_SUB_ACCOUNT_MODIFY) return subAccountModify<V>(view, tx);
  return CODE_OK; // noop
}

/** Is an amount of money acceptable at all? */
export function amountCheck(amount: u64): u32 {
  if (amount == 0) return CODE_ZERO_AMOUNT;
  return amount > AMOUNT_MAX ? CODE_BALANCE_OVERFLOW : CODE_OK;
}

/** Checks that need nothing but the transaction and the block's constants. */
function staticCheck(tx: usize, kind: u32): u32 {
  if (kind == KIND_DEPOSIT || kind == KIND_TO_SPOT || kind == KIND_SEND_PERP || kind == KIND_WITHDRAW || kind == KIND_SUB_TRANSFER) {
    return amountCheck(load<u64>(tx, FIELD_0));
  }
  if (kind == KIND_CREATE_SUB_ACCOUNT || kind == KIND_SET_DISPLAY_NAME || kind == KIND_SUB_ACCOUNT_MODIFY) {
    return isBadName(tx + FIELD_8, NAME_BYTES) ? CODE_INVALID_NAME : CODE_OK;
  }
  if (kind != KIND_LEVERAGE && kind != KIND_ISOLATED_MARGIN) return CODE_OK;
  const number = load<u32>(tx, FIELD_0);
  if (number >= load<u32>(0, EXC_MARKET_COUNT)) return CODE_UNKNOWN_MARKET;
  const market = marketAt(number);
  if ((market.status & STATUS_DELISTED) != 0) return CODE_MARKET_HALTED;
  if (kind == KIND_ISOLATED_MARGIN) return CODE_OK;
  const leverage = load<u32>(tx, FIELD_4);
  if (leverage == 0 || leverage > load<u32>(<usize>market.tiers, TIER_LEVERAGE)) return CODE_INVALID_LEVERAGE;
  return load<u32>(tx, FIELD_8) == 0 && market.mode != MODE_NORMAL ? CODE_CROSS_NOT_ALLOWED : CODE_OK;
}

/** An account's margin account, to be written; made with its volume and its rewards if it has none. */
export function openMarginAccount<V>(view: V, number: u32): MarginAccount {
  const account = view.write<MarginAccount>(marginAccountAt(number));
  if (!isPresent<MarginAccount>(account)) {
    markPresent<MarginAccount>(account);
    create<V, Sums>(view, volumeAt(number));
    create<V, Sums>(view, rewardsAt(number));
  }
  return account;
}

/** Would the collateral of an account be more than an account may have? */
export function overflows<V>(view: V, number: u32, amount: i64): bool {
  return view.read<MarginAccount>(marginAccountAt(number)).collateral + amount > <i64>AMOUNT_MAX;
}

/** Can `amount` leave the collateral of an account? NO_DEPOSIT, INSUFFICIENT_WITHDRAWABLE. */
export function payable<V>(view: V, number: u32, amount: i64): u32 {
  const account = view.read<MarginAccount>(marginAccountAt(number));
  if (!isPresent<MarginAccount>(account)) return CODE_NO_DEPOSIT;
  return transferable<V>(view, account, number) < amount ? CODE_INSUFFICIENT_WITHDRAWABLE : CODE_OK;
}

export function emitMoney<V>(view: V, kind: u32, from: u32, to: u32, amount: i64, fee: i64, shares: i64): void {
  const event = view.emit(EVENT_MONEY, EVENT_MONEY_BYTES);
  store<u32>(event, kind, 4);
  store<u32>(event, from, 8);
  store<u32>(event, to, 12);
  store<i64>(event, amount, 16);
  store<i64>(event, fee, 24);
  store<i64>(event, shares, 32);
}

export function emitCreated<V>(view: V, role: u32, account: u32, owner: u32): void {
  const event = view.emit(EVENT_CREATED, EVENT_CREATED_BYTES);
  store<u32>(event, role, 4);
  store<u32>(event, account, 8);
  store<u32>(event, owner, 12);
  store<u64>(event, 0, 16);
}

function deposit<V>(view: V, tx: usize): u32 {
  const number = actingAccount;
  const amount = load<u64>(tx, FIELD_0);
  const at = balanceAt(number, TOKEN_QUOTE);
  const have = view.read<Balance>(at).amount;
  view.work();
  if (have < amount) return CODE_INSUFFICIENT_BALANCE;
  if (overflows<V>(view, number, <i64>amount)) return CODE_BALANCE_OVERFLOW;
  takeBalance<V>(view, at, have, amount);
  openMarginAccount<V>(view, number).collateral += <i64>amount;
  emitMoney<V>(view, KIND_DEPOSIT, NO_ACCOUNT, number, <i64>amount, 0, 0);
  return CODE_OK;
}

function toSpot<V>(view: V, tx: usize): u32 {
  const number = actingAccount;
  const amount = load<u64>(tx, FIELD_0);
  const refused = payable<V>(view, number, <i64>amount);
  if (refused != CODE_OK) return refused;
  const at = balanceAt(number, TOKEN_QUOTE);
  const held = view.read<Balance>(at).amount;
  if (held + amount >= (<u64>1) << 63) return CODE_BALANCE_OVERFLOW;
  create<V, Balance>(view, at).amount = held + amount;
  view.write<MarginAccount>(marginAccountAt(number)).collateral -= <i64>amount;
  emitMoney<V>(view, KIND_TO_SPOT, number, NO_ACCOUNT, <i64>amount, 0, 0);
  return CODE_OK;
}

function sendPerp<V>(view: V, tx: usize): u32 {
  const number = actingAccount;
  const recipient = load<u32>(tx, FIELD_8);
  const amount = load<i64>(tx, FIELD_0);
  if (recipient == number) return CODE_INVALID_RECIPIENT;
  const refused = moveCollateral<V>(view, number, recipient, amount);
  if (refused != CODE_OK) return refused;
  openAccount<V>(view, recipient);
  emitMoney<V>(view, KIND_SEND_PERP, number, recipient, amount, 0, 0);
  return CODE_OK;
}

/** Moves transferable collateral to another account. */
export function moveCollateral<V>(view: V, from: u32, to: u32, amount: i64): u32 {
  const refused = payable<V>(view, from, amount);
  if (refused != CODE_OK) return refused;
  if (overflows<V>(view, to, amount)) return CODE_BALANCE_OVERFLOW;
  view.write<MarginAccount>(marginAccountAt(from)).collateral -= amount;
  openMarginAccount<V>(view, to).collateral += amount;
  return CODE_OK;
}

function withdraw<V>(view: V, tx: usize): u32 {
  const number = actingAccount;
  const amount = load<i64>(tx, FIELD_0);
  const fee = load<i64>(0, CFG_WITHDRAW_FEE);
  const refused = payable<V>(view, number, amount);
  if (refused != CODE_OK) return refused;
  if (amount <= fee) return CODE_INSUFFICIENT_WITHDRAWABLE;
  view.write<MarginAccount>(marginAccountAt(number)).collateral -= amount;
  if (fee != 0) view.add(load<u32>(0, EXC_TREASURY), FIELD_A, fee);
  view.add(load<u32>(0, EXC_TREASURY), FIELD_B, amount - fee);
  emitMoney<V>(view, KIND_WITHDRAW, number, NO_ACCOUNT, amount, fee, 0);
  return CODE_OK;
}

// --- Leverage and isolated margin --------------------------------------------------------------------------------------------------

function updateLeverage<V>(view: V, tx: usize): u32 {
  const number = actingAccount;
  const marketNumber = load<u32>(tx, FIELD_0);
  const leverage = <i64>load<u32>(tx, FIELD_4);
  const isolated = load<u32>(tx, FIELD_8) != 0;
  const market = marketAt(marketNumber);
  const account = view.read<MarginAccount>(marginAccountAt(number));
  if (!isPresent<MarginAccount>(account)) return CODE_NO_DEPOSIT;
  const position = view.read<Position>(positionAt(number, marketNumber));
  if (position.sizeLots != 0) {
    const refused = moveLeverage<V>(view, number, market, marketNumber, account, position, leverage, isolated);
    if (refused != CODE_OK) return refused;
  }
  const changed = openPosition<V>(view, number, marketNumber);
  changed.leverage = <u8>leverage;
  changed.isolated = isolated ? 1 : 0;
  return CODE_OK;
}

/** What a change of leverage or kind does to an open position and to the sums of its account. */
function moveLeverage<V>(
  view: V,
  number: u32,
  market: Market,
  marketNumber: u32,
  account: MarginAccount,
  position: Position,
  leverage: i64,
  isolated: bool,
): u32 {
  const size = position.sizeLots;
  const mark = <i64>market.mark;
  const value = size * mark * market.unit;
  const notional = magnitude(value);
  if (tierLeverage(market, notional) < leverage) return CODE_INVALID_LEVERAGE;
  const margin = divideUp(notional, leverage);
  const before = divideUp(notional, leverageOf(market, position));
  const maintenance = maintenanceOf(market, notional);
  const free = available(account);
  if (isIsolated(market, position)) {
    const equity = position.rawUsd + value;
    if (isolated) {
      if (equity >= margin) return CODE_OK;
      if (transferable<V>(view, account, number) < margin - equity) return CODE_INSUFFICIENT_WITHDRAWABLE;
      view.write<MarginAccount>(marginAccountAt(number)).collateral -= margin - equity;
      view.write<Position>(positionAt(number, marketNumber)).rawUsd += margin - equity;
      return CODE_OK;
    }
    if (free + equity - margin < 0) return CODE_INSUFFICIENT_MARGIN;
    const joined = view.write<MarginAccount>(marginAccountAt(number));
    joined.collateral += position.rawUsd;
    joined.positionValue += value;
    joined.positionMargin += margin;
    joined.maintenance += maintenance;
    joined.isolated--;
    view.write<Position>(positionAt(number, marketNumber)).rawUsd = 0;
    return CODE_OK;
  }
  if (free + before - margin < 0) return CODE_INSUFFICIENT_MARGIN;
  const changed = view.write<MarginAccount>(marginAccountAt(number));
  if (!isolated) {
    changed.positionMargin += margin - before;
    return CODE_OK;
  }
  changed.collateral -= margin - value;
  changed.positionValue -= value;
  changed.positionMargin -= before;
  changed.maintenance -= maintenance;
  changed.isolated++;
  view.write<Position>(positionAt(number, marketNumber)).rawUsd = margin - value;
  return CODE_OK;
}

function isolatedMargin<V>(view: V, tx: usize): u32 {
  const number = actingAccount;
  const marketNumber = load<u32>(tx, FIELD_0);
  const leverage = <i64>load<u32>(tx, FIELD_4);
  const market = marketAt(marketNumber);
  const account = view.read<MarginAccount>(marginAccountAt(number));
  if (!isPresent<MarginAccount>(account)) return CODE_NO_DEPOSIT;
  const position = view.read<Position>(positionAt(number, marketNumber));
  if (position.sizeLots == 0 || !isIsolated(market, position)) return CODE_NO_ISOLATED_POSITION;
  const notional = notionalOf(market, market.mark, magnitude(position.sizeLots));
  const equity = position.rawUsd + position.sizeLots * <i64>market.mark * market.unit;
  let amount = load<i64>(tx, FIELD_8);
  if (leverage != 0) {
    if (leverage > <i64>load<u32>(<usize>market.tiers, TIER_LEVERAGE)) return CODE_INVALID_LEVERAGE;
    amount = divideUp(notional, leverage) - equity;
    if (amount <= 0) return CODE_OK;
  } else if (amount == 0) return CODE_ZERO_AMOUNT;
  if (amount > 0) {
    if (transferable<V>(view, account, number) < amount) return CODE_INSUFFICIENT_WITHDRAWABLE;
  } else {
    if (market.mode == MODE_STRICT_ISOLATED) return CODE_MARGIN_NOT_REMOVABLE;
    const least = max(divideUp(notional, leverageOf(market, position)), divideUp(notional, 10));
    if (equity + amount < least) return CODE_MARGIN_NOT_REMOVABLE;
  }
  view.write<MarginAccount>(marginAccountAt(number)).collateral -= amount;
  view.write<Position>(positionAt(number, marketNumber)).rawUsd += amount;
  return CODE_OK;
}

function scheduleCancel<V>(view: V, tx: usize): u32 {
  const number = actingAccount;
  const timeMs = load<u64>(tx, FIELD_0);
  const now = load<u64>(0, BLK_TIME_MS);
  if (!isPresent<MarginAccount>(view.read<MarginAccount>(marginAccountAt(number)))) return CODE_NO_DEPOSIT;
  if (timeMs == 0) {
    if (view.read<Settings>(settingsAt(number)).scheduledMs != 0) view.write<Settings>(settingsAt(number)).scheduledMs = 0;
    return CODE_OK;
  }
  if (timeMs < now + SCHEDULE_AHEAD_MS) return CODE_SCHEDULE_TOO_SOON;
  if (view.read<Sums>(volumeAt(number)).c < load<i64>(0, CFG_SCHEDULE_VOLUME)) return CODE_SCHEDULE_VOLUME;
  const settings = view.read<Settings>(settingsAt(number));
  if (settings.scheduleDay == <u32>(now / DAY_MS) && settings.scheduleCount >= load<u32>(0, CFG_SCHEDULE_DAILY)) return CODE_SCHEDULE_LIMIT;
  timedSettings<V>(view, number, timeMs).scheduledMs = timeMs;
  return CODE_OK;
}

// --- Who may act for whom ----------------------------------------------------------------------------------------------------------

function createSubAccount<V>(view: V, tx: usize): u32 {
  const user = actingUser;
  const number = load<u32>(tx, FIELD_0);
  const master = view.read<Account>(accountAt(user));
  if (master.role != ROLE_USER) return CODE_NOT_AUTHORISED;
  const traded = view.read<Sums>(volumeAt(user)).c;
  const base = <i64>load<u32>(0, CFG_SUBS_BASE);
  const most = min<i64>(load<u32>(0, CFG_SUBS_MAX), base + traded / load<i64>(0, CFG_SUBS_VOLUME));
  if (traded < load<i64>(0, CFG_SUBS_FIRST_VOLUME) || <i64>master.subAccounts >= most) return CODE_SUB_ACCOUNT_LIMIT;
  const account = makeAccount<V>(view, number);
  account.role = <u8>ROLE_SUB_ACCOUNT;
  account.owner = user;
  view.write<Account>(accountAt(user)).subAccounts++;
  // A new account has no name yet: without one there is nothing to look at.
  if (load<u8>(tx, FIELD_8) != 0) setName<V>(view, number, tx + FIELD_8);
  emitCreated<V>(view, ROLE_SUB_ACCOUNT, number, user);
  return CODE_OK;
}

function subAccountModify<V>(view: V, tx: usize): u32 {
  const sub = load<u32>(tx, FIELD_0);
  if (!isSubAccountOf<V>(view, sub, actingUser)) return CODE_NOT_OWNER;
  setName<V>(view, sub, tx + FIELD_8);
  return CODE_OK;
}

function setDisplayName<V>(view: V, tx: usize): u32 {
  const user = actingUser;
  if (view.read<Account>(accountAt(user)).role != ROLE_USER) return CODE_NOT_AUTHORISED;
  setName<V>(view, user, tx + FIELD_8);
  return CODE_OK;
}

/** `number` may be NO_ACCOUNT. */
function isSubAccountOf<V>(view: V, number: u32, user: u32): bool {
  if (number == NO_ACCOUNT) return false;
  const account = view.read<Account>(accountAt(number));
  return isPresent<Account>(account) && account.role == ROLE_SUB_ACCOUNT && account.owner == user;
}

function subTransfer<V>(view: V, tx: usize): u32 {
  const user = actingUser;
  const sub = load<u32>(tx, FIELD_8);
  const amount = load<i64>(tx, FIELD_0);
  if (!isSubAccountOf<V>(view, sub, user)) return CODE_NOT_OWNER;
  const paying = load<u32>(tx, FIELD_12) != 0;
  const from = paying ? user : sub;
  const to = paying ? sub : user;
  const refused = moveCollateral<V>(view, from, to, amount);
  if (refused != CODE_OK) return refused;
  emitMoney<V>(view, KIND_SUB_TRANSFER, from, to, amount, 0, 0);
  return CODE_OK;
}

function approveAgent<V>(view: V, tx: usize): u32 {
  const user = actingUser;
  const agent = load<u32>(tx, FIELD_0);
  const nameAt = load<u32>(tx, FIELD_4);
  const expires = load<u64>(tx, FIELD_8);
  const named = load<u32>(tx, FIELD_16) != 0;
  const now = load<u64>(0, BLK_TIME_MS);
  const master = view.read<Account>(accountAt(user));
  if (master.role != ROLE_USER) return CODE_NOT_AUTHORISED;
  if (expires != 0 && (expires <= now || expires > now + AGENT_DAYS_MAX * DAY_MS)) return CODE_AGENT_ADDRESS;
  if (agent == user || agent == NO_ACCOUNT || nameAt == 0) return CODE_AGENT_ADDRESS;
  const known = view.read<Account>(accountAt(agent));
  const exists = isPresent<Account>(known);
  if (exists && known.role != ROLE_RETIRED && (known.role != ROLE_AGENT || known.owner != user)) return CODE_AGENT_ADDRESS;
  const name = view.read<AgentName>(nameAt);
  const isNew = !isPresent<AgentName>(name);
  const former = name.agent;
  const most = load<u32>(0, CFG_AGENTS_BASE) + load<u32>(0, CFG_AGENTS_PER_SUB) * <u32>master.subAccounts;
  if (named && isNew && <u32>master.agents >= most) return CODE_AGENT_LIMIT;
  if (named && isNew) view.write<Account>(accountAt(user)).agents++;
  if (former != 0 && former != agent + 1) {
    const replaced = view.read<Account>(accountAt(former - 1));
    // It may have gone to another master under another name since.
    if (replaced.role == ROLE_AGENT && replaced.owner == user) view.write<Account>(accountAt(former - 1)).role = <u8>ROLE_RETIRED;
  }
  const account = exists ? view.write<Account>(accountAt(agent)) : makeAccount<V>(view, agent);
  account.role = <u8>ROLE_AGENT;
  account.owner = user;
  account.expiresMs = expires != 0 ? expires : u64.MAX_VALUE;
  create<V, AgentName>(view, nameAt).agent = agent + 1;
  emitCreated<V>(view, ROLE_AGENT, agent, user);
  return CODE_OK;
}

function multiSig<V>(view: V, tx: usize): u32 {
  const user = actingUser;
  const threshold = load<u32>(tx, FIELD_0);
  const count = load<u32>(tx, FIELD_4);
  const clears = threshold == 0 && count == 0;
  if (!clears && (threshold == 0 || threshold > count)) return CODE_INVALID_THRESHOLD;
  if (view.read<Account>(accountAt(user)).role != ROLE_USER) return CODE_NOT_AUTHORISED;
  const signers = tx + FIELD_8;
  for (let i: u32 = 0; i < count; i++) {
    const entry = signers + ((<usize>i) << 3);
    if (load<u32>(entry) == 0 || load<u32>(entry, 4) == user) return CODE_MULTI_SIG_SIGNER;
  }
  const account = view.write<Account>(accountAt(user));
  account.threshold = <u8>threshold;
  account.signerSet = account.signerSet == 255 ? 1 : account.signerSet + 1;
  for (let i: u32 = 0; i < count; i++) {
    const entry = signers + ((<usize>i) << 3);
    create<V, Signer>(view, load<u32>(entry)).signerSet = account.signerSet;
    openAccount<V>(view, load<u32>(entry, 4));
  }
  return CODE_OK;
}

function approveBuilder<V>(view: V, tx: usize): u32 {
  const builder = load<u32>(tx, FIELD_0);
  const at = load<u32>(tx, FIELD_4);
  const maxFee = load<u32>(tx, FIELD_8);
  if (maxFee > load<u32>(0, CFG_BUILDER_FEE_MAX)) return CODE_BUILDER_FEE;
  if (maxFee == 0) {
    if (at != 0 && isPresent<Approval>(view.read<Approval>(at))) {
      remove<Approval>(view.write<Approval>(at));
      view.note(at);
    }
    return CODE_OK;
  }
  if (builder == NO_ACCOUNT || at == 0) return CODE_BUILDER_FEE;
  if (!isPresent<MarginAccount>(view.read<MarginAccount>(marginAccountAt(builder)))) return CODE_BUILDER_FEE;
  create<V, Approval>(view, at).maxFee = maxFee;
  return CODE_OK;
}

function registerReferrer<V>(view: V, tx: usize): u32 {
  const at = load<u32>(tx, FIELD_0);
  if (!isPresent<MarginAccount>(view.read<MarginAccount>(marginAccountAt(actingAccount)))) return CODE_NO_DEPOSIT;
  if (at == 0 || isPresent<Referral>(view.read<Referral>(at))) return CODE_REFERRAL_TAKEN;
  create<V, Referral>(view, at).owner = actingAccount + 1;
  return CODE_OK;
}

function setReferrer<V>(view: V, tx: usize): u32 {
  const number = actingAccount;
  const at = load<u32>(tx, FIELD_0);
  if (at == 0) return CODE_REFERRAL_UNKNOWN;
  const referral = view.read<Referral>(at);
  if (!isPresent<Referral>(referral)) return CODE_REFERRAL_UNKNOWN;
  if (referral.owner == number + 1) return CODE_INVALID_RECIPIENT;
  const account = view.read<MarginAccount>(marginAccountAt(number));
  if ((account.flags & ACC_REFERRED) != 0) return CODE_REFERRAL_SET;
  if (!isPresent<MarginAccount>(account) || view.read<Account>(accountAt(number)).role != ROLE_USER) return CODE_NO_DEPOSIT;
  view.write<MarginAccount>(marginAccountAt(number)).flags |= <u8>ACC_REFERRED;
  openSettings<V>(view, number).referrer = referral.owner;
  return CODE_OK;
}

function claimRewards<V>(view: V): u32 {
  const number = actingAccount;
  const earned = view.read<Sums>(rewardsAt(number));
  const amount = earned.a + earned.b;
  if (amount <= 0) return CODE_NO_REWARDS;
  const rewards = view.write<Sums>(rewardsAt(number));
  rewards.a = 0;
  rewards.b = 0;
  view.write<MarginAccount>(marginAccountAt(number)).collateral += amount;
  emitMoney<V>(view, KIND_CLAIM_REWARDS, NO_ACCOUNT, number, amount, 0, 0);
  return CODE_OK;
}
