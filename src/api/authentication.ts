/**
 * Who has signed a request: recovered from its signature, since nobody names himself (protocol, 2).
 *
 * Invariant: a signer that comes out has signed exactly this action, nonce, account and expiry, for this chain.
 * A wrong signature recovers to an address that nobody has; so the address must be known, and if it is not, the text says whose it is.
 * Not here: what the signer may do; the ledger's rules say so.
 */

import { CODE_ACCOUNT_NOT_FOUND } from '../base/codes.ts';
import { HeddleError } from '../base/errors.ts';
import { messageOfCode, requestMessages } from '../exchange/messages.ts';
import type { Address } from '../ledger/transactions.ts';
import { parseSignature, type Signature } from '../sdk/signature.ts';
import { innerPreimage, requestPreimage, type SignedRequest } from '../sdk/signed-request.ts';
import type { Chain } from '../sdk/typed-data.ts';
import { isUserSigned, type SingleAction } from '../sdk/wire-actions.ts';
import type { Preimage, SignaturePool } from '../signatures/signature-pool.ts';

export interface Account {
  /** Words of the protocol; `missing`: nobody has this address. */
  readonly role: string;
  /** Of agents, the user that they act for. */
  readonly owner?: Address | undefined;
}

export interface AuthenticationOptions {
  readonly signatures: Pick<SignaturePool, 'recoverSigner'>;
  /** The one that requests must be signed for. */
  readonly chain: Chain;
  /** Requests for the other chain are taken too: for development, where clients choose it by their address. */
  readonly bothChains: boolean;
  readonly accountOf: (address: Address) => Account;
  /** How long a signer took to recover, waiting included. */
  readonly onRecovered: (seconds: number) => void;
  /** Says more about a request whose signature is of nobody (in a log, and in development in the answer); undefined: nothing to say. */
  readonly diagnose: (body: unknown) => Promise<string | undefined>;
  /** Whether the answer carries the diagnosis. */
  readonly explain: boolean;
  readonly onUnknownSigner: (address: Address, diagnosis: string | undefined) => void;
}

export interface Authenticated {
  readonly signer: Address;
  readonly account: Account;
  /** What is to be done: inside a multi-signature action the action in it. */
  readonly action: SingleAction;
  readonly multiSig?: { readonly user: Address; readonly signers: readonly Address[] };
}

export interface Unauthenticated {
  readonly failure: string;
}

const SIGNERS_MAX = 10;

/** `body`: what the request was read from. Rejects with what the pool of signatures rejects with. */
export async function authenticate(
  request: SignedRequest,
  body: unknown,
  options: AuthenticationOptions,
): Promise<Authenticated | Unauthenticated> {
  const { action, nonce } = request;
  const inner = action.type === 'multiSig' ? action.payload.action : action;
  const wrong = wrongField(inner, nonce, options);
  if (wrong !== undefined) return { failure: wrong };
  const chains = chainsOf(action.type === 'multiSig' ? undefined : action, options);
  let signer: Address | undefined;
  for (const chain of chains) {
    const found = await recover(requestPreimage(request, chain), request.signature, options);
    if (found === undefined) continue;
    signer ??= found;
    const account = options.accountOf(found);
    if (account.role === 'missing') continue;
    if (action.type !== 'multiSig') return { signer: found, account, action };
    return multiSignature(request, chain, found, account, options);
  }
  if (signer === undefined) return { failure: requestMessages.badSignature };
  const diagnosis = await options.diagnose(body);
  options.onUnknownSigner(signer, diagnosis);
  const text = messageOfCode(CODE_ACCOUNT_NOT_FOUND, { user: signer });
  return { failure: options.explain && diagnosis !== undefined ? `${text} ${diagnosis}` : text };
}

/** User-signed actions name the chain themselves; the others are signed for one or the other. */
function chainsOf(action: SignedRequest['action'] | undefined, { chain, bothChains }: AuthenticationOptions): readonly Chain[] {
  if (action !== undefined && isUserSigned(action)) return [action.hyperliquidChain];
  return bothChains ? [chain, chain === 'Mainnet' ? 'Testnet' : 'Mainnet'] : [chain];
}

/** What the action says about itself must fit the request and the node. */
function wrongField(action: SingleAction, nonce: number, { chain, bothChains }: AuthenticationOptions): string | undefined {
  const own = ownNonce(action);
  if (own !== undefined && own !== nonce) return requestMessages.nonceMismatch;
  if (isUserSigned(action) && action.hyperliquidChain !== chain && !bothChains) return `Invalid chain: this node is of ${chain}.`;
  return undefined;
}

/** What the signer has signed as the nonce, where that is a field of the action. */
function ownNonce(action: SingleAction): number | undefined {
  if (action.type === 'agentSendAsset') return action.nonce;
  if (!isUserSigned(action)) return undefined;
  return 'time' in action ? action.time : action.nonce;
}

async function multiSignature(
  request: SignedRequest,
  chain: Chain,
  signer: Address,
  account: Account,
  options: AuthenticationOptions,
): Promise<Authenticated | Unauthenticated> {
  const { action } = request;
  if (action.type !== 'multiSig') throw new HeddleError('NOT_MULTI_SIG', `${action.type} has no signatures inside`);
  const { multiSigUser, outerSigner, action: inner } = action.payload;
  if (outerSigner !== signer) return { failure: 'Invalid multi-sig outer signer' };
  if (action.signatures.length > SIGNERS_MAX) return { failure: requestMessages.tooManySigners };
  let parsed: readonly Signature[];
  try {
    parsed = action.signatures.map(parseSignature);
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    return { failure: requestMessages.badSignature };
  }
  const preimage = innerPreimage(request, chain);
  const signers = await Promise.all(parsed.map((signature) => recover(preimage, signature, options)));
  const known = signers.filter((found): found is Address => found !== undefined);
  if (known.length < signers.length) return { failure: requestMessages.badSignature };
  const strange = known.find((found) => options.accountOf(found).role === 'missing');
  if (strange !== undefined) return { failure: `Invalid multi-sig inner signer ${strange}` };
  if (new Set(known).size < known.length) return { failure: 'Invalid multi-sig inner signer: one has signed twice' };
  return { signer, account, action: inner, multiSig: { user: multiSigUser, signers: known } };
}

async function recover(
  preimage: Preimage,
  { bytes, recovery }: Signature,
  { signatures, onRecovered }: AuthenticationOptions,
): Promise<Address | undefined> {
  const started = performance.now();
  const address = await signatures.recoverSigner(preimage, bytes, recovery);
  onRecovered((performance.now() - started) / 1000);
  return address === undefined ? undefined : `0x${address.toHex()}`;
}
