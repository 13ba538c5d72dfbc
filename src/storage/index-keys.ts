/**
 * Keys of the store's index: what is looked up, then where it is. Their order is the order of answers, so a lookup is a range.
 *
 *   u8 kind, the term, u48 height, u32 index in the block     orders, client ids, transactions
 *   u8 kind, the address, u48 height                          accounts
 *   u8 kind, u32 market, u48 timeMs, u48 height               markets
 *
 * Numbers are big-endian. Every kind has keys of one length, so that keys can be stored one behind the other.
 * Not here: the keys of a block (block-keys.ts), and how keys are kept (index-runs.ts).
 */
import { assert } from '../base/assert.ts';
import { putHex } from '../base/hex-digits.ts';
import type { Address, ClientId } from '../ledger/transactions.ts';

export const ACCOUNT = 1;
export const ORDER = 2;
export const CLIENT_ID = 3;
export const TRANSACTION = 4;
export const MARKET = 5;
export const KINDS = [ACCOUNT, ORDER, CLIENT_ID, TRANSACTION, MARKET];
export const ADDRESS_BYTES = 20;
export const CLIENT_ID_BYTES = 16;
/** Bytes of the term by kind, and of what follows it. */
const TERM_BYTES = [0, ADDRESS_BYTES, 8, ADDRESS_BYTES + CLIENT_ID_BYTES, 32, 4];
const REST_BYTES = [0, 6, 10, 10, 10, 12];

export const U48_MAX = 2 ** 48 - 1;
const TWO_32 = 2 ** 32;
const U32_MAX = TWO_32 - 1;

export function isKind(kind: number): boolean {
  return kind >= ACCOUNT && kind <= MARKET;
}

/** Of a key. */
export function bytesOfKind(kind: number): number {
  return 1 + (TERM_BYTES[kind] ?? 0) + (REST_BYTES[kind] ?? 0);
}

/** Where a key of the kind has its height. */
export function heightAt(kind: number): number {
  return bytesOfKind(kind) - (kind === ACCOUNT || kind === MARKET ? 6 : 10);
}

/** They are keys, one behind the other, and all of them of this height. */
export function checkKeys(bytes: Uint8Array, height: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [high, low] = [Math.floor(height / TWO_32), height % TWO_32];
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at] as number;
    const end = at + bytesOfKind(kind);
    assert(isKind(kind) && end <= bytes.length, `no key of the index at byte ${at} of ${bytes.length}`);
    const heightByte = at + heightAt(kind);
    const isOfBlock = view.getUint32(heightByte + 2) === low && view.getUint16(heightByte) === high;
    assert(isOfBlock, `a key of another height than ${height}`);
    at = end;
  }
}

export function heightKey(height: number): Uint8Array {
  const key = Buffer.alloc(6);
  key.writeUIntBE(height, 0, 6);
  return key;
}

export function readU48(bytes: Uint8Array, at = 0): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUIntBE(at, 6);
}

export function accountTerm(account: Address): Uint8Array {
  const term = Buffer.alloc(1 + 20);
  term[0] = ACCOUNT;
  setHex(term, 1, account, 20);
  return term;
}

export function orderTerm(oid: bigint): Uint8Array {
  const term = Buffer.alloc(1 + 8);
  term[0] = ORDER;
  term.writeBigUInt64BE(oid, 1);
  return term;
}

export function clientIdTerm(account: Address, clientId: ClientId): Uint8Array {
  const term = Buffer.alloc(1 + 36);
  term[0] = CLIENT_ID;
  setHex(term, 1, account, 20);
  setHex(term, 21, clientId, 16);
  return term;
}

export function transactionTerm(hash: Uint8Array): Uint8Array {
  assert(hash.length === 32, `a hash of ${hash.length} bytes`);
  const term = Buffer.alloc(1 + 32);
  term[0] = TRANSACTION;
  term.set(hash, 1);
  return term;
}

export function marketKey(market: number, timeMs: number, height: number): Uint8Array {
  const bytes = Buffer.alloc(1 + 16);
  bytes[0] = MARKET;
  bytes.writeUInt32BE(market, 1);
  bytes.writeUIntBE(timeMs, 5, 6);
  bytes.writeUIntBE(height, 11, 6);
  return bytes;
}

/** The least or greatest key of a term at a height. */
export function boundKey(term: Uint8Array, height: number, greatest: boolean): Uint8Array {
  return term[0] === ACCOUNT ? key(term, height) : key(term, height, greatest ? U32_MAX : 0);
}

function key(term: Uint8Array, height: number, index?: number): Uint8Array {
  const bytes = Buffer.alloc(term.length + (index === undefined ? 6 : 10));
  bytes.set(term);
  bytes.writeUIntBE(height, term.length, 6);
  if (index !== undefined) bytes.writeUInt32BE(index, term.length + 6);
  return bytes;
}

function setHex(into: Buffer, at: number, text: string, bytes: number): void {
  assert(putHex(text, into, at, bytes), `${text} is not of ${bytes} bytes`);
}
