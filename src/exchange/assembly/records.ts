/** The exchange's records as classes and where they lie; `checkExchangeLayout` holds them against the layout page at compile time. */
import { addressOf, locationOf } from '../../kernel/assembly/memory';
import {
  DIR_BYTES,
  DIR_FIRST,
  DIR_FIRST_EXTRAS,
  DIR_TABLE,
  DIR_TWAPS,
  EXC_ACCOUNT_BITS,
  EXC_ACCOUNTS,
  EXC_ACTIVE,
  EXC_DIRECTORIES,
  EXC_HISTORY,
  EXC_INBOX,
  EXC_MARKETS,
  EXC_NULL,
  EXC_ORDER_PAGES,
  EXC_ORDER_SLOTS,
  EXC_PORTFOLIOS,
  EXC_POSITION_PAGES,
  EXC_POSITIONS,
  EXC_REPORTERS,
  EXC_REPORTS,
  EXC_REWARDS,
  EXC_SETTINGS,
  EXC_TIMED,
  EXC_VAULTS,
  EXC_VOLUMES,
  MARKET_BYTES,
} from '../layout';

@unmanaged
@final
export class MarginAccount {
  version: u32;
  meta: u32;
  collateral: i64;
  positionValue: i64;
  positionMargin: i64;
  maintenance: i64;
  orderMargin: i64;
  slots: u64;
  openOrders: u16;
  positions: u16;
  feeTier: u8;
  makerTier: u8;
  flags: u8;
  isolated: u8;
}

@unmanaged
@final
export class Portfolio {
  version: u32;
  meta: u32;
  w0: u64;
  w1: u64;
  w2: u64;
  w3: u64;
  w4: u64;
  w5: u64;
  w6: u64;
}

@unmanaged
@final
export class Position {
  version: u32;
  meta: u32;
  sizeLots: i64;
  cost: i64;
  rawUsd: i64;
  realised: i64;
  funding: i64;
  triggerAbove: u32;
  triggerBelow: u32;
  triggers: u16;
  leverage: u8;
  isolated: u8;
  attached: u16;
  zero: u16;
}

@unmanaged
@final
export class Order {
  version: u32;
  meta: u32;
  oid: u64;
  sizeLots: i64;
  originalLots: i64;
  margin: i64;
  priceTicks: u32;
  previous: u32;
  next: u32;
  market: u16;
  flags: u8;
  tif: u8;
  account: u32;
  clientAt: u32;
}

@unmanaged
@final
export class Extra {
  version: u32;
  meta: u32;
  expiresMs: u64;
  displayLots: i64;
  hiddenLots: i64;
  triggerTicks: u32;
  triggerKind: u8;
  triggerMarket: u8;
  whole: u8;
  zero0: u8;
  parent: u16;
  sibling: u16;
  child1: u16;
  child2: u16;
  builder: u32;
  builderFee: u16;
  zero1: u16;
  zero2: u64;
}

@unmanaged
@final
export class Level {
  version: u32;
  meta: u32;
  totalLots: i64;
  head: u32;
  tail: u32;
  count: u32;
  side: u32;
}

@unmanaged
@final
export class ClientId {
  version: u32;
  meta: u32;
  oid: u64;
  zero0: u64;
  zero1: u64;
}

@unmanaged
@final
export class Totals {
  version: u32;
  meta: u32;
  volume: i64;
  openInterestLots: i64;
  fees: i64;
}

@unmanaged
@final
export class Price {
  version: u32;
  meta: u32;
  indexTicks: u32;
  markTicks: u32;
  indexTimeMs: u64;
  lastTicks: u32;
  previousMarkTicks: u32;
  basisSum: i64;
  basisWeight: u64;
  bookSum: i64;
  bookWeight: u64;
}

@unmanaged
@final
export class Funding {
  version: u32;
  meta: u32;
  sampleSum: i64;
  samples: u32;
  zero0: u32;
  rate: i64;
  lastSample: u64;
  lastHour: u64;
  hyperSum: i64;
  hyperWeight: u64;
}

@unmanaged
@final
export class OrderPage {
  version: u32;
  meta: u32;
  slots: u64;
  zero0: u64;
  zero1: u64;
}

@unmanaged
@final
export class Settings {
  version: u32;
  meta: u32;
  scheduledMs: u64;
  nextDueMs: u64;
  cooldownMs: u64;
  scheduleDay: u32;
  scheduleCount: u32;
  referrer: u32;
  twapCount: u32;
  twaps: u32;
  attachedClosed: u32;
  zero: u64;
}

/** Accumulators: volume, rewards, treasury and inbox have three i64 fields, read as this. */
@unmanaged
@final
export class Sums {
  version: u32;
  meta: u32;
  a: i64;
  b: i64;
  c: i64;
}

@unmanaged
@final
export class Twap {
  version: u32;
  meta: u32;
  totalLots: i64;
  filledLots: i64;
  startMs: u64;
  slices: u32;
  sliced: u32;
  id: u32;
  market: u16;
  flags: u8;
  zero0: u8;
  startTicks: u32;
  stopTicks: u32;
  zero1: u64;
}

@unmanaged
@final
export class Approval {
  version: u32;
  meta: u32;
  maxFee: u32;
  zero0: u32;
  zero1: u64;
  zero2: u64;
}

@unmanaged
@final
export class Referral {
  version: u32;
  meta: u32;
  owner: u32;
  zero0: u32;
  zero1: u64;
  zero2: u64;
}

@unmanaged
@final
export class Vault {
  version: u32;
  meta: u32;
  account: u32;
  leader: u32;
  shares: i64;
  leaderShares: i64;
  lockMs: u64;
  commissionPpm: u32;
  flags: u32;
  followers: u32;
  index: u32;
  zero: u64;
}

@unmanaged
@final
export class VaultCount {
  version: u32;
  meta: u32;
  count: u32;
  zero0: u32;
  zero1: u64;
  zero2: u64;
}

@unmanaged
@final
export class Follower {
  version: u32;
  meta: u32;
  shares: i64;
  basis: i64;
  lockedUntilMs: u64;
}

@unmanaged
@final
export class Report {
  version: u32;
  meta: u32;
  indexTicks: u32;
  perpTicks: u32;
  timeMs: u64;
  zero: u64;
}

@unmanaged
@final
export class Delisting {
  version: u32;
  meta: u32;
  voted: u64;
  delistedMs: u64;
  settledTicks: u32;
  zero: u32;
}

/** Parameters of a market: constants while transactions run, read without a view. */
@unmanaged
@final
export class Market {
  tickCount: u32;
  mark: u32;
  unit: i64;
  minNotional: i64;
  maxOrder: i64;
  maxPosition: i64;
  tickStep: u32;
  lotStep: u32;
  ticksPerInteger: u32;
  digitsLimit: u32;
  leverage: u32;
  takerPpm: i32;
  makerPpm: i32;
  top: u32;
  directory: u32;
  totals: u32;
  price: u32;
  summary0: u32;
  summary1: u32;
  summary2: u32;
  summary3: u32;
  pageNext: u32;
  pagesLeft: u32;
  index: u32;
  previousMark: u32;
  status: u32;
  mode: u32;
  tiers: u32;
  tierCount: u32;
  priceBandBps: u32;
  oracleBandBps: u32;
  hyperp: u32;
  impact: i64;
  fundingClamp: i64;
  fundingInterest: i64;
  fundingCap: i64;
  interestCap: i64;
  interestStep: i64;
  interestBefore: i64;
  interestMinute: u64;
  settle: u32;
  rate: u32;
  paid: i64;
  premium: i64;
  payers: i64;
  receivers: i64;
  notedVolume: i64;
}

export function checkExchangeLayout(): void {
  if (offsetof<MarginAccount>() != 64 || offsetof<MarginAccount>('slots') != 48) ERROR('margin account layout');
  if (offsetof<MarginAccount>('isolated') != 63) ERROR('margin account layout');
  if (offsetof<Portfolio>() != 64 || offsetof<Level>() != 32) ERROR('layout');
  if (offsetof<Position>() != 64 || offsetof<Position>('attached') != 60) ERROR('position layout');
  if (offsetof<Order>() != 64 || offsetof<Order>('market') != 52 || offsetof<Order>('clientAt') != 60) ERROR('order layout');
  if (offsetof<Extra>() != 64 || offsetof<Extra>('parent') != 40 || offsetof<Extra>('builderFee') != 52) ERROR('extra layout');
  if (offsetof<ClientId>() != 32 || offsetof<OrderPage>() != 32 || offsetof<Totals>() != 32) ERROR('layout');
  if (offsetof<Price>() != 64 || offsetof<Price>('basisSum') != 32) ERROR('price layout');
  if (offsetof<Funding>() != 64 || offsetof<Funding>('rate') != 24) ERROR('funding layout');
  if (offsetof<Settings>() != 64 || offsetof<Settings>('twaps') != 48) ERROR('settings layout');
  if (offsetof<Sums>() != 32 || offsetof<Approval>() != 32 || offsetof<Referral>() != 32) ERROR('layout');
  if (offsetof<Twap>() != 64 || offsetof<Twap>('market') != 44 || offsetof<Twap>('stopTicks') != 52) ERROR('twap layout');
  if (offsetof<Vault>() != 64 || offsetof<Vault>('commissionPpm') != 40) ERROR('vault layout');
  if (offsetof<VaultCount>() != 32 || offsetof<Follower>() != 32) ERROR('layout');
  if (offsetof<Report>() != 32 || offsetof<Delisting>() != 32) ERROR('layout');
  if (offsetof<Market>() != MARKET_BYTES || offsetof<Market>('summary1') != 88 || offsetof<Market>('pagesLeft') != 104)
    ERROR('market layout');
  if (offsetof<Market>('impact') != 144 || offsetof<Market>('settle') != 208 || offsetof<Market>('receivers') != 240)
    ERROR('market layout');
  if (offsetof<Level>('head') != 16) ERROR('layout');
}

@inline
export function marketAt(market: u32): Market {
  return changetype<Market>(<usize>load<u32>(0, EXC_MARKETS) + <usize>market * MARKET_BYTES);
}

@inline
export function marginAccountAt(account: u32): u32 {
  return locationOf(load<u32>(0, EXC_ACCOUNTS)) + account * 2;
}

@inline
export function portfolioAt(account: u32): u32 {
  return locationOf(load<u32>(0, EXC_PORTFOLIOS)) + account * 2;
}

@inline
export function settingsAt(account: u32): u32 {
  return locationOf(load<u32>(0, EXC_SETTINGS)) + account * 2;
}

@inline
export function volumeAt(account: u32): u32 {
  return locationOf(load<u32>(0, EXC_VOLUMES)) + account;
}

@inline
export function historyAt(account: u32, part: u32): u32 {
  return locationOf(load<u32>(0, EXC_HISTORY)) + (account * 4 + part) * 2;
}

@inline
export function rewardsAt(account: u32): u32 {
  return locationOf(load<u32>(0, EXC_REWARDS)) + account;
}

@inline
export function vaultAt(index: u32): u32 {
  return locationOf(load<u32>(0, EXC_VAULTS)) + index * 2;
}

@inline
export function reportAt(market: u32, reporter: u32): u32 {
  return locationOf(load<u32>(0, EXC_REPORTS)) + market * load<u32>(0, EXC_REPORTERS) + reporter;
}

/** The inbox of a market; the number of markets: that of collateral. */
@inline
export function inboxAt(market: u32): u32 {
  return load<u32>(0, EXC_INBOX) + market;
}

@inline
export function activeWordAt(account: u32): u32 {
  return load<u32>(0, EXC_ACTIVE) + (account >> 6);
}

@inline
export function timedWordAt(account: u32): u32 {
  return load<u32>(0, EXC_TIMED) + (account >> 6);
}

@inline
export function directoryAt(account: u32): usize {
  return <usize>load<u32>(0, EXC_DIRECTORIES) + <usize>account * DIR_BYTES;
}

/** Address of the entry of an account's position directory that holds a market's page. */
@inline
export function positionEntry(account: u32, market: u32): usize {
  return <usize>load<u32>(0, EXC_POSITIONS) + (<usize>account * <usize>load<u32>(0, EXC_POSITION_PAGES) + <usize>(market >> 2)) * 4;
}

/** A position's location; the record that is absent for ever if the account has no page for the market. */
@inline
export function positionAt(account: u32, market: u32): u32 {
  const page = load<u32>(positionEntry(account, market));
  return page == 0 ? locationOf(load<u32>(0, EXC_NULL)) : locationOf(page) + (market & 3) * 2;
}

/** Location of an account's order in a slot that has a page (directories are constant while transactions run). */
@inline
export function orderInSlot(account: u32, slot: u32): u32 {
  const directory = directoryAt(account);
  if (slot < 8) return locationOf(load<u32>(directory, DIR_FIRST)) + slot * 2;
  const page = load<u32>(<usize>load<u32>(directory, DIR_TABLE) + ((<usize>(slot >> 3)) << 3));
  return locationOf(page) + (slot & 7) * 2;
}

@inline
export function extraInSlot(account: u32, slot: u32): u32 {
  const directory = directoryAt(account);
  if (slot < 8) return locationOf(load<u32>(directory, DIR_FIRST_EXTRAS)) + slot * 2;
  const page = load<u32>(<usize>load<u32>(directory, DIR_TABLE) + ((<usize>(slot >> 3)) << 3), 4);
  return locationOf(page) + (slot & 7) * 2;
}

/** Does the slot have a page? Only a client's oid needs the question. */
export function hasSlot(account: u32, slot: u32): bool {
  if (slot >= load<u32>(0, EXC_ORDER_SLOTS)) return false;
  const directory = directoryAt(account);
  if (slot < 8) return load<u32>(directory, DIR_FIRST) != 0;
  const table = <usize>load<u32>(directory, DIR_TABLE);
  return table != 0 && load<u32>(table + ((<usize>(slot >> 3)) << 3)) != 0;
}

/** An order reference: slot << accountBits | account, + 1. */
@inline
export function orderReference(account: u32, slot: u32): u32 {
  return ((slot << load<u32>(0, EXC_ACCOUNT_BITS)) | account) + 1;
}

@inline
export function referenceAccount(reference: u32): u32 {
  return (reference - 1) & ((1 << load<u32>(0, EXC_ACCOUNT_BITS)) - 1);
}

@inline
export function orderAt(reference: u32): u32 {
  return orderInSlot(referenceAccount(reference), (reference - 1) >> load<u32>(0, EXC_ACCOUNT_BITS));
}

@inline
export function orderPageAt(account: u32, page: u32): u32 {
  return locationOf(load<u32>(0, EXC_ORDER_PAGES)) + account * ((load<u32>(0, EXC_ORDER_SLOTS) >> 6) - 1) + page - 1;
}

@inline
export function twapAt(account: u32, index: u32): u32 {
  return locationOf(load<u32>(directoryAt(account), DIR_TWAPS)) + index * 2;
}

@inline
export function hasTwaps(account: u32): bool {
  return load<u32>(directoryAt(account), DIR_TWAPS) != 0;
}

/** A record as it stands, for thread 0 and sweeps, while no transaction runs. */
@inline
export function committed<T>(location: u32): T {
  return changetype<T>(addressOf(location));
}
