/**
 * Blocks that were confirmed and are not settled: since when. How many there are says little: under load the store joins hundreds of small ones.
 *
 * Invariant: a block is here from its confirmation to its settlement; both come in the order of heights.
 */
export class UnsettledBlocks {
  /** When each was confirmed, by height; the oldest is the first. */
  private readonly sinceMs = new Map<number, number>();

  confirmed(height: number, nowMs: number): void {
    this.sinceMs.set(height, nowMs);
  }

  /** How long it took, in milliseconds; undefined: nobody has said when it was confirmed. */
  settled(height: number, nowMs: number): number | undefined {
    const sinceMs = this.sinceMs.get(height);
    this.sinceMs.delete(height);
    return sinceMs === undefined ? undefined : nowMs - sinceMs;
  }

  /** How long the oldest waits already, in milliseconds; 0: there is none. */
  oldestMs(nowMs: number): number {
    for (const sinceMs of this.sinceMs.values()) return nowMs - sinceMs;
    return 0;
  }
}
