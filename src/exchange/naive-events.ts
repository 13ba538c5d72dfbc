/** Events of the exchange as bytes, written from the tables of `layout.ts`; for the naive twin. */
import { assert } from '../base/assert.ts';
import { i64, joined, u16, u32, u64 } from '../ledger/naive.ts';
import {
  EVENT_ACTIVE,
  EVENT_ACTIVE_BYTES,
  EVENT_CANCEL,
  EVENT_CANCEL_BYTES,
  EVENT_CREATED,
  EVENT_CREATED_BYTES,
  EVENT_FILL,
  EVENT_FILL_BYTES,
  EVENT_FORCED,
  EVENT_FORCED_BYTES,
  EVENT_FUNDING,
  EVENT_FUNDING_BYTES,
  EVENT_ITEM,
  EVENT_ITEM_BYTES,
  EVENT_MONEY,
  EVENT_MONEY_BYTES,
} from './layout.ts';

/** An event of any type: its header, then the fields, which must fill it. */
export function eventBytes(type: number, byteLength: number, ...fields: Uint8Array[]): Uint8Array {
  const bytes = joined(u32(type + byteLength * 256), ...fields);
  assert(bytes.length === byteLength, `event ${type} has ${bytes.length} bytes`);
  return bytes;
}

export function itemEvent(fields: {
  readonly item: number;
  readonly code: number;
  readonly oid: bigint;
  readonly filledLots: bigint;
  readonly restingLots: bigint;
}): Uint8Array {
  const { item, code, oid, filledLots, restingLots } = fields;
  return eventBytes(EVENT_ITEM, EVENT_ITEM_BYTES, u16(item), u16(code), u64(oid), i64(filledLots), i64(restingLots));
}

/** One side of a fill. */
export interface FillSide {
  readonly account: number;
  readonly oid: bigint;
  /** Builder's fee included. */
  readonly fee: bigint;
  readonly builderFee: bigint;
  readonly closedPnl: bigint;
  /** Signed position before. */
  readonly startLots: bigint;
}

export function fillEvent(fields: {
  readonly market: number;
  readonly priceTicks: bigint;
  readonly lots: bigint;
  readonly takerSells: boolean;
  /** CAUSE_*. */
  readonly cause: number;
  readonly taker: FillSide;
  readonly maker: FillSide;
}): Uint8Array {
  const { market, priceTicks, lots, takerSells, cause, taker, maker } = fields;
  return eventBytes(
    EVENT_FILL,
    EVENT_FILL_BYTES,
    u32(market),
    u64(taker.oid),
    u64(maker.oid),
    u32(taker.account),
    u32(maker.account),
    u32(Number(priceTicks)),
    u32((takerSells ? 1 : 0) + 2 * cause),
    i64(lots),
    i64(taker.fee),
    i64(maker.fee),
    i64(taker.closedPnl),
    i64(maker.closedPnl),
    i64(taker.startLots),
    i64(maker.startLots),
    i64(taker.builderFee),
    i64(maker.builderFee),
  );
}

export function cancelEvent(fields: {
  /** REASON_*. */
  readonly reason: number;
  readonly market: number;
  readonly oid: bigint;
  readonly lots: bigint;
  readonly account: number;
}): Uint8Array {
  const { reason, market, oid, lots, account } = fields;
  return eventBytes(EVENT_CANCEL, EVENT_CANCEL_BYTES, u16(reason), u16(market), u64(oid), i64(lots), u32(account), u32(0));
}

export function activeEvent(fields: {
  readonly code: number;
  readonly market: number;
  readonly oid: bigint;
  readonly filledLots: bigint;
  readonly restingLots: bigint;
  readonly account: number;
  /** ACTIVE_*. */
  readonly what: number;
}): Uint8Array {
  const { code, market, oid, filledLots, restingLots, account, what } = fields;
  return eventBytes(
    EVENT_ACTIVE,
    EVENT_ACTIVE_BYTES,
    u16(code),
    u16(market),
    u64(oid),
    i64(filledLots),
    i64(restingLots),
    u32(account),
    u32(what),
    i64(0n),
  );
}

export function forcedEvent(fields: {
  /** CAUSE_*. */
  readonly method: number;
  readonly account: number;
  /** 0: cross, else market + 1. */
  readonly scope: number;
  readonly notional: bigint;
  readonly accountValue: bigint;
  readonly maintenance: bigint;
  /** Account number, or 0xffffffff. */
  readonly counterparty: number;
  /** Market number, or 0xffffffff. */
  readonly market: number;
  readonly lots: bigint;
  readonly amount: bigint;
}): Uint8Array {
  const { method, account, scope, notional, accountValue, maintenance, counterparty, market, lots, amount } = fields;
  return eventBytes(
    EVENT_FORCED,
    EVENT_FORCED_BYTES,
    u32(method),
    u32(account),
    u32(scope),
    i64(notional),
    i64(accountValue),
    i64(maintenance),
    u32(counterparty),
    u32(market),
    i64(lots),
    i64(amount),
  );
}

export function fundingEvent(fields: {
  readonly market: number;
  readonly rate: bigint;
  readonly premium: bigint;
  readonly indexTicks: bigint;
  readonly paid: bigint;
  readonly residue: bigint;
}): Uint8Array {
  const { market, rate, premium, indexTicks, paid, residue } = fields;
  return eventBytes(
    EVENT_FUNDING,
    EVENT_FUNDING_BYTES,
    u32(market),
    i64(rate),
    i64(premium),
    u32(Number(indexTicks)),
    u32(0),
    i64(paid),
    i64(residue),
  );
}

export function moneyEvent(fields: {
  /** KIND_*. */
  readonly kind: number;
  /** Account numbers, or 0xffffffff. */
  readonly from: number;
  readonly to: number;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly shares: bigint;
}): Uint8Array {
  const { kind, from, to, amount, fee, shares } = fields;
  return eventBytes(EVENT_MONEY, EVENT_MONEY_BYTES, u32(kind), u32(from), u32(to), i64(amount), i64(fee), i64(shares));
}

export function createdEvent(fields: {
  /** ROLE_*. */ readonly role: number;
  readonly account: number;
  readonly owner: number;
}): Uint8Array {
  const { role, account, owner } = fields;
  return eventBytes(EVENT_CREATED, EVENT_CREATED_BYTES, u32(role), u32(account), u32(owner), u64(0n));
}
