/**
 * Exact numbers as the protocol writes them: decimal strings without exponent and without trailing zeros, and back.
 *
 * Invariant: reading what was written gives the number that was written; nothing is rounded here.
 */

/** An integer in units of 10^-decimals: (12500, 3) is "12.5". */
export function scaledText(value: bigint, decimals: number): string {
  const sign = value < 0n ? '-' : '';
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = decimals === 0 ? '' : digits.slice(-decimals).replace(/0+$/, '');
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** The number in units of 10^-decimals; undefined: the text is no decimal number, or has more decimals than that. */
export function scaledOf(text: string, decimals: number): bigint | undefined {
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
