/** The mirror against a twin that makes objects of every record at once: over generated blocks, and over records of any content. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PackedChanges, type RecordChange } from '../base/packed-changes.ts';
import * as X from '../exchange/layout.ts';
import * as L from '../ledger/layout.ts';
import { executedBlocks } from '../simulator/executed-blocks.ts';
import { randomGenesis } from '../simulator/random-genesis.ts';
import type { PackedRecords } from './packed-records.ts';
import * as R from './records.ts';
import { StateMirror, type Touched } from './state-mirror.ts';

const SEEDS = 8;
const BLOCKS = 6;
const MARKETS = 3;
const ACCOUNTS = 5;

/** Records of the classes that the mirror keeps as bytes, by class and numbers of the key. */
class NaiveMirror {
  readonly records = new Map<string, RecordChange>();

  apply(changes: Iterable<RecordChange>): void {
    for (const change of changes) {
      const name = [change.key[0], ...fieldsOf(change.key)].join(' ');
      if (change.value === undefined) this.records.delete(name);
      else this.records.set(name, change);
    }
  }

  /** By the numbers of the key. */
  of<T>(recordClass: number, read: (reader: R.RecordReader) => T): Map<string, T> {
    const found = new Map<string, T>();
    for (const { key, value } of this.records.values()) {
      if (key[0] !== recordClass || value === undefined) continue;
      const whole = new Uint8Array(64);
      whole.set(value, R.RECORD_HEADER);
      found.set(fieldsOf(key).join(' '), read(new R.RecordReader().over(new DataView(whole.buffer), 0)));
    }
    return found;
  }
}

function fieldsOf(key: Uint8Array): number[] {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return Array.from({ length: Math.min(2, (key.length - 1) >> 2) }, (_, i) => view.getUint32(1 + 4 * i));
}

function check(mirror: StateMirror, naive: NaiveMirror): void {
  const plain = <T>(records: PackedRecords<T>): Map<string, T> =>
    new Map([...records.firsts()].flatMap((first) => [...records.of(first)].map(([second, record]) => [`${first} ${second}`, record])));
  assert.deepEqual(plain(mirror.orders), naive.of(X.CLASS_ORDER, R.readOrder));
  assert.deepEqual(plain(mirror.extras), naive.of(X.CLASS_EXTRA, R.readExtra));
  assert.deepEqual(
    plain(mirror.balances),
    naive.of(L.CLASS_BALANCE, (r) => r.u64(L.BALANCE_AMOUNT)),
  );
  const textIn = (r: R.RecordReader): string => r.text(8, 32);
  assert.deepEqual(new Map([...mirror.names].map(([account, name]) => [`${account}`, name])), naive.of(L.CLASS_NAME, textIn));
  const texts = naive.of(X.CLASS_VAULT_TEXT, (r) => Buffer.from(r.bytes(8, 32)).toString('latin1').replace(/\0+$/, ''));
  for (const vault of mirror.vaults.keys()) {
    const whole = (from: number, to: number): string | undefined => {
      const parts = Array.from({ length: to - from }, (_, i) => texts.get(`${vault} ${from + i}`) ?? '').join('');
      return parts === '' ? undefined : Buffer.from(parts, 'latin1').toString();
    };
    assert.equal(mirror.vaultName(vault), whole(0, 3));
    assert.equal(mirror.vaultDescription(vault), whole(3, 19));
  }
  const positions = naive.of(X.CLASS_POSITION, R.readPosition);
  assert.deepEqual(plain(mirror.positions), positions);
  for (const [place, { sizeLots, cost }] of positions) {
    const [account, market] = place.split(' ').map(Number) as [number, number];
    assert.equal(mirror.lotsOf(account, market), sizeLots);
    assert.equal(mirror.costOf(account, market), cost);
    assert.equal(mirror.holders.get(market, account), sizeLots === 0n ? undefined : true);
  }
  const held = [...mirror.holders.firsts()].flatMap((market) => [...mirror.holders.of(market).keys()]);
  assert.equal(held.length, [...positions.values()].filter(({ sizeLots }) => sizeLots !== 0n).length);
  const margins = naive.of(X.CLASS_MARGIN_ACCOUNT, R.readMargin);
  const volumes = naive.of(X.CLASS_VOLUME, R.readVolume);
  for (const account of new Set([...margins.keys(), ...volumes.keys(), ...mirror.accountNumbers()].map(Number))) {
    assert.deepEqual(mirror.margin(account), margins.get(`${account}`));
    assert.equal(mirror.hasMargin(account), margins.has(`${account}`));
    assert.deepEqual(mirror.volumeOf(account), volumes.get(`${account}`) ?? { taker: 0n, maker: 0n, all: 0n });
  }
  const levels = naive.of(X.CLASS_LEVEL, (r) => ({ lots: r.i64(8), orders: r.u32(24), sell: r.u32(28) !== 0 }));
  for (const [market, book] of mirror.books.entries()) {
    for (const sell of [false, true]) {
      const expected = [...levels]
        .map(([place, level]) => ({ at: place.split(' ').map(Number), level }))
        .filter(({ at, level }) => at[0] === market && level.sell === sell)
        .map(({ at, level: { lots, orders } }) => ({ priceTicks: at[1] as number, lots, orders }))
        .sort((a, b) => (sell ? 1 : -1) * (a.priceTicks - b.priceTicks));
      assert.deepEqual([...book.levels(sell)], expected);
    }
  }
}

/** Of accounts that are known by their number. */
function checkTouched(touched: Touched, changes: Iterable<RecordChange>): void {
  const ofAccount = new Set<number>([
    ...[
      L.CLASS_ACCOUNT,
      L.CLASS_BALANCE,
      L.CLASS_NAME,
      L.CLASS_AGENT,
      L.CLASS_SIGNER,
      X.CLASS_MARGIN_ACCOUNT,
      X.CLASS_POSITION,
      X.CLASS_ORDER,
    ],
    ...[
      X.CLASS_CLIENT_ID,
      X.CLASS_EXTRA,
      X.CLASS_SETTINGS,
      X.CLASS_VOLUME,
      X.CLASS_HISTORY,
      X.CLASS_REWARDS,
      X.CLASS_APPROVAL,
      X.CLASS_TWAP,
    ],
  ]);
  const ofMarket = new Set<number>([X.CLASS_PRICE, X.CLASS_TOTALS, X.CLASS_FUNDING, X.CLASS_DELISTING]);
  const [accounts, markets, books] = [new Set<number>(), new Set<number>(), new Set<number>()];
  const orders: number[] = [];
  for (const { key } of changes) {
    const recordClass = key[0] as number;
    const [first = -1, second = -1] = fieldsOf(key);
    if (ofAccount.has(recordClass)) accounts.add(first);
    if (ofMarket.has(recordClass)) markets.add(first);
    if (recordClass === X.CLASS_LEVEL) books.add(first);
    if (recordClass === X.CLASS_ORDER || recordClass === X.CLASS_EXTRA) orders.push(first, second);
  }
  assert.deepEqual(
    { accounts: touched.accounts, markets: touched.markets, books: touched.books, orders: touched.orders },
    { accounts, markets, books, orders },
  );
}

test('over generated blocks, the mirror is what the records say, and says what has changed', async () => {
  let classes = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { dormantDays: _never, ...genesis } = randomGenesis(seed);
    const mirror = new StateMirror(genesis.markets.length);
    const naive = new NaiveMirror();
    for await (const { block, engine } of executedBlocks(seed, genesis, { blocks: BLOCKS })) {
      if (block.number === 1) {
        // Of the records from before the first block, those that it has changed are as it has left them.
        mirror.load(engine.records());
        naive.apply(PackedChanges.of(engine.records()));
      }
      mirror.prepare(block.changes);
      checkTouched(mirror.apply(block.changes), block.changes);
      naive.apply(block.changes);
      check(mirror, naive);
    }
    classes = Math.max(classes, new Set([...naive.records.values()].map(({ key }) => key[0])).size);
  }
  assert.ok(classes > 20, `records of ${classes} classes`);
});

const number = fc.oneof(fc.integer({ min: 0, max: ACCOUNTS - 1 }), fc.constant(2 ** 20));
const value = (bytes: number): fc.Arbitrary<Uint8Array | undefined> =>
  fc.option(
    fc.oneof(
      fc.uint8Array({ minLength: bytes, maxLength: bytes }),
      fc.uint8Array({ maxLength: bytes }),
      fc.constantFrom(new Uint8Array(), Uint8Array.of(1), Uint8Array.of(0, 0, 0, 0, 1)),
    ),
    { nil: undefined, freq: 3 },
  );
const changeOf = (recordClass: number, bytes: number, ...fields: fc.Arbitrary<number>[]): fc.Arbitrary<RecordChange> =>
  fc.tuple(fc.tuple(...fields), value(bytes)).map(([numbers, ofRecord]) => {
    const key = new Uint8Array(1 + 4 * numbers.length);
    key[0] = recordClass;
    for (const [i, field] of numbers.entries()) new DataView(key.buffer).setUint32(1 + 4 * i, field);
    return { key, value: ofRecord };
  });
const market = fc.integer({ min: 0, max: MARKETS - 1 });
const change = fc.oneof(
  changeOf(X.CLASS_ORDER, 56, number, fc.integer({ min: 0, max: 9 })),
  changeOf(X.CLASS_EXTRA, 56, number, fc.integer({ min: 0, max: 9 })),
  changeOf(X.CLASS_POSITION, 56, number, market),
  changeOf(X.CLASS_MARGIN_ACCOUNT, 56, number),
  changeOf(X.CLASS_VOLUME, 24, number),
  changeOf(X.CLASS_LEVEL, 24, market, fc.integer({ min: 1, max: 30 })),
  changeOf(L.CLASS_BALANCE, 24, number, market),
  changeOf(L.CLASS_NONCES, 56, number, market),
);

test('records of any content and length are read as they are, and what is gone is gone', () => {
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 60, size: 'max' }), { minLength: 1, maxLength: 4 }), (blocks) => {
      const mirror = new StateMirror(MARKETS);
      const naive = new NaiveMirror();
      for (const changes of blocks) {
        const packed = PackedChanges.of(changes);
        mirror.prepare(packed);
        checkTouched(mirror.apply(packed), changes);
        naive.apply(changes);
        check(mirror, naive);
      }
    }),
    { numRuns: 200 },
  );
});

test('accounts: who has used a nonce is who it was, and what has changed of it is taken in', () => {
  const mirror = new StateMirror(1);
  const address = (fill: number, last = fill): Uint8Array => new Uint8Array(20).fill(fill).fill(last, 19);
  const account = (user: Uint8Array, role: number, owner: number, nonces: number, expiresMs = 0n): Uint8Array => {
    const record = new Uint8Array(64);
    record.set(user, L.ACCOUNT_ADDRESS);
    record[L.ACCOUNT_NONCE_COUNT] = nonces;
    record[L.ACCOUNT_ROLE] = role;
    new DataView(record.buffer).setUint32(L.ACCOUNT_OWNER, owner, true);
    new DataView(record.buffer).setBigUint64(L.ACCOUNT_EXPIRES, expiresMs, true);
    let end = 64;
    while (record[end - 1] === 0) end--;
    return record.slice(R.RECORD_HEADER, end);
  };
  const block = (...values: [number: number, value: Uint8Array | undefined][]): void => {
    const changes = PackedChanges.of(values.map(([at, of]) => ({ key: Uint8Array.of(L.CLASS_ACCOUNT, 0, 0, 0, at), value: of })));
    mirror.prepare(changes);
    mirror.apply(changes);
  };
  const text = (user: Uint8Array): string => `0x${Buffer.from(user).toString('hex')}`;
  // The last one's value ends within its address.
  const [ann, ben, eve] = [address(1), address(2), address(3, 0)];
  block([0, account(ann, L.ROLE_USER, 20_000, 1)], [1, account(ben, L.ROLE_AGENT, 0, 1, 500n)], [2, account(eve, L.ROLE_USER, 0, 0)]);
  assert.deepEqual(
    [ann, ben, eve].map((user) => mirror.numberOf(text(user))),
    [0, 1, 2],
  );
  const before = [0, 1, 2].map((number) => mirror.account(number));
  block([0, account(ann, L.ROLE_USER, 20_001, 2)], [1, account(ben, L.ROLE_AGENT, 0, 2, 500n)], [2, account(eve, L.ROLE_USER, 20_001, 1)]);
  assert.deepEqual(
    [0, 1, 2].map((number) => mirror.account(number)),
    before,
  );
  assert.equal(mirror.ownerOfAgent(1, 499), 0);
  assert.equal(mirror.ownerOfAgent(1, 500), undefined);
  block([1, account(ben, L.ROLE_AGENT, 0, 3, 700n)]);
  assert.equal(mirror.ownerOfAgent(1, 600), 0);
  block([1, account(ben, L.ROLE_AGENT, 2, 4, 700n)]);
  assert.equal(mirror.ownerOfAgent(1, 600), 2);
  // A number that another account gets, and gives back.
  for (const id of [2, 0, 2, 1, 0, 1, 2]) {
    const user = [ann, ben, eve][id] as Uint8Array;
    block([0, undefined], [1, undefined], [2, undefined]);
    block([0, account(user, L.ROLE_USER, 20_002, 9)]);
    assert.equal(mirror.idOf(0), id);
    assert.equal(mirror.numberOf(text(user)), id);
    assert.equal(mirror.addressOf(id), text(user));
  }
});

test('accounts: a changed number or set of signers is taken in, and one that has its number again can lose what it has', () => {
  const mirror = new StateMirror(1);
  const account = (nonces: number, threshold: number, signerSet: number): Uint8Array => {
    const record = new Uint8Array(64).fill(7, L.ACCOUNT_ADDRESS, L.ACCOUNT_ADDRESS + 20);
    record[L.ACCOUNT_NONCE_COUNT] = nonces;
    record[L.ACCOUNT_ROLE] = L.ROLE_USER;
    record[L.ACCOUNT_THRESHOLD] = threshold;
    record[L.ACCOUNT_SIGNER_SET] = signerSet;
    return record.slice(R.RECORD_HEADER);
  };
  const block = (changes: readonly RecordChange[]): void => {
    const packed = PackedChanges.of(changes);
    mirror.prepare(packed);
    mirror.apply(packed);
  };
  const isNow = (value: Uint8Array | undefined): void => block([{ key: Uint8Array.of(L.CLASS_ACCOUNT, 0, 0, 0, 0), value }]);
  const holds = (value: Uint8Array | undefined): void => block([{ key: Uint8Array.of(L.CLASS_BALANCE, 0, 0, 0, 0, 0, 0, 0, 0), value }]);
  const signers: [threshold: number, signerSet: number][] = [
    [0, 0],
    [2, 0],
    [2, 1],
    [3, 1],
    [0, 2],
  ];
  for (const [threshold, signerSet] of signers) {
    isNow(account(1, threshold, signerSet));
    assert.deepEqual([mirror.account(0)?.threshold, mirror.account(0)?.signerSet], [threshold, signerSet]);
  }
  holds(Uint8Array.of(5));
  isNow(undefined);
  holds(undefined);
  assert.equal(mirror.balances.has(0, 0), true, "a number that is nobody's says nothing of the account that had it");
  isNow(account(2, 0, 2));
  holds(Uint8Array.of(6));
  holds(undefined);
  assert.equal(mirror.balances.has(0, 0), false);
});
