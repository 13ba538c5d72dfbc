/**
 * Values in rows: field by field, object by object, as codecs write them.
 *
 * Invariant: one value has one encoding. Numbers are base-128 with the lowest group first and have no superfluous bytes; an address stands
 * in full where it occurs first and is its number after that. `RowReader` refuses everything else, so that what was read encodes to the
 * same bytes again.
 *
 * Not here: what values there are (field-codec.ts, transaction-codec.ts). Columns of the schema mean nothing to rows.
 */
import { ByteSlab } from '../base/byte-slab.ts';
import { HeddleError } from '../base/errors.ts';
import { putHex } from '../base/hex-digits.ts';
import { ADDRESS, ADDRESS_BYTES, CLIENT_ID, CLIENT_ID_BYTES, type FieldReader, type FieldWriter, notEncodable } from './field-codec.ts';

/** Seven groups of seven bits: the most that is exact as a number and ends at a group. */
const LOW_BITS = 49n;
const LOW = 1n << LOW_BITS;
const ADDRESSES_FEW = 8;

export class RowWriter implements FieldWriter {
  column = 0;
  private buffer: Uint8Array<ArrayBuffer>;
  private at = 0;
  /** The first of those that were written, and how many were; the array is used again. */
  private readonly addresses: string[] = [];
  private addressCount = 0;
  /** Their numbers once they are many. */
  private numbers: Map<string, number> | undefined;
  private readonly slab = new ByteSlab();

  constructor(bytesExpected: number) {
    this.buffer = new Uint8Array(bytesExpected);
  }

  /** To be used again: nothing is written yet. */
  reset(): void {
    this.at = 0;
    this.column = 0;
    this.addressCount = 0;
    this.numbers = undefined;
  }

  /** What was written; a copy. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.slab.copy(this.buffer, this.at);
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  /** A natural number up to 2^53 - 1. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest > 0x7fffffff) {
      this.buffer[this.at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.buffer[this.at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.buffer[this.at++] = rest;
  }

  /** 0 to 2^64 - 1. */
  bigVarint(value: bigint): void {
    if (value < LOW) {
      this.varint(Number(value));
      return;
    }
    this.reserve(7);
    let low = Number(value & (LOW - 1n));
    for (let i = 0; i < 7; i++) {
      this.buffer[this.at++] = (low % 128) | 128;
      low = Math.floor(low / 128);
    }
    this.varint(Number(value >> LOW_BITS));
  }

  count(value: number): void {
    this.varint(value);
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  address(value: string, name: string): void {
    const number = this.numberOf(value);
    this.varint(number);
    if (number < this.addressCount) return;
    this.hex(value, ADDRESS_BYTES, name, ADDRESS);
    this.addressCount++;
    if (this.numbers !== undefined) this.numbers.set(value, number);
    else this.addresses[number] = value;
    if (this.addressCount === ADDRESSES_FEW) this.numbers = new Map(this.addresses.map((address, at) => [address, at]));
  }

  /** The next one, if it has none yet. */
  private numberOf(value: string): number {
    const { addresses, addressCount } = this;
    if (this.numbers !== undefined) return this.numbers.get(value) ?? addressCount;
    let number = 0;
    while (number < addressCount && addresses[number] !== value) number++;
    return number;
  }

  clientId(value: string, name: string): void {
    this.hex(value, CLIENT_ID_BYTES, name, CLIENT_ID);
  }

  private hex(value: string, length: number, name: string, wanted: string): void {
    this.reserve(length);
    if (!putHex(value, this.buffer, this.at, length)) notEncodable(name, wanted);
    this.at += length;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.at + bytes));
    larger.set(this.buffer);
    this.buffer = larger;
  }
}

/** Reads what `RowWriter` writes. Never allocates more than in proportion to the bytes that are there. */
export class RowReader implements FieldReader {
  column = 0;
  private readonly bytes: Uint8Array;
  private at = 0;
  private readonly addresses: string[] = [];
  /** The same addresses once they are many. Most are read for one transaction, which has few. */
  private known: Set<string> | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  malformed(what: string): never {
    throw new HeddleError('MALFORMED', `byte ${this.at}: ${what}; the sender has to encode it anew, or the bytes have been damaged`);
  }

  private get left(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) this.malformed('the bytes end too early');
    this.at++;
    return value;
  }

  /** 0 to `most`, which is at most 2^53 - 1. */
  varint(most: number, name: string): number {
    const first = this.byte();
    if (first < 128) return first <= most ? first : this.malformed(`${name} is too large`);
    let value = first & 127;
    let scale = 128;
    for (let i = 1; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (byte === 0) this.malformed(`${name} has superfluous bytes`);
        return value <= most ? value : this.malformed(`${name} is too large`);
      }
      scale *= 128;
    }
    return this.malformed(`${name} is too large`);
  }

  bigVarint(most: bigint, name: string): bigint {
    let low = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.byte();
      low += (byte & 127) * scale;
      if (byte < 128) {
        if (byte === 0 && i > 0) this.malformed(`${name} has superfluous bytes`);
        const value = BigInt(low);
        return value <= most ? value : this.malformed(`${name} is too large`);
      }
      scale *= 128;
    }
    const high = this.varint(0x7fff, name);
    if (high === 0) this.malformed(`${name} has superfluous bytes`);
    const value = (BigInt(high) << LOW_BITS) + BigInt(low);
    return value <= most ? value : this.malformed(`${name} is too large`);
  }

  /** A view into what is read. */
  raw(length: number): Uint8Array {
    if (length > this.left) this.malformed('the bytes end too early');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  clientId(): string {
    return `0x${this.raw(CLIENT_ID_BYTES).toHex()}`;
  }

  address(name: string): string {
    const number = this.varint(this.addresses.length, name);
    const seen = this.addresses[number];
    if (seen !== undefined) return seen;
    const address = `0x${this.raw(ADDRESS_BYTES).toHex()}`;
    if (this.known?.has(address) ?? this.addresses.includes(address)) {
      this.malformed(`${name} has occurred before and stands in full again`);
    }
    this.addresses.push(address);
    if (this.addresses.length === ADDRESSES_FEW) this.known = new Set(this.addresses);
    else this.known?.add(address);
    return address;
  }

  count(most: number, name: string): number {
    return this.varint(Math.min(most, this.left), `the number of ${name}`);
  }

  end(): void {
    if (this.left > 0) this.malformed(`${this.left} bytes are left over`);
  }
}
