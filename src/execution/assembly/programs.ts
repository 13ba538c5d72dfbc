/**
 * The programs of this ledger, composed: kinds of transactions to functions, what happens at admission and at the end of a block.
 * The executors are generic over this class; a new program is added here and nowhere else.
 */
import { CODE_UNKNOWN_KIND } from '../../base/codes';
import { declareBench, executeBench, isBenchKind } from '../../synthetic/assembly/synthetic';
import { cleanSummaries, ensurePage } from '../../exchange/assembly/book';
import { applyOraclePrices, deposit, lookAheadOrders, oracle, orders } from '../../exchange/assembly/exchange';
import { marginAccountAt, marketAt } from '../../exchange/assembly/records';
import {
  BATCH_ITEMS_MAX,
  EVENT_CANCEL_BYTES,
  EVENT_FILL_BYTES,
  EVENT_ITEM_BYTES,
  EXC_MARKET_COUNT,
  ITEM_BYTES,
  ITEM_MARKET,
  ITEM_OP,
  ITEM_PRICE,
  ITEM_TIF,
  KIND_DEPOSIT,
  KIND_ORACLE,
  KIND_ORDERS,
  MATCH_STEPS_MAX,
  OP_MODIFY,
  OP_MODIFY_CLIENT,
  OP_PLACE,
  TIF_MARKET,
} from '../../exchange/layout';
import { locationOf } from '../../kernel/assembly/memory';
import { isPresent } from '../../kernel/assembly/record';
import {
  KIND_REFUSED,
  NO_ACCOUNT,
  TRACE_READ,
  TRACE_WRITE,
  TX_CODE,
  TX_FLAG_NONCE,
  TX_FLAGS,
  TX_ITEMS,
  TX_KIND,
  TX_PAYLOAD,
  TX_SENDER,
} from '../../kernel/layout';
import { Account, accountAt, balanceAt, transfer } from '../../ledger/assembly/ledger';
import {
  KIND_TRANSFER,
  LEDGER_NONCES,
  LEDGER_TOKENS,
  NONCES_CHUNKS,
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
  if (kind == KIND_ORACLE) return oracle<V>(view, tx);
  if (kind == KIND_DEPOSIT) return deposit<V>(view, tx);
  if (kind == KIND_REFUSED) return load<u32>(tx, TX_CODE);
  return CODE_UNKNOWN_KIND;
}

/** At admission: makes what the transaction may need that only thread 0 can make. False: the memory is full. */
export function admitTransaction(tx: usize): bool {
  if (load<u8>(tx, TX_KIND) != KIND_ORDERS) return true;
  const count = min(<u32>load<u16>(tx, TX_ITEMS), BATCH_ITEMS_MAX);
  for (let i: u32 = 0; i < count; i++) {
    const item = tx + TX_PAYLOAD + i * ITEM_BYTES;
    const op = <u32>load<u8>(item, ITEM_OP);
    if ((op != OP_PLACE && op != OP_MODIFY && op != OP_MODIFY_CLIENT) || load<u8>(item, ITEM_TIF) == TIF_MARKET) continue;
    const market = load<u32>(item, ITEM_MARKET);
    const price = load<u32>(item, ITEM_PRICE);
    if (market >= load<u32>(0, EXC_MARKET_COUNT) || price >= marketAt(market).tickCount) continue;
    if (!ensurePage(market, price)) return false;
  }
  return true;
}

/** The most bytes of events that a transaction can produce. */
export function eventBytesMax(tx: usize): u32 {
  if (load<u8>(tx, TX_KIND) != KIND_ORDERS) return 64;
  return <u32>load<u16>(tx, TX_ITEMS) * EVENT_ITEM_BYTES + MATCH_STEPS_MAX * (EVENT_FILL_BYTES + EVENT_CANCEL_BYTES);
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
  const nonces = (load<u8>(tx, TX_FLAGS) & TX_FLAG_NONCE) != 0;
  at = declared(at, accountAt(sender), nonces ? TRACE_WRITE : TRACE_READ);
  if (nonces) {
    const chunks = locationOf(load<u32>(0, LEDGER_NONCES)) + sender * NONCES_CHUNKS * 2;
    for (let i: u32 = 0; i < NONCES_CHUNKS; i++) at = declared(at, chunks + i * 2, TRACE_WRITE);
  }
  if (kind == KIND_DEPOSIT) {
    at = declared(at, balanceAt(sender, TOKEN_QUOTE), TRACE_WRITE);
    return declared(at, marginAccountAt(sender), TRACE_WRITE);
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
  applyOraclePrices();
}
