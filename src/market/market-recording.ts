/**
 * A recording in memory, in columns and in whole ticks and lots, so that it can be replayed in many markets at once.
 *
 * Starts with the first depth snapshot; trades before it have no book to meet and are left out. Reference prices (for the oracle) are
 * kept from the first line on, at most one a second. What is wrong with the file is kept in `error`: everything before it can be replayed.
 */
import { HeddleError } from '../base/errors.ts';
import { type LevelChanges, RECORDING_DECIMALS, type RecordedEvent, readRecording, type SnapshotEvent, type Venue } from './recording.ts';

export const EVENT_DEPTH = 0;
export const EVENT_TAKER_BUYS = 1;
export const EVENT_TAKER_SELLS = 2;

const REFERENCE_INTERVAL_MICROS = 1_000_000;

/** Prices in units of 10^-8. */
export interface ReferencePrice {
  readonly timeMicros: number;
  readonly price: number;
}

export interface MarketRecording {
  readonly path: string;
  /** undefined: no depth update was read. */
  readonly venue: Venue | undefined;
  /** Why the recording ends where it ends, if not because the file does. */
  readonly error: HeddleError | undefined;
  readonly events: number;
  /** EVENT_*, by event. */
  readonly kind: Uint8Array;
  readonly timeMicros: Float64Array;
  /** Rows of event i: `first[i]` to `first[i + 1] - 1`; of a depth update the bids come first, up to `firstAsk[i] - 1`; a trade has one. */
  readonly first: Uint32Array;
  readonly firstAsk: Uint32Array;
  /** By row. Lots of a depth update: the size that the level has from now on. */
  readonly priceTicks: Int32Array;
  readonly sizeLots: Float64Array;
  /** Rows of the snapshot, in the same columns. */
  readonly snapshot: { readonly first: number; readonly firstAsk: number; readonly end: number };
  readonly startMicros: number;
  readonly maxTicks: number;
  /** A tick is 10^-tickDecimals, a lot 10^-lotDecimals. */
  readonly tickDecimals: number;
  readonly lotDecimals: number;
  readonly references: readonly ReferencePrice[];
  /** Snapshots later in the file, and those of them that the book of snapshot and updates did not agree with. */
  readonly laterSnapshots: { readonly compared: number; readonly differing: number; readonly notComparable: number };
}

/** Reads a whole recording. Throws only what is not the file's fault. */
export async function loadRecording(path: string): Promise<MarketRecording> {
  const columns = new Columns(path);
  let error: HeddleError | undefined;
  try {
    for await (const event of readRecording(path)) columns.add(event);
  } catch (cause) {
    if (!(cause instanceof HeddleError)) throw cause;
    error = cause;
  }
  return columns.finish(error);
}

class Columns {
  readonly #path: string;
  #venue: Venue | undefined;
  readonly #kind: number[] = [];
  readonly #timeMicros: number[] = [];
  readonly #first: number[] = [];
  readonly #firstAsk: number[] = [];
  #prices = new Float64Array(1 << 12);
  #sizes = new Float64Array(1 << 12);
  #rows = 0;
  #snapshot: { first: number; firstAsk: number; end: number } | undefined;
  #startMicros = 0;
  /** Later snapshots, with the number of the update that they can be compared after. */
  readonly #later: { readonly event: SnapshotEvent; readonly events: number; readonly comparable: boolean }[] = [];
  #lastUpdateId = -1;
  #priceUnit = 10 ** RECORDING_DECIMALS;
  #sizeUnit = 10 ** RECORDING_DECIMALS;
  readonly #references: ReferencePrice[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  add(event: RecordedEvent): void {
    switch (event.kind) {
      case 'ticker':
        // A perpetual is priced by its trades (its own mid price would follow its own book).
        if (this.#venue !== 'perpetual') this.#reference(event.timeMicros, Math.round((event.bid + event.ask) / 2));
        break;
      case 'trade':
        this.#reference(event.timeMicros, event.price);
        if (this.#snapshot === undefined || event.price === 0 || event.size === 0) break;
        this.#begin(event.takerSells ? EVENT_TAKER_SELLS : EVENT_TAKER_BUYS, event.timeMicros);
        this.#row(event.price, event.size);
        this.#firstAsk.push(this.#rows);
        break;
      case 'snapshot':
        if (this.#snapshot !== undefined) {
          const comparable = event.lastUpdateId === this.#lastUpdateId;
          this.#later.push({ event, events: this.#kind.length, comparable });
          break;
        }
        this.#startMicros = event.timeMicros;
        this.#snapshot = { first: 0, firstAsk: event.bids.length / 2, end: (event.bids.length + event.asks.length) / 2 };
        this.#levels(event.bids);
        this.#levels(event.asks);
        break;
      case 'depth':
        this.#venue = event.venue;
        this.#lastUpdateId = event.lastUpdateId;
        this.#begin(EVENT_DEPTH, event.timeMicros);
        this.#levels(event.bids);
        this.#firstAsk.push(this.#rows);
        this.#levels(event.asks);
        break;
    }
  }

  #reference(timeMicros: number, price: number): void {
    const last = this.#references.at(-1);
    if (price > 0 && (last === undefined || timeMicros - last.timeMicros >= REFERENCE_INTERVAL_MICROS))
      this.#references.push({ timeMicros, price });
  }

  #begin(kind: number, timeMicros: number): void {
    this.#kind.push(kind);
    // Time does not go backwards: updates that waited for the snapshot take effect with it.
    this.#timeMicros.push(Math.max(timeMicros, this.#timeMicros.at(-1) ?? this.#startMicros));
    this.#first.push(this.#rows);
  }

  #levels(changes: LevelChanges): void {
    for (let i = 0; i < changes.length; i += 2) this.#row(changes[i] as number, changes[i + 1] as number);
  }

  #row(price: number, size: number): void {
    if (this.#rows === this.#prices.length) {
      this.#prices = doubled(this.#prices);
      this.#sizes = doubled(this.#sizes);
    }
    this.#prices[this.#rows] = price;
    this.#sizes[this.#rows++] = size;
    while (price % this.#priceUnit !== 0) this.#priceUnit /= 10;
    while (size % this.#sizeUnit !== 0) this.#sizeUnit /= 10;
  }

  finish(error: HeddleError | undefined): MarketRecording {
    const rows = this.#rows;
    const priceTicks = new Int32Array(rows);
    const sizeLots = new Float64Array(rows);
    let maxTicks = 0;
    for (let i = 0; i < rows; i++) {
      const ticks = (this.#prices[i] as number) / this.#priceUnit;
      priceTicks[i] = ticks;
      maxTicks = Math.max(maxTicks, ticks);
      sizeLots[i] = (this.#sizes[i] as number) / this.#sizeUnit;
    }
    const recording = {
      path: this.#path,
      venue: this.#venue,
      error: error ?? this.#noSnapshot(),
      events: this.#kind.length,
      kind: Uint8Array.from(this.#kind),
      timeMicros: Float64Array.from(this.#timeMicros),
      first: Uint32Array.from([...this.#first, rows]),
      firstAsk: Uint32Array.from(this.#firstAsk),
      priceTicks,
      sizeLots,
      snapshot: this.#snapshot ?? { first: 0, firstAsk: 0, end: 0 },
      startMicros: this.#startMicros,
      maxTicks,
      tickDecimals: decimalsOf(this.#priceUnit),
      lotDecimals: decimalsOf(this.#sizeUnit),
      references: this.#references,
    };
    return { ...recording, laterSnapshots: this.#compareLater(recording) };
  }

  #noSnapshot(): HeddleError | undefined {
    if (this.#snapshot !== undefined) return undefined;
    return new HeddleError('NO_SNAPSHOT', `${this.#path}: there is no depth snapshot in the file, so no book to start from`);
  }

  #compareLater(recording: RecordedLevels): MarketRecording['laterSnapshots'] {
    const counts = { compared: 0, differing: 0, notComparable: 0 };
    if (this.#later.length === 0) return counts;
    const book = new RecordedBook(recording);
    book.start();
    let applied = 0;
    for (const { event, events, comparable } of this.#later) {
      for (; applied < events; applied++) if (recording.kind[applied] === EVENT_DEPTH) book.apply(applied);
      if (!comparable) counts.notComparable++;
      else {
        counts.compared++;
        if (!this.#agrees(book, event.bids, false) || !this.#agrees(book, event.asks, true)) counts.differing++;
      }
    }
    return counts;
  }

  /** A snapshot shows the best levels of a side; the book may know more behind them. */
  #agrees(book: RecordedBook, levels: LevelChanges, sell: boolean): boolean {
    let worst = sell ? 0 : Number.POSITIVE_INFINITY;
    for (let i = 0; i < levels.length; i += 2) {
      const ticks = (levels[i] as number) / this.#priceUnit;
      if (book.lots(sell, ticks) !== (levels[i + 1] as number) / this.#sizeUnit) return false;
      worst = sell ? Math.max(worst, ticks) : Math.min(worst, ticks);
    }
    let within = 0;
    for (const key of book.sizes.keys()) {
      if (isSellKey(key) === sell && (sell ? ticksOfKey(key) <= worst : ticksOfKey(key) >= worst)) within++;
    }
    return within === levels.length / 2;
  }
}

type RecordedLevels = Pick<MarketRecording, 'kind' | 'first' | 'firstAsk' | 'priceTicks' | 'sizeLots' | 'snapshot'>;

/** A level of a side as one number. */
export function levelKey(sell: boolean, priceTicks: number): number {
  return priceTicks * 2 + (sell ? 1 : 0);
}

export function isSellKey(key: number): boolean {
  return (key & 1) === 1;
}

export function ticksOfKey(key: number): number {
  return key >>> 1;
}

/**
 * The recording's own book: the snapshot and then every update, taken literally. Keys are `levelKey` of the recorded price.
 * `changed` is called with every level that is set, also when its size stays the same.
 */
export class RecordedBook {
  /** Only levels with a size. */
  readonly sizes: Map<number, number>;
  readonly #recording: RecordedLevels;
  readonly #changed: (key: number, lots: number) => void;

  constructor(
    recording: RecordedLevels,
    changed: (key: number, lots: number) => void = () => {},
    sizes: ReadonlyMap<number, number> = new Map(),
  ) {
    this.#recording = recording;
    this.#changed = changed;
    this.sizes = new Map(sizes);
  }

  lots(sell: boolean, priceTicks: number): number {
    return this.sizes.get(levelKey(sell, priceTicks)) ?? 0;
  }

  start(): void {
    const { first, firstAsk, end } = this.#recording.snapshot;
    this.#applyRows(first, firstAsk, end);
  }

  /** A depth update. */
  apply(event: number): void {
    const { first, firstAsk } = this.#recording;
    this.#applyRows(first[event] as number, firstAsk[event] as number, first[event + 1] as number);
  }

  /** From the end of the recording back to its beginning: what the snapshot shows is taken from it, what lies behind it stays. */
  startAgain(): void {
    const { first, firstAsk, end } = this.#recording.snapshot;
    const { priceTicks } = this.#recording;
    let lowestBid = Number.POSITIVE_INFINITY;
    for (let row = first; row < firstAsk; row++) lowestBid = Math.min(lowestBid, priceTicks[row] as number);
    let highestAsk = 0;
    for (let row = firstAsk; row < end; row++) highestAsk = Math.max(highestAsk, priceTicks[row] as number);
    for (const key of [...this.sizes.keys()]) {
      const ticks = ticksOfKey(key);
      if (isSellKey(key) ? ticks <= highestAsk : ticks >= lowestBid) this.#set(key, 0);
    }
    this.start();
  }

  #applyRows(first: number, firstAsk: number, end: number): void {
    const { priceTicks, sizeLots } = this.#recording;
    for (let row = first; row < end; row++) this.#set(levelKey(row >= firstAsk, priceTicks[row] as number), sizeLots[row] as number);
  }

  #set(key: number, lots: number): void {
    if (lots === 0) this.sizes.delete(key);
    else this.sizes.set(key, lots);
    this.#changed(key, lots);
  }
}

function decimalsOf(unit: number): number {
  return RECORDING_DECIMALS - Math.round(Math.log10(unit));
}

function doubled(column: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}
