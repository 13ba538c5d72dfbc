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
  return (receipt[0] as number) | ((receipt[1] as number) << 8);
}

const asItIs = (number: number): number => number;

/** `receipt`: u32 code, then the events. `idOf`: what stands in the events in the place of the ledger's numbers of accounts. */
export function eventsOf(receipt: Uint8Array, idOf: (number: number) => number = asItIs): LedgerEvent[] {
  const events: LedgerEvent[] = [];
  const view = new DataView(receipt.buffer, receipt.byteOffset, receipt.byteLength);
  for (let at = 4; at < receipt.length; ) {
    const length = view.getUint32(at, true) >>> 8;
    assert(length >= 4 && at + length <= receipt.length, 'an event has a length');
    const event = read(view.getUint8(at), view, at, idOf);
    if (event !== undefined) events.push(event);
    at += length;
  }
  return events;
}

function read(kind: number, v: DataView, at: number, idOf: (number: number) => number): LedgerEvent | undefined {
  switch (kind) {
    case X.EVENT_FILL:
      return {
        kind: 'fill',
        market: v.getUint32(at + 4, true),
        takerOid: v.getBigUint64(at + 8, true),
        makerOid: v.getBigUint64(at + 16, true),
        taker: idOf(v.getUint32(at + 24, true)),
        maker: idOf(v.getUint32(at + 28, true)),
        priceTicks: v.getUint32(at + 32, true),
        takerSells: (v.getUint32(at + 36, true) & 1) !== 0,
        cause: v.getUint32(at + 36, true) >>> 1,
        lots: v.getBigInt64(at + 40, true),
        takerFee: v.getBigInt64(at + 48, true),
        makerFee: v.getBigInt64(at + 56, true),
        takerClosedPnl: v.getBigInt64(at + 64, true),
        makerClosedPnl: v.getBigInt64(at + 72, true),
        takerStartLots: v.getBigInt64(at + 80, true),
        makerStartLots: v.getBigInt64(at + 88, true),
        takerBuilderFee: v.getBigInt64(at + 96, true),
        makerBuilderFee: v.getBigInt64(at + 104, true),
      };
    case X.EVENT_ITEM:
      return {
        kind: 'item',
        item: v.getUint16(at + 4, true),
        code: v.getUint16(at + 6, true),
        oid: v.getBigUint64(at + 8, true),
        filledLots: v.getBigInt64(at + 16, true),
        restingLots: v.getBigInt64(at + 24, true),
      };
    case X.EVENT_CANCEL:
      return {
        kind: 'cancel',
        reason: v.getUint16(at + 4, true),
        market: v.getUint16(at + 6, true),
        oid: v.getBigUint64(at + 8, true),
        lots: v.getBigInt64(at + 16, true),
        account: idOf(v.getUint32(at + 24, true)),
      };
    case X.EVENT_ACTIVE:
      return {
        kind: 'active',
        code: v.getUint16(at + 4, true),
        market: v.getUint16(at + 6, true),
        oid: v.getBigUint64(at + 8, true),
        filledLots: v.getBigInt64(at + 16, true),
        restingLots: v.getBigInt64(at + 24, true),
        account: idOf(v.getUint32(at + 32, true)),
        what: v.getUint32(at + 36, true),
      };
    case X.EVENT_FORCED:
      return {
        kind: 'forced',
        method: v.getUint32(at + 4, true),
        account: idOf(v.getUint32(at + 8, true)),
        scope: v.getUint32(at + 12, true),
        notional: v.getBigInt64(at + 16, true),
        accountValue: v.getBigInt64(at + 24, true),
        counterparty: idOf(v.getUint32(at + 40, true)),
        market: v.getUint32(at + 44, true),
        lots: v.getBigInt64(at + 48, true),
        amount: v.getBigInt64(at + 56, true),
      };
    case X.EVENT_FUNDING:
      return {
        kind: 'funding',
        market: v.getUint32(at + 4, true),
        rate: v.getBigInt64(at + 8, true),
        premium: v.getBigInt64(at + 16, true),
        indexTicks: v.getUint32(at + 24, true),
        paid: v.getBigInt64(at + 32, true),
      };
    case X.EVENT_MONEY:
      return {
        kind: 'money',
        transaction: v.getUint32(at + 4, true),
        from: idOf(v.getUint32(at + 8, true)),
        to: idOf(v.getUint32(at + 12, true)),
        amount: v.getBigInt64(at + 16, true),
        fee: v.getBigInt64(at + 24, true),
        shares: v.getBigInt64(at + 32, true),
      };
    case X.EVENT_CREATED:
      return {
        kind: 'created',
        role: v.getUint32(at + 4, true),
        account: idOf(v.getUint32(at + 8, true)),
        owner: idOf(v.getUint32(at + 12, true)),
      };
    case L.EVENT_TRANSFER:
      return {
        kind: 'transfer',
        token: v.getUint32(at + 4, true),
        sender: idOf(v.getUint32(at + 8, true)),
        recipient: idOf(v.getUint32(at + 12, true)),
        amount: v.getBigUint64(at + 16, true),
      };
    default:
      return undefined;
  }
}
