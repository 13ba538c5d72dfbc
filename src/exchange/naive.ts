/**
 * The naive twin of the rules: a whole ledger with its exchange, written from docs/rules.md alone.
 *
 * Obviously right before fast. A book is one array of orders in time order; levels, queues, best prices, position values and margins are
 * derived from orders and positions each time they are needed, where the kernel maintains them. Receipts and records come out byte for
 * byte as the layout pages say, so tests compare the kernel with this. Section numbers in comments are those of docs/rules.md.
 * Here: blocks, admission, and what every transaction goes through (sections 1 to 3).
 * Not here: what a kind does (naive-orders.ts, naive-accounts.ts, naive-vaults.ts, naive-timed.ts, naive-prices.ts), the system's
 * transactions (naive-system.ts), bytes from outside, signatures.
 */
import { assert } from '../base/assert.ts';
import {
  CODE_ACCOUNT_LIMIT,
  CODE_ACCOUNT_NOT_FOUND,
  CODE_AGENT_UNKNOWN,
  CODE_BALANCE_OVERFLOW,
  CODE_BEHALF_UNKNOWN,
  CODE_CROSS_NOT_ALLOWED,
  CODE_INVALID_LEVERAGE,
  CODE_MARKET_HALTED,
  CODE_MULTI_SIG_REQUIRED,
  CODE_MULTI_SIG_SIGNER,
  CODE_MULTI_SIG_THRESHOLD,
  CODE_MULTI_SIG_USER,
  CODE_NOT_AUTHORISED,
  CODE_OK,
  CODE_UNKNOWN_MARKET,
  CODE_UNKNOWN_TOKEN,
  CODE_ZERO_AMOUNT,
} from '../base/codes.ts';
import { joined, type NaiveAccounts, type NaiveReceipt, type NaiveRecord } from '../ledger/naive.ts';
import type { Address, Block, Transaction } from '../ledger/transactions.ts';
import type { Genesis } from './genesis.ts';
import { MATCH_STEPS_MAX } from './layout.ts';
import * as accounts from './naive-accounts.ts';
import { admissionCode, createdAddress } from './naive-admission.ts';
import { foldAccounts, reviveAccount, today } from './naive-dormant.ts';
import { executeOrders } from './naive-orders.ts';
import { delistStaticCode, executeDelist, executeReport, reporterOf, reportStaticCode } from './naive-prices.ts';
import { type NaiveOrder, type NaiveRun, NaiveState } from './naive-state.ts';
import { runSystemPhases } from './naive-system.ts';
import { cancelTwap, placeTwap, twapStaticCode } from './naive-timed.ts';
import * as vaults from './naive-vaults.ts';

type Kind = Transaction['kind'];

/** What an agent may not send. */
const CLOSED_TO_AGENTS: ReadonlySet<Kind> = new Set<Kind>([
  'transfer',
  'deposit',
  'toSpot',
  'sendPerp',
  'withdraw',
  'approveAgent',
  'multiSig',
  'approveBuilder',
]);

/** What may be sent for a sub-account or vault. */
const OPEN_TO_BEHALF: ReadonlySet<Kind> = new Set<Kind>([
  'orders',
  'deposit',
  'toSpot',
  'updateLeverage',
  'isolatedMargin',
  'scheduleCancel',
  'twap',
  'twapCancel',
]);

interface Admitted {
  readonly code: number;
  readonly firstOrdinal: bigint;
  /** The address that the transaction makes. */
  readonly created: Address | undefined;
  /** Whom the sender acts for before the block if it names nobody: itself or, as an agent, its owner. */
  readonly actorBefore: number | undefined;
}

/** Whom a transaction acts for (section 3). */
interface Acting {
  readonly user: number;
  readonly actor: number;
}

export class NaiveLedger {
  readonly state: NaiveState;
  #nextOrdinal = 1n;
  /** Numbers of those whose transactions of this block were admitted. */
  readonly #senders = new Set<number>();

  constructor(genesis: Genesis) {
    this.state = new NaiveState(genesis);
  }

  /** Receipts of the block's transactions, then those of the system's. */
  executeBlock(block: Block): NaiveReceipt[] {
    const { state } = this;
    assert(block.number === state.blockNumber + 1, `block ${block.number} does not follow block ${state.blockNumber}`);
    assert(BigInt(block.timeMs) >= state.timeMs, `block ${block.number} is before the previous one`);
    state.blockNumber = block.number;
    state.timeMs = BigInt(block.timeMs);
    const lastDay = state.lastRollDay;
    this.#senders.clear();

    const admitted = block.transactions.map((transaction, index) => this.#admit(transaction, index));
    const receipts = block.transactions.map((transaction, index) => this.#execute(transaction, admitted[index] as Admitted));
    if (state.markets.length > 0) receipts.push(...runSystemPhases(state, [...receipts]));
    this.#endDormant(lastDay);
    state.accounts.releaseUnusedNumbers();
    return receipts;
  }

  /** 11: who was active, and who has not been for long enough. */
  #endDormant(lastDay: bigint | undefined): void {
    const { state } = this;
    const days = state.genesis.dormantDays ?? 0;
    if (days === 0) return;
    for (const sender of this.#senders) {
      if (this.accounts.has(sender) && this.accounts.get(sender).role === 'user') this.accounts.get(sender).activeDay = today(state);
    }
    if (lastDay !== undefined && state.lastRollDay !== lastDay) foldAccounts(state, days);
  }

  get accounts(): NaiveAccounts {
    return this.state.accounts;
  }

  /** The ordinal that the next item gets. */
  get nextOrdinal(): bigint {
    return this.#nextOrdinal;
  }

  /** Open orders of an account, of all markets, by slot. */
  openOrders(account: number): NaiveOrder[] {
    return this.state.openOrders(account);
  }

  /** Signed size, zero where there is no position. */
  positionLots(account: number, market: number): bigint {
    return this.state.lots(account, market);
  }

  /** Every record of the state root, by key in byte order. */
  records(): NaiveRecord[] {
    return this.state.records();
  }

  // 2. Admission

  #admit(transaction: Transaction, index: number): Admitted {
    const firstOrdinal = this.#nextOrdinal;
    const refused = (code: number): Admitted => ({ code, firstOrdinal, created: undefined, actorBefore: undefined });
    const code = admissionCode(transaction);
    if (code !== CODE_OK) return refused(code);

    const { kind, sender } = transaction;
    const makesAddress = kind === 'createSubAccount' || kind === 'createVault';
    const created = makesAddress ? createdAddress(kind, sender, this.state.blockNumber, index) : undefined;
    const recipients = created === undefined ? recipientsOf(transaction) : [created];
    for (const address of namedFirst(transaction)) if (!this.#lookUp(address)) return refused(CODE_ACCOUNT_LIMIT);
    const known = this.accounts.numberOf(sender);
    const without = recipients.filter((address) => this.accounts.numberOf(address) === undefined);
    if (without.length > this.accounts.freeNumbers) return refused(CODE_ACCOUNT_LIMIT);
    for (const address of without) this.#number(address);
    for (const address of namedLast(transaction)) if (!this.#lookUp(address)) return refused(CODE_ACCOUNT_LIMIT);
    if (kind === 'orders') this.#nextOrdinal += BigInt(transaction.items.length);
    if (known !== undefined) this.#senders.add(known);
    return { code, firstOrdinal, created, actorBefore: this.#actorBefore(sender) };
  }

  /** An address that is named gets no number, but a dormant account is revived. False: there was no number for it. */
  #lookUp(address: Address): boolean {
    return !this.state.dormant.has(address) || this.#number(address);
  }

  /** Gives an address its number, and back to a dormant account what it had. */
  #number(address: Address): boolean {
    const number = this.accounts.assignNumber(address);
    if (number === undefined) {
      this.state.stayedDormant++;
      return false;
    }
    if (this.state.dormant.has(address)) reviveAccount(this.state, address, number);
    return true;
  }

  #actorBefore(sender: Address): number | undefined {
    const account = this.#existing(sender);
    if (account === undefined) return this.accounts.numberOf(sender);
    const { role, owner } = this.accounts.get(account);
    return role === 'agent' ? owner : account;
  }

  // 3. Ledger

  #execute(transaction: Transaction, admitted: Admitted): NaiveReceipt {
    const run: NaiveRun = { events: [], stepsLeft: MATCH_STEPS_MAX };
    const code = this.#codeOf(run, transaction, admitted);
    return { code, events: code === CODE_OK ? joined(...run.events) : new Uint8Array(0) };
  }

  #codeOf(run: NaiveRun, transaction: Transaction, admitted: Admitted): number {
    if (admitted.code !== CODE_OK) return admitted.code;
    const sender = this.accounts.numberOf(transaction.sender);
    if (sender === undefined || !this.accounts.has(sender)) return CODE_ACCOUNT_NOT_FOUND;
    const staticCode = this.#staticCode(sender, transaction);
    if (staticCode !== CODE_OK) return staticCode;
    if (transaction.nonce !== undefined) {
      const nonceCode = this.accounts.useNonce(sender, transaction.nonce, Number(this.state.timeMs));
      if (nonceCode !== CODE_OK) return nonceCode;
    }
    const acting = this.#acting(sender, transaction, admitted);
    return typeof acting === 'number' ? acting : this.#run(run, sender, acting, transaction, admitted);
  }

  /** Checks that need the block's constants only. */
  #staticCode(sender: number, transaction: Transaction): number {
    const { state } = this;
    switch (transaction.kind) {
      case 'transfer':
        if (transaction.token >= state.genesis.tokens.length) return CODE_UNKNOWN_TOKEN;
        return transaction.amount === 0n ? CODE_ZERO_AMOUNT : CODE_OK;
      case 'deposit':
      case 'toSpot':
      case 'sendPerp':
      case 'withdraw':
      case 'subTransfer':
      case 'createVault':
      case 'vaultTransfer':
        if (transaction.amount === 0n) return CODE_ZERO_AMOUNT;
        if (transaction.amount > accounts.AMOUNT_MAX) return CODE_BALANCE_OVERFLOW;
        return transaction.kind === 'createVault' ? accounts.nameCode(transaction.name) : CODE_OK;
      case 'createSubAccount':
      case 'subAccountModify':
      case 'setDisplayName':
        return accounts.nameCode(transaction.name);
      case 'oracle':
        return reportStaticCode(state, transaction, sender);
      case 'delist':
        return delistStaticCode(state, transaction, sender);
      case 'updateLeverage': {
        const code = this.#listedCode(transaction.market);
        if (code !== CODE_OK) return code;
        const { tiers, mode } = state.market(transaction.market).parameters;
        if (transaction.leverage < 1 || transaction.leverage > (tiers[0]?.maxLeverage ?? 0)) return CODE_INVALID_LEVERAGE;
        return !transaction.isolated && mode !== 'normal' ? CODE_CROSS_NOT_ALLOWED : CODE_OK;
      }
      case 'isolatedMargin':
        return this.#listedCode(transaction.market);
      case 'twap':
        return twapStaticCode(state, transaction);
      default:
        return CODE_OK;
    }
  }

  #listedCode(market: number): number {
    if (market >= this.state.markets.length) return CODE_UNKNOWN_MARKET;
    return this.state.isDelisted(market) ? CODE_MARKET_HALTED : CODE_OK;
  }

  /** Whom the transaction acts for, or the code that says why for nobody. */
  #acting(sender: number, { kind, nonce, behalf, multiSig }: Transaction, { actorBefore }: Admitted): Acting | number {
    if (nonce === undefined && behalf === undefined && multiSig === undefined) return { user: sender, actor: sender };
    const { role, owner, expiresMs, threshold } = this.accounts.get(sender);
    if (role === 'subAccount' || role === 'vault' || role === 'retired') return CODE_AGENT_UNKNOWN;
    if (role === 'agent' && expiresMs <= this.state.timeMs) return CODE_AGENT_UNKNOWN;
    if (role === 'agent' && CLOSED_TO_AGENTS.has(kind)) return CODE_NOT_AUTHORISED;

    let user = role === 'agent' ? owner : sender;
    if (multiSig !== undefined) {
      const of = this.#multiSigUser(sender, multiSig);
      if (of.code !== CODE_OK) return of.code;
      user = of.user;
    } else if (role === 'user' && threshold > 0) return CODE_MULTI_SIG_REQUIRED;

    if (behalf === undefined) {
      if (multiSig === undefined && user !== actorBefore) return CODE_AGENT_UNKNOWN;
      return { user, actor: user };
    }
    if (!OPEN_TO_BEHALF.has(kind)) return CODE_NOT_AUTHORISED;
    const actor = this.#existing(behalf);
    if (actor === undefined) return CODE_BEHALF_UNKNOWN;
    const account = this.accounts.get(actor);
    const isOwned = (account.role === 'subAccount' || account.role === 'vault') && account.owner === user;
    return isOwned ? { user, actor } : CODE_BEHALF_UNKNOWN;
  }

  #multiSigUser(sender: number, multiSig: NonNullable<Transaction['multiSig']>): { code: number; user: number } {
    const user = this.#existing(multiSig.user);
    if (user === undefined) return { code: CODE_MULTI_SIG_USER, user: sender };
    const { threshold, signerSet } = this.accounts.get(user);
    if (threshold === 0) return { code: CODE_MULTI_SIG_USER, user };
    const signers = multiSig.signers.map((address) => this.#existing(address));
    const isSigner = (signer: number | undefined): boolean => signer !== undefined && this.accounts.signerSet(user, signer) === signerSet;
    if (!signers.includes(sender) || !signers.every(isSigner)) return { code: CODE_MULTI_SIG_SIGNER, user };
    return { code: signers.length < threshold ? CODE_MULTI_SIG_THRESHOLD : CODE_OK, user };
  }

  /** The number of an address that has an account record. */
  #existing(address: Address): number | undefined {
    const account = this.accounts.numberOf(address);
    return account !== undefined && this.accounts.has(account) ? account : undefined;
  }

  #run(run: NaiveRun, sender: number, { user, actor }: Acting, transaction: Transaction, admitted: Admitted): number {
    const { state } = this;
    switch (transaction.kind) {
      case 'transfer':
        return accounts.transfer(state, run, actor, transaction);
      case 'orders': {
        const { builder } = transaction;
        const builderAccount = builder === undefined ? undefined : this.accounts.numberOf(builder.address);
        return executeOrders(state, run, actor, transaction, admitted.firstOrdinal, builderAccount);
      }
      case 'oracle':
        return executeReport(state, transaction, reporterIndex(state, sender));
      case 'delist':
        return executeDelist(state, transaction, reporterIndex(state, sender));
      case 'deposit':
        return accounts.deposit(state, run, actor, transaction.amount);
      case 'toSpot':
        return accounts.toSpot(state, run, actor, transaction.amount);
      case 'withdraw':
        return accounts.withdraw(state, run, actor, transaction.amount);
      case 'sendPerp':
        return accounts.sendPerp(state, run, actor, transaction.recipient, transaction.amount);
      case 'updateLeverage':
        return accounts.updateLeverage(state, actor, transaction);
      case 'isolatedMargin':
        return accounts.isolatedMargin(state, actor, transaction);
      case 'scheduleCancel':
        return accounts.scheduleCancel(state, actor, transaction);
      case 'twap':
        return placeTwap(state, run, actor, transaction);
      case 'twapCancel':
        return cancelTwap(state, run, actor, transaction);
      case 'createSubAccount':
        return accounts.createSubAccount(state, run, user, createdBy(admitted), transaction.name ?? '');
      case 'subAccountModify':
        return accounts.subAccountModify(state, user, transaction);
      case 'setDisplayName':
        return accounts.setDisplayName(state, user, transaction.name);
      case 'subTransfer':
        return accounts.subTransfer(state, run, user, transaction);
      case 'approveAgent':
        return accounts.approveAgent(state, run, user, transaction);
      case 'multiSig':
        return accounts.multiSig(state, user, transaction);
      case 'approveBuilder':
        return accounts.approveBuilder(state, actor, transaction);
      case 'registerReferrer':
        return accounts.registerReferrer(state, actor, transaction.code);
      case 'setReferrer':
        return accounts.setReferrer(state, actor, transaction.code);
      case 'claimRewards':
        return accounts.claimRewards(state, run, actor);
      case 'createVault':
        return vaults.createVault(state, run, user, createdBy(admitted), transaction);
      case 'vaultTransfer':
        return vaults.vaultTransfer(state, run, user, transaction);
      case 'vaultModify':
        return vaults.vaultModify(state, user, transaction);
      case 'noop':
        return CODE_OK;
    }
  }
}

/** Addresses that a transaction names, in the order in which they are looked up: those before its recipients. */
function namedFirst({ sender, behalf, multiSig }: Transaction): readonly Address[] {
  const names = [sender];
  if (multiSig !== undefined) names.push(multiSig.user);
  if (behalf !== undefined) names.push(behalf);
  return names;
}

/** Those behind its recipients. */
function namedLast(transaction: Transaction): readonly Address[] {
  const names: Address[] = [];
  if (transaction.kind === 'orders' && transaction.builder !== undefined) names.push(transaction.builder.address);
  if (transaction.kind === 'subTransfer' || transaction.kind === 'subAccountModify') names.push(transaction.subAccount);
  if (transaction.kind === 'approveBuilder') names.push(transaction.builder);
  if (transaction.kind === 'vaultTransfer' || transaction.kind === 'vaultModify') names.push(transaction.vault);
  return [...names, ...(transaction.multiSig?.signers ?? [])];
}

/** Addresses that get a number if they have none. */
function recipientsOf(transaction: Transaction): readonly Address[] {
  switch (transaction.kind) {
    case 'transfer':
    case 'sendPerp':
      return [transaction.recipient];
    case 'approveAgent':
      return [transaction.agent];
    case 'multiSig':
      return transaction.signers?.authorised ?? [];
    default:
      return [];
  }
}

function createdBy({ created }: Admitted): Address {
  assert(created !== undefined, 'the new address was made at admission');
  return created;
}

function reporterIndex(state: NaiveState, sender: number): number {
  const index = reporterOf(state, sender);
  assert(index !== undefined, 'only reporters pass the static checks');
  return index;
}
