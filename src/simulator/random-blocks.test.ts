/** The generator is worth its seeds only if they reach every outcome: this holds that none is missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as codes from '../base/codes.ts';
import { Random } from '../base/random.ts';
import { randomBlocks, randomGenesis, tallyOutcomes } from './random-blocks.ts';

/** Unknown operations and times in force cannot be written as typed items that decode. */
const UNREACHABLE = ['CODE_UNKNOWN_OPERATION', 'CODE_INVALID_TIF'];

const OUTCOMES = [
  ...['place', 'cancel', 'cancelByClientId', 'modify', 'reduce'].map((op) => `accepted ${op}`),
  ...['taker', 'maker'].flatMap((role) => ['opens', 'increases', 'decreases', 'closes', 'flips'].map((change) => `${role} ${change}`)),
  ...['unfilled', 'filled', 'filled in part, rests'].map((fill) => `gtc ${fill}`),
  ...['ioc', 'market'].flatMap((tif) => ['filled', 'filled in part'].map((fill) => `${tif} ${fill}`)),
  'alo unfilled',
  ...['unfilled', 'filled', 'filled in part', 'filled in part, rests'].map((fill) => `reduce-only ${fill}`),
  'reduce',
  'reduce to nothing',
  'fill with a rebate',
  'several fills',
  'long queue',
  'slot of a later page',
  'match limit, filled in part',
  'match limit, unfilled',
  'mark moves',
  'nonce ring full',
  'transfer',
  'transfer to oneself',
  ...['CODE_INSUFFICIENT_MARGIN', 'CODE_ORDER_NOT_FOUND', 'CODE_DUPLICATE_CLOID', 'CODE_POST_ONLY', 'CODE_TICK'].map(
    (code) => `modify ${code}`,
  ),
  ...['account', 'nonce chunk', 'balance', 'margin account', 'portfolio', 'position'].map((name) => `record ${name}`),
  ...['order', 'level', 'client id', 'market totals', 'oracle', 'order page'].map((name) => `record ${name}`),
];

test('200 seeds reach every code, every reason and every shape of fill', () => {
  const tally = tallyOutcomes(Array.from({ length: 200 }, (_, i) => i + 1));
  const missing = OUTCOMES.filter((name) => !tally.has(name));
  for (const name of Object.keys(codes)) {
    const kinds = name.startsWith('REASON_') ? ['cancel'] : ['transaction', 'item'];
    if (!UNREACHABLE.includes(name) && !kinds.some((kind) => tally.has(`${kind} ${name}`))) missing.push(name);
  }
  assert.deepEqual(missing, []);
});

test('a genesis and its blocks follow from the seed, and differ between seeds', () => {
  const blocks = (seed: number): unknown[] => [...randomBlocks(seed, randomGenesis(seed), { blocks: 3 })];
  assert.deepEqual(blocks(5), blocks(5));
  assert.notDeepEqual(blocks(5), blocks(6));
  assert.equal(blocks(5).length, 3);
});

test('random numbers stay within what was asked for, and all of it occurs', () => {
  const random = new Random(3);
  const seen = new Set(Array.from({ length: 1000 }, () => random.between(-2, 2)));
  assert.deepEqual([...seen].sort(), [-1, -2, 0, 1, 2]);
  for (let i = 0; i < 1000; i++) {
    assert.ok(random.belowBig(3n) < 3n && random.below(1) === 0 && !random.chance(0) && random.chance(1));
    assert.ok(['a', 'b'].includes(random.weighted({ a: 1, b: 2, c: 0 })));
  }
  assert.notEqual(new Random(1).next(), new Random(2 ** 32 + 1).next());
});
