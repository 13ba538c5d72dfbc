import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInCalibration } from './built-in-calibration.ts';
import { CrashDay } from './crash-day.ts';
import { NO_MARKET, TRADER_SLOTS } from './population.ts';

const calibration = builtInCalibration('nowhere');
const { population, path, markets } = new CrashDay(calibration, { accounts: 6000, markets: 60, seed: 5 });

test('sizes of every market sum to zero', () => {
  markets.forEach((_, market) => {
    let net = 0;
    population.slotLots.forEach((lots, at) => {
      if (population.slotMarket[at] === market) net += lots;
    });
    for (let account = population.traders; account < population.traders + population.wide; account++) {
      net += population.wideLots[population.widePlace(account, market)] as number;
    }
    assert.equal(net, 0);
  });
});

test('everybody can open the positions that are planned', () => {
  for (let trader = 0; trader < population.traders; trader++) {
    let initial = 0;
    const seen = new Set<number>();
    for (let at = trader * TRADER_SLOTS; at < (trader + 1) * TRADER_SLOTS; at++) {
      const market = population.slotMarket[at] as number;
      if (market === NO_MARKET) break;
      assert.ok(!seen.has(market));
      seen.add(market);
      const notional = Math.abs(population.slotLots[at] as number) * population.lotUnits(market);
      assert.ok(notional >= 10_000_000);
      initial += notional / (markets[market]?.parameters.leverage as number);
    }
    assert.ok(seen.size >= 1);
    assert.ok((population.collateral[trader] as number) >= initial);
  }
});

test('each wave is to take its share of the victims', () => {
  const victims = calibration.waves.map(() => 0);
  for (const wave of population.victimOf) if (wave >= 0) victims[wave] = (victims[wave] as number) + 1;
  const all = victims.reduce((sum, count) => sum + count, 0);
  const fills = calibration.waves.reduce((sum, wave) => sum + wave.fills, 0);
  assert.ok(all > 0.08 * population.traders);
  calibration.waves.forEach((wave, index) => {
    const expected = (wave.fills / fills) * all;
    assert.ok(Math.abs((victims[index] as number) - expected) <= 2, `wave ${wave.number}: ${victims[index]} of ${expected}`);
  });
});

test('a victim is below maintenance at the lows of its wave, and not before', () => {
  let looked = 0;
  population.victimOf.forEach((wave, trader) => {
    if (wave < 0) return;
    const ratio = (at: number): number => {
      let value = population.collateral[trader] as number;
      let maintenance = 0;
      for (let slot = trader * TRADER_SLOTS; slot < (trader + 1) * TRADER_SLOTS; slot++) {
        const market = population.slotMarket[slot] as number;
        if (market === NO_MARKET) break;
        const notional = (population.slotLots[slot] as number) * population.lotUnits(market);
        const low = path.lows[market]?.[at] ?? 1;
        value += notional * (low - 1);
        maintenance += (notional * low) / (2 * (markets[market]?.parameters.leverage as number));
      }
      return value / maintenance;
    };
    looked++;
    assert.ok(ratio(wave) < 1.02);
    if (wave > 0) assert.ok(ratio(wave - 1) > 0.98);
  });
  assert.ok(looked > 500);
});

test('the whale is long in the coins of the first wave', () => {
  const whale = markets.map((_, market) => population.wideLots[population.widePlace(population.whale, market)] as number);
  assert.deepEqual(
    whale.map((lots) => lots > 0),
    markets.map(({ hits }) => (hits[0] as number) > 0),
  );
});
