/**
 * The keys of one transaction of the store in their order, each once: what a run is written from.
 *
 * Keys of a kind have one length. What all of them begin with is skipped; the bits behind it go into the upper part of a word of 64 bits, a key's place into
 * the lower part, and the words are sorted by the machine's own sort. Keys that are equal that far are sorted the same way by what follows: each time at
 * least four bytes further, so it is n log n whatever keys senders choose.
 *
 * Not here: where keys are cut into chunks (run-chunks.ts), and keys that have been written (run-merge.ts).
 */
import { bytesOfKind, KINDS } from './index-keys.ts';
import { copyKey } from './run-chunks.ts';

/** Keys of one kind, one behind the other, in their order. */
export interface SortedKeys {
  readonly keyBytes: number;
  readonly bytes: Uint8Array;
}

const WORD_BYTES = 8;
/** So few are put in order one by one. */
const FEW = 12;

/** `pieces`: keys one behind the other. What comes back is in the order of kinds. */
export function sortedKeys(pieces: readonly Uint8Array[]): SortedKeys[] {
  const stretches = stretchesByKind(pieces);
  return KINDS.flatMap((kind) => {
    const ofKind = stretches[kind] as Uint8Array[];
    return ofKind.length === 0 ? [] : [new KeySort(joined(ofKind), bytesOfKind(kind)).sorted()];
  });
}

/** Keys of a kind lie together as blocks give them. */
function stretchesByKind(pieces: readonly Uint8Array[]): Uint8Array[][] {
  const stretches: Uint8Array[][] = Array.from({ length: 1 + Math.max(...KINDS) }, () => []);
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const kind = piece[at] as number;
      const begin = at;
      for (const keyBytes = bytesOfKind(kind); piece[at] === kind; ) at += keyBytes;
      (stretches[kind] as Uint8Array[]).push(piece.subarray(begin, at));
    }
  }
  return stretches;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

class KeySort {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly keyBytes: number;
  private readonly count: number;
  /** Where the key of each place begins. */
  private readonly order: Uint32Array;
  private readonly words: BigUint64Array;
  /** The same, low word first. */
  private readonly halves: Uint32Array;

  constructor(bytes: Uint8Array, keyBytes: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.keyBytes = keyBytes;
    this.count = bytes.length / keyBytes;
    this.order = new Uint32Array(this.count);
    for (let i = 0; i < this.count; i++) this.order[i] = i * keyBytes;
    this.words = new BigUint64Array(this.count);
    this.halves = new Uint32Array(this.words.buffer);
  }

  sorted(): SortedKeys {
    const { bytes, keyBytes, order, count } = this;
    this.sort(0, count, 1);
    const sorted = new Uint8Array(bytes.length);
    const sortedView = new DataView(sorted.buffer);
    let length = 0;
    let last = -1;
    for (let i = 0; i < count; i++) {
      const at = order[i] as number;
      if (last >= 0 && this.isEqual(last, at)) continue;
      copyKey(this.view, at, sortedView, length, keyBytes);
      length += keyBytes;
      last = at;
    }
    return { keyBytes, bytes: sorted.subarray(0, length) };
  }

  /** The keys of these places, which are equal in the first `equal` bytes. */
  private sort(from: number, to: number, equal: number): void {
    if (to - from <= FEW) {
      this.insert(from, to, equal);
      return;
    }
    const begin = this.sharedBytes(from, to, equal);
    if (begin === this.keyBytes) return;
    const indexBits = 32 - Math.clz32(to - from - 1);
    const indexMask = 2 ** indexBits - 1;
    const prefixMask = ~indexMask;
    this.fill(from, to, begin, prefixMask);
    this.words.subarray(from, to).sort();
    const { order, halves } = this;
    const before = order.slice(from, to);
    for (let i = from; i < to; i++) order[i] = before[(halves[2 * i] as number) & indexMask] as number;
    const equalNow = Math.min(this.keyBytes, begin + ((64 - indexBits) >> 3));
    for (let i = from; i < to; ) {
      const low = (halves[2 * i] as number) & prefixMask;
      const high = halves[2 * i + 1];
      let end = i + 1;
      while (end < to && halves[2 * end + 1] === high && ((halves[2 * end] as number) & prefixMask) === low) end++;
      // It writes no words but those of these places, which have been read.
      if (end - i > 1) this.sort(i, end, equalNow);
      i = end;
    }
  }

  /** What follows the first `begin` bytes of each key, then its place. */
  private fill(from: number, to: number, begin: number, prefixMask: number): void {
    const { view, order, halves, keyBytes } = this;
    // Near the end: eight bytes that end with the key, and the first of them shifted out.
    const missing = Math.max(0, begin + WORD_BYTES - keyBytes);
    const offset = begin - missing;
    const shift = 8 * missing;
    for (let i = from; i < to; i++) {
      const at = (order[i] as number) + offset;
      let high = view.getUint32(at);
      let low = view.getUint32(at + 4);
      if (shift >= 32) {
        high = low << (shift - 32);
        low = 0;
      } else if (shift > 0) {
        high = (high << shift) | (low >>> (32 - shift));
        low <<= shift;
      }
      halves[2 * i] = (low & prefixMask) | (i - from);
      halves[2 * i + 1] = high;
    }
  }

  private insert(from: number, to: number, equal: number): void {
    const { order } = this;
    for (let i = from + 1; i < to; i++) {
      const key = order[i] as number;
      let place = i;
      for (; place > from && this.compare(order[place - 1] as number, key, equal) > 0; place--) order[place] = order[place - 1] as number;
      order[place] = key;
    }
  }

  private sharedBytes(from: number, to: number, equal: number): number {
    const { bytes, order, keyBytes } = this;
    const first = order[from] as number;
    let shared = keyBytes;
    for (let i = from + 1; i < to && shared > equal; i++) {
      const at = order[i] as number;
      let same = equal;
      while (same < shared && bytes[at + same] === bytes[first + same]) same++;
      shared = same;
    }
    return shared;
  }

  /** From the end: keys that follow each other begin alike more often than they end alike. */
  private isEqual(one: number, other: number): boolean {
    const { bytes, keyBytes } = this;
    for (let i = keyBytes - 1; i > 0; i--) if (bytes[one + i] !== bytes[other + i]) return false;
    return true;
  }

  private compare(one: number, other: number, equal: number): number {
    const { bytes, keyBytes } = this;
    for (let i = equal; i < keyBytes; i++) {
      const difference = (bytes[one + i] as number) - (bytes[other + i] as number);
      if (difference !== 0) return difference;
    }
    return 0;
  }
}
