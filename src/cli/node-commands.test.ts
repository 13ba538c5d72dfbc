/** `heddle load, verify, snapshot, restore, prove` from outside: a node's life, what programs read, and what is refused in one sentence. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { verifyProof } from '../commitment/verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-node-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const node = join(folder, 'node');
const restored = join(folder, 'restored');
const file = join(folder, 'file');
const SERIAL = ['--model', 'serial', '--workers', '1'];

function heddle(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(import.meta.dirname, 'heddle.ts'), ...args], { encoding: 'utf8' });
}

function succeeds(...args: string[]): string {
  const { status, stdout, stderr } = heddle(...args);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

test('load, load again, verify, snapshot, restore, go on, prove', () => {
  const first = JSON.parse(succeeds('load', node, '--transactions', '1500', '--in-flight', '300', '--json', ...SERIAL));
  assert.deepEqual(first.refused, {});
  assert.ok(first.height > 1 && first.transactionsPerSecond > 0 && first.confirmed.p99Ms >= first.confirmed.p50Ms);
  const text = succeeds('load', node, '--transactions', '500', '--seed', '2', ...SERIAL);
  assert.match(text, /^transactions +500\nrefused +0\nrate +[\d,]+ a second\nto confirmed +p50 [\d.]+ ms, p99 [\d.]+ ms\nto settled +p50/);
  const found = JSON.parse(succeeds('verify', node, '--json', ...SERIAL));
  assert.equal(found.transactions, 2000);
  assert.deepEqual(found.wrong, []);
  assert.ok(found.height > first.height);

  const written = succeeds('snapshot', node, file);
  assert.match(written, new RegExp(`^state root +${found.stateRoot}$`, 'm'));
  assert.equal(succeeds('restore', file, restored), written);
  const longer = JSON.parse(succeeds('load', restored, '--transactions', '400', '--json', ...SERIAL));
  assert.ok(longer.height > found.height);
  assert.match(succeeds('verify', restored, ...SERIAL), /^blocks executed +1, 400 transactions\n(?:.*\n)*result +all is as it should be$/m);

  const key = '0100000003';
  const { height, root, proof, entries } = JSON.parse(succeeds('prove', node, key, '0xff01'));
  assert.equal(height, found.height);
  assert.equal(root, found.stateRoot);
  const proven = verifyProof(Buffer.from(root, 'hex'), Buffer.from(proof, 'hex'));
  const asHex = (bytes: Uint8Array | undefined) => (bytes === undefined ? null : Buffer.from(bytes).toString('hex'));
  const expected = proven.entries.map((entry) => ({ key: asHex(entry.key), value: asHex(entry.value) }));
  assert.deepEqual(entries, expected);
  const values = new Map(expected.map((entry) => [entry.key, entry.value]));
  assert.deepEqual([...values.keys()].sort(), [key, 'ff01']);
  assert.equal(values.get('ff01'), null);
  assert.match(String(values.get(key)), /^[0-9a-f]+$/);
});

test('prune: old bodies go, and what is left still verifies', () => {
  // All of it is of today.
  assert.match(succeeds('prune', node), /^blocks pruned +0\nbodies from +1\nheight +\d+\n$/);
  const pruned = JSON.parse(succeeds('prune', node, '--keep-days', '0', '--json'));
  assert.ok(pruned.pruned > 0 && pruned.first === pruned.height);
  assert.match(succeeds('prune', node), /^blocks pruned +0\nbodies from +\d+\nheight +\d+\n$/);
  assert.deepEqual(JSON.parse(succeeds('verify', node, '--json', ...SERIAL)).wrong, []);
});

test('what is wrong with the arguments or the files ends with one sentence', () => {
  const old = join(folder, 'old');
  writeFileSync(old, readFileSync(file).with(8, 9));
  const damaged = join(folder, 'damaged');
  const bytes = readFileSync(file);
  writeFileSync(damaged, bytes.with(bytes.length - 9, (bytes.at(-9) as number) ^ 4));
  const nowhere = join(folder, 'nowhere');
  for (const [args, message] of [
    [['verify', nowhere], /^error: .* is not the folder of a node: there is no genesis\.json in it\n$/],
    [['prune', nowhere], /^error: .* is not the folder of a node/],
    [['prove', nowhere, '01'], /^error: .* is not the folder of a node/],
    [['prove', node, 'zz'], /'zz' is invalid for argument 'keys'\. It must be 1 to 255 bytes in hexadecimal digits/],
    [['load', folder], /^error: .* is not empty: choose another folder/],
    [['load', node, '--transactions', '0'], /integer from 1 to/],
    [['restore', nowhere, join(folder, 'new')], /^error: cannot read the snapshot .*: there is no such file\n$/],
    [['restore', old, join(folder, 'new')], /^error: the snapshot .* is refused: the snapshot is of version 9/],
    [['restore', damaged, join(folder, 'new')], /^error: chunk \d+ of \d+ is damaged: take the snapshot again/],
    [['restore', file, node], /^error: .* is not empty/],
  ] as const) {
    const { status, stdout, stderr } = heddle(...args);
    assert.match(stderr, message);
    assert.equal(status, 1, args.join(' '));
    assert.equal(stdout, '');
  }
});

test('damage that is found ends with exit code 1, and says what it is', () => {
  const [name] = readdirSync(join(node, 'journal')).filter((one) => one.endsWith('.log')) as [string];
  const path = join(node, 'journal', name);
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.with(2000, (bytes[2000] as number) ^ 1));
  const { status, stdout, stderr } = heddle('verify', node, ...SERIAL);
  assert.equal(status, 1);
  assert.match(stdout, /^result +wrong in 1 place$/m);
  assert.match(stderr, /^wrong: journal-\d+\.log is damaged at byte \d+ /);
});

test('a command explains itself', () => {
  assert.match(succeeds('load', '--help'), /^Usage: heddle load \[options\] <folder>\n\nSends transfers and orders/);
  assert.match(succeeds('prove', '--help'), /heddle prove \.\/heddle-data 0100000003 /);
  assert.match(succeeds('--version'), /^\d+\.\d+\.\d+\n$/);
  assert.match(succeeds('--help'), /load .*verify .*snapshot .*restore .*prove /s);
});
