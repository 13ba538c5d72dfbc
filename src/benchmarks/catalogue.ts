/** All benchmarks, in the order in which `all` runs them. */
import { api } from './api-benchmark.ts';
import type { Benchmark } from './benchmark.ts';
import { commitment } from './commitment-benchmark.ts';
import { compression } from './compression-benchmark.ts';
import { dormant } from './dormant-benchmark.ts';
import { book, contention, follow, markets } from './flow-benchmarks.ts';
import { journal } from './journal-benchmark.ts';
import { pipeline } from './pipeline-benchmark.ts';
import { recovery } from './recovery-benchmark.ts';
import { risk } from './risk-benchmark.ts';
import { chain, hot, synthetic, transfers } from './synthetic-benchmarks.ts';

export const CATALOGUE: readonly Benchmark[] = [
  transfers,
  synthetic,
  book,
  markets,
  follow,
  risk,
  commitment,
  compression,
  dormant,
  journal,
  pipeline,
  recovery,
  api,
  hot,
  chain,
  contention,
];
