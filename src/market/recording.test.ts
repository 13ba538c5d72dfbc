/** What the reader makes of sound and of damaged recordings, in small files of its own. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { HeddleError } from '../base/errors.ts';
import { type RecordedEvent, readRecording } from './recording.ts';
import { sampleRecording } from './sample-recording.ts';

const folder = mkdtempSync(join(tmpdir(), 'recording-'));
after(() => rmSync(folder, { recursive: true }));

const LINES = sampleRecording({ updates: 40 });
const TEXT = `${LINES.join('\n')}\n`;

interface Reading {
  readonly events: RecordedEvent[];
  readonly error: HeddleError | undefined;
}

async function read(name: string, content: string | Uint8Array): Promise<Reading> {
  const path = join(folder, name);
  writeFileSync(path, content);
  return readPath(path);
}

async function readPath(path: string): Promise<Reading> {
  const events: RecordedEvent[] = [];
  try {
    for await (const event of readRecording(path)) events.push(event);
  } catch (error) {
    assert(error instanceof HeddleError, String(error));
    return { events, error };
  }
  return { events, error: undefined };
}

function indexOfDepth(n: number): number {
  return LINES.flatMap((line, index) => (line.includes('depthUpdate') ? [index] : []))[n] as number;
}

test('a recording reads the same plain, as gzip under any name, in several gzip members and with Windows line ends', async () => {
  const plain = await read('plain.txt', TEXT);
  assert.equal(plain.error, undefined);
  assert.ok(plain.events.length > 40);
  const zipped = gzipSync(TEXT);
  const members = Buffer.concat([gzipSync(TEXT.slice(0, 3000)), gzipSync(TEXT.slice(3000))]);
  for (const [name, content] of Object.entries({
    'a.gz': zipped,
    'a.txt': zipped,
    'b.gz': members,
    'c.txt': TEXT.replaceAll('\n', '\r\n'),
    'd.txt': TEXT.trimEnd(),
  })) {
    assert.deepEqual(await read(name, content), plain, name);
  }
});

test('updates start with the one that straddles the snapshot, and are in units of 10^-8', async () => {
  const { events } = await read('sample.txt', TEXT);
  const snapshot = events.find((event) => event.kind === 'snapshot');
  const depth = events.filter((event) => event.kind === 'depth');
  assert.ok(snapshot);
  // Of the three updates before the snapshot the first is contained in it.
  assert.equal(depth.length, 39);
  assert.equal(depth[0]?.lastUpdateId, snapshot.lastUpdateId);
  assert.ok(events.indexOf(depth[0] as RecordedEvent) > events.indexOf(snapshot));
  const line = JSON.parse((LINES[(snapshot.line as number) - 1] as string).slice(20));
  assert.equal(snapshot.bids[0], Number(line.bids[0][0]) * 1e8);
  assert.equal(snapshot.bids[1], Math.round(Number(line.bids[0][1]) * 1e8));
  assert.equal(snapshot.timeMicros, Number((LINES[snapshot.line - 1] as string).slice(0, 16)));
});

test('the taker of a trade whose buyer is the maker sells', async () => {
  const { events } = await read(
    'trades.txt',
    `${LINES[0]}\n1723161255088176367 {"stream":"x@trade","data":{"p":"61800.30","q":"0.006","m":true}}\n`,
  );
  const [trade] = events;
  assert.deepEqual(trade, {
    kind: 'trade',
    line: 2,
    timeMicros: 1723161255088176,
    price: 6_180_030_000_000,
    size: 600_000,
    takerSells: true,
  });
});

for (const venue of ['perpetual', 'spot'] as const) {
  test(`an update that is missing is found: ${venue}`, async () => {
    const lines = sampleRecording({ updates: 40, venue });
    const depth = lines.flatMap((line, index) => (line.includes('depthUpdate') ? [index] : []));
    const missing = depth[20] as number;
    const { events, error } = await read('gap.txt', lines.toSpliced(missing, 1).join('\n'));
    assert.equal(error?.code, 'OUT_OF_SEQUENCE');
    assert.match(error.message, new RegExp(`gap\\.txt: line ${depth[21] as number}: depth updates out of sequence`));
    // Of the 20 before, the one within the snapshot is left out; a spot snapshot contains the one that ends where it ends, too.
    assert.equal(events.filter(({ kind }) => kind === 'depth').length, venue === 'perpetual' ? 19 : 18);
  });
}

test('the first update after the snapshot must straddle it', async () => {
  const first = indexOfDepth(1);
  const second = indexOfDepth(2);
  const lines = LINES.filter((_, index) => index !== first && index !== second);
  const { events, error } = await read('straddle.txt', lines.join('\n'));
  assert.equal(error?.code, 'OUT_OF_SEQUENCE');
  assert.match(error.message, /the first depth update after the snapshot starts at \d+, but the snapshot ends at \d+/);
  assert.equal(events.filter(({ kind }) => kind === 'depth').length, 0);
});

test('damage ends the reading with one message and the line, after everything before it', async (t) => {
  const whole = await read('whole.txt', TEXT);
  const before = (line: number): number => whole.events.filter((event) => event.line < line).length;
  const cases: readonly { name: string; content: string | Uint8Array; code: string; line: number }[] = [
    { name: 'json.txt', content: LINES.with(29, '1723161255088176367 {"stream": nothing}').join('\n'), code: 'BAD_LINE', line: 30 },
    { name: 'text.txt', content: LINES.with(29, 'something else').join('\n'), code: 'BAD_LINE', line: 30 },
    { name: 'blank.txt', content: LINES.with(29, '').join('\n'), code: 'BAD_LINE', line: 30 },
    {
      name: 'field.txt',
      content: LINES.with(29, '1723161255088176367 {"stream":"x@trade","data":{"p":"1e5","q":"1","m":true}}').join('\n'),
      code: 'BAD_LINE',
      line: 30,
    },
    { name: 'half.txt', content: LINES.slice(0, 30).join('\n').slice(0, -20), code: 'TRUNCATED_LINE', line: 30 },
    { name: 'brace.txt', content: LINES.slice(0, 30).join('\n').slice(0, -1), code: 'TRUNCATED_LINE', line: 30 },
    { name: 'time.txt', content: `${LINES.slice(0, 29).join('\n')}\n172316`, code: 'TRUNCATED_LINE', line: 30 },
    { name: 'plain.gz', content: TEXT, code: 'NOT_GZIP', line: 1 },
    { name: 'binary.txt', content: Uint8Array.from({ length: 999 }, (_, i) => i & 0xff), code: 'BAD_LINE', line: 1 },
  ];
  for (const { name, content, code, line } of cases) {
    await t.test(name, async () => {
      const { events, error } = await read(name, content);
      assert(error);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, new RegExp(`${name}: line ${line}: `));
      assert.ok(!error.message.includes('\n'));
      assert.equal(events.length, before(line));
    });
  }
});

test('a gzip file that is cut off gives what it contains, then the line', async () => {
  const zipped = gzipSync(TEXT);
  const { events, error } = await read('cut.gz', zipped.subarray(0, zipped.length * 0.7));
  assert.equal(error?.code, 'TRUNCATED_GZIP');
  const line = Number(/line (\d+)/.exec(error.message)?.[1]);
  const whole = await read('whole.txt', TEXT);
  assert.ok(line > 20 && line < LINES.length, error.message);
  assert.deepEqual(
    events,
    whole.events.filter((event) => event.line < line),
  );
  // Without its trailer the content is whole, but nobody can know that.
  assert.equal((await read('trailer.gz', zipped.subarray(0, -4))).error?.code, 'TRUNCATED_GZIP');
  assert.equal((await read('head.gz', zipped.subarray(0, 5))).error?.code, 'TRUNCATED_GZIP');
});

test('damaged gzip data is an error of the file', async () => {
  const zipped = gzipSync(TEXT);
  zipped[zipped.length - 7] = (zipped[zipped.length - 7] as number) ^ 0xff;
  assert.equal((await read('checksum.gz', zipped)).error?.code, 'DAMAGED_GZIP');
});

test('empty, missing and unreadable files', async () => {
  assert.equal((await read('empty.txt', '')).error?.code, 'EMPTY_FILE');
  assert.equal((await read('empty.gz', gzipSync(''))).error?.code, 'EMPTY_FILE');
  assert.equal((await readPath(join(folder, 'nowhere.gz'))).error?.code, 'MISSING_FILE');
  assert.equal((await readPath(folder)).error?.code, 'UNREADABLE_FILE');
});
