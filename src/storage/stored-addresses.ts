/**
 * The store's address book: each address that a body in columns has named gets a number, and stands in full in one body only.
 *
 *   table `addresses`   u32 number, big endian: the address's 20 bytes
 *   table `numbers`     the address: its number
 *
 * Invariant: an address has one number, for ever; numbers have no gaps, and are in the same transaction of LMDB as the first body that makes
 * use of them. So they stay when bodies are pruned: a later body may name them.
 * Not here: transactions of LMDB (store.ts). Until one is over, what it adds is in `waiting`.
 */
import type { Database } from 'lmdb';
import { assert } from '../base/assert.ts';
import type { AddressBook } from '../ledger/name-columns.ts';
import type { Address } from '../ledger/transactions.ts';

type Bytes = Database<Uint8Array, Uint8Array>;

interface AddressEntry {
  readonly address: Uint8Array;
  readonly number: Uint8Array;
}

/** Numbers that are looked up without LMDB: at least so many, at most twice. */
const REMEMBERED = 65_536;

export class StoredAddresses implements AddressBook {
  size = 0;
  private readonly addresses: Bytes;
  private readonly numbers: Bytes;
  private readonly waiting = new Map<Address, number>();
  private readonly waitingAddresses = new Map<number, Address>();
  private recent = new Map<Address, number>();
  private older = new Map<Address, number>();

  constructor(addresses: Bytes, numbers: Bytes) {
    this.addresses = addresses;
    this.numbers = numbers;
    this.renew();
  }

  /** Sees what others have written. */
  renew(): void {
    const [last] = this.addresses.getKeys({ reverse: true, limit: 1 });
    this.size = last === undefined ? 0 : readNumber(last) + 1;
  }

  numberOf(address: Address): number | undefined {
    const remembered = this.waiting.get(address) ?? this.recent.get(address) ?? this.older.get(address);
    if (remembered !== undefined) return remembered;
    const bytes = this.numbers.getBinary(addressBytes(address));
    if (bytes === undefined) return undefined;
    const number = readNumber(bytes);
    this.remember(address, number);
    return number;
  }

  addressOf(number: number): Address | undefined {
    const waiting = this.waitingAddresses.get(number);
    if (waiting !== undefined) return waiting;
    const bytes = this.addresses.getBinary(numberBytes(number));
    return bytes && `0x${bytes.toString('hex')}`;
  }

  /** Gives addresses that have none the next numbers. What comes back has to be written, and `written` called when it is. */
  add(addresses: readonly Address[]): AddressEntry[] {
    return addresses.map((address) => {
      const number = this.size++;
      assert(!this.waiting.has(address), `${address} has a number`);
      this.waiting.set(address, number);
      this.waitingAddresses.set(number, address);
      return { address: addressBytes(address), number: numberBytes(number) };
    });
  }

  written(addresses: readonly Address[]): void {
    for (const address of addresses) {
      const number = this.waiting.get(address) as number;
      this.waiting.delete(address);
      this.waitingAddresses.delete(number);
      this.remember(address, number);
    }
  }

  private remember(address: Address, number: number): void {
    if (this.recent.size >= REMEMBERED) {
      this.older = this.recent;
      this.recent = new Map();
    }
    this.recent.set(address, number);
  }
}

function addressBytes(address: Address): Uint8Array {
  return Buffer.from(address.slice(2), 'hex');
}

function numberBytes(number: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

function readNumber(bytes: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUInt32BE();
}
