/**
 * How long accounts in breach wait for the system: measured, not assumed. Keeps what every account has from the events of the receipts
 * alone (collateral and sizes, cross margin) and looks after every block who is below its maintenance margin at the block's marks.
 *
 * A breach begins in the first block at whose end its account is below maintenance, or in a block that acts on an account which was not
 * below at the end of the one before: then prices of that block did it. It is acted on in the first block with a forced action on the
 * account: a liquidation order, whether it finds a counterparty or not, a takeover or deleveraging. The blocks between are what is counted;
 * 0 is the same block. A breach ends when its account is above maintenance again.
 *
 * Invariant: `inBreach` is what an audit of the engine counts (`AuditResult.breaches`); the run compares them.
 */
import { assert } from '../base/assert.ts';
import { CAUSE_BACKSTOP, CAUSE_DELEVERAGE } from '../base/codes.ts';
import type { CrashMarket } from './crash-markets.ts';
import { type EventVisitor, type FillEvent, type ForcedEvent, type MoneyEvent, NOBODY } from './event-reader.ts';
import { NO_MARKET, type Population, TRADER_SLOTS } from './population.ts';

interface Margins {
  readonly unit: number;
  readonly leverage: number;
  readonly secondFrom: number;
  readonly secondLeverage: number;
  readonly secondDeduction: number;
}

export class BreachWatch implements EventVisitor {
  /** Accounts below maintenance at the end of the last block. */
  inBreach = 0;
  /** Breaches by the number of blocks until they were acted on. */
  readonly waits: number[] = [];
  /** Traders by the wave in which the first forced action on them fell; the entry behind the last is for before the first. */
  readonly firstActions: Int32Array;
  private readonly population: Population;
  private readonly margins: readonly Margins[];
  private readonly collateral: Float64Array;
  private readonly slotLots: Float64Array;
  /** Sizes of wide accounts, as in the population. */
  private readonly wideLots: Float64Array;
  private readonly markets: number;
  /** Block in which the account's breach began, -1: it is in none. */
  private readonly since: Int32Array;
  private readonly acted: Uint8Array;
  private readonly everActed: Uint8Array;
  private block = 0;
  private wave = -1;

  /** Before the first set-up block. */
  constructor(population: Population, waves: number) {
    this.population = population;
    this.markets = population.markets.length;
    this.margins = population.markets.map(marginsOf);
    this.collateral = population.collateral.slice();
    this.slotLots = new Float64Array(population.slotLots.length);
    this.wideLots = new Float64Array(population.wideLots.length);
    this.since = new Int32Array(population.accounts).fill(-1);
    this.acted = new Uint8Array(population.accounts);
    this.everActed = new Uint8Array(population.traders);
    this.firstActions = new Int32Array(waves + 1);
  }

  /** Before the events of a block; `wave`: the one that is on, or was last. */
  begin(block: number, wave: number): void {
    this.block = block;
    this.wave = wave;
  }

  fill({ market, taker, maker, priceTicks, takerSells, lots, takerFee, makerFee }: FillEvent): void {
    const signed = takerSells ? -lots : lots;
    this.trade(taker, market, signed, priceTicks, takerFee);
    this.trade(maker, market, -signed, priceTicks, makerFee);
  }

  forced({ method, account, counterparty, market, lots, amount }: ForcedEvent): void {
    this.act(account);
    if (method === CAUSE_DELEVERAGE) {
      this.pay(account, amount);
      this.pay(counterparty, -amount);
    } else if (method === CAUSE_BACKSTOP && market === NOBODY) {
      this.pay(account, amount);
    } else if (method === CAUSE_BACKSTOP) {
      // One event a position; behind the last of them nothing is left.
      this.change(account, market, lots);
      this.collateral[account] = 0;
    }
  }

  money({ from, to, amount }: MoneyEvent): void {
    if (from !== NOBODY) this.pay(from, -amount);
    if (to !== NOBODY) this.pay(to, amount);
  }

  /** After the events of a block, with the marks of all markets at its end. */
  end(marks: ArrayLike<number>): void {
    this.inBreach = 0;
    for (let trader = 0; trader < this.population.traders; trader++) this.look(trader, this.traderBelow(trader, marks));
    const { traders, wide } = this.population;
    for (let account = traders; account < traders + wide; account++) this.look(account, this.wideBelow(account, marks));
  }

  /** Breaches that nothing was done about by now, by how many blocks they have waited. */
  waiting(): number[] {
    return [...this.since].flatMap((since, account) => (since >= 0 && this.acted[account] === 0 ? [this.block - since] : []));
  }

  private trade(account: number, market: number, lots: number, priceTicks: number, fee: number): void {
    if (account === this.population.vault) return;
    this.change(account, market, lots);
    this.pay(account, -(priceTicks * lots * (this.margins[market] as Margins).unit + fee));
  }

  private pay(account: number, amount: number): void {
    if (account !== this.population.vault) this.collateral[account] = (this.collateral[account] as number) + amount;
  }

  private change(account: number, market: number, lots: number): void {
    const { traders, slotMarket, vault } = this.population;
    if (account === vault) return;
    if (account >= traders) {
      const at = this.population.widePlace(account, market);
      this.wideLots[at] = (this.wideLots[at] as number) + lots;
      return;
    }
    const first = account * TRADER_SLOTS;
    let at = first;
    while (at < first + TRADER_SLOTS && slotMarket[at] !== market) at++;
    assert(at < first + TRADER_SLOTS, 'traders trade in the markets of their slots');
    this.slotLots[at] = (this.slotLots[at] as number) + lots;
  }

  private act(account: number): void {
    if (account === this.population.vault) return;
    if (account < this.population.traders && this.everActed[account] === 0) {
      this.everActed[account] = 1;
      const at = this.wave < 0 ? this.firstActions.length - 1 : this.wave;
      this.firstActions[at] = (this.firstActions[at] as number) + 1;
    }
    if (this.acted[account] === 1) return;
    this.acted[account] = 1;
    if (this.since[account] === -1) this.since[account] = this.block;
    const waited = this.block - (this.since[account] as number);
    while (this.waits.length <= waited) this.waits.push(0);
    this.waits[waited] = (this.waits[waited] as number) + 1;
  }

  private look(account: number, below: boolean): void {
    if (below) {
      this.inBreach++;
      if (this.since[account] === -1) this.since[account] = this.block;
    } else if (this.since[account] !== -1) {
      this.since[account] = -1;
      this.acted[account] = 0;
    }
  }

  private traderBelow(trader: number, marks: ArrayLike<number>): boolean {
    let value = this.collateral[trader] as number;
    let maintenance = 0;
    const { slotMarket } = this.population;
    for (let at = trader * TRADER_SLOTS; at < (trader + 1) * TRADER_SLOTS; at++) {
      const market = slotMarket[at] as number;
      if (market === NO_MARKET) break;
      const lots = this.slotLots[at] as number;
      if (lots === 0) continue;
      const margins = this.margins[market] as Margins;
      const worth = lots * (marks[market] as number) * margins.unit;
      value += worth;
      maintenance += maintenanceOf(margins, Math.abs(worth));
    }
    return value < maintenance;
  }

  private wideBelow(account: number, marks: ArrayLike<number>): boolean {
    let value = this.collateral[account] as number;
    let maintenance = 0;
    for (let market = 0; market < this.markets; market++) {
      const lots = this.wideLots[this.population.widePlace(account, market)] as number;
      if (lots === 0) continue;
      const margins = this.margins[market] as Margins;
      const worth = lots * (marks[market] as number) * margins.unit;
      value += worth;
      maintenance += maintenanceOf(margins, Math.abs(worth));
    }
    return value < maintenance;
  }
}

/** Two tiers (docs/rules.md, 4.4). */
function marginsOf({ parameters, tiers }: CrashMarket): Margins {
  const [first, second] = tiers.map(({ lowerNotional, maxLeverage }) => ({ from: Number(lowerNotional), leverage: maxLeverage }));
  assert(first !== undefined && second !== undefined && tiers.length === 2, 'markets have two tiers');
  const divisor = 2 * second.leverage * first.leverage;
  return {
    unit: parameters.unit,
    leverage: first.leverage,
    secondFrom: second.from,
    secondLeverage: second.leverage,
    secondDeduction: Math.floor((second.from * (first.leverage - second.leverage)) / divisor),
  };
}

function maintenanceOf(margins: Margins, notional: number): number {
  if (notional < margins.secondFrom) return Math.ceil(notional / (2 * margins.leverage));
  return Math.ceil(notional / (2 * margins.secondLeverage)) - margins.secondDeduction;
}
