/**
 * A node in a temporary folder, on a free port of the loopback address: for tests, and for running other people's clients against one.
 *
 * Invariant: nothing of it is left when it has closed. Not here: who trades on it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Genesis } from '../exchange/genesis.ts';
import { createFolder } from '../node/index.ts';
import { NodeService, type NodeServiceOptions } from './node-service.ts';
import { limitDefaults } from './rate-limits.ts';
import type { ServerLimits } from './server.ts';
import { streamLimits } from './stream-connection.ts';

/** As the original limits addresses; sizes are small, so that tests meet them. */
export const smallServerLimits: ServerLimits = {
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

export interface SmallService {
  readonly service: NodeService;
  readonly folder: string;
  /** Mistakes of its own that it has logged. */
  readonly faults: string[];
  /** Everything else that was logged, as text. */
  readonly logged: string[];
  /** Ends the node and removes its folder; `service.close` alone leaves it. */
  close(): Promise<void>;
}

/** `genesis`: of a new folder; not asked where `folder` is one that a service before this has left. */
export async function startSmallService(genesis: () => Genesis, options: Partial<NodeServiceOptions> = {}): Promise<SmallService> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'heddle-node-')));
  if (options.folder === undefined) await createFolder(folder, genesis());
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
    serverLimits: smallServerLimits,
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
  return {
    service,
    folder,
    faults,
    logged,
    close: async () => {
      await service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
