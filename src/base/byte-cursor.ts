/**
 * Reads bytes from front to back, and never beyond their end: the lower half of every reader of packed columns.
 *
 * Invariant: what is taken is there. Nothing is allocated by what a count or a length says before the bytes are found to be there.
 * Throws MALFORMED for everything else. Not here: what the bytes mean.
 */
import { HeddleError } from './errors.ts';

export class ByteCursor {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  malformed(what: string): never {
    throw new HeddleError('MALFORMED', `byte ${this.at}: ${what}; the sender has to encode it anew, or the bytes have been damaged`);
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) this.malformed('the bytes end too early');
    this.at++;
    return value;
  }

  /** A natural number up to 2^53 - 1, in groups of seven bits, the lowest first; no superfluous groups. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (byte === 0 && i > 0) this.malformed('a number has superfluous bytes');
        return value <= Number.MAX_SAFE_INTEGER ? value : this.malformed('a number is too large');
      }
      scale *= 128;
    }
    return this.malformed('a number is too large');
  }

  /** A view. */
  take(length: number): Uint8Array {
    if (length > this.left) this.malformed('the bytes end too early');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  end(): void {
    if (this.left > 0) this.malformed(`${this.left} bytes are left over`);
  }
}

/** What `ByteCursor.varint` reads. */
export function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
