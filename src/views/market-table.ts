/**
 * The markets of a genesis as the protocol sees them: names and asset ids, decimals of sizes, texts of prices and sizes, margin tables.
 *
 * A price of 1.0 is `ticksPerInteger` ticks, and a lot is `unit * ticksPerInteger / 10^6` of the asset (notional = ticks * lots * unit in
 * quote units), so texts and integers turn into each other exactly. Sizes have the decimals of their step, prices those of a tick.
 * What changes (marks, delisting) is not here: it is in the state.
 */
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import { type Genesis, type MarginTier, type MarketOptions, type MarketParameters, marketOptions } from '../exchange/genesis.ts';
import { QUOTE_DECIMALS, quoteText, scaledOf, scaledText, shortScaled } from './decimal-text.ts';

/** Ids below are tables of one tier, whose maximum leverage is the id (protocol, 7.2). */
const FIRST_TABLE = 50;
const PRICE_DECIMALS_MAX = 12;

export interface MarginTable {
  readonly description: string;
  readonly marginTiers: readonly { readonly lowerBound: string; readonly maxLeverage: number }[];
}

export class Market {
  /** Index in the genesis: the asset id of the protocol. */
  readonly index: number;
  readonly name: string;
  readonly parameters: MarketParameters & MarketOptions;
  /** Quote units of one lot at one tick. */
  readonly unit: bigint;
  readonly szDecimals: number;
  readonly pxDecimals: number;
  readonly maxLeverage: number;
  readonly marginTableId: number;
  /** 10^-pxDecimals of one tick. */
  private readonly perTick: bigint;
  /** 10^-6 of the asset in one lot. */
  private readonly perLot: bigint;

  constructor(parameters: MarketParameters & MarketOptions, index: number, marginTableId: number) {
    const { name, unit, ticksPerInteger, lotStep, tiers } = parameters;
    this.index = index;
    this.name = name;
    this.parameters = parameters;
    this.unit = BigInt(unit);
    this.pxDecimals = decimalsOfTick(name, BigInt(ticksPerInteger));
    this.perTick = 10n ** BigInt(this.pxDecimals) / BigInt(ticksPerInteger);
    this.perLot = BigInt(unit) * BigInt(ticksPerInteger);
    this.szDecimals = decimalsOfStep(this.perLot * BigInt(lotStep));
    this.maxLeverage = tiers[0]?.maxLeverage ?? parameters.leverage;
    this.marginTableId = marginTableId;
  }

  get onlyIsolated(): boolean {
    return this.parameters.mode !== 'normal';
  }

  priceText(ticks: number | bigint): string {
    return scaledText(BigInt(ticks) * this.perTick, this.pxDecimals);
  }

  /** The price in the middle of two, with the digit that it needs more. */
  midText(a: number, b: number): string {
    return scaledText(BigInt(a + b) * this.perTick * 5n, this.pxDecimals + 1);
  }

  /** An average price: quote units for so many lots, rounded down to 10^-8. */
  averageText(quoteUnits: bigint, lots: bigint): string {
    assert(lots > 0n, 'an average price of nothing');
    return scaledText((quoteUnits * 100_000_000n) / (lots * this.perLot), 8);
  }

  sizeText(lots: bigint): string {
    return scaledText(lots * this.perLot, QUOTE_DECIMALS);
  }

  /** Undefined: no decimal number, or not a whole number of ticks. The rules say which ticks are valid. */
  priceTicks(text: string): bigint | undefined {
    return wholeParts(text, this.pxDecimals, this.perTick);
  }

  /** Undefined: no decimal number, or not a whole number of lots. */
  sizeLots(text: string): bigint | undefined {
    return wholeParts(text, QUOTE_DECIMALS, this.perLot);
  }

  notional(ticks: number | bigint, lots: bigint): bigint {
    return BigInt(ticks) * lots * this.unit;
  }
}

export class MarketTable {
  readonly markets: readonly Market[];
  /** By id, ascending; those that markets use. */
  readonly marginTables: readonly (readonly [id: number, table: MarginTable])[];
  /** Name of the quote token. */
  readonly quote: string;
  private readonly byName: ReadonlyMap<string, Market>;

  /** Throws UNSUPPORTED_MARKET for a genesis whose names or prices clients could not be told. */
  constructor(genesis: Genesis) {
    const tables = new Map<string, { readonly id: number; readonly tiers: readonly MarginTier[] }>();
    let nextId = FIRST_TABLE + 1;
    this.markets = genesis.markets.map((given, index) => {
      const parameters = marketOptions(given);
      const { tiers } = parameters;
      const single = tiers.length === 1 ? (tiers[0] as MarginTier).maxLeverage : FIRST_TABLE;
      const key = tiers.map(({ lowerNotional, maxLeverage }) => `${lowerNotional}:${maxLeverage}`).join(' ');
      const table = tables.get(key) ?? { id: single < FIRST_TABLE ? single : nextId++, tiers };
      tables.set(key, table);
      return new Market(parameters, index, table.id);
    });
    this.marginTables = [...tables.values()]
      .sort((a, b) => a.id - b.id)
      .map(({ id, tiers }) => [
        id,
        { description: id < FIRST_TABLE ? '' : `tiered ${tiers[0]?.maxLeverage}x`, marginTiers: tierTexts(tiers) },
      ]);
    this.byName = new Map(this.markets.map((market) => [market.name, market]));
    if (this.byName.size < this.markets.length) throw new HeddleError('UNSUPPORTED_MARKET', 'two markets of the genesis have one name');
    this.quote = genesis.tokens[0]?.name ?? 'USDC';
  }

  market(index: number): Market {
    const market = this.markets[index];
    assert(market !== undefined, `no market ${index}`);
    return market;
  }

  find(name: string): Market | undefined {
    return this.byName.get(name);
  }

  /** Also those that no market uses. */
  marginTable(id: number): MarginTable | undefined {
    const known = this.marginTables.find(([known]) => known === id);
    if (known !== undefined) return known[1];
    if (!(id >= 1 && id < FIRST_TABLE)) return undefined;
    return { description: '', marginTiers: [{ lowerBound: '0', maxLeverage: id }] };
  }
}

function tierTexts(tiers: readonly MarginTier[]): MarginTable['marginTiers'] {
  return tiers.map(({ lowerNotional, maxLeverage }) => ({ lowerBound: quoteText(lowerNotional), maxLeverage }));
}

function decimalsOfTick(name: string, ticksPerInteger: bigint): number {
  for (let decimals = 0; decimals <= PRICE_DECIMALS_MAX; decimals++) if (10n ** BigInt(decimals) % ticksPerInteger === 0n) return decimals;
  throw new HeddleError(
    'UNSUPPORTED_MARKET',
    `market ${name} has ${ticksPerInteger} ticks to 1.0, so its prices are no decimal numbers: choose a power of ten`,
  );
}

/** `step`: in 10^-6. */
function decimalsOfStep(step: bigint): number {
  let decimals = QUOTE_DECIMALS;
  for (let rest = step; decimals > 0 && rest % 10n === 0n; rest /= 10n) decimals--;
  return decimals;
}

function wholeParts(text: string, decimals: number, part: bigint): bigint | undefined {
  const short = shortScaled(text, decimals);
  if (short !== undefined) {
    // A part that is no exact number is larger than any short value, also when it is rounded.
    const unit = Number(part);
    return short % unit === 0 ? BigInt(short / unit) : undefined;
  }
  const value = scaledOf(text, decimals);
  return value === undefined || value % part !== 0n ? undefined : value / part;
}
