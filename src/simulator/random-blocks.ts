/**
 * Random ledgers and random blocks for comparing executors: the same seed gives the same genesis and the same blocks.
 *
 * Few accounts, few markets and colliding choices, so that rules meet their edges: each seed has a focus (transfers, nonces, a tight
 * book, thousands of orders, thin margins). The writer runs the naive twin beside it, so cancels hit orders that are open and
 * transfers empty balances exactly. `tallyOutcomes` counts what came out; its test holds that no outcome is missing.
 * Not here: executing anything but the naive twin, and shrinking.
 */
import { assert } from '../base/assert.ts';
import * as codes from '../base/codes.ts';
import { Random } from '../base/random.ts';
import type { Genesis, MarketParameters } from '../exchange/genesis.ts';
import { BATCH_ITEMS_MAX, EVENT_CANCEL, EVENT_FILL, EVENT_ITEM, OID_SLOT_BITS } from '../exchange/layout.ts';
import { NaiveLedger, type NaiveOrder } from '../exchange/naive.ts';
import { EVENT_TRANSFER, NONCE_FUTURE_MS, NONCE_PAST_MS, TOKEN_QUOTE } from '../ledger/layout.ts';
import type {
  Address,
  Block,
  CancelClientItem,
  ClientId,
  DepositTransaction,
  OracleTransaction,
  OrderItem,
  OrdersTransaction,
  PlaceItem,
  TimeInForce,
  Transaction,
  TransferTransaction,
} from '../ledger/transactions.ts';

/** What a seed's blocks are mostly about. */
export type Focus = 'mixed' | 'ledger' | 'nonces' | 'book' | 'crowded' | 'margin';

const FOCI: readonly Focus[] = ['mixed', 'book', 'margin', 'ledger', 'mixed', 'book', 'margin', 'crowded', 'mixed', 'nonces'];

export interface RandomBlocksOptions {
  /** Number of blocks; default 12. */
  readonly blocks?: number;
  /** At most so many transactions a block; default 24. */
  readonly transactions?: number;
  /** Default: `focusOf(seed)`. The genesis of another focus works too. */
  readonly focus?: Focus;
}

export function focusOf(seed: number): Focus {
  return FOCI[seed % FOCI.length] as Focus;
}

// Genesis

export function randomGenesis(seed: number, focus: Focus = focusOf(seed)): Genesis {
  const random = new Random(seed * 2);
  const markets = Array.from({ length: random.between(1, 4) }, (_, i) => randomMarket(random, focus, i));
  const count = focus === 'crowded' ? random.between(4, 6) : focus === 'nonces' ? random.between(2, 4) : random.between(2, 12);
  const tokens = ['USD', 'ETH', 'BTC'].slice(0, random.between(1, 3)).map((name) => ({ name, decimals: 6 }));
  const accounts = Array.from({ length: count }, () => ({
    address: randomAddress(random),
    balances: tokens.map((_, token) => ({ token, amount: randomBalance(random) })),
    collateral: randomCollateral(random, focus, markets),
  }));
  return {
    maxAccounts: count + (random.chance(0.7) ? random.between(0, 4) : 64),
    orderPages: focus === 'crowded' ? random.pick([1, 2, 3, 4, 6]) : random.pick([1, 1, 2, 16]),
    tokens,
    markets,
    oracle: random.chance(0.9) ? random.pick(accounts).address : randomAddress(random),
    accounts,
  };
}

function randomMarket(random: Random, focus: Focus, number: number): MarketParameters {
  const shape = random.weighted({ tight: 3, deep: 3, digits: 2, steps: 2, vast: 1 });
  const shapes = {
    tight: { tickCount: random.between(20, 300), tickStep: 1, lotStep: 1, ticksPerInteger: 1, significantDigits: 0 },
    deep: { tickCount: 300_000, tickStep: 1, lotStep: random.pick([1, 10]), ticksPerInteger: random.pick([1, 100]), significantDigits: 5 },
    digits: { tickCount: 2_000_000, tickStep: 1, lotStep: 1, ticksPerInteger: 10, significantDigits: random.pick([3, 5]) },
    steps: {
      tickCount: 20_000,
      tickStep: random.pick([2, 5, 25]),
      lotStep: random.pick([2, 10, 100]),
      ticksPerInteger: 1,
      significantDigits: 0,
    },
    vast: { tickCount: 2 ** 24, tickStep: random.pick([1, 100]), lotStep: 1, ticksPerInteger: 1000, significantDigits: 4 },
  };
  const { tickCount, tickStep, lotStep, ticksPerInteger, significantDigits } = shapes[shape];
  const unit = random.pick([1, 1, 3, 10, 100, 1000]);
  const mark = Math.floor((tickCount * random.between(25, 75)) / 100);
  // Notionals that need more than 64 bits once multiplied by a fee or a size are among what must come out right.
  const notionalMax = 2n ** BigInt(random.pick([46, 50, 53]));
  const roomy = notionalMax / BigInt(tickCount * unit);
  const narrow = BigInt(lotStep * random.between(5, 40));
  const maxPositionLots = focus !== 'crowded' && random.chance(0.35) ? narrow : roomy;
  const orderMost = 2n ** 49n / BigInt(tickCount * unit);
  const wanted = focus !== 'crowded' && random.chance(0.3) ? BigInt(lotStep * 20) : maxPositionLots;
  const maxOrderLots = wanted < orderMost ? wanted : orderMost;
  const takerFeePpm = random.pick([0, 35, 450, 450, 8191]);
  return {
    name: `M${number}`,
    tickCount,
    unit,
    tickStep,
    lotStep,
    ticksPerInteger,
    significantDigits,
    leverage: random.pick([1, 2, 3, 5, 7, 10, 20, 50]),
    takerFeePpm,
    makerFeePpm: Math.max(-takerFeePpm, random.pick([-200, -30, 0, 150, 150])),
    minNotional: focus === 'crowded' || random.chance(0.5) ? 0n : BigInt(mark) * BigInt(unit * lotStep * random.between(1, 3)),
    maxOrderLots,
    maxPositionLots,
    markTicks: random.chance(0.9) ? mark : 0,
  };
}

function randomAddress(random: Random): Address {
  return `0x${Array.from({ length: 5 }, () => random.next().toString(16).padStart(8, '0')).join('')}`;
}

function randomBalance(random: Random): bigint {
  switch (random.below(5)) {
    case 0:
      return 0n;
    case 1:
      return BigInt(random.between(1, 20));
    case 2:
      return 2n ** 63n - 1n - BigInt(random.below(20));
    default:
      return random.belowBig(2n ** 40n);
  }
}

function randomCollateral(random: Random, focus: Focus, markets: readonly MarketParameters[]): bigint {
  if (focus === 'crowded') return 2n ** 58n;
  if (random.chance(0.1)) return 0n;
  const { markTicks, tickCount, unit, lotStep, leverage } = random.pick(markets);
  const usualNotional = BigInt(markTicks === 0 ? Math.floor(tickCount / 2) : markTicks) * BigInt(unit * lotStep * 10);
  const percent = focus === 'margin' ? random.pick([20, 100, 200, 400, 100_000]) : random.pick([20, 200, 1000, 10_000, 1_000_000]);
  return (usualNotional * BigInt(percent)) / BigInt(100 * leverage) + BigInt(random.below(100));
}

// Blocks

/** Blocks that follow one another from the genesis. Each is made after the one before was executed by the writer's own twin. */
export function* randomBlocks(seed: number, genesis: Genesis, options: RandomBlocksOptions = {}): Generator<Block, void, undefined> {
  const focus = options.focus ?? focusOf(seed);
  const writer = new BlockWriter(new Random(seed * 2 + 1), genesis, focus);
  const transactions = options.transactions ?? 24;
  for (let i = 0; i < (options.blocks ?? 12); i++) yield writer.block(transactions);
}

const TRANSACTION_WEIGHTS = {
  mixed: { transfer: 20, deposit: 6, orders: 64, oracle: 7, malformed: 3 },
  ledger: { transfer: 75, deposit: 15, orders: 3, oracle: 3, malformed: 4 },
  nonces: { transfer: 85, deposit: 3, orders: 10, oracle: 1, malformed: 1 },
  book: { transfer: 3, deposit: 2, orders: 91, oracle: 3, malformed: 1 },
  crowded: { transfer: 1, deposit: 1, orders: 96, oracle: 1, malformed: 1 },
  margin: { transfer: 2, deposit: 3, orders: 76, oracle: 18, malformed: 1 },
} as const;

class BlockWriter {
  readonly #random: Random;
  readonly #genesis: Genesis;
  readonly #focus: Focus;
  readonly #ledger: NaiveLedger;
  /** Addresses of genesis, then some that no account has yet. */
  readonly #known: Address[];
  readonly #fresh: Address[];
  readonly #clientIds: ClientId[];
  /** Nonces sent by an address, the latest last. */
  readonly #sentNonces = new Map<Address, bigint[]>();
  /** Oids that were open at some time. */
  #oldOids: bigint[] = [1024n];
  /** Orders of the block in the making, with the oids that they will probably get. */
  #expected: { sender: Address; market: number; oid: bigint }[] = [];
  #expectedOrdinal = 1n;
  #number = 0;
  #timeMs: number;

  constructor(random: Random, genesis: Genesis, focus: Focus) {
    this.#random = random;
    this.#genesis = genesis;
    this.#focus = focus;
    this.#ledger = new NaiveLedger(genesis);
    this.#known = genesis.accounts.map((account) => account.address);
    this.#fresh = Array.from({ length: 6 }, () => randomAddress(random));
    this.#clientIds = Array.from({ length: 8 }, () => `0x${randomAddress(random).slice(2, 34)}`);
    this.#timeMs = random.chance(0.05) ? 1000 : 1_760_000_000_000 + random.below(1000);
  }

  block(transactionsMax: number): Block {
    const random = this.#random;
    this.#timeMs += random.chance(0.03) ? random.between(1, 3) * NONCE_FUTURE_MS : random.between(0, 3000);
    this.#number++;
    const count = this.#focus === 'nonces' ? transactionsMax : random.between(0, transactionsMax);
    this.#expected = [];
    this.#expectedOrdinal = this.#ledger.nextOrdinal;
    const transactions = Array.from({ length: count }, () => this.#noted(this.#transaction()));
    const block = { number: this.#number, timeMs: this.#timeMs, transactions };
    this.#ledger.executeBlock(block);
    const open = this.#ledger.markets.flatMap((market) => market.orders.map((order) => order.oid));
    this.#oldOids = [...this.#oldOids.slice(-30), ...open.slice(-30)];
    return block;
  }

  /** Keeps account of the oids that the transaction's new orders will have, if they rest and their account's lowest slot stays free. */
  #noted(transaction: Transaction): Transaction {
    const { kind, sender } = transaction;
    if (kind !== 'orders' || transaction.items.length > BATCH_ITEMS_MAX) return transaction;
    const account = this.#ledger.accounts.numberOf(sender);
    const used = new Set(account === undefined ? [] : this.#ledger.openOrders(account).map((order) => order.slot));
    let slot = 0;
    while (used.has(slot)) slot++;
    transaction.items.forEach((item, index) => {
      if (item.op !== 'place' || (item.tif !== 'gtc' && item.tif !== 'alo')) return;
      this.#expected.push({
        sender,
        market: item.market,
        oid: (this.#expectedOrdinal + BigInt(index)) * 2n ** BigInt(OID_SLOT_BITS) + BigInt(slot),
      });
    });
    this.#expectedOrdinal += BigInt(transaction.items.length);
    return transaction;
  }

  #transaction(): Transaction {
    switch (this.#random.weighted(TRANSACTION_WEIGHTS[this.#focus])) {
      case 'transfer':
        return this.#transfer();
      case 'deposit':
        return this.#deposit();
      case 'orders':
        return this.#orders();
      case 'oracle':
        return this.#oracle();
      case 'malformed':
        return this.#malformed();
    }
  }

  #sender(): Address {
    const random = this.#random;
    if (random.chance(0.05)) return random.pick(this.#fresh);
    if (this.#focus === 'nonces' && random.chance(0.8)) return this.#known[0] as Address;
    return random.pick(this.#known);
  }

  /** The nonce field of a transaction, absent now and then. */
  #nonce(sender: Address): { nonce?: bigint } {
    const random = this.#random;
    const sent = this.#sentNonces.get(sender) ?? [];
    this.#sentNonces.set(sender, sent);
    const time = BigInt(this.#timeMs);
    const far = this.#focus === 'nonces' ? 12 : 4;
    const nonce = {
      none: () => undefined,
      next: () => larger((sent.at(-1) ?? 0n) + 1n + BigInt(random.below(3)), time - BigInt(random.below(300))),
      late: () => time - BigInt(random.below(400)),
      veryLate: () => time - BigInt(random.below(NONCE_PAST_MS)),
      again: () => (sent.length === 0 ? time : random.pick(sent)),
      low: () => time - BigInt(NONCE_PAST_MS) + BigInt(random.between(-2, 2)),
      high: () => time + BigInt(NONCE_FUTURE_MS) + BigInt(random.between(-2, 2)),
      zero: () => 0n,
    }[random.weighted({ none: 10, next: 72, late: far * 3, veryLate: 2, again: 4, low: 2, high: 1, zero: 0.3 })]();
    if (nonce === undefined) return {};
    const inRange = larger(nonce, 0n);
    // What was too high must not drag the increasing nonces with it.
    if (inRange <= time + 60_000n) sent.push(inRange);
    return { nonce: inRange };
  }

  #transfer(): TransferTransaction {
    const random = this.#random;
    const sender = this.#sender();
    const recipient = {
      known: () => random.pick(this.#known),
      self: () => sender,
      fresh: () => random.pick(this.#fresh),
      stranger: () => randomAddress(random),
    }[random.weighted({ known: 70, self: 8, fresh: 18, stranger: 4 })]();
    const token = random.chance(0.03) ? random.pick([this.#genesis.tokens.length, 2 ** 32 - 1]) : random.below(this.#genesis.tokens.length);
    return { kind: 'transfer', sender, ...this.#nonce(sender), recipient, token, amount: this.#amount(sender, token) };
  }

  /** Around what the sender has. */
  #amount(sender: Address, token: number): bigint {
    const random = this.#random;
    const account = this.#ledger.accounts.numberOf(sender);
    const balance = account === undefined ? 0n : this.#ledger.accounts.balance(account, token);
    return {
      part: () => 1n + random.belowBig(balance + 1n),
      little: () => BigInt(random.between(1, 5)),
      all: () => balance,
      more: () => balance + 1n,
      none: () => 0n,
      vast: () => random.pick([2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]),
    }[random.weighted({ part: 35, little: 25, all: 25, more: 6, none: 3, vast: 2 })]();
  }

  #deposit(): DepositTransaction {
    const random = this.#random;
    const sender = this.#sender();
    const amount = random.chance(0.2) ? random.pick([2n ** 59n, 2n ** 59n + 1n, 2n ** 58n, 1n]) : this.#amount(sender, TOKEN_QUOTE);
    return { kind: 'deposit', sender, ...this.#nonce(sender), amount };
  }

  #oracle(): OracleTransaction {
    const random = this.#random;
    const sender = random.chance(0.95) ? this.#genesis.oracle : this.#sender();
    const count = random.weighted({ some: 97, none: 1, many: 1, most: 1 });
    const length = { some: random.between(1, 3), none: 0, many: 65, most: 64 }[count];
    const prices = Array.from({ length }, () => {
      const market = this.#marketNumber(0.02);
      return { market, priceTicks: this.#oraclePrice(market) };
    });
    return { kind: 'oracle', sender, ...this.#nonce(sender), prices };
  }

  #oraclePrice(market: number): number {
    const random = this.#random;
    const parameters = this.#genesis.markets[market];
    if (parameters === undefined) return 1;
    const { tickCount } = parameters;
    if (random.chance(0.03)) return random.pick([0, tickCount, 2 ** 32 - 1, tickCount - 1, 1]);
    const reference = this.#referencePrice(market);
    const reach = Math.ceil(reference * random.pick([0.0001, 0.01, 0.1, 0.1, 0.5]));
    return clamp(reference + random.between(-reach, reach), 1, tickCount - 1);
  }

  #orders(): OrdersTransaction {
    const random = this.#random;
    const sender = this.#sender();
    if (this.#focus === 'crowded' && random.chance(0.25)) return this.#crowd(sender);
    if (this.#focus === 'crowded' && random.chance(0.05)) return this.#sweep(sender);
    const { few, many, full } = { few: random.between(2, 8), many: random.between(9, 40), full: 64 };
    const length = { one: 1, few, many, full, none: 0, tooMany: 65 }[
      random.weighted({ one: 60, few: 36, many: 2, full: 0.5, none: 0.6, tooMany: 0.4 })
    ];
    return { kind: 'orders', sender, ...this.#nonce(sender), items: Array.from({ length }, () => this.#item(sender)) };
  }

  /** Many small orders on one side of a book, off the mark. */
  #crowd(sender: Address): OrdersTransaction {
    const random = this.#random;
    const market = random.chance(0.8) ? 0 : this.#marketNumber(0);
    const side = random.chance(0.7) ? 'sell' : 'buy';
    const reference = this.#referencePrice(market);
    const reach = Math.min(Math.ceil(reference / 4), random.pick([5, 40, 5000]));
    const { lotStep, tickCount } = this.#parameters(market);
    const items = Array.from({ length: random.between(30, 64) }, (): PlaceItem => {
      const offset = random.between(1, reach);
      const price = clamp(side === 'sell' ? reference + offset : reference - offset, 1, tickCount - 1);
      const sizeLots = BigInt(lotStep * random.between(1, 3));
      return { op: 'place', market, side, tif: 'gtc', priceTicks: this.#validPrice(market, price), sizeLots };
    });
    return { kind: 'orders', sender, ...this.#nonce(sender), items };
  }

  /** More than a transaction may match, for books that have it; another item follows that finds no steps left. */
  #sweep(sender: Address): OrdersTransaction {
    const random = this.#random;
    const side = random.chance(0.7) ? 'buy' : 'sell';
    const { lotStep, tickCount } = this.#parameters(0);
    const price = this.#validPrice(0, side === 'buy' ? tickCount - 1 : 1);
    const tif = random.pick(['gtc', 'ioc', 'market'] as const);
    const sizeLots = BigInt(lotStep) * BigInt(random.pick([300, 1000, 5000]));
    const sweep: PlaceItem = { op: 'place', market: 0, side, tif, priceTicks: tif === 'market' ? 10_000 : price, sizeLots };
    return { kind: 'orders', sender, ...this.#nonce(sender), items: [sweep, { ...sweep, tif: 'gtc', priceTicks: price }] };
  }

  #item(sender: Address): OrderItem {
    const random = this.#random;
    const account = this.#ledger.accounts.numberOf(sender);
    const open = account === undefined ? [] : this.#ledger.openOrders(account);
    const expected = this.#expected.filter((order) => order.sender === sender);
    const placeWeight = open.length > 3 ? 45 : open.length > 0 ? 70 : expected.length > 0 ? 250 : 700;
    const ofBlock = expected.length > 0 && random.chance(open.length > 0 ? 0.1 : 0.9) ? random.pick(expected) : undefined;
    const order = ofBlock === undefined && open.length > 0 && random.chance(0.95) ? random.pick(open) : undefined;
    const hit = order ?? ofBlock;
    const market = hit === undefined || random.chance(0.03) ? this.#marketNumber(0.02) : hit.market;
    switch (random.weighted({ place: placeWeight, cancel: 10, cancelByClientId: 6, modify: 16, reduce: 14 })) {
      case 'place':
        return this.#place(account);
      case 'cancel':
        return { op: 'cancel', market, oid: this.#oid(hit?.oid) };
      case 'cancelByClientId':
        return this.#cancelByClientId(open);
      case 'modify': {
        const target = random.chance(0.3) ? (order?.clientId ?? random.pick(this.#clientIds)) : this.#oid(hit?.oid);
        const replacement = this.#place(account, order);
        // Often the same client id again, which is free only because the old order has gone.
        const clientId = order?.clientId !== undefined && random.chance(0.6) ? { clientId: order.clientId } : {};
        return { ...replacement, ...clientId, op: 'modify', target };
      }
      case 'reduce': {
        const left = order?.sizeLots ?? 10n;
        const lotStep = BigInt(this.#genesis.markets[market]?.lotStep ?? 1);
        const steps = 1n + random.belowBig(left / lotStep + 1n);
        const sizeLots = { part: steps * lotStep, all: left, none: 0n, odd: steps * lotStep + 1n }[
          random.weighted({ part: 80, all: 10, none: 3, odd: 7 })
        ];
        return { op: 'reduce', market, oid: this.#oid(hit?.oid), sizeLots };
      }
    }
  }

  #cancelByClientId(open: readonly NaiveOrder[]): CancelClientItem {
    const random = this.#random;
    const named = open.filter((order) => order.clientId !== undefined);
    if (named.length === 0 || random.chance(0.1)) {
      return { op: 'cancelByClientId', market: this.#marketNumber(0.02), target: random.pick(this.#clientIds) };
    }
    const { market, clientId } = random.pick(named);
    assert(clientId !== undefined, 'a named order');
    return { op: 'cancelByClientId', market: random.chance(0.03) ? this.#marketNumber(0) : market, target: clientId };
  }

  #oid(wanted: bigint | undefined): bigint {
    const random = this.#random;
    if (wanted !== undefined && random.chance(0.96)) return wanted;
    return random.chance(0.9) ? random.pick(this.#oldOids) : random.pick([0n, 1n, 2n ** 64n - 1n]);
  }

  #place(account: number | undefined, replaced?: NaiveOrder): PlaceItem {
    const random = this.#random;
    const market = replaced !== undefined && random.chance(0.97) ? replaced.market : this.#marketNumber(0.02);
    const position = account === undefined || market >= this.#genesis.markets.length ? 0n : this.#ledger.positionLots(account, market);
    const reduceOnly = random.chance(position === 0n ? 0.05 : 0.2);
    const towardsZero = position > 0n ? 'sell' : 'buy';
    const side = reduceOnly && random.chance(0.85) ? towardsZero : random.pick(['buy', 'sell'] as const);
    const tif: TimeInForce = random.weighted({ gtc: 58, alo: 12, ioc: 16, market: 14 });
    return {
      op: 'place',
      market,
      side,
      tif,
      priceTicks: tif === 'market' ? this.#slippageBps() : this.#price(market, side, tif === 'alo'),
      sizeLots: this.#size(market, position),
      ...(reduceOnly ? { reduceOnly } : random.chance(0.1) ? { reduceOnly: false } : {}),
      ...(random.chance(0.2) ? { clientId: random.pick(this.#clientIds) } : {}),
    };
  }

  #slippageBps(): number {
    const random = this.#random;
    return random.chance(0.04) ? random.pick([0, 10_001, 2 ** 32 - 1]) : random.pick([1, 10, 100, 500, 2000, 9999, 10_000]);
  }

  #price(market: number, side: 'buy' | 'sell', passive: boolean): number {
    const random = this.#random;
    if (market >= this.#genesis.markets.length) return 1;
    const { tickCount } = this.#parameters(market);
    const reference = this.#referencePrice(market);
    if (random.chance(0.03)) return random.pick([0, tickCount, 2 ** 32 - 1]);
    if (random.chance(0.03)) return clamp(reference + random.between(-1000, 1000), 1, tickCount - 1);
    const reach = Math.max(3, Math.ceil(reference * random.pick([0.0005, 0.005, 0.02, 0.3])));
    // Most orders stand a little off the mark on their own side; enough of them cross.
    const better = random.chance(passive ? 0.9 : 0.55);
    const offset = better ? random.between(0, reach) : -random.between(0, Math.ceil(reach / 2));
    if (this.#focus === 'crowded' && !better && random.chance(0.5)) return this.#validPrice(market, side === 'buy' ? tickCount - 1 : 1);
    return this.#validPrice(market, clamp(side === 'buy' ? reference - offset : reference + offset, 1, tickCount - 1));
  }

  /** The price, or one near it that the steps and the significant digits of the market allow. */
  #validPrice(market: number, price: number): number {
    const { tickStep, significantDigits, ticksPerInteger } = this.#parameters(market);
    const excess = String(price).length - significantDigits;
    const coarse = significantDigits > 0 && excess > 0 ? Math.min(10 ** excess, ticksPerInteger) : 1;
    const grain = Math.max(coarse, tickStep);
    return Math.max(grain, price - (price % grain));
  }

  #size(market: number, position: bigint): bigint {
    const random = this.#random;
    if (market >= this.#genesis.markets.length) return 1n;
    const { lotStep, maxOrderLots } = this.#parameters(market);
    const step = BigInt(lotStep);
    const held = position < 0n ? -position : position;
    const most = maxOrderLots - (maxOrderLots % step);
    const usual = step * BigInt(random.between(1, 20));
    return {
      usual: usual < most ? usual : step,
      any: step * (1n + random.belowBig(maxOrderLots / step)),
      held: held === 0n ? step : held,
      flip: held * 2n + step,
      most,
      none: 0n,
      odd: step * 3n + 1n,
      tooMuch: random.pick([maxOrderLots + 1n, 2n ** 63n - 1n]),
    }[
      random.weighted({
        usual: 78,
        any: this.#focus === 'crowded' ? 0.5 : 2,
        held: held === 0n ? 0 : 8,
        flip: held === 0n ? 0 : 6,
        most: this.#focus === 'crowded' ? 0.2 : 1,
        none: 1,
        odd: 2,
        tooMuch: 1,
      })
    ];
  }

  /** Where the market's prices are around: the oracle price, the mark, or the middle while it has neither. */
  #referencePrice(market: number): number {
    const { oracle, markTicks } = this.#ledger.markets[market] ?? { oracle: undefined, markTicks: 0n };
    const price = Number(oracle?.priceTicks ?? markTicks);
    return price === 0 ? Math.floor(this.#parameters(market).tickCount / 2) : price;
  }

  #parameters(market: number): MarketParameters {
    const parameters = this.#genesis.markets[market];
    assert(parameters, `no market ${market}`);
    return parameters;
  }

  /** A market, with probability `unknown` one that does not exist. */
  #marketNumber(unknown: number): number {
    const random = this.#random;
    if (random.chance(unknown)) return random.pick([this.#genesis.markets.length, 447, 448, 65_536, 2 ** 32 - 1]);
    return random.chance(0.6) ? 0 : random.below(this.#genesis.markets.length);
  }

  /** What no client library would send. */
  #malformed(): Transaction {
    const random = this.#random;
    const transfer = this.#transfer();
    const sender = random.pick(this.#known);
    const orders = (item: unknown): unknown => ({ kind: 'orders', sender, items: [this.#place(undefined), item] });
    const place = this.#place(undefined);
    const wrong: readonly unknown[] = [
      { ...transfer, kind: 'withdraw' },
      { kind: 'raise', sender },
      { kind: 'liquidate', sender },
      { ...transfer, sender: '0x12' },
      { ...transfer, recipient: transfer.recipient.toUpperCase() },
      { ...transfer, amount: -1n },
      { ...transfer, amount: 2n ** 64n },
      { ...transfer, token: -1 },
      { ...transfer, token: 2 ** 32 },
      { ...transfer, nonce: -1n },
      { ...transfer, nonce: 2n ** 64n },
      { kind: 'deposit', sender, amount: 2n ** 64n },
      { kind: 'oracle', sender: this.#genesis.oracle, prices: [{ market: 0, priceTicks: -1 }] },
      { kind: 'oracle', sender: this.#genesis.oracle, prices: [{ market: 2 ** 32, priceTicks: 1 }] },
      orders({ ...place, market: -1 }),
      orders({ ...place, market: 0.5 }),
      orders({ ...place, priceTicks: 2 ** 32 }),
      orders({ ...place, sizeLots: 2n ** 63n }),
      orders({ ...place, sizeLots: -1n }),
      orders({ ...place, clientId: '0xabc' }),
      orders({ op: 'cancel', market: 0, oid: 2n ** 64n }),
      orders({ op: 'cancelByClientId', market: 0, target: `0x${'A'.repeat(32)}` }),
      orders({ ...place, op: 'modify', target: -1n }),
      orders({ op: 'reduce', market: 0, oid: 1n, sizeLots: 2n ** 63n }),
    ];
    return random.pick(wrong) as Transaction;
  }
}

function clamp(value: number, first: number, last: number): number {
  return Math.min(Math.max(value, first), last);
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

// What came out

/**
 * Runs the blocks of the seeds on the naive twin and counts outcomes by name: `transaction CODE_...`, `item CODE_...`,
 * `cancel REASON_...`, `record <class>` (once a seed), and shapes of fills and orders.
 */
export function tallyOutcomes(seeds: Iterable<number>, options: RandomBlocksOptions = {}): Map<string, number> {
  const tally = new Map<string, number>();
  const count = (name: string): void => void tally.set(name, (tally.get(name) ?? 0) + 1);
  for (const seed of seeds) {
    const genesis = randomGenesis(seed, options.focus);
    const ledger = new NaiveLedger(genesis);
    const sizes = new Map<string, bigint>();
    for (const block of randomBlocks(seed, genesis, options)) {
      const marksBefore = ledger.markets.map((market) => market.markTicks);
      const receipts = ledger.executeBlock(block);
      receipts.forEach(({ code, events }, i) => {
        count(`transaction ${codeName('CODE_', code)}`);
        const transaction = block.transactions[i];
        if (transaction) countEvents(count, transaction, events, sizes);
      });
      if (ledger.markets.some((market, i) => market.markTicks !== marksBefore[i])) count('mark moves');
    }
    if (ledger.markets.some(({ orders }) => orders.length > new Set(orders.map((order) => order.priceTicks)).size)) count('long queue');
    for (const recordClass of new Set(ledger.records().map((record) => record.recordClass))) count(`record ${recordClass}`);
    if (ledger.accounts.accounts().some((account) => ledger.accounts.nonces(account).length === 100)) count('nonce ring full');
  }
  return tally;
}

/** The name of a code or of a reason, as in `src/base/codes.ts`. */
export function codeName(prefix: 'CODE_' | 'REASON_', value: number): string {
  const entry = Object.entries(codes).find(([name, code]) => name.startsWith(prefix) && code === value);
  return entry?.[0] ?? `${prefix}${value}`;
}

function countEvents(count: (name: string) => void, transaction: Transaction, events: Uint8Array, sizes: Map<string, bigint>): void {
  const view = new DataView(events.buffer, events.byteOffset, events.byteLength);
  let offset = 0;
  let fillsOfItem = 0;
  while (offset < events.length) {
    const header = view.getUint32(offset, true);
    const type = header % 256;
    switch (type) {
      case EVENT_TRANSFER:
        count(view.getUint32(offset + 8, true) === view.getUint32(offset + 12, true) ? 'transfer to oneself' : 'transfer');
        break;
      case EVENT_CANCEL:
        count(`cancel ${codeName('REASON_', view.getUint16(offset + 4, true))}`);
        break;
      case EVENT_FILL: {
        fillsOfItem++;
        const market = view.getUint32(offset + 4, true);
        const takerSells = view.getUint32(offset + 36, true) === 1;
        const lots = view.getBigInt64(offset + 40, true);
        const rebate = view.getBigInt64(offset + 56, true) < 0n;
        if (rebate) count('fill with a rebate');
        countPosition(count, sizes, `${market} ${view.getUint32(offset + 24, true)}`, takerSells ? -lots : lots, 'taker');
        countPosition(count, sizes, `${market} ${view.getUint32(offset + 28, true)}`, takerSells ? lots : -lots, 'maker');
        break;
      }
      case EVENT_ITEM: {
        assert(transaction.kind === 'orders', 'an item of a transaction that has none');
        const item = transaction.items[view.getUint16(offset + 4, true)];
        const code = view.getUint16(offset + 6, true);
        const filled = view.getBigInt64(offset + 16, true);
        const resting = view.getBigInt64(offset + 24, true);
        assert(item, 'an item that was not sent');
        count(`item ${codeName('CODE_', code)}`);
        if (code === codes.CODE_OK) count(`accepted ${item.op}`);
        if (code === codes.CODE_OK && (item.op === 'place' || item.op === 'modify')) {
          const fill =
            filled === 0n ? 'unfilled' : resting > 0n ? 'filled in part, rests' : filled < item.sizeLots ? 'filled in part' : 'filled';
          count(`${item.tif} ${fill}`);
          if (item.reduceOnly === true) count(`reduce-only ${fill}`);
          if (view.getBigUint64(offset + 8, true) % 1024n >= 64n) count('slot of a later page');
          if (fillsOfItem > 1) count('several fills');
        }
        if (code === codes.CODE_MATCH_LIMIT) count(filled > 0n ? 'match limit, filled in part' : 'match limit, unfilled');
        if (code !== codes.CODE_OK && item.op === 'modify') count(`modify ${codeName('CODE_', code)}`);
        if (item.op === 'reduce' && code === codes.CODE_OK) count(resting === 0n ? 'reduce to nothing' : 'reduce');
        fillsOfItem = 0;
        break;
      }
      default:
        assert(false, `event ${type}`);
    }
    offset += Math.floor(header / 256);
  }
}

function countPosition(
  count: (name: string) => void,
  sizes: Map<string, bigint>,
  key: string,
  delta: bigint,
  role: 'taker' | 'maker',
): void {
  const before = sizes.get(key) ?? 0n;
  const after = before + delta;
  sizes.set(key, after);
  if (before === 0n) count(`${role} opens`);
  else if (after === 0n) count(`${role} closes`);
  else if (before > 0n !== after > 0n) count(`${role} flips`);
  else count(before > 0n === delta > 0n ? `${role} increases` : `${role} decreases`);
}
