/**
 * The page that the crash scenario leaves: what prices did, what the system did about it and in which block, who paid, and how fast it
 * ran under which model.
 */
import { renderBarChart } from './bar-chart.ts';
import { renderGroupChart } from './group-chart.ts';
import { formatCompact, formatNumber, formatRate, formatRatio, formatTick } from './number-format.ts';
import type { Environment, KeyFigure } from './page.ts';
import { details, escapeHtml, figure, keyFigures, legend, renderPage, section, table } from './page.ts';
import { type ColourName, modelColour } from './palette.ts';
import { renderTimeChart, type TimeBand, type TimeSeries } from './time-chart.ts';

export interface CrashWaveRow {
  readonly number: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Deleveraging fills of the real day. */
  readonly realFills: number;
  readonly liquidations: number;
  readonly backstops: number;
  readonly deleveragings: number;
  /** Traders on whom the first forced action fell. */
  readonly traders: number;
}

export interface CrashBlock {
  readonly timeMs: number;
  readonly liquidatedUsd: number;
  readonly backstopUsd: number;
  readonly deleveragedUsd: number;
}

export interface CrashModelRun {
  readonly model: string;
  readonly workers: number;
  readonly transactionsPerSecond: number;
  readonly executionsPerTransaction: number;
  readonly seconds: number;
  readonly stateRoot: string;
}

export interface CrashReport {
  readonly title: string;
  /** ISO 8601. */
  readonly generatedAt?: string;
  readonly command: string;
  readonly environment: Environment;
  /** Where the figures of the real day come from. */
  readonly calibration: string;
  readonly summary: Readonly<Record<string, string | number>>;
  readonly totals: {
    readonly forcedEvents: number;
    readonly liquidations: number;
    readonly backstops: number;
    readonly deleveragings: number;
    readonly covers: number;
  };
  readonly real: { readonly liquidations: number; readonly deleveragings: number };
  readonly waves: readonly CrashWaveRow[];
  /** Prices of some markets, as a fraction of the first. */
  readonly prices: readonly { readonly label: string; readonly points: readonly (readonly [timeMs: number, value: number])[] }[];
  readonly blocks: readonly CrashBlock[];
  readonly backstop: readonly (readonly [timeMs: number, usd: number])[];
  /** Breaches by the number of blocks until they were acted on. */
  readonly waits: readonly number[];
  readonly audits: number;
  readonly worstBlocksToAction: number;
  readonly runs: readonly CrashModelRun[];
}

const BIN_MS = 5000;
const PRICE_COLOURS: readonly ColourName[] = ['optimistic', 'deterministic', 'sharded', 'auto', 'again', 'serial'];
const KINDS = [
  { label: 'liquidation on the book', colour: 'liquidation', field: 'liquidatedUsd' },
  { label: 'backstop takeover', colour: 'backstop', field: 'backstopUsd' },
  { label: 'deleveraging', colour: 'deleverage', field: 'deleveragedUsd' },
] as const;

export function renderCrashReport(report: CrashReport): string {
  return renderPage({ ...report, kicker: 'crash day' }, [
    overview(report),
    prices(report),
    forced(report),
    backstop(report),
    deleveraging(report),
    waits(report),
    models(report),
    summary(report),
  ]);
}

const usd = (value: number): string => `$${formatCompact(value)}`;
const usdTick = (value: number): string => `$${formatTick(value)}`;
const percent = (value: number): string => `${formatNumber(Number((value * 100).toPrecision(3)))} %`;

function overview({ totals, worstBlocksToAction, audits, runs, calibration }: CrashReport): string {
  const [run] = runs;
  const serial = runs.find(({ model }) => model === 'serial');
  const other = runs.find(({ model }) => model !== 'serial');
  const items: KeyFigure[] = [
    { label: 'Forced events', value: formatNumber(totals.forcedEvents), note: 'on the book, taken over, deleveraged' },
    {
      label: 'From breach to action',
      value: worstBlocksToAction === 0 ? 'same block' : `${worstBlocksToAction} ${worstBlocksToAction === 1 ? 'block' : 'blocks'}`,
      note: 'the longest that any account waited',
      ...(worstBlocksToAction === 0 ? { tone: 'good' as const } : {}),
    },
    { label: 'Audits of the state', value: formatNumber(audits), note: 'nothing out of balance, nobody negative', tone: 'good' },
  ];
  if (run !== undefined) {
    items.push({
      label: 'Speed',
      value: formatRate(run.transactionsPerSecond),
      note: `transactions, ${runLabel(run)}`,
    });
  }
  if (serial !== undefined && other !== undefined) {
    items.push({
      label: 'To serial',
      value: formatRatio(other.transactionsPerSecond / serial.transactionsPerSecond),
      note: runLabel(other),
    });
  }
  return `${keyFigures(items)}<p class="note">Calibrated on ${escapeHtml(calibration)}. Bands in the charts are its waves, by their numbers.</p>`;
}

function frame({ blocks, waves }: CrashReport): { fromMs: number; toMs: number; bands: TimeBand[] } {
  return {
    fromMs: blocks[0]?.timeMs ?? 0,
    toMs: (blocks.at(-1)?.timeMs ?? 0) + 1000,
    bands: waves.map(({ number, fromMs, toMs }) => ({ label: String(number), fromMs, toMs })),
  };
}

function prices(report: CrashReport): string {
  const series: TimeSeries[] = report.prices.map(({ label, points }, index) => ({
    label,
    points,
    colour: PRICE_COLOURS[index % PRICE_COLOURS.length] as ColourName,
  }));
  const chart = renderTimeChart({
    ...frame(report),
    label: 'Prices of some markets over the day',
    yUnit: 'of the first price',
    series,
    format: percent,
    formatTick: (value) => `${Math.round(value * 100)} %`,
    height: 360,
  });
  const lows = table(
    [{ title: 'market' }, { title: 'lowest', numeric: true }, { title: 'at the end', numeric: true }],
    series.map(({ label, points }) => [
      label,
      percent(Math.min(...points.map(([, value]) => value))),
      percent(points.at(-1)?.[1] ?? Number.NaN),
    ]),
  );
  return section(
    'Prices',
    'Each wave takes the coins that it hit to a new low, and the others some way along; between the waves prices recover a part.',
    colours(series) + figure('', chart) + details('Prices in numbers', lows),
  );
}

function forced(report: CrashReport): string {
  const series: TimeSeries[] = KINDS.map(({ label, colour, field }) => ({
    label,
    colour,
    points: report.blocks.map((block) => [block.timeMs, block[field]] as const),
  }));
  const chart = renderTimeChart({
    ...frame(report),
    label: 'Forced volume by kind over the day',
    yUnit: `USD in ${BIN_MS / 1000} s`,
    series,
    binMs: BIN_MS,
    format: usd,
    formatTick: usdTick,
    height: 360,
  });
  const sums = table(
    [
      { title: 'kind' },
      { title: 'events', numeric: true },
      { title: 'USD', numeric: true },
      { title: 'fills of the real day', numeric: true },
    ],
    KINDS.map(({ label, field }, index) => [
      label,
      formatNumber([report.totals.liquidations, report.totals.backstops, report.totals.deleveragings][index] ?? 0),
      formatNumber(Math.round(report.blocks.reduce((sum, block) => sum + block[field], 0))),
      index === 1 ? 'not counted' : formatNumber(index === 0 ? report.real.liquidations : report.real.deleveragings),
    ]),
  );
  return section(
    'What was forced',
    'Who falls below the maintenance margin is sold on the book first. What the book does not take, because makers have thinned out or left, goes to the backstop vault while it can carry it, and then to the winners on the other side.',
    colours(series) + figure('', chart) + details('Forced volume in numbers', sums),
  );
}

function backstop(report: CrashReport): string {
  const points = report.backstop;
  if (points.length === 0) return '';
  const chart = renderTimeChart({
    ...frame(report),
    label: 'Equity of the backstop vault over the day',
    yUnit: 'USD',
    series: [{ label: 'equity of the backstop vault', colour: 'backstop', points }],
    format: usd,
    formatTick: usdTick,
    height: 260,
  });
  const every = Math.max(1, Math.floor(points.length / 24));
  const rows = points
    .filter((_, index) => index % every === 0 || index === points.length - 1)
    .map(([timeMs, value]) => [new Date(timeMs).toISOString().slice(11, 19), formatNumber(Math.round(value))]);
  return section(
    'The backstop vault',
    'It takes positions over at the mark, with what margin is left, and sells them piece by piece. When prices fall on, it is deleveraged like anybody else, and ends at nothing rather than below.',
    figure('', chart) + details('Equity in numbers', table([{ title: 'time, UTC' }, { title: 'USD', numeric: true }], rows)),
  );
}

function deleveraging({ waves, totals }: CrashReport): string {
  const real = waves.reduce((sum, wave) => sum + wave.realFills, 0);
  const series = [
    {
      label: 'this run',
      colour: 'deleverage' as const,
      values: waves.map(({ deleveragings }) => deleveragings / Math.max(1, totals.deleveragings)),
    },
    { label: 'the real day', colour: 'serial' as const, values: waves.map(({ realFills }) => realFills / Math.max(1, real)) },
  ];
  const chart = renderGroupChart({
    label: 'Deleveraging fills by wave',
    categories: waves.map(({ number }) => String(number)),
    xUnit: 'wave',
    yUnit: 'share of all fills',
    series,
    format: percent,
    formatTick: (value) => `${Math.round(value * 100)} %`,
  });
  const numbers = table(
    [
      { title: 'wave' },
      { title: 'begins, UTC' },
      { title: 'traders', numeric: true },
      { title: 'liquidations', numeric: true },
      { title: 'takeovers', numeric: true },
      { title: 'deleveraging', numeric: true },
      { title: 'deleveraging, real day', numeric: true },
    ],
    waves.map((wave) => [
      String(wave.number),
      new Date(wave.fromMs).toISOString().slice(11, 19),
      formatNumber(wave.traders),
      formatNumber(wave.liquidations),
      formatNumber(wave.backstops),
      formatNumber(wave.deleveragings),
      formatNumber(wave.realFills),
    ]),
  );
  return section(
    'Deleveraging by wave',
    'A wave counts until the next one begins. Traders: accounts on which the first forced action fell.',
    colours(series) + figure('', chart) + details('Waves in numbers', numbers),
  );
}

function waits({ waits }: CrashReport): string {
  const rows = waits.length === 0 ? [0] : waits;
  const chart = renderBarChart({
    label: 'Blocks from breach to action',
    unit: 'breaches',
    format: formatNumber,
    bars: rows.map((count, blocks) => ({
      label: blocks === 0 ? 'same block' : `${blocks} ${blocks === 1 ? 'block' : 'blocks'} later`,
      value: count,
      colour: blocks === 0 ? 'liquidation' : 'again',
    })),
  });
  return section(
    'From breach to action',
    'A breach begins in the block whose prices or trades take an account below its maintenance margin, and is acted on in the first block with a liquidation order, a takeover or deleveraging for it. Measured from the events of the receipts alone; the number of accounts in breach is compared with that of every audit.',
    figure('', chart),
  );
}

function models({ runs }: CrashReport): string {
  const serial = runs.find((run) => run.model === 'serial');
  const chart = renderBarChart({
    label: 'Throughput by model',
    unit: 'transactions per second, those of the system included',
    format: formatCompact,
    bars: runs.map((run) => ({ label: runLabel(run), value: run.transactionsPerSecond, colour: modelColour(run.model) })),
  });
  const numbers = table(
    [
      { title: 'model' },
      { title: 'transactions/s', numeric: true },
      { title: 'to serial', numeric: true },
      { title: 'executions/transaction', numeric: true },
      { title: 'seconds', numeric: true },
      { title: 'state root' },
    ],
    runs.map((run) => [
      runLabel(run),
      formatNumber(Math.round(run.transactionsPerSecond)),
      serial === undefined ? '–' : formatRatio(run.transactionsPerSecond / serial.transactionsPerSecond),
      run.executionsPerTransaction.toFixed(3),
      run.seconds.toFixed(2),
      `${run.stateRoot.slice(0, 16)}…`,
    ]),
  );
  return section(
    'Models of execution',
    runs.length > 1
      ? 'The same blocks from the same state, each model in an engine of its own. The state roots are equal.'
      : 'One model. With --compare the same day is run serially and optimistically.',
    figure('', chart) + details('Models in numbers', numbers),
  );
}

function summary({ summary }: CrashReport): string {
  const rows = Object.entries(summary).map(([name, value]) => [name, typeof value === 'number' ? formatNumber(value) : value]);
  return section('Summary', '', `<div class="mono">${table([{ title: 'what' }, { title: 'value' }], rows)}</div>`);
}

function colours(series: readonly { readonly label: string; readonly colour: ColourName }[]): string {
  return legend(series.map(({ label, colour }) => ({ label, colour: `var(--${colour})`, mark: 'box' })));
}

function runLabel({ model, workers }: { readonly model: string; readonly workers: number }): string {
  return model === 'serial' ? model : `${model}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
}
