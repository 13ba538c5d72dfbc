/**
 * BLAKE3 in keyed mode, four inputs of at most a chunk (1024 bytes) at a time: what the state tree and the lists of a block hash
 * (docs/decisions/0010). Where a function takes a `mode`, it is KEYED or PLAIN: the hash without a key, whose key is the start value.
 *
 * The state of four hashes lies side by side in vectors: word i of all four in one v128. Measured: see docs/measurements.md.
 * Not here: longer inputs (long-input.ts), and labels (the host computes their keys).
 */

/** Flags of the compression function. */
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const ROOT: u32 = 8;
const PARENT: u32 = 4;
export const KEYED: u32 = 16;
export const PLAIN: u32 = 0;
/** An input of one block; the first and the last block of an input of two. */
const ONLY: u32 = CHUNK_START | CHUNK_END | ROOT | KEYED;
const FIRST: u32 = CHUNK_START | KEYED;
const LAST: u32 = CHUNK_END | ROOT | KEYED;

export const BLOCK_BYTES: u32 = 64;
export const CHUNK_INPUT_BYTES: u32 = 1024;
/** A chaining value or key of four hashes: word i of each in the vector at i * 16. */
export const WIDE_BYTES: u32 = 128;

@inline
function rotate16(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

@inline
function rotate12(x: v128): v128 {
  return v128.or(v128.shr<u32>(x, 12), v128.shl<u32>(x, 20));
}

@inline
function rotate8(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
}

@inline
function rotate7(x: v128): v128 {
  return v128.or(v128.shr<u32>(x, 7), v128.shl<u32>(x, 25));
}

/**
 * One compression of four blocks at once. `cv`: their chaining values, wide; `a` to `d`: their blocks, 64 bytes each; `counters`, `lengths`,
 * `flags`: a word each. The new chaining values (or hashes) go to `out`, wide.
 */
function compress4(cv: usize, a: usize, b: usize, c: usize, d: usize, counters: v128, lengths: v128, flags: v128, out: usize): void {
  const p0 = v128.load(a, 0);
  const q0 = v128.load(b, 0);
  const r0 = v128.load(c, 0);
  const s0 = v128.load(d, 0);
  const p1 = v128.load(a, 16);
  const q1 = v128.load(b, 16);
  const r1 = v128.load(c, 16);
  const s1 = v128.load(d, 16);
  const p2 = v128.load(a, 32);
  const q2 = v128.load(b, 32);
  const r2 = v128.load(c, 32);
  const s2 = v128.load(d, 32);
  const p3 = v128.load(a, 48);
  const q3 = v128.load(b, 48);
  const r3 = v128.load(c, 48);
  const s3 = v128.load(d, 48);
  const t0 = v128.shuffle<u32>(p0, q0, 0, 4, 1, 5);
  const u0 = v128.shuffle<u32>(p0, q0, 2, 6, 3, 7);
  const v0 = v128.shuffle<u32>(r0, s0, 0, 4, 1, 5);
  const w0 = v128.shuffle<u32>(r0, s0, 2, 6, 3, 7);
  let m0 = v128.shuffle<u64>(t0, v0, 0, 2);
  let m1 = v128.shuffle<u64>(t0, v0, 1, 3);
  let m2 = v128.shuffle<u64>(u0, w0, 0, 2);
  let m3 = v128.shuffle<u64>(u0, w0, 1, 3);
  const t1 = v128.shuffle<u32>(p1, q1, 0, 4, 1, 5);
  const u1 = v128.shuffle<u32>(p1, q1, 2, 6, 3, 7);
  const v1 = v128.shuffle<u32>(r1, s1, 0, 4, 1, 5);
  const w1 = v128.shuffle<u32>(r1, s1, 2, 6, 3, 7);
  let m4 = v128.shuffle<u64>(t1, v1, 0, 2);
  let m5 = v128.shuffle<u64>(t1, v1, 1, 3);
  let m6 = v128.shuffle<u64>(u1, w1, 0, 2);
  let m7 = v128.shuffle<u64>(u1, w1, 1, 3);
  const t2 = v128.shuffle<u32>(p2, q2, 0, 4, 1, 5);
  const u2 = v128.shuffle<u32>(p2, q2, 2, 6, 3, 7);
  const v2 = v128.shuffle<u32>(r2, s2, 0, 4, 1, 5);
  const w2 = v128.shuffle<u32>(r2, s2, 2, 6, 3, 7);
  let m8 = v128.shuffle<u64>(t2, v2, 0, 2);
  let m9 = v128.shuffle<u64>(t2, v2, 1, 3);
  let m10 = v128.shuffle<u64>(u2, w2, 0, 2);
  let m11 = v128.shuffle<u64>(u2, w2, 1, 3);
  const t3 = v128.shuffle<u32>(p3, q3, 0, 4, 1, 5);
  const u3 = v128.shuffle<u32>(p3, q3, 2, 6, 3, 7);
  const v3 = v128.shuffle<u32>(r3, s3, 0, 4, 1, 5);
  const w3 = v128.shuffle<u32>(r3, s3, 2, 6, 3, 7);
  let m12 = v128.shuffle<u64>(t3, v3, 0, 2);
  let m13 = v128.shuffle<u64>(t3, v3, 1, 3);
  let m14 = v128.shuffle<u64>(u3, w3, 0, 2);
  let m15 = v128.shuffle<u64>(u3, w3, 1, 3);
  let x0 = v128.load(cv, 0);
  let x1 = v128.load(cv, 16);
  let x2 = v128.load(cv, 32);
  let x3 = v128.load(cv, 48);
  let x4 = v128.load(cv, 64);
  let x5 = v128.load(cv, 80);
  let x6 = v128.load(cv, 96);
  let x7 = v128.load(cv, 112);
  let x8 = i32x4.splat(0x6a09e667);
  let x9 = i32x4.splat(0xbb67ae85);
  let x10 = i32x4.splat(0x3c6ef372);
  let x11 = i32x4.splat(0xa54ff53a);
  let x12 = counters;
  let x13 = i32x4.splat(0);
  let x14 = lengths;
  let x15 = flags;
  for (let round = 0; ; round++) {
    x0 = i32x4.add(i32x4.add(x0, x4), m0);
    x1 = i32x4.add(i32x4.add(x1, x5), m2);
    x2 = i32x4.add(i32x4.add(x2, x6), m4);
    x3 = i32x4.add(i32x4.add(x3, x7), m6);
    x12 = rotate16(v128.xor(x12, x0));
    x13 = rotate16(v128.xor(x13, x1));
    x14 = rotate16(v128.xor(x14, x2));
    x15 = rotate16(v128.xor(x15, x3));
    x8 = i32x4.add(x8, x12);
    x9 = i32x4.add(x9, x13);
    x10 = i32x4.add(x10, x14);
    x11 = i32x4.add(x11, x15);
    x4 = rotate12(v128.xor(x4, x8));
    x5 = rotate12(v128.xor(x5, x9));
    x6 = rotate12(v128.xor(x6, x10));
    x7 = rotate12(v128.xor(x7, x11));
    x0 = i32x4.add(i32x4.add(x0, x4), m1);
    x1 = i32x4.add(i32x4.add(x1, x5), m3);
    x2 = i32x4.add(i32x4.add(x2, x6), m5);
    x3 = i32x4.add(i32x4.add(x3, x7), m7);
    x12 = rotate8(v128.xor(x12, x0));
    x13 = rotate8(v128.xor(x13, x1));
    x14 = rotate8(v128.xor(x14, x2));
    x15 = rotate8(v128.xor(x15, x3));
    x8 = i32x4.add(x8, x12);
    x9 = i32x4.add(x9, x13);
    x10 = i32x4.add(x10, x14);
    x11 = i32x4.add(x11, x15);
    x4 = rotate7(v128.xor(x4, x8));
    x5 = rotate7(v128.xor(x5, x9));
    x6 = rotate7(v128.xor(x6, x10));
    x7 = rotate7(v128.xor(x7, x11));
    x0 = i32x4.add(i32x4.add(x0, x5), m8);
    x1 = i32x4.add(i32x4.add(x1, x6), m10);
    x2 = i32x4.add(i32x4.add(x2, x7), m12);
    x3 = i32x4.add(i32x4.add(x3, x4), m14);
    x15 = rotate16(v128.xor(x15, x0));
    x12 = rotate16(v128.xor(x12, x1));
    x13 = rotate16(v128.xor(x13, x2));
    x14 = rotate16(v128.xor(x14, x3));
    x10 = i32x4.add(x10, x15);
    x11 = i32x4.add(x11, x12);
    x8 = i32x4.add(x8, x13);
    x9 = i32x4.add(x9, x14);
    x5 = rotate12(v128.xor(x5, x10));
    x6 = rotate12(v128.xor(x6, x11));
    x7 = rotate12(v128.xor(x7, x8));
    x4 = rotate12(v128.xor(x4, x9));
    x0 = i32x4.add(i32x4.add(x0, x5), m9);
    x1 = i32x4.add(i32x4.add(x1, x6), m11);
    x2 = i32x4.add(i32x4.add(x2, x7), m13);
    x3 = i32x4.add(i32x4.add(x3, x4), m15);
    x15 = rotate8(v128.xor(x15, x0));
    x12 = rotate8(v128.xor(x12, x1));
    x13 = rotate8(v128.xor(x13, x2));
    x14 = rotate8(v128.xor(x14, x3));
    x10 = i32x4.add(x10, x15);
    x11 = i32x4.add(x11, x12);
    x8 = i32x4.add(x8, x13);
    x9 = i32x4.add(x9, x14);
    x5 = rotate7(v128.xor(x5, x10));
    x6 = rotate7(v128.xor(x6, x11));
    x7 = rotate7(v128.xor(x7, x8));
    x4 = rotate7(v128.xor(x4, x9));
    if (round == 6) break;
    // The words of the message change places for the next round.
    const n0 = m0;
    m0 = m2;
    m2 = m3;
    m3 = m10;
    m10 = m12;
    m12 = m9;
    m9 = m11;
    m11 = m5;
    m5 = n0;
    const n1 = m1;
    m1 = m6;
    m6 = m4;
    m4 = m7;
    m7 = m13;
    m13 = m14;
    m14 = m15;
    m15 = m8;
    m8 = n1;
  }
  v128.store(out, v128.xor(x0, x8), 0);
  v128.store(out, v128.xor(x1, x9), 16);
  v128.store(out, v128.xor(x2, x10), 32);
  v128.store(out, v128.xor(x3, x11), 48);
  v128.store(out, v128.xor(x4, x12), 64);
  v128.store(out, v128.xor(x5, x13), 80);
  v128.store(out, v128.xor(x6, x14), 96);
  v128.store(out, v128.xor(x7, x15), 112);
}

/** Four hashes from their wide form to 32 bytes each, at `a` to `d`. */
@inline
function narrow(wide: usize, a: usize, b: usize, c: usize, d: usize): void {
  for (let half: usize = 0; half < 32; half += 16) {
    const at = wide + half * 4;
    const p = v128.load(at);
    const q = v128.load(at, 16);
    const r = v128.load(at, 32);
    const s = v128.load(at, 48);
    const t = v128.shuffle<u32>(p, q, 0, 4, 1, 5);
    const u = v128.shuffle<u32>(p, q, 2, 6, 3, 7);
    const v = v128.shuffle<u32>(r, s, 0, 4, 1, 5);
    const w = v128.shuffle<u32>(r, s, 2, 6, 3, 7);
    v128.store(a + half, v128.shuffle<u64>(t, v, 0, 2));
    v128.store(b + half, v128.shuffle<u64>(t, v, 1, 3));
    v128.store(c + half, v128.shuffle<u64>(u, w, 0, 2));
    v128.store(d + half, v128.shuffle<u64>(u, w, 1, 3));
  }
}

/** The key of 32 bytes at `key`, wide, for all four hashes, at `wide`. */
export function spread(key: usize, wide: usize): void {
  for (let i: usize = 0; i < 8; i++) v128.store(wide + (i << 4), i32x4.splat(load<i32>(key + (i << 2))));
}

/** Four inputs of exactly one block; `key`: wide; `scratch`: 128 bytes. */
export function hashBlocks(
  key: usize,
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  scratch: usize,
  w: usize,
  x: usize,
  y: usize,
  z: usize,
): void {
  compress4(key, a, b, c, d, i32x4.splat(0), i32x4.splat(BLOCK_BYTES), i32x4.splat(ONLY), scratch);
  narrow(scratch, w, x, y, z);
}

/**
 * Four inputs of 1 to 128 bytes that lie at `inputs`, 128 bytes each, zero behind their lengths; `lengths`: four u32; hashes go to `out`, 32 bytes
 * each. `key`: wide; `scratch`: 256 bytes.
 */
export function hashInputs(key: usize, inputs: usize, lengths: usize, scratch: usize, out: usize): void {
  const length = v128.load(lengths);
  const zero = i32x4.splat(0);
  const block = i32x4.splat(BLOCK_BYTES);
  const long = i32x4.gt_u(length, block);
  const flags = v128.bitselect(i32x4.splat(FIRST), i32x4.splat(ONLY), long);
  compress4(key, inputs, inputs + 128, inputs + 256, inputs + 384, zero, i32x4.min_u(length, block), flags, scratch);
  if (v128.any_true(long)) {
    const next = scratch + WIDE_BYTES;
    const rest = i32x4.sub(length, block);
    compress4(scratch, inputs + 64, inputs + 192, inputs + 320, inputs + 448, zero, rest, i32x4.splat(LAST), next);
    for (let i: usize = 0; i < WIDE_BYTES; i += 16) {
      v128.store(scratch + i, v128.bitselect(v128.load(next + i), v128.load(scratch + i), long));
    }
  }
  narrow(scratch, out, out + 32, out + 64, out + 96);
}

/**
 * Four inputs of 0 to 1024 bytes that lie at `inputs`, `stride` bytes from each other, zero from their ends to the end of their last block;
 * `lengths`: four u32; hashes go to `out`, 32 bytes each. `key`: wide; `scratch`: 256 bytes.
 */
export function hashChunks(key: usize, mode: u32, inputs: usize, stride: usize, lengths: usize, scratch: usize, out: usize): void {
  chunks4(key, mode, i32x4.splat(0), CHUNK_END | ROOT, inputs, stride, lengths, scratch, out);
}

/**
 * The chaining values of chunks `index` to `index + 3` of an input that has others beside each, which lie one behind the other at `chunks`, zero behind the
 * last; `lengths`: four u32, all 1024 but of the last, 0 behind it. What comes out there means nothing.
 */
export function chunkValues(key: usize, mode: u32, index: u32, chunks: usize, lengths: usize, scratch: usize, out: usize): void {
  chunks4(key, mode, i32x4.add(i32x4.splat(index), i32x4(0, 1, 2, 3)), CHUNK_END, chunks, CHUNK_INPUT_BYTES, lengths, scratch, out);
}

@inline
function chunks4(
  key: usize,
  mode: u32,
  counters: v128,
  end: u32,
  inputs: usize,
  stride: usize,
  lengths: usize,
  scratch: usize,
  out: usize,
): void {
  const length = v128.load(lengths);
  const one = i32x4.splat(1);
  const blocks = i32x4.max_u(one, v128.shr<u32>(i32x4.add(length, i32x4.splat(BLOCK_BYTES - 1)), 6));
  const next = scratch + WIDE_BYTES;
  for (let i: usize = 0; i < WIDE_BYTES; i += 16) v128.store(scratch + i, v128.load(key + i));
  for (let block: u32 = 0; ; block++) {
    const live = i32x4.gt_u(blocks, i32x4.splat(block));
    if (!v128.any_true(live)) break;
    const last = i32x4.eq(blocks, i32x4.splat(block + 1));
    const at = block * BLOCK_BYTES;
    const size = v128.bitselect(i32x4.sub(length, i32x4.splat(at)), i32x4.splat(BLOCK_BYTES), last);
    const ends = v128.and(i32x4.splat(end), last);
    const flags = v128.or(i32x4.splat(block == 0 ? CHUNK_START | mode : mode), ends);
    const from = inputs + at;
    compress4(scratch, from, from + stride, from + 2 * stride, from + 3 * stride, counters, size, flags, next);
    for (let i: usize = 0; i < WIDE_BYTES; i += 16) {
      v128.store(scratch + i, v128.bitselect(v128.load(next + i), v128.load(scratch + i), live));
    }
  }
  narrow(scratch, out, out + 32, out + 64, out + 96);
}

/**
 * The chaining value of chunk `index` of an input of several chunks, `bytes` long (1 to 1024), or with `isWhole` the hash of an input that has no
 * other. Zero from its end to the end of its last block. `key`, `out`: 32 bytes.
 */
export function chunkValue(key: usize, mode: u32, chunk: usize, bytes: u32, index: u32, isWhole: bool, out: usize): void {
  let cv = key;
  for (let at: u32 = 0; at == 0 || at < bytes; at += BLOCK_BYTES) {
    const left = bytes - at;
    let flags = mode;
    if (at == 0) flags |= CHUNK_START;
    if (left <= BLOCK_BYTES) flags |= isWhole ? CHUNK_END | ROOT : CHUNK_END;
    compress(cv, chunk + at, chunk + at + 32, min(left, BLOCK_BYTES), index, flags, out);
    cv = out;
  }
}

/** The chaining value above two, or the hash of the whole input. */
export function parentValue(key: usize, mode: u32, left: usize, right: usize, isRoot: bool, out: usize): void {
  compress(key, left, right, BLOCK_BYTES, 0, isRoot ? PARENT | mode | ROOT : PARENT | mode, out);
}

/** One input of at most one block, zero behind its length, the two halves of which lie at `left` and `right`; `key`: 32 bytes. */
export function hashBlock(key: usize, left: usize, right: usize, bytes: u32, out: usize): void {
  compress(key, left, right, bytes, 0, ONLY, out);
}

/** One input of exactly one block, the two halves of which lie at `left` and `right`; `key`: 32 bytes. */
export function hashPair(key: usize, left: usize, right: usize, out: usize): void {
  compress(key, left, right, BLOCK_BYTES, 0, ONLY, out);
}

/** One compression: chaining value `cv`, the halves of the block; the new chaining value goes to `out`, which may be `cv`. */
function compress(cv: usize, left: usize, right: usize, bytes: u32, counter: u32, flags: u32, out: usize): void {
  let m0 = load<u32>(left, 0);
  let m1 = load<u32>(left, 4);
  let m2 = load<u32>(left, 8);
  let m3 = load<u32>(left, 12);
  let m4 = load<u32>(left, 16);
  let m5 = load<u32>(left, 20);
  let m6 = load<u32>(left, 24);
  let m7 = load<u32>(left, 28);
  let m8 = load<u32>(right, 0);
  let m9 = load<u32>(right, 4);
  let m10 = load<u32>(right, 8);
  let m11 = load<u32>(right, 12);
  let m12 = load<u32>(right, 16);
  let m13 = load<u32>(right, 20);
  let m14 = load<u32>(right, 24);
  let m15 = load<u32>(right, 28);
  let x0 = load<u32>(cv, 0);
  let x1 = load<u32>(cv, 4);
  let x2 = load<u32>(cv, 8);
  let x3 = load<u32>(cv, 12);
  let x4 = load<u32>(cv, 16);
  let x5 = load<u32>(cv, 20);
  let x6 = load<u32>(cv, 24);
  let x7 = load<u32>(cv, 28);
  let x8: u32 = 0x6a09e667;
  let x9: u32 = 0xbb67ae85;
  let x10: u32 = 0x3c6ef372;
  let x11: u32 = 0xa54ff53a;
  let x12: u32 = counter;
  let x13: u32 = 0;
  let x14: u32 = bytes;
  let x15: u32 = flags;
  for (let round = 0; ; round++) {
    x0 = x0 + x4 + m0;
    x1 = x1 + x5 + m2;
    x2 = x2 + x6 + m4;
    x3 = x3 + x7 + m6;
    x12 = rotr<u32>(x12 ^ x0, 16);
    x13 = rotr<u32>(x13 ^ x1, 16);
    x14 = rotr<u32>(x14 ^ x2, 16);
    x15 = rotr<u32>(x15 ^ x3, 16);
    x8 += x12;
    x9 += x13;
    x10 += x14;
    x11 += x15;
    x4 = rotr<u32>(x4 ^ x8, 12);
    x5 = rotr<u32>(x5 ^ x9, 12);
    x6 = rotr<u32>(x6 ^ x10, 12);
    x7 = rotr<u32>(x7 ^ x11, 12);
    x0 = x0 + x4 + m1;
    x1 = x1 + x5 + m3;
    x2 = x2 + x6 + m5;
    x3 = x3 + x7 + m7;
    x12 = rotr<u32>(x12 ^ x0, 8);
    x13 = rotr<u32>(x13 ^ x1, 8);
    x14 = rotr<u32>(x14 ^ x2, 8);
    x15 = rotr<u32>(x15 ^ x3, 8);
    x8 += x12;
    x9 += x13;
    x10 += x14;
    x11 += x15;
    x4 = rotr<u32>(x4 ^ x8, 7);
    x5 = rotr<u32>(x5 ^ x9, 7);
    x6 = rotr<u32>(x6 ^ x10, 7);
    x7 = rotr<u32>(x7 ^ x11, 7);
    x0 = x0 + x5 + m8;
    x1 = x1 + x6 + m10;
    x2 = x2 + x7 + m12;
    x3 = x3 + x4 + m14;
    x15 = rotr<u32>(x15 ^ x0, 16);
    x12 = rotr<u32>(x12 ^ x1, 16);
    x13 = rotr<u32>(x13 ^ x2, 16);
    x14 = rotr<u32>(x14 ^ x3, 16);
    x10 += x15;
    x11 += x12;
    x8 += x13;
    x9 += x14;
    x5 = rotr<u32>(x5 ^ x10, 12);
    x6 = rotr<u32>(x6 ^ x11, 12);
    x7 = rotr<u32>(x7 ^ x8, 12);
    x4 = rotr<u32>(x4 ^ x9, 12);
    x0 = x0 + x5 + m9;
    x1 = x1 + x6 + m11;
    x2 = x2 + x7 + m13;
    x3 = x3 + x4 + m15;
    x15 = rotr<u32>(x15 ^ x0, 8);
    x12 = rotr<u32>(x12 ^ x1, 8);
    x13 = rotr<u32>(x13 ^ x2, 8);
    x14 = rotr<u32>(x14 ^ x3, 8);
    x10 += x15;
    x11 += x12;
    x8 += x13;
    x9 += x14;
    x5 = rotr<u32>(x5 ^ x10, 7);
    x6 = rotr<u32>(x6 ^ x11, 7);
    x7 = rotr<u32>(x7 ^ x8, 7);
    x4 = rotr<u32>(x4 ^ x9, 7);
    if (round == 6) break;
    // The words of the message change places for the next round.
    const n0 = m0;
    m0 = m2;
    m2 = m3;
    m3 = m10;
    m10 = m12;
    m12 = m9;
    m9 = m11;
    m11 = m5;
    m5 = n0;
    const n1 = m1;
    m1 = m6;
    m6 = m4;
    m4 = m7;
    m7 = m13;
    m13 = m14;
    m14 = m15;
    m15 = m8;
    m8 = n1;
  }
  store<u32>(out, x0 ^ x8, 0);
  store<u32>(out, x1 ^ x9, 4);
  store<u32>(out, x2 ^ x10, 8);
  store<u32>(out, x3 ^ x11, 12);
  store<u32>(out, x4 ^ x12, 16);
  store<u32>(out, x5 ^ x13, 20);
  store<u32>(out, x6 ^ x14, 24);
  store<u32>(out, x7 ^ x15, 28);
}
