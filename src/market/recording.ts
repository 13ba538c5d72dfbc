/**
 * Reads raw recordings of Binance market data: each line is the time of receipt in ns (19 digits), a blank, and a JSON object, either
 * `{stream, data}` of a websocket or a REST depth snapshot. USD-M perpetuals and spot differ in how depth updates are numbered.
 *
 * Depth updates come out in sequence, starting with the first one that belongs on top of the first snapshot (the rules of "how to manage a
 * local order book correctly" in the exchange's documentation): updates received before the snapshot wait for it, those that it already
 * contains are dropped. Trades and best prices come out wherever they are.
 *
 * Invariant: events before a damage are yielded before the damage is thrown, with the number of its line.
 */
import { HeddleError } from '../base/errors.ts';
import { recordingLines } from './recording-lines.ts';

/** Prices and sizes are integers in units of 10^-8. */
export const RECORDING_DECIMALS = 8;

export type Venue = 'perpetual' | 'spot';

interface Received {
  /** Number of the line, from 1. */
  readonly line: number;
  readonly timeMicros: number;
}

/** Price, size, price, size ...; a size of 0 removes the level. */
export type LevelChanges = readonly number[];

export interface SnapshotEvent extends Received {
  readonly kind: 'snapshot';
  readonly lastUpdateId: number;
  readonly bids: LevelChanges;
  readonly asks: LevelChanges;
}

export interface DepthEvent extends Received {
  readonly kind: 'depth';
  readonly venue: Venue;
  readonly lastUpdateId: number;
  readonly bids: LevelChanges;
  readonly asks: LevelChanges;
}

export interface TradeEvent extends Received {
  readonly kind: 'trade';
  readonly price: number;
  readonly size: number;
  readonly takerSells: boolean;
}

/** Best bid and ask. */
export interface TickerEvent extends Received {
  readonly kind: 'ticker';
  readonly bid: number;
  readonly ask: number;
}

export type RecordedEvent = SnapshotEvent | DepthEvent | TradeEvent | TickerEvent;

interface Update extends DepthEvent {
  readonly firstUpdateId: number;
  /** Spot: the number before `firstUpdateId`. */
  readonly previousUpdateId: number;
}

/** Throws HeddleError: what `recordingLines` throws, BAD_LINE, TRUNCATED_LINE, OUT_OF_SEQUENCE. */
export async function* readRecording(path: string): AsyncGenerator<RecordedEvent> {
  const sequence = new DepthSequence(path);
  let line = 0;
  for await (const text of recordingLines(path)) {
    line++;
    const event = parseLine(path, text, line);
    if (event === undefined) continue;
    if (event.kind === 'snapshot') yield* sequence.snapshot(event);
    else if (event.kind === 'depth') yield* sequence.update(event);
    else yield event;
  }
}

/** Puts snapshots and depth updates together. */
class DepthSequence {
  readonly #path: string;
  #waiting: Update[] = [];
  #snapshotId: number | undefined;
  /** Number of the last update passed on; undefined until the first one after the snapshot. */
  #previousId: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  *snapshot(event: SnapshotEvent): Generator<RecordedEvent> {
    yield event;
    if (this.#snapshotId !== undefined) return; // A later one: for comparison only.
    this.#snapshotId = event.lastUpdateId;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const update of waiting) yield* this.update(update);
  }

  *update(update: Update): Generator<RecordedEvent> {
    const { firstUpdateId, lastUpdateId, previousUpdateId, venue } = update;
    const snapshotId = this.#snapshotId;
    if (snapshotId === undefined) {
      this.#waiting.push(update);
      return;
    }
    if (this.#previousId === undefined) {
      const needed = venue === 'perpetual' ? snapshotId : snapshotId + 1;
      if (lastUpdateId < needed) return;
      if (firstUpdateId > needed) {
        this.#fail(update, `the first depth update after the snapshot starts at ${firstUpdateId}, but the snapshot ends at ${snapshotId}`);
      }
    } else if (previousUpdateId !== this.#previousId) {
      this.#fail(update, `a depth update follows ${previousUpdateId}, but the one before it ended at ${this.#previousId}`);
    }
    this.#previousId = lastUpdateId;
    yield update;
  }

  #fail({ line }: Update, what: string): never {
    throw new HeddleError('OUT_OF_SEQUENCE', `${this.#path}: line ${line}: depth updates out of sequence: ${what}`);
  }
}

/** undefined: a line of a kind that is not needed. */
function parseLine(path: string, text: string, line: number): SnapshotEvent | Update | TradeEvent | TickerEvent | undefined {
  const bad = (code: string, what: string, cause?: unknown): HeddleError =>
    new HeddleError(code, `${path}: line ${line}: ${what}`, { cause });
  if (!/^\d{19} \{/.test(text)) {
    if (/^\d{0,19} ?$/.test(text) && text !== '') throw bad('TRUNCATED_LINE', 'the line is cut off');
    throw bad('BAD_LINE', 'not a line of a recording (19 digits of time, a blank, a JSON object)');
  }
  const timeMicros = Number(text.slice(0, 16));
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.slice(20));
  } catch (cause) {
    const { message } = cause as Error;
    if (endsEarly(message, text.length - 20)) throw bad('TRUNCATED_LINE', 'the line is cut off', cause);
    throw bad('BAD_LINE', `not JSON (${message})`, cause);
  }
  try {
    return eventOf(parsed as RawLine, line, timeMicros);
  } catch (cause) {
    throw bad('BAD_LINE', (cause as Error).message, cause);
  }
}

/** Did the parser fail at the end of the text, so that more of it might have been right? */
function endsEarly(message: string, length: number): boolean {
  return /^Un(?:expected end|terminated)/.test(message) || Number(/position (\d+)/.exec(message)?.[1] ?? -1) >= length;
}

interface RawLine {
  readonly stream?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

function eventOf(raw: RawLine, line: number, timeMicros: number): SnapshotEvent | Update | TradeEvent | TickerEvent | undefined {
  const { stream, data } = raw;
  if (stream === undefined) {
    const lastUpdateId = integer(raw, 'lastUpdateId');
    return { kind: 'snapshot', line, timeMicros, lastUpdateId, bids: levels(raw, 'bids'), asks: levels(raw, 'asks') };
  }
  if (typeof data !== 'object' || data === null) throw new Error('the field data is missing');
  const name = stream.slice(stream.indexOf('@') + 1);
  if (name === 'trade') {
    if (typeof data.m !== 'boolean') throw new Error('the field m is not a boolean');
    return { kind: 'trade', line, timeMicros, price: decimal(data, 'p'), size: decimal(data, 'q'), takerSells: data.m };
  }
  if (name === 'bookTicker') return { kind: 'ticker', line, timeMicros, bid: decimal(data, 'b'), ask: decimal(data, 'a') };
  if (name !== 'depth' && !name.startsWith('depth@')) return undefined;
  const firstUpdateId = integer(data, 'U');
  const isPerpetual = data.pu !== undefined;
  return {
    kind: 'depth',
    line,
    timeMicros,
    venue: isPerpetual ? 'perpetual' : 'spot',
    firstUpdateId,
    lastUpdateId: integer(data, 'u'),
    previousUpdateId: isPerpetual ? integer(data, 'pu') : firstUpdateId - 1,
    bids: levels(data, 'b'),
    asks: levels(data, 'a'),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function integer(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Error(`the field ${name} is not an integer`);
  return value;
}

function decimal(fields: Fields, name: string): number {
  const value = parseDecimal(fields[name]);
  if (value < 0) throw new Error(`the field ${name} is not a decimal number`);
  return value;
}

function levels(fields: Fields, name: string): number[] {
  const pairs = fields[name];
  if (!Array.isArray(pairs)) throw new Error(`the field ${name} is not a list of levels`);
  const flat = new Array<number>(pairs.length * 2);
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i];
    const price = Array.isArray(pair) ? parseDecimal(pair[0]) : -1;
    const size = Array.isArray(pair) ? parseDecimal(pair[1]) : -1;
    if (price <= 0 || size < 0) throw new Error(`the field ${name} has a level that is not a price and a size`);
    flat[i * 2] = price;
    flat[i * 2 + 1] = size;
  }
  return flat;
}

/** Units of 10^-8; -1 if it is not a decimal number with at most eight decimals and below 2^53. */
function parseDecimal(text: unknown): number {
  if (typeof text !== 'string' || text.length === 0 || text.length > 24) return -1;
  let value = 0;
  let decimals = -1;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) {
      if (decimals === RECORDING_DECIMALS) {
        if (digit !== 0) return -1;
        continue;
      }
      value = value * 10 + digit;
      if (decimals >= 0) decimals++;
    } else if (digit === -2 && decimals < 0 && i > 0) decimals = 0;
    else return -1;
  }
  value *= 10 ** (RECORDING_DECIMALS - Math.max(decimals, 0));
  return Number.isSafeInteger(value) ? value : -1;
}
