/** Every action as the transaction that it becomes, and every reason for which one is refused before it is submitted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchangeDefaults } from '../exchange/genesis.ts';
import { decodeTransaction, encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Transaction } from '../ledger/transactions.ts';
import { readAction } from '../sdk/wire-actions.ts';
import { MarketTable } from '../views/market-table.ts';
import { ACTIONS, type LedgerAction, translateAction } from './exchange-actions.ts';
import { testGenesis } from './service-for-tests.ts';
import { type ActionContext, isRefusal, type TransactionBody } from './translation.ts';

const CONTEXT: ActionContext = {
  markets: new MarketTable(testGenesis()).markets,
  tokens: testGenesis().tokens,
  exchange: exchangeDefaults,
  bestPrices: () => ({}),
};
const SENDER = `0x${'11'.repeat(20)}`;
const OTHER = `0x${'22'.repeat(20)}`;
const MIXED = `0x${'aB'.repeat(20)}`;
const CLOID = `0x${'0c'.repeat(16)}`;
const USER = { signatureChainId: '0x66eee', hyperliquidChain: 'Testnet' };
const NONCE = { ...USER, nonce: 1 };
const TIME = { ...USER, time: 1 };
const HUGE = 2n ** 62n;

const wire = (more: object = {}): object => ({ a: 0, b: true, p: '59000', s: '0.01', r: false, t: { limit: { tif: 'Gtc' } }, ...more });
const place = { op: 'place', market: 0, side: 'buy', tif: 'gtc', priceTicks: 590_000, sizeLots: 1000n } as const;
const orders = (...items: Extract<Transaction, { kind: 'orders' }>['items']): TransactionBody => ({ kind: 'orders', items });
const trigger = (isMarket: boolean, tpsl: string): object => ({ trigger: { isMarket, triggerPx: '50000', tpsl } });

/** An action, and the transaction that it becomes or the text of its refusal. */
const CASES: readonly (readonly [
  action: Record<string, unknown> & { type: string },
  expected: TransactionBody | string,
  behalf?: string,
])[] = [
  [{ type: 'order', orders: [wire()], grouping: 'na' }, orders(place)],
  [
    { type: 'order', orders: [wire({ b: false, r: true, c: CLOID.toUpperCase().replace('X', 'x') })] },
    orders({ ...place, side: 'sell', reduceOnly: true, clientId: CLOID }),
  ],
  [{ type: 'order', orders: [wire({ t: { limit: { tif: 'Ioc' } } })] }, orders({ ...place, tif: 'ioc' })],
  [{ type: 'order', orders: [wire({ t: { limit: { tif: 'Alo' } } })] }, orders({ ...place, tif: 'alo' })],
  [{ type: 'order', orders: [wire({ t: { limit: { tif: 'FrontendMarket' } } })] }, orders({ ...place, tif: 'ioc' })],
  [{ type: 'order', orders: [wire({ t: { limit: { tif: 'Fok' } } })] }, orders({ ...place, tif: 'fok' })],
  [
    { type: 'order', orders: [wire({ e: 5, d: '0.001', m: 'cancelBoth' })] },
    orders({ ...place, expiresMs: 5, displayLots: 100n, selfTrade: 'cancelBoth' }),
  ],
  // Not whole ticks or lots, no number, and a market that is not there: values that the rules refuse.
  [{ type: 'order', orders: [wire({ p: '59000.55' })] }, orders({ ...place, priceTicks: 0 })],
  [{ type: 'order', orders: [wire({ p: '-1' })] }, orders({ ...place, priceTicks: 0 })],
  [{ type: 'order', orders: [wire({ p: '1e5' })] }, orders({ ...place, priceTicks: 0 })],
  [{ type: 'order', orders: [wire({ p: '99999999999' })] }, orders({ ...place, priceTicks: 2 ** 32 - 1 })],
  [{ type: 'order', orders: [wire({ s: '0.0100001' })] }, orders({ ...place, sizeLots: HUGE })],
  [{ type: 'order', orders: [wire({ s: 'x' })] }, orders({ ...place, sizeLots: HUGE })],
  [{ type: 'order', orders: [wire({ a: 10_000 })] }, orders({ ...place, market: 10_000, priceTicks: 0, sizeLots: HUGE })],
  [
    { type: 'order', orders: [wire({ t: trigger(true, 'tp') })] },
    orders({ ...place, tif: 'ioc', priceTicks: 0, trigger: { kind: 'takeProfit', market: true, priceTicks: 500_000 } }),
  ],
  [
    { type: 'order', orders: [wire({ t: trigger(false, 'sl') })] },
    orders({ ...place, trigger: { kind: 'stopLoss', market: false, priceTicks: 500_000 } }),
  ],
  [
    { type: 'order', orders: [wire()], grouping: 'normalTpsl' },
    { kind: 'orders', items: [place], grouping: 'normal' },
  ],
  [
    { type: 'order', orders: [wire({ s: '3' })], grouping: 'positionTpsl' },
    { kind: 'orders', items: [{ ...place, sizeLots: 0n }], grouping: 'position' },
  ],
  [{ type: 'order', orders: [wire()], grouping: { p: 3 } }, orders(place)],
  [
    { type: 'order', orders: [wire()], builder: { b: MIXED, f: 7 } },
    { kind: 'orders', items: [place], builder: { address: MIXED.toLowerCase(), fee: 7 } },
  ],
  [{ type: 'order', orders: [wire()], builder: { b: OTHER, f: 0 } }, orders(place)],
  [{ type: 'order', orders: [] }, orders()],
  [{ type: 'cancel', cancels: [{ a: 1, o: 77 }] }, orders({ op: 'cancel', market: 1, oid: 77n })],
  [{ type: 'cancelByCloid', cancels: [{ asset: 1, cloid: CLOID }] }, orders({ op: 'cancelByClientId', market: 1, target: CLOID })],
  [{ type: 'modify', oid: 5, order: wire() }, orders({ ...place, op: 'modify', target: 5n })],
  [{ type: 'modify', oid: CLOID, order: wire(), a: true }, orders({ ...place, op: 'modify', target: CLOID, always: true })],
  [{ type: 'batchModify', modifies: [{ oid: 5, order: wire() }] }, orders({ ...place, op: 'modify', target: 5n })],
  [{ type: 'reduce', reduces: [{ a: 0, o: 9, s: '0.00001' }] }, orders({ op: 'reduce', market: 0, oid: 9n, sizeLots: 1n })],
  [
    { type: 'reportPrices', prices: [{ a: 1, s: ['3000.5', '0'] }] },
    { kind: 'oracle', prices: [{ market: 1, spot: [300_050, 0] }] },
  ],
  [
    { type: 'reportPrices', prices: [{ a: 0, s: ['1'], p: ['2'] }] },
    { kind: 'oracle', prices: [{ market: 0, spot: [10], perp: [20] }] },
  ],
  [{ type: 'reportPrices', prices: [{ a: 1, s: ['3000.555'] }] }, 'Price must be divisible by tick size. asset=1'],
  [{ type: 'reportPrices', prices: [{ a: 7, s: ['1'] }] }, 'Unknown asset. asset=7'],
  [
    { type: 'voteDelist', a: 1 },
    { kind: 'delist', market: 1 },
  ],
  [
    { type: 'scheduleCancel', time: 9 },
    { kind: 'scheduleCancel', timeMs: 9 },
  ],
  [{ type: 'scheduleCancel' }, { kind: 'scheduleCancel' }],
  [
    { type: 'updateLeverage', asset: 1, isCross: false, leverage: 3 },
    { kind: 'updateLeverage', market: 1, leverage: 3, isolated: true },
  ],
  [
    { type: 'updateIsolatedMargin', asset: 1, isBuy: true, ntli: -5 },
    { kind: 'isolatedMargin', market: 1, amount: -5n },
  ],
  [
    { type: 'topUpIsolatedOnlyMargin', asset: 1, leverage: '4' },
    { kind: 'isolatedMargin', market: 1, leverage: 4 },
  ],
  [{ type: 'topUpIsolatedOnlyMargin', asset: 1, leverage: '4.5' }, 'Invalid leverage value'],
  [
    { type: 'twapOrder', twap: { a: 1, b: false, s: '2', r: true, m: 30, t: true } },
    { kind: 'twap', market: 1, side: 'sell', sizeLots: 20_000n, minutes: 30, reduceOnly: true, randomize: true },
  ],
  [
    { type: 'twapOrder', twap: { a: 1, b: true, s: '2', r: false, m: 30, t: false }, details: { t: { p: '3100', a: true }, s: '3500' } },
    {
      kind: 'twap',
      market: 1,
      side: 'buy',
      sizeLots: 20_000n,
      minutes: 30,
      start: { priceTicks: 310_000, above: true },
      stopTicks: 350_000,
    },
  ],
  [
    { type: 'twapOrder', twap: { a: 1, b: true, s: '2', r: false, m: 30, t: false }, details: { t: null, s: '0' } },
    'Invalid TWAP trigger or stop price.',
  ],
  [
    { type: 'twapCancel', a: 1, t: 3 },
    { kind: 'twapCancel', market: 1, id: 3 },
  ],
  [
    { type: 'usdSend', ...TIME, destination: MIXED, amount: '1.5' },
    { kind: 'sendPerp', recipient: MIXED.toLowerCase(), amount: 1_500_000n },
  ],
  [{ type: 'usdSend', ...TIME, destination: OTHER, amount: '0.0000001' }, 'Amount is no number of this token.'],
  [{ type: 'usdSend', ...TIME, destination: OTHER, amount: '-1' }, 'Amount is no number of this token.'],
  [
    { type: 'spotSend', ...TIME, destination: MIXED, token: 'USDC:0x00', amount: '2' },
    { kind: 'transfer', recipient: MIXED.toLowerCase(), token: 0, amount: 2_000_000n },
  ],
  [
    { type: 'spotSend', ...TIME, destination: OTHER, token: 'PURR:0x00', amount: '2' },
    { kind: 'transfer', recipient: OTHER, token: 1, amount: 2n },
  ],
  [
    { type: 'usdClassTransfer', ...NONCE, amount: '3', toPerp: true },
    { kind: 'deposit', amount: 3_000_000n },
  ],
  [
    { type: 'usdClassTransfer', ...NONCE, amount: `3 subaccount:${MIXED}`, toPerp: false },
    { kind: 'toSpot', amount: 3_000_000n },
    MIXED.toLowerCase(),
  ],
  [{ type: 'usdClassTransfer', ...NONCE, amount: '3 subaccount:x', toPerp: false }, 'Amount is no number of this token.'],
  [
    { type: 'withdraw3', ...TIME, destination: OTHER, amount: '4' },
    { kind: 'withdraw', amount: 4_000_000n },
  ],
  [sendAsset('', ''), { kind: 'sendPerp', recipient: OTHER, amount: 1_000_000n }],
  [sendAsset('spot', 'spot'), { kind: 'transfer', recipient: OTHER, token: 0, amount: 1_000_000n }],
  [sendAsset('spot', '', { destination: SENDER }), { kind: 'deposit', amount: 1_000_000n }],
  [sendAsset('', 'spot', { destination: SENDER }), { kind: 'toSpot', amount: 1_000_000n }],
  [sendAsset('', 'spot', { destination: OTHER, fromSubAccount: OTHER }), { kind: 'toSpot', amount: 1_000_000n }, OTHER],
  [
    sendAsset('', '', { destination: SENDER, fromSubAccount: OTHER }),
    { kind: 'subTransfer', subAccount: OTHER, deposit: false, amount: 1_000_000n },
  ],
  [sendAsset('', 'spot'), 'Invalid recipient.'],
  [sendAsset('', '', { fromSubAccount: OTHER }), 'Invalid recipient.'],
  [sendAsset('', 'other'), 'Invalid perp dex.'],
  [sendAsset('', '', { token: 'PURR:0x00' }), 'Only the quote token is collateral.'],
  [sendAsset('', '', { fromSubAccount: 'x' }), 'Invalid sub-account.'],
  [sendAsset('spot', 'spot', { fromSubAccount: OTHER }), 'Sub-accounts send from their collateral only: move the amount there first.'],
  [
    { ...sendAsset('', ''), type: 'agentSendAsset' },
    { kind: 'sendPerp', recipient: OTHER, amount: 1_000_000n },
  ],
  [
    { type: 'createSubAccount', name: 'a' },
    { kind: 'createSubAccount', name: 'a' },
  ],
  [{ type: 'createSubAccount', name: '' }, 'Invalid name.'],
  [{ type: 'createSubAccount', name: 'é'.repeat(13) }, 'Invalid name. It has 26 bytes of UTF-8, and may have 24.'],
  [
    { type: 'subAccountModify', subAccountUser: OTHER, name: 'é'.repeat(12) },
    { kind: 'subAccountModify', subAccount: OTHER, name: 'é'.repeat(12) },
  ],
  [{ type: 'subAccountModify', subAccountUser: OTHER, name: '' }, 'Invalid name.'],
  [{ type: 'subAccountModify', subAccountUser: OTHER, name: 'a\0' }, 'Invalid name.'],
  [
    { type: 'setDisplayName', displayName: '' },
    { kind: 'setDisplayName', name: '' },
  ],
  [
    { type: 'setDisplayName', displayName: 'Ada' },
    { kind: 'setDisplayName', name: 'Ada' },
  ],
  [{ type: 'setDisplayName', displayName: 'x'.repeat(25) }, 'Invalid name. It has 25 bytes of UTF-8, and may have 24.'],
  [
    { type: 'subAccountTransfer', subAccountUser: OTHER, isDeposit: true, usd: 9 },
    { kind: 'subTransfer', subAccount: OTHER, deposit: true, amount: 9n },
  ],
  [
    { type: 'subAccountSpotTransfer', subAccountUser: OTHER, isDeposit: true, token: 'USDC:0x', amount: '1' },
    { kind: 'transfer', recipient: OTHER, token: 0, amount: 1_000_000n },
  ],
  [
    { type: 'subAccountSpotTransfer', subAccountUser: OTHER, isDeposit: false, token: 'USDC:0x', amount: '1' },
    'Sub-accounts send from their collateral only: move the amount there first.',
  ],
  [
    { type: 'createVault', name: 'a', description: 'b', initialUsd: 100, nonce: 1 },
    { kind: 'createVault', amount: 100n, name: 'a', description: 'b' },
  ],
  [
    { type: 'createVault', name: 'x'.repeat(72), description: '', initialUsd: 100, nonce: 1 },
    { kind: 'createVault', amount: 100n, name: 'x'.repeat(72) },
  ],
  [{ type: 'createVault', name: '', description: 'b', initialUsd: 100, nonce: 1 }, 'Invalid name.'],
  [
    { type: 'createVault', name: 'ж'.repeat(50), description: 'b', initialUsd: 100, nonce: 1 },
    'Invalid name. It has 100 bytes of UTF-8, and may have 72.',
  ],
  [
    { type: 'createVault', name: 'a', description: 'ж'.repeat(250), initialUsd: 100, nonce: 1 },
    'Invalid description. It has 500 bytes of UTF-8, and may have 384.',
  ],
  [{ type: 'createVault', name: 'a', description: 'b\0', initialUsd: 100, nonce: 1 }, 'Invalid description.'],
  [
    { type: 'vaultTransfer', vaultAddress: OTHER, isDeposit: false, usd: 5 },
    { kind: 'vaultTransfer', vault: OTHER, deposit: false, amount: 5n },
  ],
  [
    { type: 'vaultModify', vaultAddress: OTHER, allowDeposits: false, alwaysCloseOnWithdraw: null },
    { kind: 'vaultModify', vault: OTHER, allowDeposits: false },
  ],
  [{ type: 'vaultModify', vaultAddress: OTHER, alwaysCloseOnWithdraw: true }, 'Vaults close positions as far as a withdrawal needs it.'],
  [{ type: 'vaultModify', vaultAddress: OTHER }, 'Nothing to modify.'],
  [
    { type: 'approveAgent', ...NONCE, agentAddress: OTHER, agentName: null },
    { kind: 'approveAgent', agent: OTHER },
  ],
  [
    { type: 'approveAgent', ...NONCE, agentAddress: OTHER, agentName: 'bot' },
    { kind: 'approveAgent', agent: OTHER, name: 'bot' },
  ],
  [
    { type: 'approveAgent', ...NONCE, agentAddress: OTHER, agentName: 'bot valid_until 123' },
    { kind: 'approveAgent', agent: OTHER, name: 'bot', expiresMs: 123 },
  ],
  [
    { type: 'approveAgent', ...NONCE, agentAddress: OTHER, agentName: 'valid_until 123' },
    { kind: 'approveAgent', agent: OTHER, expiresMs: 123 },
  ],
  [{ type: 'approveAgent', ...NONCE, agentAddress: OTHER, agentName: 'a name of twenty bytes' }, 'Invalid agent name.'],
  [
    { type: 'approveBuilderFee', ...NONCE, builder: OTHER, maxFeeRate: '0.01%' },
    { kind: 'approveBuilder', builder: OTHER, maxFee: 10 },
  ],
  [
    { type: 'approveBuilderFee', ...NONCE, builder: OTHER, maxFeeRate: '0%' },
    { kind: 'approveBuilder', builder: OTHER, maxFee: 0 },
  ],
  [{ type: 'approveBuilderFee', ...NONCE, builder: OTHER, maxFeeRate: '0.0001%' }, 'Invalid builder fee rate.'],
  [{ type: 'approveBuilderFee', ...NONCE, builder: OTHER, maxFeeRate: '0.01' }, 'Invalid builder fee rate.'],
  [
    { type: 'convertToMultiSigUser', ...NONCE, signers: JSON.stringify({ authorizedUsers: [SENDER, MIXED], threshold: 2 }) },
    { kind: 'multiSig', signers: { authorised: [SENDER, MIXED.toLowerCase()], threshold: 2 } },
  ],
  [{ type: 'convertToMultiSigUser', ...NONCE, signers: 'null' }, { kind: 'multiSig' }],
  [{ type: 'convertToMultiSigUser', ...NONCE, signers: '{' }, 'Invalid multi-sig signers.'],
  [
    { type: 'convertToMultiSigUser', ...NONCE, signers: JSON.stringify({ authorizedUsers: [OTHER, OTHER], threshold: 1 }) },
    'Invalid multi-sig signers: one is named twice.',
  ],
  [
    {
      type: 'convertToMultiSigUser',
      ...NONCE,
      signers: JSON.stringify({ authorizedUsers: Array.from({ length: 11 }, (_, i) => `0x${String(i).padStart(40, '0')}`), threshold: 1 }),
    },
    'Too many multi-sig signers',
  ],
  [
    { type: 'setReferrer', code: 'ABC' },
    { kind: 'setReferrer', code: 'ABC' },
  ],
  [
    { type: 'registerReferrer', code: 'ABC' },
    { kind: 'registerReferrer', code: 'ABC' },
  ],
  [{ type: 'registerReferrer', code: '' }, 'Invalid referral code.'],
  [{ type: 'setReferrer', code: 'longer than twenty bytes' }, 'Invalid referral code.'],
  [{ type: 'claimRewards' }, { kind: 'claimRewards' }],
  [{ type: 'noop' }, { kind: 'noop' }],
  [{ type: 'agentSetAbstraction', abstraction: 'i' }, { kind: 'noop' }],
  [{ type: 'agentSetAbstraction', abstraction: 'u' }, 'Unified accounts and portfolio margin are not part of this venue.'],
  [{ type: 'userSetAbstraction', ...NONCE, user: OTHER, abstraction: 'disabled' }, { kind: 'noop' }],
  [{ type: 'userDexAbstraction', ...NONCE, user: OTHER, enabled: false }, { kind: 'noop' }],
  [
    { type: 'userPortfolioMargin', ...NONCE, user: OTHER, enabled: true },
    'Unified accounts and portfolio margin are not part of this venue.',
  ],
  [{ type: 'agentEnableDexAbstraction' }, 'Unified accounts and portfolio margin are not part of this venue.'],
  [{ type: 'vaultDistribute', vaultAddress: OTHER, usd: 1 }, 'Vaults pay out by withdrawals only.'],
  [{ type: 'cDeposit', ...NONCE, wei: 1 }, 'Staking is not part of this venue.'],
  [{ type: 'cWithdraw', ...NONCE, wei: 1 }, 'Staking is not part of this venue.'],
  [{ type: 'tokenDelegate', ...NONCE, validator: OTHER, wei: 1, isUndelegate: false }, 'Staking is not part of this venue.'],
  [{ type: 'linkStakingUser', ...NONCE, user: OTHER, isFinalize: true }, 'Staking is not part of this venue.'],
  [{ type: 'stakingLinkDisableTradingUser', ...NONCE, tradingUser: OTHER }, 'Staking is not part of this venue.'],
  [{ type: 'borrowLend', operation: 'supply', token: 0, amount: null }, 'Borrowing and lending are not part of this venue.'],
  [{ type: 'spotUser', toggleSpotDusting: { optOut: true } }, 'Spot trading is not part of this venue.'],
  [{ type: 'evmUserModify', usingBigBlocks: true }, 'The EVM is not part of this venue.'],
  [
    {
      type: 'sendToEvmWithData',
      ...NONCE,
      token: 'USDC',
      amount: '1',
      sourceDex: '',
      destinationRecipient: OTHER,
      addressEncoding: 'hex',
      destinationChainId: 1,
      gasLimit: 1,
      data: '0x',
    },
    'The EVM is not part of this venue.',
  ],
];

function sendAsset(sourceDex: string, destinationDex: string, more: object = {}): Record<string, unknown> & { type: string } {
  return { type: 'sendAsset', ...NONCE, destination: OTHER, sourceDex, destinationDex, token: 'USDC:0x00', amount: '1', ...more };
}

test('actions become transactions', () => {
  for (const [action, expected, behalf] of CASES) {
    const label = JSON.stringify(action);
    const found = translateAction(readAction(action) as LedgerAction, CONTEXT, SENDER);
    if (typeof expected === 'string') assert.equal(isRefusal(found) && found.refused, expected, label);
    else {
      assert.ok(!isRefusal(found), label);
      assert.deepEqual(found.body, expected, label);
      assert.equal(found.behalf, behalf, label);
    }
  }
});

test('every action has a case', () => {
  const covered = new Set(CASES.map(([{ type }]) => type));
  assert.deepEqual(
    Object.keys(ACTIONS).filter((type) => !covered.has(type)),
    [],
  );
});

test('what is no action is refused', () => {
  const bad: readonly unknown[] = [
    null,
    [],
    'order',
    {},
    { type: 'nothing' },
    { type: 'constructor' },
    { type: 'order' },
    { type: 'order', orders: [{}] },
  ];
  for (const value of bad) assert.throws(() => readAction(value), JSON.stringify(value));
});

test('what they become is what the ledger can carry', () => {
  for (const [action, expected] of CASES) {
    if (typeof expected === 'string') continue;
    const transaction = { ...expected, sender: SENDER, nonce: 1n } as Transaction;
    assert.deepEqual(decodeTransaction(encodeTransaction(transaction)), transaction, JSON.stringify(action));
  }
});
