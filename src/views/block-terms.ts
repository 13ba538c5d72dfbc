/**
 * What a block is to be found by in the store: accounts, orders, client ids, transactions and markets that something happened to.
 *
 * Read off transactions and events alone, and off the events' bytes: nothing is made of them but keys. Accounts that are named by number are found with
 * `addressOf`, which must know those that the block has made (`Views.addressOfNumber` does once it has taken the block in).
 */
import { assert } from '../base/assert.ts';
import * as X from '../exchange/layout.ts';
import * as L from '../ledger/layout.ts';
import type { Address, OrdersTransaction, Transaction } from '../ledger/transactions.ts';
import { BlockKeys } from '../storage/index.ts';
import { codeOf } from './events.ts';
import type { ReadableBlock } from './facts.ts';
import { NOBODY } from './facts.ts';

export interface TermNames {
  /** By number of the ledger. Undefined: no account has had it. */
  readonly addressOf: (account: number) => Address | undefined;
  /** Whom a sender acts for: the owner of an agent, else the sender. */
  readonly ownerOf: (sender: Address) => Address;
}

/** Where an event names what it happened to: offsets of numbers of accounts (u32), of oids (u64) and of the market. */
interface NamedBy {
  readonly accounts: readonly number[];
  readonly oids: readonly number[];
  readonly market?: { readonly at: number; readonly bytes: 2 | 4 };
}

/** By the kind of the event; of what is not here, nothing is named. */
const NAMED: readonly (NamedBy | undefined)[] = namedByKind();
const ACTIVE_WHAT = 36;

/** One for all: blocks are told one after the other. */
const keys = new BlockKeys();

/** The keys of the block in the store's index. */
export function blockTerms(block: ReadableBlock, names: TermNames): Uint8Array {
  const { number, timeMs, transactions, hashes, receipts } = block;
  const { addressOf, ownerOf } = names;
  const seen = new Set<number>();
  const addAccount = (account: number): void => {
    if (account === NOBODY || seen.has(account)) return;
    seen.add(account);
    const address = addressOf(account);
    if (address !== undefined) keys.account(address);
  };
  keys.begin(number, timeMs);
  receipts.forEach((receipt, index) => {
    const transaction = transactions[index];
    const isDone = codeOf(receipt) === 0;
    if (transaction !== undefined) addTransaction(transaction, index, isDone, ownerOf);
    if (isDone) addEvents(receipt, index, addAccount);
  });
  hashes.forEach((hash, index) => {
    keys.transaction(hash, index);
  });
  return keys.finish();
}

function addTransaction(transaction: Transaction, index: number, isDone: boolean, ownerOf: TermNames['ownerOf']): void {
  const { sender, behalf, multiSig } = transaction;
  const actor = behalf ?? multiSig?.user ?? ownerOf(sender);
  keys.account(sender);
  if (actor !== sender) keys.account(actor);
  if (isDone && transaction.kind === 'orders') addItems(transaction, index, actor);
}

function addItems({ items }: OrdersTransaction, index: number, actor: Address): void {
  for (const item of items) {
    keys.market(item.market);
    if (item.op === 'modify' || item.op === 'cancelByClientId') {
      if (typeof item.target === 'string') keys.clientId(actor, item.target, index);
      else if (item.target !== 0n) keys.orderOf(item.target, index);
    }
    if ((item.op === 'place' || item.op === 'modify') && item.clientId !== undefined) keys.clientId(actor, item.clientId, index);
  }
}

/** `receipt`: u32 code, then the events. */
function addEvents(receipt: Uint8Array, index: number, addAccount: (account: number) => void): void {
  for (let at = 4; at < receipt.length; ) {
    const length = u32(receipt, at) >>> 8;
    assert(length >= 4 && at + length <= receipt.length, 'an event has a length');
    const named = NAMED[receipt[at] as number];
    if (named !== undefined) addEvent(receipt, at, index, named, addAccount);
    at += length;
  }
}

function addEvent(
  receipt: Uint8Array,
  at: number,
  index: number,
  { accounts, oids, market }: NamedBy,
  addAccount: (account: number) => void,
): void {
  for (let i = 0; i < accounts.length; i++) addAccount(u32(receipt, at + (accounts[i] as number)));
  for (let i = 0; i < oids.length && !isOfTwap(receipt, at); i++) {
    const from = at + (oids[i] as number);
    const low = u32(receipt, from);
    const high = u32(receipt, from + 4);
    if ((low | high) !== 0) keys.order(high, low, index);
  }
  if (market === undefined) return;
  const number = market.bytes === 2 ? u32(receipt, at + market.at) & 0xffff : u32(receipt, at + market.at);
  if (number !== NOBODY) keys.market(number);
}

/** The oid of some events is the id of a TWAP. */
function isOfTwap(receipt: Uint8Array, at: number): boolean {
  if (receipt[at] !== X.EVENT_ACTIVE) return false;
  const what = u32(receipt, at + ACTIVE_WHAT);
  return what !== X.ACTIVE_TRIGGERED && what !== X.ACTIVE_CHILD;
}

function u32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0
  );
}

function namedByKind(): readonly (NamedBy | undefined)[] {
  const named: (NamedBy | undefined)[] = [];
  named[X.EVENT_ITEM] = { accounts: [], oids: [8] };
  named[X.EVENT_FILL] = { accounts: [24, 28], oids: [8, 16], market: { at: 4, bytes: 4 } };
  named[X.EVENT_CANCEL] = { accounts: [24], oids: [8], market: { at: 6, bytes: 2 } };
  named[X.EVENT_ACTIVE] = { accounts: [32], oids: [8], market: { at: 6, bytes: 2 } };
  named[X.EVENT_FORCED] = { accounts: [8, 40], oids: [], market: { at: 44, bytes: 4 } };
  named[X.EVENT_FUNDING] = { accounts: [], oids: [], market: { at: 4, bytes: 4 } };
  named[X.EVENT_MONEY] = { accounts: [8, 12], oids: [] };
  named[X.EVENT_CREATED] = { accounts: [8, 12], oids: [] };
  named[L.EVENT_TRANSFER] = { accounts: [8, 12], oids: [] };
  // A list without holes, which is read faster.
  return Array.from(named);
}
