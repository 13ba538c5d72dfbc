/**
 * The lists that headers commit to: the kernel's roots are those of the definition, whatever ran the block, and a node that was restored from records
 * makes the same lists as one that has executed everything. Beside them the hashes that transactions are known by.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { blake3 } from '../commitment/blake3.ts';
import { listRoot } from '../commitment/item-list.ts';
import { committedValue } from '../commitment/state-tree.ts';
import type { BlockRoots, ExecuteOptions } from '../execution/api.ts';
import { Engine } from '../execution/index.ts';
import { encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Block, Transaction } from '../ledger/transactions.ts';
import { sampleGenesis } from '../node/sample-folder.ts';
import { randomBlocks, randomGenesis } from './random-blocks.ts';

const SEEDS = 10;
const ENGINE = { memoryMiB: 2048, keyCapacity: 4096, maxTransactions: 16384, commitment: true };

/** One behind the other, each behind its length. */
function packed(items: readonly Uint8Array[]): Uint8Array {
  const parts = items.flatMap((item) => [Buffer.from(Uint32Array.of(item.length).buffer), item]);
  return new Uint8Array(Buffer.concat(parts));
}

/** Transactions that have no encoding are none of a block of the journal. */
function encodable(block: Block): { block: Block; encoded: Uint8Array[] } {
  const encoded: Uint8Array[] = [];
  const transactions = block.transactions.filter((transaction) => {
    try {
      encoded.push(encodeTransaction(transaction));
      return true;
    } catch {
      return false;
    }
  });
  return { block: { ...block, transactions }, encoded };
}

/** Of an item: around blocks, and around chunks of 1024 bytes, which are hashed four at a time; or any. */
function itemLength(random: Random): number {
  const around = random.pick([1, 1024, 2048, 3072, 4096, 5120, 8192, 9216]);
  return random.pick([0, 1, 63, 64, 65, around - 1, around, around + 1, around + 100, random.below(1024), random.below(14_000)]);
}

const hex = (roots: BlockRoots): Record<string, string> =>
  Object.fromEntries(Object.entries(roots).map(([name, root]) => [name, Buffer.from(root as Uint8Array).toString('hex')]));

test('roots are those of the definition, under every model, and those of a restored node', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const genesis = randomGenesis(seed);
    const blocks = [...randomBlocks(seed, genesis)].map(encodable);
    const cut = Math.floor((blocks.length * (1 + (seed % 3))) / 4);
    const first = await Engine.create({ genesis, ...ENGINE, workers: 1, keySeed: 7n });
    const parallel = await Engine.create({ genesis, ...ENGINE, workers: 3, keySeed: 8n });
    const restored = await Engine.create({ genesis, ...ENGINE, workers: 1, keySeed: 99n });
    try {
      for (const [index, { block, encoded }] of blocks.entries()) {
        const options: ExecuteOptions = { model: 'serial', packed: packed(encoded) };
        if (index === cut) {
          const records = [...first.records()].map(({ key, value }) => ({ key, value: committedValue(key, value) }));
          restored.importState(records, block.number - 1, first.firstOrdinal);
        }
        const result = await first.executeBlock(block, { ...options, keepAccesses: true, keepReceipts: true });
        const expected = hex({
          state: Buffer.from(first.committedRoot(), 'hex'),
          transactions: listRoot(encoded),
          receipts: listRoot(result.kept?.items() ?? []),
          accesses: listRoot(result.accesses ?? []),
        });
        const where = `seed ${seed}, block ${block.number}`;
        assert.deepEqual(hex((await result.roots) as BlockRoots), expected, where);
        const models = ['optimistic', 'auto', 'deterministic', 'sharded'] as const;
        const other = await parallel.executeBlock(block, { ...options, model: models[(index + seed) % 4] ?? 'auto' });
        assert.deepEqual(hex((await other.roots) as BlockRoots), expected, `${where}, in parallel`);
        if (index < cut) continue;
        const again = await restored.executeBlock(block, options);
        assert.deepEqual(hex((await again.roots) as BlockRoots), expected, `${where}, restored`);
      }
    } finally {
      await Promise.all([first.close(), parallel.close(), restored.close()]);
    }
  }
});

test('receipts that are kept are those that were read, and items of any length and number have the root of the definition', async () => {
  const random = new Random(5);
  const genesis = sampleGenesis(4);
  const engine = await Engine.create({ genesis, ...ENGINE, workers: 2, keySeed: 7n });
  try {
    const counts = [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 700];
    for (const [index, count] of counts.entries()) {
      const items = Array.from({ length: count }, () => Uint8Array.from({ length: itemLength(random) }, () => random.below(256)));
      const transactions = items.map((): Transaction => ({ kind: 'noop', sender: genesis.accounts[random.below(4)]?.address as string }));
      const block = { number: index + 1, timeMs: 1_760_000_000_000 + index, transactions };
      const result = await engine.executeBlock(block, { model: 'auto', packed: packed(items), hashes: true, keepReceipts: true });
      const { kept, receipts } = result;
      assert.equal(kept?.count, receipts.count);
      for (let i = 0; i < receipts.count; i++) {
        assert.equal(kept?.code(i), receipts.code(i));
        assert.deepEqual(kept?.events(i), receipts.events(i).slice());
      }
      const roots = (await result.roots) as BlockRoots;
      assert.deepEqual(roots.transactions, listRoot(items), `${count} items`);
      assert.deepEqual(roots.receipts, listRoot(kept?.items() ?? []));
      assert.deepEqual(result.hashes, items.map(blake3), `hashes of ${count} items`);
    }
  } finally {
    await engine.close();
  }
});
