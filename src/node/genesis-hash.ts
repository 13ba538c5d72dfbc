/** The hash of a genesis: what a chain is known by, and the parent of its first block; and the text that is hashed. */
import { labelled } from '../commitment/blake3.ts';
import { exchangeOptions, type Genesis, marketOptions, reportersOf } from '../exchange/genesis.ts';

const hashGenesis = labelled('heddle genesis 1');

/** 32 bytes. Two genesis that start the same ledger have one hash. */
export function genesisHash(genesis: Genesis): Uint8Array {
  return hashGenesis(new TextEncoder().encode(canonicalGenesis(genesis)));
}

/** JSON with defaults written out, keys sorted, no blanks, and integers of any size as "123n". */
export function canonicalGenesis(genesis: Genesis): string {
  const { oracle: _oracle, dormantDays = 0, ...rest } = genesis;
  const whole = {
    ...rest,
    // Left out when it is off: a ledger without dormant accounts has the hash that it had before there were any.
    ...(dormantDays === 0 ? {} : { dormantDays }),
    markets: genesis.markets.map(marketOptions),
    exchange: exchangeOptions(genesis),
    reporters: reportersOf(genesis),
    accounts: genesis.accounts.map(({ address, balances = [], collateral = 0n }) => ({ address, balances, collateral })),
  };
  return JSON.stringify(sorted(whole));
}

function sorted(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  );
}
