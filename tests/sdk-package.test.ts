/** The package `heddle-sdk` as its users get it: it runs without anything that only Node.js has, and its declarations compile by themselves. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { buildSdk } from '../scripts/build-sdk.ts';
import { L1_VECTORS, VECTOR_KEY } from '../src/sdk/signing-vectors.ts';

const root = resolve(import.meta.dirname, '..');
const folder = buildSdk();
const entry = pathToFileURL(join(folder, 'sdk/index.js')).href;

/** What a browser lacks is taken away before the package is loaded. */
const IN_A_BROWSER = `
const { parentPort, workerData } = require('node:worker_threads');
(async () => {
  for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate']) delete globalThis[name];
  const sdk = await import(workerData.entry);
  const sent = [];
  const client = new sdk.HeddleClient({
    url: 'http://127.0.0.1:1',
    chain: 'Mainnet',
    signer: new sdk.SignerKey(workerData.key),
    nonces: { next: () => workerData.nonce },
    fetch: async (url, init) => {
      sent.push(JSON.parse(init.body));
      return { status: 200, text: async () => JSON.stringify({ status: 'ok', response: { type: 'default' } }) };
    },
  });
  await client.send(JSON.parse(workerData.action));
  parentPort.postMessage(sent[0].signature);
})();
`;

test('it signs as it should where there is nothing of Node.js', async () => {
  for (const { action, nonce, mainnet, vaultAddress } of L1_VECTORS) {
    if (vaultAddress !== undefined) continue;
    const worker = new Worker(IN_A_BROWSER, { eval: true, workerData: { entry, key: VECTOR_KEY, action, nonce } });
    const signature = await new Promise((done, failed) => {
      worker.once('message', done);
      worker.once('error', failed);
    });
    await worker.terminate();
    assert.deepEqual(signature, mainnet.signature);
  }
});

test('it names what it depends on, and its declarations compile without this repository', () => {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  assert.deepEqual(Object.keys(dependencies), ['@noble/curves', '@noble/hashes']);
  const program = join(folder, 'program.ts');
  const lines = [
    "import { HeddleClient, limitOrder, SignerKey } from './sdk/index.js';",
    "const client = new HeddleClient({ url: '', signer: new SignerKey('') });",
    "const order = limitOrder({ asset: 0, side: 'buy', price: '1', size: '1' });",
    'const [answer] = await client.order([order]);',
    "if (typeof answer === 'object' && 'resting' in answer) answer.resting.oid satisfies number;",
    "client.subscribe({ type: 'trades', coin: 'BTC' }, { onMessage: ([trade]) => void (trade?.px satisfies string | undefined) });",
    '// @ts-expect-error there is no such side',
    "limitOrder({ asset: 0, side: 'up', price: '1', size: '1' });",
  ];
  writeFileSync(program, `${lines.join('\n')}\n`);
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'esnext',
    '--lib',
    'esnext,dom',
    '--types',
    '',
    '--ignoreConfig',
  ];
  const compiler = spawnSync(resolve(root, 'node_modules/.bin/tsc'), [...options, program], { cwd: folder, encoding: 'utf8' });
  assert.equal(compiler.status, 0, compiler.stdout);
});
