/** heddle-sdk: what a program that uses a node imports, each name from the file that defines it. `HeddleClient` is where to begin. */
export type * as Account from './account-answers.ts';
export { formatDecimal, normalDecimal, parseDecimal, priceFault, roundPrice, roundSize, sizeFault } from './decimal.ts';
export { type CancelAnswer, dataOf, type OrderAnswer, statusesOf } from './exchange-answers.ts';
export { type ActionOptions, type ClientOptions, HeddleClient, type RequestBody } from './heddle-client.ts';
export type { InfoAnswer, InfoName, InfoRequest } from './info-table.ts';
export type * as Market from './market-answers.ts';
export { NonceSource } from './nonce-source.ts';
export { type LimitTerms, limitOrder, type MarketTerms, marketOrder, type TriggerTerms, triggerOrder } from './order-terms.ts';
export { type ProvenRecord, provenRecord, type SettledBlock, settledBlock } from './proven-state.ts';
export type { Signature, WireSignature } from './signature.ts';
export { type Signer, SignerKey } from './signer-key.ts';
export type { Gap } from './stream-position.ts';
export type { MessageInfo, StreamHandlers } from './stream-socket.ts';
export type { StreamData, StreamName, Subscription } from './stream-table.ts';
export type { ActiveSubscription } from './streams.ts';
export type { ActionOf, WireAction, WireOrder } from './wire-actions.ts';
