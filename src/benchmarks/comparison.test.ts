import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessList, BlockResult, ExecuteOptions, PreparedBlock } from '../execution/api.ts';
import { transferBlock } from './bench-blocks.ts';
import { compare, type MeasuredEngine, SERIAL, type Variant } from './comparison.ts';
import { measureLatency } from './latency.ts';
import { chooseVariants } from './settings.ts';

const LIST: AccessList = { transactions: 4, bytes: 64, entries: () => [] };

/** Executes nothing: its state is the number of blocks since the start. */
class FakeEngine implements MeasuredEngine {
  readonly workUnitsPerMicrosecond = 10;
  readonly calls: ExecuteOptions[] = [];
  state = 'start';
  restored = 0;
  readonly wrongRootOf: string | undefined;
  readonly wrongReceiptOf: string | undefined;
  private lastModel = '';

  constructor({ root, receipt }: { root?: string; receipt?: string } = {}) {
    this.wrongRootOf = root;
    this.wrongReceiptOf = receipt;
  }

  async execute(block: PreparedBlock, options: ExecuteOptions): Promise<BlockResult> {
    this.calls.push(options);
    this.state += `+${block.number}`;
    this.lastModel = options.model;
    const receipts = {
      count: block.count,
      code: () => 0,
      events: () => Uint8Array.of(options.model === this.wrongReceiptOf ? 1 : 0, 0, 0, 0),
    };
    options.onCommitted?.(0, 2, receipts);
    options.onCommitted?.(2, block.count, receipts);
    return {
      model: options.model === 'auto' ? 'serial' : options.model,
      workers: options.workers ?? 2,
      systemTransactions: 0,
      transactions: block.count,
      seconds: options.model === 'serial' ? 0.001 : 0.0005,
      executions: block.count * (options.model === 'optimistic' ? 2 : 1),
      validations: options.model === 'optimistic' ? block.count : 0,
      conflictsByClass: new Map(options.model === 'optimistic' ? [['cell', 3]] : []),
      receipts,
      ...(options.record === true ? { accessList: LIST } : {}),
    };
  }

  stateRoot(): string {
    return this.lastModel === this.wrongRootOf ? 'wrong' : this.state;
  }

  snapshot(): unknown {
    return this.state;
  }

  restore(snapshot: unknown): void {
    this.restored++;
    this.state = snapshot as string;
  }
}

const block = transferBlock(4, 2, 'narrow', 1);
const workload = { benchmark: 'fake', parameters: { accounts: 2 }, blocks: [block], workMicros: 3, codesAreZero: true };
const variants = chooseVariants(['serial', 'serial, recording', 'optimistic', 'deterministic, list', 'auto'], { workers: [2] });

test('every variant runs once a round, interleaved, from the same state', async () => {
  const engine = new FakeEngine();
  const rows = await compare(engine, workload, variants, { rounds: 4, warmUps: 1 });
  assert.equal(engine.state, 'start');
  const count = (model: string) => engine.calls.filter((call) => call.model === model && call.record !== true).length;
  // Four rounds, the warm-up, and the run whose receipts are compared.
  for (const model of ['optimistic', 'deterministic', 'auto']) assert.equal(count(model), 6, model);
  const measured = engine.calls.slice(-variants.length * 4).map(({ model }) => model);
  for (let round = 0; round < 4; round++) {
    assert.deepEqual(
      new Set(measured.slice(round * variants.length, (round + 1) * variants.length)),
      new Set(variants.map(({ model }) => model)),
    );
  }
  assert.notEqual(measured[0], measured[variants.length]);
  assert.ok(engine.calls.slice(1).every(({ workUnits }) => workUnits === 30));
  assert.deepEqual(
    rows.map(({ variant }) => variant),
    variants.map(({ name }) => name),
  );
  const optimistic = rows.find(({ variant }) => variant === 'optimistic');
  assert.equal(optimistic?.executionsPerTransaction, 2);
  assert.equal(optimistic?.validationsPerTransaction, 1);
  assert.equal(optimistic?.ratioToSerial, 2);
  assert.equal(Math.round(optimistic?.transactionsPerSecond ?? 0), 8000);
  assert.deepEqual(optimistic?.conflicts, { cell: 12 });
  assert.deepEqual(rows.find(({ variant }) => variant === 'auto')?.chosen, { serial: 4 });
  const listed = rows.find(({ variant }) => variant === 'deterministic, list');
  assert.equal(listed?.accessListBytesPerTransaction, 16);
  assert.equal(listed?.accessSets, 'given');
  assert.equal(rows[1]?.accessListBytesPerTransaction, 16);
  assert.ok(rows.every(({ stateRoot }) => stateRoot === 'start+1'));
});

test('a wrong state root fails the benchmark', async () => {
  const comparison = compare(new FakeEngine({ root: 'auto' }), workload, variants, { rounds: 2, warmUps: 1 });
  await assert.rejects(comparison, /state root of auto with 2 workers is wrong/);
});

test('a wrong receipt fails the benchmark', async () => {
  const comparison = compare(new FakeEngine({ receipt: 'optimistic' }), workload, variants, { rounds: 2, warmUps: 1 });
  await assert.rejects(comparison, /receipts of optimistic/);
});

test('latency runs from the planned time to the report', async () => {
  const engine = new FakeEngine();
  const blocks = [1, 2, 3].map((number) => ({ ...transferBlock(4, 2, 'wide', number), number }));
  const input = { benchmark: 'fake', parameters: {}, blocks, blockSize: 3, perSecond: 2000, commands: 10 };
  const row = await measureLatency(engine, input, SERIAL);
  assert.equal(row.commands, 10);
  // Ten commands, half a millisecond apart: they cannot have come earlier than planned.
  assert.ok((row.percentilesMicros.p50 ?? -1) >= 0);
  assert.ok(row.achievedPerSecond <= 2000);
});

test('a stall counts for all commands that were due meanwhile', async () => {
  const stall = 20;
  class StallingEngine extends FakeEngine {
    override async execute(block: PreparedBlock, options: ExecuteOptions): Promise<BlockResult> {
      if (this.calls.length === 0) for (const from = performance.now(); performance.now() - from < stall; );
      return super.execute(block, options);
    }
  }
  const blocks = [transferBlock(100, 2, 'wide', 1)];
  const input = { benchmark: 'fake', parameters: {}, blocks, blockSize: 100, perSecond: 5000, commands: 100 };
  const { percentilesMicros } = await measureLatency(new StallingEngine(), input, SERIAL);
  // All 100 commands are due within the 20 ms: half of them waited 10 ms or more.
  assert.ok((percentilesMicros.p50 ?? 0) >= 9_900, `${percentilesMicros.p50}`);
  assert.ok((percentilesMicros.max ?? 0) >= 19_900, `${percentilesMicros.max}`);
});

test('variants: serial always, the others for each number of workers, as far as asked for', () => {
  const names = (found: readonly Variant[]) => found.map(({ name, workers }) => `${name} ${workers}`);
  assert.deepEqual(names(chooseVariants(['serial', 'optimistic', 'deterministic, list'], { workers: [1, 2] })), [
    'serial 1',
    'optimistic 1',
    'optimistic 2',
    'deterministic, list 1',
    'deterministic, list 2',
  ]);
  assert.deepEqual(names(chooseVariants(['serial', 'optimistic', 'deterministic, list'], { workers: [2], variants: ['deterministic'] })), [
    'serial 1',
    'deterministic, list 2',
  ]);
});
