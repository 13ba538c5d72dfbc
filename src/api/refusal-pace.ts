/**
 * When refusals are sent: at once as long as they are few, and at a bounded rate when they are many. A connection that waits for its refusal is not read,
 * so senders that do not slow down by themselves are slowed down, and refusing takes a small part of the processor however much is sent.
 *
 * Invariant: every refusal is sent, in the order in which connections came to wait, after HOLD_MAX_MS at the latest.
 * Not here: who is refused.
 */

/** Refusals a second, and at once. At 40 us each over HTTP they take a 25th of a core. */
const PER_SECOND = 1000;
const BURST = 100;
const HOLD_MAX_MS = 5000;
const TICK_MS = 10;

interface Waiting {
  readonly sinceMs: number;
  /** Sends, and says how many refusals that were. */
  readonly send: () => number;
}

export class RefusalPace {
  private readonly waiting: Waiting[] = [];
  private allowed = BURST;
  private refilledMs: number;
  private timer: NodeJS.Timeout | undefined;
  private readonly now: () => number;

  /** `now`: milliseconds that only go forward. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.refilledMs = now();
  }

  /** Connections that wait for their refusals. */
  get held(): number {
    return this.waiting.length;
  }

  /** Calls `send` now, or when it is its turn. */
  take(send: () => number): void {
    this.refill();
    if (this.waiting.length === 0 && this.allowed >= 1) {
      this.allowed -= send();
      return;
    }
    this.waiting.push({ sinceMs: this.now(), send });
    this.timer ??= setInterval(() => this.release(), TICK_MS).unref();
  }

  /** The same as a promise. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.take(() => {
        resolve();
        return 1;
      });
    });
  }

  /** Lets all go: the node is stopping. */
  end(): void {
    for (const { send } of this.waiting.splice(0)) send();
    this.stop();
  }

  private release(): void {
    this.refill();
    const late = this.now() - HOLD_MAX_MS;
    let count = 0;
    for (const { sinceMs, send } of this.waiting) {
      if (this.allowed < 1 && sinceMs > late) break;
      this.allowed = Math.max(-PER_SECOND, this.allowed - send());
      count++;
    }
    this.waiting.splice(0, count);
    if (this.waiting.length === 0) this.stop();
  }

  private refill(): void {
    const now = this.now();
    this.allowed = Math.min(BURST, this.allowed + ((now - this.refilledMs) / 1000) * PER_SECOND);
    this.refilledMs = now;
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
