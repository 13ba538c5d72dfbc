/** What a run of the benchmarks is asked to do. */
import { HeddleError } from '../base/errors.ts';
import type { Variant } from './comparison.ts';
import { SERIAL } from './comparison.ts';

export interface BenchSettings {
  readonly rounds: number;
  readonly warmUps: number;
  readonly quick: boolean;
  /** Numbers of workers to compare, ascending. */
  readonly workers: readonly number[];
  /** Names of variants to measure; all that a benchmark has without it. */
  readonly variants?: readonly string[];
  readonly accounts: readonly number[];
  readonly shapes: readonly Shape[];
  /** Micros of extra work per transaction; each benchmark has its own without it. */
  readonly workMicros?: readonly number[];
  /** Transactions of a block of the benchmark program, commands of a flow's block. */
  readonly blockSize: number;
  readonly commands: number;
  /** Input rates of latency measurements, commands a second; none to leave them out. */
  readonly rates: readonly number[];
  readonly latencySeconds: number;
  /** Where recordings are. */
  readonly dataFolder: string;
  /** Where folders for measurements are made. */
  readonly folder: string;
  readonly seed: number;
}

export type Shape = 'wide' | 'narrow';

/** All variants that there are, by name. The serial one is always measured: it is what ratios are to. */
export const VARIANTS = {
  serial: { model: 'serial', record: false, listed: false },
  'serial, recording': { model: 'serial', record: true, listed: false },
  optimistic: { model: 'optimistic', record: false, listed: false },
  'optimistic, recording': { model: 'optimistic', record: true, listed: false },
  deterministic: { model: 'deterministic', record: false, listed: false },
  'deterministic, list': { model: 'deterministic', record: false, listed: true },
  sharded: { model: 'sharded', record: false, listed: false },
  'sharded, list': { model: 'sharded', record: false, listed: true },
  auto: { model: 'auto', record: false, listed: false },
  'auto, list': { model: 'auto', record: false, listed: true },
} as const satisfies Record<string, Pick<Variant, 'model' | 'record' | 'listed'>>;

export type VariantName = keyof typeof VARIANTS;

/** The variants of a benchmark with each number of workers, as far as they are asked for. */
export function chooseVariants(names: readonly VariantName[], settings: Pick<BenchSettings, 'workers' | 'variants'>): Variant[] {
  const wanted = names.filter((name) => name !== 'serial' && isWanted(name, settings.variants));
  return [
    SERIAL,
    ...wanted.flatMap((name) => {
      const parts = VARIANTS[name];
      return (parts.model === 'serial' ? [1] : settings.workers).map((workers) => ({ name, workers, ...parts }));
    }),
  ];
}

/** `deterministic` asks for both of its variants, `deterministic, list` for the one. */
function isWanted(name: VariantName, asked: readonly string[] | undefined): boolean {
  return asked === undefined || asked.includes(name) || asked.includes(VARIANTS[name].model);
}

export function requireVariant(text: string): string {
  if (text in VARIANTS) return text;
  throw new HeddleError('BAD_ARGUMENT', `there is no model '${text}'; there are: ${Object.keys(VARIANTS).join('; ')}`);
}
