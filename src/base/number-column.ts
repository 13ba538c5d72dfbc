/**
 * Numbers of one kind in a column: as what they are above the least, as signed numbers, as differences from the one before, or from the
 * last one with the same key, whichever has fewer bits; then byte by byte, all lowest bytes first. A general compressor finds little in
 * numbers that stand in rows; in planes like these it finds what is rare and what repeats.
 *
 *   varint count; if it is not 0:
 *   u8  form in bits 0, 1 (ABOVE_LEAST ...); width w in bits 2 to 5
 *   u8  bytes of the base, then the base: the least number, the first one, or 0. Little endian, the highest byte is not 0
 *   w planes of `count` bytes. What is signed is modulo 2^64 and in zigzag: 0, -1, 1, -2 ...
 *
 * Invariant: all numbers from 0 to 2^64 - 1 come back exactly. A number is two words, so that none becomes a bigint on the way.
 * Not here: that a column has one encoding. Whoever needs that encodes again what it has read (ledger/block-columns.ts).
 */
import { type ByteCursor, concatenate, varintBytes } from './byte-cursor.ts';

const ABOVE_LEAST = 0;
const SIGNED = 1;
const FROM_LAST = 2;
const FROM_KEY = 3;
const FORM_BITS = 2;
const WIDTH_MAX = 8;
/** The form is chosen by so many numbers of a column, evenly spread, or a few more. What is encoded depends on it. Measured: 512 are 1 % smaller at best. */
const LOOKED_AT = 256;

/** Numbers with their lower and upper words; of each the index of the one that it is compared with, if they have keys. */
export interface Numbers {
  readonly lows: Uint32Array;
  readonly highs: Uint32Array;
  /** Below the number's own index; -1 for the first. */
  readonly before?: Int32Array;
}

/** How a column is to be packed. */
export interface Choice {
  readonly form: number;
  /** About how many bits the numbers that were looked at have in this form. */
  readonly bits: number;
  /** Where the least number is. */
  readonly least: number;
}

export function packNumbers(numbers: Numbers, { form, least }: Choice = chooseForm(numbers)): Uint8Array {
  const { lows, highs, before } = numbers;
  const { length } = lows;
  if (length === 0) return varintBytes(0);
  const isSigned = form !== ABOVE_LEAST;
  const base = form === ABOVE_LEAST ? least : 0;
  const baseLow = form === SIGNED ? 0 : (lows[base] as number);
  const baseHigh = form === SIGNED ? 0 : (highs[base] as number);
  const packedLows = new Uint32Array(length);
  const packedHighs = new Uint32Array(length);
  let allLow = 0;
  let allHigh = 0;
  for (let i = 0; i < length; i++) {
    const from = form === FROM_LAST ? i - 1 : form === FROM_KEY ? (before?.[i] as number) : -1;
    const fromLow = from < 0 ? baseLow : (lows[from] as number);
    const fromHigh = from < 0 ? baseHigh : (highs[from] as number);
    const ownLow = lows[i] as number;
    let low = (ownLow - fromLow) | 0;
    let high = ((highs[i] as number) - fromHigh - (ownLow < fromLow ? 1 : 0)) | 0;
    if (isSigned) {
      const sign = high >> 31;
      high = ((high << 1) | (low >>> 31)) ^ sign;
      low = (low << 1) ^ sign;
    }
    packedLows[i] = low;
    packedHighs[i] = high;
    allLow |= low;
    allHigh |= high;
  }
  const width = (bitsOf(allLow, allHigh) + 7) >>> 3;
  const baseBytes = wordBytes(baseLow, baseHigh);
  const front = concatenate([varintBytes(length), Uint8Array.of(form | (width << FORM_BITS), baseBytes.length), baseBytes]);
  const bytes = new Uint8Array(front.length + width * length);
  bytes.set(front);
  for (let plane = 0; plane < width; plane++) {
    const words = plane < 4 ? packedLows : packedHighs;
    const shift = (plane & 3) * 8;
    const at = front.length + plane * length;
    for (let i = 0; i < length; i++) bytes[at + i] = (words[i] as number) >>> shift;
  }
  return bytes;
}

/**
 * The form with the fewest bits, the first one of those that are alike: for packing, and for comparing ways to put the same things into columns. Of many
 * columns all numbers are alike, so that nothing has to be counted.
 */
export function chooseForm({ lows, highs, before }: Numbers): Choice {
  const { length } = lows;
  let least = 0;
  let leastLow = length === 0 ? 0 : (lows[0] as number);
  let leastHigh = length === 0 ? 0 : (highs[0] as number);
  let different = 0;
  for (let i = 1; i < length; i++) {
    const [low, high] = [lows[i] as number, highs[i] as number];
    different |= (low ^ leastLow) | (high ^ leastHigh);
    if (high > leastHigh || (high === leastHigh && low >= leastLow)) continue;
    least = i;
    leastLow = low;
    leastHigh = high;
  }
  if (different === 0) return { form: ABOVE_LEAST, bits: 0, least: 0 };
  const step = Math.max(1, Math.floor(length / LOOKED_AT));
  let [above, signed, fromLast, fromKey] = [0, 0, 0, 0];
  for (let i = 0; i < length; i += step) {
    const [low, high] = [lows[i] as number, highs[i] as number];
    above += bitsOf((low - leastLow) | 0, (high - leastHigh - (low < leastLow ? 1 : 0)) | 0);
    signed += signedBits(low, high);
    if (i === 0) continue;
    fromLast += differenceBits(low, high, lows[i - 1] as number, highs[i - 1] as number);
    if (before === undefined) continue;
    const from = before[i] as number;
    fromKey += differenceBits(low, high, lows[from] as number, highs[from] as number);
  }
  const bits = [above, signed, fromLast, before === undefined ? Number.POSITIVE_INFINITY : fromKey];
  const fewest = Math.min(...bits);
  return { form: bits.indexOf(fewest), bits: fewest, least };
}

/** In zigzag. */
function differenceBits(low: number, high: number, fromLow: number, fromHigh: number): number {
  return signedBits((low - fromLow) | 0, (high - fromHigh - (low < fromLow ? 1 : 0)) | 0);
}

/**
 * Of a number of two words, each as a signed one: of others the compiler has no `clz32` that it stays with, and makes this function, and all that it has
 * put it into, anew again and again. Measured: a quarter of all that was compiled under load.
 */
function bitsOf(low: number, high: number): number {
  return high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high);
}

/** In zigzag. */
function signedBits(low: number, high: number): number {
  if ((low | high) === 0) return 0;
  const sign = high >> 31;
  return 1 + bitsOf(low ^ sign, high ^ sign);
}

/** A column that numbers are added to one by one. */
export class NumberColumn {
  private length = 0;
  private lows = new Uint32Array(16);
  private highs = new Uint32Array(16);
  private before: Int32Array;
  private readonly lastWithKey: Map<number, number> | undefined;

  /** `isKeyed`: each number is compared with the last one with its key, and with the one before if there is none. */
  constructor(isKeyed = false) {
    this.lastWithKey = isKeyed ? new Map() : undefined;
    this.before = new Int32Array(isKeyed ? 16 : 0);
  }

  push(low: number, high: number, key = 0): void {
    const at = this.length++;
    if (at === this.lows.length) this.grow();
    this.lows[at] = low;
    this.highs[at] = high;
    if (this.lastWithKey === undefined) return;
    this.before[at] = this.lastWithKey.get(key) ?? at - 1;
    this.lastWithKey.set(key, at);
  }

  bytes(): Uint8Array {
    const { length } = this;
    const keys = this.lastWithKey === undefined ? {} : { before: this.before.subarray(0, length) };
    return packNumbers({ lows: this.lows.subarray(0, length), highs: this.highs.subarray(0, length), ...keys });
  }

  private grow(): void {
    this.lows = doubled(this.lows, Uint32Array);
    this.highs = doubled(this.highs, Uint32Array);
    if (this.lastWithKey !== undefined) this.before = doubled(this.before, Int32Array);
  }
}

/** The numbers of a column in their order; nothing is unpacked before it is asked for. */
export class NumberColumnReader {
  /** The number that `next` has read: its lower and its upper word. */
  low = 0;
  high = 0;
  readonly length: number;
  private readonly cursor: ByteCursor;
  private readonly form: number;
  private readonly width: number;
  private readonly baseLow: number;
  private readonly baseHigh: number;
  private readonly planes: Uint8Array;
  private readonly lastWithKey: Map<number, readonly [low: number, high: number]> | undefined;
  private at = 0;

  /** Throws MALFORMED. */
  constructor(cursor: ByteCursor, isKeyed = false) {
    this.cursor = cursor;
    this.length = cursor.varint();
    const form = this.length === 0 ? 0 : cursor.byte();
    this.form = form & ((1 << FORM_BITS) - 1);
    this.width = form >>> FORM_BITS;
    if (this.width > WIDTH_MAX || (this.form === FROM_KEY && !isKeyed)) cursor.malformed(`a column of the form ${form}`);
    this.lastWithKey = this.form === FROM_KEY ? new Map() : undefined;
    const baseBytes = this.length === 0 ? 0 : cursor.byte();
    if (baseBytes > WIDTH_MAX) cursor.malformed(`a number of ${baseBytes} bytes`);
    const base = cursor.take(baseBytes);
    this.baseLow = wordAt(base, 0);
    this.baseHigh = wordAt(base, 4);
    this.planes = cursor.take(this.length * this.width);
  }

  /** Throws MALFORMED if there is none. */
  next(key = 0): void {
    const { at, length, width, planes, form } = this;
    if (at >= length) this.cursor.malformed('a column ends too early');
    let low = 0;
    let high = 0;
    for (let plane = 0; plane < width; plane++) {
      const byte = planes[plane * length + at] as number;
      if (plane < 4) low |= byte << (plane * 8);
      else high |= byte << (plane * 8 - 32);
    }
    this.at++;
    if (form !== ABOVE_LEAST) {
      const sign = -(low & 1);
      low = ((low >>> 1) | (high << 31)) ^ sign;
      high = (high >>> 1) ^ sign;
    }
    const before = this.lastWithKey?.get(key);
    if (before !== undefined) this.add(before[0], before[1], low >>> 0, high);
    else if (form < FROM_LAST || at === 0) this.add(this.baseLow, this.baseHigh, low >>> 0, high);
    else this.add(this.low, this.high, low >>> 0, high);
    this.lastWithKey?.set(key, [this.low, this.high]);
  }

  /** Throws MALFORMED if there are more. */
  end(): void {
    if (this.at < this.length) this.cursor.malformed(`${this.length - this.at} numbers of a column are left over`);
  }

  private add(low: number, high: number, moreLow: number, moreHigh: number): void {
    const sum = low + moreLow;
    this.low = sum >>> 0;
    this.high = (high + moreHigh + (sum > 0xffffffff ? 1 : 0)) >>> 0;
  }
}

function wordBytes(low: number, high: number): Uint8Array {
  const bytes = new Uint8Array((bitsOf(low, high) + 7) >>> 3);
  for (let i = 0; i < bytes.length; i++) bytes[i] = i < 4 ? low >>> (i * 8) : high >>> (i * 8 - 32);
  return bytes;
}

function wordAt(bytes: Uint8Array, from: number): number {
  let word = 0;
  for (let i = 0; i < 4; i++) word |= (bytes[from + i] ?? 0) << (i * 8);
  return word >>> 0;
}

function doubled<T extends Uint32Array | Int32Array>(column: T, Column: new (length: number) => T): T {
  const larger = new Column(column.length * 2);
  larger.set(column);
  return larger;
}
