/**
 * The proof in CI: every executor against the serial one and the naive twin, over SEEDS seeds (npm run prove -- --seeds N for more), and
 * planted mutations that the comparison must catch.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryColdRecords } from '../execution/cold-records.ts';
import {
  MUTATION_EARLY_VALIDATION,
  MUTATION_LOST_DELTA,
  MUTATION_NO_MASK,
  MUTATION_NO_TIES,
  MUTATION_NO_TOMBSTONE,
  MUTATION_NO_VALIDATION,
} from '../kernel/layout.ts';
import { proveAccesses, proveRules, waysOfSeed } from './equivalence.ts';

const SEEDS = 300;
/** Ways of a seed here; `npm run prove` takes them all. */
const WAYS = 2;
/** Seeds in one test, so that a failure is named closely and the output stays short. */
const BATCH = 25;
const MUTATION_SEEDS = 60;

describe('every executor leaves the receipts, the state and the access list of the serial one, and of the twin', () => {
  for (let from = 1; from <= SEEDS; from += BATCH) {
    test(`seeds ${from} to ${from + BATCH - 1}`, async () => {
      for (let seed = from; seed < from + BATCH; seed++) {
        assert.equal(await proveRules(seed, waysOfSeed(seed, WAYS)), undefined);
        assert.equal(await proveAccesses(seed, waysOfSeed(seed, WAYS)), undefined);
      }
    });
  }
});

describe('planted mutations are caught', () => {
  const mutations = {
    'no validation': MUTATION_NO_VALIDATION,
    'no tombstones': MUTATION_NO_TOMBSTONE,
    'validation when a transaction finishes and not again at its turn': MUTATION_EARLY_VALIDATION,
    'a lost delta': MUTATION_LOST_DELTA,
    'bits read without their mask': MUTATION_NO_MASK,
    'accounts become dormant that others refer to': MUTATION_NO_TIES,
  };
  for (const [name, mutation] of Object.entries(mutations)) {
    test(name, async () => {
      const ways = [{ name: 'interleaved', model: 'optimistic', workers: 3, switches: { mutation } } as const];
      let caughtAt: number | undefined;
      for (let seed = 1; seed <= MUTATION_SEEDS && caughtAt === undefined; seed++) {
        if ((await proveAccesses(seed, ways)) !== undefined || (await proveRules(seed, ways)) !== undefined) caughtAt = seed;
      }
      assert.notEqual(caughtAt, undefined, `${MUTATION_SEEDS} seeds have not caught it`);
      console.log(`caught at seed ${caughtAt}`);
    });
  }

  test('a dormant account comes back with its nonces in another place', async () => {
    class Damaged extends MemoryColdRecords {
      override get(address: Uint8Array): Uint8Array | undefined {
        const value = super.get(address);
        return value?.with(4, (value[4] as number) + 1);
      }
    }
    let caughtAt: number | undefined;
    for (let seed = 1; seed <= MUTATION_SEEDS && caughtAt === undefined; seed++) {
      if ((await proveRules(seed, [], () => new Damaged())) !== undefined) caughtAt = seed;
    }
    assert.notEqual(caughtAt, undefined, `${MUTATION_SEEDS} seeds have not caught it`);
    console.log(`caught at seed ${caughtAt}`);
  });
});
