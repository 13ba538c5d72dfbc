/**
 * What transactions are said to need of the memory at most, against what random blocks take: pages, keys, and records that are new in the state. A bound
 * that is too low anywhere would let a block into the journal that does not fit.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as X from '../exchange/layout.ts';
import { Engine } from '../execution/index.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import { encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Transaction } from '../ledger/transactions.ts';
import { randomGenesis, randomHistory } from './random-blocks.ts';

const ENGINE = { memoryMiB: 1536, keyCapacity: 1 << 13, keySeed: 5n, maxTransactions: 4096, workers: 1, commitment: true };
const FIRST = 1;
const SEEDS = 60;
/** So that what one needs does not hide in what others were said to need. */
const ALMOST_ALONE = { transactions: 2, blocks: 60 };
const LEVEL_PAGES = Math.floor(L.CHUNK_BYTES / X.LEVEL_PAGE_BYTES);

/** Bytes of pages that blocks have taken so far. */
function pageBytes(kernel: Kernel): number {
  const chunks = new Map<number, number>();
  for (let chunk = 0; chunk < kernel.get(L.REG_CHUNK_NEXT); chunk++) {
    const recordClass = kernel.get(L.CHUNK_TABLE + chunk * 4) & 0xff;
    chunks.set(recordClass, (chunks.get(recordClass) ?? 0) + 1);
  }
  const pools: readonly (readonly [number, number])[] = [
    [X.CLASS_POSITION, X.EXC_POOL_POSITIONS],
    [X.CLASS_ORDER, X.EXC_POOL_ORDERS],
    [X.CLASS_EXTRA, X.EXC_POOL_EXTRAS],
    [X.CLASS_TWAP, X.EXC_POOL_TWAPS],
  ];
  let bytes = 0;
  for (const [recordClass, pool] of pools) bytes += (chunks.get(recordClass) ?? 0) * L.CHUNK_BYTES - kernel.get(pool + 4);
  let levelPages = (chunks.get(X.CLASS_LEVEL) ?? 0) * LEVEL_PAGES;
  for (let market = 0; market < kernel.get(X.EXC_MARKET_COUNT); market++) {
    levelPages -= kernel.get(kernel.get(X.EXC_MARKETS) + market * X.MARKET_BYTES + X.MKT_PAGES_LEFT);
  }
  return bytes + levelPages * X.LEVEL_PAGE_BYTES;
}

function isEncodable(transaction: Transaction): boolean {
  try {
    encodeTransaction(transaction);
    return true;
  } catch {
    return false;
  }
}

async function checkHistory(seed: number): Promise<void> {
  const genesis = randomGenesis(seed);
  const engine = await Engine.create({ ...ENGINE, genesis });
  const { kernel } = engine as unknown as { kernel: Kernel };
  const keys = () => kernel.get(L.REG_KEY_COUNT);
  const nameOf = (key: Uint8Array) => Buffer.from(key).toString('hex');
  const present = new Set(Array.from(engine.records(), ({ key }) => nameOf(key)));
  try {
    for (const { block } of randomHistory(seed, genesis, seed % 2 === 0 ? {} : ALMOST_ALONE)) {
      engine.memory.look();
      const latent = kernel.get(X.EXC_LATENT_RECORDS) + kernel.get(X.EXC_LATENT_LEVELS);
      const need = { pages: 0, records: 0, keys: 0 };
      for (const transaction of block.transactions.filter(isEncodable)) {
        const { pages, records, chosen, lastingKeys } = engine.memory.needOf(transaction);
        need.pages += pages;
        need.records += records + chosen;
        need.keys += lastingKeys;
      }
      const before = { pages: pageBytes(kernel), keys: keys() };
      const { changes } = await engine.executeBlock(block, { model: 'serial', changes: true });
      const fresh: string[] = [];
      for (const { key, value } of changes ?? []) {
        const name = nameOf(key);
        if (value === undefined) present.delete(name);
        else if (!present.has(name)) {
          present.add(name);
          if (key[0] !== X.CLASS_DORMANT) fresh.push(name);
        }
      }
      const where = `seed ${seed}, block ${block.number}`;
      const backstop = kernel.get(X.EXC_POSITION_PAGES) * 256;
      assert.ok(
        pageBytes(kernel) - before.pages <= need.pages + backstop,
        `${where}: ${pageBytes(kernel) - before.pages} of ${need.pages} bytes`,
      );
      assert.ok(keys() - before.keys <= need.keys, `${where}: ${keys() - before.keys} of ${need.keys} keys`);
      assert.ok(
        fresh.length <= need.records + latent,
        `${where}: ${fresh.length} of ${need.records} and ${latent} records: ${fresh.join(' ')}`,
      );
    }
  } finally {
    await engine.close();
  }
}

describe('no block takes more than its transactions are said to need, and what was counted as latent', () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 10) {
    test(`seeds from ${seed}`, async () => {
      for (let i = seed; i < seed + 10; i++) await checkHistory(i);
    });
  }
});
