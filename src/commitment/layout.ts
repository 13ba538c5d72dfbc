/**
 * The state tree in shared memory. Read by tsc and asc: numeric constants only. The definition of the tree is docs/decisions/0010.
 *
 *   top       node i at COM_TOP + i * 32, i from 1; its children are 2 i and 2 i + 1; node 2^bits + b is bucket b
 *   counts    u8 per node: 0 nothing below, 1 one record, 2 several
 *   buckets   8 bytes each: u32 address of its run of entries (0 = none), u32 entries | size of the run << 24
 *   entry     56 bytes, ascending by path: u64, u64 first 128 bits of the path, u32 location, u32 zero, 32 bytes leaf
 *   change    96 bytes, one for each record that a block has written:
 *      0  u32  location   4  u32 bytes of the key (0: no record of the state)   8  u32 bytes of key and value (0: the record is absent)   12 u32 of no meaning
 *     16  80 bytes key and value; hashing puts the path (16 bytes) and the leaf (32 bytes) in their place. Of a record whose value lies in no
 *         memory: the key alone, CHANGE_GIVEN added to the number of bytes, and at 64 the leaf, hashed by the host
 *   order     512 bytes for every 256 changes: u8[256] the changes by partition, u16[65] where each partition's start, at ORDER_STARTS
 *   partition what lies below one node of depth PART_DEPTH: its buckets, its nodes, its slice of the lists, and 256 bytes:
 *      0  u32 next free address of its slab   4  u32 end of the slab   8  u32 1: its node has changed   12  u32 entries in runs of more than 64
 *     16  u32 entries   20  u32 size of the longest run that it has taken
 *     64  u32[32] first free run of entries by size, chained through its first word
 *
 * Who writes what when. Side threads do a commit in two phases; the host waits for it before it collects again.
 *   before          host          changes, their count, the claims (all 0), room in the pool
 *   hashing         side threads  each 256 changes and their order: the thread that has claimed them (COM_HASH_NEXT, atomic add)
 *   barrier                       COM_HASHED, atomic add, has come to the number of claims
 *   partitions      side threads  everything of a partition: the thread that has claimed it (COM_PART_NEXT, atomic add; of few
 *                                 changes several partitions at a time);
 *                                 COM_POOL_NEXT: atomic add of slabs
 *   above           side threads  the nodes above the partitions: the thread that was the last to finish one (COM_PARTS_DONE, atomic add)
 */
export const COM_BITS: u32 = 0x1600; // u32 depth of the top; 0: there is no tree
export const COM_TOP: u32 = 0x1604; // u32 address
export const COM_COUNTS: u32 = 0x1608; // u32 address
export const COM_BUCKETS: u32 = 0x160c; // u32 address
export const COM_KEYS: u32 = 0x1610; // u32 address of the keys of path, leaf, node, item, pair and list, 32 bytes each, then wide, 128 bytes each; then of none
export const COM_CHANGES: u32 = 0x1614; // u32 address of the changes
export const COM_CHANGE_COUNT: u32 = 0x1618; // u32
export const COM_CHANGE_MAX: u32 = 0x161c; // u32, a multiple of CLAIM_CHANGES
export const COM_PARTS: u32 = 0x1620; // u32 address of the partitions' words
export const COM_ORDER: u32 = 0x1624; // u32 address
export const COM_MARKS: u32 = 0x1628; // u32 address of u8 per node: waits to be computed
export const COM_LISTS: u32 = 0x162c; // u32 address of two lists of nodes, u32 each
export const COM_SCRATCH: u32 = 0x1630; // u32 address of COM_SCRATCH_BYTES for every side thread
export const COM_LOCATIONS: u32 = 0x1634; // u32 address of the locations that the changes are copied from, u32 each
export const COM_POOL_NEXT: u32 = 0x1638; // u32 room for entries: next free address
export const COM_POOL_END: u32 = 0x163c; // u32
export const COM_POOLS: u32 = 0x1640; // u32 address of the pool that slabs are taken from; pools start with u32 next pool, u32 end
export const COM_POOLS_SPARE: u32 = 0x1644; // u32 address of the first pool that holds nothing
export const COM_COLLECT_NEXT: u32 = 0x1680; // u32, atomic: next CLAIM_CHANGES locations to copy
export const COM_COLLECTED: u32 = 0x1700; // u32, atomic: claims that are copied
export const COM_HASH_NEXT: u32 = 0x1780; // u32, atomic: next CLAIM_CHANGES changes to hash
export const COM_HASHED: u32 = 0x1800; // u32, atomic: claims that are hashed
export const COM_PART_NEXT: u32 = 0x1880; // u32, atomic: next partition
export const COM_PARTS_DONE: u32 = 0x1900; // u32, atomic

/** Partitions lie below the nodes of this depth. */
export const PART_DEPTH: u32 = 6;
export const PARTS: u32 = 64;
export const PART_BYTES: u32 = 256;
export const PART_END: u32 = 4;
export const PART_CHANGED: u32 = 8;
export const PART_LONG: u32 = 12;
export const PART_RECORDS: u32 = 16;
export const PART_LONGEST: u32 = 20;
export const PART_FREE: u32 = 64;
/** Partitions take memory for runs in pieces of this size. */
export const SLAB_BYTES: u32 = 16384;
export const POOL_HEAD_BYTES: u32 = 64;
export const ENTRY_BYTES: u32 = 56;
export const ENTRY_LOCATION: u32 = 16;
export const ENTRY_LEAF: u32 = 24;
/** Sizes of runs: 2, 4 .. 32 entries, then twice as many each. Paths are hashes, so few are long unless the top is far too small. */
export const RUN_STEP: u32 = 2;
export const RUN_STEPS: u32 = 16;
export const RUN_SIZES: u32 = 32;
export const CHANGE_BYTES: u32 = 96;
export const CHANGE_KEY_BYTES: u32 = 4;
export const CHANGE_BYTES_USED: u32 = 8;
export const CHANGE_SPARE: u32 = 12;
export const CHANGE_DATA: u32 = 16;
export const CHANGE_LEAF: u32 = 32; // behind 16 bytes of path
export const CHANGE_GIVEN: u32 = 256;
export const CHANGE_GIVEN_LEAF: u32 = 64;
/** Changes that a thread claims at a time, to copy or to hash. */
export const CLAIM_CHANGES: u32 = 256;
export const ORDER_BYTES: u32 = 512;
export const ORDER_STARTS: u32 = 256;
/** A side thread's own: what is hashed four at a time, and four stacks of nodes. */
export const COM_SCRATCH_BYTES: u32 = 24576;
export const KEYS_PATH: u32 = 0;
export const KEYS_LEAF: u32 = 32;
export const KEYS_NODE: u32 = 64;
export const KEYS_ITEM: u32 = 96;
export const KEYS_PAIR: u32 = 128;
export const KEYS_LIST: u32 = 160;
export const KEYS_WIDE: u32 = 192; // path, leaf, node, item, pair: 128 bytes each
export const KEYS_WIDE_ITEM: u32 = 576;
export const KEYS_WIDE_PAIR: u32 = 704;
export const KEYS_PLAIN: u32 = 832; // what hashes without a key start with
export const KEYS_WIDE_PLAIN: u32 = 864;
export const KEYS_BYTES: u32 = 992;
/** Lists whose roots a header has. Their leaves are made before the next block executes, their roots by a side thread while it does. */
export const COM_LEAVES: u32 = 0x1980; // u32[3] addresses of the leaves, 32 bytes each
export const COM_LEAF_COUNTS: u32 = 0x198c; // u32[3]
export const COM_ROOTS: u32 = 0x19a0; // u8[32][3]
export const COM_DIGEST_COUNT: u32 = 0x1648; // u32 transactions of the block, the system's included
export const COM_PACKED_BYTES: u32 = 0x164c; // u32 what packReceipts or packChanges has written
export const COM_DIGEST_NEXT: u32 = 0x1a80; // u32, atomic: next transactions whose receipts and accesses are hashed
export const LIST_TRANSACTIONS: u32 = 0;
export const LIST_RECEIPTS: u32 = 1;
export const LIST_ACCESSES: u32 = 2;
export const LISTS: u32 = 3;
/** Transactions that a worker claims at a time, to hash their receipts and accesses. */
export const CLAIM_DIGESTS: u32 = 64;
/** Records whose values are committed without their derived part: bytes of the payload from .. to are left out. */
export const DERIVED_CLASS: u32 = 16; // margin account
export const DERIVED_FROM: u32 = 8;
export const DERIVED_TO: u32 = 32;
