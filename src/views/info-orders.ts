/** An account's orders: open ones, one by its number or client id, and what became of the others. */
import type { OrderFact } from './facts.ts';
import { openOrderJson, orderJson, orderRowJson } from './order-json.ts';
import type { TrackedOrder } from './order-table.ts';
import type { RequestFields } from './request.ts';
import type { Views } from './views.ts';

const HISTORY_ROWS = 2000;

/** Newest first; `full`: ORDER of the protocol, else OPEN_ORDER. Children show inside of their parents as well. */
export function openOrdersOf(views: Views, account: number | undefined, full: boolean): Record<string, unknown>[] {
  if (account === undefined) return [];
  const { markets, orders } = views;
  const open = orders.openOf(account).sort((a, b) => (a.oid < b.oid ? 1 : -1));
  return open.map((order) => (full ? orderJson(order, order.leftLots, markets, orders) : openOrderJson(order, order.leftLots, markets)));
}

export function historicalOrders(views: Views, fields: RequestFields): unknown {
  const account = views.mirror.numberOf(fields.address());
  return account === undefined ? [] : orderHistoryOf(views, account);
}

/** Newest first. */
export function orderHistoryOf({ histories, markets, orders }: Views, account: number): unknown[] {
  return histories.orders.newest(account, HISTORY_ROWS).map((fact) => orderRowJson(fact, markets, orders));
}

export function orderStatus(views: Views, fields: RequestFields): unknown {
  const user = fields.address();
  const oid = fields.oid();
  const account = views.mirror.numberOf(user);
  if (account === undefined) return { status: 'unknownOid' };
  const fact = factOf(views, user, account, oid);
  if (fact === undefined) return { status: 'unknownOid' };
  return { status: 'order', order: orderRowJson(fact, views.markets, views.orders) };
}

function factOf(views: Views, user: string, account: number, oid: bigint | string): OrderFact | undefined {
  const { orders, archive } = views;
  const order = typeof oid === 'bigint' ? orders.find(oid) : orders.findClientId(account, oid);
  if (order?.account === account) return factOfOrder(order);
  return typeof oid === 'bigint' ? archive?.order(user, account, oid) : archive?.orderOfClientId(user, account, oid);
}

function factOfOrder(order: TrackedOrder): OrderFact {
  return { order, status: order.status, leftLots: order.leftLots, timeMs: order.statusMs, partial: false };
}
