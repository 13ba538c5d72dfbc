/**
 * What happens by itself: trigger orders that fire, TWAP slices, expiries and scheduled cancels (docs/rules.md, 4.9, 6.1 to 6.3).
 *
 * Invariant: after TIMED, `nextDueMs` of the account is a lower bound of the time at which something of it is due.
 */
import {
  CAUSE_TWAP,
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
} from '../../base/codes';
import { create, isPresent, remove } from '../../kernel/assembly/record';
import { BLK_TIME_MS, TX_SENDER } from '../../kernel/layout';
import { actingAccount } from '../../ledger/assembly/ledger';
import {
  ACTIVE_TRIGGERED,
  ACTIVE_TWAP_ENDED,
  ACTIVE_TWAP_SLICE,
  CANCELS_MAX,
  CFG_TWAP_MIN_NOTIONAL,
  EXC_MARKET_COUNT,
  EXC_SEED,
  FIELD_0,
  FIELD_4,
  FIELD_8,
  FIELD_16,
  FIELD_20,
  FIELD_24,
  FLAG_SELL,
  KIND_TWAP,
  KIND_TWAP_CANCEL,
  ORDER_EXTRA,
  ORDER_TRIGGER,
  STATUS_DELISTED,
  TRIGGER_SLIPPAGE_BPS,
  TWAP_INTERVAL_MS,
  TWAP_MINUTES_MAX,
  TWAP_MINUTES_MIN,
  TWAP_RANDOMIZE,
  TWAP_REDUCE_ONLY,
  TWAP_SELL,
  TWAP_SLIPPAGE_BPS,
  TWAP_START_ABOVE,
  TWAPS_MAX,
} from '../layout';
import { begin } from './acting';
import { openSettings, portfolioWords, timedSettings } from './margin';
import { aroundPrice, beginTransaction, boundedPrice } from './matching';
import { fires, fireTrigger, itemFilled, itemOid, itemResting, sendSlice } from './orders';
import {
  Extra,
  extraInSlot,
  hasTwaps,
  MarginAccount,
  marginAccountAt,
  Market,
  marketAt,
  Order,
  orderInSlot,
  Portfolio,
  portfolioAt,
  Position,
  positionAt,
  Settings,
  settingsAt,
  Twap,
  twapAt,
} from './records';
import { cancelOrder, cancelOrders, emitActive, firesAbove, nextSlot, NO_SLOT } from './resting';

/** Trigger orders that fire in one transaction. */
const FIRED_MAX: u32 = 64;
const DUE_NEVER: u64 = u64.MAX_VALUE;

/** The mixing function of docs/rules.md, section 1. */
export function mix(value: u64): u64 {
  let x = value;
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27;
  x *= 0x94d049bb133111eb;
  x ^= x >> 31;
  return x;
}

/** Kind 41: what is due by time. */
export function timed<V>(view: V, tx: usize): u32 {
  const number = load<u32>(tx, TX_SENDER);
  const account = view.write<MarginAccount>(marginAccountAt(number));
  const settings = openSettings<V>(view, number);
  const now = load<u64>(0, BLK_TIME_MS);
  beginTransaction();
  let room = CANCELS_MAX;
  if (settings.scheduledMs != 0 && settings.scheduledMs <= now) {
    const done = cancelOrders<V>(view, account, number, 0, REASON_SCHEDULED, room);
    room -= done;
    if (account.openOrders == 0) {
      const day = <u32>(now / 86400000);
      settings.scheduledMs = 0;
      settings.scheduleCount = settings.scheduleDay == day ? settings.scheduleCount + 1 : 1;
      settings.scheduleDay = day;
    }
  }
  if (settings.attachedClosed != 0) {
    room = cancelAttached<V>(view, account, number, room);
    if (room != 0) settings.attachedClosed = 0;
  }
  if (room != 0) room = cancelExpired<V>(view, account, number, now, room);
  let due: u64 = settings.scheduledMs != 0 ? settings.scheduledMs : DUE_NEVER;
  due = min(due, runTwaps<V>(view, account, number, settings, now));
  if (room == 0) due = now;
  else due = min(due, nextExpiry<V>(view, account, number));
  settings.nextDueMs = settings.attachedClosed != 0 ? now : due;
  return CODE_OK;
}

/** Cancels orders that follow a position which is gone or has turned; returns what is left of `room`. */
function cancelAttached<V>(view: V, account: MarginAccount, number: u32, room: u32): u32 {
  for (
    let slot = nextSlot<V>(view, account, number, 0);
    slot != NO_SLOT && room != 0;
    slot = nextSlot<V>(view, account, number, slot + 1)
  ) {
    const order = view.read<Order>(orderInSlot(number, slot));
    if ((order.flags & ORDER_TRIGGER) == 0 || view.read<Extra>(extraInSlot(number, slot)).whole == 0) continue;
    const size = view.read<Position>(positionAt(number, order.market)).sizeLots;
    if (size != 0 && size > 0 == ((order.flags & FLAG_SELL) != 0)) continue;
    cancelOrder<V>(view, account, view.write<Order>(orderInSlot(number, slot)), REASON_POSITION_CLOSED);
    room--;
  }
  return room;
}

function cancelExpired<V>(view: V, account: MarginAccount, number: u32, now: u64, room: u32): u32 {
  for (
    let slot = nextSlot<V>(view, account, number, 0);
    slot != NO_SLOT && room != 0;
    slot = nextSlot<V>(view, account, number, slot + 1)
  ) {
    const expires = expiryOf<V>(view, number, slot);
    if (expires == 0 || expires > now) continue;
    cancelOrder<V>(view, account, view.write<Order>(orderInSlot(number, slot)), REASON_EXPIRED);
    room--;
  }
  return room;
}

@inline
function expiryOf<V>(view: V, number: u32, slot: u32): u64 {
  if ((view.read<Order>(orderInSlot(number, slot)).flags & ORDER_EXTRA) == 0) return 0;
  return view.read<Extra>(extraInSlot(number, slot)).expiresMs;
}

function nextExpiry<V>(view: V, account: MarginAccount, number: u32): u64 {
  let due = DUE_NEVER;
  for (let slot = nextSlot<V>(view, account, number, 0); slot != NO_SLOT; slot = nextSlot<V>(view, account, number, slot + 1)) {
    const expires = expiryOf<V>(view, number, slot);
    if (expires != 0) due = min(due, expires);
  }
  return due;
}

/** Runs the slices that are due; returns when the next one is. */
function runTwaps<V>(view: V, account: MarginAccount, number: u32, settings: Settings, now: u64): u64 {
  let due = DUE_NEVER;
  if (settings.twaps == 0) return due;
  for (let index: u32 = 0; index < TWAPS_MAX; index++) {
    if ((settings.twaps & (1 << index)) == 0) continue;
    const twap = view.write<Twap>(twapAt(number, index));
    if (runTwap<V>(view, account, number, twap, now)) {
      endTwap<V>(view, number, settings, index, twap);
      continue;
    }
    due = min(due, twap.startMs == 0 ? now + 1 : twap.startMs + <u64>twap.sliced * TWAP_INTERVAL_MS);
  }
  return due;
}

/** One TWAP: starts it, sends the slice that is due. True: it has ended. */
function runTwap<V>(view: V, account: MarginAccount, number: u32, twap: Twap, now: u64): bool {
  const market = marketAt(twap.market);
  const sells = (twap.flags & TWAP_SELL) != 0;
  if ((market.status & STATUS_DELISTED) != 0) return true;
  if (twap.stopTicks != 0 && (sells ? market.mark < twap.stopTicks : market.mark > twap.stopTicks)) return true;
  if (twap.startMs == 0) {
    if (!fires(market, twap.startTicks, (twap.flags & TWAP_START_ABOVE) != 0)) return false;
    twap.startMs = now;
  }
  if (twap.startMs + <u64>twap.sliced * TWAP_INTERVAL_MS > now) return false;
  const slice = <u32>min<u64>(twap.slices - 1, (now - twap.startMs) / TWAP_INTERVAL_MS);
  twap.sliced = slice + 1;
  const lots = sliceLots(market, number, twap, slice);
  if (lots > 0) {
    const limit = boundedPrice(market, sells, TWAP_SLIPPAGE_BPS);
    const reduceOnly = (twap.flags & TWAP_REDUCE_ONLY) != 0;
    const code = sendSlice<V>(view, number, account, twap.market, sells, reduceOnly, lots, limit, CAUSE_TWAP);
    twap.filledLots += itemFilled;
    emitActive<V>(view, ACTIVE_TWAP_SLICE, code, twap.market, twap.id, itemFilled, twap.totalLots - twap.filledLots, number);
    if (code == CODE_REDUCE_ONLY) return true;
  }
  return slice == twap.slices - 1 || twap.filledLots == twap.totalLots;
}

/** Size of a slice: up to the schedule, at most three times the nominal size, varied by the seed. */
function sliceLots(market: Market, number: u32, twap: Twap, slice: u32): i64 {
  const total = <u64>twap.totalLots;
  const slices = <u64>twap.slices;
  // floor(total * steps / slices), in two parts: the product would leave 64 bits.
  const whole = total / slices;
  const rest = total % slices;
  const steps = <u64>slice + 1;
  const target = whole * steps + (rest * steps) / slices;
  const nominal = whole + (rest != 0 ? 1 : 0);
  if (target <= <u64>twap.filledLots) return 0;
  let lots = min(nominal * 3, target - <u64>twap.filledLots);
  if ((twap.flags & TWAP_RANDOMIZE) != 0 && slice < twap.slices - 1) {
    const seed = load<u64>((<usize>load<u32>(0, EXC_SEED)) << 5, 8);
    const random = mix(seed ^ ((<u64>number) << 32) ^ ((<u64>twap.id) << 12) ^ slice);
    lots = (lots * (800 + (random % 401))) / 1000;
  }
  lots -= lots % market.lotStep;
  return min(<i64>lots, market.maxOrder);
}

function endTwap<V>(view: V, number: u32, settings: Settings, index: u32, twap: Twap): void {
  emitActive<V>(view, ACTIVE_TWAP_ENDED, 0, twap.market, twap.id, twap.filledLots, twap.totalLots - twap.filledLots, number);
  settings.twaps &= ~(1 << index);
  remove<Twap>(twap);
}

/** Kind 11. */
export function twapOrder<V>(view: V, tx: usize): u32 {
  const refused = begin<V>(view, tx, KIND_TWAP, checkTwap(tx));
  if (refused != CODE_OK) return refused;
  const number = actingAccount;
  const marketNumber = load<u32>(tx, FIELD_0);
  const flags = load<u32>(tx, FIELD_4);
  const lots = load<i64>(tx, FIELD_8);
  const startTicks = load<u32>(tx, FIELD_20);
  const market = marketAt(marketNumber);
  if (!isPresent<MarginAccount>(view.read<MarginAccount>(marginAccountAt(number)))) return CODE_NO_DEPOSIT;
  if (market.mark == 0) return CODE_NO_MARK_PRICE;
  if (<i64>market.mark * lots * market.unit < load<i64>(0, CFG_TWAP_MIN_NOTIONAL)) return CODE_TWAP_TOO_SMALL;
  if ((flags & TWAP_REDUCE_ONLY) != 0) {
    const size = view.read<Position>(positionAt(number, marketNumber)).sizeLots;
    if (size == 0 || size > 0 != ((flags & TWAP_SELL) != 0)) return CODE_REDUCE_ONLY;
  }
  const index = ctz<u32>(~view.read<Settings>(settingsAt(number)).twaps);
  if (index >= TWAPS_MAX) return CODE_TWAP_LIMIT;
  const now = load<u64>(0, BLK_TIME_MS);
  const settings = timedSettings<V>(view, number, now);
  settings.twaps |= 1 << index;
  settings.twapCount++;
  const twap = create<V, Twap>(view, twapAt(number, index));
  twap.totalLots = lots;
  twap.startMs = startTicks == 0 ? now : 0;
  twap.slices = load<u32>(tx, FIELD_16) * 2;
  twap.id = settings.twapCount;
  twap.market = <u16>marketNumber;
  twap.flags = <u8>flags;
  twap.startTicks = startTicks;
  twap.stopTicks = load<u32>(tx, FIELD_24);
  emitActive<V>(view, ACTIVE_TWAP_SLICE, 0, marketNumber, twap.id, 0, lots, number);
  return CODE_OK;
}

function checkTwap(tx: usize): u32 {
  const marketNumber = load<u32>(tx, FIELD_0);
  if (marketNumber >= load<u32>(0, EXC_MARKET_COUNT)) return CODE_UNKNOWN_MARKET;
  const market = marketAt(marketNumber);
  if ((market.status & STATUS_DELISTED) != 0) return CODE_MARKET_HALTED;
  const minutes = load<u32>(tx, FIELD_16);
  if (minutes < TWAP_MINUTES_MIN || minutes > TWAP_MINUTES_MAX) return CODE_TWAP_DURATION;
  const lots = load<u64>(tx, FIELD_8);
  if (lots == 0) return CODE_ZERO_SIZE;
  if (lots > <u64>market.maxOrder) return CODE_SIZE_TOO_LARGE;
  if (lots % market.lotStep != 0) return CODE_LOT;
  if (load<u32>(tx, FIELD_20) >= market.tickCount || load<u32>(tx, FIELD_24) >= market.tickCount) return CODE_INVALID_TRIGGER;
  return CODE_OK;
}

/** Kind 12. */
export function twapCancel<V>(view: V, tx: usize): u32 {
  const refused = begin<V>(view, tx, KIND_TWAP_CANCEL, CODE_OK);
  if (refused != CODE_OK) return refused;
  const number = actingAccount;
  const running = view.read<Settings>(settingsAt(number)).twaps;
  if (running == 0 || !hasTwaps(number)) return CODE_TWAP_NOT_FOUND;
  for (let index: u32 = 0; index < TWAPS_MAX; index++) {
    if ((running & (1 << index)) == 0) continue;
    const found = view.read<Twap>(twapAt(number, index));
    if (found.id != load<u32>(tx, FIELD_4) || <u32>found.market != load<u32>(tx, FIELD_0)) continue;
    endTwap<V>(view, number, view.write<Settings>(settingsAt(number)), index, view.write<Twap>(twapAt(number, index)));
    return CODE_OK;
  }
  return CODE_TWAP_NOT_FOUND;
}

/** Kind 42: fires the account's trigger orders whose condition is true, slots ascending; the position's bounds are taken anew. */
export function triggers<V>(view: V, tx: usize): u32 {
  const number = load<u32>(tx, TX_SENDER);
  const account = view.write<MarginAccount>(marginAccountAt(number));
  beginTransaction();
  let fired: u32 = 0;
  let slot = nextSlot<V>(view, account, number, 0);
  while (slot != NO_SLOT && fired < FIRED_MAX) {
    const order = view.write<Order>(orderInSlot(number, slot));
    if (isPresent<Order>(order) && (order.flags & ORDER_TRIGGER) != 0) {
      const extra = view.write<Extra>(extraInSlot(number, slot));
      const market = marketAt(order.market);
      const sells = (order.flags & FLAG_SELL) != 0;
      if (fires(market, extra.triggerTicks, firesAbove(extra.triggerKind, sells))) {
        const marketNumber = order.market;
        const limit = aroundPrice(market, extra.triggerTicks, sells, TRIGGER_SLIPPAGE_BPS);
        const code = fireTrigger<V>(view, number, account, market, order, extra, limit);
        emitActive<V>(view, ACTIVE_TRIGGERED, code, marketNumber, itemOid, itemFilled, itemResting, number);
        fired++;
      }
    }
    slot = nextSlot<V>(view, account, number, slot + 1);
  }
  if (fired < FIRED_MAX) renewBounds<V>(view, account, number);
  return CODE_OK;
}

/** Trigger bounds of all positions of the account anew, from the orders that still wait. */
function renewBounds<V>(view: V, account: MarginAccount, number: u32): void {
  const words = portfolioWords();
  for (let i: u32 = 0; i < words && account.positions != 0; i++) {
    const portfolio = changetype<usize>(view.read<Portfolio>(portfolioAt(number)));
    for (let bits = load<u64>(portfolio + (i << 3), 8); bits != 0; bits &= bits - 1) {
      const marketNumber = (i << 6) | <u32>ctz<u64>(bits);
      if (view.read<Position>(positionAt(number, marketNumber)).triggers == 0) continue;
      const position = view.write<Position>(positionAt(number, marketNumber));
      position.triggerAbove = 0;
      position.triggerBelow = 0;
    }
  }
  for (let slot = nextSlot<V>(view, account, number, 0); slot != NO_SLOT; slot = nextSlot<V>(view, account, number, slot + 1)) {
    const order = view.read<Order>(orderInSlot(number, slot));
    if ((order.flags & ORDER_TRIGGER) == 0) continue;
    const extra = view.read<Extra>(extraInSlot(number, slot));
    const position = view.write<Position>(positionAt(number, order.market));
    const ticks = extra.triggerTicks;
    if (firesAbove(extra.triggerKind, (order.flags & FLAG_SELL) != 0)) {
      position.triggerAbove = position.triggerAbove == 0 ? ticks : min(position.triggerAbove, ticks);
    } else position.triggerBelow = max(position.triggerBelow, ticks);
  }
}
