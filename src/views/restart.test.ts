/** A restart shows the same history: from the store, from the journal alone, and from a store that has forgotten old blocks. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Genesis } from '../exchange/genesis.ts';
import { sampleMarket } from '../exchange/sample-market.ts';
import { encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Transaction } from '../ledger/transactions.ts';
import { genesisHash, Pipeline } from '../node/index.ts';
import { randomBlocks } from '../simulator/random-blocks.ts';
import { randomGenesis } from '../simulator/random-genesis.ts';
import { SimulatedDisk, Store } from '../storage/index.ts';
import { quoteText } from './decimal-text.ts';
import { blockTerms, decodeValues, encodeValues, INFO_TYPES, type KeptValues, Views } from './index.ts';
import { requestOf } from './sample-requests.ts';

const ENGINE = { memoryMiB: 1536, keyCapacity: 1 << 13, keySeed: 5n, maxTransactions: 4096 };
const BLOCKS = 14;
const SEEDS = [1, 4, 5, 13, 16, 22, 46];
/** Ledgers whose accounts become dormant. */
const DORMANT_SEEDS = [0, 3, 9];

const folder = mkdtempSync(join(tmpdir(), 'views-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Node {
  readonly views: Views;
  readonly pipeline: Pipeline;
}

interface StartOptions {
  readonly recentBlocks?: number;
  readonly values?: KeptValues;
}

async function start(genesis: Genesis, disk: SimulatedDisk, clock: () => number, path?: string, options: StartOptions = {}): Promise<Node> {
  const store = path === undefined ? undefined : await Store.open(path, { chainId: genesisHash(genesis) });
  const views = Views.open({ genesis, ...(store === undefined ? {} : { store }), ...options });
  const ownerOf = (sender: string): string => views.ownerOf(sender);
  const pipeline = await Pipeline.open({
    genesis,
    disk,
    clock,
    engine: ENGINE,
    model: 'serial',
    ...(store === undefined ? {} : { store }),
    onConfirmed: (block) => views.confirm(block),
    termsOf: (block) => blockTerms(block, { addressOf: views.addressOfNumber, ownerOf }),
  });
  return { views, pipeline };
}

const OPTIONAL = [
  'nonce',
  'behalf',
  'multiSig',
  'clientId',
  'expiresMs',
  'trigger',
  'reduceOnly',
  'grouping',
  'builder',
  'always',
  'start',
];

/** What has the same encoding: fields in another order, some that are absent named, and others that mean nothing. */
function loosely(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(loosely);
  if (value === null || typeof value !== 'object') return value;
  const fields = Object.entries(value).map(([name, field]) => [name, loosely(field)]);
  const absent = OPTIONAL.filter((name) => !Object.hasOwn(value, name)).map((name) => [name, undefined]);
  return Object.fromEntries([...absent, ['comment', 'of no meaning'], ...fields.reverse()]);
}

/**
 * Submits random blocks as far as they can be encoded, each as a block of its own. What is executed is what was submitted, as loosely as it comes; after a
 * start it is what its encoding says.
 */
async function feed(
  { pipeline }: Node,
  seed: number,
  genesis: Genesis,
  setClock: (timeMs: number) => void,
  { from = 0, to = BLOCKS } = {},
): Promise<void> {
  for (const { timeMs, transactions } of [...randomBlocks(seed, genesis, { blocks: BLOCKS })].slice(from, to)) {
    setClock(timeMs);
    const tickets = transactions.flatMap((transaction) => {
      try {
        encodeTransaction(transaction);
      } catch {
        return [];
      }
      return [pipeline.submit(loosely(transaction) as Transaction)];
    });
    await Promise.all(tickets.map(({ settled }) => settled));
  }
}

/** Without the mark beside the fills of a liquidation, which no block has. */
const textOf = (answer: unknown): string => JSON.stringify(answer, (key, value) => (key === 'markPx' ? undefined : value));

/** Every answer about everybody, as text. */
function answersOf(views: Views, genesis: Genesis): Map<string, string> {
  const answers = new Map<string, string>();
  for (const type of INFO_TYPES) {
    for (const { address } of genesis.accounts) {
      answers.set(`displayName ${address}`, textOf(views.displayNameOf(address) ?? null));
      for (const { name } of genesis.markets) {
        answers.set(`${type} ${address} ${name}`, textOf(views.answer(requestOf(type, address, name))));
      }
    }
  }
  return answers;
}

function same(found: Map<string, string>, expected: Map<string, string>): void {
  for (const [question, answer] of expected) {
    const other = found.get(question) ?? '';
    if (other === answer) continue;
    let at = 0;
    while (other[at] === answer[at]) at++;
    const around = (text: string): string => text.slice(Math.max(0, at - 300), at + 300);
    assert.fail(`${question}: the same up to\n${around(answer)}\nwhich is now\n${around(other)}`);
  }
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
    const { settled } = node.pipeline;
    const { height } = node.views;
    assert.ok(height > 5);
    await node.pipeline.close();

    const values = keptValues(node.views);
    const fromStore = await start(genesis, disk, clock, path, { values });
    assert.equal(fromStore.views.height, height);
    same(answersOf(fromStore.views, genesis), expected);
    assert.deepEqual(keptValues(fromStore.views), values);
    await fromStore.pipeline.close();

    const fromJournal = await start(genesis, disk, clock);
    assert.equal(fromJournal.views.height, height);
    assert.deepEqual(fromJournal.pipeline.settled, settled);
    same(answersOf(fromJournal.views, genesis), expected);
    await fromJournal.pipeline.close();
  });
}

for (const seed of DORMANT_SEEDS) {
  test(`the same answers from the journal where accounts become dormant, seed ${seed}`, async () => {
    const genesis = randomGenesis(seed);
    assert.ok((genesis.dormantDays ?? 0) > 0);
    const disk = new SimulatedDisk();
    let now = 0;
    const node = await start(genesis, disk, () => now);
    await feed(node, seed, genesis, (timeMs) => {
      now = timeMs;
    });
    const expected = answersOf(node.views, genesis);
    await node.pipeline.close();
    const again = await start(genesis, disk, () => now);
    same(answersOf(again.views, genesis), expected);
    await again.pipeline.close();
  });
}

/** What is answered from the state alone. */
const STATE_TYPES = new Set([
  'clearinghouseState',
  'spotClearinghouseState',
  'openOrders',
  'userRole',
  'extraAgents',
  'subAccounts',
  'leadingVaults',
  'displayName',
  'l2Book',
  'meta',
]);

for (const seed of DORMANT_SEEDS) {
  test(`the same state from the store where accounts become dormant, seed ${seed}`, async () => {
    const genesis = randomGenesis(seed);
    const disk = new SimulatedDisk();
    const path = join(folder, `dormant-${seed}`);
    let now = 0;
    const node = await start(genesis, disk, () => now, path);
    await feed(node, seed, genesis, (timeMs) => {
      now = timeMs;
    });
    const all = answersOf(node.views, genesis);
    await node.pipeline.close();
    const again = await start(genesis, disk, () => now, path);
    same(answersOf(again.views, genesis), new Map([...all].filter(([question]) => STATE_TYPES.has(question.split(' ')[0] ?? ''))));
    await again.pipeline.close();
  });
}

interface Portfolio {
  readonly pnlHistory: readonly (readonly [timeMs: number, pnl: string])[];
}

/** What a file would have of them. */
function keptValues(views: Views): KeptValues {
  const chainId = new Uint8Array(32);
  const encoding = encodeValues(views.valuesToKeep(), chainId);
  let step = encoding.next();
  while (!step.done) step = encoding.next();
  return decodeValues(step.value, chainId);
}

/** Profit since the beginning, now. */
function profitOf(views: Views, user: string): string | undefined {
  const periods = views.answer({ type: 'portfolio', user }) as (readonly [name: string, Portfolio])[];
  return periods.find(([name]) => name === 'allTime')?.[1].pnlHistory.at(-1)?.[1];
}

for (const seed of SEEDS) {
  test(`profits go on after an end without order, seed ${seed}`, async () => {
    const genesis = randomGenesis(seed);
    const disk = new SimulatedDisk();
    const path = join(folder, `killed-${seed}`);
    let now = 0;
    const clock = (): number => now;
    const setClock = (timeMs: number): void => {
      now = timeMs;
    };
    const node = await start(genesis, disk, clock, path);
    await feed(node, seed, genesis, setClock, { to: BLOCKS / 2 });
    const values = keptValues(node.views);
    const known = values.series.map(({ user }) => user);
    await feed(node, seed, genesis, setClock, { from: BLOCKS / 2 });
    assert.ok(node.views.height > values.height);
    const expected = known.map((user) => profitOf(node.views, user));
    assert.ok(new Set(expected).size > 2);
    await node.pipeline.close();

    const again = await start(genesis, disk, clock, path, { values });
    assert.deepEqual(
      known.map((user) => profitOf(again.views, user)),
      expected,
    );
    await again.pipeline.close();

    // Blocks between those that were noted and those that are read again: what they brought is not known, and nobody's profit.
    const gap = await start(genesis, disk, clock, path, { values, recentBlocks: 1 });
    assert.deepEqual(
      known.map((user) => profitOf(gap.views, user)),
      values.series.map(({ points }) => quoteText(points.at(-1)?.pnl ?? 0n)),
    );
    await gap.pipeline.close();
  });
}

const MOST_STEPS = 2000;

for (const inOneBlock of [true, false]) {
  test(`an open order keeps its client id and its time behind more steps than a history has, in ${inOneBlock ? 'one block' : 'many'}`, async () => {
    const [owner, taker] = [`0x${'1'.repeat(40)}`, `0x${'2'.repeat(40)}`];
    const genesis: Genesis = {
      maxAccounts: 8,
      orderPages: 1,
      tokens: [{ name: 'USDC', decimals: 6 }],
      markets: [sampleMarket({ name: 'M', tickCount: 65_536, markTicks: 30_000 })],
      accounts: [owner, taker].map((address) => ({ address, collateral: 10n ** 15n })),
    };
    const disk = new SimulatedDisk();
    const path = join(folder, `steps-${inOneBlock}`);
    let now = 1_700_000_000_000;
    const clientId = `0x${'c'.repeat(32)}`;
    const place = { op: 'place', market: 0, side: 'buy', tif: 'gtc', priceTicks: 29_990, sizeLots: 10n } as const;
    const refused = { ...place, sizeLots: 0n };
    const node = await start(genesis, disk, () => now, path);
    const tickets = [node.pipeline.submit({ kind: 'orders', sender: owner, items: [{ ...place, clientId }] })];
    for (let steps = 0; steps <= MOST_STEPS; steps += 64) {
      if (!inOneBlock) await tickets.at(-1)?.settled;
      tickets.push(node.pipeline.submit({ kind: 'orders', sender: owner, items: Array.from({ length: 64 }, () => refused) }));
    }
    await Promise.all(tickets.map(({ settled }) => settled));
    if (inOneBlock) assert.equal(node.views.height, 1);
    now += 1000;
    await node.pipeline.submit({ kind: 'orders', sender: taker, items: [{ ...place, side: 'sell', sizeLots: 4n }] }).settled;

    const checked = (views: Views): void => {
      const [open] = views.answer({ type: 'frontendOpenOrders', user: owner }) as { cloid: string; timestamp: number }[];
      assert.deepEqual([open?.cloid, open?.timestamp], [clientId, now - 1000]);
      const [fill] = views.answer({ type: 'userFills', user: owner }) as { cloid?: string }[];
      assert.equal(fill?.cloid, clientId);
    };
    checked(node.views);
    await node.pipeline.close();
    const again = await start(genesis, disk, () => now, path);
    checked(again.views);
    await again.pipeline.close();
  });
}

const oidsOf = (views: Views, user: string): number[] => {
  const rows = views.answer({ type: 'historicalOrders', user }) as { order: { oid: number } }[];
  const oids = [...new Set(rows.map(({ order }) => order.oid))];
  return oids.filter((_, i) => i < 20 || i >= oids.length - 20);
};

interface OrderAnswer {
  readonly order?: { readonly status: string; readonly statusTimestamp: number };
}

/** An order that is open since before what is remembered has the time at which it was placed, also if it was a trigger order that fired. */
function statusOf({ order, ...answer }: OrderAnswer): unknown {
  return { ...answer, order: order?.status === 'open' ? { ...order, statusTimestamp: 0 } : order };
}

interface Fill {
  readonly dir: string;
}

/**
 * What the store knows of an account's past. The profit of a takeover and settlements follow from positions of the time, and the client id of
 * a maker's order may be in a block that is not remembered.
 */
function pastOf(views: Views, user: string, oids: readonly number[]): Record<string, unknown> {
  const ask = (type: string, fields: object = {}): unknown => JSON.parse(textOf(views.answer({ type, user, ...fields })));
  const fills = (ask('userFillsByTime', { startTime: 0 }) as Fill[]).filter(({ dir }) => dir !== 'Settlement');
  const updates = ask('userNonFundingLedgerUpdates', { startTime: 0 }) as { delta: { type: string } }[];
  return {
    open: ask('openOrders'),
    frontend: ask('frontendOpenOrders'),
    state: ask('clearinghouseState'),
    balances: ask('spotClearinghouseState'),
    fills: fills.map((fill) => ({ ...fill, cloid: '', ...(fill.dir.startsWith('Liquidated') ? { closedPnl: '' } : {}) })),
    updates: updates.filter(({ delta }) => delta.type !== 'liquidation'),
    statuses: oids.map((oid) => statusOf(ask('orderStatus', { oid }) as OrderAnswer)),
  };
}

for (const seed of SEEDS) {
  test(`what is not remembered comes from the store, seed ${seed}`, async () => {
    const genesis = randomGenesis(seed);
    const disk = new SimulatedDisk();
    const path = join(folder, `short-${seed}`);
    let now = 0;
    const clock = (): number => now;
    const node = await start(genesis, disk, clock, path);
    await feed(node, seed, genesis, (timeMs) => {
      now = timeMs;
    });
    const users = genesis.accounts.map(({ address }) => address);
    const expected = users.map((user) => pastOf(node.views, user, oidsOf(node.views, user)));
    const oids = users.map((user) => oidsOf(node.views, user));
    await node.pipeline.close();
    const short = await start(genesis, disk, clock, path, { recentBlocks: 5 });
    users.forEach((user, i) => {
      assert.deepEqual(pastOf(short.views, user, oids[i] ?? []), expected[i], user);
    });
    await short.pipeline.close();
  });
}
