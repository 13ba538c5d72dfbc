/**
 * What the pool and its threads send each other: signatures and what was recovered from them, packed so that a batch is one buffer.
 *
 *   signed, of any length. Numbers are little endian.              recovered, 21 bytes
 *    0  u8[64]  r and s                                             0  u8      1: an address follows, 0: none was recovered
 *   64  u8      recovery                                            1  u8[20]  the address
 *   65  u8      how often is hashed; 0: the message is the digest
 *   66  u32     length of the message
 *   70  u8[]    the message; then for each hash but the first: u8 length and bytes of what stands before the hash so far
 *
 * Invariant: unpacking gives what was packed. Only the pool packs, so nothing is checked.
 */
import { assert } from '../base/assert.ts';
import type { BackendName } from './recovery-backend.ts';

export const RECOVERED_BYTES = 21;
const RECOVERY_AT = 64;
const HASHES_AT = 65;
const LENGTH_AT = 66;
const MESSAGE_AT = 70;
const PREFIX_BYTES_MAX = 255;

/** The first message of a thread: it is ready. */
export interface ReadyThread {
  readonly backend: BackendName;
  /** It was to have a nice value, and may not. */
  readonly isNiceRefused: boolean;
}

export interface SignatureBatch {
  readonly id: number;
  readonly signatures: Uint8Array<ArrayBuffer>;
}

export interface RecoveredBatch {
  readonly id: number;
  readonly recovered: Uint8Array<ArrayBuffer>;
}

export interface Signed {
  /** The digest itself if there are no prefixes. */
  readonly message: Uint8Array;
  /** The digest is keccak(prefix, ... keccak(prefix, keccak(message))), the innermost prefix first. Undefined: nothing is hashed. */
  readonly prefixes: readonly Uint8Array[] | undefined;
  /** r and s. */
  readonly signature: Uint8Array;
  readonly recovery: number;
}

function bytesOf({ message, prefixes }: Signed): number {
  let bytes = MESSAGE_AT + message.length;
  if (prefixes !== undefined) for (const { length } of prefixes) bytes += 1 + length;
  return bytes;
}

export function packSignatures(items: readonly Signed[]): Uint8Array<ArrayBuffer> {
  let bytes = 0;
  for (const item of items) bytes += bytesOf(item);
  const packed = new Uint8Array(bytes);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const { message, prefixes, signature, recovery } of items) {
    packed.set(signature, at);
    packed[at + RECOVERY_AT] = recovery;
    packed[at + HASHES_AT] = prefixes === undefined ? 0 : 1 + prefixes.length;
    view.setUint32(at + LENGTH_AT, message.length, true);
    packed.set(message, at + MESSAGE_AT);
    at += MESSAGE_AT + message.length;
    if (prefixes === undefined) continue;
    for (const prefix of prefixes) {
      assert(prefix.length <= PREFIX_BYTES_MAX, `a prefix of ${prefix.length} bytes`);
      packed[at] = prefix.length;
      packed.set(prefix, at + 1);
      at += 1 + prefix.length;
    }
  }
  return packed;
}

/** Views of `packed`. */
export function unpackSignatures(packed: Uint8Array): Signed[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const items: Signed[] = [];
  let at = 0;
  while (at < packed.length) {
    const signature = packed.subarray(at, at + RECOVERY_AT);
    const recovery = view.getUint8(at + RECOVERY_AT);
    const hashes = view.getUint8(at + HASHES_AT);
    const end = at + MESSAGE_AT + view.getUint32(at + LENGTH_AT, true);
    const message = packed.subarray(at + MESSAGE_AT, end);
    at = end;
    const prefixes: Uint8Array[] = [];
    for (let i = 1; i < hashes; i++) {
      const length = view.getUint8(at);
      prefixes.push(packed.subarray(at + 1, at + 1 + length));
      at += 1 + length;
    }
    items.push({ message, prefixes: hashes === 0 ? undefined : prefixes, signature, recovery });
  }
  return items;
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

/** Of the signature in place `i`: a view, of some thousand bytes at most. */
export function recoveredAt(packed: Uint8Array, i: number): Uint8Array | undefined {
  const at = i * RECOVERED_BYTES;
  return packed[at] === 1 ? packed.subarray(at + 1, at + RECOVERED_BYTES) : undefined;
}
