/**
 * Latency at a fixed input rate, without coordinated omission: command i is due at i / rate after the start, whatever the engine does,
 * and its latency runs from there to the report of its commit. A node's loop: what has arrived, up to a block's size, is executed.
 */
import { assert } from '../base/assert.ts';
import type { PreparedBlock } from '../execution/api.ts';
import type { LatencyRow, Parameters } from '../report/index.ts';
import { sliceBlock } from './block-slice.ts';
import type { MeasuredEngine, Variant } from './comparison.ts';
import { percentiles } from './statistics.ts';

export interface LatencyInput {
  readonly benchmark: string;
  readonly parameters: Parameters;
  /** In ascending order of their numbers. */
  readonly blocks: readonly PreparedBlock[];
  readonly blockSize: number;
  readonly perSecond: number;
  readonly commands: number;
}

/** An engine that is later than this part of the input's time at its end has not kept up. */
const BEHIND_MAX = 0.02;

/** Runs from the state that the engine is in. */
export async function measureLatency(engine: MeasuredEngine, input: LatencyInput, variant: Variant): Promise<LatencyRow> {
  const { blocks, blockSize, perSecond } = input;
  const commands = Math.min(
    input.commands,
    blocks.reduce((sum, block) => sum + block.count, 0),
  );
  assert(commands > 0, 'latencies of nothing');
  const latencies = new Float64Array(commands);
  const perMilli = perSecond / 1000;
  let done = 0;
  let block = 0;
  /** Commands before the current block. */
  let before = 0;
  let number = blocks[0]?.number ?? 1;
  const started = performance.now();
  const onCommitted = (base: number) => (from: number, to: number) => {
    const now = performance.now() - started;
    for (let i = base + from; i < base + to; i++) latencies[i] = now - i / perMilli;
  };
  while (done < commands) {
    const due = Math.min(commands, Math.floor((performance.now() - started) * perMilli) + 1);
    if (due <= done) continue;
    const current = blocks[block] as PreparedBlock;
    const from = done - before;
    const to = Math.min(due - before, from + blockSize, current.count);
    const { model, workers } = variant;
    await engine.execute(sliceBlock(current, from, to, number++), { model, workers, onCommitted: onCommitted(done) });
    done = before + to;
    if (to === current.count) {
      before += current.count;
      block++;
    }
  }
  return latencyRow(input, variant, latencies, performance.now() - started);
}

export function latencyRow(input: LatencyInput, variant: Variant, latenciesMs: Float64Array, elapsedMs: number): LatencyRow {
  const commands = latenciesMs.length;
  const inputMs = (commands / input.perSecond) * 1000;
  /** How late the last commands were, all of them: more than a stall at the end. */
  const behindMs = latenciesMs.subarray(-Math.ceil(commands / 100)).reduce((least, millis) => Math.min(least, millis), Infinity);
  const micros = latenciesMs.map((millis) => millis * 1000);
  return {
    benchmark: input.benchmark,
    model: variant.model,
    variant: variant.name,
    workers: variant.workers,
    parameters: input.parameters,
    inputPerSecond: input.perSecond,
    achievedPerSecond: Math.min((commands / elapsedMs) * 1000, input.perSecond),
    saturated: behindMs > inputMs * BEHIND_MAX,
    commands,
    percentilesMicros: percentiles(micros),
  };
}
