/** The last change of each record, like a map that every change is put into. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PackedChanges, type RecordChange } from '../base/packed-changes.ts';
import { lastChanges } from './last-changes.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The naive twin. */
function lastOfEach(blocks: readonly (readonly RecordChange[])[]): Map<string, string | undefined> {
  const last = new Map<string, string | undefined>();
  for (const { key, value } of blocks.flat()) last.set(text(key), value && text(value));
  return last;
}

/** Keys that are parts of each other, and that differ in one byte. */
const key = fc.uint8Array({ minLength: 1, maxLength: 5, max: 2 });
const value = fc.option(fc.uint8Array({ maxLength: 3 }), { nil: undefined });
const block = fc.uniqueArray(fc.record({ key, value }), { selector: (change) => text(change.key), maxLength: 60 });

test('like a map, over random blocks in pieces of any size', () => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 8 }), fc.nat({ max: 20 }), (blocks, pieceChanges) => {
      const pieces = blocks.map((changes) => {
        const most = pieceChanges + 1;
        const parts = Array.from({ length: Math.ceil(changes.length / most) }, (_, i) => changes.slice(i * most, (i + 1) * most));
        return parts.flatMap((part) => PackedChanges.of(part).pieces);
      });
      const found = Array.from(lastChanges(pieces), (change) => [text(change.key), change.value && text(change.value)] as const);
      assert.deepEqual(
        found.toSorted(([a], [b]) => (a < b ? -1 : 1)),
        [...lastOfEach(blocks)].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      );
    }),
    { numRuns: 500 },
  );
});
