/**
 * BLAKE3 of an input of any length that comes in pieces. One at a time and not in vectors: few inputs are longer than a chunk.
 *
 * Invariant: the hash depends on the bytes alone, not on the pieces that they came in.
 */
import { chunkValue, CHUNK_INPUT_BYTES, parentValue } from './blake3';

/** Chunks of an input whose number is a u32: their values wait in a stack, one for each bit. */
const STACK_VALUES: u32 = 32;

/** What is known of an input so far. */
@unmanaged
@final
export class LongInput {
  /** Bytes of the chunk that is being filled. */
  filled: u32;
  /** Chunks that are complete and have been put on the stack. */
  chunks: u32;
  /** Values on the stack: as many as `chunks` has bits. */
  depth: u32;
  /** KEYED or PLAIN. */
  mode: u32;
}

const CHUNK: u32 = 64; // u8[1024]
const STACK: u32 = CHUNK + CHUNK_INPUT_BYTES; // u8[32][STACK_VALUES]
const VALUE: u32 = STACK + STACK_VALUES * 32; // u8[32]
export const LONG_INPUT_BYTES: u32 = VALUE + 32;

@inline
function at(input: LongInput, offset: u32): usize {
  return changetype<usize>(input) + offset;
}

export function beginInput(input: LongInput, mode: u32): void {
  input.mode = mode;
  input.filled = 0;
  input.chunks = 0;
  input.depth = 0;
}

export function addToInput(input: LongInput, key: usize, from: usize, bytes: u32): void {
  while (bytes != 0) {
    if (input.filled == CHUNK_INPUT_BYTES) completeChunk(input, key);
    const taken = min(bytes, CHUNK_INPUT_BYTES - input.filled);
    memory.copy(at(input, CHUNK + input.filled), from, taken);
    input.filled += taken;
    from += taken;
    bytes -= taken;
  }
}

/** A chunk that others follow: its value joins those of the same size before it. */
function completeChunk(input: LongInput, key: usize): void {
  const value = at(input, VALUE);
  chunkValue(key, input.mode, at(input, CHUNK), CHUNK_INPUT_BYTES, input.chunks, false, value);
  input.chunks++;
  for (let complete = input.chunks; (complete & 1) == 0; complete >>= 1) {
    input.depth--;
    parentValue(key, input.mode, at(input, STACK + input.depth * 32), value, false, value);
  }
  memory.copy(at(input, STACK + input.depth * 32), value, 32);
  input.depth++;
  input.filled = 0;
}

export function endInput(input: LongInput, key: usize, out: usize): void {
  const value = at(input, VALUE);
  const padding = (64 - (input.filled & 63)) & 63;
  memory.fill(at(input, CHUNK + input.filled), 0, input.filled == 0 ? 64 : padding);
  chunkValue(key, input.mode, at(input, CHUNK), input.filled, input.chunks, input.chunks == 0, value);
  while (input.depth != 0) {
    input.depth--;
    parentValue(key, input.mode, at(input, STACK + input.depth * 32), value, input.depth == 0, value);
  }
  memory.copy(out, value, 32);
}
