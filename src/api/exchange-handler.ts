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
import { type Confirmation, MemoryShort, type Pipeline, type Submitter } from '../node/index.ts';
import { readRequest, type SignedRequest } from '../sdk/signed-request.ts';
import { type ActionOf, isUserSigned, type SingleAction } from '../sdk/wire-actions.ts';
import {
  type Authenticated,
  type AuthenticationAsker,
  type AuthenticationOptions,
  authenticate,
  type Unauthenticated,
} from './authentication.ts';
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

/** Who asks for an action, and is told once, by one of the two. Neither may throw. */
export interface ActionAsker {
  answered(answer: ExchangeAnswer): void;
  /** MalformedRequest, Overloaded, or a mistake of ours. */
  failed(error: unknown): void;
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

  /** `body`: parsed JSON. */
  handle(body: unknown, asker: ActionAsker): void {
    new ActionUnderWay(this.options, asker).begin(body);
  }
}

/**
 * A request from its body to its answer. What it waits for calls it: an object of its own for each, and no promises, of which a chain of functions would make
 * several for every request.
 */
class ActionUnderWay implements AuthenticationAsker, Submitter {
  private readonly options: ExchangeOptions;
  private readonly asker: ActionAsker;
  private request: SignedRequest | undefined;
  private found: Authenticated | undefined;
  private translated: Translation | undefined;
  private behalf: Address | undefined;
  private actor: Address = '0x';
  private submittedAt = 0;

  constructor(options: ExchangeOptions, asker: ActionAsker) {
    this.options = options;
    this.asker = asker;
  }

  begin(body: unknown): void {
    try {
      const request = requestOf(body);
      const { authentication, clock } = this.options;
      this.request = request;
      if (request === undefined) this.refuse(failed(requestMessages.badSignature));
      else if (request.expiresAfter !== undefined && request.expiresAfter < clock()) this.refuse(failed('Action has expired.'));
      else authenticate(request, body, authentication, this);
    } catch (error) {
      this.unauthenticated(error);
    }
  }

  unauthenticated(error: unknown): void {
    // What cannot be packed was signed by nobody.
    this.asker.failed(isNotEncodable(error) ? new MalformedRequest(error.message) : overloadOf(error));
  }

  authenticated(found: Authenticated | Unauthenticated): void {
    try {
      const refused = 'failure' in found ? failed(found.failure) : this.submit(found);
      if (refused !== undefined) this.refuse(refused);
    } catch (error) {
      this.failed(error);
    }
  }

  failed(error: unknown): void {
    const { found, actor, options } = this;
    // It was counted before it was known that it comes into no block.
    if (found !== undefined) options.budgets.giveBack(actor, itemsOf(found.action));
    // A value is beyond what transactions can carry.
    if (isNotEncodable(error)) this.refuse(failed('Invalid value in action.'));
    else if (error instanceof MemoryShort) this.refuseForMemory(error);
    else this.asker.failed(overloadOf(error));
  }

  confirmed({ block, index, code: result, events }: Confirmation): void {
    try {
      const { signer, action } = this.found as Authenticated;
      this.options.onConfirmed(action.type, (performance.now() - this.submittedAt) / 1000, result);
      const outcome = { block, index, code: result, events, sender: signer, context: this.contextOf(result) };
      this.asker.answered({ response: (this.translated as Translation).answer(outcome), height: block });
    } catch (error) {
      this.asker.failed(error);
    }
  }

  private refuseForMemory({ use }: MemoryShort): void {
    this.options.onMemoryShort();
    this.refuse(failed(requestMessages.memoryShort(use !== 'more')));
  }

  /** Of an action that has come into no block. */
  private refuse(response: ExchangeResponse): void {
    this.asker.answered({ response });
  }

  /** Undefined: it waits for its block. */
  private submit(found: Authenticated): ExchangeResponse | undefined {
    const { actions, budgets, volumeOf, pipeline } = this.options;
    const { signer, account, action, multiSig } = found;
    const request = this.request as SignedRequest;
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
    this.found = found;
    this.translated = translated;
    this.behalf = behalf;
    this.actor = actor;
    const envelope = { sender: signer, nonce: BigInt(request.nonce), behalf, multiSig };
    const transaction = Object.assign(envelope, translated.body) as Transaction;
    this.submittedAt = performance.now();
    if (action.type === 'reserveRequestWeight') this.buy(action, transaction);
    else pipeline.submit(transaction, this);
    return undefined;
  }

  private buy({ weight, destination }: ActionOf<'reserveRequestWeight'>, transaction: Transaction): void {
    const { sales, pipeline } = this.options;
    const user = destination?.toLowerCase() ?? this.actor;
    sales
      .sell(user, weight, transaction, () => pipeline.submit(transaction))
      .then(
        (confirmation) => this.confirmed(confirmation),
        (error) => this.failed(error),
      );
  }

  private contextOf(result: number): MessageContext {
    const { signer } = this.found as Authenticated;
    if (result === code.CODE_OK) return { user: signer };
    const nonce = BigInt((this.request as SignedRequest).nonce);
    const now = BigInt(Math.floor(this.options.clock()));
    const least = now - BigInt(2 * DAY_MS);
    switch (result) {
      case code.CODE_BEHALF_UNKNOWN:
        return this.behalf === undefined ? {} : { user: this.behalf };
      case code.CODE_NO_DEPOSIT:
        return { user: this.actor };
      case code.CODE_NONCE_TOO_LOW:
        return nonce <= least ? { nonce, nonceBound: least } : { nonce };
      case code.CODE_NONCE_TOO_HIGH:
        return { nonce, nonceBound: now + BigInt(DAY_MS) };
      case code.CODE_NONCE_DUPLICATE:
        return { nonce };
      case code.CODE_MULTI_SIG_SIGNER:
        return {};
      default:
        return { user: signer };
    }
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
