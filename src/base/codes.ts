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
export const CODE_AGENT_UNKNOWN: u32 = 10;
export const CODE_MULTI_SIG_REQUIRED: u32 = 11;
export const CODE_MULTI_SIG_USER: u32 = 12;
export const CODE_MULTI_SIG_SIGNER: u32 = 13;
export const CODE_MULTI_SIG_THRESHOLD: u32 = 14;
export const CODE_BEHALF_UNKNOWN: u32 = 15;
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
export const CODE_MARKET_HALTED: u32 = 53;
export const CODE_PRICE_BAND: u32 = 54;
export const CODE_ORACLE_BAND: u32 = 55;
export const CODE_TIER_LIMIT: u32 = 56;
export const CODE_INTEREST_CAPPED: u32 = 57;
export const CODE_INTEREST_AGGRESSIVE: u32 = 58;
export const CODE_INTEREST_SPEED: u32 = 59;
export const CODE_INVALID_TRIGGER: u32 = 60;
export const CODE_FOK_NOT_FILLED: u32 = 61;
export const CODE_EXPIRED: u32 = 62;
/** A child of a group whose parent was not placed. */
export const CODE_PARENT_REJECTED: u32 = 63;
/** Not failures: the child waits for its parent to be filled; the trigger order waits for the mark price. */
export const CODE_WAITING_FOR_FILL: u32 = 64;
export const CODE_WAITING_FOR_TRIGGER: u32 = 65;
/** Whole batches: a group that is not a parent with its children, or not one market's take-profit and stop-loss orders. */
export const CODE_INVALID_GROUP: u32 = 66;
export const CODE_BUILDER_FEE: u32 = 67;
export const CODE_INVALID_DISPLAY: u32 = 68;
// Accounts and transfers.
export const CODE_INSUFFICIENT_WITHDRAWABLE: u32 = 80;
export const CODE_INVALID_LEVERAGE: u32 = 81;
export const CODE_CROSS_NOT_ALLOWED: u32 = 82;
export const CODE_NO_ISOLATED_POSITION: u32 = 83;
export const CODE_MARGIN_NOT_REMOVABLE: u32 = 84;
export const CODE_SCHEDULE_TOO_SOON: u32 = 85;
export const CODE_SCHEDULE_LIMIT: u32 = 86;
export const CODE_SCHEDULE_VOLUME: u32 = 87;
export const CODE_TWAP_DURATION: u32 = 88;
export const CODE_TWAP_TOO_SMALL: u32 = 89;
export const CODE_TWAP_NOT_FOUND: u32 = 90;
export const CODE_TWAP_LIMIT: u32 = 91;
export const CODE_SUB_ACCOUNT_LIMIT: u32 = 92;
export const CODE_NOT_OWNER: u32 = 93;
export const CODE_AGENT_LIMIT: u32 = 94;
export const CODE_AGENT_ADDRESS: u32 = 95;
export const CODE_REFERRAL_UNKNOWN: u32 = 96;
export const CODE_REFERRAL_TAKEN: u32 = 97;
export const CODE_REFERRAL_SET: u32 = 98;
export const CODE_NO_REWARDS: u32 = 99;
export const CODE_VAULT_UNKNOWN: u32 = 100;
export const CODE_VAULT_CLOSED: u32 = 101;
export const CODE_VAULT_LOCKED: u32 = 102;
export const CODE_VAULT_SHARES: u32 = 103;
export const CODE_VAULT_LEADER_SHARE: u32 = 104;
export const CODE_VAULT_LIMIT: u32 = 105;
export const CODE_VAULT_MINIMUM: u32 = 106;
export const CODE_INVALID_THRESHOLD: u32 = 107;
export const CODE_INVALID_RECIPIENT: u32 = 108;
export const CODE_PRICE_FAR_OFF: u32 = 109;
/** The taker met its own order and asked to be cancelled itself. */
export const CODE_SELF_TRADE: u32 = 110;
/** A name with control characters, or with a space at an end. */
export const CODE_INVALID_NAME: u32 = 111;

// Why a resting order was taken off the book by somebody else's transaction (field `reason` of a CANCEL event).
export const REASON_SELF_TRADE: u32 = 1;
export const REASON_REDUCE_ONLY: u32 = 2;
export const REASON_MARGIN: u32 = 3;
export const REASON_POSITION_LIMIT: u32 = 4;
export const REASON_EXPIRED: u32 = 5;
export const REASON_SCHEDULED: u32 = 6;
export const REASON_SIBLING: u32 = 7;
export const REASON_PARENT: u32 = 8;
export const REASON_LIQUIDATED: u32 = 9;
export const REASON_DELISTED: u32 = 10;
export const REASON_POSITION_CLOSED: u32 = 11;
export const REASON_WITHDRAWAL: u32 = 12;

// What caused a fill (field `flags` of a FILL event, from bit 1).
export const CAUSE_ORDER: u32 = 0;
export const CAUSE_LIQUIDATION: u32 = 1;
export const CAUSE_BACKSTOP: u32 = 2;
export const CAUSE_DELEVERAGE: u32 = 3;
export const CAUSE_SETTLEMENT: u32 = 4;
export const CAUSE_TWAP: u32 = 5;
export const CAUSE_UNWIND: u32 = 6;
export const CAUSE_TRIGGER: u32 = 7;
export const CAUSE_VAULT: u32 = 8;
