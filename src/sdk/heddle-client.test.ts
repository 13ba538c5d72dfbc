/** The client against a server in this process that reads requests as a node does: signers, nonces, failures of every kind, proofs. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { encodeHeader, headerHash } from '../commitment/header.ts';
import { NaiveTree } from '../commitment/naive-tree.ts';
import { prove } from '../commitment/proof.ts';
import { type ClientOptions, HeddleClient, type RequestBody } from './heddle-client.ts';
import { NonceSource } from './nonce-source.ts';
import { limitOrder } from './order-terms.ts';
import { hexOfBytes } from './proven-state.ts';
import { parseSignature, recoverAddress } from './signature.ts';
import { innerDigest, readRequest, requestDigest, type SignedRequest } from './signed-request.ts';
import { SignerKey } from './signer-key.ts';

const key = new SignerKey(`0x${'42'.repeat(32)}`);
const OTHER = `0x${'11'.repeat(20)}` as const;
const ORDER = limitOrder({ asset: 3, side: 'sell', price: '100.50', size: '1.0' });

interface Sent {
  readonly path: string;
  readonly body: unknown;
}

/** Answers each request with what `answer` returns; `undefined`: never. */
async function withServer(
  answer: (sent: Sent) => { readonly status?: number; readonly text: string } | undefined,
  run: (client: HeddleClient, sent: readonly Sent[]) => Promise<void>,
  options: Partial<ClientOptions> = {},
): Promise<void> {
  const sent: Sent[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      const one = { path: request.url ?? '', body: JSON.parse(text) };
      sent.push(one);
      const found = answer(one);
      if (found !== undefined) response.writeHead(found.status ?? 200, { 'content-type': 'application/json' }).end(found.text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await run(new HeddleClient({ url: `http://127.0.0.1:${port}`, signer: key, ...options }), sent);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const json = (value: unknown): { text: string } => ({ text: JSON.stringify(value) });
const ok = (type: string, data?: unknown): { text: string } =>
  json({ status: 'ok', response: { type, ...(data === undefined ? {} : { data }) } });

/** What a node would make of a request: who signed, of which action. */
function received(body: unknown, chain: 'Mainnet' | 'Testnet' = 'Testnet'): SignedRequest & { readonly signer: string | undefined } {
  const request = readRequest(body);
  return { ...request, signer: recoverAddress(requestDigest(request, chain), request.signature) };
}

test('every action is signed by the signer, with a nonce of its own', async () => {
  const answers: Readonly<Record<string, { text: string }>> = {
    order: ok('order', { statuses: [{ resting: { oid: 5 } }, 'waitingForTrigger'] }),
    batchModify: ok('order', { statuses: [{ filled: { oid: 6, totalSz: '1', avgPx: '2' } }] }),
    cancel: ok('cancel', { statuses: ['success', { error: 'gone' }] }),
    cancelByCloid: ok('cancel', { statuses: ['success'] }),
    reduce: ok('cancel', { statuses: ['success'] }),
    twapOrder: ok('twapOrder', { status: { running: { twapId: 9 } } }),
    twapCancel: ok('twapCancel', { status: 'success' }),
    createSubAccount: ok('createSubAccount', OTHER),
  };
  const answer = ({ body }: Sent): { text: string } => answers[(body as RequestBody).action.type] ?? ok('default');
  await withServer(answer, async (client, sent) => {
    assert.deepEqual(await client.order([ORDER]), [{ resting: { oid: 5 } }, 'waitingForTrigger']);
    await client.order([ORDER], { grouping: 'normalTpsl', builder: { b: OTHER, f: 1 }, vaultAddress: OTHER, expiresAfter: 5 });
    assert.deepEqual(await client.cancel([{ a: 1, o: 2 }]), ['success', { error: 'gone' }]);
    await client.cancelByClientId([{ asset: 1, cloid: `0x${'1'.repeat(32)}` }]);
    await client.modify([{ oid: 5, order: ORDER }]);
    await client.reduce([{ a: 1, o: 2, s: '1' }]);
    await client.scheduleCancel(123);
    await client.scheduleCancel();
    await client.updateLeverage({ asset: 1, isCross: true, leverage: 5 });
    await client.updateIsolatedMargin({ asset: 1, isBuy: true, ntli: -5 });
    assert.equal(await client.twapOrder({ a: 1, b: true, s: '1', r: false, m: 5, t: true }), 9);
    await client.twapCancel(1, 9);
    await client.usdSend({ destination: OTHER, amount: '1' });
    await client.withdraw({ destination: OTHER, amount: '1' });
    await client.usdClassTransfer({ amount: '1', toPerp: true });
    await client.approveAgent({ agentAddress: OTHER, agentName: 'bot' });
    await client.approveBuilderFee({ builder: OTHER, maxFeeRate: '0.01%' });
    await client.convertToMultiSigUser({ authorizedUsers: [OTHER, `0x${'01'.repeat(20)}`], threshold: 2 });
    await client.convertToMultiSigUser(null);
    assert.equal(await client.createSubAccount('x'), OTHER);
    await client.subAccountTransfer({ subAccountUser: OTHER, isDeposit: true, usd: 5 });
    await client.vaultTransfer({ vaultAddress: OTHER, isDeposit: true, usd: 5 });
    const requests = sent.map(({ path, body }) => {
      assert.equal(path, '/exchange');
      return received(body);
    });
    assert.equal(requests.length, 22);
    const signers = requests.flatMap(({ action }) => (action.type === 'convertToMultiSigUser' ? [action.signers] : []));
    assert.deepEqual(signers, [`{"authorizedUsers":["0x${'01'.repeat(20)}","${OTHER}"],"threshold":2}`, 'null']);
    for (const { signer, action } of requests) assert.equal(signer, key.address, action.type);
    const nonces = requests.map(({ nonce }) => nonce);
    assert.deepEqual(
      nonces,
      [...new Set(nonces)].sort((a, b) => a - b),
    );
    for (const { action, nonce } of requests) {
      if ('hyperliquidChain' in action) assert.equal('time' in action ? action.time : action.nonce, nonce);
    }
    assert.deepEqual([requests[1]?.vaultAddress, requests[1]?.expiresAfter], [OTHER, 5]);
  });
});

test('the chain and the account that is acted for', async () => {
  await withServer(
    ({ body }) => ((body as RequestBody).action.type === 'order' ? ok('order', { statuses: [] }) : ok('default')),
    async (client, sent) => {
      await client.order([ORDER]);
      await client.order([ORDER], { vaultAddress: null });
      await client.usdSend({ destination: OTHER, amount: '1' });
      await client.vaultTransfer({ vaultAddress: OTHER, isDeposit: true, usd: 1 });
      const requests = sent.map(({ body }) => received(body, 'Mainnet'));
      assert.deepEqual(
        requests.map(({ vaultAddress }) => vaultAddress),
        [OTHER, undefined, undefined, undefined],
      );
      for (const { signer } of requests) assert.equal(signer, key.address);
    },
    { chain: 'Mainnet', vaultAddress: OTHER },
  );
});

test('what the node refuses is an error with its words', async () => {
  const cases: readonly (readonly [{ status?: number; text: string }, string, RegExp])[] = [
    [json({ status: 'err', response: 'Insufficient margin' }), 'ACTION_REFUSED', /^Insufficient margin$/],
    [{ status: 422, text: 'Failed to deserialize' }, 'MALFORMED_REQUEST', /Failed to deserialize/],
    [{ status: 429, text: '' }, 'BUSY', /later/],
    [{ status: 503, text: 'stopping' }, 'BUSY', /stopping/],
    [{ status: 413, text: '' }, 'TOO_LARGE', /fewer/],
    [{ status: 500, text: 'oh' }, 'REFUSED', /500: oh/],
    [{ text: '<html>' }, 'MALFORMED_ANSWER', /JSON/],
    [json(null), 'MALFORMED_ANSWER', /none of the protocol/],
    [json({ status: 'ok' }), 'MALFORMED_ANSWER', /none of the protocol/],
    [ok('default'), 'MALFORMED_ANSWER', /no statuses/],
  ];
  for (const [answer, code, message] of cases) {
    await withServer(
      () => answer,
      async (client, sent) => {
        await assert.rejects(client.order([ORDER]), { code, message });
        assert.equal(sent.length, 1);
      },
    );
  }
  await withServer(
    () => ok('twapOrder', { status: { error: 'too small' } }),
    async (client) => {
      const twap = { a: 1, b: true, s: '1', r: false, m: 5, t: true };
      await assert.rejects(client.twapOrder(twap), { code: 'ACTION_REFUSED', message: 'too small' });
    },
  );
});

test('no answer: the same signed request can be sent again', async () => {
  let isAnswering = false;
  await withServer(
    () => (isAnswering ? ok('order', { statuses: [] }) : undefined),
    async (client, sent) => {
      const body = await client.sign({ type: 'order', orders: [ORDER], grouping: 'na' });
      await assert.rejects(client.submit(body), { code: 'NO_ANSWER' });
      isAnswering = true;
      await client.submit(body);
      assert.deepEqual(sent[0], sent[1]);
    },
    { timeoutMs: 100 },
  );
  const nobody = new HeddleClient({ url: 'http://127.0.0.1:1', signer: key });
  await assert.rejects(nobody.info({ type: 'allMids' }), { code: 'NO_ANSWER' });
});

test('without a signer questions are answered and actions refused here', async () => {
  await withServer(
    ({ path, body }) => json({ path, body }),
    async (asked) => {
      const client = new HeddleClient({
        url: 'http://127.0.0.1:1',
        fetch: (url, init) => fetch(String(url).replace('http://127.0.0.1:1', asked.url), init),
      });
      assert.deepEqual(await client.info({ type: 'l2Book', coin: 'BTC' }), { path: '/info', body: { type: 'l2Book', coin: 'BTC' } });
      assert.deepEqual(await client.ask('liquidatable'), { path: '/info', body: { type: 'liquidatable' } });
      await assert.rejects(client.order([ORDER]), { code: 'NO_SIGNER' });
      assert.throws(() => client.address, { code: 'NO_SIGNER' });
    },
  );
});

test('multi-signature: signed by each, sent by one', async () => {
  const second = new SignerKey(`0x${'43'.repeat(32)}`);
  await withServer(
    () => ok('order', { statuses: [] }),
    async (client, sent) => {
      const other = new HeddleClient({ url: 'http://127.0.0.1:1', signer: second });
      const action = { type: 'order', orders: [ORDER], grouping: 'na' } as const;
      const nonce = client.nextNonce();
      const signatures = await Promise.all(
        [client, other].map((one) => one.signInner(action, OTHER, key.address, nonce, { expiresAfter: 7 })),
      );
      await client.sendMultiSig(action, OTHER, signatures, nonce, { expiresAfter: 7 });
      const request = received(sent[0]?.body);
      assert.equal(request.signer, key.address);
      assert.ok(request.action.type === 'multiSig');
      const inside = innerDigest(request, 'Testnet');
      const signers = request.action.signatures.map((signature) => recoverAddress(inside, parseSignature(signature)));
      assert.deepEqual(signers, [key.address, second.address]);
    },
  );
});

test('nonces grow, also when the clock does not', () => {
  let nowMs = 1000.5;
  const nonces = new NonceSource(() => nowMs);
  assert.deepEqual([nonces.next(), nonces.next()], [1000, 1001]);
  nowMs = 500;
  assert.equal(nonces.next(), 1002);
  nowMs = 2000;
  assert.equal(nonces.next(), 2000);
});

// --- Blocks and proofs ------------------------------------------------------------------------------------------------------------------

const RECORDS = Array.from({ length: 20 }, (_, i) => ({ key: Uint8Array.of(1, i), value: Uint8Array.of(7, i + 1) }));
const tree = new NaiveTree(RECORDS);
const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const header = {
  height: 12,
  timeMs: 5,
  nextOrdinal: 1n,
  parentHash: hash(1),
  transactionsRoot: hash(2),
  receiptsRoot: hash(3),
  accessListRoot: hash(4),
  stateRoot: tree.root,
};
const SETTLED = {
  height: 12,
  settled: true,
  headerHash: hexOfBytes(headerHash(header)),
  stateRoot: hexOfBytes(header.stateRoot),
  header: hexOfBytes(encodeHeader(header)),
};

test('a settled block is checked against its own hash', async () => {
  let answer: unknown = SETTLED;
  await withServer(
    () => json(answer),
    async (client) => {
      const block = await client.settlement(12);
      assert.deepEqual(block?.header, header);
      assert.deepEqual(block?.hash, headerHash(header));
      for (const unsettled of [null, { height: 12, settled: false }]) {
        answer = unsettled;
        assert.equal(await client.settlement(12), undefined);
        await assert.rejects(client.untilSettled(12, -1), { code: 'NOT_SETTLED' });
      }
      const lies = [
        { height: 13 },
        { headerHash: SETTLED.stateRoot },
        { stateRoot: SETTLED.headerHash },
        { header: undefined },
        { header: '0x0' },
        { settled: 1 },
        { header: hexOfBytes(encodeHeader({ ...header, height: 11 })) },
        { header: hexOfBytes(encodeHeader({ ...header, timeMs: 6 })) },
      ];
      for (const lie of lies) {
        answer = { ...SETTLED, ...lie };
        await assert.rejects(client.settlement(12), { code: 'UNPROVEN' }, JSON.stringify(lie));
      }
      answer = { ...SETTLED, header: '0x00' };
      await assert.rejects(client.settlement(12), { code: 'INVALID_HEADER' });
    },
  );
});

test('a record is proven, and so is that there is none', async () => {
  const asked = Uint8Array.of(1, 3);
  const absent = Uint8Array.of(2, 3);
  const good = { height: 12, header: SETTLED.header };
  let change = {};
  const answer = ({ body }: Sent): { text: string } => {
    const wanted = Uint8Array.from(Buffer.from((body as { key: string }).key.slice(2), 'hex'));
    return json({ ...good, proof: hexOfBytes(prove(tree, [wanted])), ...change });
  };
  await withServer(answer, async (client) => {
    const found = await client.proof(asked);
    assert.deepEqual(found.value, RECORDS[3]?.value);
    assert.equal(found.height, 12);
    assert.equal((await client.proof(absent, headerHash(header))).value, undefined);
    await assert.rejects(client.proof(asked, hash(9)), { code: 'UNPROVEN', message: /not the trusted one/ });
    const lies: readonly (readonly [object, string])[] = [
      [{ proof: hexOfBytes(prove(tree, [absent])) }, 'UNPROVEN'],
      [{ proof: hexOfBytes(prove(new NaiveTree(RECORDS.slice(1)), [asked])) }, 'WRONG_ROOT'],
      [{ proof: '0x' }, 'TRUNCATED_PROOF'],
      [{ proof: 5 }, 'UNPROVEN'],
      [{ height: 13 }, 'UNPROVEN'],
    ];
    for (const [lie, code] of lies) {
      change = lie;
      await assert.rejects(client.proof(asked), { code }, JSON.stringify(lie));
    }
  });
});
