/** The genesis of the development chain: ten funded accounts, the actors of the simulation, the markets, the backstop vault. */
import type { Genesis } from '../exchange/genesis.ts';
import type { Address } from '../ledger/transactions.ts';
import { actorAddress, devnetAccount } from './devnet-keys.ts';
import { DEVNET_MARKETS, marketParameters } from './devnet-markets.ts';

const USD = 1_000_000n;
export const FUNDED_ACCOUNTS = 10;
const FUNDED_COLLATERAL = 1_000_000n * USD;
const FUNDED_BALANCE = 100_000n * USD;
/** Makers and takers trade without an end, so they have what no simulation loses. */
const ACTOR_COLLATERAL = 10_000_000_000n * USD;
const BACKSTOP_COLLATERAL = 10_000_000n * USD;
const MAX_ACCOUNTS = 16_384;
const ORDER_PAGES = 8;

export const ORACLE: Address = actorAddress('oracle');
export const MAKERS: readonly Address[] = ['maker 1', 'maker 2'].map(actorAddress);
export const TAKERS: readonly Address[] = ['taker 1', 'taker 2', 'taker 3'].map(actorAddress);
const BACKSTOP: Address = actorAddress('backstop');

export function devnetGenesis(): Genesis {
  const funded = Array.from({ length: FUNDED_ACCOUNTS }, (_, index) => ({
    address: devnetAccount(index).address,
    balances: [{ token: 0, amount: FUNDED_BALANCE }],
    collateral: FUNDED_COLLATERAL,
  }));
  return {
    maxAccounts: MAX_ACCOUNTS,
    orderPages: ORDER_PAGES,
    tokens: [{ name: 'USDC', decimals: 6 }],
    markets: DEVNET_MARKETS.map(marketParameters),
    reporters: [{ address: ORACLE, stake: 1n }],
    backstop: BACKSTOP,
    // Sub-accounts and scheduled cancels are there to be tried, without having traded first.
    exchange: { subAccountsFirstVolume: 0n },
    accounts: [
      ...funded,
      { address: ORACLE, collateral: USD },
      ...[...MAKERS, ...TAKERS].map((address) => ({ address, collateral: ACTOR_COLLATERAL })),
      { address: BACKSTOP, collateral: BACKSTOP_COLLATERAL },
    ],
  };
}
