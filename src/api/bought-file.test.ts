/** What addresses have bought is there after any end of the process, and a damaged file is not taken for an empty one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { replaceFile, SimulatedDisk } from '../storage/index.ts';
import { BOUGHT_FILE, BoughtFile, readBought } from './bought-file.ts';
import { AddressBudgets, limitDefaults } from './rate-limits.ts';

const USER = `0x${'a'.repeat(40)}`;
const OTHER = `0x${'b'.repeat(40)}`;
const LIMITS = { ...limitDefaults, enforced: true, addressRequests: 10 };
const nothingTraded = (): bigint => 0n;
const PAYING = [{ transaction: `0x${'c'.repeat(64)}`, user: OTHER, requests: 30, after: 17 }];

const fileOf = (disk: SimulatedDisk, budgets: AddressBudgets): BoughtFile =>
  new BoughtFile(disk, () => ({ bought: budgets.bought(), paying: PAYING }));

test('bought requests go on with what was used of them, and those of others start anew', async () => {
  const disk = new SimulatedDisk();
  const before = new AddressBudgets(LIMITS, () => 0);
  before.reserve(USER, 5);
  before.take(USER, 12, nothingTraded, false);
  before.take(OTHER, 10, nothingTraded, false);
  await fileOf(disk, before).save();
  const { bought, paying } = await readBought(disk.crash(new Random(1)));
  assert.deepEqual(paying, PAYING);
  const after = new AddressBudgets(LIMITS, () => 0, bought);
  assert.deepEqual(after.budgetOf(USER, 0n), { used: 12, allowed: 10, reserved: 5 });
  assert.deepEqual(after.budgetOf(OTHER, 0n), { used: 0, allowed: 10, reserved: 0 });
  assert.equal(after.take(USER, 3, nothingTraded, false), true);
  assert.equal(after.take(USER, 1, nothingTraded, false), false);
});

test('each of many purchases at once is on disk when it is said to be, in few writes', async () => {
  const disk = new SimulatedDisk();
  const budgets = new AddressBudgets(LIMITS, () => 0);
  const file = fileOf(disk, budgets);
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      budgets.reserve(USER, 1);
      await file.save();
      assert.ok(((await readBought(disk.restart())).bought.get(USER)?.reserved ?? 0) >= i + 1);
    }),
  );
  assert.equal((await readBought(disk)).bought.get(USER)?.reserved, 50);
  assert.equal(disk.trace.filter(({ step }) => step === 'rename').length, 2);
});

test('a write that fails is said to whom it concerns, and the next one has everything', async () => {
  const disk = new SimulatedDisk();
  const budgets = new AddressBudgets(LIMITS, () => 0);
  const file = fileOf(disk, budgets);
  disk.fail('append', 'ENOSPC');
  budgets.reserve(USER, 1);
  const failing = file.save();
  budgets.reserve(OTHER, 2);
  const following = file.save();
  await assert.rejects(failing, { code: 'DISK_FULL' });
  await following;
  assert.deepEqual([...(await readBought(disk)).bought.keys()], [USER, OTHER]);
});

test('a damaged file is refused in words', async () => {
  const purchase = JSON.stringify(PAYING[0]);
  const texts = [
    '',
    '[]',
    '{"0x12":{"used":1,"reserved":1}}',
    `{"${USER}":{"used":-1,"reserved":1}}`,
    `{"${USER}":{"used":1}}`,
    '{"bought":{}}',
    '{"bought":[],"paying":[]}',
    `{"bought":{},"paying":[${purchase.replace('30', '-30')}]}`,
    `{"bought":{},"paying":[${purchase.replace('cc', '')}]}`,
  ];
  for (const text of texts) {
    const disk = new SimulatedDisk();
    await replaceFile(disk, BOUGHT_FILE, new TextEncoder().encode(text));
    await assert.rejects(readBought(disk), { code: 'BAD_BUDGETS' }, text);
  }
});

test('a file from before purchases were written down first is read', async () => {
  const disk = new SimulatedDisk();
  assert.deepEqual(await readBought(disk), { bought: new Map(), paying: [] });
  await replaceFile(disk, BOUGHT_FILE, new TextEncoder().encode('{}'));
  assert.deepEqual(await readBought(disk), { bought: new Map(), paying: [] });
  await replaceFile(disk, BOUGHT_FILE, new TextEncoder().encode(`{"${USER}":{"used":1,"reserved":2}}`));
  assert.deepEqual(await readBought(disk), { bought: new Map([[USER, { used: 1, reserved: 2 }]]), paying: [] });
});
