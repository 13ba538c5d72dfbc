/**
 * What admission refuses by looking at a transaction alone (docs/rules.md, 2), and the addresses that transactions make.
 *
 * Types are not trusted: what clients send is not checked by a compiler. Sender, nonce and whom it acts for come first, then the kind, its
 * fields, then the counts of items.
 * Not here: numbers of addresses (naive.ts), and checks that need state or parameters.
 */
import { CODE_EMPTY_BATCH, CODE_OK, CODE_TOO_MANY_ITEMS, CODE_UNDECODABLE, CODE_UNKNOWN_KIND } from '../base/codes.ts';
import type {
  Address,
  ClientId,
  ModifyItem,
  OracleTransaction,
  OrderItem,
  OrdersTransaction,
  PlaceItem,
  Transaction,
} from '../ledger/transactions.ts';
import { BATCH_ITEMS_MAX, SIGNERS_MAX, SOURCES_MAX } from './layout.ts';
import { sha256 } from './naive-sha256.ts';

const AGENT_NAME_BYTES = 16;
const CODE_BYTES = 20;
const ACCOUNT_NAME_BYTES = 24;
const VAULT_NAME_BYTES = 72;
const VAULT_DESCRIPTION_BYTES = 384;

export function admissionCode(transaction: Transaction): number {
  if (!isSigned(transaction)) return CODE_UNDECODABLE;
  const decodes = fieldsDecode(transaction);
  if (decodes === undefined) return CODE_UNKNOWN_KIND;
  if (!decodes) return CODE_UNDECODABLE;
  if (transaction.kind === 'orders') return countCode(transaction.items.length);
  return transaction.kind === 'oracle' ? countCode(transaction.prices.length) : CODE_OK;
}

/** The address of the sub-account or vault that a transaction makes. */
export function createdAddress(kind: Transaction['kind'], sender: Address, blockNumber: number, index: number): Address {
  const text = `heddle ${kind}:${sender}:${blockNumber}:${index}`;
  return `0x${sha256(new TextEncoder().encode(text)).slice(0, 20).toHex()}`;
}

function countCode(items: number): number {
  if (items === 0) return CODE_EMPTY_BATCH;
  return items > BATCH_ITEMS_MAX ? CODE_TOO_MANY_ITEMS : CODE_OK;
}

function isSigned({ sender, nonce, behalf, multiSig }: Transaction): boolean {
  return (
    isAddress(sender) &&
    isOptional(nonce, isU64) &&
    isOptional(behalf, isAddress) &&
    isOptional(multiSig, ({ user, signers }) => isAddress(user) && areSigners(signers))
  );
}

/** Whether every field is in its range; undefined: the kind is unknown. */
function fieldsDecode(transaction: Transaction): boolean | undefined {
  switch (transaction.kind) {
    case 'transfer':
      return isAddress(transaction.recipient) && isU32(transaction.token) && isU64(transaction.amount);
    case 'deposit':
    case 'toSpot':
    case 'withdraw':
      return isU64(transaction.amount);
    case 'createVault':
      return (
        isU64(transaction.amount) &&
        isOptional(transaction.name, (name) => isText(name, 1, VAULT_NAME_BYTES)) &&
        isOptional(transaction.description, (description) => isText(description, 1, VAULT_DESCRIPTION_BYTES))
      );
    case 'sendPerp':
      return isAddress(transaction.recipient) && isU64(transaction.amount);
    case 'orders':
      return isBatch(transaction);
    case 'oracle':
      return areReports(transaction);
    case 'updateLeverage':
      return isU32(transaction.market) && isU32(transaction.leverage) && isBoolean(transaction.isolated);
    case 'isolatedMargin':
      return isU32(transaction.market) && isOptional(transaction.leverage, isU32) && isOptional(transaction.amount, isI64);
    case 'scheduleCancel':
      return isOptional(transaction.timeMs, isTime);
    case 'twap':
      return (
        isU32(transaction.market) &&
        isSide(transaction.side) &&
        isLots(transaction.sizeLots) &&
        isU32(transaction.minutes) &&
        isOptional(transaction.reduceOnly, isBoolean) &&
        isOptional(transaction.randomize, isBoolean) &&
        isOptional(transaction.start, ({ priceTicks, above }) => isU32(priceTicks) && isBoolean(above)) &&
        isOptional(transaction.stopTicks, isU32)
      );
    case 'twapCancel':
      return isU32(transaction.market) && isU32(transaction.id);
    case 'createSubAccount':
      return isOptional(transaction.name, (name) => isText(name, 1, ACCOUNT_NAME_BYTES));
    case 'subAccountModify':
      return isAddress(transaction.subAccount) && isText(transaction.name, 1, ACCOUNT_NAME_BYTES);
    case 'setDisplayName':
      return isText(transaction.name, 0, ACCOUNT_NAME_BYTES);
    case 'claimRewards':
    case 'noop':
      return true;
    case 'subTransfer':
      return isAddress(transaction.subAccount) && isBoolean(transaction.deposit) && isU64(transaction.amount);
    case 'approveAgent':
      return (
        isAddress(transaction.agent) &&
        isOptional(transaction.name, (name) => isText(name, 0, AGENT_NAME_BYTES)) &&
        isOptional(transaction.expiresMs, isTime)
      );
    case 'multiSig':
      return isOptional(transaction.signers, ({ authorised, threshold }) => areSigners(authorised) && isU32(threshold));
    case 'approveBuilder':
      return isAddress(transaction.builder) && isU32(transaction.maxFee);
    case 'registerReferrer':
    case 'setReferrer':
      return isText(transaction.code, 1, CODE_BYTES);
    case 'vaultTransfer':
      return isAddress(transaction.vault) && isBoolean(transaction.deposit) && isU64(transaction.amount);
    case 'vaultModify':
      return isAddress(transaction.vault) && isBoolean(transaction.allowDeposits);
    case 'delist':
      return isU32(transaction.market);
    default:
      return undefined;
  }
}

function areReports({ prices }: OracleTransaction): boolean {
  const areSources = (ticks: unknown): boolean => Array.isArray(ticks) && ticks.length <= SOURCES_MAX && ticks.every(isU32);
  return (
    Array.isArray(prices) && prices.every(({ market, spot, perp }) => isU32(market) && areSources(spot) && isOptional(perp, areSources))
  );
}

function isBatch({ items, grouping, builder }: OrdersTransaction): boolean {
  return (
    Array.isArray(items) &&
    items.every(isOrderItem) &&
    isOptional(grouping, (value) => ['none', 'normal', 'position'].includes(value)) &&
    isOptional(builder, ({ address, fee }) => isAddress(address) && isU32(fee))
  );
}

function isOrderItem(item: OrderItem): boolean {
  if (!isU32(item.market)) return false;
  switch (item.op) {
    case 'place':
      return isNewOrder(item);
    case 'cancel':
      return isU64(item.oid);
    case 'cancelByClientId':
      return isClientId(item.target);
    case 'modify':
      return isNewOrder(item) && (isClientId(item.target) || isU64(item.target)) && isOptional(item.always, isBoolean);
    case 'reduce':
      return isU64(item.oid) && isLots(item.sizeLots);
    default:
      return false;
  }
}

function isNewOrder(item: PlaceItem | ModifyItem): boolean {
  return (
    isSide(item.side) &&
    ['gtc', 'ioc', 'alo', 'market', 'fok'].includes(item.tif) &&
    isU32(item.priceTicks) &&
    isLots(item.sizeLots) &&
    isOptional(item.reduceOnly, isBoolean) &&
    isOptional(item.clientId, isClientId) &&
    isOptional(item.selfTrade, (mode) => ['cancelMaker', 'cancelTaker', 'cancelBoth'].includes(mode)) &&
    isOptional(item.expiresMs, isTime) &&
    isOptional(item.displayLots, isLots) &&
    isOptional(
      item.trigger,
      ({ kind, priceTicks, market }) => (kind === 'takeProfit' || kind === 'stopLoss') && isU32(priceTicks) && isBoolean(market),
    )
  );
}

function isOptional<T>(value: T | undefined, is: (value: T) => boolean): boolean {
  return value === undefined || is(value);
}

function areSigners(addresses: readonly Address[]): boolean {
  const many = Array.isArray(addresses) && addresses.length <= SIGNERS_MAX;
  return many && addresses.every(isAddress) && new Set(addresses).size === addresses.length;
}

function isAddress(value: unknown): value is Address {
  return typeof value === 'string' && /^0x[0-9a-f]{40}$/.test(value);
}

function isClientId(value: unknown): value is ClientId {
  return typeof value === 'string' && /^0x[0-9a-f]{32}$/.test(value);
}

function isText(value: unknown, bytesMin: number, bytesMax: number): boolean {
  if (typeof value !== 'string' || !value.isWellFormed() || value.includes('\0')) return false;
  const { length } = new TextEncoder().encode(value);
  return length >= bytesMin && length <= bytesMax;
}

function isSide(value: unknown): boolean {
  return value === 'buy' || value === 'sell';
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isInteger(value: unknown, end: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < end;
}

function isU32(value: unknown): boolean {
  return isInteger(value, 2 ** 32);
}

/** Milliseconds that a number holds exactly. */
function isTime(value: unknown): boolean {
  return isInteger(value, 2 ** 53);
}

function isU64(value: unknown): boolean {
  return typeof value === 'bigint' && value >= 0n && value < 2n ** 64n;
}

function isI64(value: unknown): boolean {
  return typeof value === 'bigint' && value >= -(2n ** 63n) && value < 2n ** 63n;
}

function isLots(value: unknown): boolean {
  return typeof value === 'bigint' && value >= 0n && value < 2n ** 63n;
}
