/**
 * The programs of this ledger, composed: kinds of transactions to functions, what happens at admission and at the end of a block.
 * The executors are generic over this class; a new program is added here and nowhere else.
 */
import { CODE_UNKNOWN_KIND } from '../../base/codes';
import { declareBench, executeBench, isBenchKind } from '../../synthetic/assembly/synthetic';
import { executeAccounts } from '../../exchange/assembly/accounts';
import { cleanSummaries, ensurePage } from '../../exchange/assembly/book';
import { executeForced } from '../../exchange/assembly/forced';
import { lookAheadOrders, orders } from '../../exchange/assembly/orders';
import { ensurePosition, ensureSlots, ensureTwaps } from '../../exchange/assembly/pages';
import { committed, MarginAccount, marginAccountAt, marketAt, rewardsAt, volumeAt } from '../../exchange/assembly/records';
import { delist, report } from '../../exchange/assembly/reports';
import { mix, timed, triggers, twapCancel, twapOrder } from '../../exchange/assembly/timed';
import { createVault, vaultModify, vaultTransfer } from '../../exchange/assembly/vaults';
import {
  BATCH_ITEMS_MAX,
  CANCELS_MAX,
  EVENT_ACTIVE_BYTES,
  EVENT_CANCEL_BYTES,
  EVENT_FILL_BYTES,
  EVENT_FORCED_BYTES,
  EVENT_FUNDING_BYTES,
  EVENT_ITEM_BYTES,
  EXC_MARKET_COUNT,
  EXC_SEED,
  FIELD_0,
  ITEM_BYTES,
  ITEM_MARKET,
  ITEM_OP,
  ITEM_PRICE,
  ITEM_TIF,
  KIND_BACKSTOP,
  KIND_CLEAR,
  KIND_CREATE_VAULT,
  KIND_DELIST,
  KIND_DEPOSIT,
  KIND_FUNDING,
  KIND_ISOLATED_MARGIN,
  KIND_LAST,
  KIND_LEVERAGE,
  KIND_LIQUIDATE,
  KIND_ORACLE,
  KIND_ORDERS,
  KIND_SYSTEM_FIRST,
  KIND_SYSTEM_LAST,
  KIND_TIMED,
  KIND_TRIGGERS,
  KIND_TWAP,
  KIND_TWAP_CANCEL,
  KIND_UNWIND,
  KIND_VAULT_MODIFY,
  KIND_VAULT_TRANSFER,
  MATCH_STEPS_MAX,
  OP_MODIFY,
  OP_MODIFY_CLIENT,
  OP_PLACE,
  ORDERS_ITEMS,
  TIF_MARKET,
  TWAPS_MAX,
} from '../../exchange/layout';
import { touch } from '../../kernel/assembly/dirty';
import { locationOf } from '../../kernel/assembly/memory';
import { isPresent } from '../../kernel/assembly/record';
import {
  BLK_NUMBER,
  BLK_TIME_MS,
  KIND_REFUSED,
  NO_ACCOUNT,
  TRACE_READ,
  TRACE_WRITE,
  TX_ACTOR,
  TX_CODE,
  TX_FLAG_BEHALF,
  TX_FLAG_NONCE,
  TX_FLAG_SIGNERS,
  TX_FLAGS,
  TX_ITEMS,
  TX_KIND,
  TX_SENDER,
} from '../../kernel/layout';
import { Account, accountAt, balanceAt, transfer } from '../../ledger/assembly/ledger';
import {
  KIND_TRANSFER,
  LEDGER_MAX_ACCOUNTS,
  LEDGER_NONCES,
  LEDGER_TOKENS,
  NONCES_CHUNKS,
  ROLE_USER,
  TOKEN_QUOTE,
  TRANSFER_RECIPIENT,
  TRANSFER_TOKEN,
} from '../../ledger/layout';

@unmanaged
@final
export class Programs {
  @inline
  execute<V>(view: V, tx: usize): u32 {
    const kind = <u32>load<u8>(tx, TX_KIND);
    if (kind == KIND_ORDERS) return orders<V>(view, tx);
    return executeOther<V>(view, tx, kind);
  }

  /** Touches what a transaction that comes soon will need, so that its cache misses overlap. Reads only; what it reads is not used. */
  @inline
  lookAhead(tx: usize): u32 {
    return load<u8>(tx, TX_KIND) == KIND_ORDERS ? lookAheadOrders(tx) : 0;
  }
}

function executeOther<V>(view: V, tx: usize, kind: u32): u32 {
  if (kind == KIND_TRANSFER) return transfer<V>(view, tx);
  if (isBenchKind(kind)) return executeBench<V>(view, tx, kind);
  if (kind == KIND_REFUSED) return load<u32>(tx, TX_CODE);
  if (kind >= KIND_SYSTEM_FIRST && kind <= KIND_SYSTEM_LAST) return executeSystem<V>(view, tx, kind);
  if (kind > KIND_LAST) return CODE_UNKNOWN_KIND;
  if (kind == KIND_ORACLE) return report<V>(view, tx);
  if (kind == KIND_TWAP) return twapOrder<V>(view, tx);
  if (kind == KIND_TWAP_CANCEL) return twapCancel<V>(view, tx);
  if (kind == KIND_CREATE_VAULT) return createVault<V>(view, tx);
  if (kind == KIND_VAULT_TRANSFER) return vaultTransfer<V>(view, tx);
  if (kind == KIND_VAULT_MODIFY) return vaultModify<V>(view, tx);
  if (kind == KIND_DELIST) return delist<V>(view, tx);
  return executeAccounts<V>(view, tx, kind);
}

/** The system's own transactions (docs/rules.md, 6). */
function executeSystem<V>(view: V, tx: usize, kind: u32): u32 {
  if (kind == KIND_TIMED) return timed<V>(view, tx);
  if (kind == KIND_TRIGGERS) return triggers<V>(view, tx);
  return executeForced<V>(view, tx, kind);
}

/** The account that a transaction acts for, as admission found it. */
@inline
function actorOf(tx: usize): u32 {
  const named = (load<u8>(tx, TX_FLAGS) & (TX_FLAG_NONCE | TX_FLAG_BEHALF | TX_FLAG_SIGNERS)) != 0;
  return named ? load<u32>(tx, TX_ACTOR) : load<u32>(tx, TX_SENDER);
}

/**
 * At admission: makes what the transaction may need that only thread 0 can make. False: the memory is full. Pages are made for what is only read as
 * well, so that a transaction accesses the same records on every node, whatever pages its past has left there.
 */
export function admitTransaction(tx: usize): bool {
  const kind = <u32>load<u8>(tx, TX_KIND);
  const isTwap = kind == KIND_TWAP || kind == KIND_TWAP_CANCEL;
  if (kind != KIND_ORDERS && kind != KIND_LEVERAGE && kind != KIND_ISOLATED_MARGIN && !isTwap) return true;
  const actor = actorOf(tx);
  if (actor >= load<u32>(0, LEDGER_MAX_ACCOUNTS)) return true;
  if (kind == KIND_ORDERS) return admitOrders(tx, actor);
  const market = load<u32>(tx, FIELD_0);
  if (market >= load<u32>(0, EXC_MARKET_COUNT)) return true;
  return ensurePosition(actor, market) && (!isTwap || ensureTwaps(actor));
}

function admitOrders(tx: usize, actor: u32): bool {
  const count = min(<u32>load<u16>(tx, TX_ITEMS), BATCH_ITEMS_MAX);
  let placed: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const item = tx + ORDERS_ITEMS + i * ITEM_BYTES;
    const op = <u32>load<u8>(item, ITEM_OP);
    if (op != OP_PLACE && op != OP_MODIFY && op != OP_MODIFY_CLIENT) continue;
    const market = load<u32>(item, ITEM_MARKET);
    if (market >= load<u32>(0, EXC_MARKET_COUNT)) continue;
    const price = load<u32>(item, ITEM_PRICE);
    placed++;
    if (!ensurePosition(actor, market)) return false;
    if (load<u8>(item, ITEM_TIF) != TIF_MARKET && price < marketAt(market).tickCount && !ensurePage(market, price)) return false;
  }
  return placed == 0 || ensureSlots(actor, placed);
}

/** A fill, or an order taken off, with its two children. */
const STEP_EVENTS: u32 = EVENT_FILL_BYTES + 2 * EVENT_ACTIVE_BYTES;
const MATCH_EVENTS: u32 = MATCH_STEPS_MAX * STEP_EVENTS;
const CANCEL_EVENTS: u32 = 3 * EVENT_CANCEL_BYTES;

/** The most bytes of events that a transaction can produce. */
export function eventBytesMax(tx: usize): u32 {
  const kind = <u32>load<u8>(tx, TX_KIND);
  if (kind == KIND_ORDERS) return <u32>load<u16>(tx, TX_ITEMS) * (EVENT_ITEM_BYTES + CANCEL_EVENTS) + MATCH_EVENTS;
  if (kind == KIND_VAULT_TRANSFER) return CANCELS_MAX * CANCEL_EVENTS + MATCH_EVENTS + 64;
  if (kind < KIND_SYSTEM_FIRST || kind > KIND_SYSTEM_LAST) return 96;
  if (kind == KIND_FUNDING) return load<u32>(0, EXC_MARKET_COUNT) * EVENT_FUNDING_BYTES;
  if (kind == KIND_UNWIND) return MATCH_EVENTS;
  const account = committed<MarginAccount>(marginAccountAt(load<u32>(tx, TX_SENDER)));
  const cancels = min(<u32>account.openOrders, CANCELS_MAX) * CANCEL_EVENTS;
  const forced = (<u32>account.positions + 1) * EVENT_FORCED_BYTES;
  if (kind == KIND_CLEAR) return cancels;
  if (kind == KIND_BACKSTOP) return cancels + forced;
  if (kind == KIND_LIQUIDATE) return cancels + forced + MATCH_EVENTS;
  if (kind == KIND_TIMED) return cancels + MATCH_EVENTS + TWAPS_MAX * 2 * EVENT_ACTIVE_BYTES;
  if (kind == KIND_TRIGGERS) return cancels + MATCH_EVENTS + <u32>account.openOrders * EVENT_ACTIVE_BYTES;
  return EVENT_FORCED_BYTES + EVENT_FILL_BYTES;
}

/**
 * Writes the access set that a transaction declares, as trace entries from `at`; returns the address behind it, or 0 if what it touches
 * cannot be known beforehand (an order that may meet others).
 */
export function declareSet(tx: usize, at: u32): u32 {
  const kind = <u32>load<u8>(tx, TX_KIND);
  if (isBenchKind(kind)) return declareBench(tx, kind, at);
  if (kind == KIND_REFUSED) return at;
  if (kind != KIND_TRANSFER && kind != KIND_DEPOSIT) return 0;
  const sender = load<u32>(tx, TX_SENDER);
  if (sender == NO_ACCOUNT) return at;
  const flags = <u32>load<u8>(tx, TX_FLAGS);
  // Whoever acts for another reads more than can be said here.
  if ((flags & (TX_FLAG_BEHALF | TX_FLAG_SIGNERS)) != 0 || committed<Account>(accountAt(sender)).role != ROLE_USER) return 0;
  const nonces = (flags & TX_FLAG_NONCE) != 0;
  at = declared(at, accountAt(sender), nonces ? TRACE_WRITE : TRACE_READ);
  if (nonces) {
    const chunks = locationOf(load<u32>(0, LEDGER_NONCES)) + sender * NONCES_CHUNKS * 2;
    for (let i: u32 = 0; i < NONCES_CHUNKS; i++) at = declared(at, chunks + i * 2, TRACE_WRITE);
  }
  if (kind == KIND_DEPOSIT) {
    at = declared(at, balanceAt(sender, TOKEN_QUOTE), TRACE_WRITE);
    at = declared(at, marginAccountAt(sender), TRACE_WRITE);
    if (isPresent<MarginAccount>(committed<MarginAccount>(marginAccountAt(sender)))) return at;
    // The first money makes these as well.
    return declared(declared(at, volumeAt(sender), TRACE_WRITE), rewardsAt(sender), TRACE_WRITE);
  }
  const token = load<u32>(tx, TRANSFER_TOKEN);
  if (token >= load<u32>(0, LEDGER_TOKENS)) return at;
  const recipient = load<u32>(tx, TRANSFER_RECIPIENT);
  at = declared(at, balanceAt(sender, token), TRACE_WRITE);
  at = declared(at, balanceAt(recipient, token), TRACE_WRITE);
  // An account that exists is never deleted, so it will only be read.
  const exists = isPresent<Account>(changetype<Account>((<usize>accountAt(recipient)) << 5));
  return declared(at, accountAt(recipient), exists ? TRACE_READ : TRACE_WRITE);
}

@inline
function declared(at: u32, location: u32, kind: u32): u32 {
  store<u32>(at, (location << 3) | kind);
  return at + 4;
}

/** Thread 0, after the last transaction of a block. */
export function endOfBlock(): void {
  cleanSummaries();
}

/** The seed of the next block (docs/rules.md, 1). */
export function turnSeed(): void {
  const record = (<usize>load<u32>(0, EXC_SEED)) << 5;
  const seed = load<u64>(record, 8);
  touch(load<u32>(0, EXC_SEED));
  store<u64>(record, mix(seed ^ (load<u64>(0, BLK_NUMBER) * 0x9e3779b97f4a7c15) ^ load<u64>(0, BLK_TIME_MS)), 8);
}
