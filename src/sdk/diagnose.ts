/**
 * Why a signature is that of nobody: which other thing, that a client could have signed by mistake, is one that a known address signed.
 *
 * A request names no sender. A client that hashes anything else than the node gets the answer that a random address does not exist, and
 * nothing to go by. This looks for the mistake among the usual ones: the wrong chain, keys in the order in which they were sent, decimals with
 * zeros, a vault or an expiry that was hashed and not sent or the other way round.
 * Invariant: what it returns explains a message and nothing more. The request stays refused, whoever is found to have signed.
 * Not for every request: at most 42 recoveries, each of which may take 1 ms. Bound how often it is asked, or give it a pool.
 */
import { multiSigActionHash, packedHash } from './action-hash.ts';
import { isObject } from './action-shape.ts';
import { normalDecimal } from './decimal.ts';
import type { Packable } from './message-pack.ts';
import { recoverAddress, type Signature } from './signature.ts';
import { readRequest, requestDigest, type SignedRequest } from './signed-request.ts';
import { agentDigest, type Chain, digestOf, sendMultiSigPreimage, userActionPreimage } from './typed-data.ts';
import { isUserSigned, type UserAction, type WireAction } from './wire-actions.ts';

export interface Diagnosis {
  /** Who signed. */
  readonly address: `0x${string}`;
  /** What is wrong, a clause each. */
  readonly causes: readonly string[];
}

export interface DiagnosisOptions {
  /** The chain of the node. */
  readonly chain: Chain;
  /** Is there an account or an agent of this address (0x and 40 lower-case hex digits)? */
  readonly isKnown: (address: `0x${string}`) => boolean;
  /** Without it: on this thread. */
  readonly recover?: (digest: Uint8Array, signature: Signature) => `0x${string}` | undefined | Promise<`0x${string}` | undefined>;
}

/** Something else that may have been signed. */
interface Variant {
  readonly causes: readonly string[];
  readonly digest: () => Uint8Array;
}

const CHAIN_IDS_OF_WALLETS: readonly (readonly [id: string, name: string])[] = [
  ['0x66eee', 'Arbitrum Sepolia'],
  ['0xa4b1', 'Arbitrum One'],
  ['0x1', 'Ethereum'],
  ['0x539', 'the domain of L1 actions'],
];

/** `body` is the body of a request as parsed JSON. Undefined: none of the usual mistakes, or the request cannot be read. */
export async function diagnose(
  body: unknown,
  { chain, isKnown, recover = recoverAddress }: DiagnosisOptions,
): Promise<Diagnosis | undefined> {
  let request: SignedRequest;
  try {
    request = readRequest(body);
  } catch {
    return undefined;
  }
  const received = (body as { readonly action: unknown }).action;
  const variants = variantsOf(request, received, chain).sort((a, b) => a.causes.length - b.causes.length);
  for (const { causes, digest } of variants) {
    let bytes: Uint8Array;
    try {
      bytes = digest();
    } catch {
      continue; // What was received has no encoding as it is.
    }
    const address = await recover(bytes, request.signature);
    if (address !== undefined && isKnown(address)) return { address, causes };
  }
  return undefined;
}

function variantsOf(request: SignedRequest, received: unknown, chain: Chain): Variant[] {
  const { action } = request;
  if (action.type === 'multiSig') return multiSigVariants(request, received, chain);
  return isUserSigned(action) ? userVariants(request, action, chain) : l1Variants(request, received, chain);
}

const otherChain = (chain: Chain): Chain => (chain === 'Mainnet' ? 'Testnet' : 'Mainnet');

// --- L1 actions ---------------------------------------------------------------------------------------------------------------------

function l1Variants(request: SignedRequest, received: unknown, chain: Chain): Variant[] {
  const other = otherChain(chain);
  const chains = [
    { causes: [], chain },
    { causes: [`it was signed for ${other} (source "${other === 'Mainnet' ? 'a' : 'b'}") and this node is ${chain}`], chain: other },
  ];
  const combined = chains.flatMap((one) =>
    encodings(request.action, received).flatMap((encoding) =>
      contexts(request).map((context) => ({
        causes: [...one.causes, ...encoding.causes, ...context.causes],
        digest: () => agentDigest(packedHash(encoding.value, context.request), one.chain),
      })),
    ),
  );
  const domains = CHAIN_IDS_OF_WALLETS.filter(([id]) => id !== '0x539').map(([id, name]) => ({
    causes: [`the chain id of its domain is that of ${name} (${Number(id)}) and has to be 1337`],
    digest: () => agentDigest(packedHash(request.action, request), chain, BigInt(id)),
  }));
  return [...combined.filter(({ causes }) => causes.length > 0), ...domains];
}

/** Ways to encode an action. */
function encodings(action: WireAction, received: unknown): { causes: string[]; value: Packable }[] {
  return [
    { causes: [], value: action },
    { causes: ['its decimals were hashed without the zeros at their ends and sent with them'], value: withNormalDecimals(action) },
    {
      causes: ['its fields were hashed as they were sent, and not in the order, with the optional fields and in the case of the protocol'],
      value: received as Packable,
    },
    {
      causes: [
        'its fields were hashed as they were sent, and not in the order of the protocol',
        'its decimals were hashed without the zeros at their ends and sent with them',
      ],
      value: withNormalDecimals(received as Packable),
    },
  ];
}

/** Ways to have taken along what stands beside the action. */
function contexts(request: SignedRequest): { causes: string[]; request: SignedRequest }[] {
  const found: { causes: string[]; request: SignedRequest }[] = [{ causes: [], request }];
  const { vaultAddress, expiresAfter, ...bare } = request;
  const vault = vaultAddress === undefined ? {} : { vaultAddress };
  const expiry = expiresAfter === undefined ? {} : { expiresAfter };
  const withoutVault = 'vaultAddress was sent and not hashed';
  const withoutExpiry = 'expiresAfter was sent and not hashed';
  if (vaultAddress !== undefined) found.push({ causes: [withoutVault], request: { ...bare, ...expiry } });
  if (expiresAfter !== undefined) found.push({ causes: [withoutExpiry], request: { ...bare, ...vault } });
  if (vaultAddress !== undefined && expiresAfter !== undefined) found.push({ causes: [withoutVault, withoutExpiry], request: bare });
  const named = (request.action as { readonly vaultAddress?: unknown }).vaultAddress;
  if (vaultAddress === undefined && typeof named === 'string') {
    found.push({
      causes: ['the vault that the action names was hashed as if it stood beside the action'],
      request: { ...request, vaultAddress: named },
    });
  }
  return found;
}

/** Every text that is a decimal number, wherever it stands, in its one form. */
function withNormalDecimals(value: Packable, depth = 0): Packable {
  if (typeof value === 'string') return normalDecimal(value) ?? value;
  if (depth > 16) return value;
  if (Array.isArray(value)) return value.map((item) => withNormalDecimals(item, depth + 1));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, withNormalDecimals(field as Packable, depth + 1)]));
}

// --- User-signed and multi-signature actions ------------------------------------------------------------------------------------------

function userVariants(request: SignedRequest, action: UserAction, chain: Chain): Variant[] {
  const swapped = otherChain(action.hyperliquidChain);
  const lower = Object.entries(action).map(([key, value]) => [key, key === 'destination' ? String(value).toLowerCase() : value]);
  const changed: readonly (readonly [cause: string, action: UserAction])[] = [
    [`hyperliquidChain was signed as "${swapped}" and sent as "${action.hyperliquidChain}"`, { ...action, hyperliquidChain: swapped }],
    ['its decimals were signed without the zeros at their ends and sent with them', withNormalDecimals(action) as unknown as UserAction],
    ['the destination was signed in lower case and sent in mixed case', Object.fromEntries(lower) as unknown as UserAction],
    ...CHAIN_IDS_OF_WALLETS.filter(([id]) => BigInt(id) !== BigInt(action.signatureChainId)).map(
      ([id, name]) =>
        [
          `it was signed on ${name} (${id}) and signatureChainId is ${action.signatureChainId}`,
          { ...action, signatureChainId: id },
        ] as const,
    ),
  ];
  return [
    ...changed.map(([cause, value]) => ({ causes: [cause], digest: () => digestOf(userActionPreimage(value)) })),
    ...[chain, otherChain(chain)].map((one) => ({
      causes: ['it was signed as an L1 action (by its hash) and is one that the user signs (field by field)'],
      digest: () => agentDigest(packedHash(action, request), one),
    })),
  ];
}

function multiSigVariants(request: SignedRequest, received: unknown, chain: Chain): Variant[] {
  const { action } = request;
  if (action.type !== 'multiSig' || !isObject(received)) return [];
  const { type: _, ...rest } = received;
  const hashed = (value: Packable, one: Chain, id: string): Uint8Array =>
    digestOf(sendMultiSigPreimage(one, id, packedHash(value, request), request.nonce));
  const other = otherChain(chain);
  const context = contexts(request).slice(1);
  return [
    { causes: [`it was signed for ${other} and this node is ${chain}`], digest: () => requestDigest(request, other) },
    { causes: ['the key "type" was hashed'], digest: () => hashed(action, chain, action.signatureChainId) },
    {
      causes: ['its fields were hashed as they were sent, and not in the order and in the case of the protocol'],
      digest: () => hashed(rest as Packable, chain, action.signatureChainId),
    },
    ...CHAIN_IDS_OF_WALLETS.filter(([id]) => BigInt(id) !== BigInt(action.signatureChainId)).map(([id, name]) => ({
      causes: [`it was signed on ${name} (${id}) and signatureChainId is ${action.signatureChainId}`],
      digest: () => digestOf(sendMultiSigPreimage(chain, id, multiSigActionHash(action, request), request.nonce)),
    })),
    ...context.map(({ causes, request: changed }) => ({ causes, digest: () => requestDigest(changed, chain) })),
  ];
}
