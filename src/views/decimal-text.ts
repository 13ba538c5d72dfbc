/**
 * Exact numbers as the protocol writes them: decimal strings without exponent and without trailing zeros, and back.
 *
 * Invariant: reading what was written gives the number that was written; nothing is rounded here.
 */

/** An integer in units of 10^-decimals: (12500, 3) is "12.5". */
export function scaledText(value: bigint, decimals: number): string {
  return value >= 0n && value <= EXACT_MOST ? shortText(Number(value), decimals) : longText(value, decimals);
}

const EXACT_MOST = BigInt(Number.MAX_SAFE_INTEGER);

/** Most numbers of the protocol, and several times as fast. */
function shortText(value: number, decimals: number): string {
  const unit = 10 ** decimals;
  let fraction = value % unit;
  const whole = (value - fraction) / unit;
  if (fraction === 0) return String(whole);
  let places = decimals;
  for (; fraction % 10 === 0; places--) fraction /= 10;
  return `${whole}.${String(fraction).padStart(places, '0')}`;
}

/** Whatever the size. */
export function longText(value: bigint, decimals: number): string {
  const sign = value < 0n ? '-' : '';
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = decimals === 0 ? '' : digits.slice(-decimals).replace(/0+$/, '');
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** The number in units of 10^-decimals; undefined: the text is no decimal number, or has more decimals than that. */
export function scaledOf(text: string, decimals: number): bigint | undefined {
  const short = shortScaled(text, decimals);
  return short === undefined ? longScaled(text, decimals) : BigInt(short);
}

/** So many characters have a number that is exact, if it still is with all decimals. */
const SHORT_MAX = 16;
const ZERO = 0x30;
const POINT = 0x2e;

/** The same for a text that is short, without a sign; undefined: it is another, or no number at all. */
export function shortScaled(text: string, decimals: number): number | undefined {
  const { length } = text;
  if (length === 0 || length > SHORT_MAX) return undefined;
  let value = 0;
  let point = -1;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    const digit = unit - ZERO;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (unit === POINT && point < 0 && i > 0 && i < length - 1) point = i;
    else return undefined;
  }
  let places = point < 0 ? 0 : length - 1 - point;
  for (; places > decimals; places--) {
    if (value % 10 !== 0) return undefined;
    value /= 10;
  }
  for (; places < decimals; places++) value *= 10;
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** Whatever the length. */
export function longScaled(text: string, decimals: number): bigint | undefined {
  const match = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?$/.exec(text);
  if (match === null) return undefined;
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals) return undefined;
  const magnitude = BigInt(`${match[2]}${fraction.padEnd(decimals, '0')}`);
  return match[1] === '-' ? -magnitude : magnitude;
}

export const QUOTE_DECIMALS = 6;
/** Rates of funding. */
const RATE_DECIMALS = 10;
const PPM_DECIMALS = 6;

/** Quote units: 10^-6 of the quote token. */
export const quoteText = (units: bigint): string => scaledText(units, QUOTE_DECIMALS);
/** Rates in units of 10^-10. */
export const rateText = (rate: bigint): string => scaledText(rate, RATE_DECIMALS);
/** Shares in millionths: 450 is "0.00045". */
export const ppmText = (ppm: number): string => scaledText(BigInt(ppm), PPM_DECIMALS);
