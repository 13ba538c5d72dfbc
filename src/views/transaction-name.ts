/**
 * What a transaction is known by: the BLAKE3 hash of its bytes as the journal has them. Blocks carry the hashes of their transactions; their text is made
 * when somebody asks for it, once. What the system does has the hash of zeros, as in the protocol.
 */
import { blake3 } from '../commitment/blake3.ts';
import { encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Transaction } from '../ledger/transactions.ts';

export interface TransactionName {
  /** 0x and 64 hex digits. */
  readonly hash: string;
}

/** 32 bytes. Of a transaction in a block, the block has it already. */
export function transactionHash(transaction: Transaction): Uint8Array {
  return blake3(encodeTransaction(transaction));
}

class LazyName implements TransactionName {
  private readonly bytes: Uint8Array;
  private text = '';

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get hash(): string {
    if (this.text === '') this.text = `0x${this.bytes.toHex()}`;
    return this.text;
  }
}

/** `hash`: 32 bytes that stay as they are. */
export function nameOfHash(hash: Uint8Array): TransactionName {
  return new LazyName(hash);
}

export const SYSTEM_NAME: TransactionName = { hash: `0x${'0'.repeat(64)}` };
