/** What clients of the ledger and the exchange send, as typed objects. Encoding to the kernel's form is admission's work. */

/** 0x and 40 lower-case hex digits. */
export type Address = string;
/** 0x and 32 lower-case hex digits. */
export type ClientId = string;

interface Signed {
  readonly sender: Address;
  /** Absent only for flows that the host has authenticated itself (replays, benchmarks): nothing is checked, nothing used up. */
  readonly nonce?: bigint;
}

export interface TransferTransaction extends Signed {
  readonly kind: 'transfer';
  readonly recipient: Address;
  readonly token: number;
  /** Raw units of the token, 0 to 2^64 - 1. */
  readonly amount: bigint;
}

export interface DepositTransaction extends Signed {
  readonly kind: 'deposit';
  readonly amount: bigint;
}

export type TimeInForce = 'gtc' | 'ioc' | 'alo' | 'market';

export interface PlaceItem {
  readonly op: 'place';
  readonly market: number;
  readonly side: 'buy' | 'sell';
  readonly tif: TimeInForce;
  /** For `market`: the slippage bound in basis points of the mark price. */
  readonly priceTicks: number;
  readonly sizeLots: bigint;
  readonly reduceOnly?: boolean;
  readonly clientId?: ClientId;
}

export interface CancelItem {
  readonly op: 'cancel';
  readonly market: number;
  readonly oid: bigint;
}

export interface CancelClientItem {
  readonly op: 'cancelByClientId';
  readonly market: number;
  readonly target: ClientId;
}

export interface ModifyItem extends Omit<PlaceItem, 'op'> {
  readonly op: 'modify';
  /** The order to replace: its oid or its client id. */
  readonly target: bigint | ClientId;
}

export interface ReduceItem {
  readonly op: 'reduce';
  readonly market: number;
  readonly oid: bigint;
  readonly sizeLots: bigint;
}

export type OrderItem = PlaceItem | CancelItem | CancelClientItem | ModifyItem | ReduceItem;

export interface OrdersTransaction extends Signed {
  readonly kind: 'orders';
  readonly items: readonly OrderItem[];
}

export interface OracleTransaction extends Signed {
  readonly kind: 'oracle';
  readonly prices: readonly { readonly market: number; readonly priceTicks: number }[];
}

export type Transaction = TransferTransaction | DepositTransaction | OrdersTransaction | OracleTransaction;

export interface Block {
  /** 1 for the first block after genesis, then without gaps. */
  readonly number: number;
  readonly timeMs: number;
  readonly transactions: readonly Transaction[];
}
