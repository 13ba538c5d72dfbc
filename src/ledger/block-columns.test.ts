/**
 * Blocks in columns. That every block of every kind comes back and that damage is found is in transaction-codec.test.ts, where the
 * generator of all kinds is; here is what only columns have.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { HeddleError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { decodeColumns, encodeColumns, newAddresses } from './block-columns.ts';
import type { AddressBook } from './name-columns.ts';
import { encodeBlock } from './transaction-codec.ts';
import type { Block, OrderItem, Transaction } from './transactions.ts';

const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
const clientId = (n: number): string => `0x${n.toString(16).padStart(32, '0')}`;

function malformed(bytes: Uint8Array): void {
  assert.throws(
    () => decodeColumns(bytes),
    (error) => error instanceof HeddleError && error.code === 'MALFORMED',
  );
}

test('the encoding stays what it is', () => {
  const [a, b] = [address(1), address(2)];
  const transactions: Transaction[] = [
    { kind: 'transfer', sender: a, nonce: 1000n, recipient: b, token: 0, amount: 500n },
    { kind: 'transfer', sender: b, nonce: 2000n, recipient: b, token: 0, amount: 501n },
    { kind: 'transfer', sender: a, nonce: 1001n, recipient: b, token: 0, amount: 502n },
    { kind: 'orders', sender: a, items: [{ op: 'cancelByClientId', market: 7, target: clientId(9) }] },
  ];
  const zeros = (count: number): string => '00'.repeat(count);
  const expected = [
    '01',
    // No book; two addresses in full.
    `00 02 00 00 ${zeros(38)} 0102`,
    `01 ${zeros(15)} 09`,
    // The block's number, its time, how many transactions; their kinds.
    '02 01 00 01 03',
    '04 01 00 06 0068e5cf8b01',
    '05 01 00 01 04',
    '02 04 01010106',
    // Of transfers: the rest of heads, senders, nonces above 1000, recipients, tokens, amounts above 500.
    '04 03 010101',
    '07 03 04 00 000103',
    '02 03 08 02 e803 00e801 000300',
    '0e 03 04 00 000102',
    '02 03 00 00',
    '04 03 04 02 f401 000102',
    // Of orders: the rest of the head, sender, number of items; the item: operation, market, target.
    '6f 01 00',
    '07 01 00 01 03',
    '0f 01 00 01 01',
    '0a 01 02',
    '4d 01 00 01 07',
    '06 01 00 00',
    '00',
  ];
  const bytes = encodeColumns({ number: 3, timeMs: 1_700_000_000_000, transactions });
  assert.equal(Buffer.from(bytes).toString('hex'), expected.join('').replaceAll(' ', ''));
  assert.deepEqual(decodeColumns(bytes).transactions, transactions);
});

test('bytes from before names were kept are what they were, and columns of names stand behind all others', () => {
  const [a, b] = [address(1), address(2)];
  const block: Block = {
    number: 3,
    timeMs: 1_700_000_000_000,
    transactions: [
      { kind: 'createSubAccount', sender: a, nonce: 1000n },
      { kind: 'approveAgent', sender: a, agent: b, name: 'bot' },
      { kind: 'createVault', sender: b, amount: 500n },
      { kind: 'vaultModify', sender: b, vault: a, allowDeposits: true },
      { kind: 'delist', sender: b, market: 7 },
    ],
  };
  const before = [
    `01 00 02 00 00 ${'00'.repeat(38)} 0102 00`,
    '02010001030401000600 68e5cf8b01 05010001 05 02 05 0d0f161819',
    'b404010107010000 020100 02e803 2b0108 0701000101 1001000001 03626f74',
    '02010001 039a010100 0701000101 0e01 0002f401 2301080701000101 1001000103 05010007 01000102 0e01000107 00',
  ];
  const beforeBytes = before.join('').replaceAll(' ', '');
  assert.equal(Buffer.from(encodeColumns(block)).toString('hex'), beforeBytes);
  assert.deepEqual(decodeColumns(Buffer.from(beforeBytes, 'hex')), block);
  const named: Block = {
    ...block,
    transactions: [
      { kind: 'createSubAccount', sender: a, name: 'S' },
      { kind: 'createVault', sender: a, amount: 500n, name: 'V', description: 'd' },
      { kind: 'setDisplayName', sender: a, name: '' },
      { kind: 'subAccountModify', sender: a, subAccount: a, name: 'M' },
    ],
  };
  const after = [
    `01 00 01 00 00 ${'00'.repeat(19)} 01 00`,
    '02010001030401000600 68e5cf8b01 05010001 04 02 04 0d161a1b',
    // Heads and senders of the first two, and the vault's amount, where they always were.
    'b4040108 07010000 e1010118 0701000101 0e010002f401',
    // Behind the last column of before: name of the sub-account; name and description of the vault; then the new kinds.
    '570153 0201000101 020156 0201000101 020164 0201000101',
    '020100 0701000101 0d00 02010000',
    '020100 0701000101 1001000101 01014d 0201000101 00',
  ];
  const afterBytes = after.join('').replaceAll(' ', '');
  assert.equal(Buffer.from(encodeColumns(named)).toString('hex'), afterBytes);
  assert.deepEqual(decodeColumns(Buffer.from(afterBytes, 'hex')), named);
});

test('many transactions of few accounts are a few bytes each', () => {
  const random = new Random(5);
  const nonces = new Map<number, bigint>();
  const transactions = Array.from({ length: 2000 }, (): Transaction => {
    const sender = random.below(50);
    const nonce = (nonces.get(sender) ?? 1_760_000_000_000n) + BigInt(1 + random.below(20));
    nonces.set(sender, nonce);
    const market = random.below(3);
    const priceTicks = 1000 + market * 100_000 + random.below(100);
    const item: OrderItem = { op: 'place', market, side: 'buy', tif: 'gtc', priceTicks, sizeLots: BigInt(1 + random.below(100)) };
    return { kind: 'orders', sender: address(sender), nonce, items: [item] };
  });
  const block: Block = { number: 9, timeMs: 1_760_000_000_000, transactions };
  const [rows, columns] = [encodeBlock(block), encodeColumns(block)];
  assert.deepEqual(decodeColumns(columns), block);
  // Sender, nonce, market, price and size at a byte or two each, and three bytes of heads.
  assert.ok(columns.length < 12 * transactions.length, `${columns.length} bytes`);
  assert.ok(columns.length < 0.75 * rows.length, `${rows.length} bytes in rows`);
});

test('what is promised and not there is refused at once', () => {
  const four = [0xff, 0xff, 0xff, 0xff, 0x0f];
  malformed(Uint8Array.of(1, 0, ...four, 0, 0));
  malformed(Uint8Array.of(1, 0, ...four, 0, 0, 0, 0));
  malformed(Uint8Array.of(1, 0, 0, ...four, 0));
  // Addresses of a book that is not there.
  malformed(Uint8Array.of(1, 5, 0, 0, 0));
  // Number 1, time 0, four billion transactions whose heads are not there.
  const front = [1, 0, 0, 0, 2, 1, 0, 1, 1, 4, 1, 0, 0];
  malformed(Uint8Array.of(...front, 5, 1, 0, 5, 255, 255, 255, 255, 15, 0));
  malformed(Uint8Array.of(...front, 5, 1, 0, 1, 200, 0));
  // A column that no field has, and one that nobody asks for.
  malformed(Uint8Array.of(1, 0, 0, 0, 2, 1, 0, 1, 1, 0xff, 0x7f, 0, 0));
  malformed(Uint8Array.of(...front, 5, 1, 0, 0, 4, 1, 0, 0, 0));
  assert.deepEqual(decodeColumns(Uint8Array.of(...front, 5, 1, 0, 0, 0)), { number: 1, timeMs: 0, transactions: [] });
  assert.throws(() => decodeColumns(Uint8Array.of(2, 0, 0, 0)), { code: 'UNKNOWN_VERSION' });
});

test('a column in a longer form, an address that occurs twice among the new ones: refused', () => {
  const [a, b] = [address(1), address(2)];
  const bytes = encodeColumns({ number: 1, timeMs: 0, transactions: [a, b].map((sender) => ({ kind: 'noop', sender })) });
  assert.equal(decodeColumns(bytes).transactions.length, 2);
  const second = 1 + 4 + 19 * 2 + 1;
  assert.deepEqual([...bytes.subarray(second - 1, second + 1)], [1, 2]);
  malformed(bytes.with(second, 1));
  // The number of the block as the first of differences instead of the least.
  const number = second + 3;
  assert.deepEqual([...bytes.subarray(number - 1, number + 3)], [2, 1, 0, 1]);
  malformed(bytes.with(number + 1, 2));
});

/** A book as the store keeps one, in memory. */
class Book implements AddressBook {
  readonly addresses: string[] = [];

  get size(): number {
    return this.addresses.length;
  }

  numberOf(value: string): number | undefined {
    const number = this.addresses.indexOf(value);
    return number < 0 ? undefined : number;
  }

  addressOf(number: number): string | undefined {
    return this.addresses[number];
  }
}

function isSame(bytes: Uint8Array, book: AddressBook, block: Block): boolean {
  try {
    return isDeepStrictEqual(decodeColumns(bytes, book), block);
  } catch (error) {
    assert.ok(error instanceof HeddleError && error.code === 'MALFORMED', `${error}`);
    return false;
  }
}

test('with a book each address stands in full once, and old blocks are read with later books', () => {
  const random = new Random(11);
  const book = new Book();
  const kept: { readonly block: Block; readonly bytes: Uint8Array }[] = [];
  for (let number = 1; number <= 20; number++) {
    const transactions = Array.from({ length: 30 }, (): Transaction => {
      const [sender, recipient] = [address(random.below(8 * number)), address(random.below(8 * number))];
      return { kind: 'sendPerp', sender, recipient, amount: BigInt(random.below(100)) };
    });
    const block: Block = { number, timeMs: number, transactions };
    const bytes = encodeColumns(block, book);
    book.addresses.push(...newAddresses(bytes));
    kept.push({ block, bytes });
  }
  assert.equal(new Set(book.addresses).size, book.size);
  for (const { block, bytes } of kept) {
    assert.deepEqual(decodeColumns(bytes, book), block);
    // Another book, or none.
    const [first, ...others] = book.addresses;
    const wrong = new Book();
    wrong.addresses.push(...others, first as string);
    if (block.number > 1) {
      malformed(bytes);
      assert.ok(!isSame(bytes, wrong, block));
    }
  }
  const { block, bytes } = kept[19] as (typeof kept)[number];
  assert.ok(bytes.length < 0.6 * encodeColumns(block).length);
  // An address in full that the book had.
  const twice = new Book();
  twice.addresses.push(...newAddresses(encodeColumns(block)));
  assert.throws(() => decodeColumns(Uint8Array.from([1, twice.size, ...encodeColumns(block).subarray(2)]), twice), { code: 'MALFORMED' });
});
