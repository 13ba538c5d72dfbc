/** What a node says about markets: the bodies of answers and the data of stream messages, as they are on the wire. Numbers are texts (decimal.ts). */

export type Hex = `0x${string}`;
/** 0x and 40 lower-case hex digits. */
export type Address = Hex;
/** B: buy, bid. A: sell, ask. */
export type Side = 'B' | 'A';
export type Interval = '1m' | '3m' | '5m' | '15m' | '30m' | '1h' | '2h' | '4h' | '8h' | '12h' | '1d' | '3d' | '1w' | '1M';

export interface MarketMeta {
  readonly name: string;
  readonly szDecimals: number;
  readonly maxLeverage: number;
  readonly marginTableId: number;
  readonly onlyIsolated?: true;
  readonly isDelisted?: true;
  readonly marginMode?: 'strictIsolated' | 'noCross';
}

export interface MarginTable {
  readonly description: string;
  readonly marginTiers: readonly { readonly lowerBound: string; readonly maxLeverage: number }[];
}

/** The place of a market in `universe` is its asset id. */
export interface Meta {
  readonly universe: readonly MarketMeta[];
  readonly marginTables: readonly (readonly [id: number, table: MarginTable])[];
  readonly collateralToken: number;
}

export interface AssetContext {
  readonly prevDayPx: string;
  readonly dayNtlVlm: string;
  readonly dayBaseVlm: string;
  readonly markPx: string;
  readonly midPx: string | null;
  readonly oraclePx: string;
  readonly funding: string;
  readonly openInterest: string;
  readonly premium: string | null;
  readonly impactPxs: readonly [bid: string, ask: string] | null;
}

export interface SpotMeta {
  readonly universe: readonly {
    readonly name: string;
    readonly index: number;
    readonly tokens: readonly [number, number];
    readonly isCanonical: boolean;
  }[];
  readonly tokens: readonly {
    readonly name: string;
    readonly index: number;
    readonly szDecimals: number;
    readonly weiDecimals: number;
    readonly tokenId: Hex;
    readonly isCanonical: boolean;
    readonly fullName: string | null;
  }[];
}

export interface Level {
  readonly px: string;
  readonly sz: string;
  /** Orders. */
  readonly n: number;
}

export interface Book {
  readonly coin: string;
  readonly time: number;
  readonly levels: readonly [bids: readonly Level[], asks: readonly Level[]];
}

export interface BestPrices {
  readonly coin: string;
  readonly time: number;
  readonly bbo: readonly [bid: Level | null, ask: Level | null];
}

export interface Trade {
  readonly coin: string;
  /** Of the one who took. */
  readonly side: Side;
  readonly px: string;
  readonly sz: string;
  readonly time: number;
  readonly hash: Hex;
  readonly tid: number;
  readonly users: readonly [buyer: Address, seller: Address];
}

export interface Candle {
  /** First and last ms. */
  readonly t: number;
  readonly T: number;
  readonly s: string;
  readonly i: Interval;
  readonly o: string;
  readonly c: string;
  readonly h: string;
  readonly l: string;
  readonly v: string;
  /** Trades. */
  readonly n: number;
}

export interface FundingRate {
  readonly coin: string;
  readonly fundingRate: string;
  readonly premium: string;
  readonly time: number;
}
