/** Views of a folder that was restored from a snapshot: what no record has is said as well as it can be known. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { genesisHash, readGenesis, restoreSnapshot, writeSnapshot } from '../node/index.ts';
import { growFolder, sampleFolder } from '../node/sample-folder.ts';
import { Store } from '../storage/index.ts';
import { Views } from './index.ts';

const HEIGHT = 4;
const ACCOUNTS = 64;

const folder = mkdtempSync(join(tmpdir(), 'views-snapshot-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface OpenOrder {
  readonly oid: number;
  readonly timestamp: number;
}

async function openOrders(dir: string): Promise<Map<number, number>> {
  const genesis = await readGenesis(dir);
  const store = await Store.open(join(dir, 'store'), { chainId: genesisHash(genesis) });
  const views = Views.open({ genesis, store });
  const orders = genesis.accounts.flatMap(({ address }) => views.answer({ type: 'openOrders', user: address }) as OpenOrder[]);
  await store.close();
  return new Map(orders.map(({ oid, timestamp }) => [oid, timestamp]));
}

test('orders that came with a snapshot have its time, and those placed afterwards their own', async () => {
  const original = join(folder, 'original');
  const file = join(folder, 'file');
  const restored = join(folder, 'restored');
  await sampleFolder(original, HEIGHT, ACCOUNTS);
  await writeSnapshot(original, file);
  await restoreSnapshot(file, restored);
  const placed = await openOrders(original);
  const snapshotMs = Math.max(...placed.values());
  assert.ok(placed.size > 10 && snapshotMs > Math.min(...placed.values()));
  assert.deepEqual(await openOrders(restored), new Map([...placed.keys()].map((oid) => [oid, snapshotMs])));
  await growFolder(original, HEIGHT + 2);
  await growFolder(restored, HEIGHT + 2);
  const later = await openOrders(original);
  const expected = [...later].map(([oid, timeMs]) => [oid, Math.max(timeMs, snapshotMs)] as const);
  assert.ok(expected.some(([, timeMs]) => timeMs > snapshotMs));
  assert.deepEqual(await openOrders(restored), new Map(expected));
  // Headers tell when an order was placed, also of blocks that are gone.
  const store = await Store.open(join(restored, 'store'), { chainId: genesisHash(await readGenesis(restored)) });
  await store.prune(HEIGHT + 2);
  assert.equal(store.first, HEIGHT + 2);
  await store.close();
  assert.deepEqual(await openOrders(restored), new Map(expected));
});
