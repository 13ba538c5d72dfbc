/** Streams over random blocks: who has listened from the start knows at the end what who asks then is told. No change is missed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executedBlocks } from '../simulator/executed-blocks.ts';
import { randomGenesis } from '../simulator/random-genesis.ts';
import { type FeedMessage, Views } from './index.ts';

const SEEDS = [0, 1, 4, 5, 11, 13, 16, 17, 22, 28];

type Json = Record<string, unknown>;

/** Without times of the answer itself: a state that has not changed was sent at the time of its change. */
function timeless(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, entry) => (key === 'time' || key === 'serverTime' ? undefined : entry)));
}

/** Streams that send a whole state: what they sent last, and the request that answers the same. */
const STATES: readonly {
  readonly type: string;
  readonly state: (data: Json) => unknown;
  readonly ask: (views: Views, user: string, coin: string) => unknown;
}[] = [
  { type: 'allMids', state: ({ mids }) => mids, ask: (views) => views.answer({ type: 'allMids' }) },
  { type: 'l2Book', state: (data) => data, ask: (views, _, coin) => views.answer({ type: 'l2Book', coin }) },
  { type: 'openOrders', state: ({ orders }) => orders, ask: (views, user) => views.answer({ type: 'frontendOpenOrders', user }) },
  {
    type: 'clearinghouseState',
    state: ({ clearinghouseState }) => clearinghouseState,
    ask: (views, user) => views.answer({ type: 'clearinghouseState', user }),
  },
  { type: 'spotState', state: ({ spotState }) => spotState, ask: (views, user) => views.answer({ type: 'spotClearinghouseState', user }) },
  {
    type: 'twapStates',
    state: ({ states }) => states,
    ask: (views, user) => (views.answer({ type: 'webData2', user }) as Json).twapStates,
  },
];

/** Streams of rows: what came in all, oldest first, and the request that answers the same. */
const ROWS: readonly { readonly type: string; readonly rows: string; readonly ask: (views: Views, user: string) => unknown }[] = [
  { type: 'userFills', rows: 'fills', ask: (views, user) => views.answer({ type: 'userFillsByTime', user, startTime: 0 }) },
  {
    type: 'userHistoricalOrders',
    rows: 'orderHistory',
    ask: (views, user) => (views.answer({ type: 'historicalOrders', user }) as Json[]).reverse(),
  },
  {
    type: 'userNonFundingLedgerUpdates',
    rows: 'nonFundingLedgerUpdates',
    ask: (views, user) => views.answer({ type: 'userNonFundingLedgerUpdates', user }),
  },
  { type: 'userTwapHistory', rows: 'history', ask: (views, user) => (views.answer({ type: 'twapHistory', user }) as Json[]).reverse() },
  {
    type: 'userTwapSliceFills',
    rows: 'twapSliceFills',
    ask: (views, user) => (views.answer({ type: 'userTwapSliceFills', user }) as Json[]).reverse(),
  },
  {
    type: 'userFundings',
    rows: 'fundings',
    ask: (views, user) =>
      (views.answer({ type: 'userFunding', user }) as { time: number; delta: Json }[]).map(({ time, delta: { type: _, ...delta } }) => ({
        time,
        ...delta,
      })),
  },
];

for (const seed of SEEDS) {
  test(`streams end where answers are, seed ${seed}`, async () => {
    const genesis = randomGenesis(seed);
    const views = Views.open({ genesis });
    const users = genesis.accounts.map(({ address }) => address);
    const coins = genesis.markets.map(({ name }) => name);
    const heard = new Map<string, FeedMessage[]>();
    for (const { type } of [...STATES, ...ROWS, { type: 'orderUpdates' }]) {
      for (const user of users) {
        for (const coin of coins) {
          const messages: FeedMessage[] = [];
          heard.set(`${type} ${user} ${coin}`, messages);
          views.subscribe({ type, user, coin }, (message) => messages.push(message));
        }
      }
    }
    for await (const { block } of executedBlocks(seed, genesis, { blocks: 16 })) views.confirm(block);
    views.flush();
    for (const user of users) {
      for (const coin of coins) {
        const of = (type: string): FeedMessage[] => heard.get(`${type} ${user} ${coin}`) ?? [];
        for (const { type, state, ask } of STATES) {
          const last = of(type).at(-1);
          assert.deepEqual(timeless(state(last?.data as Json)), timeless(ask(views, user, coin)), `${type} of ${user}, ${coin}`);
        }
        for (const { type, rows, ask } of ROWS) {
          const answer = ask(views, user) as unknown[];
          // Answers have the newest ones.
          const found = of(type).flatMap(({ data }) => (data as Json)[rows] as unknown[]);
          // Orders show what they are now, beside the status that they had.
          const plain = (value: unknown): unknown =>
            JSON.parse(JSON.stringify(value, (key, entry) => (LATER.has(key) ? undefined : entry)));
          assert.deepEqual(plain(found.slice(found.length - answer.length)), plain(answer), `${type} of ${user}`);
        }
        checkUpdates(views, user, of('orderUpdates'));
      }
    }
  });
}

/** What is shown of an order follows what it has become: waiting, on the book, cut to a position. */
const LATER = new Set(['isTrigger', 'triggerPx', 'triggerCondition', 'orderType', 'isPositionTpsl', 'children', 'origSz', 'tif']);

/** The last update of an order is what it is. */
function checkUpdates(views: Views, user: string, messages: readonly FeedMessage[]): void {
  const last = new Map<number, { status: string; sz: string }>();
  for (const { data } of messages) {
    for (const { order, status } of data as { order: { oid: number; sz: string }; status: string }[])
      last.set(order.oid, { status, sz: order.sz });
  }
  for (const [oid, { status, sz }] of last) {
    const { order } = views.answer({ type: 'orderStatus', user, oid }) as { order?: { status: string; order: { sz: string } } };
    assert.deepEqual({ status, sz }, { status: order?.status, sz: order?.order.sz }, `order ${oid} of ${user}`);
  }
}
