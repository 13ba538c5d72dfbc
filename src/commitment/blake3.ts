/**
 * BLAKE3 (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020): the hash and the keyed hash, 32 bytes, of inputs of any length.
 *
 * Everything that is committed to is hashed with a key that is the hash of a label, one label for each kind of input, so that no kind can
 * stand for another. Runs wherever JavaScript does and uses nothing of the platform: clients verify proofs with it.
 * Not here: key derivation, outputs of other lengths, inputs in pieces. The kernel's fast twin is `assembly/blake3.ts`.
 */
import { assert } from '../base/assert.ts';

export const HASH_BYTES = 32;

const BLOCK_BYTES = 64;
const CHUNK_BYTES = 1024;

const CHUNK_START = 1;
const CHUNK_END = 2;
const PARENT = 4;
const ROOT = 8;
const KEYED = 16;

export const START_VALUE = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);

/** Which word of the block each step of each of the 7 rounds takes: from round to round the words change places. */
const SCHEDULE = schedule();

/** Eight words: the state between the blocks of a chunk, the result of a chunk or of a parent. */
type Words = Int32Array;

export function blake3(input: Uint8Array): Uint8Array {
  return bytesOf(subtree(input, 0, input.length, START_VALUE, 0, ROOT));
}

/** A hash function of its own for inputs of one kind: BLAKE3 with the hash of the label (ASCII) as its key. */
export function labelled(label: string): (input: Uint8Array) => Uint8Array {
  const key = blake3(Uint8Array.from(label, (character) => character.charCodeAt(0)));
  return (input) => keyedBlake3(key, input);
}

/** `key`: 32 bytes. */
export function keyedBlake3(key: Uint8Array, input: Uint8Array): Uint8Array {
  assert(key.length === HASH_BYTES, `a key has ${HASH_BYTES} bytes, not ${key.length}`);
  const start = new Int32Array(8);
  for (let i = 0; i < 8; i++) start[i] = word(key, 4 * i);
  return bytesOf(subtree(input, 0, input.length, start, KEYED, ROOT));
}

/**
 * The result of the input's bytes `from` to `to`: of one chunk, or of a parent whose left side is as large a power of two of chunks as
 * leaves something for the right side. `from` is a multiple of the chunk; `root`: ROOT for the whole input, 0 for its parts.
 */
function subtree(input: Uint8Array, from: number, to: number, key: Words, flags: number, root: number): Words {
  if (to - from <= CHUNK_BYTES) return chunk(input, from, to, key, flags, root);
  let left = CHUNK_BYTES;
  while (2 * left < to - from) left *= 2;
  const block = new Int32Array(16);
  block.set(subtree(input, from, from + left, key, flags, 0));
  block.set(subtree(input, from + left, to, key, flags, 0), 8);
  return compress(key, block, 0, BLOCK_BYTES, flags | PARENT | root);
}

function chunk(input: Uint8Array, from: number, to: number, key: Words, flags: number, root: number): Words {
  const block = new Int32Array(16);
  let state = key;
  let at = from;
  // The last block is compressed behind the loop; of an empty input it is empty.
  for (; to - at > BLOCK_BYTES; at += BLOCK_BYTES) {
    for (let i = 0; i < 16; i++) block[i] = word(input, at + 4 * i);
    state = compress(state, block, from / CHUNK_BYTES, BLOCK_BYTES, flags | (at === from ? CHUNK_START : 0));
  }
  block.fill(0);
  for (let i = 0; at + i < to; i++) block[i >> 2] = (block[i >> 2] as number) | ((input[at + i] as number) << (8 * (i & 3)));
  return compress(state, block, from / CHUNK_BYTES, to - at, flags | (at === from ? CHUNK_START : 0) | CHUNK_END | root);
}

/** The compression function: its first eight words. `counter`: the chunk's number, 0 for parents; `length`: bytes of the block. */
function compress(state: Words, block: Int32Array, counter: number, length: number, flags: number): Words {
  const v = new Int32Array(16);
  v.set(state);
  v.set(START_VALUE.subarray(0, 4), 8);
  v[12] = counter;
  v[13] = counter / 2 ** 32;
  v[14] = length;
  v[15] = flags;
  for (let at = 0; at < SCHEDULE.length; at += 16) {
    for (let i = 0; i < 4; i++) quarter(v, i, 4 + i, 8 + i, 12 + i, taken(block, at + 2 * i), taken(block, at + 2 * i + 1));
    for (let i = 0; i < 4; i++) {
      const b = 4 + ((i + 1) & 3);
      const c = 8 + ((i + 2) & 3);
      const d = 12 + ((i + 3) & 3);
      quarter(v, i, b, c, d, taken(block, at + 8 + 2 * i), taken(block, at + 9 + 2 * i));
    }
  }
  const out = new Int32Array(8);
  for (let i = 0; i < 8; i++) out[i] = (v[i] as number) ^ (v[i + 8] as number);
  return out;
}

function taken(block: Int32Array, step: number): number {
  return block[SCHEDULE[step] as number] as number;
}

/** Mixes two words of the block into one column or diagonal of the state. */
function quarter(v: Int32Array, ia: number, ib: number, ic: number, id: number, x: number, y: number): void {
  let a = v[ia] as number;
  let b = v[ib] as number;
  let c = v[ic] as number;
  let d = v[id] as number;
  a = (a + b + x) | 0;
  d = turned(d ^ a, 16);
  c = (c + d) | 0;
  b = turned(b ^ c, 12);
  a = (a + b + y) | 0;
  d = turned(d ^ a, 8);
  c = (c + d) | 0;
  b = turned(b ^ c, 7);
  v[ia] = a;
  v[ib] = b;
  v[ic] = c;
  v[id] = d;
}

function turned(x: number, bits: number): number {
  return (x >>> bits) | (x << (32 - bits));
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

function bytesOf(words: Words): Uint8Array {
  return Uint8Array.from({ length: HASH_BYTES }, (_, i) => (words[i >> 2] as number) >>> (8 * (i & 3)));
}

function schedule(): Uint8Array {
  const permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
  const table = new Uint8Array(7 * 16);
  for (let i = 0; i < table.length; i++) table[i] = i < 16 ? i : (table[i - 16 - (i % 16) + (permutation[i % 16] as number)] as number);
  return table;
}
