/**
 * Changed records as bytes: what execution hands over for a block, and what the store takes. A few arrays in place of two for each record.
 *
 *   change   u8 bytes of the key, u16 bytes of the value, little endian (0xffff: the record is gone), the key, the value
 *   piece    changes, one behind the other
 *
 * Invariant: the changes are those of the pieces, in their order; no change is split over two pieces.
 * Not here: what keys and values mean, and who makes them (execution/assembly/pack-changes.ts, in the kernel).
 */
import { assert } from './assert.ts';

export interface RecordChange {
  /** 1 to 255 bytes. */
  readonly key: Uint8Array;
  /** At most 65,534 bytes. Undefined: the record is gone. */
  readonly value: Uint8Array | undefined;
}

export const HEAD_BYTES = 3;
const GONE = 0xffff;
const KEY_BYTES_MAX = 255;
const PIECE_BYTES = 1 << 16;

export class PackedChanges implements Iterable<RecordChange> {
  readonly pieces: readonly Uint8Array[];

  /** Throws an assertion where a piece does not consist of whole changes: who goes through them afterwards need not expect it. */
  constructor(pieces: readonly Uint8Array[]) {
    this.pieces = pieces;
    for (const piece of pieces) {
      let at = 0;
      while (at < piece.length) {
        assert(piece[at] !== 0, 'a change without a key');
        at = changeEnd(piece, at);
      }
      assert(at === piece.length, `a change that ends at ${at} of ${piece.length} bytes`);
    }
  }

  /** The same changes, copied. */
  static of(changes: Iterable<RecordChange>): PackedChanges {
    return new PackedChanges([...packedPieces(changes)]);
  }

  /** The same changes, copied piece by piece: for more of them than are to be in memory at once. */
  static *inPieces(changes: Iterable<RecordChange>): Generator<PackedChanges, void, undefined> {
    for (const piece of packedPieces(changes)) yield new PackedChanges([piece]);
  }

  /** Before the first change. */
  cursor(): ChangeCursor {
    return new ChangeCursor(this.pieces);
  }

  /** Keys and values are views of the pieces. */
  *[Symbol.iterator](): Generator<RecordChange, void, undefined> {
    for (const piece of this.pieces) {
      for (let at = 0; at < piece.length; at = changeEnd(piece, at)) yield changeAt(piece, at);
    }
  }
}

/** Goes through changes and makes no object of any: for those who look at every change of every block. */
export class ChangeCursor {
  /** Where the change is that `next` has found. */
  view: DataView = new DataView(new ArrayBuffer(0));
  keyAt = 0;
  keyBytes = 0;
  valueAt = 0;
  /** -1: the record is gone. */
  valueBytes = 0;
  private readonly pieces: readonly Uint8Array[];
  private nextPiece = 0;
  private end = 0;

  constructor(pieces: readonly Uint8Array[]) {
    this.pieces = pieces;
  }

  /** Finds the next change, if there is one. */
  next(): boolean {
    while (this.end === this.view.byteLength) {
      const piece = this.pieces[this.nextPiece++];
      if (piece === undefined) return false;
      this.view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
      this.end = 0;
    }
    const { view, end: at } = this;
    const bytes = view.getUint16(at + 1, true);
    this.keyAt = at + HEAD_BYTES;
    this.keyBytes = view.getUint8(at);
    this.valueAt = this.keyAt + this.keyBytes;
    this.valueBytes = bytes === GONE ? -1 : bytes;
    this.end = bytes === GONE ? this.valueAt : this.valueAt + bytes;
    return true;
  }

  /** Of a key of a class and numbers: a number, which has to be there. */
  field(index: number): number {
    return this.view.getUint32(this.keyAt + 1 + 4 * index);
  }

  /** The key's bytes from one of them on, as a view. */
  keyFrom(byte: number): Uint8Array {
    return new Uint8Array(this.view.buffer, this.view.byteOffset + this.keyAt + byte, this.keyBytes - byte);
  }
}

function* packedPieces(changes: Iterable<RecordChange>): Generator<Uint8Array, void, undefined> {
  let piece = new Uint8Array();
  let used = 0;
  for (const { key, value } of changes) {
    assert(key.length > 0 && key.length <= KEY_BYTES_MAX, `a key of ${key.length} bytes`);
    assert(value === undefined || value.length < GONE, `a value of ${value?.length} bytes`);
    const valueBytes = value?.length ?? 0;
    const bytes = HEAD_BYTES + key.length + valueBytes;
    if (used + bytes > piece.length) {
      if (used > 0) yield piece.subarray(0, used);
      piece = new Uint8Array(Math.max(PIECE_BYTES, bytes));
      used = 0;
    }
    const coded = value === undefined ? GONE : valueBytes;
    piece[used] = key.length;
    piece[used + 1] = coded;
    piece[used + 2] = coded >>> 8;
    piece.set(key, used + HEAD_BYTES);
    if (value !== undefined) piece.set(value, used + HEAD_BYTES + key.length);
    used += bytes;
  }
  if (used > 0) yield piece.subarray(0, used);
}

/** The change that begins at this byte of a piece: views of it. */
export function changeAt(piece: Uint8Array, at: number): RecordChange {
  const valueAt = at + HEAD_BYTES + (piece[at] as number);
  const value = isGone(piece, at) ? undefined : piece.subarray(valueAt, changeEnd(piece, at));
  return { key: piece.subarray(at + HEAD_BYTES, valueAt), value };
}

function isGone(piece: Uint8Array, at: number): boolean {
  return piece[at + 1] === 0xff && piece[at + 2] === 0xff;
}

/** Where the next one begins. NaN where the piece ends within the head. */
export function changeEnd(piece: Uint8Array, at: number): number {
  const keyEnd = at + HEAD_BYTES + (piece[at] as number);
  return isGone(piece, at) ? keyEnd : keyEnd + (piece[at + 1] as number) + 256 * (piece[at + 2] as number);
}
