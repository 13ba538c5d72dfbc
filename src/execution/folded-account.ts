/**
 * The records of one account as one value, and back (layout: `dormant account` in src/exchange/layout.ts): what a dormant account is kept as.
 *
 * Invariant: an account has one such value, and unfolding it under another number gives the same records under that number. Only what lies
 * by the account's number is in it; an account that has anything else is never folded (docs/rules.md, 11).
 * Not here: which accounts are folded, numbers and addresses (dormant-accounts.ts, admission.ts).
 */
import { assert } from '../base/assert.ts';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import * as G from '../ledger/layout.ts';

/** A record of an account without the account's number. */
export interface FoldedRecord {
  readonly recordClass: number;
  /** Of its key, what stands behind the account's number. */
  readonly rest: Uint8Array;
  /** Without zero bytes at its end. */
  readonly value: Uint8Array;
}

/** Where a record of an account lies. */
interface Place {
  readonly recordClass: number;
  readonly rest: Uint8Array;
  readonly at: number;
  /** With its header. */
  readonly bytes: number;
}

/** Classes whose records lie by number, ascending, with how many an account has; `rest` of their keys is empty or the index. */
const POSITION_PAGE_RECORDS = 4;
/** A key's rest is empty or one number. */
const REST_BYTES_MAX = 4;
const VALUE_BYTES_MAX = 56;
const NOTHING = new Uint8Array(0);

interface DenseClass {
  readonly recordClass: number;
  /** The word that holds the region's address. */
  readonly word: number;
  readonly count: number;
  readonly bytes: number;
  readonly indexed: boolean;
}

function denseClasses(kernel: Kernel): readonly DenseClass[] {
  const one = (recordClass: number, word: number, bytes: number): DenseClass => ({ recordClass, word, count: 1, bytes, indexed: false });
  const several = (recordClass: number, word: number, bytes: number, count: number): DenseClass => {
    return { recordClass, word, count, bytes, indexed: true };
  };
  return [
    one(G.CLASS_ACCOUNT, G.LEDGER_ACCOUNTS, G.ACCOUNT_SIZE),
    several(G.CLASS_NONCES, G.LEDGER_NONCES, G.NONCES_SIZE, G.NONCES_CHUNKS),
    several(G.CLASS_BALANCE, G.LEDGER_BALANCES, G.BALANCE_SIZE, kernel.get(G.LEDGER_TOKENS)),
    one(G.CLASS_NAME, G.LEDGER_NAMES, G.NAME_SIZE),
    one(X.CLASS_MARGIN_ACCOUNT, X.EXC_ACCOUNTS, 64),
    one(X.CLASS_SETTINGS, X.EXC_SETTINGS, 64),
    one(X.CLASS_VOLUME, X.EXC_VOLUMES, 32),
    several(X.CLASS_HISTORY, X.EXC_HISTORY, 64, X.HISTORY_PARTS),
    one(X.CLASS_REWARDS, X.EXC_REWARDS, 32),
  ];
}

/** Present records of an account, in the order of class and rest of key. */
function* presentPlaces(kernel: Kernel, account: number): Generator<Place> {
  const isPresent = (at: number): boolean => (kernel.get(at + L.RECORD_META) & L.RECORD_PRESENT) !== 0;
  let positionsDone = false;
  for (const { recordClass, word, count, bytes, indexed } of denseClasses(kernel)) {
    if (recordClass > X.CLASS_POSITION && !positionsDone) {
      yield* presentPositions(kernel, account, isPresent);
      positionsDone = true;
    }
    const first = kernel.get(word) + account * count * bytes;
    for (let i = 0; i < count; i++) {
      if (isPresent(first + i * bytes)) yield { recordClass, rest: indexed ? bigEndian(i) : NOTHING, at: first + i * bytes, bytes };
    }
  }
}

function* presentPositions(kernel: Kernel, account: number, isPresent: (at: number) => boolean): Generator<Place> {
  const pages = kernel.get(X.EXC_POSITION_PAGES);
  for (let page = 0; page < pages; page++) {
    const at = kernel.get(kernel.get(X.EXC_POSITIONS) + (account * pages + page) * 4);
    if (at === 0) continue;
    for (let i = 0; i < POSITION_PAGE_RECORDS; i++) {
      if (!isPresent(at + i * 64)) continue;
      yield { recordClass: X.CLASS_POSITION, rest: bigEndian(page * POSITION_PAGE_RECORDS + i), at: at + i * 64, bytes: 64 };
    }
  }
}

/** The records of an account, as they stand. */
export function readRecords(kernel: Kernel, account: number): FoldedRecord[] {
  return Array.from(presentPlaces(kernel, account), ({ recordClass, rest, at, bytes }) => {
    let end = at + bytes;
    while (end > at + L.RECORD_PAYLOAD && kernel.u8[end - 1] === 0) end--;
    return { recordClass, rest, value: kernel.u8.slice(at + L.RECORD_PAYLOAD, end) };
  });
}

/** Makes all records of an account absent, and has the state tree look at them. */
export function clearRecords(kernel: Kernel, account: number): void {
  for (const { at, bytes } of presentPlaces(kernel, account)) {
    kernel.u8.fill(0, at + L.RECORD_META, at + bytes);
    kernel.exports.touch(at / 32);
  }
}

/** Writes records to the places of an account that has none. False: the shared memory is full. */
export function writeRecords(kernel: Kernel, account: number, records: readonly FoldedRecord[]): boolean {
  const dense = new Map(denseClasses(kernel).map((entry) => [entry.recordClass, entry]));
  for (const { recordClass, rest, value } of records) {
    const index = rest.length === 0 ? 0 : numberOf(rest);
    const entry = dense.get(recordClass);
    let at: number;
    if (entry !== undefined) at = kernel.get(entry.word) + (account * entry.count + index) * entry.bytes;
    else {
      assert(recordClass === X.CLASS_POSITION, 'a record that cannot be unfolded was refused before');
      if (!kernel.exports.ensurePosition(account, index)) return false;
      const pages = kernel.get(X.EXC_POSITION_PAGES);
      at = kernel.get(kernel.get(X.EXC_POSITIONS) + (account * pages + (index >>> 2)) * 4) + (index & 3) * 64;
    }
    kernel.set(at + L.RECORD_META, L.RECORD_PRESENT);
    kernel.u8.set(value, at + L.RECORD_PAYLOAD);
    kernel.exports.touch(at / 32);
  }
  return true;
}

/** Quote units in the records: the balance of token 0, collateral, rewards. Positions are closed, so they hold nothing. */
export function equityOf(records: readonly FoldedRecord[]): bigint {
  let sum = 0n;
  for (const { recordClass, rest, value } of records) {
    const fields = new BigInt64Array(3);
    new Uint8Array(fields.buffer).set(value.subarray(0, 24));
    const [first = 0n, second = 0n] = fields;
    if (recordClass === G.CLASS_BALANCE && numberOf(rest) === G.TOKEN_QUOTE) sum += first;
    else if (recordClass === X.CLASS_MARGIN_ACCOUNT) sum += first;
    else if (recordClass === X.CLASS_REWARDS) sum += first + second;
  }
  return sum;
}

// --- The value ----------------------------------------------------------------------------------------------------------------------

export function packRecords(records: readonly FoldedRecord[]): Uint8Array {
  const bytes: number[] = [];
  for (const { recordClass, rest, value } of records) {
    bytes.push(recordClass, rest.length, ...rest, value.length + 1, ...value);
  }
  return Uint8Array.from(bytes);
}

/** The records of a value; undefined if it is not the one value of records that this ledger can hold. */
export function unpackRecords(kernel: Kernel, value: Uint8Array): FoldedRecord[] | undefined {
  const places = new Map(denseClasses(kernel).map((entry) => [entry.recordClass, entry] as const));
  const markets = kernel.get(X.EXC_MARKET_COUNT);
  const records: FoldedRecord[] = [];
  let at = 0;
  // `more`: what is added to the length.
  const bytes = (most: number, more: number): Uint8Array | undefined => {
    const length = (value[at] ?? -1) - more;
    if (length < 0 || length > most || at + 1 + length > value.length) return undefined;
    at += 1 + length;
    return value.slice(at - length, at);
  };
  while (at < value.length) {
    const recordClass = value[at++] as number;
    const rest = bytes(REST_BYTES_MAX, 0);
    const own = bytes(VALUE_BYTES_MAX, 1);
    if (rest === undefined || own === undefined || own.at(-1) === 0) return undefined;
    const entry = places.get(recordClass);
    const isPosition = recordClass === X.CLASS_POSITION;
    if (entry === undefined && !isPosition) return undefined;
    const isIndexed = isPosition || (entry?.indexed ?? false);
    if (rest.length !== (isIndexed ? REST_BYTES_MAX : 0)) return undefined;
    if (isIndexed && numberOf(rest) >= (entry?.count ?? markets)) return undefined;
    if (own.length > (entry?.bytes ?? 64) - L.RECORD_PAYLOAD) return undefined;
    const last = records.at(-1);
    if (last !== undefined && !isBefore(last, recordClass, rest)) return undefined;
    records.push({ recordClass, rest, value: own });
  }
  return records[0]?.recordClass === G.CLASS_ACCOUNT ? records : undefined;
}

function isBefore(last: FoldedRecord, recordClass: number, rest: Uint8Array): boolean {
  if (last.recordClass !== recordClass) return last.recordClass < recordClass;
  return Buffer.compare(last.rest, rest) < 0;
}

function bigEndian(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

function numberOf(bytes: Uint8Array): number {
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}
