import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusalPace } from './refusal-pace.ts';

test('a few are sent at once, many in their order and at a rate, all in the end', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  const pace = new RefusalPace(() => now);
  const sent: number[] = [];
  for (let i = 0; i < 400; i++) {
    pace.take(() => {
      sent.push(i);
      return 1;
    });
  }
  assert.equal(sent.length, 100);
  assert.equal(pace.held, 300);
  for (let ms = 0; ms < 200; ms += 10) {
    now += 10;
    t.mock.timers.tick(10);
  }
  assert.equal(sent.length, 300);
  for (let ms = 0; ms < 200; ms += 10) {
    now += 10;
    t.mock.timers.tick(10);
  }
  assert.deepEqual(
    sent,
    Array.from({ length: 400 }, (_, i) => i),
  );
  assert.equal(pace.held, 0);
});

test('one that sends many refusals at once makes the next ones wait, but nobody for longer than five seconds', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  const pace = new RefusalPace(() => now);
  pace.take(() => 1_000_000);
  let sent = 0;
  const send = (): number => {
    sent++;
    return 1_000_000;
  };
  for (let i = 0; i < 10; i++) pace.take(send);
  assert.equal(sent, 0);
  now = 4_990;
  t.mock.timers.tick(10);
  const early = sent;
  now = 5_010;
  t.mock.timers.tick(10);
  assert.ok(early < 10);
  assert.equal(sent, 10);
});

test('who stops lets all go', async () => {
  const pace = new RefusalPace(() => 0);
  const turns = Array.from({ length: 150 }, () => pace.turn());
  assert.equal(pace.held, 50);
  pace.end();
  await Promise.all(turns);
  assert.equal(pace.held, 0);
});
