/**
 * The naive twin of orders: transactions of kind orders, matching, and how orders go away (docs/rules.md, 4.1, 4.2, 4.5 and 4.6).
 *
 * Every way to the book goes through `sendOrder`; what differs between items, trigger orders that fire and slices of TWAPs is written there.
 * Not here: checks that need no account (naive-order-terms.ts), fees (naive-fees.ts), what a fill does to an account (naive-state.ts),
 * firing and TWAPs (naive-timed.ts).
 */
import { assert } from '../base/assert.ts';
import {
  CAUSE_ORDER,
  CAUSE_TRIGGER,
  CAUSE_TWAP,
  CODE_BUILDER_FEE,
  CODE_DUPLICATE_CLOID,
  CODE_FOK_NOT_FILLED,
  CODE_INSUFFICIENT_MARGIN,
  CODE_INTEREST_AGGRESSIVE,
  CODE_INTEREST_CAPPED,
  CODE_INTEREST_SPEED,
  CODE_INVALID_GROUP,
  CODE_INVALID_TRIGGER,
  CODE_IOC_NO_MATCH,
  CODE_LOT,
  CODE_MATCH_LIMIT,
  CODE_MIN_VALUE,
  CODE_NO_DEPOSIT,
  CODE_NO_LIQUIDITY,
  CODE_NO_MARK_PRICE,
  CODE_OK,
  CODE_ORACLE_BAND,
  CODE_ORDER_NOT_FOUND,
  CODE_PARENT_REJECTED,
  CODE_POSITION_LIMIT,
  CODE_POST_ONLY,
  CODE_PRICE_BAND,
  CODE_REDUCE_ONLY,
  CODE_SELF_TRADE,
  CODE_TIER_LIMIT,
  CODE_TOO_MANY_OPEN_ORDERS,
  CODE_UNKNOWN_MARKET,
  CODE_WAITING_FOR_FILL,
  CODE_WAITING_FOR_TRIGGER,
  CODE_ZERO_SIZE,
  REASON_EXPIRED,
  REASON_MARGIN,
  REASON_PARENT,
  REASON_POSITION_LIMIT,
  REASON_REDUCE_ONLY,
  REASON_SELF_TRADE,
} from '../base/codes.ts';
import type {
  ClientId,
  ModifyItem,
  OrderItem,
  OrdersTransaction,
  PlaceItem,
  ReduceItem,
  SelfTradeMode,
  TimeInForce,
} from '../ledger/transactions.ts';
import { ACTIVE_CHILD, OID_SLOT_BITS, TRIGGER_STOP_LOSS, TRIGGER_TAKE_PROFIT } from './layout.ts';
import { activeEvent, cancelEvent, fillEvent, itemEvent } from './naive-events.ts';
import { bookFee, hasDiscount, makerFee, takerFee } from './naive-fees.ts';
import { clamp, divideUp, isOpposite, larger, magnitude, signed, smaller } from './naive-numbers.ts';
import { displayOf, expiryOf, firesAbove, isTriggered, termsCode } from './naive-order-terms.ts';
import type { NaiveMatch, NaiveOrder, NaiveRun, NaiveState, NaiveTaker } from './naive-state.ts';

const BPS = 10_000n;

/** What an order ended in: the fields of its ITEM or ACTIVE event, and the order itself if it rests or waits. */
export interface NaiveOutcome {
  readonly code: number;
  readonly oid: bigint;
  readonly filledLots: bigint;
  readonly restingLots: bigint;
  readonly order: NaiveOrder | undefined;
  /** Nothing is left of it. */
  readonly complete: boolean;
}

/** What all items of a transaction share. */
interface Batch {
  readonly account: number;
  readonly grouping: 'none' | 'normal' | 'position';
  /** Account number + 1, 0 = none. */
  readonly builder: number;
  readonly builderFee: number;
}

// A transaction

/** Returns its code; the events count only if that is OK. `builder`: the number of the builder's address, if it has one. */
export function executeOrders(
  state: NaiveState,
  run: NaiveRun,
  actor: number,
  transaction: OrdersTransaction,
  firstOrdinal: bigint,
  builder: number | undefined,
): number {
  const { items, grouping = 'none' } = transaction;
  if (transaction.builder !== undefined && !isBuilderApproved(state, actor, builder, transaction.builder.fee)) return CODE_BUILDER_FEE;
  if (!isGroupValid(items, grouping)) return CODE_INVALID_GROUP;

  const batch: Batch = {
    account: actor,
    grouping,
    builder: transaction.builder === undefined || builder === undefined ? 0 : builder + 1,
    builderFee: transaction.builder?.fee ?? 0,
  };
  const outcomes: NaiveOutcome[] = [];
  items.forEach((item, index) => {
    const ordinal = firstOrdinal + BigInt(index);
    const parent = grouping === 'normal' ? outcomes[0] : undefined;
    const outcome =
      parent === undefined
        ? executeItem(state, run, batch, item, ordinal)
        : placeChild(state, run, batch, asPlace(item), ordinal, index, parent);
    // Two children, or two orders of a position.
    const first = grouping === 'normal' ? 1 : 0;
    if (grouping !== 'none' && index === first + 1) linkSiblings(outcomes[first]?.order, outcome.order);
    outcomes.push(outcome);
    const { code, oid, filledLots, restingLots } = outcome;
    run.events.push(itemEvent({ item: index, code, oid, filledLots, restingLots }));
  });
  return CODE_OK;
}

function isBuilderApproved(state: NaiveState, actor: number, builder: number | undefined, fee: number): boolean {
  if (builder === undefined) return false;
  const maxFee = state.approvals.get(`${actor}/${builder}`);
  return maxFee !== undefined && maxFee >= fee && fee <= state.options.builderFeeMax;
}

function isGroupValid(items: readonly OrderItem[], grouping: Batch['grouping']): boolean {
  if (grouping === 'none') return true;
  const places = items.filter((item): item is PlaceItem => item.op === 'place');
  const first = places[0];
  if (places.length !== items.length || first === undefined) return false;
  const closing = grouping === 'normal' ? places.slice(1) : places;
  if (closing.length < 1 || closing.length > 2) return false;
  if (!closing.every((item) => item.trigger !== undefined && item.reduceOnly === true && item.market === first.market)) return false;
  if (grouping === 'normal') return first.trigger === undefined && closing.every((item) => item.side !== first.side);
  return closing.every((item) => item.sizeLots === 0n && item.side === first.side);
}

function asPlace(item: OrderItem): PlaceItem {
  assert(item.op === 'place', 'groups consist of new orders');
  return item;
}

function linkSiblings(one: NaiveOrder | undefined, other: NaiveOrder | undefined): void {
  if (one === undefined || other === undefined) return;
  one.sibling = other.slot + 1;
  other.sibling = one.slot + 1;
}

function executeItem(state: NaiveState, run: NaiveRun, batch: Batch, item: OrderItem, ordinal: bigint): NaiveOutcome {
  if (item.market >= state.markets.length) return rejected(CODE_UNKNOWN_MARKET);
  switch (item.op) {
    case 'place':
      return place(state, run, batch, item, ordinal);
    case 'cancel':
      return cancel(state, run, batch.account, item.market, item.oid);
    case 'cancelByClientId':
      return cancel(state, run, batch.account, item.market, item.target);
    case 'modify':
      return modify(state, run, batch, item, ordinal);
    case 'reduce':
      return reduce(state, run, batch.account, item);
  }
}

// 4.1 Place

function place(state: NaiveState, run: NaiveRun, batch: Batch, item: PlaceItem, ordinal: bigint): NaiveOutcome {
  const code = termsCode(state, item, batch.grouping === 'position');
  return code === CODE_OK ? placeForAccount(state, run, batch, item, ordinal) : rejected(code);
}

/** Checks 8 to 20 and what follows. */
function placeForAccount(state: NaiveState, run: NaiveRun, batch: Batch, item: PlaceItem | ModifyItem, ordinal: bigint): NaiveOutcome {
  const code = accountCode(state, batch.account, item.market);
  if (code !== CODE_OK) return rejected(code);
  if (item.trigger !== undefined) return placeTrigger(state, batch, item, ordinal);
  return sendOrder(state, run, {
    from: 'item',
    account: batch.account,
    market: item.market,
    sell: item.side === 'sell',
    tif: item.tif,
    reduceOnly: item.reduceOnly ?? false,
    limit: limitOf(state, item),
    lots: item.sizeLots,
    oid: oidOf(ordinal, 0),
    slot: 0,
    clientId: item.clientId,
    selfTrade: item.selfTrade ?? 'cancelMaker',
    expiresMs: expiryOf(item),
    displayLots: displayOf(item),
    builder: batch.builder,
    builderFee: batch.builderFee,
  });
}

/** Checks 8 and 9. */
function accountCode(state: NaiveState, account: number, market: number): number {
  if (!state.marginAccounts.has(account)) return CODE_NO_DEPOSIT;
  return state.market(market).markTicks === 0n ? CODE_NO_MARK_PRICE : CODE_OK;
}

/** An order on its way to the book: an item, a trigger order that fires (6.3), or a slice of a TWAP (6.2). */
export interface SentOrder {
  readonly from: 'item' | 'trigger' | 'twap';
  readonly account: number;
  readonly market: number;
  readonly sell: boolean;
  readonly tif: TimeInForce;
  readonly reduceOnly: boolean;
  readonly limit: bigint;
  readonly lots: bigint;
  /** Of an item: with slot 0, before it has one. */
  readonly oid: bigint;
  /** Where the rest of a trigger order goes: its old slot. */
  readonly slot: number;
  readonly clientId: ClientId | undefined;
  readonly selfTrade: SelfTradeMode;
  readonly expiresMs: bigint;
  readonly displayLots: bigint;
  readonly builder: number;
  readonly builderFee: number;
}

const CAUSES = { item: CAUSE_ORDER, trigger: CAUSE_TRIGGER, twap: CAUSE_TWAP } as const;

/** Checks 10 to 20 as far as they apply, matching, and what becomes of the rest. */
export function sendOrder(state: NaiveState, run: NaiveRun, sent: SentOrder): NaiveOutcome {
  const { from, account, market, sell, tif, reduceOnly, limit } = sent;
  const { parameters, unit } = state.market(market);
  const leverage = BigInt(state.leverageOf(account, market));
  const position = state.lots(account, market);
  const mayRest = tif === 'gtc' || tif === 'alo';

  // 10
  const bandCode = from === 'item' && tif !== 'market' ? bandCodeOf(state, market, sell, limit) : CODE_OK;
  if (bandCode !== CODE_OK) return rejected(bandCode);

  // 11
  if (reduceOnly && !isOpposite(position, sell)) return rejected(CODE_REDUCE_ONLY);
  const lots = reduceOnly ? smaller(sent.lots, magnitude(position)) : sent.lots;

  // 12
  const closesAll = reduceOnly && lots === magnitude(position);
  if (from === 'item' && limit * lots * unit < parameters.minNotional && !closesAll) return rejected(CODE_MIN_VALUE);

  // 13, 14
  const onlyReduces = isOpposite(position, sell) && lots <= magnitude(position);
  const after = position + signed(sell, lots);
  if (magnitude(after) > parameters.maxPositionLots && !onlyReduces) return rejected(CODE_POSITION_LIMIT);
  if (state.tierOf(market, state.notional(market, after)).maxLeverage < Number(leverage) && !onlyReduces) return rejected(CODE_TIER_LIMIT);

  // 15
  const opens = openingLots(position, sell, reduceOnly, lots);
  const interestCode = opens > 0n ? interestCodeOf(state, market, sell, limit) : CODE_OK;
  if (interestCode !== CODE_OK) return rejected(interestCode);

  // 16, 17
  let slot = sent.slot;
  if (from === 'item' && mayRest) {
    const free = slotFor(state, account, reduceOnly);
    if (free === undefined) return rejected(CODE_TOO_MANY_OPEN_ORDERS);
    slot = free;
  }
  if (from === 'item' && hasClientId(state, account, sent.clientId)) return rejected(CODE_DUPLICATE_CLOID);
  const oid = from === 'item' ? sent.oid + BigInt(slot) : sent.oid;

  // 18
  if (tif === 'alo' && firstToMatch(state, market, sell, limit) !== undefined) return rejected(CODE_POST_ONLY);

  // 19
  const required = divideUp(limit * opens * unit, leverage);
  if (required > 0n && state.freeMargin(account) < required) return rejected(CODE_INSUFFICIENT_MARGIN);

  // 20
  const taker: NaiveTaker = {
    account,
    market,
    sell,
    limit,
    lots,
    oid,
    cause: CAUSES[from],
    pays: true,
    selfTrade: sent.selfTrade,
    builder: sent.builder,
    builderFee: sent.builderFee,
    fillOrKill: tif === 'fok',
  };
  if (tif === 'fok' && !fillsInTrial(state, run, taker)) return rejected(CODE_FOK_NOT_FILLED);

  const { left, stopped } = tif === 'alo' ? { left: lots, stopped: undefined } : matchTaker(state, run, taker);
  const filledLots = lots - left;
  const ended = (code: number): NaiveOutcome => ({ code, oid, filledLots, restingLots: 0n, order: undefined, complete: left === 0n });
  if (stopped === 'limit') return ended(CODE_MATCH_LIMIT);
  if (stopped === 'selfTrade') return filledLots === 0n ? rejected(CODE_SELF_TRADE) : ended(CODE_OK);
  if (stopped === 'margin') return filledLots === 0n ? rejected(CODE_INSUFFICIENT_MARGIN) : ended(CODE_OK);
  if (!mayRest) {
    if (filledLots === 0n) return rejected(tif === 'market' ? CODE_NO_LIQUIDITY : CODE_IOC_NO_MATCH);
    return ended(CODE_OK);
  }

  const now = state.lots(account, market);
  if (left === 0n || (reduceOnly && !isOpposite(now, sell))) return ended(CODE_OK);
  const visible = sent.displayLots === 0n ? left : smaller(sent.displayLots, left);
  const order: NaiveOrder = {
    ...noTrigger(),
    oid,
    account,
    slot,
    market,
    sell,
    tif,
    reduceOnly,
    clientId: sent.clientId,
    state: 'resting',
    priceTicks: limit,
    originalLots: lots,
    sizeLots: visible,
    hiddenLots: left - visible,
    margin: divideUp(limit * openingLots(now, sell, reduceOnly, left) * unit, leverage),
    extra: sent.expiresMs !== 0n || sent.displayLots !== 0n || sent.builder !== 0,
    expiresMs: sent.expiresMs,
    displayLots: sent.displayLots,
    builder: sent.builder,
    builderFee: sent.builderFee,
  };
  addOrder(state, order);
  return { code: CODE_OK, oid, filledLots, restingLots: left, order, complete: false };
}

/** The limit of an order without trigger; for tif market from the mark and the bound in basis points. */
export function limitOf(state: NaiveState, item: PlaceItem | ModifyItem): bigint {
  const sells = item.side === 'sell';
  return item.tif === 'market' ? boundedPrice(state, item.market, sells, item.priceTicks) : BigInt(item.priceTicks);
}

/** The worst price that is at most so many basis points from the mark. */
export function boundedPrice(state: NaiveState, market: number, sells: boolean, bps: number): bigint {
  return boundedFrom(state, market, state.market(market).markTicks, sells, bps);
}

/** The same from any price, brought into the market's range. */
export function boundedFrom(state: NaiveState, market: number, priceTicks: bigint, sells: boolean, bps: number): bigint {
  const last = BigInt(state.market(market).parameters.tickCount) - 1n;
  const bound = sells ? divideUp(priceTicks * (BPS - BigInt(bps)), BPS) : (priceTicks * (BPS + BigInt(bps))) / BPS;
  return clamp(bound, 1n, last);
}

/** Check 10. */
function bandCodeOf(state: NaiveState, market: number, sell: boolean, limit: bigint): number {
  const { markTicks, indexTicks, parameters } = state.market(market);
  const priceBand = BigInt(parameters.priceBandBps);
  const oracleBand = BigInt(parameters.oracleBandBps);
  if (priceBand > 0n && magnitude(limit - markTicks) * BPS > markTicks * priceBand) return CODE_PRICE_BAND;
  if (oracleBand > 0n && indexTicks > 0n) {
    const within = sell ? limit * BPS >= indexTicks * (BPS - oracleBand) : limit * BPS <= indexTicks * (BPS + oracleBand);
    if (!within) return CODE_ORACLE_BAND;
  }
  return CODE_OK;
}

/** Check 15 for an order that opens something. */
function interestCodeOf(state: NaiveState, market: number, sell: boolean, limit: bigint): number {
  const { capped, fast, indexTicks } = state.market(market);
  if (capped) {
    const aggressive = indexTicks > 0n && (sell ? limit < indexTicks : limit > indexTicks);
    return aggressive ? CODE_INTEREST_AGGRESSIVE : CODE_INTEREST_CAPPED;
  }
  return fast ? CODE_INTEREST_SPEED : CODE_OK;
}

/** Check 16: the lowest free slot, if the account may have one more open order (4.7). */
function slotFor(state: NaiveState, account: number, triggerOrReduceOnly: boolean): number | undefined {
  const { openOrdersBase, openOrdersMax, openOrdersVolume } = state.options;
  const open = state.openOrders(account).length;
  if (open >= openOrdersBase) {
    const earned = openOrdersBase + Number(state.volumeOf(account) / openOrdersVolume);
    if (triggerOrReduceOnly || open >= earned) return undefined;
  }
  return open < openOrdersMax ? state.lowestFreeSlot(account) : undefined;
}

/** Check 17. */
function hasClientId(state: NaiveState, account: number, clientId: ClientId | undefined): boolean {
  return clientId !== undefined && state.openOrders(account).some((order) => order.clientId === clientId);
}

/** The part of an order that would open or enlarge a position. */
function openingLots(position: bigint, sell: boolean, reduceOnly: boolean, lots: bigint): bigint {
  if (reduceOnly) return 0n;
  return isOpposite(position, sell) ? larger(0n, lots - magnitude(position)) : lots;
}

/** Joins the open orders behind all others of its level. */
function addOrder(state: NaiveState, order: NaiveOrder): void {
  assert(state.orderInSlot(order.account, order.slot) === undefined, `slot ${order.slot} of account ${order.account} is taken`);
  state.orders.push(order);
  if (order.expiresMs !== 0n) state.becomesTimed(order.account, order.expiresMs);
}

// 4.2 Matching

/** The resting order that an order of this side and limit would trade with next. */
function firstToMatch(state: NaiveState, market: number, sell: boolean, limit: bigint): NaiveOrder | undefined {
  const best = state.restingOrders(market, !sell)[0];
  if (best === undefined) return undefined;
  return (sell ? best.priceTicks >= limit : best.priceTicks <= limit) ? best : undefined;
}

export function matchTaker(state: NaiveState, run: NaiveRun, taker: NaiveTaker): NaiveMatch {
  const discounted = hasDiscount(state, taker.account);
  let left = taker.lots;
  while (left > 0n) {
    const maker = firstToMatch(state, taker.market, taker.sell, taker.limit);
    if (maker === undefined) break;
    if (run.stepsLeft === 0) return { left, stopped: 'limit' };
    run.stepsLeft--;

    // 1
    if (isExpired(state, maker)) {
      cancelOrder(state, run, maker, REASON_EXPIRED);
      continue;
    }
    // 2
    if (maker.account === taker.account) {
      if (taker.selfTrade !== 'cancelTaker') cancelOrder(state, run, maker, REASON_SELF_TRADE);
      if (taker.selfTrade !== 'cancelMaker') return { left, stopped: 'selfTrade' };
      continue;
    }
    // 3
    const makerPosition = state.lots(maker.account, maker.market);
    const offered = taker.fillOrKill ? maker.sizeLots + maker.hiddenLots : maker.sizeLots;
    const allowed = maker.reduceOnly ? reducible(makerPosition, maker.sell, offered) : offered;
    if (allowed === 0n) {
      cancelOrder(state, run, maker, REASON_REDUCE_ONLY);
      continue;
    }
    // 4
    const lots = smaller(left, allowed);
    const makerReduces = reducible(makerPosition, maker.sell, lots) === lots;
    const takerReduces = reducible(state.lots(taker.account, taker.market), taker.sell, lots) === lots;
    const makerDelta = signed(maker.sell, lots);
    // 5
    if (!makerReduces && magnitude(makerPosition + makerDelta) > state.market(maker.market).parameters.maxPositionLots) {
      cancelOrder(state, run, maker, REASON_POSITION_LIMIT);
      continue;
    }
    // 6
    const price = maker.priceTicks;
    const notional = price * lots * state.market(maker.market).unit;
    const feeOfMaker = makerFee(state, maker, notional);
    const marginBack = maker.margin - marginOfRest(state, maker, maker.sizeLots + maker.hiddenLots - lots);
    if (!bearsFill(state, maker.account, maker.market, makerDelta, price, feeOfMaker.whole, makerReduces, marginBack)) {
      cancelOrder(state, run, maker, REASON_MARGIN);
      continue;
    }
    // 7
    const feeOfTaker = takerFee(state, taker, notional, discounted);
    if (!bearsFill(state, taker.account, taker.market, -makerDelta, price, feeOfTaker.whole, takerReduces, 0n)) {
      return { left, stopped: 'margin' };
    }
    // 8
    const market = state.market(taker.market);
    const ofMaker = state.fill(maker.account, maker.market, makerDelta, price, feeOfMaker.whole);
    const ofTaker = state.fill(taker.account, taker.market, -makerDelta, price, feeOfTaker.whole);
    state.addVolume(maker.account, 'maker', notional);
    state.addVolume(taker.account, 'taker', notional);
    market.volume += notional;
    bookFee(state, market, maker, feeOfMaker);
    bookFee(state, market, taker, feeOfTaker);
    run.events.push(
      fillEvent({
        market: market.number,
        priceTicks: price,
        lots,
        takerSells: taker.sell,
        cause: taker.cause,
        taker: { account: taker.account, oid: taker.oid, fee: feeOfTaker.whole, builderFee: feeOfTaker.builder, ...ofTaker },
        maker: { account: maker.account, oid: maker.oid, fee: feeOfMaker.whole, builderFee: feeOfMaker.builder, ...ofMaker },
      }),
    );
    left -= lots;
    // 9
    shrinkMaker(state, run, maker, lots);
  }
  return { left, stopped: undefined };
}

function isExpired(state: NaiveState, order: NaiveOrder): boolean {
  return order.expiresMs !== 0n && order.expiresMs <= state.timeMs;
}

/** How much of `lots` on this side only brings the position nearer to zero. */
function reducible(position: bigint, sell: boolean, lots: bigint): bigint {
  return isOpposite(position, sell) ? smaller(lots, magnitude(position)) : 0n;
}

/** The margin of a resting order of which `lots` are left. */
function marginOfRest(state: NaiveState, order: NaiveOrder, lots: bigint): bigint {
  const leverage = BigInt(state.leverageOf(order.account, order.market));
  return smaller(order.margin, divideUp(order.priceTicks * lots * state.market(order.market).unit, leverage));
}

/** Whether an account bears a fill; `marginBack`: what its order gives back of orderMargin. */
function bearsFill(
  state: NaiveState,
  account: number,
  market: number,
  delta: bigint,
  price: bigint,
  fee: bigint,
  reduces: boolean,
  marginBack: bigint,
): boolean {
  const isolated = state.isIsolated(account, market);
  if (reduces && isolated) {
    // Before anything is released to the collateral.
    const { markTicks, unit } = state.market(market);
    const raw = state.openPosition(account, market).rawUsd - price * delta * unit - fee;
    return raw + (state.lots(account, market) + delta) * markTicks * unit >= 0n;
  }
  return state.onCopies(account, market, () => {
    state.fill(account, market, delta, price, fee);
    if (reduces) return state.accountValue(account) >= 0n;
    if (isolated && state.isolatedEquity(account, market) < 0n) return false;
    return state.freeMargin(account) + marginBack >= 0n;
  });
}

/** Step 9: what a fill leaves of the maker's order. */
function shrinkMaker(state: NaiveState, run: NaiveRun, maker: NaiveOrder, lots: bigint): void {
  const visible = smaller(lots, maker.sizeLots);
  maker.sizeLots -= visible;
  maker.hiddenLots -= lots - visible;
  const rest = maker.sizeLots + maker.hiddenLots;
  if (rest === 0n) {
    takeAway(state, maker);
    for (const child of childrenOf(state, maker)) activateChild(state, run, child);
    return;
  }
  maker.margin = marginOfRest(state, maker, rest);
  if (maker.sizeLots === 0n) {
    maker.sizeLots = smaller(maker.displayLots, maker.hiddenLots);
    maker.hiddenLots -= maker.sizeLots;
    state.orders = [...state.orders.filter((order) => order !== maker), maker];
  }
  if (maker.reduceOnly && state.lots(maker.account, maker.market) === 0n) cancelOrder(state, run, maker, REASON_REDUCE_ONLY);
}

/** Check 20: the matching on a copy of the state; its steps are used up. */
function fillsInTrial(state: NaiveState, run: NaiveRun, taker: NaiveTaker): boolean {
  const trial: NaiveRun = { events: [], stepsLeft: run.stepsLeft };
  const { left } = matchTaker(state.copy(), trial, taker);
  run.stepsLeft = trial.stepsLeft;
  return left === 0n;
}

/** An order of the system: at once or not at all, on the side that reduces the position. */
export function reduceByOrder(
  state: NaiveState,
  run: NaiveRun,
  account: number,
  market: number,
  lots: bigint,
  limit: bigint,
  cause: number,
  pays: boolean,
): NaiveMatch {
  return matchTaker(state, run, {
    account,
    market,
    sell: state.lots(account, market) > 0n,
    limit,
    lots,
    oid: 0n,
    cause,
    pays,
    selfTrade: 'cancelMaker',
    builder: 0,
    builderFee: 0,
    fillOrKill: false,
  });
}

// Orders that go away

/** Takes an order away, and its children with it or into the watch of the mark (4.6). Without a reason there is no CANCEL event of it. */
export function cancelOrder(state: NaiveState, run: NaiveRun, order: NaiveOrder, reason: number | undefined): void {
  takeAway(state, order);
  if (reason !== undefined) {
    const { market, oid, account } = order;
    run.events.push(cancelEvent({ reason, market, oid, lots: order.sizeLots + order.hiddenLots, account }));
  }
  const partlyFilled = order.sizeLots + order.hiddenLots < order.originalLots;
  for (const child of childrenOf(state, order)) {
    if (reason === REASON_MARGIN && partlyFilled) activateChild(state, run, child);
    else cancelOrder(state, run, child, REASON_PARENT);
  }
}

/** Cancels at most so many open orders that match, slots ascending; returns how many. Children that go with them do not count. */
export function cancelOrders(
  state: NaiveState,
  run: NaiveRun,
  account: number,
  reason: number,
  most: number,
  matches: (order: NaiveOrder) => boolean,
): number {
  let cancelled = 0;
  for (const { slot } of state.openOrders(account)) {
    if (cancelled === most) break;
    const order = state.orderInSlot(account, slot);
    if (order === undefined || !matches(order)) continue;
    cancelOrder(state, run, order, reason);
    cancelled++;
  }
  return cancelled;
}

/** Out of the open orders, out of the links of its parent and sibling, and out of what its position watches. */
export function takeAway(state: NaiveState, order: NaiveOrder): void {
  state.orders = state.orders.filter((other) => other !== order);
  const parent = linked(state, order, order.parent);
  if (parent?.child1 === order.slot + 1) parent.child1 = 0;
  if (parent?.child2 === order.slot + 1) parent.child2 = 0;
  const sibling = linked(state, order, order.sibling);
  if (sibling?.sibling === order.slot + 1) sibling.sibling = 0;
  if (order.state !== 'trigger') return;
  const position = state.openPosition(order.account, order.market);
  position.triggers--;
  if (order.whole) position.attached--;
  if (position.triggers > 0) return;
  position.triggerAbove = 0n;
  position.triggerBelow = 0n;
}

/** The order that a link (slot + 1) of an order leads to, if that is still open. */
export function linked(state: NaiveState, order: NaiveOrder, link: number): NaiveOrder | undefined {
  return link === 0 ? undefined : state.orderInSlot(order.account, link - 1);
}

function childrenOf(state: NaiveState, parent: NaiveOrder): NaiveOrder[] {
  return [parent.child1, parent.child2].flatMap((link) => {
    if (link === 0) return [];
    const child = linked(state, parent, link);
    assert(child?.state === 'child' && child.parent === parent.slot + 1, 'a parent is linked to its children');
    return [child];
  });
}

// 4.5 The others

/** The account's open order with this oid or client id in this market. */
function find(state: NaiveState, account: number, market: number, target: bigint | ClientId): NaiveOrder | undefined {
  const orders = state.openOrders(account).filter((order) => order.market === market);
  return orders.find((order) => (typeof target === 'bigint' ? order.oid === target : order.clientId === target));
}

function cancel(state: NaiveState, run: NaiveRun, account: number, market: number, target: bigint | ClientId): NaiveOutcome {
  const order = find(state, account, market, target);
  if (order === undefined) return rejected(CODE_ORDER_NOT_FOUND);
  cancelOrder(state, run, order, undefined);
  return { ...rejected(CODE_OK), oid: order.oid };
}

function reduce(state: NaiveState, run: NaiveRun, account: number, item: ReduceItem): NaiveOutcome {
  if (item.sizeLots === 0n) return rejected(CODE_ZERO_SIZE);
  const order = find(state, account, item.market, item.oid);
  if (order?.state !== 'resting') return rejected(CODE_ORDER_NOT_FOUND);
  if (item.sizeLots % BigInt(state.market(item.market).parameters.lotStep) !== 0n) return rejected(CODE_LOT);
  const rest = order.sizeLots + order.hiddenLots - item.sizeLots;
  if (rest <= 0n) return cancel(state, run, account, item.market, item.oid);
  const hidden = smaller(order.hiddenLots, item.sizeLots);
  order.hiddenLots -= hidden;
  order.sizeLots -= item.sizeLots - hidden;
  order.margin = marginOfRest(state, order, rest);
  return { ...rejected(CODE_OK), oid: order.oid, restingLots: rest };
}

function modify(state: NaiveState, run: NaiveRun, batch: Batch, item: ModifyItem, ordinal: bigint): NaiveOutcome {
  const code = termsCode(state, item, false);
  if (code !== CODE_OK) return rejected(code);
  const order = find(state, batch.account, item.market, item.target);
  if (order === undefined && item.always !== true) return rejected(CODE_ORDER_NOT_FOUND);
  if (order !== undefined) cancelOrder(state, run, order, undefined);
  return placeForAccount(state, run, batch, item, ordinal);
}

// 4.6 Trigger orders and groups

/** The trigger's checks after check 9; then it waits for the mark. */
function placeTrigger(state: NaiveState, batch: Batch, item: PlaceItem | ModifyItem, ordinal: bigint): NaiveOutcome {
  const { account } = batch;
  const { unit, parameters } = state.market(item.market);
  const reduceOnly = item.reduceOnly ?? false;
  const sell = item.side === 'sell';
  const { triggerKind, triggerTicks } = triggerOf(item);
  if (isTriggered(state, { market: item.market, sell, triggerKind, triggerTicks })) return rejected(CODE_INVALID_TRIGGER);
  if (!reduceOnly && triggerTicks * item.sizeLots * unit < parameters.minNotional) return rejected(CODE_MIN_VALUE);
  if (item.sizeLots === 0n && !isOpposite(state.lots(account, item.market), sell)) return rejected(CODE_REDUCE_ONLY);
  const slot = slotFor(state, account, true);
  if (slot === undefined) return rejected(CODE_TOO_MANY_OPEN_ORDERS);
  if (hasClientId(state, account, item.clientId)) return rejected(CODE_DUPLICATE_CLOID);

  const order = waitingOrder(batch, item, oidOf(ordinal, slot), slot, 'trigger');
  addOrder(state, order);
  watch(state, order);
  return { code: CODE_WAITING_FOR_TRIGGER, oid: order.oid, filledLots: 0n, restingLots: order.sizeLots, order, complete: false };
}

/** A child of an order that was placed before it in the same transaction. */
function placeChild(
  state: NaiveState,
  run: NaiveRun,
  batch: Batch,
  item: PlaceItem,
  ordinal: bigint,
  index: number,
  parent: NaiveOutcome,
): NaiveOutcome {
  if (parent.code !== CODE_OK) return rejected(CODE_PARENT_REJECTED);
  if (parent.order === undefined) return parent.complete ? place(state, run, batch, item, ordinal) : rejected(CODE_PARENT_REJECTED);

  const code = termsCode(state, item, false);
  if (code !== CODE_OK) return rejected(code);
  const codeOfAccount = accountCode(state, batch.account, item.market);
  if (codeOfAccount !== CODE_OK) return rejected(codeOfAccount);
  const slot = slotFor(state, batch.account, true);
  if (slot === undefined) return rejected(CODE_TOO_MANY_OPEN_ORDERS);
  if (hasClientId(state, batch.account, item.clientId)) return rejected(CODE_DUPLICATE_CLOID);

  const order = waitingOrder(batch, item, oidOf(ordinal, slot), slot, 'child');
  order.parent = parent.order.slot + 1;
  parent.order.extra = true;
  if (index === 1) parent.order.child1 = slot + 1;
  else parent.order.child2 = slot + 1;
  addOrder(state, order);
  return { code: CODE_WAITING_FOR_FILL, oid: order.oid, filledLots: 0n, restingLots: order.sizeLots, order, complete: false };
}

function waitingOrder(batch: Batch, item: PlaceItem | ModifyItem, oid: bigint, slot: number, kind: 'trigger' | 'child'): NaiveOrder {
  return {
    ...noTrigger(),
    ...triggerOf(item),
    oid,
    account: batch.account,
    slot,
    market: item.market,
    sell: item.side === 'sell',
    tif: item.tif,
    reduceOnly: item.reduceOnly ?? false,
    clientId: item.clientId,
    state: kind,
    priceTicks: item.trigger?.market ? 0n : BigInt(item.priceTicks),
    originalLots: item.sizeLots,
    sizeLots: item.sizeLots,
    hiddenLots: 0n,
    margin: 0n,
    extra: true,
    expiresMs: expiryOf(item),
    displayLots: 0n,
    whole: item.sizeLots === 0n,
    builder: batch.builder,
    builderFee: batch.builderFee,
  };
}

function noTrigger(): Pick<
  NaiveOrder,
  'triggerTicks' | 'triggerKind' | 'triggerMarket' | 'whole' | 'parent' | 'sibling' | 'child1' | 'child2'
> {
  return { triggerTicks: 0n, triggerKind: 0, triggerMarket: false, whole: false, parent: 0, sibling: 0, child1: 0, child2: 0 };
}

function triggerOf({ trigger }: PlaceItem | ModifyItem): Pick<NaiveOrder, 'triggerTicks' | 'triggerKind' | 'triggerMarket'> {
  assert(trigger, 'an order without trigger');
  return {
    triggerTicks: BigInt(trigger.priceTicks),
    triggerKind: trigger.kind === 'takeProfit' ? TRIGGER_TAKE_PROFIT : TRIGGER_STOP_LOSS,
    triggerMarket: trigger.market,
  };
}

/** A trigger order begins to wait for the mark: its position counts it and has its price in the bounds. */
function watch(state: NaiveState, order: NaiveOrder): void {
  const position = state.openPosition(order.account, order.market);
  position.triggers++;
  if (order.whole) position.attached++;
  widenBounds(state, order);
}

/** The bounds of the position's record take in the order's trigger price. */
export function widenBounds(state: NaiveState, order: NaiveOrder): void {
  const position = state.openPosition(order.account, order.market);
  const { triggerAbove, triggerBelow } = position;
  if (!firesAbove(order.triggerKind, order.sell)) position.triggerBelow = larger(triggerBelow, order.triggerTicks);
  else position.triggerAbove = triggerAbove === 0n ? order.triggerTicks : smaller(triggerAbove, order.triggerTicks);
}

/** A child whose parent was filled becomes a trigger order that waits for the mark. */
function activateChild(state: NaiveState, run: NaiveRun, child: NaiveOrder): void {
  child.state = 'trigger';
  child.parent = 0;
  watch(state, child);
  const { market, oid, account, sizeLots } = child;
  const fields = { code: CODE_OK, market, oid, filledLots: 0n, restingLots: sizeLots, account, what: ACTIVE_CHILD };
  run.events.push(activeEvent(fields));
}

function oidOf(ordinal: bigint, slot: number): bigint {
  return ordinal * 2n ** BigInt(OID_SLOT_BITS) + BigInt(slot);
}

function rejected(code: number): NaiveOutcome {
  return { code, oid: 0n, filledLots: 0n, restingLots: 0n, order: undefined, complete: false };
}
