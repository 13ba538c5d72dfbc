/**
 * A folder of the file system as a `Disk`: positioned writes, fdatasync, fsync of the folder.
 * Invariant: every error that leaves it is a `StorageError`.
 */
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Disk, DiskFile } from './disk.ts';
import { lockFolder } from './folder-lock.ts';
import { diskError } from './storage-error.ts';

export class RealDisk implements Disk {
  private readonly folder: string;
  private release: (() => void) | undefined;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the folder if it is not there. */
  static async open(folder: string): Promise<RealDisk> {
    const path = resolve(folder);
    await doing(`making the folder ${path}`, async () => {
      const first = await makeFolder(path);
      if (first !== undefined) await syncPath(dirname(first));
    });
    return new RealDisk(path);
  }

  async lock(): Promise<void> {
    this.release = lockFolder(this.folder);
  }

  async unlock(): Promise<void> {
    this.release?.();
    this.release = undefined;
  }

  async list(): Promise<string[]> {
    const entries = await doing(`listing ${this.folder}`, () => readdir(this.folder, { withFileTypes: true }));
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
  }

  async create(name: string): Promise<DiskFile> {
    return doing(`creating ${this.path(name)}`, async () => new RealFile(this.path(name), await open(this.path(name), 'wx+'), 0));
  }

  async open(name: string): Promise<DiskFile> {
    return doing(`opening ${this.path(name)}`, async () => {
      const handle = await open(this.path(name), 'r+');
      return new RealFile(this.path(name), handle, (await handle.stat()).size);
    });
  }

  async rename(from: string, to: string): Promise<void> {
    await doing(`renaming ${this.path(from)}`, () => rename(this.path(from), this.path(to)));
  }

  async remove(name: string): Promise<void> {
    await doing(`removing ${this.path(name)}`, () => unlink(this.path(name)));
  }

  async syncFolder(): Promise<void> {
    await doing(`flushing the folder ${this.folder}`, () => syncPath(this.folder));
  }

  private path(name: string): string {
    return join(this.folder, name);
  }
}

class RealFile implements DiskFile {
  size: number;
  private readonly path: string;
  private readonly handle: FileHandle;

  constructor(path: string, handle: FileHandle, size: number) {
    this.path = path;
    this.handle = handle;
    this.size = size;
  }

  async read(at: number, length: number): Promise<Uint8Array> {
    return doing(`reading ${this.path}`, async () => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - at)));
      let done = 0;
      while (done < bytes.length) {
        const { bytesRead } = await this.handle.read(bytes, done, bytes.length - done, at + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    });
  }

  async append(bytes: Uint8Array): Promise<void> {
    await doing(`writing ${this.path}`, async () => {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, this.size);
        done += bytesWritten;
        this.size += bytesWritten;
      }
    });
  }

  async truncate(size: number): Promise<void> {
    await doing(`truncating ${this.path}`, () => this.handle.truncate(size));
    this.size = size;
  }

  async sync(): Promise<void> {
    await doing(`flushing ${this.path}`, () => this.handle.datasync());
  }

  async close(): Promise<void> {
    await doing(`closing ${this.path}`, () => this.handle.close());
  }
}

async function syncPath(folder: string): Promise<void> {
  // Windows has no handles of folders to flush.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function doing<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw diskError(cause, what);
  }
}

/**
 * Makes a folder and those above it that are missing; returns the uppermost that was made. Not `mkdir` with `recursive`: that tries for ever
 * where a file system takes no folders and says that there is none (/proc).
 */
async function makeFolder(path: string): Promise<string | undefined> {
  if (await isFolder(path)) return undefined;
  const parent = dirname(path);
  const first = parent === path ? undefined : await makeFolder(parent);
  try {
    await mkdir(path);
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!(await isFolder(path))) throw error;
  }
  return first ?? path;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
