/**
 * The proof by comparison: one seed's blocks on the naive twin and on every executor. Receipts (the system's transactions included), state
 * and access lists have to be those of the serial run, and the serial run's those of the twin. What must hold after every block
 * (docs/rules.md, 9) is checked on the way.
 *
 * A failure is returned as a sentence with seed, executor, block and what differs, so that it can be replayed with `--seed`.
 */

import { Random } from '../base/random.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { violations } from '../exchange/invariants.ts';
import { NaiveLedger } from '../exchange/naive.ts';
import type { RecordedAccessList } from '../execution/access-list.ts';
import type { ExecuteOptions, PreparedBlock } from '../execution/api.ts';
import type { ColdRecords } from '../execution/cold-records.ts';
import { Engine, type TestSwitches } from '../execution/index.ts';
import { PreparedBlockWriter } from '../execution/prepared-block.ts';
import { TOKEN_QUOTE } from '../ledger/layout.ts';
import type { Block } from '../ledger/transactions.ts';
import { KIND_BENCH_ACCESS, KIND_BENCH_ADD, KIND_BENCH_READ_ADD } from '../synthetic/layout.ts';
import { eventsDifference, hex, recordDifference } from './event-text.ts';
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
const STATE_ROOT = 'state root';
/** Of a block's wrong records; more would not say more. */
const RECORDS_SHOWN = 8;

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** One block's outcome in a form that compares with ===. */
interface Outcome {
  /** The block's own, then the system's. */
  readonly receipts: string[];
  readonly root: string;
  readonly accesses: string[] | undefined;
}

function outcomeOf(engine: Engine, result: Awaited<ReturnType<Engine['execute']>>): Outcome {
  const { receipts, accessList } = result;
  const list = accessList as RecordedAccessList | undefined;
  const indices = Array.from({ length: receipts.count }, (_, i) => i);
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

function difference(expected: Outcome, actual: Outcome, own: number): string | undefined {
  const receipt = receiptsDifference(expected.receipts, actual.receipts, own);
  if (receipt !== undefined) return receipt;
  if (expected.root !== actual.root) return STATE_ROOT;
  const access = actual.accesses?.findIndex((text, i) => text !== expected.accesses?.[i]) ?? -1;
  if (access >= 0)
    return `access list of transaction ${access}: ${expected.accesses?.[access]} expected, ${actual.accesses?.[access]} found`;
  return undefined;
}

/** The first receipt that differs, in words; `own`: how many are those of the block's own transactions. */
function receiptsDifference(expected: readonly string[], found: readonly string[], own: number): string | undefined {
  for (let i = 0; i < Math.max(expected.length, found.length); i++) {
    const [wanted, had] = [expected[i], found[i]];
    if (wanted === had) continue;
    const name = i < own ? `transaction ${i}` : `the system's transaction ${i - own}`;
    if (wanted === undefined) return `receipt of ${name}: none expected, ${had} found`;
    if (had === undefined) return `receipt of ${name}: ${wanted} expected, none found`;
    const [code = '', events = ''] = wanted.split(':');
    const [hadCode = '', hadEvents = ''] = had.split(':');
    const different = eventsDifference(bytesOf(events), bytesOf(hadEvents));
    const parts = [
      ...(code === hadCode ? [] : [`code ${code} expected, ${hadCode} found`]),
      ...(different === undefined ? [] : [different]),
    ];
    return `receipt of ${name}: ${parts.join('; ')}`;
  }
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

/** The twin to compare with, and the money that genesis gave. */
interface Expected {
  readonly twin: NaiveLedger;
  readonly equity: bigint;
}

/** Runs the blocks serially, leaving receipts, roots and access lists; compares each block with what is expected. */
async function referenceRun(
  create: () => Promise<Engine>,
  blocks: Reference['blocks'],
  expected: Expected | undefined,
): Promise<Reference | string> {
  const engine = await create();
  try {
    const outcomes: Outcome[] = [];
    const lists: RecordedAccessList[] = [];
    for (const block of blocks) {
      const result = await run(engine, block, { model: 'serial', record: true });
      const outcome = outcomeOf(engine, result);
      outcomes.push(outcome);
      lists.push(result.accessList as RecordedAccessList);
      if (expected === undefined || isPrepared(block)) continue;
      const wrong = compareWithTwin(expected.twin, block, outcome, engine);
      if (wrong !== undefined) return `block ${block.number}, twin: ${wrong}`;
      const broken = await violated(engine, expected.equity);
      if (broken !== undefined) return `block ${block.number}, serial: ${broken}`;
    }
    return { blocks, outcomes, lists };
  } finally {
    await engine.close();
  }
}

function compareWithTwin(twin: NaiveLedger, block: Block, outcome: Outcome, engine: Engine): string | undefined {
  const expected = twin.executeBlock(block).map(({ code, events }) => `${code}:${hex(events)}`);
  const receipt = receiptsDifference(expected, outcome.receipts, block.transactions.length);
  if (receipt !== undefined) return receipt;
  return recordsDifference(twin.records(), engine.records());
}

type Records = Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>;

function recordsDifference(expected: Records, actual: Records): string | undefined {
  const byKey = (records: Records) => new Map([...records].map(({ key, value }) => [hex(key), hex(value)]));
  const [wanted, found] = [byKey(expected), byKey(actual)];
  const different = [...new Set([...wanted.keys(), ...found.keys()])].filter((key) => wanted.get(key) !== found.get(key));
  if (different.length === 0) return undefined;
  const optional = (text: string | undefined): Uint8Array | undefined => (text === undefined ? undefined : bytesOf(text));
  const texts = different.map((key) => recordDifference(bytesOf(key), optional(wanted.get(key)), optional(found.get(key))));
  return texts.slice(0, RECORDS_SHOWN).join('\n  ');
}

/** What the state of an engine differs in from that of a serial run of the same blocks: for failures, so it may take its time. */
async function stateDifference(create: () => Promise<Engine>, blocks: Reference['blocks'], wrong: Engine): Promise<string> {
  const engine = await create();
  try {
    for (const block of blocks) await run(engine, block, { model: 'serial' });
    return recordsDifference(engine.records(), wrong.records()) ?? 'no record differs';
  } finally {
    await engine.close();
  }
}

async function violated(engine: Engine, equity: bigint): Promise<string | undefined> {
  const found = violations(await engine.audit(), equity);
  return found.length === 0 ? undefined : found.join('; ');
}

async function runWay(
  create: (workers: number) => Promise<Engine>,
  reference: Reference,
  expected: Expected | undefined,
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
        difference(reference.outcomes[index] as Outcome, outcomeOf(engine, result), lengthOf(block)) ??
        (result.fallback === undefined ? undefined : `unexpected fallback: ${result.fallback}`) ??
        (expected === undefined ? undefined : await violated(engine, expected.equity));
      if (wrong === undefined) continue;
      const blocks = reference.blocks.slice(0, index + 1) as Reference['blocks'];
      const records = wrong === STATE_ROOT ? `:\n  ${await stateDifference(() => create(1), blocks, engine)}` : '';
      return `block ${block.number}, ${way.name}, ${way.workers} workers: ${wrong}${records}`;
    }
    return undefined;
  } finally {
    await engine.close();
  }
}

async function compare(
  create: (workers: number) => Promise<Engine>,
  blocks: Reference['blocks'],
  expected: Expected | undefined,
  ways: readonly Way[],
  seed: number,
): Promise<string | undefined> {
  const reference = await referenceRun(() => create(1), blocks, expected);
  if (typeof reference === 'string') return `seed ${seed}, ${reference}`;
  for (const way of ways) {
    const wrong = await runWay(create, reference, expected, way, seed);
    if (wrong !== undefined) return `seed ${seed}, ${wrong}`;
  }
  return undefined;
}

/** Blocks of the ledger and the exchange: twin, serial, and every way. Undefined: all equal. `coldRecords`: where engines keep dormant accounts. */
export function proveRules(seed: number, ways: readonly Way[], coldRecords?: () => ColdRecords): Promise<string | undefined> {
  const genesis: Genesis = randomGenesis(seed);
  const create = (workers: number) => Engine.create({ genesis, workers, ...ENGINE, ...(coldRecords && { coldRecords: coldRecords() }) });
  return compare(create, [...randomBlocks(seed, genesis)], { twin: new NaiveLedger(genesis), equity: equityOf(genesis) }, ways, seed);
}

/** All money of the quote token that a genesis gives. */
function equityOf(genesis: Genesis): bigint {
  const quote = (balances: Genesis['accounts'][number]['balances']): bigint =>
    (balances ?? []).reduce((sum, { token, amount }) => sum + (token === TOKEN_QUOTE ? amount : 0n), 0n);
  return genesis.accounts.reduce((sum, { balances, collateral }) => sum + quote(balances) + (collateral ?? 0n), 0n);
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

/** The ways that a seed takes: all, with 1 to 4 workers in turn; or `count` of them, in turn too. */
export function waysOfSeed(seed: number, count: number = ALL_WAYS.length): Way[] {
  const ways = ALL_WAYS.map((way, i) => ({ ...way, workers: 1 + ((seed + i) % 4) }));
  return ways.filter((_, i) => (i + ways.length - (seed % ways.length)) % ways.length < count);
}
