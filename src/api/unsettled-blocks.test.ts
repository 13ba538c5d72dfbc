/** The oldest block that is not settled is the one that counts, however many have come since. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnsettledBlocks } from './unsettled-blocks.ts';

test('many blocks that settle soon are no old block, and one that does not is', () => {
  const blocks = new UnsettledBlocks();
  assert.equal(blocks.oldestMs(5), 0);
  for (let height = 1; height <= 1000; height++) blocks.confirmed(height, height);
  assert.equal(blocks.oldestMs(1000), 999);
  for (let height = 1; height <= 500; height++) assert.equal(blocks.settled(height, 1001), 1001 - height);
  assert.equal(blocks.oldestMs(1001), 500);
  assert.equal(blocks.oldestMs(9000), 8499);
  for (let height = 501; height <= 1000; height++) blocks.settled(height, 9000);
  assert.equal(blocks.oldestMs(9000), 0);
  // One that was executed again at a start.
  assert.equal(blocks.settled(1001, 9000), undefined);
});
