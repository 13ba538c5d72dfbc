/** What a node answers to actions, and how to take out of it what was asked for. Failures of a whole action are errors, those of one order are not. */
import { HeddleError } from '../base/errors.ts';
import { isObject } from './action-shape.ts';
import type { Hex } from './market-answers.ts';

export type OrderAnswer =
  | { readonly resting: { readonly oid: number; readonly cloid?: Hex } }
  | { readonly filled: { readonly oid: number; readonly cloid?: Hex; readonly totalSz: string; readonly avgPx: string } }
  | { readonly error: string }
  /** Children of an order that is not filled yet, and trigger orders. */
  | 'waitingForFill'
  | 'waitingForTrigger';

export type CancelAnswer = 'success' | { readonly error: string };

/** The `data` of the response; undefined where there is none. Throws ACTION_REFUSED with the node's words, MALFORMED_ANSWER. */
export function dataOf(answer: unknown): unknown {
  if (isObject(answer) && answer.status === 'err') throw new HeddleError('ACTION_REFUSED', String(answer.response));
  if (!isObject(answer) || answer.status !== 'ok' || !isObject(answer.response)) {
    throw new HeddleError('MALFORMED_ANSWER', 'the answer to an action is none of the protocol');
  }
  return answer.response.data;
}

/** One for each order or cancel; or a single one, an error, for all of them. */
export function statusesOf<S>(answer: unknown): readonly S[] {
  const data = dataOf(answer);
  if (!isObject(data) || !Array.isArray(data.statuses)) throw new HeddleError('MALFORMED_ANSWER', 'the answer has no statuses');
  return data.statuses as readonly S[];
}

/** Of a TWAP order. */
export function statusOf(answer: unknown): unknown {
  const data = dataOf(answer);
  if (!isObject(data) || data.status === undefined) throw new HeddleError('MALFORMED_ANSWER', 'the answer has no status');
  if (isObject(data.status) && typeof data.status.error === 'string') throw new HeddleError('ACTION_REFUSED', data.status.error);
  return data.status;
}
