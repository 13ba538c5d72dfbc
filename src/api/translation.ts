/**
 * What an action of the protocol becomes: a transaction of the ledger without its signer, and how its receipt is answered.
 *
 * Invariant: an action is translated as a whole or not at all, and nothing is rounded on the way.
 */
import type { ExchangeOptions } from '../exchange/genesis.ts';
import type { MessageContext } from '../exchange/messages.ts';
import type { Address, Transaction } from '../ledger/transactions.ts';
import type { Market } from '../views/index.ts';

type WithoutSigner<T> = T extends unknown ? Omit<T, 'sender' | 'nonce' | 'behalf' | 'multiSig'> : never;
export type TransactionBody = WithoutSigner<Transaction>;
export type BodyOf<K extends Transaction['kind']> = Extract<TransactionBody, { readonly kind: K }>;

/** What became of the transaction. */
export interface Outcome {
  readonly block: number;
  /** Its place in the block. */
  readonly index: number;
  readonly code: number;
  readonly events: Uint8Array;
  /** Who signed it, and what texts need: the account that it was for, the nonce. */
  readonly sender: Address;
  readonly context: MessageContext;
}

/** The body of the protocol's answer, with HTTP status 200. */
export type ExchangeResponse =
  | { readonly status: 'ok'; readonly response: { readonly type: string; readonly data?: unknown } }
  | { readonly status: 'err'; readonly response: string };

/** An answer to an action, and the block that the action is in; without one it is in none. */
export interface ExchangeAnswer {
  readonly response: ExchangeResponse;
  readonly height?: number;
}

export interface Translation {
  readonly body: TransactionBody;
  /** Named by the action itself; the envelope's vault address otherwise. */
  readonly behalf?: Address;
  readonly answer: (outcome: Outcome) => ExchangeResponse;
}

/** The venue has no rule for it, or cannot say it in its terms: nothing is submitted, and the answer is this text. */
export interface Refusal {
  readonly refused: string;
}

/** What translating depends on beside the action. */
export interface ActionContext {
  readonly markets: readonly Market[];
  /** Tokens of the ledger by number. */
  readonly tokens: readonly { readonly name: string; readonly decimals: number }[];
  readonly exchange: Pick<ExchangeOptions, 'twapMinNotional' | 'vaultMinimum'>;
  /** Best prices of a market as they are now, as texts; a side without orders is absent. */
  readonly bestPrices: (market: Market) => { readonly bid?: string; readonly ask?: string };
}

export function refusal(text: string): Refusal {
  return { refused: text };
}

export function isRefusal(result: Translation | Refusal): result is Refusal {
  return 'refused' in result;
}

/** Text that transactions may carry: well-formed, without zero characters, not longer than so many bytes. */
export function isLedgerText(text: string, bytesMax: number): boolean {
  return text.isWellFormed() && !text.includes('\0') && new TextEncoder().encode(text).length <= bytesMax;
}
