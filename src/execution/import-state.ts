/**
 * Brings records into an engine that has just been created: how a node starts from a snapshot or from its store instead of from genesis.
 *
 * Invariant: an engine that was filled from the records of another gives the same receipts and roots from then on. What is not in records
 * (bits of the books, sets of accounts, directories, parameters that follow prices) is made from them here; nothing else is carried over.
 * Not here: whether the records are the right ones; the caller compares the root.
 */
import { HeddleError } from '../base/errors.ts';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import * as G from '../ledger/layout.ts';
import type { Admission } from './admission.ts';
import type { RecordEntry } from './api.ts';
import { type DenseClass, denseClasses, KEYED_CLASSES } from './state.ts';

const U64_MAX = (1n << 64n) - 1n;
/** Bytes of an order's record behind its value: where its client id lies. */
const ORDER_CLIENT_AT = 60;
const ORDER_PRICE = 40;
const ORDER_MARKET = 52;
const ORDER_FLAGS = 54;
const TWAP_MARKET = 44;
const ADDRESS_BYTES = 20;

type Record = Pick<RecordEntry, 'key' | 'value'>;

/** Classes that are found by key. */
const KEYED: ReadonlySet<number> = new Set(KEYED_CLASSES);

/**
 * Replaces the state by these records, in the order of their keys. The engine must be of the same genesis and must not have executed a block.
 * Throws BAD_SNAPSHOT if a record cannot be one of this ledger, OUT_OF_MEMORY.
 */
export function importRecords(kernel: Kernel, admission: Admission, records: Iterable<Record>, height: number): void {
  clear(kernel, admission);
  const importer = new Importer(kernel, admission, height);
  for (const record of records) importer.take(record);
  importer.finish();
}

/** What genesis has made present is absent again; regions stay. */
function clear(kernel: Kernel, admission: Admission): void {
  const absent = (at: number, bytes: number) => kernel.u8.fill(0, at + L.RECORD_META, at + bytes);
  const all = (word: number, count: number, bytes: number) => {
    const at = kernel.get(word);
    for (let i = 0; i < count; i++) if (kernel.get(at + i * bytes + L.RECORD_META) !== 0) absent(at + i * bytes, bytes);
  };
  const accounts = admission.highestNumber;
  all(G.LEDGER_ACCOUNTS, accounts, 64);
  all(G.LEDGER_BALANCES, accounts * kernel.get(G.LEDGER_TOKENS), 32);
  all(X.EXC_ACCOUNTS, accounts, 64);
  all(X.EXC_VOLUMES, accounts, 32);
  all(X.EXC_REWARDS, accounts, 32);
  all(X.EXC_VAULTS, kernel.get(X.EXC_VAULTS_MAX), 64);
  admission.forgetAll();
}

class Importer {
  private readonly kernel: Kernel;
  private readonly admission: Admission;
  private readonly view = new DataView(new ArrayBuffer(64));
  private readonly bytes = new Uint8Array(this.view.buffer);
  private readonly clientIds = new Map<bigint, Map<number, number>>();
  /** Cells of benchmarks are no state that is carried over. */
  private readonly dense: ReadonlyMap<number, DenseClass>;
  private vaults = 0;
  private readonly height: number;

  constructor(kernel: Kernel, admission: Admission, height: number) {
    this.kernel = kernel;
    this.admission = admission;
    this.height = height;
    const classes = denseClasses(kernel, kernel.get(X.EXC_MAX_ACCOUNTS)).filter(({ of }) => of !== 'cell');
    this.dense = new Map(classes.map((dense) => [dense.recordClass, dense]));
  }

  take({ key, value }: Record): void {
    if (key[0] === X.CLASS_DORMANT) {
      this.dormant(key, value);
      return;
    }
    if (key.length < 1 || key.length > 53 || value.length > 56) this.refuse(key, 'it is no record');
    this.bytes.fill(0);
    this.bytes.set(key.subarray(0, 53));
    const recordClass = key[0] as number;
    const at = KEYED.has(recordClass) ? this.keyed(recordClass, key) : this.place(recordClass, key);
    this.kernel.set(at + L.RECORD_META, L.RECORD_PRESENT);
    this.kernel.u8.set(value, at + L.RECORD_PAYLOAD);
    this.follow(recordClass, at);
  }

  /** It lies in no shared memory. */
  private dormant(key: Uint8Array, value: Uint8Array): void {
    if (
      key.length !== 1 + ADDRESS_BYTES ||
      !this.admission.keepDormant(new Uint8Array(key.subarray(1)), new Uint8Array(value), this.height)
    ) {
      this.refuse(key, 'it is no dormant account, or accounts do not become dormant here');
    }
  }

  private refuse(key: Uint8Array, reason: string): never {
    throw new HeddleError('BAD_SNAPSHOT', `record ${Buffer.from(key).toString('hex')} does not fit this ledger: ${reason}`);
  }

  private field(index: number): number {
    return this.view.getUint32(1 + index * 4);
  }

  private keyed(recordClass: number, key: Uint8Array): number {
    const location = this.admission.keepKey(recordClass, key.subarray(1));
    return location * 32;
  }

  /** Where a record lies whose place follows from the numbers in its key. */
  private place(recordClass: number, key: Uint8Array): number {
    const fields = (key.length - 1) / 4;
    if (!Number.isInteger(fields) || fields > 2) this.refuse(key, 'its key has a wrong length');
    const dense = this.dense.get(recordClass);
    return dense === undefined ? this.pagedPlace(recordClass, key, fields) : this.densePlace(dense, key, fields);
  }

  private densePlace({ of, base, bytes, count, split, offset }: DenseClass, key: Uint8Array, fields: number): number {
    if (fields !== (split === -1 ? 0 : split === 0 ? 1 : 2)) this.refuse(key, 'its key has a wrong length');
    if (split === -1) return base;
    const [first, second] = [this.field(0), split === 0 ? 0 : this.field(1) - offset];
    const parts = Math.max(1, split);
    if (first >= count / parts) this.refuse(key, `there is no such ${of}`);
    if (second < 0 || second >= parts) this.refuse(key, 'its second field is out of range');
    return base + (first * parts + second) * bytes;
  }

  /** Records in pages of their account or market, which are made for them; and vaults, which lie by their index. */
  private pagedPlace(recordClass: number, key: Uint8Array, fields: number): number {
    const { kernel } = this;
    const [a, b] = [this.field(0), this.field(1)];
    const need = (number: number, limit: number, what: string) => {
      if (number >= limit) this.refuse(key, what);
    };
    const account = (expected: number) => {
      if (fields !== expected) this.refuse(key, 'its key has a wrong length');
      need(a, kernel.get(X.EXC_MAX_ACCOUNTS), 'there is no such account');
    };
    const market = (number: number) => need(number, kernel.get(X.EXC_MARKET_COUNT), 'there is no such market');
    const second = (limit: number) => need(b, limit, 'its second field is out of range');
    switch (recordClass) {
      case X.CLASS_POSITION:
        account(2);
        market(b);
        this.need(kernel.exports.ensurePosition(a, b));
        return kernel.get(kernel.get(X.EXC_POSITIONS) + (a * kernel.get(X.EXC_POSITION_PAGES) + (b >>> 2)) * 4) + (b & 3) * 64;
      case X.CLASS_ORDER:
      case X.CLASS_EXTRA:
        account(2);
        second(kernel.get(X.EXC_ORDER_SLOTS));
        this.need(kernel.exports.ensureSlotPages(a, b + 1));
        return this.slotAddress(a, b, recordClass === X.CLASS_EXTRA);
      case X.CLASS_LEVEL: {
        if (fields !== 2) this.refuse(key, 'its key has a wrong length');
        market(a);
        const parameters = kernel.get(X.EXC_MARKETS) + a * X.MARKET_BYTES;
        second(kernel.get(parameters + X.MKT_TICK_COUNT));
        this.need(kernel.exports.ensurePage(a, b));
        return kernel.get(kernel.get(parameters + X.MKT_DIRECTORY) + (b >>> 6) * 4) + 64 + (b & 63) * 32;
      }
      case X.CLASS_VAULT:
        account(1);
        need(this.vaults, kernel.get(X.EXC_VAULTS_MAX), 'there are too many vaults');
        return this.vaultAddress(a);
      case X.CLASS_TWAP:
        account(2);
        second(X.TWAPS_MAX);
        this.need(kernel.exports.ensureTwaps(a));
        return kernel.get(kernel.get(X.EXC_DIRECTORIES) + a * X.DIR_BYTES + X.DIR_TWAPS) + b * 64;
      default:
        return this.refuse(key, `there is no class ${recordClass}`);
    }
  }

  private need(made: boolean | number): void {
    if (!made) throw new HeddleError('OUT_OF_MEMORY', 'the shared memory is too small for the state: give the engine more (memoryMiB)');
  }

  private slotAddress(account: number, slot: number, extra: boolean): number {
    const { kernel } = this;
    const directory = kernel.get(X.EXC_DIRECTORIES) + account * X.DIR_BYTES;
    if (slot < 8) return kernel.get(directory + (extra ? X.DIR_FIRST_EXTRAS : X.DIR_FIRST)) + slot * 64;
    const entry = kernel.get(directory + X.DIR_TABLE) + (slot & ~7);
    return kernel.get(entry + (extra ? 4 : 0)) + (slot & 7) * 64;
  }

  /** A vault's index is in its account's record, which came before. */
  private vaultAddress(account: number): number {
    const { kernel } = this;
    this.vaults++;
    const index = kernel.view.getUint16(kernel.get(G.LEDGER_ACCOUNTS) + account * 64 + G.ACCOUNT_VAULT_INDEX, true);
    return kernel.get(X.EXC_VAULTS) + Math.min(index, kernel.get(X.EXC_VAULTS_MAX) - 1) * 64;
  }

  /** What is kept beside a record and follows from it. */
  private follow(recordClass: number, at: number): void {
    const { kernel } = this;
    const [a, b] = [this.field(0), this.field(1)];
    if (recordClass === G.CLASS_ACCOUNT) this.admission.keepNumber(a, kernel.u8.slice(at + G.ACCOUNT_ADDRESS, at + G.ACCOUNT_ADDRESS + 20));
    else if (recordClass === X.CLASS_PORTFOLIO) setBit(kernel, kernel.get(X.EXC_ACTIVE), a);
    else if (recordClass === X.CLASS_SETTINGS) {
      if (kernel.view.getBigUint64(at + 16, true) !== U64_MAX) setBit(kernel, kernel.get(X.EXC_TIMED), a);
    } else if (recordClass === X.CLASS_LEVEL) this.showLevel(a, b, kernel.get(at + 28));
    else if (recordClass === X.CLASS_ORDER) {
      const market = kernel.view.getUint16(at + ORDER_MARKET, true);
      this.makeRoom(a, market, kernel.get(at + ORDER_PRICE));
    } else if (recordClass === X.CLASS_TWAP) this.makeRoom(a, kernel.view.getUint16(at + TWAP_MARKET, true), 0);
    else if (recordClass === X.CLASS_CLIENT_ID) {
      const ofOid = this.clientIds.get(kernel.view.getBigUint64(at + 8, true)) ?? new Map<number, number>();
      this.clientIds.set(kernel.view.getBigUint64(at + 8, true), ofOid.set(a, at / 32));
    }
  }

  /** What admission has made for an order before it was in the state: its account's position may have no record yet, its level no order. */
  private makeRoom(account: number, market: number, ticks: number): void {
    const { kernel } = this;
    if (market >= kernel.get(X.EXC_MARKET_COUNT)) {
      throw new HeddleError('BAD_SNAPSHOT', `an order or a TWAP of account ${account} is in a market ${market} that this ledger has not`);
    }
    this.need(kernel.exports.ensurePosition(account, market));
    const parameters = kernel.get(X.EXC_MARKETS) + market * X.MARKET_BYTES;
    if (ticks > 0 && ticks < kernel.get(parameters + X.MKT_TICK_COUNT)) this.need(kernel.exports.ensurePage(market, ticks));
  }

  /** Bits of a level's word and of the words above it. */
  private showLevel(market: number, ticks: number, side: number): void {
    const { kernel } = this;
    const parameters = kernel.get(X.EXC_MARKETS) + market * X.MARKET_BYTES;
    let word = kernel.get(kernel.get(parameters + X.MKT_DIRECTORY) + (ticks >>> 6) * 4) / 32 + side;
    let child = ticks;
    for (let height = 1; ; height++) {
      const at = (word * 32 + L.BITS_WORD) / 8;
      kernel.u64[at] = (kernel.u64[at] as bigint) | (1n << BigInt(child & 63));
      if (height > kernel.get(parameters + X.MKT_TOP)) return;
      child >>>= 6;
      word = kernel.get(parameters + X.MKT_SUMMARY + height * 4) + (child >>> 6) * 2 + side;
    }
  }

  /** What needs more than one record. */
  finish(): void {
    const { kernel } = this;
    kernel.set(kernel.get(X.EXC_VAULT_COUNT) * 32 + L.RECORD_META, L.RECORD_PRESENT);
    for (const [oid, ofOid] of this.clientIds) {
      for (const [account, location] of ofOid) this.linkOrder(account, Number(oid & BigInt((1 << X.OID_SLOT_BITS) - 1)), location);
    }
    for (let market = 0; market < kernel.get(X.EXC_MARKET_COUNT); market++) this.readMarket(market);
    const clock = kernel.get(X.EXC_CLOCK) * 32;
    kernel.u64[X.EXC_LAST_MARK_MS / 8] = kernel.u64[(clock + 8) / 8] as bigint;
    kernel.u64[X.EXC_LAST_ROLL_DAY / 8] = kernel.u64[(clock + 16) / 8] as bigint;
  }

  private linkOrder(account: number, slot: number, location: number): void {
    const order = this.slotAddress(account, slot, false);
    if ((this.kernel.u8[order + ORDER_FLAGS] as number) & X.FLAG_CLIENT_ID) this.kernel.set(order + ORDER_CLIENT_AT, location);
  }

  /** A market's parameters that follow prices. */
  private readMarket(market: number): void {
    const { kernel } = this;
    const parameters = kernel.get(X.EXC_MARKETS) + market * X.MARKET_BYTES;
    const price = kernel.get(X.EXC_PRICES) + market * 64;
    const state = kernel.get(X.EXC_MARKET_STATES) + market * 32;
    const delisting = kernel.get(X.EXC_DELISTINGS) + market * 32;
    const delisted = kernel.u64[(delisting + 16) / 8] !== 0n;
    kernel.set(parameters + X.MKT_INDEX, kernel.get(price + 8));
    kernel.set(parameters + X.MKT_MARK, kernel.get(price + 12));
    kernel.set(parameters + X.MKT_PREVIOUS_MARK, kernel.get(price + 28));
    kernel.set(parameters + X.MKT_STATUS, delisted ? X.STATUS_DELISTED : kernel.get(state + 24));
    kernel.u64[(parameters + X.MKT_INTEREST_BEFORE) / 8] = kernel.u64[(state + 8) / 8] as bigint;
    kernel.u64[(parameters + X.MKT_INTEREST_MINUTE) / 8] = kernel.u64[(state + 16) / 8] as bigint;
    kernel.u64[(parameters + X.MKT_NOTED_VOLUME) / 8] = kernel.u64[kernel.get(parameters + X.MKT_TOTALS) * 4 + 1] as bigint;
  }
}

function setBit(kernel: Kernel, words: number, bit: number): void {
  const at = ((words + (bit >>> 6)) * 32 + L.BITS_WORD) / 8;
  kernel.u64[at] = (kernel.u64[at] as bigint) | (1n << BigInt(bit & 63));
}
