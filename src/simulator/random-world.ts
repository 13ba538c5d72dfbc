/**
 * What the makers of random transactions know: the genesis, the naive twin after the last block, who plays which part, the time, and
 * what was sent before. Values are picked around what the twin holds, so that rules meet their edges.
 *
 * Not here: executing blocks (random-blocks.ts) and the contents of transactions.
 */
import { createHash } from 'node:crypto';
import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import {
  type ExchangeOptions,
  exchangeOptions,
  type Genesis,
  type MarketOptions,
  type MarketParameters,
  marketOptions,
  reportersOf,
} from '../exchange/genesis.ts';
import { OID_SLOT_BITS } from '../exchange/layout.ts';
import { NaiveLedger } from '../exchange/naive.ts';
import type { Address, ClientId, Transaction } from '../ledger/transactions.ts';
import { type Focus, randomAddress, USUAL_STEPS } from './random-genesis.ts';
import { PriceWalk } from './random-prices.ts';

export type OpenOrder = ReturnType<NaiveLedger['openOrders']>[number];

/** An account that somebody else acts for: a sub-account or a vault, or an agent; with the address of its owner. */
export interface Owned {
  readonly address: Address;
  readonly owner: Address;
}

/** A multi-signature user and those who may sign for it. */
export interface SignerSet {
  readonly address: Address;
  readonly authorised: readonly Address[];
  readonly threshold: number;
}

/** An order of the block in the making, with the oid that it will have if it rests in the slot that looks free now. */
interface ExpectedOrder {
  readonly actor: Address;
  readonly market: number;
  readonly oid: bigint;
}

const START_MS = 1_760_000_000_000;

export class RandomWorld {
  readonly random: Random;
  readonly genesis: Genesis;
  readonly focus: Focus;
  readonly options: ExchangeOptions;
  readonly markets: readonly (MarketParameters & MarketOptions)[];
  readonly ledger: NaiveLedger;
  readonly prices: PriceWalk;
  readonly reporters: readonly Address[];
  /** A market that is delisted in this history, and the block in which that begins with a shock of its price. */
  readonly doomed: { readonly market: number; readonly from: number } | undefined;
  /** Addresses of genesis, then some that no account has at first. */
  readonly known: readonly Address[];
  readonly fresh: readonly Address[];
  readonly clientIds: readonly ClientId[];
  readonly codes: readonly string[];
  agents: readonly Owned[] = [];
  subAccounts: readonly Owned[] = [];
  vaults: readonly Owned[] = [];
  /** Multi-signature users. */
  signerSets: readonly SignerSet[] = [];
  /** Builders' approvals that were sent, whatever became of them. */
  readonly approvals: { readonly user: Address; readonly builder: Address; readonly maxFee: number }[] = [];
  /** Nonces sent by an address, the latest last. */
  readonly sentNonces = new Map<Address, bigint[]>();
  number = 0;
  timeMs: number;
  #oldOids: bigint[] = [1024n];
  #expected: ExpectedOrder[] = [];
  #expectedOrdinal = 1n;

  constructor(random: Random, genesis: Genesis, focus: Focus) {
    this.random = random;
    this.genesis = genesis;
    this.focus = focus;
    this.options = exchangeOptions(genesis);
    this.markets = genesis.markets.map(marketOptions);
    this.ledger = new NaiveLedger(genesis);
    this.prices = new PriceWalk(random, genesis);
    this.reporters = reportersOf(genesis).map(({ address }) => address);
    this.known = genesis.accounts.map((account) => account.address);
    this.fresh = Array.from({ length: 8 }, () => randomAddress(random));
    this.clientIds = Array.from({ length: 8 }, () => `0x${randomAddress(random).slice(2, 34)}`);
    this.codes = ['A', 'LOOM', 'WEFT AND WARP', 'twenty-bytes-of-code', 'né'];
    const others = this.markets.map((_, market) => market).slice(1);
    const cross = others.filter((market) => this.markets[market]?.mode === 'normal');
    const market = random.pick(cross.length > 0 && random.chance(0.7) ? cross : others);
    this.doomed = random.chance(0.35) ? { market, from: random.between(5, 9) } : undefined;
    const untilHour = 3_600_000 - (START_MS % 3_600_000);
    this.timeMs = random.chance(0.04) ? 1000 : START_MS + random.below(1000) + (random.chance(0.4) ? untilHour - 10_000 : 0);
  }

  // --- Blocks -----------------------------------------------------------------------------------------------------------------------

  /** A new block begins: what is expected of the one before is forgotten. */
  begin(timeMs: number): void {
    this.timeMs = timeMs;
    this.number++;
    this.#expected = [];
    this.#expectedOrdinal = this.ledger.nextOrdinal;
  }

  /** The twin has executed a block: who exists now? */
  refresh(): void {
    const { accounts } = this.ledger;
    const owned = (role: 'agent' | 'subAccount' | 'vault'): Owned[] =>
      accounts
        .accounts()
        .map((number) => accounts.get(number))
        .filter((account) => account.role === role && accounts.has(account.owner))
        .map((account) => ({ address: account.address, owner: accounts.get(account.owner).address }));
    this.agents = owned('agent');
    this.subAccounts = owned('subAccount');
    this.vaults = owned('vault');
    const addressOf = (number: number): Address => accounts.get(number).address;
    this.signerSets = accounts
      .accounts()
      .filter((number) => accounts.get(number).threshold > 0)
      .map((number) => {
        const { address, threshold, signerSet } = accounts.get(number);
        const authorised = accounts.accounts().filter((signer) => accounts.signerSet(number, signer) === signerSet);
        return { address, threshold, authorised: authorised.map(addressOf) };
      });
    const open = accounts.accounts().flatMap((account) => this.ledger.openOrders(account).map((order) => order.oid));
    this.#oldOids = [...this.#oldOids.slice(-30), ...open.slice(-30)];
  }

  /** Keeps account of the oids that the transaction's new orders will have, and of what it makes known. */
  note(transaction: Transaction, actor: Address): void {
    if (transaction.kind !== 'orders' || !Array.isArray(transaction.items) || transaction.items.length > 64) return;
    const account = this.account(actor);
    const used = new Set(account === undefined ? [] : this.ledger.openOrders(account).map((order) => order.slot));
    let slot = 0;
    while (used.has(slot)) slot++;
    transaction.items.forEach((item, index) => {
      if (item.op !== 'place' || (item.tif !== 'gtc' && item.tif !== 'alo')) return;
      const oid = ((this.#expectedOrdinal + BigInt(index)) << BigInt(OID_SLOT_BITS)) | BigInt(slot);
      this.#expected.push({ actor, market: item.market, oid });
    });
    this.#expectedOrdinal += BigInt(transaction.items.length);
  }

  expectedOf(actor: Address): readonly ExpectedOrder[] {
    return this.#expected.filter((order) => order.actor === actor);
  }

  oldOid(): bigint {
    return this.random.pick(this.#oldOids);
  }

  /** The address that a sub-account or vault gets which this block's transaction `index` creates (docs/rules.md, 2). */
  createdAddress(kind: 'createSubAccount' | 'createVault', sender: Address, index: number): Address {
    const hash = createHash('sha256').update(`heddle ${kind}:${sender}:${this.number}:${index}`).digest('hex');
    return `0x${hash.slice(0, 40)}`;
  }

  /** An address that is about to exist. */
  announce(kind: 'createSubAccount' | 'createVault', created: Owned): void {
    if (kind === 'createVault') this.vaults = [...this.vaults, created];
    else this.subAccounts = [...this.subAccounts, created];
  }

  /** Blocks since the doomed market's price was shocked; negative before that, and far below if no market is doomed. */
  get sinceDoom(): number {
    return this.doomed === undefined ? Number.NEGATIVE_INFINITY : this.number - this.doomed.from;
  }

  // --- Accounts ---------------------------------------------------------------------------------------------------------------------

  account(address: Address): number | undefined {
    return this.ledger.accounts.numberOf(address);
  }

  balance(address: Address, token: number): bigint {
    const account = this.account(address);
    return account === undefined ? 0n : this.ledger.accounts.balance(account, token);
  }

  hasCollateral(address: Address): boolean {
    return this.ledger.state.marginAccounts.has(this.account(address) ?? -1);
  }

  isMultiSig(address: Address): boolean {
    return this.signerSets.some((set) => set.address === address);
  }

  openOrders(address: Address): readonly OpenOrder[] {
    const account = this.account(address);
    return account === undefined ? [] : this.ledger.openOrders(account);
  }

  positionLots(address: Address, market: number): bigint {
    const account = this.account(address);
    return account === undefined || market >= this.markets.length ? 0n : this.ledger.positionLots(account, market);
  }

  /** The markets in which an account has a position. */
  heldMarkets(address: Address): number[] {
    return this.markets.map((_, market) => market).filter((market) => this.positionLots(address, market) !== 0n);
  }

  /** What the account could put up for new positions, by the cross part. */
  freeMargin(address: Address): bigint {
    const account = this.account(address);
    return account === undefined ? 0n : this.ledger.state.freeMargin(account);
  }

  /** What could leave its collateral. */
  transferable(address: Address): bigint {
    const account = this.account(address);
    return account === undefined ? 0n : this.ledger.state.transferable(account);
  }

  leverageIn(address: Address, market: number): number {
    const account = this.account(address);
    return account === undefined ? this.parameters(market).leverage : this.ledger.state.leverageOf(account, market);
  }

  runningTwaps(address: Address): readonly { readonly id: number; readonly market: number }[] {
    const twaps = this.ledger.state.settings.get(this.account(address) ?? -1)?.twaps ?? [];
    return twaps.filter((twap) => twap !== undefined);
  }

  // --- Markets ----------------------------------------------------------------------------------------------------------------------

  parameters(market: number): MarketParameters & MarketOptions {
    const parameters = this.markets[market];
    assert(parameters, `no market ${market}`);
    return parameters;
  }

  /** A market, with probability `unknown` one that does not exist. */
  market(unknown: number): number {
    const { random, doomed } = this;
    if (doomed !== undefined && this.sinceDoom >= -3 && this.sinceDoom < 4 && random.chance(0.6)) return doomed.market;
    if (random.chance(unknown)) return random.pick([this.markets.length, 447, 448, 65_536, 2 ** 32 - 1]);
    return random.chance(0.5) ? 0 : random.below(this.markets.length);
  }

  /** The value of a usual order in quote units. */
  usualNotional(market: number): bigint {
    const { unit, lotStep } = this.parameters(market);
    return BigInt(this.prices.at(market)) * BigInt(unit) * BigInt(lotStep * USUAL_STEPS);
  }

  /** The price, or one near it that the steps and the significant digits of the market allow. */
  validPrice(market: number, price: number): number {
    const { tickStep, tickCount, significantDigits, ticksPerInteger } = this.parameters(market);
    const whole = Math.min(Math.max(Math.round(price), 1), tickCount - 1);
    const excess = String(whole).length - significantDigits;
    const coarse = significantDigits > 0 && excess > 0 ? Math.min(10 ** excess, ticksPerInteger) : 1;
    const grain = Math.max(coarse, tickStep);
    return Math.max(grain, whole - (whole % grain));
  }

  /** A number of lots near `lots` that is a positive multiple of the market's step. */
  validLots(market: number, lots: bigint): bigint {
    const step = BigInt(this.parameters(market).lotStep);
    const whole = lots - (lots % step);
    return whole < step ? step : whole;
  }
}
