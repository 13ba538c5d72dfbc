/**
 * Values over the time of day: lines, or bars stacked on each other, with the waves of the day as bands behind them.
 *
 * Bars are sums over bins of some seconds, so that minutes of single blocks stay a readable picture.
 */
import { niceScale, referenceLine } from './bar-chart.ts';
import type { ColourName } from './palette.ts';
import { colour } from './palette.ts';
import { axisStyle, FONT, renderSvgChart, textWidth } from './svg-chart.ts';

export interface TimeBand {
  readonly label: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface TimeSeries {
  readonly label: string;
  readonly colour: ColourName;
  /** Time (ms since 1970, UTC) and value, ascending. */
  readonly points: readonly (readonly [timeMs: number, value: number])[];
}

export interface TimeChartOptions {
  readonly label: string;
  readonly yUnit: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly bands: readonly TimeBand[];
  readonly series: readonly TimeSeries[];
  /** Width of a bin: bars instead of lines. */
  readonly binMs?: number;
  readonly format: (value: number) => string;
  readonly formatTick: (value: number) => string;
  readonly reference?: number;
  readonly referenceLabel?: string;
  readonly height?: number;
}

const WIDTH = 1040;
const BOTTOM = 52;
const TOP = 26;
const MINUTE_MS = 60_000;
/** Bands with less room between them share one label. */
const LABEL_ROOM = 16;

export function renderTimeChart(options: TimeChartOptions): string {
  const { bands, fromMs, toMs, binMs } = options;
  const series = binMs === undefined ? options.series : options.series.map((entry) => binned(entry, fromMs, binMs));
  const highest =
    binMs === undefined ? Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value))) : highestStack(series);
  const scale = niceScale(Math.max(highest, options.reference ?? 0));
  const widest = Math.max(textWidth(options.formatTick(scale.max)), 34);
  const left = widest + 32;
  const right = 22 + (options.reference === undefined ? 0 : textWidth(options.referenceLabel ?? '') + 4);
  const pixelsPerMs = (WIDTH - left - right) / (toMs - fromMs);
  const height = options.height ?? 320;
  const reference =
    options.reference === undefined
      ? {}
      : { markLine: referenceLine('yAxis', options.reference, options.referenceLabel ?? options.format(options.reference), 'end') };
  const option = {
    grid: { left, right, top: TOP, bottom: BOTTOM },
    xAxis: {
      type: 'value',
      min: fromMs,
      max: toMs,
      ...axisStyle,
      splitLine: { show: false },
      axisTick: { show: true, lineStyle: { color: colour('axis') }, customValues: minutes(fromMs, toMs) },
      axisLabel: { ...axisStyle.axisLabel, customValues: minutes(fromMs, toMs), formatter: clock },
      name: 'time of day, UTC',
      nameLocation: 'middle',
      nameGap: 32,
    },
    yAxis: {
      type: 'value',
      ...scale,
      ...axisStyle,
      axisLine: { show: false },
      axisLabel: { ...axisStyle.axisLabel, formatter: options.formatTick },
      name: options.yUnit,
      nameLocation: 'middle',
      nameGap: widest + 14,
    },
    series: [
      bandSeries(bands, scale.max, height, pixelsPerMs),
      ...series.map((entry, index) => ({
        name: entry.label,
        data: entry.points,
        ...(index === 0 ? reference : {}),
        ...(binMs === undefined ? lineStyle(entry) : barStyle(entry, binMs * pixelsPerMs)),
      })),
    ],
  };
  return renderSvgChart(option, {
    width: WIDTH,
    height,
    label: options.label,
    tooltip: (index, datum) => {
      if (index === 0) return bands[datum] === undefined ? undefined : `wave ${bands[datum]?.label}`;
      const point = series[index - 1]?.points[datum];
      return point === undefined ? undefined : `${series[index - 1]?.label}, ${clockSeconds(point[0])}: ${options.format(point[1])}`;
    },
  });
}

/** The sum of each bin, at its middle. */
function binned({ points, ...rest }: TimeSeries, fromMs: number, binMs: number): TimeSeries {
  const sums: number[] = [];
  for (const [timeMs, value] of points) {
    const bin = Math.floor((timeMs - fromMs) / binMs);
    while (sums.length <= bin) sums.push(0);
    sums[bin] = (sums[bin] as number) + value;
  }
  return { ...rest, points: sums.map((sum, bin) => [fromMs + (bin + 0.5) * binMs, sum] as const) };
}

function highestStack(series: readonly TimeSeries[]): number {
  const bins = Math.max(0, ...series.map(({ points }) => points.length));
  const stacks = Array.from({ length: bins }, (_, bin) => series.reduce((sum, { points }) => sum + (points[bin]?.[1] ?? 0), 0));
  return Math.max(0, ...stacks);
}

function lineStyle(entry: TimeSeries): object {
  return {
    type: 'line',
    symbol: 'none',
    clip: false,
    itemStyle: { color: colour(entry.colour) },
    lineStyle: { color: colour(entry.colour), width: 1.8 },
  };
}

function barStyle(entry: TimeSeries, width: number): object {
  return { type: 'bar', stack: 'all', barWidth: Math.max(1, width * 0.86), itemStyle: { color: colour(entry.colour) } };
}

/** Bands from the axis to the top, with their labels above; where they are too close, the first one's stands for all of them. */
function bandSeries(bands: readonly TimeBand[], highest: number, height: number, pixelsPerMs: number): object {
  const labels = bands.map(({ label }) => label);
  let last = Number.NEGATIVE_INFINITY;
  bands.forEach(({ fromMs, toMs }, index) => {
    const middle = ((fromMs + toMs) / 2) * pixelsPerMs;
    if (middle - last < LABEL_ROOM) labels[index] = '';
    else last = middle;
  });
  return {
    type: 'custom',
    clip: false,
    z: 0,
    data: bands.map(({ fromMs, toMs }) => [fromMs, highest, toMs]),
    renderItem: (params: { dataIndex: number }, api: { coord(point: number[]): number[] }) => {
      const band = bands[params.dataIndex] as TimeBand;
      const [x = 0] = api.coord([band.fromMs, highest]);
      const width = Math.max(2, (band.toMs - band.fromMs) * pixelsPerMs);
      return {
        type: 'rect',
        shape: { x, y: TOP, width, height: height - TOP - BOTTOM },
        style: { fill: colour('wave') },
        textContent: { type: 'text', style: { text: labels[params.dataIndex], fill: colour('muted'), fontFamily: FONT, fontSize: 11 } },
        textConfig: { position: 'top', distance: 4 },
      };
    },
  };
}

function minutes(fromMs: number, toMs: number): number[] {
  const first = Math.ceil(fromMs / MINUTE_MS) * MINUTE_MS;
  return Array.from({ length: Math.floor((toMs - first) / MINUTE_MS) + 1 }, (_, index) => first + index * MINUTE_MS);
}

function clock(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 16);
}

function clockSeconds(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 19);
}
