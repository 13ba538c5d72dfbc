/** Proofs about the state of a node that is not running, from its store. Invariant: what is returned has been verified, as a client does. */
import { HeddleError } from '../base/errors.ts';
import { prove } from '../commitment/proof.ts';
import { type ProvenEntry, verifyProof } from '../commitment/verify.ts';
import { readStoredState } from './folder-store.ts';

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
