/**
 * A private key and its address. What signs in this process; wallets and keys elsewhere are `Signer`s of their own.
 *
 * Invariant: the key is never shown: not as text, not as JSON, not in an inspected object.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { HeddleError } from '../base/errors.ts';
import { addressOfPublicKey, type Signature, signDigest } from './signature.ts';

/** Whatever can sign a digest for an address. */
export interface Signer {
  /** 0x and 40 lower-case hex digits. */
  readonly address: `0x${string}`;
  sign(digest: Uint8Array): Signature | Promise<Signature>;
}

export class SignerKey implements Signer {
  readonly address: `0x${string}`;
  readonly #key: Uint8Array;

  /** Of 64 hex digits, with or without 0x. Throws INVALID_KEY. */
  constructor(hex: string) {
    const digits = hex.startsWith('0x') ? hex.slice(2) : hex;
    if (!/^[0-9a-fA-F]{64}$/.test(digits)) throw new HeddleError('INVALID_KEY', 'a private key has 64 hex digits');
    this.#key = hexToBytes(digits);
    if (!secp256k1.utils.isValidSecretKey(this.#key)) throw new HeddleError('INVALID_KEY', 'the number is no private key of secp256k1');
    this.address = addressOfPublicKey(secp256k1.getPublicKey(this.#key, false));
  }

  /** A new one, from the platform's randomness; `hex` has to be kept by whoever wants to use it again. */
  static generate(): { key: SignerKey; hex: `0x${string}` } {
    const hex = `0x${bytesToHex(secp256k1.utils.randomSecretKey())}` as const;
    return { key: new SignerKey(hex), hex };
  }

  sign(digest: Uint8Array): Signature {
    return signDigest(digest, this.#key);
  }
}
