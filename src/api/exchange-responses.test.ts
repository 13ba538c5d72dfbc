/** Receipts, made by hand, as the answers that clients parse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as code from '../base/codes.ts';
import { exchangeDefaults } from '../exchange/genesis.ts';
import * as E from '../exchange/layout.ts';
import { MarketTable } from '../views/market-table.ts';
import {
  cancelsAnswer,
  createdAnswer,
  defaultAnswer,
  type ItemEcho,
  modifyAnswer,
  ordersAnswer,
  twapAnswer,
  twapCancelAnswer,
} from './exchange-responses.ts';
import { testGenesis } from './service-for-tests.ts';
import type { ActionContext, Outcome } from './translation.ts';

const CONTEXT: ActionContext = {
  markets: new MarketTable(testGenesis()).markets,
  tokens: testGenesis().tokens,
  exchange: exchangeDefaults,
  bestPrices: () => ({ bid: '59999', ask: '60001.5' }),
};
const USER = `0x${'11'.repeat(20)}`;
const CLOID = `0x${'0c'.repeat(16)}`;

interface Item {
  readonly code?: number;
  readonly oid?: bigint;
  readonly filled?: bigint;
  readonly resting?: bigint;
  /** Fills that stand before it: price in ticks, lots. */
  readonly fills?: readonly (readonly [ticks: number, lots: bigint])[];
}

function eventsOf(items: readonly Item[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const event = (kind: number, bytes: number): DataView => {
    const part = new Uint8Array(bytes);
    parts.push(part);
    const view = new DataView(part.buffer);
    view.setUint32(0, kind | (bytes << 8), true);
    return view;
  };
  items.forEach(({ code: result = 0, oid = 0n, filled = 0n, resting = 0n, fills = [] }, index) => {
    for (const [ticks, lots] of fills) {
      const fill = event(E.EVENT_FILL, E.EVENT_FILL_BYTES);
      fill.setUint32(32, ticks, true);
      fill.setBigInt64(40, lots, true);
    }
    const item = event(E.EVENT_ITEM, E.EVENT_ITEM_BYTES);
    item.setUint16(4, index, true);
    item.setUint16(6, result, true);
    item.setBigUint64(8, oid, true);
    item.setBigInt64(16, filled, true);
    item.setBigInt64(24, resting, true);
  });
  return Buffer.concat(parts);
}

function outcome(result: number, items: readonly Item[] = []): Outcome {
  return { block: 7, index: 2, code: result, events: eventsOf(items), sender: USER, context: { user: USER } };
}

const echo = (more: Partial<ItemEcho> = {}): ItemEcho => ({ asset: 0, ...more });

/** The status of one order. */
function statusOf(item: Item, more: Partial<ItemEcho> = {}): unknown {
  const { response } = ordersAnswer([echo(more)], CONTEXT)(outcome(0, [item])) as {
    response: { type: string; data: { statuses: unknown[] } };
  };
  assert.equal(response.type, 'order');
  assert.equal(response.data.statuses.length, 1);
  return response.data.statuses[0];
}

test('an order rests, with its client id', () => {
  assert.deepEqual(statusOf({ oid: 5n, resting: 1000n }), { resting: { oid: 5 } });
  assert.deepEqual(statusOf({ oid: 5n, resting: 1000n }, { clientId: CLOID }), { resting: { oid: 5, cloid: CLOID } });
});

test('an order that traded in part and rests is told as resting', () => {
  assert.deepEqual(statusOf({ oid: 5n, filled: 10n, resting: 5n, fills: [[600_000, 10n]] }), { resting: { oid: 5 } });
});

test('an order is filled at the average of its fills, exactly', () => {
  assert.deepEqual(
    statusOf({
      oid: 5n,
      filled: 4n,
      fills: [
        [600_000, 3n],
        [600_010, 1n],
      ],
    }),
    {
      filled: { totalSz: '0.00004', avgPx: '60000.25', oid: 5 },
    },
  );
  assert.deepEqual(
    statusOf({
      oid: 5n,
      filled: 3n,
      fills: [
        [600_000, 2n],
        [600_001, 1n],
      ],
    }),
    {
      filled: { totalSz: '0.00003', avgPx: '60000.03333333', oid: 5 },
    },
  );
});

test('what an order traded before it was stopped is told as filled', () => {
  const fills = [[600_000, 2n]] as const;
  assert.deepEqual(statusOf({ code: code.CODE_MATCH_LIMIT, oid: 5n, filled: 2n, fills }), {
    filled: { totalSz: '0.00002', avgPx: '60000', oid: 5 },
  });
});

test('a trigger order on its own is told with its number, one of a group by a word', () => {
  const waits: Item = { code: code.CODE_WAITING_FOR_TRIGGER, oid: 6n, resting: 1n };
  assert.deepEqual(statusOf(waits, { loneTrigger: true }), { resting: { oid: 6 } });
  assert.equal(statusOf(waits), 'waitingForTrigger');
  assert.equal(statusOf({ code: code.CODE_WAITING_FOR_FILL, oid: 6n, resting: 1n }), 'waitingForFill');
});

test('rejections have the words of the venue and the asset', () => {
  const texts: readonly (readonly [number, string])[] = [
    [code.CODE_INSUFFICIENT_MARGIN, 'Insufficient margin to place order. asset=0'],
    [code.CODE_MIN_VALUE, 'Order must have minimum value of $10. asset=0'],
    [code.CODE_REDUCE_ONLY, 'Reduce only order would increase position. asset=0'],
    [code.CODE_POST_ONLY, 'Post only order would have immediately matched, bbo was 59999@60001.5. asset=0'],
    [code.CODE_IOC_NO_MATCH, 'Order could not immediately match against any resting orders. asset=0'],
    [code.CODE_TICK, 'Price must be divisible by tick size. asset=0'],
    [code.CODE_INVALID_PRICE, 'Order has invalid price. asset=0'],
    [code.CODE_PRICE_BAND, 'Order price cannot be more than 80% away from the reference price asset=0'],
  ];
  for (const [result, error] of texts) assert.deepEqual(statusOf({ code: result }), { error });
});

test('a price between ticks is told as one, whatever was sent in its place', () => {
  const instead = { code: code.CODE_INVALID_PRICE, meant: code.CODE_TICK };
  assert.deepEqual(statusOf({ code: code.CODE_INVALID_PRICE }, { instead }), { error: 'Price must be divisible by tick size. asset=0' });
  assert.deepEqual(statusOf({ code: code.CODE_ZERO_SIZE }, { instead }), { error: 'Order has zero size. asset=0' });
});

test('items keep their places', () => {
  const answer = ordersAnswer(
    [echo(), echo({ asset: 1 }), echo()],
    CONTEXT,
  )(outcome(0, [{ oid: 1n, resting: 1n }, { code: code.CODE_MIN_VALUE }, { oid: 3n, filled: 1n, fills: [[600_000, 1n]] }]));
  assert.deepEqual(answer, {
    status: 'ok',
    response: {
      type: 'order',
      data: {
        statuses: [
          { resting: { oid: 1 } },
          { error: 'Order must have minimum value of $10. asset=1' },
          { filled: { totalSz: '0.00001', avgPx: '60000', oid: 3 } },
        ],
      },
    },
  });
});

test('a batch that was refused as a whole has one status', () => {
  for (const [result, error] of [
    [code.CODE_EMPTY_BATCH, 'Batch is empty.'],
    [code.CODE_INVALID_GROUP, 'Invalid TP/SL group. asset=0'],
    [code.CODE_BUILDER_FEE, 'Builder fee has not been approved.'],
  ] as const) {
    const answer = ordersAnswer([echo(), echo()], CONTEXT)(outcome(result));
    assert.deepEqual(answer, { status: 'ok', response: { type: 'order', data: { statuses: [{ error }] } } });
  }
});

test('who signed wrongly, or has nothing, is told so', () => {
  const err = (result: number, items: readonly Item[] = []): unknown => ordersAnswer([echo()], CONTEXT)(outcome(result, items));
  assert.deepEqual(err(code.CODE_ACCOUNT_NOT_FOUND), { status: 'err', response: `User or API Wallet ${USER} does not exist.` });
  assert.deepEqual(err(code.CODE_NONCE_DUPLICATE), { status: 'err', response: 'Invalid nonce: duplicate nonce' });
  assert.deepEqual(err(0, [{ code: code.CODE_NO_DEPOSIT }]), {
    status: 'err',
    response: `Must deposit before performing actions. User: ${USER}`,
  });
});

test('cancels', () => {
  const answer = cancelsAnswer([echo(), echo({ asset: 1 })])(outcome(0, [{ oid: 1n }, { code: code.CODE_ORDER_NOT_FOUND }]));
  assert.deepEqual(answer, {
    status: 'ok',
    response: {
      type: 'cancel',
      data: { statuses: ['success', { error: 'Order was never placed, already canceled, or filled. asset=1' }] },
    },
  });
});

test('modify has no statuses', () => {
  const ok = { status: 'ok', response: { type: 'default' } };
  assert.deepEqual(modifyAnswer(echo(), CONTEXT)(outcome(0, [{ oid: 1n, resting: 1n }])), ok);
  assert.deepEqual(modifyAnswer(echo(), CONTEXT)(outcome(0, [{ code: code.CODE_ORDER_NOT_FOUND }])), {
    status: 'err',
    response: 'Order was never placed, already canceled, or filled. asset=0',
  });
});

test('TWAPs', () => {
  const started = new Uint8Array(E.EVENT_ACTIVE_BYTES);
  const view = new DataView(started.buffer);
  view.setUint32(0, E.EVENT_ACTIVE | (E.EVENT_ACTIVE_BYTES << 8), true);
  view.setBigUint64(8, 4n, true);
  const answer = twapAnswer({ minutes: 2, minimum: 100_000_000n });
  assert.deepEqual(answer({ ...outcome(0), events: started }), {
    status: 'ok',
    response: { type: 'twapOrder', data: { status: { running: { twapId: 4 } } } },
  });
  assert.deepEqual(answer(outcome(code.CODE_TWAP_DURATION)), {
    status: 'ok',
    response: { type: 'twapOrder', data: { status: { error: 'Invalid TWAP duration: 2 min(s)' } } },
  });
  assert.deepEqual(twapCancelAnswer({})(outcome(0)), { status: 'ok', response: { type: 'twapCancel', data: { status: 'success' } } });
  assert.deepEqual(twapCancelAnswer({})(outcome(code.CODE_TWAP_NOT_FOUND)), {
    status: 'ok',
    response: { type: 'twapCancel', data: { status: { error: 'TWAP was never placed, already canceled, or filled.' } } },
  });
  assert.deepEqual(twapCancelAnswer({})(outcome(code.CODE_AGENT_UNKNOWN)), {
    status: 'err',
    response: `User or API Wallet ${USER} does not exist.`,
  });
});

test('others', () => {
  assert.deepEqual(defaultAnswer()(outcome(0)), { status: 'ok', response: { type: 'default' } });
  assert.deepEqual(defaultAnswer({ kind: 'withdraw' })(outcome(code.CODE_INSUFFICIENT_WITHDRAWABLE)), {
    status: 'err',
    response: 'Insufficient balance for withdrawal',
  });
  const created = createdAnswer('createSubAccount')(outcome(0)) as { response: { type: string; data: string } };
  assert.equal(created.response.type, 'createSubAccount');
  assert.match(created.response.data, /^0x[0-9a-f]{40}$/);
});
