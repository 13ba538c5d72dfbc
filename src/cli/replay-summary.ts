/** What a replay prints: a summary for people, one JSON object for programs. */
import type { ReplayRunResult } from './replay-run.ts';
import type { ReplaySource } from './replay-source.ts';

export interface Outcome {
  readonly source: Pick<ReplaySource, 'title' | 'markets' | 'notes'>;
  readonly result: ReplayRunResult;
  readonly comparison: readonly ReplayRunResult[];
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

const number = (value: number): string => Math.round(value).toLocaleString('en');
const per = (value: number, transactions: number): number => (transactions === 0 ? 0 : value / transactions);

export function transactionsPerSecond({ transactions, seconds }: ReplayRunResult): number {
  return seconds === 0 ? 0 : transactions / seconds;
}

export function executionsPerTransaction({ executions, transactions }: ReplayRunResult): number {
  return per(executions, transactions);
}

export function validationsPerTransaction({ validations, transactions }: ReplayRunResult): number {
  return per(validations, transactions);
}

export function summaryJson({ source, result, comparison, error }: Outcome): string {
  const figures = (run: ReplayRunResult): object => ({
    model: run.model,
    workers: run.workers,
    transactions: run.transactions,
    blocks: run.blocks,
    stateRoot: run.stateRoot,
    receiptsRoot: run.receiptsRoot,
    seconds: run.seconds,
    transactionsPerSecond: transactionsPerSecond(run),
    executionsPerTransaction: executionsPerTransaction(run),
    validationsPerTransaction: validationsPerTransaction(run),
    bookChecks: run.bookChecks,
    bookMismatches: run.bookMismatches,
    conflicts: Object.fromEntries(run.conflicts),
    modelsUsed: Object.fromEntries(run.modelsUsed),
    fallbacks: Object.fromEntries(run.fallbacks),
  });
  const object = {
    source: source.title,
    markets: source.markets,
    ...figures(result),
    ...(comparison.length === 0 ? {} : { comparison: comparison.map(figures) }),
    ...(error === undefined ? {} : { error: error.message, errorCode: error.code }),
  };
  return JSON.stringify(object, null, 2);
}

/** Names and values of the summary, in order. */
export function summaryRows({ source, result }: Pick<Outcome, 'source' | 'result'>): [name: string, value: string][] {
  const used = [...result.modelsUsed].map(([model, blocks]) => `${model} ${number(blocks)}`).join(', ');
  const conflicts = [...result.conflicts].sort(([, a], [, b]) => b - a).map(([recordClass, count]) => `${recordClass} ${number(count)}`);
  return [
    ['replayed', source.title],
    ['markets', number(source.markets)],
    [
      'model',
      `${result.model}, ${result.workers} ${result.workers === 1 ? 'worker' : 'workers'}${result.model === 'auto' ? ` (blocks: ${used})` : ''}`,
    ],
    ['transactions', `${number(result.transactions)} in ${number(result.blocks)} blocks`],
    ['executed in', `${result.seconds.toFixed(3)} s: ${number(transactionsPerSecond(result))} transactions a second`],
    [
      'executions',
      `${executionsPerTransaction(result).toFixed(3)} per transaction, ${validationsPerTransaction(result).toFixed(3)} validations`,
    ],
    ['conflicts', conflicts.length === 0 ? 'none' : conflicts.join(', ')],
    ...[...result.fallbacks].map(([why, blocks]): [string, string] => ['fallback', `${number(blocks)} blocks: ${why}`]),
    [
      'book checks',
      `${number(result.bookChecks)}, ${result.bookMismatches === 0 ? 'all equal' : `${number(result.bookMismatches)} DIFFER`}`,
    ],
    ...source.notes.map((note): [string, string] => ['note', note]),
    ['state root', result.stateRoot || 'nothing was executed'],
    ['receipts root', result.receiptsRoot || 'nothing was executed'],
  ];
}

export function summaryText(outcome: Outcome): string {
  const rows = summaryRows(outcome);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  if (outcome.comparison.length > 0) lines.push('', ...comparisonLines([outcome.result, ...outcome.comparison]));
  return lines.join('\n');
}

function comparisonLines(runs: readonly ReplayRunResult[]): string[] {
  const rows = runs.map((run) => [
    run.model,
    number(run.workers),
    number(transactionsPerSecond(run)),
    executionsPerTransaction(run).toFixed(3),
    validationsPerTransaction(run).toFixed(3),
  ]);
  rows.unshift(['model', 'workers', 'transactions/s', 'executions/tx', 'validations/tx']);
  const widths = (rows[0] as string[]).map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join('  '),
  );
}
