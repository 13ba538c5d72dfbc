/**
 * When transactions of the store begin, and what is in them, with a clock that the test has in its hand; and the same where nothing but the end of the
 * waiting can be seen: through a store with an hour for others to join.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { PackedChanges } from '../base/packed-changes.ts';
import { waitFor } from '../base/waits-for-tests.ts';
import { BlockKeys } from './block-keys.ts';
import { readRuns } from './run-record.ts';
import { type BlockCommit, Store } from './store.ts';
import { StoreTables } from './store-tables.ts';
import { type CommitBytes, JOINED_BYTES_MAX, type JoinClock, StoreWriter } from './store-writer.ts';

const JOIN_MS = 250;
const HOUR_MS = 3_600_000;
const NOTHING = new Uint8Array();
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const OPTIONS = { chainId: new Uint8Array(32).fill(4), joinMs: HOUR_MS };

class HeldClock implements JoinClock {
  ms = 1000;
  waiting: { readonly ms: number; readonly call: () => void } | undefined;

  nowMs(): number {
    return this.ms;
  }

  after(ms: number, call: () => void): () => void {
    assert.equal(this.waiting, undefined, 'one wait at a time');
    this.waiting = { ms, call };
    return () => {
      this.waiting = undefined;
    };
  }

  /** Resolves when somebody waits: for how long. */
  async untilWaiting(): Promise<number> {
    return waitFor('somebody who waits', () => this.waiting?.ms, { pause: nextTurn });
  }

  pass(): void {
    const { waiting } = this;
    assert.ok(waiting, 'nobody waits');
    this.ms += waiting.ms;
    this.waiting = undefined;
    waiting.call();
  }
}

interface Written {
  readonly writer: StoreWriter;
  readonly tables: StoreTables;
  readonly clock: HeldClock;
  /** How many blocks there are in each transaction. */
  readonly groups: number[];
  failing: boolean;
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-writer-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const withWriter = (use: (written: Written) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    const tables = new StoreTables(folder);
    const clock = new HeldClock();
    const written: Written = {
      writer: new StoreWriter(tables, { joinMs: JOIN_MS, clock }),
      tables,
      clock,
      groups: [],
      failing: false,
    };
    const write = tables.write.bind(tables);
    tables.write = (writes) => {
      const all = [...writes];
      written.groups.push(all.filter(({ table }) => table === tables.headers).length);
      return written.failing ? Promise.reject(new Error('Input/output error')) : write(all);
    };
    try {
      await use(written);
    } finally {
      await written.writer.close();
      await tables.close();
    }
  });

/** Every record has the height. */
function blockAt(height: number, records = 20, valueBytes = 4): CommitBytes {
  const value = new Uint8Array(valueBytes).fill(height);
  const { pieces } = PackedChanges.of(Array.from({ length: records }, (_, i) => ({ key: Uint8Array.of(1, i, i >> 8), value })));
  return { height, header: Uint8Array.of(height), body: NOTHING, journaled: false, receipts: NOTHING, changed: pieces, keys: NOTHING };
}

/** More than may wait. */
function largeBlockAt(height: number): CommitBytes {
  const valueBytes = 60_000;
  return blockAt(height, Math.ceil(JOINED_BYTES_MAX / valueBytes) + 1, valueBytes);
}

test('a block that comes alone is written at once; those that come soon after it join', () =>
  withWriter(async ({ writer, tables, clock, groups }) => {
    await writer.commit(blockAt(1));
    assert.equal(clock.waiting, undefined);
    clock.ms += 100;
    const first = writer.commit(blockAt(2));
    assert.equal(await clock.untilWaiting(), JOIN_MS - 100);
    const joining = [3, 4, 5].map((height) => writer.commit(blockAt(height)));
    assert.equal(writer.height, 1);
    assert.equal(await clock.untilWaiting(), JOIN_MS - 100);
    clock.pass();
    await Promise.all([first, ...joining]);
    assert.deepEqual(groups, [1, 4]);
    assert.equal(writer.height, 5);
    assert.deepEqual([...(tables.state.getBinary(Uint8Array.of(1, 7, 0)) ?? [])], [5, 5, 5, 5]);
    // Long afterwards: again at once.
    clock.ms += JOIN_MS;
    await writer.commit(blockAt(6));
    assert.deepEqual(groups, [1, 4, 1]);
  }));

function keysAt(height: number): Uint8Array {
  const keys = new BlockKeys();
  keys.begin(height, height);
  keys.market(1);
  return keys.finish();
}

test('index keys of one transaction are one run', () =>
  withWriter(async ({ writer, tables, clock }) => {
    await writer.commit({ ...blockAt(1), keys: keysAt(1) });
    const joining = [2, 3, 4, 5].map((height) => writer.commit({ ...blockAt(height), keys: height === 5 ? NOTHING : keysAt(height) }));
    await clock.untilWaiting();
    clock.pass();
    await Promise.all(joining);
    assert.deepEqual(
      readRuns(tables).map(({ from, to, bytes }) => [from, to, bytes]),
      [
        [1, 1, 17],
        [2, 4, 51],
      ],
    );
  }));

test('what is no key of the block is not taken', () =>
  withWriter(async ({ writer, tables }) => {
    for (const keys of [keysAt(2), keysAt(1).subarray(1), keysAt(1).subarray(0, 16), Uint8Array.of(0), Uint8Array.of(6, 0, 0)]) {
      assert.throws(() => writer.commit({ ...blockAt(1), keys }), /assertion failed: (?:no key of the index|a key of another height)/);
    }
    await writer.commit({ ...blockAt(1), keys: keysAt(1) });
    assert.equal(readRuns(tables).length, 1);
  }));

test('the time is from the beginning of one transaction to that of the next', () =>
  withWriter(async ({ writer, clock, groups }) => {
    await writer.commit(blockAt(1));
    for (let height = 2; height < 6; height++) {
      clock.ms += 10;
      const done = writer.commit(blockAt(height));
      assert.equal(await clock.untilWaiting(), JOIN_MS - 10);
      clock.pass();
      await done;
    }
    assert.deepEqual(groups, [1, 1, 1, 1, 1]);
  }));

for (const [name, end] of [
  ['being asked', ({ writer }: Written) => writer.hasten()],
  ['a pruning', ({ writer }: Written) => writer.prune(2)],
  ['closing', ({ writer }: Written) => writer.close()],
  ['much that waits', ({ writer }: Written) => writer.commit(largeBlockAt(5))],
] as const) {
  test(`${name} ends the waiting, and takes along what waits`, () =>
    withWriter(async (written) => {
      const { writer, clock, groups, tables } = written;
      await Promise.all([writer.commit(blockAt(1)), writer.commit(blockAt(2))]);
      const joining = [writer.commit(blockAt(3))];
      await clock.untilWaiting();
      joining.push(writer.commit(blockAt(4)));
      await Promise.all([...joining, end(written)]);
      assert.equal(clock.waiting, undefined);
      assert.equal(groups.length, 2);
      assert.ok((tables.height as number) >= 4);
    }));
}

test('what is asked for while a transaction is written holds for what has come meanwhile, and for nothing later', () =>
  withWriter(async ({ writer, clock, groups }) => {
    const first = writer.commit(blockAt(1));
    await waitFor('a transaction', () => groups.length > 0, { pause: nextTurn });
    const second = writer.commit(blockAt(2));
    writer.hasten();
    await Promise.all([first, second]);
    assert.equal(clock.waiting, undefined);
    // Nothing waits: nothing is asked for.
    writer.hasten();
    const third = writer.commit(blockAt(3));
    await clock.untilWaiting();
    clock.pass();
    await third;
    assert.deepEqual(groups, [1, 1, 1]);
  }));

test('an error of the disk is told to all that have joined, and nothing more is taken', () =>
  withWriter(async (written) => {
    const { writer, clock, tables } = written;
    await writer.commit(blockAt(1));
    const joined = [2, 3, 4].map((height) => writer.commit(blockAt(height)));
    await clock.untilWaiting();
    written.failing = true;
    clock.pass();
    for (const outcome of await Promise.allSettled(joined)) {
      assert.equal(outcome.status, 'rejected');
      assert.match(String(outcome.reason), /Input\/output error/);
    }
    await assert.rejects(writer.commit(blockAt(5)), { code: 'STORE_STOPPED' });
    assert.deepEqual([writer.height, tables.height], [1, 1]);
  }));

// --- Through a store: an hour in which others may join --------------------------------------------------------------------------------

const commitAt = (height: number): BlockCommit => {
  const { header, body, receipts, changed } = blockAt(height);
  return { height, timeMs: height, header, body, receipts, changed: new PackedChanges(changed) };
};

for (const thread of [false, true]) {
  test(`a store with an hour to join: asked, pruned and closed${thread ? ', with a thread' : ''}`, () =>
    inFolder(async (folder) => {
      const store = await Store.open(folder, { ...OPTIONS, thread });
      await store.commit(commitAt(1), 9);
      const asked = [2, 3].map((height) => store.commit(commitAt(height), 9));
      store.hasten();
      await Promise.all(asked);
      const pruned = store.commit(commitAt(4), 9);
      await store.prune(3);
      await pruned;
      assert.deepEqual([store.first, store.height], [3, 4]);
      const closed = [5, 6].map((height) => store.commit(commitAt(height), 9));
      await store.close();
      await Promise.all(closed);
      store.hasten();
      const again = await Store.open(folder, { ...OPTIONS, thread });
      assert.equal(again.height, 6);
      assert.deepEqual(again.record(Uint8Array.of(1, 3, 0)), Uint8Array.of(6, 6, 6, 6));
      await again.close();
    }));
}

test('a thread that is killed while blocks wait to be joined: they are told, and nothing of them is there', () =>
  inFolder(async (folder) => {
    const store = await Store.open(folder, { ...OPTIONS, thread: true });
    await store.commit(commitAt(1), 9);
    const waiting = [2, 3].map((height) => store.commit(commitAt(height), 9));
    const told = Promise.allSettled(waiting);
    const { worker } = (store as unknown as { readonly writer: { readonly worker: Worker } }).writer;
    await worker.terminate();
    for (const outcome of await told) assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'STORE_STOPPED');
    await store.close();
    const again = await Store.open(folder, { ...OPTIONS, thread: true });
    assert.equal(again.height, 1);
    await again.close();
  }));
