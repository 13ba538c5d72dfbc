/**
 * Admission: typed transactions to the kernel's form (docs/rules.md, section 2). Resolves addresses to account numbers and keys (client ids,
 * names, approvals, followers) to locations, once, before the block executes; what cannot be admitted becomes a transaction of kind 0 with
 * its code.
 *
 * A dormant account that is named is revived on the way (dormant-accounts.ts).
 *
 * Invariant: but for that, nothing here changes the state root. A number or a key that the block does not use is taken back at its end.
 */
import { createHash } from 'node:crypto';
import { CODE_ACCOUNT_LIMIT, CODE_EMPTY_BATCH, CODE_OK, CODE_TOO_MANY_ITEMS, CODE_UNDECODABLE, CODE_UNKNOWN_KIND } from '../base/codes.ts';
import { HeddleError } from '../base/errors.ts';
import { type Genesis, reportersOf } from '../exchange/genesis.ts';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import * as G from '../ledger/layout.ts';
import type { OrderItem, OrdersTransaction, Transaction } from '../ledger/transactions.ts';
import type { PreparedBlock } from './api.ts';
import type { DormantAccounts } from './dormant-accounts.ts';
import type { MemoryNeed } from './memory-need.ts';
import {
  isBody,
  isEnvelope,
  parseAccountName,
  parseAddress,
  parseAgentName,
  parseDescription,
  parseReferralCode,
  parseVaultName,
} from './transaction-shape.ts';

export { parseAddress } from './transaction-shape.ts';

type Kind = Transaction['kind'];
type TransactionOf<K extends Kind> = Extract<Transaction, { kind: K }>;

const KINDS: Readonly<Record<Kind, number>> = {
  transfer: G.KIND_TRANSFER,
  orders: X.KIND_ORDERS,
  oracle: X.KIND_ORACLE,
  deposit: X.KIND_DEPOSIT,
  toSpot: X.KIND_TO_SPOT,
  sendPerp: X.KIND_SEND_PERP,
  withdraw: X.KIND_WITHDRAW,
  updateLeverage: X.KIND_LEVERAGE,
  isolatedMargin: X.KIND_ISOLATED_MARGIN,
  scheduleCancel: X.KIND_SCHEDULE_CANCEL,
  twap: X.KIND_TWAP,
  twapCancel: X.KIND_TWAP_CANCEL,
  createSubAccount: X.KIND_CREATE_SUB_ACCOUNT,
  subTransfer: X.KIND_SUB_TRANSFER,
  approveAgent: X.KIND_APPROVE_AGENT,
  multiSig: X.KIND_MULTI_SIG,
  approveBuilder: X.KIND_APPROVE_BUILDER,
  registerReferrer: X.KIND_REGISTER_REFERRER,
  setReferrer: X.KIND_SET_REFERRER,
  claimRewards: X.KIND_CLAIM_REWARDS,
  createVault: X.KIND_CREATE_VAULT,
  vaultTransfer: X.KIND_VAULT_TRANSFER,
  vaultModify: X.KIND_VAULT_MODIFY,
  delist: X.KIND_DELIST,
  noop: X.KIND_NOOP,
  setDisplayName: X.KIND_SET_DISPLAY_NAME,
  subAccountModify: X.KIND_SUB_ACCOUNT_MODIFY,
};
const OPS = {
  place: X.OP_PLACE,
  cancel: X.OP_CANCEL,
  cancelByClientId: X.OP_CANCEL_CLIENT,
  modify: X.OP_MODIFY,
  reduce: X.OP_REDUCE,
} as const;
const TIFS = { gtc: X.TIF_GTC, ioc: X.TIF_IOC, alo: X.TIF_ALO, market: X.TIF_MARKET, fok: X.TIF_FOK } as const;
const SELF_TRADE = {
  cancelMaker: X.SELF_TRADE_CANCEL_MAKER,
  cancelTaker: X.SELF_TRADE_CANCEL_TAKER,
  cancelBoth: X.SELF_TRADE_CANCEL_BOTH,
} as const;
const GROUPINGS = { none: X.GROUPING_NONE, normal: X.GROUPING_NORMAL, position: X.GROUPING_POSITION } as const;
/** The most bytes of one transaction: a batch of the largest items, and its list of signers. */
const TRANSACTION_BYTES_MAX = X.ORDERS_ITEMS + X.BATCH_ITEMS_MAX * X.ORACLE_ITEM_BYTES + 8 + X.SIGNERS_MAX * 8;
/** Builder fees above this are above every maximum. */
const BUILDER_FEE_TOP = 65535;
const KEY_CLASS = 36;
const CLIENT_ID_BYTES = 16;

export class Admission {
  private readonly kernel: Kernel;
  /** Numbers in use, as a set for the lowest free one. */
  private readonly used: Uint8Array;
  /** Index of a reporter by its address, without 0x. */
  private readonly reporters: ReadonlyMap<string, number>;
  private lowestFree = 0;
  /** How many numbers are in use. */
  private inUse = 0;
  private fresh: number[] = [];
  /** Locations of keys, some more than once. */
  private resolved: number[] = [];
  /** Of addresses that have been looked up; forgotten when a number is given back. Measured: a third of the time of admission. */
  private readonly numbers = new Map<string, number>();
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);
  /** Where the transaction that is being written starts. */
  private start = 0;
  private at = 0;
  private blockNumber = 0;
  private timeMs = 0;
  /** The transaction names a dormant account for which there is no number. */
  private full = false;
  private readonly dormant: DormantAccounts | undefined;

  constructor(kernel: Kernel, genesis: Genesis, dormant: DormantAccounts | undefined) {
    this.kernel = kernel;
    this.dormant = dormant;
    this.reporters = new Map(reportersOf(genesis).map(({ address }, i) => [address.slice(2), i]));
    this.used = new Uint8Array(genesis.maxAccounts);
  }

  /** The number of an address, or NO_ACCOUNT. */
  numberOf(address: Uint8Array): number {
    const location = this.location(address);
    return location === 0 ? this.wake(address) : this.kernel.get(location * 32 + L.RECORD_PAYLOAD) - 1;
  }

  /** Of an address in the table; 0: it has no number. */
  private location(address: Uint8Array): number {
    return this.kernel.exports.findKey(G.CLASS_ADDRESS, this.stage(address), 20) >>> 0;
  }

  /** The number of an address that is not in the table: a dormant account gets one, and its records are back. */
  private wake(address: Uint8Array): number {
    const records = this.dormant?.find(address);
    if (records === undefined) return L.NO_ACCOUNT;
    const number = this.takeNumber(address);
    this.full ||= number === undefined;
    if (number === undefined) return L.NO_ACCOUNT;
    this.dormant?.unfold(number, address, records, this.timeMs);
    return number;
  }

  /** Adds to what a transaction needs what it takes to wake this account, if it is dormant. */
  addWaking(address: string, need: MemoryNeed): void {
    if (this.numbers.has(address)) return;
    const bytes = parseAddress(address);
    if (bytes !== undefined && this.location(bytes) === 0) this.dormant?.addWaking(bytes, need);
  }

  /** Has this account a record for each of the nonces that are kept? Then none of its transactions makes one. */
  hasAllNonces(address: string): boolean {
    const { kernel } = this;
    const number = this.numbers.get(address) ?? this.numberInTable(address);
    if (number === undefined) return false;
    const last = kernel.get(G.LEDGER_NONCES) + ((number + 1) * G.NONCES_CHUNKS - 1) * G.NONCES_SIZE;
    return (kernel.get(last + L.RECORD_META) & L.RECORD_PRESENT) !== 0;
  }

  private numberInTable(address: string): number | undefined {
    const bytes = parseAddress(address);
    const location = bytes === undefined ? 0 : this.location(bytes);
    return location === 0 ? undefined : this.kernel.get(location * 32 + L.RECORD_PAYLOAD) - 1;
  }

  /** The number of an address, given out if it has none; undefined when all numbers are in use. */
  giveNumber(address: Uint8Array): number | undefined {
    const known = this.numberOf(address);
    if (known !== L.NO_ACCOUNT) return known;
    const number = this.takeNumber(address);
    if (number !== undefined) this.fresh.push(number);
    return number;
  }

  /** The lowest number that is not in use, for an address that has none; undefined if there is none. */
  private takeNumber(address: Uint8Array): number | undefined {
    while (this.lowestFree < this.used.length && this.used[this.lowestFree] === 1) this.lowestFree++;
    const number = this.lowestFree;
    if (number === this.used.length) return undefined;
    this.keepNumber(number, address);
    return number;
  }

  /** A number whose account is gone. */
  private releaseNumber(number: number, address: Uint8Array): void {
    this.setReporter(address, L.NO_ACCOUNT);
    this.kernel.exports.removeKey(this.location(address));
    this.numbers.clear();
    this.used[number] = 0;
    this.inUse--;
    this.lowestFree = Math.min(this.lowestFree, number);
  }

  private addressOf(number: number): Uint8Array {
    const at = this.kernel.get(G.LEDGER_ADDRESSES) + number * 32;
    return this.kernel.u8.slice(at, at + 20);
  }

  /** The kernel knows reporters by their numbers. */
  private setReporter(address: Uint8Array, number: number): void {
    const reporter = this.reporters.get(Buffer.from(address).toString('hex'));
    if (reporter !== undefined) this.kernel.set(this.kernel.get(X.EXC_REPORTER_TABLE) + reporter * 16 + 8, number);
  }

  get highestNumber(): number {
    return this.used.lastIndexOf(1) + 1;
  }

  private stage(bytes: Uint8Array): number {
    this.kernel.u8.set(bytes, this.kernel.staging);
    return this.kernel.staging;
  }

  private resolve(recordClass: number, key: Uint8Array): number {
    this.stage(key);
    return this.resolveStaged(recordClass, key.length);
  }

  private resolveStaged(recordClass: number, bytes: number): number {
    const location = this.kernel.exports.resolveKey(recordClass, this.kernel.staging, bytes) >>> 0;
    if (location === 0) {
      throw new HeddleError(
        'OUT_OF_MEMORY',
        'the key table or the shared memory is full: give the engine more (keyCapacity, memoryMiB); the block was not started',
      );
    }
    return location;
  }

  /** The location of a client id's record; 0 if there is no such account. The same as `keyed`, and nothing is allocated. */
  private clientId(account: number, id: string): number {
    if (account === L.NO_ACCOUNT) return 0;
    const { kernel } = this;
    const { u8, staging } = kernel;
    kernel.view.setUint32(staging, account);
    for (let i = 0; i < CLIENT_ID_BYTES; i++) {
      u8[staging + 4 + i] = (digit(id.charCodeAt(2 + 2 * i)) << 4) | digit(id.charCodeAt(3 + 2 * i));
    }
    return this.noted(this.resolveStaged(X.CLASS_CLIENT_ID, 4 + CLIENT_ID_BYTES));
  }

  /** The location of a keyed record whose key starts with an account number; 0 if there is no such account. */
  private keyed(recordClass: number, account: number, rest: Uint8Array | number): number {
    if (account === L.NO_ACCOUNT || rest === L.NO_ACCOUNT) return 0;
    const key = new Uint8Array(4 + (typeof rest === 'number' ? 4 : rest.length));
    const view = new DataView(key.buffer);
    view.setUint32(0, account);
    if (typeof rest === 'number') view.setUint32(4, rest);
    else key.set(rest, 4);
    return this.noted(this.resolve(recordClass, key));
  }

  /** Notes a key that goes again at the end of the block if its record is absent then. */
  private noted(location: number): number {
    this.resolved.push(location);
    return location;
  }

  /** Encodes a block. Throws OUT_OF_MEMORY, STORE_DAMAGED before anything has been executed; what was revived for it is dormant again. */
  prepare(number: number, timeMs: number, transactions: readonly Transaction[]): PreparedBlock {
    // A block that was prepared before and did not run.
    this.putBack();
    try {
      return this.encodeBlock(number, timeMs, transactions);
    } catch (error) {
      this.putBack();
      throw error;
    }
  }

  /** The block that was prepared does not run: what was revived for it is dormant again, and the numbers that it gave out are free. */
  putBack(): void {
    for (const number of this.dormant?.putBack() ?? []) this.releaseNumber(number, this.addressOf(number));
    this.releaseFresh();
  }

  private releaseFresh(): void {
    const accounts = this.kernel.get(G.LEDGER_ACCOUNTS);
    for (const number of this.fresh) {
      const present = (this.kernel.get(accounts + number * G.ACCOUNT_SIZE + L.RECORD_META) & L.RECORD_PRESENT) !== 0;
      if (!present) this.releaseNumber(number, this.addressOf(number));
    }
    this.fresh = [];
  }

  private encodeBlock(number: number, timeMs: number, transactions: readonly Transaction[]): PreparedBlock {
    const offsets = new Uint32Array(transactions.length + 1);
    this.at = 0;
    this.blockNumber = number;
    this.timeMs = timeMs;
    let items = 0;
    transactions.forEach((transaction, index) => {
      offsets[index] = this.at;
      this.room(TRANSACTION_BYTES_MAX);
      const start = this.at;
      const code = this.encode(transaction, index, items);
      if (code === CODE_OK) items += transaction.kind === 'orders' ? transaction.items.length : 0;
      else {
        this.at = start;
        this.header(L.KIND_REFUSED, 0, L.NO_ACCOUNT, 0n, items);
        this.view.setUint32(start + L.TX_CODE, code, true);
      }
    });
    offsets[transactions.length] = this.at;
    return { number, timeMs, count: transactions.length, bytes: this.bytes.slice(0, this.at), offsets, items };
  }

  private room(bytes: number): void {
    if (this.at + bytes > this.bytes.length) {
      const larger = new Uint8Array(this.bytes.length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    this.bytes.fill(0, this.at, this.at + bytes);
  }

  private header(kind: number, items: number, sender: number, nonce: bigint, firstItem: number): void {
    const { view, at } = this;
    this.start = at;
    view.setUint8(at + L.TX_KIND, kind);
    view.setUint8(at + L.TX_FLAGS, 0);
    view.setUint16(at + L.TX_ITEMS, items, true);
    view.setUint32(at + L.TX_SENDER, sender, true);
    view.setBigUint64(at + L.TX_NONCE, nonce, true);
    view.setUint32(at + L.TX_FIRST_ITEM, firstItem, true);
    this.at = at + L.TX_PAYLOAD;
  }

  private flag(flag: number): void {
    this.view.setUint8(this.start + L.TX_FLAGS, this.view.getUint8(this.start + L.TX_FLAGS) | flag);
  }

  private word(offset: number, value: number): void {
    this.view.setUint32(this.start + offset, value, true);
  }

  private wide(offset: number, value: bigint): void {
    this.view.setBigInt64(this.start + offset, BigInt.asIntN(64, value), true);
  }

  /** What `isBody` has found to be a text. */
  private text(offset: number, bytes: Uint8Array | undefined): void {
    this.bytes.set(bytes as Uint8Array, this.start + offset);
  }

  private end(offset: number): void {
    this.at = this.start + offset;
  }

  /** Writes one transaction at `at`; a code other than 0 means refused, and what was written does not count. */
  private encode(transaction: Transaction, index: number, firstItem: number): number {
    if (!isEnvelope(transaction)) return CODE_UNDECODABLE;
    if (!Object.hasOwn(KINDS, transaction.kind)) return CODE_UNKNOWN_KIND;
    if (!isBody(transaction)) return CODE_UNDECODABLE;
    const items = transaction.kind === 'orders' ? transaction.items : transaction.kind === 'oracle' ? transaction.prices : undefined;
    if (items !== undefined && items.length === 0) return CODE_EMPTY_BATCH;
    if (items !== undefined && items.length > X.BATCH_ITEMS_MAX) return CODE_TOO_MANY_ITEMS;
    this.full = false;
    const sender = this.lookUp(transaction.sender);
    this.header(KINDS[transaction.kind], items?.length ?? 0, sender, transaction.nonce ?? 0n, firstItem);
    const actor = this.acting(transaction, sender);
    const code = this.encodeBody(transaction, index, actor);
    if (code === CODE_OK) this.encodeSigners(transaction);
    return this.full ? CODE_ACCOUNT_LIMIT : code;
  }

  private lookUp(address: string): number {
    const known = this.numbers.get(address);
    if (known !== undefined) return known;
    const number = this.numberOf(parseAddress(address) as Uint8Array);
    if (number !== L.NO_ACCOUNT) this.numbers.set(address, number);
    return number;
  }

  /** Whom a sender acts for when it names nobody: agents have an owner. As it was before the block. */
  private userOf(sender: number): number {
    if (sender === L.NO_ACCOUNT) return sender;
    const account = this.kernel.get(G.LEDGER_ACCOUNTS) + sender * G.ACCOUNT_SIZE;
    const agent = this.kernel.u8[account + G.ACCOUNT_ROLE] === G.ROLE_AGENT;
    return agent ? this.kernel.get(account + G.ACCOUNT_OWNER) : sender;
  }

  /** Writes what the head says of acting; returns the number of the account that keys are resolved for. */
  private acting(transaction: Transaction, sender: number): number {
    const { nonce, behalf, multiSig } = transaction;
    if (nonce === undefined && behalf === undefined && multiSig === undefined) return sender;
    if (nonce !== undefined) this.flag(L.TX_FLAG_NONCE);
    let actor = multiSig === undefined ? this.userOf(sender) : this.lookUp(multiSig.user);
    if (behalf !== undefined) {
      actor = this.lookUp(behalf);
      this.flag(L.TX_FLAG_BEHALF);
      this.word(L.TX_BEHALF, actor);
    }
    this.word(L.TX_ACTOR, actor);
    return actor;
  }

  /** The list of signers, behind the payload. */
  private encodeSigners({ multiSig }: Transaction): void {
    if (multiSig === undefined) return;
    const user = this.lookUp(multiSig.user);
    const list = this.at - this.start;
    this.flag(L.TX_FLAG_SIGNERS);
    this.word(L.TX_SIGNERS, list);
    this.word(list, user);
    this.word(list + 4, multiSig.signers.length);
    multiSig.signers.forEach((address, i) => {
      const signer = this.lookUp(address);
      this.word(list + 8 + i * 8, signer);
      this.word(list + 12 + i * 8, this.keyed(G.CLASS_SIGNER, user, signer));
    });
    this.end(list + 8 + multiSig.signers.length * 8);
  }

  private encodeBody(transaction: Transaction, index: number, actor: number): number {
    this.end(X.PAYLOAD_BYTES);
    switch (transaction.kind) {
      case 'transfer':
        this.word(G.TRANSFER_TOKEN, transaction.token);
        this.wide(G.TRANSFER_AMOUNT, transaction.amount);
        return this.recipient(G.TRANSFER_RECIPIENT, transaction.recipient);
      case 'deposit':
      case 'toSpot':
      case 'withdraw':
        this.wide(X.FIELD_0, transaction.amount);
        return CODE_OK;
      case 'sendPerp':
        this.wide(X.FIELD_0, transaction.amount);
        return this.recipient(X.FIELD_8, transaction.recipient);
      case 'orders':
        this.encodeOrders(transaction, actor);
        return CODE_OK;
      case 'oracle':
        this.encodeReport(transaction);
        return CODE_OK;
      case 'updateLeverage':
        this.word(X.FIELD_0, transaction.market);
        this.word(X.FIELD_4, transaction.leverage);
        this.word(X.FIELD_8, transaction.isolated ? 1 : 0);
        return CODE_OK;
      case 'isolatedMargin':
        this.word(X.FIELD_0, transaction.market);
        this.word(X.FIELD_4, transaction.leverage ?? 0);
        this.wide(X.FIELD_8, transaction.amount ?? 0n);
        return CODE_OK;
      case 'scheduleCancel':
        this.wide(X.FIELD_0, BigInt(transaction.timeMs ?? 0));
        return CODE_OK;
      case 'twap':
        this.encodeTwap(transaction);
        return CODE_OK;
      case 'twapCancel':
        this.word(X.FIELD_0, transaction.market);
        this.word(X.FIELD_4, transaction.id);
        return CODE_OK;
      case 'createSubAccount':
        if (transaction.name !== undefined) this.text(X.FIELD_8, parseAccountName(transaction.name));
        return this.newAccount(X.FIELD_0, transaction, index);
      case 'subAccountModify':
        this.word(X.FIELD_0, this.lookUp(transaction.subAccount));
        this.text(X.FIELD_8, parseAccountName(transaction.name));
        return CODE_OK;
      case 'setDisplayName':
        this.text(X.FIELD_8, parseAccountName(transaction.name));
        return CODE_OK;
      case 'subTransfer':
        this.wide(X.FIELD_0, transaction.amount);
        this.word(X.FIELD_8, this.lookUp(transaction.subAccount));
        this.word(X.FIELD_12, transaction.deposit ? 1 : 0);
        return CODE_OK;
      case 'approveAgent':
        this.word(X.FIELD_4, this.keyed(G.CLASS_AGENT, actor, parseAgentName(transaction.name) as Uint8Array));
        this.wide(X.FIELD_8, BigInt(transaction.expiresMs ?? 0));
        this.word(X.FIELD_16, (transaction.name ?? '') === '' ? 0 : 1);
        return this.recipient(X.FIELD_0, transaction.agent);
      case 'multiSig':
        return this.encodeMultiSig(transaction, actor);
      case 'approveBuilder': {
        const builder = this.lookUp(transaction.builder);
        this.word(X.FIELD_0, builder);
        this.word(X.FIELD_4, this.keyed(X.CLASS_APPROVAL, actor, builder));
        this.word(X.FIELD_8, transaction.maxFee);
        return CODE_OK;
      }
      case 'registerReferrer':
      case 'setReferrer':
        this.word(X.FIELD_0, this.noted(this.resolve(X.CLASS_REFERRAL, parseReferralCode(transaction.code) as Uint8Array)));
        return CODE_OK;
      case 'createVault': {
        this.wide(X.FIELD_0, transaction.amount);
        const code = this.newAccount(X.FIELD_8, transaction, index);
        if (code === CODE_OK) {
          const vault = this.view.getUint32(this.start + X.FIELD_8, true);
          this.word(X.FIELD_12, this.keyed(X.CLASS_FOLLOWER, vault, actor));
          this.encodeVaultTexts(transaction, vault);
        }
        return code;
      }
      case 'vaultTransfer': {
        const vault = this.lookUp(transaction.vault);
        this.wide(X.FIELD_0, transaction.amount);
        this.word(X.FIELD_8, vault);
        this.word(X.FIELD_12, this.keyed(X.CLASS_FOLLOWER, vault, actor));
        this.word(X.FIELD_16, transaction.deposit ? 1 : 0);
        return CODE_OK;
      }
      case 'vaultModify':
        this.word(X.FIELD_0, this.lookUp(transaction.vault));
        this.word(X.FIELD_4, transaction.allowDeposits ? 1 : 0);
        return CODE_OK;
      case 'delist':
        this.word(X.FIELD_0, transaction.market);
        return CODE_OK;
      case 'claimRewards':
      case 'noop':
        return CODE_OK;
    }
  }

  /** An account that gets a number if it has none. */
  private recipient(offset: number, address: string): number {
    const number = this.numbers.get(address) ?? this.giveNumber(parseAddress(address) as Uint8Array);
    if (number === undefined) return CODE_ACCOUNT_LIMIT;
    this.word(offset, number);
    return CODE_OK;
  }

  /** The address that a transaction makes, which nobody has a key of. */
  private newAccount(offset: number, { kind, sender }: Transaction, index: number): number {
    const digest = createHash('sha256').update(`heddle ${kind}:${sender}:${this.blockNumber}:${index}`).digest();
    const number = this.giveNumber(new Uint8Array(digest.subarray(0, 20)));
    if (number === undefined) return CODE_ACCOUNT_LIMIT;
    this.word(offset, number);
    return CODE_OK;
  }

  private encodeMultiSig({ signers }: TransactionOf<'multiSig'>, user: number): number {
    const authorised = signers?.authorised ?? [];
    this.word(X.FIELD_0, signers?.threshold ?? 0);
    this.word(X.FIELD_4, authorised.length);
    // Numbers for all of them or for none.
    const without = authorised.filter((address) => this.location(parseAddress(address) as Uint8Array) === 0).length;
    if (without > this.used.length - this.inUse) return CODE_ACCOUNT_LIMIT;
    for (const [i, address] of authorised.entries()) {
      const code = this.recipient(X.FIELD_12 + i * 8, address);
      if (code !== CODE_OK) return code;
      const signer = this.view.getUint32(this.start + X.FIELD_12 + i * 8, true);
      this.word(X.FIELD_8 + i * 8, this.keyed(G.CLASS_SIGNER, user, signer));
    }
    this.end(Math.max(X.PAYLOAD_BYTES, X.FIELD_8 + authorised.length * 8));
    return CODE_OK;
  }

  /** Name and description in parts, and where the parts' records lie. */
  private encodeVaultTexts({ name, description }: TransactionOf<'createVault'>, vault: number): void {
    const partsOf = (text = '') => Math.ceil(Buffer.byteLength(text) / X.TEXT_PART_BYTES);
    const [nameParts, descriptionParts] = [partsOf(name), partsOf(description)];
    const parts = nameParts + descriptionParts;
    const locations = X.PAYLOAD_BYTES + parts * X.TEXT_PART_BYTES;
    this.word(X.FIELD_16, nameParts);
    this.word(X.FIELD_20, descriptionParts);
    if (name !== undefined) this.text(X.PAYLOAD_BYTES, parseVaultName(name)?.subarray(0, nameParts * X.TEXT_PART_BYTES));
    const behind = X.PAYLOAD_BYTES + nameParts * X.TEXT_PART_BYTES;
    if (description !== undefined) this.text(behind, parseDescription(description)?.subarray(0, descriptionParts * X.TEXT_PART_BYTES));
    for (let i = 0; i < parts; i++) {
      const part = i < nameParts ? i : X.VAULT_NAME_PARTS + i - nameParts;
      this.word(locations + i * 8, this.keyed(X.CLASS_VAULT_TEXT, vault, part));
    }
    this.end(locations + parts * 8);
  }

  private encodeTwap(transaction: TransactionOf<'twap'>): void {
    const { start } = transaction;
    this.word(X.FIELD_0, transaction.market);
    this.word(
      X.FIELD_4,
      (transaction.side === 'sell' ? X.TWAP_SELL : 0) |
        (transaction.reduceOnly ? X.TWAP_REDUCE_ONLY : 0) |
        (transaction.randomize ? X.TWAP_RANDOMIZE : 0) |
        (start?.above ? X.TWAP_START_ABOVE : 0),
    );
    this.wide(X.FIELD_8, transaction.sizeLots);
    this.word(X.FIELD_16, transaction.minutes);
    this.word(X.FIELD_20, start?.priceTicks ?? 0);
    this.word(X.FIELD_24, transaction.stopTicks ?? 0);
  }

  private encodeReport({ prices }: TransactionOf<'oracle'>): void {
    prices.forEach(({ market, spot, perp = [] }, i) => {
      const item = L.TX_PAYLOAD + i * X.ORACLE_ITEM_BYTES;
      this.word(item, market);
      spot.forEach((ticks, source) => {
        this.word(item + X.ORACLE_SPOT + source * 4, ticks);
      });
      perp.forEach((ticks, source) => {
        this.word(item + X.ORACLE_PERP + source * 4, ticks);
      });
    });
    this.end(L.TX_PAYLOAD + prices.length * X.ORACLE_ITEM_BYTES);
  }

  private encodeOrders({ items, builder, grouping }: OrdersTransaction, actor: number): void {
    if (builder !== undefined) {
      const number = this.lookUp(builder.address);
      const approval = this.keyed(X.CLASS_APPROVAL, actor, number);
      // Without an approval the number does not matter, only that there is one.
      this.word(X.ORDERS_BUILDER, approval === 0 ? 1 : number + 1);
      this.word(X.ORDERS_APPROVAL, approval);
      this.view.setUint16(this.start + X.ORDERS_BUILDER_FEE, Math.min(builder.fee, BUILDER_FEE_TOP), true);
    }
    this.view.setUint8(this.start + X.ORDERS_GROUPING, GROUPINGS[grouping ?? 'none']);
    this.end(X.ORDERS_ITEMS);
    for (const item of items) this.encodeItem(item, actor);
  }

  private encodeItem(item: OrderItem, actor: number): void {
    const { view, at } = this;
    const location = (id: string) => this.clientId(actor, id);
    view.setUint8(at + X.ITEM_OP, OPS[item.op]);
    view.setUint32(at + X.ITEM_MARKET, item.market, true);
    if (item.op === 'cancelByClientId') view.setUint32(at + X.ITEM_TARGET, location(item.target), true);
    else if (item.op === 'cancel' || item.op === 'reduce') {
      view.setBigUint64(at + X.ITEM_OID, item.oid, true);
      if (item.op === 'reduce') view.setBigUint64(at + X.ITEM_SIZE, item.sizeLots, true);
    } else {
      const flags =
        (item.side === 'sell' ? X.FLAG_SELL : 0) |
        (item.reduceOnly ? X.FLAG_REDUCE_ONLY : 0) |
        (item.clientId === undefined ? 0 : X.FLAG_CLIENT_ID) |
        (item.op === 'modify' && item.always ? X.FLAG_ALWAYS : 0);
      view.setUint8(at + X.ITEM_FLAGS, flags);
      view.setUint8(at + X.ITEM_TIF, TIFS[item.tif]);
      view.setUint8(at + X.ITEM_SELF_TRADE, SELF_TRADE[item.selfTrade ?? 'cancelMaker']);
      view.setBigUint64(at + X.ITEM_SIZE, item.sizeLots, true);
      view.setUint32(at + X.ITEM_PRICE, item.priceTicks, true);
      if (item.clientId !== undefined) view.setUint32(at + X.ITEM_CLIENT, location(item.clientId), true);
      view.setBigUint64(at + X.ITEM_EXPIRES, BigInt(item.expiresMs ?? 0), true);
      view.setBigUint64(at + X.ITEM_DISPLAY, item.displayLots ?? 0n, true);
      if (item.trigger !== undefined) {
        view.setUint32(at + X.ITEM_TRIGGER, item.trigger.priceTicks, true);
        view.setUint8(at + X.ITEM_TRIGGER_KIND, item.trigger.kind === 'takeProfit' ? X.TRIGGER_TAKE_PROFIT : X.TRIGGER_STOP_LOSS);
        view.setUint8(at + X.ITEM_TRIGGER_MARKET, item.trigger.market ? 1 : 0);
      }
      if (item.op === 'modify') {
        if (typeof item.target === 'bigint') view.setBigUint64(at + X.ITEM_OID, item.target, true);
        else {
          view.setUint8(at + X.ITEM_OP, X.OP_MODIFY_CLIENT);
          view.setUint32(at + X.ITEM_TARGET, location(item.target), true);
        }
      }
    }
    this.at = at + X.ITEM_BYTES;
  }

  /** End of the block: numbers and keys that the block left absent are free again, in an order that every node shares. */
  reclaim(): void {
    const { kernel } = this;
    const present = (address: number) => (kernel.get(address + L.RECORD_META) & L.RECORD_PRESENT) !== 0;
    this.releaseFresh();
    for (const [number, address] of this.dormant?.takeFolded() ?? []) this.releaseNumber(number, address);
    const count = kernel.get(L.CTL_RECLAIM_COUNT);
    const list = kernel.get(L.REG_RECLAIM);
    if (count > kernel.get(L.REG_LIST_MAX)) for (const location of kernelKeys(kernel)) this.resolved.push(location);
    else for (let i = 0; i < count; i++) this.resolved.push(kernel.get(list + i * 4));
    kernel.set(L.CTL_RECLAIM_COUNT, 0);
    const absent = this.resolved.filter(
      (location) => !present(location * 32) && isRecordClass(kernel.u8[location * 32 + KEY_CLASS] as number),
    );
    absent.sort((a, b) => a - b);
    absent.forEach((location, i) => {
      if (location !== absent[i - 1]) kernel.exports.removeKey(location);
    });
    this.resolved = [];
  }

  /** Forgets all numbers: the state is about to be replaced. */
  forgetAll(): void {
    const { kernel } = this;
    for (const location of [...kernelKeys(kernel)]) kernel.exports.removeKey(location);
    const table = kernel.get(X.EXC_REPORTER_TABLE);
    for (let i = 0; i < this.reporters.size; i++) kernel.set(table + i * 16 + 8, L.NO_ACCOUNT);
    this.used.fill(0);
    this.inUse = 0;
    this.lowestFree = 0;
    this.fresh = [];
    this.resolved = [];
    this.numbers.clear();
  }

  /** An account of a state that is brought in. */
  keepNumber(number: number, address: Uint8Array): void {
    const location = this.resolve(G.CLASS_ADDRESS, address);
    this.kernel.set(location * 32 + L.RECORD_PAYLOAD, number + 1);
    this.kernel.u8.set(address, this.kernel.get(G.LEDGER_ADDRESSES) + number * 32);
    if (this.used[number] === 0) this.inUse++;
    this.used[number] = 1;
    this.setReporter(address, number);
  }

  /** A dormant account of a state that is brought in. False: it is none of this ledger. */
  keepDormant(address: Uint8Array, value: Uint8Array, height: number): boolean {
    return this.dormant?.keep(address, value, height) ?? false;
  }

  /** The location of a keyed record of a state that is brought in. */
  keepKey(recordClass: number, key: Uint8Array): number {
    return this.resolve(recordClass, key);
  }

  snapshot(): { used: Uint8Array; lowestFree: number } {
    return { used: this.used.slice(), lowestFree: this.lowestFree };
  }

  restore(snapshot: { used: Uint8Array; lowestFree: number }): void {
    this.used.set(snapshot.used);
    this.inUse = snapshot.used.reduce((sum, used) => sum + used, 0);
    this.lowestFree = snapshot.lowestFree;
    this.fresh = [];
    this.resolved = [];
    this.numbers.clear();
  }
}

/** Of a lower-case hexadecimal digit. */
function digit(character: number): number {
  return character < 58 ? character - 48 : character - 87;
}

/** Is a unit of the key table of a class whose records come and go (a free unit has class 0, an address has no record)? */
function isRecordClass(recordClass: number): boolean {
  return recordClass !== 0 && recordClass !== G.CLASS_ADDRESS;
}

/** Locations of all keys of the table. */
export function* kernelKeys(kernel: Kernel): Generator<number> {
  const table = kernel.get(L.REG_KEYS);
  const mask = kernel.get(L.REG_KEY_MASK);
  for (let i = 0; i <= mask; i++) {
    const location = kernel.get(table + i * 8);
    if (location !== 0) yield location;
  }
}
