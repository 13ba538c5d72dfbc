/**
 * Rows of one size in chunks outside of the heap that garbage is collected on: what is remembered by the hundred thousand costs nothing there
 * but a few objects a chunk.
 *
 * A row is known by its number, which stays while the row is taken; `view` and `at` say where its bytes are. Chunks are never moved or given back.
 * Invariant: a number is given to one user at a time, and never NO_ROW. What a new row holds is undefined.
 */

/** No row: lists end with it. */
export const NO_ROW = 0;

const CHUNK_BITS = 8;
const CHUNK_MASK = (1 << CHUNK_BITS) - 1;

export class RowSpace {
  private readonly rowBytes: number;
  private readonly chunks: DataView[] = [];
  /** First of the rows that were given back; each has the next one in its first word. */
  private returned = NO_ROW;
  /** Rows from it on were never taken. */
  private fresh = NO_ROW + 1;

  /** `rowBytes`: at least 4. */
  constructor(rowBytes: number) {
    this.rowBytes = rowBytes;
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
    this.view(row).setUint32(this.at(row), this.returned, true);
    this.returned = row;
  }

  view(row: number): DataView {
    return this.chunks[row >>> CHUNK_BITS] as DataView;
  }

  /** Where in `view` the row begins. */
  at(row: number): number {
    return (row & CHUNK_MASK) * this.rowBytes;
  }
}
