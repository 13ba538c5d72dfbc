/** The node that the clients are run against: a development chain in a temporary folder, on a free port of the loopback address. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeService } from '../api/node-service.ts';
import { limitDefaults } from '../api/rate-limits.ts';
import { streamLimits } from '../api/stream-connection.ts';
import { devnetGenesis } from '../devnet/devnet-genesis.ts';
import { startSimulation } from '../devnet/simulation-loop.ts';
import { createFolder } from '../node/index.ts';

export interface ConformanceNode {
  readonly url: string;
  /** What the node has called a mistake of its own. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

const SECOND_MS = 1000;

export async function startConformanceNode(): Promise<ConformanceNode> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-conformance-node-'));
  await createFolder(folder, devnetGenesis());
  const faults: string[] = [];
  const fault = (fields: object, text: string): void => {
    faults.push(`${text}: ${(fields as { err?: Error }).err?.stack ?? ''}`);
  };
  const service = await NodeService.start({
    folder,
    host: '127.0.0.1',
    port: 0,
    chain: 'Testnet',
    development: true,
    limits: limitDefaults,
    serverLimits: {
      bodyBytesMax: 1024 * 1024,
      depthMax: 32,
      requestMs: 10 * SECOND_MS,
      keepAliveMs: 5 * SECOND_MS,
      connectionsMax: 256,
      streamsMax: 64,
      streamsOfAddress: 64,
      newStreamsPerMinute: 1000,
      messagesPerMinute: 100_000,
      pulseMs: 30 * SECOND_MS,
      stream: streamLimits,
    },
    signatureThreads: 1,
    engine: { workers: 1, model: 'auto' },
    replayMessages: 64,
    keepFeedsMs: 10 * SECOND_MS,
    clock: Date.now,
    log: { info: () => {}, warn: () => {}, error: fault },
  });
  const simulation = await startSimulation({
    pipeline: service.pipeline,
    seed: 7,
    intervalMs: SECOND_MS,
    clock: Date.now,
    recordings: [],
    onError: (error) => faults.push(`simulation: ${String(error)}`),
  });
  return {
    url: service.url,
    faults,
    close: async () => {
      await simulation.stop();
      await service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
