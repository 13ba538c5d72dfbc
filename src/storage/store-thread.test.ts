/**
 * The store's thread: what is in flight when it is killed, when it fails, and when the store is closed; and that nothing of it is left behind.
 * What the store does with one is in store.test.ts.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { Random } from '../base/random.ts';
import { encodeBlock } from '../ledger/transaction-codec.ts';
import type { Block } from '../ledger/transactions.ts';
import { fromWords, wordsOf } from './lmdb-error.ts';
import { StorageError } from './storage-error.ts';
import { type BlockCommit, Store } from './store.ts';

const OPTIONS = { chainId: new Uint8Array(32).fill(4), thread: true };
const JOURNAL_LAST = 2 ** 40;
const RECORDS = 300;
const LIVES = 8;
const LIFE_MS_MAX = 60;

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-thread-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Every block names new addresses, and some of the one before. */
function bodyOf(height: number): Block {
  const transactions = Array.from({ length: 80 }, (_, i) => {
    return { kind: 'noop' as const, sender: `0x${(height * 40 + i).toString(16).padStart(40, '0')}` };
  });
  return { number: height, timeMs: height, transactions };
}

/** Every record has the height. */
function commitOf(height: number): BlockCommit {
  const value = Uint8Array.of(height, height >> 8);
  const changed = Array.from({ length: RECORDS }, (_, i) => ({ key: Uint8Array.of(1, i, i >> 8), value }));
  return { height, timeMs: height, header: value, body: bodyOf(height), receipts: new Uint8Array(500).fill(height), changed };
}

function checkWhole(store: Store): void {
  const records = store.records();
  const { height } = records;
  const heights = Array.from(records, ({ value }) => (value[0] as number) + 256 * (value[1] as number));
  records.close();
  assert.deepEqual(heights, height === undefined ? [] : new Array(RECORDS).fill(height));
  for (let at = Math.max(store.first, (height ?? 0) - 40); at <= (height ?? -1); at++)
    assert.deepEqual(store.body(at), encodeBlock(bodyOf(at)), `body ${at}`);
}

const hasStopped = (error: unknown): boolean => error instanceof StorageError && error.code === 'STORE_STOPPED';
const workerOf = (store: Store): Worker => (store as unknown as { readonly writer: { readonly worker: Worker } }).writer.worker;

test('a thread that is killed stops the store: everybody is told, what was committed is there, and the folder can be opened again', () =>
  inFolder(async (folder) => {
    const random = new Random(5);
    let next = 1;
    let rejected = 0;
    for (let life = 0; life < LIVES; life++) {
      const store = await Store.open(folder, OPTIONS);
      assert.ok((store.height ?? 0) >= next - 1, `height ${next - 1} was committed, the store is at ${store.height}`);
      checkWhole(store);
      next = (store.height ?? 0) + 1;
      const first = next;
      const outcomes: Promise<number | undefined>[] = [];
      let going = true;
      // Some die while they write for the first time, some later.
      const begun = life % 3 === 0 ? sleep(0) : store.commit(commitOf(next), JOURNAL_LAST);
      if (life % 3 !== 0) outcomes.push(begun.then(() => first));
      const dying = begun.then(() => sleep(random.below(LIFE_MS_MAX))).then(() => workerOf(store).terminate());
      dying.finally(() => {
        going = false;
      });
      for (let height = next + outcomes.length; going; height++) {
        const kept = store.commit(commitOf(height), JOURNAL_LAST);
        outcomes.push(
          kept.then(
            () => height,
            (error) => {
              assert.ok(hasStopped(error), String(error));
              return undefined;
            },
          ),
        );
        if (random.chance(0.3)) await sleep(1);
        // No more in flight than a pipeline has.
        if (outcomes.length % 32 === 0) await outcomes.at(-32);
      }
      await dying;
      const settled = await Promise.all(outcomes);
      const committed = settled.filter((height) => height !== undefined);
      assert.deepEqual(
        committed,
        committed.map((_, i) => next + i),
        'a prefix',
      );
      rejected += settled.length - committed.length;
      await assert.rejects(
        store.commit(commitOf(next + settled.length), JOURNAL_LAST),
        /the store's thread has ended \(exit code 1\): start the node again/,
      );
      await assert.rejects(store.prune(next), hasStopped);
      // Reading goes on.
      checkWhole(store);
      await store.close();
      await store.close();
      next += committed.length;
    }
    assert.ok(next > LIVES && rejected > LIVES, `${next - 1} committed, ${rejected} rejected`);
  }));

test('closing waits for what is in flight, commits and prunings', () =>
  inFolder(async (folder) => {
    const store = await Store.open(folder, OPTIONS);
    const done: number[] = [];
    const commits = Array.from({ length: 20 }, (_, height) => store.commit(commitOf(height), JOURNAL_LAST).then(() => done.push(height)));
    await commits[9];
    const pruned = store.prune(5);
    await store.close();
    assert.deepEqual(
      done,
      Array.from({ length: 20 }, (_, height) => height),
    );
    await pruned;
    await assert.rejects(store.commit(commitOf(20), JOURNAL_LAST), /the store was closed/);
    const again = await Store.open(folder, OPTIONS);
    assert.deepEqual([again.first, again.height], [5, 19]);
    checkWhole(again);
    await again.close();
  }));

test('what is no block ends the thread, and names the reason', () =>
  inFolder(async (folder) => {
    const store = await Store.open(folder, OPTIONS);
    await store.commit(commitOf(0), JOURNAL_LAST);
    const bad = store.commit({ ...commitOf(1), body: { journaled: Uint8Array.of(2, 3) } }, JOURNAL_LAST);
    const behind = store.commit(commitOf(2), JOURNAL_LAST);
    await assert.rejects(bad, /the store's thread has ended \(byte 2 of the block: the bytes end too early/);
    await assert.rejects(behind, hasStopped);
    await store.close();
    const again = await Store.open(folder, OPTIONS);
    assert.equal(again.height, 0);
    checkWhole(again);
    await again.close();
  }));

test('an error is the same on both sides', () => {
  const lmdb = new Error('Input/output error');
  const system = new Error('a short write', { cause: lmdb });
  const error = new StorageError('DISK_FULL', 'the disk is full', { cause: system });
  const there = fromWords(structuredClone(wordsOf(error)));
  assert.ok(there instanceof StorageError);
  assert.deepEqual([there.code, there.message], [error.code, error.message]);
  const cause = there.cause as Error;
  assert.deepEqual([cause.message, (cause.cause as Error).message], ['a short write', 'Input/output error']);
  assert.equal(fromWords(wordsOf(new StorageError('STORE_STOPPED', 'no cause'))).cause, undefined);
});

const CHILD = `
  const { Store } = await import(${JSON.stringify(import.meta.resolve('./store.ts'))});
  const store = await Store.open(process.argv[1], { chainId: new Uint8Array(32).fill(4), thread: true });
  const nothing = new Uint8Array();
  const commit = (height) => store.commit({ height, timeMs: 1, header: nothing, body: nothing, receipts: nothing, changed: [] }, height);
  await commit((store.height ?? 0) + 1);
  const end = process.argv[2];
  if (end === 'close') await store.close();
  const last = commit((store.height ?? 0) + 1);
  if (end === 'throw') throw new Error('on purpose');
  if (end === 'close') await last.catch(() => {});
  else await last;
`;

test('a process ends by itself: with the store closed, left open, and when it fails in the middle', () =>
  inFolder(async (folder) => {
    for (const [end, code, height] of [
      ['close', 0, 1],
      ['leave', 0, 3],
      ['throw', 1, 4],
    ] as const) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, folder, end], { stdio: 'ignore', timeout: 60_000 });
      const [found, signal] = await once(child, 'exit');
      // A process that fails takes its threads down wherever they are: LMDB's binding has been seen to end it then, once in a thousand times.
      if (end !== 'throw' || signal !== 'SIGSEGV') assert.deepEqual([found, signal], [code, null], end);
      const store = await Store.open(folder, OPTIONS);
      assert.ok((store.height ?? 0) >= height, `${end}: ${store.height}`);
      await store.close();
    }
  }));
