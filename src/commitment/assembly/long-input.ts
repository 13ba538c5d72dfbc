/**
 * BLAKE3 of an input of any length that comes in pieces: of four chunks at a time, which are as many hashes as the vectors have.
 *
 * Invariant: the hash depends on the bytes alone, not on the pieces that they came in.
 */
import { chunkValue, chunkValues, CHUNK_INPUT_BYTES, parentValue, WIDE_BYTES } from './blake3';

/** Chunks of an input whose number is a u32: their values wait in a stack, one for each bit. */
const STACK_VALUES: u32 = 32;
/** Chunks that are kept until others follow. */
const HELD_BYTES: u32 = 4 * CHUNK_INPUT_BYTES;
/** Two chunks up to here are hashed one after the other. Measured: four at a time take as long as 21 blocks alone. */
const NARROW_MOST: u32 = CHUNK_INPUT_BYTES + 5 * 64;

/** What is known of an input so far. */
@unmanaged
@final
export class LongInput {
  /** Bytes of the chunks that are being filled. */
  filled: u32;
  /** Chunks that are complete and have been put on the stack. */
  chunks: u32;
  /** Values on the stack: as many as `chunks` has bits. */
  depth: u32;
  /** KEYED or PLAIN. */
  mode: u32;
  /** Where the key is, and its wide form. */
  key: u32;
  wideKey: u32;
}

const LENGTHS: u32 = 32; // u32[4]
const CHUNKS: u32 = 64; // u8[HELD_BYTES]
const WORK: u32 = CHUNKS + HELD_BYTES; // u8[2 * WIDE_BYTES]
const VALUES: u32 = WORK + 2 * WIDE_BYTES; // u8[32][4]
const STACK: u32 = VALUES + 128; // u8[32][STACK_VALUES]
export const LONG_INPUT_BYTES: u32 = STACK + STACK_VALUES * 32;

@inline
function at(input: LongInput, offset: u32): usize {
  return changetype<usize>(input) + offset;
}

/** `key`: 32 bytes; `wideKey`: the same for four hashes. */
export function beginInput(input: LongInput, mode: u32, key: usize, wideKey: usize): void {
  input.mode = mode;
  input.key = <u32>key;
  input.wideKey = <u32>wideKey;
  input.filled = 0;
  input.chunks = 0;
  input.depth = 0;
}

export function addToInput(input: LongInput, from: usize, bytes: u32): void {
  while (bytes != 0) {
    if (input.filled == HELD_BYTES) completeChunks(input);
    const taken = min(bytes, HELD_BYTES - input.filled);
    memory.copy(at(input, CHUNKS + input.filled), from, taken);
    input.filled += taken;
    from += taken;
    bytes -= taken;
  }
}

/** Four chunks that others follow. */
function completeChunks(input: LongInput): void {
  findValues(input);
  for (let i: u32 = 0; i < 4; i++) stackValue(input, at(input, VALUES + (i << 5)));
  input.filled = 0;
}

/** The values of all chunks that are held: two or more. */
function findValues(input: LongInput): void {
  const filled = input.filled;
  if (filled <= NARROW_MOST) {
    chunkValue(input.key, input.mode, at(input, CHUNKS), CHUNK_INPUT_BYTES, input.chunks, false, at(input, VALUES));
    const rest = filled - CHUNK_INPUT_BYTES;
    chunkValue(input.key, input.mode, at(input, CHUNKS + CHUNK_INPUT_BYTES), rest, input.chunks + 1, false, at(input, VALUES + 32));
    return;
  }
  for (let i: u32 = 0, from: u32 = 0; i < 4; i++, from += CHUNK_INPUT_BYTES) {
    store<u32>(at(input, LENGTHS + (i << 2)), filled > from ? min(filled - from, CHUNK_INPUT_BYTES) : 0);
  }
  chunkValues(input.wideKey, input.mode, input.chunks, at(input, CHUNKS), at(input, LENGTHS), at(input, WORK), at(input, VALUES));
}

/** The value of a chunk that others follow joins those of the same size before it. */
function stackValue(input: LongInput, value: usize): void {
  input.chunks++;
  for (let complete = input.chunks; (complete & 1) == 0; complete >>= 1) {
    input.depth--;
    parentValue(input.key, input.mode, at(input, STACK + input.depth * 32), value, false, value);
  }
  memory.copy(at(input, STACK + input.depth * 32), value, 32);
  input.depth++;
}

export function endInput(input: LongInput, out: usize): void {
  const filled = input.filled;
  memory.fill(at(input, CHUNKS + filled), 0, filled == 0 ? 64 : (64 - (filled & 63)) & 63);
  let value = at(input, VALUES);
  if (filled <= CHUNK_INPUT_BYTES) chunkValue(input.key, input.mode, at(input, CHUNKS), filled, input.chunks, input.chunks == 0, value);
  else {
    findValues(input);
    for (let left = filled; left > CHUNK_INPUT_BYTES; left -= CHUNK_INPUT_BYTES, value += 32) stackValue(input, value);
  }
  while (input.depth != 0) {
    input.depth--;
    parentValue(input.key, input.mode, at(input, STACK + input.depth * 32), value, input.depth == 0, value);
  }
  memory.copy(out, value, 32);
}
