/**
 * Rows of one size in chunks outside of the heap that garbage is collected on: what is remembered by the hundred thousand costs nothing there
 * but a few objects a chunk.
 *
 * A row is known by its number, which stays while the row is taken; `view` and `at` say where its bytes are. Chunks are never given back, and stay where
 * they are but for this: a snapshot shares them, and what is written to one of them through `writable` goes into a copy. So whoever takes
 * snapshots writes through `writable` only; a snapshot takes as long as there are chunks, however much is in them.
 * Invariant: a number is given to one user at a time, and never NO_ROW. What a new row holds is undefined. A snapshot does not change.
 */

/** No row: lists end with it. */
export const NO_ROW = 0;

const CHUNK_BITS = 8;
const CHUNK_MASK = (1 << CHUNK_BITS) - 1;

/** Rows to read. */
export interface ReadableRows {
  view(row: number): DataView;
  at(row: number): number;
}

export class RowSpace implements ReadableRows {
  private readonly rowBytes: number;
  private readonly chunks: DataView[];
  /** Chunks that a snapshot has as well. */
  private readonly shared = new Set<number>();
  /** First of the rows that were given back; each has the next one in its first word. */
  private returned = NO_ROW;
  /** Rows from it on were never taken. */
  private fresh = NO_ROW + 1;

  /** `rowBytes`: at least 4. */
  constructor(rowBytes: number, chunks: readonly DataView[] = []) {
    this.rowBytes = rowBytes;
    this.chunks = [...chunks];
  }

  take(): number {
    const row = this.returned;
    if (row !== NO_ROW) {
      this.returned = this.view(row).getUint32(this.at(row), true);
      return row;
    }
    if (this.fresh >>> CHUNK_BITS === this.chunks.length) this.chunks.push(new DataView(new ArrayBuffer(this.rowBytes << CHUNK_BITS)));
    return this.fresh++;
  }

  /** Gives a row back, once. */
  giveBack(row: number): void {
    this.writable(row).setUint32(this.at(row), this.returned, true);
    this.returned = row;
  }

  /** The rows as they are now. */
  snapshot(): ReadableRows {
    for (let chunk = 0; chunk < this.chunks.length; chunk++) this.shared.add(chunk);
    return new RowSpace(this.rowBytes, this.chunks);
  }

  /** As `view`, to write as well. */
  writable(row: number): DataView {
    const chunk = row >>> CHUNK_BITS;
    if (this.shared.size > 0 && this.shared.delete(chunk)) {
      this.chunks[chunk] = new DataView((this.view(row).buffer as ArrayBuffer).slice(0));
    }
    return this.view(row);
  }

  view(row: number): DataView {
    return this.chunks[row >>> CHUNK_BITS] as DataView;
  }

  /** Where in `view` the row begins. */
  at(row: number): number {
    return (row & CHUNK_MASK) * this.rowBytes;
  }
}
