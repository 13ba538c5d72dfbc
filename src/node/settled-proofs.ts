/**
 * Proofs about the state of a node that is running, from the records of its store.
 *
 * The tree over all records is made when somebody asks, in small pieces between other work, and kept for a while: many who ask share one.
 * Invariant: a proof is about the state of the header that it comes with, and was verified. The thread is never held for longer than sorting
 * the records takes; a ledger of more records than `recordsMax` is not proven here, but by `proveKey` from a node that is not running.
 */
import { HeddleError } from '../base/errors.ts';
import { type BlockHeader, decodeHeader } from '../commitment/header.ts';
import { prove } from '../commitment/proof.ts';
import { verifyProof } from '../commitment/verify.ts';
import type { Store } from '../storage/index.ts';
import { SortedTree } from './sorted-tree.ts';

export interface StoredProof {
  readonly header: BlockHeader;
  readonly proof: Uint8Array;
}

export interface SettledProofsOptions {
  readonly recordsMax: number;
  /** How long a tree answers for the newest state. */
  readonly freshMs: number;
}

const PIECE = 500;
/** The nodes of this depth are hashed one by one, with other work between them. */
const PIECES_DEPTH = 8;
/** Nodes with at most this many records are hashed again when they are asked for. */
const REMEMBERED_FROM = 16;

/** Keeps the hashes of nodes with many records. */
class RememberingTree extends SortedTree {
  private readonly hashes = new Map<string, Uint8Array>();

  override hashOf(from: number, to: number, depth: number): Uint8Array {
    if (to - from < REMEMBERED_FROM) return super.hashOf(from, to, depth);
    const name = `${from} ${to} ${depth}`;
    const known = this.hashes.get(name);
    if (known !== undefined) return known;
    const hash = super.hashOf(from, to, depth);
    this.hashes.set(name, hash);
    return hash;
  }
}

interface Built {
  readonly header: BlockHeader;
  readonly tree: SortedTree;
}

export class SettledProofs {
  private readonly store: Store;
  private readonly options: SettledProofsOptions;
  private built: Promise<Built | undefined> | undefined;
  private builtAtMs = 0;

  constructor(store: Store, options: SettledProofsOptions) {
    this.store = store;
    this.options = options;
  }

  /** Undefined: nothing is settled yet, or there are too many records. Rejects with INVALID_KEY, NO_KEYS, STORE_DAMAGED. */
  async prove(keys: readonly Uint8Array[]): Promise<StoredProof | undefined> {
    const now = performance.now();
    if (this.built === undefined || now - this.builtAtMs > this.options.freshMs) {
      this.builtAtMs = now;
      this.built = this.build();
      this.built.catch(() => {
        this.built = undefined;
      });
    }
    const built = await this.built;
    if (built === undefined) return undefined;
    const proof = prove(built.tree, keys);
    verifyProof(built.header.stateRoot, proof);
    return { header: built.header, proof };
  }

  private async build(): Promise<Built | undefined> {
    const records = this.store.records();
    try {
      const { height } = records;
      const bytes = height === undefined ? undefined : this.store.header(height);
      if (bytes === undefined) return undefined;
      const header = decodeHeader(bytes);
      const tree = await RememberingTree.inPieces(records, PIECE, this.options.recordsMax, othersFirst);
      if (tree === undefined) return undefined;
      const path = new Uint8Array(32);
      for (let first = 0; first < 1 << PIECES_DEPTH; first++) {
        path[0] = first;
        tree.hash(PIECES_DEPTH, path);
        await othersFirst();
      }
      if (Buffer.compare(tree.root, header.stateRoot) !== 0) {
        throw new HeddleError(
          'STORE_DAMAGED',
          `the records of block ${header.height} in the store have another root than their header says`,
        );
      }
      return { header, tree };
    } finally {
      records.close();
    }
  }
}

const othersFirst = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
