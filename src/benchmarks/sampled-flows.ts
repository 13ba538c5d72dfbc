/** Flows whose blocks are measured for their size: as clients send them, and in the kernel's form, one block after the other. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { loadGenesis, loadTransactions } from '../cli/load-flow.ts';
import type { Genesis } from '../exchange/genesis.ts';
import type { PreparedBlock } from '../execution/api.ts';
import type { Engine } from '../execution/index.ts';
import type { Address, Block, Transaction } from '../ledger/transactions.ts';
import { GeneratedFlow, loadRecording, OrderFlow } from '../market/index.ts';
import { ClientBlocks, hashedAddress } from './client-blocks.ts';

export interface SampledFlow {
  readonly name: string;
  readonly genesis: Genesis;
  /** `prepared` is what the engine executes, and has to be before the next one is asked for. */
  blocks(engine: Engine): Iterable<{ readonly block: Block; readonly prepared: PreparedBlock }>;
}

const MARKETS = 100;
const RESTING_ORDERS = 200;
const START_MS = 1_760_000_000_000;
const BLOCK_INTERVAL_MS = 100;
const RECORDINGS = ['usdm_btcusdt_20240808.gz', 'spot_btcusdt_20240808.gz'];

/** The flow of `heddle load`, with addresses that look like those of keys. */
export function loadFlow(blockSize: number, transactions: number, seed: number): SampledFlow {
  return {
    name: 'load',
    genesis: loadGenesis(),
    *blocks(engine) {
      const all = [...loadTransactions(transactions, seed, START_MS)];
      for (let number = 1; (number - 1) * blockSize < all.length; number++) {
        const own = all.slice((number - 1) * blockSize, number * blockSize);
        const block = { number, timeMs: START_MS + number * BLOCK_INTERVAL_MS, transactions: own };
        yield { block: { ...block, transactions: own.map(withHashedAddresses) }, prepared: engine.prepare(block) };
      }
    },
  };
}

const hashed = new Map<Address, Address>();

function hashedOf(address: Address): Address {
  const known = hashed.get(address) ?? hashedAddress(address);
  hashed.set(address, known);
  return known;
}

function withHashedAddresses(transaction: Transaction): Transaction {
  const sender = hashedOf(transaction.sender);
  return transaction.kind === 'transfer'
    ? { ...transaction, sender, recipient: hashedOf(transaction.recipient) }
    : { ...transaction, sender };
}

/** The flow that `heddle replay` makes where no recording is named, in a hundred markets with fewer orders. */
export function generatedFlow(blockSize: number, commands: number, seed: number): SampledFlow {
  const flow = new GeneratedFlow({ markets: MARKETS, restingOrders: RESTING_ORDERS, blockSize, seed });
  return {
    name: 'generated',
    genesis: flow.genesis,
    *blocks() {
      const clients = new ClientBlocks(seed);
      for (const prepared of flow.setup()) yield { block: clients.next(prepared), prepared };
      for (const prepared of flow.blocks(commands)) yield { block: clients.next(prepared), prepared };
    },
  };
}

/** The beginning of the recorded market; undefined if the recordings are not there. */
export async function recordedFlow(
  dataFolder: string,
  blockSize: number,
  transactions: number,
  seed: number,
): Promise<SampledFlow | undefined> {
  const paths = RECORDINGS.map((name) => join(dataFolder, 'market', name));
  for (const path of paths) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (!isThere) return undefined;
  }
  const [recording, reference] = await Promise.all(paths.map(loadRecording));
  if (recording === undefined || reference === undefined) return undefined;
  const flow = new OrderFlow({ recording, reference, blockSize });
  return {
    name: 'recorded',
    genesis: flow.genesis,
    *blocks() {
      const clients = new ClientBlocks(seed);
      let done = 0;
      for (const { block: prepared } of flow.blocks()) {
        yield { block: clients.next(prepared), prepared };
        done += prepared.count;
        if (done >= transactions) return;
      }
    },
  };
}
