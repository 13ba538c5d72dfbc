/**
 * Orders in words, as they go over the wire in letters. Decimal texts are brought into their one form; nothing is rounded.
 *
 * Not here: whether price and size fit the market: `roundPrice` and `roundSize` (decimal.ts) make them fit.
 */
import { HeddleError } from '../base/errors.ts';
import { normalDecimal, parseDecimal, roundPrice } from './decimal.ts';
import type { Hex } from './market-answers.ts';
import type { WireOrder } from './wire-actions.ts';

interface Terms {
  /** The market's place in `meta.universe`. */
  readonly asset: number;
  readonly side: 'buy' | 'sell';
  readonly size: string;
  readonly reduceOnly?: boolean;
  /** 0x and 32 hex digits. */
  readonly clientId?: Hex;
}

export interface LimitTerms extends Terms {
  readonly price: string;
  /** Absent: Gtc. */
  readonly tif?: 'Gtc' | 'Ioc' | 'Alo' | 'Fok';
  /** Beyond the original: good until this time. */
  readonly expiresMs?: number;
  /** Beyond the original: the size that is shown. */
  readonly displaySize?: string;
  /** Beyond the original: which of the user's own orders gives way. */
  readonly selfTrade?: 'cancelMaker' | 'cancelTaker' | 'cancelBoth';
}

export interface MarketTerms extends Terms {
  /** The price that the slippage is counted from: the mid, say. */
  readonly midPrice: string;
  readonly slippageBps: number;
  /** Of the market. */
  readonly szDecimals: number;
}

export interface TriggerTerms extends Terms {
  readonly kind: 'takeProfit' | 'stopLoss';
  readonly triggerPrice: string;
  /** Of the order that is placed then; absent: a market order. */
  readonly limitPrice?: string;
}

/** Throws INVALID_DECIMAL, as all of these do. */
export function limitOrder(terms: LimitTerms): WireOrder {
  return {
    ...letters(terms, terms.price),
    t: { limit: { tif: terms.tif ?? 'Gtc' } },
    ...identity(terms),
    ...(terms.expiresMs === undefined ? {} : { e: terms.expiresMs }),
    ...(terms.displaySize === undefined ? {} : { d: exact(terms.displaySize) }),
    ...(terms.selfTrade === undefined ? {} : { m: terms.selfTrade }),
  };
}

/** The protocol has no market orders: an Ioc order at a price that is worse by the slippage, rounded towards the mid. Throws INVALID_SLIPPAGE, too. */
export function marketOrder(terms: MarketTerms): WireOrder {
  const decimals = 12;
  const mid = parseDecimal(terms.midPrice, decimals);
  if (mid === undefined || mid <= 0n) throw new HeddleError('INVALID_DECIMAL', `"${terms.midPrice}" is no price`);
  if (!Number.isInteger(terms.slippageBps) || terms.slippageBps < 0 || terms.slippageBps > 10_000) {
    throw new HeddleError('INVALID_SLIPPAGE', `${terms.slippageBps} is no slippage: whole basis points from 0 to 10000`);
  }
  const bps = BigInt(terms.slippageBps);
  const factor = terms.side === 'buy' ? 10_000n + bps : 10_000n - bps;
  const price = ((mid * factor) / 10_000n).toString().padStart(decimals + 1, '0');
  const text = `${price.slice(0, -decimals)}.${price.slice(-decimals)}`;
  const rounded = roundPrice(text, terms.szDecimals, terms.side === 'buy' ? 'down' : 'up');
  return { ...letters(terms, rounded), t: { limit: { tif: 'Ioc' } }, ...identity(terms) };
}

export function triggerOrder(terms: TriggerTerms): WireOrder {
  const isMarket = terms.limitPrice === undefined;
  const trigger = { isMarket, triggerPx: exact(terms.triggerPrice), tpsl: terms.kind === 'takeProfit' ? ('tp' as const) : ('sl' as const) };
  return { ...letters(terms, terms.limitPrice ?? terms.triggerPrice), t: { trigger }, ...identity(terms) };
}

function letters({ asset, side, size, reduceOnly }: Terms, price: string): Pick<WireOrder, 'a' | 'b' | 'p' | 's' | 'r'> {
  return { a: asset, b: side === 'buy', p: exact(price), s: exact(size), r: reduceOnly ?? false };
}

function identity({ clientId }: Terms): { readonly c?: Hex } {
  return clientId === undefined ? {} : { c: clientId };
}

function exact(text: string): string {
  const normal = normalDecimal(text);
  if (normal === undefined) throw new HeddleError('INVALID_DECIMAL', `"${text.slice(0, 64)}" is no decimal number`);
  return normal;
}
