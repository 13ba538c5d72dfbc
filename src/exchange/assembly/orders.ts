/**
 * Orders of a batch: placing, cancelling, changing; groups of a parent and its children (docs/rules.md, 4.1, 4.5, 4.6).
 *
 * Invariant: every check of an item comes before its first write, so an item that fails changes nothing (a modify whose new order is
 * rejected has cancelled the old one, as its rule says).
 */
import {
  CAUSE_ORDER,
  CAUSE_TRIGGER,
  CODE_BUILDER_FEE,
  CODE_DUPLICATE_CLOID,
  CODE_EXPIRED,
  CODE_FOK_NOT_FILLED,
  CODE_INSUFFICIENT_MARGIN,
  CODE_INTEREST_AGGRESSIVE,
  CODE_INTEREST_CAPPED,
  CODE_INTEREST_SPEED,
  CODE_INVALID_DISPLAY,
  CODE_INVALID_GROUP,
  CODE_INVALID_PRICE,
  CODE_INVALID_TIF,
  CODE_INVALID_TRIGGER,
  CODE_IOC_NO_MATCH,
  CODE_LOT,
  CODE_MARKET_HALTED,
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
  CODE_SIZE_TOO_LARGE,
  CODE_TICK,
  CODE_TIER_LIMIT,
  CODE_TOO_MANY_OPEN_ORDERS,
  CODE_UNKNOWN_MARKET,
  CODE_UNKNOWN_OPERATION,
  CODE_WAITING_FOR_FILL,
  CODE_WAITING_FOR_TRIGGER,
  CODE_ZERO_SIZE,
  REASON_SIBLING,
} from '../../base/codes';
import { addressOf } from '../../kernel/assembly/memory';
import { create, isPresent, markPresent } from '../../kernel/assembly/record';
import {
  BLK_FIRST_ORDINAL,
  BLK_TIME_MS,
  NO_ACCOUNT,
  TX_FIRST_ITEM,
  TX_FLAG_BEHALF,
  TX_FLAG_NONCE,
  TX_FLAG_SIGNERS,
  TX_FLAGS,
  TX_ITEMS,
  TX_SENDER,
} from '../../kernel/layout';
import { actingAccount } from '../../ledger/assembly/ledger';
import {
  CFG_BUILDER_FEE_MAX,
  DIR_FIRST,
  DIR_SLOTS,
  DIR_TABLE,
  EVENT_ITEM,
  EVENT_ITEM_BYTES,
  EXC_MARKET_COUNT,
  EXC_MAX_ACCOUNTS,
  FLAG_ALWAYS,
  FLAG_CLIENT_ID,
  FLAG_REDUCE_ONLY,
  FLAG_SELL,
  GROUPING_NONE,
  GROUPING_NORMAL,
  GROUPING_POSITION,
  ITEM_BYTES,
  ITEM_CLIENT,
  ITEM_DISPLAY,
  ITEM_EXPIRES,
  ITEM_FLAGS,
  ITEM_MARKET,
  ITEM_OID,
  ITEM_OP,
  ITEM_PRICE,
  ITEM_SELF_TRADE,
  ITEM_SIZE,
  ITEM_TARGET,
  ITEM_TIF,
  ITEM_TRIGGER,
  ITEM_TRIGGER_KIND,
  ITEM_TRIGGER_MARKET,
  KIND_ORDERS,
  OID_SLOT_BITS,
  OP_CANCEL_CLIENT,
  OP_MODIFY,
  OP_MODIFY_CLIENT,
  OP_PLACE,
  OP_REDUCE,
  ORDER_CHILD,
  ORDER_EXTRA,
  ORDER_TRIGGER,
  ORDERS_APPROVAL,
  ORDERS_BUILDER,
  ORDERS_BUILDER_FEE,
  ORDERS_GROUPING,
  ORDERS_ITEMS,
  SELF_TRADE_CANCEL_MAKER,
  STATUS_DELISTED,
  STATUS_INTEREST_CAPPED,
  STATUS_INTEREST_FAST,
  TIF_ALO,
  TIF_FOK,
  TIF_GTC,
  TIF_IOC,
  TIF_MARKET,
} from '../layout';
import { begin } from './acting';
import { ASKS, bestLevel, BIDS, levelAt, NONE, SEARCH_LIMIT } from './book';
import { available, initialMargin, leverageOf, magnitude, tierLeverage } from './margin';
import { aroundPrice, beginTransaction, match, STOP_LIMIT, STOP_SELF_TRADE, stopped, takerTerms, trial } from './matching';
import {
  Approval,
  ClientId,
  directoryAt,
  Extra,
  extraInSlot,
  Level,
  MarginAccount,
  marginAccountAt,
  Market,
  marketAt,
  Order,
  orderInSlot,
  Position,
  positionAt,
  positionEntry,
} from './records';
import {
  cancelOrder,
  dropOrder,
  enterBook,
  findOrder,
  firesAbove,
  freeSlot,
  hiddenOf,
  NO_SLOT,
  slotOf,
  takeSlot,
  timeOrder,
  watchTrigger,
} from './resting';

// Results of the running item, for its event.
export let itemOid: u64 = 0; // register
export let itemFilled: i64 = 0; // register
export let itemResting: i64 = 0; // register

/** Where an order comes from decides which checks it has to pass. */
export const ORIGIN_ITEM: u32 = 0;
export const ORIGIN_TRIGGER: u32 = 1;
export const ORIGIN_TWAP: u32 = 2;

// The terms of the order that is being placed.
let termSells: bool = false; // register
let termReduceOnly: bool = false; // register
let termTif: u32 = 0; // register
let termLimit: u32 = 0; // register
let termLots: i64 = 0; // register
let termDisplay: i64 = 0; // register
let termExpires: u64 = 0; // register
let termClientAt: u32 = 0; // register
let termFlags: u32 = 0; // register
let termSelfTrade: u32 = 0; // register
let termBuilder: u32 = 0; // register
let termBuilderFee: u32 = 0; // register
let termTrigger: u32 = 0; // register
let termTriggerKind: u32 = 0; // register
let termTriggerMarket: u32 = 0; // register
let termCause: u32 = 0; // register
/** Trigger orders that rest keep their slot. */
let termSlot: u32 = 0xffffffff; // register, NO_SLOT: none

/** Kind 2: the items of a batch, in order. */
export function orders<V>(view: V, tx: usize): u32 {
  const sender = load<u32>(tx, TX_SENDER);
  let number = sender;
  // A margin account implies an account, so the usual transaction reads one record instead of two.
  const known =
    sender != NO_ACCOUNT &&
    (load<u8>(tx, TX_FLAGS) & (TX_FLAG_NONCE | TX_FLAG_BEHALF | TX_FLAG_SIGNERS)) == 0 &&
    isPresent<MarginAccount>(view.read<MarginAccount>(marginAccountAt(sender)));
  if (!known) {
    const refused = begin<V>(view, tx, KIND_ORDERS, CODE_OK);
    if (refused != CODE_OK) return refused;
    number = actingAccount;
  }
  const grouping = <u32>load<u8>(tx, ORDERS_GROUPING);
  const count = <u32>load<u16>(tx, TX_ITEMS);
  termBuilder = load<u32>(tx, ORDERS_BUILDER);
  termBuilderFee = 0;
  if (termBuilder != 0) {
    termBuilderFee = load<u16>(tx, ORDERS_BUILDER_FEE);
    if (!builderApproved<V>(view, load<u32>(tx, ORDERS_APPROVAL))) return CODE_BUILDER_FEE;
  }
  if (grouping != GROUPING_NONE && !isGroup(tx + ORDERS_ITEMS, count, grouping)) return CODE_INVALID_GROUP;
  beginTransaction();
  const ordinal = load<u64>(0, BLK_FIRST_ORDINAL) + load<u32>(tx, TX_FIRST_ITEM);
  let item = tx + ORDERS_ITEMS;
  beginGroup(grouping);
  for (let i: u32 = 0; i < count; i++) {
    itemOid = 0;
    itemFilled = 0;
    itemResting = 0;
    let code: u32;
    if (grouping == GROUPING_NORMAL && i != 0) code = runChild<V>(view, number, item, ordinal + i);
    else code = runItem<V>(view, number, item, ordinal + i, grouping);
    if (grouping != GROUPING_NONE) noteGroup<V>(view, number, i, code);
    const event = view.emit(EVENT_ITEM, EVENT_ITEM_BYTES);
    store<u32>(event, i | (code << 16), 4);
    store<u64>(event, itemOid, 8);
    store<i64>(event, itemFilled, 16);
    store<i64>(event, itemResting, 24);
    item += ITEM_BYTES;
  }
  return CODE_OK;
}

function builderApproved<V>(view: V, location: u32): bool {
  if (location == 0 || termBuilderFee > load<u32>(0, CFG_BUILDER_FEE_MAX)) return false;
  const approval = view.read<Approval>(location);
  return isPresent<Approval>(approval) && approval.maxFee >= termBuilderFee;
}

/** Is the batch a parent with its children, or take-profit and stop-loss orders of one position? Looks at the items alone. */
function isGroup(items: usize, count: u32, grouping: u32): bool {
  const first: u32 = grouping == GROUPING_NORMAL ? 1 : 0;
  if (count < first + 1 || count > first + 2) return false;
  const market = load<u32>(items, ITEM_MARKET);
  const sells = (load<u8>(items, ITEM_FLAGS) & FLAG_SELL) != 0;
  for (let i: u32 = 0; i < count; i++) {
    const item = items + i * ITEM_BYTES;
    const flags = <u32>load<u8>(item, ITEM_FLAGS);
    const triggers = load<u8>(item, ITEM_TRIGGER_KIND) != 0;
    if (load<u8>(item, ITEM_OP) != OP_PLACE || load<u32>(item, ITEM_MARKET) != market) return false;
    if (i < first) {
      if (triggers) return false;
      continue;
    }
    if (!triggers || (flags & FLAG_REDUCE_ONLY) == 0) return false;
    if (((flags & FLAG_SELL) != 0) != (grouping == GROUPING_NORMAL ? !sells : sells)) return false;
    if (grouping == GROUPING_POSITION && load<u64>(item, ITEM_SIZE) != 0) return false;
  }
  return true;
}

// What a group's items need to know of each other: slots + 1.
let groupCode: u32 = 0; // register
let groupParent: u32 = 0; // register
let groupWhole: bool = false; // register
let groupFirst: u32 = 0; // register

@inline
function beginGroup(grouping: u32): void {
  groupCode = CODE_OK;
  groupParent = 0;
  groupFirst = 0;
  groupWhole = grouping == GROUPING_POSITION;
}

/** After an item of a group: remembers the parent, links children and siblings. */
function noteGroup<V>(view: V, number: u32, index: u32, code: u32): void {
  const slot = slotOf(itemOid);
  if (index == 0 && !groupWhole) {
    groupCode = code;
    groupParent = itemResting > 0 ? slot + 1 : 0;
    if (code == CODE_OK && itemResting == 0 && itemFilled < termLots) groupCode = CODE_PARENT_REJECTED;
    return;
  }
  if (code != CODE_WAITING_FOR_FILL && code != CODE_WAITING_FOR_TRIGGER) return;
  if (code == CODE_WAITING_FOR_FILL) {
    const parent = parentExtra<V>(view, number);
    if (index == 1) parent.child1 = <u16>(slot + 1);
    else parent.child2 = <u16>(slot + 1);
  }
  if (groupFirst != 0) {
    view.write<Extra>(extraInSlot(number, groupFirst - 1)).sibling = <u16>(slot + 1);
    view.write<Extra>(extraInSlot(number, slot)).sibling = <u16>groupFirst;
  }
  groupFirst = slot + 1;
}

/** The extra record of the group's parent, made if it has none. */
function parentExtra<V>(view: V, number: u32): Extra {
  const extra = view.write<Extra>(extraInSlot(number, groupParent - 1));
  if (!isPresent<Extra>(extra)) {
    markPresent<Extra>(extra);
    view.write<Order>(orderInSlot(number, groupParent - 1)).flags |= <u8>ORDER_EXTRA;
  }
  return extra;
}

function runItem<V>(view: V, number: u32, item: usize, ordinal: u64, grouping: u32): u32 {
  const op = <u32>load<u8>(item, ITEM_OP);
  const marketNumber = load<u32>(item, ITEM_MARKET);
  if (op < OP_PLACE || op > OP_REDUCE) return CODE_UNKNOWN_OPERATION;
  if (marketNumber >= load<u32>(0, EXC_MARKET_COUNT)) return CODE_UNKNOWN_MARKET;
  const market = marketAt(marketNumber);
  if (op == OP_PLACE) {
    const wrong = readTerms(market, item, grouping == GROUPING_POSITION);
    return wrong != CODE_OK ? wrong : place<V>(view, number, market, marketNumber, ordinal);
  }
  if (op == OP_MODIFY || op == OP_MODIFY_CLIENT) {
    const wrong = readTerms(market, item, false);
    if (wrong != CODE_OK) return wrong;
    const old = findOrder<V>(view, number, marketNumber, op == OP_MODIFY ? load<u64>(item, ITEM_OID) : oidOfClient<V>(view, item));
    if (old === null) {
      if ((load<u8>(item, ITEM_FLAGS) & FLAG_ALWAYS) == 0) return CODE_ORDER_NOT_FOUND;
    } else dropOrder<V>(view, view.write<MarginAccount>(marginAccountAt(number)), old, REPLACED);
    return place<V>(view, number, market, marketNumber, ordinal);
  }
  if (op == OP_REDUCE && load<u64>(item, ITEM_SIZE) == 0) return CODE_ZERO_SIZE;
  view.work();
  const order = findOrder<V>(view, number, marketNumber, op == OP_CANCEL_CLIENT ? oidOfClient<V>(view, item) : load<u64>(item, ITEM_OID));
  if (order === null) return CODE_ORDER_NOT_FOUND;
  if (op == OP_REDUCE) {
    if ((order.flags & (ORDER_TRIGGER | ORDER_CHILD)) != 0) return CODE_ORDER_NOT_FOUND;
    const lots = load<i64>(item, ITEM_SIZE);
    if (<u64>lots % market.lotStep != 0) return CODE_LOT;
    if (<u64>lots < <u64>(order.sizeLots + hiddenOf<V>(view, order))) return reduce<V>(view, number, market, marketNumber, order, lots);
  }
  itemOid = order.oid;
  dropOrder<V>(view, view.write<MarginAccount>(marginAccountAt(number)), order, REPLACED);
  return CODE_OK;
}

/** Why an order goes away when its own account says so; any reason but the ones that dropOrder looks at. */
const REPLACED: u32 = 255;

@inline
function oidOfClient<V>(view: V, item: usize): u64 {
  const at = load<u32>(item, ITEM_TARGET);
  if (at == 0) return 0;
  return view.read<ClientId>(at).oid;
}

/** Takes `lots` off an order that keeps its place, hidden ones first. */
function reduce<V>(view: V, number: u32, market: Market, marketNumber: u32, order: Order, lots: i64): u32 {
  const account = view.write<MarginAccount>(marginAccountAt(number));
  let left = lots;
  let hidden: i64 = 0;
  if ((order.flags & ORDER_EXTRA) != 0) {
    const extra = view.write<Extra>(extraInSlot(number, slotOf(order.oid)));
    const taken = min(left, extra.hiddenLots);
    extra.hiddenLots -= taken;
    left -= taken;
    hidden = extra.hiddenLots;
  }
  if (left > 0) {
    view.write<Level>(levelAt(market, order.priceTicks)).totalLots -= left;
    order.sizeLots -= left;
  }
  const total = order.sizeLots + hidden;
  const leverage = leverageOf(market, view.read<Position>(positionAt(number, marketNumber)));
  const margin = min(order.margin, initialMargin(market, order.priceTicks, total, leverage));
  account.orderMargin -= order.margin - margin;
  order.margin = margin;
  itemOid = order.oid;
  itemResting = total;
  return CODE_OK;
}

/** Checks 2 to 7 of a new order, which need nothing but the item and the market's constants. Leaves its terms in the registers. */
function readTerms(market: Market, item: usize, whole: bool): u32 {
  if ((market.status & STATUS_DELISTED) != 0) return CODE_MARKET_HALTED;
  const tif = <u32>load<u8>(item, ITEM_TIF);
  const flags = <u32>load<u8>(item, ITEM_FLAGS);
  termTriggerKind = load<u8>(item, ITEM_TRIGGER_KIND);
  termTriggerMarket = load<u8>(item, ITEM_TRIGGER_MARKET);
  termExpires = load<u64>(item, ITEM_EXPIRES);
  if (tif < TIF_GTC || tif > TIF_FOK) return CODE_INVALID_TIF;
  if (termTriggerKind != 0 && tif > TIF_ALO) return CODE_INVALID_TIF;
  if (termExpires != 0 && tif != TIF_GTC && tif != TIF_ALO) return CODE_INVALID_TIF;
  const lots = load<u64>(item, ITEM_SIZE);
  if (!whole) {
    if (lots == 0) return CODE_ZERO_SIZE;
    if (lots > <u64>market.maxOrder) return CODE_SIZE_TOO_LARGE;
    if (market.lotStep != 1 && lots % market.lotStep != 0) return CODE_LOT;
  }
  const display = load<u64>(item, ITEM_DISPLAY);
  if (display != 0 && (tif != TIF_GTC || termTriggerKind != 0 || display % market.lotStep != 0)) return CODE_INVALID_DISPLAY;
  termDisplay = display < lots ? <i64>display : 0;
  const price = load<u32>(item, ITEM_PRICE);
  termSells = (flags & FLAG_SELL) != 0;
  if (tif == TIF_MARKET) {
    if (price == 0 || price > 10000) return CODE_INVALID_PRICE;
    termLimit = aroundPrice(market, market.mark, termSells, price);
  } else if (termTriggerKind == 0 || termTriggerMarket == 0) {
    const wrong = checkPrice(market, price);
    if (wrong != CODE_OK) return wrong;
    termLimit = price;
  } else termLimit = 0;
  termTrigger = 0;
  if (termTriggerKind != 0) {
    termTrigger = load<u32>(item, ITEM_TRIGGER);
    if (termTrigger == 0 || termTrigger >= market.tickCount || termTrigger % market.tickStep != 0) return CODE_INVALID_TRIGGER;
  }
  if (termExpires != 0 && termExpires <= load<u64>(0, BLK_TIME_MS)) return CODE_EXPIRED;
  termTif = tif;
  termLots = <i64>lots;
  termReduceOnly = (flags & FLAG_REDUCE_ONLY) != 0;
  termFlags = flags & (FLAG_SELL | FLAG_REDUCE_ONLY | FLAG_CLIENT_ID);
  termClientAt = (flags & FLAG_CLIENT_ID) != 0 ? load<u32>(item, ITEM_CLIENT) : 0;
  termSelfTrade = load<u8>(item, ITEM_SELF_TRADE);
  termCause = CAUSE_ORDER;
  termSlot = NO_SLOT;
  return CODE_OK;
}

/** Range, step and significant digits of a price (protocol, section 4). */
export function checkPrice(market: Market, price: u32): u32 {
  if (price == 0 || price >= market.tickCount) return CODE_INVALID_PRICE;
  if (market.tickStep != 1 && price % market.tickStep != 0) return CODE_TICK;
  if (market.digitsLimit != 0 && price >= market.digitsLimit && price % market.ticksPerInteger != 0) {
    let digits = price;
    while (digits % 10 == 0) digits /= 10;
    if (digits >= market.digitsLimit) return CODE_TICK;
  }
  return CODE_OK;
}

/** Checks 8 to 10 of the order in the registers, and what follows. */
function place<V>(view: V, number: u32, market: Market, marketNumber: u32, ordinal: u64): u32 {
  const account = view.write<MarginAccount>(marginAccountAt(number));
  if (!isPresent<MarginAccount>(account)) return CODE_NO_DEPOSIT;
  if (market.mark == 0) return CODE_NO_MARK_PRICE;
  if (termTriggerKind != 0) return waitForTrigger<V>(view, number, account, market, marketNumber, ordinal);
  const outside = checkBands(market);
  if (outside != CODE_OK) return outside;
  return send<V>(view, number, account, market, marketNumber, ordinal << OID_SLOT_BITS, ORIGIN_ITEM);
}

/** Check 10: how far the limit may be from the mark, and how far beyond the oracle price. */
function checkBands(market: Market): u32 {
  if (termTif == TIF_MARKET) return CODE_OK;
  const limit = <i64>termLimit;
  const mark = <i64>market.mark;
  if (market.priceBandBps != 0 && magnitude(limit - mark) * 10000 > mark * market.priceBandBps) return CODE_PRICE_BAND;
  const index = <i64>market.index;
  const band = <i64>market.oracleBandBps;
  if (band == 0 || index == 0) return CODE_OK;
  const beyond = termSells ? limit * 10000 < index * (10000 - band) : limit * 10000 > index * (10000 + band);
  return beyond ? CODE_ORACLE_BAND : CODE_OK;
}

/** Check 15. */
function checkInterest(market: Market): u32 {
  if ((market.status & STATUS_INTEREST_CAPPED) != 0) {
    const beyond = market.index != 0 && (termSells ? termLimit < market.index : termLimit > market.index);
    return beyond ? CODE_INTEREST_AGGRESSIVE : CODE_INTEREST_CAPPED;
  }
  return (market.status & STATUS_INTEREST_FAST) != 0 ? CODE_INTEREST_SPEED : CODE_OK;
}

/** Checks 11 to 20 as far as the origin has them, matching, and what becomes of the rest. `oid`: without its slot. */
function send<V>(view: V, number: u32, account: MarginAccount, market: Market, marketNumber: u32, oid: u64, origin: u32): u32 {
  const sells = termSells;
  const reduceOnly = termReduceOnly;
  const limit = termLimit;
  const tif = termTif;
  const position = view.read<Position>(positionAt(number, marketNumber));
  const size = position.sizeLots;
  const held = magnitude(size);
  const leverage = leverageOf(market, position);
  const opposite = size != 0 && size > 0 == sells;
  let lots = termLots;
  if (reduceOnly) {
    if (!opposite) return CODE_REDUCE_ONLY;
    lots = min(lots, held);
    termLots = lots;
  }
  if (origin == ORIGIN_ITEM && market.minNotional != 0 && <i64>limit * lots * market.unit < market.minNotional) {
    if (!(reduceOnly && lots == held)) return CODE_MIN_VALUE;
  }
  const after = magnitude(size + (sells ? -lots : lots));
  if (!(opposite && lots <= held)) {
    if (after > market.maxPosition) return CODE_POSITION_LIMIT;
    if (tierLeverage(market, after * market.mark * market.unit) < leverage) return CODE_TIER_LIMIT;
  }
  const opens = reduceOnly ? 0 : opposite ? max(<i64>0, lots - held) : lots;
  if (opens > 0 && market.status != 0) {
    const capped = checkInterest(market);
    if (capped != CODE_OK) return capped;
  }
  const rests = tif == TIF_GTC || tif == TIF_ALO;
  let slot: u32 = 0;
  if (origin == ORIGIN_ITEM) {
    if (rests) {
      slot = freeSlot<V>(view, account, number, reduceOnly);
      if (slot == NO_SLOT) return CODE_TOO_MANY_OPEN_ORDERS;
    }
    if (termClientAt != 0 && isPresent<ClientId>(view.read<ClientId>(termClientAt))) return CODE_DUPLICATE_CLOID;
    oid |= slot;
  } else if (origin == ORIGIN_TRIGGER) slot = termSlot;
  if (tif == TIF_ALO) {
    const best = bestLevel<V>(view, market, sells ? BIDS : ASKS, limit, sells ? market.tickCount - 1 : 0);
    if (best == SEARCH_LIMIT) {
      itemOid = oid;
      return CODE_MATCH_LIMIT;
    }
    if (best != NONE) return CODE_POST_ONLY;
  }
  view.work();
  if (opens > 0 && available(account) < initialMargin(market, limit, opens, leverage)) return CODE_INSUFFICIENT_MARGIN;
  takerTerms(termCause, true, termSelfTrade, termBuilder, termBuilderFee, tif == TIF_FOK);
  if (tif == TIF_FOK && !trial<V>(view, number, account, market, marketNumber, sells, limit, lots)) return CODE_FOK_NOT_FILLED;

  let left = lots;
  let stop: u32 = 0;
  if (tif != TIF_ALO) {
    left = match<V>(view, number, account, market, marketNumber, sells, limit, lots, oid);
    stop = stopped;
  }
  itemFilled = lots - left;
  itemOid = oid;
  if (stop == STOP_LIMIT) return CODE_MATCH_LIMIT;
  if (stop != 0) {
    if (left < lots) return CODE_OK;
    itemOid = 0;
    return stop == STOP_SELF_TRADE ? CODE_SELF_TRADE : CODE_INSUFFICIENT_MARGIN;
  }
  if (left == 0) return CODE_OK;
  if (!rests) {
    if (left < lots) return CODE_OK;
    itemOid = 0;
    return tif == TIF_MARKET ? CODE_NO_LIQUIDITY : CODE_IOC_NO_MATCH;
  }
  // The position before matching is still the position if nothing was filled.
  const now = left < lots ? view.read<Position>(positionAt(number, marketNumber)).sizeLots : size;
  const stillOpposite = now != 0 && now > 0 == sells;
  if (reduceOnly && !stillOpposite) return CODE_OK;
  const restOpens = reduceOnly ? 0 : stillOpposite ? max(<i64>0, left - magnitude(now)) : left;
  const margin = restOpens > 0 ? initialMargin(market, limit, restOpens, leverage) : 0;
  rest<V>(view, number, account, market, marketNumber, oid, slot, lots, left, margin);
  itemResting = left;
  return CODE_OK;
}

/** Puts what is left of an order on the book. */
function rest<V>(
  view: V,
  number: u32,
  account: MarginAccount,
  market: Market,
  marketNumber: u32,
  oid: u64,
  slot: u32,
  placed: i64,
  left: i64,
  margin: i64,
): void {
  const order = openOrder<V>(view, number, account, marketNumber, oid, slot, placed);
  const visible = termDisplay != 0 ? min(termDisplay, left) : left;
  order.sizeLots = visible;
  order.margin = margin;
  order.priceTicks = termLimit;
  account.orderMargin += margin;
  if (termExpires != 0 || termDisplay != 0 || termBuilder != 0) {
    order.flags |= <u8>ORDER_EXTRA;
    const extra = create<V, Extra>(view, extraInSlot(number, slot));
    extra.displayLots = termDisplay;
    extra.hiddenLots = left - visible;
    writeExtra(extra);
    timeOrder<V>(view, number, termExpires);
  }
  enterBook<V>(view, market, order);
}

@inline
function writeExtra(extra: Extra): void {
  extra.expiresMs = termExpires;
  extra.builder = termBuilder;
  extra.builderFee = <u16>termBuilderFee;
}

/** A new order record in a free slot, with the terms of the registers. */
function openOrder<V>(view: V, number: u32, account: MarginAccount, marketNumber: u32, oid: u64, slot: u32, placed: i64): Order {
  const order = create<V, Order>(view, orderInSlot(number, slot));
  order.oid = oid;
  order.originalLots = placed;
  order.market = <u16>marketNumber;
  order.flags = <u8>termFlags;
  order.tif = <u8>termTif;
  order.account = number;
  order.clientAt = termClientAt;
  takeSlot<V>(view, account, number, slot, oid, termClientAt);
  return order;
}

/** Is the condition of a trigger order true at the mark? */
@inline
export function fires(market: Market, ticks: u32, above: bool): bool {
  return above ? market.mark >= ticks : market.mark <= ticks;
}

/** A trigger order after check 9 (docs/rules.md, 4.6). */
function waitForTrigger<V>(view: V, number: u32, account: MarginAccount, market: Market, marketNumber: u32, ordinal: u64): u32 {
  const above = firesAbove(termTriggerKind, termSells);
  if (fires(market, termTrigger, above)) return CODE_INVALID_TRIGGER;
  if (!termReduceOnly && market.minNotional != 0 && <i64>termTrigger * termLots * market.unit < market.minNotional) return CODE_MIN_VALUE;
  if (groupWhole && termLots == 0) {
    const size = view.read<Position>(positionAt(number, marketNumber)).sizeLots;
    if (size == 0 || size > 0 != termSells) return CODE_REDUCE_ONLY;
  }
  const slot = freeSlot<V>(view, account, number, true);
  if (slot == NO_SLOT) return CODE_TOO_MANY_OPEN_ORDERS;
  if (termClientAt != 0 && isPresent<ClientId>(view.read<ClientId>(termClientAt))) return CODE_DUPLICATE_CLOID;
  keepTrigger<V>(view, number, account, marketNumber, (ordinal << OID_SLOT_BITS) | slot, slot, ORDER_TRIGGER, 0);
  watchTrigger<V>(view, account, number, marketNumber, termTrigger, above, groupWhole);
  return CODE_WAITING_FOR_TRIGGER;
}

/** The records of a trigger order or of a child. */
function keepTrigger<V>(
  view: V,
  number: u32,
  account: MarginAccount,
  marketNumber: u32,
  oid: u64,
  slot: u32,
  flag: u32,
  parent: u32,
): void {
  const order = openOrder<V>(view, number, account, marketNumber, oid, slot, termLots);
  order.flags |= <u8>(flag | ORDER_EXTRA);
  order.sizeLots = termLots;
  order.priceTicks = termLimit;
  const extra = create<V, Extra>(view, extraInSlot(number, slot));
  writeExtra(extra);
  extra.triggerTicks = termTrigger;
  extra.triggerKind = <u8>termTriggerKind;
  extra.triggerMarket = <u8>termTriggerMarket;
  extra.whole = groupWhole ? 1 : 0;
  extra.parent = <u16>parent;
  timeOrder<V>(view, number, termExpires);
  itemOid = oid;
  itemResting = termLots;
}

/** A child of a group, after its parent. */
function runChild<V>(view: V, number: u32, item: usize, ordinal: u64): u32 {
  if (groupCode != CODE_OK) return CODE_PARENT_REJECTED;
  const marketNumber = load<u32>(item, ITEM_MARKET);
  const market = marketAt(marketNumber);
  const wrong = readTerms(market, item, false);
  if (wrong != CODE_OK) return wrong;
  if (groupParent == 0) return place<V>(view, number, market, marketNumber, ordinal);
  const account = view.write<MarginAccount>(marginAccountAt(number));
  const slot = freeSlot<V>(view, account, number, true);
  if (slot == NO_SLOT) return CODE_TOO_MANY_OPEN_ORDERS;
  if (termClientAt != 0 && isPresent<ClientId>(view.read<ClientId>(termClientAt))) return CODE_DUPLICATE_CLOID;
  keepTrigger<V>(view, number, account, marketNumber, (ordinal << OID_SLOT_BITS) | slot, slot, ORDER_CHILD, groupParent);
  return CODE_WAITING_FOR_FILL;
}

/**
 * Fires a trigger order: it is taken away and sent as what it becomes. Returns the code; leaves itemOid, itemFilled, itemResting.
 * `limitMarket`: the limit of its market form.
 */
export function fireTrigger<V>(
  view: V,
  number: u32,
  account: MarginAccount,
  market: Market,
  order: Order,
  extra: Extra,
  limitMarket: u32,
): u32 {
  const marketNumber = <u32>order.market;
  const size = view.read<Position>(positionAt(number, marketNumber)).sizeLots;
  const oid = order.oid;
  const asMarket = extra.triggerMarket != 0;
  const sibling = <u32>extra.sibling;
  termSells = (order.flags & FLAG_SELL) != 0;
  termReduceOnly = (order.flags & FLAG_REDUCE_ONLY) != 0;
  termTif = asMarket ? TIF_IOC : <u32>order.tif;
  termLimit = asMarket ? limitMarket : order.priceTicks;
  termLots = extra.whole != 0 ? magnitude(size) : order.sizeLots;
  termDisplay = 0;
  termExpires = extra.expiresMs;
  termClientAt = order.clientAt;
  termFlags = <u32>order.flags & (FLAG_SELL | FLAG_REDUCE_ONLY | FLAG_CLIENT_ID);
  termSelfTrade = SELF_TRADE_CANCEL_MAKER;
  termBuilder = extra.builder;
  termBuilderFee = extra.builderFee;
  termCause = CAUSE_TRIGGER;
  termSlot = slotOf(oid);
  itemFilled = 0;
  itemResting = 0;
  dropOrder<V>(view, account, order, REPLACED);
  if (sibling != 0) {
    const other = view.write<Order>(orderInSlot(number, sibling - 1));
    if (isPresent<Order>(other)) cancelOrder<V>(view, account, other, REASON_SIBLING);
  }
  const code = send<V>(view, number, account, market, marketNumber, oid, ORIGIN_TRIGGER);
  itemOid = oid;
  return code;
}

/** The same for a slice of a TWAP; `sells`, `reduceOnly`, `lots` and `limit` are its own. Returns the code; leaves itemFilled. */
export function sendSlice<V>(
  view: V,
  number: u32,
  account: MarginAccount,
  marketNumber: u32,
  sells: bool,
  reduceOnly: bool,
  lots: i64,
  limit: u32,
  cause: u32,
): u32 {
  termSells = sells;
  termReduceOnly = reduceOnly;
  termTif = TIF_IOC;
  termLimit = limit;
  termLots = lots;
  termDisplay = 0;
  termExpires = 0;
  termClientAt = 0;
  termFlags = sells ? FLAG_SELL : 0;
  termSelfTrade = SELF_TRADE_CANCEL_MAKER;
  termBuilder = 0;
  termBuilderFee = 0;
  termCause = cause;
  itemFilled = 0;
  itemResting = 0;
  return send<V>(view, number, account, marketAt(marketNumber), marketNumber, 0, ORIGIN_TWAP);
}

/** Touches the first item's account, position, order and level. */
export function lookAheadOrders(tx: usize): u32 {
  const sender = load<u32>(tx, TX_SENDER);
  const item = tx + ORDERS_ITEMS;
  const marketNumber = load<u32>(item, ITEM_MARKET);
  if (sender >= load<u32>(0, EXC_MAX_ACCOUNTS) || marketNumber >= load<u32>(0, EXC_MARKET_COUNT)) return 0;
  const market = marketAt(marketNumber);
  const directory = directoryAt(sender);
  let touched = load<u32>(addressOf(marginAccountAt(sender)), 8);
  const positions = load<u32>(positionEntry(sender, marketNumber));
  if (positions != 0) touched ^= load<u32>(positions + ((marketNumber & 3) << 6), 8);
  const oid = load<u64>(item, ITEM_OID);
  const slot = slotOf(oid);
  if (oid != 0 && slot < 8) {
    const page = load<u32>(directory, DIR_FIRST);
    if (page != 0) touched ^= load<u32>(page + (slot << 6), 8);
  } else if (oid != 0 && slot < load<u32>(directory, DIR_SLOTS)) {
    const page = load<u32>(<usize>load<u32>(directory, DIR_TABLE) + ((<usize>(slot >> 3)) << 3));
    touched ^= load<u32>(page + ((slot & 7) << 6), 8);
  }
  const price = load<u32>(item, ITEM_PRICE);
  if (price < market.tickCount) {
    const page = load<u32>(<usize>market.directory + ((<usize>(price >> 6)) << 2));
    if (page != 0) touched ^= load<u32>(page, 8) ^ load<u32>(page + 64 + ((price & 63) << 5), 8);
  }
  return touched;
}
