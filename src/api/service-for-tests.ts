/** A node for tests: two markets, funded accounts, a temporary folder, a free port of the loopback address. Nobody trades but the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Genesis, MarketParameters } from '../exchange/genesis.ts';
import { createFolder } from '../node/index.ts';
import { HeddleClient, SignerKey } from '../sdk/index.ts';
import { NodeService, type NodeServiceOptions } from './node-service.ts';
import { limitDefaults } from './rate-limits.ts';
import type { ServerLimits } from './server.ts';
import { streamLimits } from './stream-connection.ts';

const ACCOUNTS = 4;
const USD = 1_000_000n;
const COLLATERAL = 100_000n * USD;

/** The account that reports prices. */
export const REPORTER = 0;
export const testKey = (index: number): SignerKey => new SignerKey((index + 1).toString(16).padStart(64, '0'));

/** BTC at 60,000 and ETH at 3,000, with the decimals that clients know. */
export function testGenesis(): Genesis {
  const market = (name: string, szDecimals: number, price: number): MarketParameters => ({
    name,
    tickCount: 2 ** 24,
    unit: 1,
    tickStep: 1,
    lotStep: 1,
    ticksPerInteger: 10 ** (6 - szDecimals),
    significantDigits: 5,
    leverage: 20,
    takerFeePpm: 450,
    makerFeePpm: 150,
    minNotional: 10n * USD,
    maxOrderLots: 2n ** 25n,
    maxPositionLots: 2n ** 29n,
    markTicks: price * 10 ** (6 - szDecimals),
    tiers: [{ lowerNotional: 0n, maxLeverage: 20 }],
  });
  return {
    maxAccounts: 256,
    orderPages: 4,
    tokens: [{ name: 'USDC', decimals: 6 }],
    markets: [market('BTC', 5, 60_000), market('ETH', 4, 3_000)],
    reporters: [{ address: testKey(REPORTER).address, stake: 1n }],
    exchange: { subAccountsFirstVolume: 0n },
    accounts: Array.from({ length: ACCOUNTS }, (_, i) => ({
      address: testKey(i).address,
      balances: [{ token: 0, amount: COLLATERAL }],
      collateral: COLLATERAL,
    })),
  };
}

export const testServerLimits: ServerLimits = {
  bodyBytesMax: 64 * 1024,
  depthMax: 16,
  requestMs: 10_000,
  keepAliveMs: 1_000,
  connectionsMax: 256,
  streamsMax: 64,
  streamsOfAddress: 10,
  newStreamsPerMinute: 30,
  messagesPerMinute: 2_000,
  pulseMs: 30_000,
  stream: streamLimits,
};

export interface TestService {
  readonly service: NodeService;
  readonly folder: string;
  /** Mistakes of its own that it has logged. */
  readonly faults: string[];
  /** Everything that was logged, as text. */
  readonly logged: string[];
  client(index: number): HeddleClient;
  /** The status and the body of an answer to a POST. */
  post(path: string, body: unknown): Promise<{ readonly status: number; readonly text: string }>;
  close(): Promise<void>;
}

/** `folder`: one that a service before this has left; closing removes it, `service.close` alone does not. */
export async function startService(options: Partial<NodeServiceOptions> = {}): Promise<TestService> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'heddle-api-')));
  if (options.folder === undefined) await createFolder(folder, testGenesis());
  const faults: string[] = [];
  const logged: string[] = [];
  const note = (fields: object, text: string): void => {
    logged.push(`${text} ${JSON.stringify(fields)}`);
  };
  const service = await NodeService.start({
    folder,
    host: '127.0.0.1',
    port: 0,
    chain: 'Testnet',
    development: true,
    limits: limitDefaults,
    serverLimits: testServerLimits,
    signatureThreads: 1,
    engine: { workers: 1, model: 'serial' },
    replayMessages: 64,
    keepFeedsMs: 60_000,
    clock: Date.now,
    log: {
      info: note,
      warn: note,
      error: (fields, text) => {
        faults.push(`${text} ${(fields as { err?: Error }).err?.stack ?? JSON.stringify(fields)}`);
      },
    },
    ...options,
  });
  const clients: HeddleClient[] = [];
  return {
    service,
    folder,
    faults,
    logged,
    client: (index) => {
      const client = new HeddleClient({ url: service.url, signer: testKey(index) });
      clients.push(client);
      return client;
    },
    post: async (path, body) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const response = await fetch(`${service.url}${path}`, { method: 'POST', body: text });
      return { status: response.status, text: await response.text() };
    },
    close: async () => {
      for (const client of clients) client.close();
      await service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
