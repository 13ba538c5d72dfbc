/**
 * Facts: what blocks have done, in the protocol's words and in the ledger's numbers. Read off blocks by block-facts.ts, kept by histories.ts,
 * written by the `*-json.ts` files. Sizes in lots, prices in ticks, money in quote units, accounts by number.
 */
import type { OrderStatus } from '../exchange/messages.ts';
import type { Transaction } from '../ledger/transactions.ts';
import type { ForcedEvent, MoneyEvent, TransferEvent } from './events.ts';
import type { TrackedOrder } from './order-table.ts';
import type { TransactionName } from './transaction-name.ts';

/** No account. */
export const NOBODY = 0xffffffff;

/** What a fill did to a position, in the protocol's words. */
export const DIRECTIONS = [
  'Open Long',
  'Open Short',
  'Close Long',
  'Close Short',
  'Long > Short',
  'Short > Long',
  'Auto-Deleveraging',
  'Settlement',
  'Liquidated Cross Long',
  'Liquidated Cross Short',
  'Liquidated Isolated Long',
  'Liquidated Isolated Short',
] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** A block that was executed; from the store or as it was confirmed. */
export interface ReadableBlock {
  readonly number: number;
  readonly timeMs: number;
  readonly firstOrdinal: bigint;
  readonly transactions: readonly Transaction[];
  /** What transactions are known by (transaction-name.ts), 32 bytes each. */
  readonly hashes: readonly Uint8Array[];
  /** Of a block that has not taken its hashes: one of them. */
  hashOf?(index: number): Uint8Array;
  readonly receipts: readonly Uint8Array[];
}

export interface FillFact {
  readonly account: number;
  readonly market: number;
  readonly sell: boolean;
  readonly lots: bigint;
  readonly priceTicks: number;
  readonly timeMs: number;
  readonly startLots: bigint;
  readonly direction: Direction;
  readonly closedPnl: bigint;
  /** Builder fee included. */
  readonly fee: bigint;
  readonly builderFee: bigint;
  /** Was the taker. */
  readonly crossed: boolean;
  readonly oid: bigint;
  readonly tid: number;
  readonly clientId: string | undefined;
  twapId: number | undefined;
  readonly liquidation: { readonly account: number; readonly markTicks: number; readonly method: 'market' | 'backstop' } | undefined;
  readonly transaction: TransactionName;
}

/** A trade on a book. */
export interface TradeFact {
  readonly market: number;
  readonly takerSells: boolean;
  readonly lots: bigint;
  readonly priceTicks: number;
  readonly timeMs: number;
  readonly tid: number;
  readonly buyer: number;
  readonly seller: number;
  readonly transaction: TransactionName;
}

export interface OrderFact {
  readonly order: TrackedOrder;
  readonly status: OrderStatus;
  readonly leftLots: bigint;
  readonly timeMs: number;
  /** It was filled in part and goes on: news for those who follow, not a step of its history. */
  readonly partial: boolean;
}

/** Something of an account's money that is neither trading nor funding. */
export interface MoneyFact {
  readonly account: number;
  readonly timeMs: number;
  readonly transaction: TransactionName;
  readonly nonce: bigint | undefined;
  readonly event:
    | MoneyEvent
    | TransferEvent
    | (ForcedEvent & { readonly positions: readonly { readonly market: number; readonly lots: bigint }[] });
}

export interface FundingFact {
  readonly market: number;
  readonly rate: bigint;
  readonly premium: bigint;
  readonly timeMs: number;
}

export interface PaymentFact {
  readonly account: number;
  readonly market: number;
  readonly rate: bigint;
  /** Negative: paid. */
  readonly amount: bigint;
  readonly lots: bigint;
  readonly timeMs: number;
}

export interface TwapTerms {
  readonly id: number;
  readonly account: number;
  readonly market: number;
  readonly sell: boolean;
  readonly totalLots: bigint;
  readonly minutes: number;
  readonly reduceOnly: boolean;
  readonly randomize: boolean;
  readonly start: { readonly priceTicks: number; readonly above: boolean } | undefined;
  readonly stopTicks: number;
  readonly timeMs: number;
}

export interface TwapFact {
  readonly terms: TwapTerms;
  readonly status: 'activated' | 'waitingForTrigger' | 'finished' | 'terminated' | 'stopped';
  readonly executedLots: bigint;
  readonly executedNotional: bigint;
  readonly timeMs: number;
}

/** What the event of a liquidation says, for those who follow the account. */
export interface LiquidationFact {
  readonly account: number;
  readonly notional: bigint;
  readonly accountValue: bigint;
  readonly backstop: boolean;
  readonly id: number;
}

export interface BlockFacts {
  readonly fills: FillFact[];
  readonly trades: TradeFact[];
  readonly orders: OrderFact[];
  readonly money: MoneyFact[];
  readonly fundings: FundingFact[];
  readonly payments: PaymentFact[];
  readonly twaps: TwapFact[];
  readonly liquidations: LiquidationFact[];
  /** Orders that a rule took away. */
  readonly ruleCancels: TrackedOrder[];
}

export interface TwapSoFar {
  readonly terms: TwapTerms;
  executedLots: bigint;
  executedNotional: bigint;
  /** Of its first slice; 0: there was none yet. */
  startMs: number;
}

/** What TWAPs have done so far, by account and id. */
export interface TwapProgress {
  get(account: number, id: number): TwapSoFar | undefined;
  start(terms: TwapTerms): void;
}
