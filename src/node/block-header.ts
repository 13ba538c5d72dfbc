/**
 * The header of a block that was executed.
 * Invariant: whoever executes the block after the same blocks makes the same header.
 */
import type { BlockHeader } from '../commitment/header.ts';
import type { BlockRoots } from '../execution/api.ts';

export interface BlockOutcome {
  readonly parentHash: Uint8Array;
  /** Of the first item of the next block. */
  readonly nextOrdinal: bigint;
  readonly roots: BlockRoots;
}

export function headerOf(
  { number, timeMs }: { readonly number: number; readonly timeMs: number },
  { parentHash, nextOrdinal, roots }: BlockOutcome,
): BlockHeader {
  return {
    height: number,
    timeMs,
    nextOrdinal,
    parentHash,
    transactionsRoot: roots.transactions,
    receiptsRoot: roots.receipts,
    accessListRoot: roots.accesses,
    stateRoot: roots.state,
  };
}
