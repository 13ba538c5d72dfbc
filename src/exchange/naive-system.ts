/**
 * The naive twin of phases 2 to 4 of a block (docs/rules.md, 1 and 6): prices, the sweep over all accounts, the system's own transactions
 * in their rounds, the turn of the seed.
 *
 * A round is planned on the state at its start, as a list of transactions, and then run in that order.
 * Not here: how prices come about (naive-prices.ts), what TIMED and TRIGGERS do (naive-timed.ts), how forced orders trade (naive-orders.ts).
 */
import { assert } from '../base/assert.ts';
import {
  CAUSE_BACKSTOP,
  CAUSE_DELEVERAGE,
  CAUSE_LIQUIDATION,
  CAUSE_UNWIND,
  CODE_OK,
  REASON_DELISTED,
  REASON_LIQUIDATED,
} from '../base/codes.ts';
import { joined, type NaiveReceipt } from '../ledger/naive.ts';
import { CANCELS_MAX, MATCH_STEPS_MAX } from './layout.ts';
import { fillEvent, forcedEvent, fundingEvent } from './naive-events.ts';
import { divideDown, divideUp, larger, magnitude, roundedUp, smaller, sum } from './naive-numbers.ts';
import { boundedPrice, cancelOrders, reduceByOrder } from './naive-orders.ts';
import { noteLastPrices, type PriceUpdate, rollDay, updatePrices } from './naive-prices.ts';
import { ascending, type NaiveOrder, type NaiveRun, type NaiveState } from './naive-state.ts';
import { mix, runTimed, runTriggers } from './naive-timed.ts';

const MILLION = 1_000_000n;
const RATE_SCALE = 10n ** 10n;
const NOBODY = 0xffffffff;
const ROUNDS_MAX = 64;
/** Scope 0 is the account's cross positions, scope m + 1 its isolated position in market m. */
const CROSS = 0;

type SystemTransaction = (run: NaiveRun) => void;

/** What the backstop vault has taken over, until it is folded (6.5). */
interface Inbox {
  readonly markets: Map<number, { lots: bigint; cost: bigint }>;
  collateral: bigint;
}

/** Phases 2 to 4: from the receipts of the block's own transactions to those of the system's. */
export function runSystemPhases(state: NaiveState, ownReceipts: readonly NaiveReceipt[]): NaiveReceipt[] {
  noteLastPrices(state, ownReceipts);
  const update = updatePrices(state);
  rollDay(state);

  const receipts: NaiveReceipt[] = [];
  const runRound = (transactions: readonly SystemTransaction[]): void => {
    for (const transaction of transactions) {
      const run: NaiveRun = { events: [], stepsLeft: MATCH_STEPS_MAX };
      transaction(run);
      receipts.push({ code: CODE_OK, events: joined(...run.events) });
    }
  };

  const swept = update.revalued || update.premiums.size > 0 || update.settled.length > 0;
  const found = swept ? sweep(state, update) : { residues: new Map(), triggers: [], breaches: [] };
  runRound(firstRound(state, update, found));
  if (swept) {
    const liquidated = new Set(found.breaches);
    /** True: there were some. */
    const liquidations = (): boolean => {
      for (let rounds = 0; ; rounds++) {
        const late = lateBreaches(state, liquidated);
        if (late.length === 0) return rounds > 0;
        for (const account of late) liquidated.add(account);
        runRound(late.map((account) => (run) => liquidate(state, run, account)));
      }
    };
    do {
      liquidations();
      const inbox: Inbox = { markets: new Map(), collateral: 0n };
      runRound(backstopRound(state, inbox));
      foldInbox(state, inbox);
      for (let round = 0; ; round++) {
        const transactions = deleverageRound(state, inbox);
        if (transactions.length === 0) break;
        assert(round < ROUNDS_MAX, 'deleveraging comes to an end');
        runRound(transactions);
        foldInbox(state, inbox);
      }
    } while (liquidations());
  }
  noteLastPrices(state, receipts);
  state.seed = mix(state.seed ^ BigInt.asUintN(64, BigInt(state.blockNumber) * 0x9e3779b97f4a7c15n) ^ state.timeMs);
  return receipts;
}

// The sweep

interface Findings {
  /** By market that was paid: what payers paid and receivers received. */
  readonly residues: ReadonlyMap<number, { paid: bigint; received: bigint }>;
  readonly triggers: readonly number[];
  /** Accounts in breach that are not negative. */
  readonly breaches: readonly number[];
}

function sweep(state: NaiveState, { revalued, premiums, settled }: PriceUpdate): Findings {
  const residues = new Map([...premiums.keys()].map((market) => [market, { paid: 0n, received: 0n }]));
  const triggers: number[] = [];
  const breaches: number[] = [];
  for (const account of state.accountsWithPositions()) {
    for (const market of state.openMarkets(account)) {
      if (settled.includes(market)) state.fill(account, market, -state.lots(account, market), state.market(market).settleTicks, 0n);
      const residue = residues.get(market);
      if (residue !== undefined) payFunding(state, account, market, residue);
    }
    if (revalued && hasReachedTrigger(state, account)) triggers.push(account);
    if (isInBreach(state, account) && !isNegative(state, account)) breaches.push(account);
  }
  for (const { paid, received } of residues.values()) state.treasury.balance += paid - received;
  return { residues, triggers, breaches };
}

function payFunding(state: NaiveState, account: number, market: number, residue: { paid: bigint; received: bigint }): void {
  const { rate, indexTicks, unit } = state.market(market);
  const position = state.openPosition(account, market);
  const size = position.sizeLots;
  if (size === 0n || rate === 0n) return;
  const exact = magnitude(size) * indexTicks * unit * magnitude(rate);
  const pays = size > 0n === rate > 0n;
  const amount = pays ? divideUp(exact, RATE_SCALE) : divideDown(exact, RATE_SCALE);
  if (pays) residue.paid += amount;
  else residue.received += amount;
  const cost = pays ? amount : -amount;
  position.funding += cost;
  if (state.isIsolated(account, market)) position.rawUsd -= cost;
  else state.margin(account).collateral -= cost;
}

function hasReachedTrigger(state: NaiveState, account: number): boolean {
  return state.heldMarkets(account).some((market) => {
    const { triggerAbove, triggerBelow } = state.openPosition(account, market);
    const mark = state.market(market).markTicks;
    return (triggerAbove !== 0n && mark >= triggerAbove) || (triggerBelow !== 0n && mark <= triggerBelow);
  });
}

/** Accounts in breach that are not negative and have had no forced order in this block. */
function lateBreaches(state: NaiveState, liquidated: ReadonlySet<number>): number[] {
  const isLate = (account: number): boolean => !liquidated.has(account) && isInBreach(state, account) && !isNegative(state, account);
  return state.accountsWithPositions().filter(isLate);
}

// Scopes

/** The equity, notional and maintenance margin of an account's cross part or of one isolated position. */
interface Scope {
  readonly account: number;
  readonly scope: number;
  readonly equity: bigint;
  readonly notional: bigint;
  readonly maintenance: bigint;
  /** Its open positions, markets ascending. */
  readonly markets: readonly number[];
}

function crossScope(state: NaiveState, account: number): Scope {
  return {
    account,
    scope: CROSS,
    equity: state.accountValue(account),
    notional: state.crossNotional(account),
    maintenance: state.maintenance(account),
    markets: state.crossMarkets(account),
  };
}

function isolatedScope(state: NaiveState, account: number, market: number): Scope {
  return {
    account,
    scope: market + 1,
    equity: state.isolatedEquity(account, market),
    notional: notionalOf(state, account, market),
    maintenance: state.maintenanceMargin(market, state.lots(account, market)),
    markets: [market],
  };
}

/** Cross first, then the isolated positions. */
function scopes(state: NaiveState, account: number): Scope[] {
  return [crossScope(state, account), ...state.isolatedMarkets(account).map((market) => isolatedScope(state, account, market))];
}

function scopeAt(state: NaiveState, account: number, scope: number): Scope {
  return scope === CROSS ? crossScope(state, account) : isolatedScope(state, account, scope - 1);
}

function isInBreach(state: NaiveState, account: number): boolean {
  return account !== state.backstop && scopes(state, account).some(({ equity, maintenance }) => equity < maintenance);
}

function isNegative(state: NaiveState, account: number): boolean {
  return scopes(state, account).some(({ equity }) => equity < 0n);
}

// Round 1

function firstRound(state: NaiveState, { revalued, premiums, settled }: PriceUpdate, found: Findings): SystemTransaction[] {
  const { backstop } = state;
  const transactions: SystemTransaction[] = [];
  if (premiums.size > 0) transactions.push((run) => emitFunding(state, run, premiums, found));
  const isDue = (account: number): boolean => state.openSettings(account).nextDueMs <= state.timeMs;
  for (const account of state.timedAccounts().filter(isDue)) transactions.push((run) => runTimed(state, run, account));
  for (const account of accounts(state)) {
    for (const market of settled) {
      const matches = (order: NaiveOrder): boolean => order.market === market;
      if (!state.openOrders(account).some(matches)) continue;
      transactions.push((run) => cancelOrders(state, run, account, REASON_DELISTED, CANCELS_MAX, matches));
    }
  }
  for (const account of found.triggers) transactions.push((run) => runTriggers(state, run, account));
  for (const account of found.breaches) transactions.push((run) => liquidate(state, run, account));
  if (revalued && backstop !== undefined && state.heldMarkets(backstop).length > 0) {
    transactions.push((run) => unwind(state, run, backstop));
  }
  return transactions;
}

function emitFunding(state: NaiveState, run: NaiveRun, premiums: ReadonlyMap<number, bigint>, { residues }: Findings): void {
  for (const [number, premium] of premiums) {
    const { rate, indexTicks } = state.market(number);
    const { paid, received } = residues.get(number) ?? { paid: 0n, received: 0n };
    run.events.push(fundingEvent({ market: number, rate, premium, indexTicks, paid, residue: paid - received }));
  }
}

// 6.4 Forced orders

function liquidate(state: NaiveState, run: NaiveRun, account: number): void {
  if (!isInBreach(state, account)) return;
  const { partialNotional, partialPpm, cooldownMs, liquidationBps } = state.options;
  cancelOrders(state, run, account, REASON_LIQUIDATED, CANCELS_MAX, () => true);
  const partial = state.timeMs >= (state.settings.get(account)?.cooldownMs ?? 0n);
  let usedPart = false;
  for (const scope of scopes(state, account)) {
    if (scope.equity >= scope.maintenance) continue;
    run.events.push(scopeEvent(CAUSE_LIQUIDATION, scope, scope.scope === CROSS ? {} : { market: scope.scope - 1 }));
    for (const market of scope.markets) {
      const size = magnitude(state.lots(account, market));
      const inPart = partial && notionalOf(state, account, market) > partialNotional;
      const lots = inPart ? partOf(state, market, size, partialPpm) : size;
      if (inPart) usedPart = true;
      reduce(state, run, account, market, lots, liquidationBps, CAUSE_LIQUIDATION);
    }
  }
  if (usedPart) state.openSettings(account).cooldownMs = state.timeMs + BigInt(cooldownMs);
}

function unwind(state: NaiveState, run: NaiveRun, backstop: number): void {
  const { unwindPpm, unwindBps } = state.options;
  for (const market of state.openMarkets(backstop)) {
    const lots = partOf(state, market, magnitude(state.lots(backstop, market)), unwindPpm);
    reduce(state, run, backstop, market, lots, unwindBps, CAUSE_UNWIND);
  }
}

/** A share of a size, rounded up to the lot step, at most all of it. */
function partOf(state: NaiveState, market: number, size: bigint, ppm: number): bigint {
  const step = BigInt(state.market(market).parameters.lotStep);
  return smaller(roundedUp(divideUp(size * BigInt(ppm), MILLION), step), size);
}

/** An immediate-or-cancel order without a fee for the taker. */
function reduce(state: NaiveState, run: NaiveRun, account: number, market: number, lots: bigint, bps: number, cause: number): void {
  const sells = state.lots(account, market) > 0n;
  reduceByOrder(state, run, account, market, lots, boundedPrice(state, market, sells, bps), cause, false);
}

// Takeovers by the backstop vault

function backstopRound(state: NaiveState, inbox: Inbox): SystemTransaction[] {
  const { backstop } = state;
  if (backstop === undefined) return [];
  const transactions: SystemTransaction[] = [];
  let { equity, notional } = crossScope(state, backstop);
  for (const account of accounts(state)) {
    if (account === backstop) continue;
    for (const scope of scopes(state, account)) {
      if (scope.equity < 0n || 3n * scope.equity >= 2n * scope.maintenance) continue;
      const enough = (notional + scope.notional) * BigInt(state.options.backstopMarginPpm);
      if ((equity + scope.equity) * MILLION < enough) continue;
      equity += scope.equity;
      notional += scope.notional;
      transactions.push((run) => takeOver(state, run, account, scope.scope, inbox));
    }
  }
  return transactions;
}

/** The scope's positions and its collateral go to the inbox. */
function takeOver(state: NaiveState, run: NaiveRun, account: number, scopeNumber: number, inbox: Inbox): void {
  const scope = scopeAt(state, account, scopeNumber);
  const cross = scopeNumber === CROSS;
  cancelOrders(state, run, account, REASON_LIQUIDATED, CANCELS_MAX, (order) => cross || order.market === scopeNumber - 1);
  const marginAccount = state.margin(account);
  const { collateral } = marginAccount;
  inbox.collateral += cross ? collateral : state.openPosition(account, scopeNumber - 1).rawUsd;
  for (const market of scope.markets) {
    const size = state.lots(account, market);
    const { markTicks, unit } = state.market(market);
    const value = size * markTicks * unit;
    const notional = notionalOf(state, account, market);
    run.events.push(scopeEvent(CAUSE_BACKSTOP, { ...scope, notional }, { market, lots: -size, amount: value }));
    const held = inbox.markets.get(market) ?? { lots: 0n, cost: 0n };
    inbox.markets.set(market, { lots: held.lots + size, cost: held.cost + value });
    state.fill(account, market, -size, markTicks, 0n);
  }
  // What the fills at the mark have paid out belongs to the vault, as the collateral does.
  marginAccount.collateral = cross ? 0n : collateral;
}

/**
 * The vault's positions change by the net of all takeovers, as fills at the mark. The cash of such a fill is that of the closing fills of
 * the accounts taken over, which is the inbox's cost: all in all the vault's collateral grows by theirs.
 */
function foldInbox(state: NaiveState, inbox: Inbox): void {
  const { backstop } = state;
  if (backstop === undefined) return;
  const marginAccount = state.margin(backstop);
  for (const [market, { lots, cost }] of [...inbox.markets].sort(([a], [b]) => a - b)) {
    if (lots !== 0n) state.fill(backstop, market, lots, state.market(market).markTicks, 0n);
    marginAccount.collateral += cost;
  }
  marginAccount.collateral += inbox.collateral;
  inbox.markets.clear();
  inbox.collateral = 0n;
}

// Deleveraging

interface Winner {
  readonly account: number;
  readonly sizeLots: bigint;
  readonly equity: bigint;
}

interface Pair {
  readonly loser: number;
  readonly scope: number;
  readonly winner: number;
  readonly market: number;
  readonly price: bigint;
  readonly lots: bigint;
  readonly adjustment: bigint;
}

/** What is left, in the round, of amounts by account and market. */
class Rest {
  readonly #left = new Map<string, bigint>();

  of(account: number, market: number, atFirst: bigint): bigint {
    return this.#left.get(`${account} ${market}`) ?? atFirst;
  }

  set(account: number, market: number, left: bigint): void {
    this.#left.set(`${account} ${market}`, left);
  }
}

/** Losers ascending; nothing when nobody is negative. */
function deleverageRound(state: NaiveState, inbox: Inbox): SystemTransaction[] {
  const { backstop } = state;
  const losers = accounts(state)
    .flatMap((account) => scopes(state, account))
    .filter(({ equity }) => equity < 0n);
  const isLoser = (account: number, scope: number): boolean => losers.some((loser) => loser.account === account && loser.scope === scope);
  const sizes = new Rest();
  const equities = new Rest();
  let ofVault = backstop === undefined ? 0n : larger(0n, state.accountValue(backstop) - state.positionMargin(backstop));

  return losers.flatMap((loser): SystemTransaction[] => {
    if (loser.markets.length === 0) {
      const fromVault = smaller(-loser.equity, ofVault);
      ofVault -= fromVault;
      return [(run) => cover(state, run, loser.account, fromVault, -loser.equity - fromVault, inbox)];
    }
    return pairsOf(state, loser, isLoser, sizes, equities).map((pair) => (run) => deleverage(state, run, pair));
  });
}

function pairsOf(
  state: NaiveState,
  loser: Scope,
  isLoser: (account: number, scope: number) => boolean,
  sizes: Rest,
  equities: Rest,
): Pair[] {
  const deficits = deficitsByMarket(state, loser);
  const pairs: Pair[] = [];
  for (const market of loser.markets) {
    const { markTicks, unit } = state.market(market);
    const price = priceOfLoser(state, market);
    const size = state.lots(loser.account, market);
    const winners = rankedWinners(state, market, size > 0n, isLoser);
    const lostPerLot = larger(0n, (markTicks - price) * (size > 0n ? -1n : 1n)) * unit;
    const deficit = deficits.get(market) ?? 0n;
    let deficitLeft = deficit;
    let left = sizes.of(loser.account, market, magnitude(size));
    for (const bounded of [true, false]) {
      for (const winner of winners) {
        const held = sizes.of(winner.account, market, magnitude(winner.sizeLots));
        const equityLeft = equities.of(winner.account, market, winner.equity);
        let lots = smaller(left, held);
        if (bounded && lostPerLot > 0n) lots = smaller(lots, larger(0n, equityLeft) / lostPerLot);
        if (lots === 0n) continue;
        left -= lots;
        const adjustment = left === 0n ? deficitLeft : (deficit * lots) / magnitude(size);
        deficitLeft -= adjustment;
        sizes.set(winner.account, market, held - lots);
        equities.set(winner.account, market, equityLeft - lostPerLot * lots - adjustment);
        pairs.push({ loser: loser.account, scope: loser.scope, winner: winner.account, market, price, lots, adjustment });
      }
    }
    sizes.set(loser.account, market, left);
  }
  return pairs;
}

/** The mark before it changed. */
function priceOfLoser(state: NaiveState, market: number): bigint {
  const { previousMarkTicks, markTicks } = state.market(market);
  return previousMarkTicks === 0n ? markTicks : previousMarkTicks;
}

/** What the loser would still owe at the prices of the pairs, shared out by notional at the mark. */
function deficitsByMarket(state: NaiveState, loser: Scope): Map<number, bigint> {
  const { account, scope, markets } = loser;
  const own = scope === CROSS ? state.margin(account).collateral : state.openPosition(account, scope - 1).rawUsd;
  const values = markets.map((market) => state.lots(account, market) * priceOfLoser(state, market) * state.market(market).unit);
  const deficit = larger(0n, -(own + sum(values)));
  const shares = new Map<number, bigint>();
  let left = deficit;
  for (const [i, market] of markets.entries()) {
    const share = i === markets.length - 1 ? left : (deficit * notionalOf(state, account, market)) / loser.notional;
    shares.set(market, share);
    left -= share;
  }
  return shares;
}

/** Positions on the side that is opposite to the loser's, in the order in which they give. */
function rankedWinners(
  state: NaiveState,
  market: number,
  loserIsLong: boolean,
  isLoser: (account: number, scope: number) => boolean,
): Winner[] {
  const winners: (Winner & { readonly loses: boolean; readonly score: bigint })[] = [];
  for (const account of accounts(state)) {
    const sizeLots = state.lots(account, market);
    if (sizeLots === 0n || sizeLots > 0n === loserIsLong) continue;
    const isolated = state.isIsolated(account, market);
    const equity = isolated ? state.isolatedEquity(account, market) : state.accountValue(account);
    winners.push({
      account,
      sizeLots,
      equity,
      loses: isLoser(account, isolated ? market + 1 : CROSS),
      score: scoreOf(state, account, market, equity),
    });
  }
  return winners.sort((a, b) => Number(a.loses) - Number(b.loses) || compare(b.score, a.score) || a.account - b.account);
}

/** Profit over entry notional, times leverage, in 2^-20. */
function scoreOf(state: NaiveState, account: number, market: number, equity: bigint): bigint {
  const { sizeLots, cost } = state.openPosition(account, market);
  const { markTicks, unit } = state.market(market);
  const profit = sizeLots * markTicks * unit - cost;
  if (profit <= 0n) return 0n;
  const most = 2n ** 31n;
  const gain = (smaller(profit, 2n ** 52n) * 1024n) / larger(1n, magnitude(cost));
  const leverage = (notionalOf(state, account, market) * 1024n) / larger(1n, equity);
  return smaller(gain, most) * smaller(leverage, most);
}

function deleverage(state: NaiveState, run: NaiveRun, { loser, scope, winner, market, price, lots, adjustment }: Pair): void {
  const before = scopeAt(state, loser, scope);
  const { markTicks, unit } = state.market(market);
  const sells = state.lots(loser, market) > 0n;
  const change = sells ? -lots : lots;
  const ofLoser = state.fill(loser, market, change, price, 0n);
  const ofWinner = state.fill(winner, market, -change, price, 0n);
  const side = { oid: 0n, fee: 0n, builderFee: 0n };
  run.events.push(
    fillEvent({
      market,
      priceTicks: price,
      lots,
      takerSells: sells,
      cause: CAUSE_DELEVERAGE,
      taker: { ...side, account: loser, ...ofLoser },
      maker: { ...side, account: winner, ...ofWinner },
    }),
  );
  addMoney(state, winner, market, -adjustment);
  addMoney(state, loser, market, adjustment);
  const event = { counterparty: winner, market, lots: change, amount: adjustment };
  run.events.push(scopeEvent(CAUSE_DELEVERAGE, { ...before, notional: lots * markTicks * unit }, event));
}

/** To an isolated position while it is open, else to the collateral. */
function addMoney(state: NaiveState, account: number, market: number, amount: bigint): void {
  if (state.isIsolated(account, market) && state.lots(account, market) !== 0n) state.openPosition(account, market).rawUsd += amount;
  else state.margin(account).collateral += amount;
}

/** 6.6: what an account without positions owes is paid by the vault and the treasury. */
function cover(state: NaiveState, run: NaiveRun, account: number, fromVault: bigint, fromTreasury: bigint, inbox: Inbox): void {
  const amount = fromVault + fromTreasury;
  run.events.push(scopeEvent(CAUSE_BACKSTOP, { ...crossScope(state, account), notional: 0n }, { amount }));
  state.margin(account).collateral += amount;
  inbox.collateral -= fromVault;
  state.treasury.balance -= fromTreasury;
  state.treasury.covered += fromTreasury;
}

/** A forced action on a scope; what is left out is nobody, no market, and nothing. */
function scopeEvent(
  method: number,
  { account, scope, notional, equity, maintenance }: Omit<Scope, 'markets'>,
  {
    counterparty = NOBODY,
    market = NOBODY,
    lots = 0n,
    amount = 0n,
  }: { counterparty?: number; market?: number; lots?: bigint; amount?: bigint },
): Uint8Array {
  return forcedEvent({ method, account, scope, notional, accountValue: equity, maintenance, counterparty, market, lots, amount });
}

/** Accounts with a margin account, ascending. */
function accounts(state: NaiveState): number[] {
  return ascending([...state.marginAccounts.keys()]);
}

function notionalOf(state: NaiveState, account: number, market: number): bigint {
  return state.notional(market, state.lots(account, market));
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
