/**
 * The benchmark program: transactions whose accesses are given, to measure executors and to test them with. Every receipt carries a hash
 * of all values read, so that two executors agree on receipts only if every read agreed.
 */
import { CODE_OK } from '../../base/codes';
import { locationOf } from '../../kernel/assembly/memory';
import { create, isPresent, remove } from '../../kernel/assembly/record';
import { TRACE_ADD, TRACE_READ, TRACE_WRITE, TX_SENDER } from '../../kernel/layout';
import {
  BENCH_ACCESSES_MAX,
  BENCH_AMOUNT,
  BENCH_CELL_COUNT,
  BENCH_CELLS,
  BENCH_COUNTER,
  BENCH_COUNTER_COUNT,
  BENCH_COUNTERS,
  BENCH_DELTA,
  BENCH_FROM,
  BENCH_INDICES,
  BENCH_READS,
  BENCH_TO,
  BENCH_WIDE,
  BENCH_WRITES,
  CELLS_PER_ACCOUNT,
  CODE_BENCH_RANGE,
  EVENT_BENCH,
  EVENT_BENCH_BYTES,
  KIND_BENCH_ACCESS,
  KIND_BENCH_ADD,
  KIND_BENCH_READ_ADD,
  KIND_BENCH_TRANSFER,
} from '../layout';

@unmanaged
@final
export class Cell {
  version: u32;
  meta: u32;
  value: u64;
  zero0: u64;
  zero1: u64;
}

@unmanaged
@final
export class Counter {
  version: u32;
  meta: u32;
  value: i64;
  zero0: i64;
  zero1: i64;
}

@inline
function cellAt(index: u32): u32 {
  return locationOf(load<u32>(0, BENCH_CELLS)) + index;
}

@inline
function counterAt(index: u32): u32 {
  return locationOf(load<u32>(0, BENCH_COUNTERS)) + index;
}

@inline
function mix(hash: u64, value: u64): u64 {
  const x = (hash ^ value) * 0x9fb21c651e98df25;
  return x ^ (x >> 29);
}

function report<V>(view: V, hash: u64): u32 {
  const event = view.emit(EVENT_BENCH, EVENT_BENCH_BYTES);
  store<u32>(event, 0, 4);
  store<u64>(event, hash, 8);
  return CODE_OK;
}

export function isBenchKind(kind: u32): bool {
  return kind >= KIND_BENCH_TRANSFER && kind <= KIND_BENCH_READ_ADD;
}

export function executeBench<V>(view: V, tx: usize, kind: u32): u32 {
  if (kind == KIND_BENCH_TRANSFER) return benchTransfer<V>(view, tx);
  if (kind == KIND_BENCH_ACCESS) return access<V>(view, tx);
  const index = load<u32>(tx, BENCH_COUNTER);
  if (index >= load<u32>(0, BENCH_COUNTER_COUNT)) return CODE_BENCH_RANGE;
  if (kind == KIND_BENCH_ADD) {
    view.work();
    view.add(counterAt(index), 0, load<i64>(tx, BENCH_DELTA));
    return CODE_OK;
  }
  const counter = create<V, Counter>(view, counterAt(index));
  const before = counter.value;
  view.work();
  counter.value = before + load<i64>(tx, BENCH_DELTA);
  return report<V>(view, <u64>before);
}

/** Four adjacent cells an account: balance, sequence, limits, statistics. Wide: 8 reads and 5 writes; narrow: 3 reads and 3 writes. */
function benchTransfer<V>(view: V, tx: usize): u32 {
  const from = load<u32>(tx, BENCH_FROM) * CELLS_PER_ACCOUNT;
  const to = load<u32>(tx, BENCH_TO) * CELLS_PER_ACCOUNT;
  if (max(from, to) + CELLS_PER_ACCOUNT > load<u32>(0, BENCH_CELL_COUNT)) return CODE_BENCH_RANGE;
  const amount = <u64>load<u32>(tx, BENCH_AMOUNT);
  const a = cellAt(from);
  const b = cellAt(to);
  let hash = mix(view.read<Cell>(a).value, view.read<Cell>(a + 1).value);
  hash = mix(hash, view.read<Cell>(b).value);
  const wide = load<u32>(tx, BENCH_WIDE) != 0;
  if (wide) {
    hash = mix(hash, view.read<Cell>(a + 2).value);
    hash = mix(hash, view.read<Cell>(a + 3).value);
    hash = mix(hash, view.read<Cell>(b + 1).value);
    hash = mix(hash, view.read<Cell>(b + 2).value);
    hash = mix(hash, view.read<Cell>(b + 3).value);
  }
  view.work();
  const source = view.write<Cell>(a);
  source.value -= amount;
  view.write<Cell>(a + 1).value++;
  const target = view.write<Cell>(b);
  target.value += amount;
  if (wide) {
    view.write<Cell>(a + 3).value += amount;
    view.write<Cell>(b + 3).value += amount;
  }
  return report<V>(view, hash);
}

/** Reads cells, then writes cells; what is written depends on all that was read. A multiple of seven deletes the cell. */
function access<V>(view: V, tx: usize): u32 {
  const reads = <u32>load<u16>(tx, BENCH_READS);
  const writes = <u32>load<u16>(tx, BENCH_WRITES);
  if (reads > BENCH_ACCESSES_MAX || writes > BENCH_ACCESSES_MAX) return CODE_BENCH_RANGE;
  const cells = load<u32>(0, BENCH_CELL_COUNT);
  const indices = tx + BENCH_INDICES;
  for (let i: u32 = 0; i < reads + writes; i++) {
    if (load<u32>(indices + (i << 2)) >= cells) return CODE_BENCH_RANGE;
  }
  let hash: u64 = load<u32>(tx, TX_SENDER);
  for (let i: u32 = 0; i < reads; i++) {
    const cell = view.read<Cell>(cellAt(load<u32>(indices + (i << 2))));
    hash = mix(hash, isPresent<Cell>(cell) ? cell.value : 77);
  }
  view.work();
  for (let i: u32 = 0; i < writes; i++) {
    const at = cellAt(load<u32>(indices + ((reads + i) << 2)));
    const value = mix(hash, i);
    if (value % 7 == 0) remove<Cell>(view.write<Cell>(at));
    else create<V, Cell>(view, at).value = value;
  }
  return report<V>(view, hash);
}

/** The declared set of a benchmark transaction, as trace entries from `at`; returns the address behind it. */
export function declareBench(tx: usize, kind: u32, at: u32): u32 {
  if (kind == KIND_BENCH_TRANSFER) {
    const a = cellAt(load<u32>(tx, BENCH_FROM) * CELLS_PER_ACCOUNT);
    const b = cellAt(load<u32>(tx, BENCH_TO) * CELLS_PER_ACCOUNT);
    store<u32>(at, (a << 3) | TRACE_WRITE);
    store<u32>(at, ((a + 1) << 3) | TRACE_WRITE, 4);
    store<u32>(at, (b << 3) | TRACE_WRITE, 8);
    if (load<u32>(tx, BENCH_WIDE) == 0) return at + 12;
    store<u32>(at, ((a + 3) << 3) | TRACE_WRITE, 12);
    store<u32>(at, ((b + 3) << 3) | TRACE_WRITE, 16);
    store<u32>(at, ((a + 2) << 3) | TRACE_READ, 20);
    store<u32>(at, ((b + 1) << 3) | TRACE_READ, 24);
    store<u32>(at, ((b + 2) << 3) | TRACE_READ, 28);
    return at + 32;
  }
  if (kind == KIND_BENCH_ACCESS) {
    const reads = min(<u32>load<u16>(tx, BENCH_READS), BENCH_ACCESSES_MAX);
    const writes = min(<u32>load<u16>(tx, BENCH_WRITES), BENCH_ACCESSES_MAX);
    for (let i: u32 = 0; i < reads + writes; i++) {
      const index = load<u32>(tx + BENCH_INDICES + (i << 2));
      if (index >= load<u32>(0, BENCH_CELL_COUNT)) continue;
      store<u32>(at, (cellAt(index) << 3) | (i < reads ? TRACE_READ : TRACE_WRITE));
      at += 4;
    }
    return at;
  }
  const index = load<u32>(tx, BENCH_COUNTER);
  if (index < load<u32>(0, BENCH_COUNTER_COUNT)) {
    store<u32>(at, (counterAt(index) << 3) | (kind == KIND_BENCH_ADD ? TRACE_ADD : TRACE_WRITE));
    at += 4;
  }
  return at;
}
