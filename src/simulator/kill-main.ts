/** `npm run kill -- [--kills N] [--seed S]`: kills a node under load again and again, and looks at what is left. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../base/random.ts';
import { killLoop } from './kill-loop.ts';
import { readNumbers } from './number-options.ts';

const { kills, seed } = readNumbers('kill', { kills: { default: 500, least: 1 }, seed: { default: 1, least: 1 } });
const folder = mkdtempSync(join(tmpdir(), 'kill-'));
const { kills: done, confirmed, blocks, wrong } = await killLoop(folder, kills, new Random(seed));
rmSync(folder, { recursive: true, force: true });
for (const sentence of wrong) console.log(sentence);
console.log(`${done} kills, ${confirmed} transfers confirmed in ${blocks} blocks, ${wrong.length === 0 ? 'nothing lost' : 'WRONG'}`);
process.exit(wrong.length === 0 ? 0 : 1);
