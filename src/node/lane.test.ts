/** Room is waited for by count and by size, and by nobody once it is lifted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Load } from './lane.ts';

async function isOpen(load: Load): Promise<boolean> {
  let open = false;
  load.room().then(() => {
    open = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return open;
}

test('there is room below both limits, of how many and of how large', async () => {
  const load = new Load(3, 100);
  load.add(99);
  assert.equal(await isOpen(load), true);
  load.add(1);
  assert.equal(load.full, true);
  assert.equal(await isOpen(load), false);
  load.remove(1);
  load.add();
  load.add();
  assert.equal(load.count, 3);
  assert.equal(await isOpen(load), false);
  let woken = false;
  const waiting = load.room().then(() => {
    woken = true;
  });
  load.remove();
  await waiting;
  assert.ok(woken);
  load.add(1);
  load.lift();
  assert.equal(await isOpen(load), true);
});

test('empty is when everything is gone, whatever its size was', async () => {
  const load = new Load(2);
  load.add(5);
  let empty = false;
  const waiting = load.empty().then(() => {
    empty = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(empty, false);
  load.remove(5);
  await waiting;
  assert.ok(empty);
});
