/**
 * A small seeded generator (sfc32, Chris Doty-Humphrey's PractRand): the same seed gives the same numbers on every machine.
 * For simulations and tests; nothing that must be secret or that a rule depends on.
 */
import { assert } from './assert.ts';

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = 0x9e3779b9;
    this.#counter = 1;
    for (let i = 0; i < 15; i++) this.next();
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** 0 to n - 1; n is 1 to 2^32. */
  below(n: number): number {
    assert(Number.isInteger(n) && n >= 1 && n <= 2 ** 32, `below(${n})`);
    return Math.floor((this.next() / 2 ** 32) * n);
  }

  /** first to last, both included. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** 0 to n - 1; n is 1 to 2^64. */
  belowBig(n: bigint): bigint {
    assert(n >= 1n && n <= 2n ** 64n, `belowBig(${n})`);
    return (BigInt(this.next()) * 2n ** 32n + BigInt(this.next())) % n;
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.next() < p * 2 ** 32;
  }

  pick<T>(array: readonly T[]): T {
    assert(array.length > 0, 'pick from an empty array');
    return array[this.below(array.length)] as T;
  }

  /** One of the keys, as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = (this.next() / 2 ** 32) * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    return this.pick(entries)[0];
  }
}
