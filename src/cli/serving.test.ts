/** `heddle dev` and `heddle start` as processes: they serve, say what is in force, stop when told to, and refuse what they cannot take. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { soon, waitFor } from '../base/waits-for-tests.ts';
import { devnetAccount } from '../devnet/devnet-keys.ts';
import { HeddleClient, SignerKey } from '../sdk/index.ts';

const HEDDLE = resolve(import.meta.dirname, 'heddle.ts');
const QUICK = ['--port', '0', '--workers', '1', '--signature-threads', '1'];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-serving-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** A test that fails leaves its process to this: while one lives, so does this file. */
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
});

class Running {
  readonly child: ChildProcess;
  output = '';
  errors = '';
  readonly ended: Promise<number | null>;
  private readonly url = Promise.withResolvers<string>();

  constructor(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [HEDDLE, ...args], { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.child);
    this.child.stdout?.on('data', (data) => {
      this.output += data;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(this.output);
      if (found !== null) this.url.resolve(found[0]);
    });
    this.child.stderr?.on('data', (data) => {
      this.errors += data;
    });
    this.ended = new Promise((done) => this.child.on('close', done));
    void this.ended.then(() => running.delete(this.child));
    void this.ended.then(() => this.url.reject(new Error(`ended: ${this.output}${this.errors}`)));
    this.url.promise.catch(() => {});
  }

  serving(): Promise<string> {
    return soon('a node that serves', this.url.promise);
  }

  stop(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return soon(`the end after ${signal}`, this.ended);
  }
}

async function ask(url: string, body: object): Promise<unknown> {
  return (await fetch(`${url}/info`, { method: 'POST', body: JSON.stringify(body) })).json();
}

test('dev: makes a chain, trades on it, and goes on from where it was stopped', async () => {
  const chain = join(folder, 'dev');
  const first = new Running(['dev', '--folder', chain, '--interval-ms', '50', ...QUICK]);
  const url = await first.serving();
  const { universe } = (await ask(url, { type: 'meta' })) as { universe: unknown[] };
  assert.equal(universe.length, 12);
  await waitFor('block 20', async () => (await ask(url, { type: 'settlement', height: 20 })) !== null);
  assert.equal(await first.stop('SIGINT'), 0);
  assert.match(first.output, /Accounts, 1,000,000 USDC of collateral each/);
  assert.match(first.output, /stopped at block \d+/);
  const stoppedAt = Number(/stopped at block (\d+)/.exec(first.output)?.[1]);
  assert.ok(stoppedAt >= 20);
  const second = new Running(['dev', '--folder', chain, '--simulation', 'off', ...QUICK]);
  const again = await second.serving();
  assert.notEqual(await ask(again, { type: 'settlement', height: stoppedAt }), null);
  assert.equal(await second.stop('SIGTERM'), 0);
  assert.match(second.output, new RegExp(`stopped at block ${stoppedAt};`));
});

test("start: a genesis of one's own, from a file, an environment and a command line", async () => {
  const printed = new Running(['genesis']);
  assert.equal(await printed.ended, 0);
  const genesis = join(folder, 'own.json');
  await writeFile(genesis, printed.output);
  const config = join(folder, 'config.json');
  await writeFile(
    config,
    JSON.stringify({ folder: join(folder, 'start'), genesis, limits: 'on', workers: 1, 'signature-threads': 1, port: 1 }),
  );
  const node = new Running(['start', '--config', config, '--port', '0'], { HEDDLE_WEIGHT_PER_MINUTE: '30', HEDDLE_LOG_LEVEL: 'info' });
  const url = await node.serving();
  assert.deepEqual(await (await fetch(`${url}/ready`)).json(), { status: 'ready' });
  assert.equal((await fetch(`${url}/info`, { method: 'POST', body: '{"type":"meta"}' })).status, 200);
  assert.equal((await fetch(`${url}/info`, { method: 'POST', body: '{"type":"meta"}' })).status, 429);
  assert.equal(await node.stop('SIGTERM'), 0);
  const logged = node.errors
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { configuration } = logged.find(({ msg }) => msg === 'configuration in force');
  assert.equal(configuration.port, 0);
  assert.equal(configuration['weight-per-minute'], 30);
  assert.equal(configuration.limits, 'on');
  assert.ok(!node.errors.includes('rivate'));
});

test('a kill in the middle of trading loses no order that was acknowledged', async () => {
  const chain = join(folder, 'killed');
  const first = new Running(['dev', '--folder', chain, '--simulation', 'off', ...QUICK]);
  const url = await first.serving();
  const client = new HeddleClient({ url, signer: new SignerKey(devnetAccount(0).privateKey) });
  const acknowledged: number[] = [];
  const enough = Promise.withResolvers<void>();
  const trading = Array.from({ length: 4 }, async (_, lane) => {
    for (let i = 0; ; i++) {
      try {
        const [answer] = await client.order([
          { a: 1, b: true, p: String(2000 + lane * 100 + i), s: '0.1', r: false, t: { limit: { tif: 'Gtc' } } },
        ]);
        acknowledged.push((answer as { resting: { oid: number } }).resting.oid);
        if (acknowledged.length === 100) enough.resolve();
      } catch (error) {
        // Behind enough of them it is the kill; before, there would never be enough.
        enough.reject(error);
        return;
      }
    }
  });
  await enough.promise;
  await first.stop('SIGKILL');
  await Promise.all(trading);
  client.close();
  const second = new Running(['dev', '--folder', chain, '--simulation', 'off', ...QUICK]);
  const open = (await ask(await second.serving(), { type: 'openOrders', user: devnetAccount(0).address })) as { oid: number }[];
  const found = new Set(open.map(({ oid }) => oid));
  assert.deepEqual(
    acknowledged.filter((oid) => !found.has(oid)),
    [],
  );
  assert.equal(await second.stop('SIGTERM'), 0);
});

test('what cannot be started is refused with what to do', async () => {
  const bad = join(folder, 'bad.json');
  await writeFile(bad, '{"nothing":1}');
  const worse = join(folder, 'worse.json');
  await writeFile(worse, '{"port":"x"}');
  const cases: readonly (readonly [args: readonly string[], text: RegExp])[] = [
    [['start', '--folder', join(folder, 'none')], /has no chain yet: give the genesis/],
    [['start', '--config', bad], /has an option nothing that is not known/],
    [['start', '--config', worse], /port is x\. It must be an integer/],
    [['start', '--config', join(folder, 'missing.json')], /cannot read the configuration/],
    [['start', '--genesis', bad, '--folder', join(folder, 'none')], /is damaged/],
    [['dev', '--port', '99999'], /It must be an integer from 0 to 65535/],
    [['dev', '--folder', folder], /is not empty/],
  ];
  for (const [args, text] of cases) {
    const run = new Running(args);
    assert.equal(await run.ended, 1, args.join(' '));
    assert.match(run.errors, text);
  }
});
