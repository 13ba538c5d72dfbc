/**
 * Records, transactions and events of the exchange program. Read by tsc and asc: numeric constants only.
 * Money is in quote units (10^-6 of the quote token), prices in ticks, sizes in lots, rates in 10^-10; keys are big endian.
 *
 *   margin account, 64 bytes. Key: class 16, u32 account. The cross part only; isolated positions have their own `rawUsd`.
 *    8  i64  collateral      deposits - signed notional of all cross trades - fees + funding ("rawUsd")
 *   16  i64  positionValue   sum of size * mark * unit over cross positions, at the current marks
 *   24  i64  positionMargin  sum of initial margins of cross positions, at the current marks
 *   32  i64  maintenance     sum of maintenance margins of cross positions, at the current marks
 *   40  i64  orderMargin     sum of `margin` over open orders
 *   48  u64  slots           used order slots 0..63
 *   56  u16  openOrders      resting and waiting orders
 *   58  u16  positions       markets with a bit in the portfolio
 *   60  u8   feeTier         index of the fee tiers
 *   61  u8   makerTier       index of the maker rebates, 0 = none
 *   62  u8   flags           ACC_*
 *   63  u8   isolated        number of isolated positions (at most 255)
 *
 *   portfolio, 64 bytes. Key: class 17, u32 account. Present while a bit is set.
 *    8  u64[7] bit m: the account's position record of market m has size != 0 or trigger orders (triggers != 0)
 *
 *   position, 64 bytes. Key: class 18, u32 account, u32 market. Created by the first fill, leverage update or trigger order, never deleted.
 *    8  i64  sizeLots        signed
 *   16  i64  cost            entry notional of the open size, same sign as sizeLots; entry price = cost / (sizeLots * unit)
 *   24  i64  rawUsd          isolated: its own collateral; 0 for cross
 *   32  i64  realised        closed profit and loss, fees not included
 *   40  i64  funding         paid since the position was opened (received: negative)
 *   48  u32  triggerAbove    lowest price at which a trigger order of this account and market fires when the mark is at or above; 0 = none
 *   52  u32  triggerBelow    highest price at which one fires when the mark is at or below; 0 = none
 *   56  u16  triggers        waiting trigger orders in this market, without children that wait for their parent
 *   58  u8   leverage        0: the market's default
 *   59  u8   isolated        1: isolated
 *   60  u16  attached        of `triggers`, those that follow the position (position TP/SL)
 *   62  u16  zero
 *
 *   order, 64 bytes. Key: class 19, u32 account, u32 slot
 *    8  u64  oid             ordinal of its item << 13 | slot
 *   16  i64  sizeLots        what is left and visible; of trigger orders what is left (0: the whole position)
 *   24  i64  originalLots
 *   32  i64  margin          reserved initial margin
 *   40  u32  priceTicks      limit
 *   44  u32  previous        order reference in the level's queue, 0 = none
 *   48  u32  next
 *   52  u16  market
 *   54  u8   flags           ORDER_*
 *   55  u8   tif
 *   56  u32  account
 *   60  u32  location of the client-id record (node-local, not part of the state root)
 *
 *   order extra, 64 bytes. Key: class 25, u32 account, u32 slot. Present with its order if ORDER_EXTRA is set.
 *    8  u64  expiresMs       0 = never
 *   16  i64  displayLots     iceberg: visible size; 0 = all
 *   24  i64  hiddenLots      iceberg: what is not in the order's sizeLots
 *   32  u32  triggerTicks    0 = not a trigger order
 *   36  u8   triggerKind     TRIGGER_*: 1 take profit, 2 stop loss
 *   37  u8   triggerMarket   1: becomes an immediate-or-cancel order, 0: a limit order
 *   38  u8   whole           1: follows the position (position TP/SL)
 *   39  u8   zero
 *   40  u16  parent          slot + 1 of the order that it waits for
 *   42  u16  sibling         slot + 1 of the other child or the other position order
 *   44  u16  child1          slot + 1 of children that wait for this order
 *   46  u16  child2
 *   48  u32  builder         account number + 1 that gets the builder fee
 *   52  u16  builderFee      in units of 10^-5 of the notional (tenths of a basis point)
 *   54  u16  zero
 *   56  u64  zero
 *
 *   level, 32 bytes. Key: class 20, u32 market, u32 priceTicks. Deleted when its last order leaves.
 *    8  i64  totalLots       visible
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
 *   24  i64  fees            paid by takers and makers, less rebates, without builders' and referrers' parts
 *
 *   price, 64 bytes. Key: class 23, u32 market. Written between the transactions of a block only (docs/rules.md, 5)
 *    8  u32  indexTicks      oracle price, 0 = none yet
 *   12  u32  markTicks
 *   16  u64  indexTimeMs     time of the block in which a quorum of fresh reports last set it
 *   24  u32  lastTicks       price of the last trade on the book
 *   28  u32  previousMarkTicks  the mark before the last change
 *   32  i64  basisSum        EMA of 150 s of mid - index in half ticks: sum and weight
 *   40  u64  basisWeight
 *   48  i64  bookSum         EMA of 30 s of the book's price in ticks
 *   56  u64  bookWeight
 *
 *   order page, 32 bytes. Key: class 24, u32 account, u32 page (1..127). Used order slots beyond the first 64; absent when zero.
 *    8  u64  slots           bit i: slot page * 64 + i
 *
 *   settings, 64 bytes. Key: class 26, u32 account. Created by its first write, never deleted.
 *    8  u64  scheduledMs     cancel all orders at this time; 0 = off
 *   16  u64  nextDueMs       lower bound of the time at which something of the account is due; u64 maximum when nothing is
 *   24  u64  cooldownMs      until then forced orders are for whole positions
 *   32  u32  scheduleDay     UTC day of the last scheduled cancel that happened
 *   36  u32  scheduleCount   how many happened on that day
 *   40  u32  referrer        account number + 1
 *   44  u32  twapCount       TWAP orders placed so far; the next one's id is twapCount + 1
 *   48  u32  twaps           bit i: TWAP i (0..7) is running
 *   52  u32  attachedClosed  1: a position with attached orders was closed in this block
 *   56  u64  zero
 *
 *   volume (accumulator), 32 bytes. Key: class 27, u32 account. Present from genesis or with the margin account.
 *    8  i64  taker           notional since the last roll of the day
 *   16  i64  maker
 *   24  i64  all            over all time
 *
 *   volume history, 64 bytes. Key: class 28, u32 account, u32 part (0, 1: taker; 2, 3: maker). Created by the first roll with volume.
 *    8  i64[7] day d at index d % 14: part = base + (d % 14) / 7, field (d % 14) % 7
 *
 *   rewards (accumulator), 32 bytes. Key: class 29, u32 account. Present with the margin account.
 *    8  i64  builder         builder fees to be claimed
 *   16  i64  referral        referral rewards to be claimed
 *   24  i64  zero
 *
 *   builder approval, 32 bytes. Key: class 30, u32 user, u32 builder
 *    8  u32  maxFee          in units of 10^-5
 *
 *   referral code, 32 bytes. Key: class 31, 20 bytes code (zero bytes behind it)
 *    8  u32  owner           account number + 1
 *
 *   vault, 64 bytes. Key: class 32, u32 account of the vault. In a dense table by index; present once created.
 *    8  u32  account
 *   12  u32  leader          account number; the backstop vault: NO_ACCOUNT
 *   16  i64  shares          total
 *   24  i64  leaderShares
 *   32  u64  lockMs          how long a deposit stays locked
 *   40  u32  commissionPpm   of profits, to the leader
 *   44  u32  flags           VAULT_*
 *   48  u32  followers       records with shares
 *   52  u32  index
 *   56  u64  zero
 *
 *   vault count, 32 bytes. Key: class 33. One record.
 *    8  u32  count
 *
 *   follower, 32 bytes. Key: class 34, u32 vault account, u32 user. Deleted when its shares become zero.
 *    8  i64  shares
 *   16  i64  basis           what was paid in for the shares that are left
 *   24  u64  lockedUntilMs
 *
 *   TWAP, 64 bytes. Key: class 35, u32 account, u32 index (0..7). Deleted when it ends.
 *    8  i64  totalLots
 *   16  i64  filledLots
 *   24  u64  startMs         of the first slice; 0: waits for its start price
 *   32  u32  slices          how many there are: one in 30 s
 *   36  u32  sliced          the next slice's number, from 0
 *   40  u32  id
 *   44  u16  market
 *   46  u8   flags           TWAP_*
 *   47  u8   zero
 *   48  u32  startTicks      0 = at once
 *   52  u32  stopTicks       0 = none
 *   56  u64  zero
 *
 *   funding, 64 bytes. Key: class 36, u32 market. Written between the transactions of a block only
 *    8  i64  sampleSum       premiums in 10^-10
 *   16  u32  samples
 *   20  u32  zero
 *   24  i64  rate            last rate paid, per hour, in 10^-10
 *   32  u64  lastSample      number of the 5 s interval of the last sample (time / 5000)
 *   40  u64  lastHour        number of the hour of the last payment (time / 3600000)
 *   48  i64  hyperSum        EMA of 8 h of minute marks (hyperps): sum and weight
 *   56  u64  hyperWeight
 *
 *   minutes, 64 bytes. Key: class 37, u32 market, u32 part (0..4). Index prices of the last 70 minutes; present from genesis
 *    8  u32[14] minute n at part (n % 70) / 14, field (n % 70) % 14
 *
 *   treasury (accumulator), 32 bytes. Key: class 38. One record.
 *    8  i64  balance         funding residues, withdrawal fees, less deficits that nobody else could bear
 *   16  i64  withdrawn       quote units that have left the exchange for the outside
 *   24  i64  covered         deficits that it has paid
 *
 *   report, 32 bytes. Key: class 39, u32 market, u32 reporter index
 *    8  u32  indexTicks      the reporter's weighted median of spot prices, 0 = none
 *   12  u32  perpTicks       of perpetual prices, 0 = none
 *   16  u64  timeMs          time of the block that it came in
 *   24  u64  zero
 *
 *   delisting votes, 32 bytes. Key: class 40, u32 market. Present from the first vote.
 *    8  u64  voted           bit r: reporter r has voted
 *   16  u64  delistedMs      time of the block that settled it; 0 = listed
 *   24  u32  settledTicks
 *   28  u32  zero
 *
 *   inbox (accumulator), 32 bytes. Key: class 41, u32 market; market 0xffffffff: collateral. Zero at the end of every block.
 *    8  i64  lots            of positions taken over by the backstop vault (collateral inbox: 0)
 *   16  i64  money           of the collateral inbox: the equity of what was taken over, less what was paid for deficits (markets: 0)
 *   24  i64  count
 *
 *   seed, 32 bytes. Key: class 42. One record, written between blocks
 *    8  u64  seed            changes with every block
 *
 *   market state, 32 bytes. Key: class 43, u32 market. What the next block needs of this one; written at its end
 *    8  i64  interestBefore  open interest lots at the start of the minute
 *   16  u64  interestMinute  that minute
 *   24  u32  flags           STATUS_INTEREST_*; 0 when delisted
 *   28  u32  zero
 *
 *   clock, 32 bytes. Key: class 44. One record, written at the end of every block
 *    8  u64  lastMarkMs      time of the last update of marks
 *   16  u64  lastRollDay     UTC day of the last roll of volumes + 1; 0 = no block yet
 *   24  i64  dormantEquity   quote units that dormant accounts hold: balances of token 0, collateral, rewards
 *
 *   dormant account. Key: class 45, 20 bytes address. Lies in no shared memory: the tree has its leaf, the store its value (docs/rules.md, 11).
 *      u8[]  the account's records in the order of class and rest of key, each: u8 class, u8 length of the rest of its key (behind the
 *            account number), the rest, u8 length of its value + 1, the value without zero bytes at its end. (The whole ends in no zero
 *            byte then, as committed values do.)
 *
 *   vault text, 32 bytes. Key: class 46, u32 account of the vault, u32 part (0..2: name; 3..18: description). Those with text are present, and
 *   are never written again
 *    8  u8[24] UTF-8, zero bytes behind the last part's text
 *
 * Order reference: slot << accountBits | account, + 1, with accountBits = the bits of maxAccounts - 1 (at least 1).
 */
export const CLASS_MARGIN_ACCOUNT: u32 = 16;
export const CLASS_PORTFOLIO: u32 = 17;
export const CLASS_POSITION: u32 = 18;
export const CLASS_ORDER: u32 = 19;
export const CLASS_LEVEL: u32 = 20;
export const CLASS_CLIENT_ID: u32 = 21;
export const CLASS_TOTALS: u32 = 22;
export const CLASS_PRICE: u32 = 23;
export const CLASS_ORDER_PAGE: u32 = 24;
export const CLASS_EXTRA: u32 = 25;
export const CLASS_SETTINGS: u32 = 26;
export const CLASS_VOLUME: u32 = 27;
export const CLASS_HISTORY: u32 = 28;
export const CLASS_REWARDS: u32 = 29;
export const CLASS_APPROVAL: u32 = 30;
export const CLASS_REFERRAL: u32 = 31;
export const CLASS_VAULT: u32 = 32;
export const CLASS_VAULT_COUNT: u32 = 33;
export const CLASS_FOLLOWER: u32 = 34;
export const CLASS_TWAP: u32 = 35;
export const CLASS_FUNDING: u32 = 36;
export const CLASS_MINUTES: u32 = 37;
export const CLASS_TREASURY: u32 = 38;
export const CLASS_REPORT: u32 = 39;
export const CLASS_DELISTING: u32 = 40;
export const CLASS_INBOX: u32 = 41;
export const CLASS_SEED: u32 = 42;
export const CLASS_MARKET_STATE: u32 = 43;
export const CLASS_CLOCK: u32 = 44;
export const CLASS_DORMANT: u32 = 45;
export const CLASS_VAULT_TEXT: u32 = 46;
/** Bit words of the book and of the sets of accounts: not part of the state root. */
export const CLASS_BITS: u32 = 251;

/** Flags of a margin account. */
export const ACC_REFERRED: u32 = 1;
/** The backstop vault: it is never in breach, it can only be negative. */
export const ACC_BACKSTOP: u32 = 2;

export const VAULT_DEPOSITS: u32 = 1; // takes deposits
export const VAULT_BACKSTOP: u32 = 2;

/** Parts of 24 bytes. */
export const VAULT_NAME_PARTS: u32 = 3;
export const VAULT_DESCRIPTION_PARTS: u32 = 16;
export const TEXT_PART_BYTES: u32 = 24;

export const MARKETS_MAX: u32 = 448;
export const OID_SLOT_BITS: u32 = 13;
export const ORDER_PAGES_MAX: u32 = 128;
export const BATCH_ITEMS_MAX: u32 = 64;
/** Resting orders that one transaction may look at while matching, over all its items. */
export const MATCH_STEPS_MAX: u32 = 256;
/** Orders that one transaction of the system cancels. */
export const CANCELS_MAX: u32 = 512;
export const REPORTERS_MAX: u32 = 64;
export const SOURCES_MAX: u32 = 8;
export const TWAPS_MAX: u32 = 8;
export const SIGNERS_MAX: u32 = 10;
export const TIERS_MAX: u32 = 8;

/** Kind 2: a preamble of 16 bytes, then items of 64 bytes. */
export const KIND_ORDERS: u32 = 2;
export const ORDERS_BUILDER: u32 = 32; // u32 account number + 1, 0 = none
export const ORDERS_APPROVAL: u32 = 36; // u32 location of the builder approval
export const ORDERS_BUILDER_FEE: u32 = 40; // u16
export const ORDERS_GROUPING: u32 = 42; // u8 GROUPING_*
export const ORDERS_ITEMS: u32 = 48;
export const GROUPING_NONE: u32 = 0;
export const GROUPING_NORMAL: u32 = 1;
export const GROUPING_POSITION: u32 = 2;

export const ITEM_BYTES: u32 = 64;
export const ITEM_OP: u32 = 0; // u8
export const ITEM_FLAGS: u32 = 1; // u8 FLAG_*
export const ITEM_TIF: u32 = 2; // u8
export const ITEM_SELF_TRADE: u32 = 3; // u8 SELF_TRADE_*
export const ITEM_MARKET: u32 = 4;
export const ITEM_SIZE: u32 = 8;
export const ITEM_OID: u32 = 16;
export const ITEM_PRICE: u32 = 24;
/** Location of the client-id record that the item refers to (cancel, modify by client id) or 0. */
export const ITEM_TARGET: u32 = 28;
/** Location of the client-id record that the new order takes or 0. */
export const ITEM_CLIENT: u32 = 32;
export const ITEM_TRIGGER: u32 = 36; // u32 trigger price, 0 = not a trigger order
export const ITEM_EXPIRES: u32 = 40; // u64 ms, 0 = never
export const ITEM_DISPLAY: u32 = 48; // i64 lots, 0 = all
export const ITEM_TRIGGER_KIND: u32 = 56; // u8 TRIGGER_*
export const ITEM_TRIGGER_MARKET: u32 = 57; // u8

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
/** Modify: place the new order even if the old one is gone. */
export const FLAG_ALWAYS: u32 = 8;

/** Flags of an order record: the first three are the item's. */
export const ORDER_EXTRA: u32 = 8;
/** A trigger order that waits for the mark: not on the book. */
export const ORDER_TRIGGER: u32 = 16;
/** Waits for its parent: not on the book and not watched. */
export const ORDER_CHILD: u32 = 32;

export const TIF_GTC: u32 = 1;
export const TIF_IOC: u32 = 2;
export const TIF_ALO: u32 = 3;
/** Immediate or cancel at mark price plus or minus a slippage bound; the item's price is the bound in basis points. */
export const TIF_MARKET: u32 = 4;
/** Fill or kill. */
export const TIF_FOK: u32 = 5;

export const SELF_TRADE_CANCEL_MAKER: u32 = 0;
export const SELF_TRADE_CANCEL_TAKER: u32 = 1;
export const SELF_TRADE_CANCEL_BOTH: u32 = 2;

export const TRIGGER_TAKE_PROFIT: u32 = 1;
export const TRIGGER_STOP_LOSS: u32 = 2;
/** Slippage bounds in basis points: of a trigger order's market form from its trigger price, of a TWAP slice from the mark. */
export const TRIGGER_SLIPPAGE_BPS: u32 = 1000;
export const TWAP_SLIPPAGE_BPS: u32 = 300;
export const TWAP_INTERVAL_MS: u32 = 30000;
export const TWAP_MINUTES_MIN: u32 = 5;
export const TWAP_MINUTES_MAX: u32 = 10080;

/** Kind 3: reports. Items of 72 bytes: u32 market, u32 zero, u32[8] spot prices, u32[8] perpetual prices; 0 = missing. */
export const KIND_ORACLE: u32 = 3;
export const ORACLE_ITEM_BYTES: u32 = 72;
export const ORACLE_SPOT: u32 = 8;
export const ORACLE_PERP: u32 = 40;

/**
 * Kinds of transactions with one payload; fields by offset from the transaction's start. Amounts are u64 quote units.
 *
 *   4 deposit          32 u64 amount                              ledger balance -> collateral
 *   5 toSpot           32 u64 amount                              collateral -> ledger balance
 *   6 sendPerp         32 u64 amount, 40 u32 recipient            collateral -> another account's collateral
 *   7 withdraw         32 u64 amount                              collateral -> outside
 *   8 updateLeverage   32 u32 market, 36 u32 leverage, 40 u32 isolated (0 or 1)
 *   9 isolatedMargin   32 u32 market, 36 u32 leverage (0: by amount; else top up to this leverage), 40 i64 amount
 *  10 scheduleCancel   32 u64 timeMs, 0 = remove
 *  11 twap             32 u32 market, 36 u32 flags TWAP_*, 40 i64 lots, 48 u32 minutes, 52 u32 startTicks, 56 u32 stopTicks, 60 u32 zero
 *  12 twapCancel       32 u32 market, 36 u32 id
 *  13 createSubAccount 32 u32 account number of the new address, 36 u32 zero, 40 u8[24] name, all zero: none
 *  14 subTransfer      32 u64 amount, 40 u32 sub-account, 44 u32 deposit (1: master -> sub)
 *  15 approveAgent     32 u32 account number of the agent, 36 u32 location of the name's record, 40 u64 expiresMs, 48 u32 named (0 or 1), 52 u32 zero
 *  16 multiSig         32 u32 threshold (0: back to an ordinary user), 36 u32 count, then count times u32 location of the signer record, u32 its account number
 *  17 approveBuilder   32 u32 builder's account number, 36 u32 location of the approval, 40 u32 maxFee, 44 u32 zero
 *  18 registerReferrer 32 u32 location of the code's record, 36 u32 zero
 *  19 setReferrer      32 u32 location of the code's record, 36 u32 zero
 *  20 claimRewards     (no payload)
 *  21 createVault      32 u64 amount, 40 u32 account number of the new address, 44 u32 location of the leader's follower record,
 *                      48 u32 parts of the name, 52 u32 parts of the description, then the parts' text, 24 bytes each, then for each part
 *                      u32 location of its record, u32 zero
 *  22 vaultTransfer    32 u64 amount, 40 u32 vault account, 44 u32 location of the follower record, 48 u32 deposit (1) or withdrawal (0),
 *                      52 u32 zero
 *  23 vaultModify      32 u32 vault account, 36 u32 deposits allowed (0 or 1)
 *  24 delist           32 u32 market, 36 u32 zero
 *  25 noop             (no payload)
 *  26 setDisplayName   32 u64 zero, 40 u8[24] name, all zero: none any more
 *  27 subAccountModify 32 u32 sub-account, 36 u32 zero, 40 u8[24] name
 */
export const KIND_DEPOSIT: u32 = 4;
export const KIND_TO_SPOT: u32 = 5;
export const KIND_SEND_PERP: u32 = 6;
export const KIND_WITHDRAW: u32 = 7;
export const KIND_LEVERAGE: u32 = 8;
export const KIND_ISOLATED_MARGIN: u32 = 9;
export const KIND_SCHEDULE_CANCEL: u32 = 10;
export const KIND_TWAP: u32 = 11;
export const KIND_TWAP_CANCEL: u32 = 12;
export const KIND_CREATE_SUB_ACCOUNT: u32 = 13;
export const KIND_SUB_TRANSFER: u32 = 14;
export const KIND_APPROVE_AGENT: u32 = 15;
export const KIND_MULTI_SIG: u32 = 16;
export const KIND_APPROVE_BUILDER: u32 = 17;
export const KIND_REGISTER_REFERRER: u32 = 18;
export const KIND_SET_REFERRER: u32 = 19;
export const KIND_CLAIM_REWARDS: u32 = 20;
export const KIND_CREATE_VAULT: u32 = 21;
export const KIND_VAULT_TRANSFER: u32 = 22;
export const KIND_VAULT_MODIFY: u32 = 23;
export const KIND_DELIST: u32 = 24;
export const KIND_NOOP: u32 = 25;
export const KIND_SET_DISPLAY_NAME: u32 = 26;
export const KIND_SUB_ACCOUNT_MODIFY: u32 = 27;
/** The last kind that clients send. */
export const KIND_LAST: u32 = 27;
/** First field of the payload. */
export const FIELD_0: u32 = 32;
export const FIELD_4: u32 = 36;
export const FIELD_8: u32 = 40;
export const FIELD_12: u32 = 44;
export const FIELD_16: u32 = 48;
export const FIELD_20: u32 = 52;
export const FIELD_24: u32 = 56;
export const PAYLOAD_BYTES: u32 = 64; // of every kind from 4 to 27, but multiSig: 40 + 8 * count, and createVault: 64 + 32 * parts

export const TWAP_SELL: u32 = 1;
export const TWAP_REDUCE_ONLY: u32 = 2;
export const TWAP_RANDOMIZE: u32 = 4;
/** The start price is reached from below. */
export const TWAP_START_ABOVE: u32 = 8;

/**
 * Transactions of the system, made between the user's transactions and the end of the block (docs/rules.md, 6). No nonce, no sender checks;
 * `sender` is the account concerned. 64 bytes each.
 *
 *  40 funding     (market range in 32, 36): emits one FUNDING event for every market that was paid
 *  41 timed       what is due by time: scheduled cancel, expired orders, orders of closed positions, TWAP slices
 *  42 triggers    fires the account's trigger orders
 *  43 liquidate   market orders for an account below its maintenance margin
 *  44 backstop    the backstop vault takes the account over: 32 u32 scope (0: cross, else market + 1)
 *  45 deleverage  32 u32 scope, 36 u32 winner, 40 u32 market, 44 u32 priceTicks, 48 i64 lots > 0, 56 i64 adjustment that the winner pays
 *  46 cover       the account's deficit is paid by the backstop vault and the treasury: 40 i64 from the vault, 48 i64 from the treasury
 *  47 unwind      the backstop vault reduces positions: 32 u32 first market, 36 u32 end
 *  48 clear       cancels all orders of an account (delisting): 32 u32 market + 1, 0: all
 */
export const KIND_SYSTEM_FIRST: u32 = 40;
export const KIND_FUNDING: u32 = 40;
export const KIND_TIMED: u32 = 41;
export const KIND_TRIGGERS: u32 = 42;
export const KIND_LIQUIDATE: u32 = 43;
export const KIND_BACKSTOP: u32 = 44;
export const KIND_DELEVERAGE: u32 = 45;
export const KIND_COVER: u32 = 46;
export const KIND_UNWIND: u32 = 47;
export const KIND_CLEAR: u32 = 48;
export const KIND_SYSTEM_LAST: u32 = 48;
export const SYSTEM_BYTES: u32 = 64;

/**
 *   event 16, result of an item, 32 bytes
 *    4 u16 item, 6 u16 code, 8 u64 oid, 16 i64 filledLots, 24 i64 restingLots
 *   event 17, fill, 112 bytes
 *    4 u32 market, 8 u64 takerOid, 16 u64 makerOid, 24 u32 taker, 28 u32 maker, 32 u32 priceTicks,
 *   36 u32 flags (bit 0: the taker sells; from bit 1: CAUSE_*), 40 i64 lots, 48 i64 takerFee, 56 i64 makerFee (builder fees included),
 *   64 i64 takerClosedPnl, 72 i64 makerClosedPnl, 80 i64 takerStartLots, 88 i64 makerStartLots, 96 i64 takerBuilderFee, 104 i64 makerBuilderFee
 *   event 18, an order that is taken away by another's order or by a rule, 32 bytes
 *    4 u16 reason, 6 u16 market, 8 u64 oid, 16 i64 lots (hidden ones included), 24 u32 account, 28 u32 zero
 *   event 19, a trigger order or TWAP slice was run, or an order became active, 48 bytes
 *    4 u16 code, 6 u16 market, 8 u64 oid (TWAP: id), 16 i64 filledLots, 24 i64 restingLots, 32 u32 account,
 *   36 u32 what (ACTIVE_*), 40 i64 zero
 *   event 20, a forced action, 64 bytes
 *    4 u32 method CAUSE_*, 8 u32 account, 12 u32 scope, 16 i64 notional of what was open, 24 i64 account value, 32 i64 maintenance margin,
 *   40 u32 counterparty (deleverage) or 0xffffffff, 44 u32 market, 48 i64 lots (signed change of the account's position), 56 i64 amount
 *   event 21, funding of a market, 48 bytes
 *    4 u32 market, 8 i64 rate, 16 i64 premium, 24 u32 indexTicks, 28 u32 zero, 32 i64 paid by payers, 40 i64 residue to the treasury
 *   event 22, money moved, 40 bytes
 *    4 u32 kind of the transaction, 8 u32 from, 12 u32 to (0xffffffff: the outside), 16 i64 amount, 24 i64 fee, 32 i64 shares or 0
 *   event 23, an account was created, 24 bytes
 *    4 u32 role, 8 u32 account, 12 u32 owner, 16 u64 zero
 */
export const EVENT_ITEM: u32 = 16;
export const EVENT_ITEM_BYTES: u32 = 32;
export const EVENT_FILL: u32 = 17;
export const EVENT_FILL_BYTES: u32 = 112;
export const EVENT_CANCEL: u32 = 18;
export const EVENT_CANCEL_BYTES: u32 = 32;
export const EVENT_ACTIVE: u32 = 19;
export const EVENT_ACTIVE_BYTES: u32 = 48;
export const EVENT_FORCED: u32 = 20;
export const EVENT_FORCED_BYTES: u32 = 64;
export const EVENT_FUNDING: u32 = 21;
export const EVENT_FUNDING_BYTES: u32 = 48;
export const EVENT_MONEY: u32 = 22;
export const EVENT_MONEY_BYTES: u32 = 40;
export const EVENT_CREATED: u32 = 23;
export const EVENT_CREATED_BYTES: u32 = 24;
export const ACTIVE_TRIGGERED: u32 = 1; // a trigger order fired
export const ACTIVE_CHILD: u32 = 2; // a child became a waiting trigger order
export const ACTIVE_TWAP_SLICE: u32 = 3;
export const ACTIVE_TWAP_ENDED: u32 = 4;

/** Where the exchange's records lie: addresses set up at genesis. */
export const EXC_MARKETS: u32 = 0x1280; // u32 address of the markets' parameters, MARKET_BYTES each
export const EXC_MARKET_COUNT: u32 = 0x1284;
export const EXC_ACCOUNTS: u32 = 0x1288; // u32 margin accounts by number
export const EXC_PORTFOLIOS: u32 = 0x128c; // u32 portfolios by number
/** u32: position directory, u32[EXC_POSITION_PAGES] an account: addresses of pages of 4 positions; 0 = no page yet. */
export const EXC_POSITIONS: u32 = 0x1290;
export const EXC_POSITION_PAGES: u32 = 0x1294; // u32 entries an account: (markets + 3) / 4
/** u32: account directories, 64 bytes an account (DIR_*), node-local. */
export const EXC_DIRECTORIES: u32 = 0x1298;
export const EXC_ORDER_SLOTS: u32 = 0x129c; // u32 order slots an account
export const EXC_ACCOUNT_BITS: u32 = 0x12a0; // u32 bits of an account number
export const EXC_MAX_ACCOUNTS: u32 = 0x12a4; // u32
export const EXC_ORDER_PAGES: u32 = 0x12a8; // u32 order pages (bitmaps) by number * (orderPages - 1) + page - 1
export const EXC_SETTINGS: u32 = 0x12ac; // u32 by number
export const EXC_VOLUMES: u32 = 0x12b0; // u32 by number
export const EXC_HISTORY: u32 = 0x12b4; // u32 by number * HISTORY_PARTS + part
/** Records of an account's history. */
export const HISTORY_PARTS: u32 = 4;
export const EXC_REWARDS: u32 = 0x12b8; // u32 by number
export const EXC_VAULTS: u32 = 0x12bc; // u32 by index
export const EXC_VAULT_COUNT: u32 = 0x12c0; // u32 location of the vault count
export const EXC_VAULTS_MAX: u32 = 0x12c4; // u32
export const EXC_TREASURY: u32 = 0x12c8; // u32 location
export const EXC_SEED: u32 = 0x12cc; // u32 location
export const EXC_REPORTS: u32 = 0x12d0; // u32 reports by market * reporters + reporter
export const EXC_REPORTERS: u32 = 0x12d4; // u32 number of reporters
/** u32 address of the reporters: u64 stake, u32 account number (NO_ACCOUNT: none yet), u32 zero; 16 bytes each. */
export const EXC_REPORTER_TABLE: u32 = 0x12d8;
export const EXC_INBOX: u32 = 0x12dc; // u32 location of market 0's inbox; the collateral inbox lies behind the last market's
export const EXC_ACTIVE: u32 = 0x12e0; // u32 location of the bit words of accounts with portfolio bits: word a >> 6, bit a & 63
export const EXC_TIMED: u32 = 0x12e4; // u32 location of the bit words of accounts with something due by time
export const EXC_NULL: u32 = 0x12e8; // u32 location of a record of 64 bytes that is absent for ever
/** u32 address of the fee tiers: i32 takerPpm, i32 makerPpm, i64 volume from which it holds; 16 bytes each, tier 0 first. */
export const EXC_FEE_TIERS: u32 = 0x12ec;
export const EXC_FEE_TIER_COUNT: u32 = 0x12f0;
/** u32 address of the maker rebates: i32 makerPpm (negative), u32 sharePpm of all maker volume; 8 bytes each; entry 0 is unused. */
export const EXC_REBATES: u32 = 0x12f4;
export const EXC_REBATE_COUNT: u32 = 0x12f8;
export const EXC_BACKSTOP: u32 = 0x12fc; // u32 account number of the backstop vault, NO_ACCOUNT: none
export const EXC_SWEEP_LISTS: u32 = 0x1304; // u32 address of the sweep's findings (scratch)
export const EXC_PLAN_END: u32 = 0x1308; // u32 end of the room for transactions of the system in the input arena
export const EXC_PLAN_NEXT: u32 = 0x1360; // u32 where the next of them goes
export const EXC_PLAN_ROOM: u32 = 0x1364; // u32 the most transactions of the block, the system's included
export const EXC_SWEEP_WORKERS: u32 = 0x1370; // u32 workers that take part in the running sweep
export const EXC_SWEEP_WORDS: u32 = 0x1374; // u32 words of EXC_ACTIVE that it looks at
export const EXC_SCRATCH: u32 = 0x1368; // u32 address of scratch memory of thread 0: 16 bytes an account and SCRATCH_BYTES
export const EXC_SCRATCH_END: u32 = 0x136c; // u32 its end
export const EXC_POOL_POSITIONS: u32 = 0x130c; // u32 next, u32 left: pages of 4 positions, 256 bytes
export const EXC_POOL_ORDERS: u32 = 0x1314; // u32 next, u32 left: pages of 8 orders, 512 bytes
export const EXC_POOL_EXTRAS: u32 = 0x131c; // u32 next, u32 left: pages of 8 extras, 512 bytes
export const EXC_POOL_TWAPS: u32 = 0x1324; // u32 next, u32 left: pages of 8 TWAPs, 512 bytes
export const EXC_POOL_TABLES: u32 = 0x132c; // u32 next, u32 left: tables of an account's order pages, EXC_ORDER_SLOTS bytes
export const EXC_PRICES: u32 = 0x1334; // u32 price records by market
export const EXC_FUNDINGS: u32 = 0x1338; // u32 funding records by market
export const EXC_MINUTES: u32 = 0x133c; // u32 minutes by market * 5 + part
export const EXC_DELISTINGS: u32 = 0x1340; // u32 delisting votes by market
export const EXC_SWEEP_FLAGS: u32 = 0x1344; // u32 SWEEP_*: what the running sweep does
export const EXC_SWEEP_RESIDUES: u32 = 0x1348; // u32 address of i64[workers][markets][2] (scratch): funding paid, received
export const EXC_LAST_MARK_MS: u32 = 0x1350; // u64 time of the last update of marks
export const EXC_LAST_ROLL_DAY: u32 = 0x1358; // u64 UTC day of the last roll of volumes + 1; 0 = no block yet

export const EXC_MARKET_STATES: u32 = 0x1378; // u32 market states by market
export const EXC_CLOCK: u32 = 0x137c; // u32 location

/** Parameters of the exchange, from genesis (all u64 or i64 unless said). */
export const CFG_STALE_MS: u32 = 0x1380;
export const CFG_QUORUM_PPM: u32 = 0x1388; // u32 share of stake that must be fresh
export const CFG_FAR_OFF_PPM: u32 = 0x138c; // u32 a report further from the index than this is not accepted
export const CFG_MARK_INTERVAL_MS: u32 = 0x1390; // marks change when reports came in or this has passed
export const CFG_PARTIAL_NOTIONAL: u32 = 0x1398; // positions above are liquidated in parts
export const CFG_PARTIAL_PPM: u32 = 0x13a0; // u32 the part
export const CFG_BACKSTOP_MARGIN_PPM: u32 = 0x13a4; // u32 equity that the backstop vault keeps over the notional that it holds
export const CFG_COOLDOWN_MS: u32 = 0x13a8;
export const CFG_LIQUIDATION_BPS: u32 = 0x13b0; // u32 slippage bound of forced orders from the mark
export const CFG_UNWIND_PPM: u32 = 0x13b4; // u32 part of a position that the backstop vault offers at each change of marks
export const CFG_UNWIND_BPS: u32 = 0x13b8; // u32 slippage bound of it
export const CFG_REFERRAL_DISCOUNT_PPM: u32 = 0x13bc; // u32 of the taker's fee
export const CFG_REFERRAL_REWARD_PPM: u32 = 0x13c0; // u32
export const CFG_BUILDER_FEE_MAX: u32 = 0x13c4; // u32 in 10^-5
export const CFG_REFERRAL_VOLUME: u32 = 0x13c8; // i64 volume up to which the discount holds
export const CFG_WITHDRAW_FEE: u32 = 0x13d0;
export const CFG_SCHEDULE_VOLUME: u32 = 0x13d8;
export const CFG_TWAP_MIN_NOTIONAL: u32 = 0x13e0;
export const CFG_ORDERS_BASE: u32 = 0x13e8; // u32 open orders of everybody
export const CFG_ORDERS_MAX: u32 = 0x13ec; // u32
export const CFG_ORDERS_VOLUME: u32 = 0x13f0; // i64 volume that gives one more
export const CFG_SUBS_BASE: u32 = 0x13f8; // u32 sub-accounts after the first volume
export const CFG_SUBS_MAX: u32 = 0x13fc; // u32
export const CFG_SUBS_FIRST_VOLUME: u32 = 0x1400; // i64
export const CFG_SUBS_VOLUME: u32 = 0x1408; // i64 volume that gives one more
export const CFG_VAULT_LOCK_MS: u32 = 0x1410;
export const CFG_VAULT_COMMISSION_PPM: u32 = 0x1418; // u32
export const CFG_VAULT_LEADER_PPM: u32 = 0x141c; // u32 least share of the leader
export const CFG_VAULT_MINIMUM: u32 = 0x1420; // i64 to create one
export const CFG_SPOT_WEIGHTS: u32 = 0x1428; // u32[8]
export const CFG_PERP_WEIGHTS: u32 = 0x1448; // u32[8]
export const CFG_HYPERP_CAP_PPM: u32 = 0x1468; // u32 the mark of a hyperp is at most this share of its 8 h average
export const CFG_AGENTS_BASE: u32 = 0x146c; // u32 named agents
export const CFG_AGENTS_PER_SUB: u32 = 0x1470; // u32 more for each sub-account
export const CFG_SCHEDULE_DAILY: u32 = 0x1474; // u32 scheduled cancels a day
export const CFG_DELIST_PPM: u32 = 0x1478; // u32 share of stake that delists
export const CFG_DORMANT_DAYS: u32 = 0x147c; // u32 days without activity after which an account becomes dormant, 0 = never
export const CFG_END: u32 = 0x1480;

export const CLOCK_DORMANT_EQUITY: u32 = 24;
/** The most accounts that become dormant in one block; the others do at the next roll of the day. */
export const FOLDS_MAX: u32 = 16384;
/** u32[5]: first free page of each pool, in the order of EXC_POOL_*, chained through its first word; 0 = none. */
export const EXC_FREE_PAGES: u32 = 0x14a0;
/** What `countLatent` has found: records that may come without a transaction of their owner, and of these price levels. */
export const EXC_LATENT_RECORDS: u32 = 0x14c0; // u32, without the levels
export const EXC_LATENT_LEVELS: u32 = 0x14c4; // u32

/** An account's directory: addresses of its pages; node-local. Pages are made by thread 0, at admission or between the runs of a block. */
export const DIR_BYTES: u32 = 64;
export const DIR_TABLE: u32 = 0; // u32 address of a table: for each page of 8 slots u32 orders, u32 extras (EXC_ORDER_SLOTS bytes); 0 = none
export const DIR_FIRST: u32 = 4; // u32 address of its first page of 8 orders, 0 = none
export const DIR_FIRST_EXTRAS: u32 = 8; // u32 address of the extras of the first page
export const DIR_TWAPS: u32 = 12; // u32 address of its page of 8 TWAPs
export const DIR_SLOTS: u32 = 16; // u32 order slots that have pages
export const DIR_PROMISED: u32 = 20; // u32 slots that may be in use at the end of the block `DIR_BLOCK`
export const DIR_BLOCK: u32 = 24; // u64
export const DIR_LIQUIDATED: u32 = 32; // u64 the last block in which it was liquidated

/**
 * A market's parameters and places, 256 bytes, constant while transactions run.
 */
export const MARKET_BYTES: u32 = 256;
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
export const MKT_LEVERAGE: u32 = 56; // u32 leverage of positions that have none set
export const MKT_TAKER_PPM: u32 = 60; // i32
export const MKT_MAKER_PPM: u32 = 64; // i32
export const MKT_TOP: u32 = 68; // u32 highest summary level, 0..3
export const MKT_DIRECTORY: u32 = 72; // u32 address of u32[tickCount / 64] addresses of level pages, 0 = none yet
export const MKT_TOTALS: u32 = 76; // u32 location
export const MKT_PRICE: u32 = 80; // u32 location of the price record
/** u32 location of the summary words of level 1, 2, 3: index * 2 + side. */
export const MKT_SUMMARY: u32 = 84; // at MKT_SUMMARY + level * 4, so levels 1..3 are at 88, 92, 96
export const MKT_PAGE_NEXT: u32 = 100; // u32 address of the next level page in the market's chunk
export const MKT_PAGES_LEFT: u32 = 104; // u32
export const MKT_INDEX: u32 = 108; // u32 oracle price, 0 = none
export const MKT_PREVIOUS_MARK: u32 = 112; // u32
export const MKT_STATUS: u32 = 116; // u32 STATUS_*
export const MKT_MODE: u32 = 120; // u32 MODE_*
export const MKT_TIERS: u32 = 124; // u32 address of its margin table: TIER_BYTES each
export const MKT_TIER_COUNT: u32 = 128; // u32
export const MKT_PRICE_BAND_BPS: u32 = 132; // u32 0 = none
export const MKT_ORACLE_BAND_BPS: u32 = 136; // u32 0 = none
export const MKT_HYPERP: u32 = 140; // u32 1: no spot market
export const MKT_IMPACT: u32 = 144; // i64 impact notional
export const MKT_FUNDING_CLAMP: u32 = 152; // i64 rate
export const MKT_FUNDING_INTEREST: u32 = 160; // i64 rate
export const MKT_FUNDING_CAP: u32 = 168; // i64 rate per hour
export const MKT_INTEREST_CAP: u32 = 176; // i64 open interest notional, 0 = none
export const MKT_INTEREST_STEP: u32 = 184; // i64 growth of open interest notional in a minute, 0 = any
export const MKT_INTEREST_BEFORE: u32 = 192; // i64 open interest lots at the start of the minute
export const MKT_INTEREST_MINUTE: u32 = 200; // u64 that minute
export const MKT_SETTLE: u32 = 208; // u32 the price that positions are settled at in this block's sweep, 0 = none
export const MKT_RATE: u32 = 212; // u32 1: funding is paid in this block's sweep
export const MKT_PAID: u32 = 216; // i64 rate that is paid
export const MKT_PREMIUM: u32 = 224; // i64 mean premium of it
export const MKT_PAYERS: u32 = 232; // i64 sum paid by payers in this block
export const MKT_RECEIVERS: u32 = 240; // i64 sum received
export const MKT_NOTED_VOLUME: u32 = 248; // i64 volume when the last price was last looked for

/** Bits of MKT_STATUS. */
export const STATUS_DELISTED: u32 = 1;
export const STATUS_INTEREST_CAPPED: u32 = 2;
export const STATUS_INTEREST_FAST: u32 = 4;

export const MODE_NORMAL: u32 = 0;
/** Isolated only. */
export const MODE_NO_CROSS: u32 = 1;
/** Isolated only, and margin cannot be taken out. */
export const MODE_STRICT_ISOLATED: u32 = 2;

/** A tier: i64 lowerNotional, i64 deduction, u32 maxLeverage, u32 zero. */
export const TIER_BYTES: u32 = 24;
export const TIER_LOWER: u32 = 0;
export const TIER_DEDUCTION: u32 = 8;
export const TIER_LEVERAGE: u32 = 16;
export const LEVERAGE_MAX: u32 = 255;

/** A level page: two bit words (bids, asks), then 64 levels, 32 bytes each. */
export const LEVEL_PAGE_BYTES: u32 = 2112;
/** Words of the book that one transaction may look at while it searches prices. */
export const SEARCH_STEPS_MAX: u32 = 24576;
export const TICKS_MAX: u32 = 16777216;

/** What a sweep does. */
export const SWEEP_REVALUE: u32 = 1; // marks have changed: value and margins anew, trigger orders looked at
export const SWEEP_FUNDING: u32 = 2; // pays funding of markets with MKT_RATE
export const SWEEP_SETTLE: u32 = 4; // settles markets with MKT_SETTLE
/** The sweep's lists: u32[64] numbers of findings by worker, u32 number in all, then findings: u32 account, u32 bits. 8 bytes an account. */
export const LISTS_COUNT: u32 = 256;
export const LISTS_FIRST: u32 = 264;
export const FOUND_TRIGGERS: u32 = 1;
export const FOUND_BREACH: u32 = 2;
export const FOUND_NEGATIVE: u32 = 4;

/** What an audit found: i64 each. Written by `endAudit`. */
export const AUDIT_EQUITY: u32 = 0x1500;
export const AUDIT_INTEREST: u32 = 0x1508; // lots
export const AUDIT_NEGATIVE: u32 = 0x1510;
export const AUDIT_WRONG_SUMS: u32 = 0x1518;
export const AUDIT_CROSSED: u32 = 0x1520;
export const AUDIT_BARE_ORDERS: u32 = 0x1528;
export const AUDIT_BREACHES: u32 = 0x1530;
export const AUDIT_BACKSTOP: u32 = 0x1538;
export const AUDIT_TREASURY: u32 = 0x1540;
export const AUDIT_COVERED: u32 = 0x1548;
/** The scratch memory of thread 0: so much an account, and so much besides. */
export const SCRATCH_ACCOUNT_BYTES: u32 = 320;
export const SCRATCH_BYTES: u32 = 1048576;

/** Bounds that keep every product below 2^63: notional of an order below 2^49, of a position below 2^53, money below 2^60. */
export const ORDER_NOTIONAL_BITS: u32 = 49;
export const POSITION_NOTIONAL_BITS: u32 = 53;
export const DEPOSIT_BITS: u32 = 59;
export const FEE_PPM_MAX: u32 = 8191;
/** Rates are in units of 10^-RATE_DIGITS. */
export const RATE_DIGITS: u32 = 10;
export const FUNDING_SAMPLE_MS: u32 = 5000;
export const FUNDING_HOUR_MS: u32 = 3600000;
