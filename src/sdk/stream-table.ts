/**
 * The subscriptions of the WebSocket interface: what stands beside `type`, the data of their messages, and how to tell from a message which
 * subscription it belongs to (protocol, section 9).
 *
 * Messages name their channel, and most of them what they are about; those of `orderUpdates` and a few others do not say whose they are.
 * Invariant: two subscriptions with the same route cannot be told apart on one connection.
 */
import type * as A from './account-answers.ts';
import type * as M from './market-answers.ts';

type Nothing = Readonly<Record<never, never>>;

interface OfUser {
  readonly user: M.Address;
}

interface OfCoin {
  readonly coin: string;
}

/** subscription, data */
export interface StreamTable {
  readonly allMids: [Nothing, { readonly mids: Readonly<Record<string, string>> }];
  readonly l2Book: [
    OfCoin & { readonly nSigFigs?: 2 | 3 | 4 | 5; readonly mantissa?: 2 | 5; readonly fast?: boolean },
    M.Book & { readonly fast?: true },
  ];
  readonly bbo: [OfCoin, M.BestPrices];
  readonly trades: [OfCoin, readonly M.Trade[]];
  readonly candle: [OfCoin & { readonly interval: M.Interval }, M.Candle];
  readonly activeAssetCtx: [OfCoin, { readonly coin: string; readonly ctx: M.AssetContext }];
  readonly activeAssetData: [OfUser & OfCoin, A.ActiveAssetData];
  readonly clearinghouseState: [OfUser, { readonly user: M.Address; readonly clearinghouseState: A.ClearinghouseState }];
  readonly openOrders: [OfUser, { readonly user: M.Address; readonly orders: readonly A.FullOrder[] }];
  readonly orderUpdates: [OfUser, readonly A.OrderStatus<A.OpenOrder>[]];
  readonly userEvents: [OfUser, UserEvent];
  readonly userFills: [
    OfUser & { readonly aggregateByTime?: boolean },
    { readonly user: M.Address; readonly fills: readonly A.Fill[]; readonly isSnapshot?: true },
  ];
  readonly userFundings: [
    OfUser,
    { readonly user: M.Address; readonly fundings: readonly (A.FundingPayment & { readonly time: number })[]; readonly isSnapshot?: true },
  ];
  readonly userNonFundingLedgerUpdates: [
    OfUser,
    { readonly user: M.Address; readonly nonFundingLedgerUpdates: readonly A.LedgerUpdate[]; readonly isSnapshot?: true },
  ];
  readonly userHistoricalOrders: [
    OfUser,
    { readonly user: M.Address; readonly orderHistory: readonly A.OrderStatus<A.FullOrder>[]; readonly isSnapshot?: true },
  ];
  readonly userTwapHistory: [OfUser, { readonly user: M.Address; readonly history: readonly A.TwapRecord[]; readonly isSnapshot?: true }];
  readonly userTwapSliceFills: [
    OfUser,
    { readonly user: M.Address; readonly twapSliceFills: readonly A.SliceFill[]; readonly isSnapshot?: true },
  ];
  readonly notification: [OfUser, { readonly notification: string }];
}

export type UserEvent =
  | { readonly fills: readonly A.Fill[] }
  | { readonly funding: A.FundingPayment & { readonly time: number } }
  | { readonly liquidation: Readonly<Record<string, unknown>> }
  | { readonly nonUserCancel: readonly { readonly coin: string; readonly oid: number }[] }
  | { readonly twapHistory: readonly A.TwapRecord[] }
  | { readonly twapSliceFills: readonly A.SliceFill[] };

export type StreamName = keyof StreamTable;
export type Subscription<N extends StreamName = StreamName> = { readonly type: N } & StreamTable[N][0];
export type StreamData<N extends StreamName> = StreamTable[N][1];

/** The channel of a subscription's messages, where it is not its type. */
const CHANNELS: Readonly<Record<string, string>> = { userEvents: 'user' };
/** What messages of a channel say about what they are of: [name in the subscription, name in the data]. */
const ABOUT: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  l2Book: [['coin', 'coin']],
  bbo: [['coin', 'coin']],
  trades: [['coin', 'coin']],
  candle: [
    ['coin', 's'],
    ['interval', 'i'],
  ],
  activeAssetCtx: [['coin', 'coin']],
  activeAssetData: [
    ['user', 'user'],
    ['coin', 'coin'],
  ],
  clearinghouseState: [['user', 'user']],
  openOrders: [['user', 'user']],
  userFills: [['user', 'user']],
  userFundings: [['user', 'user']],
  userNonFundingLedgerUpdates: [['user', 'user']],
  userHistoricalOrders: [['user', 'user']],
  userTwapHistory: [['user', 'user']],
  userTwapSliceFills: [['user', 'user']],
};

/** Where the messages of a subscription go to. */
export function routeOfSubscription(subscription: Subscription): string {
  const channel = CHANNELS[subscription.type] ?? subscription.type;
  const fields = subscription as unknown as Readonly<Record<string, unknown>>;
  return route(
    channel,
    (ABOUT[channel] ?? []).map(([name]) => fields[name]),
  );
}

/** Where a message goes to; undefined: it says nothing that it could be told by, as an empty list of trades does. */
export function routeOfMessage(channel: string, data: unknown): string | undefined {
  const about = ABOUT[channel] ?? [];
  const first = Array.isArray(data) ? data[0] : data;
  if (about.length === 0) return route(channel, []);
  if (typeof first !== 'object' || first === null) return undefined;
  return route(
    channel,
    about.map(([, name]) => (first as Readonly<Record<string, unknown>>)[name]),
  );
}

function route(channel: string, about: readonly unknown[]): string {
  return JSON.stringify([
    channel,
    ...about.map((value) => (typeof value === 'string' && value.startsWith('0x') ? value.toLowerCase() : value)),
  ]);
}

/** The same for the same subscription, whatever the order of its keys and the case of its addresses. */
export function subscriptionKey(subscription: object): string {
  const entries = Object.entries(subscription)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => [key, typeof value === 'string' && value.startsWith('0x') ? value.toLowerCase() : value])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return JSON.stringify(entries);
}
