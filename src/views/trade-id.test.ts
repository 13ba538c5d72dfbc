/** Ids of trades are those of the formula on bigints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tradeId } from './trade-id.ts';

function plainId(buyer: bigint, seller: bigint, height: number, place: number): number {
  let x = BigInt.asUintN(64, (buyer * 0x9e3779b97f4a7c15n) ^ (seller + 0x632be59bd9b4e019n));
  x = BigInt.asUintN(64, (x ^ (x >> 31n)) * 0xbf58476d1ce4e5b9n) ^ (BigInt(height) << 20n) ^ BigInt(place);
  x = BigInt.asUintN(64, (x ^ (x >> 27n)) * 0x94d049bb133111ebn);
  return Number(BigInt.asUintN(50, x ^ (x >> 31n)));
}

test('ids are those of the formula', () => {
  const oid = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(oid, oid, fc.nat(2 ** 44 - 1), fc.oneof(fc.constant(-1), fc.nat(2 ** 31 - 1)), (buyer, seller, height, place) => {
      assert.equal(tradeId(buyer, seller, height, place), plainId(buyer, seller, height, place));
    }),
    { numRuns: 5_000 },
  );
});
