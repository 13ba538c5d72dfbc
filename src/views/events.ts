/** The events of receipts as typed objects (layouts: src/ledger/layout.ts, src/exchange/layout.ts). Kinds that no view needs are skipped. */
import { assert } from '../base/assert.ts';
import * as X from '../exchange/layout.ts';
import * as L from '../ledger/layout.ts';

export interface FillEvent {
  readonly kind: 'fill';
  readonly market: number;
  readonly takerOid: bigint;
  readonly makerOid: bigint;
  readonly taker: number;
  readonly maker: number;
  readonly priceTicks: number;
  readonly takerSells: boolean;
  /** CAUSE_*. */
  readonly cause: number;
  readonly lots: bigint;
  readonly takerFee: bigint;
  readonly makerFee: bigint;
  readonly takerClosedPnl: bigint;
  readonly makerClosedPnl: bigint;
  readonly takerStartLots: bigint;
  readonly makerStartLots: bigint;
  readonly takerBuilderFee: bigint;
  readonly makerBuilderFee: bigint;
}

export interface ItemEvent {
  readonly kind: 'item';
  readonly item: number;
  readonly code: number;
  readonly oid: bigint;
  readonly filledLots: bigint;
  readonly restingLots: bigint;
}

export interface CancelEvent {
  readonly kind: 'cancel';
  readonly reason: number;
  readonly market: number;
  readonly oid: bigint;
  readonly lots: bigint;
  readonly account: number;
}

export interface ActiveEvent {
  readonly kind: 'active';
  readonly code: number;
  readonly market: number;
  /** Of TWAPs: the id. */
  readonly oid: bigint;
  readonly filledLots: bigint;
  readonly restingLots: bigint;
  readonly account: number;
  /** ACTIVE_*. */
  readonly what: number;
}

export interface ForcedEvent {
  readonly kind: 'forced';
  /** CAUSE_*. */
  readonly method: number;
  readonly account: number;
  /** 0: cross, else market + 1. */
  readonly scope: number;
  readonly notional: bigint;
  readonly accountValue: bigint;
  readonly counterparty: number;
  readonly market: number;
  readonly lots: bigint;
  readonly amount: bigint;
}

export interface FundingEvent {
  readonly kind: 'funding';
  readonly market: number;
  readonly rate: bigint;
  readonly premium: bigint;
  readonly indexTicks: number;
  readonly paid: bigint;
}

export interface MoneyEvent {
  readonly kind: 'money';
  /** KIND_*. */
  readonly transaction: number;
  readonly from: number;
  readonly to: number;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly shares: bigint;
}

export interface CreatedEvent {
  readonly kind: 'created';
  readonly role: number;
  readonly account: number;
  readonly owner: number;
}

export interface TransferEvent {
  readonly kind: 'transfer';
  readonly token: number;
  readonly sender: number;
  readonly recipient: number;
  readonly amount: bigint;
}

export type LedgerEvent =
  | FillEvent
  | ItemEvent
  | CancelEvent
  | ActiveEvent
  | ForcedEvent
  | FundingEvent
  | MoneyEvent
  | CreatedEvent
  | TransferEvent;

export function codeOf(receipt: Uint8Array): number {
  return new DataView(receipt.buffer, receipt.byteOffset).getUint32(0, true);
}

/** `receipt`: u32 code, then the events. */
export function* eventsOf(receipt: Uint8Array): Generator<LedgerEvent, void, undefined> {
  const view = new DataView(receipt.buffer, receipt.byteOffset, receipt.byteLength);
  for (let at = 4; at < receipt.length; ) {
    const length = view.getUint32(at, true) >>> 8;
    assert(length >= 4 && at + length <= receipt.length, 'an event has a length');
    const event = read(view.getUint8(at), view, at);
    if (event !== undefined) yield event;
    at += length;
  }
}

function read(kind: number, view: DataView, base: number): LedgerEvent | undefined {
  const u16 = (at: number) => view.getUint16(base + at, true);
  const u32 = (at: number) => view.getUint32(base + at, true);
  const u64 = (at: number) => view.getBigUint64(base + at, true);
  const i64 = (at: number) => view.getBigInt64(base + at, true);
  switch (kind) {
    case X.EVENT_FILL:
      return {
        kind: 'fill',
        market: u32(4),
        takerOid: u64(8),
        makerOid: u64(16),
        taker: u32(24),
        maker: u32(28),
        priceTicks: u32(32),
        takerSells: (u32(36) & 1) !== 0,
        cause: u32(36) >>> 1,
        lots: i64(40),
        takerFee: i64(48),
        makerFee: i64(56),
        takerClosedPnl: i64(64),
        makerClosedPnl: i64(72),
        takerStartLots: i64(80),
        makerStartLots: i64(88),
        takerBuilderFee: i64(96),
        makerBuilderFee: i64(104),
      };
    case X.EVENT_ITEM:
      return { kind: 'item', item: u16(4), code: u16(6), oid: u64(8), filledLots: i64(16), restingLots: i64(24) };
    case X.EVENT_CANCEL:
      return { kind: 'cancel', reason: u16(4), market: u16(6), oid: u64(8), lots: i64(16), account: u32(24) };
    case X.EVENT_ACTIVE:
      return {
        kind: 'active',
        code: u16(4),
        market: u16(6),
        oid: u64(8),
        filledLots: i64(16),
        restingLots: i64(24),
        account: u32(32),
        what: u32(36),
      };
    case X.EVENT_FORCED:
      return {
        kind: 'forced',
        method: u32(4),
        account: u32(8),
        scope: u32(12),
        notional: i64(16),
        accountValue: i64(24),
        counterparty: u32(40),
        market: u32(44),
        lots: i64(48),
        amount: i64(56),
      };
    case X.EVENT_FUNDING:
      return { kind: 'funding', market: u32(4), rate: i64(8), premium: i64(16), indexTicks: u32(24), paid: i64(32) };
    case X.EVENT_MONEY:
      return { kind: 'money', transaction: u32(4), from: u32(8), to: u32(12), amount: i64(16), fee: i64(24), shares: i64(32) };
    case X.EVENT_CREATED:
      return { kind: 'created', role: u32(4), account: u32(8), owner: u32(12) };
    case L.EVENT_TRANSFER:
      return { kind: 'transfer', token: u32(4), sender: u32(8), recipient: u32(12), amount: u64(16) };
    default:
      return undefined;
  }
}
