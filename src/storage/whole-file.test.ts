/** Files that are replaced as a whole: after a loss of power at any step there is one of them, and none is mixed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { type DiskStep, SimulatedDisk } from './simulated-disk.ts';
import { readFile, replaceFile } from './whole-file.ts';

const filled = (value: number, length: number): Uint8Array => new Uint8Array(length).fill(value);
const FIRST = filled(1, 1500);
const SECOND = filled(2, 2100);

async function writtenTwice(): Promise<{ readonly steps: readonly DiskStep[]; readonly between: number }> {
  const disk = new SimulatedDisk();
  await replaceFile(disk, 'file', FIRST);
  const between = disk.trace.length;
  await replaceFile(disk, 'file', SECOND);
  return { steps: disk.trace, between };
}

test('what was replaced is read again, and what is not there is nothing', async () => {
  const disk = new SimulatedDisk();
  assert.equal(await readFile(disk, 'file'), undefined);
  await replaceFile(disk, 'file', FIRST);
  assert.deepEqual(await readFile(disk, 'file'), FIRST);
  await replaceFile(disk, 'file', new Uint8Array());
  assert.deepEqual(await readFile(disk, 'file'), new Uint8Array());
});

test('after a loss of power at any step the file is old or new, and new once it was said to be', async () => {
  const { steps, between } = await writtenTwice();
  for (let cut = between; cut <= steps.length; cut++) {
    for (let seed = 0; seed < 40; seed++) {
      const disk = SimulatedDisk.replay(steps.slice(0, cut)).crash(new Random(seed));
      const found = await readFile(disk, 'file');
      const isNew = found?.length === SECOND.length;
      assert.deepEqual(found, isNew ? SECOND : FIRST, `step ${cut}, seed ${seed}`);
      if (cut === steps.length) assert.ok(isNew, `seed ${seed}`);
      // Whatever has been left behind is in nobody's way.
      await replaceFile(disk, 'file', FIRST);
      assert.deepEqual(await readFile(disk, 'file'), FIRST);
    }
  }
});

test('a write that fails leaves the old file, and another one can follow', async () => {
  for (const operation of ['append', 'sync', 'rename'] as const) {
    const disk = new SimulatedDisk();
    await replaceFile(disk, 'file', FIRST);
    disk.fail(operation, 'ENOSPC');
    await assert.rejects(replaceFile(disk, 'file', SECOND), { code: 'DISK_FULL' });
    assert.deepEqual(await readFile(disk, 'file'), FIRST);
  }
});
