/** A file that cannot be used costs history, and never a start; what is in it is of one height. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { waitFor } from '../base/waits-for-tests.ts';
import { replaceFile, SimulatedDisk } from '../storage/index.ts';
import { type KeptValues, Views } from '../views/index.ts';
import { testGenesis } from './service-for-tests.ts';
import { readValues, VALUES_FILE, ValuesFile } from './values-file.ts';

const CHAIN = new Uint8Array(32).fill(1);
const addressOf = (account: number): string => `0x${(account + 1).toString(16).padStart(40, '0')}`;

test('what was written is read; what is missing, damaged or cannot be read is nothing', async () => {
  const { histories } = Views.open({ genesis: testGenesis() });
  histories.values.note(0, 1, 6n);
  const values = (): ReturnType<Views['valuesToKeep']> => ({ height: 7, ...histories.values.noted(), addressOf });
  const disk = new SimulatedDisk();
  const told: string[] = [];
  const read = (): Promise<unknown> => readValues(disk, CHAIN, (why) => told.push(why));
  assert.equal(await read(), undefined);
  const failed: unknown[] = [];
  const file = new ValuesFile({ disk, chainId: CHAIN, values, onError: (error) => failed.push(error) });
  disk.fail('append', 'ENOSPC');
  await file.save();
  assert.equal(failed.length, 1);
  await file.save();
  assert.deepEqual(await read(), {
    height: 7,
    series: [{ user: addressOf(0), deposited: 6n, points: [{ timeMs: 1, value: 6n, pnl: 0n }] }],
  });
  assert.deepEqual(told, []);
  disk.fail('read', 'EIO');
  assert.equal(await read(), undefined);
  await replaceFile(disk, VALUES_FILE, new Uint8Array(3));
  assert.equal(await read(), undefined);
  assert.equal(told.length, 2);
});

test('what is written is of one height, though blocks come while it is written', async () => {
  const { values } = Views.open({ genesis: testGenesis() }).histories;
  const accounts = Array.from({ length: 5_000 }, (_, account) => account);
  let height = 0;
  /** In each every account is noted, with its number and the height. */
  const block = (): void => {
    height++;
    values.atBlock(height);
    for (const account of accounts) values.note(account, height * 60_000, BigInt(account + height));
  };
  for (let i = 0; i < 4; i++) block();
  const disk = new SimulatedDisk();
  const file = new ValuesFile({
    disk,
    chainId: CHAIN,
    values: () => ({ height, ...values.noted(), addressOf }),
    onError: (error) => assert.fail(String(error)),
  });
  let isSaved = false;
  const saved = file.save().finally(() => {
    isSaved = true;
  });
  const blockAndTurn = (): Promise<void> => {
    block();
    return setImmediate();
  };
  await waitFor('the file', () => isSaved, { pause: blockAndTurn });
  await saved;
  const kept = (await readValues(disk, CHAIN, assert.fail)) as KeptValues;
  assert.ok(kept.height <= height - 3, `blocks up to ${height} have come, and ${kept.height} is written`);
  assert.equal(kept.series.length, accounts.length);
  kept.series.forEach(({ user, points }, account) => {
    assert.equal(user, addressOf(account));
    assert.deepEqual(
      points.map(({ timeMs, value }) => [timeMs, value]),
      Array.from({ length: kept.height }, (_, i) => [(i + 1) * 60_000, BigInt(account + i + 1)]),
    );
  });
});
