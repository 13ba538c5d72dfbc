/**
 * Where the values of dormant accounts are kept: a port, and the one in memory that an engine has by itself. A node gives one that reads
 * its store (`src/node/stored-cold-records.ts`).
 *
 * Invariant: an implementation gives back what was put last. The engine does not rely on it: it compares what it gets with the leaf in
 * its state tree.
 */
export interface ColdRecords {
  /** The value of a dormant account by its 20 bytes of address; undefined if none is kept. */
  get(address: Uint8Array): Uint8Array | undefined;
  /** `height`: the block at whose end the account became dormant. */
  put(address: Uint8Array, value: Uint8Array, height: number): void;
  /** It was revived in block `height`. */
  remove(address: Uint8Array, height: number): void;
  /** All, in the order of addresses. */
  entries(): Iterable<readonly [address: Uint8Array, value: Uint8Array]>;
}

export class MemoryColdRecords implements ColdRecords {
  /** By the address in hexadecimal. */
  private readonly values = new Map<string, Uint8Array>();

  get(address: Uint8Array): Uint8Array | undefined {
    return this.values.get(hex(address));
  }

  put(address: Uint8Array, value: Uint8Array): void {
    this.values.set(hex(address), value);
  }

  remove(address: Uint8Array): void {
    this.values.delete(hex(address));
  }

  *entries(): Generator<readonly [Uint8Array, Uint8Array]> {
    for (const key of [...this.values.keys()].sort()) {
      const value = this.values.get(key);
      if (value !== undefined) yield [new Uint8Array(Buffer.from(key, 'hex')), value];
    }
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
