/** BLAKE3 against the official test vectors and against another implementation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blake3 as otherBlake3 } from '@noble/hashes/blake3.js';
import fc from 'fast-check';
import { blake3, keyedBlake3, labelled } from './blake3.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

/** From test_vectors.json of BLAKE3-team/BLAKE3, first 32 bytes: the input is `length` bytes i % 251. */
const OFFICIAL_KEY = ascii('whats the Elvish word for friend');
const OFFICIAL: readonly (readonly [length: number, hash: string, keyedHash: string])[] = [
  [
    0,
    'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
    '92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26',
  ],
  [
    1,
    '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213',
    '6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b',
  ],
  [
    1023,
    '10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11',
    'c951ecdf03288d0fcc96ee3413563d8a6d3589547f2c2fb36d9786470f1b9d6e',
  ],
  [
    1024,
    '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7',
    '75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4',
  ],
  [
    1025,
    'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444',
    '357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69',
  ],
  [
    2048,
    'e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a',
    '879cf1fa2ea0e79126cb1063617a05b6ad9d0b696d0d757cf053439f60a99dd1',
  ],
  [
    3073,
    '7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3',
    '68dede9bef00ba89e43f31a6825f4cf433389fedae75c04ee9f0cf16a427c95a',
  ],
  [
    5121,
    '628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff',
    '6ccf1c34753e7a044db80798ecd0782a8f76f33563accaddbfbb2e0ea4b2d024',
  ],
];

test('the official test vectors', () => {
  for (const [length, hash, keyedHash] of OFFICIAL) {
    const input = Uint8Array.from({ length }, (_, i) => i % 251);
    assert.equal(hex(blake3(input)), hash);
    assert.equal(hex(keyedBlake3(OFFICIAL_KEY, input)), keyedHash);
  }
});

test('inputs of any length hash as another implementation hashes them', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 255 }), key, (length, first, secret) => {
      const input = Uint8Array.from({ length }, (_, i) => first + i * 7 + (i >> 6));
      assert.equal(hex(blake3(input)), hex(otherBlake3(input)));
      assert.equal(hex(keyedBlake3(secret, input)), hex(otherBlake3(input, { key: secret })));
    }),
    { numRuns: 500 },
  );
});

test('an input may lie anywhere in other memory, and is left as it is', () => {
  const memory = Uint8Array.from({ length: 300 }, (_, i) => i);
  const before = memory.slice();
  assert.equal(hex(blake3(memory.subarray(3, 203))), hex(blake3(memory.slice(3, 203))));
  assert.deepEqual(memory, before);
});

test('a label is a key of its own', () => {
  const input = ascii('one input');
  const hash = labelled('heddle leaf 1');
  assert.equal(hex(hash(input)), hex(keyedBlake3(blake3(ascii('heddle leaf 1')), input)));
  assert.notEqual(hex(hash(input)), hex(labelled('heddle leaf 2')(input)));
  assert.throws(() => keyedBlake3(new Uint8Array(31), input), /a key has 32 bytes/);
});
