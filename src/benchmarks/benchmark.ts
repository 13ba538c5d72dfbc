/** What a benchmark is: what it compares, on which work, and how to run it. */
import type { BenchmarkRow, LatencyRow, SeriesChart, SizeRow } from '../report/index.ts';
import type { BenchSettings } from './settings.ts';

export interface Outcome {
  readonly rows: readonly BenchmarkRow[];
  readonly latencies: readonly LatencyRow[];
  readonly sizes?: readonly SizeRow[];
  /** What was left out, and why. */
  readonly notes?: readonly string[];
  /** What is no rate of a model: charts of their own, beside the rows or instead. */
  readonly series?: readonly SeriesChart[];
}

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** The parameter that charts have on their x axis. */
  readonly axis?: { readonly parameter: string; readonly title: string };
  run(settings: BenchSettings, progress: Progress): Promise<Outcome>;
}

/** What is being measured, and how much of it is done: for whoever watches. */
export type Progress = (what: string, done: number, of: number) => void;
