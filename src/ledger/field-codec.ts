/**
 * What binary encodings of objects are made of: numbers, addresses, texts, lists and structs, each with its way to write and to read.
 *
 * Invariant: one value has one encoding. Numbers have no superfluous bytes, unused bits are zero, an address stands in full where it
 * occurs first and is its number after that. `Reader` refuses everything else, so that what was read encodes to the same bytes again.
 *
 * What is small lies in bits: flags, choices and whether an optional field is there. A struct begins with its fields' bits, packed into
 * whole bytes (the head), and goes on with the fields' own bytes, both in the order in which the struct lists them.
 *
 * Not here: what transactions consist of (transaction-codec.ts), and whether a value makes sense.
 */
import { HeddleError } from '../base/errors.ts';

const U32_MAX = 0xffffffff;
const U64_MAX = (1n << 64n) - 1n;
const I64_MAX = (1n << 63n) - 1n;
/** Seven groups of seven bits: the most that is exact as a number and ends at a group. */
const LOW_BITS = 49n;
const LOW = 1n << LOW_BITS;

/** A value of type T: some bits for the head of the struct that it is in, then bytes. */
export interface Codec<T> {
  readonly bits: number;
  /** The bits; `bits` of them at most. */
  readonly head: (value: T, name: string) => number;
  readonly write: (writer: Writer, value: T, name: string) => void;
  readonly read: (reader: Reader, head: number, name: string) => T;
}

function notEncodable(name: string, wanted: string): never {
  throw new HeddleError('NOT_ENCODABLE', `${name} has to be ${wanted}: refuse such a transaction before it gets into a block`);
}

export class Writer {
  private buffer: Uint8Array<ArrayBuffer>;
  private at = 0;
  private readonly addresses = new Map<string, number>();

  constructor(bytesExpected: number) {
    this.buffer = new Uint8Array(bytesExpected);
  }

  /** What was written; a copy. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.at);
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

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  address(value: string, name: string): void {
    const known = this.addresses.get(value);
    this.varint(known ?? this.addresses.size);
    if (known !== undefined) return;
    if (!this.hex(value, 20)) notEncodable(name, 'an address: 0x and 40 lower-case hexadecimal digits');
    this.addresses.set(value, this.addresses.size);
  }

  /** False, with something half written, if it is not 0x and two lower-case digits a byte. */
  hex(value: unknown, length: number): boolean {
    if (typeof value !== 'string' || value.length !== 2 + length * 2 || !value.startsWith('0x')) return false;
    this.reserve(length);
    let wrong = 0;
    for (let i = 2; i < value.length; i += 2) {
      const high = digit(value.charCodeAt(i));
      const low = digit(value.charCodeAt(i + 1));
      wrong |= high | low;
      this.buffer[this.at++] = (high << 4) | low;
    }
    return wrong < 16;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.at + bytes));
    larger.set(this.buffer);
    this.buffer = larger;
  }
}

/** Reads what `Writer` writes. Never allocates more than in proportion to the bytes that are there. */
export class Reader {
  private readonly bytes: Uint8Array;
  private at = 0;
  private readonly addresses: string[] = [];
  private readonly known = new Set<string>();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  malformed(what: string): never {
    throw new HeddleError('MALFORMED', `byte ${this.at}: ${what}; the sender has to encode it anew, or the bytes have been damaged`);
  }

  get left(): number {
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

  hex(length: number): string {
    return `0x${this.raw(length).toHex()}`;
  }

  address(name: string): string {
    const number = this.varint(this.addresses.length, name);
    const seen = this.addresses[number];
    if (seen !== undefined) return seen;
    const address = this.hex(20);
    if (this.known.has(address)) this.malformed(`${name} has occurred before and stands in full again`);
    this.known.add(address);
    this.addresses.push(address);
    return address;
  }

  /** How many entries follow; each takes a byte at least. */
  count(name: string): number {
    return this.varint(this.left, `the number of ${name}`);
  }

  end(): void {
    if (this.left > 0) this.malformed(`${this.left} bytes are left over`);
  }
}

/** The value of a digit 0 to 9, a to f; above 15 for every other character. */
function digit(character: number): number {
  if (character >= 48 && character <= 57) return character - 48;
  return character >= 97 && character <= 102 ? character - 87 : 16;
}

const noBits = (): number => 0;

function natural(most: number, wanted: string): Codec<number> {
  return {
    bits: 0,
    head: noBits,
    write(writer, value, name) {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) notEncodable(name, wanted);
      writer.varint(value);
    },
    read: (reader, _head, name) => reader.varint(most, name),
  };
}

function wide(most: bigint, wanted: string): Codec<bigint> {
  return {
    bits: 0,
    head: noBits,
    write(writer, value, name) {
      if (typeof value !== 'bigint' || value < 0n || value > most) notEncodable(name, wanted);
      writer.bigVarint(value);
    },
    read: (reader, _head, name) => reader.bigVarint(most, name),
  };
}

export const u32 = natural(U32_MAX, 'an integer from 0 to 2^32 - 1');
/** Times, and numbers of blocks. */
export const u53 = natural(Number.MAX_SAFE_INTEGER, 'an integer from 0 to 2^53 - 1');
export const u64 = wide(U64_MAX, 'a bigint from 0 to 2^64 - 1');
export const u63 = wide(I64_MAX, 'a bigint from 0 to 2^63 - 1');

/** From -(2^63 - 1) to 2^63 - 1: twice the value, negative ones less one and counted from -1 down (zigzag). */
export const i64: Codec<bigint> = {
  bits: 0,
  head: noBits,
  write(writer, value, name) {
    if (typeof value !== 'bigint' || value < -I64_MAX || value > I64_MAX) notEncodable(name, 'a bigint from -(2^63 - 1) to 2^63 - 1');
    writer.bigVarint(value >= 0n ? value << 1n : -(value << 1n) - 1n);
  },
  read(reader, _head, name) {
    const value = reader.bigVarint(I64_MAX << 1n, name);
    return (value & 1n) === 0n ? value >> 1n : -((value + 1n) >> 1n);
  },
};

export const flag: Codec<boolean> = {
  bits: 1,
  head(value, name) {
    if (typeof value !== 'boolean') notEncodable(name, 'true or false');
    return value ? 1 : 0;
  },
  write() {},
  read: (_reader, head) => head === 1,
};

/** One of up to 2^bits words; new ones go behind the others. */
export function choice<T extends string>(bits: number, ...words: readonly T[]): Codec<T> {
  const numbers = new Map<unknown, number>(words.map((word, i) => [word, i]));
  return {
    bits,
    head: (value, name) => numbers.get(value) ?? notEncodable(name, `one of ${words.join(', ')}`),
    write() {},
    read: (reader, head, name) => words[head] ?? reader.malformed(`${name} is none of ${words.join(', ')}`),
  };
}

export const address: Codec<string> = {
  bits: 0,
  head: noBits,
  write: (writer, value, name) => writer.address(value, name),
  read: (reader, _head, name) => reader.address(name),
};

export const clientId: Codec<string> = {
  bits: 0,
  head: noBits,
  write(writer, value, name) {
    if (!writer.hex(value, 16)) notEncodable(name, '0x and 32 lower-case hexadecimal digits');
  },
  read: (reader) => reader.hex(16),
};

export const oidOrClientId: Codec<bigint | string> = {
  bits: 1,
  head: (value) => (typeof value === 'bigint' ? 0 : 1),
  write(writer, value, name) {
    if (typeof value === 'bigint') u64.write(writer, value, name);
    else clientId.write(writer, value, name);
  },
  read: (reader, head, name) => (head === 0 ? u64.read(reader, 0, name) : clientId.read(reader, 0, name)),
};

/** Well-formed text without zero characters, of `least` to `most` bytes of UTF-8. */
export function text(least: number, most: number): Codec<string> {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const wanted = `well-formed text of ${least} to ${most} bytes without zero characters`;
  return {
    bits: 0,
    head: noBits,
    write(writer, value, name) {
      if (typeof value !== 'string' || value.length > most || value.includes('\0') || !value.isWellFormed()) notEncodable(name, wanted);
      const bytes = encoder.encode(value);
      if (bytes.length < least || bytes.length > most) notEncodable(name, wanted);
      writer.varint(bytes.length);
      writer.raw(bytes);
    },
    read(reader, _head, name) {
      const length = reader.varint(most, `the length of ${name}`);
      const bytes = reader.raw(length);
      if (length < least || bytes.includes(0)) reader.malformed(`${name} has to be ${wanted}`);
      try {
        return decoder.decode(bytes);
      } catch {
        return reader.malformed(`${name} is not UTF-8`);
      }
    },
  };
}

export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    bits: 1 + codec.bits,
    head: (value, name) => (value === undefined ? 0 : 1 | (codec.head(value, name) << 1)),
    write(writer, value, name) {
      if (value !== undefined) codec.write(writer, value, name);
    },
    read(reader, head, name) {
      if ((head & 1) === 1) return codec.read(reader, head >>> 1, name);
      return head === 0 ? undefined : reader.malformed(`${name} is absent and has bits`);
    },
  };
}

interface ListLimits {
  readonly most?: number;
  /** No entry twice. */
  readonly distinct?: boolean;
}

/** Entries have no bits of their own, so that they stand next to each other. */
export function list<T>(entry: Codec<T>, limits: ListLimits = {}): Codec<readonly T[]> {
  const { most = Number.MAX_SAFE_INTEGER, distinct = false } = limits;
  return {
    bits: 0,
    head: noBits,
    write(writer, value, name) {
      if (!Array.isArray(value) || value.length > most) notEncodable(name, limits.most ? `a list of at most ${most}` : 'a list');
      if (distinct && new Set(value).size !== value.length) notEncodable(name, 'a list without repetitions');
      writer.varint(value.length);
      let i = 0;
      try {
        for (; i < value.length; i++) entry.write(writer, value[i], 'entry');
      } catch (error) {
        throw error instanceof HeddleError ? new HeddleError(error.code, `${name}[${i}]: ${error.message}`) : error;
      }
    },
    read(reader, _head, name) {
      const count = reader.count(name);
      if (count > most) reader.malformed(`${name} has more than ${most} entries`);
      const entries: T[] = [];
      for (let i = 0; i < count; i++) entries.push(entry.read(reader, 0, name));
      if (distinct && new Set(entries).size !== count) reader.malformed(`${name} has an entry twice`);
      return entries;
    },
  };
}

/** A codec for every field of T; for those that may be absent, one of `optional`. */
export type Fields<T> = { readonly [K in keyof T]-?: object extends Pick<T, K> ? Codec<T[K] | undefined> : Codec<T[K]> };

type Loose = Record<string, unknown>;

/** The fields of one shape: head and bytes behind a tag, which is the lowest bits of the head. */
class Shape {
  private readonly names: readonly string[];
  private readonly codecs: readonly Codec<unknown>[];
  private readonly headBytes: number;
  private readonly tag: number;
  private readonly tagBits: number;

  constructor(fields: object, tag: number, tagBits: number) {
    this.names = Object.keys(fields);
    this.codecs = Object.values(fields) as Codec<unknown>[];
    const bits = this.codecs.reduce((sum, codec) => sum + codec.bits, tagBits);
    // The head is handled as one signed number of 32 bits.
    if (bits > 31) throw new RangeError(`a head of ${bits} bits`);
    this.headBytes = Math.ceil(bits / 8);
    this.tag = tag;
    this.tagBits = tagBits;
  }

  write(writer: Writer, value: Loose): void {
    const { names, codecs } = this;
    let head = this.tag;
    let shift = this.tagBits;
    for (let i = 0; i < names.length; i++) {
      const codec = codecs[i] as Codec<unknown>;
      if (codec.bits === 0) continue;
      const name = names[i] as string;
      head |= codec.head(value[name], name) << shift;
      shift += codec.bits;
    }
    for (let i = 0; i < this.headBytes; i++) writer.byte((head >>> (8 * i)) & 0xff);
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      (codecs[i] as Codec<unknown>).write(writer, value[name], name);
    }
  }

  /** `first` is the head's first byte if there is a tag, which has been read to find this shape. */
  read(reader: Reader, first: number, into: Loose): void {
    const { names, codecs } = this;
    let head = first;
    for (let i = this.tagBits > 0 ? 1 : 0; i < this.headBytes; i++) head |= reader.byte() << (8 * i);
    head >>>= this.tagBits;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const codec = codecs[i] as Codec<unknown>;
      const value = codec.read(reader, head & ((1 << codec.bits) - 1), name);
      head >>>= codec.bits;
      if (value !== undefined) into[name] = value;
    }
    if (head !== 0) reader.malformed('unused bits are set');
  }
}

export function struct<T>(fields: Fields<T>): Codec<T> {
  const shape = new Shape(fields, 0, 0);
  return {
    bits: 0,
    head: noBits,
    write(writer, value, name) {
      if (value === null || typeof value !== 'object') notEncodable(name, 'an object');
      shape.write(writer, value as Loose);
    },
    read(reader) {
      const value: Loose = {};
      shape.read(reader, 0, value);
      return value as T;
    },
  };
}

/** Objects of several shapes, told apart by the word in one of their fields; each word has a number of `tagBits` bits (8 at most). */
export function variants<T>(
  field: keyof T & string,
  tagBits: number,
  shapes: readonly (readonly [word: string, tag: number, fields: object])[],
): Codec<T> {
  const byWord = new Map<unknown, Shape>();
  const byTag = new Map<number, readonly [string, Shape]>();
  for (const [word, tag, fields] of shapes) {
    const shape = new Shape(fields, tag, tagBits);
    byWord.set(word, shape);
    byTag.set(tag, [word, shape]);
  }
  const tagMask = (1 << tagBits) - 1;
  return {
    bits: 0,
    head: noBits,
    write(writer, value, name) {
      if (value === null || typeof value !== 'object') notEncodable(name, 'an object');
      const shape = byWord.get((value as Loose)[field]) ?? notEncodable(`${field} of ${name}`, 'one that exists');
      shape.write(writer, value as Loose);
    },
    read(reader, _head, name) {
      const first = reader.byte();
      const [word, shape] = byTag.get(first & tagMask) ?? reader.malformed(`${field} of ${name} is unknown`);
      const value: Loose = { [field]: word };
      shape.read(reader, first, value);
      return value as T;
    },
  };
}
