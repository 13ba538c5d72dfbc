/**
 * What clients are told: the text of every result code, and the protocol's word for the state that an order ended in.
 *
 * Clients tell rejections apart by their leading words (protocol, 3.2), so these are the venue's, letter by letter; texts of rejections that
 * the protocol does not list are ours. A value that the caller does not give is left out of the text, the leading words stay.
 * Not here: which code a rule ends in (docs/rules.md), and the shape of the answer around the text.
 */
import { assert } from '../base/assert.ts';
import * as code from '../base/codes.ts';
import type { Address, Transaction } from '../ledger/transactions.ts';
import { BATCH_ITEMS_MAX, TWAPS_MAX } from './layout.ts';

/** The values that a text names. */
export interface MessageContext {
  /** The asset id that messages of orders end with. */
  readonly asset?: number;
  /** The address that the message is about: the signer, the account without a deposit, the vault. */
  readonly user?: Address;
  /** Of the refused transaction: some codes are worded by what was tried. */
  readonly kind?: Transaction['kind'];
  /** Best prices as decimal text; a side without orders is absent. */
  readonly bid?: string;
  readonly ask?: string;
  readonly nonce?: bigint;
  /** The smallest or largest nonce that would have been taken. */
  readonly nonceBound?: bigint;
  /** The least value of an order or TWAP, in quote units. */
  readonly minimum?: bigint;
  /** Volumes in quote units. */
  readonly requiredVolume?: bigint;
  readonly tradedVolume?: bigint;
  /** The furthest that a price may be from the mark, in basis points. */
  readonly bandBps?: number;
  /** Of a TWAP. */
  readonly minutes?: number;
  /** How many of something there may be. */
  readonly limit?: number;
  /** Multi-signature: the signer that leads is the one that was not accepted. */
  readonly outerSigner?: boolean;
}

type Text = (context: MessageContext) => string;

/** The protocol's words for what became of an order (fields `status` of `orderStatus`, `historicalOrders` and `orderUpdates`). */
export type OrderStatus =
  | 'open'
  | 'filled'
  | 'canceled'
  | 'triggered'
  | 'rejected'
  | 'marginCanceled'
  | 'vaultWithdrawalCanceled'
  | 'openInterestCapCanceled'
  | 'selfTradeCanceled'
  | 'reduceOnlyCanceled'
  | 'siblingFilledCanceled'
  | 'delistedCanceled'
  | 'liquidatedCanceled'
  | 'outcomeSettledCanceled'
  | 'scheduledCancel'
  | 'internalCancel'
  | 'tickRejected'
  | 'minTradeNtlRejected'
  | 'perpMarginRejected'
  | 'reduceOnlyRejected'
  | 'badAloPxRejected'
  | 'iocCancelRejected'
  | 'badTriggerPxRejected'
  | 'marketOrderNoLiquidityRejected'
  | 'positionIncreaseAtOpenInterestCapRejected'
  | 'positionFlipAtOpenInterestCapRejected'
  | 'tooAggressiveAtOpenInterestCapRejected'
  | 'openInterestIncreaseRejected'
  | 'insufficientSpotBalanceRejected'
  | 'oracleRejected'
  | 'perpMaxPositionRejected'
  | 'tooManyOpenOrdersRejected';

// --- Values in texts --------------------------------------------------------------------------------------------------------------

const QUOTE_UNIT = 1_000_000n;
/** Defaults of the protocol, for callers that do not know the market's. */
const MINIMUM_VALUE = 10n * QUOTE_UNIT;
const REFERENCE_BAND_BPS = 8000;

/** Quote units as a decimal number without trailing zeros: 373250000 is 373.25. */
function decimal(units: bigint): string {
  const sign = units < 0n ? '-' : '';
  const magnitude = units < 0n ? -units : units;
  const fraction = (magnitude % QUOTE_UNIT).toString().padStart(6, '0').replace(/0+$/, '');
  return `${sign}${magnitude / QUOTE_UNIT}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Messages of orders end with the asset. */
const order =
  (text: string | Text): Text =>
  (context) => {
    const sentence = typeof text === 'string' ? text : text(context);
    return context.asset === undefined ? sentence : `${sentence} asset=${context.asset}`;
  };

const plain =
  (text: string): Text =>
  () =>
    text;

const withUser = (context: MessageContext, before: string, after = ''): string =>
  context.user === undefined ? `${before}${after}` : `${before} ${context.user}${after}`;

/** "N < M" of nonces that are out of their window. */
function nonceText(context: MessageContext, words: string, relation: '<' | '>' | ''): string {
  const value = context.nonce === undefined ? '' : ` ${context.nonce}`;
  const bound = value === '' || relation === '' || context.nonceBound === undefined ? '' : ` ${relation} ${context.nonceBound}`;
  return `Invalid nonce: ${words}${value}${bound}`;
}

function volumeText(context: MessageContext, words: string): string {
  const required = context.requiredVolume === undefined ? '' : ` Required: $${decimal(context.requiredVolume)}.`;
  const traded = context.tradedVolume === undefined ? '' : ` Traded: $${decimal(context.tradedVolume)}.`;
  return `${words} until enough volume traded.${required}${traded}`;
}

function limitText(context: MessageContext, words: string): string {
  return context.limit === undefined ? words : `${words} Current limit is ${context.limit}`;
}

const unknownSigner: Text = (context) => withUser(context, 'User or API Wallet', ' does not exist.');
const unknownVault: Text = (context) => (context.user === undefined ? 'Vault not registered' : `Vault not registered: ${context.user}`);
const notDecoded: Text = plain('Failed to deserialize the JSON body into the target type');

/** The venue words a lack of money by where the money was to go. */
const lacksMoney: Text = ({ kind }) =>
  kind === undefined || kind === 'withdraw' ? 'Insufficient balance for withdrawal' : 'Insufficient balance for token transfer';

// --- Texts by code ----------------------------------------------------------------------------------------------------------------

const TRANSACTION_TEXTS: Readonly<Record<number, Text>> = {
  [code.CODE_UNDECODABLE]: notDecoded,
  [code.CODE_UNKNOWN_KIND]: notDecoded,
  [code.CODE_EMPTY_BATCH]: plain('Batch is empty.'),
  [code.CODE_TOO_MANY_ITEMS]: plain(`Too many items in one batch. The limit is ${BATCH_ITEMS_MAX}`),
  [code.CODE_ACCOUNT_NOT_FOUND]: unknownSigner,
  [code.CODE_NONCE_DUPLICATE]: (context) => nonceText(context, 'duplicate nonce', ''),
  [code.CODE_NONCE_TOO_LOW]: (context) => nonceText(context, 'nonce too low', '<'),
  [code.CODE_NONCE_TOO_HIGH]: (context) => nonceText(context, 'nonce too high', '>'),
  [code.CODE_NOT_AUTHORISED]: plain('Not authorised to perform this action.'),
  [code.CODE_AGENT_UNKNOWN]: unknownSigner,
  [code.CODE_MULTI_SIG_REQUIRED]: plain('Multi-sig required'),
  [code.CODE_MULTI_SIG_USER]: plain('Invalid multi-sig user'),
  [code.CODE_MULTI_SIG_SIGNER]: (context) =>
    context.outerSigner ? 'Invalid multi-sig outer signer' : withUser(context, 'Invalid multi-sig inner signer'),
  [code.CODE_MULTI_SIG_THRESHOLD]: plain('Multi-sig threshold not met'),
  [code.CODE_BEHALF_UNKNOWN]: unknownVault,
  [code.CODE_UNKNOWN_TOKEN]: plain('Unknown token.'),
  [code.CODE_ZERO_AMOUNT]: plain('Amount must be above zero.'),
  [code.CODE_INSUFFICIENT_BALANCE]: plain('Insufficient balance for token transfer'),
  [code.CODE_BALANCE_OVERFLOW]: plain('Amount is too large.'),
  [code.CODE_ACCOUNT_LIMIT]: plain('No more accounts can be created.'),
};

const ORDER_TEXTS: Readonly<Record<number, Text>> = {
  [code.CODE_UNKNOWN_MARKET]: order('Unknown asset.'),
  [code.CODE_UNKNOWN_OPERATION]: notDecoded,
  [code.CODE_INVALID_TIF]: order('Order has invalid time in force.'),
  [code.CODE_ZERO_SIZE]: order('Order has zero size.'),
  [code.CODE_SIZE_TOO_LARGE]: order('Order has invalid size.'),
  [code.CODE_LOT]: order('Order has invalid size.'),
  [code.CODE_INVALID_PRICE]: order('Order has invalid price.'),
  [code.CODE_TICK]: order('Price must be divisible by tick size.'),
  [code.CODE_MIN_VALUE]: order(({ minimum }) => `Order must have minimum value of $${decimal(minimum ?? MINIMUM_VALUE)}.`),
  [code.CODE_NO_DEPOSIT]: (context) =>
    context.user === undefined
      ? 'Must deposit before performing actions.'
      : `Must deposit before performing actions. User: ${context.user}`,
  [code.CODE_NO_MARK_PRICE]: order('Asset has no mark price yet.'),
  [code.CODE_DUPLICATE_CLOID]: order('Order has the client id of an open order.'),
  [code.CODE_TOO_MANY_OPEN_ORDERS]: order('Too many open orders.'),
  [code.CODE_REDUCE_ONLY]: order('Reduce only order would increase position.'),
  [code.CODE_POSITION_LIMIT]: order('Order would cause position to exceed the position limit'),
  [code.CODE_POST_ONLY]: order(
    ({ bid, ask }) => `Post only order would have immediately matched, bbo was ${bid ?? '0.0'}@${ask ?? '0.0'}.`,
  ),
  [code.CODE_INSUFFICIENT_MARGIN]: order(({ kind }) =>
    kind === 'updateLeverage' ? 'Insufficient margin to change leverage.' : 'Insufficient margin to place order.',
  ),
  [code.CODE_IOC_NO_MATCH]: order('Order could not immediately match against any resting orders.'),
  [code.CODE_NO_LIQUIDITY]: order('No liquidity available for market order.'),
  [code.CODE_ORDER_NOT_FOUND]: order('Order was never placed, already canceled, or filled.'),
  [code.CODE_MATCH_LIMIT]: order('Order met more resting orders than one action may match. The rest was canceled.'),
  [code.CODE_MARKET_HALTED]: order('Trading is halted.'),
  [code.CODE_PRICE_BAND]: order(
    ({ bandBps }) => `Order price cannot be more than ${(bandBps ?? REFERENCE_BAND_BPS) / 100}% away from the reference price`,
  ),
  [code.CODE_ORACLE_BAND]: order('Order price too far from oracle'),
  [code.CODE_TIER_LIMIT]: order('Order would cause position to exceed margin tier limit at current leverage'),
  [code.CODE_INTEREST_CAPPED]: order('Order would increase open interest while open interest is capped'),
  [code.CODE_INTEREST_AGGRESSIVE]: order('Order rejected due to price more aggressive than oracle while at open interest cap'),
  [code.CODE_INTEREST_SPEED]: order('Order would increase open interest too quickly'),
  [code.CODE_INVALID_TRIGGER]: order('Invalid TP/SL price.'),
  [code.CODE_FOK_NOT_FILLED]: order('Order could not be filled completely.'),
  [code.CODE_EXPIRED]: order('Order has already expired.'),
  [code.CODE_PARENT_REJECTED]: order('Parent order was not placed.'),
  // Not failures: the words that stand for such an order among the statuses of a batch (protocol, 3).
  [code.CODE_WAITING_FOR_FILL]: plain('waitingForFill'),
  [code.CODE_WAITING_FOR_TRIGGER]: plain('waitingForTrigger'),
  [code.CODE_INVALID_GROUP]: order('Invalid TP/SL group.'),
  [code.CODE_BUILDER_FEE]: ({ kind }) => (kind === 'approveBuilder' ? 'Builder fee is too high.' : 'Builder fee has not been approved.'),
  [code.CODE_INVALID_DISPLAY]: order('Order has invalid display size.'),
  [code.CODE_SELF_TRADE]: order('Order would have matched an order of the same account.'),
};

const ACCOUNT_TEXTS: Readonly<Record<number, Text>> = {
  [code.CODE_INSUFFICIENT_WITHDRAWABLE]: lacksMoney,
  [code.CODE_INVALID_LEVERAGE]: plain('Invalid leverage value'),
  [code.CODE_CROSS_NOT_ALLOWED]: plain('Cross margin is not allowed for this asset.'),
  [code.CODE_NO_ISOLATED_POSITION]: plain('No isolated position in this asset.'),
  [code.CODE_MARGIN_NOT_REMOVABLE]: plain('Margin cannot be removed from this position.'),
  [code.CODE_SCHEDULE_TOO_SOON]: plain('Scheduled cancel time must be at least 5 seconds ahead.'),
  [code.CODE_SCHEDULE_LIMIT]: (context) => limitText(context, 'Too many scheduled cancels triggered today.'),
  [code.CODE_SCHEDULE_VOLUME]: (context) => volumeText(context, 'Cannot set scheduled cancel time'),
  [code.CODE_TWAP_DURATION]: ({ minutes }) =>
    minutes === undefined ? 'Invalid TWAP duration' : `Invalid TWAP duration: ${minutes} min(s)`,
  [code.CODE_TWAP_TOO_SMALL]: ({ minimum }) =>
    minimum === undefined ? 'TWAP order value too small.' : `TWAP order value too small. Min is $${decimal(minimum)}`,
  [code.CODE_TWAP_NOT_FOUND]: plain('TWAP was never placed, already canceled, or filled.'),
  [code.CODE_TWAP_LIMIT]: plain(`Too many running TWAPs. The limit is ${TWAPS_MAX}`),
  [code.CODE_SUB_ACCOUNT_LIMIT]: (context) =>
    context.requiredVolume === undefined
      ? limitText(context, 'Too many sub-accounts for cumulative volume traded.')
      : volumeText(context, 'Cannot create sub-accounts'),
  [code.CODE_NOT_OWNER]: plain('Only the owner of the account can do this.'),
  [code.CODE_AGENT_LIMIT]: (context) => limitText(context, 'Too many extra agents.'),
  [code.CODE_AGENT_ADDRESS]: plain('Invalid agent address or expiry.'),
  [code.CODE_REFERRAL_UNKNOWN]: plain('Referral code does not exist.'),
  [code.CODE_REFERRAL_TAKEN]: plain('Referral code is already taken.'),
  [code.CODE_REFERRAL_SET]: plain('Referrer is already set.'),
  [code.CODE_NO_REWARDS]: plain('No rewards to claim.'),
  [code.CODE_VAULT_UNKNOWN]: unknownVault,
  [code.CODE_VAULT_CLOSED]: plain('Vault does not take deposits.'),
  [code.CODE_VAULT_LOCKED]: plain('Vault deposit is still locked.'),
  [code.CODE_VAULT_SHARES]: plain('Insufficient vault equity.'),
  [code.CODE_VAULT_LEADER_SHARE]: plain('Leader must keep the minimum share of the vault.'),
  [code.CODE_VAULT_LIMIT]: plain('No more vaults can be created.'),
  [code.CODE_VAULT_MINIMUM]: ({ minimum }) =>
    minimum === undefined ? 'Initial vault deposit is too small.' : `Initial vault deposit is too small. Min is $${decimal(minimum)}`,
  [code.CODE_INVALID_THRESHOLD]: plain('Invalid multi-sig threshold'),
  [code.CODE_INVALID_RECIPIENT]: plain('Invalid recipient.'),
  [code.CODE_PRICE_FAR_OFF]: plain('Reported prices are too far from the index.'),
  [code.CODE_INVALID_NAME]: plain('Invalid name.'),
};

const TEXTS: Readonly<Record<number, Text>> = { ...TRANSACTION_TEXTS, ...ORDER_TEXTS, ...ACCOUNT_TEXTS };

/** The text of a code other than 0 (protocol, 3.2; src/base/codes.ts), with those values of the context that it names. */
export function messageOfCode(result: number, context: MessageContext = {}): string {
  const text = TEXTS[result];
  assert(text !== undefined, `code ${result} has no text`);
  return text(context);
}

/** Rejections of the protocol that never reach the rules: whoever takes requests makes them (protocol, 2 and 3.2). */
export const requestMessages = {
  badSignature: 'Unable to recover signer',
  nonceMismatch: 'Nonce mismatch.',
  unifiedAccount: 'Action disabled when unified account is active',
  tooManySigners: 'Too many multi-sig signers',
  /** Requests of an address and how many it may have sent; the volume in quote units. */
  tooManyRequests: (sent: number, allowed: number, volume: bigint): string =>
    `Too many cumulative requests sent (${sent} > ${allowed}) for cumulative volume traded $${decimal(volume)}. ` +
    'Place taker orders to free up 1 request per USDC traded.',
  spotBalance: (asset: number): string => `Insufficient spot balance asset=${asset}`,
  /** The least value in quote units, in the name of the quote token. */
  spotMinimum: (minimum: bigint, quote: string, asset: number): string =>
    `Order must have minimum value of ${decimal(minimum)} ${quote}. asset=${asset}`,
} as const;

// --- Order statuses ---------------------------------------------------------------------------------------------------------------

const CODE_STATUSES: Readonly<Record<number, OrderStatus>> = {
  [code.CODE_TICK]: 'tickRejected',
  [code.CODE_MIN_VALUE]: 'minTradeNtlRejected',
  [code.CODE_INSUFFICIENT_MARGIN]: 'perpMarginRejected',
  [code.CODE_REDUCE_ONLY]: 'reduceOnlyRejected',
  [code.CODE_POST_ONLY]: 'badAloPxRejected',
  [code.CODE_IOC_NO_MATCH]: 'iocCancelRejected',
  [code.CODE_FOK_NOT_FILLED]: 'iocCancelRejected',
  [code.CODE_INVALID_TRIGGER]: 'badTriggerPxRejected',
  [code.CODE_NO_LIQUIDITY]: 'marketOrderNoLiquidityRejected',
  [code.CODE_INTEREST_CAPPED]: 'positionIncreaseAtOpenInterestCapRejected',
  [code.CODE_INTEREST_AGGRESSIVE]: 'tooAggressiveAtOpenInterestCapRejected',
  [code.CODE_INTEREST_SPEED]: 'openInterestIncreaseRejected',
  [code.CODE_ORACLE_BAND]: 'oracleRejected',
  [code.CODE_TIER_LIMIT]: 'perpMaxPositionRejected',
  [code.CODE_POSITION_LIMIT]: 'perpMaxPositionRejected',
  [code.CODE_TOO_MANY_OPEN_ORDERS]: 'tooManyOpenOrdersRejected',
  [code.CODE_SELF_TRADE]: 'selfTradeCanceled',
  [code.CODE_MATCH_LIMIT]: 'internalCancel',
  [code.CODE_WAITING_FOR_FILL]: 'open',
  [code.CODE_WAITING_FOR_TRIGGER]: 'open',
};

/** What the status of an order depends on beside its code. */
export interface OrderResult {
  /** Of its ITEM or ACTIVE event. */
  readonly restingLots?: bigint;
  /** Would have turned a position around, not only opened or added to one. */
  readonly flips?: boolean;
}

/** The status of an order behind its ITEM event; an order that was accepted and does not rest is filled, as far as it went. */
export function statusOfCode(result: number, { restingLots = 0n, flips = false }: OrderResult = {}): OrderStatus {
  if (result === code.CODE_OK) return restingLots > 0n ? 'open' : 'filled';
  if (result === code.CODE_INTEREST_CAPPED && flips) return 'positionFlipAtOpenInterestCapRejected';
  return CODE_STATUSES[result] ?? 'rejected';
}

const REASON_STATUSES: Readonly<Record<number, OrderStatus>> = {
  [code.REASON_SELF_TRADE]: 'selfTradeCanceled',
  [code.REASON_REDUCE_ONLY]: 'reduceOnlyCanceled',
  [code.REASON_MARGIN]: 'marginCanceled',
  // The protocol has no word of its own: a risk limit met when the order was to be filled.
  [code.REASON_POSITION_LIMIT]: 'marginCanceled',
  // An extension of ours that the protocol has no word for.
  [code.REASON_EXPIRED]: 'canceled',
  [code.REASON_SCHEDULED]: 'scheduledCancel',
  [code.REASON_SIBLING]: 'siblingFilledCanceled',
  [code.REASON_PARENT]: 'canceled',
  [code.REASON_LIQUIDATED]: 'liquidatedCanceled',
  [code.REASON_DELISTED]: 'delistedCanceled',
  // Orders that follow a position reduce only.
  [code.REASON_POSITION_CLOSED]: 'reduceOnlyCanceled',
  [code.REASON_WITHDRAWAL]: 'vaultWithdrawalCanceled',
};

/** The status of an order behind its CANCEL event (field `reason`). A cancel that its owner sent has none: it is `canceled`. */
export function statusOfReason(reason: number): OrderStatus {
  const status = REASON_STATUSES[reason];
  assert(status !== undefined, `reason ${reason} has no status`);
  return status;
}
