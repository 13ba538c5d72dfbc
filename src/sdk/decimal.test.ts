/** Decimal texts: back and forth, the examples of the protocol, rounding against exact arithmetic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDecimal, normalDecimal, parseDecimal, priceFault, roundPrice, roundSize, sizeFault } from './decimal.ts';

const decimals = fc.integer({ min: 0, max: 18 });
const anyValue = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
const smallValue = fc.bigInt({ min: 0n, max: 10n ** 12n });

test('what is formatted comes back, and has one text', () => {
  fc.assert(
    fc.property(anyValue, decimals, fc.nat({ max: 3 }), (value, places, zeros) => {
      const text = formatDecimal(value, places);
      assert.match(text, /^-?(0|[1-9]\d*)(\.\d*[1-9])?$/);
      assert.equal(parseDecimal(text, places), value);
      assert.equal(normalDecimal(text), text);
      const padded = `${text.replace('-', '')}${text.includes('.') ? '' : '.0'}${'0'.repeat(zeros)}`;
      assert.equal(normalDecimal(`${value < 0n ? '-' : ''}00${padded}`), text);
    }),
  );
});

test('texts that are no decimal numbers', () => {
  for (const text of ['', '-', '.', '1.', '.5', '+1', '1e5', '0x1', ' 1', '1 ', '1,0', '--1', '1.2.3', 'NaN', 'Infinity', '1'.repeat(65)]) {
    assert.equal(parseDecimal(text, 18), undefined);
    assert.equal(normalDecimal(text), undefined);
    assert.equal(priceFault(text, 2), 'NOT_POSITIVE');
    assert.equal(sizeFault(text, 2), 'NOT_POSITIVE');
  }
  assert.equal(parseDecimal('1.25', 1), undefined);
  assert.equal(parseDecimal('1.20', 1), 12n);
  assert.equal(normalDecimal('-0.0'), '0');
});

test('prices: the examples of the protocol', () => {
  const valid = (text: string, szDecimals: number): boolean => priceFault(text, szDecimals) === undefined;
  assert.deepEqual(
    ['65432.1', '65432', '123456', '9876.5'].map((text) => valid(text, 5)),
    [false, true, true, true],
  );
  assert.deepEqual(
    ['1.2345', '0.012345', '0.01234'].map((text) => valid(text, 1)),
    [true, false, true],
  );
  assert.equal(valid('123456.0', 5), true);
  assert.equal(priceFault('0', 1), 'NOT_POSITIVE');
  assert.equal(priceFault('-1', 1), 'NOT_POSITIVE');
  assert.equal(sizeFault('0.123', 3), undefined);
  assert.equal(sizeFault('0.1230', 3), undefined);
  assert.equal(sizeFault('0.1234', 3), 'TOO_PRECISE');
  assert.equal(sizeFault('0.0', 3), 'NOT_POSITIVE');
});

test('a rounded price is valid, and no valid price lies between', () => {
  fc.assert(
    fc.property(smallValue, fc.integer({ min: 0, max: 6 }), (value, szDecimals) => {
      const text = formatDecimal(value, 9);
      const [down, up] = (['down', 'up'] as const).map((rounding) => roundPrice(text, szDecimals, rounding)) as [string, string];
      const [low, high] = [down, up].map((price) => parseDecimal(price, 9) as bigint) as [bigint, bigint];
      assert.ok(low <= value && value <= high);
      for (const price of [down, up]) assert.ok(price === '0' || priceFault(price, szDecimals) === undefined, price);
      if (value > 0n && priceFault(text, szDecimals) === undefined) assert.equal(down, up);
      for (let i = 1n; i < 10n; i++) {
        const between = low + ((high - low) * i) / 10n;
        if (between > low && between < high) assert.equal(priceFault(formatDecimal(between, 9), szDecimals), 'TOO_PRECISE');
      }
    }),
  );
});

test('a rounded size is the nearest on its side', () => {
  fc.assert(
    fc.property(smallValue, fc.integer({ min: 0, max: 8 }), (value, szDecimals) => {
      const text = formatDecimal(value, 9);
      const lot = 10n ** BigInt(9 - szDecimals);
      assert.equal(parseDecimal(roundSize(text, szDecimals, 'down'), 9), (value / lot) * lot);
      assert.equal(parseDecimal(roundSize(text, szDecimals, 'up'), 9), ((value + lot - 1n) / lot) * lot);
    }),
  );
  assert.throws(() => roundSize('-1', 2, 'down'), { code: 'INVALID_DECIMAL' });
  assert.throws(() => roundPrice('1e3', 2, 'up'), { code: 'INVALID_DECIMAL' });
});
