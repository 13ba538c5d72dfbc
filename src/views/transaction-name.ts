/**
 * What a transaction is known by: the BLAKE3 hash of its bytes as the journal has them. Blocks carry the hashes of their transactions; those from the store
 * take them when somebody asks. What the system does has the hash of zeros, as in the protocol.
 */
import { blake3 } from '../commitment/blake3.ts';
import { encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Transaction } from '../ledger/transactions.ts';
import type { ReadableBlock } from './facts.ts';

export const HASH_BYTES = 32;

export interface TransactionName {
  /** The 32 bytes of the hash. */
  readonly bytes: Uint8Array;
  /** The same as 0x and 64 hex digits. */
  readonly hash: string;
}

/** 32 bytes. Of a transaction in a block, the block has it already. */
export function transactionHash(transaction: Transaction): Uint8Array {
  return blake3(encodeTransaction(transaction));
}

class KnownName implements TransactionName {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get hash(): string {
    return `0x${this.bytes.toHex()}`;
  }
}

class NameInBlock implements TransactionName {
  private readonly block: ReadableBlock;
  private readonly index: number;
  private known: Uint8Array | undefined;

  constructor(block: ReadableBlock, index: number) {
    this.block = block;
    this.index = index;
  }

  get bytes(): Uint8Array {
    const { block, index } = this;
    this.known ??= block.hashOf?.(index) ?? (block.hashes[index] as Uint8Array);
    return this.known;
  }

  get hash(): string {
    return `0x${this.bytes.toHex()}`;
  }
}

/** Keeps the block: for facts that are told and not kept. */
export function nameIn(block: ReadableBlock, index: number): TransactionName {
  return new NameInBlock(block, index);
}

/** `hash`: 32 bytes that stay as they are. */
export function nameOfHash(hash: Uint8Array): TransactionName {
  return new KnownName(hash);
}

export const SYSTEM_NAME: TransactionName = new KnownName(new Uint8Array(HASH_BYTES));
