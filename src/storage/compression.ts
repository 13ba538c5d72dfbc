/**
 * Bodies and receipts of blocks as they are kept: zstd where that is smaller.
 *
 * Level 1 takes about half the time of level 3 and comes out 1 % larger (measured on blocks of 10,000 orders: 1.2 and 2.3 ms).
 * A packed value is u8 1 if compressed, u32 bytes, u32 CRC of what follows, then the bytes or their compressed form.
 */
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

const PACKED_HEADER_BYTES = 9;

const WORTH_TRYING_BYTES = 64;
const PARAMS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Undefined if it is not smaller. */
export function compress(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < WORTH_TRYING_BYTES) return undefined;
  const smaller = plain(zstdCompressSync(bytes, PARAMS));
  return smaller.length < bytes.length ? smaller : undefined;
}

/** Throws if it is not the compressed form of `length` bytes. */
export function decompress(bytes: Uint8Array, length: number): Uint8Array {
  const larger = plain(zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, length) }));
  if (larger.length !== length) throw new RangeError(`${larger.length} bytes in place of ${length}`);
  return larger;
}

export function pack(bytes: Uint8Array): Uint8Array {
  const smaller = compress(bytes);
  const content = smaller ?? bytes;
  const packed = new Uint8Array(PACKED_HEADER_BYTES + content.length);
  const view = new DataView(packed.buffer);
  packed[0] = smaller === undefined ? 0 : 1;
  view.setUint32(1, bytes.length, true);
  view.setUint32(5, crc32(content), true);
  packed.set(content, PACKED_HEADER_BYTES);
  return packed;
}

/** Throws if it is not what `pack` made. */
export function unpack(packed: Uint8Array): Uint8Array {
  if (packed.length < PACKED_HEADER_BYTES) throw new RangeError(`${packed.length} bytes`);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const content = new Uint8Array(packed.buffer, packed.byteOffset + PACKED_HEADER_BYTES, packed.byteLength - PACKED_HEADER_BYTES);
  if (view.getUint32(5, true) !== crc32(content)) throw new RangeError('checksum does not match');
  const length = view.getUint32(1, true);
  if (packed[0] === 1) return decompress(content, length);
  if (content.length !== length) throw new RangeError(`${content.length} bytes in place of ${length}`);
  return content.slice();
}

/** Not a Buffer: its `slice` shares memory, and it equals no Uint8Array. */
function plain({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
