/**
 * Makes proofs about the state: that the records of some keys are in it, with their values, or that there are none. Layout: verify.ts.
 *
 * Invariant: the bytes depend on the records and on the set of keys alone, and hold every hash and every record once.
 */
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import { bitOf, committedValue, compareBytes, PATH_BITS, pathOf, type TreeRecord } from './state-tree.ts';
import { PROOF_VERSION, STEP_LONE, STEP_NOTHING, STEP_RECORD, STEP_SEVERAL } from './verify.ts';

/** A tree to prove from. A node is named by the number of bits that lead to it and by a path that begins with them. */
export interface TreeReader {
  /** How many records are below: 0, 1, or 2 for several. */
  count(depth: number, path: Uint8Array): 0 | 1 | 2;
  /** The node's hash (T of docs/decisions/0010). */
  hash(depth: number, path: Uint8Array): Uint8Array;
  /** The record below a node that has one. Its value may be the payload or the committed part of it. */
  only(depth: number, path: Uint8Array): TreeRecord;
}

/** One proof for all of the keys, present or not; a key that comes twice counts once. Throws NO_KEYS and INVALID_KEY. */
export function prove(tree: TreeReader, keys: readonly Uint8Array[]): Uint8Array {
  if (keys.length === 0) throw new HeddleError('NO_KEYS', 'a proof is about at least one key');
  if (keys.some(({ length }) => length === 0 || length > 255)) throw new HeddleError('INVALID_KEY', 'a key has 1 to 255 bytes');
  const asked = keys
    .map((key) => ({ key, path: pathOf(key) }))
    .sort((a, b) => compareBytes(a.path, b.path))
    .filter(({ path }, i, sorted) => i === 0 || compareBytes(path, (sorted[i - 1] as Asked).path) !== 0);
  const prover = new Prover(tree);
  prover.walk(asked, 0);
  const { steps, brought } = prover;
  const out = new Writer();
  out.number(PROOF_VERSION, 1);
  out.number(asked.length, 4);
  for (const { key } of asked) out.key(key);
  out.number(steps.length, 4);
  for (let i = 0; i < steps.length; i += 4) out.number(fourSteps(steps, i), 1);
  out.bytes(brought.done());
  return out.done();
}

interface Asked {
  readonly key: Uint8Array;
  readonly path: Uint8Array;
}

class Prover {
  readonly steps: number[] = [];
  /** What the steps bring along. */
  readonly brought = new Writer();
  readonly #tree: TreeReader;

  constructor(tree: TreeReader) {
    this.#tree = tree;
  }

  /** The node that the paths of the asked keys (at least one) have in common at `depth`. */
  walk(asked: readonly Asked[], depth: number): void {
    const { path } = asked[0] as Asked;
    const count = this.#tree.count(depth, path);
    if (count === 0) this.steps.push(STEP_NOTHING);
    else if (count === 1) this.#record(depth, path);
    else this.#several(asked, depth, path);
  }

  #record(depth: number, path: Uint8Array): void {
    const { key, value } = this.#tree.only(depth, path);
    const committed = committedValue(key, value);
    this.steps.push(STEP_RECORD);
    this.brought.key(key);
    this.brought.number(committed.length, 2);
    this.brought.bytes(committed);
  }

  #several(asked: readonly Asked[], depth: number, path: Uint8Array): void {
    assert(depth < PATH_BITS, 'several records at the end of one path');
    const sides = [0, 1].map((bit) => asked.filter((one) => bitOf(one.path, depth) === bit));
    if (sides.every(({ length }) => length > 0)) this.steps.push(STEP_SEVERAL);
    else {
      const other = new Uint8Array(path);
      other[depth >> 3] = (other[depth >> 3] as number) ^ (128 >> (depth & 7));
      const isLone = this.#tree.count(depth + 1, other) === 0;
      this.steps.push(isLone ? STEP_LONE : STEP_SEVERAL);
      if (!isLone) this.brought.bytes(this.#tree.hash(depth + 1, other));
    }
    for (const side of sides) if (side.length > 0) this.walk(side, depth + 1);
  }
}

function fourSteps(steps: readonly number[], at: number): number {
  return steps.slice(at, at + 4).reduceRight((packed, step) => packed * 4 + step, 0);
}

class Writer {
  readonly #out: number[] = [];

  /** Little endian. */
  number(value: number, length: number): void {
    assert(value < 256 ** length, `${value} does not fit into ${length} bytes`);
    for (let i = 0; i < length; i++) this.#out.push(Math.floor(value / 256 ** i) % 256);
  }

  key(key: Uint8Array): void {
    this.number(key.length, 1);
    this.bytes(key);
  }

  bytes(bytes: Uint8Array): void {
    for (const byte of bytes) this.#out.push(byte);
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#out);
  }
}
