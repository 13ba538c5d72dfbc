/** Addresses of the scenario's accounts, and its genesis: markets with tiers, funded accounts, reporters and the backstop vault. */
import type { Genesis } from '../exchange/genesis.ts';
import type { Address } from '../ledger/transactions.ts';
import { type Population, REPORTER_STAKES } from './population.ts';

/** Order slots: a maker quotes up to 14 markets with ten orders each. */
const ORDER_PAGES = 3;
/** The vault keeps five times of what an account at 40x has left when it is taken over. */
const BACKSTOP_MARGIN_PPM = 50_000;

export function addressOf(account: number): Address {
  return `0x${(account + 1).toString(16).padStart(40, '0')}`;
}

export function crashGenesis(population: Population): Genesis {
  const { accounts, markets, collateral, reserve, vault } = population;
  return {
    maxAccounts: accounts,
    orderPages: ORDER_PAGES,
    tokens: [{ name: 'USDC', decimals: 6 }],
    markets: markets.map(({ parameters }) => parameters),
    reporters: REPORTER_STAKES.map((stake, index) => ({ address: addressOf(population.reporter(index)), stake })),
    exchange: { backstopMarginPpm: BACKSTOP_MARGIN_PPM },
    backstop: addressOf(vault),
    accounts: Array.from({ length: accounts }, (_, account) => {
      const spare = reserve[account] as number;
      return {
        address: addressOf(account),
        collateral: BigInt(collateral[account] as number),
        ...(spare > 0 ? { balances: [{ token: 0, amount: BigInt(spare) }] } : {}),
      };
    }),
  };
}
