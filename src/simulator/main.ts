/** `npm run prove -- [--seeds N] [--from SEED]`: the comparison of all executors, over any number of seeds. */
import { proveAccesses, proveRules, waysOfSeed } from './equivalence.ts';
import { readNumbers } from './number-options.ts';

const { seeds, from } = readNumbers('prove', { seeds: { default: 1000, least: 1 }, from: { default: 1, least: 1 } });
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
