/** The journal on a real disk: there and back, one owner at a time, processes that are killed, disks that are full. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { Journal, type JournalBlock, RealDisk, type StorageError } from './index.ts';

const KILLS = 6;
const OPTIONS = { chainId: new Uint8Array(32).fill(1), segmentBytes: 200_000 };

const body = (number: number): Uint8Array => Uint8Array.from({ length: (number * 37) % 1500 }, (_, i) => (number * 31 + i * i) % 251);

const children = new Set<ChildProcess>();

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-storage-'));
  try {
    await use(folder);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true });
  }
}

async function contentOf(journal: Journal): Promise<JournalBlock[]> {
  return Array.fromAsync(journal.read(journal.first));
}

const codeIs = (code: StorageError['code'], message: RegExp) => (error: StorageError) => {
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

/** A process that appends blocks until it ends, and prints the number of each one that was confirmed; then the code of its error. */
const WRITER = `
  const { Journal } = await import(${JSON.stringify(import.meta.resolve('./journal.ts'))});
  const { RealDisk } = await import(${JSON.stringify(import.meta.resolve('./real-disk.ts'))});
  const { writeSync } = await import('node:fs');
  const options = { chainId: new Uint8Array(32).fill(1), segmentBytes: 200_000 };
  const body = ${body};
  if (process.argv[2] === 'nobody') process.setuid?.(65_534);
  try {
    const journal = await Journal.open(await RealDisk.open(process.argv[1]), options);
    writeSync(1, 'opened\\n');
    let next = journal.last + 1;
    const errors = [];
    while (errors.length === 0) {
      const appends = Array.from({ length: 1 + (next % 4) }, () => {
        const number = next++;
        return journal.append([{ number, body: body(number) }]).then(() => writeSync(1, number + '\\n'), (error) => errors.push(error));
      });
      await Promise.all(appends);
    }
    writeSync(1, errors[0].code + '\\n');
    await journal.close();
  } catch (error) {
    writeSync(1, error.code + ' ' + error.message + '\\n');
  }
`;

function writer(folder: string, { before = [] as string[], user = '' } = {}): { child: ChildProcess; lines: AsyncIterator<string> } {
  const command = [...before, process.execPath, '--input-type=module', '-e', WRITER, folder, user];
  const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  return { child, lines: createInterface(child.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]() };
}

test('there and back', () =>
  inFolder(async (folder) => {
    const disk = await RealDisk.open(join(folder, 'new', 'journal'));
    const journal = await Journal.open(disk, { ...OPTIONS, segmentBytes: 10_000 });
    for (let number = 1; number <= 400; number += 2) {
      await Promise.all([number, number + 1].map((n) => journal.append([{ number: n, body: body(n) }])));
    }
    await journal.prune(100);
    assert.ok(journal.first > 1);
    const expected = Array.from({ length: 401 - journal.first }, (_, i) => ({ number: journal.first + i, body: body(journal.first + i) }));
    assert.deepEqual(await contentOf(journal), expected);
    await journal.close();
    const again = await Journal.open(disk, { ...OPTIONS, confirmed: 400 });
    assert.deepEqual(await contentOf(again), expected);
    assert.equal(again.cutTail, undefined);
    await again.close();
  }));

test('one owner at a time, in this process and in others; the lock ends with its owner, however that ends', () =>
  inFolder(async (folder) => {
    const { child, lines } = writer(folder);
    assert.equal((await lines.next()).value, 'opened');
    await assert.rejects(
      Journal.open(await RealDisk.open(folder), OPTIONS),
      codeIs('FOLDER_LOCKED', new RegExp(`in use \\(process ${child.pid}.*stop that process`)),
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    const journal = await Journal.open(await RealDisk.open(folder), OPTIONS);
    await assert.rejects(Journal.open(await RealDisk.open(folder), OPTIONS), codeIs('FOLDER_LOCKED', /in use/));
    const other = writer(folder);
    assert.match((await other.lines.next()).value, /^FOLDER_LOCKED .* is in use/);
    await journal.close();
    await (await Journal.open(await RealDisk.open(folder), OPTIONS)).close();
  }));

test('processes that are killed lose nothing confirmed', () =>
  inFolder(async (folder) => {
    let confirmed = 0;
    for (let i = 0; i < KILLS; i++) {
      const { child, lines } = writer(folder);
      assert.equal((await lines.next()).value, 'opened');
      const until = confirmed + 1 + i * 23;
      for (let line = await lines.next(); !line.done; line = await lines.next()) {
        confirmed = Number(line.value);
        if (confirmed >= until) child.kill('SIGKILL');
      }
      const journal = await Journal.open(await RealDisk.open(folder), { ...OPTIONS, confirmed });
      const blocks = await contentOf(journal);
      assert.deepEqual(
        blocks,
        blocks.map((_, k) => ({ number: k + 1, body: body(k + 1) })),
      );
      confirmed = journal.last;
      await journal.close();
    }
    assert.ok(confirmed > KILLS);
  }));

test('a disk that is full: an error that says so, and nothing confirmed is lost', { skip: process.platform === 'win32' }, () =>
  inFolder(async (folder) => {
    // No file longer than so many blocks of 512 bytes (of 1024, in some shells).
    const { lines } = writer(folder, { before: ['sh', '-c', 'trap "" XFSZ; ulimit -f 100; exec "$@"', 'sh'] });
    assert.equal((await lines.next()).value, 'opened');
    let confirmed = 0;
    let last = '';
    for (let line = await lines.next(); !line.done; line = await lines.next()) {
      last = line.value;
      if (/^\d/.test(last)) confirmed = Number(last);
    }
    assert.equal(last, 'DISK_FULL');
    assert.ok(confirmed > 10);
    const journal = await Journal.open(await RealDisk.open(folder), { ...OPTIONS, confirmed });
    assert.equal((await contentOf(journal)).length, journal.last);
    await journal.close();
  }),
);

test('a folder that may not be written', { skip: process.platform === 'win32' }, () =>
  inFolder(async (folder) => {
    await chmod(folder, 0o555);
    // Root may write everywhere.
    const user = process.getuid?.() === 0 ? 'nobody' : '';
    for (const path of [folder, join(folder, 'journal')]) {
      assert.match((await writer(path, { user }).lines.next()).value, /^NO_PERMISSION .*let this user read and write/);
    }
  }),
);

test('a folder that is a file', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'file'), 'x');
    await assert.rejects(RealDisk.open(join(folder, 'file')), codeIs('DISK_FAILED', /making the folder/));
  }));

test('folders are made with those above them, and a place that takes none is refused at once', async () => {
  await inFolder(async (folder) => {
    const deep = join(folder, 'a', 'b', 'c');
    await Promise.all([RealDisk.open(deep), RealDisk.open(deep)]);
    assert.deepEqual(await (await RealDisk.open(deep)).list(), []);
    await writeFile(join(folder, 'file'), '');
    await assert.rejects(RealDisk.open(join(folder, 'file')), codeIs('DISK_FAILED', /making the folder .*EEXIST/));
    await assert.rejects(RealDisk.open(join(folder, 'file', 'below')), codeIs('DISK_FAILED', /making the folder .*ENOTDIR|EEXIST/));
  });
  // A file system that says ENOENT for every folder.
  if (existsSync('/proc/self')) await assert.rejects(RealDisk.open('/proc/heddle/chain'), /making the folder \/proc\/heddle/);
});
