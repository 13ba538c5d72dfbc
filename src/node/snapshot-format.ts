/**
 * The bytes of a snapshot: the header of one block and all records of the state behind it, in chunks by the first bits of their paths.
 *
 *   snapshot, version 2. Numbers are little endian.
 *      0  u8[8]  magic
 *      8  u32    version
 *     12  u32    bytes of the manifest
 *     16  u8[32] H("heddle snapshot 1", manifest)
 *     48  u8[]   the manifest
 *         then the chunks, one behind the other, to the end
 *
 *   manifest
 *      0  u8[32]  id of the chain: the hash of the genesis below
 *     32  u8[184] header
 *    216  u8      depth k, at most 16: there are 2^k chunks, one for each prefix of k bits, in their order
 *    217  u32     bytes of the genesis
 *    221  u8[]    the genesis, canonical JSON
 *         of each chunk, 85 bytes:
 *           0  u8     records below its prefix: 0, 1, or 2 for several
 *           1  u8[32] T(prefix), docs/decisions/0010
 *          33  u64    offset in the file
 *          41  u32    bytes in the file; 0: the chunk is empty
 *          45  u32    bytes when decompressed
 *          49  u32    number of records
 *          53  u8[32] H("heddle chunk 1", bytes in the file): so that nothing is decompressed that was not written here
 *
 *   chunk: zstd of its records in columns (record-columns.ts), values as the tree commits to them
 *
 * Invariant: the manifest's hashes make the header's state root, and a chunk is right or wrong by the manifest alone.
 * Not here: whether the header is one to believe. Whoever takes a snapshot from elsewhere has to know its hash.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HeddleError } from '../base/errors.ts';
import { labelled } from '../commitment/blake3.ts';
import { type BlockHeader, decodeHeader, encodeHeader, HEADER_BYTES } from '../commitment/header.ts';
import { NOTHING, nodeOf, type TreeRecord } from '../commitment/state-tree.ts';
import { decodeRecords, encodeRecords } from './record-columns.ts';
import { SortedTree } from './sorted-tree.ts';

const MAGIC = new TextEncoder().encode('HEDDLESN');
const VERSION = 2;
export const PREFACE_BYTES = 48;
export const DEPTH_MAX = 16;
const FIXED_BYTES = 32 + HEADER_BYTES + 1 + 4;
const ENTRY_BYTES = 85;
/** Some 40 KiB when compressed. Columns of 8192 records are 3 % smaller, those of 2048 are 3 % larger. */
const CHUNK_RECORDS = 4096;
/** A chunk's records, at the most: more than any state that a chain of 2^16 chunks can have. */
const CHUNK_BYTES_MAX = 2 ** 30;

const hashManifest = labelled('heddle snapshot 1');
const hashChunk = labelled('heddle chunk 1');

export interface ChunkEntry {
  readonly count: 0 | 1 | 2;
  readonly hash: Uint8Array;
  readonly offset: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly records: number;
  readonly packedHash: Uint8Array;
}

export interface Manifest {
  readonly chainId: Uint8Array;
  readonly header: BlockHeader;
  readonly depth: number;
  readonly genesis: Uint8Array;
  readonly chunks: readonly ChunkEntry[];
}

export function badSnapshot(what: string, cause?: unknown): HeddleError {
  return new HeddleError('BAD_SNAPSHOT', `${what}: take the snapshot again, or another copy of it`, { cause });
}

/** Bits of the prefixes that records of a state are cut up by. */
function depthFor(records: number): number {
  return Math.min(DEPTH_MAX, Math.max(0, Math.ceil(Math.log2(records / CHUNK_RECORDS))));
}

/** A path that begins with the `depth` bits of chunk `index`. */
function prefixOf(index: number, depth: number): Uint8Array {
  const path = new Uint8Array(32);
  new DataView(path.buffer).setUint32(0, depth === 0 ? 0 : index * 2 ** (32 - depth));
  return path;
}

// --- Manifest -----------------------------------------------------------------------------------------------------------------------

export function manifestBytes(genesis: Uint8Array, depth: number): number {
  return FIXED_BYTES + genesis.length + 2 ** depth * ENTRY_BYTES;
}

/** With what stands in front of it. */
export function encodeManifest({ chainId, header, depth, genesis, chunks }: Manifest): Uint8Array {
  const manifest = new Uint8Array(manifestBytes(genesis, depth));
  const view = new DataView(manifest.buffer);
  manifest.set(chainId);
  manifest.set(encodeHeader(header), 32);
  manifest[32 + HEADER_BYTES] = depth;
  view.setUint32(32 + HEADER_BYTES + 1, genesis.length, true);
  manifest.set(genesis, FIXED_BYTES);
  chunks.forEach((chunk, i) => {
    const at = FIXED_BYTES + genesis.length + i * ENTRY_BYTES;
    manifest[at] = chunk.count;
    manifest.set(chunk.hash, at + 1);
    view.setBigUint64(at + 33, BigInt(chunk.offset), true);
    view.setUint32(at + 41, chunk.packedBytes, true);
    view.setUint32(at + 45, chunk.bytes, true);
    view.setUint32(at + 49, chunk.records, true);
    manifest.set(chunk.packedHash, at + 53);
  });
  const whole = new Uint8Array(PREFACE_BYTES + manifest.length);
  whole.set(MAGIC);
  const front = new DataView(whole.buffer);
  front.setUint32(8, VERSION, true);
  front.setUint32(12, manifest.length, true);
  whole.set(hashManifest(manifest), 16);
  whole.set(manifest, PREFACE_BYTES);
  return whole;
}

/** The manifest's length, from the file's first 48 bytes. Throws BAD_SNAPSHOT, WRONG_VERSION. */
export function readPreface(bytes: Uint8Array, fileBytes: number): number {
  if (bytes.length < PREFACE_BYTES || !equal(bytes.subarray(0, 8), MAGIC)) throw badSnapshot('it does not begin like a snapshot');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint32(8, true);
  if (version !== VERSION) {
    throw new HeddleError('WRONG_VERSION', `the snapshot is of version ${version}: restore it with the release that wrote it`);
  }
  const length = view.getUint32(12, true);
  if (length < FIXED_BYTES || PREFACE_BYTES + length > fileBytes) throw badSnapshot(`its manifest of ${length} bytes is not in the file`);
  return length;
}

/** Verifies all that the manifest says about itself. Throws BAD_SNAPSHOT. */
export function readManifest(preface: Uint8Array, manifest: Uint8Array, fileBytes: number): Manifest {
  if (!equal(hashManifest(manifest), preface.subarray(16, PREFACE_BYTES))) throw badSnapshot('its manifest is damaged');
  const view = new DataView(manifest.buffer, manifest.byteOffset, manifest.length);
  const depth = manifest[32 + HEADER_BYTES] as number;
  const genesisBytes = view.getUint32(32 + HEADER_BYTES + 1, true);
  if (depth > DEPTH_MAX || FIXED_BYTES + genesisBytes + 2 ** depth * ENTRY_BYTES !== manifest.length) {
    throw badSnapshot('its manifest has a wrong length');
  }
  const genesis = manifest.slice(FIXED_BYTES, FIXED_BYTES + genesisBytes);
  let end = PREFACE_BYTES + manifest.length;
  const chunks = Array.from({ length: 2 ** depth }, (_, i): ChunkEntry => {
    const at = FIXED_BYTES + genesisBytes + i * ENTRY_BYTES;
    const packedBytes = view.getUint32(at + 41, true);
    const [count, bytes, records] = [manifest[at] as number, view.getUint32(at + 45, true), view.getUint32(at + 49, true)];
    if (view.getBigUint64(at + 33, true) !== BigInt(end) || count !== Math.min(records, 2) || bytes > CHUNK_BYTES_MAX) {
      throw badSnapshot(`its manifest does not fit chunk ${i}`);
    }
    const offset = end;
    end += packedBytes;
    const packedHash = manifest.slice(at + 53, at + 85);
    return { count: count as 0 | 1 | 2, hash: manifest.slice(at + 1, at + 33), offset, packedBytes, bytes, records, packedHash };
  });
  if (end !== fileBytes) throw badSnapshot(`its file has ${fileBytes} bytes, its chunks end at ${end}`);
  let header: BlockHeader;
  try {
    header = decodeHeader(manifest.subarray(32, 32 + HEADER_BYTES));
  } catch (cause) {
    throw badSnapshot(`its header is none (${(cause as Error).message})`, cause);
  }
  if (header.height < 1) throw badSnapshot(`its header is of height ${header.height}`);
  if (!equal(rootOfChunks(chunks), header.stateRoot))
    throw badSnapshot('the hashes of its chunks do not make the state root of its header');
  return { chainId: manifest.slice(0, 32), header, depth, genesis, chunks };
}

function rootOfChunks(chunks: readonly ChunkEntry[]): Uint8Array {
  let level: readonly Pick<ChunkEntry, 'count' | 'hash'>[] = chunks;
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, i) => {
      const [left, right] = [level[2 * i], level[2 * i + 1]] as [ChunkEntry, ChunkEntry];
      const count = Math.min(left.count + right.count, 2) as 0 | 1 | 2;
      if (count === 2) return { count, hash: nodeOf(left.hash, right.hash) };
      return { count, hash: left.count === 1 ? left.hash : right.hash };
    });
  }
  const [top] = level as [ChunkEntry];
  return top.count === 0 ? NOTHING : top.hash;
}

// --- Chunks -------------------------------------------------------------------------------------------------------------------------

export interface PackedChunk extends Omit<ChunkEntry, 'offset'> {
  readonly packed: Uint8Array;
}

/** All records, in 2^depth chunks. */
export function packChunks(tree: SortedTree): { readonly depth: number; readonly chunks: readonly PackedChunk[] } {
  const depth = depthFor(tree.records.length);
  return { depth, chunks: Array.from({ length: 2 ** depth }, (_, i) => packChunk(tree, i, depth)) };
}

function packChunk(tree: SortedTree, index: number, depth: number): PackedChunk {
  const [from, to] = tree.range(depth, prefixOf(index, depth));
  const content = encodeRecords(tree.records.slice(from, to));
  const packed = from === to ? new Uint8Array(0) : zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  return {
    count: Math.min(to - from, 2) as 0 | 1 | 2,
    hash: tree.hashOf(from, to, depth),
    packedBytes: packed.length,
    bytes: content.length,
    records: to - from,
    packedHash: hashChunk(packed),
    packed,
  };
}

/** The records of a chunk, verified. Throws BAD_SNAPSHOT, which names the chunk. */
export function unpackChunk(manifest: Manifest, index: number, packed: Uint8Array): readonly TreeRecord[] {
  const { depth, chunks } = manifest;
  const entry = chunks[index] as ChunkEntry;
  const bad = (what: string, cause?: unknown) => badSnapshot(`chunk ${index} of ${chunks.length} ${what}`, cause);
  if (packed.length !== entry.packedBytes || !equal(hashChunk(packed), entry.packedHash)) throw bad('is damaged');
  let content: Uint8Array;
  try {
    content = packed.length === 0 ? packed : zstdDecompressSync(packed, { maxOutputLength: Math.max(1, entry.bytes) });
  } catch (cause) {
    throw bad('cannot be decompressed', cause);
  }
  let records: readonly TreeRecord[];
  try {
    records = decodeRecords(content);
  } catch (cause) {
    throw bad(`holds no records (${(cause as Error).message})`, cause);
  }
  if (content.length !== entry.bytes || records.length !== entry.records) throw bad('does not hold the records that its manifest says');
  const tree = new SortedTree(records);
  const [from, to] = tree.range(depth, prefixOf(index, depth));
  if (to - from !== records.length) throw bad('holds records that do not belong there');
  if (!equal(tree.hashOf(0, records.length, depth), entry.hash)) throw bad('has another hash than its manifest says');
  return tree.records;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
