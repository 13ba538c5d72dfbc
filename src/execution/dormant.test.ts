/**
 * Dormant accounts: numbers and memory are used again, accounts come back as they were, what is kept is not believed without the tree, and a
 * block that does not run leaves everything as it was. Equality with the twin is the simulator's (`src/simulator/equivalence.test.ts`).
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CODE_ACCOUNT_LIMIT, CODE_ACCOUNT_NOT_FOUND, CODE_NONCE_DUPLICATE, CODE_OK } from '../base/codes.ts';
import { Random } from '../base/random.ts';
import { rootOf } from '../commitment/state-tree.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { violations } from '../exchange/invariants.ts';
import { sampleMarket } from '../exchange/sample-market.ts';
import type { Block, Transaction } from '../ledger/transactions.ts';
import { type ColdRecords, MemoryColdRecords } from './cold-records.ts';
import { Engine } from './index.ts';

const START_MS = 1_760_000_000_000;
const DAY_MS = 86_400_000;
const ENGINE = { workers: 1, memoryMiB: 1536, keyCapacity: 1 << 13, keySeed: 7n, maxTransactions: 4096, commitment: true };
const GIVEN = 10n ** 12n;
const MARKET = sampleMarket();

const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
/** Always there: it sends in every block. */
const GIVER = address(1);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function genesisOf(maxAccounts: number, dormantDays = 2): Genesis {
  const accounts = Array.from({ length: 4 }, (_, i) => ({
    address: address(i + 1),
    balances: [{ token: 0, amount: GIVEN }],
    collateral: i === 1 ? GIVEN : 0n,
  }));
  return { maxAccounts, orderPages: 1, tokens: [{ name: 'USD', decimals: 6 }], markets: [MARKET], dormantDays, accounts };
}

const EQUITY = GIVEN * 5n;
const give = (n: number, amount = 5n): Transaction => ({ kind: 'transfer', sender: GIVER, recipient: address(n), token: 0, amount });

/** An engine with a clock: a block a day. */
class Days {
  readonly engine: Engine;
  day = 0;
  number = 0;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  block(transactions: readonly Transaction[], days = 1): Block {
    this.day += days;
    this.number++;
    return { number: this.number, timeMs: START_MS + this.day * DAY_MS, transactions };
  }

  /** Codes of the block's own transactions. */
  async run(transactions: readonly Transaction[], days = 1): Promise<number[]> {
    const { receipts } = await this.engine.executeBlock(this.block(transactions, days), { model: 'serial' });
    // Settles the tree: quicker than to be told.
    this.engine.committedRoot();
    return transactions.map((_, i) => receipts.code(i));
  }

  dormant(): string[] {
    return [...this.engine.records()]
      .filter(({ recordClass }) => recordClass === 'dormant account')
      .map(({ key }) => `0x${hex(key.subarray(1))}`);
  }
}

const create = async (genesis: Genesis, coldRecords?: ColdRecords): Promise<Days> =>
  new Days(await Engine.create({ genesis, ...ENGINE, ...(coldRecords === undefined ? {} : { coldRecords }) }));

describe('numbers and memory', () => {
  test('fifty thousand accounts in a ledger of a thousand numbers', async () => {
    const days = await create(genesisOf(1000, 1));
    const { engine } = days;
    const perDay = 300;
    let memory = 0;
    let next = 1000;
    try {
      for (let day = 0; day < 167; day++) {
        const gifts = Array.from({ length: perDay }, () => give(next++));
        // Twice a day, so that nobody is new when the day rolls.
        assert.deepEqual(new Set(await days.run(gifts)), new Set([CODE_OK]), `day ${day}`);
        await days.run([give(2)], 0);
        if (day === 5) memory = engine.stateBytes;
        if (day > 5) assert.equal(engine.stateBytes, memory, `day ${day}: no more memory than on the sixth`);
      }
      assert.ok(days.dormant().length > 49_000, `${days.dormant().length}`);
      assert.equal(engine.committedRoot(), hex(rootOf(engine.records())));
      assert.deepEqual(violations(await engine.audit(), EQUITY), []);
      // Each of them is there, with what it had.
      const random = new Random(1);
      const some = Array.from({ length: 300 }, () => 1000 + random.below(49_000));
      const back = await days.run(
        some.map((n) => ({ kind: 'transfer', sender: address(n), recipient: GIVER, token: 0, amount: 5n })),
        0,
      );
      const seen = new Set<number>();
      assert.deepEqual(
        back.map((code) => code === CODE_OK),
        some.map((n) => !seen.has(n) && seen.add(n) !== undefined),
      );
      assert.deepEqual(violations(await engine.audit(), EQUITY), []);
      assert.equal(engine.committedRoot(), hex(rootOf(engine.records())));
    } finally {
      await engine.close();
    }
  });

  test('pages of positions and orders go from one owner of a number to the next', async () => {
    const days = await create(genesisOf(8, 1));
    const { engine } = days;
    const trade = (n: number): Transaction[] => [
      { kind: 'deposit', sender: address(n), amount: 10n ** 9n },
      { kind: 'updateLeverage', sender: address(n), market: 0, leverage: 7, isolated: false },
      {
        kind: 'orders',
        sender: address(n),
        items: Array.from(
          { length: 20 },
          () => ({ op: 'place', market: 0, side: 'buy', tif: 'gtc', priceTicks: 900, sizeLots: 1n }) as const,
        ),
      },
      { kind: 'scheduleCancel', sender: address(n), timeMs: START_MS + (days.day + 1) * DAY_MS + DAY_MS / 2 },
    ];
    try {
      let memory = 0;
      for (let n = 100; n < 130; n++) {
        assert.deepEqual(await days.run([give(n, 10n ** 10n)]), [CODE_OK]);
        assert.deepEqual(await days.run(trade(n), 0), [0, 0, 0, 0]);
        // Its orders go, then its last day, then itself.
        for (let day = 0; day < 4; day++) await days.run([give(2)]);
        assert.ok(days.dormant().includes(address(n)), `account ${n}`);
        if (n === 102) memory = engine.stateBytes;
        if (n > 102) assert.equal(engine.stateBytes, memory, `account ${n}`);
      }
      assert.deepEqual(violations(await engine.audit(), EQUITY), []);
    } finally {
      await engine.close();
    }
  });

  test('without a free number a dormant account stays where it is', async () => {
    const days = await create(genesisOf(6));
    const { engine } = days;
    try {
      await days.run([give(50), give(51)]);
      await days.run([]);
      for (let day = 0; day < 4; day++) await days.run([give(2)]);
      assert.ok(days.dormant().includes(address(50)));
      const free = 6 - [...engine.records()].filter(({ recordClass }) => recordClass === 'account').length;
      const fill = Array.from({ length: free }, (_, i) => give(70 + i));
      const spend: Transaction = { kind: 'transfer', sender: address(50), recipient: GIVER, token: 0, amount: 5n };
      const codes = await days.run([...fill, spend, give(50)], 0);
      assert.deepEqual(codes, [...fill.map(() => CODE_OK), CODE_ACCOUNT_LIMIT, CODE_ACCOUNT_LIMIT]);
      assert.ok(days.dormant().includes(address(50)));
      // An address that nobody knows is no dormant account.
      assert.deepEqual(await days.run([{ ...spend, sender: address(999) }], 0), [CODE_ACCOUNT_NOT_FOUND]);
    } finally {
      await engine.close();
    }
  });
});

describe('coming back', () => {
  test('with its name, and the next owner of the number has none', async () => {
    const days = await create(genesisOf(6, 1));
    const { engine } = days;
    const names = (): string[] =>
      [...engine.records()]
        .filter(({ recordClass }) => recordClass === 'name')
        .map(({ key, value }) => `${hex(key)} ${Buffer.from(value).toString().replace(/\0+$/, '')}`);
    try {
      await days.run([{ kind: 'setDisplayName', sender: address(2), name: 'twenty-four bytes a name' }]);
      assert.deepEqual(names(), ['0600000001 twenty-four bytes a name']);
      for (let day = 0; day < 2; day++) await days.run([give(60 + day)]);
      assert.ok(days.dormant().includes(address(2)));
      assert.deepEqual(names(), []);
      await days.run([give(70), give(71), give(72)], 0);
      assert.deepEqual(names(), []);
      assert.equal(engine.committedRoot(), hex(rootOf(engine.records())));
      // The others go, so that there is a number for it again.
      for (let day = 0; day < 3; day++) await days.run([{ kind: 'noop', sender: GIVER }]);
      assert.deepEqual(await days.run([give(2)], 0), [CODE_OK]);
      assert.deepEqual(
        names().map((name) => name.slice(11)),
        ['twenty-four bytes a name'],
      );
      assert.equal(engine.committedRoot(), hex(rootOf(engine.records())));
      assert.deepEqual(await days.run([{ kind: 'setDisplayName', sender: address(2), name: '' }], 0), [CODE_OK]);
      assert.deepEqual(names(), []);
      assert.equal(engine.committedRoot(), hex(rootOf(engine.records())));
    } finally {
      await engine.close();
    }
  });

  test('with balances, collateral, nonces and settings, under the lowest free number', async () => {
    const days = await create(genesisOf(8, 1));
    const { engine } = days;
    const sender = address(2);
    // Ahead of its time, so that it counts still when the account is back.
    const nonce = BigInt(START_MS + 2 * DAY_MS - 1);
    try {
      await days.run([{ kind: 'updateLeverage', sender, nonce, market: 0, leverage: 3, isolated: false }]);
      assert.deepEqual(await days.run([{ kind: 'noop', sender, nonce }], 0), [CODE_NONCE_DUPLICATE]);
      await days.run([give(60)]);
      await days.run([give(60)]);
      assert.ok(days.dormant().includes(sender));
      const withdraw: Transaction = { kind: 'withdraw', sender, amount: GIVEN };
      assert.deepEqual(await days.run([{ kind: 'noop', sender, nonce }, withdraw], 0), [CODE_NONCE_DUPLICATE, CODE_OK]);
      assert.ok(!days.dormant().includes(sender));
      const position = [...engine.records()].find(({ recordClass }) => recordClass === 'position');
      assert.equal(position?.value[50], 3, 'the leverage that it had set');
      assert.deepEqual(violations(await engine.audit(), EQUITY), []);
    } finally {
      await engine.close();
    }
  });

  test('a snapshot of the engine, and a state that is brought in, have the dormant accounts', async () => {
    const days = await create(genesisOf(100, 1));
    const other = await create(genesisOf(100, 1));
    try {
      for (let day = 0; day < 3; day++) await days.run([give(200 + day)]);
      const snapshot = days.engine.snapshot();
      const root = days.engine.stateRoot();
      other.engine.importState([...days.engine.records()], days.number, days.engine.firstOrdinal);
      Object.assign(other, { day: days.day, number: days.number });
      assert.equal(other.engine.committedRoot(), days.engine.committedRoot());
      const next: Transaction[] = [give(200), { kind: 'transfer', sender: address(3), recipient: address(201), token: 0, amount: 1n }];
      for (const one of [days, other]) assert.deepEqual(await one.run(next), [CODE_OK, CODE_OK]);
      assert.equal(other.engine.committedRoot(), days.engine.committedRoot());
      assert.equal(other.engine.stateRoot(), days.engine.stateRoot());
      assert.notEqual(days.engine.stateRoot(), root);
      days.engine.restore(snapshot);
      assert.equal(days.engine.stateRoot(), root);
    } finally {
      await Promise.all([days.engine.close(), other.engine.close()]);
    }
  });

  test('many records and few dormant accounts, on several threads of the tree', async () => {
    const genesis = {
      ...genesisOf(600, 1),
      accounts: Array.from({ length: 500 }, (_, i) => ({ address: address(i + 1), balances: [{ token: 0, amount: 7n }] })),
    };
    const create = (threads: number): Promise<Engine> => Engine.create({ genesis, ...ENGINE, commitment: { threads } });
    const first = new Days(await create(1));
    const second = await create(3);
    try {
      // All but one are active.
      const awake = genesis.accounts.slice(1).map(({ address: sender }): Transaction => ({ kind: 'noop', sender }));
      for (let day = 0; day < 3; day++) await first.run(awake);
      assert.deepEqual(first.dormant(), [address(1)]);
      second.importState([...first.engine.records()], first.number, first.engine.firstOrdinal);
      assert.equal(second.committedRoot(), first.engine.committedRoot());
      assert.equal(second.committedRoot(), hex(rootOf(second.records())));
    } finally {
      await Promise.all([first.engine.close(), second.close()]);
    }
  });

  test('values that are no account are refused when a state is brought in', async () => {
    const days = await create(genesisOf(100, 1));
    for (let day = 0; day < 4; day++) await days.run([give(200)]);
    const records = [...days.engine.records()].map(({ key, value }) => ({ key, value }));
    await days.engine.close();
    const at = records.findIndex(({ key }) => key[0] === 45);
    const { key, value } = records[at] as { key: Uint8Array; value: Uint8Array };
    const wrong: [Uint8Array, Uint8Array][] = [
      [key.subarray(0, 20), value],
      [key.with(5, 9), value],
      [key, value.subarray(0, 0)],
      [key, value.subarray(0, value.length - 1)],
      [key, Uint8Array.of(...value, 0)],
      [key, value.with(0, 19)],
      [key, value.with(1, 4)],
      [key, value.with(2, 0)],
      [key, value.with(2, 200)],
      [key, value.with(5, 1)],
    ];
    for (const [otherKey, otherValue] of wrong) {
      const { engine } = await create(genesisOf(100, 1));
      const changed = records.with(at, { key: otherKey, value: otherValue });
      assert.throws(() => engine.importState(changed, 4, 1n), { code: 'BAD_SNAPSHOT' }, `${hex(otherKey)} ${hex(otherValue)}`);
      await engine.close();
    }
    const { engine } = await create(genesisOf(100, 0));
    assert.throws(() => engine.importState(records, 4, 1n), { code: 'BAD_SNAPSHOT' });
    await engine.close();
  });
});

/** Gives something else for account 3 than was put, when told to. */
class DamagedColdRecords extends MemoryColdRecords {
  damage: (() => Uint8Array | undefined) | undefined;

  override get(of: Uint8Array): Uint8Array | undefined {
    return this.damage === undefined || hex(of) !== address(3).slice(2) ? super.get(of) : this.damage();
  }
}

describe('what is kept is not believed', () => {
  const spend: Transaction = { kind: 'transfer', sender: address(3), recipient: GIVER, token: 0, amount: GIVEN };

  async function withDormant(cold: DamagedColdRecords): Promise<Days> {
    const days = await create(genesisOf(8, 1), cold);
    for (let day = 0; day < 3; day++) await days.run([give(2)]);
    assert.ok(days.dormant().includes(address(3)));
    return days;
  }

  test('a value with a flipped bit, a part, or that of another account stops the block before it starts', async () => {
    const cold = new DamagedColdRecords();
    const days = await withDormant(cold);
    const { engine } = days;
    try {
      const value = cold.get(Buffer.from(address(3).slice(2), 'hex')) as Uint8Array;
      const other = cold.get(Buffer.from(address(4).slice(2), 'hex')) as Uint8Array;
      const flipped = Array.from({ length: value.length * 8 }, (_, bit) =>
        value.with(bit >> 3, (value[bit >> 3] as number) ^ (1 << (bit & 7))),
      );
      const [root, state] = [engine.committedRoot(), engine.stateRoot()];
      for (const wrong of [...flipped, value.subarray(1), value.subarray(0, -1), other, new Uint8Array(0)]) {
        cold.damage = () => wrong;
        const block = days.block([give(90), spend], 0);
        await assert.rejects(async () => engine.executeBlock(block, { model: 'serial' }), { code: 'STORE_DAMAGED' });
        days.number--;
      }
      cold.damage = undefined;
      assert.equal(engine.stateRoot(), state);
      assert.equal(engine.committedRoot(), root);
      assert.equal(engine.committedRoot(), hex(rootOf(engine.records())));
      assert.deepEqual(await days.run([give(90), spend], 0), [CODE_OK, CODE_OK]);
      assert.deepEqual(violations(await engine.audit(), EQUITY), []);
    } finally {
      await engine.close();
    }
  });

  test('a value that is missing is found before the block counts', async () => {
    const cold = new DamagedColdRecords();
    const days = await withDormant(cold);
    try {
      cold.damage = () => undefined;
      const block = days.block([spend], 0);
      await assert.rejects(days.engine.executeBlock(block, { model: 'serial' }), {
        code: 'STORE_DAMAGED',
        message: /its bytes are missing/,
      });
      cold.damage = undefined;
      await assert.rejects(days.engine.executeBlock(days.block([spend], 0), { model: 'serial' }), { code: 'ENGINE_BROKEN' });
    } finally {
      await days.engine.close();
    }
  });

  test('a value that the state has no account for is refused', async () => {
    const cold = new DamagedColdRecords();
    const days = await withDormant(cold);
    try {
      const value = cold.get(Buffer.from(address(3).slice(2), 'hex')) as Uint8Array;
      cold.put(Buffer.from(address(77).slice(2), 'hex'), value);
      const block = days.block([{ ...spend, sender: address(77) }], 0);
      await assert.rejects(async () => days.engine.executeBlock(block, { model: 'serial' }), { code: 'STORE_DAMAGED' });
    } finally {
      await days.engine.close();
    }
  });
});

test('a block that was prepared and is refused leaves dormant accounts dormant, and their numbers free', async () => {
  const days = await create(genesisOf(8, 1));
  const { engine } = days;
  try {
    for (let day = 0; day < 3; day++) await days.run([give(2)]);
    const [root, state, dormant] = [engine.committedRoot(), engine.stateRoot(), days.dormant()];
    const wake = give(3);
    const late = { number: 1, timeMs: START_MS, transactions: [wake] };
    await assert.rejects(engine.executeBlock(late, { model: 'serial' }), { code: 'OUT_OF_ORDER' });
    await assert.rejects(engine.executeBlock(days.block([wake], 0), { model: 'serial', workers: 9 }), { code: 'BAD_WORKERS' });
    days.number--;
    engine.prepare(days.block([wake], 0));
    days.number--;
    engine.prepare(days.block([], 0));
    days.number--;
    assert.deepEqual([engine.committedRoot(), engine.stateRoot(), days.dormant()], [root, state, dormant]);
    assert.deepEqual(violations(await engine.audit(), EQUITY), []);
    // It gets the number that it would have got, and so does an address that the refused blocks would have made known.
    engine.prepare(days.block([give(90), wake], 0));
    days.number--;
    const next = days.block([give(91), wake], 0);
    const other = await create(genesisOf(8, 1));
    for (let day = 0; day < 3; day++) await other.run([give(2)]);
    for (const one of [engine, other.engine]) await one.executeBlock(next, { model: 'serial' });
    assert.equal(engine.stateRoot(), other.engine.stateRoot());
    await other.engine.close();
    assert.equal(engine.committedRoot(), hex(rootOf(engine.records())));
  } finally {
    await engine.close();
  }
});

test('what a genesis may say of it', async () => {
  const refused = async (genesis: Genesis): Promise<void> => {
    await assert.rejects(Engine.create({ genesis, ...ENGINE }), { code: 'BAD_GENESIS', message: /dormantDays/ });
  };
  await refused({ ...genesisOf(8), dormantDays: -1 });
  await refused({ ...genesisOf(8), dormantDays: 0.5 });
  await refused({ ...genesisOf(8), markets: [] });
  await refused({ ...genesisOf(8), tokens: Array.from({ length: 1025 }, () => ({ name: 'T', decimals: 6 })) });
});
