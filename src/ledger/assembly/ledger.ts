/**
 * The ledger program: accounts, nonces, balances, transfers (docs/rules.md, section 3).
 *
 * Invariant: all checks of a transaction come before its first write, but for the nonce, which stays used up; so a rejected transaction
 * changes nothing else, also where there is no log to throw away.
 */
import {
  CODE_ACCOUNT_NOT_FOUND,
  CODE_BALANCE_OVERFLOW,
  CODE_INSUFFICIENT_BALANCE,
  CODE_NONCE_DUPLICATE,
  CODE_NONCE_TOO_HIGH,
  CODE_NONCE_TOO_LOW,
  CODE_OK,
  CODE_UNKNOWN_TOKEN,
  CODE_ZERO_AMOUNT,
} from '../../base/codes';
import { create, isPresent, remove } from '../../kernel/assembly/record';
import { locationOf } from '../../kernel/assembly/memory';
import { BLK_TIME_MS, NO_ACCOUNT, TX_FLAG_NONCE, TX_FLAGS, TX_NONCE, TX_SENDER } from '../../kernel/layout';
import {
  ACCOUNT_ADDRESS,
  ACCOUNT_NONCE_COUNT,
  ACCOUNT_NONCE_HEAD,
  ACCOUNT_NONCE_MAX,
  ACCOUNT_NONCE_MIN,
  ACCOUNT_SIZE,
  BALANCE_AMOUNT,
  BALANCE_SIZE,
  EVENT_TRANSFER,
  EVENT_TRANSFER_BYTES,
  LEDGER_ACCOUNTS,
  LEDGER_ADDRESSES,
  LEDGER_BALANCES,
  LEDGER_NONCES,
  LEDGER_TOKENS,
  NONCE_FUTURE_MS,
  NONCE_PAST_MS,
  NONCES_CHUNKS,
  NONCES_ENTRIES,
  NONCES_KEPT,
  NONCES_PER_CHUNK,
  NONCES_SIZE,
  TRANSFER_AMOUNT,
  TRANSFER_RECIPIENT,
  TRANSFER_TOKEN,
} from '../layout';

@unmanaged
@final
export class Account {
  version: u32;
  meta: u32;
  nonceCount: u32;
  nonceHead: u32;
  nonceMin: u64;
  nonceMax: u64;
  address0: u64;
  address1: u64;
  address2: u32;
  zero0: u32;
  zero1: u64;
}

@unmanaged
@final
export class NonceChunk {
  version: u32;
  meta: u32;
  n0: u64;
  n1: u64;
  n2: u64;
  n3: u64;
  n4: u64;
  n5: u64;
  n6: u64;
}

@unmanaged
@final
export class Balance {
  version: u32;
  meta: u32;
  amount: u64;
  zero0: u64;
  zero1: u64;
}

/** The layout page and the classes are the same, or the program does not compile. */
export function checkLedgerLayout(): void {
  if (offsetof<Account>() != ACCOUNT_SIZE) ERROR('account size');
  if (offsetof<Account>('nonceCount') != ACCOUNT_NONCE_COUNT) ERROR('account layout');
  if (offsetof<Account>('nonceHead') != ACCOUNT_NONCE_HEAD) ERROR('account layout');
  if (offsetof<Account>('nonceMin') != ACCOUNT_NONCE_MIN) ERROR('account layout');
  if (offsetof<Account>('nonceMax') != ACCOUNT_NONCE_MAX) ERROR('account layout');
  if (offsetof<Account>('address0') != ACCOUNT_ADDRESS) ERROR('account layout');
  if (offsetof<NonceChunk>() != NONCES_SIZE || offsetof<NonceChunk>('n0') != NONCES_ENTRIES) ERROR('nonces layout');
  if (offsetof<Balance>() != BALANCE_SIZE || offsetof<Balance>('amount') != BALANCE_AMOUNT) ERROR('balance layout');
}

@inline
export function accountAt(account: u32): u32 {
  return locationOf(load<u32>(0, LEDGER_ACCOUNTS)) + account * 2;
}

@inline
export function balanceAt(account: u32, token: u32): u32 {
  return locationOf(load<u32>(0, LEDGER_BALANCES)) + account * load<u32>(0, LEDGER_TOKENS) + token;
}

@inline
function nonceChunkAt(account: u32, index: u32): u32 {
  return locationOf(load<u32>(0, LEDGER_NONCES)) + (account * NONCES_CHUNKS + index / NONCES_PER_CHUNK) * 2;
}

function nonceAt<V>(view: V, account: u32, index: u32): u64 {
  const chunk = view.read<NonceChunk>(nonceChunkAt(account, index));
  return load<u64>(changetype<usize>(chunk) + ((index % NONCES_PER_CHUNK) << 3), NONCES_ENTRIES);
}

function setNonce<V>(view: V, account: u32, index: u32, nonce: u64): void {
  const chunk = create<V, NonceChunk>(view, nonceChunkAt(account, index));
  store<u64>(changetype<usize>(chunk) + ((index % NONCES_PER_CHUNK) << 3), nonce, NONCES_ENTRIES);
}

/** Does the sender exist? */
export function checkSender<V>(view: V, tx: usize): u32 {
  const sender = load<u32>(tx, TX_SENDER);
  if (sender == NO_ACCOUNT || !isPresent<Account>(view.read<Account>(accountAt(sender)))) return CODE_ACCOUNT_NOT_FOUND;
  return CODE_OK;
}

/** Checks the nonce and uses it up. Source: section 2.4 of the protocol: the hundred highest used nonces are kept. */
export function useNonce<V>(view: V, tx: usize): u32 {
  if ((load<u8>(tx, TX_FLAGS) & TX_FLAG_NONCE) == 0) return CODE_OK;
  const sender = load<u32>(tx, TX_SENDER);
  const nonce = load<u64>(tx, TX_NONCE);
  const now = load<u64>(0, BLK_TIME_MS);
  if (nonce + NONCE_PAST_MS <= now && nonce <= <u64>-1 - NONCE_PAST_MS) return CODE_NONCE_TOO_LOW;
  if (nonce >= now + NONCE_FUTURE_MS) return CODE_NONCE_TOO_HIGH;
  const account = view.write<Account>(accountAt(sender));
  const count = account.nonceCount;
  const head = account.nonceHead;
  if (count == NONCES_KEPT && nonce < account.nonceMin) return CODE_NONCE_TOO_LOW;
  if (count == 0 || nonce > account.nonceMax) {
    // The usual case: above all others; one ring place is written.
    if (count < NONCES_KEPT) {
      setNonce<V>(view, sender, ring(head + count), nonce);
      account.nonceCount = count + 1;
      if (count == 0) account.nonceMin = nonce;
    } else {
      setNonce<V>(view, sender, head, nonce);
      const next = ring(head + 1);
      account.nonceHead = next;
      account.nonceMin = nonceAt<V>(view, sender, next);
    }
    account.nonceMax = nonce;
    return CODE_OK;
  }
  // Inside the order: find its place from the top.
  let below = count;
  while (below > 0) {
    const stored = nonceAt<V>(view, sender, ring(head + below - 1));
    if (stored == nonce) return CODE_NONCE_DUPLICATE;
    if (stored < nonce) break;
    below--;
  }
  if (count < NONCES_KEPT) {
    for (let i = count; i > below; i--) setNonce<V>(view, sender, ring(head + i), nonceAt<V>(view, sender, ring(head + i - 1)));
    setNonce<V>(view, sender, ring(head + below), nonce);
    account.nonceCount = count + 1;
    if (below == 0) account.nonceMin = nonce;
  } else {
    for (let i: u32 = 0; i + 1 < below; i++) setNonce<V>(view, sender, ring(head + i), nonceAt<V>(view, sender, ring(head + i + 1)));
    setNonce<V>(view, sender, ring(head + below - 1), nonce);
    account.nonceMin = nonceAt<V>(view, sender, head);
  }
  return CODE_OK;
}

@inline
function ring(index: u32): u32 {
  return index >= NONCES_KEPT ? index - NONCES_KEPT : index;
}

export function transfer<V>(view: V, tx: usize): u32 {
  const missing = checkSender<V>(view, tx);
  if (missing != CODE_OK) return missing;
  const token = load<u32>(tx, TRANSFER_TOKEN);
  const amount = load<u64>(tx, TRANSFER_AMOUNT);
  if (token >= load<u32>(0, LEDGER_TOKENS)) return CODE_UNKNOWN_TOKEN;
  if (amount == 0) return CODE_ZERO_AMOUNT;
  const refused = useNonce<V>(view, tx);
  if (refused != CODE_OK) return refused;
  const sender = load<u32>(tx, TX_SENDER);
  const recipient = load<u32>(tx, TRANSFER_RECIPIENT);
  const fromAt = balanceAt(sender, token);
  const have = view.read<Balance>(fromAt).amount;
  view.work();
  if (have < amount) return CODE_INSUFFICIENT_BALANCE;
  if (sender != recipient) {
    const toAt = balanceAt(recipient, token);
    const held = view.read<Balance>(toAt).amount;
    if (held + amount < held || held + amount >= (<u64>1) << 63) return CODE_BALANCE_OVERFLOW;
    const from = view.write<Balance>(fromAt);
    if (have == amount) remove<Balance>(from);
    else from.amount = have - amount;
    create<V, Balance>(view, toAt).amount = held + amount;
    openAccount<V>(view, recipient);
  }
  const event = view.emit(EVENT_TRANSFER, EVENT_TRANSFER_BYTES);
  store<u32>(event, token, 4);
  store<u32>(event, sender, 8);
  store<u32>(event, recipient, 12);
  store<u64>(event, amount, 16);
  store<u64>(event, 0, 24);
  return CODE_OK;
}

/** Gives a number that stands for an address its account record, if it has none yet. */
function openAccount<V>(view: V, number: u32): void {
  const at = accountAt(number);
  if (isPresent<Account>(view.read<Account>(at))) return;
  const account = create<V, Account>(view, at);
  const address = <usize>load<u32>(0, LEDGER_ADDRESSES) + (number << 5);
  account.address0 = load<u64>(address);
  account.address1 = load<u64>(address, 8);
  account.address2 = load<u32>(address, 16);
}
