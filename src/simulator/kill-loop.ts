/**
 * Kills a node under load again and again, and looks at what is left: every transfer that was confirmed is there, none twice, and the chain is that
 * of an undisturbed run of the same blocks.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Random } from '../base/random.ts';
import type { Engine } from '../execution/index.ts';
import { unpackBlock } from '../ledger/packed-block.ts';
import { genesisHash, Pipeline } from '../node/index.ts';
import { Journal, RealDisk, Store } from '../storage/index.ts';
import { KILL_ENGINE, KILL_RECIPIENT, killGenesis } from './kill-load.ts';

/** Between the last number that was confirmed and the next one's first: what was sent and not confirmed is not sent again. */
const GAP = 1000;
/** A node lives this long after it has started, at most. */
const LIFE_MS_MAX = 120;
/** A node that has not started by then is stuck. */
const START_MS_MAX = 60_000;

export interface KillOutcome {
  readonly kills: number;
  readonly confirmed: number;
  readonly blocks: number;
  /** What is wrong, a sentence each. */
  readonly wrong: readonly string[];
}

export async function killLoop(folder: string, kills: number, random: Random): Promise<KillOutcome> {
  const startMs = Date.now();
  const confirmed = new Set<number>();
  const wrong: string[] = [];
  let first = 1;
  let done = 0;
  while (done < kills && wrong.length === 0) {
    const numbers = await runAndKill(folder, first, startMs, random, wrong);
    for (const number of numbers) confirmed.add(number);
    first = Math.max(first, ...numbers) + GAP;
    done++;
  }
  const blocks = await examine(folder, confirmed, startMs, wrong);
  return { kills: done, confirmed: confirmed.size, blocks, wrong };
}

/** One life; the numbers that it has confirmed. */
async function runAndKill(folder: string, first: number, startMs: number, random: Random, wrong: string[]): Promise<number[]> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./kill-child.ts', import.meta.url)), folder, `${first}`, `${startMs}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const numbers: number[] = [];
  let complaint = '';
  let killed = false;
  const kill = (): void => {
    killed = true;
    child.kill('SIGKILL');
  };
  const stuck = setTimeout(() => {
    wrong.push(`a node that was started for number ${first} has not come up`);
    kill();
  }, START_MS_MAX);
  child.stderr.on('data', (bytes: Buffer) => {
    complaint += bytes;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'started') {
      clearTimeout(stuck);
      setTimeout(kill, random.below(LIFE_MS_MAX));
      return;
    }
    const [number, code] = line.split(' ').map(Number);
    // A line that the kill has cut has no code.
    if (number === undefined || code === undefined) return;
    if (code !== 0) wrong.push(`transfer ${number} ended with code ${code}`);
    numbers.push(number);
  });
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(stuck);
  if (!killed) wrong.push(`a node ended by itself: ${complaint.slice(0, 400)}`);
  return numbers;
}

/** Looks at the journal and the store; returns the number of blocks. */
async function examine(folder: string, confirmed: ReadonlySet<number>, startMs: number, wrong: string[]): Promise<number> {
  const genesis = killGenesis();
  const chainId = genesisHash(genesis);
  const store = await Store.open(join(folder, 'store'), { chainId });
  const open = { genesis, clock: Date.now, engine: KILL_ENGINE, model: 'serial' } as const;
  const recovered = await Pipeline.open({ ...open, disk: await RealDisk.open(join(folder, 'journal')), store });
  const balance = balanceOf(recovered.state);
  const hash = hashOf(recovered);
  await recovered.close();

  const journal = await Journal.open(await RealDisk.open(join(folder, 'journal')), { chainId });
  const numbers: number[] = [];
  let blocks = 0;
  for await (const { body } of journal.read(1)) {
    blocks++;
    for (const { nonce } of unpackBlock(body).transactions) numbers.push(Number(nonce as bigint) - startMs);
  }
  await journal.close();
  const there = new Set(numbers);
  if (there.size !== numbers.length) wrong.push(`${numbers.length - there.size} transfers are in the journal twice`);
  const lost = [...confirmed].filter((number) => !there.has(number));
  if (lost.length > 0) wrong.push(`${lost.length} confirmed transfers are gone, the first is ${lost[0]}`);
  if (balance !== BigInt(there.size)) wrong.push(`${there.size} transfers are in the journal, ${balance} were executed`);

  const undisturbed = await Pipeline.open({ ...open, disk: await RealDisk.open(join(folder, 'journal')) });
  if (hashOf(undisturbed) !== hash) wrong.push(`the last header is ${hash}, in an undisturbed run it is ${hashOf(undisturbed)}`);
  await undisturbed.close();
  return blocks;
}

function hashOf(pipeline: Pipeline): string {
  return Buffer.from(pipeline.settled?.hash ?? []).toString('hex');
}

function balanceOf(engine: Engine): bigint {
  for (const { recordClass, key, value } of engine.records()) {
    if (recordClass !== 'balance' || new DataView(key.buffer, key.byteOffset).getUint32(1) !== KILL_RECIPIENT) continue;
    return new DataView(value.buffer, value.byteOffset).getBigUint64(0, true);
  }
  return 0n;
}
