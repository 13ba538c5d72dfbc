/**
 * Random blocks executed by an engine and told as a pipeline tells them, with the naive twin that wrote them as the judge: what the tests
 * of views and of others who follow blocks are fed with.
 */
import { PackedChanges } from '../base/packed-changes.ts';
import type { Genesis } from '../exchange/genesis.ts';
import type { NaiveLedger } from '../exchange/naive.ts';
import type { Receipts } from '../execution/api.ts';
import { Engine } from '../execution/index.ts';
import type { Transaction } from '../ledger/transactions.ts';
import type { ConfirmedBlock } from '../node/index.ts';
import { transactionHash } from '../views/index.ts';
import { type RandomBlocksOptions, randomHistory } from './random-blocks.ts';

interface ExecutedBlock {
  readonly block: ConfirmedBlock;
  readonly ledger: NaiveLedger;
  /** After the block. */
  readonly engine: Engine;
}

const NO_HASH = new Uint8Array(32);
const NO_CHANGES = new PackedChanges([]);
const ENGINE = { memoryMiB: 1536, keyCapacity: 1 << 13, keySeed: 5n, maxTransactions: 4096, workers: 1, commitment: true };

export async function* executedBlocks(
  seed: number,
  genesis: Genesis,
  options: RandomBlocksOptions = {},
): AsyncGenerator<ExecutedBlock, void, undefined> {
  const engine = await Engine.create({ ...ENGINE, genesis });
  try {
    for (const { block, ledger } of randomHistory(seed, genesis, options)) {
      const { firstOrdinal } = engine;
      const { receipts, changes = NO_CHANGES } = await engine.executeBlock(block, { model: 'serial', changes: true });
      const { number, timeMs, transactions } = block;
      const hashes = transactions.map(hashOf);
      yield { block: { number, timeMs, firstOrdinal, transactions, hashes, receipts: bytesOf(receipts), changes }, ledger, engine };
    }
  } finally {
    await engine.close();
  }
}

/** What cannot be encoded would be in no block of a node, and has no hash. */
function hashOf(transaction: Transaction): Uint8Array {
  try {
    return transactionHash(transaction);
  } catch {
    return NO_HASH;
  }
}

/** u32 code, then the events. */
function bytesOf(receipts: Receipts): Uint8Array[] {
  return Array.from({ length: receipts.count }, (_, i) => {
    const bytes = new Uint8Array(4 + receipts.events(i).length);
    new DataView(bytes.buffer).setUint32(0, receipts.code(i), true);
    bytes.set(receipts.events(i), 4);
    return bytes;
  });
}
