/**
 * Nonces of one signer: the time in ms, or the one after the last where that is not later (protocol, 2.4).
 *
 * Invariant: no number is given twice, and they grow. All clients that sign with one key at the same time have to share a source; in different
 * processes they need keys of their own (agents).
 */
export class NonceSource {
  readonly #nowMs: () => number;
  #last = 0;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  next(): number {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#nowMs()));
    return this.#last;
  }
}
