/**
 * Verifies proofs about the state: which of some keys have records, with which values, in the state of one root.
 *
 * A proof is the part of the tree that the paths of the asked keys lead through, from the top. At every node that a path reaches stands a
 * step: nothing is below, one record is (the path ends, in the asked record or in another that shows the asked one to be absent), or
 * several are, and the paths go on. Where they all go to one side, the hash of the other side is part of the proof, once for all keys.
 *
 *   proof, version 1. Numbers are little endian.
 *     u8   version
 *     u32  number of keys, at least 1
 *          each key, in the order of their paths, no two the same:
 *            u8   length, at least 1
 *            u8[] the key: class, then its bytes
 *     u32  number of steps
 *     u8[] the steps: a node, then what is left of it, then what is right of it. 2 bits each, four in a byte from the low bits up,
 *          unused bits zero
 *          what the steps bring along, in their order:
 *            STEP_NOTHING  nothing
 *            STEP_RECORD   u8 length of the key, the key, u16 length of the committed value, the value
 *            STEP_SEVERAL  if no asked path goes to one of the sides: its hash, 32 bytes, not zero
 *            STEP_LONE     nothing; several records, all on the side that the paths go to
 *
 * Invariant: what is returned is true of every set of records with this root, and a set of records and keys has one proof only; every
 * other sequence of bytes is refused with a ProofError, after work that is proportional to its length.
 * Not here: whether the root is one to believe, and whether the keys are the ones that the caller wanted: it has to look.
 * Uses nothing but functions of the language, so that clients can carry it.
 */
import { HASH_BYTES } from './blake3.ts';
import { ProofError } from './proof-error.ts';
import { bitOf, compareBytes, leafOf, NOTHING, nodeOf, PATH_BITS, pathOf, sharesPrefix } from './state-tree.ts';

export const PROOF_VERSION = 1;

export const STEP_NOTHING = 0;
export const STEP_RECORD = 1;
export const STEP_SEVERAL = 2;
export const STEP_LONE = 3;

export interface ProvenEntry {
  readonly key: Uint8Array;
  /** The committed value, without trailing zero bytes; undefined: there is no record of this key. */
  readonly value: Uint8Array | undefined;
}

export interface ProvenState {
  /** One for each key, in the order of their paths. */
  readonly entries: readonly ProvenEntry[];
}

/** Throws ProofError. */
export function verifyProof(root: Uint8Array, proof: Uint8Array): ProvenState {
  const verifier = new Verifier(proof);
  const { hash } = verifier.walk(0, verifier.keys.length, 0);
  verifier.finish();
  if (compareBytes(hash, root) !== 0) throw new ProofError('WRONG_ROOT', 'the proof is about another state than that of this root');
  return { entries: verifier.keys.map((key, i) => ({ key, value: verifier.values[i] })) };
}

/** What is below a node: how many records at most (2: several, or any number), and its hash. */
interface Below {
  readonly most: 0 | 1 | 2;
  readonly hash: Uint8Array;
}

const NOTHING_BELOW: Below = { most: 0, hash: NOTHING };

class Verifier {
  readonly keys: Uint8Array[] = [];
  /** By key; those that were not found stay undefined. */
  readonly values: (Uint8Array | undefined)[] = [];
  readonly #paths: Uint8Array[] = [];
  readonly #reader: Reader;
  readonly #steps: Uint8Array;
  readonly #stepCount: number;
  #step = 0;

  constructor(proof: Uint8Array) {
    this.#reader = new Reader(proof);
    const version = this.#reader.number(1);
    if (version !== PROOF_VERSION) throw new ProofError('UNKNOWN_PROOF_VERSION', `version ${version} of proofs is not known here`);
    this.#readKeys();
    this.#stepCount = this.#reader.number(4);
    this.#steps = this.#reader.bytes(Math.ceil(this.#stepCount / 4));
    if (this.#stepCount % 4 !== 0 && (this.#steps.at(-1) as number) >> (2 * (this.#stepCount % 4)) !== 0) {
      throw new ProofError('MALFORMED_PROOF', 'unused bits behind the steps are not zero');
    }
  }

  #readKeys(): void {
    const count = this.#reader.number(4);
    if (count === 0) throw new ProofError('MALFORMED_PROOF', 'the proof is about no key');
    for (let i = 0; i < count; i++) {
      const key = this.#readKey();
      const path = pathOf(key);
      if (i > 0 && compareBytes(this.#paths[i - 1] as Uint8Array, path) >= 0) {
        throw new ProofError('MALFORMED_PROOF', 'the keys are not in the order of their paths');
      }
      this.keys.push(key);
      this.#paths.push(path);
    }
  }

  #readKey(): Uint8Array {
    const length = this.#reader.number(1);
    if (length === 0) throw new ProofError('MALFORMED_PROOF', 'a key is empty');
    return this.#reader.bytes(length);
  }

  /** The node that the paths of keys `from` to `to` (at least one) have in common at `depth`. */
  walk(from: number, to: number, depth: number): Below {
    const step = this.#nextStep();
    if (step === STEP_NOTHING) return NOTHING_BELOW;
    if (step === STEP_RECORD) return this.#record(from, to, depth);
    if (depth === PATH_BITS) throw new ProofError('IMPOSSIBLE_TREE', 'several records at the end of one path');
    const middle = this.#firstRight(from, to, depth);
    let left: Below;
    let right: Below;
    if (middle === to) {
      right = this.#otherSide(step);
      left = this.walk(from, to, depth + 1);
    } else if (middle === from) {
      left = this.#otherSide(step);
      right = this.walk(from, to, depth + 1);
    } else {
      if (step === STEP_LONE) throw new ProofError('MALFORMED_PROOF', 'paths go to both sides of a node that is said to have one');
      left = this.walk(from, middle, depth + 1);
      right = this.walk(middle, to, depth + 1);
    }
    if (left.most + right.most < 2) throw new ProofError('IMPOSSIBLE_TREE', 'a node of several records has fewer below it');
    return { most: 2, hash: nodeOf(left.hash, right.hash) };
  }

  /** Of keys `from` to `to`, which lie in the order of their paths, the first that goes to the right at `depth`; `to`: none does. */
  #firstRight(from: number, to: number, depth: number): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bitOf(this.#paths[middle] as Uint8Array, depth) === 1) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #otherSide(step: number): Below {
    if (step === STEP_LONE) return NOTHING_BELOW;
    const hash = this.#reader.bytes(HASH_BYTES);
    if (compareBytes(hash, NOTHING) === 0) throw new ProofError('MALFORMED_PROOF', 'an empty side is given as a hash');
    return { most: 2, hash };
  }

  #record(from: number, to: number, depth: number): Below {
    const key = this.#readKey();
    const value = this.#reader.bytes(this.#reader.number(2));
    if (!sharesPrefix(pathOf(key), this.#paths[from] as Uint8Array, depth)) {
      throw new ProofError('IMPOSSIBLE_TREE', 'a record lies where its path does not lead');
    }
    for (let i = from; i < to; i++) if (compareBytes(this.keys[i] as Uint8Array, key) === 0) this.values[i] = value;
    return { most: 1, hash: leafOf(key, value) };
  }

  #nextStep(): number {
    if (this.#step === this.#stepCount) throw new ProofError('TRUNCATED_PROOF', 'the steps end before all keys are done with');
    const step = ((this.#steps[this.#step >> 2] as number) >> (2 * (this.#step & 3))) & 3;
    this.#step++;
    return step;
  }

  /** Behind the last step: nothing may be left. */
  finish(): void {
    if (this.#step < this.#stepCount) throw new ProofError('TRAILING_BYTES', 'steps are left when all keys are done with');
    this.#reader.finish();
  }
}

class Reader {
  readonly #input: Uint8Array;
  #at = 0;

  constructor(input: Uint8Array) {
    this.#input = input;
  }

  /** A copy, so that what is returned stays when the proof's memory is used again. */
  bytes(length: number): Uint8Array {
    if (length > this.#input.length - this.#at) throw new ProofError('TRUNCATED_PROOF', `the proof ends at byte ${this.#input.length}`);
    const bytes = new Uint8Array(this.#input.subarray(this.#at, this.#at + length));
    this.#at += length;
    return bytes;
  }

  /** An unsigned number of `length` bytes, at most 4. */
  number(length: number): number {
    return this.bytes(length).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  finish(): void {
    const left = this.#input.length - this.#at;
    if (left > 0) throw new ProofError('TRAILING_BYTES', `${left} bytes are left behind the proof`);
  }
}
