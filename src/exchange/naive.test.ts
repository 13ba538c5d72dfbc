/**
 * Hand-worked examples of docs/rules.md for the naive twin, then what must hold after every random block.
 * Expected numbers are worked out on paper and written as such; the comments show the sums where they are not obvious.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CODE_ACCOUNT_LIMIT,
  CODE_ACCOUNT_NOT_FOUND,
  CODE_BALANCE_OVERFLOW,
  CODE_DUPLICATE_CLOID,
  CODE_EMPTY_BATCH,
  CODE_INSUFFICIENT_BALANCE,
  CODE_INSUFFICIENT_MARGIN,
  CODE_INVALID_PRICE,
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
  CODE_ORDER_NOT_FOUND,
  CODE_POSITION_LIMIT,
  CODE_POST_ONLY,
  CODE_REDUCE_ONLY,
  CODE_SIZE_TOO_LARGE,
  CODE_TICK,
  CODE_TOO_MANY_ITEMS,
  CODE_TOO_MANY_OPEN_ORDERS,
  CODE_UNDECODABLE,
  CODE_UNKNOWN_KIND,
  CODE_UNKNOWN_MARKET,
  CODE_UNKNOWN_TOKEN,
  CODE_ZERO_AMOUNT,
  CODE_ZERO_SIZE,
  REASON_MARGIN,
  REASON_POSITION_LIMIT,
  REASON_REDUCE_ONLY,
  REASON_SELF_TRADE,
} from '../base/codes.ts';
import type { Address, OrderItem, OrdersTransaction, PlaceItem, Transaction } from '../ledger/transactions.ts';
import { randomBlocks, randomGenesis } from '../simulator/random-blocks.ts';
import type { Genesis, MarketParameters } from './genesis.ts';
import { EVENT_CANCEL, EVENT_FILL, EVENT_ITEM } from './layout.ts';
import { NaiveLedger } from './naive.ts';

const TIME = 1_760_000_000_000;
const DAY = 86_400_000;
const A = address(1);
const B = address(2);
const C = address(3);
const ORACLE = address(9);
const STRANGER = address(77);

/** Unit 2 and leverage 10: an order of 5 lots at 100 has a notional of 1000 and a margin of 100. */
const MARKET: MarketParameters = {
  name: 'M',
  tickCount: 1000,
  unit: 2,
  tickStep: 1,
  lotStep: 1,
  ticksPerInteger: 1,
  significantDigits: 0,
  leverage: 10,
  takerFeePpm: 0,
  makerFeePpm: 0,
  minNotional: 0n,
  maxOrderLots: 100_000n,
  maxPositionLots: 1_000_000n,
  markTicks: 100,
};

interface World {
  readonly markets?: readonly Partial<MarketParameters>[];
  readonly collateral?: Readonly<Record<Address, bigint>>;
  readonly maxAccounts?: number;
  readonly orderPages?: number;
}

const MAX_ACCOUNTS = 8;

/** The reference of an order in the queue of a level. */
function link(account: number, slot: number): number {
  return slot * MAX_ACCOUNTS + account + 1;
}

function genesis({ markets = [{}], collateral = {}, maxAccounts = MAX_ACCOUNTS, orderPages = 1 }: World = {}): Genesis {
  return {
    maxAccounts,
    orderPages,
    tokens: [
      { name: 'USD', decimals: 6 },
      { name: 'ETH', decimals: 8 },
    ],
    markets: markets.map((market) => ({ ...MARKET, ...market })),
    oracle: ORACLE,
    accounts: [A, B, C, ORACLE].map((account) => ({
      address: account,
      balances: [{ token: 0, amount: 1000n }],
      collateral: collateral[account] ?? 1_000_000n,
    })),
  };
}

/** A ledger with a clock, and short ways to send things to it. */
class Bench {
  readonly ledger: NaiveLedger;
  timeMs = TIME;
  #number = 0;

  constructor(world: World = {}) {
    this.ledger = new NaiveLedger(genesis(world));
  }

  block(...transactions: Transaction[]): { code: number; events: Event[]; bytes: Uint8Array }[] {
    this.#number++;
    const receipts = this.ledger.executeBlock({ number: this.#number, timeMs: this.timeMs, transactions });
    return receipts.map(({ code, events }) => ({ code, events: decode(events), bytes: events }));
  }

  codes(...transactions: Transaction[]): number[] {
    return this.block(...transactions).map(({ code }) => code);
  }

  /** The events of a batch that is a block of its own. */
  send(sender: Address, ...items: OrderItem[]): Event[] {
    const [receipt] = this.block(orders(sender, ...items));
    assert.equal(receipt?.code, CODE_OK);
    return receipt.events;
  }

  /** Sends one item and gives its result. */
  item(sender: Address, item: OrderItem): ItemEvent {
    const last = this.send(sender, item).at(-1);
    assert.ok(last?.type === 'item');
    return last;
  }

  mark(priceTicks: number, market = 0): void {
    assert.deepEqual(this.codes({ kind: 'oracle', sender: ORACLE, prices: [{ market, priceTicks }] }), [CODE_OK]);
  }

  record(recordClass: string, key: string): DataView | undefined {
    const record = this.ledger.records().find((entry) => entry.recordClass === recordClass && entry.key.toHex().slice(2) === key);
    return record && new DataView(record.value.buffer, record.value.byteOffset, record.value.byteLength);
  }

  /** Fields of a margin account's record. */
  margin(account: number): Record<string, bigint | number> {
    const view = this.record('margin account', word(account));
    assert.ok(view);
    return {
      collateral: view.getBigInt64(0, true),
      value: view.getBigInt64(8, true),
      positionMargin: view.getBigInt64(16, true),
      orderMargin: view.getBigInt64(24, true),
      slots: view.getBigUint64(32, true),
      epoch: view.getUint32(40, true),
      openOrders: view.getUint32(44, true),
      positions: view.getUint32(48, true),
    };
  }

  /** size, cost, realised */
  position(account: number, market = 0): bigint[] {
    const view = this.record('position', word(account) + word(market));
    assert.ok(view);
    return [0, 8, 16].map((offset) => view.getBigInt64(offset, true));
  }

  /** volume, open interest, fees */
  totals(market = 0): bigint[] {
    const view = this.record('market totals', word(market));
    assert.ok(view);
    return [0, 8, 16].map((offset) => view.getBigInt64(offset, true));
  }

  /** total, head, tail, count, side */
  level(priceTicks: number, market = 0): (bigint | number)[] | undefined {
    const view = this.record('level', word(market) + word(priceTicks));
    return view && [view.getBigInt64(0, true), ...[8, 12, 16, 20].map((offset) => view.getUint32(offset, true))];
  }

  /** Stored nonces in ring order from index 0 (100 entries). */
  ring(account: number): bigint[] {
    return Array.from({ length: 15 }, (_, chunk) => {
      const view = this.record('nonce chunk', word(account) + word(chunk));
      return Array.from({ length: 7 }, (_, i) => view?.getBigUint64(i * 8, true) ?? 0n);
    })
      .flat()
      .slice(0, 100);
  }
}

type ItemEvent = { type: 'item'; item: number; code: number; oid: bigint; filled: bigint; resting: bigint };
type FillEvent = {
  type: 'fill';
  market: number;
  oids: bigint[];
  accounts: number[];
  price: number;
  takerSells: boolean;
  lots: bigint;
  fees: bigint[];
  closed: bigint[];
};
type CancelEvent = { type: 'cancel'; reason: number; market: number; oid: bigint; lots: bigint; account: number };
type Event = ItemEvent | FillEvent | CancelEvent | { type: 'transfer' };

function decode(bytes: Uint8Array): Event[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: Event[] = [];
  for (let at = 0; at < bytes.length; at += view.getUint32(at, true) >>> 8) {
    const u16 = (offset: number): number => view.getUint16(at + offset, true);
    const u32 = (offset: number): number => view.getUint32(at + offset, true);
    const i64 = (offset: number): bigint => view.getBigInt64(at + offset, true);
    const type = u32(0) & 255;
    if (type === EVENT_ITEM) events.push({ type: 'item', item: u16(4), code: u16(6), oid: i64(8), filled: i64(16), resting: i64(24) });
    else if (type === EVENT_CANCEL) {
      events.push({ type: 'cancel', reason: u16(4), market: u16(6), oid: i64(8), lots: i64(16), account: u32(24) });
    } else if (type === EVENT_FILL) {
      events.push({
        type: 'fill',
        market: u32(4),
        oids: [i64(8), i64(16)],
        accounts: [u32(24), u32(28)],
        price: u32(32),
        takerSells: u32(36) === 1,
        lots: i64(40),
        fees: [i64(48), i64(56)],
        closed: [i64(64), i64(72)],
      });
    } else events.push({ type: 'transfer' });
  }
  return events;
}

function fills(events: readonly Event[]): FillEvent[] {
  return events.filter((event) => event.type === 'fill');
}

function cancels(events: readonly Event[]): CancelEvent[] {
  return events.filter((event) => event.type === 'cancel');
}

function address(number: number): Address {
  return `0x${number.toString(16).padStart(40, '0')}`;
}

function clientId(number: number): string {
  return `0x${number.toString(16).padStart(32, '0')}`;
}

/** A u32 of a key in hexadecimal. */
function word(value: number): string {
  return value.toString(16).padStart(8, '0');
}

function orders(sender: Address, ...items: OrderItem[]): OrdersTransaction {
  return { kind: 'orders', sender, items };
}

function place(side: 'buy' | 'sell', sizeLots: number | bigint, priceTicks: number, more: Partial<PlaceItem> = {}): PlaceItem {
  return { op: 'place', market: 0, side, tif: 'gtc', priceTicks, sizeLots: BigInt(sizeLots), ...more };
}

const buy = place.bind(undefined, 'buy');
const sell = place.bind(undefined, 'sell');

function transfer(sender: Address, recipient: Address, amount: bigint, token = 0, nonce?: bigint): Transaction {
  return { kind: 'transfer', sender, recipient, token, amount, ...(nonce === undefined ? {} : { nonce }) };
}

// Genesis and ledger

test('genesis: records, byte for byte', () => {
  const ledger = new NaiveLedger({
    ...genesis(),
    accounts: [{ address: A, balances: [{ token: 1, amount: 258n }], collateral: 5n }, { address: B }],
  });
  const text = ledger.records().map(({ recordClass, key, value }) => `${recordClass} ${key.toHex()} ${value.toHex()}`);
  assert.deepEqual(text, [
    `account 0100000000 ${'0'.repeat(48)}${A.slice(2)}${'0'.repeat(24)}`,
    `account 0100000001 ${'0'.repeat(48)}${B.slice(2)}${'0'.repeat(24)}`,
    `balance 030000000000000001 0201${'0'.repeat(44)}`,
    `margin account 1000000000 05${'0'.repeat(78)}01${'0'.repeat(30)}`,
    `market totals 1600000000 ${'0'.repeat(48)}`,
  ]);
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
    ...genesis(),
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
  const items: unknown[] = [
    buy(-1, 1),
    buy(2n ** 63n, 1),
    buy(1, 2 ** 32),
    buy(1, -1),
    buy(1, 1, { market: 2 ** 32 }),
    buy(1, 1, { market: 0.5 }),
    buy(1, 1, { clientId: '0xab' }),
    { ...buy(1, 1), tif: 'fok' },
    { ...buy(1, 1), side: 'hold' },
    { ...cancel, oid: -1n },
    { ...cancel, oid: 2n ** 64n },
    { op: 'cancelByClientId', market: 0, target: clientId(10).toUpperCase() },
    { ...modify, target: 2n ** 64n },
    { ...modify, target: '0x' },
    { op: 'reduce', market: 0, oid: 0n, sizeLots: 2n ** 63n },
    { op: 'dance', market: 0 },
  ];
  const wrong = [
    ...items.map((item) => orders(A, buy(1, 1), item as OrderItem)),
    transfer('0x1', B, 1n),
    transfer(A, `0x${'A'.repeat(40)}`, 1n),
    transfer(A, B, 2n ** 64n),
    transfer(A, B, -1n),
    transfer(A, B, 1n, 2 ** 32),
    transfer(A, B, 1n, 0, 2n ** 64n),
    transfer(A, B, 1n, 0, -1n),
    { kind: 'deposit', sender: A, amount: -1n } as const,
    { kind: 'oracle', sender: ORACLE, prices: [{ market: 0, priceTicks: 2 ** 32 }] } as const,
  ];
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
    [
      { kind: 'oracle', sender: ORACLE, prices: full.map(() => ({ market: 0, priceTicks: 1 })).concat({ market: 0, priceTicks: 1 }) },
      CODE_TOO_MANY_ITEMS,
    ],
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
  assert.equal(bench.ledger.openOrders(0)[0]?.oid, 3n * 1024n);
  assert.equal(bench.item(A, buy(1, 1)).oid, 68n * 1024n + 1n);
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
  bench.timeMs = 0;
  assert.deepEqual(bench.codes(transfer(B, A, 1n, 0, 0n)), [CODE_OK], 'no nonce is two days before a time that young');
});

test('nonces: the ring', () => {
  const bench = new Bench();
  const base = TIME - 1000;
  const use = (...offsets: number[]): number[] => bench.codes(...offsets.map((offset) => transfer(A, A, 1n, 0, BigInt(base + offset))));
  const header = (): number[] => {
    const view = bench.record('account', word(0));
    assert.ok(view);
    const relative = [8, 16].map((offset) => Number(view.getBigUint64(offset, true)) - base);
    return [view.getUint32(0, true), view.getUint32(4, true), ...relative];
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
  bench.mark(101);
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
  assert.deepEqual([bench.margin(0).collateral, bench.margin(0).epoch], [1000n, 2], 'created in epoch 2');
  assert.deepEqual([bench.margin(1).collateral, bench.margin(1).epoch], [2n ** 59n, 1], 'a deposit does not refresh');
});

test('oracle: who, what, and when it becomes the mark', () => {
  const bench = new Bench({ markets: [{}, {}] });
  const set = (sender: Address, ...prices: [number, number][]): Transaction => ({
    kind: 'oracle',
    sender,
    prices: prices.map(([market, priceTicks]) => ({ market, priceTicks })),
  });
  assert.deepEqual(
    bench.codes(set(A, [0, 5]), set(ORACLE, [0, 5], [2, 5]), set(ORACLE, [0, 0], [2, 5]), set(ORACLE, [0, 1000]), set(ORACLE, [1, 0])),
    [CODE_NOT_AUTHORISED, CODE_UNKNOWN_MARKET, CODE_UNKNOWN_MARKET, CODE_INVALID_PRICE, CODE_INVALID_PRICE],
  );
  assert.equal(bench.record('oracle', word(0)), undefined);

  bench.codes(set(ORACLE, [1, 7], [1, 999]), orders(A, buy(1, 5, { market: 1 })));
  assert.equal(bench.record('oracle', word(1))?.getUint32(0, true), 999);
  assert.equal(bench.record('oracle', word(1))?.getBigUint64(8, true), BigInt(TIME));
  assert.equal(bench.margin(0).epoch, 1, 'the block itself ran at the old marks');
  bench.item(A, buy(1, 5));
  assert.equal(bench.margin(0).epoch, 2);

  bench.codes(set(ORACLE, [0, 5]), set(ORACLE, [0, 100]));
  bench.codes(set(ORACLE, [1, 999]));
  bench.item(A, buy(1, 5));
  assert.equal(bench.margin(0).epoch, 2, 'no mark changed');
});

// Checks of place

test('place: the checks up to the price, in order', () => {
  const bench = new Bench({ markets: [{ tickStep: 5, lotStep: 10, maxOrderLots: 1000n }], collateral: { [A]: 0n } });
  const codes = (...items: PlaceItem[]): number[] => items.map((item) => bench.item(A, item).code);
  assert.deepEqual(
    codes(
      buy(0, 0, { market: 1 }),
      buy(0, 0),
      buy(1001, 0),
      buy(15, 0),
      buy(10, 0),
      buy(10, 1000),
      buy(10, 7),
      buy(10, 0, { tif: 'market' }),
      buy(10, 10_001, { tif: 'market' }),
      buy(1000, 995),
      buy(10, 7, { tif: 'market' }),
    ),
    [
      CODE_UNKNOWN_MARKET,
      CODE_ZERO_SIZE,
      CODE_SIZE_TOO_LARGE,
      CODE_LOT,
      CODE_INVALID_PRICE,
      CODE_INVALID_PRICE,
      CODE_TICK,
      CODE_INVALID_PRICE,
      CODE_INVALID_PRICE,
      CODE_NO_DEPOSIT,
      CODE_NO_DEPOSIT,
    ],
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
  assert.equal(bench.item(A, buy(1, 1)).oid % 1024n, 70n);
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
    orderMargin: 0n,
    slots: 0n,
    epoch: 1,
    openOrders: 0,
    positions: 1,
  });
  assert.equal(bench.item(A, sell(11, 110)).code, CODE_INSUFFICIENT_MARGIN, 'opens 1');
  assert.equal(bench.item(A, sell(10, 110)).code, CODE_OK);
  assert.equal(bench.item(A, sell(10, 110)).code, CODE_OK, 'each order is seen alone');
  assert.equal(bench.margin(0).orderMargin, 0n);
  assert.equal(bench.item(A, sell(5, 111, { reduceOnly: true })).code, CODE_OK);
  // At a mark of 90 the account is worth 0 and everything that opens is refused; closing is not.
  bench.mark(90);
  assert.equal(bench.item(A, buy(1, 50)).code, CODE_INSUFFICIENT_MARGIN);
  assert.equal(bench.margin(0).value, 1800n, 'the refusal has refreshed');
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
  assert.deepEqual(events.at(-1), { type: 'item', item: 0, code: CODE_OK, oid: 5n * 1024n, filled: 8n, resting: 0n });
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
  assert.deepEqual([filled, resting, oid], [3n, 2n, 3n * 1024n]);
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
  assert.deepEqual([ioc.code, ioc.oid, ioc.filled, ioc.resting], [CODE_OK, 4n * 1024n, 3n, 0n]);
  assert.equal(bench.item(A, buy(5, 110, { tif: 'alo' })).code, CODE_POST_ONLY);
  assert.equal(bench.item(B, buy(5, 110, { tif: 'alo' })).code, CODE_POST_ONLY, 'its own order counts');
  assert.equal(bench.item(A, buy(5, 109, { tif: 'alo' })).resting, 5n);
  bench.item(A, { op: 'cancelByClientId', market: 0, target: clientId(1) });
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
  assert.deepEqual(events.at(-1), { type: 'item', item: 0, code: CODE_OK, oid: 3n * 1024n + 1n, filled: 2n, resting: 1n });
  bench.item(A, sell(5, 120));
  const alone = bench.send(A, buy(5, 120, { tif: 'ioc' }));
  assert.deepEqual(
    alone.map((event) => event.type),
    ['cancel', 'item'],
  );
  assert.deepEqual(alone[1], { type: 'item', item: 0, code: CODE_IOC_NO_MATCH, oid: 0n, filled: 0n, resting: 0n });
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
  assert.deepEqual(
    cancels(more).map(({ reason, lots }) => [reason, lots]),
    [[REASON_POSITION_LIMIT, 5n]],
  );
});

test('matching: a maker without the margin for its fill is taken off', () => {
  const bench = new Bench({ collateral: { [A]: 400n } });
  // Two bids for 10 at 100 reserve 200 each.
  bench.send(A, buy(10, 100), buy(10, 99));
  assert.equal(bench.item(B, sell(10, 100)).filled, 10n);
  assert.equal(bench.margin(0).orderMargin, 198n);
  // At 95 the position has lost 100: 300 is left, of which position and order take 190 + 198.
  bench.mark(95);
  assert.equal(bench.margin(0).value, 2000n, 'not refreshed yet');
  const events = bench.send(B, sell(1, 99));
  assert.deepEqual(
    cancels(events).map(({ reason, lots, account }) => [reason, lots, account]),
    [[REASON_MARGIN, 10n, 0]],
  );
  assert.deepEqual([bench.margin(0).value, bench.margin(0).epoch, bench.margin(0).orderMargin], [1900n, 2, 0n]);
});

test('matching: a maker whose margin is exactly used up is filled, a fee more and it is not', () => {
  for (const makerFeePpm of [0, 500]) {
    const bench = new Bench({ markets: [{ makerFeePpm }], collateral: { [A]: 200n } });
    bench.item(A, buy(10, 100));
    const [event] = bench.send(B, sell(10, 100));
    assert.equal(event?.type, makerFeePpm === 0 ? 'fill' : 'cancel');
  }
});

test('matching: a maker that only reduces needs no margin', () => {
  const bench = new Bench({ collateral: { [A]: 200n } });
  bench.item(B, sell(10, 100));
  bench.item(A, buy(10, 100));
  bench.item(A, sell(10, 60));
  bench.mark(50);
  const events = bench.send(C, buy(10, 60));
  assert.equal(fills(events)[0]?.lots, 10n);
  assert.equal(bench.margin(0).collateral, 200n - 2000n + 1200n);
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
    bench.item(B, place(side === 'buy' ? 'sell' : 'buy', lots, price));
    const [fill] = fills(bench.send(A, place(side, lots, price)));
    assert.ok(fill);
    return fill;
  };
  trade('buy', 2, 100);
  assert.deepEqual(bench.position(0), [2n, 400n, 0n]);
  trade('buy', 1, 101);
  assert.deepEqual(bench.position(0), [3n, 602n, 0n]);
  assert.deepEqual(bench.position(1), [-3n, -602n, 0n]);
  // Half an entry: 602 * 1 / 3 = 200.67, released 200; sold for 220.
  assert.deepEqual(trade('sell', 1, 110).closed, [20n, -20n]);
  assert.deepEqual(bench.position(0), [2n, 402n, 20n]);
  assert.deepEqual(bench.position(1), [-2n, -402n, -20n]);
  // Flip: closes 2 for 180 against 402, opens 3 short at 90.
  assert.deepEqual(trade('sell', 5, 90).closed, [360n - 402n, 42n]);
  assert.deepEqual(bench.position(0), [-3n, -540n, -22n]);
  assert.deepEqual(bench.position(1), [3n, 540n, 22n]);
  assert.deepEqual(bench.totals()[1], 3n);
  assert.equal(bench.margin(0).positionMargin, 60n);
  assert.ok(bench.record('portfolio', word(0)));
  // Close: the position's record stays, the portfolio's goes.
  assert.deepEqual(trade('buy', 3, 80).closed, [540n - 480n, -60n]);
  assert.deepEqual(bench.position(0), [0n, 0n, 38n]);
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

test('refresh: an item that fails before its margin check leaves the price epoch as it was', () => {
  const bench = new Bench();
  bench.mark(101);
  bench.item(A, buy(1, 0));
  bench.item(A, buy(1, 50, { reduceOnly: true }));
  bench.item(A, { op: 'cancel', market: 0, oid: 5n });
  assert.equal(bench.margin(0).epoch, 1);
  bench.item(A, buy(10_000, 999, { tif: 'ioc' }));
  assert.equal(bench.margin(0).epoch, 2);
  bench.item(B, buy(1, 50));
  assert.equal(bench.margin(1).epoch, 2);
});

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
  assert.deepEqual(moved, { type: 'item', item: 0, code: CODE_OK, oid: 4n * 1024n, filled: 0n, resting: 50n });
  assert.equal(bench.margin(0).orderMargin, 1000n);

  bench.item(B, sell(5, 120));
  const [fill, result] = modify(id, buy(10, 130));
  assert.ok(fill?.type === 'fill' && fill.price === 120 && result?.type === 'item');
  assert.deepEqual([result.filled, result.resting, result.oid], [5n, 5n, 6n * 1024n]);
  assert.equal(bench.ledger.openOrders(0)[0]?.clientId, undefined);

  const [refused] = modify(result.oid, buy(1000, 100));
  assert.deepEqual(refused, { type: 'item', item: 0, code: CODE_INSUFFICIENT_MARGIN, oid: 0n, filled: 0n, resting: 0n });
  assert.equal(bench.ledger.openOrders(0).length, 0);
});

test('batch: items see what the items before them did', () => {
  const bench = new Bench();
  const events = bench.send(
    A,
    buy(1, 90, { clientId: clientId(1) }),
    buy(1, 91, { clientId: clientId(1) }),
    { op: 'cancelByClientId', market: 0, target: clientId(1) },
    buy(1, 91, { clientId: clientId(1) }),
    { op: 'cancel', market: 0, oid: 4n * 1024n },
    sell(0, 1),
  );
  assert.deepEqual(
    events.map((event) => event.type === 'item' && [event.item, event.code, event.oid]),
    [
      [0, CODE_OK, 1024n],
      [1, CODE_DUPLICATE_CLOID, 0n],
      [2, CODE_OK, 1024n],
      [3, CODE_OK, 4096n],
      [4, CODE_OK, 4096n],
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
    const quoteBefore = quoteUnits(ledger);
    for (const block of randomBlocks(seed, genesis)) {
      const receipts = ledger.executeBlock(block);
      assert.equal(receipts.length, block.transactions.length);
      for (const { code, events } of receipts) assert.ok(code === CODE_OK || events.length === 0);
      const at = `seed ${seed}, block ${block.number}`;
      assert.equal(quoteUnits(ledger), quoteBefore, `${at}: quote units`);
      ledger.markets.forEach((market, number) => {
        const sizes = [...ledger.positions.values()].map((positions) => positions.get(number)?.sizeLots ?? 0n);
        assert.equal(sum(sizes), 0n, `${at}: positions of market ${number}`);
        const limit = market.parameters.maxPositionLots;
        assert.ok(
          sizes.every((size) => size <= limit && -size <= limit),
          `${at}: position limit`,
        );
        assertBook(ledger, number, genesis.orderPages, at);
      });
      for (const positions of ledger.positions.values()) {
        for (const { sizeLots, cost } of positions.values()) {
          assert.ok(sizeLots === 0n ? cost === 0n : sizeLots > 0n === cost > 0n, `${at}: cost ${cost} of ${sizeLots} lots`);
        }
      }
      const keys = ledger.records().map(({ key }) => key.toHex());
      assert.deepEqual(keys, [...new Set(keys)].sort(), `${at}: keys`);
      for (const { recordClass, value } of ledger.records()) assert.ok([24, 56, 52].includes(value.length), `${at}: ${recordClass}`);
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

/** Balances, collateral, fees and the value of positions: what deposits, trades and fees only move about. */
function quoteUnits(ledger: NaiveLedger): bigint {
  const balances = sum(ledger.accounts.accounts().map((account) => ledger.accounts.balance(account, 0)));
  const collateral = sum([...ledger.marginAccounts.values()].map((account) => account.collateral));
  const fees = sum(ledger.markets.map((market) => market.fees));
  const values = [...ledger.positions.values()].flatMap((positions) =>
    [...positions].map(([number, { sizeLots }]) => {
      const market = ledger.markets[number];
      assert.ok(market);
      return sizeLots * market.markTicks * market.unit;
    }),
  );
  return balances + collateral + fees + sum(values);
}

function assertBook(ledger: NaiveLedger, number: number, orderPages: number, at: string): void {
  const { orders: open } = ledger.markets[number] ?? { orders: [] };
  const bids = open.filter((order) => !order.sell).map((order) => order.priceTicks);
  const asks = open.filter((order) => order.sell).map((order) => order.priceTicks);
  for (const bid of bids)
    assert.ok(
      asks.every((ask) => bid < ask),
      `${at}: bid ${bid} crosses`,
    );
  for (const order of open) {
    assert.ok(order.sizeLots > 0n && order.sizeLots <= order.originalLots && order.margin >= 0n, `${at}: order ${order.oid}`);
    assert.ok(order.slot < 64 * orderPages && BigInt(order.slot) === order.oid % 1024n, `${at}: slot of ${order.oid}`);
  }
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
