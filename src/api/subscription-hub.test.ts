import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamMessage } from './streams-port.ts';
import { SubscriptionHub, subscriptionKey } from './subscription-hub.ts';

/** A source whose feeds have a counter as their state: the snapshot is its value. */
class Source {
  value = 0;
  readonly sinks = new Set<(message: StreamMessage) => void>();

  subscribe(_: unknown, sink: (message: StreamMessage) => void): () => void {
    sink({ channel: 'counter', data: this.value, height: this.value });
    this.sinks.add(sink);
    return () => this.sinks.delete(sink);
  }

  next(): void {
    this.value++;
    for (const sink of this.sinks) sink({ channel: 'counter', data: this.value, height: this.value });
  }
}

const OPTIONS = { replayMessages: 4, keepMs: 20, keptFeedsMax: 10 };

function setUp(): { source: Source; hub: SubscriptionHub } {
  const source = new Source();
  return { source, hub: new SubscriptionHub(source, OPTIONS) };
}

const numbers = (frames: readonly string[]): number[][] => frames.map((frame) => [JSON.parse(frame).seq, JSON.parse(frame).data]);

test('a snapshot, then messages, numbered from 1, made once for all', () => {
  const { source, hub } = setUp();
  const first: string[] = [];
  const second: string[] = [];
  const attached = hub.attach({ type: 'counter' }, (frame) => first.push(frame));
  assert.deepEqual(numbers(attached.frames), [[0, 0]]);
  source.next();
  source.next();
  const later = hub.attach({ type: 'counter' }, (frame) => second.push(frame));
  assert.deepEqual(numbers(later.frames), [[2, 2]]);
  assert.equal(later.seq, 2);
  source.next();
  assert.deepEqual(numbers(first), [
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
  assert.deepEqual(numbers(second), [[3, 3]]);
  assert.equal(source.sinks.size, 1);
  later.detach();
  source.next();
  assert.equal(second.length, 1);
  hub.close();
  assert.equal(source.sinks.size, 0);
});

test('who comes back gets what it has missed, or a snapshot', () => {
  const { source, hub } = setUp();
  const attached = hub.attach({ type: 'counter' }, () => {});
  for (let i = 0; i < 6; i++) source.next();
  attached.detach();
  const from = (fromSeq: number, feed = attached.feed): [number[][], number] => {
    const back = hub.attach({ type: 'counter' }, () => {}, { fromSeq, feed });
    return [numbers(back.frames), back.seq];
  };
  assert.deepEqual(from(5), [
    [
      [5, 5],
      [6, 6],
    ],
    4,
  ]);
  assert.deepEqual(from(7), [[], 6]);
  assert.deepEqual(from(3), [
    [
      [3, 3],
      [4, 4],
      [5, 5],
      [6, 6],
    ],
    2,
  ]);
  // Not kept any more, not sent yet, another feed.
  assert.deepEqual(from(2), [[[6, 6]], 6]);
  assert.deepEqual(from(8), [[[6, 6]], 6]);
  assert.deepEqual(from(5, 'another'), [[[6, 6]], 6]);
  hub.close();
});

test('a feed without receivers goes after a while, and its name with it', async () => {
  const { source, hub } = setUp();
  const first = hub.attach({ type: 'counter' }, () => {});
  first.detach();
  first.detach();
  assert.equal(source.sinks.size, 1);
  await sleep(60);
  assert.equal(source.sinks.size, 0);
  const second = hub.attach({ type: 'counter' }, () => {});
  assert.notEqual(second.feed, first.feed);
  assert.deepEqual(hub.counts, { feeds: 1, receivers: 1 });
  hub.close();
});

test('a source that refuses leaves nothing behind', () => {
  const hub = new SubscriptionHub({ subscribe: () => assert.fail('refused') }, OPTIONS);
  assert.throws(() => hub.attach({ type: 'x' }, () => {}));
  assert.deepEqual(hub.counts, { feeds: 0, receivers: 0 });
});

test('the same subscription has one key', () => {
  const address = `0x${'aB'.repeat(20)}`;
  assert.equal(
    subscriptionKey({ type: 'userFills', user: address, aggregateByTime: null }),
    subscriptionKey({ user: address.toLowerCase(), type: 'userFills' }),
  );
  assert.notEqual(subscriptionKey({ type: 'trades', coin: 'BTC' }), subscriptionKey({ type: 'trades', coin: 'ETH' }));
});
