/**
 * Removes the bodies and receipts of blocks that are older than a node is to keep, from the store and from the journal. Headers stay, so that every root
 * that ever was can still be shown.
 *
 * Invariant: the journal keeps what the store does not have. One pruning goes on at a time.
 */
import { access } from 'node:fs/promises';
import { HeddleError } from '../base/errors.ts';
import { type BlockHeader, decodeHeader } from '../commitment/header.ts';
import { Journal, RealDisk, Store } from '../storage/index.ts';
import { pathsOf, readGenesis } from './folder.ts';
import { genesisHash } from './genesis-hash.ts';

/** Blocks from one look to the next. */
const LOOK_EVERY = 64;
/** Blocks that go at once, at most: others want to write too. */
const AT_ONCE = 4096;

export class Pruning {
  private readonly store: Store;
  private readonly journal: Journal;
  private readonly keepMs: number;
  private running: Promise<void> | undefined;

  constructor(store: Store, journal: Journal, keepMs: number) {
    this.store = store;
    this.journal = journal;
    this.keepMs = keepMs;
  }

  /** Called for every block that is settled. */
  after(header: BlockHeader, onError: (error: unknown) => void): void {
    if (header.height % LOOK_EVERY !== 0 || this.running !== undefined) return;
    this.running = this.prune(header.timeMs - this.keepMs)
      .catch(onError)
      .finally(() => {
        this.running = undefined;
      });
  }

  async done(): Promise<void> {
    await this.running;
  }

  private async prune(beforeMs: number): Promise<void> {
    const below = firstToKeep(this.store, beforeMs, AT_ONCE);
    await this.store.prune(below);
    await this.journal.prune(below);
  }
}

export interface PruneSummary {
  /** Blocks that had a body before and have none now. The genesis is height 0, of time 0 and always old: it is no block, and not counted. */
  readonly pruned: number;
  /** The first that has one. */
  readonly first: number;
  readonly height: number;
}

/**
 * Prunes the folder of a node that is not running: what is before `beforeMs`. Throws NO_FOLDER, NO_STORE and what opening a journal and a store
 * throws.
 */
export async function pruneFolder(dir: string, beforeMs: number): Promise<PruneSummary> {
  const chainId = genesisHash(await readGenesis(dir));
  const paths = pathsOf(dir);
  try {
    await access(paths.store);
  } catch (cause) {
    throw new HeddleError('NO_STORE', `${dir} has no store: start the node once, it makes it from the journal`, { cause });
  }
  const store = await Store.open(paths.store, { chainId });
  try {
    const { height } = store;
    if (height === undefined) throw new HeddleError('NO_STORE', `the store of ${dir} is empty: start the node once, it fills it`);
    const journal = await Journal.open(await RealDisk.open(paths.journal), { chainId, confirmed: height });
    try {
      const before = Math.max(1, store.first);
      const below = firstToKeep(store, beforeMs, Number.MAX_SAFE_INTEGER);
      await store.prune(below);
      await journal.prune(below);
      return { pruned: Math.max(0, store.first - before), first: store.first, height };
    } finally {
      await journal.close();
    }
  } finally {
    await store.close();
  }
}

/** The first height at or after a time, not more than `most` above the first that has a body; the store's last block is always kept. */
export function firstToKeep(store: Store, beforeMs: number, most: number): number {
  const last = store.height ?? 0;
  let height = store.first;
  for (const end = Math.min(last, height + most); height < end; height++) {
    const bytes = store.header(height);
    if (bytes !== undefined && decodeHeader(bytes).timeMs >= beforeMs) break;
  }
  return height;
}
