/**
 * Which order slots of which account are in use, as a flow has to know it: a new order takes the lowest free slot of its account
 * (docs/rules.md, 4.1), and its oid contains the slot.
 */
import { assert } from '../base/assert.ts';
import { ORDER_PAGE_SLOTS } from './order-identity.ts';

const WORDS_PER_PAGE = ORDER_PAGE_SLOTS / 32;

export class OrderSlots {
  readonly #words: Uint32Array;
  readonly #wordsPerAccount: number;

  constructor(accounts: number, orderPages: number) {
    this.#wordsPerAccount = orderPages * WORDS_PER_PAGE;
    this.#words = new Uint32Array(accounts * this.#wordsPerAccount);
  }

  /** -1: all are in use. */
  lowestFree(account: number): number {
    const first = account * this.#wordsPerAccount;
    for (let i = 0; i < this.#wordsPerAccount; i++) {
      const free = ~(this.#words[first + i] as number);
      if (free !== 0) return i * 32 + 31 - Math.clz32(free & -free);
    }
    return -1;
  }

  take(account: number, slot: number): void {
    const at = account * this.#wordsPerAccount + (slot >>> 5);
    const bit = 1 << (slot & 31);
    assert(((this.#words[at] as number) & bit) === 0, `slot ${slot} of account ${account} is in use`);
    this.#words[at] = (this.#words[at] as number) | bit;
  }

  release(account: number, slot: number): void {
    const at = account * this.#wordsPerAccount + (slot >>> 5);
    this.#words[at] = (this.#words[at] as number) & ~(1 << (slot & 31));
  }
}
