/**
 * Figures over the values of one parameter that are no rates of a model (costs, times, ratios): each set of lines drawn and tabled.
 *
 * Invariant: every number of a chart is in the table below it.
 */
import { type Line, renderLineChart } from './line-chart.ts';
import { formatNumber, formatTick } from './number-format.ts';
import { details, figure, figures, legend, table } from './page.ts';

export interface Series {
  readonly label: string;
  /** One for each entry of `x`. */
  readonly values: readonly number[];
}

export interface SeriesChart {
  readonly title: string;
  readonly note?: string;
  readonly x: readonly number[];
  readonly xTitle: string;
  readonly unit: string;
  readonly logarithmic?: boolean;
  readonly reference?: number;
  readonly referenceLabel?: string;
  readonly lines: readonly Series[];
}

const COLOURS = ['optimistic', 'deterministic', 'sharded', 'auto', 'again'] as const;

export function renderSeries(charts: readonly SeriesChart[]): string {
  return `${figures(charts.map(seriesFigure))}\n${details('All numbers', charts.map(seriesTable).join('\n'))}`;
}

function seriesFigure(chart: SeriesChart): string {
  const lines: Line[] = chart.lines.map(({ label, values }, i) => ({
    label,
    values,
    colour: COLOURS[i % COLOURS.length] ?? 'optimistic',
    dash: i < COLOURS.length ? 'solid' : 'dashed',
  }));
  const { title, note, xTitle, unit, logarithmic, reference, referenceLabel } = chart;
  const drawing = renderLineChart({
    label: `${title}, by ${xTitle}`,
    x: chart.x.map(formatTick),
    xUnit: xTitle,
    yUnit: logarithmic === true ? `${unit} (logarithmic)` : unit,
    format: formatNumber,
    lines,
    ...(logarithmic === undefined ? {} : { logarithmic }),
    ...(reference === undefined ? {} : { reference }),
    ...(referenceLabel === undefined ? {} : { referenceLabel }),
  });
  return figure(title, legend(lines.map(({ label, colour, dash }) => ({ label, colour: `var(--${colour})`, mark: dash }))) + drawing, note);
}

function seriesTable({ title, unit, x, xTitle, lines }: SeriesChart): string {
  const columns = [
    { title: xTitle, numeric: true },
    ...lines.map(({ label }) => ({ title: `${title}: ${label} (${unit})`, numeric: true })),
  ];
  return table(
    columns,
    x.map((value, i) => [formatNumber(value), ...lines.map(({ values }) => formatNumber(values[i] ?? Number.NaN))]),
  );
}
