/**
 * What has happened, as far as it is remembered: facts of blocks by account and by market, bounded as the protocol's answers are.
 *
 * Invariant: facts come in the order of the chain, each block once. Older ones than these are found through the store (stored-blocks.ts).
 */
import { AccountValues } from './account-values.ts';
import { BoundedLog } from './bounded-log.ts';
import { Candles } from './candles.ts';
import { FILL_ROWS, FUNDING_ROWS, moneyRows, orderRows, PAYMENT_ROWS, TRADE_ROWS } from './fact-rows.ts';
import type { BlockFacts, OrderFact, TradeFact, TwapFact, TwapProgress, TwapSoFar, TwapTerms } from './facts.ts';
import type { Market } from './market-table.ts';
import type { OrderTable } from './order-table.ts';
import { PackedLog } from './packed-log.ts';

/** Over all accounts or markets. */
const ALL_MAX = 200_000;
const DAY_MS = 86_400_000;
const DAYS_KEPT = 15;

/** TWAPs that have been placed, with what they have done. */
class TwapRecords implements TwapProgress {
  private readonly byKey = new Map<string, TwapSoFar>();

  get(account: number, id: number) {
    return this.byKey.get(`${account} ${id}`);
  }

  start(terms: TwapTerms): void {
    this.byKey.set(`${terms.account} ${terms.id}`, {
      terms,
      executedLots: 0n,
      executedNotional: 0n,
      startMs: terms.start === undefined ? terms.timeMs : 0,
    });
  }

  end({ account, id }: TwapTerms): void {
    this.byKey.delete(`${account} ${id}`);
  }
}

export class Histories {
  readonly fills = new PackedLog(FILL_ROWS, { each: 10_000, all: ALL_MAX });
  readonly sliceFills = new PackedLog(FILL_ROWS, { each: 2_000, all: ALL_MAX });
  readonly orders: PackedLog<OrderFact>;
  readonly money = new PackedLog(moneyRows(), { each: 5_000, all: ALL_MAX });
  readonly payments = new PackedLog(PAYMENT_ROWS, { each: 5_000, all: ALL_MAX });
  readonly twaps = new BoundedLog<number, TwapFact>({ each: 2_000, all: ALL_MAX });
  readonly twapProgress = new TwapRecords();
  /** By market. */
  readonly fundings = new PackedLog(FUNDING_ROWS, { each: 10_000, all: ALL_MAX });
  readonly trades = new PackedLog(TRADE_ROWS, { each: 500, all: ALL_MAX });
  readonly candles: readonly Candles[];
  readonly values = new AccountValues();
  /** Notional traded on all books, by UTC day. */
  private readonly volumes = new Map<number, bigint>();
  private readonly markets: readonly Market[];

  constructor(markets: readonly Market[], orders: OrderTable) {
    this.markets = markets;
    this.candles = markets.map(() => new Candles());
    this.orders = new PackedLog(orderRows(orders), { each: 2_000, all: ALL_MAX });
  }

  /** Quote units. */
  volumeOfDay(day: number): bigint {
    return this.volumes.get(day) ?? 0n;
  }

  /** `orders`: what the histories were made with; what it had forgotten before the block nobody looks at any more. */
  add(facts: BlockFacts, orders: OrderTable): void {
    orders.recycle();
    for (const fill of facts.fills) {
      this.fills.push(fill.account, fill);
      if (fill.twapId !== undefined) this.sliceFills.push(fill.account, fill);
    }
    for (const trade of facts.trades) this.addTrade(trade);
    for (const fact of facts.orders) {
      if (fact.partial) continue;
      this.orders.push(fact.order.account, fact);
    }
    for (const fact of facts.money) {
      this.values.moved(fact);
      this.money.push(fact.account, fact);
    }
    for (const funding of facts.fundings) this.fundings.push(funding.market, funding);
    for (const payment of facts.payments) this.payments.push(payment.account, payment);
    for (const twap of facts.twaps) {
      this.twaps.push(twap.terms.account, twap);
      if (twap.status !== 'activated' && twap.status !== 'waitingForTrigger') this.twapProgress.end(twap.terms);
    }
  }

  private addTrade(trade: TradeFact): void {
    const { market, timeMs, priceTicks, lots } = trade;
    this.trades.push(market, trade);
    this.candles[market]?.add(trade);
    const day = Math.floor(timeMs / DAY_MS);
    const notional = this.markets[market]?.notional(priceTicks, lots) ?? 0n;
    this.volumes.set(day, (this.volumes.get(day) ?? 0n) + notional);
    if (this.volumes.size > DAYS_KEPT) this.volumes.delete(Math.min(...this.volumes.keys()));
  }
}
