/**
 * Open orders of an account: slots, resting on the book, waiting as trigger orders or children, and going away (docs/rules.md, 4.1, 4.5, 4.6).
 *
 * Invariants: an order record is present exactly while its slot's bit is set; a trigger order and a child are in no level's queue; links between
 * parent, children and siblings are kept from both ends; `openOrders` and `orderMargin` count all of them.
 */
import { REASON_MARGIN, REASON_PARENT } from '../../base/codes';
import { create, isPresent, remove } from '../../kernel/assembly/record';
import {
  ACTIVE_CHILD,
  CFG_ORDERS_BASE,
  CFG_ORDERS_MAX,
  CFG_ORDERS_VOLUME,
  EVENT_ACTIVE,
  EVENT_ACTIVE_BYTES,
  EVENT_CANCEL,
  EVENT_CANCEL_BYTES,
  EXC_ORDER_SLOTS,
  FLAG_SELL,
  OID_SLOT_BITS,
  ORDER_CHILD,
  ORDER_EXTRA,
  ORDER_TRIGGER,
  TRIGGER_TAKE_PROFIT,
} from '../layout';
import { ASKS, BIDS, enterQueue, leaveLevel, leaveQueue } from './book';
import { openPosition, timedSettings, turnPortfolioBit } from './margin';
import {
  ClientId,
  Extra,
  extraInSlot,
  hasSlot,
  Level,
  MarginAccount,
  marginAccountAt,
  Market,
  marketAt,
  Order,
  orderInSlot,
  OrderPage,
  orderPageAt,
  orderReference,
  Position,
  positionAt,
  Sums,
  volumeAt,
} from './records';

export const NO_SLOT: u32 = 0xffffffff;
const SLOT_MASK: u32 = (1 << OID_SLOT_BITS) - 1;

@inline
export function slotOf(oid: u64): u32 {
  return <u32>oid & SLOT_MASK;
}

/** The lowest free order slot if the account may have one more order, else NO_SLOT. `cautious`: reduce-only and trigger orders. */
export function freeSlot<V>(view: V, account: MarginAccount, number: u32, cautious: bool): u32 {
  const base = load<u32>(0, CFG_ORDERS_BASE);
  if (account.openOrders >= base) {
    if (cautious) return NO_SLOT;
    const more = <u64>view.read<Sums>(volumeAt(number)).c / load<u64>(0, CFG_ORDERS_VOLUME);
    if (account.openOrders >= min<u64>(load<u32>(0, CFG_ORDERS_MAX), base + more)) return NO_SLOT;
  }
  if (~account.slots != 0) return <u32>ctz<u64>(~account.slots);
  const pages = load<u32>(0, EXC_ORDER_SLOTS) >> 6;
  for (let page: u32 = 1; page < pages; page++) {
    const slots = view.read<OrderPage>(orderPageAt(number, page)).slots;
    if (~slots != 0) return (page << 6) | <u32>ctz<u64>(~slots);
  }
  return NO_SLOT;
}

/** Marks a slot used, counts the order, records its client id. */
export function takeSlot<V>(view: V, account: MarginAccount, number: u32, slot: u32, oid: u64, clientAt: u32): void {
  account.openOrders++;
  if (slot < 64) account.slots |= (<u64>1) << slot;
  else create<V, OrderPage>(view, orderPageAt(number, slot >> 6)).slots |= (<u64>1) << (slot & 63);
  if (clientAt != 0) create<V, ClientId>(view, clientAt).oid = oid;
}

/** Frees margin, slot and client id of an order that is in no queue any more, and deletes its record. */
export function freeOrder<V>(view: V, account: MarginAccount, order: Order): void {
  account.orderMargin -= order.margin;
  account.openOrders--;
  const slot = slotOf(order.oid);
  if (slot < 64) account.slots &= ~((<u64>1) << slot);
  else {
    const page = view.write<OrderPage>(orderPageAt(order.account, slot >> 6));
    page.slots &= ~((<u64>1) << (slot & 63));
    if (page.slots == 0) remove<OrderPage>(page);
  }
  const clientAt = order.clientAt;
  if (clientAt != 0) {
    remove<ClientId>(view.write<ClientId>(clientAt));
    view.note(clientAt);
  }
  remove<Order>(order);
}

/**
 * An account's open order with this oid in this market, to be changed; null if there is none. Which slots are used is asked of the state, not of
 * the pages: a node that was restored has fewer of them, and must not access other records for it.
 */
export function findOrder<V>(view: V, number: u32, marketNumber: u32, oid: u64): Order | null {
  const slot = slotOf(oid);
  if (oid == 0 || !isSlotUsed<V>(view, number, slot) || !hasSlot(number, slot)) return null;
  const order = view.write<Order>(orderInSlot(number, slot));
  if (!isPresent<Order>(order) || order.oid != oid || order.market != <u16>marketNumber) return null;
  return order;
}

function isSlotUsed<V>(view: V, number: u32, slot: u32): bool {
  if (slot >= load<u32>(0, EXC_ORDER_SLOTS)) return false;
  const slots =
    slot < 64 ? view.read<MarginAccount>(marginAccountAt(number)).slots : view.read<OrderPage>(orderPageAt(number, slot >> 6)).slots;
  return ((slots >> (slot & 63)) & 1) != 0;
}

/** Puts a new order at the end of its level's queue; its slot is taken by the caller. */
export function enterBook<V>(view: V, market: Market, order: Order): void {
  const reference = orderReference(order.account, slotOf(order.oid));
  enterQueue<V>(view, market, (order.flags & FLAG_SELL) != 0 ? ASKS : BIDS, order.priceTicks, reference, order);
}

export function emitCancel<V>(view: V, order: Order, hidden: i64, reason: u32): void {
  const event = view.emit(EVENT_CANCEL, EVENT_CANCEL_BYTES);
  store<u32>(event, reason | ((<u32>order.market) << 16), 4);
  store<u64>(event, order.oid, 8);
  store<i64>(event, order.sizeLots + hidden, 16);
  store<u32>(event, order.account, 24);
  store<u32>(event, 0, 28);
}

/** Does the trigger order fire when the mark rises to its trigger price? */
@inline
export function firesAbove(kind: u32, sells: bool): bool {
  return (kind == TRIGGER_TAKE_PROFIT) == sells;
}

/** A trigger order begins to wait: the position knows of it. */
export function watchTrigger<V>(
  view: V,
  account: MarginAccount,
  number: u32,
  marketNumber: u32,
  ticks: u32,
  above: bool,
  whole: bool,
): void {
  const position = openPosition<V>(view, number, marketNumber);
  if (position.triggers == 0 && position.sizeLots == 0) turnPortfolioBit<V>(view, account, number, marketNumber, true);
  position.triggers++;
  if (whole) position.attached++;
  if (above) position.triggerAbove = position.triggerAbove == 0 ? ticks : min(position.triggerAbove, ticks);
  else position.triggerBelow = max(position.triggerBelow, ticks);
}

export function unwatchTrigger<V>(view: V, account: MarginAccount, number: u32, marketNumber: u32, whole: bool): void {
  const position = view.write<Position>(positionAt(number, marketNumber));
  position.triggers--;
  if (whole) position.attached--;
  if (position.triggers != 0) return;
  position.triggerAbove = 0;
  position.triggerBelow = 0;
  if (position.sizeLots == 0) turnPortfolioBit<V>(view, account, number, marketNumber, false);
}

/** Takes the order with this slot + 1 out of the links of the order in `slot`. */
function unlink<V>(view: V, number: u32, slot: u32, link: u32): void {
  const extra = view.write<Extra>(extraInSlot(number, slot));
  if (extra.sibling == <u16>link) extra.sibling = 0;
  if (extra.child1 == <u16>link) extra.child1 = 0;
  if (extra.child2 == <u16>link) extra.child2 = 0;
}

/** What becomes of the children of a parent that goes away. */
function releaseChildren<V>(view: V, account: MarginAccount, number: u32, child1: u32, child2: u32, activate: bool): void {
  if (child1 != 0) releaseChild<V>(view, account, number, child1 - 1, activate);
  if (child2 != 0) releaseChild<V>(view, account, number, child2 - 1, activate);
}

function releaseChild<V>(view: V, account: MarginAccount, number: u32, slot: u32, activate: bool): void {
  const order = view.write<Order>(orderInSlot(number, slot));
  const extra = view.write<Extra>(extraInSlot(number, slot));
  if (!isPresent<Order>(order) || !isPresent<Extra>(extra)) {
    view.inconsistent();
    return;
  }
  extra.parent = 0;
  if (!activate) {
    cancelOrder<V>(view, account, order, REASON_PARENT);
    return;
  }
  order.flags = (order.flags & ~(<u8>ORDER_CHILD)) | <u8>ORDER_TRIGGER;
  const above = firesAbove(extra.triggerKind, (order.flags & FLAG_SELL) != 0);
  watchTrigger<V>(view, account, number, order.market, extra.triggerTicks, above, extra.whole != 0);
  emitActive<V>(view, ACTIVE_CHILD, 0, order.market, order.oid, 0, order.sizeLots, number);
}

export function emitActive<V>(view: V, what: u32, code: u32, market: u32, oid: u64, filled: i64, resting: i64, number: u32): void {
  const event = view.emit(EVENT_ACTIVE, EVENT_ACTIVE_BYTES);
  store<u32>(event, code | (market << 16), 4);
  store<u64>(event, oid, 8);
  store<i64>(event, filled, 16);
  store<i64>(event, resting, 24);
  store<u32>(event, number, 32);
  store<u32>(event, what, 36);
  store<i64>(event, 0, 40);
}

/** Takes an open order of any kind away, with its CANCEL event. */
export function cancelOrder<V>(view: V, account: MarginAccount, order: Order, reason: u32): void {
  const extra = hiddenOf<V>(view, order);
  emitCancel<V>(view, order, extra, reason);
  dropOrder<V>(view, account, order, reason);
}

/** Hidden lots of an order. */
@inline
export function hiddenOf<V>(view: V, order: Order): i64 {
  return (order.flags & ORDER_EXTRA) == 0 ? 0 : view.read<Extra>(extraInSlot(order.account, slotOf(order.oid))).hiddenLots;
}

/** The same without the event. */
export function dropOrder<V>(view: V, account: MarginAccount, order: Order, reason: u32): void {
  const flags = <u32>order.flags;
  if ((flags & (ORDER_TRIGGER | ORDER_CHILD)) == 0) leaveQueue<V>(view, marketAt(order.market), order);
  if ((flags & ORDER_EXTRA) != 0) dropExtra<V>(view, account, order, reason);
  else freeOrder<V>(view, account, order);
}

/** A resting order whose level is at hand leaves the book. */
@inline
export function dropResting<V>(view: V, market: Market, level: Level, account: MarginAccount, order: Order, reason: u32): void {
  leaveLevel<V>(view, market, level, order);
  if ((order.flags & ORDER_EXTRA) != 0) dropExtra<V>(view, account, order, reason);
  else freeOrder<V>(view, account, order);
}

/** Frees an order with an extra record that is in no queue: its links are taken back, its children released. */
function dropExtra<V>(view: V, account: MarginAccount, order: Order, reason: u32): void {
  const number = order.account;
  const slot = slotOf(order.oid);
  const extra = view.write<Extra>(extraInSlot(number, slot));
  const child1 = extra.child1;
  const child2 = extra.child2;
  // Reason 0: completely filled.
  const activate = reason == 0 || (reason == REASON_MARGIN && order.sizeLots + extra.hiddenLots < order.originalLots);
  if (extra.sibling != 0) unlink<V>(view, number, extra.sibling - 1, slot + 1);
  if (extra.parent != 0) unlink<V>(view, number, extra.parent - 1, slot + 1);
  if ((order.flags & ORDER_TRIGGER) != 0) unwatchTrigger<V>(view, account, number, order.market, extra.whole != 0);
  remove<Extra>(extra);
  freeOrder<V>(view, account, order);
  if ((child1 | child2) != 0) releaseChildren<V>(view, account, number, child1, child2, activate);
}

/** Takes a resting order off the book on behalf of another rule, with an event. */
export function takeOff<V>(view: V, market: Market, level: Level, account: MarginAccount, order: Order, reason: u32): void {
  emitCancel<V>(view, order, hiddenOf<V>(view, order), reason);
  dropResting<V>(view, market, level, account, order, reason);
}

/** The next used slot from `slot` on, NO_SLOT if there is none. */
export function nextSlot<V>(view: V, account: MarginAccount, number: u32, slot: u32): u32 {
  const pages = load<u32>(0, EXC_ORDER_SLOTS) >> 6;
  for (let page = slot >> 6; page < pages; page++) {
    let used = page == 0 ? account.slots : view.read<OrderPage>(orderPageAt(number, page)).slots;
    if (page == slot >> 6) used &= (<u64>-1) << (slot & 63);
    if (used != 0) return (page << 6) | <u32>ctz<u64>(used);
  }
  return NO_SLOT;
}

/**
 * Cancels open orders of an account, slots ascending, at most `most`; `marketPlusOne` 0: in all markets. Returns how many it cancelled
 * itself (children that went with them not counted).
 */
export function cancelOrders<V>(view: V, account: MarginAccount, number: u32, marketPlusOne: u32, reason: u32, most: u32): u32 {
  let cancelled: u32 = 0;
  let slot: u32 = 0;
  while (cancelled < most && account.openOrders != 0) {
    slot = nextSlot<V>(view, account, number, slot);
    if (slot == NO_SLOT) break;
    const order = view.write<Order>(orderInSlot(number, slot));
    if (!isPresent<Order>(order)) {
      view.inconsistent();
      break;
    }
    if (marketPlusOne == 0 || <u32>order.market + 1 == marketPlusOne) {
      cancelOrder<V>(view, account, order, reason);
      cancelled++;
    }
    slot++;
  }
  return cancelled;
}

/** The account becomes timed at an order's expiry. */
@inline
export function timeOrder<V>(view: V, number: u32, expiresMs: u64): void {
  if (expiresMs != 0) timedSettings<V>(view, number, expiresMs);
}
