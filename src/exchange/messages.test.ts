/** The rejections that the protocol lists, word by word; every code and reason has a text or a status. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionError } from '../base/assert.ts';
import * as code from '../base/codes.ts';
import { messageOfCode, type OrderStatus, requestMessages, statusOfCode, statusOfReason } from './messages.ts';

const USD = 1_000_000n;
const USER = `0x${'ab'.repeat(20)}`;
const asset = 7;

/** Protocol, 3.2, line by line (with 2.4 for nonces): condition, what we say, what the protocol says. */
const LISTED: readonly (readonly [condition: string, said: string, expected: string])[] = [
  ['tick', messageOfCode(code.CODE_TICK, { asset }), 'Price must be divisible by tick size. asset=7'],
  ['min value perp', messageOfCode(code.CODE_MIN_VALUE, { asset, minimum: 10n * USD }), 'Order must have minimum value of $10. asset=7'],
  ['min value spot', requestMessages.spotMinimum(10n * USD, 'USDC', 10_000), 'Order must have minimum value of 10 USDC. asset=10000'],
  ['margin', messageOfCode(code.CODE_INSUFFICIENT_MARGIN, { asset, kind: 'orders' }), 'Insufficient margin to place order. asset=7'],
  ['reduce-only', messageOfCode(code.CODE_REDUCE_ONLY, { asset }), 'Reduce only order would increase position. asset=7'],
  [
    'post-only',
    messageOfCode(code.CODE_POST_ONLY, { asset, bid: '1.2345', ask: '1.2346' }),
    'Post only order would have immediately matched, bbo was 1.2345@1.2346. asset=7',
  ],
  [
    'ioc without a match',
    messageOfCode(code.CODE_IOC_NO_MATCH, { asset }),
    'Order could not immediately match against any resting orders. asset=7',
  ],
  ['bad trigger', messageOfCode(code.CODE_INVALID_TRIGGER, { asset }), 'Invalid TP/SL price. asset=7'],
  ['no liquidity', messageOfCode(code.CODE_NO_LIQUIDITY, { asset }), 'No liquidity available for market order. asset=7'],
  [
    'open interest cap',
    messageOfCode(code.CODE_INTEREST_CAPPED, { asset }),
    'Order would increase open interest while open interest is capped asset=7',
  ],
  [
    'open interest cap, aggressive',
    messageOfCode(code.CODE_INTEREST_AGGRESSIVE, { asset }),
    'Order rejected due to price more aggressive than oracle while at open interest cap asset=7',
  ],
  ['open interest speed', messageOfCode(code.CODE_INTEREST_SPEED, { asset }), 'Order would increase open interest too quickly asset=7'],
  ['spot balance', requestMessages.spotBalance(10_000), 'Insufficient spot balance asset=10000'],
  ['far from oracle', messageOfCode(code.CODE_ORACLE_BAND, { asset }), 'Order price too far from oracle asset=7'],
  [
    'far from reference',
    messageOfCode(code.CODE_PRICE_BAND, { asset, bandBps: 8000 }),
    'Order price cannot be more than 80% away from the reference price asset=7',
  ],
  [
    'tier limit',
    messageOfCode(code.CODE_TIER_LIMIT, { asset }),
    'Order would cause position to exceed margin tier limit at current leverage asset=7',
  ],
  ['cancel missing', messageOfCode(code.CODE_ORDER_NOT_FOUND, { asset }), 'Order was never placed, already canceled, or filled. asset=7'],
  ['invalid price', messageOfCode(code.CODE_INVALID_PRICE, { asset }), 'Order has invalid price. asset=7'],
  ['invalid size', messageOfCode(code.CODE_LOT, { asset }), 'Order has invalid size. asset=7'],
  ['size too large', messageOfCode(code.CODE_SIZE_TOO_LARGE, { asset }), 'Order has invalid size. asset=7'],
  ['zero size', messageOfCode(code.CODE_ZERO_SIZE, { asset }), 'Order has zero size. asset=7'],
  ['unknown signer', messageOfCode(code.CODE_ACCOUNT_NOT_FOUND, { user: USER }), `User or API Wallet ${USER} does not exist.`],
  ['unknown agent', messageOfCode(code.CODE_AGENT_UNKNOWN, { user: USER }), `User or API Wallet ${USER} does not exist.`],
  ['no deposit', messageOfCode(code.CODE_NO_DEPOSIT, { asset, user: USER }), `Must deposit before performing actions. User: ${USER}`],
  ['signature', requestMessages.badSignature, 'Unable to recover signer'],
  ['acting for an unknown vault', messageOfCode(code.CODE_BEHALF_UNKNOWN, { user: USER }), `Vault not registered: ${USER}`],
  ['unknown vault', messageOfCode(code.CODE_VAULT_UNKNOWN, { user: USER }), `Vault not registered: ${USER}`],
  [
    'rate',
    requestMessages.tooManyRequests(10_305, 10_304, 304_500_000n),
    'Too many cumulative requests sent (10305 > 10304) for cumulative volume traded $304.5. Place taker orders to free up 1 request per USDC traded.',
  ],
  [
    'scheduled cancel',
    messageOfCode(code.CODE_SCHEDULE_VOLUME, { requiredVolume: 1_000_000n * USD, tradedVolume: 373_472_050n }),
    'Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $373.47205.',
  ],
  ['mode', requestMessages.unifiedAccount, 'Action disabled when unified account is active'],
  ['withdrawal', messageOfCode(code.CODE_INSUFFICIENT_WITHDRAWABLE, { kind: 'withdraw' }), 'Insufficient balance for withdrawal'],
  ['transfer', messageOfCode(code.CODE_INSUFFICIENT_BALANCE), 'Insufficient balance for token transfer'],
  [
    'transfer of collateral',
    messageOfCode(code.CODE_INSUFFICIENT_WITHDRAWABLE, { kind: 'sendPerp' }),
    'Insufficient balance for token transfer',
  ],
  ['TWAP duration', messageOfCode(code.CODE_TWAP_DURATION, { minutes: 3 }), 'Invalid TWAP duration: 3 min(s)'],
  ['TWAP value', messageOfCode(code.CODE_TWAP_TOO_SMALL, { minimum: 100n * USD }), 'TWAP order value too small. Min is $100'],
  ['TWAP missing', messageOfCode(code.CODE_TWAP_NOT_FOUND), 'TWAP was never placed, already canceled, or filled.'],
  ['nonce again', messageOfCode(code.CODE_NONCE_DUPLICATE, { nonce: 5n }), 'Invalid nonce: duplicate nonce 5'],
  ['nonce low', messageOfCode(code.CODE_NONCE_TOO_LOW, { nonce: 5n, nonceBound: 6n }), 'Invalid nonce: nonce too low 5 < 6'],
  ['nonce high', messageOfCode(code.CODE_NONCE_TOO_HIGH, { nonce: 7n, nonceBound: 6n }), 'Invalid nonce: nonce too high 7 > 6'],
  ['nonce of the envelope', requestMessages.nonceMismatch, 'Nonce mismatch.'],
  ['multi-sig required', messageOfCode(code.CODE_MULTI_SIG_REQUIRED), 'Multi-sig required'],
  ['multi-sig user', messageOfCode(code.CODE_MULTI_SIG_USER), 'Invalid multi-sig user'],
  ['inner signer', messageOfCode(code.CODE_MULTI_SIG_SIGNER, { user: USER }), `Invalid multi-sig inner signer ${USER}`],
  ['outer signer', messageOfCode(code.CODE_MULTI_SIG_SIGNER, { user: USER, outerSigner: true }), 'Invalid multi-sig outer signer'],
  ['threshold', messageOfCode(code.CODE_MULTI_SIG_THRESHOLD), 'Multi-sig threshold not met'],
  ['too many signers', requestMessages.tooManySigners, 'Too many multi-sig signers'],
  ['does not decode', messageOfCode(code.CODE_UNDECODABLE), 'Failed to deserialize the JSON body into the target type'],
];

test('every rejection that the protocol lists has its words', () => {
  for (const [condition, said, expected] of LISTED) assert.equal(said, expected, condition);
});

/** Constants of the table of codes whose names begin so. */
function named(prefix: string): (readonly [name: string, value: number])[] {
  return Object.entries<number>(code).filter(([name]) => name.startsWith(prefix));
}

test('every code has a text, which begins the same when nothing is known about the rejection', () => {
  const codes = named('CODE_').filter(([, value]) => value !== code.CODE_OK);
  assert.ok(codes.length > 80);
  for (const [name, value] of codes) {
    const bare = messageOfCode(value);
    assert.match(bare, /^\S.*\S$/, name);
    assert.doesNotMatch(bare, /undefined|NaN/, name);
    assert.equal(messageOfCode(value, { asset: 3 }).replace(/ asset=3$/, ''), bare, name);
  }
});

test('a code that is none of the table is a mistake of ours', () => {
  assert.throws(() => messageOfCode(code.CODE_OK), AssertionError);
  assert.throws(() => messageOfCode(9999), AssertionError);
  assert.throws(() => statusOfReason(0), AssertionError);
});

test('what is not known is left out, and the leading words stay', () => {
  assert.equal(messageOfCode(code.CODE_AGENT_UNKNOWN), 'User or API Wallet does not exist.');
  assert.equal(messageOfCode(code.CODE_POST_ONLY, { ask: '5' }), 'Post only order would have immediately matched, bbo was 0.0@5.');
  assert.equal(messageOfCode(code.CODE_SCHEDULE_VOLUME), 'Cannot set scheduled cancel time until enough volume traded.');
  assert.equal(messageOfCode(code.CODE_NONCE_TOO_LOW, { nonce: 5n }), 'Invalid nonce: nonce too low 5');
});

test('texts follow the values of the market and the transaction', () => {
  const band = messageOfCode(code.CODE_PRICE_BAND, { bandBps: 1250 });
  assert.equal(band, 'Order price cannot be more than 12.5% away from the reference price');
  assert.equal(messageOfCode(code.CODE_MIN_VALUE, { minimum: 12_340_000n }), 'Order must have minimum value of $12.34.');
  assert.equal(messageOfCode(code.CODE_INSUFFICIENT_MARGIN, { kind: 'updateLeverage' }), 'Insufficient margin to change leverage.');
  assert.equal(messageOfCode(code.CODE_AGENT_LIMIT, { limit: 3 }), 'Too many extra agents. Current limit is 3');
});

test('rejected orders have the status that the protocol gives them', () => {
  const expected: readonly (readonly [number, OrderStatus])[] = [
    [code.CODE_TICK, 'tickRejected'],
    [code.CODE_MIN_VALUE, 'minTradeNtlRejected'],
    [code.CODE_INSUFFICIENT_MARGIN, 'perpMarginRejected'],
    [code.CODE_REDUCE_ONLY, 'reduceOnlyRejected'],
    [code.CODE_POST_ONLY, 'badAloPxRejected'],
    [code.CODE_IOC_NO_MATCH, 'iocCancelRejected'],
    [code.CODE_INVALID_TRIGGER, 'badTriggerPxRejected'],
    [code.CODE_NO_LIQUIDITY, 'marketOrderNoLiquidityRejected'],
    [code.CODE_INTEREST_CAPPED, 'positionIncreaseAtOpenInterestCapRejected'],
    [code.CODE_INTEREST_AGGRESSIVE, 'tooAggressiveAtOpenInterestCapRejected'],
    [code.CODE_INTEREST_SPEED, 'openInterestIncreaseRejected'],
    [code.CODE_ORACLE_BAND, 'oracleRejected'],
    [code.CODE_TIER_LIMIT, 'perpMaxPositionRejected'],
    [code.CODE_TOO_MANY_OPEN_ORDERS, 'tooManyOpenOrdersRejected'],
    [code.CODE_SELF_TRADE, 'selfTradeCanceled'],
    [code.CODE_UNKNOWN_MARKET, 'rejected'],
    [code.CODE_NO_DEPOSIT, 'rejected'],
  ];
  for (const [value, status] of expected) assert.equal(statusOfCode(value), status);
  assert.equal(statusOfCode(code.CODE_INTEREST_CAPPED, { flips: true }), 'positionFlipAtOpenInterestCapRejected');
});

test('accepted orders are open while they rest or wait, else filled', () => {
  assert.equal(statusOfCode(code.CODE_OK, { restingLots: 4n }), 'open');
  assert.equal(statusOfCode(code.CODE_OK, { restingLots: 0n }), 'filled');
  assert.equal(statusOfCode(code.CODE_WAITING_FOR_FILL, { restingLots: 4n }), 'open');
  assert.equal(statusOfCode(code.CODE_WAITING_FOR_TRIGGER, { restingLots: 0n }), 'open');
  assert.equal(messageOfCode(code.CODE_WAITING_FOR_FILL), 'waitingForFill');
  assert.equal(messageOfCode(code.CODE_WAITING_FOR_TRIGGER), 'waitingForTrigger');
});

test('every reason of a cancel has a status', () => {
  const expected: Readonly<Record<string, OrderStatus>> = {
    REASON_SELF_TRADE: 'selfTradeCanceled',
    REASON_REDUCE_ONLY: 'reduceOnlyCanceled',
    REASON_MARGIN: 'marginCanceled',
    REASON_POSITION_LIMIT: 'marginCanceled',
    REASON_EXPIRED: 'canceled',
    REASON_SCHEDULED: 'scheduledCancel',
    REASON_SIBLING: 'siblingFilledCanceled',
    REASON_PARENT: 'canceled',
    REASON_LIQUIDATED: 'liquidatedCanceled',
    REASON_DELISTED: 'delistedCanceled',
    REASON_POSITION_CLOSED: 'reduceOnlyCanceled',
    REASON_WITHDRAWAL: 'vaultWithdrawalCanceled',
  };
  assert.deepEqual(Object.fromEntries(named('REASON_').map(([name, value]) => [name, statusOfReason(value)])), expected);
});
