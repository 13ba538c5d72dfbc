/**
 * Hand-worked examples of docs/rules.md for the naive twin: ledger, admission, orders and fills, then what must hold after random blocks.
 * Expected numbers are worked out on paper and written as such; the comments show the sums where they are not obvious.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  CODE_ACCOUNT_LIMIT,
  CODE_ACCOUNT_NOT_FOUND,
  CODE_BALANCE_OVERFLOW,
  CODE_DUPLICATE_CLOID,
  CODE_EMPTY_BATCH,
  CODE_EXPIRED,
  CODE_FOK_NOT_FILLED,
  CODE_INSUFFICIENT_BALANCE,
  CODE_INSUFFICIENT_MARGIN,
  CODE_INTEREST_AGGRESSIVE,
  CODE_INTEREST_CAPPED,
  CODE_INTEREST_SPEED,
  CODE_INVALID_DISPLAY,
  CODE_INVALID_PRICE,
  CODE_INVALID_TIF,
  CODE_INVALID_TRIGGER,
  CODE_IOC_NO_MATCH,
  CODE_LOT,
  CODE_MATCH_LIMIT,
  CODE_MIN_VALUE,
  CODE_NO_DEPOSIT,
  CODE_NO_LIQUIDITY,
  CODE_NO_MARK_PRICE,
  CODE_NONCE_DUPLICATE,
  CODE_NONCE_TOO_HIGH,
  CODE_NONCE_TOO_LOW,
  CODE_NOT_AUTHORISED,
  CODE_OK,
  CODE_ORACLE_BAND,
  CODE_ORDER_NOT_FOUND,
  CODE_POSITION_LIMIT,
  CODE_POST_ONLY,
  CODE_PRICE_BAND,
  CODE_PRICE_FAR_OFF,
  CODE_REDUCE_ONLY,
  CODE_SELF_TRADE,
  CODE_SIZE_TOO_LARGE,
  CODE_TICK,
  CODE_TIER_LIMIT,
  CODE_TOO_MANY_ITEMS,
  CODE_TOO_MANY_OPEN_ORDERS,
  CODE_UNDECODABLE,
  CODE_UNKNOWN_KIND,
  CODE_UNKNOWN_MARKET,
  CODE_UNKNOWN_TOKEN,
  CODE_ZERO_AMOUNT,
  CODE_ZERO_SIZE,
  REASON_EXPIRED,
  REASON_MARGIN,
  REASON_POSITION_LIMIT,
  REASON_REDUCE_ONLY,
  REASON_SELF_TRADE,
} from '../base/codes.ts';
import type { NaiveRecord } from '../ledger/naive.ts';
import type { Address, OrderItem, PlaceItem, Transaction } from '../ledger/transactions.ts';
import { randomBlocks, randomGenesis } from '../simulator/random-blocks.ts';
import { NaiveLedger } from './naive.ts';
import {
  A,
  address,
  B,
  Bench,
  buy,
  C,
  cancels,
  clientId,
  DAY,
  type Event,
  type FillEvent,
  fills,
  genesisOf,
  type ItemEvent,
  link,
  moneyOf,
  NOBODY,
  ORACLE,
  oidOf,
  orders,
  report,
  STRANGER,
  sell,
  TIME,
  types,
  word,
} from './naive-bench.ts';
import { sha256 } from './naive-sha256.ts';

// Genesis and ledger

test('genesis: records, byte for byte', () => {
  const ledger = new NaiveLedger({
    ...genesisOf(),
    accounts: [{ address: A, balances: [{ token: 1, amount: 258n }], collateral: 5n }, { address: B }],
  });
  const zeros = (bytes: number): string => '00'.repeat(bytes);
  const text = ledger.records().map(({ recordClass, key, value }) => `${recordClass} ${key.toHex()} ${value.toHex()}`);
  assert.deepEqual(text, [
    `account 0100000000 ${zeros(24)}${A.slice(2)}${zeros(12)}`,
    `account 0100000001 ${zeros(24)}${B.slice(2)}${zeros(12)}`,
    `balance 030000000000000001 0201${zeros(22)}`,
    `margin account 1000000000 05${zeros(55)}`,
    `market totals 1600000000 ${zeros(24)}`,
    // index and mark 100
    `price 1700000000 6400000064000000${zeros(48)}`,
    `volume 1b00000000 ${zeros(24)}`,
    `rewards 1d00000000 ${zeros(24)}`,
    `vault count 21 ${zeros(24)}`,
    `funding 2400000000 ${zeros(56)}`,
    ...[0, 1, 2, 3, 4].map((part) => `minutes 2500000000${word(part)} ${zeros(56)}`),
    `treasury 26 ${zeros(24)}`,
    `seed 2a 01${zeros(23)}`,
    `market state 2b00000000 ${zeros(24)}`,
    `clock 2c ${zeros(24)}`,
  ]);
});

test('genesis: the backstop vault', () => {
  const bench = new Bench({ backstop: B, collateral: { [B]: 500n } });
  const { role, owner } = bench.account(1);
  assert.deepEqual([role, owner, bench.margin(1).flags], [3, NOBODY, 2]);
  const vault = bench.record('vault', word(1));
  // account 1, no leader, 500 shares, none of a leader, locked for 4 days, no commission, open and backstop, no followers, index 0
  assert.deepEqual([vault?.getUint32(0, true), vault?.getUint32(4, true), vault?.getBigInt64(8, true)], [1, NOBODY, 500n]);
  assert.deepEqual([vault?.getBigInt64(16, true), vault?.getBigUint64(24, true)], [0n, 345_600_000n]);
  assert.deepEqual(
    [32, 36, 40, 44].map((offset) => vault?.getUint32(offset, true)),
    [0, 3, 0, 0],
  );
  assert.equal(bench.record('vault count', '')?.getUint32(0, true), 1);
});

test('blocks: the seed turns with every block; without markets it does not', () => {
  const bench = new Bench();
  bench.block();
  // mix(1 ^ 0x9e3779b97f4a7c15 ^ 1760000000000), worked out with a calculator
  assert.equal(bench.record('seed', '')?.getBigUint64(0, true), 16001444856098678141n);
  const bare = new Bench({ markets: [] });
  bare.block();
  assert.deepEqual([bare.record('seed', '')?.getBigUint64(0, true), bare.system], [1n, []]);
});

test('transfer: moves, creates the recipient, deletes what becomes zero, and says so', () => {
  const bench = new Bench();
  const [receipt] = bench.block(transfer(A, STRANGER, 1000n));
  assert.equal(receipt?.code, CODE_OK);
  // type 1, 32 bytes; token 0; sender 0; recipient 4; amount 0x3e8; zero
  assert.equal(receipt.bytes.toHex(), `01200000${'00000000'}${'00000000'}04000000e803000000000000${'0'.repeat(16)}`);
  assert.equal(bench.record('balance', word(0) + word(0)), undefined);
  assert.equal(bench.record('balance', word(4) + word(0))?.getBigUint64(0, true), 1000n);
  assert.ok(bench.record('account', word(4)));
  assert.deepEqual(bench.codes(transfer(STRANGER, A, 1000n)), [CODE_OK]);
  assert.ok(bench.record('account', word(4)), 'an account stays when its balances are gone');
});

test('transfer: what is refused', () => {
  const bench = new Bench();
  assert.deepEqual(
    bench.codes(
      transfer(A, B, 1n, 2),
      transfer(A, B, 0n, 2),
      transfer(A, B, 0n),
      transfer(A, B, 1001n),
      transfer(STRANGER, A, 1n, 2),
      transfer(A, A, 1000n),
      transfer(A, A, 1001n),
    ),
    [
      CODE_UNKNOWN_TOKEN,
      CODE_UNKNOWN_TOKEN,
      CODE_ZERO_AMOUNT,
      CODE_INSUFFICIENT_BALANCE,
      CODE_ACCOUNT_NOT_FOUND,
      CODE_OK,
      CODE_INSUFFICIENT_BALANCE,
    ],
  );
  const rich = new NaiveLedger({
    ...genesisOf(),
    accounts: [A, B].map((account) => ({ address: account, balances: [{ token: 0, amount: 2n ** 63n - 10n }] })),
  });
  const block = { number: 1, timeMs: TIME, transactions: [transfer(A, B, 10n), transfer(A, B, 9n), transfer(A, A, 2n ** 63n - 19n)] };
  assert.deepEqual(
    rich.executeBlock(block).map(({ code }) => code),
    [CODE_BALANCE_OVERFLOW, CODE_OK, CODE_OK],
  );
});

test('account numbers: the lowest free one, given before the block executes, free again when nothing came of it', () => {
  const bench = new Bench({ maxAccounts: 6 });
  assert.deepEqual(
    bench.codes(transfer(A, address(50), 5000n), transfer(A, address(51), 1n), transfer(A, address(52), 1n), transfer(address(51), A, 1n)),
    [CODE_INSUFFICIENT_BALANCE, CODE_OK, CODE_ACCOUNT_LIMIT, CODE_OK],
  );
  assert.equal(bench.ledger.accounts.numberOf(address(50)), undefined);
  assert.equal(bench.ledger.accounts.numberOf(address(51)), 5);
  assert.deepEqual(bench.codes(transfer(A, address(52), 1n)), [CODE_OK]);
  assert.equal(bench.ledger.accounts.numberOf(address(52)), 4);
  assert.deepEqual(bench.codes(transfer(address(60), address(61), 1n)), [CODE_ACCOUNT_LIMIT]);
});

test('admission: every field out of its range is undecodable', () => {
  const bench = new Bench();
  const cancel = { op: 'cancel', market: 0, oid: 1024n } as const;
  const modify = { ...buy(1, 1), op: 'modify', target: 0n } as const;
  const trigger = { kind: 'takeProfit', priceTicks: 1, market: true } as const;
  const items: unknown[] = [
    buy(-1, 1),
    buy(2n ** 63n, 1),
    buy(1, 2 ** 32),
    buy(1, -1),
    buy(1, 1, { market: 2 ** 32 }),
    buy(1, 1, { market: 0.5 }),
    buy(1, 1, { clientId: '0xab' }),
    buy(1, 1, { expiresMs: 2 ** 53 }),
    buy(1, 1, { expiresMs: -1 }),
    buy(1, 1, { displayLots: -1n }),
    { ...buy(1, 1), tif: 'day' },
    { ...buy(1, 1), side: 'hold' },
    { ...buy(1, 1), selfTrade: 'both' },
    { ...buy(1, 1), reduceOnly: 1 },
    { ...buy(1, 1), trigger: { ...trigger, kind: 'stop' } },
    { ...buy(1, 1), trigger: { ...trigger, priceTicks: 2 ** 32 } },
    { ...buy(1, 1), trigger: { ...trigger, market: 0 } },
    { ...cancel, oid: -1n },
    { ...cancel, oid: 2n ** 64n },
    { op: 'cancelByClientId', market: 0, target: clientId(10).toUpperCase() },
    { ...modify, target: 2n ** 64n },
    { ...modify, target: '0x' },
    { ...modify, always: 'yes' },
    { op: 'reduce', market: 0, oid: 0n, sizeLots: 2n ** 63n },
    { op: 'dance', market: 0 },
  ];
  const oracle = (price: object): object => ({ kind: 'oracle', sender: ORACLE, prices: [price] });
  const from = (more: object): object => ({ sender: A, ...more });
  const many = Array.from({ length: 11 }, (_, i) => address(i + 100));
  const others: object[] = [
    transfer('0x1', B, 1n),
    transfer(A, `0x${'A'.repeat(40)}`, 1n),
    transfer(A, B, 2n ** 64n),
    transfer(A, B, -1n),
    transfer(A, B, 1n, 2 ** 32),
    transfer(A, B, 1n, 0, 2n ** 64n),
    transfer(A, B, 1n, 0, -1n),
    from({ kind: 'noop', behalf: 'B' }),
    from({ kind: 'noop', multiSig: { user: B, signers: many } }),
    from({ kind: 'noop', multiSig: { user: B, signers: [A, A] } }),
    from({ kind: 'noop', multiSig: { user: 'B', signers: [A] } }),
    from({ kind: 'deposit', amount: -1n }),
    from({ kind: 'toSpot', amount: 1 }),
    from({ kind: 'withdraw', amount: 2n ** 64n }),
    from({ kind: 'sendPerp', amount: 1n, recipient: '0x' }),
    oracle({ market: 0, spot: [2 ** 32] }),
    oracle({ market: 0, spot: [1, 1, 1, 1, 1, 1, 1, 1, 1] }),
    oracle({ market: 0, spot: [1], perp: [-1] }),
    oracle({ market: -1, spot: [1] }),
    from({ ...orders(A, buy(1, 1)), grouping: 'pair' }),
    from({ ...orders(A, buy(1, 1)), builder: { address: B, fee: 2 ** 32 } }),
    from({ ...orders(A, buy(1, 1)), builder: { address: 'B', fee: 1 } }),
    from({ kind: 'updateLeverage', market: 0, leverage: 2 ** 32, isolated: true }),
    from({ kind: 'updateLeverage', market: 0, leverage: 1 }),
    from({ kind: 'isolatedMargin', market: 0, amount: 2n ** 63n }),
    from({ kind: 'isolatedMargin', market: 0, leverage: -1 }),
    from({ kind: 'scheduleCancel', timeMs: -1 }),
    from({ kind: 'twap', market: 0, side: 'up', sizeLots: 1n, minutes: 5 }),
    from({ kind: 'twap', market: 0, side: 'buy', sizeLots: 1n, minutes: 5.5 }),
    from({ kind: 'twap', market: 0, side: 'buy', sizeLots: 1n, minutes: 5, start: { priceTicks: 1 } }),
    from({ kind: 'twapCancel', market: 0, id: -1 }),
    from({ kind: 'subTransfer', subAccount: B, amount: 1n }),
    from({ kind: 'approveAgent', agent: B, name: 'seventeen letters' }),
    from({ kind: 'approveAgent', agent: B, name: 'ninebytés ninebyt' }),
    from({ kind: 'approveAgent', agent: B, name: 'a\0' }),
    from({ kind: 'approveAgent', agent: B, name: '\ud800' }),
    from({ kind: 'multiSig', signers: { authorised: many, threshold: 1 } }),
    from({ kind: 'multiSig', signers: { authorised: [B, B], threshold: 1 } }),
    from({ kind: 'multiSig', signers: { authorised: [B], threshold: -1 } }),
    from({ kind: 'approveBuilder', builder: B, maxFee: -1 }),
    from({ kind: 'registerReferrer', code: '' }),
    from({ kind: 'setReferrer', code: 'a code of 21 letters!' }),
    from({ kind: 'createVault', amount: -1n }),
    from({ kind: 'createVault', amount: 1n, name: '' }),
    from({ kind: 'createVault', amount: 1n, name: 'x'.repeat(73) }),
    from({ kind: 'createVault', amount: 1n, description: 'x'.repeat(385) }),
    from({ kind: 'createVault', amount: 1n, description: 'a\0' }),
    from({ kind: 'createSubAccount', name: 'é'.repeat(13) }),
    from({ kind: 'createSubAccount', name: '' }),
    from({ kind: 'subAccountModify', subAccount: B, name: '' }),
    from({ kind: 'subAccountModify', name: 'a' }),
    from({ kind: 'setDisplayName', name: 'x'.repeat(25) }),
    from({ kind: 'setDisplayName', name: '\udc00' }),
    from({ kind: 'setDisplayName' }),
    from({ kind: 'vaultTransfer', vault: B, amount: 1n, deposit: 1 }),
    from({ kind: 'vaultModify', vault: B }),
    from({ kind: 'delist', market: 2 ** 32 }),
  ];
  const wrong = [...items.map((item) => orders(A, buy(1, 1), item as OrderItem)), ...others] as Transaction[];
  assert.deepEqual(
    bench.codes(...wrong),
    wrong.map(() => CODE_UNDECODABLE),
  );
  assert.equal(bench.ledger.nextOrdinal, 1n);
});

test('admission: kinds and counts; what is refused there takes no ordinals and no nonce, what fails later takes both', () => {
  const bench = new Bench();
  const full = Array.from({ length: 64 }, () => buy(1, 1));
  const refused: [unknown, number][] = [
    [{ kind: 'mint', sender: A, nonce: BigInt(TIME) }, CODE_UNKNOWN_KIND],
    [{ ...orders(A), nonce: BigInt(TIME) }, CODE_EMPTY_BATCH],
    [{ ...orders(A, ...full, buy(1, 1)), nonce: BigInt(TIME) }, CODE_TOO_MANY_ITEMS],
    [{ kind: 'oracle', sender: ORACLE, prices: [] }, CODE_EMPTY_BATCH],
    [{ kind: 'oracle', sender: ORACLE, prices: Array.from({ length: 65 }, () => ({ market: 0, spot: [1] })) }, CODE_TOO_MANY_ITEMS],
  ];
  assert.deepEqual(
    bench.codes(...refused.map(([transaction]) => transaction as Transaction)),
    refused.map(([, code]) => code),
  );
  assert.equal(bench.ledger.nextOrdinal, 1n);
  assert.deepEqual(
    bench.codes(
      orders(STRANGER, buy(1, 1), buy(1, 1)),
      { ...orders(A, buy(1, 1)), nonce: BigInt(TIME) },
      { ...orders(A, ...full), nonce: BigInt(TIME) },
    ),
    [CODE_ACCOUNT_NOT_FOUND, CODE_OK, CODE_NONCE_DUPLICATE],
  );
  assert.equal(bench.ledger.openOrders(0)[0]?.oid, oidOf(3));
  assert.equal(bench.item(A, buy(1, 1)).oid, oidOf(68, 1));
});

test('nonces: the window, duplicates, and when one is used up', () => {
  const bench = new Bench();
  const send = (nonce: number, amount = 1n, token = 0): Transaction => transfer(A, B, amount, token, BigInt(nonce));
  assert.deepEqual(
    bench.codes(
      send(TIME - 2 * DAY),
      send(TIME - 2 * DAY + 1),
      send(TIME + DAY),
      send(TIME + DAY - 1),
      send(TIME, 5000n),
      send(TIME),
      send(TIME + 1, 0n),
      send(TIME + 1, 1n, 7),
      send(TIME + 1),
    ),
    [
      CODE_NONCE_TOO_LOW,
      CODE_OK,
      CODE_NONCE_TOO_HIGH,
      CODE_OK,
      CODE_INSUFFICIENT_BALANCE,
      CODE_NONCE_DUPLICATE,
      CODE_ZERO_AMOUNT,
      CODE_UNKNOWN_TOKEN,
      CODE_OK,
    ],
  );
  assert.deepEqual(bench.ring(0).slice(0, 5), [TIME - 2 * DAY + 1, TIME, TIME + 1, TIME + DAY - 1, 0].map(BigInt));
  const young = new Bench();
  young.timeMs = 0;
  assert.deepEqual(young.codes(transfer(B, A, 1n, 0, 0n)), [CODE_OK], 'no nonce is two days before a time that young');
});

test('nonces: the ring', () => {
  const bench = new Bench();
  const base = TIME - 1000;
  const use = (...offsets: number[]): number[] => bench.codes(...offsets.map((offset) => transfer(A, A, 1n, 0, BigInt(base + offset))));
  const header = (): number[] => {
    const { nonces, head, nonceMin, nonceMax } = bench.account(0);
    return [nonces, head, Number(nonceMin) - base, Number(nonceMax) - base];
  };
  const ring = (): number[] => bench.ring(0).map((nonce) => Number(nonce) - base);
  const ten = (n: number): number => n * 10;

  // 0, 10 .. 970, then 985 and 980: 100 entries, the last two in order.
  use(...Array.from({ length: 98 }, (_, i) => ten(i)), 985, 980);
  assert.deepEqual(header(), [100, 0, 0, 985]);
  assert.deepEqual(ring().slice(-3), [970, 980, 985]);

  // Above all others: takes the place of the smallest, the head moves.
  use(990);
  assert.deepEqual(header(), [100, 1, 10, 990]);
  assert.deepEqual([ring()[0], ring()[1], ring()[99]], [990, 10, 985]);

  // Inside the order: the smaller ones move down, the smallest (10) falls out, the head stays.
  use(25);
  assert.deepEqual(header(), [100, 1, 20, 990]);
  assert.deepEqual([...ring().slice(0, 5), ring()[99]], [990, 20, 25, 30, 40, 985]);

  // Between the largest and the one before, across the end of the ring.
  use(987);
  assert.deepEqual(header(), [100, 1, 25, 990]);
  assert.deepEqual([ring()[0], ring()[1], ring()[98], ring()[99]], [990, 25, 985, 987]);

  assert.deepEqual(use(24, 25, 26), [CODE_NONCE_TOO_LOW, CODE_NONCE_DUPLICATE, CODE_OK]);
  assert.equal(bench.ledger.records().filter(({ recordClass }) => recordClass === 'nonce chunk').length, 15);
});

test('deposit: from the ledger balance to collateral', () => {
  const bench = new Bench({ collateral: { [A]: 0n, [B]: 2n ** 59n - 5n } });
  const deposit = (sender: Address, amount: bigint): Transaction => ({ kind: 'deposit', sender, amount });
  assert.deepEqual(
    bench.codes(
      deposit(A, 0n),
      deposit(A, 2n ** 59n + 1n),
      deposit(A, 2n ** 59n),
      deposit(A, 400n),
      deposit(A, 600n),
      deposit(A, 1n),
      deposit(B, 6n),
      deposit(B, 5n),
      deposit(STRANGER, 0n),
    ),
    [
      CODE_ZERO_AMOUNT,
      CODE_BALANCE_OVERFLOW,
      CODE_INSUFFICIENT_BALANCE,
      CODE_OK,
      CODE_OK,
      CODE_INSUFFICIENT_BALANCE,
      CODE_BALANCE_OVERFLOW,
      CODE_OK,
      CODE_ACCOUNT_NOT_FOUND,
    ],
  );
  assert.equal(bench.record('balance', word(0) + word(0)), undefined);
  assert.deepEqual([bench.margin(0).collateral, bench.margin(1).collateral], [1000n, 2n ** 59n]);
  assert.deepEqual(
    [bench.longs('volume', word(0)), bench.longs('rewards', word(0))],
    [
      [0n, 0n, 0n],
      [0n, 0n, 0n],
    ],
  );
  assert.deepEqual(bench.done(deposit(C, 7n)), [{ type: 'money', kind: 4, from: NOBODY, to: 2, amount: 7n, fee: 0n, shares: 0n }]);
});

test('oracle: who, what, and when it becomes the mark', () => {
  const bench = new Bench({ markets: [{}, {}] });
  assert.deepEqual(
    bench.codes(
      report(A, [0, 5]),
      report(ORACLE, [0, 5], [2, 5]),
      report(ORACLE, [0, 1000], [2, 5]),
      report(ORACLE, [2, 5], [0, 1000]),
      report(ORACLE, [0, 0]),
    ),
    [CODE_NOT_AUTHORISED, CODE_UNKNOWN_MARKET, CODE_INVALID_PRICE, CODE_UNKNOWN_MARKET, CODE_PRICE_FAR_OFF],
  );
  assert.equal(bench.record('report', word(0) + word(0)), undefined);

  // Mark 100 and 5 %: up to 105. At 120: up to 126.
  bench.item(B, sell(2, 110, { market: 1 }));
  const market = buy(1, 500, { market: 1, tif: 'market' });
  const [, own] = bench.block(report(ORACLE, [1, 7], [1, 120]), orders(A, market));
  const [item] = own?.events ?? [];
  assert.ok(item?.type === 'item' && item.code === CODE_NO_LIQUIDITY, 'the block itself ran at the old mark');
  const view = bench.record('report', word(1) + word(0));
  assert.deepEqual([view?.getUint32(0, true), view?.getUint32(4, true), view?.getBigUint64(8, true)], [120, 120, BigInt(TIME)]);
  assert.equal(bench.item(A, market).filled, 1n);
});

test('oracle: a report that is too far from the index is not accepted', () => {
  const bench = new Bench({ exchange: { farOffPpm: 500_000 } });
  assert.deepEqual(bench.codes(report(ORACLE, [0, 151])), [CODE_PRICE_FAR_OFF]);
  assert.deepEqual(bench.codes(report(ORACLE, [0, 150])), [CODE_OK]);
  assert.deepEqual(bench.codes(report(ORACLE, [0, 75])), [CODE_OK], 'the index is 150');
  assert.deepEqual(bench.codes(report(ORACLE, [0, 37])), [CODE_PRICE_FAR_OFF], '38 * 2 > 75');
});

// Checks of place

test('place: the checks up to the account, in order', () => {
  const bench = new Bench({ markets: [{ tickStep: 5, lotStep: 10, maxOrderLots: 1000n }], collateral: { [A]: 0n } });
  const trigger = { kind: 'stopLoss', priceTicks: 110, market: false } as const;
  const expiresMs = TIME + 1;
  const cases: [PlaceItem, number][] = [
    [buy(0, 0, { market: 1 }), CODE_UNKNOWN_MARKET],
    [buy(0, 0, { tif: 'ioc', expiresMs }), CODE_INVALID_TIF],
    [buy(0, 0, { tif: 'fok', expiresMs }), CODE_INVALID_TIF],
    [buy(0, 0, { tif: 'market', trigger }), CODE_INVALID_TIF],
    [buy(0, 0, { tif: 'fok', trigger }), CODE_INVALID_TIF],
    [buy(0, 0), CODE_ZERO_SIZE],
    [buy(1001, 0), CODE_SIZE_TOO_LARGE],
    [buy(15, 0), CODE_LOT],
    [buy(100, 0, { displayLots: 15n }), CODE_INVALID_DISPLAY],
    [buy(100, 0, { tif: 'alo', displayLots: 10n }), CODE_INVALID_DISPLAY],
    [buy(100, 0, { trigger, displayLots: 10n }), CODE_INVALID_DISPLAY],
    [buy(10, 0), CODE_INVALID_PRICE],
    [buy(10, 1000), CODE_INVALID_PRICE],
    [buy(10, 7), CODE_TICK],
    [buy(10, 7, { trigger: { ...trigger, priceTicks: 1000 } }), CODE_TICK],
    [buy(10, 0, { tif: 'market' }), CODE_INVALID_PRICE],
    [buy(10, 10_001, { tif: 'market' }), CODE_INVALID_PRICE],
    [buy(10, 5, { trigger: { ...trigger, priceTicks: 1000 }, expiresMs: TIME }), CODE_INVALID_TRIGGER],
    [buy(10, 7, { trigger: { ...trigger, priceTicks: 7, market: true } }), CODE_INVALID_TRIGGER],
    [buy(10, 5, { expiresMs: TIME }), CODE_EXPIRED],
    [buy(1000, 995), CODE_NO_DEPOSIT],
    [buy(10, 7, { tif: 'market' }), CODE_NO_DEPOSIT],
    [buy(10, 5, { expiresMs }), CODE_NO_DEPOSIT],
    [buy(10, 5, { expiresMs: 0, displayLots: 0n, tif: 'ioc' }), CODE_NO_DEPOSIT],
  ];
  assert.deepEqual(
    cases.map(([item]) => bench.item(A, item).code),
    cases.map(([, code]) => code),
  );
});

test('place: significant digits, with ticks of 0.1', () => {
  const digits = { tickCount: 2 ** 21, ticksPerInteger: 10, significantDigits: 5, unit: 1 };
  const bench = new Bench({ markets: [digits, { ...digits, significantDigits: 0 }, { ...digits, ticksPerInteger: 1000 }] });
  const code = (price: number, market = 0): number => bench.item(A, buy(1, Math.round(price * 10), { market })).code;
  assert.equal(code(65432.1), CODE_TICK);
  assert.equal(code(65432), CODE_OK);
  assert.equal(code(123456), CODE_OK);
  assert.equal(code(9876.5), CODE_OK);
  assert.equal(code(0.1), CODE_OK);
  assert.equal(code(10000.1), CODE_TICK);
  assert.equal(code(65432.1, 1), CODE_OK);
  // Ticks of 0.001: 987.65 and 123.4 have five digits or less, 987.654 has six, 1234 is an integer.
  assert.deepEqual(
    [98765.0, 12340.0, 98765.4, 123400.0].map((price) => code(price, 2)),
    [CODE_OK, CODE_OK, CODE_TICK, CODE_OK],
  );
});

test('place: no mark price yet', () => {
  const bench = new Bench({ markets: [{ markTicks: 0 }], collateral: { [B]: 0n } });
  assert.equal(bench.item(A, buy(1, 1)).code, CODE_NO_MARK_PRICE);
  assert.equal(bench.item(A, buy(1, 1, { tif: 'market' })).code, CODE_NO_MARK_PRICE);
  assert.equal(bench.item(B, buy(1, 1)).code, CODE_NO_DEPOSIT);
  bench.mark(10);
  assert.equal(bench.item(A, buy(1, 1)).code, CODE_OK);
});

test('place: reduce-only takes no more than the position, minimum value, position limit', () => {
  const bench = new Bench({ markets: [{ minNotional: 1000n, maxPositionLots: 50n }] });
  assert.equal(bench.item(A, buy(4, 100)).code, CODE_MIN_VALUE, '800');
  assert.equal(bench.item(A, buy(5, 100)).code, CODE_OK, '1000');
  assert.equal(bench.item(A, buy(51, 100)).code, CODE_POSITION_LIMIT);
  assert.equal(bench.item(A, buy(45, 100)).code, CODE_OK, 'open orders do not count');
  assert.equal(bench.item(B, sell(5, 100)).filled, 5n);
  assert.equal(bench.item(A, buy(46, 100)).code, CODE_POSITION_LIMIT, '5 + 46');
  assert.equal(bench.item(A, sell(55, 200)).code, CODE_OK, '5 - 55');
  assert.equal(bench.item(A, sell(56, 200)).code, CODE_POSITION_LIMIT);
  assert.equal(bench.item(A, buy(5, 90, { reduceOnly: true })).code, CODE_REDUCE_ONLY);
  assert.equal(bench.item(C, sell(5, 200, { reduceOnly: true })).code, CODE_REDUCE_ONLY);
  // All of the position may go below the minimum, a part of it may not.
  assert.equal(bench.item(A, sell(1, 101, { reduceOnly: true })).code, CODE_MIN_VALUE);
  assert.equal(bench.item(A, sell(5, 99, { reduceOnly: true, tif: 'alo' })).code, CODE_POST_ONLY, 'crosses the bid at 100');
  const capped = bench.item(A, sell(70, 101, { reduceOnly: true }));
  assert.deepEqual([capped.code, capped.resting], [CODE_OK, 5n]);
  assert.equal(bench.ledger.openOrders(0).find((order) => order.oid === capped.oid)?.originalLots, 5n);
});

test('place: the position limit counts what the position would become', () => {
  const bench = new Bench({ markets: [{ maxPositionLots: 10n }] });
  bench.item(A, buy(10, 100));
  bench.item(B, sell(10, 100));
  assert.equal(bench.item(A, sell(20, 200)).code, CODE_OK);
  assert.equal(bench.item(A, sell(21, 200)).code, CODE_POSITION_LIMIT);
  assert.equal(bench.item(A, sell(10, 200)).code, CODE_OK);
});

test('place: bands around the mark and beyond the index', () => {
  const bench = new Bench({ markets: [{ priceBandBps: 1000 }, { oracleBandBps: 500 }] });
  const codes = (market: number, side: 'buy' | 'sell', ...prices: number[]): number[] =>
    prices.map((price) => bench.item(A, buy(1, price, { market, side, tif: 'ioc' })).code);
  assert.deepEqual(codes(0, 'buy', 90, 110, 89, 111), [CODE_IOC_NO_MATCH, CODE_IOC_NO_MATCH, CODE_PRICE_BAND, CODE_PRICE_BAND]);
  // Only in the direction that hurts: buys above 105, sells below 95.
  assert.deepEqual(codes(1, 'buy', 1, 105, 106), [CODE_IOC_NO_MATCH, CODE_IOC_NO_MATCH, CODE_ORACLE_BAND]);
  assert.deepEqual(codes(1, 'sell', 999, 95, 94), [CODE_IOC_NO_MATCH, CODE_IOC_NO_MATCH, CODE_ORACLE_BAND]);
  assert.equal(bench.item(A, buy(1, 5000, { tif: 'market' })).code, CODE_NO_LIQUIDITY, 'not for tif market');
});

test('place: a position has no more leverage than its tier', () => {
  const tiers = [
    { lowerNotional: 0n, maxLeverage: 10 },
    { lowerNotional: 10_000n, maxLeverage: 5 },
  ];
  const bench = new Bench({ markets: [{ tiers }] });
  assert.equal(bench.item(A, buy(49, 1)).code, CODE_OK, '9800 at the mark');
  assert.equal(bench.item(A, buy(50, 1)).code, CODE_TIER_LIMIT, '10000');
  bench.done({ kind: 'updateLeverage', sender: A, market: 0, leverage: 5, isolated: false });
  assert.equal(bench.item(A, buy(50, 1)).code, CODE_OK);
});

test('place: when open interest is at its cap, or grows too fast, orders that open are refused', () => {
  const bench = new Bench({ markets: [{ openInterestCap: 2000n }] });
  bench.trade(A, B, 10, 100);
  assert.equal(bench.item(C, buy(1, 101)).code, CODE_INTEREST_AGGRESSIVE);
  assert.equal(bench.item(C, buy(1, 100)).code, CODE_INTEREST_CAPPED);
  assert.equal(bench.item(C, sell(1, 99)).code, CODE_INTEREST_AGGRESSIVE);
  assert.equal(bench.item(C, sell(1, 100)).code, CODE_INTEREST_CAPPED);
  assert.equal(bench.item(A, sell(10, 99)).code, CODE_OK, 'closes');
  assert.equal(bench.item(A, sell(11, 99)).code, CODE_INTEREST_AGGRESSIVE, 'opens 1');

  const fast = new Bench({ markets: [{ openInterestStep: 2000n }] });
  fast.block();
  fast.trade(A, B, 10, 100);
  assert.equal(fast.item(C, buy(1, 101)).code, CODE_INTEREST_SPEED);
  fast.timeMs += 60_000;
  fast.block();
  assert.equal(fast.item(C, buy(1, 101)).code, CODE_OK, 'another minute');
});

test('place: slots are the lowest free ones, and there is an end of them', () => {
  const bench = new Bench({ orderPages: 2 });
  const full = Array.from({ length: 64 }, () => buy(1, 1));
  bench.send(A, ...full);
  bench.send(A, ...full);
  assert.equal(bench.item(A, buy(1, 1)).code, CODE_TOO_MANY_OPEN_ORDERS);
  assert.equal(bench.item(A, buy(1, 1, { tif: 'alo' })).code, CODE_TOO_MANY_OPEN_ORDERS);
  assert.equal(bench.item(A, buy(1, 1, { tif: 'ioc' })).code, CODE_IOC_NO_MATCH, 'needs no slot');
  assert.equal(bench.margin(0).slots, 2n ** 64n - 1n);
  assert.equal(bench.margin(0).openOrders, 128);
  assert.equal(bench.record('order page', word(0) + word(1))?.getBigUint64(0, true), 2n ** 64n - 1n);
  const oid = bench.ledger.openOrders(0).find((order) => order.slot === 70)?.oid ?? 0n;
  assert.equal(bench.item(A, { op: 'cancel', market: 0, oid }).oid, oid);
  assert.equal(bench.item(A, buy(1, 1)).oid % 8192n, 70n);
  for (let slot = 64; slot < 128; slot++) {
    const order = bench.ledger.openOrders(0).find((other) => other.slot === slot);
    bench.item(A, { op: 'cancel', market: 0, oid: order?.oid ?? 0n });
  }
  assert.equal(bench.record('order page', word(0) + word(1)), undefined);
});

test('place: a client id is in use while its order rests', () => {
  const bench = new Bench();
  const id = clientId(7);
  const first = bench.item(A, buy(1, 50, { clientId: id }));
  assert.equal(bench.record('client id', word(0) + id.slice(2))?.getBigUint64(0, true), first.oid);
  assert.equal(bench.item(A, buy(1, 51, { clientId: id })).code, CODE_DUPLICATE_CLOID);
  assert.equal(bench.item(A, buy(1, 51, { clientId: id, tif: 'ioc' })).code, CODE_DUPLICATE_CLOID);
  assert.equal(bench.item(B, buy(1, 51, { clientId: id })).code, CODE_OK, 'per account');
  assert.equal(bench.item(A, { op: 'cancelByClientId', market: 0, target: id }).oid, first.oid);
  assert.equal(bench.record('client id', word(0) + id.slice(2)), undefined);
  assert.equal(bench.item(A, { op: 'cancelByClientId', market: 0, target: id }).code, CODE_ORDER_NOT_FOUND);
  assert.equal(bench.item(A, sell(1, 51, { clientId: id })).filled, 1n);
  assert.equal(bench.record('client id', word(0) + id.slice(2)), undefined, 'filled at once: never recorded');
});

test('place: initial margin', () => {
  // 7 lots at 99: 7 * 99 * 2 / 10 = 138.6, so 139.
  const bench = new Bench({ collateral: { [A]: 139n, [B]: 138n } });
  assert.equal(bench.item(B, buy(7, 99)).code, CODE_INSUFFICIENT_MARGIN);
  assert.equal(bench.item(A, buy(7, 99)).code, CODE_OK);
  assert.equal(bench.margin(0).orderMargin, 139n);
  assert.equal(bench.item(A, buy(1, 1)).code, CODE_INSUFFICIENT_MARGIN, 'all of it is reserved');
});

test('place: only what opens needs margin', () => {
  const bench = new Bench({ collateral: { [A]: 200n } });
  bench.item(B, sell(10, 100));
  assert.equal(bench.item(A, buy(10, 100)).filled, 10n);
  assert.deepEqual(bench.margin(0), {
    collateral: 200n - 2000n,
    value: 2000n,
    positionMargin: 200n,
    maintenance: 100n,
    orderMargin: 0n,
    slots: 0n,
    openOrders: 0,
    positions: 1,
    feeTier: 0,
    makerTier: 0,
    flags: 0,
    isolated: 0,
  });
  assert.equal(bench.item(A, sell(11, 110)).code, CODE_INSUFFICIENT_MARGIN, 'opens 1');
  assert.equal(bench.item(A, sell(10, 110)).code, CODE_OK);
  assert.equal(bench.item(A, sell(10, 110)).code, CODE_OK, 'each order is seen alone');
  assert.equal(bench.margin(0).orderMargin, 0n);
  assert.equal(bench.item(A, sell(5, 111, { reduceOnly: true })).code, CODE_OK);
  // At a mark of 95 the account is worth 100, less than the margin of 190, and everything that opens is refused; closing is not.
  bench.mark(95);
  assert.equal(bench.item(A, buy(1, 50)).code, CODE_INSUFFICIENT_MARGIN);
  assert.deepEqual([bench.margin(0).value, bench.margin(0).positionMargin, bench.margin(0).maintenance], [1900n, 190n, 95n]);
  assert.equal(bench.item(A, sell(10, 95)).code, CODE_OK);
});

// Time in force and matching

test('matching: price, then time, at the price of the maker', () => {
  const bench = new Bench();
  const [late] = [bench.item(B, sell(3, 102)), bench.item(B, sell(3, 101)), bench.item(C, sell(3, 101)), bench.item(C, sell(3, 100))];
  assert.deepEqual(bench.level(101), [6n, link(1, 1), link(2, 0), 2, 1]);
  const events = bench.send(A, buy(8, 101));
  assert.deepEqual(
    fills(events).map(({ accounts, price, lots }) => [accounts[1], price, lots]),
    [
      [2, 100, 3n],
      [1, 101, 3n],
      [2, 101, 2n],
    ],
  );
  assert.deepEqual(events.at(-1), { type: 'item', item: 0, code: CODE_OK, oid: oidOf(5), filled: 8n, resting: 0n });
  assert.deepEqual(bench.level(101), [1n, link(2, 0), link(2, 0), 1, 1]);
  assert.equal(bench.level(100), undefined);
  assert.equal(bench.ledger.openOrders(1)[0]?.oid, late?.oid);
  assert.deepEqual(bench.totals(), [2n * (300n + 303n + 202n), 8n, 0n]);
});

test('matching: what is left of a gtc order rests, behind those at its level', () => {
  const bench = new Bench();
  bench.item(B, sell(3, 100));
  bench.item(C, buy(1, 100 - 1));
  const { filled, resting, oid } = bench.item(A, buy(5, 100));
  assert.deepEqual([filled, resting, oid], [3n, 2n, oidOf(3)]);
  assert.deepEqual(bench.level(100), [2n, 1, 1, 1, 0]);
  assert.equal(bench.margin(0).orderMargin, 40n);
  bench.item(C, buy(1, 100));
  const order = bench.record('order', word(0) + word(0));
  assert.ok(order);
  assert.equal(order.byteLength, 52);
  // oid, size, original, margin; price, previous, next (account 2, slot 1), market, flags, tif, account
  assert.deepEqual(
    [order.getBigUint64(0, true), order.getBigInt64(8, true), order.getBigInt64(16, true), order.getBigInt64(24, true)],
    [oid, 2n, 5n, 40n],
  );
  assert.deepEqual([order.getUint32(32, true), order.getUint32(36, true), order.getUint32(40, true)], [100, 0, link(2, 1)]);
  assert.deepEqual([order.getUint16(44, true), order.getUint8(46), order.getUint8(47), order.getUint32(48, true)], [0, 0, 1, 0]);
});

test('tif: ioc, alo, market', () => {
  const bench = new Bench();
  bench.item(B, sell(3, 105));
  bench.item(B, sell(3, 110));
  assert.deepEqual(bench.item(A, buy(5, 104, { tif: 'ioc' })), {
    type: 'item',
    item: 0,
    code: CODE_IOC_NO_MATCH,
    oid: 0n,
    filled: 0n,
    resting: 0n,
  });
  const ioc = bench.item(A, buy(5, 105, { tif: 'ioc' }));
  assert.deepEqual([ioc.code, ioc.oid, ioc.filled, ioc.resting], [CODE_OK, oidOf(4), 3n, 0n]);
  assert.equal(bench.item(A, buy(5, 110, { tif: 'alo' })).code, CODE_POST_ONLY);
  assert.equal(bench.item(B, buy(5, 110, { tif: 'alo' })).code, CODE_POST_ONLY, 'its own order counts');
  assert.equal(bench.item(A, buy(5, 109, { tif: 'alo' })).resting, 5n);
  // Mark 100, 9.99 %: floor(109.99) = 109; 10 %: 110.
  assert.equal(bench.item(C, buy(1, 999, { tif: 'market' })).code, CODE_NO_LIQUIDITY);
  assert.equal(bench.item(C, buy(1, 1000, { tif: 'market' })).filled, 1n);
  // Sells: ceil(100 * (1 - 0.05 %)) = 100, the bid is at 109.
  assert.equal(bench.item(C, sell(1, 5, { tif: 'market' })).filled, 1n);
});

test('tif market: the limit of a sell rounds up', () => {
  const bench = new Bench();
  bench.item(B, buy(1, 99));
  // ceil(100 * 0.9901) = ceil(99.01) = 100
  assert.equal(bench.item(A, sell(1, 99, { tif: 'market' })).code, CODE_NO_LIQUIDITY);
  assert.equal(bench.item(A, sell(1, 100, { tif: 'market' })).filled, 1n);
});

test('tif market: the limit stays within the book', () => {
  const bench = new Bench({ markets: [{ tickCount: 120 }] });
  bench.item(B, sell(1, 119));
  bench.item(B, buy(1, 1));
  assert.equal(bench.item(A, buy(1, 10_000, { tif: 'market' })).filled, 1n, '200 becomes 119');
  assert.equal(bench.item(A, sell(1, 10_000, { tif: 'market' })).filled, 1n, '0 becomes 1');
});

test('matching: an order never trades with its own account', () => {
  const bench = new Bench();
  const own = bench.item(A, sell(2, 100, { clientId: clientId(1) }));
  bench.item(B, sell(2, 100));
  const events = bench.send(A, buy(3, 100, { clientId: clientId(2) }));
  assert.deepEqual(events[0], { type: 'cancel', reason: REASON_SELF_TRADE, market: 0, oid: own.oid, lots: 2n, account: 0 });
  assert.equal(fills(events).length, 1);
  // Slot 1 was found while slot 0 was still in use.
  assert.deepEqual(events.at(-1), { type: 'item', item: 0, code: CODE_OK, oid: oidOf(3, 1), filled: 2n, resting: 1n });
  bench.item(A, sell(5, 120));
  const alone = bench.send(A, buy(5, 120, { tif: 'ioc' }));
  assert.deepEqual(
    alone.map((event) => event.type),
    ['cancel', 'item'],
  );
  assert.deepEqual(alone[1], { type: 'item', item: 0, code: CODE_IOC_NO_MATCH, oid: 0n, filled: 0n, resting: 0n });
});

test('matching: what happens to an order that meets its own account can be chosen', () => {
  for (const selfTrade of ['cancelTaker', 'cancelBoth'] as const) {
    const bench = new Bench();
    bench.item(A, sell(2, 100));
    bench.item(B, sell(1, 99));
    const events = bench.send(A, buy(3, 100, { selfTrade }));
    assert.deepEqual(types(events), selfTrade === 'cancelTaker' ? ['fill', 'item'] : ['fill', 'cancel', 'item']);
    assert.deepEqual(events.at(-1), { type: 'item', item: 0, code: CODE_OK, oid: oidOf(3, 1), filled: 1n, resting: 0n });
    assert.equal(bench.ledger.openOrders(0).length, selfTrade === 'cancelTaker' ? 1 : 0);
    bench.item(A, sell(2, 98));
    const alone = bench.item(A, buy(3, 100, { selfTrade }));
    assert.deepEqual([alone.code, alone.oid], [CODE_SELF_TRADE, 0n]);
  }
});

test('matching: a maker that has expired is taken off, and in its own time by the system', () => {
  const bench = new Bench();
  bench.send(A, sell(1, 100, { expiresMs: TIME + 1 }), sell(1, 100, { expiresMs: TIME + 2 }), sell(1, 100, { expiresMs: TIME + 3 }));
  assert.equal(bench.record('order extra', word(0) + word(0))?.getBigUint64(0, true), BigInt(TIME + 1));
  bench.timeMs = TIME + 2;
  const events = bench.send(B, buy(1, 100));
  assert.deepEqual(cancels(events), [
    [REASON_EXPIRED, 1n, 0],
    [REASON_EXPIRED, 1n, 0],
  ]);
  assert.deepEqual([fills(events).length, bench.ledger.openOrders(0).length, bench.systemEvents()], [1, 0, []]);
  bench.item(A, sell(1, 100, { expiresMs: TIME + 4 }));
  bench.timeMs = TIME + 4;
  bench.block();
  assert.deepEqual(cancels(bench.systemEvents()), [[REASON_EXPIRED, 1n, 0]]);
});

test('matching: an iceberg shows a part and goes to the end of the queue with the next', () => {
  const bench = new Bench();
  bench.item(A, sell(10, 100, { displayLots: 4n }));
  bench.item(C, sell(3, 100));
  assert.deepEqual(bench.level(100), [7n, link(0, 0), link(2, 0), 2, 1]);
  assert.equal(bench.margin(0).orderMargin, 200n, 'for all of it');
  // 4 of A, 3 of C, then 1 of A's next 4.
  const events = bench.send(B, buy(8, 100));
  assert.deepEqual(
    fills(events).map(({ accounts, lots }) => [accounts[1], lots]),
    [
      [0, 4n],
      [2, 3n],
      [0, 1n],
    ],
  );
  // 3 of the second 4 and 2 hidden are left: 5 lots with a margin of 100.
  assert.deepEqual([bench.level(100)?.[0], bench.margin(0).orderMargin], [3n, 100n]);
  assert.equal(bench.record('order extra', word(0) + word(0))?.getBigInt64(16, true), 2n);
  // Fill or kill sees the hidden lots at once.
  assert.equal(bench.item(B, buy(6, 100, { tif: 'fok' })).code, CODE_FOK_NOT_FILLED);
  assert.deepEqual(
    fills(bench.send(B, buy(5, 100, { tif: 'fok' }))).map(({ lots }) => lots),
    [5n],
  );
});

test('matching: fill or kill leaves everything as it was when it cannot fill', () => {
  const bench = new Bench();
  bench.item(A, sell(2, 100));
  bench.item(C, sell(2, 101));
  const before = bench.ledger.records();
  assert.equal(bench.item(A, buy(4, 101, { tif: 'fok' })).code, CODE_FOK_NOT_FILLED, 'its own order would be cancelled');
  assert.deepEqual(changed(before, bench.ledger.records()), ['seed 2a']);
  assert.equal(bench.item(B, buy(4, 101, { tif: 'fok' })).filled, 4n);
});

test('matching: a taker stops where it cannot bear a fill', () => {
  // 20 lots at 110 require 440. After 10 at 100: 450 against 200; after 10 more at 110, which lose 200: 250 against 400.
  const bench = new Bench({ collateral: { [A]: 450n } });
  bench.send(B, sell(10, 100), sell(10, 110));
  const { code, filled, resting } = bench.item(A, buy(20, 110));
  assert.deepEqual([code, filled, resting], [CODE_OK, 10n, 0n]);
  assert.equal(bench.item(A, buy(10, 110)).code, CODE_INSUFFICIENT_MARGIN);
});

test('matching: resting reduce-only orders shrink with the position', () => {
  const bench = new Bench();
  bench.item(B, sell(10, 100));
  bench.item(A, buy(10, 100));
  bench.item(A, sell(10, 120, { reduceOnly: true }));
  bench.item(A, sell(10, 121, { reduceOnly: true }));
  // A sells 6 elsewhere: 4 are left of the position.
  bench.item(C, buy(6, 99));
  bench.item(A, sell(6, 99));
  const events = bench.send(B, buy(8, 125));
  const [fill, first, second, item] = events;
  assert.ok(fill?.type === 'fill' && first?.type === 'cancel' && second?.type === 'cancel' && item?.type === 'item');
  assert.equal(fill.lots, 4n);
  assert.deepEqual([first.reason, first.lots, second.reason, second.lots], [REASON_REDUCE_ONLY, 6n, REASON_REDUCE_ONLY, 10n]);
  assert.deepEqual([item.filled, item.resting], [4n, 4n]);
});

test('matching: a reduce-only order that is filled whole is not cancelled as well', () => {
  const bench = new Bench();
  bench.item(B, sell(10, 100));
  bench.item(A, buy(10, 100));
  bench.item(A, sell(10, 120, { reduceOnly: true }));
  const events = bench.send(B, buy(10, 120));
  assert.deepEqual(
    events.map((event) => event.type),
    ['fill', 'item'],
  );
});

test('matching: a maker beyond its position limit is taken off', () => {
  const bench = new Bench({ markets: [{ maxPositionLots: 10n }] });
  bench.send(A, buy(10, 100), buy(5, 99));
  const events = bench.send(B, sell(10, 99), sell(5, 98));
  assert.deepEqual(
    events.map((event) => event.type),
    ['fill', 'item', 'item'],
    'the second sell is beyond the limit of the taker',
  );
  const more = bench.send(C, sell(5, 98));
  assert.deepEqual(cancels(more), [[REASON_POSITION_LIMIT, 5n, 0]]);
});

test('matching: a maker without the margin for its fill is taken off', () => {
  const bench = new Bench({ collateral: { [A]: 400n } });
  // Two bids for 10, at 100 and 99, reserve 200 and 198.
  bench.send(A, buy(10, 100), buy(10, 99));
  assert.equal(bench.item(B, sell(10, 100)).filled, 10n);
  assert.equal(bench.margin(0).orderMargin, 198n);
  // At 95 the position has lost 100: 300 is left, of which position and order take 190 + 198.
  bench.mark(95);
  assert.deepEqual(cancels(bench.send(B, sell(1, 99))), [[REASON_MARGIN, 10n, 0]]);
  assert.deepEqual([bench.margin(0).value, bench.margin(0).orderMargin], [1900n, 0n]);
});

test('matching: a maker whose margin is exactly used up is filled, a fee more and it is not', () => {
  for (const makerFeePpm of [0, 500]) {
    const bench = new Bench({ markets: [{ makerFeePpm }], collateral: { [A]: 200n } });
    bench.item(A, buy(10, 100));
    const [event] = bench.send(B, sell(10, 100));
    assert.equal(event?.type, makerFeePpm === 0 ? 'fill' : 'cancel');
  }
});

test('matching: a maker that only reduces needs no margin, but must not become negative', () => {
  for (const [price, collateral] of [
    [96, 120n],
    [90, 0n],
    [89, undefined],
  ] as const) {
    const bench = new Bench({ collateral: { [A]: 200n } });
    bench.trade(A, B, 10, 100);
    bench.item(A, sell(10, price));
    bench.mark(95);
    const events = bench.send(C, buy(10, price));
    if (collateral === undefined) assert.deepEqual(cancels(events), [[REASON_MARGIN, 10n, 0]]);
    else assert.deepEqual([fills(events)[0]?.lots, bench.margin(0).collateral], [10n, collateral], '200 - 20 * (100 - price)');
  }
});

test('matching: no more than 256 orders a transaction are looked at', () => {
  const bench = new Bench({ orderPages: 16 });
  for (let i = 0; i < 5; i++) bench.send(B, ...Array.from({ length: 60 }, () => sell(1, 100)));
  const events = bench.send(A, buy(200, 100), buy(100, 100), buy(1, 100, { tif: 'ioc' }), buy(1, 99));
  const items = events.filter((event) => event.type === 'item');
  assert.deepEqual(
    items.map(({ code, filled, resting }) => [code, filled, resting]),
    [
      [CODE_OK, 200n, 0n],
      [CODE_MATCH_LIMIT, 56n, 0n],
      [CODE_MATCH_LIMIT, 0n, 0n],
      [CODE_OK, 0n, 1n],
    ],
  );
  assert.ok(items.every(({ oid }) => oid > 0n));
  assert.equal(bench.level(100)?.[0], 44n);
});

test('matching: exactly 256 is not one too many', () => {
  const bench = new Bench({ orderPages: 16 });
  for (let i = 0; i < 4; i++) bench.send(B, ...Array.from({ length: 64 }, () => sell(1, 100)));
  assert.deepEqual([bench.item(A, buy(300, 100)).filled, bench.level(100)?.[0]], [256n, 44n]);
});

// Fills

test('fill: fees round up, rebates towards zero', () => {
  // 3 lots at 101: notional 606; 450 ppm = 0.2727, 1; -9000 ppm = -5.454, -5; 150 ppm = 0.0909, 1
  const bench = new Bench({
    markets: [
      { takerFeePpm: 450, makerFeePpm: -9000 },
      { takerFeePpm: 0, makerFeePpm: 150 },
    ],
  });
  for (const market of [0, 1]) {
    bench.item(B, sell(3, 101, { market }));
    const [fill] = fills(bench.send(A, buy(3, 101, { market })));
    assert.deepEqual(fill?.fees, market === 0 ? [1n, -5n] : [0n, 1n]);
  }
  assert.deepEqual(bench.totals(0), [606n, 3n, -4n]);
  assert.deepEqual(bench.totals(1), [606n, 3n, 1n]);
  assert.equal(bench.margin(0).collateral, 1_000_000n - 606n - 1n - 606n);
  assert.equal(bench.margin(1).collateral, 1_000_000n + 606n + 5n + 606n - 1n);
});

test('fill: a fee that is an integer is not rounded', () => {
  const bench = new Bench({ markets: [{ takerFeePpm: 500, makerFeePpm: -500 }] });
  bench.item(B, sell(10, 100));
  assert.deepEqual(fills(bench.send(A, buy(10, 100)))[0]?.fees, [1n, -1n]);
});

test('fill: entry cost on increase, decrease, close and flip', () => {
  const bench = new Bench();
  const trade = (side: 'buy' | 'sell', lots: number, price: number): FillEvent => {
    bench.item(B, buy(lots, price, { side: side === 'buy' ? 'sell' : 'buy' }));
    const [fill] = fills(bench.send(A, buy(lots, price, { side })));
    assert.ok(fill);
    return fill;
  };
  trade('buy', 2, 100);
  assert.deepEqual(bench.holding(0), [2n, 400n, 0n]);
  trade('buy', 1, 101);
  assert.deepEqual(bench.holding(0), [3n, 602n, 0n]);
  assert.deepEqual(bench.holding(1), [-3n, -602n, 0n]);
  // Half an entry: 602 * 1 / 3 = 200.67, released 200; sold for 220.
  assert.deepEqual(trade('sell', 1, 110).closed, [20n, -20n]);
  assert.deepEqual(bench.holding(0), [2n, 402n, 20n]);
  assert.deepEqual(bench.holding(1), [-2n, -402n, -20n]);
  // Flip: closes 2 for 180 against 402, opens 3 short at 90.
  assert.deepEqual(trade('sell', 5, 90).closed, [360n - 402n, 42n]);
  assert.deepEqual(bench.holding(0), [-3n, -540n, -22n]);
  assert.deepEqual(bench.holding(1), [3n, 540n, 22n]);
  assert.deepEqual(bench.totals()[1], 3n);
  assert.equal(bench.margin(0).positionMargin, 60n);
  assert.ok(bench.record('portfolio', word(0)));
  // Close: the position's record stays, the portfolio's goes.
  assert.deepEqual(trade('buy', 3, 80).closed, [540n - 480n, -60n]);
  assert.deepEqual(bench.holding(0), [0n, 0n, 38n]);
  assert.equal(bench.record('portfolio', word(0)), undefined);
  assert.deepEqual([bench.margin(0).positions, bench.margin(0).collateral], [0, 1_000_038n]);
  assert.equal(bench.totals()[1], 0n);
});

test('fill: the margin of a maker shrinks with its order, never grows', () => {
  const bench = new Bench();
  bench.item(A, buy(7, 99));
  assert.equal(bench.margin(0).orderMargin, 139n);
  bench.item(B, sell(1, 99));
  assert.equal(bench.margin(0).orderMargin, 119n, 'ceil(6 * 99 * 2 / 10) = 118.8');
  // A sell that only closes has no margin, and gets none when a part of it is filled.
  bench.item(A, sell(1, 130));
  assert.equal(bench.margin(0).orderMargin, 119n);
  bench.item(C, buy(1, 130));
  assert.equal(bench.margin(0).orderMargin, 119n);
});

test('fill: the portfolio has a bit for each market', () => {
  const bench = new Bench({ markets: Array.from({ length: 70 }, () => ({})) });
  for (const market of [3, 69]) {
    bench.item(B, sell(1, 100, { market }));
    bench.item(A, buy(1, 100, { market }));
  }
  const view = bench.record('portfolio', word(0));
  assert.deepEqual([view?.getBigUint64(0, true), view?.getBigUint64(8, true), view?.byteLength], [8n, 32n, 56]);
  assert.equal(bench.margin(0).positions, 2);
});

// The other operations

test('cancel: own orders of the market that is named', () => {
  const bench = new Bench({ markets: [{}, {}] });
  const { oid } = bench.item(A, buy(1, 50, { clientId: clientId(1) }));
  assert.equal(bench.item(B, { op: 'cancel', market: 0, oid }).code, CODE_ORDER_NOT_FOUND);
  assert.equal(bench.item(A, { op: 'cancel', market: 1, oid }).code, CODE_ORDER_NOT_FOUND);
  assert.equal(bench.item(A, { op: 'cancel', market: 2, oid }).code, CODE_UNKNOWN_MARKET);
  assert.equal(bench.item(A, { op: 'cancelByClientId', market: 1, target: clientId(1) }).code, CODE_ORDER_NOT_FOUND);
  assert.deepEqual(bench.send(A, { op: 'cancel', market: 0, oid }), [
    { type: 'item', item: 0, code: CODE_OK, oid, filled: 0n, resting: 0n },
  ]);
  assert.equal(bench.item(A, { op: 'cancel', market: 0, oid }).code, CODE_ORDER_NOT_FOUND);
  assert.deepEqual([bench.margin(0).orderMargin, bench.margin(0).slots, bench.level(50)], [0n, 0n, undefined]);
});

test('reduce: keeps the place in the queue', () => {
  const bench = new Bench({ markets: [{ lotStep: 2 }] });
  const { oid } = bench.item(A, buy(10, 100));
  bench.item(B, buy(10, 100));
  const reduce = (sizeLots: bigint, of = oid): ItemEvent => bench.item(A, { op: 'reduce', market: 0, oid: of, sizeLots });
  assert.equal(reduce(0n, 1n).code, CODE_ZERO_SIZE);
  assert.equal(reduce(3n, 1n).code, CODE_ORDER_NOT_FOUND);
  assert.equal(reduce(3n).code, CODE_LOT);
  assert.equal(reduce(11n).code, CODE_LOT);
  assert.deepEqual(reduce(4n), { type: 'item', item: 0, code: CODE_OK, oid, filled: 0n, resting: 6n });
  assert.deepEqual(bench.level(100), [16n, link(0, 0), link(1, 0), 2, 0]);
  assert.equal(bench.margin(0).orderMargin, 120n);
  assert.equal(fills(bench.send(C, sell(2, 100)))[0]?.accounts[1], 0);
  assert.equal(bench.ledger.openOrders(0)[0]?.originalLots, 10n);
  assert.deepEqual([reduce(4n).resting, bench.level(100)], [0n, [10n, link(1, 0), link(1, 0), 1, 0]]);
});

test('modify: a new order in place of an old one, which is gone even when the new one is refused', () => {
  const bench = new Bench({ collateral: { [A]: 1000n } });
  const id = clientId(1);
  const modify = (target: bigint | string, item: PlaceItem): Event[] => bench.send(A, { ...item, op: 'modify', target });
  const first = bench.item(A, buy(10, 100, { clientId: id }));
  // Checks 1 to 4 come before the old order is looked for, and leave it alone.
  const early = modify(1n, buy(10, 0))[0];
  assert.ok(early?.type === 'item' && early.code === CODE_INVALID_PRICE);
  const missing = modify(1n, buy(10, 90))[0];
  assert.ok(missing?.type === 'item' && missing.code === CODE_ORDER_NOT_FOUND && missing.oid === 0n);
  assert.equal(bench.ledger.openOrders(0).length, 1);

  // Its margin, slot and client id are free for the new order.
  const [moved] = modify(first.oid, buy(50, 100, { clientId: id }));
  assert.deepEqual(moved, { type: 'item', item: 0, code: CODE_OK, oid: oidOf(4), filled: 0n, resting: 50n });
  assert.equal(bench.margin(0).orderMargin, 1000n);

  bench.item(B, sell(5, 120));
  const [fill, result] = modify(id, buy(10, 130));
  assert.ok(fill?.type === 'fill' && fill.price === 120 && result?.type === 'item');
  assert.deepEqual([result.filled, result.resting, result.oid], [5n, 5n, oidOf(6)]);
  assert.equal(bench.ledger.openOrders(0)[0]?.clientId, undefined);

  const [refused] = modify(result.oid, buy(1000, 100));
  assert.deepEqual(refused, { type: 'item', item: 0, code: CODE_INSUFFICIENT_MARGIN, oid: 0n, filled: 0n, resting: 0n });
  assert.equal(bench.ledger.openOrders(0).length, 0);

  const always = bench.send(A, { ...buy(1, 90), op: 'modify', target: 1n, always: true })[0];
  assert.ok(always?.type === 'item' && always.code === CODE_OK && always.resting === 1n);
});

test('batch: items see what the items before them did', () => {
  const bench = new Bench();
  const events = bench.send(
    A,
    buy(1, 90, { clientId: clientId(1) }),
    buy(1, 91, { clientId: clientId(1) }),
    { op: 'cancelByClientId', market: 0, target: clientId(1) },
    buy(1, 91, { clientId: clientId(1) }),
    { op: 'cancel', market: 0, oid: oidOf(4) },
    sell(0, 1),
  );
  assert.deepEqual(
    events.map((event) => event.type === 'item' && [event.item, event.code, event.oid]),
    [
      [0, CODE_OK, oidOf(1)],
      [1, CODE_DUPLICATE_CLOID, 0n],
      [2, CODE_OK, oidOf(1)],
      [3, CODE_OK, oidOf(4)],
      [4, CODE_OK, oidOf(4)],
      [5, CODE_ZERO_SIZE, 0n],
    ],
  );
});

test('flags of an order: side, reduce-only, client id, tif', () => {
  const bench = new Bench();
  bench.item(B, sell(5, 100));
  bench.item(A, buy(5, 100));
  bench.item(A, sell(5, 110, { reduceOnly: true, clientId: clientId(3), tif: 'alo' }));
  const order = bench.record('order', word(0) + word(0));
  assert.deepEqual([order?.getUint8(46), order?.getUint8(47)], [7, 3]);
  assert.deepEqual(bench.level(110), [5n, 1, 1, 1, 1]);
});

// After every random block

test('random blocks: money is conserved, positions sum to zero, books are not crossed, records are in order', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const genesis = randomGenesis(seed);
    const ledger = new NaiveLedger(genesis);
    const { state } = ledger;
    const moneyBefore = moneyOf(ledger);
    for (const block of randomBlocks(seed, genesis)) {
      const receipts = ledger.executeBlock(block);
      assert.ok(receipts.length >= block.transactions.length);
      for (const { code, events } of receipts) assert.ok(code === CODE_OK || events.length === 0);
      const at = `seed ${seed}, block ${block.number}`;
      assert.equal(moneyOf(ledger), moneyBefore, `${at}: quote units`);
      for (const { number } of state.markets) {
        const sizes = [...state.positions.keys()].map((account) => ledger.positionLots(account, number));
        assert.equal(sum(sizes), 0n, `${at}: positions of market ${number}`);
        assertBook(ledger, number, genesis.orderPages, at);
      }
      for (const [account, positions] of state.positions) {
        if (state.marginAccounts.has(account)) assert.ok(state.accountValue(account) >= 0n, `${at}: account ${account} is negative`);
        for (const { sizeLots, cost, rawUsd, isolated } of positions.values()) {
          assert.ok(sizeLots === 0n ? cost === 0n : sizeLots > 0n === cost > 0n, `${at}: cost ${cost} of ${sizeLots} lots`);
          assert.ok(rawUsd === 0n || isolated, `${at}: a cross position with money of its own`);
        }
      }
      const records = ledger.records();
      const keys = records.map(({ key }) => key.toHex());
      assert.deepEqual(keys, [...new Set(keys)].sort(), `${at}: keys`);
      for (const { recordClass, value } of records) {
        assert.ok(recordClass === 'dormant account' ? value.at(-1) !== 0 : [24, 56, 52].includes(value.length), `${at}: ${recordClass}`);
      }
    }
  }
});

test('random blocks: the same seed gives the same blocks and the same state', () => {
  for (const seed of [1, 7, 9]) {
    const [first, second] = [1, 2].map(() => {
      const genesis = randomGenesis(seed);
      const ledger = new NaiveLedger(genesis);
      const receipts = [...randomBlocks(seed, genesis)].flatMap((block) => ledger.executeBlock(block));
      return { receipts, records: ledger.records() };
    });
    assert.deepEqual(first, second);
  }
});

test('SHA-256: as the platform has it', () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
    const message = Uint8Array.from({ length }, (_, i) => (i * 7 + length) % 256);
    assert.equal(sha256(message).toHex(), createHash('sha256').update(message).digest('hex'), `${length} bytes`);
  }
});

function assertBook(ledger: NaiveLedger, market: number, orderPages: number, at: string): void {
  const { state } = ledger;
  const [bid, ask] = [state.bestBid(market), state.bestAsk(market)];
  assert.ok(bid === undefined || ask === undefined || bid < ask, `${at}: bid ${bid} crosses ask ${ask}`);
  for (const order of state.orders.filter((open) => open.market === market)) {
    const { sizeLots, hiddenLots, originalLots, whole, slot, oid } = order;
    const left = sizeLots + hiddenLots;
    assert.ok((left > 0n || whole) && left <= originalLots && order.margin >= 0n, `${at}: order ${oid}`);
    assert.ok(slot < 64 * orderPages && BigInt(slot) === oid % 8192n, `${at}: slot of ${oid}`);
  }
}

/** Keys of records that differ. */
function changed(before: readonly NaiveRecord[], after: readonly NaiveRecord[]): string[] {
  const text = ({ recordClass, key, value }: NaiveRecord): [string, string] => [`${recordClass} ${key.toHex()}`, value.toHex()];
  const [old, now] = [new Map(before.map(text)), new Map(after.map(text))];
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key));
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

function transfer(sender: Address, recipient: Address, amount: bigint, token = 0, nonce?: bigint): Transaction {
  return { kind: 'transfer', sender, recipient, token, amount, ...(nonce === undefined ? {} : { nonce }) };
}
