/** Accounts of flows: addresses that tell where they come from, funded so that margin never decides anything. */
import type { Genesis } from '../exchange/genesis.ts';

type Account = Genesis['accounts'][number];

/** Far above what any position of a flow can lose, and below what would overflow (a deposit's bound is 2^59). */
const COLLATERAL = 2n ** 57n;

/** The address of account number `n` of a flow. */
export function flowAddress(number: number): string {
  return `0x${(number + 1).toString(16).padStart(40, '0')}`;
}

export function flowAccounts(count: number): Account[] {
  return Array.from({ length: count }, (_, number) => ({ address: flowAddress(number), collateral: COLLATERAL }));
}
