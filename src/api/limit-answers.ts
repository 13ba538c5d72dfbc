/**
 * The bounds of the genesis that an order can meet, as clients need them: sizes and values in decimals of the market.
 * Not here: how many requests an address may send (rate-limits.ts), leverage and margin tiers (`meta` has them).
 */
import type { ExchangeOptions } from '../exchange/genesis.ts';
import { formatDecimal } from '../sdk/decimal.ts';
import type { InfoAnswer } from '../sdk/index.ts';
import type { Market } from '../views/index.ts';

export interface LimitsContext {
  readonly markets: readonly Market[];
  readonly exchange: ExchangeOptions;
  /** Of an account. */
  readonly orderPages: number;
}

const QUOTE_DECIMALS = 6;
/** An order's place on a page of its account (src/exchange/layout.ts). */
const SLOTS_PER_PAGE = 64;

const quoteText = (amount: bigint): string => formatDecimal(amount, QUOTE_DECIMALS);

export function limitsAnswer({ markets, exchange, orderPages }: LimitsContext): InfoAnswer<'limits'> {
  const { openOrdersBase, openOrdersMax, openOrdersVolume, twapMinNotional } = exchange;
  const slots = SLOTS_PER_PAGE * orderPages;
  return {
    markets: markets.map(limitsOf),
    openOrders: {
      base: Math.min(openOrdersBase, slots),
      max: Math.min(openOrdersMax, slots),
      volumePerFurther: quoteText(openOrdersVolume),
    },
    twapMinValue: quoteText(twapMinNotional),
  };
}

function limitsOf(market: Market): InfoAnswer<'limits'>['markets'][number] {
  const { maxOrderLots, maxPositionLots, lotStep, minNotional, priceBandBps, oracleBandBps, openInterestCap } = market.parameters;
  return {
    coin: market.name,
    maxOrderSize: market.sizeText(maxOrderLots - (maxOrderLots % BigInt(lotStep))),
    maxPositionSize: market.sizeText(maxPositionLots),
    minOrderValue: quoteText(minNotional),
    priceBandBps: priceBandBps === 0 ? null : priceBandBps,
    oracleBandBps: oracleBandBps === 0 ? null : oracleBandBps,
    openInterestCap: openInterestCap === 0n ? null : quoteText(openInterestCap),
  };
}
