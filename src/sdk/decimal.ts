/**
 * Decimal numbers as texts, exactly: to and from whole numbers of 10^-decimals, and the protocol's rules for prices and sizes (section 4).
 *
 *   size    at most szDecimals decimals
 *   price   at most 5 significant digits and at most 6 - szDecimals decimals; a whole number whatever its digits
 *
 * Invariant: nothing is rounded unless the function says so, and a number has one text: no exponent, no zeros that say nothing.
 * Not here: the tick of a market of a node whose rules differ (its `meta` says so).
 */
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';

const SIGNIFICANT_DIGITS_MAX = 5;
/** Decimals of price and size together. */
const PERP_DECIMALS = 6;
/** Longer than any amount; bounds the work that a text can cause. */
const LENGTH_MAX = 64;

interface Digits {
  readonly isNegative: boolean;
  /** Without leading zeros; empty for less than 1. */
  readonly whole: string;
  /** Without trailing zeros. */
  readonly fraction: string;
}

/** Undefined: the text is no decimal number. Signs: "-" only; digits are needed on both sides of a point. */
function digitsOf(text: string): Digits | undefined {
  const match = text.length <= LENGTH_MAX ? /^(-?)0*(\d*?)(?:\.(\d*?)0*)?$/.exec(text) : null;
  if (match === null || !/^-?\d+(\.\d+)?$/.test(text)) return undefined;
  return { isNegative: match[1] === '-', whole: match[2] ?? '', fraction: match[3] ?? '' };
}

/** A text as a number of 10^-decimals. Undefined: it is no decimal number, or has more decimals than that. */
export function parseDecimal(text: string, decimals: number): bigint | undefined {
  const digits = digitsOf(text);
  if (digits === undefined || digits.fraction.length > decimals) return undefined;
  const size = BigInt(digits.whole + digits.fraction.padEnd(decimals, '0'));
  return digits.isNegative ? -size : size;
}

/** A number of 10^-decimals as a text. */
export function formatDecimal(value: bigint, decimals: number): string {
  assert(Number.isInteger(decimals) && decimals >= 0, `decimals ${decimals}`);
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The one text of the same number; undefined: it is no decimal number. */
export function normalDecimal(text: string): string | undefined {
  const digits = digitsOf(text);
  if (digits === undefined) return undefined;
  const value = `${digits.whole === '' ? '0' : digits.whole}${digits.fraction === '' ? '' : `.${digits.fraction}`}`;
  return digits.isNegative && value !== '0' ? `-${value}` : value;
}

/** Why a text is not a size of a market: `text` is no positive number, or has too many decimals. Undefined: it is one. */
export function sizeFault(text: string, szDecimals: number): 'NOT_POSITIVE' | 'TOO_PRECISE' | undefined {
  const digits = digitsOf(text);
  if (digits === undefined || digits.isNegative || digits.whole + digits.fraction === '') return 'NOT_POSITIVE';
  return digits.fraction.length > szDecimals ? 'TOO_PRECISE' : undefined;
}

/** The same for a price. */
export function priceFault(text: string, szDecimals: number): 'NOT_POSITIVE' | 'TOO_PRECISE' | undefined {
  const digits = digitsOf(text);
  if (digits === undefined || digits.isNegative || digits.whole + digits.fraction === '') return 'NOT_POSITIVE';
  if (digits.fraction === '') return undefined;
  const significant = (digits.whole + digits.fraction).replace(/^0+/, '').length;
  const isValid = significant <= SIGNIFICANT_DIGITS_MAX && digits.fraction.length <= PERP_DECIMALS - szDecimals;
  return isValid ? undefined : 'TOO_PRECISE';
}

export type Rounding = 'down' | 'up';

/** The next valid price that is not above (`down`), or not below (`up`), the one given. Throws INVALID_DECIMAL. */
export function roundPrice(text: string, szDecimals: number, rounding: Rounding): string {
  const digits = positive(text);
  const decimalsMax = Math.max(0, PERP_DECIMALS - szDecimals);
  // Places behind the point that five significant digits leave; whole numbers are valid as they are.
  const firstSignificant = digits.whole === '' ? -(/^0*/.exec(digits.fraction)?.[0].length ?? 0) : digits.whole.length;
  const decimals = Math.min(decimalsMax, Math.max(0, SIGNIFICANT_DIGITS_MAX - firstSignificant));
  return rounded(digits, decimals, rounding);
}

/** The next valid size; `down` may be 0. Throws INVALID_DECIMAL. */
export function roundSize(text: string, szDecimals: number, rounding: Rounding): string {
  return rounded(positive(text), szDecimals, rounding);
}

function positive(text: string): Digits {
  const digits = digitsOf(text);
  if (digits === undefined || digits.isNegative)
    throw new HeddleError('INVALID_DECIMAL', `"${text.slice(0, LENGTH_MAX)}" is no decimal number from 0`);
  return digits;
}

function rounded({ whole, fraction }: Digits, decimals: number, rounding: Rounding): string {
  const kept = BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0'));
  const isExact = fraction.length <= decimals;
  return formatDecimal(kept + (rounding === 'up' && !isExact ? 1n : 0n), decimals);
}
