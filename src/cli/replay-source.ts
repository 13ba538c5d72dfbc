/** What is replayed: recordings or the generated flow, with the checks that belong to each. Every pass gives the same blocks. */
import { basename } from 'node:path';
import { HeddleError } from '../base/errors.ts';
import type { Genesis } from '../exchange/genesis.ts';
import type { Receipts } from '../execution/api.ts';
import {
  BookChecker,
  GeneratedFlow,
  loadRecording,
  type MarketRecording,
  OrderFlow,
  type ReplayBlock,
  type StateLevel,
} from '../market/index.ts';

/** Levels of a market in the engine's own records. */
export type StateLevels = (market: number) => Iterable<StateLevel>;

/** One pass over the blocks. */
export interface ReplayPass {
  readonly genesis: Genesis;
  /** Units of progress, of which `done` says how many are behind. */
  readonly steps: number;
  done(): number;
  blocks(): Iterable<ReplayBlock>;
  /** Takes in an executed block. */
  check(block: ReplayBlock, receipts: Receipts): void;
  /** Compares the state at the end; comes last. */
  checkState(levels: StateLevels): void;
  readonly bookChecks: number;
  readonly bookMismatches: number;
  readonly described: readonly string[];
}

export interface ReplaySource {
  readonly title: string;
  readonly markets: number;
  /** What is wrong with the input; what comes before it can be replayed. */
  readonly error: HeddleError | undefined;
  /** Facts worth a line in the summary. */
  readonly notes: readonly string[];
  /** Throws HeddleError when there is nothing to replay. */
  open(): ReplayPass;
}

export interface SourceOptions {
  readonly markets: number;
  readonly blockSize: number;
}

export async function recordingSource(files: readonly string[], options: SourceOptions): Promise<ReplaySource> {
  if (files.length > 2)
    throw new HeddleError('TOO_MANY_FILES', `a replay takes one market and at most one oracle, not ${files.length} files`);
  const recordings = [];
  for (const file of files) recordings.push(await loadRecording(file));
  const { market, oracle } = rolesOf(recordings);
  const { compared, differing, notComparable } = market.laterSnapshots;
  const notes = [];
  if (compared > 0) notes.push(`${compared} later snapshots compared with the recorded updates, ${differing} differ`);
  if (notComparable > 0) notes.push(`${notComparable} later snapshots lie between two updates and were not compared`);
  return {
    title: `${basename(market.path)}, oracle from ${oracle === market ? 'its own trades' : basename(oracle.path)}`,
    markets: options.markets,
    error: market.error ?? oracle.error,
    notes,
    open: () => recordingPass(market, oracle, options),
  };
}

/** A perpetual numbers its updates otherwise than a spot market. */
function rolesOf(recordings: readonly MarketRecording[]): { market: MarketRecording; oracle: MarketRecording } {
  const [first, second] = recordings as [MarketRecording, MarketRecording | undefined];
  if (second === undefined) return { market: first, oracle: first };
  if (first.venue === second.venue && first.venue !== undefined) {
    throw new HeddleError(
      'SAME_VENUE',
      `${first.path} and ${second.path} are both recordings of a ${first.venue} market: one perpetual and one spot recording are expected`,
    );
  }
  const swapped = first.venue === 'spot' || second.venue === 'perpetual';
  return swapped ? { market: second, oracle: first } : { market: first, oracle: second };
}

function recordingPass(recording: MarketRecording, reference: MarketRecording, { markets, blockSize }: SourceOptions): ReplayPass {
  const flow = new OrderFlow({ recording, reference, markets, blockSize });
  const checker = new BookChecker(recording, flow.copies);
  return {
    genesis: flow.genesis,
    steps: flow.events,
    done: () => flow.eventsDone,
    blocks: () => flow.blocks(),
    check(block, receipts) {
      checker.begin(block);
      checker.advance(block.block.count, receipts);
    },
    checkState(levels) {
      for (const { market } of flow.copies) checker.compareWithState(market, levels(market));
    },
    get bookChecks() {
      return checker.bookChecks;
    },
    get bookMismatches() {
      return checker.bookMismatches;
    },
    described: checker.described,
  };
}

/** The generated flow has no recording beside it: its own books are compared with the state at the end. */
export function generatedSource({ markets, blockSize, commands }: SourceOptions & { readonly commands: number }): ReplaySource {
  return {
    title: `generated flow, ${commands.toLocaleString('en')} commands`,
    markets,
    error: undefined,
    notes: [],
    open() {
      const flow = new GeneratedFlow({ markets, blockSize });
      const described: string[] = [];
      let done = 0;
      let bookChecks = 0;
      return {
        genesis: flow.genesis,
        steps: commands,
        done: () => done,
        *blocks() {
          for (const block of flow.setup()) yield { block, checks: [] };
          for (const block of flow.blocks(commands)) {
            done += block.count;
            yield { block, checks: [] };
          }
        },
        check() {},
        checkState(levels) {
          for (let market = 0; market < markets; market++) {
            bookChecks++;
            const differing = flow.differingLevels(market, levels(market));
            if (differing > 0) described.push(`market ${market}: ${differing} levels of the state differ from those of the flow's book`);
          }
        },
        get bookChecks() {
          return bookChecks;
        },
        get bookMismatches() {
          return described.length;
        },
        described,
      };
    },
  };
}
