/** The door of node. */
export { createFolder, type FolderOptions, type Listeners, openFolder, readGenesis } from './folder.ts';
export { decodeGenesis, encodeGenesis } from './genesis-file.ts';
export { genesisHash } from './genesis-hash.ts';
export { MemoryShort } from './memory-guard.ts';
export {
  type BlockWork,
  type Confirmation,
  type ConfirmedBlock,
  Pipeline,
  type PipelineOptions,
  type Settlement,
  type Submitter,
  type Ticket,
} from './pipeline.ts';
export { type KeyProof, proveKey } from './prove-key.ts';
export { type PruneSummary, pruneFolder } from './pruning.ts';
export { SettledProofs, type StoredProof } from './settled-proofs.ts';
export { restoreSnapshot, type SnapshotSummary, writeSnapshot } from './snapshot.ts';
export { packChunks } from './snapshot-format.ts';
export { SortedTree } from './sorted-tree.ts';
export { type Verification, type VerifyOptions, verifyFolder } from './verify-folder.ts';
