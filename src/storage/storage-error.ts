/** What the world does to stored data: each error has a code, says what to do, and carries its cause. */
import { HeddleError } from '../base/errors.ts';

export type StorageCode =
  /** No space, or a quota or a limit of file size is reached. */
  | 'DISK_FULL'
  | 'NO_PERMISSION'
  /** Reading, writing or flushing failed in another way. */
  | 'DISK_FAILED'
  /** Another process, or another part of this one, works on the folder. */
  | 'FOLDER_LOCKED'
  | 'WRONG_CHAIN'
  | 'WRONG_VERSION'
  /** What had been flushed is not there any more as it was written. */
  | 'JOURNAL_DAMAGED'
  /** Whole segments are missing. */
  | 'JOURNAL_GAP'
  /** Asked for what has been pruned. */
  | 'JOURNAL_PRUNED'
  /** An earlier write failed, or the journal was closed. */
  | 'JOURNAL_STOPPED'
  | 'STORE_DAMAGED'
  | 'STORE_STOPPED';

export class StorageError extends HeddleError {
  declare readonly code: StorageCode;

  constructor(code: StorageCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
    this.name = 'StorageError';
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const FORBIDDEN = new Set(['EACCES', 'EPERM', 'EROFS']);

/** An error of the operating system in our words. `doing`: "writing journal-1.log". */
export function diskError(cause: unknown, doing: string): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = (cause as NodeJS.ErrnoException | null)?.code ?? '';
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (FULL.has(code)) {
    return new StorageError(
      'DISK_FULL',
      `the disk is full (${doing}: ${reason}); nothing confirmed is lost: free some space and start again`,
      {
        cause,
      },
    );
  }
  if (FORBIDDEN.has(code)) {
    return new StorageError('NO_PERMISSION', `not permitted (${doing}: ${reason}); let this user read and write the data folder`, {
      cause,
    });
  }
  return new StorageError('DISK_FAILED', `the disk failed (${doing}: ${reason}); check it, then start again`, { cause });
}
