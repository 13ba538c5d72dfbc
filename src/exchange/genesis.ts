/** The parameters that a ledger starts from. Values that protocol pages mark as configurable live here. */
import type { Address } from '../ledger/transactions.ts';

export interface TokenParameters {
  readonly name: string;
  readonly decimals: number;
}

/**
 * A perpetual market. Notional in quote units = priceTicks * sizeLots * unit, so
 * unit = 10^6 * tick size * lot size, which must be an integer.
 */
export interface MarketParameters {
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
  /** Initial margin is 1 / leverage of the notional. */
  readonly leverage: number;
  readonly takerFeePpm: number;
  /** Negative: a rebate. */
  readonly makerFeePpm: number;
  readonly minNotional: bigint;
  readonly maxOrderLots: bigint;
  readonly maxPositionLots: bigint;
  /** Mark price of the first block; 0 = none yet. */
  readonly markTicks: number;
}

export interface Genesis {
  readonly maxAccounts: number;
  /** Pages of 64 order slots an account, 1 to 16. */
  readonly orderPages: number;
  readonly tokens: readonly TokenParameters[];
  readonly markets: readonly MarketParameters[];
  /** The account whose oracle transactions set prices. */
  readonly oracle: Address;
  /** Accounts in the order of their numbers, from 0. */
  readonly accounts: readonly {
    readonly address: Address;
    readonly balances?: readonly { readonly token: number; readonly amount: bigint }[];
    /** Quote units credited as exchange collateral; creates the margin account when above 0. */
    readonly collateral?: bigint;
  }[];
}
