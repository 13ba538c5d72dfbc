/** A part of a prepared block as a block of its own: for nodes that execute what has arrived so far. */
import { assert } from '../base/assert.ts';
import { KIND_ORDERS } from '../exchange/layout.ts';
import type { PreparedBlock } from '../execution/api.ts';
import { TX_FIRST_ITEM, TX_ITEMS, TX_KIND } from '../kernel/layout.ts';

/** Transactions `from` to `to` (excluded) of the block; `number` is the new block's. */
export function sliceBlock(block: PreparedBlock, from: number, to: number, number: number): PreparedBlock {
  assert(from >= 0 && from < to && to <= block.count, `transactions ${from} to ${to} of ${block.count}`);
  const start = block.offsets[from] as number;
  const bytes = block.bytes.slice(start, block.offsets[to] as number);
  const words = new Uint32Array(bytes.buffer);
  const offsets = new Uint32Array(to - from + 1);
  const firstItem = words[TX_FIRST_ITEM >>> 2] as number;
  for (let i = 0; i < to - from; i++) {
    const offset = (block.offsets[from + i] as number) - start;
    offsets[i] = offset;
    const item = (offset + TX_FIRST_ITEM) >>> 2;
    words[item] = (words[item] as number) - firstItem;
  }
  offsets[to - from] = bytes.byteLength;
  const items = to === block.count ? block.items - firstItem : itemsBefore(block, to) - firstItem;
  return { number, timeMs: block.timeMs, count: to - from, bytes, offsets, items };
}

/** Items of all transactions before the one at `index`. */
function itemsBefore(block: PreparedBlock, index: number): number {
  const at = block.offsets[index - 1] as number;
  const view = new DataView(block.bytes.buffer, block.bytes.byteOffset);
  const items = view.getUint8(at + TX_KIND) === KIND_ORDERS ? view.getUint16(at + TX_ITEMS, true) : 0;
  return view.getUint32(at + TX_FIRST_ITEM, true) + items;
}
