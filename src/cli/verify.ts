/** `heddle verify`: everything a node has on disk, against what it follows from. What is wrong is printed, and the exit code is 1 then. */
import type { ModelChoice } from '../execution/api.ts';
import { verifyFolder } from '../node/index.ts';
import { withProgress } from './progress.ts';
import { rowsText } from './rows-text.ts';

export interface VerifyArguments {
  readonly model: ModelChoice;
  readonly workers: number;
  readonly json?: boolean;
}

/** Prints, and sets the exit code. */
export async function verify(dir: string, options: VerifyArguments): Promise<void> {
  const found = await withProgress('verify', (onProgress) => verifyFolder(dir, options, onProgress));
  const { wrong, notes } = found;
  if (options.json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else {
    const rows: [string, string][] = [
      ['blocks executed', `${found.blocks.toLocaleString('en')}, ${found.transactions.toLocaleString('en')} transactions`],
      ['headers chained', found.headers.toLocaleString('en')],
      ['records hashed', found.records.toLocaleString('en')],
      ['height', found.height.toLocaleString('en')],
      ['state root', found.stateRoot ?? 'none'],
      ...notes.map((note): [string, string] => ['note', note]),
      ['result', wrong.length === 0 ? 'all is as it should be' : `wrong in ${wrong.length} place${wrong.length === 1 ? '' : 's'}`],
    ];
    process.stdout.write(`${rowsText(rows)}\n`);
  }
  for (const sentence of wrong) process.stderr.write(`wrong: ${sentence}\n`);
  if (wrong.length > 0) process.exitCode = 1;
}
