/** A small node for tests: some accounts, a market, and blocks of transfers and orders that are the same however often they are made. */
import type { Genesis } from '../exchange/genesis.ts';
import { sampleMarket } from '../exchange/sample-market.ts';
import type { Transaction } from '../ledger/transactions.ts';
import { createFolder, openFolder } from './folder.ts';
import type { Pipeline } from './pipeline.ts';

export const SAMPLE_ENGINE = { memoryMiB: 1536, keyCapacity: 1 << 13, keySeed: 5n };
const START_MS = 1_760_000_000_000;
const SENDERS = 16;
const BLOCK_TRANSACTIONS = 12;

const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;

/** `accounts`: their records decide how many chunks a snapshot has. */
export function sampleGenesis(accounts = 64): Genesis {
  return {
    maxAccounts: accounts + 1,
    orderPages: 1,
    tokens: [{ name: '5n', decimals: 6 }],
    markets: [sampleMarket()],
    oracle: address(1),
    accounts: Array.from({ length: accounts }, (_, i) => ({
      address: address(i + 1),
      balances: [{ token: 0, amount: 10n ** 12n }],
      collateral: 10n ** 12n,
    })),
  };
}

function transaction(number: number): Transaction {
  const sender = address(1 + (number % SENDERS));
  const nonce = BigInt(START_MS + number);
  if (number % 3 === 0) return { kind: 'transfer', sender, nonce, recipient: address(1 + ((number * 7) % SENDERS)), token: 0, amount: 5n };
  const side = number % 2 === 0 ? 'buy' : 'sell';
  return {
    kind: 'orders',
    sender,
    nonce,
    items: [{ op: 'place', market: 0, side, tif: 'gtc', priceTicks: 990 + ((number * 13) % 20), sizeLots: BigInt(1 + (number % 7)) }],
  };
}

/** Starts the node, runs blocks up to this height, and stops it: the hash of the last header. */
export async function growFolder(dir: string, height: number): Promise<string> {
  let pipeline: Pipeline | undefined;
  const next = () => (pipeline?.settled?.header.height ?? 0) + 1;
  pipeline = await openFolder(dir, { model: 'serial', engine: SAMPLE_ENGINE, joinMs: 0, clock: () => START_MS + 100 * next() });
  for (let block = next(); block <= height; block = next()) {
    const numbers = Array.from({ length: BLOCK_TRANSACTIONS }, (_, i) => block * BLOCK_TRANSACTIONS + i);
    const tickets = numbers.map((number) => (pipeline as Pipeline).submit(transaction(number)));
    await Promise.all(tickets.map(({ settled }) => settled));
  }
  await pipeline.close();
  return Buffer.from(pipeline.settled?.hash ?? []).toString('hex');
}

export async function sampleFolder(dir: string, height: number, accounts?: number): Promise<string> {
  await createFolder(dir, sampleGenesis(accounts));
  return growFolder(dir, height);
}
