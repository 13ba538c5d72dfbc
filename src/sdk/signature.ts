/**
 * ECDSA signatures over secp256k1 as Ethereum uses them: made, parsed, and turned back into the address that signed.
 *
 * Invariant: signing is deterministic (RFC 6979), its `s` is in the lower half. What was parsed is in range: r and s from 1 to n - 1.
 * A signature with `s` in the upper half recovers as well, as Ethereum's own recovery does; nonces keep requests from being repeated.
 * Not here: what is signed (action-hash.ts, typed-data.ts); recovery of many signatures (the part `signatures`).
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { ByteSlab } from '../base/byte-slab.ts';
import { HeddleError } from '../base/errors.ts';
import { putHexNumber } from '../base/hex-digits.ts';

export interface Signature {
  /** r and s, 32 bytes each, big endian. */
  readonly bytes: Uint8Array;
  /** Is the y coordinate of the point odd? */
  readonly recovery: 0 | 1;
}

/** As it stands in a request. */
export interface WireSignature {
  readonly r: string;
  readonly s: string;
  readonly v: number;
}

const SCALAR_BYTES = 32;
const ORDER_BYTES = hexToBytes(secp256k1.Point.Fn.ORDER.toString(16));

/** `digest` has 32 bytes, so has `key`. */
export function signDigest(digest: Uint8Array, key: Uint8Array): Signature {
  const recovered = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' });
  return { bytes: recovered.slice(1), recovery: recovered[0] === 0 ? 0 : 1 };
}

/** The address that signed, or undefined: no key makes this signature of this digest. About 1 ms: for clients and error paths. */
export function recoverAddress(digest: Uint8Array, signature: Signature): `0x${string}` | undefined {
  const recovered = new Uint8Array(65);
  recovered[0] = signature.recovery;
  recovered.set(signature.bytes, 1);
  let publicKey: Uint8Array;
  try {
    publicKey = secp256k1.Point.fromBytes(secp256k1.recoverPublicKey(recovered, digest, { prehash: false })).toBytes(false);
  } catch {
    return undefined; // r is not the coordinate of a point, or the point is that of no key.
  }
  return addressOfPublicKey(publicKey);
}

/** Of an uncompressed public key, 65 bytes. */
export function addressOfPublicKey(publicKey: Uint8Array): `0x${string}` {
  return `0x${bytesToHex(keccak_256(publicKey.subarray(1)).subarray(12))}`;
}

/**
 * A signature out of parsed JSON, {r, s, v}. r and s may lack leading zeros, v is 27 or 28, or 0 or 1. Throws MALFORMED_SIGNATURE (it is
 * no such object) and INVALID_SIGNATURE (a number is out of range).
 */
export function parseSignature(value: unknown): Signature {
  const { r, s, v } = (typeof value === 'object' && value !== null ? value : {}) as { r?: unknown; s?: unknown; v?: unknown };
  putScalar(r, 'r', scalars, 0);
  putScalar(s, 's', scalars, SCALAR_BYTES);
  if (typeof v !== 'number') throw new HeddleError('MALFORMED_SIGNATURE', 'v of a signature has to be a number');
  if (v !== 0 && v !== 1 && v !== 27 && v !== 28)
    throw new HeddleError('INVALID_SIGNATURE', `v of a signature has to be 27 or 28, not ${v}`);
  return { bytes: slab.copy(scalars, scalars.length), recovery: v === 1 || v === 28 ? 1 : 0 };
}

/** One for all: what was read is copied before anybody reads again. */
const scalars = new Uint8Array(2 * SCALAR_BYTES);
const slab = new ByteSlab();

function putScalar(value: unknown, name: string, into: Uint8Array, at: number): void {
  if (typeof value !== 'string' || !putHexNumber(value, into, at, SCALAR_BYTES)) {
    throw new HeddleError('MALFORMED_SIGNATURE', `${name} of a signature has to be 0x and up to 64 hex digits`);
  }
  if (!isInRange(into, at)) throw new HeddleError('INVALID_SIGNATURE', `${name} of a signature is out of range`);
}

/** From 1 to n - 1. */
function isInRange(bytes: Uint8Array, at: number): boolean {
  let any = 0;
  for (let i = 0; i < SCALAR_BYTES; i++) {
    const byte = bytes[at + i] as number;
    const most = ORDER_BYTES[i] as number;
    any |= byte;
    if (byte < most) return any !== 0 || bytes.subarray(at + i, at + SCALAR_BYTES).some((later) => later !== 0);
    if (byte > most) return false;
  }
  return false;
}

export function formatSignature({ bytes, recovery }: Signature): { r: `0x${string}`; s: `0x${string}`; v: 27 | 28 } {
  return { r: `0x${bytesToHex(bytes.subarray(0, 32))}`, s: `0x${bytesToHex(bytes.subarray(32))}`, v: recovery === 0 ? 27 : 28 };
}

/** Without leading zeros, as the signatures inside a multi-signature action are hashed. */
export function trimSignature({ r, s, v }: WireSignature): { r: `0x${string}`; s: `0x${string}`; v: number } {
  return { r: `0x${BigInt(r).toString(16)}`, s: `0x${BigInt(s).toString(16)}`, v };
}
