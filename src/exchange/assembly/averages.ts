/** Medians, and moving averages in fixed point (docs/rules.md, 5). Exact integers: every node gets the same. */

/** 2^32 / e. */
const INVERSE_E: u64 = 1580030169;
const ONE: u64 = 0x100000000;
const FRACTION: u64 = 0xffffffff;

/** e^(-dt / tau) in units of 2^-32; times in ms. */
export function decay(dt: u64, tau: u64): u64 {
  const exponent = (dt << 32) / tau;
  const whole = exponent >> 32;
  if (whole >= 22) return 0;
  const fraction = exponent & FRACTION;
  let result = ONE;
  let term = ONE;
  for (let i: u64 = 1; i <= 12; i++) {
    term = ((term * fraction) >> 32) / i;
    result = (i & 1) != 0 ? result - term : result + term;
  }
  for (let i: u64 = 0; i < whole; i++) result = (result * INVERSE_E) >> 32;
  return result;
}

/** floor(value * k / 2^32) for k up to 2^32. */
export function decayed(value: i64, k: u64): i64 {
  const high = value >> 32;
  const low = <u64>value & FRACTION;
  return high * <i64>k + <i64>((low * k) >> 32);
}

/** floor(a / b), towards minus infinity, for b > 0. */
export function floorDivide(a: i64, b: i64): i64 {
  const quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

/** The median of up to three prices, 0 = missing; of two: the floor of their mean. */
export function medianOf(a: u32, b: u32, c: u32): u32 {
  if (a == 0) return meanOf(b, c);
  if (b == 0) return meanOf(a, c);
  if (c == 0) return meanOf(a, b);
  return max(min(a, b), min(max(a, b), c));
}

function meanOf(a: u32, b: u32): u32 {
  if (a == 0) return b;
  return b == 0 ? a : (a + b) >> 1;
}

/** The weighted median of 8 prices, 0 = missing; the least price at which twice the weight up to it reaches the total. */
export function weightedMedian(prices: usize, weights: usize): u32 {
  let total: u64 = 0;
  for (let i: usize = 0; i < 32; i += 4) if (load<u32>(prices + i) != 0) total += load<u32>(weights + i);
  let best: u32 = 0;
  for (let i: usize = 0; i < 32; i += 4) {
    const price = load<u32>(prices + i);
    if (price == 0 || load<u32>(weights + i) == 0 || (best != 0 && price >= best)) continue;
    let below: u64 = 0;
    for (let j: usize = 0; j < 32; j += 4) {
      const other = load<u32>(prices + j);
      if (other != 0 && other <= price) below += load<u32>(weights + j);
    }
    if (below * 2 >= total) best = price;
  }
  return best;
}
