/** Orders as their records have them: those that were open before the first block that is known. When they were placed is in no record. */
import { assert } from '../base/assert.ts';
import * as X from '../exchange/layout.ts';
import type { ClientId, TimeInForce } from '../ledger/transactions.ts';
import { triggerLimitTicks } from './block-facts.ts';
import type { MarketTable } from './market-table.ts';
import type { NewOrder, OrderPlace } from './order-table.ts';
import type { StateMirror } from './state-mirror.ts';

const TIFS: ReadonlyMap<number, TimeInForce> = new Map([
  [X.TIF_GTC, 'gtc'],
  [X.TIF_IOC, 'ioc'],
  [X.TIF_ALO, 'alo'],
  [X.TIF_MARKET, 'market'],
  [X.TIF_FOK, 'fok'],
]);

/** `placed`: what is known of it from elsewhere. */
export function orderOfRecord(
  mirror: StateMirror,
  markets: MarketTable,
  account: number,
  slot: number,
  placed: { readonly timeMs: number; readonly clientId: ClientId | undefined } = { timeMs: 0, clientId: undefined },
): NewOrder {
  const record = mirror.orders.get(account, slot);
  assert(record !== undefined, 'an order has a record');
  const extra = mirror.extras.get(account, slot);
  const sell = (record.flags & X.FLAG_SELL) !== 0;
  const { timeMs, clientId } = placed;
  const waits = (record.flags & (X.ORDER_TRIGGER | X.ORDER_CHILD)) !== 0;
  const trigger =
    extra === undefined || extra.triggerTicks === 0 || !waits
      ? undefined
      : {
          takeProfit: extra.triggerKind === X.TRIGGER_TAKE_PROFIT,
          priceTicks: extra.triggerTicks,
          market: extra.triggerMarket,
          whole: extra.whole,
        };
  return {
    oid: record.oid,
    account,
    market: record.market,
    sell,
    tif: TIFS.get(record.tif) ?? 'gtc',
    limitTicks: trigger?.market === true ? triggerLimitTicks(trigger.priceTicks, sell, markets.market(record.market)) : record.priceTicks,
    originalLots: record.originalLots,
    reduceOnly: (record.flags & X.FLAG_REDUCE_ONLY) !== 0,
    clientId,
    trigger,
    timeMs,
    leftLots: record.sizeLots + (extra?.hiddenLots ?? 0n),
    place: placeOf(record.flags),
    status: 'open',
    statusMs: timeMs,
    children: [extra?.child1 ?? 0, extra?.child2 ?? 0].flatMap((link) => {
      const child = link === 0 ? undefined : mirror.orders.get(account, link - 1);
      return child === undefined ? [] : [child.oid];
    }),
  };
}

/** Where an order with these ORDER_* flags is. */
export function placeOf(flags: number): OrderPlace {
  if ((flags & X.ORDER_CHILD) !== 0) return 'child';
  return (flags & X.ORDER_TRIGGER) !== 0 ? 'trigger' : 'book';
}
