/**
 * What accounts were worth, as bytes: for the file that keeps it from one start of a node to the next, since no block has it.
 *
 *   "HeddleAV"  u32 version  chainId[32]  f64 height  u32 accounts
 *   account:    address[20]  i64 deposited  u32 points, then of each: f64 timeMs  i64 value  i64 pnl
 *   at the end: u32 CRC-32 of everything before it
 *
 * Little endian; values in quote units. Invariant: what is decoded is what was encoded for the same chain, or VALUES_REFUSED is thrown.
 * Not here: where the file is (whoever serves the node), and what happens to the blocks behind it (account-values.ts).
 */
import { crc32 } from 'node:zlib';
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import type { Address } from '../ledger/transactions.ts';
import type { ValuePoint } from './account-values.ts';

export interface KeptSeries {
  readonly user: Address;
  readonly deposited: bigint;
  /** Oldest first. */
  readonly points: readonly ValuePoint[];
}

export interface KeptValues {
  /** The last block that is in them. */
  readonly height: number;
  readonly series: readonly KeptSeries[];
}

const MAGIC = new TextEncoder().encode('HeddleAV');
const VERSION = 1;
const CHAIN_ID_AT = 12;
const HEIGHT_AT = 44;
const COUNT_AT = 52;
const HEAD_BYTES = 56;
const SERIES_BYTES = 32;
const POINT_BYTES = 24;
const CRC_BYTES = 4;
const ADDRESS_BYTES = 20;

export function encodeValues({ height, series }: KeptValues, chainId: Uint8Array): Uint8Array {
  assert(chainId.length === 32, `a chain id of ${chainId.length} bytes`);
  const points = series.reduce((sum, one) => sum + one.points.length, 0);
  const bytes = Buffer.alloc(HEAD_BYTES + series.length * SERIES_BYTES + points * POINT_BYTES + CRC_BYTES);
  bytes.set(MAGIC);
  bytes.writeUInt32LE(VERSION, MAGIC.length);
  bytes.set(chainId, CHAIN_ID_AT);
  bytes.writeDoubleLE(height, HEIGHT_AT);
  bytes.writeUInt32LE(series.length, COUNT_AT);
  let at = HEAD_BYTES;
  for (const { user, deposited, points } of series) {
    bytes.write(user.slice(2), at, ADDRESS_BYTES, 'hex');
    bytes.writeBigInt64LE(deposited, at + ADDRESS_BYTES);
    bytes.writeUInt32LE(points.length, at + ADDRESS_BYTES + 8);
    at += SERIES_BYTES;
    for (const { timeMs, value, pnl } of points) {
      bytes.writeDoubleLE(timeMs, at);
      bytes.writeBigInt64LE(value, at + 8);
      bytes.writeBigInt64LE(pnl, at + 16);
      at += POINT_BYTES;
    }
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(0, at)), at);
  return bytes;
}

/** Throws VALUES_REFUSED. */
export function decodeValues(given: Uint8Array, chainId: Uint8Array): KeptValues {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.length);
  const end = bytes.length - CRC_BYTES;
  if (end < HEAD_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) throw refused('they are none');
  if (bytes.readUInt32LE(end) !== crc32(bytes.subarray(0, end))) throw refused('they are damaged');
  const version = bytes.readUInt32LE(MAGIC.length);
  if (version !== VERSION) throw refused(`they are of version ${version}`);
  if (!bytes.subarray(CHAIN_ID_AT, HEIGHT_AT).equals(chainId)) throw refused('they are of another chain');
  const series: KeptSeries[] = [];
  let at = HEAD_BYTES;
  for (let left = bytes.readUInt32LE(COUNT_AT); left > 0; left--) {
    const user = `0x${bytes.toString('hex', at, at + ADDRESS_BYTES)}`;
    const deposited = bytes.readBigInt64LE(at + ADDRESS_BYTES);
    const count = bytes.readUInt32LE(at + ADDRESS_BYTES + 8);
    at += SERIES_BYTES;
    const points: ValuePoint[] = [];
    for (let i = 0; i < count; i++) {
      points.push({ timeMs: bytes.readDoubleLE(at), value: bytes.readBigInt64LE(at + 8), pnl: bytes.readBigInt64LE(at + 16) });
      at += POINT_BYTES;
    }
    series.push({ user, deposited, points });
  }
  return { height: bytes.readDoubleLE(HEIGHT_AT), series };
}

function refused(why: string): HeddleError {
  return new HeddleError('VALUES_REFUSED', `what accounts were worth cannot be gone on with: ${why}; it starts anew`);
}
