/** heddle-sdk against a node: actions of every kind, streams that follow them over lost connections, blocks and records that are proven. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { waitFor } from '../base/waits-for-tests.ts';
import { devnetAccount } from '../devnet/devnet-keys.ts';
import {
  HeddleClient,
  limitOrder,
  type Market,
  marketOrder,
  roundPrice,
  SignerKey,
  type StreamName,
  statusesOf,
  triggerOrder,
} from '../sdk/index.ts';
import { type ConformanceNode, startConformanceNode } from './conformance-node.ts';

const BTC = { asset: 0, szDecimals: 5 };
let node: ConformanceNode;
const clients: HeddleClient[] = [];

before(async () => {
  node = await startConformanceNode();
});
after(async () => {
  for (const client of clients) client.close();
  await node.close();
  assert.deepEqual(node.faults, []);
});

function clientOf(account: number | SignerKey, more: object = {}): HeddleClient {
  const signer = typeof account === 'number' ? new SignerKey(devnetAccount(account).privateKey) : account;
  const client = new HeddleClient({ url: node.url, signer, socketTiming: { pulseMs: 5000, retryMsMin: 5, retryMsMax: 20 }, ...more });
  clients.push(client);
  return client;
}

const until = (condition: () => boolean): Promise<unknown> => waitFor(String(condition), condition);

/** The mid of BTC, and a price a tenth below it. */
async function prices(client: HeddleClient): Promise<{ readonly mid: string; readonly low: string }> {
  const mid = await waitFor('a mid of BTC', async () => (await client.info({ type: 'allMids' })).BTC);
  return { mid, low: roundPrice(String((BigInt(mid.split('.')[0] as string) * 9n) / 10n), BTC.szDecimals, 'down') };
}

test('orders of every kind, and what becomes of them', async () => {
  const client = clientOf(0);
  const { mid, low } = await prices(client);
  const size = '0.01';
  const clientId: Market.Hex = `0x${'5'.repeat(32)}`;
  const [resting] = await client.order([limitOrder({ asset: 0, side: 'buy', price: low, size, clientId, tif: 'Alo' })]);
  assert.ok(typeof resting === 'object' && 'resting' in resting && resting.resting.cloid === clientId);
  const [killed] = await client.order([limitOrder({ asset: 0, side: 'buy', price: low, size, tif: 'Fok' })]);
  assert.ok(typeof killed === 'object' && 'error' in killed);
  const iceberg = limitOrder({
    asset: 0,
    side: 'buy',
    price: low,
    size: '1',
    displaySize: '0.1',
    expiresMs: Date.now() + 60_000,
    selfTrade: 'cancelTaker',
  });
  const [filled, stop, hidden] = await client.order([
    marketOrder({ asset: 0, side: 'buy', size, midPrice: mid, slippageBps: 100, szDecimals: BTC.szDecimals }),
    triggerOrder({ asset: 0, side: 'sell', size, kind: 'stopLoss', triggerPrice: low, reduceOnly: true }),
    iceberg,
  ]);
  assert.ok(typeof filled === 'object' && 'filled' in filled && filled.filled.totalSz === size);
  assert.ok(typeof hidden === 'object' && 'resting' in hidden);
  assert.ok(stop !== undefined && !(typeof stop === 'object' && 'error' in stop));
  const [modified] = await client.modify([{ oid: clientId, order: limitOrder({ asset: 0, side: 'buy', price: low, size: '0.02' }) }]);
  assert.ok(typeof modified === 'object' && 'resting' in modified);
  assert.deepEqual(await client.reduce([{ a: 0, o: modified.resting.oid, s: '0.005' }]), ['success']);
  const user = client.address;
  const open = await client.info({ type: 'openOrders', user });
  assert.equal(open.find(({ oid }) => oid === modified.resting.oid)?.sz, '0.015');
  const state = await client.info({ type: 'clearinghouseState', user });
  assert.equal(state.assetPositions[0]?.position.szi, size);
  const cancelled = await client.cancel(open.map(({ oid }) => ({ a: 0, o: oid })));
  assert.deepEqual(new Set(cancelled), new Set(['success']));
  const [gone] = await client.cancelByClientId([{ asset: 0, cloid: clientId }]);
  assert.ok(typeof gone === 'object');
  const status = await client.info({ type: 'orderStatus', user, oid: hidden.resting.oid });
  assert.ok(status.status === 'order' && status.order.status === 'canceled');
});

test('who may act: accounts, sub-accounts, agents, strangers, several signers together', async () => {
  const client = clientOf(1);
  const { low } = await prices(client);
  const order = limitOrder({ asset: 0, side: 'buy', price: low, size: '0.01' });
  const vaultAddress = await client.createSubAccount('one');
  await client.subAccountModify({ subAccountUser: vaultAddress, name: 'first' });
  assert.equal((await client.info({ type: 'subAccounts', user: client.address }))?.[0]?.name, 'first');
  await client.setDisplayName('Ada');
  assert.equal((await client.info({ type: 'displayName', user: client.address })).displayName, 'Ada');
  await client.subAccountTransfer({ subAccountUser: vaultAddress, isDeposit: true, usd: 1_000_000_000 });
  const [ofSub] = await client.order([order], { vaultAddress, expiresAfter: Date.now() + 60_000 });
  assert.ok(typeof ofSub === 'object' && 'resting' in ofSub);
  assert.equal((await client.info({ type: 'openOrders', user: vaultAddress })).length, 1);
  await assert.rejects(client.order([order], { expiresAfter: 1 }), { code: 'ACTION_REFUSED', message: /expired/ });

  const agent = SignerKey.generate().key;
  await assert.rejects(clientOf(agent).order([order]), { code: 'ACTION_REFUSED', message: new RegExp(`${agent.address} does not exist`) });
  await client.approveAgent({ agentAddress: agent.address, agentName: 'bot' });
  const [ofAgent] = await clientOf(agent).order([order]);
  assert.ok(typeof ofAgent === 'object' && 'resting' in ofAgent);

  const [user, first, second] = [clientOf(2), clientOf(3), clientOf(4)];
  await user.convertToMultiSigUser({ authorizedUsers: [first.address, second.address], threshold: 2 });
  await assert.rejects(user.order([order]), { code: 'ACTION_REFUSED', message: /Multi-sig required/ });
  const action = { type: 'order', orders: [order], grouping: 'na' } as const;
  const nonce = first.nextNonce();
  const signatures = await Promise.all([first, second].map((one) => one.signInner(action, user.address, first.address, nonce)));
  const [together] = statusesOf(await first.sendMultiSig(action, user.address, signatures, nonce));
  assert.ok('resting' in Object(together));
});

test('money goes where it is sent, whatever the case of the destination', async () => {
  const [from, to] = [clientOf(5), clientOf(6)];
  const worth = async (client: HeddleClient): Promise<string> =>
    (await client.info({ type: 'clearinghouseState', user: client.address })).marginSummary.accountValue;
  const had = await worth(to);
  await from.usdSend({ destination: to.address.toUpperCase().replace('0X', '0x'), amount: '12.5' });
  assert.equal(Number(await worth(to)) - Number(had), 12.5);
  await from.usdClassTransfer({ amount: '10', toPerp: false });
  const history = await from.info({ type: 'userNonFundingLedgerUpdates', user: from.address });
  assert.deepEqual(history.map(({ delta }) => delta.type).sort(), ['accountClassTransfer', 'internalTransfer']);
});

test('a signed request that is sent twice is done once', async () => {
  const client = clientOf(7);
  const { low } = await prices(client);
  const orders = [limitOrder({ asset: 0, side: 'buy', price: low, size: '0.01' })];
  const body = await client.sign({ type: 'order', orders, grouping: 'na' });
  assert.ok('resting' in Object(statusesOf(await client.submit(body))[0]));
  assert.match(JSON.stringify(await client.submit(body)), /duplicate nonce/);
  assert.equal((await client.info({ type: 'openOrders', user: client.address })).length, 1);
});

test('every stream is there, and a lost connection loses nothing', async () => {
  const sockets: WebSocket[] = [];
  const openSocket = (url: string): WebSocket => {
    const socket = new WebSocket(url);
    sockets.push(socket);
    return socket;
  };
  const client = clientOf(8, { openSocket });
  const names: readonly StreamName[] = [
    ...(['allMids', 'l2Book', 'bbo', 'trades', 'candle', 'activeAssetCtx', 'activeAssetData', 'clearinghouseState', 'openOrders'] as const),
    ...(['userEvents', 'userFills', 'userFundings', 'userNonFundingLedgerUpdates', 'userHistoricalOrders', 'userTwapHistory'] as const),
    ...(['userTwapSliceFills', 'notification'] as const),
  ];
  const all = { coin: 'BTC', user: client.address, interval: '1m' } as const;
  const ready = names.map((type) => client.subscribe({ type, ...all } as never, { onMessage: () => {} }).ready);
  await Promise.all(ready);

  const seqs: number[] = [];
  const statuses: string[] = [];
  const gaps: unknown[] = [];
  const updates = client.subscribe(
    { type: 'orderUpdates', user: client.address },
    {
      onMessage: (news, { seq }) => {
        seqs.push(seq as number);
        statuses.push(...news.map(({ status }) => status));
      },
      onGap: (gap) => gaps.push(gap),
    },
  );
  await updates.ready;
  const { low } = await prices(client);
  for (let i = 0; i < 10; i++) {
    const [answer] = await client.order([limitOrder({ asset: 0, side: 'buy', price: low, size: '0.01' })]);
    assert.ok(typeof answer === 'object' && 'resting' in answer);
    if (i % 3 === 1) for (const socket of sockets.splice(0)) socket.close();
    await client.cancel([{ a: 0, o: answer.resting.oid }]);
  }
  await until(() => statuses.length >= 20);
  assert.deepEqual(
    statuses,
    Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'open' : 'canceled')),
  );
  assert.deepEqual(
    seqs,
    Array.from({ length: seqs.length }, (_, i) => i + 1),
  );
  assert.deepEqual(gaps, []);
});

test('blocks settle, each on the one before, and records are proven in them', async () => {
  const client = clientOf(9);
  let height = 0;
  const { ready } = client.subscribe({ type: 'allMids' }, { onMessage: (_, info) => (height = info.height ?? 0) });
  await ready;
  await until(() => height > 1);
  const block = await client.untilSettled(height);
  const parent = await client.untilSettled(height - 1);
  assert.deepEqual(block.header.parentHash, parent.hash);
  assert.equal(await client.settlement(height + 1_000_000), undefined);
  const absent = await client.proof(Uint8Array.of(255, 1, 2, 3));
  assert.equal(absent.value, undefined);
  assert.deepEqual((await client.settlement(absent.height))?.hash, absent.hash);
  const { used, allowed, enforced } = await client.info({ type: 'budget', user: client.address });
  assert.ok(used >= 0 && allowed >= 10_000 && !enforced);
});
