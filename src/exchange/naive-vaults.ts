/**
 * The naive twin of vaults (docs/rules.md, 8), one function a kind. Each gives the transaction's code; whatever it changes, it changes
 * after its last check.
 *
 * Not here: how the backstop vault trades and takes accounts over (naive-system.ts).
 */
import { assert } from '../base/assert.ts';
import {
  CAUSE_VAULT,
  CODE_BALANCE_OVERFLOW,
  CODE_NOT_AUTHORISED,
  CODE_NOT_OWNER,
  CODE_OK,
  CODE_VAULT_CLOSED,
  CODE_VAULT_LEADER_SHARE,
  CODE_VAULT_LIMIT,
  CODE_VAULT_LOCKED,
  CODE_VAULT_MINIMUM,
  CODE_VAULT_SHARES,
  CODE_VAULT_UNKNOWN,
  REASON_WITHDRAWAL,
} from '../base/codes.ts';
import { NO_ACCOUNT } from '../kernel/layout.ts';
import { ROLE_VAULT } from '../ledger/layout.ts';
import type { Address, CreateVaultTransaction, VaultModifyTransaction, VaultTransferTransaction } from '../ledger/transactions.ts';
import { CANCELS_MAX, KIND_CREATE_VAULT, KIND_VAULT_TRANSFER } from './layout.ts';
import { AMOUNT_MAX, overflows, payableCode } from './naive-accounts.ts';
import { createdEvent, moneyEvent } from './naive-events.ts';
import { divideUp, larger, magnitude, roundedUp, smaller } from './naive-numbers.ts';
import { boundedPrice, cancelOrders, reduceByOrder } from './naive-orders.ts';
import type { NaiveRun, NaiveState, NaiveVault } from './naive-state.ts';

const MILLION = 1_000_000n;

export function createVault(state: NaiveState, run: NaiveRun, user: number, address: Address, transaction: CreateVaultTransaction): number {
  const { amount, name = '', description = '' } = transaction;
  const { accounts, options, timeMs } = state;
  if (amount < options.vaultMinimum) return CODE_VAULT_MINIMUM;
  if (state.vaults.length >= options.vaultsMax) return CODE_VAULT_LIMIT;
  if (accounts.get(user).role !== 'user') return CODE_NOT_AUTHORISED;
  const code = payableCode(state, user, amount);
  if (code !== CODE_OK) return code;

  const account = accounts.numberOf(address);
  assert(account !== undefined, 'the new address got its number at admission');
  const index = state.vaults.length;
  const lockMs = BigInt(options.vaultLockMs);
  accounts.create(account, address);
  accounts.setRole(account, 'vault', user, index);
  state.vaults.push({
    account,
    leader: user,
    index,
    lockMs,
    commissionPpm: options.vaultCommissionPpm,
    shares: amount,
    leaderShares: amount,
    deposits: true,
    backstop: false,
    name,
    description,
    followers: new Map([[user, { shares: amount, basis: amount, lockedUntilMs: timeMs + lockMs }]]),
  });
  state.margin(user).collateral -= amount;
  state.openMarginAccount(account).collateral += amount;
  run.events.push(createdEvent({ role: ROLE_VAULT, account, owner: user }));
  run.events.push(moneyEvent({ kind: KIND_CREATE_VAULT, from: user, to: account, amount, fee: 0n, shares: amount }));
  return CODE_OK;
}

export function vaultModify(state: NaiveState, user: number, transaction: VaultModifyTransaction): number {
  const vault = vaultOf(state, transaction.vault);
  if (vault === undefined) return CODE_VAULT_UNKNOWN;
  if (vault.leader !== user) return CODE_NOT_OWNER;
  vault.deposits = transaction.allowDeposits;
  return CODE_OK;
}

export function vaultTransfer(state: NaiveState, run: NaiveRun, user: number, transaction: VaultTransferTransaction): number {
  const vault = vaultOf(state, transaction.vault);
  if (vault === undefined) return CODE_VAULT_UNKNOWN;
  return (transaction.deposit ? depositInto : withdrawFrom)(state, run, user, vault, transaction.amount);
}

function vaultOf(state: NaiveState, address: Address): NaiveVault | undefined {
  const account = state.accounts.numberOf(address);
  return state.vaults.find((vault) => vault.account === account);
}

function depositInto(state: NaiveState, run: NaiveRun, user: number, vault: NaiveVault, amount: bigint): number {
  if (!vault.deposits) return CODE_VAULT_CLOSED;
  const code = payableCode(state, user, amount);
  if (code !== CODE_OK) return code;
  const value = state.valueForOthers(vault.account);
  if (value <= 0n) return CODE_VAULT_CLOSED;
  const shares = vault.shares === 0n ? amount : (amount * vault.shares) / value;
  if (shares === 0n || vault.shares + shares > AMOUNT_MAX) return CODE_VAULT_SHARES;
  const isFollower = vault.leader !== NO_ACCOUNT && vault.leader !== user;
  if (isFollower && !leaderHoldsEnough(state, vault.leaderShares, vault.shares + shares)) return CODE_VAULT_LEADER_SHARE;
  if (overflows(state, vault.account, amount)) return CODE_BALANCE_OVERFLOW;

  state.margin(user).collateral -= amount;
  state.margin(vault.account).collateral += amount;
  const held = vault.followers.get(user) ?? { shares: 0n, basis: 0n };
  vault.followers.set(user, {
    shares: held.shares + shares,
    basis: held.basis + amount,
    lockedUntilMs: state.timeMs + vault.lockMs,
  });
  vault.shares += shares;
  if (vault.leader === user) vault.leaderShares += shares;
  run.events.push(moneyEvent({ kind: KIND_VAULT_TRANSFER, from: user, to: vault.account, amount, fee: 0n, shares }));
  return CODE_OK;
}

function withdrawFrom(state: NaiveState, run: NaiveRun, user: number, vault: NaiveVault, amount: bigint): number {
  const held = vault.followers.get(user) ?? { shares: 0n, basis: 0n, lockedUntilMs: 0n };
  if (held.lockedUntilMs > state.timeMs) return CODE_VAULT_LOCKED;
  const value = state.valueForOthers(vault.account);
  if (value <= 0n) return CODE_VAULT_SHARES;
  const burn = divideUp(amount * vault.shares, value);
  if (burn > held.shares) return CODE_VAULT_SHARES;
  const leads = vault.leader === user;
  const maySell = burn === vault.shares || leaderHoldsEnough(state, vault.leaderShares - burn, vault.shares - burn);
  if (leads && !maySell) return CODE_VAULT_LEADER_SHARE;
  if (overflows(state, user, amount)) return CODE_BALANCE_OVERFLOW;

  const event = { kind: KIND_VAULT_TRANSFER, from: vault.account, to: user };
  if (state.transferable(vault.account) < amount) {
    reducePositions(state, run, vault.account, burn, vault.shares);
    if (state.transferable(vault.account) < amount) {
      run.events.push(moneyEvent({ ...event, amount: 0n, fee: 0n, shares: 0n }));
      return CODE_OK;
    }
  }

  const basisPart = (held.basis * burn) / held.shares;
  const profit = larger(0n, amount - basisPart);
  const commission = leads ? 0n : (profit * BigInt(vault.commissionPpm)) / MILLION;
  state.margin(vault.account).collateral -= amount;
  state.margin(user).collateral += amount - commission;
  if (commission > 0n) state.margin(vault.leader).collateral += commission;
  const left = held.shares - burn;
  if (left === 0n) vault.followers.delete(user);
  else vault.followers.set(user, { ...held, shares: left, basis: held.basis - basisPart });
  vault.shares -= burn;
  if (leads) vault.leaderShares -= burn;
  run.events.push(moneyEvent({ ...event, amount, fee: commission, shares: burn }));
  return CODE_OK;
}

/** Takes all orders off and closes `part / whole` of every position, as far as the book allows. */
function reducePositions(state: NaiveState, run: NaiveRun, account: number, part: bigint, whole: bigint): void {
  cancelOrders(state, run, account, REASON_WITHDRAWAL, CANCELS_MAX, () => true);
  for (const market of state.openMarkets(account)) {
    const held = state.lots(account, market);
    if (held === 0n) continue;
    const wanted = roundedUp(divideUp(magnitude(held) * part, whole), BigInt(state.market(market).parameters.lotStep));
    const limit = boundedPrice(state, market, held > 0n, state.options.liquidationBps);
    reduceByOrder(state, run, account, market, smaller(wanted, magnitude(held)), limit, CAUSE_VAULT, true);
  }
}

/** The leader's least share of a vault. */
function leaderHoldsEnough(state: NaiveState, leaderShares: bigint, shares: bigint): boolean {
  return leaderShares * MILLION >= shares * BigInt(state.options.vaultLeaderPpm);
}
