/** Markets as the protocol sees them: decimals, texts, margin tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Genesis, MarketParameters } from '../exchange/genesis.ts';
import { marketOptions } from '../exchange/genesis.ts';
import { longScaled, longText, scaledOf, scaledText, shortScaled } from './decimal-text.ts';
import { Market } from './index.ts';
import { MarketTable } from './market-table.ts';
import { isPlainDecimal } from './protocol-shapes.ts';

const bitcoin: MarketParameters = {
  name: 'BTC',
  tickCount: 1 << 24,
  unit: 1,
  tickStep: 1,
  lotStep: 1,
  ticksPerInteger: 10,
  significantDigits: 5,
  leverage: 20,
  takerFeePpm: 450,
  makerFeePpm: 150,
  minNotional: 10_000_000n,
  maxOrderLots: 1_000_000n,
  maxPositionLots: 1_000_000n,
  markTicks: 1_000_000,
};
const market = (fields: Partial<MarketParameters> = {}): Market => new Market(marketOptions({ ...bitcoin, ...fields }), 0, 20);
const genesisOf = (markets: readonly MarketParameters[]): Genesis => {
  return { maxAccounts: 1, orderPages: 1, tokens: [{ name: 'USDC', decimals: 6 }], markets, accounts: [] };
};

test("with a unit of 1, ticks and lots are the venue's: 5 decimals of size leave 1 of price", () => {
  const btc = market();
  assert.deepEqual([btc.szDecimals, btc.pxDecimals], [5, 1]);
  assert.equal(btc.priceText(1_000_005), '100000.5');
  assert.equal(btc.sizeText(12_345n), '0.12345');
  assert.equal(btc.priceTicks('100000.50'), 1_000_005n);
  assert.equal(btc.priceTicks('100000.55'), undefined);
  assert.equal(btc.sizeLots('0.000001'), undefined);
  assert.equal(btc.midText(1_000_000, 1_000_001), '100000.05');
  assert.equal(btc.averageText(3n * 1_000_000n + 1_000_003n, 4n), '100000.075');
});

test('sizes have the decimals of their step', () => {
  assert.equal(market({ lotStep: 100 }).szDecimals, 3);
  assert.equal(market({ lotStep: 25 }).szDecimals, 5);
  assert.equal(market({ unit: 1000, ticksPerInteger: 1_000_000 }).szDecimals, 0);
  assert.equal(market({ unit: 100 }).szDecimals, 3);
});

test('a market whose prices are no decimal numbers is refused, and so are two of one name', () => {
  assert.throws(() => market({ ticksPerInteger: 3 }), { code: 'UNSUPPORTED_MARKET' });
  assert.throws(() => new MarketTable(genesisOf([bitcoin, bitcoin])), { code: 'UNSUPPORTED_MARKET' });
});

test('one tier has its leverage as table, several have a table of their own, shared by those that have the same', () => {
  const tiers = [
    { lowerNotional: 0n, maxLeverage: 40 },
    { lowerNotional: 150_000_000_000_000n, maxLeverage: 20 },
  ];
  const names = ['A', 'B', 'C', 'D'];
  const table = new MarketTable(genesisOf(names.map((name, i) => ({ ...bitcoin, name, ...(i < 2 ? { tiers } : { leverage: 5 * i }) }))));
  assert.deepEqual(
    table.markets.map(({ marginTableId }) => marginTableId),
    [51, 51, 10, 15],
  );
  assert.deepEqual(
    table.marginTables.map(([id, { marginTiers }]) => [id, marginTiers]),
    [
      [10, [{ lowerBound: '0', maxLeverage: 10 }]],
      [15, [{ lowerBound: '0', maxLeverage: 15 }]],
      [
        51,
        [
          { lowerBound: '0', maxLeverage: 40 },
          { lowerBound: '150000000', maxLeverage: 20 },
        ],
      ],
    ],
  );
  assert.deepEqual(table.marginTable(3)?.marginTiers, [{ lowerBound: '0', maxLeverage: 3 }]);
  assert.equal(table.marginTable(52), undefined);
});

test('short numbers are read and written as long ones are', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 17 });
  const sloppy = fc.string({ unit: fc.constantFrom(...'0019.-+ex'), maxLength: 9 });
  const text = fc.oneof(
    fc.tuple(digits, digits).map(([whole, fraction]) => `${whole}.${fraction}`),
    digits,
    sloppy,
    fc.string(),
  );
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 12 }), (given, decimals) => {
      const short = shortScaled(given, decimals);
      const long = longScaled(given, decimals);
      if (short !== undefined) assert.equal(BigInt(short), long);
      assert.equal(scaledOf(given, decimals), long);
    }),
    { numRuns: 2000 },
  );
  const value = fc.oneof(fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }), fc.bigInt({ min: 0n, max: 1000n }));
  fc.assert(
    fc.property(value, fc.integer({ min: 0, max: 15 }), (given, decimals) => {
      assert.equal(scaledText(given, decimals), longText(given, decimals));
    }),
    { numRuns: 2000 },
  );
  assert.equal(shortScaled('3000.25', 6), 3_000_250_000);
  assert.equal(shortScaled('9007199254740993', 0), undefined);
});

test('texts of numbers are plain, and read back as what was written', () => {
  const number = fc.tuple(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), fc.integer({ min: 0, max: 12 }));
  fc.assert(
    fc.property(number, ([value, decimals]) => {
      const text = scaledText(value, decimals);
      assert.ok(isPlainDecimal(text), text);
      assert.equal(scaledOf(text, decimals), value);
    }),
  );
  for (const text of ['', '-', '.5', '5.', '1e3', '0x10', ' 1', '1 ', '+1', 'NaN', '1,5', '١'])
    assert.equal(scaledOf(text, 6), undefined, text);
});
