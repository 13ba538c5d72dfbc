/**
 * What the workers did with a block, as a Gantt chart: the whole block, and a window of it in which single transactions can be seen.
 *
 * Entries that lie within one pixel of each other are drawn as one, so that a block of ten thousand transactions stays a small picture.
 */
import type { TimelineEntry } from '../execution/api.ts';
import { formatMicros, formatNumber } from './number-format.ts';
import type { ColourName } from './palette.ts';
import { colour } from './palette.ts';
import { axisStyle, FONT, renderSvgChart, textWidth } from './svg-chart.ts';

export interface TimelineSpan {
  readonly worker: number;
  readonly startMicros: number;
  readonly endMicros: number;
  readonly again: boolean;
  /** First transaction of the span and how many it stands for. */
  readonly transaction: number;
  readonly incarnation: number;
  readonly count: number;
}

const WIDTH = 1040;
const LANE_HEIGHT = 40;
const WINDOW_ENTRIES_PER_WORKER = 26;

/** Merges neighbours on a worker that are of one kind and closer than `gapMicros`; the times start at 0. */
export function mergeTimeline(entries: readonly TimelineEntry[], gapMicros: number): TimelineSpan[] {
  const origin = entries.reduce((least, entry) => Math.min(least, entry.startMicros), Infinity);
  const sorted = [...entries].sort((a, b) => a.worker - b.worker || a.startMicros - b.startMicros);
  const spans: TimelineSpan[] = [];
  for (const entry of sorted) {
    const again = entry.incarnation > 1;
    const startMicros = entry.startMicros - origin;
    const endMicros = Math.max(entry.endMicros - origin, startMicros);
    const last = spans.at(-1);
    if (last !== undefined && last.worker === entry.worker && last.again === again && startMicros - last.endMicros < gapMicros) {
      spans[spans.length - 1] = { ...last, endMicros: Math.max(last.endMicros, endMicros), count: last.count + 1 };
    } else {
      spans.push({
        worker: entry.worker,
        startMicros,
        endMicros,
        again,
        transaction: entry.transaction,
        incarnation: entry.incarnation,
        count: 1,
      });
    }
  }
  return spans;
}

/** The part of a timeline worth a closer look: around the first transaction that ran twice, else the middle. */
export function timelineWindow(entries: readonly TimelineEntry[]): { readonly fromMicros: number; readonly toMicros: number } | undefined {
  const workers = new Set(entries.map((entry) => entry.worker)).size;
  const wanted = WINDOW_ENTRIES_PER_WORKER * workers;
  if (entries.length < wanted * 1.5) return undefined;
  const sorted = [...entries].sort((a, b) => a.startMicros - b.startMicros);
  const again = sorted.findIndex((entry) => entry.incarnation > 1);
  const centre = again === -1 ? Math.floor(sorted.length / 2) : again;
  const first = Math.max(0, Math.min(sorted.length - wanted, centre - Math.floor(wanted / 2)));
  const inside = sorted.slice(first, first + wanted);
  const origin = sorted[0]?.startMicros ?? 0;
  const from = (inside[0]?.startMicros ?? 0) - origin;
  return { fromMicros: from, toMicros: (inside.at(-1)?.endMicros ?? 0) - origin };
}

/** The whole block. */
export function renderTimeline(entries: readonly TimelineEntry[]): string {
  const total = duration(entries);
  return draw(mergeTimeline(entries, total / WIDTH), 0, total, 'Timeline of the block by worker', false);
}

/** Single transactions between two moments of the block. */
export function renderTimelineWindow(entries: readonly TimelineEntry[], fromMicros: number, toMicros: number): string {
  const spans = mergeTimeline(entries, 0).filter((span) => span.endMicros > fromMicros && span.startMicros < toMicros);
  return draw(spans, fromMicros, toMicros, 'A part of the timeline, transaction by transaction', true);
}

/** Share of the block's time that each worker spent executing, by worker number. */
export function busyShares(entries: readonly TimelineEntry[]): Map<number, number> {
  const total = duration(entries);
  const shares = new Map<number, number>();
  for (const entry of entries) shares.set(entry.worker, (shares.get(entry.worker) ?? 0) + (entry.endMicros - entry.startMicros) / total);
  return shares;
}

function duration(entries: readonly TimelineEntry[]): number {
  let from = Infinity;
  let to = -Infinity;
  for (const entry of entries) {
    from = Math.min(from, entry.startMicros);
    to = Math.max(to, entry.endMicros);
  }
  return Math.max(to - from, 1e-3);
}

function draw(spans: readonly TimelineSpan[], fromMicros: number, toMicros: number, label: string, single: boolean): string {
  const workers = [...new Set(spans.map((span) => span.worker))].sort((a, b) => a - b);
  const rows = workers.map((worker) => `worker ${worker}`);
  const height = 14 + 52 + rows.length * LANE_HEIGHT;
  const left = Math.max(...rows.map(textWidth)) + 16;
  const right = 24;
  const pixelsPerMicro = (WIDTH - left - right) / (toMicros - fromMicros);
  const option = {
    grid: { left, right, top: 14, bottom: 52 },
    xAxis: {
      type: 'value',
      min: fromMicros,
      max: toMicros,
      ...axisStyle,
      axisLabel: { ...axisStyle.axisLabel, formatter: formatMicros, hideOverlap: true, showMinLabel: !single, showMaxLabel: false },
      name: 'time since the block started',
      nameLocation: 'middle',
      nameGap: 30,
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: rows,
      ...axisStyle,
      axisLabel: { ...axisStyle.axisLabel, color: colour('ink') },
      splitLine: { show: false },
    },
    series: [
      {
        type: 'custom',
        clip: false,
        data: spans.map((span) => [workers.indexOf(span.worker), span.startMicros, span.endMicros]),
        renderItem: (params: { dataIndex: number }, api: { coord(point: number[]): number[] }) => {
          const span = spans[params.dataIndex];
          if (span === undefined) return undefined;
          const lane = workers.indexOf(span.worker);
          const from = Math.max(span.startMicros, fromMicros);
          const to = Math.min(span.endMicros, toMicros);
          const [x = 0, y = 0] = api.coord([from, lane]);
          const width = Math.max((to - from) * pixelsPerMicro, 0.6);
          const fill: ColourName = span.again ? 'again' : 'first';
          const text = single && width >= textWidth(String(span.transaction)) ? String(span.transaction) : '';
          const box = {
            type: 'rect',
            shape: {
              x,
              y: y - LANE_HEIGHT * 0.34,
              width: Math.max(width - (single ? 0.8 : 0), 0.6),
              height: LANE_HEIGHT * 0.68,
              r: single ? 2 : 0,
            },
            style: { fill: colour(fill) },
            ...(text === ''
              ? {}
              : {
                  textContent: { type: 'text', style: { text, fill: colour('panel'), fontFamily: FONT, fontSize: 11 } },
                  textConfig: { position: 'inside' },
                }),
          };
          return box;
        },
      },
    ],
  };
  return renderSvgChart(option, { width: WIDTH, height, label, tooltip: (_, datum) => describe(spans[datum]) });
}

function describe(span: TimelineSpan | undefined): string | undefined {
  if (span === undefined) return undefined;
  const time = `${formatMicros(span.startMicros)} to ${formatMicros(span.endMicros)}`;
  if (span.count > 1)
    return `${formatNumber(span.count)} ${span.again ? 're-executions' : 'first executions'} from transaction ${span.transaction}, ${time}`;
  return `transaction ${span.transaction}, execution ${span.incarnation}, ${time}`;
}
