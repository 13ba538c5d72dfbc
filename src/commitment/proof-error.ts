/** Why a proof proves nothing. Proofs come from the outside: a wrong one is an error of the world, never an assertion. */
import { HeddleError } from '../base/errors.ts';

export type ProofErrorCode =
  /** Its bytes end before it does, or go on behind it. */
  | 'TRUNCATED_PROOF'
  | 'TRAILING_BYTES'
  | 'UNKNOWN_PROOF_VERSION'
  /** A field has a value that it never has. */
  | 'MALFORMED_PROOF'
  /** It is about a tree that no set of records makes. */
  | 'IMPOSSIBLE_TREE'
  /** It is a proof, but not one for this root. */
  | 'WRONG_ROOT';

export class ProofError extends HeddleError {
  declare readonly code: ProofErrorCode;

  constructor(code: ProofErrorCode, message: string) {
    super(code, message);
    this.name = 'ProofError';
  }
}
