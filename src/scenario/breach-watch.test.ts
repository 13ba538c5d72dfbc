import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAUSE_BACKSTOP, CAUSE_DELEVERAGE, CAUSE_LIQUIDATION, CAUSE_ORDER } from '../base/codes.ts';
import { BreachWatch } from './breach-watch.ts';
import { builtInCalibration } from './built-in-calibration.ts';
import { CrashDay } from './crash-day.ts';
import { type FillEvent, type ForcedEvent, NOBODY } from './event-reader.ts';

const day = new CrashDay(builtInCalibration('nowhere'), { accounts: 200, markets: 4, seed: 1 });
const { population, markets } = day;
const market = population.slotMarket[0] as number;
const mark = markets[market]?.parameters.markTicks as number;
const unit = markets[market]?.parameters.unit as number;
const leverage = markets[market]?.parameters.leverage as number;
const counterparty = population.makerOf(market, 0);

function marksAt(part: number): number[] {
  return markets.map(({ parameters }, index) => (index === market ? Math.round(parameters.markTicks * part) : parameters.markTicks));
}

/** Trader 0 has bought as much as five times its money. */
function watching(): { watch: BreachWatch; fill: FillEvent; forced: ForcedEvent } {
  const watch = new BreachWatch(population, 16);
  const lots = Math.floor((5 * (population.collateral[0] as number)) / (mark * unit));
  const fill = {
    market,
    taker: 0,
    maker: counterparty,
    priceTicks: mark,
    takerSells: false,
    cause: CAUSE_ORDER,
    lots,
    takerFee: 0,
    makerFee: 0,
  };
  watch.fill(fill);
  const forced = { method: CAUSE_LIQUIDATION, account: 0, notional: 0, counterparty: NOBODY, market: NOBODY, lots: 0, amount: 0 };
  return { watch, fill, forced };
}

/** Just below where the account's equity is its maintenance margin. */
const BELOW = (1 - 1 / 5) / (1 - 1 / (2 * leverage)) - 0.01;

test('an action in the block of the breach is no wait', () => {
  const { watch, forced } = watching();
  watch.begin(7, 2);
  watch.forced(forced);
  watch.end(marksAt(BELOW));
  assert.equal(watch.inBreach, 1);
  assert.deepEqual(watch.waits, [1]);
  assert.deepEqual(watch.waiting(), []);
  assert.equal(watch.firstActions[2], 1);
});

test('an action that comes later is counted in blocks', () => {
  const { watch, forced } = watching();
  watch.begin(7, 0);
  watch.end(marksAt(0.999));
  assert.equal(watch.inBreach, 0);
  watch.begin(8, 0);
  watch.end(marksAt(BELOW));
  watch.begin(9, 0);
  watch.end(marksAt(BELOW));
  assert.deepEqual(watch.waiting(), [1]);
  watch.begin(10, 0);
  watch.forced(forced);
  watch.forced(forced);
  watch.end(marksAt(BELOW));
  assert.deepEqual(watch.waits, [0, 0, 1]);
  assert.deepEqual(watch.waiting(), []);
});

test('a breach that ends by itself, and begins again, counts anew', () => {
  const { watch, forced } = watching();
  for (const [block, part] of [
    [1, BELOW],
    [2, 1],
    [3, BELOW],
  ] as const) {
    watch.begin(block, 0);
    watch.end(marksAt(part));
  }
  watch.begin(4, 0);
  watch.forced(forced);
  watch.end(marksAt(BELOW));
  assert.deepEqual(watch.waits, [0, 1]);
});

test('a takeover leaves nothing, deleveraging pays between two accounts', () => {
  const { watch, fill, forced } = watching();
  watch.begin(1, 0);
  watch.forced({ ...forced, method: CAUSE_BACKSTOP, market, lots: -fill.lots, amount: 1 });
  watch.end(marksAt(0.5));
  assert.equal(watch.inBreach, 0);

  const other = watching();
  other.watch.begin(1, 0);
  other.watch.fill({ ...fill, takerSells: true, priceTicks: Math.round(mark * 0.75), cause: CAUSE_DELEVERAGE });
  other.watch.end(marksAt(0.75));
  assert.equal(other.watch.inBreach, 1);
  const deficit = fill.lots * unit * (mark - Math.round(mark * 0.75)) - (population.collateral[0] as number);
  other.watch.forced({ ...forced, method: CAUSE_DELEVERAGE, counterparty, market, amount: deficit });
  other.watch.end(marksAt(0.75));
  assert.equal(other.watch.inBreach, 0);
});
