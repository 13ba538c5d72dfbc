/**
 * Orders by id, by client id and by owner: their terms as they were placed, what is left of them, and what became of them.
 *
 * The terms come from the item that placed the order, or, for one that was open before the first block that is remembered, from its records.
 * What is left is what the events have taken off; `settle` puts in what the records say at the end of the block.
 * Invariant: `openOf` gives the orders that have a record. Closed ones stay until the histories that show them have let them go.
 */
import type { OrderStatus } from '../exchange/messages.ts';
import type { ClientId, TimeInForce } from '../ledger/transactions.ts';

export interface TriggerTerms {
  readonly takeProfit: boolean;
  readonly priceTicks: number;
  readonly market: boolean;
  /** Follows the position. */
  readonly whole: boolean;
}

/** An order: its terms, then what changes. */
export interface TrackedOrder {
  readonly oid: bigint;
  readonly account: number;
  readonly market: number;
  readonly sell: boolean;
  readonly tif: TimeInForce;
  readonly limitTicks: number;
  /** Of a reduce-only order: what there was to reduce. */
  originalLots: bigint;
  readonly reduceOnly: boolean;
  readonly clientId: ClientId | undefined;
  readonly trigger: TriggerTerms | undefined;
  /** When it was placed; 0: before the first block that is known. */
  readonly timeMs: number;
  /** Hidden lots included. */
  leftLots: bigint;
  /** On the book, waiting for the mark, waiting for its parent, or gone. */
  place: 'book' | 'trigger' | 'child' | 'gone';
  /** Oids of children that wait for it. */
  children: readonly bigint[];
  status: OrderStatus;
  statusMs: number;
  /** Rows of histories that show it. */
  shown: number;
}

const SLOT_MASK = 0x1fffn;
export const NO_CHILDREN: readonly bigint[] = [];
const NO_ORDERS: ReadonlyMap<number, TrackedOrder> = new Map();

export class OrderTable {
  private readonly byOid = new Map<bigint, TrackedOrder>();
  /** By account, then by slot. */
  private readonly open = new Map<number, Map<number, TrackedOrder>>();
  /** By account and client id: the open one, else the latest. */
  private readonly byClientId = new Map<number, Map<ClientId, TrackedOrder>>();

  find(oid: bigint): TrackedOrder | undefined {
    return this.byOid.get(oid);
  }

  /** The open order of an account with this client id, else the latest. */
  findClientId(account: number, clientId: ClientId): TrackedOrder | undefined {
    return this.byClientId.get(account)?.get(clientId);
  }

  /** By slot. */
  openOf(account: number): ReadonlyMap<number, TrackedOrder> {
    return this.open.get(account) ?? NO_ORDERS;
  }

  add(order: TrackedOrder): TrackedOrder {
    this.byOid.set(order.oid, order);
    if (order.clientId === undefined) return order;
    const ofAccount = this.byClientId.get(order.account);
    if (ofAccount === undefined) {
      this.byClientId.set(order.account, new Map([[order.clientId, order]]));
      return order;
    }
    // One that was refused for having the id of an open order does not take it over.
    const known = ofAccount.get(order.clientId);
    if (known === undefined || known.place === 'gone') ofAccount.set(order.clientId, order);
    return order;
  }

  /** A history shows an order once more. */
  show(order: TrackedOrder): void {
    order.shown++;
  }

  /** A history has let a row go. */
  hide(order: TrackedOrder): void {
    order.shown--;
    this.forget(order);
  }

  /** What a slot holds at the end of a block; undefined: nothing. */
  settle(account: number, slot: number, order: TrackedOrder | undefined): void {
    const slots = this.open.get(account);
    const before = slots?.get(slot);
    if (before === order && order !== undefined) return;
    if (order === undefined) {
      slots?.delete(slot);
      if (slots?.size === 0) this.open.delete(account);
    } else if (slots === undefined) this.open.set(account, new Map([[slot, order]]));
    else slots.set(slot, order);
    if (before !== undefined) {
      before.place = 'gone';
      this.forget(before);
    }
  }

  private isOpen(order: TrackedOrder): boolean {
    return this.open.get(order.account)?.get(Number(order.oid & SLOT_MASK)) === order;
  }

  private forget(order: TrackedOrder): void {
    if (order.shown > 0 || this.isOpen(order)) return;
    if (this.byOid.get(order.oid) === order) this.byOid.delete(order.oid);
    if (order.clientId === undefined) return;
    const ofAccount = this.byClientId.get(order.account);
    if (ofAccount?.get(order.clientId) !== order) return;
    ofAccount.delete(order.clientId);
    if (ofAccount.size === 0) this.byClientId.delete(order.account);
  }
}
