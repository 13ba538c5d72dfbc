/** Benchmarks on the benchmark program: transfers, random accesses, one hot counter, a chain. */
import type { PreparedBlock } from '../execution/api.ts';
import { Engine, type EngineOptions } from '../execution/index.ts';
import type { BenchmarkRow, Parameters } from '../report/index.ts';
import { CELLS_PER_ACCOUNT } from '../synthetic/layout.ts';
import { chainBlock, hotBlock, syntheticBlock, transferBlock } from './bench-blocks.ts';
import type { Benchmark, Progress } from './benchmark.ts';
import { compare } from './comparison.ts';
import { type BenchSettings, chooseVariants, type VariantName } from './settings.ts';

const EVERY_MODEL: readonly VariantName[] = ['serial', 'optimistic', 'deterministic', 'deterministic, list', 'sharded', 'auto'];
const WORK_MICROS = [0, 1, 10];
const SYNTHETIC_CELLS = 100;

interface Point {
  readonly parameters: Parameters;
  readonly block: PreparedBlock;
}

/** Measures points that share a state, each with every amount of work. */
async function measure(
  benchmark: string,
  memory: Pick<EngineOptions, 'benchCells' | 'benchCounters'>,
  points: readonly Point[],
  settings: BenchSettings,
  progress: Progress,
): Promise<BenchmarkRow[]> {
  const variants = chooseVariants(EVERY_MODEL, settings);
  const engine = await Engine.create({ workers: Math.max(...settings.workers), ...memory });
  const rows: BenchmarkRow[] = [];
  try {
    for (const { parameters, block } of points) {
      for (const workMicros of settings.workMicros ?? WORK_MICROS) {
        const workload = {
          benchmark,
          parameters: { ...parameters, transactions: block.count, workMicros },
          blocks: [block],
          workMicros,
          codesAreZero: true,
        };
        const what = [benchmark, ...Object.values(parameters), `${workMicros} µs`].join(' ');
        rows.push(...(await compare(engine, workload, variants, settings, (done, of) => progress(what, done, of))));
      }
    }
  } finally {
    await engine.close();
  }
  return rows;
}

export const transfers: Benchmark = {
  name: 'transfers',
  title: 'Transfers between accounts',
  description:
    'Blocks of transfers between random accounts. Few accounts mean that almost every transfer depends on the one before, many mean that almost none does. Wide transfers read 8 and write 5 cells, narrow ones read 3 and write 3.',
  axis: { parameter: 'accounts', title: 'accounts' },
  async run(settings, progress) {
    const rows: BenchmarkRow[] = [];
    for (const accounts of settings.accounts) {
      const points = settings.shapes.map((shape) => ({
        parameters: { shape, accounts },
        block: transferBlock(settings.blockSize, accounts, shape, settings.seed),
      }));
      rows.push(...(await measure('transfers', { benchCells: accounts * CELLS_PER_ACCOUNT }, points, settings, progress)));
    }
    return { rows, latencies: [] };
  },
};

export const synthetic: Benchmark = {
  name: 'synthetic',
  title: 'Random reads and writes',
  description:
    'Transactions over 100 keys with 1 to 9 reads and 1 to 9 writes, each kept with probability one half: the mix that Block-STM was first measured with.',
  axis: { parameter: 'workMicros', title: 'extra work per transaction (µs)' },
  async run(settings, progress) {
    const block = syntheticBlock(settings.blockSize, SYNTHETIC_CELLS, settings.seed);
    const points = [{ parameters: { keys: SYNTHETIC_CELLS }, block }];
    return { rows: await measure('synthetic', { benchCells: SYNTHETIC_CELLS }, points, settings, progress), latencies: [] };
  },
};

export const hot: Benchmark = {
  name: 'hot',
  title: 'One counter that everybody updates',
  description:
    'Every transaction adds to the same counter. Accumulated additions commute and do not conflict; with a read and a write, each transaction depends on the one before.',
  axis: { parameter: 'workMicros', title: 'extra work per transaction (µs)' },
  async run(settings, progress) {
    const points = (['accumulate', 'read and write'] as const).map((operation) => ({
      parameters: { operation },
      block: hotBlock(settings.blockSize, operation, settings.seed),
    }));
    return { rows: await measure('hot', { benchCounters: 1 }, points, settings, progress), latencies: [] };
  },
};

export const chain: Benchmark = {
  name: 'chain',
  title: 'A fully dependent block',
  description:
    'Transaction i reads what transaction i - 1 wrote. Nothing can run in parallel; what is measured is what trying costs. 1.0 would be free.',
  axis: { parameter: 'workMicros', title: 'extra work per transaction (µs)' },
  async run(settings, progress) {
    const points = [{ parameters: {}, block: chainBlock(settings.blockSize) }];
    return { rows: await measure('chain', { benchCells: settings.blockSize }, points, settings, progress), latencies: [] };
  },
};
