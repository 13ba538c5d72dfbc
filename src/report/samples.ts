/** Made-up figures for the tests of this part, shaped like real ones. The same on every call. */
import { Random } from '../base/random.ts';
import type { TimelineEntry } from '../execution/api.ts';
import type { BenchmarkReport, BenchmarkRow, LatencyRow } from './benchmark-report.ts';
import type { CrashReport } from './crash-report.ts';
import type { ReplayReport } from './replay-report.ts';

const ENVIRONMENT = { cpu: 'AMD EPYC 7B13', cores: 2, node: 'v26.10.0' };

/** Workers that take transactions in turn; some run again. */
export function sampleTimeline(transactions: number, workers: number): TimelineEntry[] {
  const random = new Random(7);
  const free = Array.from({ length: workers }, () => random.below(40) / 10);
  return Array.from({ length: transactions }, (_, transaction) => {
    const worker = free.indexOf(Math.min(...free));
    const startMicros = (free[worker] ?? 0) + (random.chance(0.01) ? 6 : random.below(3) / 20);
    const again = random.chance(0.06);
    const endMicros = startMicros + 0.35 + random.below(100) / 90 + (again ? 0.6 : 0);
    free[worker] = endMicros + 0.08;
    return { transaction, worker, startMicros, endMicros, incarnation: again ? 2 : 1 };
  });
}

export function sampleReplay(): ReplayReport {
  const run = (model: string, workers: number, transactionsPerSecond: number, executions = 1, validations = 0) => ({
    model,
    workers,
    transactionsPerSecond,
    executionsPerTransaction: executions,
    validationsPerTransaction: validations,
  });
  return {
    title: 'Replay of 30 minutes of BTC, ETH and SOL',
    generatedAt: '2026-03-04T11:22:33Z',
    command: 'heddle replay recordings/sample --models serial,optimistic,deterministic,sharded,auto --report replay.html',
    environment: ENVIRONMENT,
    summary: {
      blocks: 1832,
      transactions: 1_204_331,
      fills: 88_412,
      'resting orders at the end': 41_220,
      'state root': '5f0c64c7a5b4f0d5c4c2ff0ad2c9a1e7d4b8f7260fd1a90b46d3ab5ce01f7a23',
      'receipts equal in all runs': 'yes',
    },
    runs: [
      run('serial', 1, 3_412_340),
      run('optimistic', 1, 1_402_310, 1, 1),
      run('optimistic', 2, 2_204_118, 1.134, 1.182),
      run('deterministic', 1, 2_740_228),
      run('deterministic', 2, 4_611_908),
      run('sharded', 2, 3_980_121),
      run('auto', 2, 3_380_990),
    ],
    conflicts: [
      { recordClass: 'level', count: 48_210 },
      { recordClass: 'order', count: 21_877 },
      { recordClass: 'margin account', count: 9_120 },
      { recordClass: 'position', count: 3_042 },
      { recordClass: 'oracle', count: 12 },
    ],
    timeline: sampleTimeline(3000, 2),
    timelineTitle: 'Block 911, optimistic, 2 workers',
    checks: { bookChecks: 1832, bookMismatches: 0 },
  };
}

const MODELS: readonly (readonly [string, number, number])[] = [
  ['serial', 1, 1],
  ['optimistic', 1, 0.5],
  ['optimistic', 2, 1.1],
  ['deterministic', 1, 0.7],
  ['deterministic', 2, 1.4],
  ['deterministic, list', 2, 1.5],
  ['sharded', 2, 1.3],
  ['auto', 2, 1.35],
];

export function sampleBenchmark(): BenchmarkReport {
  const rows: BenchmarkRow[] = [];
  for (const workMicros of [0, 10]) {
    for (const [index, accounts] of [2, 10, 100, 1000, 10_000, 1_000_000].entries()) {
      for (const [model, workers, speed] of MODELS) {
        const ratio = model === 'serial' ? 1 : speed * (0.4 + 0.12 * index) * (workMicros === 0 ? 0.7 : 1.1);
        const transactionsPerSecond = (workMicros === 0 ? 7_000_000 / (1 + index / 2) : 95_000) * ratio;
        rows.push({
          benchmark: 'transfers',
          model: model.split(',')[0] as string,
          variant: model,
          accessSets: model.endsWith('list') ? 'given' : 'none',
          workers,
          parameters: { shape: 'wide', accounts, workMicros },
          transactionsPerSecond,
          ratioToSerial: ratio,
          executionsPerTransaction: model === 'optimistic' ? 1 + 1.2 / (index + 1) : 1,
          validationsPerTransaction: model === 'optimistic' ? 1.1 : 0,
          withHostPerSecond: transactionsPerSecond * 0.9,
          quartiles: [transactionsPerSecond * 0.96, transactionsPerSecond * 1.03],
          conflicts: model === 'optimistic' ? { cell: 1200 } : {},
          ...(model.endsWith('list') ? { accessListBytesPerTransaction: 32 } : {}),
          stateRoot: '5f0c64c7',
        });
      }
    }
  }
  const hot = (model: string, workers: number, operation: string, ratioToSerial: number): BenchmarkRow => ({
    ...(rows[0] as BenchmarkRow),
    benchmark: 'hot',
    model,
    variant: model,
    workers,
    parameters: { operation, workMicros: 1 },
    transactionsPerSecond: 810_000 * ratioToSerial,
    ratioToSerial,
  });
  const latency = (model: string, inputPerSecond: number, first: number): LatencyRow => ({
    benchmark: 'book',
    model,
    variant: model,
    workers: 2,
    parameters: {},
    inputPerSecond,
    achievedPerSecond: Math.min(inputPerSecond, 4_100_000),
    saturated: inputPerSecond > 4_100_000,
    commands: inputPerSecond,
    percentilesMicros: { p50: first, p90: first * 1.6, p99: first * 9, 'p99.9': first * 60, 'p99.99': first * 140, max: first * 900 },
  });
  return {
    title: 'transfers, hot, book',
    generatedAt: '2026-03-04T11:22:33Z',
    command: 'npm run bench -- all --report bench.html',
    environment: ENVIRONMENT,
    rounds: 11,
    quick: false,
    calibrationBefore: 1.012,
    calibrationAfter: 1.134,
    calibrationLimit: 1.1,
    sections: [
      {
        name: 'transfers',
        title: 'Transfers between accounts',
        description: 'Blocks of 10,000 transfers between random accounts. Few accounts mean many conflicts.',
        axis: { parameter: 'accounts', title: 'accounts' },
        rows,
        latencies: [],
      },
      {
        name: 'hot',
        title: 'One counter that everybody updates',
        description: 'Every transaction adds to the same counter.',
        axis: { parameter: 'workMicros', title: 'work per transaction (µs)' },
        rows: ['accumulate', 'read and write'].flatMap((operation) =>
          MODELS.map(([model, workers, speed]) => hot(model, workers, operation, operation === 'accumulate' ? speed : speed / 3)),
        ),
        latencies: [1, 1.4].flatMap((factor) =>
          [100_000, 500_000, 1_000_000, 2_000_000, 5_000_000].map((rate, index) =>
            latency(factor === 1 ? 'serial' : 'optimistic', rate, factor * (0.9 + index * 0.7)),
          ),
        ),
      },
      {
        name: 'commitment',
        title: 'The state root',
        description: 'What it costs to keep it.',
        rows: [],
        latencies: [],
        series: [
          {
            title: 'What a change costs',
            x: [10_000, 100_000, 1_000_000],
            xTitle: 'records',
            unit: 'µs',
            lines: [
              { label: '1 thread', values: [0.21, 0.28, 0.57] },
              { label: '2 threads', values: [0.12, 0.15, 0.31] },
            ],
          },
          {
            title: 'Filling',
            note: 'All records, at the start.',
            x: [10_000, 100_000, 1_000_000],
            xTitle: 'records',
            unit: 's',
            logarithmic: true,
            lines: [{ label: '1 thread', values: [0.01, 0.05, 0.6] }],
          },
        ],
      },
      {
        name: 'compression',
        title: 'Bytes on disk',
        description: 'Bodies of blocks in several forms.',
        rows: [],
        latencies: [],
        sizes: ['each alone', 'rows', 'columns, zstd'].map((form, index) => ({
          benchmark: 'compression',
          parameters: { flow: 'load', blockSize: 10_000 },
          what: 'body',
          form,
          per: 'transaction',
          bytes: 63 / 4 ** index,
          ratioToPlain: 4 ** index,
          ...(index === 0 ? {} : { encodeMicros: 0.9 * index, decodeMicros: 1.1 * index }),
        })),
      },
    ],
  };
}

export function sampleCrash(): CrashReport {
  const startMs = Date.UTC(2025, 9, 10, 21, 15, 30);
  const blocks = 240;
  const timeOf = (block: number) => startMs + block * 1000;
  const waves = [
    { number: 1, first: 40, last: 43, realFills: 11_279 },
    { number: 2, first: 90, last: 92, realFills: 2915 },
    { number: 13, first: 150, last: 190, realFills: 7873 },
  ];
  const depth = (block: number) =>
    waves.reduce((sum, { first, last }) => sum + Math.max(0, Math.min(1, (block - first) / (last - first))), 0) / 3;
  const inWave = (block: number) => waves.some(({ first, last }) => block >= first && block <= last + 3);
  const run = (model: string, workers: number, transactionsPerSecond: number, executionsPerTransaction: number) => ({
    model,
    workers,
    transactionsPerSecond,
    executionsPerTransaction,
    seconds: 2_400_000 / transactionsPerSecond,
    stateRoot: '5f0c64c7a5b4f0d5c4c2ff0ad2c9a1e7d4b8f7260fd1a90b46d3ab5ce01f7a23',
  });
  return {
    title: 'Crash day: 400,000 accounts, 168 markets',
    generatedAt: '2026-03-04T11:22:33Z',
    command: 'heddle scenario crash --accounts 400000 --markets 168 --model optimistic --workers 2 --compare --report crash.html',
    environment: ENVIRONMENT,
    calibration: 'tables of the 10 October 2025 cascade: 16 waves, 1125 shocks of coins',
    summary: { 'forced events': 184_220, accounts: '400,000 in 168 markets', 'state root': '5f0c64c7a5b4f0d5' },
    totals: { forcedEvents: 184_220, liquidations: 81_400, backstops: 48_120, deleveragings: 54_700, covers: 0 },
    real: { liquidations: 63_637, deleveragings: 34_983 },
    waves: waves.map(({ number, first, last, realFills }) => ({
      number,
      fromMs: timeOf(first),
      toMs: timeOf(last + 1),
      realFills,
      liquidations: realFills * 3,
      backstops: realFills * 2,
      deleveragings: Math.round(realFills * 1.4),
      traders: realFills,
    })),
    prices: [0.15, 0.35, 0.6].map((fall, index) => ({
      label: `COIN-${index * 7}`,
      points: Array.from({ length: blocks }, (_, block) => [timeOf(block), 1 - fall * depth(block)] as const),
    })),
    blocks: Array.from({ length: blocks }, (_, block) => ({
      timeMs: timeOf(block),
      liquidatedUsd: inWave(block) ? 900_000 : 20_000,
      backstopUsd: inWave(block) ? 3_100_000 : 0,
      deleveragedUsd: inWave(block) ? 5_200_000 : 0,
    })),
    backstop: Array.from({ length: blocks / 10 }, (_, index) => [timeOf(index * 10), 8_600_000 * (1 - depth(index * 10))] as const),
    waits: [91_204, 3],
    audits: 73,
    worstBlocksToAction: 1,
    runs: [run('optimistic', 2, 61_200, 1.008), run('serial', 1, 39_800, 1)],
  };
}
