/**
 * What actions are made of: texts, numbers, addresses, lists and structs, each with its way to be read from parsed JSON.
 *
 * Invariant: what was read is canonical. The keys of a struct stand in the order in which its shape lists them, keys that the shape does
 * not name are gone, optional keys without a value are absent, addresses and client ids are in lower case. So the same action encodes to
 * the same bytes, in whatever order its keys arrived. Decimal texts stay as they were received: their writer has hashed them like that.
 * Not here: which actions there are (wire-actions.ts), and whether a price or a name makes sense.
 */
import { HeddleError } from '../base/errors.ts';

/**
 * A value of type T. `read` returns it in canonical form or throws MALFORMED_ACTION, whose message begins with the place inside of the value:
 * structs and lists put theirs in front of it on its way up, so that what is well formed costs no names of places.
 */
export interface Shape<T> {
  readonly read: (value: unknown) => T;
}

/** A shape whose values can be told without an error for what is none. */
interface Told<T> extends Shape<T> {
  readonly fits: (value: unknown) => value is T;
}

/** A field of a struct that may be absent; null counts as absent. */
interface Optional<T> extends Shape<T> {
  readonly isOptional: true;
}

/** The type of the values of a shape. */
export type Of<S> = S extends Shape<infer T> ? T : never;

type Fields = Readonly<Record<string, Shape<unknown>>>;
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends Optional<unknown> ? K : never }[keyof F];
type Struct<F extends Fields> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Of<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: Of<F[K]>;
};

const MALFORMED = 'MALFORMED_ACTION';

export function malformed(wanted: string): never {
  throw new HeddleError(MALFORMED, ` has to be ${wanted}`);
}

/** The error of something that stands at this place. */
function placed(error: unknown, place: string): unknown {
  if (error instanceof HeddleError && error.code === MALFORMED) error.message = place + error.message;
  return error;
}

/** A value of a shape by its name. */
export function readNamed<T>(shape: Shape<T>, value: unknown, name: string): T {
  try {
    return shape.read(value);
  } catch (error) {
    throw placed(error, name);
  }
}

/** Longer than any name, description or signer list of the protocol. */
const TEXT_LENGTH_MAX = 4096;
const DECIMAL_LENGTH_MAX = 64;
const ITEMS_MAX = 10_000;

/** A text that has a UTF-8 form: no halves of surrogate pairs. */
export const text: Shape<string> = {
  read: (value) => {
    if (typeof value !== 'string' || value.length > TEXT_LENGTH_MAX || !value.isWellFormed()) {
      malformed(`a text of at most ${TEXT_LENGTH_MAX} characters`);
    }
    return value;
  },
};

/** A decimal number as a text, as it was received. Whether it is one is looked at where it is used (decimal.ts). */
export const decimal: Told<string> = {
  fits: (value): value is string => typeof value === 'string' && value.length <= DECIMAL_LENGTH_MAX && value.isWellFormed(),
  read: (value) => (decimal.fits(value) ? value : malformed('a decimal number as a text')),
};

function matching(pattern: RegExp, wanted: string): Told<`0x${string}`> {
  const fits = (value: unknown): value is `0x${string}` => typeof value === 'string' && pattern.test(value);
  return { fits, read: (value) => (fits(value) ? (value.toLowerCase() as `0x${string}`) : malformed(wanted)) };
}

export const address = matching(/^0x[0-9a-fA-F]{40}$/, '0x and 40 hex digits');
/** An address that is signed as a text: its case stays, so that its writer's signature is that of what it sent. Compare it in lower case. */
export const addressText: Shape<string> = {
  read: (value) => {
    address.read(value);
    return value as string;
  },
};
export const clientId = matching(/^0x[0-9a-fA-F]{32}$/, '0x and 32 hex digits');
/** A number as hex digits without leading zeros, as half a signature is encoded. */
export const quantity: Shape<`0x${string}`> = {
  read: (value) => {
    if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) malformed('0x and up to 64 hex digits');
    return value.toLowerCase().replace(/^0x0+(?=.)/, '0x') as `0x${string}`;
  },
};
/** An identifier of a chain. Its case and its zeros stay: it is hashed as it was received. */
export const chainId: Shape<string> = {
  read: (value) => {
    if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,16}$/.test(value)) malformed('0x and up to 16 hex digits');
    return value;
  },
};

export const bool: Shape<boolean> = {
  read: (value) => (typeof value === 'boolean' ? value : malformed('true or false')),
};

export const unsigned: Told<number> = {
  fits: (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0,
  read: (value) => (unsigned.fits(value) ? value + 0 : malformed('an integer from 0')),
};

export const integer: Shape<number> = {
  read: (value) => (Number.isSafeInteger(value) ? (value as number) + 0 : malformed('an integer')),
};

export function choice<const T extends string>(...options: readonly T[]): Shape<T> {
  return {
    read: (value) => (options.includes(value as T) ? (value as T) : malformed(options.map((option) => `"${option}"`).join(' or '))),
  };
}

export function optional<T>(shape: Shape<T>): Optional<T> {
  return { isOptional: true, read: shape.read };
}

/** True, or absent: false is the same as absent and is not encoded. */
export const flag: Optional<true> = {
  isOptional: true,
  read: (value) => {
    if (typeof value !== 'boolean') malformed('true or false');
    return (value || undefined) as true;
  },
};

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return { read: (value) => (value === null ? null : shape.read(value)) };
}

/** Absent or null or a value, and all three encode differently. */
export function optionalNullable<T>(shape: Shape<T>): Optional<T | null> {
  return Object.assign(optional(nullable(shape)), { keepsNull: true });
}

export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    read: (value) => {
      if (!Array.isArray(value) || value.length > ITEMS_MAX) malformed(`a list of at most ${ITEMS_MAX} items`);
      let at = 0;
      try {
        return value.map((one, i) => {
          at = i;
          return item.read(one);
        });
      } catch (error) {
        throw placed(error, `[${at}]`);
      }
    },
  };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function struct<F extends Fields>(fields: F): Shape<Struct<F>> {
  const entries = Object.entries(fields).map(([key, shape]) => ({
    key,
    // Shapes have several forms; finding this in each of them, every time, takes longer.
    readField: shape.read,
    isOptional: 'isOptional' in shape,
    keepsNull: 'keepsNull' in shape,
  }));
  return {
    read: (value) => {
      if (!isObject(value)) malformed('an object');
      const result: Record<string, unknown> = {};
      let reading = '';
      try {
        for (const { key, readField, isOptional, keepsNull } of entries) {
          const field = Object.hasOwn(value, key) ? value[key] : undefined;
          if (isOptional && (field === undefined || (field === null && !keepsNull))) continue;
          reading = key;
          const read = readField(field);
          if (read !== undefined) result[key] = read;
        }
      } catch (error) {
        throw placed(error, `.${reading}`);
      }
      return result as Struct<F>;
    },
  };
}

/** One of several structs, each known by a key that only it has. */
export function oneOf<const S extends Fields>(structs: S): Shape<Of<S[keyof S]>> {
  const keys = Object.keys(structs);
  return {
    read: (value) => {
      const present = isObject(value) ? keys.filter((key) => Object.hasOwn(value, key)) : [];
      if (present.length !== 1) malformed(`an object with ${keys.map((key) => `"${key}"`).join(' or ')}`);
      return structs[present[0] as string]?.read(value) as Of<S[keyof S]>;
    },
  };
}

/** A text, or a number or an object. */
export function textOr<T, O>(ofText: Shape<T>, other: Shape<O>): Shape<T | O> {
  return { read: (value) => (typeof value === 'string' ? ofText.read(value) : other.read(value)) };
}
