/** What a block is to be found by: every account, order, client id and market that an event or an item names, in the keys of the naive twin. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as X from '../exchange/layout.ts';
import * as L from '../ledger/layout.ts';
import { encodeTransaction } from '../ledger/transaction-codec.ts';
import type { OrderItem, Transaction } from '../ledger/transactions.ts';
import { executedBlocks } from '../simulator/executed-blocks.ts';
import { randomGenesis } from '../simulator/random-genesis.ts';
import { codeOf, eventsOf } from './events.ts';
import { blockTerms, Views } from './index.ts';
import { naiveKeys, naiveTerms } from './naive-block-terms.ts';

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
      const terms = naiveTerms(block, names);
      assert.deepEqual(blockTerms(block, names), naiveKeys(terms, block.number, block.timeMs));
      const orders = new Set(Array.from(terms.orders, ({ oid, index }) => `${oid} ${index}`));
      for (const { sender } of block.transactions) assert.ok(terms.accounts.has(sender));
      for (const [index, receipt] of block.receipts.entries()) {
        for (const event of codeOf(receipt) === 0 ? eventsOf(receipt) : []) {
          if (event.kind !== 'fill') continue;
          for (const account of [event.taker, event.maker]) assert.ok(terms.accounts.has(views.addressOfNumber(account) ?? ''));
          for (const oid of [event.takerOid, event.makerOid]) assert.ok(oid === 0n || orders.has(`${oid} ${index}`));
          assert.ok(terms.markets.has(event.market));
        }
      }
      for (const { account, clientId, index } of terms.clientIds) {
        const transaction = block.transactions[index];
        assert.ok(terms.accounts.has(account));
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

// --- Blocks of anything -----------------------------------------------------------------------------------------------------------------

const LENGTHS = new Map<number, number>([
  [X.EVENT_ITEM, X.EVENT_ITEM_BYTES],
  [X.EVENT_FILL, X.EVENT_FILL_BYTES],
  [X.EVENT_CANCEL, X.EVENT_CANCEL_BYTES],
  [X.EVENT_ACTIVE, X.EVENT_ACTIVE_BYTES],
  [X.EVENT_FORCED, X.EVENT_FORCED_BYTES],
  [X.EVENT_FUNDING, X.EVENT_FUNDING_BYTES],
  [X.EVENT_MONEY, X.EVENT_MONEY_BYTES],
  [X.EVENT_CREATED, X.EVENT_CREATED_BYTES],
  [L.EVENT_TRANSFER, L.EVENT_TRANSFER_BYTES],
  [200, 12],
]);
const two = (text: string) => `0x${text.repeat(20)}`;
const address = fc.constantFrom('11', '22', '33', 'ef').map(two);
const clientId = fc.constantFrom('44', '55', 'ab').map((text) => `0x${text.repeat(16)}`);
const word = fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 5, 0xffffffff), fc.nat(0xffffffff));
const event = fc.record({ kind: fc.constantFrom(...LENGTHS.keys()), words: fc.array(word, { minLength: 28, maxLength: 28 }) });
const oid = fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(0n, 2n ** 64n - 1n));
const market = fc.oneof(fc.nat(3), fc.constant(0xffffffff));
const item: fc.Arbitrary<OrderItem> = fc.oneof(
  fc
    .record({ market, clientId: fc.option(clientId, { nil: undefined }), target: fc.oneof(oid, clientId), isModify: fc.boolean() })
    .map(({ market: index, clientId: id, target, isModify }) => {
      const terms = {
        market: index,
        side: 'buy',
        tif: 'gtc',
        priceTicks: 1,
        sizeLots: 1n,
        ...(id === undefined ? {} : { clientId: id }),
      } as const;
      return (isModify ? { op: 'modify', target, ...terms } : { op: 'place', ...terms }) as OrderItem;
    }),
  fc.record({ market, oid }).map((fields) => ({ op: 'cancel', ...fields }) as const),
  fc.record({ market, target: clientId }).map((fields) => ({ op: 'cancelByClientId', ...fields }) as const),
);
const transaction: fc.Arbitrary<Transaction> = fc
  .record({ sender: address, behalf: fc.option(address), user: fc.option(address), items: fc.option(fc.array(item, { maxLength: 6 })) })
  .map(({ sender, behalf, user, items }) => ({
    sender,
    ...(behalf === null ? {} : { behalf }),
    ...(user === null ? {} : { multiSig: { user, signers: [] } }),
    ...(items === null ? ({ kind: 'noop' } as const) : ({ kind: 'orders', items } as const)),
  }));
const receipt = fc.record({ code: fc.constantFrom(0, 0, 7), events: fc.array(event, { maxLength: 40 }) }).map(({ code, events }) => {
  const parts = events.map(({ kind, words }) => {
    const bytes = Buffer.alloc(LENGTHS.get(kind) as number);
    bytes.writeUInt32LE((kind | (bytes.length << 8)) >>> 0);
    for (let at = 4; at < bytes.length; at += 4) bytes.writeUInt32LE(words[at / 4] as number, at);
    return bytes;
  });
  return new Uint8Array(Buffer.concat([Uint8Array.of(code, 0, 0, 0), ...parts]));
});
const block = fc
  .record({
    number: fc.nat(2 ** 31 - 1).map((n) => n * 2 ** 16 + 1),
    timeMs: fc.nat(2 ** 31 - 1).map((n) => n * 2 ** 16 + 2),
    transactions: fc.array(transaction, { maxLength: 30 }),
    receipts: fc.array(receipt, { minLength: 30, maxLength: 40 }),
  })
  .map((fields) => ({ ...fields, firstOrdinal: 1n, hashes: fields.transactions.map((_, i) => new Uint8Array(32).fill(i)) }));

test('of blocks of any transactions and events the keys are those of the naive twin, whatever block was told before', () => {
  const names = {
    addressOf: (account: number) => (account % 3 === 2 ? undefined : two((account % 251).toString(16).padStart(2, '0'))),
    ownerOf: (sender: string) => (sender === two('11') ? two('22') : sender),
  };
  fc.assert(
    fc.property(block, (any) => {
      assert.deepEqual(blockTerms(any, names), naiveKeys(naiveTerms(any, names), any.number, any.timeMs));
    }),
    { numRuns: 300 },
  );
});
