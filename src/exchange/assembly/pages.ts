/**
 * Pages of records that are made when they may be needed: positions by four markets, orders and their extras by eight slots, TWAPs.
 *
 * Thread 0 makes them, at admission and between the runs of a block, so directories are constant while transactions run and what a
 * location is never depends on a transaction. A page stays with its account until the account becomes dormant; then others get it.
 */
import { takeChunks } from '../../kernel/assembly/memory';
import { BLK_NUMBER, CHUNK_BYTES, REG_PAGE_OWNERS } from '../../kernel/layout';
import {
  CLASS_EXTRA,
  CLASS_ORDER,
  CLASS_POSITION,
  CLASS_TWAP,
  DIR_BLOCK,
  DIR_BYTES,
  DIR_FIRST,
  DIR_FIRST_EXTRAS,
  DIR_PROMISED,
  DIR_SLOTS,
  DIR_TABLE,
  DIR_TWAPS,
  EXC_FREE_PAGES,
  EXC_ORDER_SLOTS,
  EXC_POOL_EXTRAS,
  EXC_POOL_ORDERS,
  EXC_POOL_POSITIONS,
  EXC_POOL_TABLES,
  EXC_POOL_TWAPS,
  EXC_POSITION_PAGES,
} from '../layout';
import { committed, directoryAt, MarginAccount, marginAccountAt, positionEntry } from './records';

const POSITION_PAGE: u32 = 256;
const ORDER_PAGE: u32 = 512;

@inline
function freeList(pool: u32): u32 {
  return EXC_FREE_PAGES + ((pool - EXC_POOL_POSITIONS) >> 1);
}

/** Takes back a page whose records are absent. */
function givePage(pool: u32, page: u32, bytes: u32): void {
  if (page == 0) return;
  memory.fill(page, 0, bytes);
  store<u32>(page, load<u32>(freeList(pool)));
  store<u32>(freeList(pool), page);
}

/** `bytes` from a pool whose words are at `pool`: u32 next, u32 left; 0 when the memory is full. */
function takePage(pool: u32, bytes: u32, recordClass: u32): u32 {
  const free = load<u32>(freeList(pool));
  if (free != 0) {
    store<u32>(freeList(pool), load<u32>(free));
    store<u32>(free, 0);
    return free;
  }
  let left = load<u32>(pool, 4);
  if (left < bytes) {
    const chunk = takeChunks((bytes + CHUNK_BYTES - 1) / CHUNK_BYTES, recordClass, 64, 0);
    if (chunk == 0) return 0;
    store<u32>(pool, <u32>chunk);
    left = ((bytes + CHUNK_BYTES - 1) / CHUNK_BYTES) * CHUNK_BYTES;
  }
  const page = load<u32>(pool);
  store<u32>(pool, page + bytes);
  store<u32>(pool, left - bytes, 4);
  return page;
}

/** Notes whose records a page holds, and which is its first: for the state tree, which finds keys by locations. */
function ownPage(page: u32, account: u32, first: u32): void {
  const owners = <usize>load<u32>(0, REG_PAGE_OWNERS);
  if (owners == 0) return;
  store<u32>(owners + ((<usize>(page >> 8)) << 3), account);
  store<u32>(owners + ((<usize>(page >> 8)) << 3), first, 4);
}

/** Makes sure that an account has the page of a market's position. False: the memory is full. */
export function ensurePosition(account: u32, market: u32): bool {
  const entry = positionEntry(account, market);
  if (load<u32>(entry) != 0) return true;
  const page = takePage(EXC_POOL_POSITIONS, POSITION_PAGE, CLASS_POSITION);
  if (page == 0) return false;
  store<u32>(entry, page);
  ownPage(page, account, market & ~3);
  return true;
}

/**
 * Makes sure that `count` more orders of an account find slots with pages in this block: with the lowest free slot taken first, no slot
 * beyond (open orders at the start of the block + orders placed in it) is ever used.
 */
export function ensureSlots(account: u32, count: u32): bool {
  const directory = directoryAt(account);
  const block = load<u64>(0, BLK_NUMBER);
  let promised = load<u32>(directory, DIR_PROMISED);
  if (load<u64>(directory, DIR_BLOCK) != block) {
    promised = committed<MarginAccount>(marginAccountAt(account)).openOrders;
    store<u64>(directory, block, DIR_BLOCK);
  }
  promised = min(promised + count, load<u32>(0, EXC_ORDER_SLOTS));
  store<u32>(directory, promised, DIR_PROMISED);
  return ensureSlotPages(account, promised);
}

function addSlots(account: u32, directory: usize): bool {
  const slots = load<u32>(directory, DIR_SLOTS);
  const orders = takePage(EXC_POOL_ORDERS, ORDER_PAGE, CLASS_ORDER);
  const extras = takePage(EXC_POOL_EXTRAS, ORDER_PAGE, CLASS_EXTRA);
  if (orders == 0 || extras == 0) return false;
  ownPage(orders, account, slots);
  ownPage(extras, account, slots);
  if (slots == 0) {
    store<u32>(directory, orders, DIR_FIRST);
    store<u32>(directory, extras, DIR_FIRST_EXTRAS);
  } else {
    if (load<u32>(directory, DIR_TABLE) == 0) {
      const table = takePage(EXC_POOL_TABLES, load<u32>(0, EXC_ORDER_SLOTS), 0);
      if (table == 0) return false;
      store<u32>(directory, table, DIR_TABLE);
    }
    const entry = <usize>load<u32>(directory, DIR_TABLE) + slots;
    store<u32>(entry, orders);
    store<u32>(entry, extras, 4);
  }
  store<u32>(directory, slots + 8, DIR_SLOTS);
  return true;
}

/** Makes sure that an account's slots below `count` have pages. */
export function ensureSlotPages(account: u32, count: u32): bool {
  const directory = directoryAt(account);
  while (load<u32>(directory, DIR_SLOTS) < count) if (!addSlots(account, directory)) return false;
  return true;
}

export function ensureTwaps(account: u32): bool {
  const directory = directoryAt(account);
  if (load<u32>(directory, DIR_TWAPS) != 0) return true;
  const page = takePage(EXC_POOL_TWAPS, ORDER_PAGE, CLASS_TWAP);
  if (page == 0) return false;
  store<u32>(directory, page, DIR_TWAPS);
  ownPage(page, account, 0);
  return true;
}

/** Takes back all pages of an account, none of whose records in them is present, when what the block has written is collected. */
export function freePages(account: u32): void {
  const pages = load<u32>(0, EXC_POSITION_PAGES);
  for (let page: u32 = 0; page < pages; page++) {
    const entry = positionEntry(account, page << 2);
    givePage(EXC_POOL_POSITIONS, load<u32>(entry), POSITION_PAGE);
    store<u32>(entry, 0);
  }
  const directory = directoryAt(account);
  const slots = load<u32>(directory, DIR_SLOTS);
  const table = load<u32>(directory, DIR_TABLE);
  givePage(EXC_POOL_ORDERS, load<u32>(directory, DIR_FIRST), ORDER_PAGE);
  givePage(EXC_POOL_EXTRAS, load<u32>(directory, DIR_FIRST_EXTRAS), ORDER_PAGE);
  for (let slot: u32 = 8; slot < slots; slot += 8) {
    givePage(EXC_POOL_ORDERS, load<u32>(table + slot), ORDER_PAGE);
    givePage(EXC_POOL_EXTRAS, load<u32>(table + slot, 4), ORDER_PAGE);
  }
  givePage(EXC_POOL_TABLES, table, load<u32>(0, EXC_ORDER_SLOTS));
  givePage(EXC_POOL_TWAPS, load<u32>(directory, DIR_TWAPS), ORDER_PAGE);
  memory.fill(directory, 0, DIR_BYTES);
}
