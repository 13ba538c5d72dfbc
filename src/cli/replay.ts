/**
 * `heddle replay`: runs a source of blocks under the chosen model, checks it, prints what came of it, and for a comparison or a report
 * runs the same blocks under the other models too.
 *
 * An input that ends badly is replayed up to there and reported; its error comes on top, with exit code 1.
 */
import { basename } from 'node:path';
import { HeddleError } from '../base/errors.ts';
import type { ModelChoice } from '../execution/api.ts';
import { readEnvironment, renderReport } from '../report/index.ts';
import { withProgress } from './progress.ts';
import { emptyResult, type ReplayRunResult, runReplay } from './replay-run.ts';
import { generatedSource, type ReplaySource, recordingSource } from './replay-source.ts';
import {
  executionsPerTransaction,
  type Outcome,
  summaryJson,
  summaryRows,
  summaryText,
  transactionsPerSecond,
  validationsPerTransaction,
} from './replay-summary.ts';
import { checkWritable, writeReportFile } from './report-file.ts';

export interface ReplayArguments {
  readonly files: readonly string[];
  readonly model: ModelChoice;
  readonly workers: number;
  readonly markets: number;
  readonly blockSize: number;
  readonly commands: number;
  readonly compare?: boolean;
  readonly report?: string;
  readonly json?: boolean;
}

/** Prints, and sets the exit code. */
export async function replay(options: ReplayArguments): Promise<void> {
  const outcome = await outcomeOf(options);
  // People are not told figures of nothing; programs always get their object.
  const ran = outcome.error === undefined || outcome.result.blocks > 0;
  if (options.json || ran) process.stdout.write(`${options.json ? summaryJson(outcome) : summaryText(outcome)}\n`);
  if (outcome.error === undefined) return;
  process.stderr.write(`error: ${outcome.error.message}\n`);
  process.exitCode = 1;
}

async function outcomeOf(options: ReplayArguments): Promise<Outcome> {
  let source: ReplaySource | undefined;
  try {
    if (options.report !== undefined) await checkWritable(options.report);
    source = options.files.length === 0 ? generatedSource(options) : await recordingSource(options.files, options);
    const result = await withProgress(options.model, (onProgress) => runReplay(source as ReplaySource, { ...options, onProgress }));
    const error = result.error ?? source.error ?? mismatchOf(result);
    const comparison =
      (options.compare || options.report !== undefined) && result.error === undefined ? await compare(source, options, result) : [];
    if (options.report !== undefined) await writeReport(options.report, options, source, [result, ...comparison]);
    return { source, result, comparison, error: error ?? comparisonError(result, comparison) };
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    const { markets } = options;
    return {
      source: source ?? { title: options.files.join(', '), markets, notes: [] },
      result: emptyResult(options),
      comparison: [],
      error,
    };
  }
}

function mismatchOf({ bookChecks, bookMismatches, described }: ReplayRunResult): HeddleError | undefined {
  if (bookMismatches === 0) return undefined;
  return new HeddleError(
    'BOOK_MISMATCH',
    `the book differed from the recorded one in ${bookMismatches} of ${bookChecks} checks; first: ${described[0]}`,
  );
}

/** The same blocks leave the same state and receipts under all models. */
function comparisonError(result: ReplayRunResult, comparison: readonly ReplayRunResult[]): HeddleError | undefined {
  for (const run of comparison) {
    if (run.error !== undefined) return run.error;
    if (run.stateRoot === result.stateRoot && run.receiptsRoot === result.receiptsRoot) continue;
    return new HeddleError(
      'MODELS_DIFFER',
      `${run.model} with ${run.workers} workers left another state or other receipts than ${result.model}`,
    );
  }
  return undefined;
}

/** The other models with 2, 4, 8 ... workers and with as many as were asked for. */
async function compare(source: ReplaySource, options: ReplayArguments, result: ReplayRunResult): Promise<ReplayRunResult[]> {
  const { workers } = options;
  const counts = [...new Set([2, 4, 8, 16, 32, 64].filter((count) => count < workers).concat(workers))];
  const ways: { model: ModelChoice; workers: number }[] = [{ model: 'serial', workers: 1 }];
  for (const model of ['optimistic', 'deterministic', 'sharded', 'auto'] as const)
    ways.push(...counts.map((count) => ({ model, workers: count })));
  const runs: ReplayRunResult[] = [];
  for (const way of ways) {
    if (way.model === result.model && way.workers === result.workers) continue;
    const timelineOf = way.model === 'optimistic' && way.workers === workers ? Math.ceil(result.blocks / 2) : undefined;
    runs.push(
      await withProgress(`${way.model}, ${way.workers}`, (onProgress) =>
        runReplay(source, { ...way, blockSize: options.blockSize, onProgress, ...(timelineOf === undefined ? {} : { timelineOf }) }),
      ),
    );
  }
  return runs;
}

// The report

function commandOf({ files, commands, model, markets, workers }: ReplayArguments): string {
  const what = files.length === 0 ? [`--commands ${commands}`] : files.map((path) => basename(path));
  return ['heddle replay', ...what, `--model ${model}`, `--markets ${markets}`, `--workers ${workers}`].join(' ');
}

async function writeReport(file: string, options: ReplayArguments, source: ReplaySource, runs: readonly ReplayRunResult[]): Promise<void> {
  const [result] = runs as [ReplayRunResult, ...ReplayRunResult[]];
  const optimistic = runs.find((run) => run.model === 'optimistic' && run.workers === options.workers) ?? result;
  const html = renderReport({
    title: `Replay of ${source.title}`,
    generatedAt: new Date().toISOString(),
    command: commandOf(options),
    environment: readEnvironment(),
    summary: Object.fromEntries(summaryRows({ source, result })),
    runs: runs.map((run) => ({
      model: run.model,
      workers: run.workers,
      transactionsPerSecond: transactionsPerSecond(run),
      executionsPerTransaction: executionsPerTransaction(run),
      validationsPerTransaction: validationsPerTransaction(run),
    })),
    conflicts: [...optimistic.conflicts].map(([recordClass, count]) => ({ recordClass, count })),
    timeline: optimistic.timeline,
    timelineTitle: `Workers in block ${Math.ceil(result.blocks / 2)}, optimistic`,
    checks: result,
  });
  await writeReportFile(file, html);
}
