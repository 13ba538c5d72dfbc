/**
 * Sells requests beyond those that limits allow: a payment in the ledger, and what was bought in a file of the node's.
 *
 * A purchase is in no block. Its payment is, as a transfer to the seller, but not what for, and not for whom: the ledger's rules know no limits of a node, and
 * a node that sells nothing executes the same blocks. So a purchase is written down before its payment is submitted, and a start asks the store
 * what has become of the payments that the file still calls open:
 *
 *   written as open ─▶ payment submitted ─▶ in the journal ─▶ confirmed: given, not open any more ─▶ answered        and written, some time later
 *
 * Invariant: whenever the process ends, who has paid has what was bought after the next start, once; who has not paid has nothing. For: without its entry
 * nothing is submitted; an entry and what it has given change in one write; a signer's nonce is good for one transaction, so at most one of
 * those with the same hash has been accepted; one purchase with that hash is open at a time; and what was accepted before an entry was
 * made lies at or below its `after`.
 * Not here: the form of the file (bought-file.ts), how budgets are used up (rate-limits.ts), prices (exchange-handler.ts).
 */
import { CODE_OK } from '../base/codes.ts';
import { HeddleError } from '../base/errors.ts';
import type { Address, Transaction } from '../ledger/transactions.ts';
import type { Confirmation, Ticket } from '../node/index.ts';
import type { Disk } from '../storage/index.ts';
import { transactionHash } from '../views/index.ts';
import { BoughtFile, type Purchase, type SoldRequests } from './bought-file.ts';
import type { AddressBudgets } from './rate-limits.ts';

export interface RequestSalesOptions {
  readonly disk: Disk;
  readonly budgets: AddressBudgets;
  /** Where nothing is limited nothing is paid for, and nothing is written. */
  readonly limitsEnforced: boolean;
  /** Purchases that an earlier run has left open. */
  readonly paying: SoldRequests['paying'];
  /** The last block whose transactions were answered. */
  readonly height: () => number;
  readonly onError: (error: unknown) => void;
}

/** Results of the transactions with a hash that are in blocks behind a height. */
export type ResultsOf = (transaction: string, after: number) => readonly number[];

export class RequestSales {
  private readonly options: RequestSalesOptions;
  private readonly file: BoughtFile;
  /** Open purchases by the hash of their payment. */
  private readonly paying: Map<string, Purchase>;

  constructor(options: RequestSalesOptions) {
    this.options = options;
    this.paying = new Map(options.paying.map((purchase) => [purchase.transaction, purchase]));
    this.file = new BoughtFile(options.disk, () => ({ bought: options.budgets.bought(), paying: [...this.paying.values()] }));
  }

  /**
   * For a start, when every block of the journal is in the store and before anything is sold: gives what was paid for. A payment that is in no block by
   * then will never be: nobody else has it.
   */
  async resume(resultsOf: ResultsOf): Promise<void> {
    if (this.paying.size === 0) return;
    for (const { transaction, user, requests, after } of this.paying.values()) {
      if (resultsOf(transaction, after).includes(CODE_OK)) this.options.budgets.reserve(user, requests);
    }
    this.paying.clear();
    // Until this is written the file says the same as before, and the next start finds the same.
    await this.write();
  }

  /** Rejects with BUSY if the same transaction is being paid already, with NOT_SAVED, and with what `submit` throws; then nothing is bought. */
  async sell(user: Address, requests: number, payment: Transaction, submit: () => Ticket): Promise<Confirmation> {
    const { budgets, limitsEnforced } = this.options;
    const ticket = limitsEnforced ? await this.open(user, requests, payment, submit) : submit();
    // If this rejects the pipeline has broken, and whether the payment is in the journal shows at the next start: the purchase stays open.
    const confirmed = await ticket.confirmed;
    if (confirmed.code === CODE_OK) budgets.reserve(user, requests);
    if (limitsEnforced) {
      this.paying.delete(hashOf(payment));
      void this.write();
    }
    return confirmed;
  }

  /** Writes what there is now. Errors are told. */
  async save(): Promise<void> {
    if (this.options.limitsEnforced && (this.paying.size > 0 || this.options.budgets.bought().size > 0)) await this.write();
  }

  private async open(user: Address, requests: number, payment: Transaction, submit: () => Ticket): Promise<Ticket> {
    const transaction = hashOf(payment);
    if (this.paying.has(transaction)) throw new HeddleError('BUSY', 'this payment is under way: try again when it is confirmed');
    this.paying.set(transaction, { transaction, user, requests, after: this.options.height() });
    try {
      await this.written();
      return submit();
    } catch (error) {
      this.paying.delete(transaction);
      throw error;
    }
  }

  private async written(): Promise<void> {
    try {
      await this.file.save();
    } catch (cause) {
      this.options.onError(cause);
      throw new HeddleError('NOT_SAVED', 'nothing is sold while what is sold cannot be written down', { cause });
    }
  }

  private async write(): Promise<void> {
    try {
      await this.file.save();
    } catch (error) {
      this.options.onError(error);
    }
  }
}

const hashOf = (transaction: Transaction): string => `0x${Buffer.from(transactionHash(transaction)).toString('hex')}`;
