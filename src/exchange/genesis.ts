/**
 * The parameters that a ledger starts from. Values that the protocol marks as configurable live here; what is left out has the default of
 * `exchangeDefaults` and `marketDefaults`. Money in quote units (10^-6), prices in ticks, sizes in lots, rates in 10^-10.
 */
import type { Address } from '../ledger/transactions.ts';

export interface TokenParameters {
  readonly name: string;
  readonly decimals: number;
}

/** From a notional on, positions have at most this leverage. Maintenance margin is half of the initial margin at it (protocol, 7.2). */
export interface MarginTier {
  readonly lowerNotional: bigint;
  readonly maxLeverage: number;
}

/**
 * A perpetual market. Notional in quote units = priceTicks * sizeLots * unit, so
 * unit = 10^6 * tick size * lot size, which must be an integer.
 */
export interface MarketParameters extends Partial<MarketOptions> {
  readonly name: string;
  /** Prices run from 1 to tickCount - 1; at most 2^24. */
  readonly tickCount: number;
  readonly unit: number;
  /** Prices are multiples of this many ticks, sizes of this many lots. */
  readonly tickStep: number;
  readonly lotStep: number;
  /** A price of 1.0 in ticks; prices that are integers are valid whatever their digits. */
  readonly ticksPerInteger: number;
  /** Significant digits of other prices; 0 = no limit (section 4 of the protocol: 5). */
  readonly significantDigits: number;
  /** Leverage of a position whose account has set none; at most the first tier's. */
  readonly leverage: number;
  /** Fees of tier 0; higher tiers take the lower of these and their own. */
  readonly takerFeePpm: number;
  /** Negative: a rebate. */
  readonly makerFeePpm: number;
  readonly minNotional: bigint;
  readonly maxOrderLots: bigint;
  readonly maxPositionLots: bigint;
  /** Mark and index price of the first block; 0 = none yet. */
  readonly markTicks: number;
}

export interface MarketOptions {
  /** The first starts at 0. Default: one tier with `leverage`. */
  readonly tiers: readonly MarginTier[];
  readonly mode: 'normal' | 'noCross' | 'strictIsolated';
  /** No spot market: the index is an average of the market's own marks. */
  readonly hyperp: boolean;
  /** The furthest that a limit may be from the mark, and beyond the oracle price, in basis points; 0 = anywhere. */
  readonly priceBandBps: number;
  readonly oracleBandBps: number;
  readonly impactNotional: bigint;
  /** Rates for 8 hours (clamp, interest) and for one (cap). */
  readonly fundingClamp: bigint;
  readonly fundingInterest: bigint;
  readonly fundingCap: bigint;
  /** Notional; 0 = none. */
  readonly openInterestCap: bigint;
  /** The most that open interest may grow in a minute; 0 = any. */
  readonly openInterestStep: bigint;
}

export const marketDefaults: Omit<MarketOptions, 'tiers'> = {
  mode: 'normal',
  hyperp: false,
  priceBandBps: 8000,
  oracleBandBps: 9500,
  impactNotional: 6_000_000_000n,
  fundingClamp: 5_000_000n,
  fundingInterest: 1_000_000n,
  fundingCap: 400_000_000n,
  openInterestCap: 0n,
  openInterestStep: 0n,
};

export interface FeeTier {
  /** Taker and maker volume of 14 days from which the tier holds. */
  readonly volume: bigint;
  readonly takerPpm: number;
  readonly makerPpm: number;
}

/** A rebate for makers with at least this share of all maker volume. */
export interface MakerRebate {
  readonly sharePpm: number;
  readonly makerPpm: number;
}

export interface ExchangeOptions {
  /** Reports older than this do not count. */
  readonly staleMs: number;
  /** Share of the stake that must have reported freshly for the index to move. */
  readonly quorumPpm: number;
  /** A report further than this from the index is not accepted. */
  readonly farOffPpm: number;
  readonly spotWeights: readonly number[];
  readonly perpWeights: readonly number[];
  /** Marks change in blocks with reports, and when this has passed. */
  readonly markIntervalMs: number;
  /** The mark of a hyperp is at most this share of its 8 h average. */
  readonly hyperpCapPpm: number;
  /** Share of stake whose votes delist a market. */
  readonly delistPpm: number;
  readonly partialNotional: bigint;
  readonly partialPpm: number;
  readonly cooldownMs: number;
  readonly liquidationBps: number;
  /** Equity over notional that the backstop vault keeps when it takes an account over. */
  readonly backstopMarginPpm: number;
  readonly unwindPpm: number;
  readonly unwindBps: number;
  /** Tiers above tier 0, ascending. */
  readonly feeTiers: readonly FeeTier[];
  readonly makerRebates: readonly MakerRebate[];
  readonly referralDiscountPpm: number;
  readonly referralRewardPpm: number;
  readonly referralVolume: bigint;
  /** In 10^-5 of the notional. */
  readonly builderFeeMax: number;
  readonly withdrawFee: bigint;
  readonly scheduleVolume: bigint;
  readonly scheduleDaily: number;
  readonly twapMinNotional: bigint;
  readonly openOrdersBase: number;
  readonly openOrdersMax: number;
  readonly openOrdersVolume: bigint;
  readonly subAccountsBase: number;
  readonly subAccountsMax: number;
  readonly subAccountsFirstVolume: bigint;
  readonly subAccountsVolume: bigint;
  readonly agentsBase: number;
  readonly agentsPerSubAccount: number;
  readonly vaultsMax: number;
  readonly vaultLockMs: number;
  readonly vaultCommissionPpm: number;
  readonly vaultLeaderPpm: number;
  readonly vaultMinimum: bigint;
  readonly backstopLockMs: number;
}

const USD = 1_000_000n;

export const exchangeDefaults: ExchangeOptions = {
  staleMs: 30_000,
  quorumPpm: 500_001,
  farOffPpm: 500_000,
  spotWeights: [3, 2, 2, 1, 1, 1, 1, 1],
  perpWeights: [3, 2, 2, 1, 1, 0, 0, 0],
  markIntervalMs: 3_000,
  hyperpCapPpm: 4_000_000,
  delistPpm: 666_667,
  partialNotional: 100_000n * USD,
  partialPpm: 200_000,
  cooldownMs: 30_000,
  liquidationBps: 1_000,
  backstopMarginPpm: 20_000,
  unwindPpm: 50_000,
  unwindBps: 100,
  feeTiers: [
    { volume: 5_000_000n * USD, takerPpm: 400, makerPpm: 120 },
    { volume: 25_000_000n * USD, takerPpm: 350, makerPpm: 80 },
    { volume: 100_000_000n * USD, takerPpm: 300, makerPpm: 40 },
    { volume: 500_000_000n * USD, takerPpm: 280, makerPpm: 0 },
    { volume: 2_000_000_000n * USD, takerPpm: 260, makerPpm: 0 },
    { volume: 7_000_000_000n * USD, takerPpm: 240, makerPpm: 0 },
  ],
  makerRebates: [
    { sharePpm: 5_000, makerPpm: -10 },
    { sharePpm: 15_000, makerPpm: -20 },
    { sharePpm: 30_000, makerPpm: -30 },
  ],
  referralDiscountPpm: 40_000,
  referralRewardPpm: 100_000,
  referralVolume: 25_000_000n * USD,
  builderFeeMax: 100,
  withdrawFee: USD,
  scheduleVolume: 0n,
  scheduleDaily: 10,
  twapMinNotional: 100n * USD,
  openOrdersBase: 1000,
  openOrdersMax: 5000,
  openOrdersVolume: 5_000_000n * USD,
  subAccountsBase: 10,
  subAccountsMax: 50,
  subAccountsFirstVolume: 100_000n * USD,
  subAccountsVolume: 100_000_000n * USD,
  agentsBase: 3,
  agentsPerSubAccount: 2,
  vaultsMax: 16,
  vaultLockMs: 86_400_000,
  vaultCommissionPpm: 100_000,
  vaultLeaderPpm: 50_000,
  vaultMinimum: 100n * USD,
  backstopLockMs: 345_600_000,
};

/** A reporter of prices. */
export interface Reporter {
  readonly address: Address;
  /** 1 to 2^40. */
  readonly stake: bigint;
}

export interface Genesis {
  readonly maxAccounts: number;
  /** Pages of 64 order slots an account, 1 to 128. */
  readonly orderPages: number;
  readonly tokens: readonly TokenParameters[];
  readonly markets: readonly MarketParameters[];
  /** Short for one reporter with stake 1. */
  readonly oracle?: Address;
  readonly reporters?: readonly Reporter[];
  readonly exchange?: Partial<ExchangeOptions>;
  /** The backstop vault: one of `accounts`, which gives its first collateral (shares that nobody can withdraw). Without it there is none. */
  readonly backstop?: Address;
  /**
   * Days without activity after which an account leaves the memory until somebody names it (docs/rules.md, 11); 0 or absent: never.
   * `maxAccounts` then bounds the accounts that are awake. Needs a market: a ledger without has no days.
   */
  readonly dormantDays?: number;
  /** Accounts in the order of their numbers, from 0. */
  readonly accounts: readonly {
    readonly address: Address;
    readonly balances?: readonly { readonly token: number; readonly amount: bigint }[];
    /** Quote units credited as exchange collateral; creates the margin account when above 0. */
    readonly collateral?: bigint;
  }[];
}

/** What a genesis says, with the defaults filled in. */
export function exchangeOptions(genesis: Genesis): ExchangeOptions {
  return { ...exchangeDefaults, ...genesis.exchange };
}

export function marketOptions(market: MarketParameters): MarketParameters & MarketOptions {
  return { ...marketDefaults, tiers: [{ lowerNotional: 0n, maxLeverage: market.leverage }], ...market };
}

export function reportersOf(genesis: Genesis): readonly Reporter[] {
  return genesis.reporters ?? (genesis.oracle === undefined ? [] : [{ address: genesis.oracle, stake: 1n }]);
}
