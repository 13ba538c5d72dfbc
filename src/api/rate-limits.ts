/**
 * Who may send how much: weights a minute of an IP address, and requests of an address against what it has traded (protocol, section 8).
 *
 * Invariant: what is refused is not counted; counters of those who are quiet are forgotten, so memory follows the senders of a minute (IP) and
 * the accounts that have sent (budgets). Off where the options say so: then everything is counted and nothing refused.
 * Not here: how many connections and subscriptions there may be (server.ts, stream-connection.ts); what of it outlives the process (bought-file.ts).
 */

export interface LimitOptions {
  readonly enforced: boolean;
  /** Of an IP address in a minute. */
  readonly weightPerMinute: number;
  /** Requests that every address has. */
  readonly addressRequests: number;
  /** Further actions of an address that has used up its requests: one in so long. */
  readonly slowActionMs: number;
}

export const limitDefaults: LimitOptions = { enforced: false, weightPerMinute: 1200, addressRequests: 10_000, slowActionMs: 10_000 };

const MINUTE_MS = 60_000;
const QUOTE_UNITS = 1_000_000n;
/** Cancels are allowed up to min(limit + this, limit * 2). */
const CANCELS_BEYOND = 100_000;
const ORDERS_PER_WEIGHT = 40;
const ITEMS_PER_WEIGHT = 20;
const CANDLES_PER_WEIGHT = 60;

const LIGHT_INFO = new Set(['l2Book', 'allMids', 'clearinghouseState', 'orderStatus', 'spotClearinghouseState', 'exchangeStatus']);
const LIGHT_WEIGHT = 2;
const ROLE_WEIGHT = 60;
const INFO_WEIGHT = 20;
export const EXPLORER_WEIGHT = 40;

/** Of an action with so many orders or cancels. */
export const actionWeight = (items: number): number => 1 + Math.floor(items / ORDERS_PER_WEIGHT);

export function infoWeight(type: string): number {
  return LIGHT_INFO.has(type) ? LIGHT_WEIGHT : type === 'userRole' ? ROLE_WEIGHT : INFO_WEIGHT;
}

/** What an answer weighs beside its request. */
export function answerWeight(type: string, answer: unknown): number {
  return Array.isArray(answer) ? Math.floor(answer.length / (type === 'candleSnapshot' ? CANDLES_PER_WEIGHT : ITEMS_PER_WEIGHT)) : 0;
}

/** Weights by key in windows of a minute. */
export class MinuteWeights {
  private readonly most: number;
  private readonly clock: () => number;
  private readonly used = new Map<string, number>();
  private minute = 0;

  constructor(most: number, clock: () => number) {
    this.most = most;
    this.clock = clock;
  }

  /** False if it would be too much; then nothing is counted. */
  take(key: string, weight: number): boolean {
    const minute = Math.floor(this.clock() / MINUTE_MS);
    if (minute !== this.minute) {
      this.minute = minute;
      this.used.clear();
    }
    const used = (this.used.get(key) ?? 0) + weight;
    if (used > this.most) return false;
    this.used.set(key, used);
    return true;
  }

  /** Counts what was not known beforehand; the next request pays. */
  add(key: string, weight: number): void {
    if (weight > 0) this.used.set(key, (this.used.get(key) ?? 0) + weight);
  }
}

export interface Budget {
  readonly used: number;
  readonly allowed: number;
  /** Bought beside. */
  readonly reserved: number;
}

/** What is remembered of an address that has bought requests. */
export type BoughtRequests = Pick<Budget, 'used' | 'reserved'>;

interface Spent {
  used: number;
  reserved: number;
  lastSlowMs: number;
}

export class AddressBudgets {
  private readonly options: LimitOptions;
  private readonly clock: () => number;
  private readonly spent = new Map<string, Spent>();

  /** `bought`: what an earlier run of the node has sold. */
  constructor(options: LimitOptions, clock: () => number, bought: ReadonlyMap<string, BoughtRequests> = new Map()) {
    this.options = options;
    this.clock = clock;
    for (const [user, { used, reserved }] of bought) this.spent.set(user, { used, reserved, lastSlowMs: 0 });
  }

  /** Of all addresses that have bought requests. */
  bought(): Map<string, BoughtRequests> {
    const sold = new Map<string, BoughtRequests>();
    for (const [user, { used, reserved }] of this.spent) if (reserved > 0) sold.set(user, { used, reserved });
    return sold;
  }

  /** `volume`: what the address has traded, in quote units. */
  budgetOf(user: string, volume: bigint): Budget {
    const { used = 0, reserved = 0 } = this.spent.get(user) ?? {};
    return { used, reserved, allowed: this.options.addressRequests + Number(volume / QUOTE_UNITS) };
  }

  /** Counts `requests` of an address; false if it may not send them. `volumeOf` is asked where it matters. */
  take(user: string, requests: number, volumeOf: () => bigint, cancelsOnly: boolean): boolean {
    const spent = this.spentOf(user);
    if (this.options.enforced && spent.used + requests > this.options.addressRequests) {
      const { allowed, reserved } = this.budgetOf(user, volumeOf());
      const bound = allowed + reserved;
      const limit = cancelsOnly ? Math.min(bound + CANCELS_BEYOND, bound * 2) : bound;
      if (spent.used + requests > limit) {
        const now = this.clock();
        if (now - spent.lastSlowMs < this.options.slowActionMs) return false;
        spent.lastSlowMs = now;
      }
    }
    spent.used += requests;
    return true;
  }

  /** What `take` has counted and the ledger did not take. */
  giveBack(user: string, requests: number): void {
    this.spentOf(user).used -= requests;
  }

  reserve(user: string, requests: number): void {
    this.spentOf(user).reserved += requests;
  }

  private spentOf(user: string): Spent {
    let spent = this.spent.get(user);
    if (spent === undefined) {
      spent = { used: 0, reserved: 0, lastSlowMs: 0 };
      this.spent.set(user, spent);
    }
    return spent;
  }
}
