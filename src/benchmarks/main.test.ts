/** The command as a user runs it, with small blocks. Looks at results, never at times. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...args: string[]): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

async function rowsOf(...args: string[]): Promise<{ row: Record<string, unknown>[]; latencies: Record<string, unknown>[] }> {
  const { code, stdout, stderr } = await bench(...args, '--json', '--quick', '--rounds', '1', '--workers', '1,2');
  assert.equal(code, 0, stderr);
  const found = JSON.parse(stdout);
  assert.equal(found.benchmark, args[0]);
  assert.equal(typeof found.calibrationBefore, 'number');
  assert.equal(typeof found.calibrationAfter, 'number');
  assert.equal(found.quick, true);
  for (const row of found.rows) {
    for (const field of ['workers', 'transactionsPerSecond', 'ratioToSerial', 'executionsPerTransaction', 'validationsPerTransaction']) {
      assert.ok(Number.isFinite(row[field]), `${row.variant}: ${field}`);
    }
    assert.equal(row.fallbacks, undefined, `${row.variant}: ${JSON.stringify(row.fallbacks)}`);
  }
  return { row: found.rows, latencies: found.latencies };
}

const variantsOf = (rows: readonly Record<string, unknown>[]): unknown[] => [...new Set(rows.map(({ variant }) => variant))];

test('transfers', async () => {
  const { row } = await rowsOf('transfers', '--accounts', '2,50', '--work', '0', '--block-size', '300');
  assert.equal(row.length, 2 * 2 * (1 + 5 * 2));
  assert.deepEqual(variantsOf(row), ['serial', 'optimistic', 'deterministic', 'deterministic, list', 'sharded', 'auto']);
});

for (const name of ['synthetic', 'hot', 'chain']) {
  test(name, async () => {
    const { row } = await rowsOf(name, '--work', '0', '--block-size', '300');
    assert.equal(row.length, (name === 'hot' ? 2 : 1) * (1 + 5 * 2));
  });
}

test('book, with latencies', async () => {
  const { row, latencies } = await rowsOf(
    'book',
    '--commands',
    '2000',
    '--block-size',
    '500',
    '--rates',
    '20000,100000',
    '--latency-seconds',
    '0.05',
  );
  assert.deepEqual(variantsOf(row), ['serial', 'serial, recording', 'optimistic', 'deterministic, list', 'auto']);
  assert.ok(
    row.filter(({ variant }) => variant === 'deterministic, list').every((entry) => Number(entry.accessListBytesPerTransaction) > 0),
  );
  assert.equal(latencies.length, 2 * 3);
});

for (const name of ['markets', 'follow', 'contention']) {
  test(name, async () => {
    const { row } = await rowsOf(name, '--commands', '2000', '--block-size', '500', '--no-latency');
    assert.ok(row.length > 0);
  });
}

test('commitment: charts instead of rows', async () => {
  const { code, stdout, stderr } = await bench('commitment', '--json', '--quick', '--rounds', '1');
  assert.equal(code, 0, stderr);
  const { rows, series } = JSON.parse(stdout);
  assert.deepEqual(rows, []);
  assert.equal(series.length, 3);
  for (const { title, x, lines } of series) {
    assert.deepEqual(x, [10_000, 100_000]);
    for (const { label, values } of lines) assert.ok(values.length === 2 && values.every(Number.isFinite), `${title}, ${label}`);
  }
});

test('api: a node and a client, charts instead of rows', async () => {
  const { code, stdout, stderr } = await bench('api', '--json', '--quick', '--rounds', '1');
  assert.equal(code, 0, stderr);
  const series = JSON.parse(stdout).series as { title: string; x: number[]; lines: { label: string; values: number[] }[] }[];
  const valuesOf = (title: string): number[] => {
    const found = series.find((chart) => chart.title === title);
    assert.ok(found !== undefined, title);
    return found.lines.flatMap(({ values }) => values);
  };
  assert.ok(valuesOf('Orders over the API').every((rate) => rate > 0));
  assert.equal(valuesOf('To signatures alone').length, 4);
  for (const way of ['single, WebSocket', 'single, HTTP']) assert.equal(valuesOf(`Until an order is acknowledged: ${way}`).length, 9);
  for (const way of ['WebSocket', 'HTTP']) {
    assert.ok(valuesOf(`Beyond capacity, ${way}: answers`).every((rate) => rate >= 0));
    // Three kinds, for four loads.
    const memory = valuesOf(`Beyond capacity, ${way}: memory of the node`);
    assert.equal(memory.length, 12);
    assert.ok(memory.every((mebibytes) => mebibytes > 0));
  }
});

test('compression: what is smaller, and which flows are left out', async () => {
  const args = ['compression', '--quick', '--rounds', '1', '--commands', '2000', '--block-size', '1000', '--data', 'nowhere'];
  const { code, stdout, stderr } = await bench(...args, '--json');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /no recordings in nowhere/);
  const { sizes, rows } = JSON.parse(stdout) as { sizes: Record<string, unknown>[]; rows: unknown[] };
  assert.deepEqual(rows, []);
  const bytes = (flow: string, blockSize: number, what: string, form: string): number => {
    const found = sizes.filter(({ parameters, ...row }) => {
      const { flow: name, blockSize: size } = parameters as Record<string, unknown>;
      return name === flow && size === blockSize && row.what === what && row.form === form;
    });
    assert.equal(found.length, 1, `${flow}, ${blockSize}, ${what}, ${form}`);
    return Number(found[0]?.bytes);
  };
  for (const flow of ['load', 'generated']) {
    for (const size of [1000, 50]) {
      assert.ok(bytes(flow, size, 'body', 'columns, zstd, book') < bytes(flow, size, 'body', 'rows, zstd'));
      assert.ok(bytes(flow, size, 'receipts', 'columns, zstd') < bytes(flow, size, 'receipts', 'zstd'));
      assert.ok(bytes(flow, size, 'access list', 'zstd') < bytes(flow, size, 'access list', 'plain'));
    }
    assert.ok(bytes(flow, 1000, 'snapshot', 'columns, zstd') < bytes(flow, 1000, 'snapshot', 'zstd'));
  }
});

test('dormant: what is left of an account', async () => {
  const { code, stdout, stderr } = await bench('dormant', '--quick', '--rounds', '1', '--json');
  assert.equal(code, 0, stderr);
  const { sizes } = JSON.parse(stdout) as { sizes: { what: string; form: string; bytes: number }[] };
  const bytes = (what: string, form: string): number => sizes.find((row) => row.what === what && row.form === form)?.bytes ?? 0;
  assert.ok(bytes('memory', 'awake, without pages') > 1000);
  assert.ok(bytes('memory', 'awake, with an order') > bytes('memory', 'awake, without pages'));
  assert.ok(bytes('memory', 'dormant') < 500);
  assert.ok(bytes('store', 'dormant') > 50);
});

test('a table and a page', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-'));
  try {
    const file = join(folder, 'report.html');
    const { code, stdout, stderr } = await bench('hot', '--quick', '--rounds', '1', '--work', '0', '--block-size', '100', '--report', file);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /quick run/);
    assert.match(stdout, /calibration before: \d/);
    assert.match(stdout, /to serial/);
    assert.match(readFileSync(file, 'utf8'), /<svg/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what there is, and what there is not', async () => {
  const list = await bench('--list');
  assert.equal(list.code, 0);
  for (const name of ['transfers', 'synthetic', 'book', 'markets', 'follow', 'compression', 'dormant', 'hot', 'chain', 'contention'])
    assert.match(list.stdout, new RegExp(`^${name} `, 'm'));
  const wrong = await bench('nothing');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /there is no benchmark 'nothing'/);
  assert.equal(wrong.stdout, '');
  const help = await bench('--help');
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--quick/);
});
