/**
 * Series of points by the hundred thousand, in rows outside of the heap that garbage is collected on: a head a series, and lists of rows with POINTS_PER_ROW
 * points each, of which only the last one may have room.
 *
 *   head    0  f64  known to           8  i64  deposited        written by whoever opens it, `deposit`
 *          16  f64  last time         24  u32  oldest row       written by push and thin
 *          28  u32  newest row        32  u32  points           36  u32  account
 *
 *   row     0  u32  next row            8  points, of each: f64 timeMs  i64 value  i64 pnl
 *
 * A snapshot is taken at once, however many points there are (row-space.ts), and read while series go on.
 * Invariant: the points of a series are in the order of pushing. account-values.test.ts compares them with lists of objects.
 * Not here: which points there are (account-values.ts).
 */
import { NO_ROW, type ReadableRows, RowSpace } from './row-space.ts';

export interface ValuePoint {
  readonly timeMs: number;
  readonly value: bigint;
  readonly pnl: bigint;
}

const KNOWN_TO = 0;
const DEPOSITED = 8;
const LAST_MS = 16;
const OLDEST = 24;
const NEWEST = 28;
const POINTS = 32;
const ACCOUNT = 36;
const HEAD_BYTES = 40;

const NEXT = 0;
const FIRST_POINT = 8;
const POINTS_PER_ROW = 5;
export const POINT_BYTES = 24;
const VALUE = 8;
const PNL = 16;
const ROW_BYTES = FIRST_POINT + POINTS_PER_ROW * POINT_BYTES;

/** Reads series, as they are or as they were. A series is known by the row of its head. */
export class SeriesReader {
  private readonly heads: ReadableRows;
  private readonly rows: ReadableRows;

  constructor(heads: ReadableRows, rows: ReadableRows) {
    this.heads = heads;
    this.rows = rows;
  }

  knownTo(series: number): number {
    return this.heads.view(series).getFloat64(this.heads.at(series) + KNOWN_TO, true);
  }

  deposited(series: number): bigint {
    return this.heads.view(series).getBigInt64(this.heads.at(series) + DEPOSITED, true);
  }

  /** Of the last point; -Infinity: there is none. */
  lastMs(series: number): number {
    return this.heads.view(series).getFloat64(this.heads.at(series) + LAST_MS, true);
  }

  length(series: number): number {
    return this.head(series, POINTS);
  }

  account(series: number): number {
    return this.head(series, ACCOUNT);
  }

  /** Those from a time on and before another, oldest first. */
  between(series: number, fromMs: number, toMs: number): ValuePoint[] {
    const found: ValuePoint[] = [];
    let row = this.head(series, OLDEST);
    for (let left = this.length(series); left > 0; left -= POINTS_PER_ROW) {
      const view = this.rows.view(row);
      const first = this.rows.at(row) + FIRST_POINT;
      for (let i = 0; i < Math.min(left, POINTS_PER_ROW); i++) {
        const at = first + i * POINT_BYTES;
        const timeMs = view.getFloat64(at, true);
        if (timeMs >= fromMs && timeMs < toMs) {
          found.push({ timeMs, value: view.getBigInt64(at + VALUE, true), pnl: view.getBigInt64(at + PNL, true) });
        }
      }
      row = this.next(row);
    }
    return found;
  }

  /** Copies all points of a series, POINT_BYTES each, as rows have them. */
  copyPoints(series: number, into: Uint8Array, to: number): void {
    let row = this.head(series, OLDEST);
    let at = to;
    for (let left = this.length(series); left > 0; left -= POINTS_PER_ROW) {
      const bytes = Math.min(left, POINTS_PER_ROW) * POINT_BYTES;
      into.set(new Uint8Array(this.rows.view(row).buffer, this.rows.at(row) + FIRST_POINT, bytes), at);
      at += bytes;
      row = this.next(row);
    }
  }

  protected head(series: number, field: number): number {
    return this.heads.view(series).getUint32(this.heads.at(series) + field, true);
  }

  protected next(row: number): number {
    return this.rows.view(row).getUint32(this.rows.at(row) + NEXT, true);
  }
}

export class PointSeries extends SeriesReader {
  private readonly headSpace: RowSpace;
  private readonly rowSpace: RowSpace;

  constructor() {
    const heads = new RowSpace(HEAD_BYTES);
    const rows = new RowSpace(ROW_BYTES);
    super(heads, rows);
    this.headSpace = heads;
    this.rowSpace = rows;
  }

  /** Everything as it is now. */
  snapshot(): SeriesReader {
    return new SeriesReader(this.headSpace.snapshot(), this.rowSpace.snapshot());
  }

  /** A series without points. */
  open(account: number, deposited: bigint, knownTo: number): number {
    const series = this.headSpace.take();
    const view = this.headSpace.writable(series);
    const at = this.headSpace.at(series);
    view.setFloat64(at + KNOWN_TO, knownTo, true);
    view.setBigInt64(at + DEPOSITED, deposited, true);
    view.setFloat64(at + LAST_MS, Number.NEGATIVE_INFINITY, true);
    view.setUint32(at + OLDEST, NO_ROW, true);
    view.setUint32(at + NEWEST, NO_ROW, true);
    view.setUint32(at + POINTS, 0, true);
    view.setUint32(at + ACCOUNT, account, true);
    return series;
  }

  close(series: number): void {
    this.giveBackFrom(this.head(series, OLDEST), this.length(series));
    this.headSpace.giveBack(series);
  }

  deposit(series: number, amount: bigint): void {
    const deposited = this.deposited(series) + amount;
    this.headSpace.writable(series).setBigInt64(this.headSpace.at(series) + DEPOSITED, deposited, true);
  }

  push(series: number, { timeMs, value, pnl }: ValuePoint): void {
    const { headSpace, rowSpace } = this;
    const head = headSpace.writable(series);
    const headAt = headSpace.at(series);
    const points = head.getUint32(headAt + POINTS, true);
    let row = head.getUint32(headAt + NEWEST, true);
    const place = points % POINTS_PER_ROW;
    if (place === 0) {
      const before = row;
      row = rowSpace.take();
      if (points === 0) head.setUint32(headAt + OLDEST, row, true);
      else rowSpace.writable(before).setUint32(rowSpace.at(before) + NEXT, row, true);
      head.setUint32(headAt + NEWEST, row, true);
    }
    const view = rowSpace.writable(row);
    const at = rowSpace.at(row) + FIRST_POINT + place * POINT_BYTES;
    view.setFloat64(at, timeMs, true);
    view.setBigInt64(at + VALUE, value, true);
    view.setBigInt64(at + PNL, pnl, true);
    head.setUint32(headAt + POINTS, points + 1, true);
    head.setFloat64(headAt + LAST_MS, timeMs, true);
  }

  /** Of the first `many` points the second, the fourth and so on go; returns how many have gone. */
  thin(series: number, many: number): number {
    const points = this.between(series, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    const kept = points.filter((_, i) => i >= many || i % 2 === 0);
    this.giveBackFrom(this.head(series, OLDEST), points.length);
    this.headSpace.writable(series).setUint32(this.headSpace.at(series) + POINTS, 0, true);
    for (const point of kept) this.push(series, point);
    return points.length - kept.length;
  }

  private giveBackFrom(oldest: number, points: number): void {
    let row = oldest;
    for (let left = points; left > 0; left -= POINTS_PER_ROW) {
      const next = this.next(row);
      this.rowSpace.giveBack(row);
      row = next;
    }
  }
}
