/** Results as aligned text: names to the left, numbers to the right. */
import type { BenchmarkRow, LatencyRow, SeriesChart, SizeRow } from '../report/index.ts';

/** Columns of one width; a column whose cells (but for its title) are all numbers is aligned to the right. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const numeric = widths.map((_, column) => rows.slice(1).every((row) => /^(?:|[-–\d][\d.,]*(?: ?[a-zµ%×]+)?)$/.test(row[column] ?? '')));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Parameters that are the same in all rows stand above the table. */
export function rowsAsText(rows: readonly BenchmarkRow[]): string {
  const all = Object.keys(rows[0]?.parameters ?? {});
  const parameters = all.filter((name) => rows.some((row) => row.parameters[name] !== rows[0]?.parameters[name]));
  const fixed = all
    .filter((name) => !parameters.includes(name))
    .map((name) => `${parameterTitle(name)} ${formatParameter(rows[0]?.parameters[name])}`)
    .join(', ');
  const withLists = rows.some((row) => row.accessListBytesPerTransaction !== undefined);
  const title = [
    ...parameters.map(parameterTitle),
    'variant',
    'workers',
    'tx/s',
    'quartiles',
    'with host',
    'to serial',
    'exec/tx',
    'valid/tx',
  ];
  const cells = rows.map((row) => [
    ...parameters.map((name) => formatParameter(row.parameters[name])),
    row.variant,
    String(row.workers),
    whole(row.transactionsPerSecond),
    row.quartiles.map(whole).join(' to '),
    whole(row.withHostPerSecond),
    row.ratioToSerial.toFixed(2),
    row.executionsPerTransaction.toFixed(3),
    row.validationsPerTransaction.toFixed(3),
    ...(withLists ? [row.accessListBytesPerTransaction?.toFixed(1) ?? ''] : []),
  ]);
  const table = alignColumns([withLists ? [...title, 'list B/tx'] : title, ...cells]);
  return fixed === '' ? table : `${fixed}\n${table}`;
}

/** What the table has no room for. */
export function remarksAsText(rows: readonly BenchmarkRow[]): string[] {
  const counted = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${whole(count)}`)
      .join(', ');
  const name = (row: BenchmarkRow): string => `${row.variant}, ${row.workers} workers (${Object.values(row.parameters).join(', ')})`;
  return rows.flatMap((row) => (row.fallbacks === undefined ? [] : [`fallbacks of ${name(row)}: ${counted(row.fallbacks)}`]));
}

export function seriesAsText({ x, xTitle, lines }: SeriesChart): string {
  return alignColumns([
    [xTitle, ...lines.map(({ label }) => label)],
    ...x.map((value, i) => [whole(value), ...lines.map(({ values }) => figure(values[i] ?? Number.NaN))]),
  ]);
}

/** Three digits, or all of a whole number. */
function figure(value: number): string {
  return value >= 100 ? whole(Math.round(value)) : value.toPrecision(3);
}

export function latenciesAsText(rows: readonly LatencyRow[]): string {
  const percentiles = Object.keys(rows[0]?.percentilesMicros ?? {});
  return alignColumns([
    ['input/s', 'variant', 'workers', 'achieved/s', ...percentiles.map((name) => `${name} µs`), ''],
    ...rows.map((row) => [
      whole(row.inputPerSecond),
      row.variant,
      String(row.workers),
      whole(row.achievedPerSecond),
      ...percentiles.map((name) => micros(row.percentilesMicros[name] ?? 0)),
      row.saturated ? 'not sustained' : '',
    ]),
  ]);
}

/** Bytes and micros are those of a transaction or an account. */
export function sizesAsText(rows: readonly SizeRow[]): string {
  const parameters = Object.keys(rows[0]?.parameters ?? {});
  const fixed = (value: number | undefined): string => value?.toFixed(2) ?? '';
  return alignColumns([
    [...parameters.map(parameterTitle), 'what', 'form', 'bytes', 'per', 'times smaller', 'encode µs', 'decode µs'],
    ...rows.map((row) => [
      ...parameters.map((name) => formatParameter(row.parameters[name])),
      row.what,
      row.form,
      fixed(row.bytes),
      row.per,
      fixed(row.ratioToPlain),
      fixed(row.encodeMicros),
      fixed(row.decodeMicros),
    ]),
  ]);
}

/** `workMicros` → `work µs`, `blockSize` → `block size`. */
function parameterTitle(name: string): string {
  return name === 'workMicros' ? 'work µs' : name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}

function micros(value: number): string {
  return value < 100 ? value.toFixed(1) : whole(value);
}

function formatParameter(value: string | number | undefined): string {
  return typeof value === 'number' ? value.toLocaleString('en-GB') : (value ?? '');
}
