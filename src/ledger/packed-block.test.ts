/** Packed blocks: what goes in comes out, and nothing else does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { packBlock, packedTransactions, unpackBlock } from './packed-block.ts';
import { encodeTransaction } from './transaction-codec.ts';
import type { Transaction } from './transactions.ts';

const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;
const transfer = (n: number): Transaction => ({
  kind: 'transfer',
  sender: address(n),
  recipient: address(n + 1),
  token: 0,
  amount: BigInt(n),
  nonce: 5n,
});

test('a packed block comes back, and its transactions lie in it as they are hashed', () => {
  for (const count of [0, 1, 2, 40]) {
    const transactions = Array.from({ length: count }, (_, i) => transfer(i));
    const encoded = transactions.map(encodeTransaction);
    const body = packBlock(7, 1_760_000_000_123, encoded);
    assert.deepEqual(unpackBlock(body), { number: 7, timeMs: 1_760_000_000_123, transactions });
    const packed = packedTransactions(body);
    assert.equal(
      packed.length,
      encoded.reduce((sum, { length }) => sum + 4 + length, 0),
    );
    if (count > 0) assert.deepEqual(Buffer.from(packed.subarray(4, 4 + (encoded[0]?.length ?? 0))), Buffer.from(encoded[0] ?? []));
  }
});

test('damaged bytes are refused, or are the packed form of another block', () => {
  const random = new Random(3);
  const good = packBlock(9, 1_760_000_000_000, [1, 2, 3].map(transfer).map(encodeTransaction));
  let refused = 0;
  for (let i = 0; i < 5000; i++) {
    let bytes = Uint8Array.from(good);
    const at = random.below(bytes.length);
    const way = random.below(3);
    if (way === 0) bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    else if (way === 1) bytes = bytes.slice(0, at);
    else bytes = Uint8Array.from([...bytes.subarray(0, at), random.below(256), ...bytes.subarray(at)]);
    try {
      const { number, timeMs, transactions } = unpackBlock(bytes);
      assert.deepEqual(packBlock(number, timeMs, transactions.map(encodeTransaction)), bytes);
    } catch (error) {
      assert.ok(error instanceof HeddleError && ['MALFORMED', 'UNKNOWN_VERSION'].includes(error.code), `${error}`);
      refused++;
    }
  }
  assert.ok(refused > 1000 && refused < 5000, `${refused} refused`);
});
