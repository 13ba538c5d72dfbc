/**
 * Streams against a node in this process that numbers, keeps and forgets messages as docs/api-beyond.md says: connections that are lost, messages
 * that were missed, nodes that start anew, nodes that do not number, subscriptions that look alike.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws';
import { Random } from '../base/random.ts';
import { waitFor } from '../base/waits-for-tests.ts';
import { HeddleClient } from './heddle-client.ts';
import type { Gap } from './stream-position.ts';
import type { MessageInfo } from './stream-socket.ts';
import { subscriptionKey } from './stream-table.ts';

interface Feed {
  readonly id: string;
  readonly kept: string[];
  seq: number;
}

/** What is under way on one connection. */
interface Peer {
  readonly socket: ServerSocket;
  readonly keys: Set<string>;
}

class MockNode {
  isNumbering = true;
  /** Takes connections and says nothing. */
  isSilent = false;
  /** Answers pings and nothing else. */
  isDeaf = false;
  readonly peers = new Set<Peer>();
  readonly asked: Record<string, unknown>[] = [];
  connections = 0;
  readonly #http: Server = createServer();
  readonly #sockets = new WebSocketServer({ server: this.#http, path: '/ws' });
  #feeds = new Map<string, Feed>();
  #nextFeed = 1;

  constructor() {
    this.#sockets.on('connection', (socket) => {
      this.connections++;
      const peer: Peer = { socket, keys: new Set() };
      this.peers.add(peer);
      socket.on('close', () => this.peers.delete(peer));
      socket.on('message', (data) => this.#take(peer, JSON.parse(String(data))));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.drop();
    this.#sockets.close();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  /** Ends all connections as a crash does. */
  drop(): void {
    for (const { socket } of this.peers) socket.terminate();
    this.peers.clear();
  }

  restart(): void {
    this.#feeds = new Map();
    this.drop();
  }

  /** Keeps nothing of what was sent. */
  forget(): void {
    for (const { kept } of this.#feeds.values()) kept.length = 0;
  }

  publish(subscription: object, channel: string, data: unknown): void {
    const key = subscriptionKey(subscription);
    const feed = this.#feedOf(key);
    feed.seq++;
    const frame = JSON.stringify({ channel, data, ...(this.isNumbering ? { seq: feed.seq, height: 100 + feed.seq } : {}) });
    feed.kept.push(frame);
    for (const { socket, keys } of this.peers) if (keys.has(key)) socket.send(frame);
  }

  #feedOf(key: string): Feed {
    const found = this.#feeds.get(key) ?? { id: `f${this.#nextFeed++}`, kept: [], seq: 0 };
    this.#feeds.set(key, found);
    return found;
  }

  #take({ socket, keys }: Peer, message: Record<string, unknown>): void {
    if (this.isSilent) return;
    this.asked.push(message);
    if (message.method === 'ping') socket.send(JSON.stringify({ channel: 'pong' }));
    if (this.isDeaf) return;
    if (message.method === 'unsubscribe') keys.delete(subscriptionKey(message.subscription as object));
    if (message.method !== 'subscribe') return;
    const subscription = message.subscription as { readonly type: string; readonly coin?: string; readonly user?: string };
    if (subscription.coin === 'NONE') {
      socket.send(JSON.stringify({ channel: 'error', data: `Invalid subscription ${JSON.stringify(subscription)}` }));
      return;
    }
    const key = subscriptionKey(subscription);
    keys.add(key);
    const feed = this.#feedOf(key);
    const missed = message.feed === feed.id ? feed.seq - Number(message.fromSeq) + 1 : Number.POSITIVE_INFINITY;
    const isReplayed = this.isNumbering && missed <= feed.kept.length;
    const numbers = this.isNumbering ? { seq: isReplayed ? Number(message.fromSeq) - 1 : feed.seq, feed: feed.id } : {};
    socket.send(JSON.stringify({ channel: 'subscriptionResponse', data: { method: 'subscribe', subscription }, ...numbers }));
    if (isReplayed) for (const frame of missed === 0 ? [] : feed.kept.slice(-missed)) socket.send(frame);
    else if (subscription.type === 'userFills') {
      const data = { user: subscription.user, fills: [], isSnapshot: true };
      socket.send(JSON.stringify({ channel: 'userFills', data, ...(this.isNumbering ? { seq: feed.seq } : {}) }));
    }
  }
}

const TIMING = { pulseMs: 5000, retryMsMin: 2, retryMsMax: 10 };

async function withNode(run: (node: MockNode, client: HeddleClient) => Promise<void>, timing = TIMING): Promise<void> {
  const node = new MockNode();
  const client = new HeddleClient({ url: await node.listen(), socketTiming: timing });
  try {
    await run(node, client);
  } finally {
    client.close();
    await node.close();
  }
}

const until = (condition: () => boolean): Promise<unknown> => waitFor(String(condition), condition);

const USER = `0x${'aB'.repeat(20)}` as const;
const BTC = { type: 'trades', coin: 'BTC' } as const;
const FILLS = { type: 'userFills', user: USER } as const;
const trade = (tid: number, coin = 'BTC'): unknown => [
  { coin, side: 'B', px: '1', sz: '1', time: 1, hash: '0x', tid, users: [USER, USER] },
];

/** What a subscription got, in its order. */
function recorder(): {
  readonly tids: number[];
  readonly infos: MessageInfo[];
  readonly gaps: Gap[];
  readonly handlers: { onMessage: (data: unknown, info: MessageInfo) => void; onGap: (gap: Gap) => void };
} {
  const tids: number[] = [];
  const infos: MessageInfo[] = [];
  const gaps: Gap[] = [];
  return {
    tids,
    infos,
    gaps,
    handlers: {
      onMessage: (data, info) => {
        infos.push(info);
        if (Array.isArray(data)) tids.push(data[0].tid);
      },
      onGap: (gap) => gaps.push(gap),
    },
  };
}

test('messages come with their numbers and heights, each to its subscription', async () => {
  await withNode(async (node, client) => {
    const [btc, eth] = [recorder(), recorder()];
    const eths = { type: 'trades', coin: 'ETH' } as const;
    await Promise.all([client.subscribe(BTC, btc.handlers).ready, client.subscribe(eths, eth.handlers).ready]);
    assert.equal(node.connections, 1);
    node.publish(BTC, 'trades', trade(1));
    node.publish(eths, 'trades', trade(7, 'ETH'));
    node.publish(BTC, 'trades', trade(2));
    await until(() => btc.tids.length === 2 && eth.tids.length === 1);
    assert.deepEqual(btc.tids, [1, 2]);
    assert.deepEqual(eth.tids, [7]);
    assert.deepEqual(btc.infos[1], { seq: 2, height: 102, isSnapshot: false });
    assert.deepEqual([btc.gaps, eth.gaps], [[], []]);
  });
});

test('what was missed while the connection was lost is replayed', async () => {
  await withNode(async (node, client) => {
    const seen = recorder();
    await client.subscribe(BTC, seen.handlers).ready;
    node.publish(BTC, 'trades', trade(1));
    await until(() => seen.tids.length === 1);
    node.drop();
    for (const tid of [2, 3, 4]) node.publish(BTC, 'trades', trade(tid));
    await until(() => seen.tids.length === 4);
    assert.deepEqual(seen.tids, [1, 2, 3, 4]);
    assert.deepEqual(seen.gaps, []);
    assert.equal(node.asked.at(-1)?.fromSeq, 2);
  });
});

test('what the node no longer keeps is a gap of known length', async () => {
  await withNode(async (node, client) => {
    const seen = recorder();
    await client.subscribe(BTC, seen.handlers).ready;
    node.publish(BTC, 'trades', trade(1));
    await until(() => seen.tids.length === 1);
    node.drop();
    for (const tid of [2, 3]) node.publish(BTC, 'trades', trade(tid));
    node.forget();
    await until(() => seen.gaps.length === 1);
    node.publish(BTC, 'trades', trade(4));
    await until(() => seen.tids.length === 2);
    assert.deepEqual(seen.tids, [1, 4]);
    assert.deepEqual(seen.gaps, [{ fromSeq: 2, toSeq: 3 }]);
  });
});

test('a node that starts anew is a gap of unknown length, and a snapshot follows', async () => {
  await withNode(async (node, client) => {
    const seen = recorder();
    await client.subscribe(FILLS, seen.handlers).ready;
    await until(() => seen.infos.length === 1);
    assert.deepEqual(seen.infos[0], { seq: 0, height: undefined, isSnapshot: true });
    node.publish(FILLS, 'userFills', { user: USER, fills: [1] });
    await until(() => seen.infos.length === 2);
    node.restart();
    await until(() => seen.infos.length === 3);
    assert.deepEqual(seen.gaps, [{ fromSeq: 2, toSeq: undefined }]);
    assert.equal(seen.infos[2]?.isSnapshot, true);
  });
});

test('a node that does not number: a lost connection is a gap', async () => {
  await withNode(async (node, client) => {
    node.isNumbering = false;
    const seen = recorder();
    await client.subscribe(BTC, seen.handlers).ready;
    node.publish(BTC, 'trades', trade(1));
    await until(() => seen.tids.length === 1);
    node.drop();
    await until(() => seen.gaps.length === 1);
    node.publish(BTC, 'trades', trade(2));
    await until(() => seen.tids.length === 2);
    assert.deepEqual(seen.gaps, [{ fromSeq: undefined, toSeq: undefined }]);
  });
});

test('whatever is lost, every message is delivered once, in order, or lies in a gap', async () => {
  await withNode(async (node, client) => {
    const random = new Random(11);
    const seen = recorder();
    await client.subscribe(BTC, seen.handlers).ready;
    const total = 400;
    for (let tid = 1; tid <= total; tid++) {
      node.publish(BTC, 'trades', trade(tid));
      if (random.chance(0.05)) node.drop();
      if (random.chance(0.02)) node.forget();
      if (random.chance(0.2)) await new Promise((resolve) => setTimeout(resolve, random.below(3)));
    }
    const numbers = (): number[] =>
      [
        ...seen.infos.map(({ seq }) => seq as number),
        ...seen.gaps.flatMap(({ fromSeq, toSeq }) =>
          Array.from({ length: (toSeq as number) - (fromSeq as number) + 1 }, (_, i) => (fromSeq as number) + i),
        ),
      ].sort((a, b) => a - b);
    await until(() => numbers().at(-1) === total);
    assert.deepEqual(
      numbers(),
      Array.from({ length: total }, (_, i) => i + 1),
    );
    assert.deepEqual(
      seen.tids,
      [...seen.tids].sort((a, b) => a - b),
    );
    assert.deepEqual(
      seen.tids,
      seen.infos.map(({ seq }) => seq),
    );
    assert.ok(node.connections > 3);
  });
});

test('subscriptions that look alike have connections of their own', async () => {
  await withNode(async (node, client) => {
    const other = `0x${'cd'.repeat(20)}` as const;
    const [first, second] = [recorder(), recorder()];
    const mine = client.subscribe({ type: 'orderUpdates', user: USER }, first.handlers);
    const theirs = client.subscribe({ type: 'orderUpdates', user: other }, second.handlers);
    await Promise.all([mine.ready, theirs.ready]);
    assert.equal(node.connections, 2);
    node.publish({ type: 'orderUpdates', user: USER }, 'orderUpdates', [{ tid: 1 }]);
    node.publish({ type: 'orderUpdates', user: other }, 'orderUpdates', [{ tid: 2 }]);
    await until(() => first.tids.length + second.tids.length === 2);
    assert.deepEqual([first.tids, second.tids], [[1], [2]]);
    mine.close();
    await until(() => node.peers.size === 1);
    const alike = { type: 'orderUpdates', user: USER } as const;
    for (let i = 0; i < 9; i++) client.subscribe(alike, first.handlers);
    assert.throws(() => client.subscribe(alike, first.handlers), { code: 'TOO_MANY_CONNECTIONS' });
  });
});

test('a subscription that the node refuses ends, the others go on', async () => {
  await withNode(async (node, client) => {
    const seen = recorder();
    await client.subscribe(BTC, seen.handlers).ready;
    let refused: unknown;
    const none = client.subscribe({ type: 'trades', coin: 'NONE' }, { ...seen.handlers, onRefused: (error) => (refused = error.code) });
    await assert.rejects(none.ready, { code: 'SUBSCRIPTION_REFUSED' });
    assert.equal(refused, 'SUBSCRIPTION_REFUSED');
    node.publish(BTC, 'trades', trade(1));
    await until(() => seen.tids.length === 1);
  });
});

test('a node that falls silent is left, and found again', async () => {
  await withNode(
    async (node, client) => {
      const seen = recorder();
      await client.subscribe(BTC, seen.handlers).ready;
      node.isSilent = true;
      await until(() => node.connections > 1);
      node.isSilent = false;
      node.publish(BTC, 'trades', trade(1));
      await until(() => seen.tids.length === 1);
      assert.deepEqual(seen.gaps, []);
    },
    { ...TIMING, pulseMs: 300 },
  );
});

test('a node that lives and has not heard a subscription is asked again', async () => {
  await withNode(
    async (node, client) => {
      const seen = recorder();
      await client.subscribe(BTC, seen.handlers).ready;
      node.isDeaf = true;
      node.drop();
      await until(() => node.connections > 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      node.isDeaf = false;
      node.publish(BTC, 'trades', trade(1));
      await until(() => seen.tids.length === 1);
      assert.deepEqual([seen.tids, seen.gaps], [[1], []]);
    },
    { ...TIMING, pulseMs: 50 },
  );
});

test('a node that is not there yet is waited for', async () => {
  const node = new MockNode();
  const url = await node.listen();
  await node.close();
  const seen = recorder();
  const client = new HeddleClient({ url, socketTiming: TIMING });
  const subscription = client.subscribe(BTC, seen.handlers);
  await new Promise((resolve) => setTimeout(resolve, 20));
  subscription.close();
  await assert.rejects(subscription.ready, { code: 'CLOSED' });
  const nowhere = new HeddleClient({ url: 'nothing', socketTiming: TIMING });
  await assert.rejects(nowhere.subscribe(BTC, seen.handlers).ready, { code: 'INVALID_URL' });
});

test('a handler may close its subscription; nothing comes behind, and no connection is left', async () => {
  await withNode(async (node, client) => {
    const tids: number[] = [];
    const subscription = client.subscribe(BTC, {
      onMessage: ([first]) => {
        tids.push(first?.tid as number);
        subscription.close();
      },
    });
    await subscription.ready;
    for (const tid of [1, 2, 3]) node.publish(BTC, 'trades', trade(tid));
    await until(() => node.peers.size === 0);
    assert.deepEqual(tids, [1]);
  });
});

test('what comes again is not delivered again', async () => {
  await withNode(async (node, client) => {
    const seen = recorder();
    await client.subscribe(BTC, seen.handlers).ready;
    for (const tid of [1, 2, 3]) node.publish(BTC, 'trades', trade(tid));
    for (const { socket } of node.peers) socket.send(JSON.stringify({ channel: 'trades', data: trade(1), seq: 1 }));
    node.publish(BTC, 'trades', trade(4));
    await until(() => seen.tids.includes(4));
    assert.deepEqual(seen.tids, [1, 2, 3, 4]);
    assert.deepEqual(seen.gaps, []);
  });
});

test('what is no message of the protocol is passed over', async () => {
  await withNode(async (node, client) => {
    const seen = recorder();
    await client.subscribe(BTC, seen.handlers).ready;
    const odd = [
      '',
      'x',
      '1',
      'null',
      '[]',
      '{}',
      '{"channel":1}',
      '{"channel":"error"}',
      '{"channel":"trades"}',
      '{"channel":"trades","data":[]}',
    ];
    odd.push(
      '{"channel":"trades","data":[1]}',
      '{"channel":"subscriptionResponse"}',
      '{"channel":"subscriptionResponse","data":{"method":"subscribe"}}',
    );
    for (const { socket } of node.peers) for (const text of odd) socket.send(text);
    for (const { socket } of node.peers) socket.send(Buffer.from([1, 2, 3]));
    node.publish(BTC, 'trades', trade(1));
    await until(() => seen.tids.length === 1);
    assert.deepEqual(seen.gaps, []);
  });
});
