/** The door of storage. */
export { BlockKeys } from './block-keys.ts';
export { packBody, packReceipts, unpackBody, unpackReceipts } from './block-packing.ts';
export type { Disk, DiskFile } from './disk.ts';
export { type CutTail, Journal, type JournalBlock, type JournalOptions } from './journal.ts';
export { RealDisk } from './real-disk.ts';
export { type DiskStep, SimulatedDisk } from './simulated-disk.ts';
export type { StorageCode, StorageError } from './storage-error.ts';
export { type BlockCommit, type LookupRange, type Place, type StateRecords, Store } from './store.ts';
export { readFile, replaceFile } from './whole-file.ts';
