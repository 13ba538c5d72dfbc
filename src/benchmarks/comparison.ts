/**
 * Runs the same blocks from the same state under several variants and compares them.
 *
 * The variants are interleaved: every round runs each of them once, in an order that turns from round to round, so that a slow minute
 * of the machine hits all of them. Medians are taken over rounds, ratios within a round.
 *
 * Invariant: every variant leaves the receipts and the state root of the serial one, or the benchmark fails.
 */
import { createHash } from 'node:crypto';
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import type { AccessList, BlockResult, ExecuteOptions, ModelChoice, PreparedBlock } from '../execution/api.ts';
import type { BenchmarkRow, Parameters } from '../report/index.ts';
import { median, quantile } from './statistics.ts';

/** What a benchmark needs of an engine; `Engine` is one. */
export interface MeasuredEngine {
  readonly workUnitsPerMicrosecond: number;
  execute(block: PreparedBlock, options: ExecuteOptions): Promise<BlockResult>;
  stateRoot(): string;
  snapshot(): unknown;
  restore(snapshot: unknown): void;
}

export type AccessSets = 'none' | 'declared' | 'recorded' | 'given';

export interface Variant {
  /** Names it in tables and charts, together with the workers. */
  readonly name: string;
  readonly model: ModelChoice;
  readonly workers: number;
  /** The run leaves its access list. */
  readonly record: boolean;
  /** The run gets the access list of a producer. */
  readonly listed: boolean;
}

export interface Workload {
  readonly benchmark: string;
  readonly parameters: Parameters;
  readonly blocks: readonly PreparedBlock[];
  readonly workMicros: number;
  /** A code other than 0 in a receipt means that the blocks are not what they were meant to be. */
  readonly codesAreZero: boolean;
}

export interface Rounds {
  readonly rounds: number;
  readonly warmUps: number;
}

/** What one pass over the blocks of a workload took and did. */
interface Pass {
  seconds: number;
  hostSeconds: number;
  transactions: number;
  executions: number;
  validations: number;
  listBytes: number;
  readonly conflicts: Map<string, number>;
  readonly chosen: Map<string, number>;
  readonly fallbacks: Map<string, number>;
}

/** A root that takes longer is taken after the last round only. */
const ROOT_MILLIS_MAX = 25;

export const SERIAL: Variant = { name: 'serial', model: 'serial', workers: 1, record: false, listed: false };

/** Measures all variants on a workload, from the state that the engine is in; leaves the engine in it. The first variant is `SERIAL`. */
export async function compare(
  engine: MeasuredEngine,
  workload: Workload,
  variants: readonly Variant[],
  { rounds, warmUps }: Rounds,
  onRound: (done: number, of: number) => void = () => {},
): Promise<BenchmarkRow[]> {
  assert(variants[0] === SERIAL, 'ratios are to the serial run, which comes first');
  const start = engine.snapshot();
  const lists = variants.some((variant) => variant.listed) ? await recordLists(engine, workload) : [];
  const passes = variants.map((): Pass[] => []);
  const roots = new Map<Variant, string>();
  let rootIsCheap = true;
  engine.restore(start);
  const receipts = await receiptsDigest(engine, workload, SERIAL, lists);
  for (let round = -warmUps; round < rounds; round++) {
    for (let turn = 0; turn < variants.length; turn++) {
      // Serial first in the first round, so that the others have something to be compared with.
      const index = (turn + round + warmUps) % variants.length;
      const variant = variants[index] as Variant;
      if (round === -warmUps && variant !== SERIAL) {
        engine.restore(start);
        requireSame(workload, variant, 'receipts', await receiptsDigest(engine, workload, variant, lists), receipts);
      }
      engine.restore(start);
      const pass = await runPass(engine, workload, variant, lists);
      if (round >= 0) passes[index]?.push(pass);
      if (!rootIsCheap && round < rounds - 1) continue;
      const started = performance.now();
      const root = engine.stateRoot();
      rootIsCheap &&= performance.now() - started < ROOT_MILLIS_MAX;
      requireSame(workload, variant, 'state root', root, roots.get(SERIAL) ?? [...roots.values()][0] ?? root);
      roots.set(variant, root);
    }
    onRound(round + warmUps + 1, rounds + warmUps);
  }
  engine.restore(start);
  return variants.map((variant, index) => {
    const root = roots.get(variant);
    assert(root !== undefined, `the state root of ${variant.name} was not taken`);
    return rowOf(workload, variant, passes[index] as Pass[], passes[0] as Pass[], root);
  });
}

/** The access list of each block, as a producer would hand it on: from the optimistic model with all workers. */
async function recordLists(engine: MeasuredEngine, workload: Workload): Promise<AccessList[]> {
  const lists: AccessList[] = [];
  for (const block of workload.blocks) {
    const { accessList } = await engine.execute(block, { model: 'optimistic', record: true });
    assert(accessList !== undefined, 'a run with record leaves an access list');
    lists.push(accessList);
  }
  return lists;
}

function executeOptions(engine: MeasuredEngine, workload: Workload, variant: Variant, list: AccessList | undefined): ExecuteOptions {
  return {
    model: variant.model,
    workers: variant.workers,
    record: variant.record,
    workUnits: Math.round(workload.workMicros * engine.workUnitsPerMicrosecond),
    ...(variant.listed && list !== undefined ? { accessList: list } : {}),
  };
}

async function runPass(engine: MeasuredEngine, workload: Workload, variant: Variant, lists: readonly AccessList[]): Promise<Pass> {
  const pass: Pass = {
    seconds: 0,
    hostSeconds: 0,
    transactions: 0,
    executions: 0,
    validations: 0,
    listBytes: 0,
    conflicts: new Map(),
    chosen: new Map(),
    fallbacks: new Map(),
  };
  const started = performance.now();
  for (const [index, block] of workload.blocks.entries()) {
    const result = await engine.execute(block, executeOptions(engine, workload, variant, lists[index]));
    pass.seconds += result.seconds;
    pass.transactions += result.transactions;
    pass.executions += result.executions;
    pass.validations += result.validations;
    pass.listBytes += (variant.listed ? lists[index]?.bytes : result.accessList?.bytes) ?? 0;
    for (const [recordClass, count] of result.conflictsByClass) add(pass.conflicts, recordClass, count);
    if (variant.model === 'auto') add(pass.chosen, result.model, 1);
    if (result.fallback !== undefined) add(pass.fallbacks, result.fallback, 1);
  }
  pass.hostSeconds = (performance.now() - started) / 1000;
  return pass;
}

/** Runs the blocks without a clock and hashes all receipts. */
async function receiptsDigest(engine: MeasuredEngine, workload: Workload, variant: Variant, lists: readonly AccessList[]): Promise<string> {
  const hash = createHash('sha256');
  let buffer = new Uint8Array(1 << 20);
  let filled = 0;
  for (const [index, block] of workload.blocks.entries()) {
    const { receipts } = await engine.execute(block, executeOptions(engine, workload, variant, lists[index]));
    assert(receipts.count === block.count, 'every transaction has a receipt');
    for (let i = 0; i < receipts.count; i++) {
      const code = receipts.code(i);
      if (workload.codesAreZero && code !== 0) {
        throw new HeddleError(
          'BENCHMARK_BROKEN',
          `${describe(workload)}: transaction ${i} of block ${block.number} ended with code ${code}`,
        );
      }
      const events = receipts.events(i);
      if (filled + events.length + 8 > buffer.length) {
        hash.update(buffer.subarray(0, filled));
        filled = 0;
        if (events.length + 8 > buffer.length) buffer = new Uint8Array(events.length * 2);
      }
      writeWord(buffer, filled, code);
      writeWord(buffer, filled + 4, events.length);
      buffer.set(events, filled + 8);
      filled += events.length + 8;
    }
  }
  return hash.update(buffer.subarray(0, filled)).digest('hex');
}

function writeWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function requireSame(workload: Workload, variant: Variant, what: string, found: string, expected: string): void {
  if (found === expected) return;
  throw new HeddleError(
    'WRONG_RESULT',
    `${describe(workload)}: the ${what} of ${variant.name} with ${variant.workers} workers is ${found}, that of serial execution ${expected}`,
  );
}

function describe(workload: Workload): string {
  const parameters = Object.entries(workload.parameters).map(([name, value]) => `${name} ${value}`);
  return `${workload.benchmark} (${parameters.join(', ')})`;
}

function rowOf(workload: Workload, variant: Variant, passes: readonly Pass[], serial: readonly Pass[], stateRoot: string): BenchmarkRow {
  const rates = passes.map((pass) => pass.transactions / pass.seconds);
  const transactions = passes.reduce((sum, pass) => sum + pass.transactions, 0);
  const sum = (value: (pass: Pass) => number): number => passes.reduce((total, pass) => total + value(pass), 0);
  const merged = (counts: (pass: Pass) => Map<string, number>): Record<string, number> => {
    const total = new Map<string, number>();
    for (const pass of passes) for (const [name, count] of counts(pass)) add(total, name, count);
    return Object.fromEntries(total);
  };
  const listBytes = sum((pass) => pass.listBytes);
  const fallbacks = merged((pass) => pass.fallbacks);
  return {
    benchmark: workload.benchmark,
    model: variant.model,
    variant: variant.name,
    accessSets: accessSetsOf(variant),
    workers: variant.workers,
    parameters: workload.parameters,
    transactionsPerSecond: median(rates),
    quartiles: [quantile(rates, 0.25), quantile(rates, 0.75)],
    withHostPerSecond: median(passes.map((pass) => pass.transactions / pass.hostSeconds)),
    ratioToSerial: median(passes.map((pass, round) => (serial[round] as Pass).seconds / pass.seconds)),
    executionsPerTransaction: sum((pass) => pass.executions) / transactions,
    validationsPerTransaction: sum((pass) => pass.validations) / transactions,
    conflicts: merged((pass) => pass.conflicts),
    ...(listBytes > 0 ? { accessListBytesPerTransaction: listBytes / transactions } : {}),
    ...(variant.model === 'auto' ? { chosen: merged((pass) => pass.chosen) } : {}),
    ...(Object.keys(fallbacks).length > 0 ? { fallbacks } : {}),
    stateRoot,
  };
}

function accessSetsOf({ model, record, listed }: Variant): AccessSets {
  if (record) return 'recorded';
  if (listed) return 'given';
  return model === 'deterministic' || model === 'sharded' ? 'declared' : 'none';
}

function add(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}
