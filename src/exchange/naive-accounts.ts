/**
 * The naive twin of accounts and money (docs/rules.md, 7), one function a kind. Each gives the transaction's code; whatever it changes, it
 * changes after its last check.
 *
 * `user` and `actor` are those of section 3: most kinds are about the actor, those that make or rule accounts about the user.
 * Not here: static checks and who may send what (naive.ts), vaults (naive-vaults.ts), TWAPs (naive-timed.ts).
 */
import { assert } from '../base/assert.ts';
import {
  CODE_AGENT_ADDRESS,
  CODE_AGENT_LIMIT,
  CODE_BALANCE_OVERFLOW,
  CODE_BUILDER_FEE,
  CODE_INSUFFICIENT_BALANCE,
  CODE_INSUFFICIENT_MARGIN,
  CODE_INSUFFICIENT_WITHDRAWABLE,
  CODE_INVALID_LEVERAGE,
  CODE_INVALID_NAME,
  CODE_INVALID_RECIPIENT,
  CODE_INVALID_THRESHOLD,
  CODE_MARGIN_NOT_REMOVABLE,
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
  CODE_ZERO_AMOUNT,
} from '../base/codes.ts';
import { NO_ACCOUNT } from '../kernel/layout.ts';
import { EVENT_TRANSFER, EVENT_TRANSFER_BYTES, ROLE_AGENT, ROLE_SUB_ACCOUNT, TOKEN_QUOTE } from '../ledger/layout.ts';
import { u32, u64 } from '../ledger/naive.ts';
import type {
  Address,
  ApproveAgentTransaction,
  ApproveBuilderTransaction,
  IsolatedMarginTransaction,
  LeverageTransaction,
  MultiSigTransaction,
  ScheduleCancelTransaction,
  SubAccountModifyTransaction,
  SubTransferTransaction,
  TransferTransaction,
} from '../ledger/transactions.ts';
import {
  ACC_REFERRED,
  KIND_CLAIM_REWARDS,
  KIND_DEPOSIT,
  KIND_SEND_PERP,
  KIND_SUB_TRANSFER,
  KIND_TO_SPOT,
  KIND_WITHDRAW,
} from './layout.ts';
import { createdEvent, eventBytes, moneyEvent } from './naive-events.ts';
import { divideUp, larger, smaller } from './naive-numbers.ts';
import { type NaiveRun, type NaiveState, U64_MAX } from './naive-state.ts';

export const AMOUNT_MAX = 2n ** 59n;
const DAY_MS = 86_400_000n;
const AGENT_DAYS_MAX = 180n;
const SCHEDULE_AHEAD_MS = 5000n;

// Money

/** Why this much cannot leave the account's collateral. */
export function payableCode(state: NaiveState, account: number, amount: bigint): number {
  if (!state.marginAccounts.has(account)) return CODE_NO_DEPOSIT;
  return state.transferable(account) < amount ? CODE_INSUFFICIENT_WITHDRAWABLE : CODE_OK;
}

/** Whether the account's collateral would become too large. */
export function overflows(state: NaiveState, account: number, amount: bigint): boolean {
  return (state.marginAccounts.get(account)?.collateral ?? 0n) + amount > AMOUNT_MAX;
}

/** The number of a recipient's address; a recipient without an account record gets one. */
function openAccount(state: NaiveState, address: Address): number {
  const account = numberAtAdmission(state, address);
  if (!state.accounts.has(account)) state.accounts.create(account, address);
  return account;
}

function numberAtAdmission(state: NaiveState, address: Address): number {
  const account = state.accounts.numberOf(address);
  assert(account !== undefined, 'recipients got their numbers at admission');
  return account;
}

export function transfer(state: NaiveState, run: NaiveRun, actor: number, { recipient, token, amount }: TransferTransaction): number {
  const to = numberAtAdmission(state, recipient);
  const code = state.accounts.transfer(actor, to, recipient, token, amount);
  if (code === CODE_OK) {
    run.events.push(eventBytes(EVENT_TRANSFER, EVENT_TRANSFER_BYTES, u32(token), u32(actor), u32(to), u64(amount), u64(0n)));
  }
  return code;
}

export function deposit(state: NaiveState, run: NaiveRun, actor: number, amount: bigint): number {
  const balance = state.accounts.balance(actor, TOKEN_QUOTE);
  if (balance < amount) return CODE_INSUFFICIENT_BALANCE;
  if (overflows(state, actor, amount)) return CODE_BALANCE_OVERFLOW;
  state.accounts.setBalance(actor, TOKEN_QUOTE, balance - amount);
  state.openMarginAccount(actor).collateral += amount;
  run.events.push(moneyEvent({ kind: KIND_DEPOSIT, from: NO_ACCOUNT, to: actor, amount, fee: 0n, shares: 0n }));
  return CODE_OK;
}

export function toSpot(state: NaiveState, run: NaiveRun, actor: number, amount: bigint): number {
  const code = payableCode(state, actor, amount);
  if (code !== CODE_OK) return code;
  const balance = state.accounts.balance(actor, TOKEN_QUOTE) + amount;
  if (balance >= 2n ** 63n) return CODE_BALANCE_OVERFLOW;
  state.margin(actor).collateral -= amount;
  state.accounts.setBalance(actor, TOKEN_QUOTE, balance);
  run.events.push(moneyEvent({ kind: KIND_TO_SPOT, from: actor, to: NO_ACCOUNT, amount, fee: 0n, shares: 0n }));
  return CODE_OK;
}

export function sendPerp(state: NaiveState, run: NaiveRun, actor: number, recipient: Address, amount: bigint): number {
  const to = numberAtAdmission(state, recipient);
  if (to === actor) return CODE_INVALID_RECIPIENT;
  const code = collateralMoveCode(state, actor, to, amount);
  if (code !== CODE_OK) return code;
  openAccount(state, recipient);
  moveCollateral(state, run, KIND_SEND_PERP, actor, to, amount);
  return CODE_OK;
}

export function withdraw(state: NaiveState, run: NaiveRun, actor: number, amount: bigint): number {
  const fee = state.options.withdrawFee;
  const code = payableCode(state, actor, amount);
  if (code !== CODE_OK) return code;
  if (amount <= fee) return CODE_INSUFFICIENT_WITHDRAWABLE;
  state.margin(actor).collateral -= amount;
  state.treasury.balance += fee;
  state.treasury.withdrawn += amount - fee;
  run.events.push(moneyEvent({ kind: KIND_WITHDRAW, from: actor, to: NO_ACCOUNT, amount, fee, shares: 0n }));
  return CODE_OK;
}

export function subTransfer(state: NaiveState, run: NaiveRun, user: number, transaction: SubTransferTransaction): number {
  const sub = subAccountOf(state, user, transaction.subAccount);
  if (sub === undefined) return CODE_NOT_OWNER;
  const [from, to] = transaction.deposit ? [user, sub] : [sub, user];
  const code = collateralMoveCode(state, from, to, transaction.amount);
  if (code !== CODE_OK) return code;
  moveCollateral(state, run, KIND_SUB_TRANSFER, from, to, transaction.amount);
  return CODE_OK;
}

function collateralMoveCode(state: NaiveState, from: number, to: number, amount: bigint): number {
  const code = payableCode(state, from, amount);
  if (code !== CODE_OK) return code;
  return overflows(state, to, amount) ? CODE_BALANCE_OVERFLOW : CODE_OK;
}

function moveCollateral(state: NaiveState, run: NaiveRun, kind: number, from: number, to: number, amount: bigint): void {
  state.margin(from).collateral -= amount;
  state.openMarginAccount(to).collateral += amount;
  run.events.push(moneyEvent({ kind, from, to, amount, fee: 0n, shares: 0n }));
}

export function claimRewards(state: NaiveState, run: NaiveRun, actor: number): number {
  const rewards = state.rewards.get(actor);
  const amount = rewards === undefined ? 0n : rewards.builder + rewards.referral;
  if (amount <= 0n) return CODE_NO_REWARDS;
  Object.assign(state.reward(actor), { builder: 0n, referral: 0n });
  state.margin(actor).collateral += amount;
  run.events.push(moneyEvent({ kind: KIND_CLAIM_REWARDS, from: NO_ACCOUNT, to: actor, amount, fee: 0n, shares: 0n }));
  return CODE_OK;
}

// Margins

export function updateLeverage(state: NaiveState, actor: number, { market, leverage, isolated }: LeverageTransaction): number {
  if (!state.marginAccounts.has(actor)) return CODE_NO_DEPOSIT;
  const lots = state.lots(actor, market);
  if (lots === 0n) {
    Object.assign(state.openPosition(actor, market), { leverage, isolated });
    return CODE_OK;
  }

  const { unit, markTicks } = state.market(market);
  if (state.tierOf(market, state.notional(market, lots)).maxLeverage < leverage) return CODE_INVALID_LEVERAGE;
  const wasIsolated = state.isIsolated(actor, market);
  const marginAccount = state.margin(actor);
  const position = state.openPosition(actor, market);
  const before = { collateral: marginAccount.collateral, position: { ...position } };
  const transferable = state.transferable(actor);
  const equity = state.isolatedEquity(actor, market);

  // Made first; taken back if the account cannot bear it.
  Object.assign(position, { leverage, isolated });
  const margin = state.initialMargin(actor, market, lots);
  let code = CODE_OK;
  if (wasIsolated && isolated) {
    const missing = larger(0n, margin - equity);
    if (missing > transferable) code = CODE_INSUFFICIENT_WITHDRAWABLE;
    marginAccount.collateral -= missing;
    position.rawUsd += missing;
  } else {
    if (wasIsolated) {
      marginAccount.collateral += position.rawUsd;
      position.rawUsd = 0n;
    } else if (isolated) {
      position.rawUsd = margin - lots * markTicks * unit;
      marginAccount.collateral -= position.rawUsd;
    }
    if (state.freeMargin(actor) < 0n) code = CODE_INSUFFICIENT_MARGIN;
  }
  if (code !== CODE_OK) {
    marginAccount.collateral = before.collateral;
    Object.assign(position, before.position);
  }
  return code;
}

export function isolatedMargin(state: NaiveState, actor: number, transaction: IsolatedMarginTransaction): number {
  const { market, leverage = 0 } = transaction;
  if (!state.marginAccounts.has(actor)) return CODE_NO_DEPOSIT;
  const lots = state.lots(actor, market);
  if (lots === 0n || !state.isIsolated(actor, market)) return CODE_NO_ISOLATED_POSITION;
  const { parameters } = state.market(market);
  const notional = state.notional(market, lots);
  const equity = state.isolatedEquity(actor, market);

  let amount = transaction.amount ?? 0n;
  if (leverage !== 0) {
    if (leverage > (parameters.tiers[0]?.maxLeverage ?? 0)) return CODE_INVALID_LEVERAGE;
    amount = divideUp(notional, BigInt(leverage)) - equity;
    if (amount <= 0n) return CODE_OK;
  }
  if (amount === 0n) return CODE_ZERO_AMOUNT;
  if (amount > 0n && state.transferable(actor) < amount) return CODE_INSUFFICIENT_WITHDRAWABLE;
  if (amount < 0n) {
    if (parameters.mode === 'strictIsolated') return CODE_MARGIN_NOT_REMOVABLE;
    const kept = larger(state.initialMargin(actor, market, lots), divideUp(notional, 10n));
    if (equity + amount < kept) return CODE_MARGIN_NOT_REMOVABLE;
  }
  state.margin(actor).collateral -= amount;
  state.openPosition(actor, market).rawUsd += amount;
  return CODE_OK;
}

export function scheduleCancel(state: NaiveState, actor: number, { timeMs = 0 }: ScheduleCancelTransaction): number {
  if (!state.marginAccounts.has(actor)) return CODE_NO_DEPOSIT;
  const settings = state.settings.get(actor);
  if (timeMs === 0) {
    if (settings !== undefined) settings.scheduledMs = 0n;
    return CODE_OK;
  }
  const { scheduleVolume, scheduleDaily } = state.options;
  if (BigInt(timeMs) < state.timeMs + SCHEDULE_AHEAD_MS) return CODE_SCHEDULE_TOO_SOON;
  if (state.volumeOf(actor) < scheduleVolume) return CODE_SCHEDULE_VOLUME;
  const isToday = BigInt(settings?.scheduleDay ?? 0) === state.timeMs / DAY_MS;
  if (isToday && (settings?.scheduleCount ?? 0) >= scheduleDaily) return CODE_SCHEDULE_LIMIT;
  state.openSettings(actor).scheduledMs = BigInt(timeMs);
  state.becomesTimed(actor, BigInt(timeMs));
  return CODE_OK;
}

// Accounts of a user

/** Why a name may not be one: control characters would break a list, and spaces at an end make two names look alike. */
export function nameCode(name = ''): number {
  const hasControls = [...name].some((character) => character < ' ' || (character >= '\x7f' && character <= '\x9f'));
  return hasControls || name.startsWith(' ') || name.endsWith(' ') ? CODE_INVALID_NAME : CODE_OK;
}

export function createSubAccount(state: NaiveState, run: NaiveRun, user: number, address: Address, name: string): number {
  const master = state.accounts.get(user);
  if (master.role !== 'user') return CODE_NOT_AUTHORISED;
  const { subAccountsBase, subAccountsMax, subAccountsFirstVolume, subAccountsVolume } = state.options;
  const volume = state.volumeOf(user);
  const most = smaller(BigInt(subAccountsMax), BigInt(subAccountsBase) + volume / subAccountsVolume);
  if (volume < subAccountsFirstVolume || BigInt(master.subAccounts) >= most) return CODE_SUB_ACCOUNT_LIMIT;
  const account = openAccount(state, address);
  state.accounts.setRole(account, 'subAccount', user);
  master.subAccounts++;
  state.accounts.get(account).name = name;
  run.events.push(createdEvent({ role: ROLE_SUB_ACCOUNT, account, owner: user }));
  return CODE_OK;
}

export function subAccountModify(state: NaiveState, user: number, { subAccount, name }: SubAccountModifyTransaction): number {
  const sub = subAccountOf(state, user, subAccount);
  if (sub === undefined) return CODE_NOT_OWNER;
  state.accounts.get(sub).name = name;
  return CODE_OK;
}

export function setDisplayName(state: NaiveState, user: number, name: string): number {
  const account = state.accounts.get(user);
  if (account.role !== 'user') return CODE_NOT_AUTHORISED;
  account.name = name;
  return CODE_OK;
}

/** The number of a sub-account of the user. */
function subAccountOf(state: NaiveState, user: number, address: Address): number | undefined {
  const sub = state.accounts.numberOf(address);
  if (sub === undefined || !state.accounts.has(sub)) return undefined;
  const { role, owner } = state.accounts.get(sub);
  return role === 'subAccount' && owner === user ? sub : undefined;
}

export function approveAgent(state: NaiveState, run: NaiveRun, user: number, transaction: ApproveAgentTransaction): number {
  const { agent: address, name = '' } = transaction;
  const { accounts, options, timeMs } = state;
  const expires = transaction.expiresMs ?? 0;
  const expiresMs = expires === 0 ? U64_MAX : BigInt(expires);
  if (accounts.get(user).role !== 'user') return CODE_NOT_AUTHORISED;
  if (expires !== 0 && (expiresMs <= timeMs || expiresMs > timeMs + AGENT_DAYS_MAX * DAY_MS)) return CODE_AGENT_ADDRESS;

  const agent = numberAtAdmission(state, address);
  if (agent === user) return CODE_AGENT_ADDRESS;
  if (accounts.has(agent)) {
    const { role, owner } = accounts.get(agent);
    const isFree = role === 'retired' || (role === 'agent' && owner === user);
    if (!isFree) return CODE_AGENT_ADDRESS;
  }
  const master = accounts.get(user);
  const former = accounts.agent(user, name);
  const isNewName = name !== '' && former === undefined;
  const most = options.agentsBase + options.agentsPerSubAccount * master.subAccounts;
  if (isNewName && master.agents >= most) return CODE_AGENT_LIMIT;

  if (isNewName) master.agents++;
  if (former !== undefined && former !== agent) {
    const replaced = accounts.get(former);
    // It may have gone to another master under another name since.
    if (replaced.role === 'agent' && replaced.owner === user) replaced.role = 'retired';
  }
  accounts.setAgent(user, name, agent);
  openAccount(state, address);
  accounts.setRole(agent, 'agent', user);
  accounts.get(agent).expiresMs = expiresMs;
  run.events.push(createdEvent({ role: ROLE_AGENT, account: agent, owner: user }));
  return CODE_OK;
}

export function multiSig(state: NaiveState, user: number, { signers }: MultiSigTransaction): number {
  const { accounts } = state;
  const record = accounts.get(user);
  const authorised = signers?.authorised ?? [];
  const threshold = signers?.threshold ?? 0;
  // No signers and a threshold of 0 are what an ordinary user has, whether or not they are written out.
  const isOrdinary = authorised.length === 0 && threshold === 0;
  if (!isOrdinary && (threshold < 1 || threshold > authorised.length)) return CODE_INVALID_THRESHOLD;
  if (record.role !== 'user') return CODE_NOT_AUTHORISED;
  if (authorised.includes(record.address)) return CODE_MULTI_SIG_SIGNER;
  record.threshold = threshold;
  record.signerSet = record.signerSet === 255 ? 1 : record.signerSet + 1;
  for (const signer of authorised) accounts.setSigner(user, openAccount(state, signer), record.signerSet);
  return CODE_OK;
}

// Builders and referrers

export function approveBuilder(state: NaiveState, actor: number, transaction: ApproveBuilderTransaction): number {
  const { maxFee } = transaction;
  if (maxFee > state.options.builderFeeMax) return CODE_BUILDER_FEE;
  const builder = state.accounts.numberOf(transaction.builder);
  const approval = `${actor}/${builder}`;
  if (maxFee === 0) {
    state.approvals.delete(approval);
    return CODE_OK;
  }
  if (builder === undefined || !state.marginAccounts.has(builder)) return CODE_BUILDER_FEE;
  state.approvals.set(approval, maxFee);
  return CODE_OK;
}

export function registerReferrer(state: NaiveState, actor: number, code: string): number {
  if (!state.marginAccounts.has(actor)) return CODE_NO_DEPOSIT;
  if (state.referralCodes.has(code)) return CODE_REFERRAL_TAKEN;
  state.referralCodes.set(code, actor);
  return CODE_OK;
}

export function setReferrer(state: NaiveState, actor: number, code: string): number {
  const referrer = state.referralCodes.get(code);
  if (referrer === undefined) return CODE_REFERRAL_UNKNOWN;
  if (referrer === actor) return CODE_INVALID_RECIPIENT;
  if ((state.settings.get(actor)?.referrer ?? 0) !== 0) return CODE_REFERRAL_SET;
  if (state.accounts.get(actor).role !== 'user' || !state.marginAccounts.has(actor)) return CODE_NO_DEPOSIT;
  state.openSettings(actor).referrer = referrer + 1;
  state.margin(actor).flags |= ACC_REFERRED;
  return CODE_OK;
}
