/** Each usual mistake of a client is found and named; what is nobody's signature stays so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packedHash } from './action-hash.ts';
import { diagnose } from './diagnose.ts';
import type { Packable } from './message-pack.ts';
import { formatSignature } from './signature.ts';
import { type readRequest, requestDigest, type SignedRequest } from './signed-request.ts';
import { SignerKey } from './signer-key.ts';
import { USER_VECTORS, VECTOR_KEY } from './signing-vectors.ts';
import { agentDigest, digestOf, sendMultiSigPreimage, userActionPreimage } from './typed-data.ts';
import { readAction, type UserAction } from './wire-actions.ts';

const key = new SignerKey(VECTOR_KEY);
const isKnown = (address: string): boolean => address === key.address;
const NONCE = 1_700_000_000_000;
const VAULT = `0x${'11'.repeat(20)}`;

const ORDER = {
  type: 'order',
  orders: [{ a: 1, b: true, p: '100.0', s: '1.50', r: false, t: { limit: { tif: 'Gtc' } } }],
  grouping: 'na',
};
/** The same, its keys in another order. */
const REORDERED = { grouping: 'na', orders: [{ ...ORDER.orders[0] }].map(({ a, b, ...rest }) => ({ b, ...rest, a })), type: 'order' };

type Context = Omit<Parameters<typeof packedHash>[1], 'nonce'>;

/** The diagnosis of a request whose signature is that of `digest`. */
async function causesOf(action: unknown, digest: Uint8Array, context: Context = {}): Promise<readonly string[] | undefined> {
  const body = { action, nonce: NONCE, ...context, signature: formatSignature(key.sign(digest)) };
  const found = await diagnose(body, { chain: 'Testnet', isKnown });
  if (found !== undefined) assert.equal(found.address, key.address);
  return found?.causes;
}

const hash = (action: unknown, context: Context = {}): Uint8Array => packedHash(action as Packable, { nonce: NONCE, ...context });

test('L1 actions: one mistake', async () => {
  const find = async (action: unknown, digest: Uint8Array, expected: RegExp, context: Context = {}): Promise<void> => {
    const causes = await causesOf(action, digest, context);
    assert.equal(causes?.length, 1, String(causes));
    assert.match(causes[0] as string, expected);
  };
  const plain = { ...ORDER, orders: [{ ...ORDER.orders[0], p: '100', s: '1.5' }] };
  const vault = { vaultAddress: VAULT };
  const expiry = { expiresAfter: NONCE + 1 };
  await find(ORDER, agentDigest(hash(ORDER), 'Mainnet'), /signed for Mainnet \(source "a"\)/);
  await find(REORDERED, agentDigest(hash(REORDERED), 'Testnet'), /hashed as they were sent/);
  await find(ORDER, agentDigest(hash(plain), 'Testnet'), /decimals were hashed without the zeros/);
  await find(ORDER, agentDigest(hash(ORDER), 'Testnet', 421614n), /Arbitrum Sepolia \(421614\)/);
  await find(ORDER, agentDigest(hash(ORDER), 'Testnet'), /vaultAddress was sent and not hashed/, vault);
  await find(ORDER, agentDigest(hash(ORDER, vault), 'Testnet'), /expiresAfter was sent and not hashed/, { ...vault, ...expiry });
  const cancel = { type: 'cancel', cancels: [{ a: 0, o: 1 }], f: false };
  await find(cancel, agentDigest(hash(cancel), 'Testnet'), /optional fields/);
  const mixed = { type: 'subAccountModify', subAccountUser: `0x${'aB'.repeat(20)}`, name: 'x' };
  await find(mixed, agentDigest(hash(mixed), 'Testnet'), /case of the protocol/);
  const transfer = { type: 'vaultTransfer', vaultAddress: VAULT, isDeposit: true, usd: 5 };
  await find(transfer, agentDigest(hash(transfer, vault), 'Testnet'), /as if it stood beside/);
});

test('L1 actions: several mistakes at once', async () => {
  const found = await causesOf(REORDERED, agentDigest(hash(REORDERED), 'Mainnet'), { vaultAddress: VAULT, expiresAfter: 5 });
  assert.equal(found?.length, 4, String(found));
});

test('user-signed actions', async () => {
  const action = { ...USER_VECTORS[0]?.action, amount: '1.0', destination: `0x${'aB'.repeat(20)}` };
  const digest = (change: object): Uint8Array => digestOf(userActionPreimage(readAction({ ...action, ...change }) as UserAction));
  const expected: readonly (readonly [Uint8Array, RegExp])[] = [
    [digest({ hyperliquidChain: 'Mainnet' }), /signed as "Mainnet" and sent as "Testnet"/],
    [digest({ amount: '1' }), /decimals/],
    [digest({ destination: action.destination.toLowerCase() }), /lower case/],
    [digest({ signatureChainId: '0xa4b1' }), /Arbitrum One/],
    [agentDigest(hash(readAction(action)), 'Testnet'), /as an L1 action/],
  ];
  for (const [signed, cause] of expected) assert.match(String(await causesOf(action, signed)), cause);
});

test('multi-signature actions', async () => {
  const payload = { multiSigUser: VAULT, outerSigner: key.address, action: ORDER };
  const action = { type: 'multiSig', signatureChainId: '0x66eee', signatures: [{ v: 27, r: '0x01', s: '0x2' }], payload };
  const request: Omit<SignedRequest, 'signature'> = { action: readAction(action), nonce: NONCE };
  const { type: _, ...rest } = action;
  const outer = (value: unknown, id = '0x66eee'): Uint8Array => digestOf(sendMultiSigPreimage('Testnet', id, hash(value), NONCE));
  assert.match(String(await causesOf(action, requestDigest(request, 'Mainnet'))), /signed for Mainnet/);
  assert.match(String(await causesOf(action, outer(request.action))), /"type" was hashed/);
  assert.match(String(await causesOf(action, outer(rest))), /as they were sent/);
  const { type: __, ...canonical } = request.action;
  assert.match(String(await causesOf(action, outer(canonical, '0x1'))), /Ethereum/);
  assert.match(String(await causesOf(action, outer(canonical), { vaultAddress: VAULT })), /vaultAddress was sent/);
});

test('what is right, foreign or unreadable has no diagnosis', async () => {
  assert.equal(await causesOf(ORDER, new Uint8Array(32).fill(9)), undefined);
  const signature = formatSignature(key.sign(agentDigest(hash(ORDER), 'Mainnet')));
  const body = { action: ORDER, nonce: NONCE, signature };
  assert.equal(await diagnose(body, { chain: 'Testnet', isKnown: () => false }), undefined);
  for (const unreadable of [undefined, null, 1, {}, { ...body, action: { type: 'nothing' } }, { ...body, signature: {} }]) {
    assert.equal(await diagnose(unreadable, { chain: 'Testnet', isKnown: () => true }), undefined);
  }
  // Unknown keys that have no encoding stand in the way of some variants only.
  const odd = { ...body, action: { ...ORDER, note: 0.5 } } satisfies Parameters<typeof readRequest>[0];
  assert.equal((await diagnose(odd, { chain: 'Testnet', isKnown }))?.causes.length, 1);
});

test('it asks the given recovery, a bounded number of times', async () => {
  let asked = 0;
  const recover = async (): Promise<undefined> => {
    asked++;
  };
  const body = {
    action: ORDER,
    nonce: NONCE,
    vaultAddress: VAULT,
    expiresAfter: 1,
    signature: formatSignature(key.sign(new Uint8Array(32))),
  };
  assert.equal(await diagnose(body, { chain: 'Testnet', isKnown, recover }), undefined);
  assert.ok(asked > 10 && asked <= 42, String(asked));
});
