/**
 * The naive twin of dormant accounts (docs/rules.md, 11): which accounts become dormant, what is left of them in the state, and how they
 * come back.
 *
 * A dormant account is its own objects, put aside; what the state root has of it is made when it is put aside, from the records that
 * the twin has of every account.
 */
import { assert } from '../base/assert.ts';
import { joined, type NaiveAccount, type NaiveRecord, u8 } from '../ledger/naive.ts';
import type { Address } from '../ledger/transactions.ts';
import {
  CLASS_DORMANT,
  CLASS_HISTORY,
  CLASS_MARGIN_ACCOUNT,
  CLASS_POSITION,
  CLASS_REWARDS,
  CLASS_SETTINGS,
  CLASS_VOLUME,
  FOLDS_MAX,
} from './layout.ts';
import {
  ascending,
  type NaiveMarginAccount,
  type NaivePosition,
  type NaiveSettings,
  type NaiveState,
  type NaiveVolume,
  U64_MAX,
} from './naive-state.ts';

const DAY_MS = 86_400_000n;
/** Account, nonces, balances and name; then what the exchange has by the account's number. */
const OWN_CLASSES = new Set([1, 2, 3, 6, CLASS_MARGIN_ACCOUNT, CLASS_POSITION, CLASS_SETTINGS, CLASS_VOLUME, CLASS_HISTORY, CLASS_REWARDS]);
const NUMBER_BYTES = 4;

export interface NaiveDormant {
  readonly account: NaiveAccount;
  readonly balances: Map<number, bigint>;
  readonly margin: NaiveMarginAccount | undefined;
  readonly positions: Map<number, NaivePosition> | undefined;
  readonly settings: NaiveSettings | undefined;
  readonly volume: NaiveVolume | undefined;
  readonly rewards: { builder: bigint; referral: bigint } | undefined;
  /** The value of its record. */
  readonly value: Uint8Array;
}

/** The number of the day, + 1. */
export function today(state: NaiveState): number {
  return Number(state.timeMs / DAY_MS) + 1;
}

/** The end of a block in which the day has rolled. `records`: all of the state. */
export function foldAccounts(state: NaiveState, days: number): void {
  const users = ascending(state.accounts.accounts()).filter((account) => state.accounts.get(account).role === 'user');
  const tied = tiedAccounts(state);
  const idle = (account: number): boolean => {
    const { activeDay } = state.accounts.get(account);
    return activeDay !== 0 && today(state) - activeDay >= days;
  };
  const found = users.filter((account) => idle(account) && !tied.has(account) && isQuiet(state, account)).slice(0, FOLDS_MAX);
  for (const account of users) {
    const record = state.accounts.get(account);
    if (record.activeDay === 0) record.activeDay = today(state);
  }
  const records = found.length === 0 ? [] : state.records();
  for (const account of found) putAside(state, account, records);
}

/** Accounts whose numbers something else in the state has. */
function tiedAccounts(state: NaiveState): Set<number> {
  const tied = new Set<number>();
  for (const account of state.accounts.accounts()) {
    const { role, owner } = state.accounts.get(account);
    if (role !== 'user') tied.add(owner);
    if (state.accounts.isNamed(account)) tied.add(account);
  }
  for (const pair of state.approvals.keys()) for (const account of pair.split('/')) tied.add(Number(account));
  for (const owner of state.referralCodes.values()) tied.add(owner);
  for (const { followers } of state.vaults) for (const account of followers.keys()) tied.add(account);
  for (const { builder } of state.orders) if (builder !== 0) tied.add(builder - 1);
  return tied;
}

/** Nothing is open, nothing is due, and the volume of the last days is nothing. */
function isQuiet(state: NaiveState, account: number): boolean {
  if (state.openOrders(account).length > 0 || state.heldMarkets(account).length > 0) return false;
  const settings = state.settings.get(account);
  if (settings !== undefined) {
    if (settings.nextDueMs !== U64_MAX || settings.attachedClosed) return false;
    if (settings.twaps.some((twap) => twap !== undefined)) return false;
  }
  const volume = state.volumes.get(account);
  if (volume === undefined) return true;
  const days = [...(volume.history?.taker ?? []), ...(volume.history?.maker ?? [])];
  return volume.taker === 0n && volume.maker === 0n && days.every((traded) => traded === 0n);
}

function putAside(state: NaiveState, account: number, records: readonly NaiveRecord[]): void {
  const ofAccount = records.filter(({ key }) => OWN_CLASSES.has(key[0] as number) && numberIn(key) === account);
  const { account: record, balances } = state.accounts.takeOut(account);
  state.dormant.set(record.address, {
    account: record,
    balances,
    margin: state.marginAccounts.get(account),
    positions: state.positions.get(account),
    settings: state.settings.get(account),
    volume: state.volumes.get(account),
    rewards: state.rewards.get(account),
    value: joined(...ofAccount.map(packed)),
  });
  for (const own of [state.marginAccounts, state.positions, state.settings, state.volumes, state.rewards]) own.delete(account);
  state.folded++;
}

function numberIn(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset).getUint32(1);
}

/** A record without its account's number: class, length and bytes of the rest of its key, length + 1 and bytes of its value. */
function packed({ key, value }: NaiveRecord): Uint8Array {
  const rest = key.subarray(1 + NUMBER_BYTES);
  const length = value.findLastIndex((byte) => byte !== 0) + 1;
  return joined(key.subarray(0, 1), u8(rest.length), rest, u8(length + 1), value.subarray(0, length));
}

/** The account is back under this number, which is its address's already. */
export function reviveAccount(state: NaiveState, address: Address, account: number): void {
  const kept = state.dormant.get(address);
  assert(kept !== undefined, `${address} is not dormant`);
  state.dormant.delete(address);
  state.accounts.putBack(account, kept.account, kept.balances);
  kept.account.activeDay = today(state);
  if (kept.margin !== undefined) state.marginAccounts.set(account, kept.margin);
  if (kept.positions !== undefined) state.positions.set(account, kept.positions);
  if (kept.settings !== undefined) state.settings.set(account, kept.settings);
  if (kept.volume !== undefined) state.volumes.set(account, kept.volume);
  if (kept.rewards !== undefined) state.rewards.set(account, kept.rewards);
  state.revived++;
}

export function dormantRecords(state: NaiveState): NaiveRecord[] {
  return [...state.dormant].map(([address, { value }]) => ({
    recordClass: 'dormant account',
    key: joined(u8(CLASS_DORMANT), Uint8Array.fromHex(address.slice(2))),
    value,
  }));
}

/** Quote units that dormant accounts hold. */
export function dormantEquity(state: NaiveState): bigint {
  let equity = 0n;
  for (const { balances, margin, rewards } of state.dormant.values()) {
    equity += (balances.get(0) ?? 0n) + (margin?.collateral ?? 0n) + (rewards?.builder ?? 0n) + (rewards?.referral ?? 0n);
  }
  return equity;
}
