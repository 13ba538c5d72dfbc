/** `npm run prove -- [--seeds N] [--from SEED]`: the comparison of all executors, over any number of seeds. */
import { parseArgs } from 'node:util';
import { proveAccesses, proveRules, waysOfSeed } from './equivalence.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '1000' }, from: { type: 'string', default: '1' } } });
const seeds = Number(values.seeds);
const from = Number(values.from);
if (!Number.isInteger(seeds) || seeds < 1 || !Number.isInteger(from) || from < 1) {
  console.error('usage: npm run prove -- [--seeds N] [--from SEED], both positive integers');
  process.exit(1);
}
let failures = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const ways = waysOfSeed(seed);
  for (const prove of [proveRules, proveAccesses]) {
    const wrong = await prove(seed, ways);
    if (wrong === undefined) continue;
    failures++;
    console.log(wrong);
  }
  if ((seed - from + 1) % 50 === 0) console.log(`${seed - from + 1} of ${seeds} seeds, ${failures} failures`);
}
console.log(`${seeds} seeds, ${failures} failures`);
process.exit(failures === 0 ? 0 : 1);
