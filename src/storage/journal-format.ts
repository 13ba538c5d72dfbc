/**
 * The bytes of the journal, and what a segment's bytes say.
 *
 *   segment, little-endian                                 entry, at multiples of 8
 *    0  u8[8] magic                                         0  u32  magic
 *    8  u32   version                                       4  u32  CRC of bytes 8 to 40
 *   12  u32   CRC of bytes 0 to 12                          8  u64  block number (of a mark: of the last block before it)
 *   16  u8[32] chain id                                    16  u32  bytes of the payload
 *   48  u64   number of its first block                    20  u32  bytes of the body
 *   56  u32   salt                                         24  u32  CRC of the payload with its padding
 *   60  u32   CRC of bytes 0 to 60                         28  u32  1: payload is compressed, 2: a mark, no payload
 *   64  entries                                            32  u64  how much of the segment was on disk when this was written
 *                                                          40  payload, zeros up to a multiple of 8
 *
 * CRCs of entries start from the segment's own CRC plus the entry's place, so that an entry counts in its place only: not what an old
 * block of the disk held, and not what a client has put into a transaction (nobody knows the salt).
 *
 * Invariant: an entry that says "up to here all was on disk" was written after that flush had returned. It is how a torn tail, which is
 * cut, is told from damage, which is reported: what lies before a place that some later entry vouches for cannot be torn.
 * A mark does the same without a block. CRC-32 finds every burst of up to 32 bits; for other damage it misses one case in 2^32.
 */
import { crc32 } from 'node:zlib';
import { decompress } from './compression.ts';

export const SEGMENT_HEADER_BYTES = 64;
export const ENTRY_HEADER_BYTES = 40;
/** Larger bodies are refused, and larger lengths in entries taken for damage. */
export const BODY_BYTES_MAX = 1 << 28;

const VERSION = 1;
const SEGMENT_MAGIC = Uint8Array.from('HdlJrnl\n', (character) => character.charCodeAt(0));
const ENTRY_MAGIC = 0x45_6c_64_48;
const COMPRESSED = 1;
const MARK = 2;

export interface SegmentHeader {
  readonly chainId: Uint8Array;
  readonly first: number;
  readonly salt: number;
}

/** A header and the seed of its entries' CRCs. */
export function segmentHeader({ chainId, first, salt }: SegmentHeader): { readonly bytes: Uint8Array; readonly seed: number } {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(SEGMENT_MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
  bytes.set(chainId, 16);
  setU53(view, 48, first);
  view.setUint32(56, salt, true);
  const seed = crc32(bytes.subarray(0, 60));
  view.setUint32(60, seed, true);
  return { bytes, seed };
}

/** `version`: made by another release; `damage`: what is wrong. */
export type HeaderReading = (SegmentHeader & { readonly seed: number }) | { readonly version: number } | { readonly damage: string };

export function readSegmentHeader(bytes: Uint8Array): HeaderReading {
  if (bytes.length < SEGMENT_HEADER_BYTES) return { damage: `the header ends after ${bytes.length} bytes` };
  const view = viewOf(bytes);
  if (SEGMENT_MAGIC.some((byte, i) => bytes[i] !== byte)) return { damage: 'it does not begin like a segment of a journal' };
  if (view.getUint32(12, true) !== crc32(bytes.subarray(0, 12))) return { damage: 'the version does not match its checksum' };
  const version = view.getUint32(8, true);
  if (version !== VERSION) return { version };
  const seed = crc32(bytes.subarray(0, 60));
  if (view.getUint32(60, true) !== seed) return { damage: 'the header does not match its checksum' };
  return { chainId: bytes.slice(16, 48), first: getU53(view, 48), salt: view.getUint32(56, true), seed };
}

/** A block that waits to be written. */
export interface Payload {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly bodyBytes: number;
}

export function entryBytes(payloadBytes: number): number {
  return ENTRY_HEADER_BYTES + ((payloadBytes + 7) & ~7);
}

/** Writes an entry into `bytes` at `at`, which lies at `at + base` of the segment; a mark without a payload. Returns where it ends. */
export function writeEntry(
  bytes: Uint8Array,
  at: number,
  place: { readonly base: number; readonly seed: number; readonly flushed: number },
  number: number,
  payload: Payload | undefined,
): number {
  const view = viewOf(bytes);
  const end = at + entryBytes(payload?.bytes.length ?? 0);
  if (payload !== undefined) bytes.set(payload.bytes, at + ENTRY_HEADER_BYTES);
  view.setUint32(at, ENTRY_MAGIC, true);
  setU53(view, at + 8, number);
  view.setUint32(at + 16, payload?.bytes.length ?? 0, true);
  view.setUint32(at + 20, payload?.bodyBytes ?? 0, true);
  view.setUint32(at + 24, crc32(bytes.subarray(at + ENTRY_HEADER_BYTES, end)), true);
  view.setUint32(at + 28, payload === undefined ? MARK : payload.bytes.length < payload.bodyBytes ? COMPRESSED : 0, true);
  setU53(view, at + 32, place.flushed);
  view.setUint32(at + 4, crc32(bytes.subarray(at + 8, at + ENTRY_HEADER_BYTES), (place.seed + at + place.base) >>> 0), true);
  return end;
}

interface EntryHeader {
  readonly number: number;
  readonly payloadBytes: number;
  readonly bodyBytes: number;
  readonly payloadCrc: number;
  readonly flags: number;
  readonly flushed: number;
}

/** The header at `at`, which is at `place` in its segment; undefined if there is none. */
function readEntryHeader(bytes: Uint8Array, view: DataView, at: number, place: number, seed: number): EntryHeader | undefined {
  if (at + ENTRY_HEADER_BYTES > bytes.length || view.getUint32(at, true) !== ENTRY_MAGIC) return undefined;
  const crc = crc32(bytes.subarray(at + 8, at + ENTRY_HEADER_BYTES), (seed + place) >>> 0);
  if (view.getUint32(at + 4, true) !== crc) return undefined;
  return {
    number: getU53(view, at + 8),
    payloadBytes: view.getUint32(at + 16, true),
    bodyBytes: view.getUint32(at + 20, true),
    payloadCrc: view.getUint32(at + 24, true),
    flags: view.getUint32(at + 28, true),
    flushed: getU53(view, at + 32),
  };
}

/** What a whole segment holds. */
export interface Scan {
  /** Where each block's entry lies. */
  readonly offsets: readonly number[];
  /** Where the last good entry ends. */
  readonly end: number;
  /** What is wrong behind that, if anything is there. */
  readonly wrong?: string;
  /** What is wrong had been on disk: it is damaged, and not torn. */
  readonly vouched: boolean;
}

export function scanSegment(bytes: Uint8Array, { first, seed }: { readonly first: number; readonly seed: number }): Scan {
  const view = viewOf(bytes);
  const offsets: number[] = [];
  let at = SEGMENT_HEADER_BYTES;
  let wrong: string | undefined;
  while (at < bytes.length) {
    const header = readEntryHeader(bytes, view, at, at, seed);
    wrong = header === undefined ? 'no valid header of an entry' : wrongInEntry(bytes, at, header, first + offsets.length);
    if (header === undefined || wrong !== undefined) break;
    if (header.flags !== MARK) offsets.push(at);
    at += entryBytes(header.payloadBytes);
  }
  if (wrong === undefined) return { offsets, end: at, vouched: false };
  // From the wrong entry itself on: its header may be good, and vouches for what is before it only.
  for (let later = at; later < bytes.length; later += 8) {
    const header = readEntryHeader(bytes, view, later, later, seed);
    if (header !== undefined && header.flushed > at) return { offsets, end: at, wrong, vouched: true };
  }
  return { offsets, end: at, wrong, vouched: false };
}

function wrongInEntry(bytes: Uint8Array, at: number, header: EntryHeader, expected: number): string | undefined {
  const end = at + entryBytes(header.payloadBytes);
  if (end > bytes.length) return `the entry of block ${header.number} ends behind the file`;
  const number = header.flags === MARK ? expected - 1 : expected;
  if (header.number !== number) return `block ${header.number} in place of ${number}`;
  if (crc32(bytes.subarray(at + ENTRY_HEADER_BYTES, end)) !== header.payloadCrc)
    return `block ${header.number} does not match its checksum`;
  return undefined;
}

/** The body of the entry at the start of `bytes`, which was taken from `place` of the segment; or what is wrong. */
export function readBody(
  bytes: Uint8Array,
  place: number,
  seed: number,
  number: number,
): { readonly body: Uint8Array; readonly end: number } | { readonly wrong: string } {
  const header = readEntryHeader(bytes, viewOf(bytes), 0, place, seed);
  if (header === undefined) return { wrong: 'no valid header of an entry' };
  const wrong = wrongInEntry(bytes, 0, header, number);
  if (wrong !== undefined) return { wrong };
  const payload = bytes.subarray(ENTRY_HEADER_BYTES, ENTRY_HEADER_BYTES + header.payloadBytes);
  const end = entryBytes(header.payloadBytes);
  if ((header.flags & COMPRESSED) === 0) return { body: payload.slice(), end };
  try {
    return { body: decompress(payload, header.bodyBytes), end };
  } catch (cause) {
    return { wrong: `block ${number} does not decompress: ${(cause as Error).message}` };
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function setU53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

function getU53(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
