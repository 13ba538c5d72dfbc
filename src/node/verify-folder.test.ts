/** Verification finds what is planted, names the block and what differs, and finds nothing where nothing is. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type BlockHeader, decodeHeader, encodeHeader } from '../commitment/header.ts';
import { Store } from '../storage/index.ts';
import { createFolder, openFolder } from './folder.ts';
import { genesisHash } from './genesis-hash.ts';
import { pruneFolder } from './pruning.ts';
import { growFolder, SAMPLE_ENGINE, sampleFolder, sampleGenesis } from './sample-folder.ts';
import { restoreSnapshot, writeSnapshot } from './snapshot.ts';
import { type Verification, verifyFolder } from './verify-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'verify-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const original = join(folder, 'original');
const HEIGHT = 5;

before(async () => {
  await sampleFolder(original, HEIGHT);
});

function copied(name: string): string {
  const dir = join(folder, name);
  cpSync(original, dir, { recursive: true });
  return dir;
}

function verify(dir: string, model: 'serial' | 'optimistic' = 'serial'): Promise<Verification> {
  return verifyFolder(dir, { model, workers: 2, engine: SAMPLE_ENGINE });
}

interface Planted {
  readonly header?: (header: BlockHeader) => BlockHeader;
  readonly body?: (height: number, body: Uint8Array) => Uint8Array;
  readonly value?: (value: Uint8Array, i: number) => Uint8Array;
}

/** The store is written anew, with what is planted in it. */
async function replant(dir: string, { header = (one) => one, body = (_, one) => one, value = (one) => one }: Planted): Promise<void> {
  const chainId = genesisHash(sampleGenesis());
  const from = await Store.open(join(dir, 'store'), { chainId });
  const to = await Store.open(join(dir, 'planted'), { chainId });
  const records = from.records();
  const changed = Array.from(records, (record, i) => ({ key: record.key.slice(), value: value(record.value.slice(), i) }));
  records.close();
  for (let height = 0; height <= HEIGHT; height++) {
    const found = header(decodeHeader(from.header(height) as Uint8Array));
    await to.commit(
      {
        height,
        timeMs: found.timeMs,
        header: encodeHeader(found),
        body: body(height, from.body(height) as Uint8Array),
        receipts: from.receipts(height) as Uint8Array,
        changed: height === 0 ? changed : [],
      },
      HEIGHT,
    );
  }
  await Promise.all([from.close(), to.close()]);
  rmSync(join(dir, 'store'), { recursive: true });
  cpSync(join(dir, 'planted'), join(dir, 'store'), { recursive: true });
}

function flipped(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (byte, i) => (i === 0 ? byte ^ 1 : byte));
}

test('a sound folder is found to be sound, under each model, with and without a store', async () => {
  const dir = copied('sound');
  const progress: number[] = [];
  const found = await verifyFolder(dir, { model: 'serial', workers: 1, engine: SAMPLE_ENGINE }, (done) => progress.push(done));
  assert.deepEqual(found.wrong, []);
  assert.deepEqual(found.notes, []);
  assert.deepEqual([found.blocks, found.transactions, found.height, found.headers], [HEIGHT, HEIGHT * 12, HEIGHT, HEIGHT]);
  assert.ok(found.records > 64);
  assert.deepEqual(progress, [1, 2, 3, 4, 5]);
  const optimistic = await verify(dir, 'optimistic');
  assert.deepEqual(optimistic.wrong, []);
  assert.equal(optimistic.stateRoot, found.stateRoot);
  await replant(dir, {});
  assert.deepEqual((await verify(dir)).wrong, []);
  rmSync(join(dir, 'store'), { recursive: true });
  const alone = await verify(dir);
  assert.deepEqual(alone.wrong, []);
  assert.equal(alone.stateRoot, found.stateRoot);
  assert.match(alone.notes.join(), /no store/);
});

test('a byte that flipped in the journal', async () => {
  const dir = copied('journal');
  const [name] = readdirSync(join(dir, 'journal')).filter((file) => file.endsWith('.log')) as [string];
  const path = join(dir, 'journal', name);
  const bytes = readFileSync(path);
  for (const share of [0.1, 0.5, 0.9]) {
    writeFileSync(path, bytes.with(Math.floor(bytes.length * share), (bytes[Math.floor(bytes.length * share)] as number) ^ 16));
    const { wrong } = await verify(dir);
    assert.equal(wrong.length, 1);
    assert.match(wrong[0] as string, /journal-0+1\.log is damaged at byte \d+/);
  }
});

test('a value in the store that is another', async () => {
  const dir = copied('value');
  await replant(dir, { value: (value, i) => (i === 20 ? flipped(value) : value) });
  const { wrong } = await verify(dir);
  assert.equal(wrong.length, 1);
  assert.match(
    wrong[0] as string,
    /^block 5: the records in the store have the root [0-9a-f]{64}, the stateRoot of its header is [0-9a-f]{64}$/,
  );
});

test('a wrong root, and the chain behind it', async () => {
  for (const name of ['stateRoot', 'receiptsRoot', 'transactionsRoot'] as const) {
    const dir = copied(name);
    await replant(dir, { header: (header) => (header.height === 3 ? { ...header, [name]: flipped(header[name]) } : header) });
    const { wrong } = await verify(dir);
    assert.equal(wrong.length, 2);
    assert.match(wrong[0] as string, /^block 4: its header's parentHash is [0-9a-f]{64}, the hash of the one before is [0-9a-f]{64}$/);
    assert.match(wrong[1] as string, new RegExp(`^block 3: ${name} is [0-9a-f]{64} in the store, [0-9a-f]{64} by executing the journal$`));
  }
});

test('a body that is not the journal’s, a genesis that is damaged, and a store of another chain', async () => {
  const dir = copied('body');
  await replant(dir, { body: (height, body) => (height === 2 ? flipped(body) : body) });
  assert.deepEqual((await verify(dir)).wrong, ['block 2: the store has another value for its body than executing the journal gives']);
  const path = join(dir, 'genesis.json');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.slice(1));
  assert.match((await verify(dir)).wrong.join(), /genesis\.json is damaged/);
  writeFileSync(path, text.replace('"takerFeePpm":450', '"takerFeePpm":451'));
  assert.match((await verify(dir)).wrong.join(), /belongs to the chain/);
  await assert.rejects(verify(join(folder, 'nowhere')), { code: 'NO_FOLDER' });
});

test('a folder that was restored is executed from its snapshot on', async () => {
  const file = join(folder, 'snapshot');
  await writeSnapshot(original, file);
  const dir = join(folder, 'restored');
  await restoreSnapshot(file, dir);
  await growFolder(dir, HEIGHT + 3);
  const found = await verify(dir);
  assert.deepEqual(found.wrong, []);
  assert.deepEqual([found.blocks, found.height, found.headers], [3, HEIGHT + 3, 3]);
  rmSync(join(dir, 'snapshot'));
  const without = await verify(dir);
  assert.deepEqual([without.wrong, without.blocks, without.height], [[], 0, HEIGHT + 3]);
  assert.match(
    without.notes.join(),
    /^blocks before 6 have been pruned: those up to 8 were compared with their headers, not executed again$/,
  );
  rmSync(join(dir, 'store'), { recursive: true });
  assert.match((await verify(dir)).wrong.join(), /the journal begins with block 6, and there is no state of the one before/);
});

test('a folder that was pruned: what is left is compared, headers stay, and the node goes on', async () => {
  const dir = join(folder, 'pruned');
  await createFolder(dir, sampleGenesis());
  const small = { model: 'serial', engine: SAMPLE_ENGINE, journalSegmentBytes: 500 } as const;
  // A block every ten seconds, one of which is kept while the node runs.
  let now = 1_760_000_000_000;
  const grow = async (blocks: number, keepMs: number) => {
    const pipeline = await openFolder(dir, { ...small, joinMs: 0, keepMs, clock: () => (now += 10_000) });
    for (let i = 0; i < blocks; i++) {
      await pipeline.submit({ kind: 'noop', sender: sampleGenesis().accounts[0]?.address as string, nonce: BigInt(now + i) }).settled;
    }
    await pipeline.close();
  };
  await grow(70, 100_000);
  const first = (await pruneFolder(dir, 0)).first;
  assert.ok(first > 40 && first < 64, `bodies from ${first}`);
  const { pruned, height } = await pruneFolder(dir, now - 50_000);
  assert.ok(pruned > 0 && height === 70);
  assert.equal((await pruneFolder(dir, now - 50_000)).pruned, 0);
  const found = await verify(dir);
  assert.deepEqual([found.wrong, found.blocks, found.height, found.headers], [[], 0, 70, 70]);
  assert.match(found.notes.join(), /have been pruned/);
  await grow(3, 1e9);
  assert.deepEqual((await verify(dir)).wrong, []);
  // Nothing stands for what was pruned but the store.
  rmSync(join(dir, 'store'), { recursive: true });
  await assert.rejects(openFolder(dir, small), { code: 'JOURNAL_PRUNED' });
  await assert.rejects(pruneFolder(dir, now), { code: 'NO_STORE' });
});
