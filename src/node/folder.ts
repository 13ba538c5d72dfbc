/**
 * A node's folder: what its chain starts from, and what it has on disk.
 *
 *   genesis.json   the genesis, canonical: its hash is the chain's id
 *   journal/       the ordered blocks
 *   store/         what was executed; made again from the journal when it is not there
 *   snapshot       only in a folder that was restored from one: what the journal follows on
 *
 * Whoever serves it keeps small files of its own beside them.
 *
 * Invariant: a folder has its genesis.json, flushed, before it has anything else of a node.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { HeddleError } from '../base/errors.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { RealDisk, replaceFile, Store } from '../storage/index.ts';
import { decodeGenesis, encodeGenesis } from './genesis-file.ts';
import { genesisHash } from './genesis-hash.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import { commitSnapshot, SnapshotReader } from './snapshot-reader.ts';

export interface FolderOptions extends Omit<PipelineOptions, 'genesis' | 'disk' | 'store' | 'clock'> {
  /** Default: the machine's. */
  readonly clock?: () => number;
  /** Milliseconds in which blocks join to be settled together (src/storage/store.ts). Default 500: a block that comes alone is settled at once. */
  readonly joinMs?: number;
  /** Called before the pipeline starts, with what the folder has: for whoever keeps views of it and is told what comes next. */
  readonly attach?: (genesis: Genesis, store: Store) => Listeners | Promise<Listeners>;
}

const JOIN_MS = 500;

/** What the pipeline tells, and asks, whoever is attached. */
export type Listeners = Pick<PipelineOptions, 'onConfirmed' | 'onExecuted' | 'onSettled' | 'termsOf' | 'expected'>;

interface FolderPaths {
  readonly genesis: string;
  readonly journal: string;
  readonly store: string;
  readonly snapshot: string;
}

export function pathsOf(dir: string): FolderPaths {
  return {
    genesis: join(dir, 'genesis.json'),
    journal: join(dir, 'journal'),
    store: join(dir, 'store'),
    snapshot: join(dir, 'snapshot'),
  };
}

/** Throws NO_FOLDER, BAD_GENESIS, CANNOT_READ. */
export async function readGenesis(dir: string): Promise<Genesis> {
  const path = pathsOf(dir).genesis;
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new HeddleError('NO_FOLDER', `${dir} is not the folder of a node: there is no genesis.json in it`, { cause });
    }
    throw new HeddleError('CANNOT_READ', `cannot read ${path}: ${message}`, { cause });
  }
  return decodeGenesis(bytes, path);
}

/** Makes the folder if it is not there; it must be empty. Throws FOLDER_EXISTS, BAD_GENESIS, CANNOT_WRITE, the errors of disks. */
export async function createFolder(dir: string, genesis: Genesis): Promise<void> {
  await checkEmpty(dir);
  const path = pathsOf(dir).genesis;
  const bytes = encodeGenesis(genesis);
  // What could not be read again is not written.
  decodeGenesis(bytes, 'the genesis');
  await replaceFile(await RealDisk.open(dir), basename(path), bytes);
}

/** Throws FOLDER_EXISTS if there is something in the folder. What an interrupted `createFolder` has left does not count. */
export async function checkEmpty(dir: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    throw new HeddleError('CANNOT_WRITE', `cannot make a node's folder of ${dir}: ${message}`, { cause });
  }
  if (names.some((name) => name !== 'genesis.json.new')) {
    throw new HeddleError('FOLDER_EXISTS', `${dir} is not empty: choose another folder, or remove what is in it`);
  }
}

/** Starts the node of a folder: its pipeline, which closes the store with itself. Throws what reading the genesis, opening and recovery throw. */
export async function openFolder(dir: string, { attach, joinMs = JOIN_MS, ...options }: FolderOptions = {}): Promise<Pipeline> {
  const genesis = await readGenesis(dir);
  const paths = pathsOf(dir);
  const store = await Store.open(paths.store, { chainId: genesisHash(genesis), thread: true, joinMs });
  try {
    if (store.height === undefined) await fillFromSnapshot(store, paths.snapshot);
    const told = await attach?.(genesis, store);
    return await Pipeline.open({ clock: Date.now, ...options, ...told, genesis, store, disk: await RealDisk.open(paths.journal) });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A restored folder whose store was removed: the journal alone would not be enough. */
async function fillFromSnapshot(store: Store, path: string): Promise<void> {
  const snapshot = await SnapshotReader.openIfThere(path);
  if (snapshot === undefined) return;
  try {
    await commitSnapshot(snapshot, store);
  } finally {
    await snapshot.close();
  }
}
