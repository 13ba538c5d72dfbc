/** The exchange's records as classes; `checkExchangeLayout` holds them against the layout page at compile time. */
import { locationOf } from '../../kernel/assembly/memory';
import {
  EXC_ACCOUNTS,
  EXC_MARKETS,
  EXC_ORDERS,
  EXC_ORDER_PAGES,
  EXC_ORDER_SLOTS,
  EXC_PORTFOLIOS,
  EXC_POSITIONS,
  EXC_MAX_ACCOUNTS,
  MARKET_BYTES,
} from '../layout';

@unmanaged
@final
export class MarginAccount {
  version: u32;
  meta: u32;
  collateral: i64;
  positionValue: i64;
  positionMargin: i64;
  orderMargin: i64;
  slots: u64;
  priceEpoch: u32;
  openOrders: u32;
  positions: u32;
  zero: u32;
}

@unmanaged
@final
export class Portfolio {
  version: u32;
  meta: u32;
  w0: u64;
  w1: u64;
  w2: u64;
  w3: u64;
  w4: u64;
  w5: u64;
  w6: u64;
}

@unmanaged
@final
export class Position {
  version: u32;
  meta: u32;
  sizeLots: i64;
  cost: i64;
  realised: i64;
}

@unmanaged
@final
export class Order {
  version: u32;
  meta: u32;
  oid: u64;
  sizeLots: i64;
  originalLots: i64;
  margin: i64;
  priceTicks: u32;
  previous: u32;
  next: u32;
  market: u16;
  flags: u8;
  tif: u8;
  account: u32;
  clientAt: u32;
}

@unmanaged
@final
export class Level {
  version: u32;
  meta: u32;
  totalLots: i64;
  head: u32;
  tail: u32;
  count: u32;
  side: u32;
}

@unmanaged
@final
export class ClientId {
  version: u32;
  meta: u32;
  oid: u64;
  zero0: u64;
  zero1: u64;
}

@unmanaged
@final
export class Oracle {
  version: u32;
  meta: u32;
  priceTicks: u32;
  zero0: u32;
  timeMs: u64;
  zero1: u64;
}

@unmanaged
@final
export class OrderPage {
  version: u32;
  meta: u32;
  slots: u64;
  zero0: u64;
  zero1: u64;
}

/** Parameters of a market: constants of the block, read without a view. */
@unmanaged
@final
export class Market {
  tickCount: u32;
  mark: u32;
  unit: i64;
  minNotional: i64;
  maxOrder: i64;
  maxPosition: i64;
  tickStep: u32;
  lotStep: u32;
  ticksPerInteger: u32;
  digitsLimit: u32;
  leverage: u32;
  takerPpm: i32;
  makerPpm: i32;
  top: u32;
  directory: u32;
  totals: u32;
  oracle: u32;
  summary0: u32;
  summary1: u32;
  summary2: u32;
  summary3: u32;
  pageNext: u32;
  pagesLeft: u32;
}

export function checkExchangeLayout(): void {
  if (offsetof<MarginAccount>() != 64 || offsetof<MarginAccount>('slots') != 40) ERROR('margin account layout');
  if (offsetof<Portfolio>() != 64 || offsetof<Position>() != 32 || offsetof<Level>() != 32) ERROR('layout');
  if (offsetof<Order>() != 64 || offsetof<Order>('market') != 52 || offsetof<Order>('clientAt') != 60) ERROR('order layout');
  if (offsetof<ClientId>() != 32 || offsetof<Oracle>() != 32 || offsetof<OrderPage>() != 32) ERROR('layout');
  if (offsetof<Market>('summary1') != 88 || offsetof<Market>('pagesLeft') != 104 || offsetof<Market>('top') != 68) ERROR('market layout');
  if (offsetof<Level>('head') != 16 || offsetof<Oracle>('timeMs') != 16) ERROR('layout');
}

@inline
export function marketAt(market: u32): Market {
  return changetype<Market>(<usize>load<u32>(0, EXC_MARKETS) + <usize>market * MARKET_BYTES);
}

@inline
export function marginAccountAt(account: u32): u32 {
  return locationOf(load<u32>(0, EXC_ACCOUNTS)) + account * 2;
}

@inline
export function portfolioAt(account: u32): u32 {
  return locationOf(load<u32>(0, EXC_PORTFOLIOS)) + account * 2;
}

@inline
export function positionAt(account: u32, market: u32): u32 {
  return locationOf(load<u32>(0, EXC_POSITIONS)) + market * load<u32>(0, EXC_MAX_ACCOUNTS) + account;
}

/**
 * An order's location from its reference, slot * maxAccounts + account + 1. Low slots are used first, so orders of all accounts lie close
 * together: measured, 100 books and 10,000 accounts, against account-major: fewer pages for the same orders.
 */
@inline
export function orderAt(reference: u32): u32 {
  return locationOf(load<u32>(0, EXC_ORDERS)) + (reference - 1) * 2;
}

@inline
export function orderReference(account: u32, slot: u32): u32 {
  return slot * load<u32>(0, EXC_MAX_ACCOUNTS) + account + 1;
}

@inline
export function orderPageAt(account: u32, page: u32): u32 {
  return locationOf(load<u32>(0, EXC_ORDER_PAGES)) + account * ((load<u32>(0, EXC_ORDER_SLOTS) >> 6) - 1) + page - 1;
}
