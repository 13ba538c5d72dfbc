/**
 * What accounts were worth, as bytes: for the file that keeps it from one start of a node to the next, since no block has it.
 *
 *   "HeddleAV"  u32 version  chainId[32]  f64 height  u32 accounts
 *   account:    address[20]  i64 deposited  u32 points, then of each: f64 timeMs  i64 value  i64 pnl
 *   at the end: u32 CRC-32 of everything before it
 *
 * Little endian; values in quote units. Encoding goes step by step, since half a million points at once would hold up everything else on the thread by some
 * ten milliseconds; what is encoded is of one moment (account-values.ts), so that blocks may come between two steps. Points are copied as they are.
 * Invariant: what is decoded is what was encoded for the same chain, or VALUES_REFUSED is thrown.
 * Not here: where the file is, and when the next step is made (whoever serves the node).
 */
import { crc32 } from 'node:zlib';
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import { putHex } from '../base/hex-digits.ts';
import type { Address } from '../ledger/transactions.ts';
import type { NotedValues } from './account-values.ts';
import { POINT_BYTES, type ValuePoint } from './point-series.ts';

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

/** What was noted, to be encoded. */
export interface ValuesToKeep extends NotedValues {
  /** The last block that is in them. */
  readonly height: number;
  readonly addressOf: (account: number) => Address;
}

const MAGIC = new TextEncoder().encode('HeddleAV');
const VERSION = 1;
const CHAIN_ID_AT = 12;
const HEIGHT_AT = 44;
const COUNT_AT = 52;
const HEAD_BYTES = 56;
const SERIES_BYTES = 32;
const CRC_BYTES = 4;
const ADDRESS_BYTES = 20;
const STEP_BYTES = 2 ** 17;

/** Returns the bytes after as many steps as it takes; none takes more than about a millisecond (measured: 500,000 points of 100,000 accounts). */
export function* encodeValues(kept: ValuesToKeep, chainId: Uint8Array): Generator<void, Uint8Array, void> {
  const { height, reader, series, points, addressOf } = kept;
  assert(chainId.length === 32, `a chain id of ${chainId.length} bytes`);
  // Every byte of it is written.
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + series.length * SERIES_BYTES + points * POINT_BYTES + CRC_BYTES);
  bytes.set(MAGIC);
  bytes.writeUInt32LE(VERSION, MAGIC.length);
  bytes.set(chainId, CHAIN_ID_AT);
  bytes.writeDoubleLE(height, HEIGHT_AT);
  bytes.writeUInt32LE(series.length, COUNT_AT);
  let at = HEAD_BYTES;
  let [crc, crcAt, stepEnd] = [0, 0, STEP_BYTES];
  for (const one of series) {
    assert(putHex(addressOf(reader.account(one)), bytes, at, ADDRESS_BYTES), 'an account has an address');
    bytes.writeBigInt64LE(reader.deposited(one), at + ADDRESS_BYTES);
    bytes.writeUInt32LE(reader.length(one), at + ADDRESS_BYTES + 8);
    at += SERIES_BYTES;
    reader.copyPoints(one, bytes, at);
    at += reader.length(one) * POINT_BYTES;
    if (at < stepEnd) continue;
    crc = crc32(bytes.subarray(crcAt, at), crc);
    [crcAt, stepEnd] = [at, at + STEP_BYTES];
    yield;
  }
  assert(at === bytes.length - CRC_BYTES, 'there are as many points as was said');
  bytes.writeUInt32LE(crc32(bytes.subarray(crcAt, at), crc), at);
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
