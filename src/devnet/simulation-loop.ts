/**
 * Sends the steps of the simulation through a pipeline, once an interval, until it is stopped.
 *
 * Invariant: a step is sent when the one before was confirmed; a pipeline that is busy or slow gets fewer steps, never a queue of them.
 */
import { HeddleError } from '../base/errors.ts';
import type { Pipeline } from '../node/index.ts';
import { DEVNET_MARKETS } from './devnet-markets.ts';
import { MarketSimulation } from './market-simulation.ts';
import { PriceWalk } from './price-walk.ts';
import { loadPrices, RecordedPrices } from './recorded-prices.ts';

export interface SimulationOptions {
  readonly pipeline: Pick<Pipeline, 'submit'>;
  readonly simulation: MarketSimulation;
  readonly intervalMs: number;
  readonly clock: () => number;
  /** A step that failed: the loop goes on if the pipeline was busy or short of memory, and ends otherwise. */
  readonly onError: (error: unknown) => void;
  /** Nonces start behind this. */
  readonly afterMs: number;
}

/** Nonces that a step uses behind its time: one a market, and none is used twice. */
const NONCES_A_STEP = 64;

export class SimulationLoop {
  private readonly options: SimulationOptions;
  private lastMs: number;
  private stopped = false;
  private wake = Promise.withResolvers<void>();
  private readonly ended: Promise<void>;

  constructor(options: SimulationOptions) {
    this.options = options;
    this.lastMs = options.afterMs;
    this.ended = this.run();
  }

  /** Ends after the step that is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wake.resolve();
    await this.ended;
  }

  private async run(): Promise<void> {
    const { pipeline, simulation, intervalMs, clock, onError } = this.options;
    while (!this.stopped) {
      const now = clock();
      this.lastMs = Math.max(now, this.lastMs + NONCES_A_STEP);
      try {
        await Promise.all(simulation.step(this.lastMs).map((transaction) => pipeline.submit(transaction).confirmed));
      } catch (error) {
        const isBusy = error instanceof HeddleError && (error.code === 'BUSY' || error.code === 'MEMORY_SHORT');
        if (!this.stopped) onError(error);
        if (!isBusy) return;
      }
      const timer = setTimeout(this.wake.resolve, Math.max(0, now + intervalMs - clock()));
      await this.wake.promise;
      clearTimeout(timer);
      this.wake = Promise.withResolvers();
    }
  }
}

export interface StartOptions {
  readonly pipeline: Pick<Pipeline, 'submit' | 'state' | 'settled'>;
  readonly seed: number;
  readonly intervalMs: number;
  readonly clock: () => number;
  /** Files whose prices the first markets follow, in their order. */
  readonly recordings: readonly string[];
  readonly onError: (error: unknown) => void;
}

/** Goes on from the prices that the chain has. Throws what reading a recording throws. */
export async function startSimulation(options: StartOptions): Promise<SimulationLoop> {
  const { pipeline, seed, intervalMs, clock, onError } = options;
  const marks = pipeline.state.marks();
  const from = DEVNET_MARKETS.map(({ szDecimals }, market) => BigInt(marks[market] ?? 0) * 10n ** BigInt(szDecimals));
  const afterMs = pipeline.settled?.header.timeMs ?? 0;
  const walk = new PriceWalk(DEVNET_MARKETS, seed + afterMs, from);
  const recorded = await Promise.all(options.recordings.map(loadPrices));
  const prices = recorded.length === 0 ? walk : new RecordedPrices(recorded, walk, clock());
  const simulation = new MarketSimulation(DEVNET_MARKETS, prices, seed + afterMs + 1);
  return new SimulationLoop({ pipeline, simulation, intervalMs, clock, onError, afterMs });
}
