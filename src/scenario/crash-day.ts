/**
 * The day as blocks, set-up first. A function of calibration and options alone: made again, it gives the same blocks, so every model of
 * execution can run them without their being kept.
 */
import { Random } from '../base/random.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { BATCH_ITEMS_MAX } from '../exchange/layout.ts';
import type { Block, OracleTransaction, Transaction } from '../ledger/transactions.ts';
import type { Calibration } from './calibration.ts';
import { addressOf, crashGenesis } from './crash-genesis.ts';
import { type CrashMarket, crashMarkets } from './crash-markets.ts';
import { Makers } from './makers.ts';
import { openingBlocks } from './opening.ts';
import { Population, REPORTER_STAKES } from './population.ts';
import { dayClock, PricePath } from './price-path.ts';
import { Traders } from './traders.ts';

export interface CrashOptions {
  /** Traders that are funded. */
  readonly accounts: number;
  readonly markets: number;
  readonly seed: number;
}

const BLOCK_MS = 1000;
const OPENING_BLOCK = 8000;
/** Set-up blocks are so far apart, and all of them this long before the day. */
const OPENING_MS = 20;
const OPENING_BEFORE_MS = 300_000;
/** Transactions of traders in a quiet block, over their number. */
const ACTIVITY = 0.004;
/** What the backstop vault has, over the deficits of the real day relative to all longs. */
const BACKSTOP_FACTOR = 0.03;
/** Spot prices and perpetual prices that a reporter has seen. */
const SPOT_SOURCES = 5;
const PERP_SOURCES = 3;

export class CrashDay {
  readonly calibration: Calibration;
  readonly options: CrashOptions;
  readonly markets: readonly CrashMarket[];
  readonly path: PricePath;
  readonly population: Population;
  readonly genesis: Genesis;
  /** Number of set-up blocks given out so far. */
  private opened = 0;

  constructor(calibration: Calibration, options: CrashOptions) {
    const { seed } = options;
    const { waves, firstWaveMs } = calibration;
    this.calibration = calibration;
    this.options = options;
    this.markets = crashMarkets(calibration, options.markets, seed);
    this.path = new PricePath(this.markets, waves, firstWaveMs, dayClock(firstWaveMs, waves, BLOCK_MS), seed);
    const backstopShare = calibration.deficitShare * BACKSTOP_FACTOR;
    this.population = new Population(calibration, this.markets, this.path, { traders: options.accounts, backstopShare, seed });
    this.genesis = crashGenesis(this.population);
  }

  /** Opens the positions; these blocks come before those of `blocks`. */
  *opening(): Generator<Block> {
    const startMs = this.path.clock.startMs - OPENING_BEFORE_MS;
    let number = 0;
    for (const transactions of openingBlocks(this.population, OPENING_BLOCK, this.options.seed)) {
      number++;
      yield { number, timeMs: startMs + number * OPENING_MS, transactions };
    }
    this.opened = number;
  }

  /** The blocks of the day, numbered on from the set-up's. */
  *blocks(): Generator<Block> {
    const { path, population, options } = this;
    const { clock } = path;
    const makers = new Makers(population, path);
    const traders = new Traders(population, path, Math.max(20, Math.round(population.traders * ACTIVITY)), options.seed);
    const random = new Random(options.seed + 1);
    for (let block = 0; block < clock.blocks; block++) {
      const timeMs = clock.startMs + block * clock.blockMs;
      const first: Transaction[] = this.reports(block, random);
      const cancels: Transaction[] = [];
      const orders: Transaction[] = [];
      makers.quote(block, cancels, orders);
      traders.trade(block, timeMs, first, orders);
      yield { number: this.opened + 1 + block, timeMs, transactions: [...first, ...cancels, ...orders] };
    }
  }

  /** Every reporter sees the path through sources that are a little off. */
  private reports(block: number, random: Random): OracleTransaction[] {
    const near = (ticks: number) => Math.max(1, Math.round(ticks * (1 + (random.below(2001) - 1000) / 5_000_000)));
    const out: OracleTransaction[] = [];
    REPORTER_STAKES.forEach((_, index) => {
      for (let from = 0; from < this.markets.length; from += BATCH_ITEMS_MAX) {
        const count = Math.min(BATCH_ITEMS_MAX, this.markets.length - from);
        const prices = Array.from({ length: count }, (_, i) => {
          const ticks = this.path.at(from + i, block);
          return {
            market: from + i,
            spot: Array.from({ length: SPOT_SOURCES }, () => near(ticks)),
            perp: Array.from({ length: PERP_SOURCES }, () => near(ticks)),
          };
        });
        out.push({ kind: 'oracle', sender: addressOf(this.population.reporter(index)), prices });
      }
    });
    return out;
  }
}
