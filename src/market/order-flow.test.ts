/** Recordings as orders: made-up ones, and the real ones where they are at hand, through the engine and against their own books. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { ITEM_SIZE, ORDERS_ITEMS } from '../exchange/layout.ts';
import { Engine } from '../execution/index.ts';
import { BookChecker } from './book-check.ts';
import { loadRecording, type MarketRecording } from './market-recording.ts';
import { OrderFlow, type OrderFlowOptions, type ReplayBlock } from './order-flow.ts';
import { type SampleOptions, sampleRecording } from './sample-recording.ts';

const folder = mkdtempSync(join(tmpdir(), 'order-flow-'));
after(() => rmSync(folder, { recursive: true }));

async function sample(options: SampleOptions): Promise<MarketRecording> {
  const path = join(folder, 'sample.txt');
  writeFileSync(path, sampleRecording(options).join('\n'));
  const recording = await loadRecording(path);
  assert.equal(recording.error, undefined);
  return recording;
}

interface Outcome {
  readonly checker: BookChecker;
  readonly flow: OrderFlow;
  readonly transactions: number;
  readonly root: string;
}

async function replayed(options: OrderFlowOptions, tamper: (block: ReplayBlock) => void = () => {}): Promise<Outcome> {
  const flow = new OrderFlow(options);
  const checker = new BookChecker(options.recording, flow.copies);
  const engine = await Engine.create({ genesis: flow.genesis, workers: 1, memoryMiB: 3072 });
  let transactions = 0;
  try {
    for (const block of flow.blocks()) {
      tamper(block);
      const { receipts } = await engine.execute(block.block, { model: 'serial' });
      assert.ok(block.block.count <= (options.blockSize ?? 10_000));
      transactions += block.block.count;
      checker.begin(block);
      checker.advance(block.block.count, receipts);
    }
    for (const { market } of flow.copies) checker.compareWithState(market, engine.levels(market));
    return { checker, flow, transactions, root: engine.stateRoot() };
  } finally {
    await engine.close();
  }
}

test('a recording in memory has whole ticks and lots, reference prices and its later snapshots compared', async () => {
  const recording = await sample({ updates: 60 });
  assert.equal(recording.venue, 'perpetual');
  assert.equal(recording.tickDecimals, 1);
  assert.equal(recording.lotDecimals, 3);
  assert.deepEqual(recording.laterSnapshots, { compared: 1, differing: 0, notComparable: 0 });
  assert.ok(recording.references.length > 1);
  assert.ok(recording.timeMicros.every((time, i) => time >= (recording.timeMicros[i - 1] ?? recording.startMicros)));
});

test('a later snapshot that disagrees is counted', async () => {
  const lines = sampleRecording({ updates: 60 });
  const last = JSON.parse((lines.at(-1) as string).slice(20));
  last.bids[0][1] = '99.999';
  const path = join(folder, 'later.txt');
  writeFileSync(path, lines.with(-1, `${(lines.at(-1) as string).slice(0, 20)}${JSON.stringify(last)}`).join('\n'));
  assert.deepEqual((await loadRecording(path)).laterSnapshots, { compared: 1, differing: 1, notComparable: 0 });
});

for (const venue of ['perpetual', 'spot'] as const) {
  test(`the book equals the recorded one at every update: ${venue}`, async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { checker, flow } = await replayed({ recording: await sample({ seed, venue, updates: 300 }), blockSize: 50 });
      assert.deepEqual(checker.described, [], `seed ${seed}`);
      // Every update, the start and the comparison with the state.
      assert.equal(checker.bookChecks, 301 - (venue === 'perpetual' ? 1 : 2) + 1);
      assert.ok(
        Object.values(flow.counts).every((count) => count > 0),
        JSON.stringify(flow.counts),
      );
      assert.equal(flow.eventsDone, flow.events);
    }
  });
}

test('copies start at different places, wrap, and stay equal to their recording', async () => {
  const recording = await sample({ seed: 7, updates: 300 });
  const { checker, flow } = await replayed({ recording, markets: 5, blockSize: 64 });
  assert.deepEqual(checker.described, []);
  assert.equal(new Set(flow.copies.map(({ startEvent }) => startEvent)).size, 5);
  // Per market: 299 updates, the start, the state; and four markets begin again.
  assert.equal(checker.bookChecks, 5 * 301 + 4);
});

test('the size of blocks changes neither transactions nor state; the same options give the same blocks', async () => {
  const recording = await sample({ seed: 3, updates: 100 });
  const bytes = (blockSize: number): Buffer =>
    Buffer.concat([...new OrderFlow({ recording, blockSize }).blocks()].map(({ block }) => block.bytes));
  assert.ok(bytes(1000).equals(bytes(1000)));
  assert.equal(bytes(1).length, bytes(1000).length);
  const counts = await Promise.all([1, 17, 1000].map(async (blockSize) => (await replayed({ recording, blockSize })).transactions));
  assert.equal(new Set(counts).size, 1);
});

test('canary: one lot too many in one order is a mismatch', async () => {
  const recording = await sample({ seed: 2, updates: 100 });
  let planted = false;
  const { checker } = await replayed({ recording, blockSize: 50 }, ({ block }) => {
    if (planted || block.number < 3) return;
    planted = true;
    const view = new DataView(block.bytes.buffer, block.bytes.byteOffset);
    for (let i = 0; i < block.count; i++) {
      const size = (block.offsets[i] as number) + ORDERS_ITEMS + ITEM_SIZE;
      view.setUint32(size, view.getUint32(size, true) + 1, true);
    }
  });
  assert.ok(checker.bookMismatches > 0);
  assert.match(checker.described[0] as string, /market 0, block \d+, transaction \d+, recorded event \d+: \d+ levels differ/);
});

test('a recording that breaks off is replayed up to there', async () => {
  const lines = sampleRecording({ updates: 100 });
  const path = join(folder, 'broken.txt');
  writeFileSync(path, `${lines.slice(0, 90).join('\n')}\nnothing`);
  const recording = await loadRecording(path);
  assert.equal(recording.error?.code, 'BAD_LINE');
  const { checker } = await replayed({ recording });
  assert.deepEqual(checker.described, []);
  assert.ok(checker.bookChecks > 30);
});

test('a recording without a book to start from is refused', async () => {
  const path = join(folder, 'none.txt');
  writeFileSync(path, sampleRecording({ updates: 2 }).slice(0, 2).join('\n'));
  const recording = await loadRecording(path);
  assert.throws(() => new OrderFlow({ recording }), { code: 'NO_SNAPSHOT' });
});

test('the real recordings load, and their book is met at every update', async () => {
  const data = resolve(process.env.HEDDLE_DATA ?? resolve(import.meta.dirname, '../../../shared/data'));
  const files = ['usdm_btcusdt_20240808.gz', 'spot_btcusdt_20240808.gz'].map((name) => join(data, 'market', name));
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) {
    console.log(`not checked: ${missing} is not there (folder: HEDDLE_DATA)`);
    return;
  }
  const [recording, reference] = (await Promise.all(files.map(loadRecording))) as [MarketRecording, MarketRecording];
  assert.equal(recording.error, undefined);
  assert.equal(reference.error, undefined);
  assert.equal(recording.venue, 'perpetual');
  assert.equal(reference.venue, 'spot');
  const { checker, flow, transactions } = await replayed({ recording, reference });
  assert.deepEqual(checker.described, []);
  // Four of the 6,551 updates are older than the snapshot.
  assert.equal(checker.bookChecks, 6547 + 2);
  assert.ok(transactions > 400_000);
  assert.ok(flow.counts.oracle > 100);
});
