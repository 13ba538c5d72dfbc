/** The door of views. */
export { blockTerms } from './block-terms.ts';
export type { FeedMessage, FeedSink, FeedSubscription } from './feeds.ts';
export { INFO_TYPES } from './info.ts';
export { decodeValues, encodeValues, type KeptValues, type ValuesToKeep } from './kept-values.ts';
export { type MarginTable, Market } from './market-table.ts';
export { MalformedRequest } from './request.ts';
export { transactionHash } from './transaction-name.ts';
export { Views, type ViewsOptions } from './views.ts';
