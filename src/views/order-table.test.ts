/** The packed table answers as one of plain maps and objects does, whatever is added, shown, settled and forgotten. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OrderStatus } from '../exchange/messages.ts';
import { type NewOrder, type OrderPlace, OrderTable, type TrackedOrder } from './order-table.ts';

/** An order of the plain table. */
type PlainOrder = { -readonly [K in keyof NewOrder]: NewOrder[K] } & { shown: number };

class PlainTable {
  private readonly byOid = new Map<bigint, PlainOrder>();
  private readonly open = new Map<string, PlainOrder>();
  private readonly byClientId = new Map<string, PlainOrder>();
  private readonly unsettled = new Set<PlainOrder>();

  find(oid: bigint): PlainOrder | undefined {
    return this.byOid.get(oid);
  }

  findClientId(account: number, clientId: string): PlainOrder | undefined {
    return this.byClientId.get(`${account} ${clientId}`);
  }

  openOf(account: number): PlainOrder[] {
    return [...this.open.values()].filter((order) => order.account === account);
  }

  add(added: NewOrder): PlainOrder {
    const order = { ...added, shown: 0 };
    this.byOid.set(order.oid, order);
    const key = `${order.account} ${order.clientId}`;
    const known = this.byClientId.get(key);
    if (order.clientId !== undefined && (known === undefined || known.place === 'gone')) this.byClientId.set(key, order);
    return order;
  }

  hide(order: PlainOrder): void {
    order.shown--;
    this.forget(order);
  }

  settle(account: number, slot: number, order: PlainOrder | undefined): void {
    const key = `${account} ${slot}`;
    const before = this.open.get(key);
    if (before === order) return;
    if (order === undefined) this.open.delete(key);
    else this.open.set(key, order);
    if (before === undefined) return;
    before.place = 'gone';
    this.forget(before);
  }

  settled(): void {
    for (const order of this.unsettled) {
      if (!this.isNeeded(order)) order.place = 'gone';
      this.forget(order);
    }
    this.unsettled.clear();
  }

  private isNeeded(order: PlainOrder): boolean {
    return order.shown > 0 || this.openOf(order.account).includes(order);
  }

  private forget(order: PlainOrder): void {
    if (this.isNeeded(order)) return;
    if (order.place !== 'gone') {
      this.unsettled.add(order);
      return;
    }
    if (this.byOid.get(order.oid) === order) this.byOid.delete(order.oid);
    const key = `${order.account} ${order.clientId}`;
    if (this.byClientId.get(key) === order) this.byClientId.delete(key);
  }
}

const ACCOUNTS = [0, 1, 2 ** 24 + 5];
const SLOTS = 5;
const CLIENT_IDS = [1, 2, 3].map((id) => `0x${id.toString(16).padStart(32, 'a')}`);
const PLACES: readonly OrderPlace[] = ['book', 'trigger', 'child', 'gone'];
const STATUSES: readonly OrderStatus[] = ['open', 'filled', 'canceled', 'rejected', 'tooManyOpenOrdersRejected'];

/** With the prototype of other objects, which comparisons look at. */
const record = <T>(fields: { readonly [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true });

const lots = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const terms = record({
  account: fc.constantFrom(...ACCOUNTS),
  market: fc.nat(511),
  sell: fc.boolean(),
  tif: fc.constantFrom('gtc' as const, 'ioc' as const, 'alo' as const, 'market' as const, 'fok' as const),
  limitTicks: fc.nat(0xffffffff),
  originalLots: lots,
  reduceOnly: fc.boolean(),
  clientId: fc.option(fc.constantFrom(...CLIENT_IDS), { nil: undefined }),
  trigger: fc.option(record({ takeProfit: fc.boolean(), priceTicks: fc.nat(0xffffffff), market: fc.boolean(), whole: fc.boolean() }), {
    nil: undefined,
  }),
  timeMs: fc.nat(2 ** 45),
  leftLots: lots,
  place: fc.constantFrom(...PLACES),
  children: fc.array(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), { maxLength: 2 }),
  status: fc.constantFrom(...STATUSES),
  statusMs: fc.nat(2 ** 45),
});

type Step =
  | { readonly do: 'add'; readonly slot: number; readonly terms: Omit<NewOrder, 'oid'> }
  | { readonly do: 'show' | 'show held' | 'hide' | 'open' | 'close' | 'change' | 'settled' | 'recycle'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), slot: fc.nat(SLOTS - 1), terms }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('show', 'show held', 'hide', 'open', 'close', 'change', 'settled', 'recycle'),
      which: fc.nat(1000),
    }),
  },
);

/** Orders that both tables have. */
class Pair {
  readonly packed = new OrderTable();
  readonly plain = new PlainTable();
  private readonly oids: bigint[] = [];
  private nextOrdinal = 1n;
  /** Orders of the block, which its facts would hold. */
  private held: { readonly plain: PlainOrder; readonly packed: TrackedOrder }[] = [];
  /** What histories would show. */
  private readonly shown: { readonly plain: PlainOrder; readonly row: number }[] = [];

  take(step: Step): void {
    if (step.do === 'add') {
      const oid = (this.nextOrdinal++ << 13n) | BigInt(step.slot);
      this.oids.push(oid);
      const order = { ...step.terms, oid };
      this.held.push({ packed: this.packed.add(order), plain: this.plain.add(order) });
    } else if (step.do === 'recycle') {
      this.packed.recycle();
      this.held = [];
    } else if (step.do === 'settled') {
      this.packed.settled();
      this.plain.settled();
    } else if (step.do === 'show held') this.show(this.held[step.which % this.held.length]);
    else if (step.do === 'hide') this.hide(step.which);
    else this.change(step.do, this.oids[step.which % this.oids.length] ?? 0n);
  }

  private show(shown: { readonly plain: PlainOrder; readonly packed: TrackedOrder } | undefined): void {
    if (shown === undefined) return;
    const { plain, packed } = shown;
    this.packed.show(packed);
    plain.shown++;
    this.shown.push({ plain, row: packed.row });
  }

  private hide(which: number): void {
    const [gone] = this.shown.splice(which % Math.max(1, this.shown.length), 1);
    if (gone === undefined) return;
    this.packed.hide(gone.row);
    this.plain.hide(gone.plain);
  }

  private change(what: 'show' | 'open' | 'close' | 'change', oid: bigint): void {
    const [packed, plain] = [this.packed.find(oid), this.plain.find(oid)];
    assert.equal(packed === undefined, plain === undefined);
    if (packed === undefined || plain === undefined) return;
    const slot = Number(oid & 0x1fffn);
    if (what === 'show') {
      this.held.push({ plain, packed });
      this.show({ plain, packed });
    } else if (what === 'open') {
      this.packed.settle(plain.account, slot, packed);
      this.plain.settle(plain.account, slot, plain);
    } else if (what === 'close') {
      this.packed.settle(plain.account, slot, undefined);
      this.plain.settle(plain.account, slot, undefined);
    } else {
      for (const order of [packed, plain]) {
        order.leftLots = -1n - plain.originalLots / 2n;
        order.originalLots = plain.originalLots / 3n;
        order.place = PLACES[(PLACES.indexOf(plain.place) + 1) % PLACES.length] as OrderPlace;
        order.children = [...plain.children, oid];
      }
      packed.setStatus('siblingFilledCanceled', 123);
      Object.assign(plain, { status: 'siblingFilledCanceled', statusMs: 123 });
    }
  }

  check(): void {
    for (const oid of this.oids) assert.deepEqual(seen(this.packed.find(oid)), seen(this.plain.find(oid)));
    for (const account of ACCOUNTS) {
      const open = (orders: readonly (TrackedOrder | PlainOrder)[]): unknown[] => orders.map(seen).sort(byOid);
      assert.deepEqual(open(this.packed.openOf(account)), open(this.plain.openOf(account)));
      for (const clientId of CLIENT_IDS) {
        assert.deepEqual(seen(this.packed.findClientId(account, clientId)), seen(this.plain.findClientId(account, clientId)));
      }
    }
    for (const { plain, packed } of this.held) assert.deepEqual(seen(packed), seen(plain));
    for (const { plain, row } of this.shown) assert.deepEqual(seen(this.packed.order(row)), seen(plain));
  }
}

type Seen = NewOrder | undefined;

function seen(order: TrackedOrder | PlainOrder | undefined): Seen {
  if (order === undefined) return undefined;
  const { oid, account, market, sell, tif, limitTicks, originalLots, reduceOnly, clientId, trigger } = order;
  const { timeMs, leftLots, place, children, status, statusMs } = order;
  const terms = { oid, account, market, sell, tif, limitTicks, originalLots, reduceOnly, clientId, trigger };
  return { ...terms, timeMs, leftLots, place, children, status, statusMs };
}

function byOid(a: unknown, b: unknown): number {
  return (a as NewOrder).oid < (b as NewOrder).oid ? -1 : 1;
}

function sampleOrder(oid: bigint): NewOrder {
  return { ...(fc.sample(terms, { numRuns: 1, seed: 1 })[0] as Omit<NewOrder, 'oid'>), oid, place: 'gone' };
}

test('orders are found, changed, closed and forgotten as in plain maps', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const pair = new Pair();
      steps.forEach((each, i) => {
        pair.take(each);
        if (i % 16 === 0) pair.check();
      });
      pair.check();
    }),
    { numRuns: 150 },
  );
});

test('an order that was forgotten can still be looked at until the table is told that nobody does', () => {
  const [first, second] = [1n, 2n].map((ordinal) => sampleOrder(ordinal << 13n)) as [NewOrder, NewOrder];
  const table = new OrderTable();
  const order = table.add(first);
  table.show(order);
  table.hide(order.row);
  assert.equal(table.find(first.oid), undefined);
  const other = table.add(second);
  assert.notEqual(other.row, order.row);
  assert.equal(order.oid, first.oid);
  table.recycle();
  assert.equal(table.add({ ...second, oid: 3n << 13n }).row, order.row, 'the row is used again');
});

test('an order that is not gone stays when no history shows it, until its record has had its say', () => {
  const table = new OrderTable();
  const orders = [1n, 2n].map((ordinal) => table.add({ ...sampleOrder((ordinal << 13n) | ordinal), place: 'book' }));
  const [open, missing] = orders as [TrackedOrder, TrackedOrder];
  for (const order of orders) {
    table.show(order);
    table.hide(order.row);
  }
  assert.equal(table.find(open.oid)?.row, open.row);
  table.settle(open.account, 1, open);
  table.settled();
  table.recycle();
  assert.equal(table.find(open.oid)?.row, open.row);
  assert.equal(table.find((2n << 13n) | 2n), undefined, 'what has no record is gone');
  assert.equal(table.add(sampleOrder(3n << 13n)).row, missing.row);
  table.settle(open.account, 1, undefined);
  assert.equal(table.find((1n << 13n) | 1n), undefined);
});

test('what was not shown cannot be hidden, and an order belongs into the slot that its oid ends with', () => {
  const table = new OrderTable();
  const order = table.add(sampleOrder((1n << 13n) | 2n));
  assert.throws(() => table.hide(order.row), /was shown/);
  assert.throws(() => table.settle(order.account, 3, order), /slot/);
});
