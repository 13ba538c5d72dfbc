/** What subscriptions are fed by: messages, each of one block's state. */
export interface StreamMessage {
  readonly channel: string;
  readonly data: unknown;
  readonly height: number;
}

export interface StreamsPort {
  /**
   * Calls `sink` with the snapshot before it returns, and with later messages as blocks are confirmed, until the returned function is called.
   * Throws MalformedRequest for what is no subscription.
   */
  subscribe(subscription: unknown, sink: (message: StreamMessage) => void): () => void;
}
