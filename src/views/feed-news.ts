/** What one block means for those who listen: its facts by user, and where something has changed. Only users with listeners are looked at. */
import type { Address } from '../ledger/transactions.ts';
import type { BlockFacts, FillFact, LiquidationFact, MoneyFact, OrderFact, PaymentFact, TradeFact, TwapFact } from './facts.ts';
import type { TrackedOrder } from './order-table.ts';
import type { Touched } from './state-mirror.ts';
import type { Views } from './views.ts';

export interface UserNews {
  readonly account: number;
  readonly fills: FillFact[];
  readonly orders: OrderFact[];
  readonly money: MoneyFact[];
  readonly payments: PaymentFact[];
  readonly twaps: TwapFact[];
  readonly liquidations: LiquidationFact[];
  readonly ruleCancels: TrackedOrder[];
  /** A record of the account has changed, or the mark of a market in which it has a position. */
  stateChanged: boolean;
  /** A record of the account has changed. */
  touched: boolean;
}

export interface BlockNews {
  readonly users: ReadonlyMap<Address, UserNews>;
  /** With a changed price, book, total or funding, or a trade. */
  readonly markets: ReadonlySet<number>;
  readonly books: ReadonlySet<number>;
  readonly trades: ReadonlyMap<number, readonly TradeFact[]>;
}

export function newsOf(views: Views, facts: BlockFacts, touched: Touched, listened: ReadonlyMap<Address, unknown>): BlockNews {
  const trades = new Map<number, TradeFact[]>();
  for (const trade of facts.trades) {
    const known = trades.get(trade.market);
    if (known === undefined) trades.set(trade.market, [trade]);
    else known.push(trade);
  }
  const markets = new Set([...touched.markets, ...touched.books, ...touched.marks, ...trades.keys()]);
  return { users: usersOf(views, facts, touched, listened), markets, books: touched.books, trades };
}

function usersOf(views: Views, facts: BlockFacts, touched: Touched, listened: ReadonlyMap<Address, unknown>): Map<Address, UserNews> {
  const users = new Map<Address, UserNews>();
  if (listened.size === 0) return users;
  const { mirror } = views;
  const byAccount = new Map<number, UserNews>();
  for (const user of listened.keys()) {
    const account = mirror.numberOf(user);
    if (account === undefined) continue;
    const isTouched = touched.accounts.has(account);
    const marked = [...touched.marks].some((market) => mirror.holders.get(market, account) !== undefined);
    const news: UserNews = {
      account,
      fills: [],
      orders: [],
      money: [],
      payments: [],
      twaps: [],
      liquidations: [],
      ruleCancels: [],
      touched: isTouched,
      stateChanged: isTouched || marked,
    };
    byAccount.set(account, news);
    users.set(user, news);
  }
  for (const fill of facts.fills) byAccount.get(fill.account)?.fills.push(fill);
  for (const fact of facts.orders) byAccount.get(fact.order.account)?.orders.push(fact);
  for (const fact of facts.money) byAccount.get(fact.account)?.money.push(fact);
  for (const payment of facts.payments) byAccount.get(payment.account)?.payments.push(payment);
  for (const twap of facts.twaps) byAccount.get(twap.terms.account)?.twaps.push(twap);
  for (const fact of facts.liquidations) byAccount.get(fact.account)?.liquidations.push(fact);
  for (const order of facts.ruleCancels) byAccount.get(order.account)?.ruleCancels.push(order);
  return users;
}
