/** What the explorer's stream says of a block is what the store says of it later: the hashes that the block has, and fields as they are encoded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PackedChanges } from '../base/packed-changes.ts';
import type { Transaction } from '../ledger/transactions.ts';
import type { Store } from '../storage/index.ts';
import { Explorer } from './explorer.ts';
import type { StreamMessage } from './streams-port.ts';

const [ANN, BEN] = ['11', '22'].map((two) => `0x${two.repeat(20)}`) as [string, string];

test('transactions of the stream have the fields of their encoding, in its order', () => {
  const explorer = new Explorer({} as Store);
  const told: StreamMessage[] = [];
  explorer.subscribe({ type: 'explorerTxs' }, (message) => told.push(message));
  const sent = { comment: 'of no meaning', amount: 5n, nonce: 7n, recipient: BEN, sender: ANN, kind: 'sendPerp' };
  explorer.confirmed({
    number: 3,
    timeMs: 9,
    firstOrdinal: 1n,
    transactions: [sent as unknown as Transaction],
    hashes: [new Uint8Array(32).fill(0xab)],
    receipts: [new Uint8Array(4)],
    changes: new PackedChanges([]),
  });
  const action = { type: 'sendPerp', recipient: BEN, amount: '5' };
  const shown = { action, block: 3, error: null, hash: `0x${'ab'.repeat(32)}`, time: 9, user: ANN };
  assert.equal(JSON.stringify(told), JSON.stringify([{ channel: 'explorerTxs', data: [shown], height: 3 }]));
});
