/**
 * The access list of a block: what was read and written by which transaction, as the sequence of accesses that the run made.
 *
 * Kept in the kernel's form (trace entries, `src/kernel/layout.ts`), so that it can be handed to the deterministic and the sharded
 * executor as it is; `entries` gives the canonical form with keys. Locations are the same on every node that has executed the same
 * blocks from the same genesis.
 */
import * as L from '../kernel/layout.ts';
import type { AccessEntry, AccessList } from './api.ts';
import type { LocationNames } from './state.ts';

const KINDS = ['', 'read', 'write', 'add', 'readBits', 'setBits', 'clearBits'] as const;

export class RecordedAccessList implements AccessList {
  readonly transactions: number;
  /** Words of all transactions, one after the other. */
  readonly words: Uint32Array;
  /** transactions + 1 entries: where each one's words start. */
  readonly starts: Uint32Array;
  private readonly names: () => LocationNames;

  constructor(words: Uint32Array, starts: Uint32Array, names: () => LocationNames) {
    this.transactions = starts.length - 1;
    this.words = words;
    this.starts = starts;
    this.names = names;
  }

  get bytes(): number {
    return this.words.byteLength;
  }

  /** The canonical form of one transaction as location, kind and mask: sorted, merged; a write covers reads and adds of its record. */
  merged(transaction: number): { location: number; kind: number; mask: bigint }[] {
    const found = new Map<string, { location: number; kind: number; mask: bigint }>();
    const end = this.starts[transaction + 1] as number;
    for (let at = this.starts[transaction] as number; at < end; ) {
      const word = this.words[at] as number;
      const location = word >>> 3;
      const kind = word & 7;
      let mask = 0n;
      if (kind >= L.TRACE_BITS_READ) {
        mask = BigInt(this.words[at + 1] as number) | (BigInt(this.words[at + 2] as number) << 32n);
        at += 3;
      } else at += 1;
      const name = `${location}/${kind}`;
      const entry = found.get(name);
      if (entry === undefined) found.set(name, { location, kind, mask });
      else entry.mask |= mask;
    }
    for (const { location } of [...found.values()].filter(({ kind }) => kind === L.TRACE_WRITE)) {
      found.delete(`${location}/${L.TRACE_READ}`);
      found.delete(`${location}/${L.TRACE_ADD}`);
    }
    return [...found.values()].sort((a, b) => a.location - b.location || a.kind - b.kind);
  }

  /** Of all transactions. Of a block that has ended and whose keys are still there. */
  items(): Uint8Array[] {
    return Array.from({ length: this.transactions }, (_, transaction) => this.item(transaction));
  }

  /**
   * What a header's access list has of a transaction, the definition that the kernel follows (`assembly/digest.ts`): in the order of the accesses u8 kind,
   * u8 bytes of the key, the key, of bits their u64 mask. What is only a node's own is left out.
   */
  private item(transaction: number): Uint8Array {
    const names = this.names();
    const parts: Buffer[] = [];
    const end = this.starts[transaction + 1] as number;
    for (let at = this.starts[transaction] as number; at < end; ) {
      const word = this.words[at] as number;
      const kind = word & 7;
      const key = names.listedKey(word >>> 3);
      const mask = kind >= L.TRACE_BITS_READ ? Buffer.from(this.words.slice(at + 1, at + 3).buffer) : undefined;
      at += mask === undefined ? 1 : 3;
      if (key !== undefined) parts.push(Buffer.from([kind, key.length]), key, ...(mask === undefined ? [] : [mask]));
    }
    return new Uint8Array(Buffer.concat(parts));
  }

  entries(transaction: number): readonly AccessEntry[] {
    const names = this.names();
    return this.merged(transaction)
      .map(({ location, kind, mask }) => ({ ...names.name(location), kind: KINDS[kind] as AccessEntry['kind'], mask }))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }
}
