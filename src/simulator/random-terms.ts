/**
 * The terms of random orders: side, price, size, trigger, expiry and the rest, around the walk of prices and what the twin's account has.
 *
 * Sizes are often as large as the account's margin bears, so that the next shock of prices hurts.
 */
import type { Address, PlaceItem, SelfTradeMode, TimeInForce } from '../ledger/transactions.ts';
import type { RandomWorld } from './random-world.ts';

export type Side = PlaceItem['side'];

export const opposite = (side: Side): Side => (side === 'buy' ? 'sell' : 'buy');

/** Most accounts have a side that they prefer, so that positions grow; the rich ones trade both ways. */
export function usualSide(world: RandomWorld, actor: Address): Side {
  const { random, known } = world;
  const index = known.indexOf(actor);
  if (index % 5 === 0 || random.chance(0.35)) return random.pick(['buy', 'sell']);
  return index % 3 === 0 ? 'sell' : 'buy';
}

export function clientId(world: RandomWorld): Pick<PlaceItem, 'clientId'> {
  return world.random.chance(0.2) ? { clientId: world.random.pick(world.clientIds) } : {};
}

export function selfTrade(world: RandomWorld): Pick<PlaceItem, 'selfTrade'> {
  const modes: readonly SelfTradeMode[] = ['cancelMaker', 'cancelTaker', 'cancelBoth'];
  return world.random.chance(0.35) ? { selfTrade: world.random.pick(modes) } : {};
}

export function expiry(world: RandomWorld): number {
  const { random, timeMs } = world;
  const after = { soon: random.between(1, 6000), later: random.between(6000, 600_000), now: 0, past: -1, days: 3 * 86_400_000 };
  return Math.max(1, timeMs + after[random.weighted({ soon: 70, later: 20, now: 4, past: 3, days: 3 })]);
}

export function display(world: RandomWorld, market: number, sizeLots: bigint): bigint {
  const { random } = world;
  const step = BigInt(world.markets[market]?.lotStep ?? 1);
  const part = (sizeLots / (step * BigInt(random.between(2, 6)))) * step;
  return { part: part < step ? step : part, step, whole: sizeLots, odd: part + 1n }[
    random.weighted({ part: 70, step: 20, whole: 5, odd: 5 })
  ];
}

export function slippageBps(world: RandomWorld): number {
  const { random } = world;
  return random.chance(0.04) ? random.pick([0, 10_001, 2 ** 32 - 1]) : random.pick([1, 10, 100, 500, 2000, 9999, 10_000]);
}

export function limitPrice(world: RandomWorld, market: number, side: Side, tif: TimeInForce): number {
  const { random } = world;
  if (market >= world.markets.length) return 1;
  const { tickCount } = world.parameters(market);
  const reference = world.prices.at(market);
  if (random.chance(0.02)) return random.pick([0, tickCount, 2 ** 32 - 1]);
  if (random.chance(0.02)) return Math.min(Math.max(reference + random.between(-1000, 1000), 1), tickCount - 1);
  if (random.chance(0.02)) return world.validPrice(market, random.pick([1, tickCount - 1]));
  const reach = Math.max(3, Math.ceil(reference * random.pick([0.0005, 0.005, 0.005, 0.02, 0.2])));
  // Most orders stand a little off the price on their own side; enough of them cross.
  const better = random.chance({ gtc: 0.55, alo: 0.9, ioc: 0.15, fok: 0.15, market: 0 }[tif]);
  const offset = better ? random.between(0, reach) : -random.between(0, Math.ceil(reach / 2));
  return world.validPrice(market, side === 'buy' ? reference - offset : reference + offset);
}

export function sizeOf(world: RandomWorld, actor: Address, market: number, position: bigint): bigint {
  const { random } = world;
  if (market >= world.markets.length) return 1n;
  const { lotStep, maxOrderLots } = world.parameters(market);
  const step = BigInt(lotStep);
  const held = position < 0n ? -position : position;
  const most = maxOrderLots - (maxOrderLots % step);
  const usual = step * BigInt(random.between(1, 40));
  const doomed = market === world.doomed?.market && world.sinceDoom >= 0 && world.sinceDoom < 4;
  const shape = random.weighted({
    usual: 56,
    levered: doomed ? 120 : world.focus === 'margin' || world.focus === 'vaults' ? 45 : 20,
    any: 1,
    held: held === 0n ? 0 : 8,
    flip: held === 0n ? 0 : 6,
    most: 0.6,
    none: 0.8,
    odd: 1.2,
    tooMuch: 0.8,
  });
  switch (shape) {
    case 'usual':
      return usual < most ? usual : step;
    case 'levered': {
      const lots = leveredLots(world, actor, market);
      return lots < most ? lots : most > 0n ? most : step;
    }
    case 'any':
      return step * (1n + random.belowBig(maxOrderLots / step + 1n));
    case 'held':
      return held;
    case 'flip':
      return held * 2n + step;
    case 'most':
      return most;
    case 'none':
      return 0n;
    case 'odd':
      return step * 3n + 1n;
    case 'tooMuch':
      return random.pick([maxOrderLots + 1n, 2n ** 63n - 1n]);
  }
}

/** A large part of what the account's margin bears, now and then a little more than that. The rich take a small part. */
function leveredLots(world: RandomWorld, actor: Address, market: number): bigint {
  const { random } = world;
  const free = world.freeMargin(actor);
  const price = BigInt(world.prices.at(market)) * BigInt(world.parameters(market).unit);
  if (free <= 0n) return BigInt(world.parameters(market).lotStep);
  const rich = free > 12n * world.usualNotional(market);
  const lent = world.vaults.some(({ address }) => address === actor);
  const percent = rich && !lent ? random.between(2, 12) : random.pick(lent ? [90, 97, 99] : [30, 60, 90, 97, 99, 101]);
  return world.validLots(market, (free * BigInt(world.leverageIn(actor, market) * percent)) / (100n * price));
}

/** A stop or a take-profit a little away from the price; a few are on the wrong side of it. */
export function trigger(world: RandomWorld, market: number, side: Side, sizeLots: bigint, wanted?: 'stopLoss'): PlaceItem {
  const { random } = world;
  const { tickStep, tickCount } = world.parameters(market);
  const kind = wanted ?? random.pick(['takeProfit', 'stopLoss'] as const);
  const above = (kind === 'takeProfit') === (side === 'sell');
  const away = random.pick([0.002, 0.01, 0.03, 0.1]) * (random.chance(0.95) ? 1 : -1);
  const price = world.prices.at(market);
  const target = Math.round(price * (1 + (above ? away : -away))) + (above ? 1 : -1);
  const stepped = Math.min(Math.max(target - (target % tickStep), tickStep), tickCount - 1);
  const priceTicks = random.chance(0.97) ? stepped : random.pick([0, tickCount, stepped + 1, 2 ** 32 - 1]);
  const tif = random.weighted({ gtc: 60, ioc: 25, alo: 12, market: 1.5, fok: 1.5 } as const);
  const limit = world.validPrice(market, price * (1 + random.pick([-0.05, -0.005, 0.005, 0.05])));
  const atMarket = random.chance(0.5);
  return {
    op: 'place',
    market,
    side,
    tif: atMarket && random.chance(0.9) ? 'ioc' : tif,
    priceTicks: atMarket ? random.pick([0, limit]) : limit,
    sizeLots,
    trigger: { kind, priceTicks, market: atMarket },
    ...clientId(world),
    ...selfTrade(world),
    ...(random.chance(0.1) ? { expiresMs: expiry(world) } : {}),
  };
}
