/**
 * What the signature of an L1 action binds: action, nonce, the account that is acted for, the last moment (protocol, 2.1 and 2.3).
 *
 *   keccak256 of
 *     the action as MessagePack, keys in canonical order (wire-actions.ts)
 *     u64  nonce, big endian
 *     u8   0: the signer acts for itself; 1: 20 bytes follow, the account that it acts for
 *     if the request expires: u8 0, u64 the time in ms, big endian
 *
 * Invariant: the hash depends on the action's content, not on the order in which its keys arrived, if the action was read by `readAction`.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { HeddleError } from '../base/errors.ts';
import { putHexNumber } from '../base/hex-digits.ts';
import { encodeMessagePack, type Packable } from './message-pack.ts';
import type { L1Action, MultiSigAction } from './wire-actions.ts';

/** What stands beside an action in a request. */
export interface ActionContext {
  /** An integer from 0 to 2^64 - 1. */
  readonly nonce: number | bigint;
  /** The sub-account or vault that is acted for: 0x and 40 hex digits. */
  readonly vaultAddress?: string;
  /** Time in ms after which the request is void. */
  readonly expiresAfter?: number;
}

/** The connection id of an action. */
export function actionHash(action: L1Action, context: ActionContext): Uint8Array {
  return packedHash(action, context);
}

/** What whoever sends a multi-signature action signs, as the field multiSigActionHash of SendMultiSig. */
export function multiSigActionHash(action: MultiSigAction, context: ActionContext): Uint8Array {
  const { type: _, ...rest } = action;
  return packedHash(rest, context);
}

/** Of any value, in the order in which it has its keys: for `actionHash` and for the diagnosis of wrong signatures. Throws NOT_ENCODABLE. */
export function packedHash(action: Packable, context: ActionContext): Uint8Array {
  return keccak_256(packedAction(action, context));
}

/** What is hashed. */
export function packedAction(action: Packable, context: ActionContext): Uint8Array {
  return encodeMessagePack(action, tailOf(context));
}

const ADDRESS_BYTES = 20;
const TAIL_BYTES_MAX = 8 + 1 + ADDRESS_BYTES + 1 + 8;
/** One for all: it is copied before anybody needs the next. */
const tail = new Uint8Array(TAIL_BYTES_MAX);
const tailView = new DataView(tail.buffer);

/** What stands behind the action. */
function tailOf({ nonce, vaultAddress, expiresAfter }: ActionContext): Uint8Array {
  putU64(0, nonce);
  let at = 8;
  tail[at++] = vaultAddress === undefined ? 0 : 1;
  if (vaultAddress !== undefined) {
    putAddress(vaultAddress, tail, at);
    at += ADDRESS_BYTES;
  }
  if (expiresAfter !== undefined) {
    tail[at] = 0;
    putU64(at + 1, expiresAfter);
    at += 9;
  }
  return tail.subarray(0, at);
}

/** Big endian. */
function putU64(at: number, value: number | bigint): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) {
    tailView.setUint32(at, Math.floor(value / 2 ** 32));
    tailView.setUint32(at + 4, value % 2 ** 32);
    return;
  }
  const big = BigInt(value);
  if (big !== BigInt.asUintN(64, big)) throw new HeddleError('NOT_ENCODABLE', `${value} does not fit into 64 bits`);
  tailView.setBigUint64(at, big);
}

/** 20 bytes. Throws INVALID_ADDRESS. */
export function addressBytes(address: string): Uint8Array {
  const bytes = new Uint8Array(ADDRESS_BYTES);
  putAddress(address, bytes, 0);
  return bytes;
}

function putAddress(address: string, into: Uint8Array, at: number): void {
  if (address.length !== 2 + 2 * ADDRESS_BYTES || !putHexNumber(address, into, at, ADDRESS_BYTES)) {
    throw new HeddleError('INVALID_ADDRESS', 'an address has 0x and 40 hex digits');
  }
}
