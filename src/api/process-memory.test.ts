/** Kinds of memory as Linux tells them, and nothing where it does not. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { memoryOfStatus, processMemory } from './process-memory.ts';

const KINDS = ['RssAnon:\t  164332 kB', 'RssFile:\t   69500 kB', 'RssShmem:\t       0 kB'];
const status = (kinds: readonly string[]): string =>
  ['Name:\tRssFile: 7 kB', 'VmRSS:\t  233832 kB', ...kinds, 'VmData:\t 1 kB', ''].join('\n');

test('the three kinds are told apart', () => {
  assert.deepEqual(memoryOfStatus(status(KINDS)), { anonymousBytes: 164332 * 1024, fileBytes: 69500 * 1024, sharedBytes: 0 });
});

test('without one of them nothing is said', () => {
  for (const missing of KINDS) assert.equal(memoryOfStatus(status(KINDS.filter((kind) => kind !== missing))), undefined);
  assert.equal(processMemory(2 ** 30), undefined);
});

test('memory that is touched is anonymous', { skip: existsSync('/proc/self/status') ? false : 'the system has no /proc' }, () => {
  const before = processMemory();
  const touched = Buffer.alloc(64 << 20, 1);
  const after = processMemory();
  assert.ok(before !== undefined && after !== undefined);
  assert.ok(after.anonymousBytes - before.anonymousBytes > touched.length / 2);
  assert.ok(after.fileBytes - before.fileBytes < touched.length / 2);
});
