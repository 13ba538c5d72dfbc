/** The door of node. */
export { genesisHash } from './genesis-hash.ts';
export { type Confirmation, Pipeline, type PipelineOptions, type Settlement, type Ticket } from './pipeline.ts';
