/** The arithmetic of docs/rules.md on bigint: exact fractions rounded up or down, and a few words for what is written often. */

/** Rounded towards plus infinity; the divisor is positive. */
export function divideUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend > 0n && dividend % divisor !== 0n ? quotient + 1n : quotient;
}

/** Rounded towards minus infinity; the divisor is positive. */
export function divideDown(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend < 0n && dividend % divisor !== 0n ? quotient - 1n : quotient;
}

/** The next multiple of `step` at or above. */
export function roundedUp(value: bigint, step: bigint): bigint {
  return divideUp(value, step) * step;
}

export function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export function signed(negative: boolean, value: bigint): bigint {
  return negative ? -value : value;
}

export function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** Brought into the range `low` to `high`. */
export function clamp(value: bigint, low: bigint, high: bigint): bigint {
  return larger(low, smaller(value, high));
}

export function sum(values: Iterable<bigint>): bigint {
  let total = 0n;
  for (const value of values) total += value;
  return total;
}

/** Whether trading on this side brings the position nearer to zero: "opposite" in the rules. */
export function isOpposite(position: bigint, sell: boolean): boolean {
  return sell ? position > 0n : position < 0n;
}
