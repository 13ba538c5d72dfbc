/**
 * The exchange program: orders of a batch, matching, cancels, oracle prices, deposits (docs/rules.md, sections 3 and 4).
 *
 * Invariant: every check of an item comes before its first write, so an item that fails changes nothing (a modify whose new order is
 * rejected has cancelled the old one, as its rule says). Loops are bounded: items of a batch, resting orders looked at, words searched.
 * A followed key that leads nowhere is reported to the view (`inconsistent`): it happens only to runs that are thrown away.
 */
import {
  CODE_BALANCE_OVERFLOW,
  CODE_DUPLICATE_CLOID,
  CODE_INSUFFICIENT_BALANCE,
  CODE_INSUFFICIENT_MARGIN,
  CODE_INVALID_PRICE,
  CODE_INVALID_TIF,
  CODE_IOC_NO_MATCH,
  CODE_LOT,
  CODE_MATCH_LIMIT,
  CODE_MIN_VALUE,
  CODE_NO_DEPOSIT,
  CODE_NO_LIQUIDITY,
  CODE_NO_MARK_PRICE,
  CODE_NOT_AUTHORISED,
  CODE_OK,
  CODE_ORDER_NOT_FOUND,
  CODE_POSITION_LIMIT,
  CODE_POST_ONLY,
  CODE_REDUCE_ONLY,
  CODE_SIZE_TOO_LARGE,
  CODE_TICK,
  CODE_TOO_MANY_OPEN_ORDERS,
  CODE_UNKNOWN_MARKET,
  CODE_UNKNOWN_OPERATION,
  CODE_ZERO_AMOUNT,
  CODE_ZERO_SIZE,
  REASON_MARGIN,
  REASON_POSITION_LIMIT,
  REASON_REDUCE_ONLY,
  REASON_SELF_TRADE,
} from '../../base/codes';
import { addressOf } from '../../kernel/assembly/memory';
import { create, isPresent, remove } from '../../kernel/assembly/record';
import {
  BLK_FIRST_ORDINAL,
  BLK_PRICE_EPOCH,
  BLK_TIME_MS,
  NO_ACCOUNT,
  TX_FIRST_ITEM,
  TX_FLAG_NONCE,
  TX_FLAGS,
  TX_ITEMS,
  TX_PAYLOAD,
  TX_SENDER,
} from '../../kernel/layout';
import { Balance, balanceAt, checkSender, useNonce } from '../../ledger/assembly/ledger';
import { TOKEN_QUOTE } from '../../ledger/layout';
import {
  DEPOSIT_AMOUNT,
  DEPOSIT_BITS,
  EVENT_CANCEL,
  EVENT_CANCEL_BYTES,
  EVENT_FILL,
  EVENT_FILL_BYTES,
  EVENT_ITEM,
  EVENT_ITEM_BYTES,
  EXC_MARKET_COUNT,
  EXC_MAX_ACCOUNTS,
  EXC_ORACLE_ACCOUNT,
  EXC_ORDER_SLOTS,
  FLAG_CLIENT_ID,
  FLAG_REDUCE_ONLY,
  FLAG_SELL,
  ITEM_BYTES,
  ITEM_CLIENT,
  ITEM_FLAGS,
  ITEM_MARKET,
  ITEM_OID,
  ITEM_OP,
  ITEM_PRICE,
  ITEM_SIZE,
  ITEM_TARGET,
  ITEM_TIF,
  MATCH_STEPS_MAX,
  OID_SLOT_BITS,
  OP_CANCEL_CLIENT,
  OP_MODIFY,
  OP_MODIFY_CLIENT,
  OP_PLACE,
  OP_REDUCE,
  ORACLE_ITEM_BYTES,
  SEARCH_STEPS_MAX,
  TIF_ALO,
  TIF_GTC,
  TIF_MARKET,
} from '../layout';
import { ASKS, beginSearches, bestLevel, BIDS, enterQueue, leaveLevel, leaveQueue, levelAt, NONE, SEARCH_LIMIT } from './book';
import { available, availableAfter, fill, fillClosedPnl, fillFee, initialMargin, magnitude, positionSize, refresh } from './margin';
import {
  ClientId,
  Level,
  MarginAccount,
  marginAccountAt,
  Market,
  marketAt,
  Oracle,
  Order,
  orderAt,
  OrderPage,
  orderPageAt,
  orderReference,
  positionAt,
} from './records';

const NO_SLOT: u32 = 0xffffffff;

// Results of the running item, for its event.
let itemOid: u64 = 0; // register
let itemFilled: i64 = 0; // register
let itemResting: i64 = 0; // register
/** Resting orders that the transaction may still look at. */
let stepsLeft: u32 = 0; // register
let limitReached: bool = false; // register
let limitTicks: u32 = 0; // register

/** Kind 2: the items of a batch, in order. */
export function orders<V>(view: V, tx: usize): u32 {
  const sender = load<u32>(tx, TX_SENDER);
  // A margin account implies an account, so the usual transaction reads one record instead of two.
  const known =
    sender != NO_ACCOUNT &&
    (load<u8>(tx, TX_FLAGS) & TX_FLAG_NONCE) == 0 &&
    isPresent<MarginAccount>(view.read<MarginAccount>(marginAccountAt(sender)));
  if (!known) {
    const missing = checkSender<V>(view, tx);
    if (missing != CODE_OK) return missing;
    const refused = useNonce<V>(view, tx);
    if (refused != CODE_OK) return refused;
  }
  stepsLeft = MATCH_STEPS_MAX;
  beginSearches(SEARCH_STEPS_MAX);
  const count = <u32>load<u16>(tx, TX_ITEMS);
  const ordinal = load<u64>(0, BLK_FIRST_ORDINAL) + load<u32>(tx, TX_FIRST_ITEM);
  let item = tx + TX_PAYLOAD;
  for (let i: u32 = 0; i < count; i++) {
    itemOid = 0;
    itemFilled = 0;
    itemResting = 0;
    const code = runItem<V>(view, sender, item, ordinal + i);
    const event = view.emit(EVENT_ITEM, EVENT_ITEM_BYTES);
    store<u32>(event, i | (code << 16), 4);
    store<u64>(event, itemOid, 8);
    store<i64>(event, itemFilled, 16);
    store<i64>(event, itemResting, 24);
    item += ITEM_BYTES;
  }
  return CODE_OK;
}

function runItem<V>(view: V, sender: u32, item: usize, ordinal: u64): u32 {
  const op = <u32>load<u8>(item, ITEM_OP);
  const marketNumber = load<u32>(item, ITEM_MARKET);
  if (op < OP_PLACE || op > OP_REDUCE) return CODE_UNKNOWN_OPERATION;
  if (marketNumber >= load<u32>(0, EXC_MARKET_COUNT)) return CODE_UNKNOWN_MARKET;
  const market = marketAt(marketNumber);
  if (op == OP_PLACE) {
    const wrong = checkTerms(market, item);
    return wrong != CODE_OK ? wrong : place<V>(view, sender, market, marketNumber, item, ordinal);
  }
  if (op == OP_MODIFY || op == OP_MODIFY_CLIENT) {
    const wrong = checkTerms(market, item);
    if (wrong != CODE_OK) return wrong;
    const order = findOrder<V>(view, sender, marketNumber, op == OP_MODIFY ? load<u64>(item, ITEM_OID) : oidOfClient<V>(view, item));
    if (order === null) return CODE_ORDER_NOT_FOUND;
    const account = view.write<MarginAccount>(marginAccountAt(sender));
    leaveQueue<V>(view, market, order);
    freeOrder<V>(view, account, order);
    return place<V>(view, sender, market, marketNumber, item, ordinal);
  }
  if (op == OP_REDUCE && load<u64>(item, ITEM_SIZE) == 0) return CODE_ZERO_SIZE;
  view.work();
  const order = findOrder<V>(view, sender, marketNumber, op == OP_CANCEL_CLIENT ? oidOfClient<V>(view, item) : load<u64>(item, ITEM_OID));
  if (order === null) return CODE_ORDER_NOT_FOUND;
  const lots = load<i64>(item, ITEM_SIZE);
  if (op == OP_REDUCE) {
    if (<u64>lots % market.lotStep != 0) return CODE_LOT;
    if (<u64>lots < <u64>order.sizeLots) return reduce<V>(view, sender, market, order, lots);
  }
  itemOid = order.oid;
  const account = view.write<MarginAccount>(marginAccountAt(sender));
  leaveQueue<V>(view, market, order);
  freeOrder<V>(view, account, order);
  return CODE_OK;
}

/** Checks 1 to 4 of a new order, which need nothing but the item and the market's constants. Leaves the limit in `limitTicks`. */
function checkTerms(market: Market, item: usize): u32 {
  const tif = <u32>load<u8>(item, ITEM_TIF);
  if (tif < TIF_GTC || tif > TIF_MARKET) return CODE_INVALID_TIF;
  const lots = load<u64>(item, ITEM_SIZE);
  if (lots == 0) return CODE_ZERO_SIZE;
  if (lots > <u64>market.maxOrder) return CODE_SIZE_TOO_LARGE;
  if (market.lotStep != 1 && lots % market.lotStep != 0) return CODE_LOT;
  const price = load<u32>(item, ITEM_PRICE);
  if (tif == TIF_MARKET) {
    if (price == 0 || price > 10000) return CODE_INVALID_PRICE;
    const sells = (load<u8>(item, ITEM_FLAGS) & FLAG_SELL) != 0;
    const mark = <u64>market.mark;
    const bound = sells ? (mark * (10000 - price) + 9999) / 10000 : (mark * (10000 + price)) / 10000;
    limitTicks = <u32>min<u64>(max<u64>(bound, 1), market.tickCount - 1);
    return CODE_OK;
  }
  if (price == 0 || price >= market.tickCount) return CODE_INVALID_PRICE;
  if (market.tickStep != 1 && price % market.tickStep != 0) return CODE_TICK;
  if (market.digitsLimit != 0 && price >= market.digitsLimit && price % market.ticksPerInteger != 0) {
    let digits = price;
    while (digits % 10 == 0) digits /= 10;
    if (digits >= market.digitsLimit) return CODE_TICK;
  }
  limitTicks = price;
  return CODE_OK;
}

/** Checks 5 to 13, matching, and what becomes of the rest. */
function place<V>(view: V, sender: u32, market: Market, marketNumber: u32, item: usize, ordinal: u64): u32 {
  const account = view.write<MarginAccount>(marginAccountAt(sender));
  if (!isPresent<MarginAccount>(account)) return CODE_NO_DEPOSIT;
  if (market.mark == 0) return CODE_NO_MARK_PRICE;
  const flags = <u32>load<u8>(item, ITEM_FLAGS);
  const tif = <u32>load<u8>(item, ITEM_TIF);
  const sells = (flags & FLAG_SELL) != 0;
  const reduceOnly = (flags & FLAG_REDUCE_ONLY) != 0;
  const limit = limitTicks;
  const position = positionSize<V>(view, sender, marketNumber);
  const held = magnitude(position);
  const opposite = position != 0 && position > 0 == sells;
  let lots = load<i64>(item, ITEM_SIZE);
  if (reduceOnly) {
    if (!opposite) return CODE_REDUCE_ONLY;
    lots = min(lots, held);
  }
  if (market.minNotional != 0 && <i64>limit * lots * market.unit < market.minNotional && !(reduceOnly && lots == held))
    return CODE_MIN_VALUE;
  if (!(opposite && lots <= held) && magnitude(position + (sells ? -lots : lots)) > market.maxPosition) return CODE_POSITION_LIMIT;
  const rests = tif == TIF_GTC || tif == TIF_ALO;
  let slot: u32 = 0;
  if (rests) {
    slot = freeSlot<V>(view, account, sender);
    if (slot == NO_SLOT) return CODE_TOO_MANY_OPEN_ORDERS;
  }
  const clientAt = (flags & FLAG_CLIENT_ID) != 0 ? load<u32>(item, ITEM_CLIENT) : 0;
  if (clientAt != 0 && isPresent<ClientId>(view.read<ClientId>(clientAt))) return CODE_DUPLICATE_CLOID;
  const oid = (ordinal << OID_SLOT_BITS) | slot;
  if (tif == TIF_ALO) {
    const best = bestLevel<V>(view, market, sells ? BIDS : ASKS, limit, sells ? market.tickCount - 1 : 0);
    if (best == SEARCH_LIMIT) {
      itemOid = oid;
      return CODE_MATCH_LIMIT;
    }
    if (best != NONE) return CODE_POST_ONLY;
  }
  refresh<V>(view, account, sender);
  view.work();
  const opens = reduceOnly ? 0 : opposite ? max(<i64>0, lots - held) : lots;
  if (opens > 0 && available(account) < initialMargin(market, limit, opens)) return CODE_INSUFFICIENT_MARGIN;

  let left = lots;
  if (tif != TIF_ALO) {
    limitReached = false;
    left = match<V>(view, sender, account, market, marketNumber, sells, limit, lots, oid);
  }
  itemFilled = lots - left;
  itemOid = oid;
  if (tif != TIF_ALO && limitReached) return CODE_MATCH_LIMIT;
  if (left == 0) return CODE_OK;
  if (!rests) {
    if (left < lots) return CODE_OK;
    itemOid = 0;
    return tif == TIF_MARKET ? CODE_NO_LIQUIDITY : CODE_IOC_NO_MATCH;
  }
  // The position before matching is still the position if nothing was filled.
  const after = left < lots ? positionSize<V>(view, sender, marketNumber) : position;
  const stillOpposite = after != 0 && after > 0 == sells;
  if (reduceOnly && !stillOpposite) return CODE_OK;
  const restOpens = reduceOnly ? 0 : stillOpposite ? max(<i64>0, left - magnitude(after)) : left;
  rest<V>(view, sender, account, market, marketNumber, item, slot, oid, lots, left, restOpens, clientAt, sells);
  itemResting = left;
  return CODE_OK;
}

/** Puts an order on the book. */
function rest<V>(
  view: V,
  sender: u32,
  account: MarginAccount,
  market: Market,
  marketNumber: u32,
  item: usize,
  slot: u32,
  oid: u64,
  placed: i64,
  lots: i64,
  opens: i64,
  clientAt: u32,
  sells: bool,
): void {
  const reference = orderReference(sender, slot);
  const order = create<V, Order>(view, orderAt(reference));
  const margin = opens > 0 ? initialMargin(market, limitTicks, opens) : 0;
  order.oid = oid;
  order.sizeLots = lots;
  order.originalLots = placed;
  order.margin = margin;
  order.priceTicks = limitTicks;
  order.market = <u16>marketNumber;
  order.flags = load<u8>(item, ITEM_FLAGS);
  order.tif = load<u8>(item, ITEM_TIF);
  order.account = sender;
  order.clientAt = clientAt;
  enterQueue<V>(view, market, sells ? ASKS : BIDS, limitTicks, reference, order);
  if (clientAt != 0) create<V, ClientId>(view, clientAt).oid = oid;
  account.orderMargin += margin;
  account.openOrders++;
  if (slot < 64) account.slots |= (<u64>1) << slot;
  else {
    const page = create<V, OrderPage>(view, orderPageAt(sender, slot >> 6));
    page.slots |= (<u64>1) << (slot & 63);
  }
}

/** The lowest free order slot, NO_SLOT if there is none. */
function freeSlot<V>(view: V, account: MarginAccount, number: u32): u32 {
  if (~account.slots != 0) return <u32>ctz<u64>(~account.slots);
  const pages = load<u32>(0, EXC_ORDER_SLOTS) >> 6;
  for (let page: u32 = 1; page < pages; page++) {
    const slots = view.read<OrderPage>(orderPageAt(number, page)).slots;
    if (~slots != 0) return (page << 6) | <u32>ctz<u64>(~slots);
  }
  return NO_SLOT;
}

/** Frees margin, slot and client id of an order that has left its queue, and deletes its record. */
function freeOrder<V>(view: V, account: MarginAccount, order: Order): void {
  account.orderMargin -= order.margin;
  account.openOrders--;
  const slot = <u32>order.oid & ((1 << OID_SLOT_BITS) - 1);
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

@inline
function oidOfClient<V>(view: V, item: usize): u64 {
  const at = load<u32>(item, ITEM_TARGET);
  if (at == 0) return 0;
  return view.read<ClientId>(at).oid;
}

/** The sender's open order with this oid in this market, to be changed; null if there is none. */
function findOrder<V>(view: V, sender: u32, marketNumber: u32, oid: u64): Order | null {
  const slot = <u32>oid & ((1 << OID_SLOT_BITS) - 1);
  if (oid == 0 || slot >= load<u32>(0, EXC_ORDER_SLOTS)) return null;
  const order = view.write<Order>(orderAt(orderReference(sender, slot)));
  if (!isPresent<Order>(order) || order.oid != oid || order.market != <u16>marketNumber) return null;
  return order;
}

/** Takes `lots` off an order that keeps its place. */
function reduce<V>(view: V, sender: u32, market: Market, order: Order, lots: i64): u32 {
  const account = view.write<MarginAccount>(marginAccountAt(sender));
  const level = view.write<Level>(levelAt(market, order.priceTicks));
  level.totalLots -= lots;
  order.sizeLots -= lots;
  shrinkMargin(market, account, order);
  itemOid = order.oid;
  itemResting = order.sizeLots;
  return CODE_OK;
}

@inline
function shrinkMargin(market: Market, account: MarginAccount, order: Order): void {
  const margin = min(order.margin, initialMargin(market, order.priceTicks, order.sizeLots));
  account.orderMargin -= order.margin - margin;
  order.margin = margin;
}

/** Matches against the other side of the book; returns what is left. Sets `limitReached` when a limit of the transaction ended it. */
function match<V>(
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
  let from = sells ? market.tickCount - 1 : 0;
  let left = lots;
  let volume: i64 = 0;
  let fees: i64 = 0;
  let interest: i64 = 0;
  while (left > 0) {
    const ticks = bestLevel<V>(view, market, side, limit, from);
    if (ticks == NONE) break;
    if (ticks == SEARCH_LIMIT) {
      limitReached = true;
      break;
    }
    from = ticks;
    const level = view.write<Level>(levelAt(market, ticks));
    // The queue of one level.
    while (left > 0 && isPresent<Level>(level)) {
      if (stepsLeft == 0) {
        limitReached = true;
        break;
      }
      stepsLeft--;
      const head = level.head;
      if (head == 0) {
        view.inconsistent();
        limitReached = true;
        break;
      }
      const order = view.write<Order>(orderAt(head));
      if (!isPresent<Order>(order) || order.priceTicks != ticks || order.market != <u16>marketNumber) {
        view.inconsistent();
        limitReached = true;
        break;
      }
      const maker = order.account;
      if (maker == taker) {
        takeOff<V>(view, market, level, account, order, REASON_SELF_TRADE);
        continue;
      }
      const makerAccount = view.write<MarginAccount>(marginAccountAt(maker));
      const size = positionSize<V>(view, maker, marketNumber);
      const held = magnitude(size);
      // The maker buys when the taker sells.
      const makerOpposite = size != 0 && size > 0 == !sells;
      const onlyReduces = (order.flags & FLAG_REDUCE_ONLY) != 0;
      const allowed = onlyReduces ? (makerOpposite ? min(order.sizeLots, held) : 0) : order.sizeLots;
      if (allowed == 0) {
        takeOff<V>(view, market, level, makerAccount, order, REASON_REDUCE_ONLY);
        continue;
      }
      const traded = min(left, allowed);
      const makerLots = sells ? traded : -traded;
      const price = <i64>ticks;
      const newMargin = traded == order.sizeLots ? 0 : min(order.margin, initialMargin(market, price, order.sizeLots - traded));
      const reducing = makerOpposite && traded <= held;
      if (!reducing && magnitude(size + makerLots) > market.maxPosition) {
        takeOff<V>(view, market, level, makerAccount, order, REASON_POSITION_LIMIT);
        continue;
      }
      refresh<V>(view, makerAccount, maker);
      if (!reducing && availableAfter(market, makerAccount, size, makerLots, price, market.makerPpm, order.margin - newMargin) < 0) {
        takeOff<V>(view, market, level, makerAccount, order, REASON_MARGIN);
        continue;
      }
      const event = view.emit(EVENT_FILL, EVENT_FILL_BYTES);
      interest += fill<V>(view, market, marketNumber, makerAccount, maker, makerLots, price, market.makerPpm);
      store<i64>(event, fillFee, 56);
      store<i64>(event, fillClosedPnl, 72);
      fees += fillFee;
      interest += fill<V>(view, market, marketNumber, account, taker, -makerLots, price, market.takerPpm);
      store<i64>(event, fillFee, 48);
      store<i64>(event, fillClosedPnl, 64);
      fees += fillFee;
      volume += price * traded * market.unit;
      store<u32>(event, marketNumber, 4);
      store<u64>(event, oid, 8);
      store<u64>(event, order.oid, 16);
      store<u32>(event, taker, 24);
      store<u32>(event, maker, 28);
      store<u32>(event, ticks, 32);
      store<u32>(event, sells ? 1 : 0, 36);
      store<i64>(event, traded, 40);
      left -= traded;
      if (traded == order.sizeLots) {
        leaveLevel<V>(view, market, level, order);
        freeOrder<V>(view, makerAccount, order);
      } else {
        level.totalLots -= traded;
        order.sizeLots -= traded;
        makerAccount.orderMargin -= order.margin - newMargin;
        order.margin = newMargin;
        if (onlyReduces && traded == held) takeOff<V>(view, market, level, makerAccount, order, REASON_REDUCE_ONLY);
      }
    }
    if (limitReached) break;
  }
  if (volume != 0) {
    view.add(market.totals, 0, volume);
    if (interest != 0) view.add(market.totals, 1, interest);
    if (fees != 0) view.add(market.totals, 2, fees);
  }
  return left;
}

/** Takes a resting order off the book on behalf of another rule, with an event. */
function takeOff<V>(view: V, market: Market, level: Level, account: MarginAccount, order: Order, reason: u32): void {
  const event = view.emit(EVENT_CANCEL, EVENT_CANCEL_BYTES);
  store<u32>(event, reason | ((<u32>order.market) << 16), 4);
  store<u64>(event, order.oid, 8);
  store<i64>(event, order.sizeLots, 16);
  store<u32>(event, order.account, 24);
  store<u32>(event, 0, 28);
  leaveLevel<V>(view, market, level, order);
  freeOrder<V>(view, account, order);
}

/** Kind 3: prices of the oracle account; they become marks at the end of the block. */
export function oracle<V>(view: V, tx: usize): u32 {
  const missing = checkSender<V>(view, tx);
  if (missing != CODE_OK) return missing;
  if (load<u32>(tx, TX_SENDER) != load<u32>(0, EXC_ORACLE_ACCOUNT)) return CODE_NOT_AUTHORISED;
  const count = <u32>load<u16>(tx, TX_ITEMS);
  const items = tx + TX_PAYLOAD;
  for (let i: u32 = 0; i < count; i++) {
    if (load<u32>(items + i * ORACLE_ITEM_BYTES) >= load<u32>(0, EXC_MARKET_COUNT)) return CODE_UNKNOWN_MARKET;
  }
  for (let i: u32 = 0; i < count; i++) {
    const price = load<u32>(items + i * ORACLE_ITEM_BYTES, 4);
    if (price == 0 || price >= marketAt(load<u32>(items + i * ORACLE_ITEM_BYTES)).tickCount) return CODE_INVALID_PRICE;
  }
  const refused = useNonce<V>(view, tx);
  if (refused != CODE_OK) return refused;
  for (let i: u32 = 0; i < count; i++) {
    const record = create<V, Oracle>(view, marketAt(load<u32>(items + i * ORACLE_ITEM_BYTES)).oracle);
    record.priceTicks = load<u32>(items + i * ORACLE_ITEM_BYTES, 4);
    record.timeMs = load<u64>(0, BLK_TIME_MS);
  }
  return CODE_OK;
}

/** Kind 4: quote tokens from the ledger balance to collateral. */
export function deposit<V>(view: V, tx: usize): u32 {
  const missing = checkSender<V>(view, tx);
  if (missing != CODE_OK) return missing;
  const amount = load<u64>(tx, DEPOSIT_AMOUNT);
  if (amount == 0) return CODE_ZERO_AMOUNT;
  if (amount > (<u64>1) << DEPOSIT_BITS) return CODE_BALANCE_OVERFLOW;
  const refused = useNonce<V>(view, tx);
  if (refused != CODE_OK) return refused;
  const sender = load<u32>(tx, TX_SENDER);
  const balanceLocation = balanceAt(sender, TOKEN_QUOTE);
  const have = view.read<Balance>(balanceLocation).amount;
  if (have < amount) return CODE_INSUFFICIENT_BALANCE;
  const accountAt = marginAccountAt(sender);
  const before = view.read<MarginAccount>(accountAt);
  if (before.collateral + <i64>amount > (<i64>1) << DEPOSIT_BITS) return CODE_BALANCE_OVERFLOW;
  const opened = isPresent<MarginAccount>(before);
  const account = create<V, MarginAccount>(view, accountAt);
  if (!opened) account.priceEpoch = load<u32>(0, BLK_PRICE_EPOCH);
  account.collateral += <i64>amount;
  const balance = view.write<Balance>(balanceLocation);
  if (have == amount) remove<Balance>(balance);
  else balance.amount = have - amount;
  return CODE_OK;
}

/** End of the block, thread 0: oracle prices become marks. */
export function applyOraclePrices(): void {
  const markets = load<u32>(0, EXC_MARKET_COUNT);
  let changed = false;
  for (let number: u32 = 0; number < markets; number++) {
    const market = marketAt(number);
    const record = changetype<Oracle>((<usize>market.oracle) << 5);
    if (record.priceTicks != 0 && record.priceTicks != market.mark) {
      market.mark = record.priceTicks;
      changed = true;
    }
  }
  if (changed) store<u32>(0, load<u32>(0, BLK_PRICE_EPOCH) + 1, BLK_PRICE_EPOCH);
}

/** Touches the first item's account, position, order and level. */
export function lookAheadOrders(tx: usize): u32 {
  const sender = load<u32>(tx, TX_SENDER);
  const item = tx + TX_PAYLOAD;
  const marketNumber = load<u32>(item, ITEM_MARKET);
  if (sender >= load<u32>(0, EXC_MAX_ACCOUNTS) || marketNumber >= load<u32>(0, EXC_MARKET_COUNT)) return 0;
  const market = marketAt(marketNumber);
  let touched = load<u32>(addressOf(marginAccountAt(sender)), 8) ^ load<u32>(addressOf(positionAt(sender, marketNumber)), 8);
  const oid = load<u64>(item, ITEM_OID);
  const slot = <u32>oid & ((1 << OID_SLOT_BITS) - 1);
  if (oid != 0 && slot < load<u32>(0, EXC_ORDER_SLOTS)) touched ^= load<u32>(addressOf(orderAt(orderReference(sender, slot))), 8);
  const price = load<u32>(item, ITEM_PRICE);
  if (price < market.tickCount) {
    const page = load<u32>(<usize>market.directory + ((<usize>(price >> 6)) << 2));
    if (page != 0) touched ^= load<u32>(page, 8) ^ load<u32>(page + 64 + ((price & 63) << 5), 8);
  }
  return touched;
}
