/** `auto` chooses by what pieces have cost; the costs are given here, so nothing depends on the clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Model } from './api.ts';
import { ModelChooser } from './auto.ts';

/** Runs blocks of 10,000 transactions whose costs (nanos a transaction, by model) are given; returns the share of each model. */
function shares(costs: Partial<Record<Model, number>>, workers: number, blocks: number): { share: Map<Model, number>; loss: number } {
  const chooser = new ModelChooser();
  const share = new Map<Model, number>();
  let spent = 0;
  for (let block = 0; block < blocks; block++) {
    for (let left = 10_000; left > 0; ) {
      const choice = chooser.choose({ left, workers, listed: false, workUnits: 0, record: false });
      const transactions = Math.min(left, choice.transactions);
      const nanos = costs[choice.model] ?? assert.fail(`${choice.model} was not to be tried`);
      chooser.learn(choice, transactions, (transactions * nanos) / 1000);
      share.set(choice.model, (share.get(choice.model) ?? 0) + transactions / (blocks * 10_000));
      spent += transactions * nanos;
      left -= transactions;
    }
  }
  return { share, loss: spent / (blocks * 10_000) / (costs.serial ?? assert.fail()) };
}

test('cheap transactions run serially and nothing else is tried', () => {
  assert.deepEqual([...shares({ serial: 80 }, 2, 50).share.keys()], ['serial']);
});

test('one worker means serial', () => {
  assert.deepEqual([...shares({ serial: 5000 }, 1, 50).share.keys()], ['serial']);
});

test('the fastest model gets nearly all of the work', () => {
  const { share, loss } = shares({ serial: 2000, optimistic: 1200, deterministic: 1500 }, 2, 100);
  assert.ok((share.get('optimistic') ?? 0) > 0.9, `${share.get('optimistic')}`);
  assert.ok(loss < 0.65, `${loss} of the serial time`);
});

test('models that are far slower cost less than a twentieth', () => {
  const { loss } = shares({ serial: 1000, optimistic: 8000, deterministic: 20000 }, 2, 200);
  assert.ok(loss < 1.05, `${loss} of the serial time`);
});
