/**
 * Orders, modifications and cancels of the protocol as items of the ledger.
 *
 * A price or size that is no whole number of ticks or lots cannot be said in the ledger's terms. Its item is sent with a value that the rules
 * refuse, and answered with the code that was meant: so the batch, the nonce and the order of the checks are as for every other.
 */
import * as code from '../base/codes.ts';
import type { ModifyItem, OrderItem, OrdersTransaction, PlaceItem } from '../ledger/transactions.ts';
import type { ActionOf, WireOrder } from '../sdk/wire-actions.ts';
import { cancelsAnswer, type ItemEcho, modifyAnswer, ordersAnswer } from './exchange-responses.ts';
import { marketNumber, PRICE_REFUSED, sizeOf, ticksOf } from './ledger-numbers.ts';
import type { ActionContext, BodyOf, Translation } from './translation.ts';

/** While it is put together. */
type Draft<T> = { -readonly [K in keyof T]: T[K] };
type LimitTif = Extract<WireOrder['t'], { limit: unknown }>['limit']['tif'];

/** The market orders of the venue's own page are immediate-or-cancel orders at the limit that it has put in. */
const TIFS: Readonly<Record<LimitTif, PlaceItem['tif']>> = { Gtc: 'gtc', Ioc: 'ioc', Alo: 'alo', FrontendMarket: 'ioc', Fok: 'fok' };

export function orderAction({ orders, grouping, builder }: ActionOf<'order'>, context: ActionContext): Translation {
  const group = groupingOf(grouping);
  const items = orders.map((order) => placeItem(order, context));
  const echoes = orders.map((order, i) => echoOf(order, (items[i] as PlaceItem).priceTicks, context, group !== 'normal'));
  // Orders that follow the position are as large as it is, whatever size they name.
  if (group === 'position') for (const item of items) item.sizeLots = 0n;
  const body: Draft<BodyOf<'orders'>> = { kind: 'orders', items };
  if (group !== undefined) body.grouping = group;
  // A builder that gets nothing needs no approval: clients name theirs to be counted.
  if (builder !== undefined && builder.f !== 0) body.builder = { address: builder.b, fee: marketNumber(builder.f) };
  return { body, answer: ordersAnswer(echoes, context) };
}

export function modifyAction(action: ActionOf<'modify'>, context: ActionContext): Translation {
  const item = modifyItem(action, context, action.a);
  const echo = echoOf(action.order, item.priceTicks, context, true);
  return { body: { kind: 'orders', items: [item] }, answer: modifyAnswer(echo, context) };
}

export function batchModifyAction({ modifies, a: always }: ActionOf<'batchModify'>, context: ActionContext): Translation {
  const items = modifies.map((modify) => modifyItem(modify, context, always));
  const echoes = modifies.map(({ order }, i) => echoOf(order, (items[i] as ModifyItem).priceTicks, context, true));
  return { body: { kind: 'orders', items }, answer: ordersAnswer(echoes, context) };
}

export function cancelAction({ cancels }: ActionOf<'cancel'>): Translation {
  return cancelItems(cancels.map(({ a, o }) => ({ op: 'cancel', market: marketNumber(a), oid: BigInt(o) })));
}

export function cancelByClientIdAction({ cancels }: ActionOf<'cancelByCloid'>): Translation {
  return cancelItems(cancels.map(({ asset, cloid }) => ({ op: 'cancelByClientId', market: marketNumber(asset), target: cloid })));
}

/** Beyond the original. */
export function reduceAction({ reduces }: ActionOf<'reduce'>, { markets }: ActionContext): Translation {
  return cancelItems(
    reduces.map(({ a, o, s }) => {
      const lots = sizeOf(s, markets[a]);
      return { op: 'reduce', market: marketNumber(a), oid: BigInt(o), sizeLots: lots };
    }),
  );
}

function cancelItems(items: readonly OrderItem[]): Translation {
  return { body: { kind: 'orders', items }, answer: cancelsAnswer(items.map(({ market }) => ({ asset: market }))) };
}

/** Priority fees (`{p}`) are taken and not charged: there is no rule for them. */
function groupingOf(grouping: ActionOf<'order'>['grouping']): OrdersTransaction['grouping'] {
  if (grouping === 'normalTpsl') return 'normal';
  return grouping === 'positionTpsl' ? 'position' : undefined;
}

function modifyItem(
  { oid, order }: { readonly oid: string | number; readonly order: WireOrder },
  context: ActionContext,
  always: true | undefined,
): ModifyItem {
  const target = typeof oid === 'string' ? oid : BigInt(oid);
  return { ...placeItem(order, context), op: 'modify', target, ...(always ? { always } : {}) };
}

/** Fields that most orders do not have are put in afterwards: objects that are spread for each of them took half of the time. */
function placeItem({ a, b, p, s, r, t, c, e, d, m }: WireOrder, { markets }: ActionContext): Draft<PlaceItem> {
  const market = markets[a];
  const trigger = 'trigger' in t ? t.trigger : undefined;
  const terms: Draft<PlaceItem> = {
    op: 'place',
    market: marketNumber(a),
    side: b ? 'buy' : 'sell',
    tif: 'limit' in t ? TIFS[t.limit.tif] : trigger?.isMarket ? 'ioc' : 'gtc',
    // The rules do not look at the limit of an order that fires as a market order.
    priceTicks: trigger?.isMarket ? 0 : ticksOf(p, market),
    sizeLots: sizeOf(s, market),
  };
  if (r) terms.reduceOnly = true;
  if (c !== undefined) terms.clientId = c;
  if (e !== undefined) terms.expiresMs = e;
  if (d !== undefined) terms.displayLots = sizeOf(d, market);
  if (m !== undefined) terms.selfTrade = m;
  if (trigger !== undefined) {
    const kind = trigger.tpsl === 'tp' ? 'takeProfit' : 'stopLoss';
    terms.trigger = { kind, market: trigger.isMarket, priceTicks: ticksOf(trigger.triggerPx, market) };
  }
  return terms;
}

/** `ticks`: what the price has become. `alone`: a trigger order among them does not wait for a parent. */
function echoOf({ a, p, t, c }: WireOrder, ticks: number, { markets }: ActionContext, alone: boolean): ItemEcho {
  const isTrigger = 'trigger' in t;
  const isRefused = ticks === PRICE_REFUSED && !(isTrigger && t.trigger.isMarket);
  return {
    asset: a,
    clientId: c,
    loneTrigger: isTrigger && alone,
    instead: isRefused && markets[a] !== undefined && isPositive(p) ? BETWEEN_TICKS : undefined,
  };
}

/** A price, but not one of the market's; what is no number stays an invalid price. */
const BETWEEN_TICKS = { code: code.CODE_INVALID_PRICE, meant: code.CODE_TICK };

function isPositive(text: string): boolean {
  return /^\d+(?:\.\d+)?$/.test(text) && /[1-9]/.test(text);
}
