/**
 * A small ledger with a clock for hand-worked tests of the naive twin: short ways to send things to it, its events as objects, its records
 * as fields. Offsets and lengths are written out from the tables of the layout pages, so that they hold the twin to them.
 */
import { assert } from '../base/assert.ts';
import { CODE_OK } from '../base/codes.ts';
import { EVENT_TRANSFER } from '../ledger/layout.ts';
import type { NaiveReceipt } from '../ledger/naive.ts';
import type { Address, OrderItem, OrdersTransaction, PlaceItem, Transaction } from '../ledger/transactions.ts';
import type { ExchangeOptions, Genesis, MarketParameters, Reporter } from './genesis.ts';
import { EVENT_ACTIVE, EVENT_CANCEL, EVENT_CREATED, EVENT_FILL, EVENT_FORCED, EVENT_FUNDING, EVENT_ITEM, EVENT_MONEY } from './layout.ts';
import { NaiveLedger } from './naive.ts';

/** 08:53:20 of the UTC day 20370, which is a multiple of 14. */
export const TIME = 1_760_000_000_000;
export const DAY = 86_400_000;
/** Accounts 0 to 3 of the genesis. */
export const A = address(1);
export const B = address(2);
export const C = address(3);
export const ORACLE = address(9);
export const STRANGER = address(77);
export const NOBODY = 0xffffffff;

/** Unit 2 and leverage 10: an order of 5 lots at 100 has a notional of 1000 and a margin of 100; half of that is maintenance margin. */
export const MARKET: MarketParameters = {
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
  priceBandBps: 0,
  oracleBandBps: 0,
};

export interface World {
  readonly markets?: readonly Partial<MarketParameters>[];
  /** Default: 1000000 each. */
  readonly collateral?: Readonly<Record<Address, bigint>>;
  /** Beside A, B, C and ORACLE: from number 4. */
  readonly others?: readonly Address[];
  readonly maxAccounts?: number;
  readonly orderPages?: number;
  readonly exchange?: Partial<ExchangeOptions>;
  readonly reporters?: readonly Reporter[];
  readonly backstop?: Address;
}

const MAX_ACCOUNTS = 8;

/** The reference of an order in the queue of a level. */
export function link(account: number, slot: number): number {
  return slot * MAX_ACCOUNTS + account + 1;
}

export function genesisOf(world: World = {}): Genesis {
  const { markets = [{}], collateral = {}, others = [], maxAccounts = MAX_ACCOUNTS, orderPages = 1, exchange = {} } = world;
  return {
    maxAccounts,
    orderPages,
    tokens: [
      { name: 'USD', decimals: 6 },
      { name: 'ETH', decimals: 8 },
    ],
    markets: markets.map((market) => ({ ...MARKET, ...market })),
    ...(world.reporters === undefined ? { oracle: ORACLE } : { reporters: world.reporters }),
    ...(world.backstop === undefined ? {} : { backstop: world.backstop }),
    exchange: { farOffPpm: 100_000_000, ...exchange },
    accounts: [A, B, C, ORACLE, ...others].map((account) => ({
      address: account,
      balances: [{ token: 0, amount: 1000n }],
      collateral: collateral[account] ?? 1_000_000n,
    })),
  };
}

export interface Receipt {
  readonly code: number;
  readonly events: Event[];
  readonly bytes: Uint8Array;
}

export class Bench {
  readonly ledger: NaiveLedger;
  timeMs = TIME;
  /** Receipts of the system's transactions in the last block. */
  system: Receipt[] = [];
  #number = 0;

  constructor(world: World = {}) {
    this.ledger = new NaiveLedger(genesisOf(world));
  }

  /** The number of the last block. */
  get blockNumber(): number {
    return this.#number;
  }

  /** Runs a block and gives the receipts of its own transactions. */
  block(...transactions: Transaction[]): Receipt[] {
    this.#number++;
    const receipts = this.ledger.executeBlock({ number: this.#number, timeMs: this.timeMs, transactions }).map(decoded);
    this.system = receipts.splice(transactions.length);
    return receipts;
  }

  codes(...transactions: Transaction[]): number[] {
    return this.block(...transactions).map(({ code }) => code);
  }

  /** A transaction that must succeed, in a block of its own: its events. */
  done(transaction: Transaction): Event[] {
    const [receipt] = this.block(transaction);
    assert(receipt?.code === CODE_OK, `code ${receipt?.code}`);
    return receipt.events;
  }

  /** The events of a batch that is a block of its own. */
  send(sender: Address, ...items: OrderItem[]): Event[] {
    return this.done(orders(sender, ...items));
  }

  /** Sends one item and gives its result. */
  item(sender: Address, item: OrderItem): ItemEvent {
    const last = this.send(sender, item).at(-1);
    assert(last?.type === 'item', 'a batch ends with an item event');
    return last;
  }

  /** A trade between two accounts at one price. */
  trade(buyer: Address, seller: Address, lots: number, priceTicks: number, market = 0): void {
    this.item(seller, sell(lots, priceTicks, { market }));
    const { filled } = this.item(buyer, buy(lots, priceTicks, { market }));
    assert(filled === BigInt(lots), `${filled} of ${lots} lots filled`);
  }

  /** A block with a report of this price, which becomes index and mark: spot and perpetual prices agree, and no time has passed. */
  mark(priceTicks: number, market = 0): void {
    this.done(report(ORACLE, [market, priceTicks]));
    const { markTicks } = this.ledger.state.market(market);
    assert(markTicks === BigInt(priceTicks), `the mark is ${markTicks}, not ${priceTicks}`);
  }

  /** Events of the system's transactions in the last block, in order. */
  systemEvents(): Event[] {
    return this.system.flatMap(({ events }) => events);
  }

  record(recordClass: string, key: string): DataView | undefined {
    const record = this.ledger.records().find((entry) => entry.recordClass === recordClass && entry.key.toHex().slice(2) === key);
    return record && new DataView(record.value.buffer, record.value.byteOffset, record.value.byteLength);
  }

  #existing(recordClass: string, key: string): DataView {
    const view = this.record(recordClass, key);
    assert(view, `no record ${recordClass} ${key}`);
    return view;
  }

  /** Fields of an account's record. */
  account(account: number) {
    const view = this.#existing('account', word(account));
    return {
      nonces: view.getUint8(0),
      head: view.getUint8(1),
      role: view.getUint8(2),
      owner: view.getUint32(4, true),
      nonceMin: view.getBigUint64(8, true),
      nonceMax: view.getBigUint64(16, true),
      subAccounts: view.getUint8(44),
      agents: view.getUint8(45),
      threshold: view.getUint8(46),
      signerSet: view.getUint8(47),
      expiresMs: view.getBigUint64(48, true),
    };
  }

  /** Fields of a margin account's record. */
  margin(account: number) {
    const view = this.#existing('margin account', word(account));
    return {
      collateral: view.getBigInt64(0, true),
      value: view.getBigInt64(8, true),
      positionMargin: view.getBigInt64(16, true),
      maintenance: view.getBigInt64(24, true),
      orderMargin: view.getBigInt64(32, true),
      slots: view.getBigUint64(40, true),
      openOrders: view.getUint16(48, true),
      positions: view.getUint16(50, true),
      feeTier: view.getUint8(52),
      makerTier: view.getUint8(53),
      flags: view.getUint8(54),
      isolated: view.getUint8(55),
    };
  }

  /** Fields of a position's record. */
  position(account: number, market = 0) {
    const view = this.#existing('position', word(account) + word(market));
    const [size, cost, rawUsd, realised, funding] = [0, 8, 16, 24, 32].map((offset) => view.getBigInt64(offset, true));
    return {
      size,
      cost,
      rawUsd,
      realised,
      funding,
      above: view.getUint32(40, true),
      below: view.getUint32(44, true),
      triggers: view.getUint16(48, true),
      leverage: view.getUint8(50),
      isolated: view.getUint8(51),
      attached: view.getUint16(52, true),
    };
  }

  /** size, cost, realised */
  holding(account: number, market = 0): (bigint | undefined)[] {
    const { size, cost, realised } = this.position(account, market);
    return [size, cost, realised];
  }

  /** volume, open interest, fees */
  totals(market = 0): bigint[] {
    return this.longs('market totals', word(market));
  }

  /** The three i64 of an accumulator. */
  longs(recordClass: string, key = ''): bigint[] {
    const view = this.#existing(recordClass, key);
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

/** Quote units of balances, collateral, isolated positions, fees, rewards, dormant accounts and the treasury, and the value of all positions. */
export function moneyOf({ state }: NaiveLedger): bigint {
  let total = state.treasury.balance + state.treasury.withdrawn;
  for (const account of state.accounts.accounts()) total += state.accounts.balance(account, 0);
  for (const { collateral } of state.marginAccounts.values()) total += collateral;
  for (const { builder, referral } of state.rewards.values()) total += builder + referral;
  for (const market of state.markets) total += market.fees;
  for (const { balances, margin, rewards } of state.dormant.values()) {
    total += (balances.get(0) ?? 0n) + (margin?.collateral ?? 0n) + (rewards?.builder ?? 0n) + (rewards?.referral ?? 0n);
  }
  for (const positions of state.positions.values()) {
    for (const [market, { sizeLots, rawUsd }] of positions) {
      total += rawUsd + sizeLots * state.market(market).markTicks * state.market(market).unit;
    }
  }
  return total;
}

export type ItemEvent = { type: 'item'; item: number; code: number; oid: bigint; filled: bigint; resting: bigint };
export type FillEvent = {
  type: 'fill';
  market: number;
  /** Of each pair: the taker's, the maker's. */
  oids: bigint[];
  accounts: number[];
  price: number;
  takerSells: boolean;
  cause: number;
  lots: bigint;
  fees: bigint[];
  closed: bigint[];
  starts: bigint[];
  builderFees: bigint[];
};
export type CancelEvent = { type: 'cancel'; reason: number; market: number; oid: bigint; lots: bigint; account: number };
export type ActiveEvent = {
  type: 'active';
  code: number;
  market: number;
  oid: bigint;
  filled: bigint;
  resting: bigint;
  account: number;
  what: number;
};
export type ForcedEvent = {
  type: 'forced';
  method: number;
  account: number;
  scope: number;
  notional: bigint;
  value: bigint;
  maintenance: bigint;
  counterparty: number;
  market: number;
  lots: bigint;
  amount: bigint;
};
export type MoneyEvent = { type: 'money'; kind: number; from: number; to: number; amount: bigint; fee: bigint; shares: bigint };
export type FundingEvent = {
  type: 'funding';
  market: number;
  rate: bigint;
  premium: bigint;
  index: number;
  paid: bigint;
  residue: bigint;
};
export type CreatedEvent = { type: 'created'; role: number; account: number; owner: number };
export type Event =
  | ItemEvent
  | FillEvent
  | CancelEvent
  | ActiveEvent
  | ForcedEvent
  | MoneyEvent
  | FundingEvent
  | CreatedEvent
  | { type: 'transfer' };

function decoded({ code, events }: NaiveReceipt): Receipt {
  return { code, events: decode(events), bytes: events };
}

function decode(bytes: Uint8Array): Event[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: Event[] = [];
  for (let at = 0; at < bytes.length; at += view.getUint32(at, true) >>> 8) events.push(decodeAt(view, at));
  return events;
}

function decodeAt(view: DataView, at: number): Event {
  const u16 = (offset: number): number => view.getUint16(at + offset, true);
  const u32 = (offset: number): number => view.getUint32(at + offset, true);
  const i64 = (offset: number): bigint => view.getBigInt64(at + offset, true);
  switch (u32(0) & 255) {
    case EVENT_TRANSFER:
      return { type: 'transfer' };
    case EVENT_ITEM:
      return { type: 'item', item: u16(4), code: u16(6), oid: i64(8), filled: i64(16), resting: i64(24) };
    case EVENT_FILL:
      return {
        type: 'fill',
        market: u32(4),
        oids: [i64(8), i64(16)],
        accounts: [u32(24), u32(28)],
        price: u32(32),
        takerSells: (u32(36) & 1) === 1,
        cause: u32(36) >>> 1,
        lots: i64(40),
        fees: [i64(48), i64(56)],
        closed: [i64(64), i64(72)],
        starts: [i64(80), i64(88)],
        builderFees: [i64(96), i64(104)],
      };
    case EVENT_CANCEL:
      return { type: 'cancel', reason: u16(4), market: u16(6), oid: i64(8), lots: i64(16), account: u32(24) };
    case EVENT_ACTIVE:
      return {
        type: 'active',
        code: u16(4),
        market: u16(6),
        oid: i64(8),
        filled: i64(16),
        resting: i64(24),
        account: u32(32),
        what: u32(36),
      };
    case EVENT_FORCED:
      return {
        type: 'forced',
        method: u32(4),
        account: u32(8),
        scope: u32(12),
        notional: i64(16),
        value: i64(24),
        maintenance: i64(32),
        counterparty: u32(40),
        market: u32(44),
        lots: i64(48),
        amount: i64(56),
      };
    case EVENT_FUNDING:
      return { type: 'funding', market: u32(4), rate: i64(8), premium: i64(16), index: u32(24), paid: i64(32), residue: i64(40) };
    case EVENT_MONEY:
      return { type: 'money', kind: u32(4), from: u32(8), to: u32(12), amount: i64(16), fee: i64(24), shares: i64(32) };
    case EVENT_CREATED:
      return { type: 'created', role: u32(4), account: u32(8), owner: u32(12) };
    default:
      throw new RangeError(`no event of type ${u32(0) & 255}`);
  }
}

export function ofType<T extends Event['type']>(events: readonly Event[], type: T): Extract<Event, { type: T }>[] {
  return events.filter((event): event is Extract<Event, { type: T }> => event.type === type);
}

export function fills(events: readonly Event[]): FillEvent[] {
  return ofType(events, 'fill');
}

/** Reason, lots and account of what was taken off. */
export function cancels(events: readonly Event[]): [reason: number, lots: bigint, account: number][] {
  return ofType(events, 'cancel').map(({ reason, lots, account }) => [reason, lots, account]);
}

export function types(events: readonly Event[]): string[] {
  return events.map(({ type }) => type);
}

export function address(number: number): Address {
  return `0x${number.toString(16).padStart(40, '0')}`;
}

export function clientId(number: number): string {
  return `0x${number.toString(16).padStart(32, '0')}`;
}

/** A u32 of a key in hexadecimal. */
export function word(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** The oid of an item. */
export function oidOf(ordinal: number, slot = 0): bigint {
  return BigInt(ordinal) * 8192n + BigInt(slot);
}

export function orders(sender: Address, ...items: OrderItem[]): OrdersTransaction {
  return { kind: 'orders', sender, items };
}

export function report(sender: Address, ...prices: [market: number, ticks: number][]): Transaction {
  return { kind: 'oracle', sender, prices: prices.map(([market, ticks]) => ({ market, spot: [ticks], perp: [ticks] })) };
}

export function buy(sizeLots: number | bigint, priceTicks: number, more: Partial<PlaceItem> = {}): PlaceItem {
  return { op: 'place', market: 0, side: 'buy', tif: 'gtc', priceTicks, sizeLots: BigInt(sizeLots), ...more };
}

export function sell(sizeLots: number | bigint, priceTicks: number, more: Partial<PlaceItem> = {}): PlaceItem {
  return buy(sizeLots, priceTicks, { side: 'sell', ...more });
}
