/**
 * Records and transactions of the benchmark program. Read by tsc and asc: numeric constants only.
 *
 *   cell, 32 bytes. Key: class 64, u32 index. Exists from the start, value zero.
 *    8  u64  value
 *   counter (accumulator), 32 bytes. Key: class 65, u32 index
 *    8  i64  value
 */
export const CLASS_CELL: u32 = 64;
export const CLASS_COUNTER: u32 = 65;
export const CELL_VALUE: u32 = 8;

/**
 * Kind 64, a transfer between benchmark accounts; an account is four adjacent cells (balance, sequence, limits, statistics).
 * Payload: u32 from, u32 to, u32 amount, u32 wide. wide 1: 8 reads and 5 writes; 0: 3 reads and 3 writes.
 */
export const KIND_BENCH_TRANSFER: u32 = 64;
export const CELLS_PER_ACCOUNT: u32 = 4;
/** Kind 65, reads and writes of cells. Payload: u16 reads, u16 writes, then the u32 indices of the cells read and of those written (padded to 8). */
export const KIND_BENCH_ACCESS: u32 = 65;
/** Kind 66, 67: adds i64 to a counter, by accumulate or by reading and writing it. Payload: u32 counter, u32 zero, i64 delta. */
export const KIND_BENCH_ADD: u32 = 66;
export const KIND_BENCH_READ_ADD: u32 = 67;

/** Where the benchmark's records lie: addresses set up at genesis. */
export const BENCH_CELLS: u32 = 0x1580; // u32
export const BENCH_CELL_COUNT: u32 = 0x1584;
export const BENCH_COUNTERS: u32 = 0x1588;
export const BENCH_COUNTER_COUNT: u32 = 0x158c;
/** Payload fields: see the kinds above. */
export const BENCH_FROM: u32 = 32;
export const BENCH_TO: u32 = 36;
export const BENCH_AMOUNT: u32 = 40;
export const BENCH_WIDE: u32 = 44;
export const BENCH_READS: u32 = 32;
export const BENCH_WRITES: u32 = 34;
export const BENCH_INDICES: u32 = 36;
export const BENCH_COUNTER: u32 = 32;
export const BENCH_DELTA: u32 = 40;
export const BENCH_ACCESSES_MAX: u32 = 64;
export const CODE_BENCH_RANGE: u32 = 200;
/** Event 64, 16 bytes: u32 header, u32 zero, u64 hash of everything that the transaction read. */
export const EVENT_BENCH: u32 = 64;
export const EVENT_BENCH_BYTES: u32 = 16;
