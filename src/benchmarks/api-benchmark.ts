/**
 * What a node takes over its API from a client in another process: against signature recovery alone, how long acknowledgements take below capacity, and
 * what happens above it.
 *
 *   rate        as many as are answered, interleaved with the pool of signatures alone, with as many threads as the node has
 *   latency     at planned times, at shares of the rate of single orders; from when an order was due to its acknowledgement
 *   overload    at planned times, at multiples of that rate, the greatest twice; what finds no connection that can take it is given up
 *
 * Invariant: requests are signed before, and every one is good: an answer that the ledger refused ends the benchmark.
 * Not here: what the wire costs between machines; node and client share this one's processors, and the client's part is in every figure.
 */
import { availableParallelism } from 'node:os';
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import type { SeriesChart } from '../report/index.ts';
import { SignaturePool } from '../signatures/signature-pool.ts';
import type { LoadOrder } from './api-client.ts';
import type { Route } from './api-connections.ts';
import type { LoadResult } from './api-load.ts';
import { ClientProcess, NodeProcess, type NodeUse } from './api-processes.ts';
import { RequestMaker } from './api-requests.ts';
import type { Benchmark, Progress } from './benchmark.ts';
import { inFolder } from './node-work.ts';
import type { BenchSettings } from './settings.ts';
import { median, quantile } from './statistics.ts';

const BATCH = 40;
const SHARES = [10, 50, 90];
/** The last one again: whether memory still grows. */
const MULTIPLES = [1, 2, 10, 10];
const RATE_ROUNDS_MAX = 5;

interface Way {
  readonly label: string;
  readonly route: Route;
  readonly orders: number;
  readonly connections: number;
  readonly outstanding: number;
}

const WAYS: readonly Way[] = [
  { label: 'single, WebSocket', route: 'ws', orders: 1, connections: 32, outstanding: 32 },
  { label: 'single, HTTP', route: 'http', orders: 1, connections: 512, outstanding: 1 },
  { label: 'batches of 40, WebSocket', route: 'ws', orders: BATCH, connections: 32, outstanding: 4 },
  { label: 'batches of 40, HTTP', route: 'http', orders: BATCH, connections: 128, outstanding: 1 },
];
/** Overload comes over more connections than the node has room for requests. */
const OVERLOAD_WAYS: readonly Way[] = [
  { label: 'WebSocket', route: 'ws', orders: 1, connections: 64, outstanding: 96 },
  { label: 'HTTP', route: 'http', orders: 1, connections: 3072, outstanding: 1 },
];

interface Times {
  readonly rateSeconds: number;
  readonly loadSeconds: number;
  readonly warmUpSeconds: number;
  readonly poolSignatures: number;
  /** Requests that are signed beside those that may be accepted: what is under way and refused at the end. */
  readonly spare: number;
  readonly connectionsMax: number;
}

const TIMES: Times = { rateSeconds: 6, loadSeconds: 8, warmUpSeconds: 1.5, poolSignatures: 15_000, spare: 3000, connectionsMax: 4096 };
const QUICK_TIMES: Times = { rateSeconds: 0.6, loadSeconds: 0.6, warmUpSeconds: 0.2, poolSignatures: 300, spare: 300, connectionsMax: 128 };

interface Measured {
  readonly result: LoadResult;
  readonly before: NodeUse | undefined;
  readonly after: NodeUse | undefined;
}

class Bench {
  readonly node: NodeProcess;
  readonly times: Times;
  private readonly client: ClientProcess;

  constructor(node: NodeProcess, client: ClientProcess, times: Times) {
    this.node = node;
    this.client = client;
    this.times = times;
  }

  /** `expected`: requests a second that may be accepted. */
  async load({ route, orders, connections, outstanding }: Way, seconds: number, expected: number, open?: OpenLoad): Promise<Measured> {
    const { warmUpSeconds, spare, connectionsMax } = this.times;
    const requests = Math.ceil(expected * (seconds + warmUpSeconds)) + spare;
    const plan: LoadOrder['plan'] = { seconds: seconds + warmUpSeconds, warmUpSeconds, outstanding, ...open };
    const order = { url: this.node.url, route, orders, connections: Math.min(connections, connectionsMax), requests, plan };
    await this.client.prepare(order);
    const before = this.node.use();
    const result = await this.client.load(order);
    const after = this.node.use();
    if (result.answers.ruled > 0) throw new HeddleError('LOAD_REFUSED', `an order of the load was refused: ${result.samples.ruled}`);
    if (result.answers.lost > 0) throw new HeddleError('LOAD_LOST', `${result.answers.lost} requests were not answered`);
    return { result, before, after };
  }
}

interface OpenLoad {
  readonly perSecond: number;
  readonly givesUp: boolean;
}

const perSecond = ({ result }: Measured): number => result.answers.accepted / result.seconds;

// --- Rate -------------------------------------------------------------------------------------------------------------------------------

/** Signatures a second of a pool alone, with what the node gives its threads for requests with so many orders. */
async function poolAlone(maker: RequestMaker, orders: number, threads: number, count: number): Promise<number> {
  const pool = await SignaturePool.create({ threads });
  try {
    const requests = Array.from({ length: count }, () => maker.next(orders));
    const recover = (some: typeof requests): Promise<unknown[]> =>
      Promise.all(some.map(({ preimage, signature: { bytes, recovery } }) => pool.recoverSigner(preimage, bytes, recovery)));
    await recover(requests.slice(0, Math.ceil(count / 10)));
    const started = performance.now();
    const found = await recover(requests);
    const seconds = (performance.now() - started) / 1000;
    assert(!found.includes(undefined), 'a signature of ours was not recovered');
    return count / seconds;
  } finally {
    await pool.close();
  }
}

interface Rates {
  /** Requests a second, by way and round. */
  readonly node: number[][];
  /** Of the pool alone, measured in the same round. */
  readonly pool: number[][];
  /** Micros of processor time a request, of the thread that serves and of all others. */
  readonly main: number[][];
  readonly others: number[][];
}

async function measureRates(
  bench: Bench,
  { threads, rounds, warmsUp }: { readonly threads: number; readonly rounds: number; readonly warmsUp: boolean },
  maker: RequestMaker,
  progress: Progress,
): Promise<Rates> {
  const { rateSeconds, warmUpSeconds, poolSignatures } = bench.times;
  const rates: Rates = { node: WAYS.map(() => []), pool: WAYS.map(() => []), main: WAYS.map(() => []), others: WAYS.map(() => []) };
  for (const way of warmsUp ? WAYS : []) {
    progress('api, to warm up', 0, rounds * WAYS.length);
    await bench.load(way, rateSeconds, 0);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, way] of WAYS.entries()) {
      progress(`api, ${way.label}`, round * WAYS.length + i, rounds * WAYS.length);
      const pool = await poolAlone(maker, way.orders, threads, way.orders === 1 ? poolSignatures : poolSignatures / 5);
      // Batches are not limited by signatures: nobody takes as many as can be recovered.
      const measured = await bench.load(way, rateSeconds, way.orders === 1 ? pool : pool / 4);
      rates.pool[i]?.push(pool);
      rates.node[i]?.push(perSecond(measured));
      const { before, after, result } = measured;
      if (before === undefined || after === undefined) continue;
      const all = (result.answers.accepted * (rateSeconds + warmUpSeconds)) / rateSeconds;
      rates.main[i]?.push(((after.mainSeconds - before.mainSeconds) * 1e6) / all);
      rates.others[i]?.push(((after.otherSeconds - before.otherSeconds) * 1e6) / all);
    }
  }
  return rates;
}

function rateCharts({ node, pool, main, others }: Rates, threads: number): SeriesChart[] {
  const x = [1, BATCH];
  const xTitle = 'orders a request';
  /** Lines over both sizes of requests. */
  const lines = (values: readonly number[]) => [
    { label: 'WebSocket', values: [values[0] as number, values[2] as number] },
    { label: 'HTTP', values: [values[1] as number, values[3] as number] },
  ];
  const orders = node.map((rounds, i) => median(rounds) * (WAYS[i] as Way).orders);
  const ratios = node.map((rounds, i) => median(rounds.map((rate, k) => rate / (pool[i]?.[k] as number))));
  const charts: SeriesChart[] = [
    {
      title: 'Orders over the API',
      note: `Against orders whose signatures a pool alone recovers, ${threads} ${threads === 1 ? 'thread' : 'threads'}.`,
      x,
      xTitle,
      unit: 'orders a second',
      logarithmic: true,
      lines: [...lines(orders), { label: 'signatures alone', values: [median(pool[0] as number[]), median(pool[2] as number[]) * BATCH] }],
    },
    { title: 'To signatures alone', x, xTitle, unit: 'times', reference: 0.9, referenceLabel: 'target', lines: lines(ratios) },
  ];
  if (main.some((rounds) => rounds.length === 0)) return charts;
  const time = (label: string, values: readonly number[][]) =>
    lines(values.map(median)).map((line) => ({ ...line, label: `${line.label}, ${label}` }));
  return [
    ...charts,
    {
      title: 'Processor time of the node',
      note: 'The thread that serves, and all others: signatures, state roots, journal, compilation, garbage collection.',
      x,
      xTitle,
      unit: 'micros a request',
      logarithmic: true,
      lines: [...time('serving', main), ...time('others', others)],
    },
  ];
}

// --- Latency ----------------------------------------------------------------------------------------------------------------------------

async function latencyCharts(bench: Bench, capacities: readonly number[], progress: Progress): Promise<SeriesChart[]> {
  const charts: SeriesChart[] = [];
  for (const [i, way] of WAYS.slice(0, 2).entries()) {
    const found: LoadResult[] = [];
    for (const share of SHARES) {
      progress(`api, ${way.label} at ${share} %`, share, 100);
      const rate = ((capacities[i] as number) * share) / 100;
      found.push((await bench.load(way, bench.times.loadSeconds, rate, { perSecond: rate, givesUp: false })).result);
    }
    charts.push({
      title: `Until an order is acknowledged: ${way.label}`,
      note: `By the share of the highest rate (${Math.round(capacities[i] as number).toLocaleString('en')} a second), from when it was due.`,
      x: SHARES,
      xTitle: '% of the highest rate',
      unit: 'ms',
      logarithmic: true,
      lines: [
        { label: 'p50', values: found.map(({ p50 }) => p50) },
        { label: 'p99', values: found.map(({ p99 }) => p99) },
        { label: 'p99.9', values: found.map(({ p999 }) => p999) },
      ],
    });
  }
  return charts;
}

// --- Overload ---------------------------------------------------------------------------------------------------------------------------

/** Asks for a book again and again, on a connection of its own; ends with how long the answers took, in ms. */
class BookReader {
  private readonly url: string;
  private readonly latencies: number[] = [];
  private stopped = false;
  private readonly reading: Promise<void>;

  constructor(url: string) {
    this.url = url;
    this.reading = this.read();
  }

  async end(): Promise<number[]> {
    this.stopped = true;
    await this.reading;
    return this.latencies;
  }

  private async read(): Promise<void> {
    while (!this.stopped) {
      const started = performance.now();
      const response = await fetch(`${this.url}/info`, { method: 'POST', body: '{"type":"l2Book","coin":"M0"}' });
      const { levels } = (await response.json()) as { levels: unknown };
      assert(response.status === 200 && Array.isArray(levels), 'a book was asked for');
      this.latencies.push(performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, BOOK_EVERY_MS));
    }
  }
}

const BOOK_EVERY_MS = 20;

/** Looks at the memory of the node again and again, in MiB. NaN where the system does not say. */
class MemoryWatch {
  /** The node's own, and the most that it was. */
  own = Number.NaN;
  ownMost = Number.NaN;
  /** Mapped pages of files. */
  files = Number.NaN;
  private readonly node: NodeProcess;
  private readonly timer: NodeJS.Timeout;

  constructor(node: NodeProcess) {
    this.node = node;
    this.timer = setInterval(() => this.look(), MEMORY_EVERY_MS);
  }

  end(): void {
    clearInterval(this.timer);
    this.look();
  }

  private look(): void {
    const memory = this.node.memory();
    if (memory === undefined) return;
    this.own = memory.anonymousBytes / MIB;
    this.ownMost = Number.isNaN(this.ownMost) ? this.own : Math.max(this.ownMost, this.own);
    // Pages of files count as shared where the file system lies in memory.
    this.files = (memory.fileBytes + memory.sharedBytes) / MIB;
  }
}

const MEMORY_EVERY_MS = 100;
const MIB = 2 ** 20;

interface Beyond {
  readonly result: LoadResult;
  readonly books: readonly number[];
  readonly memory: MemoryWatch;
}

async function overloadCharts(bench: Bench, capacities: readonly number[], progress: Progress): Promise<SeriesChart[]> {
  const { loadSeconds } = bench.times;
  const charts: SeriesChart[] = [];
  for (const [i, way] of OVERLOAD_WAYS.entries()) {
    const found: Beyond[] = [];
    const capacity = capacities[i] as number;
    for (const [k, multiple] of MULTIPLES.entries()) {
      progress(`api, ${way.label} at ${multiple} times`, k, MULTIPLES.length);
      const reader = new BookReader(bench.node.url);
      const memory = new MemoryWatch(bench.node);
      const load = bench.load(way, loadSeconds, capacity, { perSecond: capacity * multiple, givesUp: true });
      const { result } = await load.finally(() => memory.end());
      found.push({ result, memory, books: await reader.end() });
    }
    const common = { x: MULTIPLES, xTitle: 'times the highest rate' };
    const rate = (count: (result: LoadResult) => number) => found.map(({ result }) => count(result) / result.seconds);
    charts.push(
      {
        ...common,
        title: `Beyond capacity, ${way.label}: answers`,
        note: 'Given up: no connection could take it, since the node reads them no faster.',
        unit: 'requests a second',
        logarithmic: true,
        reference: capacity * 0.9,
        referenceLabel: '90 % of the highest rate',
        lines: [
          { label: 'accepted', values: rate(({ answers }) => answers.accepted) },
          { label: 'refused', values: rate(({ answers }) => answers.refused) },
          { label: 'given up', values: rate(({ givenUp }) => givenUp) },
        ],
      },
      {
        ...common,
        title: `Beyond capacity, ${way.label}: how long`,
        unit: 'ms',
        logarithmic: true,
        lines: [
          { label: 'order acknowledged, p50', values: found.map(({ result }) => result.p50) },
          { label: 'order acknowledged, p99', values: found.map(({ result }) => result.p99) },
          { label: 'book answered, p50', values: found.map(({ books }) => quantile(books, 0.5)) },
          { label: 'book answered, p99', values: found.map(({ books }) => quantile(books, 0.99)) },
        ],
      },
      {
        ...common,
        title: `Beyond capacity, ${way.label}: memory of the node`,
        note: 'Own: heaps, buffers, rows of the views, and what was touched of the ledger’s shared memory, which is reserved once. Files: pages of the store and the program that are mapped; the system takes them back when it needs them. The last is as long as the one before: what grows by then still grows.',
        unit: 'MiB',
        lines: [
          { label: 'own, at the end', values: found.map(({ memory }) => memory.own) },
          { label: 'own, most of it', values: found.map(({ memory }) => memory.ownMost) },
          { label: 'files, at the end', values: found.map(({ memory }) => memory.files) },
        ],
      },
    );
  }
  return charts;
}

async function withNode<T>(settings: BenchSettings, threads: number, use: (bench: Bench) => Promise<T>): Promise<T> {
  return await inFolder(settings.folder, async (folder) => {
    const node = await NodeProcess.start(folder, threads);
    try {
      const client = await ClientProcess.start(settings.seed);
      try {
        return await use(new Bench(node, client, settings.quick ? QUICK_TIMES : TIMES));
      } finally {
        client.stop();
      }
    } finally {
      await node.stop();
    }
  });
}

export const api: Benchmark = {
  name: 'api',
  title: 'Over the API',
  description:
    'A node as `heddle start` runs it, and a client in another process that has signed its orders beforehand, over HTTP and WebSocket: the highest rate against signature recovery alone, times of acknowledgement below it, and answers, memory and books beyond it.',
  async run(settings, progress) {
    const threads = Math.max(1, Math.floor(availableParallelism() / 2));
    const rounds = Math.min(settings.rounds, settings.quick ? 1 : RATE_ROUNDS_MAX);
    const maker = await RequestMaker.create(settings.seed + 1, Date.now());
    const series = await withNode(settings, threads, async (bench) => {
      const rates = await measureRates(bench, { threads, rounds, warmsUp: !settings.quick }, maker, progress);
      const capacities = rates.node.map(median);
      return [
        ...rateCharts(rates, threads),
        ...(await latencyCharts(bench, capacities, progress)),
        ...(await overloadCharts(bench, capacities, progress)),
      ];
    });
    return { rows: [], latencies: [], series };
  },
};
