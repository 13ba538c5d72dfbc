/** Medians, quartiles and percentiles of measurements. */
import { assert } from '../base/assert.ts';

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between the two nearest values in proportion; `share` is 0 to 1. */
export function quantile(values: readonly number[], share: number): number {
  assert(values.length > 0, 'a quantile of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (high - low) * (at - Math.floor(at));
}

export const PERCENTILES = [50, 90, 99, 99.9, 99.99] as const;

/** `p50` to `p99.99` and `max`: the smallest value that the given part of all values does not exceed. Sorts the array. */
export function percentiles(values: Float64Array): Record<string, number> {
  assert(values.length > 0, 'percentiles of nothing');
  values.sort();
  const found: Record<string, number> = {};
  for (const percentile of PERCENTILES) {
    // Rounded first: 99.9 % of 1,000 is 999, whatever the doubles say.
    const rank = Math.ceil(Number(((percentile / 100) * values.length).toFixed(6)));
    found[`p${percentile}`] = values[Math.max(rank, 1) - 1] as number;
  }
  found.max = values[values.length - 1] as number;
  return found;
}
