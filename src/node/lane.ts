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

  /** Those that would be taken, which stay. */
  first(most: number): readonly T[] {
    return this.items.slice(0, most);
  }

  take(most: number): T[] {
    return this.items.splice(0, most);
  }
}

/** How much is under way, with a limit that somebody waits for. */
export class Load {
  private readonly most: number;
  private now = 0;
  private changed: PromiseWithResolvers<void> = Promise.withResolvers();
  private lifted = false;

  constructor(most: number) {
    this.most = most;
  }

  get count(): number {
    return this.now;
  }

  add(): void {
    this.now++;
  }

  remove(): void {
    this.now--;
    this.changed.resolve();
  }

  /** From now on nobody waits. */
  lift(): void {
    this.lifted = true;
    this.changed.resolve();
  }

  /** Resolves when less than the limit is under way. */
  room(): Promise<void> {
    return this.below(this.most);
  }

  empty(): Promise<void> {
    return this.below(1);
  }

  private async below(limit: number): Promise<void> {
    while (this.now >= limit && !this.lifted) {
      await this.changed.promise;
      this.changed = Promise.withResolvers();
    }
  }
}
