/**
 * The requests of `POST /info` that concern perpetuals, accounts and vaults: what stands beside `type`, and what comes back.
 *
 * Whatever is not here can be asked as well, without types (`HeddleClient.ask`).
 * Not here: whether an answer is what its type says. The client trusts its node with that, not with proofs (proven-state.ts).
 */
import type * as A from './account-answers.ts';
import type * as M from './market-answers.ts';

type Nothing = Readonly<Record<never, never>>;

interface OfUser {
  readonly user: M.Address;
}

interface OfCoin {
  readonly coin: string;
}

interface InRange {
  readonly startTime: number;
  readonly endTime?: number;
}

/** request, answer */
export interface InfoTable {
  readonly allMids: [Nothing, Readonly<Record<string, string>>];
  readonly meta: [Nothing, M.Meta];
  readonly metaAndAssetCtxs: [Nothing, readonly [M.Meta, readonly M.AssetContext[]]];
  readonly spotMeta: [Nothing, M.SpotMeta];
  readonly exchangeStatus: [Nothing, { readonly time: number; readonly specialStatuses: string | null }];
  readonly l2Book: [OfCoin & { readonly nSigFigs?: 2 | 3 | 4 | 5; readonly mantissa?: 2 | 5 }, M.Book | null];
  readonly recentTrades: [OfCoin, readonly M.Trade[]];
  readonly candleSnapshot: [{ readonly req: OfCoin & InRange & { readonly interval: M.Interval } }, readonly M.Candle[]];
  readonly fundingHistory: [OfCoin & InRange, readonly M.FundingRate[]];
  readonly perpsAtOpenInterestCap: [Nothing, readonly string[]];
  readonly marginTable: [{ readonly id: number }, M.MarginTable];
  readonly maxMarketOrderNtls: [Nothing, readonly (readonly [leverage: number, notional: string])[]];

  readonly clearinghouseState: [OfUser, A.ClearinghouseState];
  readonly spotClearinghouseState: [OfUser, A.SpotState];
  readonly activeAssetData: [OfUser & OfCoin, A.ActiveAssetData];
  readonly openOrders: [OfUser, readonly A.OpenOrder[]];
  readonly frontendOpenOrders: [OfUser, readonly A.FullOrder[]];
  readonly historicalOrders: [OfUser, readonly A.OrderStatus<A.FullOrder>[]];
  readonly orderStatus: [
    OfUser & { readonly oid: number | M.Hex },
    { readonly status: 'order'; readonly order: A.OrderStatus<A.FullOrder> } | { readonly status: 'unknownOid' },
  ];
  readonly userFills: [OfUser & { readonly aggregateByTime?: boolean }, readonly A.Fill[]];
  readonly userFillsByTime: [OfUser & InRange & { readonly aggregateByTime?: boolean; readonly reversed?: boolean }, readonly A.Fill[]];
  readonly userFunding: [
    OfUser & Partial<InRange>,
    readonly { readonly time: number; readonly hash: M.Hex; readonly delta: A.FundingPayment & { readonly type: 'funding' } }[],
  ];
  readonly userNonFundingLedgerUpdates: [OfUser & Partial<InRange>, readonly A.LedgerUpdate[]];
  readonly userFees: [OfUser, A.UserFees];
  readonly userRateLimit: [OfUser, A.RateLimit];
  readonly userRole: [OfUser, A.UserRole];
  readonly portfolio: [OfUser, A.Portfolio];
  readonly subAccounts: [OfUser, readonly A.SubAccount[] | null];
  readonly extraAgents: [OfUser, readonly { readonly address: M.Address; readonly name: string; readonly validUntil: number | null }[]];
  readonly maxBuilderFee: [OfUser & { readonly builder: M.Address }, number];
  readonly userToMultiSigSigners: [OfUser, { readonly authorizedUsers: readonly M.Address[]; readonly threshold: number } | null];
  readonly twapHistory: [OfUser, readonly A.TwapRecord[]];
  readonly userTwapSliceFills: [OfUser, readonly A.SliceFill[]];
  readonly userVaultEquities: [
    OfUser,
    readonly { readonly vaultAddress: M.Address; readonly equity: string; readonly lockedUntilTimestamp: number }[],
  ];
  readonly vaultDetails: [{ readonly vaultAddress: M.Address; readonly user?: M.Address }, A.VaultDetails | null];
  readonly leadingVaults: [OfUser, readonly { readonly address: M.Address; readonly name: string }[]];

  // Beyond the original (docs/api-beyond.md). Proofs and settled headers are checked by `HeddleClient.proof` and `settlement`.
  readonly settlement: [{ readonly height: number }, Settlement | null];
  readonly proof: [{ readonly key: M.Hex }, { readonly height: number; readonly header: M.Hex; readonly proof: M.Hex }];
  readonly budget: [OfUser, Budget];
  readonly displayName: [OfUser, { readonly user: M.Address; readonly displayName: string | null }];
  readonly limits: [Nothing, Limits];
}

export interface Settlement {
  readonly height: number;
  readonly settled: boolean;
  /** The last three: as soon as the block's root is known. */
  readonly headerHash?: M.Hex;
  readonly stateRoot?: M.Hex;
  readonly header?: M.Hex;
}

export interface Budget {
  readonly user: M.Address;
  /** Requests so far, those that the traded volume allows, those bought beside. */
  readonly used: number;
  readonly allowed: number;
  readonly reserved: number;
  /** Are requests beyond it refused? */
  readonly enforced: boolean;
}

/** Sizes in units of the asset, values in the quote token. */
interface MarketLimits {
  readonly coin: string;
  /** Of one order; a larger one is refused. */
  readonly maxOrderSize: string;
  /** Of a position, either way. */
  readonly maxPositionSize: string;
  readonly minOrderValue: string;
  /** How far a limit price may be from the mark, and beyond the oracle price; null: anywhere. */
  readonly priceBandBps: number | null;
  readonly oracleBandBps: number | null;
  /** Of the whole market; null: none. */
  readonly openInterestCap: string | null;
}

export interface Limits {
  /** In the order of `meta`. */
  readonly markets: readonly MarketLimits[];
  /** Of an account: one more than `base` for each `volumePerFurther` that it has traded, up to `max`. */
  readonly openOrders: { readonly base: number; readonly max: number; readonly volumePerFurther: string };
  readonly twapMinValue: string;
}

export type InfoName = keyof InfoTable;
export type InfoRequest<N extends InfoName> = { readonly type: N } & InfoTable[N][0];
export type InfoAnswer<N extends InfoName> = InfoTable[N][1];
