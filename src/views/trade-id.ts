/**
 * Ids of trades. The protocol's are hashes of the two oids; with the place in the chain they are also different for every trade.
 *
 * The hash is splitmix64's finish over numbers of 64 bits, on halves of 32: numbers of 64 bits would be objects. trade-id.test.ts has it on bigints.
 */
import { highWord, lowWord } from './packed-words.ts';

const HIGH_BITS = 18;
const WORD = 2 ** 32;

/** A product's halves: what a function gives besides its result would be an object. */
let high = 0;
let low = 0;

/** 50 bits. `buyer`, `seller`: oids. `height`: below 2^44. `place`: among the trades of the block; -1: behind all of them. */
export function tradeId(buyer: bigint, seller: bigint, height: number, place: number): number {
  multiply(highWord(buyer), lowWord(buyer), 0x9e3779b9, 0x7f4a7c15);
  const sellerLow = lowWord(seller) + 0xd9b4e019;
  low ^= sellerLow | 0;
  high ^= (highWord(seller) + 0x632be59b + (sellerLow >= WORD ? 1 : 0)) | 0;
  multiply(high ^ (high >>> 31), low ^ ((low >>> 31) | (high << 1)), 0xbf58476d, 0x1ce4e5b9);
  // Numbers below 0 have a sign that goes on for ever.
  const sign = place < 0 ? -1 : 0;
  low ^= (height << 20) ^ place;
  high ^= Math.floor(height / 2 ** 12) ^ sign;
  multiply(high ^ ((high >>> 27) | (sign << 5)), low ^ ((low >>> 27) | (high << 5)), 0x94d049bb, 0x133111eb);
  const idLow = low ^ ((low >>> 31) | (high << 1));
  const idHigh = high ^ (high >>> 31);
  return (idHigh & ((1 << HIGH_BITS) - 1)) * WORD + (idLow >>> 0);
}

/** Sets `high` and `low` to the lower 64 bits of a product. */
function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const a0 = aLow & 0xffff;
  const a1 = aLow >>> 16;
  const b0 = bLow & 0xffff;
  const b1 = bLow >>> 16;
  const first = a1 * b0 + ((a0 * b0) >>> 16);
  const second = a0 * b1 + (first & 0xffff);
  high = (a1 * b1 + (first >>> 16) + (second >>> 16) + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) | 0;
  low = Math.imul(aLow, bLow);
}
