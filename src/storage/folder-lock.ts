/**
 * Keeps a folder to one owner: a second one, in this process or another, gets FOLDER_LOCKED.
 *
 * The lock is one of the operating system, taken through SQLite, which comes with the runtime and is the one way from Node.js to such
 * locks. It ends with its process, however that ends, so no lock is ever stale: nothing has to guess whether process 1 of this container
 * is the process 1 that wrote a lock file. A note beside it says who holds it, for the message only.
 *
 * Do not open the lock file in any other way: POSIX drops all locks of a process on a file when it closes any handle of that file.
 */
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { diskError, StorageError } from './storage-error.ts';

const LOCK = 'lock';
const NOTE = 'lock.holder';
const SQLITE_BUSY = 5;

/** Takes the lock of an existing folder; the function that is returned gives it back. */
export function lockFolder(folder: string): () => void {
  let database: DatabaseSync | undefined;
  try {
    // SQLite would only say that it cannot open its file.
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    database = new DatabaseSync(join(folder, LOCK), { timeout: 0 });
    database.exec('PRAGMA journal_mode = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw diskError(cause, `locking ${folder}`);
    throw new StorageError('FOLDER_LOCKED', `${folder} is in use (${holderOf(folder)}): stop that process, or choose another folder`, {
      cause,
    });
  }
  try {
    writeFileSync(join(folder, NOTE), `process ${process.pid}, since ${new Date().toISOString()}\n`);
  } catch {
    // The note only helps a message; on a full disk one has to be able to start, in order to prune.
  }
  const held = database;
  return () => held.close();
}

function holderOf(folder: string): string {
  try {
    return readFileSync(join(folder, NOTE), 'utf8').trim();
  } catch {
    return 'holder unknown';
  }
}
