/**
 * What binary encodings of objects are made of: numbers, addresses, texts, lists and structs, each with its way to write and to read.
 *
 * Invariant: one value has one encoding; unused bits are zero, and what is out of range is refused in both directions.
 *
 * What is small lies in bits: flags, choices and whether an optional field is there. A struct begins with its fields' bits, packed into
 * whole bytes (the head), and goes on with the fields' own bytes, both in the order in which the struct lists them.
 *
 * What is written to is a port, behind which values stand in rows (row-encoding.ts) or in columns (block-columns.ts). Before each field it
 * is told which column of the schema the field is.
 *
 * Not here: what transactions consist of (transaction-codec.ts), and whether a value makes sense.
 */
import { HeddleError } from '../base/errors.ts';

export const ADDRESS_BYTES = 20;
export const CLIENT_ID_BYTES = 16;
export const ADDRESS = 'an address: 0x and 40 lower-case hexadecimal digits';
export const CLIENT_ID = '0x and 32 lower-case hexadecimal digits';

const U32_MAX = 0xffffffff;
const U64_MAX = (1n << 64n) - 1n;
const I64_MAX = (1n << 63n) - 1n;

/** A value of type T: some bits for the head of the struct that it is in, then bytes. */
export interface Codec<T> {
  readonly bits: number;
  /** The bits; `bits` of them at most. */
  readonly head: (value: T, name: string) => number;
  readonly write: (writer: FieldWriter, value: T, name: string) => void;
  readonly read: (reader: FieldReader, head: number, name: string) => T;
  /** Gives the structs inside of it their columns. */
  readonly number?: (columns: ColumnNames) => void;
  /** Undefined is no value, and takes nothing but zeros in the head. */
  readonly isOptional?: true;
  /** Its bits are all of it: `write` writes nothing. */
  readonly isBits?: true;
  /** Of a field that came after others behind it: the change of the schema that it came with (`since`). */
  readonly change?: number;
}

/** What fields are written to. Numbers have been checked by then, texts and their lengths too. */
export interface FieldWriter {
  /** Where in the schema the writer is; set before each byte of a head and each field. Entries of a list are in the column of the list. */
  column: number;
  /** Of a head. */
  byte(value: number): void;
  /** A natural number up to 2^53 - 1. */
  varint(value: number): void;
  /** 0 to 2^64 - 1. */
  bigVarint(value: bigint): void;
  /** How many entries or bytes follow. */
  count(value: number): void;
  raw(bytes: Uint8Array): void;
  /** Throws NOT_ENCODABLE for what is no address. */
  address(value: string, name: string): void;
  /** 16 bytes. Throws NOT_ENCODABLE for what is no client id. */
  clientId(value: string, name: string): void;
}

/** What fields are read from. Throws MALFORMED for everything that its writer does not write. */
export interface FieldReader {
  column: number;
  malformed(what: string): never;
  byte(): number;
  /** 0 to `most`, which is at most 2^53 - 1. */
  varint(most: number, name: string): number;
  bigVarint(most: bigint, name: string): bigint;
  /** How many entries follow, each of which takes a byte or has a limit of its own; or how many bytes, up to `most`. */
  count(most: number, name: string): number;
  raw(length: number): Uint8Array;
  address(name: string): string;
  clientId(name: string): string;
}

/**
 * The columns of a schema by number: the field that each one is, or an empty name for a byte of a head. Columns of what came with a later
 * change stand behind all that there were before, so that no column ever gets another number.
 */
export class ColumnNames {
  readonly names: string[] = [];
  private readonly later = new Map<number, (() => void)[]>();

  /** Of all that the codec is made of. */
  constructor(codec: Pick<Codec<unknown>, 'number'>) {
    codec.number?.(this);
    // What a change brings may itself hold what came with a later one.
    const changes = (): number[] => [...this.later.keys()].sort((a, b) => a - b);
    for (let [change] = changes(); change !== undefined; [change] = changes()) {
      const numbers = this.later.get(change) ?? [];
      this.later.delete(change);
      for (const number of numbers) number();
    }
  }

  add(name: string): number {
    return this.names.push(name) - 1;
  }

  /** At once for what was there from the start (change 0), otherwise behind what came before. */
  inOrder(change: number, number: () => void): void {
    if (change === 0) number();
    else this.later.set(change, [...(this.later.get(change) ?? []), number]);
  }
}

export function notEncodable(name: string, wanted: string): never {
  throw new HeddleError('NOT_ENCODABLE', `${name} has to be ${wanted}: refuse such a transaction before it gets into a block`);
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
  isBits: true,
  read: (_reader, head) => head === 1,
};

/** One of up to 2^bits words; new ones go behind the others. */
export function choice<T extends string>(bits: number, ...words: readonly T[]): Codec<T> {
  const numbers = new Map<unknown, number>(words.map((word, i) => [word, i]));
  return {
    bits,
    head: (value, name) => numbers.get(value) ?? notEncodable(name, `one of ${words.join(', ')}`),
    write() {},
    isBits: true,
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
  write: (writer, value, name) => writer.clientId(value, name),
  read: (reader, _head, name) => reader.clientId(name),
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
      writer.count(bytes.length);
      writer.raw(bytes);
    },
    read(reader, _head, name) {
      const length = reader.count(most, `bytes of ${name}`);
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

/** A field that is added to a shape that others stand behind, or that old bytes are of; `change`: 1 with the first change of the schema, and so on. */
export function since<T>(change: number, codec: Codec<T>): Codec<T> {
  return { ...codec, change };
}

export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    bits: 1 + codec.bits,
    isOptional: true,
    ...(codec.isBits ? { isBits: true } : {}),
    number: (columns) => codec.number?.(columns),
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

/** Entries have no bits of their own, so that they stand next to each other. Those of lists without limit are structs with a head. */
export function list<T>(entry: Codec<T>, limits: ListLimits = {}): Codec<readonly T[]> {
  const { most = Number.MAX_SAFE_INTEGER, distinct = false } = limits;
  return {
    bits: 0,
    head: noBits,
    number: (columns) => entry.number?.(columns),
    write(writer, value, name) {
      if (!Array.isArray(value) || value.length > most) notEncodable(name, limits.most ? `a list of at most ${most}` : 'a list');
      if (distinct && new Set(value).size !== value.length) notEncodable(name, 'a list without repetitions');
      writer.count(value.length);
      let i = 0;
      try {
        for (; i < value.length; i++) entry.write(writer, value[i], 'entry');
      } catch (error) {
        throw error instanceof HeddleError ? new HeddleError(error.code, `${name}[${i}]: ${error.message}`) : error;
      }
    },
    read(reader, _head, name) {
      const count = reader.count(most, name);
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

/** A field in its shape. One form for all codecs, which have several: what is asked of every field is found at once (measured: a third of the time). */
interface Place {
  readonly name: string;
  readonly bits: number;
  readonly isOptional: boolean;
  readonly isBits: boolean;
  readonly head: Codec<unknown>['head'];
  readonly write: Codec<unknown>['write'];
  readonly read: Codec<unknown>['read'];
  readonly number: Codec<unknown>['number'];
  readonly change: number;
  column: number;
}

function placeOf(name: string, codec: Codec<unknown>): Place {
  const { bits, isOptional = false, isBits = false, head, write, read, number, change = 0 } = codec;
  return { name, bits, isOptional, isBits, head, write, read, number, change, column: 0 };
}

/** The fields of one shape: head and bytes behind a tag, which is the lowest bits of the head. */
class Shape {
  private readonly places: readonly Place[];
  private readonly headBytes: number;
  private readonly tag: number;
  private readonly tagBits: number;
  /** Of the head's first byte, of its second, and so on. */
  private headColumns: readonly number[];
  private isNumbered = false;

  constructor(fields: object, tag: number, tagBits: number) {
    this.places = Object.entries(fields).map(([name, codec]) => placeOf(name, codec as Codec<unknown>));
    const bits = this.places.reduce((sum, place) => sum + place.bits, tagBits);
    // The head is handled as one signed number of 32 bits, and so are the numbers of the fields.
    if (bits > 31 || this.places.length > 31) throw new RangeError(`a head of ${bits} bits`);
    this.headBytes = Math.ceil(bits / 8);
    this.tag = tag;
    this.tagBits = tagBits;
    this.headColumns = new Array(this.headBytes).fill(0);
  }

  /** `first`: the column of the head's first byte, if the shape shares it with others. A shape that stands in several places has one set of columns. */
  number(columns: ColumnNames, first: number | undefined): void {
    if (this.isNumbered) return;
    this.isNumbered = true;
    this.headColumns = this.headColumns.map((_, i) => (i === 0 ? first : undefined) ?? columns.add(''));
    for (const place of this.places) {
      columns.inOrder(place.change, () => {
        place.column = columns.add(place.name);
      });
    }
    for (const { number, change } of this.places) columns.inOrder(change, () => number?.(columns));
  }

  write(writer: FieldWriter, value: Loose): void {
    const { places, headColumns } = this;
    let head = this.tag;
    let shift = this.tagBits;
    // By number of the field. Most optional ones are absent, and a call for each of them took a quarter of the time.
    let done = 0;
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as Place;
      const { name, bits } = place;
      if (bits === 0) continue;
      const field = value[name];
      if (field === undefined && place.isOptional) done |= 1 << i;
      else {
        head |= place.head(field, name) << shift;
        if (place.isBits) done |= 1 << i;
      }
      shift += bits;
    }
    for (let i = 0; i < this.headBytes; i++) {
      writer.column = headColumns[i] as number;
      writer.byte((head >>> (8 * i)) & 0xff);
    }
    for (let i = 0; i < places.length; i++) {
      if ((done & (1 << i)) !== 0) continue;
      const place = places[i] as Place;
      writer.column = place.column;
      place.write(writer, value[place.name], place.name);
    }
  }

  /** `first` is the head's first byte if there is a tag, which has been read to find this shape. */
  read(reader: FieldReader, first: number, into: Loose): void {
    const { places, headColumns } = this;
    let head = first;
    for (let i = this.tagBits > 0 ? 1 : 0; i < this.headBytes; i++) {
      reader.column = headColumns[i] as number;
      head |= reader.byte() << (8 * i);
    }
    head >>>= this.tagBits;
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as Place;
      const { name, bits } = place;
      const own = head & ((1 << bits) - 1);
      head >>>= bits;
      if (own === 0 && place.isOptional) continue;
      reader.column = place.column;
      const value = place.read(reader, own, name);
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
    number: (columns) => shape.number(columns, undefined),
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

/**
 * Objects of several shapes, told apart by the word in one of their fields; each word has a number of `tagBits` bits (8 at most). `change`: of a
 * shape that was added, as of a field (`since`).
 */
export function variants<T>(
  field: keyof T & string,
  tagBits: number,
  shapes: readonly (readonly [word: string, tag: number, fields: object, change?: number | undefined])[],
): Codec<T> {
  const byWord = new Map<unknown, Shape>();
  const byTag: { readonly word: string; readonly shape: Shape }[] = [];
  const changes = new Map<Shape, number>();
  for (const [word, tag, fields, change = 0] of shapes) {
    const shape = new Shape(fields, tag, tagBits);
    byWord.set(word, shape);
    byTag[tag] = { word, shape };
    changes.set(shape, change);
  }
  const tagMask = (1 << tagBits) - 1;
  let tagColumn = 0;
  return {
    bits: 0,
    head: noBits,
    number(columns) {
      tagColumn = columns.add('');
      for (const [shape, change] of changes) columns.inOrder(change, () => shape.number(columns, tagColumn));
    },
    write(writer, value, name) {
      if (value === null || typeof value !== 'object') notEncodable(name, 'an object');
      const shape = byWord.get((value as Loose)[field]) ?? notEncodable(`${field} of ${name}`, 'one that exists');
      shape.write(writer, value as Loose);
    },
    read(reader, _head, name) {
      reader.column = tagColumn;
      const first = reader.byte();
      const { word, shape } = byTag[first & tagMask] ?? reader.malformed(`${field} of ${name} is unknown`);
      // A literal with a computed key takes 0.1 us longer, a third of an item (measured).
      const value: Loose = {};
      value[field] = word;
      shape.read(reader, first, value);
      return value as T;
    },
  };
}
