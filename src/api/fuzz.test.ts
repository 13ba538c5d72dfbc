/**
 * Requests that nobody would send, by the thousand, to all three interfaces of a node: every one is answered, none is answered with a mistake of ours,
 * and the ledger's sums are right at the end.
 *
 * Valid requests are changed at random places (values swapped for odd ones, keys dropped and doubled, texts cut), signed or not. The seed is
 * printed; `node src/api/fuzz.test.ts --requests 2000 --seed 7` runs fewer of them, or the same again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { Random } from '../base/random.ts';
import { violations } from '../exchange/invariants.ts';
import { formatSignature, signDigest } from '../sdk/signature.ts';
import { readRequest, requestDigest } from '../sdk/signed-request.ts';
import { INFO_TYPES } from '../views/info.ts';
import { startService, type TestService, testKey } from './service-for-tests.ts';

const { values } = parseArgs({ options: { requests: { type: 'string' }, seed: { type: 'string' } }, strict: false });
const REQUESTS = Number(values.requests ?? 100_000);
const SEED = Number(values.seed ?? 1);
const AT_ONCE = 16;
const SOCKET_SHARE = 0.2;
const STATUSES = new Set([200, 413, 422, 429]);

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const ODD: readonly Json[] = [
  null,
  true,
  false,
  0,
  -0,
  1,
  -1,
  1.5,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 63,
  1e308,
  -1e-300,
  '',
  ' ',
  '0',
  '-0',
  '00',
  '1.',
  '.5',
  '1e5',
  '0x',
  '0x0',
  'NaN',
  '-1',
  '1.0000000',
  '99999999999999999999999999',
  '0.000000000000000000000001',
  '\u0000',
  '\ud800',
  '\u202e',
  'a'.repeat(5000),
  `0x${'f'.repeat(40)}`,
  `0x${'0'.repeat(40)}`,
  `0x${'F'.repeat(32)}`,
  [],
  {},
  [[]],
  { type: 'order' },
  { __proto__: null, constructor: 1 },
  '__proto__',
  'constructor',
  'BTC',
  'ETH',
  '@0',
  '@107',
  'BTC/USDC',
  'Mainnet',
  'Testnet',
];

class Requests {
  readonly random: Random;
  private nonce = Date.now();

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  info(): Json {
    const { random } = this;
    const user = testKey(random.below(5)).address;
    const fields: { [key: string]: Json } = {
      type: random.pick([...INFO_TYPES, 'settlement', 'proof', 'budget', 'displayName', 'limits', 'nothing']),
      user,
      coin: random.pick(['BTC', 'ETH', 'DOGE']),
      oid: random.below(100_000),
      startTime: random.pick([0, Date.now() - 1000]),
      req: { coin: 'BTC', interval: random.pick(['1m', '1h', '1M']), startTime: 0, endTime: Date.now() },
      vaultAddress: user,
      builder: user,
      id: random.below(60),
      dex: random.pick(['', 'x']),
      height: random.below(50),
      key: '0x0100000000',
      nSigFigs: random.pick([2, 3, 4, 5, 6]),
    };
    return random.chance(0.6) ? this.changed(fields) : fields;
  }

  subscription(): Json {
    const { random } = this;
    const types = [
      'l2Book',
      'trades',
      'bbo',
      'candle',
      'allMids',
      'userFills',
      'orderUpdates',
      'userEvents',
      'clearinghouseState',
      'webData3',
      'explorerTxs',
      'explorerBlock',
    ];
    const message: Json = {
      method: random.pick(['subscribe', 'subscribe', 'unsubscribe', 'ping', 'post']),
      id: random.below(10),
      fromSeq: random.below(5),
      feed: 'x',
      subscription: { type: random.pick(types), coin: 'BTC', interval: '1m', user: testKey(random.below(4)).address },
      request: { type: random.pick(['info', 'action']), payload: random.chance(0.5) ? this.info() : this.exchange() },
    };
    return random.chance(0.5) ? this.changed(message) : message;
  }

  /** Changed before it is signed, after, or not at all. */
  exchange(): Json {
    const { random } = this;
    const nonce = this.nonce++;
    const action = this.action(nonce);
    const request: { [key: string]: Json } = { action: random.chance(0.4) ? this.changed(action) : action, nonce };
    if (random.chance(0.1)) request.vaultAddress = testKey(random.below(5)).address;
    if (random.chance(0.1)) request.expiresAfter = Date.now() + random.between(-10_000, 10_000);
    request.signature = this.signature(request);
    return random.chance(0.2) ? this.changed(request) : request;
  }

  private signature(request: { [key: string]: Json }): Json {
    const none = { r: '0x1', s: '0x1', v: 27 };
    try {
      const read = readRequest({ ...request, signature: none });
      const key = new Uint8Array(Buffer.from((this.random.below(5) + 1).toString(16).padStart(64, '0'), 'hex'));
      return formatSignature(signDigest(requestDigest(read, 'Testnet'), key));
    } catch {
      return none;
    }
  }

  private action(nonce: number): Json {
    const { random } = this;
    const user = testKey(random.below(5)).address;
    const order = (): Json => ({
      a: random.below(3),
      b: random.chance(0.5),
      p: String(random.pick([2990, 3000, 3010, 60_000, 59_990, 3000.5])),
      s: String(random.pick([0.01, 0.1, 1, 0.5])),
      r: random.chance(0.1),
      t: random.pick<Json>([
        { limit: { tif: 'Gtc' } },
        { limit: { tif: 'Ioc' } },
        { limit: { tif: 'Alo' } },
        { trigger: { isMarket: true, triggerPx: '3100', tpsl: 'tp' } },
      ]),
      c: `0x${random.below(20).toString(16).padStart(32, '0')}`,
    });
    const user712 = { signatureChainId: '0x66eee', hyperliquidChain: 'Testnet' };
    return random.pick<() => Json>([
      () => ({
        type: 'order',
        orders: Array.from({ length: random.between(0, 4) }, order),
        grouping: random.pick(['na', 'normalTpsl', 'positionTpsl']),
      }),
      () => ({ type: 'order', orders: [order()], grouping: 'na' }),
      () => ({ type: 'cancel', cancels: [{ a: random.below(3), o: random.below(1_000_000) }] }),
      () => ({ type: 'cancelByCloid', cancels: [{ asset: 1, cloid: `0x${random.below(20).toString(16).padStart(32, '0')}` }] }),
      () => ({ type: 'batchModify', modifies: [{ oid: `0x${random.below(20).toString(16).padStart(32, '0')}`, order: order() }] }),
      () => ({ type: 'modify', oid: random.below(1_000_000), order: order(), a: true }),
      () => ({ type: 'updateLeverage', asset: random.below(3), isCross: random.chance(0.5), leverage: random.below(30) }),
      () => ({ type: 'updateIsolatedMargin', asset: 1, isBuy: true, ntli: random.between(-1_000_000, 1_000_000) }),
      () => ({ type: 'scheduleCancel', time: Date.now() + 6000 }),
      () => ({ type: 'twapOrder', twap: { a: 1, b: true, s: '1', r: false, m: random.between(1, 20), t: true } }),
      () => ({ type: 'twapCancel', a: 1, t: random.below(3) }),
      () => ({ type: 'usdSend', ...user712, destination: user, amount: String(random.below(100)), time: nonce }),
      () => ({ type: 'usdClassTransfer', ...user712, amount: String(random.below(100)), toPerp: random.chance(0.5), nonce }),
      () => ({
        type: 'approveAgent',
        ...user712,
        agentAddress: testKey(random.between(4, 8)).address,
        agentName: `a${random.below(4)}`,
        nonce,
      }),
      () => ({ type: 'reportPrices', prices: [{ a: random.below(2), s: [String(random.between(2900, 3100))], p: ['3000', '0'] }] }),
      () => ({ type: 'createSubAccount', name: random.pick(['x', '', 'é'.repeat(13), ' x']) }),
      () => ({ type: 'subAccountModify', subAccountUser: user, name: random.pick(['y', '', ' y']) }),
      () => ({ type: 'setDisplayName', displayName: random.pick(['z', '', 'z'.repeat(25)]) }),
      () => ({ type: 'createVault', name: 'x', description: 'y', initialUsd: 100_000_000, nonce }),
      () => ({ type: 'vaultTransfer', vaultAddress: user, isDeposit: true, usd: 1 }),
      () => ({
        type: 'multiSig',
        signatureChainId: '0x66eee',
        signatures: [{ r: '0x1', s: '0x2', v: 27 }],
        payload: { multiSigUser: user, outerSigner: user, action: { type: 'noop' } },
      }),
      () => ({ type: 'reserveRequestWeight', weight: random.below(3) }),
    ])();
  }

  /** A copy with a few changes at random places. */
  private changed(value: Json): Json {
    const { random } = this;
    if (random.chance(0.25) || typeof value !== 'object' || value === null) return random.pick(ODD);
    if (Array.isArray(value)) {
      const copy = [...value];
      if (copy.length === 0 || random.chance(0.2)) copy.push(random.pick(ODD));
      else {
        const at = random.below(copy.length);
        copy[at] = this.changed(copy[at] as Json);
      }
      return copy;
    }
    const copy = { ...value };
    const keys = Object.keys(copy);
    const key = keys.length === 0 ? 'x' : random.pick(keys);
    if (random.chance(0.2)) delete copy[key];
    else if (random.chance(0.1)) copy[random.pick(['type', 'extra', '__proto__', 'toString'])] = random.pick(ODD);
    else copy[key] = this.changed(copy[key] as Json);
    return copy;
  }

  /** As text, now and then cut or with bytes that do not belong there. */
  text(value: Json): string {
    const { random } = this;
    const text = JSON.stringify(value);
    if (random.chance(0.96)) return text;
    const at = random.below(text.length + 1);
    return random.chance(0.5)
      ? text.slice(0, at)
      : `${text.slice(0, at)}${random.pick(['\u0000', '{', ']', '"', '\\', '\ufeff', '1e999'])}${text.slice(at)}`;
  }
}

/** Sends on a connection until it is told to stop; opens another when the node has closed it. */
class Sockets {
  private readonly url: string;
  private socket: WebSocket | undefined;
  answers = 0;

  constructor(url: string) {
    this.url = `${url.replace('http', 'ws')}/ws`;
  }

  async send(text: string): Promise<void> {
    if (this.socket?.readyState !== WebSocket.OPEN) this.socket = await this.open();
    this.socket.send(text);
  }

  /** Everything that was sent is answered when a ping is. */
  async drain(): Promise<void> {
    const { socket } = this;
    if (socket?.readyState !== WebSocket.OPEN) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off('message', onMessage);
        socket.off('close', done);
        resolve();
      };
      const onMessage = (data: { toString(): string }): void => {
        if (data.toString() === '{"channel":"pong"}') done();
      };
      socket.on('message', onMessage);
      socket.on('close', done);
      socket.send('{"method":"ping"}');
    });
  }

  close(): void {
    this.socket?.terminate();
  }

  private async open(): Promise<WebSocket> {
    const socket = new WebSocket(this.url);
    socket.on('message', () => this.answers++);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return socket;
  }
}

test(`${REQUESTS} requests, seed ${SEED}`, async (t) => {
  const node: TestService = await startService();
  const { totalEquity } = await node.service.pipeline.state.audit();
  const requests = new Requests(SEED);
  const sockets = new Sockets(node.service.url);
  const byStatus = new Map<number, number>();
  let accepted = 0;
  try {
    for (let sent = 0; sent < REQUESTS; ) {
      const batch: Promise<void>[] = [];
      for (let i = 0; i < AT_ONCE && sent < REQUESTS; i++, sent++) {
        if (requests.random.chance(SOCKET_SHARE)) {
          batch.push(sockets.send(requests.text(requests.subscription())));
          continue;
        }
        const path = requests.random.pick(['/info', '/exchange', '/exchange', '/explorer']);
        const body = requests.text(path === '/exchange' ? requests.exchange() : requests.info());
        batch.push(
          node.post(path, body).then(({ status, text }) => {
            byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
            assert.ok(STATUSES.has(status), `${status} for ${path} ${body.slice(0, 500)}`);
            if (status !== 200) return;
            const answer = JSON.parse(text);
            if (path === '/exchange') {
              assert.ok(answer.status === 'ok' || answer.status === 'err', text);
              if (answer.status === 'ok') accepted++;
            }
          }),
        );
      }
      await Promise.all(batch);
      await sockets.drain();
    }
    assert.deepEqual(node.faults, []);
    assert.equal(node.service.pipeline.broken, undefined);
    // Otherwise this would test how well nothing is refused.
    assert.ok(accepted > REQUESTS / 20, `${accepted} of ${REQUESTS} were accepted`);
    assert.ok(sockets.answers > REQUESTS / 20, `${sockets.answers} answers over WebSocket`);
    assert.deepEqual(violations(await node.service.pipeline.state.audit(), totalEquity), []);
    t.diagnostic(`statuses ${JSON.stringify([...byStatus])}, ${accepted} actions accepted, ${sockets.answers} messages`);
  } finally {
    sockets.close();
    await node.close();
  }
});
