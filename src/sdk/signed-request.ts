/**
 * The body of `POST /exchange`: an action, its nonce and signature, and what else stands beside the action.
 *
 * `readRequest` takes it out of parsed JSON, `requestDigest` says what its signature is of, `innerDigest` the same for the signers inside a
 * multi-signature action. A digest takes about as long to make as the whole rest: `requestPreimage` leaves it to a thread of the pool.
 * Invariant: a request that was read has one digest per chain, and every bit of it that has an effect is bound by it.
 * Not here: who may sign what, nonces, whether the request has expired: rules of the node.
 */
import { HeddleError } from '../base/errors.ts';
import { type ActionContext, multiSigActionHash, packedAction } from './action-hash.ts';
import { address, isObject, readNamed, unsigned } from './action-shape.ts';
import { parseSignature, type Signature } from './signature.ts';
import { agentPreimage, type Chain, digestOf, type Preimage, sendMultiSigPreimage, userActionPreimage } from './typed-data.ts';
import { isUserSigned, readAction, type WireAction } from './wire-actions.ts';

export interface SignedRequest extends ActionContext {
  readonly action: WireAction;
  readonly nonce: number;
  readonly signature: Signature;
}

/**
 * Throws MALFORMED_ACTION, UNKNOWN_ACTION, MALFORMED_SIGNATURE (all three: nothing that could be understood) and INVALID_SIGNATURE.
 * `vaultAddress` and `expiresAfter` may be null: the same as absent.
 */
export function readRequest(body: unknown): SignedRequest {
  if (!isObject(body)) throw new HeddleError('MALFORMED_ACTION', 'a request has to be an object');
  const { vaultAddress, expiresAfter } = body;
  const request: { -readonly [K in keyof SignedRequest]: SignedRequest[K] } = {
    action: readAction(body.action),
    nonce: readNamed(unsigned, body.nonce, 'nonce'),
    signature: parseSignature(body.signature),
  };
  if (vaultAddress !== undefined && vaultAddress !== null) request.vaultAddress = vaultOf(vaultAddress);
  if (expiresAfter !== undefined && expiresAfter !== null) request.expiresAfter = readNamed(unsigned, expiresAfter, 'expiresAfter');
  return request;
}

/** With 0x or without: ccxt leaves it out. */
function vaultOf(value: unknown): `0x${string}` {
  const isBare = typeof value === 'string' && /^[0-9a-fA-F]{40}$/.test(value);
  return readNamed(address, isBare ? `0x${value}` : value, 'vaultAddress');
}

/** A request as it is before it is signed. */
export type UnsignedRequest = Omit<SignedRequest, 'signature'>;

/** What the signature of a request is of, on a chain. User-signed actions name their chain themselves. Throws NOT_ENCODABLE. */
export function requestPreimage(request: UnsignedRequest, chain: Chain): Preimage {
  const { action, nonce } = request;
  if (action.type === 'multiSig') return sendMultiSigPreimage(chain, action.signatureChainId, multiSigActionHash(action, request), nonce);
  return isUserSigned(action) ? userActionPreimage(action) : agentPreimage(packedAction(action, request), chain);
}

/** What the signatures inside a multi-signature action are of: all of the same. Throws NOT_MULTI_SIG and NOT_ENCODABLE. */
export function innerPreimage(request: UnsignedRequest, chain: Chain): Preimage {
  const { action } = request;
  if (action.type !== 'multiSig') throw new HeddleError('NOT_MULTI_SIG', `an action ${action.type} has no signatures inside`);
  const { multiSigUser, outerSigner, action: inner } = action.payload;
  if (isUserSigned(inner)) return userActionPreimage(inner, { multiSigUser, outerSigner });
  return agentPreimage(packedAction([multiSigUser, outerSigner, inner], request), chain);
}

export function requestDigest(request: UnsignedRequest, chain: Chain): Uint8Array {
  return digestOf(requestPreimage(request, chain));
}

export function innerDigest(request: UnsignedRequest, chain: Chain): Uint8Array {
  return digestOf(innerPreimage(request, chain));
}
