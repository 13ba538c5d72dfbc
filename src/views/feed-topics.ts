/**
 * What there is to listen to, one topic a subscription: its channel, its snapshot and what it says of a block.
 *
 * Snapshots of histories carry `isSnapshot: true`; streams of states (books, contexts, margins) send the whole state whenever it has changed.
 * Types that Heddle has nothing of are topics that say nothing after an empty snapshot.
 */

import { deflateRawSync } from 'node:zlib';
import type { Address } from '../ledger/transactions.ts';
import { quoteText } from './decimal-text.ts';
import type { FillFact, OrderFact } from './facts.ts';
import type { BlockNews, UserNews } from './feed-news.ts';
import { candleJson, paymentJson, tradeJson, twapRowJson } from './history-json.ts';
import { activeAssetOf, clearinghouseOf, spotStateOf } from './info-accounts.ts';
import { fillRows, ledgerUpdates, sliceFillRows, twapHistoryOf, twapStates } from './info-history.ts';
import { allMids, assetContext, assetContexts, bookJson, bookRequest, levelJson, midText, recentTradesOf } from './info-markets.ts';
import { openOrdersOf, orderHistoryOf } from './info-orders.ts';
import { webData2, webData3Of } from './info-web-data.ts';
import type { Market } from './market-table.ts';
import { openOrderJson, orderRowJson } from './order-json.ts';
import { MalformedRequest, type RequestFields } from './request.ts';
import type { Views } from './views.ts';

export interface Topic {
  readonly channel: string;
  readonly subscription: Readonly<Record<string, unknown>>;
  /** Whose blocks concern it; neither: every block may. */
  readonly user?: Address;
  readonly market?: number;
  snapshot(views: Views): Iterable<unknown>;
  concerns(news: BlockNews): boolean;
  update(views: Views, news: BlockNews): Iterable<unknown>;
  /** Milliseconds until it may send again; topics without it may always, the others send their snapshot as update. */
  delay?(nowMs: number): number;
  sent?(nowMs: number): void;
}

/** Rows that a snapshot of a history has. */
const SNAPSHOT_FILLS = 2000;
const SNAPSHOT_ROWS = 500;
const BOOK_INTERVAL_MS = 500;
const FAST_LEVELS = 5;

export function topicOf(views: Views, fields: RequestFields): Topic {
  if (!Object.hasOwn(TOPICS, fields.type)) throw new MalformedRequest();
  return (TOPICS[fields.type] as (views: Views, fields: RequestFields) => Topic)(views, fields);
}

const TOPICS: Readonly<Record<string, (views: Views, fields: RequestFields) => Topic>> = {
  // Markets.
  allMids: allMidsTopic,
  l2Book: bookTopic,
  bbo: bboTopic,
  trades: tradesTopic,
  candle: candleTopic,
  activeAssetCtx: (views, fields) =>
    marketState('activeAssetCtx', fields, marketOf(views, fields), (market, current) => ({
      coin: market.name,
      ctx: assetContext(current, market),
    })),
  assetCtxs: (_, fields) =>
    globalState('assetCtxs', withDex(fields), (views) => ({ dex: '', ctxs: ofVenue(fields, assetContexts(views), []) })),
  allDexsAssetCtxs: (_, fields) =>
    globalState('allDexsAssetCtxs', { type: fields.type }, (views) => ({ ctxs: [['', assetContexts(views)]] })),
  fastAssetCtxs: fastContextsTopic,
  // Users.
  clearinghouseState: (_, fields) =>
    userState(fields, withDex(fields, true), (views, user) => ({
      dex: '',
      user,
      clearinghouseState: clearinghouseOf(views, ofVenue(fields, views.mirror.numberOf(user), undefined)),
    })),
  allDexsClearinghouseState: (_, fields) =>
    userState(fields, withUser(fields), (views, user) => ({
      user,
      clearinghouseStates: [['', clearinghouseOf(views, views.mirror.numberOf(user))]],
    })),
  activeAssetData: activeAssetTopic,
  openOrders: (_, fields) =>
    userStream(fields, withDex(fields, true), {
      snapshot: (views, user) => [{ dex: '', user, orders: ofVenue(fields, openOrdersOf(views, views.mirror.numberOf(user), true), []) }],
      concerns: ({ orders }) => orders.length > 0,
    }),
  orderUpdates: (_, fields) =>
    userStream(fields, withUser(fields), {
      snapshot: () => [],
      concerns: ({ orders }) => orders.length > 0,
      update: (views, { orders }) => [orders.map((fact) => orderUpdate(views, fact))],
    }),
  spotState: (_, fields) =>
    userState(
      fields,
      { ...withUser(fields), ignorePortfolioMargin: fields.flag('ignorePortfolioMargin') },
      (views, user) => ({ user, spotState: spotStateOf(views, views.mirror.numberOf(user)) }),
      ({ touched }) => touched,
    ),
  twapStates: (_, fields) =>
    userState(
      fields,
      withDex(fields, true),
      (views, user) => ({ dex: '', user, states: twapStates(views, views.mirror.numberOf(user)) }),
      ({ twaps, fills }) => twaps.length > 0 || fills.some(({ twapId }) => twapId !== undefined),
    ),
  webData2: (_, fields) =>
    userState(
      fields,
      withUser(fields),
      (views) => webData2(views, fields),
      ({ touched }) => touched,
    ),
  webData3: (_, fields) => userState(fields, withUser(fields), webData3Of, ({ touched }) => touched),
  notification: (_, fields) => silent('notification', fields, fields.address()),
  // Histories.
  userEvents: userEventsTopic,
  userFills: userFillsTopic,
  userFundings: (_, fields) =>
    history(fields, withUser(fields), 'fundings', {
      rows: (views, account) => views.histories.payments.newest(account, SNAPSHOT_ROWS).map((row) => paymentJson(row, views.markets)),
      news: (views, { payments }) => payments.map((row) => paymentJson(row, views.markets)),
    }),
  userNonFundingLedgerUpdates: (_, fields) =>
    history(fields, withUser(fields), 'nonFundingLedgerUpdates', {
      rows: (views, account) => ledgerUpdates(views, views.histories.money.newest(account, SNAPSHOT_ROWS)),
      news: (views, { money }) => ledgerUpdates(views, money),
    }),
  userHistoricalOrders: (_, fields) =>
    history(fields, withUser(fields), 'orderHistory', {
      rows: orderHistoryOf,
      news: ({ markets, orders }, { orders: facts }) =>
        facts.filter(({ partial }) => !partial).map((fact) => orderRowJson(fact, markets, orders)),
    }),
  userTwapHistory: (_, fields) =>
    history(fields, withUser(fields), 'history', {
      rows: twapHistoryOf,
      news: ({ markets, addressOf }, { twaps }) => twaps.map((fact) => twapRowJson(fact, markets, addressOf)),
    }),
  userTwapSliceFills: (_, fields) =>
    history(fields, withUser(fields), 'twapSliceFills', {
      rows: (views, account) => sliceFillRows(views, views.histories.sliceFills.newest(account, SNAPSHOT_FILLS)),
      news: (views, { fills }) => sliceFillRows(views, slicesOf(fills)),
    }),
  // What there is nothing of.
  outcomeMetaUpdates: (_, fields) => silent('outcomeMetaUpdates', fields),
  spotAssetCtxs: (_, fields) => ({ ...silent('spotAssetCtxs', fields), snapshot: () => [[]] }),
};

// --- Requests ---------------------------------------------------------------------------------------------------------------------

const withUser = (fields: RequestFields): Record<string, unknown> => ({ type: fields.type, user: fields.address() });

/** Echoed as it came: an absent `dex` stays absent. */
function withDex(fields: RequestFields, ofUser = false): Record<string, unknown> {
  const dex = fields.optionalText('dex');
  return { ...(ofUser ? withUser(fields) : { type: fields.type }), ...(dex === undefined ? {} : { dex }) };
}

const ofVenue = <T>(fields: RequestFields, value: T, empty: T): T => ((fields.optionalText('dex') ?? '') === '' ? value : empty);

function marketOf(views: Views, fields: RequestFields): Market {
  const market = views.markets.find(fields.text('coin'));
  if (market === undefined) throw new MalformedRequest();
  return market;
}

// --- Kinds of topics --------------------------------------------------------------------------------------------------------------

/** A state of all markets, sent when one of them has changed. */
function globalState(channel: string, subscription: Record<string, unknown>, state: (views: Views) => unknown): Topic {
  const snapshot = (views: Views): unknown[] => [state(views)];
  return { channel, subscription, snapshot, update: snapshot, concerns: ({ markets }) => markets.size > 0 };
}

function marketState(channel: string, fields: RequestFields, market: Market, state: (market: Market, views: Views) => unknown): Topic {
  const snapshot = (views: Views): unknown[] => [state(market, views)];
  const subscription = { type: fields.type, coin: market.name };
  return { channel, subscription, market: market.index, snapshot, update: snapshot, concerns: ({ markets }) => markets.has(market.index) };
}

interface UserStream {
  readonly snapshot: (views: Views, user: Address) => Iterable<unknown>;
  readonly concerns: (news: UserNews) => boolean;
  /** Without it: the snapshot again. */
  readonly update?: (views: Views, news: UserNews, user: Address) => Iterable<unknown>;
}

function userStream(fields: RequestFields, subscription: Record<string, unknown>, stream: UserStream, channel = fields.type): Topic {
  const user = fields.address();
  return {
    channel,
    subscription,
    user,
    snapshot: (views) => stream.snapshot(views, user),
    concerns: ({ users }) => {
      const news = users.get(user);
      return news !== undefined && stream.concerns(news);
    },
    update: (views, { users }) => stream.update?.(views, users.get(user) as UserNews, user) ?? stream.snapshot(views, user),
  };
}

function userState(
  fields: RequestFields,
  subscription: Record<string, unknown>,
  state: (views: Views, user: Address) => unknown,
  concerns: (news: UserNews) => boolean = ({ stateChanged }) => stateChanged,
): Topic {
  return userStream(fields, subscription, { snapshot: (views, user) => [state(views, user)], concerns });
}

/** Rows of a user under a name, newest first in the snapshot, then those of each block. */
function history(
  fields: RequestFields,
  subscription: Record<string, unknown>,
  name: string,
  rows: {
    readonly rows: (views: Views, account: number) => readonly unknown[];
    readonly news: (views: Views, news: UserNews) => readonly unknown[];
  },
): Topic {
  return userStream(fields, subscription, {
    snapshot: (views, user) => {
      const account = views.mirror.numberOf(user);
      return [{ isSnapshot: true, user, [name]: account === undefined ? [] : rows.rows(views, account) }];
    },
    concerns: ({ fills, money, payments, twaps, orders }) =>
      fills.length + money.length + payments.length + twaps.length + orders.length > 0,
    update: (views, news, user) => {
      const fresh = rows.news(views, news);
      return fresh.length === 0 ? [] : [{ user, [name]: fresh }];
    },
  });
}

/** Nothing ever happens. */
function silent(channel: string, fields: RequestFields, user?: Address): Topic {
  const subscription = { type: fields.type, ...(user === undefined ? {} : { user }) };
  return { channel, subscription, ...(user === undefined ? {} : { user }), snapshot: () => [], concerns: () => false, update: () => [] };
}

// --- Markets ----------------------------------------------------------------------------------------------------------------------

function allMidsTopic(_: Views, fields: RequestFields): Topic {
  const dex = fields.optionalText('dex');
  return globalState('allMids', withDex(fields), (views) => ({ mids: ofVenue(fields, allMids(views), {}), ...(dex ? { dex } : {}) }));
}

function bookTopic(views: Views, fields: RequestFields): Topic {
  const market = marketOf(views, fields);
  const request = bookRequest(fields);
  const fast = fields.flag('fast');
  const { digits, step } = request;
  const snapshot = (current: Views): unknown[] => [
    fast ? { ...bookJson(current, market, request, FAST_LEVELS), fast: true } : bookJson(current, market, request),
  ];
  const mantissa = fields.optionalInteger('mantissa') === undefined ? null : step;
  const topic: Topic = {
    channel: 'l2Book',
    subscription: { type: 'l2Book', coin: market.name, nSigFigs: digits ?? null, mantissa, ...(fast ? { fast } : {}) },
    market: market.index,
    snapshot,
    update: snapshot,
    concerns: ({ books }) => books.has(market.index),
  };
  if (fast) return topic;
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    ...topic,
    delay: (nowMs) => Math.max(0, lastMs + BOOK_INTERVAL_MS - nowMs),
    sent: (nowMs) => {
      lastMs = nowMs;
    },
  };
}

/** Sent when the best price of a side or what lies there has changed. */
function bboTopic(views: Views, fields: RequestFields): Topic {
  const market = marketOf(views, fields);
  const bestOf = (current: Views): unknown[] => {
    const book = current.mirror.books[market.index];
    return [book?.bestBid, book?.bestAsk].map((level) => (level === undefined ? null : levelJson(level, market)));
  };
  const message = (current: Views, bbo: unknown): unknown => ({ coin: market.name, time: current.timeMs, bbo });
  let last = JSON.stringify(bestOf(views));
  return {
    channel: 'bbo',
    subscription: { type: 'bbo', coin: market.name },
    market: market.index,
    snapshot: (current) => [message(current, bestOf(current))],
    concerns: ({ books }) => books.has(market.index),
    update: (current) => {
      const bbo = bestOf(current);
      const text = JSON.stringify(bbo);
      if (text === last) return [];
      last = text;
      return [message(current, bbo)];
    },
  };
}

/** Recent trades first, as the venue does; then those of each block. */
function tradesTopic(views: Views, fields: RequestFields): Topic {
  const market = marketOf(views, fields);
  return {
    channel: 'trades',
    subscription: { type: 'trades', coin: market.name },
    market: market.index,
    snapshot: (current) => {
      const recent = recentTradesOf(current, market);
      return recent.length === 0 ? [] : [recent];
    },
    concerns: ({ trades }) => trades.has(market.index),
    update: (current, { trades }) => [
      (trades.get(market.index) ?? []).map((trade) => tradeJson(trade, current.markets, current.addressOf)),
    ],
  };
}

function candleTopic(views: Views, fields: RequestFields): Topic {
  const market = marketOf(views, fields);
  const interval = fields.interval();
  const snapshot = (current: Views): unknown[] => {
    const candle = current.histories.candles[market.index]?.last(interval);
    return candle === undefined ? [] : [candleJson(candle, interval, market)];
  };
  return {
    channel: 'candle',
    subscription: { type: 'candle', coin: market.name, interval },
    market: market.index,
    snapshot,
    concerns: ({ trades }) => trades.has(market.index),
    update: snapshot,
  };
}

/** Marks and mids, all at first, then those that have changed; raw-deflated JSON in base64. */
function fastContextsTopic(_: Views, fields: RequestFields): Topic {
  const contextOf = (views: Views, market: Market): { markPx: string; midPx: string | null } => ({
    markPx: market.priceText(views.mirror.prices[market.index]?.markTicks ?? 0),
    midPx: midText(views, market) ?? null,
  });
  const packed = (contexts: Record<string, unknown>): string => deflateRawSync(JSON.stringify(contexts)).toString('base64');
  const of = (views: Views, markets: Iterable<Market>): Record<string, unknown> =>
    Object.fromEntries(Array.from(markets, (market) => [market.name, contextOf(views, market)]));
  return {
    channel: 'fastAssetCtxs',
    subscription: { type: fields.type },
    snapshot: (views) => [packed(of(views, views.markets.markets))],
    concerns: ({ markets }) => markets.size > 0,
    update: (views, { markets }) => [
      packed(
        of(
          views,
          views.markets.markets.filter(({ index }) => markets.has(index)),
        ),
      ),
    ],
  };
}

// --- Users ------------------------------------------------------------------------------------------------------------------------

function orderUpdate({ markets }: Views, { order, status, leftLots, timeMs }: OrderFact): unknown {
  return { order: openOrderJson(order, leftLots, markets), status, statusTimestamp: timeMs };
}

const slicesOf = (fills: readonly FillFact[]): FillFact[] => fills.filter(({ twapId }) => twapId !== undefined);

function activeAssetTopic(views: Views, fields: RequestFields): Topic {
  const market = marketOf(views, fields);
  return userState(fields, { type: fields.type, coin: market.name, user: fields.address() }, (current, user) =>
    activeAssetOf(current, user, market),
  );
}

function userFillsTopic(_: Views, fields: RequestFields): Topic {
  const aggregate = fields.flag('aggregateByTime');
  return history(fields, { ...withUser(fields), aggregateByTime: aggregate }, 'fills', {
    rows: (views, account) => fillRows(views, views.histories.fills.newest(account, SNAPSHOT_FILLS).reverse(), aggregate).reverse(),
    news: (views, { fills }) => fillRows(views, fills, aggregate),
  });
}

/** One message for each kind of event of a block. */
function userEventsTopic(_: Views, fields: RequestFields): Topic {
  const update = (views: Views, news: UserNews): unknown[] => {
    const { markets, addressOf } = views;
    const messages: unknown[] = [];
    if (news.fills.length > 0) messages.push({ fills: fillRows(views, news.fills, false) });
    for (const payment of news.payments) messages.push({ funding: paymentJson(payment, markets) });
    for (const { account, notional, accountValue, backstop, id } of news.liquidations) {
      const liquidator = backstop && views.genesis.backstop !== undefined ? views.genesis.backstop : addressOf(account);
      messages.push({
        liquidation: {
          lid: id,
          liquidator,
          liquidated_user: addressOf(account),
          liquidated_ntl_pos: quoteText(notional),
          liquidated_account_value: quoteText(accountValue),
        },
      });
    }
    if (news.ruleCancels.length > 0) {
      messages.push({
        nonUserCancel: news.ruleCancels.map(({ market, oid }) => ({ coin: markets.market(market).name, oid: Number(oid) })),
      });
    }
    if (news.twaps.length > 0) messages.push({ twapHistory: news.twaps.map((fact) => twapRowJson(fact, markets, addressOf)) });
    const slices = slicesOf(news.fills);
    if (slices.length > 0) messages.push({ twapSliceFills: sliceFillRows(views, slices) });
    return messages;
  };
  const concerns = ({ fills, payments, liquidations, ruleCancels, twaps }: UserNews): boolean =>
    fills.length + payments.length + liquidations.length + ruleCancels.length + twaps.length > 0;
  return userStream(fields, withUser(fields), { snapshot: () => [], concerns, update }, 'user');
}
