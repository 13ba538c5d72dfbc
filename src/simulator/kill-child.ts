/**
 * A node under load that is going to be killed: opens journal and store in a folder, sends transfers without end, and writes a line for each that was
 * confirmed. Started by kill-loop.ts, a process each time.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { genesisHash, Pipeline } from '../node/index.ts';
import { RealDisk, Store } from '../storage/index.ts';
import { KILL_ENGINE, killGenesis, killTransfer } from './kill-load.ts';

const [folder, first, startMs] = process.argv.slice(2) as [string, string, string];
/** Transfers that are on their way at a time. */
const IN_FLIGHT = 64;

const genesis = killGenesis();
const disk = await RealDisk.open(join(folder, 'journal'));
const store = await Store.open(join(folder, 'store'), { chainId: genesisHash(genesis) });
const pipeline = await Pipeline.open({
  genesis,
  disk,
  store,
  clock: Date.now,
  engine: KILL_ENGINE,
  model: 'serial',
  blockTransactions: 16,
});
writeSync(1, 'started\n');

let next = Number(first);
async function send(): Promise<void> {
  while (true) {
    const number = next++;
    const { code } = await pipeline.submit(killTransfer(number, Number(startMs))).confirmed;
    writeSync(1, `${number} ${code}\n`);
  }
}
await Promise.all(Array.from({ length: IN_FLIGHT }, send));
