/**
 * What happens to prices between a block's transactions and those of the system: index and mark prices, open interest flags, funding
 * samples and rates, delisting (docs/rules.md, 5). Thread 0, while no transaction runs.
 */
import { touch } from '../../kernel/assembly/dirty';
import { CAUSE_BACKSTOP, CAUSE_DELEVERAGE, CAUSE_SETTLEMENT } from '../../base/codes';
import { isPresent } from '../../kernel/assembly/record';
import { workerBlock } from '../../kernel/assembly/schedule';
import { SerialView } from '../../kernel/assembly/view-in-place';
import { BLK_RECEIPTS, BLK_TIME_MS } from '../../kernel/layout';
import {
  CFG_DELIST_PPM,
  CFG_HYPERP_CAP_PPM,
  CFG_MARK_INTERVAL_MS,
  CFG_QUORUM_PPM,
  CFG_STALE_MS,
  EVENT_FILL,
  EVENT_FILL_BYTES,
  EXC_DELISTINGS,
  EXC_FUNDINGS,
  EXC_CLOCK,
  EXC_LAST_MARK_MS,
  EXC_LAST_ROLL_DAY,
  EXC_MARKET_STATES,
  EXC_MARKET_COUNT,
  EXC_MINUTES,
  EXC_REPORTER_TABLE,
  EXC_REPORTERS,
  FUNDING_HOUR_MS,
  FUNDING_SAMPLE_MS,
  STATUS_DELISTED,
  STATUS_INTEREST_CAPPED,
  STATUS_INTEREST_FAST,
} from '../layout';
import { decay, decayed, floorDivide, medianOf } from './averages';
import { ASKS, beginSearches, bestLevel, BIDS, levelAt, NONE } from './book';
import { divideUp, multiplyDivide } from './margin';
import { committed, Delisting, Funding, Level, Market, marketAt, Price, Report, reportAt, Totals } from './records';

export const UPDATE_MARKS: u32 = 1;
export const UPDATE_PAID: u32 = 2;
export const UPDATE_SETTLED: u32 = 4;

const BASIS_TAU_MS: u64 = 150000;
const BOOK_TAU_MS: u64 = 30000;
const HYPER_TAU_MS: u64 = 28800000;
const DT_MAX_MS: u64 = 3600000;
const MINUTE_MS: u64 = 60000;
const MINUTES_KEPT: u64 = 70;
const MINUTES_SETTLED: u64 = 60;
/** Levels of one side that an impact price looks at. */
const IMPACT_LEVELS: u32 = 1000;
const RATE_ONE: u64 = 10000000000;

@inline
function fundingOf(market: u32): Funding {
  return changetype<Funding>(<usize>load<u32>(0, EXC_FUNDINGS) + ((<usize>market) << 6));
}

@inline
function stakeOf(reporter: u32): u64 {
  return load<u64>(<usize>load<u32>(0, EXC_REPORTER_TABLE) + ((<usize>reporter) << 4));
}

/** Phase 2 of a block. Returns UPDATE_* bits: what the sweep has to do. */
export function updatePrices(): u32 {
  const now = load<u64>(0, BLK_TIME_MS);
  const count = load<u32>(0, EXC_MARKET_COUNT);
  const marks = reported(now) || now - load<u64>(0, EXC_LAST_MARK_MS) >= load<u64>(0, CFG_MARK_INTERVAL_MS);
  let update: u32 = marks ? UPDATE_MARKS : 0;
  for (let number: u32 = 0; number < count; number++) {
    const market = marketAt(number);
    if ((market.status & STATUS_DELISTED) != 0) continue;
    if (marks) updateMark(market, number, now);
    flagInterest(market, now);
    const funding = fundingOf(number);
    sample(market, funding, now);
    if (fund(market, funding, now)) update |= UPDATE_PAID;
    if (settleVoted(market, number, now)) update |= UPDATE_SETTLED;
  }
  if (marks) store<u64>(0, now, EXC_LAST_MARK_MS);
  return update;
}

/** Has a report come in at this time? */
function reported(now: u64): bool {
  const reports = load<u32>(0, EXC_MARKET_COUNT) * load<u32>(0, EXC_REPORTERS);
  const first = reportAt(0, 0);
  for (let i: u32 = 0; i < reports; i++) {
    const record = committed<Report>(first + i);
    if (isPresent<Report>(record) && record.timeMs == now) return true;
  }
  return false;
}

@inline
function isFresh(record: Report, now: u64): bool {
  return isPresent<Report>(record) && record.timeMs + load<u64>(0, CFG_STALE_MS) >= now;
}

@inline
function priceIn(record: Report, perp: bool): u32 {
  return perp ? record.perpTicks : record.indexTicks;
}

/** The stake-weighted median of the fresh reports' prices; 0: there is none, or (with `quorum`) too few. */
function medianOfReports(number: u32, now: u64, perp: bool, quorum: bool): u32 {
  const reporters = load<u32>(0, EXC_REPORTERS);
  let total: u64 = 0;
  let fresh: u64 = 0;
  for (let i: u32 = 0; i < reporters; i++) {
    const record = committed<Report>(reportAt(number, i));
    total += stakeOf(i);
    if (isFresh(record, now) && priceIn(record, perp) != 0) fresh += stakeOf(i);
  }
  if (fresh == 0 || (quorum && fresh * 1000000 < total * load<u32>(0, CFG_QUORUM_PPM))) return 0;
  let best: u32 = 0;
  for (let i: u32 = 0; i < reporters; i++) {
    const record = committed<Report>(reportAt(number, i));
    const price = priceIn(record, perp);
    if (price == 0 || !isFresh(record, now) || (best != 0 && price >= best)) continue;
    let below: u64 = 0;
    for (let j: u32 = 0; j < reporters; j++) {
      const other = committed<Report>(reportAt(number, j));
      if (isFresh(other, now) && priceIn(other, perp) != 0 && priceIn(other, perp) <= price) below += stakeOf(j);
    }
    if (below * 2 >= fresh) best = price;
  }
  return best;
}

/** The best bid as it stands, 0 = none. */
export function bestBid(market: Market): u32 {
  beginSearches(u32.MAX_VALUE);
  const found = bestLevel<SerialView>(changetype<SerialView>(workerBlock(0)), market, BIDS, 0, market.tickCount - 1);
  return found == NONE ? 0 : found;
}

export function bestAsk(market: Market): u32 {
  beginSearches(u32.MAX_VALUE);
  const found = bestLevel<SerialView>(changetype<SerialView>(workerBlock(0)), market, ASKS, market.tickCount - 1, 0);
  return found == NONE ? 0 : found;
}

/** Steps 1 to 5 of a market's update, and its minutes. */
function updateMark(market: Market, number: u32, now: u64): void {
  const price = committed<Price>(market.price);
  const funding = fundingOf(number);
  const hyperp = market.hyperp != 0;
  let index: u32;
  if (hyperp) index = funding.hyperWeight != 0 ? <u32>(<u64>funding.hyperSum / funding.hyperWeight) : price.markTicks;
  else {
    index = medianOfReports(number, now, false, true);
    if (index == 0) return;
  }
  const before = price.indexTimeMs;
  const dt = before == 0 ? 0 : min(now - before, DT_MAX_MS);
  price.indexTicks = index;
  price.indexTimeMs = now;
  touch(market.price);
  market.index = index;
  const bid = bestBid(market);
  const ask = bestAsk(market);
  const book = medianOf(bid, ask, price.lastTicks);
  if (dt != 0 && bid != 0 && ask != 0) {
    const k = decay(dt, BASIS_TAU_MS);
    price.basisSum = decayed(price.basisSum, k) + (<i64>(bid + ask) - 2 * <i64>index) * <i64>dt * 256;
    price.basisWeight = <u64>decayed(<i64>price.basisWeight, k) + dt * 256;
  }
  if (dt != 0 && book != 0) {
    const k = decay(dt, BOOK_TAU_MS);
    price.bookSum = decayed(price.bookSum, k) + <i64>book * <i64>dt * 256;
    price.bookWeight = <u64>decayed(<i64>price.bookWeight, k) + dt * 256;
  }
  setMark(market, price, markOf(market, number, price, funding, index, book, now));
  const minute = now / MINUTE_MS;
  if (minute > before / MINUTE_MS || before == 0) {
    if (hyperp) averageHyperp(price, funding, before == 0 ? 1 : minute - before / MINUTE_MS);
    if (index != 0) keepMinute(number, minute, before / MINUTE_MS, index);
  }
}

/** Step 4: the median of the three inputs. */
function markOf(market: Market, number: u32, price: Price, funding: Funding, index: u32, book: u32, now: u64): u32 {
  const basis = price.basisWeight != 0 ? floorDivide(price.basisSum, <i64>price.basisWeight) >> 1 : 0;
  const anchored = index == 0 ? 0 : <u32>min<i64>(max<i64>(<i64>index + basis, 1), u32.MAX_VALUE >> 1);
  const perp = medianOfReports(number, now, true, false);
  let mark: u32;
  const inputs = (anchored != 0 ? 1 : 0) + (book != 0 ? 1 : 0) + (perp != 0 ? 1 : 0);
  if (inputs == 2 && price.bookWeight != 0) {
    const third = <u32>(<u64>price.bookSum / price.bookWeight);
    mark = medianOf(anchored != 0 ? anchored : book, perp != 0 ? perp : book, third);
  } else mark = medianOf(anchored, book, perp);
  if (mark == 0) return 0;
  mark = min(mark, market.tickCount - 1);
  if (market.hyperp != 0 && funding.hyperWeight != 0) {
    const most = (<u64>index * load<u32>(0, CFG_HYPERP_CAP_PPM)) / 1000000;
    mark = <u32>max<u64>(1, min<u64>(mark, most));
  }
  return mark;
}

function setMark(market: Market, price: Price, mark: u32): void {
  if (mark == 0 || mark == price.markTicks) return;
  touch(market.price);
  price.previousMarkTicks = price.markTicks;
  price.markTicks = mark;
  market.previousMark = price.previousMarkTicks;
  market.mark = mark;
}

/** The average that is a hyperp's index: one more mark, for the minutes that have passed. */
function averageHyperp(price: Price, funding: Funding, minutes: u64): void {
  const dt = min(minutes * MINUTE_MS, DT_MAX_MS);
  const k = decay(dt, HYPER_TAU_MS);
  if (price.markTicks == 0) return;
  touchFunding(funding);
  funding.hyperSum = decayed(funding.hyperSum, k) + <i64>price.markTicks * <i64>dt * 256;
  funding.hyperWeight = <u64>decayed(<i64>funding.hyperWeight, k) + dt * 256;
}

/** Address of the field of a minute, in the market's five records of 14. */
@inline
function minuteField(number: u32, minute: u64): usize {
  const place = <u32>(minute % MINUTES_KEPT);
  return <usize>load<u32>(0, EXC_MINUTES) + ((<usize>(number * 5 + place / 14)) << 6) + 8 + ((<usize>(place % 14)) << 2);
}

function setMinute(number: u32, minute: u64, index: u32): void {
  const field = minuteField(number, minute);
  store<u32>(field, index);
  touch(<u32>((field & ~63) >> 5));
}

@inline
function touchFunding(funding: Funding): void {
  touch(<u32>(changetype<usize>(funding) >> 5));
}

/** Keeps the index of a minute; minutes that were passed over are empty. */
function keepMinute(number: u32, minute: u64, last: u64, index: u32): void {
  let skipped = last + 1;
  if (minute >= MINUTES_KEPT && skipped < minute - MINUTES_KEPT) skipped = minute - MINUTES_KEPT;
  for (; skipped < minute; skipped++) setMinute(number, skipped, 0);
  setMinute(number, minute, index);
}

/** Is open interest at its cap, or growing too fast? */
function flagInterest(market: Market, now: u64): void {
  const lots = committed<Totals>(market.totals).openInterestLots;
  const value = <i64>market.mark * market.unit;
  const minute = now / MINUTE_MS;
  if (minute != market.interestMinute) {
    market.interestMinute = minute;
    market.interestBefore = lots;
  }
  let status: u32 = 0;
  if (value != 0) {
    if (market.interestCap > 0 && lots >= divideUp(market.interestCap, value)) status |= STATUS_INTEREST_CAPPED;
    if (market.interestStep > 0 && lots - market.interestBefore >= divideUp(market.interestStep, value)) status |= STATUS_INTEREST_FAST;
  }
  market.status = status;
}

/** The average price in 2^-16 ticks at which the impact notional is taken from a side; 0 = missing. */
function impactPrice(market: Market, side: u32): i64 {
  const impact = market.impact;
  const view = changetype<SerialView>(workerBlock(0));
  const end = market.tickCount - 1;
  let from: u32 = side == ASKS ? 0 : end;
  let left = impact;
  let sum: i64 = 0;
  beginSearches(u32.MAX_VALUE);
  for (let levels: u32 = 0; levels < IMPACT_LEVELS; levels++) {
    const ticks = bestLevel<SerialView>(view, market, side, side == ASKS ? end : 0, from);
    if (ticks == NONE) return 0;
    const value = <i64>ticks * market.unit;
    const lots = committed<Level>(levelAt(market, ticks)).totalLots;
    const taken = lots >= divideUp(left, value) ? left : lots * value;
    sum += <i64>ticks * taken;
    left -= taken;
    if (left == 0) return <i64>multiplyDivide(<u64>sum, 65536, <u64>impact);
    if (side == ASKS ? ticks == end : ticks <= 1) return 0;
    from = side == ASKS ? ticks + 1 : ticks - 1;
  }
  return 0;
}

/** One premium in five seconds. */
function sample(market: Market, funding: Funding, now: u64): void {
  if (market.index == 0) return;
  const interval = now / FUNDING_SAMPLE_MS;
  if (interval <= funding.lastSample) return;
  funding.lastSample = interval;
  touchFunding(funding);
  const bid = impactPrice(market, BIDS);
  if (bid == 0) return;
  const ask = impactPrice(market, ASKS);
  if (ask == 0) return;
  const index = <i64>market.index * 65536;
  const premium = max(bid - index, <i64>0) - max(index - ask, <i64>0);
  const size = <i64>multiplyDivide(<u64>(premium < 0 ? -premium : premium), RATE_ONE, <u64>index);
  funding.sampleSum += premium < 0 ? -size : size;
  funding.samples++;
}

@inline
function clamped(value: i64, most: i64): i64 {
  return min(max(value, -most), most);
}

/** The rate of an hour that has ended. True: the sweep pays it. */
function fund(market: Market, funding: Funding, now: u64): bool {
  const hour = now / FUNDING_HOUR_MS;
  if (hour <= funding.lastHour) return false;
  const first = funding.lastHour == 0;
  funding.lastHour = hour;
  touchFunding(funding);
  if (first || funding.samples == 0) return false;
  const premium = funding.sampleSum / <i64>funding.samples;
  const eight = premium + clamped(market.fundingInterest - premium, market.fundingClamp);
  funding.rate = clamped(eight / 8, market.fundingCap);
  funding.sampleSum = 0;
  funding.samples = 0;
  if (market.index == 0) return false;
  market.rate = 1;
  market.paid = funding.rate;
  market.premium = premium;
  return true;
}

/** Delists a market that enough stake has voted out. True: the sweep settles its positions. */
function settleVoted(market: Market, number: u32, now: u64): bool {
  const record = changetype<Delisting>(<usize>load<u32>(0, EXC_DELISTINGS) + ((<usize>number) << 5));
  if (!isPresent<Delisting>(record)) return false;
  const reporters = load<u32>(0, EXC_REPORTERS);
  let total: u64 = 0;
  let voted: u64 = 0;
  for (let i: u32 = 0; i < reporters; i++) {
    total += stakeOf(i);
    if (((record.voted >> i) & 1) != 0) voted += stakeOf(i);
  }
  if (voted * 1000000 < total * load<u32>(0, CFG_DELIST_PPM)) return false;
  const price = committed<Price>(market.price);
  const settled = settlementPrice(number, price, now);
  record.delistedMs = now;
  touch((load<u32>(0, EXC_DELISTINGS) >> 5) + number);
  record.settledTicks = settled;
  setMark(market, price, settled);
  market.status = STATUS_DELISTED;
  market.settle = settled;
  return settled != 0;
}

/** The mean index of the last hour's minutes, or the mark. */
function settlementPrice(number: u32, price: Price, now: u64): u32 {
  const minute = now / MINUTE_MS;
  const last = min(minute, price.indexTimeMs / MINUTE_MS);
  let sum: u64 = 0;
  let count: u64 = 0;
  for (let at = minute < MINUTES_SETTLED ? 0 : minute - MINUTES_SETTLED + 1; at <= last; at++) {
    const index = load<u32>(minuteField(number, at));
    if (index == 0) continue;
    sum += index;
    count++;
  }
  return count == 0 ? price.markTicks : <u32>(sum / count);
}

/** Forgets what was paid and settled in the block: after its last transaction. */
export function clearPaid(): void {
  const count = load<u32>(0, EXC_MARKET_COUNT);
  for (let number: u32 = 0; number < count; number++) {
    const market = marketAt(number);
    market.settle = 0;
    market.rate = 0;
    market.paid = 0;
    market.premium = 0;
    market.payers = 0;
    market.receivers = 0;
  }
}

/** What the next block needs of this one goes into records, so that the state is all there is to know. After the last transaction. */
export function noteMarketStates(): void {
  const count = load<u32>(0, EXC_MARKET_COUNT);
  const states = <usize>load<u32>(0, EXC_MARKET_STATES);
  for (let number: u32 = 0; number < count; number++) {
    const market = marketAt(number);
    const at = states + ((<usize>number) << 5);
    const flags = (market.status & STATUS_DELISTED) != 0 ? 0 : market.status;
    if (load<i64>(at, 8) == market.interestBefore && load<u64>(at, 16) == market.interestMinute && load<u32>(at, 24) == flags) continue;
    store<i64>(at, market.interestBefore, 8);
    store<u64>(at, market.interestMinute, 16);
    store<u32>(at, flags, 24);
    touch(<u32>(at >> 5));
  }
  const clock = load<u32>(0, EXC_CLOCK);
  store<u64>((<usize>clock) << 5, load<u64>(0, EXC_LAST_MARK_MS), 8);
  store<u64>((<usize>clock) << 5, load<u64>(0, EXC_LAST_ROLL_DAY), 16);
  touch(clock);
}

/**
 * The last price that each market traded at on the book in the transactions from..to: only markets whose volume has grown are looked for,
 * from the end, so that a block of many trades is not read through.
 */
export function noteLastPrices(from: u32, to: u32): void {
  const count = load<u32>(0, EXC_MARKET_COUNT);
  let missing: u32 = 0;
  for (let number: u32 = 0; number < count; number++) {
    const market = marketAt(number);
    if (committed<Totals>(market.totals).volume != market.notedVolume) missing++;
  }
  const receipts = <usize>load<u32>(0, BLK_RECEIPTS);
  for (let i = to; i > from && missing != 0; i--) {
    const receipt = receipts + ((<usize>(i - 1)) << 4);
    const bytes = load<u32>(receipt, 8);
    if (bytes < EVENT_FILL_BYTES) continue;
    const events = <usize>load<u32>(receipt, 4);
    noteFills(events, events + bytes, false);
    missing -= noteFills(events, events + bytes, true);
  }
}

/** The fills of markets that are missing: writes their prices (the last one stays), or with `done` counts the markets and takes note. */
function noteFills(from: usize, end: usize, done: bool): u32 {
  let found: u32 = 0;
  for (let at = from; at < end; at += load<u32>(at) >> 8) {
    if ((load<u32>(at) & 0xff) != EVENT_FILL) continue;
    const cause = load<u32>(at, 36) >> 1;
    if (cause == CAUSE_BACKSTOP || cause == CAUSE_DELEVERAGE || cause == CAUSE_SETTLEMENT) continue;
    const market = marketAt(load<u32>(at, 4));
    const volume = committed<Totals>(market.totals).volume;
    if (market.notedVolume == volume) continue;
    if (done) {
      market.notedVolume = volume;
      found++;
    } else {
      committed<Price>(market.price).lastTicks = load<u32>(at, 32);
      touch(market.price);
    }
  }
  return found;
}
