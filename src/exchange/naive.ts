/**
 * The naive twin of the rules: a whole ledger with its exchange, written from docs/rules.md alone.
 *
 * Obviously right before fast. A book is one array of orders in time order; levels, queues, slots, best prices, position values and
 * margins are derived from orders and positions each time they are needed, where the kernel maintains them.
 * Receipts and records come out byte for byte as the layout pages say, so tests compare the kernel with this.
 * Section numbers in comments are those of docs/rules.md.
 * Not here: bytes from outside (`raw` transactions), signatures, blocks that do not follow one another.
 */
import { assert } from '../base/assert.ts';
import {
  CODE_ACCOUNT_LIMIT,
  CODE_ACCOUNT_NOT_FOUND,
  CODE_BALANCE_OVERFLOW,
  CODE_DUPLICATE_CLOID,
  CODE_EMPTY_BATCH,
  CODE_INSUFFICIENT_BALANCE,
  CODE_INSUFFICIENT_MARGIN,
  CODE_INVALID_PRICE,
  CODE_IOC_NO_MATCH,
  CODE_LOT,
  CODE_MATCH_LIMIT,
  CODE_MIN_VALUE,
  CODE_NO_DEPOSIT,
  CODE_NO_LIQUIDITY,
  CODE_NO_MARK_PRICE,
  CODE_NOT_AUTHORISED,
  CODE_OK,
  CODE_ORDER_NOT_FOUND,
  CODE_POSITION_LIMIT,
  CODE_POST_ONLY,
  CODE_REDUCE_ONLY,
  CODE_SIZE_TOO_LARGE,
  CODE_TICK,
  CODE_TOO_MANY_ITEMS,
  CODE_TOO_MANY_OPEN_ORDERS,
  CODE_UNDECODABLE,
  CODE_UNKNOWN_KIND,
  CODE_UNKNOWN_MARKET,
  CODE_UNKNOWN_TOKEN,
  CODE_ZERO_AMOUNT,
  CODE_ZERO_SIZE,
  REASON_MARGIN,
  REASON_POSITION_LIMIT,
  REASON_REDUCE_ONLY,
  REASON_SELF_TRADE,
} from '../base/codes.ts';
import { EVENT_TRANSFER, EVENT_TRANSFER_BYTES, TOKEN_QUOTE } from '../ledger/layout.ts';
import {
  bigEndian,
  fromHex,
  i64,
  joined,
  NaiveAccounts,
  type NaiveReceipt,
  type NaiveRecord,
  u8,
  u16,
  u32,
  u64,
  zeros,
} from '../ledger/naive.ts';
import type {
  Address,
  Block,
  ClientId,
  DepositTransaction,
  ModifyItem,
  OracleTransaction,
  OrderItem,
  OrdersTransaction,
  PlaceItem,
  ReduceItem,
  TimeInForce,
  Transaction,
  TransferTransaction,
} from '../ledger/transactions.ts';
import type { Genesis, MarketParameters } from './genesis.ts';
import {
  BATCH_ITEMS_MAX,
  CLASS_CLIENT_ID,
  CLASS_LEVEL,
  CLASS_MARGIN_ACCOUNT,
  CLASS_ORACLE,
  CLASS_ORDER,
  CLASS_ORDER_PAGE,
  CLASS_PORTFOLIO,
  CLASS_POSITION,
  CLASS_TOTALS,
  EVENT_CANCEL,
  EVENT_CANCEL_BYTES,
  EVENT_FILL,
  EVENT_FILL_BYTES,
  EVENT_ITEM,
  EVENT_ITEM_BYTES,
  FLAG_CLIENT_ID,
  FLAG_REDUCE_ONLY,
  FLAG_SELL,
  MATCH_STEPS_MAX,
  OID_SLOT_BITS,
  TIF_ALO,
  TIF_GTC,
  TIF_IOC,
  TIF_MARKET,
} from './layout.ts';

const SLOTS_PER_PAGE = 64;
const DEPOSIT_MAX = 2n ** 59n;
const TIFS: Readonly<Record<TimeInForce, number>> = { gtc: TIF_GTC, ioc: TIF_IOC, alo: TIF_ALO, market: TIF_MARKET };

/** An open order. */
export interface NaiveOrder {
  readonly oid: bigint;
  readonly account: number;
  readonly slot: number;
  readonly market: number;
  readonly sell: boolean;
  readonly tif: TimeInForce;
  readonly reduceOnly: boolean;
  readonly clientId: ClientId | undefined;
  readonly priceTicks: bigint;
  readonly originalLots: bigint;
  /** What is left. */
  sizeLots: bigint;
  margin: bigint;
}

export interface NaivePosition {
  sizeLots: bigint;
  cost: bigint;
  realised: bigint;
}

export interface NaiveMarginAccount {
  collateral: bigint;
  priceEpoch: number;
}

export interface NaiveMarket {
  readonly parameters: MarketParameters;
  readonly unit: bigint;
  readonly leverage: bigint;
  /** Open orders in the order in which they began to rest. */
  orders: NaiveOrder[];
  /** 0: none yet. */
  markTicks: bigint;
  oracle: { priceTicks: bigint; timeMs: number } | undefined;
  volume: bigint;
  fees: bigint;
}

/** What an item ends in, the fields of its ITEM event. */
interface ItemResult {
  readonly code: number;
  readonly oid: bigint;
  readonly filledLots: bigint;
  readonly restingLots: bigint;
}

/** What lives as long as a transaction of kind orders. */
interface Batch {
  readonly events: Uint8Array[];
  stepsLeft: number;
}

interface Admitted {
  readonly code: number;
  readonly sender: number | undefined;
  readonly recipient: number | undefined;
  readonly firstOrdinal: bigint;
}

export class NaiveLedger {
  readonly accounts: NaiveAccounts;
  readonly markets: readonly NaiveMarket[];
  readonly marginAccounts = new Map<number, NaiveMarginAccount>();
  /** By account, then by market. */
  readonly positions = new Map<number, Map<number, NaivePosition>>();
  readonly #genesis: Genesis;
  /** Marks of every market by price epoch. */
  readonly #marksByEpoch: bigint[][] = [];
  #priceEpoch = 1;
  #nextOrdinal = 1n;

  constructor(genesis: Genesis) {
    this.#genesis = genesis;
    this.accounts = new NaiveAccounts(genesis.maxAccounts);
    this.markets = genesis.markets.map((parameters) => ({
      parameters,
      unit: BigInt(parameters.unit),
      leverage: BigInt(parameters.leverage),
      orders: [],
      markTicks: BigInt(parameters.markTicks),
      oracle: undefined,
      volume: 0n,
      fees: 0n,
    }));
    this.#marksByEpoch[1] = this.markets.map((market) => market.markTicks);
    for (const { address, balances, collateral } of genesis.accounts) {
      const account = this.accounts.assignNumber(address);
      assert(account !== undefined, 'more accounts in genesis than maxAccounts');
      this.accounts.create(account, address);
      for (const { token, amount } of balances ?? []) this.accounts.setBalance(account, token, amount);
      if (collateral !== undefined && collateral > 0n) this.marginAccounts.set(account, { collateral, priceEpoch: 1 });
    }
  }

  executeBlock(block: Block): NaiveReceipt[] {
    const admitted = block.transactions.map((transaction) => this.#admit(transaction));
    const receipts = block.transactions.map((transaction, i) => this.#execute(transaction, admitted[i] as Admitted, block.timeMs));
    this.accounts.releaseUnusedNumbers();
    this.#takeOraclePrices();
    return receipts;
  }

  /** The ordinal that the next item gets. */
  get nextOrdinal(): bigint {
    return this.#nextOrdinal;
  }

  /** Open orders of an account, of all markets. */
  openOrders(account: number): NaiveOrder[] {
    return this.markets.flatMap((market) => market.orders.filter((order) => order.account === account));
  }

  /** Signed size, zero where there is no position. */
  positionLots(account: number, market: number): bigint {
    return this.positions.get(account)?.get(market)?.sizeLots ?? 0n;
  }

  // 1. Blocks

  #takeOraclePrices(): void {
    let changed = false;
    for (const market of this.markets) {
      if (market.oracle === undefined || market.oracle.priceTicks === market.markTicks) continue;
      market.markTicks = market.oracle.priceTicks;
      changed = true;
    }
    if (changed) this.#priceEpoch++;
    this.#marksByEpoch[this.#priceEpoch] = this.markets.map((market) => market.markTicks);
  }

  // 2. Admission

  #admit(transaction: Transaction): Admitted {
    const firstOrdinal = this.#nextOrdinal;
    const refused = (code: number): Admitted => ({ code, sender: undefined, recipient: undefined, firstOrdinal });
    const code = admissionCode(transaction);
    if (code !== CODE_OK) return refused(code);

    const sender = this.accounts.numberOf(transaction.sender);
    let recipient: number | undefined;
    if (transaction.kind === 'transfer') {
      recipient = this.accounts.assignNumber(transaction.recipient);
      if (recipient === undefined) return refused(CODE_ACCOUNT_LIMIT);
    }
    if (transaction.kind === 'orders') this.#nextOrdinal += BigInt(transaction.items.length);
    return { code, sender, recipient, firstOrdinal };
  }

  // 3. Ledger

  #execute(transaction: Transaction, admitted: Admitted, timeMs: number): NaiveReceipt {
    const failed = (code: number): NaiveReceipt => ({ code, events: new Uint8Array(0) });
    if (admitted.code !== CODE_OK) return failed(admitted.code);
    const { sender, recipient, firstOrdinal } = admitted;
    if (sender === undefined || !this.accounts.has(sender)) return failed(CODE_ACCOUNT_NOT_FOUND);
    const staticCode = this.#staticCode(transaction);
    if (staticCode !== CODE_OK) return failed(staticCode);
    if (transaction.nonce !== undefined) {
      const nonceCode = this.accounts.useNonce(sender, transaction.nonce, timeMs);
      if (nonceCode !== CODE_OK) return failed(nonceCode);
    }

    const events: Uint8Array[] = [];
    let code: number;
    switch (transaction.kind) {
      case 'transfer':
        assert(recipient !== undefined, 'a recipient has a number');
        code = this.#transfer(sender, recipient, transaction, events);
        break;
      case 'deposit':
        code = this.#deposit(sender, transaction);
        break;
      case 'oracle':
        code = this.#oracle(transaction, timeMs);
        break;
      case 'orders':
        code = this.#orders(sender, transaction, firstOrdinal, events);
        break;
    }
    return code === CODE_OK ? { code, events: joined(...events) } : failed(code);
  }

  /** Checks that need the block's constants only. */
  #staticCode(transaction: Transaction): number {
    switch (transaction.kind) {
      case 'transfer':
        if (transaction.token >= this.#genesis.tokens.length) return CODE_UNKNOWN_TOKEN;
        return transaction.amount === 0n ? CODE_ZERO_AMOUNT : CODE_OK;
      case 'deposit':
        if (transaction.amount === 0n) return CODE_ZERO_AMOUNT;
        return transaction.amount > DEPOSIT_MAX ? CODE_BALANCE_OVERFLOW : CODE_OK;
      case 'oracle':
        if (transaction.sender !== this.#genesis.oracle) return CODE_NOT_AUTHORISED;
        for (const { market } of transaction.prices) if (market >= this.markets.length) return CODE_UNKNOWN_MARKET;
        for (const { market, priceTicks } of transaction.prices) {
          if (priceTicks < 1 || priceTicks > this.#market(market).parameters.tickCount - 1) return CODE_INVALID_PRICE;
        }
        return CODE_OK;
      case 'orders':
        return CODE_OK;
    }
  }

  #transfer(sender: number, recipient: number, transaction: TransferTransaction, events: Uint8Array[]): number {
    const { token, amount } = transaction;
    const code = this.accounts.transfer(sender, recipient, transaction.recipient, token, amount);
    if (code === CODE_OK) {
      events.push(event(EVENT_TRANSFER, EVENT_TRANSFER_BYTES, u32(token), u32(sender), u32(recipient), u64(amount), u64(0n)));
    }
    return code;
  }

  #deposit(sender: number, { amount }: DepositTransaction): number {
    const balance = this.accounts.balance(sender, TOKEN_QUOTE);
    if (balance < amount) return CODE_INSUFFICIENT_BALANCE;
    const existing = this.marginAccounts.get(sender);
    const collateral = (existing?.collateral ?? 0n) + amount;
    if (collateral > DEPOSIT_MAX) return CODE_BALANCE_OVERFLOW;
    this.accounts.setBalance(sender, TOKEN_QUOTE, balance - amount);
    this.marginAccounts.set(sender, { collateral, priceEpoch: existing?.priceEpoch ?? this.#priceEpoch });
    return CODE_OK;
  }

  #oracle({ prices }: OracleTransaction, timeMs: number): number {
    for (const { market, priceTicks } of prices) this.#market(market).oracle = { priceTicks: BigInt(priceTicks), timeMs };
    return CODE_OK;
  }

  // 4. Orders

  #orders(account: number, { items }: OrdersTransaction, firstOrdinal: bigint, events: Uint8Array[]): number {
    const batch: Batch = { events, stepsLeft: MATCH_STEPS_MAX };
    items.forEach((item, index) => {
      const { code, oid, filledLots, restingLots } = this.#item(batch, account, item, firstOrdinal + BigInt(index));
      events.push(event(EVENT_ITEM, EVENT_ITEM_BYTES, u16(index), u16(code), u64(oid), i64(filledLots), i64(restingLots)));
    });
    return CODE_OK;
  }

  #item(batch: Batch, account: number, item: OrderItem, ordinal: bigint): ItemResult {
    if (item.market >= this.markets.length) return rejected(CODE_UNKNOWN_MARKET);
    switch (item.op) {
      case 'place':
        return this.#place(batch, account, item, ordinal);
      case 'cancel':
        return this.#cancel(account, item.market, item.oid);
      case 'cancelByClientId':
        return this.#cancel(account, item.market, item.target);
      case 'modify':
        return this.#modify(batch, account, item, ordinal);
      case 'reduce':
        return this.#reduce(account, item);
    }
  }

  // 4.1 Place

  #place(batch: Batch, account: number, item: PlaceItem, ordinal: bigint): ItemResult {
    const code = this.#placeCodeBeforeAccount(item);
    return code === CODE_OK ? this.#placeForAccount(batch, account, item, ordinal) : rejected(code);
  }

  /** Checks 2 to 4 (1 is the item's, for all operations). */
  #placeCodeBeforeAccount(item: PlaceItem | ModifyItem): number {
    const { parameters } = this.#market(item.market);
    // Check 2, an unknown time in force, cannot be written as a typed item: it is undecodable.
    if (item.sizeLots === 0n) return CODE_ZERO_SIZE;
    if (item.sizeLots > parameters.maxOrderLots) return CODE_SIZE_TOO_LARGE;
    if (item.sizeLots % BigInt(parameters.lotStep) !== 0n) return CODE_LOT;
    if (item.tif === 'market') return item.priceTicks >= 1 && item.priceTicks <= 10_000 ? CODE_OK : CODE_INVALID_PRICE;
    if (item.priceTicks < 1 || item.priceTicks > parameters.tickCount - 1) return CODE_INVALID_PRICE;
    return isValidTick(item.priceTicks, parameters) ? CODE_OK : CODE_TICK;
  }

  /** Checks 5 to 13, then matching, then what becomes of the rest. */
  #placeForAccount(batch: Batch, account: number, item: PlaceItem | ModifyItem, ordinal: bigint): ItemResult {
    const market = this.#market(item.market);
    const { parameters, unit, leverage } = market;
    const sell = item.side === 'sell';
    const reduceOnly = item.reduceOnly ?? false;
    const mayRest = item.tif === 'gtc' || item.tif === 'alo';

    const marginAccount = this.marginAccounts.get(account);
    if (marginAccount === undefined) return rejected(CODE_NO_DEPOSIT);
    if (market.markTicks === 0n) return rejected(CODE_NO_MARK_PRICE);
    const limit = limitTicks(item, market);

    const position = this.positionLots(account, item.market);
    let size = item.sizeLots;
    if (reduceOnly) {
      if (!isOpposite(position, sell)) return rejected(CODE_REDUCE_ONLY);
      size = smaller(size, magnitude(position));
    }
    const closesAll = reduceOnly && size === magnitude(position);
    if (limit * size * unit < parameters.minNotional && !closesAll) return rejected(CODE_MIN_VALUE);
    const reduces = isOpposite(position, sell) && size <= magnitude(position);
    if (magnitude(position + signed(sell, size)) > parameters.maxPositionLots && !reduces) return rejected(CODE_POSITION_LIMIT);

    let slot = 0;
    if (mayRest) {
      const free = this.#lowestFreeSlot(account);
      if (free === undefined) return rejected(CODE_TOO_MANY_OPEN_ORDERS);
      slot = free;
    }
    if (item.clientId !== undefined && this.openOrders(account).some((order) => order.clientId === item.clientId)) {
      return rejected(CODE_DUPLICATE_CLOID);
    }
    if (item.tif === 'alo' && firstToMatch(market, sell, limit) !== undefined) return rejected(CODE_POST_ONLY);

    this.#refresh(account);
    const orderMargin = (lots: bigint): bigint => {
      const opening = openingLots(this.positionLots(account, item.market), sell, reduceOnly, lots);
      return divideUp(limit * opening * unit, leverage);
    };
    const required = orderMargin(size);
    if (required > 0n && this.#freeMargin(account) < required) return rejected(CODE_INSUFFICIENT_MARGIN);

    const oid = ordinal * 2n ** BigInt(OID_SLOT_BITS) + BigInt(slot);
    const { left, limitReached } =
      item.tif === 'alo' ? { left: size, limitReached: false } : this.#match(batch, account, item.market, sell, limit, size, oid);
    const filledLots = size - left;
    if (limitReached) return { code: CODE_MATCH_LIMIT, oid, filledLots, restingLots: 0n };
    if (!mayRest) {
      if (filledLots === 0n) return rejected(item.tif === 'market' ? CODE_NO_LIQUIDITY : CODE_IOC_NO_MATCH);
      return { code: CODE_OK, oid, filledLots, restingLots: 0n };
    }
    const nothingToReduce = reduceOnly && !isOpposite(this.positionLots(account, item.market), sell);
    if (left === 0n || nothingToReduce) return { code: CODE_OK, oid, filledLots, restingLots: 0n };
    market.orders.push({
      oid,
      account,
      slot,
      market: item.market,
      sell,
      tif: item.tif,
      reduceOnly,
      clientId: item.clientId,
      priceTicks: limit,
      originalLots: size,
      sizeLots: left,
      margin: orderMargin(left),
    });
    return { code: CODE_OK, oid, filledLots, restingLots: left };
  }

  #lowestFreeSlot(account: number): number | undefined {
    const used = new Set(this.openOrders(account).map((order) => order.slot));
    for (let slot = 0; slot < SLOTS_PER_PAGE * this.#genesis.orderPages; slot++) if (!used.has(slot)) return slot;
    return undefined;
  }

  // 4.2 Matching

  #match(
    batch: Batch,
    taker: number,
    marketNumber: number,
    sell: boolean,
    limit: bigint,
    size: bigint,
    takerOid: bigint,
  ): { left: bigint; limitReached: boolean } {
    const market = this.#market(marketNumber);
    const { parameters, unit, leverage } = market;
    let left = size;
    while (left > 0n) {
      const maker = firstToMatch(market, sell, limit);
      if (maker === undefined) break;
      if (batch.stepsLeft === 0) return { left, limitReached: true };
      batch.stepsLeft--;

      if (maker.account === taker) {
        this.#cancelMaker(batch, maker, REASON_SELF_TRADE);
        continue;
      }
      const makerPosition = this.positionLots(maker.account, marketNumber);
      let allowed = maker.sizeLots;
      if (maker.reduceOnly) allowed = isOpposite(makerPosition, maker.sell) ? smaller(allowed, magnitude(makerPosition)) : 0n;
      if (allowed === 0n) {
        this.#cancelMaker(batch, maker, REASON_REDUCE_ONLY);
        continue;
      }
      const lots = smaller(left, allowed);
      const price = maker.priceTicks;
      const makerDelta = signed(maker.sell, lots);
      const remaining = maker.sizeLots - lots;
      const remainingMargin = remaining === 0n ? 0n : smaller(maker.margin, divideUp(price * remaining * unit, leverage));
      const reducing = isOpposite(makerPosition, maker.sell) && lots <= magnitude(makerPosition);
      if (!reducing) {
        if (magnitude(makerPosition + makerDelta) > parameters.maxPositionLots) {
          this.#cancelMaker(batch, maker, REASON_POSITION_LIMIT);
          continue;
        }
        this.#refresh(maker.account);
        const paid = price * makerDelta * unit + feeOf(price * lots * unit, parameters.makerFeePpm);
        const marginGivenBack = maker.margin - remainingMargin;
        if (this.#freeMargin(maker.account, marketNumber, makerDelta) - paid + marginGivenBack < 0n) {
          this.#cancelMaker(batch, maker, REASON_MARGIN);
          continue;
        }
      }

      const takerResult = this.#fill(taker, marketNumber, -makerDelta, price, parameters.takerFeePpm);
      const makerResult = this.#fill(maker.account, marketNumber, makerDelta, price, parameters.makerFeePpm);
      market.volume += price * lots * unit;
      market.fees += takerResult.fee + makerResult.fee;
      batch.events.push(
        event(
          EVENT_FILL,
          EVENT_FILL_BYTES,
          u32(marketNumber),
          u64(takerOid),
          u64(maker.oid),
          u32(taker),
          u32(maker.account),
          u32(Number(price)),
          u32(sell ? 1 : 0),
          i64(lots),
          i64(takerResult.fee),
          i64(makerResult.fee),
          i64(takerResult.closedPnl),
          i64(makerResult.closedPnl),
        ),
      );
      left -= lots;
      maker.sizeLots = remaining;
      maker.margin = remainingMargin;
      if (remaining === 0n) this.#remove(maker);
      else if (maker.reduceOnly && this.positionLots(maker.account, marketNumber) === 0n) {
        this.#cancelMaker(batch, maker, REASON_REDUCE_ONLY);
      }
    }
    return { left, limitReached: false };
  }

  #cancelMaker(batch: Batch, order: NaiveOrder, reason: number): void {
    this.#remove(order);
    batch.events.push(
      event(
        EVENT_CANCEL,
        EVENT_CANCEL_BYTES,
        u16(reason),
        u16(order.market),
        u64(order.oid),
        i64(order.sizeLots),
        u32(order.account),
        u32(0),
      ),
    );
  }

  /** Off the book: its level, slot, client id and margin all follow from the list of open orders. */
  #remove(order: NaiveOrder): void {
    const market = this.#market(order.market);
    market.orders = market.orders.filter((other) => other !== order);
  }

  // 4.3 A fill of signed size for one account

  #fill(account: number, marketNumber: number, delta: bigint, price: bigint, ppm: number): { fee: bigint; closedPnl: bigint } {
    this.#refresh(account);
    const { unit } = this.#market(marketNumber);
    const marginAccount = this.marginAccounts.get(account);
    assert(marginAccount, `account ${account} trades without a margin account`);
    const fee = feeOf(price * magnitude(delta) * unit, ppm);
    marginAccount.collateral -= price * delta * unit + fee;

    const ofAccount = this.positions.get(account) ?? new Map<number, NaivePosition>();
    this.positions.set(account, ofAccount);
    const position = ofAccount.get(marketNumber) ?? { sizeLots: 0n, cost: 0n, realised: 0n };
    ofAccount.set(marketNumber, position);

    const before = position.sizeLots;
    const after = before + delta;
    let closedPnl = 0n;
    if (!isOpposite(before, delta < 0n)) {
      position.cost += price * delta * unit;
    } else {
      const closed = smaller(magnitude(delta), magnitude(before));
      const released = (position.cost * closed) / magnitude(before);
      closedPnl = signed(before < 0n, price * closed * unit) - released;
      position.realised += closedPnl;
      position.cost -= released;
      if (magnitude(delta) > magnitude(before)) position.cost = price * after * unit;
    }
    position.sizeLots = after;
    return { fee, closedPnl };
  }

  // 4.4 Refresh

  #refresh(account: number): void {
    const marginAccount = this.marginAccounts.get(account);
    assert(marginAccount, `account ${account} has no margin account`);
    marginAccount.priceEpoch = this.#priceEpoch;
  }

  /** The mark that an account's sums are taken at. */
  #markFor(account: number, market: number): bigint {
    const epoch = this.marginAccounts.get(account)?.priceEpoch ?? 0;
    const mark = this.#marksByEpoch[epoch]?.[market];
    assert(mark !== undefined, `no mark of market ${market} for account ${account}`);
    return mark;
  }

  /** Sizes by market, with `delta` more in one of them. */
  #sizes(account: number, market?: number, delta = 0n): { market: number; sizeLots: bigint }[] {
    return this.markets.map((_, i) => ({ market: i, sizeLots: this.positionLots(account, i) + (i === market ? delta : 0n) }));
  }

  #positionValue(account: number, market?: number, delta?: bigint): bigint {
    return sum(this.#sizes(account, market, delta).map((s) => s.sizeLots * this.#markFor(account, s.market) * this.#market(s.market).unit));
  }

  #positionMargin(account: number, market?: number, delta?: bigint): bigint {
    return sum(
      this.#sizes(account, market, delta).map((s) => {
        const { unit, leverage } = this.#market(s.market);
        return divideUp(magnitude(s.sizeLots) * this.#markFor(account, s.market) * unit, leverage);
      }),
    );
  }

  #orderMargin(account: number): bigint {
    return sum(this.openOrders(account).map((order) => order.margin));
  }

  /** AV - positionMargin - orderMargin, as if the size in `market` had changed by `delta` (but not what that would cost). */
  #freeMargin(account: number, market?: number, delta?: bigint): bigint {
    const collateral = this.marginAccounts.get(account)?.collateral ?? 0n;
    const value = collateral + this.#positionValue(account, market, delta);
    return value - this.#positionMargin(account, market, delta) - this.#orderMargin(account);
  }

  // 4.5 The others

  /** The sender's open order with this oid or client id in this market. */
  #find(account: number, market: number, target: bigint | ClientId): NaiveOrder | undefined {
    return this.#market(market).orders.find(
      (order) => order.account === account && (typeof target === 'bigint' ? order.oid === target : order.clientId === target),
    );
  }

  #cancel(account: number, market: number, target: bigint | ClientId): ItemResult {
    const order = this.#find(account, market, target);
    if (order === undefined) return rejected(CODE_ORDER_NOT_FOUND);
    this.#remove(order);
    return { code: CODE_OK, oid: order.oid, filledLots: 0n, restingLots: 0n };
  }

  #reduce(account: number, item: ReduceItem): ItemResult {
    const { parameters, unit, leverage } = this.#market(item.market);
    if (item.sizeLots === 0n) return rejected(CODE_ZERO_SIZE);
    const order = this.#find(account, item.market, item.oid);
    if (order === undefined) return rejected(CODE_ORDER_NOT_FOUND);
    if (item.sizeLots % BigInt(parameters.lotStep) !== 0n) return rejected(CODE_LOT);
    if (item.sizeLots >= order.sizeLots) return this.#cancel(account, item.market, item.oid);
    order.sizeLots -= item.sizeLots;
    order.margin = smaller(order.margin, divideUp(order.priceTicks * order.sizeLots * unit, leverage));
    return { code: CODE_OK, oid: order.oid, filledLots: 0n, restingLots: order.sizeLots };
  }

  #modify(batch: Batch, account: number, item: ModifyItem, ordinal: bigint): ItemResult {
    const code = this.#placeCodeBeforeAccount(item);
    if (code !== CODE_OK) return rejected(code);
    const order = this.#find(account, item.market, item.target);
    if (order === undefined) return rejected(CODE_ORDER_NOT_FOUND);
    this.#remove(order);
    return this.#placeForAccount(batch, account, item, ordinal);
  }

  // The state root

  /** Every record of the state root, by key in byte order. */
  records(): NaiveRecord[] {
    const records = [...this.accounts.records(), ...this.#accountRecords(), ...this.#marketRecords()];
    return records.sort((a, b) => compareBytes(a.key, b.key));
  }

  #accountRecords(): NaiveRecord[] {
    const records: NaiveRecord[] = [];
    for (const [account, { collateral, priceEpoch }] of this.marginAccounts) {
      const orders = this.openOrders(account);
      const pages = wordsOfBits(
        orders.map((order) => order.slot),
        this.#genesis.orderPages,
      );
      const held = this.#sizes(account).filter((s) => s.sizeLots !== 0n);
      records.push({
        recordClass: 'margin account',
        key: joined(u8(CLASS_MARGIN_ACCOUNT), bigEndian(account)),
        value: joined(
          i64(collateral),
          i64(this.#positionValue(account)),
          i64(this.#positionMargin(account)),
          i64(this.#orderMargin(account)),
          u64(pages[0] ?? 0n),
          u32(priceEpoch),
          u32(orders.length),
          u32(held.length),
          u32(0),
        ),
      });
      pages.forEach((slots, page) => {
        if (page === 0 || slots === 0n) return;
        records.push({
          recordClass: 'order page',
          key: joined(u8(CLASS_ORDER_PAGE), bigEndian(account), bigEndian(page)),
          value: joined(u64(slots), zeros(16)),
        });
      });
      if (held.length > 0) {
        const words = wordsOfBits(
          held.map((s) => s.market),
          7,
        );
        records.push({
          recordClass: 'portfolio',
          key: joined(u8(CLASS_PORTFOLIO), bigEndian(account)),
          value: joined(...words.map(u64)),
        });
      }
    }
    for (const [account, ofAccount] of this.positions) {
      for (const [market, { sizeLots, cost, realised }] of ofAccount) {
        records.push({
          recordClass: 'position',
          key: joined(u8(CLASS_POSITION), bigEndian(account), bigEndian(market)),
          value: joined(i64(sizeLots), i64(cost), i64(realised)),
        });
      }
    }
    return records;
  }

  #marketRecords(): NaiveRecord[] {
    const records: NaiveRecord[] = [];
    this.markets.forEach((market, number) => {
      const sizes = [...this.positions.values()].map((ofAccount) => ofAccount.get(number)?.sizeLots ?? 0n);
      const openInterest = sum(sizes.filter((size) => size > 0n));
      records.push({
        recordClass: 'market totals',
        key: joined(u8(CLASS_TOTALS), bigEndian(number)),
        value: joined(i64(market.volume), i64(openInterest), i64(market.fees)),
      });
      if (market.oracle !== undefined) {
        records.push({
          recordClass: 'oracle',
          key: joined(u8(CLASS_ORACLE), bigEndian(number)),
          value: joined(u32(Number(market.oracle.priceTicks)), u32(0), u64(BigInt(market.oracle.timeMs)), zeros(8)),
        });
      }
      for (const priceTicks of new Set(market.orders.map((order) => order.priceTicks))) {
        records.push(...this.#levelRecords(number, priceTicks));
      }
    });
    return records;
  }

  /** A level, the orders of its queue and their client ids. */
  #levelRecords(market: number, priceTicks: bigint): NaiveRecord[] {
    const queue = this.#market(market).orders.filter((order) => order.priceTicks === priceTicks);
    const first = queue[0];
    assert(first && queue.every((order) => order.sell === first.sell), `bids and asks at ${priceTicks} of market ${market}`);
    const reference = (order: NaiveOrder | undefined): number =>
      order === undefined ? 0 : order.slot * this.#genesis.maxAccounts + order.account + 1;
    const records: NaiveRecord[] = [
      {
        recordClass: 'level',
        key: joined(u8(CLASS_LEVEL), bigEndian(market), bigEndian(Number(priceTicks))),
        value: joined(
          i64(sum(queue.map((order) => order.sizeLots))),
          u32(reference(first)),
          u32(reference(queue.at(-1))),
          u32(queue.length),
          u32(first.sell ? 1 : 0),
        ),
      },
    ];
    queue.forEach((order, i) => {
      const flags =
        (order.sell ? FLAG_SELL : 0) + (order.reduceOnly ? FLAG_REDUCE_ONLY : 0) + (order.clientId === undefined ? 0 : FLAG_CLIENT_ID);
      records.push({
        recordClass: 'order',
        key: joined(u8(CLASS_ORDER), bigEndian(order.account), bigEndian(order.slot)),
        value: joined(
          u64(order.oid),
          i64(order.sizeLots),
          i64(order.originalLots),
          i64(order.margin),
          u32(Number(order.priceTicks)),
          u32(i === 0 ? 0 : reference(queue[i - 1])),
          u32(reference(queue[i + 1])),
          u16(order.market),
          u8(flags),
          u8(TIFS[order.tif]),
          u32(order.account),
        ),
      });
      if (order.clientId === undefined) return;
      records.push({
        recordClass: 'client id',
        key: joined(u8(CLASS_CLIENT_ID), bigEndian(order.account), fromHex(order.clientId)),
        value: joined(u64(order.oid), zeros(16)),
      });
    });
    return records;
  }

  #market(number: number): NaiveMarket {
    const market = this.markets[number];
    assert(market, `no market ${number}`);
    return market;
  }
}

// 2. Admission: shapes and ranges

/** What admission refuses by looking at the transaction alone; the sender and nonce first, then the kind, its fields, the counts. */
function admissionCode(transaction: Transaction): number {
  if (!isAddress(transaction.sender)) return CODE_UNDECODABLE;
  if (transaction.nonce !== undefined && !isUnsigned(transaction.nonce, 2n ** 64n)) return CODE_UNDECODABLE;
  switch (transaction.kind) {
    case 'transfer': {
      const { recipient, token, amount } = transaction;
      return isAddress(recipient) && isU32(token) && isUnsigned(amount, 2n ** 64n) ? CODE_OK : CODE_UNDECODABLE;
    }
    case 'deposit':
      return isUnsigned(transaction.amount, 2n ** 64n) ? CODE_OK : CODE_UNDECODABLE;
    case 'oracle': {
      const { prices } = transaction;
      if (!Array.isArray(prices) || !prices.every((price) => isU32(price.market) && isU32(price.priceTicks))) return CODE_UNDECODABLE;
      return countCode(prices.length);
    }
    case 'orders': {
      const { items } = transaction;
      if (!Array.isArray(items) || !items.every(isOrderItem)) return CODE_UNDECODABLE;
      return countCode(items.length);
    }
    default:
      return CODE_UNKNOWN_KIND;
  }
}

function countCode(items: number): number {
  if (items === 0) return CODE_EMPTY_BATCH;
  return items > BATCH_ITEMS_MAX ? CODE_TOO_MANY_ITEMS : CODE_OK;
}

function isOrderItem(item: OrderItem): boolean {
  if (!isU32(item.market)) return false;
  switch (item.op) {
    case 'place':
      return isNewOrder(item);
    case 'cancel':
      return isUnsigned(item.oid, 2n ** 64n);
    case 'cancelByClientId':
      return isClientId(item.target);
    case 'modify':
      return isNewOrder(item) && (isClientId(item.target) || isUnsigned(item.target, 2n ** 64n));
    case 'reduce':
      return isUnsigned(item.oid, 2n ** 64n) && isUnsigned(item.sizeLots, 2n ** 63n);
    default:
      return false;
  }
}

function isNewOrder(item: PlaceItem | ModifyItem): boolean {
  return (
    (item.side === 'buy' || item.side === 'sell') &&
    Object.hasOwn(TIFS, item.tif) &&
    isU32(item.priceTicks) &&
    isUnsigned(item.sizeLots, 2n ** 63n) &&
    (item.reduceOnly === undefined || typeof item.reduceOnly === 'boolean') &&
    (item.clientId === undefined || isClientId(item.clientId))
  );
}

function isAddress(value: unknown): value is Address {
  return typeof value === 'string' && /^0x[0-9a-f]{40}$/.test(value);
}

function isClientId(value: unknown): value is ClientId {
  return typeof value === 'string' && /^0x[0-9a-f]{32}$/.test(value);
}

function isU32(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

function isUnsigned(value: unknown, end: bigint): boolean {
  return typeof value === 'bigint' && value >= 0n && value < end;
}

// 4. Arithmetic of orders

/** The limit price of an order; for tif market from the mark price and the bound in basis points. */
function limitTicks(item: PlaceItem | ModifyItem, market: NaiveMarket): bigint {
  const price = BigInt(item.priceTicks);
  if (item.tif !== 'market') return price;
  const last = BigInt(market.parameters.tickCount) - 1n;
  const limit =
    item.side === 'buy' ? (market.markTicks * (10_000n + price)) / 10_000n : divideUp(market.markTicks * (10_000n - price), 10_000n);
  return limit < 1n ? 1n : smaller(limit, last);
}

/** A multiple of the step, and an integer or a number with few enough significant digits. */
function isValidTick(priceTicks: number, { tickStep, ticksPerInteger, significantDigits }: MarketParameters): boolean {
  if (priceTicks % tickStep !== 0) return false;
  if (significantDigits === 0 || priceTicks % ticksPerInteger === 0) return true;
  return String(priceTicks).replace(/0+$/, '').length <= significantDigits;
}

/** The resting order that an order of this side and limit would trade with next: best price, then first in time. */
function firstToMatch(market: NaiveMarket, sell: boolean, limit: bigint): NaiveOrder | undefined {
  let best: NaiveOrder | undefined;
  for (const order of market.orders) {
    if (order.sell === sell) continue;
    if (sell ? order.priceTicks < limit : order.priceTicks > limit) continue;
    if (best === undefined || (sell ? order.priceTicks > best.priceTicks : order.priceTicks < best.priceTicks)) best = order;
  }
  return best;
}

/** The part of an order that would open or enlarge a position. */
function openingLots(position: bigint, sell: boolean, reduceOnly: boolean, lots: bigint): bigint {
  if (reduceOnly) return 0n;
  if (!isOpposite(position, sell)) return lots;
  return lots > magnitude(position) ? lots - magnitude(position) : 0n;
}

/** Fees round up, rebates towards zero. */
function feeOf(notional: bigint, ppm: number): bigint {
  return ppm >= 0 ? divideUp(notional * BigInt(ppm), 1_000_000n) : -((notional * BigInt(-ppm)) / 1_000_000n);
}

/** Whether trading on this side brings the position nearer to zero. */
function isOpposite(position: bigint, sell: boolean): boolean {
  return sell ? position > 0n : position < 0n;
}

function signed(negative: boolean, value: bigint): bigint {
  return negative ? -value : value;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Rounded up; both are not negative. */
function divideUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor === 0n ? quotient : quotient + 1n;
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

function rejected(code: number): ItemResult {
  return { code, oid: 0n, filledLots: 0n, restingLots: 0n };
}

// Bytes

function event(type: number, byteLength: number, ...fields: Uint8Array[]): Uint8Array {
  const bytes = joined(u32(type + byteLength * 256), ...fields);
  assert(bytes.length === byteLength, `event ${type} has ${bytes.length} bytes`);
  return bytes;
}

/** 64-bit words in which the given bits are set. */
function wordsOfBits(bits: readonly number[], words: number): bigint[] {
  const result = new Array<bigint>(words).fill(0n);
  for (const bit of new Set(bits)) {
    const word = Math.floor(bit / 64);
    result[word] = (result[word] as bigint) + 2n ** BigInt(bit % 64);
  }
  return result;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
