/** Lines over the values of one parameter. The legend stands outside, once for a row of such charts. */
import { niceScale, referenceLine } from './bar-chart.ts';
import type { ColourName } from './palette.ts';
import { colour } from './palette.ts';
import { axisStyle, renderSvgChart, textWidth } from './svg-chart.ts';

export type Dash = 'solid' | 'dashed' | 'dotted';

export interface Line {
  readonly label: string;
  readonly colour: ColourName;
  readonly dash: Dash;
  /** One value for each entry of `x`; null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface LineChartOptions {
  readonly label: string;
  readonly x: readonly string[];
  readonly xUnit: string;
  readonly yUnit: string;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** How round values are written on the axis; `format` without it. */
  readonly formatTick?: (value: number) => string;
  readonly reference?: number;
  readonly referenceLabel?: string;
  readonly logarithmic?: boolean;
  /** Values that the axis has room for as well: charts side by side share a scale. */
  readonly alsoRoomFor?: readonly number[];
  readonly width?: number;
  readonly height?: number;
}

export function renderLineChart(options: LineChartOptions): string {
  const { lines, format, x } = options;
  const values = [...lines.flatMap((line) => line.values.filter((value) => value !== null)), ...(options.alsoRoomFor ?? [])];
  const highest = Math.max(...values, options.reference ?? 0);
  const scale = options.logarithmic === true ? logarithmicScale(values) : { type: 'value', ...niceScale(highest) };
  const tick = options.formatTick ?? format;
  const widest = Math.max(textWidth(tick(niceScale(highest).max)), 34);
  const option = {
    grid: {
      left: widest + 32,
      right: 22 + (options.reference === undefined ? 0 : textWidth(options.referenceLabel ?? '') + 4),
      top: 16,
      bottom: 52,
    },
    xAxis: {
      type: 'category',
      data: x,
      boundaryGap: false,
      ...axisStyle,
      axisLabel: { ...axisStyle.axisLabel, interval: 0 },
      name: options.xUnit,
      nameLocation: 'middle',
      nameGap: 32,
    },
    yAxis: {
      ...scale,
      ...axisStyle,
      axisLine: { show: false },
      axisLabel: { ...axisStyle.axisLabel, formatter: tick },
      name: options.yUnit,
      nameLocation: 'middle',
      nameGap: widest + 14,
    },
    series: lines.map((line, index) => ({
      type: 'line',
      name: line.label,
      data: line.values,
      symbol: 'circle',
      symbolSize: 6,
      showAllSymbol: true,
      connectNulls: false,
      clip: false,
      itemStyle: { color: colour(line.colour) },
      lineStyle: {
        color: colour(line.colour),
        width: 2.2,
        type: line.dash === 'solid' ? 'solid' : line.dash === 'dashed' ? [6, 4] : [2, 3],
      },
      ...(index === 0 && options.reference !== undefined
        ? { markLine: referenceLine('yAxis', options.reference, options.referenceLabel ?? format(options.reference), 'end') }
        : {}),
    })),
  };
  return renderSvgChart(option, {
    width: options.width ?? 520,
    height: options.height ?? 300,
    label: options.label,
    tooltip: (series, datum) => {
      const value = lines[series]?.values[datum];
      return value === undefined || value === null ? undefined : `${lines[series]?.label} at ${x[datum]}: ${format(value)}`;
    },
  });
}

/** Whole powers of ten around the values. */
function logarithmicScale(values: readonly number[]): object {
  const positive = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(...positive, 1e12)));
  const high = Math.ceil(Math.log10(Math.max(...positive, 10 ** low)) - 1e-9);
  return { type: 'log', logBase: 10, min: 10 ** low, max: 10 ** Math.max(high, low + 1) };
}
