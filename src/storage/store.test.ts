/**
 * The store in both of its forms, with a thread of its own and without, against a model, over random commits, prunings and reopenings; processes that are killed between and inside of commits; files
 * that are damaged, full, in use, or of others.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { PackedChanges, type RecordChange } from '../base/packed-changes.ts';
import { Random } from '../base/random.ts';
import { packBlock, unpackBlock } from '../ledger/packed-block.ts';
import { encodeBlock, encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Address, Block, ClientId, Transaction } from '../ledger/transactions.ts';
import { BlockKeys } from './block-keys.ts';
import { bytesOfKind, heightKey } from './index-keys.ts';
import type { StorageError } from './storage-error.ts';
import { type BlockCommit, type Place, Store, type StoreOptions } from './store.ts';
import { IDENTITY, StoreTables, type Write } from './store-tables.ts';

/** Raise for a longer look. */
const SEEDS = 4;
const KILLS = 10;

const OPTIONS = { chainId: new Uint8Array(32).fill(4) };
const JOURNAL_LAST = 2 ** 40;

const children = new Set<ChildProcess>();

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-store-'));
  try {
    await use(folder);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
    await rm(folder, { recursive: true });
  }
}

/** Written by the thread that commits, and by one of the store's own. */
function inBothForms(name: string, use: (folder: string, options: StoreOptions) => Promise<void>): void {
  for (const thread of [false, true]) {
    test(`${name}${thread ? ', with a thread' : ''}`, () => inFolder((folder) => use(folder, { ...OPTIONS, thread })));
  }
}

function hasCode(code: StorageError['code'], message = /./) {
  return (error: StorageError): boolean => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
const clientId = (n: number): string => `0x${n.toString(16).padStart(32, '0')}`;
const bytesOf = (random: Random, least: number, most: number): Uint8Array =>
  Uint8Array.from({ length: random.between(least, most) }, () => random.below(random.pick([2, 256])));

/** What a block is to be found by. */
interface Terms {
  readonly accounts: readonly Address[];
  readonly orders: readonly { readonly oid: bigint; readonly index: number }[];
  readonly clientIds: readonly { readonly account: Address; readonly clientId: ClientId; readonly index: number }[];
  readonly hashes: readonly Uint8Array[];
  readonly markets: readonly number[];
}

type ModelBlock = BlockCommit & { readonly terms?: Terms };

function keysOf({ accounts, orders, clientIds, hashes, markets }: Terms, height: number, timeMs: number): Uint8Array {
  const keys = new BlockKeys();
  keys.begin(height, timeMs);
  for (const account of accounts) keys.account(account);
  for (const { oid, index } of orders) keys.orderOf(oid, index);
  for (const { account, clientId: id, index } of clientIds) keys.clientId(account, id, index);
  for (const [index, hash] of hashes.entries()) keys.transaction(hash, index);
  for (const market of markets) keys.market(market);
  return keys.finish();
}

/** Everything that a store should hold, kept in plain maps. */
class Model {
  readonly records = new Map<string, Uint8Array>();
  readonly blocks = new Map<number, ModelBlock>();
  first = 0;
  height = -1;

  apply(block: ModelBlock): void {
    if (this.height < 0) this.first = block.height;
    this.height = block.height;
    this.blocks.set(block.height, block);
    for (const { key, value } of block.changed) {
      const text = Buffer.from(key).toString('latin1');
      if (value === undefined) this.records.delete(text);
      else this.records.set(text, value);
    }
  }

  get sorted(): [string, Uint8Array][] {
    return [...this.records].sort(([a], [b]) => Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')));
  }

  places(of: (block: ModelBlock) => readonly number[]): Place[] {
    return [...this.blocks.values()]
      .filter(({ height }) => height >= this.first)
      .flatMap((block) => of(block).map((index) => ({ height: block.height, index })));
  }
}

function randomBlock(random: Random, height: number): ModelBlock {
  const changes = new Map<string, RecordChange>();
  for (let i = random.below(30); i > 0; i--) {
    const key = Uint8Array.from([random.below(3), ...bytesOf(random, 0, 2)]);
    changes.set(String(key), { key, value: random.chance(0.3) ? undefined : bytesOf(random, 0, 40) });
  }
  const count = random.below(5);
  const indexes = Array.from({ length: count }, (_, index) => index);
  const timeMs = 1000 + Math.floor(height / 2) * 50;
  const block = {
    height,
    timeMs,
    header: bytesOf(random, 1, 300),
    body: randomBody(random, height),
    receipts: bytesOf(random, 0, 3000),
    changed: random.chance(0.5) ? [...changes.values()] : PackedChanges.of(changes.values()),
  };
  if (random.chance(0.1)) return block;
  const terms = {
    accounts: Array.from({ length: random.below(6) }, () => address(random.below(5))),
    orders: indexes.map((index) => ({ oid: BigInt(random.below(9)) << 60n, index })),
    clientIds: indexes.map((index) => ({ account: address(random.below(2)), clientId: clientId(random.below(3)), index })),
    hashes: indexes.map(() =>
      createHash('sha256')
        .update(String(random.below(50)))
        .digest(),
    ),
    markets: Array.from({ length: random.below(4) }, () => random.pick([0, 1, 2 ** 32 - 1])),
  };
  return { ...block, terms, keys: keysOf(terms, height, timeMs) };
}

function randomBody(random: Random, height: number): BlockCommit['body'] {
  if (random.chance(0.5)) return bytesOf(random, 0, 3000);
  const transactions = transfers(random, random.below(90), 20 + height);
  if (random.chance(0.5)) return { number: height, timeMs: 5, transactions };
  return { journaled: packBlock(height, 5, transactions.map(encodeTransaction)) };
}

function bodyBytes({ body }: BlockCommit): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return encodeBlock('journaled' in body ? unpackBlock(body.journaled) : body);
}

function check(store: Store, model: Model, random: Random): void {
  assert.equal(store.height, model.height < 0 ? undefined : model.height);
  const records = store.records();
  assert.equal(records.height, store.height);
  assert.deepEqual(
    Array.from(records, ({ key, value }) => [Buffer.from(key).toString('latin1'), new Uint8Array(value)]),
    model.sorted,
  );
  records.close();
  for (const [key, value] of model.sorted) assert.deepEqual(store.record(Buffer.from(key, 'latin1')), value);
  assert.equal(store.record(Uint8Array.of(9)), undefined);
  for (const [height, block] of model.blocks) {
    assert.deepEqual(store.header(height), block.header);
    assert.deepEqual(store.body(height), height < model.first ? undefined : bodyBytes(block));
    assert.deepEqual(store.receipts(height), height < model.first ? undefined : block.receipts);
  }
  assert.equal(store.header(model.height + 1), undefined);
  assert.equal(store.body(model.height + 1), undefined);

  const from = random.below(Math.max(1, model.height));
  const range = { from, to: from + random.below(20), newestFirst: random.chance(0.5), limit: random.pick([1, 3, 1000]) };
  const inRange = <T extends { readonly height: number }>(places: T[]): T[] => {
    const found = places.filter(({ height }) => height >= range.from && height <= range.to);
    return (range.newestFirst ? found.reverse() : found).slice(0, range.limit);
  };
  const has = <T>(list: Iterable<T> | undefined, is: (entry: T) => boolean): T[] => [...(list ?? [])].filter(is);
  for (let n = 0; n < 9; n++) {
    const active = model.places(({ terms }) => (has(terms?.accounts, (account) => account === address(n)).length > 0 ? [0] : []));
    assert.deepEqual(
      store.heightsOfAccount(address(n)),
      active.map(({ height }) => height),
    );
    assert.deepEqual(
      store.heightsOfAccount(address(n), range),
      inRange(active).map(({ height }) => height),
    );
    const oid = BigInt(n) << 60n;
    const orders = model.places(({ terms }) => has(terms?.orders, (order) => order.oid === oid).map(({ index }) => index));
    assert.deepEqual(store.placesOfOrder(oid), orders);
    assert.deepEqual(store.placesOfOrder(oid, range), inRange(orders));
    const [account, id] = [address(n % 2), clientId(n % 3)];
    const clientIds = model.places(({ terms }) =>
      has(terms?.clientIds, (entry) => entry.account === account && entry.clientId === id).map(({ index }) => index),
    );
    assert.deepEqual(store.placesOfClientId(account, id, range), inRange(clientIds));
    const hash = createHash('sha256').update(String(n)).digest();
    const sent = model.places(({ terms }) => (terms?.hashes ?? []).flatMap((entry, index) => (hash.equals(entry) ? [index] : [])));
    assert.deepEqual(store.placesOfTransaction(hash), sent);
  }
  for (const market of [0, 1, 2 ** 32 - 1, 7]) {
    const blocks = [...model.blocks.values()]
      .filter(({ height, terms }) => height >= model.first && has(terms?.markets, (entry) => entry === market).length > 0)
      .map(({ height, timeMs }) => ({ height, timeMs }));
    assert.deepEqual(store.blocksOfMarket(market), blocks);
    const fromMs = 1000 + random.below(500);
    const toMs = fromMs + random.below(300);
    assert.deepEqual(
      store.blocksOfMarket(market, { fromMs, toMs, newestFirst: true }),
      blocks.filter(({ timeMs }) => timeMs >= fromMs && timeMs <= toMs).reverse(),
    );
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  inBothForms(`like its model, seed ${seed}`, async (folder, options) => {
    const random = new Random(seed);
    const model = new Model();
    let store = await Store.open(folder, options);
    let next = random.pick([0, 0, 300]);
    check(store, model, random);
    for (let i = 0; i < 40; i++) {
      const action = random.weighted({ commit: 10, several: 4, prune: 2, reopen: 2 });
      if (action === 'commit' || action === 'several') {
        const blocks = Array.from({ length: action === 'commit' ? 1 : random.between(2, 9) }, () => randomBlock(random, next++));
        await Promise.all(blocks.map((block) => store.commit(block, block.height)));
        for (const block of blocks) model.apply(block);
      } else if (action === 'prune' && model.height >= 0) {
        const below = random.between(Math.max(0, model.height - 20), model.height + 5);
        await store.prune(below);
        model.first = Math.max(model.first, Math.min(below, model.height));
        assert.equal(store.first, model.first);
      } else if (action === 'reopen') {
        await store.close();
        store = await Store.open(folder, options);
      }
      check(store, model, random);
    }
    await store.close();
  });
}

inBothForms('records are those of one height while others are committed', async (folder, options) => {
  const store = await Store.open(folder, options);
  const block = (height: number): BlockCommit => ({
    ...randomBlock(new Random(height), height),
    changed: Array.from({ length: 100 }, (_, i) => ({ key: Uint8Array.of(1, i), value: Uint8Array.of(height) })),
  });
  await store.commit(block(0), 0);
  const records = store.records();
  let seen = 0;
  for (const { value } of records) {
    assert.deepEqual([...value], [0]);
    if (++seen % 10 === 0) await store.commit(block(seen / 10), JOURNAL_LAST);
  }
  assert.equal(seen, 100);
  assert.equal(records.height, 0);
  records.close();
  records.close();
  assert.deepEqual(store.record(Uint8Array.of(1, 99)), Uint8Array.of(10));
  await store.close();
});

inBothForms('whoever reads between commits sees whole ones', async (folder, options) => {
  const store = await Store.open(folder, options);
  const commit = (height: number): Promise<void> => {
    const changed = Array.from({ length: 400 }, (_, i) => ({ key: Uint8Array.of(1, i >> 8, i), value: Uint8Array.of(height) }));
    return store.commit({ ...randomBlock(new Random(height), height), changed }, JOURNAL_LAST);
  };
  await commit(0);
  let going = true;
  const seen = new Set<number | undefined>();
  const reading = (async () => {
    for (; going; await new Promise((done) => setImmediate(done))) {
      const records = store.records();
      for (const { value } of records) assert.deepEqual([...value], [records.height]);
      records.close();
      seen.add(records.height);
    }
  })();
  for (let height = 1; height <= 40; height++) await commit(height);
  going = false;
  await reading;
  assert.ok(seen.size > 5, `${seen.size} heights seen`);
  await store.close();
});

inBothForms('whoever looks up between commits finds every block once, while runs of the index are merged', async (folder, options) => {
  const store = await Store.open(folder, options);
  const keys = new BlockKeys();
  let committed = -1;
  const commit = async (height: number): Promise<void> => {
    keys.begin(height, height);
    keys.account(address(1));
    const nothing = new Uint8Array();
    await store.commit({ height, timeMs: 1, header: nothing, body: nothing, receipts: nothing, changed: [], keys: keys.finish() }, height);
    committed = height;
  };
  let going = true;
  const seen = new Set<number>();
  const reading = (async () => {
    for (; going; await new Promise((done) => setImmediate(done))) {
      const heights = store.heightsOfAccount(address(1));
      assert.deepEqual(
        heights,
        Array.from({ length: Math.max(heights.length, committed + 1) }, (_, height) => height),
      );
      assert.deepEqual(store.heightsOfAccount(address(1), { newestFirst: true, limit: 40 }), heights.toReversed().slice(0, 40));
      seen.add(heights.length);
    }
  })();
  // More than two depths of runs.
  for (let height = 0; height < 300; height++) await commit(height);
  going = false;
  await reading;
  assert.ok(seen.size > 20, `${seen.size} lengths seen`);
  await store.close();
});

inBothForms('never ahead of the journal, never out of order', async (folder, options) => {
  const store = await Store.open(folder, options);
  const block = (height: number): BlockCommit => randomBlock(new Random(height), height);
  await store.commit(block(5), 5);
  assert.throws(() => store.commit(block(6), 5), /assertion failed: height 6 committed, the journal has 5/);
  assert.throws(() => store.commit(block(7), 9), /assertion failed: height 7 committed after 5/);
  assert.throws(() => store.commit(block(5), 9), /assertion failed/);
  const bad = { ...block(6), changed: [{ key: new Uint8Array(), value: undefined }] };
  assert.throws(() => store.commit(bad, 9), /assertion failed: a key of 0 bytes/);
  const piece = new Uint8Array(new SharedArrayBuffer(4));
  piece.set([1, 0, 0, 5]);
  const shared = { ...block(6), changed: new PackedChanges([piece]) };
  assert.throws(() => store.commit(shared, 9), /shared memory/);
  await Promise.all([6, 7, 8].map((height) => store.commit(block(height), 9)));
  assert.equal(store.height, 8);
  await store.close();
  await assert.rejects(store.commit(block(9), 9), hasCode('STORE_STOPPED'));
});

// --- The world --------------------------------------------------------------------------------------------------------------------

/** Every block names addresses of the one before, and new ones. */
function bodyAt(height: number): Block {
  const transactions = Array.from({ length: 70 }, (_, i) => {
    return { kind: 'noop' as const, sender: `0x${(height * 20 + (i % 40)).toString(16).padStart(40, '0')}` };
  });
  return { number: height, timeMs: height, transactions };
}

/** Something happens to it in every block that a killed process has committed. */
const BUSY = `0x${'b5'.repeat(20)}`;

/** At height h, record i has the value of the last height up to h that is divisible by i + 1, and is absent at 0. */
const COMMITTER = `
  const { Store } = await import(${JSON.stringify(import.meta.resolve('./store.ts'))});
  const { BlockKeys } = await import(${JSON.stringify(import.meta.resolve('./block-keys.ts'))});
  const { writeSync } = await import('node:fs');
  const blockKeys = new BlockKeys();
  const keysAt = (height) => {
    blockKeys.begin(height, height);
    blockKeys.account('${BUSY}');
    for (let i = 0; i < 50; i++) blockKeys.order(i, height, i);
    return blockKeys.finish();
  };
  const value = (height) => Uint8Array.from({ length: 50 }, (_, i) => height * 7 + i);
  const body = ${bodyAt};
  const failed = (error) => writeSync(1, error.code + ' ' + error.message + '\\n');
  try {
    const store = await Store.open(process.argv[1], { chainId: new Uint8Array(32).fill(4), thread: process.argv[2] === 'true' });
    writeSync(1, 'opened\\n');
    let next = (store.height ?? 0) + 1;
    let going = true;
    while (going) {
      const commits = Array.from({ length: 1 + (next % 3) }, () => {
        const height = next++;
        const changed = Array.from({ length: 60 }, (_, i) => i).filter((i) => height % (i + 1) === 0)
          .map((i) => ({ key: Uint8Array.of(1, i), value: value(height) }));
        const block = { height, timeMs: height, header: value(height), body: body(height), receipts: new Uint8Array(2000), changed, keys: keysAt(height) };
        return store.commit(block, height)
          .then(() => writeSync(1, height + '\\n'));
      });
      await Promise.all(commits).catch((error) => { going = false; failed(error); });
    }
    await store.close();
    writeSync(1, 'closed\\n');
  } catch (error) {
    failed(error);
  }
`;

function committer(
  folder: string,
  { thread = false }: StoreOptions,
  ...before: string[]
): { readonly child: ChildProcess; readonly lines: AsyncIterator<string> } {
  const command = [...before, process.execPath, '--input-type=module', '-e', COMMITTER, folder, String(thread)];
  // LMDB's binding writes errors to stderr besides reporting them.
  const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'ignore'] });
  children.add(child);
  return { child, lines: createInterface(child.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]() };
}

async function checkCommitted(folder: string, confirmed: number): Promise<number> {
  const store = await Store.open(folder, OPTIONS);
  const height = store.height ?? 0;
  assert.ok(height >= confirmed, `height ${confirmed} was confirmed, the store is at ${height}`);
  const value = (at: number): Uint8Array => Uint8Array.from({ length: 50 }, (_, i) => at * 7 + i);
  for (let i = 0; i < 60; i++) {
    const last = height - (height % (i + 1));
    assert.deepEqual(store.record(Uint8Array.of(1, i)), last === 0 ? undefined : value(last), `record ${i} at height ${height}`);
  }
  assert.equal(store.header(height + 1), undefined);
  if (height > 0) assert.deepEqual(store.header(height), value(height));
  for (let at = Math.max(1, height - 5); at <= height; at++) assert.deepEqual(store.body(at), encodeBlock(bodyAt(at)));
  assert.deepEqual(
    store.heightsOfAccount(BUSY, { limit: height + 1 }),
    Array.from({ length: height }, (_, i) => i + 1),
  );
  await store.close();
  return height;
}

inBothForms('processes that are killed leave whole commits, and all that were confirmed', async (folder, options) => {
  let confirmed = 0;
  for (let i = 0; i < KILLS; i++) {
    const { child, lines } = committer(folder, options);
    assert.equal((await lines.next()).value, 'opened');
    const until = confirmed + 1 + (i % 4) * 11;
    for (let line = await lines.next(); !line.done; line = await lines.next()) {
      confirmed = Number(line.value);
      // Some time later, to hit a commit anywhere.
      if (confirmed === until) setTimeout(() => child.kill('SIGKILL'), 2 + i);
    }
    confirmed = await checkCommitted(folder, confirmed);
  }
});

inBothForms('a disk that is full: an error that says so, and nothing confirmed is lost', async (folder, options) => {
  // Limits of the shell.
  if (process.platform === 'win32') return;
  const { lines } = committer(folder, options, 'sh', '-c', 'trap "" XFSZ; ulimit -f 600; exec "$@"', 'sh');
  assert.equal((await lines.next()).value, 'opened');
  let confirmed = 0;
  const others: string[] = [];
  for (let line = await lines.next(); !line.done; line = await lines.next()) {
    if (/^\d/.test(line.value)) confirmed = Number(line.value);
    else others.push(line.value);
  }
  assert.ok(confirmed > 5);
  // LMDB takes a write that was cut short by the limit for a failing disk, and there is space in fact.
  assert.match(others.join('\n'), /^(?:DISK_FULL|DISK_FAILED) the disk .*\nclosed$/);
  await checkCommitted(folder, confirmed);
});

inBothForms('in use, of another chain, of another version', async (folder, options) => {
  const { child, lines } = committer(folder, options);
  assert.equal((await lines.next()).value, 'opened');
  await assert.rejects(Store.open(folder, options), hasCode('FOLDER_LOCKED', new RegExp(`process ${child.pid}`)));
  child.kill('SIGKILL');
  await once(child, 'exit');
  await assert.rejects(
    Store.open(folder, { ...options, chainId: new Uint8Array(32) }),
    hasCode('WRONG_CHAIN', /belongs to the chain 0404/),
  );
  await setVersion(folder, 4);
  await assert.rejects(Store.open(folder, options), hasCode('WRONG_VERSION', /version 4: open it with the release/));
});

async function setVersion(folder: string, version: number): Promise<void> {
  const tables = new StoreTables(folder);
  const value = Buffer.concat([Buffer.of(0, 0, 0, version), OPTIONS.chainId]);
  await tables.write([{ table: tables.meta, key: IDENTITY, value }]);
  await tables.close();
}

/** The index becomes a table of single keys, as versions 1 and 2 had it. */
async function makeOld(folder: string, version: number): Promise<void> {
  const tables = new StoreTables(folder);
  const [index, terms] = [tables.table('index'), tables.table('terms')];
  const writes: Write[] = [];
  for (const table of [tables.runs, tables.chunks]) {
    for (const { key, value } of table.getRange({})) {
      writes.push({ table, key, value: undefined });
      if (table === tables.runs) continue;
      const keyBytes = bytesOfKind(value[0] as number);
      for (let at = 0; at < value.length; at += keyBytes) {
        writes.push({ table: index, key: value.subarray(at, at + keyBytes), value: new Uint8Array() });
      }
    }
  }
  writes.push({ table: terms, key: heightKey(tables.first ?? 0), value: Uint8Array.of(1) });
  await tables.write(writes);
  await tables.close();
  await setVersion(folder, version);
}

for (const version of [1, 2]) {
  inBothForms(`a store of version ${version} is gone on with`, async (folder, options) => {
    const random = new Random(8);
    const model = new Model();
    const add = async (store: Store): Promise<void> => {
      const block = { ...randomBlock(random, model.height + 1), body: bytesOf(random, 0, 500) };
      model.apply(block);
      await store.commit(block, JOURNAL_LAST);
    };
    let store = await Store.open(folder, options);
    // Bytes are kept as version 1 kept them.
    for (let i = 0; i < 30; i++) await add(store);
    await store.prune(3);
    model.first = 3;
    await store.close();
    await makeOld(folder, version);
    store = await Store.open(folder, options);
    check(store, model, random);
    for (let i = 0; i < 20; i++) await add(store);
    check(store, model, random);
    await store.prune(40);
    model.first = 40;
    await store.close();
    store = await Store.open(folder, options);
    check(store, model, random);
    await store.close();
  });
}

inBothForms('blocks are kept in columns, with one book of addresses, and come back as their encodings', async (folder, options) => {
  const random = new Random(4);
  const counts = [0, 1, 3, 20, 63, 64, 700, 700, 30, 2000];
  const blocks = counts.map(
    (count, height): Block => ({ number: height, timeMs: 5, transactions: transfers(random, count, 40 + 30 * height) }),
  );
  let store = await Store.open(folder, options);
  const commit = (block: Block): Promise<void> => {
    const rest = { header: Uint8Array.of(1), receipts: new Uint8Array(), changed: [] };
    return store.commit({ height: block.number, timeMs: block.timeMs, body: block, ...rest }, JOURNAL_LAST);
  };
  const checkAll = (from: number, to: number): void => {
    for (const block of blocks.slice(from, to)) assert.deepEqual(store.body(block.number), encodeBlock(block), `block ${block.number}`);
  };
  // Without waiting for one another: the later ones name addresses of the earlier ones that are not on disk.
  await Promise.all(blocks.slice(0, 8).map(commit));
  checkAll(0, 8);
  await store.close();
  store = await Store.open(folder, options);
  checkAll(0, 8);
  for (const block of blocks.slice(8)) await commit(block);
  await store.prune(8);
  checkAll(8, counts.length);
  await store.close();
  store = await Store.open(folder, options);
  checkAll(8, counts.length);
  await store.close();
});

function transfers(random: Random, count: number, accounts: number): Transaction[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: 'transfer',
    sender: address(random.below(accounts)),
    nonce: BigInt(1_760_000_000_000 + i),
    recipient: address(random.below(accounts)),
    token: 0,
    amount: BigInt(random.below(1000)),
  }));
}

inBothForms('a file that is not LMDB’s, or only a part of it, is an error and not the end of the process', async (folder, options) => {
  const whole = join(folder, 'whole');
  const store = await Store.open(whole, options);
  for (let height = 1; height <= 20; height++) await store.commit(randomBlock(new Random(height), height), height);
  await store.close();
  const bytes = await readFile(join(whole, 'data.mdb'));
  const changes: ((path: string) => Promise<void>)[] = [
    (path) => writeFile(path, 'x'),
    (path) => writeFile(path, 'y'.repeat(bytes.length)),
    (path) => writeFile(path, new Uint8Array(bytes.length)),
    (path) => writeFile(path, ''),
    (path) => rm(path),
    (path) => truncate(path, 4096),
    (path) => truncate(path, bytes.length - 4096),
    (path) => writeFile(path, Buffer.from(bytes).fill(0, 0, 4096)),
    (path) => writeFile(path, Buffer.from(bytes).fill(0, 4096, 8192)),
  ];
  for (const [i, change] of changes.entries()) {
    const copy = join(folder, `copy ${i}`);
    await cp(whole, copy, { recursive: true });
    await change(join(copy, 'data.mdb'));
    await assert.rejects(Store.open(copy, options), hasCode('STORE_DAMAGED', /execute the journal again/));
  }
  const again = await Store.open(whole, options);
  assert.equal(again.height, 20);
  await again.close();
});

inBothForms('damage in a body, its receipts or its header is found when it is read', async (folder, options) => {
  const store = await Store.open(folder, options);
  const random = new Random(3);
  const mark = Uint8Array.from({ length: 40 }, () => random.below(256));
  const value = Uint8Array.from({ length: 2000 }, (_, i) => mark[i % 40] as number);
  const noise = Uint8Array.from({ length: 1500 }, () => random.below(256));
  const block = { height: 1, timeMs: 1, header: value, body: noise, receipts: value, changed: [] };
  await store.commit(block, 1);
  await store.close();
  const path = join(folder, 'data.mdb');
  const bytes = await readFile(path);
  const at = bytes.indexOf(noise.subarray(0, 20));
  assert.ok(at > 0);
  bytes[at + 700] = (bytes[at + 700] as number) ^ 1;
  await writeFile(path, bytes);
  const again = await Store.open(folder, options);
  assert.deepEqual(again.header(1), value);
  assert.throws(() => again.body(1), hasCode('STORE_DAMAGED', /height 1: checksum/));
  await again.close();
});
