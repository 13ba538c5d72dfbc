/**
 * The records of the state root as bytes, written from the tables of `layout.ts`: which exist, their keys and their values.
 *
 * Not in a root: the location of a client id in an order (its last field), inboxes (zero at the end of a block) and bit words.
 */
import { assert } from '../base/assert.ts';
import { bigEndian, fromHex, i64, joined, type NaiveRecord, paddedText, u8, u16, u32, u64, zeros } from '../ledger/naive.ts';
import type { TimeInForce } from '../ledger/transactions.ts';
import {
  CLASS_APPROVAL,
  CLASS_CLIENT_ID,
  CLASS_CLOCK,
  CLASS_DELISTING,
  CLASS_EXTRA,
  CLASS_FOLLOWER,
  CLASS_FUNDING,
  CLASS_HISTORY,
  CLASS_LEVEL,
  CLASS_MARGIN_ACCOUNT,
  CLASS_MARKET_STATE,
  CLASS_MINUTES,
  CLASS_ORDER,
  CLASS_ORDER_PAGE,
  CLASS_PORTFOLIO,
  CLASS_POSITION,
  CLASS_PRICE,
  CLASS_REFERRAL,
  CLASS_REPORT,
  CLASS_REWARDS,
  CLASS_SEED,
  CLASS_SETTINGS,
  CLASS_TOTALS,
  CLASS_TREASURY,
  CLASS_TWAP,
  CLASS_VAULT,
  CLASS_VAULT_COUNT,
  CLASS_VAULT_TEXT,
  CLASS_VOLUME,
  FLAG_CLIENT_ID,
  FLAG_REDUCE_ONLY,
  FLAG_SELL,
  ORDER_CHILD,
  ORDER_EXTRA,
  ORDER_TRIGGER,
  STATUS_INTEREST_CAPPED,
  STATUS_INTEREST_FAST,
  TEXT_PART_BYTES,
  TIF_ALO,
  TIF_FOK,
  TIF_GTC,
  TIF_IOC,
  TIF_MARKET,
  TWAP_RANDOMIZE,
  TWAP_REDUCE_ONLY,
  TWAP_SELL,
  TWAP_START_ABOVE,
  VAULT_BACKSTOP,
  VAULT_DEPOSITS,
  VAULT_NAME_PARTS,
} from './layout.ts';
import { dormantEquity, dormantRecords } from './naive-dormant.ts';
import { sum } from './naive-numbers.ts';
import type { NaiveMarket, NaiveOrder, NaivePosition, NaiveSettings, NaiveState, NaiveTwap, NaiveVault } from './naive-state.ts';

const TIFS: Readonly<Record<TimeInForce, number>> = { gtc: TIF_GTC, ioc: TIF_IOC, alo: TIF_ALO, market: TIF_MARKET, fok: TIF_FOK };
const CODE_BYTES = 20;
const DAYS_PER_PART = 7;
const MINUTES_PER_PART = 14;
const MINUTES_PARTS = 5;

/** Every record of the state root, by key in byte order. */
export function stateRecords(state: NaiveState): NaiveRecord[] {
  return [
    ...state.accounts.records(),
    ...marginRecords(state),
    ...positionRecords(state),
    ...orderRecords(state),
    ...levelRecords(state),
    ...settingsRecords(state),
    ...volumeRecords(state),
    ...grantRecords(state),
    ...vaultRecords(state),
    ...state.markets.flatMap((market) => marketRecords(state, market)),
    record('treasury', [CLASS_TREASURY], [i64(state.treasury.balance), i64(state.treasury.withdrawn), i64(state.treasury.covered)]),
    record('seed', [CLASS_SEED], [u64(state.seed), zeros(16)]),
    record('clock', [CLASS_CLOCK], clockFields(state)),
    ...dormantRecords(state),
  ].sort((a, b) => compareBytes(a.key, b.key));
}

function clockFields(state: NaiveState): Uint8Array[] {
  const { lastMarkMs, lastRollDay } = state;
  return [u64(lastMarkMs), u64(lastRollDay === undefined ? 0n : lastRollDay + 1n), i64(dormantEquity(state))];
}

/** Key: the class, then numbers (u32) and bytes. */
function record(
  recordClass: string,
  [classNumber, ...fields]: readonly [number, ...(number | Uint8Array)[]],
  value: readonly Uint8Array[],
): NaiveRecord {
  const key = joined(u8(classNumber), ...fields.map((field) => (typeof field === 'number' ? bigEndian(field) : field)));
  const bytes = joined(...value);
  assert(bytes.length === 24 || bytes.length === 56 || classNumber === CLASS_ORDER, `a ${recordClass} of ${bytes.length} bytes`);
  return { recordClass, key, value: bytes };
}

function marginRecords(state: NaiveState): NaiveRecord[] {
  const records: NaiveRecord[] = [];
  for (const [account, { collateral, feeTier, makerTier, flags }] of state.marginAccounts) {
    const orders = state.openOrders(account);
    const pages = wordsOfBits(
      orders.map((order) => order.slot),
      state.genesis.orderPages,
    );
    const held = state.heldMarkets(account);
    records.push(
      record(
        'margin account',
        [CLASS_MARGIN_ACCOUNT, account],
        [
          i64(collateral),
          i64(state.positionValue(account)),
          i64(state.positionMargin(account)),
          i64(state.maintenance(account)),
          i64(state.orderMargin(account)),
          u64(pages[0] ?? 0n),
          u16(orders.length),
          u16(held.length),
          u8(feeTier),
          u8(makerTier),
          u8(flags),
          u8(state.isolatedMarkets(account).length),
        ],
      ),
    );
    pages.forEach((slots, page) => {
      if (page > 0 && slots !== 0n) records.push(record('order page', [CLASS_ORDER_PAGE, account, page], [u64(slots), zeros(16)]));
    });
    if (held.length > 0) records.push(record('portfolio', [CLASS_PORTFOLIO, account], wordsOfBits(held, 7).map(u64)));
  }
  return records;
}

function positionRecords(state: NaiveState): NaiveRecord[] {
  const records: NaiveRecord[] = [];
  for (const [account, ofAccount] of state.positions) {
    for (const [market, position] of ofAccount) {
      records.push(record('position', [CLASS_POSITION, account, market], positionFields(position)));
    }
  }
  return records;
}

function positionFields(position: NaivePosition): Uint8Array[] {
  return [
    i64(position.sizeLots),
    i64(position.cost),
    i64(position.rawUsd),
    i64(position.realised),
    i64(position.funding),
    u32(Number(position.triggerAbove)),
    u32(Number(position.triggerBelow)),
    u16(position.triggers),
    u8(position.leverage),
    u8(position.isolated ? 1 : 0),
    u16(position.attached),
    u16(0),
  ];
}

function orderRecords(state: NaiveState): NaiveRecord[] {
  const records: NaiveRecord[] = [];
  const neighbours = new Map<NaiveOrder, { previous: NaiveOrder | undefined; next: NaiveOrder | undefined }>();
  for (const queue of queues(state)) {
    queue.forEach((order, i) => {
      neighbours.set(order, { previous: queue[i - 1], next: queue[i + 1] });
    });
  }
  for (const order of state.orders) {
    records.push(
      record(
        'order',
        [CLASS_ORDER, order.account, order.slot],
        [
          u64(order.oid),
          i64(order.sizeLots),
          i64(order.originalLots),
          i64(order.margin),
          u32(Number(order.priceTicks)),
          u32(reference(state, neighbours.get(order)?.previous)),
          u32(reference(state, neighbours.get(order)?.next)),
          u16(order.market),
          u8(orderFlags(order)),
          u8(TIFS[order.tif]),
          u32(order.account),
        ],
      ),
    );
    if (order.extra) records.push(record('order extra', [CLASS_EXTRA, order.account, order.slot], extraFields(order)));
    if (order.clientId !== undefined) {
      records.push(record('client id', [CLASS_CLIENT_ID, order.account, fromHex(order.clientId)], [u64(order.oid), zeros(16)]));
    }
  }
  return records;
}

function orderFlags(order: NaiveOrder): number {
  return (
    (order.sell ? FLAG_SELL : 0) +
    (order.reduceOnly ? FLAG_REDUCE_ONLY : 0) +
    (order.clientId === undefined ? 0 : FLAG_CLIENT_ID) +
    (order.extra ? ORDER_EXTRA : 0) +
    (order.state === 'trigger' ? ORDER_TRIGGER : 0) +
    (order.state === 'child' ? ORDER_CHILD : 0)
  );
}

function extraFields(order: NaiveOrder): Uint8Array[] {
  return [
    u64(order.expiresMs),
    i64(order.displayLots),
    i64(order.hiddenLots),
    u32(Number(order.triggerTicks)),
    u8(order.triggerKind),
    u8(order.triggerMarket ? 1 : 0),
    u8(order.whole ? 1 : 0),
    u8(0),
    u16(order.parent),
    u16(order.sibling),
    u16(order.child1),
    u16(order.child2),
    u32(order.builder),
    u16(order.builderFee),
    u16(0),
    u64(0n),
  ];
}

/** The orders of every level, first in time first. */
function queues(state: NaiveState): NaiveOrder[][] {
  const levels = new Map<string, NaiveOrder[]>();
  for (const order of state.orders) {
    if (order.state !== 'resting') continue;
    const place = `${order.market}/${order.priceTicks}`;
    levels.set(place, [...(levels.get(place) ?? []), order]);
  }
  return [...levels.values()];
}

/** 0 for no order; the bits of an account number are those of the highest one, at least 1. */
function reference(state: NaiveState, order: NaiveOrder | undefined): number {
  if (order === undefined) return 0;
  const accountBits = Math.max(1, (state.genesis.maxAccounts - 1).toString(2).length);
  return order.slot * 2 ** accountBits + order.account + 1;
}

function levelRecords(state: NaiveState): NaiveRecord[] {
  return queues(state).map((queue) => {
    const head = queue[0] as NaiveOrder;
    assert(
      queue.every((order) => order.sell === head.sell),
      `bids and asks at ${head.priceTicks} of market ${head.market}`,
    );
    return record(
      'level',
      [CLASS_LEVEL, head.market, Number(head.priceTicks)],
      [
        i64(sum(queue.map((order) => order.sizeLots))),
        u32(reference(state, head)),
        u32(reference(state, queue.at(-1))),
        u32(queue.length),
        u32(head.sell ? 1 : 0),
      ],
    );
  });
}

function settingsRecords(state: NaiveState): NaiveRecord[] {
  const records: NaiveRecord[] = [];
  for (const [account, settings] of state.settings) {
    records.push(record('settings', [CLASS_SETTINGS, account], settingsFields(settings)));
    settings.twaps.forEach((twap, index) => {
      if (twap !== undefined) records.push(record('TWAP', [CLASS_TWAP, account, index], twapFields(twap)));
    });
  }
  return records;
}

function settingsFields(settings: NaiveSettings): Uint8Array[] {
  const running = sum(settings.twaps.map((twap, index) => (twap === undefined ? 0n : 2n ** BigInt(index))));
  return [
    u64(settings.scheduledMs),
    u64(settings.nextDueMs),
    u64(settings.cooldownMs),
    u32(settings.scheduleDay),
    u32(settings.scheduleCount),
    u32(settings.referrer),
    u32(settings.twapCount),
    u32(Number(running)),
    u32(settings.attachedClosed ? 1 : 0),
    u64(0n),
  ];
}

function twapFields(twap: NaiveTwap): Uint8Array[] {
  const flags =
    (twap.sell ? TWAP_SELL : 0) +
    (twap.reduceOnly ? TWAP_REDUCE_ONLY : 0) +
    (twap.randomize ? TWAP_RANDOMIZE : 0) +
    (twap.startAbove ? TWAP_START_ABOVE : 0);
  return [
    i64(twap.totalLots),
    i64(twap.filledLots),
    u64(twap.startMs),
    u32(twap.slices),
    u32(twap.sliced),
    u32(twap.id),
    u16(twap.market),
    u8(flags),
    u8(0),
    u32(Number(twap.startTicks)),
    u32(Number(twap.stopTicks)),
    u64(0n),
  ];
}

function volumeRecords(state: NaiveState): NaiveRecord[] {
  const records: NaiveRecord[] = [];
  for (const [account, { taker, maker, all, history, historyParts }] of state.volumes) {
    records.push(record('volume', [CLASS_VOLUME, account], [i64(taker), i64(maker), i64(all)]));
    for (const part of historyParts) {
      assert(history, `account ${account} has parts of no history`);
      const days = part < 2 ? history.taker : history.maker;
      const first = (part % 2) * DAYS_PER_PART;
      records.push(record('volume history', [CLASS_HISTORY, account, part], days.slice(first, first + DAYS_PER_PART).map(i64)));
    }
  }
  for (const [account, { builder, referral }] of state.rewards) {
    records.push(record('rewards', [CLASS_REWARDS, account], [i64(builder), i64(referral), i64(0n)]));
  }
  return records;
}

/** Builder approvals and referral codes. */
function grantRecords(state: NaiveState): NaiveRecord[] {
  const records: NaiveRecord[] = [];
  for (const [pair, maxFee] of state.approvals) {
    const [user, builder] = pair.split('/').map(Number) as [number, number];
    records.push(record('builder approval', [CLASS_APPROVAL, user, builder], [u32(maxFee), zeros(20)]));
  }
  for (const [code, owner] of state.referralCodes) {
    const text = new TextEncoder().encode(code);
    const key = joined(text, zeros(CODE_BYTES - text.length));
    records.push(record('referral code', [CLASS_REFERRAL, key], [u32(owner + 1), zeros(20)]));
  }
  return records;
}

function vaultRecords(state: NaiveState): NaiveRecord[] {
  const records = [record('vault count', [CLASS_VAULT_COUNT], [u32(state.vaults.length), zeros(20)])];
  for (const vault of state.vaults) {
    records.push(record('vault', [CLASS_VAULT, vault.account], vaultFields(vault)));
    records.push(...textRecords(vault.account, 0, vault.name));
    records.push(...textRecords(vault.account, VAULT_NAME_PARTS, vault.description));
    for (const [user, { shares, basis, lockedUntilMs }] of vault.followers) {
      records.push(record('follower', [CLASS_FOLLOWER, vault.account, user], [i64(shares), i64(basis), u64(lockedUntilMs)]));
    }
  }
  return records;
}

/** A text of a vault in parts of 24 bytes, from this one on. */
function textRecords(account: number, firstPart: number, text: string): NaiveRecord[] {
  const length = new TextEncoder().encode(text).length;
  const parts = Math.ceil(length / TEXT_PART_BYTES);
  const bytes = paddedText(text, parts * TEXT_PART_BYTES);
  return Array.from({ length: parts }, (_, i) =>
    record('vault text', [CLASS_VAULT_TEXT, account, firstPart + i], [bytes.slice(i * TEXT_PART_BYTES, (i + 1) * TEXT_PART_BYTES)]),
  );
}

function vaultFields(vault: NaiveVault): Uint8Array[] {
  return [
    u32(vault.account),
    u32(vault.leader),
    i64(vault.shares),
    i64(vault.leaderShares),
    u64(vault.lockMs),
    u32(vault.commissionPpm),
    u32((vault.deposits ? VAULT_DEPOSITS : 0) + (vault.backstop ? VAULT_BACKSTOP : 0)),
    u32(vault.followers.size),
    u32(vault.index),
    u64(0n),
  ];
}

function marketStateFields(state: NaiveState, market: NaiveMarket): Uint8Array[] {
  const listed = !state.isDelisted(market.number);
  const flags = listed ? (market.capped ? STATUS_INTEREST_CAPPED : 0) + (market.fast ? STATUS_INTEREST_FAST : 0) : 0;
  return [i64(market.interestBefore), u64(market.interestMinute), u32(flags), u32(0)];
}

function marketRecords(state: NaiveState, market: NaiveMarket): NaiveRecord[] {
  const { number, delisting } = market;
  const records = [
    record('market totals', [CLASS_TOTALS, number], [i64(market.volume), i64(state.openInterest(number)), i64(market.fees)]),
    record('price', [CLASS_PRICE, number], priceFields(market)),
    record('funding', [CLASS_FUNDING, number], fundingFields(market)),
    record('market state', [CLASS_MARKET_STATE, number], marketStateFields(state, market)),
  ];
  for (let part = 0; part < MINUTES_PARTS; part++) {
    const fields = market.minutes.slice(part * MINUTES_PER_PART, (part + 1) * MINUTES_PER_PART);
    records.push(
      record(
        'minutes',
        [CLASS_MINUTES, number, part],
        fields.map((ticks) => u32(Number(ticks))),
      ),
    );
  }
  for (const [reporter, { indexTicks, perpTicks, timeMs }] of market.reports) {
    const value = [u32(Number(indexTicks)), u32(Number(perpTicks)), u64(timeMs), u64(0n)];
    records.push(record('report', [CLASS_REPORT, number, reporter], value));
  }
  if (delisting !== undefined) {
    const voted = sum([...delisting.voted].map((reporter) => 2n ** BigInt(reporter)));
    const value = [u64(voted), u64(delisting.delistedMs), u32(Number(delisting.settledTicks)), u32(0)];
    records.push(record('delisting votes', [CLASS_DELISTING, number], value));
  }
  return records;
}

function priceFields(market: NaiveMarket): Uint8Array[] {
  return [
    u32(Number(market.indexTicks)),
    u32(Number(market.markTicks)),
    u64(market.indexTimeMs),
    u32(Number(market.lastTicks)),
    u32(Number(market.previousMarkTicks)),
    i64(market.basisSum),
    u64(market.basisWeight),
    i64(market.bookSum),
    u64(market.bookWeight),
  ];
}

function fundingFields(market: NaiveMarket): Uint8Array[] {
  return [
    i64(market.sampleSum),
    u32(Number(market.samples)),
    u32(0),
    i64(market.rate),
    u64(market.lastSample),
    u64(market.lastHour),
    i64(market.hyperSum),
    u64(market.hyperWeight),
  ];
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
