/** A thread changes its own nice value, and no other one's. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

const MODULE = new URL('./thread-nice.ts', import.meta.url).href;
const skip = process.platform === 'linux' ? false : 'only Linux has nice values of threads';

/** Of the threads of this process: how many have which value. */
function counts(): Map<number, number> {
  const found = new Map<number, number>();
  for (const thread of readdirSync('/proc/self/task')) {
    const fields = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const nice = Number(fields[16]);
    found.set(nice, (found.get(nice) ?? 0) + 1);
  }
  return found;
}

/** What a thread is told that asks for a value, and what the values are then. */
async function afterAsking(nice: number): Promise<{ readonly told: boolean; readonly after: Map<number, number> }> {
  const code = `const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(MODULE)}).then(({ setThreadNice }) => parentPort.postMessage(setThreadNice(${nice})));
    parentPort.on('message', () => {});`;
  const worker = new Worker(code, { eval: true });
  try {
    const told = await new Promise<boolean>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    return { told, after: counts() };
  } finally {
    await worker.terminate();
  }
}

for (const nice of [7, -3]) {
  test(`a thread asks for ${nice}`, { skip }, async () => {
    const before = counts();
    const { told, after } = await afterAsking(nice);
    if (nice > 0) assert.ok(told, 'anybody may step back');
    assert.equal(after.get(nice) ?? 0, (before.get(nice) ?? 0) + (told ? 1 : 0));
    for (const [value, threads] of before) assert.ok((after.get(value) ?? 0) >= threads, `threads of ${value}`);
  });
}

test('a value that there is not changes nothing', { skip }, async () => {
  const { told, after } = await afterAsking(100);
  assert.equal(told, false);
  assert.equal(after.has(100), false);
});
