/**
 * Records that may come without a transaction of their owner: the maker's position that a fill makes, the history that the roll of a day
 * makes, the price level of a trigger order that fires. Memory for them has to be kept free (docs/decisions/0019). Thread 0, between blocks.
 *
 * Invariant: no block of others' transactions, and no transaction of the system, makes more records than were counted before it.
 * Not here: what a record takes, and what transactions make for their own accounts (`src/execution/memory-need.ts`).
 */
import { isPresent } from '../../kernel/assembly/record';
import {
  EXC_BACKSTOP,
  EXC_DELISTINGS,
  EXC_LATENT_LEVELS,
  EXC_LATENT_RECORDS,
  EXC_MARKET_COUNT,
  EXC_ORDER_SLOTS,
  EXC_POSITION_PAGES,
  EXC_REPORTERS,
  HISTORY_PARTS,
  ORDER_CHILD,
  ORDER_EXTRA,
  ORDER_TRIGGER,
} from '../layout';
import { locationOf } from '../../kernel/assembly/memory';
import {
  committed,
  Extra,
  extraInSlot,
  historyAt,
  MarginAccount,
  marginAccountAt,
  marketAt,
  Order,
  orderInSlot,
  OrderPage,
  orderPageAt,
  Portfolio,
  portfolioAt,
  Position,
  positionEntry,
  reportAt,
  Settings,
  settingsAt,
  Sums,
  volumeAt,
} from './records';

const PAGE_POSITIONS: u32 = 4;
const POSITION_BYTES: usize = 64;

// register: what has been counted so far
let records: u32 = 0; // register
let levels: u32 = 0; // register

/** Of the accounts below `accounts` and of all markets; the sums go to EXC_LATENT_RECORDS and EXC_LATENT_LEVELS. */
export function countLatent(accounts: u32): void {
  records = 0;
  levels = 0;
  for (let number: u32 = 0; number < accounts; number++) {
    const margin = committed<MarginAccount>(marginAccountAt(number));
    if (isPresent<MarginAccount>(margin)) countAccount(number, margin);
  }
  countMarkets();
  store<u32>(0, records, EXC_LATENT_RECORDS);
  store<u32>(0, levels, EXC_LATENT_LEVELS);
}

function countAccount(number: u32, margin: MarginAccount): void {
  const settings = committed<Settings>(settingsAt(number));
  const volume = committed<Sums>(volumeAt(number));
  const backstop = number == load<u32>(0, EXC_BACKSTOP);
  const twaps = <u32>popcnt<u32>(settings.twaps);
  const orders = <u32>margin.openOrders;
  // Whoever has nothing open has records made by transactions of its own only, but for the history of what it has traded.
  if (!backstop && (orders | twaps | <u32>margin.positions) == 0 && (volume.a | volume.b) == 0 && margin.collateral >= 0) return;
  if (!isPresent<Settings>(settings)) records++;
  if (!isPresent<Portfolio>(committed<Portfolio>(portfolioAt(number)))) records++;
  for (let part: u32 = 0; part < HISTORY_PARTS; part++) {
    if (!isPresent<Portfolio>(committed<Portfolio>(historyAt(number, part)))) records++;
  }
  if (backstop) records += load<u32>(0, EXC_MARKET_COUNT);
  else if (orders + twaps != 0) records += min(orders + twaps, absentPositions(number));
  if (orders != 0) countTriggers(number, margin);
}

/** In the pages that there are: orders and TWAPs have theirs. */
function absentPositions(number: u32): u32 {
  const pages = load<u32>(0, EXC_POSITION_PAGES);
  let absent: u32 = 0;
  for (let index: u32 = 0; index < pages; index++) {
    const page = <usize>load<u32>(positionEntry(number, index << 2));
    if (page == 0) continue;
    for (let i: u32 = 0; i < PAGE_POSITIONS; i++) {
      if (!isPresent<Position>(changetype<Position>(page + i * POSITION_BYTES))) absent++;
    }
  }
  return absent;
}

/** Orders that are not on the book and may come to rest on it. */
function countTriggers(number: u32, margin: MarginAccount): void {
  const pages = load<u32>(0, EXC_ORDER_SLOTS) >> 6;
  let left = <u32>margin.openOrders;
  for (let page: u32 = 0; page < pages && left != 0; page++) {
    const slots = page == 0 ? margin.slots : committed<OrderPage>(orderPageAt(number, page)).slots;
    for (let bits = slots; bits != 0; bits &= bits - 1) {
      const slot = (page << 6) | <u32>ctz<u64>(bits);
      const flags = <u32>committed<Order>(orderInSlot(number, slot)).flags;
      left--;
      if ((flags & (ORDER_TRIGGER | ORDER_CHILD)) == 0) continue;
      if ((flags & ORDER_EXTRA) == 0 || committed<Extra>(extraInSlot(number, slot)).triggerMarket == 0) levels++;
    }
  }
}

/** What price reports and votes make, which have to be taken however short the memory is. */
function countMarkets(): void {
  const markets = load<u32>(0, EXC_MARKET_COUNT);
  const reporters = load<u32>(0, EXC_REPORTERS);
  const delistings = locationOf(load<u32>(0, EXC_DELISTINGS));
  for (let market: u32 = 0; market < markets; market++) {
    if (!isPresent<Sums>(committed<Sums>(delistings + market))) records++;
    if (!isPresent<Sums>(committed<Sums>(marketAt(market).totals))) records++;
    for (let reporter: u32 = 0; reporter < reporters; reporter++) {
      if (!isPresent<Sums>(committed<Sums>(reportAt(market, reporter)))) records++;
    }
  }
}
