/**
 * A request that is not one: its bytes, its JSON or its fields are not what the protocol says. Whoever answers turns it into the protocol's
 * refusal of bodies that do not deserialise; `message` says where, for logs.
 */
import { HeddleError } from '../base/errors.ts';

const MALFORMED = 'MALFORMED_REQUEST';

export class MalformedRequest extends HeddleError {
  constructor(message: string) {
    super(MALFORMED, message);
  }
}

/** Also those that the views have found. */
export function isMalformed(error: unknown): boolean {
  return error instanceof HeddleError && error.code === MALFORMED;
}

/** Section 1 of the protocol: plain text, with HTTP status 422. */
export const MALFORMED_TEXT = 'Failed to deserialize the JSON body into the target type';
