/**
 * Positions while the events of one block, or of many, are read: size and entry cost, after every fill so far (docs/rules.md, 4.3).
 *
 * Funding is paid on the sizes between the block's own transactions and the system's, and a forced closing says no profit: neither is in
 * the state at the end of the block. Only such a closing needs the cost, so fills are noted, and worked through when there is one.
 * Invariant: a position of no lots has no cost, so the fills before it do not matter any more.
 */
import { PackedRecords } from './packed-records.ts';
import { POSITION_LOTS, RECORD_HEADER } from './records.ts';
import type { StateMirror } from './state-mirror.ts';

/** More than the greatest number of markets. */
const MARKETS_STEP = 512;
const FILLS_AT_FIRST = 64;
/** In place of the fill before: the cost is the mirror's, there was no position, or all of it came in at the price of this fill. */
const FROM_MIRROR = -1;
const FROM_NOTHING = -2;
const FROM_ITS_PRICE = -3;
/** Of a running position: its lots, then the last fill. */
const LAST_FILL = POSITION_LOTS + 8;
const RUNNING_BYTES = LAST_FILL + 4 - RECORD_HEADER;

export const positionKey = (account: number, market: number): number => account * MARKETS_STEP + market;

export class RunningPositions {
  private readonly mirror: StateMirror;
  private readonly starts: ReadonlyMap<number, bigint>;
  private readonly changed = new PackedRecords(32, (reader) => reader.i64(POSITION_LOTS));
  private readonly running = new DataView(new ArrayBuffer(RUNNING_BYTES));
  // By fill, all in the order in which they came: lots before it, lots, price, and the fill of the position before it.
  private startLots = new BigInt64Array(FILLS_AT_FIRST);
  private deltas = new BigInt64Array(FILLS_AT_FIRST);
  private prices = new Uint32Array(FILLS_AT_FIRST);
  private before = new Int32Array(FILLS_AT_FIRST);
  private fills = 0;

  /** `starts`: sizes at the start where they are known to differ from the mirror's, by `positionKey`. */
  constructor(mirror: StateMirror, starts: ReadonlyMap<number, bigint> = new Map()) {
    this.mirror = mirror;
    this.starts = starts;
  }

  /** Again as the mirror says. */
  restart(): void {
    this.changed.clear();
    this.fills = 0;
  }

  lots(account: number, market: number): bigint {
    const changed = this.changed.get(account, market);
    if (changed !== undefined) return changed;
    const start = this.starts.size === 0 ? undefined : this.starts.get(positionKey(account, market));
    return start ?? this.mirror.lotsOf(account, market);
  }

  /** A fill of signed lots. `startLots`: the size before it, as its event says (what the backstop vault takes over shows in none). */
  fill(account: number, market: number, delta: bigint, priceTicks: number, startLots?: bigint): void {
    const running = this.lots(account, market);
    const start = startLots ?? running;
    const fill = this.fills++;
    if (fill === this.prices.length) this.grow();
    this.startLots[fill] = start;
    this.deltas[fill] = delta;
    this.prices[fill] = priceTicks;
    if (start !== running) this.before[fill] = FROM_ITS_PRICE;
    else this.before[fill] = start === 0n ? FROM_NOTHING : this.lastFill(account, market);
    this.set(account, market, start + delta, fill);
  }

  /** All of a position is closed, of so many lots as an event says; returns the profit. */
  close(account: number, market: number, priceTicks: number, unit: bigint, startLots: bigint): bigint {
    const value = BigInt(priceTicks) * unit * startLots;
    // What it has cost is not known if its size was another one.
    const cost = startLots === this.lots(account, market) ? this.costOf(account, market, unit) : value;
    this.set(account, market, 0n, FROM_NOTHING);
    return value - cost;
  }

  /** Markets in which an account has a position, ascending. */
  marketsOf(account: number): number[] {
    const markets = new Set([...this.mirror.positions.secondsOf(account), ...this.changed.secondsOf(account)]);
    for (const key of this.starts.keys()) if (Math.floor(key / MARKETS_STEP) === account) markets.add(key % MARKETS_STEP);
    return [...markets].filter((market) => this.lots(account, market) !== 0n).sort((a, b) => a - b);
  }

  /** Accounts with a position in a market, ascending. */
  holdersOf(market: number): number[] {
    const holders = new Set(this.mirror.holders.of(market).keys());
    for (const key of this.starts.keys()) if (key % MARKETS_STEP === market) holders.add(Math.floor(key / MARKETS_STEP));
    for (const account of this.changed.firsts()) if (this.changed.has(account, market)) holders.add(account);
    return [...holders].filter((account) => this.lots(account, market) !== 0n).sort((a, b) => a - b);
  }

  private lastFill(account: number, market: number): number {
    return this.changed.at(account, market)?.i32(LAST_FILL) ?? FROM_MIRROR;
  }

  private set(account: number, market: number, lots: bigint, lastFill: number): void {
    this.running.setBigInt64(POSITION_LOTS - RECORD_HEADER, lots, true);
    this.running.setInt32(LAST_FILL - RECORD_HEADER, lastFill, true);
    this.changed.put(account, market, this.running, 0, RUNNING_BYTES);
  }

  /** Entry notional with the sign of the size. */
  private costOf(account: number, market: number, unit: bigint): bigint {
    const fills: number[] = [];
    let from = this.lastFill(account, market);
    for (; from >= 0; from = this.before[from] as number) fills.push(from);
    let cost = 0n;
    if (from === FROM_MIRROR) cost = this.mirrorCost(account, market);
    for (const fill of fills.reverse()) {
      const price = BigInt(this.prices[fill] as number) * unit;
      const start = this.startLots[fill] as bigint;
      if (this.before[fill] === FROM_ITS_PRICE) cost = price * start;
      cost = costAfter(cost, start, this.deltas[fill] as bigint, price);
    }
    return cost;
  }

  private mirrorCost(account: number, market: number): bigint {
    const start = this.starts.get(positionKey(account, market)) ?? this.mirror.lotsOf(account, market);
    return start === 0n ? 0n : this.mirror.costOf(account, market);
  }

  private grow(): void {
    const length = 2 * this.prices.length;
    const [startLots, deltas, prices, before] = [this.startLots, this.deltas, this.prices, this.before];
    this.startLots = new BigInt64Array(length);
    this.startLots.set(startLots);
    this.deltas = new BigInt64Array(length);
    this.deltas.set(deltas);
    this.prices = new Uint32Array(length);
    this.prices.set(prices);
    this.before = new Int32Array(length);
    this.before.set(before);
  }
}

/** The cost of a position of so many lots after a fill; what is closed takes its part of the cost, and what is beyond has the price of the fill. */
function costAfter(cost: bigint, startLots: bigint, delta: bigint, price: bigint): bigint {
  if (startLots === 0n || startLots > 0n === delta > 0n) return cost + price * delta;
  const held = startLots < 0n ? -startLots : startLots;
  const traded = delta < 0n ? -delta : delta;
  return traded > held ? price * (startLots + delta) : cost - (cost * traded) / held;
}
