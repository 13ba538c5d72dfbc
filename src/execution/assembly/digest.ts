/**
 * Leaves of the lists that a header commits to: each transaction's receipt, and what it has accessed. Every worker takes some of the transactions, when
 * the block has ended and before keys are taken back.
 *
 *   receipt    u32 code, then the events
 *   accesses   in the order in which the transaction made them: u8 kind (TRACE_...), u8 bytes of the key, the key, of bits their u64 mask
 *
 * A record's key is that of the state tree. What a book knows of its levels has the class of bits, then u32 market, and u32 height, index and side of
 * the word; vaults have their index. Left out is what a node keeps to find accounts faster: the sets of accounts, and the record that is absent for ever.
 *
 * Invariant: the list depends on the transactions and the state before them, not on where this node keeps its records.
 */
import { CLAIM_DIGESTS, COM_DIGEST_COUNT, COM_DIGEST_NEXT, COM_PACKED_BYTES, LIST_ACCESSES, LIST_RECEIPTS } from '../../commitment/layout';
import { addToItem, beginItems, endItem, endItems, Items, leafAt } from '../../commitment/assembly/item-list';
import { marketAt } from '../../exchange/assembly/records';
import {
  CLASS_BITS,
  CLASS_INBOX,
  CLASS_LEVEL,
  CLASS_VAULT,
  EXC_INBOX,
  EXC_NULL,
  EXC_VAULTS,
  LEVEL_PAGE_BYTES,
  MKT_SUMMARY,
  MKT_TOP,
} from '../../exchange/layout';
import { addressOf, chunkTag } from '../../kernel/assembly/memory';
import { workerBlock } from '../../kernel/assembly/schedule';
import { BITS_INDEX, BLK_RECEIPTS, BLK_TRACES, CHUNK_BYTES, RECEIPT_BYTES, TRACE_BITS_READ, WRK_TRIAL } from '../../kernel/layout';
import { keyAt } from './collect';

/** Where an access is written in the worker's scratch, behind what hashes items; keys have room for two bytes in front and a mask behind. */
const ACCESS: u32 = 16384;
const ACCESS_KEY: u32 = ACCESS + 2;

/** Hashes receipts and accesses until all are hashed, also by others. */
export function digestPart(id: u32): void {
  const scratch = <usize>load<u32>(workerBlock(id), WRK_TRIAL);
  const items = changetype<Items>(scratch);
  const count = load<u32>(0, COM_DIGEST_COUNT);
  while (true) {
    const from = atomic.add<u32>(COM_DIGEST_NEXT, 1) * CLAIM_DIGESTS;
    if (from >= count) return;
    const to = min(from + CLAIM_DIGESTS, count);
    beginItems(items);
    for (let i = from; i < to; i++) digestReceipt(items, i);
    endItems(items);
    for (let i = from; i < to; i++) digestAccesses(items, i, scratch);
    endItems(items);
  }
}

function digestReceipt(items: Items, index: u32): void {
  const receipt = <usize>load<u32>(0, BLK_RECEIPTS) + <usize>index * RECEIPT_BYTES;
  addToItem(items, receipt, 4);
  addToItem(items, load<u32>(receipt, 4), load<u32>(receipt, 8));
  endItem(items, leafAt(LIST_RECEIPTS, index));
}

function digestAccesses(items: Items, index: u32, scratch: usize): void {
  const row = <usize>load<u32>(0, BLK_TRACES) + ((<usize>index) << 3);
  const end = <usize>load<u32>(row) + load<u32>(row, 4);
  const absent = load<u32>(0, EXC_NULL) >> 5;
  for (let at = <usize>load<u32>(row); at < end; at += 4) {
    const entry = load<u32>(at);
    const location = entry >> 3;
    const kind = entry & 7;
    const hasMask = kind >= TRACE_BITS_READ;
    const keyBytes = location == absent ? 0 : accessKey(location, scratch + ACCESS_KEY);
    if (keyBytes != 0) {
      store<u8>(scratch + ACCESS, <u8>kind);
      store<u8>(scratch + ACCESS, <u8>keyBytes, 1);
      if (hasMask) store<u64>(scratch + ACCESS_KEY + keyBytes, load<u64>(at, 4));
      addToItem(items, scratch + ACCESS, 2 + keyBytes + (hasMask ? 8 : 0));
    }
    if (hasMask) at += 8;
  }
  endItem(items, leafAt(LIST_ACCESSES, index));
}

/** The key of what lies at a location; its length, 0 for what is not listed. */
function accessKey(location: u32, data: usize): u32 {
  const tag = chunkTag(location);
  const recordClass = tag & 0xff;
  if (recordClass == CLASS_BITS) return summaryKey(location, tag >> 16, data);
  if (recordClass == CLASS_LEVEL) {
    const address = addressOf(location);
    const page = address - ((address % CHUNK_BYTES) % LEVEL_PAGE_BYTES);
    const index = <u32>(address - page) >> 5;
    return index < 2 ? bitsKey(data, (tag >> 16) - 1, 0, load<u32>(page, BITS_INDEX), index) : keyAt(location, tag, data);
  }
  if (recordClass == CLASS_VAULT) return indexKey(data, recordClass, (location - (load<u32>(0, EXC_VAULTS) >> 5)) >> 1);
  if (recordClass == CLASS_INBOX) return indexKey(data, recordClass, location - load<u32>(0, EXC_INBOX));
  return keyAt(location, tag, data);
}

/** Words of the sets of accounts have no home. */
function summaryKey(location: u32, home: u32, data: usize): u32 {
  if (home == 0) return 0;
  const market = changetype<usize>(marketAt(home - 1));
  let height = load<u32>(market, MKT_TOP);
  while (height > 1 && location < load<u32>(market + (height << 2), MKT_SUMMARY)) height--;
  const index = location - load<u32>(market + (height << 2), MKT_SUMMARY);
  return bitsKey(data, home - 1, height, index >> 1, index & 1);
}

function bitsKey(data: usize, market: u32, height: u32, index: u32, side: u32): u32 {
  store<u8>(data, <u8>CLASS_BITS);
  store<u32>(data, bswap<u32>(market), 1);
  store<u32>(data, bswap<u32>(height), 5);
  store<u32>(data, bswap<u32>(index), 9);
  store<u32>(data, bswap<u32>(side), 13);
  return 17;
}

function indexKey(data: usize, recordClass: u32, index: u32): u32 {
  store<u8>(data, <u8>recordClass);
  store<u32>(data, bswap<u32>(index), 1);
  return 5;
}

/**
 * Copies receipts `from` and on, below `count`, one behind the other to `to`, each behind its length as a u32, as far as `room` bytes go; returns the
 * first that was not copied, and how many bytes were in COM_PACKED_BYTES.
 */
export function packReceipts(from: u32, count: u32, to: usize, room: u32): u32 {
  const start = to;
  let index = from;
  for (; index < count; index++) {
    const receipt = <usize>load<u32>(0, BLK_RECEIPTS) + <usize>index * RECEIPT_BYTES;
    const bytes = load<u32>(receipt, 8);
    if (<u32>(to - start) + 8 + bytes > room) break;
    store<u32>(to, 4 + bytes);
    store<u32>(to, load<u32>(receipt), 4);
    memory.copy(to + 8, load<u32>(receipt, 4), bytes);
    to += 8 + bytes;
  }
  store<u32>(0, <u32>(to - start), COM_PACKED_BYTES);
  return index;
}
