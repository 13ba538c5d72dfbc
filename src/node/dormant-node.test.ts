/**
 * Dormant accounts of a node: their values are in its store and nowhere else, and restarts, snapshots, verification and proofs take them
 * like any other records.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CODE_OK } from '../base/codes.ts';
import { CLASS_DORMANT } from '../exchange/layout.ts';
import { MemoryColdRecords } from '../execution/cold-records.ts';
import type { Transaction } from '../ledger/transactions.ts';
import { Store } from '../storage/index.ts';
import { createFolder, openFolder } from './folder.ts';
import type { Pipeline } from './pipeline.ts';
import { proveKey } from './prove-key.ts';
import { SAMPLE_ENGINE, sampleGenesis } from './sample-folder.ts';
import { restoreSnapshot, writeSnapshot } from './snapshot.ts';
import { StoredColdRecords } from './stored-cold-records.ts';
import { verifyFolder } from './verify-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'dormant-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const START_MS = 1_760_000_000_000;
const DAY_MS = 86_400_000;
const ACCOUNTS = 40;
const GENESIS = { ...sampleGenesis(ACCOUNTS), maxAccounts: ACCOUNTS + 8, dormantDays: 2 };
const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
const keyOf = (n: number): Uint8Array => Buffer.concat([Uint8Array.of(CLASS_DORMANT), Buffer.from(address(n).slice(2), 'hex')]);
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

/** Block `number`, a day after the one before: some accounts act, others are named, most do nothing for days. */
function transactions(number: number): Transaction[] {
  const recipient = address(2 + ((number * 11) % ACCOUNTS));
  return [
    { kind: 'transfer', sender: address(1), nonce: BigInt(START_MS + number * DAY_MS), recipient, token: 0, amount: 5n },
    { kind: 'deposit', sender: address(2 + ((number * 5) % ACCOUNTS)), amount: 7n },
    { kind: 'transfer', sender: address(1), recipient: address(1000 + (number % 3)), token: 0, amount: 1n },
  ];
}

async function open(dir: string): Promise<Pipeline> {
  let pipeline: Pipeline | undefined;
  const clock = (): number => START_MS + ((pipeline?.settled?.header.height ?? 0) + 1) * DAY_MS;
  pipeline = await openFolder(dir, { model: 'serial', engine: SAMPLE_ENGINE, joinMs: 0, clock });
  return pipeline;
}

/** Runs blocks up to this height in a node that starts and stops; the last header's hash. */
async function grow(dir: string, height: number): Promise<string> {
  const pipeline = await open(dir);
  for (let block = (pipeline.settled?.header.height ?? 0) + 1; block <= height; block++) {
    const tickets = transactions(block).map((transaction) => pipeline.submit(transaction));
    for (const { confirmed } of tickets) assert.equal((await confirmed).code, CODE_OK, `block ${block}`);
    await Promise.all(tickets.map(({ settled }) => settled));
  }
  await pipeline.close();
  return hex(pipeline.settled?.hash);
}

async function dormantIn(dir: string): Promise<string[]> {
  const pipeline = await open(dir);
  const found = [...pipeline.state.records()].filter(({ key }) => key[0] === CLASS_DORMANT).map(({ key }) => hex(key));
  await pipeline.close();
  return found;
}

const HEIGHT = 9;
const original = join(folder, 'original');

test('a node that stops and starts again every day ends in the hash of one that does not', async () => {
  await createFolder(original, GENESIS);
  const hash = await grow(original, HEIGHT);
  assert.ok((await dormantIn(original)).length > 10);
  const dir = join(folder, 'restarted');
  await createFolder(dir, GENESIS);
  for (let height = 1; height < HEIGHT; height++) await grow(dir, height);
  assert.equal(await grow(dir, HEIGHT), hash);
  rmSync(join(dir, 'store'), { recursive: true });
  assert.equal(await grow(dir, HEIGHT), hash, 'from the journal alone');
  assert.deepEqual(await dormantIn(dir), await dormantIn(original));
});

test('a restored node has them, and goes on like the original', async () => {
  const [file, dir] = [join(folder, 'file'), join(folder, 'restored')];
  await writeSnapshot(original, file);
  await restoreSnapshot(file, dir);
  assert.deepEqual(await dormantIn(dir), await dormantIn(original));
  const longer = await grow(original, HEIGHT + 6);
  assert.equal(await grow(dir, HEIGHT + 6), longer);
  for (const one of [original, dir]) {
    const { wrong, height } = await verifyFolder(one, { model: 'serial', workers: 1, engine: SAMPLE_ENGINE });
    assert.deepEqual(wrong, []);
    assert.equal(height, HEIGHT + 6);
  }
});

test('that an account is dormant can be proved, and what it has', async () => {
  const dormant = (await dormantIn(original))[0] as string;
  const { entries } = await proveKey(original, [Buffer.from(dormant, 'hex'), keyOf(1)]);
  const values = new Map(entries.map(({ key, value }) => [hex(key), value]));
  assert.ok((values.get(dormant)?.length ?? 0) > 40);
  assert.equal(values.get(hex(keyOf(1))), undefined, 'who acts every day is not');
});

test('what is kept of an account and is not what the state says breaks the node before it confirms anything', async () => {
  const dir = join(folder, 'damaged');
  await createFolder(dir, GENESIS);
  await grow(dir, HEIGHT);
  const [dormant] = await dormantIn(dir);
  const sender = `0x${(dormant as string).slice(2)}`;
  class Damaged extends MemoryColdRecords {
    override get(of: Uint8Array): Uint8Array | undefined {
      const value = super.get(of);
      return value?.with(9, (value[9] as number) ^ 64);
    }
  }
  const clock = (): number => START_MS + (HEIGHT + 1) * DAY_MS;
  const broken = await openFolder(dir, { model: 'serial', clock, engine: { ...SAMPLE_ENGINE, coldRecords: new Damaged() } });
  await assert.rejects(broken.submit({ kind: 'noop', sender }).confirmed, {
    code: 'PIPELINE_BROKEN',
    message: /not those that the state root/,
  });
  await assert.rejects(broken.close(), { code: 'PIPELINE_BROKEN' });
  // The block is in the journal: a node with a good store executes it.
  const repaired = await openFolder(dir, { model: 'serial', clock, engine: SAMPLE_ENGINE });
  assert.equal(repaired.settled?.header.height, HEIGHT + 1);
  await repaired.close();
});

test('between the end of a block and its commit the values are in memory, then in the store only', async () => {
  const store = await Store.open(join(folder, 'store'), { chainId: new Uint8Array(32) });
  try {
    const nothing = new Uint8Array(0);
    const commit = (height: number, changed: { key: Uint8Array; value: Uint8Array | undefined }[]): Promise<void> =>
      store.commit({ height, timeMs: height, header: nothing, body: nothing, receipts: nothing, changed }, height);
    const [a, b, c] = [3, 5, 4].map((n) => keyOf(n).subarray(1)) as [Uint8Array, Uint8Array, Uint8Array];
    await commit(0, [{ key: keyOf(3), value: Uint8Array.of(1) }]);
    const cold = new StoredColdRecords(store);
    const all = (): (readonly [string, string])[] => [...cold.entries()].map(([of, value]) => [hex(of), hex(value)] as const);
    // What comes from the store is not kept twice.
    cold.put(a, Uint8Array.of(1), 0);
    assert.deepEqual(all(), [[hex(a), '01']]);
    cold.put(b, Uint8Array.of(2), 1);
    cold.put(c, Uint8Array.of(3), 1);
    assert.deepEqual(all(), [
      [hex(a), '01'],
      [hex(c), '03'],
      [hex(b), '02'],
    ]);
    cold.remove(a, 2);
    cold.remove(c, 2);
    assert.deepEqual([cold.get(a), hex(cold.get(b)), cold.get(c)], [undefined, '02', undefined]);
    await commit(1, [
      { key: keyOf(5), value: Uint8Array.of(2) },
      { key: keyOf(4), value: Uint8Array.of(3) },
    ]);
    assert.deepEqual(all(), [[hex(b), '02']]);
    await commit(2, [
      { key: keyOf(3), value: undefined },
      { key: keyOf(4), value: undefined },
    ]);
    cold.put(a, Uint8Array.of(9), 3);
    assert.deepEqual(all(), [
      [hex(a), '09'],
      [hex(b), '02'],
    ]);
    await commit(3, [{ key: keyOf(3), value: Uint8Array.of(9) }]);
    cold.remove(b, 4);
    assert.deepEqual(all(), [[hex(a), '09']]);
    assert.equal(hex(cold.get(a)), '09');
  } finally {
    await store.close();
  }
});
