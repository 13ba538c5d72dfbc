/**
 * Is what a client handed in a transaction at all? Every field in its range and of its type, or the transaction is undecodable
 * (docs/rules.md, 2). Values come from outside, so nothing is taken on trust from their static types.
 */
import * as X from '../exchange/layout.ts';
import { NAME_BYTES } from '../ledger/layout.ts';
import type { OrderItem, Transaction } from '../ledger/transactions.ts';

const U64_MAX = (1n << 64n) - 1n;
const I64_MAX = (1n << 63n) - 1n;
const AGENT_NAME_BYTES = 16;
const CODE_BYTES = 20;
const VAULT_NAME_BYTES = X.VAULT_NAME_PARTS * X.TEXT_PART_BYTES;
const VAULT_DESCRIPTION_BYTES = X.VAULT_DESCRIPTION_PARTS * X.TEXT_PART_BYTES;
const TIFS = ['gtc', 'ioc', 'alo', 'market', 'fok'];
const SELF_TRADE_MODES = ['cancelMaker', 'cancelTaker', 'cancelBoth'];
const GROUPINGS = ['none', 'normal', 'position'];

/** 20 bytes; undefined if it is not 0x and 40 lower-case hexadecimal digits. */
export function parseAddress(text: unknown): Uint8Array | undefined {
  return parseHex(text, 20);
}

function parseHex(text: unknown, bytes: number): Uint8Array | undefined {
  return isHex(text, bytes) ? Uint8Array.fromHex(text.slice(2)) : undefined;
}

function isHex(text: unknown, bytes: number): text is string {
  return typeof text === 'string' && text.length === 2 + bytes * 2 && /^0x[0-9a-f]*$/.test(text);
}

/** The bytes of a name, zero bytes behind it; undefined if it is too long, or could be taken for another. */
export function parseName(text: unknown, most: number): Uint8Array | undefined {
  if (typeof text !== 'string' || text.includes('\0') || !text.isWellFormed()) return undefined;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > most) return undefined;
  const padded = new Uint8Array(most);
  padded.set(bytes);
  return padded;
}

export function parseAgentName(text: unknown): Uint8Array | undefined {
  return parseName(text === undefined ? '' : text, AGENT_NAME_BYTES);
}

export function parseReferralCode(text: unknown): Uint8Array | undefined {
  return text === '' ? undefined : parseName(text, CODE_BYTES);
}

/** A display name may be empty. */
export function parseAccountName(text: unknown): Uint8Array | undefined {
  return parseName(text, NAME_BYTES);
}

export function parseVaultName(text: unknown): Uint8Array | undefined {
  return parseName(text, VAULT_NAME_BYTES);
}

export function parseDescription(text: unknown): Uint8Array | undefined {
  return parseName(text, VAULT_DESCRIPTION_BYTES);
}

const isAccountName = (value: unknown): boolean => value !== '' && parseAccountName(value) !== undefined;
const isVaultName = (value: unknown): boolean => value !== '' && parseVaultName(value) !== undefined;
const isDescription = (value: unknown): boolean => value !== '' && parseDescription(value) !== undefined;

function isAddress(value: unknown): boolean {
  return isHex(value, 20);
}

function isClientId(value: unknown): boolean {
  return isHex(value, 16);
}

function isU32(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isWide(value: unknown, most = U64_MAX): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value <= most;
}

function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function optional(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value);
}

function isAddresses(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= X.SIGNERS_MAX && value.every(isAddress) && new Set(value).size === value.length;
}

/** Sender, nonce, and whom it acts for. */
export function isEnvelope(transaction: Transaction): boolean {
  if (transaction === null || typeof transaction !== 'object' || !isAddress(transaction.sender)) return false;
  if (!optional(transaction.nonce, (value) => isWide(value)) || !optional(transaction.behalf, isAddress)) return false;
  const { multiSig } = transaction;
  return multiSig === undefined || (multiSig !== null && isAddress(multiSig.user) && isAddresses(multiSig.signers));
}

/** Fields of a kind that is known, without the sizes of batches (`EMPTY_BATCH`, `TOO_MANY_ITEMS` are codes of their own). */
export function isBody(transaction: Transaction): boolean {
  switch (transaction.kind) {
    case 'transfer':
      return isAddress(transaction.recipient) && isU32(transaction.token) && isWide(transaction.amount);
    case 'deposit':
    case 'toSpot':
    case 'withdraw':
      return isWide(transaction.amount);
    case 'createVault': {
      const { amount, name, description } = transaction;
      return isWide(amount) && optional(name, isVaultName) && optional(description, isDescription);
    }
    case 'createSubAccount':
      return optional(transaction.name, isAccountName);
    case 'subAccountModify':
      return isAddress(transaction.subAccount) && isAccountName(transaction.name);
    case 'setDisplayName':
      return parseAccountName(transaction.name) !== undefined;
    case 'sendPerp':
      return isAddress(transaction.recipient) && isWide(transaction.amount);
    case 'orders':
      return isOrders(transaction);
    case 'oracle':
      return Array.isArray(transaction.prices) && transaction.prices.every(isReport);
    case 'updateLeverage':
      return isU32(transaction.market) && isU32(transaction.leverage) && isFlag(transaction.isolated);
    case 'isolatedMargin':
      return (
        isU32(transaction.market) &&
        optional(transaction.leverage, isU32) &&
        optional(transaction.amount, (value) => typeof value === 'bigint' && value <= I64_MAX && value >= -I64_MAX)
      );
    case 'scheduleCancel':
      return optional(transaction.timeMs, isTime);
    case 'twap':
      return isTwap(transaction);
    case 'twapCancel':
      return isU32(transaction.market) && isU32(transaction.id);
    case 'subTransfer':
      return isAddress(transaction.subAccount) && isFlag(transaction.deposit) && isWide(transaction.amount);
    case 'approveAgent':
      return isAddress(transaction.agent) && parseAgentName(transaction.name) !== undefined && optional(transaction.expiresMs, isTime);
    case 'multiSig': {
      const { signers } = transaction;
      return signers === undefined || (signers !== null && isAddresses(signers.authorised) && isU32(signers.threshold));
    }
    case 'approveBuilder':
      return isAddress(transaction.builder) && isU32(transaction.maxFee);
    case 'registerReferrer':
    case 'setReferrer':
      return parseReferralCode(transaction.code) !== undefined;
    case 'vaultTransfer':
      return isAddress(transaction.vault) && isFlag(transaction.deposit) && isWide(transaction.amount);
    case 'vaultModify':
      return isAddress(transaction.vault) && isFlag(transaction.allowDeposits);
    case 'delist':
      return isU32(transaction.market);
    default:
      return true;
  }
}

function isOrders(transaction: Extract<Transaction, { kind: 'orders' }>): boolean {
  const { items, grouping, builder } = transaction;
  if (!Array.isArray(items) || !items.every(isItem)) return false;
  if (!optional(grouping, (value) => GROUPINGS.includes(value as string))) return false;
  return builder === undefined || (builder !== null && isAddress(builder.address) && isU32(builder.fee));
}

function isReport(price: Extract<Transaction, { kind: 'oracle' }>['prices'][number]): boolean {
  const isPrices = (value: unknown) => Array.isArray(value) && value.length <= X.SOURCES_MAX && value.every(isU32);
  return price !== null && typeof price === 'object' && isU32(price.market) && isPrices(price.spot) && optional(price.perp, isPrices);
}

function isTwap(transaction: Extract<Transaction, { kind: 'twap' }>): boolean {
  const { start } = transaction;
  return (
    isU32(transaction.market) &&
    (transaction.side === 'buy' || transaction.side === 'sell') &&
    isWide(transaction.sizeLots, I64_MAX) &&
    isU32(transaction.minutes) &&
    optional(transaction.reduceOnly, isFlag) &&
    optional(transaction.randomize, isFlag) &&
    optional(transaction.stopTicks, isU32) &&
    (start === undefined || (start !== null && isU32(start.priceTicks) && isFlag(start.above)))
  );
}

function isItem(item: OrderItem): boolean {
  if (item === null || typeof item !== 'object' || !isU32(item.market)) return false;
  switch (item.op) {
    case 'cancel':
      return isWide(item.oid);
    case 'cancelByClientId':
      return isClientId(item.target);
    case 'reduce':
      return isWide(item.oid) && isWide(item.sizeLots, I64_MAX);
    case 'place':
      return isTerms(item);
    case 'modify':
      return isTerms(item) && (isWide(item.target) || isClientId(item.target)) && optional(item.always, isFlag);
    default:
      return false;
  }
}

function isTerms(item: Extract<OrderItem, { op: 'place' | 'modify' }>): boolean {
  const { trigger } = item;
  return (
    (item.side === 'buy' || item.side === 'sell') &&
    TIFS.includes(item.tif) &&
    isU32(item.priceTicks) &&
    isWide(item.sizeLots, I64_MAX) &&
    optional(item.reduceOnly, isFlag) &&
    optional(item.clientId, isClientId) &&
    optional(item.selfTrade, (value) => SELF_TRADE_MODES.includes(value as string)) &&
    optional(item.expiresMs, isTime) &&
    optional(item.displayLots, (value) => isWide(value, I64_MAX)) &&
    (trigger === undefined ||
      (trigger !== null &&
        (trigger.kind === 'takeProfit' || trigger.kind === 'stopLoss') &&
        isU32(trigger.priceTicks) &&
        isFlag(trigger.market)))
  );
}
