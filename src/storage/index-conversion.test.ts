/** The index of an older version, converted in small steps that end anywhere, against the keys that it had. Through a store it is in store.test.ts. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BlockKeys } from './block-keys.ts';
import { convertIndex } from './index-conversion.ts';
import { accountTerm, boundKey, bytesOfKind, heightKey, U48_MAX } from './index-keys.ts';
import { IndexRuns } from './index-runs.ts';
import { keysBetween } from './run-lookup.ts';
import { readRuns, WHOLE } from './run-record.ts';
import { CONVERTING, FIRST, HEIGHT, StoreTables, type Write } from './store-tables.ts';

const NOTHING = new Uint8Array();
const FIRST_HEIGHT = 5;
const LAST_HEIGHT = 24;
const STEP_KEYS = 7;

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-conversion-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const addressOf = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;

function keysAt(height: number): Uint8Array {
  const keys = new BlockKeys();
  keys.begin(height, height * 10);
  for (let i = 0; i < 3; i++) keys.account(addressOf((height + i) % 6));
  keys.order(0, height % 4, 1);
  keys.transaction(new Uint8Array(32).fill(height), 0);
  keys.market(height % 3);
  return keys.finish();
}

/** As version 2 had it. */
async function writeOld(tables: StoreTables, from: number, to: number): Promise<void> {
  const [index, terms] = [tables.table('index'), tables.table('terms')];
  const writes: Write[] = [{ table: tables.meta, key: CONVERTING, value: NOTHING }];
  for (let height = from; height <= to; height++) {
    const keys = keysAt(height);
    writes.push({ table: terms, key: heightKey(height), value: keys });
    for (let at = 0; at < keys.length; at += bytesOfKind(keys[at] as number)) {
      writes.push({ table: index, key: keys.subarray(at, at + bytesOfKind(keys[at] as number)), value: NOTHING });
    }
    if (height === from) writes.push({ table: tables.meta, key: FIRST, value: heightKey(height) });
    writes.push({ table: tables.meta, key: HEIGHT, value: heightKey(height) });
  }
  await tables.write(writes);
  tables.renew();
}

function heightsOf(tables: StoreTables, account: number): number[] {
  const term = accountTerm(addressOf(account));
  const range = { least: boundKey(term, 0, false), greatest: boundKey(term, U48_MAX, true), from: 0, to: U48_MAX };
  const keys = keysBetween(tables, { ...range, limit: 1000, newestFirst: false });
  return keys.map((key) => Buffer.from(key).readUIntBE(term.length, 6));
}

function checkAll(tables: StoreTables): void {
  for (let account = 0; account < 6; account++) {
    const heights: number[] = [];
    for (let height = FIRST_HEIGHT; height <= LAST_HEIGHT; height++) if ((account - height + 600) % 6 < 3) heights.push(height);
    assert.deepEqual(heightsOf(tables, account), heights, `account ${account}`);
  }
  const terms = tables.table('terms');
  assert.deepEqual([tables.table('index').getKeysCount({}), terms.getKeysCount({})], [0, 0]);
  assert.equal(tables.meta.getBinary(CONVERTING), undefined);
}

test('wherever it ends, it is gone on with, and every key is there', async () => {
  for (let transactions = 0, isDone = false; !isDone; transactions++) {
    await inFolder(async (folder) => {
      let tables = new StoreTables(folder);
      await writeOld(tables, FIRST_HEIGHT, LAST_HEIGHT);
      const write = tables.write.bind(tables);
      let left = transactions;
      tables.write = (writes) => (left-- > 0 ? write(writes) : Promise.reject(new Error('ended')));
      isDone = await convertIndex(tables, STEP_KEYS).then(
        () => true,
        () => false,
      );
      await tables.close();
      tables = new StoreTables(folder);
      await convertIndex(tables, STEP_KEYS);
      checkAll(tables);
      await convertIndex(tables, STEP_KEYS);
      checkAll(tables);
      assert.deepEqual(
        readRuns(tables).map(({ state, from, to }) => [state, from, to]),
        [[WHOLE, FIRST_HEIGHT, LAST_HEIGHT]],
      );
      // What follows is a run of its own.
      await tables.write(new IndexRuns(tables).writes([{ height: LAST_HEIGHT + 1, keys: keysAt(LAST_HEIGHT + 1) }]));
      tables.renew();
      assert.ok(heightsOf(tables, (LAST_HEIGHT + 1) % 6).includes(LAST_HEIGHT + 1));
      await tables.close();
    });
  }
});

test('an empty store has nothing to convert', () =>
  inFolder(async (folder) => {
    const tables = new StoreTables(folder);
    await tables.write([{ table: tables.meta, key: CONVERTING, value: NOTHING }]);
    tables.renew();
    await convertIndex(tables);
    tables.renew();
    assert.deepEqual([readRuns(tables), tables.meta.getBinary(CONVERTING)], [[], undefined]);
    await tables.close();
  }));
