/** Horizontal bars, one row a value, the value written at the end of its bar. */
import { formatTick } from './number-format.ts';
import type { ColourName } from './palette.ts';
import { colour } from './palette.ts';
import { axisStyle, FONT, FONT_SIZE, renderSvgChart, textWidth } from './svg-chart.ts';

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly colour: ColourName;
  /** 0 to 1, for bars of the same model with fewer workers. */
  readonly opacity?: number;
  readonly tooltip?: string;
}

export interface BarChartOptions {
  readonly label: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
  readonly format: (value: number) => string;
  /** A line across all bars. */
  readonly reference?: number;
  readonly referenceLabel?: string;
  readonly width?: number;
}

const ROW_HEIGHT = 29;

export function renderBarChart(options: BarChartOptions): string {
  const { bars, format } = options;
  const width = options.width ?? 1040;
  const top = 24;
  const bottom = 52;
  const height = top + bottom + bars.length * ROW_HEIGHT;
  const left = Math.max(40, ...bars.map((bar) => textWidth(bar.label))) + 14;
  const longest = Math.max(...bars.map((bar) => textWidth(format(bar.value))));
  const option = {
    grid: { left, right: longest + 22, top, bottom },
    xAxis: {
      type: 'value',
      ...axisStyle,
      axisLine: { show: false },
      axisLabel: { ...axisStyle.axisLabel, formatter: formatTick, hideOverlap: true },
      ...niceScale(Math.max(...bars.map((bar) => bar.value), options.reference ?? 0)),
      name: options.unit,
      nameLocation: 'middle',
      nameGap: 30,
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: bars.map((bar) => bar.label),
      ...axisStyle,
      axisLabel: { ...axisStyle.axisLabel, color: colour('ink'), interval: 0 },
    },
    series: [
      {
        type: 'bar',
        clip: false,
        barWidth: 17,
        data: bars.map((bar) => ({
          value: bar.value,
          itemStyle: { color: colour(bar.colour), opacity: bar.opacity ?? 1, borderRadius: [0, 3, 3, 0] },
        })),
        label: {
          show: true,
          position: 'right',
          opacity: 1,
          backgroundColor: colour('panel'),
          padding: [1, 2],
          color: colour('ink'),
          fontFamily: FONT,
          fontSize: FONT_SIZE,
          formatter: (item: { value: number }) => format(item.value),
        },
        ...(options.reference === undefined
          ? {}
          : { markLine: referenceLine('xAxis', options.reference, options.referenceLabel ?? format(options.reference), 'start') }),
      },
    ],
  };
  return renderSvgChart(option, {
    width,
    height,
    label: options.label,
    tooltip: (_, datum) => {
      const bar = bars[datum];
      return bar === undefined ? undefined : (bar.tooltip ?? `${bar.label}: ${format(bar.value)}`);
    },
  });
}

/** An axis from 0 to a round number not far above the highest value, in round steps. */
export function niceScale(highest: number): { readonly min: number; readonly max: number; readonly interval: number } {
  const power = highest > 0 ? 10 ** Math.floor(Math.log10(highest)) : 1;
  const [factor, step] = SCALES.find(([factor]) => factor * power >= highest * 1.001) ?? [10, 2];
  return { min: 0, max: Number((factor * power).toPrecision(6)), interval: Number((step * power).toPrecision(6)) };
}

/** Ends of axes and their steps. */
const SCALES: readonly (readonly [number, number])[] = [
  [1, 0.25],
  [1.2, 0.3],
  [1.5, 0.5],
  [2, 0.5],
  [2.5, 0.5],
  [3, 1],
  [4, 1],
  [5, 1],
  [6, 2],
  [8, 2],
  [10, 2],
];

export function referenceLine(axis: 'xAxis' | 'yAxis', value: number, label: string, position: 'start' | 'end'): object {
  return {
    silent: true,
    z: 1,
    symbol: 'none',
    animation: false,
    lineStyle: { color: colour('ink'), width: 1.25, type: [5, 4] },
    label: { show: true, position, formatter: label, color: colour('ink'), fontFamily: FONT, fontSize: FONT_SIZE },
    data: [{ [axis]: value }],
  };
}
