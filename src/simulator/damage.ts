/**
 * Damages what a node has on disk at random, and looks at what is made of it: bits are flipped, ranges overwritten, files cut and made longer.
 *
 * Invariant: damage is named, or it changes nothing, or what it has taken is made again from the journal; there is never another answer than before.
 * Journals and snapshots are looked at in this process, whole folders in one of their own: LMDB, which has no checksums, may end it.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HeddleError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { unpackBlock } from '../ledger/packed-block.ts';
import { genesisHash, readGenesis, restoreSnapshot, writeSnapshot } from '../node/index.ts';
import { sampleFolder } from '../node/sample-folder.ts';
import { Journal, RealDisk } from '../storage/index.ts';

export interface DamageOutcome {
  readonly cases: number;
  /** An error with a code and a sentence. */
  readonly named: number;
  /** Nothing was different: bytes that nobody reads, or a tail that had not been confirmed. */
  readonly harmless: number;
  /** Of folders: the node came up without its store, from the journal, in the state that it had. */
  readonly repaired: number;
  /** Of folders: LMDB ended the process. */
  readonly ended: number;
  readonly wrong: readonly string[];
}

type Counts = { -readonly [K in 'cases' | 'named' | 'harmless' | 'repaired' | 'ended']: number } & { wrong: string[] };

const HEIGHT = 12;
const START_MS_MAX = 60_000;

export async function damageAll(folder: string, files: number, folders: number, random: Random): Promise<DamageOutcome> {
  const counts: Counts = { cases: 0, named: 0, harmless: 0, repaired: 0, ended: 0, wrong: [] };
  const original = join(folder, 'original');
  const hash = await sampleFolder(original, HEIGHT);
  const journals = Math.ceil(files / 2);
  await damageJournals(original, journals, random, counts);
  await damageSnapshots(original, join(folder, 'snapshot'), files - journals, random, counts);
  for (let i = 0; i < folders && counts.wrong.length === 0; i++) await damageFolder(original, join(folder, 'copy'), hash, random, counts);
  return counts;
}

/** What was done, in words. */
function damaged(bytes: Uint8Array, random: Random): readonly [changed: Uint8Array, what: string] {
  const at = random.below(bytes.length);
  const length = Math.min(random.between(1, 600), bytes.length - at);
  const what = random.weighted({ flip: 6, flips: 2, range: 2, zeros: 1, cut: 3, longer: 1 });
  const changed = Uint8Array.from(bytes);
  if (what === 'flip') changed[at] = (bytes[at] as number) ^ (1 << random.below(8));
  else if (what === 'flips') for (let i = 0; i < 8; i++) changed[random.below(bytes.length)] = random.below(256);
  else if (what === 'range') for (let i = 0; i < length; i++) changed[at + i] = random.below(256);
  else if (what === 'zeros') changed.fill(0, at, at + length);
  else if (what === 'cut') return [bytes.slice(0, at), `cut at ${at}`];
  else return [Uint8Array.from([...bytes, ...Array.from({ length }, () => random.below(256))]), `${length} bytes longer`];
  return [changed, `${what} at ${at}`];
}

/** Counts an outcome: an error of ours is named, anything else that is thrown is wrong. */
function count(counts: Counts, context: string, error: unknown, isSame: boolean): void {
  counts.cases++;
  if (error instanceof HeddleError) counts.named++;
  else if (error !== undefined) counts.wrong.push(`${context}: ${error}`);
  else if (isSame) counts.harmless++;
  else counts.wrong.push(`${context}: another answer, and no word of it`);
}

/** The store vouches for all blocks: none may be missing. */
async function damageJournals(original: string, cases: number, random: Random, counts: Counts): Promise<void> {
  const chainId = genesisHash(await readGenesis(original));
  const dir = join(original, 'journal');
  const [name] = (await readdir(dir)).filter((file) => file.endsWith('.log')) as [string];
  const whole = new Uint8Array(await readFile(join(dir, name)));
  const expected = await readJournal(dir, chainId);
  const copy = join(original, '..', 'journal');
  await mkdir(copy, { recursive: true });
  for (let i = 0; i < cases && counts.wrong.length === 0; i++) {
    const [bytes, what] = damaged(whole, random);
    await rm(copy, { recursive: true });
    await mkdir(copy);
    await writeFile(join(copy, name), bytes);
    let found: string | undefined;
    let error: unknown;
    try {
      found = await readJournal(copy, chainId);
    } catch (thrown) {
      error = thrown;
    }
    count(counts, `journal, ${what}`, error, found === expected);
  }
}

async function readJournal(dir: string, chainId: Uint8Array): Promise<string> {
  const journal = await Journal.open(await RealDisk.open(dir), { chainId, confirmed: HEIGHT });
  try {
    const blocks: string[] = [];
    for await (const { number, body } of journal.read(1)) {
      unpackBlock(body);
      blocks.push(`${number}:${Buffer.from(body).toString('base64')}`);
    }
    return blocks.join();
  } finally {
    await journal.close();
  }
}

/** A snapshot is damaged; a folder that comes of it all the same has the header that it had. */
async function damageSnapshots(original: string, file: string, cases: number, random: Random, counts: Counts): Promise<void> {
  const hash = hex((await writeSnapshot(original, file)).hash);
  const whole = new Uint8Array(await readFile(file));
  const copy = `${file}.damaged`;
  const dir = `${file}.folder`;
  for (let i = 0; i < cases && counts.wrong.length === 0; i++) {
    const [bytes, what] = damaged(whole, random);
    await writeFile(copy, bytes);
    let found: string | undefined;
    let error: unknown;
    try {
      found = hex((await restoreSnapshot(copy, dir)).hash);
    } catch (thrown) {
      error = thrown;
    }
    if (error === undefined) await rm(dir, { recursive: true, force: true });
    else if (await exists(dir)) counts.wrong.push(`snapshot, ${what}: something is left of a folder that could not be restored`);
    count(counts, `snapshot, ${what}`, error, found === hash);
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** One file of a whole folder. */
async function damageFolder(original: string, copy: string, hash: string, random: Random, counts: Counts): Promise<void> {
  await rm(copy, { recursive: true, force: true });
  await cp(original, copy, { recursive: true });
  const [log] = (await readdir(join(copy, 'journal'))).filter((file) => file.endsWith('.log')) as [string];
  const name = random.pick(['genesis.json', `journal/${log}`, 'store/data.mdb', 'store/data.mdb', 'store/data.size']);
  const path = join(copy, name);
  let what: string;
  if (random.chance(0.2)) {
    const at = random.below((await stat(path)).size);
    await truncate(path, at);
    what = `cut at ${at}`;
  } else {
    const [bytes, done] = damaged(new Uint8Array(await readFile(path)), random);
    await writeFile(path, bytes);
    what = done;
  }
  const context = `${name}, ${what}`;
  counts.cases++;
  const first = await start(copy);
  if (first === hash) counts.harmless++;
  else if (!first.startsWith('error ') && first !== 'ended') counts.wrong.push(`${context}: ${first}`);
  else if (!name.startsWith('store')) {
    if (first === 'ended') counts.wrong.push(`${context}: the process ended`);
    counts.named++;
  } else {
    // What the messages say: remove the store, the journal makes it again.
    if (first === 'ended') counts.ended++;
    await rm(join(copy, 'store'), { recursive: true, force: true });
    const second = await start(copy);
    if (second === hash) counts.repaired++;
    else counts.wrong.push(`${context}: ${first}; without the store: ${second}`);
  }
}

/** Starts a node in the folder, and stops it: the hash of its last header, `error CODE`, or `ended` if a signal ended it. */
async function start(dir: string): Promise<string> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./damage-child.ts', import.meta.url)), dir], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let complaint = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  child.stderr.on('data', (bytes: Buffer) => {
    complaint += bytes;
  });
  let stuck = false;
  const timer = setTimeout(() => {
    stuck = true;
    child.kill('SIGKILL');
  }, START_MS_MAX);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => child.on('close', (...how) => resolve(how)));
  clearTimeout(timer);
  if (stuck) return 'it has not come up';
  if (signal !== null) return 'ended';
  return code === 0 ? said.trim() : `it ended with ${code}: ${complaint.slice(0, 300)}`;
}
