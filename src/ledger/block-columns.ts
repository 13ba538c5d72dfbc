/**
 * Blocks in columns: each field of each kind of transaction and item by itself, so that what is alike lies together. Made for a general
 * compressor behind it; the bytes alone are about as many as those of rows.
 *
 *   u8 version
 *   addresses, client ids   name-columns.ts
 *   columns                 ascending, those that are empty left out: varint distance to the one before (from -1), its content; 0 at the end
 *
 * A column is a field of the schema (transaction-codec.ts) times four: 0 bytes of heads and texts, 1 numbers, 2 counts of entries, 3 names.
 * Bytes are a varint length and themselves; the others are columns of numbers (base/number-column.ts). Names are addresses and client
 * ids (name-columns.ts). Nonces are compared with the sender's last one, prices with the market's.
 *
 * A book numbers addresses from block to block, so that each stands in full once: those of a block that stand in full have the next numbers
 * from then on (`newAddresses`). Who has none leaves it out.
 *
 * Invariant: one block has one encoding with a book of one size, and bytes that decode are that of what comes out: what was read is encoded
 * again and compared. A change of the schema puts its columns behind the others (`since` of field-codec.ts); what moves one raises VERSION. Not here: compression (storage/compression.ts), books.
 */
import { ByteCursor, concatenate, varintBytes } from '../base/byte-cursor.ts';
import { HeddleError } from '../base/errors.ts';
import { NumberColumn, NumberColumnReader } from '../base/number-column.ts';
import { ADDRESS, ADDRESS_BYTES, CLIENT_ID, CLIENT_ID_BYTES, ColumnNames, type FieldReader, type FieldWriter } from './field-codec.ts';
import { type AddressBook, NameReader, NameWriter, NO_BOOK, readAddresses, readNames } from './name-columns.ts';
import { blockCodec } from './transaction-codec.ts';
import type { Address, Block } from './transactions.ts';

const VERSION = 1;
const BYTES = 0;
const NUMBERS = 1;
const COUNTS = 2;
const NAMES = 3;
const KINDS = 4;

const TWO_32 = 2 ** 32;
const LOW_32 = 0xffffffffn;

const SCHEMA = new ColumnNames(blockCodec);
const COLUMNS = SCHEMA.names.length * KINDS;

/** What numbers of a field are compared with: the last one of the same sender, of the same market, or just the last one. */
const UNKEYED = 0;
const BY_SENDER = 1;
const BY_MARKET = 2;
const KEYS = Uint8Array.from(SCHEMA.names, (name) => (name === 'nonce' ? BY_SENDER : name === 'priceTicks' ? BY_MARKET : UNKEYED));
const IS_MARKET: readonly boolean[] = SCHEMA.names.map((name) => name === 'market');

/** Throws NOT_ENCODABLE for what is not a well-formed block. */
export function encodeColumns(block: Block, book = NO_BOOK): Uint8Array<ArrayBuffer> {
  const writer = new ColumnWriter();
  blockCodec.write(writer, block, 'block');
  return writer.bytes(book, book.size);
}

/** The addresses that stand in full, in the order of the numbers that they have from then on. Throws MALFORMED, UNKNOWN_VERSION. */
export function newAddresses(bytes: Uint8Array): Address[] {
  return readAddresses(openColumns(bytes)).inFull;
}

/** `book`: the one of the encoder, now or later. Throws MALFORMED for bytes that `encodeColumns` does not make, UNKNOWN_VERSION for those of another version of it. */
export function decodeColumns(bytes: Uint8Array, book = NO_BOOK): Block {
  const reader = new ColumnReader(bytes, book);
  const block = blockCodec.read(reader, 0, 'block');
  reader.end();
  const writer = new ColumnWriter();
  blockCodec.write(writer, block, 'block');
  const again = writer.bytes(book, reader.bookSize);
  if (again.length !== bytes.length || again.some((byte, i) => byte !== bytes[i])) reader.malformed('the block has another encoding');
  return block;
}

class ByteColumn {
  private content = new Uint8Array(64);
  private length = 0;

  push(byte: number): void {
    if (this.length === this.content.length) this.content = concatenate([this.content, new Uint8Array(this.length)]);
    this.content[this.length++] = byte;
  }

  bytes(): Uint8Array {
    return concatenate([varintBytes(this.length), this.content.subarray(0, this.length)]);
  }
}

class ColumnWriter implements FieldWriter {
  column = 0;
  private readonly columns = new Array<ByteColumn | NumberColumn | undefined>(COLUMNS).fill(undefined);
  private readonly addresses = new NameWriter(ADDRESS_BYTES, ADDRESS);
  private readonly clientIds = new NameWriter(CLIENT_ID_BYTES, CLIENT_ID);
  private market = 0;

  bytes(book: AddressBook, bookSize: number): Uint8Array<ArrayBuffer> {
    const parts = [Uint8Array.of(VERSION), this.addresses.bytesWith(book, bookSize), this.clientIds.bytes()];
    let last = -1;
    for (const [at, column] of this.columns.entries()) {
      if (column === undefined) continue;
      parts.push(varintBytes(at - last), column.bytes());
      last = at;
    }
    parts.push(varintBytes(0));
    return concatenate(parts);
  }

  byte(value: number): void {
    this.byteColumn().push(value);
  }

  varint(value: number): void {
    this.push(NUMBERS, value >>> 0, Math.floor(value / TWO_32));
    if (IS_MARKET[this.column]) this.market = value;
  }

  bigVarint(value: bigint): void {
    if (value <= LOW_32) this.push(NUMBERS, Number(value), 0);
    else this.push(NUMBERS, Number(value & LOW_32), Number(value >> 32n));
  }

  count(value: number): void {
    this.push(COUNTS, value, 0);
  }

  raw(bytes: Uint8Array): void {
    const column = this.byteColumn();
    for (const byte of bytes) column.push(byte);
  }

  address(value: string, name: string): void {
    this.push(NAMES, this.addresses.code(value, name), 0);
  }

  clientId(value: string, name: string): void {
    this.push(NAMES, this.clientIds.code(value, name), 0);
  }

  private push(kind: number, low: number, high: number): void {
    const { column, columns } = this;
    const key = KEYS[column] as number;
    const at = column * KINDS + kind;
    let numbers = columns[at] as NumberColumn | undefined;
    if (numbers === undefined) {
      numbers = new NumberColumn(key !== UNKEYED);
      columns[at] = numbers;
    }
    numbers.push(low, high, key === UNKEYED ? 0 : key === BY_SENDER ? this.addresses.last : this.market);
  }

  private byteColumn(): ByteColumn {
    const at = this.column * KINDS + BYTES;
    const column = (this.columns[at] as ByteColumn | undefined) ?? new ByteColumn();
    this.columns[at] = column;
    return column;
  }
}

function openColumns(bytes: Uint8Array): ByteCursor {
  const cursor = new ByteCursor(bytes);
  const version = cursor.byte();
  if (version === VERSION) return cursor;
  throw new HeddleError(
    'UNKNOWN_VERSION',
    `the block is in version ${version} of the encoding in columns, this program reads version ${VERSION}: use a release that knows it`,
  );
}

class ColumnReader implements FieldReader {
  column = 0;
  /** Of the encoder. */
  readonly bookSize: number;
  private readonly cursor: ByteCursor;
  /** No list of a block has more entries. */
  private readonly countMax: number;
  private readonly addresses: NameReader;
  private readonly clientIds: NameReader;
  private readonly columns = new Array<ByteCursor | NumberColumnReader | undefined>(COLUMNS).fill(undefined);
  private market = 0;

  constructor(bytes: Uint8Array, book: AddressBook) {
    const cursor = openColumns(bytes);
    this.cursor = cursor;
    this.countMax = bytes.length;
    const { bookSize, inBook, inFull } = readAddresses(cursor);
    this.bookSize = bookSize;
    if (bookSize > book.size) cursor.malformed(`a book of ${bookSize} addresses, there are ${book.size}`);
    let full = 0;
    this.addresses = new NameReader(cursor, inBook.length, (number) => {
      const distance = inBook[number] as number;
      const address = distance === 0 ? inFull[full++] : book.addressOf(bookSize - distance);
      return address ?? cursor.malformed(`address ${bookSize - distance} is not in the book`);
    });
    const clientIds = readNames(cursor, cursor.varint(), CLIENT_ID_BYTES);
    this.clientIds = new NameReader(cursor, clientIds.length, (number) => clientIds[number] as string);
    let last = -1;
    for (let distance = cursor.varint(); distance > 0; distance = cursor.varint()) {
      const at = last + distance;
      if (at >= COLUMNS) cursor.malformed(`there is no column ${at}`);
      const isKeyed = KEYS[Math.floor(at / KINDS)] !== UNKEYED;
      this.columns[at] = at % KINDS === BYTES ? new ByteCursor(cursor.take(cursor.varint())) : new NumberColumnReader(cursor, isKeyed);
      last = at;
    }
    cursor.end();
  }

  malformed(what: string): never {
    return this.cursor.malformed(what);
  }

  /** Throws MALFORMED if anything has not been read. */
  end(): void {
    this.addresses.end();
    this.clientIds.end();
    for (const column of this.columns) column?.end();
  }

  byte(): number {
    return this.bytes().byte();
  }

  varint(most: number, name: string): number {
    const value = this.number(NUMBERS, most, name);
    if (IS_MARKET[this.column]) this.market = value;
    return value;
  }

  bigVarint(most: bigint, name: string): bigint {
    const { low, high } = this.next(NUMBERS);
    const value = high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
    return value <= most ? value : this.malformed(`${name} is too large`);
  }

  count(most: number, name: string): number {
    return this.number(COUNTS, Math.min(most, this.countMax), `the number of ${name}`);
  }

  raw(length: number): Uint8Array {
    return this.bytes().take(length);
  }

  address(name: string): string {
    return this.addresses.name(this.number(NAMES, Number.MAX_SAFE_INTEGER, name));
  }

  clientId(name: string): string {
    return this.clientIds.name(this.number(NAMES, Number.MAX_SAFE_INTEGER, name));
  }

  private number(kind: number, most: number, name: string): number {
    const { low, high } = this.next(kind);
    const value = high * TWO_32 + low;
    return value <= most ? value : this.malformed(`${name} is too large`);
  }

  private next(kind: number): NumberColumnReader {
    const column = this.columns[this.column * KINDS + kind] as NumberColumnReader | undefined;
    if (column === undefined) return this.malformed('a column is missing');
    const key = KEYS[this.column] as number;
    column.next(key === UNKEYED ? 0 : key === BY_SENDER ? this.addresses.last : this.market);
    return column;
  }

  private bytes(): ByteCursor {
    return (this.columns[this.column * KINDS + BYTES] as ByteCursor | undefined) ?? this.malformed('a column is missing');
  }
}
