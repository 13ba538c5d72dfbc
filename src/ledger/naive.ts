/**
 * The naive twin of the ledger program: account numbers, roles, agents, signers, nonces and balances, written from docs/rules.md
 * (sections 2 and 3) alone.
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
  CLASS_AGENT,
  CLASS_BALANCE,
  CLASS_NAME,
  CLASS_NONCES,
  CLASS_SIGNER,
  NONCE_FUTURE_MS,
  NONCE_PAST_MS,
  NONCES_CHUNKS,
  NONCES_KEPT,
  NONCES_PER_CHUNK,
  ROLE_AGENT,
  ROLE_RETIRED,
  ROLE_SUB_ACCOUNT,
  ROLE_USER,
  ROLE_VAULT,
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

export type Role = 'user' | 'agent' | 'subAccount' | 'vault' | 'retired';

/** An account record. */
export interface NaiveAccount {
  readonly address: Address;
  /** Stored nonces, ascending. */
  nonces: bigint[];
  /** Ring index of the smallest one. */
  nonceHead: number;
  role: Role;
  /** Agents: whom it acts for; sub-accounts: the master; vaults: the leader. 0 for users. */
  owner: number;
  /** Vaults only. */
  vaultIndex: number;
  /** How many sub-accounts and named agents it has. */
  subAccounts: number;
  agents: number;
  /** 0: not a multi-signature user. */
  threshold: number;
  /** Version of the set of signers. */
  signerSet: number;
  /** Agents: valid while the block's time is below it. 0 for others. */
  expiresMs: bigint;
  /** Users: the day in which it was last active, + 1; 0 where that is not noted. */
  activeDay: number;
  /** Of users and sub-accounts; empty: it has none. */
  name: string;
}

const ROLES: Readonly<Record<Role, number>> = {
  user: ROLE_USER,
  agent: ROLE_AGENT,
  subAccount: ROLE_SUB_ACCOUNT,
  vault: ROLE_VAULT,
  retired: ROLE_RETIRED,
};

const AGENT_NAME_BYTES = 16;
const ACCOUNT_NAME_BYTES = 24;

export class NaiveAccounts {
  readonly #maxAccounts: number;
  readonly #numbers = new Map<Address, number>();
  readonly #accounts = new Map<number, NaiveAccount>();
  /** Balances above zero only, by account and token. */
  readonly #balances = new Map<number, Map<number, bigint>>();
  /** By master, then by the name's 16 bytes in hexadecimal. */
  readonly #agents = new Map<number, Map<string, number>>();
  /** The signer set that a signer belongs to, by user and signer. */
  readonly #signers = new Map<number, Map<number, number>>();

  constructor(maxAccounts: number) {
    this.#maxAccounts = maxAccounts;
  }

  /** The number of an address, whether or not its account record exists yet. */
  numberOf(address: Address): number | undefined {
    return this.#numbers.get(address);
  }

  /** How many numbers are not in use. */
  get freeNumbers(): number {
    return this.#maxAccounts - this.#numbers.size;
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

  /** Takes a dormant account out of the ledger; its number is free. */
  takeOut(account: number): { account: NaiveAccount; balances: Map<number, bigint> } {
    const record = this.get(account);
    const balances = this.#balances.get(account) ?? new Map<number, bigint>();
    this.#accounts.delete(account);
    this.#balances.delete(account);
    this.#numbers.delete(record.address);
    return { account: record, balances };
  }

  /** A dormant account is back; its address has the number already. */
  putBack(account: number, record: NaiveAccount, balances: Map<number, bigint>): void {
    assert(!this.has(account) && this.numberOf(record.address) === account, `account ${account} cannot be put back`);
    this.#accounts.set(account, record);
    this.#balances.set(account, balances);
  }

  /** Is there a record of an agent's name or of a signer with this account in its key? */
  isNamed(account: number): boolean {
    if (this.#agents.has(account) || this.#signers.has(account)) return true;
    return [...this.#signers.values()].some((signers) => signers.has(account));
  }

  has(account: number): boolean {
    return this.#accounts.has(account);
  }

  accounts(): number[] {
    return [...this.#accounts.keys()];
  }

  /** The record of a user. */
  create(account: number, address: Address): void {
    assert(!this.#accounts.has(account) && this.#numbers.get(address) === account, `account ${account} cannot be created`);
    this.#accounts.set(account, {
      address,
      nonces: [],
      nonceHead: 0,
      role: 'user',
      owner: 0,
      vaultIndex: 0,
      subAccounts: 0,
      agents: 0,
      threshold: 0,
      signerSet: 0,
      expiresMs: 0n,
      activeDay: 0,
      name: '',
    });
  }

  /** The account record, which must exist. */
  get(account: number): NaiveAccount {
    const record = this.#accounts.get(account);
    assert(record, `account ${account} has no record`);
    return record;
  }

  setRole(account: number, role: Role, owner: number, vaultIndex = 0): void {
    Object.assign(this.get(account), { role, owner, vaultIndex });
  }

  /** The agent of a name; '' is the unnamed one. */
  agent(master: number, name: string): number | undefined {
    return this.#agents.get(master)?.get(agentKey(name));
  }

  setAgent(master: number, name: string, agent: number): void {
    const ofMaster = this.#agents.get(master) ?? new Map<string, number>();
    this.#agents.set(master, ofMaster.set(agentKey(name), agent));
  }

  /** The version of the user's set that the signer was last in; undefined if it never was in one. */
  signerSet(user: number, signer: number): number | undefined {
    return this.#signers.get(user)?.get(signer);
  }

  setSigner(user: number, signer: number, signerSet: number): void {
    const ofUser = this.#signers.get(user) ?? new Map<number, number>();
    this.#signers.set(user, ofUser.set(signer, signerSet));
  }

  /** Stores the nonce, or says why not. */
  useNonce(account: number, nonce: bigint, timeMs: number): number {
    const record = this.get(account);
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
    return this.get(account).nonces;
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

  /** Records of accounts, their names, nonces, balances, agents and signers, in no particular order. */
  records(): NaiveRecord[] {
    const records: NaiveRecord[] = [];
    for (const [number, account] of this.#accounts) {
      const { nonces, nonceHead } = account;
      records.push({
        recordClass: 'account',
        key: joined(u8(CLASS_ACCOUNT), bigEndian(number)),
        value: joined(
          u8(nonces.length),
          u8(nonceHead),
          u8(ROLES[account.role]),
          u8(0),
          u32(account.role === 'user' ? account.activeDay : account.owner),
          u64(nonces[0] ?? 0n),
          u64(nonces.at(-1) ?? 0n),
          fromHex(account.address),
          account.role === 'vault' ? u16(account.vaultIndex) : joined(u8(account.subAccounts), u8(account.agents)),
          u8(account.threshold),
          u8(account.signerSet),
          u64(account.expiresMs),
        ),
      });

      if (account.name !== '') {
        records.push({
          recordClass: 'name',
          key: joined(u8(CLASS_NAME), bigEndian(number)),
          value: paddedText(account.name, ACCOUNT_NAME_BYTES),
        });
      }

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
    for (const [master, names] of this.#agents) {
      for (const [name, agent] of names) {
        records.push({
          recordClass: 'agent name',
          key: joined(u8(CLASS_AGENT), bigEndian(master), Uint8Array.fromHex(name)),
          value: joined(u32(agent + 1), zeros(20)),
        });
      }
    }
    for (const [user, signers] of this.#signers) {
      for (const [signer, signerSet] of signers) {
        records.push({
          recordClass: 'signer',
          key: joined(u8(CLASS_SIGNER), bigEndian(user), bigEndian(signer)),
          value: joined(u32(signerSet), zeros(20)),
        });
      }
    }
    return records;
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

/** The bytes of a name or code, with zero bytes behind them up to the length. */
export function paddedText(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(new TextEncoder().encode(text));
  return bytes;
}

function agentKey(name: string): string {
  return paddedText(name, AGENT_NAME_BYTES).toHex();
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
