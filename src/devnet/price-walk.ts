/**
 * Prices that wander around where they started: seeded, in integers, pulled back a little so that a chain that runs for weeks stays in sight.
 * Invariant: the same seed and the same calls give the same prices; a price stays between a quarter and four times the start.
 */
import { Random } from '../base/random.ts';

/** Prices of markets in quote units, one after the other. */
export interface PriceSource {
  /** The price of a market at a time; times do not go back. */
  next(market: number, timeMs: number): bigint;
}

export interface WalkingMarket {
  readonly startPrice: bigint;
  readonly volatilityPpm: number;
}

const PPM = 1_000_000n;
/** Share of the distance to the start that a step gives back: half of it in about four hours of steps of a second. */
const PULL_PER_STEP = 20_000n;
const BOUND = 4n;
/** Draws that are added up: about a normal distribution. */
const DRAWS = 4;

export class PriceWalk implements PriceSource {
  private readonly markets: readonly WalkingMarket[];
  private readonly random: Random;
  private readonly prices: bigint[];

  /** `from`: prices to go on from; 0 or absent: the start. */
  constructor(markets: readonly WalkingMarket[], seed: number, from: readonly bigint[] = []) {
    this.markets = markets;
    this.random = new Random(seed);
    this.prices = markets.map(({ startPrice }, i) => from[i] || startPrice);
  }

  next(market: number): bigint {
    const { startPrice, volatilityPpm } = this.markets[market] as WalkingMarket;
    const price = this.prices[market] as bigint;
    let move = 0;
    for (let i = 0; i < DRAWS; i++) move += this.random.between(-volatilityPpm, volatilityPpm);
    const moved = price + (price * BigInt(move)) / (PPM * 2n) + (startPrice - price) / PULL_PER_STEP;
    const [least, most] = [startPrice / BOUND, startPrice * BOUND];
    const next = moved < least ? least : moved > most ? most : moved;
    this.prices[market] = next;
    return next;
  }
}
