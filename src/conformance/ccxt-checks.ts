/**
 * ccxt, REST and streams, with its unified methods only: what a trading program that knows no venue does. The address is set in the options that
 * ccxt has for it.
 */
import { devnetAccount } from '../devnet/devnet-keys.ts';
import { at, type Checks, must } from './checks.ts';
import { importFrom } from './client-folders.ts';

type Client = Record<string, (...args: readonly unknown[]) => Promise<unknown>> & { urls: { api: unknown } };
type Exchanges = Record<string, new (options: object) => Client>;

const BTC = 'BTC/USDC:USDC';
const ETH = 'ETH/USDC:USDC';
/** An account that the checks of the other clients leave alone. */
const ACCOUNT = 2;

export async function ccxtChecks(checks: Checks, folder: string, url: string): Promise<void> {
  const ccxt = (await importFrom(folder, 'ccxt')) as { default: Exchanges & { pro: Exchanges } };
  const { address, privateKey } = devnetAccount(ACCOUNT);
  const make = (exchanges: Exchanges): Client => {
    const client = new (exchanges.hyperliquid as Exchanges[string])({ walletAddress: address, privateKey, enableRateLimit: false });
    const stream = `${url.replace('http', 'ws')}/ws`;
    client.urls.api = { public: url, private: url, ws: { public: stream } };
    // The other network of the venue, as for every address but the main one.
    (client as unknown as { options: { sandboxMode: boolean } }).options.sandboxMode = true;
    return client;
  };
  await restChecks(checks, make(ccxt.default));
  const pro = make(ccxt.default.pro);
  // ccxt wants this before it opens a stream without TLS.
  await pro.loadHttpProxyAgent?.();
  await streamChecks(checks, pro);
  await pro.close?.();
}

const call = async (client: Client, name: string, ...args: readonly unknown[]): Promise<unknown> => {
  const method = client[name];
  must(method, `the client has no ${name}`);
  return method?.apply(client, [...args]);
};

async function restChecks(checks: Checks, client: Client): Promise<void> {
  const run = (name: string, ...args: readonly unknown[]): Promise<unknown> => checks.run(name, () => call(client, name, ...args));
  await checks.run('loadMarkets', async () => at(await call(client, 'loadMarkets'), BTC, 'precision', 'price'));
  await run('fetchCurrencies');
  await run('fetchTicker', BTC);
  await run('fetchTickers', [BTC, ETH]);
  await run('fetchOrderBook', BTC);
  await run('fetchTrades', BTC, undefined, 10, { user: devnetAccount(ACCOUNT).address });
  await run('fetchOHLCV', BTC, '1m', Date.now() - 600_000, 10);
  await run('fetchFundingRates');
  await run('fetchFundingRateHistory', BTC, Date.now() - 86_400_000);
  await run('fetchOpenInterests', [BTC]);
  await run('fetchStatus');
  await checks.run('fetchBalance', async () =>
    must(Number(at(await call(client, 'fetchBalance', { type: 'swap' }), 'USDC', 'total')) > 0, 'nothing'),
  );
  const placed = await checks.run('createOrder: limit', async () =>
    at(await call(client, 'createOrder', BTC, 'limit', 'buy', 0.01, 50_000), 'id'),
  );
  await checks.run('fetchOrder', async () => must(at(await call(client, 'fetchOrder', placed, BTC), 'status') === 'open', 'not open'));
  await checks.run('fetchOpenOrders', async () => at(await call(client, 'fetchOpenOrders', BTC), 0, 'id'));
  const edited = await checks.run('editOrder', async () =>
    at(await call(client, 'editOrder', placed, BTC, 'limit', 'buy', 0.02, 50_001), 'id'),
  );
  await run('cancelOrder', edited, BTC);
  await checks.run('createOrder: market', async () => {
    const price = at(await call(client, 'fetchTicker', BTC), 'last');
    must(at(await call(client, 'createOrder', BTC, 'market', 'buy', 0.01, price), 'id'), 'no id');
  });
  await checks.run('createOrder: post only', async () =>
    at(await call(client, 'createOrder', BTC, 'limit', 'buy', 0.01, 50_000, { postOnly: true }), 'id'),
  );
  await checks.run('createOrder: with client id', async () =>
    at(await call(client, 'createOrder', ETH, 'limit', 'buy', 0.1, 2_000, { clientOrderId: '0x7c0ffee0000000000000000000000a13' }), 'id'),
  );
  await checks.run('cancelOrder: by client id', () =>
    call(client, 'cancelOrder', '', ETH, { clientOrderId: '0x7c0ffee0000000000000000000000a13' }),
  );
  await checks.run('createOrder: stop loss', async () =>
    at(await call(client, 'createOrder', BTC, 'market', 'sell', 0.01, 50_000, { stopLossPrice: 45_000, reduceOnly: true }), 'id'),
  );
  await checks.run('createOrder: take profit', async () =>
    at(await call(client, 'createOrder', BTC, 'market', 'sell', 0.01, 90_000, { takeProfitPrice: 90_000, reduceOnly: true }), 'id'),
  );
  await checks.run('createOrders', async () => {
    const orders = [50_000, 50_010].map((price) => ({ symbol: BTC, type: 'limit', side: 'buy', amount: 0.01, price }));
    at(await call(client, 'createOrders', orders), 1, 'id');
  });
  await checks.run('fetchPositions', async () => at(await call(client, 'fetchPositions', [BTC]), 0, 'contracts'));
  await checks.run('cancelOrders, all that are open', async () => {
    const open = (await call(client, 'fetchOpenOrders', BTC)) as { id: string }[];
    await call(
      client,
      'cancelOrders',
      open.map(({ id }) => id),
      BTC,
    );
    must(((await call(client, 'fetchOpenOrders', BTC)) as unknown[]).length === 0, 'some are left');
  });
  await run('cancelAllOrdersAfter', 60_000);
  await run('fetchOrders', BTC);
  await run('fetchClosedOrders', BTC);
  await run('fetchCanceledOrders', BTC);
  await run('fetchMyTrades', BTC);
  await run('fetchTradingFee', BTC);
  await run('setLeverage', 10, BTC, { marginMode: 'cross' });
  await run('setMarginMode', 'isolated', ETH, { leverage: 5 });
  await checks.run('addMargin', async () => {
    const price = at(await call(client, 'fetchTicker', ETH), 'last');
    await call(client, 'createOrder', ETH, 'market', 'buy', 0.5, price);
    await call(client, 'addMargin', ETH, 10);
  });
  await run('transfer', 'USDC', 5, 'swap', 'spot');
  await run('transfer', 'USDC', 5, 'spot', 'swap');
  await run('withdraw', 'USDC', 5, devnetAccount(3).address);
  await run('fetchLedger', 'USDC', Date.now() - 86_400_000);
  await run('fetchFundingHistory', BTC, Date.now() - 86_400_000);
  await run('reserveRequestWeight', 1);
  await checks.refused('an order that is too small', 'minimum value of $10', () =>
    call(client, 'createOrder', BTC, 'limit', 'buy', 0.0001, 50_000),
  );
}

async function streamChecks(checks: Checks, client: Client): Promise<void> {
  const watch = (name: string, ...args: readonly unknown[]): Promise<unknown> => checks.run(name, () => call(client, name, ...args));
  await watch('watchOrderBook', BTC);
  await watch('watchTicker', BTC);
  await watch('watchTickers', [BTC, ETH]);
  await watch('watchTrades', BTC);
  await watch('watchOHLCV', BTC, '1m');
  const placed = async (): Promise<unknown> => call(client, 'createOrder', BTC, 'limit', 'buy', 0.01, 50_000);
  await checks.run('watchOrders', async () => {
    const watching = call(client, 'watchOrders', BTC);
    watching.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    await placed();
    at(await watching, 0, 'id');
  });
  await checks.run('watchMyTrades', async () => {
    const watching = call(client, 'watchMyTrades', BTC);
    watching.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    const price = at(await call(client, 'fetchTicker', BTC), 'last');
    await call(client, 'createOrder', BTC, 'market', 'buy', 0.01, price);
    at(await watching, 0, 'price');
  });
  await checks.run('createOrderWs', async () => at(await call(client, 'createOrderWs', BTC, 'limit', 'buy', 0.01, 50_000), 'id'));
}
