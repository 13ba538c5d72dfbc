/**
 * The state tree by several threads: whatever their number, the root of a block is that of all records, also where buckets grow long, where a
 * block writes more than is worked in at a time, and where workers share the copying; and what happens when one of them dies.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { HeddleError } from '../base/errors.ts';
import type { RecordChange } from '../base/packed-changes.ts';
import { Random } from '../base/random.ts';
import * as C from '../commitment/layout.ts';
import { committedValue, pathOf, rootOf } from '../commitment/state-tree.ts';
import * as X from '../exchange/layout.ts';
import { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import { BENCH_ACCESSES_MAX, KIND_BENCH_ACCESS } from '../synthetic/layout.ts';
import type { BlockRoots, PreparedBlock } from './api.ts';
import { Engine, type EngineOptions } from './index.ts';
import { PreparedBlockWriter } from './prepared-block.ts';
import type { StateTree } from './state-tree.ts';

const MEMORY = { memoryMiB: 1536, keyCapacity: 4096, keySeed: 7n, maxTransactions: 16384 };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

async function withEngine<T>(options: EngineOptions, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await Engine.create({ ...MEMORY, ...options });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

/** A block that writes the cells that `next` gives, `count` in all. */
function writes(number: number, count: number, next: () => number): PreparedBlock {
  const writer = new PreparedBlockWriter();
  for (let i = 0; i < count; i += BENCH_ACCESSES_MAX) {
    const written = Array.from({ length: Math.min(BENCH_ACCESSES_MAX, count - i) }, next);
    writer.benchAccess(KIND_BENCH_ACCESS, i + number, [], written);
  }
  return writer.finish(number, number);
}

interface Inside {
  readonly kernel: Pick<Kernel, 'get' | 'set'> & { readonly sideThreads: Worker[] };
  readonly tree: StateTree;
}

const inside = (engine: Engine): Inside => engine as unknown as Inside;

/** The state root of a block's roots, hexadecimal. */
async function stateOf(roots: Promise<BlockRoots> | undefined): Promise<string> {
  return hex(((await roots) as BlockRoots).state);
}

/** Commits records whose values lie in no memory, as a block would. */
async function commitCold(tree: StateTree, changes: readonly RecordChange[]): Promise<void> {
  await tree.settled();
  await tree.collect(0, 1, changes);
  await tree.lists.digest(0, 1);
  tree.lists.noTransactions();
  await tree.commitAside();
}

describe('the root of every number of threads is that of all records', () => {
  const cells = 9000;

  async function rootsWith(threads: number, expectedRecords: number): Promise<string[]> {
    return await withEngine({ workers: 1, benchCells: cells, commitment: { threads, expectedRecords } }, async (engine) => {
      const random = new Random(5);
      const roots = [engine.committedRoot()];
      for (const [i, count] of [1, 5, 700, 4000, 64].entries()) {
        const { roots: made } = await engine.execute(
          writes(i + 1, count, () => random.below(cells)),
          { model: 'serial' },
        );
        roots.push(await stateOf(made));
        if (threads === 1) assert.equal(roots.at(-1), hex(rootOf(engine.records())));
      }
      return roots;
    });
  }

  // With a top of 256 buckets there are 35 records in each: runs of more than 32.
  for (const expected of [cells, 256]) {
    test(`laid out for ${expected} records`, async () => {
      const alone = await rootsWith(1, expected);
      assert.equal(new Set(alone).size, alone.length);
      for (const threads of [2, 3, 5]) assert.deepEqual(await rootsWith(threads, expected), alone, `${threads} threads`);
    });
  }
});

test('a block that writes more than is worked in at a time, copied by all workers', async () => {
  const cells = 150_000;
  await withEngine({ workers: 2, benchCells: cells, commitment: { threads: 2, expectedRecords: cells } }, async (engine) => {
    let next = 0;
    for (const number of [1, 2]) {
      const block = writes(number, cells, () => next++ % cells);
      const { roots: made, changes } = await engine.execute(block, { model: 'optimistic', changes: true });
      const keys = Array.from(changes ?? [], ({ key }) => hex(key));
      assert.equal(keys.length, cells);
      assert.equal(new Set(keys).size, cells);
      const kept = await stateOf(made);
      // Filling takes another way to the same root.
      inside(engine).tree.takeAgain();
      assert.equal(engine.committedRoot(), kept);
    }
  });
});

test('packed changes are those of the records, in one piece or in many', async () => {
  const cells = 3000;
  const packed = async (room?: number) =>
    withEngine({ workers: 1, benchCells: cells, commitment: { expectedRecords: cells } }, async (engine) => {
      const { kernel } = inside(engine);
      if (room !== undefined) Object.assign(kernel, { listBytes: room });
      const random = new Random(3);
      await engine.execute(
        writes(1, 2000, () => random.below(cells)),
        { model: 'serial' },
      );
      const before = new Map(Array.from(engine.records(), ({ key, value }) => [hex(key), hex(committedValue(key, value))]));
      const { changes } = await engine.execute(
        writes(2, 2000, () => random.below(cells)),
        { model: 'serial', changes: true },
      );
      assert.ok(changes !== undefined);
      let gone = 0;
      for (const { key, value } of changes) {
        if (value !== undefined) before.set(hex(key), hex(value));
        else if (before.delete(hex(key))) gone++;
      }
      assert.ok(gone > 50, `${gone} are gone`);
      const after = new Map(Array.from(engine.records(), ({ key, value }) => [hex(key), hex(committedValue(key, value))]));
      assert.deepEqual([...before].sort(), [...after].sort());
      return changes;
    });
  const whole = await packed();
  assert.equal(whole.pieces.length, 1);
  const split = await packed(1000);
  assert.ok(split.pieces.length > 20 && split.pieces.every(({ length }) => length <= 1000), `${split.pieces.length} pieces`);
  assert.deepEqual([...split], [...whole]);
});

test('a top that is far too small: hundreds of records in a bucket, the same root; filling again takes no more memory', async () => {
  const cells = 90_000;
  const fitting = { workers: 1, benchCells: cells, commitment: { threads: 1, expectedRecords: cells } };
  const roots = (engine: Engine) => engine.execute(block(), { model: 'serial' }).then(() => engine.committedRoot());
  const block = () =>
    writes(
      1,
      20_000,
      (
        (i) => () =>
          i++
      )(0),
    );
  const expected = await withEngine(fitting, async (engine) => [engine.committedRoot(), await roots(engine)]);
  await withEngine({ ...fitting, commitment: { threads: 2, expectedRecords: 256 } }, async (engine) => {
    const { kernel, tree } = inside(engine);
    assert.equal(engine.committedRoot(), expected[0]);
    assert.equal(await roots(engine), expected[1]);
    tree.takeAgain();
    const chunks = kernel.get(L.REG_CHUNK_NEXT);
    for (let again = 0; again < 5; again++) {
      tree.takeAgain();
      assert.equal(engine.committedRoot(), expected[1]);
    }
    assert.equal(kernel.get(L.REG_CHUNK_NEXT), chunks);
  });
});

test('somebody who chooses where records lie has new ones take as much as is counted with, and no more', async () => {
  await withEngine({ workers: 1, commitment: { threads: 2, expectedRecords: 4096 } }, async (engine) => {
    const { kernel, tree } = inside(engine);
    const bits = kernel.get(C.COM_BITS);
    const chosen = 2 ** (bits - 1);
    const { records } = tree.counts;
    const commit = async (changes: readonly RecordChange[]): Promise<number> => {
      const before = tree.entryBytes;
      const { long } = tree.counts;
      const most = (changes.length * tree.entriesOfNew + 4 * long) * C.ENTRY_BYTES + C.PARTS * C.SLAB_BYTES;
      await commitCold(tree, changes);
      const taken = tree.entryBytes - before;
      assert.ok(taken <= most, `${taken} bytes for ${changes.length} changes, ${most} were counted with`);
      return taken;
    };
    // Every second bucket is filled, all of them by one more each time; at 32 a run is full, and the next one twice as long.
    const rows: RecordChange[][] = [];
    const counts = new Uint32Array(chosen);
    for (let i = 0, full = 0; full < chosen; i++) {
      const key = new Uint8Array(21).fill(X.CLASS_DORMANT, 0, 1);
      new DataView(key.buffer).setUint32(4, i);
      const bucket = Buffer.from(pathOf(key)).readUInt32BE(0) >>> (32 - bits);
      if (bucket >= chosen || (counts[bucket] as number) > 32) continue;
      const row = (counts[bucket] as number)++;
      if (row === 32) full++;
      rows[row] ??= [];
      (rows[row] as RecordChange[]).push({ key, value: Uint8Array.of(1) });
    }
    const taken: number[] = [];
    for (const row of rows) taken.push(await commit(row));
    // The last row has every bucket double, which is more than half of what is counted for it.
    assert.equal(rows.at(-1)?.length, chosen);
    assert.ok((taken.at(-1) as number) > chosen * 60 * C.ENTRY_BYTES, `${taken.at(-1)}`);
    // They leave and come again: what they had is used again.
    const all = rows.flat();
    await commit(all.map(({ key }) => ({ key, value: undefined })));
    assert.equal(await commit(rows[0] as RecordChange[]), 0);
    assert.equal(tree.counts.records, records + chosen);
  });
});

test('records that nobody has chosen take no more than is expected of so many, whatever the tree has become', async () => {
  await withEngine({ workers: 1, commitment: { threads: 2, expectedRecords: 4096 } }, async (engine) => {
    const { tree } = inside(engine);
    const random = new Random(9);
    const present: Uint8Array[] = [];
    for (let round = 0; round < 40; round++) {
      const count = 1 + random.below(random.pick([10, 1000, 8000]));
      const fresh = Array.from({ length: count }, () =>
        Buffer.from([X.CLASS_DORMANT, ...Array.from({ length: 20 }, () => random.below(256))]),
      );
      const expected = tree.entriesFor(count) * C.ENTRY_BYTES;
      const before = tree.entryBytes;
      await commitCold(
        tree,
        fresh.map((key) => ({ key, value: Uint8Array.of(1) })),
      );
      const taken = tree.entryBytes - before;
      assert.ok(
        taken <= expected + C.PARTS * C.SLAB_BYTES,
        `round ${round}: ${taken} bytes for ${count} records, ${expected} were expected`,
      );
      // With so many nothing is left to luck: several times what is taken would be kept for nothing.
      if (count > 4000 && round < 5) assert.ok(expected < 4 * taken + C.PARTS * C.SLAB_BYTES, `round ${round}: ${taken} of ${expected}`);
      present.push(...fresh);
      if (random.chance(0.5)) {
        const gone = present.splice(0, random.below(present.length));
        await commitCold(
          tree,
          gone.map((key) => ({ key, value: undefined })),
        );
      }
    }
  });
});

test('filling with records whose values lie in no memory, fewer or more than those that lie in it', async () => {
  for (const [cells, count] of [
    [3000, 1],
    [100, 1500],
    [3000, 0],
  ] as const) {
    const cold = Array.from({ length: count }, (_, i) => ({ key: Uint8Array.of(200, i >> 8, i & 255), value: Uint8Array.of(i & 255, 7) }));
    await withEngine({ workers: 1, benchCells: cells, commitment: { threads: 2, expectedRecords: cells } }, async (engine) => {
      inside(engine).tree.takeAgain(cold);
      assert.equal(engine.committedRoot(), hex(rootOf([...engine.records(), ...cold])), `${cells} records, ${count} cold ones`);
    });
  }
});

test('after a snapshot was brought back, the tree is that of its state', async () => {
  const cells = 3000;
  await withEngine({ workers: 1, benchCells: cells, commitment: { threads: 3, expectedRecords: 256 } }, async (engine) => {
    const random = new Random(8);
    const block = (number: number) => writes(number, 2000, () => random.below(cells));
    await engine.execute(block(1), { model: 'serial' });
    const snapshot = engine.snapshot();
    const root = engine.committedRoot();
    await engine.execute(block(2), { model: 'serial' });
    assert.notEqual(engine.committedRoot(), root);
    engine.restore(snapshot);
    assert.equal(engine.committedRoot(), root);
    await engine.execute(block(2), { model: 'serial' });
    assert.equal(engine.committedRoot(), hex(rootOf(engine.records())));
  });
});

test('roots that are read late are those of their block, also when the state has been replaced meanwhile', async () => {
  await withEngine({ workers: 1, benchCells: 3000, commitment: { threads: 2, expectedRecords: 3000 } }, async (engine) => {
    let next = 0;
    const block = (number: number) => writes(number, 2000, () => next++ % 3000);
    await engine.execute(block(1), { model: 'serial' });
    const snapshot = engine.snapshot();
    const { roots: made } = await engine.execute(block(2), { model: 'serial' });
    const expected = hex(rootOf(engine.records()));
    engine.restore(snapshot);
    assert.equal(await stateOf(made), expected);
  });
});

describe('a thread that dies breaks the engine, and nobody waits for it', () => {
  const broken = (error: Error & { code?: string }): boolean => error.code === 'ENGINE_BROKEN';
  const options = { workers: 1, benchCells: 5000, commitment: { threads: 3, expectedRecords: 5000 } };
  const block = (number: number) => {
    let next = 0;
    return writes(number, 3000, () => next++);
  };

  test('it traps in the middle of its work, while the others wait for it', async () => {
    await withEngine(options, async (engine) => {
      const { kernel, tree } = inside(engine);
      const commitAside = tree.commitAside.bind(tree);
      // One change that cannot be: whoever claims it reads beyond the memory.
      tree.commitAside = () => {
        kernel.set(kernel.get(C.COM_CHANGES) + 1700 * C.CHANGE_BYTES + C.CHANGE_BYTES_USED, 0x40000000);
        return commitAside();
      };
      const { roots: made } = await engine.execute(block(1), { model: 'serial' });
      // This one blocks the thread that would hear of the death.
      assert.throws(() => engine.committedRoot(), broken);
      await assert.rejects(stateOf(made), broken);
      await assert.rejects(engine.execute(block(2), { model: 'serial' }), broken);
    });
  });

  test('it ends without a word', async () => {
    await withEngine(options, async (engine) => {
      await inside(engine).kernel.sideThreads[1]?.terminate();
      await assert.rejects(async () => await stateOf((await engine.execute(block(1), { model: 'serial' })).roots), broken);
    });
  });
});

test('an engine is closed in the middle of a block: whoever waits for its roots is told', async () => {
  for (const [workers, model] of [
    [1, 'serial'],
    [2, 'optimistic'],
  ] as const) {
    for (const steps of [0, 1, 5, 20]) {
      const engine = await Engine.create({ ...MEMORY, workers, benchCells: 5000, commitment: { threads: 2, expectedRecords: 5000 } });
      let next = 0;
      const block = (number: number) => writes(number, 4096, () => next++ % 5000);
      await engine.execute(block(1), { model });
      const running = engine.execute(block(2), { model });
      const ending = running.then((result) => stateOf(result.roots)).catch(() => 'broken');
      for (let step = 0; step < steps; step++) await null;
      await engine.close();
      assert.match(await ending, /^([0-9a-f]{64}|broken)$/, `${model}, ${steps} steps`);
    }
  }
});

test('a block that the tree cannot take in breaks the engine: its state is not that of any block', async () => {
  await withEngine({ workers: 1, benchCells: 100, commitment: true }, async (engine) => {
    const { tree } = inside(engine);
    const collect = tree.collect.bind(tree);
    tree.collect = () => Promise.reject(new HeddleError('OUT_OF_MEMORY', 'planted'));
    const block = (number: number) => writes(number, 64, () => number);
    await assert.rejects(engine.execute(block(1), { model: 'serial' }), { code: 'OUT_OF_MEMORY' });
    tree.collect = collect;
    await assert.rejects(engine.execute(block(1), { model: 'serial' }), { code: 'ENGINE_BROKEN' });
  });
});

test('few changes: partitions are worked several at a time', async () => {
  const cells = 20_000;
  await withEngine({ workers: 1, benchCells: cells, commitment: { threads: 3, expectedRecords: cells } }, async (engine) => {
    const random = new Random(3);
    for (const [i, count] of [1, 2, 3, 255, 256, 257, 300, 2047, 2048, 2049].entries()) {
      const { roots: made } = await engine.execute(
        writes(i + 1, count, () => random.below(cells)),
        { model: 'serial' },
      );
      const kept = await stateOf(made);
      inside(engine).tree.takeAgain();
      assert.equal(engine.committedRoot(), kept, `${count} writes`);
    }
    assert.equal(engine.committedRoot(), hex(rootOf(engine.records())));
  });
});

test('numbers of jobs start again behind the last', async () => {
  const start = Kernel.prototype.startSideThreads;
  Kernel.prototype.startSideThreads = function (this: Kernel, count: number): Promise<void> {
    this.set(L.CTL_ASIDE, L.ASIDE_NUMBER_MASK - 5);
    this.set(L.CTL_ASIDE_DONE, L.ASIDE_NUMBER_MASK - 5);
    return start.call(this, count);
  };
  try {
    await withEngine({ workers: 1, benchCells: 300, commitment: { threads: 3 } }, async (engine) => {
      const random = new Random(4);
      for (let number = 1; number <= 8; number++) {
        await engine.execute(
          writes(number, 100, () => random.below(300)),
          { model: 'serial' },
        );
        assert.equal(engine.committedRoot(), hex(rootOf(engine.records())));
      }
      assert.ok(inside(engine).kernel.get(L.CTL_ASIDE) < 100);
    });
  } finally {
    Kernel.prototype.startSideThreads = start;
  }
});

test('numbers of threads that cannot be are refused', async () => {
  for (const threads of [0, 17, 1.5]) {
    await assert.rejects(
      withEngine({ workers: 1, commitment: { threads } }, async () => {}),
      { code: 'BAD_WORKERS' },
    );
  }
});
