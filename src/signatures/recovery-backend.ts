/**
 * Recovers public keys: over the native binding of the package `secp256k1` (the library of Bitcoin Core, in C) where it loads, or else in
 * JavaScript over noble, which takes about twenty times as long.
 *
 * The package's own entry falls back to another JavaScript library without a word. It is not used: which of the two runs has to be known.
 * Invariant: both return the same for the same input, also for what is no signature.
 */
import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { keccak256 } from './keccak.ts';

export type BackendName = 'native' | 'javascript';

export interface RecoveryBackend {
  readonly name: BackendName;
  /** An address of 20 bytes, or undefined: no key makes this signature of this digest. 32 bytes, 64 bytes, 0 or 1. */
  recover(digest: Uint8Array, signature: Uint8Array, recovery: number): Uint8Array | undefined;
}

type RecoverKey = (digest: Uint8Array, signature: Uint8Array, recovery: number) => Uint8Array;

/** The one that is asked for, or the native one if it loads. */
export async function loadBackend(wanted?: BackendName): Promise<RecoveryBackend> {
  if (wanted === 'javascript') return backend('javascript', recoverWithNoble);
  try {
    const { default: bindings } = await import('secp256k1/bindings.js');
    return backend('native', (digest, signature, recovery) => bindings.ecdsaRecover(signature, recovery, digest, false));
  } catch (error) {
    if (wanted === 'native') throw error;
    return backend('javascript', recoverWithNoble);
  }
}

const recoverWithNoble: RecoverKey = (digest, signature, recovery) => {
  const recovered = new Uint8Array(65);
  recovered[0] = recovery;
  recovered.set(signature, 1);
  return noble.Point.fromBytes(noble.recoverPublicKey(recovered, digest, { prehash: false })).toBytes(false);
};

function backend(name: BackendName, recoverKey: RecoverKey): RecoveryBackend {
  return {
    name,
    recover: (digest, signature, recovery) => {
      let key: Uint8Array;
      try {
        key = recoverKey(digest, signature, recovery);
      } catch {
        return undefined; // Both throw for numbers out of range and for points that are none.
      }
      return keccak256(key.subarray(1)).subarray(12);
    },
  };
}
