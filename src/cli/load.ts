/**
 * `heddle load`: sends transactions through the pipeline of a folder's node, and says how fast they were confirmed and settled.
 * The folder is made if it is not there; another run goes on where the last one has ended.
 *
 * A transaction is timed from its submission, and a new one is submitted when one is confirmed: these are latencies at full load.
 */
import { HeddleError } from '../base/errors.ts';
import type { ModelChoice } from '../execution/api.ts';
import { createFolder, genesisHash, openFolder, type Pipeline, readGenesis } from '../node/index.ts';
import { loadGenesis, loadTransactions } from './load-flow.ts';
import { withProgress } from './progress.ts';
import { rowsText } from './rows-text.ts';

export interface LoadArguments {
  readonly transactions: number;
  readonly seed: number;
  readonly inFlight: number;
  readonly model: ModelChoice;
  readonly workers: number;
  readonly keepDays?: number;
  readonly json?: boolean;
}

interface LoadResult {
  readonly seconds: number;
  /** Executed with another code than 0, by code. */
  readonly refused: ReadonlyMap<number, number>;
  /** Milliseconds, ascending. */
  readonly confirmed: Float64Array;
  readonly settled: Float64Array;
}

const DAY_MS = 86_400_000;
const PROGRESS_EVERY = 1000;
/** So many times what may be unconfirmed may be unsettled. */
const UNSETTLED_TIMES = 4;

/** Prints. */
export async function load(dir: string, options: LoadArguments): Promise<void> {
  await makeFolder(dir);
  const { model, workers, inFlight, keepDays } = options;
  const keep = keepDays === undefined ? {} : { keepMs: keepDays * DAY_MS };
  const pipeline = await openFolder(dir, { model, workers, waitingMax: inFlight, ...keep });
  let result: LoadResult;
  try {
    result = await withProgress('load', (onProgress) => run(pipeline, options, onProgress));
  } finally {
    await pipeline.close();
  }
  process.stdout.write(`${options.json ? loadJson(pipeline, options, result) : loadText(pipeline, options, result)}\n`);
}

async function makeFolder(dir: string): Promise<void> {
  const genesis = loadGenesis();
  try {
    const found = await readGenesis(dir);
    if (Buffer.compare(genesisHash(found), genesisHash(genesis)) === 0) return;
  } catch (error) {
    if (!(error instanceof HeddleError) || error.code !== 'NO_FOLDER') throw error;
    await createFolder(dir, genesis);
    return;
  }
  throw new HeddleError('WRONG_CHAIN', `${dir} holds another ledger than that of the load: choose another folder`);
}

async function run(
  pipeline: Pipeline,
  { transactions, seed, inFlight }: LoadArguments,
  onProgress: (done: number, steps: number) => void,
): Promise<LoadResult> {
  const confirmed = new Float64Array(transactions);
  const settled = new Float64Array(transactions);
  const refused = new Map<number, number>();
  const settlements: Promise<void>[] = [];
  let unconfirmed = 0;
  let unsettled = 0;
  let done = 0;
  let room = Promise.withResolvers<void>();
  let failure: unknown;
  // The head's time may be ahead of this machine's clock.
  const startMs = Math.max(Date.now(), (pipeline.settled?.header.timeMs ?? 0) + 1);
  const started = performance.now();
  let index = 0;
  for (const transaction of loadTransactions(transactions, seed, startMs)) {
    while ((unconfirmed >= inFlight || unsettled >= inFlight * UNSETTLED_TIMES) && failure === undefined) {
      await room.promise;
      room = Promise.withResolvers();
    }
    if (failure !== undefined) break;
    const i = index++;
    const submitted = performance.now();
    const ticket = pipeline.submit(transaction);
    unconfirmed++;
    unsettled++;
    const fail = (error: unknown): void => {
      failure ??= error;
      room.resolve();
    };
    ticket.confirmed.then(({ code }) => {
      confirmed[i] = performance.now() - submitted;
      if (code !== 0) refused.set(code, (refused.get(code) ?? 0) + 1);
      if (++done % PROGRESS_EVERY === 0) onProgress(done, transactions);
      unconfirmed--;
      room.resolve();
    }, fail);
    const whenSettled = ticket.settled.then(() => {
      settled[i] = performance.now() - submitted;
      unsettled--;
      room.resolve();
    }, fail);
    settlements.push(whenSettled);
  }
  await Promise.all(settlements);
  if (failure !== undefined) throw failure;
  return { seconds: (performance.now() - started) / 1000, refused, confirmed: confirmed.sort(), settled: settled.sort() };
}

/** Of ascending values. */
function percentile(values: Float64Array, share: number): number {
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] as number;
}

function loadJson({ settled }: Pipeline, { transactions }: LoadArguments, result: LoadResult): string {
  const latencies = (values: Float64Array) => ({ p50Ms: percentile(values, 0.5), p99Ms: percentile(values, 0.99) });
  return JSON.stringify({
    transactions,
    refused: Object.fromEntries(result.refused),
    seconds: result.seconds,
    transactionsPerSecond: transactions / result.seconds,
    confirmed: latencies(result.confirmed),
    settled: latencies(result.settled),
    height: settled?.header.height,
    stateRoot: Buffer.from(settled?.header.stateRoot ?? []).toString('hex'),
    headerHash: Buffer.from(settled?.hash ?? []).toString('hex'),
  });
}

function loadText({ settled }: Pipeline, { transactions }: LoadArguments, result: LoadResult): string {
  const latencies = (values: Float64Array) => `p50 ${percentile(values, 0.5).toFixed(1)} ms, p99 ${percentile(values, 0.99).toFixed(1)} ms`;
  const refused = [...result.refused.values()].reduce((sum, count) => sum + count, 0);
  const byCode = [...result.refused].map(([code, count]) => `code ${code}: ${count.toLocaleString('en')}`).join(', ');
  return rowsText([
    ['transactions', transactions.toLocaleString('en')],
    ['refused', refused === 0 ? '0' : `${refused.toLocaleString('en')} (${byCode})`],
    ['rate', `${Math.round(transactions / result.seconds).toLocaleString('en')} a second`],
    ['to confirmed', latencies(result.confirmed)],
    ['to settled', latencies(result.settled)],
    ['height', (settled?.header.height ?? 0).toLocaleString('en')],
    ['state root', Buffer.from(settled?.header.stateRoot ?? []).toString('hex')],
    ['header hash', Buffer.from(settled?.hash ?? []).toString('hex')],
  ]);
}
