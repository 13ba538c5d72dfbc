/**
 * The command: `npm run bench -- NAME`. Results go to standard output, progress and warnings to standard error.
 *
 * With `--json` standard output has exactly one object: { benchmark, calibrationBefore, calibrationAfter, rows, latencies, sizes, series, … }.
 */
import { writeFileSync } from 'node:fs';
import { SingleBar } from 'cli-progress';
import { CommanderError } from 'commander';
import { HeddleError } from '../base/errors.ts';
import { type BenchmarkSection, readEnvironment, renderBenchmarkReport } from '../report/index.ts';
import { type BenchArguments, parseArguments } from './arguments.ts';
import type { Progress } from './benchmark.ts';
import { CALIBRATION_LIMIT, type Calibration, calibrate } from './calibration.ts';
import { CATALOGUE } from './catalogue.ts';
import { alignColumns, latenciesAsText, remarksAsText, rowsAsText, seriesAsText, sizesAsText } from './text-table.ts';

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const args = parseArguments(
    argv,
    CATALOGUE.map(({ name }) => name),
  );
  if (args.list) {
    console.log(alignColumns([['name', 'what it measures'], ...CATALOGUE.map(({ name, title }) => [name, title])]));
    return;
  }
  const command = ['npm run bench --', ...argv.map((part) => (/^[\w./=:-]+$/.test(part) ? part : `'${part}'`))].join(' ');
  await run(args, command);
}

async function run(args: BenchArguments, command: string): Promise<void> {
  const { settings, json } = args;
  const environment = readEnvironment();
  if (!json) {
    console.log(`${environment.cpu}, ${environment.cores} cores, Node.js ${environment.node}`);
    console.log(`${settings.rounds} rounds after ${settings.warmUps} to warm up, medians, variants interleaved`);
    if (settings.quick) console.log(`quick run: ${settings.rounds} rounds and shorter flows, for a look and not for a figure to quote`);
  }
  const before = await calibrate();
  if (!json) console.log(`calibration before: ${describe(before)}`);
  const sections: BenchmarkSection[] = [];
  for (const name of args.names) {
    const benchmark = CATALOGUE.find((entry) => entry.name === name);
    if (benchmark === undefined) continue;
    const bar = progressBar();
    const { rows, latencies, sizes = [], series = [], notes = [] } = await benchmark.run(settings, bar.progress);
    bar.stop();
    for (const note of notes) console.error(note);
    const { title, description, axis } = benchmark;
    sections.push({ name, title, description, ...(axis === undefined ? {} : { axis }), rows, latencies, sizes, series });
    if (json) continue;
    console.log(`\n${name}: ${title}`);
    if (rows.length > 0) console.log(rowsAsText(rows));
    if (sizes.length > 0) console.log(sizesAsText(sizes));
    for (const chart of series) console.log(`\n${chart.title} (${chart.unit})\n${seriesAsText(chart)}`);
    for (const remark of remarksAsText(rows)) console.log(remark);
    if (latencies.length > 0) console.log(`\nlatency from planned arrival to commit report, by input rate\n${latenciesAsText(latencies)}`);
  }
  const after = await calibrate();
  const quiet = Math.max(before.ratio, after.ratio) <= CALIBRATION_LIMIT;
  if (!json) console.log(`\ncalibration after: ${describe(after)}`);
  if (!quiet) {
    console.error(
      `WARNING: this run does not count. The machine was not quiet: two pinned busy loops at once took ${Math.max(before.ratio, after.ratio).toFixed(2)} times as long as one alone (limit ${CALIBRATION_LIMIT}).`,
    );
  }
  if (json) {
    const { quick, rounds, warmUps } = settings;
    console.log(
      JSON.stringify({
        benchmark: args.names.length === 1 ? args.names[0] : 'all',
        command,
        environment,
        quick,
        rounds,
        warmUps,
        calibrationBefore: before.ratio,
        calibrationAfter: after.ratio,
        calibrationLimit: CALIBRATION_LIMIT,
        pinned: before.pinned && after.pinned,
        quiet,
        rows: sections.flatMap(({ rows }) => rows),
        latencies: sections.flatMap(({ latencies }) => latencies),
        sizes: sections.flatMap(({ sizes = [] }) => sizes),
        series: sections.flatMap(({ series }) => series ?? []),
      }),
    );
  }
  if (args.report !== undefined) {
    const html = renderBenchmarkReport({
      title: sections.length === 1 ? `Benchmark: ${sections[0]?.name}` : 'All benchmarks',
      generatedAt: new Date().toISOString(),
      command,
      environment,
      rounds: settings.rounds,
      quick: settings.quick,
      calibrationBefore: before.ratio,
      calibrationAfter: after.ratio,
      calibrationLimit: CALIBRATION_LIMIT,
      sections,
    });
    writeReport(args.report, html);
    if (!json) console.log(`report: ${args.report}`);
  }
}

function describe({ ratio, pinned }: Calibration): string {
  return `${ratio.toFixed(3)} (${ratio <= CALIBRATION_LIMIT ? 'quiet' : 'NOISY'}${pinned ? '' : ', loops not pinned'})`;
}

function writeReport(file: string, html: string): void {
  try {
    writeFileSync(file, html);
  } catch (cause) {
    throw new HeddleError('REPORT_NOT_WRITTEN', `cannot write the report to ${file}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** A bar on a terminal, nothing elsewhere. */
function progressBar(): { readonly progress: Progress; readonly stop: () => void } {
  const bar = new SingleBar({
    format: '{bar} {value}/{total} {what}',
    stream: process.stderr,
    noTTYOutput: false,
    clearOnComplete: true,
    hideCursor: true,
  });
  let what = '';
  return {
    progress: (next, done, of) => {
      if (next !== what) {
        bar.stop();
        bar.start(of, done, { what: next });
        what = next;
      } else bar.update(done, { what: next });
    },
    stop: () => bar.stop(),
  };
}

try {
  await main();
} catch (error) {
  if (error instanceof CommanderError) {
    if (error.exitCode !== 0) console.error(error.message.replace(/^error: /, ''));
    process.exitCode = error.exitCode;
  } else if (error instanceof HeddleError) {
    console.error(error.message);
    process.exitCode = 1;
  } else {
    console.error(error);
    process.exitCode = 1;
  }
}
