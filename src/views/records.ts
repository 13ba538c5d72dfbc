/**
 * Records of the state by class, as plain objects: what views need of them (layouts: src/ledger/layout.ts, src/exchange/layout.ts).
 *
 * Values come as the state tree commits to them, without the zeros behind them, or in full; both read the same. Offsets here are those of
 * the layout pages, which count the record's header of 8 bytes.
 */
import * as X from '../exchange/layout.ts';
import * as L from '../ledger/layout.ts';
import type { Address } from '../ledger/transactions.ts';

export const RECORD_HEADER = 8;
/** Fields of a position that are read on their own. */
export const POSITION_LOTS = 8;
export const POSITION_COST = 16;

/** Fields of one record at a time, wherever it lies; what is read has to be there. */
export class RecordReader {
  private view: DataView = new DataView(new ArrayBuffer(0));
  private base = 0;

  /** From now on the record whose header is, or would be, at `base`. */
  over(view: DataView, base: number): this {
    this.view = view;
    this.base = base;
    return this;
  }

  u8(at: number): number {
    return this.view.getUint8(this.base + at);
  }

  u16(at: number): number {
    return this.view.getUint16(this.base + at, true);
  }

  u32(at: number): number {
    return this.view.getUint32(this.base + at, true);
  }

  i32(at: number): number {
    return this.view.getInt32(this.base + at, true);
  }

  i64(at: number): bigint {
    return this.view.getBigInt64(this.base + at, true);
  }

  u64(at: number): bigint {
    return this.view.getBigUint64(this.base + at, true);
  }

  /** A u64 below 2^53. */
  time(at: number): number {
    return this.u32(at + 4) * 2 ** 32 + this.u32(at);
  }

  hex(from: number, to: number): string {
    return `0x${this.buffer(from, to).toString('hex')}`;
  }

  /** UTF-8 with zero bytes behind it. */
  text(from: number, to: number): string {
    return textOf(this.buffer(from, to));
  }

  /** A copy. */
  bytes(from: number, to: number): Uint8Array {
    return Uint8Array.from(this.buffer(from, to));
  }

  private buffer(from: number, to: number): Buffer {
    const { buffer, byteOffset } = this.view;
    return Buffer.from(buffer, byteOffset + this.base + from, to - from);
  }
}

/** Text with zero bytes behind it. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end === -1 ? bytes.length : end)).toString('utf8');
}

/** Puts a value into the record of so many bytes at `to`, behind its header; what it does not have is zero. */
export function putValue(record: DataView, to: number, recordBytes: number, from: DataView, at: number, bytes: number): void {
  const start = to + RECORD_HEADER;
  const end = to + recordBytes;
  const whole = bytes & ~3;
  let i = 0;
  for (; i < whole; i += 4) record.setUint32(start + i, from.getUint32(at + i, true), true);
  for (; i < bytes; i++) record.setUint8(start + i, from.getUint8(at + i));
  for (; (i & 3) !== 0; i++) record.setUint8(start + i, 0);
  for (let rest = start + i; rest < end; rest += 4) record.setUint32(rest, 0, true);
}

export interface AccountState {
  readonly address: Address;
  /** ROLE_*. */
  readonly role: number;
  readonly owner: number;
  readonly threshold: number;
  readonly signerSet: number;
  /** Agents: valid while the time is below; u64 maximum: for ever. */
  readonly expiresMs: bigint;
}

export interface MarginState {
  readonly collateral: bigint;
  readonly orderMargin: bigint;
  readonly openOrders: number;
  readonly feeTier: number;
  readonly makerTier: number;
  readonly referred: boolean;
}

export interface PositionState {
  readonly sizeLots: bigint;
  readonly cost: bigint;
  readonly rawUsd: bigint;
  readonly realised: bigint;
  readonly funding: bigint;
  /** 0: the market's. */
  readonly leverage: number;
  readonly isolated: boolean;
}

export interface OrderState {
  readonly oid: bigint;
  readonly sizeLots: bigint;
  readonly originalLots: bigint;
  readonly priceTicks: number;
  readonly market: number;
  readonly flags: number;
  readonly tif: number;
}

export interface ExtraState {
  readonly expiresMs: number;
  readonly hiddenLots: bigint;
  readonly triggerTicks: number;
  readonly triggerKind: number;
  readonly triggerMarket: boolean;
  readonly whole: boolean;
  /** Slot + 1, 0 = none. */
  readonly parent: number;
  readonly child1: number;
  readonly child2: number;
}

export interface PriceState {
  readonly indexTicks: number;
  readonly markTicks: number;
  readonly lastTicks: number;
}

export interface TotalsState {
  readonly volume: bigint;
  readonly openInterestLots: bigint;
}

export interface FundingState {
  readonly sampleSum: bigint;
  readonly samples: number;
  readonly rate: bigint;
}

export interface SettingsState {
  readonly scheduledMs: number;
  /** Account number + 1, 0 = none. */
  readonly referrer: number;
}

export interface VolumeState {
  readonly taker: bigint;
  readonly maker: bigint;
  readonly all: bigint;
}

export interface VaultState {
  readonly account: number;
  readonly leader: number;
  readonly shares: bigint;
  readonly leaderShares: bigint;
  readonly lockMs: number;
  readonly commissionPpm: number;
  readonly deposits: boolean;
  readonly backstop: boolean;
  readonly index: number;
}

export interface FollowerState {
  readonly shares: bigint;
  readonly basis: bigint;
  readonly lockedUntilMs: number;
}

export interface TwapState {
  readonly id: number;
  readonly market: number;
  readonly totalLots: bigint;
  readonly filledLots: bigint;
  /** 0: waits for its start price. */
  readonly startMs: number;
  readonly slices: number;
  readonly sell: boolean;
  readonly reduceOnly: boolean;
  readonly randomize: boolean;
  readonly startAbove: boolean;
  readonly startTicks: number;
  readonly stopTicks: number;
}

type Reader = RecordReader;

/** `address`: if it is known; an account keeps its address. */
export function readAccount(r: Reader, address?: Address): AccountState {
  return {
    address: address ?? r.hex(L.ACCOUNT_ADDRESS, L.ACCOUNT_ADDRESS + 20),
    role: r.u8(L.ACCOUNT_ROLE),
    owner: r.u32(L.ACCOUNT_OWNER),
    threshold: r.u8(L.ACCOUNT_THRESHOLD),
    signerSet: r.u8(L.ACCOUNT_SIGNER_SET),
    expiresMs: r.u64(L.ACCOUNT_EXPIRES),
  };
}

export function readMargin(r: Reader): MarginState {
  return {
    collateral: r.i64(8),
    orderMargin: r.i64(40),
    openOrders: r.u16(56),
    feeTier: r.u8(60),
    makerTier: r.u8(61),
    referred: (r.u8(62) & X.ACC_REFERRED) !== 0,
  };
}

export function readPosition(r: Reader): PositionState {
  return {
    sizeLots: r.i64(POSITION_LOTS),
    cost: r.i64(POSITION_COST),
    rawUsd: r.i64(24),
    realised: r.i64(32),
    funding: r.i64(40),
    leverage: r.u8(58),
    isolated: r.u8(59) !== 0,
  };
}

export function readOrder(r: Reader): OrderState {
  return {
    oid: r.u64(8),
    sizeLots: r.i64(16),
    originalLots: r.i64(24),
    priceTicks: r.u32(40),
    market: r.u16(52),
    flags: r.u8(54),
    tif: r.u8(55),
  };
}

export function readExtra(r: Reader): ExtraState {
  return {
    expiresMs: r.time(8),
    hiddenLots: r.i64(24),
    triggerTicks: r.u32(32),
    triggerKind: r.u8(36),
    triggerMarket: r.u8(37) !== 0,
    whole: r.u8(38) !== 0,
    parent: r.u16(40),
    child1: r.u16(44),
    child2: r.u16(46),
  };
}

export function readPrice(r: Reader): PriceState {
  return { indexTicks: r.u32(8), markTicks: r.u32(12), lastTicks: r.u32(24) };
}

export function readTotals(r: Reader): TotalsState {
  return { volume: r.i64(8), openInterestLots: r.i64(16) };
}

export function readFunding(r: Reader): FundingState {
  return { sampleSum: r.i64(8), samples: r.u32(16), rate: r.i64(24) };
}

export function readSettings(r: Reader): SettingsState {
  return { scheduledMs: r.time(8), referrer: r.u32(40) };
}

export function readVolume(r: Reader): VolumeState {
  return { taker: r.i64(8), maker: r.i64(16), all: r.i64(24) };
}

export function readVault(r: Reader): VaultState {
  const flags = r.u32(44);
  return {
    account: r.u32(8),
    leader: r.u32(12),
    shares: r.i64(16),
    leaderShares: r.i64(24),
    lockMs: r.time(32),
    commissionPpm: r.u32(40),
    deposits: (flags & X.VAULT_DEPOSITS) !== 0,
    backstop: (flags & X.VAULT_BACKSTOP) !== 0,
    index: r.u32(52),
  };
}

export function readFollower(r: Reader): FollowerState {
  return { shares: r.i64(8), basis: r.i64(16), lockedUntilMs: r.time(24) };
}

export function readTwap(r: Reader): TwapState {
  const flags = r.u8(46);
  return {
    totalLots: r.i64(8),
    filledLots: r.i64(16),
    startMs: r.time(24),
    slices: r.u32(32),
    id: r.u32(40),
    market: r.u16(44),
    sell: (flags & X.TWAP_SELL) !== 0,
    reduceOnly: (flags & X.TWAP_REDUCE_ONLY) !== 0,
    randomize: (flags & X.TWAP_RANDOMIZE) !== 0,
    startAbove: (flags & X.TWAP_START_ABOVE) !== 0,
    startTicks: r.u32(48),
    stopTicks: r.u32(52),
  };
}
