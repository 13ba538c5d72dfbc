/**
 * Vaults: accounts whose equity belongs to the holders of shares (docs/rules.md, 8).
 *
 * Invariant: the shares of a vault are the sum of its followers' shares (and, of the backstop vault, those that genesis gave to nobody).
 */
import {
  CAUSE_VAULT,
  CODE_BALANCE_OVERFLOW,
  CODE_INVALID_NAME,
  CODE_NOT_AUTHORISED,
  CODE_NOT_OWNER,
  CODE_OK,
  CODE_VAULT_CLOSED,
  CODE_VAULT_LEADER_SHARE,
  CODE_VAULT_LIMIT,
  CODE_VAULT_LOCKED,
  CODE_VAULT_MINIMUM,
  CODE_VAULT_SHARES,
  CODE_VAULT_UNKNOWN,
  REASON_WITHDRAWAL,
} from '../../base/codes';
import { create, isPresent, remove } from '../../kernel/assembly/record';
import { BLK_TIME_MS, NO_ACCOUNT } from '../../kernel/layout';
import { Account, accountAt, actingUser, isBadName, makeAccount, Name } from '../../ledger/assembly/ledger';
import { ACCOUNT_VAULT_INDEX, ROLE_USER, ROLE_VAULT } from '../../ledger/layout';
import {
  CANCELS_MAX,
  CFG_LIQUIDATION_BPS,
  CFG_VAULT_COMMISSION_PPM,
  CFG_VAULT_LEADER_PPM,
  CFG_VAULT_LOCK_MS,
  CFG_VAULT_MINIMUM,
  DEPOSIT_BITS,
  EXC_VAULT_COUNT,
  EXC_VAULTS_MAX,
  FIELD_0,
  FIELD_12,
  FIELD_16,
  FIELD_20,
  FIELD_4,
  FIELD_8,
  KIND_CREATE_VAULT,
  KIND_VAULT_MODIFY,
  KIND_VAULT_TRANSFER,
  PAYLOAD_BYTES,
  TEXT_PART_BYTES,
  VAULT_DEPOSITS,
} from '../layout';
import { amountCheck, emitCreated, emitMoney, openMarginAccount, overflows, payable } from './accounts';
import { begin } from './acting';
import { accountValue, magnitude, multiplyDivide, multiplyDivideUp, portfolioWords, transferable } from './margin';
import { beginTransaction, boundedPrice, reduceByOrder } from './matching';
import {
  Follower,
  MarginAccount,
  marginAccountAt,
  marketAt,
  Portfolio,
  portfolioAt,
  Position,
  positionAt,
  Vault,
  vaultAt,
  VaultCount,
} from './records';
import { cancelOrders } from './resting';

const SHARES_MAX: i64 = (<i64>1) << DEPOSIT_BITS;
const PPM: i64 = 1000000;

function createCheck(tx: usize): u32 {
  const wrong = amountCheck(load<u64>(tx, FIELD_0));
  if (wrong != CODE_OK) return wrong;
  return isBadName(tx + PAYLOAD_BYTES, load<u32>(tx, FIELD_16) * TEXT_PART_BYTES) ? CODE_INVALID_NAME : CODE_OK;
}

/** Kind 21. */
export function createVault<V>(view: V, tx: usize): u32 {
  const wrong = begin<V>(view, tx, KIND_CREATE_VAULT, createCheck(tx));
  if (wrong != CODE_OK) return wrong;
  const user = actingUser;
  const amount = load<i64>(tx, FIELD_0);
  const number = load<u32>(tx, FIELD_8);
  const followerAt = load<u32>(tx, FIELD_12);
  const countAt = load<u32>(0, EXC_VAULT_COUNT);
  if (amount < load<i64>(0, CFG_VAULT_MINIMUM)) return CODE_VAULT_MINIMUM;
  const index = view.read<VaultCount>(countAt).count;
  if (index >= load<u32>(0, EXC_VAULTS_MAX)) return CODE_VAULT_LIMIT;
  if (view.read<Account>(accountAt(user)).role != ROLE_USER) return CODE_NOT_AUTHORISED;
  const refused = payable<V>(view, user, amount);
  if (refused != CODE_OK) return refused;
  view.write<VaultCount>(countAt).count = index + 1;
  const account = makeAccount<V>(view, number);
  account.role = <u8>ROLE_VAULT;
  account.owner = user;
  store<u16>(changetype<usize>(account), <u16>index, ACCOUNT_VAULT_INDEX);
  view.write<MarginAccount>(marginAccountAt(user)).collateral -= amount;
  openMarginAccount<V>(view, number).collateral += amount;
  const lockMs = load<u64>(0, CFG_VAULT_LOCK_MS);
  const vault = create<V, Vault>(view, vaultAt(index));
  vault.account = number;
  vault.leader = user;
  vault.shares = amount;
  vault.leaderShares = amount;
  vault.lockMs = lockMs;
  vault.commissionPpm = load<u32>(0, CFG_VAULT_COMMISSION_PPM);
  vault.flags = VAULT_DEPOSITS;
  vault.followers = 1;
  vault.index = index;
  const follower = create<V, Follower>(view, followerAt);
  follower.shares = amount;
  follower.basis = amount;
  follower.lockedUntilMs = load<u64>(0, BLK_TIME_MS) + lockMs;
  writeTexts<V>(view, tx);
  emitCreated<V>(view, ROLE_VAULT, number, user);
  emitMoney<V>(view, KIND_CREATE_VAULT, user, number, amount, 0, amount);
  return CODE_OK;
}

/** Name and description, in parts. */
function writeTexts<V>(view: V, tx: usize): void {
  const parts = load<u32>(tx, FIELD_16) + load<u32>(tx, FIELD_20);
  const locations = tx + PAYLOAD_BYTES + <usize>parts * TEXT_PART_BYTES;
  for (let i: u32 = 0; i < parts; i++) {
    const text = tx + PAYLOAD_BYTES + <usize>i * TEXT_PART_BYTES;
    const part = create<V, Name>(view, load<u32>(locations + ((<usize>i) << 3)));
    part.text0 = load<u64>(text);
    part.text1 = load<u64>(text, 8);
    part.text2 = load<u64>(text, 16);
  }
}

/** The location of the vault of an account, 0 if the account is none. */
function vaultOf<V>(view: V, number: u32): u32 {
  if (number == NO_ACCOUNT) return 0;
  const account = view.read<Account>(accountAt(number));
  if (!isPresent<Account>(account) || account.role != ROLE_VAULT) return 0;
  return vaultAt(load<u16>(changetype<usize>(account), ACCOUNT_VAULT_INDEX));
}

/** Kind 22. */
export function vaultTransfer<V>(view: V, tx: usize): u32 {
  const wrong = begin<V>(view, tx, KIND_VAULT_TRANSFER, amountCheck(load<u64>(tx, FIELD_0)));
  if (wrong != CODE_OK) return wrong;
  const number = load<u32>(tx, FIELD_8);
  const followerAt = load<u32>(tx, FIELD_12);
  const at = vaultOf<V>(view, number);
  if (at == 0 || followerAt == 0) return CODE_VAULT_UNKNOWN;
  const amount = load<i64>(tx, FIELD_0);
  if (load<u32>(tx, FIELD_16) != 0) return enter<V>(view, number, at, followerAt, amount);
  return leave<V>(view, number, at, followerAt, amount);
}

/** Has the leader its part of `shares` with `held`? */
@inline
function leads(held: i64, shares: i64): bool {
  return <u64>held >= multiplyDivideUp(<u64>shares, load<u32>(0, CFG_VAULT_LEADER_PPM), PPM);
}

/** a * b / d is so large that it is no number of shares. */
@inline
function tooMany(a: i64, b: i64, d: i64): bool {
  return (<f64>a * <f64>b) / <f64>d > <f64>SHARES_MAX * 4;
}

function enter<V>(view: V, number: u32, at: u32, followerAt: u32, amount: i64): u32 {
  const user = actingUser;
  const vault = view.read<Vault>(at);
  if ((vault.flags & VAULT_DEPOSITS) == 0) return CODE_VAULT_CLOSED;
  const refused = payable<V>(view, user, amount);
  if (refused != CODE_OK) return refused;
  const value = accountValue<V>(view, view.read<MarginAccount>(marginAccountAt(number)), number);
  if (value <= 0) return CODE_VAULT_CLOSED;
  if (tooMany(amount, vault.shares, value)) return CODE_VAULT_SHARES;
  const fresh = vault.shares == 0 ? amount : <i64>multiplyDivide(<u64>amount, <u64>vault.shares, <u64>value);
  if (fresh == 0 || vault.shares + fresh > SHARES_MAX) return CODE_VAULT_SHARES;
  const isLeader = vault.leader == user;
  if (!isLeader && vault.leader != NO_ACCOUNT && !leads(vault.leaderShares, vault.shares + fresh)) return CODE_VAULT_LEADER_SHARE;
  if (overflows<V>(view, number, amount)) return CODE_BALANCE_OVERFLOW;
  view.write<MarginAccount>(marginAccountAt(user)).collateral -= amount;
  view.write<MarginAccount>(marginAccountAt(number)).collateral += amount;
  const changed = view.write<Vault>(at);
  changed.shares += fresh;
  if (isLeader) changed.leaderShares += fresh;
  const follower = create<V, Follower>(view, followerAt);
  if (follower.shares == 0) changed.followers++;
  follower.shares += fresh;
  follower.basis += amount;
  follower.lockedUntilMs = load<u64>(0, BLK_TIME_MS) + changed.lockMs;
  emitMoney<V>(view, KIND_VAULT_TRANSFER, user, number, amount, 0, fresh);
  return CODE_OK;
}

function leave<V>(view: V, number: u32, at: u32, followerAt: u32, amount: i64): u32 {
  const user = actingUser;
  const vault = view.read<Vault>(at);
  const held = view.read<Follower>(followerAt);
  if (held.lockedUntilMs > load<u64>(0, BLK_TIME_MS)) return CODE_VAULT_LOCKED;
  const value = accountValue<V>(view, view.read<MarginAccount>(marginAccountAt(number)), number);
  if (value <= 0 || tooMany(amount, vault.shares, value)) return CODE_VAULT_SHARES;
  const shares = vault.shares;
  const burnt = <i64>multiplyDivideUp(<u64>amount, <u64>shares, <u64>value);
  if (burnt > held.shares) return CODE_VAULT_SHARES;
  const isLeader = vault.leader == user;
  if (isLeader && burnt != shares && !leads(vault.leaderShares - burnt, shares - burnt)) return CODE_VAULT_LEADER_SHARE;
  if (overflows<V>(view, user, amount)) return CODE_BALANCE_OVERFLOW;
  if (transferable<V>(view, view.read<MarginAccount>(marginAccountAt(number)), number) < amount) {
    reducePositions<V>(view, number, burnt, shares);
    if (transferable<V>(view, view.read<MarginAccount>(marginAccountAt(number)), number) < amount) {
      emitMoney<V>(view, KIND_VAULT_TRANSFER, number, user, 0, 0, 0);
      return CODE_OK;
    }
  }
  const follower = view.write<Follower>(followerAt);
  const basis = <i64>multiplyDivide(<u64>follower.basis, <u64>burnt, <u64>follower.shares);
  const profit = max(<i64>0, amount - basis);
  const commission = isLeader ? 0 : <i64>multiplyDivide(<u64>profit, vault.commissionPpm, PPM);
  view.write<MarginAccount>(marginAccountAt(number)).collateral -= amount;
  view.write<MarginAccount>(marginAccountAt(user)).collateral += amount - commission;
  if (commission != 0) view.write<MarginAccount>(marginAccountAt(vault.leader)).collateral += commission;
  const changed = view.write<Vault>(at);
  changed.shares -= burnt;
  if (isLeader) changed.leaderShares -= burnt;
  follower.shares -= burnt;
  follower.basis -= basis;
  if (follower.shares == 0) {
    changed.followers--;
    remove<Follower>(follower);
    view.note(followerAt);
  }
  emitMoney<V>(view, KIND_VAULT_TRANSFER, number, user, amount, commission, burnt);
  return CODE_OK;
}

/** Makes room for a withdrawal: all orders are cancelled, and of every position the part that is leaving is sold. */
function reducePositions<V>(view: V, number: u32, burnt: i64, shares: i64): void {
  const account = view.write<MarginAccount>(marginAccountAt(number));
  beginTransaction();
  cancelOrders<V>(view, account, number, 0, REASON_WITHDRAWAL, CANCELS_MAX);
  const words = portfolioWords();
  for (let i: u32 = 0; i < words; i++) {
    // Positions that close on the way leave the portfolio, and nothing joins it.
    let bits = load<u64>(changetype<usize>(view.read<Portfolio>(portfolioAt(number))) + (i << 3), 8);
    for (; bits != 0; bits &= bits - 1) {
      const index = (i << 6) | <u32>ctz<u64>(bits);
      const market = marketAt(index);
      const size = view.read<Position>(positionAt(number, index)).sizeLots;
      if (size == 0) continue;
      const part = <i64>multiplyDivideUp(<u64>magnitude(size), <u64>burnt, <u64>shares);
      const stepped = ((part + market.lotStep - 1) / market.lotStep) * market.lotStep;
      const limit = boundedPrice(market, size > 0, load<u32>(0, CFG_LIQUIDATION_BPS));
      reduceByOrder<V>(view, account, number, index, min(stepped, magnitude(size)), limit, CAUSE_VAULT, true);
    }
  }
}

/** Kind 23. */
export function vaultModify<V>(view: V, tx: usize): u32 {
  const wrong = begin<V>(view, tx, KIND_VAULT_MODIFY, CODE_OK);
  if (wrong != CODE_OK) return wrong;
  const at = vaultOf<V>(view, load<u32>(tx, FIELD_0));
  if (at == 0) return CODE_VAULT_UNKNOWN;
  if (view.read<Vault>(at).leader != actingUser) return CODE_NOT_OWNER;
  const vault = view.write<Vault>(at);
  if (load<u32>(tx, FIELD_4) != 0) vault.flags |= VAULT_DEPOSITS;
  else vault.flags &= ~VAULT_DEPOSITS;
  return CODE_OK;
}
