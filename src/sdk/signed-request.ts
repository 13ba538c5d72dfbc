/**
 * The body of `POST /exchange`: an action, its nonce and signature, and what else stands beside the action.
 *
 * `readRequest` takes it out of parsed JSON, `requestDigest` says what its signature is of, `innerDigests` the same for the signers inside a
 * multi-signature action.
 * Invariant: a request that was read has one digest per chain, and every bit of it that has an effect is bound by it.
 * Not here: who may sign what, nonces, whether the request has expired: rules of the node.
 */
import { HeddleError } from '../base/errors.ts';
import { type ActionContext, actionHash, innerActionHash, multiSigActionHash } from './action-hash.ts';
import { address, isObject, unsigned } from './action-shape.ts';
import { parseSignature, type Signature } from './signature.ts';
import { agentDigest, type Chain, sendMultiSigDigest, userActionDigest } from './typed-data.ts';
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
  return {
    action: readAction(body.action),
    nonce: unsigned.read(body.nonce, 'nonce'),
    signature: parseSignature(body.signature),
    ...(vaultAddress === undefined || vaultAddress === null ? {} : { vaultAddress: vaultOf(vaultAddress) }),
    ...(expiresAfter === undefined || expiresAfter === null ? {} : { expiresAfter: unsigned.read(expiresAfter, 'expiresAfter') }),
  };
}

/** With 0x or without: ccxt leaves it out. */
function vaultOf(value: unknown): `0x${string}` {
  const isBare = typeof value === 'string' && /^[0-9a-fA-F]{40}$/.test(value);
  return address.read(isBare ? `0x${value}` : value, 'vaultAddress');
}

/** What the signature of a request is of, on a chain. User-signed actions name their chain themselves. */
export function requestDigest({ action, ...context }: Omit<SignedRequest, 'signature'>, chain: Chain): Uint8Array {
  if (action.type === 'multiSig') {
    return sendMultiSigDigest(chain, action.signatureChainId, multiSigActionHash(action, context), context.nonce);
  }
  return isUserSigned(action) ? userActionDigest(action) : agentDigest(actionHash(action, context), chain);
}

/** What the signatures inside a multi-signature action are of: all of the same digest. */
export function innerDigest({ action, ...context }: Omit<SignedRequest, 'signature'>, chain: Chain): Uint8Array {
  if (action.type !== 'multiSig') throw new HeddleError('NOT_MULTI_SIG', `an action ${action.type} has no signatures inside`);
  const { multiSigUser, outerSigner, action: inner } = action.payload;
  if (isUserSigned(inner)) return userActionDigest(inner, { multiSigUser, outerSigner });
  return agentDigest(innerActionHash(inner, multiSigUser, outerSigner, context), chain);
}
