/** Views against the naive twin and the engine's records, over random blocks: what clients are told is what is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MarketParameters } from '../exchange/genesis.ts';
import type { NaiveLedger } from '../exchange/naive.ts';
import type { ConfirmedBlock } from '../node/index.ts';
import { executedBlocks } from '../simulator/executed-blocks.ts';
import { randomGenesis } from '../simulator/random-genesis.ts';
import { quoteText, scaledOf } from './decimal-text.ts';
import { codeOf, eventsOf } from './events.ts';
import { Views } from './index.ts';
import { PackedRecords } from './packed-records.ts';
import { StateMirror } from './state-mirror.ts';

const SEEDS = 24;
const BLOCKS = 12;
/** Orders end in one of these once. */
const OPEN = new Set(['open', 'triggered']);

type Json = Record<string, unknown>;

interface Run {
  readonly views: Views;
  readonly blocks: readonly ConfirmedBlock[];
  readonly ledger: NaiveLedger;
  readonly heard: readonly Json[];
}

/** Runs a history, with a check of the views behind every block. */
async function run(seed: number, check: (views: Views, ledger: NaiveLedger, block: ConfirmedBlock) => void = () => {}): Promise<Run> {
  const genesis = randomGenesis(seed);
  const views = Views.open({ genesis });
  const heard: Json[] = [];
  for (const { name } of genesis.markets) views.subscribe({ type: 'trades', coin: name }, ({ data }) => heard.push(...(data as Json[])));
  const blocks: ConfirmedBlock[] = [];
  let last: NaiveLedger | undefined;
  for await (const { block, ledger, engine } of executedBlocks(seed, genesis, { blocks: BLOCKS })) {
    views.confirm(block);
    blocks.push(block);
    check(views, ledger, block);
    last = ledger;
    if (blocks.length < BLOCKS) continue;
    for (const { address } of genesis.accounts) assert.ok(views.mirror.numberOf(address) !== undefined, 'who has become dormant is known');
    const whole = new StateMirror(genesis.markets.length);
    whole.load(engine.records());
    // Where accounts become dormant, ids depend on what was before.
    if (!genesis.dormantDays) assert.deepEqual(contentsOf(views.mirror), contentsOf(whole), 'the mirror is what all records say');
    for (const [market, { name }] of genesis.markets.entries()) checkBook(views, name, [...engine.levels(market)]);
  }
  return { views, blocks, ledger: last as NaiveLedger, heard };
}

/** Parts of a mirror that are not of the state. */
const WORKING = new Set(['bound', 'free', 'record', 'reader']);

/** What a mirror says, whatever way it is kept. */
function contentsOf(mirror: StateMirror): object {
  const plain = Object.entries(mirror).map(([name, value]: [string, unknown]) => {
    if (value instanceof PackedRecords) return [name, new Map([...value.firsts()].map((first) => [first, value.of(first)]))];
    return [name, WORKING.has(name) ? 0 : value];
  });
  return { ...Object.fromEntries(plain), books: mirror.books.map((book) => [[...book.levels(false)], [...book.levels(true)]]) };
}

function checkBook(
  views: Views,
  coin: string,
  levels: readonly { priceTicks: number; side: number; totalLots: bigint; count: number }[],
): void {
  const market = views.markets.find(coin);
  assert.ok(market !== undefined);
  const side = (sell: boolean): unknown[] => {
    const ofSide = levels.filter((level) => (level.side === 1) === sell).sort((a, b) => (sell ? 1 : -1) * (a.priceTicks - b.priceTicks));
    return ofSide.slice(0, 20).map(({ priceTicks, totalLots, count }) => ({
      px: market.priceText(priceTicks),
      sz: market.sizeText(totalLots),
      n: count,
    }));
  };
  const { levels: found } = views.answer({ type: 'l2Book', coin }) as { levels: unknown };
  assert.deepEqual(found, [side(false), side(true)]);
}

function checkOrders(views: Views, ledger: NaiveLedger): void {
  for (const account of ledger.accounts.accounts()) {
    const user = ledger.accounts.get(account).address;
    const found = views.answer({ type: 'frontendOpenOrders', user }) as Json[];
    const expected = ledger.openOrders(account).sort((a, b) => (a.oid < b.oid ? 1 : -1));
    assert.deepEqual(
      found.map(({ oid, coin, side, sz, origSz, cloid, reduceOnly, isTrigger, isPositionTpsl }) => {
        return { oid, coin, side, sz, origSz, cloid, reduceOnly, isTrigger, isPositionTpsl };
      }),
      expected.map((order) => {
        const market = views.markets.market(order.market);
        return {
          oid: Number(order.oid),
          coin: market.name,
          side: order.sell ? 'A' : 'B',
          sz: market.sizeText(order.sizeLots + order.hiddenLots),
          origSz: market.sizeText(order.originalLots),
          cloid: order.clientId ?? null,
          reduceOnly: order.reduceOnly,
          isTrigger: order.triggerKind !== 0,
          isPositionTpsl: order.whole,
        };
      }),
    );
    for (const [i, order] of expected.entries()) {
      const market = views.markets.market(order.market);
      if (order.triggerKind !== 0) assert.equal(found[i]?.triggerPx, market.priceText(order.triggerTicks));
      if (!order.triggerMarket) assert.equal(found[i]?.limitPx, market.priceText(order.priceTicks));
    }
  }
}

function checkAccounts(views: Views, ledger: NaiveLedger): void {
  const { state } = ledger;
  for (const account of ledger.accounts.accounts()) {
    const user = ledger.accounts.get(account).address;
    const found = views.answer({ type: 'clearinghouseState', user }) as {
      marginSummary: Json;
      crossMarginSummary: Json;
      crossMaintenanceMarginUsed: string;
      withdrawable: string;
      assetPositions: { position: Json }[];
    };
    assert.equal(found.crossMarginSummary.accountValue, quoteText(state.accountValue(account)));
    assert.equal(found.crossMarginSummary.totalMarginUsed, quoteText(state.positionMargin(account)));
    assert.equal(found.crossMaintenanceMarginUsed, quoteText(state.maintenance(account)));
    assert.equal(found.withdrawable, quoteText(state.transferable(account)));
    assert.equal(found.marginSummary.accountValue, quoteText(state.valueForOthers(account)));
    assert.equal(quoteText(views.accountValue(views.mirror.numberOf(user) ?? -1)), quoteText(state.valueForOthers(account)));
    assert.deepEqual(
      found.assetPositions.map(({ position: { coin, szi } }) => [coin, szi]),
      state
        .openMarkets(account)
        .map((market) => [views.markets.market(market).name, views.markets.market(market).sizeText(state.lots(account, market))]),
    );
    const { balances } = views.answer({ type: 'spotClearinghouseState', user }) as { balances: { token: number; total: string }[] };
    for (const { token, total } of balances) assert.equal(total, quoteText(ledger.accounts.balance(account, token)));
  }
}

for (let seed = 0; seed < SEEDS; seed++) {
  test(`books, orders, accounts and what became of orders, seed ${seed}`, async () => {
    const { views, blocks, ledger } = await run(seed, (current, twin) => {
      checkOrders(current, twin);
      checkAccounts(current, twin);
    });
    checkFates(views, ledger);
    checkVolumes(views, ledger, blocks);
    checkPayments(views, blocks);
  });
}

/** The last step of an order is what it is: open with a record, or gone for good. */
function checkFates(views: Views, ledger: NaiveLedger): void {
  for (const account of ledger.accounts.accounts()) {
    const user = ledger.accounts.get(account).address;
    const rows = (views.answer({ type: 'historicalOrders', user }) as { order: Json; status: string }[]).toReversed();
    const last = new Map(rows.map((row) => [row.order.oid as number, row]));
    const open = new Set(ledger.openOrders(account).map(({ oid }) => Number(oid)));
    for (const oid of open) assert.ok(last.has(oid), `order ${oid} is open and has no history`);
    for (const [oid, { status }] of last) {
      assert.equal(
        OPEN.has(status),
        open.has(oid),
        `order ${oid} of ${user} is ${status}, ${open.has(oid) ? 'open' : 'gone'} in the ledger`,
      );
      const answer = views.answer({ type: 'orderStatus', user, oid }) as { order: { status: string } };
      assert.equal(answer.order.status, status);
    }
    for (const [oid, { order, status }] of last) {
      if (status !== 'filled' || order.origSz === '0') continue;
      const fills = (views.answer({ type: 'userFills', user }) as Json[]).filter((fill) => fill.oid === oid);
      assert.ok(fills.length > 0, `order ${oid} was filled by nothing`);
    }
  }
}

/** What an account has traded on books is what its fills add up to, and every fill has its other side. */
function checkVolumes(views: Views, ledger: NaiveLedger, blocks: readonly ConfirmedBlock[]): void {
  const volumes = new Map<number, bigint>();
  for (const { receipts } of blocks) {
    for (const event of receipts.filter((receipt) => codeOf(receipt) === 0).flatMap((receipt) => [...eventsOf(receipt)])) {
      if (event.kind !== 'fill' || [2, 3, 4].includes(event.cause)) continue;
      const notional = views.markets.market(event.market).notional(event.priceTicks, event.lots);
      for (const account of [event.taker, event.maker]) volumes.set(account, (volumes.get(account) ?? 0n) + notional);
    }
  }
  for (const account of ledger.accounts.accounts()) {
    const user = ledger.accounts.get(account).address;
    const fills = views.answer({ type: 'userFills', user }) as (Json & { px: string; sz: string; coin: string; dir: string })[];
    let sum = 0n;
    for (const { px, sz, coin, dir } of fills) {
      const market = views.markets.find(coin);
      if (market === undefined || /Liquidated|Settlement|Auto/.test(dir)) continue;
      sum += market.notional(market.priceTicks(px) ?? 0n, market.sizeLots(sz) ?? 0n);
    }
    // A number that has gone to another account has the volumes of both in its events.
    if (!views.genesis.dormantDays) assert.equal(sum, volumes.get(account) ?? 0n);
    assert.equal((views.answer({ type: 'userRateLimit', user }) as Json).cumVlm, quoteText(ledger.state.volumeOf(account)));
    assert.equal(sum, ledger.state.volumeOf(account));
  }
}

/** What accounts were told to have paid and received is what the market's event says. */
function checkPayments(views: Views, blocks: readonly ConfirmedBlock[]): void {
  for (const { receipts, timeMs } of blocks) {
    const events = receipts.filter((receipt) => codeOf(receipt) === 0).flatMap((receipt) => [...eventsOf(receipt)]);
    for (const event of events) {
      if (event.kind !== 'funding' || event.rate === 0n) continue;
      const payments = [...views.mirror.accountNumbers()].flatMap((account) =>
        views.histories.payments.between(account, timeMs, timeMs, 1000).filter(({ market }) => market === event.market),
      );
      const paid = payments.filter(({ amount }) => amount < 0n).reduce((total, { amount }) => total - amount, 0n);
      assert.equal(paid, event.paid, `market ${event.market} at ${timeMs}`);
    }
  }
}

test('candles are those of the trades', async () => {
  const { views, heard } = await run(2);
  assert.ok(heard.length > 20);
  const day = 86_400_000;
  for (const [interval, length] of [
    ['1m', 60_000],
    ['15m', 900_000],
    ['4h', 14_400_000],
    ['1d', day],
  ] as const) {
    for (const { name } of views.markets.markets) {
      const trades = heard.filter(({ coin }) => coin === name) as (Json & { time: number; px: string; sz: string })[];
      const spans = new Map<number, typeof trades>();
      for (const trade of trades) {
        const start = trade.time - (trade.time % length);
        spans.set(start, [...(spans.get(start) ?? []), trade]);
      }
      const numbers = (rows: typeof trades): number[] => rows.map(({ px }) => Number(px));
      const expected = [...spans].map(([t, rows]) => ({
        t,
        T: t + length - 1,
        h: Math.max(...numbers(rows)),
        l: Math.min(...numbers(rows)),
        o: numbers(rows)[0],
        c: numbers(rows).at(-1),
        n: rows.length,
      }));
      const found = views.answer({ type: 'candleSnapshot', req: { coin: name, interval, startTime: 0 } }) as Json[];
      assert.deepEqual(
        found.map(({ t, T, h, l, o, c, n }) => ({ t, T, h: Number(h), l: Number(l), o: Number(o), c: Number(c), n })),
        expected,
      );
    }
  }
});

test('parameters of markets: texts and integers turn into each other', () => {
  for (let seed = 0; seed < 40; seed++) {
    const views = Views.open({ genesis: randomGenesis(seed) });
    for (const market of views.markets.markets) {
      const { tickStep, lotStep, ticksPerInteger }: MarketParameters = market.parameters;
      for (const ticks of [1, tickStep, 17, 12_345, market.parameters.markTicks]) {
        assert.equal(market.priceTicks(market.priceText(ticks)), BigInt(ticks));
        assert.equal(Number(market.priceText(ticks)), ticks / ticksPerInteger);
      }
      for (const lots of [1n, BigInt(lotStep), 977n, 10n ** 12n]) {
        assert.equal(market.sizeLots(market.sizeText(lots)), lots);
        // A notional is a price times a size.
        assert.equal(market.notional(ticksPerInteger, lots), scaledOf(market.sizeText(lots), 6));
      }
      assert.ok((market.sizeText(BigInt(lotStep)).split('.')[1] ?? '').length <= market.szDecimals);
    }
  }
});
