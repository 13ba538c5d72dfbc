/** `heddle prune`: removes old bodies and receipts of a node that is not running. */
import { pruneFolder } from '../node/index.ts';
import { rowsText } from './rows-text.ts';

const DAY_MS = 86_400_000;

export async function prune(dir: string, { keepDays, json }: { readonly keepDays: number; readonly json?: boolean }): Promise<void> {
  const summary = await pruneFolder(dir, Date.now() - keepDays * DAY_MS);
  if (json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else {
    const rows: [string, string][] = [
      ['blocks pruned', summary.pruned.toLocaleString('en')],
      ['bodies from', summary.first.toLocaleString('en')],
      ['height', summary.height.toLocaleString('en')],
    ];
    process.stdout.write(`${rowsText(rows)}\n`);
  }
}
