/** The store of a folder whose node is not running, for those that read from it. */
import { access } from 'node:fs/promises';
import { HeddleError } from '../base/errors.ts';
import { type BlockHeader, decodeHeader } from '../commitment/header.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { Store } from '../storage/index.ts';
import { pathsOf, readGenesis } from './folder.ts';
import { genesisHash } from './genesis-hash.ts';
import { SortedTree } from './sorted-tree.ts';

export interface StoredState {
  readonly genesis: Genesis;
  readonly header: BlockHeader;
  readonly tree: SortedTree;
}

/** The records of the store's height. Throws NO_FOLDER, NO_STORE, STORE_DAMAGED and what opening a store throws. */
export async function readStoredState(dir: string): Promise<StoredState> {
  const genesis = await readGenesis(dir);
  const { store: path } = pathsOf(dir);
  try {
    await access(path);
  } catch (cause) {
    throw new HeddleError('NO_STORE', `${dir} has no store: start the node once, it makes it from the journal`, { cause });
  }
  const store = await Store.open(path, { chainId: genesisHash(genesis) });
  try {
    const { height } = store;
    const bytes = height === undefined ? undefined : store.header(height);
    if (bytes === undefined) throw new HeddleError('NO_STORE', `the store of ${dir} is empty: start the node once, it fills it`);
    const header = decodeHeader(bytes);
    const tree = new SortedTree(recordsOf(store));
    if (Buffer.compare(tree.root, header.stateRoot) !== 0) {
      const found = Buffer.from(tree.root).toString('hex');
      throw new HeddleError(
        'STORE_DAMAGED',
        `the records of block ${height} in the store of ${dir} have the root ${found}, their header says another: remove ${path}, the journal makes it again`,
      );
    }
    return { genesis, header, tree };
  } finally {
    await store.close();
  }
}

export function* recordsOf(store: Store): Generator<{ readonly key: Uint8Array; readonly value: Uint8Array }> {
  const records = store.records();
  try {
    yield* records;
  } finally {
    records.close();
  }
}
