/** Where a report goes. Looked at before a run, so that minutes of work do not end in a wrong path. */
import { access, constants, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HeddleError } from '../base/errors.ts';

/** Throws CANNOT_WRITE. */
export async function checkWritable(file: string): Promise<void> {
  try {
    await access(dirname(file), constants.W_OK);
  } catch (cause) {
    throw new HeddleError('CANNOT_WRITE', `cannot write the report ${file}: its folder is not there or not writable`, { cause });
  }
}

/** Throws CANNOT_WRITE. */
export async function writeReportFile(file: string, html: string): Promise<void> {
  try {
    await writeFile(file, html);
  } catch (cause) {
    throw new HeddleError('CANNOT_WRITE', `cannot write the report ${file}: ${(cause as Error).message}`, { cause });
  }
}
