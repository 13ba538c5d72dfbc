/** The door of execution. */
export { Engine, type EngineOptions, type TestSwitches } from './engine.ts';
export { PackedReceipts } from './packed-receipts.ts';
