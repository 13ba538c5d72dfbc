/**
 * Crowds of orders: whole batches of small orders on one side of a book, of stops that fire together, of orders that sweep a book; and
 * floods, which are more than one transaction of the system may handle.
 */
import { BATCH_ITEMS_MAX } from '../exchange/layout.ts';
import type { OrdersTransaction, PlaceItem, ScheduleCancelTransaction } from '../ledger/transactions.ts';
import { user } from './random-signers.ts';
import { expiry, trigger } from './random-terms.ts';
import type { RandomWorld } from './random-world.ts';

/** Many small orders on one side of a book, off the price. */
export function crowd(world: RandomWorld): PlaceItem[] {
  const { random } = world;
  const market = random.chance(0.8) ? 0 : world.market(0);
  const side = random.chance(0.7) ? 'sell' : 'buy';
  const reference = world.prices.at(market);
  const reach = Math.min(Math.ceil(reference / 4), random.pick([5, 40, 5000]));
  const { lotStep } = world.parameters(market);
  const expires = random.chance(0.15) ? { expiresMs: expiry(world) } : {};
  return Array.from({ length: random.between(40, BATCH_ITEMS_MAX) }, (): PlaceItem => {
    const offset = random.between(1, reach);
    const price = side === 'sell' ? reference + offset : reference - offset;
    const sizeLots = BigInt(lotStep * random.between(2, 6));
    return {
      op: 'place',
      market,
      side,
      tif: 'gtc',
      priceTicks: world.validPrice(market, price),
      sizeLots,
      ...expires,
    };
  });
}

/** Many trigger orders on one side that the next crash fires together. */
export function stops(world: RandomWorld): PlaceItem[] {
  const { random } = world;
  const side = random.chance(0.7) ? 'sell' : 'buy';
  const { lotStep } = world.parameters(0);
  return Array.from({ length: random.between(30, BATCH_ITEMS_MAX) }, () => trigger(world, 0, side, BigInt(lotStep * random.between(2, 6))));
}

/**
 * More orders than one transaction of the system may cancel, or more trigger orders than one may fire: batches of one account, which expire
 * together or are cancelled by schedule.
 */
export function flood(world: RandomWorld): (OrdersTransaction | ScheduleCancelTransaction)[] {
  const { random, timeMs } = world;
  const sender = user(world);
  const sells = random.chance(0.7);
  const { lotStep } = world.parameters(0);
  const batch = (items: PlaceItem[]): OrdersTransaction => ({ kind: 'orders', sender, items });
  if (random.chance(0.3)) {
    const side = sells ? 'sell' : 'buy';
    const stop = (): PlaceItem => trigger(world, 0, side, BigInt(lotStep * random.between(1, 4)), 'stopLoss');
    world.prices.shock(0, sells ? 0.88 : 1.12);
    return [batch(filled(stop)), batch(filled(stop))];
  }
  const expires = random.chance(0.5) ? { expiresMs: timeMs + random.between(1, 6000) } : {};
  const order = (): PlaceItem => ({
    op: 'place',
    market: 0,
    side: sells ? 'sell' : 'buy',
    tif: 'gtc',
    priceTicks: world.validPrice(0, world.prices.at(0) * (1 + ((sells ? 1 : -1) * random.between(15, 120)) / 1000)),
    sizeLots: BigInt(lotStep),
    ...expires,
  });
  const batches = Array.from({ length: 9 }, () => batch(filled(order)));
  return 'expiresMs' in expires ? batches : [{ kind: 'scheduleCancel', sender, timeMs: timeMs + 5000 }, ...batches];
}

/** As many items as a batch may have. */
function filled(item: () => PlaceItem): PlaceItem[] {
  return Array.from({ length: BATCH_ITEMS_MAX }, item);
}

/** More than a transaction may match, for books that have it; another item follows that finds no steps left. */
export function sweep(world: RandomWorld): PlaceItem[] {
  const { random } = world;
  const side = random.chance(0.7) ? 'buy' : 'sell';
  const { lotStep } = world.parameters(0);
  const price = world.validPrice(0, world.prices.at(0) * (side === 'buy' ? 1.24 : 0.78));
  const tif = random.pick(['gtc', 'ioc', 'market'] as const);
  const sizeLots = BigInt(lotStep) * BigInt(random.pick([300, 1000, 5000]));
  const first: PlaceItem = { op: 'place', market: 0, side, tif, priceTicks: tif === 'market' ? 10_000 : price, sizeLots };
  return [first, { ...first, tif: 'gtc', priceTicks: price }];
}

/** Trial runs that fail, one after the other, until no steps are left. */
export function foks(world: RandomWorld): PlaceItem[] {
  const { random } = world;
  const side = random.chance(0.7) ? 'buy' : 'sell';
  const price = world.validPrice(0, world.prices.at(0) * (side === 'buy' ? 1.24 : 0.78));
  const { lotStep, maxOrderLots } = world.parameters(0);
  const wanted = BigInt(lotStep) * BigInt(random.pick([20, 400, 100_000]));
  const sizeLots = world.validLots(0, wanted < maxOrderLots ? wanted : maxOrderLots);
  const fok: PlaceItem = { op: 'place', market: 0, side, tif: 'fok', priceTicks: price, sizeLots };
  return [...Array.from({ length: random.between(3, 30) }, () => fok), { ...fok, tif: 'ioc' }];
}
