/** `heddle scenario crash` from outside: the fields that other programs read, exit codes, the report. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'heddle-scenario-'));
after(() => rmSync(folder, { recursive: true }));

const SMALL = ['--accounts', '400', '--markets', '6', '--data', join(folder, 'nowhere')];

function crash(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(import.meta.dirname, 'heddle.ts'), 'scenario', 'crash', ...args], { encoding: 'utf8' });
}

test('--json prints one object with the figures', () => {
  const { status, stdout, stderr } = crash(...SMALL, '--model', 'optimistic', '--workers', '2', '--seed', '7', '--json', '--compare');
  assert.match(stderr, /^note: built-in figures [^\n]*\n$/);
  assert.equal(status, 0);
  const json = JSON.parse(stdout);
  assert.deepEqual(Object.keys(json), [
    'forcedEvents',
    'liquidations',
    'backstops',
    'deleveragings',
    'covers',
    'negativeAccounts',
    'equityDrift',
    'openInterestImbalance',
    'worstBlocksToAction',
    'transactionsPerSecond',
    'stateRoot',
    'accounts',
    'markets',
    'blocks',
    'model',
    'workers',
    'executionsPerTransaction',
    'seconds',
    'transactions',
    'systemTransactions',
    'comparison',
  ]);
  assert.equal(json.forcedEvents, json.liquidations + json.backstops + json.deleveragings + json.covers);
  assert.ok(json.liquidations > 0 && json.backstops > 0 && json.deleveragings > 0);
  assert.equal(json.negativeAccounts, 0);
  assert.equal(json.equityDrift, 0);
  assert.equal(json.openInterestImbalance, 0);
  assert.ok(json.worstBlocksToAction <= 1);
  assert.ok(json.transactionsPerSecond > 0 && json.executionsPerTransaction >= 1);
  assert.match(json.stateRoot, /^[0-9a-f]{64}$/);
  assert.equal(json.accounts, 400);
  assert.equal(json.markets, 6);
  assert.equal(json.model, 'optimistic');
  assert.equal(json.workers, 2);
  assert.equal(json.comparison.length, 1);
  assert.equal(json.comparison[0].model, 'serial');
  assert.equal(json.comparison[0].stateRoot, json.stateRoot);
});

test('the summary says where the figures come from, and the report shows the day', () => {
  const report = join(folder, 'crash.html');
  const { status, stdout, stderr } = crash(...SMALL, '--model', 'serial', '--report', report);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assert.match(stdout, /^calibrated on +built-in figures of the 10 October 2025 cascade \(its tables are not in [^\n]*\)$/m);
  assert.match(stdout, /^breach to action +(the same block|at most 1 block later), for all of \d+ breaches$/m);
  assert.match(stdout, /^state root +[0-9a-f]{64}$/m);
  const html = readFileSync(report, 'utf8');
  assert.match(html, /Crash day: 400 accounts, 6 markets/);
  for (const title of ['What was forced', 'The backstop vault', 'Deleveraging by wave', 'From breach to action']) {
    assert.ok(html.includes(title), title);
  }
});

test('wrong options, a report that has no place and damaged tables end with one sentence', () => {
  const damaged = mkdtempSync(join(folder, 'damaged-'));
  writeFileSync(join(damaged, 'bad_debt_loser_waves.csv'), 'wave,t_start_ms\n1,2\n');
  for (const [args, message] of [
    [['--accounts', '10'], /integer from 200 to 600000/],
    [['--accounts', 'many'], /'--accounts <n>' argument 'many' is invalid/],
    [['--markets', '0'], /integer from 1 to 448/],
    [['--seed', '-1'], /integer from 0/],
    [['--model', 'fast'], /Allowed choices are serial, deterministic/],
    [['--frob'], /unknown option '--frob'/],
    [['--report', join(folder, 'no', 'crash.html')], /^error: cannot write the report/],
    [['--data', damaged], /^error: .*has no column t_end_ms, n_rows, deficit_usd/],
  ] as const) {
    const { status, stdout, stderr } = crash(...args);
    assert.equal(status, 1, args.join(' '));
    assert.match(stderr, message);
    assert.equal(stdout, '');
  }
});
