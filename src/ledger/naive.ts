/**
 * The naive twin of the ledger program: account numbers, nonces and balances, written from docs/rules.md (sections 2 and 3) alone.
 *
 * Obviously right before fast: maps, sorted arrays and bigint. It shares no code with the kernel but the layout constants.
 * Not here: who may send what, and everything of the exchange (`src/exchange/naive.ts`, which owns the transaction loop).
 */
import { assert } from '../base/assert.ts';
import {
  CODE_BALANCE_OVERFLOW,
  CODE_INSUFFICIENT_BALANCE,
  CODE_NONCE_DUPLICATE,
  CODE_NONCE_TOO_HIGH,
  CODE_NONCE_TOO_LOW,
  CODE_OK,
} from '../base/codes.ts';
import {
  CLASS_ACCOUNT,
  CLASS_BALANCE,
  CLASS_NONCES,
  NONCE_FUTURE_MS,
  NONCE_PAST_MS,
  NONCES_CHUNKS,
  NONCES_KEPT,
  NONCES_PER_CHUNK,
} from './layout.ts';
import type { Address } from './transactions.ts';

/** What a transaction left: its code and its events, concatenated. */
export interface NaiveReceipt {
  readonly code: number;
  readonly events: Uint8Array;
}

/** A record of the state root: key = u8 class and the big-endian key fields, value = payload without the 8-byte header. */
export interface NaiveRecord {
  readonly recordClass: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

interface Account {
  readonly address: Address;
  /** Stored nonces, ascending. */
  nonces: bigint[];
  /** Ring index of the smallest one. */
  nonceHead: number;
}

export class NaiveAccounts {
  readonly #maxAccounts: number;
  readonly #numbers = new Map<Address, number>();
  readonly #accounts = new Map<number, Account>();
  /** Balances above zero only, by account and token. */
  readonly #balances = new Map<number, Map<number, bigint>>();

  constructor(maxAccounts: number) {
    this.#maxAccounts = maxAccounts;
  }

  /** The number of an address, whether or not its account record exists yet. */
  numberOf(address: Address): number | undefined {
    return this.#numbers.get(address);
  }

  /** The number of an address; one without a number gets the lowest that is not in use. Undefined: all are in use. */
  assignNumber(address: Address): number | undefined {
    const known = this.#numbers.get(address);
    if (known !== undefined) return known;
    const used = new Set(this.#numbers.values());
    for (let number = 0; number < this.#maxAccounts; number++) {
      if (used.has(number)) continue;
      this.#numbers.set(address, number);
      return number;
    }
    return undefined;
  }

  /** End of a block: numbers without an account record are free again. */
  releaseUnusedNumbers(): void {
    for (const [address, number] of [...this.#numbers]) {
      if (!this.#accounts.has(number)) this.#numbers.delete(address);
    }
  }

  has(account: number): boolean {
    return this.#accounts.has(account);
  }

  accounts(): number[] {
    return [...this.#accounts.keys()];
  }

  create(account: number, address: Address): void {
    assert(!this.#accounts.has(account) && this.#numbers.get(address) === account, `account ${account} cannot be created`);
    this.#accounts.set(account, { address, nonces: [], nonceHead: 0 });
  }

  /** Stores the nonce, or says why not. */
  useNonce(account: number, nonce: bigint, timeMs: number): number {
    const record = this.#existing(account);
    const time = BigInt(timeMs);
    if (nonce <= time - BigInt(NONCE_PAST_MS)) return CODE_NONCE_TOO_LOW;
    if (nonce >= time + BigInt(NONCE_FUTURE_MS)) return CODE_NONCE_TOO_HIGH;
    const full = record.nonces.length === NONCES_KEPT;
    if (full && nonce < (record.nonces[0] as bigint)) return CODE_NONCE_TOO_LOW;
    if (record.nonces.includes(nonce)) return CODE_NONCE_DUPLICATE;

    const aboveAll = record.nonces.every((stored) => stored < nonce);
    record.nonces = [...record.nonces, nonce].sort((a, b) => (a < b ? -1 : 1)).slice(full ? 1 : 0);
    // The ring's contents follow from the ascending list and the head, and the head moves in this case only.
    if (full && aboveAll) record.nonceHead = (record.nonceHead + 1) % NONCES_KEPT;
    return CODE_OK;
  }

  /** Stored nonces, ascending. */
  nonces(account: number): readonly bigint[] {
    return this.#existing(account).nonces;
  }

  balance(account: number, token: number): bigint {
    return this.#balances.get(account)?.get(token) ?? 0n;
  }

  setBalance(account: number, token: number, amount: bigint): void {
    assert(amount >= 0n && amount < 2n ** 63n, `balance ${amount} is out of range`);
    const tokens = this.#balances.get(account) ?? new Map<number, bigint>();
    this.#balances.set(account, tokens);
    if (amount === 0n) tokens.delete(token);
    else tokens.set(token, amount);
  }

  /** A transfer after all checks that come before the balances. Changes nothing unless the code is OK. */
  transfer(sender: number, recipient: number, recipientAddress: Address, token: number, amount: bigint): number {
    if (this.balance(sender, token) < amount) return CODE_INSUFFICIENT_BALANCE;
    if (sender === recipient) return CODE_OK;
    if (this.balance(recipient, token) + amount >= 2n ** 63n) return CODE_BALANCE_OVERFLOW;
    if (!this.has(recipient)) this.create(recipient, recipientAddress);
    this.setBalance(sender, token, this.balance(sender, token) - amount);
    this.setBalance(recipient, token, this.balance(recipient, token) + amount);
    return CODE_OK;
  }

  /** Records of accounts, nonces and balances, in no particular order. */
  records(): NaiveRecord[] {
    const records: NaiveRecord[] = [];
    for (const [number, { address, nonces, nonceHead }] of this.#accounts) {
      const first = nonces[0] ?? 0n;
      const last = nonces.at(-1) ?? 0n;
      records.push({
        recordClass: 'account',
        key: joined(u8(CLASS_ACCOUNT), bigEndian(number)),
        value: joined(u32(nonces.length), u32(nonceHead), u64(first), u64(last), fromHex(address), zeros(12)),
      });

      const ring = new Array<bigint>(NONCES_CHUNKS * NONCES_PER_CHUNK).fill(0n);
      const written = new Set<number>();
      nonces.forEach((nonce, i) => {
        const index = (nonceHead + i) % NONCES_KEPT;
        ring[index] = nonce;
        written.add(Math.floor(index / NONCES_PER_CHUNK));
      });
      for (const chunk of written) {
        const entries = ring.slice(chunk * NONCES_PER_CHUNK, (chunk + 1) * NONCES_PER_CHUNK);
        records.push({
          recordClass: 'nonce chunk',
          key: joined(u8(CLASS_NONCES), bigEndian(number), bigEndian(chunk)),
          value: joined(...entries.map(u64)),
        });
      }
    }
    for (const [number, tokens] of this.#balances) {
      for (const [token, amount] of tokens) {
        records.push({
          recordClass: 'balance',
          key: joined(u8(CLASS_BALANCE), bigEndian(number), bigEndian(token)),
          value: joined(u64(amount), zeros(16)),
        });
      }
    }
    return records;
  }

  #existing(account: number): Account {
    const record = this.#accounts.get(account);
    assert(record, `account ${account} has no record`);
    return record;
  }
}

// Fields of records and events, little endian; keys are big endian.

export function u8(value: number): Uint8Array {
  return unsigned(BigInt(value), 1);
}

export function u16(value: number): Uint8Array {
  return unsigned(BigInt(value), 2);
}

export function u32(value: number): Uint8Array {
  return unsigned(BigInt(value), 4);
}

export function u64(value: bigint): Uint8Array {
  return unsigned(value, 8);
}

export function i64(value: bigint): Uint8Array {
  assert(value >= -(2n ** 63n) && value < 2n ** 63n, `${value} is not an i64`);
  return unsigned(value < 0n ? value + 2n ** 64n : value, 8);
}

/** A u32 of a key. */
export function bigEndian(value: number): Uint8Array {
  return u32(value).reverse();
}

export function zeros(length: number): Uint8Array {
  return new Uint8Array(length);
}

/** The bytes of 0x-prefixed hexadecimal text. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.slice(2));
}

export function joined(...parts: Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

function unsigned(value: bigint, length: number): Uint8Array {
  assert(value >= 0n && value < 2n ** BigInt(8 * length), `${value} does not fit in ${length} bytes`);
  const result = new Uint8Array(length);
  let rest = value;
  for (let i = 0; i < length; i++) {
    result[i] = Number(rest % 256n);
    rest /= 256n;
  }
  return result;
}
