/** The command from outside: exit codes, what goes to which stream, and the fields that other programs read. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { sampleRecording } from '../market/sample-recording.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-'));
after(() => rmSync(folder, { recursive: true }));

const PERPETUAL = join(folder, 'perpetual.txt');
const SPOT = join(folder, 'spot.txt');
const BROKEN = join(folder, 'broken.txt');
const lines = sampleRecording({ updates: 200 });
writeFileSync(PERPETUAL, lines.join('\n'));
writeFileSync(SPOT, sampleRecording({ updates: 200, venue: 'spot', seed: 2 }).join('\n'));
writeFileSync(BROKEN, lines.with(150, 'nothing').join('\n'));

function heddle(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(import.meta.dirname, 'heddle.ts'), ...args], { encoding: 'utf8' });
}

test('--json prints one object with the figures', () => {
  const { status, stdout, stderr } = heddle(
    'replay',
    SPOT,
    PERPETUAL,
    '--json',
    '--model',
    'optimistic',
    '--workers',
    '2',
    '--markets',
    '2',
  );
  assert.equal(stderr, '');
  assert.equal(status, 0);
  const json = JSON.parse(stdout);
  assert.equal(json.source, 'perpetual.txt, oracle from spot.txt');
  assert.equal(json.model, 'optimistic');
  assert.equal(json.workers, 2);
  assert.equal(json.markets, 2);
  assert.equal(json.bookMismatches, 0);
  assert.ok(json.bookChecks > 400);
  assert.match(json.stateRoot, /^[0-9a-f]{64}$/);
  assert.match(json.receiptsRoot, /^[0-9a-f]{64}$/);
  for (const field of [
    'transactions',
    'blocks',
    'seconds',
    'transactionsPerSecond',
    'executionsPerTransaction',
    'validationsPerTransaction',
  ]) {
    assert.ok(json[field] > 0, field);
  }
  assert.equal(json.error, undefined);
});

test('all models leave the same roots, and the report shows them', () => {
  const report = join(folder, 'report.html');
  const { status, stdout, stderr } = heddle(
    'replay',
    PERPETUAL,
    '--json',
    '--model',
    'serial',
    '--workers',
    '2',
    '--block-size',
    '500',
    '--report',
    report,
  );
  assert.equal(stderr, '');
  assert.equal(status, 0);
  const json = JSON.parse(stdout);
  const models = json.comparison.map(({ model }: { model: string }) => model);
  assert.deepEqual(models, ['optimistic', 'deterministic', 'sharded', 'auto']);
  for (const run of json.comparison) {
    assert.equal(run.stateRoot, json.stateRoot, run.model);
    assert.equal(run.receiptsRoot, json.receiptsRoot, run.model);
  }
  const html = readFileSync(report, 'utf8');
  assert.match(html, /Replay of perpetual\.txt/);
  assert.match(html, /Workers in block/);
});

test('a damaged recording is replayed up to the damage, and ends with one message and exit code 1', () => {
  const { status, stdout, stderr } = heddle('replay', BROKEN, '--json', '--model', 'serial');
  assert.equal(status, 1);
  assert.match(stderr, /^error: .*broken\.txt: line 151: not a line of a recording[^\n]*\n$/);
  const json = JSON.parse(stdout);
  assert.equal(json.errorCode, 'BAD_LINE');
  assert.ok(json.transactions > 100);
  assert.equal(json.bookMismatches, 0);
  assert.ok(json.bookChecks > 50);

  const text = heddle('replay', BROKEN, '--model', 'serial');
  assert.equal(text.status, 1);
  assert.match(text.stdout, /^transactions +\d[\d,]* in \d+ blocks$/m);
});

test('a file that is not there, two of one kind, and a report that has no place', () => {
  for (const [args, message] of [
    [[join(folder, 'nowhere.gz')], /nowhere\.gz: there is no such file/],
    [[PERPETUAL, PERPETUAL], /both recordings of a perpetual market/],
    [[PERPETUAL, SPOT, SPOT], /at most one oracle/],
    [['--report', join(folder, 'no', 'report.html')], /cannot write the report/],
  ] as const) {
    const { status, stdout, stderr } = heddle('replay', ...args, '--json');
    assert.equal(status, 1);
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1);
    assert.equal(JSON.parse(stdout).transactions, 0);
    assert.equal(heddle('replay', ...args).stdout, '');
  }
});

test('wrong options are refused with a message', () => {
  for (const [args, message] of [
    [['--workers', '0'], /'--workers <n>' argument '0' is invalid/],
    [['--workers', '65'], /integer from 1 to 64/],
    [['--workers', '1.5'], /integer from 1 to 64/],
    [['--markets', '0'], /integer from 1 to 448/],
    [['--block-size', '0'], /integer from 1 to 65536/],
    [['--model', 'fast'], /Allowed choices are serial, deterministic/],
    [['--frob'], /unknown option '--frob'/],
  ] as const) {
    const { status, stdout, stderr } = heddle('replay', ...args);
    assert.equal(status, 1, args.join(' '));
    assert.match(stderr, message);
    assert.equal(stdout, '');
  }
});

test('without files the generated flow is run', () => {
  const { status, stdout } = heddle('replay', '--commands', '5000', '--model', 'deterministic', '--workers', '2');
  assert.equal(status, 0);
  assert.match(stdout, /^replayed +generated flow, 5,000 commands$/m);
  assert.match(stdout, /^book checks +1, all equal$/m);
});
