/**
 * Layouts that the kernel shares with programs and with the host, written once and read by two compilers (tsc and asc):
 * numeric constants only, in bytes, little endian.
 *
 *   record slot, 32 or 64 bytes, aligned to its size          written by
 *    0  u32  version   even; odd while a commit writes it     committer (plain stores between two atomic phases)
 *    4  u32  meta      bit 0 present, bits 1..31 epoch        whoever writes the record
 *    8  ..   payload   24 or 56 bytes, layout of its class    programs
 *
 * A location is the address of a slot divided by 32: a 32-bit number, so reading a record needs no table.
 */

export const RECORD_VERSION: u32 = 0;
export const RECORD_META: u32 = 4;
export const RECORD_PAYLOAD: u32 = 8;
export const RECORD_PRESENT: u32 = 1;

/** A bit record: one 64-bit word whose bits are read, set and cleared one by one. 32 bytes, never part of the state root. */
export const BITS_WORD: u32 = 8;
/** Node-local note of the owner of a bit record (what an empty word means): two u32. */
export const BITS_TAG: u32 = 16;
export const BITS_INDEX: u32 = 20;

/**
 *   prepared transaction: 32 bytes, then its payload, aligned to 8
 *    0  u8   kind
 *    1  u8   flags        bit 0: the nonce is checked and used up; bit 1: it acts for another account; bit 2: it has a signers' list
 *    2  u16  items        number of items in the payload (programs that have items)
 *    4  u32  sender       account number, NO_ACCOUNT if the address has none
 *    8  u64  nonce
 *   16  u32  firstItem    ordinal of its first item within the block
 *   20  u32  code         kind 0: the code that its receipt gets; other kinds: number of the account that it acts for as admission
 *                         found it (client ids and the like were resolved for it)
 *   24  u32  behalf       number of the sub-account or vault that it acts for
 *   28  u32  signers      offset from the transaction's start of its signers' list: u32 user, u32 count, then count times
 *                         u32 account number, u32 location of the (user, signer) record
 */
export const TX_KIND: u32 = 0;
export const TX_FLAGS: u32 = 1;
export const TX_ITEMS: u32 = 2;
export const TX_SENDER: u32 = 4;
export const TX_NONCE: u32 = 8;
export const TX_FIRST_ITEM: u32 = 16;
export const TX_CODE: u32 = 20;
export const TX_ACTOR: u32 = 20;
export const TX_BEHALF: u32 = 24;
export const TX_SIGNERS: u32 = 28;
export const TX_PAYLOAD: u32 = 32;
export const TX_FLAG_NONCE: u32 = 1;
export const TX_FLAG_BEHALF: u32 = 2;
export const TX_FLAG_SIGNERS: u32 = 4;
export const NO_ACCOUNT: u32 = 0xffffffff;

/** Kind 0: refused at admission; executes to a receipt with the code that admission found and touches nothing. */
export const KIND_REFUSED: u32 = 0;

/** An event starts with u32 `type | byteLength << 8`; lengths are multiples of 8. */

/*
 * The control block: the first 64 KiB of the shared memory. Words that several threads write are 128 bytes apart.
 *
 *   address                                   written by                     read by
 *   0x0100 u32 command      sequence << 8 | workers that take part, host     workers (wait)
 *   0x0180 u32 finished     workers done      workers, atomic                host
 *   0x0200 u32 stop         why to stop       anyone, atomic                 all
 *   0x0280 u32 commitLock   holder + 1        workers, compare-exchange
 *   0x0300 u32 committed    prefix            holder of commitLock / thread 0 all
 *   0x0380 u32 claimed      next transaction  workers, atomic add / token holder
 *   0x0480 u32 eventTop     event pool        workers, atomic add of chunks
 *   0x0500 u32 traceTop     trace pool        workers, atomic add of chunks
 *   0x0600 u32 reclaimCount keys that became absent   workers, atomic add
 *   0x0680 u32 emptyCount   bit words that became zero, workers, atomic add
 *   0x0700 u32 applying     transaction being applied + 1, holder of commitLock
 *   0x0780 u32 aside        number of the last job asked of the side threads, host    side threads (wait)
 *   0x0800 u32 asideDone    number of the last that all have done, side threads,   host (wait)
 *                           compare-exchange, so that ASIDE_FAILED stays
 *   0x0900 jobs, 16 bytes each, job n at n % ASIDE_JOBS: u32 what (ASIDE_...), u32 argument: host, before it asks; u32 threads that
 *          have yet to do their part: host, then side threads, atomic; u32 zero
 */
export const CTL_COMMAND: u32 = 0x0100;
export const CTL_FINISHED: u32 = 0x0180;
export const CTL_STOP: u32 = 0x0200;
export const CTL_COMMIT_LOCK: u32 = 0x0280;
export const CTL_COMMITTED: u32 = 0x0300;
export const CTL_CLAIMED: u32 = 0x0380;
export const CTL_EVENT_TOP: u32 = 0x0480;
export const CTL_TRACE_TOP: u32 = 0x0500;
export const CTL_RECLAIM_COUNT: u32 = 0x0600;
export const CTL_EMPTY_COUNT: u32 = 0x0680;
export const CTL_APPLYING: u32 = 0x0700;
export const CTL_ASIDE: u32 = 0x0780;
export const CTL_ASIDE_DONE: u32 = 0x0800;
export const CTL_ASIDE_JOBS: u32 = 0x0900;
/** Jobs that can be asked before the first of them is done. */
export const ASIDE_JOBS: u32 = 16;
/** Numbers of jobs start again at 0 behind this; a multiple of ASIDE_JOBS, less one. */
export const ASIDE_NUMBER_MASK: u32 = 0x3fffffff;
export const ASIDE_WHAT: u32 = 0;
export const ASIDE_ARGUMENT: u32 = 4;
export const ASIDE_LEFT: u32 = 8;
/** CTL_ASIDE_DONE when a side thread has died. */
export const ASIDE_FAILED: u32 = 0xffffffff;
export const ASIDE_THREADS_MAX: u32 = 16;
/** What side threads can be asked for; each of them enters `runAside` with the job, its own number and the argument. */
export const ASIDE_COMMIT: u32 = 1; // the collected changes into the state tree
export const ASIDE_FILL: u32 = 2; // the listed records into the state tree, nodes left out; while nothing writes
export const ASIDE_ROOT: u32 = 3; // all nodes of the state tree
export const ASIDE_LISTS: u32 = 4; // the roots of the block's lists from their leaves; the argument is how many side threads there are

/** What thread 0's run functions return: the block has ended or stopped; there are commits to report; nothing moves (is a worker dead?). */
export const RETURN_ENDED: u32 = 0;
export const RETURN_REPORT: u32 = 1;
export const RETURN_STALLED: u32 = 2;
/** Waiting rounds after which thread 0 returns RETURN_STALLED; some ten milliseconds. */
export const STALL_ROUNDS: u32 = 24000;

/** Why a block stopped before its end (word `stop`). */
export const STOP_NONE: u32 = 0;
export const STOP_WORKER_DIED: u32 = 1;
export const STOP_OUTSIDE_SET: u32 = 2;
export const STOP_POOL_FULL: u32 = 3;

/*
 * Constants of the block, 0x1000: written by the host between blocks, read by all.
 */
export const BLK_NUMBER: u32 = 0x1000; // u64
export const BLK_TIME_MS: u32 = 0x1008; // u64
export const BLK_FIRST_ORDINAL: u32 = 0x1010; // u64, ordinal of the block's first item
export const BLK_COUNT: u32 = 0x1018; // u32, end of the transactions that run; they start at `committed`
export const BLK_TX_TABLE: u32 = 0x101c; // u32 address of u32[count] addresses of transactions
export const BLK_RECEIPTS: u32 = 0x1020; // u32 address of the receipts, 16 bytes each
export const BLK_SLOTS: u32 = 0x1024; // u32 address of the scheduler's slots, u64 each
export const BLK_TRACES: u32 = 0x1028; // u32 address of the trace table: u32 address, u32 entries (words)
export const BLK_EPOCH: u32 = 0x1030; // u32, 1..2^31-1, one per run: tags pre-images and slots
export const BLK_WORKERS: u32 = 0x1034; // u32 workers taking part
export const BLK_WORK_UNITS: u32 = 0x1038; // u32 extra work per transaction
export const BLK_RECORD: u32 = 0x103c; // u32 1: leave the access list
export const BLK_WINDOW: u32 = 0x1040; // u32 transactions ahead of the commit point
export const BLK_MUTATION: u32 = 0x1044; // u32 planted mutation, tests only
export const BLK_TIMELINE: u32 = 0x1048; // u32 address of the timeline, 16 bytes a transaction, or 0
export const BLK_LIST_EXACT: u32 = 0x104c; // u32 1: traces are exact (a producer's), 0: declared sets
export const BLK_STRIDE: u32 = 0x1054; // u32 transactions claimed at a time (deterministic)
export const BLK_RUN: u32 = 0x1058; // u32 which run function the workers enter
export const BLK_LIST: u32 = 0x1060; // u32 address of the list's table (input): u32 address, u32 bytes; address 0: unknown
export const BLK_OWNERS: u32 = 0x1088; // u32 address of u8[count] owners
export const BLK_HOMES: u32 = 0x1090; // u32 address of u16[count] homes
export const REG_HOME_COUNTS: u32 = 0x108c; // u32 address of 16 KiB for planning owners
export const BLK_SHARD_MASKS: u32 = 0x1064; // u32 address of u64[count]
export const BLK_SHARD_ARRIVALS: u32 = 0x1068; // u32 address of u32[count], then u32[count] done flags
export const BLK_SHARD_QUEUES: u32 = 0x106c; // u32 address of workers x (u32[count])
export const BLK_SHARD_LENGTHS: u32 = 0x1070; // u32 address of u32[workers]
export const BLK_FAULT_AT: u32 = 0x1074; // u32 planted fault, tests only: transaction + 1 whose first execution on another thread traps
export const BLK_FAULT_SILENT: u32 = 0x1078; // u32 planted, tests only: a trapped worker thread exits without a word
export const BLK_STARTED: u32 = 0x1080; // f64 wall-clock micros at which the block's timeline starts
export const BLK_SLICE: u32 = 0x105c; // u32 transactions after which thread 0 returns to the host

/* Regions, 0x1100: addresses set up at boot. */
export const REG_EVENT_POOL: u32 = 0x1100;
export const REG_EVENT_END: u32 = 0x1104;
export const REG_TRACE_POOL: u32 = 0x1108;
export const REG_TRACE_END: u32 = 0x110c;
export const REG_RECLAIM: u32 = 0x1118; // u32[REG_LIST_MAX]
export const REG_EMPTY: u32 = 0x111c; // u32[REG_LIST_MAX]
export const REG_LIST_MAX: u32 = 0x1120;
export const REG_DEPENDENCY_MASK: u32 = 0x1128;
export const REG_DEPENDENCY_BASE: u32 = 0x112c; // u32 grows by count + 1 each run
export const REG_KEYS: u32 = 0x1130; // key table, u64 an entry
export const REG_KEY_MASK: u32 = 0x1134;
export const REG_KEY_COUNT: u32 = 0x1138;
export const REG_KEY_SEED: u32 = 0x1140; // u64
export const REG_KEY_FREE: u32 = 0x1148; // u32 location of the first free keyed unit, chained through its payload
export const REG_CHUNK_NEXT: u32 = 0x114c; // u32 next free chunk
export const REG_CHUNK_END: u32 = 0x1150;
export const REG_KEY_UNITS_LEFT: u32 = 0x1154; // u32 fresh keyed units left in the current chunk
export const REG_KEY_UNIT_NEXT: u32 = 0x1158; // u32 address
/* What a block has written, for the state tree; all 0 where nobody asks. */
export const REG_DIRTY: u32 = 0x1160; // u32 address of a bitmap of locations
export const REG_DIRTY_LIST: u32 = 0x1164; // u32 address of u32[REG_DIRTY_MAX] locations whose bits thread 0 has set
export const REG_DIRTY_COUNT: u32 = 0x1168;
export const REG_DIRTY_MAX: u32 = 0x116c;
export const REG_DIRTY_SCAN: u32 = 0x1170; // u32 1: bits are set that are not in the list
export const REG_PAGE_OWNERS: u32 = 0x1174; // u32 address of u32 account, u32 first of its records, for every 256 bytes of memory

/*
 * One block of 8 KiB per worker, at WORKERS_BASE + worker * WORKER_BYTES: written by that worker only, but for WRK_PROGRESS, which others read.
 */
export const WORKERS_BASE: u32 = 0x100000;
export const WORKER_BYTES: u32 = 8192;
export const WORKERS_MAX: u32 = 64;
export const WRK_EXECUTIONS: u32 = 0; // u32
export const WRK_VALIDATIONS: u32 = 4; // u32
export const WRK_CONFLICTS: u32 = 8; // u32
export const WRK_LOG_BASE: u32 = 12; // u32 arena for logs
export const WRK_LOG_END: u32 = 16;
export const WRK_LOG_TOP: u32 = 20;
export const WRK_REDO_BASE: u32 = 24; // arena for the log of a re-execution
export const WRK_EVENT_TOP: u32 = 28;
export const WRK_EVENT_END: u32 = 32;
export const WRK_TRACE_TOP: u32 = 36;
export const WRK_TRACE_END: u32 = 40;
export const WRK_FAULT: u32 = 44; // u32 set when records did not fit together
export const WRK_QUEUE_HEAD: u32 = 48; // outstanding logs
export const WRK_QUEUE_TAIL: u32 = 52;
export const WRK_CURRENT: u32 = 56; // transaction it runs + 1
export const WRK_ID: u32 = 60;
export const WRK_EVENT_START: u32 = 64;
export const WRK_TRACE_START: u32 = 68;
export const WRK_GENERATION: u32 = 72;
export const WRK_LOG_START: u32 = 76;
export const WRK_CURSOR: u32 = 80; // next expected entry of the list
export const WRK_CURSOR_END: u32 = 84;
export const WRK_WORK_SINK: u32 = 96; // u64
export const WRK_RANDOM: u32 = 104; // u32 state for interleavings
export const WRK_CHUNK_NEXT: u32 = 108; // next transaction of the chunk that it holds
export const WRK_CHUNK_END: u32 = 112;
export const WRK_SEEN_WATERMARK: u32 = 116; // everything below is done, as far as it has looked
export const WRK_UNDO_START: u32 = 132; // u32 log to undo by
export const WRK_UNDO_TOP: u32 = 136;
export const WRK_UNDO_END: u32 = 140;
export const WRK_DEPENDENCIES: u32 = 144; // u32 address of its dependency table
export const WRK_BARRIER: u32 = 148; // u32 1 + the last transaction of another worker that runs alone
export const WRK_TRIAL: u32 = 152; // u32 address of 64 KiB for copies of records (fill or kill)
export const WRK_SLEEP: u32 = 120; // u32 always 0: slept on, with a time limit
export const WRK_PROGRESS: u32 = 384; // u32, atomic: everything of this worker below is done
export const WRK_FENCE: u32 = 256; // u32 target of ordering exchanges
export const WRK_CONFLICT_CLASSES: u32 = 512; // u32[256] failed validations by class
export const WRK_PREDECESSORS: u32 = 1536; // u32[64] of the batch
export const WRK_TABLE: u32 = 2048; // u32[256] own-log lookup
export const WRK_SCRATCH: u32 = 6272; // 64 bytes for accesses that are not allowed
export const WRK_QUEUE: u32 = 4096; // u64[256] outstanding logs: u32 transaction, u32 end of its log

export const CHUNK_BYTES: u32 = 65536;
/** u32 per chunk at CHUNK_TABLE: u8 class, u8 record size / 32 (stride), u16 home (0 = none, else partition hint + 1). */
export const CHUNK_TABLE: u32 = 0x10000;

/** An entry of a trace, u32: location << 3 | kind; bit kinds are followed by the mask as two u32, low word first. */
export const TRACE_READ: u32 = 1;
export const TRACE_WRITE: u32 = 2;
export const TRACE_ADD: u32 = 3;
export const TRACE_BITS_READ: u32 = 4;
export const TRACE_BITS_SET: u32 = 5;
export const TRACE_BITS_CLEAR: u32 = 6;

/** A receipt: u32 code, u32 address of its events, u32 their length, u32 executions << 8 | worker. */
export const RECEIPT_BYTES: u32 = 16;
export const EVENT_CHUNK_BYTES: u32 = 2097152;
export const TRACE_CHUNK_BYTES: u32 = 4194304;
/**
 * The most bytes of events, trace, undo entries and log that one transaction can produce; programs stay below by their own limits (512
 * orders cancelled, 256 looked at, 5000 open). A log's entries are addressed by 16 bits in units of 32 bytes.
 */
export const TX_EVENT_BYTES_MAX: u32 = 163840;
export const TX_TRACE_BYTES_MAX: u32 = 393216;
export const UNDO_BYTES: u32 = 80;
export const TX_UNDO_BYTES_MAX: u32 = 1048576;
export const TX_LOG_BYTES_MAX: u32 = 2031616;

export const RUN_OPTIMISTIC: u32 = 1;
export const RUN_DETERMINISTIC: u32 = 2;
export const RUN_SHARDED: u32 = 3;
/** Every worker over its own range of accounts, while no transaction runs. */
export const RUN_SWEEP: u32 = 4;
export const RUN_AUDIT: u32 = 5;
export const RUN_COLLECT: u32 = 6;
export const RUN_DIGEST: u32 = 7;

/** Bits of BLK_MUTATION: planted errors that the proof must catch. */
export const MUTATION_NO_VALIDATION: u32 = 1;
export const MUTATION_NO_TOMBSTONE: u32 = 2;
export const MUTATION_EARLY_VALIDATION: u32 = 4;
export const MUTATION_LOST_DELTA: u32 = 8;
export const MUTATION_NO_MASK: u32 = 16;
export const MUTATION_NO_TIES: u32 = 32;
