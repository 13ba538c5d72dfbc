/**
 * What the pool and its threads send each other: signatures and what was recovered from them, packed so that a batch is one buffer.
 *
 *   signature, 97 bytes        recovered, 21 bytes
 *    0  u8[32]  digest          0  u8      1: an address follows, 0: none was recovered
 *   32  u8[64]  r and s         1  u8[20]  the address
 *   96  u8      recovery
 */
export const SIGNATURE_BYTES = 97;
export const RECOVERED_BYTES = 21;
const SCALARS_AT = 32;
const RECOVERY_AT = 96;

export interface SignatureBatch {
  readonly id: number;
  readonly signatures: Uint8Array<ArrayBuffer>;
}

export interface RecoveredBatch {
  readonly id: number;
  readonly recovered: Uint8Array<ArrayBuffer>;
}

export interface PackedSignature {
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
  readonly recovery: number;
}

export function packSignatures(items: readonly PackedSignature[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(items.length * SIGNATURE_BYTES);
  items.forEach(({ digest, signature, recovery }, i) => {
    packed.set(digest, i * SIGNATURE_BYTES);
    packed.set(signature, i * SIGNATURE_BYTES + SCALARS_AT);
    packed[i * SIGNATURE_BYTES + RECOVERY_AT] = recovery;
  });
  return packed;
}

export function unpackSignatures(packed: Uint8Array): PackedSignature[] {
  return Array.from({ length: packed.length / SIGNATURE_BYTES }, (_, i) => {
    const one = packed.subarray(i * SIGNATURE_BYTES, (i + 1) * SIGNATURE_BYTES);
    return { digest: one.subarray(0, SCALARS_AT), signature: one.subarray(SCALARS_AT, RECOVERY_AT), recovery: one[RECOVERY_AT] as number };
  });
}

export function packRecovered(addresses: readonly (Uint8Array | undefined)[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(addresses.length * RECOVERED_BYTES);
  addresses.forEach((address, i) => {
    if (address === undefined) return;
    packed[i * RECOVERED_BYTES] = 1;
    packed.set(address, i * RECOVERED_BYTES + 1);
  });
  return packed;
}

/** Of the signature in place `i`; a copy, so that it does not keep the batch. */
export function recoveredAt(packed: Uint8Array, i: number): Uint8Array | undefined {
  const at = i * RECOVERED_BYTES;
  return packed[at] === 1 ? packed.slice(at + 1, at + RECOVERED_BYTES) : undefined;
}
