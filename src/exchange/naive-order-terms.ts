/** What can be said of a new order before its account is looked at: checks 2 to 7 of docs/rules.md (4.1), and when a trigger fires. */
import {
  CODE_EXPIRED,
  CODE_INVALID_DISPLAY,
  CODE_INVALID_PRICE,
  CODE_INVALID_TIF,
  CODE_INVALID_TRIGGER,
  CODE_LOT,
  CODE_MARKET_HALTED,
  CODE_OK,
  CODE_SIZE_TOO_LARGE,
  CODE_TICK,
  CODE_ZERO_SIZE,
} from '../base/codes.ts';
import type { ModifyItem, PlaceItem } from '../ledger/transactions.ts';
import type { MarketParameters } from './genesis.ts';
import { TRIGGER_STOP_LOSS, TRIGGER_TAKE_PROFIT } from './layout.ts';
import type { NaiveOrder, NaiveState } from './naive-state.ts';

/** Checks 2 to 7, in order. `whole`: the order follows the position, its size is 0. */
export function termsCode(state: NaiveState, item: PlaceItem | ModifyItem, whole: boolean): number {
  const { parameters } = state.market(item.market);
  if (state.isDelisted(item.market)) return CODE_MARKET_HALTED;
  if (!isTifValid(item)) return CODE_INVALID_TIF;
  const sizeCode = sizeCodeOf(item, parameters, whole);
  if (sizeCode !== CODE_OK) return sizeCode;
  const priceCode = priceCodeOf(item, parameters);
  if (priceCode !== CODE_OK) return priceCode;
  if (item.trigger !== undefined) {
    const { priceTicks } = item.trigger;
    if (priceTicks < 1 || priceTicks > parameters.tickCount - 1 || priceTicks % parameters.tickStep !== 0) return CODE_INVALID_TRIGGER;
  }
  const expiresMs = expiryOf(item);
  return expiresMs !== 0n && expiresMs <= state.timeMs ? CODE_EXPIRED : CODE_OK;
}

function isTifValid(item: PlaceItem | ModifyItem): boolean {
  if (item.trigger !== undefined && !['gtc', 'ioc', 'alo'].includes(item.tif)) return false;
  return expiryOf(item) === 0n || item.tif === 'gtc' || item.tif === 'alo';
}

function sizeCodeOf(item: PlaceItem | ModifyItem, { maxOrderLots, lotStep }: MarketParameters, whole: boolean): number {
  if (item.sizeLots === 0n && !whole) return CODE_ZERO_SIZE;
  if (item.sizeLots > maxOrderLots) return CODE_SIZE_TOO_LARGE;
  if (item.sizeLots % BigInt(lotStep) !== 0n) return CODE_LOT;
  const display = item.displayLots ?? 0n;
  if (display === 0n) return CODE_OK;
  const allowed = item.tif === 'gtc' && item.trigger === undefined && display % BigInt(lotStep) === 0n;
  return allowed ? CODE_OK : CODE_INVALID_DISPLAY;
}

function priceCodeOf(item: PlaceItem | ModifyItem, parameters: MarketParameters): number {
  if (item.tif === 'market') return item.priceTicks >= 1 && item.priceTicks <= 10_000 ? CODE_OK : CODE_INVALID_PRICE;
  if (item.trigger?.market) return CODE_OK;
  if (item.priceTicks < 1 || item.priceTicks > parameters.tickCount - 1) return CODE_INVALID_PRICE;
  return isValidTick(item.priceTicks, parameters) ? CODE_OK : CODE_TICK;
}

/** A multiple of the step, and an integer or a number with few enough significant digits. */
function isValidTick(priceTicks: number, { tickStep, ticksPerInteger, significantDigits }: MarketParameters): boolean {
  if (priceTicks % tickStep !== 0) return false;
  if (significantDigits === 0 || priceTicks % ticksPerInteger === 0) return true;
  return String(priceTicks).replace(/0+$/, '').length <= significantDigits;
}

/** 0: never. */
export function expiryOf(item: PlaceItem | ModifyItem): bigint {
  return BigInt(item.expiresMs ?? 0);
}

/** What an iceberg shows; 0: all. A display that is not below the size is dropped. */
export function displayOf(item: PlaceItem | ModifyItem): bigint {
  const display = item.displayLots ?? 0n;
  return display < item.sizeLots ? display : 0n;
}

/** Whether a trigger order fires at or above its price (take-profit sells, stop-loss buys), or at or below it. */
export function firesAbove(triggerKind: number, sell: boolean): boolean {
  return (triggerKind === TRIGGER_TAKE_PROFIT && sell) || (triggerKind === TRIGGER_STOP_LOSS && !sell);
}

/** Whether the condition of a trigger order is true at the mark. */
export function isTriggered(state: NaiveState, order: Pick<NaiveOrder, 'market' | 'sell' | 'triggerKind' | 'triggerTicks'>): boolean {
  const { markTicks } = state.market(order.market);
  return firesAbove(order.triggerKind, order.sell) ? markTicks >= order.triggerTicks : markTicks <= order.triggerTicks;
}
