/**
 * Reads a snapshot's file, and brings its state into an empty store.
 * Invariant: nothing leaves it that was not verified against the header's state root; the store gets all of it or nothing.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { HeddleError } from '../base/errors.ts';
import { encodeHeader } from '../commitment/header.ts';
import type { TreeRecord } from '../commitment/state-tree.ts';
import type { Genesis } from '../exchange/genesis.ts';
import type { Store } from '../storage/index.ts';
import { decodeGenesis } from './genesis-file.ts';
import { genesisHash } from './genesis-hash.ts';
import { badSnapshot, type Manifest, PREFACE_BYTES, readManifest, readPreface, unpackChunk } from './snapshot-format.ts';

export class SnapshotReader {
  readonly manifest: Manifest;
  readonly genesis: Genesis;
  private readonly handle: FileHandle;

  private constructor(handle: FileHandle, manifest: Manifest, genesis: Genesis) {
    this.handle = handle;
    this.manifest = manifest;
    this.genesis = genesis;
  }

  /** Verifies the manifest. Throws CANNOT_READ, BAD_SNAPSHOT, WRONG_VERSION. */
  static async open(file: string): Promise<SnapshotReader> {
    const snapshot = await SnapshotReader.openIfThere(file);
    if (snapshot === undefined) throw new HeddleError('CANNOT_READ', `cannot read the snapshot ${file}: there is no such file`);
    return snapshot;
  }

  /** Undefined if there is no such file. */
  static async openIfThere(file: string): Promise<SnapshotReader | undefined> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(file, 'r');
      const { size } = await handle.stat();
      const preface = await readBytes(handle, 0, PREFACE_BYTES);
      const manifest = readManifest(preface, await readBytes(handle, PREFACE_BYTES, readPreface(preface, size)), size);
      return new SnapshotReader(handle, manifest, genesisOf(manifest));
    } catch (cause) {
      await handle?.close();
      if (cause instanceof HeddleError) throw new HeddleError(cause.code, `the snapshot ${file} is refused: ${cause.message}`, { cause });
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      if (code === undefined) throw cause;
      throw new HeddleError('CANNOT_READ', `cannot read the snapshot ${file}: ${message}`, { cause });
    }
  }

  /** All records, chunk by chunk. Throws BAD_SNAPSHOT, which names the chunk. */
  async *records(): AsyncGenerator<TreeRecord, void, undefined> {
    for (const [i, { offset, packedBytes }] of this.manifest.chunks.entries()) {
      yield* unpackChunk(this.manifest, i, await readBytes(this.handle, offset, packedBytes));
    }
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** Makes the state the store's first commit. */
export async function commitSnapshot(snapshot: SnapshotReader, store: Store): Promise<void> {
  const { header } = snapshot.manifest;
  const changed = await Array.fromAsync(snapshot.records());
  const nothing = new Uint8Array(0);
  const { height, timeMs } = header;
  await store.commit({ height, timeMs, header: encodeHeader(header), body: nothing, receipts: nothing, changed }, height);
}

function genesisOf({ genesis, chainId }: Manifest): Genesis {
  let found: Genesis;
  try {
    found = decodeGenesis(genesis, 'its genesis');
  } catch (cause) {
    throw badSnapshot((cause as Error).message, cause);
  }
  if (Buffer.compare(genesisHash(found), chainId) !== 0) throw badSnapshot('its genesis is that of another chain');
  return found;
}

/** Fewer where the file ends. */
async function readBytes(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
