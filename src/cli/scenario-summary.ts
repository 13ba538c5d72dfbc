/** What the crash scenario prints: a summary for people, one JSON object for programs. */
import type { CrashDay, CrashRun } from '../scenario/index.ts';

export interface CrashOutcome {
  readonly day: CrashDay;
  readonly run: CrashRun;
  readonly comparison: readonly CrashRun[];
}

const number = (value: number): string => Math.round(value).toLocaleString('en');
const blocks = (count: number): string => `${count} ${count === 1 ? 'block' : 'blocks'}`;
const usd = (value: number): string => `$${number(value)}`;

/** Of the day's blocks, the system's transactions included. */
export function transactionsPerSecond({ transactions, systemTransactions, seconds }: CrashRun): number {
  return seconds === 0 ? 0 : (transactions + systemTransactions) / seconds;
}

export function executionsPerTransaction({ executions, transactions, systemTransactions }: CrashRun): number {
  return transactions === 0 ? 0 : executions / (transactions + systemTransactions);
}

export function crashJson({ day, run, comparison }: CrashOutcome): string {
  const object = {
    forcedEvents: run.forcedEvents,
    liquidations: run.totals.liquidations,
    backstops: run.totals.backstops,
    deleveragings: run.totals.deleveragings,
    covers: run.totals.covers,
    negativeAccounts: run.negativeAccounts,
    equityDrift: Number(run.equityDrift),
    openInterestImbalance: Number(run.openInterestImbalance),
    worstBlocksToAction: run.worstBlocksToAction,
    transactionsPerSecond: transactionsPerSecond(run),
    stateRoot: run.stateRoot,
    accounts: day.options.accounts,
    markets: day.options.markets,
    blocks: run.blocks,
    model: run.model,
    workers: run.workers,
    executionsPerTransaction: executionsPerTransaction(run),
    seconds: run.seconds,
    transactions: run.transactions,
    systemTransactions: run.systemTransactions,
    ...(comparison.length === 0
      ? {}
      : {
          comparison: comparison.map((other) => ({
            model: other.model,
            workers: other.workers,
            seconds: other.seconds,
            transactionsPerSecond: transactionsPerSecond(other),
            executionsPerTransaction: executionsPerTransaction(other),
            stateRoot: other.stateRoot,
          })),
        }),
  };
  return JSON.stringify(object, null, 2);
}

/** Names and values of the summary, in order. */
export function crashRows({ day, run }: CrashOutcome): [name: string, value: string][] {
  const { totals, audits, setUp } = run;
  const last = audits.at(-1)?.audit;
  const breaches = run.waits.reduce((sum, count) => sum + count, 0);
  const fallbacks = [...run.fallbacks].map(([why, blocks]): [string, string] => ['fallback', `${number(blocks)} blocks: ${why}`]);
  return [
    ['calibrated on', day.calibration.source],
    ['accounts', `${number(day.options.accounts)} in ${number(day.options.markets)} markets`],
    ['set-up', `${number(setUp.transactions)} transactions in ${setUp.blocks} blocks, executed in ${setUp.seconds.toFixed(1)} s`],
    ['forced events', number(run.forcedEvents)],
    [
      '  liquidations',
      `${number(totals.liquidations)} fills on the book, ${usd(totals.liquidatedUsd)}; ${number(totals.attempts)} orders sent`,
    ],
    ['  backstop', `${number(totals.backstops)} positions taken over, ${usd(totals.backstopUsd)}`],
    ['  deleveraging', `${number(totals.deleveragings)} fills, ${usd(totals.deleveragedUsd)}`],
    ['  covers', `${number(totals.covers)}; the treasury paid ${usd(Number(last?.covered ?? 0n) / 1e6)}`],
    ['trigger orders', `${number(totals.triggered)} fills`],
    [
      'breach to action',
      `${run.worstBlocksToAction === 0 ? 'the same block' : `at most ${blocks(run.worstBlocksToAction)} later`}, for all of ${number(breaches)} breaches`,
    ],
    [
      'audits',
      `${number(audits.length)}: ${run.negativeAccounts} negative accounts, equity drift ${run.equityDrift}, open interest imbalance ${run.openInterestImbalance}`,
    ],
    ['model', `${run.model}, ${run.workers} ${run.workers === 1 ? 'worker' : 'workers'}`],
    [
      'transactions',
      `${number(run.transactions)} and ${number(run.systemTransactions)} of the system, in ${number(run.blocks)} blocks of ${day.path.clock.blockMs / 1000} s`,
    ],
    ['executed in', `${run.seconds.toFixed(2)} s: ${number(transactionsPerSecond(run))} transactions a second`],
    ['executions', `${executionsPerTransaction(run).toFixed(3)} per transaction`],
    ...fallbacks,
    ['state root', run.stateRoot],
  ];
}

export function crashText(outcome: CrashOutcome): string {
  const { run, comparison } = outcome;
  const rows = crashRows(outcome);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  if (comparison.length === 0) return lines.join('\n');
  const runs = [run, ...comparison];
  const serial = runs.find(({ model }) => model === 'serial') as CrashRun;
  lines.push('');
  for (const each of runs) {
    const ratio = transactionsPerSecond(each) / transactionsPerSecond(serial);
    const name = each.model === 'serial' ? 'serial' : `${each.model}, ${each.workers}`;
    lines.push(
      `${name.padEnd(width)}  ${number(transactionsPerSecond(each))} transactions a second, ${ratio.toFixed(2)} times serial, same state root`,
    );
  }
  return lines.join('\n');
}
