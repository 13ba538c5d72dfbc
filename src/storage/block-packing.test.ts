/** Bodies and receipts come back byte for byte, whatever they are; what is damaged is an error, and allocates nothing on its word. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeddleError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { NO_BOOK } from '../ledger/name-columns.ts';
import { encodeBlock } from '../ledger/transaction-codec.ts';
import type { Block, Transaction } from '../ledger/transactions.ts';
import { packBody, packReceipts, unpackBody, unpackReceipts } from './block-packing.ts';
import { compressPieces, decompressPieces, pack, seal } from './compression.ts';
import { decodeReceipts, encodeReceipts } from './receipt-columns.ts';

/** Raise for a longer look. */
const DAMAGED = 4000;

/** Words that differ little, or anything. */
const word = fc.oneof(fc.nat(10), fc.nat(0xffffffff), fc.constantFrom(0xffffffff, 0xfffffffe, 0x80000000));
const event = fc
  .tuple(fc.constantFrom(1, 16, 17, 18), fc.integer({ min: 0, max: 9 }), fc.infiniteStream(word))
  .map(([type, words, rest]) => Uint32Array.from([type | ((words + 1) << 10), ...rest.take(words)]));
const receipt = fc.tuple(fc.oneof(fc.constant(0), word), fc.array(event, { maxLength: 4 })).map(([code, events]) => {
  const words = [code, ...events.flatMap((values) => [...values])];
  return Uint32Array.from([4 * words.length, ...words]);
});
const receipts = fc
  .array(receipt, { maxLength: 30 })
  .map((list) => new Uint8Array(Uint32Array.from(list.flatMap((words) => [...words])).buffer));

function sampleBlock(random: Random, count: number): Block {
  const address = () => `0x${random.below(60).toString(16).padStart(40, '0')}`;
  const transactions = Array.from(
    { length: count },
    (_, i): Transaction => ({
      kind: 'transfer',
      sender: address(),
      nonce: BigInt(i),
      recipient: address(),
      token: 0,
      amount: BigInt(random.below(1000)),
    }),
  );
  return { number: 7, timeMs: 1_760_000_000_000, transactions };
}

test('receipts: there and back', () => {
  fc.assert(
    fc.property(receipts, (bytes) => {
      assert.ok(encodeReceipts(bytes) !== undefined);
      assert.deepEqual(unpackReceipts(packReceipts(bytes)), bytes);
    }),
    { numRuns: 2000 },
  );
});

test('what are no receipts comes back as well', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), receipts), fc.nat(), fc.nat(255), (bytes, at, value) => {
      const damaged = bytes.length === 0 ? bytes : bytes.with(at % bytes.length, value);
      assert.deepEqual(unpackReceipts(packReceipts(damaged)), damaged);
    }),
    { numRuns: 5000 },
  );
});

test('receipts of many alike events take a part of what zstd makes of them', () => {
  const random = new Random(3);
  const words: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const oid = i * 8192 + random.below(4);
    words.push(36, 0, 16 | (32 << 8), 0, oid, 0, random.below(100), 0, -random.below(100), 0xffffffff);
  }
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  assert.ok(packReceipts(bytes).length < 0.7 * pack(bytes).length);
});

test('bodies: blocks and bytes, of any length', () => {
  const random = new Random(5);
  for (const count of [0, 1, 5, 63, 64, 65, 500, 5000]) {
    const block = sampleBlock(random, count);
    const row = encodeBlock(block);
    const { packed, newAddresses } = packBody(block, NO_BOOK);
    assert.deepEqual(unpackBody(packed, NO_BOOK), row);
    assert.ok(packed.length <= pack(row).length + 20 * newAddresses.length, `${count} transactions`);
    assert.deepEqual(unpackBody(packBody(row, NO_BOOK).packed, NO_BOOK), row);
  }
  assert.deepEqual(unpackBody(packBody(new Uint8Array(), NO_BOOK).packed, NO_BOOK), new Uint8Array());
});

test('pieces: of any length, compressible or not', () => {
  const random = new Random(6);
  for (const length of [0, 1, 63, 64, 4095, 4096, 4097, 8192, 20_000]) {
    for (const values of [1, 3, 256]) {
      const bytes = Uint8Array.from({ length }, () => random.below(values));
      const pieces = compressPieces(bytes);
      assert.ok(pieces.length <= length + 2 * Math.ceil(length / 4096));
      assert.deepEqual(decompressPieces(pieces, length), bytes);
      assert.throws(() => decompressPieces(pieces, length + 1));
      if (length > 0) assert.throws(() => decompressPieces(pieces.subarray(0, -1), length));
    }
  }
  assert.throws(() => decompressPieces(new Uint8Array(100), 2 ** 32 - 1), RangeError);
});

test('damage behind a right checksum is an error, or another value; never more', () => {
  const random = new Random(9);
  const bytes = new Uint8Array(Uint32Array.from([20, 0, 16 | (16 << 8), 1, 2, 3, 4, 5, 28, 0, 17 | (24 << 8), 1, 2, 3, 4, 5]).buffer);
  const columns = encodeReceipts(bytes) as Uint8Array;
  let refused = 0;
  for (let i = 0; i < DAMAGED; i++) {
    const way = random.below(3);
    const at = random.below(columns.length);
    const damaged = way === 0 ? columns.subarray(0, at) : columns.with(at, random.below(256));
    try {
      decodeReceipts(damaged);
    } catch (error) {
      assert.ok(error instanceof HeddleError && error.code === 'MALFORMED', `${error}`);
      refused++;
    }
  }
  assert.ok(refused > DAMAGED / 3, `${refused} refused`);
  for (const form of [2, 3, 4]) {
    const packed = seal(form, 2 ** 32 - 1, Uint8Array.of(1, 0, 0));
    assert.throws(() => unpackReceipts(packed));
    assert.throws(() => unpackBody(packed, NO_BOOK));
  }
});
