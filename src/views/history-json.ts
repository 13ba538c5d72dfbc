/** Fills, trades, candles, funding and TWAPs in the protocol's words. */
import type { Address } from '../ledger/transactions.ts';
import type { Candle, Interval } from './candles.ts';
import { quoteText, rateText } from './decimal-text.ts';
import type { FillFact, FundingFact, PaymentFact, TradeFact, TwapFact, TwapTerms } from './facts.ts';
import type { Market, MarketTable } from './market-table.ts';
import { SYSTEM_NAME } from './transaction-name.ts';

type AddressOf = (account: number) => Address;

/** Without what slices of TWAPs do not show. */
export function sliceFillJson(fill: FillFact, markets: MarketTable): Record<string, unknown> {
  const market = markets.market(fill.market);
  return {
    coin: market.name,
    px: market.priceText(fill.priceTicks),
    sz: market.sizeText(fill.lots),
    side: fill.sell ? 'A' : 'B',
    time: fill.timeMs,
    startPosition: market.sizeText(fill.startLots),
    dir: fill.direction,
    closedPnl: quoteText(fill.closedPnl),
    hash: fill.transaction.hash,
    oid: Number(fill.oid),
    crossed: fill.crossed,
    fee: quoteText(fill.fee),
    ...(fill.builderFee === 0n ? {} : { builderFee: quoteText(fill.builderFee) }),
    tid: fill.tid,
    feeToken: markets.quote,
    twapId: fill.twapId ?? null,
  };
}

export function fillJson(fill: FillFact, markets: MarketTable, addressOf: AddressOf): Record<string, unknown> {
  const { liquidation, clientId } = fill;
  return {
    ...sliceFillJson(fill, markets),
    ...(clientId === undefined ? {} : { cloid: clientId }),
    ...(liquidation === undefined
      ? {}
      : {
          liquidation: {
            liquidatedUser: addressOf(liquidation.account),
            markPx: markets.market(fill.market).priceText(liquidation.markTicks),
            method: liquidation.method,
          },
        }),
  };
}

/** Fills of one order in one block as one, at their average price; oldest first. */
export function aggregatedFills(fills: readonly FillFact[], markets: MarketTable, addressOf: AddressOf): Record<string, unknown>[] {
  const groups: FillFact[][] = [];
  for (const fill of fills) {
    const group = groups.at(-1);
    const [first] = group ?? [];
    const joins = first !== undefined && fill.crossed && first.crossed && first.oid === fill.oid && first.timeMs === fill.timeMs;
    if (joins && first.market === fill.market && first.sell === fill.sell) group?.push(fill);
    else groups.push([fill]);
  }
  return groups.map((group) => {
    const [first] = group as [FillFact];
    if (group.length === 1) return fillJson(first, markets, addressOf);
    const market = markets.market(first.market);
    const sum = (of: (fill: FillFact) => bigint): bigint => group.reduce((total, fill) => total + of(fill), 0n);
    const lots = sum((fill) => fill.lots);
    const builderFee = sum((fill) => fill.builderFee);
    return {
      ...fillJson({ ...first, lots }, markets, addressOf),
      px: market.averageText(
        sum((fill) => market.notional(fill.priceTicks, fill.lots)),
        lots,
      ),
      closedPnl: quoteText(sum((fill) => fill.closedPnl)),
      fee: quoteText(sum((fill) => fill.fee)),
      ...(builderFee === 0n ? {} : { builderFee: quoteText(builderFee) }),
    };
  });
}

export function tradeJson(trade: TradeFact, markets: MarketTable, addressOf: AddressOf): Record<string, unknown> {
  const market = markets.market(trade.market);
  return {
    coin: market.name,
    side: trade.takerSells ? 'A' : 'B',
    px: market.priceText(trade.priceTicks),
    sz: market.sizeText(trade.lots),
    time: trade.timeMs,
    hash: trade.transaction.hash,
    tid: trade.tid,
    users: [addressOf(trade.buyer), addressOf(trade.seller)],
  };
}

export function candleJson(candle: Candle, interval: Interval, market: Market): Record<string, unknown> {
  return {
    t: candle.startMs,
    T: candle.endMs,
    s: market.name,
    i: interval,
    o: market.priceText(candle.openTicks),
    c: market.priceText(candle.closeTicks),
    h: market.priceText(candle.highTicks),
    l: market.priceText(candle.lowTicks),
    v: market.sizeText(candle.lots),
    n: candle.trades,
  };
}

export function fundingJson({ market, rate, premium, timeMs }: FundingFact, markets: MarketTable): Record<string, unknown> {
  return { coin: markets.market(market).name, fundingRate: rateText(rate), premium: rateText(premium), time: timeMs };
}

/** As in `userEvents` and `userFundings`. */
export function paymentJson({ market, rate, amount, lots, timeMs }: PaymentFact, markets: MarketTable): Record<string, unknown> {
  const { name } = markets.market(market);
  const szi = markets.market(market).sizeText(lots);
  return { time: timeMs, coin: name, usdc: quoteText(amount), szi, fundingRate: rateText(rate), nSamples: null };
}

/** As in `userFunding`. */
export function paymentRowJson(payment: PaymentFact, markets: MarketTable): Record<string, unknown> {
  const { time, ...delta } = paymentJson(payment, markets);
  return { time, hash: SYSTEM_NAME.hash, delta: { type: 'funding', ...delta } };
}

export function twapStateJson(
  terms: TwapTerms,
  executedLots: bigint,
  executedNotional: bigint,
  markets: MarketTable,
  addressOf: AddressOf,
): Record<string, unknown> {
  const market = markets.market(terms.market);
  return {
    coin: market.name,
    user: addressOf(terms.account),
    side: terms.sell ? 'A' : 'B',
    sz: market.sizeText(terms.totalLots),
    executedSz: market.sizeText(executedLots),
    executedNtl: quoteText(executedNotional),
    minutes: terms.minutes,
    reduceOnly: terms.reduceOnly,
    randomize: terms.randomize,
    stopPx: terms.stopTicks === 0 ? null : market.priceText(terms.stopTicks),
    trigger: terms.start === undefined ? null : { px: market.priceText(terms.start.priceTicks), above: terms.start.above },
    timestamp: terms.timeMs,
  };
}

/** Times of TWAP histories are in seconds. */
export function twapRowJson(fact: TwapFact, markets: MarketTable, addressOf: AddressOf): Record<string, unknown> {
  const { terms, status, executedLots, executedNotional, timeMs } = fact;
  return {
    time: Math.floor(timeMs / 1000),
    state: twapStateJson(terms, executedLots, executedNotional, markets, addressOf),
    status: { status },
    twapId: terms.id,
  };
}
