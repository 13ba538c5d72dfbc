/**
 * The state at one height, as objects that requests read: kept from the records that each block has changed.
 *
 * The engine's memory changes while a block executes, also between two turns of the event loop; this does not. Work per block is that of the
 * records that have changed: those of the classes that change with every order stay bytes (packed-records.ts) and become objects when they are
 * read. What no view needs (nonces, reports, minutes, bit pages) is left out.
 *
 * Invariant: what is here is what the records of the state at `height` say; `state-mirror.test.ts` compares it with all of them.
 * Accounts have a number of their own here, an id: mostly the ledger's, but an account that has become dormant (docs/rules.md, 11) keeps its
 * id when its number goes to another, and what it had stays here as it was.
 *
 * Not here: when orders were placed and what became of them (order-table.ts).
 */
import { type ChangeCursor, PackedChanges, type RecordChange } from '../base/packed-changes.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { exchangeOptions, marketOptions } from '../exchange/genesis.ts';
import * as X from '../exchange/layout.ts';
import { NO_ACCOUNT } from '../kernel/layout.ts';
import * as L from '../ledger/layout.ts';
import type { Address, ClientId } from '../ledger/transactions.ts';
import { BookLevels } from './book-levels.ts';
import { PackedRecords } from './packed-records.ts';
import * as R from './records.ts';

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
  /** Changed orders: of each the account and the slot. */
  readonly orders: number[];
}

const U64_MAX = 2n ** 64n - 1n;
/** Above every number of the ledger: ids of accounts whose number was another's id. */
const FIRST_OWN_ID = 2 ** 24;
const HISTORY_DAYS = 14;
const DAYS_PER_PART = 7;
const RECORD_BYTES = 64;
const ADDRESS_WORDS = 5;
const BOUND_WORDS = ADDRESS_WORDS + 1;
/** Of a value of an account: so many that its address is there as a whole. */
const ADDRESS_END = L.ACCOUNT_ADDRESS - R.RECORD_HEADER + 4 * ADDRESS_WORDS;

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
  /** By account and market. */
  readonly positions = new PackedRecords(64, R.readPosition);
  /** By account and slot, as extras. */
  readonly orders = new PackedRecords(64, R.readOrder);
  readonly extras = new PackedRecords(64, R.readExtra);
  readonly twaps = new Nested<number, number, R.TwapState>();
  /** By account and token. */
  readonly balances = new PackedRecords(32, (r) => r.u64(L.BALANCE_AMOUNT));
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
  /** What users and sub-accounts are called, by account; who has no name is not there. */
  readonly names = new Map<number, string>();
  /** Parts of the texts of vaults as they stand in records, by vault and part. */
  readonly vaultTexts = new Nested<number, number, Uint8Array>();
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
  /** By number of the ledger, six words: the address that it was bound to last, as it stands in the record, and 1; 0: to none yet. */
  private bound = new Uint32Array(BOUND_WORDS);
  private readonly margins = new PackedRecords(64, R.readMargin);
  private readonly settings = new Map<number, R.SettingsState>();
  private readonly volumes = new PackedRecords(32, R.readVolume);
  private readonly histories = new Nested<number, number, readonly bigint[]>();
  /** Of those who have some. */
  private readonly rewards = new Map<number, { readonly builder: bigint; readonly referral: bigint }>();
  /** A record of the value that is looked at, in full. */
  private readonly record = new DataView(new ArrayBuffer(RECORD_BYTES));
  private readonly reader = new R.RecordReader().over(this.record, 0);
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
      for (const { token, amount } of balances) if (amount !== 0n) this.balances.put(number, token, wordsOf(amount), 0, 8);
      if (collateral === 0n && !backstop) return;
      this.margins.put(number, 0, wordsOf(collateral), 0, 8);
      this.volumes.put(number, 0, wordsOf(0n), 0, 8);
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
    return this.ids.size === 0 ? number : (this.ids.get(number) ?? number);
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

  hasMargin(account: number): boolean {
    return this.margins.has(account, 0);
  }

  margin(account: number): R.MarginState | undefined {
    return this.margins.get(account, 0);
  }

  /** Size and entry cost of a position; 0: there is none. */
  lotsOf(account: number, market: number): bigint {
    return this.positions.at(account, market)?.i64(R.POSITION_LOTS) ?? 0n;
  }

  costOf(account: number, market: number): bigint {
    return this.positions.at(account, market)?.i64(R.POSITION_COST) ?? 0n;
  }

  settingsOf(account: number): R.SettingsState | undefined {
    return this.settings.get(account);
  }

  volumeOf(account: number): R.VolumeState {
    return this.volumes.get(account, 0) ?? NO_VOLUME;
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

  /** Of a vault; undefined: it was made without one. */
  vaultName(vault: number): string | undefined {
    return this.vaultText(vault, 0, X.VAULT_NAME_PARTS);
  }

  vaultDescription(vault: number): string | undefined {
    return this.vaultText(vault, X.VAULT_NAME_PARTS, X.VAULT_DESCRIPTION_PARTS);
  }

  /** Characters may lie across parts. */
  private vaultText(vault: number, firstPart: number, parts: number): string | undefined {
    const found: Uint8Array[] = [];
    for (let part = firstPart; part < firstPart + parts; part++) {
      const bytes = this.vaultTexts.get(vault, part);
      if (bytes !== undefined) found.push(bytes);
    }
    return found.length === 0 ? undefined : R.textOf(Buffer.concat(found));
  }

  // --- Keeping ----------------------------------------------------------------------------------------------------------------------

  /**
   * Before the events of a block are read: who has which number in it, since events speak of accounts by number, and what its prices and delistings
   * say, marks by market, and prices of settlement of markets that end. The state stays that of the block before.
   */
  prepare(changes: PackedChanges): { readonly marks: Map<number, number>; readonly delisted: Map<number, number> } {
    const marks = new Map<number, number>();
    const delisted = new Map<number, number>();
    const change = changes.cursor();
    while (change.next()) {
      if (change.valueBytes < 0) continue;
      switch (change.view.getUint8(change.keyAt)) {
        case L.CLASS_ACCOUNT:
          this.noteAccount(change);
          break;
        case X.CLASS_DORMANT: {
          const id = this.numbers.get(hexOf(change.keyFrom(1)));
          if (id !== undefined) this.folded.add(id);
          break;
        }
        case X.CLASS_PRICE:
          marks.set(change.field(0), R.readPrice(this.valueOf(change)).markTicks);
          break;
        case X.CLASS_DELISTING: {
          const market = change.field(0);
          const read = this.valueOf(change);
          if (!this.isDelisted(market) && read.time(16) !== 0) delisted.set(market, read.u32(24));
          break;
        }
      }
    }
    return { marks, delisted };
  }

  private noteAccount(change: ChangeCursor): void {
    const number = change.field(0);
    // Nearly always the number is bound already: the account has only used a nonce.
    if (this.isBound(number, change)) {
      this.free.delete(number);
      return;
    }
    const account = R.readAccount(this.valueOf(change));
    const id = this.bind(number, account.address);
    if (!this.accounts.has(id)) this.setAccount(id, this.ownerAsId(account));
  }

  /** Was the number bound to this address last? From now on it is. */
  private isBound(number: number, change: ChangeCursor): boolean {
    const { view, valueAt, valueBytes } = change;
    const from = number * BOUND_WORDS;
    if (from >= this.bound.length) {
      const larger = new Uint32Array(2 * (from + BOUND_WORDS));
      larger.set(this.bound);
      this.bound = larger;
    }
    const { bound } = this;
    // An address that ends in zeros may not be there as a whole.
    const isWhole = valueBytes >= ADDRESS_END;
    let is = isWhole && bound[from + ADDRESS_WORDS] === 1;
    bound[from + ADDRESS_WORDS] = isWhole ? 1 : 0;
    for (let word = 0; isWhole && word < ADDRESS_WORDS; word++) {
      const now = view.getUint32(valueAt + L.ACCOUNT_ADDRESS - R.RECORD_HEADER + 4 * word, true);
      if (bound[from + word] === now) continue;
      bound[from + word] = now;
      is = false;
    }
    return is;
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

  /** All records of a state, in place of a genesis. Returns the client ids of its open orders, by oid. */
  load(records: Iterable<RecordChange>): Map<bigint, ClientId> {
    const clientIds = new Map<bigint, ClientId>();
    for (const changes of PackedChanges.inPieces(records)) {
      this.apply(changes);
      const change = changes.cursor();
      while (change.next()) {
        if (change.view.getUint8(change.keyAt) !== X.CLASS_CLIENT_ID) continue;
        clientIds.set(this.valueOf(change).u64(8), hexOf(change.keyFrom(5)));
      }
    }
    return clientIds;
  }

  apply(changes: PackedChanges): Touched {
    const touched: Touched = {
      accounts: new Set(),
      markets: new Set(),
      books: new Set(),
      marks: new Set(),
      orders: [],
    };
    const change = changes.cursor();
    while (change.next()) this.take(change, touched);
    this.folded.clear();
    for (const number of this.gone) this.free.add(number);
    this.gone.clear();
    return touched;
  }

  private take(change: ChangeCursor, touched: Touched): void {
    const recordClass = change.view.getUint8(change.keyAt);
    switch (recordClass) {
      case L.CLASS_NONCES:
      case X.CLASS_PORTFOLIO:
      case X.CLASS_ORDER_PAGE:
      case X.CLASS_VAULT_COUNT:
      case X.CLASS_MINUTES:
      case X.CLASS_TREASURY:
      case X.CLASS_REPORT:
      case X.CLASS_SEED:
        return;
      case X.CLASS_LEVEL:
      case X.CLASS_PRICE:
      case X.CLASS_TOTALS:
      case X.CLASS_FUNDING:
      case X.CLASS_DELISTING:
      case X.CLASS_MARKET_STATE:
        this.takeMarket(recordClass, change, touched);
        return;
      case X.CLASS_VAULT:
      case X.CLASS_VAULT_TEXT:
      case X.CLASS_FOLLOWER:
      case X.CLASS_REFERRAL:
      case X.CLASS_CLOCK:
        this.takeRest(recordClass, change);
        return;
      case X.CLASS_DORMANT:
        if (change.valueBytes >= 0) this.unfold(change);
        return;
    }
    const number = change.field(0);
    const account = this.idOf(number);
    const { view, valueAt, valueBytes } = change;
    if (valueBytes < 0 && this.isKept(recordClass, number, account)) return;
    const second = change.keyBytes >= KEY_OF_TWO ? change.field(1) : 0;
    switch (recordClass) {
      case X.CLASS_ORDER:
        put(this.orders, account, second, view, valueAt, valueBytes);
        touched.orders.push(account, second);
        break;
      case X.CLASS_EXTRA:
        put(this.extras, account, second, view, valueAt, valueBytes);
        touched.orders.push(account, second);
        break;
      case X.CLASS_CLIENT_ID:
        // Whose order it is shows in what has placed it; at a start `load` gives it.
        break;
      default:
        if (!this.takeOwn(recordClass, account, second, view, valueAt, valueBytes) && !this.takeGiven(recordClass, account, change)) return;
    }
    touched.accounts.add(account);
  }

  private takeMarket(recordClass: number, change: ChangeCursor, touched: Touched): void {
    const market = change.field(0);
    const read = this.valueOf(change);
    if (recordClass === X.CLASS_LEVEL) {
      if (change.valueBytes < 0) this.books[market]?.remove(change.field(1));
      else this.books[market]?.set(change.field(1), read.u32(28) !== 0, read.u32(8), read.u32(12), read.u32(24));
      touched.books.add(market);
      return;
    }
    switch (recordClass) {
      case X.CLASS_PRICE: {
        const price = R.readPrice(read);
        if (price.markTicks !== this.prices[market]?.markTicks) touched.marks.add(market);
        this.prices[market] = price;
        break;
      }
      case X.CLASS_TOTALS:
        this.totals[market] = R.readTotals(read);
        break;
      case X.CLASS_FUNDING:
        this.fundings[market] = R.readFunding(read);
        break;
      case X.CLASS_DELISTING:
        this.delistedMs[market] = read.time(16);
        this.settledTicks[market] = read.u32(24);
        break;
      case X.CLASS_MARKET_STATE:
        this.statuses[market] = read.u32(24);
        return;
    }
    touched.markets.add(market);
  }

  /** What a dormant account takes with it. */
  private takeOwn(recordClass: number, account: number, second: number, from: DataView, at: number, bytes: number): boolean {
    switch (recordClass) {
      case L.CLASS_ACCOUNT:
        if (bytes >= 0) this.takeAccount(account, this.value(from, at, bytes));
        return true;
      case L.CLASS_BALANCE:
        put(this.balances, account, second, from, at, bytes);
        return true;
      case L.CLASS_NAME:
        if (bytes < 0) this.names.delete(account);
        else this.names.set(account, this.value(from, at, bytes).text(L.NAME_TEXT, L.NAME_SIZE));
        return true;
      case X.CLASS_MARGIN_ACCOUNT:
        put(this.margins, account, 0, from, at, bytes);
        return true;
      case X.CLASS_POSITION: {
        const wasHeld = isHeld(this.positions.at(account, second));
        put(this.positions, account, second, from, at, bytes);
        const held = bytes >= 0 && isHeld(this.positions.at(account, second));
        if (held !== wasHeld) this.holders.put(second, account, held || undefined);
        return true;
      }
      case X.CLASS_VOLUME:
        put(this.volumes, account, 0, from, at, bytes);
        return true;
      case X.CLASS_SETTINGS: {
        const settings = bytes < 0 ? undefined : R.readSettings(this.value(from, at, bytes));
        if (settings === undefined) this.settings.delete(account);
        else this.settings.set(account, settings);
        if (settings !== undefined && settings.referrer > 0) this.referred.put(this.idOf(settings.referrer - 1), account, true);
        return true;
      }
      case X.CLASS_HISTORY: {
        const read = this.value(from, at, bytes);
        const days = Array.from({ length: DAYS_PER_PART }, (_, i) => read.i64(8 + i * 8));
        this.histories.put(account, second, bytes < 0 ? undefined : days);
        return true;
      }
      case X.CLASS_REWARDS: {
        const read = this.value(from, at, bytes);
        const [builder, referral] = [read.i64(8), read.i64(16)];
        if (builder === 0n && referral === 0n) this.rewards.delete(account);
        else this.rewards.set(account, { builder, referral });
        return true;
      }
      default:
        return false;
    }
  }

  /** What an account has given to others, or has running. */
  private takeGiven(recordClass: number, account: number, change: ChangeCursor): boolean {
    const isThere = change.valueBytes >= 0;
    switch (recordClass) {
      case X.CLASS_TWAP:
        this.twaps.put(account, change.field(1), isThere ? R.readTwap(this.valueOf(change)) : undefined);
        return true;
      case L.CLASS_AGENT:
        this.agents.put(account, R.textOf(change.keyFrom(5)), isThere ? this.idOf(this.valueOf(change).u32(8) - 1) : undefined);
        return true;
      case L.CLASS_SIGNER:
        this.signers.put(account, this.idOf(change.field(1)), isThere ? this.valueOf(change).u32(8) : undefined);
        return true;
      case X.CLASS_APPROVAL:
        this.approvals.put(account, this.idOf(change.field(1)), isThere ? this.valueOf(change).u32(8) : undefined);
        return true;
      default:
        return false;
    }
  }

  private takeRest(recordClass: number, change: ChangeCursor): void {
    const read = this.valueOf(change);
    const isThere = change.valueBytes >= 0;
    if (recordClass === X.CLASS_VAULT) {
      const vault = R.readVault(read);
      const account = this.idOf(change.field(0));
      if (isThere) this.vaults.set(account, { ...vault, account, leader: this.idOf(vault.leader) });
      else this.vaults.delete(account);
    } else if (recordClass === X.CLASS_VAULT_TEXT) {
      const part = isThere ? read.bytes(R.RECORD_HEADER, R.RECORD_HEADER + X.TEXT_PART_BYTES) : undefined;
      this.vaultTexts.put(this.idOf(change.field(0)), change.field(1), part);
    } else if (recordClass === X.CLASS_FOLLOWER) {
      const [vault, user] = [this.idOf(change.field(0)), this.idOf(change.field(1))];
      this.followers.put(vault, user, isThere ? R.readFollower(read) : undefined);
      this.vaultsOfFollower.put(user, vault, isThere || undefined);
    } else if (recordClass === X.CLASS_REFERRAL && isThere) {
      this.referralCodes.put(this.idOf(read.u32(8) - 1), R.textOf(change.keyFrom(1)), true);
    } else if (recordClass === X.CLASS_CLOCK) this.lastRollDay = read.time(16) - 1;
  }

  private valueOf({ view, valueAt, valueBytes }: ChangeCursor): R.RecordReader {
    return this.value(view, valueAt, valueBytes);
  }

  /** Of a record that is gone: zeros. */
  private value(from: DataView, at: number, bytes: number): R.RecordReader {
    R.putValue(this.record, 0, RECORD_BYTES, from, at, Math.max(bytes, 0));
    return this.reader;
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
  private unfold(change: ChangeCursor): void {
    if (this.numbers.has(hexOf(change.keyFrom(1)))) return;
    const id = this.nextOwnId++;
    const { view } = change;
    const end = change.valueAt + change.valueBytes;
    for (let at = change.valueAt; at < end; ) {
      const recordClass = view.getUint8(at);
      const restBytes = view.getUint8(at + 1);
      const valueAt = at + 3 + restBytes;
      const valueBytes = view.getUint8(valueAt - 1) - 1;
      this.takeOwn(recordClass, id, restBytes >= 4 ? view.getUint32(at + 2) : 0, view, valueAt, valueBytes);
      at = valueAt + valueBytes;
    }
  }

  /** An account keeps its address; mostly nothing of it has changed that is kept here. */
  private takeAccount(id: number, read: R.RecordReader): void {
    const known = this.accounts.get(id);
    if (known !== undefined && this.isAs(known, read)) return;
    this.setAccount(id, this.ownerAsId(R.readAccount(read, known?.address)));
  }

  private isAs({ role, owner, threshold, signerSet, expiresMs }: R.AccountState, read: R.RecordReader): boolean {
    if (role !== read.u8(L.ACCOUNT_ROLE) || (role !== L.ROLE_USER && owner !== this.idOf(read.u32(L.ACCOUNT_OWNER)))) return false;
    if (threshold !== read.u8(L.ACCOUNT_THRESHOLD) || signerSet !== read.u8(L.ACCOUNT_SIGNER_SET)) return false;
    return expiresMs === read.u64(L.ACCOUNT_EXPIRES);
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

/** Bytes of a key with its class and two numbers. */
const KEY_OF_TWO = 9;
/** What a dormant account can have, beside what no view needs. */
const OWN_CLASSES: ReadonlySet<number> = new Set([
  L.CLASS_BALANCE,
  L.CLASS_NAME,
  X.CLASS_MARGIN_ACCOUNT,
  X.CLASS_POSITION,
  X.CLASS_SETTINGS,
  X.CLASS_VOLUME,
  X.CLASS_HISTORY,
  X.CLASS_REWARDS,
]);

function put<T>(records: PackedRecords<T>, first: number, second: number, from: DataView, at: number, bytes: number): void {
  if (bytes < 0) records.remove(first, second);
  else records.put(first, second, from, at, bytes);
}

function isHeld(position: R.RecordReader | undefined): boolean {
  return position !== undefined && position.i64(R.POSITION_LOTS) !== 0n;
}

/** A number as the value of a record. */
function wordsOf(amount: bigint): DataView {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, amount, true);
  return view;
}

function hexOf(bytes: Uint8Array): `0x${string}` {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}
