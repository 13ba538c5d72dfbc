/**
 * Admission: typed transactions to the kernel's form (docs/rules.md, section 2). Resolves addresses to account numbers and client ids to
 * locations, once, before the block executes; what cannot be admitted becomes a transaction of kind 0 with its code.
 *
 * Invariant: nothing here changes the state root. A number or a key that the block does not use is taken back at its end.
 */
import { CODE_ACCOUNT_LIMIT, CODE_EMPTY_BATCH, CODE_OK, CODE_TOO_MANY_ITEMS, CODE_UNDECODABLE, CODE_UNKNOWN_KIND } from '../base/codes.ts';
import { HeddleError } from '../base/errors.ts';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import * as G from '../ledger/layout.ts';
import type { OrderItem, Transaction } from '../ledger/transactions.ts';
import type { PreparedBlock } from './api.ts';

const U64_MAX = (1n << 64n) - 1n;
const I64_MAX = (1n << 63n) - 1n;
const OPS = {
  place: X.OP_PLACE,
  cancel: X.OP_CANCEL,
  cancelByClientId: X.OP_CANCEL_CLIENT,
  modify: X.OP_MODIFY,
  reduce: X.OP_REDUCE,
} as const;
const TIFS = { gtc: X.TIF_GTC, ioc: X.TIF_IOC, alo: X.TIF_ALO, market: X.TIF_MARKET } as const;

/** 20 bytes; undefined if it is not 0x and 40 lower-case hexadecimal digits. */
export function parseAddress(text: unknown): Uint8Array | undefined {
  return parseHex(text, 20);
}

function parseHex(text: unknown, bytes: number): Uint8Array | undefined {
  if (typeof text !== 'string' || text.length !== 2 + bytes * 2 || !/^0x[0-9a-f]*$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
}

function isU32(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
}

function isWide(value: unknown, most: bigint): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value <= most;
}

export class Admission {
  private readonly kernel: Kernel;
  /** Numbers in use, as a set for the lowest free one. */
  private readonly used: Uint8Array;
  private lowestFree = 0;
  private fresh: { number: number; location: number }[] = [];
  private resolved = new Set<number>();
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);
  private at = 0;

  private readonly oracle: string;

  constructor(kernel: Kernel, maxAccounts: number, oracle: string) {
    this.kernel = kernel;
    this.oracle = oracle.slice(2);
    this.used = new Uint8Array(maxAccounts);
  }

  /** The number of an address, or NO_ACCOUNT. */
  numberOf(address: Uint8Array): number {
    const location = this.kernel.exports.findKey(G.CLASS_ADDRESS, this.stage(address), 20) >>> 0;
    return location === 0 ? L.NO_ACCOUNT : this.kernel.get(location * 32 + L.RECORD_PAYLOAD) - 1;
  }

  /** The number of an address, given out if it has none; undefined when all numbers are in use. */
  giveNumber(address: Uint8Array): number | undefined {
    const known = this.numberOf(address);
    if (known !== L.NO_ACCOUNT) return known;
    while (this.lowestFree < this.used.length && this.used[this.lowestFree] === 1) this.lowestFree++;
    const number = this.lowestFree;
    if (number === this.used.length) return undefined;
    const location = this.resolve(G.CLASS_ADDRESS, address);
    this.kernel.set(location * 32 + L.RECORD_PAYLOAD, number + 1);
    this.used[number] = 1;
    this.kernel.u8.set(address, this.kernel.get(G.LEDGER_ADDRESSES) + number * 32);
    this.fresh.push({ number, location });
    if (Buffer.from(address).toString('hex') === this.oracle) this.kernel.set(X.EXC_ORACLE_ACCOUNT, number);
    return number;
  }

  get highestNumber(): number {
    return this.used.lastIndexOf(1) + 1;
  }

  private stage(bytes: Uint8Array): number {
    this.kernel.u8.set(bytes, this.kernel.staging);
    return this.kernel.staging;
  }

  private resolve(recordClass: number, key: Uint8Array): number {
    const location = this.kernel.exports.resolveKey(recordClass, this.stage(key), key.length) >>> 0;
    if (location === 0) {
      throw new HeddleError(
        'OUT_OF_MEMORY',
        'the key table or the shared memory is full: give the engine more (keyCapacity, memoryMiB); the block was not started',
      );
    }
    return location;
  }

  /** Is this the location of a client-id record that is in the key table? */
  isClientId(location: number): boolean {
    const unit = location * 32;
    return unit + 96 <= this.kernel.u8.byteLength && this.kernel.get(unit + 32) === 20 && this.kernel.u8[unit + 36] === X.CLASS_CLIENT_ID;
  }

  private clientLocation(account: number, id: Uint8Array): number {
    const key = new Uint8Array(20);
    new DataView(key.buffer).setUint32(0, account);
    key.set(id, 4);
    const location = this.resolve(X.CLASS_CLIENT_ID, key);
    this.resolved.add(location);
    return location;
  }

  /** Encodes a block. Throws OUT_OF_MEMORY before anything has been executed. */
  prepare(number: number, timeMs: number, transactions: readonly Transaction[]): PreparedBlock {
    const offsets = new Uint32Array(transactions.length + 1);
    this.at = 0;
    let items = 0;
    transactions.forEach((transaction, index) => {
      offsets[index] = this.at;
      this.room(L.TX_PAYLOAD + 64 + X.BATCH_ITEMS_MAX * X.ITEM_BYTES);
      const start = this.at;
      const code = this.encode(transaction, items);
      if (code === CODE_OK) items += transaction.kind === 'orders' ? transaction.items.length : 0;
      else {
        this.at = start;
        this.header(L.KIND_REFUSED, 0, 0, L.NO_ACCOUNT, 0n, items);
        this.view.setUint32(start + L.TX_CODE, code, true);
      }
    });
    offsets[transactions.length] = this.at;
    return { number, timeMs, count: transactions.length, bytes: this.bytes.slice(0, this.at), offsets, items };
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    const larger = new Uint8Array(this.bytes.length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  private header(kind: number, flags: number, items: number, sender: number, nonce: bigint, firstItem: number): void {
    const { view, at } = this;
    view.setUint8(at + L.TX_KIND, kind);
    view.setUint8(at + L.TX_FLAGS, flags);
    view.setUint16(at + L.TX_ITEMS, items, true);
    view.setUint32(at + L.TX_SENDER, sender, true);
    view.setBigUint64(at + L.TX_NONCE, nonce, true);
    view.setUint32(at + L.TX_FIRST_ITEM, firstItem, true);
    view.setUint32(at + L.TX_CODE, 0, true);
    this.at = at + L.TX_PAYLOAD;
  }

  /** Writes one transaction at `at`; a code other than 0 means refused, and what was written does not count. */
  private encode(transaction: Transaction, firstItem: number): number {
    const address = parseAddress(transaction.sender);
    if (address === undefined) return CODE_UNDECODABLE;
    const nonce = transaction.nonce;
    if (nonce !== undefined && !isWide(nonce, U64_MAX)) return CODE_UNDECODABLE;
    const flags = nonce === undefined ? 0 : L.TX_FLAG_NONCE;
    const head = (kind: number, items: number) => this.header(kind, flags, items, this.numberOf(address), nonce ?? 0n, firstItem);
    switch (transaction.kind) {
      case 'transfer': {
        const recipient = parseAddress(transaction.recipient);
        if (recipient === undefined || !isU32(transaction.token) || !isWide(transaction.amount, U64_MAX)) return CODE_UNDECODABLE;
        const number = this.giveNumber(recipient);
        if (number === undefined) return CODE_ACCOUNT_LIMIT;
        head(G.KIND_TRANSFER, 0);
        this.view.setUint32(this.at, number, true);
        this.view.setUint32(this.at + 4, transaction.token, true);
        this.view.setBigUint64(this.at + 8, transaction.amount, true);
        this.at += G.TRANSFER_BYTES - L.TX_PAYLOAD;
        return CODE_OK;
      }
      case 'deposit':
        if (!isWide(transaction.amount, U64_MAX)) return CODE_UNDECODABLE;
        head(X.KIND_DEPOSIT, 0);
        this.view.setBigUint64(this.at, transaction.amount, true);
        this.at += X.DEPOSIT_BYTES - L.TX_PAYLOAD;
        return CODE_OK;
      case 'oracle': {
        const { prices } = transaction;
        if (!Array.isArray(prices) || prices.some((price) => !isU32(price?.market) || !isU32(price?.priceTicks))) return CODE_UNDECODABLE;
        if (prices.length === 0) return CODE_EMPTY_BATCH;
        if (prices.length > X.BATCH_ITEMS_MAX) return CODE_TOO_MANY_ITEMS;
        head(X.KIND_ORACLE, prices.length);
        for (const price of prices) {
          this.view.setUint32(this.at, price.market, true);
          this.view.setUint32(this.at + 4, price.priceTicks, true);
          this.at += X.ORACLE_ITEM_BYTES;
        }
        return CODE_OK;
      }
      case 'orders': {
        const { items } = transaction;
        if (!Array.isArray(items) || items.some((item) => !isItem(item))) return CODE_UNDECODABLE;
        if (items.length === 0) return CODE_EMPTY_BATCH;
        if (items.length > X.BATCH_ITEMS_MAX) return CODE_TOO_MANY_ITEMS;
        const sender = this.numberOf(address);
        head(X.KIND_ORDERS, items.length);
        for (const item of items) this.encodeItem(item, sender);
        return CODE_OK;
      }
      default:
        return CODE_UNKNOWN_KIND;
    }
  }

  private encodeItem(item: OrderItem, sender: number): void {
    const { view, at } = this;
    this.bytes.fill(0, at, at + X.ITEM_BYTES);
    const location = (id: string | undefined) => {
      const bytes = id === undefined ? undefined : parseHex(id, 16);
      return bytes === undefined || sender === L.NO_ACCOUNT ? 0 : this.clientLocation(sender, bytes);
    };
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
        (item.clientId === undefined ? 0 : X.FLAG_CLIENT_ID);
      view.setUint8(at + X.ITEM_FLAGS, flags);
      view.setUint8(at + X.ITEM_TIF, TIFS[item.tif]);
      view.setBigUint64(at + X.ITEM_SIZE, item.sizeLots, true);
      view.setUint32(at + X.ITEM_PRICE, item.priceTicks, true);
      view.setUint32(at + X.ITEM_CLIENT, location(item.clientId), true);
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

  /** End of the block: numbers and client ids that the block left absent are free again, in an order that every node shares. */
  reclaim(): void {
    const { kernel } = this;
    const present = (address: number) => (kernel.get(address + L.RECORD_META) & L.RECORD_PRESENT) !== 0;
    const accounts = kernel.get(G.LEDGER_ACCOUNTS);
    for (const { number, location } of this.fresh) {
      if (present(accounts + number * G.ACCOUNT_SIZE)) continue;
      kernel.exports.removeKey(location);
      this.used[number] = 0;
      if (kernel.get(X.EXC_ORACLE_ACCOUNT) === number) kernel.set(X.EXC_ORACLE_ACCOUNT, L.NO_ACCOUNT);
      this.lowestFree = Math.min(this.lowestFree, number);
    }
    this.fresh = [];
    const count = kernel.get(L.CTL_RECLAIM_COUNT);
    const list = kernel.get(L.REG_RECLAIM);
    if (count > kernel.get(L.REG_LIST_MAX)) for (const location of kernelKeys(kernel)) this.resolved.add(location);
    else for (let i = 0; i < count; i++) this.resolved.add(kernel.get(list + i * 4));
    kernel.set(L.CTL_RECLAIM_COUNT, 0);
    if (this.resolved.size === 0) return;
    const absent = [...this.resolved].filter((location) => !present(location * 32) && kernel.u8[location * 32 + 36] === X.CLASS_CLIENT_ID);
    for (const location of absent.sort((a, b) => a - b)) kernel.exports.removeKey(location);
    this.resolved.clear();
  }

  snapshot(): { used: Uint8Array; lowestFree: number } {
    return { used: this.used.slice(), lowestFree: this.lowestFree };
  }

  restore(snapshot: { used: Uint8Array; lowestFree: number }): void {
    this.used.set(snapshot.used);
    this.lowestFree = snapshot.lowestFree;
    this.fresh = [];
    this.resolved.clear();
  }
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

function isItem(item: OrderItem): boolean {
  if (item === null || typeof item !== 'object' || !Object.hasOwn(OPS, item.op) || !isU32(item.market)) return false;
  switch (item.op) {
    case 'cancel':
      return isWide(item.oid, U64_MAX);
    case 'cancelByClientId':
      return parseHex(item.target, 16) !== undefined;
    case 'reduce':
      return isWide(item.oid, U64_MAX) && isWide(item.sizeLots, I64_MAX);
    default:
      return (
        (item.side === 'buy' || item.side === 'sell') &&
        Object.hasOwn(TIFS, item.tif) &&
        isU32(item.priceTicks) &&
        isWide(item.sizeLots, I64_MAX) &&
        (item.reduceOnly === undefined || typeof item.reduceOnly === 'boolean') &&
        (item.clientId === undefined || parseHex(item.clientId, 16) !== undefined) &&
        (item.op !== 'modify' || isWide(item.target, U64_MAX) || parseHex(item.target, 16) !== undefined)
      );
  }
}
