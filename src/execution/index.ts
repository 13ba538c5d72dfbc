/** The door of execution. */
export { Engine, type EngineOptions, type TestSwitches } from './engine.ts';
export type { MemoryUse } from './memory-need.ts';
export { PackedReceipts } from './packed-receipts.ts';
