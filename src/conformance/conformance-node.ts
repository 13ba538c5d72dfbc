/** The node that the clients are run against: a small one with the development chain, whose makers and takers trade. */
import { smallServerLimits, startSmallService } from '../api/small-service.ts';
import { devnetGenesis } from '../devnet/devnet-genesis.ts';
import { startSimulation } from '../devnet/simulation-loop.ts';

export interface ConformanceNode {
  readonly url: string;
  /** What the node has called a mistake of its own. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

const SECOND_MS = 1000;

export async function startConformanceNode(): Promise<ConformanceNode> {
  const { service, faults, close } = await startSmallService(devnetGenesis, {
    // Clients open what they like, as often as they like.
    serverLimits: {
      ...smallServerLimits,
      bodyBytesMax: 1024 * 1024,
      depthMax: 32,
      keepAliveMs: 5 * SECOND_MS,
      streamsOfAddress: 64,
      newStreamsPerMinute: 1000,
      messagesPerMinute: 100_000,
    },
    engine: { workers: 1, model: 'auto' },
    keepFeedsMs: 10 * SECOND_MS,
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
      await close();
    },
  };
}
