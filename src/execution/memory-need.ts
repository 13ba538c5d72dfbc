/**
 * What a transaction can take of the shared memory at most, from what it says alone (docs/decisions/0019 has the table).
 *
 * Invariant: admission makes no more pages, units and keys for a transaction than this, and no more records are new in the state tree by it
 * but those that `countLatent` has counted before. Not here: what a record takes (memory-room.ts).
 */
import { assert } from '../base/assert.ts';
import * as X from '../exchange/layout.ts';
import * as L from '../kernel/layout.ts';
import type { Address, OrderItem, OrdersTransaction, Transaction } from '../ledger/transactions.ts';

/** What for: for more that stays, for getting out of what one has, or for taking away. Refused in this order as memory gets short. */
export type MemoryUse = 'more' | 'less' | 'cancel';

export interface MemoryNeed {
  /** Bytes of pages and of units of the key table that stay. */
  pages: number;
  /** New records of the state tree whose keys follow from numbers. */
  records: number;
  /** And of those whose keys the sender chooses, and with them where they lie in the tree. */
  chosen: number;
  /** Keys that are in the table until the block has ended, those included that stay. */
  keys: number;
  lastingKeys: number;
  use: MemoryUse;
}

/** What of a ledger decides it. */
export interface LedgerShape {
  readonly markets: number;
  readonly orderSlots: number;
}

export const KEY_UNIT_BYTES = 96;
export const POSITION_PAGE_BYTES = 256;
const SLOT_PAGE_BYTES = 512;
const SLOTS_A_PAGE = 8;
/** A market's pages of levels share chunks. */
const LEVEL_PAGE_SHARE = L.CHUNK_BYTES / Math.floor(L.CHUNK_BYTES / X.LEVEL_PAGE_BYTES);
/** An account that trades: its portfolio, its settings, four parts of its history, the rewards of a builder and a referrer. */
const TRADER_RECORDS = 8;
/** An account that money comes to: account, balance, margin account, volume, rewards. */
const PAID_RECORDS = 5;
/** An account that is made by a transaction: the same, its name or its vault, and the follower. */
const MADE_RECORDS = 7;
/** Of an order that rests: the order, what it has beside, the bits of its slot. */
const RESTING_RECORDS = 3;

export function needOf(transaction: Transaction, shape: LedgerShape): MemoryNeed {
  const need: MemoryNeed = { pages: 0, records: 0, chosen: 0, keys: 0, lastingKeys: 0, use: 'more' };
  if (transaction.nonce !== undefined) need.records++;
  if (transaction.multiSig !== undefined) need.keys += transaction.multiSig.signers.length;
  addBody(need, transaction, shape);
  return need;
}

function addBody(need: MemoryNeed, transaction: Transaction, shape: LedgerShape): void {
  switch (transaction.kind) {
    case 'orders':
      addOrders(need, transaction, shape);
      return;
    case 'transfer':
    case 'sendPerp':
      add(need, PAID_RECORDS, 0, 1);
      return;
    case 'deposit':
      add(need, PAID_RECORDS, 0, 0);
      need.use = 'less';
      return;
    case 'toSpot':
    case 'withdraw':
    case 'claimRewards':
    case 'scheduleCancel':
      add(need, 2, 0, 0);
      need.use = 'less';
      return;
    case 'oracle':
    case 'delist':
    case 'noop':
    case 'vaultModify':
      // What reports and votes make is counted as latent: prices have to be taken.
      need.use = 'cancel';
      return;
    case 'updateLeverage':
    case 'isolatedMargin':
      if (transaction.market < shape.markets) addPage(need, POSITION_PAGE_BYTES);
      add(need, 2, 0, 0);
      if (transaction.kind === 'isolatedMargin') need.use = 'less';
      return;
    case 'twap':
    case 'twapCancel':
      if (transaction.market < shape.markets) addPage(need, POSITION_PAGE_BYTES + SLOT_PAGE_BYTES);
      if (transaction.kind === 'twap') add(need, TRADER_RECORDS + 2, 0, 0);
      else need.use = 'less';
      return;
    case 'createSubAccount':
      add(need, MADE_RECORDS, 0, 1);
      return;
    case 'setDisplayName':
    case 'subAccountModify':
      add(need, 1, 0, 0);
      return;
    case 'createVault': {
      const parts = textParts(transaction.name) + textParts(transaction.description);
      add(need, 2 * MADE_RECORDS + parts, 0, 2 + parts);
      return;
    }
    case 'subTransfer':
      add(need, PAID_RECORDS, 0, 0);
      if (!transaction.deposit) need.use = 'less';
      return;
    case 'vaultTransfer':
      // A follower who leaves has the vault close positions: what it makes for others is latent.
      add(need, PAID_RECORDS, 0, transaction.deposit ? 1 : 0);
      need.keys += transaction.deposit ? 0 : 1;
      if (!transaction.deposit) need.use = 'less';
      return;
    case 'approveAgent':
      add(need, 1, 1, 2);
      return;
    case 'multiSig':
      add(need, 2 * authorised(transaction).length, 0, 2 * authorised(transaction).length);
      return;
    case 'approveBuilder':
      add(need, 1, 0, 1);
      return;
    case 'registerReferrer':
      add(need, PAID_RECORDS, 1, 1);
      return;
    case 'setReferrer':
      add(need, PAID_RECORDS, 0, 0);
      need.keys++;
      return;
    default:
      assertNoOther(transaction);
  }
}

/** Whoever adds a kind says here what it needs: it does not compile otherwise. */
function assertNoOther(transaction: never): void {
  assert(false, `a transaction whose need is not known: ${(transaction as Transaction).kind}`);
}

function add(need: MemoryNeed, records: number, chosen: number, keys: number): void {
  need.records += records;
  need.chosen += chosen;
  need.keys += keys;
  need.lastingKeys += keys;
  need.pages += keys * KEY_UNIT_BYTES;
}

function addPage(need: MemoryNeed, bytes: number): void {
  need.pages += bytes;
}

function addOrders(need: MemoryNeed, { items, builder }: OrdersTransaction, shape: LedgerShape): void {
  need.use = 'cancel';
  // Refused before anything of it is looked up.
  if (items.length > X.BATCH_ITEMS_MAX) return;
  if (builder !== undefined) need.keys++;
  let placed = 0;
  for (const item of items) {
    if (item.op === 'cancel' || item.op === 'reduce') continue;
    if (item.op === 'cancelByClientId') {
      need.keys++;
      continue;
    }
    if (need.use !== 'more') need.use = isReducing(item) ? 'less' : 'more';
    if (item.op === 'modify' && typeof item.target === 'string') need.keys++;
    if (item.clientId !== undefined) need.keys++;
    if (item.market >= shape.markets) continue;
    placed++;
    addPage(need, POSITION_PAGE_BYTES + (item.tif === 'market' ? 0 : LEVEL_PAGE_SHARE));
    // Its position; of one that rests also the order, its level and its client id.
    need.records++;
    if (!mayRest(item)) continue;
    need.records += RESTING_RECORDS;
    need.chosen++;
    if (item.clientId === undefined) continue;
    need.chosen++;
    need.lastingKeys++;
    need.pages += KEY_UNIT_BYTES;
  }
  if (placed === 0) return;
  need.records += TRADER_RECORDS;
  // The first of an account's orders in a block may be the first of a page.
  addPage(need, (Math.floor(placed / SLOTS_A_PAGE) + 1) * 2 * SLOT_PAGE_BYTES + tableBytes(shape.orderSlots));
}

/** Of the table of an account's pages: tables share chunks, with what is left behind the last of them. */
export function tableBytes(orderSlots: number): number {
  return L.CHUNK_BYTES / Math.floor(L.CHUNK_BYTES / orderSlots);
}

function mayRest({ tif, trigger }: Exclude<OrderItem, { op: 'cancel' | 'cancelByClientId' | 'reduce' }>): boolean {
  return trigger !== undefined || tif === 'gtc' || tif === 'alo';
}

/** Does it make a position smaller at once, or nothing? */
function isReducing(item: Exclude<OrderItem, { op: 'cancel' | 'cancelByClientId' | 'reduce' }>): boolean {
  return item.reduceOnly === true && !mayRest(item);
}

/** Records of a text of a vault; of one that is too long the transaction is refused before. */
function textParts(text = ''): number {
  return Math.min(X.VAULT_DESCRIPTION_PARTS, Math.ceil(Buffer.byteLength(text) / X.TEXT_PART_BYTES));
}

function authorised(transaction: Extract<Transaction, { kind: 'multiSig' }>): readonly Address[] {
  return transaction.signers?.authorised ?? [];
}

/** All addresses that a transaction names: those of dormant accounts are woken by it. */
export function* addressesIn(transaction: Transaction): Generator<Address> {
  yield transaction.sender;
  if (transaction.behalf !== undefined) yield transaction.behalf;
  if (transaction.multiSig !== undefined) {
    yield transaction.multiSig.user;
    yield* transaction.multiSig.signers;
  }
  switch (transaction.kind) {
    case 'transfer':
    case 'sendPerp':
      yield transaction.recipient;
      return;
    case 'orders':
      if (transaction.builder !== undefined) yield transaction.builder.address;
      return;
    case 'subTransfer':
    case 'subAccountModify':
      yield transaction.subAccount;
      return;
    case 'approveAgent':
      yield transaction.agent;
      return;
    case 'approveBuilder':
      yield transaction.builder;
      return;
    case 'vaultTransfer':
    case 'vaultModify':
      yield transaction.vault;
      return;
    case 'multiSig':
      yield* authorised(transaction);
  }
}
