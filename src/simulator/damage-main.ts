/** `npm run damage -- [--cases N] [--folders N] [--seed S]`: damages journals, snapshots and whole folders, and looks at what is made of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../base/random.ts';
import { damageAll } from './damage.ts';
import { readNumbers } from './number-options.ts';

const { cases, folders, seed } = readNumbers('damage', {
  cases: { default: 100_000, least: 0 },
  folders: { default: 200, least: 0 },
  seed: { default: 1, least: 1 },
});
const folder = mkdtempSync(join(tmpdir(), 'damage-'));
const found = await damageAll(folder, cases, folders, new Random(seed));
rmSync(folder, { recursive: true, force: true });
for (const sentence of found.wrong) console.log(sentence);
const { named, harmless, repaired, ended, wrong } = found;
console.log(
  `${found.cases} cases: ${named} named, ${harmless} harmless, ${repaired} repaired from the journal (${ended} after LMDB had ended the process), ` +
    `${wrong.length === 0 ? 'none wrong' : 'WRONG'}`,
);
process.exit(wrong.length === 0 ? 0 : 1);
