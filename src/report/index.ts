/** Reports as self-contained HTML pages. */

export type { BenchmarkReport, BenchmarkRow, BenchmarkSection, LatencyRow, Parameters, SizeRow } from './benchmark-report.ts';
export { renderBenchmarkReport } from './benchmark-report.ts';
export type { CrashReport } from './crash-report.ts';
export { renderCrashReport } from './crash-report.ts';
export { readEnvironment } from './environment.ts';
export type { Environment } from './page.ts';
export type { ReplayReport, ReplayRun } from './replay-report.ts';
export { renderReplayReport, renderReplayReport as renderReport } from './replay-report.ts';
export type { SeriesChart } from './series-chart.ts';
