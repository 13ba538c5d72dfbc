/**
 * Which accounts become dormant (docs/rules.md, 11): notes when accounts are active, and finds those that have not been for long enough and
 * that nothing else in the state refers to by number. Thread 0, at the end of a block, when all its transactions have run.
 *
 * Invariant: what is found depends on the records alone, so every node and every model find the same accounts.
 * Not here: folding them, which the host does (`src/execution/dormant-accounts.ts`).
 */
import { touch } from '../../kernel/assembly/dirty';
import { KEY_BYTES, KEY_CLASS, KEY_LENGTH } from '../../kernel/assembly/keys';
import { addressOf } from '../../kernel/assembly/memory';
import { isPresent } from '../../kernel/assembly/record';
import { workerBlock } from '../../kernel/assembly/schedule';
import { SerialView } from '../../kernel/assembly/view-in-place';
import {
  BITS_WORD,
  BLK_MUTATION,
  BLK_TIME_MS,
  BLK_TX_TABLE,
  KIND_REFUSED,
  MUTATION_NO_TIES,
  RECORD_META,
  RECORD_PAYLOAD,
  RECORD_PRESENT,
  REG_KEY_MASK,
  REG_KEYS,
  TX_KIND,
  TX_SENDER,
} from '../../kernel/layout';
import { Account, accountAt } from '../../ledger/assembly/ledger';
import { CLASS_AGENT, CLASS_SIGNER, ROLE_USER } from '../../ledger/layout';
import {
  CFG_DORMANT_DAYS,
  CLASS_APPROVAL,
  CLASS_FOLLOWER,
  CLASS_REFERRAL,
  EXC_MAX_ACCOUNTS,
  EXC_SCRATCH,
  FOLDS_MAX,
  HISTORY_PARTS,
  ORDER_EXTRA,
} from '../layout';
import {
  activeWordAt,
  committed,
  Extra,
  extraInSlot,
  historyAt,
  MarginAccount,
  marginAccountAt,
  Order,
  orderInSlot,
  Portfolio,
  Settings,
  settingsAt,
  Sums,
  timedWordAt,
  volumeAt,
} from './records';
import { nextSlot, NO_SLOT } from './resting';

const DAY_MS: u64 = 86400000;
const HISTORY_DAYS: usize = 7;

/** The day of the block, + 1: 0 stands for no day. */
@inline
function today(): u32 {
  return <u32>(load<u64>(0, BLK_TIME_MS) / DAY_MS) + 1;
}

/** The senders of the block's own transactions have been active today. */
export function noteActive(count: u32): void {
  const table = <usize>load<u32>(0, BLK_TX_TABLE);
  const accounts = load<u32>(0, EXC_MAX_ACCOUNTS);
  const day = today();
  for (let i: u32 = 0; i < count; i++) {
    const tx = <usize>load<u32>(table + ((<usize>i) << 2));
    const sender = load<u32>(tx, TX_SENDER);
    if (load<u8>(tx, TX_KIND) == KIND_REFUSED || sender >= accounts) continue;
    const account = committed<Account>(accountAt(sender));
    if (!isPresent<Account>(account) || account.role != ROLE_USER || account.owner == day) continue;
    account.owner = day;
    touch(accountAt(sender));
  }
}

/** A byte an account: 1 if something else in the state has its number. */
@inline
function tieOf(number: u32): usize {
  return <usize>load<u32>(0, EXC_SCRATCH) + number;
}

@inline
function tie(number: u32): void {
  if (number < load<u32>(0, EXC_MAX_ACCOUNTS)) store<u8>(tieOf(number), 1);
}

/**
 * In a block in which the day has rolled: writes the numbers of the accounts that become dormant, ascending, behind a byte an account at
 * EXC_SCRATCH, and returns how many. Accounts of which nothing is known yet are taken to have been active today.
 */
export function findDormant(): u32 {
  const accounts = load<u32>(0, EXC_MAX_ACCOUNTS);
  const days = load<u32>(0, CFG_DORMANT_DAYS);
  const day = today();
  memory.fill(tieOf(0), 0, accounts);
  if ((load<u32>(0, BLK_MUTATION) & MUTATION_NO_TIES) == 0) {
    tieByAccounts(accounts);
    tieByKeys();
  }
  const found = tieOf((accounts + 7) & ~7);
  let count: u32 = 0;
  for (let number: u32 = 0; number < accounts; number++) {
    const account = committed<Account>(accountAt(number));
    if (!isPresent<Account>(account) || account.role != ROLE_USER) continue;
    if (account.owner == 0) {
      account.owner = day;
      touch(accountAt(number));
      continue;
    }
    if (count == FOLDS_MAX || day < account.owner + days || load<u8>(tieOf(number)) != 0 || !isQuiet(number)) continue;
    // It may be in these sets still: they are cleaned when they are gone through.
    leave(activeWordAt(number), number);
    leave(timedWordAt(number), number);
    store<u32>(found + ((<usize>count) << 2), number);
    count++;
  }
  return count;
}

@inline
function leave(word: u32, number: u32): void {
  const at = addressOf(word);
  store<u64>(at, load<u64>(at, BITS_WORD) & ~((<u64>1) << (number & 63)), BITS_WORD);
}

/** Owners of other accounts, and builders of open orders, whose approval may be gone. */
function tieByAccounts(accounts: u32): void {
  const view = changetype<SerialView>(workerBlock(0));
  for (let number: u32 = 0; number < accounts; number++) {
    const account = committed<Account>(accountAt(number));
    if (!isPresent<Account>(account)) continue;
    if (account.role != ROLE_USER) tie(account.owner);
    const margin = committed<MarginAccount>(marginAccountAt(number));
    if (margin.openOrders == 0) continue;
    for (
      let slot = nextSlot<SerialView>(view, margin, number, 0);
      slot != NO_SLOT;
      slot = nextSlot<SerialView>(view, margin, number, slot + 1)
    ) {
      if ((<u32>committed<Order>(orderInSlot(number, slot)).flags & ORDER_EXTRA) == 0) continue;
      const builder = committed<Extra>(extraInSlot(number, slot)).builder;
      if (builder != 0) tie(builder - 1);
    }
  }
}

/** Numbers in the keys and values of records that are found by key; those of client ids have open orders. */
function tieByKeys(): void {
  const table = <usize>load<u32>(0, REG_KEYS);
  const mask = load<u32>(0, REG_KEY_MASK);
  for (let i: u32 = 0; i <= mask; i++) {
    const location = <u32>load<u64>(table + ((<usize>i) << 3));
    if (location == 0) continue;
    const unit = addressOf(location);
    if (load<u32>(unit, KEY_LENGTH) == 0 || (load<u32>(unit, RECORD_META) & RECORD_PRESENT) == 0) continue;
    const recordClass = <u32>load<u8>(unit, KEY_CLASS);
    if (recordClass == CLASS_REFERRAL) tie(load<u32>(unit, RECORD_PAYLOAD) - 1);
    else if (recordClass == CLASS_AGENT) tie(bswap<u32>(load<u32>(unit, KEY_BYTES)));
    else if (recordClass == CLASS_SIGNER || recordClass == CLASS_APPROVAL || recordClass == CLASS_FOLLOWER) {
      tie(bswap<u32>(load<u32>(unit, KEY_BYTES)));
      tie(bswap<u32>(load<u32>(unit, KEY_BYTES + 4)));
    }
  }
}

/** Has an account nothing open, nothing due, and no volume of the last days? */
function isQuiet(number: u32): bool {
  const margin = committed<MarginAccount>(marginAccountAt(number));
  if (isPresent<MarginAccount>(margin) && (margin.openOrders | margin.positions) != 0) return false;
  const settings = committed<Settings>(settingsAt(number));
  if (isPresent<Settings>(settings) && (settings.nextDueMs != u64.MAX_VALUE || (settings.twaps | settings.attachedClosed) != 0))
    return false;
  const volume = committed<Sums>(volumeAt(number));
  if (isPresent<Sums>(volume) && (volume.a | volume.b) != 0) return false;
  for (let part: u32 = 0; part < HISTORY_PARTS; part++) {
    const history = changetype<usize>(committed<Portfolio>(historyAt(number, part)));
    for (let day: usize = 0; day < HISTORY_DAYS; day++) if (load<u64>(history + (day << 3), RECORD_PAYLOAD) != 0) return false;
  }
  return true;
}
