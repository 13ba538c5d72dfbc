/**
 * What it costs that blocks are on disk before they are confirmed: appending blocks one by one and several in flight, and reading them at a start.
 * The disk is that of `--folder`: a folder in memory says nothing about disks.
 */
import { join } from 'node:path';
import { genesisHash } from '../node/index.ts';
import type { SeriesChart } from '../report/index.ts';
import { Journal, RealDisk } from '../storage/index.ts';
import type { Benchmark, Progress } from './benchmark.ts';
import { encodedLoad, inFolder, packedBlocks, timed } from './node-work.ts';
import type { BenchSettings } from './settings.ts';
import { median, quantile } from './statistics.ts';

const BLOCK_SIZES = [1, 10, 100, 1000, 10_000];
const IN_FLIGHT = [1, 2, 4, 8, 16];
/** Blocks of 10,000 transactions that a round appends. */
const LARGE_BLOCKS = 24;
const APPENDS = 40;
const MIB = 2 ** 20;

/** Milliseconds of each append of a block, one after the other. */
async function appends(journal: Journal, bodies: readonly Uint8Array[], first: number): Promise<number[]> {
  const times: number[] = [];
  for (const [i, body] of bodies.entries()) {
    times.push(1000 * (await timed(() => journal.append([{ number: first + i, body }]))));
  }
  return times;
}

/** Appends all, `inFlight` at a time; seconds. */
function throughput(journal: Journal, bodies: readonly Uint8Array[], first: number, inFlight: number): Promise<number> {
  return timed(async () => {
    const flying: Promise<void>[] = [];
    for (const [i, body] of bodies.entries()) {
      if (flying.length >= inFlight) await flying.shift();
      flying.push(journal.append([{ number: first + i, body }]));
    }
    await Promise.all(flying);
  });
}

interface Measured {
  /** Milliseconds of an append by transactions a block. */
  readonly single: Map<number, number[]>;
  /** MiB a second by blocks in flight, one a round. */
  readonly rates: Map<number, number[]>;
  /** MiB a second of opening, which verifies everything, and of reading. */
  readonly opening: number[];
  readonly reading: number[];
}

async function measure(settings: BenchSettings, progress: Progress): Promise<Measured> {
  const { genesis, encoded } = encodedLoad(settings.quick ? 10_000 : 100_000, settings.seed);
  const chainId = genesisHash(genesis);
  const large = packedBlocks(encoded, 10_000);
  const measured: Measured = { single: new Map(), rates: new Map(), opening: [], reading: [] };
  const note = (map: Map<number, number[]>, key: number, ...values: number[]) => map.set(key, [...(map.get(key) ?? []), ...values]);
  for (let round = 0; round < settings.rounds; round++) {
    progress('journal', round, settings.rounds);
    await inFolder(settings.folder, async (folder) => {
      const disk = () => RealDisk.open(join(folder, 'journal'));
      let journal = await Journal.open(await disk(), { chainId });
      let next = 1;
      let bytes = 0;
      for (const size of BLOCK_SIZES) {
        const bodies = packedBlocks(encoded, size).slice(0, APPENDS);
        note(measured.single, size, ...(await appends(journal, bodies, next)));
        next += bodies.length;
        bytes += bodies.reduce((sum, { length }) => sum + length, 0);
      }
      for (const inFlight of IN_FLIGHT) {
        const bodies = Array.from({ length: LARGE_BLOCKS }, (_, i) => large[i % large.length] as Uint8Array);
        const own = bodies.reduce((sum, { length }) => sum + length, 0);
        note(measured.rates, inFlight, own / MIB / (await throughput(journal, bodies, next, inFlight)));
        next += bodies.length;
        bytes += own;
      }
      await journal.close();
      const opened = await timed(async () => {
        journal = await Journal.open(await disk(), { chainId });
      });
      const read = await timed(async () => {
        for await (const block of journal.read(1)) void block;
      });
      await journal.close();
      measured.opening.push(bytes / MIB / opened);
      measured.reading.push(bytes / MIB / read);
    });
  }
  return measured;
}

function charts({ single, rates, opening, reading }: Measured): SeriesChart[] {
  const of = (map: Map<number, number[]>, keys: readonly number[], value: (values: number[]) => number) =>
    keys.map((key) => value(map.get(key) ?? []));
  return [
    {
      title: 'Until a block is on disk',
      note: 'One block at a time, from the call to the end of the flush.',
      x: BLOCK_SIZES,
      xTitle: 'transactions a block',
      unit: 'ms',
      lines: [
        { label: 'p50', values: of(single, BLOCK_SIZES, median) },
        { label: 'p99', values: of(single, BLOCK_SIZES, (values) => quantile(values, 0.99)) },
      ],
    },
    {
      title: 'Written',
      note: 'Blocks of 10,000 transactions. Those that come while one is flushed share the next flush. Opening verifies every checksum.',
      x: IN_FLIGHT,
      xTitle: 'blocks in flight',
      unit: 'MiB a second',
      lines: [
        { label: 'appended', values: of(rates, IN_FLIGHT, median) },
        { label: 'opened', values: IN_FLIGHT.map(() => median(opening)) },
        { label: 'read', values: IN_FLIGHT.map(() => median(reading)) },
      ],
    },
  ];
}

export const journal: Benchmark = {
  name: 'journal',
  title: 'The journal',
  description: 'Blocks of the flow of `heddle load`, appended, flushed, verified and read, on the disk of --folder.',
  async run(settings, progress) {
    return { rows: [], latencies: [], series: charts(await measure(settings, progress)) };
  },
};
