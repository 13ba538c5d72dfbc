/**
 * npm @nktkas/hyperliquid over HTTP and WebSocket: every request for information, the actions that concern perpetuals and accounts, streams.
 * Wallets are those of viem, another implementation of the signatures than Heddle's.
 */
import { devnetAccount } from '../devnet/devnet-keys.ts';
import { at, type Checks, must } from './checks.ts';
import { importFrom } from './client-folders.ts';

type Client = Record<string, (...args: readonly unknown[]) => Promise<unknown>>;
type Class = new (options: object) => Client;

const ETH = 1;
const SOL = 2;

export async function nktkasChecks(checks: Checks, folder: string, url: string): Promise<void> {
  const { HttpTransport, WebSocketTransport, InfoClient, ExchangeClient, SubscriptionClient, ExplorerClient } = (await importFrom(
    folder,
    '@nktkas/hyperliquid',
  )) as Record<string, Class>;
  const { privateKeyToAccount } = (await importFrom(folder, 'viem/accounts')) as { privateKeyToAccount: (key: string) => object };
  const wallet = (index: number): object => privateKeyToAccount(devnetAccount(index).privateKey);
  const make = (type: Class | undefined, options: object): Client => new (type as Class)(options);

  const http = make(HttpTransport, { apiUrl: url, rpcUrl: url, isTestnet: true });
  const socket = make(WebSocketTransport, { url: `${url.replace('http', 'ws')}/ws`, isTestnet: true });
  const info = make(InfoClient, { transport: http });
  const trader = make(ExchangeClient, { transport: http, wallet: wallet(0) });
  const overSocket = make(ExchangeClient, { transport: socket, wallet: wallet(1) });
  const streams = make(SubscriptionClient, { transport: socket });

  await informationChecks(checks, info);
  await orderChecks(checks, info, trader);
  await accountChecks(checks, info, trader, (options) => make(ExchangeClient, { transport: http, ...options }), privateKeyToAccount);
  await streamChecks(checks, streams, trader, overSocket, make(InfoClient, { transport: socket }));
  await explorerChecks(checks, make(ExplorerClient, { transport: http }), make(ExplorerClient, { transport: socket }));
  await (socket.close as () => Promise<void>).call(socket);
}

async function informationChecks(checks: Checks, info: Client): Promise<void> {
  const user = devnetAccount(0).address;
  const startTime = Date.now() - 3_600_000;
  const plain = [
    'meta metaAndAssetCtxs allMids allPerpMetas spotMeta spotMetaAndAssetCtxs exchangeStatus perpDexs predictedFundings perpsAtOpenInterestCap',
    'maxMarketOrderNtls vaultSummaries validatorSummaries liquidatable outcomeMeta allBorrowLendReserveStates perpCategories',
  ].flatMap((names) => names.split(' '));
  const ofUser = [
    'clearinghouseState spotClearinghouseState openOrders frontendOpenOrders historicalOrders userFills userFees userRateLimit userRole',
    'userFunding userNonFundingLedgerUpdates subAccounts subAccounts2 referral portfolio extraAgents userVaultEquities twapHistory',
    'userTwapSliceFills delegations delegatorSummary delegatorHistory delegatorRewards leadingVaults webData2 userAbstraction',
    'userToMultiSigSigners isVip legalCheck approvedBuilders userDexAbstraction borrowLendUserState spotDeployState',
  ].flatMap((names) => names.split(' '));
  const others: readonly [name: string, parameters: object][] = [
    ['l2Book', { coin: 'BTC' }],
    ['recentTrades', { coin: 'BTC' }],
    ['candleSnapshot', { coin: 'BTC', interval: '1m', startTime }],
    ['fundingHistory', { coin: 'BTC', startTime }],
    ['activeAssetData', { coin: 'BTC', user }],
    ['userFillsByTime', { user, startTime }],
    ['marginTable', { id: 10 }],
    ['maxBuilderFee', { user, builder: devnetAccount(3).address }],
    ['preTransferCheck', { user: devnetAccount(1).address, source: user }],
    ['vaultDetails', { vaultAddress: user }],
    ['userTwapSliceFillsByTime', { user, startTime }],
    ['userBorrowLendInterest', { user, startTime }],
    ['orderStatus', { user, oid: 1 }],
  ];
  for (const name of plain) await checks.run(`info ${name}`, () => ask(info, name));
  for (const name of ofUser) await checks.run(`info ${name}`, () => ask(info, name, { user }));
  for (const [name, parameters] of others) await checks.run(`info ${name}`, () => ask(info, name, parameters));
}

async function ask(info: Client, name: string, parameters?: object): Promise<unknown> {
  const method = info[name];
  must(method, `the client has no ${name}`);
  const answer = await (parameters === undefined ? info[name]?.() : info[name]?.(parameters));
  must(answer !== undefined, 'no answer');
  return answer;
}

const limit = (side: boolean, price: string, size: string, tif = 'Gtc', more: object = {}): object => ({
  a: ETH,
  b: side,
  p: price,
  s: size,
  r: false,
  t: { limit: { tif } },
  ...more,
});
const trigger = (price: string, tpsl: string, isMarket: boolean, size = '0.1'): object => ({
  a: ETH,
  b: false,
  p: price,
  s: size,
  r: true,
  t: { trigger: { isMarket, triggerPx: price, tpsl } },
});
const oidOf = (answer: unknown, i = 0): number => at(answer, 'response', 'data', 'statuses', i, 'resting', 'oid') as number;

async function orderChecks(checks: Checks, info: Client, trader: Client): Promise<void> {
  const user = devnetAccount(0).address;
  const place = (orders: readonly object[], grouping = 'na'): Promise<unknown> => ask(trader, 'order', { orders, grouping });
  const clientId = '0x7c0ffee0000000000000000000000a11';
  const oid = await checks.run('order: good till cancelled', async () => oidOf(await place([limit(true, '2000', '0.1')])));
  await checks.run('orderStatus: open', async () => {
    must(at(await ask(info, 'orderStatus', { user, oid }), 'order', 'status') === 'open', 'not open');
  });
  await checks.run('modify', async () =>
    at(await ask(trader, 'modify', { oid, order: limit(true, '2001', '0.1', 'Gtc', { c: clientId }) }), 'status'),
  );
  await checks.run('batchModify by client id', async () => {
    oidOf(await ask(trader, 'batchModify', { modifies: [{ oid: clientId, order: limit(true, '2002', '0.2', 'Gtc', { c: clientId }) }] }));
  });
  await checks.run('cancelByCloid', async () =>
    at(await ask(trader, 'cancelByCloid', { cancels: [{ asset: ETH, cloid: clientId }] }), 'status'),
  );
  await checks.run('cancel', async () => {
    const placed = oidOf(await place([limit(true, '2000', '0.1')]));
    await ask(trader, 'cancel', { cancels: [{ a: ETH, o: placed }] });
    must(at(await ask(info, 'orderStatus', { user, oid: placed }), 'order', 'status') === 'canceled', 'not canceled');
  });
  await checks.run('order: immediate or cancel, filled', async () => {
    at(await place([limit(true, '3500', '0.5', 'Ioc')]), 'response', 'data', 'statuses', 0, 'filled', 'avgPx');
  });
  await checks.run("order: as the venue's page sends market orders", async () => {
    at(await place([limit(true, '3500', '0.5', 'FrontendMarket')]), 'response', 'data', 'statuses', 0, 'filled', 'totalSz');
  });
  await checks.run('position after fills', async () => {
    const state = await ask(info, 'clearinghouseState', { user });
    must(at(state, 'assetPositions', 0, 'position', 'szi') === '1', `szi is ${at(state, 'assetPositions', 0, 'position', 'szi')}`);
  });
  await checks.run('order: add liquidity only, rests', async () => oidOf(await place([limit(true, '2000', '0.1', 'Alo')])));
  await checks.refused('order: add liquidity only, would match', 'Post only order would have immediately matched', () =>
    place([limit(true, '3500', '0.1', 'Alo')]),
  );
  await checks.refused('order: not matched at once', 'could not immediately match', () => place([limit(true, '2000', '0.1', 'Ioc')]));
  await checks.refused('order: between ticks', 'Price must be divisible by tick size', () => place([limit(true, '2000.123', '0.1')]));
  await checks.refused('order: too small', 'Order must have minimum value of $10', () => place([limit(true, '2000', '0.001')]));
  await checks.run('updateLeverage', async () => ask(trader, 'updateLeverage', { asset: ETH, isCross: true, leverage: 3 }));
  await checks.refused('order: beyond the margin', 'Insufficient margin', () => place([limit(true, '3000', '3000')]));
  await checks.refused('order: reduce-only that would increase', 'Reduce only order would increase position', () =>
    place([limit(true, '2000', '0.1', 'Gtc', { r: true })]),
  );
  await checks.run('order: take profit and stop loss, market', async () => {
    oidOf(await place([trigger('6000', 'tp', true)]));
    oidOf(await place([trigger('1500', 'sl', true)]));
  });
  await checks.run('order: take profit, limit', async () => oidOf(await place([trigger('6100', 'tp', false)])));
  await checks.run('order: parent with children', async () => {
    const orders = [limit(true, '2000', '0.1'), trigger('6000', 'tp', true), trigger('1500', 'sl', true)];
    const statuses = at(await place(orders, 'normalTpsl'), 'response', 'data', 'statuses') as unknown[];
    must(statuses[1] === 'waitingForFill' && statuses[2] === 'waitingForFill', JSON.stringify(statuses));
  });
  await checks.run('order: on the position', async () => {
    at(
      await place([trigger('6200', 'tp', true, '0'), trigger('1400', 'sl', true, '0')], 'positionTpsl'),
      'response',
      'data',
      'statuses',
      1,
    );
  });
  await checks.run('order: batch', async () => {
    const orders = [limit(true, '2000', '0.1'), { ...limit(false, '200', '1'), a: SOL }, limit(true, '2010', '0.1')];
    const answer = await place(orders);
    for (let i = 0; i < orders.length; i++) oidOf(answer, i);
  });
  await checks.run('frontendOpenOrders shows them', async () => {
    const orders = (await ask(info, 'frontendOpenOrders', { user })) as { isTrigger: boolean }[];
    must(orders.some(({ isTrigger }) => isTrigger) && orders.length >= 5, `${orders.length} orders`);
  });
  await checks.refused('updateLeverage: too high', 'Invalid leverage value', () =>
    ask(trader, 'updateLeverage', { asset: ETH, isCross: true, leverage: 200 }),
  );
  await checks.run('isolated position and its margin', async () => {
    await ask(trader, 'updateLeverage', { asset: SOL, isCross: false, leverage: 5 });
    await place([{ ...limit(true, '180', '10', 'Ioc'), a: SOL }]);
    await ask(trader, 'updateIsolatedMargin', { asset: SOL, isBuy: true, ntli: 10_000_000 });
  });
  await checks.run('scheduleCancel', async () => {
    await ask(trader, 'scheduleCancel', { time: Date.now() + 60_000 });
    await ask(trader, 'scheduleCancel');
  });
  await checks.run('twapOrder and twapCancel', async () => {
    const twap = { a: ETH, b: true, s: '1', r: false, m: 5, t: false };
    const id = at(await ask(trader, 'twapOrder', { twap }), 'response', 'data', 'status', 'running', 'twapId');
    await ask(trader, 'twapCancel', { a: ETH, t: id });
  });
  await checks.refused('twapOrder: too small', 'TWAP order value too small', () =>
    ask(trader, 'twapOrder', { twap: { a: ETH, b: true, s: '0.01', r: false, m: 5, t: false } }),
  );
  await checks.run('noop', async () => ask(trader, 'noop', { nonce: Date.now() }));
  await checks.run('cancel all', async () => {
    const open = (await ask(info, 'openOrders', { user })) as { coin: string; oid: number }[];
    const assets: Record<string, number> = { ETH, SOL };
    await ask(trader, 'cancel', { cancels: open.map(({ coin, oid: o }) => ({ a: assets[coin], o })) });
    must(((await ask(info, 'openOrders', { user })) as unknown[]).length === 0, 'some are left');
  });
  await checks.run('userFills', async () => at(await ask(info, 'userFills', { user }), 0, 'closedPnl'));
}

async function accountChecks(
  checks: Checks,
  info: Client,
  trader: Client,
  client: (options: object) => Client,
  account: (key: string) => object,
): Promise<void> {
  const user = devnetAccount(0).address;
  const other = devnetAccount(1).address;
  await checks.run('usdSend', async () => ask(trader, 'usdSend', { destination: other, amount: '12.5' }));
  await checks.run('usdClassTransfer there and back', async () => {
    await ask(trader, 'usdClassTransfer', { amount: '10', toPerp: false });
    await ask(trader, 'usdClassTransfer', { amount: '10', toPerp: true });
  });
  await checks.run('spotSend of the quote token', async () => {
    const [token] = at(await ask(info, 'spotMeta'), 'tokens') as { name: string; tokenId: string }[];
    await ask(trader, 'spotSend', { destination: other, token: `${token?.name}:${token?.tokenId}`, amount: '5' });
  });
  await checks.run('sendAsset', async () => {
    const [token] = at(await ask(info, 'spotMeta'), 'tokens') as { name: string; tokenId: string }[];
    const parameters = { destination: other, sourceDex: '', destinationDex: '', token: `${token?.name}:${token?.tokenId}`, amount: '1' };
    await ask(trader, 'sendAsset', parameters);
  });
  await checks.run('withdraw3', async () => ask(trader, 'withdraw3', { destination: other, amount: '5' }));
  await checks.refused('withdraw3: more than there is', 'Insufficient balance for withdrawal', () =>
    ask(trader, 'withdraw3', { destination: other, amount: '50000000' }),
  );
  await checks.run('sub-account: create, fund, trade', async () => {
    const sub = at(await ask(trader, 'createSubAccount', { name: 'second' }), 'response', 'data');
    await ask(trader, 'subAccountTransfer', { subAccountUser: sub, isDeposit: true, usd: 1_000_000_000 });
    oidOf(await trader.order?.({ orders: [limit(true, '2000', '0.1')], grouping: 'na' }, { vaultAddress: sub }));
    at(await ask(info, 'subAccounts', { user }), 0, 'clearinghouseState');
    const named = async (type: string, name: string): Promise<void> => {
      const found = (await ask(info, type, { user })) as { subAccountUser: string; name: string }[];
      must(
        found.find(({ subAccountUser }) => subAccountUser === sub)?.name === name,
        `${type}: ${JSON.stringify(found.map((of) => of.name))}`,
      );
    };
    await named('subAccounts', 'second');
    await ask(trader, 'subAccountModify', { subAccountUser: sub, name: 'renamed' });
    await named('subAccounts2', 'renamed');
  });
  await checks.run('setDisplayName', async () => {
    await ask(trader, 'setDisplayName', { displayName: 'checks' });
    await ask(trader, 'setDisplayName', { displayName: '' });
  });
  await checks.refused('setDisplayName: a space at its end', 'Invalid name.', () =>
    ask(trader, 'setDisplayName', { displayName: 'checks ' }),
  );
  await checks.run('agent: approve and trade', async () => {
    const key = `0x${'7'.repeat(64)}`;
    const agent = account(key);
    await ask(trader, 'approveAgent', { agentAddress: (agent as { address: string }).address, agentName: 'bot' });
    oidOf(await ask(client({ wallet: agent }), 'order', { orders: [limit(true, '2000', '0.1')], grouping: 'na' }));
    at(await ask(info, 'extraAgents', { user }), 0, 'address');
  });
  await checks.refused('agent: may not move money', '', () =>
    ask(client({ wallet: account(`0x${'7'.repeat(64)}`) }), 'usdSend', { destination: other, amount: '1' }),
  );
  await checks.refused('unknown signer', 'User or API Wallet', () =>
    ask(client({ wallet: account(`0x${'6'.repeat(64)}`) }), 'order', { orders: [limit(true, '2000', '0.1')], grouping: 'na' }),
  );
  await checks.run('approveBuilderFee, order with builder', async () => {
    const builder = devnetAccount(3).address;
    await ask(trader, 'approveBuilderFee', { maxFeeRate: '0.01%', builder });
    await ask(trader, 'order', { orders: [limit(true, '3500', '0.1', 'Ioc')], grouping: 'na', builder: { b: builder, f: 5 } });
  });
  await checks.run('registerReferrer and setReferrer', async () => {
    await ask(client({ wallet: account(devnetAccount(2).privateKey) }), 'registerReferrer', { code: 'HEDDLE' });
    await ask(trader, 'setReferrer', { code: 'HEDDLE' });
  });
  await checks.run('vault: create, deposit, details', async () => {
    const leader = client({ wallet: account(devnetAccount(4).privateKey) });
    const vault = at(
      await ask(leader, 'createVault', {
        name: 'a vault of checks',
        description: 'made by a check',
        initialUsd: 1_000_000_000,
        nonce: Date.now(),
      }),
      'response',
      'data',
    );
    await ask(trader, 'vaultTransfer', { vaultAddress: vault, isDeposit: true, usd: 100_000_000 });
    const details = await ask(info, 'vaultDetails', { vaultAddress: vault });
    at(details, 'followers', 0);
    must(at(details, 'name') === 'a vault of checks' && at(details, 'description') === 'made by a check', 'its name and description');
    const leading = await ask(info, 'leadingVaults', { user: devnetAccount(4).address });
    must(at(leading, 0, 'name') === 'a vault of checks', 'its name among those that its leader leads');
  });
  await checks.run('multi-signature user trades', async () => {
    const [multi, first, second] = [5, 6, 7].map(devnetAccount) as [
      ReturnType<typeof devnetAccount>,
      ReturnType<typeof devnetAccount>,
      ReturnType<typeof devnetAccount>,
    ];
    const own = client({ wallet: account(multi.privateKey) });
    await ask(own, 'convertToMultiSigUser', { signers: { authorizedUsers: [first.address, second.address], threshold: 2 } });
    const together = client({ signers: [account(first.privateKey), account(second.privateKey)], multiSigUser: multi.address });
    oidOf(await ask(together, 'order', { orders: [limit(true, '2000', '0.1')], grouping: 'na' }));
    await ask(together, 'usdSend', { destination: other, amount: '1' });
  });
  await checks.refused('a multi-signature user alone', 'Multi-sig required', () =>
    ask(client({ wallet: account(devnetAccount(5).privateKey) }), 'order', { orders: [limit(true, '2000', '0.1')], grouping: 'na' }),
  );
  await checks.run('reserveRequestWeight', async () => ask(trader, 'reserveRequestWeight', { weight: 10 }));
  await checks.refused('claimRewards without any', 'No rewards', () =>
    ask(client({ wallet: account(devnetAccount(8).privateKey) }), 'claimRewards'),
  );
  await checks.refused('what the venue does not have: staking', 'Staking', () => ask(trader, 'cDeposit', { wei: 1 }));
}

async function streamChecks(checks: Checks, streams: Client, trader: Client, overSocket: Client, info: Client): Promise<void> {
  const user = devnetAccount(0).address;
  const subscriptions: readonly [name: string, parameters: object | undefined][] = [
    ['l2Book', { coin: 'BTC' }],
    ['bbo', { coin: 'BTC' }],
    ['trades', { coin: 'BTC' }],
    ['candle', { coin: 'BTC', interval: '1m' }],
    ['allMids', undefined],
    ['activeAssetCtx', { coin: 'BTC' }],
    ['assetCtxs', undefined],
    ['activeAssetData', { coin: 'BTC', user }],
    ['clearinghouseState', { user }],
    ['openOrders', { user }],
    ['userFills', { user }],
    ['userFundings', { user }],
    ['userNonFundingLedgerUpdates', { user }],
    ['userHistoricalOrders', { user }],
    ['userTwapSliceFills', { user }],
    ['userTwapHistory', { user }],
    ['twapStates', { user }],
    ['webData3', { user }],
    ['spotState', { user }],
  ];
  for (const [name, parameters] of subscriptions) {
    await checks.run(`stream ${name}`, async () => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const subscription = (await (parameters === undefined ? streams[name]?.(resolve) : streams[name]?.(parameters, resolve))) as {
        unsubscribe: () => Promise<void>;
      };
      await promise;
      await subscription.unsubscribe();
    });
  }
  await checks.run('stream orderUpdates', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    await streams.orderUpdates?.({ user }, resolve);
    const placed = oidOf(await ask(trader, 'order', { orders: [limit(true, '2000', '0.1')], grouping: 'na' }));
    must(at(await promise, 0, 'order', 'oid') === placed, 'another order');
  });
  await checks.run('stream userEvents', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    await streams.userEvents?.({ user }, resolve);
    await ask(trader, 'order', { orders: [limit(true, '3500', '0.1', 'Ioc')], grouping: 'na' });
    at(await promise, 'fills', 0, 'px');
  });
  await checks.run('post: information over WebSocket', async () => at(await ask(info, 'allMids'), 'BTC'));
  await checks.run('post: an order over WebSocket', async () => {
    oidOf(await ask(overSocket, 'order', { orders: [limit(true, '2000', '0.1')], grouping: 'na' }));
  });
  await checks.refused('post: an order that is refused', 'Price must be divisible', () =>
    ask(overSocket, 'order', { orders: [limit(true, '2000.123', '0.1')], grouping: 'na' }),
  );
  await checks.refused(
    'subscription to nothing',
    'Invalid subscription',
    () => streams.trades?.({ coin: 'NOTHING' }, () => {}) as Promise<unknown>,
  );
}

async function explorerChecks(checks: Checks, explorer: Client, streams: Client): Promise<void> {
  const block = await checks.run('explorer blockDetails', async () => ask(explorer, 'blockDetails', { height: 1 }));
  await checks.run('explorer txDetails', async () => {
    const hash = at(block, 'blockDetails', 'txs', 0, 'hash');
    must(at(await ask(explorer, 'txDetails', { hash }), 'tx', 'hash') === hash, 'another transaction');
  });
  await checks.run('explorer userDetails', async () => at(await ask(explorer, 'userDetails', { user: devnetAccount(0).address }), 'txs'));
  for (const name of ['explorerBlock', 'explorerTxs']) {
    await checks.run(`stream ${name}`, async () => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      await streams[name]?.(resolve);
      at(await promise, 0, 'hash');
    });
  }
}
