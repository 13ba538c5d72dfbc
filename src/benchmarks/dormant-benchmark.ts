/**
 * What an account takes while it is awake and when it is dormant, in shared memory and in the store, and what it costs to fold and to revive
 * it: a ledger of few numbers that sees new accounts every day, each of which pays in, sets a leverage and is never heard of again.
 *
 * Bytes of memory are by how much the memory taken for the state, or for the entries of its tree, grows, so room to spare in pages and
 * buckets is in them.
 */
import assert from 'node:assert/strict';
import type { Genesis } from '../exchange/genesis.ts';
import { sampleMarket } from '../exchange/sample-market.ts';
import { MemoryColdRecords } from '../execution/cold-records.ts';
import { Engine } from '../execution/index.ts';
import type { Transaction } from '../ledger/transactions.ts';
import type { SizeRow } from '../report/index.ts';
import type { Benchmark, Progress } from './benchmark.ts';
import type { BenchSettings } from './settings.ts';
import { median } from './statistics.ts';

/** New accounts a day, and days. */
const CROWD = 5000;
const DAYS = 40;
const QUICK_CROWD = 4000;
const QUICK_DAYS = 12;
/** An account that comes on one day is folded on the day after next. */
const CROWDS_AWAKE = 3;
const MEMORY_MIB = 3072;
/** Records of an account that is awake here: itself, nonces, balance, margin account, position, volume, rewards. */
const AWAKE_RECORDS = 7;
const START_MS = 1_760_000_000_000;
const DAY_MS = 86_400_000;
const GIFT = 10n ** 9n;

const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
const GIVER = address(1);

function genesisOf(maxAccounts: number): Genesis {
  return {
    maxAccounts,
    orderPages: 1,
    tokens: [{ name: 'USD', decimals: 6 }],
    markets: [sampleMarket()],
    dormantDays: 1,
    accounts: [{ address: GIVER, balances: [{ token: 0, amount: 10n ** 18n }] }],
  };
}

const create = (maxAccounts: number, expectedRecords: number, coldRecords?: MemoryColdRecords): Promise<Engine> =>
  Engine.create({
    genesis: genesisOf(maxAccounts),
    workers: 1,
    memoryMiB: MEMORY_MIB,
    keyCapacity: 1 << 18,
    commitment: { expectedRecords },
    ...(coldRecords === undefined ? {} : { coldRecords }),
  });

/** Of a number: everything that lies by number, and leaves for the records of an account. */
async function bytesOfNumber(): Promise<number> {
  const sizes: number[] = [];
  const counts = [50_000, 150_000] as const;
  for (const count of counts) {
    const engine = await create(count, count * AWAKE_RECORDS);
    sizes.push(engine.stateBytes);
    await engine.close();
  }
  return ((sizes[1] as number) - (sizes[0] as number)) / (counts[1] - counts[0]);
}

/** Runs blocks on an engine, and says how long each took with its root. */
class Runner {
  readonly engine: Engine;
  private number = 0;
  day = 0;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Micros. */
  async run(transactions: readonly Transaction[]): Promise<number> {
    const block = { number: ++this.number, timeMs: START_MS + this.day * DAY_MS, transactions };
    const started = performance.now();
    const { receipts } = await this.engine.executeBlock(block, { model: 'serial' });
    this.engine.committedRoot();
    const micros = (performance.now() - started) * 1000;
    for (let i = 0; i < transactions.length; i++) assert.equal(receipts.code(i), 0);
    return micros;
  }
}

interface Found {
  readonly crowd: number;
  readonly days: number;
  /** Of an account with its pages of positions and orders, beyond what lies by number. */
  readonly tradingBytes: number;
  readonly dormantBytes: number;
  readonly storedBytes: number;
  readonly foldMicros: number;
  readonly reviveMicros: number;
}

async function measure({ quick }: BenchSettings, progress: Progress): Promise<Found> {
  const [crowd, days] = quick ? [QUICK_CROWD, QUICK_DAYS] : [CROWD, DAYS];
  const cold = new MemoryColdRecords();
  const expected = crowd * (days + CROWDS_AWAKE * AWAKE_RECORDS);
  const runner = new Runner(await create(crowd * CROWDS_AWAKE + 1, expected, cold));
  const { engine } = runner;
  try {
    const folds: number[] = [];
    let next = 100;
    let half = { bytes: 0, dormant: 0 };
    const dormant = (): number => [...cold.entries()].length;
    for (; runner.day < days; runner.day++) {
      progress('days', runner.day, days);
      const before = dormant();
      const rolled = await runner.run([]);
      const folded = dormant() - before;
      const plain = await runner.run([]);
      if (folded > 0) folds.push((rolled - plain) / folded);
      const fresh = Array.from({ length: crowd }, () => next++);
      await runner.run(fresh.map((n): Transaction => ({ kind: 'transfer', sender: GIVER, recipient: address(n), token: 0, amount: GIFT })));
      const nonce = BigInt(START_MS + runner.day * DAY_MS);
      await runner.run(fresh.map((n): Transaction => ({ kind: 'deposit', sender: address(n), nonce, amount: GIFT / 2n })));
      const leverage = { kind: 'updateLeverage', market: 0, leverage: 5, isolated: false } as const;
      await runner.run(fresh.map((n): Transaction => ({ ...leverage, sender: address(n), nonce: nonce + 1n })));
      // As many are awake then as in the end.
      if (runner.day === days / 2) half = { bytes: engine.treeBytes, dormant: dormant() };
    }
    const dormantBytes = (engine.treeBytes - half.bytes) / (dormant() - half.dormant);
    let stored = 0;
    for (const [key, value] of cold.entries()) stored += 1 + key.length + value.length;
    const storedBytes = stored / dormant();
    const old = Array.from({ length: crowd / 2 }, (_, i) => address(100 + i));
    const poke = old.map((sender): Transaction => ({ kind: 'noop', sender }));
    const reviveMicros = ((await runner.run(poke)) - (await runner.run(poke))) / old.length;
    const before = engine.stateBytes;
    const order = { op: 'place', market: 0, side: 'buy', tif: 'gtc', priceTicks: 900, sizeLots: 1n } as const;
    await runner.run(old.map((sender): Transaction => ({ kind: 'orders', sender, items: [order] })));
    const tradingBytes = (engine.stateBytes - before) / old.length;
    return { crowd, days, tradingBytes, dormantBytes, storedBytes, foldMicros: median(folds), reviveMicros };
  } finally {
    await engine.close();
  }
}

export const dormant: Benchmark = {
  name: 'dormant',
  title: 'Dormant accounts',
  description:
    'What an account takes in shared memory and in the store, awake and dormant; encoding is folding an account at the roll of the day, decoding is reviving it.',
  async run(settings, progress) {
    const number = await bytesOfNumber();
    const found = await measure(settings, progress);
    const row = (what: string, form: string, bytes: number, plain: number): SizeRow => ({
      benchmark: 'dormant',
      parameters: { accountsADay: found.crowd, days: found.days },
      what,
      form,
      per: 'account',
      bytes,
      ratioToPlain: plain / bytes,
    });
    const awake = number + found.tradingBytes;
    const sizes: SizeRow[] = [
      row('memory', 'awake, with an order', awake, awake),
      row('memory', 'awake, without pages', number, awake),
      { ...row('memory', 'dormant', found.dormantBytes, awake), encodeMicros: found.foldMicros, decodeMicros: found.reviveMicros },
      row('store', 'dormant', found.storedBytes, found.storedBytes),
    ];
    return { rows: [], latencies: [], sizes };
  },
};
