/**
 * The ledger program: accounts, nonces, who acts for whom, balances, transfers (docs/rules.md, section 3).
 *
 * Invariant: all checks of a transaction come before its first write, but for the nonce, which stays used up; so a rejected transaction
 * changes nothing else, also where there is no log to throw away.
 */
import {
  CODE_ACCOUNT_NOT_FOUND,
  CODE_AGENT_UNKNOWN,
  CODE_BALANCE_OVERFLOW,
  CODE_BEHALF_UNKNOWN,
  CODE_INSUFFICIENT_BALANCE,
  CODE_MULTI_SIG_REQUIRED,
  CODE_MULTI_SIG_SIGNER,
  CODE_MULTI_SIG_THRESHOLD,
  CODE_MULTI_SIG_USER,
  CODE_NONCE_DUPLICATE,
  CODE_NONCE_TOO_HIGH,
  CODE_NONCE_TOO_LOW,
  CODE_NOT_AUTHORISED,
  CODE_OK,
  CODE_UNKNOWN_TOKEN,
  CODE_ZERO_AMOUNT,
} from '../../base/codes';
import { create, isPresent, remove } from '../../kernel/assembly/record';
import { locationOf } from '../../kernel/assembly/memory';
import {
  BLK_TIME_MS,
  NO_ACCOUNT,
  TX_ACTOR,
  TX_BEHALF,
  TX_FLAG_BEHALF,
  TX_FLAG_NONCE,
  TX_FLAG_SIGNERS,
  TX_FLAGS,
  TX_NONCE,
  TX_SENDER,
  TX_SIGNERS,
} from '../../kernel/layout';
import {
  ACCOUNT_ADDRESS,
  ACCOUNT_AGENTS,
  ACCOUNT_EXPIRES,
  ACCOUNT_NONCE_COUNT,
  ACCOUNT_NONCE_HEAD,
  ACCOUNT_NONCE_MAX,
  ACCOUNT_NONCE_MIN,
  ACCOUNT_OWNER,
  ACCOUNT_ROLE,
  ACCOUNT_SIGNER_SET,
  ACCOUNT_SIZE,
  ACCOUNT_SUB_ACCOUNTS,
  ACCOUNT_THRESHOLD,
  BALANCE_AMOUNT,
  BALANCE_SIZE,
  EVENT_TRANSFER,
  EVENT_TRANSFER_BYTES,
  LEDGER_ACCOUNTS,
  LEDGER_ADDRESSES,
  LEDGER_BALANCES,
  LEDGER_NAMES,
  LEDGER_NONCES,
  LEDGER_TOKENS,
  NAME_SIZE,
  NAME_TEXT,
  NONCE_FUTURE_MS,
  NONCE_PAST_MS,
  NONCES_CHUNKS,
  NONCES_ENTRIES,
  NONCES_KEPT,
  NONCES_PER_CHUNK,
  NONCES_SIZE,
  ROLE_AGENT,
  ROLE_SUB_ACCOUNT,
  ROLE_USER,
  ROLE_VAULT,
  TRANSFER_AMOUNT,
  TRANSFER_RECIPIENT,
  TRANSFER_TOKEN,
} from '../layout';

@unmanaged
@final
export class Account {
  version: u32;
  meta: u32;
  nonceCount: u8;
  nonceHead: u8;
  role: u8;
  zero0: u8;
  owner: u32;
  nonceMin: u64;
  nonceMax: u64;
  address0: u64;
  address1: u64;
  address2: u32;
  subAccounts: u8;
  agents: u8;
  threshold: u8;
  signerSet: u8;
  expiresMs: u64;
}

@unmanaged
@final
export class AgentName {
  version: u32;
  meta: u32;
  agent: u32;
  zero0: u32;
  zero1: u64;
  zero2: u64;
}

@unmanaged
@final
export class Signer {
  version: u32;
  meta: u32;
  signerSet: u32;
  zero0: u32;
  zero1: u64;
  zero2: u64;
}

@unmanaged
@final
export class Name {
  version: u32;
  meta: u32;
  text0: u64;
  text1: u64;
  text2: u64;
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
  if (offsetof<Account>('role') != ACCOUNT_ROLE || offsetof<Account>('owner') != ACCOUNT_OWNER) ERROR('account layout');
  if (offsetof<Account>('subAccounts') != ACCOUNT_SUB_ACCOUNTS || offsetof<Account>('agents') != ACCOUNT_AGENTS) ERROR('account layout');
  if (offsetof<Account>('threshold') != ACCOUNT_THRESHOLD || offsetof<Account>('signerSet') != ACCOUNT_SIGNER_SET) ERROR('account layout');
  if (offsetof<Account>('expiresMs') != ACCOUNT_EXPIRES || offsetof<AgentName>() != 32 || offsetof<Signer>() != 32) ERROR('account layout');
  if (offsetof<NonceChunk>() != NONCES_SIZE || offsetof<NonceChunk>('n0') != NONCES_ENTRIES) ERROR('nonces layout');
  if (offsetof<Name>() != NAME_SIZE || offsetof<Name>('text0') != NAME_TEXT) ERROR('name layout');
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
export function nameAt(account: u32): u32 {
  return locationOf(load<u32>(0, LEDGER_NAMES)) + account;
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
  const count = <u32>account.nonceCount;
  const head = <u32>account.nonceHead;
  if (count == NONCES_KEPT && nonce < account.nonceMin) return CODE_NONCE_TOO_LOW;
  if (count == 0 || nonce > account.nonceMax) {
    // The usual case: above all others; one ring place is written.
    if (count < NONCES_KEPT) {
      setNonce<V>(view, sender, ring(head + count), nonce);
      account.nonceCount = <u8>(count + 1);
      if (count == 0) account.nonceMin = nonce;
    } else {
      setNonce<V>(view, sender, head, nonce);
      const next = ring(head + 1);
      account.nonceHead = <u8>next;
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
    account.nonceCount = <u8>(count + 1);
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

const SPACE: u32 = 32;
const DELETE: u32 = 127;
/** Before the control characters behind ASCII, U+0080 to U+009F: they are the bytes 0x80 to 0x9f behind it. */
const LATIN: u32 = 0xc2;
const LATIN_CONTROL_LAST: u32 = 0x9f;

/** Whom the running transaction acts for: the user, and the account (the user's own, a sub-account or a vault). */
export let actingUser: u32 = 0; // register
export let actingAccount: u32 = 0; // register

/**
 * Finds out whom a transaction acts for, after its nonce was used up; leaves `actingUser` and `actingAccount`. `strict`: kinds that agents may
 * not send; `lendable`: kinds that may be sent on behalf of a sub-account or vault.
 */
export function resolveActing<V>(view: V, tx: usize, strict: bool, lendable: bool): u32 {
  const sender = load<u32>(tx, TX_SENDER);
  const flags = <u32>load<u8>(tx, TX_FLAGS);
  actingUser = sender;
  actingAccount = sender;
  if ((flags & (TX_FLAG_NONCE | TX_FLAG_BEHALF | TX_FLAG_SIGNERS)) == 0) return CODE_OK;
  const account = view.read<Account>(accountAt(sender));
  const role = <u32>account.role;
  if (role != ROLE_USER && role != ROLE_AGENT) return CODE_AGENT_UNKNOWN;
  if (role == ROLE_AGENT) {
    if (account.expiresMs <= load<u64>(0, BLK_TIME_MS)) return CODE_AGENT_UNKNOWN;
    if (strict) return CODE_NOT_AUTHORISED;
    actingUser = account.owner;
  }
  if ((flags & TX_FLAG_SIGNERS) != 0) {
    const wrong = checkSigners<V>(view, tx, sender);
    if (wrong != CODE_OK) return wrong;
  } else if (role == ROLE_USER && account.threshold != 0) return CODE_MULTI_SIG_REQUIRED;
  actingAccount = actingUser;
  if ((flags & TX_FLAG_BEHALF) != 0) {
    if (!lendable) return CODE_NOT_AUTHORISED;
    const behalf = load<u32>(tx, TX_BEHALF);
    if (behalf == NO_ACCOUNT) return CODE_BEHALF_UNKNOWN;
    const lent = view.read<Account>(accountAt(behalf));
    if (!isPresent<Account>(lent) || (lent.role != ROLE_SUB_ACCOUNT && lent.role != ROLE_VAULT) || lent.owner != actingUser) {
      return CODE_BEHALF_UNKNOWN;
    }
    actingAccount = behalf;
  }
  // Keys were resolved for the account that admission saw; an agent that was replaced in between acts for nobody.
  return load<u32>(tx, TX_ACTOR) == actingAccount ? CODE_OK : CODE_AGENT_UNKNOWN;
}

/** The signers' list of a multi-signature transaction; the user becomes `actingUser`. */
function checkSigners<V>(view: V, tx: usize, sender: u32): u32 {
  const list = tx + load<u32>(tx, TX_SIGNERS);
  const user = load<u32>(list);
  const count = load<u32>(list, 4);
  if (user == NO_ACCOUNT) return CODE_MULTI_SIG_USER;
  const account = view.read<Account>(accountAt(user));
  if (!isPresent<Account>(account) || account.threshold == 0) return CODE_MULTI_SIG_USER;
  let leads = false;
  for (let i: u32 = 0; i < count; i++) {
    const entry = list + 8 + ((<usize>i) << 3);
    const signer = load<u32>(entry);
    const at = load<u32>(entry, 4);
    if (signer == NO_ACCOUNT || at == 0) return CODE_MULTI_SIG_SIGNER;
    const record = view.read<Signer>(at);
    if (!isPresent<Signer>(record) || record.signerSet != account.signerSet) return CODE_MULTI_SIG_SIGNER;
    if (signer == sender) leads = true;
  }
  if (!leads) return CODE_MULTI_SIG_SIGNER;
  if (count < account.threshold) return CODE_MULTI_SIG_THRESHOLD;
  actingUser = user;
  return CODE_OK;
}

/** Kind 1. */
export function transfer<V>(view: V, tx: usize): u32 {
  const missing = checkSender<V>(view, tx);
  if (missing != CODE_OK) return missing;
  const token = load<u32>(tx, TRANSFER_TOKEN);
  const amount = load<u64>(tx, TRANSFER_AMOUNT);
  if (token >= load<u32>(0, LEDGER_TOKENS)) return CODE_UNKNOWN_TOKEN;
  if (amount == 0) return CODE_ZERO_AMOUNT;
  let refused = useNonce<V>(view, tx);
  if (refused != CODE_OK) return refused;
  refused = resolveActing<V>(view, tx, true, false);
  if (refused != CODE_OK) return refused;
  const sender = actingAccount;
  const recipient = load<u32>(tx, TRANSFER_RECIPIENT);
  const fromAt = balanceAt(sender, token);
  const have = view.read<Balance>(fromAt).amount;
  view.work();
  if (have < amount) return CODE_INSUFFICIENT_BALANCE;
  if (sender != recipient) {
    const toAt = balanceAt(recipient, token);
    const held = view.read<Balance>(toAt).amount;
    if (held + amount < held || held + amount >= (<u64>1) << 63) return CODE_BALANCE_OVERFLOW;
    takeBalance<V>(view, fromAt, have, amount);
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

/** Takes `amount` off a balance that holds `have`. */
@inline
export function takeBalance<V>(view: V, location: u32, have: u64, amount: u64): void {
  const balance = view.write<Balance>(location);
  if (have == amount) remove<Balance>(balance);
  else balance.amount = have - amount;
}

/** Text of `bytes` bytes at most, with zeros behind it: are there control characters in it, or a space at an end? */
export function isBadName(text: usize, bytes: u32): bool {
  let last: u32 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const byte = <u32>load<u8>(text + i);
    if (byte == 0) break;
    if (byte < SPACE || byte == DELETE || (i == 0 && byte == SPACE)) return true;
    if (last == LATIN && byte <= LATIN_CONTROL_LAST) return true;
    last = byte;
  }
  return last == SPACE;
}

/** Writes the 24 bytes at `text` as the name of an account; all zero: it has none. */
export function setName<V>(view: V, number: u32, text: usize): void {
  const at = nameAt(number);
  if (load<u8>(text) != 0) {
    const name = create<V, Name>(view, at);
    name.text0 = load<u64>(text);
    name.text1 = load<u64>(text, 8);
    name.text2 = load<u64>(text, 16);
  } else if (isPresent<Name>(view.read<Name>(at))) remove<Name>(view.write<Name>(at));
}

/** Gives a number that stands for an address its account record, if it has none yet. */
export function openAccount<V>(view: V, number: u32): void {
  if (!isPresent<Account>(view.read<Account>(accountAt(number)))) makeAccount<V>(view, number);
}

/** The account record of a number that has none. */
export function makeAccount<V>(view: V, number: u32): Account {
  const account = create<V, Account>(view, accountAt(number));
  const address = <usize>load<u32>(0, LEDGER_ADDRESSES) + ((<usize>number) << 5);
  account.address0 = load<u64>(address);
  account.address1 = load<u64>(address, 8);
  account.address2 = load<u32>(address, 16);
  return account;
}
