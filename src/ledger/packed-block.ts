/**
 * A block as the journal holds it: its transactions as each of them is hashed, one behind the other. Nothing is encoded twice: what a client has sent is
 * what is journaled, hashed and executed.
 *
 *   0  u8   version, 2        1  u64 number   9  u64 timeMs   17 u32 how many transactions; little endian
 *  21  the packed transactions: each behind its length as a u32, as `encodeTransaction` writes it
 *
 * Invariant: a block has one packed form, and bytes that can be read are that of the block that comes out.
 * Not here: the form that the store keeps (block-columns.ts), in which transactions share their addresses and more.
 */
import { HeddleError } from '../base/errors.ts';
import { decodeTransaction } from './transaction-codec.ts';
import type { Block } from './transactions.ts';

const VERSION = 2;
const HEAD_BYTES = 21;
const LENGTH_BYTES = 4;

/** `encoded`: its transactions, as `encodeTransaction` writes them. */
export function packBlock(number: number, timeMs: number, encoded: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(encoded.reduce((sum, { length }) => sum + LENGTH_BYTES + length, HEAD_BYTES));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setBigUint64(1, BigInt(number), true);
  view.setBigUint64(9, BigInt(timeMs), true);
  view.setUint32(17, encoded.length, true);
  let at = HEAD_BYTES;
  for (const transaction of encoded) {
    view.setUint32(at, transaction.length, true);
    bytes.set(transaction, at + LENGTH_BYTES);
    at += LENGTH_BYTES + transaction.length;
  }
  return bytes;
}

/** A view of the packed transactions in a packed block. */
export function packedTransactions(body: Uint8Array): Uint8Array {
  return body.subarray(HEAD_BYTES);
}

/** Throws MALFORMED for what `packBlock` does not make, UNKNOWN_VERSION for other versions of it. */
export function unpackBlock(body: Uint8Array): Block {
  if (body.length < HEAD_BYTES) throw malformed(body.length, 'the bytes end too early');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const version = view.getUint8(0);
  if (version !== VERSION) {
    throw new HeddleError(
      'UNKNOWN_VERSION',
      `the block is packed in version ${version}, this program reads version ${VERSION}: use a release that knows it`,
    );
  }
  const safe = (name: string, at: number): number => {
    const value = view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(at, `${name} ${value} is too large`);
    return Number(value);
  };
  const number = safe('the number', 1);
  const timeMs = safe('the time', 9);
  const count = view.getUint32(17, true);
  const transactions: Block['transactions'][number][] = [];
  let at = HEAD_BYTES;
  for (let i = 0; i < count; i++) {
    if (at + LENGTH_BYTES > body.length) throw malformed(at, 'the bytes end too early');
    const start = at + LENGTH_BYTES;
    const end = start + view.getUint32(at, true);
    if (end > body.length) throw malformed(at, `transaction ${i} ends behind the block`);
    transactions.push(decodeTransaction(body.subarray(start, end)));
    at = end;
  }
  if (at !== body.length) throw malformed(at, `${body.length - at} bytes are left behind the last transaction`);
  return { number, timeMs, transactions };
}

function malformed(at: number, what: string): HeddleError {
  return new HeddleError('MALFORMED', `byte ${at} of the block: ${what}; the sender has to pack it anew, or the bytes have been damaged`);
}
