/** The examples against a node: they trade and stop as they say, and what cannot work ends with a sentence. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { startService, type TestService } from '../src/api/service-for-tests.ts';
import { soon, waitFor } from '../src/base/waits-for-tests.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** Private keys of the test service's accounts are their numbers from 1 on; this one is of nobody. */
const UNKNOWN_KEY = '0f'.repeat(32);
const key = (index: number): string => (index + 1).toString(16).padStart(64, '0');

let node: TestService;
before(async () => {
  node = await startService();
});
after(() => node.close());

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** Runs an example; once it has printed what `until` matches, does something and asks it to stop. */
async function run(file: string, options: readonly string[], until?: RegExp, meanwhile?: () => Promise<void>): Promise<Ended> {
  const child = spawn(process.execPath, [`examples/${file}`, '--url', node.service.url, ...options], { cwd: ROOT });
  let text = '';
  const ended = once(child, 'close');
  const matched = new Promise<void>((done) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (until?.test(text)) done();
      });
    }
  });
  try {
    await soon(`${file} to say ${until} or end`, Promise.race([matched, ended]));
    if (until !== undefined && child.exitCode === null) {
      await meanwhile?.();
      child.kill('SIGINT');
    }
    const [code] = await soon(`the end of ${file}`, ended);
    return { code, text };
  } finally {
    child.kill('SIGKILL');
  }
}

for (const [file, more] of [
  ['market-maker.ts', []],
  ['hedger.ts', ['--of', `0x${'1'.repeat(40)}`]],
] as const) {
  test(`${file} says that there is no such account, and ends`, async () => {
    const { code, text } = await run(file, ['--key', UNKNOWN_KEY, '--coin', 'ETH', ...more]);
    assert.equal(code, 1, text);
    assert.match(text, /^there is no account 0x[0-9a-f]{40}: [^\n]*\n$/);
  });
}

test('an agent is told whose key the example wants', async () => {
  const owner = node.client(1);
  const { address } = node.client(9);
  await owner.approveAgent({ agentAddress: address, agentName: 'example' });
  const { code, text } = await run('market-maker.ts', ['--key', key(9)]);
  assert.equal(code, 1, text);
  assert.match(text, new RegExp(`${address} is an agent of ${owner.address}`));
});

test('the market maker quotes both sides, and takes its quotes away when it is stopped', async () => {
  const client = node.client(2);
  const openSides = async (): Promise<string[]> => {
    const open = await client.info({ type: 'openOrders', user: client.address });
    return open.map(({ side }) => side).sort();
  };
  const { code, text } = await run('market-maker.ts', ['--key', key(2), '--coin', 'ETH', '--size', '0.1'], /quotes 0\.1 ETH/, async () => {
    await waitFor('quotes on both sides', async () => (await openSides()).length >= 2);
    assert.deepEqual(await openSides(), ['A', 'B']);
  });
  assert.equal(code, 0, text);
  assert.match(text, /position 0 ETH/);
  assert.deepEqual(await openSides(), []);
});
