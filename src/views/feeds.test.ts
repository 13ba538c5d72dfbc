/** Feeds: snapshots, who is told what, when a book is sent again, and that what is closed is silent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PackedChanges } from '../base/packed-changes.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { Engine } from '../execution/index.ts';
import type { OrderItem, Transaction } from '../ledger/transactions.ts';
import { type FeedMessage, MalformedRequest, Views } from './index.ts';

const NO_CHANGES = new PackedChanges([]);
const START_MS = 1_760_000_000_000;
const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
const [ANN, BEN, EVE] = [address(1), address(2), address(3)];
const market = (name: string) => ({
  name,
  tickCount: 65_536,
  unit: 1,
  tickStep: 1,
  lotStep: 1,
  ticksPerInteger: 10,
  significantDigits: 0,
  leverage: 10,
  takerFeePpm: 450,
  makerFeePpm: 150,
  minNotional: 0n,
  maxOrderLots: 1_000_000_000n,
  maxPositionLots: 1_000_000_000n,
  markTicks: 30_000,
});
const genesis: Genesis = {
  maxAccounts: 8,
  orderPages: 1,
  tokens: [{ name: 'USDC', decimals: 6 }],
  markets: [market('A'), market('B')],
  accounts: [ANN, BEN, EVE].map((user) => ({ address: user, collateral: 10n ** 12n })),
};

/** Executes transactions as blocks, so many milliseconds apart. */
class Chain {
  readonly views = Views.open({ genesis });
  private readonly engine: Engine;
  private number = 0;
  timeMs = START_MS;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  async block(afterMs: number, ...transactions: Transaction[]): Promise<void> {
    this.timeMs += afterMs;
    const { engine } = this;
    const { firstOrdinal } = engine;
    const block = { number: ++this.number, timeMs: this.timeMs, transactions };
    const { receipts, changes = NO_CHANGES } = await engine.executeBlock(block, { model: 'serial', changes: true });
    const bytes = Array.from({ length: receipts.count }, (_, i) => {
      const code = new Uint8Array(4);
      new DataView(code.buffer).setUint32(0, receipts.code(i), true);
      return Uint8Array.from([...code, ...receipts.events(i)]);
    });
    this.views.confirm({ ...block, firstOrdinal, receipts: bytes, changes });
  }
}

async function withChain(body: (chain: Chain) => Promise<void>): Promise<void> {
  const engine = await Engine.create({ genesis, workers: 1, commitment: true, memoryMiB: 1536, keyCapacity: 1 << 12, keySeed: 5n });
  try {
    await body(new Chain(engine));
  } finally {
    await engine.close();
  }
}

function order(sender: string, side: 'buy' | 'sell', priceTicks: number, lots = 100n, fields: Partial<OrderItem> = {}): Transaction {
  const item = { op: 'place', market: 0, side, tif: 'gtc', priceTicks, sizeLots: lots, ...fields } as OrderItem;
  return { kind: 'orders', sender, items: [item] };
}

/** What a subscription has heard since it was last asked. */
function listen(views: Views, request: object): { readonly take: () => FeedMessage[]; readonly close: () => void } {
  let heard: FeedMessage[] = [];
  const { close } = views.subscribe(request, (message) => heard.push(message));
  return {
    close,
    take: () => {
      const taken = heard;
      heard = [];
      return taken;
    },
  };
}

test('a book is sent at once, then at most twice a second, and what was held back follows', () =>
  withChain(async (chain) => {
    const book = listen(chain.views, { type: 'l2Book', coin: 'A' });
    const fast = listen(chain.views, { type: 'l2Book', coin: 'A', fast: true });
    const other = listen(chain.views, { type: 'l2Book', coin: 'B' });
    assert.equal(book.take().length, 1);
    await chain.block(100, order(ANN, 'buy', 29_000));
    assert.deepEqual(
      book.take().map(({ height }) => height),
      [1],
    );
    await chain.block(100, order(ANN, 'buy', 29_001));
    await chain.block(100, order(ANN, 'buy', 29_002));
    assert.equal(book.take().length, 0);
    // Nothing happens to the book in this block, but it may be sent again.
    await chain.block(400);
    const [late] = book.take();
    assert.equal((late?.data as { levels: [{ px: string }[]] } | undefined)?.levels[0][0]?.px, '2900.2');
    await chain.block(100, order(ANN, 'buy', 29_003));
    assert.equal(book.take().length, 0);
    chain.views.flush();
    assert.equal(book.take().length, 1);
    chain.views.flush();
    assert.equal(book.take().length, 0);
    assert.equal(fast.take().length, 5);
    assert.equal(other.take().length, 1);
  }));

test('the best prices are sent when they change, trades when there are some', () =>
  withChain(async (chain) => {
    await chain.block(0, order(ANN, 'buy', 29_000));
    const bbo = listen(chain.views, { type: 'bbo', coin: 'A' });
    const trades = listen(chain.views, { type: 'trades', coin: 'A' });
    assert.deepEqual(
      bbo.take().map(({ data }) => (data as { bbo: unknown }).bbo),
      [[{ px: '2900', sz: '0.001', n: 1 }, null]],
    );
    await chain.block(1, order(ANN, 'buy', 28_000));
    assert.equal(bbo.take().length, 0);
    await chain.block(1, order(BEN, 'sell', 29_000, 40n));
    assert.deepEqual(
      bbo.take().map(({ data }) => (data as { bbo: unknown }).bbo),
      [[{ px: '2900', sz: '0.0006', n: 1 }, null]],
    );
    const [message] = trades.take();
    const [trade = {}] = (message?.data ?? []) as Record<string, unknown>[];
    assert.equal(message?.height, 3);
    assert.deepEqual(
      { side: trade.side, px: trade.px, sz: trade.sz, users: trade.users },
      { side: 'A', px: '2900', sz: '0.0004', users: [ANN, BEN] },
    );
  }));

test('a user hears of what happens to its own orders, and nobody else does', () =>
  withChain(async (chain) => {
    const types = ['orderUpdates', 'userFills', 'userEvents', 'openOrders', 'clearinghouseState'];
    const [ann, eve] = [ANN, EVE].map((user) => types.map((type) => listen(chain.views, { type, user })));
    for (const feed of [...(ann ?? []), ...(eve ?? [])]) feed.take();
    await chain.block(0, order(ANN, 'buy', 29_000));
    await chain.block(1, order(BEN, 'sell', 29_000, 40n));
    const cancel: OrderItem = {
      op: 'cancel',
      market: 0,
      oid: (chain.views.answer({ type: 'openOrders', user: ANN }) as { oid: number }[]).map(({ oid }) => BigInt(oid))[0] ?? 0n,
    };
    await chain.block(1, { kind: 'orders', sender: ANN, items: [cancel] });
    const statuses = ann?.[0]
      ?.take()
      .flatMap(({ data }) => (data as { status: string; order: { sz: string } }[]).map(({ status, order: { sz } }) => [status, sz]));
    assert.deepEqual(statuses, [
      ['open', '0.001'],
      ['open', '0.0006'],
      ['canceled', '0.0006'],
    ]);
    const fills = ann?.[1]?.take().flatMap(({ data }) => (data as { fills: { dir: string; crossed: boolean }[] }).fills);
    assert.deepEqual(
      fills?.map(({ dir, crossed }) => [dir, crossed]),
      [['Open Long', false]],
    );
    assert.deepEqual(
      ann?.[2]?.take().map(({ channel }) => channel),
      ['user'],
    );
    assert.equal(ann?.[3]?.take().length, 3);
    assert.ok((ann?.[4]?.take().length ?? 0) >= 2);
    for (const feed of eve ?? []) assert.deepEqual(feed.take(), []);
  }));

test('equal subscriptions share what they hear; what is closed hears nothing, and closing twice is once', () =>
  withChain(async (chain) => {
    const one = listen(chain.views, { type: 'trades', coin: 'A' });
    const two = listen(chain.views, { type: 'trades', coin: 'A' });
    one.close();
    one.close();
    await chain.block(0, order(ANN, 'buy', 29_000), order(BEN, 'sell', 29_000));
    assert.deepEqual(one.take(), []);
    assert.equal(two.take().length, 1);
    two.close();
    await chain.block(0, order(ANN, 'buy', 29_000), order(BEN, 'sell', 29_000));
    assert.deepEqual(two.take(), []);
    const again = listen(chain.views, { type: 'trades', coin: 'A' });
    const [recent] = again.take();
    assert.equal((recent?.data as unknown[] | undefined)?.length, 2);
  }));

test('subscriptions are echoed with their defaults; what is none is refused', () => {
  const views = Views.open({ genesis });
  const echo = (request: unknown): unknown => views.subscribe(request, () => {}).subscription;
  assert.deepEqual(echo({ type: 'l2Book', coin: 'A' }), { type: 'l2Book', coin: 'A', nSigFigs: null, mantissa: null });
  assert.deepEqual(echo({ type: 'userFills', user: ANN.toUpperCase().replace('X', 'x') }), {
    type: 'userFills',
    user: ANN,
    aggregateByTime: false,
  });
  assert.deepEqual(echo({ type: 'candle', coin: 'A', interval: '1m' }), { type: 'candle', coin: 'A', interval: '1m' });
  for (const request of [
    null,
    'trades',
    {},
    { type: 'trades' },
    { type: 'trades', coin: 'Z' },
    { type: 'candle', coin: 'A', interval: '2m' },
    { type: 'meta' },
    { type: 'constructor' },
  ]) {
    assert.throws(() => echo(request), MalformedRequest);
  }
});
