/**
 * What there is to trade and how it stands: markets, books, prices, candles, funding.
 * A market that does not exist has an empty answer, as on the venue; contexts of markets are made once a block and shared.
 */

import { STATUS_INTEREST_CAPPED } from '../exchange/layout.ts';
import type { BookLevel } from './book-levels.ts';
import { quoteText, rateText } from './decimal-text.ts';
import { fundingRate } from './funding-payment.ts';
import { candleJson, fundingJson, tradeJson } from './history-json.ts';
import type { Market } from './market-table.ts';
import { MalformedRequest, type RequestFields } from './request.ts';
import type { Views } from './views.ts';

type Json = Record<string, unknown>;

const BOOK_LEVELS = 20;
const IMPACT_LEVELS = 1000;
const RECENT_TRADES = 100;
const HISTORY_ROWS = 500;
const CANDLE_ROWS = 5000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export function metaJson({ markets, mirror }: Views): Json {
  return {
    universe: markets.markets.map((market) => ({
      szDecimals: market.szDecimals,
      name: market.name,
      maxLeverage: market.maxLeverage,
      marginTableId: market.marginTableId,
      ...(market.onlyIsolated ? { onlyIsolated: true, marginMode: market.parameters.mode } : {}),
      ...(mirror.isDelisted(market.index) ? { isDelisted: true } : {}),
    })),
    marginTables: markets.marginTables,
    collateralToken: 0,
  };
}

/** The middle of the book; one side alone, or none: the last price, else the mark. */
export function midText(views: Views, market: Market): string | undefined {
  const { mirror } = views;
  const book = mirror.books[market.index];
  const [bid, ask] = [book?.bestBid, book?.bestAsk];
  if (bid !== undefined && ask !== undefined) return market.midText(bid.priceTicks, ask.priceTicks);
  const price = mirror.prices[market.index];
  const ticks = price?.lastTicks || price?.markTicks || 0;
  return ticks === 0 ? undefined : market.priceText(ticks);
}

export function allMids(views: Views): Record<string, string> {
  const mids: Record<string, string> = {};
  for (const market of views.markets.markets) {
    const mid = midText(views, market);
    if (mid !== undefined) mids[market.name] = mid;
  }
  return mids;
}

/** ASSET_CTX of the protocol; made again when something in the market, or the minute, has changed. */
export function assetContext(views: Views, market: Market): Json {
  return views.contexts.of(market.index, views.timeMs, () => contextOf(views, market));
}

/** Contexts of markets as they were made last. */
export class ContextCache {
  private readonly contexts = new Map<number, Json>();
  private minute = 0;

  of(market: number, timeMs: number, make: () => Json): Json {
    const minute = Math.floor(timeMs / MINUTE_MS);
    if (minute !== this.minute) this.contexts.clear();
    this.minute = minute;
    let context = this.contexts.get(market);
    if (context === undefined) {
      context = make();
      this.contexts.set(market, context);
    }
    return context;
  }

  forget(markets: Iterable<number>): void {
    for (const market of markets) this.contexts.delete(market);
  }
}

function contextOf(views: Views, market: Market): Json {
  const { mirror, histories, timeMs } = views;
  const { index } = market;
  const price = mirror.prices[index];
  const markTicks = price?.markTicks ?? 0;
  const funding = mirror.fundings[index];
  const premium = funding === undefined || funding.samples === 0 ? undefined : funding.sampleSum / BigInt(funding.samples);
  const candles = histories.candles[index];
  const day = candles?.lastDay(timeMs);
  const book = mirror.books[index];
  const impact = (sell: boolean): string | undefined => book?.impactPrice(market, sell, market.parameters.impactNotional, IMPACT_LEVELS);
  const [bid, ask] = [impact(false), impact(true)];
  return {
    prevDayPx: market.priceText(candles?.priceADayAgo(timeMs) || markTicks),
    dayNtlVlm: quoteText((day?.tickLots ?? 0n) * market.unit),
    markPx: market.priceText(markTicks),
    midPx: mirror.isDelisted(index) ? null : (midText(views, market) ?? null),
    funding: rateText(premium === undefined ? (funding?.rate ?? 0n) : fundingRate(premium, market.parameters)),
    openInterest: market.sizeText(mirror.totals[index]?.openInterestLots ?? 0n),
    premium: premium === undefined ? null : rateText(premium),
    oraclePx: market.priceText(price?.indexTicks ?? 0),
    impactPxs: bid === undefined || ask === undefined ? null : [bid, ask],
    dayBaseVlm: market.sizeText(day?.lots ?? 0n),
  };
}

export const assetContexts = (views: Views): Json[] => views.markets.markets.map((market) => assetContext(views, market));

export interface BookRequest {
  readonly digits: number | undefined;
  readonly step: number;
}

export function bookRequest(fields: RequestFields): BookRequest {
  const digits = fields.optionalInteger('nSigFigs');
  const step = fields.optionalInteger('mantissa');
  if (digits !== undefined && (digits < 2 || digits > 5)) throw new MalformedRequest();
  if (step !== undefined && (digits !== 5 || (step !== 1 && step !== 2 && step !== 5))) throw new MalformedRequest();
  return { digits, step: step ?? 1 };
}

export function bookJson(views: Views, market: Market, { digits, step }: BookRequest, most = BOOK_LEVELS): Json {
  const book = views.mirror.books[market.index];
  const aggregation = digits === undefined ? undefined : { digits, step };
  const side = (sell: boolean): Json[] => (book?.top(sell, most, aggregation) ?? []).map((level) => levelJson(level, market));
  return { coin: market.name, time: views.timeMs, levels: [side(false), side(true)] };
}

export function levelJson({ priceTicks, lots, orders }: BookLevel, market: Market): Json {
  return { px: market.priceText(priceTicks), sz: market.sizeText(lots), n: orders };
}

export function l2Book(views: Views, fields: RequestFields): unknown {
  const market = views.markets.find(fields.text('coin'));
  const request = bookRequest(fields);
  return market === undefined ? null : bookJson(views, market, request);
}

export function recentTrades(views: Views, fields: RequestFields): unknown {
  const market = views.markets.find(fields.text('coin'));
  return market === undefined ? [] : recentTradesOf(views, market);
}

/** Newest first. */
export function recentTradesOf(views: Views, market: Market): Json[] {
  const trades = views.histories.trades.newest(market.index, RECENT_TRADES);
  return trades.map((trade) => tradeJson(trade, views.markets, views.addressOf));
}

export function candleSnapshot(views: Views, fields: RequestFields): unknown {
  const request = fields.inner('req');
  const market = views.markets.find(request.text('coin'));
  const interval = request.interval();
  const { fromMs, toMs } = request.times();
  const candles = market === undefined ? [] : (views.histories.candles[market.index]?.between(interval, fromMs, toMs) ?? []);
  return candles.slice(-CANDLE_ROWS).map((candle) => candleJson(candle, interval, market as Market));
}

export function fundingHistory(views: Views, fields: RequestFields): unknown {
  const market = views.markets.find(fields.text('coin'));
  const { fromMs, toMs } = fields.times();
  if (market === undefined) return [];
  return views.histories.fundings.between(market.index, fromMs, toMs, HISTORY_ROWS).map((row) => fundingJson(row, views.markets));
}

/** What the next hour pays if the premium stays what it is; other venues are not asked. */
export function predictedFundings(views: Views): unknown {
  const nextFundingTime = (Math.floor(views.timeMs / HOUR_MS) + 1) * HOUR_MS;
  return views.markets.markets
    .filter(({ index }) => !views.mirror.isDelisted(index))
    .map((market) => {
      const { funding } = assetContext(views, market);
      return [market.name, [['HlPerp', { fundingRate: funding, nextFundingTime, fundingIntervalHours: 1 }]]];
    });
}

/** Markets in which no more may be opened. */
export function atInterestCap({ markets, mirror }: Views): string[] {
  return markets.markets.filter(({ index }) => ((mirror.statuses[index] ?? 0) & STATUS_INTEREST_CAPPED) !== 0).map(({ name }) => name);
}
/** The value of the largest market order, by maximum leverage: the largest order at the mark. */
export function maxMarketOrderNtls({ markets, mirror }: Views): unknown {
  const byLeverage = new Map<number, bigint>();
  for (const market of markets.markets) {
    const most = market.notional(mirror.prices[market.index]?.markTicks ?? 0, market.parameters.maxOrderLots);
    const known = byLeverage.get(market.maxLeverage);
    if (known === undefined || most < known) byLeverage.set(market.maxLeverage, most);
  }
  return [...byLeverage].sort(([a], [b]) => b - a).map(([leverage, most]) => [leverage, quoteText(most)]);
}

export function marginTable(views: Views, fields: RequestFields): unknown {
  const table = views.markets.marginTable(fields.integer('id'));
  if (table === undefined) throw new MalformedRequest();
  return table;
}
