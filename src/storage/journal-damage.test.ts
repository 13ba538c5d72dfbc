/**
 * A journal that somebody has damaged says so, and where; it never gives a wrong answer. Bits are flipped, sectors overwritten, files cut,
 * removed and exchanged, in a journal that was closed, and in one whose process was ended.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { Journal, type JournalBlock } from './journal.ts';
import { readSegmentHeader, SEGMENT_HEADER_BYTES, scanSegment, segmentHeader, writeEntry } from './journal-format.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { StorageError } from './storage-error.ts';

/** Raise for a longer look. */
const CASES = 4000;

const OPTIONS = { chainId: new Uint8Array(32).fill(9), segmentBytes: 2500 };
const BLOCKS = 40;

const body = (number: number): Uint8Array => {
  const random = new Random(number);
  return Uint8Array.from({ length: random.between(0, 400) }, () => random.below(number % 3 === 0 ? 3 : 256));
};

/** Groups of one to four blocks in some segments. */
async function madeJournal(closed: boolean): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const random = new Random(1);
  const journal = await Journal.open(disk, OPTIONS);
  for (let number = 1; number <= BLOCKS; ) {
    const count = Math.min(random.between(1, 4), BLOCKS - number + 1);
    await journal.append(Array.from({ length: count }, (_, i) => ({ number: number + i, body: body(number + i) })));
    number += count;
  }
  if (closed) await journal.close();
  return disk.restart();
}

interface Outcome {
  readonly error?: StorageError;
  readonly blocks: readonly JournalBlock[];
}

async function outcome(disk: SimulatedDisk, confirmed: number): Promise<Outcome> {
  const blocks: JournalBlock[] = [];
  try {
    const journal = await Journal.open(disk.restart(), { ...OPTIONS, confirmed });
    for await (const block of journal.read(journal.first)) blocks.push(block);
  } catch (error) {
    assert.ok(error instanceof StorageError, `${error}`);
    return { error, blocks };
  }
  return { blocks };
}

function damageRandomly(disk: SimulatedDisk, names: readonly string[], random: Random): { readonly name: string; readonly what: string } {
  const name = random.pick(names);
  const size = disk.content(name).length;
  const at = random.below(size);
  const what = random.weighted({ flip: 6, flips: 2, sector: 2, zeros: 1, cut: 2, inserted: 1, copied: 1, longer: 1 });
  disk.damage(name, (bytes) => {
    const changed = Uint8Array.from(bytes);
    const length = Math.min(random.between(1, 600), size - at);
    if (what === 'flip') changed[at] = (bytes[at] as number) ^ (1 << random.below(8));
    else if (what === 'flips') for (let i = 0; i < 8; i++) changed[random.below(size)] = random.below(256);
    else if (what === 'sector')
      changed.set(
        Uint8Array.from({ length }, () => random.below(256)),
        at,
      );
    else if (what === 'zeros') changed.fill(0, at, at + length);
    else if (what === 'cut') return changed.slice(0, at);
    else if (what === 'inserted') return Uint8Array.from([...bytes.subarray(0, at), random.below(256), ...bytes.subarray(at)]);
    else if (what === 'copied') changed.copyWithin(at & ~7, random.below(size) & ~7, size);
    else return Uint8Array.from([...bytes, ...Array.from({ length }, () => random.below(256))]);
    return changed;
  });
  return { name, what };
}

for (const closed of [true, false]) {
  test(`damage in a journal that was ${closed ? 'closed' : 'left open'} is found and named`, async () => {
    const whole = await madeJournal(closed);
    const names = (await whole.list()).filter((name) => name.startsWith('journal'));
    assert.ok(names.length >= 4);
    const random = new Random(closed ? 2 : 3);
    const found = { named: 0, harmless: 0, cut: 0 };
    for (let i = 0; i < CASES; i++) {
      const disk = whole.restart();
      const { name, what } = damageRandomly(disk, names, random);
      const context = `case ${i}: ${what} in ${name}`;
      const { error, blocks } = await outcome(disk, BLOCKS);
      const prefix = blocks.map((_, k) => ({ number: k + 1, body: body(k + 1) }));
      assert.deepEqual(blocks, prefix, `${context}: a wrong answer`);
      if (error === undefined) {
        // A changed mark, or bytes behind the last one: no block is affected.
        assert.equal(blocks.length, BLOCKS, context);
        found.harmless++;
      } else {
        assert.ok(['JOURNAL_DAMAGED', 'JOURNAL_GAP'].includes(error.code), `${context}: ${error.message}`);
        if (error.code === 'JOURNAL_DAMAGED')
          assert.ok(error.message.startsWith(`${name} is damaged at byte `), `${context}: ${error.message}`);
        found.named++;
      }
      // Without a store that knows what was confirmed only the end can be missing, and only as after a crash.
      const alone = await outcome(disk, 0);
      assert.deepEqual(
        alone.blocks,
        alone.blocks.map((_, k) => ({ number: k + 1, body: body(k + 1) })),
        context,
      );
      if (closed && what === 'flip') assert.ok(alone.error !== undefined || alone.blocks.length === BLOCKS, context);
      if (alone.error === undefined && alone.blocks.length < BLOCKS) {
        assert.equal(name, names.at(-1), context);
        found.cut++;
      }
    }
    assert.ok(found.named > CASES * 0.8 && found.harmless < CASES * 0.2 && found.cut < CASES * 0.2, JSON.stringify(found));
  });
}

test('segments that are missing, exchanged or renamed', async () => {
  const whole = await madeJournal(true);
  const names = (await whole.list()).filter((name) => name.startsWith('journal'));
  const [first, second, third] = names as [string, string, string];
  const changed = async (change: (disk: SimulatedDisk) => Promise<void>): Promise<string | undefined> => {
    const disk = whole.restart();
    await change(disk);
    return (await outcome(disk, BLOCKS)).error?.code;
  };
  assert.equal(await changed((disk) => disk.remove(second)), 'JOURNAL_GAP');
  assert.equal(await changed((disk) => disk.remove(names.at(-1) as string)), 'JOURNAL_DAMAGED');
  assert.equal(
    await changed(async (disk) => {
      for (const name of names) await disk.remove(name);
    }),
    'JOURNAL_GAP',
  );
  assert.equal(await changed((disk) => disk.rename(third, second)), 'JOURNAL_DAMAGED');
  const exchanged = async (disk: SimulatedDisk): Promise<void> => {
    await disk.rename(second, 'x');
    await disk.rename(third, second);
    await disk.rename('x', third);
  };
  assert.equal(await changed(exchanged), 'JOURNAL_DAMAGED');
  // The oldest may be missing: it may have been pruned.
  assert.equal(await changed((disk) => disk.remove(first)), undefined);
});

test('damage that comes after opening is found when it is read', async () => {
  const disk = await madeJournal(true);
  const journal = await Journal.open(disk, OPTIONS);
  const [, second] = (await disk.list()).filter((name) => name.startsWith('journal')) as [string, string];
  disk.damage(second, (bytes) => Uint8Array.from(bytes, (byte, i) => (i === 700 ? byte ^ 16 : byte)));
  let last = 0;
  const reading = async (): Promise<void> => {
    for await (const block of journal.read(1)) {
      assert.deepEqual(block, { number: last + 1, body: body(last + 1) });
      last++;
    }
  };
  await assert.rejects(reading, (error: StorageError) => error.code === 'JOURNAL_DAMAGED' && error.message.startsWith(second));
  assert.ok(last > 5 && last < BLOCKS);
});

test('opening and closing is enough for the last group to be vouched for', async () => {
  const disk = new SimulatedDisk();
  const journal = await Journal.open(disk, OPTIONS);
  await journal.append([1, 2].map((number) => ({ number, body: body(number) })));
  const flush = disk.trace.findLastIndex(({ step }) => step === 'sync');
  const left = SimulatedDisk.replay(disk.trace.slice(0, flush + 1));
  const [name] = await left.list();
  const flipped = left.restart();
  flipped.damage(name as string, (bytes) => Uint8Array.from(bytes, (byte, i) => (i === 120 ? byte ^ 1 : byte)));
  assert.deepEqual((await outcome(flipped, 0)).blocks, [], 'torn, for all that is known');
  await (await Journal.open(left, OPTIONS)).close();
  left.damage(name as string, (bytes) => Uint8Array.from(bytes, (byte, i) => (i === 120 ? byte ^ 1 : byte)));
  assert.equal((await outcome(left, 0)).error?.code, 'JOURNAL_DAMAGED');
});

test('another version of the journal', async () => {
  const disk = await madeJournal(true);
  const [name] = (await disk.list()).filter((candidate) => candidate.startsWith('journal')) as [string];
  const { crc32 } = await import('node:zlib');
  disk.damage(name, (bytes) => {
    const view = new DataView(bytes.buffer);
    view.setUint32(8, 2, true);
    view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
    return bytes;
  });
  const { error } = await outcome(disk, 0);
  assert.equal(error?.code, 'WRONG_VERSION');
  assert.match(error?.message ?? '', /version 2 .*open it with the release/);
});

test('an entry counts at its place in its segment only', () => {
  const chainId = new Uint8Array(32);
  const made = segmentHeader({ chainId, first: 1, salt: 5 });
  const other = segmentHeader({ chainId, first: 1, salt: 6 });
  const payload = { number: 1, bytes: new Uint8Array(24), bodyBytes: 24 };
  const bytes = new Uint8Array(64 + 64 + 64);
  const place = { base: 0, seed: made.seed, flushed: SEGMENT_HEADER_BYTES };
  bytes.set(made.bytes);
  writeEntry(bytes, 64, place, 1, payload);
  const scan = (seed: number, content = bytes.subarray(0, 128)): number => scanSegment(content, { first: 1, seed }).offsets.length;
  assert.equal(scan(made.seed), 1);
  assert.equal(scan(other.seed), 0);
  // Block 2, but written for another place.
  writeEntry(bytes, 128, { ...place, base: 8 }, 2, { ...payload, number: 2 });
  assert.equal(scan(made.seed, bytes), 1);
  writeEntry(bytes, 128, place, 2, { ...payload, number: 2 });
  assert.equal(scan(made.seed, bytes), 2);
  writeEntry(bytes, 128, place, 3, { ...payload, number: 3 });
  assert.equal(scanSegment(bytes, { first: 1, seed: made.seed }).wrong, 'block 3 in place of 2');
  assert.ok('seed' in readSegmentHeader(bytes));
});
