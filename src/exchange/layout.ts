/**
 * Records, transactions and events of the exchange program. Read by tsc and asc: numeric constants only.
 * Money is in quote units (10^-6 of the quote token), prices in ticks, sizes in lots; keys are big endian.
 *
 *   margin account, 64 bytes. Key: class 16, u32 account
 *    8  i64  collateral      deposits - signed notional of all trades - fees ("rawUsd")
 *   16  i64  positionValue   sum of size * mark over positions, at the marks of priceEpoch
 *   24  i64  positionMargin  sum of initial margins of positions, at the marks of priceEpoch
 *   32  i64  orderMargin     sum of `margin` over open orders
 *   40  u64  slots           used order slots 0..63
 *   48  u32  priceEpoch      epoch of the marks that the two sums were taken at
 *   52  u32  openOrders
 *   56  u32  positions       number of markets with size != 0
 *   60  u32  zero
 *
 *   portfolio, 64 bytes. Key: class 17, u32 account. Present while a bit is set.
 *    8  u64[7] bit m: the account has a position in market m
 *
 *   position, 32 bytes. Key: class 18, u32 account, u32 market. Created by the first fill, never deleted.
 *    8  i64  sizeLots        signed
 *   16  i64  cost            entry notional of the open size, same sign as sizeLots; entry price = cost / (sizeLots * unit)
 *   24  i64  realised        closed profit and loss, fees not included
 *
 *   order, 64 bytes. Key: class 19, u32 account, u32 slot
 *    8  u64  oid             ordinal of its item << 10 | slot
 *   16  i64  sizeLots        what is left
 *   24  i64  originalLots
 *   32  i64  margin          reserved initial margin
 *   40  u32  priceTicks
 *   44  u32  previous        order reference in the level's queue, 0 = none
 *   48  u32  next
 *   52  u16  market
 *   54  u8   flags           bit 0 sell, bit 1 reduce-only, bit 2 has a client id
 *   55  u8   tif
 *   56  u32  account
 *   60  u32  location of the client-id record (node-local, not part of the state root)
 *
 *   level, 32 bytes. Key: class 20, u32 market, u32 priceTicks. Deleted when its last order leaves.
 *    8  i64  totalLots
 *   16  u32  head            order reference, first in time
 *   20  u32  tail
 *   24  u32  count
 *   28  u32  side            0 bids, 1 asks
 *
 *   client id, 32 bytes. Key: class 21, u32 account, 16 bytes id. Deleted with its order.
 *    8  u64  oid
 *
 *   market totals (accumulator), 32 bytes. Key: class 22, u32 market
 *    8  i64  volume          notional traded
 *   16  i64  openInterestLots  sum of long sizes
 *   24  i64  fees            paid by takers and makers, less rebates
 *
 *   oracle, 32 bytes. Key: class 23, u32 market
 *    8  u32  priceTicks      becomes the mark price at the end of the block
 *   12  u32  zero
 *   16  u64  timeMs          time of the block that set it
 *
 *   order page, 32 bytes. Key: class 24, u32 account, u32 page (1..15). Used order slots beyond the first 64.
 *    8  u64  slots
 *
 * Order reference: slot * maxAccounts + account + 1, with the genesis parameter maxAccounts.
 */
export const CLASS_MARGIN_ACCOUNT: u32 = 16;
export const CLASS_PORTFOLIO: u32 = 17;
export const CLASS_POSITION: u32 = 18;
export const CLASS_ORDER: u32 = 19;
export const CLASS_LEVEL: u32 = 20;
export const CLASS_CLIENT_ID: u32 = 21;
export const CLASS_TOTALS: u32 = 22;
export const CLASS_ORACLE: u32 = 23;
export const CLASS_ORDER_PAGE: u32 = 24;

export const MARKETS_MAX: u32 = 448;
export const OID_SLOT_BITS: u32 = 10;
export const ORDER_PAGES_MAX: u32 = 16;
export const BATCH_ITEMS_MAX: u32 = 64;
/** Resting orders that one transaction may look at while matching, over all its items. */
export const MATCH_STEPS_MAX: u32 = 256;

/** Kind 2: items of 40 bytes. */
export const KIND_ORDERS: u32 = 2;
export const ITEM_BYTES: u32 = 40;
export const ITEM_OP: u32 = 0;
export const ITEM_FLAGS: u32 = 1;
export const ITEM_TIF: u32 = 2;
export const ITEM_MARKET: u32 = 4;
export const ITEM_SIZE: u32 = 8;
export const ITEM_OID: u32 = 16;
export const ITEM_PRICE: u32 = 24;
/** Location of the client-id record that the item refers to (cancel, modify by client id) or 0. */
export const ITEM_TARGET: u32 = 28;
/** Location of the client-id record that the new order takes or 0. */
export const ITEM_CLIENT: u32 = 32;

export const OP_PLACE: u32 = 1;
export const OP_CANCEL: u32 = 2;
export const OP_CANCEL_CLIENT: u32 = 3;
export const OP_MODIFY: u32 = 4;
export const OP_MODIFY_CLIENT: u32 = 5;
/** Takes `sizeLots` off an order and keeps its place in the queue. */
export const OP_REDUCE: u32 = 6;

export const FLAG_SELL: u32 = 1;
export const FLAG_REDUCE_ONLY: u32 = 2;
export const FLAG_CLIENT_ID: u32 = 4;

export const TIF_GTC: u32 = 1;
export const TIF_IOC: u32 = 2;
export const TIF_ALO: u32 = 3;
/** Immediate or cancel at mark price plus or minus a slippage bound; the item's price is the bound in basis points. */
export const TIF_MARKET: u32 = 4;

/** Kind 3: items of 8 bytes, u32 market, u32 priceTicks. */
export const KIND_ORACLE: u32 = 3;
export const ORACLE_ITEM_BYTES: u32 = 8;

/** Kind 4, payload: u64 amount of the quote token from the ledger balance to collateral. */
export const KIND_DEPOSIT: u32 = 4;
export const DEPOSIT_AMOUNT: u32 = 24;
export const DEPOSIT_BYTES: u32 = 32;

/**
 *   event 16, result of an item, 32 bytes
 *    4 u16 item, 6 u16 code, 8 u64 oid, 16 i64 filledLots, 24 i64 restingLots
 *   event 17, fill, 80 bytes
 *    4 u32 market, 8 u64 takerOid, 16 u64 makerOid, 24 u32 taker, 28 u32 maker, 32 u32 priceTicks,
 *   36 u32 flags (bit 0: the taker sells), 40 i64 lots, 48 i64 takerFee, 56 i64 makerFee, 64 i64 takerClosedPnl, 72 i64 makerClosedPnl
 *   event 18, a resting order taken off the book by another's order or by its own account's, 32 bytes
 *    4 u16 reason, 6 u16 market, 8 u64 oid, 16 i64 lots, 24 u32 account, 28 u32 zero
 */
export const EVENT_ITEM: u32 = 16;
export const EVENT_ITEM_BYTES: u32 = 32;
export const EVENT_FILL: u32 = 17;
export const EVENT_FILL_BYTES: u32 = 80;
export const EVENT_CANCEL: u32 = 18;
export const EVENT_CANCEL_BYTES: u32 = 32;

/** Where the exchange's records lie: addresses set up at genesis. */
export const EXC_MARKETS: u32 = 0x1280; // u32 address of the markets' parameters, MARKET_BYTES each
export const EXC_MARKET_COUNT: u32 = 0x1284;
export const EXC_ACCOUNTS: u32 = 0x1288; // u32 margin accounts by number
export const EXC_PORTFOLIOS: u32 = 0x128c; // u32 portfolios by number
export const EXC_POSITIONS: u32 = 0x1290; // u32 positions by market * maxAccounts + number
export const EXC_ORDERS: u32 = 0x1294; // u32 orders by slot * maxAccounts + number
export const EXC_ORDER_PAGES: u32 = 0x1298; // u32 order pages by number * (orderPages - 1) + page - 1
export const EXC_ORDER_SLOTS: u32 = 0x129c; // u32 order slots an account
export const EXC_ORACLE_ACCOUNT: u32 = 0x12a0; // u32 number of the oracle account
export const EXC_MAX_ACCOUNTS: u32 = 0x12a4; // u32

/**
 * A market's parameters and places, 128 bytes, constant within a block.
 */
export const MARKET_BYTES: u32 = 128;
export const MKT_TICK_COUNT: u32 = 0; // u32
export const MKT_MARK: u32 = 4; // u32 mark price, 0 = none
export const MKT_UNIT: u32 = 8; // i64
export const MKT_MIN_NOTIONAL: u32 = 16; // i64
export const MKT_MAX_ORDER: u32 = 24; // i64
export const MKT_MAX_POSITION: u32 = 32; // i64
export const MKT_TICK_STEP: u32 = 40; // u32
export const MKT_LOT_STEP: u32 = 44; // u32
export const MKT_TICKS_PER_INTEGER: u32 = 48; // u32
export const MKT_DIGITS_LIMIT: u32 = 52; // u32 10^significantDigits, 0 = no limit
export const MKT_LEVERAGE: u32 = 56; // u32
export const MKT_TAKER_PPM: u32 = 60; // i32
export const MKT_MAKER_PPM: u32 = 64; // i32
export const MKT_TOP: u32 = 68; // u32 highest summary level, 0..3
export const MKT_DIRECTORY: u32 = 72; // u32 address of u32[tickCount / 64] addresses of level pages, 0 = none yet
export const MKT_TOTALS: u32 = 76; // u32 location
export const MKT_ORACLE: u32 = 80; // u32 location
/** u32 location of the summary words of level 1, 2, 3: index * 2 + side. */
export const MKT_SUMMARY: u32 = 84; // at MKT_SUMMARY + level * 4, so levels 1..3 are at 88, 92, 96
export const MKT_PAGE_NEXT: u32 = 100; // u32 address of the next level page in the market's chunk
export const MKT_PAGES_LEFT: u32 = 104; // u32

/** A level page: two bit words (bids, asks), then 64 levels, 32 bytes each. */
export const LEVEL_PAGE_BYTES: u32 = 2112;
/** Words of the book that one transaction may look at while it searches prices. */
export const SEARCH_STEPS_MAX: u32 = 4096;
export const TICKS_MAX: u32 = 16777216;
export const CLASS_BITS: u32 = 251;

/** Bounds that keep every product below 2^63: notional of an order below 2^49, of a position below 2^53, money below 2^60. */
export const ORDER_NOTIONAL_BITS: u32 = 49;
export const POSITION_NOTIONAL_BITS: u32 = 53;
export const DEPOSIT_BITS: u32 = 59;
export const FEE_PPM_MAX: u32 = 8191;
