/** The engine beyond equal results: faults in the middle of a block, the stream of commits, access sets that do not hold, bad input. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CODE_ACCOUNT_NOT_FOUND, CODE_OK, CODE_TOO_MANY_ITEMS, CODE_UNDECODABLE, CODE_UNKNOWN_KIND } from '../base/codes.ts';
import { Random } from '../base/random.ts';
import type { ExchangeOptions, Genesis, MarketParameters } from '../exchange/genesis.ts';
import {
  CLASS_VAULT_TEXT,
  FIELD_0,
  FIELD_12,
  FIELD_16,
  FIELD_20,
  ITEM_CLIENT,
  ORDERS_ITEMS,
  PAYLOAD_BYTES,
  TEXT_PART_BYTES,
} from '../exchange/layout.ts';
import { TRACE_BITS_READ } from '../kernel/layout.ts';
import { CLASS_NAME } from '../ledger/layout.ts';
import type { Block, Transaction } from '../ledger/transactions.ts';
import { CODE_BENCH_RANGE, KIND_BENCH_ACCESS, KIND_BENCH_ADD, KIND_BENCH_READ_ADD } from '../synthetic/layout.ts';
import { RecordedAccessList } from './access-list.ts';
import type { Model, PreparedBlock } from './api.ts';
import { Engine } from './index.ts';
import { PreparedBlockWriter } from './prepared-block.ts';

const SMALL = { memoryMiB: 1536, keyCapacity: 4096, keySeed: 3n, maxTransactions: 16384 };
const CELLS = 40;

function accessBlock(seed: number, count: number, number = 1): PreparedBlock {
  const random = new Random(seed);
  const writer = new PreparedBlockWriter();
  for (let i = 0; i < count; i++) {
    const pick = () => Array.from({ length: 1 + random.below(4) }, () => random.below(CELLS));
    writer.benchAccess(KIND_BENCH_ACCESS, i, pick(), pick());
  }
  return writer.finish(number, 1000);
}

async function withEngine<T>(workers: number, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await Engine.create({ workers, benchCells: CELLS, benchCounters: 2, ...SMALL });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

async function serialRoot(block: PreparedBlock): Promise<string> {
  return withEngine(1, async (engine) => {
    await engine.execute(block, { model: 'serial' });
    return engine.stateRoot();
  });
}

describe('a worker that traps or dies in the middle of a block', () => {
  const block = accessBlock(11, 3000);
  for (const model of ['optimistic', 'deterministic', 'sharded'] as const) {
    for (const silent of [false, true]) {
      test(`${model}, ${silent ? 'the thread exits without a word' : 'a trap'}`, async () => {
        const root = await serialRoot(block);
        await withEngine(3, async (engine) => {
          engine.test.faultAt = 200;
          engine.test.faultSilent = silent;
          const start = engine.snapshot();
          // On a busy machine thread 0 may have done everything before another thread woke up: then once more.
          let fallback: string | undefined;
          for (let tries = 0; tries < 100 && fallback === undefined; tries++) {
            engine.restore(start);
            ({ fallback } = await engine.execute(block, { model, workUnits: engine.workUnitsPerMicrosecond }));
            assert.equal(engine.stateRoot(), root);
          }
          assert.match(fallback ?? '', /a worker died/);
          delete engine.test.faultAt;
          const next = accessBlock(12, 500, 2);
          const after = await engine.execute(next, { model });
          assert.equal(after.fallback, undefined, 'the next block has all its workers again');
        });
      });
    }
  }
});

describe('commits are reported in order while the block runs', () => {
  for (const model of ['serial', 'optimistic', 'deterministic', 'sharded', 'auto'] as const) {
    test(model, async () => {
      // One worker: with more, the others can finish the block before thread 0 has looked.
      await withEngine(1, async (engine) => {
        const block = accessBlock(5, 4000);
        const reports: [number, number][] = [];
        let codes = 0;
        await engine.execute(block, {
          model,
          onCommitted: (from, to, receipts) => {
            reports.push([from, to]);
            for (let i = from; i < to; i++) codes += receipts.code(i);
          },
        });
        assert.ok(reports.length > 4, `${reports.length} reports of 4000 transactions`);
        assert.equal(reports[0]?.[0], 0);
        assert.equal(reports.at(-1)?.[1], 4000);
        reports.slice(1).forEach(([from], i) => {
          assert.equal(from, reports[i]?.[1]);
        });
        assert.equal(codes, 0);
      });
    });
  }
});

describe('access lists that do not hold', () => {
  test('a producer that left an access out: the block is run again serially, with the same result', async () => {
    const block = accessBlock(21, 600);
    const { list, root } = await withEngine(1, async (engine) => {
      const result = await engine.execute(block, { model: 'serial', record: true });
      return { list: result.accessList as RecordedAccessList, root: engine.stateRoot() };
    });
    for (const model of ['deterministic', 'sharded'] as const) {
      const words = list.words.slice();
      // Another location in the middle of the list.
      const at = list.starts[300] as number;
      words[at] = (words[at] as number) + 8;
      const wrong = new RecordedAccessList(words, list.starts, () => assert.fail('names are not needed'));
      await withEngine(2, async (engine) => {
        const result = await engine.execute(block, { model, accessList: wrong });
        assert.match(result.fallback ?? '', /left its access set/);
        assert.equal(engine.stateRoot(), root);
      });
    }
  });

  test('a list of another length is refused before the block starts', async () => {
    await withEngine(2, async (engine) => {
      const before = engine.stateRoot();
      const list = new RecordedAccessList(new Uint32Array(0), new Uint32Array(3), () => assert.fail('names are not needed'));
      await assert.rejects(engine.execute(accessBlock(1, 5), { model: 'deterministic', accessList: list }), { code: 'BAD_ACCESS_LIST' });
      assert.equal(engine.stateRoot(), before);
    });
  });

  test('entries name records by class and key', async () => {
    await withEngine(1, async (engine) => {
      const writer = new PreparedBlockWriter();
      writer.benchAccess(KIND_BENCH_ACCESS, 0, [3], [7]);
      writer.benchAdd(KIND_BENCH_ADD, 1, 5);
      const { accessList } = await engine.execute(writer.finish(1, 1), { model: 'serial', record: true });
      assert.deepEqual(accessList?.entries(0), [
        { recordClass: 'cell', key: '4000000003', kind: 'read', mask: 0n },
        { recordClass: 'cell', key: '4000000007', kind: 'write', mask: 0n },
      ]);
      assert.deepEqual(accessList?.entries(1), [{ recordClass: 'counter', key: '4100000001', kind: 'add', mask: 0n }]);
    });
  });
});

const ADDRESS = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
const GENESIS: Genesis = {
  maxAccounts: 8,
  orderPages: 1,
  tokens: [{ name: 'USDC', decimals: 6 }],
  markets: [
    {
      name: 'BTC',
      tickCount: 1 << 20,
      unit: 1,
      tickStep: 1,
      lotStep: 1,
      ticksPerInteger: 10,
      significantDigits: 5,
      leverage: 20,
      takerFeePpm: 450,
      makerFeePpm: 150,
      minNotional: 0n,
      maxOrderLots: 1n << 20n,
      maxPositionLots: 1n << 30n,
      markTicks: 50_000,
    },
  ],
  oracle: ADDRESS(1),
  accounts: [
    { address: ADDRESS(1), balances: [{ token: 0, amount: 1000n }], collateral: 1_000_000_000n },
    { address: ADDRESS(2), balances: [{ token: 0, amount: 5n }] },
  ],
};

describe('bad input', () => {
  test('undecodable and unknown transactions get a receipt with a code, and the rest of the block is unaffected', async () => {
    const engine = await Engine.create({ genesis: GENESIS, workers: 1, ...SMALL });
    const odd = [
      { kind: 'transfer', sender: 'nobody', recipient: ADDRESS(2), token: 0, amount: 1n },
      { kind: 'transfer', sender: ADDRESS(1), recipient: ADDRESS(2), token: 0, amount: -1n },
      { kind: 'transfer', sender: ADDRESS(1), recipient: ADDRESS(2), token: 0, amount: 1n << 64n },
      { kind: 'unheard of', sender: ADDRESS(1) },
      { kind: 'transfer', sender: ADDRESS(77), recipient: ADDRESS(2), token: 0, amount: 1n },
      { kind: 'transfer', sender: ADDRESS(1), recipient: ADDRESS(2), token: 0, amount: 1n },
    ] as unknown as Transaction[];
    const { receipts } = await engine.executeBlock({ number: 1, timeMs: 1, transactions: odd }, { model: 'serial' });
    const codes = odd.map((_, i) => receipts.code(i));
    assert.deepEqual(codes, [CODE_UNDECODABLE, CODE_UNDECODABLE, CODE_UNDECODABLE, CODE_UNKNOWN_KIND, CODE_ACCOUNT_NOT_FOUND, CODE_OK]);
    await engine.close();
  });

  test('prepared transactions that are not well formed get a code, and the rest of the block is unaffected', async () => {
    await withEngine(1, async (engine) => {
      const writer = new PreparedBlockWriter();
      writer.place(5, { market: 0, sell: false, tif: 1, priceTicks: 1, sizeLots: 1 });
      writer.benchAccess(KIND_BENCH_ACCESS, 0, [CELLS], []);
      writer.benchAdd(KIND_BENCH_READ_ADD, 0, 2);
      writer.place(0, { market: 0, sell: false, tif: 1, priceTicks: 1, sizeLots: 1 });
      writer.place(0, { market: 0, sell: false, tif: 1, priceTicks: 1, sizeLots: 1 });
      writer.place(0, { market: 0, sell: false, tif: 1, priceTicks: 1, sizeLots: 1 });
      const block = writer.finish(1, 1);
      const view = new DataView(block.bytes.buffer);
      // An unknown kind; 65 items that are not there; a client id that no key stands for.
      view.setUint8(block.offsets[3] as number, 40);
      view.setUint16((block.offsets[4] as number) + 2, 65, true);
      view.setUint32((block.offsets[5] as number) + ORDERS_ITEMS + ITEM_CLIENT, 123456, true);
      const { receipts } = await engine.execute(block, { model: 'serial' });
      assert.deepEqual(
        Array.from({ length: 6 }, (_, i) => receipts.code(i)),
        [CODE_UNDECODABLE, CODE_BENCH_RANGE, CODE_OK, CODE_UNKNOWN_KIND, CODE_TOO_MANY_ITEMS, CODE_UNDECODABLE],
      );
      const broken = { ...block, number: 2, offsets: Uint32Array.from(block.offsets).reverse() };
      await assert.rejects(engine.execute(broken, { model: 'serial' }), { code: 'BAD_BLOCK' });
    });
  });

  test('prepared texts of a vault that have no place are refused, and so is a sub-account that cannot be', async () => {
    const genesis = { ...GENESIS, exchange: { vaultMinimum: 1n } };
    const vault: Transaction = { kind: 'createVault', sender: ADDRESS(1), amount: 10n, name: 'n'.repeat(25), description: 'd' };
    const locations = PAYLOAD_BYTES + 3 * TEXT_PART_BYTES;
    const damages: readonly ((view: DataView, start: number) => void)[] = [
      () => {},
      (view, start) => view.setUint32(start + FIELD_16, 4, true),
      (view, start) => view.setUint32(start + FIELD_20, 17, true),
      (view, start) => view.setUint32(start + FIELD_20, 2, true),
      (view, start) => view.setUint32(start + locations, 0, true),
      (view, start) => view.setUint32(start + locations + 16, 123456, true),
      // The follower's record is of another class.
      (view, start) => view.setUint32(start + locations + 8, view.getUint32(start + FIELD_12, true), true),
    ];
    const codes: number[] = [];
    for (const damage of damages) {
      const engine = await Engine.create({ genesis, workers: 1, ...SMALL });
      const block = engine.prepare({ number: 1, timeMs: 1, transactions: [vault] });
      damage(new DataView(block.bytes.buffer), block.offsets[0] as number);
      const { receipts } = await engine.execute(block, { model: 'serial' });
      codes.push(receipts.code(0));
      const texts = [...engine.records()].filter(({ recordClass }) => recordClass === 'vault text');
      assert.equal(texts.length, receipts.code(0) === CODE_OK ? 3 : 0);
      await engine.close();
    }
    assert.deepEqual(codes, [CODE_OK, ...damages.slice(1).map(() => CODE_UNDECODABLE)]);
    const engine = await Engine.create({ genesis, workers: 1, ...SMALL });
    const modify: Transaction = { kind: 'subAccountModify', sender: ADDRESS(1), subAccount: ADDRESS(2), name: 'a' };
    const block = engine.prepare({ number: 1, timeMs: 1, transactions: [modify] });
    new DataView(block.bytes.buffer).setUint32((block.offsets[0] as number) + FIELD_0, 1 << 30, true);
    const { receipts } = await engine.execute(block, { model: 'serial' });
    assert.equal(receipts.code(0), CODE_UNDECODABLE);
    await engine.close();
  });

  test('what is made without a name accesses nothing of names: headers of blocks from before there were names stay what they are', async () => {
    const genesis = { ...GENESIS, exchange: { vaultMinimum: 1n, subAccountsFirstVolume: 0n } };
    const engine = await Engine.create({ genesis, workers: 1, ...SMALL, commitment: true });
    const sender = ADDRESS(1);
    const transactions: Transaction[] = [
      { kind: 'createSubAccount', sender },
      { kind: 'createVault', sender, amount: 10n },
      { kind: 'createSubAccount', sender, name: 'a' },
      { kind: 'createVault', sender, amount: 10n, name: 'a', description: 'b' },
    ];
    const { accesses } = await engine.executeBlock({ number: 1, timeMs: 1, transactions }, { model: 'serial', keepAccesses: true });
    await engine.close();
    const classesOf = (item: Uint8Array): number[] => {
      const classes: number[] = [];
      for (let at = 0; at < item.length; ) {
        const [kind = 0, keyBytes = 0, recordClass = 0] = item.subarray(at);
        classes.push(recordClass);
        at += 2 + keyBytes + (kind >= TRACE_BITS_READ ? 8 : 0);
      }
      return classes.filter((recordClass) => recordClass === CLASS_NAME || recordClass === CLASS_VAULT_TEXT);
    };
    assert.deepEqual(accesses?.slice(0, 4).map(classesOf), [[], [], [CLASS_NAME], [CLASS_VAULT_TEXT, CLASS_VAULT_TEXT]]);
  });

  test('out of shared memory: a clear error before the block starts, the state unchanged', async () => {
    const deep: Genesis = {
      ...GENESIS,
      markets: GENESIS.markets.map((market) => ({
        ...market,
        tickCount: 1 << 24,
        significantDigits: 0,
        maxOrderLots: 1n,
        maxPositionLots: 100n,
      })),
    };
    const engine = await Engine.create({ genesis: deep, workers: 1, ...SMALL, memoryMiB: 936 });
    const before = engine.stateRoot();
    const place = (priceTicks: number) => ({ op: 'place', market: 0, side: 'buy', tif: 'gtc', priceTicks, sizeLots: 1n }) as const;
    const wide = (number: number): Block => ({
      number,
      timeMs: 1,
      transactions: Array.from({ length: 1000 }, (_, t) => ({
        kind: 'orders' as const,
        sender: ADDRESS(1),
        items: Array.from({ length: 64 }, (_, i) => place(64 * (1 + i + t * 64))),
      })),
    });
    await assert.rejects(engine.executeBlock(wide(1), { model: 'serial' }), { code: 'OUT_OF_MEMORY' });
    assert.equal(engine.stateRoot(), before);
    const { receipts } = await engine.executeBlock(
      { number: 1, timeMs: 1, transactions: [{ kind: 'orders', sender: ADDRESS(1), items: [place(64)] }] },
      { model: 'serial' },
    );
    assert.equal(receipts.code(0), CODE_OK);
    await engine.close();
  });

  test('contradictory genesis parameters are refused with the reason', async () => {
    const market = GENESIS.markets[0];
    assert.ok(market);
    const tier = (lowerNotional: bigint, maxLeverage: number) => ({ lowerNotional, maxLeverage });
    const markets: [Partial<MarketParameters>, RegExp][] = [
      [{ tickCount: 1 }, /tickCount/],
      [{ leverage: 0 }, /leverage/],
      [{ makerFeePpm: -500 }, /rebate/],
      [{ maxOrderLots: 1n << 40n }, /maxOrderLots/],
      [{ maxPositionLots: 0n }, /maxPositionLots/],
      [{ tiers: [tier(5n, 20)] }, /first margin tier starts at 0/],
      [{ tiers: [tier(0n, 20), tier(0n, 10)] }, /does not start above/],
      [{ tiers: [tier(0n, 20), tier(9n, 20)] }, /not less leverage/],
      [{ leverage: 20, tiers: [tier(0n, 10)] }, /above the first tier's 10/],
      [{ mode: 'nothing' as 'normal' }, /mode nothing/],
      [{ impactNotional: 0n }, /impactNotional/],
      [{ fundingCap: -1n }, /fundingCap/],
      [{ oracleBandBps: 10_001 }, /oracleBandBps/],
    ];
    const exchanges: [Partial<ExchangeOptions>, RegExp][] = [
      [{ quorumPpm: 0 }, /quorumPpm/],
      [{ staleMs: 0 }, /staleMs/],
      [{ partialPpm: 1_000_001 }, /partialPpm/],
      [{ spotWeights: [0, 0] }, /all weights are 0/],
      [{ spotWeights: [1, 1, 1, 1, 1, 1, 1, 1, 1] }, /1 to 8 weights/],
      [{ openOrdersBase: 100, openOrdersMax: 99 }, /openOrdersMax is below/],
      [{ subAccountsBase: 20, subAccountsMax: 10 }, /subAccountsBase is above/],
      [{ agentsBase: 200, agentsPerSubAccount: 2 }, /agentsBase/],
      [{ makerRebates: [{ sharePpm: 1, makerPpm: -400 }] }, /larger than what a taker pays/],
      [{ referralRewardPpm: 1_000_000 }, /larger than what a taker pays/],
      [{ feeTiers: [{ volume: 0n, takerPpm: 1, makerPpm: 1 }] }, /volume of fee tier 1/],
      [{ hyperpCapPpm: 999_999 }, /hyperpCapPpm/],
    ];
    const wholes: [Partial<Genesis>, RegExp][] = [
      [{ maxAccounts: 2 ** 24, orderPages: 128 }, /31 bits/],
      [{ backstop: ADDRESS(99) }, /not one of the accounts/],
      [{ backstop: ADDRESS(1), exchange: { vaultsMax: 0 } }, /vaultsMax is 0/],
      [{ oracle: ADDRESS(1), reporters: [{ address: ADDRESS(1), stake: 1n }] }, /oracle and reporters/],
      [{ reporters: [1, 1].map((i) => ({ address: ADDRESS(i), stake: 1n })) }, /listed twice/],
      [{ reporters: [{ address: ADDRESS(1), stake: 0n }] }, /stake/],
    ];
    const cases: [Partial<Genesis>, RegExp][] = [
      ...markets.map(([change, reason]): [Partial<Genesis>, RegExp] => [{ markets: [{ ...market, ...change }] }, reason]),
      ...exchanges.map(([exchange, reason]): [Partial<Genesis>, RegExp] => [{ exchange }, reason]),
      ...wholes,
    ];
    for (const [change, reason] of cases) {
      const { oracle: _, ...rest } = GENESIS;
      const genesis = change.reporters === undefined || change.oracle !== undefined ? { ...GENESIS, ...change } : { ...rest, ...change };
      await assert.rejects(Engine.create({ genesis, workers: 1, ...SMALL }), (error: Error) => {
        assert.match(error.message, reason);
        return (error as { code?: string }).code === 'BAD_GENESIS';
      });
    }
  });

  test('wrong numbers of workers and blocks out of order', async () => {
    await assert.rejects(Engine.create({ workers: 65 }), { code: 'BAD_WORKERS' });
    await withEngine(1, async (engine) => {
      await assert.rejects(engine.execute(accessBlock(1, 1), { model: 'optimistic', workers: 2 }), { code: 'BAD_WORKERS' });
      await engine.execute(accessBlock(1, 1), { model: 'serial' });
      await assert.rejects(engine.execute(accessBlock(1, 1), { model: 'serial' }), { code: 'OUT_OF_ORDER' });
    });
  });
});

test('memory does not grow from block to block', async () => {
  await withEngine(2, async (engine) => {
    const sizes = new Set<number>();
    for (let number = 1; number <= 60; number++) {
      const model = (['serial', 'optimistic', 'deterministic', 'sharded'] as const)[number % 4] ?? 'serial';
      await engine.execute(accessBlock(number, 300, number), { model, record: number % 3 === 0 });
      sizes.add(engine.snapshot().kernel.reduce((sum, part) => sum + part.byteLength, 0));
    }
    assert.equal(sizes.size, 1);
  });
});

test('a snapshot brings the state back, and blocks run from it as before', async () => {
  await withEngine(2, async (engine) => {
    await engine.execute(accessBlock(1, 100), { model: 'serial' });
    const snapshot = engine.snapshot();
    const roots: string[] = [];
    for (const model of ['serial', 'optimistic', 'deterministic'] as Model[]) {
      engine.restore(snapshot);
      await engine.execute(accessBlock(2, 300, 2), { model });
      roots.push(engine.stateRoot());
    }
    assert.equal(new Set(roots).size, 1);
  });
});

test('any number of workers from 1 to 64, the same result', async () => {
  const block = accessBlock(31, 600);
  const root = await serialRoot(block);
  for (const workers of [8, 64]) {
    const engine = await Engine.create({ workers, benchCells: CELLS, benchCounters: 2, ...SMALL, memoryMiB: 2048 });
    for (const model of ['optimistic'] as const) {
      await engine.execute(block, { model });
      assert.equal(engine.stateRoot(), root);
    }
    await engine.close();
  }
});
