/**
 * Margin, positions and fills of one account (docs/rules.md, 4.3 and 4.4; protocol sections 7.2 and 7.7).
 *
 * Exact integers: notional = ticks * lots * unit in quote units. Genesis bounds unit * tickCount * maxPositionLots by 2^53, so no
 * product here leaves 63 bits; those that could go through 128 bits.
 *
 * Invariant: the account's sums are those of its cross positions at the current marks after every function here.
 */
import { create, isPresent, markPresent, remove } from '../../kernel/assembly/record';
import {
  ACC_REFERRED,
  CFG_REFERRAL_DISCOUNT_PPM,
  CFG_REFERRAL_REWARD_PPM,
  CFG_REFERRAL_VOLUME,
  EXC_FEE_TIERS,
  EXC_MARKET_COUNT,
  EXC_REBATES,
  MODE_NORMAL,
  TIER_BYTES,
  TIER_DEDUCTION,
  TIER_LEVERAGE,
  TIER_LOWER,
} from '../layout';
import {
  activeWordAt,
  MarginAccount,
  Market,
  marketAt,
  Portfolio,
  portfolioAt,
  Position,
  positionAt,
  rewardsAt,
  Settings,
  settingsAt,
  Sums,
  timedWordAt,
  volumeAt,
} from './records';

/** Fields of accumulators. */
export const FIELD_A: u32 = 0;
export const FIELD_B: u32 = 1;
export const FIELD_C: u32 = 2;

/** Closed profit of the last `settle`, and the size before it. */
export let closedPnl: i64 = 0; // register
export let startLots: i64 = 0; // register
/** Referrer's part of the last `takerFee`. */
export let feeReward: i64 = 0; // register
let feeReferrer: u32 = 0; // register
/** Has the running order a referral discount? Found out at its first fill. */
let discount: u32 = 0; // register
const DISCOUNT_UNKNOWN: u32 = 0;
const DISCOUNT_NONE: u32 = 1;
const DISCOUNT_HELD: u32 = 2;

@inline
export function magnitude(value: i64): i64 {
  return value < 0 ? -value : value;
}

/** a / b rounded up, for a >= 0. */
@inline
export function divideUp(a: i64, b: i64): i64 {
  return <i64>((<u64>a + <u64>b - 1) / <u64>b);
}

@inline
export function notionalOf(market: Market, ticks: i64, lots: i64): i64 {
  return ticks * lots * market.unit;
}

/** The leverage that an account has for a market; `position` may be absent. */
@inline
export function leverageOf(market: Market, position: Position): i64 {
  const own = <i64>position.leverage;
  return own != 0 ? own : <i64>market.leverage;
}

@inline
export function isIsolated(market: Market, position: Position): bool {
  return (position.isolated | market.mode) != MODE_NORMAL;
}

@inline
export function initialMargin(market: Market, ticks: i64, lots: i64, leverage: i64): i64 {
  return divideUp(ticks * lots * market.unit, leverage);
}

/** The address of the tier that a notional falls into. */
export function tierOf(market: Market, notional: i64): usize {
  let tier = <usize>market.tiers;
  for (let i: u32 = 1; i < market.tierCount; i++) {
    if (notional < load<i64>(tier + TIER_BYTES, TIER_LOWER)) break;
    tier += TIER_BYTES;
  }
  return tier;
}

export function tierLeverage(market: Market, notional: i64): i64 {
  return load<u32>(tierOf(market, notional), TIER_LEVERAGE);
}

/** Maintenance margin of a notional. */
@inline
export function maintenanceOf(market: Market, notional: i64): i64 {
  if (notional == 0) return 0;
  const tier = market.tierCount == 1 ? <usize>market.tiers : tierOf(market, notional);
  return divideUp(notional, <i64>load<u32>(tier, TIER_LEVERAGE) * 2) - load<i64>(tier, TIER_DEDUCTION);
}

/** floor(a * b / d) without loss, for quotients below 2^64. */
export function multiplyDivide(a: u64, b: u64, d: u64): u64 {
  if (clz<u64>(a) + clz<u64>(b) >= 64) return (a * b) / d;
  // 64 x 64 -> 128 bits, then division bit by bit; rare.
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >> 32);
  const middle2 = aLow * bHigh + (middle & 0xffffffff);
  let high = aHigh * bHigh + (middle >> 32) + (middle2 >> 32);
  let rest = (middle2 << 32) | (low & 0xffffffff);
  let quotient: u64 = 0;
  high = high % d;
  for (let i = 0; i < 64; i++) {
    const carry = high >> 63;
    high = (high << 1) | (rest >> 63);
    rest <<= 1;
    quotient <<= 1;
    if (carry != 0 || high >= d) {
      high -= d;
      quotient |= 1;
    }
  }
  return quotient;
}

/** The same, rounded up. */
export function multiplyDivideUp(a: u64, b: u64, d: u64): u64 {
  const floored = multiplyDivide(a, b, d);
  // The remainder modulo 2^64 is exact, since it is below d.
  return a * b - floored * d == 0 ? floored : floored + 1;
}

@inline
export function feeOf(notional: i64, ppm: i32): i64 {
  return ppm >= 0 ? divideUp(notional * ppm, 1000000) : -((notional * -ppm) / 1000000);
}

@inline
export function builderFeeOf(notional: i64, units: u32): i64 {
  return units == 0 ? 0 : divideUp(notional * units, 100000);
}

@inline
export function makerFee(market: Market, account: MarginAccount, notional: i64): i64 {
  let ppm = market.makerPpm;
  if ((account.feeTier | account.makerTier) != 0) {
    ppm = min(ppm, load<i32>(<usize>load<u32>(0, EXC_FEE_TIERS) + ((<usize>account.feeTier) << 4), 4));
    if (account.makerTier != 0) ppm = min(ppm, load<i32>(<usize>load<u32>(0, EXC_REBATES) + ((<usize>account.makerTier) << 3)));
  }
  return feeOf(notional, ppm);
}

/** The taker's fee, less its referral discount; leaves the referrer's part in `feeReward`. */
@inline
export function takerFee<V>(view: V, market: Market, account: MarginAccount, number: u32, notional: i64): i64 {
  let ppm = market.takerPpm;
  if (account.feeTier != 0) ppm = min(ppm, load<i32>(<usize>load<u32>(0, EXC_FEE_TIERS) + ((<usize>account.feeTier) << 4)));
  const fee = feeOf(notional, ppm);
  feeReward = 0;
  return (account.flags & ACC_REFERRED) != 0 && fee > 0 ? referredFee<V>(view, number, fee) : fee;
}

/** A new order begins to match. */
@inline
export function beginFees(): void {
  discount = DISCOUNT_UNKNOWN;
  feeReward = 0;
}

function referredFee<V>(view: V, number: u32, fee: i64): i64 {
  if (discount == DISCOUNT_UNKNOWN) {
    const held = view.read<Sums>(volumeAt(number)).c < load<i64>(0, CFG_REFERRAL_VOLUME);
    discount = held ? DISCOUNT_HELD : DISCOUNT_NONE;
  }
  if (discount == DISCOUNT_NONE) return fee;
  feeReferrer = view.read<Settings>(settingsAt(number)).referrer - 1;
  const reduced = fee - (fee * load<u32>(0, CFG_REFERRAL_DISCOUNT_PPM)) / 1000000;
  feeReward = (reduced * load<u32>(0, CFG_REFERRAL_REWARD_PPM)) / 1000000;
  return reduced;
}

/** Credits the referrer with what the last `takerFee` left for it. */
@inline
export function payReferrer<V>(view: V): void {
  if (feeReward != 0) view.add(rewardsAt(feeReferrer), FIELD_B, feeReward);
}

@inline
export function available(account: MarginAccount): i64 {
  return account.collateral + account.positionValue - account.positionMargin - account.orderMargin;
}

/**
 * Can the account bear a fill of signed `lots` at `ticks` with this fee, when an order of its gives back `freed`? (docs/rules.md, 4.2)
 */
export function bears(
  market: Market,
  account: MarginAccount,
  position: Position,
  lots: i64,
  ticks: i64,
  fee: i64,
  freed: i64,
  reducing: bool,
): bool {
  const unit = market.unit;
  const mark = <i64>market.mark;
  const size = position.sizeLots;
  const after = size + lots;
  if (isIsolated(market, position)) {
    if (reducing) return position.rawUsd - ticks * lots * unit - fee + after * mark * unit >= 0;
    const turns = size != 0 && size > 0 != lots > 0;
    const opened = turns ? after : lots;
    const margin = initialMargin(market, ticks, magnitude(opened), leverageOf(market, position));
    const moved = turns ? position.rawUsd + ticks * size * unit - margin : -margin;
    if (available(account) + freed + moved < 0) return false;
    return (turns ? 0 : position.rawUsd) + margin - ticks * opened * unit - fee + after * mark * unit >= 0;
  }
  const gain = (mark - ticks) * lots * unit - fee;
  if (reducing) return account.collateral + account.positionValue + gain >= 0;
  const leverage = leverageOf(market, position);
  return (
    available(account) +
      gain +
      freed +
      initialMargin(market, mark, magnitude(size), leverage) -
      initialMargin(market, mark, magnitude(after), leverage) >=
    0
  );
}

/**
 * Books a fill of signed `lots` at `ticks`, with its fee, on the records of one account and its position: money, sums, entry cost. Leaves
 * `closedPnl` and `startLots`.
 */
export function settle(market: Market, account: MarginAccount, position: Position, lots: i64, ticks: i64, fee: i64): void {
  const size = position.sizeLots;
  const after = size + lots;
  const unit = market.unit;
  const mark = <i64>market.mark;
  startLots = size;
  if (isIsolated(market, position)) settleIsolated(market, account, position, lots, ticks, fee);
  else {
    const leverage = leverageOf(market, position);
    const before = magnitude(size);
    const later = magnitude(after);
    account.collateral -= ticks * lots * unit + fee;
    account.positionValue += mark * lots * unit;
    account.positionMargin += initialMargin(market, mark, later, leverage) - initialMargin(market, mark, before, leverage);
    account.maintenance += maintenanceOf(market, mark * later * unit) - maintenanceOf(market, mark * before * unit);
  }
  closedPnl = 0;
  if (size == 0 || size > 0 == lots > 0) position.cost += ticks * lots * unit;
  else {
    const held = magnitude(size);
    const closed = min(magnitude(lots), held);
    const cost = position.cost;
    const share = <i64>multiplyDivide(<u64>magnitude(cost), <u64>closed, <u64>held);
    const released = cost < 0 ? -share : share;
    closedPnl = (size > 0 ? ticks : -ticks) * closed * unit - released;
    position.realised += closedPnl;
    const turned = magnitude(lots) > held;
    position.cost = turned ? ticks * after * unit : cost - released;
    if (turned || after == 0) position.funding = 0;
  }
  position.sizeLots = after;
}

function settleIsolated(market: Market, account: MarginAccount, position: Position, lots: i64, ticks: i64, fee: i64): void {
  const size = position.sizeLots;
  const after = size + lots;
  const unit = market.unit;
  const mark = <i64>market.mark;
  const leverage = leverageOf(market, position);
  position.isolated = 1;
  if (size == 0 || size > 0 == lots > 0) {
    const margin = initialMargin(market, ticks, magnitude(lots), leverage);
    account.collateral -= margin;
    position.rawUsd += margin - ticks * lots * unit - fee;
    if (size == 0) account.isolated++;
  } else if (magnitude(lots) > magnitude(size)) {
    const margin = initialMargin(market, ticks, magnitude(after), leverage);
    account.collateral += position.rawUsd + ticks * size * unit - margin;
    position.rawUsd = margin - ticks * after * unit - fee;
  } else {
    const raw = position.rawUsd - ticks * lots * unit - fee;
    if (after == 0) {
      account.collateral += raw;
      position.rawUsd = 0;
      account.isolated--;
      return;
    }
    const equity = position.rawUsd + size * mark * unit;
    let release: i64 = 0;
    if (equity > 0) {
      const keep = <i64>multiplyDivideUp(<u64>equity, <u64>magnitude(after), <u64>magnitude(size));
      release = max(<i64>0, raw + after * mark * unit - keep);
    }
    account.collateral += release;
    position.rawUsd = raw - release;
  }
}

/** `settle`, and what follows from it in other records. Returns the change of open interest (long sizes). */
export function fill<V>(
  view: V,
  market: Market,
  marketNumber: u32,
  account: MarginAccount,
  number: u32,
  position: Position,
  lots: i64,
  ticks: i64,
  fee: i64,
): i64 {
  settle(market, account, position, lots, ticks, fee);
  const size = startLots;
  const after = position.sizeLots;
  if (size == 0 || after == 0) {
    if (position.triggers == 0) turnPortfolioBit<V>(view, account, number, marketNumber, after != 0);
    if (after == 0 && position.attached != 0) {
      timedSettings<V>(view, number, 0).attachedClosed = 1;
    }
  }
  return max(after, <i64>0) - max(size, <i64>0);
}

/** A position record to be written, present. */
@inline
export function openPosition<V>(view: V, number: u32, market: u32): Position {
  return create<V, Position>(view, positionAt(number, market));
}

export function turnPortfolioBit<V>(view: V, account: MarginAccount, number: u32, marketNumber: u32, open: bool): void {
  const portfolio = create<V, Portfolio>(view, portfolioAt(number));
  const word = changetype<usize>(portfolio) + ((<usize>(marketNumber >> 6)) << 3);
  const bit = (<u64>1) << (marketNumber & 63);
  if (open) {
    store<u64>(word, load<u64>(word, 8) | bit, 8);
    account.positions++;
    if (account.positions == 1) view.setBit(activeWordAt(number), number & 63);
  } else {
    store<u64>(word, load<u64>(word, 8) & ~bit, 8);
    account.positions--;
    if (account.positions == 0) remove<Portfolio>(portfolio);
  }
}

/** An account's settings, to be written, present. */
export function openSettings<V>(view: V, number: u32): Settings {
  const settings = view.write<Settings>(settingsAt(number));
  if (!isPresent<Settings>(settings)) {
    markPresent<Settings>(settings);
    settings.nextDueMs = u64.MAX_VALUE;
  }
  return settings;
}

/** Something of the account is due at `timeMs`: its settings, to be written. */
export function timedSettings<V>(view: V, number: u32, timeMs: u64): Settings {
  const settings = openSettings<V>(view, number);
  settings.nextDueMs = min(settings.nextDueMs, timeMs);
  view.setBit(timedWordAt(number), number & 63);
  return settings;
}

/** Words of a portfolio that can have bits. */
@inline
export function portfolioWords(): u32 {
  return (load<u32>(0, EXC_MARKET_COUNT) + 63) >> 6;
}

/** Sum of the notionals of an account's cross positions, at the marks. */
export function crossNotional<V>(view: V, number: u32): i64 {
  let sum: i64 = 0;
  const portfolio = changetype<usize>(view.read<Portfolio>(portfolioAt(number)));
  const words = portfolioWords();
  for (let i: u32 = 0; i < words; i++) {
    for (let bits = load<u64>(portfolio + (i << 3), 8); bits != 0; bits &= bits - 1) {
      const index = (i << 6) | <u32>ctz<u64>(bits);
      const market = marketAt(index);
      const position = view.read<Position>(positionAt(number, index));
      if (position.isolated == 0) sum += notionalOf(market, market.mark, magnitude(position.sizeLots));
    }
  }
  return sum;
}

/** What may leave the cross collateral (docs/rules.md, 4.4; protocol section 7.2). */
export function transferable<V>(view: V, account: MarginAccount, number: u32): i64 {
  const tenth = account.positions == 0 ? 0 : divideUp(crossNotional<V>(view, number), 10);
  const free = account.collateral + account.positionValue - account.orderMargin - max(account.positionMargin, tenth);
  return max(free, <i64>0);
}

/** Cross account value and the equity of all isolated positions. */
export function accountValue<V>(view: V, account: MarginAccount, number: u32): i64 {
  let sum = account.collateral + account.positionValue;
  if (account.isolated == 0) return sum;
  const portfolio = changetype<usize>(view.read<Portfolio>(portfolioAt(number)));
  const words = portfolioWords();
  for (let i: u32 = 0; i < words; i++) {
    for (let bits = load<u64>(portfolio + (i << 3), 8); bits != 0; bits &= bits - 1) {
      const index = (i << 6) | <u32>ctz<u64>(bits);
      const position = view.read<Position>(positionAt(number, index));
      if (position.isolated != 0) {
        const market = marketAt(index);
        sum += position.rawUsd + <i64>market.mark * position.sizeLots * market.unit;
      }
    }
  }
  return sum;
}
