/**
 * Receipts as answers of the protocol: what became of each order, cancel or other action, in the venue's words.
 *
 * Invariant: every item of a batch has one status, in its place; a batch that was refused as a whole has a single one (protocol, 3.1).
 * Not here: the texts (src/exchange/messages.ts) and how a request became a transaction.
 */
import { createHash } from 'node:crypto';
import { assert } from '../base/assert.ts';
import * as code from '../base/codes.ts';
import * as E from '../exchange/layout.ts';
import { type MessageContext, messageOfCode } from '../exchange/messages.ts';
import type { Market } from '../views/index.ts';
import type { ActionContext, ExchangeResponse, Outcome, Translation } from './translation.ts';

type Answer = Translation['answer'];

/** What an item of a batch said, as far as its answer needs it. */
export interface ItemEcho {
  readonly asset: number;
  readonly clientId?: string | undefined;
  /** Waits for a price on its own: it is answered with its number, those of a group with a word. */
  readonly loneTrigger?: boolean;
  /** The text could not be said in ticks: the transaction carries a price that the rules refuse, and this is the code that is meant. */
  readonly instead?: { readonly code: number; readonly meant: number } | undefined;
}

interface ItemResult {
  readonly code: number;
  readonly oid: number;
  readonly filledLots: bigint;
  readonly rests: boolean;
  /** Sum of ticks times lots over the fills of the item. */
  readonly notionalTicks: bigint;
}

export function failed(text: string): ExchangeResponse {
  return { status: 'err', response: text };
}

function done(type: string, data?: unknown): ExchangeResponse {
  return { status: 'ok', response: data === undefined ? { type } : { type, data } };
}

/** `{type: "default"}`, or the text of the code. */
export function defaultAnswer(extra: MessageContext = {}): Answer {
  return (outcome) => (outcome.code === code.CODE_OK ? done('default') : failed(textOf(outcome, extra)));
}

/** The address that the transaction has made. */
export function createdAnswer(type: 'createSubAccount' | 'createVault', extra: MessageContext = {}): Answer {
  return (outcome) => {
    if (outcome.code !== code.CODE_OK) return failed(textOf(outcome, extra));
    const { sender, block, index } = outcome;
    return done(type, `0x${createHash('sha256').update(`heddle ${type}:${sender}:${block}:${index}`).digest('hex').slice(0, 40)}`);
  };
}

/** Statuses of orders, one an item. */
export function ordersAnswer(items: readonly ItemEcho[], context: ActionContext): Answer {
  return (outcome) => {
    if (outcome.code !== code.CODE_OK) return refusedWhole(outcome, items);
    const results = itemResults(outcome.events, items.length);
    if (hasNoDeposit(results)) return failed(messageOfCode(code.CODE_NO_DEPOSIT, outcome.context));
    return done('order', { statuses: items.map((item, i) => orderStatus(item, results[i] as ItemResult, outcome, context)) });
  };
}

/** `modify` has no statuses: its order was placed, or the answer is its error. */
export function modifyAnswer(item: ItemEcho, context: ActionContext): Answer {
  return (outcome) => {
    if (outcome.code !== code.CODE_OK) return failed(textOf(outcome, { asset: item.asset }));
    const status = orderStatus(item, itemResults(outcome.events, 1)[0] as ItemResult, outcome, context);
    return typeof status === 'object' && 'error' in status ? failed(status.error as string) : done('default');
  };
}

export function cancelsAnswer(items: readonly ItemEcho[]): Answer {
  return (outcome) => {
    if (outcome.code !== code.CODE_OK) return refusedWhole(outcome, items, 'cancel');
    const results = itemResults(outcome.events, items.length);
    if (hasNoDeposit(results)) return failed(messageOfCode(code.CODE_NO_DEPOSIT, outcome.context));
    const statuses = items.map(({ asset }, i) => {
      const result = results[i] as ItemResult;
      return result.code === code.CODE_OK ? 'success' : { error: messageOfCode(result.code, { ...outcome.context, asset }) };
    });
    return done('cancel', { statuses });
  };
}

export function twapAnswer(extra: MessageContext): Answer {
  return (outcome) => {
    if (concernsSigner(outcome.code)) return failed(textOf(outcome, extra));
    if (outcome.code !== code.CODE_OK) return done('twapOrder', { status: { error: textOf(outcome, extra) } });
    const { events } = outcome;
    const view = new DataView(events.buffer, events.byteOffset, events.length);
    let twapId: number | undefined;
    for (let at = 0; at < events.length; at += lengthAt(view, at)) {
      if (view.getUint8(at) === E.EVENT_ACTIVE) twapId ??= Number(view.getBigUint64(at + 8, true));
    }
    assert(twapId !== undefined, 'a TWAP was accepted without an event');
    return done('twapOrder', { status: { running: { twapId } } });
  };
}

export function twapCancelAnswer(extra: MessageContext): Answer {
  return (outcome) => {
    if (concernsSigner(outcome.code)) return failed(textOf(outcome, extra));
    return done('twapCancel', { status: outcome.code === code.CODE_OK ? 'success' : { error: textOf(outcome, extra) } });
  };
}

// --- Statuses -------------------------------------------------------------------------------------------------------------------------

function orderStatus(item: ItemEcho, found: ItemResult, outcome: Outcome, context: ActionContext): string | Record<string, unknown> {
  const meant = item.instead?.code === found.code ? item.instead.meant : found.code;
  const market = context.markets[item.asset];
  const { oid } = found;
  const names = item.clientId === undefined ? { oid } : { oid, cloid: item.clientId };
  switch (meant) {
    case code.CODE_WAITING_FOR_TRIGGER:
      return item.loneTrigger ? { resting: names } : messageOfCode(meant);
    case code.CODE_WAITING_FOR_FILL:
      return messageOfCode(meant);
    case code.CODE_OK:
      if (found.rests) return { resting: names };
      break;
    default:
      // What an order has traded before it was stopped stays traded.
      if (found.filledLots === 0n) return { error: orderText(meant, item, market, outcome, context) };
  }
  assert(market !== undefined, 'an order was filled in a market that is not there');
  // A reduce-only order whose position was gone is accepted and trades nothing.
  const avgPx = found.filledLots === 0n ? '0' : market.averageText(found.notionalTicks * market.unit, found.filledLots);
  return { filled: { totalSz: market.sizeText(found.filledLots), avgPx, ...names } };
}

function orderText(
  result: number,
  { asset }: ItemEcho,
  market: Market | undefined,
  outcome: Outcome,
  { bestPrices }: ActionContext,
): string {
  if (market === undefined) return messageOfCode(result, { ...outcome.context, asset });
  const { minNotional, priceBandBps } = market.parameters;
  return messageOfCode(result, {
    ...outcome.context,
    asset,
    minimum: minNotional,
    bandBps: priceBandBps,
    ...(result === code.CODE_POST_ONLY ? bestPrices(market) : {}),
  });
}

/** Codes that are about who signed, and not about what was asked: the whole action fails. */
function concernsSigner(result: number): boolean {
  return result >= code.CODE_ACCOUNT_NOT_FOUND && result <= code.CODE_BEHALF_UNKNOWN;
}

/** The answer of a batch that has no results of its items. */
function refusedWhole(outcome: Outcome, items: readonly ItemEcho[], type = 'order'): ExchangeResponse {
  if (concernsSigner(outcome.code) || outcome.code === code.CODE_UNDECODABLE) return failed(textOf(outcome));
  const [first] = items;
  return done(type, { statuses: [{ error: textOf(outcome, first === undefined ? {} : { asset: first.asset }) }] });
}

/** An account without a deposit has none for any of them. */
function hasNoDeposit(results: readonly ItemResult[]): boolean {
  return results.every((result) => result.code === code.CODE_NO_DEPOSIT);
}

function textOf({ code: result, context }: Outcome, extra: MessageContext = {}): string {
  return messageOfCode(result, { ...context, ...extra });
}

// --- Events ---------------------------------------------------------------------------------------------------------------------------

/** Fills stand before the ITEM event of the order that took. */
function itemResults(events: Uint8Array, count: number): ItemResult[] {
  const view = new DataView(events.buffer, events.byteOffset, events.length);
  const results = new Array<ItemResult>(count);
  let notionalTicks = 0n;
  for (let at = 0; at < events.length; at += lengthAt(view, at)) {
    const kind = view.getUint8(at);
    if (kind === E.EVENT_FILL) notionalTicks += BigInt(view.getUint32(at + 32, true)) * view.getBigInt64(at + 40, true);
    if (kind !== E.EVENT_ITEM) continue;
    results[view.getUint16(at + 4, true)] = {
      code: view.getUint16(at + 6, true),
      oid: view.getUint32(at + 12, true) * 2 ** 32 + view.getUint32(at + 8, true),
      // Most are none, and a bigint costs more than the rest of an item.
      filledLots: isZeroAt(view, at + 16) ? 0n : view.getBigInt64(at + 16, true),
      rests: view.getInt32(at + 28, true) >= 0 && !isZeroAt(view, at + 24),
      notionalTicks,
    };
    notionalTicks = 0n;
  }
  assert(results.length === count && !results.includes(undefined as never), `a batch of ${count} items has other results`);
  return results;
}

/** Of a number of 64 bits. */
function isZeroAt(view: DataView, at: number): boolean {
  return view.getUint32(at, true) === 0 && view.getUint32(at + 4, true) === 0;
}

/** An event starts with a u32: its kind, and its length from bit 8. */
function lengthAt(view: DataView, at: number): number {
  const length = view.getUint32(at, true) >>> 8;
  assert(length >= 4 && at + length <= view.byteLength, 'an event is cut off');
  return length;
}
