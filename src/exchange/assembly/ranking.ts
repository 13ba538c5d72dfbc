/**
 * Who is deleveraged against whom in one round (docs/rules.md, 6.4): the winners of each market and side in the order of their rank, taken one by
 * one. Thread 0, on the state as it stands; in the scratch memory:
 *
 *   buckets, 16 bytes for each market * 2 + side of the winners (0 longs, 1 shorts)
 *    0  u32  address of the entries; 0: not asked for, or no room in this round
 *    4  u32  number of entries
 *    8  u32  entries that are still in the heap: those behind were taken out, the last first
 *   12  u32  of the entries taken out, how many the second pass has used up
 *   entry, 40 bytes
 *    0  u64  score
 *    8  u32  account
 *   12  u32  address of its record as a loser; 0: it is none
 *   16  i64  size left (of losers: in the loser's record)
 *   24  i64  equity left
 *
 * A heap, because of thousands of winners few are needed: building it is linear, taking one out logarithmic.
 */
import { EXC_MARKET_COUNT } from '../layout';
import { magnitude } from './margin';
import { MarginAccount, Market, Position } from './records';

export const LONGS: u32 = 0;
export const SHORTS: u32 = 1;
export const BUCKET_BYTES: usize = 16;
export const ENTRY_BYTES: u32 = 40;
const BUCKET_COUNT: usize = 4;
const BUCKET_HEAP: usize = 8;
const BUCKET_USED: usize = 12;
const ENTRY_ACCOUNT: usize = 8;
const ENTRY_LOSER: usize = 12;
const ENTRY_LEFT: usize = 16;
const ENTRY_EQUITY: usize = 24;
/** Where a loser's record keeps what is left of its size. */
export const LOSER_LEFT: usize = 16;

const FACTOR_MAX: u64 = (<u64>1) << 31;
const PNL_MAX: i64 = (<i64>1) << 52;

/** The score of a position among the winners. */
export function scoreOf(market: Market, position: Position, equity: i64): u64 {
  const value = position.sizeLots * <i64>market.mark * market.unit;
  const gain = value - position.cost;
  if (gain <= 0) return 0;
  const ratio = <u64>(min(gain, PNL_MAX) << 10) / <u64>max<i64>(1, magnitude(position.cost));
  const leverage = <u64>(magnitude(value) << 10) / <u64>max<i64>(1, equity);
  return min(ratio, FACTOR_MAX) * min(leverage, FACTOR_MAX);
}

/** What stands behind a position: the account's cross value, or its own equity. */
export function equityBehind(market: Market, account: MarginAccount, position: Position): i64 {
  if (position.isolated == 0) return account.collateral + account.positionValue;
  return position.rawUsd + position.sizeLots * <i64>market.mark * market.unit;
}

@inline
export function bucketAt(base: usize, market: u32, side: u32): usize {
  return base + <usize>(market * 2 + side) * BUCKET_BYTES;
}

/** Makes all buckets empty; returns the address behind them. */
export function clearBuckets(base: usize): usize {
  const end = base + <usize>load<u32>(0, EXC_MARKET_COUNT) * 2 * BUCKET_BYTES;
  memory.fill(base, 0, end - base);
  return end;
}

/** One more entry, at the end of a bucket whose place is known. */
export function addEntry(bucket: usize, score: u64, account: u32, loser: u32, left: i64, equity: i64): void {
  const count = load<u32>(bucket, BUCKET_COUNT);
  const entry = <usize>load<u32>(bucket) + <usize>count * ENTRY_BYTES;
  store<u64>(entry, score);
  store<u32>(entry, account, ENTRY_ACCOUNT);
  store<u32>(entry, loser, ENTRY_LOSER);
  store<i64>(entry, left, ENTRY_LEFT);
  store<i64>(entry, equity, ENTRY_EQUITY);
  store<u32>(bucket, count + 1, BUCKET_COUNT);
}

/** Does the entry at `a` rank before that at `b`? */
function ranksBefore(a: usize, b: usize): bool {
  const aLoses = load<u32>(a, ENTRY_LOSER) != 0;
  const bLoses = load<u32>(b, ENTRY_LOSER) != 0;
  if (aLoses != bLoses) return bLoses;
  const aScore = load<u64>(a);
  const bScore = load<u64>(b);
  return aScore != bScore ? aScore > bScore : load<u32>(a, ENTRY_ACCOUNT) < load<u32>(b, ENTRY_ACCOUNT);
}

function swap(a: usize, b: usize): void {
  for (let i: usize = 0; i < ENTRY_BYTES; i += 8) {
    const word = load<u64>(a + i);
    store<u64>(a + i, load<u64>(b + i));
    store<u64>(b + i, word);
  }
}

function sink(entries: usize, from: u32, count: u32): void {
  let at = from;
  while (true) {
    let best = at;
    const child = at * 2 + 1;
    if (child < count && ranksBefore(entries + child * ENTRY_BYTES, entries + best * ENTRY_BYTES)) best = child;
    if (child + 1 < count && ranksBefore(entries + (child + 1) * ENTRY_BYTES, entries + best * ENTRY_BYTES)) best = child + 1;
    if (best == at) return;
    swap(entries + at * ENTRY_BYTES, entries + best * ENTRY_BYTES);
    at = best;
  }
}

/** Orders a bucket that has all its entries. */
export function heapify(bucket: usize): void {
  const entries = <usize>load<u32>(bucket);
  const count = load<u32>(bucket, BUCKET_COUNT);
  for (let i = count >> 1; i > 0; i--) sink(entries, i - 1, count);
  store<u32>(bucket, count, BUCKET_HEAP);
}

/** The winner that was taken out last; 0: none yet. */
export function lastTaken(bucket: usize): usize {
  const heap = load<u32>(bucket, BUCKET_HEAP);
  return heap == load<u32>(bucket, BUCKET_COUNT) ? 0 : <usize>load<u32>(bucket) + heap * ENTRY_BYTES;
}

/** Takes the best winner out of the heap; 0: it is empty. */
export function takeNext(bucket: usize): usize {
  const heap = load<u32>(bucket, BUCKET_HEAP);
  if (heap == 0) return 0;
  const entries = <usize>load<u32>(bucket);
  const last = entries + (heap - 1) * ENTRY_BYTES;
  if (heap > 1) {
    swap(entries, last);
    sink(entries, 0, heap - 1);
  }
  store<u32>(bucket, heap - 1, BUCKET_HEAP);
  return last;
}

/** For the second pass: the first of all winners, in their order, that has size left; 0: there is none. */
export function firstLeft(bucket: usize): usize {
  const entries = <usize>load<u32>(bucket);
  const count = load<u32>(bucket, BUCKET_COUNT);
  let used = load<u32>(bucket, BUCKET_USED);
  while (used < count) {
    const entry = entries + (count - 1 - used) * ENTRY_BYTES;
    if (sizeLeft(entry) > 0) break;
    used++;
  }
  store<u32>(bucket, used, BUCKET_USED);
  return used == count ? 0 : entries + (count - 1 - used) * ENTRY_BYTES;
}

@inline
export function entryAccount(entry: usize): u32 {
  return load<u32>(entry, ENTRY_ACCOUNT);
}

/** What is left of a winner's size in this round; losers share it with their part as losers. */
export function sizeLeft(entry: usize): i64 {
  const loser = <usize>load<u32>(entry, ENTRY_LOSER);
  return loser != 0 ? load<i64>(loser, LOSER_LEFT) : load<i64>(entry, ENTRY_LEFT);
}

@inline
export function equityLeft(entry: usize): i64 {
  return load<i64>(entry, ENTRY_EQUITY);
}

/** A pair uses up size and equity of its winner. */
export function useWinner(entry: usize, lots: i64, loss: i64): void {
  const loser = <usize>load<u32>(entry, ENTRY_LOSER);
  if (loser != 0) store<i64>(loser, load<i64>(loser, LOSER_LEFT) - lots, LOSER_LEFT);
  else store<i64>(entry, load<i64>(entry, ENTRY_LEFT) - lots, ENTRY_LEFT);
  store<i64>(entry, load<i64>(entry, ENTRY_EQUITY) - loss, ENTRY_EQUITY);
}
