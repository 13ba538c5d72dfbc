/**
 * The newest entries of many owners, oldest first, bounded for each of them and over all.
 *
 * When there are too many over all, the oldest of anybody goes first. Entries are found by time with a binary search: times of one owner
 * never fall. Entries are kept as the objects that they are: for what is rare. packed-log.ts keeps what is not.
 */
export interface Timed {
  readonly timeMs: number;
}

export interface LogLimits {
  readonly each: number;
  readonly all: number;
}

interface Entries<T> {
  readonly items: T[];
  /** Those before it are gone. */
  from: number;
  /** Notes of entries that went because their owner had too many; they come before those of entries that are there. */
  stale: number;
}

/** Gone entries are cut off when they are this many and the greater part. */
const CUT_LEAST = 64;

export class BoundedLog<K, T extends Timed> {
  private readonly byOwner = new Map<K, Entries<T>>();
  /** Owners in the order of all entries; those before `oldest` are gone. */
  private owners: K[] = [];
  private oldest = 0;
  private count = 0;
  private readonly mostEach: number;
  private readonly mostAll: number;

  constructor(limits: LogLimits) {
    this.mostEach = limits.each;
    this.mostAll = limits.all;
  }

  push(owner: K, entry: T): void {
    let entries = this.byOwner.get(owner);
    if (entries === undefined) {
      entries = { items: [], from: 0, stale: 0 };
      this.byOwner.set(owner, entries);
    }
    entries.items.push(entry);
    this.owners.push(owner);
    this.count++;
    if (entries.items.length - entries.from > this.mostEach) {
      entries.stale++;
      this.drop(owner, entries);
    }
    while (this.count > this.mostAll) this.dropOldest();
    if (this.owners.length - this.oldest > 2 * this.count + CUT_LEAST) this.cutNotes();
  }

  /** The newest `most`, newest first. */
  newest(owner: K, most: number): T[] {
    const entries = this.byOwner.get(owner);
    if (entries === undefined) return [];
    return entries.items.slice(Math.max(entries.from, entries.items.length - most)).reverse();
  }

  /** Entries of these times, both included, oldest first, at most `most`. */
  between(owner: K, fromMs: number, toMs: number, most: number): T[] {
    const entries = this.byOwner.get(owner);
    if (entries === undefined) return [];
    let [low, high] = [entries.from, entries.items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((entries.items[middle] as T).timeMs < fromMs) low = middle + 1;
      else high = middle;
    }
    const found: T[] = [];
    for (let i = low; i < entries.items.length && found.length < most; i++) {
      const entry = entries.items[i] as T;
      if (entry.timeMs > toMs) break;
      found.push(entry);
    }
    return found;
  }

  private drop(owner: K, entries: Entries<T>): void {
    entries.from++;
    this.count--;
    if (entries.from === entries.items.length) this.byOwner.delete(owner);
    else if (entries.from >= CUT_LEAST && entries.from * 2 > entries.items.length) {
      entries.items.splice(0, entries.from);
      entries.from = 0;
    }
  }

  private dropOldest(): void {
    const owner = this.owners[this.oldest++] as K;
    const entries = this.byOwner.get(owner) as Entries<T>;
    if (entries.stale > 0) entries.stale--;
    else this.drop(owner, entries);
    if (this.oldest > CUT_LEAST && this.oldest * 2 > this.owners.length) {
      this.owners.splice(0, this.oldest);
      this.oldest = 0;
    }
  }

  /** Takes the stale notes out. */
  private cutNotes(): void {
    this.owners = this.owners.slice(this.oldest).filter((owner) => {
      const entries = this.byOwner.get(owner);
      if (entries === undefined || entries.stale === 0) return true;
      entries.stale--;
      return false;
    });
    this.oldest = 0;
  }
}
