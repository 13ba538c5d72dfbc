/**
 * Nothing that is sent fills the ledger's memory: whoever takes as much as there is, is refused, those who get out are not, and a node with the same
 * memory starts again from what it has written.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { HeddleError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { pathOf } from '../commitment/state-tree.ts';
import type { Genesis } from '../exchange/genesis.ts';
import * as X from '../exchange/layout.ts';
import { sampleMarket } from '../exchange/sample-market.ts';
import type { OrderItem, Transaction } from '../ledger/transactions.ts';
import { SimulatedDisk, Store } from '../storage/index.ts';
import { genesisHash } from './genesis-hash.ts';
import { MemoryGuard, type Room } from './memory-guard.ts';
import { type Confirmation, Pipeline, type PipelineOptions } from './pipeline.ts';

const START_MS = 1_760_000_000_000;
const ACCOUNTS = 48;
const MARKETS = 6;
const TICKS = 1 << 20;
const MARK = TICKS / 2;
/** A batch may not be larger. */
const ITEMS = 64;
/** Transactions that are sent together. */
const WAVE = 40;
/** With this genesis a few MiB are left for orders. */
const ENGINE = { memoryMiB: 1000, keyCapacity: 1 << 16, keySeed: 5n, maxTransactions: 2048, systemTransactions: 4096 };

const SEEDS = 6;

const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
const folder = mkdtempSync(join(tmpdir(), 'memory-guard-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const genesis: Genesis = {
  maxAccounts: 1024,
  orderPages: 128,
  tokens: [{ name: 'USDC', decimals: 6 }],
  markets: Array.from({ length: MARKETS }, (_, i) => sampleMarket({ name: `M${i}`, tickCount: TICKS, unit: 1, markTicks: MARK })),
  oracle: address(1),
  exchange: { openOrdersBase: 8000, openOrdersMax: 8000 },
  accounts: Array.from({ length: ACCOUNTS }, (_, i) => ({
    address: address(i + 1),
    balances: [{ token: 0, amount: 10n ** 15n }],
    collateral: 10n ** 15n,
  })),
};

function options(disk: SimulatedDisk, fields: Partial<PipelineOptions> = {}): PipelineOptions {
  let now = START_MS;
  return { genesis, disk, clock: () => ++now, engine: ENGINE, model: 'serial', blockTransactions: WAVE, ...fields };
}

/** Somebody who takes memory: each way gives the next transaction of one kind, for an account. */
class Adversary {
  private readonly random: Random;
  private nonce = 0;
  private orders = 0;
  private clients = 0;
  private recipients = 1_000_000;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  sender(): string {
    return address(2 + this.random.below(ACCOUNTS - 1));
  }

  signed<T extends object>(body: T, sender = this.sender()): T & { sender: string; nonce: bigint } {
    return { ...body, sender, nonce: BigInt(START_MS + this.nonce++) };
  }

  /** A level page of its own for every order: far below the mark. */
  private place(fields: Partial<Extract<OrderItem, { op: 'place' }>> = {}): OrderItem {
    const page = this.orders++ % (MARK / 64 - 1);
    const market = this.random.below(MARKETS);
    return { op: 'place', market, side: 'buy', tif: 'gtc', priceTicks: 64 * (1 + page), sizeLots: 1n, ...fields };
  }

  private batch(fields: () => Partial<Extract<OrderItem, { op: 'place' }>> = () => ({})): Transaction {
    return this.signed({ kind: 'orders' as const, items: Array.from({ length: ITEMS }, () => this.place(fields())) });
  }

  private clientId(): string {
    return `0x${(this.clients++).toString(16).padStart(32, '0')}`;
  }

  /** Of an account, all in one part of the state tree. */
  private groundClientId(account: number): string {
    for (;;) {
      const id = this.clientId();
      const key = Buffer.concat([Buffer.of(X.CLASS_CLIENT_ID, 0, 0, 0, account), Buffer.from(id.slice(2), 'hex')]);
      if ((pathOf(key)[0] as number) < 32) return id;
    }
  }

  readonly ways: Readonly<Record<string, () => Transaction>> = {
    prices: () => this.batch(),
    clientIds: () => this.batch(() => ({ clientId: this.clientId() })),
    oneBucket: () => {
      const number = 1 + this.random.below(ACCOUNTS - 1);
      const items = Array.from({ length: 16 }, () => this.place({ clientId: this.groundClientId(number) }));
      return this.signed({ kind: 'orders' as const, items }, address(number + 1));
    },
    triggers: () => this.batch(() => ({ trigger: { kind: 'stopLoss', priceTicks: 64 * (1 + this.random.below(100)), market: false } })),
    accounts: () => this.signed({ kind: 'transfer' as const, recipient: address(this.recipients++), token: 0, amount: 1n }),
    positions: () => {
      const [side, other] = this.random.chance(0.5) ? (['buy', 'sell'] as const) : (['sell', 'buy'] as const);
      const market = this.random.below(MARKETS);
      const items: OrderItem[] = [this.place({ market, side, tif: 'gtc', priceTicks: MARK, sizeLots: 3n })];
      items.push(this.place({ market, side: other, tif: 'ioc', priceTicks: MARK, sizeLots: 2n, clientId: this.clientId() }));
      return this.signed({ kind: 'orders' as const, items });
    },
    leverage: () => this.signed({ kind: 'updateLeverage' as const, market: this.random.below(MARKETS), leverage: 3, isolated: false }),
    twaps: () =>
      this.signed({ kind: 'twap' as const, market: this.random.below(MARKETS), side: 'buy' as const, sizeLots: 30n, minutes: 5 }),
    agents: () => this.signed({ kind: 'approveAgent' as const, agent: address(this.recipients++), name: `agent ${this.clients++}` }),
    mixed: () => this.next(Object.keys(this.ways).filter((way) => way !== 'mixed')),
  };

  next(ways: readonly string[]): Transaction {
    return (this.ways[this.random.pick(ways)] as () => Transaction)();
  }
}

/** Sends waves until whole ones are refused for want of memory, or so many were sent; returns how many transactions were and what was confirmed. */
async function fill(pipeline: Pipeline, next: () => Transaction, waves: number): Promise<{ refused: number; confirmed: Confirmation[] }> {
  const confirmed: Confirmation[] = [];
  let refused = 0;
  for (let wave = 0; wave < waves; wave++) {
    const tickets = [];
    for (let i = 0; i < WAVE; i++) {
      try {
        tickets.push(pipeline.submit(next()));
      } catch (error) {
        const { code, message } = error as HeddleError;
        // Where nothing is under way it is the state that has taken it.
        assert.ok(code === 'MEMORY_SHORT' || (code === 'BUSY' && tickets.length > 0), message);
        refused++;
      }
    }
    confirmed.push(...(await Promise.all(tickets.map((ticket) => ticket.confirmed))));
    await Promise.all(tickets.map((ticket) => ticket.settled));
    assert.equal(pipeline.broken, undefined);
    if (tickets.length === 0) break;
  }
  return { refused, confirmed };
}

/** Oids of what is open, by account. */
function openOrders(pipeline: Pipeline): Map<number, { market: number; oid: bigint }[]> {
  const open = new Map<number, { market: number; oid: bigint }[]>();
  for (const { key, value } of pipeline.state.records()) {
    if (key[0] !== X.CLASS_ORDER) continue;
    const bytes = new Uint8Array(64);
    bytes.set(value);
    const view = new DataView(bytes.buffer);
    const account = new DataView(key.buffer, key.byteOffset).getUint32(1);
    const orders = open.get(account) ?? [];
    orders.push({ oid: view.getBigUint64(0, true), market: view.getUint16(44, true) });
    open.set(account, orders);
  }
  return open;
}

/** Prices fall, block by block: triggers fire and orders are filled, which takes memory that nobody asks for. */
async function crash(pipeline: Pipeline, adversary: Adversary): Promise<void> {
  for (let step = 0; step < 12; step++) {
    const ticks = Math.floor(MARK * 0.97 ** step);
    const prices = Array.from({ length: MARKETS }, (_, market) => ({ market, spot: [ticks] }));
    const report = pipeline.submit(adversary.signed({ kind: 'oracle' as const, prices }, address(1)));
    assert.equal((await report.confirmed).code, 0);
  }
}

/** What somebody sends who wants out; each must be taken, whatever the memory is. */
async function getOut(pipeline: Pipeline, adversary: Adversary): Promise<void> {
  const cancels: Transaction[] = [];
  for (const [account, orders] of openOrders(pipeline)) {
    for (let from = 0; from < orders.length; from += ITEMS) {
      const items = orders.slice(from, from + ITEMS).map(({ market, oid }) => ({ op: 'cancel' as const, market, oid }));
      cancels.push(adversary.signed({ kind: 'orders' as const, items }, address(account + 1)));
    }
  }
  const first = cancels.slice(0, 3);
  first.push(adversary.signed({ kind: 'withdraw' as const, amount: 10_000_000n }, address(3)));
  first.push(adversary.signed({ kind: 'toSpot' as const, amount: 5n }, address(3)));
  const close = { op: 'place', market: 0, side: 'sell', tif: 'ioc', priceTicks: 64, sizeLots: 1n, reduceOnly: true } as const;
  first.push(adversary.signed({ kind: 'orders' as const, items: [close] }, address(3)));
  first.push(adversary.signed({ kind: 'oracle' as const, prices: [{ market: 0, spot: [MARK] }] }, address(1)));
  const codes = await Promise.all(first.map(async (transaction) => (await pipeline.submit(transaction).confirmed).code));
  assert.deepEqual(codes, Array(first.length).fill(0));
  for (let from = 3; from < cancels.length; from += WAVE) {
    await Promise.all(cancels.slice(from, from + WAVE).map((transaction) => pipeline.submit(transaction).confirmed));
  }
  assert.equal(openOrders(pipeline).size, 0);
}

async function rootAfterStart(disk: SimulatedDisk, fields: Partial<PipelineOptions> = {}): Promise<string> {
  const pipeline = await Pipeline.open(options(disk, fields));
  const root = pipeline.state.committedRoot();
  await pipeline.close();
  return root;
}

describe('whoever takes all the memory is refused, can get out, and the node starts again with as much', () => {
  for (const way of ['prices', 'clientIds', 'oneBucket', 'triggers', 'mixed']) {
    test(`by ${way}`, async () => {
      const disk = new SimulatedDisk();
      const storeFolder = join(folder, way);
      const chainId = genesisHash(genesis);
      const adversary = new Adversary(7);
      const pipeline = await Pipeline.open(options(disk, { store: await Store.open(storeFolder, { chainId }) }));
      const { refused, confirmed } = await fill(pipeline, () => adversary.next([way]), 400);
      assert.ok(refused > 0, `${confirmed.length} were taken and none refused`);
      const full = pipeline.state.committedRoot();
      await pipeline.close();
      assert.equal(await rootAfterStart(disk.restart()), full);
      const again = await Pipeline.open(options(disk, { store: await Store.open(storeFolder, { chainId }) }));
      assert.equal(again.state.committedRoot(), full);
      await fill(again, () => adversary.next([way]), 100);
      await crash(again, adversary);
      await getOut(again, adversary);
      // Whoever wants to can place an order again.
      const order = { op: 'place', market: 0, side: 'buy', tif: 'gtc', priceTicks: 64, sizeLots: 1n } as const;
      const later = again.submit(adversary.signed({ kind: 'orders' as const, items: [order] }, address(3)));
      assert.equal((await later.confirmed).code, 0);
      await again.close();
    });
  }
});

describe('any mix of ways', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    test(`seed ${seed}`, async () => {
      const random = new Random(seed);
      const adversary = new Adversary(seed);
      const ways = Object.keys(adversary.ways).filter((way) => way !== 'mixed' && way !== 'oneBucket' && random.chance(0.6));
      const engine = { ...ENGINE, memoryMiB: ENGINE.memoryMiB - random.below(12) };
      const pipeline = await Pipeline.open(options(new SimulatedDisk(), { engine, model: random.pick(['serial', 'auto'] as const) }));
      await fill(pipeline, () => adversary.next(ways.length === 0 ? ['prices'] : ways), 120);
      await crash(pipeline, adversary);
      await getOut(pipeline, adversary);
      await pipeline.close();
    });
  }
});

test('prices are taken and known accounts cancel, however many cancels of others wait', async () => {
  const accounts = 1000;
  const many = Array.from({ length: accounts }, (_, i) => ({ address: address(i + 1), collateral: 10n ** 15n }));
  const pipeline = await Pipeline.open(options(new SimulatedDisk(), { genesis: { ...genesis, accounts: many }, blockTransactions: 1000 }));
  const adversary = new Adversary(5);
  const cancel = (sender: string) =>
    adversary.signed({ kind: 'orders' as const, items: [{ op: 'cancel' as const, market: 0, oid: 1n }] }, sender);
  const report = () => adversary.signed({ kind: 'oracle' as const, prices: [{ market: 0, spot: [MARK] }] }, address(1));
  for (let i = 0; i < 100; i++) {
    await Promise.all([report(), cancel(address(2))].map((transaction) => pipeline.submit(transaction).confirmed));
  }
  const tickets = [];
  try {
    for (let i = 0; ; i++) tickets.push(pipeline.submit(cancel(address(3 + (i % (accounts - 2))))));
  } catch (error) {
    assert.equal((error as HeddleError).code, 'BUSY');
  }
  for (const transaction of [report(), cancel(address(2))]) tickets.push(pipeline.submit(transaction));
  await Promise.all(tickets.map((ticket) => ticket.confirmed));
  await pipeline.close();
});

test('what has run and taken nothing does not count against what comes while the next block runs', () => {
  const fields = { pages: 0, keys: 0, lastingKeys: 0 };
  const room = {
    ...{ lookAccounts: 100, keysLeft: 1, needOf: () => ({ ...fields, records: 1, chosen: 0, use: 'more' }), treeBytesOf: () => 2 ** 20 },
    ...{ left: (pages: number, treeBytes: number) => 64 * 2 ** 20 - pages - treeBytes, look: () => {}, refresh: () => {} },
  };
  const guard = new MemoryGuard(room as unknown as Room);
  const transaction: Transaction = { kind: 'noop', sender: address(2) };
  let waiting = guard.take(transaction);
  for (let block = 0; block < 1000; block++) {
    guard.begins();
    const next = guard.take(transaction);
    guard.ran([waiting]);
    guard.isInTree();
    waiting = next;
  }
});

test('an engine in which there is no room for orders says at the start how much it needs', async () => {
  const opened = Pipeline.open(options(new SimulatedDisk(), { engine: { ...ENGINE, memoryMiB: 960 } }));
  await assert.rejects(opened, { code: 'OUT_OF_MEMORY', message: /take at least 9\d\d MiB/ });
});

test('a block in the journal that does not fit says what to start with', async () => {
  const disk = new SimulatedDisk();
  const adversary = new Adversary(3);
  const large = await Pipeline.open(options(disk, { engine: { ...ENGINE, memoryMiB: 2048 } }));
  await fill(large, () => adversary.next(['prices']), 40);
  await large.close();
  const small = Pipeline.open(options(disk, { engine: { ...ENGINE, memoryMiB: 988 } }));
  await assert.rejects(small, { code: 'OUT_OF_MEMORY', message: /^block \d+ of the journal does not fit .* --memory-mib 1280/ });
});
