/** `heddle snapshot` and `heddle restore`: a node's state into a file, and a node from one. */
import { restoreSnapshot, type SnapshotSummary, writeSnapshot } from '../node/index.ts';
import { rowsText } from './rows-text.ts';

/** Prints. */
export async function snapshot(dir: string, file: string): Promise<void> {
  process.stdout.write(`${summaryText(await writeSnapshot(dir, file))}\n`);
}

/** Prints. */
export async function restore(file: string, dir: string): Promise<void> {
  process.stdout.write(`${summaryText(await restoreSnapshot(file, dir))}\n`);
}

function summaryText({ header, hash, records, chunks, bytes }: SnapshotSummary): string {
  return rowsText([
    ['height', header.height.toLocaleString('en')],
    ['records', `${records.toLocaleString('en')}, in ${chunks.toLocaleString('en')} chunk${chunks === 1 ? '' : 's'}`],
    ['size', `${bytes.toLocaleString('en')} bytes`],
    ['state root', Buffer.from(header.stateRoot).toString('hex')],
    ['header hash', Buffer.from(hash).toString('hex')],
  ]);
}
