/**
 * The book of one market as a flow keeps it, order by order, to know which orders live, under which oids, and what an order would meet.
 *
 * It follows the rules of matching (docs/rules.md, 4.2) as far as flows use them: price-time priority, own orders cancelled, the match
 * limit. No margin, no positions, no reduce-only: flows fund their accounts so that these never matter.
 *
 * Invariant: an order's slot is in use in `slots` exactly while the order rests.
 *
 * Levels of a side lie in an array sorted by rank (price for bids, minus price for asks), the best one last: most changes are near
 * the best price and move few entries.
 */
import { MATCH_STEPS_MAX } from '../exchange/layout.ts';
import { slotOf } from './order-identity.ts';
import type { OrderSlots } from './order-slots.ts';

const NONE = -1;

interface Ladder {
  ranks: Int32Array;
  levels: Int32Array;
  length: number;
}

export class BookModel {
  readonly #slots: OrderSlots;
  readonly #ladders: readonly [Ladder, Ladder] = [newLadder(), newLadder()];

  // Orders, by index.
  #account = new Int32Array(256);
  #oid = new Float64Array(256);
  #lots = new Float64Array(256);
  #level = new Int32Array(256);
  #previous = new Int32Array(256);
  #next = new Int32Array(256);
  #livePlace = new Int32Array(256);
  readonly #freeOrders: number[] = [];
  #orders = 0;

  // Levels, by index.
  #rank = new Int32Array(256);
  #sell = new Uint8Array(256);
  #total = new Float64Array(256);
  #head = new Int32Array(256);
  #tail = new Int32Array(256);
  readonly #freeLevels: number[] = [];
  #levels = 0;

  /** The resting orders, in no order: `live[0]` to `live[count - 1]`. */
  live = new Int32Array(256);
  count = 0;

  /** What the last `match` did: resting orders filled, own orders cancelled, and the price of the last fill (0: none). */
  fills = 0;
  lastFillTicks = 0;
  /** The last `match` stopped at the match limit. */
  limitReached = false;

  constructor(slots: OrderSlots) {
    this.#slots = slots;
  }

  /** Price of the best level of a side, 0 if there is none. */
  best(sell: boolean): number {
    const { ranks, length } = this.#ladder(sell);
    return length === 0 ? 0 : Math.abs(ranks[length - 1] as number);
  }

  levelCount(sell: boolean): number {
    return this.#ladder(sell).length;
  }

  levelLots(sell: boolean, priceTicks: number): number {
    const level = this.#find(sell, priceTicks);
    return level === NONE ? 0 : (this.#total[level] as number);
  }

  /** The order at the end of a level's queue, -1 if the level is empty. */
  lastOf(sell: boolean, priceTicks: number): number {
    const level = this.#find(sell, priceTicks);
    return level === NONE ? NONE : (this.#tail[level] as number);
  }

  /** Prices and sizes of a side, best first. */
  *levels(sell: boolean): Generator<{ readonly priceTicks: number; readonly lots: number }> {
    const { ranks, levels, length } = this.#ladder(sell);
    for (let i = length - 1; i >= 0; i--) {
      yield { priceTicks: Math.abs(ranks[i] as number), lots: this.#total[levels[i] as number] as number };
    }
  }

  accountOf(order: number): number {
    return this.#account[order] as number;
  }

  oidOf(order: number): number {
    return this.#oid[order] as number;
  }

  lotsOf(order: number): number {
    return this.#lots[order] as number;
  }

  isSell(order: number): boolean {
    return this.#sell[this.#level[order] as number] === 1;
  }

  priceOf(order: number): number {
    return Math.abs(this.#rank[this.#level[order] as number] as number);
  }

  /** Would an order with this limit meet a resting one? */
  crosses(sell: boolean, limitTicks: number): boolean {
    const opposite = this.best(!sell);
    return opposite !== 0 && (sell ? opposite >= limitTicks : opposite <= limitTicks);
  }

  /** Trades against the other side; returns the lots that are left. */
  match(account: number, sell: boolean, limitTicks: number, lots: number): number {
    let left = lots;
    let steps = MATCH_STEPS_MAX;
    this.fills = 0;
    this.lastFillTicks = 0;
    this.limitReached = false;
    const ladder = this.#ladder(!sell);
    while (left > 0 && this.crosses(sell, limitTicks)) {
      const level = ladder.levels[ladder.length - 1] as number;
      const order = this.#head[level] as number;
      if (steps-- === 0) {
        this.limitReached = true;
        break;
      }
      if (this.#account[order] === account) {
        this.remove(order);
        continue;
      }
      const traded = Math.min(left, this.#lots[order] as number);
      this.fills++;
      this.lastFillTicks = Math.abs(this.#rank[level] as number);
      left -= traded;
      this.reduce(order, traded);
    }
    return left;
  }

  /** Puts an order at the end of its level's queue; its slot was free. Returns the order's index, which others take over once it is gone. */
  rest(account: number, oid: number, sell: boolean, priceTicks: number, lots: number): number {
    this.#slots.take(account, slotOf(oid));
    const level = this.#findOrCreate(sell, priceTicks);
    const order = this.#newOrder();
    const tail = this.#tail[level] as number;
    this.#account[order] = account;
    this.#oid[order] = oid;
    this.#lots[order] = lots;
    this.#level[order] = level;
    this.#previous[order] = tail;
    this.#next[order] = NONE;
    if (tail === NONE) this.#head[level] = order;
    else this.#next[tail] = order;
    this.#tail[level] = order;
    this.#total[level] = (this.#total[level] as number) + lots;
    this.#livePlace[order] = this.count;
    this.live[this.count++] = order;
    return order;
  }

  /** Takes lots off an order and keeps its place; takes the order off the book when nothing is left. */
  reduce(order: number, lots: number): void {
    const left = (this.#lots[order] as number) - lots;
    if (left <= 0) {
      this.remove(order);
      return;
    }
    const level = this.#level[order] as number;
    this.#lots[order] = left;
    this.#total[level] = (this.#total[level] as number) - lots;
  }

  remove(order: number): void {
    const level = this.#level[order] as number;
    const previous = this.#previous[order] as number;
    const next = this.#next[order] as number;
    if (previous === NONE) this.#head[level] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#tail[level] = previous;
    else this.#previous[next] = previous;
    this.#total[level] = (this.#total[level] as number) - (this.#lots[order] as number);
    if (this.#head[level] === NONE) this.#removeLevel(level);

    const place = this.#livePlace[order] as number;
    const moved = this.live[--this.count] as number;
    this.live[place] = moved;
    this.#livePlace[moved] = place;
    this.#slots.release(this.#account[order] as number, slotOf(this.#oid[order] as number));
    this.#freeOrders.push(order);
  }

  #ladder(sell: boolean): Ladder {
    return this.#ladders[sell ? 1 : 0];
  }

  #find(sell: boolean, priceTicks: number): number {
    const ladder = this.#ladder(sell);
    const rank = sell ? -priceTicks : priceTicks;
    const at = placeOf(ladder, rank);
    return at < ladder.length && ladder.ranks[at] === rank ? (ladder.levels[at] as number) : NONE;
  }

  #findOrCreate(sell: boolean, priceTicks: number): number {
    const ladder = this.#ladder(sell);
    const rank = sell ? -priceTicks : priceTicks;
    const at = placeOf(ladder, rank);
    if (at < ladder.length && ladder.ranks[at] === rank) return ladder.levels[at] as number;

    const level = this.#freeLevels.pop() ?? this.#levels++;
    if (level === this.#rank.length) {
      this.#rank = doubled(this.#rank);
      this.#sell = doubled(this.#sell);
      this.#total = doubled(this.#total);
      this.#head = doubled(this.#head);
      this.#tail = doubled(this.#tail);
    }
    this.#rank[level] = rank;
    this.#sell[level] = sell ? 1 : 0;
    this.#total[level] = 0;
    this.#head[level] = NONE;
    this.#tail[level] = NONE;

    if (ladder.length === ladder.ranks.length) {
      ladder.ranks = doubled(ladder.ranks);
      ladder.levels = doubled(ladder.levels);
    }
    ladder.ranks.copyWithin(at + 1, at, ladder.length);
    ladder.levels.copyWithin(at + 1, at, ladder.length);
    ladder.ranks[at] = rank;
    ladder.levels[at] = level;
    ladder.length++;
    return level;
  }

  #removeLevel(level: number): void {
    const ladder = this.#ladders[this.#sell[level] as 0 | 1];
    const at = placeOf(ladder, this.#rank[level] as number);
    ladder.ranks.copyWithin(at, at + 1, ladder.length);
    ladder.levels.copyWithin(at, at + 1, ladder.length);
    ladder.length--;
    this.#freeLevels.push(level);
  }

  #newOrder(): number {
    const order = this.#freeOrders.pop() ?? this.#orders++;
    if (order === this.#account.length) {
      this.#account = doubled(this.#account);
      this.#oid = doubled(this.#oid);
      this.#lots = doubled(this.#lots);
      this.#level = doubled(this.#level);
      this.#previous = doubled(this.#previous);
      this.#next = doubled(this.#next);
      this.#livePlace = doubled(this.#livePlace);
      this.live = doubled(this.live);
    }
    return order;
  }
}

function newLadder(): Ladder {
  return { ranks: new Int32Array(256), levels: new Int32Array(256), length: 0 };
}

/** Index of the first entry with at least this rank. */
function placeOf({ ranks, length }: Ladder, rank: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranks[middle] as number) < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}

type Column = Int32Array | Float64Array | Uint8Array;

function doubled<T extends Column>(column: T): T {
  const larger = new (column.constructor as new (length: number) => T)(column.length * 2);
  larger.set(column);
  return larger;
}
