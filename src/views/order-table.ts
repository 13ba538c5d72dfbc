/**
 * Orders by id, by client id and by owner: their terms as they were placed, what is left of them, and what became of them.
 *
 * The terms come from the item that placed the order, or, for one that was open before the first block that is remembered, from its records.
 * What is left is what the events have taken off; `settle` puts in what the records say at the end of the block.
 *
 *   row   0  u64  oid              8  u32  account         12  u32  limit, ticks     16  u32  trigger, ticks
 *        20  u16  market          22  u8   FLAG_*          23  u8   time in force    24  u8   place            25  u8   status
 *        26  u8   1: is open      27  u8   MEMORY_*        28  u32  rows that show it
 *        32  i64  original lots   40  i64  lots left       48  f64  placed, ms       56  f64  status since, ms
 *        64  u32  open before it  68  u32  open behind it, both of the same account  72  client id, 16 bytes
 *
 * Invariant: `openOf` gives the orders that have a record. Closed ones stay until the histories that show them have let them go; one that is not
 * closed stays whatever they do, also before its record has come.
 */
import { assert } from '../base/assert.ts';
import { HashIndex, NONE } from '../base/hash-index.ts';
import { hashOfFive, hashOfNeighbour, hashOfPair } from '../base/key-hash.ts';
import { OID_SLOT_BITS as SLOT_BITS } from '../exchange/layout.ts';
import type { OrderStatus } from '../exchange/messages.ts';
import type { ClientId, TimeInForce } from '../ledger/transactions.ts';
import { CLIENT_ID_BYTES, highWord, lowWord, readClientId, writeClientId } from './packed-words.ts';
import { NO_ROW, RowSpace } from './row-space.ts';

export interface TriggerTerms {
  readonly takeProfit: boolean;
  readonly priceTicks: number;
  readonly market: boolean;
  /** Follows the position. */
  readonly whole: boolean;
}

/** On the book, waiting for the mark, waiting for its parent, or gone. */
export type OrderPlace = 'book' | 'trigger' | 'child' | 'gone';

/** An order as it comes into the table: its terms, then what changes. */
export interface NewOrder {
  readonly oid: bigint;
  readonly account: number;
  readonly market: number;
  readonly sell: boolean;
  readonly tif: TimeInForce;
  readonly limitTicks: number;
  /** Of a reduce-only order: what there was to reduce. */
  readonly originalLots: bigint;
  readonly reduceOnly: boolean;
  readonly clientId: ClientId | undefined;
  readonly trigger: TriggerTerms | undefined;
  /** When it was placed; 0: before the first block that is known. */
  readonly timeMs: number;
  /** Hidden lots included. */
  readonly leftLots: bigint;
  readonly place: OrderPlace;
  /** Oids of children that wait for it. */
  readonly children: readonly bigint[];
  readonly status: OrderStatus;
  readonly statusMs: number;
}

const OID = 0;
const ACCOUNT = 8;
const LIMIT = 12;
const TRIGGER_TICKS = 16;
const MARKET = 20;
const FLAGS = 22;
const TIF = 23;
const PLACE = 24;
const STATUS = 25;
const IS_OPEN = 26;
const MEMORY = 27;
const SHOWN = 28;
const ORIGINAL = 32;
const LEFT = 40;
const TIME = 48;
const STATUS_TIME = 56;
const OPEN_BEFORE = 64;
const OPEN_BEHIND = 68;
const CLIENT_ID = 72;
const ROW_BYTES = CLIENT_ID + CLIENT_ID_BYTES;

const MEMORY_KNOWN = 0;
/** Its keys are gone, and its row can be another's soon. */
const MEMORY_FORGOTTEN = 1;
/** No history shows it, and whether it is open its record has to say yet. */
const MEMORY_UNSETTLED = 2;

const FLAG_SELL = 1;
const FLAG_REDUCE_ONLY = 2;
const FLAG_CLIENT_ID = 4;
const FLAG_TRIGGER = 8;
const FLAG_TAKE_PROFIT = 16;
const FLAG_TRIGGER_MARKET = 32;
const FLAG_WHOLE = 64;

const SLOT_MASK = (1 << SLOT_BITS) - 1;
export const NO_CHILDREN: readonly bigint[] = [];

const TIFS: readonly TimeInForce[] = ['gtc', 'ioc', 'alo', 'market', 'fok'];
const PLACES: readonly OrderPlace[] = ['book', 'trigger', 'child', 'gone'];
const GONE = PLACES.indexOf('gone');
/** A number for each word: the compiler sees that none is missing. */
const STATUS_NUMBERS: Readonly<Record<OrderStatus, number>> = {
  open: 0,
  filled: 1,
  canceled: 2,
  triggered: 3,
  rejected: 4,
  marginCanceled: 5,
  vaultWithdrawalCanceled: 6,
  openInterestCapCanceled: 7,
  selfTradeCanceled: 8,
  reduceOnlyCanceled: 9,
  siblingFilledCanceled: 10,
  delistedCanceled: 11,
  liquidatedCanceled: 12,
  outcomeSettledCanceled: 13,
  scheduledCancel: 14,
  internalCancel: 15,
  tickRejected: 16,
  minTradeNtlRejected: 17,
  perpMarginRejected: 18,
  reduceOnlyRejected: 19,
  badAloPxRejected: 20,
  iocCancelRejected: 21,
  badTriggerPxRejected: 22,
  marketOrderNoLiquidityRejected: 23,
  positionIncreaseAtOpenInterestCapRejected: 24,
  positionFlipAtOpenInterestCapRejected: 25,
  tooAggressiveAtOpenInterestCapRejected: 26,
  openInterestIncreaseRejected: 27,
  insufficientSpotBalanceRejected: 28,
  oracleRejected: 29,
  perpMaxPositionRejected: 30,
  tooManyOpenOrdersRejected: 31,
};
const STATUSES = Object.keys(STATUS_NUMBERS) as OrderStatus[];

export function numberOfStatus(status: OrderStatus): number {
  return STATUS_NUMBERS[status];
}

export function statusOfNumber(number: number): OrderStatus {
  return STATUSES[number] as OrderStatus;
}

/** One order of a table, read from its row and written into it. For the block in which it was found: later the row may be another order's. */
export class TrackedOrder {
  /** Number of its row. */
  readonly row: number;
  private readonly view: DataView;
  private readonly at: number;
  private readonly waiting: Map<number, readonly bigint[]>;

  /** `waiting`: children by row. */
  constructor(rows: RowSpace, row: number, waiting: Map<number, readonly bigint[]>) {
    this.row = row;
    this.view = rows.view(row);
    this.at = rows.at(row);
    this.waiting = waiting;
  }

  get oid(): bigint {
    return this.view.getBigUint64(this.at + OID, true);
  }

  get account(): number {
    return this.view.getUint32(this.at + ACCOUNT, true);
  }

  get market(): number {
    return this.view.getUint16(this.at + MARKET, true);
  }

  get sell(): boolean {
    return this.has(FLAG_SELL);
  }

  get tif(): TimeInForce {
    return TIFS[this.view.getUint8(this.at + TIF)] as TimeInForce;
  }

  get limitTicks(): number {
    return this.view.getUint32(this.at + LIMIT, true);
  }

  get reduceOnly(): boolean {
    return this.has(FLAG_REDUCE_ONLY);
  }

  get clientId(): ClientId | undefined {
    return this.has(FLAG_CLIENT_ID) ? readClientId(this.view, this.at + CLIENT_ID) : undefined;
  }

  get trigger(): TriggerTerms | undefined {
    if (!this.has(FLAG_TRIGGER)) return undefined;
    return {
      takeProfit: this.has(FLAG_TAKE_PROFIT),
      priceTicks: this.view.getUint32(this.at + TRIGGER_TICKS, true),
      market: this.has(FLAG_TRIGGER_MARKET),
      whole: this.has(FLAG_WHOLE),
    };
  }

  get timeMs(): number {
    return this.view.getFloat64(this.at + TIME, true);
  }

  get originalLots(): bigint {
    return this.view.getBigInt64(this.at + ORIGINAL, true);
  }

  set originalLots(lots: bigint) {
    this.view.setBigInt64(this.at + ORIGINAL, lots, true);
  }

  get leftLots(): bigint {
    return this.view.getBigInt64(this.at + LEFT, true);
  }

  set leftLots(lots: bigint) {
    this.view.setBigInt64(this.at + LEFT, lots, true);
  }

  get place(): OrderPlace {
    return PLACES[this.view.getUint8(this.at + PLACE)] as OrderPlace;
  }

  set place(place: OrderPlace) {
    this.view.setUint8(this.at + PLACE, PLACES.indexOf(place));
  }

  get status(): OrderStatus {
    return statusOfNumber(this.view.getUint8(this.at + STATUS));
  }

  get statusMs(): number {
    return this.view.getFloat64(this.at + STATUS_TIME, true);
  }

  setStatus(status: OrderStatus, timeMs: number): void {
    this.view.setUint8(this.at + STATUS, numberOfStatus(status));
    this.view.setFloat64(this.at + STATUS_TIME, timeMs, true);
  }

  get children(): readonly bigint[] {
    return this.waiting.get(this.row) ?? NO_CHILDREN;
  }

  set children(oids: readonly bigint[]) {
    if (oids.length === 0) this.waiting.delete(this.row);
    else this.waiting.set(this.row, oids);
  }

  private has(flag: number): boolean {
    return (this.view.getUint8(this.at + FLAGS) & flag) !== 0;
  }
}

export class OrderTable {
  private readonly rows = new RowSpace(ROW_BYTES);
  private readonly byOid = new HashIndex();
  /** By account and client id: the open one, else the latest. */
  private readonly byClientId = new HashIndex();
  /** Open ones by account and slot. */
  private readonly bySlot = new HashIndex();
  /** The first of the open ones of an account. */
  private readonly firstOpen = new HashIndex();
  /** Few have any. */
  private readonly children = new Map<number, readonly bigint[]>();
  /** Rows of orders that cannot be found any more, as long as somebody may still look at them, or show them. */
  private readonly forgotten: number[] = [];
  /** Rows that were MEMORY_UNSETTLED since `settled` was called last; some are something else by now. */
  private readonly unsettled: number[] = [];
  private readonly clientId = new DataView(new ArrayBuffer(CLIENT_ID_BYTES));

  find(oid: bigint): TrackedOrder | undefined {
    const row = this.rowOfOid(oid);
    return row === NO_ROW ? undefined : this.order(row);
  }

  /** The open order of an account with this client id, else the latest. */
  findClientId(account: number, clientId: ClientId): TrackedOrder | undefined {
    writeClientId(this.clientId, 0, clientId);
    const at = this.placeOfClientId(account, this.clientId, 0, hashOfClientId(account, this.clientId, 0));
    return at === NONE ? undefined : this.order(this.byClientId.number(at));
  }

  openOf(account: number): TrackedOrder[] {
    const open: TrackedOrder[] = [];
    const at = this.placeOfFirstOpen(account);
    if (at === NONE) return open;
    for (let row = this.firstOpen.number(at); row !== NO_ROW; row = this.word(row, OPEN_BEHIND)) open.push(this.order(row));
    return open;
  }

  add(order: NewOrder): TrackedOrder {
    const row = this.rows.take();
    const view = this.rows.view(row);
    const at = this.rows.at(row);
    write(view, at, order);
    if (order.children.length > 0) this.children.set(row, order.children);
    this.addOid(row, order.oid);
    if (order.clientId !== undefined) {
      const hash = hashOfClientId(order.account, view, at + CLIENT_ID);
      const known = this.placeOfClientId(order.account, view, at + CLIENT_ID, hash);
      if (known === NONE) this.byClientId.add(hash, row);
      // One that was refused for having the id of an open order does not take it over.
      else if (this.order(this.byClientId.number(known)).place === 'gone') this.byClientId.replace(known, row);
    }
    return this.order(row);
  }

  /** The order in a row, as `row` has named it. */
  order(row: number): TrackedOrder {
    return new TrackedOrder(this.rows, row, this.children);
  }

  /** A history shows an order once more. */
  show({ row }: TrackedOrder): void {
    this.setWord(row, SHOWN, this.word(row, SHOWN) + 1);
  }

  /** A history has let go what showed the order in a row. */
  hide(row: number): void {
    const shown = this.word(row, SHOWN);
    assert(shown > 0, 'what hides was shown');
    this.setWord(row, SHOWN, shown - 1);
    this.forget(row);
  }

  /** What a slot holds at the end of a block; undefined: nothing. */
  settle(account: number, slot: number, order: TrackedOrder | undefined): void {
    const before = this.rowOfSlot(account, slot);
    const row = order?.row ?? NO_ROW;
    if (before === row) return;
    if (before !== NO_ROW) this.unlink(before);
    if (row !== NO_ROW) {
      assert(this.word(row, ACCOUNT) === account && this.slotOf(row) === slot, 'an oid ends with its slot');
      this.link(row);
    }
    if (before === NO_ROW) return;
    this.order(before).place = 'gone';
    this.forget(before);
  }

  /** What has changed was settled, so what no history shows and no slot holds is gone. */
  settled(): void {
    for (const row of this.unsettled) {
      const view = this.rows.view(row);
      const at = this.rows.at(row);
      if (view.getUint8(at + MEMORY) !== MEMORY_UNSETTLED) continue;
      view.setUint8(at + MEMORY, MEMORY_KNOWN);
      if (view.getUint32(at + SHOWN, true) > 0 || view.getUint8(at + IS_OPEN) !== 0) continue;
      view.setUint8(at + PLACE, GONE);
      this.forget(row);
    }
    this.unsettled.length = 0;
  }

  /** Rows of forgotten orders can be others' from now on. For when nobody holds an order any more. */
  recycle(): void {
    for (const row of this.forgotten) {
      this.rows.view(row).setUint8(this.rows.at(row) + MEMORY, MEMORY_KNOWN);
      // A history may have come to show one again that it had let go in the same block.
      if (this.word(row, SHOWN) > 0) continue;
      this.children.delete(row);
      this.rows.giveBack(row);
    }
    this.forgotten.length = 0;
  }

  private forget(row: number): void {
    const view = this.rows.view(row);
    const at = this.rows.at(row);
    if (view.getUint32(at + SHOWN, true) > 0 || view.getUint8(at + IS_OPEN) !== 0) return;
    const memory = view.getUint8(at + MEMORY);
    if (view.getUint8(at + PLACE) !== GONE) {
      if (memory !== MEMORY_UNSETTLED) this.unsettled.push(row);
      view.setUint8(at + MEMORY, MEMORY_UNSETTLED);
      return;
    }
    const [low, high] = [view.getUint32(at + OID, true), view.getUint32(at + OID + 4, true)];
    if (this.rowOfHalves(low, high) === row) this.byOid.remove(hashOfOid(low, high), row);
    if (memory !== MEMORY_FORGOTTEN) this.forgotten.push(row);
    view.setUint8(at + MEMORY, MEMORY_FORGOTTEN);
    if ((view.getUint8(at + FLAGS) & FLAG_CLIENT_ID) === 0) return;
    const account = view.getUint32(at + ACCOUNT, true);
    const hash = hashOfClientId(account, view, at + CLIENT_ID);
    const known = this.placeOfClientId(account, view, at + CLIENT_ID, hash);
    if (known !== NONE && this.byClientId.number(known) === row) this.byClientId.remove(hash, row);
  }

  // --- Keys -------------------------------------------------------------------------------------------------------------------------

  private addOid(row: number, oid: bigint): void {
    const [low, high] = [lowWord(oid), highWord(oid)];
    const hash = hashOfOid(low, high);
    const known = this.placeOfHalves(low, high, hash);
    if (known === NONE) this.byOid.add(hash, row);
    else this.byOid.replace(known, row);
  }

  private rowOfOid(oid: bigint): number {
    return this.rowOfHalves(lowWord(oid), highWord(oid));
  }

  private rowOfHalves(low: number, high: number): number {
    const at = this.placeOfHalves(low, high, hashOfOid(low, high));
    return at === NONE ? NO_ROW : this.byOid.number(at);
  }

  private placeOfHalves(low: number, high: number, hash: number): number {
    const { byOid } = this;
    let at = byOid.first(hash);
    for (; at !== NONE; at = byOid.next(at, hash)) {
      const row = byOid.number(at);
      if (this.word(row, OID) === low && this.word(row, OID + 4) === high) break;
    }
    return at;
  }

  private placeOfClientId(account: number, view: DataView, from: number, hash: number): number {
    const { byClientId } = this;
    let at = byClientId.first(hash);
    for (; at !== NONE; at = byClientId.next(at, hash)) {
      const row = byClientId.number(at);
      if (this.word(row, ACCOUNT) === account && isSameClientId(view, from, this.rows.view(row), this.rows.at(row) + CLIENT_ID)) break;
    }
    return at;
  }

  private rowOfSlot(account: number, slot: number): number {
    const { bySlot } = this;
    const hash = hashOfNeighbour(slot, account);
    for (let at = bySlot.first(hash); at !== NONE; at = bySlot.next(at, hash)) {
      const row = bySlot.number(at);
      if (this.word(row, ACCOUNT) === account && this.slotOf(row) === slot) return row;
    }
    return NO_ROW;
  }

  private placeOfFirstOpen(account: number): number {
    const { firstOpen } = this;
    const hash = hashOfPair(account, 0);
    let at = firstOpen.first(hash);
    while (at !== NONE && this.word(firstOpen.number(at), ACCOUNT) !== account) at = firstOpen.next(at, hash);
    return at;
  }

  // --- Open ones --------------------------------------------------------------------------------------------------------------------

  private link(row: number): void {
    const account = this.word(row, ACCOUNT);
    const at = this.placeOfFirstOpen(account);
    const behind = at === NONE ? NO_ROW : this.firstOpen.number(at);
    this.setWord(row, OPEN_BEFORE, NO_ROW);
    this.setWord(row, OPEN_BEHIND, behind);
    if (at === NONE) this.firstOpen.add(hashOfPair(account, 0), row);
    else {
      this.setWord(behind, OPEN_BEFORE, row);
      this.firstOpen.replace(at, row);
    }
    this.bySlot.add(hashOfNeighbour(this.slotOf(row), account), row);
    this.rows.view(row).setUint8(this.rows.at(row) + IS_OPEN, 1);
  }

  private unlink(row: number): void {
    const account = this.word(row, ACCOUNT);
    const before = this.word(row, OPEN_BEFORE);
    const behind = this.word(row, OPEN_BEHIND);
    if (behind !== NO_ROW) this.setWord(behind, OPEN_BEFORE, before);
    if (before !== NO_ROW) this.setWord(before, OPEN_BEHIND, behind);
    else if (behind === NO_ROW) this.firstOpen.remove(hashOfPair(account, 0), row);
    else this.firstOpen.replace(this.placeOfFirstOpen(account), behind);
    this.bySlot.remove(hashOfNeighbour(this.slotOf(row), account), row);
    this.rows.view(row).setUint8(this.rows.at(row) + IS_OPEN, 0);
  }

  private slotOf(row: number): number {
    return this.word(row, OID) & SLOT_MASK;
  }

  private word(row: number, field: number): number {
    return this.rows.view(row).getUint32(this.rows.at(row) + field, true);
  }

  private setWord(row: number, field: number, value: number): void {
    this.rows.view(row).setUint32(this.rows.at(row) + field, value, true);
  }
}

function write(view: DataView, at: number, order: NewOrder): void {
  const { clientId, trigger } = order;
  view.setBigUint64(at + OID, order.oid, true);
  view.setUint32(at + ACCOUNT, order.account, true);
  view.setUint32(at + LIMIT, order.limitTicks, true);
  view.setUint32(at + TRIGGER_TICKS, trigger?.priceTicks ?? 0, true);
  view.setUint16(at + MARKET, order.market, true);
  view.setUint8(at + FLAGS, flagsOf(order));
  view.setUint8(at + TIF, TIFS.indexOf(order.tif));
  view.setUint8(at + PLACE, PLACES.indexOf(order.place));
  view.setUint8(at + STATUS, numberOfStatus(order.status));
  view.setUint8(at + IS_OPEN, 0);
  view.setUint8(at + MEMORY, MEMORY_KNOWN);
  view.setUint32(at + SHOWN, 0, true);
  view.setBigInt64(at + ORIGINAL, order.originalLots, true);
  view.setBigInt64(at + LEFT, order.leftLots, true);
  view.setFloat64(at + TIME, order.timeMs, true);
  view.setFloat64(at + STATUS_TIME, order.statusMs, true);
  if (clientId !== undefined) writeClientId(view, at + CLIENT_ID, clientId);
}

function flagsOf({ sell, reduceOnly, clientId, trigger }: NewOrder): number {
  return (
    (sell ? FLAG_SELL : 0) |
    (reduceOnly ? FLAG_REDUCE_ONLY : 0) |
    (clientId === undefined ? 0 : FLAG_CLIENT_ID) |
    (trigger === undefined
      ? 0
      : FLAG_TRIGGER |
        (trigger.takeProfit ? FLAG_TAKE_PROFIT : 0) |
        (trigger.market ? FLAG_TRIGGER_MARKET : 0) |
        (trigger.whole ? FLAG_WHOLE : 0))
  );
}

/** Orders that were placed one after the other are neighbours. */
function hashOfOid(low: number, high: number): number {
  return hashOfNeighbour((low >>> SLOT_BITS) | (high << (32 - SLOT_BITS)), high >>> SLOT_BITS);
}

function hashOfClientId(account: number, view: DataView, at: number): number {
  return hashOfFive(account, view.getUint32(at), view.getUint32(at + 4), view.getUint32(at + 8), view.getUint32(at + 12));
}

function isSameClientId(a: DataView, atA: number, b: DataView, atB: number): boolean {
  for (let i = 0; i < CLIENT_ID_BYTES; i += 4) if (a.getUint32(atA + i) !== b.getUint32(atB + i)) return false;
  return true;
}
