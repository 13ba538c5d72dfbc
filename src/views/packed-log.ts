/**
 * The newest entries of many owners, as BoundedLog keeps them, with every entry packed into a row outside of the heap that garbage is collected on.
 * An entry is written when it comes and read again when somebody asks.
 *
 *   row        0  u32  older of all       4  u32  newer of all        written by push and drop
 *              8  u32  owner's older     12  u32  owner's newer
 *             16  u32  owner's row       20  u32  not used
 *             24  f64  time              32  what the codec writes
 *
 *   owner      0  u32  number             4  u32  oldest entry        written by push and drop
 *              8  u32  newest entry      12  u32  entries, at least 1
 *
 * Invariant: both lists of an entry are in the order of pushing; times of one owner never fall.
 * bounded-log.ts is the twin that is plain; packed-log.test.ts compares them.
 */
import { assert } from '../base/assert.ts';
import { HashIndex, NONE } from '../base/hash-index.ts';
import { hashOfPair } from '../base/key-hash.ts';
import type { LogLimits, Timed } from './bounded-log.ts';
import { NO_ROW, RowSpace } from './row-space.ts';

/** Facts as bytes. */
export interface RowCodec<T> {
  readonly bytes: number;
  readonly write: (view: DataView, at: number, fact: T) => void;
  /** `timeMs`: of the fact. */
  readonly read: (view: DataView, at: number, timeMs: number) => T;
  /** Called when the row goes. */
  readonly gone?: (view: DataView, at: number) => void;
}

const OLDER = 0;
const NEWER = 4;
const OWN_OLDER = 8;
const OWN_NEWER = 12;
const OWNER = 16;
const TIME = 24;
const FACT = 32;

const OWNER_BYTES = 16;
const OWNER_NUMBER = 0;
const OWNER_OLDEST = 4;
const OWNER_NEWEST = 8;
const OWNER_COUNT = 12;

export class PackedLog<T extends Timed> {
  private readonly codec: RowCodec<T>;
  private readonly rows: RowSpace;
  private readonly owners = new RowSpace(OWNER_BYTES);
  private readonly ownerIndex = new HashIndex();
  private oldest = NO_ROW;
  private newestRow = NO_ROW;
  private count = 0;
  private readonly mostEach: number;
  private readonly mostAll: number;

  constructor(codec: RowCodec<T>, limits: LogLimits) {
    this.codec = codec;
    this.rows = new RowSpace(FACT + codec.bytes);
    this.mostEach = limits.each;
    this.mostAll = limits.all;
  }

  /** `owner`: of 32 bits. */
  push(owner: number, fact: T): void {
    const ownerRow = this.find(owner) || this.open(owner);
    const { rows } = this;
    const row = rows.take();
    const own = this.owners.view(ownerRow);
    const ownAt = this.owners.at(ownerRow);
    const view = rows.view(row);
    const at = rows.at(row);
    const before = own.getUint32(ownAt + OWNER_NEWEST, true);
    view.setUint32(at + OLDER, this.newestRow, true);
    view.setUint32(at + NEWER, NO_ROW, true);
    view.setUint32(at + OWN_OLDER, before, true);
    view.setUint32(at + OWN_NEWER, NO_ROW, true);
    view.setUint32(at + OWNER, ownerRow, true);
    view.setFloat64(at + TIME, fact.timeMs, true);
    this.codec.write(view, at + FACT, fact);
    if (before === NO_ROW) own.setUint32(ownAt + OWNER_OLDEST, row, true);
    else this.link(before, OWN_NEWER, row);
    own.setUint32(ownAt + OWNER_NEWEST, row, true);
    if (this.newestRow === NO_ROW) this.oldest = row;
    else this.link(this.newestRow, NEWER, row);
    this.newestRow = row;
    this.count++;
    const entries = own.getUint32(ownAt + OWNER_COUNT, true) + 1;
    own.setUint32(ownAt + OWNER_COUNT, entries, true);
    if (entries > this.mostEach) this.drop(own.getUint32(ownAt + OWNER_OLDEST, true));
    while (this.count > this.mostAll) this.drop(this.oldest);
  }

  /** The newest `most`, newest first. */
  newest(owner: number, most: number): T[] {
    const found: T[] = [];
    for (let row = this.end(owner, OWNER_NEWEST); row !== NO_ROW && found.length < most; row = this.linked(row, OWN_OLDER)) {
      found.push(this.read(row));
    }
    return found;
  }

  /** Entries of these times, both included, oldest first, at most `most`. */
  between(owner: number, fromMs: number, toMs: number, most: number): T[] {
    const found: T[] = [];
    for (let row = this.firstSince(owner, fromMs); row !== NO_ROW && found.length < most; row = this.linked(row, OWN_NEWER)) {
      if (this.timeMs(row) > toMs) break;
      found.push(this.read(row));
    }
    return found;
  }

  /** Entries of these times, both included, newest first, at most `most`. */
  newestBetween(owner: number, fromMs: number, toMs: number, most: number): T[] {
    const found: T[] = [];
    for (let row = this.end(owner, OWNER_NEWEST); row !== NO_ROW && found.length < most; row = this.linked(row, OWN_OLDER)) {
      const timeMs = this.timeMs(row);
      if (timeMs < fromMs) break;
      if (timeMs <= toMs) found.push(this.read(row));
    }
    return found;
  }

  /** Looked for from both ends at once: most questions are about what was lately, some about all. */
  private firstSince(owner: number, fromMs: number): number {
    let older = this.end(owner, OWNER_OLDEST);
    let newer = this.end(owner, OWNER_NEWEST);
    while (older !== NO_ROW) {
      if (this.timeMs(older) >= fromMs) return older;
      if (this.timeMs(newer) < fromMs) return this.linked(newer, OWN_NEWER);
      older = this.linked(older, OWN_NEWER);
      newer = this.linked(newer, OWN_OLDER);
    }
    return NO_ROW;
  }

  /** Takes out the oldest entry of its owner. */
  private drop(row: number): void {
    const { rows, owners, codec } = this;
    const view = rows.view(row);
    const at = rows.at(row);
    const older = view.getUint32(at + OLDER, true);
    const newer = view.getUint32(at + NEWER, true);
    if (older === NO_ROW) this.oldest = newer;
    else this.link(older, NEWER, newer);
    if (newer === NO_ROW) this.newestRow = older;
    else this.link(newer, OLDER, older);
    const ownerRow = view.getUint32(at + OWNER, true);
    const own = owners.view(ownerRow);
    const ownAt = owners.at(ownerRow);
    const next = view.getUint32(at + OWN_NEWER, true);
    assert(own.getUint32(ownAt + OWNER_OLDEST, true) === row, 'the oldest entry of an owner goes first');
    if (next === NO_ROW) this.close(ownerRow);
    else {
      own.setUint32(ownAt + OWNER_OLDEST, next, true);
      own.setUint32(ownAt + OWNER_COUNT, own.getUint32(ownAt + OWNER_COUNT, true) - 1, true);
      this.link(next, OWN_OLDER, NO_ROW);
    }
    this.count--;
    codec.gone?.(view, at + FACT);
    rows.giveBack(row);
  }

  // --- Rows -------------------------------------------------------------------------------------------------------------------------

  private read(row: number): T {
    return this.codec.read(this.rows.view(row), this.rows.at(row) + FACT, this.timeMs(row));
  }

  private timeMs(row: number): number {
    return this.rows.view(row).getFloat64(this.rows.at(row) + TIME, true);
  }

  private linked(row: number, link: number): number {
    return this.rows.view(row).getUint32(this.rows.at(row) + link, true);
  }

  private link(row: number, link: number, to: number): void {
    this.rows.view(row).setUint32(this.rows.at(row) + link, to, true);
  }

  // --- Owners -----------------------------------------------------------------------------------------------------------------------

  private end(owner: number, which: number): number {
    const row = this.find(owner);
    return row === NO_ROW ? NO_ROW : this.owners.view(row).getUint32(this.owners.at(row) + which, true);
  }

  private find(owner: number): number {
    const { ownerIndex } = this;
    const hash = hashOfPair(owner, 0);
    for (let at = ownerIndex.first(hash); at !== NONE; at = ownerIndex.next(at, hash)) {
      if (this.numberOf(ownerIndex.number(at)) === owner) return ownerIndex.number(at);
    }
    return NO_ROW;
  }

  private open(owner: number): number {
    assert(owner >>> 0 === owner, 'an owner has 32 bits');
    const row = this.owners.take();
    const view = this.owners.view(row);
    const at = this.owners.at(row);
    view.setUint32(at + OWNER_NUMBER, owner, true);
    view.setUint32(at + OWNER_OLDEST, NO_ROW, true);
    view.setUint32(at + OWNER_NEWEST, NO_ROW, true);
    view.setUint32(at + OWNER_COUNT, 0, true);
    this.ownerIndex.add(hashOfPair(owner, 0), row);
    return row;
  }

  private close(row: number): void {
    this.ownerIndex.remove(hashOfPair(this.numberOf(row), 0), row);
    this.owners.giveBack(row);
  }

  private numberOf(ownerRow: number): number {
    return this.owners.view(ownerRow).getUint32(this.owners.at(ownerRow) + OWNER_NUMBER, true);
  }
}
