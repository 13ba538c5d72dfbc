/**
 * Walks all records of the state in key order: for the root, for comparisons, for reading books. Knows the classes of the programs;
 * a class is described once, in `classes`.
 *
 * Invariant: what is walked depends on the state alone, not on how it came about (locations, free lists and headers are not looked at).
 */
import { createHash } from 'node:crypto';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import * as G from '../ledger/layout.ts';
import * as B from '../synthetic/layout.ts';
import { kernelKeys } from './admission.ts';
import type { RecordEntry } from './api.ts';

/** A record class whose records lie densely: key fields are big-endian u32 made from the index. */
interface DenseClass {
  readonly recordClass: number;
  readonly name: string;
  readonly base: number;
  readonly bytes: number;
  readonly valueBytes: number;
  readonly count: number;
  /** The divisor that splits the index into two key fields; 0: one field. */
  readonly split: number;
  /** Added to the second field. */
  readonly offset: number;
  /** Records lie by second field first: index = second * maxAccounts + first. */
  readonly transposed: boolean;
}

export const CLASS_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'keyed record'],
  [G.CLASS_ACCOUNT, 'account'],
  [G.CLASS_NONCES, 'nonce chunk'],
  [G.CLASS_BALANCE, 'balance'],
  [X.CLASS_MARGIN_ACCOUNT, 'margin account'],
  [X.CLASS_PORTFOLIO, 'portfolio'],
  [X.CLASS_POSITION, 'position'],
  [X.CLASS_ORDER, 'order'],
  [X.CLASS_LEVEL, 'level'],
  [X.CLASS_CLIENT_ID, 'client id'],
  [X.CLASS_TOTALS, 'market totals'],
  [X.CLASS_ORACLE, 'oracle'],
  [X.CLASS_ORDER_PAGE, 'order page'],
  [X.CLASS_BITS, 'book bits'],
  [B.CLASS_CELL, 'cell'],
  [B.CLASS_COUNTER, 'counter'],
]);

function denseClasses(kernel: Kernel, accounts: number): DenseClass[] {
  const classes: DenseClass[] = [];
  const add = (recordClass: number, word: number, count: number, bytes: number, split = 0, transposed = false) => {
    const valueBytes = recordClass === X.CLASS_ORDER ? 52 : bytes - L.RECORD_PAYLOAD;
    const name = CLASS_NAMES.get(recordClass) ?? '?';
    if (count > 0) classes.push({ recordClass, name, base: kernel.get(word), bytes, valueBytes, count, split, offset: 0, transposed });
  };
  const markets = kernel.get(X.EXC_MARKET_COUNT);
  const slots = kernel.get(X.EXC_ORDER_SLOTS);
  const tokens = kernel.get(G.LEDGER_TOKENS);
  add(G.CLASS_ACCOUNT, G.LEDGER_ACCOUNTS, accounts, 64);
  add(G.CLASS_NONCES, G.LEDGER_NONCES, accounts * G.NONCES_CHUNKS, 64, G.NONCES_CHUNKS);
  add(G.CLASS_BALANCE, G.LEDGER_BALANCES, accounts * tokens, 32, tokens);
  add(X.CLASS_MARGIN_ACCOUNT, X.EXC_ACCOUNTS, accounts, 64);
  if (markets > 0) {
    add(X.CLASS_PORTFOLIO, X.EXC_PORTFOLIOS, accounts, 64);
    add(X.CLASS_POSITION, X.EXC_POSITIONS, accounts * markets, 32, markets, true);
    add(X.CLASS_ORDER, X.EXC_ORDERS, accounts * slots, 64, slots, true);
  }
  return classes;
}

function lateClasses(kernel: Kernel, accounts: number): DenseClass[] {
  const classes: DenseClass[] = [];
  const add = (recordClass: number, base: number, count: number, split = 0, offset = 0) => {
    const name = CLASS_NAMES.get(recordClass) ?? '?';
    if (count > 0) classes.push({ recordClass, name, base, bytes: 32, valueBytes: 24, count, split, offset, transposed: false });
  };
  const markets = kernel.get(X.EXC_MARKET_COUNT);
  if (markets > 0) {
    const parameters = kernel.get(X.EXC_MARKETS);
    add(X.CLASS_TOTALS, kernel.get(parameters + X.MKT_TOTALS) * 32, markets);
    add(X.CLASS_ORACLE, kernel.get(parameters + X.MKT_ORACLE) * 32, markets);
    const pages = kernel.get(X.EXC_ORDER_SLOTS) / 64 - 1;
    if (pages > 0) add(X.CLASS_ORDER_PAGE, kernel.get(X.EXC_ORDER_PAGES), accounts * pages, pages, 1);
  }
  add(B.CLASS_CELL, kernel.get(B.BENCH_CELLS), kernel.get(B.BENCH_CELL_COUNT));
  add(B.CLASS_COUNTER, kernel.get(B.BENCH_COUNTERS), kernel.get(B.BENCH_COUNTER_COUNT));
  return classes;
}

/** Where record i, in key order, lies. */
function indexOf(entry: DenseClass, i: number, stride: number): number {
  return entry.transposed ? (i % entry.split) * stride + Math.floor(i / entry.split) : i;
}

/** One level that has orders. */
export interface LevelEntry {
  readonly priceTicks: number;
  readonly side: number;
  readonly totalLots: bigint;
  readonly count: number;
}

/** Addresses of the present levels of a market with their prices, ascending. */
function* levelAddresses(kernel: Kernel, market: number): Generator<[ticks: number, address: number]> {
  const parameters = kernel.get(X.EXC_MARKETS) + market * X.MARKET_BYTES;
  const pages = Math.ceil(kernel.get(parameters + X.MKT_TICK_COUNT) / 64);
  const directory = kernel.get(parameters + X.MKT_DIRECTORY);
  for (let page = 0; page < pages; page++) {
    const at = kernel.get(directory + page * 4);
    if (at === 0) continue;
    for (let i = 0; i < 64; i++) {
      const address = at + 64 + i * 32;
      if ((kernel.get(address + L.RECORD_META) & L.RECORD_PRESENT) !== 0) yield [page * 64 + i, address];
    }
  }
}

export function* levelsOf(kernel: Kernel, market: number): Generator<LevelEntry> {
  for (const [priceTicks, address] of levelAddresses(kernel, market)) {
    yield {
      priceTicks,
      totalLots: kernel.view.getBigInt64(address + 8, true),
      count: kernel.get(address + 24),
      side: kernel.get(address + 28),
    };
  }
}

/** Calls `visit(class, key, address of the value, its length)` for every record, in key order. The key's bytes are used again. */
export function visitRecords(
  kernel: Kernel,
  accounts: number,
  visit: (name: string, key: Uint8Array, at: number, bytes: number) => void,
): void {
  const key8 = new Uint8Array(9);
  const dense = (entry: DenseClass) => {
    const key = entry.split === 0 ? key8.subarray(0, 5) : key8;
    const stride = kernel.get(X.EXC_MAX_ACCOUNTS);
    const view = new DataView(key8.buffer);
    view.setUint8(0, entry.recordClass);
    for (let i = 0; i < entry.count; i++) {
      const at = entry.base + indexOf(entry, i, stride) * entry.bytes;
      if ((kernel.get(at + L.RECORD_META) & L.RECORD_PRESENT) === 0) continue;
      if (entry.split === 0) view.setUint32(1, i);
      else {
        view.setUint32(1, Math.floor(i / entry.split));
        view.setUint32(5, (i % entry.split) + entry.offset);
      }
      visit(entry.name, key, at + L.RECORD_PAYLOAD, entry.valueBytes);
    }
  };
  for (const entry of denseClasses(kernel, accounts)) dense(entry);
  const view = new DataView(key8.buffer);
  for (let market = 0; market < kernel.get(X.EXC_MARKET_COUNT); market++) {
    for (const [ticks, address] of levelAddresses(kernel, market)) {
      view.setUint8(0, X.CLASS_LEVEL);
      view.setUint32(1, market);
      view.setUint32(5, ticks);
      visit('level', key8, address + L.RECORD_PAYLOAD, 24);
    }
  }
  for (const { key, location } of keyedRecords(kernel, X.CLASS_CLIENT_ID)) visit('client id', key, location * 32 + L.RECORD_PAYLOAD, 24);
  for (const entry of lateClasses(kernel, accounts)) dense(entry);
}

function keyedRecords(kernel: Kernel, recordClass: number): { key: Uint8Array; location: number }[] {
  const found: { key: Uint8Array; location: number }[] = [];
  for (const location of kernelKeys(kernel)) {
    const unit = location * 32;
    if (kernel.u8[unit + 36] !== recordClass || (kernel.get(unit + L.RECORD_META) & L.RECORD_PRESENT) === 0) continue;
    found.push({ key: keyOfUnit(kernel, unit), location });
  }
  return found.sort((a, b) => Buffer.compare(a.key, b.key));
}

function keyOfUnit(kernel: Kernel, unit: number): Uint8Array {
  const length = kernel.get(unit + 32);
  const key = new Uint8Array(1 + length);
  key[0] = kernel.u8[unit + 36] as number;
  key.set(kernel.u8.subarray(unit + 40, unit + 40 + length), 1);
  return key;
}

export function* recordEntries(kernel: Kernel, accounts: number): Generator<RecordEntry> {
  const entries: RecordEntry[] = [];
  visitRecords(kernel, accounts, (recordClass, key, at, bytes) => {
    entries.push({ recordClass, key: key.slice(), value: kernel.u8.slice(at, at + bytes) });
  });
  yield* entries;
}

/** SHA-256 over u8 key length, key and value of all records in key order; hexadecimal. */
export function stateRootOf(kernel: Kernel, accounts: number): string {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(1 << 16);
  let filled = 0;
  visitRecords(kernel, accounts, (_name, key, at, bytes) => {
    if (filled + 128 > buffer.length) {
      hash.update(buffer.subarray(0, filled));
      filled = 0;
    }
    buffer[filled] = key.length;
    buffer.set(key, filled + 1);
    buffer.set(kernel.u8.subarray(at, at + bytes), filled + 1 + key.length);
    filled += 1 + key.length + bytes;
  });
  hash.update(buffer.subarray(0, filled));
  return hash.digest('hex');
}

/** Translates a location back to class and key: for access lists that people and other nodes read. */
export class LocationNames {
  private readonly kernel: Kernel;
  private readonly dense: DenseClass[];
  private readonly pages = new Map<number, { market: number; page: number }>();
  private readonly summaries: { from: number; to: number; market: number; height: number }[] = [];

  constructor(kernel: Kernel, accounts: number) {
    this.kernel = kernel;
    this.dense = [...denseClasses(kernel, accounts), ...lateClasses(kernel, accounts)];
    for (let market = 0; market < kernel.get(X.EXC_MARKET_COUNT); market++) this.addMarket(market);
  }

  private addMarket(market: number): void {
    const { kernel } = this;
    const parameters = kernel.get(X.EXC_MARKETS) + market * X.MARKET_BYTES;
    const pages = Math.ceil(kernel.get(parameters + X.MKT_TICK_COUNT) / 64);
    const directory = kernel.get(parameters + X.MKT_DIRECTORY);
    for (let page = 0; page < pages; page++) {
      const at = kernel.get(directory + page * 4);
      if (at !== 0) this.pages.set(at, { market, page });
    }
    let words = pages;
    for (let height = 1; height <= kernel.get(parameters + X.MKT_TOP); height++) {
      words = Math.ceil(words / 64);
      const from = kernel.get(parameters + X.MKT_SUMMARY + height * 4) * 32;
      this.summaries.push({ from, to: from + words * 64, market, height });
    }
  }

  name(location: number): { recordClass: string; key: string } {
    const address = location * 32;
    const hex = (recordClass: number, ...fields: number[]) => {
      const key = Buffer.alloc(1 + fields.length * 4);
      key[0] = recordClass;
      fields.forEach((field, i) => {
        key.writeUInt32BE(field, 1 + i * 4);
      });
      return { recordClass: CLASS_NAMES.get(recordClass) ?? '?', key: key.toString('hex') };
    };
    for (const entry of this.dense) {
      const records = entry.transposed ? entry.split * this.kernel.get(X.EXC_MAX_ACCOUNTS) : entry.count;
      if (address < entry.base || address >= entry.base + records * entry.bytes) continue;
      const index = (address - entry.base) / entry.bytes;
      if (entry.transposed) {
        const stride = this.kernel.get(X.EXC_MAX_ACCOUNTS);
        return hex(entry.recordClass, index % stride, Math.floor(index / stride));
      }
      if (entry.split === 0) return hex(entry.recordClass, index);
      return hex(entry.recordClass, Math.floor(index / entry.split), (index % entry.split) + entry.offset);
    }
    for (const summary of this.summaries) {
      if (address < summary.from || address >= summary.to) continue;
      const index = (address - summary.from) / 32;
      return hex(X.CLASS_BITS, summary.market, summary.height, index >> 1, index & 1);
    }
    // Pages lie from the start of a chunk, one behind the other.
    const chunk = address - (address % 65536);
    const start = chunk + Math.floor((address - chunk) / X.LEVEL_PAGE_BYTES) * X.LEVEL_PAGE_BYTES;
    const page = this.pages.get(start);
    if (page !== undefined) {
      const index = (address - start) / 32;
      if (index < 2) return hex(X.CLASS_BITS, page.market, 0, page.page, index);
      return hex(X.CLASS_LEVEL, page.market, page.page * 64 + index - 2);
    }
    const key = keyOfUnit(this.kernel, address);
    return { recordClass: CLASS_NAMES.get(key[0] as number) ?? '?', key: Buffer.from(key).toString('hex') };
  }
}
