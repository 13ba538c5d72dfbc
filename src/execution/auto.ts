/**
 * `auto`: which model runs the next piece of a block. The choice never changes the result, so it may use the clock.
 *
 * Every model has a running cost per transaction, learnt from the pieces that it ran, per situation (workers, lists at hand, extra work).
 * Pieces go to the cheapest model; now and then a short piece goes to another one, so that the figures stay true when the flow changes.
 * A model that was much slower the last time is tried rarely, with short pieces: trying costs at most about one part in a hundred.
 */
import type { Model } from './api.ts';

export interface Situation {
  /** Transactions left in the block. */
  readonly left: number;
  readonly workers: number;
  readonly listed: boolean;
  readonly workUnits: number;
  readonly record: boolean;
}

export interface Choice {
  readonly model: Model;
  readonly transactions: number;
  readonly situation: string;
  /** A piece to learn from, not the model believed best. */
  readonly trial: boolean;
}

interface Estimate {
  nanos: number;
  samples: number;
}

const MODELS: readonly Model[] = ['serial', 'optimistic', 'deterministic'];
/** A trial is long enough to pay for waking the workers. */
const TRIAL_TRANSACTIONS = 1024;
const FIRST_PIECE = 2048;
/** Below this cost of a transaction a parallel model cannot win: a version costs some 15 ns a record, handing over a commit 100. */
const PAYS_FROM_NANOS = 400;
/** Part of the work that trials may cost beyond the best model. */
const TRIAL_BUDGET = 0.01;
/** Another model has to be better by this before it takes over: measurements are noisy. */
const MARGIN = 0.92;

export class ModelChooser {
  /** The model of the last piece that was not a trial. */
  lastMain: Model = 'serial';
  private readonly estimates = new Map<string, Map<Model, Estimate>>();
  private readonly lost = new Map<string, { trials: number; all: number; turn: number }>();

  choose({ left, workers, listed, workUnits, record }: Situation): Choice {
    const situation = `${workers}/${listed}/${workUnits}/${record}`;
    let known = this.estimates.get(situation);
    if (known === undefined) {
      known = new Map();
      this.estimates.set(situation, known);
      this.lost.set(situation, { trials: 0, all: 0, turn: 0 });
    }
    const candidates = workers === 1 ? MODELS.slice(0, 1) : MODELS;
    const serial = known.get('serial');
    if (serial === undefined || serial.samples < 2)
      return { model: 'serial', transactions: Math.min(left, FIRST_PIECE), situation, trial: false };
    if (serial.nanos < PAYS_FROM_NANOS) return { model: 'serial', transactions: left, situation, trial: false };
    const untried = candidates.find((model) => (known.get(model)?.samples ?? 0) < 2);
    const budget = this.lost.get(situation) as { trials: number; all: number; turn: number };
    if (untried !== undefined && budget.trials <= budget.all * TRIAL_BUDGET * 4) {
      return { model: untried, transactions: Math.min(left, TRIAL_TRANSACTIONS), situation, trial: true };
    }
    let best: Model = 'serial';
    for (const model of candidates) {
      const estimate = known.get(model);
      if (estimate === undefined || estimate.samples < 2) continue;
      const current = known.get(best) as Estimate;
      const factor = model === this.lastMain || best === this.lastMain ? MARGIN : 1;
      if (estimate.nanos < current.nanos * factor) best = model;
    }
    if (budget.trials <= budget.all * TRIAL_BUDGET && left > TRIAL_TRANSACTIONS * 2) {
      budget.turn++;
      const other = candidates[budget.turn % candidates.length] as Model;
      if (other !== best) return { model: other, transactions: TRIAL_TRANSACTIONS, situation, trial: true };
    }
    this.lastMain = best;
    return { model: best, transactions: left, situation, trial: false };
  }

  /** Takes what a piece has cost, in micros. */
  learn(choice: Choice, transactions: number, micros: number): void {
    if (transactions === 0) return;
    const known = this.estimates.get(choice.situation) as Map<Model, Estimate>;
    const nanos = (micros * 1000) / transactions;
    const estimate = known.get(choice.model);
    // The first piece of a model pays for compilation and cold caches: it counts little.
    if (estimate === undefined) known.set(choice.model, { nanos, samples: 1 });
    else {
      const weight = estimate.samples === 1 ? 0.9 : 0.25;
      estimate.nanos += (nanos - estimate.nanos) * weight;
      estimate.samples++;
    }
    const budget = this.lost.get(choice.situation) as { trials: number; all: number; turn: number };
    const best = Math.min(...[...known.values()].map((entry) => entry.nanos));
    budget.all += transactions * best;
    if (choice.trial) budget.trials += Math.max(0, transactions * (nanos - best));
  }
}
