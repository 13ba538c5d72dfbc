/**
 * A queue that one stage fills and the next empties, and room that a stage waits for.
 * Invariant: things leave in the order in which they came; nobody waits for something that is there.
 */
export class Lane<T> {
  ended = false;
  private readonly items: T[] = [];
  private wake: PromiseWithResolvers<void> = Promise.withResolvers();

  get length(): number {
    return this.items.length;
  }

  push(item: T): void {
    this.items.push(item);
    this.wake.resolve();
  }

  /** Nothing more comes. */
  end(): void {
    this.ended = true;
    this.wake.resolve();
  }

  /** Resolves when there is something, or nothing more comes. */
  async some(): Promise<void> {
    while (this.items.length === 0 && !this.ended) {
      await this.wake.promise;
      this.wake = Promise.withResolvers();
    }
  }

  /** What would be taken in this place, and stays. */
  at(place: number): T | undefined {
    return this.items[place];
  }

  take(most: number): T[] {
    return this.items.splice(0, most);
  }
}

/** How much is under way, with limits that somebody waits for: how many things, and how large they are together. */
export class Load {
  private readonly most: number;
  private readonly sizeMost: number;
  private now = 0;
  private size = 0;
  private changed: PromiseWithResolvers<void> = Promise.withResolvers();
  private lifted = false;

  constructor(most: number, sizeMost = Number.POSITIVE_INFINITY) {
    this.most = most;
    this.sizeMost = sizeMost;
  }

  get count(): number {
    return this.now;
  }

  get full(): boolean {
    return this.now >= this.most || this.size >= this.sizeMost;
  }

  add(size = 0): void {
    this.now++;
    this.size += size;
  }

  /** With the size that it was added with. */
  remove(size = 0): void {
    this.now--;
    this.size -= size;
    this.changed.resolve();
  }

  /** From now on nobody waits. */
  lift(): void {
    this.lifted = true;
    this.changed.resolve();
  }

  /** Resolves when less than each limit is under way. */
  async room(): Promise<void> {
    while (this.full && !this.lifted) await this.change();
  }

  async empty(): Promise<void> {
    while (this.now > 0 && !this.lifted) await this.change();
  }

  private async change(): Promise<void> {
    await this.changed.promise;
    this.changed = Promise.withResolvers();
  }
}
