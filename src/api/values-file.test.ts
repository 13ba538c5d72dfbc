/** A file that cannot be used costs history, and never a start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceFile, SimulatedDisk } from '../storage/index.ts';
import { readValues, VALUES_FILE, ValuesFile } from './values-file.ts';

const CHAIN = new Uint8Array(32).fill(1);
const VALUES = { height: 7, series: [{ user: `0x${'a'.repeat(40)}`, deposited: 5n, points: [{ timeMs: 1, value: 6n, pnl: 1n }] }] };

test('what was written is read; what is missing, damaged or cannot be read is nothing', async () => {
  const disk = new SimulatedDisk();
  const told: string[] = [];
  const read = (): Promise<unknown> => readValues(disk, CHAIN, (why) => told.push(why));
  assert.equal(await read(), undefined);
  const failed: unknown[] = [];
  const file = new ValuesFile({ disk, chainId: CHAIN, values: () => VALUES, onError: (error) => failed.push(error) });
  disk.fail('append', 'ENOSPC');
  await file.save();
  assert.equal(failed.length, 1);
  await file.save();
  assert.deepEqual(await read(), VALUES);
  assert.deepEqual(told, []);
  disk.fail('read', 'EIO');
  assert.equal(await read(), undefined);
  await replaceFile(disk, VALUES_FILE, new Uint8Array(3));
  assert.equal(await read(), undefined);
  assert.equal(told.length, 2);
});
