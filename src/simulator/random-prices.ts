/**
 * The prices of a random history: a walk for each market with shocks and crashes, and the reports that reporters make of it.
 *
 * Shocks of a few percent put levered accounts below their maintenance margin, crashes of 10 to 40 % make them negative.
 * Orders are placed around the walk as traders would; marks follow by the rules.
 */
import type { Random } from '../base/random.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { SOURCES_MAX } from '../exchange/layout.ts';
import type { Address, OracleTransaction } from '../ledger/transactions.ts';
import type { RandomWorld } from './random-world.ts';

export class PriceWalk {
  readonly #random: Random;
  readonly #tickCounts: readonly number[];
  readonly #prices: number[];
  readonly #shocks = new Map<number, number>();

  constructor(random: Random, genesis: Genesis) {
    this.#random = random;
    this.#tickCounts = genesis.markets.map(({ tickCount }) => tickCount);
    this.#prices = genesis.markets.map(({ markTicks, tickCount }) => (markTicks === 0 ? Math.floor(tickCount / 3) : markTicks));
  }

  /** Where the market's price is, in ticks. */
  at(market: number): number {
    return this.#prices[market] ?? 1;
  }

  set(market: number, priceTicks: number): void {
    this.#prices[market] = priceTicks;
  }

  /** The next block's price is this much of what it would be. */
  shock(market: number, factor: number): void {
    this.#shocks.set(market, factor);
  }

  /** Time passes. `rough`: shocks and crashes are frequent. */
  advance(elapsedMs: number, rough: boolean): void {
    const random = this.#random;
    const wide = Math.min(0.04, 0.001 * Math.sqrt(elapsedMs / 1000));
    this.#prices.forEach((price, market) => {
      const shape = random.weighted({ calm: rough ? 65 : 93, shock: rough ? 23 : 5, crash: rough ? 12 : 2 });
      const percent = { calm: wide * random.between(-100, 100), shock: random.between(1, 7), crash: random.between(10, 40) }[shape];
      const tickCount = this.#tickCounts[market] as number;
      // Down more often than up, as most accounts are long; back from the ends of the range.
      const down = price > tickCount * 0.8 || (price > tickCount * 0.08 && random.chance(shape === 'calm' ? 0.5 : 0.6));
      const moved = shape === 'calm' ? price * (1 + percent / 100) : down ? price * (1 - percent / 100) : price / (1 - percent / 100);
      const shocked = moved * (this.#shocks.get(market) ?? 1);
      this.#prices[market] = Math.min(Math.max(Math.round(shocked), 2), tickCount - 1);
    });
    this.#shocks.clear();
  }
}

/**
 * Moves the price to where a levered account is in trouble: a little below its maintenance margin, below two thirds of it, or negative.
 * Of a few positions that one is taken whose price has the shortest way to go.
 */
export function aimPrice(world: RandomWorld): void {
  const { random } = world;
  const { state } = world.ledger;
  const held = state.accountsWithPositions().flatMap((account) => state.openMarkets(account).map((market) => [account, market] as const));
  if (held.length === 0) return;
  const share = random.pick([90n, 80n, 50n, 30n, 5n, -20n, -300n]);
  const candidates = Array.from({ length: 4 }, () => {
    const [account, market] = random.pick(held);
    const { markTicks, unit } = state.market(market);
    const size = state.lots(account, market);
    const isolated = state.isIsolated(account, market);
    const equity = isolated ? state.isolatedEquity(account, market) : state.accountValue(account);
    const maintenance = isolated ? state.maintenanceMargin(market, size) : state.maintenance(account);
    return { market, mark: Number(markTicks), price: Number(markTicks + ((maintenance * share) / 100n - equity) / (size * unit)) };
  });
  const within = candidates.filter(({ market, mark, price }) => {
    return price > mark * 0.55 && price < mark * 1.7 && price >= 2 && price < world.parameters(market).tickCount && price !== mark;
  });
  const nearest = within.sort((a, b) => Math.abs(a.price / a.mark - 1) - Math.abs(b.price / b.mark - 1))[0];
  if (nearest !== undefined) world.prices.set(nearest.market, nearest.price);
}

/** The reports of a block: of every reporter mostly, of all of them after a long time. */
export function randomReports(world: RandomWorld, elapsedMs: number): OracleTransaction[] {
  const { random, reporters } = world;
  const busy = elapsedMs > world.options.staleMs ? 0.93 : 0.75;
  return reporters.filter(() => random.chance(busy)).map((sender) => report(world, sender));
}

function report(world: RandomWorld, sender: Address): OracleTransaction {
  const { random, markets } = world;
  const reported = markets.map((_, market) => market).filter(() => random.chance(0.92));
  const prices = (reported.length === 0 ? [0] : reported).map((market) => priceOf(world, market));
  return { kind: 'oracle', sender, prices };
}

function priceOf(world: RandomWorld, market: number): OracleTransaction['prices'][number] {
  const { random } = world;
  const spot = sources(world, market);
  return { market, spot, ...(random.chance(0.9) ? { perp: sources(world, market) } : {}) };
}

/** Prices by source around the walk; now and then one is missing, stale or far off. */
function sources(world: RandomWorld, market: number): number[] {
  const { random } = world;
  const { tickCount } = world.parameters(market);
  const price = world.prices.at(market);
  const noise = price * random.pick([0, 0.0005, 0.003]);
  return Array.from({ length: random.between(1, SOURCES_MAX) }, () => {
    const shape = random.weighted({ near: 90, missing: 5, off: 4, end: 1 });
    if (shape === 'missing') return 0;
    if (shape === 'end') return random.pick([1, tickCount - 1]);
    const factor = shape === 'off' ? random.pick([0.1, 0.7, 1.4, 3]) : 1;
    const ticks = Math.round(price * factor + (noise * random.between(-100, 100)) / 100);
    return Math.min(Math.max(ticks, 1), tickCount - 1);
  });
}

/** A report that has something wrong with it. */
export function oddReport(world: RandomWorld): OracleTransaction {
  const { random, markets } = world;
  const sender = world.reporters.length > 0 && random.chance(0.85) ? random.pick(world.reporters) : random.pick(world.known);
  const market = random.below(markets.length);
  const { tickCount } = world.parameters(market);
  const usual = report(world, sender);
  switch (random.weighted({ empty: 2, many: 2, most: 2, unknown: 2, high: 2, farOff: 5, zero: 2, repeated: 2, sender: 4 })) {
    case 'empty':
      return { kind: 'oracle', sender, prices: [] };
    case 'many':
      return { kind: 'oracle', sender, prices: Array.from({ length: 65 }, () => priceOf(world, market)) };
    case 'most':
      return { kind: 'oracle', sender, prices: Array.from({ length: 64 }, () => priceOf(world, random.below(markets.length))) };
    case 'unknown':
      return { kind: 'oracle', sender, prices: [...usual.prices, { market: markets.length, spot: [1] }] };
    case 'high':
      return { kind: 'oracle', sender, prices: [{ market, spot: [1, tickCount], perp: [2 ** 32 - 1] }] };
    case 'farOff': {
      const off = random.pick([1, tickCount - 1]);
      return { kind: 'oracle', sender, prices: [{ market, spot: [off, off], perp: [off] }] };
    }
    case 'zero':
      return { kind: 'oracle', sender, prices: [{ market, spot: [0, 0], perp: random.pick([[], [0], [world.prices.at(market)]]) }] };
    case 'repeated':
      return { kind: 'oracle', sender, prices: [...usual.prices, ...usual.prices, priceOf(world, market)] };
    case 'sender':
      return { ...usual, sender: random.pick([...world.known, ...world.fresh]) };
  }
}
