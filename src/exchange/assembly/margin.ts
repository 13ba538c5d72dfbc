/**
 * Margin, positions and fills of one account (docs/rules.md, 4.3 and 4.4; protocol sections 7.2 and 7.7).
 *
 * Exact integers: notional = ticks * lots * unit in quote units. Genesis bounds unit * tickCount * maxPositionLots by 2^53, so no
 * product here leaves 63 bits; the one that could (cost * closed size) goes through 128 bits.
 */
import { create, isPresent, remove } from '../../kernel/assembly/record';
import { BLK_PRICE_EPOCH } from '../../kernel/layout';
import { EXC_MARKET_COUNT } from '../layout';
import { MarginAccount, Market, marketAt, Portfolio, portfolioAt, Position, positionAt } from './records';

/** Results of the last fill of an account: fee and closed profit. */
export let fillFee: i64 = 0; // register
export let fillClosedPnl: i64 = 0; // register

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
export function initialMargin(market: Market, ticks: i64, lots: i64): i64 {
  return divideUp(ticks * lots * market.unit, market.leverage);
}

/** a * b / d without loss, for b <= d. */
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

@inline
export function feeOf(notional: i64, ppm: i32): i64 {
  return ppm >= 0 ? divideUp(notional * ppm, 1000000) : -((notional * -ppm) / 1000000);
}

/** Takes value and margin of the positions anew if marks have changed since they were taken. */
@inline
export function refresh<V>(view: V, account: MarginAccount, number: u32): void {
  const now = load<u32>(0, BLK_PRICE_EPOCH);
  if (account.priceEpoch != now) refreshNow<V>(view, account, number, now);
}

function refreshNow<V>(view: V, account: MarginAccount, number: u32, now: u32): void {
  let value: i64 = 0;
  let margin: i64 = 0;
  if (account.positions != 0) {
    const portfolio = changetype<usize>(view.read<Portfolio>(portfolioAt(number)));
    const words = (load<u32>(0, EXC_MARKET_COUNT) + 63) >> 6;
    for (let i: u32 = 0; i < words; i++) {
      for (let bits = load<u64>(portfolio + (i << 3), 8); bits != 0; bits &= bits - 1) {
        const index = (i << 6) | <u32>ctz<u64>(bits);
        const market = marketAt(index);
        const size = view.read<Position>(positionAt(number, index)).sizeLots;
        value += <i64>market.mark * size * market.unit;
        margin += initialMargin(market, market.mark, magnitude(size));
      }
    }
  }
  account.positionValue = value;
  account.positionMargin = margin;
  account.priceEpoch = now;
}

@inline
export function available(account: MarginAccount): i64 {
  return account.collateral + account.positionValue - account.positionMargin - account.orderMargin;
}

/** What `available` would be after a fill of `lots` at `ticks` that leaves an order with `orderMargin` less reserved. */
export function availableAfter(market: Market, account: MarginAccount, size: i64, lots: i64, ticks: i64, ppm: i32, freed: i64): i64 {
  const after = size + lots;
  const fee = feeOf(ticks * magnitude(lots) * market.unit, ppm);
  return (
    available(account) +
    (<i64>market.mark - ticks) * lots * market.unit -
    fee -
    initialMargin(market, market.mark, magnitude(after)) +
    initialMargin(market, market.mark, magnitude(size)) +
    freed
  );
}

/**
 * A fill of signed `lots` at `ticks` for one account, whose value and margin are fresh. Returns the change of open interest (long sizes);
 * leaves fee and closed profit in `fillFee`, `fillClosedPnl`.
 */
export function fill<V>(
  view: V,
  market: Market,
  marketNumber: u32,
  account: MarginAccount,
  number: u32,
  lots: i64,
  ticks: i64,
  ppm: i32,
): i64 {
  const position = create<V, Position>(view, positionAt(number, marketNumber));
  const size = position.sizeLots;
  const after = size + lots;
  const unit = market.unit;
  const fee = feeOf(ticks * magnitude(lots) * unit, ppm);
  account.collateral -= ticks * lots * unit + fee;
  account.positionValue += <i64>market.mark * lots * unit;
  account.positionMargin += initialMargin(market, market.mark, magnitude(after)) - initialMargin(market, market.mark, magnitude(size));
  let closedPnl: i64 = 0;
  if (size == 0 || size > 0 == lots > 0) position.cost += ticks * lots * unit;
  else {
    const held = magnitude(size);
    const closed = min(magnitude(lots), held);
    const cost = position.cost;
    const share = <i64>multiplyDivide(<u64>magnitude(cost), <u64>closed, <u64>held);
    const released = cost < 0 ? -share : share;
    closedPnl = (size > 0 ? ticks : -ticks) * closed * unit - released;
    position.realised += closedPnl;
    position.cost = magnitude(lots) > held ? ticks * after * unit : cost - released;
  }
  position.sizeLots = after;
  if (size == 0 || after == 0) turnPortfolioBit<V>(view, account, number, marketNumber, after != 0);
  fillFee = fee;
  fillClosedPnl = closedPnl;
  return max(after, <i64>0) - max(size, <i64>0);
}

function turnPortfolioBit<V>(view: V, account: MarginAccount, number: u32, marketNumber: u32, open: bool): void {
  const portfolio = create<V, Portfolio>(view, portfolioAt(number));
  const word = changetype<usize>(portfolio) + ((<usize>(marketNumber >> 6)) << 3);
  const bit = (<u64>1) << (marketNumber & 63);
  if (open) {
    store<u64>(word, load<u64>(word, 8) | bit, 8);
    account.positions++;
  } else {
    store<u64>(word, load<u64>(word, 8) & ~bit, 8);
    account.positions--;
    if (account.positions == 0) remove<Portfolio>(portfolio);
  }
}

@inline
export function positionSize<V>(view: V, number: u32, market: u32): i64 {
  const position = view.read<Position>(positionAt(number, market));
  return isPresent<Position>(position) ? position.sizeLots : 0;
}
