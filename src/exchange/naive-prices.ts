/**
 * The naive twin of phase 2 (docs/rules.md, 5): reports, marks, the averages behind them, funding rates, delisting, the roll of the day.
 *
 * Sums are taken anew from the reports, the book and the positions each time. Pure arithmetic comes first, what changes the state behind it.
 * Not here: who may send a report with which nonce (naive.ts), and what the new prices do to accounts (naive-system.ts).
 */
import {
  CAUSE_BACKSTOP,
  CAUSE_DELEVERAGE,
  CAUSE_SETTLEMENT,
  CODE_INVALID_PRICE,
  CODE_MARKET_HALTED,
  CODE_NOT_AUTHORISED,
  CODE_OK,
  CODE_PRICE_FAR_OFF,
  CODE_UNKNOWN_MARKET,
} from '../base/codes.ts';
import type { NaiveReceipt } from '../ledger/naive.ts';
import type { DelistTransaction, OracleTransaction } from '../ledger/transactions.ts';
import { reportersOf } from './genesis.ts';
import { EVENT_FILL, FUNDING_HOUR_MS, FUNDING_SAMPLE_MS } from './layout.ts';
import { clamp, divideDown, larger, magnitude, smaller, sum } from './naive-numbers.ts';
import type { NaiveLevel, NaiveMarket, NaiveReport, NaiveState, NaiveVolume } from './naive-state.ts';

const MILLION = 1_000_000n;
const MINUTE_MS = 60_000n;
const HOUR_MS = BigInt(FUNDING_HOUR_MS);
const DAY_MS = 86_400_000n;
const MINUTES_KEPT = 70n;
const DAYS_KEPT = 14n;
const BASIS_TAU_MS = 150_000n;
const BOOK_TAU_MS = 30_000n;
const HYPERP_TAU_MS = 28_800_000n;
const IMPACT_LEVELS_MAX = 1000;
/** Impact prices are in 2^-16 ticks, premiums in 10^-10. */
const IMPACT_SCALE = 65_536n;
const RATE_SCALE = 10n ** 10n;

// Arithmetic

export interface WeightedPrice {
  readonly price: bigint;
  readonly weight: bigint;
}

/** The first price, ascending, at which twice the cumulative weight is at least the total; 0 if nothing has weight. */
export function weightedMedian(entries: readonly WeightedPrice[]): bigint {
  const sorted = entries.filter(({ weight }) => weight > 0n).sort((a, b) => compare(a.price, b.price));
  const total = sum(sorted.map(({ weight }) => weight));
  let cumulative = 0n;
  for (const { price, weight } of sorted) {
    cumulative += weight;
    if (2n * cumulative >= total) return price;
  }
  return 0n;
}

/** Of one to three values; of two the floor of their mean; undefined if there is none. */
export function median(values: readonly bigint[]): bigint | undefined {
  const [first, second, third] = [...values].sort(compare);
  if (first === undefined || second === undefined) return first;
  return third === undefined ? divideDown(first + second, 2n) : second;
}

/** An exponential moving average: its value is sum / weight. */
export interface Average {
  readonly sum: bigint;
  readonly weight: bigint;
}

/** e^(-dt / tau) in 2^-32. */
export function decay(dt: bigint, tau: bigint): bigint {
  const one = 2n ** 32n;
  const y = (dt * one) / tau;
  const whole = y / one;
  const fraction = y % one;
  if (whole >= 22n) return 0n;
  let result = one;
  let term = one;
  for (let i = 1n; i <= 12n; i++) {
    term = (term * fraction) / one / i;
    result += i % 2n === 1n ? -term : term;
  }
  for (let i = 0n; i < whole; i++) result = (result * 1_580_030_169n) / one;
  return result;
}

/** The average after x has held for dt more. */
export function averaged({ sum: total, weight }: Average, x: bigint, dt: bigint, tau: bigint): Average {
  const kept = decay(dt, tau);
  const one = 2n ** 32n;
  return { sum: divideDown(total * kept, one) + x * dt * 256n, weight: (weight * kept) / one + dt * 256n };
}

export function averageValue({ sum: total, weight }: Average): bigint | undefined {
  return weight === 0n ? undefined : divideDown(total, weight);
}

/** Best bid, best ask and last trade; undefined: none. */
export interface BookPrices {
  readonly bid: bigint | undefined;
  readonly ask: bigint | undefined;
  readonly last: bigint | undefined;
}

export function bookPrice({ bid, ask, last }: BookPrices): bigint | undefined {
  return median([bid, ask, last].filter((price) => price !== undefined));
}

export interface MarkInputs {
  readonly indexTicks: bigint;
  /** Averages of mid - index in half ticks and of the book's price. */
  readonly basis: bigint | undefined;
  readonly bookAverage: bigint | undefined;
  readonly book: bigint | undefined;
  readonly perp: bigint | undefined;
  readonly tickCount: bigint;
}

/** Step 4, without the cap of hyperps; undefined if there is nothing to make it from. */
export function markPrice({ indexTicks, basis, bookAverage, book, perp, tickCount }: MarkInputs): bigint | undefined {
  const fromIndex = indexTicks === 0n ? undefined : larger(1n, indexTicks + divideDown(basis ?? 0n, 2n));
  const inputs = [fromIndex, book, perp].filter((price) => price !== undefined);
  if (inputs.length === 2 && bookAverage !== undefined) inputs.push(bookAverage);
  const mark = median(inputs);
  return mark === undefined ? undefined : clamp(mark, 1n, tickCount - 1n);
}

/** The rate for one hour from a mean premium; the interest and its furthest distance from the premium are for eight hours, the cap for one. */
export function fundingRate(premium: bigint, interest: bigint, furthest: bigint, cap: bigint): bigint {
  const ofEightHours = premium + clamp(interest - premium, -furthest, furthest);
  return clamp(ofEightHours / 8n, -cap, cap);
}

/** The average price, in 2^-16 ticks, at which a notional is taken from levels, best first; undefined if they hold less. */
export function impactPrice(levels: readonly NaiveLevel[], unit: bigint, notional: bigint): bigint | undefined {
  let left = notional;
  let weighted = 0n;
  for (const { priceTicks, lots } of levels.slice(0, IMPACT_LEVELS_MAX)) {
    const taken = smaller(left, priceTicks * lots * unit);
    weighted += priceTicks * taken;
    left -= taken;
  }
  return left === 0n ? (weighted * IMPACT_SCALE) / notional : undefined;
}

/** In 10^-10 of the index; impact prices are in 2^-16 ticks. */
export function premiumOf(impactBid: bigint, impactAsk: bigint, indexTicks: bigint): bigint {
  const index = indexTicks * IMPACT_SCALE;
  return ((larger(impactBid - index, 0n) - larger(index - impactAsk, 0n)) * RATE_SCALE) / index;
}

/** What a market that is delisted at this time settles at: the mean of the index over the last hour, or the mark. */
export function settlementPrice(market: Pick<NaiveMarket, 'minutes' | 'indexTimeMs' | 'markTicks'>, timeMs: bigint): bigint {
  const prices: bigint[] = [];
  for (let minute = larger(timeMs / MINUTE_MS - 59n, 0n); minute <= market.indexTimeMs / MINUTE_MS; minute++) {
    const price = market.minutes[Number(minute % MINUTES_KEPT)] ?? 0n;
    if (price !== 0n) prices.push(price);
  }
  return prices.length === 0 ? market.markTicks : sum(prices) / BigInt(prices.length);
}

// Reports and votes: kinds 3 and 24

/** The index of the reporter that an account is; undefined: none. */
export function reporterOf(state: NaiveState, account: number): number | undefined {
  const index = reportersOf(state.genesis).findIndex(({ address }) => state.accounts.numberOf(address) === account);
  return index === -1 ? undefined : index;
}

export function reportStaticCode(state: NaiveState, { prices }: OracleTransaction, sender: number): number {
  if (reporterOf(state, sender) === undefined) return CODE_NOT_AUTHORISED;
  for (const { market: number, spot, perp } of prices) {
    const market = state.markets[number];
    if (market === undefined) return CODE_UNKNOWN_MARKET;
    const { tickCount } = market.parameters;
    if ([...spot, ...(perp ?? [])].some((price) => price >= tickCount)) return CODE_INVALID_PRICE;
  }
  return CODE_OK;
}

export function executeReport(state: NaiveState, { prices }: OracleTransaction, reporter: number): number {
  const { spotWeights, perpWeights } = state.options;
  let accepted = false;
  for (const { market: number, spot, perp } of prices) {
    const market = state.market(number);
    const { hyperp } = market.parameters;
    const spotTicks = hyperp ? 0n : weightedMedian(bySource(spot, spotWeights));
    const perpTicks = weightedMedian(bySource(perp ?? [], perpWeights));
    const decisive = hyperp ? perpTicks : spotTicks;
    if (state.isDelisted(number) || decisive === 0n || isFarOff(state, market, decisive)) continue;
    const keptPerp = isFarOff(state, market, perpTicks) ? 0n : perpTicks;
    market.reports.set(reporter, { indexTicks: spotTicks, perpTicks: keptPerp, timeMs: state.timeMs });
    accepted = true;
  }
  return accepted ? CODE_OK : CODE_PRICE_FAR_OFF;
}

function bySource(prices: readonly number[], weights: readonly number[]): WeightedPrice[] {
  return prices.map((price, i) => ({ price: BigInt(price), weight: price === 0 ? 0n : BigInt(weights[i] ?? 0) }));
}

function isFarOff(state: NaiveState, { indexTicks }: NaiveMarket, price: bigint): boolean {
  return indexTicks !== 0n && magnitude(price - indexTicks) * MILLION > indexTicks * BigInt(state.options.farOffPpm);
}

export function delistStaticCode(state: NaiveState, { market: number }: DelistTransaction, sender: number): number {
  if (state.markets[number] === undefined) return CODE_UNKNOWN_MARKET;
  if (state.isDelisted(number)) return CODE_MARKET_HALTED;
  return reporterOf(state, sender) === undefined ? CODE_NOT_AUTHORISED : CODE_OK;
}

export function executeDelist(state: NaiveState, { market: number }: DelistTransaction, reporter: number): number {
  const market = state.market(number);
  market.delisting ??= { voted: new Set(), delistedMs: 0n, settledTicks: 0n };
  market.delisting.voted.add(reporter);
  return CODE_OK;
}

// Phase 2

/** Fills that do not take place on the book. */
const OFF_BOOK: readonly number[] = [CAUSE_BACKSTOP, CAUSE_DELEVERAGE, CAUSE_SETTLEMENT];

/** Every market's last price becomes that of its last fill on the book in these receipts, if there is one. */
export function noteLastPrices(state: NaiveState, receipts: readonly NaiveReceipt[]): void {
  for (const { events } of receipts) {
    const view = new DataView(events.buffer, events.byteOffset, events.byteLength);
    for (let at = 0; at < events.length; at += view.getUint32(at, true) >> 8) {
      // Type, market, price and flags of event 17.
      if (view.getUint8(at) !== EVENT_FILL || OFF_BOOK.includes(view.getUint32(at + 36, true) >> 1)) continue;
      state.market(view.getUint32(at + 4, true)).lastTicks = BigInt(view.getUint32(at + 32, true));
    }
  }
}

/** What phase 2 has done that accounts must hear of. */
export interface PriceUpdate {
  /** Marks were updated (also if none of them changed). */
  readonly revalued: boolean;
  /** Mean premiums of the markets whose funding is paid in this block, in their order. */
  readonly premiums: ReadonlyMap<number, bigint>;
  /** The markets that were delisted in this block, in their order. */
  readonly settled: readonly number[];
}

export function updatePrices(state: NaiveState): PriceUpdate {
  const { timeMs } = state;
  const reported = state.markets.some((market) => [...market.reports.values()].some((report) => report.timeMs === timeMs));
  const revalued = reported || timeMs - state.lastMarkMs >= BigInt(state.options.markIntervalMs);
  if (revalued) state.lastMarkMs = timeMs;

  const premiums = new Map<number, bigint>();
  const settled: number[] = [];
  for (const market of state.markets) {
    market.paid = false;
    market.settleTicks = 0n;
    if (state.isDelisted(market.number)) continue;
    if (revalued) updateMarket(state, market);
    flagOpenInterest(state, market);
    takeSample(state, market);
    const premium = closeHour(state, market);
    if (premium !== undefined) premiums.set(market.number, premium);
    if (delistIfVoted(state, market)) settled.push(market.number);
  }
  return { revalued, premiums, settled };
}

/** Steps 1 to 5, the averages of hyperps and the minutes. A market without a quorum stays as it is. */
function updateMarket(state: NaiveState, market: NaiveMarket): void {
  const { timeMs } = state;
  const { hyperp, tickCount } = market.parameters;
  const fresh = [...market.reports].filter(([, report]) => report.timeMs + BigInt(state.options.staleMs) >= timeMs);
  const ofReports = (ticks: (report: NaiveReport) => bigint): WeightedPrice[] =>
    fresh.map(([reporter, report]) => ({ price: ticks(report), weight: stakeOf(state, reporter) })).filter(({ price }) => price !== 0n);

  const index = hyperp
    ? hyperpIndex(market)
    : quorumIndex(
        state,
        ofReports((report) => report.indexTicks),
      );
  if (index === undefined) return;
  const previousMs = market.indexTimeMs;
  market.indexTicks = index;
  market.indexTimeMs = timeMs;
  const dt = previousMs === 0n ? 0n : smaller(timeMs - previousMs, HOUR_MS);

  const prices = bookPrices(state, market);
  const book = bookPrice(prices);
  if (dt > 0n && prices.bid !== undefined && prices.ask !== undefined) {
    const basis = prices.bid + prices.ask - 2n * index;
    const next = averaged({ sum: market.basisSum, weight: market.basisWeight }, basis, dt, BASIS_TAU_MS);
    market.basisSum = next.sum;
    market.basisWeight = next.weight;
  }
  if (dt > 0n && book !== undefined) {
    const next = averaged({ sum: market.bookSum, weight: market.bookWeight }, book, dt, BOOK_TAU_MS);
    market.bookSum = next.sum;
    market.bookWeight = next.weight;
  }

  const perp = weightedMedian(ofReports((report) => report.perpTicks));
  let mark = markPrice({
    indexTicks: index,
    basis: averageValue({ sum: market.basisSum, weight: market.basisWeight }),
    bookAverage: averageValue({ sum: market.bookSum, weight: market.bookWeight }),
    book,
    perp: perp === 0n ? undefined : perp,
    tickCount: BigInt(tickCount),
  });
  if (mark !== undefined && hyperp && market.hyperWeight !== 0n) {
    mark = larger(1n, smaller(mark, (index * BigInt(state.options.hyperpCapPpm)) / MILLION));
  }
  if (mark !== undefined) setMark(market, mark);

  const minute = timeMs / MINUTE_MS;
  const previousMinute = previousMs === 0n ? undefined : previousMs / MINUTE_MS;
  if (previousMinute !== undefined && minute <= previousMinute) return;
  if (hyperp && market.markTicks !== 0n) averageHyperp(market, minute - (previousMinute ?? minute - 1n));
  if (market.indexTicks !== 0n) recordMinute(market, minute, previousMinute);
}

/** The stake-weighted median of fresh prices, or undefined if too few reporters gave one. */
function quorumIndex(state: NaiveState, prices: readonly WeightedPrice[]): bigint | undefined {
  const total = sum(reportersOf(state.genesis).map(({ stake }) => stake));
  const fresh = sum(prices.map(({ weight }) => weight));
  if (fresh === 0n || fresh * MILLION < total * BigInt(state.options.quorumPpm)) return undefined;
  return weightedMedian(prices);
}

function hyperpIndex({ hyperSum, hyperWeight, markTicks }: NaiveMarket): bigint {
  return averageValue({ sum: hyperSum, weight: hyperWeight }) ?? markTicks;
}

function averageHyperp(market: NaiveMarket, minutes: bigint): void {
  const dt = smaller(minutes * MINUTE_MS, HOUR_MS);
  const next = averaged({ sum: market.hyperSum, weight: market.hyperWeight }, market.markTicks, dt, HYPERP_TAU_MS);
  market.hyperSum = next.sum;
  market.hyperWeight = next.weight;
}

function recordMinute(market: NaiveMarket, minute: bigint, previousMinute: bigint | undefined): void {
  const passed = larger((previousMinute ?? minute) + 1n, minute - MINUTES_KEPT);
  for (let n = passed; n < minute; n++) market.minutes[Number(n % MINUTES_KEPT)] = 0n;
  market.minutes[Number(minute % MINUTES_KEPT)] = market.indexTicks;
}

function setMark(market: NaiveMarket, mark: bigint): void {
  if (mark === market.markTicks) return;
  market.previousMarkTicks = market.markTicks;
  market.markTicks = mark;
}

function flagOpenInterest(state: NaiveState, market: NaiveMarket): void {
  const { openInterestCap, openInterestStep } = market.parameters;
  const openInterest = state.openInterest(market.number);
  const minute = state.timeMs / MINUTE_MS;
  if (minute !== market.interestMinute) {
    market.interestBefore = openInterest;
    market.interestMinute = minute;
  }
  const notional = (lots: bigint): bigint => lots * market.markTicks * market.unit;
  market.capped = openInterestCap > 0n && notional(openInterest) >= openInterestCap;
  market.fast = openInterestStep > 0n && notional(openInterest - market.interestBefore) >= openInterestStep;
}

function takeSample(state: NaiveState, market: NaiveMarket): void {
  const interval = state.timeMs / BigInt(FUNDING_SAMPLE_MS);
  if (market.indexTicks === 0n || interval <= market.lastSample) return;
  market.lastSample = interval;
  const { impactNotional } = market.parameters;
  const bid = impactPrice(state.levels(market.number, false), market.unit, impactNotional);
  const ask = impactPrice(state.levels(market.number, true), market.unit, impactNotional);
  if (bid === undefined || ask === undefined) return;
  market.samples++;
  market.sampleSum += premiumOf(bid, ask, market.indexTicks);
}

/** In the first block of an hour: the rate of the hour that is over. The mean premium, if it is paid. */
function closeHour(state: NaiveState, market: NaiveMarket): bigint | undefined {
  const hour = state.timeMs / HOUR_MS;
  if (hour <= market.lastHour) return undefined;
  const first = market.lastHour === 0n;
  market.lastHour = hour;
  if (first || market.samples === 0n) return undefined;
  const { fundingInterest, fundingClamp, fundingCap } = market.parameters;
  const premium = market.sampleSum / market.samples;
  market.rate = fundingRate(premium, fundingInterest, fundingClamp, fundingCap);
  market.sampleSum = 0n;
  market.samples = 0n;
  market.paid = market.indexTicks !== 0n;
  return market.paid ? premium : undefined;
}

/** Whether the votes have delisted the market now. */
function delistIfVoted(state: NaiveState, market: NaiveMarket): boolean {
  const { delisting } = market;
  if (delisting === undefined) return false;
  const reporters = reportersOf(state.genesis);
  const total = sum(reporters.map(({ stake }) => stake));
  const voted = sum([...delisting.voted].map((reporter) => stakeOf(state, reporter)));
  if (voted * MILLION < total * BigInt(state.options.delistPpm)) return false;
  const price = settlementPrice(market, state.timeMs);
  delisting.delistedMs = state.timeMs;
  delisting.settledTicks = price;
  market.settleTicks = price;
  setMark(market, price);
  return true;
}

function stakeOf(state: NaiveState, reporter: number): bigint {
  return reportersOf(state.genesis)[reporter]?.stake ?? 0n;
}

function bookPrices(state: NaiveState, market: NaiveMarket): BookPrices {
  const last = market.lastTicks === 0n ? undefined : market.lastTicks;
  return { bid: state.bestBid(market.number), ask: state.bestAsk(market.number), last };
}

// The roll of the day

export function rollDay(state: NaiveState): void {
  const day = state.timeMs / DAY_MS;
  const lastDay = state.lastRollDay ?? day;
  state.lastRollDay ??= day;
  if (day <= lastDay) return;
  for (const volume of state.volumes.values()) {
    if (volume.taker !== 0n || volume.maker !== 0n || volume.history !== undefined) storeDay(volume, lastDay, day);
  }
  state.lastRollDay = day;
  setFeeTiers(state);
}

/** The volumes since the last roll become those of its day; the days since then had none. */
function storeDay(volume: NaiveVolume, lastDay: bigint, day: bigint): void {
  const none = (): bigint[] => new Array<bigint>(Number(DAYS_KEPT)).fill(0n);
  volume.history ??= { taker: none(), maker: none() };
  const { taker, maker } = volume.history;
  const setField = (n: bigint, takerVolume: bigint, makerVolume: bigint): void => {
    const field = Number(n % DAYS_KEPT);
    taker[field] = takerVolume;
    maker[field] = makerVolume;
    const half = Math.floor(field / 7);
    if (takerVolume > 0n) volume.historyParts.add(half);
    if (makerVolume > 0n) volume.historyParts.add(2 + half);
  };
  setField(lastDay, volume.taker, volume.maker);
  for (let n = larger(lastDay + 1n, day - DAYS_KEPT); n < day; n++) setField(n, 0n, 0n);
  volume.taker = 0n;
  volume.maker = 0n;
}

function setFeeTiers(state: NaiveState): void {
  const { feeTiers, makerRebates } = state.options;
  const own = (account: number): { all: bigint; maker: bigint } => {
    const history = state.volumes.get(account)?.history;
    const maker = sum(history?.maker ?? []);
    return { all: sum(history?.taker ?? []) + maker, maker };
  };
  const masterOf = (account: number): number | undefined => {
    const { role, owner } = state.accounts.get(account);
    return role === 'subAccount' ? owner : undefined;
  };
  const traders = [...state.volumes.keys()];
  const makerTotal = sum(traders.map((account) => own(account).maker));
  for (const [account, marginAccount] of state.marginAccounts) {
    const master = masterOf(account) ?? account;
    const group = traders.filter((other) => other === master || masterOf(other) === master);
    const volume = sum(group.map((member) => own(member).all));
    const maker = sum(group.map((member) => own(member).maker));
    marginAccount.feeTier = feeTiers.findLastIndex((tier) => tier.volume <= volume) + 1;
    marginAccount.makerTier =
      makerTotal === 0n ? 0 : makerRebates.findLastIndex(({ sharePpm }) => maker * MILLION >= BigInt(sharePpm) * makerTotal) + 1;
  }
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
