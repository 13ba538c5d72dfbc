/**
 * What happened before the blocks that are remembered, read from the store again when somebody asks.
 *
 * Blocks are found by the store's index, so only those that were committed with their terms (block-terms.ts) are found. A question reads at
 * most `BLOCKS_MAX` of them.
 */
import type { Address } from '../ledger/transactions.ts';
import type { Store } from '../storage/index.ts';
import { type BlockFacts, type FactContext, type FillFact, type MoneyFact, type OrderFact, readBlock } from './block-facts.ts';
import type { MarketTable } from './market-table.ts';
import { OrderTable } from './order-table.ts';
import { RunningPositions } from './running-positions.ts';
import type { StateMirror } from './state-mirror.ts';
import { StoredBlocks } from './stored-blocks.ts';

const BLOCKS_MAX = 200;

export class Archive {
  private readonly store: Store;
  private readonly blocks: StoredBlocks;
  private readonly markets: MarketTable;
  private readonly mirror: StateMirror;
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
    return this.read(user, fromMs, toMs, most, ({ fills }) => fills.filter((fill) => fill.account === account));
  }

  money(user: Address, account: number, fromMs: number, toMs: number, most: number): MoneyFact[] {
    return this.read(user, fromMs, toMs, most, ({ money }) => money.filter((fact) => fact.account === account));
  }

  /** The last step of an order, and what it was. */
  order(account: number, oid: bigint): OrderFact | undefined {
    return this.lastStep(
      this.store.placesOfOrder(oid, { limit: BLOCKS_MAX }).map(({ height }) => height),
      ({ order }) => order.account === account && order.oid === oid,
    );
  }

  orderOfClientId(user: Address, account: number, clientId: string): OrderFact | undefined {
    const [place] = this.store.placesOfClientId(user, clientId, { limit: 1, newestFirst: true });
    if (place === undefined) return undefined;
    const matches = ({ order }: OrderFact): boolean => order.account === account && order.clientId === clientId;
    const placed = this.lastStep([place.height], matches);
    return placed && (this.order(account, placed.order.oid) ?? placed);
  }

  private lastStep(heights: readonly number[], matches: (fact: OrderFact) => boolean): OrderFact | undefined {
    // One table for all of its blocks: the steps build on each other.
    const orders = new OrderTable();
    let last: OrderFact | undefined;
    for (const height of new Set(heights)) {
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
    const block = this.blocks.at(height);
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
}
