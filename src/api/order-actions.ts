/**
 * Orders, modifications and cancels of the protocol as items of the ledger.
 *
 * A price or size that is no whole number of ticks or lots cannot be said in the ledger's terms. Its item is sent with a value that the rules
 * refuse, and answered with the code that was meant: so the batch, the nonce and the order of the checks are as for every other.
 */
import * as code from '../base/codes.ts';
import type { OrderItem, OrdersTransaction, PlaceItem } from '../ledger/transactions.ts';
import type { ActionOf, WireOrder } from '../sdk/wire-actions.ts';
import type { Market } from '../views/index.ts';
import { cancelsAnswer, type ItemEcho, modifyAnswer, ordersAnswer } from './exchange-responses.ts';
import { marketNumber, PRICE_REFUSED, sizeOf, ticksOf } from './ledger-numbers.ts';
import type { ActionContext, Translation } from './translation.ts';

type Terms = Omit<PlaceItem, 'op'>;
type LimitTif = Extract<WireOrder['t'], { limit: unknown }>['limit']['tif'];

/** The market orders of the venue's own page are immediate-or-cancel orders at the limit that it has put in. */
const TIFS: Readonly<Record<LimitTif, PlaceItem['tif']>> = { Gtc: 'gtc', Ioc: 'ioc', Alo: 'alo', FrontendMarket: 'ioc', Fok: 'fok' };

export function orderAction({ orders, grouping, builder }: ActionOf<'order'>, context: ActionContext): Translation {
  const group = groupingOf(grouping);
  // Orders that follow the position are as large as it is, whatever size they name.
  const size = group === 'position' ? { sizeLots: 0n } : {};
  return {
    body: {
      kind: 'orders',
      items: orders.map((order) => ({ op: 'place', ...termsOf(order, context), ...size })),
      ...(group === undefined ? {} : { grouping: group }),
      // A builder that gets nothing needs no approval: clients name theirs to be counted.
      ...(builder === undefined || builder.f === 0 ? {} : { builder: { address: builder.b, fee: marketNumber(builder.f) } }),
    },
    answer: ordersAnswer(
      orders.map((order) => echoOf(order, context, group !== 'normal')),
      context,
    ),
  };
}

export function modifyAction(action: ActionOf<'modify'>, context: ActionContext): Translation {
  const item = modifyItem(action, context, action.a);
  return { body: { kind: 'orders', items: [item] }, answer: modifyAnswer(echoOf(action.order, context, true), context) };
}

export function batchModifyAction({ modifies, a: always }: ActionOf<'batchModify'>, context: ActionContext): Translation {
  return {
    body: { kind: 'orders', items: modifies.map((modify) => modifyItem(modify, context, always)) },
    answer: ordersAnswer(
      modifies.map(({ order }) => echoOf(order, context, true)),
      context,
    ),
  };
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
): OrderItem {
  const target = typeof oid === 'string' ? oid : BigInt(oid);
  return { op: 'modify', ...termsOf(order, context), target, ...(always ? { always } : {}) };
}

function termsOf({ a, b, p, s, r, t, c, e, d, m }: WireOrder, { markets }: ActionContext): Terms {
  const market = markets[a];
  const trigger = 'trigger' in t ? t.trigger : undefined;
  return {
    market: marketNumber(a),
    side: b ? 'buy' : 'sell',
    tif: 'limit' in t ? TIFS[t.limit.tif] : trigger?.isMarket ? 'ioc' : 'gtc',
    // The rules do not look at the limit of an order that fires as a market order.
    priceTicks: trigger?.isMarket ? 0 : ticksOf(p, market),
    sizeLots: sizeOf(s, market),
    ...(r ? { reduceOnly: true } : {}),
    ...(c === undefined ? {} : { clientId: c }),
    ...(e === undefined ? {} : { expiresMs: e }),
    ...(d === undefined ? {} : { displayLots: sizeOf(d, market) }),
    ...(m === undefined ? {} : { selfTrade: m }),
    ...(trigger === undefined
      ? {}
      : {
          trigger: {
            kind: trigger.tpsl === 'tp' ? 'takeProfit' : 'stopLoss',
            market: trigger.isMarket,
            priceTicks: ticksOf(trigger.triggerPx, market),
          },
        }),
  };
}

/** `alone`: a trigger order among them does not wait for a parent. */
function echoOf({ a, p, t, c }: WireOrder, { markets }: ActionContext, alone: boolean): ItemEcho {
  const market = markets[a];
  const isMarket = 'trigger' in t && t.trigger.isMarket;
  return {
    asset: a,
    ...(c === undefined ? {} : { clientId: c }),
    ...('trigger' in t && alone ? { loneTrigger: true } : {}),
    ...(!isMarket && isBetweenTicks(p, market) ? { instead: { code: code.CODE_INVALID_PRICE, meant: code.CODE_TICK } } : {}),
  };
}

/** A price, but not one of the market's; what is no number stays an invalid price. */
function isBetweenTicks(text: string, market: Market | undefined): boolean {
  return market !== undefined && ticksOf(text, market) === PRICE_REFUSED && /^\d+(?:\.\d+)?$/.test(text) && /[1-9]/.test(text);
}
