/**
 * The third kind of error: the outside world (a file, a worker, a wrong argument, too little memory).
 *
 * Outcomes of rules are codes in receipts (`src/base/codes.ts`), our own mistakes are assertions (`src/base/assert.ts`).
 * An error of the world carries a stable `code`, and its message says what to do about it.
 */
export class HeddleError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'HeddleError';
    this.code = code;
  }
}
