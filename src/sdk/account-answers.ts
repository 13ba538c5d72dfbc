/** What a node says about an account: the bodies of answers and the data of stream messages, as they are on the wire. */
import type { Address, Hex, Side } from './market-answers.ts';

export interface MarginSummary {
  readonly accountValue: string;
  readonly totalNtlPos: string;
  readonly totalRawUsd: string;
  readonly totalMarginUsed: string;
}

export type Leverage =
  | { readonly type: 'cross'; readonly value: number }
  | { readonly type: 'isolated'; readonly value: number; readonly rawUsd: string };

export interface Position {
  readonly coin: string;
  /** Signed: negative is short. */
  readonly szi: string;
  readonly leverage: Leverage;
  readonly entryPx: string;
  readonly positionValue: string;
  readonly unrealizedPnl: string;
  readonly returnOnEquity: string;
  readonly liquidationPx: string | null;
  readonly marginUsed: string;
  readonly maxLeverage: number;
  readonly cumFunding: { readonly allTime: string; readonly sinceOpen: string; readonly sinceChange: string };
}

export interface ClearinghouseState {
  readonly marginSummary: MarginSummary;
  readonly crossMarginSummary: MarginSummary;
  readonly crossMaintenanceMarginUsed: string;
  readonly withdrawable: string;
  readonly assetPositions: readonly { readonly type: 'oneWay'; readonly position: Position }[];
  readonly time: number;
}

export interface SpotState {
  readonly balances: readonly {
    readonly coin: string;
    readonly token?: number;
    readonly total: string;
    readonly hold: string;
    readonly entryNtl: string;
  }[];
}

export interface OpenOrder {
  readonly coin: string;
  readonly side: Side;
  readonly limitPx: string;
  /** What is left of it. */
  readonly sz: string;
  readonly origSz: string;
  readonly oid: number;
  readonly timestamp: number;
  readonly cloid?: Hex;
  readonly reduceOnly?: true;
}

export interface FullOrder extends Omit<OpenOrder, 'cloid' | 'reduceOnly'> {
  readonly triggerCondition: string;
  readonly isTrigger: boolean;
  readonly triggerPx: string;
  readonly children: readonly FullOrder[];
  readonly isPositionTpsl: boolean;
  readonly reduceOnly: boolean;
  readonly orderType: string;
  readonly tif: string | null;
  readonly cloid: Hex | null;
}

/** `status` is "open", "filled", "canceled", "triggered", "rejected", or says why ("marginCanceled", "badAloPxRejected", ...). */
export interface OrderStatus<O> {
  readonly order: O;
  readonly status: string;
  readonly statusTimestamp: number;
}

export interface Fill {
  readonly coin: string;
  readonly px: string;
  readonly sz: string;
  readonly side: Side;
  readonly time: number;
  /** Signed size before. */
  readonly startPosition: string;
  readonly dir: string;
  /** Without the fee. */
  readonly closedPnl: string;
  readonly hash: Hex;
  readonly oid: number;
  /** Did this side take? */
  readonly crossed: boolean;
  readonly fee: string;
  readonly builderFee?: string;
  readonly tid: number;
  readonly feeToken: string;
  readonly twapId: number | null;
  readonly cloid?: Hex;
  readonly liquidation?: { readonly liquidatedUser?: Address; readonly markPx: string; readonly method: 'market' | 'backstop' };
}

export interface FundingPayment {
  readonly coin: string;
  readonly usdc: string;
  readonly szi: string;
  readonly fundingRate: string;
  readonly nSamples: number | null;
}

/** `delta.type` is "deposit", "withdraw", "internalTransfer", "subAccountTransfer", "vaultDeposit", "liquidation", ... */
export interface LedgerUpdate {
  readonly time: number;
  readonly hash: Hex;
  readonly delta: { readonly type: string; readonly [field: string]: unknown };
}

export interface TwapState {
  readonly coin: string;
  readonly user: Address;
  readonly side: Side;
  readonly sz: string;
  readonly executedSz: string;
  readonly executedNtl: string;
  readonly minutes: number;
  readonly reduceOnly: boolean;
  readonly randomize: boolean;
  readonly timestamp: number;
}

export interface TwapRecord {
  readonly time: number;
  readonly state: TwapState;
  readonly status: { readonly status: string; readonly description?: string };
  readonly twapId?: number;
}

export interface SliceFill {
  readonly fill: Fill;
  readonly twapId: number;
}

export interface ActiveAssetData {
  readonly user: Address;
  readonly coin: string;
  readonly leverage: Leverage;
  readonly maxTradeSzs: readonly [string, string];
  readonly availableToTrade: readonly [string, string];
  readonly markPx: string;
}

export interface UserFees {
  readonly dailyUserVlm: readonly {
    readonly date: string;
    readonly userCross: string;
    readonly userAdd: string;
    readonly exchange: string;
  }[];
  readonly feeSchedule: unknown;
  readonly userCrossRate: string;
  readonly userAddRate: string;
  readonly activeReferralDiscount: string;
}

export interface RateLimit {
  readonly cumVlm: string;
  readonly nRequestsUsed: number;
  readonly nRequestsCap: number;
  readonly nRequestsSurplus: number;
}

export type UserRole =
  | { readonly role: 'missing' | 'user' | 'vault' }
  | { readonly role: 'agent'; readonly data: { readonly user: Address } }
  | { readonly role: 'subAccount'; readonly data: { readonly master: Address } };

export interface SubAccount {
  readonly name: string;
  readonly subAccountUser: Address;
  readonly master: Address;
  readonly clearinghouseState: ClearinghouseState;
  readonly spotState: SpotState;
}

/** By period: "day", "week", "month", "allTime", "perpDay", ... */
export type Portfolio = readonly (readonly [
  period: string,
  {
    readonly accountValueHistory: readonly (readonly [timeMs: number, value: string])[];
    readonly pnlHistory: readonly (readonly [timeMs: number, value: string])[];
    readonly vlm: string;
  },
])[];

export interface VaultFollower {
  readonly user: Address | 'Leader';
  readonly vaultEquity: string;
  readonly pnl: string;
  readonly allTimePnl: string;
  readonly daysFollowing: number;
  readonly vaultEntryTime: number;
  readonly lockupUntil: number;
}

export interface VaultDetails {
  readonly name: string;
  readonly vaultAddress: Address;
  readonly leader: Address;
  readonly description: string;
  readonly portfolio: Portfolio;
  readonly apr: number;
  readonly followerState: VaultFollower | null;
  readonly leaderFraction: number;
  readonly leaderCommission: number;
  readonly followers: readonly VaultFollower[];
  readonly maxDistributable: number;
  readonly maxWithdrawable: number;
  readonly isClosed: boolean;
  readonly allowDeposits: boolean;
  readonly alwaysCloseOnWithdraw: boolean;
}
