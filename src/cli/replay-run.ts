/**
 * One pass over the blocks of a source under one model: executes, adds up, checks the books, hashes the receipts.
 *
 * `seconds` is the engine's time for the blocks alone: generating them, the checks and the producer's run are not in it.
 */
import { createHash, type Hash } from 'node:crypto';
import { HeddleError } from '../base/errors.ts';
import type { Genesis } from '../exchange/genesis.ts';
import type { Model, ModelChoice, Receipts, TimelineEntry } from '../execution/api.ts';
import { Engine } from '../execution/index.ts';
import type { ReplayPass, ReplaySource } from './replay-source.ts';

export interface RunOptions {
  readonly model: ModelChoice;
  readonly workers: number;
  readonly blockSize: number;
  /** Number of the block whose timeline is kept. */
  readonly timelineOf?: number;
  readonly onProgress?: (done: number, steps: number) => void;
}

export interface ReplayRunResult {
  readonly model: ModelChoice;
  readonly workers: number;
  transactions: number;
  blocks: number;
  seconds: number;
  executions: number;
  validations: number;
  readonly conflicts: Map<string, number>;
  /** Blocks by the model that ran them. */
  readonly modelsUsed: Map<Model, number>;
  /** Why blocks had to be completed by another model, with how many. */
  readonly fallbacks: Map<string, number>;
  timeline: readonly TimelineEntry[];
  bookChecks: number;
  bookMismatches: number;
  described: readonly string[];
  /** Empty: nothing was executed. */
  stateRoot: string;
  receiptsRoot: string;
  /** What ended the run before the blocks did. */
  error: HeddleError | undefined;
}

export function emptyResult({ model, workers }: Pick<RunOptions, 'model' | 'workers'>): ReplayRunResult {
  return {
    model,
    workers: model === 'serial' ? 1 : workers,
    transactions: 0,
    blocks: 0,
    seconds: 0,
    executions: 0,
    validations: 0,
    conflicts: new Map(),
    modelsUsed: new Map(),
    fallbacks: new Map(),
    timeline: [],
    bookChecks: 0,
    bookMismatches: 0,
    described: [],
    stateRoot: '',
    receiptsRoot: '',
    error: undefined,
  };
}

/** Errors of the world end the run and are in its result. */
export async function runReplay(source: ReplaySource, options: RunOptions): Promise<ReplayRunResult> {
  const result = emptyResult(options);
  const engines: Engine[] = [];
  try {
    const pass = source.open();
    const create = async (): Promise<Engine> => {
      const { workers } = result;
      const engine = await Engine.create({
        genesis: pass.genesis,
        workers,
        memoryMiB: memoryMiB(pass.genesis, workers),
        maxTransactions: options.blockSize,
      });
      engines.push(engine);
      return engine;
    };
    const engine = await create();
    // A producer executes each block first and leaves its access list: records lie where they lie in an engine made alike.
    const producer = options.model === 'deterministic' ? await create() : undefined;
    const receiptsHash = createHash('sha256');
    try {
      await executeAll(pass, engine, producer, options, result, receiptsHash);
    } finally {
      result.stateRoot = engine.stateRoot();
      result.receiptsRoot = receiptsHash.digest('hex');
      result.bookChecks = pass.bookChecks;
      result.bookMismatches = pass.bookMismatches;
      result.described = pass.described;
    }
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    result.error = error;
  } finally {
    for (const engine of engines) await engine.close();
  }
  return result;
}

async function executeAll(
  pass: ReplayPass,
  engine: Engine,
  producer: Engine | undefined,
  options: RunOptions,
  result: ReplayRunResult,
  receiptsHash: Hash,
): Promise<void> {
  for (const replayBlock of pass.blocks()) {
    const { block } = replayBlock;
    const accessList = producer === undefined ? undefined : (await producer.execute(block, { model: 'serial', record: true })).accessList;
    const executed = await engine.execute(block, {
      model: options.model,
      workers: result.workers,
      timeline: options.timelineOf === block.number,
      ...(accessList === undefined ? {} : { accessList }),
    });
    result.blocks++;
    result.transactions += executed.transactions;
    result.seconds += executed.seconds;
    result.executions += executed.executions;
    result.validations += executed.validations;
    for (const [recordClass, count] of executed.conflictsByClass) add(result.conflicts, recordClass, count);
    add(result.modelsUsed, executed.model, 1);
    if (executed.fallback !== undefined) add(result.fallbacks, executed.fallback, 1);
    if (executed.timeline !== undefined) result.timeline = executed.timeline;
    receiptsHash.update(receiptBytes(executed.receipts));
    pass.check(replayBlock, executed.receipts);
    options.onProgress?.(pass.done(), pass.steps);
  }
  pass.checkState((market) => engine.levels(market));
}

function add<K>(counts: Map<K, number>, key: K, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

/** Per transaction: u32 code, u32 length of the events, the events. */
function receiptBytes(receipts: Receipts): Uint8Array {
  let bytes = 0;
  for (let i = 0; i < receipts.count; i++) bytes += 8 + receipts.events(i).byteLength;
  const out = new Uint8Array(bytes);
  const view = new DataView(out.buffer);
  let at = 0;
  for (let i = 0; i < receipts.count; i++) {
    const events = receipts.events(i);
    view.setUint32(at, receipts.code(i), true);
    view.setUint32(at + 4, events.byteLength, true);
    out.set(events, at + 8);
    at += 8 + events.byteLength;
  }
  return out;
}

/**
 * Shared memory for a genesis: its records by the layout pages, pools for blocks, and room for levels. Memory that is never touched
 * costs nothing, so this is generous.
 */
function memoryMiB({ maxAccounts, orderPages, tokens, markets }: Genesis, workers: number): number {
  const account = 64 + 15 * 64 + tokens.length * 32 + 2 * 32 + 9 * 64 + markets.length * 68 + orderPages * (64 * 128 + 32);
  const market = markets.reduce((sum, { tickCount }) => sum + tickCount / 8 + 24 * 2 ** 20, 0);
  return Math.min(4096, Math.max(2048, Math.ceil((maxAccounts * account + market) / 2 ** 20) + 1200 + workers * 16));
}
