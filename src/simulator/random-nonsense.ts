/** Transactions that no client library would send: what does not decode, in every field, and kinds that do not exist. */
import { BATCH_ITEMS_MAX, SIGNERS_MAX } from '../exchange/layout.ts';
import type { Address, Transaction } from '../ledger/transactions.ts';
import type { RandomWorld } from './random-world.ts';

export function randomNonsense(world: RandomWorld): Transaction {
  const { random } = world;
  const sender = random.pick(world.known);
  const other = random.pick(world.fresh);
  const transfer = { kind: 'transfer', sender, recipient: other, token: 0, amount: 1n };
  const place = { op: 'place', market: 0, side: 'buy', tif: 'gtc', priceTicks: world.prices.at(0), sizeLots: 1n };
  const orders = (item: unknown, more: object = {}): unknown => ({ kind: 'orders', sender, items: [place, item], ...more });
  const oracle = (price: unknown): unknown => ({ kind: 'oracle', sender: world.reporters[0] ?? sender, prices: [price] });
  const twap = { kind: 'twap', sender, market: 0, side: 'buy', sizeLots: 1n, minutes: 5 };
  const tooMany: Address[] = [...world.known, ...world.fresh].slice(0, SIGNERS_MAX + 1);
  const wrong: readonly unknown[] = [
    { kind: 'raise', sender },
    { kind: 'liquidate', sender },
    { kind: 'funding', sender },
    { ...transfer, kind: 'Transfer' },
    { ...transfer, sender: '0x12' },
    { ...transfer, sender: undefined },
    { ...transfer, recipient: '0x1234' },
    { ...transfer, recipient: `${other.slice(0, -1)}X` },
    { ...transfer, amount: -1n },
    { ...transfer, amount: 2n ** 64n },
    { ...transfer, amount: 5 },
    { ...transfer, token: -1 },
    { ...transfer, token: 2 ** 32 },
    { ...transfer, nonce: -1n },
    { ...transfer, nonce: 2n ** 64n },
    { ...transfer, behalf: '0x' },
    { ...transfer, multiSig: { user: other, signers: [sender, sender] } },
    { ...transfer, multiSig: { user: other, signers: tooMany } },
    { ...transfer, multiSig: { user: 'nobody', signers: [sender] } },
    { kind: 'deposit', sender, amount: 2n ** 64n },
    { kind: 'toSpot', sender, amount: -1n },
    { kind: 'withdraw', sender, amount: '1' },
    { kind: 'sendPerp', sender, recipient: 'me', amount: 1n },
    oracle({ market: 0, spot: [-1] }),
    oracle({ market: 0, spot: [1.5] }),
    oracle({ market: 2 ** 32, spot: [1] }),
    oracle({ market: 0, spot: [1, 1, 1, 1, 1, 1, 1, 1, 1] }),
    oracle({ market: 0, spot: [1], perp: [2 ** 32] }),
    oracle({ market: 0 }),
    orders({ ...place, market: -1 }),
    orders({ ...place, market: 0.5 }),
    orders({ ...place, op: 'buy' }),
    orders({ ...place, side: 'long' }),
    orders({ ...place, tif: 'day' }),
    orders({ ...place, priceTicks: 2 ** 32 }),
    orders({ ...place, sizeLots: 2n ** 63n }),
    orders({ ...place, sizeLots: -1n }),
    orders({ ...place, clientId: '0xabc' }),
    orders({ ...place, selfTrade: 'cancelNone' }),
    orders({ ...place, expiresMs: -5 }),
    orders({ ...place, displayLots: -1n }),
    orders({ ...place, trigger: { kind: 'entry', priceTicks: 1, market: true } }),
    orders({ ...place, trigger: { kind: 'stopLoss', priceTicks: -1, market: true } }),
    orders(place, { grouping: 'pair' }),
    orders(place, { builder: { address: other, fee: 65_536 } }),
    orders(place, { builder: { address: 'me', fee: 1 } }),
    orders({ op: 'cancel', market: 0, oid: 2n ** 64n }),
    orders({ op: 'cancelByClientId', market: 0, target: `0x${'A'.repeat(32)}` }),
    orders({ ...place, op: 'modify', target: -1n }),
    orders({ ...place, op: 'modify', target: 1n, always: 'yes' }),
    orders({ op: 'reduce', market: 0, oid: 1n, sizeLots: 2n ** 63n }),
    { kind: 'orders', sender, items: Array.from({ length: BATCH_ITEMS_MAX + 6 }, () => place) },
    { kind: 'updateLeverage', sender, market: 0, leverage: 2 ** 32, isolated: false },
    { kind: 'updateLeverage', sender, market: 0, leverage: 1, isolated: 1 },
    { kind: 'isolatedMargin', sender, market: 0, amount: 2n ** 63n },
    { kind: 'isolatedMargin', sender, market: 0, leverage: -1 },
    { kind: 'scheduleCancel', sender, timeMs: -1 },
    { kind: 'scheduleCancel', sender, timeMs: 1.5 },
    { ...twap, minutes: -5 },
    { ...twap, sizeLots: -1n },
    { ...twap, start: { priceTicks: 1, above: 0 } },
    { ...twap, stopTicks: 2 ** 32 },
    { kind: 'twapCancel', sender, market: 0, id: -1 },
    { kind: 'subTransfer', sender, subAccount: 'mine', deposit: true, amount: 1n },
    { kind: 'subTransfer', sender, subAccount: other, deposit: 1, amount: 1n },
    { kind: 'approveAgent', sender, agent: other, name: 'seventeen bytes!!' },
    { kind: 'approveAgent', sender, agent: other, name: 'ééééééééé' },
    { kind: 'approveAgent', sender, agent: other, expiresMs: 2 ** 60 },
    { kind: 'approveAgent', sender, agent: 'friend' },
    { kind: 'multiSig', sender, signers: { authorised: tooMany, threshold: 1 } },
    { kind: 'multiSig', sender, signers: { authorised: [other, other], threshold: 1 } },
    { kind: 'multiSig', sender, signers: { authorised: [other], threshold: -1 } },
    { kind: 'approveBuilder', sender, builder: other, maxFee: -1 },
    { kind: 'approveBuilder', sender, builder: 'them', maxFee: 1 },
    { kind: 'registerReferrer', sender, code: '' },
    { kind: 'setReferrer', sender, code: 'twenty-one bytes long' },
    { kind: 'createVault', sender, amount: -1n },
    { kind: 'vaultTransfer', sender, vault: other, deposit: 'yes', amount: 1n },
    { kind: 'vaultModify', sender, vault: other, allowDeposits: undefined },
    { kind: 'delist', sender, market: -1 },
  ];
  return random.pick(wrong) as Transaction;
}
