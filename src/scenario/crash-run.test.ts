/** The day at a small size: the same state under every model, everything forced at least once, and nothing out of balance after any block. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInCalibration } from './built-in-calibration.ts';
import { CrashDay } from './crash-day.ts';
import { runCrash } from './crash-run.ts';

const calibration = builtInCalibration('nowhere');

test('2,000 accounts in 12 markets: forced in every way, audited after every block', async () => {
  const day = new CrashDay(calibration, { accounts: 2000, markets: 12, seed: 1 });
  const run = await runCrash(day, { model: 'serial', workers: 1 });
  assert.equal(run.blocks, day.path.clock.blocks);
  assert.equal(run.audits.length, run.blocks);
  assert.equal(run.samples.length, run.blocks);
  assert.equal(run.equityDrift, 0n);
  assert.equal(run.openInterestImbalance, 0n);
  assert.equal(run.negativeAccounts, 0);
  const { liquidations, backstops, deleveragings, covers, triggered } = run.totals;
  assert.ok(liquidations > 500, `${liquidations} liquidations`);
  assert.ok(backstops > 50, `${backstops} takeovers`);
  assert.ok(deleveragings > 100, `${deleveragings} deleveraging fills`);
  assert.ok(triggered > 50, `${triggered} trigger fills`);
  assert.equal(run.forcedEvents, liquidations + backstops + deleveragings + covers);
  assert.equal(
    run.samples.reduce((sum, sample) => sum + sample.liquidations, 0),
    liquidations,
  );
  // Which wave takes how many is calibrated: the two largest take most.
  const taken = run.firstActions.reduce((sum, count) => sum + count, 0);
  assert.ok(((run.firstActions[0] as number) + (run.firstActions[10] as number)) / taken > 0.4);
  // Prices come with every block: an account may fall below by a trade behind the sweep, and waits for one block then.
  assert.ok(run.worstBlocksToAction <= 1);
  assert.ok((run.waits[0] as number) > 300);
});

test('every model leaves the same state', async () => {
  const day = new CrashDay(calibration, { accounts: 500, markets: 8, seed: 2 });
  const serial = await runCrash(day, { model: 'serial', workers: 1 });
  assert.ok(serial.totals.deleveragings > 0 && serial.totals.backstops > 0);
  for (const model of ['optimistic', 'deterministic', 'sharded', 'auto'] as const) {
    const run = await runCrash(day, { model, workers: 2, observe: false });
    assert.equal(run.stateRoot, serial.stateRoot, model);
    assert.equal(run.transactions, serial.transactions);
    assert.equal(run.systemTransactions, serial.systemTransactions);
    assert.deepEqual([...run.fallbacks], []);
  }
});

test('the same options give the same day, another seed another', async () => {
  const run = async (seed: number) => {
    const day = new CrashDay(calibration, { accounts: 300, markets: 4, seed });
    return (await runCrash(day, { model: 'serial', workers: 1, observe: false })).stateRoot;
  };
  const first = await run(3);
  assert.equal(await run(3), first);
  assert.notEqual(await run(4), first);
});

test('a broken invariant ends the run', async () => {
  const day = new CrashDay(calibration, { accounts: 300, markets: 4, seed: 1 });
  // The genesis has more than the run knows of.
  (day.genesis.accounts as unknown[]).splice(0, 1, { ...day.genesis.accounts[0], collateral: 10n ** 12n });
  await assert.rejects(runCrash(day, { model: 'serial', workers: 1 }), (error: { code: string; message: string }) => {
    assert.equal(error.code, 'INVARIANT_BROKEN');
    assert.match(error.message, /came out of nothing/);
    return true;
  });
});
