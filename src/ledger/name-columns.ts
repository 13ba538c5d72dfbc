/**
 * Addresses and client ids of a block in columns: each stands once, where it occurs first, and is a number from then on.
 *
 *   in a column of names, for each time that one is named: 0 the next new one, 1 the one named last, otherwise 2 + how many are newer than it
 *   client ids  varint how many there are, then 16 planes: all first bytes, all second bytes ... in the order in which they occur
 *   addresses   varint size of the book; a column of numbers, one for each address in the order in which they occur: 0 stands in full,
 *               otherwise size less its number in the book; then 20 planes of those that stand in full
 *
 * A book numbers addresses from block to block, so that each stands in full once: those of a block that stand in full have the next numbers
 * from then on. Who has none leaves it out. Not here: books (storage/stored-addresses.ts).
 */
import { type ByteCursor, concatenate, varintBytes } from '../base/byte-cursor.ts';
import { putHex } from '../base/hex-digits.ts';
import { NumberColumn, NumberColumnReader } from '../base/number-column.ts';
import { ADDRESS_BYTES, notEncodable } from './field-codec.ts';
import type { Address } from './transactions.ts';

const NEW = 0;
const SAME = 1;
const KNOWN = 2;

/** Addresses by number, from 0; one address has one number, for ever. */
export interface AddressBook {
  readonly size: number;
  numberOf(address: Address): number | undefined;
  addressOf(number: number): Address | undefined;
}

export const NO_BOOK: AddressBook = { size: 0, numberOf: () => undefined, addressOf: () => undefined };

/** Numbers that stand for addresses or client ids, in the order in which they occur. */
export class NameWriter {
  private readonly numbers = new Map<string, number>();
  private readonly nameBytes: number;
  private readonly wanted: string;
  private names: Uint8Array;
  /** Number of the name that was named last. */
  last = -1;

  constructor(nameBytes: number, wanted: string) {
    this.nameBytes = nameBytes;
    this.wanted = wanted;
    this.names = new Uint8Array(64 * nameBytes);
  }

  /** Throws NOT_ENCODABLE for what is no such name. */
  code(value: string, name: string): number {
    const { numbers, nameBytes } = this;
    const known = numbers.get(value);
    if (known === undefined) {
      const number = numbers.size;
      const at = number * nameBytes;
      if (at === this.names.length) this.names = concatenate([this.names, new Uint8Array(at)]);
      if (!putHex(value, this.names, at, nameBytes)) notEncodable(name, this.wanted);
      numbers.set(value, number);
      this.last = number;
      return NEW;
    }
    if (known === this.last) return SAME;
    this.last = known;
    return KNOWN + numbers.size - 1 - known;
  }

  bytes(): Uint8Array {
    return concatenate([varintBytes(this.numbers.size), this.planes(Array.from({ length: this.numbers.size }, (_, i) => i))]);
  }

  /** With a book, of which only the first `size` addresses are made use of. */
  bytesWith(book: AddressBook, size: number): Uint8Array {
    const inBook = new NumberColumn();
    const inFull: number[] = [];
    for (const [name, i] of this.numbers) {
      const number = size === 0 ? undefined : book.numberOf(name);
      const isKnown = number !== undefined && number < size;
      if (!isKnown) inFull.push(i);
      inBook.push(isKnown ? size - number : 0, 0);
    }
    return concatenate([varintBytes(size), inBook.bytes(), this.planes(inFull)]);
  }

  private planes(which: readonly number[]): Uint8Array {
    const { nameBytes, names } = this;
    const planes = new Uint8Array(which.length * nameBytes);
    let at = 0;
    for (let plane = 0; plane < nameBytes; plane++) {
      for (const name of which) planes[at++] = names[name * nameBytes + plane] as number;
    }
    return planes;
  }
}

/** Turns numbers back into names. */
export class NameReader {
  private readonly cursor: ByteCursor;
  private readonly size: number;
  private readonly nameAt: (number: number) => string;
  private readonly names: string[] = [];
  last = -1;

  /** `nameAt`: name `number` of those that occur, of which there are `size`. */
  constructor(cursor: ByteCursor, size: number, nameAt: (number: number) => string) {
    this.cursor = cursor;
    this.size = size;
    this.nameAt = nameAt;
  }

  name(code: number): string {
    const { names } = this;
    if (code === NEW) {
      if (names.length === this.size) this.cursor.malformed('the names end too early');
      this.last = names.length;
      names.push(this.nameAt(names.length));
    } else if (code !== SAME) this.last = names.length - 1 - (code - KNOWN);
    return names[this.last] ?? this.cursor.malformed('a name that has not occurred');
  }

  end(): void {
    if (this.names.length < this.size) this.cursor.malformed(`${this.size - this.names.length} names are left over`);
  }
}

interface BlockAddresses {
  readonly bookSize: number;
  /** Of each address, 0: the next one of those in full. */
  readonly inBook: readonly number[];
  readonly inFull: Address[];
}

/** `size` names whose bytes stand in planes. Throws MALFORMED. */
export function readNames(cursor: ByteCursor, size: number, nameBytes: number): string[] {
  const planes = cursor.take(size * nameBytes);
  const bytes = new Uint8Array(nameBytes);
  return Array.from({ length: size }, (_, number) => {
    for (let plane = 0; plane < nameBytes; plane++) bytes[plane] = planes[plane * size + number] as number;
    return `0x${bytes.toHex()}`;
  });
}

/** Throws MALFORMED. */
export function readAddresses(cursor: ByteCursor): BlockAddresses {
  const bookSize = cursor.varint();
  const column = new NumberColumnReader(cursor);
  // Those in the book differ, and those in full take bytes: what has neither is no block's.
  if (column.length > 1 + cursor.left) cursor.malformed(`${column.length} addresses`);
  const inBook = Array.from({ length: column.length }, () => {
    column.next();
    return column.high === 0 && column.low <= bookSize ? column.low : cursor.malformed('an address that no book has');
  });
  const inFull = readNames(cursor, inBook.filter((distance) => distance === 0).length, ADDRESS_BYTES);
  return { bookSize, inBook, inFull };
}
