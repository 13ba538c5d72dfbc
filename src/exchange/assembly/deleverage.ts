/**
 * Plans one round of deleveraging: losers against winners, and the cover of deficits without positions (docs/rules.md, 6.4 and 6.6).
 * Thread 0, on the state as it stands at the start of the round; in the scratch memory first the losers' positions, then the winners'
 * buckets (`ranking.ts`), then their entries.
 *
 *   loser's position, 40 bytes; accounts ascending, cross before isolated, markets ascending
 *    0  u32  account
 *    4  u32  scope        0: cross, else market + 1
 *    8  u32  market
 *   12  u32  zero
 *   16  i64  size left    (magnitude)
 *   24  i64  size         signed
 *   32  i64  share        of the scope's deficit
 */
import { assertKernel, addressOf } from '../../kernel/assembly/memory';
import { BITS_WORD, NO_ACCOUNT } from '../../kernel/layout';
import {
  EXC_ACTIVE,
  EXC_BACKSTOP,
  EXC_MARKET_COUNT,
  EXC_SCRATCH,
  EXC_SCRATCH_END,
  EXC_SWEEP_WORDS,
  FIELD_0,
  FIELD_12,
  FIELD_16,
  FIELD_24,
  FIELD_4,
  FIELD_8,
  FOUND_NEGATIVE,
  KIND_COVER,
  KIND_DELEVERAGE,
} from '../layout';
import { magnitude, multiplyDivide, notionalOf, portfolioWords } from './margin';
import { append, NO_ROOM } from './plan';
import {
  addEntry,
  bucketAt,
  clearBuckets,
  ENTRY_BYTES,
  entryAccount,
  equityBehind,
  equityLeft,
  firstLeft,
  heapify,
  lastTaken,
  LONGS,
  LOSER_LEFT,
  scoreOf,
  SHORTS,
  sizeLeft,
  takeNext,
  useWinner,
} from './ranking';
import { committed, MarginAccount, marginAccountAt, Market, marketAt, Portfolio, portfolioAt, Position, positionAt } from './records';
import { foundAccount, foundBits, foundCount } from './sweep';

const LOSER_BYTES: usize = 40;
const LOSER_SCOPE: usize = 4;
const LOSER_MARKET: usize = 8;
const LOSER_SIZE: usize = 24;
const LOSER_SHARE: usize = 32;

/** What the backstop vault can still pay in this round. */
let vaultLeft: i64 = 0; // register
/** Where the next loser's position goes. */
let losersEnd: usize = 0; // register

/** The price that losers and winners are closed at: the mark before the change. */
@inline
function closingPrice(market: Market): u32 {
  return market.previousMark != 0 ? market.previousMark : market.mark;
}

/** One round; nothing is added when nobody is negative. */
export function planDeleverage(at: u32): u32 {
  const count = foundCount();
  const losers = <usize>load<u32>(0, EXC_SCRATCH);
  losersEnd = losers;
  const vault = load<u32>(0, EXC_BACKSTOP);
  vaultLeft = 0;
  if (vault != NO_ACCOUNT) {
    const own = committed<MarginAccount>(marginAccountAt(vault));
    vaultLeft = max<i64>(0, own.collateral + own.positionValue - own.positionMargin);
  }
  for (let i: u32 = 0; i < count; i++) if ((foundBits(i) & FOUND_NEGATIVE) != 0) addLoser(foundAccount(i));
  if (losersEnd > losers) fillBuckets(losers);
  let loser = losers;
  for (let i: u32 = 0; i < count && at != NO_ROOM; i++) {
    if ((foundBits(i) & FOUND_NEGATIVE) == 0) continue;
    const number = foundAccount(i);
    const account = committed<MarginAccount>(marginAccountAt(number));
    const value = account.collateral + account.positionValue;
    const none = loser == losersEnd || load<u32>(loser) != number || load<u32>(loser, LOSER_SCOPE) != 0;
    if (value < 0 && none) at = planCover(at, number, -value);
    for (; loser < losersEnd && load<u32>(loser) == number && at != NO_ROOM; loser += LOSER_BYTES) at = pairLoser(at, loser);
  }
  return at;
}

/** Notes the open positions of an account's scopes that are negative. */
function addLoser(number: u32): void {
  const account = committed<MarginAccount>(marginAccountAt(number));
  if (account.positions == 0) return;
  if (account.collateral + account.positionValue < 0) addCross(number, account);
  if (account.isolated == 0) return;
  const portfolio = changetype<usize>(committed<Portfolio>(portfolioAt(number)));
  const words = portfolioWords();
  for (let i: u32 = 0; i < words; i++) {
    for (let bits = load<u64>(portfolio + ((<usize>i) << 3), 8); bits != 0; bits &= bits - 1) {
      const index = (i << 6) | <u32>ctz<u64>(bits);
      const position = committed<Position>(positionAt(number, index));
      if (position.isolated == 0 || position.sizeLots == 0) continue;
      const market = marketAt(index);
      if (position.rawUsd + position.sizeLots * <i64>market.mark * market.unit >= 0) continue;
      const left = position.rawUsd + position.sizeLots * <i64>closingPrice(market) * market.unit;
      addPosition(number, index + 1, index, position.sizeLots, max<i64>(0, -left));
    }
  }
}

function addPosition(number: u32, scope: u32, index: u32, size: i64, share: i64): void {
  // A loser's record is smaller than what the scratch memory has for an account's entry; most accounts never lose.
  assertKernel(losersEnd + LOSER_BYTES <= load<u32>(0, EXC_SCRATCH_END));
  store<u32>(losersEnd, number);
  store<u32>(losersEnd, scope, LOSER_SCOPE);
  store<u32>(losersEnd, index, LOSER_MARKET);
  store<u32>(losersEnd, 0, 12);
  store<i64>(losersEnd, magnitude(size), LOSER_LEFT);
  store<i64>(losersEnd, size, LOSER_SIZE);
  store<i64>(losersEnd, share, LOSER_SHARE);
  losersEnd += LOSER_BYTES;
}

/** The cross positions, with their shares of the deficit that is left at the closing prices. */
function addCross(number: u32, account: MarginAccount): void {
  const first = losersEnd;
  const portfolio = changetype<usize>(committed<Portfolio>(portfolioAt(number)));
  const words = portfolioWords();
  let equity = account.collateral;
  let notional: i64 = 0;
  for (let i: u32 = 0; i < words; i++) {
    for (let bits = load<u64>(portfolio + ((<usize>i) << 3), 8); bits != 0; bits &= bits - 1) {
      const index = (i << 6) | <u32>ctz<u64>(bits);
      const position = committed<Position>(positionAt(number, index));
      if (position.isolated != 0 || position.sizeLots == 0) continue;
      const market = marketAt(index);
      equity += position.sizeLots * <i64>closingPrice(market) * market.unit;
      notional += notionalOf(market, market.mark, magnitude(position.sizeLots));
      addPosition(number, 0, index, position.sizeLots, 0);
    }
  }
  const deficit = max<i64>(0, -equity);
  let rest = deficit;
  for (let loser = first; loser < losersEnd; loser += LOSER_BYTES) {
    const market = marketAt(load<u32>(loser, LOSER_MARKET));
    const own = notionalOf(market, market.mark, load<i64>(loser, LOSER_LEFT));
    const isLast = loser + LOSER_BYTES == losersEnd;
    const share = isLast ? rest : <i64>multiplyDivide(<u64>deficit, <u64>own, <u64>notional);
    store<i64>(loser, share, LOSER_SHARE);
    rest -= share;
  }
}

/** A deficit that no position is left for. */
function planCover(at: u32, number: u32, deficit: i64): u32 {
  const fromVault = number == load<u32>(0, EXC_BACKSTOP) ? 0 : min(deficit, vaultLeft);
  vaultLeft -= fromVault;
  const tx = append(at, KIND_COVER, number);
  if (tx == 0) return NO_ROOM;
  store<i64>(tx, fromVault, FIELD_8);
  store<i64>(tx, deficit - fromVault, FIELD_16);
  return at + 1;
}

/** The side of the winners that a loser of this size is paired with. */
@inline
function winnersOf(size: i64): u32 {
  return size > 0 ? SHORTS : LONGS;
}

@inline
function buckets(): usize {
  return (losersEnd + 63) & ~63;
}

/** Collects the winners of every market and side that a loser needs. */
function fillBuckets(losers: usize): void {
  const base = buckets();
  let room = clearBuckets(base);
  assertKernel(room <= load<u32>(0, EXC_SCRATCH_END));
  for (let loser = losers; loser < losersEnd; loser += LOSER_BYTES) {
    store<u32>(bucketAt(base, load<u32>(loser, LOSER_MARKET), winnersOf(load<i64>(loser, LOSER_SIZE))), 1);
  }
  visit(base, losers, false);
  // The counts say how much room each needs; what does not fit waits for the next round.
  const markets = load<u32>(0, EXC_MARKET_COUNT);
  for (let i: u32 = 0; i < markets * 2; i++) {
    const bucket = bucketAt(base, 0, i);
    if (load<u32>(bucket) == 0) continue;
    const bytes = <usize>load<u32>(bucket, 4) * ENTRY_BYTES;
    const fits = room + bytes <= load<u32>(0, EXC_SCRATCH_END);
    store<u32>(bucket, fits ? <u32>room : 0);
    store<u32>(bucket, 0, 4);
    if (fits) room += bytes;
  }
  visit(base, losers, true);
  for (let i: u32 = 0; i < markets * 2; i++) if (load<u32>(bucketAt(base, 0, i)) != 0) heapify(bucketAt(base, 0, i));
}

/** Goes through all positions: counts the winners of the buckets asked for, or enters them. */
function visit(base: usize, losers: usize, enter: bool): void {
  const active = load<u32>(0, EXC_ACTIVE);
  const end = load<u32>(0, EXC_SWEEP_WORDS);
  const words = portfolioWords();
  let loser = losers;
  for (let word: u32 = 0; word < end; word++) {
    for (let bits = load<u64>(addressOf(active + word), BITS_WORD); bits != 0; bits &= bits - 1) {
      const number = (word << 6) | <u32>ctz<u64>(bits);
      while (loser < losersEnd && load<u32>(loser) < number) loser += LOSER_BYTES;
      const account = committed<MarginAccount>(marginAccountAt(number));
      if (account.positions == 0) continue;
      const portfolio = changetype<usize>(committed<Portfolio>(portfolioAt(number)));
      for (let i: u32 = 0; i < words; i++) {
        for (let marks = load<u64>(portfolio + ((<usize>i) << 3), 8); marks != 0; marks &= marks - 1) {
          const index = (i << 6) | <u32>ctz<u64>(marks);
          const longs = bucketAt(base, index, LONGS);
          const shorts = bucketAt(base, index, SHORTS);
          if ((load<u32>(longs) | load<u32>(shorts)) == 0) continue;
          const position = committed<Position>(positionAt(number, index));
          const size = position.sizeLots;
          const bucket = size > 0 ? longs : shorts;
          if (size == 0 || load<u32>(bucket) == 0) continue;
          if (enter) enterWinner(bucket, number, account, index, position, loser);
          else store<u32>(bucket, load<u32>(bucket, 4) + 1, 4);
        }
      }
    }
  }
}

function enterWinner(bucket: usize, number: u32, account: MarginAccount, index: u32, position: Position, loser: usize): void {
  const market = marketAt(index);
  let own: usize = 0;
  for (let at = loser; at < losersEnd && load<u32>(at) == number; at += LOSER_BYTES) {
    if (load<u32>(at, LOSER_MARKET) == index) own = at;
  }
  const equity = equityBehind(market, account, position);
  addEntry(bucket, scoreOf(market, position, equity), number, <u32>own, magnitude(position.sizeLots), equity);
}

// The pair that is being made.
let pairRest: i64 = 0; // register

/** All pairs of a loser's position. */
function pairLoser(at: u32, loser: usize): u32 {
  const index = load<u32>(loser, LOSER_MARKET);
  const size = load<i64>(loser, LOSER_SIZE);
  const bucket = bucketAt(buckets(), index, winnersOf(size));
  if (load<u32>(bucket) == 0) return at;
  const market = marketAt(index);
  // What a winner loses for each lot: it is closed at the mark before the change.
  const change = <i64>market.mark - <i64>closingPrice(market);
  const loss = max<i64>(0, size > 0 ? -change : change) * market.unit;
  pairRest = load<i64>(loser, LOSER_SHARE);
  let winner = lastTaken(bucket);
  while (at != NO_ROOM && load<i64>(loser, LOSER_LEFT) > 0) {
    const bears = winner == 0 ? 0 : loss == 0 ? i64.MAX_VALUE : max<i64>(0, equityLeft(winner)) / loss;
    const lots = winner == 0 ? 0 : min(min(load<i64>(loser, LOSER_LEFT), sizeLeft(winner)), bears);
    if (lots > 0) at = addPair(at, loser, winner, market, index, lots, loss);
    if (load<i64>(loser, LOSER_LEFT) == 0) break;
    winner = takeNext(bucket);
    if (winner == 0) break;
  }
  while (at != NO_ROOM && load<i64>(loser, LOSER_LEFT) > 0) {
    winner = firstLeft(bucket);
    if (winner == 0) break;
    at = addPair(at, loser, winner, market, index, min(load<i64>(loser, LOSER_LEFT), sizeLeft(winner)), loss);
  }
  return at;
}

function addPair(at: u32, loser: usize, winner: usize, market: Market, index: u32, lots: i64, loss: i64): u32 {
  const left = load<i64>(loser, LOSER_LEFT) - lots;
  const share = load<i64>(loser, LOSER_SHARE);
  const part = <i64>multiplyDivide(<u64>share, <u64>lots, <u64>magnitude(load<i64>(loser, LOSER_SIZE)));
  const adjustment = left == 0 ? pairRest : part;
  pairRest -= adjustment;
  store<i64>(loser, left, LOSER_LEFT);
  useWinner(winner, lots, loss * lots + adjustment);
  const tx = append(at, KIND_DELEVERAGE, load<u32>(loser));
  if (tx == 0) return NO_ROOM;
  store<u32>(tx, load<u32>(loser, LOSER_SCOPE), FIELD_0);
  store<u32>(tx, entryAccount(winner), FIELD_4);
  store<u32>(tx, index, FIELD_8);
  store<u32>(tx, closingPrice(market), FIELD_12);
  store<i64>(tx, lots, FIELD_16);
  store<i64>(tx, adjustment, FIELD_24);
  return at + 1;
}
