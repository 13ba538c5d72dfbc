/**
 * Collects what a block has written, as changes for the state tree: key, and value without what is node-local or derived
 * (docs/decisions/0010). When the block has ended and before keys are taken back: thread 0 lists, any number of workers copy.
 *
 * Invariant: the key comes from where a record lies, never from what it holds (a deleted record holds nothing), but for vaults, which are
 * never deleted.
 */
import { changeAt, claimsOf } from '../../commitment/assembly/changes';
import { countUp } from '../../commitment/assembly/tree';
import {
  CHANGE_BYTES_USED,
  CHANGE_DATA,
  CHANGE_KEY_BYTES,
  CHANGE_SPARE,
  CLAIM_CHANGES,
  COM_CHANGE_COUNT,
  COM_CHANGE_MAX,
  COM_COLLECT_NEXT,
  COM_COLLECTED,
  COM_LOCATIONS,
  DERIVED_CLASS,
  DERIVED_FROM,
  DERIVED_TO,
} from '../../commitment/layout';
import {
  CLASS_CLOCK,
  CLASS_DELISTING,
  CLASS_EXTRA,
  CLASS_FUNDING,
  CLASS_HISTORY,
  CLASS_LEVEL,
  CLASS_MARGIN_ACCOUNT,
  CLASS_MARKET_STATE,
  CLASS_MINUTES,
  CLASS_ORDER,
  CLASS_ORDER_PAGE,
  CLASS_PORTFOLIO,
  CLASS_POSITION,
  CLASS_PRICE,
  CLASS_REPORT,
  CLASS_REWARDS,
  CLASS_SEED,
  CLASS_SETTINGS,
  CLASS_TOTALS,
  CLASS_TREASURY,
  CLASS_TWAP,
  CLASS_VAULT,
  CLASS_VAULT_COUNT,
  CLASS_VOLUME,
  EXC_ACCOUNTS,
  EXC_DELISTINGS,
  EXC_FUNDINGS,
  EXC_HISTORY,
  EXC_MARKET_STATES,
  EXC_MINUTES,
  EXC_ORDER_PAGES,
  EXC_ORDER_SLOTS,
  EXC_PORTFOLIOS,
  EXC_PRICES,
  EXC_REPORTERS,
  HISTORY_PARTS,
  EXC_REPORTS,
  EXC_REWARDS,
  EXC_SETTINGS,
  EXC_VOLUMES,
  LEVEL_PAGE_BYTES,
} from '../../exchange/layout';
import { marketAt } from '../../exchange/assembly/records';
import { touch } from '../../kernel/assembly/dirty';
import { KEY_BYTES, KEY_CLASS, KEY_LENGTH } from '../../kernel/assembly/keys';
import { addressOf, chunkTag } from '../../kernel/assembly/memory';
import {
  BITS_INDEX,
  BLK_TRACES,
  CHUNK_BYTES,
  RECORD_META,
  RECORD_PAYLOAD,
  RECORD_PRESENT,
  REG_CHUNK_NEXT,
  REG_DIRTY,
  REG_DIRTY_COUNT,
  REG_DIRTY_LIST,
  REG_DIRTY_SCAN,
  REG_PAGE_OWNERS,
  TRACE_ADD,
  TRACE_BITS_READ,
  TRACE_WRITE,
} from '../../kernel/layout';
import {
  CLASS_ACCOUNT,
  CLASS_ADDRESS,
  CLASS_BALANCE,
  CLASS_NAME,
  CLASS_NONCES,
  LEDGER_ACCOUNTS,
  LEDGER_BALANCES,
  LEDGER_NAMES,
  LEDGER_NONCES,
  LEDGER_TOKENS,
  NONCES_CHUNKS,
} from '../../ledger/layout';
import { BENCH_CELLS, BENCH_COUNTERS, CLASS_CELL, CLASS_COUNTER } from '../../synthetic/layout';

/** Value bytes of an order: behind them is where its client id lies, on this node. */
const ORDER_VALUE: u32 = 52;
/** Records that are brought into the cache together. */
const AHEAD: u32 = 32;
const MINUTES_PARTS: u32 = 5;
/** No record of the state. */
const NO_KEY: u32 = 0;

/**
 * Lists the records that the first `count` transactions of the block, and the ledger itself, have written: COM_CHANGE_COUNT locations at
 * COM_LOCATIONS. False: there are more of them than changes fit; the caller commits these and calls again, with a count of 0.
 */
export function listChanges(count: u32): bool {
  touchTraces(count);
  const most = load<u32>(0, COM_CHANGE_MAX);
  const listed = load<u32>(0, REG_DIRTY_COUNT);
  let taken = min<u32>(listed, most);
  const left = listed - taken;
  const locations = <usize>load<u32>(0, REG_DIRTY_LIST) + ((<usize>left) << 2);
  for (let i: u32 = 0; i < taken; i++) {
    const location = load<u32>(locations + ((<usize>i) << 2));
    const word = <usize>load<u32>(0, REG_DIRTY) + ((<usize>(location >> 5)) << 2);
    store<u32>(word, load<u32>(word) & ~(1 << (location & 31)));
  }
  store<u32>(0, left, REG_DIRTY_COUNT);
  if (load<u32>(0, REG_DIRTY_SCAN) != 0 && taken < most) taken = listMarked(locations, taken, most);
  store<u32>(0, <u32>locations, COM_LOCATIONS);
  store<u32>(0, taken, COM_CHANGE_COUNT);
  store<u32>(0, 0, COM_COLLECT_NEXT);
  store<u32>(0, 0, COM_COLLECTED);
  return left == 0 && load<u32>(0, REG_DIRTY_SCAN) == 0;
}

/** Notes what transactions have written, from what they left of their accesses. */
function touchTraces(count: u32): void {
  const traces = <usize>load<u32>(0, BLK_TRACES);
  for (let i: u32 = 0; i < count; i++) {
    const row = traces + ((<usize>i) << 3);
    const end = <usize>load<u32>(row) + load<u32>(row, 4);
    for (let at = <usize>load<u32>(row); at < end; at += 4) {
      const entry = load<u32>(at);
      const kind = entry & 7;
      if (kind >= TRACE_BITS_READ) at += 8;
      else if (kind == TRACE_WRITE || kind == TRACE_ADD) touch(entry >> 3);
    }
  }
}

/** Goes through the whole bitmap: when more was written than the list holds, or by several workers. The number of locations taken, at most `most`. */
function listMarked(locations: usize, taken: u32, most: u32): u32 {
  const map = <usize>load<u32>(0, REG_DIRTY);
  const words = (load<u32>(0, REG_CHUNK_NEXT) * CHUNK_BYTES) >> 10;
  for (let i: u32 = 0; i < words; i += 2) {
    const word = map + ((<usize>i) << 2);
    let bits = load<u64>(word);
    if (bits == 0) continue;
    for (; bits != 0 && taken < most; bits &= bits - 1) {
      store<u32>(locations + ((<usize>taken) << 2), (i << 5) + <u32>ctz<u64>(bits));
      taken++;
    }
    store<u64>(word, bits);
    if (bits != 0) return taken;
  }
  store<u32>(0, 0, REG_DIRTY_SCAN);
  return taken;
}

/** Copies listed records until all are copied, also by others: any number of threads, while nothing writes. */
export function collectPart(): void {
  const count = load<u32>(0, COM_CHANGE_COUNT);
  const claims = claimsOf(count);
  for (let claim = atomic.add<u32>(COM_COLLECT_NEXT, 1); claim < claims; claim = atomic.add<u32>(COM_COLLECT_NEXT, 1)) {
    const first = claim * CLAIM_CHANGES;
    collectClaim(first, min<u32>(first + CLAIM_CHANGES, count));
    countUp(COM_COLLECTED, claims);
  }
}

/** The changes of locations first..end. */
function collectClaim(first: u32, end: u32): void {
  const locations = <usize>load<u32>(0, COM_LOCATIONS);
  let touched: u32 = 0;
  for (let from = first; from < end; from += AHEAD) {
    const to = min<u32>(from + AHEAD, end);
    // Loads that nothing waits for: the memory brings many records at once. Measured: docs/measurements.md.
    for (let i = from; i < to; i++) touched ^= load<u32>(addressOf(load<u32>(locations + ((<usize>i) << 2))));
    for (let i = from; i < to; i++) collect(load<u32>(locations + ((<usize>i) << 2)), changeAt(i));
  }
  store<u32>(changeAt(first), touched, CHANGE_SPARE);
}

/** Makes a change of a record; one without a key if it is no record of the state. */
function collect(location: u32, change: usize): void {
  const data = change + CHANGE_DATA;
  const tag = chunkTag(location);
  const recordClass = tag & 0xff;
  const keyBytes = keyAt(location, tag, data);
  store<u32>(change, location);
  store<u32>(change, keyBytes, CHANGE_KEY_BYTES);
  if (keyBytes == NO_KEY) return;
  const record = addressOf(location);
  let bytes: u32 = 0;
  if ((load<u32>(record, RECORD_META) & RECORD_PRESENT) != 0) {
    const full = recordClass == CLASS_ORDER ? ORDER_VALUE : max<u32>(1, (tag >> 8) & 0xff) * 32 - RECORD_PAYLOAD;
    bytes = keyBytes + copyValue(record + RECORD_PAYLOAD, full, recordClass, data + keyBytes);
  }
  store<u32>(change, bytes, CHANGE_BYTES_USED);
}

/** Writes the key of a record that lies in a chunk of this tag; its length, 0 for what is no record of the state. At most 53 bytes. */
export function keyAt(location: u32, tag: u32, data: usize): u32 {
  const recordClass = tag & 0xff;
  return recordClass == 0 ? keyedKey(location, data) : keyOf(location, recordClass, tag >> 16, data);
}

/** Copies a value and returns its length without zeros at its end. */
function copyValue(from: usize, bytes: u32, recordClass: u32, to: usize): u32 {
  let used: u32 = 0;
  let i: u32 = 0;
  for (; i + 8 <= bytes; i += 8) {
    const word = load<u64>(from + i);
    store<u64>(to + i, word);
    if (word != 0) used = i + 8 - (<u32>clz<u64>(word) >> 3);
  }
  if (i != bytes) {
    const word = load<u32>(from + i);
    store<u32>(to + i, word);
    if (word != 0) used = i + 4 - (clz<u32>(word) >> 3);
  }
  if (recordClass != DERIVED_CLASS) return used;
  for (i = DERIVED_FROM; i < DERIVED_TO; i += 8) store<u64>(to + i, 0);
  while (used != 0 && load<u8>(to + used - 1) == 0) used--;
  return used;
}

@inline
function put(data: usize, recordClass: u32): u32 {
  store<u8>(data, <u8>recordClass);
  return 1;
}

@inline
function put1(data: usize, recordClass: u32, a: u32): u32 {
  store<u8>(data, <u8>recordClass);
  store<u32>(data, bswap<u32>(a), 1);
  return 5;
}

@inline
function put2(data: usize, recordClass: u32, a: u32, b: u32): u32 {
  store<u8>(data, <u8>recordClass);
  store<u32>(data, bswap<u32>(a), 1);
  store<u32>(data, bswap<u32>(b), 5);
  return 9;
}

/** The key of a record that is found by key: it stands behind it. */
function keyedKey(location: u32, data: usize): u32 {
  const unit = addressOf(location);
  const recordClass = <u32>load<u8>(unit, KEY_CLASS);
  const length = load<u32>(unit, KEY_LENGTH);
  if (length == 0 || length > 52 || recordClass == CLASS_ADDRESS) return NO_KEY;
  store<u8>(data, <u8>recordClass);
  memory.copy(data + 1, unit + KEY_BYTES, length);
  return length + 1;
}

/** Number of a record of 32 << wide bytes in the region whose address is in `word`. */
@inline
function indexIn(word: u32, location: u32, wide: u32): u32 {
  return (location - (load<u32>(word) >> 5)) >> wide;
}

/** Writes the key of a record by its location and class; its length, 0 for what is no record of the state. */
function keyOf(location: u32, recordClass: u32, home: u32, data: usize): u32 {
  if (recordClass == CLASS_MARGIN_ACCOUNT) return put1(data, recordClass, indexIn(EXC_ACCOUNTS, location, 1));
  if (recordClass == CLASS_POSITION || recordClass == CLASS_ORDER || recordClass == CLASS_EXTRA || recordClass == CLASS_TWAP) {
    return pagedKey(location, recordClass, data);
  }
  if (recordClass == CLASS_LEVEL) return levelKey(location, home, data);
  if (recordClass == CLASS_ACCOUNT) return put1(data, recordClass, indexIn(LEDGER_ACCOUNTS, location, 1));
  if (recordClass == CLASS_PORTFOLIO) return put1(data, recordClass, indexIn(EXC_PORTFOLIOS, location, 1));
  if (recordClass == CLASS_VOLUME) return put1(data, recordClass, indexIn(EXC_VOLUMES, location, 0));
  if (recordClass == CLASS_NONCES) return split(data, recordClass, indexIn(LEDGER_NONCES, location, 1), NONCES_CHUNKS, 0);
  if (recordClass == CLASS_BALANCE) return split(data, recordClass, indexIn(LEDGER_BALANCES, location, 0), load<u32>(0, LEDGER_TOKENS), 0);
  if (recordClass == CLASS_TOTALS) return put1(data, recordClass, location - marketAt(0).totals);
  if (recordClass == CLASS_PRICE) return put1(data, recordClass, indexIn(EXC_PRICES, location, 1));
  if (recordClass == CLASS_ORDER_PAGE) {
    return split(data, recordClass, indexIn(EXC_ORDER_PAGES, location, 0), (load<u32>(0, EXC_ORDER_SLOTS) >> 6) - 1, 1);
  }
  if (recordClass == CLASS_SETTINGS) return put1(data, recordClass, indexIn(EXC_SETTINGS, location, 1));
  if (recordClass == CLASS_HISTORY) return split(data, recordClass, indexIn(EXC_HISTORY, location, 1), HISTORY_PARTS, 0);
  if (recordClass == CLASS_REWARDS) return put1(data, recordClass, indexIn(EXC_REWARDS, location, 0));
  if (recordClass == CLASS_FUNDING) return put1(data, recordClass, indexIn(EXC_FUNDINGS, location, 1));
  if (recordClass == CLASS_MINUTES) return split(data, recordClass, indexIn(EXC_MINUTES, location, 1), MINUTES_PARTS, 0);
  if (recordClass == CLASS_REPORT) return split(data, recordClass, indexIn(EXC_REPORTS, location, 0), load<u32>(0, EXC_REPORTERS), 0);
  if (recordClass == CLASS_DELISTING) return put1(data, recordClass, indexIn(EXC_DELISTINGS, location, 0));
  if (recordClass == CLASS_VAULT) return put1(data, recordClass, load<u32>(addressOf(location), RECORD_PAYLOAD));
  if (recordClass == CLASS_VAULT_COUNT || recordClass == CLASS_TREASURY || recordClass == CLASS_SEED || recordClass == CLASS_CLOCK) {
    return put(data, recordClass);
  }
  if (recordClass == CLASS_NAME) return put1(data, recordClass, indexIn(LEDGER_NAMES, location, 0));
  if (recordClass == CLASS_MARKET_STATE) return put1(data, recordClass, indexIn(EXC_MARKET_STATES, location, 0));
  if (recordClass == CLASS_CELL) return put1(data, recordClass, indexIn(BENCH_CELLS, location, 0));
  if (recordClass == CLASS_COUNTER) return put1(data, recordClass, indexIn(BENCH_COUNTERS, location, 0));
  return NO_KEY;
}

@inline
function split(data: usize, recordClass: u32, index: u32, by: u32, offset: u32): u32 {
  return put2(data, recordClass, index / by, (index % by) + offset);
}

/** Records in pages of an account: the page knows whose it is. Pages start at multiples of their size. */
function pagedKey(location: u32, recordClass: u32, data: usize): u32 {
  const address = addressOf(location);
  const page = address & ~(recordClass == CLASS_POSITION ? 255 : 511);
  const owner = <usize>load<u32>(0, REG_PAGE_OWNERS) + ((page >> 8) << 3);
  return put2(data, recordClass, load<u32>(owner), load<u32>(owner, 4) + <u32>((address - page) >> 6));
}

/** Levels lie in pages of their market's chunks, behind two words of bits. */
function levelKey(location: u32, home: u32, data: usize): u32 {
  const address = addressOf(location);
  const within = address % CHUNK_BYTES;
  const page = address - (within % LEVEL_PAGE_BYTES);
  const index = (address - page) >> 5;
  if (index < 2) return NO_KEY;
  return put2(data, CLASS_LEVEL, home - 1, (load<u32>(page, BITS_INDEX) << 6) + <u32>index - 2);
}
