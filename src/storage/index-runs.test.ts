/**
 * Runs of the index with small chunks and few neighbours, so that they are merged often and deep: against all keys in one sorted list, over random
 * commits, prunings, ends between transactions and openings; and how much a transaction does.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../base/random.ts';
import { BlockKeys } from './block-keys.ts';
import {
  accountTerm,
  boundKey,
  bytesOfKind,
  clientIdTerm,
  heightAt,
  heightKey,
  marketKey,
  orderTerm,
  readU48,
  transactionTerm,
  U48_MAX,
} from './index-keys.ts';
import { IndexRuns, type KeysAdded, type RunLimits } from './index-runs.ts';
import { chunkKey } from './run-chunks.ts';
import { type KeyRange, keysBetween } from './run-lookup.ts';
import { DEAD, GROWING, readRuns, WHOLE } from './run-record.ts';
import { FIRST, StoreTables, type Write } from './store-tables.ts';

const LIMITS: RunLimits = { chunkBytes: 200, fanIn: 2, settledBytes: 20_000, stepBytes: 150, stepTimes: 6, removedChunks: 4 };
const MARKETS = 3;

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-runs-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const withTables = (use: (tables: StoreTables) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    const tables = new StoreTables(folder);
    try {
      await use(tables);
    } finally {
      await tables.close();
    }
  });

const addressOf = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
const clientIdOf = (n: number): string => `0x${n.toString(16).padStart(32, '0')}`;
const hashOf = (n: number): Uint8Array => new Uint8Array(32).fill(n + 1, 5);
const timeOf = (height: number): number => 1000 + Math.floor(height / 2) * 10;

/** Few names, so that everything has a long history. */
function randomKeys(random: Random, height: number, most: number): Uint8Array {
  const keys = new BlockKeys();
  keys.begin(height, timeOf(height));
  for (let index = random.below(most); index > 0; index--) {
    keys.account(addressOf(random.below(5)));
    if (random.chance(0.7)) keys.order(random.below(2), random.below(3), index);
    if (random.chance(0.5)) keys.clientId(addressOf(random.below(2)), clientIdOf(random.below(3)), index);
    if (random.chance(0.5)) keys.transaction(hashOf(random.below(4)), index);
    if (random.chance(0.5)) keys.market(random.below(MARKETS));
  }
  return keys.finish();
}

function splitKeys(bytes: Uint8Array): Buffer[] {
  const keys: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += bytesOfKind(bytes[at] as number)) {
    keys.push(Buffer.from(bytes.subarray(at, at + bytesOfKind(bytes[at] as number))));
  }
  return keys;
}

/** The naive twin: all keys in one list. */
class NaiveIndex {
  first = 0;
  private keys: Buffer[] = [];

  add(blocks: readonly KeysAdded[]): void {
    this.keys.push(...blocks.flatMap(({ keys }) => splitKeys(keys)));
    this.keys.sort(Buffer.compare);
  }

  between({ least, greatest, limit, newestFirst }: KeyRange): Buffer[] {
    const found = this.keys.filter((key) => {
      const height = readU48(key, heightAt(key[0] as number));
      return height >= this.first && Buffer.compare(key, least) >= 0 && Buffer.compare(key, greatest) <= 0;
    });
    return (newestFirst ? found.reverse() : found).slice(0, limit);
  }
}

function randomRange(random: Random, height: number): KeyRange {
  const newestFirst = random.chance(0.5);
  const limit = random.pick([1, 2, 7, 1000]);
  const [from, to] = random.chance(0.3) ? [0, U48_MAX] : [random.below(height + 2), random.below(height + 2)];
  const kind = random.pick(['account', 'order', 'clientId', 'transaction', 'market']);
  if (kind === 'market') {
    const market = random.below(MARKETS + 1);
    const [least, greatest] = [marketKey(market, timeOf(from), 0), marketKey(market, Math.min(timeOf(to), U48_MAX), U48_MAX)];
    return { least, greatest, from: 0, to: U48_MAX, limit, newestFirst };
  }
  const terms: { readonly [kind: string]: () => Uint8Array } = {
    account: () => accountTerm(addressOf(random.below(6))),
    order: () => orderTerm((BigInt(random.below(3)) << 32n) | BigInt(random.below(3))),
    clientId: () => clientIdTerm(addressOf(random.below(2)), clientIdOf(random.below(4))),
    transaction: () => transactionTerm(hashOf(random.below(5))),
  };
  const term = (terms[kind] as () => Uint8Array)();
  return { least: boundKey(term, from, false), greatest: boundKey(term, to, true), from, to, limit, newestFirst };
}

function checkLookups(tables: StoreTables, twin: NaiveIndex, random: Random, height: number): void {
  for (let i = 0; i < 12; i++) {
    const range = randomRange(random, height);
    assert.deepEqual(
      keysBetween(tables, range).map((key) => Buffer.from(key)),
      twin.between(range),
      JSON.stringify(range),
    );
  }
}

/** What is written: bytes of keys, chunks that go. */
function workOf(tables: StoreTables, writes: readonly Write[]): { readonly putBytes: number; readonly removed: number } {
  const ofChunks = writes.filter(({ table }) => table === tables.chunks);
  return {
    putBytes: ofChunks.reduce((sum, { value }) => sum + (value?.length ?? 0), 0),
    removed: ofChunks.filter(({ value }) => value === undefined).length,
  };
}

function checkWork(tables: StoreTables, blocks: readonly KeysAdded[], writes: readonly Write[], limits = LIMITS): void {
  const added = blocks.reduce((sum, { keys }) => sum + keys.length, 0);
  const merged = limits.stepBytes + limits.stepTimes * added;
  const { putBytes, removed } = workOf(tables, writes);
  // Each depth takes one key more at most, and there are few depths.
  assert.ok(putBytes <= added + merged + 10 * bytesOfKind(3), `${putBytes} bytes written, ${added} are new`);
  assert.ok(removed <= limits.removedChunks + merged / limits.chunkBytes, `${removed} chunks removed`);
}

/** Runs that count cover heights that do not meet; those they were made of are dead. */
function checkRuns(tables: StoreTables): void {
  const runs = readRuns(tables);
  const whole = runs.filter(({ state }) => state === WHOLE).sort((a, b) => a.from - b.from);
  for (const [i, run] of whole.entries()) assert.ok(i === 0 || (whole[i - 1]?.to as number) < run.from);
  for (const { number, bytes } of whole) {
    const chunks = [...tables.chunks.getRange({ start: chunkKey(number), end: chunkKey(number + 1) })];
    assert.equal(
      chunks.reduce((sum, { value }) => sum + value.length, 0),
      bytes,
    );
    for (const { key, value } of chunks) {
      assert.ok(value.length <= LIMITS.chunkBytes);
      assert.deepEqual(Buffer.from(key.subarray(6)), Buffer.from(value.subarray(value.length - key.length + 6)));
    }
  }
  const known = new Set(runs.map(({ number }) => number));
  for (const key of tables.chunks.getKeys({})) assert.ok(known.has(readU48(key)), 'chunks of no run');
}

const action = fc.constantFrom('commit', 'commit', 'commit', 'commit', 'several', 'nothing', 'prune', 'reopen', 'end');

test('lookups are those of one sorted list, whatever has been merged, pruned and stopped in between', async () => {
  let deepest = 0;
  let growing = 0;
  const property = async (seed: number, actions: readonly string[]): Promise<void> => {
    await inFolder(async (folder) => {
      const random = new Random(seed);
      const twin = new NaiveIndex();
      let tables = new StoreTables(folder);
      let runs = new IndexRuns(tables, LIMITS);
      let height = random.pick([0, 500]);
      for (const what of actions) {
        if (what === 'reopen') {
          await tables.close();
          tables = new StoreTables(folder);
          runs = new IndexRuns(tables, LIMITS);
        }
        const count = what === 'commit' || what === 'end' ? 1 : what === 'several' ? random.between(2, 9) : 0;
        const blocks = Array.from({ length: count }, (_, i) => ({ height: height + i, keys: randomKeys(random, height + i, 12) }));
        const writes = runs.writes(blocks);
        checkWork(tables, blocks, writes);
        if (what === 'end') {
          // Nothing of it gets to the disk.
          runs = new IndexRuns(tables, LIMITS);
          continue;
        }
        const pruned = what === 'prune' ? twin.first + random.below(1 + Math.floor(Math.max(0, height - 1 - twin.first) / 2)) : twin.first;
        await tables.write([...writes, { table: tables.meta, key: FIRST, value: heightKey(pruned) }]);
        tables.renew();
        twin.first = pruned;
        twin.add(blocks);
        height += count;
        checkRuns(tables);
        checkLookups(tables, twin, random, height);
        for (const run of readRuns(tables)) {
          deepest = Math.max(deepest, run.depth);
          if (run.state === GROWING) growing++;
        }
      }
      await tables.close();
    });
  };
  await fc.assert(fc.asyncProperty(fc.nat(), fc.array(action, { minLength: 60, maxLength: 160, size: 'max' }), property), { numRuns: 6 });
  assert.ok(deepest >= 4 && growing > 100, `depth ${deepest} was reached, ${growing} times something was being merged`);
});

test('runs are few, however many transactions there were, and what was merged goes', () =>
  withTables(async (tables) => {
    const random = new Random(2);
    const runs = new IndexRuns(tables, LIMITS);
    const transactions = 729;
    for (let height = 0; height < transactions; height++) {
      const blocks = [{ height, keys: randomKeys(random, height, 4) }];
      const writes = runs.writes(blocks);
      checkWork(tables, blocks, writes);
      await tables.write(writes);
      tables.renew();
    }
    // What is left to be done is done with transactions that add nothing.
    for (let writes = runs.writes([]); writes.length > 0; writes = runs.writes([])) {
      await tables.write(writes);
      tables.renew();
    }
    const left = readRuns(tables);
    const depths = Math.log(transactions) / Math.log(LIMITS.fanIn);
    assert.ok(left.length <= LIMITS.fanIn * depths, `${left.length} runs are left`);
    assert.equal(left.filter(({ state }) => state !== WHOLE).length, 0);
    checkRuns(tables);
  }));

test('a run that is large is not merged further', () =>
  withTables(async (tables) => {
    const random = new Random(3);
    const limits = { ...LIMITS, settledBytes: 1000 };
    const runs = new IndexRuns(tables, limits);
    for (let height = 0; height < 150; height++) {
      await tables.write(runs.writes([{ height, keys: randomKeys(random, height, 8) }]));
      tables.renew();
    }
    const whole = readRuns(tables).filter(({ state }) => state === WHOLE);
    assert.ok(whole.some(({ bytes }) => bytes >= limits.settledBytes));
    for (const { bytes } of whole) assert.ok(bytes < limits.settledBytes * limits.fanIn);
  }));

test('merging leaves out what has been pruned', () =>
  withTables(async (tables) => {
    const random = new Random(7);
    const runs = new IndexRuns(tables, { ...LIMITS, stepBytes: 2 ** 20 });
    const heights = 4;
    const blocks = Array.from({ length: LIMITS.fanIn * heights }, (_, height) => ({ height, keys: randomKeys(random, height, 20) }));
    for (let from = 0; from < blocks.length; from += heights) await tables.write(runs.writes(blocks.slice(from, from + heights)));
    const first = heights - 1;
    await tables.write([{ table: tables.meta, key: FIRST, value: heightKey(first) }]);
    await tables.write(runs.writes([]));
    tables.renew();
    const merged = readRuns(tables).filter(({ state }) => state === WHOLE);
    const kept = blocks.slice(first).reduce((sum, { keys }) => sum + keys.length, 0);
    assert.ok(blocks.slice(0, first).some(({ keys }) => keys.length > 0));
    assert.deepEqual(
      merged.map(({ depth, bytes }) => [depth, bytes]),
      [[1, kept]],
    );
    checkRuns(tables);
  }));

test('runs of nothing but what has been pruned are removed', () =>
  withTables(async (tables) => {
    const random = new Random(4);
    const runs = new IndexRuns(tables, LIMITS);
    const write = async (...more: Write[]): Promise<void> => {
      await tables.write([...runs.writes([]), ...more]);
      tables.renew();
    };
    for (let height = 0; height < 100; height++) {
      await tables.write(runs.writes([{ height, keys: randomKeys(random, height, 8) }]));
      tables.renew();
    }
    await write({ table: tables.meta, key: FIRST, value: heightKey(100) });
    await write();
    assert.ok(readRuns(tables).every(({ state }) => state === DEAD));
    for (let i = 0; i < 200; i++) await write();
    assert.deepEqual([readRuns(tables).length, tables.chunks.getKeysCount({})], [0, 0]);
  }));

/** Runs that are merged next, of one transaction each. */
async function writeNeighbours(tables: StoreTables): Promise<IndexRuns> {
  const random = new Random(5);
  const runs = new IndexRuns(tables, { ...LIMITS, stepBytes: 2 ** 20 });
  for (let height = 0; readRuns(tables).length < LIMITS.fanIn; height++) {
    await tables.write(runs.writes([{ height, keys: randomKeys(random, height, 60) }]));
    tables.renew();
  }
  return runs;
}

test('a chunk that is none is damage, whoever comes across it', () =>
  withTables(async (tables) => {
    const runs = await writeNeighbours(tables);
    const damaged = [...tables.chunks.getKeys({})].map((key) => ({ table: tables.chunks, key, value: Uint8Array.of(0, 1, 2) }));
    await tables.write(damaged);
    tables.renew();
    const term = accountTerm(addressOf(1));
    const range = { least: boundKey(term, 0, false), greatest: boundKey(term, 99, true), from: 0, to: 99, limit: 9 };
    for (const newestFirst of [false, true]) assert.throws(() => keysBetween(tables, { ...range, newestFirst }), { code: 'STORE_DAMAGED' });
    assert.throws(() => runs.writes([]), { code: 'STORE_DAMAGED' });
  }));

test('keys out of order are damage', () =>
  withTables(async (tables) => {
    const runs = await writeNeighbours(tables);
    const several = [...tables.chunks.getRange({})].find((chunk) => chunk.value.length > bytesOfKind(chunk.value[0] as number));
    const { key, value } = several as { readonly key: Uint8Array; readonly value: Uint8Array };
    const keyBytes = bytesOfKind(value[0] as number);
    const turned = Buffer.concat([value.subarray(keyBytes), value.subarray(0, keyBytes)]);
    await tables.write([{ table: tables.chunks, key, value: turned }]);
    tables.renew();
    assert.throws(() => runs.writes([]), { code: 'STORE_DAMAGED', message: /out of order/ });
  }));
