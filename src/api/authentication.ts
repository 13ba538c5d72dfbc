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
import type { Preimage, SignaturePool, SignerAsker } from '../signatures/signature-pool.ts';

export interface Account {
  /** Words of the protocol; `missing`: nobody has this address. */
  readonly role: string;
  /** Of agents, the user that they act for. */
  readonly owner?: Address | undefined;
}

export interface AuthenticationOptions {
  readonly signatures: Pick<SignaturePool, 'ask' | 'recoverSigner'>;
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

/** Who asks who has signed a request, and is told once, by one of the two. Neither may throw. */
export interface AuthenticationAsker {
  authenticated(found: Authenticated | Unauthenticated): void;
  /** With what the pool of signatures fails with, or a mistake of ours. */
  unauthenticated(error: unknown): void;
}

const SIGNERS_MAX = 10;

/**
 * `body`: what the request was read from. Throws NOT_ENCODABLE, and what the pool of signatures throws; then the asker is told nothing. An object and its
 * calls, and no promises: those of the functions on the way were a fifth of all that a request allocated.
 */
export function authenticate(request: SignedRequest, body: unknown, options: AuthenticationOptions, asker: AuthenticationAsker): void {
  const { action, nonce } = request;
  const inner = action.type === 'multiSig' ? action.payload.action : action;
  const wrong = wrongField(inner, nonce, options);
  if (wrong === undefined) new SignerSearch(request, body, options, asker).next();
  else asker.authenticated({ failure: wrong });
}

/** Goes through the chains that the request may be signed for, until somebody is known who has signed it for one. */
class SignerSearch implements SignerAsker {
  private readonly request: SignedRequest;
  private readonly body: unknown;
  private readonly options: AuthenticationOptions;
  private readonly asker: AuthenticationAsker;
  private readonly chains: readonly Chain[];
  /** Of them. */
  private asked = 0;
  private askedAt = 0;
  /** The first that was recovered, whom nobody knows. */
  private signer: Address | undefined;

  constructor(request: SignedRequest, body: unknown, options: AuthenticationOptions, asker: AuthenticationAsker) {
    this.request = request;
    this.body = body;
    this.options = options;
    this.asker = asker;
    this.chains = chainsOf(request.action.type === 'multiSig' ? undefined : request.action, options);
  }

  next(): void {
    const { request, chains } = this;
    const chain = chains[this.asked++];
    if (chain === undefined) {
      this.tell(this.unknown());
      return;
    }
    const { bytes, recovery } = request.signature;
    this.askedAt = performance.now();
    this.options.signatures.ask(requestPreimage(request, chain), bytes, recovery, this);
  }

  recovered(address: Uint8Array | undefined): void {
    try {
      this.options.onRecovered((performance.now() - this.askedAt) / 1000);
      this.look(address === undefined ? undefined : addressOf(address));
    } catch (error) {
      this.asker.unauthenticated(error);
    }
  }

  failed(error: HeddleError): void {
    this.asker.unauthenticated(error);
  }

  private look(found: Address | undefined): void {
    const { request, options, asker } = this;
    const account = found === undefined ? undefined : options.accountOf(found);
    this.signer ??= found;
    if (found === undefined || account === undefined || account.role === 'missing') this.next();
    else if (request.action.type !== 'multiSig') asker.authenticated({ signer: found, account, action: request.action });
    else this.tell(multiSignature(request, this.chains[this.asked - 1] as Chain, found, account, options));
  }

  private tell(found: Promise<Authenticated | Unauthenticated>): void {
    const { asker } = this;
    found.then(
      (result) => asker.authenticated(result),
      (error) => asker.unauthenticated(error),
    );
  }

  private async unknown(): Promise<Unauthenticated> {
    const { signer, options } = this;
    if (signer === undefined) return { failure: requestMessages.badSignature };
    const diagnosis = await options.diagnose(this.body);
    options.onUnknownSigner(signer, diagnosis);
    const text = messageOfCode(CODE_ACCOUNT_NOT_FOUND, { user: signer });
    return { failure: options.explain && diagnosis !== undefined ? `${text} ${diagnosis}` : text };
  }
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
  return address === undefined ? undefined : addressOf(address);
}

function addressOf(bytes: Uint8Array): Address {
  return `0x${bytes.toHex()}`;
}
