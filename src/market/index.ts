/** The door of market. */
export { BookChecker, type StateLevel } from './book-check.ts';
export { GeneratedFlow, type GeneratedFlowOptions } from './generated-flow.ts';
export { loadRecording, type MarketRecording } from './market-recording.ts';
export { OrderFlow, type OrderFlowOptions, type ReplayBlock } from './order-flow.ts';
