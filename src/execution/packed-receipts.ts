/**
 * The receipts of a block as they are kept: one behind the other, each behind its length as a u32; a receipt is its u32 code, then its events.
 * Everything here is the holder's own: the kernel uses its memory again.
 */
export class PackedReceipts {
  readonly bytes: Uint8Array;
  readonly count: number;
  private readonly view: DataView;
  /** Where each receipt starts, behind its length; made when one is first asked for. */
  private starts: Uint32Array | undefined;

  constructor(bytes: Uint8Array, count: number) {
    this.bytes = bytes;
    this.count = count;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  code(index: number): number {
    return this.view.getUint32(this.startOf(index), true);
  }

  events(index: number): Uint8Array {
    const start = this.startOf(index);
    return this.bytes.subarray(start + 4, start + this.view.getUint32(start - 4, true));
  }

  /** Code and events, as headers commit to them. */
  items(): Uint8Array[] {
    const items: Uint8Array[] = [];
    for (let index = 0; index < this.count; index++) {
      const start = this.startOf(index);
      items.push(this.bytes.subarray(start, start + this.view.getUint32(start - 4, true)));
    }
    return items;
  }

  private startOf(index: number): number {
    if (this.starts === undefined) {
      this.starts = new Uint32Array(this.count);
      let at = 4;
      for (let i = 0; i < this.count; i++) {
        this.starts[i] = at;
        at += 4 + this.view.getUint32(at - 4, true);
      }
    }
    return this.starts[index] as number;
  }
}
