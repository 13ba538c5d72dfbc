/**
 * What confirmation and settlement cost beside execution: the same transactions, from the bytes that clients have sent, executed alone and through the
 * whole pipeline; and how long one waits for each of the two notices at a share of the highest rate.
 *
 * Invariant: what is compared ends in the same state root.
 */
import { join } from 'node:path';
import { assert } from '../base/assert.ts';
import { Engine } from '../execution/index.ts';
import { decodeTransaction } from '../ledger/transaction-codec.ts';
import { genesisHash, Pipeline, type Ticket } from '../node/index.ts';
import type { SeriesChart } from '../report/index.ts';
import { RealDisk, Store } from '../storage/index.ts';
import type { Benchmark, Progress } from './benchmark.ts';
import { encodedLoad, inFolder, START_MS, timed } from './node-work.ts';
import type { BenchSettings } from './settings.ts';
import { median, quantile } from './statistics.ts';

const BLOCK_SIZES = [1000, 10_000];
const TRANSACTIONS = 200_000;
const QUICK_TRANSACTIONS = 10_000;
const SHARES = [10, 50, 90];
const LATENCY_SECONDS = 4;
const QUICK_LATENCY_SECONDS = 0.5;
/** Often enough that a tick is no delay that counts. */
const TICK_MS = 1;
/** What some blocks of 10,000 that are under way may need, whatever they turn out to be (docs/decisions/0019). */
const MEMORY_MIB = 4096;
const VARIANTS = ['execution alone', 'journal and roots', 'journal, roots and store'] as const;

type Load = ReturnType<typeof encodedLoad>;

/** Seconds, and the root of the state behind. */
interface Run {
  readonly seconds: number;
  readonly root: string;
}

async function execute({ genesis, encoded }: Load, blockSize: number, workers: number): Promise<Run> {
  const engine = await Engine.create({ genesis, workers, memoryMiB: MEMORY_MIB });
  try {
    const seconds = await timed(async () => {
      for (let from = 0; from < encoded.length; from += blockSize) {
        const transactions = encoded.slice(from, from + blockSize).map(decodeTransaction);
        await engine.executeBlock({ number: from / blockSize + 1, timeMs: START_MS, transactions }, { model: 'auto' });
      }
    });
    return { seconds, root: engine.stateRoot() };
  } finally {
    await engine.close();
  }
}

async function withPipeline<T>(
  { genesis }: Load,
  settings: BenchSettings,
  options: { readonly blockSize: number; readonly stored: boolean; readonly workers: number },
  use: (pipeline: Pipeline) => Promise<T>,
): Promise<T> {
  return await inFolder(settings.folder, async (folder) => {
    const chainId = genesisHash(genesis);
    const store = options.stored ? { store: await Store.open(join(folder, 'store'), { chainId, thread: true }) } : {};
    const pipeline = await Pipeline.open({
      genesis,
      disk: await RealDisk.open(join(folder, 'journal')),
      ...store,
      clock: () => START_MS,
      workers: options.workers,
      engine: { memoryMiB: MEMORY_MIB },
      blockTransactions: options.blockSize,
    });
    try {
      return await use(pipeline);
    } finally {
      await pipeline.close();
    }
  });
}

/** Keeps two blocks waiting, until all is settled. */
function throughPipeline(load: Load, settings: BenchSettings, blockSize: number, stored: boolean, workers: number): Promise<Run> {
  return withPipeline(load, settings, { blockSize, stored, workers }, async (pipeline) => {
    const seconds = await timed(async () => {
      const lasts: Ticket[] = [];
      for (let from = 0; from < load.encoded.length; from += blockSize) {
        const tickets = load.encoded.slice(from, from + blockSize).map((bytes) => pipeline.submitEncoded(bytes));
        lasts.push(tickets.at(-1) as Ticket);
        await lasts.at(-3)?.confirmed;
      }
      await lasts.at(-1)?.settled;
    });
    return { seconds, root: pipeline.state.stateRoot() };
  });
}

interface Latencies {
  readonly confirmed: number[];
  readonly settled: number[];
}

/** Transactions come at a rate, whatever the pipeline does; times are from when they were due. */
function latenciesAt(load: Load, settings: BenchSettings, perSecond: number, workers: number): Promise<Latencies> {
  return withPipeline(load, settings, { blockSize: 10_000, stored: true, workers }, async (pipeline) => {
    const seconds = settings.quick ? QUICK_LATENCY_SECONDS : LATENCY_SECONDS;
    const count = Math.min(load.encoded.length, Math.floor(perSecond * seconds));
    const found: Latencies = { confirmed: [], settled: [] };
    const all: Promise<void>[] = [];
    const started = performance.now();
    for (let sent = 0; sent < count; ) {
      const due = Math.min(count, Math.floor(((performance.now() - started) / 1000) * perSecond) + 1);
      for (; sent < due; sent++) {
        const at = started + (sent / perSecond) * 1000;
        const ticket = pipeline.submitEncoded(load.encoded[sent] as Uint8Array);
        all.push(
          ticket.confirmed.then(() => void found.confirmed.push(performance.now() - at)),
          ticket.settled.then(() => void found.settled.push(performance.now() - at)),
        );
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    await Promise.all(all);
    return found;
  });
}

async function rates(load: Load, settings: BenchSettings, workers: number, progress: Progress): Promise<number[][][]> {
  // By block size, then variant, then round.
  const measured = BLOCK_SIZES.map(() => VARIANTS.map((): number[] => []));
  for (let round = 0; round < settings.rounds; round++) {
    for (const [i, blockSize] of BLOCK_SIZES.entries()) {
      progress(`pipeline, blocks of ${blockSize}`, round * BLOCK_SIZES.length + i, settings.rounds * BLOCK_SIZES.length);
      const runs = [
        await execute(load, blockSize, workers),
        await throughPipeline(load, settings, blockSize, false, workers),
        await throughPipeline(load, settings, blockSize, true, workers),
      ];
      assert(new Set(runs.map(({ root }) => root)).size === 1, 'all ways end in the same state');
      for (const [k, { seconds }] of runs.entries()) measured[i]?.[k]?.push(load.encoded.length / seconds);
    }
  }
  return measured;
}

export const pipeline: Benchmark = {
  name: 'pipeline',
  title: 'From a client to settlement',
  description:
    'The flow of `heddle load` from its bytes: decoded, admitted and executed alone; with journal and roots; with the store too, until all is settled. One process, the client included.',
  async run(settings, progress) {
    const workers = Math.max(...settings.workers);
    const load = encodedLoad(settings.quick ? QUICK_TRANSACTIONS : TRANSACTIONS, settings.seed);
    const measured = await rates(load, settings, workers, progress);
    const byVariant = (value: (rounds: number[], alone: number[]) => number) =>
      VARIANTS.map((label, k) => ({ label, values: measured.map((variants) => value(variants[k] as number[], variants[0] as number[])) }));
    const best = median(measured.at(-1)?.at(-1) as number[]);
    const latencies: Latencies[] = [];
    for (const share of SHARES) {
      progress(`pipeline, at ${share} %`, share, 100);
      latencies.push(await latenciesAt(load, settings, (best * share) / 100, workers));
    }
    const at = (name: keyof Latencies, share: number) => latencies.map((found) => quantile(found[name], share));
    const series: SeriesChart[] = [
      { title: 'Rate', x: BLOCK_SIZES, xTitle: 'transactions a block', unit: 'transactions a second', lines: byVariant(median) },
      {
        title: 'To execution alone',
        x: BLOCK_SIZES,
        xTitle: 'transactions a block',
        unit: 'times',
        reference: 0.7,
        referenceLabel: 'target',
        lines: byVariant((rounds, alone) => median(rounds.map((rate, i) => rate / (alone[i] as number)))).slice(1),
      },
      {
        title: 'Until a transaction is confirmed, and settled',
        note: `By the share of the rate with everything (${Math.round(best).toLocaleString('en')} a second), from when it was due.`,
        x: SHARES,
        xTitle: '% of the highest rate',
        unit: 'ms',
        logarithmic: true,
        lines: [
          { label: 'confirmed p50', values: at('confirmed', 0.5) },
          { label: 'confirmed p99', values: at('confirmed', 0.99) },
          { label: 'settled p50', values: at('settled', 0.5) },
          { label: 'settled p99', values: at('settled', 0.99) },
        ],
      },
    ];
    return { rows: [], latencies: [], series };
  },
};
