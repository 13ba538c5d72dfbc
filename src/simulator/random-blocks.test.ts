/** The generator is worth its seeds only if they reach every outcome: this holds that none is missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as codes from '../base/codes.ts';
import { Random } from '../base/random.ts';
import * as layout from '../exchange/layout.ts';
import { coverageOf, EVENTS } from './coverage.ts';
import { randomBlocks, randomGenesis } from './random-blocks.ts';

const SEEDS = 150;

/** What random blocks cannot reach, and why. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  CODE_UNKNOWN_OPERATION: 'an operation that does not exist does not decode: the batch is refused before it gets to its items',
  CAUSE_SETTLEMENT: 'settlement happens in the sweep between transactions, which has no receipts',
};

const KINDS = [
  ...['transfer', 'deposit', 'toSpot', 'withdraw', 'sendPerp', 'orders', 'oracle', 'updateLeverage', 'isolatedMargin', 'scheduleCancel'],
  ...['twap', 'twapCancel', 'createSubAccount', 'subTransfer', 'approveAgent', 'multiSig', 'approveBuilder', 'registerReferrer'],
  ...['setReferrer', 'claimRewards', 'noop', 'createVault', 'vaultTransfer', 'vaultModify', 'delist', 'setDisplayName', 'subAccountModify'],
];

const RECORDS = [
  ...['account', 'nonce chunk', 'balance', 'agent name', 'signer', 'margin account', 'portfolio', 'position', 'order', 'order extra'],
  ...['level', 'client id', 'market totals', 'price', 'order page', 'settings', 'volume', 'volume history', 'rewards', 'builder approval'],
  ...[
    'referral code',
    'vault',
    'vault count',
    'follower',
    'TWAP',
    'funding',
    'minutes',
    'treasury',
    'report',
    'delisting votes',
    'seed',
    'dormant account',
    'name',
    'vault text',
  ],
];

/** What the state comes to in some history. */
const TRAITS = [
  ...['nonce ring full', 'no number left', 'fee tier', 'maker tier', 'referred', 'partial liquidation', 'scheduled cancel', 'iceberg'],
  ...['isolated position', 'funding paid', 'deficit covered', 'withdrawn', 'delisted', 'average of a hyperp', 'basis and book averages'],
  ...['open interest capped', 'open interest grows too fast', 'account became dormant', 'dormant account revived'],
  ...[
    'dormant account with a margin account',
    'dormant account with a position',
    'dormant account with a history',
    'dormant account with a name',
  ],
];

const OUTCOMES = [
  ...KINDS.map((kind) => `accepted ${kind}`),
  ...['orders', 'twap', 'updateLeverage', 'deposit', 'toSpot'].map((kind) => `${kind} for another`),
  ...['orders', 'transfer'].map((kind) => `${kind} by signers`),
  ...['place', 'cancel', 'cancelByClientId', 'modify', 'reduce'].map((op) => `${op} CODE_OK`),
  ...['CODE_INSUFFICIENT_MARGIN', 'CODE_ORDER_NOT_FOUND', 'CODE_DUPLICATE_CLOID', 'CODE_POST_ONLY', 'CODE_TICK'].map(
    (code) => `modify ${code}`,
  ),
  ...['taker', 'maker'].flatMap((role) => ['opens', 'increases', 'decreases', 'closes', 'flips'].map((change) => `${role} ${change}`)),
  ...['unfilled, rests', 'filled', 'filled, rests'].map((fill) => `gtc ${fill}`),
  ...['ioc', 'market', 'fok'].map((tif) => `${tif} filled`),
  'alo unfilled, rests',
  'reduce-only filled',
  'rebate',
  "taker's builder fee",
  "maker's builder fee",
  ...['CODE_OK', 'CODE_REDUCE_ONLY', 'CODE_INSUFFICIENT_MARGIN', 'CODE_IOC_NO_MATCH'].map((code) => `active ${code}`),
  ...['LIQUIDATION', 'BACKSTOP', 'DELEVERAGE'].flatMap((cause) => [`forced CAUSE_${cause}`, `forced CAUSE_${cause} isolated`]),
  'forced CAUSE_BACKSTOP cover',
  ...['positive', 'negative', 'zero'].map((rate) => `funding rate ${rate}`),
  'slot of a later page',
  'as many cancels as one transaction may make',
  'as many trigger orders as one transaction may fire',
  ...TRAITS,
  ...RECORDS.map((name) => `record ${name}`),
];

test(`${SEEDS} seeds reach every code, reason, cause and event, and every shape of fill`, () => {
  const coverage = coverageOf(Array.from({ length: SEEDS }, (_, i) => i + 1));
  const missing = OUTCOMES.filter((name) => !coverage.has(name));
  for (const name of [
    ...Object.keys(codes),
    ...Object.keys(layout).filter((constant) => constant.startsWith('ACTIVE_')),
    ...EVENTS.values(),
  ]) {
    const names = name.startsWith('CODE_') ? [`transaction ${name}`, `item ${name}`] : [name];
    const reached = names.some((other) => coverage.has(other));
    if (!reached && !(name in UNREACHABLE)) missing.push(name);
    assert.ok(!(reached && name in UNREACHABLE), `${name} is listed as unreachable, but it is not`);
  }
  assert.deepEqual(missing, []);
});

test('a genesis and its blocks follow from the seed, and differ between seeds', () => {
  const blocks = (seed: number): unknown[] => [...randomBlocks(seed, randomGenesis(seed), { blocks: 3 })];
  assert.deepEqual(blocks(5), blocks(5));
  assert.notDeepEqual(blocks(5), blocks(6));
  assert.equal(blocks(5).length, 3);
});

test('random numbers stay within what was asked for, and all of it occurs', () => {
  const random = new Random(3);
  const seen = new Set(Array.from({ length: 1000 }, () => random.between(-2, 2)));
  assert.deepEqual([...seen].sort(), [-1, -2, 0, 1, 2]);
  for (let i = 0; i < 1000; i++) {
    assert.ok(random.belowBig(3n) < 3n && random.below(1) === 0 && !random.chance(0) && random.chance(1));
    assert.ok(['a', 'b'].includes(random.weighted({ a: 1, b: 2, c: 0 })));
  }
  assert.notEqual(new Random(1).next(), new Random(2 ** 32 + 1).next());
});
