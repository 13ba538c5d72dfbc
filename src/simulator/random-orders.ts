/**
 * Random batches of orders: all tifs and options, groups, and changes of orders that are open on the twin or were placed in the same block.
 */
import { assert } from '../base/assert.ts';
import { BATCH_ITEMS_MAX } from '../exchange/layout.ts';
import type {
  Address,
  CancelClientItem,
  ModifyItem,
  OrderItem,
  OrdersTransaction,
  PlaceItem,
  ReduceItem,
  TimeInForce,
} from '../ledger/transactions.ts';
import { crowd, foks, stops, sweep } from './random-crowds.ts';
import { type Envelope, envelope } from './random-signers.ts';
import { clientId, display, expiry, limitPrice, opposite, selfTrade, sizeOf, slippageBps, trigger, usualSide } from './random-terms.ts';
import type { OpenOrder, RandomWorld } from './random-world.ts';

export function randomOrders(world: RandomWorld): { transaction: OrdersTransaction; actor: Address } {
  const { random } = world;
  const { signed, actor } = envelope(world, 'lent');
  const crowded = world.focus === 'crowded';
  const shape = random.weighted({
    items: 82,
    group: crowded ? 3 : 9,
    position: world.heldMarkets(actor).length > 0 ? 7 : 0.5,
    crowd: crowded ? 30 : 0.3,
    stops: crowded ? 8 : 0.2,
    sweep: crowded ? 8 : 0.5,
    foks: crowded ? 3 : 0.2,
    wrongGroup: 1.2,
  });
  const base = { kind: 'orders', ...signed } as const;
  return { transaction: { ...base, ...contents(world, actor, shape), ...builder(world, signed) }, actor };
}

type Contents = Pick<OrdersTransaction, 'items' | 'grouping'>;

function contents(
  world: RandomWorld,
  actor: Address,
  shape: 'items' | 'group' | 'position' | 'crowd' | 'stops' | 'sweep' | 'foks' | 'wrongGroup',
): Contents {
  const { random } = world;
  switch (shape) {
    case 'group':
      return { items: parentAndChildren(world, actor), grouping: 'normal' };
    case 'position':
      return { items: positionOrders(world, actor), grouping: 'position' };
    case 'crowd':
      return { items: crowd(world) };
    case 'stops':
      return { items: stops(world) };
    case 'sweep':
      return { items: sweep(world) };
    case 'foks':
      return { items: foks(world) };
    case 'wrongGroup': {
      const grouping = random.pick(['normal', 'position'] as const);
      const items = grouping === 'normal' ? parentAndChildren(world, actor) : positionOrders(world, actor);
      const wrong = items.map((item, i) => (i === items.length - 1 ? spoiled(world, item) : item));
      return { items: random.chance(0.2) ? [...wrong, ...items] : wrong, grouping };
    }
    case 'items': {
      const length = {
        one: () => 1,
        few: () => random.between(2, 8),
        many: () => random.between(9, 30),
        full: () => BATCH_ITEMS_MAX,
        none: () => 0,
        tooMany: () => BATCH_ITEMS_MAX + 1,
      }[random.weighted({ one: 64, few: 33, many: 1.5, full: 0.3, none: 0.5, tooMany: 0.4 })]();
      return { items: Array.from({ length }, () => item(world, actor)), ...(random.chance(0.05) ? { grouping: 'none' as const } : {}) };
    }
  }
}

/** A builder that was approved, mostly. */
function builder(world: RandomWorld, signed: Envelope['signed']): Pick<OrdersTransaction, 'builder'> {
  const { random } = world;
  const approvals = world.approvals.filter(({ user }) => user === signed.sender || user === signed.multiSig?.user);
  if (!random.chance(approvals.length > 0 ? 0.35 : 0.01)) return {};
  const wrong = { builder: random.pick([...world.known, ...world.fresh]), maxFee: random.between(0, 100) };
  const approval = approvals.length > 0 && random.chance(0.95) ? random.pick(approvals) : wrong;
  const fee = random.chance(0.93) ? random.between(0, approval.maxFee) : random.pick([approval.maxFee + 1, 65_535, 101]);
  return { builder: { address: approval.builder, fee: Math.min(fee, 65_535) } };
}

// --- Single items -----------------------------------------------------------------------------------------------------------------

function item(world: RandomWorld, actor: Address): OrderItem {
  const { random } = world;
  const open = world.openOrders(actor);
  const expected = world.expectedOf(actor);
  const placeWeight = open.length > 3 ? 50 : open.length > 0 ? 80 : expected.length > 0 ? 250 : 2000;
  const ofBlock = expected.length > 0 && random.chance(open.length > 0 ? 0.1 : 0.9) ? random.pick(expected) : undefined;
  const order = ofBlock === undefined && open.length > 0 && random.chance(0.95) ? random.pick(open) : undefined;
  const hit = order ?? ofBlock;
  const market = hit === undefined || random.chance(0.03) ? world.market(0.02) : hit.market;
  const named = open.some((order) => order.clientId !== undefined) ? 8 : 1;
  switch (random.weighted({ place: placeWeight, cancel: 9, cancelByClientId: named, modify: 15, reduce: 10 })) {
    case 'place':
      return place(world, actor);
    case 'cancel':
      return { op: 'cancel', market, oid: oidNear(world, hit?.oid) };
    case 'cancelByClientId':
      return cancelByClientId(world, open);
    case 'modify':
      return modify(world, actor, order, hit?.oid);
    case 'reduce':
      return reduce(world, market, order, hit?.oid);
  }
}

function modify(world: RandomWorld, actor: Address, order: OpenOrder | undefined, oid: bigint | undefined): ModifyItem {
  const { random } = world;
  const target = random.chance(0.3) ? (order?.clientId ?? random.pick(world.clientIds)) : oidNear(world, oid);
  const replacement = place(world, actor, order);
  // Often the same client id again, which is free only because the old order has gone.
  const clientId = order?.clientId !== undefined && random.chance(0.6) ? { clientId: order.clientId } : {};
  return { ...replacement, ...clientId, op: 'modify', target, ...(random.chance(0.25) ? { always: true } : {}) };
}

function reduce(world: RandomWorld, market: number, order: OpenOrder | undefined, oid: bigint | undefined): ReduceItem {
  const { random } = world;
  const left = order === undefined ? 10n : order.sizeLots + order.hiddenLots;
  const lotStep = BigInt(world.markets[market]?.lotStep ?? 1);
  const steps = 1n + random.belowBig(left / lotStep + 1n);
  const sizeLots = { part: steps * lotStep, all: left, none: 0n, odd: steps * lotStep + 1n, vast: 2n ** 63n - 1n }[
    random.weighted({ part: 80, all: 10, none: 3, odd: 6, vast: 1 })
  ];
  return { op: 'reduce', market, oid: oidNear(world, oid), sizeLots };
}

function cancelByClientId(world: RandomWorld, open: readonly OpenOrder[]): CancelClientItem {
  const { random } = world;
  const named = open.filter((order) => order.clientId !== undefined);
  if (named.length === 0 || random.chance(0.1)) {
    return { op: 'cancelByClientId', market: world.market(0.02), target: random.pick(world.clientIds) };
  }
  const { market, clientId } = random.pick(named);
  assert(clientId !== undefined, 'a named order');
  return { op: 'cancelByClientId', market: random.chance(0.03) ? world.market(0) : market, target: clientId };
}

function oidNear(world: RandomWorld, wanted: bigint | undefined): bigint {
  const { random } = world;
  if (wanted !== undefined && random.chance(0.96)) return wanted;
  return random.chance(0.9) ? world.oldOid() : random.pick([0n, 1n, 2n ** 64n - 1n]);
}

function place(world: RandomWorld, actor: Address, replaced?: OpenOrder): PlaceItem {
  const { random } = world;
  const held = world.heldMarkets(actor);
  const market =
    replaced !== undefined && random.chance(0.97)
      ? replaced.market
      : held.length > 0 && random.chance(0.3)
        ? random.pick(held)
        : world.market(0.01);
  const position = world.positionLots(actor, market);
  if (market < world.markets.length && random.chance(position === 0n ? 0.06 : 0.18)) return triggerOrder(world, actor, market, position);
  const reduceOnly = random.chance(position === 0n ? 0.03 : 0.15);
  const towardsZero = position > 0n ? 'sell' : 'buy';
  const side = reduceOnly && random.chance(0.85) ? towardsZero : usualSide(world, actor);
  const tif: TimeInForce = random.weighted({ gtc: 50, alo: 12, ioc: 16, market: 14, fok: 8 });
  const rests = tif === 'gtc' || tif === 'alo';
  const sizeLots = sizeOf(world, actor, market, position);
  return {
    op: 'place',
    market,
    side,
    tif,
    priceTicks: tif === 'market' ? slippageBps(world) : limitPrice(world, market, side, tif),
    sizeLots,
    ...(reduceOnly ? { reduceOnly } : random.chance(0.1) ? { reduceOnly: false } : {}),
    ...clientId(world),
    ...selfTrade(world),
    ...(random.chance(rests ? 0.12 : 0.01) ? { expiresMs: expiry(world) } : {}),
    ...(random.chance(tif === 'gtc' ? 0.12 : 0.005) ? { displayLots: display(world, market, sizeLots) } : {}),
  };
}

// --- Trigger orders and groups ----------------------------------------------------------------------------------------------------

function triggerOrder(world: RandomWorld, actor: Address, market: number, position: bigint): PlaceItem {
  const { random } = world;
  const towardsZero = position > 0n ? 'sell' : 'buy';
  const side = random.chance(0.8) ? towardsZero : opposite(towardsZero);
  const sizeLots = sizeOf(world, actor, market, position);
  return { ...trigger(world, market, side, sizeLots), ...(random.chance(0.6) ? { reduceOnly: true } : {}) };
}

function parentAndChildren(world: RandomWorld, actor: Address): PlaceItem[] {
  const { random } = world;
  const market = world.market(0);
  const side = usualSide(world, actor);
  const tif = random.weighted({ gtc: 75, alo: 10, market: 8, ioc: 7 } as const);
  const sizeLots = sizeOf(world, actor, market, world.positionLots(actor, market));
  const parent: PlaceItem = {
    op: 'place',
    market,
    side,
    tif,
    priceTicks: tif === 'market' ? slippageBps(world) : limitPrice(world, market, side, tif),
    sizeLots,
    ...clientId(world),
    ...selfTrade(world),
    ...(tif === 'gtc' && random.chance(0.15) ? { displayLots: display(world, market, sizeLots) } : {}),
    ...(tif === 'gtc' && random.chance(0.15) ? { expiresMs: expiry(world) } : {}),
  };
  const children = Array.from({ length: random.between(1, 2) }, (): PlaceItem => {
    const lots = random.chance(0.9) ? sizeLots : sizeOf(world, actor, market, 0n);
    return { ...trigger(world, market, opposite(side), lots), reduceOnly: true };
  });
  return [parent, ...children];
}

function positionOrders(world: RandomWorld, actor: Address): PlaceItem[] {
  const { random } = world;
  const held = world.heldMarkets(actor);
  const market = held.length > 0 ? random.pick(held) : world.market(0);
  const side = world.positionLots(actor, market) > 0n === random.chance(0.95) ? 'sell' : 'buy';
  return Array.from({ length: random.between(1, 2) }, () => ({ ...trigger(world, market, side, 0n), reduceOnly: true }));
}

/** An item that does not belong into its group any more. */
function spoiled(world: RandomWorld, place: PlaceItem): OrderItem {
  const { random } = world;
  const { op, market, side, tif, priceTicks, sizeLots } = place;
  return random.pick<OrderItem>([
    { ...place, side: opposite(side) },
    { ...place, market: market + 1 },
    { ...place, reduceOnly: false },
    { ...place, sizeLots: sizeLots === 0n ? 1n : sizeLots, side: opposite(side) },
    { op, market, side, tif, priceTicks, sizeLots },
    { op: 'cancel', market, oid: 1n },
  ]);
}
