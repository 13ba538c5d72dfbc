/**
 * Whatever the moment at which power fails and whatever the disk keeps of what was not flushed: what was confirmed is there, once, in order,
 * and what is there is what was appended. Scenarios of appends, prunings and reopenings run on the simulated disk and are cut at every
 * write and every flush.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { Journal, type JournalBlock, type JournalOptions } from './journal.ts';
import { type DiskStep, SimulatedDisk } from './simulated-disk.ts';
import type { StorageError } from './storage-error.ts';

/** Raise for a longer look. */
const SCENARIOS = 12;
/** What the disk may leave is tried so often at each cut. */
const VARIANTS = 6;

const CHAIN = new Uint8Array(32).fill(7);
const OPTIONS: JournalOptions = { chainId: CHAIN, segmentBytes: 3000 };

/** Bodies follow from the number and the salt, so that a wrong one is seen; some are compressible, some empty, some many sectors long. */
function body(number: number, salt: number): Uint8Array {
  const random = new Random(number * 1000 + salt);
  const length = random.weighted({ none: 1, short: 8, long: 2 });
  const bytes = length === 'none' ? 0 : length === 'short' ? random.between(1, 200) : random.between(500, 2500);
  const range = random.pick([2, 256]);
  return Uint8Array.from({ length: bytes }, () => random.below(range));
}

interface Scenario {
  readonly trace: readonly DiskStep[];
  readonly salt: number;
  /** The last block appended when so many steps had been done. */
  readonly appended: { readonly steps: number; readonly number: number }[];
  /** The last block confirmed at that time. */
  readonly confirmed: { readonly steps: number; readonly number: number }[];
  /** Blocks below this might be pruned. */
  readonly pruned: { readonly steps: number; readonly below: number }[];
}

async function runScenario(seed: number): Promise<Scenario> {
  const random = new Random(seed);
  const disk = new SimulatedDisk();
  const scenario: Scenario = { trace: disk.trace, salt: seed, appended: [], confirmed: [], pruned: [] };
  let journal = await Journal.open(disk, OPTIONS);
  let next = 1;
  const flights = new Set<Promise<void>>();
  for (let i = 0; i < 24; i++) {
    const action = random.weighted({ append: 10, wait: 5, prune: 1, reopen: 1 });
    if (action === 'append') {
      const blocks: JournalBlock[] = Array.from({ length: random.between(1, 3) }, () => ({ number: next, body: body(next++, seed) }));
      const last = next - 1;
      scenario.appended.push({ steps: disk.trace.length, number: last });
      const flight = journal.append(blocks).then(() => {
        const flush = disk.trace.findLastIndex(({ step }) => step === 'sync');
        scenario.confirmed.push({ steps: flush + 1, number: last });
        flights.delete(flight);
      });
      flights.add(flight);
    } else if (action === 'wait') {
      await Promise.all(flights);
    } else if (action === 'prune') {
      const below = random.between(1, next);
      scenario.pruned.push({ steps: disk.trace.length, below });
      await journal.prune(below);
    } else {
      await journal.close();
      journal = await Journal.open(disk, OPTIONS);
      assert.equal(journal.last, next - 1);
    }
  }
  await Promise.all(flights);
  await journal.close();
  return scenario;
}

async function contentOf(journal: Journal): Promise<JournalBlock[]> {
  return Array.fromAsync(journal.read(journal.first));
}

/** What holds after a crash behind so many steps; returns what was found. */
function checkContent(scenario: Scenario, steps: number, first: number, blocks: readonly JournalBlock[]): void {
  const upTo = (list: readonly { readonly steps: number; readonly number: number }[], at: number): number =>
    Math.max(0, ...list.filter((entry) => entry.steps <= at).map(({ number }) => number));
  const below = Math.max(1, ...scenario.pruned.filter((entry) => entry.steps <= steps).map((entry) => entry.below));
  assert.ok(first <= below, `blocks before ${first} are gone, pruned were those before ${below}`);
  blocks.forEach((block, i) => {
    assert.equal(block.number, first + i, 'in order, without gaps, none twice');
    assert.deepEqual(block.body, body(block.number, scenario.salt));
  });
  const last = first + blocks.length - 1;
  assert.ok(last >= upTo(scenario.confirmed, steps), `block ${upTo(scenario.confirmed, steps)} was confirmed, the last one is ${last}`);
  assert.ok(last <= upTo(scenario.appended, steps), `block ${last} had not been appended`);
}

async function checkCut(scenario: Scenario, trace: readonly DiskStep[], steps: number, random: Random): Promise<void> {
  const disk = SimulatedDisk.replay(trace.slice(0, steps));
  const check = async (left: SimulatedDisk): Promise<JournalBlock[]> => {
    const journal = await Journal.open(left, OPTIONS);
    const blocks = await contentOf(journal);
    checkContent(scenario, steps, journal.first, blocks);
    return blocks;
  };
  const goOn = async (left: SimulatedDisk, blocks: readonly JournalBlock[]): Promise<void> => {
    const journal = await Journal.open(left, OPTIONS);
    const more = [1, 2].map((i) => ({ number: journal.last + i, body: new Uint8Array(100 * i).fill(i) }));
    for (const block of more) await journal.append([block]);
    const again = await Journal.open(left.crash(random), { ...OPTIONS, confirmed: journal.last });
    assert.deepEqual(await contentOf(again), [...blocks, ...more]);
  };
  for (let i = 0; i < VARIANTS; i++) {
    const left = disk.crash(random);
    const before = left.restart();
    const blocks = await check(left);
    // Power fails again while the journal is opened, or just after: what has been read once stays.
    const recovery = left.trace.slice();
    for (let step = 0; step <= recovery.length; step++) {
      const again = before.restart();
      for (const done of recovery.slice(0, step)) again.redo(done);
      const found = await check(again.crash(random));
      if (step === recovery.length && blocks.length > 0) assert.deepEqual(found, blocks);
    }
    await goOn(before, blocks);
  }
  // The process ends, the machine goes on, power fails later: what the next process has read stays.
  const next = disk.restart();
  const read = await check(next);
  assert.deepEqual(await check(next.crash(random)), read);
}

for (let seed = 1; seed <= SCENARIOS; seed++) {
  test(`power fails at every step of scenario ${seed}`, async () => {
    const scenario = await runScenario(seed);
    const random = new Random(seed + 1000);
    for (let steps = 0; steps <= scenario.trace.length; steps++) await checkCut(scenario, scenario.trace, steps, random);
  });
}

test('canary: a disk that does not flush loses what was confirmed', async () => {
  const scenario = await runScenario(1);
  const random = new Random(5);
  let losses = 0;
  for (let steps = 0; steps <= scenario.trace.length; steps++) {
    const trace = scenario.trace.slice(0, steps).filter(({ step }) => step !== 'sync');
    try {
      const journal = await Journal.open(SimulatedDisk.replay(trace).crash(random), OPTIONS);
      checkContent(scenario, steps, journal.first, await contentOf(journal));
    } catch {
      losses++;
    }
  }
  assert.ok(losses > 10, `${losses} losses`);
});

test('appends that come during a flush share the next one', async () => {
  const disk = new SimulatedDisk();
  const journal = await Journal.open(disk, OPTIONS);
  const syncs = (): number => disk.trace.filter(({ step }) => step === 'sync').length;
  const before = syncs();
  const order: number[] = [];
  const appends = Array.from({ length: 100 }, (_, i) =>
    journal.append([{ number: i + 1, body: new Uint8Array(3) }]).then(() => order.push(i + 1)),
  );
  await Promise.all(appends);
  assert.equal(syncs() - before, 2);
  assert.deepEqual(
    order,
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  assert.equal(journal.last, 100);
  await journal.append([]);
  await journal.close();
});

test('reads from any block, also while blocks are appended', async () => {
  const journal = await Journal.open(new SimulatedDisk(), OPTIONS);
  for (let number = 1; number <= 60; number++) await journal.append([{ number, body: body(number, 0) }]);
  for (const from of [1, 17, 60, 61]) {
    const numbers: number[] = [];
    let next = journal.last + 1;
    for await (const block of journal.read(from)) {
      assert.deepEqual(block.body, body(block.number, 0));
      numbers.push(block.number);
      if (numbers.length % 7 === 0) await journal.append([{ number: next, body: body(next++, 0) }]);
    }
    assert.deepEqual(
      numbers,
      Array.from({ length: Math.max(0, 61 - from) }, (_, i) => from + i).concat(numbers.filter((number) => number > 60)),
    );
  }
  await journal.close();
});

test('prunes whole segments and keeps the rest', async () => {
  const disk = new SimulatedDisk();
  const journal = await Journal.open(disk, OPTIONS);
  for (let number = 1; number <= 60; number++) await journal.append([{ number, body: body(number, 0) }]);
  await Promise.all([journal.prune(20), journal.prune(40)]);
  assert.ok(journal.first > 20 && journal.first <= 40);
  assert.deepEqual((await contentOf(journal)).length, 61 - journal.first);
  await rejects(Array.fromAsync(journal.read(5)), 'JOURNAL_PRUNED', /begins with/);
  await journal.prune(1000);
  assert.equal(journal.last, 60);
  const { first } = journal;
  await journal.close();
  const reopened = await Journal.open(disk, { ...OPTIONS, confirmed: 60 });
  assert.equal(reopened.first, first);
  assert.equal(reopened.last, 60);
  await reopened.append([{ number: 61, body: body(61, 0) }]);
  await reopened.close();
});

test('power fails while segments are removed: those that are left follow each other', async () => {
  const disk = new SimulatedDisk();
  const options = { ...OPTIONS, segmentBytes: 400 };
  const journal = await Journal.open(disk, options);
  for (let number = 1; number <= 40; number++) await journal.append([{ number, body: body(number, 0) }]);
  const from = disk.trace.length;
  await journal.prune(38);
  assert.ok(disk.trace.length > from + 20);
  const random = new Random(4);
  for (let steps = from; steps <= disk.trace.length; steps++) {
    for (let i = 0; i < VARIANTS; i++) {
      const left = await Journal.open(SimulatedDisk.replay(disk.trace.slice(0, steps)).crash(random), { ...options, confirmed: 40 });
      assert.ok(left.first <= 38);
      assert.equal((await contentOf(left)).length, 41 - left.first);
    }
  }
});

test('a new journal can follow on any block', async () => {
  const journal = await Journal.open(new SimulatedDisk(), { ...OPTIONS, after: 500, confirmed: 500 });
  assert.equal(journal.first, 501);
  assert.equal(journal.last, 500);
  assert.throws(() => journal.append([{ number: 500, body: new Uint8Array() }]), /assertion failed/);
  await journal.append([{ number: 501, body: new Uint8Array() }]);
  await journal.close();
});

// --- Disks that fail ----------------------------------------------------------------------------------------------------------------

async function rejects(promise: Promise<unknown>, code: StorageError['code'], message = /./): Promise<void> {
  await assert.rejects(promise, (error: StorageError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

const FAULTS = [
  ['append', 'ENOSPC', 'DISK_FULL'],
  ['append', 'EIO', 'DISK_FAILED'],
  ['sync', 'EIO', 'DISK_FAILED'],
  ['sync', 'ENOSPC', 'DISK_FULL'],
  ['create', 'ENOSPC', 'DISK_FULL'],
  ['create', 'EACCES', 'NO_PERMISSION'],
  ['rename', 'EIO', 'DISK_FAILED'],
  ['syncFolder', 'EIO', 'DISK_FAILED'],
] as const;

for (const [operation, fault, code] of FAULTS) {
  test(`${fault} in ${operation}: nothing confirmed is lost, and the error says what to do`, async () => {
    const random = new Random(3);
    for (let skip = 0; skip < 40; skip++) {
      const disk = new SimulatedDisk();
      const journal = await Journal.open(disk, OPTIONS);
      disk.fail(operation, fault, skip);
      let confirmed = 0;
      let failed: StorageError | undefined;
      for (let number = 1; number <= 30 && failed === undefined; number += 2) {
        const pair = [number, number + 1].map((n) => journal.append([{ number: n, body: body(n, 0) }]));
        for (const result of await Promise.allSettled(pair)) {
          if (result.status === 'fulfilled') confirmed++;
          else failed ??= result.reason;
        }
      }
      if (failed === undefined) break; // It did not come to so many of these operations.
      assert.ok(failed.code === code || failed.code === 'JOURNAL_STOPPED', failed.message);
      await rejects(journal.append([{ number: 99, body: new Uint8Array() }]), 'JOURNAL_STOPPED', /the disk|not permitted/);
      await journal.close();
      // The next process of this machine, and after that a loss of power.
      const next = disk.restart();
      const second = await Journal.open(next, { ...OPTIONS, confirmed });
      const blocks = await contentOf(second);
      assert.deepEqual(
        blocks,
        blocks.map((_, i) => ({ number: i + 1, body: body(i + 1, 0) })),
      );
      const third = await Journal.open(next.crash(random), { ...OPTIONS, confirmed });
      assert.deepEqual(await contentOf(third), blocks);
      await third.append([{ number: third.last + 1, body: new Uint8Array(9) }]);
    }
  });
}

test('a folder that cannot be read, or is in use, or belongs to others', async () => {
  const disk = new SimulatedDisk();
  disk.fail('list', 'EACCES');
  await rejects(Journal.open(disk, OPTIONS), 'NO_PERMISSION');
  disk.fail('create', 'ENOSPC');
  await rejects(Journal.open(disk, OPTIONS), 'DISK_FULL');
  const journal = await Journal.open(disk, OPTIONS);
  await rejects(Journal.open(disk, OPTIONS), 'FOLDER_LOCKED');
  await journal.append([{ number: 1, body: new Uint8Array(100) }]);
  await journal.close();
  await journal.close();
  await rejects(journal.append([{ number: 2, body: new Uint8Array() }]), 'JOURNAL_STOPPED');
  await rejects(Journal.open(disk, { ...OPTIONS, chainId: new Uint8Array(32) }), 'WRONG_CHAIN', /07070707/);
  disk.fail('read', 'EIO');
  await rejects(Journal.open(disk, OPTIONS), 'DISK_FAILED');
  const again = await Journal.open(disk, { ...OPTIONS, confirmed: 1 });
  assert.equal(again.last, 1);
});
