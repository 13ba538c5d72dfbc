/**
 * Who trades on the day: traders with one to four positions each, market makers that hold what longs and shorts differ by, one whale, the
 * reporters of prices and the backstop vault. Sizes are heavy-tailed; most traders are long, and the losers are the highly levered among
 * them: the equity of a victim is set so that the prices of one chosen wave, and not those of an earlier one, take it below its
 * maintenance margin. Each wave gets as many victims as its share of the fills.
 *
 * The whale stands for what the tables show of the first wave: 11,279 fills, 44 coins, and a single loser with nearly all of the deficit. It is
 * long in the coins of that wave, at their highest leverage.
 *
 * Account numbers: traders from 0, then makers, the whale, reporters, and the vault last. Makers and the whale are _wide_: they may
 * have positions everywhere. Sizes in lots, money in quote units; both below 2^53.
 */
import { Random } from '../base/random.ts';
import type { Calibration } from './calibration.ts';
import type { CrashMarket } from './crash-markets.ts';
import { type PricePath, runningSums } from './price-path.ts';

/** Positions that a trader can have: it trades in these markets only. */
export const TRADER_SLOTS = 4;
export const NO_MARKET = 0xffff;
export const MAKERS_A_MARKET = 4;
export const REPORTER_STAKES = [30n, 25n, 20n, 15n, 10n] as const;
const MARKETS_A_MAKER = 14;

const LONG_SHARE = 0.64;
const SHORT_SHARE = 0.3;
/** Chances of a trader's having 1, 2, 3, 4 positions. */
const POSITION_COUNTS = [0.45, 0.3, 0.15, 0.1] as const;
/** Standard deviation of the logarithm of a trader's notional; its mean is the tables' mean fill. */
const SIZE_SIGMA = 2.2;
const NOTIONAL_LEAST_USD = 40;
/** Above the least value of an order. */
const POSITION_LEAST_USD = 12;
const NOTIONAL_MOST_USD = 8_000_000;
/** What traders' shorts have of their longs; the rest is the makers'. */
const SHORTS_OF_LONGS = 0.88;
/** Notional of the whale, over that of the traders' longs. */
const WHALE_SHARE = 0.07;
/** Traders that a wave takes, of all. */
const VICTIM_SHARE = 0.085;
/** Longs that are looked at as victims. */
const CANDIDATE_SHARE = 0.3;
/** Above 1: most victims fall early in their wave. */
const EARLY = 1.7;
/** Traders with money in the ledger that they can add as margin. */
const RESERVE_SHARE = 0.05;
const FEES = 0.0006;
const UNITS = 1_000_000;

export interface PopulationOptions {
  readonly traders: number;
  /** Equity of the backstop vault over the notional of all longs. */
  readonly backstopShare: number;
  readonly seed: number;
}

export class Population {
  readonly traders: number;
  readonly makers: number;
  readonly markets: readonly CrashMarket[];
  /** Market of each slot, TRADER_SLOTS a trader; NO_MARKET: none. */
  readonly slotMarket: Uint16Array;
  /** Size of the position that the set-up opens, signed. */
  readonly slotLots: Float64Array;
  /** Of all accounts; what the vault has included. */
  readonly collateral: Float64Array;
  /** Balance in the ledger. */
  readonly reserve: Float64Array;
  /** The wave that is to take the trader, -1: none. */
  readonly victimOf: Int8Array;
  /** Size that a wide account opens, by (account - traders) * markets + market. */
  readonly wideLots: Float64Array;
  /** Sum of long sizes in each market. */
  readonly openInterest: Float64Array;
  private readonly groups: number;

  constructor(calibration: Calibration, markets: readonly CrashMarket[], path: PricePath, options: PopulationOptions) {
    const { traders, seed, backstopShare } = options;
    const random = new Random(seed);
    this.traders = traders;
    this.markets = markets;
    this.groups = Math.ceil(markets.length / MARKETS_A_MAKER);
    this.makers = this.groups * MAKERS_A_MARKET;
    this.slotMarket = new Uint16Array(traders * TRADER_SLOTS).fill(NO_MARKET);
    this.slotLots = new Float64Array(traders * TRADER_SLOTS);
    this.collateral = new Float64Array(this.accounts);
    this.reserve = new Float64Array(this.accounts);
    this.victimOf = new Int8Array(traders).fill(-1);
    this.wideLots = new Float64Array(this.wide * markets.length);
    this.openInterest = new Float64Array(markets.length);
    this.drawPositions(calibration.fillUsd, random);
    this.drawWhale();
    this.balanceSides();
    this.fundTraders(calibration, path, random);
    this.fundMakers();
    this.collateral[this.vault] = Math.round(backstopShare * this.longNotional());
  }

  get accounts(): number {
    return this.traders + this.wide + REPORTER_STAKES.length + 1;
  }

  /** Makers and the whale. */
  get wide(): number {
    return this.makers + 1;
  }

  get whale(): number {
    return this.traders + this.makers;
  }

  get vault(): number {
    return this.accounts - 1;
  }

  /** Account of a market's maker j. */
  makerOf(market: number, j: number): number {
    return this.traders + (market % this.groups) * MAKERS_A_MARKET + j;
  }

  reporter(index: number): number {
    return this.traders + this.wide + index;
  }

  /** Where a wide account's position in a market is in `wideLots`. */
  widePlace(account: number, market: number): number {
    return (account - this.traders) * this.markets.length + market;
  }

  /** Value of one lot at the first price. */
  lotUnits(market: number): number {
    const { parameters } = this.markets[market] as CrashMarket;
    return parameters.markTicks * parameters.unit;
  }

  /** The most that a position may have at the market's leverage, with room to spare. */
  private mostLots(market: number): number {
    const { tiers } = this.markets[market] as CrashMarket;
    return Math.floor((Number(tiers[1]?.lowerNotional ?? 0n) * 0.5) / this.lotUnits(market));
  }

  private longNotional(): number {
    return total(this.openInterest.map((lots, market) => lots * this.lotUnits(market)));
  }

  private drawPositions(meanUsd: number, random: Random): void {
    const median = meanUsd / Math.exp(SIZE_SIGMA ** 2 / 2);
    // Small coins have more traders than their share of the volume.
    const weights = this.markets.map(({ share }) => share ** 0.7);
    const upTo = runningSums(weights);
    for (let trader = 0; trader < this.traders; trader++) {
      const side = random.next() / 2 ** 32;
      const usd = Math.min(NOTIONAL_MOST_USD, Math.max(NOTIONAL_LEAST_USD, median * Math.exp(SIZE_SIGMA * gaussian(random))));
      const count = Math.min(countOf(random), this.markets.length, Math.floor(usd / 20));
      const parts = Array.from({ length: count }, () => 0.3 + random.below(1000) / 1000);
      const whole = parts.reduce((sum, part) => sum + part, 0);
      for (let slot = 0; slot < count; slot++) {
        const market = this.freeMarket(trader, upTo, random);
        const units = Math.max(POSITION_LEAST_USD, (usd * (parts[slot] as number)) / whole) * UNITS;
        const long = side < LONG_SHARE || (side >= LONG_SHARE + SHORT_SHARE && slot % 2 === 0);
        const at = trader * TRADER_SLOTS + slot;
        this.slotMarket[at] = market;
        this.slotLots[at] = (long ? 1 : -1) * Math.min(this.mostLots(market), Math.ceil(units / this.lotUnits(market)));
      }
    }
  }

  private freeMarket(trader: number, upTo: Float64Array, random: Random): number {
    for (;;) {
      const at = (random.next() / 2 ** 32) * (upTo.at(-1) as number);
      const market = upTo.findIndex((sum) => at < sum);
      if (!this.slotMarket.subarray(trader * TRADER_SLOTS, (trader + 1) * TRADER_SLOTS).includes(market)) return market;
    }
  }

  /** Long in the coins of the first wave, in each as a part of what traders are. */
  private drawWhale(): void {
    const longs = this.slotsBySign(1);
    const units = longs.map((lots, market) => lots * this.lotUnits(market));
    const inWave = units.map((value, market) => (((this.markets[market] as CrashMarket).hits[0] as number) > 0 ? value : 0));
    const part = (WHALE_SHARE * total(units)) / Math.max(1, total(inWave));
    longs.forEach((lots, market) => {
      if (inWave[market] === 0) return;
      this.wideLots[this.widePlace(this.whale, market)] = Math.min(this.mostLots(market), Math.floor(lots * part));
    });
  }

  /** Sum of the sizes of the traders' longs (1) or shorts (-1) in each market. */
  private slotsBySign(sign: 1 | -1): Float64Array {
    const sums = new Float64Array(this.markets.length);
    this.slotLots.forEach((lots, at) => {
      if (lots * sign <= 0) return;
      const market = this.slotMarket[at] as number;
      sums[market] = (sums[market] as number) + lots * sign;
    });
    return sums;
  }

  /** Scales the shorts to their part of the longs, and gives the difference to the makers. */
  private balanceSides(): void {
    const shorts = this.slotsBySign(-1);
    const longs = this.slotsBySign(1).map((lots, market) => lots + (this.wideLots[this.widePlace(this.whale, market)] as number));
    const scales = longs.map((lots, market) => Math.max(0.3, Math.min(4, (SHORTS_OF_LONGS * lots) / (shorts[market] as number))));
    const net = longs.slice();
    this.slotLots.forEach((lots, at) => {
      if (lots >= 0) return;
      const market = this.slotMarket[at] as number;
      const least = Math.ceil((POSITION_LEAST_USD * UNITS) / this.lotUnits(market));
      const scaled = Math.min(this.mostLots(market), Math.max(least, Math.round(-lots * (scales[market] as number))));
      this.slotLots[at] = -scaled;
      net[market] = (net[market] as number) - scaled;
    });
    net.forEach((lots, market) => {
      this.openInterest[market] = Math.max(longs[market] as number, (longs[market] as number) - lots);
      for (let j = 0; j < MAKERS_A_MARKET; j++) {
        const share = Math.trunc(lots / MAKERS_A_MARKET) + (j === 0 ? lots % MAKERS_A_MARKET : 0);
        this.wideLots[this.widePlace(this.makerOf(market, j), market)] = -share;
      }
    });
  }

  private fundTraders(calibration: Calibration, path: PricePath, random: Random): void {
    const fills = calibration.waves.reduce((sum, wave) => sum + wave.fills, 0);
    const quotas = calibration.waves.map((wave) => Math.round((wave.fills / fills) * VICTIM_SHARE * this.traders));
    const left = quotas.slice();
    for (let trader = 0; trader < this.traders; trader++) {
      const account = this.riskOf(trader, path);
      let equity: number;
      if (account.shorts > account.longs * 0.2) {
        // Winners and the hedged: from near the market's leverage to none.
        equity = Math.max(account.initial * 1.15, account.notional * (0.1 + 0.9 * (random.next() / 2 ** 32) ** 2));
      } else {
        const wave = random.chance(CANDIDATE_SHARE) ? reachableWave(account, quotas, left) : -1;
        if (wave >= 0) {
          left[wave] = (left[wave] as number) - 1;
          this.victimOf[trader] = wave;
          const low = Math.max(account.initial, wave === 0 ? 0 : (account.needed[wave - 1] as number));
          equity = low + (0.02 + 0.96 * (random.next() / 2 ** 32) ** EARLY) * ((account.needed[wave] as number) - low);
        } else {
          equity = Math.max(account.initial, account.needed.at(-1) as number) * (1.08 + 1.5 * (random.next() / 2 ** 32) ** 2);
        }
      }
      this.collateral[trader] = Math.ceil(equity);
      if (random.chance(RESERVE_SHARE)) this.reserve[trader] = Math.ceil(account.notional * (0.02 + random.below(100) / 1000));
    }
  }

  /** What a trader needs: to open its positions, and not to be liquidated at the lows of each wave (longs only). */
  private riskOf(trader: number, path: PricePath): Risk {
    const needed = path.waveBlocks.map(() => 0);
    const risk = { initial: 0, notional: 0, longs: 0, shorts: 0, needed };
    for (let slot = 0; slot < TRADER_SLOTS; slot++) {
      const market = this.slotMarket[trader * TRADER_SLOTS + slot] as number;
      if (market === NO_MARKET) break;
      const lots = this.slotLots[trader * TRADER_SLOTS + slot] as number;
      const notional = Math.abs(lots) * this.lotUnits(market);
      const { leverage } = (this.markets[market] as CrashMarket).parameters;
      risk.initial += notional / leverage + notional * FEES;
      risk.notional += notional;
      if (lots > 0) risk.longs += notional;
      else risk.shorts += notional;
      const lows = path.lows[market] as Float64Array;
      for (let wave = 0; wave < needed.length; wave++) {
        const low = lows[wave] as number;
        const change = lots > 0 ? 1 - low : low - 1;
        needed[wave] = (needed[wave] as number) + notional * (change + low / (2 * leverage) + FEES);
      }
    }
    risk.initial = Math.ceil(risk.initial * 1.002);
    return risk;
  }

  /** Makers: enough for the inventory and for all that their quotes could buy. The whale: what it takes to open its positions. */
  private fundMakers(): void {
    this.markets.forEach(({ parameters }, market) => {
      const units = (this.wideLots[this.widePlace(this.whale, market)] as number) * this.lotUnits(market);
      this.collateral[this.whale] = Math.ceil((this.collateral[this.whale] as number) + units * (1.005 / parameters.leverage + FEES));
    });
    this.markets.forEach((_, market) => {
      for (let j = 0; j < MAKERS_A_MARKET; j++) {
        const maker = this.makerOf(market, j);
        const inventory = Math.abs(this.wideLots[this.widePlace(maker, market)] as number) * this.lotUnits(market);
        const interest = (this.openInterest[market] as number) * this.lotUnits(market);
        this.collateral[maker] = Math.ceil((this.collateral[maker] as number) + inventory + interest * 0.1);
      }
    });
  }
}

interface Risk {
  readonly initial: number;
  readonly notional: number;
  readonly longs: number;
  readonly shorts: number;
  /** Equity at the start below which the account is in breach at the end of each wave; ascending for longs. */
  readonly needed: readonly number[];
}

/** The wave that lacks most of its victims, among those that can take this account; -1: none. */
function reachableWave({ initial, needed }: Risk, quotas: readonly number[], left: readonly number[]): number {
  let best = -1;
  let lacking = 0;
  for (let wave = 0; wave < needed.length; wave++) {
    const before = Math.max(initial, wave === 0 ? 0 : (needed[wave - 1] as number));
    if ((needed[wave] as number) <= before * 1.002) continue;
    const share = (left[wave] as number) / Math.max(1, quotas[wave] as number);
    if (share > lacking) {
      lacking = share;
      best = wave;
    }
  }
  return best;
}

function countOf(random: Random): number {
  let at = random.next() / 2 ** 32;
  for (let index = 0; index < POSITION_COUNTS.length; index++) {
    at -= POSITION_COUNTS[index] as number;
    if (at < 0) return index + 1;
  }
  return POSITION_COUNTS.length;
}

function total(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Box and Muller. */
function gaussian(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log((random.next() + 1) / 2 ** 32));
  return radius * Math.cos((2 * Math.PI * random.next()) / 2 ** 32);
}
