/**
 * What a node answers beyond the original: when a block is final, proofs about its state, what an address may still send, what
 * a user is called, and what orders may be.
 *
 *   {type: "settlement", height}   {height, settled, headerHash, stateRoot, header}
 *   {type: "proof", key}           {height, header, proof}: of the last block that is final; verified with src/commitment/verify.ts
 *   {type: "budget", user}         {user, used, allowed, reserved, enforced}
 *   {type: "displayName", user}    {user, displayName}: null without one
 *   {type: "limits"}               {markets: [{coin, maxOrderSize, ...}], openOrders, twapMinValue}
 *
 * docs/api-beyond.md has the answers in full; bytes are hexadecimal with 0x. Invariant: what is called settled is durable, with the header that stands here.
 */
import { type BlockHeader, decodeHeader, encodeHeader, headerHash } from '../commitment/header.ts';
import type { Address } from '../ledger/transactions.ts';
import type { SettledProofs } from '../node/index.ts';
import type { Store } from '../storage/index.ts';
import { fieldOf, type JsonObject, naturalAt, textAt } from './json-input.ts';
import { type LimitsContext, limitsAnswer } from './limit-answers.ts';
import { MalformedRequest } from './malformed-request.ts';
import type { Budget } from './rate-limits.ts';

export interface LedgerContext {
  readonly store: Store;
  readonly proofs: Pick<SettledProofs, 'prove'>;
  /** The last block that is confirmed. */
  readonly confirmedHeight: () => number;
  readonly budgetOf: (user: string) => Budget;
  /** What a user has called itself. */
  readonly displayNameOf: (user: Address) => string | undefined;
  /** Whether requests beyond the budget are refused. */
  readonly enforced: boolean;
  readonly limits: LimitsContext;
}

const KEY_BYTES_MAX = 255;
const TYPES = new Set(['settlement', 'proof', 'budget', 'displayName', 'limits']);

export function isLedgerRequest(request: JsonObject): boolean {
  const type = fieldOf(request, 'type');
  return typeof type === 'string' && TYPES.has(type);
}

/** The answer, or the promise of one. Throws MalformedRequest. */
export function ledgerAnswer(request: JsonObject, context: LedgerContext): unknown {
  switch (textAt(request, 'type')) {
    case 'settlement':
      return settlement(naturalAt(request, 'height'), context);
    case 'proof':
      return proof(textAt(request, 'key'), context.proofs);
    case 'limits':
      return limitsAnswer(context.limits);
    case 'displayName': {
      const user = userIn(request);
      return { user, displayName: context.displayNameOf(user) ?? null };
    }
    default:
      return budget(userIn(request), context);
  }
}

function settlement(height: number, { store, confirmedHeight }: LedgerContext): unknown {
  const bytes = height > (store.height ?? 0) ? undefined : store.header(height);
  if (bytes !== undefined) return { height, settled: true, ...headerFields(decodeHeader(bytes)) };
  return height > (store.height ?? 0) && height <= confirmedHeight() ? { height, settled: false } : null;
}

function headerFields(header: BlockHeader): Record<string, string> {
  return { headerHash: hex(headerHash(header)), stateRoot: hex(header.stateRoot), header: hex(encodeHeader(header)) };
}

async function proof(text: string, proofs: LedgerContext['proofs']): Promise<unknown> {
  const digits = text.replace(/^0x/, '');
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(digits) || digits.length > KEY_BYTES_MAX * 2) throw new MalformedRequest('key is no hexadecimal key');
  const proven = await proofs.prove([new Uint8Array(Buffer.from(digits, 'hex'))]);
  if (proven === undefined) return null;
  const { header, proof: bytes } = proven;
  return { height: header.height, header: hex(encodeHeader(header)), proof: hex(bytes) };
}

function userIn(request: JsonObject): Address {
  const text = textAt(request, 'user');
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new MalformedRequest('user is not an address');
  return text.toLowerCase();
}

function budget(user: Address, { budgetOf, enforced }: LedgerContext): unknown {
  return { user, ...budgetOf(user), enforced };
}

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;
