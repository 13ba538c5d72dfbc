/**
 * SHA-256 (FIPS 180-4) of short texts: the addresses of sub-accounts and vaults (docs/rules.md, 2) in the naive twin.
 *
 * The rules use nothing of the platform, so it is spelled out here; the constants are computed as the standard defines them.
 */
import { bigEndian, joined } from '../ledger/naive.ts';

const PRIMES = firstPrimes(64);
/** The first 32 bits of the fractional parts of the square roots of the first 8 primes, and of the cube roots of the first 64. */
const START: readonly number[] = PRIMES.slice(0, 8).map((prime) => fractionOfRoot(prime, 2n));
const ROUND: readonly number[] = PRIMES.map((prime) => fractionOfRoot(prime, 3n));

export function sha256(message: Uint8Array): Uint8Array {
  const zeroBytes = (119 - (message.length % 64)) % 64;
  const bits = message.length * 8;
  const padded = joined(
    message,
    Uint8Array.of(0x80),
    new Uint8Array(zeroBytes),
    bigEndian(Math.floor(bits / 2 ** 32)),
    bigEndian(bits >>> 0),
  );
  let hash = START;
  for (let at = 0; at < padded.length; at += 64) hash = withBlock(hash, new DataView(padded.buffer, padded.byteOffset + at, 64));
  return joined(...hash.map(bigEndian));
}

function withBlock(hash: readonly number[], block: DataView): number[] {
  const schedule: number[] = [];
  for (let t = 0; t < 64; t++) {
    if (t < 16) schedule.push(block.getUint32(4 * t));
    else {
      const [w2, w7, w15, w16] = [2, 7, 15, 16].map((back) => schedule[t - back] as number) as [number, number, number, number];
      const small1 = turned(w2, 17) ^ turned(w2, 19) ^ (w2 >>> 10);
      const small0 = turned(w15, 7) ^ turned(w15, 18) ^ (w15 >>> 3);
      schedule.push((small1 + w7 + small0 + w16) >>> 0);
    }
  }

  let [a, b, c, d, e, f, g, h] = hash as [number, number, number, number, number, number, number, number];
  for (let t = 0; t < 64; t++) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const big1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const big0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const first = (h + big1 + choice + (ROUND[t] as number) + (schedule[t] as number)) >>> 0;
    [a, b, c, d, e, f, g, h] = [(first + big0 + majority) >>> 0, a, b, c, (d + first) >>> 0, e, f, g];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + (hash[i] as number)) >>> 0);
}

function turned(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function firstPrimes(count: number): bigint[] {
  const primes: bigint[] = [];
  for (let n = 2n; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0n)) primes.push(n);
  return primes;
}

/** floor(value ^ (1 / degree) * 2^32) modulo 2^32, bit by bit. */
function fractionOfRoot(value: bigint, degree: bigint): number {
  const target = value * 2n ** (32n * degree);
  let root = 0n;
  for (let bit = 2n ** 40n; bit > 0n; bit /= 2n) if ((root + bit) ** degree <= target) root += bit;
  return Number(root % 2n ** 32n);
}
