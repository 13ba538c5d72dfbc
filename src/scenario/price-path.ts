/**
 * The path of every market's price over the day, in ticks at each block. Between the waves prices recover a part of what the last one took;
 * a wave takes them to a new low. How far depends on the wave's size and on how hard it hit the coin; together the waves lead to the
 * market's depth. Coins that a wave did not hit fall along, less.
 *
 * Invariant: the path is a function of calibration, markets and seed; the low of each wave is below the low of the one before.
 */
import { Random } from '../base/random.ts';
import type { CrashWave } from './calibration.ts';
import type { CrashMarket } from './crash-markets.ts';

export interface DayClock {
  /** Time of block 0 of the day. */
  readonly startMs: number;
  readonly blockMs: number;
  readonly blocks: number;
}

/** Quiet time before the first wave and after the last. */
const BEFORE_MS = 40_000;
const AFTER_MS = 100_000;
/** A wave that the tables give one moment has begun this long before. */
const RAMP_MS = 2_000;
/** Increments grow slower than the waves' fills. */
const WAVE_POWER = 0.55;
/** How much a market falls with a wave that did not hit it, against one that it was in. */
const SYMPATHY = 0.3;
const REBOUND = 0.25;
const REBOUND_MS = 15_000;
/** Of the whole fall, after the last wave. */
const LAST_REBOUND = 0.1;
/** Standard deviation of a block's noise, and its share of the block's move. */
const NOISE = 0.0003;
const NOISE_OF_MOVE = 0.1;

export function dayClock(firstWaveMs: number, waves: readonly CrashWave[], blockMs: number): DayClock {
  const startMs = Math.floor((firstWaveMs - BEFORE_MS) / 1000) * 1000;
  const endMs = firstWaveMs + Math.max(...waves.map((wave) => wave.endMs)) + AFTER_MS;
  return { startMs, blockMs, blocks: Math.ceil((endMs - startMs) / blockMs) };
}

export class PricePath {
  readonly clock: DayClock;
  readonly markets: number;
  /** For each wave the block in which it begins and the one in which it ends. */
  readonly waveBlocks: readonly { readonly first: number; readonly last: number }[];
  /** Price of market m at block b: `ticks[b * markets + m]`. */
  readonly ticks: Uint32Array;
  /** For each market its lows at the end of each wave, as a fraction of the first price. */
  readonly lows: readonly Float64Array[];

  constructor(markets: readonly CrashMarket[], waves: readonly CrashWave[], firstWaveMs: number, clock: DayClock, seed: number) {
    this.clock = clock;
    this.markets = markets.length;
    const offset = firstWaveMs - clock.startMs;
    const starts = waves.map(({ startMs, endMs }, index) => {
      const wanted = offset + Math.min(startMs - 1000, endMs - RAMP_MS);
      return index === 0 ? wanted : Math.max(wanted, offset + (waves[index - 1] as CrashWave).endMs + 1000);
    });
    const ends = waves.map(({ endMs }) => offset + endMs);
    const blockOf = (timeMs: number) => Math.max(0, Math.min(clock.blocks - 1, Math.ceil(timeMs / clock.blockMs)));
    this.waveBlocks = starts.map((start, index) => ({ first: blockOf(start), last: blockOf(ends[index] as number) }));
    this.ticks = new Uint32Array(clock.blocks * markets.length);
    const largest = Math.max(...waves.map(({ fills }) => fills));
    this.lows = markets.map((market, index) => {
      const random = new Random(seed * 1009 + index);
      const raw = waves.map(({ fills }, wave) => (fills / largest) ** WAVE_POWER * ((market.hits[wave] as number) || SYMPATHY));
      const scale = Math.log(1 - market.depth) / raw.reduce((sum, value) => sum + value, 0);
      const falls = raw.map((value) => value * scale);
      const knots = knotsOf(falls, starts, ends, clock, random);
      this.write(index, market.parameters.markTicks, knots, random);
      return runningSums(falls).map(Math.exp);
    });
  }

  at(market: number, block: number): number {
    return this.ticks[block * this.markets + market] as number;
  }

  /** The wave that is on in a block, else the last one before it; -1 before the first. */
  waveAt(block: number): number {
    return this.waveBlocks.findLastIndex(({ first }) => block >= first);
  }

  private write(market: number, firstTicks: number, knots: readonly Knot[], random: Random): void {
    let at = 0;
    let before = 0;
    for (let block = 0; block < this.clock.blocks; block++) {
      const timeMs = block * this.clock.blockMs;
      while (at + 1 < knots.length - 1 && (knots[at + 1] as Knot).timeMs <= timeMs) at++;
      const from = knots[at] as Knot;
      const to = knots[at + 1] as Knot;
      const part = Math.max(0, Math.min(1, (timeMs - from.timeMs) / (to.timeMs - from.timeMs)));
      const level = from.level + part * (to.level - from.level);
      const noise = (NOISE + NOISE_OF_MOVE * Math.abs(level - before)) * normal(random);
      before = level;
      this.ticks[block * this.markets + market] = Math.max(1, Math.round(firstTicks * Math.exp(level + noise)));
    }
  }
}

/** A point of the path: logarithm of the price over the first price. */
interface Knot {
  readonly timeMs: number;
  readonly level: number;
}

function knotsOf(falls: readonly number[], starts: readonly number[], ends: readonly number[], clock: DayClock, random: Random): Knot[] {
  const knots: Knot[] = [{ timeMs: 0, level: 0 }];
  const add = (timeMs: number, level: number) => {
    // Strictly ascending, whatever the waves' times.
    knots.push({ timeMs: Math.max(timeMs, (knots.at(-1)?.timeMs ?? 0) + 1), level });
  };
  let low = 0;
  falls.forEach((fall, wave) => {
    const start = starts[wave] as number;
    const end = ends[wave] as number;
    const before = knots.at(-1)?.level ?? 0;
    add(start, before);
    low += fall;
    // A long wave comes in steps, each at its own time for each market.
    const steps = Math.max(1, Math.round((end - start) / 12_000));
    for (let step = 1; step < steps; step++) {
      const middle = start + ((step - 0.2 + random.below(400) / 1000) * (end - start)) / steps;
      const level = before + ((low - before) * step) / steps;
      add(middle - 3000, knots.at(-1)?.level ?? 0);
      add(middle, level);
    }
    if (steps > 1) add(end - 3000, knots.at(-1)?.level ?? 0);
    add(end, low);
    const next = starts[wave + 1];
    if (next === undefined) add(end + REBOUND_MS * 4, low * (1 - LAST_REBOUND));
    else add(Math.min(end + REBOUND_MS, (end + next) / 2), low - REBOUND * fall);
  });
  add(clock.blocks * clock.blockMs, knots.at(-1)?.level ?? 0);
  return knots;
}

export function runningSums(values: readonly number[]): Float64Array {
  const sums = new Float64Array(values.length);
  values.forEach((value, index) => {
    sums[index] = (sums[index - 1] ?? 0) + value;
  });
  return sums;
}

/** Nearly normal: the sum of three uniform numbers. */
function normal(random: Random): number {
  return ((random.next() + random.next() + random.next()) / 2 ** 32 - 1.5) * 2;
}
