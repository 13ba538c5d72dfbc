/**
 * Matching one taking order against the book, and its trial run (docs/rules.md, 4.2 and 4.3).
 *
 * Invariants: the resting order's price is the price; no fill leaves an account that cannot bear it; loops are bounded by the steps of the
 * transaction. A followed key that leads nowhere is reported to the view (`inconsistent`): it happens only to runs that are thrown away.
 */
import { CAUSE_ORDER, REASON_EXPIRED, REASON_MARGIN, REASON_POSITION_LIMIT, REASON_REDUCE_ONLY, REASON_SELF_TRADE } from '../../base/codes';
import { isPresent, markPresent } from '../../kernel/assembly/record';
import { BLK_TIME_MS, WRK_TRIAL } from '../../kernel/layout';
import {
  EVENT_FILL,
  EVENT_FILL_BYTES,
  FLAG_REDUCE_ONLY,
  MATCH_STEPS_MAX,
  ORDER_EXTRA,
  SEARCH_STEPS_MAX,
  SELF_TRADE_CANCEL_MAKER,
  SELF_TRADE_CANCEL_TAKER,
} from '../layout';
import { ASKS, beginSearches, bestLevel, BIDS, enterQueue, leaveLevel, levelAt, NONE, SEARCH_LIMIT } from './book';
import {
  bears,
  beginFees,
  builderFeeOf,
  closedPnl,
  feeReward,
  FIELD_A,
  FIELD_B,
  FIELD_C,
  fill,
  initialMargin,
  leverageOf,
  magnitude,
  makerFee,
  payReferrer,
  settle,
  startLots,
  takerFee,
} from './margin';
import {
  Extra,
  extraInSlot,
  Level,
  MarginAccount,
  marginAccountAt,
  Market,
  marketAt,
  Order,
  orderAt,
  orderReference,
  Position,
  positionAt,
  rewardsAt,
  volumeAt,
} from './records';
import { dropResting, slotOf, takeOff } from './resting';

/** Why a match ended before size or book did. */
export const STOP_LIMIT: u32 = 1;
export const STOP_SELF_TRADE: u32 = 2;
export const STOP_MARGIN: u32 = 3;

/** Resting orders that the transaction may still look at. */
let stepsLeft: u32 = 0; // register
/** Why the last match stopped, 0: it did not. */
export let stopped: u32 = 0; // register

// What the taker asked for beside side, size and limit.
let takerCause: u32 = 0; // register, CAUSE_*
let takerPays: bool = true; // register
let takerSelfTrade: u32 = 0; // register, SELF_TRADE_*
let takerBuilder: u32 = 0; // register
let takerBuilderFee: u32 = 0; // register
let takerWhole: bool = false; // register

/** Once for every transaction that matches. */
@inline
export function beginTransaction(): void {
  stepsLeft = MATCH_STEPS_MAX;
  beginSearches(SEARCH_STEPS_MAX);
}

/** The terms of the next match; `whole`: fill or kill, which is offered hidden lots at once. `builder`: account + 1. */
@inline
export function takerTerms(cause: u32, pays: bool, selfTrade: u32, builder: u32, builderFee: u32, whole: bool): void {
  takerCause = cause;
  takerPays = pays;
  takerSelfTrade = selfTrade;
  takerBuilder = builder;
  takerBuilderFee = builderFee;
  takerWhole = whole;
  beginFees();
}

/** Is a position reduced, and no more, by `lots` of a side that is opposite to it? */
@inline
function reduces(size: i64, sells: bool, lots: i64): bool {
  return size != 0 && size > 0 == sells && lots <= magnitude(size);
}

@inline
function farEnd(market: Market, sells: bool): u32 {
  return sells ? market.tickCount - 1 : 0;
}

/** Matches against the other side of the book; returns what is left. Leaves `stopped`. */
export function match<V>(
  view: V,
  taker: u32,
  account: MarginAccount,
  market: Market,
  marketNumber: u32,
  sells: bool,
  limit: u32,
  lots: i64,
  oid: u64,
): i64 {
  const side = sells ? BIDS : ASKS;
  let from = farEnd(market, sells);
  let left = lots;
  stopped = 0;
  beginSums();
  while (left > 0 && stopped == 0) {
    const ticks = bestLevel<V>(view, market, side, limit, from);
    if (ticks == NONE) break;
    if (ticks == SEARCH_LIMIT) {
      stopped = STOP_LIMIT;
      break;
    }
    from = ticks;
    const level = view.write<Level>(levelAt(market, ticks));
    while (left > 0 && stopped == 0 && isPresent<Level>(level)) {
      const order = headOrder<V>(view, level, ticks, marketNumber);
      if (order === null) break;
      left -= meet<V>(view, taker, account, market, marketNumber, sells, left, oid, level, order);
    }
  }
  endSums<V>(view, market, taker);
  return left;
}

/** The first order of a queue, to be changed; null and `stopped` when no step is left or the records do not fit together. */
@inline
function headOrder<V>(view: V, level: Level, ticks: u32, marketNumber: u32): Order | null {
  if (stepsLeft == 0) {
    stopped = STOP_LIMIT;
    return null;
  }
  stepsLeft--;
  const head = level.head;
  if (head != 0) {
    const order = view.write<Order>(orderAt(head));
    if (isPresent<Order>(order) && order.priceTicks == ticks && order.market == <u16>marketNumber) return order;
  }
  view.inconsistent();
  stopped = STOP_LIMIT;
  return null;
}

// Sums of one match, added to the accumulators at its end.
let sumVolume: i64 = 0; // register
let sumFees: i64 = 0; // register
let sumInterest: i64 = 0; // register

@inline
function beginSums(): void {
  sumVolume = 0;
  sumFees = 0;
  sumInterest = 0;
}

@inline
function endSums<V>(view: V, market: Market, taker: u32): void {
  if (sumVolume == 0) return;
  view.add(market.totals, FIELD_A, sumVolume);
  if (sumInterest != 0) view.add(market.totals, FIELD_B, sumInterest);
  if (sumFees != 0) view.add(market.totals, FIELD_C, sumFees);
}

/** The taker meets the first order of a level's queue: it is taken off, or trades, or the taker stops. Returns the lots traded. */
function meet<V>(
  view: V,
  taker: u32,
  account: MarginAccount,
  market: Market,
  marketNumber: u32,
  sells: bool,
  left: i64,
  oid: u64,
  level: Level,
  order: Order,
): i64 {
  const maker = order.account;
  const extra = (order.flags & ORDER_EXTRA) != 0 ? view.write<Extra>(extraInSlot(maker, slotOf(order.oid))) : null;
  if (extra !== null && extra.expiresMs != 0 && extra.expiresMs <= load<u64>(0, BLK_TIME_MS)) {
    const owner = maker == taker ? account : view.write<MarginAccount>(marginAccountAt(maker));
    takeOff<V>(view, market, level, owner, order, REASON_EXPIRED);
    return 0;
  }
  if (maker == taker) {
    if (takerSelfTrade != SELF_TRADE_CANCEL_TAKER) takeOff<V>(view, market, level, account, order, REASON_SELF_TRADE);
    if (takerSelfTrade != SELF_TRADE_CANCEL_MAKER) stopped = STOP_SELF_TRADE;
    return 0;
  }
  const makerAccount = view.write<MarginAccount>(marginAccountAt(maker));
  const makerPosition = view.write<Position>(positionAt(maker, marketNumber));
  const size = makerPosition.sizeLots;
  const hidden: i64 = extra !== null ? extra.hiddenLots : 0;
  const total = order.sizeLots + hidden;
  const onlyReduces = (order.flags & FLAG_REDUCE_ONLY) != 0;
  let allowed = takerWhole ? total : order.sizeLots;
  // The maker buys when the taker sells.
  if (onlyReduces) allowed = size != 0 && size > 0 == !sells ? min(allowed, magnitude(size)) : 0;
  if (allowed == 0) {
    takeOff<V>(view, market, level, makerAccount, order, REASON_REDUCE_ONLY);
    return 0;
  }
  const traded = min(left, allowed);
  const makerLots = sells ? traded : -traded;
  const price = <i64>order.priceTicks;
  const reducing = reduces(size, !sells, traded);
  if (!reducing && magnitude(size + makerLots) > market.maxPosition) {
    takeOff<V>(view, market, level, makerAccount, order, REASON_POSITION_LIMIT);
    return 0;
  }
  const notional = price * traded * market.unit;
  const leverage = leverageOf(market, makerPosition);
  const newMargin = traded == total ? 0 : min(order.margin, initialMargin(market, price, total - traded, leverage));
  const makerBase = makerFee(market, makerAccount, notional);
  const makerExtra = extra !== null ? builderFeeOf(notional, extra.builderFee) : 0;
  if (!bears(market, makerAccount, makerPosition, makerLots, price, makerBase + makerExtra, order.margin - newMargin, reducing)) {
    takeOff<V>(view, market, level, makerAccount, order, REASON_MARGIN);
    return 0;
  }
  const takerPosition = view.write<Position>(positionAt(taker, marketNumber));
  const takerReducing = reduces(takerPosition.sizeLots, sells, traded);
  const takerBase = takerPays ? takerFee<V>(view, market, account, taker, notional) : 0;
  const takerExtra = builderFeeOf(notional, takerBuilderFee);
  if (!bears(market, account, takerPosition, -makerLots, price, takerBase + takerExtra, 0, takerReducing)) {
    stopped = STOP_MARGIN;
    return 0;
  }
  const event = view.emit(EVENT_FILL, EVENT_FILL_BYTES);
  markPresent<Position>(makerPosition);
  sumInterest += fill<V>(view, market, marketNumber, makerAccount, maker, makerPosition, makerLots, price, makerBase + makerExtra);
  store<i64>(event, makerBase + makerExtra, 56);
  store<i64>(event, closedPnl, 72);
  store<i64>(event, startLots, 88);
  store<i64>(event, makerExtra, 104);
  markPresent<Position>(takerPosition);
  sumInterest += fill<V>(view, market, marketNumber, account, taker, takerPosition, -makerLots, price, takerBase + takerExtra);
  store<i64>(event, takerBase + takerExtra, 48);
  store<i64>(event, closedPnl, 64);
  store<i64>(event, startLots, 80);
  store<i64>(event, takerExtra, 96);
  sumFees += makerBase + takerBase;
  if (takerPays) {
    sumFees -= feeReward;
    payReferrer<V>(view);
  }
  if (takerExtra != 0) view.add(rewardsAt(takerBuilder - 1), FIELD_A, takerExtra);
  if (makerExtra != 0 && extra !== null) view.add(rewardsAt(extra.builder - 1), FIELD_A, makerExtra);
  sumVolume += notional;
  view.add(volumeAt(maker), FIELD_B, notional);
  view.add(volumeAt(maker), FIELD_C, notional);
  view.add(volumeAt(taker), FIELD_A, notional);
  view.add(volumeAt(taker), FIELD_C, notional);
  store<u32>(event, marketNumber, 4);
  store<u64>(event, oid, 8);
  store<u64>(event, order.oid, 16);
  store<u32>(event, taker, 24);
  store<u32>(event, maker, 28);
  store<u32>(event, order.priceTicks, 32);
  store<u32>(event, (sells ? 1 : 0) | (takerCause << 1), 36);
  store<i64>(event, traded, 40);
  shrink<V>(view, market, level, makerAccount, order, extra, traded, newMargin);
  if (onlyReduces && traded < total && makerPosition.sizeLots == 0) {
    takeOff<V>(view, market, level, makerAccount, order, REASON_REDUCE_ONLY);
  }
  return traded;
}

/** The maker's order after a fill: smaller, shown again from its hidden lots at the end of the queue, or gone. */
@inline
function shrink<V>(
  view: V,
  market: Market,
  level: Level,
  account: MarginAccount,
  order: Order,
  extra: Extra | null,
  traded: i64,
  newMargin: i64,
): void {
  const visible = order.sizeLots;
  const hidden: i64 = extra !== null ? extra.hiddenLots : 0;
  if (traded == visible + hidden) {
    dropResting<V>(view, market, level, account, order, 0);
    return;
  }
  account.orderMargin -= order.margin - newMargin;
  order.margin = newMargin;
  if (traded < visible) {
    level.totalLots -= traded;
    order.sizeLots = visible - traded;
    return;
  }
  if (extra === null) return;
  const rest = hidden - (traded - visible);
  // The level goes with its last order, and with it what side it was.
  const side = level.side;
  leaveLevel<V>(view, market, level, order);
  order.sizeLots = min(extra.displayLots, rest);
  extra.hiddenLots = rest - order.sizeLots;
  enterQueue<V>(view, market, side, order.priceTicks, referenceOf(order), order);
}

@inline
function referenceOf(order: Order): u32 {
  return orderReference(order.account, slotOf(order.oid));
}

/** An ioc order of the system that reduces a position, `lots` above 0 and at most its size; returns the lots filled. */
export function reduceByOrder<V>(
  view: V,
  account: MarginAccount,
  number: u32,
  marketNumber: u32,
  lots: i64,
  limitTicks: u32,
  cause: u32,
  withFee: bool,
): i64 {
  const market = marketAt(marketNumber);
  const sells = view.read<Position>(positionAt(number, marketNumber)).sizeLots > 0;
  takerTerms(cause, withFee, SELF_TRADE_CANCEL_MAKER, 0, 0, false);
  return lots - match<V>(view, number, account, market, marketNumber, sells, limitTicks, lots, 0);
}

/** The mark plus (buys) or minus (sells) basis points, brought into range. */
export function boundedPrice(market: Market, sells: bool, bps: u32): u32 {
  return aroundPrice(market, market.mark, sells, bps);
}

export function aroundPrice(market: Market, ticks: u32, sells: bool, bps: u32): u32 {
  const base = <u64>ticks;
  const bound = sells ? (base * (10000 - bps) + 9999) / 10000 : (base * (10000 + bps)) / 10000;
  return <u32>min<u64>(max<u64>(bound, 1), market.tickCount - 1);
}

const TRIAL_ENTRY: u32 = 144;
const TRIAL_ACCOUNT: u32 = 16;
const TRIAL_POSITION: u32 = 80;

/**
 * Would the whole size be filled? The matching on copies of the accounts concerned (at the worker's trial area: u32 account number, then at
 * 16 its margin account, at 80 its position; the taker's first).
 */
export function trial<V>(
  view: V,
  taker: u32,
  account: MarginAccount,
  market: Market,
  marketNumber: u32,
  sells: bool,
  limit: u32,
  lots: i64,
): bool {
  const base = <usize>load<u32>(changetype<usize>(view), WRK_TRIAL);
  let entries: u32 = 0;
  const own = copyOf<V>(view, base, entries++, taker, marketNumber);
  const side = sells ? BIDS : ASKS;
  let from = farEnd(market, sells);
  let left = lots;
  while (left > 0) {
    const ticks = bestLevel<V>(view, market, side, limit, from);
    if (ticks == NONE || ticks == SEARCH_LIMIT) return false;
    let reference = view.read<Level>(levelAt(market, ticks)).head;
    while (left > 0 && reference != 0) {
      if (stepsLeft == 0) return false;
      stepsLeft--;
      const order = view.read<Order>(orderAt(reference));
      if (!isPresent<Order>(order) || order.priceTicks != ticks || order.market != <u16>marketNumber) {
        view.inconsistent();
        return false;
      }
      reference = order.next;
      const extra = (order.flags & ORDER_EXTRA) != 0 ? view.read<Extra>(extraInSlot(order.account, slotOf(order.oid))) : null;
      if (extra !== null && extra.expiresMs != 0 && extra.expiresMs <= load<u64>(0, BLK_TIME_MS)) continue;
      if (order.account == taker) {
        if (takerSelfTrade != SELF_TRADE_CANCEL_MAKER) return false;
        changetype<MarginAccount>(own + TRIAL_ACCOUNT).orderMargin -= order.margin;
        continue;
      }
      let copy: usize = 0;
      for (let i: u32 = 1; i < entries && copy == 0; i++) {
        if (load<u32>(base + i * TRIAL_ENTRY) == order.account) copy = base + i * TRIAL_ENTRY;
      }
      if (copy == 0) copy = copyOf<V>(view, base, entries++, order.account, marketNumber);
      const traded = tryMaker<V>(view, own, copy, taker, market, sells, left, order, extra);
      if (traded < 0) return false;
      left -= traded;
    }
    if (sells ? ticks == 0 : ticks + 1 >= market.tickCount) break;
    from = sells ? ticks - 1 : ticks + 1;
  }
  return left == 0;
}

/** Copies an account and its position into an entry of the trial area. */
function copyOf<V>(view: V, base: usize, index: u32, number: u32, marketNumber: u32): usize {
  const entry = base + index * TRIAL_ENTRY;
  store<u32>(entry, number);
  copyRecord(entry + TRIAL_ACCOUNT, changetype<usize>(view.read<MarginAccount>(marginAccountAt(number))));
  copyRecord(entry + TRIAL_POSITION, changetype<usize>(view.read<Position>(positionAt(number, marketNumber))));
  return entry;
}

@inline
function copyRecord(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  v128.store(to, v128.load(from, 32), 32);
  v128.store(to, v128.load(from, 48), 48);
}

/** One maker of a trial: the lots that would trade; 0: it would be cancelled; -1: the taker would stop. */
function tryMaker<V>(
  view: V,
  own: usize,
  copy: usize,
  taker: u32,
  market: Market,
  sells: bool,
  left: i64,
  order: Order,
  extra: Extra | null,
): i64 {
  const makerAccount = changetype<MarginAccount>(copy + TRIAL_ACCOUNT);
  const makerPosition = changetype<Position>(copy + TRIAL_POSITION);
  const account = changetype<MarginAccount>(own + TRIAL_ACCOUNT);
  const position = changetype<Position>(own + TRIAL_POSITION);
  const size = makerPosition.sizeLots;
  const total = order.sizeLots + (extra !== null ? extra.hiddenLots : 0);
  let allowed = total;
  if ((order.flags & FLAG_REDUCE_ONLY) != 0) allowed = size != 0 && size > 0 == !sells ? min(total, magnitude(size)) : 0;
  if (allowed == 0) return cancelledInTrial(makerAccount, order);
  const traded = min(left, allowed);
  const makerLots = sells ? traded : -traded;
  const price = <i64>order.priceTicks;
  const reducing = reduces(size, !sells, traded);
  if (!reducing && magnitude(size + makerLots) > market.maxPosition) return cancelledInTrial(makerAccount, order);
  const notional = price * traded * market.unit;
  const leverage = leverageOf(market, makerPosition);
  const newMargin = traded == total ? 0 : min(order.margin, initialMargin(market, price, total - traded, leverage));
  const fee = makerFee(market, makerAccount, notional) + (extra !== null ? builderFeeOf(notional, extra.builderFee) : 0);
  const freed = order.margin - newMargin;
  if (!bears(market, makerAccount, makerPosition, makerLots, price, fee, freed, reducing)) return cancelledInTrial(makerAccount, order);
  const takerPart = takerFee<V>(view, market, account, taker, notional) + builderFeeOf(notional, takerBuilderFee);
  const takerReducing = reduces(position.sizeLots, sells, traded);
  if (!bears(market, account, position, -makerLots, price, takerPart, 0, takerReducing)) return -1;
  settle(market, makerAccount, makerPosition, makerLots, price, fee);
  makerAccount.orderMargin -= freed;
  // A reduce-only order that is left with nothing to reduce gives its margin back as well.
  if ((order.flags & FLAG_REDUCE_ONLY) != 0 && makerPosition.sizeLots == 0) makerAccount.orderMargin -= newMargin;
  settle(market, account, position, -makerLots, price, takerPart);
  return traded;
}

@inline
function cancelledInTrial(account: MarginAccount, order: Order): i64 {
  account.orderMargin -= order.margin;
  return 0;
}
