/** A restart shows the same history: from the store, from the journal alone, and from a store that has forgotten old blocks. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Genesis } from '../exchange/genesis.ts';
import { encodeTransaction } from '../ledger/transaction-codec.ts';
import { genesisHash, Pipeline } from '../node/index.ts';
import { randomBlocks } from '../simulator/random-blocks.ts';
import { randomGenesis } from '../simulator/random-genesis.ts';
import { SimulatedDisk, Store } from '../storage/index.ts';
import { blockTerms, INFO_TYPES, Views } from './index.ts';
import { requestOf } from './sample-requests.ts';

const ENGINE = { memoryMiB: 1536, keyCapacity: 1 << 13, keySeed: 5n, maxTransactions: 4096 };
const SEEDS = [1, 3, 4, 6, 13, 15];
/** Values of the past are in no block (account-values.ts). */
const NOT_KEPT = new Set(['portfolio', 'webData2', 'vaultDetails']);

const folder = mkdtempSync(join(tmpdir(), 'views-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Node {
  readonly views: Views;
  readonly pipeline: Pipeline;
}

async function start(genesis: Genesis, disk: SimulatedDisk, clock: () => number, path?: string): Promise<Node> {
  const store = path === undefined ? undefined : await Store.open(path, { chainId: genesisHash(genesis) });
  const views = Views.open({ genesis, ...(store === undefined ? {} : { store }) });
  const ownerOf = (sender: string): string => views.ownerOf(sender);
  const pipeline = await Pipeline.open({
    genesis,
    disk,
    clock,
    engine: ENGINE,
    model: 'serial',
    ...(store === undefined ? {} : { store }),
    onConfirmed: (block) => views.confirm(block),
    termsOf: (block) => blockTerms(block, { addressOf: (account) => views.mirror.addressOf(account), ownerOf }),
  });
  return { views, pipeline };
}

/** Submits random blocks as far as they can be encoded, each as a block of its own. */
async function feed({ pipeline }: Node, seed: number, genesis: Genesis, setClock: (timeMs: number) => void): Promise<void> {
  for (const { timeMs, transactions } of randomBlocks(seed, genesis, { blocks: 14 })) {
    setClock(timeMs);
    const tickets = transactions.flatMap((transaction) => {
      try {
        encodeTransaction(transaction);
      } catch {
        return [];
      }
      return [pipeline.submit(transaction)];
    });
    await Promise.all(tickets.map(({ settled }) => settled));
  }
}

/** Without the mark beside the fills of a liquidation, which no block has. */
const textOf = (answer: unknown): string => JSON.stringify(answer, (key, value) => (key === 'markPx' ? undefined : value));

/** Every answer about everybody, as text. */
function answersOf(views: Views, genesis: Genesis): Map<string, string> {
  const answers = new Map<string, string>();
  for (const type of INFO_TYPES.filter((name) => !NOT_KEPT.has(name))) {
    for (const { address } of genesis.accounts) {
      for (const { name } of genesis.markets) {
        answers.set(`${type} ${address} ${name}`, textOf(views.answer(requestOf(type, address, name))));
      }
    }
  }
  return answers;
}

function same(found: Map<string, string>, expected: Map<string, string>): void {
  for (const [question, answer] of expected) assert.equal(found.get(question), answer, question);
}

for (const seed of SEEDS) {
  test(`the same answers after a restart, seed ${seed}`, async () => {
    const genesis = randomGenesis(seed);
    const disk = new SimulatedDisk();
    const path = join(folder, `store-${seed}`);
    let now = 0;
    const clock = (): number => now;
    const node = await start(genesis, disk, clock, path);
    await feed(node, seed, genesis, (timeMs) => {
      now = timeMs;
    });
    const expected = answersOf(node.views, genesis);
    const { height } = node.views;
    assert.ok(height > 5);
    await node.pipeline.close();

    const fromStore = await start(genesis, disk, clock, path);
    assert.equal(fromStore.views.height, height);
    same(answersOf(fromStore.views, genesis), expected);
    await fromStore.pipeline.close();

    const fromJournal = await start(genesis, disk, clock);
    assert.equal(fromJournal.views.height, height);
    same(answersOf(fromJournal.views, genesis), expected);
    await fromJournal.pipeline.close();
  });
}
