/** Proofs about the state of a node, from its store, running or not. Invariant: what is returned has been verified, as a client does. */
import { HeddleError } from '../base/errors.ts';
import { type BlockHeader, decodeHeader } from '../commitment/header.ts';
import { prove } from '../commitment/proof.ts';
import { type ProvenEntry, verifyProof } from '../commitment/verify.ts';
import type { Store } from '../storage/index.ts';
import { readStoredState } from './folder-store.ts';
import { SortedTree } from './sorted-tree.ts';

export interface KeyProof {
  readonly height: number;
  readonly root: Uint8Array;
  readonly proof: Uint8Array;
  /** One for each key, in the order of their paths. */
  readonly entries: readonly ProvenEntry[];
}

/** One proof for all of the keys, whether there are records of them or not. Throws NO_KEYS, INVALID_KEY and what `readStoredState` throws. */
export async function proveKey(dir: string, keys: readonly Uint8Array[]): Promise<KeyProof> {
  if (keys.length === 0) throw new HeddleError('NO_KEYS', 'a proof is about at least one key');
  const { header, tree } = await readStoredState(dir);
  const proof = prove(tree, keys);
  const { entries } = verifyProof(header.stateRoot, proof);
  return { height: header.height, root: header.stateRoot, proof, entries };
}

export interface StoredProof {
  readonly header: BlockHeader;
  readonly proof: Uint8Array;
}

/**
 * Proves keys in the state of the last block that is settled. Reads all records: for a ledger of so many that this takes long, `recordsMax`
 * is where it gives up (undefined), and a node that is not running answers with `proveKey`.
 */
export function proveSettled(store: Store, keys: readonly Uint8Array[], recordsMax: number): StoredProof | undefined {
  const records = store.records();
  try {
    const { height } = records;
    const bytes = height === undefined ? undefined : store.header(height);
    if (bytes === undefined) return undefined;
    const entries: { key: Uint8Array; value: Uint8Array }[] = [];
    for (const entry of records) {
      if (entries.length === recordsMax) return undefined;
      entries.push(entry);
    }
    const header = decodeHeader(bytes);
    const proof = prove(new SortedTree(entries), keys);
    verifyProof(header.stateRoot, proof);
    return { header, proof };
  } finally {
    records.close();
  }
}
