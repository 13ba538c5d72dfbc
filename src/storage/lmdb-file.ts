/**
 * Looks at LMDB's file before LMDB does: its binding ends the process (a segmentation fault) where it should report a file that is none of
 * its own, and the machine does (a bus error) where a page is read that the file has not got. Both become errors here.
 *
 * What is checked: both roots say that they are LMDB's and of its version, and the file is as long as a note beside it says it has been.
 * Files of LMDB do not shrink; one that did was copied or restored in part.
 * Not here: damage inside of pages, which LMDB has no checksums for.
 */
import { open, readFile, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from './storage-error.ts';

const FILE = 'data.mdb';
const NOTE = 'data.size';
const MAGIC = 0xbeefc0de;
/** Of the format that the package's build writes. */
const FORMAT = 2;
const MAGIC_AT = 24;
const FORMAT_AT = 28;
const PAGE_BYTES_AT = 48;
/** The note is renewed when the file has grown by this, and when the store is closed. */
const STEP_BYTES = 2 ** 20;
/** With less free space than this LMDB is not started: it does not survive that it cannot make its file. */
export const FREE_BYTES_MIN = 16 * 2 ** 20;

/** What is wrong with the file, if anything is. Throws the system's errors, DISK_FULL where there is no space for a new file. */
export async function wrongWithFile(folder: string): Promise<string | undefined> {
  const size = await sizeOf(folder);
  const noted = Number(await readFile(join(folder, NOTE), 'utf8').catch(() => '0'));
  if (size < noted) return `${FILE} has ${size} bytes and had ${noted}`;
  if (size === 0) {
    const free = await freeBytes(folder);
    if (free < FREE_BYTES_MIN) throw new StorageError('DISK_FULL', `${free} bytes are free in ${folder}: free some space and start again`);
    return undefined;
  }
  const handle = await open(join(folder, FILE), 'r+');
  try {
    const first = new DataView((await handle.read(Buffer.alloc(64), 0, 64, 0)).buffer.buffer);
    const pageBytes = first.getUint32(PAGE_BYTES_AT, true);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, pageBytes);
    for (const view of bytesRead === 64 ? [first, new DataView(buffer.buffer)] : []) {
      if (view.getUint32(MAGIC_AT, true) !== MAGIC) return `${FILE} does not begin like a file of LMDB`;
      if (view.getUint32(FORMAT_AT, true) !== FORMAT) return `${FILE} is of format ${view.getUint32(FORMAT_AT, true)} of LMDB`;
    }
    return bytesRead === 64 ? undefined : `${FILE} ends before its second page`;
  } finally {
    await handle.close();
  }
}

export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** How long the file has been, for the next opening. */
export class FileSizeNote {
  private readonly folder: string;
  private noted = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Called when what was written is on disk. */
  async update(last: boolean): Promise<void> {
    try {
      const size = await sizeOf(this.folder);
      if (size < this.noted + (last ? 1 : STEP_BYTES)) return;
      await writeFile(join(this.folder, NOTE), String(size));
      this.noted = size;
    } catch {
      // The older note is right as well.
    }
  }
}

async function sizeOf(folder: string): Promise<number> {
  try {
    return (await stat(join(folder, FILE))).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
