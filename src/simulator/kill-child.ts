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
const store = await Store.open(join(folder, 'store'), { chainId: genesisHash(genesis), thread: true });
const pipeline = await Pipeline.open({
  genesis,
  disk,
  store,
  clock: Date.now,
  engine: KILL_ENGINE,
  model: 'serial',
  blockTransactions: 16,
});
say('started');

/** A line, in one piece: the kill may come right behind it. A full pipe makes it wait. */
function say(line: string): void {
  while (true) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

let next = Number(first);
async function send(): Promise<void> {
  while (true) {
    const number = next++;
    const { code } = await pipeline.submit(killTransfer(number, Number(startMs))).confirmed;
    say(`${number} ${code}`);
  }
}
await Promise.all(Array.from({ length: IN_FLIGHT }, send));
