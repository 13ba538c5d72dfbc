/**
 * `heddle scenario crash`: runs the day under the chosen model, for a comparison serially and optimistically too, and says what was
 * forced, how soon, who paid and how fast it ran.
 *
 * A violation of an invariant, a state root that differs between models or an error of the world ends the command with its message and
 * exit code 1; nothing is printed as a result then.
 */
import { HeddleError } from '../base/errors.ts';
import type { ModelChoice } from '../execution/api.ts';
import { readEnvironment, renderCrashReport } from '../report/index.ts';
import { CrashDay, type CrashRun, loadCalibration, REAL_DELEVERAGING_FILLS, REAL_LIQUIDATION_FILLS, runCrash } from '../scenario/index.ts';
import { withProgress } from './progress.ts';
import { checkWritable, writeReportFile } from './report-file.ts';
import { type CrashOutcome, crashJson, crashRows, crashText, executionsPerTransaction, transactionsPerSecond } from './scenario-summary.ts';

export interface CrashArguments {
  readonly accounts: number;
  readonly markets: number;
  readonly model: ModelChoice;
  readonly workers: number;
  readonly seed: number;
  readonly data: string;
  readonly compare?: boolean;
  readonly report?: string;
  readonly json?: boolean;
}

/** Prints. */
export async function crash(options: CrashArguments): Promise<void> {
  if (options.report !== undefined) await checkWritable(options.report);
  const calibration = await loadCalibration(options.data);
  if (options.json && calibration.builtIn) process.stderr.write(`note: ${calibration.source}\n`);
  const day = new CrashDay(calibration, options);
  const run = await withProgress(options.model, (onProgress) => runCrash(day, { ...options, onProgress }));
  const comparison = options.compare ? await compare(day, options, run) : [];
  const outcome = { day, run, comparison };
  if (options.report !== undefined) await writeReportFile(options.report, reportOf(outcome, options));
  process.stdout.write(`${options.json ? crashJson(outcome) : crashText(outcome)}\n`);
}

/** The day again, from the same state, under the models that have not run it. */
async function compare(day: CrashDay, { workers }: CrashArguments, run: CrashRun): Promise<CrashRun[]> {
  const runs: CrashRun[] = [];
  for (const model of ['serial', 'optimistic'] as const) {
    if (run.model === model) continue;
    const other = await withProgress(model, (onProgress) => runCrash(day, { model, workers, observe: false, onProgress }));
    if (other.stateRoot !== run.stateRoot) {
      throw new HeddleError('MODELS_DIFFER', `${model} left the state ${other.stateRoot}, ${run.model} the state ${run.stateRoot}`);
    }
    runs.push(other);
  }
  return runs;
}

// The report

function commandOf({ accounts, markets, model, workers, seed, compare }: CrashArguments): string {
  const command = `heddle scenario crash --accounts ${accounts} --markets ${markets} --model ${model} --workers ${workers} --seed ${seed}`;
  return compare ? `${command} --compare` : command;
}

/** Markets whose prices are drawn, by their place among all. */
const DRAWN = [0, 0.01, 0.03, 0.1, 0.4, 0.9];

function reportOf(outcome: CrashOutcome, options: CrashArguments): string {
  const { day, run, comparison } = outcome;
  const { path, calibration, markets } = day;
  const timeOf = (block: number) => path.clock.startMs + block * path.clock.blockMs;
  const drawn = [...new Set(DRAWN.map((place) => Math.floor(place * markets.length)))];
  return renderCrashReport({
    title: `Crash day: ${options.accounts.toLocaleString('en')} accounts, ${options.markets} markets`,
    generatedAt: new Date().toISOString(),
    command: commandOf(options),
    environment: readEnvironment(),
    calibration: calibration.source,
    summary: Object.fromEntries(crashRows(outcome)),
    totals: { ...run.totals, forcedEvents: run.forcedEvents },
    real: { liquidations: REAL_LIQUIDATION_FILLS, deleveragings: REAL_DELEVERAGING_FILLS },
    waves: calibration.waves.map(({ number, fills }, wave) => {
      const { first, last } = path.waveBlocks[wave] as { first: number; last: number };
      const sum = (field: 'liquidations' | 'backstops' | 'deleveragings') =>
        run.samples.reduce((total, sample) => total + (sample.wave === wave ? sample[field] : 0), 0);
      return {
        number,
        fromMs: timeOf(first),
        toMs: timeOf(last + 1),
        realFills: fills,
        liquidations: sum('liquidations'),
        backstops: sum('backstops'),
        deleveragings: sum('deleveragings'),
        traders: run.firstActions[wave] ?? 0,
      };
    }),
    prices: drawn.map((market) => ({
      label: markets[market]?.parameters.name ?? '',
      points: Array.from({ length: path.clock.blocks }, (_, block) => [
        timeOf(block),
        path.at(market, block) / (markets[market]?.parameters.markTicks ?? 1),
      ]),
    })),
    blocks: run.samples,
    backstop: run.audits.map(({ timeMs, audit }) => [timeMs, Number(audit.backstopEquity) / 1e6]),
    waits: run.waits,
    audits: run.audits.length,
    worstBlocksToAction: run.worstBlocksToAction,
    runs: [run, ...comparison].map((each) => ({
      model: each.model,
      workers: each.workers,
      transactionsPerSecond: transactionsPerSecond(each),
      executionsPerTransaction: executionsPerTransaction(each),
      seconds: each.seconds,
      stateRoot: each.stateRoot,
    })),
  });
}
