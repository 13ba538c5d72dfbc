/** Bars side by side for a row of categories: a few series, one bar each in every category. */
import { niceScale } from './bar-chart.ts';
import type { ColourName } from './palette.ts';
import { colour } from './palette.ts';
import { axisStyle, renderSvgChart, textWidth } from './svg-chart.ts';

export interface GroupChartOptions {
  readonly label: string;
  readonly categories: readonly string[];
  readonly xUnit: string;
  readonly yUnit: string;
  readonly series: readonly { readonly label: string; readonly colour: ColourName; readonly values: readonly number[] }[];
  readonly format: (value: number) => string;
  readonly formatTick: (value: number) => string;
  readonly width?: number;
  readonly height?: number;
}

export function renderGroupChart(options: GroupChartOptions): string {
  const { series, categories } = options;
  const scale = niceScale(Math.max(0, ...series.flatMap(({ values }) => values)));
  const widest = Math.max(textWidth(options.formatTick(scale.max)), 34);
  const option = {
    grid: { left: widest + 32, right: 22, top: 16, bottom: 52 },
    xAxis: {
      type: 'category',
      data: categories,
      ...axisStyle,
      axisLabel: { ...axisStyle.axisLabel, interval: 0 },
      name: options.xUnit,
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
    series: series.map((entry) => ({
      type: 'bar',
      name: entry.label,
      barGap: '12%',
      barCategoryGap: '32%',
      data: entry.values,
      itemStyle: { color: colour(entry.colour), borderRadius: [2, 2, 0, 0] },
    })),
  };
  return renderSvgChart(option, {
    width: options.width ?? 1040,
    height: options.height ?? 300,
    label: options.label,
    tooltip: (index, datum) => {
      const value = series[index]?.values[datum];
      return value === undefined ? undefined : `${series[index]?.label}, ${options.xUnit} ${categories[datum]}: ${options.format(value)}`;
    },
  });
}
