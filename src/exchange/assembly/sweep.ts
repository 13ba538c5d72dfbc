/**
 * The sweep: every worker goes through its part of the accounts that have positions, while no transaction runs: settles delisted markets,
 * pays funding, takes the sums anew at the marks, and notes who has to be acted on (docs/rules.md, 6).
 *
 * Parts are ranges of the set's words, so accounts and the words of bits about them belong to one worker, and nothing is shared but the
 * sums that `endSweep` adds up. What comes out does not depend on the number of workers.
 */
import { touch, touchShared } from '../../kernel/assembly/dirty';
import { addressOf } from '../../kernel/assembly/memory';
import { markPresent } from '../../kernel/assembly/record';
import { workerBlock } from '../../kernel/assembly/schedule';
import { SerialView } from '../../kernel/assembly/view-in-place';
import { BITS_WORD } from '../../kernel/layout';
import {
  ACC_BACKSTOP,
  EXC_ACTIVE,
  EXC_MARKET_COUNT,
  EXC_MAX_ACCOUNTS,
  EXC_SWEEP_FLAGS,
  EXC_SWEEP_LISTS,
  EXC_SWEEP_RESIDUES,
  EXC_SWEEP_WORDS,
  EXC_SWEEP_WORKERS,
  EXC_TREASURY,
  FOUND_BREACH,
  FOUND_NEGATIVE,
  FOUND_TRIGGERS,
  LISTS_COUNT,
  LISTS_FIRST,
  SWEEP_FUNDING,
  SWEEP_REVALUE,
  SWEEP_SETTLE,
} from '../layout';
import { divideUp, fill, leverageOf, maintenanceOf, portfolioWords } from './margin';
import {
  committed,
  MarginAccount,
  marginAccountAt,
  Market,
  marketAt,
  Portfolio,
  portfolioAt,
  Position,
  positionAt,
  settingsAt,
  Sums,
  Totals,
} from './records';

const RATE_ONE: u64 = 10000000000;

/** Thread 0, before the workers: `flags` are SWEEP_*; 0 = nothing changes, accounts are only looked at. */
export function beginSweep(flags: u32, workers: u32): void {
  store<u32>(0, flags, EXC_SWEEP_FLAGS);
  store<u32>(0, workers, EXC_SWEEP_WORKERS);
  let words = (load<u32>(0, EXC_MAX_ACCOUNTS) + 63) >> 6;
  const active = load<u32>(0, EXC_ACTIVE);
  while (words > 0 && load<u64>(addressOf(active + words - 1), BITS_WORD) == 0) words--;
  store<u32>(0, words, EXC_SWEEP_WORDS);
  if ((flags & SWEEP_FUNDING) != 0) {
    const residues = <usize>load<u32>(0, EXC_SWEEP_RESIDUES);
    const end = residues + <usize>(workers * load<u32>(0, EXC_MARKET_COUNT)) * 16;
    for (let at = residues; at < end; at += 8) store<u64>(at, 0);
  }
}

@inline
function firstWord(id: u32): u32 {
  const words = load<u32>(0, EXC_SWEEP_WORDS);
  const part = (words + load<u32>(0, EXC_SWEEP_WORKERS) - 1) / load<u32>(0, EXC_SWEEP_WORKERS);
  return min(id * part, words);
}

/** One worker's part. Its findings lie where those of its first account would, at most one an account. */
export function runSweep(id: u32): void {
  const flags = load<u32>(0, EXC_SWEEP_FLAGS);
  const lists = <usize>load<u32>(0, EXC_SWEEP_LISTS);
  const residues = <usize>load<u32>(0, EXC_SWEEP_RESIDUES) + <usize>(id * load<u32>(0, EXC_MARKET_COUNT)) * 16;
  const active = load<u32>(0, EXC_ACTIVE);
  const end = firstWord(id + 1);
  const from = firstWord(id);
  const first = lists + LISTS_FIRST + ((<usize>from) << 9);
  let list = first;
  for (let word = from; word < end; word++) {
    const at = addressOf(active + word);
    for (let bits = load<u64>(at, BITS_WORD); bits != 0; bits &= bits - 1) {
      const bit = ctz<u64>(bits);
      const number = (word << 6) | <u32>bit;
      const account = committed<MarginAccount>(marginAccountAt(number));
      let found: u32 = 0;
      if (account.positions != 0) found = flags != 0 ? revalue(id, number, account, flags, residues) : look(number, account);
      if (account.positions == 0) {
        // Without positions an account can still be negative: somebody has to pay.
        if (account.collateral < 0) found = FOUND_NEGATIVE | FOUND_BREACH;
        else store<u64>(at, load<u64>(at, BITS_WORD) & ~((<u64>1) << bit), BITS_WORD);
      }
      if (found == 0) continue;
      store<u32>(list, number);
      store<u32>(list, found, 4);
      list += 8;
    }
  }
  store<u32>(lists + ((<usize>id) << 2), <u32>((list - first) >> 3));
}

@inline
function foundCross(account: MarginAccount): u32 {
  const value = account.collateral + account.positionValue;
  let found: u32 = value < 0 ? FOUND_NEGATIVE : 0;
  if (value < account.maintenance && (account.flags & ACC_BACKSTOP) == 0) found |= FOUND_BREACH;
  return found;
}

@inline
function foundIsolated(account: MarginAccount, market: Market, position: Position): u32 {
  const value = position.sizeLots * <i64>market.mark * market.unit;
  const equity = position.rawUsd + value;
  let found: u32 = equity < 0 ? FOUND_NEGATIVE : 0;
  if ((account.flags & ACC_BACKSTOP) == 0 && equity < maintenanceOf(market, value < 0 ? -value : value)) found |= FOUND_BREACH;
  return found;
}

/** What there is to do about an account, by the sums that it has. */
function look(number: u32, account: MarginAccount): u32 {
  let found = foundCross(account);
  if (account.isolated == 0) return found;
  const portfolio = changetype<usize>(committed<Portfolio>(portfolioAt(number)));
  const words = portfolioWords();
  for (let i: u32 = 0; i < words; i++) {
    for (let bits = load<u64>(portfolio + ((<usize>i) << 3), 8); bits != 0; bits &= bits - 1) {
      const index = (i << 6) | <u32>ctz<u64>(bits);
      const position = committed<Position>(positionAt(number, index));
      if (position.isolated != 0 && position.sizeLots != 0) found |= foundIsolated(account, marketAt(index), position);
    }
  }
  return found;
}

/** Settlement, funding, sums. */
function revalue(id: u32, number: u32, account: MarginAccount, flags: u32, residues: usize): u32 {
  let value: i64 = 0;
  let margin: i64 = 0;
  let maintenance: i64 = 0;
  let found: u32 = 0;
  const portfolio = changetype<usize>(committed<Portfolio>(portfolioAt(number)));
  const words = portfolioWords();
  for (let i: u32 = 0; i < words; i++) {
    for (let bits = load<u64>(portfolio + ((<usize>i) << 3), 8); bits != 0; bits &= bits - 1) {
      const index = (i << 6) | <u32>ctz<u64>(bits);
      const market = marketAt(index);
      const position = committed<Position>(positionAt(number, index));
      if ((flags & SWEEP_SETTLE) != 0 && market.settle != 0 && position.sizeLots != 0) {
        settlePosition(id, number, account, market, index, position);
        touchShared(positionAt(number, index));
        touchShared(marginAccountAt(number));
        touchShared(portfolioAt(number));
        touchShared(settingsAt(number));
      }
      if ((flags & SWEEP_FUNDING) != 0 && market.rate != 0 && position.sizeLots != 0) {
        payFunding(account, market, position, residues + ((<usize>index) << 4));
        touchShared(positionAt(number, index));
        touchShared(marginAccountAt(number));
      }
      const mark = market.mark;
      if ((flags & SWEEP_REVALUE) != 0 && position.triggers != 0) {
        if (position.triggerAbove != 0 && mark >= position.triggerAbove) found |= FOUND_TRIGGERS;
        if (mark <= position.triggerBelow) found |= FOUND_TRIGGERS;
      }
      const size = position.sizeLots;
      if (size == 0) continue;
      if (position.isolated != 0) {
        found |= foundIsolated(account, market, position);
        continue;
      }
      const worth = size * <i64>mark * market.unit;
      const notional = worth < 0 ? -worth : worth;
      value += worth;
      margin += divideUp(notional, leverageOf(market, position));
      maintenance += maintenanceOf(market, notional);
    }
  }
  account.positionValue = value;
  account.positionMargin = margin;
  account.maintenance = maintenance;
  return found | foundCross(account);
}

function settlePosition(id: u32, number: u32, account: MarginAccount, market: Market, index: u32, position: Position): void {
  const view = changetype<SerialView>(workerBlock(id));
  fill<SerialView>(view, market, index, account, number, position, -position.sizeLots, market.settle, 0);
}

/** Longs pay shorts when the rate is positive; payers' amounts are rounded up, receivers' down. */
@inline
function payFunding(account: MarginAccount, market: Market, position: Position, residue: usize): void {
  const rate = market.paid;
  if (rate == 0) return;
  const size = position.sizeLots;
  const notional = <u64>((size < 0 ? -size : size) * <i64>market.index * market.unit);
  const speed = <u64>(rate < 0 ? -rate : rate);
  // floor(notional * rate / 10^10) in two parts, so that no product leaves 64 bits.
  const rest = (notional % RATE_ONE) * speed;
  let amount = <i64>((notional / RATE_ONE) * speed + rest / RATE_ONE);
  const pays = size > 0 == rate > 0;
  if (pays) {
    if (rest % RATE_ONE != 0) amount++;
    store<i64>(residue, load<i64>(residue) + amount);
  } else {
    store<i64>(residue, load<i64>(residue, 8) + amount, 8);
    amount = -amount;
  }
  if (position.isolated != 0) position.rawUsd -= amount;
  else account.collateral -= amount;
  position.funding += amount;
}

/** Thread 0, after the workers: findings in one list, ascending; what was paid; open interest of settled markets. */
export function endSweep(): void {
  const lists = <usize>load<u32>(0, EXC_SWEEP_LISTS);
  const workers = load<u32>(0, EXC_SWEEP_WORKERS);
  const flags = load<u32>(0, EXC_SWEEP_FLAGS);
  let to = lists + LISTS_FIRST;
  for (let id: u32 = 0; id < workers; id++) {
    const bytes = (<usize>load<u32>(lists + ((<usize>id) << 2))) << 3;
    const from = lists + LISTS_FIRST + ((<usize>firstWord(id)) << 9);
    if (from != to) memory.copy(to, from, bytes);
    to += bytes;
  }
  store<u32>(lists, <u32>((to - lists - LISTS_FIRST) >> 3), LISTS_COUNT);
  const count = load<u32>(0, EXC_MARKET_COUNT);
  if ((flags & SWEEP_FUNDING) != 0) addResidues(workers, count);
  if ((flags & SWEEP_SETTLE) == 0) return;
  for (let index: u32 = 0; index < count; index++) {
    const market = marketAt(index);
    if (market.settle == 0) continue;
    committed<Totals>(market.totals).openInterestLots = 0;
    touch(market.totals);
  }
}

function addResidues(workers: u32, count: u32): void {
  const residues = <usize>load<u32>(0, EXC_SWEEP_RESIDUES);
  const treasury = committed<Sums>(load<u32>(0, EXC_TREASURY));
  touch(load<u32>(0, EXC_TREASURY));
  for (let index: u32 = 0; index < count; index++) {
    const market = marketAt(index);
    for (let id: u32 = 0; id < workers; id++) {
      const at = residues + ((<usize>(id * count + index)) << 4);
      market.payers += load<i64>(at);
      market.receivers += load<i64>(at, 8);
    }
    treasury.a += market.payers - market.receivers;
  }
  markPresent<Sums>(treasury);
}

/** How many accounts the last sweep has found something about. */
@inline
export function foundCount(): u32 {
  return load<u32>(<usize>load<u32>(0, EXC_SWEEP_LISTS), LISTS_COUNT);
}

@inline
export function foundAccount(index: u32): u32 {
  return load<u32>(<usize>load<u32>(0, EXC_SWEEP_LISTS) + LISTS_FIRST + ((<usize>index) << 3));
}

@inline
export function foundBits(index: u32): u32 {
  return load<u32>(<usize>load<u32>(0, EXC_SWEEP_LISTS) + LISTS_FIRST + ((<usize>index) << 3), 4);
}
