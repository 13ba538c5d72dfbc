/**
 * The tree over a list of records, as proofs see it: every question is answered from the whole list. Slow and obviously right.
 */
import type { TreeReader } from './proof.ts';
import { committedValue, type Leaf, leafOf, pathOf, sharesPrefix, type TreeRecord, treeHash } from './state-tree.ts';

export class NaiveTree implements TreeReader {
  readonly #leaves: readonly (Leaf & TreeRecord)[];

  /** Records with different keys, in any order. */
  constructor(records: Iterable<TreeRecord>) {
    this.#leaves = Array.from(records, ({ key, value: payload }) => {
      const value = committedValue(key, payload);
      return { path: pathOf(key), hash: leafOf(key, value), key, value };
    });
  }

  get root(): Uint8Array {
    return treeHash(this.#leaves, 0);
  }

  count(depth: number, path: Uint8Array): 0 | 1 | 2 {
    return Math.min(this.#below(depth, path).length, 2) as 0 | 1 | 2;
  }

  hash(depth: number, path: Uint8Array): Uint8Array {
    return treeHash(this.#below(depth, path), depth);
  }

  only(depth: number, path: Uint8Array): TreeRecord {
    return this.#below(depth, path)[0] as TreeRecord;
  }

  #below(depth: number, path: Uint8Array): (Leaf & TreeRecord)[] {
    return this.#leaves.filter((leaf) => sharesPrefix(leaf.path, path, depth));
  }
}
