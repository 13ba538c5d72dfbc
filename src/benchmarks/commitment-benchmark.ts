/**
 * What a state root costs, over the size of the state: between two blocks, until the root is there, as the time of the next block, and at the
 * start. Blocks write 100,000 random records once each; an engine without a tree and engines with one execute the same blocks in turn.
 *
 * Invariant: all engines come to the same root after every block.
 */
import { availableParallelism } from 'node:os';
import { assert } from '../base/assert.ts';
import { Random } from '../base/random.ts';
import type { PreparedBlock } from '../execution/api.ts';
import { Engine } from '../execution/index.ts';
import { PreparedBlockWriter } from '../execution/prepared-block.ts';
import type { SeriesChart } from '../report/index.ts';
import { BENCH_ACCESSES_MAX, KIND_BENCH_ACCESS } from '../synthetic/layout.ts';
import type { Benchmark, Progress } from './benchmark.ts';
import type { BenchSettings } from './settings.ts';
import { median } from './statistics.ts';

const SIZES = [10_000, 100_000, 1_000_000, 10_000_000];
const QUICK_SIZES = [10_000, 100_000];
const WRITES = 100_000;
const MEMORY_MIB = 4096;
/** Numbers of commit threads; 0: no tree. More than the machine has cores for beside execution are measured too: see what they are worth. */
const THREADS = [0, 1, 2];
/** Blocks whose trees overlap with the next one's execution, measured as one. */
const OVERLAPPED = 4;
/** How much longer than the tree's work such a block executes. */
const OVERLAP_FACTOR = 1.25;

/** Writes random records, none twice in a block. */
class Blocks {
  readonly writes: number;
  private number = 1;
  private readonly random: Random;
  private readonly records: Uint32Array;

  constructor(records: number, seed: number) {
    this.writes = Math.min(WRITES, records);
    this.random = new Random(seed);
    this.records = Uint32Array.from({ length: records }, (_, i) => i);
  }

  next(): PreparedBlock {
    const { records, random, writes } = this;
    const writer = new PreparedBlockWriter();
    for (let first = 0; first < writes; first += BENCH_ACCESSES_MAX) {
      const written: number[] = [];
      for (let i = first; i < Math.min(writes, first + BENCH_ACCESSES_MAX); i++) {
        const other = i + random.below(records.length - i);
        const record = records[other] as number;
        records[other] = records[i] as number;
        records[i] = record;
        written.push(record);
      }
      writer.benchAccess(KIND_BENCH_ACCESS, first + this.number, [], written);
    }
    const block = writer.finish(this.number, this.number);
    this.number++;
    return block;
  }
}

/** Of an engine, an entry a round, in seconds; all of it without executing the block. */
interface Times {
  /** From giving it a block to its result. */
  readonly between: number[];
  /** From giving it a block to its root. */
  readonly whole: number[];
  /** A block whose predecessor's changes are worked in meanwhile. */
  readonly overlapped: number[];
  created: number;
}

interface Measured {
  readonly records: number;
  readonly writes: number;
  readonly times: readonly Times[];
}

async function measure(records: number, settings: BenchSettings): Promise<Measured> {
  const blocks = new Blocks(records, settings.seed);
  const engines: Engine[] = [];
  const times: Times[] = [];
  try {
    for (const threads of THREADS) {
      const started = performance.now();
      const commitment = threads === 0 ? false : { expectedRecords: records, threads };
      engines.push(await Engine.create({ workers: 1, benchCells: records, memoryMiB: MEMORY_MIB, commitment }));
      times.push({ between: [], whole: [], overlapped: [], created: (performance.now() - started) / 1000 });
    }
    // The first round warms up.
    for (let round = 0; round <= settings.rounds; round++) {
      const block = blocks.next();
      const found = new Set<string>();
      for (const [i, engine] of engines.entries()) {
        const started = performance.now();
        const { seconds, roots } = await engine.execute(block, { model: 'serial', record: true });
        const executed = performance.now();
        if (roots !== undefined) found.add(Buffer.from((await roots).state).toString('hex'));
        if (round === 0) continue;
        times[i]?.between.push((executed - started) / 1000 - seconds);
        times[i]?.whole.push((performance.now() - started) / 1000 - seconds);
      }
      assert(found.size === 1, 'engines with any number of commit threads come to the same root');
    }
    await measureOverlapped(blocks, engines, times, settings.rounds);
    return { records, writes: blocks.writes, times };
  } finally {
    await Promise.all(engines.map((engine) => engine.close()));
  }
}

async function measureOverlapped(blocks: Blocks, engines: readonly Engine[], times: readonly Times[], rounds: number): Promise<void> {
  const transactions = Math.ceil(blocks.writes / BENCH_ACCESSES_MAX);
  const micros = ((median(times[1]?.whole ?? []) * OVERLAP_FACTOR) / transactions) * 1e6;
  for (let round = 0; round < rounds; round++) {
    const some = Array.from({ length: OVERLAPPED + 1 }, () => blocks.next());
    for (const [i, engine] of engines.entries()) {
      const workUnits = Math.round(micros * engine.workUnitsPerMicrosecond);
      let started = 0;
      for (const [k, block] of some.entries()) {
        // The block before the first that counts leaves it something to overlap with.
        if (k === 1) started = performance.now();
        await engine.execute(block, { model: 'serial', workUnits });
      }
      times[i]?.overlapped.push((performance.now() - started) / 1000 / OVERLAPPED);
      // What the last one has left does not fall on another engine's blocks.
      if (THREADS[i] !== 0) engine.committedRoot();
    }
  }
}

function charts(measured: readonly Measured[]): SeriesChart[] {
  const x = measured.map(({ records }) => records);
  const over = (value: (times: Times, without: Times, writes: number) => number) => (threads: number, label: string) => ({
    label,
    values: measured.map(({ times, writes }) => value(times[threads] as Times, times[0] as Times, writes)),
  });
  // What the host does for a block anyway is taken off by rounds.
  const perChange = (seconds: readonly number[], without: readonly number[], writes: number) =>
    (median(seconds.map((value, i) => value - (without[i] as number))) / writes) * 1e6;
  const root = over(({ whole }, without, writes) => perChange(whole, without.whole, writes));
  const collected = over(({ between }, without, writes) => perChange(between, without.between, writes));
  const overlapped = over(({ overlapped }, without) => median(overlapped.map((seconds, i) => seconds / (without.overlapped[i] as number))));
  // Below a millisecond the rest of an engine's start outweighs it.
  const filled = over(({ created }, without) => Math.max(0.001, created - without.created));
  const both = (line: (threads: number, label: string) => SeriesChart['lines'][number]) => [line(1, '1 thread'), line(2, '2 threads')];
  return [
    {
      title: 'What a change costs',
      note: 'From the end of a block to its root, while nothing else runs; and the part of it between two blocks, in which records are copied, receipts and accesses hashed.',
      x,
      xTitle: 'records',
      unit: 'µs',
      lines: [...both(root), collected(1, 'between blocks')],
    },
    {
      title: 'Blocks with the tree, to blocks without',
      note: `Wall time of blocks that execute ${OVERLAP_FACTOR} times as long as one thread works on the tree, on ${availableParallelism()} cores. One after the other would be ${(1 + 1 / OVERLAP_FACTOR).toFixed(1)}.`,
      x,
      xTitle: 'records',
      unit: 'times',
      reference: 1,
      referenceLabel: 'without',
      lines: both(overlapped),
    },
    { title: 'Filling the tree at the start', x, xTitle: 'records', unit: 's', logarithmic: true, lines: both(filled) },
  ];
}

export const commitment: Benchmark = {
  name: 'commitment',
  title: 'The state root',
  description:
    'Blocks that write 100,000 random records once each (10,000 of as many), over the size of the state, by 1 and 2 commit threads; execution is serial.',
  async run(settings: BenchSettings, progress: Progress) {
    const measured: Measured[] = [];
    const sizes = settings.quick ? QUICK_SIZES : SIZES;
    for (const [done, records] of sizes.entries()) {
      progress(`commitment, ${records.toLocaleString('en')} records`, done, sizes.length);
      measured.push(await measure(records, settings));
    }
    return { rows: [], latencies: [], series: charts(measured) };
  },
};
