/** The pipeline: confirmed means journaled, settled means final, and whatever stops it, a start finds all that was confirmed. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Random } from '../base/random.ts';
import { waitFor } from '../base/waits-for-tests.ts';
import { blake3 } from '../commitment/blake3.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Transaction } from '../ledger/transactions.ts';
import { type Disk, SimulatedDisk, Store } from '../storage/index.ts';
import { genesisHash } from './genesis-hash.ts';
import { Pipeline, type PipelineOptions, type Ticket } from './pipeline.ts';

const START_MS = 1_760_000_000_000;
const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
const genesis: Genesis = {
  maxAccounts: 64,
  orderPages: 1,
  tokens: [{ name: 'USDC', decimals: 6 }],
  markets: [],
  accounts: Array.from({ length: 8 }, (_, i) => ({ address: address(i + 1), balances: [{ token: 0, amount: 1_000_000n }] })),
};
const folder = mkdtempSync(join(tmpdir(), 'pipeline-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function transfer(from: number, nonce: number): Transaction {
  return {
    kind: 'transfer',
    sender: address(from),
    recipient: address(20 + (nonce % 9)),
    token: 0,
    amount: BigInt(1 + (nonce % 5)),
    nonce: BigInt(START_MS + nonce),
  };
}

function options(disk: Disk, fields: Partial<PipelineOptions> = {}): PipelineOptions {
  let now = START_MS;
  return {
    genesis,
    disk,
    clock: () => now++,
    engine: { memoryMiB: 1536, keyCapacity: 4096, keySeed: 5n },
    model: 'serial',
    blockTransactions: 7,
    ...fields,
  };
}

test('while many are on their way a block waits until it is full, or nothing more comes', async () => {
  let expected = 1000;
  const pipeline = await Pipeline.open(options(new SimulatedDisk(), { expected: () => expected, gatherMs: 1e9 }));
  let nonce = 0;
  /** Each in a turn of its own. */
  const submit = async (count: number): Promise<Ticket[]> => {
    const tickets: Ticket[] = [];
    for (let i = 0; i < count; i++) {
      tickets.push(pipeline.submit(transfer(1 + (nonce % 8), nonce++)));
      await nextTurn();
      await nextTurn();
    }
    return tickets;
  };
  const blocksOf = (tickets: readonly Ticket[]): Promise<number[]> =>
    Promise.all(tickets.map(async ({ confirmed }) => (await confirmed).block));
  // The first begins at once: nothing has begun before it.
  assert.deepEqual(await blocksOf(await submit(1)), [1]);
  assert.deepEqual(await blocksOf(await submit(7)), Array(7).fill(2));
  const rest = await submit(3);
  assert.equal(pipeline.counts.waiting, 3);
  const closed = pipeline.close();
  assert.deepEqual(await blocksOf(rest), [3, 3, 3]);
  await closed;
  // While few are on their way nothing waits.
  expected = 1;
  const other = await Pipeline.open(options(new SimulatedDisk(), { expected: () => expected, gatherMs: 1e9 }));
  for (let i = 0; i < 3; i++) assert.equal((await other.submit(transfer(1, i)).confirmed).block, 1 + i);
  await other.close();
});

test('transactions are confirmed, then settled, in one chain of headers', async () => {
  const pipeline = await Pipeline.open(options(new SimulatedDisk()));
  const tickets = Array.from({ length: 40 }, (_, i) => pipeline.submit(transfer(1 + (i % 8), i)));
  const confirmed = await Promise.all(tickets.map((ticket) => ticket.confirmed));
  assert.ok(confirmed.every(({ code, events }) => code === 0 && events.length > 0));
  const settled = await Promise.all(tickets.map((ticket) => ticket.settled));
  const headers = [...new Map(settled.map((settlement) => [settlement.header.height, settlement])).values()];
  headers.forEach(({ header }, i) => {
    assert.equal(header.height, i + 1);
    assert.deepEqual(header.parentHash, i === 0 ? genesisHash(genesis) : headers[i - 1]?.hash);
  });
  const root = pipeline.state.committedRoot();
  assert.equal(Buffer.from(headers.at(-1)?.header.stateRoot ?? []).toString('hex'), root);
  await pipeline.close();
});

test('those who keep views are told every block once, in order, before its tickets are, and again after a start', async () => {
  const disk = new SimulatedDisk();
  const told: string[] = [];
  const watched = (fields: Partial<PipelineOptions> = {}): PipelineOptions =>
    options(disk, {
      onConfirmed: ({ number, transactions, hashes, receipts }) => {
        told.push(`block ${number}: ${transactions.length} of ${receipts.length}`);
        assert.deepEqual(hashes, transactions.map(encodeTransaction).map(blake3));
      },
      onSettled: ({ header }) => told.push(`settled ${header.height}`),
      ...fields,
    });
  const pipeline = await Pipeline.open(watched());
  const ticket = pipeline.submit(transfer(1, 1));
  const whenConfirmed = ticket.confirmed.then(() => told.push('ticket confirmed'));
  await Promise.all([whenConfirmed, ticket.settled.then(() => told.push('ticket settled'))]);
  await pipeline.close();
  assert.deepEqual(told, ['block 1: 1 of 1', 'ticket confirmed', 'settled 1', 'ticket settled']);
  told.length = 0;
  await (await Pipeline.open(watched())).close();
  assert.deepEqual(told, ['block 1: 1 of 1', 'settled 1']);
});

test('at every crash: what was confirmed is there, none twice, and the chain is that of an undisturbed run', async () => {
  const random = new Random(7);
  let disk = new SimulatedDisk();
  const confirmed = new Set<string>();
  for (let round = 0; round < 12; round++) {
    const pipeline = await Pipeline.open(options(disk));
    let stopped = false;
    const tickets = Array.from({ length: 30 }, (_, i) => {
      const nonce = round * 100 + i;
      const { confirmed: done } = pipeline.submit(transfer(1 + (i % 8), nonce));
      return done.then(({ code }) => {
        assert.equal(code, 0);
        if (!stopped) confirmed.add(`${START_MS + nonce}`);
      });
    });
    // Some are confirmed when the machine stops, some are not.
    await Promise.all(tickets.slice(0, 3 + random.below(25)));
    stopped = true;
    disk = disk.crash(random);
    await pipeline.close();
  }
  const recovered = await Pipeline.open(options(disk));
  const nonces = await noncesOf(disk, recovered);
  assert.equal(new Set(nonces).size, nonces.length, 'a transaction is there twice');
  for (const nonce of confirmed) assert.ok(nonces.includes(nonce), `${nonce} was confirmed and is gone`);
  await recovered.close();
});

test('cut at every write and flush: all that was confirmed by then is there, none twice, and headers are those of the whole run', async () => {
  const disk = new SimulatedDisk();
  const small = { journalSegmentBytes: 1500 };
  const confirmed: { readonly steps: number; readonly nonce: string }[] = [];
  const hashes = new Map<number, string>();
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const whole = await Pipeline.open(options(disk, { ...small, onSettled: ({ header, hash }) => hashes.set(header.height, hex(hash)) }));
  for (let round = 0; round < 5; round++) {
    const tickets = Array.from({ length: 9 }, (_, i) => {
      const nonce = round * 100 + i;
      const ticket = whole.submit(transfer(1 + (i % 8), nonce));
      const noted = ticket.confirmed.then(() => confirmed.push({ steps: disk.trace.length, nonce: `${START_MS + nonce}` }));
      return Promise.all([noted, ticket.settled]);
    });
    await Promise.all(tickets);
  }
  await whole.close();
  const random = new Random(11);
  const trace = [...disk.trace];
  let together = 0;
  for (let steps = 0; steps <= trace.length; steps++) {
    const pipeline = await Pipeline.open(options(SimulatedDisk.replay(trace.slice(0, steps)).crash(random), small));
    const nonces = await noncesOf(disk, pipeline);
    assert.equal(new Set(nonces).size, nonces.length, `step ${steps}: a transaction is there twice`);
    for (const { nonce } of confirmed.filter((entry) => entry.steps <= steps)) {
      assert.ok(nonces.includes(nonce), `step ${steps}: ${nonce} was confirmed and is gone`);
      together++;
    }
    const { settled } = pipeline;
    if (settled !== undefined) assert.equal(hex(settled.hash), hashes.get(settled.header.height), `step ${steps}`);
    await pipeline.close();
  }
  assert.ok(trace.length > 20 && together > 200, `${trace.length} steps, ${together} transactions looked for`);
});

/** Nonces of all transactions that were executed: each account's record keeps the last hundred, and no account has had more. */
async function noncesOf(_disk: Disk, pipeline: Pipeline): Promise<string[]> {
  const found: string[] = [];
  for (const { recordClass, value } of pipeline.state.records()) {
    if (recordClass !== 'nonce chunk') continue;
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    for (let i = 0; i < 7; i++) if (view.getBigUint64(i * 8, true) !== 0n) found.push(`${view.getBigUint64(i * 8, true)}`);
  }
  return found;
}

test('a start from the store ends where a start from the journal alone does', async () => {
  const disk = new SimulatedDisk();
  const chainId = genesisHash(genesis);
  const path = join(folder, 'store');
  let last: string | undefined;
  for (let round = 0; round < 3; round++) {
    const pipeline = await Pipeline.open(options(disk, { store: await Store.open(path, { chainId }) }));
    const tickets = Array.from({ length: 20 }, (_, i) => pipeline.submit(transfer(1 + (i % 8), round * 100 + i)));
    await Promise.all(tickets.map((ticket) => ticket.settled));
    last = Buffer.from(pipeline.settled?.hash ?? []).toString('hex');
    await pipeline.close();
  }
  const fromStore = await Pipeline.open(options(disk, { store: await Store.open(path, { chainId }) }));
  assert.equal(Buffer.from(fromStore.settled?.hash ?? []).toString('hex'), last);
  await fromStore.close();
  const fromJournal = await Pipeline.open(options(disk));
  assert.equal(Buffer.from(fromJournal.settled?.hash ?? []).toString('hex'), last);
  await fromJournal.close();
});

test('a disk that fails stops the pipeline; what was not confirmed is told so', async () => {
  const disk = new SimulatedDisk();
  const pipeline = await Pipeline.open(options(disk));
  await pipeline.submit(transfer(1, 1)).confirmed;
  disk.fail('append', 'ENOSPC');
  await assert.rejects(pipeline.submit(transfer(2, 2)).confirmed, { code: 'PIPELINE_BROKEN' });
  assert.throws(() => pipeline.submit(transfer(3, 3)), { code: 'PIPELINE_BROKEN' });
  await assert.rejects(pipeline.close(), { code: 'PIPELINE_BROKEN' });
});

test('who submits is told once what its ticket is told: of its block, or that the pipeline has broken', async () => {
  const disk = new SimulatedDisk();
  const pipeline = await Pipeline.open(options(disk));
  const told: string[] = [];
  const submitted = (nonce: number): Ticket =>
    pipeline.submit(transfer(1 + (nonce % 8), nonce), {
      confirmed: ({ block, index, code }) => told.push(`${nonce}: code ${code} at ${index} of block ${block}`),
      failed: ({ code }) => told.push(`${nonce}: ${code}`),
    });
  await Promise.all(Array.from({ length: 7 }, (_, i) => submitted(i).settled));
  assert.deepEqual(
    told,
    Array.from({ length: 7 }, (_, i) => `${i}: code 0 at ${i} of block 1`),
  );
  told.length = 0;
  disk.fail('append', 'ENOSPC');
  const lost = Array.from({ length: 20 }, (_, i) => submitted(100 + i).confirmed);
  for (const result of await Promise.allSettled(lost)) assert.equal(result.status, 'rejected');
  assert.throws(() => submitted(200), { code: 'PIPELINE_BROKEN' });
  await assert.rejects(pipeline.close(), { code: 'PIPELINE_BROKEN' });
  assert.deepEqual(told.toSorted(), Array.from({ length: 20 }, (_, i) => `${100 + i}: PIPELINE_BROKEN`).toSorted());
});

test('a store that fails stops the pipeline; every ticket hears of it, wherever its block was', async () => {
  for (const failing of [2, 4, 7]) {
    const store = await Store.open(join(folder, `failing-${failing}`), { chainId: genesisHash(genesis) });
    const commit = store.commit.bind(store);
    store.commit = (block, journalLast) =>
      block.height === failing ? Promise.reject(new Error('the disk is full')) : commit(block, journalLast);
    const pipeline = await Pipeline.open(options(new SimulatedDisk(), { store, behindMax: 3 }));
    const tickets = Array.from({ length: 80 }, (_, i) => pipeline.submit(transfer(1 + (i % 8), i)));
    const told = new Map<number, string>();
    tickets.forEach(({ confirmed, settled }, i) => {
      confirmed.catch(() => {});
      settled.then(
        ({ header }) => told.set(i, `settled ${header.height}`),
        (error) => told.set(i, error.code),
      );
    });
    await assert.rejects(pipeline.close(), { code: 'PIPELINE_BROKEN' });
    for (const i of tickets.keys()) {
      const height = 1 + Math.floor(i / 7);
      assert.equal(told.get(i), height < failing ? `settled ${height}` : 'PIPELINE_BROKEN', `ticket ${i}, block ${failing} fails`);
    }
  }
});

test('blocks that wait to be joined hold up nobody: not those that want room, nor a stop, nor a start', async () => {
  const HOUR_MS = 3_600_000;
  const disk = new SimulatedDisk();
  const open = () => Store.open(join(folder, 'joining'), { chainId: genesisHash(genesis), joinMs: HOUR_MS });
  let store = await open();
  let pipeline = await Pipeline.open(options(disk, { store, behindMax: 3 }));
  const tickets = Array.from({ length: 80 }, (_, i) => pipeline.submit(transfer(1 + (i % 8), i)));
  await Promise.all(tickets.map(({ confirmed }) => confirmed));
  await pipeline.close();
  const last = await (tickets.at(-1) as Ticket).settled;
  assert.equal(store.height, last.header.height);

  // The journal has more than the store: what a start executes again is settled by the time that it is open.
  const one = await Pipeline.open(options(disk));
  for (let i = 0; i < 20; i++) await one.submit(transfer(1, 100 + i)).confirmed;
  await one.close();
  store = await open();
  pipeline = await Pipeline.open(options(disk, { store }));
  assert.equal(store.height, last.header.height + 20);
  assert.deepEqual(pipeline.settled?.hash, one.settled?.hash);
  await pipeline.close();
});

test('512 small blocks may be unsettled at once, and as many large ones as 32 full blocks are', async () => {
  // A batch that nearly fills a block.
  const items = Array.from({ length: 60_000 }, () => ({ op: 'cancel' as const, market: 0, oid: 0n }));
  const batch = encodeTransaction({ kind: 'orders', sender: address(1), items });
  const small = encodeTransaction({ kind: 'noop', sender: address(1) });
  for (const [name, encoded, blocks, most] of [
    ['small', small, 540, 512],
    ['large', batch, 37, 34],
  ] as const) {
    const store = await Store.open(join(folder, `unsettled-${name}`), { chainId: genesisHash(genesis) });
    const held = Promise.withResolvers<void>();
    store.commit = ({ height }) => (height === 0 ? Promise.resolve() : held.promise);
    const pipeline = await Pipeline.open(options(new SimulatedDisk(), { store, blockTransactions: 1 }));
    for (let i = 0; i < blocks; i++) {
      pipeline.submitEncoded(encoded);
      // Not more at once than may wait.
      await waitFor('room for a transaction', () => pipeline.counts.waiting <= 5 || pipeline.counts.unsettled >= most, { pause: nextTurn });
    }
    await waitFor(`${most} unsettled blocks`, () => pipeline.counts.unsettled >= most, { pause: nextTurn });
    for (let i = 0; i < 50; i++) await nextTurn();
    assert.equal(pipeline.counts.unsettled, most, name);
    held.resolve();
    await pipeline.close();
    assert.equal(pipeline.counts.unsettled, 0, name);
  }
});

test('after an error nothing more is confirmed', async () => {
  const store = await Store.open(join(folder, 'confirms-no-more'), { chainId: genesisHash(genesis) });
  store.commit = ({ height }) => (height === 0 ? Promise.resolve() : Promise.reject(new Error('the disk is full')));
  const late: number[] = [];
  const pipeline: Pipeline = await Pipeline.open(
    options(new SimulatedDisk(), {
      store,
      onConfirmed: ({ number }) => {
        if (pipeline.broken !== undefined) late.push(number);
      },
    }),
  );
  const tickets = Array.from({ length: 80 }, (_, i) => pipeline.submit(transfer(1 + (i % 8), i)));
  await Promise.allSettled(tickets.map(({ confirmed }) => confirmed));
  await assert.rejects(pipeline.close(), { code: 'PIPELINE_BROKEN' });
  assert.deepEqual(late, []);
});

test('what is no transaction, and more than may wait, is refused at once', async () => {
  const pipeline = await Pipeline.open(options(new SimulatedDisk(), { waitingMax: 2 }));
  assert.throws(() => pipeline.submit({ ...transfer(1, 1), amount: -1n } as Transaction));
  const first = pipeline.submit(transfer(1, 1));
  pipeline.submit(transfer(1, 2));
  assert.throws(() => pipeline.submit(transfer(1, 3)), { code: 'BUSY' });
  await first.settled;
  await pipeline.close();
});

test('blocks of large batches have fewer transactions, so that all that is journaled can be executed', async () => {
  const disk = new SimulatedDisk();
  const pipeline = await Pipeline.open(options(disk, { blockTransactions: 65_536 }));
  const items = Array.from({ length: 64 }, () => ({ op: 'cancel' as const, market: 0, oid: 0n }));
  const batch = encodeTransaction({ kind: 'orders', sender: address(1), items });
  // In one block they would be more bytes than the engine has for its input.
  const tickets = Array.from({ length: 17_000 }, () => pipeline.submitEncoded(batch));
  const confirmed = await Promise.all(tickets.map((ticket) => ticket.confirmed));
  assert.equal(confirmed.filter(({ events }) => events.length > 0).length, tickets.length);
  assert.ok((confirmed.at(-1)?.block ?? 0) > 4);
  const tooLarge = Array.from({ length: 2 ** 18 }, () => ({ op: 'cancel' as const, market: 0, oid: 0n }));
  assert.throws(() => pipeline.submit({ kind: 'orders', sender: address(1), items: tooLarge }), { code: 'NOT_ENCODABLE' });
  await pipeline.close();
});

test('large batches that wait are refused before their bytes fill the memory', async () => {
  const pipeline = await Pipeline.open(options(new SimulatedDisk()));
  const items = Array.from({ length: 60_000 }, () => ({ op: 'cancel' as const, market: 0, oid: 0n }));
  const batch = encodeTransaction({ kind: 'orders', sender: address(1), items });
  let taken = 0;
  assert.throws(
    () => {
      for (; taken < 1000; taken++) pipeline.submitEncoded(batch);
    },
    { code: 'BUSY' },
  );
  assert.ok(taken > 30 && taken < 40, `${taken}`);
  await pipeline.close();
});

test('client ids that nobody has, as many as fit into blocks, do not fill the key table', async () => {
  const pipeline = await Pipeline.open({ ...options(new SimulatedDisk(), { blockTransactions: 65_536 }), engine: { memoryMiB: 1536 } });
  let next = 0;
  const id = () => `0x${(next++).toString(16).padStart(32, '0')}`;
  const item = () =>
    ({ op: 'modify', target: id(), side: 'buy', tif: 'gtc', market: 0, priceTicks: 1, sizeLots: 1n, clientId: id() }) as const;
  const tickets = Array.from({ length: 2000 }, () =>
    pipeline.submit({ kind: 'orders', sender: address(1), items: Array.from({ length: 64 }, item) }),
  );
  await Promise.all(tickets.map((ticket) => ticket.confirmed));
  await pipeline.close();
});
