/** Numbers as people read them: three or four significant digits, thousands apart, the unit behind. */

const THIN_SPACE = '\u202f';

/** Three digits: 1234567 → `1.23 M`, 45600 → `45.6 k`. */
export function formatCompact(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 999.5e6) return `${significant(value / 1e9)}${THIN_SPACE}G`;
  if (size >= 999.5e3) return `${significant(value / 1e6)}${THIN_SPACE}M`;
  if (size >= 999.5) return `${significant(value / 1e3)}${THIN_SPACE}k`;
  return Number.isInteger(value) ? String(value) : significant(value);
}

/** The same for round numbers, as on axes: 1500000 → `1.5 M`. */
export function formatTick(value: number): string {
  return trimmed(formatCompact(value));
}

/** Whole numbers with their thousands apart, others with three significant digits: 1234567 → `1,234,567`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-GB');
  return trimmed(significant(value));
}

export function formatRate(perSecond: number): string {
  return `${formatTick(perSecond)}/s`;
}

/** 0.42 → `420 ns`, 1234 → `1.23 ms`. */
export function formatMicros(micros: number): string {
  if (!Number.isFinite(micros)) return '–';
  if (micros === 0) return '0';
  if (micros < 1) return `${trimmed(significant(micros * 1000))}${THIN_SPACE}ns`;
  if (micros < 999.5) return `${trimmed(significant(micros))}${THIN_SPACE}µs`;
  if (micros < 999.5e3) return `${trimmed(significant(micros / 1000))}${THIN_SPACE}ms`;
  return `${trimmed(significant(micros / 1e6))}${THIN_SPACE}s`;
}

/** 1.5 → `1.50×`. */
export function formatRatio(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio.toFixed(2)}×` : '–';
}

function significant(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0';
  if (size >= 99.95) return Math.round(value).toLocaleString('en-GB');
  return value.toFixed(size >= 9.995 ? 1 : size >= 0.995 ? 2 : 3);
}

/** Without the zeros that say nothing. */
function trimmed(text: string): string {
  return text.replace(/^(-?\d+)\.0+(?!\d)|(\.\d*?[1-9])0+(?!\d)/, (_, whole?: string, fraction?: string) => whole ?? fraction ?? '');
}
