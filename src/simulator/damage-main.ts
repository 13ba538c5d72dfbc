/** `npm run damage -- [--cases N] [--folders N] [--seed S]`: damages journals, snapshots and whole folders, and looks at what is made of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../base/random.ts';
import { damageAll } from './damage.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    folders: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
  },
});
const [cases, folders, seed] = [values.cases, values.folders, values.seed].map(Number) as [number, number, number];
if (![cases, folders, seed].every((value) => Number.isInteger(value) && value >= 0) || seed < 1) {
  console.error('usage: npm run damage -- [--cases N] [--folders N] [--seed S], natural numbers');
  process.exit(1);
}
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
