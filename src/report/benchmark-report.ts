/** The page that benchmarks leave: rates and ratios by parameter, latencies, and whether the machine was quiet enough to believe them. */
import { type Bar, renderBarChart } from './bar-chart.ts';
import { type Dash, type Line, renderLineChart } from './line-chart.ts';
import { formatCompact, formatMicros, formatNumber, formatRate, formatRatio, formatTick } from './number-format.ts';
import { details, type Environment, escapeHtml, figure, figures, keyFigures, legend, notice, renderPage, section, table } from './page.ts';
import { modelColour } from './palette.ts';
import { renderSeries, type SeriesChart } from './series-chart.ts';

export type Parameters = Readonly<Record<string, string | number>>;

/** One variant (model, workers, where its sets come from) under one combination of parameters. */
export interface BenchmarkRow {
  readonly benchmark: string;
  readonly model: string;
  /** The model and where its access sets come from: what tells rows apart, with the workers. */
  readonly variant: string;
  readonly accessSets: 'none' | 'declared' | 'recorded' | 'given';
  readonly workers: number;
  readonly parameters: Parameters;
  /** Median over the rounds; the time from the first execution to the last commit. */
  readonly transactionsPerSecond: number;
  /** The same with everything that the host does for a block: copying it and its list in and out. */
  readonly withHostPerSecond: number;
  /** Median over the rounds of the ratio to the serial run of the same round. */
  readonly ratioToSerial: number;
  readonly executionsPerTransaction: number;
  readonly validationsPerTransaction: number;
  /** First and third quartile of the rounds. */
  readonly quartiles: readonly [number, number];
  /** Failed validations by record class, over the measured rounds. */
  readonly conflicts: Readonly<Record<string, number>>;
  readonly accessListBytesPerTransaction?: number;
  /** Which models ran the blocks of `auto`, and how often. */
  readonly chosen?: Readonly<Record<string, number>>;
  /** Blocks that the model could not complete, by reason. */
  readonly fallbacks?: Readonly<Record<string, number>>;
  readonly stateRoot: string;
}

/** Latencies at one input rate, from the planned arrival of a command to the report of its commit. */
export interface LatencyRow {
  readonly benchmark: string;
  readonly model: string;
  readonly variant: string;
  readonly workers: number;
  readonly parameters: Parameters;
  readonly inputPerSecond: number;
  readonly achievedPerSecond: number;
  /** The engine did not keep up: the queue grew until the input ended. */
  readonly saturated: boolean;
  readonly commands: number;
  /** Micros by percentile, in ascending order: p50, p90, p99, p99.9, p99.99, max. */
  readonly percentilesMicros: Readonly<Record<string, number>>;
}

/** What something takes in one form. */
export interface SizeRow {
  readonly benchmark: string;
  readonly parameters: Parameters;
  /** Body, receipts and so on. */
  readonly what: string;
  readonly form: string;
  /** What bytes and micros are of: a transaction, an account. */
  readonly per: string;
  readonly bytes: number;
  /** How many times smaller than the plain form. */
  readonly ratioToPlain: number;
  /** Medians over the rounds; none where nothing was timed. */
  readonly encodeMicros?: number;
  readonly decodeMicros?: number;
}

export interface BenchmarkSection {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** The parameter that charts have on their x axis, and how it is called there. */
  readonly axis?: { readonly parameter: string; readonly title: string };
  readonly rows: readonly BenchmarkRow[];
  readonly latencies: readonly LatencyRow[];
  readonly sizes?: readonly SizeRow[];
  /** What is no rate of a model. */
  readonly series?: readonly SeriesChart[];
}

export interface BenchmarkReport {
  readonly title: string;
  /** ISO 8601. */
  readonly generatedAt?: string;
  readonly command: string;
  readonly environment: Environment;
  readonly rounds: number;
  readonly quick: boolean;
  /** Time of two busy loops at once, divided by the time of one alone. */
  readonly calibrationBefore: number;
  readonly calibrationAfter: number;
  /** Above it, the run does not count. */
  readonly calibrationLimit: number;
  readonly sections: readonly BenchmarkSection[];
}

/** Fewer values of a parameter are told apart by charts of their own, more by an axis. */
const AXIS_VALUES_MIN = 3;

const PARAMETER_TEXTS: Readonly<Record<string, (value: number) => string>> = {
  workMicros: (value) => (value === 0 ? 'no extra work' : `${value} µs extra work`),
  accounts: (value) => `${formatNumber(value)} accounts`,
  markets: (value) => `${formatNumber(value)} ${value === 1 ? 'market' : 'markets'}`,
  transactions: (value) => `${formatNumber(value)} transactions`,
  commands: (value) => `${formatNumber(value)} commands`,
  blockSize: (value) => `blocks of ${formatNumber(value)}`,
};

export function renderBenchmarkReport(report: BenchmarkReport): string {
  return renderPage({ ...report, kicker: 'benchmark' }, [overview(report), ...report.sections.map(benchmarkSection)]);
}

function overview(report: BenchmarkReport): string {
  const { calibrationBefore, calibrationAfter, calibrationLimit, rounds, quick } = report;
  const noisy = Math.max(calibrationBefore, calibrationAfter) > calibrationLimit;
  const calibration = (label: string, value: number) => ({
    label,
    value: value.toFixed(3),
    note: value > calibrationLimit ? `noisy: above ${calibrationLimit}` : 'quiet',
    tone: value > calibrationLimit ? ('warning' as const) : ('good' as const),
  });
  const notices = [
    ...(noisy
      ? [
          `This run does not count: the machine was not quiet. Two busy loops at once took more than ${calibrationLimit} times as long as one alone.`,
        ]
      : []),
    ...(quick ? [`A quick run of ${rounds} rounds: good for a look, not for a figure to quote.`] : []),
  ];
  return `${notices.map(notice).join('')}${keyFigures([
    calibration('Calibration before', calibrationBefore),
    calibration('Calibration after', calibrationAfter),
    { label: 'Rounds', value: formatNumber(rounds), note: 'medians; what is compared is interleaved' },
  ])}<p class="note">Calibration is the time that two pinned busy loops take at once, divided by the time of one alone. 1.0 is a quiet machine with two full cores.</p>`;
}

function benchmarkSection(benchmark: BenchmarkSection): string {
  const { rows, latencies, sizes = [], series = [] } = benchmark;
  if (sizes.length > 0) return section(benchmark.title, benchmark.description, sizeTable(sizes));
  if (rows.length === 0) return section(benchmark.title, benchmark.description, renderSeries(series));
  const parts: string[] = [];
  const keys = varying(rows);
  const axis =
    benchmark.axis !== undefined && valuesOf(rows, benchmark.axis.parameter).length >= AXIS_VALUES_MIN ? benchmark.axis : undefined;
  const facets = groupBy(rows, (row) =>
    describeParameters(
      row.parameters,
      keys.filter((key) => key !== axis?.parameter),
    ),
  );
  if (axis === undefined) {
    for (const [title, group] of facets) parts.push(barPair(title, group));
  } else {
    const lines = variants(rows);
    parts.push(legend(lines.map(({ label, colour, dash }) => ({ label, colour: `var(--${colour})`, mark: dash }))));
    for (const [title, group] of facets) parts.push(linePair(title, group, axis));
  }
  if (latencies.length > 0) parts.push(latencyCharts(latencies));
  parts.push(details('All numbers', rowTable(rows, keys)));
  if (benchmark.series !== undefined) parts.push(renderSeries(benchmark.series));
  if (latencies.length > 0) parts.push(details('All latencies', latencyTable(latencies)));
  const fixed = describeParameters(
    rows[0]?.parameters ?? {},
    Object.keys(rows[0]?.parameters ?? {}).filter((key) => !keys.includes(key)),
  );
  return section(benchmark.title, fixed === '' ? benchmark.description : `${benchmark.description} ${sentence(fixed)}`, parts.join('\n'));
}

/** Throughput on the left, its ratio to serial on the right. */
function barPair(title: string, rows: readonly BenchmarkRow[]): string {
  const most = Math.max(...rows.map((row) => row.workers));
  const bars = (value: (row: BenchmarkRow) => number, format: (value: number) => string): Bar[] =>
    rows.map((row) => ({
      label: variantLabel(row),
      value: value(row),
      colour: modelColour(row.variant),
      opacity: isSerial(row) || row.workers === most ? 1 : 0.6,
      tooltip: `${variantLabel(row)}: ${format(value(row))}, ${formatNumber(row.executionsPerTransaction)} executions per transaction`,
    }));
  const suffix = title === '' ? '' : `, ${title}`;
  return figures([
    figure(
      `Throughput${suffix}`,
      renderBarChart({
        label: `Throughput by model${suffix}`,
        unit: 'transactions per second',
        format: formatCompact,
        width: 520,
        bars: bars((row) => row.transactionsPerSecond, formatCompact),
      }),
    ),
    figure(
      `Ratio to serial${suffix}`,
      renderBarChart({
        label: `Ratio to serial by model${suffix}`,
        unit: 'times the rate of serial execution',
        format: formatRatio,
        width: 520,
        reference: 1,
        referenceLabel: 'serial',
        bars: bars((row) => row.ratioToSerial, formatRatio),
      }),
    ),
  ]);
}

function linePair(title: string, rows: readonly BenchmarkRow[], axis: { readonly parameter: string; readonly title: string }): string {
  const values = valuesOf(rows, axis.parameter);
  const lines = (value: (row: BenchmarkRow) => number): Line[] =>
    variants(rows).map((variant) => ({
      ...variant,
      values: values.map((x) => {
        const row = rows.find((row) => variantLabel(row) === variant.label && row.parameters[axis.parameter] === x);
        return row === undefined ? null : value(row);
      }),
    }));
  const suffix = title === '' ? '' : `, ${title}`;
  const x = values.map((value) => (typeof value === 'number' ? formatTick(value) : value));
  return figures([
    figure(
      `Throughput${suffix}`,
      renderLineChart({
        label: `Throughput by ${axis.title}${suffix}`,
        x,
        xUnit: axis.title,
        yUnit: 'transactions per second',
        format: formatCompact,
        formatTick,
        lines: lines((row) => row.transactionsPerSecond),
      }),
    ),
    figure(
      `Ratio to serial${suffix}`,
      renderLineChart({
        label: `Ratio to serial by ${axis.title}${suffix}`,
        x,
        xUnit: axis.title,
        yUnit: 'times serial',
        format: (value) => formatNumber(value),
        reference: 1,
        referenceLabel: 'serial',
        lines: lines((row) => row.ratioToSerial).filter((_, index) => !isSerialLabel(variants(rows)[index]?.label ?? '')),
      }),
    ),
  ]);
}

/** One chart a variant: percentiles to the right, a line for each input rate. */
function latencyCharts(rows: readonly LatencyRow[]): string {
  const drawn = rows.filter((row) => !row.saturated).flatMap((row) => Object.values(row.percentilesMicros));
  const charts = [...groupBy(rows, (row) => variantLabel(row))].map(([variant, group]) => {
    const kept = group.filter((row) => !row.saturated);
    const saturated = group.filter((row) => row.saturated).map((row) => formatRate(row.inputPerSecond));
    const note = saturated.length === 0 ? '' : `Not sustained, and not drawn: ${saturated.join(', ')}.`;
    if (kept.length === 0) return `<div><h3>${escapeHtml(variant)}</h3><p class="note">${escapeHtml(note)}</p></div>`;
    const lines: Line[] = kept.map((row, index) => ({
      label: `${formatTick(row.inputPerSecond)} commands/s`,
      colour: RATE_COLOURS[Math.min(RATE_COLOURS.length - 1, index)] ?? 'muted',
      dash: 'solid',
      values: Object.values(row.percentilesMicros),
    }));
    const chart = renderLineChart({
      label: `Latency percentiles, ${variant}`,
      x: Object.keys(kept[0]?.percentilesMicros ?? {}),
      xUnit: 'percentile of commands',
      yUnit: 'latency (logarithmic)',
      format: formatMicros,
      logarithmic: true,
      alsoRoomFor: drawn,
      lines,
    });
    return figure(
      `Latency, ${variant}`,
      legend(lines.map(({ label, colour, dash }) => ({ label, colour: `var(--${colour})`, mark: dash }))) + chart,
      note,
    );
  });
  return `<h3>Latency at fixed input rates</h3>
<p class="caption">From the moment at which a command was due to arrive to the report of its commit. A command that had to wait because the engine was still busy with earlier ones counts from its due time, so a stall is seen in full (no coordinated omission). Input rates that the engine cannot sustain have no latency, only a growing queue.</p>
${figures(charts)}`;
}

const RATE_COLOURS = ['deterministic', 'optimistic', 'auto', 'sharded', 'again', 'serialRecording'] as const;

function rowTable(rows: readonly BenchmarkRow[], keys: readonly string[]): string {
  const columns = [
    ...keys.map((title) => ({ title: columnTitle(title), numeric: true })),
    { title: 'model' },
    { title: 'workers', numeric: true },
    { title: 'transactions/s', numeric: true },
    { title: 'quartiles', numeric: true },
    { title: 'with host', numeric: true },
    { title: 'to serial', numeric: true },
    { title: 'executions/tx', numeric: true },
    { title: 'validations/tx', numeric: true },
    { title: 'list bytes/tx', numeric: true },
    { title: 'remarks' },
  ];
  return table(
    columns,
    rows.map((row) => [
      ...keys.map((key) => parameterValue(row.parameters[key])),
      row.variant,
      formatNumber(row.workers),
      formatNumber(Math.round(row.transactionsPerSecond)),
      row.quartiles.map(formatCompact).join(' to '),
      formatCompact(row.withHostPerSecond),
      formatRatio(row.ratioToSerial),
      row.executionsPerTransaction.toFixed(3),
      row.validationsPerTransaction.toFixed(3),
      row.accessListBytesPerTransaction === undefined ? '' : row.accessListBytesPerTransaction.toFixed(1),
      remarks(row),
    ]),
  );
}

function latencyTable(rows: readonly LatencyRow[]): string {
  const percentiles = Object.keys(rows[0]?.percentilesMicros ?? {});
  return table(
    [
      { title: 'model' },
      { title: 'workers', numeric: true },
      { title: 'input', numeric: true },
      { title: 'achieved', numeric: true },
      ...percentiles.map((title) => ({ title, numeric: true })),
      { title: 'remarks' },
    ],
    rows.map((row) => [
      row.variant,
      formatNumber(row.workers),
      formatRate(row.inputPerSecond),
      formatRate(row.achievedPerSecond),
      ...percentiles.map((percentile) => formatMicros(row.percentilesMicros[percentile] ?? Number.NaN)),
      row.saturated ? 'not sustained' : '',
    ]),
  );
}

function sizeTable(rows: readonly SizeRow[]): string {
  const keys = Object.keys(rows[0]?.parameters ?? {});
  const micros = (value: number | undefined): string => (value === undefined ? '' : formatMicros(value));
  return table(
    [
      ...keys.map((title) => ({ title: columnTitle(title) })),
      { title: 'what' },
      { title: 'form' },
      { title: 'bytes', numeric: true },
      { title: 'per' },
      { title: 'times smaller', numeric: true },
      { title: 'encode', numeric: true },
      { title: 'decode', numeric: true },
    ],
    rows.map((row) => [
      ...keys.map((key) => parameterValue(row.parameters[key])),
      row.what,
      row.form,
      row.bytes.toFixed(2),
      row.per,
      row.ratioToPlain.toFixed(2),
      micros(row.encodeMicros),
      micros(row.decodeMicros),
    ]),
  );
}

function remarks(row: BenchmarkRow): string {
  const counted = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${formatNumber(count)}`)
      .join(', ');
  return [
    ...(row.chosen === undefined ? [] : [`ran ${counted(row.chosen)}`]),
    ...(row.fallbacks === undefined ? [] : [`fallbacks: ${counted(row.fallbacks)}`]),
    ...(Object.keys(row.conflicts).length === 0 ? [] : [`conflicts: ${counted(row.conflicts)}`]),
  ].join('; ');
}

/** Models with their workers, in the order of the rows; fewer workers are drawn dashed. */
function variants(rows: readonly BenchmarkRow[]): { label: string; colour: ReturnType<typeof modelColour>; dash: Dash }[] {
  const workers = [...new Set(rows.filter((row) => !isSerial(row)).map((row) => row.workers))].sort((a, b) => b - a);
  const dashes: readonly Dash[] = ['solid', 'dashed', 'dotted'];
  return [...groupBy(rows, variantLabel)].map(([label, [row]]) => ({
    label,
    colour: modelColour(row?.variant ?? ''),
    dash: row === undefined || isSerial(row) ? 'solid' : (dashes[Math.min(workers.indexOf(row.workers), 2)] ?? 'dotted'),
  }));
}

function variantLabel({ variant, workers }: { readonly variant: string; readonly workers: number }): string {
  return isSerialLabel(variant) ? variant : `${variant}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
}

function isSerialLabel(label: string): boolean {
  return label.startsWith('serial');
}

function isSerial(row: { readonly variant: string }): boolean {
  return isSerialLabel(row.variant);
}

/** Parameters that do not have the same value in all rows. */
function varying(rows: readonly BenchmarkRow[]): string[] {
  return Object.keys(rows[0]?.parameters ?? {}).filter((key) => valuesOf(rows, key).length > 1);
}

function valuesOf(rows: readonly BenchmarkRow[], parameter: string): (string | number)[] {
  return [...new Set(rows.map((row) => row.parameters[parameter]))].filter((value) => value !== undefined);
}

function describeParameters(parameters: Parameters, keys: readonly string[]): string {
  return keys.flatMap((key) => (parameters[key] === undefined ? [] : [parameterText(key, parameters[key])])).join(', ');
}

function parameterText(key: string, value: string | number): string {
  return typeof value === 'string' ? value : (PARAMETER_TEXTS[key]?.(value) ?? `${columnTitle(key)} ${formatNumber(value)}`);
}

/** `workMicros` → `work (µs)`, `blockSize` → `block size`. */
function columnTitle(parameter: string): string {
  return parameter === 'workMicros' ? 'work (µs)' : parameter.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function parameterValue(value: string | number | undefined): string {
  return typeof value === 'number' ? formatNumber(value) : (value ?? '');
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}
