/**
 * The naive twin of block-terms.ts: what a block is to be found by as sets of objects and texts, and their keys one by one.
 */
import * as X from '../exchange/layout.ts';
import type { Address, ClientId, Transaction } from '../ledger/transactions.ts';
import type { TermNames } from './block-terms.ts';
import { codeOf, eventsOf, type LedgerEvent } from './events.ts';
import type { ReadableBlock } from './facts.ts';
import { NOBODY } from './facts.ts';

export interface NaiveTerms {
  readonly accounts: ReadonlySet<Address>;
  readonly orders: readonly { readonly oid: bigint; readonly index: number }[];
  readonly clientIds: readonly { readonly account: Address; readonly clientId: ClientId; readonly index: number }[];
  readonly hashes: readonly Uint8Array[];
  readonly markets: ReadonlySet<number>;
}

export function naiveTerms({ transactions, hashes, receipts }: ReadableBlock, { addressOf, ownerOf }: TermNames): NaiveTerms {
  const accounts = new Set<Address>();
  const orders: { readonly oid: bigint; readonly index: number }[] = [];
  const clientIds: { readonly account: Address; readonly clientId: ClientId; readonly index: number }[] = [];
  const markets = new Set<number>();
  // Of one transaction.
  const oids = new Set<bigint>();
  const ownIds = new Set<ClientId>();
  const addAccount = (number: number): void => {
    const address = number === NOBODY ? undefined : addressOf(number);
    if (address !== undefined) accounts.add(address);
  };
  receipts.forEach((receipt, index) => {
    const transaction = transactions[index];
    const actor = transaction && actorOf(transaction, ownerOf);
    if (transaction !== undefined && actor !== undefined) {
      accounts.add(transaction.sender);
      accounts.add(actor);
    }
    if (codeOf(receipt) !== 0) return;
    if (transaction?.kind === 'orders' && actor !== undefined) {
      for (const item of transaction.items) {
        markets.add(item.market);
        if ('target' in item) {
          if (typeof item.target === 'bigint') oids.add(item.target);
          else ownIds.add(item.target);
        }
        if ((item.op === 'place' || item.op === 'modify') && item.clientId !== undefined) ownIds.add(item.clientId);
      }
    }
    for (const event of eventsOf(receipt)) {
      for (const account of accountsOf(event)) addAccount(account);
      for (const oid of oidsOf(event)) oids.add(oid);
      if ('market' in event && event.market !== NOBODY) markets.add(event.market);
    }
    for (const oid of oids) if (oid !== 0n) orders.push({ oid, index });
    for (const clientId of ownIds) clientIds.push({ account: actor as Address, clientId, index });
    oids.clear();
    ownIds.clear();
  });
  return { accounts, orders, clientIds, hashes, markets };
}

function actorOf({ sender, behalf, multiSig }: Transaction, ownerOf: TermNames['ownerOf']): Address {
  return behalf ?? multiSig?.user ?? ownerOf(sender);
}

function accountsOf(event: LedgerEvent): number[] {
  switch (event.kind) {
    case 'fill':
      return [event.taker, event.maker];
    case 'cancel':
    case 'active':
      return [event.account];
    case 'forced':
      return [event.account, event.counterparty];
    case 'money':
      return [event.from, event.to];
    case 'created':
      return [event.account, event.owner];
    case 'transfer':
      return [event.sender, event.recipient];
    default:
      return [];
  }
}

function oidsOf(event: LedgerEvent): bigint[] {
  switch (event.kind) {
    case 'fill':
      return [event.takerOid, event.makerOid];
    case 'item':
    case 'cancel':
      return [event.oid];
    case 'active':
      // Of TWAPs it is their id.
      return event.what === X.ACTIVE_TRIGGERED || event.what === X.ACTIVE_CHILD ? [event.oid] : [];
    default:
      return [];
  }
}

/** As src/storage/index-keys.ts has them. */
export function naiveKeys({ accounts, orders, clientIds, hashes, markets }: NaiveTerms, height: number, timeMs: number): Uint8Array {
  const at = number(height, 6);
  return new Uint8Array(
    Buffer.concat([
      ...[...accounts].flatMap((account) => [number(1, 1), bytes(account), at]),
      ...orders.flatMap(({ oid, index }) => [number(2, 1), wide(oid), at, number(index, 4)]),
      ...clientIds.flatMap(({ account, clientId, index }) => [number(3, 1), bytes(account), bytes(clientId), at, number(index, 4)]),
      ...hashes.flatMap((hash, index) => [number(4, 1), hash, at, number(index, 4)]),
      ...[...markets].flatMap((market) => [number(5, 1), number(market, 4), number(timeMs, 6), at]),
    ]),
  );
}

function number(value: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}

function wide(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text.slice(2), 'hex');
}
