/** The server's manners: statuses, bounds, and what happens to connections that misbehave. Over a whole node, since that is what clients meet. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { soon } from '../base/waits-for-tests.ts';
import { limitDefaults } from './rate-limits.ts';
import { startService, type TestService, testKey } from './service-for-tests.ts';
import { smallServerLimits } from './small-service.ts';
import { streamLimits } from './stream-connection.ts';

const MALFORMED = 'Failed to deserialize the JSON body into the target type';

let node: TestService;
before(async () => {
  node = await startService();
});
after(async () => {
  await node.close();
  assert.deepEqual(node.faults, []);
});

/** A connection, and what it has been sent: messages as JSON. */
class Client {
  readonly messages: { channel: string; data: unknown; seq?: number; feed?: string; height?: number }[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | undefined;
  private wake = Promise.withResolvers<void>();

  private constructor(url: string, path: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}${path}`);
    this.socket.on('message', (data) => {
      this.messages.push(JSON.parse(data.toString()));
      this.stir();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.stir();
    });
    this.socket.on('error', () => this.stir());
  }

  static async open(url: string, path = '/ws'): Promise<Client> {
    const client = new Client(url, path);
    await new Promise((resolve) => {
      client.socket.once('open', resolve);
      client.socket.once('close', resolve);
    });
    return client;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The first message that has not been looked at and fits; the others before it are gone. */
  async next(channel?: string): Promise<(typeof this.messages)[number]> {
    while (true) {
      const message = this.messages.shift();
      if (message !== undefined && (channel === undefined || message.channel === channel)) return message;
      if (message === undefined) {
        assert.equal(this.closed, undefined, 'closed');
        await soon(`a message of ${channel ?? 'any channel'}`, this.wake.promise);
      }
    }
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    while (this.closed === undefined) await soon('the end of a connection', this.wake.promise);
    return this.closed;
  }

  private stir(): void {
    this.wake.resolve();
    this.wake = Promise.withResolvers();
  }
}

// --- HTTP -----------------------------------------------------------------------------------------------------------------------------

test('routes, methods and headers', async () => {
  const { url } = node.service;
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
  assert.equal((await fetch(`${url}/info`)).status, 405);
  assert.equal((await fetch(`${url}/health`, { method: 'POST' })).status, 405);
  assert.deepEqual(await (await fetch(`${url}/health`)).json(), { status: 'ok' });
  assert.deepEqual(await (await fetch(`${url}/ready`)).json(), { status: 'ready' });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^heddle_height \d+$/m);
  const preflight = await fetch(`${url}/exchange`, { method: 'OPTIONS' });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
  const answer = await fetch(`${url}/info?x=1`, { method: 'POST', body: '{"type":"meta"}' });
  assert.equal(answer.headers.get('content-type'), 'application/json');
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
});

test('what does not deserialise is 422, in the words of the protocol', async () => {
  const deep = '['.repeat(5000) + ']'.repeat(5000);
  const bodies = [
    '',
    '{',
    'null',
    '[]',
    '1',
    '"meta"',
    '{}',
    '{"type":1}',
    '{"type":"nothing"}',
    '{"type":"__proto__"}',
    deep,
    '{"type":"l2Book"}',
  ];
  for (const body of bodies) assert.deepEqual(await node.post('/info', body), { status: 422, text: MALFORMED }, body.slice(0, 40));
  for (const body of [
    '',
    '{}',
    'null',
    '{"action":{"type":"order"},"nonce":1,"signature":{}}',
    '{"action":{"type":"nothing"},"nonce":1}',
  ]) {
    assert.deepEqual(await node.post('/exchange', body), { status: 422, text: MALFORMED }, body);
  }
  for (const body of ['{}', '{"type":"blockDetails"}', '{"type":"txDetails","hash":"0x"}']) {
    assert.equal((await node.post('/explorer', body)).status, 422, body);
  }
});

test('bodies have a bound, whether they say how long they are or not', async () => {
  const large = ' '.repeat(smallServerLimits.bodyBytesMax + 1);
  assert.equal((await node.post('/info', large)).status, 413);
  const chunked = await new Promise<number>((resolve, reject) => {
    const { hostname, port } = new URL(node.service.url);
    const sent = request({ hostname, port, path: '/info', method: 'POST' }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.write(large);
    sent.end(large);
  });
  assert.equal(chunked, 413);
});

test('bytes that are no HTTP, and requests that do not come to an end', async () => {
  const other = await startService({ serverLimits: { ...smallServerLimits, requestMs: 500 } });
  const { hostname, port } = new URL(other.service.url);
  const talk = (text: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.write(text));
      let heard = '';
      socket.on('data', (data) => {
        heard += data;
      });
      socket.on('close', () => resolve(heard));
      socket.on('error', () => resolve(heard));
    });
  assert.match(await talk('\x00\x01\x02\r\n\r\n'), /^HTTP\/1.1 400 /);
  assert.match(await talk('POST /info HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{'), /^HTTP\/1.1 4\d\d |^$/);
  assert.match(await talk('GET /other HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'), /^HTTP\/1.1 404 /);
  await other.close();
});

// --- WebSocket -------------------------------------------------------------------------------------------------------------------------

test('ping, posts and errors', async () => {
  const client = await Client.open(node.service.url);
  client.send({ method: 'ping' });
  assert.deepEqual(await client.next(), { channel: 'pong' });
  client.send({ method: 'post', id: 7, request: { type: 'info', payload: { type: 'exchangeStatus' } } });
  const { data } = (await client.next()) as { data: { id: number; response: { type: string; payload: { type: string; data: unknown } } } };
  assert.equal(data.id, 7);
  assert.equal(data.response.type, 'info');
  assert.equal(data.response.payload.type, 'exchangeStatus');
  client.send({ method: 'post', id: 8, request: { type: 'info', payload: { type: 'nothing' } } });
  assert.deepEqual(((await client.next()).data as { response: unknown }).response, { type: 'error', payload: `422: ${MALFORMED}` });
  client.send({ method: 'post', id: 9, request: { type: 'action', payload: {} } });
  assert.deepEqual(((await client.next()).data as { response: unknown }).response, { type: 'error', payload: `422: ${MALFORMED}` });
  for (const bad of ['{', '[]', '{"method":"other"}', '{"method":"subscribe"}', '{"method":"post","id":"x","request":{}}']) {
    client.send(bad);
    assert.deepEqual(await client.next(), { channel: 'error', data: `Error parsing JSON into valid websocket request: ${bad}` });
  }
  client.socket.close();
});

test('what is asked before a close is answered, also if both come in one piece', async () => {
  const client = await Client.open(node.service.url);
  const { _socket: wire } = client.socket as unknown as { readonly _socket: Socket };
  wire.cork();
  client.send({ method: 'ping' });
  client.send({ method: 'subscribe', subscription: { type: 'allMids' } });
  client.socket.close();
  wire.uncork();
  await client.untilClosed();
  assert.deepEqual(
    client.messages.map(({ channel }) => channel),
    ['pong', 'subscriptionResponse', 'allMids'],
  );
});

test('subscriptions: answer, snapshot, once only, and none', async () => {
  const client = await Client.open(node.service.url);
  const subscription = { type: 'l2Book', coin: 'BTC' };
  client.send({ method: 'subscribe', subscription });
  const answer = await client.next();
  assert.deepEqual(answer.data, { method: 'subscribe', subscription });
  assert.equal(answer.seq, 0);
  assert.equal(typeof answer.feed, 'string');
  const snapshot = await client.next();
  assert.equal(snapshot.channel, 'l2Book');
  assert.equal(snapshot.seq, 0);
  client.send({ method: 'subscribe', subscription: { coin: 'BTC', type: 'l2Book' } });
  assert.deepEqual(await client.next(), { channel: 'error', data: 'Already subscribed: {"coin":"BTC","type":"l2Book"}' });
  client.send({ method: 'unsubscribe', subscription });
  assert.deepEqual((await client.next()).data, { method: 'unsubscribe', subscription });
  client.send({ method: 'unsubscribe', subscription });
  assert.deepEqual(await client.next(), { channel: 'error', data: 'Already unsubscribed: {"type":"l2Book","coin":"BTC"}' });
  for (const bad of [{ type: 'l2Book', coin: 'NOTHING' }, { type: 'nothing' }, {}, { type: 'userFills', user: 'x' }]) {
    client.send({ method: 'subscribe', subscription: bad });
    assert.deepEqual(await client.next(), { channel: 'error', data: `Invalid subscription ${JSON.stringify(bad)}` });
  }
  client.socket.close();
});

test('a connection has so many users and subscriptions', async () => {
  const other = await startService({
    serverLimits: { ...smallServerLimits, stream: { ...streamLimits, subscriptionsMax: 3, usersMax: 2 } },
  });
  try {
    const client = await Client.open(other.service.url);
    const subscribe = async (subscription: object): Promise<string> => {
      client.send({ method: 'subscribe', subscription });
      while (true) {
        const { channel, data } = await client.next();
        if (channel === 'error') return data as string;
        if (channel === 'subscriptionResponse') return channel;
      }
    };
    const user = (index: number): object => ({ type: 'orderUpdates', user: testKey(index).address });
    assert.equal(await subscribe(user(0)), 'subscriptionResponse');
    assert.equal(await subscribe(user(1)), 'subscriptionResponse');
    assert.match(await subscribe(user(2)), /^Cannot track more than 2 total users: \{/);
    assert.equal(await subscribe({ type: 'allMids' }), 'subscriptionResponse');
    assert.match(await subscribe({ type: 'trades', coin: 'BTC' }), /^Cannot track more than 3 total subscriptions: \{/);
    client.socket.close();
  } finally {
    await other.close();
  }
});

/** A clock that stands, so that no minute ends in the middle of a test. */
function midMinute(): () => number {
  const now = Math.floor(Date.now() / 60_000) * 60_000 + 30_000;
  return () => now;
}

test('limits of an address, where they are enforced', async () => {
  const other = await startService({
    clock: midMinute(),
    limits: { ...limitDefaults, enforced: true, weightPerMinute: 45, addressRequests: 2 },
    serverLimits: { ...smallServerLimits, streamsOfAddress: 2, messagesPerMinute: 5 },
  });
  try {
    assert.equal((await other.post('/info', { type: 'meta' })).status, 200);
    assert.equal((await other.post('/info', { type: 'meta' })).status, 200);
    assert.deepEqual(await other.post('/info', { type: 'meta' }), { status: 429, text: 'Too many requests' });
    assert.equal((await other.post('/info', { type: 'allMids' })).status, 200);
    const [first, second] = [await Client.open(other.service.url), await Client.open(other.service.url)];
    const third = await Client.open(other.service.url);
    assert.notEqual(third.closed, undefined);
    for (let i = 0; i < 6; i++) first.send({ method: 'ping' });
    assert.deepEqual(await first.untilClosed(), { code: 1008, reason: 'too many messages' });
    second.socket.close();
  } finally {
    await other.close();
  }
});

test('an address that has used up its requests is told what it has', async () => {
  const other = await startService({ clock: midMinute(), limits: { ...limitDefaults, enforced: true, addressRequests: 2 } });
  try {
    const client = other.client(0);
    const noop = async (): Promise<unknown> => client.send({ type: 'noop' });
    await noop();
    await noop();
    // One in ten seconds is left.
    await noop();
    assert.deepEqual(await noop(), {
      status: 'err',
      response:
        'Too many cumulative requests sent (4 > 2) for cumulative volume traded $0. Place taker orders to free up 1 request per USDC traded.',
    });
    assert.deepEqual(await client.ask('userRateLimit', { user: client.address }), {
      cumVlm: '0',
      nRequestsUsed: 3,
      nRequestsCap: 2,
      nRequestsSurplus: 0,
    });
    assert.deepEqual(await client.ask('budget', { user: client.address }), {
      user: client.address,
      used: 3,
      allowed: 2,
      reserved: 0,
      enforced: true,
    });
  } finally {
    await other.close();
  }
});

test('a node that is full says so, and what it has taken is done', async () => {
  const other = await startService({ engine: { workers: 1, model: 'serial', waitingMax: 2 } });
  try {
    const client = other.client(0);
    const place = async (i: number): Promise<boolean> => {
      try {
        await client.order([{ a: 1, b: true, p: String(2000 + i), s: '0.1', r: false, t: { limit: { tif: 'Gtc' } } }]);
        return true;
      } catch (error) {
        assert.match((error as Error).message, /Too many requests/);
        return false;
      }
    };
    const taken = await Promise.all(Array.from({ length: 200 }, (_, i) => place(i)));
    const accepted = taken.filter(Boolean).length;
    assert.ok(accepted > 0 && accepted < 200, `${accepted} of 200`);
    const open = (await client.ask('openOrders', { user: client.address })) as { limitPx: string }[];
    assert.deepEqual(
      open.map(({ limitPx }) => Number(limitPx)).sort((a, b) => a - b),
      taken.flatMap((done, i) => (done ? [2000 + i] : [])),
    );
  } finally {
    await other.close();
  }
});

test('a client that answers no ping is closed, one that does is not', async () => {
  const other = await startService({ serverLimits: { ...smallServerLimits, pulseMs: 500 } });
  try {
    const lively = await Client.open(other.service.url);
    const silent = await Client.open(other.service.url);
    (silent.socket as unknown as { pong: () => void }).pong = () => {};
    assert.deepEqual(await silent.untilClosed(), { code: 1008, reason: 'no answer to a ping' });
    lively.send({ method: 'ping' });
    assert.equal((await lively.next()).channel, 'pong');
    lively.socket.close();
  } finally {
    await other.close();
  }
});

test('a client that does not read is closed, and holds nobody up', async () => {
  const other = await startService({ serverLimits: { ...smallServerLimits, stream: { ...streamLimits, bufferedMax: 64 * 1024 } } });
  try {
    const slow = await Client.open(other.service.url);
    const quick = await Client.open(other.service.url);
    slow.send({ method: 'subscribe', subscription: { type: 'allMids' } });
    await slow.next('allMids');
    (slow.socket as unknown as { _socket: { pause: () => void } })._socket.pause();
    // Many answers that it asks for and does not read.
    for (let id = 0; id < 90; id++) slow.send({ method: 'post', id, request: { type: 'info', payload: { type: 'meta' } } });
    for (let round = 0; round < 200 && other.service.connections > 1; round++) {
      for (let id = 0; id < 90; id++) slow.send({ method: 'post', id, request: { type: 'info', payload: { type: 'metaAndAssetCtxs' } } });
      quick.send({ method: 'ping' });
      assert.equal((await quick.next()).channel, 'pong');
      await sleep(5);
    }
    assert.equal(other.service.connections, 1);
    (slow.socket as unknown as { _socket: { resume: () => void } })._socket.resume();
    slow.socket.terminate();
    quick.socket.close();
  } finally {
    await other.close();
  }
});

test('a node that stops says so to its streams', async () => {
  const other = await startService();
  const client = await Client.open(other.service.url);
  await other.close();
  assert.deepEqual(await client.untilClosed(), { code: 1001, reason: 'the node is stopping' });
});
