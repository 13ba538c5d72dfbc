/**
 * What happened before the blocks that are remembered, read from the store again when somebody asks.
 *
 * Blocks are found by the store's index, so only those that were committed with their terms (block-terms.ts) are found. A question reads at
 * most `BLOCKS_MAX` of them.
 */
import { OID_SLOT_BITS } from '../exchange/layout.ts';
import type { Address } from '../ledger/transactions.ts';
import type { Store } from '../storage/index.ts';
import { type FactContext, itemOfOrdinal, readBlock } from './block-facts.ts';
import type { BlockFacts, FillFact, MoneyFact, OrderFact, ReadableBlock } from './facts.ts';
import type { MarketTable } from './market-table.ts';
import { OrderTable } from './order-table.ts';
import { RunningPositions } from './running-positions.ts';
import type { StateMirror } from './state-mirror.ts';
import { StoredBlocks } from './stored-blocks.ts';

const BLOCKS_MAX = 200;
const CACHED_MAX = 32;

export class Archive {
  private readonly store: Store;
  private readonly blocks: StoredBlocks;
  private readonly markets: MarketTable;
  private readonly mirror: StateMirror;
  private readonly cached = new Map<number, ReadableBlock>();
  /** The first block that is remembered. */
  private firstRemembered = 1;

  constructor(store: Store, markets: MarketTable, mirror: StateMirror) {
    this.store = store;
    this.blocks = new StoredBlocks(store);
    this.markets = markets;
    this.mirror = mirror;
  }

  startsAt(height: number): void {
    this.firstRemembered = height;
  }

  /** Oldest first. */
  fills(user: Address, account: number, fromMs: number, toMs: number, most: number): FillFact[] {
    const fills = this.read(user, fromMs, toMs, most, (facts) => facts.fills.filter((fill) => fill.account === account));
    return fills.map((fill) => (fill.crossed || fill.oid === 0n ? fill : { ...fill, clientId: this.clientIdOf(fill.oid) }));
  }

  /** The client id that an order was placed with. */
  private clientIdOf(oid: bigint): string | undefined {
    const ordinal = oid >> BigInt(OID_SLOT_BITS);
    const height = this.blocks.heightOfOrdinal(ordinal);
    const block = height === undefined ? undefined : this.block(height);
    const item = block && itemOfOrdinal(block, ordinal);
    return item?.op === 'place' || item?.op === 'modify' ? item.clientId : undefined;
  }

  money(user: Address, account: number, fromMs: number, toMs: number, most: number): MoneyFact[] {
    return this.read(user, fromMs, toMs, most, ({ money }) => money.filter((fact) => fact.account === account));
  }

  /** The last step of an order, and what it was. */
  order(user: Address, account: number, oid: bigint): OrderFact | undefined {
    // Where it was placed follows from its number, also if it was refused and the index does not have it.
    const placed = this.blocks.heightOfOrdinal(oid >> BigInt(OID_SLOT_BITS));
    const heights = this.store.placesOfOrder(oid, { limit: BLOCKS_MAX }).map(({ height }) => height);
    if (placed !== undefined) heights.push(placed);
    // What replaced it may have named it by its client id.
    const clientId = this.clientIdOf(oid);
    const from = Math.min(...heights);
    if (clientId !== undefined) {
      for (const { height } of this.store.placesOfClientId(user, clientId, { from, limit: BLOCKS_MAX })) heights.push(height);
    }
    return this.lastStep(heights, ({ order }) => order.account === account && order.oid === oid);
  }

  /** Of an account's order with this client id that was placed last. */
  orderOfClientId(user: Address, account: number, clientId: string): OrderFact | undefined {
    const heights = this.store.placesOfClientId(user, clientId, { limit: BLOCKS_MAX, newestFirst: true }).map(({ height }) => height);
    const placed = this.lastStep(heights, ({ order }) => order.account === account && order.clientId === clientId);
    return placed && (this.order(user, account, placed.order.oid) ?? placed);
  }

  private lastStep(heights: readonly number[], matches: (fact: OrderFact) => boolean): OrderFact | undefined {
    // One table for all of its blocks: the steps build on each other.
    const orders = new OrderTable();
    let last: OrderFact | undefined;
    for (const height of [...new Set(heights)].sort((x, y) => x - y)) {
      for (const fact of this.factsOf(height, orders)?.orders ?? []) if (matches(fact)) last = fact;
    }
    return last;
  }

  private read<T extends { readonly timeMs: number }>(
    user: Address,
    fromMs: number,
    toMs: number,
    most: number,
    choose: (facts: BlockFacts) => T[],
  ): T[] {
    const to = this.firstRemembered - 1;
    if (to < 1) return [];
    const from = this.heightAt(fromMs, to);
    if (to < this.store.first || from > to) return [];
    const found: T[] = [];
    for (const height of this.store.heightsOfAccount(user, { from, to, limit: BLOCKS_MAX })) {
      const facts = this.factsOf(height, new OrderTable());
      for (const fact of facts === undefined ? [] : choose(facts)) {
        if (fact.timeMs > toMs || found.length === most) return found;
        if (fact.timeMs >= fromMs) found.push(fact);
      }
    }
    return found;
  }

  /** The first height at or after a time. */
  private heightAt(timeMs: number, last: number): number {
    let [low, high] = [Math.max(1, this.store.first), last + 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.blocks.timeMs(middle) < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private factsOf(height: number, orders: OrderTable): BlockFacts | undefined {
    const block = this.block(height);
    if (block === undefined) return undefined;
    const context: FactContext = {
      markets: this.markets,
      mirror: this.mirror,
      orders,
      positions: new RunningPositions(this.mirror),
      twaps: { get: () => undefined, start: () => {} },
      markTicks: () => 0,
      backstop: undefined,
      delisted: new Map(),
    };
    return readBlock(block, context);
  }

  /** The last blocks are kept: one question often needs the same ones. */
  private block(height: number): ReadableBlock | undefined {
    const known = this.cached.get(height);
    if (known !== undefined) return known;
    const block = this.blocks.at(height);
    if (block === undefined) return undefined;
    if (this.cached.size >= CACHED_MAX) this.cached.delete(this.cached.keys().next().value as number);
    this.cached.set(height, block);
    return block;
  }
}
