/** A node for tests: two markets, funded accounts, a client for each. Nobody trades but the test. */
import type { Genesis } from '../exchange/genesis.ts';
import { protocolMarket } from '../exchange/sample-market.ts';
import { HeddleClient, SignerKey } from '../sdk/index.ts';
import type { NodeServiceOptions } from './node-service.ts';
import { type SmallService, startSmallService } from './small-service.ts';

const ACCOUNTS = 4;
const USD = 1_000_000n;
const COLLATERAL = 100_000n * USD;

/** The account that reports prices. */
export const REPORTER = 0;
export const testKey = (index: number): SignerKey => new SignerKey((index + 1).toString(16).padStart(64, '0'));

/** BTC at 60,000 and ETH at 3,000, with the decimals that clients know. */
export function testGenesis(): Genesis {
  return {
    maxAccounts: 256,
    orderPages: 4,
    tokens: [{ name: 'USDC', decimals: 6 }],
    markets: [protocolMarket('BTC', 5, 60_000), protocolMarket('ETH', 4, 3_000)],
    reporters: [{ address: testKey(REPORTER).address, stake: 1n }],
    exchange: { subAccountsFirstVolume: 0n },
    accounts: Array.from({ length: ACCOUNTS }, (_, i) => ({
      address: testKey(i).address,
      balances: [{ token: 0, amount: COLLATERAL }],
      collateral: COLLATERAL,
    })),
  };
}

export interface TestService extends SmallService {
  client(index: number): HeddleClient;
  /** The status and the body of an answer to a POST. */
  post(path: string, body: unknown): Promise<{ readonly status: number; readonly text: string }>;
}

/** `folder`: one that a service before this has left; closing removes it, `service.close` alone does not. */
export async function startService(options: Partial<NodeServiceOptions> = {}): Promise<TestService> {
  const small = await startSmallService(testGenesis, options);
  const { url } = small.service;
  const clients: HeddleClient[] = [];
  return {
    ...small,
    client: (index) => {
      const client = new HeddleClient({ url, signer: testKey(index) });
      clients.push(client);
      return client;
    },
    post: async (path, body) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const response = await fetch(`${url}${path}`, { method: 'POST', body: text });
      return { status: response.status, text: await response.text() };
    },
    close: async () => {
      for (const client of clients) client.close();
      await small.close();
    },
  };
}
