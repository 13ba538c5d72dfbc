/** What clients of the ledger and the exchange send, as typed objects. Encoding to the kernel's form is admission's work. */

/** 0x and 40 lower-case hex digits. */
export type Address = string;
/** 0x and 32 lower-case hex digits. */
export type ClientId = string;

interface Signed {
  readonly sender: Address;
  /** Absent only for flows that the host has authenticated itself (replays, benchmarks): nothing is checked, nothing used up. */
  readonly nonce?: bigint;
  /** The sub-account or vault that the sender (its master or leader, or an agent of theirs) acts for. */
  readonly behalf?: Address;
  /** A multi-signature user that these signers act for; the sender is one of them and leads. At most 10. */
  readonly multiSig?: { readonly user: Address; readonly signers: readonly Address[] };
}

export interface TransferTransaction extends Signed {
  readonly kind: 'transfer';
  readonly recipient: Address;
  readonly token: number;
  /** Raw units of the token, 0 to 2^64 - 1. */
  readonly amount: bigint;
}

/** Between the ledger balance of the quote token and collateral (class transfer), or out of the exchange; amounts in quote units. */
export interface MoneyTransaction extends Signed {
  readonly kind: 'deposit' | 'toSpot' | 'withdraw';
  readonly amount: bigint;
}

export interface SendPerpTransaction extends Signed {
  readonly kind: 'sendPerp';
  readonly recipient: Address;
  readonly amount: bigint;
}

export type TimeInForce = 'gtc' | 'ioc' | 'alo' | 'market' | 'fok';
export type SelfTradeMode = 'cancelMaker' | 'cancelTaker' | 'cancelBoth';

export interface PlaceItem {
  readonly op: 'place';
  readonly market: number;
  readonly side: 'buy' | 'sell';
  /** Of trigger orders with `market`: ioc; otherwise what the order becomes when it fires. */
  readonly tif: TimeInForce;
  /** For `market`: the slippage bound in basis points of the mark price. */
  readonly priceTicks: number;
  readonly sizeLots: bigint;
  readonly reduceOnly?: boolean;
  readonly clientId?: ClientId;
  readonly selfTrade?: SelfTradeMode;
  /** Good till this time. */
  readonly expiresMs?: number;
  /** Iceberg: the size that is shown. */
  readonly displayLots?: bigint;
  readonly trigger?: { readonly kind: 'takeProfit' | 'stopLoss'; readonly priceTicks: number; readonly market: boolean };
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
  /** Place the new order even if the old one is gone. */
  readonly always?: boolean;
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
  /** `normal`: the first item is the parent of the others; `position`: take-profit and stop-loss orders that follow the position. */
  readonly grouping?: 'none' | 'normal' | 'position';
  /** Gets `fee` (10^-5 of the notional) of every fill of the orders placed. */
  readonly builder?: { readonly address: Address; readonly fee: number };
}

export interface OracleTransaction extends Signed {
  readonly kind: 'oracle';
  /** Prices by source, in the order of the genesis's weights; 0 = missing. At most 8 each. */
  readonly prices: readonly { readonly market: number; readonly spot: readonly number[]; readonly perp?: readonly number[] }[];
}

export interface LeverageTransaction extends Signed {
  readonly kind: 'updateLeverage';
  readonly market: number;
  readonly leverage: number;
  readonly isolated: boolean;
}

export interface IsolatedMarginTransaction extends Signed {
  readonly kind: 'isolatedMargin';
  readonly market: number;
  /** Added to the position's margin (negative: taken out) ... */
  readonly amount?: bigint;
  /** ... or added as far as it takes to reach this leverage. */
  readonly leverage?: number;
}

export interface ScheduleCancelTransaction extends Signed {
  readonly kind: 'scheduleCancel';
  /** Without it: the scheduled cancel is removed. */
  readonly timeMs?: number;
}

export interface TwapTransaction extends Signed {
  readonly kind: 'twap';
  readonly market: number;
  readonly side: 'buy' | 'sell';
  readonly sizeLots: bigint;
  readonly minutes: number;
  readonly reduceOnly?: boolean;
  readonly randomize?: boolean;
  /** Starts when the mark is at or above (`above`), or at or below, this price. */
  readonly start?: { readonly priceTicks: number; readonly above: boolean };
  /** Ends when the mark is beyond: above for buys, below for sells. */
  readonly stopTicks?: number;
}

export interface TwapCancelTransaction extends Signed {
  readonly kind: 'twapCancel';
  readonly market: number;
  readonly id: number;
}

export interface CreateSubAccountTransaction extends Signed {
  readonly kind: 'createSubAccount';
  /** 1 to 24 bytes of UTF-8. */
  readonly name?: string;
}

export interface SubAccountModifyTransaction extends Signed {
  readonly kind: 'subAccountModify';
  readonly subAccount: Address;
  /** 1 to 24 bytes of UTF-8. */
  readonly name: string;
}

export interface SetDisplayNameTransaction extends Signed {
  readonly kind: 'setDisplayName';
  /** At most 24 bytes of UTF-8; empty: the user has none any more. */
  readonly name: string;
}

export interface SubTransferTransaction extends Signed {
  readonly kind: 'subTransfer';
  readonly subAccount: Address;
  /** From the master to the sub-account, or back. */
  readonly deposit: boolean;
  readonly amount: bigint;
}

export interface ApproveAgentTransaction extends Signed {
  readonly kind: 'approveAgent';
  readonly agent: Address;
  /** At most 16 bytes of UTF-8; absent or empty: the unnamed agent. */
  readonly name?: string;
  readonly expiresMs?: number;
}

export interface MultiSigTransaction extends Signed {
  readonly kind: 'multiSig';
  /** Without it: an ordinary user again. */
  readonly signers?: { readonly authorised: readonly Address[]; readonly threshold: number };
}

export interface ApproveBuilderTransaction extends Signed {
  readonly kind: 'approveBuilder';
  readonly builder: Address;
  /** In 10^-5 of the notional. */
  readonly maxFee: number;
}

export interface ReferrerTransaction extends Signed {
  readonly kind: 'registerReferrer' | 'setReferrer';
  /** 1 to 20 bytes of UTF-8. */
  readonly code: string;
}

export interface PlainTransaction extends Signed {
  readonly kind: 'claimRewards' | 'noop';
}

export interface CreateVaultTransaction extends Signed {
  readonly kind: 'createVault';
  readonly amount: bigint;
  /** 1 to 72 bytes of UTF-8. */
  readonly name?: string;
  /** 1 to 384 bytes of UTF-8. */
  readonly description?: string;
}

export interface VaultTransferTransaction extends Signed {
  readonly kind: 'vaultTransfer';
  readonly vault: Address;
  readonly deposit: boolean;
  readonly amount: bigint;
}

export interface VaultModifyTransaction extends Signed {
  readonly kind: 'vaultModify';
  readonly vault: Address;
  readonly allowDeposits: boolean;
}

export interface DelistTransaction extends Signed {
  readonly kind: 'delist';
  readonly market: number;
}

export type Transaction =
  | TransferTransaction
  | MoneyTransaction
  | SendPerpTransaction
  | OrdersTransaction
  | OracleTransaction
  | LeverageTransaction
  | IsolatedMarginTransaction
  | ScheduleCancelTransaction
  | TwapTransaction
  | TwapCancelTransaction
  | CreateSubAccountTransaction
  | SubTransferTransaction
  | ApproveAgentTransaction
  | MultiSigTransaction
  | ApproveBuilderTransaction
  | ReferrerTransaction
  | PlainTransaction
  | CreateVaultTransaction
  | VaultTransferTransaction
  | VaultModifyTransaction
  | DelistTransaction
  | SetDisplayNameTransaction
  | SubAccountModifyTransaction;

export interface Block {
  /** 1 for the first block after genesis, then without gaps. */
  readonly number: number;
  readonly timeMs: number;
  /** Executed in this order; `inClassOrder` gives the order of the protocol. */
  readonly transactions: readonly Transaction[];
}

/**
 * The order of classes inside a block (protocol, section 6): price reports, then what sends neither resting nor taking orders, then
 * cancels, then the rest; within a class the given order. A modify is classed by the new order that it sends.
 */
export function inClassOrder(transactions: readonly Transaction[]): Transaction[] {
  const classes: Transaction[][] = [[], [], [], []];
  for (const transaction of transactions) classes[classOf(transaction)]?.push(transaction);
  return classes.flat();
}

function classOf(transaction: Transaction): number {
  if (transaction.kind === 'oracle') return 0;
  if (transaction.kind !== 'orders') return 1;
  const sends = transaction.items.some(
    (item) => (item.op === 'place' || item.op === 'modify') && item.tif !== 'alo' && item.trigger === undefined,
  );
  if (sends) return 3;
  return transaction.items.every((item) => item.op === 'cancel' || item.op === 'cancelByClientId' || item.op === 'reduce') ? 2 : 1;
}
