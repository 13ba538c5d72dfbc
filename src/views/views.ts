/**
 * What clients can ask about: the state at one height, and what has happened up to it, kept block by block.
 *
 *   confirmed block ─▶ facts (fills, orders, money) ─▶ histories ─▶ feeds
 *                  └─▶ changed records ─▶ the mirror of the state ─┘
 *
 * Give `confirm` to the pipeline as `onConfirmed`. At a start the store's records and its newest blocks come first, then those that the
 * journal has beyond it.
 * Invariant: everything that is answered belongs to `height`. Nothing is read from the engine, whose memory is ahead while a block executes.
 */
import { assert } from '../base/assert.ts';
import { CAUSE_BACKSTOP } from '../base/codes.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { type ExchangeOptions, exchangeOptions } from '../exchange/genesis.ts';
import * as X from '../exchange/layout.ts';
import { ROLE_AGENT } from '../ledger/layout.ts';
import type { Address, TimeInForce } from '../ledger/transactions.ts';
import type { ConfirmedBlock } from '../node/index.ts';
import type { Store } from '../storage/index.ts';
import { Archive } from './archive.ts';
import { type BlockFacts, type FactContext, type ReadableBlock, readBlock, triggerLimitTicks } from './block-facts.ts';
import { codeOf, eventsOf } from './events.ts';
import { type FeedSink, type FeedSubscription, Feeds } from './feeds.ts';
import { Histories } from './histories.ts';
import { answerInfo } from './info.ts';
import { ContextCache } from './info-markets.ts';
import { MarketTable } from './market-table.ts';
import { NO_CHILDREN, OrderTable, type TrackedOrder } from './order-table.ts';
import { positionKey, RunningPositions } from './running-positions.ts';
import { StateMirror, type Touched } from './state-mirror.ts';
import { StoredBlocks } from './stored-blocks.ts';

export interface ViewsOptions {
  readonly genesis: Genesis;
  /** Open, and not yet given to a pipeline; with it a start has what was before. */
  readonly store?: Store;
  /** So many of its newest blocks are read at a start. Default 5,000. */
  readonly recentBlocks?: number;
  /** What `userRateLimit` says; without it nothing was used. */
  readonly requestsUsed?: (user: Address) => number;
}

const RECENT_BLOCKS = 5_000;
const TIFS: ReadonlyMap<number, TimeInForce> = new Map([
  [X.TIF_GTC, 'gtc'],
  [X.TIF_IOC, 'ioc'],
  [X.TIF_ALO, 'alo'],
  [X.TIF_MARKET, 'market'],
  [X.TIF_FOK, 'fok'],
]);
const SLOT_MASK = (1n << BigInt(X.OID_SLOT_BITS)) - 1n;
const SLICES_PER_MINUTE = 2;
const NO_ADDRESS = `0x${'0'.repeat(40)}`;

export class Views {
  readonly genesis: Genesis;
  readonly exchange: ExchangeOptions;
  readonly markets: MarketTable;
  readonly mirror: StateMirror;
  readonly orders = new OrderTable();
  readonly histories: Histories;
  readonly archive: Archive | undefined;
  readonly contexts = new ContextCache();
  readonly requestsUsed: (user: Address) => number;
  private readonly feeds: Feeds;
  private atHeight = 0;
  private atMs = 0;

  private constructor({ genesis, store, requestsUsed = () => 0 }: ViewsOptions) {
    this.genesis = genesis;
    this.exchange = exchangeOptions(genesis);
    this.markets = new MarketTable(genesis);
    this.mirror = new StateMirror(genesis.markets.length);
    this.histories = new Histories(this.markets.markets, this.orders);
    this.requestsUsed = requestsUsed;
    this.archive = store && new Archive(store, this.markets, this.mirror);
    this.feeds = new Feeds(this);
  }

  /** Throws UNSUPPORTED_MARKET, and what reading the store throws. */
  static open(options: ViewsOptions): Views {
    const views = new Views(options);
    const { store, genesis } = options;
    if (store?.height === undefined) views.mirror.loadGenesis(genesis);
    else views.load(store, options.recentBlocks ?? RECENT_BLOCKS);
    return views;
  }

  /** The last block that the answers know. */
  get height(): number {
    return this.atHeight;
  }

  /** Its time. */
  get timeMs(): number {
    return this.atMs;
  }

  /** The answer to a request of `/info`, as JSON wants it. Throws a MalformedRequest. */
  answer(request: unknown): unknown {
    return answerInfo(this, request);
  }

  /**
   * Sends what has been subscribed to: a snapshot at once, where the protocol has one, and then what each block brings. Throws a
   * MalformedRequest.
   */
  subscribe(request: unknown, sink: FeedSink): FeedSubscription {
    return this.feeds.subscribe(request, sink);
  }

  /** Sends what was held back because its last message was too recent. For a timer, so that the last change of a quiet market is not late. */
  flush(): void {
    this.feeds.flush();
  }

  /** Takes in the block after `height`. */
  confirm(block: ConfirmedBlock): void {
    assert(this.atHeight === 0 || block.number === this.atHeight + 1, `block ${block.number} after ${this.atHeight}`);
    const { mirror, histories } = this;
    mirror.noteAccounts(block.changes);
    const { marks, delisted } = mirror.pricesIn(block.changes);
    const markTicks = (market: number, system: boolean): number => {
      const before = mirror.prices[market]?.markTicks ?? 0;
      return system ? (marks.get(market) ?? before) : before;
    };
    const facts = readBlock(block, this.context(new RunningPositions(mirror), markTicks, delisted));
    this.openValues(facts);
    histories.add(facts, this.orders);
    const touched = mirror.apply(block.changes);
    this.settleOrders(touched.orders);
    for (const markets of [touched.markets, touched.books, touched.marks]) this.contexts.forget(markets);
    this.atHeight = block.number;
    this.atMs = block.timeMs;
    this.noteValues(touched);
    this.feeds.publish(facts, touched);
    if (touched.gone.size === 0) return;
    mirror.forget(touched.gone);
    histories.forget(touched.gone);
  }

  /** Of an account that there is. */
  readonly addressOf = (account: number): Address => this.mirror.addressOf(account) ?? NO_ADDRESS;

  /** Whom a sender acts for if it names nobody: the owner of an agent, else itself. */
  ownerOf(sender: Address): Address {
    const number = this.mirror.numberOf(sender);
    const account = number === undefined ? undefined : this.mirror.account(number);
    return account?.role === ROLE_AGENT ? this.addressOf(account.owner) : sender;
  }

  /** Collateral and positions at the marks; the isolated ones with what is their own. */
  accountValue(account: number): bigint {
    let value = this.mirror.margin(account)?.collateral ?? 0n;
    for (const [market, { sizeLots, rawUsd }] of this.mirror.positions.of(account)) {
      if (sizeLots !== 0n) value += rawUsd + this.markets.market(market).notional(this.mirror.prices[market]?.markTicks ?? 0, sizeLots);
    }
    return value;
  }

  private get backstop(): number | undefined {
    return this.genesis.backstop === undefined ? undefined : this.mirror.numberOf(this.genesis.backstop);
  }

  private context(positions: RunningPositions, markTicks: FactContext['markTicks'], delisted: FactContext['delisted']): FactContext {
    const { markets, mirror, orders, histories } = this;
    return { markets, mirror, orders, positions, twaps: histories.twapProgress, markTicks, delisted, backstop: this.backstop };
  }

  // --- Values of accounts -----------------------------------------------------------------------------------------------------------

  /** What an account has before its first block counts as brought in. */
  private openValues({ fills, money }: BlockFacts): void {
    const { values } = this.histories;
    const open = (account: number): void => {
      if (values.has(account)) return;
      values.open(account, this.mirror.margin(account) === undefined ? 0n : this.accountValue(account));
    };
    for (const { account } of money) open(account);
    for (const { account } of fills) open(account);
  }

  private noteValues(touched: Touched): void {
    const { values } = this.histories;
    for (const account of touched.accounts) {
      if (this.mirror.margin(account) === undefined || !values.isDue(account, this.atMs)) continue;
      values.note(account, this.atMs, this.accountValue(account));
    }
  }

  // --- Orders -----------------------------------------------------------------------------------------------------------------------

  /** What the records say of orders that have changed. */
  private settleOrders(slots: Iterable<{ readonly account: number; readonly slot: number }>): void {
    const { mirror, orders } = this;
    for (const { account, slot } of slots) {
      const record = mirror.orders.get(account, slot);
      if (record === undefined) {
        orders.settle(account, slot, undefined);
        continue;
      }
      const order = orders.find(record.oid) ?? this.orderOfRecord(account, slot, undefined);
      order.leftLots = record.sizeLots + (mirror.extras.get(account, slot)?.hiddenLots ?? 0n);
      order.originalLots = record.originalLots;
      order.place = placeOf(record.flags);
      orders.settle(account, slot, order);
    }
  }

  /** An order that was open before the first block that is known. */
  private orderOfRecord(
    account: number,
    slot: number,
    placed: { readonly timeMs: number; readonly clientId: string | undefined } | undefined,
  ): TrackedOrder {
    const { mirror } = this;
    const record = mirror.orders.get(account, slot);
    assert(record !== undefined, 'an order has a record');
    const extra = mirror.extras.get(account, slot);
    const isTrigger = extra !== undefined && extra.triggerTicks !== 0 && (record.flags & (X.ORDER_TRIGGER | X.ORDER_CHILD)) !== 0;
    const timeMs = placed?.timeMs ?? 0;
    const sell = (record.flags & X.FLAG_SELL) !== 0;
    const bounded = isTrigger && extra.triggerMarket;
    const order = this.orders.add({
      oid: record.oid,
      account,
      market: record.market,
      sell,
      tif: TIFS.get(record.tif) ?? 'gtc',
      limitTicks: bounded ? triggerLimitTicks(extra.triggerTicks, sell, this.markets.market(record.market)) : record.priceTicks,
      originalLots: record.originalLots,
      reduceOnly: (record.flags & X.FLAG_REDUCE_ONLY) !== 0,
      clientId: placed?.clientId,
      trigger: isTrigger
        ? {
            takeProfit: extra.triggerKind === X.TRIGGER_TAKE_PROFIT,
            priceTicks: extra.triggerTicks,
            market: extra.triggerMarket,
            whole: extra.whole,
          }
        : undefined,
      timeMs,
      leftLots: record.sizeLots + (extra?.hiddenLots ?? 0n),
      place: placeOf(record.flags),
      status: 'open',
      statusMs: timeMs,
      children: NO_CHILDREN,
      shown: 0,
    });
    order.children = [extra?.child1 ?? 0, extra?.child2 ?? 0].flatMap((link) => {
      const child = link === 0 ? undefined : mirror.orders.get(account, link - 1);
      return child === undefined ? [] : [child.oid];
    });
    return order;
  }

  // --- A start from the store -------------------------------------------------------------------------------------------------------

  private load(store: Store, recentBlocks: number): void {
    const stored = new StoredBlocks(store);
    const records = store.records();
    try {
      this.mirror.apply(records);
    } finally {
      records.close();
    }
    this.atHeight = stored.height;
    this.atMs = stored.timeMs(stored.height);
    const blocks = recentOf(stored, recentBlocks);
    const { starts, filled } = lookAhead(blocks, this.mirror, this.backstop);
    const first = blocks[0]?.number ?? stored.height + 1;
    this.openStoredOrders(stored, filled, first);
    this.openStoredTwaps(() => 0n);
    const last = (market: number): number =>
      this.histories.candles[market]?.last('1m')?.closeTicks ?? this.genesis.markets[market]?.markTicks ?? 0;
    const positions = new RunningPositions(this.mirror, starts);
    for (const block of blocks) {
      this.histories.add(readBlock(block, this.context(positions, last, delistedBy(block, this.mirror))), this.orders);
    }
    this.settleOrders(this.openSlots());
    this.openStoredTwaps((filledLots) => filledLots);
    this.archive?.startsAt(first);
  }

  private *openSlots(): Generator<{ readonly account: number; readonly slot: number }, void, undefined> {
    for (const account of this.mirror.orders.firsts()) for (const slot of this.mirror.orders.of(account).keys()) yield { account, slot };
  }

  /** Open orders from before the blocks that are read again, as they were then: those blocks' fills have to come off them. */
  private openStoredOrders(stored: StoredBlocks, filled: ReadonlyMap<bigint, bigint>, first: number): void {
    const { mirror } = this;
    const clientIds = new Map<bigint, string>();
    for (const account of mirror.clientIds.firsts()) {
      for (const [clientId, oid] of mirror.clientIds.of(account)) clientIds.set(oid, clientId);
    }
    const heights = new Map<bigint, number>();
    for (const { account, slot } of this.openSlots()) {
      const oid = mirror.orders.get(account, slot)?.oid ?? 0n;
      const ordinal = oid >> BigInt(X.OID_SLOT_BITS);
      const height = heights.get(ordinal) ?? stored.heightOfOrdinal(ordinal);
      if (height !== undefined) heights.set(ordinal, height);
      if (height !== undefined && height >= first) continue;
      const timeMs = height === undefined ? 0 : stored.timeMs(height);
      const order = this.orderOfRecord(account, slot, { timeMs, clientId: clientIds.get(oid) });
      order.leftLots += filled.get(oid) ?? 0n;
      this.orders.settle(account, slot, order);
      assert(Number(oid & SLOT_MASK) === slot, 'an oid ends with its slot');
    }
  }

  private openStoredTwaps(executed: (filledLots: bigint) => bigint): void {
    const { mirror, histories } = this;
    for (const account of mirror.twaps.firsts()) {
      for (const twap of mirror.twaps.of(account).values()) {
        const known = histories.twapProgress.get(account, twap.id);
        if (known === undefined) {
          const { id, market, sell, totalLots, slices, reduceOnly, randomize, startTicks, startAbove, stopTicks, startMs } = twap;
          const start = startTicks === 0 ? undefined : { priceTicks: startTicks, above: startAbove };
          const minutes = slices / SLICES_PER_MINUTE;
          const terms = { id, account, market, sell, totalLots, minutes, reduceOnly, randomize, start, stopTicks, timeMs: startMs };
          histories.twapProgress.start(terms);
        }
        const progress = histories.twapProgress.get(account, twap.id);
        if (progress !== undefined) progress.executedLots = executed(twap.filledLots);
      }
    }
  }
}

function placeOf(flags: number): TrackedOrder['place'] {
  if ((flags & X.ORDER_CHILD) !== 0) return 'child';
  return (flags & X.ORDER_TRIGGER) !== 0 ? 'trigger' : 'book';
}

/** The newest blocks that the store has, oldest first. */
function recentOf(stored: StoredBlocks, most: number): ReadableBlock[] {
  const blocks: ReadableBlock[] = [];
  for (let height = stored.height; height > 0 && blocks.length < most; height--) {
    const block = stored.at(height);
    if (block === undefined) break;
    blocks.push(block);
  }
  return blocks.reverse();
}

/** Markets that a stored block has delisted: it is of that time and has a vote for it. */
function delistedBy({ timeMs, transactions }: ReadableBlock, mirror: StateMirror): Map<number, number> {
  const delisted = new Map<number, number>();
  for (const transaction of transactions) {
    if (transaction.kind !== 'delist' || mirror.delistedMs[transaction.market] !== timeMs) continue;
    delisted.set(transaction.market, mirror.settledTicks[transaction.market] ?? 0);
  }
  return delisted;
}

/** What these blocks will find: sizes of positions before their first change, and how much of each order they fill. */
function lookAhead(
  blocks: readonly ReadableBlock[],
  mirror: StateMirror,
  backstop: number | undefined,
): { readonly starts: Map<number, bigint>; readonly filled: Map<bigint, bigint> } {
  const starts = new Map<number, bigint>();
  const filled = new Map<bigint, bigint>();
  /** What the backstop vault has taken over, by market: no fill of its own says so. */
  const taken = new Map<number, bigint>();
  const start = (account: number, market: number, lots: bigint): void => {
    const key = positionKey(account, market);
    if (!starts.has(key)) starts.set(key, account === backstop ? lots - (taken.get(market) ?? 0n) : lots);
  };
  for (const { receipts } of blocks) {
    for (const receipt of receipts) {
      if (codeOf(receipt) !== 0) continue;
      for (const event of eventsOf(receipt)) {
        if (event.kind === 'fill') {
          start(event.taker, event.market, event.takerStartLots);
          start(event.maker, event.market, event.makerStartLots);
          filled.set(event.makerOid, (filled.get(event.makerOid) ?? 0n) + event.lots);
        } else if (event.kind === 'forced' && event.method === CAUSE_BACKSTOP && event.lots !== 0n) {
          start(event.account, event.market, -event.lots);
          taken.set(event.market, (taken.get(event.market) ?? 0n) - event.lots);
        }
      }
    }
  }
  for (const [market, lots] of backstop === undefined ? [] : taken) {
    // What a settlement has closed is in no record: then all of it is taken for taken over.
    const held = mirror.isDelisted(market) ? lots : (mirror.positions.get(backstop as number, market)?.sizeLots ?? 0n);
    start(backstop as number, market, held);
  }
  return { starts, filled };
}
