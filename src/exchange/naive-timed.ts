/**
 * The naive twin of what is due by time or by the mark: TWAPs, scheduled cancels, expiries, trigger orders (docs/rules.md, 4.9 and 6.1 to
 * 6.3). Not here: who is planned for it (naive-system.ts).
 */
import { assert } from '../base/assert.ts';
import {
  CODE_INVALID_TRIGGER,
  CODE_LOT,
  CODE_MARKET_HALTED,
  CODE_NO_DEPOSIT,
  CODE_NO_MARK_PRICE,
  CODE_OK,
  CODE_REDUCE_ONLY,
  CODE_SIZE_TOO_LARGE,
  CODE_TWAP_DURATION,
  CODE_TWAP_LIMIT,
  CODE_TWAP_NOT_FOUND,
  CODE_TWAP_TOO_SMALL,
  CODE_UNKNOWN_MARKET,
  CODE_ZERO_SIZE,
  REASON_EXPIRED,
  REASON_POSITION_CLOSED,
  REASON_SCHEDULED,
  REASON_SIBLING,
} from '../base/codes.ts';
import type { TwapCancelTransaction, TwapTransaction } from '../ledger/transactions.ts';
import {
  ACTIVE_TRIGGERED,
  ACTIVE_TWAP_ENDED,
  ACTIVE_TWAP_SLICE,
  CANCELS_MAX,
  TRIGGER_SLIPPAGE_BPS,
  TWAP_INTERVAL_MS,
  TWAP_MINUTES_MAX,
  TWAP_MINUTES_MIN,
  TWAP_SLIPPAGE_BPS,
} from './layout.ts';
import { activeEvent } from './naive-events.ts';
import { divideUp, isOpposite, magnitude, smaller } from './naive-numbers.ts';
import { isTriggered } from './naive-order-terms.ts';
import { boundedFrom, boundedPrice, cancelOrder, cancelOrders, linked, sendOrder, takeAway, widenBounds } from './naive-orders.ts';
import { type NaiveOrder, type NaiveRun, type NaiveSettings, type NaiveState, type NaiveTwap, U64_MAX } from './naive-state.ts';

const U64 = 2n ** 64n;
const DAY_MS = 86_400_000n;
/** Trigger orders that fire in one transaction. */
const FIRED_MAX = 64;
const SLICES_PER_MINUTE = 2;

/** The permutation of 64-bit words that the seed is made with (section 1). */
export function mix(word: bigint): bigint {
  let x = word;
  x ^= x >> 30n;
  x = (x * 0xbf58476d1ce4e5b9n) % U64;
  x ^= x >> 27n;
  x = (x * 0x94d049bb133111ebn) % U64;
  return x ^ (x >> 31n);
}

// 4.9 TWAP

/** The checks that need the block's constants only. */
export function twapStaticCode(state: NaiveState, transaction: TwapTransaction): number {
  const { market, sizeLots, minutes, start, stopTicks } = transaction;
  if (market >= state.markets.length) return CODE_UNKNOWN_MARKET;
  if (state.isDelisted(market)) return CODE_MARKET_HALTED;
  const { maxOrderLots, lotStep, tickCount } = state.market(market).parameters;
  if (minutes < TWAP_MINUTES_MIN || minutes > TWAP_MINUTES_MAX) return CODE_TWAP_DURATION;
  if (sizeLots === 0n) return CODE_ZERO_SIZE;
  if (sizeLots > maxOrderLots) return CODE_SIZE_TOO_LARGE;
  if (sizeLots % BigInt(lotStep) !== 0n) return CODE_LOT;
  if ((start?.priceTicks ?? 0) >= tickCount || (stopTicks ?? 0) >= tickCount) return CODE_INVALID_TRIGGER;
  return CODE_OK;
}

/** After the static checks. */
export function placeTwap(state: NaiveState, run: NaiveRun, actor: number, transaction: TwapTransaction): number {
  const { market, sizeLots, minutes, start, stopTicks, reduceOnly = false, randomize = false } = transaction;
  const sell = transaction.side === 'sell';
  const { markTicks } = state.market(market);
  if (!state.marginAccounts.has(actor)) return CODE_NO_DEPOSIT;
  if (markTicks === 0n) return CODE_NO_MARK_PRICE;
  if (state.notional(market, sizeLots) < state.options.twapMinNotional) return CODE_TWAP_TOO_SMALL;
  if (reduceOnly && !isOpposite(state.lots(actor, market), sell)) return CODE_REDUCE_ONLY;
  const index = (state.settings.get(actor)?.twaps ?? [undefined]).indexOf(undefined);
  if (index < 0) return CODE_TWAP_LIMIT;

  const settings = state.openSettings(actor);
  const startTicks = BigInt(start?.priceTicks ?? 0);
  settings.twapCount++;
  const twap: NaiveTwap = {
    id: settings.twapCount,
    market,
    sell,
    reduceOnly,
    randomize,
    startAbove: startTicks !== 0n && start?.above === true,
    totalLots: sizeLots,
    filledLots: 0n,
    startMs: startTicks === 0n ? state.timeMs : 0n,
    slices: SLICES_PER_MINUTE * minutes,
    sliced: 0,
    startTicks,
    stopTicks: BigInt(stopTicks ?? 0),
  };
  settings.twaps[index] = twap;
  state.becomesTimed(actor, state.timeMs);
  pushTwapEvent(run, actor, twap, ACTIVE_TWAP_SLICE, CODE_OK, 0n);
  return CODE_OK;
}

export function cancelTwap(state: NaiveState, run: NaiveRun, actor: number, transaction: TwapCancelTransaction): number {
  const settings = state.settings.get(actor);
  const index = settings?.twaps.findIndex((twap) => twap?.id === transaction.id && twap.market === transaction.market) ?? -1;
  if (settings === undefined || index < 0) return CODE_TWAP_NOT_FOUND;
  endTwap(run, actor, settings, index);
  return CODE_OK;
}

function endTwap(run: NaiveRun, account: number, settings: NaiveSettings, index: number): void {
  const twap = settings.twaps[index];
  assert(twap, `TWAP ${index} of account ${account} is not running`);
  settings.twaps[index] = undefined;
  pushTwapEvent(run, account, twap, ACTIVE_TWAP_ENDED, CODE_OK, twap.filledLots);
}

function pushTwapEvent(run: NaiveRun, account: number, twap: NaiveTwap, what: number, code: number, filledLots: bigint): void {
  const { id, market, totalLots } = twap;
  run.events.push(activeEvent({ code, market, oid: BigInt(id), filledLots, restingLots: totalLots - twap.filledLots, account, what }));
}

// 6.1 TIMED

export function runTimed(state: NaiveState, run: NaiveRun, account: number): void {
  const settings = state.openSettings(account);
  const time = state.timeMs;
  const isScheduled = (): boolean => settings.scheduledMs !== 0n && settings.scheduledMs <= time;
  const isExpired = (order: NaiveOrder): boolean => order.expiresMs !== 0n && order.expiresMs <= time;
  const followsNothing = (order: NaiveOrder): boolean => order.whole && !isOpposite(state.lots(account, order.market), order.sell);

  let room = CANCELS_MAX;
  if (isScheduled()) {
    room -= cancelOrders(state, run, account, REASON_SCHEDULED, room, () => true);
    if (state.openOrders(account).length === 0) {
      const day = Number(time / DAY_MS);
      settings.scheduledMs = 0n;
      settings.scheduleCount = settings.scheduleDay === day ? settings.scheduleCount + 1 : 1;
      settings.scheduleDay = day;
    }
  }
  if (settings.attachedClosed) {
    room -= cancelOrders(state, run, account, REASON_POSITION_CLOSED, room, followsNothing);
    if (room > 0) settings.attachedClosed = false;
  }
  room -= cancelOrders(state, run, account, REASON_EXPIRED, room, isExpired);

  settings.twaps.forEach((twap, index) => {
    if (twap !== undefined) runTwap(state, run, account, settings, twap, index);
  });
  settings.nextDueMs = room === 0 || settings.attachedClosed ? time : nextDue(state, account, settings);
}

function nextDue(state: NaiveState, account: number, settings: NaiveSettings): bigint {
  const dates = [settings.scheduledMs, ...state.openOrders(account).map((order) => order.expiresMs)].filter((date) => date !== 0n);
  for (const twap of settings.twaps) {
    if (twap !== undefined) dates.push(twap.startMs === 0n ? state.timeMs + 1n : nextSliceMs(twap));
  }
  return dates.reduce(smaller, U64_MAX);
}

function nextSliceMs(twap: NaiveTwap): bigint {
  return twap.startMs + BigInt(twap.sliced) * BigInt(TWAP_INTERVAL_MS);
}

// 6.2 A TWAP slice

function runTwap(state: NaiveState, run: NaiveRun, account: number, settings: NaiveSettings, twap: NaiveTwap, index: number): void {
  const { markTicks } = state.market(twap.market);
  const isStopped = twap.stopTicks !== 0n && (twap.sell ? markTicks < twap.stopTicks : markTicks > twap.stopTicks);
  if (state.isDelisted(twap.market) || isStopped) {
    endTwap(run, account, settings, index);
    return;
  }
  if (twap.startMs === 0n) {
    const isReached = twap.startAbove ? markTicks >= twap.startTicks : markTicks <= twap.startTicks;
    if (!isReached) return;
    twap.startMs = state.timeMs;
  }
  if (nextSliceMs(twap) > state.timeMs) return;
  const code = runSlice(state, run, account, twap);
  if (twap.sliced === twap.slices || twap.filledLots === twap.totalLots || code === CODE_REDUCE_ONLY) {
    endTwap(run, account, settings, index);
  }
}

/** The slice that is due; returns the code of its order, OK if its size is 0. */
function runSlice(state: NaiveState, run: NaiveRun, account: number, twap: NaiveTwap): number {
  const { parameters } = state.market(twap.market);
  const elapsed = Number((state.timeMs - twap.startMs) / BigInt(TWAP_INTERVAL_MS));
  const slice = Math.min(twap.slices - 1, elapsed);
  twap.sliced = slice + 1;

  const slices = BigInt(twap.slices);
  const target = (twap.totalLots * BigInt(slice + 1)) / slices;
  const nominal = divideUp(twap.totalLots, slices);
  let lots = smaller(3n * nominal, target - twap.filledLots);
  if (twap.randomize && slice < twap.slices - 1) {
    const shifted = (BigInt(account) << 32n) ^ (BigInt(twap.id) << 12n) ^ BigInt(slice);
    const random = mix(BigInt.asUintN(64, state.seed ^ shifted));
    lots = (lots * (800n + (random % 401n))) / 1000n;
  }
  lots -= lots % BigInt(parameters.lotStep);
  lots = smaller(lots, parameters.maxOrderLots);
  if (lots <= 0n) return CODE_OK;

  const { code, filledLots } = sendOrder(state, run, {
    from: 'twap',
    account,
    market: twap.market,
    sell: twap.sell,
    tif: 'ioc',
    reduceOnly: twap.reduceOnly,
    limit: boundedPrice(state, twap.market, twap.sell, TWAP_SLIPPAGE_BPS),
    lots,
    oid: 0n,
    slot: 0,
    clientId: undefined,
    selfTrade: 'cancelMaker',
    expiresMs: 0n,
    displayLots: 0n,
    builder: 0,
    builderFee: 0,
  });
  twap.filledLots += filledLots;
  pushTwapEvent(run, account, twap, ACTIVE_TWAP_SLICE, code, filledLots);
  return code;
}

// 6.3 TRIGGERS

export function runTriggers(state: NaiveState, run: NaiveRun, account: number): void {
  let fired = 0;
  for (const { slot } of state.openOrders(account)) {
    const order = state.orderInSlot(account, slot);
    if (order?.state !== 'trigger' || !isTriggered(state, order)) continue;
    if (fired === FIRED_MAX) return;
    fired++;
    fire(state, run, order);
  }

  for (const market of state.heldMarkets(account)) {
    const position = state.openPosition(account, market);
    if (position.triggers === 0) continue;
    position.triggerAbove = 0n;
    position.triggerBelow = 0n;
    for (const order of state.openOrders(account)) {
      if (order.state === 'trigger' && order.market === market) widenBounds(state, order);
    }
  }
}

/** The trigger order goes away, and its sibling; what it asks for is placed. */
function fire(state: NaiveState, run: NaiveRun, order: NaiveOrder): void {
  const { account, market, sell, oid } = order;
  const sibling = linked(state, order, order.sibling);
  takeAway(state, order);
  if (sibling !== undefined) cancelOrder(state, run, sibling, REASON_SIBLING);

  const { code, filledLots, restingLots } = sendOrder(state, run, {
    from: 'trigger',
    account,
    market,
    sell,
    tif: order.triggerMarket ? 'ioc' : order.tif,
    reduceOnly: order.reduceOnly,
    limit: order.triggerMarket ? boundedFrom(state, market, order.triggerTicks, sell, TRIGGER_SLIPPAGE_BPS) : order.priceTicks,
    lots: order.whole ? magnitude(state.lots(account, market)) : order.sizeLots,
    oid,
    slot: order.slot,
    clientId: order.clientId,
    selfTrade: 'cancelMaker',
    expiresMs: order.expiresMs,
    displayLots: 0n,
    builder: order.builder,
    builderFee: order.builderFee,
  });
  run.events.push(activeEvent({ code, market, oid, filledLots, restingLots, account, what: ACTIVE_TRIGGERED }));
}
