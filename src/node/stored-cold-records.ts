/**
 * Dormant accounts of a node: their values are records of its store like any others; what the store has not committed yet is kept here.
 *
 * Invariant: `get` gives what the last executed block left, however far the store is behind it. What the store has is not kept in memory
 * a second time.
 * Not here: writing to the store, which happens with everything else that a block has changed (pipeline.ts).
 */
import { CLASS_DORMANT } from '../exchange/layout.ts';
import type { ColdRecords } from '../execution/cold-records.ts';
import type { Store } from '../storage/index.ts';

interface Ahead {
  readonly address: Uint8Array;
  /** Undefined: it was revived. */
  readonly value: Uint8Array | undefined;
  /** The block that did it. */
  readonly height: number;
}

export class StoredColdRecords implements ColdRecords {
  private readonly store: Store;
  /** What blocks above the store's height did, by address in hexadecimal; those of lower heights first. */
  private readonly ahead = new Map<string, Ahead>();

  constructor(store: Store) {
    this.store = store;
  }

  get(address: Uint8Array): Uint8Array | undefined {
    const ahead = this.ahead.get(hex(address));
    if (ahead !== undefined) return ahead.value;
    return this.store.record(keyOf(address));
  }

  /** What a store gives when a node starts is put again: it is not kept here. */
  put(address: Uint8Array, value: Uint8Array, height: number): void {
    if (height <= (this.store.height ?? -1) && !this.ahead.has(hex(address))) {
      const stored = this.store.record(keyOf(address));
      if (stored !== undefined && Buffer.compare(stored, value) === 0) return;
    }
    this.set({ address, value, height });
  }

  remove(address: Uint8Array, height: number): void {
    this.set({ address, value: undefined, height });
  }

  private set(ahead: Ahead): void {
    const key = hex(ahead.address);
    // Behind the others: it is of the highest block.
    this.ahead.delete(key);
    this.ahead.set(key, ahead);
    this.forgetCommitted();
  }

  private forgetCommitted(): void {
    const committed = this.store.height ?? -1;
    for (const [key, { height }] of this.ahead) {
      if (height > committed) return;
      this.ahead.delete(key);
    }
  }

  *entries(): Generator<readonly [Uint8Array, Uint8Array]> {
    const ahead = [...this.ahead.values()].sort((a, b) => Buffer.compare(a.address, b.address));
    const records = this.store.records(Uint8Array.of(CLASS_DORMANT));
    let next = 0;
    try {
      for (const { key, value } of records) {
        if (key[0] !== CLASS_DORMANT) break;
        const address = key.subarray(1);
        for (; next < ahead.length && Buffer.compare((ahead[next] as Ahead).address, address) < 0; next++) {
          yield* own(ahead[next] as Ahead);
        }
        const instead = ahead[next];
        if (instead !== undefined && Buffer.compare(instead.address, address) === 0) {
          next++;
          yield* own(instead);
        } else yield [address, value];
      }
      for (; next < ahead.length; next++) yield* own(ahead[next] as Ahead);
    } finally {
      records.close();
    }
  }
}

function* own({ address, value }: Ahead): Generator<readonly [Uint8Array, Uint8Array]> {
  if (value !== undefined) yield [address, value];
}

function keyOf(address: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(CLASS_DORMANT), address]);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
