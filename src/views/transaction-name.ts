/**
 * What a transaction is known by: the BLAKE3 hash of its bytes as the journal has them. Taken when somebody asks for it, once.
 * What the system does has the hash of zeros, as in the protocol.
 */
import { blake3 } from '../commitment/blake3.ts';
import { encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Transaction } from '../ledger/transactions.ts';

export interface TransactionName {
  /** 0x and 64 hex digits. */
  readonly hash: string;
}

/** 32 bytes. */
export function transactionHash(transaction: Transaction): Uint8Array {
  return blake3(encodeTransaction(transaction));
}

class LazyName implements TransactionName {
  private transaction: Transaction | undefined;
  private text = '';

  constructor(transaction: Transaction) {
    this.transaction = transaction;
  }

  get hash(): string {
    if (this.transaction !== undefined) this.text = `0x${Buffer.from(transactionHash(this.transaction)).toString('hex')}`;
    this.transaction = undefined;
    return this.text;
  }
}

export function nameOfTransaction(transaction: Transaction): TransactionName {
  return new LazyName(transaction);
}

export const SYSTEM_NAME: TransactionName = { hash: `0x${'0'.repeat(64)}` };
