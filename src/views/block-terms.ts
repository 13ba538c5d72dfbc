/**
 * What a block is to be found by in the store: accounts, orders, client ids, transactions and markets that something happened to.
 *
 * Read off transactions and events alone. Accounts that are named by number are found with `addressOf`, which must know those that the block
 * has made (`Views.addressOfNumber` does once it has taken the block in).
 */
import * as X from '../exchange/layout.ts';
import type { Address, ClientId, Transaction } from '../ledger/transactions.ts';
import type { BlockTerms } from '../storage/index.ts';
import { codeOf, eventsOf, type LedgerEvent } from './events.ts';
import type { ReadableBlock } from './facts.ts';
import { NOBODY } from './facts.ts';

export interface TermNames {
  /** By number of the ledger. Undefined: no account has had it. */
  readonly addressOf: (account: number) => Address | undefined;
  /** Whom a sender acts for: the owner of an agent, else the sender. */
  readonly ownerOf: (sender: Address) => Address;
}

export function blockTerms({ transactions, hashes, receipts }: ReadableBlock, { addressOf, ownerOf }: TermNames): BlockTerms {
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
