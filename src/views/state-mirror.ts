/**
 * The state at one height, as objects that requests read: kept from the records that each block has changed.
 *
 * The engine's memory changes while a block executes, also between two turns of the event loop; this does not. Work per block is that of the
 * records that have changed. What no view needs (nonces, reports, minutes, bit pages) is left out.
 *
 * Invariant: what is here is what the records of the state at `height` say; `state-mirror.test.ts` compares it with all of them.
 * Accounts have a number of their own here, an id: mostly the ledger's, but an account that has become dormant (docs/rules.md, 11) keeps its
 * id when its number goes to another, and what it had stays here as it was.
 *
 * Not here: when orders were placed and what became of them (order-table.ts).
 */
import type { Genesis } from '../exchange/genesis.ts';
import { exchangeOptions, marketOptions } from '../exchange/genesis.ts';
import * as X from '../exchange/layout.ts';
import { NO_ACCOUNT } from '../kernel/layout.ts';
import * as L from '../ledger/layout.ts';
import type { Address, ClientId } from '../ledger/transactions.ts';
import { BookLevels } from './book-levels.ts';
import * as R from './records.ts';

/** A record as the engine or the store has it, or as a block has changed it; without a value it is gone. */
export interface MirroredRecord {
  /** u8 class, then the key's bytes. */
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** To whom and where a block has done something. */
export interface Touched {
  /** Accounts with a changed record. */
  readonly accounts: Set<number>;
  /** Markets with a changed price, funding or total. */
  readonly markets: Set<number>;
  /** Markets with a changed level. */
  readonly books: Set<number>;
  /** Markets whose mark has changed. */
  readonly marks: Set<number>;
  /** Changed orders, by account and slot. */
  readonly orders: { readonly account: number; readonly slot: number }[];
}

const U64_MAX = 2n ** 64n - 1n;
/** Above every number of the ledger: ids of accounts whose number was another's id. */
const FIRST_OWN_ID = 2 ** 24;
const HISTORY_DAYS = 14;
const DAYS_PER_PART = 7;

const NO_PRICE: R.PriceState = { indexTicks: 0, markTicks: 0, lastTicks: 0 };
const NO_TOTALS: R.TotalsState = { volume: 0n, openInterestLots: 0n };
const NO_FUNDING: R.FundingState = { sampleSum: 0n, samples: 0, rate: 0n };
const NO_VOLUME: R.VolumeState = { taker: 0n, maker: 0n, all: 0n };

/** A map of maps that has no empty ones. */
class Nested<A, B, T> {
  private readonly byFirst = new Map<A, Map<B, T>>();
  private readonly none: ReadonlyMap<B, T> = new Map();

  get(a: A, b: B): T | undefined {
    return this.byFirst.get(a)?.get(b);
  }

  of(a: A): ReadonlyMap<B, T> {
    return this.byFirst.get(a) ?? this.none;
  }

  put(a: A, b: B, value: T | undefined): void {
    const inner = this.byFirst.get(a);
    if (value === undefined) {
      inner?.delete(b);
      if (inner?.size === 0) this.byFirst.delete(a);
    } else if (inner === undefined) this.byFirst.set(a, new Map([[b, value]]));
    else inner.set(b, value);
  }

  firsts(): IterableIterator<A> {
    return this.byFirst.keys();
  }
}

export class StateMirror {
  readonly books: readonly BookLevels[];
  readonly prices: R.PriceState[];
  readonly totals: R.TotalsState[];
  readonly fundings: R.FundingState[];
  readonly delistedMs: number[];
  /** Of delisted markets: the price at which positions were settled. */
  readonly settledTicks: number[];
  /** STATUS_* of the next block. */
  readonly statuses: number[];
  readonly positions = new Nested<number, number, R.PositionState>();
  readonly orders = new Nested<number, number, R.OrderState>();
  readonly extras = new Nested<number, number, R.ExtraState>();
  readonly twaps = new Nested<number, number, R.TwapState>();
  readonly balances = new Nested<number, number, bigint>();
  /** By account and name; the unnamed agent has the name ''. */
  readonly agents = new Nested<number, string, number>();
  /** Versions of signer sets by user and signer. */
  readonly signers = new Nested<number, number, number>();
  /** Greatest fee in 10^-5, by user and builder. */
  readonly approvals = new Nested<number, number, number>();
  /** By vault and user. */
  readonly followers = new Nested<number, number, R.FollowerState>();
  readonly vaultsOfFollower = new Nested<number, number, true>();
  readonly vaults = new Map<number, R.VaultState>();
  /** Sub-accounts by master, vaults by leader. */
  readonly owned = new Nested<number, number, true>();
  /** Accounts with an open position, by market. */
  readonly holders = new Nested<number, number, true>();
  /** Oids of open orders by account and client id. */
  readonly clientIds = new Nested<number, ClientId, bigint>();
  /** Codes by owner; one may have several. */
  readonly referralCodes = new Nested<number, string, true>();
  /** Those whom an account has referred. */
  readonly referred = new Nested<number, number, true>();
  lastRollDay = 0;
  private readonly accounts = new Map<number, R.AccountState>();
  /** Ids by number of the ledger, where they are not the number. */
  private readonly ids = new Map<number, number>();
  /** Numbers that no account has: what is said of them says nothing of the account that had it. */
  private readonly free = new Set<number>();
  private nextOwnId = FIRST_OWN_ID;
  private readonly numbers = new Map<Address, number>();
  private readonly margins = new Map<number, R.MarginState>();
  private readonly settings = new Map<number, R.SettingsState>();
  private readonly volumes = new Map<number, R.VolumeState>();
  private readonly histories = new Nested<number, number, readonly bigint[]>();
  private readonly rewards = new Map<number, { readonly builder: bigint; readonly referral: bigint }>();
  private readonly reader = new R.RecordReader();
  /** Numbers that are free behind the block that is taken in. */
  private readonly gone = new Set<number>();
  /** Accounts that become dormant with the block that is taken in. */
  private readonly folded = new Set<number>();

  constructor(markets: number) {
    const each = <T>(make: () => T): T[] => Array.from({ length: markets }, make);
    this.books = each(() => new BookLevels());
    this.prices = each(() => NO_PRICE);
    this.totals = each(() => NO_TOTALS);
    this.fundings = each(() => NO_FUNDING);
    this.delistedMs = each(() => 0);
    this.settledTicks = each(() => 0);
    this.statuses = each(() => 0);
  }

  /** The state before the first block (src/execution/genesis-state.ts). */
  loadGenesis(genesis: Genesis): void {
    genesis.markets.map(marketOptions).forEach(({ markTicks }, market) => {
      this.prices[market] = { indexTicks: markTicks, markTicks, lastTicks: 0 };
    });
    genesis.accounts.forEach(({ address, balances = [], collateral = 0n }, number) => {
      const backstop = address === genesis.backstop;
      const [role, owner] = backstop ? [L.ROLE_VAULT, NO_ACCOUNT] : [L.ROLE_USER, 0];
      this.setAccount(number, { address, role, owner, threshold: 0, signerSet: 0, expiresMs: 0n });
      for (const { token, amount } of balances) this.balances.put(number, token, amount === 0n ? undefined : amount);
      if (collateral === 0n && !backstop) return;
      this.margins.set(number, { collateral, orderMargin: 0n, openOrders: 0, feeTier: 0, makerTier: 0, referred: false });
      this.volumes.set(number, NO_VOLUME);
      this.rewards.set(number, { builder: 0n, referral: 0n });
      if (!backstop) return;
      this.vaults.set(number, {
        account: number,
        leader: NO_ACCOUNT,
        shares: collateral,
        leaderShares: 0n,
        lockMs: exchangeOptions(genesis).backstopLockMs,
        commissionPpm: 0,
        deposits: true,
        backstop: true,
        index: 0,
      });
    });
  }

  // --- Reading ----------------------------------------------------------------------------------------------------------------------

  /** The id of the account that has a number in the ledger now. */
  idOf(number: number): number {
    return this.ids.get(number) ?? number;
  }

  /** The id of an address that has an account. */
  numberOf(address: Address): number | undefined {
    return this.numbers.get(address);
  }

  account(number: number): R.AccountState | undefined {
    return this.accounts.get(number);
  }

  addressOf(number: number): Address | undefined {
    return this.accounts.get(number)?.address;
  }

  accountNumbers(): IterableIterator<number> {
    return this.accounts.keys();
  }

  margin(account: number): R.MarginState | undefined {
    return this.margins.get(account);
  }

  settingsOf(account: number): R.SettingsState | undefined {
    return this.settings.get(account);
  }

  volumeOf(account: number): R.VolumeState {
    return this.volumes.get(account) ?? NO_VOLUME;
  }

  rewardsOf(account: number): { readonly builder: bigint; readonly referral: bigint } {
    return this.rewards.get(account) ?? { builder: 0n, referral: 0n };
  }

  /** Volumes of the last 14 whole days that have rolled, newest last; `day` is a UTC day. */
  dailyVolumes(account: number): { readonly day: number; readonly taker: bigint; readonly maker: bigint }[] {
    const field = (kind: number, day: number): bigint => {
      const slot = day % HISTORY_DAYS;
      return this.histories.get(account, kind + Math.floor(slot / DAYS_PER_PART))?.[slot % DAYS_PER_PART] ?? 0n;
    };
    const today = this.lastRollDay;
    const days = Array.from({ length: Math.min(HISTORY_DAYS, today) }, (_, i) => today - Math.min(HISTORY_DAYS, today) + i);
    return days.map((day) => ({ day, taker: field(0, day), maker: field(2, day) }));
  }

  isDelisted(market: number): boolean {
    return (this.delistedMs[market] ?? 0) !== 0;
  }

  // --- Keeping ----------------------------------------------------------------------------------------------------------------------

  /** Who has which number in a block, before the rest of it is taken in: events speak of accounts by number. */
  noteAccounts(records: Iterable<MirroredRecord>): void {
    for (const { key, value } of records) {
      if (key[0] === X.CLASS_DORMANT && value !== undefined) {
        const id = this.numbers.get(`0x${Buffer.from(key.subarray(1)).toString('hex')}`);
        if (id !== undefined) this.folded.add(id);
      }
      if (key[0] !== L.CLASS_ACCOUNT || value === undefined) continue;
      const number = field(key, 0);
      const account = R.readAccount(this.reader.load(value));
      const known = this.bind(number, account.address);
      if (!this.accounts.has(known)) this.setAccount(known, this.ownerAsId(account));
    }
  }

  /** From now on a number is that of an address. */
  private bind(number: number, address: Address): number {
    const known = this.numbers.get(address);
    const taken = this.accounts.get(number);
    this.free.delete(number);
    const id = known ?? (taken === undefined || taken.address === address ? number : this.nextOwnId++);
    if (id === number) this.ids.delete(number);
    else this.ids.set(number, id);
    return id;
  }

  /** What changed prices and delistings say, before they are taken in: marks by market, and prices of settlement of markets that end. */
  pricesIn(records: Iterable<MirroredRecord>): { readonly marks: Map<number, number>; readonly delisted: Map<number, number> } {
    const marks = new Map<number, number>();
    const delisted = new Map<number, number>();
    for (const { key, value } of records) {
      if (value === undefined || (key[0] !== X.CLASS_PRICE && key[0] !== X.CLASS_DELISTING)) continue;
      const read = this.reader.load(value);
      const market = field(key, 0);
      if (key[0] === X.CLASS_PRICE) marks.set(market, R.readPrice(read).markTicks);
      else if (!this.isDelisted(market) && read.time(16) !== 0) delisted.set(market, read.u32(24));
    }
    return { marks, delisted };
  }

  apply(records: Iterable<MirroredRecord>): Touched {
    const touched: Touched = {
      accounts: new Set(),
      markets: new Set(),
      books: new Set(),
      marks: new Set(),
      orders: [],
    };
    for (const { key, value } of records) this.take(key, value, touched);
    this.folded.clear();
    for (const number of this.gone) this.free.add(number);
    this.gone.clear();
    return touched;
  }

  private take(key: Uint8Array, value: Uint8Array | undefined, touched: Touched): void {
    const recordClass = key[0] as number;
    if (IGNORED.has(recordClass)) return;
    if (recordClass === X.CLASS_DORMANT) {
      if (value !== undefined) this.unfold(key, value);
      return;
    }
    this.reader.load(value ?? NOTHING);
    if (this.takeMarket(recordClass, key, value, touched)) return;
    const number = key.length > 4 ? field(key, 0) : 0;
    const account = this.idOf(number);
    if (value === undefined && this.isKept(recordClass, number, account)) return;
    const taken = this.takeAccount(recordClass, account, key, value) || this.takeOrder(recordClass, account, key, value, touched);
    if (taken) touched.accounts.add(account);
    else this.takeRest(recordClass, key, value);
  }

  private takeMarket(recordClass: number, key: Uint8Array, value: Uint8Array | undefined, touched: Touched): boolean {
    const read = this.reader;
    switch (recordClass) {
      case X.CLASS_LEVEL: {
        const [market, priceTicks] = [field(key, 0), field(key, 1)];
        const level = value === undefined ? undefined : R.readLevel(read);
        this.books[market]?.set(priceTicks, level && { lots: level.totalLots, orders: level.count, sell: level.sell });
        touched.books.add(market);
        return true;
      }
      case X.CLASS_PRICE: {
        const market = field(key, 0);
        const price = R.readPrice(read);
        if (price.markTicks !== this.prices[market]?.markTicks) touched.marks.add(market);
        this.prices[market] = price;
        touched.markets.add(market);
        return true;
      }
      case X.CLASS_TOTALS:
        this.totals[field(key, 0)] = R.readTotals(read);
        touched.markets.add(field(key, 0));
        return true;
      case X.CLASS_FUNDING:
        this.fundings[field(key, 0)] = R.readFunding(read);
        touched.markets.add(field(key, 0));
        return true;
      case X.CLASS_DELISTING:
        this.delistedMs[field(key, 0)] = read.time(16);
        this.settledTicks[field(key, 0)] = read.u32(24);
        touched.markets.add(field(key, 0));
        return true;
      case X.CLASS_MARKET_STATE:
        this.statuses[field(key, 0)] = read.u32(24);
        return true;
      default:
        return false;
    }
  }

  private takeAccount(recordClass: number, account: number, key: Uint8Array, value: Uint8Array | undefined): boolean {
    const read = this.reader;
    switch (recordClass) {
      case L.CLASS_ACCOUNT:
        if (value !== undefined) this.setAccount(account, this.ownerAsId(R.readAccount(read, this.accounts.get(account)?.address)));
        return true;
      case L.CLASS_BALANCE:
        this.balances.put(account, field(key, 1), value && read.u64(L.BALANCE_AMOUNT));
        return true;
      case X.CLASS_MARGIN_ACCOUNT:
        put(this.margins, account, value && R.readMargin(read));
        return true;
      case X.CLASS_POSITION: {
        const market = field(key, 1);
        const position = value && R.readPosition(read);
        this.positions.put(account, market, position);
        this.holders.put(market, account, (position?.sizeLots ?? 0n) === 0n ? undefined : true);
        return true;
      }
      case X.CLASS_SETTINGS: {
        const settings = value && R.readSettings(read);
        put(this.settings, account, settings);
        if (settings !== undefined && settings.referrer > 0) this.referred.put(this.idOf(settings.referrer - 1), account, true);
        return true;
      }
      case X.CLASS_VOLUME:
        put(this.volumes, account, value && R.readVolume(read));
        return true;
      case X.CLASS_HISTORY:
        this.histories.put(account, field(key, 1), value && Array.from({ length: DAYS_PER_PART }, (_, i) => read.i64(8 + i * 8)));
        return true;
      case X.CLASS_REWARDS:
        put(this.rewards, account, value && { builder: read.i64(8), referral: read.i64(16) });
        return true;
      case X.CLASS_TWAP:
        this.twaps.put(account, field(key, 1), value && R.readTwap(read));
        return true;
      case L.CLASS_AGENT:
        this.agents.put(account, nameOf(key.subarray(5)), value && this.idOf(read.u32(8) - 1));
        return true;
      case L.CLASS_SIGNER:
        this.signers.put(account, this.idOf(field(key, 1)), value && read.u32(8));
        return true;
      case X.CLASS_APPROVAL:
        this.approvals.put(account, this.idOf(field(key, 1)), value && read.u32(8));
        return true;
      default:
        return false;
    }
  }

  private takeOrder(recordClass: number, account: number, key: Uint8Array, value: Uint8Array | undefined, touched: Touched): boolean {
    const read = this.reader;
    switch (recordClass) {
      case X.CLASS_ORDER: {
        const slot = field(key, 1);
        this.orders.put(account, slot, value && R.readOrder(read));
        touched.orders.push({ account, slot });
        return true;
      }
      case X.CLASS_EXTRA: {
        const slot = field(key, 1);
        this.extras.put(account, slot, value && R.readExtra(read));
        touched.orders.push({ account, slot });
        return true;
      }
      case X.CLASS_CLIENT_ID:
        this.clientIds.put(account, `0x${Buffer.from(key.subarray(5)).toString('hex')}`, value && read.u64(8));
        return true;
      default:
        return false;
    }
  }

  private takeRest(recordClass: number, key: Uint8Array, value: Uint8Array | undefined): void {
    const read = this.reader;
    if (recordClass === X.CLASS_VAULT) {
      const vault = value && R.readVault(read);
      const [account, leader] = [this.idOf(field(key, 0)), this.idOf(vault?.leader ?? NO_ACCOUNT)];
      put(this.vaults, account, vault && { ...vault, account, leader });
    } else if (recordClass === X.CLASS_FOLLOWER) {
      const [vault, user] = [this.idOf(field(key, 0)), this.idOf(field(key, 1))];
      this.followers.put(vault, user, value && R.readFollower(read));
      this.vaultsOfFollower.put(user, vault, value && true);
    } else if (recordClass === X.CLASS_REFERRAL && value !== undefined) {
      this.referralCodes.put(this.idOf(read.u32(8) - 1), nameOf(key.subarray(1)), true);
    } else if (recordClass === X.CLASS_CLOCK) this.lastRollDay = read.time(16) - 1;
  }

  /** Is a record's going no loss of the account: of one that becomes dormant, or of a number that is nobody's? */
  private isKept(recordClass: number, number: number, account: number): boolean {
    if (recordClass === L.CLASS_ACCOUNT) {
      this.gone.add(number);
      return true;
    }
    return OWN_CLASSES.has(recordClass) && (this.folded.has(account) || this.free.has(number));
  }

  /** A dormant account that was so before the first block that is known has its records in one value. */
  private unfold(key: Uint8Array, value: Uint8Array): void {
    const address = `0x${Buffer.from(key.subarray(1)).toString('hex')}`;
    if (this.numbers.has(address)) return;
    const id = this.nextOwnId++;
    for (let at = 0; at < value.length; ) {
      const recordClass = value[at] as number;
      const rest = value.subarray(at + 2, at + 2 + (value[at + 1] as number));
      const from = at + 3 + rest.length;
      const end = from + (value[from - 1] as number) - 1;
      this.reader.load(value.subarray(from, end));
      // As its key was, but for the number.
      if (!IGNORED.has(recordClass)) this.takeAccount(recordClass, id, Uint8Array.of(recordClass, 0, 0, 0, 0, ...rest), value);
      at = end;
    }
  }

  /** The owner of an account that has one; of users the field says something else. */
  private ownerAsId(account: R.AccountState): R.AccountState {
    return account.role === L.ROLE_USER ? { ...account, owner: 0 } : { ...account, owner: this.idOf(account.owner) };
  }

  private setAccount(number: number, account: R.AccountState): void {
    const before = this.accounts.get(number);
    if (before !== undefined && before.address !== account.address) this.numbers.delete(before.address);
    this.accounts.set(number, account);
    this.numbers.set(account.address, number);
    if ((account.role === L.ROLE_SUB_ACCOUNT || account.role === L.ROLE_VAULT) && account.owner !== NO_ACCOUNT) {
      this.owned.put(account.owner, number, true);
    }
  }

  /** Of an agent that is valid at this time: its owner. */
  ownerOfAgent(number: number, timeMs: number): number | undefined {
    const account = this.accounts.get(number);
    if (account?.role !== L.ROLE_AGENT || (account.expiresMs !== U64_MAX && account.expiresMs <= BigInt(timeMs))) return undefined;
    return account.owner;
  }
}

const NOTHING = new Uint8Array(0);
/** What a dormant account can have, beside what no view needs. */
const OWN_CLASSES: ReadonlySet<number> = new Set([
  L.CLASS_BALANCE,
  X.CLASS_MARGIN_ACCOUNT,
  X.CLASS_POSITION,
  X.CLASS_SETTINGS,
  X.CLASS_VOLUME,
  X.CLASS_HISTORY,
  X.CLASS_REWARDS,
]);
/** Classes that no view needs. */
const IGNORED: ReadonlySet<number> = new Set([
  L.CLASS_NONCES,
  X.CLASS_PORTFOLIO,
  X.CLASS_ORDER_PAGE,
  X.CLASS_VAULT_COUNT,
  X.CLASS_MINUTES,
  X.CLASS_TREASURY,
  X.CLASS_REPORT,
  X.CLASS_SEED,
]);

function put<K, T>(map: Map<K, T>, key: K, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

/** A key's u32 field. */
function field(key: Uint8Array, index: number): number {
  const at = 1 + index * 4;
  return (((key[at] as number) << 24) | ((key[at + 1] as number) << 16) | ((key[at + 2] as number) << 8) | (key[at + 3] as number)) >>> 0;
}

/** Text with zero bytes behind it. */
function nameOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end === -1 ? bytes.length : end)).toString('utf8');
}
