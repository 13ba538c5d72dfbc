/**
 * A genesis as a file: its canonical JSON, the very bytes whose hash the chain is known by.
 * Invariant: a genesis has one sequence of bytes, and what is not one is refused. Not here: whether its values make a ledger (the engine says).
 */
import { HeddleError } from '../base/errors.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { canonicalGenesis } from './genesis-hash.ts';

type Shape = 'text' | 'number' | 'bigint' | 'flag' | readonly [Shape] | { readonly [name: string]: Shape };

const MARKET: Shape = {
  name: 'text',
  tickCount: 'number',
  unit: 'number',
  tickStep: 'number',
  lotStep: 'number',
  ticksPerInteger: 'number',
  significantDigits: 'number',
  leverage: 'number',
  takerFeePpm: 'number',
  makerFeePpm: 'number',
  minNotional: 'bigint',
  maxOrderLots: 'bigint',
  maxPositionLots: 'bigint',
  markTicks: 'number',
  tiers: [{ lowerNotional: 'bigint', maxLeverage: 'number' }],
  mode: 'text',
  hyperp: 'flag',
  priceBandBps: 'number',
  oracleBandBps: 'number',
  impactNotional: 'bigint',
  fundingClamp: 'bigint',
  fundingInterest: 'bigint',
  fundingCap: 'bigint',
  openInterestCap: 'bigint',
  openInterestStep: 'bigint',
};

const EXCHANGE: Shape = {
  staleMs: 'number',
  quorumPpm: 'number',
  farOffPpm: 'number',
  spotWeights: ['number'],
  perpWeights: ['number'],
  markIntervalMs: 'number',
  hyperpCapPpm: 'number',
  delistPpm: 'number',
  partialNotional: 'bigint',
  partialPpm: 'number',
  cooldownMs: 'number',
  liquidationBps: 'number',
  backstopMarginPpm: 'number',
  unwindPpm: 'number',
  unwindBps: 'number',
  feeTiers: [{ volume: 'bigint', takerPpm: 'number', makerPpm: 'number' }],
  makerRebates: [{ sharePpm: 'number', makerPpm: 'number' }],
  referralDiscountPpm: 'number',
  referralRewardPpm: 'number',
  referralVolume: 'bigint',
  builderFeeMax: 'number',
  withdrawFee: 'bigint',
  scheduleVolume: 'bigint',
  scheduleDaily: 'number',
  twapMinNotional: 'bigint',
  openOrdersBase: 'number',
  openOrdersMax: 'number',
  openOrdersVolume: 'bigint',
  subAccountsBase: 'number',
  subAccountsMax: 'number',
  subAccountsFirstVolume: 'bigint',
  subAccountsVolume: 'bigint',
  agentsBase: 'number',
  agentsPerSubAccount: 'number',
  vaultsMax: 'number',
  vaultLockMs: 'number',
  vaultCommissionPpm: 'number',
  vaultLeaderPpm: 'number',
  vaultMinimum: 'bigint',
  backstopLockMs: 'number',
};

const GENESIS: Shape = {
  maxAccounts: 'number',
  orderPages: 'number',
  tokens: [{ name: 'text', decimals: 'number' }],
  markets: [MARKET],
  reporters: [{ address: 'text', stake: 'bigint' }],
  exchange: EXCHANGE,
  backstop: 'text',
  dormantDays: 'number',
  accounts: [{ address: 'text', balances: [{ token: 'number', amount: 'bigint' }], collateral: 'bigint' }],
};
/** Defaults are written out; these have none. */
const OPTIONAL = new Set(['backstop', 'dormantDays']);

export function encodeGenesis(genesis: Genesis): Uint8Array {
  return new TextEncoder().encode(canonicalGenesis(genesis));
}

/** Throws BAD_GENESIS; `source` says what was read. */
export function decodeGenesis(bytes: Uint8Array, source: string): Genesis {
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(source, `it is no JSON: ${(cause as Error).message}`, cause);
  }
  const genesis = shaped(json, GENESIS, 'the genesis', source) as Genesis;
  if (canonicalGenesis(genesis) !== text) throw damaged(source, 'it is not in the form that it is written in');
  return genesis;
}

function shaped(value: unknown, shape: Shape, name: string, source: string): unknown {
  if (shape === 'text' && typeof value === 'string') return value;
  if (shape === 'flag' && typeof value === 'boolean') return value;
  if (shape === 'number' && Number.isSafeInteger(value)) return value;
  if (shape === 'bigint' && typeof value === 'string' && /^-?\d{1,40}n$/.test(value)) return BigInt(value.slice(0, -1));
  if (Array.isArray(shape) && Array.isArray(value)) {
    return value.map((item, i) => shaped(item, shape[0] as Shape, `${name}[${i}]`, source));
  }
  if (typeof shape === 'object' && !Array.isArray(shape) && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const fields = shape as { readonly [name: string]: Shape };
    for (const key of Object.keys(fields)) {
      if (!OPTIONAL.has(key) && !Object.hasOwn(value, key)) throw damaged(source, `${name} lacks the field ${key}`);
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, field]) => {
        if (!Object.hasOwn(fields, key)) throw damaged(source, `${name} has a field ${key} that is not known`);
        return [key, shaped(field, fields[key] as Shape, `${name}.${key}`, source)];
      }),
    );
  }
  const wanted = typeof shape === 'string' ? EXPECTED[shape] : Array.isArray(shape) ? 'a list' : 'an object';
  throw damaged(source, `${name} is not ${wanted}`);
}

const EXPECTED = { text: 'a text', number: 'an integer', bigint: 'an integer of the form "123n"', flag: 'true or false' };

function damaged(source: string, what: string, cause?: unknown): HeddleError {
  return new HeddleError('BAD_GENESIS', `${source} is damaged (${what}): put it back from a copy`, { cause });
}
