/**
 * What a block is to be found by, as keys of the store's index (index-keys.ts), one behind the other: those of accounts, then of orders, client ids,
 * transactions and markets, each kind in the order in which it came.
 *
 * Whoever has executed the block knows and says it; the store does not look into blocks.
 * Invariant: each key is there once.
 */
import { assert } from '../base/assert.ts';
import { HashIndex, NONE } from '../base/hash-index.ts';
import { putHex } from '../base/hex-digits.ts';
import { hashOfBytes } from '../base/key-hash.ts';
import type { Address, ClientId } from '../ledger/transactions.ts';
import { ACCOUNT, ADDRESS_BYTES, bytesOfKind, CLIENT_ID, CLIENT_ID_BYTES, MARKET, ORDER, TRANSACTION } from './index-keys.ts';

const TWO_32 = 2 ** 32;

/** For one block after the other: the memory of the last is used again. */
export class BlockKeys {
  private readonly accounts = new KeySection(ACCOUNT);
  private readonly orders = new KeySection(ORDER);
  private readonly clientIds = new KeySection(CLIENT_ID);
  private readonly transactions = new KeySection(TRANSACTION);
  private readonly markets = new KeySection(MARKET);
  private height = 0;
  private timeMs = 0;

  /** Nothing of the block is known yet. */
  begin(height: number, timeMs: number): void {
    this.height = height;
    this.timeMs = timeMs;
    for (const section of this.sections) section.begin();
  }

  /** Something happened to it. */
  account(address: Address): void {
    const { accounts } = this;
    const at = accounts.next();
    accounts.hex(at + 1, address, ADDRESS_BYTES);
    accounts.u48(at + 21, this.height);
    accounts.keep();
  }

  /** An order that came to be with the block's transaction `index`, or to which something happened. Its oid in two words. */
  order(oidHigh: number, oidLow: number, index: number): void {
    const { orders } = this;
    const at = orders.next();
    orders.view.setUint32(at + 1, oidHigh);
    orders.view.setUint32(at + 5, oidLow);
    orders.place(at + 9, this.height, index);
    orders.keep();
  }

  orderOf(oid: bigint, index: number): void {
    const { orders } = this;
    const at = orders.next();
    orders.view.setBigUint64(at + 1, oid);
    orders.place(at + 9, this.height, index);
    orders.keep();
  }

  /** Client ids are an account's own. */
  clientId(account: Address, clientId: ClientId, index: number): void {
    const { clientIds } = this;
    const at = clientIds.next();
    clientIds.hex(at + 1, account, ADDRESS_BYTES);
    clientIds.hex(at + 21, clientId, CLIENT_ID_BYTES);
    clientIds.place(at + 37, this.height, index);
    clientIds.keep();
  }

  /** `hash`: 32 bytes. */
  transaction(hash: Uint8Array, index: number): void {
    assert(hash.length === 32, 'a hash has 32 bytes');
    const { transactions } = this;
    const at = transactions.next();
    transactions.bytes.set(hash, at + 1);
    transactions.place(at + 33, this.height, index);
    transactions.keep();
  }

  market(market: number): void {
    const { markets } = this;
    const at = markets.next();
    markets.view.setUint32(at + 1, market);
    markets.u48(at + 5, this.timeMs);
    markets.u48(at + 11, this.height);
    markets.keep();
  }

  /** A copy. */
  finish(): Uint8Array {
    const { sections } = this;
    const keys = new Uint8Array(sections.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const { bytes, length } of sections) {
      keys.set(bytes.subarray(0, length), at);
      at += length;
    }
    return keys;
  }

  private get sections(): readonly KeySection[] {
    return [this.accounts, this.orders, this.clientIds, this.transactions, this.markets];
  }
}

/** Keys of one kind. A new one is written behind the others, and stays if it is not among them. */
class KeySection {
  bytes = new Uint8Array(1 << 12);
  view = new DataView(this.bytes.buffer);
  /** Bytes of the keys that are there. */
  length = 0;
  private readonly kind: number;
  private readonly keyBytes: number;
  /** The number of each key, from 1 on. */
  private readonly index = new HashIndex();
  private count = 0;

  constructor(kind: number) {
    this.kind = kind;
    this.keyBytes = bytesOfKind(kind);
  }

  begin(): void {
    this.index.clear();
    this.count = 0;
    this.length = 0;
  }

  /** Where the next key is to be written, behind its kind. */
  next(): number {
    if (this.length + this.keyBytes > this.bytes.length) {
      const larger = new Uint8Array(2 * this.bytes.length);
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    this.bytes[this.length] = this.kind;
    return this.length;
  }

  /** The key that was written is one of the block. */
  keep(): void {
    const { index, bytes, keyBytes, length } = this;
    const hash = hashOfBytes(bytes, length + 1, keyBytes - 1);
    for (let at = index.first(hash); at !== NONE; at = index.next(at, hash)) {
      if (this.isEqual((index.number(at) - 1) * keyBytes, length)) return;
    }
    index.add(hash, ++this.count);
    this.length += keyBytes;
  }

  u48(at: number, value: number): void {
    this.view.setUint16(at, value / TWO_32);
    this.view.setUint32(at + 2, value % TWO_32);
  }

  place(at: number, height: number, index: number): void {
    this.u48(at, height);
    this.view.setUint32(at + 6, index);
  }

  hex(at: number, text: string, length: number): void {
    if (!putHex(text, this.bytes, at, length)) assert(false, `${text} is not of ${length} bytes`);
  }

  private isEqual(one: number, other: number): boolean {
    const { bytes, keyBytes } = this;
    for (let i = 1; i < keyBytes; i++) if (bytes[one + i] !== bytes[other + i]) return false;
    return true;
  }
}
