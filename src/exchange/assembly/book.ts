/**
 * Price levels of one market: where they lie, finding the best, entering and leaving the queue.
 *
 * A page holds 64 levels and, for each side, one word with a bit per level that has orders; summary words above have a bit per word
 * below. Summary bits are only set within a block and cleaned at its end (`cleanSummaries`), so they may promise more than there is:
 * a search then goes on behind. That way two orders at different levels share no record.
 *
 * Invariant: a level's bit is set exactly when its record is present; a summary bit is set if anything below it is.
 */
import { addressOf, locationOf, takeChunks } from '../../kernel/assembly/memory';
import { isPresent, markPresent, remove } from '../../kernel/assembly/record';
import { BITS_INDEX, BITS_TAG, BITS_WORD, CHUNK_BYTES, CTL_EMPTY_COUNT, REG_EMPTY, REG_LIST_MAX } from '../../kernel/layout';
import { CLASS_LEVEL, EXC_MARKET_COUNT, LEVEL_PAGE_BYTES } from '../layout';
import { Level, Market, marketAt, Order, orderAt } from './records';

export const BIDS: u32 = 0;
export const ASKS: u32 = 1;
/** No level found; and: more words looked at than one transaction may. */
export const NONE: u32 = 0xffffffff;
export const SEARCH_LIMIT: u32 = 0xfffffffe;

// register: words that the running transaction may still look at
let searchSteps: u32 = 0; // register

export function beginSearches(steps: u32): void {
  searchSteps = steps;
}

@inline
export function levelAt(market: Market, ticks: u32): u32 {
  return locationOf(load<u32>(<usize>market.directory + ((<usize>(ticks >> 6)) << 2))) + 2 + (ticks & 63);
}

@inline
function wordAt(market: Market, height: u32, index: u32, side: u32): u32 {
  if (height == 0) {
    const page = load<u32>(<usize>market.directory + ((<usize>index) << 2));
    return page == 0 ? 0 : locationOf(page) + side;
  }
  return load<u32>(changetype<usize>(market) + ((<usize>height) << 2), offsetof<Market>('summary0')) + index * 2 + side;
}

/**
 * The best level of a side that an order with this limit may trade with, at or behind `from`: the lowest ask <= limit, or the highest
 * bid >= limit. NONE if there is none; SEARCH_LIMIT if the transaction has looked at too many words.
 */
export function bestLevel<V>(view: V, market: Market, side: u32, limit: u32, from: u32): u32 {
  const top = market.top;
  let height = top;
  let index: u32 = 0;
  // The part of the word that is not behind `from`; words beside the path of `from` are looked at whole.
  while (true) {
    if (searchSteps == 0) return SEARCH_LIMIT;
    searchSteps--;
    const at = wordAt(market, height, index, side);
    const shift = height * 6;
    const path = from >> shift;
    let mask: u64 = <u64>-1;
    if (path >> 6 == index) mask = side == ASKS ? mask << (path & 63) : ((<u64>2) << (path & 63)) - 1;
    const found = at == 0 ? -1 : side == ASKS ? view.firstBit(at, mask) : view.lastBit(at, mask);
    if (found < 0) {
      // Nothing here. Go on behind this word, from the root: `from` moves to the next word's first level.
      if (height == top) return NONE;
      if (side == ASKS) {
        const next = (index + 1) << (shift + 6);
        if (next > limit || next >= market.tickCount) return NONE;
        from = next;
      } else {
        if (index == 0) return NONE;
        const next = (index << (shift + 6)) - 1;
        if (next < limit) return NONE;
        from = next;
      }
      height = top;
      index = 0;
      continue;
    }
    const child = (index << 6) | <u32>found;
    if (side == ASKS) {
      if (child << shift > limit) return NONE;
    } else if (((child + 1) << shift) - 1 < limit) return NONE;
    if (height == 0) return child;
    height--;
    index = child;
  }
}

/** Appends an order to the end of a level's queue. The order's `previous` and `next` are set here. */
export function enterQueue<V>(view: V, market: Market, side: u32, ticks: u32, reference: u32, order: Order): void {
  const at = levelAt(market, ticks);
  const level = view.write<Level>(at);
  if (isPresent<Level>(level)) {
    const tail = level.tail;
    view.write<Order>(orderAt(tail)).next = reference;
    order.previous = tail;
  } else {
    markPresent<Level>(level);
    level.head = reference;
    level.side = side;
    order.previous = 0;
    for (let height: u32 = 0; height <= market.top; height++) {
      const child = ticks >> (height * 6);
      // A bit that is set has its summary bits set.
      if (view.setBit(wordAt(market, height, child >> 6, side), child & 63)) break;
    }
  }
  order.next = 0;
  level.tail = reference;
  level.count++;
  level.totalLots += order.sizeLots;
}

/** Takes an order, with what is left of it, out of its level's queue. */
export function leaveQueue<V>(view: V, market: Market, order: Order): void {
  const level = view.write<Level>(levelAt(market, order.priceTicks));
  leaveLevel<V>(view, market, level, order);
}

export function leaveLevel<V>(view: V, market: Market, level: Level, order: Order): void {
  const previous = order.previous;
  const next = order.next;
  if (previous != 0) view.write<Order>(orderAt(previous)).next = next;
  else level.head = next;
  if (next != 0) view.write<Order>(orderAt(next)).previous = previous;
  else level.tail = previous;
  level.totalLots -= order.sizeLots;
  level.count--;
  if (previous == 0 && next == 0) {
    const ticks = order.priceTicks;
    view.clearBit(wordAt(market, 0, ticks >> 6, level.side), ticks & 63);
    remove<Level>(level);
  }
}

/** Makes sure that the page of a price exists. Thread 0, at admission. False: the memory is full. */
export function ensurePage(number: u32, ticks: u32): bool {
  const market = marketAt(number);
  const slot = <usize>market.directory + ((<usize>(ticks >> 6)) << 2);
  if (load<u32>(slot) != 0) return true;
  if (market.pagesLeft == 0) {
    const chunk = takeChunks(1, CLASS_LEVEL, 32, number + 1);
    if (chunk == 0) return false;
    market.pageNext = <u32>chunk;
    market.pagesLeft = CHUNK_BYTES / LEVEL_PAGE_BYTES;
  }
  const page = market.pageNext;
  market.pageNext = page + LEVEL_PAGE_BYTES;
  market.pagesLeft--;
  for (let side: u32 = 0; side < 2; side++) {
    store<u32>(page + (side << 5), (number << 1) | side, BITS_TAG);
    store<u32>(page + (side << 5), ticks >> 6, BITS_INDEX);
  }
  store<u32>(slot, page);
  return true;
}

/** Clears the summary bits of words that became zero in the block. Thread 0, at the end of the block. */
export function cleanSummaries(): void {
  const count = load<u32>(0, CTL_EMPTY_COUNT);
  const kept = load<u32>(0, REG_LIST_MAX);
  if (count > kept) {
    const markets = load<u32>(0, EXC_MARKET_COUNT);
    for (let number: u32 = 0; number < markets; number++) cleanMarket(number);
  } else {
    const list = <usize>load<u32>(0, REG_EMPTY);
    for (let i: u32 = 0; i < count; i++) {
      const word = addressOf(load<u32>(list + (i << 2)));
      const tag = load<u32>(word, BITS_TAG);
      cleanAbove(marketAt(tag >> 1), tag & 1, load<u32>(word, BITS_INDEX), load<u64>(word, BITS_WORD));
    }
  }
  store<u32>(0, 0, CTL_EMPTY_COUNT);
}

function cleanAbove(market: Market, side: u32, index: u32, word: u64): void {
  let child = index;
  let below = word;
  for (let height: u32 = 1; height <= market.top && below == 0; height++) {
    const at = addressOf(wordAt(market, height, child >> 6, side));
    below = load<u64>(at, BITS_WORD) & ~((<u64>1) << (child & 63));
    store<u64>(at, below, BITS_WORD);
    child >>= 6;
  }
}

/** The list of emptied words was too short: every page of the market is looked at. */
function cleanMarket(number: u32): void {
  const market = marketAt(number);
  const pages = (market.tickCount + 63) >> 6;
  for (let i: u32 = 0; i < pages; i++) {
    const page = load<u32>(<usize>market.directory + ((<usize>i) << 2));
    if (page == 0) continue;
    for (let side: u32 = 0; side < 2; side++) cleanAbove(market, side, i, load<u64>(page + (side << 5), BITS_WORD));
  }
}
