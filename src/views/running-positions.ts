/**
 * Positions while the events of one block, or of many, are read: size and entry cost, after every fill so far (docs/rules.md, 4.3).
 *
 * Funding is paid on the sizes between the block's own transactions and the system's, and a forced closing says no profit: neither is in
 * the state at the end of the block.
 */
import type { StateMirror } from './state-mirror.ts';

interface Running {
  lots: bigint;
  /** Entry notional with the sign of the size. */
  cost: bigint;
}

/** More than the greatest number of markets. */
const MARKETS_STEP = 512;

export const positionKey = (account: number, market: number): number => account * MARKETS_STEP + market;

export class RunningPositions {
  private readonly mirror: StateMirror;
  private readonly starts: ReadonlyMap<number, bigint>;
  private readonly changed = new Map<number, Running>();

  /** `starts`: sizes at the start where they are known to differ from the mirror's, by `positionKey`. */
  constructor(mirror: StateMirror, starts: ReadonlyMap<number, bigint> = new Map()) {
    this.mirror = mirror;
    this.starts = starts;
  }

  lots(account: number, market: number): bigint {
    const key = positionKey(account, market);
    return this.changed.get(key)?.lots ?? this.starts.get(key) ?? this.mirror.lotsOf(account, market);
  }

  /**
   * A fill of signed lots; returns the profit that it closes. `startLots`: the size before it, if the event says; it holds (what the backstop
   * vault takes over shows in no event of its own).
   */
  fill(account: number, market: number, delta: bigint, priceTicks: number, unit: bigint, startLots?: bigint): bigint {
    const running = this.open(account, market);
    const price = BigInt(priceTicks) * unit;
    if (startLots !== undefined && startLots !== running.lots) Object.assign(running, { lots: startLots, cost: price * startLots });
    const before = running.lots;
    const after = before + delta;
    running.lots = after;
    if (before === 0n || before > 0n === delta > 0n) {
      running.cost += price * delta;
      return 0n;
    }
    const held = before < 0n ? -before : before;
    const traded = delta < 0n ? -delta : delta;
    const closed = traded < held ? traded : held;
    const released = (running.cost * closed) / held;
    running.cost = traded > held ? price * after : running.cost - released;
    return (before < 0n ? -price : price) * closed - released;
  }

  /** Markets in which an account has a position, ascending. */
  marketsOf(account: number): number[] {
    const markets = new Set(this.mirror.positions.secondsOf(account));
    for (const key of [...this.starts.keys(), ...this.changed.keys()]) {
      if (Math.floor(key / MARKETS_STEP) === account) markets.add(key % MARKETS_STEP);
    }
    return [...markets].filter((market) => this.lots(account, market) !== 0n).sort((a, b) => a - b);
  }

  /** Accounts with a position in a market, ascending. */
  holdersOf(market: number): number[] {
    const holders = new Set(this.mirror.holders.of(market).keys());
    for (const keys of [this.starts.keys(), this.changed.keys()]) {
      for (const key of keys) if (key % MARKETS_STEP === market) holders.add(Math.floor(key / MARKETS_STEP));
    }
    return [...holders].filter((account) => this.lots(account, market) !== 0n).sort((a, b) => a - b);
  }

  private open(account: number, market: number): Running {
    const key = positionKey(account, market);
    const known = this.changed.get(key);
    if (known !== undefined) return known;
    const lots = this.lots(account, market);
    const cost = lots === 0n ? 0n : this.mirror.costOf(account, market);
    const running = { lots, cost };
    this.changed.set(key, running);
    return running;
  }
}
