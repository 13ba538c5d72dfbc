/** Benchmarks on flows of order commands: one book, a hundred books, replay by a follower, contention. */
import type { PreparedBlock } from '../execution/api.ts';
import { Engine } from '../execution/index.ts';
import { GeneratedFlow } from '../market/index.ts';
import type { BenchmarkRow, LatencyRow } from '../report/index.ts';
import type { Benchmark, Progress } from './benchmark.ts';
import { compare, type Variant } from './comparison.ts';
import { measureLatency } from './latency.ts';
import { type BenchSettings, chooseVariants, type VariantName } from './settings.ts';

/** With extra work a flow this much shorter takes about as long. */
const SHORTER_WITH_WORK = 10;
/** Commands that warm up the latency loop before each measurement. */
const LATENCY_WARM_UP = 20_000;

const PRODUCER: readonly VariantName[] = ['serial', 'serial, recording', 'optimistic', 'deterministic, list', 'auto'];
const FOLLOWER: readonly VariantName[] = ['serial', 'deterministic, list', 'sharded, list', 'auto, list'];
const CONTENTION: readonly VariantName[] = ['serial', 'optimistic', 'deterministic, list', 'auto'];
const LATENCY: readonly VariantName[] = ['serial', 'optimistic', 'auto'];

interface FlowSize {
  readonly markets: number;
  readonly accounts: number;
}

const BOOK: FlowSize = { markets: 1, accounts: 1000 };
const MARKETS: FlowSize = { markets: 100, accounts: 10_000 };

/** An engine whose books are filled, and the blocks that come next. */
interface ReadyFlow extends FlowSize {
  readonly engine: Engine;
  readonly blocks: readonly PreparedBlock[];
}

async function prepareFlow(size: FlowSize, commands: number, settings: BenchSettings): Promise<ReadyFlow> {
  const flow = new GeneratedFlow({ ...size, seed: settings.seed, blockSize: settings.blockSize });
  const engine = await Engine.create({ genesis: flow.genesis, workers: Math.max(...settings.workers) });
  try {
    for (const block of flow.setup()) await engine.execute(block, { model: 'serial' });
  } catch (error) {
    await engine.close();
    throw error;
  }
  return { ...size, engine, blocks: [...flow.blocks(commands)] };
}

/** Rows of a flow for every amount of work; the engine is left in the state that it was given in. */
async function measure(
  benchmark: string,
  flow: ReadyFlow,
  names: readonly VariantName[],
  workMicros: readonly number[],
  settings: BenchSettings,
  progress: Progress,
): Promise<BenchmarkRow[]> {
  const rows: BenchmarkRow[] = [];
  for (const work of workMicros) {
    const blocks = work === 0 ? flow.blocks : firstBlocks(flow.blocks, settings.commands / SHORTER_WITH_WORK);
    const commands = blocks.reduce((sum, block) => sum + block.count, 0);
    const workload = {
      benchmark,
      parameters: { markets: flow.markets, accounts: flow.accounts, commands, blockSize: settings.blockSize, workMicros: work },
      blocks,
      workMicros: work,
      codesAreZero: true,
    };
    const what = `${benchmark}, ${flow.markets} ${flow.markets === 1 ? 'market' : 'markets'}, ${work} µs`;
    rows.push(...(await compare(flow.engine, workload, chooseVariants(names, settings), settings, (done, of) => progress(what, done, of))));
  }
  return rows;
}

function firstBlocks(blocks: readonly PreparedBlock[], commands: number): PreparedBlock[] {
  let taken = 0;
  return blocks.filter((block) => {
    const wanted = taken < commands;
    taken += block.count;
    return wanted;
  });
}

async function measureLatencies(benchmark: string, flow: ReadyFlow, settings: BenchSettings, progress: Progress): Promise<LatencyRow[]> {
  const { engine, blocks } = flow;
  if (settings.rates.length === 0) return [];
  const start = engine.snapshot();
  const all = chooseVariants(LATENCY, settings);
  const variants = all.filter((variant) => variant.workers === (variant.model === 'serial' ? 1 : Math.max(...settings.workers)));
  const rows: LatencyRow[] = [];
  const measureOne = (variant: Variant, perSecond: number, commands: number): Promise<LatencyRow> => {
    engine.restore(start);
    const parameters = { markets: flow.markets, accounts: flow.accounts, blockSize: settings.blockSize };
    return measureLatency(engine, { benchmark, parameters, blocks, blockSize: settings.blockSize, perSecond, commands }, variant);
  };
  for (const perSecond of settings.rates) {
    for (const variant of variants) {
      progress(`${benchmark}, latency at ${perSecond} a second`, rows.length, settings.rates.length * variants.length);
      await measureOne(variant, perSecond, LATENCY_WARM_UP);
      rows.push(await measureOne(variant, perSecond, Math.ceil(perSecond * settings.latencySeconds)));
    }
  }
  engine.restore(start);
  return rows;
}

export const book: Benchmark = {
  name: 'book',
  title: 'One book',
  description:
    "The command mix of exchange-core's benchmark on one book with about 1,000 resting orders: 9 % new orders, 3 % immediate ones, 6 % cancels, 82 % moves, with margin checks.",
  async run(settings, progress) {
    const flow = await prepareFlow(BOOK, settings.commands, settings);
    try {
      const rows = await measure('book', flow, PRODUCER, settings.workMicros ?? [0], settings, progress);
      return { rows, latencies: await measureLatencies('book', flow, settings, progress) };
    } finally {
      await flow.engine.close();
    }
  },
};

export const markets: Benchmark = {
  name: 'markets',
  title: 'A hundred books',
  description:
    'The same mix over 100 books whose activity follows a Pareto distribution, and once more with extra work for costlier rules.',
  async run(settings, progress) {
    const flow = await prepareFlow(MARKETS, settings.commands, settings);
    try {
      const rows = await measure('markets', flow, PRODUCER, settings.workMicros ?? [0, 2], settings, progress);
      return { rows, latencies: await measureLatencies('markets', flow, settings, progress) };
    } finally {
      await flow.engine.close();
    }
  },
};

export const follow: Benchmark = {
  name: 'follow',
  title: "Replay from the producer's access list",
  description:
    'A follower runs the blocks of a hundred books from the access list that the producer recorded: it knows what each transaction will read and write, and never has to run one twice.',
  async run(settings, progress) {
    const flow = await prepareFlow(MARKETS, settings.commands, settings);
    try {
      return { rows: await measure('follow', flow, FOLLOWER, settings.workMicros ?? [0, 2], settings, progress), latencies: [] };
    } finally {
      await flow.engine.close();
    }
  },
};

export const contention: Benchmark = {
  name: 'contention',
  title: 'One market against a hundred',
  description:
    'The same accounts and commands on one market and on a hundred, with extra work per command. What users of one busy market feel is the distance between the two.',
  async run(settings, progress) {
    const rows: BenchmarkRow[] = [];
    for (const size of [{ ...MARKETS, markets: 1 }, MARKETS]) {
      const flow = await prepareFlow(size, Math.ceil(settings.commands / SHORTER_WITH_WORK), settings);
      try {
        rows.push(...(await measure('contention', flow, CONTENTION, settings.workMicros ?? [2], settings, progress)));
      } finally {
        await flow.engine.close();
      }
    }
    return { rows, latencies: [] };
  },
};
