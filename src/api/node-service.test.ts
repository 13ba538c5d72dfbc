/** Trading on a whole node with Heddle's own client: what is acknowledged is there, is told, is proven, and survives a stop. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { soon } from '../base/waits-for-tests.ts';
import { HeddleClient, SignerKey } from '../sdk/index.ts';
import { formatSignature, signDigest } from '../sdk/signature.ts';
import { requestDigest } from '../sdk/signed-request.ts';
import type { WireAction } from '../sdk/wire-actions.ts';
import { BOUGHT_FILE } from './bought-file.ts';
import { limitDefaults } from './rate-limits.ts';
import { REPORTER, startService, type TestService, testKey } from './service-for-tests.ts';

const ETH = 1;
/** Orders after which the node is stopped. */
const ENOUGH = 60;
const CLOID = '0x7c0ffee0000000000000000000000b01';

let node: TestService;
before(async () => {
  node = await startService();
});
after(async () => {
  await node.close();
  assert.deepEqual(node.faults, []);
});

const order = (b: boolean, p: string, s: string, more: object = {}) => ({
  a: ETH,
  b,
  p,
  s,
  r: false,
  t: { limit: { tif: 'Gtc' as const } },
  ...more,
});
const resting = (answer: unknown): number => (answer as { resting: { oid: number } }).resting.oid;

interface Level {
  readonly px: string;
  readonly sz: string;
}

async function bookOf(client: HeddleClient): Promise<readonly (readonly Level[])[]> {
  return ((await client.ask('l2Book', { coin: 'ETH' })) as { levels: readonly (readonly Level[])[] }).levels;
}

test('who has placed an order sees it in the next answer', async () => {
  const client = node.client(0);
  for (let i = 0; i < 20; i++) {
    const [answer] = await client.order([order(true, `29${10 + i}`, '0.1')]);
    const oid = resting(answer);
    const open = (await client.ask('openOrders', { user: client.address })) as { oid: number }[];
    assert.ok(open.some((found) => found.oid === oid));
    const [cancelled] = await client.cancel([{ a: ETH, o: oid }]);
    assert.equal(cancelled, 'success');
    assert.deepEqual(await client.ask('openOrders', { user: client.address }), []);
  }
});

test('answers name the block that they are of', async () => {
  const client = node.client(0);
  const signed = (action: WireAction): Promise<unknown> => client.sign(action);
  const heightOf = async (path: string, body: unknown): Promise<number | undefined> => {
    const response = await fetch(`${node.service.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    await response.text();
    const text = response.headers.get('heddle-height');
    assert.equal(response.headers.get('access-control-expose-headers'), text === null ? null : 'heddle-height');
    return text === null ? undefined : Number(text);
  };
  const noop: WireAction = { type: 'noop' };
  const first = (await heightOf('/exchange', await signed(noop))) as number;
  assert.equal(first, node.service.views.height);
  const request = await signed(noop);
  assert.equal(await heightOf('/exchange', request), first + 1);
  // A nonce that was used is refused by the ledger, in a block; what nobody can have signed comes into none.
  assert.equal(await heightOf('/exchange', request), first + 2);
  assert.equal(await heightOf('/exchange', { ...(request as object), nonce: 5 }), undefined);
  assert.equal(await heightOf('/exchange', {}), undefined);
  assert.equal(await heightOf('/info', { type: 'openOrders', user: client.address }), first + 2);
  assert.equal(await heightOf('/info', { type: 'nothing' }), undefined);
  assert.equal(await heightOf('/explorer', { type: 'blockDetails', height: 1 }), undefined);

  const socket = new WebSocket(`${node.service.url.replace('http', 'ws')}/ws`);
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
  const posted = async (type: string, payload: unknown): Promise<unknown> => {
    const answer = new Promise<MessageEvent>((resolve) => socket.addEventListener('message', resolve, { once: true }));
    socket.send(JSON.stringify({ method: 'post', id: 1, request: { type, payload } }));
    return JSON.parse((await answer).data).height;
  };
  assert.equal(await posted('action', await signed(noop)), first + 3);
  assert.equal(await posted('info', { type: 'exchangeStatus' }), first + 3);
  assert.equal(await posted('action', { ...(request as object), nonce: 5 }), undefined);
  assert.equal(await posted('info', { type: 'nothing' }), undefined);
  socket.close();
});

test('orders of many clients at once are all answered, each with its own', async () => {
  const clients = [0, 1, 2, 3].map((index) => node.client(index));
  const answers = await Promise.all(
    Array.from({ length: 120 }, (_, i) => (clients[i % 4] as HeddleClient).order([order(true, '2900', `0.${100 + i}`)])),
  );
  const oids = answers.map(([answer]) => resting(answer));
  assert.equal(new Set(oids).size, oids.length);
  const [bids] = await bookOf(clients[0] as HeddleClient);
  const total = answers.reduce((sum, _, i) => sum + 100 + i, 0);
  assert.equal(bids?.[0]?.sz, String(total / 1000));
  for (const [index, client] of clients.entries()) await client.cancel(oids.filter((_, i) => i % 4 === index).map((o) => ({ a: ETH, o })));
  assert.deepEqual(await bookOf(clients[0] as HeddleClient), [[], []]);
});

test('a trade is told to both sides, by answers and by streams', async () => {
  const [maker, taker] = [node.client(0), node.client(1)];
  const seen: { user: string; fills: { oid: number; px: string }[] }[] = [];
  const arrived = Promise.withResolvers<void>();
  const subscription = maker.subscribe(
    { type: 'userFills', user: maker.address },
    {
      onMessage: (data, { isSnapshot }) => {
        if (isSnapshot) return;
        seen.push(data as unknown as (typeof seen)[number]);
        arrived.resolve();
      },
    },
  );
  await subscription.ready;
  const made = resting((await maker.order([order(false, '3001', '0.5')]))[0]);
  const [taken] = await taker.order([order(true, '3002', '0.2', { t: { limit: { tif: 'Ioc' } } })]);
  assert.equal((taken as { filled: { avgPx: string } }).filled.avgPx, '3001');
  await arrived.promise;
  assert.equal(seen[0]?.fills[0]?.oid, made);
  await maker.cancel([{ a: ETH, o: made }]);
});

test('a stream that was cut off goes on where it was, without a gap', async () => {
  const sockets: { close(): void }[] = [];
  const listener = new HeddleClient({
    url: node.service.url,
    signer: testKey(0),
    socketTiming: { pulseMs: 1000, retryMsMin: 5, retryMsMax: 5 },
    openSocket: (url) => {
      const socket = new WebSocket(url);
      sockets.push(socket);
      return socket;
    },
  });
  const trader = node.client(0);
  const seen: { oid: number; seq: number }[] = [];
  const gaps: unknown[] = [];
  let wake = Promise.withResolvers<void>();
  const subscription = listener.subscribe(
    { type: 'orderUpdates', user: trader.address },
    {
      onMessage: (updates, { seq }) => {
        for (const { order: found, status } of updates as unknown as { order: { oid: number }; status: string }[]) {
          if (status === 'open') seen.push({ oid: found.oid, seq: seq as number });
        }
        wake.resolve();
        wake = Promise.withResolvers();
      },
      onGap: (gap) => gaps.push(gap),
    },
  );
  await subscription.ready;
  const placed: number[] = [];
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 5; i++) {
      placed.push(resting((await trader.order([order(true, `28${10 + i}`, '0.1')]))[0]));
      // Cut off in the middle: what comes meanwhile is kept by the node.
      if (i === 2) sockets.at(-1)?.close();
    }
  }
  while (seen.length < placed.length) await soon(`update ${seen.length} of ${placed.length}`, wake.promise);
  assert.deepEqual(
    seen.map(({ oid }) => oid),
    placed,
  );
  assert.deepEqual(gaps, []);
  assert.ok(sockets.length > 1);
  listener.close();
  await trader.cancel(placed.map((o) => ({ a: ETH, o })));
});

test('a batch keeps its places, whatever is wrong with its items', async () => {
  const client = node.client(0);
  const answers = await client.order([
    order(true, '2900', '0.1'),
    order(true, '2900.123', '0.1'),
    order(true, '2900', '0.00001'),
    order(true, '2900', '0.001'),
    { ...order(true, '2900', '0.1'), a: 77 },
    order(true, '2901', '0.1', { c: CLOID }),
    order(true, '2901', '0.1', { c: CLOID }),
  ]);
  assert.equal(answers.length, 7);
  const errors = answers.map((answer) => (answer as { error?: string }).error);
  assert.deepEqual(errors, [
    undefined,
    'Price must be divisible by tick size. asset=1',
    'Order has invalid size. asset=1',
    'Order must have minimum value of $10. asset=1',
    'Unknown asset. asset=77',
    undefined,
    'Order has the client id of an open order. asset=1',
  ]);
  await client.cancelByClientId([{ asset: ETH, cloid: CLOID }]);
  await client.cancel([{ a: ETH, o: resting(answers[0]) }]);
});

test('a block that was settled can be checked, and so can a record of the state', async () => {
  const client = node.client(0);
  await client.order([order(true, '2900', '0.1')]);
  const height = node.service.views.height;
  const settled = await client.untilSettled(height);
  assert.equal(settled.header.height, height);
  assert.equal(await client.ask('settlement', { height: height + 1000 }), null);
  // The account record of number 0: class 1, u32 number.
  const record = await client.proof(Uint8Array.of(1, 0, 0, 0, 0));
  assert.ok(record.value !== undefined);
  const none = await client.proof(Uint8Array.of(1, 0, 0, 255, 255));
  assert.equal(none.value, undefined);
});

test('limits say exactly which orders are taken', async () => {
  const client = node.client(3);
  const { markets, openOrders } = await client.info({ type: 'limits' });
  const { universe } = await client.info({ type: 'meta' });
  assert.deepEqual(
    markets.map(({ coin }) => coin),
    universe.map(({ name }) => name),
  );
  const eth = markets[1];
  const limits = { maxOrderSize: '3355.4432', maxPositionSize: '53687.0912', minOrderValue: '10', priceBandBps: 8000, oracleBandBps: 9500 };
  assert.deepEqual(eth, { coin: 'ETH', ...limits, openInterestCap: null });
  // Four pages of 64 orders are less than what the rules allow from the start.
  assert.deepEqual(openOrders, { base: 256, max: 256, volumePerFurther: '5000000' });
  // The largest order is more than the account can pay for; its size is not what is wrong with it.
  const [largest, larger, smallest, smaller] = await client.order([
    order(true, '601', '3355.4432'),
    order(true, '601', '3355.4433'),
    order(true, '2500', '0.004'),
    order(true, '2500', '0.0039'),
  ]);
  await client.cancel([{ a: ETH, o: resting(smallest) }]);
  assert.match(JSON.stringify(largest), /Insufficient margin/);
  assert.match(JSON.stringify(larger), /Order has invalid size/);
  assert.match(JSON.stringify(smaller), /minimum value of \$10/);
});

test('nonces and expiry', async () => {
  const send = async (nonce: number, more: object = {}): Promise<unknown> => {
    const request = { action: { type: 'noop' as const }, nonce, ...more };
    const signature = formatSignature(signDigest(requestDigest(request, 'Testnet'), keyBytes(2)));
    return JSON.parse((await node.post('/exchange', { ...request, signature })).text);
  };
  const now = Date.now();
  const ok = { status: 'ok', response: { type: 'default' } };
  assert.deepEqual(await send(now), ok);
  assert.deepEqual(await send(now), { status: 'err', response: `Invalid nonce: duplicate nonce ${now}` });
  const low = (await send(now - 3 * 86_400_000)) as { response: string };
  assert.match(low.response, /^Invalid nonce: nonce too low \d+ < \d+$/);
  const high = (await send(now + 2 * 86_400_000)) as { response: string };
  assert.match(high.response, /^Invalid nonce: nonce too high \d+ > \d+$/);
  assert.deepEqual(await send(now + 1, { expiresAfter: now + 60_000 }), ok);
  assert.deepEqual(await send(now + 2, { expiresAfter: now - 60_000 }), { status: 'err', response: 'Action has expired.' });
});

const keyBytes = (index: number): Uint8Array => new Uint8Array(Buffer.from((index + 1).toString(16).padStart(64, '0'), 'hex'));

test("a signature of nobody: the venue's words, and in development what may be wrong", async () => {
  const stranger = new HeddleClient({ url: node.service.url, signer: new SignerKey('9'.repeat(64)) });
  const { response } = (await stranger.send({ type: 'noop' })) as { response: string };
  assert.match(response, /^User or API Wallet 0x[0-9a-f]{40} does not exist\.$/);
  const request = { action: { type: 'noop' as const }, nonce: Date.now() };
  const signature = formatSignature(signDigest(requestDigest(request, 'Testnet'), keyBytes(2)));
  // The account that it is for was not signed.
  const { text } = await node.post('/exchange', { ...request, signature, vaultAddress: testKey(1).address });
  assert.match(
    JSON.parse(text).response,
    new RegExp(`does not exist\\. It is a signature of ${testKey(2).address}: vaultAddress was sent and not hashed`),
  );
  assert.ok(node.logged.some((line) => line.includes('vaultAddress was sent and not hashed')));
  assert.ok(!node.logged.some((line) => line.includes(signature.r.slice(2))));
});

test('signatures that are none', async () => {
  const request = { action: { type: 'noop' }, nonce: Date.now() };
  const zero = `0x${'0'.repeat(64)}`;
  for (const signature of [
    { r: zero, s: zero, v: 27 },
    { r: '0x1', s: '0x1', v: 40 },
    { r: `0x${'f'.repeat(64)}`, s: '0x1', v: 27 },
  ]) {
    assert.deepEqual(JSON.parse((await node.post('/exchange', { ...request, signature })).text), {
      status: 'err',
      response: 'Unable to recover signer',
    });
  }
});

test('a request for the other chain is taken in development only', async () => {
  const request = { action: { type: 'noop' as const }, nonce: Date.now() };
  const signature = formatSignature(signDigest(requestDigest(request, 'Mainnet'), keyBytes(3)));
  assert.equal(JSON.parse((await node.post('/exchange', { ...request, signature })).text).status, 'ok');
  const strict = await startService({ development: false });
  try {
    const { response } = JSON.parse((await strict.post('/exchange', { ...request, nonce: Date.now(), signature })).text);
    assert.match(response, /^User or API Wallet 0x[0-9a-f]{40} does not exist\.$/);
    const send = new HeddleClient({ url: strict.service.url, signer: testKey(0), chain: 'Mainnet' });
    await assert.rejects(send.usdSend({ destination: testKey(1).address, amount: '1' }), /Invalid chain: this node is of Testnet/);
  } finally {
    await strict.close();
  }
});

test('an agent trades for its user until its name is given to another', async () => {
  const client = node.client(0);
  const [first, second] = [new SignerKey('7'.repeat(64)), new SignerKey('8'.repeat(64))];
  await client.approveAgent({ agentAddress: first.address, agentName: 'bot' });
  const agent = new HeddleClient({ url: node.service.url, signer: first });
  const oid = resting((await agent.order([order(true, '2900', '0.1')]))[0]);
  assert.deepEqual(
    ((await client.ask('openOrders', { user: client.address })) as { oid: number }[]).map((open) => open.oid).includes(oid),
    true,
  );
  await assert.rejects(agent.usdSend({ destination: testKey(1).address, amount: '1' }));
  await client.approveAgent({ agentAddress: second.address, agentName: 'bot' });
  await assert.rejects(agent.order([order(true, '2900', '0.1')]), /does not exist/);
  await client.cancel([{ a: ETH, o: oid }]);
});

test('a sub-account trades in its own name, through its master only', async () => {
  const [master, other] = [node.client(2), node.client(1)];
  const subAccount = await master.createSubAccount('second');
  await master.subAccountTransfer({ subAccountUser: subAccount, isDeposit: true, usd: 1_000_000_000 });
  const oid = resting((await master.order([order(true, '2900', '0.1')], { vaultAddress: subAccount }))[0]);
  const open = (await master.ask('openOrders', { user: subAccount })) as { oid: number }[];
  assert.deepEqual(
    open.map((found) => found.oid),
    [oid],
  );
  await assert.rejects(
    other.order([order(true, '2900', '0.1')], { vaultAddress: subAccount }),
    new RegExp(`Vault not registered: ${subAccount}`),
  );
  assert.deepEqual(await master.cancel([{ a: ETH, o: oid }], { vaultAddress: subAccount }), ['success']);
});

test('a multi-signature user acts through enough of its signers', async () => {
  const [user, first, second] = [node.client(3), node.client(1), node.client(2)];
  const signers = JSON.stringify({ authorizedUsers: [first.address, second.address].sort(), threshold: 2 });
  const converted = {
    type: 'convertToMultiSigUser',
    signatureChainId: '0x66eee',
    hyperliquidChain: 'Testnet',
    signers,
    nonce: user.nextNonce(),
  } as const;
  const request = { action: converted, nonce: converted.nonce };
  const signature = formatSignature(signDigest(requestDigest(request, 'Testnet'), keyBytes(3)));
  assert.equal(JSON.parse((await node.post('/exchange', { ...request, signature })).text).status, 'ok');
  const action = { type: 'order' as const, orders: [order(true, '2900', '0.1')], grouping: 'na' as const };
  const send = async (...clients: HeddleClient[]): Promise<unknown> => {
    const nonce = first.nextNonce();
    const signatures = await Promise.all(clients.map((client) => client.signInner(action, user.address, first.address, nonce)));
    return first.sendMultiSig(action, user.address, signatures, nonce);
  };
  const { response } = (await send(first, second)) as { response: { data: { statuses: unknown[] } } };
  const oid = resting(response.data.statuses[0]);
  assert.deepEqual(
    ((await user.ask('openOrders', { user: user.address })) as { oid: number }[]).map((found) => found.oid),
    [oid],
  );
  assert.deepEqual(await send(first), { status: 'err', response: 'Multi-sig threshold not met' });
  assert.deepEqual(await send(first, first), { status: 'err', response: 'Invalid multi-sig inner signer: one has signed twice' });
  const stranger = new HeddleClient({ url: node.service.url, signer: new SignerKey('6'.repeat(64)) });
  assert.match(((await send(first, stranger)) as { response: string }).response, /^Invalid multi-sig inner signer 0x/);
  await assert.rejects(user.order([order(true, '2900', '0.1')]), /Multi-sig required/);
});

test('reporters of the genesis report prices, and nobody else', async () => {
  const other = await startService();
  try {
    const report = { type: 'reportPrices', prices: [{ a: ETH, s: ['3100'], p: ['3101'] }] } as const;
    assert.deepEqual(await other.client(REPORTER).send(report), { status: 'ok', response: { type: 'default' } });
    assert.deepEqual(await other.client(REPORTER + 1).send(report), { status: 'err', response: 'Not authorised to perform this action.' });
    const [, contexts] = (await other.client(1).ask('metaAndAssetCtxs')) as [unknown, { oraclePx: string }[]];
    assert.equal(contexts[ETH]?.oraclePx, '3100');
    const far = { type: 'reportPrices', prices: [{ a: ETH, s: ['9000'] }] } as const;
    assert.deepEqual(await other.client(REPORTER).send(far), { status: 'err', response: 'Reported prices are too far from the index.' });
  } finally {
    await other.close();
  }
});

test('the explorer shows blocks and transactions that are settled, and who sent them', async () => {
  const client = node.client(1);
  await client.order([order(true, '2900.123', '0.1')]);
  await assert.rejects(client.usdSend({ destination: client.address, amount: '1' }));
  const height = node.service.views.height;
  await client.untilSettled(height);
  const explore = async (request: object): Promise<unknown> => JSON.parse((await node.post('/explorer', request)).text);
  const { blockDetails } = (await explore({ type: 'blockDetails', height })) as {
    blockDetails: { hash: string; numTxs: number; txs: { hash: string }[] };
  };
  assert.equal(blockDetails.numTxs, 1);
  const hash = blockDetails.txs[0]?.hash as string;
  const { tx } = (await explore({ type: 'txDetails', hash })) as { tx: Record<string, unknown> };
  assert.equal(tx.user, client.address);
  assert.equal(tx.block, height);
  assert.equal(tx.error, 'Invalid recipient.');
  assert.deepEqual(tx.action, { type: 'sendPerp', recipient: client.address, amount: '1000000' });
  const { txs } = (await explore({ type: 'userDetails', user: client.address })) as { txs: { hash: string; user: string }[] };
  assert.equal(txs[0]?.hash, hash);
  assert.ok(txs.every(({ user }) => user === client.address));
  assert.deepEqual(await explore({ type: 'blockDetails', height: height + 1000 }), { type: 'blockDetails', blockDetails: null });
  assert.deepEqual(await explore({ type: 'txDetails', hash: `0x${'0'.repeat(64)}` }), { type: 'txDetails', tx: null });
});

test('request weight is paid for where it is sold', async () => {
  const seller = testKey(1).address;
  const other = await startService({ limits: { ...limitDefaults, enforced: true, addressRequests: 5 }, weightSeller: seller });
  try {
    const client = other.client(0);
    const worthOf = async (user: string): Promise<number> => {
      const { marginSummary } = (await client.ask('clearinghouseState', { user })) as { marginSummary: { accountValue: string } };
      return Number(marginSummary.accountValue);
    };
    const before = await worthOf(seller);
    assert.deepEqual(await client.send({ type: 'reserveRequestWeight', weight: 2000 }), { status: 'ok', response: { type: 'default' } });
    assert.equal((await worthOf(seller)) - before, 1);
    const { used, allowed, reserved } = (await client.ask('budget', { user: client.address })) as Record<string, number>;
    assert.deepEqual({ used, allowed, reserved }, { used: 1, allowed: 5, reserved: 2000 });
  } finally {
    await other.close();
  }
});

test('bought request weight is there after a restart, whoever it was bought for', async () => {
  const limits = { ...limitDefaults, enforced: true, addressRequests: 5 };
  const first = await startService({ limits, weightSeller: testKey(1).address });
  const friend = testKey(2).address;
  const destination = `0x${friend.slice(2).toUpperCase()}` as const;
  await first.client(0).send({ type: 'reserveRequestWeight', weight: 2000 });
  await first.client(0).send({ type: 'reserveRequestWeight', weight: 30, destination });
  await first.client(0).send({ type: 'noop' });
  await first.service.close();
  const second = await startService({ limits, weightSeller: testKey(1).address, folder: first.folder });
  try {
    const budgetOf = async (index: number): Promise<unknown> => second.client(index).ask('budget', { user: testKey(index).address });
    assert.deepEqual(await budgetOf(0), { user: testKey(0).address, used: 3, allowed: 5, reserved: 2000, enforced: true });
    assert.deepEqual(await budgetOf(2), { user: friend, used: 0, allowed: 5, reserved: 30, enforced: true });
  } finally {
    await first.close();
    await second.close();
  }
});

test('a purchase that is confirmed while the node stops is on disk when it has, though nobody was told', async () => {
  const limits = { ...limitDefaults, enforced: true };
  const first = await startService({ limits, weightSeller: testKey(1).address });
  const { pipeline } = first.service;
  const [submit, closePipeline] = [pipeline.submit.bind(pipeline), pipeline.close.bind(pipeline)];
  const stopping = Promise.withResolvers<void>();
  const submitted = Promise.withResolvers<void>();
  pipeline.submit = (transaction) => {
    const ticket = submit(transaction);
    submitted.resolve();
    // As if its block were the last one.
    return { confirmed: stopping.promise.then(() => ticket.confirmed), settled: ticket.settled };
  };
  pipeline.close = async () => {
    await closePipeline();
    stopping.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const client = first.client(0);
  const socket = new WebSocket(`${first.service.url.replace('http', 'ws')}/ws`);
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
  const payload = await client.sign({ type: 'reserveRequestWeight', weight: 2000 });
  socket.send(JSON.stringify({ method: 'post', id: 1, request: { type: 'action', payload } }));
  await submitted.promise;
  // Nothing else that is written at the end gives the purchase time.
  mkdirSync(join(first.folder, 'account-values.new'));
  await first.service.close();
  const kept = JSON.parse(readFileSync(join(first.folder, BOUGHT_FILE), 'utf8'));
  assert.deepEqual(kept, { bought: { [testKey(0).address]: { used: 1, reserved: 2000 } }, paying: [] });
  await first.close();
});

test('a purchase that was paid when the node was killed is there after the next start, and one that was not paid is not', async () => {
  const limits = { ...limitDefaults, enforced: true };
  const weightSeller = testKey(1).address;
  const first = await startService({ limits, weightSeller });
  const { pipeline } = first.service;
  const submit = pipeline.submit.bind(pipeline);
  /** What a kill would leave at this moment; the store is made again from the journal. */
  const leave = (): string => {
    const left = mkdtempSync(join(tmpdir(), 'heddle-killed-'));
    for (const name of ['genesis.json', 'journal', BOUGHT_FILE]) cpSync(join(first.folder, name), join(left, name), { recursive: true });
    return left;
  };
  const left: string[] = [];
  pipeline.submit = (transaction) => {
    left.push(leave());
    const ticket = submit(transaction);
    const confirmed = ticket.confirmed.then((confirmation) => {
      left.push(leave());
      return confirmation;
    });
    return { confirmed, settled: ticket.settled };
  };
  try {
    await first.client(0).send({ type: 'reserveRequestWeight', weight: 2000 });
    const reserved: unknown[] = [];
    for (const folder of left) {
      for (const onceMore of [false, true]) {
        const next = await startService({ limits, weightSeller, folder });
        const budget = (await next.client(0).ask('budget', { user: testKey(0).address })) as { reserved: number };
        reserved.push(budget.reserved);
        if (onceMore) await next.close();
        else await next.service.close();
      }
    }
    assert.deepEqual(reserved, [0, 0, 2000, 2000], 'each after one start and after another');
  } finally {
    await first.close();
  }
});

test('a damaged file of what was bought stops a start only where limits are enforced, and is left as it is', async () => {
  const first = await startService();
  await first.service.close();
  const path = join(first.folder, BOUGHT_FILE);
  writeFileSync(path, '{"bought"');
  const { folder } = first;
  await assert.rejects(startService({ folder, limits: { ...limitDefaults, enforced: true } }), { code: 'BAD_BUDGETS' });
  const second = await startService({ folder });
  try {
    assert.ok(second.logged.some((line) => line.includes(`${BOUGHT_FILE} of the node's folder is damaged`)));
    await second.client(0).send({ type: 'reserveRequestWeight', weight: 5 });
    await second.service.close();
    assert.equal(readFileSync(path, 'utf8'), '{"bought"');
  } finally {
    await second.close();
  }
});

test('names are shown where accounts and vaults are, proven, and there after a restart', async () => {
  const first = await startService();
  const services = [first];
  const [client, leader] = [first.client(1), first.client(2)];
  const user = client.address;
  /** What a node shows of them. */
  const shown = async (service: TestService): Promise<unknown> => {
    const at = service.client(1);
    const names = async (type: string, more: object = { user }): Promise<unknown> =>
      ((await at.ask(type, more)) as { name: string }[]).map(({ name }) => name);
    const details = (await at.ask('vaultDetails', { vaultAddress })) as { name: string; description: string };
    return {
      display: await at.ask('displayName', { user: user.toUpperCase().replace('0X', '0x') }),
      other: await at.info({ type: 'displayName', user: leader.address }),
      subAccounts: [await names('subAccounts'), await names('subAccounts2')],
      vaults: [await names('vaultSummaries', {}), await names('leadingVaults', { user: leader.address })],
      details: [details.name, details.description],
      webData: ((await at.ask('webData2', { user: leader.address })) as { leadingVaults: { name: string }[] }).leadingVaults[0]?.name,
    };
  };
  let vaultAddress = '';
  try {
    await client.createSubAccount('hedge');
    const second = await client.createSubAccount('x');
    await client.subAccountModify({ subAccountUser: second, name: 'carry é' });
    await client.setDisplayName('Ada');
    const texts = { name: 'A vault whose name is longer than one part', description: `${'long '.repeat(70)}名` };
    const created = await leader.send({ type: 'createVault', ...texts, initialUsd: 100_000_000, nonce: Date.now() });
    vaultAddress = (created as { response: { data: string } }).response.data;
    await assert.rejects(leader.subAccountModify({ subAccountUser: second, name: 'mine' }), /Only the owner/);
    for (const bad of [' Ada', 'a\tb', 'a\x9b', 'x'.repeat(25)]) await assert.rejects(client.setDisplayName(bad), /Invalid name\./);
    const expected = {
      display: { user, displayName: 'Ada' },
      other: { user: leader.address, displayName: null },
      subAccounts: [
        ['hedge', 'carry é'],
        ['hedge', 'carry é'],
      ],
      vaults: [[texts.name], [texts.name]],
      details: [texts.name, texts.description],
      webData: texts.name,
    };
    assert.deepEqual(await shown(first), expected);
    await client.untilSettled(first.service.views.height);
    const { value } = await client.proof(Uint8Array.of(6, 0, 0, 0, 1));
    assert.equal(Buffer.from(value ?? []).toString(), 'Ada');
    await first.service.close();
    const again = await startService({ folder: first.folder });
    services.push(again);
    assert.deepEqual(await shown(again), expected);
    await again.client(1).setDisplayName('');
    assert.deepEqual(await again.client(1).info({ type: 'displayName', user }), { user, displayName: null });
  } finally {
    for (const { service } of services) await service.close();
    await first.close();
  }
});

test('portfolios go on after a restart, and start anew where their file is damaged', async () => {
  const first = await startService();
  const services = [first];
  const restarted = async (): Promise<TestService> => {
    await services.at(-1)?.service.close();
    const next = await startService({ folder: first.folder });
    services.push(next);
    return next;
  };
  const [maker, taker] = [first.client(0), first.client(1)];
  const portfolioOf = (service: TestService): Promise<unknown> => service.client(1).ask('portfolio', { user: taker.address });
  try {
    await maker.order([order(false, '3100', '10')]);
    await taker.order([order(true, '3100', '10')]);
    const before = await portfolioOf(first);
    assert.match(JSON.stringify(before), /"pnlHistory":\[\[\d+,"-\d/, 'fees and a price above the mark are a loss');
    const second = await restarted();
    assert.deepEqual(await portfolioOf(second), before);
    await second.service.close();
    const path = join(first.folder, 'account-values');
    writeFileSync(path, readFileSync(path).subarray(1));
    const third = await restarted();
    assert.notDeepEqual(await portfolioOf(third), before);
    assert.ok(third.logged.some((line) => line.includes('what accounts were worth cannot be gone on with')));
  } finally {
    for (const { service } of services) await service.close();
    await first.close();
  }
});

test('a stop in the middle of trading loses no order that was acknowledged', async () => {
  const first = await startService();
  const acknowledged = new Map<number, string>();
  const clients = [0, 1, 2, 3].map((index) => first.client(index));
  const enough = Promise.withResolvers<void>();
  let stopping = false;
  const trading = clients.map(async (client, index) => {
    for (let i = 0; !stopping; i++) {
      const price = String(2000 + ((index * 37 + i) % 500));
      try {
        const answers = await client.order([order(true, price, '0.1')]);
        acknowledged.set(resting(answers[0]), price);
        if (acknowledged.size === ENOUGH) enough.resolve();
      } catch (error) {
        // Not acknowledged: the node was stopping. Before that nobody may fail, or there would never be enough.
        if (!stopping) enough.reject(error);
        return;
      }
    }
  });
  await enough.promise;
  stopping = true;
  const closed = first.service.close();
  await Promise.all([closed, ...trading]);
  const second = await startService({ folder: first.folder });
  try {
    const open = new Map<number, string>();
    for (const index of [0, 1, 2, 3]) {
      const client = second.client(index);
      for (const { oid, limitPx } of (await client.ask('openOrders', { user: client.address })) as { oid: number; limitPx: string }[])
        open.set(oid, limitPx);
    }
    for (const [oid, price] of acknowledged) assert.equal(open.get(oid), price, `order ${oid}`);
    assert.deepEqual(second.faults, []);
    // And it goes on.
    const client = second.client(0);
    resting((await client.order([order(true, '2600', '0.1')]))[0]);
  } finally {
    await second.close();
  }
  await rm(first.folder, { recursive: true, force: true });
});
