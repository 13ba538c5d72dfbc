/** Hashes, digests and signatures against known values, and that the order of keys, the case of addresses and the form of a signature do not matter. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { actionHash } from './action-hash.ts';
import { encodeMessagePack } from './message-pack.ts';
import { formatSignature, parseSignature, recoverAddress, signDigest, trimSignature } from './signature.ts';
import { innerDigest, readRequest, requestDigest, type SignedRequest } from './signed-request.ts';
import { SignerKey } from './signer-key.ts';
import { L1_VECTORS, MULTI_SIG_VECTORS, SECOND_ADDRESS, USER_VECTORS, VECTOR_ADDRESS, VECTOR_KEY } from './signing-vectors.ts';
import { agentDigest, digestOf, userActionPreimage } from './typed-data.ts';
import { ACTION_NAMES, type L1Action, readAction, type UserAction, type WireAction } from './wire-actions.ts';

const key = new SignerKey(VECTOR_KEY);

/** The same value with the keys of every object in another order. */
function shuffled(value: unknown, order: (length: number) => number[]): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, order));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(order(entries.length).map((i) => [entries[i]?.[0], shuffled(entries[i]?.[1], order)]));
}

const anyOrder = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })).map((stream) => (length: number) => {
  const keys = Array.from({ length }, (_, i) => [stream.next().value as number, i] as const);
  return keys.sort(([a], [b]) => a - b).map(([, i]) => i);
});

test('the key has its address', () => {
  assert.equal(key.address, VECTOR_ADDRESS);
  assert.doesNotMatch(JSON.stringify(key), /0123456789/);
});

for (const { name, action: json, packed, nonce, vaultAddress, expiresAfter, connectionId, mainnet, testnet } of L1_VECTORS) {
  test(`L1: ${name}`, () => {
    const action = readAction(JSON.parse(json)) as L1Action;
    assert.equal(JSON.stringify(action), json);
    assert.equal(bytesToHex(encodeMessagePack(action)), packed);
    const context = {
      nonce,
      ...(vaultAddress === undefined ? {} : { vaultAddress }),
      ...(expiresAfter === undefined ? {} : { expiresAfter }),
    };
    const hash = actionHash(action, context);
    assert.equal(bytesToHex(hash), connectionId);
    for (const [chain, expected] of [
      ['Mainnet', mainnet],
      ['Testnet', testnet],
    ] as const) {
      const digest = agentDigest(hash, chain);
      assert.equal(bytesToHex(digest), expected.digest);
      assert.deepEqual(formatSignature(key.sign(digest)), expected.signature);
      assert.equal(recoverAddress(digest, parseSignature(expected.signature)), VECTOR_ADDRESS);
    }
  });
}

for (const { action: fields, digest: expected, signature } of USER_VECTORS) {
  test(`user-signed: ${fields.type}`, () => {
    const digest = digestOf(userActionPreimage(readAction(fields) as UserAction));
    assert.equal(bytesToHex(digest), expected);
    assert.deepEqual(formatSignature(key.sign(digest)), signature);
    assert.equal(recoverAddress(digest, parseSignature(signature)), VECTOR_ADDRESS);
  });
}

test('the order of keys does not matter', () => {
  fc.assert(
    fc.property(fc.constantFrom(...L1_VECTORS), anyOrder, ({ action, connectionId, nonce, vaultAddress, expiresAfter }, order) => {
      const body = { action: JSON.parse(action), nonce, signature: { v: 27, s: '0x1', r: '0x1' }, vaultAddress, expiresAfter };
      const request = readRequest(shuffled(body, order));
      assert.equal(bytesToHex(actionHash(request.action as L1Action, request)), connectionId);
    }),
  );
});

test('what is absent, null or false is not hashed', () => {
  const request = (extra: object, rest: object): SignedRequest =>
    readRequest({ action: { type: 'cancel', cancels: [], ...extra }, nonce: 1, signature: { r: '0x1', s: '0x1', v: 0 }, ...rest });
  const plain = requestDigest(request({}, {}), 'Testnet');
  assert.deepEqual(requestDigest(request({ f: false }, { vaultAddress: null, expiresAfter: null }), 'Testnet'), plain);
  assert.deepEqual(requestDigest(request({ f: null, unknown: 1 }, {}), 'Testnet'), plain);
  assert.notDeepEqual(requestDigest(request({ f: true }, {}), 'Testnet'), plain);
  assert.notDeepEqual(requestDigest(request({}, { expiresAfter: 0 }), 'Testnet'), plain);
  const address = `0x${'aB'.repeat(20)}`;
  assert.notDeepEqual(requestDigest(request({}, { vaultAddress: address }), 'Testnet'), plain);
  assert.deepEqual(
    requestDigest(request({}, { vaultAddress: address }), 'Testnet'),
    requestDigest(request({}, { vaultAddress: address.toLowerCase() }), 'Testnet'),
  );
});

test('an account that is acted for may be written without 0x', () => {
  const body = { action: { type: 'noop' }, nonce: 1, signature: { r: '0x1', s: '0x1', v: 0 } };
  assert.equal(readRequest({ ...body, vaultAddress: 'aB'.repeat(20) }).vaultAddress, `0x${'ab'.repeat(20)}`);
  for (const vaultAddress of ['', '0x', 'ab', 'ab'.repeat(21), 1, {}, false]) {
    assert.throws(() => readRequest({ ...body, vaultAddress }), { code: 'MALFORMED_ACTION' });
  }
});

test('null stands where the protocol has it', () => {
  const packed = (action: unknown): string => bytesToHex(encodeMessagePack(readAction(action)));
  const vault = { type: 'vaultModify', vaultAddress: `0x${'11'.repeat(20)}` };
  const forms = [{}, { allowDeposits: null }, { allowDeposits: true }, { alwaysCloseOnWithdraw: null }].map((extra) =>
    packed({ ...vault, ...extra }),
  );
  assert.equal(new Set(forms).size, 4);
  assert.match(forms[1] as string, /c0$/);
});

test('each part of a request is bound', () => {
  const body = {
    action: { type: 'order', orders: [{ a: 1, b: true, p: '100', s: '1.5', r: false, t: { limit: { tif: 'Gtc' } } }], grouping: 'na' },
    nonce: 7,
    vaultAddress: `0x${'11'.repeat(20)}`,
    expiresAfter: 9,
    signature: { r: '0x1', s: '0x1', v: 27 },
  };
  const order = body.action.orders[0] as object;
  const withOrder = (change: object): object => ({ ...body, action: { ...body.action, orders: [{ ...order, ...change }] } });
  const bodies = [
    body,
    { ...body, nonce: 8 },
    { ...body, expiresAfter: 10 },
    { ...body, vaultAddress: `0x${'12'.repeat(20)}` },
    { ...body, action: { ...body.action, grouping: 'normalTpsl' } },
    { ...body, action: { ...body.action, grouping: { p: 1 } } },
    { ...body, action: { ...body.action, builder: { b: `0x${'11'.repeat(20)}`, f: 1 } } },
    { ...body, action: { ...body.action, orders: [] } },
    ...[{ a: 2 }, { b: false }, { p: '100.0' }, { s: '1' }, { r: true }, { t: { limit: { tif: 'Fok' } } }].map(withOrder),
    ...[{ t: { trigger: { isMarket: true, triggerPx: '1', tpsl: 'tp' } } }, { c: `0x${'0'.repeat(32)}` }].map(withOrder),
    ...[{ e: 1 }, { d: '1' }, { m: 'cancelTaker' }].map(withOrder),
  ];
  const digests = bodies.flatMap((one) =>
    (['Mainnet', 'Testnet'] as const).map((chain) => bytesToHex(requestDigest(readRequest(one), chain))),
  );
  assert.equal(new Set(digests).size, 2 * bodies.length);
});

test('requests of other clients: every action that they make, recovered to its signers', () => {
  const lines = readFileSync(new URL('./recorded-requests.ndjson', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
  const types = new Set<string>();
  for (const line of lines) {
    const { client, body } = JSON.parse(line);
    const request = readRequest(body);
    const { action } = request;
    assert.equal(recoverAddress(requestDigest(request, 'Testnet'), request.signature), VECTOR_ADDRESS, `${client}: ${line}`);
    types.add(action.type);
    if (action.type !== 'multiSig') continue;
    const inside = innerDigest(request, 'Testnet');
    const signers = action.signatures.map((signature) => recoverAddress(inside, parseSignature(signature)));
    assert.deepEqual(signers, [VECTOR_ADDRESS, SECOND_ADDRESS], `${client}: ${line}`);
  }
  // All but the one that the other clients do not know.
  assert.deepEqual([...types, 'reduce', 'reportPrices', 'voteDelist'].sort(), ACTION_NAMES.toSorted());
});

test('multi-signature: known requests', () => {
  for (const body of MULTI_SIG_VECTORS) {
    const request = readRequest(JSON.parse(body));
    assert.equal(recoverAddress(requestDigest(request, 'Testnet'), request.signature), VECTOR_ADDRESS);
    assert.ok(request.action.type === 'multiSig');
    const inside = innerDigest(request, 'Testnet');
    const signers = request.action.signatures.map((signature) => recoverAddress(inside, parseSignature(signature)));
    assert.deepEqual(signers, [VECTOR_ADDRESS, SECOND_ADDRESS], request.action.payload.action.type);
    // And the same signatures are made here.
    assert.deepEqual(trimSignature(formatSignature(key.sign(inside))), request.action.signatures[0]);
    assert.deepEqual(key.sign(requestDigest(request, 'Testnet')), request.signature);
  }
});

test('multi-signature: every signer signs the same digest, the sender another', () => {
  const other = SignerKey.generate().key;
  const multiSigUser = `0x${'77'.repeat(20)}`;
  for (const inner of [JSON.parse(L1_VECTORS[0]?.action as string), USER_VECTORS[0]?.action]) {
    const unsigned = {
      type: 'multiSig',
      signatureChainId: '0x66eee',
      signatures: [] as unknown[],
      payload: { multiSigUser, outerSigner: key.address, action: inner },
    };
    const request = (signatures: unknown[]): Omit<SignedRequest, 'signature'> => ({
      action: readAction({ ...unsigned, signatures }),
      nonce: 5,
    });
    const inside = innerDigest(request([]), 'Testnet');
    const signatures = [key, other].map((signer) => formatSignature(signer.sign(inside)));
    const outer = requestDigest(request(signatures), 'Testnet');
    // Trimmed or not, the same is hashed; and the signers' digest does not depend on their signatures.
    assert.deepEqual(requestDigest(request(signatures.map(trimSignature)), 'Testnet'), outer);
    assert.deepEqual(innerDigest(request(signatures), 'Testnet'), inside);
    assert.notDeepEqual(outer, requestDigest(request(signatures.slice(1)), 'Testnet'));
    assert.notDeepEqual(outer, inside);
    assert.deepEqual(
      signatures.map((signature) => recoverAddress(inside, parseSignature(signature))),
      [key.address, other.address],
    );
  }
  assert.throws(() => innerDigest({ action: readAction({ type: 'noop' }), nonce: 1 }, 'Testnet'), { code: 'NOT_MULTI_SIG' });
});

test('signatures come back in every form that is accepted', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (digest) => {
      const signature = key.sign(digest);
      const wire = formatSignature(signature);
      for (const form of [
        wire,
        trimSignature(wire),
        { ...wire, v: wire.v - 27 },
        { ...wire, r: wire.r.toUpperCase().replace('0X', '0x') },
      ]) {
        assert.deepEqual(parseSignature(form), signature);
      }
      assert.equal(recoverAddress(digest, signature), key.address);
    }),
    { numRuns: 20 },
  );
});

test('a number that is too short keeps its place', () => {
  let short: ReturnType<typeof formatSignature> | undefined;
  for (let i = 0; short === undefined; i++) {
    const digest = new Uint8Array(32).fill(1);
    new DataView(digest.buffer).setUint32(0, i);
    const wire = formatSignature(signDigest(digest, new Uint8Array(32).fill(3)));
    if (wire.r.startsWith('0x00') || wire.s.startsWith('0x00')) short = wire;
  }
  assert.notDeepEqual(trimSignature(short), short);
  assert.deepEqual(parseSignature(trimSignature(short)), parseSignature(short));
});

test('signatures that are none are refused', () => {
  const good = formatSignature(key.sign(new Uint8Array(32)));
  const order = '0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
  const malformed: unknown[] = [undefined, null, 1, 'x', [], {}, { ...good, r: 1 }, { ...good, r: '0x' }, { ...good, s: good.s.slice(2) }];
  malformed.push({ ...good, s: `${good.s}0` }, { ...good, s: '0xg' }, { ...good, v: '27' }, { ...good, v: null });
  for (const one of malformed) assert.throws(() => parseSignature(one), { code: 'MALFORMED_SIGNATURE' });
  const invalid = [
    { v: 2 },
    { v: 26 },
    { v: 29 },
    { v: 27.5 },
    { v: -1 },
    { r: '0x0' },
    { s: '0x00' },
    { r: order },
    { s: order },
    { r: `0x${'f'.repeat(64)}` },
  ];
  for (const one of invalid) assert.throws(() => parseSignature({ ...good, ...one }), { code: 'INVALID_SIGNATURE' });
});

test('keys that are none are refused', () => {
  for (const hex of ['', '0x', '12', `0x${'0'.repeat(64)}`, `0x${'f'.repeat(64)}`, `0x${'g'.repeat(64)}`]) {
    assert.throws(() => new SignerKey(hex), { code: 'INVALID_KEY' });
  }
});

test('actions that are none are refused', () => {
  const code = (action: unknown): string | undefined => {
    try {
      readAction(action);
      return undefined;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  assert.equal(code({ type: 'toString' }), 'UNKNOWN_ACTION');
  assert.equal(code({ type: 'perpDeploy' }), 'UNKNOWN_ACTION');
  for (const action of [null, 1, [], {}, { type: 1 }, { type: 'cancel' }, { type: 'cancel', cancels: [{ a: -1, o: 1 }] }]) {
    assert.equal(code(action), 'MALFORMED_ACTION');
  }
  const nested = {
    type: 'multiSig',
    signatureChainId: '0x1',
    signatures: [],
    payload: { multiSigUser: VECTOR_ADDRESS, outerSigner: VECTOR_ADDRESS },
  };
  assert.equal(code({ ...nested, payload: { ...nested.payload, action: nested } }), 'UNKNOWN_ACTION');
  const text = { type: 'setReferrer', code: '\ud800' };
  assert.equal(code(text), 'MALFORMED_ACTION');
});

test('reading anything returns something canonical or throws one of two errors', () => {
  const types = ['order', 'cancel', 'modify', 'usdSend', 'multiSig', 'twapOrder', 'vaultModify', 'noop'];
  const anything = fc.oneof(
    fc.anything(),
    fc.jsonValue().map((value) => (typeof value === 'object' && !Array.isArray(value) ? { type: 'order', ...value } : value)),
    fc.record({ type: fc.constantFrom(...types), orders: fc.jsonValue(), cancels: fc.jsonValue(), payload: fc.jsonValue() }),
  );
  fc.assert(
    fc.property(anything, (value) => {
      let action: WireAction;
      try {
        action = readAction(value);
      } catch (error) {
        assert.match((error as { code?: string }).code ?? String(error), /^(MALFORMED|UNKNOWN)_ACTION$/);
        return;
      }
      assert.deepEqual(readAction(JSON.parse(JSON.stringify(action))), action);
      assert.ok(encodeMessagePack(action).length > 0);
    }),
    { numRuns: 500 },
  );
});
