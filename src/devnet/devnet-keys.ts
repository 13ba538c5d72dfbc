/**
 * Keys that everybody knows, for accounts of the development chain, and addresses of its own actors, which nobody has a key of.
 * Never for anything of value: they follow from texts that stand here.
 */
import { createHash } from 'node:crypto';
import type { Address } from '../ledger/transactions.ts';
import { SignerKey } from '../sdk/signer-key.ts';

export interface DevnetAccount {
  readonly address: Address;
  /** 0x and 64 hex digits. */
  readonly privateKey: `0x${string}`;
}

export function devnetAccount(index: number): DevnetAccount {
  const privateKey = `0x${createHash('sha256').update(`heddle development key ${index}`).digest('hex')}` as const;
  return { address: new SignerKey(privateKey).address, privateKey };
}

/** `name`: who it is on the chain, say `maker 1`. */
export function actorAddress(name: string): Address {
  return `0x${createHash('sha256').update(`heddle development actor ${name}`).digest('hex').slice(0, 40)}`;
}
