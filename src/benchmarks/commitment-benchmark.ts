/**
 * What a state root costs: blocks of 100,000 random writes among ten thousand to ten million records, executed without the state tree and with
 * it, waiting for each root. In a node the tree works while the next block executes; here nothing overlaps, so that the cost is all there.
 */

import { Random } from '../base/random.ts';
import type { BlockRoots, PreparedBlock } from '../execution/api.ts';
import { Engine } from '../execution/index.ts';
import { PreparedBlockWriter } from '../execution/prepared-block.ts';
import type { BenchmarkRow } from '../report/index.ts';
import { BENCH_ACCESSES_MAX, KIND_BENCH_ACCESS } from '../synthetic/layout.ts';
import type { Benchmark } from './benchmark.ts';
import type { BenchSettings } from './settings.ts';
import { median, quantile } from './statistics.ts';

const SIZES = [10_000, 100_000, 1_000_000, 10_000_000];
const QUICK_SIZES = [10_000, 100_000];
const WRITES = 100_000;
const MEMORY_MIB = 4096;

function block(number: number, records: number, random: Random): PreparedBlock {
  const writer = new PreparedBlockWriter();
  for (let i = 0; i < Math.min(WRITES, records); i += BENCH_ACCESSES_MAX) {
    const written = Array.from({ length: BENCH_ACCESSES_MAX }, () => random.below(records));
    writer.benchAccess(KIND_BENCH_ACCESS, i + number, [], written);
  }
  return writer.finish(number, number);
}

interface Measured {
  /** Of each round: executing a block, and from its end to its root. */
  readonly execution: number[];
  readonly whole: number[];
  root: string;
}

async function measure(records: number, rounds: number, seed: number): Promise<Measured> {
  const random = new Random(seed);
  const measured: Measured = { execution: [], whole: [], root: '' };
  const engine = await Engine.create({ workers: 1, benchCells: records, memoryMiB: MEMORY_MIB, commitment: { expectedRecords: records } });
  try {
    for (let number = 1; number <= rounds + 1; number++) {
      const prepared = block(number, records, random);
      const started = performance.now();
      const { seconds, roots } = await engine.execute(prepared, { model: 'serial' });
      measured.root = Buffer.from(((await roots) as BlockRoots).state).toString('hex');
      // The first one warms up.
      if (number === 1) continue;
      measured.execution.push(seconds);
      measured.whole.push((performance.now() - started) / 1000);
    }
    return measured;
  } finally {
    await engine.close();
  }
}

function rowOf(variant: string, records: number, seconds: readonly number[], execution: readonly number[], root: string): BenchmarkRow {
  const writes = Math.ceil(Math.min(WRITES, records) / BENCH_ACCESSES_MAX) * BENCH_ACCESSES_MAX;
  const rates = seconds.map((value) => writes / value);
  return {
    benchmark: 'commitment',
    model: 'serial',
    variant,
    accessSets: 'recorded',
    workers: 1,
    parameters: { records, writes },
    transactionsPerSecond: median(rates),
    withHostPerSecond: median(rates),
    ratioToSerial: median(seconds.map((value, i) => (execution[i] as number) / value)),
    executionsPerTransaction: 1,
    validationsPerTransaction: 0,
    quartiles: [quantile(rates, 0.25), quantile(rates, 0.75)],
    conflicts: {},
    stateRoot: root,
  };
}

export const commitment: Benchmark = {
  name: 'commitment',
  title: 'The state root',
  description:
    'Blocks of 100,000 random writes among 10,000 to 10,000,000 records: executed and recorded, and until the root is there. Writes a second stand where other benchmarks have transactions.',
  axis: { parameter: 'records', title: 'records' },
  async run(settings: BenchSettings, progress) {
    const rows: BenchmarkRow[] = [];
    const sizes = settings.quick ? QUICK_SIZES : SIZES;
    for (const [done, records] of sizes.entries()) {
      progress(`commitment, ${records.toLocaleString('en')} records`, done, sizes.length);
      const { execution, whole, root } = await measure(records, settings.rounds, settings.seed);
      rows.push(
        rowOf('execution, recorded', records, execution, execution, root),
        rowOf('until the root', records, whole, execution, root),
      );
    }
    return { rows, latencies: [] };
  },
};
