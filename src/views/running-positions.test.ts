/** Running positions against a twin that works every fill through at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { positionKey, RunningPositions } from './running-positions.ts';
import { StateMirror } from './state-mirror.ts';

const ACCOUNTS = [0, 1, 2];
const MARKETS = [0, 1, 2, 300];
const UNIT = 10n;

const places = { account: fc.constantFrom(...ACCOUNTS), market: fc.constantFrom(...MARKETS) };
const lots = fc.bigInt({ min: -6n, max: 6n });
const priceTicks = fc.integer({ min: 1, max: 50 });
const steps = fc.array(
  fc.oneof(
    // `known`: the event says the size before it; `off`: by so much another one than the fills so far make.
    fc.record({
      kind: fc.constant('fill' as const),
      ...places,
      delta: lots,
      priceTicks,
      known: fc.boolean(),
      off: fc.constantFrom(0n, 0n, 0n, 2n),
    }),
    fc.record({ kind: fc.constant('close' as const), ...places, priceTicks, off: fc.constantFrom(0n, 0n, 0n, -1n) }),
  ),
  { maxLength: 120, size: 'max' },
);
const held = fc.array(fc.record({ ...places, lots, cost: fc.bigInt({ min: -500n, max: 500n }) }), { maxLength: 8 });
const starts = fc.array(fc.tuple(places.account, places.market, lots), { maxLength: 3 });

function mirrorOf(positions: readonly { account: number; market: number; lots: bigint; cost: bigint }[]): StateMirror {
  const mirror = new StateMirror(4);
  const value = new DataView(new ArrayBuffer(16));
  for (const { account, market, lots, cost } of positions) {
    value.setBigInt64(0, lots, true);
    value.setBigInt64(8, cost, true);
    mirror.positions.put(account, market, value, 0, 16);
    mirror.holders.put(market, account, lots === 0n ? undefined : true);
  }
  return mirror;
}

/** Size and cost by position, after every fill. */
class NaivePositions {
  private readonly all = new Map<number, { lots: bigint; cost: bigint }>();

  constructor(mirror: StateMirror, starts: ReadonlyMap<number, bigint>) {
    for (const account of ACCOUNTS) {
      for (const market of MARKETS) {
        const size = starts.get(positionKey(account, market)) ?? mirror.positions.get(account, market)?.sizeLots ?? 0n;
        this.all.set(positionKey(account, market), {
          lots: size,
          cost: size === 0n ? 0n : (mirror.positions.get(account, market)?.cost ?? 0n),
        });
      }
    }
  }

  lots(account: number, market: number): bigint {
    return this.all.get(positionKey(account, market))?.lots ?? 0n;
  }

  /** Returns the profit. */
  fill(account: number, market: number, delta: bigint, price: bigint, startLots: bigint): bigint {
    const position = this.all.get(positionKey(account, market));
    assert.ok(position !== undefined);
    if (position.lots !== startLots) Object.assign(position, { lots: startLots, cost: price * startLots });
    const after = startLots + delta;
    position.lots = after;
    if (startLots === 0n || startLots > 0n === delta > 0n) {
      position.cost += price * delta;
      return 0n;
    }
    const size = startLots < 0n ? -startLots : startLots;
    const traded = delta < 0n ? -delta : delta;
    const closed = traded < size ? traded : size;
    const released = (position.cost * closed) / size;
    position.cost = traded > size ? price * after : position.cost - released;
    return (startLots < 0n ? -price : price) * closed - released;
  }
}

test('sizes and profits are those of working every fill through', () => {
  fc.assert(
    fc.property(held, starts, fc.array(steps, { minLength: 1, maxLength: 3 }), (positions, begun, blocks) => {
      const mirror = mirrorOf(positions);
      const first = new Map(begun.map(([account, market, size]) => [positionKey(account, market), size]));
      const running = new RunningPositions(mirror, first);
      for (const block of blocks) {
        running.restart();
        const naive = new NaivePositions(mirror, first);
        for (const step of block) {
          const { account, market } = step;
          const before = naive.lots(account, market);
          assert.equal(running.lots(account, market), before);
          const price = BigInt(step.priceTicks) * UNIT;
          if (step.kind === 'fill') {
            const start = step.known ? before + step.off : before;
            naive.fill(account, market, step.delta, price, start);
            running.fill(account, market, step.delta, step.priceTicks, step.known ? start : undefined);
          } else {
            const start = before + step.off;
            if (start === 0n) continue;
            assert.equal(running.close(account, market, step.priceTicks, UNIT, start), naive.fill(account, market, -start, price, start));
          }
        }
        for (const account of ACCOUNTS) {
          assert.deepEqual(
            running.marketsOf(account),
            MARKETS.filter((market) => naive.lots(account, market) !== 0n),
          );
        }
        for (const market of MARKETS) {
          assert.deepEqual(
            running.holdersOf(market),
            ACCOUNTS.filter((account) => naive.lots(account, market) !== 0n),
          );
        }
      }
    }),
    { numRuns: 300 },
  );
});
