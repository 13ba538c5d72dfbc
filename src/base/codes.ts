/**
 * Result codes of transactions and of their items, tabled once: read by the kernel's programs and by the host.
 *
 * A code is stable: it is part of the receipts root. Numbers are never reused. Texts are in `code-texts.ts`.
 * This file is read by two compilers (tsc and asc): constants only.
 */

export const CODE_OK: u32 = 0;
// Whole transactions.
export const CODE_UNDECODABLE: u32 = 1;
export const CODE_UNKNOWN_KIND: u32 = 2;
export const CODE_EMPTY_BATCH: u32 = 3;
export const CODE_TOO_MANY_ITEMS: u32 = 4;
export const CODE_ACCOUNT_NOT_FOUND: u32 = 5;
export const CODE_NONCE_DUPLICATE: u32 = 6;
export const CODE_NONCE_TOO_LOW: u32 = 7;
export const CODE_NONCE_TOO_HIGH: u32 = 8;
export const CODE_NOT_AUTHORISED: u32 = 9;
// Ledger.
export const CODE_UNKNOWN_TOKEN: u32 = 16;
export const CODE_ZERO_AMOUNT: u32 = 17;
export const CODE_INSUFFICIENT_BALANCE: u32 = 18;
export const CODE_BALANCE_OVERFLOW: u32 = 19;
export const CODE_ACCOUNT_LIMIT: u32 = 20;
// Orders.
export const CODE_UNKNOWN_MARKET: u32 = 32;
export const CODE_UNKNOWN_OPERATION: u32 = 33;
export const CODE_INVALID_TIF: u32 = 34;
export const CODE_ZERO_SIZE: u32 = 35;
export const CODE_SIZE_TOO_LARGE: u32 = 36;
export const CODE_LOT: u32 = 37;
export const CODE_INVALID_PRICE: u32 = 38;
export const CODE_TICK: u32 = 39;
export const CODE_MIN_VALUE: u32 = 40;
export const CODE_NO_DEPOSIT: u32 = 41;
export const CODE_NO_MARK_PRICE: u32 = 42;
export const CODE_DUPLICATE_CLOID: u32 = 43;
export const CODE_TOO_MANY_OPEN_ORDERS: u32 = 44;
export const CODE_REDUCE_ONLY: u32 = 45;
export const CODE_POSITION_LIMIT: u32 = 46;
export const CODE_POST_ONLY: u32 = 47;
export const CODE_INSUFFICIENT_MARGIN: u32 = 48;
export const CODE_IOC_NO_MATCH: u32 = 49;
export const CODE_NO_LIQUIDITY: u32 = 50;
export const CODE_ORDER_NOT_FOUND: u32 = 51;
export const CODE_MATCH_LIMIT: u32 = 52;

// Why a resting order was taken off the book by somebody else's transaction (field `reason` of a CANCEL event).
export const REASON_SELF_TRADE: u32 = 1;
export const REASON_REDUCE_ONLY: u32 = 2;
export const REASON_MARGIN: u32 = 3;
export const REASON_POSITION_LIMIT: u32 = 4;
