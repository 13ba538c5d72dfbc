/** A wait ends with what was waited for, or with a sentence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soon, waitFor } from './waits-for-tests.ts';

test('what comes is returned, however often it has to be looked for', async () => {
  let looks = 0;
  assert.equal(await waitFor('a number', () => (++looks < 4 ? undefined : 0)), 0);
  assert.equal(looks, 4);
  let pauses = 0;
  await waitFor('pauses', () => pauses === 2, { pause: async () => pauses++ });
  assert.equal(await waitFor('what is so', async () => ++looks > 7), true);
  assert.equal(await soon('a number', Promise.resolve(5)), 5);
});

test('what does not come is named, and an error is itself', async () => {
  await assert.rejects(
    waitFor('rain', () => false, { longestMs: 1 }),
    { message: 'waited 1 ms in vain for rain' },
  );
  await assert.rejects(soon('rain', new Promise(() => {}), 1), { message: 'waited 1 ms in vain for rain' });
  const failure = new Error('no clouds');
  await assert.rejects(
    waitFor('rain', () => Promise.reject(failure)),
    failure,
  );
  await assert.rejects(soon('rain', Promise.reject(failure)), failure);
});
