import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInCalibration } from './built-in-calibration.ts';
import { type CrashMarket, crashMarkets } from './crash-markets.ts';
import { dayClock, PricePath } from './price-path.ts';

const calibration = builtInCalibration('nowhere');
const markets = crashMarkets(calibration, 40, 3);
const clock = dayClock(calibration.firstWaveMs, calibration.waves, 1000);
const path = new PricePath(markets, calibration.waves, calibration.firstWaveMs, clock, 3);

test('the day has twelve minutes, and its waves are in them in order', () => {
  assert.ok(clock.blocks >= 720);
  path.waveBlocks.forEach(({ first, last }, wave) => {
    assert.ok(first <= last && last < clock.blocks);
    assert.ok(first > (path.waveBlocks[wave - 1]?.last ?? -1));
  });
  assert.equal(path.waveAt(0), -1);
  assert.equal(path.waveAt(clock.blocks - 1), 15);
});

test('each wave leads to a new low, the last one to the depth of the market', () => {
  markets.forEach((market, index) => {
    const lows = path.lows[index] as Float64Array;
    assert.ok(lows.every((low, wave) => low < (lows[wave - 1] ?? 1)));
    assert.ok(Math.abs((lows.at(-1) as number) - (1 - market.depth)) < 1e-9);
    path.waveBlocks.forEach(({ last }, wave) => {
      const price = path.at(index, last) / market.parameters.markTicks;
      assert.ok(Math.abs(price / (lows[wave] as number) - 1) < 0.03, `${market.parameters.name}, wave ${wave}: ${price}`);
    });
  });
});

test('prices recover after a wave, and stay where they are valid', () => {
  const { parameters } = markets[5] as CrashMarket;
  const first = path.waveBlocks[0] as { last: number };
  assert.ok(path.at(5, first.last + 20) > path.at(5, first.last));
  assert.ok(path.ticks.every((ticks) => ticks >= 1));
  assert.ok(markets.every((market) => market.parameters.markTicks < market.parameters.tickCount / 1.2));
  assert.ok(parameters.markTicks >= 15_000);
});

test('the same seed gives the same path, another one another', () => {
  const again = new PricePath(markets, calibration.waves, calibration.firstWaveMs, clock, 3);
  const other = new PricePath(markets, calibration.waves, calibration.firstWaveMs, clock, 4);
  assert.deepEqual(again.ticks, path.ticks);
  assert.notDeepEqual(other.ticks, path.ticks);
});
