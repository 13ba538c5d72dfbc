/**
 * Small files that are read and written as a whole, beside the journal and the store.
 *
 * Invariant: under its name a file has what one `replaceFile` was given, in whole: after a loss of power the new bytes once that has resolved,
 * and before it the old ones or the new ones.
 * Not here: what the bytes mean, and who may write them: one at a time.
 */
import type { Disk } from './disk.ts';

/** Undefined: there is no file of that name. Rejects with the errors of disks. */
export async function readFile(disk: Disk, name: string): Promise<Uint8Array | undefined> {
  if (!(await disk.list()).includes(name)) return undefined;
  const file = await disk.open(name);
  try {
    return await file.read(0, file.size);
  } finally {
    await file.close();
  }
}

/** Rejects with the errors of disks; then the old bytes are there, or the new ones. */
export async function replaceFile(disk: Disk, name: string, bytes: Uint8Array): Promise<void> {
  const made = `${name}.new`;
  // What an earlier write has left that did not come to its end.
  if ((await disk.list()).includes(made)) await disk.remove(made);
  const file = await disk.create(made);
  try {
    await file.append(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(made, name);
  await disk.syncFolder();
}
