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

/** A record class whose records lie densely, in the order of their keys: fields are big-endian u32 made from the index. */
export interface DenseClass {
  readonly recordClass: number;
  /** What the first field of the key is the number of. */
  readonly of: 'account' | 'market' | 'cell' | 'nothing';
  readonly base: number;
  readonly bytes: number;
  readonly count: number;
  /** The divisor that splits the index into two key fields; 0: one field, -1: the key is the class alone. */
  readonly split: number;
  /** Added to the second field. */
  readonly offset: number;
}

/** A record class whose records lie in pages of an account: positions by market, orders and extras by slot, TWAPs by index. */
interface PagedClass {
  readonly recordClass: number;
  readonly valueBytes: number;
  /** Records of one page. */
  readonly pageRecords: number;
  /** Addresses of an account's pages with the second key field of their first record, ascending. */
  readonly pages: (account: number) => Iterable<readonly [first: number, address: number]>;
}

export const CLASS_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'keyed record'],
  [G.CLASS_ACCOUNT, 'account'],
  [G.CLASS_NONCES, 'nonce chunk'],
  [G.CLASS_BALANCE, 'balance'],
  [G.CLASS_AGENT, 'agent name'],
  [G.CLASS_SIGNER, 'signer'],
  [G.CLASS_NAME, 'name'],
  [X.CLASS_MARGIN_ACCOUNT, 'margin account'],
  [X.CLASS_PORTFOLIO, 'portfolio'],
  [X.CLASS_POSITION, 'position'],
  [X.CLASS_ORDER, 'order'],
  [X.CLASS_LEVEL, 'level'],
  [X.CLASS_CLIENT_ID, 'client id'],
  [X.CLASS_TOTALS, 'market totals'],
  [X.CLASS_PRICE, 'price'],
  [X.CLASS_ORDER_PAGE, 'order page'],
  [X.CLASS_EXTRA, 'order extra'],
  [X.CLASS_SETTINGS, 'settings'],
  [X.CLASS_VOLUME, 'volume'],
  [X.CLASS_HISTORY, 'volume history'],
  [X.CLASS_REWARDS, 'rewards'],
  [X.CLASS_APPROVAL, 'builder approval'],
  [X.CLASS_REFERRAL, 'referral code'],
  [X.CLASS_VAULT, 'vault'],
  [X.CLASS_VAULT_COUNT, 'vault count'],
  [X.CLASS_FOLLOWER, 'follower'],
  [X.CLASS_TWAP, 'TWAP'],
  [X.CLASS_FUNDING, 'funding'],
  [X.CLASS_MINUTES, 'minutes'],
  [X.CLASS_TREASURY, 'treasury'],
  [X.CLASS_REPORT, 'report'],
  [X.CLASS_DELISTING, 'delisting votes'],
  [X.CLASS_INBOX, 'inbox'],
  [X.CLASS_SEED, 'seed'],
  [X.CLASS_MARKET_STATE, 'market state'],
  [X.CLASS_CLOCK, 'clock'],
  [X.CLASS_DORMANT, 'dormant account'],
  [X.CLASS_VAULT_TEXT, 'vault text'],
  [X.CLASS_BITS, 'book bits'],
  [B.CLASS_CELL, 'cell'],
  [B.CLASS_COUNTER, 'counter'],
]);

const ORDER_VALUE_BYTES = 52;
const POSITION_PAGE_RECORDS = 4;
const SLOT_PAGE_RECORDS = 8;
const MINUTES_PARTS = 5;

export function denseClasses(kernel: Kernel, accounts: number): DenseClass[] {
  const markets = kernel.get(X.EXC_MARKET_COUNT);
  const reporters = kernel.get(X.EXC_REPORTERS);
  const tokens = kernel.get(G.LEDGER_TOKENS);
  const pages = kernel.get(X.EXC_ORDER_SLOTS) / 64 - 1;
  const dense =
    (of: DenseClass['of']) =>
    (recordClass: number, base: number, count: number, bytes: number, split = 0, offset = 0): DenseClass => {
      return { recordClass, of, base, bytes, count, split, offset };
    };
  const [ofAccount, ofMarket, ofCell, single] = [dense('account'), dense('market'), dense('cell'), dense('nothing')];
  const at = (word: number) => kernel.get(word);
  const totals = markets === 0 ? 0 : kernel.get(at(X.EXC_MARKETS) + X.MKT_TOTALS) * 32;
  return [
    ofAccount(G.CLASS_ACCOUNT, at(G.LEDGER_ACCOUNTS), accounts, 64),
    ofAccount(G.CLASS_NONCES, at(G.LEDGER_NONCES), accounts * G.NONCES_CHUNKS, 64, G.NONCES_CHUNKS),
    ofAccount(G.CLASS_BALANCE, at(G.LEDGER_BALANCES), accounts * tokens, 32, tokens),
    ofAccount(G.CLASS_NAME, at(G.LEDGER_NAMES), accounts, G.NAME_SIZE),
    ofAccount(X.CLASS_MARGIN_ACCOUNT, at(X.EXC_ACCOUNTS), accounts, 64),
    ofAccount(X.CLASS_PORTFOLIO, at(X.EXC_PORTFOLIOS), accounts, 64),
    ofMarket(X.CLASS_TOTALS, totals, markets, 32),
    ofMarket(X.CLASS_PRICE, at(X.EXC_PRICES), markets, 64),
    ofAccount(X.CLASS_ORDER_PAGE, at(X.EXC_ORDER_PAGES), accounts * pages, 32, pages, 1),
    ofAccount(X.CLASS_SETTINGS, at(X.EXC_SETTINGS), accounts, 64),
    ofAccount(X.CLASS_VOLUME, at(X.EXC_VOLUMES), accounts, 32),
    ofAccount(X.CLASS_HISTORY, at(X.EXC_HISTORY), accounts * X.HISTORY_PARTS, 64, X.HISTORY_PARTS),
    ofAccount(X.CLASS_REWARDS, at(X.EXC_REWARDS), accounts, 32),
    single(X.CLASS_VAULT_COUNT, at(X.EXC_VAULT_COUNT) * 32, 1, 32, -1),
    ofMarket(X.CLASS_FUNDING, at(X.EXC_FUNDINGS), markets, 64),
    ofMarket(X.CLASS_MINUTES, at(X.EXC_MINUTES), markets * MINUTES_PARTS, 64, MINUTES_PARTS),
    single(X.CLASS_TREASURY, at(X.EXC_TREASURY) * 32, 1, 32, -1),
    ofMarket(X.CLASS_REPORT, at(X.EXC_REPORTS), markets * reporters, 32, reporters),
    ofMarket(X.CLASS_DELISTING, at(X.EXC_DELISTINGS), markets, 32),
    single(X.CLASS_SEED, at(X.EXC_SEED) * 32, 1, 32, -1),
    ofMarket(X.CLASS_MARKET_STATE, at(X.EXC_MARKET_STATES), markets, 32),
    single(X.CLASS_CLOCK, at(X.EXC_CLOCK) * 32, 1, 32, -1),
    ofCell(B.CLASS_CELL, at(B.BENCH_CELLS), at(B.BENCH_CELL_COUNT), 32),
    ofCell(B.CLASS_COUNTER, at(B.BENCH_COUNTERS), at(B.BENCH_COUNTER_COUNT), 32),
  ];
}

function pagedClasses(kernel: Kernel): PagedClass[] {
  const positionPages = kernel.get(X.EXC_POSITION_PAGES);
  const directory = (account: number) => kernel.get(X.EXC_DIRECTORIES) + account * X.DIR_BYTES;
  function* positions(account: number): Generator<readonly [number, number]> {
    const entries = kernel.get(X.EXC_POSITIONS) + account * positionPages * 4;
    for (let page = 0; page < positionPages; page++) {
      const address = kernel.get(entries + page * 4);
      if (address !== 0) yield [page * POSITION_PAGE_RECORDS, address];
    }
  }
  function* slots(account: number, first: number, offset: number): Generator<readonly [number, number]> {
    const at = directory(account);
    const end = kernel.get(at + X.DIR_SLOTS);
    for (let slot = 0; slot < end; slot += SLOT_PAGE_RECORDS) {
      yield [slot, slot === 0 ? kernel.get(at + first) : kernel.get(kernel.get(at + X.DIR_TABLE) + slot + offset)];
    }
  }
  function* twaps(account: number): Generator<readonly [number, number]> {
    const address = kernel.get(directory(account) + X.DIR_TWAPS);
    if (address !== 0) yield [0, address];
  }
  return [
    { recordClass: X.CLASS_POSITION, valueBytes: 56, pageRecords: POSITION_PAGE_RECORDS, pages: positions },
    {
      recordClass: X.CLASS_ORDER,
      valueBytes: ORDER_VALUE_BYTES,
      pageRecords: SLOT_PAGE_RECORDS,
      pages: (account) => slots(account, X.DIR_FIRST, 0),
    },
    {
      recordClass: X.CLASS_EXTRA,
      valueBytes: 56,
      pageRecords: SLOT_PAGE_RECORDS,
      pages: (account) => slots(account, X.DIR_FIRST_EXTRAS, 4),
    },
    { recordClass: X.CLASS_TWAP, valueBytes: 56, pageRecords: SLOT_PAGE_RECORDS, pages: twaps },
  ];
}

/** Classes whose records are found by key, with their value's bytes. */
export const KEYED_CLASSES: readonly number[] = [
  G.CLASS_AGENT,
  G.CLASS_SIGNER,
  X.CLASS_CLIENT_ID,
  X.CLASS_APPROVAL,
  X.CLASS_REFERRAL,
  X.CLASS_FOLLOWER,
  X.CLASS_VAULT_TEXT,
];
const KEYED_VALUE_BYTES = 24;

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

type Visit = (name: string, key: Uint8Array, at: number, bytes: number) => void;

/** Calls `visit(class, key, address of the value, its length)` for every record, in key order. The key's bytes are used again. */
export function visitRecords(kernel: Kernel, accounts: number, visit: Visit): void {
  const key9 = new Uint8Array(9);
  const view = new DataView(key9.buffer);
  const isPresent = (at: number) => (kernel.get(at + L.RECORD_META) & L.RECORD_PRESENT) !== 0;
  const name = (recordClass: number) => CLASS_NAMES.get(recordClass) ?? '?';
  const visits: [recordClass: number, walk: () => void][] = [];
  for (const entry of denseClasses(kernel, accounts)) {
    visits.push([entry.recordClass, () => visitDense(entry, view, key9, isPresent, visit)]);
  }
  for (const entry of pagedClasses(kernel)) {
    const walk = () => {
      view.setUint8(0, entry.recordClass);
      for (let account = 0; account < accounts; account++) {
        view.setUint32(1, account);
        for (const [first, page] of entry.pages(account)) {
          for (let i = 0; i < entry.pageRecords; i++) {
            if (!isPresent(page + i * 64)) continue;
            view.setUint32(5, first + i);
            visit(name(entry.recordClass), key9, page + i * 64 + L.RECORD_PAYLOAD, entry.valueBytes);
          }
        }
      }
    };
    visits.push([entry.recordClass, walk]);
  }
  const levels = () => {
    view.setUint8(0, X.CLASS_LEVEL);
    for (let market = 0; market < kernel.get(X.EXC_MARKET_COUNT); market++) {
      view.setUint32(1, market);
      for (const [ticks, address] of levelAddresses(kernel, market)) {
        view.setUint32(5, ticks);
        visit('level', key9, address + L.RECORD_PAYLOAD, 24);
      }
    }
  };
  visits.push([X.CLASS_LEVEL, levels]);
  const keyed = keyedRecords(kernel);
  for (const recordClass of KEYED_CLASSES) {
    const walk = () => {
      for (const { key, location } of keyed.get(recordClass) ?? []) {
        visit(name(recordClass), key, location * 32 + L.RECORD_PAYLOAD, KEYED_VALUE_BYTES);
      }
    };
    visits.push([recordClass, walk]);
  }
  visits.push([X.CLASS_VAULT, () => visitVaults(kernel, view, key9, visit)]);
  for (const [, walk] of visits.sort(([a], [b]) => a - b)) walk();
}

function visitDense(entry: DenseClass, view: DataView, key9: Uint8Array, isPresent: (at: number) => boolean, visit: Visit): void {
  const { recordClass, base, bytes, count, split, offset } = entry;
  const name = CLASS_NAMES.get(recordClass) ?? '?';
  const key = split === -1 ? key9.subarray(0, 1) : split === 0 ? key9.subarray(0, 5) : key9;
  view.setUint8(0, recordClass);
  for (let i = 0; i < count; i++) {
    const at = base + i * bytes;
    if (!isPresent(at)) continue;
    if (split === 0) view.setUint32(1, i);
    else if (split > 0) {
      view.setUint32(1, Math.floor(i / split));
      view.setUint32(5, (i % split) + offset);
    }
    visit(name, key, at + L.RECORD_PAYLOAD, bytes - L.RECORD_PAYLOAD);
  }
}

/** Vaults lie by index, their key is their account. */
function visitVaults(kernel: Kernel, view: DataView, key9: Uint8Array, visit: Visit): void {
  const count = kernel.get(kernel.get(X.EXC_VAULT_COUNT) * 32 + L.RECORD_PAYLOAD);
  const vaults = Array.from({ length: count }, (_, i) => kernel.get(X.EXC_VAULTS) + i * 64);
  view.setUint8(0, X.CLASS_VAULT);
  for (const at of vaults.sort((a, b) => kernel.get(a + L.RECORD_PAYLOAD) - kernel.get(b + L.RECORD_PAYLOAD))) {
    view.setUint32(1, kernel.get(at + L.RECORD_PAYLOAD));
    visit('vault', key9.subarray(0, 5), at + L.RECORD_PAYLOAD, 56);
  }
}

/** Present keyed records by class, in key order. */
function keyedRecords(kernel: Kernel): Map<number, { key: Uint8Array; location: number }[]> {
  const found = new Map<number, { key: Uint8Array; location: number }[]>(KEYED_CLASSES.map((recordClass) => [recordClass, []]));
  for (const location of kernelKeys(kernel)) {
    const unit = location * 32;
    if ((kernel.get(unit + L.RECORD_META) & L.RECORD_PRESENT) === 0) continue;
    found.get(kernel.u8[unit + 36] as number)?.push({ key: keyOfUnit(kernel, unit), location });
  }
  for (const records of found.values()) records.sort((a, b) => Buffer.compare(a.key, b.key));
  return found;
}

function keyOfUnit(kernel: Kernel, unit: number): Uint8Array {
  const length = kernel.get(unit + 32);
  const key = new Uint8Array(1 + length);
  key[0] = kernel.u8[unit + 36] as number;
  key.set(kernel.u8.subarray(unit + 40, unit + 40 + length), 1);
  return key;
}

/** Locations of all records, in key order. */
export function recordLocations(kernel: Kernel, accounts: number): number[] {
  const locations: number[] = [];
  visitRecords(kernel, accounts, (_name, _key, at) => {
    locations.push((at - L.RECORD_PAYLOAD) / 32);
  });
  return locations;
}

/** Records that lie in no shared memory, in the order of their keys. */
type ColdRecords = Iterable<Pick<RecordEntry, 'key' | 'value'>>;

export function* recordEntries(kernel: Kernel, accounts: number, cold: ColdRecords): Generator<RecordEntry> {
  const entries: RecordEntry[] = [];
  visitRecords(kernel, accounts, (recordClass, key, at, bytes) => {
    entries.push({ recordClass, key: key.slice(), value: kernel.u8.slice(at, at + bytes) });
  });
  // Texts of vaults are above, and the benchmarks' classes.
  const above = entries.findIndex(({ key }) => (key[0] as number) > X.CLASS_DORMANT);
  yield* above === -1 ? entries : entries.slice(0, above);
  for (const { key, value } of cold) yield { recordClass: CLASS_NAMES.get(X.CLASS_DORMANT) as string, key, value };
  if (above !== -1) yield* entries.slice(above);
}

/** SHA-256 over u8 key length, key and value of all records in key order, those that lie in no memory last; hexadecimal. */
export function stateRootOf(kernel: Kernel, accounts: number, cold: ColdRecords): string {
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
  for (const { key, value } of cold) hash.update(Uint8Array.of(key.length)).update(key).update(value);
  return hash.digest('hex');
}

/** Translates a location back to class and key: for access lists that people and other nodes read. */
export class LocationNames {
  private readonly kernel: Kernel;
  private readonly accounts: number;
  private readonly dense: DenseClass[];
  private readonly levelPages = new Map<number, { market: number; page: number }>();
  private readonly summaries: { from: number; to: number; market: number; height: number }[] = [];
  /** Pages of accounts by address; made when one is first asked for. */
  private accountPages: Map<number, { recordClass: number; account: number; first: number }> | undefined;

  constructor(kernel: Kernel, accounts: number) {
    this.kernel = kernel;
    this.accounts = accounts;
    this.dense = denseClasses(kernel, accounts);
    for (let market = 0; market < kernel.get(X.EXC_MARKET_COUNT); market++) this.addMarket(market);
  }

  private addMarket(market: number): void {
    const { kernel } = this;
    const parameters = kernel.get(X.EXC_MARKETS) + market * X.MARKET_BYTES;
    const pages = Math.ceil(kernel.get(parameters + X.MKT_TICK_COUNT) / 64);
    const directory = kernel.get(parameters + X.MKT_DIRECTORY);
    for (let page = 0; page < pages; page++) {
      const at = kernel.get(directory + page * 4);
      if (at !== 0) this.levelPages.set(at, { market, page });
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
    return (
      this.denseName(address) ?? this.exchangeName(address) ?? this.bookName(address) ?? this.pagedName(address) ?? this.keyedName(address)
    );
  }

  /** The key in a header's access list; undefined: it is not listed, since it is only this node's own (sets of accounts, the record that is absent). */
  listedKey(location: number): Buffer | undefined {
    const key = Buffer.from(this.name(location).key, 'hex');
    if (key.length === 0) return undefined;
    const isSet = key[0] === X.CLASS_BITS && key.readUInt32BE(1) >= ACTIVE_SET;
    return isSet ? undefined : key;
  }

  private denseName(address: number): { recordClass: string; key: string } | undefined {
    for (const { recordClass, base, bytes, count, split, offset } of this.dense) {
      if (address < base || address >= base + count * bytes) continue;
      const index = (address - base) / bytes;
      if (split === -1) return named(recordClass);
      if (split === 0) return named(recordClass, index);
      return named(recordClass, Math.floor(index / split), (index % split) + offset);
    }
    return undefined;
  }

  /** What the exchange has once or by index: vaults, inboxes, sets of accounts, the record that is absent for ever. */
  private exchangeName(address: number): { recordClass: string; key: string } | undefined {
    const { kernel } = this;
    const index = (base: number, count: number, bytes: number) =>
      address >= base && address < base + count * bytes ? (address - base) / bytes : -1;
    const vault = index(kernel.get(X.EXC_VAULTS), kernel.get(X.EXC_VAULTS_MAX), 64);
    if (vault >= 0) return named(X.CLASS_VAULT, vault);
    const inbox = index(kernel.get(X.EXC_INBOX) * 32, kernel.get(X.EXC_MARKET_COUNT) + 1, 32);
    if (inbox >= 0) return named(X.CLASS_INBOX, inbox);
    const words = Math.ceil(kernel.get(X.EXC_MAX_ACCOUNTS) / 64);
    const active = index(kernel.get(X.EXC_ACTIVE) * 32, words, 32);
    if (active >= 0) return named(X.CLASS_BITS, ACTIVE_SET, active);
    const timed = index(kernel.get(X.EXC_TIMED) * 32, words, 32);
    if (timed >= 0) return named(X.CLASS_BITS, TIMED_SET, timed);
    return address === kernel.get(X.EXC_NULL) ? { recordClass: 'absent', key: '' } : undefined;
  }

  private bookName(address: number): { recordClass: string; key: string } | undefined {
    for (const summary of this.summaries) {
      if (address < summary.from || address >= summary.to) continue;
      const index = (address - summary.from) / 32;
      return named(X.CLASS_BITS, summary.market, summary.height, index >> 1, index & 1);
    }
    // Pages lie from the start of a chunk, one behind the other.
    const chunk = address - (address % 65536);
    const start = chunk + Math.floor((address - chunk) / X.LEVEL_PAGE_BYTES) * X.LEVEL_PAGE_BYTES;
    const page = this.levelPages.get(start);
    if (page === undefined) return undefined;
    const index = (address - start) / 32;
    if (index < 2) return named(X.CLASS_BITS, page.market, 0, page.page, index);
    return named(X.CLASS_LEVEL, page.market, page.page * 64 + index - 2);
  }

  private pagedName(address: number): { recordClass: string; key: string } | undefined {
    this.accountPages ??= this.findAccountPages();
    for (const bytes of [POSITION_PAGE_RECORDS * 64, SLOT_PAGE_RECORDS * 64]) {
      const start = address - (address % bytes);
      const page = this.accountPages.get(start);
      if (page !== undefined) return named(page.recordClass, page.account, page.first + (address - start) / 64);
    }
    return undefined;
  }

  private findAccountPages(): Map<number, { recordClass: number; account: number; first: number }> {
    const found = new Map<number, { recordClass: number; account: number; first: number }>();
    for (const { recordClass, pages } of pagedClasses(this.kernel)) {
      for (let account = 0; account < this.accounts; account++) {
        for (const [first, address] of pages(account)) found.set(address, { recordClass, account, first });
      }
    }
    return found;
  }

  private keyedName(address: number): { recordClass: string; key: string } {
    const recordClass = kernelClass(this.kernel, address);
    // A page of an account that has become dormant since: whose it was is not known any more.
    if (recordClass !== 0) return { recordClass: CLASS_NAMES.get(recordClass) ?? '?', key: '' };
    const key = keyOfUnit(this.kernel, address);
    return { recordClass: CLASS_NAMES.get(key[0] as number) ?? '?', key: Buffer.from(key).toString('hex') };
  }
}

/** The class of the chunk that an address is in; 0 for records that are found by key. */
function kernelClass(kernel: Kernel, address: number): number {
  return kernel.get(L.CHUNK_TABLE + Math.floor(address / L.CHUNK_BYTES) * 4) & 0xff;
}

/** First key field of the bit words of the sets of accounts, where books have their market. */
const ACTIVE_SET = 0xfffffffe;
const TIMED_SET = 0xffffffff;

function named(recordClass: number, ...fields: number[]): { recordClass: string; key: string } {
  const key = Buffer.alloc(1 + fields.length * 4);
  key[0] = recordClass;
  fields.forEach((field, i) => {
    key.writeUInt32BE(field, 1 + i * 4);
  });
  return { recordClass: CLASS_NAMES.get(recordClass) ?? '?', key: key.toString('hex') };
}
