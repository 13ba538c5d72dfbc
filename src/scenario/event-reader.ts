/**
 * Reads the events of receipts that change what accounts have: fills, forced actions, money that moved. The same object is handed out for
 * every event of a kind. Layouts are those of `src/exchange/layout.ts`; numbers are below 2^53 here, so they are plain.
 */
import { assert } from '../base/assert.ts';
import { EVENT_FILL, EVENT_FORCED, EVENT_MONEY } from '../exchange/layout.ts';
import type { Receipts } from '../execution/api.ts';

export interface FillEvent {
  market: number;
  taker: number;
  maker: number;
  priceTicks: number;
  takerSells: boolean;
  /** CAUSE_* */
  cause: number;
  lots: number;
  takerFee: number;
  makerFee: number;
}

export interface ForcedEvent {
  /** CAUSE_LIQUIDATION, CAUSE_BACKSTOP (a cover when it has no market) or CAUSE_DELEVERAGE. */
  method: number;
  account: number;
  notional: number;
  /** 0xffffffff: none. */
  counterparty: number;
  market: number;
  /** Change of the account's position. */
  lots: number;
  amount: number;
}

export interface MoneyEvent {
  /** Account, 0xffffffff: not collateral. */
  from: number;
  to: number;
  amount: number;
}

export interface EventVisitor {
  fill(event: FillEvent): void;
  forced(event: ForcedEvent): void;
  money(event: MoneyEvent): void;
}

export const NOBODY = 0xffffffff;

const fill: FillEvent = { market: 0, taker: 0, maker: 0, priceTicks: 0, takerSells: false, cause: 0, lots: 0, takerFee: 0, makerFee: 0 };
const forced: ForcedEvent = { method: 0, account: 0, notional: 0, counterparty: 0, market: 0, lots: 0, amount: 0 };
const money: MoneyEvent = { from: 0, to: 0, amount: 0 };

export function visitEvents(receipts: Receipts, visitors: readonly EventVisitor[]): void {
  let view = new DataView<ArrayBufferLike>(new ArrayBuffer(0));
  for (let index = 0; index < receipts.count; index++) {
    const { buffer, byteOffset, byteLength } = receipts.events(index);
    if (byteLength === 0) continue;
    if (view.buffer !== buffer) view = new DataView(buffer);
    for (let at = byteOffset; at < byteOffset + byteLength; at += view.getUint8(at + 1)) {
      assert(view.getUint8(at + 1) !== 0, 'an event has a length');
      switch (view.getUint8(at)) {
        case EVENT_FILL:
          readFill(view, at);
          for (const visitor of visitors) visitor.fill(fill);
          break;
        case EVENT_FORCED:
          readForced(view, at);
          for (const visitor of visitors) visitor.forced(forced);
          break;
        case EVENT_MONEY:
          money.from = view.getUint32(at + 8, true);
          money.to = view.getUint32(at + 12, true);
          money.amount = wide(view, at + 16);
          for (const visitor of visitors) visitor.money(money);
          break;
      }
    }
  }
}

function readFill(view: DataView, at: number): void {
  const flags = view.getUint32(at + 36, true);
  fill.market = view.getUint32(at + 4, true);
  fill.taker = view.getUint32(at + 24, true);
  fill.maker = view.getUint32(at + 28, true);
  fill.priceTicks = view.getUint32(at + 32, true);
  fill.takerSells = (flags & 1) !== 0;
  fill.cause = flags >>> 1;
  fill.lots = wide(view, at + 40);
  fill.takerFee = wide(view, at + 48);
  fill.makerFee = wide(view, at + 56);
}

function readForced(view: DataView, at: number): void {
  forced.method = view.getUint32(at + 4, true);
  forced.account = view.getUint32(at + 8, true);
  forced.notional = wide(view, at + 16);
  forced.counterparty = view.getUint32(at + 40, true);
  forced.market = view.getUint32(at + 44, true);
  forced.lots = wide(view, at + 48);
  forced.amount = wide(view, at + 56);
}

/** An i64. Measured: a third of the time of reading it as a bigint. */
function wide(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}
