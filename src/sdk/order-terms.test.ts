/** Orders in words: letters, one form of decimals, prices of market orders within the slippage and valid. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDecimal, parseDecimal, priceFault } from './decimal.ts';
import { limitOrder, marketOrder, triggerOrder } from './order-terms.ts';
import { readAction } from './wire-actions.ts';

const CLIENT_ID = `0x${'0'.repeat(31)}1` as const;

test('orders as they go over the wire', () => {
  assert.deepEqual(limitOrder({ asset: 4, side: 'buy', price: '0100.50', size: '1.0' }), {
    a: 4,
    b: true,
    p: '100.5',
    s: '1',
    r: false,
    t: { limit: { tif: 'Gtc' } },
  });
  const full = limitOrder({
    asset: 0,
    side: 'sell',
    price: '1',
    size: '2',
    tif: 'Fok',
    reduceOnly: true,
    clientId: CLIENT_ID,
    expiresMs: 5,
    displaySize: '1.50',
    selfTrade: 'cancelBoth',
  });
  assert.deepEqual(Object.keys(full), ['a', 'b', 'p', 's', 'r', 't', 'c', 'e', 'd', 'm']);
  assert.deepEqual(full.d, '1.5');
  const stop = triggerOrder({ asset: 0, side: 'sell', size: '2', kind: 'stopLoss', triggerPrice: '90.0', reduceOnly: true });
  assert.deepEqual(stop.t, { trigger: { isMarket: true, triggerPx: '90', tpsl: 'sl' } });
  assert.equal(stop.p, '90');
  const take = triggerOrder({ asset: 0, side: 'sell', size: '2', kind: 'takeProfit', triggerPrice: '110', limitPrice: '109' });
  assert.deepEqual(take.t, { trigger: { isMarket: false, triggerPx: '110', tpsl: 'tp' } });
  assert.equal(take.p, '109');
  for (const order of [full, stop, take]) {
    const action = { type: 'order', orders: [order], grouping: 'na' };
    assert.equal(JSON.stringify(readAction(action)), JSON.stringify(action));
  }
});

test('a market order stays within its slippage, at a valid price', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 10_000n, max: 10n ** 12n }),
      fc.nat({ max: 5 }),
      fc.nat({ max: 1000 }),
      fc.boolean(),
      (mid, szDecimals, slippageBps, isBuy) => {
        const midPrice = formatDecimal(mid, 6);
        const { p, b, t } = marketOrder({ asset: 0, side: isBuy ? 'buy' : 'sell', size: '1', midPrice, slippageBps, szDecimals });
        assert.deepEqual([b, t], [isBuy, { limit: { tif: 'Ioc' } }]);
        const price = parseDecimal(p, 6) as bigint;
        const worst = mid * BigInt(isBuy ? 10_000 + slippageBps : 10_000 - slippageBps);
        assert.ok(isBuy ? price * 10_000n <= worst : price * 10_000n >= worst);
        assert.ok(price === 0n || priceFault(p, szDecimals) === undefined);
      },
    ),
  );
});

test('what is no number is refused', () => {
  for (const price of ['', '1e3', 'x', '1,5']) {
    assert.throws(() => limitOrder({ asset: 0, side: 'buy', price, size: '1' }), { code: 'INVALID_DECIMAL' });
    assert.throws(() => marketOrder({ asset: 0, side: 'buy', size: '1', midPrice: price, slippageBps: 1, szDecimals: 1 }), {
      code: 'INVALID_DECIMAL',
    });
    assert.throws(() => triggerOrder({ asset: 0, side: 'buy', size: '1', kind: 'stopLoss', triggerPrice: price }), {
      code: 'INVALID_DECIMAL',
    });
  }
  for (const slippageBps of [0.5, -1, 10_001, Number.NaN]) {
    const terms = { asset: 0, side: 'buy', size: '1', midPrice: '5', slippageBps, szDecimals: 1 } as const;
    assert.throws(() => marketOrder(terms), { code: 'INVALID_SLIPPAGE' });
  }
});
