/** The roll of the day: volumes of 14 days, and the fee tiers that follow from them (docs/rules.md, 5). Thread 0. */
import { touch } from '../../kernel/assembly/dirty';
import { isPresent, markPresent } from '../../kernel/assembly/record';
import { BLK_TIME_MS } from '../../kernel/layout';
import { Account, accountAt } from '../../ledger/assembly/ledger';
import { ROLE_SUB_ACCOUNT } from '../../ledger/layout';
import {
  EXC_FEE_TIER_COUNT,
  EXC_FEE_TIERS,
  EXC_LAST_ROLL_DAY,
  EXC_MAX_ACCOUNTS,
  EXC_REBATE_COUNT,
  EXC_REBATES,
  EXC_SCRATCH,
} from '../layout';
import { multiplyDivideUp } from './margin';
import { committed, historyAt, MarginAccount, marginAccountAt, Portfolio, Sums, volumeAt } from './records';

const DAY_MS: u64 = 86400000;
const DAYS: u64 = 14;
const PARTS: u32 = 4;

/** Once a day, before the sweep. */
export function rollDay(): void {
  const day = load<u64>(0, BLK_TIME_MS) / DAY_MS;
  const noted = load<u64>(0, EXC_LAST_ROLL_DAY);
  if (day < noted) return;
  store<u64>(0, day + 1, EXC_LAST_ROLL_DAY);
  if (noted == 0) return;
  const last = noted - 1;
  const accounts = load<u32>(0, EXC_MAX_ACCOUNTS);
  const scratch = <usize>load<u32>(0, EXC_SCRATCH);
  let makers: i64 = 0;
  for (let number: u32 = 0; number < accounts; number++) {
    const sums = scratch + ((<usize>number) << 4);
    store<i64>(sums, 0);
    store<i64>(sums, 0, 8);
    if (!isPresent<Sums>(committed<Sums>(volumeAt(number)))) continue;
    rollAccount(number, last, day);
    const maker = sumOf(number, 2);
    store<i64>(sums, sumOf(number, 0) + maker);
    store<i64>(sums, maker, 8);
    makers += maker;
  }
  // A sub-account's volume counts for its master too; own sums are not touched, so the order does not matter.
  for (let number: u32 = 0; number < accounts; number++) {
    const account = committed<Account>(accountAt(number));
    if (!isPresent<Account>(account) || account.role != ROLE_SUB_ACCOUNT) continue;
    const own = scratch + ((<usize>number) << 4);
    const master = scratch + ((<usize>account.owner) << 4);
    store<i64>(master, load<i64>(master) + load<i64>(own));
    store<i64>(master, load<i64>(master, 8) + load<i64>(own, 8), 8);
  }
  for (let number: u32 = 0; number < accounts; number++) {
    const margin = committed<MarginAccount>(marginAccountAt(number));
    if (!isPresent<MarginAccount>(margin)) continue;
    const account = committed<Account>(accountAt(number));
    const sums = scratch + ((<usize>(account.role == ROLE_SUB_ACCOUNT ? account.owner : number)) << 4);
    touch(marginAccountAt(number));
    margin.feeTier = <u8>feeTierOf(load<i64>(sums));
    margin.makerTier = <u8>makerTierOf(load<i64>(sums, 8), makers);
  }
}

/** Address of the field of a day: parts 0, 1 for takers (first = 0), 2, 3 for makers (first = 2). */
@inline
function dayField(number: u32, first: u32, day: u64): usize {
  const place = <u32>(day % DAYS);
  return ((<usize>historyAt(number, first + place / 7)) << 5) + 8 + ((<usize>(place % 7)) << 3);
}

function rollAccount(number: u32, last: u64, day: u64): void {
  const volume = committed<Sums>(volumeAt(number));
  let history = false;
  for (let part: u32 = 0; part < PARTS; part++) if (isPresent<Portfolio>(committed<Portfolio>(historyAt(number, part)))) history = true;
  if (volume.a == 0 && volume.b == 0 && !history) return;
  setDay(number, 0, last, volume.a);
  setDay(number, 2, last, volume.b);
  for (let passed = last + 1; passed < day && passed <= last + DAYS; passed++) {
    setDay(number, 0, passed, 0);
    setDay(number, 2, passed, 0);
  }
  volume.a = 0;
  volume.b = 0;
  touch(volumeAt(number));
}

/** A record of the history is made by the first volume that it holds. */
function setDay(number: u32, first: u32, day: u64, value: i64): void {
  const record = committed<Portfolio>(historyAt(number, first + <u32>(day % DAYS) / 7));
  if (!isPresent<Portfolio>(record)) {
    if (value == 0) return;
    markPresent<Portfolio>(record);
  }
  store<i64>(dayField(number, first, day), value);
  touch(historyAt(number, first + <u32>(day % DAYS) / 7));
}

function sumOf(number: u32, first: u32): i64 {
  let sum: i64 = 0;
  for (let day: u64 = 0; day < DAYS; day++) sum += load<i64>(dayField(number, first, day));
  return sum;
}

function feeTierOf(volume: i64): u32 {
  const tiers = <usize>load<u32>(0, EXC_FEE_TIERS);
  let tier: u32 = 0;
  for (let i: u32 = 1; i < load<u32>(0, EXC_FEE_TIER_COUNT); i++) if (load<i64>(tiers + ((<usize>i) << 4), 8) <= volume) tier = i;
  return tier;
}

function makerTierOf(volume: i64, makers: i64): u32 {
  if (makers == 0) return 0;
  const rebates = <usize>load<u32>(0, EXC_REBATES);
  let tier: u32 = 0;
  for (let i: u32 = 1; i < load<u32>(0, EXC_REBATE_COUNT); i++) {
    const share = load<u32>(rebates + ((<usize>i) << 3), 4);
    if (<u64>volume >= multiplyDivideUp(<u64>makers, share, 1000000)) tier = i;
  }
  return tier;
}
