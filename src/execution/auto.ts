/**
 * `auto`: which model runs the next piece of a block. The choice never changes the result, so it may use the clock.
 *
 * Every model has a running cost per transaction, learnt from the pieces that it ran, per situation (workers, lists at hand, extra work).
 * Pieces go to the cheapest model; now and then a short piece goes to another one, so that the figures stay true when the flow changes.
 * A model that was much slower the last time is tried rarely, with short pieces: trying costs at most about two parts in a hundred.
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
  /** A piece to learn from, not the model believed best. */
  readonly trial: boolean;
  /** Only wakes the workers: its cost says nothing about the model. */
  readonly warmUp: boolean;
}

/** What is known about a model in one situation. */
interface Estimate {
  nanos: number;
  samples: number;
}

/** Costs learnt in one situation, and what trials have lost of all work. */
interface Knowledge {
  readonly situation: Situation;
  readonly estimates: Readonly<Record<Model, Estimate>>;
  lastMain: Model;
  trials: number;
  all: number;
  turn: number;
  /** The model that the next piece tries, after its warm-up. */
  pending: Model | undefined;
}

const MODELS: readonly Model[] = ['serial', 'optimistic', 'deterministic'];
/** A trial takes about this long; before it comes a short piece that wakes the workers and is not learnt from. */
const TRIAL_NANOS = 1_000_000;
const TRIAL_TRANSACTIONS_MIN = 128;
const FIRST_PIECE = 2048;
/** Below this cost of a transaction a parallel model cannot win: a version costs some 15 ns a record, handing over a commit 100. */
const PAYS_FROM_NANOS = 400;
/** Part of the work that trials may cost beyond the best model. */
const TRIAL_BUDGET = 0.02;
/** A parallel model has to be better than serial by this: measurements are noisy. */
const MARGIN = 0.92;

export class ModelChooser {
  private readonly known: Knowledge[] = [];
  private current: Knowledge | undefined;

  /** The model of the last piece that was not a trial. */
  get lastMain(): Model {
    return this.current?.lastMain ?? 'serial';
  }

  choose(situation: Situation): Choice {
    const known = this.knowledge(situation);
    const { estimates } = known;
    const { left } = situation;
    const serial = estimates.serial;
    const length = Math.max(TRIAL_TRANSACTIONS_MIN, Math.round(TRIAL_NANOS / Math.max(1, serial.nanos)));
    if (known.pending !== undefined) {
      const model = known.pending;
      known.pending = undefined;
      return { model, transactions: Math.min(left, length), trial: true, warmUp: false };
    }
    if (situation.workers === 1) return main(known, 'serial', left);
    if (serial.samples < 2) return main(known, 'serial', Math.min(left, FIRST_PIECE));
    if (serial.nanos < PAYS_FROM_NANOS) return main(known, 'serial', left);
    const untried = MODELS.find((model) => estimates[model].samples < 2);
    if (untried !== undefined && known.trials <= known.all * TRIAL_BUDGET * 4) return trial(known, untried, left);
    let best: Model = 'serial';
    for (const model of MODELS) {
      if (model === 'serial' || estimates[model].samples < 2) continue;
      // Serial is the safe choice: to be preferred to it takes a margin, at every choice anew.
      const limit = best === 'serial' ? serial.nanos * MARGIN : estimates[best].nanos;
      if (estimates[model].nanos < limit) best = model;
    }
    if (known.trials <= known.all * TRIAL_BUDGET && left > length * 3) {
      known.turn++;
      const other = MODELS[known.turn % MODELS.length] as Model;
      if (other !== best) return trial(known, other, left);
    }
    return main(known, best, left);
  }

  /** Takes what a piece of the last choice's situation has cost, in micros. */
  learn(choice: Choice, transactions: number, micros: number): void {
    const known = this.current;
    if (transactions === 0 || known === undefined) return;
    const nanos = (micros * 1000) / transactions;
    const estimate = known.estimates[choice.model];
    if (choice.warmUp) {
      known.trials += Math.max(0, transactions * (nanos - known.estimates.serial.nanos));
      return;
    }
    // The first piece of a model pays for compilation and cold caches: it counts little.
    const weight = estimate.samples === 0 ? 1 : estimate.samples === 1 ? 0.9 : 0.25;
    estimate.nanos += (nanos - estimate.nanos) * weight;
    estimate.samples++;
    let best = nanos;
    for (const model of MODELS) {
      const other = known.estimates[model];
      if (other.samples > 0 && other.nanos < best) best = other.nanos;
    }
    known.all += transactions * best;
    if (choice.trial) known.trials += transactions * (nanos - best);
  }

  private knowledge(situation: Situation): Knowledge {
    if (this.current !== undefined && same(this.current.situation, situation)) return this.current;
    let known = this.known.find((entry) => same(entry.situation, situation));
    if (known === undefined) {
      const estimate = (): Estimate => ({ nanos: 0, samples: 0 });
      const estimates = { serial: estimate(), optimistic: estimate(), deterministic: estimate(), sharded: estimate() };
      known = { situation, estimates, lastMain: 'serial', trials: 0, all: 0, turn: 0, pending: undefined };
      this.known.push(known);
    }
    this.current = known;
    return known;
  }
}

function same(a: Situation, b: Situation): boolean {
  return a.workers === b.workers && a.listed === b.listed && a.workUnits === b.workUnits && a.record === b.record;
}

function main(known: Knowledge, model: Model, transactions: number): Choice {
  known.lastMain = model;
  return { model, transactions, trial: false, warmUp: false };
}

function trial(known: Knowledge, model: Model, left: number): Choice {
  known.pending = model;
  return { model, transactions: Math.min(left, TRIAL_TRANSACTIONS_MIN), trial: true, warmUp: true };
}
