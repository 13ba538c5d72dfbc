/**
 * How long a start takes: executing the journal again, against executing it the first time; and taking the state from the store, over its size.
 * Invariant: what was recovered has the root that it had before.
 */
import { join } from 'node:path';
import { assert } from '../base/assert.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { genesisHash, Pipeline } from '../node/index.ts';
import type { SeriesChart } from '../report/index.ts';
import { RealDisk, Store } from '../storage/index.ts';
import type { Benchmark, Progress } from './benchmark.ts';
import { encodedLoad, inFolder, START_MS, timed } from './node-work.ts';
import type { BenchSettings } from './settings.ts';
import { median } from './statistics.ts';

const JOURNALS = [10_000, 100_000];
const QUICK_JOURNALS = [1000, 5000];
/** Accounts; each has four records here: itself, its collateral, its balance, and its settings or nonces where it has acted. */
const ACCOUNTS = [2500, 25_000, 250_000];
const QUICK_ACCOUNTS = [1000, 5000];
const BLOCK_SIZE = 10_000;
const MEMORY_MIB = 4096;

async function openNode(folder: string, genesis: Genesis, stored: boolean): Promise<Pipeline> {
  const store = stored ? { store: await Store.open(join(folder, 'store'), { chainId: genesisHash(genesis), thread: true }) } : {};
  return await Pipeline.open({
    genesis,
    disk: await RealDisk.open(join(folder, 'journal')),
    ...store,
    clock: () => START_MS,
    engine: { memoryMiB: MEMORY_MIB },
    blockTransactions: BLOCK_SIZE,
  });
}

/** Transactions a second, live and again, and what a start with an empty journal takes. */
async function replayed(count: number, settings: BenchSettings): Promise<{ live: number; again: number }> {
  const { genesis, encoded } = encodedLoad(count, settings.seed);
  return await inFolder(settings.folder, async (folder) => {
    let pipeline = await openNode(folder, genesis, false);
    const live = await timed(async () => {
      const tickets = encoded.map((bytes) => pipeline.submitEncoded(bytes));
      await tickets.at(-1)?.settled;
    });
    const root = pipeline.state.committedRoot();
    await pipeline.close();
    const empty = await inFolder(settings.folder, (other) => timed(async () => (await openNode(other, genesis, false)).close()));
    const start = await timed(async () => {
      pipeline = await openNode(folder, genesis, false);
    });
    assert(pipeline.state.committedRoot() === root, 'the journal leads to the same state again');
    await pipeline.close();
    return { live: count / live, again: count / Math.max(1e-3, start - empty) };
  });
}

interface Start {
  readonly records: number;
  readonly seconds: number;
  /** Of them: an engine with the genesis, as any start needs. */
  readonly bare: number;
}

async function fromStore(accounts: number, settings: BenchSettings): Promise<Start> {
  const { genesis } = encodedLoad(1, settings.seed);
  const address = (account: number): string => `0x${(account + 1).toString(16).padStart(40, '0')}`;
  const funded = Array.from({ length: accounts }, (_, i) => ({
    address: address(i),
    balances: [{ token: 0, amount: 1_000_000n }],
    collateral: 1_000_000n,
  }));
  const large: Genesis = { ...genesis, maxAccounts: accounts, accounts: funded };
  return await inFolder(settings.folder, async (folder) => {
    let pipeline = await openNode(folder, large, true);
    await pipeline.submit({ kind: 'noop', sender: address(0), nonce: BigInt(START_MS) }).settled;
    const root = pipeline.state.committedRoot();
    let records = 0;
    for (const record of pipeline.state.records()) if (record !== undefined) records++;
    await pipeline.close();
    const bare = await inFolder(settings.folder, (other) => timed(async () => (await openNode(other, large, false)).close()));
    const seconds = await timed(async () => {
      pipeline = await openNode(folder, large, true);
    });
    assert(pipeline.state.committedRoot() === root, 'the store has the state');
    await pipeline.close();
    return { records, seconds, bare };
  });
}

async function rounds<T>(settings: BenchSettings, measure: () => Promise<T>): Promise<T[]> {
  const found: T[] = [];
  for (let round = 0; round < settings.rounds; round++) found.push(await measure());
  return found;
}

export const recovery: Benchmark = {
  name: 'recovery',
  title: 'A start',
  description:
    'The journal of the flow of `heddle load` executed again, and states of growing size taken from the store, with their roots computed and compared.',
  async run(settings, progress: Progress) {
    const journals = settings.quick ? QUICK_JOURNALS : JOURNALS;
    const sizes = settings.quick ? QUICK_ACCOUNTS : ACCOUNTS;
    const of = journals.length + sizes.length;
    const live: number[] = [];
    const again: number[] = [];
    for (const [i, count] of journals.entries()) {
      progress(`recovery, ${count.toLocaleString('en')} transactions`, i, of);
      const found = await rounds(settings, () => replayed(count, settings));
      live.push(median(found.map((each) => each.live)));
      again.push(median(found.map((each) => each.again)));
    }
    const starts: Start[] = [];
    for (const [i, accounts] of sizes.entries()) {
      progress(`recovery, ${accounts.toLocaleString('en')} accounts`, journals.length + i, of);
      const found = await rounds(settings, () => fromStore(accounts, settings));
      const { records } = found[0] as Start;
      starts.push({ records, seconds: median(found.map(({ seconds }) => seconds)), bare: median(found.map(({ bare }) => bare)) });
    }
    const series: SeriesChart[] = [
      {
        title: 'The journal, executed again',
        note: 'Live: from the first submission until all is settled, without a store.',
        x: journals,
        xTitle: 'transactions in the journal',
        unit: 'transactions a second',
        lines: [
          { label: 'live', values: live },
          { label: 'at a start', values: again },
        ],
      },
      {
        title: 'The state, taken from the store',
        note: 'Without: a start of the same genesis with nothing to take.',
        x: starts.map(({ records }) => records),
        xTitle: 'records',
        unit: 's',
        logarithmic: true,
        lines: [
          { label: 'start', values: starts.map(({ seconds }) => seconds) },
          { label: 'without', values: starts.map(({ bare }) => bare) },
        ],
      },
    ];
    return { rows: [], latencies: [], series };
  },
};
