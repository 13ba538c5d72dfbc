/**
 * What headers commit to: the header of a block that was executed, and its receipts' bytes.
 * Invariant: whoever executes the block after the same blocks makes the same header.
 */
import type { BlockHeader } from '../commitment/header.ts';
import { listRoot } from '../commitment/item-list.ts';
import type { Receipts } from '../execution/api.ts';
import type { Block } from '../ledger/transactions.ts';

/** The access list is not part of headers yet. */
const NO_ACCESS_LIST = new Uint8Array(32);

export interface BlockOutcome {
  readonly parentHash: Uint8Array;
  readonly nextOrdinal: bigint;
  /** As `receiptBytes` gives them. */
  readonly receipts: readonly Uint8Array[];
  /** Hexadecimal. */
  readonly stateRoot: string;
}

/** `encoded`: the block's transactions as `encodeTransaction` writes them. */
export function headerOf(
  block: Block,
  encoded: readonly Uint8Array[],
  { parentHash, nextOrdinal, receipts, stateRoot }: BlockOutcome,
): BlockHeader {
  return {
    height: block.number,
    timeMs: block.timeMs,
    nextOrdinal,
    parentHash,
    transactionsRoot: listRoot(encoded),
    receiptsRoot: listRoot(receipts),
    accessListRoot: NO_ACCESS_LIST,
    stateRoot: new Uint8Array(Buffer.from(stateRoot, 'hex')),
  };
}

/** Receipts as headers commit to them: u32 code, then the events. */
export function receiptBytes(receipts: Receipts): Uint8Array[] {
  return Array.from({ length: receipts.count }, (_, i) => {
    const events = receipts.events(i);
    const bytes = new Uint8Array(4 + events.length);
    new DataView(bytes.buffer).setUint32(0, receipts.code(i), true);
    bytes.set(events, 4);
    return bytes;
  });
}

/** Receipts one behind the other, each with its length in front: as the store keeps them. */
export function packedReceipts(receipts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(receipts.reduce((sum, receipt) => sum + 4 + receipt.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const receipt of receipts) {
    view.setUint32(at, receipt.length, true);
    bytes.set(receipt, at + 4);
    at += 4 + receipt.length;
  }
  return bytes;
}
