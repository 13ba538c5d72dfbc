/** The page that a replay leaves: how fast which model was, what was executed more than once and why, and that the result is right. */
import type { TimelineEntry } from '../execution/api.ts';
import { renderBarChart } from './bar-chart.ts';
import type { Line } from './line-chart.ts';
import { renderLineChart } from './line-chart.ts';
import { formatCompact, formatMicros, formatNumber, formatRate, formatRatio, formatTick } from './number-format.ts';
import type { Environment, KeyFigure } from './page.ts';
import { details, figure, figures, keyFigures, legend, notice, renderPage, section, table } from './page.ts';
import { modelColour } from './palette.ts';
import { busyShares, renderTimeline, renderTimelineWindow, timelineWindow } from './timeline-chart.ts';

export interface ReplayRun {
  readonly model: string;
  readonly workers: number;
  readonly transactionsPerSecond: number;
  readonly executionsPerTransaction: number;
  readonly validationsPerTransaction: number;
}

export interface ReplayReport {
  readonly title: string;
  /** ISO 8601. */
  readonly generatedAt?: string;
  readonly command: string;
  readonly environment: Environment;
  readonly summary: Readonly<Record<string, string | number>>;
  readonly runs: readonly ReplayRun[];
  /** Failed validations by record class. */
  readonly conflicts: readonly { readonly recordClass: string; readonly count: number }[];
  readonly timeline: readonly TimelineEntry[];
  readonly timelineTitle: string;
  /** Comparisons of the book with the naive one. */
  readonly checks: { readonly bookChecks: number; readonly bookMismatches: number };
}

const RUNS_AS_BARS = 12;

export function renderReplayReport(report: ReplayReport): string {
  return renderPage({ ...report, kicker: 'replay' }, [
    overview(report),
    throughput(report),
    executions(report),
    conflicts(report),
    timeline(report),
    summary(report),
  ]);
}

function overview({ runs, checks }: ReplayReport): string {
  const serial = runs.find((run) => run.model === 'serial');
  const fastest = runs.reduce<ReplayRun | undefined>(
    (best, run) => (best === undefined || run.transactionsPerSecond > best.transactionsPerSecond ? run : best),
    undefined,
  );
  const items: KeyFigure[] = [];
  if (fastest !== undefined)
    items.push({ label: 'Fastest run', value: formatRate(fastest.transactionsPerSecond), note: runLabel(fastest) });
  if (serial !== undefined && fastest !== undefined && fastest !== serial) {
    items.push({ label: 'Serial execution', value: formatRate(serial.transactionsPerSecond), note: '1 worker, the baseline' });
    items.push({ label: 'Fastest to serial', value: formatRatio(fastest.transactionsPerSecond / serial.transactionsPerSecond) });
  }
  items.push(
    checks.bookMismatches > 0
      ? {
          label: 'Book checks',
          value: `${formatNumber(checks.bookMismatches)} wrong`,
          note: `of ${formatNumber(checks.bookChecks)}`,
          tone: 'warning',
        }
      : checks.bookChecks > 0
        ? { label: 'Book checks', value: `${formatNumber(checks.bookChecks)} right`, note: 'no mismatch', tone: 'good' }
        : { label: 'Book checks', value: 'none', note: 'the book was not compared' },
  );
  const warning =
    checks.bookMismatches > 0
      ? notice(`The book differed from the recorded one in ${formatNumber(checks.bookMismatches)} checks: this run is wrong.`)
      : '';
  return warning + keyFigures(items);
}

function throughput({ runs }: ReplayReport): string {
  if (runs.length === 0) return '';
  const caption =
    'Transactions per second over the whole replay. All runs start from the same state and leave the same receipts and state root.';
  if (runs.length <= RUNS_AS_BARS) {
    const most = Math.max(...runs.map((run) => run.workers));
    const chart = renderBarChart({
      label: 'Throughput by model and workers',
      unit: 'transactions per second',
      format: formatCompact,
      bars: runs.map((run) => ({
        label: runLabel(run),
        value: run.transactionsPerSecond,
        colour: modelColour(run.model),
        opacity: run.model !== 'serial' && run.workers < most ? 0.6 : 1,
        tooltip: `${runLabel(run)}: ${formatNumber(run.transactionsPerSecond)} transactions a second`,
      })),
    });
    return section('Throughput', caption, figure('', chart));
  }
  const workers = [...new Set(runs.map((run) => run.workers))].sort((a, b) => a - b);
  const lines: Line[] = [...new Set(runs.map((run) => run.model))].map((model) => ({
    label: model,
    colour: modelColour(model),
    dash: 'solid',
    values: workers.map((count) => runs.find((run) => run.model === model && run.workers === count)?.transactionsPerSecond ?? null),
  }));
  const chart = renderLineChart({
    label: 'Throughput by model and workers',
    x: workers.map(String),
    xUnit: 'workers',
    yUnit: 'transactions per second',
    lines,
    format: formatCompact,
    formatTick,
    width: 1040,
    height: 380,
  });
  return section('Throughput', caption, modelLegend(lines) + figure('', chart));
}

function executions({ runs }: ReplayReport): string {
  if (runs.length === 0) return '';
  const bars = (label: string, value: (run: ReplayRun) => number, reference?: number): string =>
    renderBarChart({
      label,
      unit: label.toLowerCase(),
      format: formatNumber,
      width: 520,
      bars: runs.map((run) => ({ label: runLabel(run), value: value(run), colour: modelColour(run.model) })),
      ...(reference === undefined ? {} : { reference, referenceLabel: 'each once' }),
    });
  return section(
    'Work done twice',
    'Optimistic execution runs a transaction again when something that it read was written by an earlier one. 1.0 executions per transaction means that no work was wasted; serial, deterministic and sharded execution never repeat.',
    figures([
      figure(
        'Executions',
        bars('Executions per transaction', (run) => run.executionsPerTransaction, 1),
      ),
      figure(
        'Validations',
        bars('Validations per transaction', (run) => run.validationsPerTransaction),
      ),
    ]),
  );
}

function conflicts({ conflicts }: ReplayReport): string {
  const caption = 'Failed validations by the class of the record that had changed: what transactions of one block actually compete for.';
  const sorted = conflicts.filter((entry) => entry.count > 0).sort((a, b) => b.count - a.count);
  if (sorted.length === 0)
    return section('Conflicts', 'No validation failed: no transaction read a record that an earlier one changed meanwhile.', '');
  const total = sorted.reduce((sum, entry) => sum + entry.count, 0);
  const chart = renderBarChart({
    label: 'Conflicts by record class',
    unit: 'failed validations',
    format: formatCompact,
    bars: sorted.map((entry) => ({
      label: entry.recordClass,
      value: entry.count,
      colour: 'again',
      tooltip: `${entry.recordClass}: ${formatNumber(entry.count)}, ${formatNumber((100 * entry.count) / total)} % of all`,
    })),
  });
  const numbers = table(
    [{ title: 'record class' }, { title: 'failed validations', numeric: true }, { title: 'share', numeric: true }],
    sorted.map(({ recordClass, count }) => [recordClass, formatNumber(count), `${((100 * count) / total).toFixed(1)} %`]),
  );
  return section('Conflicts', caption, figure('', chart) + details('Conflicts in numbers', numbers));
}

function timeline({ timeline, timelineTitle }: ReplayReport): string {
  if (timeline.length === 0) return '';
  const window = timelineWindow(timeline);
  const again = timeline.filter((entry) => entry.incarnation > 1).length;
  const shares = [...busyShares(timeline)]
    .sort(([a], [b]) => a - b)
    .map(([worker, share]) => `worker ${worker} ${Math.round(share * 100)} %`);
  const colours = legend([
    { label: 'first execution', colour: 'var(--first)', mark: 'box' },
    { label: 'execution repeated after a conflict', colour: 'var(--again)', mark: 'box' },
  ]);
  const parts = [
    colours,
    figure(
      'The whole block',
      renderTimeline(timeline),
      `Time spent executing: ${shares.join(', ')}. ${formatNumber(timeline.length)} executions, ${formatNumber(again)} of them repeated.`,
    ),
  ];
  if (window !== undefined) {
    const length = formatMicros(window.toMicros - window.fromMicros);
    const where = again > 0 ? 'around the first repeated execution' : 'from the middle of the block';
    parts.push(
      figure(
        `${length} ${where}`,
        renderTimelineWindow(timeline, window.fromMicros, window.toMicros),
        'A box is one execution; its number is the place of the transaction in the block.',
      ),
    );
  }
  return section(
    timelineTitle,
    'A lane is a worker, time runs to the right. Where a lane is empty the worker was claiming, validating, committing or waiting for another.',
    parts.join('\n'),
  );
}

function summary({ summary, runs, checks }: ReplayReport): string {
  const rows = Object.entries(summary).map(([name, value]) => [name, typeof value === 'number' ? formatNumber(value) : value]);
  rows.push(['book checks', `${formatNumber(checks.bookChecks)}, ${formatNumber(checks.bookMismatches)} mismatches`]);
  const numbers = table(
    [
      { title: 'model' },
      { title: 'workers', numeric: true },
      { title: 'transactions/s', numeric: true },
      { title: 'executions/transaction', numeric: true },
      { title: 'validations/transaction', numeric: true },
    ],
    runs.map((run) => [
      run.model,
      formatNumber(run.workers),
      formatNumber(Math.round(run.transactionsPerSecond)),
      run.executionsPerTransaction.toFixed(3),
      run.validationsPerTransaction.toFixed(3),
    ]),
  );
  return section(
    'Summary',
    '',
    `<div class="mono">${table([{ title: 'what' }, { title: 'value' }], rows)}</div>${details('All runs in numbers', numbers)}`,
  );
}

function modelLegend(lines: readonly Line[]): string {
  return legend(lines.map((line) => ({ label: line.label, colour: `var(--${line.colour})`, mark: line.dash })));
}

function runLabel(run: { readonly model: string; readonly workers: number }): string {
  return run.model.startsWith('serial') ? run.model : `${run.model}, ${run.workers} ${run.workers === 1 ? 'worker' : 'workers'}`;
}
