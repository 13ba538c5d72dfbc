/**
 * What the server asks of the views: answers, and feeds of messages. Answers and messages are of one block's state.
 */
export interface StreamMessage {
  readonly channel: string;
  readonly data: unknown;
  readonly height: number;
}

export interface AnswersPort {
  /** The block that answers are of. */
  readonly height: number;
  /** Throws MalformedRequest for what is no request. */
  answer(request: unknown): unknown;
}

export interface StreamsPort {
  /**
   * Calls `sink` with the snapshot before it returns, and with later messages as blocks are confirmed, until the returned function is called.
   * Throws MalformedRequest for what is no subscription.
   */
  subscribe(subscription: unknown, sink: (message: StreamMessage) => void): () => void;
}
