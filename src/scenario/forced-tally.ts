/**
 * Counts forced events, in one place and one way.
 *
 *   liquidations    fills on the book of orders that the system sent for an account in breach
 *   backstops       positions that the backstop vault took over
 *   deleveragings   fills between a loser and a winner at the mark before the change
 *   covers          deficits of accounts without positions that the vault and the treasury paid
 *
 * A forced event is one of these. Not counted: liquidation orders that found nobody (`attempts` has all of them), what the vault sells of what
 * it has taken over (`unwinds`), and the trigger orders of users, which are their own orders.
 */
import { CAUSE_BACKSTOP, CAUSE_DELEVERAGE, CAUSE_LIQUIDATION, CAUSE_TRIGGER, CAUSE_UNWIND } from '../base/codes.ts';
import { type EventVisitor, type FillEvent, type ForcedEvent, NOBODY } from './event-reader.ts';

export interface ForcedCounts {
  liquidations: number;
  backstops: number;
  deleveragings: number;
  covers: number;
  /** Liquidation orders sent, one a transaction of the system. */
  attempts: number;
  unwinds: number;
  /** Fills of trigger orders. */
  triggered: number;
  /** Notional in USD. */
  liquidatedUsd: number;
  backstopUsd: number;
  deleveragedUsd: number;
}

export function noCounts(): ForcedCounts {
  return {
    liquidations: 0,
    backstops: 0,
    deleveragings: 0,
    covers: 0,
    attempts: 0,
    unwinds: 0,
    triggered: 0,
    liquidatedUsd: 0,
    backstopUsd: 0,
    deleveragedUsd: 0,
  };
}

export function forcedEventsOf({ liquidations, backstops, deleveragings, covers }: ForcedCounts): number {
  return liquidations + backstops + deleveragings + covers;
}

export function addCounts(sum: ForcedCounts, counts: ForcedCounts): void {
  for (const key of Object.keys(counts) as (keyof ForcedCounts)[]) sum[key] += counts[key];
}

export class ForcedTally implements EventVisitor {
  counts = noCounts();
  private readonly units: readonly number[];

  /** `units`: quote units of a tick and lot in each market. */
  constructor(units: readonly number[]) {
    this.units = units;
  }

  fill({ cause, market, priceTicks, lots }: FillEvent): void {
    const { counts } = this;
    const usd = (priceTicks * lots * (this.units[market] as number)) / 1e6;
    switch (cause) {
      case CAUSE_LIQUIDATION:
        counts.liquidations++;
        counts.liquidatedUsd += usd;
        break;
      case CAUSE_DELEVERAGE:
        counts.deleveragings++;
        counts.deleveragedUsd += usd;
        break;
      case CAUSE_UNWIND:
        counts.unwinds++;
        break;
      case CAUSE_TRIGGER:
        counts.triggered++;
        break;
    }
  }

  forced({ method, market, amount }: ForcedEvent): void {
    const { counts } = this;
    if (method === CAUSE_LIQUIDATION) counts.attempts++;
    else if (method === CAUSE_BACKSTOP && market === NOBODY) counts.covers++;
    else if (method === CAUSE_BACKSTOP) {
      counts.backstops++;
      counts.backstopUsd += Math.abs(amount) / 1e6;
    }
  }

  money(): void {}
}
