/**
 * How many actions are under way at the same time, and whose: what is beyond is refused before anything is read, parsed, hashed or recovered of it.
 *
 * All senders share one room of requests and bytes. While it is less than half full anybody may take of it. Above, each IP address that has asked in the
 * last five seconds has an equal part: who has more is refused until it has less. So one that sends without end takes what others do not
 * want, and gives it back as its requests are answered.
 * Invariant: what is under way is at most the room and one body; who has entered leaves once. Memory follows the addresses that ask in ten seconds.
 * Not here: what a refusal looks like and when it is sent (server.ts, refusal-pace.ts), and how many requests a minute there may be (rate-limits.ts).
 */
import { assert } from '../base/assert.ts';

export interface AdmissionLimits {
  /** Actions between their arrival and their answer. */
  readonly requests: number;
  /** Bytes of their bodies. Batches take long, and are long. */
  readonly bytes: number;
}

/** At ten thousand actions a second a full room is answered in a fifth of a second. */
export const admissionDefaults: AdmissionLimits = { requests: 2048, bytes: 1024 * 1024 };

/** As long as a refusal may be held (refusal-pace.ts): who is told and asks again still has its part. */
const WINDOW_MS = 5000;

interface Held {
  requests: number;
  bytes: number;
}

export class AdmissionControl {
  private readonly limits: AdmissionLimits;
  private readonly clock: () => number;
  private readonly held = new Map<string, Held>();
  private requests = 0;
  private bytes = 0;
  /** Addresses that have asked in this window, and in the one before. */
  private asking = new Set<string>();
  private asked = new Set<string>();
  private window = 0;

  constructor(limits: AdmissionLimits, clock: () => number) {
    this.limits = limits;
    this.clock = clock;
  }

  /** Actions that are under way. */
  get underWay(): number {
    return this.requests;
  }

  /** Whether there is room for another action of the address, whatever its length. */
  allows(address: string): boolean {
    this.note(address);
    const { limits, requests, bytes } = this;
    if (requests >= limits.requests || bytes >= limits.bytes) return false;
    if (requests * 2 < limits.requests && bytes * 2 < limits.bytes) return true;
    const sharers = Math.max(this.asking.size, this.asked.size, this.held.size);
    const held = this.held.get(address);
    return held === undefined || (held.requests * sharers < limits.requests && held.bytes * sharers < limits.bytes);
  }

  /** What ends it, to be called once; undefined: there is no room. */
  enter(address: string, bytes: number): (() => void) | undefined {
    if (!this.allows(address)) return undefined;
    const held = this.held.get(address) ?? { requests: 0, bytes: 0 };
    this.held.set(address, held);
    this.count(held, 1, bytes);
    let left = false;
    return () => {
      assert(!left, 'a request has left twice');
      left = true;
      this.count(held, -1, -bytes);
      if (held.requests === 0) this.held.delete(address);
    };
  }

  private count(held: Held, requests: number, bytes: number): void {
    held.requests += requests;
    held.bytes += bytes;
    this.requests += requests;
    this.bytes += bytes;
  }

  private note(address: string): void {
    const window = Math.floor(this.clock() / WINDOW_MS);
    if (window !== this.window) {
      // After a pause nobody has asked in the window before.
      this.asked = window === this.window + 1 ? this.asking : new Set();
      this.asking = new Set();
      this.window = window;
    }
    this.asking.add(address);
  }
}
