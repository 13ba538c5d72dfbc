/** Orders in the protocol's words: ORDER, OPEN_ORDER and rows of order histories. */
import type { TimeInForce } from '../ledger/transactions.ts';
import type { OrderFact } from './facts.ts';
import type { Market, MarketTable } from './market-table.ts';
import type { OrderTable, TrackedOrder, TriggerTerms } from './order-table.ts';

/** Fill-or-kill orders, which the protocol does not have, never rest: immediate or cancel is nearest. */
const TIFS: Readonly<Record<TimeInForce, string>> = { gtc: 'Gtc', ioc: 'Ioc', alo: 'Alo', market: 'FrontendMarket', fok: 'Ioc' };

const side = (sell: boolean): 'A' | 'B' => (sell ? 'A' : 'B');

function limitPx(order: TrackedOrder, market: Market): string {
  return market.priceText(order.limitTicks);
}

/** `left`: what was left of it then. */
export function openOrderJson(order: TrackedOrder, left: bigint, markets: MarketTable): Record<string, unknown> {
  const market = markets.market(order.market);
  return {
    coin: market.name,
    side: side(order.sell),
    limitPx: limitPx(order, market),
    sz: market.sizeText(left),
    oid: Number(order.oid),
    timestamp: order.timeMs,
    origSz: market.sizeText(order.originalLots),
    ...(order.clientId === undefined ? {} : { cloid: order.clientId }),
    ...(order.reduceOnly ? { reduceOnly: true } : {}),
  };
}

/** With the children that still wait for it. */
export function orderJson(order: TrackedOrder, left: bigint, markets: MarketTable, orders: OrderTable): Record<string, unknown> {
  const market = markets.market(order.market);
  // One that has fired and rests is an order like any other.
  const trigger = order.place === 'book' ? undefined : order.trigger;
  const children = order.children.flatMap((oid) => {
    const child = orders.find(oid);
    return child?.place === 'child' ? [orderJson(child, child.leftLots, markets, orders)] : [];
  });
  return {
    coin: market.name,
    side: side(order.sell),
    limitPx: limitPx(order, market),
    sz: market.sizeText(left),
    oid: Number(order.oid),
    timestamp: order.timeMs,
    triggerCondition: trigger === undefined ? 'N/A' : conditionText(trigger, order.sell, market),
    isTrigger: trigger !== undefined,
    triggerPx: trigger === undefined ? '0' : market.priceText(trigger.priceTicks),
    children,
    isPositionTpsl: trigger?.whole ?? false,
    reduceOnly: order.reduceOnly,
    orderType: typeText(trigger, order.tif),
    origSz: market.sizeText(order.originalLots),
    tif: trigger?.market === true ? null : TIFS[order.tif],
    cloid: order.clientId ?? null,
  };
}

export function orderRowJson(fact: OrderFact, markets: MarketTable, orders: OrderTable): Record<string, unknown> {
  return { order: orderJson(fact.order, fact.leftLots, markets, orders), status: fact.status, statusTimestamp: fact.timeMs };
}

/** Take-profit sells and stop-loss buys wait for the mark to come up, the others for it to come down. */
function conditionText({ takeProfit, priceTicks }: TriggerTerms, sell: boolean, market: Market): string {
  return `Price ${takeProfit === sell ? 'above' : 'below'} ${market.priceText(priceTicks)}`;
}

function typeText(trigger: TriggerTerms | undefined, tif: TimeInForce): string {
  if (trigger !== undefined) return `${trigger.takeProfit ? 'Take Profit' : 'Stop'} ${trigger.market ? 'Market' : 'Limit'}`;
  return tif === 'market' ? 'Market' : 'Limit';
}
