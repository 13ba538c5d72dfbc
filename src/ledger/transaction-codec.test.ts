/**
 * One value, one encoding, in rows and in columns: every kind goes there and back, nothing that admission calls undecodable has an
 * encoding, and bytes either decode to what encodes to the same bytes, or are refused. Other people's blocks come from the simulator.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeddleError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { isBody, isEnvelope } from '../execution/transaction-shape.ts';
import { randomBlocks, randomGenesis } from '../simulator/random-blocks.ts';
import { decodeColumns, encodeColumns } from './block-columns.ts';
import { decodeBlock, decodeTransaction, encodeBlock, encodeTransaction } from './transaction-codec.ts';
import type { Block, OrderItem, PlaceItem, Transaction } from './transactions.ts';

/** Raise for a longer look. */
const FUZZED = 30_000;
const HISTORIES = 12;

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => `0x${Buffer.from(value).toString('hex')}`);
/** Few, so that the same one occurs again. */
const address = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('11', '22', '33').map((two) => `0x${two.repeat(20)}`) }, hex(20));
const clientId = hex(16);
const u32 = fc.oneof(fc.nat(300), fc.nat(0xffffffff), fc.constantFrom(0, 127, 128, 0x7fffffff, 0x80000000, 0xffffffff));
const u53 = fc.oneof(
  fc.nat(300),
  fc.maxSafeInteger().map((n) => Math.abs(n)),
  fc.constantFrom(2 ** 31, 2 ** 49, 2 ** 53 - 1),
);
const wide = (most: bigint) =>
  fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, most), fc.constantFrom(0n, 2n ** 49n - 1n, 2n ** 49n, 2n ** 56n, most));
const u64 = wide(2n ** 64n - 1n);
const u63 = wide(2n ** 63n - 1n);
const i64 = fc.oneof(
  u63,
  u63.filter((n) => n > 0n).map((n) => -n),
);
const bool = fc.boolean();
const side = fc.constantFrom('buy' as const, 'sell' as const);
const text = (least: number, most: number) =>
  fc
    .string({ unit: 'grapheme', maxLength: most })
    .filter((value) => !value.includes('\0') && Buffer.byteLength(value) <= most && value.length >= least && value.isWellFormed());

/** A record in which the keys of `optional` may be absent. */
function record<T, O = object>(required: { [K in keyof T]: fc.Arbitrary<T[K]> }, optional: { [K in keyof O]: fc.Arbitrary<O[K]> }) {
  const all = { ...required, ...optional } as { [K in keyof (T & O)]: fc.Arbitrary<(T & O)[K]> };
  return fc.record(all, { requiredKeys: Object.keys(required) as (keyof (T & O))[], noNullPrototype: true });
}

/** Every field is there. */
const plain = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => record<T>(fields, {});

const envelope = record(
  { sender: address },
  { nonce: u64, behalf: address, multiSig: plain({ user: address, signers: fc.uniqueArray(address, { maxLength: 10 }) }) },
);

const terms = record(
  {
    market: u32,
    side,
    tif: fc.constantFrom('gtc' as const, 'ioc' as const, 'alo' as const, 'market' as const, 'fok' as const),
    priceTicks: u32,
    sizeLots: u63,
  },
  {
    reduceOnly: bool,
    clientId,
    selfTrade: fc.constantFrom('cancelMaker', 'cancelTaker', 'cancelBoth'),
    expiresMs: u53,
    displayLots: u63,
    trigger: plain({ kind: fc.constantFrom('takeProfit', 'stopLoss'), priceTicks: u32, market: bool }),
  },
) as fc.Arbitrary<Omit<PlaceItem, 'op'>>;

const item: fc.Arbitrary<OrderItem> = fc.oneof(
  terms.map((fields) => ({ op: 'place' as const, ...fields })),
  plain({ op: fc.constant('cancel' as const), market: u32, oid: u64 }),
  plain({ op: fc.constant('cancelByClientId' as const), market: u32, target: clientId }),
  fc
    .tuple(terms, record({ target: fc.oneof(u64, clientId) }, { always: bool }))
    .map(([fields, rest]) => ({ op: 'modify' as const, ...fields, ...rest }) as OrderItem),
  plain({ op: fc.constant('reduce' as const), market: u32, oid: u64, sizeLots: u63 }),
);

const amount = plain({ amount: u64 });
const prices = fc.array(u32, { maxLength: 8 });
const code = plain({ code: text(1, 20) });
const nothing = fc.constant({});

/** What each kind has beside the envelope. */
const KINDS: Readonly<Record<Transaction['kind'], fc.Arbitrary<object>>> = {
  transfer: plain({ recipient: address, token: u32, amount: u64 }),
  deposit: amount,
  toSpot: amount,
  withdraw: amount,
  sendPerp: plain({ recipient: address, amount: u64 }),
  orders: record(
    { items: fc.array(item, { maxLength: 6 }) },
    { grouping: fc.constantFrom('none', 'normal', 'position'), builder: plain({ address, fee: u32 }) },
  ),
  oracle: plain({ prices: fc.array(record({ market: u32, spot: prices }, { perp: prices }), { maxLength: 4 }) }),
  updateLeverage: plain({ market: u32, leverage: u32, isolated: bool }),
  isolatedMargin: record({ market: u32 }, { amount: i64, leverage: u32 }),
  scheduleCancel: record({}, { timeMs: u53 }),
  twap: record(
    { market: u32, side, sizeLots: u63, minutes: u32 },
    { reduceOnly: bool, randomize: bool, start: plain({ priceTicks: u32, above: bool }), stopTicks: u32 },
  ),
  twapCancel: plain({ market: u32, id: u32 }),
  createSubAccount: record({}, { name: text(1, 24) }),
  subTransfer: plain({ subAccount: address, deposit: bool, amount: u64 }),
  approveAgent: record({ agent: address }, { name: text(0, 16), expiresMs: u53 }),
  multiSig: record({}, { signers: plain({ authorised: fc.uniqueArray(address, { maxLength: 10 }), threshold: u32 }) }),
  approveBuilder: plain({ builder: address, maxFee: u32 }),
  registerReferrer: code,
  setReferrer: code,
  claimRewards: nothing,
  noop: nothing,
  createVault: record({ amount: u64 }, { name: text(1, 72), description: text(1, 384) }),
  vaultTransfer: plain({ vault: address, deposit: bool, amount: u64 }),
  vaultModify: plain({ vault: address, allowDeposits: bool }),
  delist: plain({ market: u32 }),
  setDisplayName: plain({ name: text(0, 24) }),
  subAccountModify: plain({ subAccount: address, name: text(1, 24) }),
};

const ofKind = (kind: Transaction['kind']): fc.Arbitrary<Transaction> =>
  fc.tuple(envelope, KINDS[kind]).map(([signed, own]) => ({ kind, ...signed, ...own }) as Transaction);
const transaction = fc.oneof(...Object.keys(KINDS).map((kind) => ofKind(kind as Transaction['kind'])));
const block: fc.Arbitrary<Block> = plain({ number: u53, timeMs: u53, transactions: fc.array(transaction, { maxLength: 12 }) });

const wellFormed = (value: Transaction): boolean =>
  isEnvelope(value) && typeof value.kind === 'string' && Object.hasOwn(KINDS, value.kind) && isBody(value);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof HeddleError, `not a HeddleError: ${error}`);
    assert.match(error.message, /[a-z].{20}/);
    return error.code;
  }
  return 'none';
}

for (const kind of Object.keys(KINDS) as Transaction['kind'][]) {
  test(`${kind}: there and back`, () => {
    fc.assert(
      fc.property(ofKind(kind), (value) => {
        assert.ok(wellFormed(value));
        assert.deepEqual(decodeTransaction(encodeTransaction(value)), value);
      }),
      { numRuns: kind === 'orders' ? 2000 : 300 },
    );
  });
}

test('blocks: there and back', () => {
  fc.assert(
    fc.property(block, (value) => {
      assert.deepEqual(decodeBlock(encodeBlock(value)), value);
      assert.deepEqual(decodeColumns(encodeColumns(value)), value);
    }),
    { numRuns: 500 },
  );
});

test('an absent field and one that is present with its default are told apart; undefined is absent', () => {
  const noop: Transaction = { kind: 'approveAgent', sender: `0x${'0'.repeat(40)}`, agent: `0x${'0'.repeat(40)}` };
  assert.notDeepEqual(encodeTransaction({ ...noop, name: '' }), encodeTransaction(noop));
  assert.deepEqual(encodeTransaction({ ...noop, name: undefined } as unknown as Transaction), encodeTransaction(noop));
});

test('the encoding stays what it is', () => {
  const a = `0x${'aa'.repeat(20)}`;
  const b = `0x${'bb'.repeat(20)}`;
  const order: PlaceItem = { op: 'place', market: 7, side: 'sell', tif: 'alo', priceTicks: 300, sizeLots: 2n ** 49n };
  const transactions: Transaction[] = [
    { kind: 'transfer', sender: a, nonce: 1n, recipient: b, token: 0, amount: 500n },
    {
      kind: 'orders',
      sender: b,
      items: [
        { ...order, reduceOnly: true, clientId: `0x${'cd'.repeat(16)}`, trigger: { kind: 'stopLoss', priceTicks: 9, market: true } },
        { ...order, op: 'modify', target: 77n, always: false },
        { op: 'cancel', market: 7, oid: 128n },
      ],
      grouping: 'normal',
      builder: { address: a, fee: 3 },
    },
    { kind: 'isolatedMargin', sender: a, market: 1, amount: -2n },
    { kind: 'registerReferrer', sender: b, code: 'café' },
  ];
  const bytes = encodeBlock({ number: 3, timeMs: 1_700_000_000_000, transactions });
  const expected = [
    '01 03 80d095ffbc31 04',
    `01 01 00${'aa'.repeat(20)} 01 01${'bb'.repeat(20)} 00 f403`,
    `06 58 01 03 a891 07 ac02 80808080808080 01 ${'cd'.repeat(16)} 03 09`,
    '2b00 02 07 ac02 80808080808080 01 4d',
    '01 07 8001 00 03',
    '09 08 00 01 03',
    '12 00 01 05 636166c3a9',
  ];
  assert.equal(Buffer.from(bytes).toString('hex'), expected.join('').replaceAll(' ', ''));
});

test('bytes from before names were kept are what they were, and names go on behind them', () => {
  const a = `0x${'0'.repeat(39)}1`;
  const b = `0x${'0'.repeat(39)}2`;
  const before: Transaction[] = [
    { kind: 'createSubAccount', sender: a, nonce: 1000n },
    { kind: 'approveAgent', sender: a, agent: b, name: 'bot' },
    { kind: 'createVault', sender: b, amount: 500n },
    { kind: 'vaultModify', sender: b, vault: a, allowDeposits: true },
    { kind: 'delist', sender: b, market: 7 },
  ];
  const [first, second] = [`${'00'.repeat(19)}01`, `${'00'.repeat(19)}02`];
  const beforeBytes = [
    '01 03 80d095ffbc31 05',
    `0d01 00${first} e807`,
    `0f08 00 01${second} 03 626f74`,
    '1600 01 f403',
    '1808 01 00',
    '1900 01 07',
  ];
  const block = { number: 3, timeMs: 1_700_000_000_000, transactions: before };
  assert.equal(Buffer.from(encodeBlock(block)).toString('hex'), beforeBytes.join('').replaceAll(' ', ''));
  assert.deepEqual(decodeBlock(encodeBlock(block)), block);
  const named: Transaction[] = [
    { kind: 'createSubAccount', sender: a, name: 'é' },
    { kind: 'createVault', sender: b, amount: 500n, name: 'V', description: 'd' },
    { kind: 'setDisplayName', sender: b, name: '' },
    { kind: 'subAccountModify', sender: b, subAccount: a, name: 'x' },
  ];
  const namedBytes = [
    '01 03 80d095ffbc31 04',
    `0d08 00${first} 02 c3a9`,
    `1618 01${second} f403 01 56 01 64`,
    '1a00 01 00',
    '1b00 01 00 01 78',
  ];
  assert.equal(Buffer.from(encodeBlock({ ...block, transactions: named })).toString('hex'), namedBytes.join('').replaceAll(' ', ''));
});

test('what has an encoding is what admission does not call undecodable', () => {
  let refused = 0;
  for (let seed = 1; seed <= HISTORIES; seed++) {
    for (const { number, timeMs, transactions } of randomBlocks(seed, randomGenesis(seed))) {
      const good = transactions.filter(wellFormed);
      const goodBlock = { number, timeMs, transactions: good };
      assert.deepEqual(decodeBlock(encodeBlock(goodBlock)), goodBlock);
      assert.deepEqual(decodeColumns(encodeColumns(goodBlock)), goodBlock);
      for (const value of transactions) {
        if (wellFormed(value)) assert.deepEqual(decodeTransaction(encodeTransaction(value)), value);
        else {
          refused++;
          assert.equal(
            codeOf(() => encodeTransaction(value)),
            'NOT_ENCODABLE',
          );
          assert.equal(
            codeOf(() => encodeColumns({ number, timeMs, transactions: [value] })),
            'NOT_ENCODABLE',
          );
        }
      }
    }
  }
  assert.ok(refused > 50, `${refused} transactions were not well-formed`);
});

test('a field of any type and any value: encodable exactly if well-formed', () => {
  const anything = fc.oneof(fc.anything(), u32, u64, i64, address, clientId, bool, text(0, 20));
  fc.assert(
    fc.property(transaction, fc.nat(), anything, fc.boolean(), (value, which, other, insideItem) => {
      const changed = structuredClone(value) as unknown as Record<string, unknown>;
      const inner = (changed.items as Record<string, unknown>[] | undefined)?.[0] ?? changed.multiSig ?? changed.signers ?? changed.start;
      const target = insideItem && typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : changed;
      const keys = Object.keys(target);
      const key = keys[which % keys.length] as string;
      // Admission takes a name that is null for an absent one; here only undefined is absent.
      target[key] = key === 'name' ? (other ?? undefined) : other;
      const expected = wellFormed(changed as unknown as Transaction) ? 'none' : 'NOT_ENCODABLE';
      assert.equal(
        codeOf(() => encodeTransaction(changed as unknown as Transaction)),
        expected,
      );
    }),
    { numRuns: 5000 },
  );
});

test('an error says where', () => {
  const sender = `0x${'0'.repeat(40)}`;
  const items = [
    { op: 'cancel', market: 1, oid: 1n },
    { op: 'cancel', market: 1, oid: -1n },
  ];
  const transactions = [
    { kind: 'noop', sender },
    { kind: 'orders', sender, items },
  ] as unknown as Transaction[];
  assert.throws(() => encodeBlock({ number: 1, timeMs: 0, transactions }), /transactions\[1\]: items\[1\]: oid has to be a bigint/);
  assert.equal(
    codeOf(() => encodeBlock(null as unknown as Block)),
    'NOT_ENCODABLE',
  );
});

/** Decodes, and what comes out encodes to the same bytes; or it is refused by name. */
function refusedOrCanonical<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T, encode: (value: T) => Uint8Array): boolean {
  let value: T;
  try {
    value = decode(bytes);
  } catch (error) {
    assert.ok(error instanceof HeddleError && (error.code === 'MALFORMED' || error.code === 'UNKNOWN_VERSION'), `${error}`);
    return true;
  }
  assert.deepEqual(Buffer.from(encode(value)), Buffer.from(bytes));
  return false;
}

test('damaged and random bytes are refused, or are the one encoding of something', () => {
  const random = new Random(7);
  const blocks = fc.sample(block, { numRuns: 200, seed: 11 });
  const singles = fc.sample(transaction, { numRuns: 400, seed: 12 }).map(encodeTransaction);
  const [rows, columns] = [blocks.map(encodeBlock), blocks.map((value) => encodeColumns(value))];
  const refused = [0, 0, 0];
  for (let i = 0; i < FUZZED; i++) {
    const form = i % 3;
    const bytes = Uint8Array.from(random.pick([rows, singles, columns][form] as Uint8Array[]));
    const at = random.below(bytes.length);
    let damaged = bytes;
    const way = random.below(5);
    if (way === 0) bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    else if (way === 1) bytes[at] = random.below(256);
    else if (way === 2) damaged = bytes.subarray(0, at);
    else if (way === 3) damaged = Uint8Array.from([...bytes.subarray(0, at), random.below(256), ...bytes.subarray(at)]);
    else damaged = Uint8Array.from([1, ...Array.from({ length: random.below(60) }, () => random.below(random.pick([4, 32, 256])))]);
    const no =
      form === 0
        ? refusedOrCanonical(damaged, decodeBlock, encodeBlock)
        : form === 1
          ? refusedOrCanonical(damaged, decodeTransaction, encodeTransaction)
          : refusedOrCanonical(damaged, decodeColumns, encodeColumns);
    if (no) refused[form] = (refused[form] as number) + 1;
  }
  for (const count of refused) assert.ok(count > FUZZED / 12 && count < FUZZED / 3, `${refused} refused`);
});

test('bytes that are not canonical', () => {
  const malformed = (...bytes: number[]): void =>
    assert.equal(
      codeOf(() => decodeBlock(Uint8Array.from(bytes))),
      'MALFORMED',
    );
  malformed();
  malformed(1, 0x81, 0x00, 0, 0); // The number 1 in two bytes.
  malformed(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10, 0, 0); // 2^53.
  malformed(1, 1, 0, 0, 0); // A byte too many.
  malformed(1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f); // Four billion transactions in no bytes.
  malformed(1, 1, 0, 1, 0, 0, 0); // Kind 0.
  malformed(1, 1, 0, 1, 21, 8, 0, ...new Array<number>(20).fill(9)); // noop with an unused bit.
  malformed(1, 1, 0, 1, 21, 0, 1, ...new Array<number>(20).fill(9)); // Address 1 before address 0.
  const noops = [21, 0, 0, ...new Array<number>(20).fill(9), 21, 0];
  malformed(1, 1, 0, 2, ...noops, 1, ...new Array<number>(20).fill(9)); // The same address in full again.
  assert.equal(decodeBlock(Uint8Array.from([1, 1, 0, 2, ...noops, 0])).transactions.length, 2);
  assert.equal(
    codeOf(() => decodeBlock(Uint8Array.from([2, 1, 0, 0]))),
    'UNKNOWN_VERSION',
  );
});
