/**
 * The state tree in shared memory. Read by tsc and asc: numeric constants only. Written by the commit threads (thread 0 while none runs);
 * the definition of the tree is docs/decisions/0010.
 *
 *   top       node i at COM_TOP + i * 32, i from 1; its children are 2 i and 2 i + 1; node 2^bits + b is bucket b
 *   counts    u8 per node: 0 nothing below, 1 one record, 2 several
 *   buckets   8 bytes each: u32 address of its entries (0 = none), u16 entries, u16 room
 *   entry     56 bytes, ascending by path: u64, u64 first 128 bits of the path, u32 location, u32 zero, 32 bytes leaf
 *   change    160 bytes, one for each record that a block has written:
 *      0  u32 location   4  u32 bytes of the key   8  u32 bytes of key and value (0: the record is absent)   12 u32 zero
 *     16  128 bytes key and value, zero behind them; the commit puts the path (16 bytes) and the leaf (32 bytes) in their place
 *    144  16 bytes zero
 */
export const COM_BITS: u32 = 0x1600; // u32 depth of the top; 0: there is no tree
export const COM_TOP: u32 = 0x1604; // u32 address
export const COM_COUNTS: u32 = 0x1608; // u32 address
export const COM_BUCKETS: u32 = 0x160c; // u32 address
export const COM_KEYS: u32 = 0x1610; // u32 address of the keys of path, leaf and node, 32 bytes each, then wide, 128 bytes each
export const COM_CHANGES: u32 = 0x1614; // u32 address of the changes
export const COM_CHANGE_COUNT: u32 = 0x1618; // u32
export const COM_CHANGE_MAX: u32 = 0x161c; // u32
export const COM_POOL_NEXT: u32 = 0x1638; // u32 room for entries: next free address
export const COM_POOL_END: u32 = 0x163c; // u32
export const COM_FREE: u32 = 0x1640; // u32[64] first free run of entries by room / 4, chained through its first word
export const COM_MARKS: u32 = 0x1740; // u32 address of u8 per node: waits to be computed
export const COM_LISTS: u32 = 0x1744; // u32 address of two lists of nodes, u32 each
export const COM_RECORDS: u32 = 0x1748; // u64 entries in all buckets

export const ENTRY_BYTES: u32 = 56;
export const ENTRY_LOCATION: u32 = 16;
export const ENTRY_LEAF: u32 = 24;
/** Room of a bucket's first run, and by how much more each next one has; runs that were left are used again. */
export const ENTRIES_FIRST: u32 = 4;
export const ENTRIES_STEP: u32 = 4;
/** Most entries of a bucket: 63 runs of four. Paths are hashes, so no bucket comes near it unless the top is far too small. */
export const ENTRIES_MAX: u32 = 252;
export const CHANGE_BYTES: u32 = 160;
export const CHANGE_KEY_BYTES: u32 = 4;
export const CHANGE_BYTES_USED: u32 = 8;
export const CHANGE_DATA: u32 = 16;
export const CHANGE_LEAF: u32 = 32; // behind 16 bytes of path
export const KEYS_PATH: u32 = 0;
export const KEYS_LEAF: u32 = 32;
export const KEYS_NODE: u32 = 64;
export const KEYS_WIDE: u32 = 96; // path, leaf, node: 128 bytes each
export const KEYS_BYTES: u32 = 480;
/** Records whose values are committed without their derived part: bytes of the payload from .. to are left out. */
export const DERIVED_CLASS: u32 = 16; // margin account
export const DERIVED_FROM: u32 = 8;
export const DERIVED_TO: u32 = 32;
