/**
 * Snapshots of a node that is not running: written from its store, restored into a folder that goes on from there.
 *
 * Invariant: a restored node ends, after the same blocks, in the same headers as the one that the snapshot is of. A folder is there when all
 * of it has been verified, or not at all.
 * Not here: bodies and receipts of blocks up to the snapshot's; whether its header is one to believe: its hash is returned.
 */
import { copyFile, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { HeddleError } from '../base/errors.ts';
import { type BlockHeader, headerHash } from '../commitment/header.ts';
import { Journal, RealDisk, Store } from '../storage/index.ts';
import { checkEmpty, createFolder, pathsOf } from './folder.ts';
import { readStoredState } from './folder-store.ts';
import { encodeGenesis } from './genesis-file.ts';
import { genesisHash } from './genesis-hash.ts';
import { type ChunkEntry, encodeManifest, manifestBytes, PREFACE_BYTES, packChunks } from './snapshot-format.ts';
import { commitSnapshot, SnapshotReader } from './snapshot-reader.ts';

export interface SnapshotSummary {
  readonly header: BlockHeader;
  /** Of the header: what says whether the snapshot is the right one. */
  readonly hash: Uint8Array;
  readonly records: number;
  readonly chunks: number;
  readonly bytes: number;
}

/** Of the store's last height. Throws NO_FOLDER, NO_STORE, NOTHING_SETTLED, STORE_DAMAGED, CANNOT_WRITE and what opening a store throws. */
export async function writeSnapshot(dir: string, file: string): Promise<SnapshotSummary> {
  const { genesis, header, tree } = await readStoredState(dir);
  if (header.height === 0) throw new HeddleError('NOTHING_SETTLED', `the node of ${dir} has no block yet: its genesis.json is enough`);
  const genesisBytes = encodeGenesis(genesis);
  const { depth, chunks: packed } = packChunks(tree);
  let end = PREFACE_BYTES + manifestBytes(genesisBytes, depth);
  const chunks = packed.map(({ packed: _packed, ...entry }): ChunkEntry => {
    const offset = end;
    end += entry.packedBytes;
    return { ...entry, offset };
  });
  const manifest = encodeManifest({ chainId: genesisHash(genesis), header, depth, genesis: genesisBytes, chunks });
  await writeWhole(file, [manifest, ...packed.map(({ packed: bytes }) => bytes)]);
  return { header, hash: headerHash(header), records: tree.records.length, chunks: chunks.length, bytes: end };
}

/** `dir` must be empty or not there. Throws CANNOT_READ, BAD_SNAPSHOT, WRONG_VERSION, FOLDER_EXISTS, CANNOT_WRITE. */
export async function restoreSnapshot(file: string, dir: string): Promise<SnapshotSummary> {
  const snapshot = await SnapshotReader.open(file);
  try {
    await checkEmpty(dir);
    const { header, chunks } = snapshot.manifest;
    const target = resolve(dir);
    const made = await doing(dir, () => mkdtemp(`${target}.restoring-`));
    try {
      await fill(made, file, snapshot);
      await doing(dir, () => rename(made, target));
      await (await RealDisk.open(dirname(target))).syncFolder();
    } catch (error) {
      await rm(made, { recursive: true, force: true });
      throw error;
    }
    const last = chunks.at(-1) as ChunkEntry;
    const records = chunks.reduce((sum, chunk) => sum + chunk.records, 0);
    return { header, hash: headerHash(header), records, chunks: chunks.length, bytes: last.offset + last.packedBytes };
  } finally {
    await snapshot.close();
  }
}

async function fill(dir: string, file: string, snapshot: SnapshotReader): Promise<void> {
  const { chainId, header } = snapshot.manifest;
  const paths = pathsOf(dir);
  await createFolder(dir, snapshot.genesis);
  const store = await Store.open(paths.store, { chainId });
  try {
    await commitSnapshot(snapshot, store);
  } finally {
    await store.close();
  }
  // The journal follows on it; a journal that is missing later is then known to be missing.
  const journal = await Journal.open(await RealDisk.open(paths.journal), { chainId, after: header.height });
  await journal.close();
  await doing(dir, () => copyFile(file, paths.snapshot));
}

/** Under a name of its own first, so that there never is a part of a snapshot. */
async function writeWhole(file: string, parts: readonly Uint8Array[]): Promise<void> {
  const path = resolve(file);
  const temporary = `${path}.new`;
  await doing(file, async () => {
    const handle = await open(temporary, 'w');
    try {
      try {
        for (const part of parts) await handle.writeFile(part);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, path);
    } catch (error) {
      // A full disk is not left fuller; `file` may also be a folder.
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  });
  await (await RealDisk.open(dirname(path))).syncFolder();
}

async function doing<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw new HeddleError('CANNOT_WRITE', `cannot write ${basename(path)} in ${dirname(resolve(path))}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
