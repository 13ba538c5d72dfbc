/**
 * The proof by comparison: one seed's blocks on the naive twin and on every executor. Receipts, state and access lists have to be those
 * of the serial run, and the serial run's those of the twin.
 *
 * A failure is returned as a sentence with seed, executor, block and what differs, so that it can be replayed with `--seed`.
 */

import { Random } from '../base/random.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { NaiveLedger } from '../exchange/naive.ts';
import type { RecordedAccessList } from '../execution/access-list.ts';
import type { ExecuteOptions, PreparedBlock } from '../execution/api.ts';
import { Engine, type TestSwitches } from '../execution/index.ts';
import { PreparedBlockWriter } from '../execution/prepared-block.ts';
import type { Block } from '../ledger/transactions.ts';
import { KIND_BENCH_ACCESS, KIND_BENCH_ADD, KIND_BENCH_READ_ADD } from '../synthetic/layout.ts';
import { randomBlocks, randomGenesis } from './random-blocks.ts';

/** How one executor is run: its options, and the switches of the forced interleavings or planted mutations. */
export interface Way {
  readonly name: string;
  readonly workers: number;
  readonly model: ExecuteOptions['model'];
  /** Give it the serial run's access list. */
  readonly listed?: boolean;
  readonly switches?: TestSwitches;
}

export const ALL_WAYS: readonly Omit<Way, 'workers'>[] = [
  { name: 'optimistic', model: 'optimistic' },
  { name: 'interleaved', model: 'optimistic' },
  { name: 'deterministic, declared sets', model: 'deterministic' },
  { name: 'deterministic, access list', model: 'deterministic', listed: true },
  { name: 'sharded, declared sets', model: 'sharded' },
  { name: 'sharded, access list', model: 'sharded', listed: true },
  { name: 'auto', model: 'auto' },
];

const ENGINE = { memoryMiB: 1536, keyCapacity: 4096, keySeed: 7n, maxTransactions: 16384 };
const CELLS = 6;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** One block's outcome in a form that compares with ===. */
interface Outcome {
  readonly receipts: string[];
  readonly root: string;
  readonly accesses: string[] | undefined;
}

function outcomeOf(engine: Engine, count: number, result: Awaited<ReturnType<Engine['execute']>>): Outcome {
  const { receipts, accessList } = result;
  const list = accessList as RecordedAccessList | undefined;
  const indices = Array.from({ length: count }, (_, i) => i);
  return {
    receipts: indices.map((i) => `${receipts.code(i)}:${hex(receipts.events(i))}`),
    root: engine.stateRoot(),
    accesses:
      list &&
      indices.map((i) =>
        list
          .merged(i)
          .map(({ location, kind, mask }) => `${location}/${kind}/${mask}`)
          .join(' '),
      ),
  };
}

function difference(expected: Outcome, actual: Outcome): string | undefined {
  const receipt = expected.receipts.findIndex((text, i) => text !== actual.receipts[i]);
  if (receipt >= 0) return `receipt of transaction ${receipt}: ${expected.receipts[receipt]} expected, ${actual.receipts[receipt]} found`;
  if (expected.root !== actual.root) return 'state root';
  const access = actual.accesses?.findIndex((text, i) => text !== expected.accesses?.[i]) ?? -1;
  if (access >= 0)
    return `access list of transaction ${access}: ${expected.accesses?.[access]} expected, ${actual.accesses?.[access]} found`;
  return undefined;
}

interface Reference {
  readonly blocks: PreparedBlock[] | Block[];
  readonly outcomes: Outcome[];
  readonly lists: RecordedAccessList[];
}

const isPrepared = (block: PreparedBlock | Block): block is PreparedBlock => 'bytes' in block;

function run(engine: Engine, block: PreparedBlock | Block, options: ExecuteOptions): ReturnType<Engine['execute']> {
  return isPrepared(block) ? engine.execute(block, options) : engine.executeBlock(block, options);
}

const lengthOf = (block: PreparedBlock | Block): number => (isPrepared(block) ? block.count : block.transactions.length);

/** Runs the blocks serially, leaving receipts, roots and access lists; with a twin, compares each block with it. */
async function referenceRun(
  create: () => Promise<Engine>,
  blocks: Reference['blocks'],
  twin: NaiveLedger | undefined,
): Promise<Reference | string> {
  const engine = await create();
  try {
    const outcomes: Outcome[] = [];
    const lists: RecordedAccessList[] = [];
    for (const block of blocks) {
      const result = await run(engine, block, { model: 'serial', record: true });
      const outcome = outcomeOf(engine, lengthOf(block), result);
      outcomes.push(outcome);
      lists.push(result.accessList as RecordedAccessList);
      const wrong = twin && !isPrepared(block) ? compareWithTwin(twin, block, outcome, engine) : undefined;
      if (wrong !== undefined) return `block ${block.number}, twin: ${wrong}`;
    }
    return { blocks, outcomes, lists };
  } finally {
    await engine.close();
  }
}

function compareWithTwin(twin: NaiveLedger, block: Block, outcome: Outcome, engine: Engine): string | undefined {
  const expected = twin.executeBlock(block).map(({ code, events }) => `${code}:${hex(events)}`);
  const receipt = expected.findIndex((text, i) => text !== outcome.receipts[i]);
  if (receipt >= 0) return `receipt of transaction ${receipt}: ${expected[receipt]} expected, ${outcome.receipts[receipt]} found`;
  const found = new Map([...engine.records()].map((record) => [hex(record.key), hex(record.value)]));
  const wanted = new Map(twin.records().map((record) => [hex(record.key), hex(record.value)]));
  for (const [key, value] of wanted) if (found.get(key) !== value) return `record ${key}: ${value} expected, ${found.get(key)} found`;
  for (const [key, value] of found) if (!wanted.has(key)) return `record ${key}: not expected, ${value} found`;
  return undefined;
}

async function runWay(
  create: (workers: number) => Promise<Engine>,
  reference: Reference,
  way: Way,
  seed: number,
): Promise<string | undefined> {
  const engine = await create(way.workers);
  try {
    Object.assign(engine.test, way.switches);
    for (const [index, block] of reference.blocks.entries()) {
      if (way.name === 'interleaved') engine.test.adversary = { seed: (seed * 31 + index) >>> 0, ahead: 1 + (seed % 9) };
      const listed = way.listed ? { accessList: reference.lists[index] as RecordedAccessList } : { record: true };
      const result = await run(engine, block, { model: way.model, ...listed });
      const wrong =
        difference(reference.outcomes[index] as Outcome, outcomeOf(engine, lengthOf(block), result)) ??
        (result.fallback === undefined ? undefined : `unexpected fallback: ${result.fallback}`);
      if (wrong !== undefined) return `block ${block.number}, ${way.name}, ${way.workers} workers: ${wrong}`;
    }
    return undefined;
  } finally {
    await engine.close();
  }
}

async function compare(
  create: (workers: number) => Promise<Engine>,
  blocks: Reference['blocks'],
  twin: NaiveLedger | undefined,
  ways: readonly Way[],
  seed: number,
): Promise<string | undefined> {
  const reference = await referenceRun(() => create(1), blocks, twin);
  if (typeof reference === 'string') return `seed ${seed}, ${reference}`;
  for (const way of ways) {
    const wrong = await runWay(create, reference, way, seed);
    if (wrong !== undefined) return `seed ${seed}, ${wrong}`;
  }
  return undefined;
}

/** Blocks of the ledger and the exchange: twin, serial, and every way. Undefined: all equal. */
export function proveRules(seed: number, ways: readonly Way[]): Promise<string | undefined> {
  const genesis: Genesis = randomGenesis(seed);
  const create = (workers: number) => Engine.create({ genesis, workers, ...ENGINE });
  return compare(create, [...randomBlocks(seed, genesis)], new NaiveLedger(genesis), ways, seed);
}

/** Blocks of reads, writes, deletions, re-creations and sums over very few records: serial and every way. */
export function proveAccesses(seed: number, ways: readonly Way[]): Promise<string | undefined> {
  const create = (workers: number) => Engine.create({ workers, benchCells: CELLS, benchCounters: 2, ...ENGINE });
  return compare(create, accessBlocks(seed), undefined, ways, seed);
}

function accessBlocks(seed: number): PreparedBlock[] {
  const random = new Random(seed);
  return Array.from({ length: 4 }, (_, number) => {
    const writer = new PreparedBlockWriter();
    for (let i = 0; i < 60; i++) {
      const kind = random.below(8);
      if (kind === 0) writer.benchAdd(KIND_BENCH_READ_ADD, random.below(2), random.below(100));
      else if (kind <= 2) writer.benchAdd(KIND_BENCH_ADD, random.below(2), random.below(100));
      else {
        const pick = () => Array.from({ length: random.below(4) }, () => random.below(CELLS));
        writer.benchAccess(KIND_BENCH_ACCESS, i, pick(), pick());
      }
    }
    return writer.finish(number + 1, 1_700_000_000_000 + number);
  });
}

/** The ways that a seed takes: all, with 1 to 4 workers in turn. */
export function waysOfSeed(seed: number): Way[] {
  return ALL_WAYS.map((way, i) => ({ ...way, workers: 1 + ((seed + i) % 4) }));
}
