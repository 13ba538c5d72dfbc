/**
 * Headers of blocks: what a chain of blocks commits to. The hash of the last header stands for everything that ever happened.
 *
 *   header, 184 bytes. Numbers are u64, little endian.
 *     0  u64  height           1 for the block behind the genesis state
 *     8  u64  timeMs           the block's time
 *    16  u64  nextOrdinal      of the first item of the next block (docs/rules.md, 1)
 *    24  u8[32] parentHash       hash of the header before; of the first block's what the genesis says
 *    56  u8[32] transactionsRoot list root of the block's transactions (item-list.ts)
 *    88  u8[32] receiptsRoot     list root of the receipts, the system's transactions' included
 *   120  u8[32] accessListRoot   list root of the access list's entries
 *   152  u8[32] stateRoot        of the state behind the block (state-tree.ts)
 *
 * Invariant: a header has one sequence of bytes, and every sequence of 184 bytes whose height and time are safe integers is one header's.
 * Its version is that of the label. Not here: what the bytes of a transaction, a receipt or an entry are; who signs.
 */
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import { HASH_BYTES, labelled } from './blake3.ts';

export interface BlockHeader {
  readonly height: number;
  readonly timeMs: number;
  readonly nextOrdinal: bigint;
  readonly parentHash: Uint8Array;
  readonly transactionsRoot: Uint8Array;
  readonly receiptsRoot: Uint8Array;
  readonly accessListRoot: Uint8Array;
  readonly stateRoot: Uint8Array;
}

export const HEADER_BYTES = 184;

const HASHES = ['parentHash', 'transactionsRoot', 'receiptsRoot', 'accessListRoot', 'stateRoot'] as const;
const HASHES_AT = 24;

const hashHeader = labelled('heddle header 1');

export function headerHash(header: BlockHeader): Uint8Array {
  return hashHeader(encodeHeader(header));
}

export function encodeHeader(header: BlockHeader): Uint8Array {
  const { height, timeMs, nextOrdinal } = header;
  assert(Number.isSafeInteger(height) && height >= 0, `height ${height}`);
  assert(Number.isSafeInteger(timeMs) && timeMs >= 0, `timeMs ${timeMs}`);
  assert(nextOrdinal === BigInt.asUintN(64, nextOrdinal), `nextOrdinal ${nextOrdinal}`);
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(height), true);
  view.setBigUint64(8, BigInt(timeMs), true);
  view.setBigUint64(16, nextOrdinal, true);
  HASHES.forEach((name, i) => {
    assert(header[name].length === HASH_BYTES, `${name} has ${header[name].length} bytes`);
    bytes.set(header[name], HASHES_AT + i * HASH_BYTES);
  });
  return bytes;
}

/** Throws INVALID_HEADER. */
export function decodeHeader(bytes: Uint8Array): BlockHeader {
  if (bytes.length !== HEADER_BYTES) throw new HeddleError('INVALID_HEADER', `a header has ${HEADER_BYTES} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const safe = (name: string, at: number): number => {
    const value = view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new HeddleError('INVALID_HEADER', `${name} ${value} is out of range`);
    return Number(value);
  };
  const hash = (name: (typeof HASHES)[number]): Uint8Array => {
    const at = HASHES_AT + HASHES.indexOf(name) * HASH_BYTES;
    return new Uint8Array(bytes.subarray(at, at + HASH_BYTES));
  };
  return {
    height: safe('height', 0),
    timeMs: safe('timeMs', 8),
    nextOrdinal: view.getBigUint64(16, true),
    parentHash: hash('parentHash'),
    transactionsRoot: hash('transactionsRoot'),
    receiptsRoot: hash('receiptsRoot'),
    accessListRoot: hash('accessListRoot'),
    stateRoot: hash('stateRoot'),
  };
}
