/**
 * What a block has done, in the words of the protocol's histories: fills, trades, what became of orders, money that moved, funding, TWAPs.
 *
 * Read off the block's transactions and the events of its receipts, in their order. Orders are followed in the order table on the way.
 * Invariant: nothing here depends on when it is read, so a block from the store gives the facts that it gave when it was executed. The one
 * exception is the mark beside a fill of a liquidation, which is in no receipt: of stored blocks the price of the last trade stands for it.
 * Not here: who keeps the facts, and how they are written.
 */
import * as code from '../base/codes.ts';
import * as X from '../exchange/layout.ts';
import { type OrderStatus, statusOfCode, statusOfReason } from '../exchange/messages.ts';
import * as L from '../ledger/layout.ts';
import type { ModifyItem, OrderItem, OrdersTransaction, PlaceItem, Transaction } from '../ledger/transactions.ts';
import {
  type ActiveEvent,
  type CancelEvent,
  codeOf,
  eventsOf,
  type FillEvent,
  type ForcedEvent,
  type FundingEvent,
  type ItemEvent,
  type LedgerEvent,
  type MoneyEvent,
  withIds,
} from './events.ts';
import {
  type BlockFacts,
  type FillFact,
  type MoneyFact,
  NOBODY,
  type ReadableBlock,
  type TwapFact,
  type TwapProgress,
  type TwapSoFar,
  type TwapTerms,
} from './facts.ts';
import { fundingPayment } from './funding-payment.ts';
import type { Market, MarketTable } from './market-table.ts';
import { NO_CHILDREN, type OrderTable, type TrackedOrder } from './order-table.ts';
import type { RunningPositions } from './running-positions.ts';
import type { StateMirror } from './state-mirror.ts';
import type { TransactionName } from './transaction-name.ts';
import { nameOfTransaction, SYSTEM_NAME } from './transaction-name.ts';

export interface FactContext {
  readonly markets: MarketTable;
  readonly mirror: StateMirror;
  readonly orders: OrderTable;
  readonly positions: RunningPositions;
  readonly twaps: TwapProgress;
  /** The mark while the block's transactions ran, and while the system's did; 0: none is known. */
  readonly markTicks: (market: number, system: boolean) => number;
  /** Account number of the backstop vault. */
  readonly backstop: number | undefined;
  /** Markets that the block has delisted, with the price of settlement. */
  readonly delisted: ReadonlyMap<number, number>;
}

/** Refused at admission: such orders take no ordinals (docs/rules.md, 1). */
const REFUSALS: ReadonlySet<number> = new Set([
  code.CODE_UNDECODABLE,
  code.CODE_UNKNOWN_KIND,
  code.CODE_EMPTY_BATCH,
  code.CODE_TOO_MANY_ITEMS,
  code.CODE_ACCOUNT_LIMIT,
]);
/** Of a modify: the old order is still there (docs/rules.md, 4.5). */
const BEFORE_REPLACING: ReadonlySet<number> = new Set([
  code.CODE_UNKNOWN_MARKET,
  code.CODE_MARKET_HALTED,
  code.CODE_INVALID_TIF,
  code.CODE_ZERO_SIZE,
  code.CODE_SIZE_TOO_LARGE,
  code.CODE_LOT,
  code.CODE_INVALID_DISPLAY,
  code.CODE_INVALID_PRICE,
  code.CODE_TICK,
  code.CODE_EXPIRED,
  code.CODE_ORDER_NOT_FOUND,
]);
const OFF_BOOK: ReadonlySet<number> = new Set([code.CAUSE_BACKSTOP, code.CAUSE_DELEVERAGE, code.CAUSE_SETTLEMENT]);
const OID_SLOT_BITS = BigInt(X.OID_SLOT_BITS);
const BPS = 10_000;
const TID_BITS = 50;

/** The item that has an ordinal, if the block gave it out. */
export function itemOfOrdinal({ firstOrdinal, transactions, receipts }: ReadableBlock, ordinal: bigint): OrderItem | undefined {
  let first = firstOrdinal;
  for (const [index, transaction] of transactions.entries()) {
    if (transaction.kind !== 'orders' || REFUSALS.has(codeOf(receipts[index] as Uint8Array))) continue;
    const item = transaction.items[Number(ordinal - first)];
    if (ordinal >= first && item !== undefined) return item;
    first += BigInt(transaction.items.length);
  }
  return undefined;
}

export function readBlock(block: ReadableBlock, context: FactContext): BlockFacts {
  return new BlockReading(block, context).read();
}

class BlockReading {
  private readonly block: ReadableBlock;
  private readonly context: FactContext;
  private readonly facts: BlockFacts = {
    fills: [],
    trades: [],
    orders: [],
    money: [],
    fundings: [],
    payments: [],
    twaps: [],
    liquidations: [],
    ruleCancels: [],
  };
  private ordinal: bigint;
  private system = false;
  // Of the receipt that is being read.
  private transaction: Transaction | undefined;
  private named: TransactionName | undefined;
  private actor = 0;
  private firstOrdinal = 0n;
  private item = 0;
  /** Price of the last fill since the last item. */
  private lastFillTicks = 0;
  /** Fills on books in the block so far. */
  private fillEvents = 0;
  private parent: TrackedOrder | undefined;
  private sliceFills: FillFact[] = [];
  /** Account and id of the TWAP whose slice was the last thing. */
  private sliced = '';
  /** Of the last FORCED event of a liquidation or takeover. */
  private forced: ForcedEvent | undefined;

  constructor(block: ReadableBlock, context: FactContext) {
    this.block = block;
    this.context = context;
    this.ordinal = block.firstOrdinal;
  }

  read(): BlockFacts {
    const { transactions, receipts } = this.block;
    const { mirror } = this.context;
    const idOf = (number: number): number => mirror.idOf(number);
    receipts.forEach((receipt, index) => {
      if (index === transactions.length) this.startSystem();
      const transaction = transactions[index];
      this.begin(transaction, codeOf(receipt));
      if (receipt.length > 4) for (const event of eventsOf(receipt)) this.take(withIds(event, idOf));
    });
    if (receipts.length === transactions.length) this.startSystem();
    return this.facts;
  }

  /** Settlements come first, then what the system does. */
  private startSystem(): void {
    this.system = true;
    this.begin(undefined, code.CODE_OK);
    for (const [market, priceTicks] of this.context.delisted) this.settle(this.context.markets.market(market), priceTicks);
  }

  private begin(transaction: Transaction | undefined, result: number): void {
    this.transaction = transaction;
    this.item = 0;
    this.lastFillTicks = 0;
    this.parent = undefined;
    this.sliceFills = [];
    this.sliced = '';
    this.forced = undefined;
    this.firstOrdinal = this.ordinal;
    this.named = undefined;
    if (transaction?.kind === 'orders' && !REFUSALS.has(result)) this.ordinal += BigInt(transaction.items.length);
    if (transaction !== undefined && result === code.CODE_OK) this.actor = this.actorOf(transaction);
  }

  private get name(): TransactionName {
    this.named ??= this.transaction === undefined ? SYSTEM_NAME : nameOfTransaction(this.transaction);
    return this.named;
  }

  /** Whom a transaction that went through has acted for (docs/rules.md, 3). */
  private actorOf({ sender, nonce, behalf, multiSig }: Transaction): number {
    const { mirror } = this.context;
    const signed = nonce !== undefined || behalf !== undefined || multiSig !== undefined;
    const number = mirror.numberOf(behalf ?? multiSig?.user ?? sender) ?? NOBODY;
    const account = mirror.account(number);
    const agent = account !== undefined && (account.role === L.ROLE_AGENT || account.role === L.ROLE_RETIRED);
    return signed && agent ? account.owner : number;
  }

  private take(event: LedgerEvent): void {
    switch (event.kind) {
      case 'fill':
        this.takeFill(event);
        break;
      case 'item':
        this.takeItem(event);
        break;
      case 'cancel':
        this.takeCancel(event);
        break;
      case 'active':
        if (event.what === X.ACTIVE_TWAP_SLICE || event.what === X.ACTIVE_TWAP_ENDED) this.takeTwap(event);
        else this.takeActive(event);
        break;
      case 'forced':
        this.takeForced(event);
        break;
      case 'funding':
        this.takeFunding(event);
        break;
      case 'money':
        this.takeMoney(event);
        break;
      case 'transfer':
        this.addMoney(event.sender, event);
        if (event.recipient !== event.sender) this.addMoney(event.recipient, event);
        break;
      case 'created':
        break;
    }
  }

  // --- Fills ------------------------------------------------------------------------------------------------------------------------

  private takeFill(event: FillEvent): void {
    const { market, taker, maker, priceTicks, lots, cause, takerSells } = event;
    const { timeMs } = this.block;
    const { positions, orders } = this.context;
    const delta = takerSells ? -lots : lots;
    positions.fill(maker, market, -delta, priceTicks, event.makerStartLots);
    positions.fill(taker, market, delta, priceTicks, event.takerStartLots);
    this.lastFillTicks = priceTicks;
    const tid = this.nextTid(takerSells ? event.makerOid : event.takerOid, takerSells ? event.takerOid : event.makerOid);
    const forced = cause === code.CAUSE_LIQUIDATION;
    const markTicks = this.markTicks(market, priceTicks);
    const both = {
      market,
      lots,
      priceTicks,
      timeMs,
      tid,
      twapId: undefined,
      transaction: this.name,
      liquidation: forced ? ({ account: taker, markTicks, method: 'market' } as const) : undefined,
    };
    const makerOrder = orders.find(event.makerOid);
    const direction = (start: bigint, signed: bigint): string =>
      cause === code.CAUSE_DELEVERAGE ? 'Auto-Deleveraging' : directionOf(start, signed);
    const ofTaker: FillFact = {
      ...both,
      account: taker,
      sell: takerSells,
      startLots: event.takerStartLots,
      direction: direction(event.takerStartLots, delta),
      closedPnl: event.takerClosedPnl,
      fee: event.takerFee,
      builderFee: event.takerBuilderFee,
      crossed: true,
      oid: event.takerOid,
      clientId: this.takerClientId(event),
    };
    const ofMaker: FillFact = {
      ...both,
      account: maker,
      sell: !takerSells,
      startLots: event.makerStartLots,
      direction: direction(event.makerStartLots, -delta),
      closedPnl: event.makerClosedPnl,
      fee: event.makerFee,
      builderFee: event.makerBuilderFee,
      crossed: false,
      oid: event.makerOid,
      clientId: makerOrder?.clientId,
    };
    this.facts.fills.push(ofTaker, ofMaker);
    if (cause === code.CAUSE_TWAP) this.sliceFills.push(ofTaker);
    if (!OFF_BOOK.has(cause)) {
      const [buyer, seller] = takerSells ? [maker, taker] : [taker, maker];
      this.facts.trades.push({ market, takerSells, lots, priceTicks, timeMs, tid, buyer, seller, transaction: this.name });
    }
    if (makerOrder === undefined) return;
    makerOrder.leftLots -= lots;
    if (makerOrder.leftLots <= 0n) this.close(makerOrder, 'filled', 0n);
    else this.addOrder(makerOrder, 'open', makerOrder.leftLots, true);
  }

  private takerClientId({ takerOid, cause }: FillEvent): string | undefined {
    if (cause === code.CAUSE_TRIGGER) return this.context.orders.find(takerOid)?.clientId;
    const item = this.currentItem();
    return item?.op === 'place' || item?.op === 'modify' ? item.clientId : undefined;
  }

  /** The protocol's are hashes of the two oids; with the place in the chain they are also different for every trade. */
  private nextTid(buyer: bigint, seller: bigint): number {
    return this.tidOf(buyer, seller, this.fillEvents++);
  }

  private tidOf(buyer: bigint, seller: bigint, place: number): number {
    let x = BigInt.asUintN(64, (buyer * 0x9e3779b97f4a7c15n) ^ (seller + 0x632be59bd9b4e019n));
    x = BigInt.asUintN(64, (x ^ (x >> 31n)) * 0xbf58476d1ce4e5b9n) ^ (BigInt(this.block.number) << 20n) ^ BigInt(place);
    x = BigInt.asUintN(64, (x ^ (x >> 27n)) * 0x94d049bb133111ebn);
    return Number(BigInt.asUintN(TID_BITS, x ^ (x >> 31n)));
  }

  private markTicks(market: number, priceTicks: number): number {
    const mark = this.context.markTicks(market, this.system);
    return mark === 0 ? priceTicks : mark;
  }

  private settle(market: Market, priceTicks: number): void {
    const { positions } = this.context;
    for (const account of positions.holdersOf(market.index)) this.closeAt(account, market, priceTicks, 'Settlement', undefined);
  }

  /** A position that a rule closes without a book and without a fee. */
  private closeAt(
    account: number,
    market: Market,
    priceTicks: number,
    direction: string,
    liquidation: FillFact['liquidation'],
    startLots = this.context.positions.lots(account, market.index),
  ): void {
    if (startLots === 0n) return;
    const closedPnl = this.context.positions.close(account, market.index, priceTicks, market.unit, startLots);
    this.facts.fills.push({
      account,
      market: market.index,
      sell: startLots > 0n,
      lots: startLots < 0n ? -startLots : startLots,
      priceTicks,
      timeMs: this.block.timeMs,
      startLots,
      direction,
      closedPnl,
      fee: 0n,
      builderFee: 0n,
      crossed: true,
      oid: 0n,
      // Behind all events of a block, one for each account and market.
      tid: this.tidOf(BigInt(account), BigInt(market.index), -1),
      clientId: undefined,
      twapId: undefined,
      liquidation,
      transaction: this.name,
    });
  }

  // --- Orders -----------------------------------------------------------------------------------------------------------------------

  private currentItem(): OrderItem | undefined {
    return this.transaction?.kind === 'orders' ? this.transaction.items[this.item] : undefined;
  }

  private takeItem(event: ItemEvent): void {
    const item = this.currentItem();
    const index = this.item++;
    if (item === undefined) return;
    this.takeResult(item, index, event);
    this.lastFillTicks = 0;
  }

  private takeResult(item: OrderItem, index: number, event: ItemEvent): void {
    if (item.op === 'place') this.placed(item, index, event);
    else if (item.op === 'modify') {
      this.replaced(item, event);
      this.placed(item, index, event);
    } else if (event.code === code.CODE_OK) {
      const order = this.context.orders.find(event.oid);
      if (order === undefined || order.place === 'gone') return;
      if (item.op === 'reduce' && event.restingLots > 0n) {
        order.leftLots = event.restingLots;
        this.addOrder(order, 'open', order.leftLots, true);
      } else this.close(order, 'canceled', order.leftLots);
    }
  }

  /** The order that a modify takes away, if it has. */
  private replaced(item: ModifyItem, event: ItemEvent): void {
    const { orders } = this.context;
    const order = typeof item.target === 'bigint' ? orders.find(item.target) : orders.findClientId(this.actor, item.target);
    if (order === undefined || order.place === 'gone' || order.account !== this.actor || order.market !== item.market) return;
    if (BEFORE_REPLACING.has(event.code)) return;
    if (event.code === code.CODE_INVALID_TRIGGER && !this.isTriggerPrice(item)) return;
    this.close(order, 'canceled', order.leftLots);
  }

  /** Check 6 of docs/rules.md, 4.1: the same code also says, later, that the trigger's condition is already true. */
  private isTriggerPrice({ market, trigger }: ModifyItem): boolean {
    const { tickCount, tickStep } = this.context.markets.market(market).parameters;
    return trigger !== undefined && trigger.priceTicks > 0 && trigger.priceTicks < tickCount && trigger.priceTicks % tickStep === 0;
  }

  private placed(item: PlaceItem | ModifyItem, index: number, event: ItemEvent): void {
    const market = this.context.markets.markets[item.market];
    if (market === undefined) return;
    const { trigger } = item;
    const isParent = (this.transaction as OrdersTransaction).grouping === 'normal' && index === 0;
    const isCapped = event.code === code.CODE_INTEREST_CAPPED;
    const status = statusOfCode(event.code, { restingLots: event.restingLots, flips: isCapped && this.flips(item) });
    const waits = event.code === code.CODE_WAITING_FOR_TRIGGER || event.code === code.CODE_WAITING_FOR_FILL;
    const rests = event.code === code.CODE_OK && event.restingLots > 0n;
    const open = event.code === code.CODE_WAITING_FOR_FILL ? 'child' : 'trigger';
    const left = rests || waits ? event.restingLots : status === 'filled' ? 0n : item.sizeLots - event.filledLots;
    const order = this.context.orders.add({
      // Orders that were not placed have no oid in the rules; this one is theirs alone.
      oid: event.oid === 0n ? (this.firstOrdinal + BigInt(index)) << OID_SLOT_BITS : event.oid,
      account: this.actor,
      market: item.market,
      sell: item.side === 'sell',
      tif: item.tif,
      limitTicks: this.limitTicks(item, market),
      // A reduce-only order that rests was cut to the position.
      originalLots: rests && item.reduceOnly === true ? event.filledLots + event.restingLots : item.sizeLots,
      reduceOnly: item.reduceOnly ?? false,
      clientId: item.clientId,
      trigger: trigger && {
        takeProfit: trigger.kind === 'takeProfit',
        priceTicks: trigger.priceTicks,
        market: trigger.market,
        whole: item.sizeLots === 0n,
      },
      timeMs: this.block.timeMs,
      leftLots: left,
      place: rests ? 'book' : waits ? open : 'gone',
      status,
      statusMs: this.block.timeMs,
      children: NO_CHILDREN,
      shown: 0,
    });
    this.addOrder(order, status, left, false);
    if (isParent) this.parent = order;
    else if (order.place === 'child' && this.parent !== undefined) this.parent.children = [...this.parent.children, order.oid];
  }

  private flips(item: PlaceItem | ModifyItem): boolean {
    const lots = this.context.positions.lots(this.actor, item.market);
    return lots !== 0n && lots > 0n === (item.side === 'sell') && item.sizeLots > (lots < 0n ? -lots : lots);
  }

  /** Of a market order, whose bound follows from a mark that is in no receipt: the worst price that it took; 0: none. */
  private limitTicks(item: PlaceItem | ModifyItem, market: Market): number {
    if (item.tif === 'market' && item.trigger === undefined) return this.lastFillTicks;
    return item.trigger?.market === true ? triggerLimitTicks(item.trigger.priceTicks, item.side === 'sell', market) : item.priceTicks;
  }

  private takeCancel(event: CancelEvent): void {
    const order = this.context.orders.find(event.oid);
    if (order === undefined || order.place === 'gone') return;
    this.facts.ruleCancels.push(order);
    this.close(order, statusOfReason(event.reason), event.lots);
  }

  private takeActive(event: ActiveEvent): void {
    const order = this.context.orders.find(event.oid);
    if (order === undefined) return;
    if (event.what === X.ACTIVE_CHILD) {
      order.place = 'trigger';
      return;
    }
    this.addOrder(order, 'triggered', order.leftLots, false);
    if (event.code === code.CODE_OK && event.restingLots > 0n) {
      order.leftLots = event.restingLots;
      // One that reduces only was cut to the position.
      if (order.reduceOnly) order.originalLots = event.filledLots + event.restingLots;
      order.place = 'book';
      this.setStatus(order, 'open');
      this.addOrder(order, 'open', order.leftLots, false);
    } else {
      const status = statusOfCode(event.code, { restingLots: event.restingLots });
      this.close(order, status, status === 'filled' ? 0n : order.leftLots - event.filledLots);
    }
  }

  private close(order: TrackedOrder, status: OrderStatus, leftLots: bigint): void {
    order.place = 'gone';
    order.leftLots = leftLots;
    this.addOrder(order, status, leftLots, false);
  }

  private setStatus(order: TrackedOrder, status: OrderStatus): void {
    order.status = status;
    order.statusMs = this.block.timeMs;
  }

  private addOrder(order: TrackedOrder, status: OrderStatus, leftLots: bigint, partial: boolean): void {
    if (!partial) this.setStatus(order, status);
    this.facts.orders.push({ order, status, leftLots, timeMs: this.block.timeMs, partial });
  }

  // --- TWAPs ------------------------------------------------------------------------------------------------------------------------

  private takeTwap(event: ActiveEvent): void {
    const { twaps } = this.context;
    const { account } = event;
    const id = Number(event.oid);
    const { transaction } = this;
    if (transaction?.kind === 'twap' && event.what === X.ACTIVE_TWAP_SLICE) {
      const { market, side, sizeLots, minutes, reduceOnly = false, randomize = false, start, stopTicks = 0 } = transaction;
      const waits = start !== undefined && start.priceTicks !== 0;
      const terms: TwapTerms = {
        id,
        account,
        market,
        sell: side === 'sell',
        totalLots: sizeLots,
        minutes,
        reduceOnly,
        randomize,
        start: waits ? start : undefined,
        stopTicks,
        timeMs: this.block.timeMs,
      };
      twaps.start(terms);
      this.addTwap(terms, waits ? 'waitingForTrigger' : 'activated', 0n, 0n);
      return;
    }
    const progress = twaps.get(account, id);
    for (const fill of this.sliceFills) {
      fill.twapId = id;
      if (progress !== undefined)
        progress.executedNotional += this.context.markets.market(fill.market).notional(fill.priceTicks, fill.lots);
    }
    this.sliceFills = [];
    if (progress === undefined) return;
    const { terms } = progress;
    if (event.what === X.ACTIVE_TWAP_SLICE) {
      progress.executedLots += event.filledLots;
      progress.startMs ||= this.block.timeMs;
      this.sliced = `${account} ${id}`;
      return;
    }
    progress.executedLots = event.filledLots;
    this.addTwap(terms, this.endOf(progress), progress.executedLots, progress.executedNotional);
  }

  /** A TWAP that was to run on and had no slice before its end was stopped by its stop price, else by the end of its market. */
  private endOf({ terms, executedLots, startMs }: TwapSoFar): TwapFact['status'] {
    if (this.transaction !== undefined) return 'terminated';
    const lastMs = startMs + (terms.minutes * 60_000 - X.TWAP_INTERVAL_MS);
    const isOver = executedLots === terms.totalLots || (startMs !== 0 && this.block.timeMs >= lastMs);
    if (isOver || this.sliced === `${terms.account} ${terms.id}`) return 'finished';
    return terms.stopTicks === 0 ? 'terminated' : 'stopped';
  }

  private addTwap(terms: TwapTerms, status: TwapFact['status'], executedLots: bigint, executedNotional: bigint): void {
    this.facts.twaps.push({ terms, status, executedLots, executedNotional, timeMs: this.block.timeMs });
  }

  // --- Money ------------------------------------------------------------------------------------------------------------------------

  private takeMoney(event: MoneyEvent): void {
    const { from, to, fee, transaction } = event;
    this.addMoney(from, event);
    if (to !== from) this.addMoney(to, event);
    // The commission of a withdrawal goes to the leader, whom the event does not name.
    if (transaction !== X.KIND_VAULT_TRANSFER || fee === 0n) return;
    const leader = this.context.mirror.vaults.get(from)?.leader ?? NOBODY;
    if (leader !== to) this.addMoney(leader, event);
  }

  private addMoney(account: number, event: MoneyFact['event']): void {
    if (account === NOBODY) return;
    this.facts.money.push({
      account,
      timeMs: this.block.timeMs,
      transaction: this.name,
      nonce: this.transaction?.nonce,
      event,
    });
  }

  private takeForced(event: ForcedEvent): void {
    const { positions, markets, mirror, backstop } = this.context;
    const { account, method, scope, market } = event;
    // One event for every position of a scope that is taken over: the first speaks for the scope. A deficit that is covered has no market.
    const first = this.forced?.method !== method || this.forced.account !== account || this.forced.scope !== scope;
    this.forced = event;
    if (method === code.CAUSE_DELEVERAGE || (method === code.CAUSE_BACKSTOP && market === NOBODY)) return;
    if (first) {
      const isolated = (at: number): boolean =>
        mirror.positions.get(account, at)?.isolated === true || markets.market(at).parameters.mode !== 'normal';
      const held = scope === 0 ? positions.marketsOf(account).filter((at) => !isolated(at)) : [scope - 1];
      const open = held.map((at) => ({ market: at, lots: positions.lots(account, at) }));
      this.addMoney(account, { ...event, positions: open });
      const { notional, accountValue } = event;
      const id = this.block.number * 1000 + (this.facts.liquidations.length % 1000);
      this.facts.liquidations.push({ account, notional, accountValue, backstop: method === code.CAUSE_BACKSTOP, id });
    }
    if (method !== code.CAUSE_BACKSTOP) return;
    const traded = markets.market(market);
    const lots = event.lots < 0n ? -event.lots : event.lots;
    if (lots === 0n) return;
    // The amount is the position at the mark.
    const markTicks = Number((event.amount < 0n ? -event.amount : event.amount) / (lots * traded.unit));
    const direction = `Liquidated ${scope === 0 ? 'Cross' : 'Isolated'} ${event.lots < 0n ? 'Long' : 'Short'}`;
    this.closeAt(account, traded, markTicks, direction, { account, markTicks, method: 'backstop' }, -event.lots);
    if (backstop !== undefined) positions.fill(backstop, market, -event.lots, markTicks);
  }

  private takeFunding({ market, rate, premium, indexTicks }: FundingEvent): void {
    const { timeMs } = this.block;
    const { positions, markets } = this.context;
    this.facts.fundings.push({ market, rate, premium, timeMs });
    if (rate === 0n) return;
    const { unit } = markets.market(market);
    for (const account of positions.holdersOf(market)) {
      const lots = positions.lots(account, market);
      this.facts.payments.push({ account, market, rate, amount: fundingPayment(lots, indexTicks, unit, rate), lots, timeMs });
    }
  }
}

/** The protocol's words for what a fill does to a position. */
export function directionOf(startLots: bigint, signedLots: bigint): string {
  const side = signedLots > 0n ? 'Long' : 'Short';
  if (startLots === 0n || startLots > 0n === signedLots > 0n) return `Open ${side}`;
  const held = startLots < 0n ? -startLots : startLots;
  const traded = signedLots < 0n ? -signedLots : signedLots;
  const holding = startLots > 0n ? 'Long' : 'Short';
  return traded <= held ? `Close ${holding}` : `${holding} > ${side}`;
}

/** The bound of a trigger order that fires as a market order (docs/rules.md, 6.3). */
export function triggerLimitTicks(triggerTicks: number, sell: boolean, market: Market): number {
  const slippage = X.TRIGGER_SLIPPAGE_BPS;
  const ticks = sell ? Math.ceil((triggerTicks * (BPS - slippage)) / BPS) : Math.floor((triggerTicks * (BPS + slippage)) / BPS);
  return Math.min(Math.max(ticks, 1), market.parameters.tickCount - 1);
}
