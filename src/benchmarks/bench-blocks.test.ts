import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIF_GTC } from '../exchange/layout.ts';
import type { PreparedBlock } from '../execution/api.ts';
import { PreparedBlockWriter } from '../execution/prepared-block.ts';
import { TX_FIRST_ITEM, TX_KIND } from '../kernel/layout.ts';
import * as B from '../synthetic/layout.ts';
import { chainBlock, hotBlock, syntheticBlock, transferBlock } from './bench-blocks.ts';
import { sliceBlock } from './block-slice.ts';

function transactions(block: PreparedBlock): DataView[] {
  assert.equal(block.offsets.length, block.count + 1);
  assert.equal(block.offsets[block.count], block.bytes.byteLength);
  return Array.from({ length: block.count }, (_, i) => {
    const start = block.offsets[i] as number;
    assert.equal(start % 8, 0);
    return new DataView(block.bytes.buffer, block.bytes.byteOffset + start, (block.offsets[i + 1] as number) - start);
  });
}

test('transfers are between two accounts that exist, and the seed decides', () => {
  const block = transferBlock(500, 3, 'wide', 4);
  const used = new Set<number>();
  for (const view of transactions(block)) {
    const [from, to] = [view.getUint32(B.BENCH_FROM, true), view.getUint32(B.BENCH_TO, true)];
    assert.equal(view.getUint8(TX_KIND), B.KIND_BENCH_TRANSFER);
    assert.notEqual(from, to);
    assert.ok(from < 3 && to < 3);
    assert.equal(view.getUint32(B.BENCH_WIDE, true), 1);
    used.add(from * 3 + to);
  }
  assert.equal(used.size, 6);
  assert.deepEqual(transferBlock(500, 3, 'wide', 4), block);
  assert.notDeepEqual(transferBlock(500, 3, 'wide', 5).bytes, block.bytes);
});

test('synthetic transactions have up to nine reads and writes, half of them kept', () => {
  const block = syntheticBlock(4000, 100, 1);
  let accesses = 0;
  for (const view of transactions(block)) {
    const [reads, writes] = [view.getUint16(B.BENCH_READS, true), view.getUint16(B.BENCH_WRITES, true)];
    assert.ok(reads <= 9 && writes <= 9);
    accesses += reads + writes;
    const cells = Array.from({ length: reads }, (_, i) => view.getUint32(B.BENCH_INDICES + i * 4, true));
    assert.equal(new Set(cells).size, reads);
    assert.ok(cells.every((cell) => cell < 100));
  }
  assert.ok(Math.abs(accesses / 4000 - 5) < 0.2, `${accesses / 4000} accesses a transaction`);
});

test('a chain reads what the one before wrote', () => {
  transactions(chainBlock(10)).forEach((view, i) => {
    assert.equal(view.getUint16(B.BENCH_READS, true), i === 0 ? 0 : 1);
    assert.equal(view.getUint16(B.BENCH_WRITES, true), 1);
    if (i > 0) assert.equal(view.getUint32(B.BENCH_INDICES, true), i - 1);
    assert.equal(view.getUint32(B.BENCH_INDICES + (i === 0 ? 0 : 4), true), i);
  });
});

test('a hot counter is added to in two ways', () => {
  for (const [operation, kind] of [
    ['accumulate', B.KIND_BENCH_ADD],
    ['read and write', B.KIND_BENCH_READ_ADD],
  ] as const) {
    for (const view of transactions(hotBlock(20, operation, 1))) {
      assert.equal(view.getUint8(TX_KIND), kind);
      assert.equal(view.getUint32(B.BENCH_COUNTER, true), 0);
      assert.ok(view.getBigInt64(B.BENCH_DELTA, true) > 0n);
    }
  }
});

test('slices of a block are what a writer would have written', () => {
  const write = (from: number, to: number, number: number): PreparedBlock => {
    const writer = new PreparedBlockWriter();
    for (let i = from; i < to; i++) {
      writer.beginOrders(i);
      for (let item = 0; item <= i % 3; item++) writer.placeItem({ market: 0, sell: false, tif: TIF_GTC, priceTicks: 10 + i, sizeLots: 1 });
      writer.endOrders();
      if (i % 4 === 0)
        writer.oracle(0, [
          { market: 0, spotTicks: i + 1 },
          { market: 0, spotTicks: i + 2 },
        ]);
    }
    return writer.finish(number, 5);
  };
  const block = write(1, 30, 7);
  // Transaction boundaries of the writer's steps 1..k.
  const after = (step: number): number => step - 1 + Math.floor((step - 1) / 4);
  for (const [from, to] of [
    [1, 30],
    [1, 2],
    [4, 9],
    [11, 30],
    [29, 30],
  ] as const) {
    assert.deepEqual(sliceBlock(block, after(from), after(to), 9), write(from, to, 9));
  }
  for (const view of transactions(sliceBlock(block, 3, 5, 1)).slice(0, 1)) assert.equal(view.getUint32(TX_FIRST_ITEM, true), 0);
});
