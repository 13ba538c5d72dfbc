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
import type { Genesis } from '../exchange/genesis.ts';
import { type ExchangeOptions, exchangeOptions } from '../exchange/genesis.ts';
import * as X from '../exchange/layout.ts';
import { ROLE_AGENT } from '../ledger/layout.ts';
import type { Address, ClientId } from '../ledger/transactions.ts';
import type { ConfirmedBlock } from '../node/index.ts';
import type { Store } from '../storage/index.ts';
import { Archive } from './archive.ts';
import { type FactContext, readBlock } from './block-facts.ts';
import type { BlockFacts } from './facts.ts';
import { type FeedSink, type FeedSubscription, Feeds } from './feeds.ts';
import { Histories } from './histories.ts';
import { answerInfo } from './info.ts';
import { roleOf, type UserRole } from './info-accounts.ts';
import { ContextCache } from './info-markets.ts';
import type { KeptValues, ValuesToKeep } from './kept-values.ts';
import { delistedBy, lookAhead } from './look-ahead.ts';
import { MarketTable } from './market-table.ts';
import { OrderTable } from './order-table.ts';
import { orderOfRecord, placeOf } from './record-order.ts';
import { RunningPositions } from './running-positions.ts';
import { StateMirror, type Touched } from './state-mirror.ts';
import { StoredBlocks } from './stored-blocks.ts';

export interface ViewsOptions {
  readonly genesis: Genesis;
  /** Open, and not yet given to a pipeline; with it a start has what was before. */
  readonly store?: Store;
  /** So many of its newest blocks are read at a start. Default 5,000. */
  readonly recentBlocks?: number;
  /** What accounts were worth, from `valuesToKeep` of an earlier run. */
  readonly values?: KeptValues;
  /** What `userRateLimit` says; without it nothing was used. */
  readonly requestsUsed?: (user: Address) => number;
}

const RECENT_BLOCKS = 5_000;
/** Blocks before so many transactions are not read at a start, however many blocks there are. */
const RECENT_TRANSACTIONS = 100_000;
const SLOT_MASK = (1n << BigInt(X.OID_SLOT_BITS)) - 1n;
const SLICES_PER_MINUTE = 2;
const DAY_MS = 86_400_000;
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
  private readonly running: RunningPositions;
  private readonly feeds: Feeds;
  private atHeight = 0;
  private atMs = 0;

  private constructor({ genesis, store, requestsUsed = () => 0 }: ViewsOptions) {
    this.genesis = genesis;
    this.exchange = exchangeOptions(genesis);
    this.markets = new MarketTable(genesis);
    this.mirror = new StateMirror(genesis.markets.length);
    this.running = new RunningPositions(this.mirror);
    this.histories = new Histories(this.markets.markets, this.orders);
    this.requestsUsed = requestsUsed;
    // The store has numbers of accounts, which may be those of others by now where accounts become dormant.
    this.archive = store && !genesis.dormantDays ? new Archive(store, this.markets, this.mirror) : undefined;
    this.feeds = new Feeds(this);
  }

  /** Throws UNSUPPORTED_MARKET, and what reading the store throws. */
  static open(options: ViewsOptions): Views {
    const views = new Views(options);
    const { store, genesis } = options;
    if (store?.height === undefined) views.mirror.loadGenesis(genesis);
    else views.load(store, options.recentBlocks ?? RECENT_BLOCKS, options.values);
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
    const { marks, delisted } = mirror.prepare(block.changes);
    const markTicks = (market: number, system: boolean): number => {
      const before = mirror.prices[market]?.markTicks ?? 0;
      return system ? (marks.get(market) ?? before) : before;
    };
    this.running.restart();
    const facts = readBlock(block, this.context(this.running, markTicks, delisted));
    histories.values.atBlock(block.number);
    this.openValues(facts);
    histories.add(facts, this.orders);
    const touched = mirror.apply(block.changes);
    this.settleOrders(touched.orders);
    for (const markets of [touched.markets, touched.books, touched.marks]) this.contexts.forget(markets);
    this.atHeight = block.number;
    this.atMs = block.timeMs;
    this.noteValues(touched);
    this.feeds.publish(facts, touched);
  }

  /** Of an account that there is. */
  readonly addressOf = (account: number): Address => this.mirror.addressOf(account) ?? NO_ADDRESS;

  /** Of the account that has a number in the ledger; undefined: nobody has had it. */
  readonly addressOfNumber = (number: number): Address | undefined => this.mirror.addressOf(this.mirror.idOf(number));

  /** What a user has called itself, or its master a sub-account. */
  displayNameOf(user: Address): string | undefined {
    const account = this.mirror.numberOf(user);
    return account === undefined ? undefined : this.mirror.names.get(account);
  }

  /** The same as the answer `userRole`, for an address in lower case. */
  roleOf(user: Address): UserRole {
    return roleOf(this, user);
  }

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
      values.open(account, this.mirror.hasMargin(account) ? this.accountValue(account) : 0n);
    };
    for (const { account } of money) open(account);
    for (const { account } of fills) open(account);
  }

  private noteValues(touched: Touched): void {
    const { values } = this.histories;
    for (const account of touched.accounts) {
      if (!values.isDue(account, this.atMs) || !this.mirror.hasMargin(account)) continue;
      values.note(account, this.atMs, this.accountValue(account));
    }
  }

  /** For `values` of the next start: what no block has, as it is now. */
  valuesToKeep(): ValuesToKeep {
    return { height: this.atHeight, ...this.histories.values.noted(), addressOf: this.addressOf };
  }

  /**
   * Goes on with what was noted up to a block. Blocks from `first` on are read again and say what has come in since. What came in between, if
   * some lie between, is not known: then profits go on from what they were, and everything else counts as having come in.
   */
  private restoreValues({ height, series }: KeptValues, first: number): void {
    const { mirror, histories } = this;
    const isGapless = first <= height + 1;
    for (const { user, deposited, points } of series) {
      const account = mirror.numberOf(user);
      if (account === undefined) continue;
      if (isGapless) histories.values.restore(account, { deposited, points }, height);
      else histories.values.restore(account, { deposited: this.accountValue(account) - (points.at(-1)?.pnl ?? 0n), points }, this.atHeight);
    }
  }

  // --- Orders -----------------------------------------------------------------------------------------------------------------------

  /** What the records say of orders that have changed: accounts and slots, one behind the other. */
  private settleOrders(places: readonly number[]): void {
    const { mirror, orders } = this;
    for (let i = 0; i < places.length; i += 2) {
      const [account, slot] = [places[i] as number, places[i + 1] as number];
      const record = mirror.orders.get(account, slot);
      if (record === undefined) {
        orders.settle(account, slot, undefined);
        continue;
      }
      const order = orders.find(record.oid) ?? this.orders.add(orderOfRecord(mirror, this.markets, account, slot));
      order.leftLots = record.sizeLots + (mirror.extras.get(account, slot)?.hiddenLots ?? 0n);
      order.originalLots = record.originalLots;
      order.place = placeOf(record.flags);
      orders.settle(account, slot, order);
    }
    orders.settled();
  }

  // --- A start from the store -------------------------------------------------------------------------------------------------------

  private load(store: Store, recentBlocks: number, values: KeptValues | undefined): void {
    const stored = new StoredBlocks(store);
    const records = store.records();
    let clientIds: ReadonlyMap<bigint, ClientId>;
    try {
      clientIds = this.mirror.load(records);
    } finally {
      records.close();
    }
    this.atHeight = stored.height;
    this.atMs = stored.timeMs(stored.height);
    // Where accounts become dormant, numbers of an earlier day may have been those of others.
    const sinceMs = this.genesis.dormantDays ? this.atMs - (this.atMs % DAY_MS) : 0;
    const blocks = stored.newest(recentBlocks, RECENT_TRANSACTIONS, sinceMs);
    const { starts, filled } = lookAhead(blocks, this.mirror, this.backstop);
    const first = blocks[0]?.number ?? stored.height + 1;
    this.openStoredOrders(stored, filled, clientIds, first);
    this.openStoredTwaps(() => 0n);
    if (values !== undefined) this.restoreValues(values, first);
    const last = (market: number): number =>
      this.histories.candles[market]?.last('1m')?.closeTicks ?? this.genesis.markets[market]?.markTicks ?? 0;
    const positions = new RunningPositions(this.mirror, starts);
    for (const block of blocks) {
      this.histories.values.atBlock(block.number);
      this.histories.add(readBlock(block, this.context(positions, last, delistedBy(block, this.mirror))), this.orders);
    }
    this.settleOrders([...this.openSlots()].flat());
    this.openStoredTwaps((filledLots) => filledLots);
    this.archive?.startsAt(first);
  }

  private *openSlots(): Generator<[account: number, slot: number], void, undefined> {
    for (const account of this.mirror.orders.firsts()) for (const slot of this.mirror.orders.secondsOf(account)) yield [account, slot];
  }

  /**
   * Open orders from before the blocks that are read again, as they were then: those blocks' fills have to come off them. Of those that came with
   * a snapshot it is known only that they were placed by then.
   */
  private openStoredOrders(
    stored: StoredBlocks,
    filled: ReadonlyMap<bigint, bigint>,
    clientIds: ReadonlyMap<bigint, ClientId>,
    first: number,
  ): void {
    const { mirror } = this;
    const heights = new Map<bigint, number>();
    for (const [account, slot] of this.openSlots()) {
      const oid = mirror.orders.get(account, slot)?.oid ?? 0n;
      const ordinal = oid >> BigInt(X.OID_SLOT_BITS);
      const height = heights.get(ordinal) ?? stored.heightOfOrdinal(ordinal);
      if (height !== undefined) heights.set(ordinal, height);
      if (height !== undefined && height >= first) continue;
      const timeMs = height === undefined ? stored.firstMs : stored.timeMs(height);
      const order = this.orders.add(orderOfRecord(mirror, this.markets, account, slot, { timeMs, clientId: clientIds.get(oid) }));
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
