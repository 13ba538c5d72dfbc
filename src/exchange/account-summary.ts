/**
 * What an account is shown about itself: values, margins and positions of `clearinghouseState` (protocol, 7.2 and 7.3; docs/rules.md, 4.4).
 *
 * Pure functions of plain values: what reads the state hands them in. Money comes in and goes out in quote units; prices and rates go out in
 * units of 10^-8, rounded to the nearest. Margins are rounded up as in the rules, so that the sums here are those that the rules check.
 * Not here: texts of numbers, and anything that changes an account.
 */
import { assert } from '../base/assert.ts';
import type { MarginTier } from './genesis.ts';

/** Of a market, as far as the value of a position depends on it. */
export interface ValuedMarket {
  /** Quote units of one lot at one tick. */
  readonly unit: number;
  /** A price of 1.0 in ticks. */
  readonly ticksPerInteger: number;
  readonly markTicks: number;
  /** Ascending from a notional of 0. */
  readonly tiers: readonly MarginTier[];
}

/** Funding paid (received: negative) in quote units. */
export interface CumulativeFunding {
  readonly allTime: bigint;
  readonly sinceOpen: bigint;
  readonly sinceChange: bigint;
}

export interface ValuedPosition {
  /** Index into the markets. */
  readonly market: number;
  readonly sizeLots: bigint;
  /** Entry notional with the sign of the size. */
  readonly cost: bigint;
  /** An isolated position's own collateral; 0 for cross. */
  readonly rawUsd: bigint;
  /** The leverage that holds for it: its own, else the market's. */
  readonly leverage: number;
  readonly isolated: boolean;
  readonly funding: CumulativeFunding;
}

export interface ValuedAccount {
  readonly collateral: bigint;
  /** Reserved for open orders. */
  readonly orderMargin: bigint;
  /** In the order of their markets; those of size 0 do not show. */
  readonly positions: readonly ValuedPosition[];
}

export interface MarginSummary {
  readonly accountValue: bigint;
  readonly totalNtlPos: bigint;
  readonly totalRawUsd: bigint;
  readonly totalMarginUsed: bigint;
}

interface CrossLeverage {
  readonly type: 'cross';
  readonly value: number;
}

interface IsolatedLeverage {
  readonly type: 'isolated';
  readonly value: number;
  readonly rawUsd: bigint;
}

export interface PositionSummary {
  readonly market: number;
  readonly szi: bigint;
  readonly leverage: CrossLeverage | IsolatedLeverage;
  /** 10^-8 of 1.0. */
  readonly entryPx: bigint;
  readonly positionValue: bigint;
  readonly unrealizedPnl: bigint;
  /** 10^-8. */
  readonly returnOnEquity: bigint;
  /** 10^-8 of 1.0; null if no price above 0 would do it. */
  readonly liquidationPx: bigint | null;
  readonly marginUsed: bigint;
  readonly maxLeverage: number;
  readonly cumFunding: CumulativeFunding;
}

export interface AccountSummary {
  /** Cross and isolated together. */
  readonly marginSummary: MarginSummary;
  readonly crossMarginSummary: MarginSummary;
  readonly crossMaintenanceMarginUsed: bigint;
  readonly withdrawable: bigint;
  readonly positions: readonly PositionSummary[];
}

/** A position with what follows from it and its market. */
interface Valued {
  readonly position: ValuedPosition;
  readonly market: ValuedMarket;
  /** Signed, at the mark. */
  readonly value: bigint;
  readonly notional: bigint;
  readonly initial: bigint;
  readonly maintenance: bigint;
}

const SCALE = 100_000_000n;

// --- Exact arithmetic -------------------------------------------------------------------------------------------------------------

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);
/** a / b rounded up, for a >= 0 and b > 0. */
const divideUp = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;

/** a / b rounded to the nearest, halves away from zero; b is not 0. */
function divideNearest(a: bigint, b: bigint): bigint {
  const rounded = (2n * magnitude(a) + magnitude(b)) / (2n * magnitude(b));
  return a < 0n !== b < 0n ? -rounded : rounded;
}

const sum = <T>(items: readonly T[], of: (item: T) => bigint): bigint => items.reduce((total, item) => total + of(item), 0n);

// --- Margins ----------------------------------------------------------------------------------------------------------------------

/** What makes maintenance margin continuous over the tiers: by tier, floored (docs/rules.md, 4.4). */
function deductionsOf(tiers: readonly MarginTier[]): bigint[] {
  let deduction = 0n;
  let before: MarginTier | undefined;
  return tiers.map((tier) => {
    if (before !== undefined) {
      const [from, to] = [BigInt(before.maxLeverage), BigInt(tier.maxLeverage)];
      deduction += (tier.lowerNotional * (from - to)) / (2n * from * to);
    }
    before = tier;
    return deduction;
  });
}

function maintenanceOf(tiers: readonly MarginTier[], notional: bigint): bigint {
  const index = tiers.findLastIndex((tier) => tier.lowerNotional <= notional);
  const tier = tiers[index];
  const deduction = deductionsOf(tiers)[index];
  assert(tier !== undefined && deduction !== undefined, 'the first tier starts at 0');
  return notional === 0n ? 0n : divideUp(notional, 2n * BigInt(tier.maxLeverage)) - deduction;
}

function valued(position: ValuedPosition, markets: readonly ValuedMarket[]): Valued {
  const market = markets[position.market];
  assert(market !== undefined, `position in an unknown market ${position.market}`);
  assert(market.markTicks > 0 && position.leverage > 0, 'an open position has a mark price and a leverage');
  const value = position.sizeLots * BigInt(market.markTicks) * BigInt(market.unit);
  const notional = magnitude(value);
  return {
    position,
    market,
    value,
    notional,
    initial: divideUp(notional, BigInt(position.leverage)),
    maintenance: maintenanceOf(market.tiers, notional),
  };
}

// --- Liquidation price ------------------------------------------------------------------------------------------------------------

/** An exact quotient, numerator and denominator; the denominator is above 0. */
type Fraction = readonly [bigint, bigint];

/**
 * The notional at which a scope's value equals its maintenance margin when only this market's price moves. `rest` is the value of all else
 * in the scope less its maintenance margin; rest + side * N = N / (2 L) - d is solved in every tier (protocol, 7.3).
 *
 * Exact, and with the rules' own deductions: values are integers, so the rounding up of N / (2 L) does not move the price of a breach.
 * Maintenance jumps up by less than a quote unit where a tier begins, for deductions are floored: what counts is the first breach that a
 * price meets on its way, down for a long, up for a short.
 */
function breachNotional(tiers: readonly MarginTier[], rest: bigint, long: boolean): Fraction {
  const deductions = deductionsOf(tiers);
  const roots = tiers.map((tier, index): Fraction => {
    const twice = 2n * BigInt(tier.maxLeverage);
    const lacking = -rest - (deductions[index] ?? 0n);
    return long ? [lacking * twice, twice - 1n] : [-lacking * twice, twice + 1n];
  });
  const isAbove = ([a, b]: Fraction, notional: bigint): boolean => a > notional * b;
  const index = long
    ? roots.findLastIndex((root, at) => at === 0 || isAbove(root, tiers[at]?.lowerNotional ?? 0n))
    : roots.findIndex((root, at) => at === roots.length - 1 || !isAbove(root, tiers[at + 1]?.lowerNotional ?? 0n));
  const root = roots[index];
  assert(root !== undefined, 'a market has a tier');
  const lower = tiers[index]?.lowerNotional ?? 0n;
  return long || index === 0 || isAbove(root, lower) ? root : [lower, 1n];
}

/** The price of a position at a notional [a, b], in 10^-8. */
function priceAt({ position, market }: Valued, [a, b]: Fraction): bigint {
  const perTick = magnitude(position.sizeLots) * BigInt(market.unit);
  return divideNearest(a * SCALE, b * perTick * BigInt(market.ticksPerInteger));
}

/** `equity` and `maintenance` are those of its scope: the account's cross part, or the isolated position alone. */
function liquidationPrice(item: Valued, equity: bigint, maintenance: bigint): bigint | null {
  const rest = equity - item.value - (maintenance - item.maintenance);
  const price = priceAt(item, breachNotional(item.market.tiers, rest, item.position.sizeLots > 0n));
  return price > 0n ? price : null;
}

// --- Summaries --------------------------------------------------------------------------------------------------------------------

const isolatedEquity = ({ position, value }: Valued): bigint => position.rawUsd + value;

function positionSummary(item: Valued, cross: { readonly equity: bigint; readonly maintenance: bigint }): PositionSummary {
  const { position, market, value, notional, initial, maintenance } = item;
  const equity = isolatedEquity(item);
  const unrealizedPnl = value - position.cost;
  return {
    market: position.market,
    szi: position.sizeLots,
    leverage: position.isolated
      ? { type: 'isolated', value: position.leverage, rawUsd: position.rawUsd }
      : { type: 'cross', value: position.leverage },
    entryPx: priceAt(item, [magnitude(position.cost), 1n]),
    positionValue: notional,
    unrealizedPnl,
    returnOnEquity: position.cost === 0n ? 0n : divideNearest(unrealizedPnl * BigInt(position.leverage) * SCALE, magnitude(position.cost)),
    liquidationPx: position.isolated
      ? liquidationPrice(item, equity, maintenance)
      : liquidationPrice(item, cross.equity, cross.maintenance),
    marginUsed: position.isolated ? equity : initial,
    maxLeverage: market.tiers[0]?.maxLeverage ?? 0,
    cumFunding: position.funding,
  };
}

/** The values of an account at the marks of `markets` (protocol, 7.2). */
export function accountSummary(account: ValuedAccount, markets: readonly ValuedMarket[]): AccountSummary {
  const open = account.positions.filter(({ sizeLots }) => sizeLots !== 0n).map((position) => valued(position, markets));
  const cross = open.filter(({ position }) => !position.isolated);
  const isolated = open.filter(({ position }) => position.isolated);
  const equity = account.collateral + sum(cross, ({ value }) => value);
  const crossNotional = sum(cross, ({ notional }) => notional);
  const initial = sum(cross, (item) => item.initial);
  const maintenance = sum(cross, (item) => item.maintenance);
  const crossMarginSummary: MarginSummary = {
    accountValue: equity,
    totalNtlPos: crossNotional,
    totalRawUsd: account.collateral,
    totalMarginUsed: initial,
  };
  return {
    marginSummary: {
      accountValue: equity + sum(isolated, isolatedEquity),
      totalNtlPos: crossNotional + sum(isolated, ({ notional }) => notional),
      totalRawUsd: account.collateral + sum(isolated, ({ position }) => position.rawUsd),
      totalMarginUsed: initial + sum(isolated, isolatedEquity),
    },
    crossMarginSummary,
    crossMaintenanceMarginUsed: maintenance,
    withdrawable: transferable(equity - account.orderMargin, initial, crossNotional),
    positions: open.map((item) => positionSummary(item, { equity, maintenance })),
  };
}

/** What may leave the collateral: the rest must bear the initial margins and a tenth of the notional (protocol, 7.2). */
function transferable(free: bigint, initial: bigint, notional: bigint): bigint {
  const tenth = divideUp(notional, 10n);
  const left = free - (initial > tenth ? initial : tenth);
  return left > 0n ? left : 0n;
}
