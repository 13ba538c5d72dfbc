/**
 * Draws a chart as an SVG element that stands in a page by itself: no script, no network, colours of the page's scheme.
 *
 * The drawing is ECharts' server-side rendering. What it adds for a live chart (hover classes, clip paths, metadata) is taken out, and marks of a series
 * get a `<title>`, which browsers show as a tooltip.
 */
import { BarChart, CustomChart, LineChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent } from 'echarts/components';
import type { EChartsCoreOption } from 'echarts/core';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { escapeHtml } from './page.ts';
import { colour, PALETTE } from './palette.ts';

use([BarChart, LineChart, CustomChart, GridComponent, MarkLineComponent, SVGRenderer]);

export const FONT = 'ui-sans-serif, system-ui, sans-serif';
export const FONT_SIZE = 12.5;

export interface ChartFrame {
  readonly width: number;
  readonly height: number;
  /** What the chart shows, for readers who do not see it. */
  readonly label: string;
  /** Text shown when the pointer rests on the mark of a series' datum; `undefined` for none. */
  readonly tooltip?: (series: number, datum: number) => string | undefined;
}

export function renderSvgChart(option: EChartsCoreOption, frame: ChartFrame): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: frame.width, height: frame.height });
  chart.setOption({ animation: false, backgroundColor: 'transparent', textStyle: { fontFamily: FONT, fontSize: FONT_SIZE }, ...option });
  const drawn = chart.renderToSVGString();
  chart.dispose();
  return standAlone(drawn, frame);
}

function standAlone(svg: string, frame: ChartFrame): string {
  const body = svg
    .slice(svg.indexOf('>') + 1, svg.lastIndexOf('</svg>'))
    .replace(/<defs[^>]*>[\s\S]*?<\/defs>/g, '')
    .replace(/ clip-path="[^"]*"/g, '')
    .replace(/<style[^>]*>[\s\S]*?<\/style>/g, '')
    .replace(/<rect [^>]*fill="(?:none|transparent)"[^>]*><\/rect>\n?/, '')
    .replace(/ class="zr[^"]*"/g, '')
    .replace(/ pointer-events="[^"]*"/g, '')
    .replace(/<(path|rect|circle)([^>]*)><\/\1>/g, (whole, tag: string, attributes: string) => mark(whole, tag, attributes, frame.tooltip))
    .replace(/ ecmeta_[a-z_]+="[^"]*"/g, '');
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="${escapeHtml(frame.label)}">`;
  return themed(`${open}${body.trim()}</svg>`);
}

function mark(whole: string, tag: string, attributes: string, tooltip: ChartFrame['tooltip']): string {
  const series = / ecmeta_series_index="(\d+)"/.exec(attributes)?.[1];
  const datum = / ecmeta_data_index="(\d+)"/.exec(attributes)?.[1];
  if (tooltip === undefined || series === undefined || datum === undefined) return whole;
  const text = tooltip(Number(series), Number(datum));
  return text === undefined ? whole : `<${tag}${attributes}><title>${escapeHtml(text)}</title></${tag}>`;
}

const nameOfLight = new Map<string, string>(Object.entries(PALETTE).map(([name, shade]) => [shade.light, name]));

function themed(svg: string): string {
  return svg.replace(/#[0-9a-f]{6}\b/g, (hex) => {
    const name = nameOfLight.get(hex);
    return name === undefined ? hex : `var(--${name})`;
  });
}

/** Axis parts that every chart shares. */
export const axisStyle = {
  axisLabel: { color: colour('muted'), fontSize: FONT_SIZE, fontFamily: FONT },
  axisLine: { lineStyle: { color: colour('axis') } },
  axisTick: { show: false },
  splitLine: { lineStyle: { color: colour('rule') } },
  nameTextStyle: { color: colour('muted'), fontSize: FONT_SIZE, fontFamily: FONT },
} as const;

/** Width of a text in the charts' font, near enough to leave room for it. */
export function textWidth(text: string): number {
  return Math.ceil(text.length * FONT_SIZE * 0.54);
}
