/** What the benchmarks of the node share: transactions as clients have sent them, folders that go again, and how long something takes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadGenesis, loadTransactions } from '../cli/load-flow.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { packBlock } from '../ledger/packed-block.ts';
import { encodeTransaction } from '../ledger/transaction-codec.ts';

export const START_MS = 1_760_000_000_000;

/** Of the flow of `heddle load`, each by itself. */
export function encodedLoad(count: number, seed: number): { readonly genesis: Genesis; readonly encoded: readonly Uint8Array[] } {
  return { genesis: loadGenesis(), encoded: Array.from(loadTransactions(count, seed, START_MS), encodeTransaction) };
}

/** Blocks as the journal holds them. */
export function packedBlocks(encoded: readonly Uint8Array[], blockSize: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(encoded.length / blockSize) }, (_, i) =>
    packBlock(i + 1, START_MS + i, encoded.slice(i * blockSize, (i + 1) * blockSize)),
  );
}

/** Calls `use` with a new folder in `parent`, which is removed then. */
export async function inFolder<T>(parent: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(parent, 'heddle-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Seconds. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action();
  return (performance.now() - started) / 1000;
}
