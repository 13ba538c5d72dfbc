/**
 * The rule of funding rates (docs/rules.md, 5) against what the venue itself paid in 2023, recorded by others, and against its documented
 * examples. The recording names a mean premium and the rate made from it, both rounded to 10^-8. Its parameters changed four times.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { marketDefaults } from './genesis.ts';
import { clamp as clamped, magnitude } from './naive-numbers.ts';
import { fundingRate } from './naive-prices.ts';

const { fundingClamp, fundingInterest, fundingCap } = marketDefaults;

test('the documented examples', () => {
  // Rates are in 10^-10.
  assert.equal(fundingRate(0n, fundingInterest, fundingClamp, fundingCap), 125_000n);
  // Impact bid 10100 at an oracle price of 10000; ten contracts pay 118.75.
  const rate = fundingRate(100_000_000n, fundingInterest, fundingClamp, fundingCap);
  assert.equal(rate, 11_875_000n);
  assert.equal((10n * 10_000n * rate * 100n) / 10n ** 10n, 11_875n);
});

test('the cap holds on both sides, and the eighth is rounded towards zero', () => {
  assert.equal(fundingRate(10n ** 10n, fundingInterest, fundingClamp, fundingCap), fundingCap);
  assert.equal(fundingRate(-(10n ** 10n), fundingInterest, fundingClamp, fundingCap), -fundingCap);
  assert.equal(fundingRate(15n, 0n, 0n, fundingCap), 1n);
  assert.equal(fundingRate(-15n, 0n, 0n, fundingCap), -1n);
});

interface RecordedRate {
  readonly fundingRate: string;
  readonly premium: string;
  readonly time: number;
}

const DATA = resolve(process.env.HEDDLE_DATA ?? resolve(import.meta.dirname, '../../../shared/data'));
const recording = (endTime: string): string => resolve(DATA, `hyperliquid/cassettes/test_get_funding_history[${endTime}].yaml`);
const WHOLE = recording('None');
const PART = recording('1684811870000');
const absent = [WHOLE, PART].find((path) => !existsSync(path));
const missing = absent === undefined ? false : `not checked: ${absent} is not there (folder: HEDDLE_DATA)`;

function recordedRates(path: string): RecordedRate[] {
  const bodies = [...readFileSync(path, 'utf8').matchAll(/^ +string: '(.*)'$/gm)].map(([, body]) => body);
  return JSON.parse(bodies[1] ?? '[]');
}

/** A decimal of at most ten places in 10^-10. */
function rateUnits(decimal: string): bigint {
  const [, sign, whole, fraction] = /^(-?)(\d+)(?:\.(\d{1,10}))?$/.exec(decimal) ?? [];
  assert.ok(whole !== undefined, `a decimal: ${decimal}`);
  const value = BigInt(whole + (fraction ?? '').padEnd(10, '0'));
  return sign === '-' ? -value : value;
}

/** From this number of the recording on: how many hours a rate is for, and the clamp (0: no interest) in 10^-10. */
const ERAS = [
  { first: 0, hours: 8n, clamp: 3_000_000n },
  { first: 82, hours: 1n, clamp: 3_000_000n },
  { first: 294, hours: 1n, clamp: 0n },
  { first: 971, hours: 1n, clamp: 3_000_000n },
  { first: 993, hours: 1n, clamp: 2_000_000n },
];
/**
 * Rates for eight hours are rounded as their premiums are; ours is eight times an eighth. Rates for one hour are rounded by up to half of
 * 10^-8, and an eighth of what the premium was rounded by.
 */
const tolerance = (hours: bigint): bigint => (hours === 8n ? 7n : 57n);

test('recorded rates of 2023 come out of their premiums', { skip: missing }, () => {
  const rates = recordedRates(WHOLE);
  assert.equal(rates.length, 1038);
  let beyondClamp = 0;
  let exact = 0;
  for (const [index, recorded] of rates.entries()) {
    const { hours, clamp } = ERAS.findLast(({ first }) => index >= first) ?? assert.fail('no era');
    const premium = rateUnits(recorded.premium);
    const ours = hours * fundingRate(premium, fundingInterest, clamp, fundingCap);
    const off = magnitude(ours - rateUnits(recorded.fundingRate));
    assert.ok(off <= tolerance(hours), `number ${index}, ${recorded.time}: ${ours} instead of ${recorded.fundingRate}`);
    if (off === 0n) exact++;
    if (clamp > 0n && premium !== clamped(premium, fundingInterest - clamp, fundingInterest + clamp)) beyondClamp++;
  }
  // Both sides of the clamp are met; where they are not, a rate is the interest's and the premium does not show in it.
  assert.ok(beyondClamp > 100 && beyondClamp < 300, `${beyondClamp} beyond the clamp`);
  assert.ok(exact > 200, `${exact} exact`);
});

test('the shorter recording is the beginning of the whole one', { skip: missing }, () => {
  const part = recordedRates(PART);
  assert.equal(part.length, 34);
  assert.deepEqual(part, recordedRates(WHOLE).slice(0, part.length));
});
