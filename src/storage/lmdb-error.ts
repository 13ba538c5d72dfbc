/**
 * Errors of LMDB and of the system below it as errors of the store, and their way from the store's thread to whoever waits.
 * Invariant: an error has the same code, message and cause text wherever the store is written.
 */
import { FREE_BYTES_MIN, freeBytes } from './lmdb-file.ts';
import { diskError, type StorageCode, StorageError } from './storage-error.ts';

const ERRNO: Readonly<Record<number, string>> = {
  1: 'EPERM',
  5: 'EIO',
  13: 'EACCES',
  27: 'EFBIG',
  28: 'ENOSPC',
  30: 'EROFS',
  122: 'EDQUOT',
};

/** LMDB gives numbers: its own below zero, the system's above. */
export async function storeError(error: unknown, folder: string, doing: string): Promise<StorageError> {
  if (error instanceof StorageError) return error;
  // Of a commit it throws a promise of the reason.
  const { commitError } = error as { commitError?: Promise<unknown> };
  const cause = commitError === undefined ? error : await commitError.catch((reason: unknown) => reason);
  const { code } = cause as { code?: number };
  if (typeof code === 'number' && code < 0) {
    return new StorageError('STORE_DAMAGED', damagedText(folder, (cause as Error).message), { cause });
  }
  let name = ERRNO[code ?? 0] ?? (cause as NodeJS.ErrnoException).code;
  // LMDB takes a short write for a disk that fails.
  if (name === 'EIO' && (await freeBytes(folder).catch(() => FREE_BYTES_MIN)) < FREE_BYTES_MIN) name = 'ENOSPC';
  return diskError(Object.assign(new Error((cause as Error).message, { cause }), { code: name }), `${doing} the store in ${folder}`);
}

/** An error of reading: LMDB's own are damage, others are not ours to word. */
export function readError(cause: unknown, folder: string): unknown {
  if (!(cause instanceof Error) || cause instanceof StorageError) return cause;
  const { code } = cause as { code?: unknown };
  const isOfLmdb = (typeof code === 'number' && code < 0) || cause.message.startsWith('MDB_');
  return isOfLmdb ? new StorageError('STORE_DAMAGED', damagedText(folder, cause.message), { cause }) : cause;
}

export function damagedText(folder: string, what: string): string {
  return `the store in ${folder} is damaged (${what}): remove it and execute the journal again, or take the state from another node`;
}

/** What is told after an error, or after the end. */
export function stoppedBy(cause: StorageError): StorageError {
  if (cause.code === 'STORE_STOPPED') return cause;
  return new StorageError('STORE_STOPPED', `the store has stopped after an error (${cause.message})`, { cause });
}

export function storeClosed(): StorageError {
  return new StorageError('STORE_STOPPED', 'the store was closed: open it again');
}

/** An error as it goes from thread to thread, which keeps no codes of errors. */
export interface ErrorWords {
  readonly code: StorageCode;
  readonly message: string;
  /** From the error's cause down to the first. */
  readonly causes: readonly string[];
}

export function wordsOf({ code, message, cause }: StorageError): ErrorWords {
  const causes: string[] = [];
  for (let at = cause; at instanceof Error; at = at.cause) causes.push(at.message);
  return { code, message, causes };
}

export function fromWords({ code, message, causes }: ErrorWords): StorageError {
  const cause = causes.reduceRight<Error | undefined>((below, text) => new Error(text, below && { cause: below }), undefined);
  return new StorageError(code, message, cause && { cause });
}
