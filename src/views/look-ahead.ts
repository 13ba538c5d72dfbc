/**
 * What stored blocks say about each other: sizes of positions before them, what they will take off orders, which of them has delisted a market.
 * The store has the state after all of them; reading them again starts from the state before.
 */
import { CAUSE_BACKSTOP } from '../base/codes.ts';
import { codeOf, eventsOf } from './events.ts';
import type { ReadableBlock } from './facts.ts';
import { positionKey } from './running-positions.ts';
import type { StateMirror } from './state-mirror.ts';

/** Markets that a stored block has delisted: it is of that time and has a vote for it. */
export function delistedBy({ timeMs, transactions }: ReadableBlock, mirror: StateMirror): Map<number, number> {
  const delisted = new Map<number, number>();
  for (const transaction of transactions) {
    if (transaction.kind !== 'delist' || mirror.delistedMs[transaction.market] !== timeMs) continue;
    delisted.set(transaction.market, mirror.settledTicks[transaction.market] ?? 0);
  }
  return delisted;
}

/** What these blocks will find: sizes of positions before their first change, and how much of each order they fill. */
export function lookAhead(
  blocks: readonly ReadableBlock[],
  mirror: StateMirror,
  backstop: number | undefined,
): { readonly starts: Map<number, bigint>; readonly filled: Map<bigint, bigint> } {
  const starts = new Map<number, bigint>();
  const filled = new Map<bigint, bigint>();
  /** What the backstop vault has taken over, by market: no fill of its own says so. */
  const taken = new Map<number, bigint>();
  const start = (account: number, market: number, lots: bigint): void => {
    const key = positionKey(account, market);
    if (!starts.has(key)) starts.set(key, account === backstop ? lots - (taken.get(market) ?? 0n) : lots);
  };
  const idOf = (number: number): number => mirror.idOf(number);
  for (const { receipts } of blocks) {
    for (const receipt of receipts) {
      if (codeOf(receipt) !== 0) continue;
      for (const event of eventsOf(receipt, idOf)) {
        if (event.kind === 'fill') {
          start(event.taker, event.market, event.takerStartLots);
          start(event.maker, event.market, event.makerStartLots);
          filled.set(event.makerOid, (filled.get(event.makerOid) ?? 0n) + event.lots);
        } else if (event.kind === 'forced' && event.method === CAUSE_BACKSTOP && event.lots !== 0n) {
          start(event.account, event.market, -event.lots);
          taken.set(event.market, (taken.get(event.market) ?? 0n) - event.lots);
        }
      }
    }
  }
  for (const [market, lots] of backstop === undefined ? [] : taken) {
    // What a settlement has closed is in no record: then all of it is taken for taken over.
    const held = mirror.isDelisted(market) ? lots : (mirror.positions.get(backstop as number, market)?.sizeLots ?? 0n);
    start(backstop as number, market, held);
  }
  return { starts, filled };
}
