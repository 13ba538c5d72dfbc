/** What a block is to be found by: every account, order, client id and market that an event or an item names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Transaction } from '../ledger/transactions.ts';
import { executedBlocks } from '../simulator/executed-blocks.ts';
import { randomGenesis } from '../simulator/random-genesis.ts';
import { codeOf, eventsOf } from './events.ts';
import { blockTerms, transactionHash, Views } from './index.ts';

const canBeEncoded = (transaction: Transaction): boolean => {
  try {
    encodeTransaction(transaction);
    return true;
  } catch {
    return false;
  }
};

for (const seed of [0, 1, 3, 5]) {
  test(`terms of random blocks, seed ${seed}`, async () => {
    const genesis = randomGenesis(seed);
    const views = Views.open({ genesis });
    const names = { addressOf: views.addressOfNumber, ownerOf: (sender: string) => views.ownerOf(sender) };
    for await (const { block } of executedBlocks(seed, genesis)) {
      views.confirm(block);
      // What cannot be encoded is in no journal.
      if (!block.transactions.every(canBeEncoded)) continue;
      const terms = blockTerms(block, names);
      const accounts = new Set(terms.accounts);
      const orders = new Set(Array.from(terms.orders, ({ oid, index }) => `${oid} ${index}`));
      const markets = new Set(terms.markets);
      assert.equal(orders.size, [...terms.orders].length, 'each once');
      assert.deepEqual(terms.hashes, block.transactions.map(transactionHash));
      for (const { sender } of block.transactions) assert.ok(accounts.has(sender));
      for (const [index, receipt] of block.receipts.entries()) {
        for (const event of codeOf(receipt) === 0 ? eventsOf(receipt) : []) {
          if (event.kind !== 'fill') continue;
          for (const account of [event.taker, event.maker]) assert.ok(accounts.has(views.addressOfNumber(account) ?? ''));
          for (const oid of [event.takerOid, event.makerOid]) assert.ok(oid === 0n || orders.has(`${oid} ${index}`));
          assert.ok(markets.has(event.market));
        }
      }
      for (const { account, clientId, index } of terms.clientIds) {
        const transaction = block.transactions[index];
        assert.ok(accounts.has(account));
        assert.ok(
          transaction?.kind === 'orders' &&
            transaction.items.some(
              (item) => ('clientId' in item && item.clientId === clientId) || ('target' in item && item.target === clientId),
            ),
        );
      }
    }
  });
}
