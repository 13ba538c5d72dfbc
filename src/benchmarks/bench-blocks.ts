/** Blocks of the benchmark program (layout.ts), from a seed. */
import { assert } from '../base/assert.ts';
import { Random } from '../base/random.ts';
import type { PreparedBlock } from '../execution/api.ts';
import { PreparedBlockWriter } from '../execution/prepared-block.ts';
import { KIND_BENCH_ACCESS, KIND_BENCH_ADD, KIND_BENCH_READ_ADD } from '../synthetic/layout.ts';
import type { Shape } from './settings.ts';

const TIME_MS = 1_760_000_000_000;
const AMOUNT_MAX = 100;

/** Transfers between two different accounts, drawn evenly. */
export function transferBlock(transactions: number, accounts: number, shape: Shape, seed: number): PreparedBlock {
  assert(accounts >= 2, 'a transfer needs two accounts');
  const random = new Random(seed);
  return block(transactions, (writer) => {
    const from = random.below(accounts);
    const to = (from + 1 + random.below(accounts - 1)) % accounts;
    writer.benchTransfer(from, to, 1 + random.below(AMOUNT_MAX), shape === 'wide');
  });
}

/** 1 to 9 reads and 1 to 9 writes of different cells each, every one of them kept with probability one half. */
export function syntheticBlock(transactions: number, cells: number, seed: number): PreparedBlock {
  const random = new Random(seed);
  const some = (): number[] => distinct(random, 1 + random.below(9), cells).filter(() => random.chance(0.5));
  return block(transactions, (writer, index) => writer.benchAccess(KIND_BENCH_ACCESS, index, some(), some()));
}

/** Transaction i reads cell i - 1 and writes cell i. */
export function chainBlock(transactions: number): PreparedBlock {
  return block(transactions, (writer, index) => writer.benchAccess(KIND_BENCH_ACCESS, index, index === 0 ? [] : [index - 1], [index]));
}

/** Every transaction adds to counter 0. */
export function hotBlock(transactions: number, operation: 'accumulate' | 'read and write', seed: number): PreparedBlock {
  const random = new Random(seed);
  const kind = operation === 'accumulate' ? KIND_BENCH_ADD : KIND_BENCH_READ_ADD;
  return block(transactions, (writer) => writer.benchAdd(kind, 0, 1 + random.below(1000)));
}

function block(transactions: number, write: (writer: PreparedBlockWriter, index: number) => void): PreparedBlock {
  const writer = new PreparedBlockWriter();
  for (let index = 0; index < transactions; index++) write(writer, index);
  return writer.finish(1, TIME_MS);
}

function distinct(random: Random, count: number, below: number): number[] {
  const found = new Set<number>();
  while (found.size < Math.min(count, below)) found.add(random.below(below));
  return [...found];
}
