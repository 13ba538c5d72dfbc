/** Random TWAPs: alone, as many at once as there may be, and their cancels. */
import { TWAP_MINUTES_MAX, TWAPS_MAX } from '../exchange/layout.ts';
import type { TwapCancelTransaction, TwapTransaction } from '../ledger/transactions.ts';
import { envelope } from './random-signers.ts';
import { usualSide } from './random-terms.ts';
import type { RandomWorld } from './random-world.ts';

export function randomTwap(world: RandomWorld): TwapTransaction {
  const { random } = world;
  const { signed, actor } = envelope(world, 'lent');
  const held = world.heldMarkets(actor);
  const market = held.length > 0 && random.chance(0.3) ? random.pick(held) : world.market(0.03);
  const position = world.positionLots(actor, market);
  const reduceOnly = random.chance(position === 0n ? 0.03 : 0.3);
  const side = reduceOnly && random.chance(0.9) ? (position > 0n ? 'sell' : 'buy') : usualSide(world, actor);
  const parameters = world.markets[market] ?? world.parameters(0);
  const price = world.prices.at(market < world.markets.length ? market : 0);
  const steps = BigInt(random.pick([3, 20, 60, 400]));
  const odd = random.pick([0n, parameters.maxOrderLots + 1n, BigInt(parameters.lotStep) + 1n]);
  const minutes = { least: 5, some: random.between(5, 30), most: TWAP_MINUTES_MAX, odd: random.pick([0, 4, TWAP_MINUTES_MAX + 1]) };
  const near = (): number => Math.max(1, Math.round(price * (1 + random.pick([-0.05, -0.005, 0.005, 0.05]))));
  return {
    kind: 'twap',
    ...signed,
    market,
    side,
    sizeLots: random.chance(0.93) ? BigInt(parameters.lotStep) * steps : odd,
    minutes: minutes[random.weighted({ least: 60, some: 30, most: 4, odd: 6 })],
    ...(reduceOnly ? { reduceOnly } : {}),
    ...(random.chance(0.4) ? { randomize: random.chance(0.9) } : {}),
    ...(random.chance(0.25) ? { start: { priceTicks: random.chance(0.96) ? near() : 2 ** 31, above: random.chance(0.5) } } : {}),
    ...(random.chance(0.2) ? { stopTicks: random.chance(0.96) ? near() : parameters.tickCount } : {}),
  };
}

/** As many TWAPs at once as there may be, and one more. */
export function manyTwaps(world: RandomWorld): TwapTransaction[] {
  const { sender } = envelope(world, 'plain').signed;
  const { lotStep } = world.parameters(0);
  return Array.from({ length: TWAPS_MAX + 1 }, () => ({
    kind: 'twap',
    sender,
    market: 0,
    side: world.random.pick(['buy', 'sell'] as const),
    sizeLots: BigInt(lotStep * world.random.between(20, 40)),
    minutes: 5,
    ...(world.random.chance(0.3) ? { randomize: true } : {}),
  }));
}

export function randomTwapCancel(world: RandomWorld): TwapCancelTransaction {
  const { random } = world;
  const { signed, actor } = envelope(world, 'lent');
  const running = world.runningTwaps(actor);
  if (running.length === 0 || random.chance(0.1)) {
    return { kind: 'twapCancel', ...signed, market: world.market(0.1), id: random.pick([0, 1, 2, 2 ** 32 - 1]) };
  }
  const { market, id } = random.pick(running);
  return { kind: 'twapCancel', ...signed, market: random.chance(0.95) ? market : world.market(0.1), id };
}
