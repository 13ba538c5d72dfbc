/** Snapshots: a restored node ends where the original does, and no byte of a snapshot can be another. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Random } from '../base/random.ts';
import { createFolder } from './folder.ts';
import { growFolder, sampleFolder, sampleGenesis } from './sample-folder.ts';
import { restoreSnapshot, type SnapshotSummary, writeSnapshot } from './snapshot.ts';

const folder = mkdtempSync(join(tmpdir(), 'snapshot-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const original = join(folder, 'original');
const file = join(folder, 'file');
/** Enough for several chunks. */
const ACCOUNTS = 1500;
const HEIGHT = 4;
let hash: string;
let written: SnapshotSummary;

before(async () => {
  hash = await sampleFolder(original, HEIGHT, ACCOUNTS);
  written = await writeSnapshot(original, file);
});

test('a restored node goes on and ends in the hash of the original', async () => {
  assert.ok(written.chunks > 1);
  assert.equal(Buffer.from(written.hash).toString('hex'), hash);
  const dir = join(folder, 'restored');
  assert.deepEqual(await restoreSnapshot(file, dir), written);
  assert.equal(await growFolder(dir, HEIGHT), hash);
  const later = await growFolder(original, HEIGHT + 5);
  assert.equal(await growFolder(dir, HEIGHT + 5), later);
  // Also without its store, which is made from the snapshot and the journal again.
  rmSync(join(dir, 'store'), { recursive: true });
  assert.equal(await growFolder(dir, HEIGHT + 5), later);
  const again = join(folder, 'again');
  const other = await writeSnapshot(dir, again);
  assert.deepEqual(await writeSnapshot(original, file), other);
  assert.deepEqual(readFileSync(again), readFileSync(file), 'two nodes in one state make one snapshot');
});

test('every flipped byte is refused, and nothing is left behind', async () => {
  const bytes = readFileSync(file);
  const random = new Random(3);
  const positions = Array.from({ length: 64 }, (_, i) => i).concat(
    Array.from({ length: 60 }, () => random.below(bytes.length)),
    Array.from({ length: 30 }, (_, i) => bytes.length - 1 - i * 997),
  );
  const damaged = join(folder, 'damaged');
  const dir = join(folder, 'refused');
  for (const position of positions) {
    writeFileSync(damaged, bytes.with(position, (bytes[position] as number) ^ (1 << random.below(8))));
    await assert.rejects(
      restoreSnapshot(damaged, dir),
      ({ code }) => code === 'BAD_SNAPSHOT' || code === 'WRONG_VERSION',
      `byte ${position}`,
    );
  }
  for (const length of [0, 20, 48, 1000, bytes.length - 1]) {
    writeFileSync(damaged, bytes.subarray(0, length));
    await assert.rejects(restoreSnapshot(damaged, dir), { code: 'BAD_SNAPSHOT' });
  }
  writeFileSync(damaged, Buffer.concat([bytes, Buffer.of(0)]));
  await assert.rejects(restoreSnapshot(damaged, dir), { code: 'BAD_SNAPSHOT' });
  writeFileSync(damaged, bytes.with(bytes.length - 1, (bytes.at(-1) as number) ^ 1));
  await assert.rejects(restoreSnapshot(damaged, dir), {
    message: new RegExp(`chunk ${written.chunks - 1} of ${written.chunks} is damaged`),
  });
  assert.ok(!existsSync(dir));
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('refused')),
    [],
  );
});

test('what cannot be written, read or restored is said', async () => {
  await assert.rejects(restoreSnapshot(join(folder, 'nowhere'), join(folder, 'new')), { code: 'CANNOT_READ' });
  await assert.rejects(restoreSnapshot(file, original), { code: 'FOLDER_EXISTS' });
  await assert.rejects(writeSnapshot(original, join(folder, 'no', 'file')), { code: 'CANNOT_WRITE' });
  const taken = join(folder, 'taken');
  mkdirSync(taken);
  await assert.rejects(writeSnapshot(original, taken), { code: 'CANNOT_WRITE' });
  assert.ok(!existsSync(`${taken}.new`), 'what was written under another name is removed');
  await assert.rejects(writeSnapshot(join(folder, 'nowhere'), file), { code: 'NO_FOLDER' });
  const dir = join(folder, 'empty');
  await createFolder(dir, sampleGenesis());
  await assert.rejects(writeSnapshot(dir, join(folder, 'none')), { code: 'NO_STORE' });
  await growFolder(dir, 0);
  await assert.rejects(writeSnapshot(dir, join(folder, 'none')), { code: 'NOTHING_SETTLED' });
});
