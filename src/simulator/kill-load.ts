/** The load of the kill loop: transfers from a few thousand accounts to one, each known by its number. */
import type { Genesis } from '../exchange/genesis.ts';
import type { Transaction } from '../ledger/transactions.ts';

export const KILL_ENGINE = { memoryMiB: 1536, keyCapacity: 1 << 15, keySeed: 5n };
const SENDERS = 4096;
const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
/** Has been sent one unit by every transfer. */
export const KILL_RECIPIENT = SENDERS;

export function killGenesis(): Genesis {
  return {
    maxAccounts: SENDERS + 1,
    orderPages: 1,
    tokens: [{ name: 'USDC', decimals: 6 }],
    markets: [],
    accounts: Array.from({ length: SENDERS }, (_, i) => ({ address: address(i + 1), balances: [{ token: 0, amount: 1_000_000_000n }] })),
  };
}

/** Its nonce is the time at which the loop began, and its number. */
export function killTransfer(number: number, startMs: number): Transaction {
  const sender = address(1 + (number % SENDERS));
  return { kind: 'transfer', sender, recipient: address(SENDERS + 1), token: 0, amount: 1n, nonce: BigInt(startMs + number) };
}
