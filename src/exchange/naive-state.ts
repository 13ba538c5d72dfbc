/**
 * The naive twin's state: what the rules of docs/rules.md are about, as plain objects, and the sums that follow from it. Levels, queues,
 * best prices, position values and margins are derived each time they are needed, where the kernel maintains them.
 */
import { assert } from '../base/assert.ts';
import { NO_ACCOUNT } from '../kernel/layout.ts';
import { NaiveAccounts, type NaiveRecord } from '../ledger/naive.ts';
import type { Address, ClientId, SelfTradeMode, TimeInForce } from '../ledger/transactions.ts';
import {
  type ExchangeOptions,
  exchangeOptions,
  type Genesis,
  type MarketOptions,
  type MarketParameters,
  marketOptions,
} from './genesis.ts';
import { ACC_BACKSTOP, TWAPS_MAX } from './layout.ts';
import type { NaiveDormant } from './naive-dormant.ts';
import { divideDown, divideUp, isOpposite, larger, magnitude, signed, smaller, sum } from './naive-numbers.ts';
import { stateRecords } from './naive-records.ts';

/** An open order: on the book (`resting`), waiting for the mark (`trigger`), or waiting for its parent (`child`). */
export interface NaiveOrder {
  readonly oid: bigint;
  readonly account: number;
  readonly slot: number;
  readonly market: number;
  readonly sell: boolean;
  readonly tif: TimeInForce;
  readonly reduceOnly: boolean;
  readonly clientId: ClientId | undefined;
  state: 'resting' | 'trigger' | 'child';
  priceTicks: bigint;
  originalLots: bigint;
  /** What is left and visible. */
  sizeLots: bigint;
  margin: bigint;
  /** An extra record exists (4.1, 4.6). */
  extra: boolean;
  /** 0: never. */
  expiresMs: bigint;
  displayLots: bigint;
  hiddenLots: bigint;
  triggerTicks: bigint;
  /** TRIGGER_*, 0 = none. */
  triggerKind: number;
  triggerMarket: boolean;
  whole: boolean;
  /** Slot + 1 of other orders of the account, 0 = none. */
  parent: number;
  sibling: number;
  child1: number;
  child2: number;
  /** Account number + 1, 0 = none. */
  builder: number;
  builderFee: number;
}

/** A position record. It exists from its first fill, leverage update or trigger order on. */
export interface NaivePosition {
  sizeLots: bigint;
  cost: bigint;
  rawUsd: bigint;
  realised: bigint;
  funding: bigint;
  triggerAbove: bigint;
  triggerBelow: bigint;
  triggers: number;
  leverage: number;
  isolated: boolean;
  attached: number;
}

/** The fields of the margin account that do not follow from positions and orders. */
export interface NaiveMarginAccount {
  collateral: bigint;
  feeTier: number;
  makerTier: number;
  flags: number;
}

export interface NaiveSettings {
  scheduledMs: bigint;
  nextDueMs: bigint;
  cooldownMs: bigint;
  scheduleDay: number;
  scheduleCount: number;
  /** Account number + 1. */
  referrer: number;
  twapCount: number;
  /** Running TWAPs by index 0..7. */
  readonly twaps: (NaiveTwap | undefined)[];
  attachedClosed: boolean;
}

export interface NaiveTwap {
  readonly id: number;
  readonly market: number;
  readonly sell: boolean;
  readonly reduceOnly: boolean;
  readonly randomize: boolean;
  readonly startAbove: boolean;
  readonly totalLots: bigint;
  filledLots: bigint;
  startMs: bigint;
  readonly slices: number;
  sliced: number;
  readonly startTicks: bigint;
  readonly stopTicks: bigint;
}

export interface NaiveVolume {
  taker: bigint;
  maker: bigint;
  all: bigint;
  /** The last 14 days by day % 14, from the first roll with volume on. */
  history: { taker: bigint[]; maker: bigint[] } | undefined;
  /** Parts (0..3) of the history whose record exists. */
  readonly historyParts: Set<number>;
}

export interface NaiveVault {
  readonly account: number;
  /** NO_ACCOUNT for the backstop vault. */
  readonly leader: number;
  readonly index: number;
  readonly lockMs: bigint;
  readonly commissionPpm: number;
  shares: bigint;
  leaderShares: bigint;
  deposits: boolean;
  readonly backstop: boolean;
  readonly name: string;
  readonly description: string;
  readonly followers: Map<number, { shares: bigint; basis: bigint; lockedUntilMs: bigint }>;
}

export interface NaiveReport {
  indexTicks: bigint;
  perpTicks: bigint;
  timeMs: bigint;
}

export interface NaiveMarket {
  readonly number: number;
  readonly parameters: MarketParameters & MarketOptions;
  readonly unit: bigint;
  /** Open interest lots follow from positions, volume and fees do not. */
  volume: bigint;
  fees: bigint;
  // The price record; ticks 0 = none.
  indexTicks: bigint;
  markTicks: bigint;
  indexTimeMs: bigint;
  lastTicks: bigint;
  previousMarkTicks: bigint;
  basisSum: bigint;
  basisWeight: bigint;
  bookSum: bigint;
  bookWeight: bigint;
  // The funding record.
  sampleSum: bigint;
  samples: bigint;
  rate: bigint;
  lastSample: bigint;
  lastHour: bigint;
  hyperSum: bigint;
  hyperWeight: bigint;
  /** Index prices by minute % 70. */
  readonly minutes: bigint[];
  /** By reporter index. */
  readonly reports: Map<number, NaiveReport>;
  /** undefined until the first vote. */
  delisting: { readonly voted: Set<number>; delistedMs: bigint; settledTicks: bigint } | undefined;
  // Flags of the block and what they are made from.
  capped: boolean;
  fast: boolean;
  interestBefore: bigint;
  interestMinute: bigint;
  // What this block's sweep does.
  settleTicks: bigint;
  paid: boolean;
}

/** What lives as long as one transaction. */
export interface NaiveRun {
  readonly events: Uint8Array[];
  /** Steps of matching that are left (4.2). */
  stepsLeft: number;
}

/** Who takes, and how (4.2). */
export interface NaiveTaker {
  readonly account: number;
  readonly market: number;
  readonly sell: boolean;
  readonly limit: bigint;
  readonly lots: bigint;
  readonly oid: bigint;
  /** CAUSE_*. */
  readonly cause: number;
  /** Forced orders pay no fee. */
  readonly pays: boolean;
  readonly selfTrade: SelfTradeMode;
  readonly builder: number;
  readonly builderFee: number;
  readonly fillOrKill: boolean;
}

export interface NaiveMatch {
  readonly left: bigint;
  readonly stopped: 'limit' | 'selfTrade' | 'margin' | undefined;
}

/** A level of the book: what is visible at a price. */
export interface NaiveLevel {
  readonly priceTicks: bigint;
  readonly lots: bigint;
}

/** A margin tier with its deduction (4.4). */
export interface NaiveTier {
  readonly lowerNotional: bigint;
  readonly maxLeverage: number;
  readonly deduction: bigint;
}

export const U64_MAX = 2n ** 64n - 1n;
const SLOTS_PER_PAGE = 64;

export class NaiveState {
  readonly genesis: Genesis;
  readonly options: ExchangeOptions;
  readonly accounts: NaiveAccounts;
  readonly markets: NaiveMarket[];
  readonly marginAccounts = new Map<number, NaiveMarginAccount>();
  /** By account, then by market. */
  readonly positions = new Map<number, Map<number, NaivePosition>>();
  /** All open orders; those that rest at one price stand in the order of their queue. */
  orders: NaiveOrder[] = [];
  readonly settings = new Map<number, NaiveSettings>();
  readonly volumes = new Map<number, NaiveVolume>();
  readonly rewards = new Map<number, { builder: bigint; referral: bigint }>();
  /** maxFee by `user/builder`; never 0. */
  readonly approvals = new Map<string, number>();
  /** Owners by code. */
  readonly referralCodes = new Map<string, number>();
  /** By index. */
  readonly vaults: NaiveVault[] = [];
  readonly dormant = new Map<Address, NaiveDormant>();
  /** How often an account has become dormant, was revived, and stayed dormant for lack of a number. */
  folded = 0;
  revived = 0;
  stayedDormant = 0;
  readonly treasury = { balance: 0n, withdrawn: 0n, covered: 0n };
  /** Account number of the backstop vault. */
  readonly backstop: number | undefined;
  blockNumber = 0;
  timeMs = 0n;
  seed = 1n;
  lastMarkMs = 0n;
  /** undefined: no block yet. */
  lastRollDay: bigint | undefined;

  constructor(genesis: Genesis) {
    this.genesis = genesis;
    this.options = exchangeOptions(genesis);
    this.accounts = new NaiveAccounts(genesis.maxAccounts);
    this.markets = genesis.markets.map((parameters, number) => newMarket(marketOptions(parameters), number));
    for (const { address, balances, collateral } of genesis.accounts) {
      const account = this.accounts.assignNumber(address);
      assert(account !== undefined, 'more accounts in genesis than maxAccounts');
      this.accounts.create(account, address);
      for (const { token, amount } of balances ?? []) this.accounts.setBalance(account, token, amount);
      if (collateral !== undefined && collateral > 0n) this.openMarginAccount(account).collateral = collateral;
    }
    if (genesis.backstop !== undefined) {
      this.backstop = this.accounts.numberOf(genesis.backstop);
      assert(this.backstop !== undefined, 'the backstop vault is no account of the genesis');
      this.#makeBackstop(this.backstop);
    }
  }

  #makeBackstop(account: number): void {
    const marginAccount = this.openMarginAccount(account);
    marginAccount.flags = ACC_BACKSTOP;
    this.accounts.setRole(account, 'vault', NO_ACCOUNT, 0);
    this.vaults.push({
      account,
      leader: NO_ACCOUNT,
      index: 0,
      lockMs: BigInt(this.options.backstopLockMs),
      commissionPpm: 0,
      shares: marginAccount.collateral,
      leaderShares: 0n,
      deposits: true,
      backstop: true,
      name: '',
      description: '',
      followers: new Map(),
    });
  }

  /** Accounts whose nextDueMs is not the maximum, ascending (4.8). */
  timedAccounts(): number[] {
    return ascending([...this.settings].filter(([, settings]) => settings.nextDueMs !== U64_MAX).map(([account]) => account));
  }

  market(number: number): NaiveMarket {
    const market = this.markets[number];
    assert(market, `no market ${number}`);
    return market;
  }

  isDelisted(market: number): boolean {
    return (this.market(market).delisting?.delistedMs ?? 0n) !== 0n;
  }

  // Accounts

  margin(account: number): NaiveMarginAccount {
    const marginAccount = this.marginAccounts.get(account);
    assert(marginAccount, `account ${account} has no margin account`);
    return marginAccount;
  }

  /** The margin account; a new one comes with its volume and rewards records. */
  openMarginAccount(account: number): NaiveMarginAccount {
    const existing = this.marginAccounts.get(account);
    if (existing !== undefined) return existing;
    const created: NaiveMarginAccount = { collateral: 0n, feeTier: 0, makerTier: 0, flags: 0 };
    this.marginAccounts.set(account, created);
    this.volumes.set(account, { taker: 0n, maker: 0n, all: 0n, history: undefined, historyParts: new Set() });
    this.rewards.set(account, { builder: 0n, referral: 0n });
    return created;
  }

  volume(account: number): NaiveVolume {
    const volume = this.volumes.get(account);
    assert(volume, `account ${account} has no volume record`);
    return volume;
  }

  /** Notional traded over all time; 0 without a record. */
  volumeOf(account: number): bigint {
    return this.volumes.get(account)?.all ?? 0n;
  }

  addVolume(account: number, side: 'taker' | 'maker', notional: bigint): void {
    const volume = this.volume(account);
    volume[side] += notional;
    volume.all += notional;
  }

  reward(account: number): { builder: bigint; referral: bigint } {
    const reward = this.rewards.get(account);
    assert(reward, `account ${account} has no rewards record`);
    return reward;
  }

  openSettings(account: number): NaiveSettings {
    const existing = this.settings.get(account);
    if (existing !== undefined) return existing;
    const created: NaiveSettings = {
      scheduledMs: 0n,
      nextDueMs: U64_MAX,
      cooldownMs: 0n,
      scheduleDay: 0,
      scheduleCount: 0,
      referrer: 0,
      twapCount: 0,
      twaps: new Array<NaiveTwap | undefined>(TWAPS_MAX).fill(undefined),
      attachedClosed: false,
    };
    this.settings.set(account, created);
    return created;
  }

  /** 4.8. */
  becomesTimed(account: number, timeMs: bigint): void {
    const settings = this.openSettings(account);
    settings.nextDueMs = smaller(settings.nextDueMs, timeMs);
  }

  // Positions

  /** Signed size, zero where there is no position. */
  lots(account: number, market: number): bigint {
    return this.position(account, market)?.sizeLots ?? 0n;
  }

  position(account: number, market: number): NaivePosition | undefined {
    return this.positions.get(account)?.get(market);
  }

  openPosition(account: number, market: number): NaivePosition {
    const ofAccount = this.positions.get(account) ?? new Map<number, NaivePosition>();
    this.positions.set(account, ofAccount);
    const existing = ofAccount.get(market);
    if (existing !== undefined) return existing;
    const created: NaivePosition = {
      sizeLots: 0n,
      cost: 0n,
      rawUsd: 0n,
      realised: 0n,
      funding: 0n,
      triggerAbove: 0n,
      triggerBelow: 0n,
      triggers: 0,
      leverage: 0,
      isolated: false,
      attached: 0,
    };
    ofAccount.set(market, created);
    return created;
  }

  leverageOf(account: number, market: number): number {
    const own = this.position(account, market)?.leverage ?? 0;
    return own === 0 ? this.market(market).parameters.leverage : own;
  }

  isIsolated(account: number, market: number): boolean {
    return (this.position(account, market)?.isolated ?? false) || this.market(market).parameters.mode !== 'normal';
  }

  /** Markets with a bit in the portfolio, ascending: an open size or waiting trigger orders. */
  heldMarkets(account: number): number[] {
    const ofAccount = [...(this.positions.get(account) ?? [])];
    return ascending(ofAccount.filter(([, position]) => position.sizeLots !== 0n || position.triggers !== 0).map(([market]) => market));
  }

  /** Markets with an open size, ascending. */
  openMarkets(account: number): number[] {
    return this.heldMarkets(account).filter((market) => this.lots(account, market) !== 0n);
  }

  crossMarkets(account: number): number[] {
    return this.openMarkets(account).filter((market) => !this.isIsolated(account, market));
  }

  isolatedMarkets(account: number): number[] {
    return this.openMarkets(account).filter((market) => this.isIsolated(account, market));
  }

  /** Accounts with portfolio bits, ascending. */
  accountsWithPositions(): number[] {
    return ascending([...this.positions.keys()].filter((account) => this.heldMarkets(account).length > 0));
  }

  openInterest(market: number): bigint {
    return sum([...this.positions.keys()].map((account) => larger(this.lots(account, market), 0n)));
  }

  // Margins and account values (4.4)

  /** Of a size, signed or not, at the mark; never negative. */
  notional(market: number, lots: bigint): bigint {
    const { markTicks, unit } = this.market(market);
    return magnitude(lots) * markTicks * unit;
  }

  initialMargin(account: number, market: number, lots: bigint): bigint {
    return divideUp(this.notional(market, lots), BigInt(this.leverageOf(account, market)));
  }

  maintenanceMargin(market: number, lots: bigint): bigint {
    if (lots === 0n) return 0n;
    const notional = this.notional(market, lots);
    const { maxLeverage, deduction } = this.tierOf(market, notional);
    return divideUp(notional, 2n * BigInt(maxLeverage)) - deduction;
  }

  tiers(market: number): NaiveTier[] {
    const tiers: NaiveTier[] = [];
    for (const { lowerNotional, maxLeverage } of this.market(market).parameters.tiers) {
      const before = tiers.at(-1);
      let deduction = 0n;
      if (before !== undefined) {
        const [now, then] = [BigInt(maxLeverage), BigInt(before.maxLeverage)];
        deduction = before.deduction + divideDown(lowerNotional * (then - now), 2n * now * then);
      }
      tiers.push({ lowerNotional, maxLeverage, deduction });
    }
    return tiers;
  }

  tierOf(market: number, notional: bigint): NaiveTier {
    const tier = this.tiers(market).findLast(({ lowerNotional }) => lowerNotional <= notional);
    assert(tier, `market ${market} has no tier for ${notional}`);
    return tier;
  }

  /** AV: the cross part. */
  accountValue(account: number): bigint {
    return (this.marginAccounts.get(account)?.collateral ?? 0n) + this.positionValue(account);
  }

  positionValue(account: number): bigint {
    return sum(
      this.crossMarkets(account).map((market) => this.lots(account, market) * this.market(market).markTicks * this.market(market).unit),
    );
  }

  positionMargin(account: number): bigint {
    return sum(this.crossMarkets(account).map((market) => this.initialMargin(account, market, this.lots(account, market))));
  }

  maintenance(account: number): bigint {
    return sum(this.crossMarkets(account).map((market) => this.maintenanceMargin(market, this.lots(account, market))));
  }

  orderMargin(account: number): bigint {
    return sum(this.orders.filter((order) => order.account === account).map((order) => order.margin));
  }

  /** AV - positionMargin - orderMargin. */
  freeMargin(account: number): bigint {
    return this.accountValue(account) - this.positionMargin(account) - this.orderMargin(account);
  }

  crossNotional(account: number): bigint {
    return sum(this.crossMarkets(account).map((market) => this.notional(market, this.lots(account, market))));
  }

  /** Q. */
  isolatedEquity(account: number, market: number): bigint {
    const { markTicks, unit } = this.market(market);
    return (this.position(account, market)?.rawUsd ?? 0n) + this.lots(account, market) * markTicks * unit;
  }

  transferable(account: number): bigint {
    const kept = larger(this.positionMargin(account), divideUp(this.crossNotional(account), 10n));
    return larger(0n, this.accountValue(account) - this.orderMargin(account) - kept);
  }

  valueForOthers(account: number): bigint {
    return this.accountValue(account) + sum(this.isolatedMarkets(account).map((market) => this.isolatedEquity(account, market)));
  }

  // Orders and the book

  /** By slot. */
  openOrders(account: number): NaiveOrder[] {
    return this.orders.filter((order) => order.account === account).sort((a, b) => a.slot - b.slot);
  }

  orderInSlot(account: number, slot: number): NaiveOrder | undefined {
    return this.orders.find((order) => order.account === account && order.slot === slot);
  }

  lowestFreeSlot(account: number): number | undefined {
    const used = new Set(this.openOrders(account).map((order) => order.slot));
    for (let slot = 0; slot < SLOTS_PER_PAGE * this.genesis.orderPages; slot++) if (!used.has(slot)) return slot;
    return undefined;
  }

  /** Orders of one side that rest on the book, best price first, then first in time. */
  restingOrders(market: number, sells: boolean): NaiveOrder[] {
    const resting = this.orders.filter((order) => order.state === 'resting' && order.market === market && order.sell === sells);
    return resting.sort((a, b) => Number(sells ? a.priceTicks - b.priceTicks : b.priceTicks - a.priceTicks));
  }

  bestBid(market: number): bigint | undefined {
    return this.restingOrders(market, false)[0]?.priceTicks;
  }

  bestAsk(market: number): bigint | undefined {
    return this.restingOrders(market, true)[0]?.priceTicks;
  }

  /** Levels of one side, best first. */
  levels(market: number, sells: boolean): NaiveLevel[] {
    const lots = new Map<bigint, bigint>();
    for (const order of this.restingOrders(market, sells)) {
      lots.set(order.priceTicks, (lots.get(order.priceTicks) ?? 0n) + order.sizeLots);
    }
    return [...lots].map(([priceTicks, levelLots]) => ({ priceTicks, lots: levelLots }));
  }

  // A fill (4.3)

  /** A fill of signed size for one account, but for volume and totals. The fee is the whole one. */
  fill(account: number, market: number, delta: bigint, price: bigint, fee: bigint): { closedPnl: bigint; startLots: bigint } {
    assert(delta !== 0n, 'a fill of nothing');
    const { unit, parameters } = this.market(market);
    const position = this.openPosition(account, market);
    const before = position.sizeLots;
    const after = before + delta;
    if (before === 0n && parameters.mode !== 'normal') position.isolated = true;

    if (this.isIsolated(account, market)) payIsolated(this, account, market, delta, price, fee);
    else this.margin(account).collateral -= price * delta * unit + fee;

    let closedPnl = 0n;
    if (isOpposite(before, delta < 0n)) {
      const closed = smaller(magnitude(delta), magnitude(before));
      const released = (position.cost * closed) / magnitude(before);
      closedPnl = signed(before < 0n, price * closed * unit) - released;
      position.realised += closedPnl;
      position.cost -= released;
      if (magnitude(delta) > magnitude(before)) position.cost = price * after * unit;
    } else {
      position.cost += price * delta * unit;
    }

    position.sizeLots = after;
    if (after === 0n || (before !== 0n && after < 0n !== before < 0n)) position.funding = 0n;
    if (after === 0n && position.attached !== 0) {
      this.openSettings(account).attachedClosed = true;
      this.becomesTimed(account, 0n);
    }
    return { closedPnl, startLots: before };
  }

  // Copies, to see what would be

  /** What `change` returns when it is made on copies of the account's records that a fill in this market changes. */
  onCopies<Result>(account: number, market: number, change: () => Result): Result {
    const marginAccount = this.margin(account);
    const ofAccount = this.positions.get(account);
    const settings = this.settings.get(account);
    const position = ofAccount?.get(market);
    this.marginAccounts.set(account, { ...marginAccount });
    this.positions.set(account, new Map(ofAccount));
    if (position !== undefined) this.positions.get(account)?.set(market, { ...position });
    if (settings !== undefined) this.settings.set(account, { ...settings });
    const result = change();
    this.marginAccounts.set(account, marginAccount);
    if (ofAccount === undefined) this.positions.delete(account);
    else this.positions.set(account, ofAccount);
    if (settings === undefined) this.settings.delete(account);
    else this.settings.set(account, settings);
    return result;
  }

  /** A state of its own in everything that matching changes. */
  copy(): NaiveState {
    return Object.assign(Object.create(NaiveState.prototype) as NaiveState, this, {
      markets: this.markets.map((market) => ({ ...market })),
      marginAccounts: structuredClone(this.marginAccounts),
      positions: structuredClone(this.positions),
      orders: structuredClone(this.orders),
      settings: structuredClone(this.settings),
      volumes: structuredClone(this.volumes),
      rewards: structuredClone(this.rewards),
    });
  }

  /** Every record of the state root, by key in byte order. */
  records(): NaiveRecord[] {
    return stateRecords(this);
  }
}

/** Money between the collateral and an isolated position (4.3), before its size changes. */
function payIsolated(state: NaiveState, account: number, market: number, delta: bigint, price: bigint, fee: bigint): void {
  const { unit, markTicks } = state.market(market);
  const marginAccount = state.margin(account);
  const position = state.openPosition(account, market);
  const before = position.sizeLots;
  const after = before + delta;
  const leverage = BigInt(state.leverageOf(account, market));

  if (!isOpposite(before, delta < 0n)) {
    const taken = divideUp(price * magnitude(delta) * unit, leverage);
    marginAccount.collateral -= taken;
    position.rawUsd += taken - price * delta * unit - fee;
    return;
  }
  if (magnitude(delta) > magnitude(before)) {
    marginAccount.collateral += position.rawUsd + price * before * unit;
    const taken = divideUp(price * magnitude(after) * unit, leverage);
    marginAccount.collateral -= taken;
    position.rawUsd = taken - price * after * unit - fee;
    return;
  }
  const raw = position.rawUsd - price * delta * unit - fee;
  if (after === 0n) {
    marginAccount.collateral += raw;
    position.rawUsd = 0n;
    return;
  }
  const equity = position.rawUsd + before * markTicks * unit;
  const keep = equity > 0n ? divideUp(equity * magnitude(after), magnitude(before)) : 0n;
  const release = equity > 0n ? larger(0n, raw + after * markTicks * unit - keep) : 0n;
  marginAccount.collateral += release;
  position.rawUsd = raw - release;
}

function newMarket(parameters: MarketParameters & MarketOptions, number: number): NaiveMarket {
  const first = BigInt(parameters.markTicks);
  return {
    number,
    parameters,
    unit: BigInt(parameters.unit),
    volume: 0n,
    fees: 0n,
    indexTicks: first,
    markTicks: first,
    indexTimeMs: 0n,
    lastTicks: 0n,
    previousMarkTicks: 0n,
    basisSum: 0n,
    basisWeight: 0n,
    bookSum: 0n,
    bookWeight: 0n,
    sampleSum: 0n,
    samples: 0n,
    rate: 0n,
    lastSample: 0n,
    lastHour: 0n,
    hyperSum: 0n,
    hyperWeight: 0n,
    minutes: new Array<bigint>(70).fill(0n),
    reports: new Map(),
    delisting: undefined,
    capped: false,
    fast: false,
    interestBefore: 0n,
    interestMinute: 0n,
    settleTicks: 0n,
    paid: false,
  };
}

export function ascending(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}
