/**
 * Facts as rows of packed logs: fields in the order of the code below, one behind the other, numbers of 64 bits first where that keeps them aligned.
 *
 * Everything that a fact says comes back: what is read from a row equals what was written, but for the object that an order is
 * (order-table.ts has its terms). Rows are of this process and never stored, so their form needs no version.
 */
import { assert } from '../base/assert.ts';
import {
  DIRECTIONS,
  type Direction,
  type FillFact,
  type FundingFact,
  type MoneyFact,
  type OrderFact,
  type PaymentFact,
  type TradeFact,
} from './facts.ts';
import { numberOfStatus, type OrderTable, statusOfNumber } from './order-table.ts';
import type { RowCodec } from './packed-log.ts';
import { CLIENT_ID_BYTES, readClientId, writeClientId } from './packed-words.ts';
import { HASH_BYTES, nameOfHash, type TransactionName } from './transaction-name.ts';

const SELLS = 1;
const CROSSED = 2;
const HAS_CLIENT_ID = 4;
const HAS_TWAP = 8;
const LIQUIDATED = 16;
const BY_BACKSTOP = 32;

const DIRECTION_NUMBERS: ReadonlyMap<Direction, number> = new Map(DIRECTIONS.map((direction, i) => [direction, i]));

export const FILL_ROWS: RowCodec<FillFact> = {
  bytes: 80 + CLIENT_ID_BYTES + HASH_BYTES,
  write(view, at, fill) {
    const { liquidation, clientId, twapId } = fill;
    view.setBigInt64(at, fill.lots, true);
    view.setBigInt64(at + 8, fill.startLots, true);
    view.setBigInt64(at + 16, fill.closedPnl, true);
    view.setBigInt64(at + 24, fill.fee, true);
    view.setBigInt64(at + 32, fill.builderFee, true);
    view.setBigUint64(at + 40, fill.oid, true);
    view.setFloat64(at + 48, fill.tid, true);
    view.setUint32(at + 56, fill.account, true);
    view.setUint32(at + 60, fill.priceTicks, true);
    view.setUint32(at + 64, twapId ?? 0, true);
    view.setUint32(at + 68, liquidation?.account ?? 0, true);
    view.setUint32(at + 72, liquidation?.markTicks ?? 0, true);
    view.setUint16(at + 76, fill.market, true);
    view.setUint8(at + 78, DIRECTION_NUMBERS.get(fill.direction) as number);
    view.setUint8(
      at + 79,
      (fill.sell ? SELLS : 0) |
        (fill.crossed ? CROSSED : 0) |
        (clientId === undefined ? 0 : HAS_CLIENT_ID) |
        (twapId === undefined ? 0 : HAS_TWAP) |
        (liquidation === undefined ? 0 : LIQUIDATED) |
        (liquidation?.method === 'backstop' ? BY_BACKSTOP : 0),
    );
    if (clientId !== undefined) writeClientId(view, at + 80, clientId);
    writeName(view, at + 80 + CLIENT_ID_BYTES, fill.transaction);
  },
  read(view, at, timeMs) {
    const flags = view.getUint8(at + 79);
    return {
      account: view.getUint32(at + 56, true),
      market: view.getUint16(at + 76, true),
      sell: (flags & SELLS) !== 0,
      lots: view.getBigInt64(at, true),
      priceTicks: view.getUint32(at + 60, true),
      timeMs,
      startLots: view.getBigInt64(at + 8, true),
      direction: DIRECTIONS[view.getUint8(at + 78)] as Direction,
      closedPnl: view.getBigInt64(at + 16, true),
      fee: view.getBigInt64(at + 24, true),
      builderFee: view.getBigInt64(at + 32, true),
      crossed: (flags & CROSSED) !== 0,
      oid: view.getBigUint64(at + 40, true),
      tid: view.getFloat64(at + 48, true),
      clientId: (flags & HAS_CLIENT_ID) === 0 ? undefined : readClientId(view, at + 80),
      twapId: (flags & HAS_TWAP) === 0 ? undefined : view.getUint32(at + 64, true),
      liquidation:
        (flags & LIQUIDATED) === 0
          ? undefined
          : {
              account: view.getUint32(at + 68, true),
              markTicks: view.getUint32(at + 72, true),
              method: (flags & BY_BACKSTOP) === 0 ? 'market' : 'backstop',
            },
      transaction: readName(view, at + 80 + CLIENT_ID_BYTES),
    };
  },
};

export const TRADE_ROWS: RowCodec<TradeFact> = {
  bytes: 32 + HASH_BYTES,
  write(view, at, trade) {
    view.setBigInt64(at, trade.lots, true);
    view.setFloat64(at + 8, trade.tid, true);
    view.setUint32(at + 16, trade.priceTicks, true);
    view.setUint32(at + 20, trade.buyer, true);
    view.setUint32(at + 24, trade.seller, true);
    view.setUint16(at + 28, trade.market, true);
    view.setUint8(at + 30, trade.takerSells ? 1 : 0);
    writeName(view, at + 32, trade.transaction);
  },
  read(view, at, timeMs) {
    return {
      market: view.getUint16(at + 28, true),
      takerSells: view.getUint8(at + 30) !== 0,
      lots: view.getBigInt64(at, true),
      priceTicks: view.getUint32(at + 16, true),
      timeMs,
      tid: view.getFloat64(at + 8, true),
      buyer: view.getUint32(at + 20, true),
      seller: view.getUint32(at + 24, true),
      transaction: readName(view, at + 32),
    };
  },
};

/** Steps of orders; the orders themselves stay in the table while a row shows them. */
export function orderRows(orders: OrderTable): RowCodec<OrderFact> {
  return {
    bytes: 16,
    write(view, at, fact) {
      assert(!fact.partial, 'a partial fill is no step of a history');
      orders.show(fact.order);
      view.setBigInt64(at, fact.leftLots, true);
      view.setUint32(at + 8, fact.order.row, true);
      view.setUint8(at + 12, numberOfStatus(fact.status));
    },
    read(view, at, timeMs) {
      return {
        order: orders.order(view.getUint32(at + 8, true)),
        status: statusOfNumber(view.getUint8(at + 12)),
        leftLots: view.getBigInt64(at, true),
        timeMs,
        partial: false,
      };
    },
    gone(view, at) {
      orders.hide(view.getUint32(at + 8, true));
    },
  };
}

export const FUNDING_ROWS: RowCodec<FundingFact> = {
  bytes: 24,
  write(view, at, { market, rate, premium }) {
    view.setBigInt64(at, rate, true);
    view.setBigInt64(at + 8, premium, true);
    view.setUint16(at + 16, market, true);
  },
  read: (view, at, timeMs) => ({
    market: view.getUint16(at + 16, true),
    rate: view.getBigInt64(at, true),
    premium: view.getBigInt64(at + 8, true),
    timeMs,
  }),
};

export const PAYMENT_ROWS: RowCodec<PaymentFact> = {
  bytes: 32,
  write(view, at, { account, market, rate, amount, lots }) {
    view.setBigInt64(at, rate, true);
    view.setBigInt64(at + 8, amount, true);
    view.setBigInt64(at + 16, lots, true);
    view.setUint32(at + 24, account, true);
    view.setUint16(at + 28, market, true);
  },
  read: (view, at, timeMs) => ({
    account: view.getUint32(at + 24, true),
    market: view.getUint16(at + 28, true),
    rate: view.getBigInt64(at, true),
    amount: view.getBigInt64(at + 8, true),
    lots: view.getBigInt64(at + 16, true),
    timeMs,
  }),
};

// --- Money ------------------------------------------------------------------------------------------------------------------------

const MONEY = 0;
const TRANSFER = 1;
/** A liquidation: it has a list of positions, and is rare. Its event stays an object, which the row has the number of. */
const FORCED = 2;
const HAS_NONCE = 1;

type ForcedMoney = Extract<MoneyFact['event'], { kind: 'forced' }>;

export function moneyRows(): RowCodec<MoneyFact> {
  const forced = new Map<number, ForcedMoney>();
  let nextForced = 0;
  return {
    bytes: 56 + HASH_BYTES,
    write(view, at, { account, transaction, nonce, event }) {
      view.setUint32(at, account, true);
      view.setUint8(at + 4, event.kind === 'money' ? MONEY : event.kind === 'transfer' ? TRANSFER : FORCED);
      view.setUint8(at + 5, nonce === undefined ? 0 : HAS_NONCE);
      view.setBigUint64(at + 8, nonce ?? 0n, true);
      writeName(view, at + 56, transaction);
      if (event.kind === 'money') {
        view.setBigInt64(at + 16, event.amount, true);
        view.setBigInt64(at + 24, event.fee, true);
        view.setBigInt64(at + 32, event.shares, true);
        view.setUint32(at + 40, event.transaction, true);
        view.setUint32(at + 44, event.from, true);
        view.setUint32(at + 48, event.to, true);
      } else if (event.kind === 'transfer') {
        view.setBigUint64(at + 16, event.amount, true);
        view.setUint32(at + 40, event.token, true);
        view.setUint32(at + 44, event.sender, true);
        view.setUint32(at + 48, event.recipient, true);
      } else {
        view.setFloat64(at + 16, nextForced, true);
        forced.set(nextForced++, event);
      }
    },
    read(view, at, timeMs) {
      return {
        account: view.getUint32(at, true),
        timeMs,
        transaction: readName(view, at + 56),
        nonce: view.getUint8(at + 5) === 0 ? undefined : view.getBigUint64(at + 8, true),
        event: eventOf(view, at),
      };
    },
    gone(view, at) {
      if (view.getUint8(at + 4) === FORCED) forced.delete(view.getFloat64(at + 16, true));
    },
  };

  function eventOf(view: DataView, at: number): MoneyFact['event'] {
    switch (view.getUint8(at + 4)) {
      case MONEY:
        return {
          kind: 'money',
          transaction: view.getUint32(at + 40, true),
          from: view.getUint32(at + 44, true),
          to: view.getUint32(at + 48, true),
          amount: view.getBigInt64(at + 16, true),
          fee: view.getBigInt64(at + 24, true),
          shares: view.getBigInt64(at + 32, true),
        };
      case TRANSFER:
        return {
          kind: 'transfer',
          token: view.getUint32(at + 40, true),
          sender: view.getUint32(at + 44, true),
          recipient: view.getUint32(at + 48, true),
          amount: view.getBigUint64(at + 16, true),
        };
      default:
        return forced.get(view.getFloat64(at + 16, true)) as ForcedMoney;
    }
  }
}

// --- Names ------------------------------------------------------------------------------------------------------------------------

function writeName(view: DataView, at: number, { bytes }: TransactionName): void {
  for (let i = 0; i < HASH_BYTES; i++) view.setUint8(at + i, bytes[i] as number);
}

/** A copy: the row may be another's before the name is asked for. */
function readName(view: DataView, at: number): TransactionName {
  return nameOfHash(new Uint8Array(view.buffer, view.byteOffset + at, HASH_BYTES).slice());
}
