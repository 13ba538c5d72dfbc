/**
 * `POST /exchange`: read, authenticate, translate, submit, answer when it is confirmed.
 *
 * Invariant: what is answered as accepted is in the journal and executed. A request that is refused before it is submitted leaves nothing
 * behind, and uses up no nonce. Every request is answered, whatever it is.
 * Not here: sockets; what a transaction does.
 */
import * as code from '../base/codes.ts';
import { HeddleError } from '../base/errors.ts';
import type { MessageContext } from '../exchange/messages.ts';
import { requestMessages } from '../exchange/messages.ts';
import type { Address, Transaction } from '../ledger/transactions.ts';
import { type Confirmation, MemoryShort, type Pipeline } from '../node/index.ts';
import { readRequest, type SignedRequest } from '../sdk/signed-request.ts';
import { type ActionOf, isUserSigned, type SingleAction } from '../sdk/wire-actions.ts';
import { type Account, type Authenticated, type AuthenticationOptions, authenticate, type Unauthenticated } from './authentication.ts';
import { type LedgerAction, translateAction } from './exchange-actions.ts';
import { defaultAnswer, failed } from './exchange-responses.ts';
import { MalformedRequest } from './malformed-request.ts';
import type { AddressBudgets } from './rate-limits.ts';
import type { RequestSales } from './request-sales.ts';
import {
  type ActionContext,
  type ExchangeAnswer,
  type ExchangeResponse,
  isRefusal,
  type Refusal,
  refusal,
  type Translation,
} from './translation.ts';

export interface ExchangeOptions {
  readonly pipeline: Pick<Pipeline, 'submit'>;
  readonly authentication: AuthenticationOptions;
  readonly actions: ActionContext;
  readonly budgets: AddressBudgets;
  readonly sales: Pick<RequestSales, 'sell'>;
  /** What an address has traded, in quote units. */
  readonly volumeOf: (user: Address) => bigint;
  /** Who is paid for request weight; without it none is sold. */
  readonly weightSeller?: Address;
  readonly limitsEnforced: boolean;
  readonly clock: () => number;
  readonly onConfirmed: (type: string, seconds: number, code: number) => void;
  /** Something was refused because the ledger's memory is short. */
  readonly onMemoryShort: () => void;
}

/** The node cannot take it now: HTTP 429 or 503. */
export class Overloaded extends Error {
  readonly isTemporary: boolean;

  constructor(message: string, isTemporary: boolean) {
    super(message);
    this.name = 'Overloaded';
    this.isTemporary = isTemporary;
  }
}

/** A transaction that is ready to be submitted, and for whom. */
interface Prepared {
  readonly translated: Translation;
  readonly transaction: Transaction;
  readonly behalf: Address | undefined;
  readonly actor: Address;
}

const DAY_MS = 86_400_000;
/** Price of a request, in quote units. */
const WEIGHT_PRICE = 500n;
const WEIGHT_MAX = 1_000_000_000;
const UNAVAILABLE: ReadonlySet<string> = new Set(['CLOSED', 'PIPELINE_BROKEN', 'NOT_SAVED']);

export class ExchangeHandler {
  private readonly options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.options = options;
  }

  /** Throws MalformedRequest and Overloaded. One function to the end: every promise between would be one more for each request. */
  async handle(body: unknown): Promise<ExchangeAnswer> {
    const request = requestOf(body);
    if (request === undefined) return outside(failed(requestMessages.badSignature));
    const { expiresAfter } = request;
    if (expiresAfter !== undefined && expiresAfter < this.options.clock()) return outside(failed('Action has expired.'));
    let authenticated: Authenticated | Unauthenticated;
    try {
      authenticated = await authenticate(request, body, this.options.authentication);
    } catch (error) {
      // What cannot be packed was signed by nobody.
      if (isNotEncodable(error)) throw new MalformedRequest(error.message);
      throw overloadOf(error);
    }
    if ('failure' in authenticated) return outside(failed(authenticated.failure));
    const prepared = this.prepare(request, authenticated);
    if ('status' in prepared) return outside(prepared);
    const { action } = authenticated;
    const started = performance.now();
    let confirmed: Confirmation;
    try {
      confirmed =
        action.type === 'reserveRequestWeight'
          ? await this.buy(action, prepared)
          : await this.options.pipeline.submit(prepared.transaction).confirmed;
    } catch (error) {
      // A value is beyond what transactions can carry.
      if (isNotEncodable(error)) return outside(failed('Invalid value in action.'));
      if (error instanceof MemoryShort) {
        this.options.onMemoryShort();
        return outside(failed(requestMessages.memoryShort(error.use !== 'more')));
      }
      throw overloadOf(error);
    }
    this.options.onConfirmed(action.type, (performance.now() - started) / 1000, confirmed.code);
    return { response: this.answer(request, authenticated, prepared, confirmed), height: confirmed.block };
  }

  private prepare(request: SignedRequest, { signer, account, action, multiSig }: Authenticated): Prepared | ExchangeResponse {
    const { actions, budgets, volumeOf } = this.options;
    const translated =
      action.type === 'reserveRequestWeight' ? this.reserve(action) : translateAction(action as LedgerAction, actions, signer);
    if (isRefusal(translated)) return failed(translated.refused);
    const behalf = translated.behalf ?? (isUserSigned(action) ? undefined : request.vaultAddress);
    const actor = behalf ?? multiSig?.user ?? account.owner ?? signer;
    if (!budgets.take(actor, itemsOf(action), () => volumeOf(actor), isCancel(action))) {
      const volume = volumeOf(actor);
      const { used, allowed, reserved } = budgets.budgetOf(actor, volume);
      return failed(requestMessages.tooManyRequests(used + itemsOf(action), allowed + reserved, volume));
    }
    const envelope = { sender: signer, nonce: BigInt(request.nonce), behalf, multiSig };
    return { translated, behalf, actor, transaction: Object.assign(envelope, translated.body) as Transaction };
  }

  private answer(
    request: SignedRequest,
    { signer, account }: Authenticated,
    { translated, behalf, actor }: Prepared,
    { block, index, code: result, events }: Confirmation,
  ): ExchangeResponse {
    const context = this.contextOf(result, { signer, actor, behalf, account, nonce: request.nonce });
    return translated.answer({ block, index, code: result, events, sender: signer, context });
  }

  private contextOf(
    result: number,
    found: { signer: Address; actor: Address; behalf: Address | undefined; account: Account; nonce: number },
  ): MessageContext {
    if (result === code.CODE_OK) return { user: found.signer };
    const nonce = BigInt(found.nonce);
    const now = BigInt(Math.floor(this.options.clock()));
    const least = now - BigInt(2 * DAY_MS);
    switch (result) {
      case code.CODE_BEHALF_UNKNOWN:
        return found.behalf === undefined ? {} : { user: found.behalf };
      case code.CODE_NO_DEPOSIT:
        return { user: found.actor };
      case code.CODE_NONCE_TOO_LOW:
        return nonce <= least ? { nonce, nonceBound: least } : { nonce };
      case code.CODE_NONCE_TOO_HIGH:
        return { nonce, nonceBound: now + BigInt(DAY_MS) };
      case code.CODE_NONCE_DUPLICATE:
        return { nonce };
      case code.CODE_MULTI_SIG_SIGNER:
        return {};
      default:
        return { user: found.signer };
    }
  }

  private buy({ weight, destination }: ActionOf<'reserveRequestWeight'>, { transaction, actor }: Prepared): Promise<Confirmation> {
    const { sales, pipeline } = this.options;
    return sales.sell(destination?.toLowerCase() ?? actor, weight, transaction, () => pipeline.submit(transaction));
  }

  /** Request weight is paid to whoever runs the node; where nothing is limited it is given. */
  private reserve({ weight }: ActionOf<'reserveRequestWeight'>): Translation | Refusal {
    const { weightSeller, limitsEnforced } = this.options;
    if (weight === 0 || weight > WEIGHT_MAX) return refusal('Invalid request weight.');
    if (!limitsEnforced) return { body: { kind: 'noop' }, answer: defaultAnswer({ kind: 'noop' }) };
    if (weightSeller === undefined) return refusal('Request weight is not sold here.');
    const body = { kind: 'sendPerp', recipient: weightSeller, amount: BigInt(weight) * WEIGHT_PRICE } as const;
    return { body, answer: defaultAnswer({ kind: body.kind }) };
  }
}

/** What a batch counts for its address. */
export function itemsOf(action: SingleAction): number {
  if (action.type === 'order') return Math.max(1, action.orders.length);
  if (action.type === 'batchModify') return Math.max(1, action.modifies.length);
  if (action.type === 'cancel' || action.type === 'cancelByCloid') return Math.max(1, action.cancels.length);
  return 1;
}

function isCancel({ type }: SingleAction): boolean {
  return type === 'cancel' || type === 'cancelByCloid';
}

/** Of an action that has come into no block. */
function outside(response: ExchangeResponse): ExchangeAnswer {
  return { response };
}

/** Undefined: a number of its signature is out of range. Throws MalformedRequest. */
function requestOf(body: unknown): SignedRequest | undefined {
  try {
    return readRequest(body);
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    if (error.code === 'INVALID_SIGNATURE') return undefined;
    throw new MalformedRequest(error.message);
  }
}

function isNotEncodable(error: unknown): error is HeddleError {
  return error instanceof HeddleError && error.code === 'NOT_ENCODABLE';
}

/** Full queues and a pipeline that takes nothing more, as what the transport answers; any other error as it is. */
function overloadOf(error: unknown): unknown {
  if (!(error instanceof HeddleError)) return error;
  if (error.code === 'BUSY') return new Overloaded('Too many requests', true);
  return UNAVAILABLE.has(error.code) ? new Overloaded('Service unavailable', false) : error;
}
