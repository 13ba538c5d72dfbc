/**
 * Blocks and transactions as the protocol's explorer shows them: `POST /explorer` and its two streams.
 *
 * Answers come from the store, so they are of blocks that are final; `explorerTxs` shows transactions when they are confirmed, `explorerBlock`
 * blocks when they are settled.
 * Not here: the hash of a transaction (src/views/transaction-name.ts).
 */

import { CODE_OK } from '../base/codes.ts';
import { decodeHeader, headerHash } from '../commitment/header.ts';
import { messageOfCode } from '../exchange/messages.ts';
import { decodeBlock, decodeTransaction, encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Transaction } from '../ledger/transactions.ts';
import type { ConfirmedBlock, Settlement } from '../node/index.ts';
import type { Store } from '../storage/index.ts';
import { transactionHash } from '../views/index.ts';
import { asObject, naturalAt, textAt } from './json-input.ts';
import { MalformedRequest } from './malformed-request.ts';
import type { StreamMessage, StreamsPort } from './streams-port.ts';

/** One operator makes all blocks. */
const PROPOSER = `0x${'0'.repeat(40)}`;
const USER_TRANSACTIONS_MAX = 100;
const SNAPSHOT_BLOCKS = 20;

interface ExplorerBlock {
  readonly blockTime: number;
  readonly hash: string;
  readonly height: number;
  readonly numTxs: number;
  readonly proposer: string;
}

interface ExplorerTransaction {
  readonly action: { readonly type: string };
  readonly block: number;
  readonly error: string | null;
  readonly hash: string;
  readonly time: number;
  readonly user: string;
}

type Sink = (message: StreamMessage) => void;

export class Explorer implements StreamsPort {
  private readonly store: Store;
  private readonly blockSinks = new Set<Sink>();
  private readonly transactionSinks = new Set<Sink>();
  private readonly newest: ExplorerBlock[] = [];
  /** Transactions of blocks that are confirmed and not settled yet. */
  private readonly counts = new Map<number, number>();

  constructor(store: Store) {
    this.store = store;
  }

  /** Throws MalformedRequest. */
  answer(request: unknown): unknown {
    const object = asObject(request, 'the request');
    const type = textAt(object, 'type');
    if (type === 'blockDetails') return { type, blockDetails: this.block(naturalAt(object, 'height')) };
    if (type === 'txDetails') return { type, tx: this.transaction(textAt(object, 'hash')) };
    if (type === 'userDetails') return { type, txs: this.transactionsOf(textAt(object, 'user')) };
    throw new MalformedRequest('an unknown type');
  }

  subscribe(subscription: unknown, sink: Sink): () => void {
    const isBlocks = textAt(asObject(subscription, 'the subscription'), 'type') === 'explorerBlock';
    const sinks = isBlocks ? this.blockSinks : this.transactionSinks;
    sinks.add(sink);
    if (isBlocks && this.newest.length > 0) {
      sink({ channel: 'explorerBlock', data: this.newest.toReversed(), height: (this.newest.at(-1) as ExplorerBlock).height });
    }
    return () => sinks.delete(sink);
  }

  /** For the pipeline. */
  confirmed(block: ConfirmedBlock): void {
    const { number, timeMs, transactions, hashes, receipts } = block;
    this.counts.set(number, transactions.length);
    if (this.transactionSinks.size === 0) return;
    // As the store gives them back: fields that were sent along are none of theirs, and all are in one order.
    const data = transactions.map((transaction, i) => {
      const kept = decodeTransaction(encodeTransaction(transaction));
      return shown(kept, hashes[i] as Uint8Array, receipts[i], number, timeMs);
    });
    for (const sink of this.transactionSinks) sink({ channel: 'explorerTxs', data, height: number });
  }

  /** For the pipeline. */
  settled({ header, hash }: Settlement): void {
    const { height, timeMs } = header;
    const block = { blockTime: timeMs, hash: hex(hash), height, numTxs: this.counts.get(height) ?? 0, proposer: PROPOSER };
    this.counts.delete(height);
    this.newest.push(block);
    if (this.newest.length > SNAPSHOT_BLOCKS) this.newest.shift();
    for (const sink of this.blockSinks) sink({ channel: 'explorerBlock', data: [block], height });
  }

  /** Of every transaction with this hash that is in a settled block behind a height, in their order. */
  resultsOf(hash: string, after: number): number[] {
    const places = this.store.placesOfTransaction(new Uint8Array(Buffer.from(hash.slice(2), 'hex')), { from: after + 1 });
    return places.flatMap(({ height, index }) => {
      const receipt = this.stored(height)?.receipts[index];
      return receipt === undefined ? [] : [resultIn(receipt)];
    });
  }

  private block(height: number): unknown {
    const found = this.stored(height);
    if (found === undefined) return null;
    const { hash, timeMs, transactions, receipts } = found;
    const txs = transactions.map((transaction, i) => shown(transaction, transactionHash(transaction), receipts[i], height, timeMs));
    return { blockTime: timeMs, hash, height, numTxs: txs.length, proposer: PROPOSER, txs };
  }

  private transaction(hash: string): ExplorerTransaction | null {
    if (!/^0x[0-9a-fA-F]{64}$/.test(hash)) throw new MalformedRequest('hash is no hash');
    const [place] = this.store.placesOfTransaction(new Uint8Array(Buffer.from(hash.slice(2), 'hex')), { limit: 1 });
    const found = place === undefined ? undefined : this.stored(place.height);
    const transaction = found?.transactions[place?.index ?? 0];
    if (place === undefined || found === undefined || transaction === undefined) return null;
    return shown(transaction, transactionHash(transaction), found.receipts[place.index], place.height, found.timeMs);
  }

  private transactionsOf(user: string): readonly ExplorerTransaction[] {
    if (!/^0x[0-9a-fA-F]{40}$/.test(user)) throw new MalformedRequest('user is not an address');
    const address = user.toLowerCase();
    const found: ExplorerTransaction[] = [];
    for (const height of this.store.heightsOfAccount(address, { newestFirst: true, limit: USER_TRANSACTIONS_MAX })) {
      const block = this.stored(height);
      for (const [i, transaction] of [...(block?.transactions ?? []).entries()].toReversed()) {
        if (transaction.sender !== address) continue;
        found.push(shown(transaction, transactionHash(transaction), block?.receipts[i], height, block?.timeMs ?? 0));
        if (found.length === USER_TRANSACTIONS_MAX) return found;
      }
    }
    return found;
  }

  private stored(
    height: number,
  ): { hash: string; timeMs: number; transactions: readonly Transaction[]; receipts: readonly Uint8Array[] } | undefined {
    if (height === 0) return undefined;
    const { store } = this;
    const [header, body, receipts] = [store.header(height), store.body(height), store.receipts(height)];
    if (header === undefined || body === undefined || receipts === undefined) return undefined;
    const decoded = decodeHeader(header);
    return {
      hash: hex(headerHash(decoded)),
      timeMs: decoded.timeMs,
      transactions: decodeBlock(body).transactions,
      receipts: unpacked(receipts),
    };
  }
}

/** As `packedReceipts` of the node has them: each with its length in front. */
function unpacked(bytes: Uint8Array): Uint8Array[] {
  const receipts: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at, true);
    receipts.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return receipts;
}

const resultIn = (receipt: Uint8Array): number => new DataView(receipt.buffer, receipt.byteOffset).getUint32(0, true);

/** The ledger's own words for what was asked: the protocol's form of an action is not kept. */
function shown(
  transaction: Transaction,
  hash: Uint8Array,
  receipt: Uint8Array | undefined,
  block: number,
  timeMs: number,
): ExplorerTransaction {
  const { kind, sender, nonce: _, ...fields } = transaction;
  const result = receipt === undefined ? CODE_OK : resultIn(receipt);
  return {
    action: { type: kind, ...plainJson(fields) },
    block,
    error: result === CODE_OK ? null : messageOfCode(result, { kind, user: sender }),
    hash: hex(hash),
    time: timeMs,
    user: sender,
  };
}

function plainJson(fields: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(fields, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)));
}

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;
