/**
 * What the engine takes and gives: the contract between execution and everything above it. Types only.
 * Sizes are in bytes, times in the unit that the name ends in.
 */

import type { PackedChanges } from '../base/packed-changes.ts';
import type { PackedReceipts } from './packed-receipts.ts';

export type { AuditResult } from '../exchange/invariants.ts';

/** How a block is executed. All models leave the same receipts, state and access list. */
export type Model = 'serial' | 'optimistic' | 'deterministic' | 'sharded';
export type ModelChoice = Model | 'auto';

/**
 * Transactions in the kernel's form (`src/kernel/layout.ts`): account numbers instead of addresses, locations not yet filled in.
 * Transaction i starts at `bytes[offsets[i]]` and ends at `offsets[i + 1]`; offsets are multiples of 8.
 */
export interface PreparedBlock {
  readonly number: number;
  readonly timeMs: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** count + 1 entries. */
  readonly offsets: Uint32Array;
  /** Number of items over all transactions of kind *orders*. */
  readonly items: number;
}

/** Receipts of a block by transaction index, those of the system's own transactions behind the block's; valid until the next block is executed. */
export interface Receipts {
  readonly count: number;
  code(index: number): number;
  /** The transaction's events, a view into shared memory: copy what is to be kept. */
  events(index: number): Uint8Array;
}

export interface ExecuteOptions {
  readonly model: ModelChoice;
  /** 1 to the number of workers that the engine was created with; default: all. */
  readonly workers?: number;
  /** Have the run leave its access list (any model). */
  readonly record?: boolean;
  /** The access list of a producer; the deterministic and the sharded model run from it instead of from declarations. */
  readonly accessList?: AccessList;
  /** Extra work per transaction in units of `Engine.workUnitsPerMicrosecond`: a stand-in for costlier rules. */
  readonly workUnits?: number;
  /** Called in order, while the rest of the block still runs, with the transactions `from` (included) to `to` (excluded). */
  readonly onCommitted?: (from: number, to: number, receipts: Receipts) => void;
  /** Leave the records that the block has changed; needs an engine that keeps the state tree. */
  readonly changes?: boolean;
  /**
   * The block's transactions as they are hashed, one behind the other, each behind its length as a u32; for the root of the list of transactions, which
   * is that of an empty list without them. Needs an engine that keeps the state tree.
   */
  readonly packed?: Uint8Array;
  /** Leave the hash of each of the packed transactions. */
  readonly hashes?: boolean;
  /** Leave a copy of the receipts that may be kept; needs an engine that keeps the state tree. */
  readonly keepReceipts?: boolean;
  /** Leave what each transaction has accessed as a header's access list has it. Made by the host, some microseconds a record. */
  readonly keepAccesses?: boolean;
  /** Note for each transaction when and by which worker it was executed and committed. */
  readonly timeline?: boolean;
}

export interface TimelineEntry {
  readonly transaction: number;
  readonly worker: number;
  readonly startMicros: number;
  readonly endMicros: number;
  /** 1 for the first execution. */
  readonly incarnation: number;
}

export interface BlockResult {
  /** The model that ran it (`auto` has chosen; after a fallback, the model that completed the block). */
  readonly model: Model;
  readonly workers: number;
  /** The block's own. */
  readonly transactions: number;
  /** Those that the ledger added: forced orders, trigger orders, funding and so on. Their receipts follow the block's own. */
  readonly systemTransactions: number;
  readonly seconds: number;
  readonly executions: number;
  readonly validations: number;
  /** Failed validations by record class. */
  readonly conflictsByClass: ReadonlyMap<string, number>;
  readonly receipts: Receipts;
  readonly accessList?: AccessList;
  /** As the state tree commits to them, each once: values without their derived part and the zeros behind them (docs/decisions/0010). */
  readonly changes?: PackedChanges;
  readonly kept?: PackedReceipts;
  /** BLAKE3 of each packed transaction, 32 bytes: what it is known by. */
  readonly hashes?: readonly Uint8Array[];
  /** Items of the header's access list, the system's transactions behind the block's own. */
  readonly accesses?: readonly Uint8Array[];
  /** What the block's header commits to; the next block can execute meanwhile. */
  readonly roots?: Promise<BlockRoots>;
  readonly timeline?: readonly TimelineEntry[];
  /** Set when the chosen model could not complete the block (a worker died, a transaction left its access set). */
  readonly fallback?: string;
}

/** List roots (`src/commitment/item-list.ts`) of a block's transactions, receipts and accesses, 32 bytes each. */
export interface ListRoots {
  readonly transactions: Uint8Array;
  /** Items: u32 code, then the events; the system's transactions behind the block's own. */
  readonly receipts: Uint8Array;
  /** Items: what a transaction has accessed (`RecordedAccessList.items`). */
  readonly accesses: Uint8Array;
}

export interface BlockRoots extends ListRoots {
  /** Of the state behind the block. */
  readonly state: Uint8Array;
}

/** What was read and written by which transaction; opaque but for `entries`. */
export interface AccessList {
  readonly transactions: number;
  readonly bytes: number;
  /** Canonical form: sorted, merged, one entry per record and kind of access, with bit masks where bits were accessed. */
  entries(transaction: number): readonly AccessEntry[];
}

export interface AccessEntry {
  readonly recordClass: string;
  /** The record's key, hexadecimal. */
  readonly key: string;
  readonly kind: 'read' | 'write' | 'add' | 'readBits' | 'setBits' | 'clearBits';
  readonly mask: bigint;
}

export interface RecordEntry {
  readonly recordClass: string;
  /** u8 class, then the key's bytes. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}
